//! The home document behind the store: it and what is read from it agree, whatever comes between.

use crate::*;
use hearthwatt_domain::budget::{Amount, Budget, Period, Scope};
use hearthwatt_domain::ids::BudgetId;
use hearthwatt_domain::units::Energy;
use hearthwatt_engine::Preset;
use hearthwatt_store::{Store, StoreOptions};
use hearthwatt_sync::doc::{Actor, HomeDoc};
use std::process::{Command, Stdio};

/// Edits after which the document is written anew as a whole, and some.
const MANY: i64 = 600;

pub fn budget(n: i64) -> Budget {
    Budget {
        id: BudgetId::derive(&["document", &(n % 7).to_string()]),
        name: format!("Budget {n}"),
        scope: Scope::Home,
        limit: Amount::Energy(Energy::from_kwh(10.0 + n as f64)),
        period: Period::Month,
        thresholds: vec![80, 100],
        warn_on_forecast: true,
        created: START,
    }
}

pub fn meter(name: &str) -> Meter {
    let key = MeterKey { family: "tasmota".into(), device_id: name.into(), group: String::new() };
    Meter {
        id: key.id(),
        key,
        adoption: Adoption::Adopted,
        name: name.into(),
        room: String::new(),
        role: Role::Grid,
        parent: None,
        inverted: false,
        manufacturer: String::new(),
        model: String::new(),
    }
}

/// The document in a closed home, and how many changes lie beside its snapshot.
pub fn stored(folder: &Path) -> (HomeDoc, usize) {
    let (store, _) = Store::open(folder, StoreOptions::default()).unwrap();
    let bytes = store.reader().unwrap().shared("home").unwrap();
    let loose = bytes.changes.len();
    let all: Vec<u8> =
        bytes.snapshot.into_iter().flatten().chain(bytes.changes.into_iter().flatten()).collect();
    (HomeDoc::load(&all, Actor::from([9; 16])).unwrap(), loose)
}

/// The document says what the stored documents say, of every kind.
fn agree(folder: &Path) -> (usize, usize) {
    let doc = stored(folder).0;
    let (store, _) = Store::open(folder, StoreOptions::default()).unwrap();
    let reader = store.reader().unwrap();
    let read = |kind: &str| -> Vec<serde_json::Value> {
        reader.documents(kind).unwrap().into_iter().map(|d| d.json).collect()
    };
    let json = |v: &dyn erased::Json| v.json();
    let budgets: Vec<_> = doc.budgets().items.iter().map(|b| json(b)).collect();
    let meters: Vec<_> = doc.meters().items.iter().map(|m| json(m)).collect();
    assert_eq!(read("budget"), budgets);
    assert_eq!(read("meter"), meters);
    assert_eq!(read("alert"), doc.alerts().items.iter().map(|a| json(a)).collect::<Vec<_>>());
    let settings: Settings = reader.document("settings", "home").unwrap().unwrap().parse().unwrap();
    let profile = doc.profile();
    assert_eq!(profile.time_zone.as_deref(), Some(settings.time_zone.as_str()));
    assert_eq!(profile.bill_day, Some(settings.bill_day));
    (budgets.len(), meters.len())
}

mod erased {
    pub trait Json {
        fn json(&self) -> serde_json::Value;
    }
    impl<T: serde::Serialize> Json for T {
        fn json(&self) -> serde_json::Value {
            serde_json::to_value(self).unwrap()
        }
    }
}

#[tokio::test]
async fn a_home_of_an_earlier_program_gets_its_document_once() {
    let dir = tempfile::tempdir().unwrap();
    {
        let (mut store, _) = Store::open(dir.path(), StoreOptions::default()).unwrap();
        let put = |store: &mut Store, kind: &str, id: String, json: serde_json::Value| {
            store.put_document(kind, &id, &json).unwrap();
        };
        put(&mut store, "budget", budget(1).id.to_string(), serde_json::to_value(budget(1)).unwrap());
        put(&mut store, "meter", meter("grid").id.to_string(), serde_json::to_value(meter("grid")).unwrap());
        store.close().unwrap();
    }
    for _ in 0..2 {
        let home = Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap();
        assert_eq!(home.ListBudgets(ListBudgets {}).await.unwrap()[0].budget, budget(1));
        home.close().await;
        assert_eq!(agree(dir.path()), (1, 1));
        assert_eq!(stored(dir.path()).1, 0, "made once, as a whole");
    }
    let doc = stored(dir.path()).0;
    assert_eq!(doc.primaries().len(), 1, "who adopted it first records it");
}

#[tokio::test]
async fn every_edit_is_in_the_document_and_many_are_compacted() {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap();
    home.configure(Preset { meters: vec![meter("grid")], ..Preset::default() }).await.unwrap();
    for n in 0..MANY {
        home.SaveBudget(SaveBudget { budget: budget(n) }).await.unwrap();
    }
    home.DeleteBudget(DeleteBudget { id: budget(3).id }).await.unwrap();
    let mut settings = home.GetSettings(GetSettings {}).await.unwrap();
    (settings.bill_day, settings.notifications) = (15, false);
    home.SaveSettings(SaveSettings { settings }).await.unwrap();
    home.close().await;
    assert_eq!(agree(dir.path()), (6, 1));
    let (doc, loose) = stored(dir.path());
    assert!(loose < MANY as usize, "{loose} changes beside the snapshot");
    assert_eq!(doc.profile().bill_day, Some(15));
    // and all of it is there again
    let home = Home::open(options(dir.path(), TestClock::at(START), None)).await.unwrap();
    assert_eq!(home.ListBudgets(ListBudgets {}).await.unwrap().len(), 6);
    assert!(!home.GetSettings(GetSettings {}).await.unwrap().notifications);
    home.close().await;
}

#[tokio::test]
async fn a_disk_that_takes_nothing_leaves_document_and_home_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let mut full = options(dir.path(), TestClock::at(START), None);
    Home::open(full.clone()).await.unwrap().close().await;
    let pages = std::fs::metadata(dir.path().join("home.sqlite")).unwrap().len() / 4096;
    // room for some edits
    full.max_pages = Some(pages as u32 + 8);
    let home = Home::open(full).await.unwrap();
    let mut stored_ok = 0;
    let mut refused = 0;
    for n in 0..400 {
        let mut budget = budget(n);
        budget.id = BudgetId::derive(&["full", &(n % 90).to_string()]);
        budget.name = format!("{n:04}").repeat(45);
        match home.SaveBudget(SaveBudget { budget }).await {
            Ok(_) => stored_ok += 1,
            Err(e) => {
                assert_eq!(e.code, ErrorCode::Storage, "{e}");
                refused += 1;
            }
        }
    }
    assert!(stored_ok > 0 && refused > 0, "{stored_ok} stored, {refused} refused");
    let shown = home.ListBudgets(ListBudgets {}).await.unwrap().len();
    home.close().await;
    assert_eq!(agree(dir.path()).0, shown);
}

/// Not a test by itself: edits until it is killed.
#[tokio::test(flavor = "multi_thread")]
async fn child_edits() {
    let Ok(folder) = std::env::var("HEARTHWATT_TEST_EDITS") else { return };
    let home = Home::open(options(Path::new(&folder), TestClock::at(START), None)).await.unwrap();
    let mut n = std::process::id() as i64;
    loop {
        home.SaveBudget(SaveBudget { budget: budget(n) }).await.unwrap();
        if n % 5 == 0 {
            home.DeleteBudget(DeleteBudget { id: budget(n).id }).await.unwrap();
        }
        home.configure(Preset { meters: vec![meter(&format!("m{}", n % 9))], ..Preset::default() })
            .await
            .unwrap();
        println!("edited");
        n += 1;
    }
}

#[test]
fn killed_at_any_moment_document_and_projection_agree() {
    use std::io::{BufRead, BufReader};
    let dir = tempfile::tempdir().unwrap();
    let mut pause_us = 1_000;
    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["document::child_edits", "--exact", "--nocapture"])
            .env("HEARTHWATT_TEST_EDITS", dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let edited =
            (&mut lines).map_while(Result::ok).filter(|l| l.contains("edited")).take(3 + round).count();
        assert!(edited > 0, "the child edits");
        std::thread::sleep(Duration::from_micros(pause_us));
        pause_us = pause_us * 7 % 20_011;
        child.kill().unwrap();
        child.wait().unwrap();
        let (_, meters) = agree(dir.path());
        assert!(meters > 0);
    }
}
