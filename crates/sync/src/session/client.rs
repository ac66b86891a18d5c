//! The client's side: many documents over one connection.
//!
//! The session keeps its own copy of each document. The caller tells it of local edits and is
//! told of remote ones, both as changes, so that nobody waits for a lock over the other's copy.

use automerge::{Automerge, ChangeHash};

use super::{Limits, Refusal};
use crate::wire::{DocumentId, PeerId, PeerMetadata};

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
    /// Changes here that the server has not acknowledged as durable.
    pub waiting: u32,
    /// Heads up to which the server has acknowledged; keep them over a restart and give them back
    /// to [`Client::open`], so that `waiting` is right before the server is reached.
    pub acknowledged: Vec<ChangeHash>,
}

/// One connection to a server and the documents that go over it. It outlives connections.
#[derive(Debug)]
pub struct Client {
    me: PeerId,
}

impl Client {
    /// `me` is what this client calls itself; any text that no other client uses.
    pub fn new(me: PeerId, metadata: PeerMetadata, limits: Limits) -> Self {
        let _ = (metadata, limits);
        Self { me }
    }

    pub fn me(&self) -> &PeerId {
        &self.me
    }

    /// Begins to synchronise a document; again for one that is open, it starts from this copy.
    /// `acknowledged` is what [`Status`] said last time, or nothing.
    pub fn open(
        &mut self,
        id: DocumentId,
        document: Automerge,
        acknowledged: &[ChangeHash],
    ) -> Result<(), Refusal> {
        let _ = (id, document, acknowledged);
        Ok(())
    }

    /// Stops synchronising a document.
    pub fn close(&mut self, id: DocumentId) {
        let _ = id;
    }

    /// The socket is open.
    pub fn connected(&mut self) {}

    /// The socket is gone.
    pub fn disconnected(&mut self) {}

    /// Local edits, after they were stored.
    pub fn edited<'a>(
        &mut self,
        id: DocumentId,
        changes: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<(), Refusal> {
        let _ = (id, changes.into_iter().count());
        Ok(())
    }

    /// A frame from the server.
    ///
    /// # Errors
    /// When the frame itself is broken: close the connection. What is wrong with one document is
    /// an [`Event::Refused`].
    pub fn receive(&mut self, frame: &[u8]) -> Result<Vec<Event>, Refusal> {
        let _ = frame;
        Ok(Vec::new())
    }

    /// The next frame to send; call until there is none, after every call that changes anything.
    pub fn poll(&mut self) -> Option<Vec<u8>> {
        None
    }

    /// How a document stands; `None` if it is not open.
    pub fn status(&self, id: DocumentId) -> Option<Status> {
        let _ = id;
        None
    }
}
