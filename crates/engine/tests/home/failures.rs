//! Disks, clocks and second programs.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_program_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap();
    let error = Home::open(options(dir.path(), TestClock::at(START), None)).await.err().unwrap();
    assert!(error.is_locked(), "{error}");
    home.close().await;
    Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_none_is_said_to_be_damaged() {
    let dir = tempfile::tempdir().unwrap();
    Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap().close().await;
    std::fs::write(dir.path().join("home.sqlite"), [b'x'; 65_536]).unwrap();
    let error = Home::open(options(dir.path(), TestClock::at(START), None)).await.err().unwrap();
    assert!(error.is_corrupt(), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_and_live_values_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let broker = own_broker();
    let port = broker.address().port();
    let mut opening = options(dir.path(), TestClock::at(START), Some(port));
    opening.auto_adopt = true;
    // room for the tables and not much else
    opening.max_pages = Some(80);
    let home = Home::open(opening).await.unwrap();
    let mut events = home.events();
    connected(&home).await;
    let publisher = Publisher::new(port);
    listening(&home, &publisher).await;
    let mut n = 0;
    let told = loop {
        n += 1;
        for i in 0..100 {
            publisher.tasmota(&format!("plug{}", i % 20), f64::from(i), f64::from(n)).await;
        }
        let notices = home.GetHealth(GetHealth {}).await.unwrap();
        if let Some(full) = notices.iter().find(|x| x.code == NoticeCode::DiskFull) {
            break full.clone();
        }
        assert!(n < 2_000, "never full");
        let _ = timeout(Duration::from_millis(20), events.recv()).await;
    };
    assert_eq!(told.severity, Severity::Error);
    publisher.tasmota("plug1", 1_234.0, 9_999.0).await;
    event(&mut events, "live value", |e| match e {
        Event::Live(l) => l.meters.iter().any(|v| v.power.watts() == 1_234.0).then_some(()),
        _ => None,
    })
    .await;
    home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(START);
    let home = Home::open(options(dir.path(), clock.clone(), None)).await.unwrap();
    clock.push(3_600_000);
    let jumped = until(&home, "notice", || async {
        home.GetHealth(GetHealth {}).await.unwrap().into_iter().find(|n| n.code == NoticeCode::ClockJumped)
    })
    .await;
    assert!(jumped.message.contains("60 minutes ahead"), "{}", jumped.message);
    home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_disk_does_not_take_waits_and_is_stored_when_it_does() {
    let dir = tempfile::tempdir().unwrap();
    let broker = own_broker();
    let port = broker.address().port();
    let clock = TestClock::at(START);
    let mut opening = options(dir.path(), clock.clone(), Some(port));
    opening.auto_adopt = true;
    let home = Home::open(opening).await.unwrap();
    connected(&home).await;
    let publisher = Publisher::new(port);
    listening(&home, &publisher).await;
    publisher.tasmota("plug", 100.0, 10.0).await;
    let id = found(&home, "plug").await.meter.id;
    until(&home, "first reading", || async {
        home.ListMeters(ListMeters {}).await.unwrap().adopted.first().map(|_| ())
    })
    .await;

    // somebody else holds the database, as a backup program may
    let other = rusqlite::Connection::open(dir.path().join("home.sqlite")).unwrap();
    other.busy_timeout(PATIENCE).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for n in 1..=5 {
        clock.push(60_000);
        publisher.tasmota("plug", 100.0, 10.0 + f64::from(n) / 10.0).await;
    }
    until(&home, "notice", || async {
        home.GetHealth(GetHealth {}).await.unwrap().into_iter().find(|n| n.severity == Severity::Error)
    })
    .await;
    assert!(home.GetOverview(GetOverview {}).await.is_ok(), "reading goes on");
    other.execute_batch("ROLLBACK").unwrap();

    until(&home, "all of it", || async {
        let used = history(&home, HistoryPeriod::Day, Some(id)).await.total.used;
        (used == hearthwatt_domain::units::Energy::from_kwh(0.5)).then_some(())
    })
    .await;
    let notices = home.GetHealth(GetHealth {}).await.unwrap();
    assert!(notices.iter().all(|n| n.severity != Severity::Error), "{notices:?}");
    home.close().await;
}
