//! Sync sessions without I/O: messages in, messages and changes out, for both roles.
//!
//! [`Document`] is the server's side of one document with many peers; [`Client`] is the other
//! side, many documents over one connection. Both speak `automerge::sync`, and both trust nobody:
//! what a peer sends is measured before it is inflated, applied to a copy, saved and loaded again,
//! and only then offered to the caller. The server's side tells nobody of a change before the
//! caller has called [`Document::commit`] for it.

mod budget;
mod caught;
mod chunk;
mod client;
mod columns;
mod cursor;
mod document;
mod limits;
mod message;
mod peer;
mod replica;

pub use client::{Client, Event, Status};
pub use document::{Author, Document, PeerKey, Prepared, Received, Right};
pub use limits::{Limits, Refusal};

/// Whether chunks from elsewhere, inflated and spelled out, stay within what one message may cost,
/// and have right checksums: for who takes them in without a session.
pub(crate) fn measured(bytes: &[u8]) -> Result<(), Refusal> {
    chunk::measure(bytes, &mut budget::Budget::new(&Limits::default())).map(drop)
}
