//! Readings, rollups and documents of one home, on SQLite.
//!
//! One [`Store`] writes; any number of [`Reader`]s read beside it, each on a connection of its
//! own. Readings are immutable; usage per interval and day and power per minute are written in
//! the transaction of the readings they come from, so they agree after a crash at any moment.

#![forbid(unsafe_code)]

mod append;
mod block;
mod carry;
mod checkpoint;
mod correct;
mod error;
mod export;
mod history;
mod import;
mod key;
mod line;
mod meter_state;
mod minute;
mod reader;
mod recover;
mod restore;
mod rollup;
mod running;
mod schema;
mod settle;
mod shared;
mod store;
mod tail;
mod types;
mod usage;

pub use block::{BlockRules, Candidate, Publish, Published, StoredBlock};
pub use error::StoreError;
pub use reader::Reader;
pub use recover::recover;
pub use restore::restore;
pub use shared::{SharedBytes, SharedWrite};
pub use store::{DATABASE, Store};
pub use types::*;
