//! Usage that other recorders of the home publish, and what this one does.
//!
//! A block is what one recorder says of one meter on one UTC day. Of the blocks of a day, ours
//! among them, one rules ([`BlockRules`] says which), and its rows alone count: recorders are never
//! added. The rows of a ruling block of another recorder lie in tables of their own; readings and
//! what is derived from them stay as they are. What our own rows say of the time after the ruling
//! block's last row counts too, until a later revision covers it.

use crate::error::StoreError;
use crate::key::{interval_key, interval_start};
use crate::meter_state::MeterState;
use crate::rollup;
use crate::store::{Store, meta, set_meta};
use crate::types::*;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::time::{INTERVAL_MS, Span, UnixMillis};
use hearthwatt_domain::usage::IntervalUsage;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::collections::BTreeSet;
use uuid::Uuid;

pub(crate) const DAY_MS: i64 = 86_400_000;

/// A block as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredBlock {
    pub recorder: Uuid,
    pub meter: MeterId,
    /// In UTC.
    pub day: Date,
    pub revision: u64,
    pub hash: [u8; 32],
    /// It has no rows: its recorder takes back what it said.
    pub withdrawn: bool,
    pub bytes: Vec<u8>,
}

/// One that may rule a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// `None`: our own rows.
    pub recorder: Option<Uuid>,
    /// 0 for own rows that have not been published yet.
    pub revision: u64,
    pub hash: [u8; 32],
}

/// What the store does not know of blocks.
pub trait BlockRules {
    /// Index of the one that rules; `None`: none does.
    fn ruling(&self, meter: MeterId, day: Date, candidates: &[Candidate]) -> Option<usize>;
    /// The rows of a block; those of another day are left out.
    fn rows(&self, bytes: &[u8]) -> Vec<IntervalUsage>;
}

/// What becomes of a day that was looked at for publishing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Publish {
    /// Its new block; `None`: it is what was published last.
    pub block: Option<StoredBlock>,
    /// The day goes on: look at it again later.
    pub open: bool,
}

/// The last block of an own day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    pub revision: u64,
    pub hash: [u8; 32],
    pub withdrawn: bool,
}

impl Store {
    /// From now on the days whose own usage changes are noted, to be published as blocks. With
    /// `all`, every day there is counts as changed.
    pub fn note_days(&mut self, on: bool, all: bool) -> Result<(), StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        set_meta(&tx, "note_days", i64::from(on))?;
        if !on {
            tx.execute("DELETE FROM unpublished", [])?;
        } else if all {
            let days: BTreeSet<(i64, i64)> = {
                let sql = "SELECT key FROM interval UNION ALL SELECT key FROM running WHERE key IS NOT NULL";
                let mut stmt = tx.prepare(sql)?;
                let mut rows = stmt.query([])?;
                let mut days = BTreeSet::new();
                while let Some(row) = rows.next()? {
                    let key = row.get(0)?;
                    days.insert((crate::key::interval_meter(key), day_of(interval_start(key))));
                }
                days
            };
            let mut insert = tx.prepare("INSERT OR IGNORE INTO unpublished VALUES(?1,?2)")?;
            for (meter, day) in days {
                insert.execute([meter, day])?;
            }
        }
        tx.commit()?;
        self.noted.clear();
        self.note_days = on;
        Ok(())
    }

    /// Looks at one own day: `make` gets its rows, in order, and what was published of it last,
    /// by this store or by one before it under the same `recorder`. Gives the span in which the
    /// home's usage changed, if it did.
    pub fn publish_day(
        &mut self,
        meter: MeterId,
        day: Date,
        recorder: Uuid,
        rules: &dyn BlockRules,
        make: impl FnOnce(&[IntervalUsage], Option<Published>) -> Publish,
    ) -> Result<Option<Span>, StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some(no) = meter_no(&tx, meter)? else { return Ok(None) };
        let day_no = rollup::day_no(day);
        let rows = rollup::intervals(&tx, no, day_span(day_no))?;
        let last = published(&tx, no, day_no)?;
        let earlier =
            earlier(&tx, no, day_no, recorder)?.filter(|e| last.is_none_or(|l| e.revision > l.revision));
        let publish = make(&rows, earlier.or(last));
        if let Some(b) = &publish.block {
            tx.execute(
                "INSERT OR REPLACE INTO own_block VALUES(?1,?2,?3,?4,?5,?6)",
                params![no, day_no, b.revision as i64, b.hash, b.withdrawn, b.bytes],
            )?;
        }
        if !publish.open {
            tx.execute("DELETE FROM unpublished WHERE meter=?1 AND day=?2", [no, day_no])?;
        }
        let changed = match publish.block {
            Some(_) => rule(&tx, &self.zone, no, meter, day_no, rules)?,
            None => None,
        };
        tx.commit()?;
        if !publish.open {
            self.noted.remove(&(no, day_no));
        }
        Ok(changed)
    }

    /// The server has it: its bytes are no longer needed here.
    pub fn block_sent(&mut self, hash: &[u8; 32]) -> Result<(), StoreError> {
        self.conn.execute("UPDATE own_block SET bytes=NULL WHERE hash=?1", [hash])?;
        Ok(())
    }

    /// Takes in blocks of other recorders, and up to where they have been read from the server. A
    /// revision that is not higher than the one there is left alone. One under our own `recorder`
    /// is of a store before this one: our next revision goes beyond it. Gives the spans in which
    /// the home's usage changed.
    pub fn put_blocks(
        &mut self,
        blocks: &[StoredBlock],
        cursor: u64,
        recorder: Uuid,
        rules: &dyn BlockRules,
    ) -> Result<Vec<(MeterId, Span)>, StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut changed = Vec::new();
        for b in blocks {
            let no = match meter_no(&tx, b.meter)? {
                Some(no) => no,
                None => MeterState::load(&tx, &self.zone, b.meter)?.no,
            };
            let day = rollup::day_no(b.day);
            if b.recorder == recorder {
                if published(&tx, no, day)?.is_some_and(|p| p.revision >= b.revision) {
                    continue; // our own, back again
                }
                if has_own_rows(&tx, no, day)? {
                    tx.execute("INSERT OR IGNORE INTO unpublished VALUES(?1,?2)", [no, day])?;
                }
            }
            let better = tx.execute(
                "INSERT INTO block VALUES(?1,?2,?3,?4,?5,?6,?7) ON CONFLICT DO UPDATE SET
                 revision=excluded.revision, hash=excluded.hash, withdrawn=excluded.withdrawn, bytes=excluded.bytes
                 WHERE excluded.revision > revision OR (excluded.revision = revision AND excluded.hash > hash)",
                params![no, day, b.recorder.as_bytes(), b.revision as i64, b.hash, b.withdrawn, b.bytes],
            )?;
            if better > 0
                && let Some(span) = rule(&tx, &self.zone, no, b.meter, day, rules)?
            {
                changed.push((b.meter, span));
            }
        }
        set_meta(&tx, "blocks_after", cursor as i64)?;
        tx.commit()?;
        Ok(changed)
    }

    /// Decides all days of a meter again: another recorder is its primary one now.
    pub fn rule_again(
        &mut self,
        meter: MeterId,
        rules: &dyn BlockRules,
    ) -> Result<Vec<(MeterId, Span)>, StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut changed = Vec::new();
        if let Some(no) = meter_no(&tx, meter)? {
            let days: Vec<i64> = tx
                .prepare("SELECT DISTINCT day FROM block WHERE meter=?1")?
                .query_map([no], |r| r.get(0))?
                .collect::<Result<_, _>>()?;
            for day in days {
                changed.extend(rule(&tx, &self.zone, no, meter, day, rules)?.map(|span| (meter, span)));
            }
        }
        tx.commit()?;
        Ok(changed)
    }

    /// Reads the server's blocks from the start again, and publishes the own ones anew: the home
    /// is another one, or at another server.
    pub fn restart_blocks(&mut self) -> Result<(), StoreError> {
        set_meta(&self.conn, "blocks_after", 0)?;
        // a revision that was published stays known: the next one must be higher
        self.note_days(true, true)
    }
}

/// Notes days whose own usage changed, in the transaction of the change.
pub(crate) fn note(
    conn: &Connection,
    noted: &mut std::collections::HashSet<(i64, i64)>,
    meter: i64,
    spans: &[Span],
) -> Result<(), StoreError> {
    for span in spans {
        for day in days_of(*span) {
            if noted.insert((meter, day)) {
                conn.prepare_cached("INSERT OR IGNORE INTO unpublished VALUES(?1,?2)")?
                    .execute([meter, day])?;
            }
        }
    }
    Ok(())
}

pub(crate) fn noting(conn: &Connection) -> Result<bool, StoreError> {
    Ok(meta::<i64>(conn, "note_days")? == Some(1))
}

pub(crate) fn day_of(at: UnixMillis) -> i64 {
    at.0.div_euclid(DAY_MS)
}

/// The UTC days that a span touches.
pub(crate) fn days_of(span: Span) -> std::ops::RangeInclusive<i64> {
    day_of(span.start)..=day_of(span.end.plus_ms(-1))
}

pub(crate) fn day_span(day: i64) -> Span {
    Span::new(UnixMillis(day * DAY_MS), UnixMillis((day + 1) * DAY_MS))
}

fn meter_no(conn: &Connection, meter: MeterId) -> Result<Option<i64>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT no FROM meter WHERE id=?1")?
        .query_row([meter.0.as_bytes()], |r| r.get(0))
        .optional()?)
}

fn published(conn: &Connection, meter: i64, day: i64) -> Result<Option<Published>, StoreError> {
    Ok(conn
        .prepare_cached("SELECT revision, hash, withdrawn FROM own_block WHERE meter=?1 AND day=?2")?
        .query_row([meter, day], |r| {
            Ok(Published { revision: r.get::<_, i64>(0)? as u64, hash: r.get(1)?, withdrawn: r.get(2)? })
        })
        .optional()?)
}

/// What a store before this one published under our name.
fn earlier(conn: &Connection, meter: i64, day: i64, recorder: Uuid) -> Result<Option<Published>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT revision, hash, withdrawn FROM block WHERE meter=?1 AND day=?2 AND recorder=?3",
        )?
        .query_row(params![meter, day, recorder.as_bytes()], |r| {
            Ok(Published { revision: r.get::<_, i64>(0)? as u64, hash: r.get(1)?, withdrawn: r.get(2)? })
        })
        .optional()?)
}

fn has_own_rows(conn: &Connection, meter: i64, day: i64) -> Result<bool, StoreError> {
    let span = day_span(day);
    Ok(conn
        .prepare_cached(
            "SELECT EXISTS(SELECT 1 FROM interval WHERE key>=?1 AND key<?2)
             OR EXISTS(SELECT 1 FROM running WHERE meter=?3 AND key>=?1 AND key<?2)",
        )?
        .query_row(params![interval_key(meter, span.start), interval_key(meter, span.end), meter], |r| {
            r.get(0)
        })?)
}

/// Puts the rows of the block that rules a day in place. The span, if that changed anything.
fn rule(
    conn: &Connection,
    zone: &TimeZone,
    no: i64,
    meter: MeterId,
    day: i64,
    rules: &dyn BlockRules,
) -> Result<Option<Span>, StoreError> {
    let mut candidates = Vec::new();
    {
        let mut stmt = conn.prepare_cached(
            "SELECT recorder, revision, hash FROM block WHERE meter=?1 AND day=?2 AND NOT withdrawn ORDER BY recorder",
        )?;
        let mut rows = stmt.query([no, day])?;
        while let Some(row) = rows.next()? {
            candidates.push(Candidate {
                recorder: Some(Uuid::from_bytes(row.get(0)?)),
                revision: row.get::<_, i64>(1)? as u64,
                hash: row.get(2)?,
            });
        }
    }
    match published(conn, no, day)? {
        Some(p) if !p.withdrawn => {
            candidates.push(Candidate { recorder: None, revision: p.revision, hash: p.hash });
        }
        // taken back, whatever rows there still are
        Some(_) => {}
        None if has_own_rows(conn, no, day)? => {
            candidates.push(Candidate { recorder: None, revision: 0, hash: [0; 32] });
        }
        None => {}
    }
    let ruling = rules.ruling(meter, rollup::date_of(day), &candidates).and_then(|i| candidates.get(i));
    let foreign = ruling.filter(|c| c.recorder.is_some());
    let before: Option<[u8; 32]> = conn
        .prepare_cached("SELECT hash FROM other_day WHERE meter=?1 AND day=?2")?
        .query_row([no, day], |r| r.get(0))
        .optional()?;
    if before == foreign.map(|c| c.hash) {
        return Ok(None);
    }
    let span = day_span(day);
    let keys = (interval_key(no, span.start), interval_key(no, span.end));
    conn.prepare_cached("DELETE FROM other_interval WHERE key>=?1 AND key<?2")?.execute([keys.0, keys.1])?;
    conn.prepare_cached("DELETE FROM other_day WHERE meter=?1 AND day=?2")?.execute([no, day])?;
    if let Some(c) = foreign {
        let bytes: Vec<u8> = conn
            .prepare_cached("SELECT bytes FROM block WHERE meter=?1 AND day=?2 AND recorder=?3")?
            .query_row(params![no, day, c.recorder.map(|r| *r.as_bytes())], |r| r.get(0))?;
        let mut until = keys.0;
        for row in rules.rows(&bytes).iter().filter(|r| span.contains(r.start)) {
            let key = interval_key(no, row.start);
            until = until.max(key + 1);
            conn.prepare_cached("INSERT OR REPLACE INTO other_interval VALUES(?1,?2,?3,?4,?5,?6,?7)")?
                .execute(params![
                    key,
                    row.import.0,
                    row.export.0,
                    row.quality as u8,
                    row.covered_ms,
                    row.power_min.map(|p| p.0),
                    row.power_max.map(|p| p.0)
                ])?;
        }
        conn.prepare_cached("INSERT INTO other_day VALUES(?1,?2,?3,?4)")?
            .execute(params![no, day, c.hash, until])?;
    }
    let first = rollup::date_at(zone, span.start);
    let last = rollup::date_at(zone, span.end.plus_ms(-1));
    for date in first.series(jiff::Span::new().days(1)).take_while(|d| *d <= last) {
        sum_day(conn, zone, no, date)?;
    }
    Ok(Some(span))
}

/// The sums of other recorders' rows in a day of the home.
fn sum_day(conn: &Connection, zone: &TimeZone, no: i64, date: Date) -> Result<(), StoreError> {
    let span = rollup::day_span(zone, date)?;
    let rows = other_intervals(conn, no, span)?;
    conn.prepare_cached("DELETE FROM other_sum WHERE meter=?1 AND day=?2")?
        .execute([no, rollup::day_no(date)])?;
    if rows.is_empty() {
        return Ok(());
    }
    let mut sum = PeriodUsage::empty(date, span);
    rows.iter().for_each(|r| sum.add(r));
    put_sum(conn, no, &sum)
}

fn put_sum(conn: &Connection, no: i64, sum: &PeriodUsage) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO other_sum VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)")?.execute(
        params![
            no,
            rollup::day_no(sum.date),
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

/// All sums anew, in another zone.
pub(crate) fn rebuild_sums(conn: &Connection, zone: &TimeZone) -> Result<(), StoreError> {
    conn.execute("DELETE FROM other_sum", [])?;
    let columns = rollup::INTERVAL_COLUMNS;
    let mut stmt = conn.prepare(&format!("SELECT {columns} FROM other_interval ORDER BY key"))?;
    let mut rows = stmt.query([])?;
    let mut sum: Option<(i64, PeriodUsage)> = None;
    while let Some(row) = rows.next()? {
        let (i, meter) = (rollup::interval_row(row)?, crate::key::interval_meter(row.get(0)?));
        match &mut sum {
            Some((m, day)) if *m == meter && day.span.contains(i.start) => day.add(&i),
            _ => {
                if let Some((m, day)) = sum.take() {
                    put_sum(conn, m, &day)?;
                }
                let date = rollup::date_at(zone, i.start);
                let mut day = PeriodUsage::empty(date, rollup::day_span(zone, date)?);
                day.add(&i);
                sum = Some((meter, day));
            }
        }
    }
    if let Some((m, day)) = sum {
        put_sum(conn, m, &day)?;
    }
    Ok(())
}

/// Rows of other recorders that rule, by start.
pub(crate) fn other_intervals(
    conn: &Connection,
    meter: i64,
    span: Span,
) -> Result<Vec<IntervalUsage>, StoreError> {
    let from = span.start.plus_ms(INTERVAL_MS - 1).interval_start();
    let to = span.end.plus_ms(INTERVAL_MS - 1).interval_start();
    let columns = rollup::INTERVAL_COLUMNS;
    let sql = format!("SELECT {columns} FROM other_interval WHERE key >= ?1 AND key < ?2 ORDER BY key");
    let mut stmt = conn.prepare_cached(&sql)?;
    let rows = stmt.query_map([interval_key(meter, from), interval_key(meter, to)], rollup::interval_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}
