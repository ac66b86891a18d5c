//! What every document can do, whatever it holds: load, save, exchange changes.

use super::edit::Write;
use super::schema::{self, Layout, Map};
use super::types::{Access, Actor, Edit, EditError, Hash, Refused, Touched};
use super::{Schema, limits, record, touched};
use crate::session::Refusal;
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{Automerge, Change, LoadOptions, PatchLog, ROOT, ReadDoc, ScalarValue, Value};
use hearthwatt_domain::time::UnixMillis;
use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A document. It never reads a clock and never makes up an id: the actor is the caller's, fresh
/// and random for each run of the program, and `now` comes with every edit.
#[derive(Debug, Clone)]
pub struct Doc<S> {
    pub(super) am: Automerge,
    pub(super) layout: &'static Layout,
    /// Changes inside that wait for what they depend on.
    waiting: BTreeSet<Hash>,
    schema: PhantomData<S>,
}

impl<S: Schema> Doc<S> {
    /// Genesis only. Two documents that are started alike can be merged.
    pub fn start(actor: Actor) -> Self {
        Self::start_as(S::layout(), actor)
    }

    pub(super) fn start_as(layout: &'static Layout, actor: Actor) -> Self {
        let mut am = Automerge::new().with_actor(actor);
        // a test holds that every step that stands in the program applies
        let _ = am.apply_changes(layout.steps.iter().filter_map(|s| Change::try_from(s.bytes).ok()));
        Self { am, layout, waiting: BTreeSet::new(), schema: PhantomData }
    }

    /// From [`Doc::save`], with or without changes appended to it (in any order).
    ///
    /// # Errors
    /// The bytes are damaged, or not this kind of document.
    pub fn load(bytes: &[u8], actor: Actor) -> Result<Self, Refused> {
        Self::load_as(S::layout(), bytes, actor)
    }

    pub(super) fn load_as(layout: &'static Layout, bytes: &[u8], actor: Actor) -> Result<Self, Refused> {
        if bytes.len() > limits::DOCUMENT_BYTES_MAX {
            return Err(Refused::TooLarge { most: limits::DOCUMENT_BYTES_MAX });
        }
        let am = guarded(|| Automerge::load_with_options(bytes, LoadOptions::new()))?.with_actor(actor);
        let genesis = layout.steps.first().map(|s| Hash(s.hash));
        if !genesis.is_some_and(|g| knows(&am, &g)) {
            return Err(Refused::Foreign);
        }
        Ok(Self { am, layout, waiting: BTreeSet::new(), schema: PhantomData })
    }

    /// The whole document with its history, compressed.
    pub fn save(&self) -> Vec<u8> {
        self.am.save()
    }

    /// The changes that nothing follows yet, in ascending order. Equal heads, equal documents.
    pub fn heads(&self) -> Vec<Hash> {
        let mut heads = self.am.get_heads();
        heads.sort();
        heads
    }

    /// Changes that are not ancestors of `heads`, each after what it depends on. Unknown hashes in
    /// `heads` count as nothing.
    pub fn changes_since(&self, heads: &[Hash]) -> Vec<(Hash, Vec<u8>)> {
        let known: Vec<Hash> = heads.iter().copied().filter(|h| knows(&self.am, h)).collect();
        let changes = self.am.get_changes(&known);
        changes.into_iter().map(|mut c| (c.hash(), c.bytes().into_owned())).collect()
    }

    /// For the sync session: what we have.
    pub const fn automerge(&self) -> &Automerge {
        &self.am
    }

    /// Takes in changes of other devices, in any order, any number of times. A change that comes
    /// before what it depends on waits inside the document. All or nothing: after an error the
    /// document is as before. Returns what is to be read again, each once; what came in may also
    /// have changed [`Doc::access`] and [`Doc::conflicts`].
    ///
    /// # Errors
    /// Bytes that are no change, or a change that can't be applied.
    pub fn apply<B: AsRef<[u8]>>(&mut self, changes: &[B]) -> Result<Vec<Touched>, Refused> {
        let mut new = Vec::new();
        for bytes in changes {
            let bytes = bytes.as_ref();
            if bytes.len() > limits::CHANGE_BYTES_MAX {
                return Err(Refused::TooLarge { most: limits::CHANGE_BYTES_MAX });
            }
            measured(bytes)?;
            let change = guarded(|| Change::try_from(bytes))?;
            if !knows(&self.am, &change.hash()) {
                self.refuse_forged(&change)?;
                new.push(change);
            }
        }
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let hashes: Vec<Hash> = new.iter().map(Change::hash).collect();
        let mut am = self.am.clone();
        let before = am.get_heads();
        let touched = guarded(|| {
            am.apply_changes(new)?;
            Ok::<_, automerge::AutomergeError>(touched::between(self, &am, &before))
        })?;
        let waiting = self.waiting.iter().chain(&hashes);
        let waiting: BTreeSet<Hash> = waiting.copied().filter(|h| !knows(&am, h)).collect();
        if waiting.len() > limits::WAITING_MAX {
            return Err(Refused::Damaged(String::from("too many changes without what they depend on")));
        }
        (self.am, self.waiting) = (am, waiting);
        Ok(touched)
    }

    /// A change under a schema author that isn't one of the schema changes we know would take the
    /// place of a genuine one.
    fn refuse_forged(&self, change: &Change) -> Result<(), Refused> {
        let actor = change.actor_id();
        let ours = schema::schema_changes().any(|(_, bytes)| {
            Change::try_from(bytes).is_ok_and(|c| c.actor_id() == actor && c.hash() != change.hash())
        });
        if ours { Err(Refused::Damaged(String::from("a forged schema change"))) } else { Ok(()) }
    }

    /// Whether this program may write here.
    pub fn access(&self) -> Access {
        let needs = self.number("min_reader");
        if needs > self.layout.version() { Access::ReadOnly { needs } } else { Access::ReadWrite }
    }

    /// The newest schema version that wrote here.
    pub fn schema_version(&self) -> u32 {
        self.number("schema_version")
    }

    /// Of several values the largest: one that only goes up.
    fn number(&self, name: &str) -> u32 {
        let values = self.am.get_all(ROOT, name).unwrap_or_default();
        let numbers = values.iter().filter_map(|(v, _)| match v {
            Value::Scalar(s) => match s.as_ref() {
                ScalarValue::Int(n) => u32::try_from(*n).ok(),
                ScalarValue::Uint(n) => u32::try_from(*n).ok(),
                _ => None,
            },
            Value::Object(_) => None,
        });
        numbers.max().unwrap_or(0)
    }

    pub(super) fn map(&self, kind: super::Kind) -> &'static Map {
        // every kind of entity of a document has its map: a test goes through them
        self.layout.map(kind).unwrap_or(&self.layout.maps[0])
    }

    /// Writes to one map in one change, after the schema changes that are still missing.
    pub(super) fn commit(
        &mut self,
        now: UnixMillis,
        map: &Map,
        id: uuid::Uuid,
        writes: Vec<Write>,
    ) -> Result<Edit, EditError> {
        self.may_write()?;
        if writes.is_empty() {
            return Ok(Edit::default());
        }
        let before = self.am.get_heads();
        let failed = |e: automerge::AutomergeError| EditError::Failed(e.to_string());
        for step in self.layout.steps.iter().filter(|s| !knows(&self.am, &Hash(s.hash))).collect::<Vec<_>>() {
            let change = Change::try_from(step.bytes).map_err(|e| EditError::Failed(e.to_string()))?;
            self.am.apply_changes([change]).map_err(failed)?;
        }
        let mut tx = self.am.transaction();
        for write in writes {
            let key = record::key(map, id, &write.rest);
            let done = match write.value {
                Some(value) => tx.put(map.object(), key, value),
                None => tx.delete(map.object(), key),
            };
            if let Err(e) = done {
                tx.rollback();
                return Err(failed(e));
            }
        }
        tx.commit_with(CommitOptions::default().with_time(now.0.div_euclid(1000)));
        Ok(Edit { changes: self.changes_since(&before) })
    }

    pub(super) fn may_write(&self) -> Result<(), EditError> {
        match self.access() {
            Access::ReadWrite => Ok(()),
            Access::ReadOnly { needs } => Err(EditError::ReadOnly { needs }),
        }
    }

    /// Writes values as if it had been done at `heads`, so that they stand beside what has come
    /// since, and hold.
    pub(super) fn commit_beside(
        &mut self,
        now: UnixMillis,
        heads: &[Hash],
        writes: &[(automerge::ObjId, String, ScalarValue)],
    ) -> Result<(), automerge::AutomergeError> {
        let mut tx = match self.am.transaction_at(PatchLog::inactive(), heads) {
            Ok(tx) => tx,
            Err(_) => return Err(automerge::AutomergeError::InvalidHash(Hash([0; 32]))),
        };
        for (object, key, value) in writes {
            // putting the same value again would be no operation at all
            let done =
                tx.delete(object, key.as_str()).and_then(|()| tx.put(object, key.as_str(), value.clone()));
            if let Err(e) = done {
                tx.rollback();
                return Err(e);
            }
        }
        tx.commit_with(CommitOptions::default().with_time(now.0.div_euclid(1000)));
        Ok(())
    }
}

pub(super) fn knows(am: &Automerge, hash: &Hash) -> bool {
    am.get_change_meta_by_hash(hash).is_some()
}

/// Before Automerge sees bytes from elsewhere: it inflates whatever they hold, and reads a change
/// without looking at the checksum that it insists on when it loads the document again.
pub(super) fn measured(bytes: &[u8]) -> Result<(), Refused> {
    crate::session::measured(bytes).map_err(|refusal| match refusal {
        Refusal::TooMuch { limit, .. } => {
            Refused::TooLarge { most: usize::try_from(limit).unwrap_or(usize::MAX) }
        }
        other => Refused::Damaged(other.to_string()),
    })
}

/// Automerge checks what it reads, but not everything: what still makes it panic is refused too
/// (where a panic can be caught).
pub(super) fn guarded<T, E: std::fmt::Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Refused> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|e| Refused::Damaged(e.to_string())),
        Err(_) => Err(Refused::Damaged(String::from("a change that can't be"))),
    }
}
