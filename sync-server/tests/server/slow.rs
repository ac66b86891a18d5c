//! A store that takes its time with changes, before they are written and before it says so; or that
//! ends in the middle of what somebody does with it.

use async_trait::async_trait;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_server::store::{
    BlockEntry, Change, Find, Hash, Inserted, Listing, Page, Record, Replaced, Snapshot, Store, StoreError,
    Stored, Table, Wake,
};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use uuid::Uuid;

type Result<T> = std::result::Result<T, StoreError>;

pub struct Slow {
    pub inner: Arc<dyn Store>,
    pub before: Duration,
    pub after: Duration,
    /// Changes wait as long as this is true.
    pub held: watch::Sender<bool>,
    /// Everything fails as if the database had gone.
    pub gone: AtomicBool,
    /// Writes until the process dies.
    pub writes_left: AtomicI64,
}

impl Slow {
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self {
            inner,
            before: Duration::ZERO,
            after: Duration::ZERO,
            held: watch::Sender::new(false),
            gone: AtomicBool::new(false),
            writes_left: AtomicI64::new(i64::MAX),
        }
    }

    fn there(&self) -> Result<&dyn Store> {
        match self.gone.load(Ordering::SeqCst) {
            true => Err(StoreError::Unavailable("gone".into())),
            false => Ok(&*self.inner),
        }
    }

    fn write(&self) -> Result<&dyn Store> {
        if self.writes_left.fetch_sub(1, Ordering::SeqCst) <= 0 {
            return Err(StoreError::Unavailable("the process has died here".into()));
        }
        self.there()
    }
}

#[async_trait]
impl Store for Slow {
    fn name(&self) -> &'static str {
        self.inner.name()
    }
    async fn prepare(&self, tables: &[&'static Table]) -> Result<()> {
        self.there()?.prepare(tables).await
    }
    async fn probe(&self) -> Result<()> {
        self.there()?.probe().await
    }
    async fn get(&self, table: &'static Table, key: &str) -> Result<Option<Record>> {
        self.there()?.get(table, key).await
    }
    async fn insert(
        &self,
        table: &'static Table,
        key: &str,
        body: Map<String, Value>,
        expires: Option<UnixMillis>,
    ) -> Result<Inserted> {
        self.write()?.insert(table, key, body, expires).await
    }
    async fn replace(
        &self,
        table: &'static Table,
        key: &str,
        revision: u64,
        body: Map<String, Value>,
        expires: Option<UnixMillis>,
    ) -> Result<Replaced> {
        self.write()?.replace(table, key, revision, body, expires).await
    }
    async fn delete(&self, table: &'static Table, key: &str, revision: Option<u64>) -> Result<bool> {
        self.write()?.delete(table, key, revision).await
    }
    async fn find(&self, table: &'static Table, find: Find) -> Result<Page> {
        self.there()?.find(table, find).await
    }
    async fn sweep(&self, table: &'static Table, now: UnixMillis, limit: usize) -> Result<u64> {
        self.write()?.sweep(table, now, limit).await
    }
    async fn append_changes(&self, document: Uuid, changes: &[Change]) -> Result<u64> {
        tokio::time::sleep(self.before).await;
        let _ = self.held.subscribe().wait_for(|held| !held).await;
        let version = self.there()?.append_changes(document, changes).await?;
        tokio::time::sleep(self.after).await;
        Ok(version)
    }
    async fn load(&self, document: Uuid) -> Result<Stored> {
        self.there()?.load(document).await
    }
    async fn list(&self, document: Uuid) -> Result<Listing> {
        self.there()?.list(document).await
    }
    async fn changes(&self, document: Uuid, hashes: &[Hash]) -> Result<Vec<Change>> {
        self.there()?.changes(document, hashes).await
    }
    async fn snapshots(&self, document: Uuid, ids: &[Hash]) -> Result<Vec<Snapshot>> {
        self.there()?.snapshots(document, ids).await
    }
    async fn put_snapshot(&self, document: Uuid, snapshot: &Snapshot) -> Result<()> {
        self.write()?.put_snapshot(document, snapshot).await
    }
    async fn delete_chunks(&self, document: Uuid, snapshots: &[Hash], changes: &[Hash]) -> Result<()> {
        self.write()?.delete_chunks(document, snapshots, changes).await
    }
    async fn delete_document(&self, document: Uuid) -> Result<()> {
        self.write()?.delete_document(document).await
    }
    async fn versions(&self, topics: &[Uuid]) -> Result<Vec<(Uuid, u64)>> {
        self.there()?.versions(topics).await
    }
    async fn touch(&self, topic: Uuid) -> Result<()> {
        self.write()?.touch(topic).await
    }
    fn wakes(&self) -> broadcast::Receiver<Wake> {
        self.inner.wakes()
    }
    fn pushes(&self) -> bool {
        self.inner.pushes()
    }
    async fn put_block(&self, home: Uuid, entry: &BlockEntry, bytes: &[u8]) -> Result<u64> {
        self.write()?.put_block(home, entry, bytes).await
    }
    async fn blocks_after(&self, home: Uuid, seq: u64, limit: usize) -> Result<Vec<BlockEntry>> {
        self.there()?.blocks_after(home, seq, limit).await
    }
    async fn block(&self, home: Uuid, hash: Hash) -> Result<Option<Vec<u8>>> {
        self.there()?.block(home, hash).await
    }
    async fn blocks_size(&self, home: Uuid) -> Result<(u64, u64)> {
        self.there()?.blocks_size(home).await
    }
    async fn delete_blocks(&self, home: Uuid) -> Result<()> {
        self.write()?.delete_blocks(home).await
    }
}
