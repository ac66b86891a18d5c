//! Tables that are always there, and how the file is opened.

use super::StoreError;
use rusqlite::{Connection, params};
use std::time::Duration;

/// The version of this layout, kept in the file.
const VERSION: i64 = 1;
/// Another process may hold the file's lock this long.
pub const BUSY: Duration = Duration::from_secs(5);
/// The log goes into the database after this many pages (of 4 KiB).
const CHECKPOINT_PAGES: i64 = 1000;
/// The log's file is cut back to this after a checkpoint, in bytes.
const LOG_BYTES: i64 = 8 * 1024 * 1024;

const TABLES: &str = "
    CREATE TABLE version (topic BLOB PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE change (document BLOB NOT NULL, hash BLOB NOT NULL, bytes BLOB NOT NULL);
    CREATE UNIQUE INDEX change_hash ON change (document, hash);
    CREATE TABLE snapshot (document BLOB NOT NULL, id BLOB NOT NULL, bytes BLOB NOT NULL);
    CREATE UNIQUE INDEX snapshot_id ON snapshot (document, id);
    CREATE TABLE block (
        home BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, recorder BLOB NOT NULL,
        meter BLOB NOT NULL, day TEXT NOT NULL, revision INTEGER NOT NULL, bytes BLOB NOT NULL
    );
    CREATE UNIQUE INDEX block_seq ON block (home, seq);
    CREATE UNIQUE INDEX block_hash ON block (home, hash);
    CREATE INDEX block_of ON block (home, recorder, meter, day);
    CREATE TABLE probe (id INTEGER PRIMARY KEY);
";

pub fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // a commit that was acknowledged survives power loss
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    let version = |c: &Connection| c.query_row("PRAGMA user_version", [], |r| r.get::<_, i64>(0));
    if version(connection)? == 0 {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        // another process may have been first
        if version(connection)? == 0 {
            let made = connection.execute_batch(TABLES);
            let made = made.and_then(|()| connection.pragma_update(None, "user_version", VERSION));
            if let Err(e) = made {
                let _ = connection.execute_batch("ROLLBACK");
                return Err(e.into());
            }
        }
        connection.execute_batch("COMMIT")?;
    }
    match version(connection)? {
        VERSION => Ok(()),
        newer => Err(StoreError::Other(format!(
            "the database has layout {newer}, this program knows {VERSION}: use a newer version of it"
        ))),
    }
}

pub fn probe_in(connection: &Connection) -> Result<i64, StoreError> {
    connection.execute("INSERT INTO probe DEFAULT VALUES", [])?;
    Ok(connection.last_insert_rowid())
}

pub fn probe_is(connection: &Connection, id: i64) -> Result<bool, StoreError> {
    let found = connection.query_row("SELECT EXISTS (SELECT 1 FROM probe WHERE id = ?1)", [id], |r| r.get(0));
    Ok(found?)
}

pub fn probe_out(connection: &Connection, id: i64) -> Result<(), StoreError> {
    // and what a process left that was killed between the two
    connection.execute("DELETE FROM probe WHERE id <= ?1", params![id])?;
    Ok(())
}
