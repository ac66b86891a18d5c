//! What to do with a damaged database: it is moved aside, and what can be read moves over.

use crate::error::StoreError;
use crate::key::{interval_meter, reading_at, reading_series, unpack};
use crate::rollup;
use crate::shared::SharedWrite;
use crate::store::{DATABASE, Store, lock};
use crate::types::*;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::reading::{Channel, Quantity, Reading};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::usage::UsageConfig;
use rusqlite::{Connection, OpenFlags, Row};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Rows handed over at once.
const BATCH: usize = 5000;
/// After a place that can't be read the copy goes on this far behind it in the key.
const FIRST_SKIP: i64 = 1 << 6;

/// Moves a damaged database aside (it is never deleted) and builds a new one of what can still be
/// read from it. The store must not be open. Usage is derived anew from the readings that were
/// saved; usage of times whose readings retention had deleted is taken over as it was.
///
/// # Errors
/// `is_locked` while an instance has the home open; whatever building the new database meets.
pub fn recover(folder: &Path, options: StoreOptions) -> Result<Recovered, StoreError> {
    let lock = lock(folder)?;
    let aside = set_aside(folder)?;
    let (store, _) = Store::open_locked(folder, options, lock)?;
    let told = Recovered {
        aside: aside.clone(),
        readings: 0,
        documents: 0,
        corrections: 0,
        old_intervals: 0,
        holes: 0,
        orphans: 0,
    };
    let mut to = Rescue { store, told, meters: HashMap::new(), series: HashMap::new() };
    if let Ok(old) = Connection::open_with_flags(&aside, OpenFlags::SQLITE_OPEN_READ_WRITE) {
        to.zone(&old)?;
        to.documents(&old)?;
        to.names(&old)?;
        to.readings(&old)?;
        to.old_usage(&old)?;
        to.corrections(&old)?;
        to.shared(&old)?;
    }
    to.store.close()?;
    Ok(to.told)
}

fn set_aside(folder: &Path) -> Result<PathBuf, StoreError> {
    let name = |n: u32, suffix: &str| folder.join(format!("home.damaged-{n}.sqlite{suffix}"));
    let n = (1..).find(|n| !name(*n, "").exists()).unwrap_or(u32::MAX);
    // the log goes along: it may hold the last commits
    for suffix in ["", "-wal", "-shm"] {
        let from = folder.join(format!("{DATABASE}{suffix}"));
        if from.exists() {
            std::fs::rename(&from, name(n, suffix)).map_err(|e| StoreError::io(&from, e))?;
        }
    }
    Ok(name(n, ""))
}

struct Rescue {
    store: Store,
    told: Recovered,
    meters: HashMap<i64, MeterId>,
    series: HashMap<i64, (MeterId, Channel, Quantity)>,
}

impl Rescue {
    /// All rows of a small table, up to the first place that can't be read.
    fn rows(
        &mut self,
        old: &Connection,
        sql: &str,
        mut f: impl FnMut(&mut Self, &Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let Ok(mut stmt) = old.prepare(sql) else {
            self.told.holes += 1;
            return Ok(());
        };
        let Ok(mut rows) = stmt.query([]) else {
            self.told.holes += 1;
            return Ok(());
        };
        loop {
            match rows.next() {
                Ok(Some(row)) => f(self, row)?,
                Ok(None) => return Ok(()),
                Err(_) => {
                    self.told.holes += 1;
                    return Ok(());
                }
            }
        }
    }

    /// All rows of a large table by its key, in the first column, past places that can't be read.
    fn sweep(
        &mut self,
        old: &Connection,
        select: &str,
        mut f: impl FnMut(&mut Self, i64, &Row<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let Ok(mut stmt) = old.prepare(&format!("{select} WHERE key > ?1 ORDER BY key")) else {
            self.told.holes += 1;
            return Ok(());
        };
        let (mut from, mut skip) = (0i64, FIRST_SKIP);
        loop {
            let mut whole = true;
            if let Ok(mut rows) = stmt.query([from]) {
                loop {
                    let row = match rows.next() {
                        Ok(Some(row)) => row,
                        Ok(None) => break,
                        Err(_) => {
                            whole = false;
                            break;
                        }
                    };
                    let Ok(key) = row.get::<_, i64>(0) else { continue };
                    (from, skip) = (key, FIRST_SKIP);
                    f(self, key, row)?;
                }
            }
            if whole {
                return Ok(());
            }
            self.told.holes += 1;
            let Some(next) = from.checked_add(skip) else { return Ok(()) };
            (from, skip) = (next, skip.saturating_mul(2));
        }
    }

    fn zone(&mut self, old: &Connection) -> Result<(), StoreError> {
        let name = old.query_row("SELECT value FROM meta WHERE key='zone'", [], |r| r.get::<_, String>(0));
        if let Ok(name) = name
            && let Ok(zone) = jiff::tz::TimeZone::get(&name)
        {
            self.store.set_zone(&zone)?;
        }
        Ok(())
    }

    fn documents(&mut self, old: &Connection) -> Result<(), StoreError> {
        self.rows(old, "SELECT kind, id, json FROM document", |to, row| {
            let text = |i| row.get::<_, String>(i).ok();
            let json = text(2).and_then(|j| serde_json::from_str(&j).ok());
            if let (Some(kind), Some(id), Some(json)) = (text(0), text(1), json) {
                to.store.put_document(&kind, &id, &json)?;
                to.told.documents += 1;
            }
            Ok(())
        })
    }

    fn names(&mut self, old: &Connection) -> Result<(), StoreError> {
        self.rows(old, "SELECT no, id, config FROM meter", |to, row| {
            if let (Ok(no), Ok(id)) = (row.get(0), row.get::<_, [u8; 16]>(1)) {
                let id = MeterId(uuid::Uuid::from_bytes(id));
                let config: Option<UsageConfig> =
                    row.get::<_, String>(2).ok().and_then(|j| serde_json::from_str(&j).ok());
                to.store.carry_meter(id, config.as_ref())?;
                to.meters.insert(no, id);
            }
            Ok(())
        })?;
        self.rows(old, "SELECT no, meter, channel, quantity, first_at FROM series ORDER BY no", |to, row| {
            let id = row.get(1).ok().and_then(|no: i64| to.meters.get(&no).copied());
            let (no, channel, q) = (row.get(0), row.get::<_, String>(2), row.get(3));
            if let (Some(id), Ok(no), Ok(channel), Ok(Some(q))) =
                (id, no, channel, q.map(Quantity::from_code))
            {
                let channel = Channel::new(&channel);
                let first = row.get::<_, Option<i64>>(4).ok().flatten().map(UnixMillis);
                to.store.carry_series(id, &channel, q, first)?;
                to.series.insert(no, (id, channel, q));
            }
            Ok(())
        })
    }

    fn readings(&mut self, old: &Connection) -> Result<(), StoreError> {
        let mut batch = Vec::with_capacity(BATCH);
        for select in ["SELECT key, value FROM reading", "SELECT key, value FROM tail"] {
            self.sweep(old, select, |to, key, row| {
                let value = row.get_ref(1).ok().and_then(unpack);
                match (to.series.get(&reading_series(key)), value) {
                    (Some((meter, channel, quantity)), Some(value)) => batch.push(Reading {
                        meter: *meter,
                        channel: channel.clone(),
                        quantity: *quantity,
                        at: reading_at(key),
                        value,
                    }),
                    _ => to.told.orphans += 1,
                }
                if batch.len() == BATCH {
                    to.told.readings += to.store.append(&batch)?.stored;
                    batch.clear();
                }
                Ok(())
            })?;
        }
        self.told.readings += self.store.append(&batch)?.stored;
        Ok(())
    }

    /// Usage of times whose readings were no longer kept.
    fn old_usage(&mut self, old: &Connection) -> Result<(), StoreError> {
        let mark = old.query_row("SELECT value FROM meta WHERE key='raw_since'", [], |r| r.get::<_, i64>(0));
        let Ok(mark) = mark.map(UnixMillis) else { return Ok(()) };
        let mut touched = self.store.carry_mark(mark, false)?;
        let mut batch = Vec::new();
        let columns = rollup::INTERVAL_COLUMNS;
        for table in ["interval", "running"] {
            self.sweep(old, &format!("SELECT {columns} FROM {table}"), |to, key, row| {
                let meter = to.meters.get(&interval_meter(key));
                if let (Some(id), Ok(usage)) = (meter, rollup::interval_row(row))
                    && usage.start < mark
                {
                    batch.push((*id, usage));
                    to.told.old_intervals += 1;
                }
                if batch.len() == BATCH {
                    to.store.carry_intervals(&batch, &mut touched)?;
                    batch.clear();
                }
                Ok(())
            })?;
        }
        self.store.carry_intervals(&batch, &mut touched)?;
        self.store.carry_days(touched)
    }

    fn corrections(&mut self, old: &Connection) -> Result<(), StoreError> {
        self.rows(old, "SELECT json FROM correction", |to, row| {
            let correction = row.get::<_, String>(0).ok().and_then(|j| serde_json::from_str(&j).ok());
            if let Some(correction) = correction {
                to.store.correct(&correction)?;
                to.told.corrections += 1;
            }
            Ok(())
        })
    }

    /// The shared documents: whoever opens the home checks them before use. Blocks of others are
    /// asked of the server again, and our own are published anew under revisions of their own.
    fn shared(&mut self, old: &Connection) -> Result<(), StoreError> {
        self.rows(old, "SELECT document, bytes FROM snapshot", |to, row| {
            if let (Ok(document), Ok(bytes)) = (row.get(0), row.get(1)) {
                to.store.put_shared(&SharedWrite {
                    document,
                    snapshot: Some(bytes),
                    ..Default::default()
                })?;
            }
            Ok(())
        })?;
        self.rows(old, "SELECT document, hash, bytes FROM change ORDER BY no", |to, row| {
            if let (Ok(document), Ok(hash), Ok(bytes)) = (row.get(0), row.get(1), row.get(2)) {
                let changes = vec![(hash, bytes)];
                to.store.put_shared(&SharedWrite { document, changes, ..Default::default() })?;
            }
            Ok(())
        })
    }
}
