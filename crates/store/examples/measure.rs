//! What the store costs: commits at one reading a second from 50 meters, and the reads of a page
//! over 13 months. `cargo run -p hearthwatt-store --example measure [folder] [meters]`; the folder
//! decides what a flush to the disk costs (a RAM disk leaves the rest).

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a program for developers")]

use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::reading::{Channel, Quantity, Reading};
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_store::{SeriesKey, Store, StoreOptions};
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const END: i64 = 1_719_792_000_000; // 2024-07-01T00:00Z
const DAY: i64 = 86_400_000;

fn meter(n: usize) -> MeterId {
    MeterId::derive(&["measure", &n.to_string()])
}
fn reading(m: usize, quantity: Quantity, at: i64, value: f64) -> Reading {
    Reading { meter: meter(m), channel: Channel::TOTAL, quantity, at: UnixMillis(at), value }
}
fn watts(m: usize, at: i64) -> f64 {
    ((at / 1000 * 37 + m as i64 * 911) % 25_000) as f64 / 10.0
}
/// Bytes that this process had written to disks so far.
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    io.lines().find_map(|l| l.strip_prefix("write_bytes: ")?.parse().ok()).unwrap_or(0)
}
fn show(what: &str, times: &mut [Duration]) {
    times.sort();
    let at = |p: usize| times[(times.len() * p / 1000).min(times.len() - 1)];
    println!("{what}: p50 {:.2?}, p99 {:.2?}, max {:.2?}", at(500), at(990), at(1000));
}
fn timed<T>(what: &str, times: usize, mut f: impl FnMut() -> T) {
    let mut all: Vec<Duration> = (0..times)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(f());
            start.elapsed()
        })
        .collect();
    show(what, &mut all);
}

fn commits(folder: &Path, meters: usize) {
    let (mut s, _) = Store::open(folder, StoreOptions::default()).unwrap();
    let before = written();
    let n = 2000;
    let mut times = Vec::new();
    for i in 0..n {
        let at = END + i * 1000;
        let batch: Vec<_> = (0..meters).map(|m| reading(m, Quantity::Power, at, watts(m, at))).collect();
        let start = Instant::now();
        s.append(&batch).unwrap();
        times.push(start.elapsed());
        // a little of the second in which a real home rests
        std::thread::sleep(Duration::from_millis(2));
    }
    show(&format!("commit of {meters} series"), &mut times);
    println!("written: {} bytes a reading", (written() - before) / (n as u64 * meters as u64));
    s.close().unwrap();
}

fn reads(folder: &Path, meters: usize) {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let (mut s, _) = Store::open(folder, StoreOptions { zone: Some(zone), max_pages: None }).unwrap();
    let start = Instant::now();
    let mut batch = Vec::new();
    for at in (END - 396 * DAY..END).step_by(900_000) {
        batch.extend((0..meters).map(|m| {
            reading(m, Quantity::EnergyImport, at, (at / 1000 - 1_600_000_000) as f64 / 10.0 + m as f64)
        }));
        if batch.len() >= 5000 {
            s.append(&batch).unwrap();
            batch.clear();
        }
    }
    for at in (END - DAY..END).step_by(5000) {
        batch.extend((0..meters).map(|m| reading(m, Quantity::Power, at, watts(m, at))));
        if batch.len() >= 5000 {
            s.append(&batch).unwrap();
            batch.clear();
        }
    }
    s.append(&batch).unwrap();
    println!("filled in {:.1?}", start.elapsed());
    let r = s.reader().unwrap();
    let m = meter(meters / 2);
    let span = |days| Span::new(UnixMillis(END - days * DAY), UnixMillis(END));
    let date = |d: &str| d.parse::<jiff::civil::Date>().unwrap();
    timed("intervals, a year", 50, || r.intervals(m, span(365)).unwrap());
    timed("intervals, a month", 50, || r.intervals(m, span(30)).unwrap());
    timed("days, a year", 50, || r.days(m, date("2023-07-01"), date("2024-06-30")).unwrap());
    timed("hours, a month", 50, || r.hours(m, date("2024-06-01"), date("2024-06-30")).unwrap());
    let key = SeriesKey { meter: m, channel: Channel::TOTAL, quantity: Quantity::Power };
    timed("series, 24 h in 1000", 50, || r.series(&key, span(1), 1000).unwrap());
    timed("series, 24 h in 2000", 50, || r.series(&key, span(1), 2000).unwrap());
    drop(r);
    s.close().unwrap();
    println!("file: {} KiB", std::fs::metadata(folder.join("home.sqlite")).unwrap().len() / 1024);
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let root = args.first().map_or_else(std::env::temp_dir, PathBuf::from);
    let meters = args.get(1).and_then(|n| n.parse().ok()).unwrap_or(50);
    for (name, part) in [("commits", commits as fn(&Path, usize)), ("reads", reads)] {
        let folder = root.join(format!("hearthwatt-measure-{name}-{}", std::process::id()));
        part(&folder, meters);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
