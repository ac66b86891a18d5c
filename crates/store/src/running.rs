//! The interval and the day that a meter is in.
//!
//! They change with every reading. Kept on one short row per meter, the rows of all meters share a
//! page or two; closed rows lie by meter, where a year of one meter is read in one sweep. What is
//! in the running row is in no other table.

use crate::error::StoreError;
use crate::key::interval_key;
use crate::rollup;
use crate::types::PeriodUsage;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::{Energy, Power};
use hearthwatt_domain::usage::IntervalUsage;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, params};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Running {
    pub interval: IntervalUsage,
    pub day: PeriodUsage,
}

impl Running {
    pub fn load(conn: &Connection, zone: &TimeZone, meter: i64) -> Result<Option<Self>, StoreError> {
        let sql = format!("SELECT {} FROM running WHERE meter=?1", rollup::INTERVAL_COLUMNS);
        let Some(interval) =
            conn.prepare_cached(&sql)?.query_row([meter], rollup::interval_row).optional()?
        else {
            return Ok(None);
        };
        let sql = format!("SELECT {} FROM running WHERE meter=?1", rollup::RUNNING_DAY_COLUMNS);
        let mut stmt = conn.prepare_cached(&sql)?;
        let mut rows = stmt.query([meter])?;
        match rows.next()? {
            Some(row) => Ok(Some(Self { interval, day: rollup::day_row(row, zone)? })),
            None => Ok(None),
        }
    }

    /// Takes the rows of `start` out of their tables.
    pub fn open(
        conn: &Connection,
        zone: &TimeZone,
        meter: i64,
        start: UnixMillis,
    ) -> Result<Self, StoreError> {
        let interval = take_interval(conn, meter, start)?;
        Ok(Self { interval, day: take_day(conn, zone, meter, start)? })
    }

    /// Goes on to a later interval, maybe of a later day.
    pub fn go_on(
        &mut self,
        conn: &Connection,
        zone: &TimeZone,
        meter: i64,
        start: UnixMillis,
    ) -> Result<(), StoreError> {
        rollup::put_interval(conn, meter, &self.interval)?;
        self.interval = take_interval(conn, meter, start)?;
        if !self.day.span.contains(start) {
            rollup::put_day(conn, meter, &self.day)?;
            self.day = take_day(conn, zone, meter, start)?;
        }
        Ok(())
    }

    pub fn put(&self, conn: &Connection, meter: i64) -> Result<(), StoreError> {
        let (i, d) = (&self.interval, &self.day);
        conn.prepare_cached(
            "INSERT OR REPLACE INTO running VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)",
        )?
        .execute(params![
            meter,
            interval_key(meter, i.start),
            i.import.0,
            i.export.0,
            i.quality as u8,
            i.covered_ms,
            i.power_min.map(|p| p.0),
            i.power_max.map(|p| p.0),
            rollup::day_no(d.date),
            d.import.0,
            d.export.0,
            d.not_measured.0,
            d.quality as u8,
            d.covered_ms,
            d.power_min.map(|p| p.0),
            d.power_max.map(|p| p.0)
        ])?;
        Ok(())
    }

    /// Puts the rows back into their tables.
    pub fn close(self, conn: &Connection, meter: i64) -> Result<(), StoreError> {
        rollup::put_interval(conn, meter, &self.interval)?;
        rollup::put_day(conn, meter, &self.day)?;
        conn.prepare_cached("DELETE FROM running WHERE meter=?1")?.execute([meter])?;
        Ok(())
    }
}

/// Puts all running rows back into their tables.
pub(crate) fn close_all(conn: &Connection, zone: &TimeZone) -> Result<(), StoreError> {
    let meters: Vec<i64> =
        conn.prepare("SELECT meter FROM running")?.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
    for meter in meters {
        if let Some(running) = Running::load(conn, zone, meter)? {
            running.close(conn, meter)?;
        }
    }
    Ok(())
}

fn take_interval(conn: &Connection, meter: i64, start: UnixMillis) -> Result<IntervalUsage, StoreError> {
    let Some(found) = rollup::interval(conn, meter, start)? else {
        return Ok(IntervalUsage::empty(start));
    };
    conn.prepare_cached("DELETE FROM interval WHERE key=?1")?.execute([interval_key(meter, start)])?;
    Ok(found)
}

fn take_day(
    conn: &Connection,
    zone: &TimeZone,
    meter: i64,
    start: UnixMillis,
) -> Result<PeriodUsage, StoreError> {
    let date = rollup::date_at(zone, start);
    let no = rollup::day_no(date);
    let sql = format!("SELECT {} FROM day WHERE meter=?1 AND day=?2", rollup::DAY_COLUMNS);
    let mut stmt = conn.prepare_cached(&sql)?;
    let mut rows = stmt.query([meter, no])?;
    let Some(row) = rows.next()? else {
        return Ok(PeriodUsage::empty(date, rollup::day_span(zone, date)?));
    };
    let day = rollup::day_row(row, zone)?;
    conn.prepare_cached("DELETE FROM day WHERE meter=?1 AND day=?2")?.execute([meter, no])?;
    Ok(day)
}

impl PeriodUsage {
    /// From what it held of an interval to what it holds now. Qualities and extremes only widen.
    pub(crate) fn shift(&mut self, old: &IntervalUsage, new: &IntervalUsage) {
        self.import += new.import - old.import;
        self.export += new.export - old.export;
        self.not_measured += Energy(rollup::not_measured(new) - rollup::not_measured(old));
        self.quality = self.quality.max(new.quality);
        self.covered_ms = (self.covered_ms + new.covered_ms).saturating_sub(old.covered_ms);
        let (low, high): (Option<Power>, Option<Power>) = (new.power_min, new.power_max);
        self.power_min = self.power_min.into_iter().chain(low).min();
        self.power_max = self.power_max.into_iter().chain(high).max();
    }
}
