//! From registers and power to usage per interval.

use crate::time::UnixMillis;
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
    /// Extremes of the power readings that fell into the interval.
    pub power_min: Option<Power>,
    pub power_max: Option<Power>,
}
