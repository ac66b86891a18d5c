//! Usage of other recorders beside our own: one rules a day, and nothing is counted twice.

use super::*;
use hearthwatt_domain::time::INTERVAL_MS;
use jiff::civil::{Date, date};
use uuid::Uuid;

const DAY_MS: i64 = 86_400_000;
const OURS: Uuid = Uuid::from_u128(1);
const THEIRS: Uuid = Uuid::from_u128(2);
/// 2024-04-02, a UTC day after the change of the clock.
const DAY: Date = date(2024, 4, 2);

/// Bytes are the rows; the primary recorder first, then the revision, then the hash.
struct Plain {
    primary: Option<Uuid>,
}

impl BlockRules for Plain {
    fn ruling(&self, _: MeterId, _: Date, candidates: &[Candidate]) -> Option<usize> {
        (0..candidates.len()).max_by_key(|i| {
            let c = candidates[*i];
            let recorder = c.recorder.unwrap_or(OURS);
            (Some(recorder) == self.primary, c.revision, c.hash)
        })
    }
    fn rows(&self, bytes: &[u8]) -> Vec<IntervalUsage> {
        serde_json::from_slice(bytes).unwrap()
    }
}

const NOBODY: Plain = Plain { primary: None };

fn start(day: Date) -> UnixMillis {
    day.to_zoned(TimeZone::UTC).unwrap().timestamp().into()
}

fn row(day: Date, quarter: i64, wh: f64) -> IntervalUsage {
    let mut row = IntervalUsage::empty(start(day).plus_ms(quarter * INTERVAL_MS));
    (row.import, row.covered_ms) = (Energy::from_wh(wh), INTERVAL_MS as u32);
    row
}

fn block(recorder: Uuid, revision: u64, rows: &[IntervalUsage]) -> StoredBlock {
    StoredBlock {
        recorder,
        meter: meter(0),
        day: DAY,
        revision,
        hash: [revision as u8; 32],
        withdrawn: rows.is_empty(),
        bytes: serde_json::to_vec(rows).unwrap(),
    }
}

/// A register that rises by 1 kWh an hour from the start of `DAY`, every five minutes.
fn own(store: &mut Store, hours: i64) {
    let readings: Vec<Reading> = (0..=hours * 12)
        .map(|i| Reading {
            meter: meter(0),
            channel: Channel::TOTAL,
            quantity: Quantity::EnergyImport,
            at: start(DAY).plus_ms(i * 300_000),
            value: 1000.0 * i as f64 / 12.0,
        })
        .collect();
    store.append(&readings).unwrap();
}

fn wh(store: &Store) -> (f64, f64) {
    let reader = store.reader().unwrap();
    let whole = Span::new(start(DAY).plus_ms(-DAY_MS), start(DAY).plus_ms(2 * DAY_MS));
    let rows = reader.usage(meter(0), whole).unwrap();
    assert!(rows.windows(2).all(|w| w[0].start < w[1].start), "each interval once");
    let days = reader.usage_days(meter(0), date(2024, 4, 1), date(2024, 4, 4)).unwrap();
    let sum = |all: &[Energy]| all.iter().map(|e| e.0).sum::<i64>() as f64 / 1e6;
    let of_rows = sum(&rows.iter().map(|r| r.import).collect::<Vec<_>>());
    let of_days = sum(&days.iter().map(|d| d.import).collect::<Vec<_>>());
    (of_rows, of_days)
}

#[test]
fn a_day_is_of_one_recorder_whatever_comes_and_goes() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let all: Vec<_> = (0..96).map(|q| row(DAY, q, 10.0)).collect();
    // recorded elsewhere alone
    let changed = store.put_blocks(&[block(THEIRS, 1, &all)], 7, OURS, &NOBODY).unwrap();
    assert_eq!(changed, [(meter(0), Span::new(start(DAY), start(DAY).plus_ms(DAY_MS)))]);
    assert_eq!((wh(&store), store.reader().unwrap().blocks_after().unwrap()), ((960.0, 960.0), 7));
    assert!(store.reader().unwrap().intervals(meter(0), ALL).unwrap().is_empty(), "not among our own");
    let ends = store.reader().unwrap().usage_ends(meter(0)).unwrap().unwrap();
    assert_eq!((ends.0, ends.1), (start(DAY), start(DAY).plus_ms(DAY_MS - 1)));
    // an older revision again changes nothing, and neither does the same one
    for revision in [1, 0] {
        assert!(
            store.put_blocks(&[block(THEIRS, revision, &all[..4])], 8, OURS, &NOBODY).unwrap().is_empty()
        );
    }
    // a corrected one takes its place
    store.put_blocks(&[block(THEIRS, 2, &all[..48])], 9, OURS, &NOBODY).unwrap();
    assert_eq!(wh(&store), (480.0, 480.0));
    // what we hear of the time after its last row counts, what we heard before does not
    own(&mut store, 24);
    assert_eq!(wh(&store), (480.0 + 12_000.0, 480.0 + 12_000.0));
    // our own rows rule once we are the primary recorder
    let us = Plain { primary: Some(OURS) };
    assert_eq!(store.rule_again(meter(0), &us).unwrap().len(), 1);
    assert_eq!(wh(&store), (24_000.0, 24_000.0));
    assert!(store.rule_again(meter(0), &us).unwrap().is_empty());
    store.rule_again(meter(0), &Plain { primary: Some(THEIRS) }).unwrap();
    // taken back: what is left is ours
    store.put_blocks(&[block(THEIRS, 3, &[])], 10, OURS, &Plain { primary: Some(THEIRS) }).unwrap();
    assert_eq!(wh(&store), (24_000.0, 24_000.0));
}

#[test]
fn other_recorders_days_are_the_homes_and_follow_its_zone() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let all: Vec<_> = (0..96).map(|q| row(DAY, q, 10.0)).collect();
    store.put_blocks(&[block(THEIRS, 1, &all)], 1, OURS, &NOBODY).unwrap();
    let days = |store: &Store| -> Vec<(Date, i64)> {
        let days = store.reader().unwrap().usage_days(meter(0), date(2024, 4, 1), date(2024, 4, 4)).unwrap();
        days.iter().map(|d| (d.date, d.import.0 / 1_000_000)).collect()
    };
    // the UTC day begins at two in Berlin and ends at two
    assert_eq!(days(&store), [(DAY, 880), (date(2024, 4, 3), 80)]);
    store.set_zone(&TimeZone::UTC).unwrap();
    assert_eq!(days(&store), [(DAY, 960)]);
    store.set_zone(&TimeZone::get("America/New_York").unwrap()).unwrap();
    assert_eq!(days(&store), [(date(2024, 4, 1), 160), (DAY, 800)]);
}

#[test]
fn own_days_are_published_once_and_again_when_they_change() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    own(&mut store, 2);
    assert!(store.reader().unwrap().days_to_publish(10).unwrap().is_empty(), "not shared yet");
    store.note_days(true, true).unwrap();
    let due = |store: &Store| store.reader().unwrap().days_to_publish(10).unwrap();
    assert_eq!(due(&store), [(meter(0), DAY)]);
    let publish = |store: &mut Store, open: bool| {
        let mut seen = (0, None);
        store
            .publish_day(meter(0), DAY, OURS, &NOBODY, |rows, last| {
                seen = (rows.len(), last.map(|l| l.revision));
                let revision = last.map_or(1, |l| l.revision + 1);
                Publish { block: Some(block(OURS, revision, rows)), open }
            })
            .unwrap();
        seen
    };
    assert_eq!(publish(&mut store, true), (8, None));
    assert_eq!(due(&store), [(meter(0), DAY)], "the day goes on");
    assert_eq!(publish(&mut store, false), (8, Some(1)));
    assert!(due(&store).is_empty());
    // the bytes wait until the server has them
    let waiting = store.reader().unwrap().unsent_blocks(10).unwrap();
    assert_eq!((waiting.len(), store.reader().unwrap().unsent_count().unwrap()), (1, 1));
    store.block_sent(&waiting[0].0).unwrap();
    assert_eq!(store.reader().unwrap().unsent_count().unwrap(), 0);
    // late readings, and over a restart
    store.close().unwrap();
    let mut store = open(dir.path());
    own(&mut store, 3);
    assert_eq!(due(&store), [(meter(0), DAY)]);
    drop(store);
    let mut store = open(dir.path());
    assert_eq!(due(&store), [(meter(0), DAY)]);
    // a store before this one published more under our name: the next revision goes beyond it
    store.put_blocks(&[block(OURS, 9, &[row(DAY, 0, 1.0)])], 1, OURS, &NOBODY).unwrap();
    assert_eq!(publish(&mut store, false), (12, Some(9)));
    assert_eq!(wh(&store).0, 3000.0);
}

#[test]
fn a_shared_document_and_its_projection_are_written_together() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let put = |n: i64| DocumentChange::Put { kind: "k".into(), id: "i".into(), json: serde_json::json!(n) };
    let write = |snapshot: Option<&[u8]>, change: u8| SharedWrite {
        document: "home".into(),
        snapshot: snapshot.map(<[u8]>::to_vec),
        changes: vec![([change; 32], vec![change])],
        documents: vec![put(change.into())],
    };
    for change in [1, 2, 2] {
        store.put_shared(&write(None, change)).unwrap();
    }
    let read = |store: &Store| store.reader().unwrap().shared("home").unwrap();
    assert_eq!(read(&store), SharedBytes { snapshot: None, changes: vec![vec![1], vec![2]] });
    store.refuse_writes(true).unwrap();
    assert!(store.put_shared(&write(Some(b"all"), 3)).is_err());
    store.refuse_writes(false).unwrap();
    assert_eq!(read(&store).changes.len(), 2);
    store.put_shared(&write(Some(b"all"), 3)).unwrap();
    assert_eq!(read(&store), SharedBytes { snapshot: Some(b"all".to_vec()), changes: vec![vec![3]] });
    assert!(store.reader().unwrap().shared("other").unwrap().is_empty());
    let json = store.reader().unwrap().document("k", "i").unwrap().unwrap().json;
    assert_eq!(json, serde_json::json!(3));
}
