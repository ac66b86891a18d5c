//! The home document and the members' preferences, typed.
//!
//! A document is an Automerge document with one map per kind of entity. The maps are made by a
//! *genesis* change that is the same bytes on every device, so that two devices that started
//! offline have the same maps and can merge. Inside a map everything is flat: the key is
//! `{uuid}/{field}`, the value a scalar. Two devices that create the same entity (a meter both
//! hear, an alert both raise) then merge field by field; with a map per entity one of the two maps
//! would hide the other. There are no lists and no counters.
//!
//! - A field is what people change on its own. Values that only make sense together (an amount and
//!   its unit, the prices of a tariff) are one field, written as JSON text.
//! - A removed entity keeps its fields and has `removed` = true; putting it again brings it back.
//! - What this version does not know (fields, kinds) is left alone and survives every edit.
//! - What can't be read is skipped and counted, never a panic: other members' devices are free to
//!   write anything.

mod types;

pub use types::*;

use hearthwatt_domain::alert::Alert;
use hearthwatt_domain::budget::Budget;
use hearthwatt_domain::correction::Correction;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::meter::Meter;
use hearthwatt_domain::tariff::Tariff;
use hearthwatt_domain::time::UnixMillis;
use std::collections::BTreeMap;
use std::marker::PhantomData;
use uuid::Uuid;

/// Says which document a [`Doc`] is.
pub trait Schema {}
/// The document that a household shares.
#[derive(Debug, Clone, Copy)]
pub enum Home {}
/// What one member wants for themselves.
#[derive(Debug, Clone, Copy)]
pub enum Member {}
impl Schema for Home {}
impl Schema for Member {}

/// The document of a home.
pub type HomeDoc = Doc<Home>;
/// The preferences of one member.
pub type PrefsDoc = Doc<Member>;

/// A document. It never reads a clock and never makes up an id: the actor is the caller's, fresh
/// and random for each run of the program, and `now` comes with every edit.
#[derive(Debug, Clone)]
pub struct Doc<S> {
    am: automerge::Automerge,
    schema: PhantomData<S>,
}

impl<S: Schema> Doc<S> {
    /// Genesis only. Two documents that are started alike can be merged.
    pub fn start(actor: Actor) -> Self {
        Self { am: automerge::Automerge::new().with_actor(actor), schema: PhantomData }
    }

    /// From [`Doc::save`], with or without changes appended to it (in any order).
    ///
    /// # Errors
    /// The bytes are damaged, or not this kind of document.
    pub fn load(_bytes: &[u8], _actor: Actor) -> Result<Self, Refused> {
        Err(Refused::Damaged(String::from("not yet")))
    }

    /// The whole document with its history, compressed.
    pub fn save(&self) -> Vec<u8> {
        self.am.save()
    }

    /// The changes that nothing follows yet, in ascending order. Equal heads, equal documents.
    pub fn heads(&self) -> Vec<Hash> {
        self.am.get_heads()
    }

    /// Changes that are not ancestors of `heads`, each after what it depends on. Unknown hashes in
    /// `heads` count as nothing.
    pub fn changes_since(&self, _heads: &[Hash]) -> Vec<(Hash, Vec<u8>)> {
        Vec::new()
    }

    /// Takes in changes of other devices, in any order, any number of times. A change that comes
    /// before what it depends on waits inside the document. All or nothing: after an error the
    /// document is as before.
    ///
    /// # Errors
    /// Bytes that are no change, or a change that can't be applied.
    pub fn apply<B: AsRef<[u8]>>(&mut self, _changes: &[B]) -> Result<Vec<Touched>, Refused> {
        Err(Refused::Damaged(String::from("not yet")))
    }

    /// For the sync session: to say what we have.
    pub fn automerge(&self) -> &automerge::Automerge {
        &self.am
    }

    /// Whether this program may write here.
    pub fn access(&self) -> Access {
        Access::ReadWrite
    }

    /// The fields that devices changed without knowing of each other, and that still wait for
    /// somebody's choice.
    pub fn conflicts(&self) -> Vec<Conflict> {
        Vec::new()
    }

    /// Writes the chosen one of `conflict.values`.
    ///
    /// # Errors
    /// As any edit; [`EditError::Gone`] if there is no such conflict any more.
    pub fn resolve(
        &mut self,
        _now: UnixMillis,
        _conflict: &Conflict,
        _choice: usize,
    ) -> Result<Edit, EditError> {
        Err(EditError::Gone)
    }
}

impl Doc<Home> {
    /// Writes the fields of an entity that differ from what the document says; creates it, or
    /// brings it back, if need be.
    ///
    /// # Errors
    /// The document is read-only for us, or the entity is not valid.
    pub fn put(&mut self, _now: UnixMillis, _entity: &Entity) -> Result<Edit, EditError> {
        Err(EditError::Gone)
    }

    /// Writes the fields in which `after` differs from `before` (what the person saw when they
    /// began): what others changed meanwhile in other fields stays.
    ///
    /// # Errors
    /// As [`Doc::put`].
    pub fn edit(&mut self, _now: UnixMillis, _before: &Entity, _after: &Entity) -> Result<Edit, EditError> {
        Err(EditError::Gone)
    }

    /// Hides an entity everywhere. One that isn't there is no error and no change.
    ///
    /// # Errors
    /// The document is read-only for us.
    pub fn remove(&mut self, _now: UnixMillis, _id: EntityId) -> Result<Edit, EditError> {
        Err(EditError::Gone)
    }

    /// Writes the fields that are given and differ.
    ///
    /// # Errors
    /// The document is read-only for us, or a value is not valid.
    pub fn put_profile(&mut self, _now: UnixMillis, _profile: &Profile) -> Result<Edit, EditError> {
        Err(EditError::Gone)
    }

    /// The recorder whose rows count for a meter, if the household chose one. A recorder is an
    /// installation of the program.
    ///
    /// # Errors
    /// The document is read-only for us.
    pub fn put_primary(
        &mut self,
        _now: UnixMillis,
        _meter: MeterId,
        _recorder: Option<Uuid>,
    ) -> Result<Edit, EditError> {
        Err(EditError::Gone)
    }

    pub fn profile(&self) -> Profile {
        Profile::default()
    }
    /// All of these are in the order of their ids.
    pub fn meters(&self) -> Read<Meter> {
        Read::default()
    }
    pub fn tariffs(&self) -> Read<Tariff> {
        Read::default()
    }
    pub fn budgets(&self) -> Read<Budget> {
        Read::default()
    }
    pub fn alerts(&self) -> Read<Alert> {
        Read::default()
    }
    pub fn corrections(&self) -> Read<Correction> {
        Read::default()
    }
    pub fn primaries(&self) -> BTreeMap<MeterId, Uuid> {
        BTreeMap::new()
    }
    /// One entity; `None` if there is none, it was removed, or it can't be read.
    pub fn get(&self, _id: EntityId) -> Option<Entity> {
        None
    }
}

impl Doc<Member> {
    pub fn prefs(&self) -> Prefs {
        Prefs::default()
    }
    /// Writes what differs.
    ///
    /// # Errors
    /// The document is read-only for us, or a value is not valid.
    pub fn put_prefs(&mut self, _now: UnixMillis, _prefs: &Prefs) -> Result<Edit, EditError> {
        Err(EditError::Gone)
    }
}

/// Takes another home into ours, on purpose: two homes that were started offline become one. A
/// meter that both found is one. Where both say different things ours holds, and theirs shows in
/// [`Doc::conflicts`].
///
/// # Errors
/// Theirs is no home, damaged, or made for a newer version that we must not write to.
pub fn merge_homes(_now: UnixMillis, _ours: &mut HomeDoc, _theirs: &[u8]) -> Result<Merged, Refused> {
    Err(Refused::Damaged(String::from("not yet")))
}
