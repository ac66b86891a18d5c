//! The correctness rules of usage, as properties and as small cases worked out by hand.

use super::*;
use crate::reading::{Channel, Quantity};
use proptest::prelude::*;
use std::collections::BTreeMap;

const MIN: i64 = 60_000;
/// 2026-01-05 00:00 UTC.
const T0: i64 = 1_767_571_200_000;

fn s(channel: &str, quantity: Quantity, ms: i64, value: f64) -> Sample {
    Sample { channel: Channel::new(channel), quantity, at: UnixMillis(T0 + ms), value }
}
fn import(ms: i64, wh: f64) -> Sample {
    s("total", Quantity::EnergyImport, ms, wh)
}
fn power(ms: i64, w: f64) -> Sample {
    s("total", Quantity::Power, ms, w)
}
fn run(samples: &[Sample]) -> Vec<IntervalUsage> {
    intervals(samples, &UsageConfig::default(), &[])
}
fn imported(rows: &[IntervalUsage]) -> Energy {
    rows.iter().map(|r| r.import).sum()
}
fn exported(rows: &[IntervalUsage]) -> Energy {
    rows.iter().map(|r| r.export).sum()
}
#[track_caller]
fn check_import(samples: &[Sample], wh: f64) {
    let rows = run(samples);
    assert_eq!(imported(&rows), Energy::from_wh(wh), "{rows:#?}");
    assert!(rows.iter().all(|r| r.import.0 >= 0 && r.export.0 >= 0));
}

// ------------------------------------------------------------------ rule 2: falls and jumps

#[test]
fn the_first_reading_is_a_zero_point() {
    check_import(&[import(0, 5_000_000.0), import(MIN, 5_000_010.0)], 10.0);
}

#[test]
fn a_drop_to_zero_and_back_is_a_glitch() {
    check_import(&[import(0, 5_000.0), import(MIN, 0.0), import(2 * MIN, 5_020.0)], 20.0);
}

#[test]
fn two_lower_readings_are_a_reset_and_the_first_of_them_the_new_zero() {
    let r = [import(0, 5_000.0), import(MIN, 7.0), import(2 * MIN, 9.0), import(3 * MIN, 12.0)];
    check_import(&r, 5.0);
    assert_eq!(run(&r)[0].quality, Quality::Measured);
}

#[test]
fn falling_thrice_counts_from_the_lowest() {
    check_import(&[import(0, 100.0), import(MIN, 50.0), import(2 * MIN, 40.0), import(3 * MIN, 45.0)], 5.0);
}

#[test]
fn an_implausible_jump_that_goes_away_is_nothing() {
    check_import(&[import(0, 100.0), import(MIN, 9e6), import(2 * MIN, 130.0)], 30.0);
}

#[test]
fn an_implausible_jump_that_stays_is_a_replacement() {
    let r = [import(0, 100.0), import(MIN, 9e6), import(2 * MIN, 9e6 + 4.0)];
    check_import(&r, 4.0);
    assert_eq!(run(&r)[0].quality, Quality::Suspect);
}

#[test]
fn a_kilowatt_hour_step_is_plausible_at_any_time() {
    check_import(&[import(0, 1000.0), import(1, 2000.0)], 1000.0);
    // 100 kW for a minute and the step: 2666.67 Wh
    check_import(&[import(0, 0.0), import(MIN, 2666.0), import(2 * MIN, 2667.0)], 2667.0);
    check_import(&[import(0, 0.0), import(MIN, 2667.0), import(2 * MIN, 2668.0)], 2668.0); // plausible from 0 by then
    check_import(&[import(0, 0.0), import(MIN, 2667.0)], 0.0);
}

#[test]
fn a_register_turns_over_where_it_is_known_to() {
    let config = UsageConfig { rollover: Some(Energy::from_kwh(1000.0)), ..UsageConfig::default() };
    let rows = intervals(&[import(0, 999_990.0), import(MIN, 15.0), import(2 * MIN, 20.0)], &config, &[]);
    assert_eq!(imported(&rows), Energy::from_wh(30.0));
    // without knowing, it is a reset
    check_import(&[import(0, 999_990.0), import(MIN, 15.0), import(2 * MIN, 20.0)], 5.0);
}

#[test]
fn what_is_not_a_value_is_as_if_it_had_not_come() {
    let with =
        [import(0, 1.0), import(1, f64::NAN), import(2, f64::INFINITY), import(3, 1e300), import(MIN, 3.0)];
    assert_eq!(run(&with), run(&[import(0, 1.0), import(MIN, 3.0)]));
    let with = [power(0, 60.0), power(1, f64::NAN), power(2, 2e5), power(MIN, 60.0)];
    assert_eq!(run(&with), run(&[power(0, 60.0), power(MIN, 60.0)]));
}

#[test]
fn a_replaced_meter_gets_removal_and_opening_values() {
    let stream = Stream::of(&Channel::TOTAL, Quantity::EnergyImport).unwrap();
    let r = Replacement {
        stream,
        at: UnixMillis(T0 + 5 * MIN),
        removal: Energy::from_wh(1030.0),
        opening: Energy::from_wh(3.0),
    };
    let samples = [import(0, 1000.0), import(10 * MIN, 7.5), import(11 * MIN, 8.0)];
    let rows = intervals(&samples, &UsageConfig::default(), &[r]);
    assert_eq!(imported(&rows), Energy::from_wh(30.0 + 4.5 + 0.5));
    assert_eq!(rows[0].quality, Quality::Corrected);
    // undone: the fall to 7.5 is an ordinary reset again
    assert_eq!(imported(&run(&samples)), Energy::from_wh(0.5));
}

// ------------------------------------------------------------------ rules 3 and 4: one source

#[test]
fn phases_and_their_total_are_never_added() {
    let mut r = vec![import(0, 0.0), import(MIN, 30.0)];
    for l in ["l1", "l2", "l3"] {
        r.push(s(l, Quantity::EnergyImport, 0, 0.0));
        r.push(s(l, Quantity::EnergyImport, MIN, 10.0));
    }
    check_import(&r, 30.0);
    check_import(&r[2..], 30.0);
}

#[test]
fn tariff_registers_are_summed_and_each_is_followed_on_its_own() {
    let t = |c: &str, ms, v| s(c, Quantity::EnergyImport, ms, v);
    let r = [
        t("t1", 0, 100.0),
        t("t2", 0, 500.0),
        t("t1", MIN, 0.0), // glitch of one alone
        t("t2", MIN, 505.0),
        t("t1", 2 * MIN, 102.0),
        t("t2", 2 * MIN, 506.0),
    ];
    check_import(&r, 8.0);
    let mut with_phases = r.to_vec();
    with_phases.extend([t("l1", 0, 0.0), t("l1", 2 * MIN, 7.0)]);
    check_import(&with_phases, 7.0);
}

#[test]
fn a_register_takes_over_from_power_at_its_first_reading() {
    // 60 W: 1 Wh a minute. The register comes in the middle of a held value.
    let mut r: Vec<_> = (0..=4).map(|m| power(m * MIN, 60.0)).collect();
    r.extend([import(MIN + MIN / 2, 1000.0), import(4 * MIN, 1100.0)]);
    check_import(&r, 1.5 + 100.0);
}

#[test]
fn resetting_counters_and_other_quantities_are_never_usage() {
    for q in Quantity::ALL.iter().filter(|q| q.name().contains('_') && q.unit() == "Wh") {
        let rows = run(&[s("total", *q, 0, 0.0), s("total", *q, MIN, 5.0)]);
        assert_eq!(rows.is_empty(), !q.is_register(), "{q:?}");
    }
    assert!(
        run(&[s("total", Quantity::PowerDc, 0, 50.0), s("total", Quantity::PowerDc, MIN, 50.0)]).is_empty()
    );
}

#[test]
fn power_is_split_by_sign_and_phases_are_netted() {
    let rows = run(&[power(0, 120.0), power(MIN, -60.0), power(2 * MIN, 0.0)]);
    assert_eq!((imported(&rows), exported(&rows)), (Energy::from_wh(2.0), Energy::from_wh(1.0)));
    assert_eq!((rows[0].power_min, rows[0].power_max), (Some(Power(-60_000)), Some(Power(120_000))));
    let p = |c: &str, ms, w| s(c, Quantity::Power, ms, w);
    let rows = run(&[p("l1", 0, 600.0), p("l2", 0, -200.0), p("l3", 0, -100.0), p("l1", MIN, 0.0)]);
    assert_eq!((imported(&rows), exported(&rows)), (Energy::from_wh(5.0), Energy::ZERO));
}

#[test]
fn production_is_given() {
    let p = |ms, w| s("total", Quantity::PowerProduction, ms, w);
    let rows = run(&[p(0, 600.0), p(MIN, 600.0)]);
    assert_eq!(
        (imported(&rows), exported(&rows), rows[0].covered_ms),
        (Energy::ZERO, Energy::from_wh(10.0), 60_000)
    );
    let e = |ms, w| s("total", Quantity::EnergyProduction, ms, w);
    assert_eq!(
        exported(&run(&[e(0, 600.0), e(MIN, 612.0), p(0, 600.0), p(MIN, 600.0)])),
        Energy::from_wh(12.0)
    );
}

#[test]
fn power_is_held_for_the_maximum_gap_and_not_longer() {
    // 1200 W for 5 of 30 minutes: 100 Wh; a trapezoid would say 600 Wh
    let rows = run(&[power(0, 1200.0), power(30 * MIN, 1200.0)]);
    assert_eq!(imported(&rows), Energy::from_wh(100.0));
    assert_eq!(rows.iter().map(|r| r.covered_ms).sum::<u32>(), 300_000);
    assert_eq!(rows.len(), 1);
}

// ------------------------------------------------------------------ rule 5: gaps

#[test]
fn a_lump_after_a_gap_is_spread_over_it() {
    let rows = run(&[import(0, 0.0), import(4 * 60 * MIN, 1600.0)]);
    assert_eq!(rows.len(), 16);
    for r in &rows {
        assert_eq!(
            (r.import, r.quality, r.covered_ms),
            (Energy::from_wh(100.0), Quality::Recovered, 900_000)
        );
    }
}

#[test]
fn quality_follows_the_length_of_the_gap() {
    let quality = |from: i64, to: i64| run(&[import(from, 0.0), import(to, 10.0)])[0].quality;
    assert_eq!(quality(14 * MIN, 19 * MIN), Quality::Measured);
    assert_eq!(quality(0, 14 * MIN), Quality::Measured); // one interval
    assert_eq!(quality(0, 15 * MIN), Quality::Measured); // exactly one
    assert_eq!(quality(13 * MIN, 19 * MIN), Quality::Interpolated);
    assert_eq!(quality(0, 60 * MIN), Quality::Interpolated);
    assert_eq!(quality(0, 61 * MIN), Quality::Recovered);
}

// ------------------------------------------------------------------ rule 10 and exactness

/// A messy meter: registers with steps, glitches, resets, jumps; power with gaps; several channels.
fn messy() -> impl Strategy<Value = Vec<Sample>> {
    let source = prop_oneof![
        Just(("total", Quantity::EnergyImport)),
        Just(("l1", Quantity::EnergyImport)),
        Just(("t1", Quantity::EnergyImport)),
        Just(("t2", Quantity::EnergyImport)),
        Just(("total", Quantity::EnergyExport)),
        Just(("total", Quantity::EnergyProduction)),
        Just(("total", Quantity::Power)),
        Just(("l1", Quantity::Power)),
        Just(("l2", Quantity::Power)),
        Just(("total", Quantity::PowerImport)),
        Just(("total", Quantity::PowerProduction)),
        Just(("total", Quantity::Voltage)),
    ];
    let step = prop_oneof![6 => 1..90i64, 2 => 200..700i64, 1 => 3000..9000i64];
    let kind = 0..40u8;
    let one = (0..4usize, step, kind, 0.0..300.0f64);
    (prop::collection::vec(source, 1..5), prop::collection::vec(one, 1..80), 0..3_000_000i64).prop_map(
        |(sources, steps, offset)| {
            let mut at = offset;
            let mut value = [1000.0f64; 4];
            let mut out = Vec::new();
            for (which, step, kind, x) in steps {
                let i = which % sources.len();
                let (channel, quantity) = sources[i];
                // sometimes at the same time as the reading before
                at += if kind % 7 == 0 { 0 } else { step * 1000 + i64::from(kind) };
                let v = if quantity.is_register() {
                    match kind {
                        1 => 0.0,
                        2 => 9e8,
                        3 => {
                            value[i] = x;
                            x
                        }
                        4 => {
                            value[i] += 5e7;
                            value[i]
                        }
                        5 => f64::NAN,
                        _ => {
                            value[i] += x / 10.0;
                            value[i]
                        }
                    }
                } else if kind == 5 {
                    1e7
                } else {
                    x * 20.0 - 2000.0
                };
                out.push(s(channel, quantity, at, v));
            }
            out
        },
    )
}

/// What a store does: rows by adding deltas, late readings by deriving what they affect.
struct LiveStore {
    config: UsageConfig,
    history: MemoryHistory,
    acc: Accumulator,
    rows: BTreeMap<UnixMillis, IntervalUsage>,
    late: usize,
}

impl LiveStore {
    fn new() -> Self {
        let config = UsageConfig::default();
        let acc = Accumulator::new(config.clone());
        Self { config, history: MemoryHistory::default(), acc, rows: BTreeMap::new(), late: 0 }
    }
    fn append(&mut self, batch: &[Sample]) {
        let mut late = Vec::new();
        for sample in batch {
            // a store keeps one value per stream and time: others never reach the derivation
            let Some(stream) = self.history.insert(sample, &self.config) else { continue };
            let rows = &mut self.rows;
            let mut out =
                |d: Delta| rows.entry(d.start).or_insert_with(|| IntervalUsage::empty(d.start)).absorb(&d);
            match self.acc.push(sample, &mut out) {
                Pushed::Late => late.push((stream, sample.at)),
                Pushed::Ignored(why) => panic!("{why:?}: {sample:?}"),
                Pushed::Booked | Pushed::Held => {}
            }
        }
        self.late += late.len();
        for span in affected(&self.history, &self.config, &[], &late).unwrap() {
            self.rows.retain(|start, _| !span.contains(*start));
            let again = recompute(&self.history, &self.config, &[], span).unwrap();
            self.rows.extend(again.into_iter().map(|r| (r.start, r)));
        }
        if !late.is_empty() {
            self.acc = resume(&self.history, &self.config, &[]).unwrap();
        }
    }
    fn rows(self) -> Vec<IntervalUsage> {
        self.rows.into_values().collect()
    }
}

/// One value per stream and time, so that "which came first" is no question.
fn distinct(samples: Vec<Sample>) -> Vec<Sample> {
    let mut seen = std::collections::HashSet::new();
    samples.into_iter().filter(|s| seen.insert((s.channel.clone(), s.quantity, s.at))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 700, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_copies_and_batches_give_the_same(
        samples in messy(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
        copies in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        batch in 1..20usize,
    ) {
        let samples = distinct(samples);
        let expected = run(&samples);
        let mut shuffled = samples.clone();
        for pair in order.chunks(2) {
            if let [a, b] = pair {
                let (a, b) = (a.index(samples.len()), b.index(samples.len()));
                shuffled.swap(a, b);
            }
        }
        for c in copies {
            let copy = samples[c.index(samples.len())].clone();
            shuffled.push(copy);
        }
        prop_assert_eq!(&run(&shuffled), &expected);
        let mut store = LiveStore::new();
        for b in shuffled.chunks(batch) {
            store.append(b);
        }
        let list: Vec<_> = shuffled.iter().map(|s| (s.channel.as_str(), s.quantity.name(), s.at.0 - T0, s.value)).collect();
        prop_assert_eq!(store.rows(), expected, "{:?} {}", list, batch);
    }

    #[test]
    fn a_fresh_start_at_any_point_goes_on_the_same(samples in messy(), cut in any::<prop::sample::Index>()) {
        let samples = distinct(samples);
        let config = UsageConfig::default();
        let at = cut.index(samples.len());
        let mut store = LiveStore::new();
        store.append(&samples[..at]);
        prop_assert_eq!(store.late, 0);
        store.acc = resume(&store.history, &config, &[]).unwrap();
        store.append(&samples[at..]);
        prop_assert_eq!(store.rows(), run(&samples));
    }

    #[test]
    fn deriving_any_span_again_changes_nothing(samples in messy(), from in 0..50i64, length in 1..50i64) {
        let mut history = MemoryHistory::default();
        let config = UsageConfig::default();
        for s in &samples {
            history.insert(s, &config);
        }
        let start = UnixMillis(T0 + from * INTERVAL_MS);
        let span = Span::new(start, start.plus_ms(length * INTERVAL_MS));
        let rows: Vec<_> = run(&samples).into_iter().filter(|r| span.contains(r.start)).collect();
        prop_assert_eq!(recompute(&history, &config, &[], span).unwrap(), rows);
    }

    #[test]
    fn a_replacement_can_be_added_and_undone(samples in messy(), at in 0..6_000i64, removal in 0..3000i64) {
        let mut store = LiveStore::new();
        store.append(&distinct(samples.clone()));
        let samples = distinct(samples);
        let stream = Stream::of(&Channel::TOTAL, Quantity::EnergyImport).unwrap();
        let r = Replacement { stream, at: UnixMillis(T0 + at * 1000), removal: Energy::from_wh(removal as f64), opening: Energy::ZERO };
        let before = run(&samples);
        let config = UsageConfig::default();
        for (replacements, expected) in [(vec![r], intervals(&samples, &config, &[r])), (vec![], before)] {
            let span = affected_by_replacement(&store.history, &config, &[r], &r).unwrap();
            let other = affected_by_replacement(&store.history, &config, &[], &r).unwrap();
            let span = Span::new(span.start.min(other.start), span.end.max(other.end));
            store.rows.retain(|start, _| !span.contains(*start));
            let again = recompute(&store.history, &config, &replacements, span).unwrap();
            store.rows.extend(again.into_iter().map(|r| (r.start, r)));
            prop_assert_eq!(store.rows.values().copied().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_rising_register_is_counted_to_the_last_micro_watt_hour(
        steps in prop::collection::vec((1..20_000_000i64, 0..2_000_000i64), 1..40),
    ) {
        let (mut at, mut milli) = (0, 123_456_789);
        let mut r = vec![import(0, milli as f64 / 1000.0)];
        for (ms, rise) in steps {
            at += ms;
            milli += rise.min(ms * 27); // under 100 kW
            r.push(import(at, milli as f64 / 1000.0));
        }
        let rows = run(&r);
        prop_assert_eq!(imported(&rows), Energy((milli - 123_456_789) * 1000));
        prop_assert_eq!(rows.iter().map(|r| i64::from(r.covered_ms)).sum::<i64>(), at);
    }

    #[test]
    fn power_is_integrated_exactly(steps in prop::collection::vec((1..400_000i64, -3000..3000i64), 2..60)) {
        let (mut at, mut r) = (0, Vec::new());
        let mut exact: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        for (i, (ms, w)) in steps.iter().enumerate() {
            r.push(power(at, *w as f64));
            if i + 1 < steps.len() {
                // the slow way: one millisecond bucket bound at a time
                let (mut from, end) = (at, at + (*ms).min(300_000));
                while from < end {
                    let to = end.min((from / INTERVAL_MS + 1) * INTERVAL_MS);
                    let e = exact.entry(from / INTERVAL_MS).or_default();
                    e.0 += (w * 1000).max(0) * (to - from);
                    e.1 += (-w * 1000).max(0) * (to - from);
                    from = to;
                }
            }
            at += ms;
        }
        let expected: Vec<_> = exact.values().map(|(i, e)| (Energy((i + 1800) / 3600), Energy((e + 1800) / 3600))).collect();
        let got: Vec<_> = run(&r).iter().map(|r| (r.import, r.export)).collect();
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn usage_is_never_negative_and_never_more_than_the_time(samples in messy()) {
        for r in run(&samples) {
            prop_assert!(r.import.0 >= 0 && r.export.0 >= 0 && i64::from(r.covered_ms) <= INTERVAL_MS);
            prop_assert!(r.power_min <= r.power_max);
        }
    }
}
