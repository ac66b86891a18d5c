//! Intervals and days: written with the readings they come from.

use crate::error::StoreError;
use crate::key::{interval_key, interval_start};
use crate::types::PeriodUsage;
use hearthwatt_domain::time::{INTERVAL_MS, Span, UnixMillis};
use hearthwatt_domain::units::{Energy, Power};
use hearthwatt_domain::usage::{IntervalUsage, Quality};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeSet;

const UNIX_DAY: Date = Date::constant(1970, 1, 1);

pub(crate) fn date_at(zone: &TimeZone, at: UnixMillis) -> Date {
    at.to_jiff().map_or(UNIX_DAY, |t| zone.to_datetime(t).date())
}

/// The instants between which a day of the home lies.
pub(crate) fn day_span(zone: &TimeZone, date: Date) -> Result<Span, StoreError> {
    let start = |d: Date| d.to_zoned(zone.clone()).map(|z| UnixMillis::from(z.timestamp()));
    let bad = |_| StoreError::invalid(format!("The day {date} is out of range."));
    Ok(Span::new(start(date).map_err(bad)?, date.tomorrow().and_then(start).map_err(bad)?))
}

pub(crate) fn day_no(date: Date) -> i64 {
    date.since(UNIX_DAY).map_or(0, |s| i64::from(s.get_days()))
}
pub(crate) fn date_of(no: i64) -> Date {
    UNIX_DAY.checked_add(jiff::Span::new().days(no.clamp(0, 100_000))).unwrap_or(UNIX_DAY)
}

fn quality(code: i64) -> Quality {
    match code {
        0 => Quality::Measured,
        1 => Quality::Interpolated,
        2 => Quality::Recovered,
        4 => Quality::Corrected,
        _ => Quality::Suspect,
    }
}

pub(crate) fn interval_row(row: &Row<'_>) -> rusqlite::Result<IntervalUsage> {
    Ok(IntervalUsage {
        start: interval_start(row.get(0)?),
        import: Energy(row.get(1)?),
        export: Energy(row.get(2)?),
        quality: quality(row.get(3)?),
        covered_ms: row.get(4)?,
        power_min: row.get::<_, Option<i64>>(5)?.map(Power),
        power_max: row.get::<_, Option<i64>>(6)?.map(Power),
    })
}

pub(crate) const INTERVAL_COLUMNS: &str = "key, import, export, quality, covered, power_min, power_max";
pub(crate) const DAY_COLUMNS: &str =
    "day, import, export, not_measured, quality, covered, power_min, power_max";
pub(crate) const RUNNING_DAY_COLUMNS: &str =
    "day, day_import, day_export, day_not_measured, day_quality, day_covered, day_power_min, day_power_max";

/// The meter's intervals that start in `span`, in order.
pub(crate) fn intervals(conn: &Connection, meter: i64, span: Span) -> Result<Vec<IntervalUsage>, StoreError> {
    let from = span.start.plus_ms(INTERVAL_MS - 1).interval_start();
    let to = span.end.plus_ms(INTERVAL_MS - 1).interval_start();
    let sql = format!(
        "SELECT {INTERVAL_COLUMNS} FROM interval WHERE key >= ?1 AND key < ?2
         UNION ALL SELECT {INTERVAL_COLUMNS} FROM running WHERE meter = ?3 AND key >= ?1 AND key < ?2 ORDER BY 1"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows =
        stmt.query_map(params![interval_key(meter, from), interval_key(meter, to), meter], interval_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The meter's days from `first` to `last`, both included, in order.
pub(crate) fn days(
    conn: &Connection,
    zone: &TimeZone,
    meter: i64,
    first: Date,
    last: Date,
) -> Result<Vec<PeriodUsage>, StoreError> {
    let sql = format!(
        "SELECT {DAY_COLUMNS} FROM day WHERE meter=?1 AND day BETWEEN ?2 AND ?3
         UNION ALL SELECT {RUNNING_DAY_COLUMNS} FROM running WHERE meter=?1 AND day BETWEEN ?2 AND ?3 ORDER BY 1"
    );
    let mut stmt = conn.prepare_cached(&sql)?;
    let mut rows = stmt.query(params![meter, day_no(first), day_no(last)])?;
    let mut days = Vec::new();
    while let Some(row) = rows.next()? {
        days.push(day_row(row, zone)?);
    }
    Ok(days)
}

/// Sums of other recorders' rows, as [`days`].
pub(crate) fn other_sums(
    conn: &Connection,
    zone: &TimeZone,
    meter: i64,
    first: Date,
    last: Date,
) -> Result<Vec<PeriodUsage>, StoreError> {
    let sql =
        format!("SELECT {DAY_COLUMNS} FROM other_sum WHERE meter=?1 AND day BETWEEN ?2 AND ?3 ORDER BY day");
    let mut stmt = conn.prepare_cached(&sql)?;
    let mut rows = stmt.query(params![meter, day_no(first), day_no(last)])?;
    let mut days = Vec::new();
    while let Some(row) = rows.next()? {
        days.push(day_row(row, zone)?);
    }
    Ok(days)
}

/// One closed interval.
pub(crate) fn interval(
    conn: &Connection,
    meter: i64,
    start: UnixMillis,
) -> Result<Option<IntervalUsage>, StoreError> {
    let sql = format!("SELECT {INTERVAL_COLUMNS} FROM interval WHERE key = ?1");
    Ok(conn.prepare_cached(&sql)?.query_row([interval_key(meter, start)], interval_row).optional()?)
}

pub(crate) fn put_interval(conn: &Connection, meter: i64, i: &IntervalUsage) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO interval VALUES(?1,?2,?3,?4,?5,?6,?7)")?.execute(params![
        interval_key(meter, i.start),
        i.import.0,
        i.export.0,
        i.quality as u8,
        i.covered_ms,
        i.power_min.map(|p| p.0),
        i.power_max.map(|p| p.0)
    ])?;
    Ok(())
}

/// Of import and export, what is not plainly measured, in the unit of [`Energy`].
pub(crate) fn not_measured(i: &IntervalUsage) -> i64 {
    if i.quality == Quality::Measured { 0 } else { (i.import + i.export).0 }
}

/// Moves a closed day from what it held of an interval to what it holds now. Qualities and extremes
/// only ever widen on this path; where they may shrink, [`rebuild_days`] is the way.
pub(crate) fn shift_day(
    conn: &Connection,
    meter: i64,
    day: i64,
    old: &IntervalUsage,
    new: &IntervalUsage,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO day VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9) ON CONFLICT DO UPDATE SET
         import=import+excluded.import, export=export+excluded.export,
         not_measured=not_measured+excluded.not_measured, quality=max(quality,excluded.quality),
         covered=covered+excluded.covered,
         power_min=coalesce(min(power_min,excluded.power_min),power_min,excluded.power_min),
         power_max=coalesce(max(power_max,excluded.power_max),power_max,excluded.power_max)",
    )?
    .execute(params![
        meter,
        day,
        (new.import - old.import).0,
        (new.export - old.export).0,
        not_measured(new) - not_measured(old),
        new.quality as u8,
        i64::from(new.covered_ms) - i64::from(old.covered_ms),
        new.power_min.map(|p| p.0),
        new.power_max.map(|p| p.0)
    ])?;
    Ok(())
}

/// Puts `rows` in the place of all that the meter had in `span`. It must have no running row.
pub(crate) fn replace(
    conn: &Connection,
    zone: &TimeZone,
    meter: i64,
    span: Span,
    rows: &[IntervalUsage],
) -> Result<(), StoreError> {
    let mut days: BTreeSet<Date> = BTreeSet::new();
    for old in intervals(conn, meter, span)? {
        days.insert(date_at(zone, old.start));
        conn.prepare_cached("DELETE FROM interval WHERE key=?1")?
            .execute([interval_key(meter, old.start)])?;
    }
    for row in rows.iter().filter(|r| span.contains(r.start)) {
        days.insert(date_at(zone, row.start));
        put_interval(conn, meter, row)?;
    }
    rebuild_days(conn, zone, meter, days.into_iter())
}

pub(crate) fn rebuild_days(
    conn: &Connection,
    zone: &TimeZone,
    meter: i64,
    days: impl Iterator<Item = Date>,
) -> Result<(), StoreError> {
    for date in days {
        let span = day_span(zone, date)?;
        let mut sum = PeriodUsage::empty(date, span);
        let rows = intervals(conn, meter, span)?;
        rows.iter().for_each(|i| sum.add(i));
        let no = day_no(date);
        if rows.is_empty() {
            conn.prepare_cached("DELETE FROM day WHERE day=?1 AND meter=?2")?.execute(params![no, meter])?;
            continue;
        }
        put_day(conn, meter, &sum)?;
    }
    Ok(())
}

pub(crate) fn put_day(conn: &Connection, meter: i64, sum: &PeriodUsage) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO day VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)")?.execute(
        params![
            meter,
            day_no(sum.date),
            sum.import.0,
            sum.export.0,
            sum.not_measured.0,
            sum.quality as u8,
            sum.covered_ms,
            sum.power_min.map(|p| p.0),
            sum.power_max.map(|p| p.0)
        ],
    )?;
    Ok(())
}

pub(crate) fn day_row(row: &Row<'_>, zone: &TimeZone) -> Result<PeriodUsage, StoreError> {
    let date = date_of(row.get(0)?);
    Ok(PeriodUsage {
        date,
        span: day_span(zone, date)?,
        import: Energy(row.get(1)?),
        export: Energy(row.get(2)?),
        not_measured: Energy(row.get(3)?),
        quality: quality(row.get(4)?),
        covered_ms: row.get(5)?,
        power_min: row.get::<_, Option<i64>>(6)?.map(Power),
        power_max: row.get::<_, Option<i64>>(7)?.map(Power),
    })
}
