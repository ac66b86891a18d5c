//! Taking an export back into an empty store.

use crate::carry::Touched;
use crate::error::StoreError;
use crate::export::{EXPORT_VERSION, Entry};
use crate::store::{Store, set_meta};
use crate::types::*;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::reading::{Channel, Quantity, Reading};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::usage::IntervalUsage;
use jiff::tz::TimeZone;
use rusqlite::TransactionBehavior;
use std::collections::HashMap;
use std::io::{BufRead, Read};

/// Longest line: far more than any document.
const LINE_MAX: u64 = 16 << 20;
/// Handed to the database at once.
const BATCH: usize = 5000;
const DOCUMENTS: usize = 100;

impl Store {
    /// Takes back what [`crate::Reader::export`] wrote, in constant memory; the store takes the
    /// export's time zone. It must be empty, and is empty again if anything fails.
    ///
    /// # Errors
    /// A store that is not empty; a line that can't be understood, by its number; an end that is
    /// missing; whatever storing meets.
    pub fn import(&mut self, input: impl BufRead) -> Result<Imported, StoreError> {
        for table in ["meter", "reading", "tail", "document", "correction"] {
            let sql = format!("SELECT EXISTS(SELECT 1 FROM {table})");
            if self.conn.query_row(&sql, [], |r| r.get(0))? {
                return Err(StoreError::invalid("Only an empty home can take an import."));
            }
        }
        let zone = self.zone.clone();
        let result = Import::new(self).run(input);
        if result.is_err() {
            self.empty(&zone)?;
        }
        result
    }

    fn empty(&mut self, zone: &TimeZone) -> Result<(), StoreError> {
        self.reset_cache();
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for table in [
            "meter",
            "series",
            "reading",
            "tail",
            "interval",
            "day",
            "running",
            "minute",
            "running_minute",
            "document",
            "correction",
            "snapshot",
            "change",
            "block",
            "other_day",
            "other_interval",
            "other_sum",
            "own_block",
            "unpublished",
        ] {
            tx.execute(&format!("DELETE FROM {table}"), [])?;
        }
        set_meta(&tx, "raw_since", i64::MIN)?;
        tx.commit()?;
        self.raw_since = UnixMillis(i64::MIN);
        self.set_zone(zone)
    }
}

struct Import<'a> {
    store: &'a mut Store,
    told: Imported,
    header: bool,
    raw_since: Option<UnixMillis>,
    series: HashMap<i64, (MeterId, Channel, Quantity)>,
    readings: Vec<Reading>,
    intervals: Vec<(MeterId, IntervalUsage)>,
    documents: Vec<DocumentChange>,
    /// Since the mark of retention was set; no readings may follow.
    touched: Option<Touched>,
}

impl<'a> Import<'a> {
    fn new(store: &'a mut Store) -> Self {
        Self {
            store,
            told: Imported::default(),
            header: false,
            raw_since: None,
            series: HashMap::new(),
            readings: Vec::new(),
            intervals: Vec::new(),
            documents: Vec::new(),
            touched: None,
        }
    }

    fn run(mut self, mut input: impl BufRead) -> Result<Imported, StoreError> {
        let mut line = Vec::new();
        for number in 1u64.. {
            line.clear();
            let n = (&mut input)
                .take(LINE_MAX)
                .read_until(b'\n', &mut line)
                .map_err(|e| StoreError::io(std::path::Path::new("import"), e))?;
            let at = |what: &str| StoreError::invalid(format!("Line {number} of the import: {what}"));
            if n == 0 {
                return Err(at("the end is missing; the file was cut off."));
            }
            if n as u64 == LINE_MAX {
                return Err(at("it is too long."));
            }
            let entry = parse(&line).map_err(|e| at(&e))?;
            let ended = matches!(entry, Entry::End { .. });
            self.take(entry).map_err(|e| match e {
                Refused::Line(what) => at(what),
                Refused::Store(e) => e,
            })?;
            if ended {
                break;
            }
        }
        Ok(self.told)
    }

    fn take(&mut self, entry: Entry) -> Result<(), Refused> {
        if !self.header && !matches!(entry, Entry::Header { .. }) {
            return Err(Refused::Line("it is not an export of Hearthwatt."));
        }
        match entry {
            Entry::Header { version, zone, raw_since } => {
                if self.header {
                    return Err(Refused::Line("a second header."));
                }
                if version > EXPORT_VERSION {
                    return Err(Refused::Line("it was written by a newer Hearthwatt: update this one."));
                }
                let zone = TimeZone::get(&zone).map_err(|_| Refused::Line("the time zone is unknown."))?;
                self.store.set_zone(&zone)?;
                (self.header, self.raw_since) = (true, raw_since);
            }
            Entry::Meter { id, config } => self.store.carry_meter(id, config.as_ref())?,
            Entry::Series { no, meter, channel, quantity, first_at } => {
                if channel.as_str().len() > Channel::MAX_LEN || self.touched.is_some() {
                    return Err(Refused::Line("this series can't be."));
                }
                self.store.carry_series(meter, &channel, quantity, first_at)?;
                if self.series.insert(no, (meter, channel, quantity)).is_some() {
                    return Err(Refused::Line("a second series with this number."));
                }
            }
            Entry::R(no, at, value) => {
                let Some((meter, channel, quantity)) = self.series.get(&no).cloned() else {
                    return Err(Refused::Line("a reading of an unknown series."));
                };
                let at = UnixMillis(at);
                if self.touched.is_some() || !value.is_finite() || !crate::key::storable(at) {
                    return Err(Refused::Line("a reading that can't be."));
                }
                self.readings.push(Reading { meter, channel, quantity, at, value });
                if self.readings.len() >= BATCH {
                    self.append()?;
                }
            }
            Entry::Interval { meter, usage } => {
                self.mark()?;
                if self.raw_since.is_none_or(|mark| usage.start >= mark) {
                    return Err(Refused::Line("usage of a time whose readings are kept."));
                }
                self.intervals.push((meter, usage));
                if self.intervals.len() >= BATCH {
                    self.old_usage()?;
                }
            }
            Entry::Correction(c) => {
                self.mark()?;
                self.old_usage()?;
                self.store.correct(&c)?;
                self.told.corrections += 1;
            }
            Entry::Document { kind, id, json } => {
                self.documents.push(DocumentChange::Put { kind, id, json });
                self.told.documents += 1;
                if self.documents.len() >= DOCUMENTS {
                    self.store.put_documents(&std::mem::take(&mut self.documents))?;
                }
            }
            Entry::End { readings } => {
                self.mark()?;
                self.old_usage()?;
                self.store.put_documents(&std::mem::take(&mut self.documents))?;
                if let Some(touched) = self.touched.take() {
                    self.store.carry_days(touched)?;
                }
                if readings != self.told.readings {
                    return Err(Refused::Line("readings are missing."));
                }
            }
        }
        Ok(())
    }

    fn append(&mut self) -> Result<(), StoreError> {
        self.told.readings += self.store.append(&self.readings)?.stored;
        self.readings.clear();
        Ok(())
    }

    /// All readings are there.
    fn mark(&mut self) -> Result<(), StoreError> {
        if self.touched.is_none() {
            self.append()?;
            self.touched = Some(match self.raw_since {
                Some(mark) => self.store.carry_mark(mark, true)?,
                None => Touched::default(),
            });
        }
        Ok(())
    }

    fn old_usage(&mut self) -> Result<(), StoreError> {
        if let Some(touched) = &mut self.touched {
            self.store.carry_intervals(&self.intervals, touched)?;
            self.intervals.clear();
        }
        Ok(())
    }
}

enum Refused {
    Line(&'static str),
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(e: StoreError) -> Self {
        Self::Store(e)
    }
}

fn parse(line: &[u8]) -> Result<Entry, String> {
    let line = std::str::from_utf8(line).map_err(|_| "it is not text.".to_owned())?.trim_end();
    reading(line).map_or_else(|| serde_json::from_str(line).map_err(|e| format!("{e}.")), Ok)
}

/// A reading as the export writes it. Rust's own parser gives every float back bit for bit.
fn reading(line: &str) -> Option<Entry> {
    let mut parts = line.strip_prefix("{\"r\":[")?.strip_suffix("]}")?.split(',');
    let (no, at, value) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(Entry::R(no.parse().ok()?, at.parse().ok()?, value.parse().ok()?))
}
