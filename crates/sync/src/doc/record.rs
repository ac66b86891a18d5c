//! The flat keys of a map, gathered into one record per entity.

use super::schema::{Field, Map, Shape};
use super::{limits, value};
use automerge::{Automerge, ReadDoc};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use uuid::Uuid;

/// What a document says about one entity, by field: the values that hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Record {
    /// `None`: there is something that can't be read.
    pub fields: BTreeMap<&'static str, Option<Json>>,
}

impl Record {
    pub fn get(&self, field: &str) -> Option<&Json> {
        self.fields.get(field)?.as_ref()
    }

    pub fn is_removed(&self) -> bool {
        self.get("removed") == Some(&Json::Bool(true))
    }

    fn add(&mut self, field: &'static Field, member: Option<&str>, read: Option<Json>) {
        let Some(member) = member else {
            self.fields.insert(field.key, read);
            return;
        };
        let Some(Json::Bool(on)) = read else { return };
        match field.shape {
            Shape::Numbers => {
                let entry = self.fields.entry(field.key).or_insert_with(|| Some(Json::Array(Vec::new())));
                if let (Some(Json::Array(all)), Ok(number), true) = (entry, member.parse::<u16>(), on)
                    && all.len() < limits::MEMBERS_MAX
                {
                    // keys come in the order of their text
                    let number = Json::from(number);
                    let at = all.partition_point(|n| n.as_u64() < number.as_u64());
                    all.insert(at, number);
                }
            }
            _ => {
                let entry =
                    self.fields.entry(field.key).or_insert_with(|| Some(Json::Object(<_>::default())));
                if let Some(Json::Object(all)) = entry
                    && all.len() < limits::MEMBERS_MAX
                {
                    all.insert(member.to_owned(), Json::Bool(on));
                }
            }
        }
    }
}

/// The records of a map in the order of their ids, and how many keys or entities were left out.
pub(crate) fn records(am: &Automerge, map: &'static Map) -> (BTreeMap<Uuid, Record>, u32) {
    let mut all: BTreeMap<Uuid, Record> = BTreeMap::new();
    let mut skipped = 0_u32;
    let mut over = None;
    for item in am.map_range(map.object(), ..) {
        let Some((id, rest)) = split(map, &item.key) else {
            skipped = skipped.saturating_add(1);
            continue;
        };
        if all.len() >= map.most && !all.contains_key(&id) {
            // keys of one entity lie together
            if over != Some(id) {
                over = Some(id);
                skipped = skipped.saturating_add(1);
            }
            continue;
        }
        let Some((field, member)) = find(map, rest) else { continue };
        let read = value::read(am, &item.value.clone().into_value(), &item.id(), field.shape);
        all.entry(id).or_default().add(field, member, read);
    }
    (all, skipped)
}

/// The record of one entity; empty if there is none.
pub(crate) fn record(am: &Automerge, map: &'static Map, id: Uuid) -> Record {
    let mut record = Record::default();
    let mut add = |key: &str, item: &automerge::iter::MapRangeItem<'_>| {
        if let Some((at, rest)) = split(map, key)
            && at == id
            && let Some((field, member)) = find(map, rest)
        {
            let read = value::read(am, &item.value.clone().into_value(), &item.id(), field.shape);
            record.add(field, member, read);
        }
    };
    if map.single {
        am.map_range(map.object(), ..).for_each(|i| add(&i.key, &i));
    } else {
        // '0' follows '/'
        let range = key(map, id, "")..format!("{}0", id.hyphenated());
        am.map_range(map.object(), range).for_each(|i| add(&i.key, &i));
    }
    record
}

/// The id in front of a key, and the rest.
pub(crate) fn split<'k>(map: &Map, key: &'k str) -> Option<(Uuid, &'k str)> {
    if map.single {
        return Some((Uuid::nil(), key));
    }
    let (id, rest) = (key.get(..36)?, key.get(36..)?.strip_prefix('/')?);
    let uuid = Uuid::try_parse(id).ok()?;
    // one spelling only, or an entity would have two sets of fields
    let mut canonical = [0; 36];
    (uuid.hyphenated().encode_lower(&mut canonical) == id).then_some((uuid, rest))
}

/// The key of a field, or of a member of it.
pub(crate) fn key(map: &Map, id: Uuid, rest: &str) -> String {
    if map.single { rest.to_owned() } else { format!("{}/{rest}", id.hyphenated()) }
}

/// The field that a key is for, with the member if it has many. `None` for what only newer
/// versions know.
pub(crate) fn find<'k>(map: &Map, rest: &'k str) -> Option<(&'static Field, Option<&'k str>)> {
    let (name, member) = match rest.split_once('/') {
        Some((name, member)) => (name, Some(member)),
        None => (rest, None),
    };
    let field = map.all_fields().find(|f| f.key == name && f.shape.is_many() == member.is_some())?;
    let fits = match (field.shape, member) {
        (Shape::Numbers, Some(m)) => m.parse::<u16>().is_ok_and(|n| n.to_string() == m),
        (Shape::Flags, Some(m)) => !m.is_empty() && m.len() <= 64 && !m.contains('/'),
        _ => true,
    };
    fits.then_some((field, member))
}
