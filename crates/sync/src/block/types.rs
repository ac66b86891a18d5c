//! Blocks and references to them.

use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::usage::IntervalUsage;
use jiff::civil::Date;
use std::fmt;
use uuid::Uuid;

/// SHA-256 of a block's bytes; in text 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockHash(pub [u8; 32]);

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
    /// Canonical: equal blocks, equal bytes.
    pub fn encode(&self) -> Vec<u8> {
        Vec::new()
    }
    /// From any bytes.
    ///
    /// # Errors
    /// They are not exactly what [`Block::encode`] gives for some block.
    pub fn decode(_bytes: &[u8]) -> Result<Self, BlockError> {
        Err(BlockError::NotABlock("not yet"))
    }
    pub fn hash(&self) -> BlockHash {
        BlockHash([0; 32])
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
    /// Whether a block of this many bytes is one without rows.
    pub const fn is_withdrawn_size(bytes: u64) -> bool {
        bytes == WITHDRAWN_BYTES as u64
    }
}

/// The size of every block without rows; one with rows is larger.
pub const WITHDRAWN_BYTES: usize = 57;
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
