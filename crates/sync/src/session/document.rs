//! The server's side of one document.

use automerge::{ActorId, ChangeHash};

use super::{Limits, Refusal};
use crate::wire::{DocumentId, Frame, PeerId};

/// The caller's number of a connection. Two connections may name themselves alike; their numbers
/// differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey(pub u64);

/// What a peer may do with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    Read,
    Write,
}

/// Who wrote new changes: from which number on, and up to which. `first` is 1 for an actor that
/// the document has not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    pub actor: ActorId,
    pub first: u64,
    pub last: u64,
}

/// What came of a message.
#[derive(Debug)]
pub struct Received {
    /// New changes, if there were any: make them durable, then [`Document::commit`] them.
    pub prepared: Option<Prepared>,
}

/// Changes that passed every check and wait to be made durable.
#[derive(Debug)]
pub struct Prepared {
    changes: Vec<(ChangeHash, Vec<u8>)>,
    authors: Vec<Author>,
}

impl Prepared {
    /// The new changes, each after those it depends on.
    pub fn changes(&self) -> &[(ChangeHash, Vec<u8>)] {
        &self.changes
    }

    /// Whose they are; [`Document::refuse`] them if an actor belongs to another device.
    pub fn authors(&self) -> &[Author] {
        &self.authors
    }
}

/// One document at the server, with the peers that are connected.
#[derive(Debug)]
pub struct Document {
    id: DocumentId,
}

impl Document {
    /// A document without changes. `me` is what the server calls itself on the wire.
    pub fn new(id: DocumentId, me: PeerId, limits: Limits) -> Self {
        let _ = (me, limits);
        Self { id }
    }

    /// From the store: a snapshot if there is one, and the changes since, in any order.
    pub fn load<'a>(
        id: DocumentId,
        me: PeerId,
        limits: Limits,
        snapshot: Option<&[u8]>,
        changes: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, Refusal> {
        let _ = (me, limits, snapshot, changes.into_iter().count());
        Ok(Self { id })
    }

    pub fn id(&self) -> DocumentId {
        self.id
    }

    /// Heads of what is committed, sorted.
    pub fn heads(&self) -> Vec<ChangeHash> {
        Vec::new()
    }

    /// How many changes are committed.
    pub fn len(&self) -> usize {
        0
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Everything committed as one chunk, proven to load with the same heads.
    pub fn snapshot(&self) -> Result<Vec<u8>, Refusal> {
        Ok(Vec::new())
    }

    /// Ends the session: for a document that nobody uses.
    pub fn into_bytes(self) -> Vec<u8> {
        Vec::new()
    }

    /// A connection wants this document. Joining again under the same key starts anew.
    pub fn join(&mut self, key: PeerKey, peer: PeerId, right: Right) {
        let _ = (key, peer, right);
    }

    /// Its role has changed.
    pub fn set_right(&mut self, key: PeerKey, right: Right) {
        let _ = (key, right);
    }

    /// A connection is gone; all it cost is freed.
    pub fn leave(&mut self, key: PeerKey) {
        let _ = key;
    }

    pub fn peers(&self) -> impl Iterator<Item = PeerKey> + '_ {
        std::iter::empty()
    }

    /// The `data` of a `request` or `sync` frame.
    ///
    /// # Errors
    /// Whatever is wrong with it; document and other peers are unharmed.
    pub fn receive(&mut self, key: PeerKey, data: &[u8]) -> Result<Received, Refusal> {
        let _ = (key, data);
        Ok(Received { prepared: None })
    }

    /// The changes are durable: from now on they are told to everybody. Several may be
    /// outstanding; they are committed in the order in which they were prepared.
    ///
    /// # Errors
    /// [`Refusal::Stale`] when one they stand on was refused: nothing happened, and the peer will
    /// send them again (they may stay in the store: they passed all checks).
    pub fn commit(&mut self, prepared: Prepared) -> Result<(), Refusal> {
        let _ = prepared;
        Ok(())
    }

    /// The caller doesn't want them (or could not make them durable): as if they never came.
    pub fn refuse(&mut self, prepared: Prepared, why: &Refusal) {
        let _ = (prepared, why);
    }

    /// Changes that another process made durable. Returns how many were new.
    pub fn absorb<'a>(&mut self, changes: impl IntoIterator<Item = &'a [u8]>) -> Result<usize, Refusal> {
        Ok(changes.into_iter().count())
    }

    /// The next frame for a peer; call until there is none, after every receive, commit and
    /// absorb.
    pub fn poll(&mut self, key: PeerKey) -> Option<Frame> {
        let _ = key;
        None
    }
}
