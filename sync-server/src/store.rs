//! Where the server keeps things: one port, three stores.
//!
//! The port is the portable subset of what document databases promise: single-record atomicity,
//! revision compare-and-set, unique fields, idempotent writes that are durable when they return.
//! No transactions over several records, so whoever uses it orders writes such that a crash
//! between two of them leaves something harmless. One contract test (`tests/server/contract.rs`)
//! runs the same cases on every implementation.

pub mod memory;
pub mod mongo;
mod record;
pub mod sqlite;

pub use record::{Cursor, Find, Record, Scalar, Table, body};

use async_trait::async_trait;
use hearthwatt_domain::time::UnixMillis;
use serde_json::{Map, Value};
use std::fmt;
use tokio::sync::broadcast;
use uuid::Uuid;

/// SHA-256: of an Automerge change, or of a block.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Hash {
    type Err = ();

    /// 64 lower-case hexadecimal digits: one spelling per hash.
    fn from_str(s: &str) -> Result<Self, ()> {
        let digit = |c: u8| match c {
            b'0'..=b'9' => Some(c - b'0'),
            b'a'..=b'f' => Some(c - b'a' + 10),
            _ => None,
        };
        let digits: &[u8; 64] = s.as_bytes().try_into().map_err(|_| ())?;
        let mut hash = [0; 32];
        for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = digit(pair[0]).zip(digit(pair[1])).map(|(high, low)| high << 4 | low).ok_or(())?;
        }
        Ok(Self(hash))
    }
}

/// One Automerge change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub hash: Hash,
    pub bytes: Vec<u8>,
}

/// A document up to certain heads, in Automerge's own format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// SHA-256 of `bytes`.
    pub id: Hash,
    pub bytes: Vec<u8>,
}

/// What is stored of a document: the document is the union of it all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// Counts the additions to the document. Read before the rest, so that it never promises more.
    pub version: u64,
    /// Usually one; several after two processes compacted at once.
    pub snapshots: Vec<Snapshot>,
    pub changes: Vec<Change>,
}

/// The names of what is stored of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub version: u64,
    pub snapshots: Vec<Hash>,
    pub changes: Vec<Hash>,
}

/// What the server knows of a block without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockEntry {
    /// Position in the home's sequence, from 1. 0 before it is stored.
    pub seq: u64,
    /// SHA-256 of the block's bytes.
    pub hash: Hash,
    pub recorder: Uuid,
    pub meter: Uuid,
    /// UTC day, `2026-11-23`.
    pub day: String,
    pub revision: u64,
    /// Bytes.
    pub size: u64,
}

/// How an insertion ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// Stored, with revision 1.
    Stored,
    /// Another record has this key (`index` is [`Table::KEY`]) or this value of a unique field.
    Exists { index: &'static str },
}

/// How a replacement ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// Stored, with this revision.
    Stored { revision: u64 },
    /// The record has another revision by now, or is gone.
    Stale,
    /// Another record has this value of a unique field.
    Exists { index: &'static str },
}

/// Something that a process keeps in memory has changed, here or in another process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// This document or topic (see [`Store::touch`]) has this version now.
    Topic(Uuid, u64),
    /// Anything: the feed was interrupted.
    Everything,
}

/// Why the store can't do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Not reachable, no primary, too busy.
    #[error("the database can't be reached: {0}")]
    Unavailable(String),
    #[error("there is no space left for the database")]
    Full,
    /// What was read is not what was written.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A table, field or value that the port doesn't offer: an error in the program.
    #[error("not possible with this store: {0}")]
    Misuse(String),
    #[error("the database failed: {0}")]
    Other(String),
}

impl StoreError {
    /// Whether trying again later can help.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full)
    }

    /// The same for one more of those who shared the failure.
    fn again(&self) -> Self {
        match self {
            Self::Unavailable(what) => Self::Unavailable(what.clone()),
            Self::Full => Self::Full,
            Self::Damaged(what) => Self::Damaged(what.clone()),
            Self::Misuse(what) => Self::Misuse(what.clone()),
            Self::Other(what) => Self::Other(what.clone()),
        }
    }
}

/// A page of records, in the order of the index and, within one value, of the keys.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    pub records: Vec<Record>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// The port. Whatever writes is durable when it returns.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// For people: `memory`, `sqlite`, `mongodb`.
    fn name(&self) -> &'static str;

    /// Creates tables and indexes that aren't there yet. Called once at start, by every process.
    async fn prepare(&self, tables: &[&'static Table]) -> Result<(), StoreError>;

    /// A document goes in, comes back and is deleted: what `/readyz` says.
    async fn probe(&self) -> Result<(), StoreError>;

    // --- records

    /// An expired record may still be returned: whoever minds compares [`Record::expires`].
    async fn get(&self, table: &'static Table, key: &str) -> Result<Option<Record>, StoreError>;
    /// Stores a new record with revision 1.
    async fn insert(
        &self,
        table: &'static Table,
        key: &str,
        body: Map<String, Value>,
        expires: Option<UnixMillis>,
    ) -> Result<Inserted, StoreError>;
    /// Stores `body` if the record still has `revision`, and counts the revision up.
    async fn replace(
        &self,
        table: &'static Table,
        key: &str,
        revision: u64,
        body: Map<String, Value>,
        expires: Option<UnixMillis>,
    ) -> Result<Replaced, StoreError>;
    /// Deletes the record if it still has `revision`, whatever it has if that is `None`. Says
    /// whether this call was the one that deleted it.
    async fn delete(
        &self,
        table: &'static Table,
        key: &str,
        revision: Option<u64>,
    ) -> Result<bool, StoreError>;
    /// Records by key or by an indexed field.
    async fn find(&self, table: &'static Table, find: Find) -> Result<Page, StoreError>;
    /// Deletes records that have expired by `now`, at most `limit`; says how many.
    async fn sweep(&self, table: &'static Table, now: UnixMillis, limit: usize) -> Result<u64, StoreError>;

    // --- documents

    /// Adds changes and returns the document's new version; changes that are there already are left
    /// alone. A failure may leave some stored. Whoever knew the version before that one has missed
    /// nothing.
    async fn append_changes(&self, document: Uuid, changes: &[Change]) -> Result<u64, StoreError>;
    /// All of a document; empty if there is none.
    async fn load(&self, document: Uuid) -> Result<Stored, StoreError>;
    /// The names of all of a document.
    async fn list(&self, document: Uuid) -> Result<Listing, StoreError>;
    /// Those of these changes that are (still) there.
    async fn changes(&self, document: Uuid, hashes: &[Hash]) -> Result<Vec<Change>, StoreError>;
    /// Those of these snapshots that are (still) there.
    async fn snapshots(&self, document: Uuid, ids: &[Hash]) -> Result<Vec<Snapshot>, StoreError>;
    /// Adds a snapshot beside what is there. The version stays: nobody has anything new to read.
    async fn put_snapshot(&self, document: Uuid, snapshot: &Snapshot) -> Result<(), StoreError>;
    /// Deletes what a snapshot replaces. The caller has read that snapshot back from the store and
    /// verified that it holds all of this.
    async fn delete_chunks(
        &self,
        document: Uuid,
        snapshots: &[Hash],
        changes: &[Hash],
    ) -> Result<(), StoreError>;
    /// Deletes all of a document.
    async fn delete_document(&self, document: Uuid) -> Result<(), StoreError>;

    // --- wake-up between processes

    /// The versions of these documents and topics, those that have one, in any order.
    async fn versions(&self, topics: &[Uuid]) -> Result<Vec<(Uuid, u64)>, StoreError>;
    /// Counts the version of a topic up, and wakes whoever minds: a home, account or device whose
    /// rights have changed.
    async fn touch(&self, topic: Uuid) -> Result<(), StoreError>;
    /// Versions that change, as they change. Not every store can tell of other processes' writes:
    /// whoever minds also compares [`Store::versions`] from time to time.
    fn wakes(&self) -> broadcast::Receiver<Wake>;
    /// Whether [`Store::wakes`] tells of other processes' writes at the moment.
    fn pushes(&self) -> bool;

    // --- blocks

    /// Stores a block (idempotent by hash) and says its place in the home's sequence. The sequence
    /// has no holes while it grows, so whoever has read up to `n` has missed nothing before it.
    /// Older revisions of the same recorder, meter and day that stand earlier may be deleted.
    async fn put_block(&self, home: Uuid, entry: &BlockEntry, bytes: &[u8]) -> Result<u64, StoreError>;
    /// Blocks after a place in the sequence, in order.
    async fn blocks_after(&self, home: Uuid, seq: u64, limit: usize) -> Result<Vec<BlockEntry>, StoreError>;
    /// The bytes of a block.
    async fn block(&self, home: Uuid, hash: Hash) -> Result<Option<Vec<u8>>, StoreError>;
    /// Bytes and number of a home's blocks.
    async fn blocks_size(&self, home: Uuid) -> Result<(u64, u64), StoreError>;
    /// Deletes all blocks of a home.
    async fn delete_blocks(&self, home: Uuid) -> Result<(), StoreError>;
}
