//! Export and import, backup and restore, recovery: what is saved is everything.

use crate::*;
use hearthwatt_domain::usage::{Replacement, Stream};
use std::io::BufReader;

fn correction(n: usize, m: usize, change: Change) -> Correction {
    let id = CorrectionId::derive(&["c", &n.to_string()]);
    Correction { id, meter: meter(m), change, created: UnixMillis(T0) }
}

/// Readings of two meters of which the first days are kept as usage only, corrections, documents.
fn filled(folder: &Path) -> Store {
    let mut s = open(folder);
    s.append(&plan(0, 300_000)).unwrap();
    let odd = [0.1 + 0.2, 1e-9, 1e15 / 3.0, -0.0, 12_345.678_901_234_5];
    for (i, v) in odd.into_iter().enumerate() {
        s.append(&[reading(2, Quantity::Voltage, i as i64, v)]).unwrap();
    }
    let span = |h: i64| {
        Span::new(UnixMillis(T0 + 300_000_000 - h * 3_600_000), UnixMillis(T0 + 303_600_000 - h * 3_600_000))
    };
    let aligned = |h| Span::new(span(h).start.interval_start(), span(h).end.interval_start());
    let set = Change::Set { span: aligned(5), import: Energy(77_000_001), export: Energy(0) };
    s.correct(&correction(0, 1, set)).unwrap();
    s.correct(&correction(1, 0, Change::Exclude { span: aligned(9) })).unwrap();
    s.set_usage_config(meter(0), Some(&UsageConfig { max_gap_ms: 60_000, ..UsageConfig::default() }))
        .unwrap();
    while s.retain(Retention { raw_before: UnixMillis(T0 + 200_000_000) }, 1000).unwrap() > 0 {}
    s.put_document("meter", "a", &serde_json::json!({"name": "Kühlschrank", "n": 0.1})).unwrap();
    s.put_document("budget", "b", &serde_json::json!([1, null, "x\n"])).unwrap();
    s
}

/// All that a caller can see.
fn seen(s: &Store) -> String {
    let r = s.reader().unwrap();
    let mut out = format!("{:?} {:?}\n", s.zone().iana_name(), r.corrections(None).unwrap());
    for kind in ["meter", "budget"] {
        out += &format!("{:?}\n", r.documents(kind).unwrap());
    }
    for m in r.meters().unwrap() {
        let (readings, _) = r.readings(m, ALL, None, 1_000_000).unwrap();
        let days = r.days(m, "2024-03-01".parse().unwrap(), "2024-06-01".parse().unwrap()).unwrap();
        let (rows, config) = (r.intervals(m, ALL).unwrap(), s.usage_config(m).unwrap());
        for line in [format!("{readings:?}"), format!("{days:?}"), format!("{rows:?}"), format!("{config:?}")]
        {
            out += &(line + "\n");
        }
    }
    out
}

fn export(s: &Store) -> Vec<u8> {
    let mut out = Vec::new();
    s.reader().unwrap().export(&mut out).unwrap();
    out
}

#[test]
fn an_export_gives_everything_back() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let s = filled(a.path());
    let text = export(&s);
    let mut t = Store::open(b.path(), StoreOptions::default()).unwrap().0;
    let told = t.import(BufReader::new(&text[..])).unwrap();
    assert_eq!((told.documents, told.corrections), (2, 2));
    assert!(told.readings > 1000);
    assert_eq!(seen(&t), seen(&s));
    // and the two go on alike
    let (mut s, more) = (s, plan(299_000, 320_000));
    assert_eq!(s.append(&more).unwrap(), t.append(&more).unwrap());
    assert_eq!(s.append(&plan(0, 20)).unwrap().too_old, t.append(&plan(0, 20)).unwrap().too_old);
    assert_eq!(seen(&t), seen(&s));
}

#[test]
fn a_bad_export_is_refused_by_its_line_and_leaves_nothing() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let s = filled(a.path());
    assert!(filled(b.path()).import(&b""[..]).unwrap_err().to_string().contains("empty"));
    let text = String::from_utf8(export(&s)).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let dir = tempfile::tempdir().unwrap();
    let mut t = open(dir.path());
    let nothing = seen(&t);
    let first_reading = lines.iter().position(|l| l.starts_with("{\"r\"")).unwrap();
    let cut = |n: usize, with: &str| [&lines[..n], &[with][..], &lines[n + 1..]].concat().join("\n");
    for (n, bad) in [
        (0, lines[1]),
        (0, "{\"header\":{\"version\":99,\"zone\":\"UTC\",\"raw_since\":null}}"),
        (first_reading, "{\"r\":[999,1711800000000,1.0]}"),
        (first_reading + 6000, "{\"r\":[1,1711800000000,1e999]}"),
        (first_reading + 6001, "{\"r\":[1,17118"),
        (lines.len() - 3, "{\"what\":1}"),
        (lines.len() - 1, ""),
    ] {
        let error = t.import(cut(n, bad).as_bytes()).unwrap_err().to_string();
        assert!(error.contains(&format!("Line {} ", n + 1)), "{error}");
        assert_eq!(seen(&t), nothing);
    }
    let missing = [&lines[..first_reading], &lines[first_reading + 1..]].concat().join("\n");
    assert!(t.import(missing.as_bytes()).unwrap_err().to_string().contains("missing"));
    t.import(text.as_bytes()).unwrap();
    assert_eq!(seen(&t), seen(&s));
}

#[test]
fn a_backup_is_checked_before_it_replaces_and_the_old_one_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut s = filled(dir.path());
    let copy = dir.path().join("copy.sqlite");
    s.backup(&copy).unwrap();
    let before = seen(&s);
    s.append(&plan(300_000, 310_000)).unwrap();
    let after = seen(&s);
    assert!(restore(dir.path(), &copy).unwrap_err().is_locked());
    drop(s); // not closed: its log is still there
    let mut broken = std::fs::read(&copy).unwrap();
    let n = broken.len() / 2;
    broken[n..n + 9000].fill(0x5a);
    for (name, bytes) in
        [("broken", &broken[..]), ("short", &broken[..5000]), ("text", b"hello"), ("none", b"")]
    {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let error = restore(dir.path(), &path).unwrap_err().to_string();
        assert!(error.contains("Nothing was changed"), "{name}: {error}");
    }
    assert_eq!(seen(&open(dir.path())), after);
    let aside = restore(dir.path(), &copy).unwrap().unwrap();
    assert_eq!(seen(&open(dir.path())), before);
    restore(dir.path(), &aside).unwrap();
    assert_eq!(seen(&open(dir.path())), after);
}

#[test]
fn recovery_brings_corrections_and_the_usage_of_pruned_readings() {
    let dir = tempfile::tempdir().unwrap();
    let s = filled(dir.path());
    let before = seen(&s);
    s.close().unwrap();
    // nothing is damaged: nothing may get lost
    let told = recover(dir.path(), berlin()).unwrap();
    assert_eq!((told.holes, told.orphans, told.corrections, told.documents), (0, 0, 2, 2), "{told:?}");
    assert!(told.old_intervals > 100, "{told:?}");
    let mut s = open(dir.path());
    assert_eq!(seen(&s), before);
    assert_eq!(s.append(&plan(0, 20)).unwrap().too_old, 3);
}

#[test]
fn a_replaced_meter_goes_on_counting() {
    let dir = tempfile::tempdir().unwrap();
    let mut s = open(dir.path());
    let wh =
        |s: i64| reading(1, Quantity::EnergyImport, s, if s < 3600 { 9000.0 + s as f64 / 6.0 } else { 50.0 });
    let all: Vec<_> = (0..7200).step_by(60).map(wh).collect();
    s.append(&all).unwrap();
    let sum = |s: &Store| {
        s.reader().unwrap().intervals(meter(1), ALL).unwrap().iter().map(|i| i.import).sum::<Energy>()
    };
    let (rows, plain) = (s.reader().unwrap().intervals(meter(1), ALL).unwrap(), sum(&s));
    let replacement = Replacement {
        stream: Stream::of(&Channel::TOTAL, Quantity::EnergyImport).unwrap(),
        at: UnixMillis(T0 + 3_570_000),
        removal: Energy::from_wh(9600.0),
        opening: Energy::from_wh(20.0),
    };
    let c = correction(0, 1, Change::Replacement(replacement));
    assert!(!s.correct(&c).unwrap().is_empty());
    // 9000 to 9600 on the old one, 20 to 50 on the new one
    assert_eq!(sum(&s), Energy::from_wh(630.0));
    assert_ne!(plain, sum(&s));
    // the same when it is known before the readings come
    let other = tempfile::tempdir().unwrap();
    let mut t = open(other.path());
    t.correct(&c).unwrap();
    all.chunks(7).for_each(|b| assert_eq!(t.append(b).unwrap().stored as usize, b.len()));
    assert_eq!(
        t.reader().unwrap().intervals(meter(1), ALL).unwrap(),
        s.reader().unwrap().intervals(meter(1), ALL).unwrap()
    );
    s.undo_correction(c.id).unwrap();
    assert_eq!(s.reader().unwrap().intervals(meter(1), ALL).unwrap(), rows);
}

#[test]
fn settings_of_usage_derive_it_again_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut s = open(dir.path());
    s.append(&plan(0, 60_000)).unwrap();
    let before = seen(&s);
    let config = UsageConfig { max_power_w: 150.0, ..UsageConfig::default() };
    assert!(s.set_usage_config(meter(0), Some(&config)).unwrap().is_some());
    let r = s.reader().unwrap();
    let samples: Vec<Sample> =
        plan(0, 60_000).iter().filter(|r| r.meter == meter(0)).map(Sample::from).collect();
    assert_eq!(r.intervals(meter(0), ALL).unwrap(), usage::intervals(&samples, &config, &[]));
    s.append(&plan(60_000, 61_000)).unwrap();
    s.set_usage_config(meter(0), None).unwrap();
    check(&s);
    let other = tempfile::tempdir().unwrap();
    let mut t = open(other.path());
    t.append(&plan(0, 60_000)).unwrap();
    assert_eq!(seen(&t), before);
    t.append(&plan(60_000, 61_000)).unwrap();
    assert_eq!(seen(&t), seen(&s));
}
