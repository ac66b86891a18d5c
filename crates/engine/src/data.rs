//! The data as a whole: how much there is, how long seconds are kept, all of it as a file, and a
//! file in the place of the home.

use crate::core::Core;
use crate::documents::{RETENTION, RetentionDoc, SETTINGS, put};
use crate::home::Home;
use crate::limits::{KEEP_DAYS_MAX, KEEP_DAYS_MIN, RETAIN_AFTER, RETAIN_BATCH, RETAIN_EVERY, RETAIN_PAUSE};
use crate::readers::Damage;
use crate::words::{self, invalid};
use hearthwatt_api::{ApiError, DataView, ErrorCode, NoticeCode};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_store::{Reader, Retention, Store, StoreOptions};
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::sleep;

const DAY_MS: i64 = 86_400_000;
/// Written together, bytes.
const EXPORT_BUFFER: usize = 64 * 1024;
/// What a database file begins with; anything else is taken for an export.
const DATABASE_MAGIC: &[u8] = b"SQLite format 3\0";

/// Everything of a home as it is when it is written, readable while the home goes on.
#[derive(Debug)]
pub struct Export {
    reader: Reader,
    damage: Damage,
}

impl Export {
    /// Writes all of it, in constant memory; blocks. Returns the number of readings.
    ///
    /// # Errors
    /// `Storage`: the database can't be read, or the place it goes to takes no more.
    pub fn write(self, out: impl Write) -> Result<u64, ApiError> {
        let mut out = BufWriter::with_capacity(EXPORT_BUFFER, out);
        self.reader.export(&mut out).map_err(|e| {
            self.damage.look_at(&e);
            words::storage(&e)
        })
    }
}

impl Home {
    /// The way to everything of this home, as lines of JSON; [`prepare_import`] takes them back.
    /// Passwords are not in it.
    ///
    /// # Errors
    /// `Unavailable` while the home closes, `Storage`.
    pub async fn export(&self) -> Result<Export, ApiError> {
        let reader = self.core.writer.run(|store| store.reader()).await?;
        Ok(Export { reader, damage: self.core.readers.damage.clone() })
    }
}

/// Turns an export, or a copy of a database, into a database that was read to its end, in the
/// folder `into` (emptied first). Blocks; gives the database's file for [`put_in_place`].
///
/// # Errors
/// `Invalid` says what is wrong with the file; `Storage` when there is no room.
pub fn prepare_import(file: &Path, into: &Path) -> Result<PathBuf, ApiError> {
    let unreadable = |e: std::io::Error| invalid(format!("The file can't be read ({e})."));
    let mut input = File::open(file).map_err(unreadable)?;
    let mut start = Vec::new();
    (&mut input).take(DATABASE_MAGIC.len() as u64).read_to_end(&mut start).map_err(unreadable)?;
    if start == DATABASE_MAGIC {
        return Ok(file.to_owned());
    }
    let input = BufReader::new(File::open(file).map_err(unreadable)?);
    match std::fs::remove_dir_all(into) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(unreadable(e)),
        _ => {}
    }
    let (mut store, _) = Store::open(into, StoreOptions::default()).map_err(|e| words::storage(&e))?;
    store.import(input).and_then(|_| store.close()).map_err(|e| refused(&e))?;
    Ok(into.join(hearthwatt_store::DATABASE))
}

/// Puts a copy of `database` in the place of the home's in `folder`, which must not be open. Gives
/// where the old one lies now; until the copy is whole and checked nothing changes. Blocks.
///
/// # Errors
/// `Invalid`: it is not a home's database. `Storage`: the home is open, or there is no room.
pub fn put_in_place(folder: &Path, database: &Path) -> Result<Option<PathBuf>, ApiError> {
    hearthwatt_store::restore(folder, database).map_err(|e| refused(&e))
}

/// What is wrong with the file is the person's to know; what is wrong with the disk is as always.
fn refused(error: &hearthwatt_store::StoreError) -> ApiError {
    let code = if error.is_full() || error.is_read_only() || error.is_locked() {
        ErrorCode::Storage
    } else {
        ErrorCode::Invalid
    };
    ApiError { code, message: error.to_string(), retry: error.may_retry() }
}

impl Core {
    pub(crate) async fn data_view(&self) -> Result<DataView, ApiError> {
        let size = self.readers.run(|reader| reader.size()).await?;
        Ok(DataView {
            database_bytes: size.bytes,
            free_bytes: size.free_bytes,
            keep_days: self.state().keep_days,
            readings_since: size.readings_since,
        })
    }

    pub(crate) async fn set_retention(&self, keep_days: Option<u32>) -> Result<DataView, ApiError> {
        if keep_days.is_some_and(|days| !(KEEP_DAYS_MIN..=KEEP_DAYS_MAX).contains(&days)) {
            return Err(invalid(format!("Readings: at least {KEEP_DAYS_MIN} days, or for ever.")));
        }
        {
            let _edit = self.edit.lock().await;
            self.write(vec![put(SETTINGS, RETENTION, &RetentionDoc { keep_days })?]).await?;
            self.state().keep_days = keep_days;
        }
        self.retain.notify_one();
        self.tell(hearthwatt_api::Event::SettingsChanged);
        self.data_view().await
    }

    /// Deletes what has become old, in small steps. A clock that has just jumped is not trusted
    /// with what can't be brought back.
    async fn retain_now(&self) {
        loop {
            let Some(mark) = self.retain_before() else { return };
            let retention = Retention { raw_before: mark };
            match self.writer.run(move |store| store.retain(retention, RETAIN_BATCH)).await {
                Ok(0) => return,
                Ok(deleted) => tracing::debug!(deleted, "old readings deleted"),
                Err(error) => return tracing::warn!(%error, "old readings can't be deleted for now"),
            }
            sleep(RETAIN_PAUSE).await;
        }
    }

    fn retain_before(&self) -> Option<UnixMillis> {
        let days = self.state().keep_days?;
        if self.notices().iter().any(|n| n.code == NoticeCode::ClockJumped) {
            return None;
        }
        Some(self.now().plus_ms(-i64::from(days) * DAY_MS))
    }
}

/// Deletes old readings now and then, and at once when the household asks for a shorter time.
pub(crate) async fn retain(core: Arc<Core>, mut stop: watch::Receiver<bool>) {
    let mut pause = RETAIN_AFTER;
    loop {
        tokio::select! {
            () = sleep(pause) => {}
            () = core.retain.notified() => {}
            () = crate::tasks::stopped(&mut stop) => return,
        }
        tokio::select! {
            () = core.retain_now() => {}
            () = crate::tasks::stopped(&mut stop) => return,
        }
        pause = RETAIN_EVERY;
    }
}
