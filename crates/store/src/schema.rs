//! The tables, as numbered steps. A step never changes once it has shipped.

use crate::error::{Cause, StoreError};
use rusqlite::{Connection, TransactionBehavior};

const STEPS: &[&str] = &["
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE meter(no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE);
-- first_at: time of the first usable reading there ever was
CREATE TABLE series(no INTEGER PRIMARY KEY, meter INTEGER NOT NULL, channel TEXT NOT NULL,
    quantity INTEGER NOT NULL, first_at INTEGER, UNIQUE(meter, channel, quantity));
CREATE TABLE reading(key INTEGER PRIMARY KEY, value);
CREATE TABLE interval(key INTEGER PRIMARY KEY, import INTEGER, export INTEGER, quality INTEGER,
    covered INTEGER, power_min INTEGER, power_max INTEGER);
CREATE TABLE day(day INTEGER, meter INTEGER, import INTEGER, export INTEGER, not_measured INTEGER,
    quality INTEGER, covered INTEGER, power_min INTEGER, power_max INTEGER,
    PRIMARY KEY(day, meter)) WITHOUT ROWID;
-- power readings: extremes, sum, count and the last of the minute
CREATE TABLE minute(key INTEGER PRIMARY KEY, low REAL, high REAL, sum REAL, n INTEGER, last_at INTEGER, last REAL);
CREATE TABLE document(kind TEXT, id TEXT, json TEXT NOT NULL, PRIMARY KEY(kind, id)) WITHOUT ROWID;
CREATE TABLE correction(id BLOB PRIMARY KEY, meter INTEGER NOT NULL, json TEXT NOT NULL);
"];

/// The data format this program writes.
pub(crate) const VERSION: u32 = STEPS.len() as u32;

/// Brings the database up to date, each step in a transaction of its own; gives the version found.
pub(crate) fn migrate(conn: &mut Connection) -> Result<u32, StoreError> {
    let found: u32 = conn.pragma_query_value(None, "user_version", |r| r.get(0))?;
    if found > VERSION {
        return Err(Cause::Newer { found, known: VERSION }.into());
    }
    for (n, step) in STEPS.iter().enumerate().skip(found as usize) {
        let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute_batch(step)?;
        tx.pragma_update(None, "user_version", n as u32 + 1)?;
        tx.commit()?;
    }
    Ok(found)
}
