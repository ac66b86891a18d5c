//! The schema changes are the same bytes for ever.

use crate::doc::schema::{HOME, Layout, MEMBER, Step};
use crate::doc::{Actor, Hash};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{Automerge, Change, ObjType, ROOT};

/// Makes the bytes of a step on top of those before it.
pub(super) fn make(before: &[Step], step: &Step, version: u32, maps: &[&str]) -> Change {
    let mut am = Automerge::new().with_actor(Actor::from(step.actor));
    am.apply_changes(before.iter().map(|s| Change::try_from(s.bytes).unwrap())).unwrap();
    let mut tx = am.transaction();
    tx.put(ROOT, "schema_version", i64::from(version)).unwrap();
    tx.put(ROOT, "min_reader", i64::from(step.min_reader)).unwrap();
    for map in maps {
        tx.put_object(ROOT, *map, ObjType::Map).unwrap();
    }
    let (hash, _) = tx.commit_with(CommitOptions::default().with_time(0));
    am.get_changes(&[]).into_iter().find(|c| Some(c.hash()) == hash).unwrap()
}

fn check(layout: &'static Layout, hash: &str) {
    let maps: Vec<&str> = layout.maps.iter().map(|m| m.name).collect();
    let made = make(&[], &layout.steps[0], 1, &maps);
    let text: String = made.raw_bytes().iter().map(|b| format!("\\x{b:02x}")).collect();
    assert_eq!(made.hash().to_string(), hash, "{text}");
    assert_eq!(Hash(layout.steps[0].hash).to_string(), hash);
    assert_eq!(layout.steps[0].bytes, made.raw_bytes(), "{text}");
}

#[test]
fn genesis_is_the_same_bytes_for_ever() {
    check(&HOME, "e6685022338b7e336331f16cb72a6ce1c2fd615f9f3f47b7ba91939ff65464e8");
    check(&MEMBER, "99304c87b22a27e837759bc211feb40b6799d5354af19dd68efed30a78857e04");
}
