//! The home's usage: own rows, and those of other recorders on the days that they rule. The one
//! way for charts and budgets to read.

use crate::block::{DAY_MS, days_of, other_intervals};
use crate::error::StoreError;
use crate::key::interval_start;
use crate::reader::Reader;
use crate::rollup;
use crate::types::PeriodUsage;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::time::{INTERVAL_MS, Span, UnixMillis};
use hearthwatt_domain::usage::IntervalUsage;
use jiff::civil::Date;
use rusqlite::params;
use std::collections::BTreeMap;

/// A block's SHA-256 and its bytes.
pub type HashedBytes = ([u8; 32], Vec<u8>);

impl Reader {
    /// The meter's intervals that start in `span`, in order, whoever recorded them; each from one
    /// recorder.
    pub fn usage(&self, meter: MeterId, span: Span) -> Result<Vec<IntervalUsage>, StoreError> {
        let Some(no) = self.meter_no(meter)? else { return Ok(Vec::new()) };
        let own = rollup::intervals(&self.conn, no, span)?;
        let ruled = self.ruled(no, span)?;
        if ruled.is_empty() {
            return Ok(own);
        }
        let mut rows = other_intervals(&self.conn, no, span)?;
        if own.is_empty() {
            return Ok(rows);
        }
        rows.extend(
            own.into_iter()
                .filter(|r| ruled.get(&r.start.0.div_euclid(DAY_MS)).is_none_or(|until| r.start >= *until)),
        );
        rows.sort_by_key(|r| r.start);
        Ok(rows)
    }

    /// The meter's days from `first` to `last`, both included, in the home's zone, whoever
    /// recorded them; days without anything are absent.
    pub fn usage_days(
        &self,
        meter: MeterId,
        first: Date,
        last: Date,
    ) -> Result<Vec<PeriodUsage>, StoreError> {
        let Some(no) = self.meter_no(meter)? else { return Ok(Vec::new()) };
        let zone = self.zone()?;
        let own = rollup::days(&self.conn, &zone, no, first, last)?;
        let whole = Span::new(rollup::day_span(&zone, first)?.start, rollup::day_span(&zone, last)?.end);
        let ruled = self.ruled(no, whole)?;
        if ruled.is_empty() {
            return Ok(own);
        }
        let mut days: BTreeMap<Date, PeriodUsage> = rollup::other_sums(&self.conn, &zone, no, first, last)?
            .into_iter()
            .map(|d| (d.date, d))
            .collect();
        for day in own {
            if !days_of(day.span).any(|d| ruled.contains_key(&d)) {
                days.insert(day.date, day);
                continue;
            }
            // of both: each interval from where it counts
            let mut sum = PeriodUsage::empty(day.date, day.span);
            let rows = self.usage(meter, day.span)?;
            rows.iter().for_each(|r| sum.add(r));
            if rows.is_empty() {
                days.remove(&day.date);
            } else {
                days.insert(day.date, sum);
            }
        }
        Ok(days.into_values().collect())
    }

    /// From where to where there is usage of the meter, whoever recorded it.
    pub fn usage_ends(&self, meter: MeterId) -> Result<Option<(UnixMillis, UnixMillis)>, StoreError> {
        let mut ends = self.first_and_last(meter)?;
        let Some(no) = self.meter_no(meter)? else { return Ok(ends) };
        let range = (
            crate::key::interval_key(no, UnixMillis(i64::MIN)),
            crate::key::interval_key(no, UnixMillis(i64::MAX)),
        );
        let (low, high): (Option<i64>, Option<i64>) = self
            .conn
            .prepare_cached(
                "SELECT (SELECT min(key) FROM other_interval WHERE key BETWEEN ?1 AND ?2),
                        (SELECT max(key) FROM other_interval WHERE key BETWEEN ?1 AND ?2)",
            )?
            .query_row([range.0, range.1], |r| Ok((r.get(0)?, r.get(1)?)))?;
        if let (Some(low), Some(high)) = (low, high) {
            let (low, high) = (interval_start(low), interval_start(high).plus_ms(INTERVAL_MS - 1));
            ends = Some(ends.map_or((low, high), |(a, b)| (a.min(low), b.max(high))));
        }
        Ok(ends)
    }

    /// UTC days in `span` that another recorder rules, and the time from which own rows count.
    fn ruled(&self, meter: i64, span: Span) -> Result<BTreeMap<i64, UnixMillis>, StoreError> {
        let days = days_of(span);
        let mut stmt = self
            .conn
            .prepare_cached("SELECT day, until FROM other_day WHERE meter=?1 AND day BETWEEN ?2 AND ?3")?;
        let rows = stmt.query_map(params![meter, days.start(), days.end()], |r| {
            Ok((r.get(0)?, interval_start(r.get(1)?)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Own days to be looked at for publishing, oldest first, at most `limit`.
    pub fn days_to_publish(&self, limit: usize) -> Result<Vec<(MeterId, Date)>, StoreError> {
        let mut stmt = self.conn.prepare_cached(
            "SELECT m.id, u.day FROM unpublished u JOIN meter m ON m.no = u.meter ORDER BY u.day, u.meter LIMIT ?1",
        )?;
        let rows = stmt.query_map([limit as i64], |r| {
            Ok((MeterId(uuid::Uuid::from_bytes(r.get(0)?)), rollup::date_of(r.get(1)?)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Own days of a meter that have been published and not withdrawn.
    pub fn published_days(&self, meter: MeterId) -> Result<Vec<Date>, StoreError> {
        let Some(no) = self.meter_no(meter)? else { return Ok(Vec::new()) };
        let mut stmt =
            self.conn.prepare_cached("SELECT day FROM own_block WHERE meter=?1 AND NOT withdrawn")?;
        let rows = stmt.query_map([no], |r| Ok(rollup::date_of(r.get(0)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Own blocks that the server may not have, by hash, at most `limit`.
    pub fn unsent_blocks(&self, limit: usize) -> Result<Vec<HashedBytes>, StoreError> {
        let mut stmt = self.conn.prepare_cached(
            "SELECT hash, bytes FROM own_block WHERE bytes IS NOT NULL ORDER BY day LIMIT ?1",
        )?;
        let rows = stmt.query_map([limit as i64], |r| Ok((r.get(0)?, r.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub fn unsent_count(&self) -> Result<u32, StoreError> {
        Ok(self
            .conn
            .prepare_cached("SELECT count(*) FROM own_block WHERE bytes IS NOT NULL")?
            .query_row([], |r| r.get(0))?)
    }

    /// Up to where blocks have been read from the server.
    pub fn blocks_after(&self) -> Result<u64, StoreError> {
        Ok(crate::store::meta::<i64>(&self.conn, "blocks_after")?.unwrap_or(0) as u64)
    }
}
