//! A read-only connection.

use crate::error::StoreError;
use crate::types::*;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::reading::Reading;
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::usage::IntervalUsage;
use jiff::civil::Date;

/// A read-only connection of its own; `Send`. Each call sees the state of the last commit.
#[derive(Debug)]
pub struct Reader {}

fn not_yet<T>() -> Result<T, StoreError> {
    Err(StoreError::invalid("This is not built yet."))
}

impl Reader {
    /// The meter's intervals that start in `span`, in order; intervals without anything are absent.
    pub fn intervals(&self, _meter: MeterId, _span: Span) -> Result<Vec<IntervalUsage>, StoreError> {
        not_yet()
    }
    /// The meter's days from `first` to `last`, both included, in the home's zone.
    pub fn days(&self, _meter: MeterId, _first: Date, _last: Date) -> Result<Vec<PeriodUsage>, StoreError> {
        not_yet()
    }
    /// The meter's hours of the days from `first` to `last`, both included: 23, 24 or 25 a day.
    pub fn hours(&self, _meter: MeterId, _first: Date, _last: Date) -> Result<Vec<PeriodUsage>, StoreError> {
        not_yet()
    }
    /// A chart's line: `buckets` equal parts of `span`, `None` where nothing was heard. A value
    /// holds until the next one, for at most five minutes.
    pub fn series(
        &self,
        _key: &SeriesKey,
        _span: Span,
        _buckets: usize,
    ) -> Result<Vec<Option<Bucket>>, StoreError> {
        not_yet()
    }
    /// What the store has a series for, of this meter.
    pub fn series_of(&self, _meter: MeterId) -> Result<Vec<SeriesKey>, StoreError> {
        not_yet()
    }
    /// All meters with readings.
    pub fn meters(&self) -> Result<Vec<MeterId>, StoreError> {
        not_yet()
    }
    /// The last reading of each of the meter's series.
    pub fn latest(&self, _meter: MeterId) -> Result<Vec<Reading>, StoreError> {
        not_yet()
    }
    /// Times of the meter's first and last reading.
    pub fn first_and_last(&self, _meter: MeterId) -> Result<Option<(UnixMillis, UnixMillis)>, StoreError> {
        not_yet()
    }
    /// The meter's readings in `span`, by time, at most `limit`; hand back the cursor for more.
    pub fn readings(
        &self,
        _meter: MeterId,
        _span: Span,
        _after: Option<Cursor>,
        _limit: usize,
    ) -> Result<(Vec<Reading>, Option<Cursor>), StoreError> {
        not_yet()
    }
    /// All documents of a kind, by id.
    pub fn documents(&self, _kind: &str) -> Result<Vec<Document>, StoreError> {
        not_yet()
    }
    pub fn document(&self, _kind: &str, _id: &str) -> Result<Option<Document>, StoreError> {
        not_yet()
    }
    pub fn corrections(&self, _meter: Option<MeterId>) -> Result<Vec<Correction>, StoreError> {
        not_yet()
    }
}
