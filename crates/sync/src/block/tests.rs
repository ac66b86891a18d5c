//! Blocks: one encoding per content, any bytes refused without a panic, one winner in any order.

use super::*;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::time::{INTERVAL_MS, UnixMillis};
use hearthwatt_domain::units::{Energy, Power};
use hearthwatt_domain::usage::{IntervalUsage, Quality};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use std::collections::BTreeMap;
use uuid::Uuid;

const DAY: Date = date(2026, 3, 29);
const DAY_MS: i64 = 1_774_742_400_000;

fn row(slot: i64) -> IntervalUsage {
    IntervalUsage {
        import: Energy(123_456_789),
        covered_ms: INTERVAL_MS as u32,
        power_min: Some(Power(-5)),
        power_max: Some(Power(2_300_000)),
        ..IntervalUsage::empty(UnixMillis(DAY_MS + slot * INTERVAL_MS))
    }
}

fn block(rows: &[IntervalUsage]) -> Result<Block, BlockError> {
    of_rows(Uuid::from_u128(7), MeterId(Uuid::from_u128(9)), DAY, 3, rows)
}

prop_compose! {
    fn any_row()(
        import in 0..=100_000_000_000_000_000_i64,
        export in prop_oneof![Just(0), 0..=100_000_000_000_000_000_i64],
        code in 0..=4_u8,
        covered_ms in prop_oneof![Just(900_000), 0..=900_000_u32],
        low in proptest::option::of(-10_000_000_000_000..=0_i64),
        high in proptest::option::of(0..=10_000_000_000_000_i64),
    ) -> IntervalUsage {
        IntervalUsage {
            start: UnixMillis(0),
            import: Energy(import),
            export: Energy(export),
            quality: Quality::from_code(code).unwrap(),
            covered_ms,
            power_min: low.map(Power),
            power_max: high.map(Power),
        }
    }
}

prop_compose! {
    fn any_block()(
        ids in any::<(u128, u128)>(),
        day in 0..84_006_i64,
        revision in any::<u64>(),
        rows in proptest::collection::btree_map(0..96_i64, any_row(), 0..=96),
    ) -> Block {
        let at = |slot| UnixMillis(day * 86_400_000 + slot * INTERVAL_MS);
        let rows: Vec<_> = rows.into_iter().rev().map(|(s, r)| IntervalUsage { start: at(s), ..r }).collect();
        let day = date(1970, 1, 1).checked_add(jiff::Span::new().days(day)).unwrap();
        of_rows(Uuid::from_u128(ids.0), MeterId(Uuid::from_u128(ids.1)), day, revision, &rows).unwrap()
    }
}

proptest! {
    #[test]
    fn a_block_comes_back_as_it_was(block in any_block()) {
        let bytes = block.encode();
        prop_assert!(bytes.len() <= MAX_BYTES);
        prop_assert_eq!(BlockRef::is_withdrawn_size(bytes.len() as u64), block.is_withdrawn());
        prop_assert_eq!(block.reference().open(&bytes).unwrap(), block);
    }

    #[test]
    fn any_bytes_are_refused_or_are_the_one_encoding(
        block in any_block(),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..6),
    ) {
        let mut bytes = block.encode();
        for (at, byte, how) in cuts {
            let at = at.index(bytes.len().max(1));
            match how {
                0 if !bytes.is_empty() => bytes[at] = byte,
                1 if !bytes.is_empty() => bytes[at] ^= 1 << (byte % 8),
                2 => bytes.insert(at, byte),
                _ => bytes.truncate(at.max(40)),
            }
        }
        if let Ok(block) = Block::decode(&bytes) {
            prop_assert_eq!(block.encode(), bytes);
        }
    }

    #[test]
    fn noise_after_a_good_beginning_never_panics(
        head in 0..60_usize,
        noise in proptest::collection::vec(any::<u8>(), 0..2000),
    ) {
        let mut bytes = block(&[row(0)]).unwrap().encode();
        bytes.truncate(head);
        bytes.extend(noise);
        if let Ok(block) = Block::decode(&bytes) {
            prop_assert_eq!(block.encode(), bytes);
        }
    }

    /// Few recorders, revisions and hashes, so that they meet.
    #[test]
    fn whoever_hears_what_first_the_same_block_holds(
        mut blocks in proptest::collection::vec(any_ref(), 0..14),
        cut in any::<prop::sample::Index>(),
        primary in proptest::option::of(0..4_u128),
        seed in any::<u64>(),
    ) {
        let primary = primary.map(Uuid::from_u128);
        let ruling = merge(&blocks, primary).copied();
        // two devices that know a part each, and parts of it twice
        let cut = cut.index(blocks.len() + 1);
        let know = |part: &[BlockRef]| part.iter().fold(Day::default(), |mut d, b| { d.add(*b); d });
        let (mut one, mut other) = (know(&blocks[..cut]), know(&blocks[cut / 2..]));
        let first = one.clone();
        one.join(&other);
        other.join(&first);
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(one.ruling(primary).copied(), ruling);
        // any order, through the merger, which says each time that something changed
        let mut state = seed;
        for i in (1..blocks.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            blocks.swap(i, (state >> 33) as usize % (i + 1));
        }
        let mut merger = Merger::default();
        merger.set_primary(MeterId(Uuid::nil()), primary);
        let key = (MeterId(Uuid::nil()), DAY);
        let mut shown = None;
        for b in &blocks {
            if merger.add(*b) == Some(key) {
                prop_assert_ne!(merger.ruling(key).copied(), shown);
                shown = merger.ruling(key).copied();
            }
            prop_assert_eq!(merger.ruling(key).copied(), shown);
        }
        prop_assert_eq!(shown, ruling);
        prop_assert_eq!(merger.all().copied().collect::<Vec<_>>(), Vec::from_iter(ruling));
        // never a block that its own recorder has withdrawn or revised
        if let Some(r) = ruling {
            prop_assert!(!r.withdrawn);
            prop_assert!(blocks.iter().all(|b| b.recorder != r.recorder || b.revision <= r.revision));
        }
    }
}

fn any_ref() -> impl Strategy<Value = BlockRef> {
    (0..4_u128, 0..4_u64, 0..3_u8, any::<bool>()).prop_map(|(recorder, revision, hash, withdrawn)| BlockRef {
        recorder: Uuid::from_u128(recorder),
        meter: MeterId(Uuid::nil()),
        day: DAY,
        revision,
        hash: BlockHash([hash; 32]),
        withdrawn,
    })
}

#[test]
fn the_bytes_of_version_1_stay() {
    let small = block(&[row(0), IntervalUsage { covered_ms: 60_000, power_min: None, ..row(95) }]).unwrap();
    let hex: String = small.encode().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        hex,
        concat!(
            "48574201",
            "00000000000000000000000000000007",
            "00000000000000000000000000000009",
            "0000503d",
            "0000000000000003",
            "800000000000000000000001",
            "38959aef3a0009c0e19802",
            "10959aef3a00e0d403c0e19802",
        )
    );
    assert_eq!(small.hash().to_string().parse::<BlockHash>().unwrap(), small.hash());
    assert!("AB".parse::<BlockHash>().is_err());
}

#[test]
fn rows_that_are_not_of_the_day_are_refused() {
    let check = |rows: &[IntervalUsage]| assert!(matches!(block(rows), Err(BlockError::Row(_))), "{rows:?}");
    check(&[row(96)]);
    check(&[row(-1)]);
    check(&[row(4), row(5), row(4)]);
    check(&[IntervalUsage { start: UnixMillis(DAY_MS + 1), ..row(0) }]);
    check(&[IntervalUsage { import: Energy(-1), ..row(0) }]);
    check(&[IntervalUsage { covered_ms: 900_001, ..row(0) }]);
    check(&[IntervalUsage { power_min: Some(Power(3_000_000)), ..row(0) }]);
    check(&[IntervalUsage { start: UnixMillis(i64::MAX), ..row(0) }]);
    let all: Vec<_> = (0..96).map(row).collect();
    assert_eq!(block(&all).unwrap().rows(), all);
    assert!(of_rows(Uuid::nil(), MeterId(Uuid::nil()), date(1969, 12, 31), 0, &[]).is_err());
    assert!(of_rows(Uuid::nil(), MeterId(Uuid::nil()), date(2200, 1, 1), 0, &[]).is_err());
}

#[test]
fn the_block_that_came_must_be_the_one_asked_for() {
    let (one, other) = (block(&[row(0)]).unwrap(), block(&[row(1)]).unwrap());
    assert!(one.reference().open(&other.encode()).is_err());
    let lie = BlockRef { revision: 9, ..one.reference() };
    assert!(lie.open(&one.encode()).is_err());
}

#[test]
fn the_chosen_recorder_holds_and_never_a_sum() {
    let at = |recorder: u128, revision, rows: &[IntervalUsage]| {
        of_rows(Uuid::from_u128(recorder), MeterId(Uuid::nil()), DAY, revision, rows).unwrap().reference()
    };
    let key = (MeterId(Uuid::nil()), DAY);
    let (hub, laptop) = (at(1, 2, &[row(0)]), at(2, 9, &[row(0), row(1)]));
    let mut merger = Merger::default();
    assert_eq!(merger.add(hub), Some(key));
    assert_eq!(merger.add(laptop), Some(key));
    assert_eq!(merger.ruling(key), Some(&laptop));
    assert_eq!(merger.set_primary(key.0, Some(hub.recorder)), vec![key]);
    assert_eq!(merger.ruling(key), Some(&hub));
    // a newer revision of the other changes nothing, and one that came late neither
    assert_eq!(merger.add(at(2, 10, &[row(3)])), None);
    assert_eq!(merger.add(at(1, 1, &[row(5)])), None);
    // the hub takes its day back: the laptop's holds
    assert_eq!(merger.add(at(1, 3, &[])), Some(key));
    assert_eq!(merger.ruling(key).map(|b| b.revision), Some(10));
    assert_eq!(merger.add(at(2, 11, &[])), Some(key));
    assert_eq!(merger.ruling(key), None);
}

#[test]
fn a_flood_of_recorders_is_bounded_and_order_makes_no_difference() {
    let refs: BTreeMap<u128, BlockRef> = (0..200)
        .map(|n| {
            (
                n,
                BlockRef {
                    recorder: Uuid::from_u128(n),
                    revision: n as u64,
                    ..block(&[row(0)]).unwrap().reference()
                },
            )
        })
        .collect();
    let (mut up, mut down) = (Day::default(), Day::default());
    refs.values().for_each(|b| assert_eq!(up.add(*b), b.revision < RECORDERS_MAX as u64));
    refs.values().rev().for_each(|b| assert!(down.add(*b)));
    assert_eq!(up, down);
}
