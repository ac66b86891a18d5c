//! Which entities changes touch.
//!
//! Told from the operations of the changes themselves: every key names its entity. Patches would
//! leave out what doesn't change the value that holds, such as a choice that ends a conflict.

use super::core::Doc;
use super::schema::Map;
use super::types::{Hash, Kind, Touched};
use super::{Schema, meters, record};
use automerge::legacy::{Key, ObjectId};
use automerge::{Automerge, ObjId, Prop, ReadDoc};
use hearthwatt_domain::ids::MeterId;
use std::collections::BTreeSet;

/// What came into `after` since `heads`; `doc` is as it was then.
pub(super) fn between<S: Schema>(doc: &Doc<S>, after: &Automerge, heads: &[Hash]) -> Vec<Touched> {
    let maps: Vec<(ObjId, &'static Map)> = doc.layout.maps.iter().map(|m| (m.object(), m)).collect();
    let at = |object: &ObjId| maps.iter().find(|(o, _)| o == object).map(|(_, m)| *m);
    let mut touched = BTreeSet::new();
    for change in after.get_changes(heads) {
        for op in change.decode().operations {
            let ObjectId::Id(id) = &op.obj else { continue };
            let object = ObjId::Id(id.0, id.1.clone(), 0);
            let (map, key) = match (at(&object), &op.key) {
                (Some(map), Key::Map(key)) => (map, key.to_string()),
                // inside a text that another program made of a value
                _ => match above(after, &object, at) {
                    Some(found) => found,
                    None => continue,
                },
            };
            if let Some((id, _)) = record::split(map, &key) {
                touched.insert(Touched { kind: map.kind, id });
            }
        }
    }
    if touched.iter().any(|t| t.kind == Kind::Meter) {
        // whether a parent counts depends on the meters above it
        let map = doc.map(Kind::Meter);
        let (was, is) = (meters::cut(&doc.am, map), meters::cut(after, map));
        let changed = was.symmetric_difference(&is);
        touched.extend(changed.map(|MeterId(id)| Touched { kind: Kind::Meter, id: *id }));
    }
    touched.into_iter().collect()
}

fn above(
    am: &Automerge,
    object: &ObjId,
    at: impl Fn(&ObjId) -> Option<&'static Map>,
) -> Option<(&'static Map, String)> {
    am.parents(object).ok()?.find_map(|parent| match parent.prop {
        Prop::Map(key) => Some((at(&parent.obj)?, key)),
        Prop::Seq(_) => None,
    })
}
