//! What goes into the store and comes out of it.

use crate::error::{Cause, StoreError};
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::reading::{Channel, Quantity};
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::units::{Energy, Power};
use hearthwatt_domain::usage::{IntervalUsage, Quality};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How to open a store.
#[derive(Debug, Clone, Default)]
pub struct StoreOptions {
    /// The home's zone; days are rebuilt when it differs from the stored one. `None` keeps the
    /// stored one (UTC in a new store).
    pub zone: Option<TimeZone>,
    /// Upper bound of the database in pages of 4 KiB; beyond it appends fail as on a full disk.
    /// `None`: the disk is the limit.
    pub max_pages: Option<u32>,
}

/// What opening found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReport {
    pub created: bool,
    /// The last user of this store closed it. If not, the database was checked on this open.
    pub clean: bool,
    /// The data format it had before, when it was brought up to date.
    pub migrated_from: Option<u32>,
    /// Meters whose running usage was picked up from their stored readings.
    pub replayed: u64,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Appended {
    /// New readings, conflicting ones that won included.
    pub stored: u64,
    /// Readings that were already there with the same value.
    pub duplicates: u64,
    /// Readings with the time of a stored one and another value; the larger value is kept,
    /// whatever came first.
    pub conflicts: u64,
    /// Not kept: older than the raw readings that retention left (see [`crate::Store::retain`]).
    pub too_old: u64,
    /// Not kept: not a finite number, or a time outside 2000 to 2139.
    pub refused: u64,
    /// Per meter the span of intervals whose usage may have changed; aligned to 15 minutes.
    pub changed: Vec<(MeterId, Span)>,
}

/// One measured point of one meter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SeriesKey {
    pub meter: MeterId,
    pub channel: Channel,
    pub quantity: Quantity,
}

/// Usage of one meter in an hour or a day of the home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodUsage {
    /// The day it lies in, in the home's zone.
    pub date: Date,
    pub span: Span,
    pub import: Energy,
    pub export: Energy,
    /// Of import and export, what is not plainly measured.
    pub not_measured: Energy,
    /// The worst inside.
    pub quality: Quality,
    /// Milliseconds that readings speak for.
    pub covered_ms: u32,
    pub power_min: Option<Power>,
    pub power_max: Option<Power>,
}

/// A piece of a chart's line: extremes and time-weighted mean, in the unit of the quantity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    pub min: f64,
    pub max: f64,
    pub avg: f64,
}

/// Where a page of readings ended; hand it back for the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    pub(crate) at: i64,
    pub(crate) series: i64,
}

/// A JSON document: settings, a meter, a budget, an alert, …
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub id: String,
    pub json: serde_json::Value,
}

impl Document {
    /// # Errors
    /// When it does not have the shape of a `T`.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        T::deserialize(&self.json).map_err(|error| Cause::Document { id: self.id.clone(), error }.into())
    }
}

/// One step of [`crate::Store::put_documents`].
#[derive(Debug, Clone, PartialEq)]
pub enum DocumentChange {
    Put { kind: String, id: String, json: serde_json::Value },
    Delete { kind: String, id: String },
}

/// How long things are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Raw readings and minute rollups before this go; intervals and days stay for ever.
    pub raw_before: UnixMillis,
}

/// How much the home's database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseSize {
    pub bytes: u64,
    /// Of these, room inside the file that deleted readings left for new ones.
    pub free_bytes: u64,
    /// Readings before this are no longer kept; `None`: all are.
    pub readings_since: Option<UnixMillis>,
}

/// What [`crate::Store::import`] took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    pub readings: u64,
    pub documents: u64,
    pub corrections: u64,
}

/// What [`crate::recover`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Where the damaged database lies now.
    pub aside: PathBuf,
    pub readings: u64,
    pub documents: u64,
    pub corrections: u64,
    /// Intervals whose readings retention had deleted, taken over as they were.
    pub old_intervals: u64,
    /// Places at which rows could not be read.
    pub holes: u64,
    /// Readings that could not be given to a meter because the list of series was damaged.
    pub orphans: u64,
}

/// A day's or hour's sums while they are being built from intervals in order.
impl PeriodUsage {
    pub(crate) fn empty(date: Date, span: Span) -> Self {
        Self {
            date,
            span,
            import: Energy::ZERO,
            export: Energy::ZERO,
            not_measured: Energy::ZERO,
            quality: Quality::Measured,
            covered_ms: 0,
            power_min: None,
            power_max: None,
        }
    }

    pub(crate) fn add(&mut self, i: &IntervalUsage) {
        self.import += i.import;
        self.export += i.export;
        if i.quality != Quality::Measured {
            self.not_measured += i.import + i.export;
        }
        self.quality = self.quality.max(i.quality);
        self.covered_ms += i.covered_ms;
        self.power_min = self.power_min.into_iter().chain(i.power_min).min();
        self.power_max = self.power_max.into_iter().chain(i.power_max).max();
    }
}
