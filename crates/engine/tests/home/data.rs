//! The data as a whole: seconds that go, everything out and back.

use super::*;
use hearthwatt_domain::units::Energy;
use hearthwatt_engine::{Preset, prepare_import, put_in_place};

const DAY_MS: i64 = 86_400_000;

async fn furnished(folder: &Path, clock: Arc<TestClock>) -> (Home, MeterId) {
    let home = Home::open(options(folder, clock, None)).await.unwrap();
    let grid = meter("grid", Role::Grid);
    home.configure(Preset { meters: vec![grid.clone()], ..Preset::default() }).await.unwrap();
    // forty days by the minute, until now
    let from = START.plus_ms(-40 * DAY_MS);
    home.import(register(grid.id, from, 60_000, 40 * 24 * 60, 10.0)).await.unwrap();
    (home, grid.id)
}

async fn used(home: &Home) -> Vec<Energy> {
    let ask =
        |anchor| GetHistory { resolution: HistoryPeriod::Month, anchor, compare: Compare::None, meter: None };
    let mut all = Vec::new();
    for month in [1, 2, 3] {
        let shown = home.GetHistory(ask(jiff::civil::date(2026, month, 1))).await.unwrap();
        all.extend(shown.bars.iter().map(|b| b.totals.used));
    }
    all
}

fn lines(text: &[u8], kind: &str) -> usize {
    let start = format!("{{\"{kind}\"");
    text.split(|b| *b == b'\n').filter(|l| l.starts_with(start.as_bytes())).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn seconds_go_when_the_household_says_so_and_history_stays() {
    let dir = tempfile::tempdir().unwrap();
    let clock = TestClock::at(START);
    let (home, _) = furnished(dir.path(), clock.clone()).await;
    let before = used(&home).await;
    let view = home.GetData(GetData {}).await.unwrap();
    assert_eq!((view.keep_days, view.readings_since), (None, None));
    assert!(view.database_bytes > 100_000, "{view:?}");
    let refused = home.SetRetention(SetRetention { keep_days: Some(1) }).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Invalid);

    home.SetRetention(SetRetention { keep_days: Some(10) }).await.unwrap();
    let view = until(&home, "old readings gone", || async {
        let view = home.GetData(GetData {}).await.unwrap();
        (view.readings_since.is_some() && view.free_bytes > 100_000).then_some(view)
    })
    .await;
    assert_eq!(view.keep_days, Some(10));
    let since = view.readings_since.unwrap();
    assert!((0..DAY_MS).contains(&START.plus_ms(-10 * DAY_MS).since(since)), "{since:?}");
    assert_eq!(used(&home).await, before, "usage by quarter hours is as it was");

    // it is remembered, and taking it back brings nothing back
    home.close().await;
    let home = Home::open(options(dir.path(), clock, None)).await.unwrap();
    let view = home.SetRetention(SetRetention { keep_days: None }).await.unwrap();
    assert_eq!((view.keep_days, view.readings_since), (None, Some(since)));
    home.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_out_and_comes_back_the_same() {
    let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (home, _) = furnished(here.path(), TestClock::at(START)).await;
    let before = used(&home).await;
    let export = home.export().await.unwrap();
    let (count, text) = tokio::task::spawn_blocking(move || {
        let mut text = Vec::new();
        (export.write(&mut text).unwrap(), text)
    })
    .await
    .unwrap();
    assert_eq!((count, lines(&text, "r")), (40 * 24 * 60 + 1, 40 * 24 * 60 + 1));
    assert_eq!(lines(&text, "end"), 1);

    // a home that is open is not replaced under its feet
    let file = there.path().join("file");
    std::fs::write(&file, &text).unwrap();
    let database = prepare_import(&file, &there.path().join("building")).unwrap();
    assert_eq!(put_in_place(here.path(), &database).unwrap_err().code, ErrorCode::Storage);
    home.close().await;

    let folder = there.path().join("home");
    std::fs::create_dir(&folder).unwrap();
    assert_eq!(put_in_place(&folder, &database).unwrap(), None);
    let home = Home::open(options(&folder, TestClock::at(START), None)).await.unwrap();
    assert_eq!(used(&home).await, before);
    assert_eq!(home.ListMeters(ListMeters {}).await.unwrap().adopted.len(), 1);
    home.close().await;
}
