//! The port on MongoDB: for several server processes, replica sets, Atlas.
//!
//! Only what every deployment has: atomicity of one document, unique indexes, compare-and-set by a
//! filter on the revision. Every write is acknowledged by a majority and journalled, every read sees
//! what a majority has. A change stream wakes other processes where there is one.
//!
//! Collections: `r_{table}` (records), `changes` and `snapshots` (`_id` = document + hash, so that a
//! document's chunks are one range), `versions`, `blocks`, `probe`. When sharded: `changes` and
//! `snapshots` by `_id`, `blocks` by `home`.

mod convert;
mod documents;
mod records;
mod watch;

use super::{
    BlockEntry, Change, Find, Hash, Inserted, Listing, Page, Record, Replaced, Snapshot, Store, StoreError,
    Stored, Table, Wake,
};
use async_trait::async_trait;
use hearthwatt_domain::time::UnixMillis;
use mongodb::bson::{Document, doc, oid::ObjectId};
use mongodb::error::{Error, ErrorKind, WriteFailure};
use mongodb::options::{
    ClientOptions, DatabaseOptions, IndexOptions, ReadConcern, ReadPreference, SelectionCriteria,
    WriteConcern,
};
use mongodb::{Client, Collection, Database, IndexModel};
use serde_json::{Map, Value};
use std::time::Duration;
use tokio::sync::broadcast;
use uuid::Uuid;

/// The database, unless the address names one.
const DATABASE: &str = "hearthwatt";
/// A server that can take writes is waited for this long.
const SELECTION_LIMIT: Duration = Duration::from_secs(5);
/// A majority is waited for this long; whether the write will last is unknown then, and it is
/// reported as failed.
const MAJORITY_LIMIT: Duration = Duration::from_secs(10);
/// Places of replaced blocks are kept taken this long.
const PRUNED_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// Connections to each server of the set.
const POOL: u32 = 32;
/// Wake-ups a slow listener may fall behind before it is told "everything".
const WAKES: usize = 4096;

/// Unique key violated.
const DUPLICATE: i32 = 11000;
/// The server's disk is full.
const OUT_OF_DISK: i32 = 14031;

/// See the module.
pub struct Mongo {
    database: Database,
    wakes: broadcast::Sender<Wake>,
    watching: watch::Watching,
}

impl Mongo {
    /// Connects lazily: only the address is checked here.
    ///
    /// # Errors
    /// The address can't be understood, or its DNS records can't be read.
    pub async fn connect(address: &str) -> Result<Self, StoreError> {
        let mut options = ClientOptions::parse(address).await.map_err(failed)?;
        options.app_name.get_or_insert_with(|| "hearthwatt-server".into());
        options.server_selection_timeout.get_or_insert(SELECTION_LIMIT);
        options.max_pool_size.get_or_insert(POOL);
        let name = options.default_database.clone().unwrap_or_else(|| DATABASE.into());
        let client = Client::with_options(options).map_err(failed)?;
        let majority = WriteConcern::builder()
            .w(mongodb::options::Acknowledgment::Majority)
            .journal(true)
            .w_timeout(MAJORITY_LIMIT)
            .build();
        let durable = DatabaseOptions::builder()
            .write_concern(majority)
            .read_concern(ReadConcern::majority())
            .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
            .build();
        let database = client.database_with_options(&name, durable);
        let wakes = broadcast::Sender::new(WAKES);
        let watching = watch::start(database.clone(), wakes.clone());
        Ok(Self { database, wakes, watching })
    }

    fn collection(&self, name: &str) -> Collection<Document> {
        self.database.collection(name)
    }
}

/// The codes of a failed operation: one, or one per document.
fn codes(e: &Error) -> Vec<i32> {
    match e.kind.as_ref() {
        ErrorKind::Command(e) => vec![e.code],
        ErrorKind::Write(WriteFailure::WriteError(e)) => vec![e.code],
        ErrorKind::Write(WriteFailure::WriteConcernError(e)) => vec![e.code],
        ErrorKind::InsertMany(e) => {
            let writes = e.write_errors.iter().flatten().map(|e| e.code);
            writes.chain(e.write_concern_error.iter().map(|e| e.code)).collect()
        }
        _ => Vec::new(),
    }
}

/// Nothing went wrong but that some of it is there already.
fn is_duplicate(e: &Error) -> bool {
    let codes = codes(e);
    !codes.is_empty() && codes.iter().all(|code| *code == DUPLICATE)
}

/// An error of the driver in the port's terms. Its text may name servers, never credentials.
fn failed(e: Error) -> StoreError {
    if codes(&e).contains(&OUT_OF_DISK) {
        return StoreError::Full;
    }
    let retry = e.contains_label("RetryableWriteError") || e.contains_label("TransientTransactionError");
    match e.kind.as_ref() {
        ErrorKind::Io(_)
        | ErrorKind::ServerSelection { .. }
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::DnsResolve { .. }
        | ErrorKind::Write(WriteFailure::WriteConcernError(_)) => StoreError::Unavailable(e.to_string()),
        _ if retry => StoreError::Unavailable(e.to_string()),
        _ => StoreError::Other(e.to_string()),
    }
}

#[async_trait]
impl Store for Mongo {
    fn name(&self) -> &'static str {
        "mongodb"
    }

    async fn prepare(&self, tables: &[&'static Table]) -> Result<(), StoreError> {
        let unique = |keys| {
            IndexModel::builder().keys(keys).options(IndexOptions::builder().unique(true).build()).build()
        };
        let plain = |keys| IndexModel::builder().keys(keys).build();
        let blocks = self.collection(documents::BLOCKS);
        let indexes = [
            unique(doc! { "home": 1, "seq": 1 }),
            plain(doc! { "home": 1, "recorder": 1, "meter": 1, "day": 1 }),
            IndexModel::builder()
                .keys(doc! { "pruned": 1 })
                .options(IndexOptions::builder().expire_after(PRUNED_KEPT).build())
                .build(),
        ];
        blocks.create_indexes(indexes).await.map_err(failed)?;
        for table in tables {
            records::prepare(&self.collection(&records::name(table)), table).await?;
        }
        Ok(())
    }

    async fn probe(&self) -> Result<(), StoreError> {
        let probe = self.collection("probe");
        let id = doc! { "_id": ObjectId::new() };
        probe.insert_one(&id).await.map_err(failed)?;
        let found = probe.find_one(id.clone()).await.map_err(failed)?;
        probe.delete_one(id).await.map_err(failed)?;
        found.map(|_| ()).ok_or_else(|| StoreError::Damaged("what was written is not there".into()))
    }

    async fn get(&self, table: &'static Table, key: &str) -> Result<Option<Record>, StoreError> {
        records::get(&self.collection(&records::name(table)), key).await
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
        records::insert(&self.collection(&records::name(table)), table, &record, &values).await
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
        records::replace(&self.collection(&records::name(table)), table, &record, &values).await
    }

    async fn delete(
        &self,
        table: &'static Table,
        key: &str,
        revision: Option<u64>,
    ) -> Result<bool, StoreError> {
        records::delete(&self.collection(&records::name(table)), key, revision).await
    }

    async fn find(&self, table: &'static Table, find: Find) -> Result<Page, StoreError> {
        records::find(&self.collection(&records::name(table)), table, &find).await
    }

    async fn sweep(&self, table: &'static Table, now: UnixMillis, limit: usize) -> Result<u64, StoreError> {
        records::sweep(&self.collection(&records::name(table)), now, limit).await
    }

    async fn append_changes(&self, document: Uuid, changes: &[Change]) -> Result<u64, StoreError> {
        documents::append(&self.database, document, changes).await
    }

    async fn load(&self, document: Uuid) -> Result<Stored, StoreError> {
        documents::load(&self.database, document).await
    }

    async fn list(&self, document: Uuid) -> Result<Listing, StoreError> {
        documents::list(&self.database, document).await
    }

    async fn changes(&self, document: Uuid, hashes: &[Hash]) -> Result<Vec<Change>, StoreError> {
        documents::changes(&self.database, document, hashes).await
    }

    async fn snapshots(&self, document: Uuid, ids: &[Hash]) -> Result<Vec<Snapshot>, StoreError> {
        documents::snapshots(&self.database, document, ids).await
    }

    async fn put_snapshot(&self, document: Uuid, snapshot: &Snapshot) -> Result<(), StoreError> {
        documents::put_snapshot(&self.database, document, snapshot).await
    }

    async fn delete_chunks(
        &self,
        document: Uuid,
        snapshots: &[Hash],
        changes: &[Hash],
    ) -> Result<(), StoreError> {
        documents::delete_chunks(&self.database, document, snapshots, changes).await
    }

    async fn delete_document(&self, document: Uuid) -> Result<(), StoreError> {
        documents::delete(&self.database, document).await
    }

    async fn versions(&self, topics: &[Uuid]) -> Result<Vec<(Uuid, u64)>, StoreError> {
        documents::versions(&self.database, topics).await
    }

    async fn touch(&self, topic: Uuid) -> Result<(), StoreError> {
        let version = documents::bump(&self.database, topic).await?;
        // this process need not wait for the stream
        let _ = self.wakes.send(Wake::Topic(topic, version));
        Ok(())
    }

    fn wakes(&self) -> broadcast::Receiver<Wake> {
        self.wakes.subscribe()
    }

    fn pushes(&self) -> bool {
        self.watching.is_alive()
    }

    async fn put_block(&self, home: Uuid, entry: &BlockEntry, bytes: &[u8]) -> Result<u64, StoreError> {
        documents::put_block(&self.database, home, entry, bytes).await
    }

    async fn blocks_after(&self, home: Uuid, seq: u64, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
        documents::blocks_after(&self.database, home, seq, limit).await
    }

    async fn block(&self, home: Uuid, hash: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        documents::block(&self.database, home, hash).await
    }

    async fn blocks_size(&self, home: Uuid) -> Result<(u64, u64), StoreError> {
        documents::blocks_size(&self.database, home).await
    }

    async fn delete_blocks(&self, home: Uuid) -> Result<(), StoreError> {
        documents::delete_blocks(&self.database, home).await
    }
}
