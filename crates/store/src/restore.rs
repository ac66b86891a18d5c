//! Putting a backup in the place of the database.

use crate::error::{Cause, StoreError};
use crate::schema;
use crate::store::{DATABASE, lock};
use rusqlite::{Connection, OpenFlags};
use std::fs::File;
use std::path::{Path, PathBuf};

const INCOMING: &str = "home.restoring.sqlite";

/// Puts a copy of `backup` (see [`crate::Store::backup`]) in the place of the home's database once
/// the copy has been checked; until then nothing changes, and a crash leaves one of the two whole.
/// The store must not be open. Gives where the old database lies now, if there was one.
///
/// # Errors
/// `is_locked` while an instance has the home open, `is_newer`, `is_full`; a file that is damaged
/// or not a home's.
pub fn restore(folder: &Path, backup: &Path) -> Result<Option<PathBuf>, StoreError> {
    let _lock = lock(folder)?;
    let (incoming, path) = (folder.join(INCOMING), folder.join(DATABASE));
    remove(&incoming)?;
    let checked = std::fs::copy(backup, &incoming)
        .map_err(|e| StoreError::io(backup, e))
        .and_then(|_| check(&incoming, backup))
        .and_then(|()| sync(&incoming));
    if let Err(e) = checked {
        let _ = remove(&incoming);
        return Err(e);
    }
    let aside = path.exists().then(|| keep_old(folder, &path)).transpose()?;
    std::fs::rename(&incoming, &path).map_err(|e| StoreError::io(&path, e))?;
    sync(folder)?;
    Ok(aside)
}

fn check(copy: &Path, backup: &Path) -> Result<(), StoreError> {
    let bad = |detail: String| {
        StoreError::invalid(format!(
            "{} is not a whole backup of a home ({detail}). Nothing was changed.",
            backup.display()
        ))
    };
    let conn = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let version: Result<u32, _> = conn.pragma_query_value(None, "user_version", |r| r.get(0));
    let found = version.map_err(|e| bad(e.to_string()))?;
    if found > schema::VERSION {
        return Err(Cause::Newer { found, known: schema::VERSION }.into());
    }
    let verdict: Result<String, _> = conn.query_row("PRAGMA quick_check(1)", [], |r| r.get(0));
    match verdict {
        Ok(ok) if ok == "ok" => {}
        Ok(detail) => return Err(bad(detail)),
        Err(e) => return Err(bad(e.to_string())),
    }
    let tables: Result<i64, _> = conn.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name IN ('meta','meter','series','reading','document')",
        [],
        |r| r.get(0),
    );
    match tables {
        Ok(5) if found > 0 => {}
        _ => return Err(bad("its tables are another program's".into())),
    }
    conn.close().map_err(|(_, e)| e.into())
}

/// The old database under another name too. Its log must be gone before another database takes
/// its place, or it would be played into that.
fn keep_old(folder: &Path, path: &Path) -> Result<PathBuf, StoreError> {
    if let Ok(old) = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE) {
        // of a damaged database the log can't be merged: it is kept beside
        let _ = old.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    }
    let name = |n: u32, suffix: &str| folder.join(format!("home.replaced-{n}.sqlite{suffix}"));
    let n = (1..).find(|n| !name(*n, "").exists()).unwrap_or(u32::MAX);
    let aside = name(n, "");
    if std::fs::hard_link(path, &aside).is_err() {
        // a file system without links
        std::fs::copy(path, &aside).map_err(|e| StoreError::io(&aside, e))?;
        sync(&aside)?;
    }
    for suffix in ["-wal", "-shm"] {
        let from = folder.join(format!("{DATABASE}{suffix}"));
        if from.exists() {
            std::fs::rename(&from, name(n, suffix)).map_err(|e| StoreError::io(&from, e))?;
        }
    }
    Ok(aside)
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io(path, e)),
        _ => Ok(()),
    }
}

/// A folder can't be opened for this everywhere; there the rename itself is durable.
fn sync(path: &Path) -> Result<(), StoreError> {
    match File::open(path) {
        Ok(file) if path.is_file() => file.sync_all().map_err(|e| StoreError::io(path, e)),
        Ok(file) => {
            let _ = file.sync_all();
            Ok(())
        }
        Err(e) if path.is_file() => Err(StoreError::io(path, e)),
        Err(_) => Ok(()),
    }
}
