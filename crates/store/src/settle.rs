//! What a batch means for the intervals, days and minutes of one meter, written at its end.

use crate::append::Effects;
use crate::error::StoreError;
use crate::key::MINUTE_MS;
use crate::meter_state::MeterState;
use crate::minute::{Minute, minute_of, next_minute};
use crate::rollup;
use crate::running::Running;
use hearthwatt_domain::correction::{Change, Correction};
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::usage::{Delta, IntervalUsage, Stream, affected};
use jiff::tz::TimeZone;
use rusqlite::Connection;
use std::collections::BTreeSet;

/// Writes what the batch did to one meter; gives the spans of intervals that changed.
pub(crate) fn settle(
    conn: &Connection,
    zone: &TimeZone,
    raw_since: UnixMillis,
    state: &mut MeterState,
    effects: Effects,
) -> Result<Vec<Span>, StoreError> {
    write_minutes(conn, state, &effects)?;
    let mut spans = Vec::new();
    let mut again = Vec::new();
    for delta in effects.deltas.values() {
        if has_override(&state.corrections, delta.start) {
            again.push(delta.span());
            continue;
        }
        spans.push(delta.span());
        add(conn, zone, state, delta)?;
    }
    if let Some(running) = state.running.as_ref().filter(|_| !effects.deltas.is_empty()) {
        running.put(conn, state.no)?;
    }
    let reps = state.replacements();
    if !effects.late.is_empty() {
        let late: Vec<(Stream, UnixMillis)> =
            effects.late.iter().flat_map(|(s, times)| times.iter().map(|at| (*s, *at))).collect();
        again.extend(affected(&state.history(conn), &state.config, &reps, &late)?);
    }
    let again = merged(again);
    for span in &again {
        state.rederive(conn, zone, *span, raw_since)?;
    }
    if !effects.late.is_empty() {
        state.resume(conn)?;
    }
    spans.extend(again);
    Ok(merged(spans))
}

/// Adds to an interval and its day.
fn add(
    conn: &Connection,
    zone: &TimeZone,
    state: &mut MeterState,
    sums: &IntervalUsage,
) -> Result<(), StoreError> {
    let start = sums.start;
    let mut running = match state.running {
        Some(running) => running,
        None => Running::open(conn, zone, state.no, start)?,
    };
    if start > running.interval.start {
        running.go_on(conn, zone, state.no, start)?;
    }
    let delta = Delta {
        start,
        import: sums.import,
        export: sums.export,
        quality: sums.quality,
        covered_ms: sums.covered_ms,
        power_min: sums.power_min,
        power_max: sums.power_max,
    };
    if start == running.interval.start {
        let old = running.interval;
        running.interval.absorb(&delta);
        let new = running.interval;
        running.day.shift(&old, &new);
    } else {
        // another source of the meter has got further already
        let old = rollup::interval(conn, state.no, start)?.unwrap_or(IntervalUsage::empty(start));
        let mut new = old;
        new.absorb(&delta);
        rollup::put_interval(conn, state.no, &new)?;
        if running.day.span.contains(start) {
            running.day.shift(&old, &new);
        } else {
            let day = rollup::day_no(rollup::date_at(zone, start));
            rollup::shift_day(conn, state.no, day, &old, &new)?;
        }
    }
    state.running = Some(running);
    Ok(())
}

fn has_override(corrections: &[Correction], start: UnixMillis) -> bool {
    corrections.iter().any(|c| match c.change {
        Change::Set { span, .. } | Change::Exclude { span } => span.contains(start),
        Change::Replacement(_) => false,
    })
}

/// The same time in as few spans as possible.
pub(crate) fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|s| s.start);
    let mut out: Vec<Span> = Vec::new();
    for s in spans {
        match out.last_mut() {
            Some(last) if s.start <= last.end => last.end = last.end.max(s.end),
            _ => out.push(s),
        }
    }
    out
}

fn write_minutes(conn: &Connection, state: &mut MeterState, effects: &Effects) -> Result<(), StoreError> {
    let mut stale = BTreeSet::new();
    for (index, start) in &effects.stale_minutes {
        stale.insert((*index, *start));
        // what was carried over into the next one is another value now
        let next = next_minute(conn, state.series[*index].no, start + MINUTE_MS)?;
        stale.extend(next.map(|n| (*index, n)));
    }
    for (index, start) in &stale {
        let s = &mut state.series[*index];
        let Some(minute) = Minute::rebuild(conn, s.no, *start)? else { continue };
        if s.last_at.is_some_and(|l| minute_of(l) == *start) {
            s.minute = Some(minute);
        } else {
            minute.closed().put(conn, s.no)?;
        }
    }
    for index in effects.minutes.iter().chain(stale.iter().map(|(index, _)| index)) {
        let s = &state.series[*index];
        if let Some(minute) = &s.minute {
            minute.put_running(conn, s.no)?;
        }
    }
    Ok(())
}
