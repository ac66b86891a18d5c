//! What is in a home's database, read from a copy beside the running (or killed) program, and
//! whether its rollups agree with its readings.

use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::reading::{Channel, Quantity, Reading};
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::usage::{self, Sample, UsageConfig};
use hearthwatt_store::{Reader, Store, StoreOptions};
use std::cmp::Ordering;
use std::path::{Path, PathBuf};

const ALWAYS: Span = Span::new(UnixMillis(0), UnixMillis(4_000_000_000_000));
const PAGE: usize = 100_000;

#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub meter: MeterId,
    pub channel: Channel,
    pub quantity: Quantity,
    pub at: UnixMillis,
    pub value: f64,
}

/// By meter, channel, quantity, time.
pub fn order(a: &Row, b: &Row) -> Ordering {
    (a.meter, &a.channel, a.quantity, a.at).cmp(&(b.meter, &b.channel, b.quantity, b.at))
}

/// The database below a data folder.
pub fn find_database(folder: &Path) -> PathBuf {
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                pending.push(path);
            } else if path.file_name().is_some_and(|n| n == "home.sqlite") {
                return path;
            }
        }
    }
    panic!("there is no database below {}", folder.display());
}

/// `home.sqlite` -> `home.sqlite-wal`.
pub fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Bytes on disk of database and log.
pub fn size(home_folder: &Path) -> u64 {
    let database = find_database(home_folder);
    [database.clone(), beside(&database, "-wal")].iter().filter_map(|f| Some(f.metadata().ok()?.len())).sum()
}

/// All readings, in [`order`].
pub fn readings(database: &Path) -> Vec<Row> {
    with_copy(database, |reader| {
        let mut rows = Vec::new();
        for meter in reader.meters().expect("the meters are read") {
            let of_meter = all_of(reader, meter);
            rows.extend(of_meter.into_iter().map(|r| Row {
                meter: r.meter,
                channel: r.channel,
                quantity: r.quantity,
                at: r.at,
                value: r.value,
            }));
        }
        rows.sort_by(order);
        rows
    })
}

/// Panics unless every interval of every meter is what its readings give when they are computed
/// from the first to the last at once.
pub fn assert_rollups_agree(database: &Path) {
    with_copy(database, |reader| {
        for meter in reader.meters().expect("the meters are read") {
            let samples: Vec<Sample> = all_of(reader, meter).iter().map(Sample::from).collect();
            let fresh = usage::intervals(&samples, &UsageConfig::default(), &[]);
            let kept = reader.intervals(meter, ALWAYS).expect("the intervals are read");
            assert_eq!(kept.len(), fresh.len(), "{meter}: number of intervals");
            for (kept, fresh) in kept.iter().zip(&fresh) {
                assert_eq!(kept, fresh, "{meter}");
            }
        }
    });
}

fn all_of(reader: &Reader, meter: MeterId) -> Vec<Reading> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let (page, next) = reader.readings(meter, ALWAYS, after, PAGE).expect("the readings are read");
        all.extend(page);
        match next {
            Some(cursor) => after = Some(cursor),
            None => return all,
        }
    }
}

/// Works on a copy, opened as the program would open it after a crash. A running program may write
/// while the copy is made, so a copy that does not open is made again.
fn with_copy<T>(database: &Path, work: impl Fn(&Reader) -> T) -> T {
    let mut failed = None;
    for _ in 0..10 {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let copy = folder.path().join("home.sqlite");
        for suffix in ["", "-wal"] {
            let from = beside(database, suffix);
            if from.exists() {
                std::fs::copy(&from, beside(&copy, suffix)).expect("the database is copied");
            }
        }
        match Store::open(folder.path(), StoreOptions::default()) {
            Ok((store, _)) => return work(&store.reader().expect("a reader")),
            Err(e) => failed = Some(e),
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the copy of the database does not open: {failed:?}");
}
