//! Two homes that were started offline become one, on purpose.

use super::core::{guarded, measured};
use super::schema::{Map, Rule, Shape};
use super::types::{Access, EditError, Hash, Kind, Merged, Refused};
use super::{HomeDoc, record, touched, value};
use automerge::{Automerge, ObjId, ReadDoc, ScalarValue, Value};
use hearthwatt_domain::time::UnixMillis;

type Writes = Vec<(ObjId, String, ScalarValue)>;

/// Takes another home into ours. A meter that both found is one (its id says what it is); all else
/// has ids of its own. Where both say different things ours holds, and theirs shows in
/// [`super::Doc::conflicts`]. One thing yields: what somebody decided about a meter beats that ours had
/// merely found it.
///
/// # Errors
/// Theirs is no home or damaged, or one of the two is for a newer version to write to. Ours is as
/// before then.
pub fn merge_homes(now: UnixMillis, ours: &mut HomeDoc, theirs: &[u8]) -> Result<Merged, Refused> {
    measured(theirs)?;
    let theirs = HomeDoc::load(theirs, ours.am.get_actor().clone())?;
    for doc in [&*ours, &theirs] {
        if let Access::ReadOnly { needs } = doc.access() {
            return Err(Refused::Newer { needs });
        }
    }
    let before = ours.am.get_heads();
    let mut merged = ours.clone();
    let edit = guarded(|| {
        merged.am.merge(&mut theirs.am.clone())?;
        let keep = disputed(&merged.am, merged.layout.maps, &before);
        if !keep.is_empty() {
            merged.commit_beside(now, &before, &keep)?;
        }
        Ok::<_, automerge::AutomergeError>(touched::between(ours, &merged.am, &before))
    })?;
    adopt(now, &mut merged, &before).map_err(|e| Refused::Damaged(e.to_string()))?;
    *ours = merged;
    Ok(Merged { changes: ours.changes_since(&before), touched: edit })
}

/// The fields where ours is not what holds after the merge, with ours.
fn disputed(am: &Automerge, maps: &'static [Map], before: &[Hash]) -> Writes {
    let mut keep = Writes::new();
    for map in maps.iter().filter(|m| m.has_decisions()) {
        let keys: Vec<String> = am
            .map_range(map.object(), ..)
            .filter(|item| item.conflict)
            .map(|item| item.key.into_owned())
            .collect();
        for key in keys {
            let Some((_, rest)) = record::split(map, &key) else { continue };
            let Some((field, _)) = record::find(map, rest) else { continue };
            let read = |v: &Value<'_>, at: &ObjId| value::read(am, v, at, field.shape);
            let ours = am.get_all_at(map.object(), key.as_str(), before).unwrap_or_default();
            let ours = ours.last().and_then(|(v, at)| read(v, at));
            let holds = am.get(map.object(), key.as_str()).ok().flatten();
            let holds = holds.and_then(|(v, at)| read(&v, &at));
            if field.rule == Rule::Decided
                && ours != holds
                && let Some(scalar) = ours.and_then(|json| value::write(&json, field.shape))
            {
                keep.push((map.object(), key, scalar));
            }
        }
    }
    keep
}

/// Meters that ours had found and theirs had decided on.
fn adopt(now: UnixMillis, merged: &mut HomeDoc, before: &[Hash]) -> Result<(), EditError> {
    let found = |v: &serde_json::Value| v.as_str() == Some("found");
    for conflict in merged.conflicts() {
        let chosen = conflict.values.get(conflict.chosen);
        if conflict.kind != Kind::Meter
            || conflict.field != "adoption"
            || !chosen.is_some_and(|c| found(&c.value))
        {
            continue;
        }
        let ours = merged.am.get_all_at(
            merged.map(Kind::Meter).object(),
            record::key(merged.map(Kind::Meter), conflict.id, "adoption"),
            before,
        );
        let was_ours =
            ours.unwrap_or_default().last().and_then(|(v, at)| value::read(&merged.am, v, at, Shape::Text));
        if was_ours.as_ref().is_some_and(found)
            && let Some(decided) = conflict.values.iter().position(|v| !found(&v.value))
        {
            merged.resolve(now, &conflict, decided)?;
        }
    }
    Ok(())
}
