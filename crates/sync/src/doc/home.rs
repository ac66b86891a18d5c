//! The document of a home, typed.

use super::core::Doc;
use super::edit::{Plan, Write};
use super::entity::{self, Checked, Fields, check, decode, decode_entity, encode, encode_entity};
use super::record::{Record, record, records};
use super::schema::{Map, PRIMARY, REMOVED};
use super::types::{Edit, EditError, Entity, EntityId, Kind, Profile, Read};
use super::{Home, meters};
use automerge::ScalarValue;
use hearthwatt_domain::alert::Alert;
use hearthwatt_domain::budget::Budget;
use hearthwatt_domain::correction::Correction;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::meter::Meter;
use hearthwatt_domain::tariff::Tariff;
use hearthwatt_domain::time::UnixMillis;
use std::collections::BTreeMap;
use uuid::Uuid;

impl Doc<Home> {
    /// Writes the fields of an entity that differ from what the document says; creates it, or
    /// brings it back, if need be. What an alert is about and when it was acknowledged stay as
    /// they were first said.
    ///
    /// # Errors
    /// The document is read-only for us, or the entity is not valid.
    pub fn put(&mut self, now: UnixMillis, entity: &Entity) -> Result<Edit, EditError> {
        self.write(now, None, entity)
    }

    /// Writes the fields in which `after` differs from `before` (what the person saw when they
    /// began): what others changed meanwhile in other fields stays.
    ///
    /// # Errors
    /// As [`Doc::put`]; [`EditError::Gone`] if the two are not the same entity.
    pub fn edit(&mut self, now: UnixMillis, before: &Entity, after: &Entity) -> Result<Edit, EditError> {
        if before.id() != after.id() {
            return Err(EditError::Gone);
        }
        self.write(now, Some(before), after)
    }

    fn write(&mut self, now: UnixMillis, before: Option<&Entity>, after: &Entity) -> Result<Edit, EditError> {
        self.may_write()?;
        check(after).map_err(EditError::invalid)?;
        let id = after.id();
        let map = self.map(id.kind());
        let record = record(&self.am, map, id.uuid());
        let is_new = record.fields.is_empty();
        if is_new && records(&self.am, map).0.len() >= map.most {
            return Err(EditError::TooMany { most: map.most });
        }
        let readable = decode_entity(map, id.uuid(), &record);
        let there = match &readable {
            Some(entity) => encode_entity(map, entity),
            None => raw(&record),
        };
        let before = match before {
            Some(before) if readable.is_some() => &encode_entity(map, before),
            _ => &there,
        };
        let after = &encode_entity(map, after);
        let plan = Plan { before, after, now: &there, record: &record, heal: readable.is_none() };
        let mut writes = plan.writes(map).map_err(EditError::invalid)?;
        if record.is_removed() {
            writes.push(Write { rest: REMOVED.key.to_owned(), value: Some(ScalarValue::Boolean(false)) });
        }
        self.commit(now, map, id.uuid(), writes)
    }

    /// Hides an entity everywhere. One that isn't there is no error and no change.
    ///
    /// # Errors
    /// The document is read-only for us.
    pub fn remove(&mut self, now: UnixMillis, id: EntityId) -> Result<Edit, EditError> {
        let map = self.map(id.kind());
        let record = record(&self.am, map, id.uuid());
        if record.fields.is_empty() || record.is_removed() {
            return self.may_write().map(|()| Edit::default());
        }
        let write = Write { rest: REMOVED.key.to_owned(), value: Some(ScalarValue::Boolean(true)) };
        self.commit(now, map, id.uuid(), vec![write])
    }

    /// Writes the fields that are given and differ.
    ///
    /// # Errors
    /// The document is read-only for us, or a value is not valid.
    pub fn put_profile(&mut self, now: UnixMillis, profile: &Profile) -> Result<Edit, EditError> {
        entity::check_profile(profile).map_err(EditError::invalid)?;
        let map = self.map(Kind::Profile);
        let record = record(&self.am, map, Uuid::nil());
        let there = encode(map, &self.profile());
        let mut after = there.clone();
        after.extend(encode(map, profile).into_iter().filter(|(_, v)| !v.is_null()));
        let plan = Plan { before: &there, after: &after, now: &there, record: &record, heal: false };
        let writes = plan.writes(map).map_err(EditError::invalid)?;
        self.commit(now, map, Uuid::nil(), writes)
    }

    /// Says whose rows count for a meter. A recorder is an installation of the program.
    ///
    /// # Errors
    /// The document is read-only for us, or there is no such meter.
    pub fn put_primary(
        &mut self,
        now: UnixMillis,
        meter: MeterId,
        recorder: Option<Uuid>,
    ) -> Result<Edit, EditError> {
        self.may_write()?;
        let map = self.map(Kind::Meter);
        let record = record(&self.am, map, meter.0);
        if record.fields.is_empty() {
            return Err(EditError::Gone);
        }
        if meters::primary(&record) == recorder {
            return Ok(Edit::default());
        }
        let value =
            recorder.map_or(ScalarValue::Null, |r| ScalarValue::Str(r.hyphenated().to_string().into()));
        let write = Write { rest: PRIMARY.key.to_owned(), value: Some(value) };
        self.commit(now, map, meter.0, vec![write])
    }

    pub fn profile(&self) -> Profile {
        entity::profile(&record(&self.am, self.map(Kind::Profile), Uuid::nil()))
    }

    pub fn meters(&self) -> Read<Meter> {
        let mut read = self.all(Kind::Meter);
        meters::without_rings(&mut read.items, &meters::cut(&self.am, self.map(Kind::Meter)));
        read
    }

    pub fn tariffs(&self) -> Read<Tariff> {
        self.all(Kind::Tariff)
    }

    pub fn budgets(&self) -> Read<Budget> {
        self.all(Kind::Budget)
    }

    pub fn alerts(&self) -> Read<Alert> {
        self.all(Kind::Alert)
    }

    pub fn corrections(&self) -> Read<Correction> {
        self.all(Kind::Correction)
    }

    /// The recorder that was chosen for each meter that has one.
    pub fn primaries(&self) -> BTreeMap<MeterId, Uuid> {
        let (records, _) = records(&self.am, self.map(Kind::Meter));
        let chosen = records.into_iter().filter_map(|(id, r)| Some((MeterId(id), meters::primary(&r)?)));
        chosen.collect()
    }

    /// The recorder that was chosen for a meter.
    pub fn primary(&self, meter: MeterId) -> Option<Uuid> {
        meters::primary(&record(&self.am, self.map(Kind::Meter), meter.0))
    }

    /// One entity; `None` if there is none, it was removed, or it can't be read.
    pub fn get(&self, id: EntityId) -> Option<Entity> {
        let map = self.map(id.kind());
        let record = record(&self.am, map, id.uuid());
        if record.is_removed() || record.fields.is_empty() {
            return None;
        }
        let mut entity = decode_entity(map, id.uuid(), &record)?;
        if let Entity::Meter(meter) = &mut entity
            && meter.parent.is_some()
        {
            meters::without_rings(std::slice::from_mut(meter), &meters::cut(&self.am, map));
        }
        Some(entity)
    }

    /// Whether an entity is there and was removed: what vanished for another reason can't be read
    /// by this version.
    pub fn is_removed(&self, id: EntityId) -> bool {
        record(&self.am, self.map(id.kind()), id.uuid()).is_removed()
    }

    fn all<T: Checked>(&self, kind: Kind) -> Read<T> {
        let map: &'static Map = self.map(kind);
        let (records, mut skipped) = records(&self.am, map);
        let mut items = Vec::new();
        for (id, record) in records.iter().filter(|(_, r)| !r.is_removed()) {
            match decode(map, *id, record) {
                Some(item) => items.push(item),
                None => skipped = skipped.saturating_add(1),
            }
        }
        Read { items, skipped }
    }
}

fn raw(record: &Record) -> Fields {
    record.fields.iter().filter_map(|(k, v)| Some((*k, v.clone()?))).collect()
}
