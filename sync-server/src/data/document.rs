//! One open document and the task that keeps it.
//!
//! Messages come in through a mailbox, as many as wait are worked on together: each is checked on a
//! copy of the document, their changes go into the store in one write, and only when that is durable
//! does anybody hear of them, the sender included. Whatever fails in the store ends all connections
//! to the document, and the next one reads what the store really has.

use super::actors::Actors;
use super::outbox::{End, Outbox, Room};
use super::{close, compact};
use crate::app::App;
use crate::http::auth::Caller;
use crate::http::metrics::Reason;
use crate::store::{Change, Hash, StoreError, Stored};
use automerge::ChangeHash;
use hearthwatt_sync::doc::{is_schema_actor, schema_changes};
use hearthwatt_sync::session::{Author, Document, Limits, PeerKey, Prepared, Refusal, Right};
use hearthwatt_sync::wire::{self, Frame, PeerId};
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

/// What the server calls itself on the wire.
pub const ME: &str = "hearthwatt-server";

/// Messages that are worked on together.
const TOGETHER: usize = 64;
/// A larger message is worked on away from the threads that answer everybody else.
const HEAVY_BYTES: usize = 4 * 1024;
/// Changes outside of a snapshot after which the document is compacted.
const LOOSE: usize = 500;
/// The same when it is put away.
const LOOSE_IDLE: usize = 50;
/// Connections to one document.
const PEERS: usize = 256;

/// What a connection tells a document.
pub enum ToDocument {
    Join(Member),
    /// The data of a `request` or `sync`.
    Message {
        key: PeerKey,
        data: Vec<u8>,
    },
    /// To be passed on to the others.
    Ephemeral {
        key: PeerKey,
        session: String,
        count: u64,
        data: Vec<u8>,
    },
    Right {
        key: PeerKey,
        right: Right,
    },
    /// There is room for frames again.
    Room,
    Leave {
        key: PeerKey,
    },
}

/// A connection to the document.
pub struct Member {
    pub name: PeerId,
    pub caller: Caller,
    pub right: Right,
    pub outbox: Outbox,
}

/// Starts the task that keeps a document until nobody needs it.
pub fn start(app: &App, id: Uuid, own: mpsc::WeakSender<ToDocument>, mailbox: mpsc::Receiver<ToDocument>) {
    let app = app.clone();
    app.http.metrics.documents_open.inc();
    tokio::spawn(async move {
        let versions = app.data.feed.subscribe(id);
        let mut keeper = Keeper {
            app: app.clone(),
            id,
            own,
            mailbox,
            versions,
            document: None,
            members: HashMap::new(),
            actors: Actors::default(),
            seen: Seen::default(),
        };
        let end = keeper.keep().await;
        keeper.close(end).await;
        app.http.metrics.documents_open.dec();
    });
}

/// What of the store's is in memory.
#[derive(Default)]
struct Seen {
    version: u64,
    snapshots: HashSet<Hash>,
    /// Changes that lie in the store outside of a snapshot.
    loose: HashSet<Hash>,
}

/// Why the task ends.
enum Ending {
    /// Nobody needs the document; what came at that moment is for the next task.
    Idle(Vec<ToDocument>),
    /// The store failed, or has something that can't be.
    Failed { temporary: bool },
    /// The document was deleted.
    Deleted,
}

struct Keeper {
    app: App,
    id: Uuid,
    own: mpsc::WeakSender<ToDocument>,
    mailbox: mpsc::Receiver<ToDocument>,
    versions: watch::Receiver<u64>,
    /// Absent only while another thread works on it.
    document: Option<Document>,
    members: HashMap<PeerKey, Member>,
    actors: Actors,
    seen: Seen,
}

impl From<StoreError> for Ending {
    fn from(e: StoreError) -> Self {
        tracing::warn!(cause = %e, "a document is closed: the store failed");
        Self::Failed { temporary: e.is_temporary() }
    }
}

impl Ending {
    fn broken(what: &dyn std::fmt::Display) -> Self {
        tracing::error!(cause = %what, "a document is closed");
        Self::Failed { temporary: false }
    }
}

impl Keeper {
    async fn keep(&mut self) -> Ending {
        if let Err(ending) = self.load().await {
            return ending;
        }
        let idle = Duration::from_secs(self.app.config.limits.document_idle);
        let mut batch = Vec::with_capacity(TOGETHER);
        loop {
            let turn = tokio::select! {
                n = self.mailbox.recv_many(&mut batch, TOGETHER) => match n {
                    // every sender has gone, the hub's own too
                    0 => return Ending::Idle(Vec::new()),
                    _ => self.turn(batch.drain(..)).await,
                },
                changed = self.versions.changed() => match changed {
                    Ok(()) => self.catch_up().await,
                    Err(_) => Err(Ending::broken(&"the feed has gone")),
                },
                () = tokio::time::sleep(idle), if self.members.is_empty() => {
                    match self.put_away().await {
                        Some(left) => return Ending::Idle(left),
                        None => Ok(()),
                    }
                }
            };
            if let Err(ending) = turn {
                return ending;
            }
            self.tell_all();
        }
    }

    /// Works on the document where it may take long.
    async fn heavy<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Document) -> T + Send + 'static,
    ) -> Result<T, Ending> {
        let _place = self.app.data.heavy.acquire().await.map_err(|e| Ending::broken(&e))?;
        let Some(mut document) = self.document.take() else { return Err(Ending::broken(&"no document")) };
        let task = tokio::task::spawn_blocking(move || {
            let result = work(&mut document);
            (document, result)
        });
        // a panic takes the document with it; the store still has it
        let (document, result) = task.await.map_err(|e| Ending::broken(&e))?;
        self.document = Some(document);
        Ok(result)
    }

    fn document(&mut self) -> Result<&mut Document, Ending> {
        self.document.as_mut().ok_or_else(|| Ending::broken(&"no document"))
    }

    async fn load(&mut self) -> Result<(), Ending> {
        let stored = self.app.store.load(self.id).await?;
        self.seen = Seen {
            version: stored.version,
            snapshots: stored.snapshots.iter().map(|s| s.id).collect(),
            loose: stored.changes.iter().map(|c| c.hash).collect(),
        };
        let id = self.id;
        let place = self.app.data.heavy.acquire().await.map_err(|e| Ending::broken(&e))?;
        let task = tokio::task::spawn_blocking(move || opened(id, &stored));
        let document = task.await.map_err(|e| Ending::broken(&e))?;
        drop(place);
        self.document = Some(document.map_err(|e| Ending::broken(&e))?);
        Ok(())
    }

    /// Works on everything that waited.
    async fn turn(&mut self, batch: impl Iterator<Item = ToDocument>) -> Result<(), Ending> {
        let mut prepared = Vec::new();
        for message in batch {
            match message {
                ToDocument::Join(member) => self.join(member)?,
                ToDocument::Leave { key } => self.leave(key)?,
                ToDocument::Right { key, right } => {
                    self.document()?.set_right(key, right);
                    if let Some(member) = self.members.get_mut(&key) {
                        member.right = right;
                    }
                }
                // everybody is looked at after the turn
                ToDocument::Room => {}
                ToDocument::Ephemeral { key, session, count, data } => {
                    self.pass_on(key, &session, count, &data);
                }
                ToDocument::Message { key, data } => self.message(key, data, &mut prepared).await?,
            }
        }
        self.store(&mut prepared).await?;
        if self.seen.loose.len() >= LOOSE || self.seen.snapshots.len() > 1 {
            self.compact().await?;
        }
        Ok(())
    }

    fn join(&mut self, member: Member) -> Result<(), Ending> {
        let key = member.outbox.key;
        if self.members.len() >= PEERS && !self.members.contains_key(&key) {
            member.outbox.end(End::new(close::TRY_LATER, "too many connections to this document"));
            return Ok(());
        }
        self.document()?.join(key, member.name.clone(), member.right);
        self.members.insert(key, member);
        Ok(())
    }

    fn leave(&mut self, key: PeerKey) -> Result<(), Ending> {
        self.members.remove(&key);
        self.document()?.leave(key);
        Ok(())
    }

    /// Checks one message; what is new in it is to be stored.
    async fn message(
        &mut self,
        key: PeerKey,
        data: Vec<u8>,
        prepared: &mut Vec<Prepared>,
    ) -> Result<(), Ending> {
        let mut received = self.receive(key, &data).await?;
        if matches!(received, Err(Refusal::Busy)) {
            self.store(prepared).await?;
            received = self.receive(key, &data).await?;
        }
        let new = match received {
            Ok(None) => return Ok(()),
            Ok(Some(new)) => new,
            Err(refusal) => {
                self.refused(key, &refusal);
                return Ok(());
            }
        };
        let Some(member) = self.members.get(&key) else {
            self.document()?.refuse(new, &Refusal::NoSuchPeer);
            return Ok(());
        };
        let Some(authors) = authors_to_check(&new) else {
            self.document()?.refuse(new, &Refusal::ForeignActor);
            self.refused(key, &Refusal::ForeignActor);
            return Ok(());
        };
        if self.actors.are_of(&self.app, self.id, &member.caller, &authors).await? {
            prepared.push(new);
        } else {
            self.document()?.refuse(new, &Refusal::ForeignActor);
            self.refused(key, &Refusal::ForeignActor);
        }
        Ok(())
    }

    async fn receive(
        &mut self,
        key: PeerKey,
        data: &[u8],
    ) -> Result<Result<Option<Prepared>, Refusal>, Ending> {
        if data.len() < HEAVY_BYTES {
            return Ok(self.document()?.receive(key, data).map(|r| r.prepared));
        }
        let data = data.to_vec();
        self.heavy(move |document| document.receive(key, &data).map(|r| r.prepared)).await
    }

    /// Makes changes durable, then lets them be told.
    async fn store(&mut self, prepared: &mut Vec<Prepared>) -> Result<(), Ending> {
        if prepared.is_empty() {
            return Ok(());
        }
        let changes: Vec<Change> = prepared
            .iter()
            .flat_map(Prepared::changes)
            .map(|(hash, bytes)| Change { hash: compact::hash_of(hash), bytes: bytes.clone() })
            .collect();
        let begun = Instant::now();
        let version = self.app.store.append_changes(self.id, &changes).await.inspect_err(|_| {
            self.app.http.metrics.store_failures.inc();
        })?;
        self.app.http.metrics.append_seconds.observe(begun.elapsed().as_secs_f64());
        self.app.http.metrics.changes_stored.inc_by(changes.len() as u64);
        self.seen.loose.extend(changes.iter().map(|c| c.hash));
        for new in prepared.drain(..) {
            let key = new.peer();
            if let Err(refusal) = self.document()?.commit(new) {
                // stored, but on top of something that was refused: the peer sends all of it again
                self.refused(key, &refusal);
            }
        }
        if version == self.seen.version + 1 {
            self.seen.version = version;
            Ok(())
        } else {
            // somebody else has written in between
            self.read_others().await
        }
    }

    /// Another process may have written.
    async fn catch_up(&mut self) -> Result<(), Ending> {
        let version = *self.versions.borrow_and_update();
        if version > self.seen.version { self.read_others().await } else { Ok(()) }
    }

    async fn read_others(&mut self) -> Result<(), Ending> {
        let listing = self.app.store.list(self.id).await?;
        if listing.changes.is_empty() && listing.snapshots.is_empty() && !self.document()?.is_empty() {
            return Err(Ending::Deleted);
        }
        let new_to = |seen: &HashSet<Hash>, there: &[Hash]| -> Vec<Hash> {
            there.iter().filter(|hash| !seen.contains(*hash)).copied().collect()
        };
        let Some(document) = &self.document else { return Err(Ending::broken(&"no document")) };
        let known = document.automerge();
        let is_known =
            |hash: &Hash| automerge::ReadDoc::get_change_by_hash(known, &ChangeHash(hash.0)).is_some();
        let mut changes = new_to(&self.seen.loose, &listing.changes);
        changes.retain(|hash| !is_known(hash));
        let snapshots = new_to(&self.seen.snapshots, &listing.snapshots);
        let changes = self.app.store.changes(self.id, &changes).await?;
        let snapshots = self.app.store.snapshots(self.id, &snapshots).await?;
        if !changes.is_empty() || !snapshots.is_empty() {
            let absorbed = self.heavy(move |document| {
                let mut bytes: Vec<Vec<u8>> = changes.into_iter().map(|c| c.bytes).collect();
                for snapshot in &snapshots {
                    bytes.extend(compact::changes_of(&snapshot.bytes, &document.heads())?);
                }
                let absorbed = document.absorb(bytes.iter().map(Vec::as_slice));
                absorbed.map_err(|e| compact::Error::Unreadable(e.to_string()))
            });
            absorbed.await?.map_err(|e| Ending::broken(&e))?;
        }
        self.seen = Seen {
            version: listing.version.max(self.seen.version),
            snapshots: listing.snapshots.into_iter().collect(),
            loose: listing.changes.into_iter().collect(),
        };
        Ok(())
    }

    async fn compact(&mut self) -> Result<(), Ending> {
        let bytes = match self.heavy(|document| document.snapshot()).await? {
            Ok(bytes) => bytes,
            Err(e) => return Err(Ending::broken(&e)),
        };
        match compact::compact(&*self.app.store, self.id, bytes).await {
            Ok(_) => self.app.http.metrics.compactions.inc(),
            Err(compact::Error::Store(e)) => return Err(e.into()),
            Err(e) => return Err(Ending::broken(&e)),
        };
        let listing = self.app.store.list(self.id).await?;
        self.seen.snapshots = listing.snapshots.into_iter().collect();
        self.seen.loose.retain(|hash| listing.changes.contains(hash));
        Ok(())
    }

    /// Sends what each connection is to hear, as far as there is room.
    fn tell_all(&mut self) {
        let Some(document) = &mut self.document else { return };
        let mut gone = Vec::new();
        for (key, member) in &self.members {
            loop {
                match member.outbox.room(self.id, &self.own) {
                    Room::Later => break,
                    Room::Never => {
                        gone.push(*key);
                        break;
                    }
                    Room::Yes(permit) => match document.poll(*key) {
                        Some(frame) => permit.send(wire::encode(&frame)),
                        None => break,
                    },
                }
            }
        }
        for key in gone {
            self.members.remove(&key);
            document.leave(key);
        }
    }

    /// To the others that read this document; nobody keeps it, so nobody misses it.
    fn pass_on(&self, from: PeerKey, session: &str, count: u64, data: &[u8]) {
        let Some(sender) = self.members.get(&from) else { return };
        for (_, member) in self.members.iter().filter(|(key, _)| **key != from) {
            member.outbox.offer(wire::encode(&Frame::Ephemeral {
                sender: sender.name.clone(),
                target: member.name.clone(),
                document: self.id.into(),
                session: session.to_owned(),
                count,
                data: data.to_vec(),
            }));
        }
    }

    fn refused(&mut self, key: PeerKey, refusal: &Refusal) {
        let reason = reason(refusal);
        self.app.http.metrics.sync_refused.get_or_create(&Reason { reason }).inc();
        let Some(member) = self.members.get(&key) else { return };
        let device = member.caller.device;
        tracing::info!(%device, document = %self.id, cause = %refusal, "a message was refused");
        if refusal.is_hostile() {
            member.outbox.end(End::new(close::REFUSED, refusal.to_string()));
        }
    }

    /// Nobody needs the document any more: compacts it if that is worth it.
    async fn put_away(&mut self) -> Option<Vec<ToDocument>> {
        if self.seen.loose.len() >= LOOSE_IDLE && self.compact().await.is_err() {
            // it stays as it is in the store; the next one reads that
            return Some(self.app.data.hub.close_now(self.id, &mut self.mailbox));
        }
        self.app.data.hub.close_if_idle(self.id, &mut self.mailbox)
    }

    async fn close(mut self, ending: Ending) {
        let end = match ending {
            Ending::Idle(left) => {
                if !left.is_empty() {
                    let next = self.app.data.hub.open(&self.app, self.id);
                    for message in left {
                        let _ = next.send(message).await;
                    }
                }
                return;
            }
            Ending::Failed { temporary: true } => {
                End::new(close::TRY_LATER, "the server's database isn't available")
            }
            Ending::Failed { temporary: false } => End::new(close::BROKEN, "the server made a mistake"),
            Ending::Deleted => End::new(close::TRY_LATER, "the document was deleted"),
        };
        let left = self.app.data.hub.close_now(self.id, &mut self.mailbox);
        let joining = left.into_iter().filter_map(|message| match message {
            ToDocument::Join(member) => Some(member),
            _ => None,
        });
        for member in self.members.into_values().chain(joining) {
            member.outbox.end(end.clone());
        }
    }
}

/// The document as it is stored.
fn opened(id: Uuid, stored: &Stored) -> Result<Document, compact::Error> {
    let unreadable = |e: Refusal| compact::Error::Unreadable(e.to_string());
    let (first, others) = match stored.snapshots.split_first() {
        None => (None, &[][..]),
        Some((first, others)) => (Some(first.bytes.as_slice()), others),
    };
    let changes = stored.changes.iter().map(|c| c.bytes.as_slice());
    let mut document =
        Document::load(id.into(), PeerId::from(ME), Limits::default(), first, changes).map_err(unreadable)?;
    for other in others {
        let changes = compact::changes_of(&other.bytes, &document.heads())?;
        document.absorb(changes.iter().map(Vec::as_slice)).map_err(unreadable)?;
    }
    Ok(document)
}

/// For the metrics: what is wrong, without what the peer wrote.
fn reason(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NoSuchPeer => "no_such_peer",
        Refusal::Barred => "barred",
        Refusal::ReadOnly => "read_only",
        Refusal::TooMuch { .. } => "too_much",
        Refusal::Malformed(_) => "malformed",
        Refusal::Change { .. } => "change",
        Refusal::Damaging(_) => "damaging",
        Refusal::ForeignActor => "foreign_actor",
        Refusal::Busy => "busy",
        Refusal::Stale => "stale",
        Refusal::Frame(_) => "frame",
    }
}

/// Authors whose device matters: not those of the schema's own changes, which are the same bytes on
/// every device. `None` if somebody else writes as one of these.
fn authors_to_check(new: &Prepared) -> Option<Vec<Author>> {
    let (schema, others): (Vec<_>, Vec<_>) =
        new.authors().iter().cloned().partition(|author| is_schema_actor(&author.actor));
    let written: u64 = schema.iter().map(|author| author.last - author.first + 1).sum();
    let genuine: HashSet<ChangeHash> = schema_changes().map(|(hash, _)| hash).collect();
    let known = new.changes().iter().filter(|(hash, _)| genuine.contains(hash)).count() as u64;
    (written == known).then_some(others)
}
