//! The writer: opening, closing, documents, zone, retention, backup.

use crate::checkpoint::Checkpointer;
use crate::error::{Cause, StoreError};
use crate::key::{interval_meter, minute_key, reading_key};
use crate::meter_state::MeterState;
use crate::reader::Reader;
use crate::rollup;
use crate::running::close_all;
use crate::schema;
use crate::tail;
use crate::types::*;
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::time::UnixMillis;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::collections::{HashMap, HashSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The database's file in its folder.
pub const DATABASE: &str = "home.sqlite";
const LOCK: &str = "home.lock";
/// How long a call waits for a reader that blocks it.
pub(crate) const BUSY: Duration = Duration::from_secs(5);
/// Readings this long before the mark of [`Store::retain`] stay, so that the registers of the
/// first kept days have a reading to start from.
const RETENTION_GUARD_MS: i64 = 2 * 86_400_000;

/// The one writer of a home's database.
#[derive(Debug)]
pub struct Store {
    // dropped first: the connection is the last one to close
    pub(crate) checkpointer: Checkpointer,
    pub(crate) conn: Connection,
    path: PathBuf,
    pub(crate) zone: TimeZone,
    /// Numbers and running usage of the meters met so far; dropped whenever a transaction fails.
    pub(crate) meters: HashMap<MeterId, MeterState>,
    /// Raw readings before this are gone.
    pub(crate) raw_since: UnixMillis,
    /// Readings in the tail; counted when not known.
    pub(crate) tail_rows: Option<u64>,
    /// Whether days whose usage changes are noted for publishing, and those noted already.
    pub(crate) note_days: bool,
    pub(crate) noted: HashSet<(i64, i64)>,
    _lock: File,
}

/// Takes the lock of the folder, without waiting.
pub(crate) fn lock(folder: &Path) -> Result<File, StoreError> {
    std::fs::create_dir_all(folder).map_err(|e| StoreError::io(folder, e))?;
    let path = folder.join(LOCK);
    let file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|e| StoreError::io(&path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Cause::Locked(path).into()),
        Err(TryLockError::Error(e)) => Err(StoreError::io(&path, e)),
    }
}

impl Store {
    /// Opens or creates the database in `folder` (`home.sqlite`) and holds its lock until dropped.
    ///
    /// # Errors
    /// `is_locked`: another instance has it. `is_corrupt`: see [`crate::recover`]. `is_newer`,
    /// `is_read_only`, `is_full`.
    pub fn open(folder: &Path, options: StoreOptions) -> Result<(Self, OpenReport), StoreError> {
        let lock = lock(folder)?;
        Self::open_locked(folder, options, lock)
    }

    pub(crate) fn open_locked(
        folder: &Path,
        options: StoreOptions,
        lock: File,
    ) -> Result<(Self, OpenReport), StoreError> {
        let path = folder.join(DATABASE);
        let created = !path.exists();
        let mut conn = Connection::open(&path)?;
        conn.busy_timeout(BUSY)?;
        conn.set_prepared_statement_cache_capacity(64);
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "journal_size_limit", 16 << 20)?;
        // journals of single statements would go to a temporary file otherwise, page by page
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        if let Some(pages) = options.max_pages {
            conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?;
        }
        let found = schema::migrate(&mut conn)?;
        let clean = created || meta::<i64>(&conn, "clean")? == Some(1);
        if !clean {
            let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |r| r.get(0))?;
            if verdict != "ok" {
                return Err(StoreError::corrupt(&path, verdict));
            }
        }
        set_meta(&conn, "clean", 0)?;
        let raw_since = UnixMillis(meta(&conn, "raw_since")?.unwrap_or(i64::MIN));
        let zone = match meta::<String>(&conn, "zone")? {
            Some(name) => TimeZone::get(&name)
                .map_err(|_| StoreError::invalid(format!("The stored time zone \"{name}\" is unknown.")))?,
            None => TimeZone::UTC,
        };
        let checkpointer = Checkpointer::start(&path);
        conn.pragma_update_and_check(None, "wal_autocheckpoint", checkpointer.log_pages(), |_| Ok(()))?;
        let (meters, noted) = (HashMap::new(), HashSet::new());
        let note_days = crate::block::noting(&conn)?;
        let mut store = Self {
            checkpointer,
            conn,
            path,
            zone,
            meters,
            raw_since,
            tail_rows: None,
            note_days,
            noted,
            _lock: lock,
        };
        if let Some(zone) = options.zone {
            store.set_zone(&zone)?;
        }
        let replayed = if clean { 0 } else { store.resume_all()? };
        let migrated_from = (!created && found < schema::VERSION).then_some(found);
        Ok((store, OpenReport { created, clean, migrated_from, replayed }))
    }

    pub fn put_document(&mut self, kind: &str, id: &str, json: &serde_json::Value) -> Result<(), StoreError> {
        self.put_documents(&[DocumentChange::Put { kind: kind.into(), id: id.into(), json: json.clone() }])
    }

    /// Whether it was there.
    pub fn delete_document(&mut self, kind: &str, id: &str) -> Result<bool, StoreError> {
        Ok(self.conn.execute("DELETE FROM document WHERE kind=?1 AND id=?2", [kind, id])? > 0)
    }

    /// All of them or none.
    pub fn put_documents(&mut self, changes: &[DocumentChange]) -> Result<(), StoreError> {
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        write_documents(&tx, changes)?;
        Ok(tx.commit()?)
    }

    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Rebuilds the days when the zone is another one.
    ///
    /// # Errors
    /// A zone without an IANA name can't be stored.
    pub fn set_zone(&mut self, zone: &TimeZone) -> Result<(), StoreError> {
        if *zone == self.zone && meta::<String>(&self.conn, "zone")?.is_some() {
            return Ok(());
        }
        let name =
            zone.iana_name().map(str::to_owned).or_else(|| (*zone == TimeZone::UTC).then(|| "UTC".into()));
        let name = name.ok_or_else(|| StoreError::invalid("The time zone has no IANA name."))?;
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        set_meta(&tx, "zone", name)?;
        close_all(&tx, &self.zone)?;
        tx.execute("DELETE FROM day", [])?;
        {
            let columns = rollup::INTERVAL_COLUMNS;
            let mut stmt = tx.prepare(&format!("SELECT {columns} FROM interval ORDER BY key"))?;
            let mut rows = stmt.query([])?;
            let mut sum: Option<(i64, PeriodUsage)> = None;
            while let Some(row) = rows.next()? {
                let (i, meter) = (rollup::interval_row(row)?, interval_meter(row.get(0)?));
                match &mut sum {
                    Some((m, day)) if *m == meter && day.span.contains(i.start) => day.add(&i),
                    _ => {
                        if let Some((m, day)) = sum.take() {
                            rollup::put_day(&tx, m, &day)?;
                        }
                        let date = rollup::date_at(zone, i.start);
                        let mut day = PeriodUsage::empty(date, rollup::day_span(zone, date)?);
                        day.add(&i);
                        sum = Some((meter, day));
                    }
                }
            }
            if let Some((m, day)) = sum {
                rollup::put_day(&tx, m, &day)?;
            }
        }
        crate::block::rebuild_sums(&tx, zone)?;
        tx.commit()?;
        self.zone = zone.clone();
        self.reset_cache(); // it remembers days
        Ok(())
    }

    /// Deletes raw readings that are older than asked, at most `limit` of them in one short
    /// transaction; call again until it returns 0. Intervals and days stay. Readings of the last
    /// two days before the mark stay too; late readings before it are counted as `too_old`.
    pub fn retain(&mut self, retention: Retention, limit: u32) -> Result<u64, StoreError> {
        let mark = retention.raw_before.interval_start().max(self.raw_since);
        let before = mark.plus_ms(-RETENTION_GUARD_MS);
        let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
        set_meta(&tx, "raw_since", mark.0)?;
        tail::seal(&tx)?;
        let mut deleted = 0;
        let series: Vec<i64> =
            tx.prepare("SELECT no FROM series")?.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
        for no in series {
            let start = UnixMillis(0);
            for (table, from, to) in [
                ("reading", reading_key(no, start), reading_key(no, before)),
                ("minute", minute_key(no, start), minute_key(no, before)),
            ] {
                let left = u64::from(limit).saturating_sub(deleted);
                let sql = format!(
                    "DELETE FROM {table} WHERE key IN (SELECT key FROM {table} WHERE key>=?1 AND key<?2 LIMIT ?3)"
                );
                deleted += tx.prepare_cached(&sql)?.execute(params![from, to, left as i64])? as u64;
            }
        }
        tx.commit()?;
        self.raw_since = mark;
        self.tail_rows = Some(0);
        Ok(deleted)
    }

    /// A read-only connection of its own, for another thread.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::open(&self.path)
    }

    /// Copies the database to `target` (which must not exist) while it is in use. To restore, put
    /// the copy in the place of `home.sqlite` of a folder that no instance has open.
    pub fn backup(&self, target: &Path) -> Result<(), StoreError> {
        if target.exists() {
            return Err(StoreError::invalid(format!("{} exists already.", target.display())));
        }
        let source = Connection::open(&self.path)?;
        source.execute("VACUUM INTO ?1", [target.to_string_lossy()])?;
        File::open(target).and_then(|f| f.sync_all()).map_err(|e| StoreError::io(target, e))
    }

    /// For tests of what lies above: from now on every write fails as on a read-only medium.
    #[doc(hidden)]
    pub fn refuse_writes(&self, refuse: bool) -> Result<(), StoreError> {
        Ok(self.conn.pragma_update(None, "query_only", refuse)?)
    }

    /// Closes in order; the next open need not check the database.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.checkpointer = Checkpointer::default();
        set_meta(&self.conn, "clean", 1)?;
        self.conn.close().map_err(|(_, e)| e.into())
    }

    pub(crate) fn reset_cache(&mut self) {
        self.meters.clear();
        self.noted.clear();
        self.tail_rows = None;
    }
}

pub(crate) fn write_documents(conn: &Connection, changes: &[DocumentChange]) -> Result<(), StoreError> {
    for change in changes {
        match change {
            DocumentChange::Put { kind, id, json } => conn
                .prepare_cached("INSERT OR REPLACE INTO document VALUES(?1,?2,?3)")?
                .execute(params![kind, id, json.to_string()])?,
            DocumentChange::Delete { kind, id } => {
                conn.prepare_cached("DELETE FROM document WHERE kind=?1 AND id=?2")?.execute([kind, id])?
            }
        };
    }
    Ok(())
}

pub(crate) fn meta<T: rusqlite::types::FromSql>(
    conn: &Connection,
    key: &str,
) -> Result<Option<T>, StoreError> {
    Ok(conn.query_row("SELECT value FROM meta WHERE key=?1", [key], |r| r.get(0)).optional()?)
}

pub(crate) fn set_meta(conn: &Connection, key: &str, value: impl rusqlite::ToSql) -> Result<(), StoreError> {
    conn.execute("INSERT OR REPLACE INTO meta VALUES(?1,?2)", params![key, value])?;
    Ok(())
}
