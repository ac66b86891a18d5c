//! From registers and power to usage per interval.
//!
//! One meter at a time. Readings become *pieces* of energy (a register's rise between two
//! readings, a power value held until the next one), pieces are cut at interval bounds, and each
//! cut is a [`Delta`] that is added to a row. Adding deltas is commutative and exact, so a row does
//! not depend on the order or the batches in which they came.
//!
//! What counts is decided per direction (import, export) and point in time: of the sources that
//! have been heard by then the best one, never two of them together. From best to worst:
//! register total, sum of phase registers, sum of tariff registers, power total, sum of phase powers.
//! A source is in force from its first reading on, and for good.
//!
//! Readings in order go through an [`Accumulator`]; a late one is stored, and the rows it may
//! change ([`affected`]) are derived again from their neighbourhood ([`recompute`]).

mod accumulator;
mod power;
mod recompute;
mod register;
mod sample;
mod spread;
#[cfg(test)]
mod tests;

pub use accumulator::{Accumulator, Pushed};
pub use recompute::{
    History, MemoryHistory, affected, affected_by_replacement, intervals, recompute, resume,
};
pub use register::is_anchor;
pub use sample::{Ignored, Replacement, Sample, Stream, UsageConfig};

use crate::time::{INTERVAL_MS, Span, UnixMillis};
use crate::units::{Energy, Power};
use serde::{Deserialize, Serialize};

/// How an interval came to its number; the worse one wins when two meet. The order is the rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Quality {
    #[default]
    Measured = 0,
    /// Inside a short hole between two readings.
    Interpolated = 1,
    /// A share of what came as one lump after a gap.
    Recovered = 2,
    /// Something about it was implausible; the note of the meter says what.
    Suspect = 3,
    /// Changed by a correction of the household.
    Corrected = 4,
}

impl Quality {
    /// For storage; stable.
    pub const fn code(self) -> u8 {
        self as u8
    }
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Measured,
            1 => Self::Interpolated,
            2 => Self::Recovered,
            3 => Self::Suspect,
            4 => Self::Corrected,
            _ => return None,
        })
    }
}

/// Usage of one meter in one 15-minute interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntervalUsage {
    /// Aligned to 15 minutes UTC.
    pub start: UnixMillis,
    /// Taken (for a producer: taken from the house, usually next to nothing). Never negative.
    pub import: Energy,
    /// Given. Never negative.
    pub export: Energy,
    pub quality: Quality,
    /// Milliseconds of the interval that readings speak for, 0..=900000.
    pub covered_ms: u32,
    /// Extremes of the power that readings spoke for in the interval, + taken, - given. A value
    /// counts once the next one has come (until then it has lasted for no time at all).
    pub power_min: Option<Power>,
    pub power_max: Option<Power>,
}

impl IntervalUsage {
    /// Nothing known yet about the interval that starts at `start`.
    pub const fn empty(start: UnixMillis) -> Self {
        Self {
            start,
            import: Energy::ZERO,
            export: Energy::ZERO,
            quality: Quality::Measured,
            covered_ms: 0,
            power_min: None,
            power_max: None,
        }
    }

    pub const fn span(&self) -> Span {
        Span::new(self.start, self.start.plus_ms(INTERVAL_MS))
    }

    /// Adds what a reading said about this interval. Commutative and associative.
    pub fn absorb(&mut self, d: &Delta) {
        debug_assert_eq!(self.start, d.start);
        self.import += d.import;
        self.export += d.export;
        self.quality = self.quality.max(d.quality);
        self.covered_ms = (self.covered_ms + d.covered_ms).min(INTERVAL_MS as u32);
        self.power_min = min_some(self.power_min, d.power_min);
        self.power_max = max_some(self.power_max, d.power_max);
    }

    /// The two directions swapped: how a meter marked `inverted` is to be read.
    #[must_use]
    pub fn inverted(self) -> Self {
        Self {
            import: self.export,
            export: self.import,
            power_min: self.power_max.map(|p| -p),
            power_max: self.power_min.map(|p| -p),
            ..self
        }
    }
}

/// What one push adds to one interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delta {
    /// Of the interval.
    pub start: UnixMillis,
    pub import: Energy,
    pub export: Energy,
    pub quality: Quality,
    pub covered_ms: u32,
    pub power_min: Option<Power>,
    pub power_max: Option<Power>,
}

impl Delta {
    pub(crate) const fn none(start: UnixMillis) -> Self {
        Self {
            start,
            import: Energy::ZERO,
            export: Energy::ZERO,
            quality: Quality::Measured,
            covered_ms: 0,
            power_min: None,
            power_max: None,
        }
    }
}

fn min_some<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn max_some<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    a.max(b)
}
