//! The port on SQLite: the default, in one file beside the program's other data.
//!
//! One thread writes. It takes all the work that is waiting into one transaction, so that many
//! documents' changes share one flush to the disk, and answers after the commit. Reads have
//! connections of their own and never wait for it.

mod documents;
mod records;
mod schema;
mod writer;

use super::{
    BlockEntry, Change, Find, Hash, Inserted, Listing, Page, Record, Replaced, Snapshot, Store, StoreError,
    Stored, Table, Wake,
};
use async_trait::async_trait;
use hearthwatt_domain::time::UnixMillis;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use tokio::sync::{Semaphore, broadcast};
use uuid::Uuid;
use writer::Writer;

/// Reads at once; further ones wait.
const READERS: usize = 4;
/// A reader's page cache, in KiB.
const READER_CACHE_KIB: i64 = 512;
/// Wake-ups a slow listener may fall behind before it is told "everything".
const WAKES: usize = 1024;

/// See the module.
pub struct Sqlite {
    path: PathBuf,
    writer: Writer,
    idle: Mutex<Vec<Connection>>,
    reading: Semaphore,
    wakes: broadcast::Sender<Wake>,
}

impl Sqlite {
    /// Opens the database, or makes it.
    ///
    /// # Errors
    /// The file can't be opened, is damaged, or was written by a newer version of the program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path).map_err(|e| at(path, e))?;
        schema::prepare(&connection).map_err(|e| match e {
            StoreError::Other(what) => StoreError::Other(format!("{}: {what}", path.display())),
            other => other,
        })?;
        Ok(Self {
            path: path.to_owned(),
            writer: Writer::start(connection)?,
            idle: Mutex::default(),
            reading: Semaphore::new(READERS),
            wakes: broadcast::Sender::new(WAKES),
        })
    }

    /// Runs `f` on a connection that only reads, on a thread that may wait for the disk.
    async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let _place = self.reading.acquire().await.map_err(|e| StoreError::Other(e.to_string()))?;
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let path = self.path.clone();
        let task = tokio::task::spawn_blocking(move || {
            let connection = match idle {
                Some(connection) => connection,
                None => reader(&path)?,
            };
            let result = f(&connection);
            Ok::<_, StoreError>((result, connection))
        });
        let (result, connection) = task.await.map_err(|e| StoreError::Other(e.to_string()))??;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }

    fn wake(&self, topic: Uuid, version: u64) {
        let _ = self.wakes.send(Wake::Topic(topic, version));
    }
}

fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(|e| at(path, e))?;
    connection.busy_timeout(schema::BUSY)?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    Ok(connection)
}

fn at(path: &Path, e: rusqlite::Error) -> StoreError {
    match StoreError::from(e) {
        StoreError::Other(what) => StoreError::Other(format!("{}: {what}", path.display())),
        other => other,
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(e: rusqlite::Error) -> Self {
        match e.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Unavailable(e.to_string()),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(e.to_string()),
            _ => Self::Other(e.to_string()),
        }
    }
}

#[async_trait]
impl Store for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    async fn prepare(&self, tables: &[&'static Table]) -> Result<(), StoreError> {
        let tables = tables.to_vec();
        self.writer.run(move |c| tables.iter().try_for_each(|t| records::prepare(c, t))).await
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let id = self.writer.run(schema::probe_in).await?;
        let found = self.read(move |c| schema::probe_is(c, id)).await?;
        self.writer.run(move |c| schema::probe_out(c, id)).await?;
        if found { Ok(()) } else { Err(StoreError::Damaged("what was written is not there".into())) }
    }

    async fn get(&self, table: &'static Table, key: &str) -> Result<Option<Record>, StoreError> {
        let key = key.to_owned();
        self.read(move |c| records::get(c, table, &key)).await
    }

    async fn insert(
        &self,
        table: &'static Table,
        key: &str,
        body: Map<String, Value>,
        expires: Option<UnixMillis>,
    ) -> Result<Inserted, StoreError> {
        let (body, values) = table.normalise(body)?;
        let record = Record { key: key.to_owned(), revision: 1, body, expires };
        self.writer.run(move |c| records::insert(c, table, &record, &values)).await
    }

    async fn replace(
        &self,
        table: &'static Table,
        key: &str,
        revision: u64,
        body: Map<String, Value>,
        expires: Option<UnixMillis>,
    ) -> Result<Replaced, StoreError> {
        let (body, values) = table.normalise(body)?;
        let record = Record { key: key.to_owned(), revision, body, expires };
        self.writer.run(move |c| records::replace(c, table, &record, &values)).await
    }

    async fn delete(
        &self,
        table: &'static Table,
        key: &str,
        revision: Option<u64>,
    ) -> Result<bool, StoreError> {
        let key = key.to_owned();
        self.writer.run(move |c| records::delete(c, table, &key, revision)).await
    }

    async fn find(&self, table: &'static Table, find: Find) -> Result<Page, StoreError> {
        self.read(move |c| records::find(c, table, &find)).await
    }

    async fn sweep(&self, table: &'static Table, now: UnixMillis, limit: usize) -> Result<u64, StoreError> {
        self.writer.run(move |c| records::sweep(c, table, now, limit)).await
    }

    async fn append_changes(&self, document: Uuid, changes: &[Change]) -> Result<u64, StoreError> {
        let changes = changes.to_vec();
        let version = self.writer.run(move |c| documents::append(c, document, &changes)).await?;
        self.wake(document, version);
        Ok(version)
    }

    async fn load(&self, document: Uuid) -> Result<Stored, StoreError> {
        self.read(move |c| documents::load(c, document)).await
    }

    async fn list(&self, document: Uuid) -> Result<Listing, StoreError> {
        self.read(move |c| documents::list(c, document)).await
    }

    async fn changes(&self, document: Uuid, hashes: &[Hash]) -> Result<Vec<Change>, StoreError> {
        let hashes = hashes.to_vec();
        self.read(move |c| documents::changes(c, document, &hashes)).await
    }

    async fn snapshots(&self, document: Uuid, ids: &[Hash]) -> Result<Vec<Snapshot>, StoreError> {
        let ids = ids.to_vec();
        self.read(move |c| documents::snapshots(c, document, &ids)).await
    }

    async fn put_snapshot(&self, document: Uuid, snapshot: &Snapshot) -> Result<(), StoreError> {
        let snapshot = snapshot.clone();
        self.writer.run(move |c| documents::put_snapshot(c, document, &snapshot)).await
    }

    async fn delete_chunks(
        &self,
        document: Uuid,
        snapshots: &[Hash],
        changes: &[Hash],
    ) -> Result<(), StoreError> {
        let (snapshots, changes) = (snapshots.to_vec(), changes.to_vec());
        self.writer.run(move |c| documents::delete_chunks(c, document, &snapshots, &changes)).await
    }

    async fn delete_document(&self, document: Uuid) -> Result<(), StoreError> {
        let version = self.writer.run(move |c| documents::delete(c, document)).await?;
        self.wake(document, version);
        Ok(())
    }

    async fn versions(&self, topics: &[Uuid]) -> Result<Vec<(Uuid, u64)>, StoreError> {
        let topics = topics.to_vec();
        self.read(move |c| documents::versions(c, &topics)).await
    }

    async fn touch(&self, topic: Uuid) -> Result<(), StoreError> {
        let version = self.writer.run(move |c| documents::bump(c, topic)).await?;
        self.wake(topic, version);
        Ok(())
    }

    fn wakes(&self) -> broadcast::Receiver<Wake> {
        self.wakes.subscribe()
    }

    fn pushes(&self) -> bool {
        // another process on the same file can't be heard
        false
    }

    async fn put_block(&self, home: Uuid, entry: &BlockEntry, bytes: &[u8]) -> Result<u64, StoreError> {
        let (entry, bytes) = (entry.clone(), bytes.to_vec());
        self.writer.run(move |c| documents::put_block(c, home, &entry, &bytes)).await
    }

    async fn blocks_after(&self, home: Uuid, seq: u64, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
        self.read(move |c| documents::blocks_after(c, home, seq, limit)).await
    }

    async fn block(&self, home: Uuid, hash: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(move |c| documents::block(c, home, hash)).await
    }

    async fn blocks_size(&self, home: Uuid) -> Result<(u64, u64), StoreError> {
        self.read(move |c| documents::blocks_size(c, home)).await
    }

    async fn delete_blocks(&self, home: Uuid) -> Result<(), StoreError> {
        self.writer.run(move |c| documents::delete_blocks(c, home)).await
    }
}
