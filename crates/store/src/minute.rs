//! Power per minute: extremes and the integral of a value that holds until the next one.

use crate::error::StoreError;
use crate::key::{MINUTE_MS, minute_key, minute_start, reading_at, reading_key, unpack};
use crate::tail::RANGE;
use hearthwatt_domain::reading::Quantity;
use hearthwatt_domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Row, params};

/// A value holds for this long after it was heard, longer than any minute.
pub(crate) const HOLD_MS: i64 = 5 * 60 * 1000;

pub(crate) const fn has_minutes(q: Quantity) -> bool {
    matches!(q, Quantity::Power | Quantity::PowerImport | Quantity::PowerExport | Quantity::PowerProduction)
}
pub(crate) const fn minute_of(at: UnixMillis) -> i64 {
    at.0 - at.0.rem_euclid(MINUTE_MS)
}

/// One minute of one series, with at least one reading in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Minute {
    pub start: i64,
    pub low: f64,
    pub high: f64,
    /// Of value times milliseconds, over `covered` of them.
    pub sum: f64,
    pub covered: i64,
    pub last_at: i64,
    pub last: f64,
}

pub(crate) const COLUMNS: &str = "key, low, high, sum, covered, last_at, last";

impl Minute {
    /// Opens with its first reading; `before` is the reading before that.
    pub fn open(at: UnixMillis, value: f64, before: Option<(i64, f64)>) -> Self {
        let start = minute_of(at);
        let mut m = Self { start, low: value, high: value, sum: 0.0, covered: 0, last_at: at.0, last: value };
        if let Some((heard, held)) = before {
            let ms = at.0.min(heard + HOLD_MS) - start;
            if ms > 0 {
                (m.sum, m.covered) = (held * ms as f64, ms);
                (m.low, m.high) = (value.min(held), value.max(held));
            }
        }
        m
    }

    /// The next reading of the same minute.
    pub fn push(&mut self, at: UnixMillis, value: f64) {
        self.hold(at.0);
        (self.low, self.high) = (self.low.min(value), self.high.max(value));
        (self.last_at, self.last) = (at.0, value);
    }

    fn hold(&mut self, to: i64) {
        let ms = to - self.last_at;
        self.sum += self.last * ms as f64;
        self.covered += ms;
    }

    /// With its last value held to its end: a later reading has come.
    pub fn closed(mut self) -> Self {
        self.hold(self.start + MINUTE_MS);
        self
    }

    pub fn average(&self) -> f64 {
        if self.covered > 0 { self.sum / self.covered as f64 } else { self.last }
    }

    pub fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            start: minute_start(row.get(0)?),
            low: row.get(1)?,
            high: row.get(2)?,
            sum: row.get(3)?,
            covered: row.get(4)?,
            last_at: row.get(5)?,
            last: row.get(6)?,
        })
    }

    pub fn load_running(conn: &Connection, series: i64) -> Result<Option<Self>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM running_minute WHERE series=?1");
        Ok(conn.prepare_cached(&sql)?.query_row([series], Self::from_row).optional()?)
    }

    pub fn put_running(&self, conn: &Connection, series: i64) -> Result<(), StoreError> {
        let key = minute_key(series, UnixMillis(self.start));
        conn.prepare_cached("INSERT OR REPLACE INTO running_minute VALUES(?1,?2,?3,?4,?5,?6,?7,?8)")?
            .execute(params![
                series,
                key,
                self.low,
                self.high,
                self.sum,
                self.covered,
                self.last_at,
                self.last
            ])?;
        Ok(())
    }

    pub fn put(&self, conn: &Connection, series: i64) -> Result<(), StoreError> {
        let key = minute_key(series, UnixMillis(self.start));
        conn.prepare_cached("INSERT OR REPLACE INTO minute VALUES(?1,?2,?3,?4,?5,?6,?7)")?
            .execute(params![key, self.low, self.high, self.sum, self.covered, self.last_at, self.last])?;
        Ok(())
    }

    /// From the stored readings; not closed. `None` if the minute has none.
    pub fn rebuild(conn: &Connection, series: i64, start: i64) -> Result<Option<Self>, StoreError> {
        let (from, to) = (UnixMillis(start - HOLD_MS), UnixMillis(start + MINUTE_MS));
        let mut stmt = conn.prepare_cached(RANGE)?;
        let mut rows = stmt.query([reading_key(series, from), reading_key(series, to)])?;
        let (mut before, mut minute) = (None, None::<Self>);
        while let Some(row) = rows.next()? {
            let Some(value) = unpack(row.get_ref(1)?) else { continue };
            let at = reading_at(row.get(0)?);
            match &mut minute {
                _ if at.0 < start => before = Some((at.0, value)),
                Some(m) => m.push(at, value),
                None => minute = Some(Self::open(at, value, before)),
            }
        }
        Ok(minute)
    }
}

/// The minute of the first reading at or after `from`.
pub(crate) fn next_minute(conn: &Connection, series: i64, from: i64) -> Result<Option<i64>, StoreError> {
    // beyond the hold nothing is carried over
    let (from, to) = (UnixMillis(from), UnixMillis(from + HOLD_MS));
    let mut stmt = conn.prepare_cached(crate::tail::RANGE_LIMIT)?;
    let key = stmt
        .query_row(params![reading_key(series, from), reading_key(series, to), 1], |r| r.get(0))
        .optional()?;
    Ok(key.map(|k| minute_of(reading_at(k))))
}
