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
async fn a_database_that_is_none_is_set_aside_and_said() {
    let dir = tempfile::tempdir().unwrap();
    Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap().close().await;
    std::fs::write(dir.path().join("home.sqlite"), [b'x'; 65_536]).unwrap();
    let home = Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap();
    let notices = home.GetHealth(GetHealth {}).await.unwrap();
    let rebuilt = notices.iter().find(|n| n.code == NoticeCode::DatabaseRebuilt).unwrap();
    assert!(rebuilt.message.contains("home.damaged-1.sqlite"), "{}", rebuilt.message);
    // what was there is kept, byte for byte
    assert_eq!(std::fs::read(dir.path().join("home.damaged-1.sqlite")).unwrap(), [b'x'; 65_536]);
    home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_found_while_running_is_mended_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let open = async || Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap();
    let home = open().await;
    let grid = meter("grid", Role::Grid);
    home.configure(hearthwatt_engine::Preset { meters: vec![grid.clone()], ..Default::default() })
        .await
        .unwrap();
    let from = START.plus_ms(-20 * 86_400_000);
    home.import(register(grid.id, from, 60_000, 20 * 24 * 60, 10.0)).await.unwrap();
    home.close().await;

    // the second half of the file goes bad while the home is open and has not read it yet
    let home = open().await;
    let path = dir.path().join("home.sqlite");
    let mut bytes = std::fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0xa5);
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    std::io::Write::write_all(&mut &file, &bytes).unwrap();
    let export = home.export().await.unwrap();
    let read = tokio::task::spawn_blocking(move || export.write(std::io::sink())).await.unwrap();
    assert_eq!(read.unwrap_err().code, ErrorCode::Storage, "it is found");
    home.close().await;

    let home = open().await;
    let notices = home.GetHealth(GetHealth {}).await.unwrap();
    assert!(notices.iter().any(|n| n.code == NoticeCode::DatabaseRebuilt), "{notices:?}");
    assert_eq!(home.ListMeters(ListMeters {}).await.unwrap().adopted.len(), 1);
    home.close().await;
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
