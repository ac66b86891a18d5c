//! Which block holds.
//!
//! What is known of a meter and day is, for each recorder, its highest revision; of two blocks that
//! claim the same revision the one with the higher hash. That is a set that only grows, so order
//! and repetition make no difference, and what two devices know can be joined in any grouping.
//! Which block holds is then read off it: a withdrawn one never; else the primary recorder's, else
//! the highest revision, else the highest hash.

use super::types::BlockRef;
use hearthwatt_domain::ids::MeterId;
use jiff::civil::Date;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A meter and a UTC day: what blocks compete for.
pub type DayKey = (MeterId, Date);

/// Recorders that are remembered for one meter and day: those with the lowest ids.
pub const RECORDERS_MAX: usize = 64;

/// All that is known of one meter and day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Day {
    /// One per recorder, in the order of recorders.
    latest: Vec<BlockRef>,
}

impl Day {
    /// Takes a block in. Whether anything is new.
    pub fn add(&mut self, block: BlockRef) -> bool {
        match self.latest.binary_search_by_key(&block.recorder, |b| b.recorder) {
            Ok(at) => match self.latest.get_mut(at) {
                Some(present) if rank(present) < rank(&block) => {
                    *present = block;
                    true
                }
                _ => false,
            },
            Err(at) if at < RECORDERS_MAX => {
                self.latest.insert(at, block);
                self.latest.truncate(RECORDERS_MAX);
                true
            }
            Err(_) => false,
        }
    }

    /// Takes in all that somebody else knows.
    pub fn join(&mut self, other: &Self) {
        for block in &other.latest {
            self.add(*block);
        }
    }

    /// The block that holds.
    pub fn ruling(&self, primary: Option<Uuid>) -> Option<&BlockRef> {
        let standing = self.latest.iter().filter(|b| !b.withdrawn);
        standing.max_by_key(|b| (Some(b.recorder) == primary, b.revision, b.hash, b.recorder))
    }
}

/// The whole reference as the last resort: whoever says what about a hash, all agree.
fn rank(b: &BlockRef) -> (u64, super::BlockHash, &BlockRef) {
    (b.revision, b.hash, b)
}

/// Of all blocks of one meter and day, in any order, the one that holds: of each recorder its
/// highest revision; among those that aren't withdrawn the primary recorder's, then the highest
/// revision, then the highest hash. `None` without any that holds.
pub fn merge(blocks: &[BlockRef], primary: Option<Uuid>) -> Option<&BlockRef> {
    let mut day = Day::default();
    for block in blocks {
        day.add(*block);
    }
    let ruling = *day.ruling(primary)?;
    blocks.iter().find(|b| **b == ruling)
}

/// Keeps, of all blocks heard of, which one holds for each meter and day.
#[derive(Debug, Clone, Default)]
pub struct Merger {
    days: BTreeMap<DayKey, Day>,
    primaries: BTreeMap<MeterId, Uuid>,
}

impl Merger {
    /// Takes a block in; any order, any number of times. `Some` if another block (or none) holds
    /// from now on: the rows of that day are to be replaced.
    pub fn add(&mut self, block: BlockRef) -> Option<DayKey> {
        let key = (block.meter, block.day);
        let primary = self.primaries.get(&block.meter).copied();
        let day = self.days.entry(key).or_default();
        let before = day.ruling(primary).copied();
        (day.add(block) && day.ruling(primary) != before.as_ref()).then_some(key)
    }

    /// The block that holds.
    pub fn ruling(&self, day: DayKey) -> Option<&BlockRef> {
        self.days.get(&day)?.ruling(self.primaries.get(&day.0).copied())
    }

    /// Says whose rows count for a meter; the days on which that makes a difference.
    pub fn set_primary(&mut self, meter: MeterId, recorder: Option<Uuid>) -> Vec<DayKey> {
        let before = match recorder {
            Some(recorder) => self.primaries.insert(meter, recorder),
            None => self.primaries.remove(&meter),
        };
        let days = self.days.range((meter, Date::MIN)..=(meter, Date::MAX));
        days.filter(|(_, d)| d.ruling(before) != d.ruling(recorder)).map(|(key, _)| *key).collect()
    }

    /// The blocks that hold, in order of meter and day.
    pub fn all(&self) -> impl Iterator<Item = &BlockRef> {
        self.days.iter().filter_map(|(key, day)| day.ruling(self.primaries.get(&key.0).copied()))
    }
}
