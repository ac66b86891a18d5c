//! The port in memory: for tests and for trying the server out. Nothing survives the process.

use super::{
    BlockEntry, Change, Cursor, Find, Hash, Inserted, Listing, Page, Record, Replaced, Scalar, Snapshot,
    Store, StoreError, Stored, Table, Wake,
};
use async_trait::async_trait;
use hearthwatt_domain::time::UnixMillis;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast;
use uuid::Uuid;

/// Wake-ups a slow listener may fall behind before it is told "everything".
const WAKES: usize = 1024;

/// See the module.
pub struct Memory {
    inner: Mutex<Inner>,
    wakes: broadcast::Sender<Wake>,
}

#[derive(Default)]
struct Inner {
    tables: HashMap<&'static str, Records>,
    documents: HashMap<Uuid, Chunks>,
    versions: HashMap<Uuid, u64>,
    blocks: HashMap<Uuid, BTreeMap<u64, (BlockEntry, Vec<u8>)>>,
}

#[derive(Default)]
struct Records {
    records: BTreeMap<String, Record>,
    /// Field, value, key: in the order that pages have.
    index: BTreeSet<(&'static str, Scalar, String)>,
}

#[derive(Default)]
struct Chunks {
    snapshots: Vec<Snapshot>,
    changes: Vec<Change>,
}

impl Default for Memory {
    fn default() -> Self {
        Self { inner: Mutex::default(), wakes: broadcast::Sender::new(WAKES) }
    }
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // nothing panics while it holds this; data of a store in memory is worth no more care
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bump(&self, inner: &mut Inner, topic: Uuid) -> u64 {
        let version = inner.versions.entry(topic).or_default();
        *version += 1;
        let _ = self.wakes.send(Wake::Topic(topic, *version));
        *version
    }
}

impl Records {
    /// The unique field whose value another record than `key` has.
    fn taken(&self, table: &Table, key: &str, values: &[(&'static str, Scalar)]) -> Option<&'static str> {
        let unique = values.iter().filter(|(field, _)| table.unique.contains(field));
        unique.map(|(field, value)| (*field, value)).find_map(|(field, value)| {
            let from = (field, value.clone(), String::new());
            let first = self.index.range(from..).next()?;
            (first.0 == field && first.1 == *value && first.2 != key).then_some(field)
        })
    }

    fn remove(&mut self, table: &Table, key: &str) -> bool {
        let Some(record) = self.records.remove(key) else { return false };
        for field in table.fields().filter(|f| record.body.contains_key(*f)) {
            self.index.remove(&(field, record.value(field), key.to_owned()));
        }
        true
    }

    fn put(&mut self, record: Record, values: Vec<(&'static str, Scalar)>) {
        for (field, value) in values {
            self.index.insert((field, value, record.key.clone()));
        }
        self.records.insert(record.key.clone(), record);
    }
}

#[async_trait]
impl Store for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn prepare(&self, _: &[&'static Table]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn probe(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn get(&self, table: &'static Table, key: &str) -> Result<Option<Record>, StoreError> {
        Ok(self.lock().tables.get(table.name).and_then(|t| t.records.get(key)).cloned())
    }

    async fn insert(
        &self,
        table: &'static Table,
        key: &str,
        body: Map<String, Value>,
        expires: Option<UnixMillis>,
    ) -> Result<Inserted, StoreError> {
        let (body, values) = table.normalise(body)?;
        let mut inner = self.lock();
        let records = inner.tables.entry(table.name).or_default();
        if records.records.contains_key(key) {
            return Ok(Inserted::Exists { index: Table::KEY });
        }
        if let Some(index) = records.taken(table, key, &values) {
            return Ok(Inserted::Exists { index });
        }
        records.put(Record { key: key.to_owned(), revision: 1, body, expires }, values);
        Ok(Inserted::Stored)
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
        let mut inner = self.lock();
        let records = inner.tables.entry(table.name).or_default();
        if records.records.get(key).is_none_or(|r| r.revision != revision) {
            return Ok(Replaced::Stale);
        }
        if let Some(index) = records.taken(table, key, &values) {
            return Ok(Replaced::Exists { index });
        }
        let revision = revision + 1;
        records.remove(table, key);
        records.put(Record { key: key.to_owned(), revision, body, expires }, values);
        Ok(Replaced::Stored { revision })
    }

    async fn delete(
        &self,
        table: &'static Table,
        key: &str,
        revision: Option<u64>,
    ) -> Result<bool, StoreError> {
        let mut inner = self.lock();
        let records = inner.tables.entry(table.name).or_default();
        let found = records.records.get(key).is_some_and(|r| revision.is_none_or(|n| n == r.revision));
        Ok(found && records.remove(table, key))
    }

    async fn find(&self, table: &'static Table, find: Find) -> Result<Page, StoreError> {
        if find.index != Table::KEY {
            table.field(find.index)?;
        }
        let inner = self.lock();
        let Some(records) = inner.tables.get(table.name) else { return Ok(Page::default()) };
        let limit = find.limit_bounded();
        let within = |value: &Scalar, key: &str| {
            find.from.as_ref().is_none_or(|from| value >= from)
                && find.to.as_ref().is_none_or(|to| value <= to)
                && find.after.as_ref().is_none_or(|c| (value, key) > (&c.value, c.key.as_str()))
        };
        let mut page: Vec<Record> = if find.index == Table::KEY {
            let all = records.records.values();
            all.filter(|r| within(&Scalar::from(r.key.as_str()), &r.key)).take(limit + 1).cloned().collect()
        } else {
            let start = find.after.as_ref().map(|c| c.value.clone()).or(find.from.clone());
            let start = (find.index, start.unwrap_or(Scalar::Number(i64::MIN)), String::new());
            let entries = records.index.range((Bound::Included(start), Bound::Unbounded));
            let entries = entries.take_while(|(field, value, _)| {
                *field == find.index && find.to.as_ref().is_none_or(|to| value <= to)
            });
            let entries = entries.filter(|(_, value, key)| within(value, key)).take(limit + 1);
            entries.filter_map(|(_, _, key)| records.records.get(key)).cloned().collect()
        };
        Ok(Page::cut(&mut page, find.index, limit))
    }

    async fn sweep(&self, table: &'static Table, now: UnixMillis, limit: usize) -> Result<u64, StoreError> {
        let mut inner = self.lock();
        let records = inner.tables.entry(table.name).or_default();
        let expired = records.records.values().filter(|r| r.has_expired(now)).take(limit);
        let expired: Vec<String> = expired.map(|r| r.key.clone()).collect();
        Ok(expired.iter().filter(|key| records.remove(table, key)).count() as u64)
    }

    async fn append_changes(&self, document: Uuid, changes: &[Change]) -> Result<u64, StoreError> {
        let mut inner = self.lock();
        let chunks = inner.documents.entry(document).or_default();
        for change in changes {
            if !chunks.changes.iter().any(|c| c.hash == change.hash) {
                chunks.changes.push(change.clone());
            }
        }
        Ok(self.bump(&mut inner, document))
    }

    async fn load(&self, document: Uuid) -> Result<Stored, StoreError> {
        let inner = self.lock();
        let version = inner.versions.get(&document).copied().unwrap_or_default();
        Ok(match inner.documents.get(&document) {
            None => Stored { version, ..Stored::default() },
            Some(c) => Stored { version, snapshots: c.snapshots.clone(), changes: c.changes.clone() },
        })
    }

    async fn list(&self, document: Uuid) -> Result<Listing, StoreError> {
        let inner = self.lock();
        let version = inner.versions.get(&document).copied().unwrap_or_default();
        Ok(match inner.documents.get(&document) {
            None => Listing { version, ..Listing::default() },
            Some(c) => Listing {
                version,
                snapshots: c.snapshots.iter().map(|s| s.id).collect(),
                changes: c.changes.iter().map(|c| c.hash).collect(),
            },
        })
    }

    async fn changes(&self, document: Uuid, hashes: &[Hash]) -> Result<Vec<Change>, StoreError> {
        let inner = self.lock();
        let all = inner.documents.get(&document).into_iter().flat_map(|c| &c.changes);
        Ok(all.filter(|c| hashes.contains(&c.hash)).cloned().collect())
    }

    async fn snapshots(&self, document: Uuid, ids: &[Hash]) -> Result<Vec<Snapshot>, StoreError> {
        let inner = self.lock();
        let all = inner.documents.get(&document).into_iter().flat_map(|c| &c.snapshots);
        Ok(all.filter(|s| ids.contains(&s.id)).cloned().collect())
    }

    async fn put_snapshot(&self, document: Uuid, snapshot: &Snapshot) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let chunks = inner.documents.entry(document).or_default();
        if !chunks.snapshots.iter().any(|s| s.id == snapshot.id) {
            chunks.snapshots.push(snapshot.clone());
        }
        Ok(())
    }

    async fn delete_chunks(
        &self,
        document: Uuid,
        snapshots: &[Hash],
        changes: &[Hash],
    ) -> Result<(), StoreError> {
        if let Some(chunks) = self.lock().documents.get_mut(&document) {
            chunks.snapshots.retain(|s| !snapshots.contains(&s.id));
            chunks.changes.retain(|c| !changes.contains(&c.hash));
        }
        Ok(())
    }

    async fn delete_document(&self, document: Uuid) -> Result<(), StoreError> {
        let mut inner = self.lock();
        inner.documents.remove(&document);
        self.bump(&mut inner, document);
        Ok(())
    }

    async fn versions(&self, topics: &[Uuid]) -> Result<Vec<(Uuid, u64)>, StoreError> {
        let inner = self.lock();
        Ok(topics.iter().filter_map(|t| Some((*t, *inner.versions.get(t)?))).collect())
    }

    async fn touch(&self, topic: Uuid) -> Result<(), StoreError> {
        self.bump(&mut self.lock(), topic);
        Ok(())
    }

    fn wakes(&self) -> broadcast::Receiver<Wake> {
        self.wakes.subscribe()
    }

    fn pushes(&self) -> bool {
        true
    }

    async fn put_block(&self, home: Uuid, entry: &BlockEntry, bytes: &[u8]) -> Result<u64, StoreError> {
        let mut inner = self.lock();
        let blocks = inner.blocks.entry(home).or_default();
        if let Some((known, _)) = blocks.values().find(|(e, _)| e.hash == entry.hash) {
            return Ok(known.seq);
        }
        let seq = blocks.last_key_value().map_or(1, |(seq, _)| seq + 1);
        let same =
            |e: &BlockEntry| (e.recorder, e.meter, &e.day) == (entry.recorder, entry.meter, &entry.day);
        blocks.retain(|_, (e, _)| !(same(e) && e.revision < entry.revision));
        blocks.insert(seq, (BlockEntry { seq, ..entry.clone() }, bytes.to_vec()));
        Ok(seq)
    }

    async fn blocks_after(&self, home: Uuid, seq: u64, limit: usize) -> Result<Vec<BlockEntry>, StoreError> {
        let inner = self.lock();
        let all = inner.blocks.get(&home).into_iter().flat_map(|b| b.range(seq.saturating_add(1)..));
        Ok(all.take(limit).map(|(_, (entry, _))| entry.clone()).collect())
    }

    async fn block(&self, home: Uuid, hash: Hash) -> Result<Option<Vec<u8>>, StoreError> {
        let inner = self.lock();
        let mut all = inner.blocks.get(&home).into_iter().flat_map(|b| b.values());
        Ok(all.find(|(e, _)| e.hash == hash).map(|(_, bytes)| bytes.clone()))
    }

    async fn blocks_size(&self, home: Uuid) -> Result<(u64, u64), StoreError> {
        let inner = self.lock();
        let all = inner.blocks.get(&home).into_iter().flat_map(|b| b.values());
        Ok(all.fold((0, 0), |(size, count), (e, _)| (size + e.size, count + 1)))
    }

    async fn delete_blocks(&self, home: Uuid) -> Result<(), StoreError> {
        self.lock().blocks.remove(&home);
        Ok(())
    }
}

impl Page {
    /// A page of the first `limit` of `records`, which has one more if there is a next page.
    pub(super) fn cut(records: &mut Vec<Record>, index: &'static str, limit: usize) -> Self {
        let more = records.len() > limit;
        records.truncate(limit);
        let last = records.last().filter(|_| more);
        let next = last.map(|r| Cursor { value: r.value(index), key: r.key.clone() });
        Self { records: std::mem::take(records), next }
    }
}
