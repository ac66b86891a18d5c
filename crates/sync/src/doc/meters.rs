//! Meters that measure each other.
//!
//! Two people can each hang a meter below the other's. Someone's usage would then contain itself,
//! so the meter with the lowest id of such a ring counts as if it had no parent.

use super::record::{self, records};
use super::schema::Map;
use automerge::Automerge;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::meter::Meter;
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

type Parents = BTreeMap<MeterId, MeterId>;

fn parent(record: &record::Record) -> Option<MeterId> {
    record.get("parent").and_then(Json::as_str)?.parse().ok()
}

/// The meters whose parent doesn't count.
pub(super) fn cut(am: &Automerge, map: &'static Map) -> BTreeSet<MeterId> {
    let (records, _) = records(am, map);
    let parents: Parents = records
        .iter()
        .filter(|(_, r)| !r.is_removed())
        .filter_map(|(id, r)| Some((MeterId(*id), parent(r)?)))
        .collect();
    cut_of(&parents)
}

fn cut_of(parents: &Parents) -> BTreeSet<MeterId> {
    let mut cut = BTreeSet::new();
    // meters from which the way up is known to end
    let mut ends: BTreeSet<MeterId> = BTreeSet::new();
    for start in parents.keys() {
        let mut way = Vec::new();
        let mut on_way = BTreeSet::new();
        let mut at = *start;
        while !ends.contains(&at) {
            if !on_way.insert(at) {
                let ring = way.iter().skip_while(|m| **m != at).copied();
                cut.extend(ring.min());
                break;
            }
            way.push(at);
            match parents.get(&at) {
                Some(next) => at = *next,
                None => break,
            }
        }
        ends.extend(way);
    }
    cut
}

pub(super) fn without_rings(meters: &mut [Meter], cut: &BTreeSet<MeterId>) {
    for meter in meters.iter_mut().filter(|m| cut.contains(&m.id)) {
        meter.parent = None;
    }
}

/// The recorder that was chosen for a meter.
pub(super) fn primary(record: &record::Record) -> Option<Uuid> {
    Uuid::try_parse(record.get("primary").and_then(Json::as_str)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> MeterId {
        MeterId(Uuid::from_u128(n))
    }

    #[test]
    fn a_ring_is_cut_at_its_lowest_meter() {
        let check = |parents: &[(u128, u128)], cut: &[u128]| {
            let parents = parents.iter().map(|(a, b)| (id(*a), id(*b))).collect();
            assert_eq!(cut_of(&parents), cut.iter().map(|n| id(*n)).collect(), "{parents:?}");
        };
        check(&[(1, 2), (2, 3)], &[]);
        check(&[(4, 4)], &[4]);
        check(&[(2, 1), (1, 2), (5, 2)], &[1]);
        check(&[(9, 7), (7, 8), (8, 9), (1, 9), (3, 5), (5, 3), (2, 6)], &[3, 7]);
    }
}
