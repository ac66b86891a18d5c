//! Everything of a home as lines of JSON, for other programs and for another computer.
//!
//! One object a line, with one field that says what it is: `header`, `meter`, `series`, `r` (a
//! reading: number of its series, milliseconds since 1970, value), `interval` (only where the
//! readings are no longer kept), `correction`, `document`, `end`. Values come back bit for bit.

use crate::error::{Cause, StoreError};
use crate::meter_state::load_config;
use crate::reader::Reader;
use crate::rollup;
use crate::store::meta;
use hearthwatt_domain::correction::Correction;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::reading::{Channel, Quantity};
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::usage::{IntervalUsage, UsageConfig};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::Write;

pub(crate) const EXPORT_VERSION: u32 = 1;
/// Readings and intervals are read in pages of this size.
const PAGE: usize = 4096;
const PAGE_MS: i64 = 90 * 86_400_000;

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    Header {
        version: u32,
        zone: String,
        /// Readings before this are not kept; their usage is.
        raw_since: Option<UnixMillis>,
    },
    Meter {
        id: MeterId,
        config: Option<UsageConfig>,
    },
    Series {
        no: i64,
        meter: MeterId,
        channel: Channel,
        quantity: Quantity,
        first_at: Option<UnixMillis>,
    },
    R(i64, i64, f64),
    Interval {
        meter: MeterId,
        usage: IntervalUsage,
    },
    Correction(Correction),
    Document {
        kind: String,
        id: String,
        json: serde_json::Value,
    },
    /// The last line: without it something is missing.
    End {
        readings: u64,
    },
}

impl Reader {
    /// Writes everything of the home, as it is at one moment, in constant memory; the writer is
    /// not held up. [`crate::Store::import`] takes it back. Returns the number of readings.
    ///
    /// # Errors
    /// Whatever reading meets, and `is_full` and such of the place it is written to.
    pub fn export(&self, out: &mut impl Write) -> Result<u64, StoreError> {
        // one snapshot for all of it
        let _snapshot = self.conn.unchecked_transaction()?;
        let mut line = |entry: &Entry| -> Result<(), StoreError> {
            serde_json::to_writer(&mut *out, entry).map_err(|e| written(e.into()))?;
            out.write_all(b"\n").map_err(written)
        };
        let zone = self.zone()?.iana_name().unwrap_or("UTC").to_owned();
        let raw_since = meta::<i64>(&self.conn, "raw_since")?.map(UnixMillis);
        line(&Entry::Header { version: EXPORT_VERSION, zone, raw_since })?;
        let meters = self.meters()?;
        let mut numbers = HashMap::new();
        for id in &meters {
            let no = self.meter_no(*id)?;
            let config = no.map(|no| load_config(&self.conn, no)).transpose()?.flatten();
            line(&Entry::Meter { id: *id, config })?;
            for s in self.series_rows(*id)? {
                let (no, channel, quantity, first_at) = (s.no, s.channel, s.quantity, s.first_at);
                numbers.insert((*id, channel.clone(), quantity), no);
                line(&Entry::Series { no, meter: *id, channel, quantity, first_at })?;
            }
        }
        let ever = Span::new(UnixMillis(0), UnixMillis(i64::MAX));
        let mut readings = 0;
        for id in &meters {
            let mut cursor = None;
            loop {
                let (page, more) = self.readings(*id, ever, cursor, PAGE)?;
                readings += page.len() as u64;
                for r in page {
                    if let Some(no) = numbers.get(&(r.meter, r.channel, r.quantity)) {
                        line(&Entry::R(*no, r.at.0, r.value))?;
                    }
                }
                if more.is_none() {
                    break;
                }
                cursor = more;
            }
        }
        if let Some(mark) = raw_since {
            for id in &meters {
                self.old_intervals(*id, mark, |usage| line(&Entry::Interval { meter: *id, usage }))?;
            }
        }
        for c in self.corrections(None)? {
            line(&Entry::Correction(c))?;
        }
        let mut stmt = self.conn.prepare("SELECT kind, id, json FROM document ORDER BY kind, id")?;
        let mut rows = stmt.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, id, json): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            match serde_json::from_str(&json) {
                Ok(json) => line(&Entry::Document { kind, id, json })?,
                Err(error) => return Err(Cause::Document { id, error }.into()),
            }
        }
        line(&Entry::End { readings })?;
        out.flush().map_err(written)?;
        Ok(readings)
    }

    fn old_intervals(
        &self,
        id: MeterId,
        mark: UnixMillis,
        mut f: impl FnMut(IntervalUsage) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let Some(no) = self.meter_no(id)? else { return Ok(()) };
        let mut start = UnixMillis(crate::key::EPOCH_MS);
        while start < mark {
            let end = start.plus_ms(PAGE_MS).min(mark);
            rollup::intervals(&self.conn, no, Span::new(start, end))?.into_iter().try_for_each(&mut f)?;
            start = end;
        }
        Ok(())
    }
}

fn written(error: std::io::Error) -> StoreError {
    StoreError::io(std::path::Path::new("export"), error)
}
