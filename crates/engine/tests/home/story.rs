//! From a payload on the wire to an alert, and over a restart.

use super::*;
use hearthwatt_domain::budget::{Amount, Budget, Period, Scope};
use hearthwatt_domain::ids::BudgetId;
use hearthwatt_domain::units::{Energy, Power};
use hearthwatt_domain::usage::Quality;

fn budget(limit_kwh: f64) -> Budget {
    Budget {
        id: BudgetId::derive(&["b"]),
        name: "March".into(),
        scope: Scope::Home,
        limit: Amount::Energy(Energy::from_kwh(limit_kwh)),
        period: Period::Month,
        thresholds: vec![50, 100],
        warn_on_forecast: false,
        created: START,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plug_is_found_adopted_stored_judged_and_still_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(START);
    let broker = own_broker();
    let port = broker.address().port();
    let home = Home::open(options(dir.path(), clock.clone(), Some(port))).await.unwrap();
    let mut events = home.events();
    connected(&home).await;
    let publisher = Publisher::new(port);

    // found
    publisher.tasmota("fridge", 90.0, 100.0).await;
    let view = found(&home, "fridge").await;
    assert_eq!((view.meter.adoption, view.power), (Adoption::Found, Some(Power::from_watts(90.0))));
    assert_eq!(home.GetOverview(GetOverview {}).await.unwrap().found_meters, 1);

    // adopted: what it said before is stored
    let list = home.AdoptMeters(AdoptMeters { ids: vec![] }).await.unwrap();
    let id = list.adopted[0].meter.id;
    assert!(list.found.is_empty());

    // a shelly beside it, of another family
    publisher.publish("shellies/shellyplug-s-0AFF01/relay/0/power", "61.2").await;
    found(&home, "shellyplug-s-0AFF01").await;

    // a budget, and usage that passes half of it
    let status = home.SaveBudget(SaveBudget { budget: budget(1.0) }).await.unwrap();
    assert_eq!(status.crossed, Vec::<u16>::new());
    clock.push(60_000);
    publisher.tasmota("fridge", 95.0, 100.6).await;
    let live = event(&mut events, "live value", |e| match e {
        Event::Live(live) => {
            live.meters.iter().find(|v| v.power == Power::from_watts(95.0)).map(|_| live.clone())
        }
        _ => None,
    });
    assert_eq!(live.await.flow.home, Some(Power::from_watts(95.0)));
    let alert = event(&mut events, "alert", |e| match e {
        Event::AlertRaised { alert } => Some(alert.clone()),
        _ => None,
    })
    .await;
    assert_eq!(alert.cause, hearthwatt_domain::alert::Cause::Threshold { percent: 50 });
    let alerts = home.ListAlerts(ListAlerts { unacknowledged_only: true }).await.unwrap();
    assert_eq!(alerts, vec![alert.clone()]);
    let acknowledged = home.AcknowledgeAlert(AcknowledgeAlert { id: alert.id }).await.unwrap();
    assert!(acknowledged.acknowledged_at.is_some());
    let day = history(&home, HistoryPeriod::Day, Some(id)).await;
    assert_eq!(day.total.used, Energy::from_kwh(0.6));
    home.close().await;

    // all of it is there again, and the alert is not raised a second time
    let home = Home::open(options(dir.path(), clock.clone(), Some(port))).await.unwrap();
    let mut events = home.events();
    let list = home.ListMeters(ListMeters {}).await.unwrap();
    assert_eq!(list.adopted[0].meter.name, "fridge");
    assert_eq!(list.adopted[0].used_today, Energy::from_kwh(0.6));
    assert_eq!(home.ListAlerts(ListAlerts { unacknowledged_only: false }).await.unwrap(), vec![acknowledged]);
    connected(&home).await;
    clock.push(60_000);
    publisher.tasmota("fridge", 95.0, 101.1).await;
    let second = event(&mut events, "second alert", |e| match e {
        Event::AlertRaised { alert } => Some(alert.clone()),
        _ => None,
    })
    .await;
    assert_eq!(second.cause, hearthwatt_domain::alert::Cause::Threshold { percent: 100 });
    assert_eq!(home.GetOverview(GetOverview {}).await.unwrap().month.unwrap().crossed, vec![50, 100]);
    home.close().await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_dies_and_returns_leaves_a_marked_gap_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(START);
    let broker = own_broker();
    let address = broker.address();
    let mut opening = options(dir.path(), clock.clone(), Some(address.port()));
    opening.auto_adopt = true;
    let home = Home::open(opening).await.unwrap();
    connected(&home).await;
    let publisher = Publisher::new(address.port());
    publisher.tasmota("plug", 100.0, 10.0).await;
    let id = found(&home, "plug").await.meter.id;

    broker.stop().await;
    let notices = until(&home, "notice", || async {
        let notices = home.GetHealth(GetHealth {}).await.unwrap();
        notices.iter().any(|n| n.code == NoticeCode::BrokerUnreachable).then_some(notices)
    })
    .await;
    assert_eq!(notices[0].broker, Some(broker_id()));
    assert!(notices[0].message.contains("Readings are missing since 14:0"), "{}", notices[0].message);
    let offline = home.ListMeters(ListMeters {}).await.unwrap().adopted[0].health;
    assert_eq!(offline, MeterHealth::Offline);

    clock.push(2 * 3_600_000);
    let broker = broker::start(BrokerOptions { listen: address, ..BrokerOptions::loopback() }).unwrap();
    until(&home, "end of the notice", || async {
        home.GetHealth(GetHealth {})
            .await
            .unwrap()
            .iter()
            .all(|n| n.code != NoticeCode::BrokerUnreachable)
            .then_some(())
    })
    .await;
    publisher.tasmota("plug", 100.0, 10.2).await;
    let day = until(&home, "energy over the gap", || async {
        let day = history(&home, HistoryPeriod::Day, Some(id)).await;
        (!day.total.used.is_zero()).then_some(day)
    })
    .await;
    assert_eq!(day.total.used, Energy::from_kwh(0.2));
    let bar = &day.bars[15];
    assert_eq!(bar.quality, Quality::Recovered, "spread over the gap, and said so");
    assert!(bar.not_measured_energy > Energy::ZERO);
    home.close().await;
    broker.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retained_message_is_found_but_never_stored_as_now() {
    let dir = tempfile::tempdir().unwrap();
    let broker = own_broker();
    let port = broker.address().port();
    let publisher = Publisher::new(port);
    publisher
        .retain("tele/old/SENSOR", r#"{"Time":"2020-01-01T00:00:00","ENERGY":{"Total":5,"Power":77}}"#)
        .await;
    let mut opening = options(dir.path(), TestClock::at(START), Some(port));
    opening.auto_adopt = true;
    let home = Home::open(opening).await.unwrap();
    let view = found(&home, "old").await;
    assert_eq!((view.meter.adoption, view.power, view.last_seen), (Adoption::Found, None, None));
    home.close().await;
}

/// Stamps by what the message says: a replay of the past.
struct Replay;

impl Clock for Replay {
    fn now(&self) -> UnixMillis {
        START.plus_ms(10 * 86_400_000)
    }
    fn received(&self, arrival: &Arrival<'_>) -> UnixMillis {
        let text = std::str::from_utf8(arrival.payload).unwrap_or_default();
        let second =
            text.split("\"n\":").nth(1).and_then(|t| t.split(['}', ',']).next()?.parse::<i64>().ok());
        START.plus_ms(second.unwrap_or(0) * 1_000)
    }
    fn is_wall(&self) -> bool {
        false
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_stored_whole_under_its_own_times() {
    const MESSAGES: i64 = 5_000;
    let dir = tempfile::tempdir().unwrap();
    let broker = own_broker();
    let port = broker.address().port();
    let mut opening = options(dir.path(), TestClock::at(START), Some(port));
    opening.clock = Arc::new(Replay);
    opening.auto_adopt = true;
    let home = Home::open(opening).await.unwrap();
    connected(&home).await;
    let publisher = Publisher::new(port);
    for n in 0..=MESSAGES {
        let payload =
            format!(r#"{{"ENERGY":{{"Total":{:.3},"Power":3600}},"n":{n}}}"#, 1.0 + n as f64 / 1_000.0);
        publisher.publish("tele/main/SENSOR", payload).await;
    }
    let id = found(&home, "main").await.meter.id;
    let day = until(&home, "all readings", || async {
        let day = history(&home, HistoryPeriod::Day, Some(id)).await;
        (day.total.used >= Energy::from_kwh(5.0)).then_some(day)
    })
    .await;
    assert_eq!(day.total.used, Energy::from_kwh(5.0));
    // 14:02 to 15:25: a watt-hour a second
    assert_eq!(day.bars[14].totals.used, Energy::from_wh(3_480.0));
    let brokers = home.ListBrokers(ListBrokers {}).await.unwrap();
    assert_eq!(brokers[0].lost, 0);
    home.close().await;
}
