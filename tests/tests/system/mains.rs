//! A real home's mains, 2.3 million readings over 372 days, replayed through mosquitto as a Shelly
//! meter: stored whole, every day and month right to the milliwatt-hour, the budget broken on the
//! right day.

use crate::demo::pictures_of_history;
use hearthwatt_api::*;
use hearthwatt_domain::alert::Cause;
use hearthwatt_domain::budget::{Amount, Budget, Period, Scope};
use hearthwatt_domain::ids::BudgetId;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::Energy;
use hearthwatt_engine::{Arrival, Clock, Discovery, Home, HomeOptions};
use hearthwatt_tests::broker::Mosquitto;
use hearthwatt_tests::publish::Publisher;
use hearthwatt_tests::{hub::Hub, pass_over, stored, trace, wait};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use uuid::Uuid;

const ZONE: &str = "Europe/London";
const DEVICE: &str = "shellypro3em-00000000c0de";
/// A value is held for this long at most when nothing follows (seconds).
const HOLD_S: i64 = 300;
/// Messages under way at once: less than any queue on the way, so that none may lose one.
const WINDOW: u64 = 4000;

/// Time is what the messages say, as if they were received then.
struct ReplayClock(AtomicI64);

impl Clock for ReplayClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::Relaxed))
    }
    fn received(&self, arrival: &Arrival<'_>) -> UnixMillis {
        let text = std::str::from_utf8(arrival.payload).unwrap_or_default();
        let seconds =
            text.split_once("\"ts\":").and_then(|(_, rest)| rest.split_once('.')?.0.parse::<i64>().ok());
        if let Some(seconds) = seconds {
            self.0.fetch_max(seconds * 1000, Ordering::Relaxed);
        }
        self.now()
    }
}

/// Energy by day of the home, in mW·s exactly: what the product must agree with, computed another way.
fn independent(rows: &[(i64, u32)], zone: &TimeZone) -> BTreeMap<Date, i128> {
    let mut days: BTreeMap<Date, i128> = BTreeMap::new();
    // the day that holds a second, and where it ends
    let day_of = |at: i64| {
        let zoned = jiff::Timestamp::from_second(at).unwrap().to_zoned(zone.clone());
        let next = zoned.date().tomorrow().unwrap().to_zoned(zone.clone()).unwrap();
        (zoned.date(), next.timestamp().as_second())
    };
    let (mut day, mut end) = day_of(rows[0].0);
    for pair in rows.windows(2) {
        let ((mut from, watts), (next, _)) = (pair[0], pair[1]);
        let until = next.min(from + HOLD_S);
        while from < until {
            if from >= end {
                (day, end) = day_of(from);
            }
            let to = until.min(end);
            *days.entry(day).or_default() += i128::from(watts) * i128::from(to - from) * 1000;
            from = to;
        }
    }
    days
}

/// Half a milliwatt-hour, in micro-watt-hours: what equal to the milliwatt-hour means.
const HALF_MWH: i128 = 500;

/// 1 µWh is 3.6 mW·s.
fn off_by(product: Energy, exact_mws: i128) -> i128 {
    i128::from(product.0) - (exact_mws * 10 + 18).div_euclid(36)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_of_real_mains_is_stored_whole_and_counted_right() {
    let Some(rows) = trace::mains() else {
        println!("passed over: the trace ../shared/data/gjw_mains_onchange.csv.gz is not there");
        return;
    };
    let zone = jiff::tz::db().get(ZONE).unwrap();
    let expected = independent(&rows, &zone);
    let mut months: BTreeMap<(i16, i8), i128> = BTreeMap::new();
    expected.iter().for_each(|(d, e)| *months.entry((d.year(), d.month())).or_default() += e);

    // A monthly budget that the heaviest month breaks, and the day on which it does.
    let (&(year, month), &most) = months.iter().max_by_key(|(_, e)| **e).unwrap();
    let limit_mws = most * 9 / 10;
    let mut sum = 0;
    let breaks_on = expected
        .iter()
        .filter(|(d, _)| (d.year(), d.month()) == (year, month))
        .find(|(_, e)| {
            sum += **e;
            sum >= limit_mws
        })
        .map(|(d, _)| *d)
        .unwrap();

    let broker = Mosquitto::start();
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ReplayClock(AtomicI64::new(rows[0].0 * 1000)));
    let home_folder = folder.path().join("home");
    let mut options = HomeOptions::new(&home_folder, clock.clone(), ZONE, "GBP");
    options.discovery = Discovery::Off;
    options.auto_adopt = true;
    let home = Home::open(options).await.unwrap();
    home.SaveBroker(SaveBroker { broker: crate::meters::broker_at("127.0.0.1", broker.port) }).await.unwrap();
    wait::until("the home is connected", Duration::from_secs(10), || async {
        let list = home.ListBrokers(ListBrokers {}).await.ok()?;
        list.iter().any(|b| b.state == BrokerState::Connected).then_some(())
    })
    .await;
    let budget = Budget {
        id: BudgetId(Uuid::new_v4()),
        name: "Electricity of the month".into(),
        scope: Scope::Home,
        limit: Amount::Energy(Energy((limit_mws * 10 / 36) as i64)),
        period: Period::Month,
        thresholds: vec![100],
        warn_on_forecast: false,
        created: clock.now(),
    };
    home.SaveBudget(SaveBudget { budget: budget.clone() }).await.unwrap();

    let started = Instant::now();
    let publisher = Publisher::connect(broker.port, "mains");
    let topic = format!("{DEVICE}/events/rpc");
    let accepted = || async {
        let list = home.ListMeters(ListMeters {}).await.unwrap();
        list.adopted.iter().chain(&list.found).map(|m| m.accepted).sum::<u64>()
    };
    for (n, (at, watts)) in rows.iter().enumerate() {
        let payload = format!(
            r#"{{"src":"{DEVICE}","dst":"{topic}","method":"NotifyStatus","params":{{"ts":{at}.00,"em:0":{{"id":0,"total_act_power":{watts}}}}}}}"#
        );
        publisher.send(&topic, payload).await;
        let sent = n as u64 + 1;
        if sent.is_multiple_of(WINDOW / 2) {
            wait::until("the home keeps up", Duration::from_secs(60), || async {
                (accepted().await + WINDOW / 2 >= sent).then_some(())
            })
            .await;
        }
    }
    wait::until("all was understood", Duration::from_secs(60), || async {
        (accepted().await == rows.len() as u64).then_some(())
    })
    .await;
    let took = started.elapsed();
    println!(
        "{} readings in {:.1} s: {:.0} a second",
        rows.len(),
        took.as_secs_f64(),
        rows.len() as f64 / took.as_secs_f64()
    );
    home.close().await;

    // Whole.
    let database = stored::find_database(&home_folder);
    let kept = stored::readings(&database);
    assert_eq!(kept.len(), rows.len());
    for (kept, (at, watts)) in kept.iter().zip(&rows) {
        assert_eq!((kept.at.0, kept.value), (at * 1000, f64::from(*watts)));
    }
    stored::assert_rollups_agree(&database);
    let bytes: u64 = stored::size(&home_folder);
    println!("{:.1} bytes a reading, {} MB in all", bytes as f64 / rows.len() as f64, bytes >> 20);

    // Right, by day and by month, as the page gets it from a hub opened on that home.
    let mut hub = Hub::start(folder.path(), &["--discovery", "off"]);
    let (mut days_seen, mut worst, mut most_off) = (0, 0, 0);
    for (&(y, m), &month_mws) in &months {
        let call = GetHistory {
            resolution: HistoryPeriod::Month,
            anchor: date(y, m, 1),
            compare: Compare::Previous,
            meter: None,
        };
        let asked = Instant::now();
        let history = hub.call(call).await;
        worst = worst.max(asked.elapsed().as_millis());
        for bar in &history.bars {
            let day = bar.span.start.to_jiff().unwrap().to_zoned(zone.clone()).date();
            let expected = expected.get(&day).copied().unwrap_or(0);
            let off = off_by(bar.totals.used, expected);
            assert!(off.abs() < HALF_MWH, "{day}: {off} µWh off");
            most_off = most_off.max(off.abs());
            days_seen += usize::from(expected > 0);
        }
        let off = off_by(history.total.used, month_mws);
        assert!(off.abs() < HALF_MWH, "{y}-{m}: {off} µWh off");
        most_off = most_off.max(off.abs());
    }
    assert_eq!(days_seen, expected.values().filter(|e| **e > 0).count());
    println!(
        "{days_seen} days and {} months agree, the worst within {most_off} µWh; slowest month {worst} ms",
        months.len()
    );

    // The budget broke on the right day.
    let alerts = hub.call(ListAlerts { unacknowledged_only: false }).await;
    let alert = alerts
        .iter()
        .find(|a| {
            let start = a.period.start.to_jiff().unwrap().to_zoned(zone.clone()).date();
            a.budget == budget.id && (start.year(), start.month()) == (year, month)
        })
        .unwrap_or_else(|| panic!("{year}-{month} broke the budget: {alerts:?}"));
    assert_eq!(alert.cause, Cause::Threshold { percent: 100 });
    // crossed at the end of an interval, which is midnight for the day's last one
    let crossed = alert.crossed_at.plus_ms(-1).to_jiff().unwrap().to_zoned(zone.clone()).date();
    assert_eq!(crossed, breaks_on);
    let broken: Vec<_> = months.iter().filter(|(_, e)| **e >= limit_mws).collect();
    assert_eq!(alerts.iter().filter(|a| a.budget == budget.id).count(), broken.len(), "{alerts:?}");

    pictures_of_history(&hub, "mains", date(2015, 6, 15)).await.unwrap();
    hub.program.terminate(Duration::from_secs(10));
    if std::env::var_os("CI").is_none() && !hearthwatt_tests::browser::available() {
        pass_over("there is no browser for the pictures");
    }
}
