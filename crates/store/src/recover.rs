//! What to do with a damaged database: it is moved aside, and what can be read moves over.

use crate::error::StoreError;
use crate::store::{DATABASE, Store, lock};
use crate::types::*;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::reading::{Channel, Quantity, Reading};
use rusqlite::{Connection, OpenFlags};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Readings handed over at once.
const BATCH: usize = 5000;
/// After a place that can't be read the copy goes on this far behind it in the key.
const FIRST_SKIP: i64 = 1 << 16;

/// Moves a damaged database aside (it is never deleted) and builds a new one of what can still be
/// read from it. The store must not be open. Usage is derived anew from the readings that were
/// saved; usage of times whose readings retention had deleted is lost with the database.
///
/// # Errors
/// `is_locked` while an instance has the home open; whatever building the new database meets.
pub fn recover(folder: &Path, options: StoreOptions) -> Result<Recovered, StoreError> {
    let lock = lock(folder)?;
    let aside = set_aside(folder)?;
    let (mut store, _) = Store::open_locked(folder, options, lock)?;
    let mut told = Recovered { aside: aside.clone(), readings: 0, documents: 0, holes: 0, orphans: 0 };
    if let Ok(old) = Connection::open_with_flags(&aside, OpenFlags::SQLITE_OPEN_READ_WRITE) {
        documents(&old, &mut store, &mut told)?;
        readings(&old, &mut store, &mut told)?;
    }
    store.close()?;
    Ok(told)
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

fn documents(old: &Connection, store: &mut Store, told: &mut Recovered) -> Result<(), StoreError> {
    if let Ok(zone) = old.query_row("SELECT value FROM meta WHERE key='zone'", [], |r| r.get::<_, String>(0))
        && let Ok(zone) = jiff::tz::TimeZone::get(&zone)
    {
        store.set_zone(&zone)?;
    }
    let Ok(mut stmt) = old.prepare("SELECT kind, id, json FROM document") else {
        told.holes += 1;
        return Ok(());
    };
    let Ok(mut rows) = stmt.query([]) else { return Ok(()) };
    loop {
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(()),
            Err(_) => {
                told.holes += 1;
                return Ok(());
            }
        };
        let text = |i| row.get::<_, String>(i).ok();
        let json = text(2).and_then(|j| serde_json::from_str(&j).ok());
        if let (Some(kind), Some(id), Some(json)) = (text(0), text(1), json) {
            store.put_document(&kind, &id, &json)?;
            told.documents += 1;
        }
    }
}

fn readings(old: &Connection, store: &mut Store, told: &mut Recovered) -> Result<(), StoreError> {
    let mut names: HashMap<i64, (MeterId, Channel, Quantity)> = HashMap::new();
    if let Ok(mut stmt) =
        old.prepare("SELECT s.no, m.id, s.channel, s.quantity FROM series s JOIN meter m ON m.no = s.meter")
        && let Ok(mut rows) = stmt.query([])
    {
        while let Ok(Some(row)) = rows.next() {
            let (no, id, channel, q) =
                (row.get(0), row.get::<_, [u8; 16]>(1), row.get::<_, String>(2), row.get(3));
            if let (Ok(no), Ok(id), Ok(channel), Ok(Some(q))) = (no, id, channel, q.map(Quantity::from_code))
            {
                names.insert(no, (MeterId(uuid::Uuid::from_bytes(id)), Channel::new(&channel), q));
            }
        }
    }
    let Ok(mut stmt) = old.prepare("SELECT key, value FROM reading WHERE key > ?1 UNION ALL SELECT key, value FROM tail WHERE key > ?1 ORDER BY key") else {
        told.holes += 1;
        return Ok(());
    };
    let (mut from, mut skip) = (0i64, FIRST_SKIP);
    let mut batch = Vec::with_capacity(BATCH);
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
                let value = row.get_ref(1).ok().and_then(crate::key::unpack);
                match (names.get(&crate::key::reading_series(key)), value) {
                    (Some((meter, channel, quantity)), Some(value)) => batch.push(Reading {
                        meter: *meter,
                        channel: channel.clone(),
                        quantity: *quantity,
                        at: crate::key::reading_at(key),
                        value,
                    }),
                    _ => told.orphans += 1,
                }
                if batch.len() == BATCH {
                    told.readings += store.append(&batch)?.stored;
                    batch.clear();
                }
            }
        }
        if whole {
            break;
        }
        told.holes += 1;
        let Some(next) = from.checked_add(skip) else { break };
        (from, skip) = (next, skip.saturating_mul(2));
    }
    told.readings += store.append(&batch)?.stored;
    Ok(())
}
