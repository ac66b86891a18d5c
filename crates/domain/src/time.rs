//! Points in time and spans of it. Zones come in through [`jiff`], never from the machine.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00Z, without leap seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub i64);

/// One interval of the rollup: 15 minutes, aligned to UTC.
pub const INTERVAL_MS: i64 = 15 * 60 * 1000;

impl UnixMillis {
    pub const fn from_secs(s: i64) -> Self {
        Self(s * 1000)
    }
    /// The start of the 15-minute interval that holds this instant.
    pub const fn interval_start(self) -> Self {
        Self(self.0 - self.0.rem_euclid(INTERVAL_MS))
    }
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
    /// Milliseconds from `earlier` to `self`; negative if `self` is before it.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
    /// The same instant for calendar arithmetic. `None` outside jiff's range (years -9999 to 9999).
    pub fn to_jiff(self) -> Option<jiff::Timestamp> {
        jiff::Timestamp::from_millisecond(self.0).ok()
    }
}

impl From<jiff::Timestamp> for UnixMillis {
    fn from(t: jiff::Timestamp) -> Self {
        Self(t.as_millisecond())
    }
}

/// A half-open span `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    pub start: UnixMillis,
    pub end: UnixMillis,
}

impl Span {
    pub const fn new(start: UnixMillis, end: UnixMillis) -> Self {
        Self { start, end }
    }
    pub const fn contains(&self, t: UnixMillis) -> bool {
        t.0 >= self.start.0 && t.0 < self.end.0
    }
    /// Length in milliseconds.
    pub const fn ms(&self) -> i64 {
        self.end.0 - self.start.0
    }
}
