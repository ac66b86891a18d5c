//! What the household decides, and what is refused.

use super::*;
use hearthwatt_domain::ids::TariffId;
use hearthwatt_domain::tariff::{PriceSchedule, Tariff};
use hearthwatt_domain::units::{Energy, Money, Price};
use hearthwatt_engine::Preset;

const MIDNIGHT: UnixMillis = UnixMillis(1_772_492_400_000);

async fn home_with(dir: &Path, preset: Preset) -> Home {
    let home = Home::open(options(dir, TestClock::at(START), None)).await.unwrap();
    home.configure(preset).await.unwrap();
    home
}

pub fn flat(name: &str, price: f64, from: jiff::civil::Date) -> Tariff {
    Tariff {
        id: TariffId::derive(&[name]),
        name: name.into(),
        valid_from: from,
        valid_to: None,
        import: PriceSchedule::Flat { price: Price::from_major_per_kwh(price) },
        export: Some(PriceSchedule::Flat { price: Price::from_major_per_kwh(0.1) }),
        standing_charge_per_day: Money::from_major(0.5),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_price_recomputes_the_past_it_covers() {
    let dir = tempfile::tempdir().unwrap();
    let grid = meter("grid", Role::Grid);
    let home = home_with(dir.path(), Preset { meters: vec![grid.clone()], ..Preset::default() }).await;
    // a kilowatt-hour an hour, from midnight to 14:00
    home.import(register(grid.id, MIDNIGHT, 60_000, 14 * 60, 1_000.0 / 60.0)).await.unwrap();
    assert_eq!(history(&home, HistoryPeriod::Month, None).await.bars[2].totals.cost, None);
    for (name, price, cost) in [("a", 0.30, 4.7), ("a", 0.20, 3.3)] {
        home.SaveTariff(SaveTariff { tariff: flat(name, price, jiff::civil::date(2026, 1, 1)) })
            .await
            .unwrap();
        let month = history(&home, HistoryPeriod::Month, None).await;
        assert_eq!(
            month.bars[2].totals.cost,
            Some(Money::from_major(cost)),
            "14 kWh at {price} and the day's charge"
        );
    }
    let id = TariffId::derive(&["a"]);
    home.DeleteTariff(DeleteTariff { id }).await.unwrap();
    assert_eq!(history(&home, HistoryPeriod::Month, None).await.bars[2].totals.cost, None);
    home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn today_costs_its_whole_standing_charge_on_every_screen() {
    let dir = tempfile::tempdir().unwrap();
    let grid = meter("grid", Role::Grid);
    let tariffs = vec![flat("a", 0.30, jiff::civil::date(2026, 1, 1))];
    let preset = Preset { meters: vec![grid.clone()], tariffs, ..Preset::default() };
    let home = home_with(dir.path(), preset).await;
    // two kilowatt-hours from midnight to two in the night; it is 14:02
    home.import(register(grid.id, MIDNIGHT, 60_000, 120, 1_000.0 / 60.0)).await.unwrap();
    let cost = Some(Money::from_major(2.0 * 0.30 + 0.5));
    assert_eq!(home.GetOverview(GetOverview {}).await.unwrap().today.cost, cost, "Now");
    for resolution in [HistoryPeriod::Day, HistoryPeriod::Week, HistoryPeriod::Month, HistoryPeriod::Year] {
        let shown = history(&home, resolution, None).await;
        assert_eq!(shown.total.cost, cost, "{resolution:?}: days to come cost nothing yet");
    }
    let month = history(&home, HistoryPeriod::Month, None).await;
    assert_eq!((month.bars[2].totals.cost, month.bars[3].totals.cost), (cost, None), "today, tomorrow");
    let day = history(&home, HistoryPeriod::Day, None).await;
    assert_eq!(day.bars[20].totals.cost, None, "an hour to come");
    home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_a_role_changes_the_sums_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (grid, pv) = (meter("grid", Role::Grid), meter("pv", Role::Load));
    let home =
        home_with(dir.path(), Preset { meters: vec![grid.clone(), pv.clone()], ..Preset::default() }).await;
    home.import(register(grid.id, MIDNIGHT, 60_000, 600, 10.0)).await.unwrap();
    home.import(register(pv.id, MIDNIGHT, 60_000, 600, 5.0)).await.unwrap();
    let overview = home.GetOverview(GetOverview {}).await.unwrap();
    assert_eq!(overview.today.used, Energy::from_kwh(6.0));
    let edit = UpdateMeter {
        id: pv.id,
        name: "Roof".into(),
        room: String::new(),
        role: Role::Solar,
        parent: None,
        inverted: true,
    };
    home.UpdateMeter(edit).await.unwrap();
    let today = home.GetOverview(GetOverview {}).await.unwrap().today;
    assert_eq!((today.used, today.produced), (Energy::from_kwh(9.0), Energy::from_kwh(3.0)));
    home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_kept_apart_and_never_told() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap();
    let input = BrokerInput { username: "me".into(), password: Some("hunter2".into()), ..listen_to(1) };
    let view = home.SaveBroker(SaveBroker { broker: input.clone() }).await.unwrap();
    assert!(view[0].has_password);
    // without a new password the old one stays
    let again =
        home.SaveBroker(SaveBroker { broker: BrokerInput { password: None, ..input } }).await.unwrap();
    assert!(again[0].has_password);
    assert!(!serde_json::to_string(&again).unwrap().contains("hunter2"));
    home.close().await;
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let path = file.unwrap().path();
        let holds = std::fs::read(&path).unwrap().windows(7).any(|w| w == b"hunter2");
        assert_eq!(holds, path.ends_with("secrets.json"), "{}", path.display());
    }
    let home = Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap();
    assert!(home.ListBrokers(ListBrokers {}).await.unwrap()[0].has_password);
    home.DeleteBroker(DeleteBroker { id: broker_id() }).await.unwrap();
    home.close().await;
    let secrets = std::fs::read_to_string(dir.path().join("secrets.json")).unwrap();
    assert!(!secrets.contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap();
    let settings = home.GetSettings(GetSettings {}).await.unwrap();
    for (bad, word) in [
        (Settings { time_zone: "Mars/Olympus".into(), ..settings.clone() }, "Time zone"),
        (Settings { currency: "euro".into(), ..settings.clone() }, "Currency"),
        (Settings { bill_day: 32, ..settings.clone() }, "Bill day"),
    ] {
        let error = home.SaveSettings(SaveSettings { settings: bad }).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::Invalid);
        assert!(error.message.starts_with(word), "{}", error.message);
    }
    assert_eq!(home.GetSettings(GetSettings {}).await.unwrap(), settings);
    for host in ["", "mqtt://x", "a b"] {
        let broker = BrokerInput { host: host.into(), ..listen_to(1883) };
        assert_eq!(
            home.SaveBroker(SaveBroker { broker }).await.unwrap_err().code,
            ErrorCode::Invalid,
            "{host}"
        );
    }
    assert_eq!(home.StartDemo(StartDemo {}).await.unwrap_err().code, ErrorCode::Unavailable);
    home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_zone_cuts_the_days_anew() {
    let dir = tempfile::tempdir().unwrap();
    let grid = meter("grid", Role::Grid);
    let home = home_with(dir.path(), Preset { meters: vec![grid.clone()], ..Preset::default() }).await;
    // the three hours before the home's midnight, a kilowatt-hour each
    home.import(register(grid.id, MIDNIGHT.plus_ms(-3 * 3_600_000), 60_000, 180, 1_000.0 / 60.0))
        .await
        .unwrap();
    let day = |h: &History, i: usize| h.bars[i].totals.import;
    let before = history(&home, HistoryPeriod::Month, None).await;
    assert_eq!((day(&before, 1), day(&before, 2)), (Energy::from_kwh(3.0), Energy::ZERO));
    let settings =
        Settings { time_zone: "Europe/Helsinki".into(), ..home.GetSettings(GetSettings {}).await.unwrap() };
    home.SaveSettings(SaveSettings { settings }).await.unwrap();
    let after = history(&home, HistoryPeriod::Month, None).await;
    assert_eq!((day(&after, 1), day(&after, 2)), (Energy::from_kwh(2.0), Energy::from_kwh(1.0)));
    home.close().await;
    let home = Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap();
    assert_eq!(history(&home, HistoryPeriod::Month, None).await.time_zone, "Europe/Helsinki");
    home.close().await;
}
