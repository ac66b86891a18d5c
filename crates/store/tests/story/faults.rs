//! Disks and databases that are not as they should be, readers beside the writer, kills.

use crate::*;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

fn raw(folder: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(folder.join("home.sqlite")).unwrap()
}

#[test]
fn a_newer_database_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).close().unwrap();
    raw(dir.path()).pragma_update(None, "user_version", 1000).unwrap();
    let before = std::fs::read(dir.path().join("home.sqlite")).unwrap();
    let error = Store::open(dir.path(), berlin()).unwrap_err();
    assert!(error.is_newer() && !error.is_corrupt() && error.to_string().contains("update"), "{error}");
    assert_eq!(std::fs::read(dir.path().join("home.sqlite")).unwrap(), before);
    let other = tempfile::tempdir().unwrap();
    open(other.path()).close().unwrap();
    let backup = dir.path().join("home.sqlite");
    assert!(restore(other.path(), &backup).unwrap_err().is_newer());
}

/// A write that fails as on a read-only medium, and appends that go on afterwards.
#[test]
fn a_medium_that_turns_read_only_is_told_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut s = open(dir.path());
    let all = plan(0, 10_000);
    s.append(&all[..600]).unwrap();
    s.refuse_writes(true).unwrap();
    let error = s.append(&all[600..]).unwrap_err();
    assert!(error.is_read_only() && error.may_retry() && !error.is_full(), "{error}");
    assert!(s.put_document("a", "b", &serde_json::json!(1)).unwrap_err().is_read_only());
    assert_eq!(check(&s), 600);
    s.refuse_writes(false).unwrap();
    assert_eq!(s.append(&all).unwrap().duplicates, 600);
    assert_eq!(check(&s), all.len());
}

#[test]
fn readers_see_whole_commits_while_the_writer_writes() {
    let dir = tempfile::tempdir().unwrap();
    let mut s = open(dir.path());
    s.append(&plan(0, 20)).unwrap();
    let done = AtomicBool::new(false);
    let start = Barrier::new(4);
    let readers: Vec<Reader> = (0..3).map(|_| s.reader().unwrap()).collect();
    std::thread::scope(|scope| {
        let threads: Vec<_> = readers
            .into_iter()
            .map(|r| {
                let (done, start) = (&done, &start);
                scope.spawn(move || {
                    let (mut seen, mut last, mut waited) = (BTreeSet::new(), Energy::ZERO, false);
                    // once before the first commit below, once after the last, and all between
                    loop {
                        let finished = done.load(Ordering::Acquire);
                        // an export is one snapshot: what it holds must fit together
                        let mut text = Vec::new();
                        let n = r.export(&mut text).unwrap();
                        // each commit below has 10 rounds of 3 readings
                        assert_eq!((n - 3) % 30, 0, "half a commit");
                        seen.insert(n);
                        // one statement is one snapshot too: intervals only ever grow
                        let sum: Energy = r.intervals(meter(1), ALL).unwrap().iter().map(|i| i.import).sum();
                        assert!(sum >= last);
                        last = sum;
                        if finished {
                            break;
                        }
                        if !waited {
                            waited = true;
                            start.wait();
                        }
                    }
                    seen.len()
                })
            })
            .collect();
        start.wait();
        for from in (20..16_000).step_by(200) {
            s.append(&plan(from, from + 200)).unwrap();
        }
        done.store(true, Ordering::Release);
        for t in threads {
            assert!(t.join().unwrap() > 1, "the reader saw nothing change");
        }
    });
    check(&s);
}

/// The child of the test below: says what was acknowledged, until it is killed.
#[test]
fn child_acknowledges() {
    let Ok(folder) = std::env::var("STORE_TEST_ACK") else { return };
    let mut s = open(Path::new(&folder));
    let start: i64 = std::env::var("STORE_TEST_FROM").unwrap().parse().unwrap();
    for n in start.. {
        s.append(&batch(n)).unwrap();
        println!("acknowledged {n}");
    }
}

/// A tenth of a second of five meters; meters differ, so that small batches go to the tail.
fn batch(n: i64) -> Vec<Reading> {
    (0..5)
        .map(|m| Reading {
            at: UnixMillis(T0 + n * 100),
            ..reading(m, Quantity::Power, 0, (n % 4000) as f64)
        })
        .collect()
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let (mut next, mut acknowledged) = (0i64, 0);
    for round in 0..6u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "faults::child_acknowledges", "--nocapture"])
            .env("STORE_TEST_ACK", dir.path())
            .env("STORE_TEST_FROM", next.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listen = std::thread::spawn(move || {
            lines.map_while(Result::ok).filter_map(|l| l.strip_prefix("acknowledged ")?.parse().ok()).last()
        });
        std::thread::sleep(Duration::from_millis(300 + 53 * round));
        child.kill().unwrap();
        child.wait().unwrap();
        let last: Option<i64> = listen.join().unwrap();
        let s = open(dir.path());
        check(&s);
        let r = s.reader().unwrap();
        let stored = r.readings(meter(4), ALL, None, 1_000_000).unwrap().0.len() as i64;
        acknowledged = last.map_or(acknowledged, |l| l + 1);
        // all that were acknowledged, and at most the one that was under way
        assert!(stored == acknowledged || stored == acknowledged + 1, "{stored} of {acknowledged}");
        (next, acknowledged) = (stored, stored);
    }
    assert!(acknowledged > 10, "{acknowledged}");
}
