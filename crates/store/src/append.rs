//! Appending readings: the live path goes through one accumulator per meter; a late reading has
//! its neighbourhood derived again.

use crate::error::StoreError;
use crate::history::{MeterHistory, Series, is_ignored, replacements};
use crate::key::{METERS_MAX, MINUTE_MS, SERIES_MAX, minute_key, pack, reading_key, storable, unpack};
use crate::rollup;
use crate::store::Store;
use crate::types::*;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::reading::{Quantity, Reading};
use hearthwatt_domain::time::{INTERVAL_MS, Span, UnixMillis};
use hearthwatt_domain::usage::{
    Accumulator, Delta, IntervalUsage, Pushed, Stream, UsageConfig, affected, recompute, resume,
};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What the writer keeps in memory of a meter.
#[derive(Debug)]
pub(crate) struct MeterState {
    pub no: i64,
    pub series: Vec<Series>,
    pub corrections: Vec<Correction>,
    acc: Accumulator,
    /// The day of the last interval, to look up its date once.
    day: Option<(Span, Date)>,
}

#[derive(Debug, Clone, Copy)]
struct Minute {
    low: f64,
    high: f64,
    sum: f64,
    n: i64,
    last_at: i64,
    last: f64,
}

pub(crate) const fn has_minutes(q: Quantity) -> bool {
    matches!(q, Quantity::Power | Quantity::PowerImport | Quantity::PowerExport | Quantity::PowerProduction)
}

impl MeterState {
    pub fn load(conn: &Connection, id: MeterId) -> Result<Self, StoreError> {
        let known = conn
            .prepare_cached("SELECT no FROM meter WHERE id=?1")?
            .query_row([id.0.as_bytes()], |r| r.get(0))
            .optional()?;
        let no = match known {
            Some(no) => no,
            None => {
                conn.execute("INSERT INTO meter(id) VALUES(?1)", [id.0.as_bytes()])?;
                conn.last_insert_rowid()
            }
        };
        if no >= METERS_MAX {
            return Err(StoreError::invalid("There are too many meters in this home."));
        }
        let mut state = Self {
            no,
            series: load_series(conn, no)?,
            corrections: load_corrections(conn, Some(no))?,
            acc: Accumulator::new(UsageConfig::default()),
            day: None,
        };
        state.resume(conn)?;
        Ok(state)
    }

    pub fn history<'a>(&'a self, conn: &'a Connection) -> MeterHistory<'a> {
        MeterHistory { conn, series: &self.series, corrections: &self.corrections }
    }

    pub fn resume(&mut self, conn: &Connection) -> Result<(), StoreError> {
        let reps = replacements(&self.corrections);
        self.acc = resume(&self.history(conn), &UsageConfig::default(), &reps)?;
        Ok(())
    }

    fn series_index(&mut self, conn: &Connection, r: &Reading) -> Result<usize, StoreError> {
        if let Some(i) = self.series.iter().position(|s| s.quantity == r.quantity && s.channel == r.channel) {
            return Ok(i);
        }
        conn.execute(
            "INSERT INTO series(meter, channel, quantity) VALUES(?1,?2,?3)",
            params![self.no, r.channel.as_str(), r.quantity.code()],
        )?;
        let no = conn.last_insert_rowid();
        if no >= SERIES_MAX {
            return Err(StoreError::invalid("There are too many series in this home."));
        }
        self.series = load_series(conn, self.no)?;
        self.series
            .iter()
            .position(|s| s.no == no)
            .ok_or_else(|| StoreError::invalid("A series vanished while it was made."))
    }

    /// Derives the rows of `span` again and puts them in place.
    pub fn rederive(
        &self,
        conn: &Connection,
        zone: &TimeZone,
        span: Span,
        raw_since: UnixMillis,
    ) -> Result<(), StoreError> {
        let span = Span::new(span.start.max(raw_since), span.end);
        if span.end <= span.start {
            return Ok(());
        }
        let reps = replacements(&self.corrections);
        let mut rows = recompute(&self.history(conn), &UsageConfig::default(), &reps, span)?;
        rollup::overlay(&self.corrections, span, &mut rows);
        rollup::replace(conn, zone, self.no, span, &rows)
    }
}

pub(crate) fn load_series(conn: &Connection, meter: i64) -> Result<Vec<Series>, StoreError> {
    let mut stmt =
        conn.prepare_cached("SELECT no, channel, quantity, first_at FROM series WHERE meter=?1 ORDER BY no")?;
    let mut rows = stmt.query([meter])?;
    let mut all: Vec<Series> = Vec::new();
    while let Some(row) = rows.next()? {
        let channel = hearthwatt_domain::reading::Channel::new(row.get_ref(1)?.as_str().unwrap_or_default());
        let Some(quantity) = Quantity::from_code(row.get(2)?) else { continue };
        // two channels with one role would be counted twice: the first one stands for it
        let stream = Stream::of(&channel, quantity).filter(|s| all.iter().all(|o| o.stream != Some(*s)));
        let first_at = row.get::<_, Option<i64>>(3)?.map(UnixMillis);
        all.push(Series { no: row.get(0)?, channel, quantity, stream, first_at });
    }
    Ok(all)
}

pub(crate) fn load_corrections(conn: &Connection, meter: Option<i64>) -> Result<Vec<Correction>, StoreError> {
    let mut stmt =
        conn.prepare_cached("SELECT json FROM correction WHERE ?1 IS NULL OR meter=?1 ORDER BY id")?;
    let mut rows = stmt.query([meter])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let json: String = row.get(0)?;
        all.push(serde_json::from_str(&json).map_err(|error| {
            StoreError::from(crate::error::Cause::Document { id: "correction".into(), error })
        })?);
    }
    Ok(all)
}

/// All that a batch does to one meter besides its readings.
#[derive(Default)]
struct Effects {
    deltas: BTreeMap<UnixMillis, IntervalUsage>,
    late: BTreeMap<Stream, BTreeSet<UnixMillis>>,
    minutes: BTreeMap<i64, Minute>,
    /// Minutes in which a value was replaced, with the number of their series.
    stale_minutes: BTreeSet<(i64, i64)>,
}

impl Store {
    /// Stores readings and their rollups in one transaction, durable on return. All or nothing.
    ///
    /// # Errors
    /// `is_full`, `is_read_only`, `is_corrupt`: nothing of the batch is stored, what was stored
    /// before is safe, and the same batch can be handed in again.
    pub fn append(&mut self, readings: &[Reading]) -> Result<Appended, StoreError> {
        let result = self.try_append(readings);
        if result.is_err() {
            // the running usage has seen readings that were rolled back
            self.reset_cache();
        }
        result
    }

    fn try_append(&mut self, readings: &[Reading]) -> Result<Appended, StoreError> {
        let mut told = Appended::default();
        let mut order: Vec<&Reading> = readings.iter().collect();
        if !order.is_sorted_by_key(|r| r.at) {
            order.sort_by_key(|r| r.at);
        }
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut effects: HashMap<MeterId, Effects> = HashMap::new();
        {
            let mut insert = tx.prepare_cached("INSERT OR IGNORE INTO reading VALUES(?1,?2)")?;
            for r in order {
                if !r.value.is_finite() || !storable(r.at) {
                    told.refused += 1;
                    continue;
                }
                if r.at < self.raw_since {
                    told.too_old += 1;
                    continue;
                }
                let state = match self.meters.entry(r.meter) {
                    std::collections::hash_map::Entry::Occupied(o) => o.into_mut(),
                    std::collections::hash_map::Entry::Vacant(v) => v.insert(MeterState::load(&tx, r.meter)?),
                };
                let effects = effects.entry(r.meter).or_default();
                let index = state.series_index(&tx, r)?;
                let key = reading_key(state.series[index].no, r.at);
                if insert.execute(params![key, pack(r.value)])? == 1 {
                    told.stored += 1;
                    take(&tx, state, index, r, effects)?;
                } else {
                    let there: Option<f64> = tx
                        .prepare_cached("SELECT value FROM reading WHERE key=?1")?
                        .query_row([key], |row| Ok(row.get_ref(0).ok().and_then(unpack)))?;
                    if there == Some(r.value) {
                        told.duplicates += 1;
                    } else {
                        told.conflicts += 1;
                        if there.is_none_or(|v| r.value > v) {
                            told.stored += 1;
                            win(&tx, state, index, r, key, effects)?;
                        }
                    }
                }
            }
        }
        for (id, effects) in effects {
            if let Some(state) = self.meters.get_mut(&id) {
                told.changed.extend(
                    settle(&tx, &self.zone, self.raw_since, state, effects)?.into_iter().map(|s| (id, s)),
                );
            }
        }
        tx.commit()?;
        told.changed.sort_by_key(|(id, span)| (*id, span.start));
        Ok(told)
    }

    /// Picks up the running usage of all meters.
    pub(crate) fn resume_all(&mut self) -> Result<u64, StoreError> {
        let ids: Vec<[u8; 16]> = self
            .conn
            .prepare("SELECT id FROM meter")?
            .query_map([], |r| r.get(0))?
            .collect::<Result<_, _>>()?;
        for id in &ids {
            let id = MeterId(uuid::Uuid::from_bytes(*id));
            self.meters.insert(id, MeterState::load(&self.conn, id)?);
        }
        Ok(ids.len() as u64)
    }
}

/// A new reading goes through the accumulator and into its minute.
fn take(
    conn: &Connection,
    state: &mut MeterState,
    index: usize,
    r: &Reading,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    let s = &mut state.series[index];
    if has_minutes(s.quantity) {
        add_minute(&mut effects.minutes, minute_key(r.at, s.no), r);
    }
    let Some(stream) = s.stream else { return Ok(()) };
    if stream.check(r.value, &UsageConfig::default()).is_err() {
        return Ok(());
    }
    if s.first_at.is_none_or(|f| r.at < f) {
        s.first_at = Some(r.at);
        conn.execute("UPDATE series SET first_at=?1 WHERE no=?2", [r.at.0, s.no])?;
    }
    if is_ignored(&state.corrections, s, r.at) {
        return Ok(());
    }
    let deltas = &mut effects.deltas;
    let mut out = |d: Delta| {
        deltas.entry(d.start).or_insert_with(|| IntervalUsage::empty(d.start)).absorb(&d);
    };
    if state.acc.push_stream(stream, r.at, r.value, &mut out) == Pushed::Late {
        effects.late.entry(stream).or_default().insert(r.at);
    }
    Ok(())
}

/// A reading takes the place of a smaller one of the same time.
fn win(
    conn: &Connection,
    state: &mut MeterState,
    index: usize,
    r: &Reading,
    key: i64,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE reading SET value=?2 WHERE key=?1")?.execute(params![key, pack(r.value)])?;
    let s = &state.series[index];
    if has_minutes(s.quantity) {
        effects.stale_minutes.insert((s.no, r.at.0 - r.at.0.rem_euclid(MINUTE_MS)));
    }
    if let Some(stream) = s.stream {
        effects.late.entry(stream).or_default().insert(r.at);
    }
    Ok(())
}

fn add_minute(minutes: &mut BTreeMap<i64, Minute>, key: i64, r: &Reading) {
    let v = r.value;
    let m =
        minutes.entry(key).or_insert(Minute { low: v, high: v, sum: 0.0, n: 0, last_at: r.at.0, last: v });
    m.low = m.low.min(v);
    m.high = m.high.max(v);
    m.sum += v;
    m.n += 1;
    if r.at.0 >= m.last_at {
        (m.last_at, m.last) = (r.at.0, v);
    }
}

/// Writes what the batch did to one meter; gives the spans of intervals that changed.
fn settle(
    conn: &Connection,
    zone: &TimeZone,
    raw_since: UnixMillis,
    state: &mut MeterState,
    effects: Effects,
) -> Result<Vec<Span>, StoreError> {
    write_minutes(conn, &effects)?;
    let mut spans = Vec::new();
    let mut again = Vec::new();
    for (start, delta) in &effects.deltas {
        let span = Span::new(*start, start.plus_ms(INTERVAL_MS));
        if has_override(&state.corrections, *start) {
            again.push(span);
            continue;
        }
        spans.push(span);
        let old = rollup::interval(conn, state.no, *start)?.unwrap_or(IntervalUsage::empty(*start));
        let mut new = old;
        new.absorb(&Delta {
            start: *start,
            import: delta.import,
            export: delta.export,
            quality: delta.quality,
            covered_ms: delta.covered_ms,
            power_min: delta.power_min,
            power_max: delta.power_max,
        });
        rollup::put_interval(conn, state.no, &new)?;
        let day = match state.day {
            Some((span, date)) if span.contains(*start) => date,
            _ => {
                let date = rollup::date_at(zone, *start);
                state.day = Some((rollup::day_span(zone, date)?, date));
                date
            }
        };
        rollup::shift_day(conn, state.no, rollup::day_no(day), &old, &new)?;
    }
    let reps = replacements(&state.corrections);
    if !effects.late.is_empty() {
        let late: Vec<(Stream, UnixMillis)> =
            effects.late.iter().flat_map(|(s, times)| times.iter().map(|at| (*s, *at))).collect();
        again.extend(affected(&state.history(conn), &UsageConfig::default(), &reps, &late)?);
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

fn has_override(corrections: &[Correction], start: UnixMillis) -> bool {
    corrections
        .iter()
        .any(|c| matches!(&c.action, CorrectionAction::Usage { span, .. } if span.contains(start)))
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

fn write_minutes(conn: &Connection, effects: &Effects) -> Result<(), StoreError> {
    let mut upsert = conn.prepare_cached(
        "INSERT INTO minute VALUES(?1,?2,?3,?4,?5,?6,?7) ON CONFLICT DO UPDATE SET
         low=min(low,excluded.low), high=max(high,excluded.high), sum=sum+excluded.sum, n=n+excluded.n,
         last=CASE WHEN excluded.last_at>=last_at THEN excluded.last ELSE last END,
         last_at=max(last_at,excluded.last_at)",
    )?;
    for (key, m) in &effects.minutes {
        upsert.execute(params![key, m.low, m.high, m.sum, m.n, m.last_at, m.last])?;
    }
    for (series, start) in &effects.stale_minutes {
        let (from, to) = (UnixMillis(*start), UnixMillis(*start + MINUTE_MS));
        let mut rebuilt = BTreeMap::new();
        let mut stmt =
            conn.prepare_cached("SELECT key, value FROM reading WHERE key>=?1 AND key<?2 ORDER BY key")?;
        let mut rows = stmt.query([reading_key(*series, from), reading_key(*series, to)])?;
        let key = minute_key(from, *series);
        while let Some(row) = rows.next()? {
            let (at, value) =
                (crate::key::reading_at(row.get(0)?), unpack(row.get_ref(1)?).unwrap_or_default());
            let reading = Reading {
                meter: MeterId(uuid::Uuid::nil()),
                channel: hearthwatt_domain::reading::Channel::TOTAL,
                quantity: Quantity::Power,
                at,
                value,
            };
            add_minute(&mut rebuilt, key, &reading);
        }
        conn.execute("DELETE FROM minute WHERE key=?1", [key])?;
        for (key, m) in rebuilt {
            upsert.execute(params![key, m.low, m.high, m.sum, m.n, m.last_at, m.last])?;
        }
    }
    Ok(())
}
