//! The store as the engine uses it: order, faults, kills, corrections, recovery.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail the test")]

use hearthwatt_domain::correction::{Change, Correction};
use hearthwatt_domain::ids::{CorrectionId, MeterId};
use hearthwatt_domain::reading::{Channel, Quantity, Reading};
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::units::Energy;
use hearthwatt_domain::usage::{self, IntervalUsage, Sample, UsageConfig};
use hearthwatt_store::*;
use jiff::tz::TimeZone;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

mod blocks;
mod copies;
mod faults;
mod minutes;

const T0: i64 = 1_711_800_000_000; // 2024-03-30T12:00Z, the day before a 23-hour day in Berlin
const ALL: Span = Span::new(UnixMillis(T0 - 1_000_000_000), UnixMillis(T0 + 4_000_000_000));

fn berlin() -> StoreOptions {
    StoreOptions { zone: Some(TimeZone::get("Europe/Berlin").unwrap()), max_pages: None }
}
fn open(folder: &Path) -> Store {
    Store::open(folder, berlin()).unwrap().0
}
fn meter(n: usize) -> MeterId {
    MeterId::derive(&["test", &n.to_string()])
}
fn reading(m: usize, quantity: Quantity, s: i64, value: f64) -> Reading {
    Reading { meter: meter(m), channel: Channel::TOTAL, quantity, at: UnixMillis(T0 + s * 1000), value }
}
/// Power of meter 0 (no register), register and power of meter 1; a gap and a reset inside.
fn plan(from: i64, to: i64) -> Vec<Reading> {
    let mut out = Vec::new();
    for s in (from..to).step_by(20).filter(|s| !(20_000..31_000).contains(s)) {
        out.push(reading(0, Quantity::Power, s, ((s * 7919) % 3000) as f64 / 10.0));
        out.push(reading(1, Quantity::Power, s, 500.0 + (s % 700) as f64));
        let wh = if s < 40_000 { 1000.0 + s as f64 / 7.0 } else { (s - 40_000) as f64 / 7.0 };
        out.push(reading(1, Quantity::EnergyImport, s, wh));
    }
    out
}
fn shuffle(all: &mut [Reading]) {
    let mut x = 12345u64;
    for i in (1..all.len()).rev() {
        x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        all.swap(i, (x >> 33) as usize % (i + 1));
    }
}
fn independent(readings: &[Reading], m: usize) -> Vec<IntervalUsage> {
    let samples: Vec<Sample> = readings.iter().filter(|r| r.meter == meter(m)).map(Sample::from).collect();
    usage::intervals(&samples, &UsageConfig::default(), &[])
}
/// Rollups agree with the stored readings, and days with intervals.
fn check(store: &Store) -> usize {
    let r = store.reader().unwrap();
    let mut n = 0;
    for m in r.meters().unwrap() {
        let (readings, more) = r.readings(m, ALL, None, 10_000_000).unwrap();
        assert!(more.is_none());
        n += readings.len();
        let samples: Vec<Sample> = readings.iter().map(Sample::from).collect();
        let rows = r.intervals(m, ALL).unwrap();
        assert_eq!(rows, usage::intervals(&samples, &UsageConfig::default(), &[]));
        let days = r.days(m, "2024-03-01".parse().unwrap(), "2024-06-01".parse().unwrap()).unwrap();
        assert_eq!(
            days.iter().map(|d| d.import).sum::<Energy>(),
            rows.iter().map(|i| i.import).sum::<Energy>()
        );
        for d in &days {
            let inside: Vec<_> = rows.iter().filter(|i| d.span.contains(i.start)).collect();
            assert_eq!(d.import, inside.iter().map(|i| i.import).sum::<Energy>());
            assert_eq!(d.export, inside.iter().map(|i| i.export).sum::<Energy>());
            assert_eq!(Some(d.quality), inside.iter().map(|i| i.quality).max());
            assert_eq!(d.covered_ms, inside.iter().map(|i| i.covered_ms).sum::<u32>());
            let hours = r.hours(m, d.date, d.date).unwrap();
            assert_eq!(hours.len() as i64, d.span.ms() / 3_600_000);
            assert_eq!(hours.iter().map(|h| h.import).sum::<Energy>(), d.import);
        }
    }
    n
}

#[test]
fn order_batches_and_copies_do_not_matter() {
    let all = plan(0, 90_000);
    let mut shuffled = all.clone();
    shuffle(&mut shuffled);
    for (readings, size) in [(&all, 3), (&all, 5000), (&shuffled, 2000)] {
        let dir = tempfile::tempdir().unwrap();
        let mut s = open(dir.path());
        let mut stored = 0;
        for batch in readings.chunks(size).take(if size == 3 { 1500 } else { usize::MAX }) {
            stored += s.append(batch).unwrap().stored;
            assert_eq!(s.append(&batch[..1]).unwrap().duplicates, 1);
        }
        assert_eq!(check(&s) as u64, stored);
        if size > 3 {
            let r = s.reader().unwrap();
            for m in [0, 1] {
                assert_eq!(r.intervals(meter(m), ALL).unwrap(), independent(&all, m));
            }
            assert_eq!(r.latest(meter(1)).unwrap().len(), 2);
            let (page, cursor) = r.readings(meter(1), ALL, None, 7).unwrap();
            let (next, _) = r.readings(meter(1), ALL, cursor, 7).unwrap();
            let (both, _) = r.readings(meter(1), ALL, None, 14).unwrap();
            assert_eq!([page, next].concat(), both);
        }
    }
}

#[test]
fn of_two_values_at_one_time_the_larger_stays() {
    for (a, b) in [(100.0, 200.0), (200.0, 100.0)] {
        let dir = tempfile::tempdir().unwrap();
        let mut s = open(dir.path());
        s.append(&[reading(0, Quantity::Power, 0, a), reading(0, Quantity::Power, 60, 5.0)]).unwrap();
        assert_eq!(s.append(&[reading(0, Quantity::Power, 0, b)]).unwrap().conflicts, 1);
        check(&s);
        let key = SeriesKey { meter: meter(0), channel: Channel::TOTAL, quantity: Quantity::Power };
        let span = Span::new(UnixMillis(T0), UnixMillis(T0 + 120_000));
        let line = s.reader().unwrap().series(&key, span, 2).unwrap();
        assert_eq!(line[0].unwrap().max, 200.0);
        assert!((s.reader().unwrap().series(&key, span, 4).unwrap()[0].unwrap().avg - 200.0).abs() < 1e-9);
    }
}

#[test]
fn corrections_are_undone_without_a_trace_and_zones_rebuild_days() {
    let dir = tempfile::tempdir().unwrap();
    let mut s = open(dir.path());
    s.append(&plan(0, 60_000)).unwrap();
    let before = s.reader().unwrap().intervals(meter(1), ALL).unwrap();
    let span = Span::new(UnixMillis(T0 + 3_600_000), UnixMillis(T0 + 7_200_000));
    let set = Change::Set { span, import: Energy(1_000_003), export: Energy(0) };
    for (n, (change, sum)) in [(set, 1_000_003), (Change::Exclude { span }, 0)].into_iter().enumerate() {
        let id = CorrectionId::derive(&[&n.to_string()]);
        let c = Correction { id, meter: meter(1), change, created: UnixMillis(T0) };
        assert!(!s.correct(&c).unwrap().is_empty());
        let rows = s.reader().unwrap().intervals(meter(1), ALL).unwrap();
        assert_ne!(rows, before);
        let inside = rows.iter().filter(|i| span.contains(i.start)).map(|i| i.import).sum::<Energy>();
        assert_eq!(inside, Energy(sum));
        assert_eq!(s.reader().unwrap().corrections(Some(meter(1))).unwrap(), vec![c]);
        s.undo_correction(id).unwrap();
        assert_eq!(s.reader().unwrap().intervals(meter(1), ALL).unwrap(), before);
        check(&s);
    }
    let odd = Span::new(UnixMillis(T0 + 1), UnixMillis(T0 + 7_200_000));
    let id = CorrectionId::derive(&["odd"]);
    let odd =
        Correction { id, meter: meter(1), change: Change::Exclude { span: odd }, created: UnixMillis(T0) };
    assert!(s.correct(&odd).unwrap_err().to_string().contains("quarter of an hour"));
    s.set_zone(&TimeZone::get("Asia/Kathmandu").unwrap()).unwrap();
    check(&s);
}

#[test]
fn a_full_disk_loses_nothing_and_appends_go_on_when_there_is_space() {
    let dir = tempfile::tempdir().unwrap();
    let (mut s, _) = Store::open(dir.path(), StoreOptions { max_pages: Some(60), ..berlin() }).unwrap();
    let all = plan(0, 90_000);
    let mut done = 0;
    let failed = all.chunks(500).find_map(|b| match s.append(b) {
        Ok(a) => {
            done += a.stored;
            None
        }
        Err(e) => Some(e),
    });
    let error = failed.expect("60 pages are too few");
    assert!(error.is_full() && error.to_string().contains("disk is full"), "{error}");
    assert_eq!(check(&s) as u64, done);
    drop(s);
    let mut s = open(dir.path());
    assert_eq!(s.append(&all).unwrap().duplicates, done);
    assert_eq!(check(&s), all.len());
}

#[test]
fn a_second_instance_is_told_and_a_damaged_database_is_saved() {
    let dir = tempfile::tempdir().unwrap();
    let mut s = open(dir.path());
    assert!(Store::open(dir.path(), berlin()).unwrap_err().is_locked());
    let all = plan(0, 90_000);
    s.append(&all).unwrap();
    s.put_document("meter", "a", &serde_json::json!({"name": "Fridge"})).unwrap();
    s.backup(&dir.path().join("copy.sqlite")).unwrap();
    s.close().unwrap();
    assert!(Store::open(dir.path(), berlin()).unwrap().1.clean);
    let path = dir.path().join("home.sqlite");
    let mut bytes = std::fs::read(&path).unwrap();
    let pages = bytes.len() / 4096;
    bytes[(pages / 2) * 4096..(pages / 2 + 2) * 4096].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    let error = Store::open(dir.path(), berlin()).unwrap_err();
    assert!(error.is_corrupt(), "{error}");
    let told = recover(dir.path(), berlin()).unwrap();
    assert!(told.aside.exists() && told.holes > 0 && told.documents == 1, "{told:?}");
    assert!(told.readings as usize > all.len() / 2, "{told:?} of {}", all.len());
    check(&open(dir.path()));
    // the backup, put in place, has everything
    let other = tempfile::tempdir().unwrap();
    std::fs::copy(dir.path().join("copy.sqlite"), other.path().join("home.sqlite")).unwrap();
    assert_eq!(check(&open(other.path())), all.len());
}

#[test]
fn retention_keeps_usage() {
    let dir = tempfile::tempdir().unwrap();
    let mut s = open(dir.path());
    let all: Vec<_> =
        (0..6000).map(|i| reading(1, Quantity::EnergyImport, i * 120, 10.0 * i as f64)).collect();
    s.append(&all).unwrap();
    let before = s.reader().unwrap().intervals(meter(1), ALL).unwrap();
    let raw_before = UnixMillis(T0 + 5 * 86_400_000);
    while s.retain(Retention { raw_before }, 100).unwrap() > 0 {}
    assert_eq!(s.append(&all[..10]).unwrap().too_old, 10);
    s.append(&[reading(1, Quantity::EnergyImport, 5 * 86_400 + 61, 36_001.0)]).unwrap();
    let after = s.reader().unwrap().intervals(meter(1), ALL).unwrap();
    assert_eq!(after.iter().map(|i| i.import).sum::<Energy>(), before.iter().map(|i| i.import).sum());
    assert_eq!(s.reader().unwrap().first_and_last(meter(1)).unwrap().unwrap().0.0, T0 + 3 * 86_400_000);
}

/// The child of the test below: appends until it is killed.
#[test]
fn child_appends() {
    let Ok(folder) = std::env::var("STORE_TEST_CHILD") else { return };
    let mut s = open(Path::new(&folder));
    // goes on where the last one was killed, over a stretch that is stored already
    let last = s.reader().unwrap().first_and_last(meter(0)).unwrap().map_or(0, |(_, l)| (l.0 - T0) / 1000);
    for from in (last - last % 400..4_000_000).step_by(400) {
        s.append(&plan(from, from + 400)).unwrap();
    }
}

#[test]
fn killed_at_any_moment_rollups_agree_with_readings() {
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for round in 0..8 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_appends"])
            .env("STORE_TEST_CHILD", dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(250 + 37 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let (s, report) = Store::open(dir.path(), berlin()).unwrap();
        assert!(!report.clean || report.created);
        let n = check(&s);
        assert!(n >= last);
        last = n;
    }
    assert!(last > 0);
}

/// Prints what appending costs; the bound is far below what is expected, for slow machines.
#[test]
fn appending_is_fast() {
    let dir = tempfile::tempdir().unwrap();
    let mut s = open(dir.path());
    let one: Vec<_> =
        (0..400_000).map(|i| reading(0, Quantity::Power, i, ((i * 37) % 25_000) as f64 / 10.0)).collect();
    let start = Instant::now();
    one.chunks(5000).for_each(|b| assert_eq!(s.append(b).unwrap().stored, 5000));
    let rate = one.len() as f64 / start.elapsed().as_secs_f64();
    s.close().unwrap();
    let size = std::fs::metadata(dir.path().join("home.sqlite")).unwrap().len();
    println!("{rate:.0} readings/s, {:.1} bytes a reading", size as f64 / one.len() as f64);
    let mut s = open(dir.path());
    let mut times = Vec::new();
    for i in 0..300 {
        let batch: Vec<_> = (100..150).map(|m| reading(m, Quantity::Power, i, m as f64 + i as f64)).collect();
        let start = Instant::now();
        s.append(&batch).unwrap();
        times.push(start.elapsed());
    }
    times.sort();
    println!("50 series at once: p50 {:?}, p99 {:?}", times[150], times[297]);
    assert!(rate > 20_000.0);
}
