//! The client's side: many documents over one connection.
//!
//! The session keeps its own copy of each document. The caller tells it of local edits and is
//! told of remote ones, both as changes, so that nobody waits for a lock over the other's copy.

use std::collections::{BTreeMap, VecDeque};

use automerge::{Automerge, ChangeHash};

use super::budget::Budget;
use super::chunk::measure;
use super::message::Message;
use super::peer::Peer;
use super::replica::{Replica, bounded};
use super::{Limits, Refusal};
use crate::wire::{self, DocumentId, Frame, PROTOCOL_V1, PeerId, PeerMetadata, decode, encode};

/// What happened; in the order in which it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The server has answered; documents are being compared.
    Joined { server: PeerId },
    /// The server has changes that were not here; each after those it depends on. They are
    /// proven to load: apply them to the document and store it.
    Changes { document: DocumentId, changes: Vec<(ChangeHash, Vec<u8>)> },
    /// The server now has everything that is here.
    Acknowledged { document: DocumentId },
    /// The server doesn't know the document, or not for us.
    Unavailable { document: DocumentId },
    /// The server sent something that was refused; the local document is as it was.
    Refused { document: DocumentId, refusal: Refusal },
    /// The server's last words before it closes.
    Error { message: String },
}

/// How a document stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The server has answered on this connection about this document.
    pub compared: bool,
    /// The server doesn't know the document, or not for us.
    pub unavailable: bool,
    /// Why the server's last message about it was refused, if it was; after
    /// [`Limits::refusals`] of them the document rests until the next connection.
    pub refused: Option<Refusal>,
    /// Changes here that the server has not acknowledged as durable.
    pub waiting: u32,
    /// Heads up to which the server has acknowledged; keep them over a restart and give them back
    /// to [`Client::open`], so that `waiting` is right before the server is reached.
    pub acknowledged: Vec<ChangeHash>,
    /// Heads of the copy here.
    pub heads: Vec<ChangeHash>,
}

/// How far the connection is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Off,
    /// `join` is on its way.
    Joining,
    Joined(PeerId),
}

/// One document.
#[derive(Debug)]
struct Slot {
    replica: Replica,
    sync: Peer,
    compared: bool,
    unavailable: bool,
    refused: Option<Refusal>,
    acknowledged: Vec<ChangeHash>,
    /// Whether [`Event::Acknowledged`] was the last word.
    settled: bool,
}

/// One connection to a server and the documents that go over it. It outlives connections.
#[derive(Debug)]
pub struct Client {
    me: PeerId,
    metadata: PeerMetadata,
    limits: Limits,
    frames: wire::Limits,
    phase: Phase,
    out: VecDeque<Frame>,
    slots: BTreeMap<DocumentId, Slot>,
}

impl Client {
    /// `me` is what this client calls itself; any text that no other client uses.
    pub fn new(me: PeerId, metadata: PeerMetadata, limits: Limits) -> Self {
        Self {
            me,
            metadata,
            limits,
            frames: wire::Limits::default(),
            phase: Phase::Off,
            out: VecDeque::new(),
            slots: BTreeMap::new(),
        }
    }

    pub fn me(&self) -> &PeerId {
        &self.me
    }

    /// The server, once it has answered on this connection.
    pub fn server(&self) -> Option<&PeerId> {
        match &self.phase {
            Phase::Joined(server) => Some(server),
            Phase::Off | Phase::Joining => None,
        }
    }

    /// Begins to synchronise a document; again for one that is open, it starts from this copy.
    /// `acknowledged` is what [`Status`] said last time, or nothing.
    ///
    /// # Errors
    /// When too many are open.
    pub fn open(
        &mut self,
        id: DocumentId,
        document: Automerge,
        acknowledged: &[ChangeHash],
    ) -> Result<(), Refusal> {
        if !self.slots.contains_key(&id) {
            let open = self.slots.len() as u64 + 1;
            bounded("open documents", open, self.limits.documents)?;
        }
        let replica = Replica::new(document);
        let mut acknowledged = acknowledged.to_vec();
        let unknown = replica.missing(&acknowledged);
        acknowledged.retain(|hash| !unknown.contains(hash));
        let slot = Slot {
            replica,
            sync: Peer::new(false),
            compared: false,
            unavailable: false,
            refused: None,
            acknowledged,
            settled: false,
        };
        self.slots.insert(id, slot);
        Ok(())
    }

    /// Stops synchronising a document.
    pub fn close(&mut self, id: DocumentId) {
        self.slots.remove(&id);
    }

    pub fn documents(&self) -> impl Iterator<Item = DocumentId> + '_ {
        self.slots.keys().copied()
    }

    /// The socket is open: all documents will be compared anew.
    pub fn connected(&mut self) {
        self.disconnected();
        self.phase = Phase::Joining;
        self.out.push_back(Frame::Join {
            sender: self.me.clone(),
            versions: vec![PROTOCOL_V1.to_owned()],
            metadata: self.metadata.clone(),
        });
    }

    /// The socket is gone.
    pub fn disconnected(&mut self) {
        self.phase = Phase::Off;
        self.out.clear();
        for slot in self.slots.values_mut() {
            slot.sync = Peer::new(false);
            slot.compared = false;
            slot.unavailable = false;
            slot.refused = None;
            slot.settled = false;
        }
    }

    /// Local edits, after they were stored.
    ///
    /// # Errors
    /// When they don't fit this copy: [`open`](Self::open) the document again.
    pub fn edited<'a>(
        &mut self,
        id: DocumentId,
        changes: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), Refusal> {
        let Some(slot) = self.slots.get_mut(&id) else {
            return Ok(());
        };
        let mut unknown = Vec::new();
        for bytes in changes {
            let chunks = measure(bytes, &mut Budget::new(&self.limits))?;
            unknown.extend(slot.replica.unknown(chunks)?);
        }
        let staged = slot.replica.stage(unknown, &self.limits)?;
        if !staged.ahead.is_empty() {
            return Err(Refusal::Stale);
        }
        if let Some(next) = staged.next {
            slot.swap_in(next.replica);
        }
        Ok(())
    }

    /// A frame from the server.
    ///
    /// # Errors
    /// When the frame itself is broken: close the connection. What is wrong with one document is
    /// an [`Event::Refused`].
    pub fn receive(&mut self, frame: &[u8]) -> Result<Vec<Event>, Refusal> {
        let frame = decode(frame, &self.frames)?;
        match frame {
            Frame::Peer { sender, version, .. } => self.joined(sender, &version),
            Frame::Error { message, .. } => Ok(vec![Event::Error { message }]),
            Frame::Sync { document, data, .. } | Frame::Request { document, data, .. } => {
                Ok(self.synced(document, &data))
            }
            Frame::DocUnavailable { document, .. } => Ok(self.unavailable(document)),
            // Presence and gossip about other storages: nothing we asked for.
            Frame::Join { .. }
            | Frame::Leave { .. }
            | Frame::Ephemeral { .. }
            | Frame::RemoteSubscriptionChange { .. }
            | Frame::RemoteHeadsChanged { .. }
            | Frame::Unknown { .. } => Ok(Vec::new()),
        }
    }

    fn joined(&mut self, server: PeerId, version: &str) -> Result<Vec<Event>, Refusal> {
        if self.phase != Phase::Joining {
            return Ok(Vec::new());
        }
        if version != PROTOCOL_V1 {
            return Err(Refusal::Malformed("a version of the protocol we did not offer"));
        }
        self.phase = Phase::Joined(server.clone());
        Ok(vec![Event::Joined { server }])
    }

    fn unavailable(&mut self, document: DocumentId) -> Vec<Event> {
        match self.slots.get_mut(&document) {
            Some(slot) if self.phase != Phase::Off && !slot.unavailable => {
                slot.unavailable = true;
                vec![Event::Unavailable { document }]
            }
            _ => Vec::new(),
        }
    }

    fn synced(&mut self, document: DocumentId, data: &[u8]) -> Vec<Event> {
        if !matches!(self.phase, Phase::Joined(_)) {
            return Vec::new();
        }
        let Some(slot) = self.slots.get_mut(&document) else {
            return Vec::new();
        };
        if slot.sync.is_barred(&self.limits) {
            return Vec::new();
        }
        let mut events = Vec::new();
        match slot.take_in(data, &self.limits) {
            Ok(changes) => {
                if !changes.is_empty() {
                    events.push(Event::Changes { document, changes });
                }
                let settled = slot.waiting() == 0;
                if settled && !slot.settled {
                    events.push(Event::Acknowledged { document });
                }
                slot.settled = settled;
            }
            Err(refusal) => {
                slot.sync.refused(&refusal);
                slot.refused = Some(refusal.clone());
                events.push(Event::Refused { document, refusal });
            }
        }
        events
    }

    /// The next frame to send; call until there is none, after every call that changes anything.
    pub fn poll(&mut self) -> Option<Vec<u8>> {
        if let Some(frame) = self.out.pop_front() {
            return Some(encode(&frame));
        }
        let Phase::Joined(server) = &self.phase else {
            return None;
        };
        for (id, slot) in &mut self.slots {
            if slot.unavailable || slot.sync.is_barred(&self.limits) {
                continue;
            }
            let Some(data) = slot.sync.say(&slot.replica) else {
                continue;
            };
            let (sender, target, document) = (self.me.clone(), server.clone(), *id);
            let asks = !slot.compared && slot.replica.len() == 0;
            return Some(encode(&if asks {
                Frame::Request { sender, target, document, data }
            } else {
                Frame::Sync { sender, target, document, data }
            }));
        }
        None
    }

    /// How a document stands; `None` if it is not open.
    pub fn status(&self, id: DocumentId) -> Option<Status> {
        let slot = self.slots.get(&id)?;
        Some(Status {
            compared: slot.compared,
            unavailable: slot.unavailable,
            refused: slot.refused.clone(),
            waiting: slot.waiting(),
            acknowledged: slot.acknowledged.clone(),
            heads: slot.replica.heads(),
        })
    }
}

impl Slot {
    fn swap_in(&mut self, replica: Replica) {
        self.replica = replica;
        self.replica.settle();
        self.settled = false;
    }

    fn waiting(&self) -> u32 {
        let waiting = self.replica.doc().get_changes_meta(&self.acknowledged).len();
        u32::try_from(waiting).unwrap_or(u32::MAX)
    }

    /// Takes in a message; answers with the changes that were new.
    fn take_in(&mut self, data: &[u8], limits: &Limits) -> Result<Vec<(ChangeHash, Vec<u8>)>, Refusal> {
        let message = Message::read(data, limits)?;
        let chunks = message.chunks(&mut Budget::new(limits))?;
        let brought = !chunks.is_empty();
        let mut new = Vec::new();
        if self.replica.is_news(&chunks) {
            let mut changes = self.replica.unknown(chunks)?;
            changes.extend_from_slice(self.sync.ahead());
            let staged = self.replica.stage(changes, limits)?;
            self.sync.set_ahead(staged.ahead, limits)?;
            if let Some(next) = staged.next {
                self.swap_in(next.replica);
                new = next.changes;
            }
        }
        let heads = message.header.heads.clone();
        self.sync.hear(&mut self.replica, message.header, brought)?;
        self.compared = true;
        self.unavailable = false;
        self.refused = None;
        self.acknowledge(&heads);
        Ok(new)
    }

    /// The server tells its heads only when what leads to them is durable.
    fn acknowledge(&mut self, heads: &[ChangeHash]) {
        let unknown = self.replica.missing(heads);
        if unknown.is_empty() {
            // All it has is here: exactly that is acknowledged, even if it once was more.
            self.acknowledged = heads.to_vec();
            return;
        }
        for head in heads {
            if !unknown.contains(head) && !self.acknowledged.contains(head) {
                self.acknowledged.push(*head);
            }
        }
    }
}
