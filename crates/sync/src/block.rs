//! Immutable rollups of one recorder, meter and UTC day, by hash, and their merge.
//!
//! A recorder publishes what it measured of a meter on a day as a block: at most 96 rows of 15
//! minutes. It never changes: what became of the day since is another block with a higher revision,
//! and a revision without rows withdraws the day. Blocks are named by the SHA-256 of their bytes,
//! and a content has one encoding only.

mod types;

pub use types::*;

use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::usage::IntervalUsage;
use jiff::civil::Date;
use uuid::Uuid;

/// The block of what a recorder measured. Rows must start on `day` (UTC), each at a quarter of an
/// hour of its own; their order doesn't matter. No rows: the day is withdrawn.
///
/// # Errors
/// A row of another day, two of one quarter, or a value out of range.
pub fn of_rows(
    _recorder: Uuid,
    _meter: MeterId,
    _day: Date,
    _revision: u64,
    _rows: &[IntervalUsage],
) -> Result<Block, BlockError> {
    Err(BlockError::NotABlock("not yet"))
}

/// Of all blocks of one meter and day, in any order, the one that holds: of each recorder its
/// highest revision; among those that aren't withdrawn the primary recorder's, then the highest
/// revision, then the highest hash. `None` without any that holds.
pub fn merge(_blocks: &[BlockRef], _primary: Option<Uuid>) -> Option<&BlockRef> {
    None
}

/// Keeps, of all blocks heard of, which one holds for each meter and day.
#[derive(Debug, Clone, Default)]
pub struct Merger {}

/// A meter and a UTC day: what blocks compete for.
pub type DayKey = (MeterId, Date);

impl Merger {
    /// Takes a block in; any order, any number of times. `Some` if another block (or none) holds
    /// from now on: the rows of that day are to be replaced.
    pub fn add(&mut self, _block: BlockRef) -> Option<DayKey> {
        None
    }
    /// The block that holds.
    pub fn ruling(&self, _day: DayKey) -> Option<&BlockRef> {
        None
    }
    /// Says whose rows count for a meter; the days on which that makes a difference.
    pub fn set_primary(&mut self, _meter: MeterId, _recorder: Option<Uuid>) -> Vec<DayKey> {
        Vec::new()
    }
    /// The blocks that hold, in order of meter and day.
    pub fn all(&self) -> impl Iterator<Item = &BlockRef> {
        std::iter::empty()
    }
}
