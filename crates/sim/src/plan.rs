//! What the meters of the home are and what they would say at any instant.

use hearthwatt_domain::budget::Budget;
use hearthwatt_domain::meter::{MeterKey, Role};
use hearthwatt_domain::reading::Reading;
use hearthwatt_domain::time::{Span, UnixMillis};
use jiff::tz::TimeZone;

/// A meter as the household would set it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedMeter {
    /// As the decoders name it.
    pub key: MeterKey,
    pub name: String,
    pub room: String,
    pub role: Role,
    /// The meter that measures this one too.
    pub parent: Option<MeterKey>,
    /// The power it sends has the other sign than its role asks for.
    pub inverted: bool,
    pub manufacturer: String,
    pub model: String,
}

/// A home under one seed.
#[derive(Debug)]
pub struct Plan {
    meters: Vec<PlannedMeter>,
}

/// The home of `seed` in `zone`; the same arguments give the same home.
pub fn plan(_seed: u64, _zone: TimeZone) -> Plan {
    Plan { meters: Vec::new() }
}

impl Plan {
    pub fn meters(&self) -> &[PlannedMeter] {
        &self.meters
    }

    /// What meter `i` measures at `t`, watts, in the sign the device sends.
    pub fn power(&self, _i: usize, _t: UnixMillis) -> f64 {
        0.0
    }

    /// The two registers of meter `i` at `t`: import and export, watt-hours.
    pub fn registers(&self, _i: usize, _t: UnixMillis) -> (f64, f64) {
        (0.0, 0.0)
    }

    /// Register and power readings of all meters in `span`, every `step_ms`, ordered by time.
    pub fn readings(&self, _span: Span, _step_ms: i64) -> impl Iterator<Item = Reading> + '_ {
        std::iter::empty()
    }

    /// Budgets that make the demo interesting: the first has a threshold that is crossed 60 to 90
    /// seconds after `now` at the present consumption.
    pub fn demo_budgets(&self, _now: UnixMillis) -> Vec<Budget> {
        Vec::new()
    }
}
