//! The frames.

use super::{DocumentId, PeerId};

/// The one version of the protocol there is.
pub const PROTOCOL_V1: &str = "1";

/// What a peer says of itself when it joins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerMetadata {
    /// Name of the peer's storage; absent when it keeps nothing.
    pub storage_id: Option<String>,
    /// It won't come back under that name.
    pub is_ephemeral: bool,
}

/// Heads of a document at some storage, as `remote-heads-changed` tells them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heads {
    pub heads: Vec<String>,
    /// When the peer saw them, in milliseconds since 1970 by its own clock.
    pub timestamp: u64,
}

/// One message of the protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The client's first.
    Join {
        sender: PeerId,
        versions: Vec<String>,
        metadata: PeerMetadata,
    },
    /// The server's answer to it.
    Peer {
        sender: PeerId,
        target: PeerId,
        version: String,
        metadata: PeerMetadata,
    },
    Leave {
        sender: PeerId,
    },
    /// The first sync message about a document the sender doesn't have yet.
    Request {
        sender: PeerId,
        target: PeerId,
        document: DocumentId,
        data: Vec<u8>,
    },
    Sync {
        sender: PeerId,
        target: PeerId,
        document: DocumentId,
        data: Vec<u8>,
    },
    DocUnavailable {
        sender: PeerId,
        target: PeerId,
        document: DocumentId,
    },
    /// Passed on between peers, kept by nobody.
    Ephemeral {
        sender: PeerId,
        target: PeerId,
        document: DocumentId,
        session: String,
        count: u64,
        data: Vec<u8>,
    },
    /// The sender closes the connection after it.
    Error {
        sender: Option<PeerId>,
        target: Option<PeerId>,
        message: String,
    },
    RemoteSubscriptionChange {
        sender: PeerId,
        target: PeerId,
        add: Vec<String>,
        remove: Vec<String>,
    },
    RemoteHeadsChanged {
        sender: PeerId,
        target: PeerId,
        document: DocumentId,
        new_heads: Vec<(String, Heads)>,
    },
    /// Of a kind this version doesn't know: to be ignored, as automerge-repo does.
    Unknown {
        kind: String,
    },
}
