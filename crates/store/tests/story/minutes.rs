//! Minutes against an independent computation.

use crate::*;

/// On change: sometimes many in a minute, sometimes none for longer than a value holds.
fn on_change() -> Vec<Reading> {
    let (mut at, mut out) = (0i64, Vec::new());
    for i in 0..3000i64 {
        at += match (i * 7919) % 97 {
            0..=3 => 400_000,
            4..=30 => 70_123,
            n => 211 * n,
        };
        let value = ((i * 104_729) % 5003) as f64 / 10.0 - 100.0;
        out.push(Reading { at: UnixMillis(T0 + at), ..reading(0, Quantity::Power, 0, value) });
    }
    out
}

/// Extremes and mean of the value that was last heard, for five minutes at most, up to the last reading.
fn expected(all: &[Reading], from: i64, to: i64) -> Option<Bucket> {
    let (mut min, mut max, mut sum, mut ms, mut last) = (f64::MAX, f64::MIN, 0.0, 0, None);
    for (i, r) in all.iter().enumerate() {
        let until = all.get(i + 1).map_or(r.at.0, |n| n.at.0).min(r.at.0 + 300_000);
        let held = until.min(to) - r.at.0.max(from);
        if held > 0 {
            sum += r.value * held as f64;
            ms += held;
        }
        if held > 0 || (from..to).contains(&r.at.0) {
            (min, max, last) = (min.min(r.value), max.max(r.value), Some(r.value));
        }
    }
    Some(Bucket { min, max, avg: if ms > 0 { sum / ms as f64 } else { last? } })
}

fn compare(s: &Store, all: &[Reading], tolerance: f64) {
    let key = SeriesKey { meter: meter(0), channel: Channel::TOTAL, quantity: Quantity::Power };
    let minutes = (all.last().unwrap().at.0 - T0) / 60_000 + 1;
    let span = Span::new(UnixMillis(T0), UnixMillis(T0 + minutes * 60_000));
    let line = s.reader().unwrap().series(&key, span, minutes as usize).unwrap();
    // parts of less than a minute come from the readings, by another way
    let halves = Span::new(span.start, span.start.plus_ms(300 * 60_000));
    let fine = s.reader().unwrap().series(&key, halves, 600).unwrap();
    let parts = line.iter().enumerate().map(|(i, b)| (i as i64 * 60_000, 60_000, b, tolerance));
    let fine = fine.iter().enumerate().map(|(i, b)| (i as i64 * 30_000, 30_000, b, 0.1));
    let mut drawn = 0;
    for (offset, ms, bucket, tolerance) in parts.chain(fine) {
        let want = expected(all, T0 + offset, T0 + offset + ms);
        match (bucket, want) {
            (None, None) => {}
            (Some(b), Some(w)) => {
                drawn += 1;
                assert_eq!((b.min, b.max), (w.min, w.max), "at {offset} for {ms}");
                assert!((b.avg - w.avg).abs() < tolerance, "at {offset} for {ms}: {b:?}, not {w:?}");
            }
            (b, w) => panic!("at {offset} for {ms}: {b:?}, not {w:?}"),
        }
    }
    assert!(drawn > 500, "{drawn}");
}

#[test]
fn minutes_are_weighted_by_time_in_any_order() {
    let all = on_change();
    let mut shuffled = all.clone();
    shuffle(&mut shuffled);
    // two streams of which one is late
    let (even, odd): (Vec<_>, Vec<_>) = all.iter().cloned().enumerate().partition(|(i, _)| i % 2 == 0);
    let late: Vec<Reading> = even.into_iter().chain(odd).map(|(_, r)| r).collect();
    for (readings, size) in [(&all, 1), (&all, 700), (&shuffled, 50), (&late, 300)] {
        let dir = tempfile::tempdir().unwrap();
        let mut s = open(dir.path());
        let small = size == 1;
        for batch in readings.chunks(size).take(if small { 1500 } else { usize::MAX }) {
            s.append(batch).unwrap();
        }
        compare(&s, if small { &all[..1500] } else { &all }, 1e-6);
    }
}

#[test]
fn a_larger_value_and_a_restart_change_no_more_than_they_should() {
    let mut all = on_change();
    let dir = tempfile::tempdir().unwrap();
    let mut s = open(dir.path());
    for batch in all[..2000].chunks(333) {
        s.append(batch).unwrap();
        drop(s);
        s = open(dir.path());
    }
    for i in [3, 500, 501, 1999] {
        all[i].value += 10_000.0;
        assert_eq!(s.append(&all[i..=i]).unwrap().conflicts, 1);
    }
    compare(&s, &all[..2000], 1e-6);
    s.append(&all[2000..]).unwrap();
    compare(&s, &all, 1e-6);
}
