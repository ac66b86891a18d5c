//! Immutable rollups of one recorder, meter and UTC day, by hash, and their merge.
//!
//! A recorder publishes what it measured of a meter on a day as a block: at most 96 rows of 15
//! minutes, as measured (corrections and a swapped sign are laid over them where they are read). A
//! block never changes: what became of the day since is another block with a higher revision, and a
//! revision without rows withdraws the day. Blocks are named by the SHA-256 of their bytes, and a
//! content has one encoding only.
//!
//! Several recorders may hear the same meter. Their rows are never added: of one meter and day one
//! block holds ([`Merger`]).

mod encoding;
mod merge;
#[cfg(test)]
mod tests;
mod types;

pub use merge::{Day, DayKey, Merger, RECORDERS_MAX, merge};
pub use types::*;
