//! The home document behind the store.
//!
//! What the household shares is true in the document; the JSON documents in the store are its
//! projection. A change of either is written with what it means for the other in one transaction,
//! and only then true in memory. The document in memory is one owner's, behind a lock that is held
//! from the edit until it is stored; whoever gives up in between leaves it marked, and the next one
//! reads it from the store again.

use super::project::{self, Step};
use crate::core::Core;
use crate::words::invalid;
use hearthwatt_api::{ApiError, ErrorCode, Settings};
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::meter::Adoption;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_store::{DocumentChange, SharedBytes, SharedWrite, Store, StoreError};
use hearthwatt_sync::doc::{
    Access, Actor, Conflict, Edit, EditError, Entity, EntityId, Hash, HomeDoc, Refused,
};
use uuid::Uuid;

/// The store's name of the home document.
pub(crate) const HOME_DOCUMENT: &str = "home";
/// A document that could not be read is kept under this name.
const DAMAGED: &str = "home.damaged";
/// Changes after which the stored document is written anew as a whole.
const COMPACT_AFTER: usize = 512;

/// The one copy in memory that is edited.
pub(crate) struct Held {
    doc: HomeDoc,
    /// It says more than is known to be stored.
    ahead: bool,
    /// Changes stored since the last snapshot.
    loose: usize,
}

/// A document as it is opened with the home.
pub(crate) struct OpenedDoc {
    pub(crate) held: Held,
    /// It was damaged and has been made anew of its projection.
    pub(crate) remade: bool,
}

pub(crate) fn random_actor() -> Result<Actor, ApiError> {
    Ok(Actor::from(super::random::<16>()?))
}

/// What is stored, or `None` if there is nothing.
fn read(bytes: &SharedBytes, actor: Actor) -> Option<Result<HomeDoc, Refused>> {
    if bytes.is_empty() {
        return None;
    }
    let mut all = bytes.snapshot.clone().unwrap_or_default();
    bytes.changes.iter().for_each(|c| all.extend_from_slice(c));
    Some(HomeDoc::load(&all, actor))
}

/// Opens the document with its home. One that is not there yet is made of what the home says.
///
/// # Errors
/// The store's.
pub(crate) fn open(
    store: &mut Store,
    actor: Actor,
    recorder: Uuid,
    now: UnixMillis,
    settings: &Settings,
    load: impl FnOnce() -> Result<Vec<Step>, StoreError>,
) -> Result<OpenedDoc, StoreError> {
    let stored = store.reader()?.shared(HOME_DOCUMENT)?;
    let damaged = match read(&stored, actor.clone()) {
        Some(Ok(doc)) => {
            // a program that understands more of it reads more out of it
            if let Ok(documents) = project::whole(&doc, settings) {
                let documents = differing(store, documents)?;
                if !documents.is_empty() {
                    store.put_documents(&documents)?;
                }
            }
            correct(store, &doc)?;
            let held = Held { doc, ahead: false, loose: stored.changes.len() };
            return Ok(OpenedDoc { held, remade: false });
        }
        Some(Err(refused)) => {
            tracing::error!(%refused, "the home document is damaged; it is made anew of what was read from it");
            true
        }
        None => false,
    };
    let mut doc = HomeDoc::start(actor);
    for step in load()? {
        if let Err(error) = apply(&mut doc, now, &step, recorder) {
            // what can't be shared stays on this device
            tracing::warn!(%error, ?step, "left out of the home document");
        }
    }
    if damaged {
        let all: Vec<u8> =
            stored.snapshot.into_iter().flatten().chain(stored.changes.into_iter().flatten()).collect();
        store.put_shared(&SharedWrite {
            document: DAMAGED.into(),
            snapshot: Some(all),
            ..SharedWrite::default()
        })?;
    }
    let snapshot = Some(doc.save());
    store.put_shared(&SharedWrite { document: HOME_DOCUMENT.into(), snapshot, ..SharedWrite::default() })?;
    Ok(OpenedDoc { held: Held { doc, ahead: false, loose: 0 }, remade: damaged })
}

/// Corrections that the end came before, or that came with the whole document.
fn correct(store: &mut Store, doc: &HomeDoc) -> Result<(), StoreError> {
    let wanted = doc.corrections().items;
    if wanted.is_empty() {
        return Ok(());
    }
    let there = store.reader()?.corrections(None)?;
    for correction in &wanted {
        if !there.contains(correction) {
            match store.correct(correction) {
                Err(error) if error.may_retry() || error.is_corrupt() => return Err(error),
                Err(error) => tracing::warn!(%error, id = %correction.id, "a correction can't be laid over"),
                Ok(_) => {}
            }
        }
    }
    Ok(())
}

/// Those that say something else than what is stored.
fn differing(store: &Store, documents: Vec<DocumentChange>) -> Result<Vec<DocumentChange>, StoreError> {
    let reader = store.reader()?;
    let mut out = Vec::new();
    for change in documents {
        let DocumentChange::Put { kind, id, json } = &change else { continue };
        if reader.document(kind, id)?.is_none_or(|d| d.json != *json) {
            out.push(change);
        }
    }
    Ok(out)
}

/// One step in the document. The first device that adopts a meter is its primary recorder.
fn apply(doc: &mut HomeDoc, now: UnixMillis, step: &Step, recorder: Uuid) -> Result<Edit, EditError> {
    let mut edit = Edit::default();
    let mut more = |e: Edit| edit.changes.extend(e.changes);
    match step {
        Step::Put(Entity::Alert(alert)) => {
            let id = EntityId::Alert(alert.id);
            // raised by another device meanwhile: it is the same alert, and was said already
            match doc.get(id) {
                Some(Entity::Alert(there)) => {
                    let mut after = there.clone();
                    after.acknowledged_at = there.acknowledged_at.or(alert.acknowledged_at);
                    more(doc.edit(now, &Entity::Alert(there), &Entity::Alert(after))?);
                }
                _ => more(doc.put(now, &Entity::Alert(alert.clone()))?),
            }
        }
        Step::Put(Entity::Meter(meter)) => {
            let adopted =
                |e: &Option<Entity>| matches!(e, Some(Entity::Meter(m)) if m.adoption == Adoption::Adopted);
            let before = adopted(&doc.get(EntityId::Meter(meter.id)));
            more(doc.put(now, &Entity::Meter(meter.clone()))?);
            if !before && meter.adoption == Adoption::Adopted && !doc.primaries().contains_key(&meter.id) {
                more(doc.put_primary(now, meter.id, Some(recorder))?);
            }
        }
        Step::Put(entity) => more(doc.put(now, entity)?),
        Step::Remove(id) => more(doc.remove(now, *id)?),
        Step::Profile(profile) => more(doc.put_profile(now, profile)?),
    }
    Ok(edit)
}

pub(crate) fn refused(error: EditError) -> ApiError {
    match error {
        EditError::ReadOnly { .. } => read_only(),
        EditError::Invalid { message, .. } => invalid(message),
        EditError::TooMany { most } => invalid(format!("At most {most} of this kind.")),
        EditError::Gone => invalid("It has been changed meanwhile: look at it again."),
        EditError::Failed(why) => ApiError {
            code: ErrorCode::Internal,
            message: format!("The home document could not be changed ({why})."),
            retry: true,
        },
    }
}

pub(crate) fn read_only() -> ApiError {
    ApiError {
        code: ErrorCode::Forbidden,
        message: "This home was written by a newer Hearthwatt: update this one to make changes.".into(),
        retry: false,
    }
}

pub(crate) fn refused_bytes(error: Refused) -> ApiError {
    match error {
        Refused::Newer { .. } => read_only(),
        error => ApiError {
            code: ErrorCode::Server,
            message: format!("The home from the server can't be read ({error})."),
            retry: false,
        },
    }
}

fn hashed(changes: &[(Hash, Vec<u8>)]) -> Vec<([u8; 32], Vec<u8>)> {
    changes.iter().map(|(hash, bytes)| (hash.0, bytes.clone())).collect()
}

impl Held {
    pub(crate) fn doc(&self) -> &HomeDoc {
        &self.doc
    }

    pub(crate) fn needs(&self) -> Option<u32> {
        match self.doc.access() {
            Access::ReadWrite => None,
            Access::ReadOnly { needs } => Some(needs),
        }
    }

    /// Writes the chosen value of a conflict; to be stored with [`Core::store`].
    pub(crate) fn resolve(
        &mut self,
        now: UnixMillis,
        conflict: &Conflict,
        choice: usize,
    ) -> Result<Edit, EditError> {
        self.ahead = true;
        self.doc.resolve(now, conflict, choice)
    }

    /// Another copy takes its place, as it was just stored.
    pub(crate) fn replace(&mut self, doc: HomeDoc) {
        *self = Held { doc, ahead: false, loose: 0 };
    }
}

impl Core {
    /// The document, as it is stored.
    pub(crate) async fn document(&self) -> Result<tokio::sync::MutexGuard<'_, Held>, ApiError> {
        let mut held = self.share.document.lock().await;
        if held.ahead {
            let actor = random_actor()?;
            // through the writer: after whatever of ours still waits there
            let stored = self.writer.run(|store| store.reader()?.shared(HOME_DOCUMENT)).await?;
            match read(&stored, actor) {
                Some(Ok(doc)) => *held = Held { doc, ahead: false, loose: stored.changes.len() },
                _ => {
                    return Err(ApiError {
                        code: ErrorCode::Storage,
                        message: "The home document can't be read back: start Hearthwatt again.".into(),
                        retry: false,
                    });
                }
            }
        }
        Ok(held)
    }

    /// Writes documents; what the household shares goes through the home document.
    pub(crate) async fn write(&self, changes: Vec<DocumentChange>) -> Result<(), ApiError> {
        if !changes.iter().any(project::is_shared) {
            if changes.is_empty() {
                return Ok(());
            }
            return self.writer.run(move |store| store.put_documents(&changes)).await;
        }
        let mut held = self.document().await?;
        let now = self.now();
        let may = self.may_edit(&held);
        let mut edits = Vec::new();
        held.ahead = true;
        for change in changes.iter().filter(|c| project::is_shared(c)) {
            let Some(step) = project::step(change)? else { continue };
            if let Err(error) = &may {
                // what this device found out by itself is its own then
                if matches!(step, Step::Put(Entity::Alert(_))) {
                    continue;
                }
                held.ahead = !edits.is_empty();
                return Err(error.clone());
            }
            if unchanged_profile(&step, held.doc()) {
                continue;
            }
            match apply(&mut held.doc, now, &step, self.share.recorder) {
                Ok(edit) => edits.extend(edit.changes),
                Err(error) => {
                    held.ahead = !edits.is_empty();
                    return Err(refused(error));
                }
            }
        }
        self.store(&mut held, edits, changes).await
    }

    /// Stores changes that are in the document with what they mean for the projection, and hands
    /// them on to be sent.
    pub(crate) async fn store(
        &self,
        held: &mut Held,
        edits: Vec<(Hash, Vec<u8>)>,
        documents: Vec<DocumentChange>,
    ) -> Result<(), ApiError> {
        held.ahead = true;
        let write = SharedWrite {
            document: HOME_DOCUMENT.into(),
            snapshot: None,
            changes: hashed(&edits),
            documents,
        };
        self.writer.run(move |store| store.put_shared(&write)).await?;
        held.ahead = false;
        held.loose += edits.len();
        if !edits.is_empty() {
            self.share.outbox.push(edits.into_iter().map(|(_, bytes)| bytes));
        }
        if !self.share.known().conflicts.is_empty() {
            self.look_for_conflicts(held);
        }
        self.compact(held).await;
        Ok(())
    }

    /// Takes in changes of other devices: stored with their projection, then true in memory, then
    /// told. Gives `false` when there was nothing new.
    pub(crate) async fn take_in(&self, changes: &[(Hash, Vec<u8>)]) -> Result<bool, ApiError> {
        let _edit = self.edit.lock().await;
        let mut held = self.document().await?;
        held.ahead = true;
        let bytes: Vec<&[u8]> = changes.iter().map(|(_, bytes)| bytes.as_slice()).collect();
        let touched = match held.doc.apply(&bytes) {
            Ok(touched) => touched,
            Err(error) => {
                held.ahead = false; // all or nothing
                return Err(ApiError {
                    code: ErrorCode::Server,
                    message: format!("What another device wrote can't be read ({error})."),
                    retry: false,
                });
            }
        };
        let settings = self.state().settings.clone();
        let mut documents = Vec::new();
        for t in &touched {
            match t.entity() {
                Some(id) => documents.extend(project::stored(held.doc(), id)?),
                None => documents.push(crate::documents::put(
                    crate::documents::SETTINGS,
                    crate::documents::HOME,
                    &project::with_profile(&settings, held.doc().profile()),
                )?),
            }
        }
        let write = SharedWrite {
            document: HOME_DOCUMENT.into(),
            snapshot: None,
            changes: hashed(changes),
            documents,
        };
        self.writer.run(move |store| store.put_shared(&write)).await?;
        held.ahead = false;
        held.loose += changes.len();
        let ids: Vec<EntityId> = touched.iter().filter_map(|t| t.entity()).collect();
        let profile = touched.iter().any(|t| t.entity().is_none());
        self.now_true(&held, &ids, profile).await?;
        self.look_at_document(&held);
        self.compact(&mut held).await;
        Ok(!touched.is_empty())
    }

    /// Writes the stored document anew as a whole when many changes lie beside it. What fails is
    /// done another time.
    async fn compact(&self, held: &mut Held) {
        if held.loose < COMPACT_AFTER {
            return;
        }
        let snapshot = held.doc.save();
        // proven to load before it takes the place of what does
        let good = HomeDoc::load(&snapshot, held.doc.automerge().get_actor().clone())
            .is_ok_and(|again| again.heads() == held.doc.heads());
        if !good {
            tracing::error!("the home document does not survive being saved; its changes are kept");
            held.loose = 0;
            return;
        }
        let write = SharedWrite {
            document: HOME_DOCUMENT.into(),
            snapshot: Some(snapshot),
            ..SharedWrite::default()
        };
        match self.writer.run(move |store| store.put_shared(&write)).await {
            Ok(()) => held.loose = 0,
            Err(error) => tracing::warn!(%error, "the home document could not be compacted"),
        }
    }

    /// Meters that this device is the primary recorder of, and all others'.
    pub(crate) async fn primaries(&self) -> Result<std::collections::BTreeMap<MeterId, Uuid>, ApiError> {
        Ok(self.document().await?.doc().primaries())
    }

    /// Whether this device may change what the home shares.
    pub(crate) fn may_edit(&self, held: &Held) -> Result<(), ApiError> {
        if held.needs().is_some() {
            return Err(read_only());
        }
        self.share.may_edit()
    }
}

/// The settings are saved as a whole; a device's own switch alone is no change of the home.
fn unchanged_profile(step: &Step, doc: &HomeDoc) -> bool {
    matches!(step, Step::Profile(profile) if *profile == doc.profile())
}
