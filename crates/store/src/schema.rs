//! The tables, as numbered steps. A step never changes once it has shipped.

use crate::error::{Cause, StoreError};
use rusqlite::{Connection, TransactionBehavior};

const STEPS: &[&str] = &[
    "
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
-- config: how usage is derived of this meter, where it differs from the default
CREATE TABLE meter(no INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, config TEXT);
-- first_at: time of the first usable reading there ever was
CREATE TABLE series(no INTEGER PRIMARY KEY, meter INTEGER NOT NULL, channel TEXT NOT NULL,
    quantity INTEGER NOT NULL, first_at INTEGER, UNIQUE(meter, channel, quantity));
-- by series, then time; what came last waits in the tail, so that a commit touches few pages
CREATE TABLE reading(key INTEGER PRIMARY KEY, value);
CREATE TABLE tail(key INTEGER PRIMARY KEY, value);
-- by meter, then time; the interval and the day that a meter is in are in its running row only
CREATE TABLE interval(key INTEGER PRIMARY KEY, import INTEGER, export INTEGER, quality INTEGER,
    covered INTEGER, power_min INTEGER, power_max INTEGER);
CREATE TABLE day(meter INTEGER, day INTEGER, import INTEGER, export INTEGER, not_measured INTEGER,
    quality INTEGER, covered INTEGER, power_min INTEGER, power_max INTEGER,
    PRIMARY KEY(meter, day)) WITHOUT ROWID;
CREATE TABLE running(meter INTEGER PRIMARY KEY, key INTEGER, import INTEGER, export INTEGER,
    quality INTEGER, covered INTEGER, power_min INTEGER, power_max INTEGER,
    day INTEGER, day_import INTEGER, day_export INTEGER, day_not_measured INTEGER,
    day_quality INTEGER, day_covered INTEGER, day_power_min INTEGER, day_power_max INTEGER);
-- power in minutes with a reading, by series, then time: extremes, integral over the milliseconds
-- it covers, and the last reading; the minute that a series is in is in its running row only
CREATE TABLE minute(key INTEGER PRIMARY KEY, low REAL, high REAL, sum REAL, covered INTEGER,
    last_at INTEGER, last REAL);
CREATE TABLE running_minute(series INTEGER PRIMARY KEY, key INTEGER, low REAL, high REAL, sum REAL,
    covered INTEGER, last_at INTEGER, last REAL);
CREATE TABLE document(kind TEXT, id TEXT, json TEXT NOT NULL, PRIMARY KEY(kind, id)) WITHOUT ROWID;
CREATE TABLE correction(id BLOB PRIMARY KEY, meter INTEGER NOT NULL, json TEXT NOT NULL);
",
    "
-- shared documents: a snapshot and the changes since, in the order in which they came
CREATE TABLE snapshot(document TEXT PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE change(no INTEGER PRIMARY KEY, document TEXT NOT NULL, hash BLOB NOT NULL, bytes BLOB NOT NULL,
    UNIQUE(document, hash));
-- the last block of each other recorder of a meter and UTC day
CREATE TABLE block(meter INTEGER, day INTEGER, recorder BLOB, revision INTEGER NOT NULL, hash BLOB NOT NULL,
    withdrawn INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(meter, day, recorder));
-- UTC days that another recorder rules, by its block; own rows count from the key `until` on
CREATE TABLE other_day(meter INTEGER, day INTEGER, hash BLOB NOT NULL, until INTEGER NOT NULL,
    PRIMARY KEY(meter, day)) WITHOUT ROWID;
-- the rows of those blocks, and their sums by day of the home
CREATE TABLE other_interval(key INTEGER PRIMARY KEY, import INTEGER, export INTEGER, quality INTEGER,
    covered INTEGER, power_min INTEGER, power_max INTEGER);
CREATE TABLE other_sum(meter INTEGER, day INTEGER, import INTEGER, export INTEGER, not_measured INTEGER,
    quality INTEGER, covered INTEGER, power_min INTEGER, power_max INTEGER,
    PRIMARY KEY(meter, day)) WITHOUT ROWID;
-- the last own block of a meter and UTC day; its bytes until the server has them
CREATE TABLE own_block(meter INTEGER, day INTEGER, revision INTEGER NOT NULL, hash BLOB NOT NULL,
    withdrawn INTEGER NOT NULL, bytes BLOB, PRIMARY KEY(meter, day));
CREATE INDEX own_block_unsent ON own_block(day) WHERE bytes IS NOT NULL;
-- own UTC days whose usage changed since their last block
CREATE TABLE unpublished(meter INTEGER, day INTEGER, PRIMARY KEY(meter, day)) WITHOUT ROWID;
",
];

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
