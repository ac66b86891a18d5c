//! Blocks and references to them.

use super::encoding;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::time::INTERVAL_MS;
use hearthwatt_domain::usage::IntervalUsage;
use jiff::civil::Date;
use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;

/// SHA-256 of a block's bytes; in text 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockHash(pub [u8; 32]);

impl BlockHash {
    /// Of a block's bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}
impl fmt::Debug for BlockHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl std::str::FromStr for BlockHash {
    type Err = BlockError;
    fn from_str(s: &str) -> Result<Self, BlockError> {
        let bad = BlockError::NotABlock("a hash is 64 lower-case hexadecimal digits");
        let digit = |b: &u8| match b {
            b'0'..=b'9' => Some(b - b'0'),
            b'a'..=b'f' => Some(b - b'a' + 10),
            _ => None,
        };
        let mut out = [0; 32];
        if s.len() != 64 {
            return Err(bad);
        }
        for (o, pair) in out.iter_mut().zip(s.as_bytes().chunks_exact(2)) {
            let [Some(high), Some(low)] = [pair.first().and_then(digit), pair.last().and_then(digit)] else {
                return Err(bad);
            };
            *o = high << 4 | low;
        }
        Ok(Self(out))
    }
}

/// What one recorder says about one meter on one UTC day. Valid by construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub(super) recorder: Uuid,
    pub(super) meter: MeterId,
    pub(super) day: Date,
    pub(super) revision: u64,
    /// In order of time, one per quarter of an hour at most.
    pub(super) rows: Vec<IntervalUsage>,
}

/// The block of what a recorder measured. Rows must start on `day` (UTC), each at a quarter of an
/// hour of its own; their order doesn't matter. No rows: the day is withdrawn.
///
/// # Errors
/// A day outside 1970 to 2199, a row of another day, two of one quarter, or a value out of range.
pub fn of_rows(
    recorder: Uuid,
    meter: MeterId,
    day: Date,
    revision: u64,
    rows: &[IntervalUsage],
) -> Result<Block, BlockError> {
    if encoding::day_number(day).is_none() {
        return Err(BlockError::NotABlock("a day out of range"));
    }
    let start = encoding::day_start(day);
    let mut rows = rows.to_vec();
    rows.sort_by_key(|r| r.start);
    if rows.windows(2).any(|w| matches!(w, [a, b] if a.start == b.start)) {
        return Err(BlockError::Row("two rows of one quarter of an hour"));
    }
    for row in &rows {
        let offset = row.start.since(start);
        if !(0..MAX_ROWS as i64 * INTERVAL_MS).contains(&offset) || offset % INTERVAL_MS != 0 {
            return Err(BlockError::Row("it is of another day, or not at a quarter of an hour"));
        }
        encoding::check(row)?;
    }
    Ok(Block { recorder, meter, day, revision, rows })
}

impl Block {
    pub const fn recorder(&self) -> Uuid {
        self.recorder
    }
    pub const fn meter(&self) -> MeterId {
        self.meter
    }
    /// The UTC day.
    pub const fn day(&self) -> Date {
        self.day
    }
    pub const fn revision(&self) -> u64 {
        self.revision
    }
    /// In order of time.
    pub fn rows(&self) -> &[IntervalUsage] {
        &self.rows
    }
    pub fn is_withdrawn(&self) -> bool {
        self.rows.is_empty()
    }
    /// Canonical: equal blocks, equal bytes. A block is hashed and sent as these.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }
    /// From any bytes, at most [`MAX_BYTES`].
    ///
    /// # Errors
    /// They are not exactly what [`Block::encode`] gives for some block.
    pub fn decode(bytes: &[u8]) -> Result<Self, BlockError> {
        encoding::decode(bytes)
    }
    pub fn hash(&self) -> BlockHash {
        BlockHash::of(&self.encode())
    }
    pub fn reference(&self) -> BlockRef {
        BlockRef {
            recorder: self.recorder,
            meter: self.meter,
            day: self.day,
            revision: self.revision,
            hash: self.hash(),
            withdrawn: self.is_withdrawn(),
        }
    }
}

/// All that the merge needs to know of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockRef {
    pub recorder: Uuid,
    pub meter: MeterId,
    pub day: Date,
    pub revision: u64,
    pub hash: BlockHash,
    /// It has no rows. Without the block, its size tells: [`BlockRef::is_withdrawn_size`].
    pub withdrawn: bool,
}

impl BlockRef {
    /// The block that was asked for by this reference, out of the bytes that came.
    ///
    /// # Errors
    /// They are another block, or none.
    pub fn open(&self, bytes: &[u8]) -> Result<Block, BlockError> {
        if BlockHash::of(bytes) != self.hash {
            return Err(BlockError::NotABlock("the hash is another"));
        }
        let block = Block::decode(bytes)?;
        if block.reference() != *self {
            return Err(BlockError::NotABlock("it was announced as something else"));
        }
        Ok(block)
    }

    /// Whether a block of this many bytes is one without rows.
    pub const fn is_withdrawn_size(bytes: u64) -> bool {
        bytes == WITHDRAWN_BYTES as u64
    }
}

/// The size of every block without rows; one with rows is larger.
pub const WITHDRAWN_BYTES: usize = 60;
/// No block is larger.
pub const MAX_BYTES: usize = 8 * 1024;
/// Quarters of an hour of a UTC day.
pub const MAX_ROWS: usize = 96;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    #[error("not a block: {0}")]
    NotABlock(&'static str),
    #[error("a block of version {0}, which this program does not know")]
    Version(u8),
    #[error("a row that does not belong there: {0}")]
    Row(&'static str),
}
