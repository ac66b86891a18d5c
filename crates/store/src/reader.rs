//! A read-only connection.

use crate::error::{Cause, StoreError};
use crate::history::Series;
use crate::key::{MINUTE_MS, minute_key, reading_at, reading_key, unpack};
use crate::line::Line;
use crate::meter_state::{load_corrections, load_series};
use crate::minute::{HOLD_MS, Minute, has_minutes, minute_of};
use crate::rollup;
use crate::store::{BUSY, meta};
use crate::tail;
use crate::types::*;
use hearthwatt_domain::correction::Correction;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::reading::Reading;
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::usage::IntervalUsage;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::path::Path;

const HOUR_MS: i64 = 3_600_000;
/// More points than any screen is wide.
const BUCKETS_MAX: usize = 10_000;

/// A read-only connection of its own; `Send`. Each call sees the state of the last commit.
#[derive(Debug)]
pub struct Reader {
    pub(crate) conn: Connection,
}

impl Reader {
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let conn = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        conn.busy_timeout(BUSY)?;
        conn.set_prepared_statement_cache_capacity(64);
        Ok(Self { conn })
    }

    pub(crate) fn zone(&self) -> Result<TimeZone, StoreError> {
        let name = meta::<String>(&self.conn, "zone")?.unwrap_or_else(|| "UTC".into());
        TimeZone::get(&name).map_err(|_| StoreError::invalid(format!("The time zone \"{name}\" is unknown.")))
    }

    pub(crate) fn meter_no(&self, meter: MeterId) -> Result<Option<i64>, StoreError> {
        Ok(self
            .conn
            .prepare_cached("SELECT no FROM meter WHERE id=?1")?
            .query_row([meter.0.as_bytes()], |r| r.get(0))
            .optional()?)
    }

    pub(crate) fn series_rows(&self, meter: MeterId) -> Result<Vec<Series>, StoreError> {
        self.meter_no(meter)?.map_or(Ok(Vec::new()), |no| load_series(&self.conn, no))
    }

    /// The meter's intervals that start in `span`, in order; intervals without anything are absent.
    pub fn intervals(&self, meter: MeterId, span: Span) -> Result<Vec<IntervalUsage>, StoreError> {
        self.meter_no(meter)?.map_or(Ok(Vec::new()), |no| rollup::intervals(&self.conn, no, span))
    }

    /// The meter's days from `first` to `last`, both included, in the home's zone; days without
    /// anything are absent.
    pub fn days(&self, meter: MeterId, first: Date, last: Date) -> Result<Vec<PeriodUsage>, StoreError> {
        let Some(no) = self.meter_no(meter)? else { return Ok(Vec::new()) };
        rollup::days(&self.conn, &self.zone()?, no, first, last)
    }

    /// The meter's hours of the days from `first` to `last`, both included, counted from each
    /// midnight: 23, 24 or 25 a day. Hours without anything have no coverage.
    pub fn hours(&self, meter: MeterId, first: Date, last: Date) -> Result<Vec<PeriodUsage>, StoreError> {
        let zone = self.zone()?;
        let mut hours: Vec<PeriodUsage> = Vec::new();
        for date in first.series(jiff::Span::new().days(1)).take_while(|d| *d <= last) {
            let day = rollup::day_span(&zone, date)?;
            let mut start = day.start;
            while start < day.end {
                let end = start.plus_ms(HOUR_MS).min(day.end);
                hours.push(PeriodUsage::empty(date, Span::new(start, end)));
                start = end;
            }
        }
        if let (Some(a), Some(b)) = (hours.first(), hours.last()) {
            let rows = self.intervals(meter, Span::new(a.span.start, b.span.end))?;
            let mut at = 0;
            for i in rows {
                while hours.get(at).is_some_and(|h| h.span.end <= i.start) {
                    at += 1;
                }
                if let Some(h) = hours.get_mut(at) {
                    h.add(&i);
                }
            }
        }
        Ok(hours)
    }

    /// A chart's line: `buckets` equal parts of `span` (at most 10000), `None` where nothing was
    /// heard. A value holds until the next one, for at most five minutes. Parts of a minute or
    /// more come from the rollup of minutes where there is one.
    pub fn series(
        &self,
        key: &SeriesKey,
        span: Span,
        buckets: usize,
    ) -> Result<Vec<Option<Bucket>>, StoreError> {
        let buckets = buckets.min(BUCKETS_MAX);
        let mut line = Line::new(span, buckets);
        let all = self.series_rows(key.meter)?;
        let found = all.iter().find(|s| s.channel == key.channel && s.quantity == key.quantity);
        if let Some(s) = found.filter(|_| buckets > 0 && span.ms() > 0) {
            let from = span.start.plus_ms(-HOLD_MS);
            if has_minutes(key.quantity) && span.ms() / buckets as i64 >= MINUTE_MS {
                self.minutes(s.no, from, span.end, &mut line)?;
            } else {
                self.points(s.no, from, span.end, &mut line)?;
            }
        }
        Ok(line.finish())
    }

    fn minutes(&self, no: i64, from: UnixMillis, to: UnixMillis, line: &mut Line) -> Result<(), StoreError> {
        let columns = crate::minute::COLUMNS;
        let sql = format!("SELECT {columns} FROM minute WHERE key>=?1 AND key<?2 ORDER BY key");
        let mut stmt = self.conn.prepare_cached(&sql)?;
        // a minute that starts before the end counts
        let end = minute_key(no, to.plus_ms(MINUTE_MS - 1));
        let mut rows = stmt.query([minute_key(no, from), end])?;
        while let Some(row) = rows.next()? {
            line.minute(&Minute::from_row(row)?, false);
        }
        if let Some(m) = Minute::load_running(&self.conn, no)? {
            if m.start < to.0 && m.start >= minute_of(from) {
                line.minute(&m, true);
            }
            line.fill(to.0.min(m.last_at));
        }
        Ok(())
    }

    fn points(&self, no: i64, from: UnixMillis, to: UnixMillis, line: &mut Line) -> Result<(), StoreError> {
        let mut stmt = self.conn.prepare_cached(tail::RANGE)?;
        let mut rows = stmt.query([reading_key(no, from), reading_key(no, to)])?;
        while let Some(row) = rows.next()? {
            if let Some(v) = unpack(row.get_ref(1)?) {
                line.point(reading_at(row.get(0)?).0, v);
            }
        }
        // the last value holds into the time asked for, never into what has not been yet
        if let Some((last, _)) = tail::end(&self.conn, no, true)? {
            line.fill(to.0.min(last.0));
        }
        Ok(())
    }

    /// What the store has a series for, of this meter.
    pub fn series_of(&self, meter: MeterId) -> Result<Vec<SeriesKey>, StoreError> {
        let rows = self.series_rows(meter)?;
        Ok(rows.into_iter().map(|s| SeriesKey { meter, channel: s.channel, quantity: s.quantity }).collect())
    }

    /// All meters with readings.
    pub fn meters(&self) -> Result<Vec<MeterId>, StoreError> {
        let mut stmt = self.conn.prepare_cached("SELECT id FROM meter ORDER BY id")?;
        let ids = stmt.query_map([], |r| r.get::<_, [u8; 16]>(0))?;
        Ok(ids.map(|id| id.map(|b| MeterId(uuid::Uuid::from_bytes(b)))).collect::<Result<_, _>>()?)
    }

    /// The last reading of each of the meter's series.
    pub fn latest(&self, meter: MeterId) -> Result<Vec<Reading>, StoreError> {
        let mut out = Vec::new();
        for s in self.series_rows(meter)? {
            let found = tail::end(&self.conn, s.no, true)?;
            out.extend(found.map(|(at, value)| Reading {
                meter,
                channel: s.channel,
                quantity: s.quantity,
                at,
                value,
            }));
        }
        Ok(out)
    }

    /// Times of the meter's first and last stored reading.
    pub fn first_and_last(&self, meter: MeterId) -> Result<Option<(UnixMillis, UnixMillis)>, StoreError> {
        let mut ends: Option<(UnixMillis, UnixMillis)> = None;
        for s in self.series_rows(meter)? {
            for last in [false, true] {
                if let Some((at, _)) = tail::end(&self.conn, s.no, last)? {
                    ends = Some(ends.map_or((at, at), |(a, b)| (a.min(at), b.max(at))));
                }
            }
        }
        Ok(ends)
    }

    /// The meter's readings in `span`, by time, at most `limit`; hand back the cursor for more.
    pub fn readings(
        &self,
        meter: MeterId,
        span: Span,
        after: Option<Cursor>,
        limit: usize,
    ) -> Result<(Vec<Reading>, Option<Cursor>), StoreError> {
        let mut out: Vec<(i64, Reading)> = Vec::new();
        for s in self.series_rows(meter)? {
            // within one instant the readings go by the number of their series
            let from = match after {
                Some(c) if s.no <= c.series => UnixMillis(c.at + 1),
                Some(c) => UnixMillis(c.at),
                None => span.start,
            };
            let mut stmt = self.conn.prepare_cached(tail::RANGE_LIMIT)?;
            let mut rows = stmt.query(params![
                reading_key(s.no, from.max(span.start)),
                reading_key(s.no, span.end),
                limit as i64
            ])?;
            while let Some(row) = rows.next()? {
                let Some(value) = unpack(row.get_ref(1)?) else { continue };
                let (channel, quantity) = (s.channel.clone(), s.quantity);
                out.push((s.no, Reading { meter, channel, quantity, at: reading_at(row.get(0)?), value }));
            }
        }
        out.sort_by_key(|(no, r)| (r.at, *no));
        let more = out.len() >= limit;
        out.truncate(limit);
        let cursor = out.last().filter(|_| more).map(|(no, r)| Cursor { at: r.at.0, series: *no });
        Ok((out.into_iter().map(|(_, r)| r).collect(), cursor))
    }

    /// All documents of a kind, by id.
    pub fn documents(&self, kind: &str) -> Result<Vec<Document>, StoreError> {
        let mut stmt = self.conn.prepare_cached("SELECT id, json FROM document WHERE kind=?1 ORDER BY id")?;
        let mut rows = stmt.query([kind])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            all.push(document(row.get(0)?, &row.get::<_, String>(1)?)?);
        }
        Ok(all)
    }

    pub fn document(&self, kind: &str, id: &str) -> Result<Option<Document>, StoreError> {
        let json: Option<String> = self
            .conn
            .prepare_cached("SELECT json FROM document WHERE kind=?1 AND id=?2")?
            .query_row([kind, id], |r| r.get(0))
            .optional()?;
        json.map(|j| document(id.to_owned(), &j)).transpose()
    }

    /// How much there is, and from when on every reading is kept.
    pub fn size(&self) -> Result<DatabaseSize, StoreError> {
        let pragma = |name: &str| self.conn.pragma_query_value(None, name, |r| r.get::<_, i64>(0));
        let page = pragma("page_size")?;
        let bytes = |pages: i64| u64::try_from(pages.saturating_mul(page)).unwrap_or(0);
        let mark = meta::<i64>(&self.conn, "raw_since")?.map(UnixMillis);
        Ok(DatabaseSize {
            bytes: bytes(pragma("page_count")?),
            free_bytes: bytes(pragma("freelist_count")?),
            readings_since: mark.filter(|mark| mark.0 > 0),
        })
    }

    /// Corrections of one meter, or of all.
    pub fn corrections(&self, meter: Option<MeterId>) -> Result<Vec<Correction>, StoreError> {
        match meter {
            None => load_corrections(&self.conn, None),
            Some(m) => self.meter_no(m)?.map_or(Ok(Vec::new()), |no| load_corrections(&self.conn, Some(no))),
        }
    }
}

fn document(id: String, json: &str) -> Result<Document, StoreError> {
    match serde_json::from_str(json) {
        Ok(json) => Ok(Document { id, json }),
        Err(error) => Err(Cause::Document { id, error }.into()),
    }
}
