//! A sync message, measured: what it says about the sender's state, and the changes it brings.

use automerge::sync;

use super::budget::Budget;
use super::chunk::{Chunk, measure};
use super::cursor::Cursor;
use super::{Limits, Refusal};

/// Parameters of a Bloom filter that nobody exceeds: Automerge uses 10 bits and 7 probes.
const MOST_BITS_PER_ENTRY: u64 = 16;
const MOST_PROBES: u64 = 16;
/// Filters in one message: Automerge sends one.
const MOST_FILTERS: usize = 2;
/// Hashes in one list of a message. They are kept as long as the peer is connected; no document
/// has a thousand heads.
const MOST_HASHES: usize = 4096;

/// A message whose every part is within limits.
pub(super) struct Message {
    /// The message without its changes.
    pub(super) header: sync::Message,
    chunks: sync::ChunkList,
}

impl Message {
    /// Reads a message and bounds everything but the changes.
    pub(super) fn read(data: &[u8], limits: &Limits) -> Result<Self, Refusal> {
        if data.len() > limits.message_bytes {
            return Err(Refusal::TooMuch {
                what: "bytes of a message",
                is: data.len() as u64,
                limit: limits.message_bytes as u64,
            });
        }
        bound(data, limits)?;
        let mut header = sync::Message::decode(data).map_err(|_| Refusal::Malformed("not a sync message"))?;
        let chunks = std::mem::replace(&mut header.changes, sync::ChunkList::empty());
        header.heads.sort_unstable();
        header.need.sort_unstable();
        Ok(Self { header, chunks })
    }

    /// The chunks of the changes, each measured.
    pub(super) fn chunks(&self, budget: &mut Budget) -> Result<Vec<Chunk<'_>>, Refusal> {
        let mut all = Vec::new();
        for bytes in self.chunks.iter() {
            all.extend(measure(bytes, budget)?);
        }
        Ok(all)
    }
}

/// Walks a message as Automerge would, so that it never meets a count or a filter that it would
/// believe.
fn bound(data: &[u8], limits: &Limits) -> Result<(), Refusal> {
    let mut cursor = Cursor::new(data);
    if !matches!(cursor.byte()?, 0x42 | 0x43) {
        return Err(Refusal::Malformed("not a sync message"));
    }
    cursor.items(32, MOST_HASHES)?; // heads
    cursor.items(32, MOST_HASHES)?; // need
    let filters = cursor.number()?;
    if filters > MOST_FILTERS as u64 {
        return Err(Refusal::TooMuch { what: "filters", is: filters, limit: MOST_FILTERS as u64 });
    }
    for _ in 0..filters {
        cursor.items(32, MOST_HASHES)?; // heads of the last sync
        filter(cursor.counted()?, limits)?;
    }
    let chunks = cursor.number()?;
    if chunks > limits.changes as u64 {
        return Err(Refusal::TooMuch { what: "changes", is: chunks, limit: limits.changes as u64 });
    }
    for _ in 0..chunks {
        cursor.counted()?;
    }
    // Flags of newer versions follow, or nothing.
    if !cursor.is_empty() {
        cursor.counted()?;
    }
    Ok(())
}

/// A Bloom filter says itself how many probes each look-up takes and how many bits it has; one
/// that says "none" is divided by.
fn filter(bytes: &[u8], limits: &Limits) -> Result<(), Refusal> {
    if bytes.is_empty() {
        return Ok(());
    }
    let mut cursor = Cursor::new(bytes);
    let entries = cursor.number()?;
    let bits = cursor.number()?;
    let probes = cursor.number()?;
    if entries > limits.changes as u64
        || !(1..=MOST_BITS_PER_ENTRY).contains(&bits)
        || !(1..=MOST_PROBES).contains(&probes)
    {
        return Err(Refusal::Malformed("a filter of impossible size"));
    }
    // Without entries it stands for nothing, and its bits are not looked at.
    cursor.take((entries * bits).div_ceil(8)).map(|_| ())
}
