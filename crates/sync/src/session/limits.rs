//! What a peer may cost, and why it is refused.

use automerge::ChangeHash;

use crate::wire;

/// What one sync message, and one document, may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of one sync message as it travels, in bytes.
    pub message_bytes: usize,
    /// Of the same message with everything inflated, in bytes.
    pub inflated_bytes: usize,
    /// Of the operations of one message when they are spelled out, in bytes: runs are short on
    /// the wire and long in memory.
    pub expanded_bytes: usize,
    /// Operations in one message.
    pub ops: usize,
    /// Changes in one message, and hashes in each of its lists.
    pub changes: usize,
    /// Changes a peer may have sent ahead of those they depend on.
    pub ahead: usize,
    /// Changes in a document.
    pub document_changes: usize,
    /// Operations in a document.
    pub document_ops: usize,
    /// [`super::Prepared`] that may wait for their commit at the same time.
    pub outstanding: usize,
    /// Refusals after which a peer is not listened to any more.
    pub refusals: u32,
    /// Documents of one client's connection.
    pub documents: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A whole document may come in one message, so the two have the same limits. A message
            // of a few hundred bytes that uses them up costs 75 MiB while it is looked at.
            message_bytes: 4 * 1024 * 1024,
            inflated_bytes: 16 * 1024 * 1024,
            expanded_bytes: 64 * 1024 * 1024,
            ops: 150_000,
            changes: 100_000,
            ahead: 50_000,
            document_changes: 100_000,
            document_ops: 150_000,
            outstanding: 64,
            refusals: 3,
            documents: 1024,
        }
    }
}

/// Why a message was refused. The document is as it was; the peer's sync state starts anew.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("no such peer")]
    NoSuchPeer,
    #[error("this peer was refused too often")]
    Barred,
    #[error("a viewer can't write")]
    ReadOnly,
    #[error("{what}: {is} is over the limit of {limit}")]
    TooMuch { what: &'static str, is: u64, limit: u64 },
    #[error("malformed message: {0}")]
    Malformed(&'static str),
    #[error("change {hash} is refused: {why}")]
    Change { hash: ChangeHash, why: &'static str },
    /// The document would not survive being saved and loaded.
    #[error("these changes would damage the document: {0}")]
    Damaging(String),
    /// The actor of these changes belongs to another device (the caller's judgement).
    #[error("change by an actor of another device")]
    ForeignActor,
    /// Too many changes wait for their commit; try again after one.
    #[error("busy")]
    Busy,
    /// Prepared on top of changes that were given up since; the peer sends them again.
    #[error("prepared on top of what was given up")]
    Stale,
    #[error(transparent)]
    Frame(#[from] wire::Refusal),
}

impl Refusal {
    /// Whether only a peer that is broken or hostile sends such a thing: close its connection.
    pub fn is_hostile(&self) -> bool {
        matches!(
            self,
            Self::Malformed(_) | Self::Change { .. } | Self::Damaging(_) | Self::Barred | Self::Frame(_)
        )
    }

    /// Whether the same message may be taken later.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Busy | Self::Stale)
    }
}
