//! Fields that were changed on several devices without one knowing of the other.

use super::core::Doc;
use super::edit::Write;
use super::limits::{CONFLICT_VALUES_MAX, CONFLICTS_MAX};
use super::schema::{Field, Map, REMOVED, Rule};
use super::types::{Actor, Conflict, ConflictValue, Edit, EditError, Hash};
use super::{Schema, record, value};
use automerge::{Automerge, ObjId, ReadDoc};
use hearthwatt_domain::time::UnixMillis;
use serde_json::Value as Json;
use uuid::Uuid;

impl<S: Schema> Doc<S> {
    /// The fields that devices changed without knowing of each other, and that still wait for
    /// somebody's choice: only those that people decide, only where the values differ, at most
    /// 200. The same list on every device with the same heads.
    pub fn conflicts(&self) -> Vec<Conflict> {
        let maps = self.layout.maps.iter().filter(|m| m.has_decisions());
        maps.flat_map(|m| conflicts_of(&self.am, m)).take(CONFLICTS_MAX).collect()
    }

    /// Writes the chosen one of `conflict.values`, which ends the conflict on every device.
    ///
    /// # Errors
    /// The document is read-only for us, or the conflict is not there any more with that value
    /// ([`EditError::Gone`]).
    pub fn resolve(
        &mut self,
        now: UnixMillis,
        conflict: &Conflict,
        choice: usize,
    ) -> Result<Edit, EditError> {
        self.may_write()?;
        let map = self.layout.map(conflict.kind).ok_or(EditError::Gone)?;
        let (field, _) = record::find(map, &conflict.field).ok_or(EditError::Gone)?;
        let wanted = &conflict.values.get(choice).ok_or(EditError::Gone)?.value;
        let key = record::key(map, conflict.id, &conflict.field);
        let present = one(&self.am, map, &key).ok_or(EditError::Gone)?;
        if !present.values.iter().any(|v| v.value == *wanted) {
            return Err(EditError::Gone);
        }
        let scalar = value::write(wanted, field.shape).ok_or(EditError::Gone)?;
        self.commit(now, map, conflict.id, vec![Write { rest: conflict.field.clone(), value: Some(scalar) }])
    }
}

fn conflicts_of(am: &Automerge, map: &'static Map) -> Vec<Conflict> {
    let keys: Vec<String> = am
        .map_range(map.object(), ..)
        .filter(|item| item.conflict && decided(map, &item.key).is_some())
        .map(|item| item.key.into_owned())
        .collect();
    let conflicts = keys.iter().filter_map(|key| one(am, map, key));
    // what was removed needs no choice, except whether it was
    let of_removed =
        |c: &Conflict| !map.single && c.field != REMOVED.key && record::record(am, map, c.id).is_removed();
    conflicts.filter(|c| !of_removed(c)).collect()
}

fn decided<'k>(map: &'static Map, key: &'k str) -> Option<(Uuid, &'k str, &'static Field)> {
    let (id, rest) = record::split(map, key)?;
    let (field, _) = record::find(map, rest)?;
    (field.rule == Rule::Decided).then_some((id, rest, field))
}

/// The conflict at a key, if there is one.
fn one(am: &Automerge, map: &'static Map, key: &str) -> Option<Conflict> {
    let (id, rest, field) = decided(map, key)?;
    let all = am.get_all(map.object(), key).ok()?;
    // the last one holds, here as in Automerge
    let holds = all.last().and_then(|(v, at)| value::read(am, v, at, field.shape));
    let mut values: Vec<ConflictValue> = Vec::new();
    for (raw, at) in all.iter().rev() {
        let Some(json) = value::read(am, raw, at, field.shape) else { continue };
        let seen = values.iter().any(|v| v.value == json);
        if !seen && values.len() < CONFLICT_VALUES_MAX {
            values.push(written(am, at, json));
        }
    }
    let chosen = values.iter().position(|v| holds.as_ref() == Some(&v.value));
    (values.len() > 1).then(|| Conflict {
        kind: map.kind,
        id,
        field: rest.to_owned(),
        chosen: chosen.unwrap_or(0),
        values,
    })
}

fn written(am: &Automerge, at: &ObjId, value: Json) -> ConflictValue {
    let author = match at {
        ObjId::Id(_, actor, _) => actor.clone(),
        ObjId::Root => Actor::from(&[][..]),
    };
    let hash: Option<Hash> = am.hash_for_opid(at);
    let seconds = hash.and_then(|h| am.get_change_meta_by_hash(&h)).map_or(0, |m| m.timestamp);
    ConflictValue { author, at: UnixMillis(seconds.saturating_mul(1000)), value }
}
