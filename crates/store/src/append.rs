//! Appending readings: the live path goes through one accumulator per meter; a late reading has
//! its neighbourhood derived again.

use crate::block::note;
use crate::error::StoreError;
use crate::key::{pack, reading_key, storable};
use crate::meter_state::MeterState;
use crate::minute::{Minute, has_minutes, minute_of};
use crate::settle::settle;
use crate::store::Store;
use crate::tail;
use crate::types::*;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::reading::Reading;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::usage::{Delta, IntervalUsage, Pushed, Stream};
use rusqlite::{Connection, TransactionBehavior, params};
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// All that a batch does to one meter besides its readings.
#[derive(Default)]
pub(crate) struct Effects {
    pub deltas: BTreeMap<UnixMillis, IntervalUsage>,
    pub late: BTreeMap<Stream, BTreeSet<UnixMillis>>,
    /// Series, by index, whose running minute changed.
    pub minutes: BTreeSet<usize>,
    /// Minutes into which a value came late, with the index of their series.
    pub stale_minutes: BTreeSet<(usize, i64)>,
}

impl Store {
    /// Stores readings and their rollups in one transaction, durable on return. All or nothing.
    ///
    /// # Errors
    /// `is_full`, `is_read_only`, `is_corrupt`: nothing of the batch is stored, what was stored
    /// before is safe, and the same batch can be handed in again.
    pub fn append(&mut self, readings: &[Reading]) -> Result<Appended, StoreError> {
        let result = self.try_append(readings);
        match &result {
            // the running usage has seen readings that were rolled back
            Err(_) => self.reset_cache(),
            Ok(_) => self.checkpointer.committed(readings.len()),
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
        let mut tail_rows = match self.tail_rows {
            Some(n) => n,
            None => tail::rows(&tx)?,
        };
        let direct = readings.len() > tail::DIRECT;
        if direct || tail_rows >= tail::TAIL_MAX {
            tail::seal(&tx)?;
            tail_rows = 0;
        }
        let mut effects: HashMap<MeterId, Effects> = HashMap::new();
        {
            let table = if direct { "reading" } else { "tail" };
            let mut insert = tx.prepare_cached(&format!("INSERT INTO {table} VALUES(?1,?2)"))?;
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
                    Entry::Occupied(o) => o.into_mut(),
                    Entry::Vacant(v) => v.insert(MeterState::load(&tx, &self.zone, r.meter)?),
                };
                let effects = effects.entry(r.meter).or_default();
                let index = state.series_index(&tx, r)?;
                let s = &state.series[index];
                let key = reading_key(s.no, r.at);
                // beyond the last one there is none to collide with
                let in_order = s.last_at.is_none_or(|l| r.at > l);
                match if in_order { None } else { tail::value(&tx, key)? } {
                    None => {
                        insert.execute(params![key, pack(r.value)])?;
                        tail_rows += u64::from(!direct);
                        told.stored += 1;
                        take(&tx, state, index, r, in_order, effects)?;
                    }
                    Some(there) if there == r.value => told.duplicates += 1,
                    Some(there) => {
                        told.conflicts += 1;
                        // of what can't be read, anything is larger
                        if there.is_nan() || r.value > there {
                            told.stored += 1;
                            tail::set_value(&tx, key, r.value)?;
                            come_late(state, index, r.at, effects);
                        }
                    }
                }
            }
        }
        for (id, effects) in effects {
            if let Some(state) = self.meters.get_mut(&id) {
                let spans = settle(&tx, &self.zone, self.raw_since, state, effects)?;
                if self.note_days {
                    note(&tx, &mut self.noted, state.no, &spans)?;
                }
                told.changed.extend(spans.into_iter().map(|s| (id, s)));
            }
        }
        tx.commit()?;
        self.tail_rows = Some(tail_rows);
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
            self.meters.insert(id, MeterState::load(&self.conn, &self.zone, id)?);
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
    in_order: bool,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    let s = &mut state.series[index];
    if has_minutes(s.quantity) {
        if in_order && (s.minute.is_some() || s.last_at.is_none()) {
            s.minute = Some(match s.minute {
                Some(mut m) if m.start == minute_of(r.at) => {
                    m.push(r.at, r.value);
                    m
                }
                Some(m) => {
                    m.closed().put(conn, s.no)?;
                    Minute::open(r.at, r.value, Some((m.last_at, m.last)))
                }
                None => Minute::open(r.at, r.value, None),
            });
            effects.minutes.insert(index);
        } else {
            effects.stale_minutes.insert((index, minute_of(r.at)));
        }
    }
    s.last_at = s.last_at.max(Some(r.at));
    let Some(stream) = s.stream else { return Ok(()) };
    if stream.check(r.value, &state.config).is_err() {
        return Ok(());
    }
    if s.first_at.is_none_or(|f| r.at < f) {
        s.first_at = Some(r.at);
        conn.execute("UPDATE series SET first_at=?1 WHERE no=?2", [r.at.0, s.no])?;
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

/// A reading took the place of a smaller one of the same time.
fn come_late(state: &MeterState, index: usize, at: UnixMillis, effects: &mut Effects) {
    let s = &state.series[index];
    if has_minutes(s.quantity) {
        effects.stale_minutes.insert((index, minute_of(at)));
    }
    if let Some(stream) = s.stream {
        effects.late.entry(stream).or_default().insert(at);
    }
}
