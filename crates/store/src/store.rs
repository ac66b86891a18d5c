//! The writer.

use crate::error::StoreError;
use crate::reader::Reader;
use crate::types::*;
use hearthwatt_domain::ids::CorrectionId;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::reading::Reading;
use hearthwatt_domain::time::Span;
use jiff::tz::TimeZone;
use std::path::Path;

/// The one writer of a home's database.
#[derive(Debug)]
pub struct Store {}

fn not_yet<T>() -> Result<T, StoreError> {
    Err(StoreError::invalid("This is not built yet."))
}

impl Store {
    /// Opens or creates the database in `folder` (`home.sqlite`) and holds its lock until dropped.
    ///
    /// # Errors
    /// `is_locked`: another instance has it. `is_corrupt`: see [`recover`]. `is_newer`,
    /// `is_read_only`, `is_full`.
    pub fn open(_folder: &Path, _options: StoreOptions) -> Result<(Self, OpenReport), StoreError> {
        not_yet()
    }
    /// Stores readings and their rollups in one transaction, durable on return. All or nothing.
    pub fn append(&mut self, _readings: &[Reading]) -> Result<Appended, StoreError> {
        not_yet()
    }
    pub fn put_document(
        &mut self,
        _kind: &str,
        _id: &str,
        _json: &serde_json::Value,
    ) -> Result<(), StoreError> {
        not_yet()
    }
    /// Whether it was there.
    pub fn delete_document(&mut self, _kind: &str, _id: &str) -> Result<bool, StoreError> {
        not_yet()
    }
    /// All of them or none.
    pub fn put_documents(&mut self, _changes: &[DocumentChange]) -> Result<(), StoreError> {
        not_yet()
    }
    /// Adds a correction (or replaces the one with its id) and recomputes what it touches.
    pub fn correct(&mut self, _correction: &Correction) -> Result<Vec<(MeterId, Span)>, StoreError> {
        not_yet()
    }
    /// Takes a correction back and recomputes what it touched.
    pub fn undo_correction(&mut self, _id: CorrectionId) -> Result<Vec<(MeterId, Span)>, StoreError> {
        not_yet()
    }
    pub fn zone(&self) -> &TimeZone {
        const UTC: &TimeZone = &TimeZone::UTC;
        UTC
    }
    /// Rebuilds the days when the zone is another one.
    pub fn set_zone(&mut self, _zone: &TimeZone) -> Result<(), StoreError> {
        not_yet()
    }
    /// Deletes raw readings that are older than asked, at most `limit` of them in one short
    /// transaction; call again until it returns 0. Intervals and days stay.
    pub fn retain(&mut self, _retention: Retention, _limit: u32) -> Result<u64, StoreError> {
        not_yet()
    }
    /// A read-only connection of its own, for another thread.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        not_yet()
    }
    /// Copies the database to `target` (which must not exist) while it is in use.
    pub fn backup(&self, _target: &Path) -> Result<(), StoreError> {
        not_yet()
    }
    /// Closes in order; the next open need not check the database.
    pub fn close(self) -> Result<(), StoreError> {
        not_yet()
    }
}

/// Moves a damaged database aside (it is never deleted) and builds a new one of what can still be
/// read from it. The store must not be open.
pub fn recover(_folder: &Path, _options: StoreOptions) -> Result<Recovered, StoreError> {
    not_yet()
}
