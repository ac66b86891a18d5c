//! The automerge-repo WebSocket protocol: what its network adapter 2.5 writes and reads.
//!
//! A connection starts with `join` from the client and `peer` from the server; then either side
//! sends `sync` (the client's first of a document is a `request`), `doc-unavailable`,
//! `ephemeral`, `error`, `remote-subscription-change` and `remote-heads-changed`. Every frame is
//! one CBOR map. Whatever comes from a peer is decoded under [`Limits`]: nothing is allocated on
//! the word of a length that the frame doesn't hold.

mod cbor;
mod decode;
mod encode;
mod frame;
mod id;

pub use decode::decode;
pub use encode::encode;
pub use frame::{Frame, Heads, PROTOCOL_V1, PeerMetadata};
pub use id::{DocumentId, InvalidId, PeerId};

/// What a frame may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of a whole frame, in bytes.
    pub frame_bytes: usize,
    /// Of one text (ids, versions, reasons), in bytes.
    pub text_bytes: usize,
    /// Of lists and maps that are kept (versions, storage ids, heads).
    pub items: usize,
    /// How deep maps and arrays may lie in each other, unknown fields included.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // A sync message of 4 MiB and what stands around it.
            frame_bytes: 4 * 1024 * 1024 + 64 * 1024,
            text_bytes: 1024,
            items: 1024,
            depth: 16,
        }
    }
}

/// Why a frame was refused. Nobody's state has changed; the connection is best closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("a frame of {bytes} bytes is over the limit of {limit}")]
    TooLong { bytes: usize, limit: usize },
    #[error("the frame ends in the middle of a value")]
    Truncated,
    #[error("the frame goes on after its end")]
    Trailing,
    #[error("the frame is not CBOR: {0}")]
    NotCbor(&'static str),
    #[error("the frame nests deeper than {0}")]
    TooDeep(usize),
    #[error("a text is over the limit of {0} bytes")]
    TextTooLong(usize),
    #[error("a list has more than {0} entries")]
    TooMany(usize),
    #[error("the frame is not a map")]
    NotAMap,
    #[error("the frame has no \"{0}\"")]
    Missing(&'static str),
    #[error("\"{0}\" is of the wrong type")]
    WrongType(&'static str),
    #[error("the document id is not one")]
    DocumentId,
}
