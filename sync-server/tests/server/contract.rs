//! One contract, three stores. Every case uses names of its own, so all of them share a store.

use hearthwatt_domain::time::UnixMillis;
use hearthwatt_server::store::memory::Memory;
use hearthwatt_server::store::mongo::Mongo;
use hearthwatt_server::store::sqlite::Sqlite;
use hearthwatt_server::store::{
    BlockEntry, Change, Find, Hash, Inserted, Replaced, Snapshot, Store, StoreError, Table, Wake,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

static PERSON: Table = Table { name: "test_person", unique: &["email", "number"], index: &["town", "due"] };
static OTHER: Table = Table { name: "test_other", unique: &["email"], index: &[] };

/// The same store as another process sees it.
type Second = Arc<dyn Store>;

fn id() -> Uuid {
    Uuid::from_bytes(crate::mongo::random())
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn change(n: u32, size: usize) -> Change {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&n.to_be_bytes());
    Change { hash: Hash(hash), bytes: vec![n as u8; size] }
}

fn snapshot(n: u8, size: usize) -> Snapshot {
    Snapshot { id: Hash([n; 32]), bytes: vec![n; size] }
}

async fn contract(first: Arc<dyn Store>, second: Second) {
    let tables = [&PERSON, &OTHER];
    first.prepare(&tables).await.unwrap();
    // every process does so at every start, two at once
    let (a, b) = tokio::join!(first.prepare(&tables), second.prepare(&tables));
    a.and(b).unwrap();
    first.probe().await.unwrap();

    records_are_inserted_once_and_replaced_by_revision(&*first).await;
    unique_fields_are_unique(&*first).await;
    bodies_come_back_as_they_went_in(&*first).await;
    pages_are_complete_and_in_order(&*first).await;
    expired_records_are_swept(&*first).await;
    one_of_many_wins(&first, &second).await;
    changes_are_kept_once(&*first).await;
    snapshots_stand_beside_changes(&*first).await;
    large_chunks_survive(&*first).await;
    versions_count_and_wake(&first, &second).await;
    a_reader_sees_every_change_while_it_is_compacted(&first, &second).await;
    blocks_are_kept_once_and_replaced(&*first).await;
    a_sequence_of_blocks_has_no_holes(&first, &second).await;
    what_is_deleted_is_gone(&*first).await;
}

async fn records_are_inserted_once_and_replaced_by_revision(store: &dyn Store) {
    let key = id().to_string();
    assert_eq!(store.get(&PERSON, &key).await.unwrap(), None);
    let body = object(json!({ "name": "Ada" }));
    assert_eq!(store.insert(&PERSON, &key, body.clone(), None).await.unwrap(), Inserted::Stored);
    let again = store.insert(&PERSON, &key, body.clone(), None).await.unwrap();
    assert_eq!(again, Inserted::Exists { index: Table::KEY });
    // the same key in another table is another record
    assert_eq!(store.insert(&OTHER, &key, body.clone(), None).await.unwrap(), Inserted::Stored);
    let record = store.get(&PERSON, &key).await.unwrap().unwrap();
    assert_eq!((record.key.as_str(), record.revision, &record.body), (key.as_str(), 1, &body));

    let newer = object(json!({ "name": "Ada L." }));
    let replaced = store.replace(&PERSON, &key, 1, newer.clone(), Some(UnixMillis(5))).await.unwrap();
    assert_eq!(replaced, Replaced::Stored { revision: 2 });
    assert_eq!(store.replace(&PERSON, &key, 1, body.clone(), None).await.unwrap(), Replaced::Stale);
    let record = store.get(&PERSON, &key).await.unwrap().unwrap();
    assert_eq!((record.revision, record.body, record.expires), (2, newer, Some(UnixMillis(5))));

    assert!(!store.delete(&PERSON, &key, Some(1)).await.unwrap(), "an older revision deletes nothing");
    assert!(store.delete(&PERSON, &key, Some(2)).await.unwrap());
    assert!(!store.delete(&PERSON, &key, None).await.unwrap(), "it is deleted once");
    assert_eq!(store.replace(&PERSON, &key, 2, body, None).await.unwrap(), Replaced::Stale);
    assert!(store.delete(&OTHER, &key, None).await.unwrap());
}

async fn unique_fields_are_unique(store: &dyn Store) {
    let [a, b, c, d] = [(); 4].map(|()| id().to_string());
    let mail = format!("{a}@example.org");
    let number = i64::from(u32::from_be_bytes(crate::mongo::random()[..4].try_into().unwrap()));
    let with = |email: &str, number: i64| object(json!({ "email": email, "number": number }));
    assert_eq!(store.insert(&PERSON, &a, with(&mail, number), None).await.unwrap(), Inserted::Stored);
    let taken = store.insert(&PERSON, &b, with(&mail, number + 1), None).await.unwrap();
    assert_eq!(taken, Inserted::Exists { index: "email" });
    let taken = store.insert(&PERSON, &b, with("b", number), None).await.unwrap();
    assert_eq!(taken, Inserted::Exists { index: "number" });
    // absent or null: any number of records has none
    for key in [&c, &d] {
        let none = object(json!({ "email": null }));
        assert_eq!(store.insert(&PERSON, key, none, None).await.unwrap(), Inserted::Stored);
    }
    let taken = store.replace(&PERSON, &c, 1, with(&mail, number + 2), None).await.unwrap();
    assert_eq!(taken, Replaced::Exists { index: "email" });
    // its own value is not another's
    let same = store.replace(&PERSON, &a, 1, with(&mail, number), None).await.unwrap();
    assert_eq!(same, Replaced::Stored { revision: 2 });
    // a value is free again when its record has gone or has another
    store.replace(&PERSON, &a, 2, object(json!({})), None).await.unwrap();
    assert_eq!(
        store.replace(&PERSON, &c, 1, with(&mail, number), None).await.unwrap(),
        Replaced::Stored { revision: 2 }
    );
    store.delete(&PERSON, &c, None).await.unwrap();
    assert_eq!(store.insert(&PERSON, &b, with(&mail, number), None).await.unwrap(), Inserted::Stored);
    let found = store.find(&PERSON, Find::equal("email", mail.as_str())).await.unwrap();
    assert_eq!(found.records.iter().map(|r| &r.key).collect::<Vec<_>>(), [&b]);
    for key in [a, b, d] {
        store.delete(&PERSON, &key, None).await.unwrap();
    }
    let refused = store.find(&PERSON, Find::equal("name", "x")).await;
    assert!(matches!(refused, Err(StoreError::Misuse(_))), "{refused:?}");
    let refused = store.insert(&PERSON, "x", object(json!({ "email": [1] })), None).await;
    assert!(matches!(refused, Err(StoreError::Misuse(_))), "{refused:?}");
}

async fn bodies_come_back_as_they_went_in(store: &dyn Store) {
    let key = id().to_string();
    let body = object(json!({
        "text": "Grüße \u{0} \u{1F50C} '\";--",
        "numbers": [0, -1, i64::MAX, i64::MIN, 0.1, -2.5e300],
        "nested": { "null": null, "yes": true, "empty": {}, "list": [[], {}] },
        "$set": { "a.b": "dots and dollars" },
        "_id": "not the key",
        "due": i64::MIN,
    }));
    store.insert(&PERSON, &key, body.clone(), None).await.unwrap();
    assert_eq!(store.get(&PERSON, &key).await.unwrap().unwrap().body, body);
    store.delete(&PERSON, &key, None).await.unwrap();
}

async fn pages_are_complete_and_in_order(store: &dyn Store) {
    let town = id().to_string();
    let prefix = id().simple().to_string();
    // three due times over 25 records
    for n in 0..25_i64 {
        let body = object(json!({ "town": town, "due": 1_000_000 + n % 3, "n": n }));
        store.insert(&PERSON, &format!("{prefix}/{n:02}"), body, None).await.unwrap();
    }
    async fn all(store: &dyn Store, find: Find) -> Vec<String> {
        let mut keys = Vec::new();
        let mut after = None;
        loop {
            let page = store.find(&PERSON, find.clone().after(after).limit(4)).await.unwrap();
            assert!(page.records.len() <= 4);
            keys.extend(page.records.into_iter().map(|r| r.key));
            after = page.next;
            if after.is_none() {
                return keys;
            }
        }
    }
    let by_key: Vec<String> = (0..25).map(|n| format!("{prefix}/{n:02}")).collect();
    assert_eq!(all(store, Find::equal("town", town.as_str())).await, by_key);
    assert_eq!(all(store, Find::key_prefix(&format!("{prefix}/"))).await, by_key);
    let mut due: Vec<i64> = (0..25).collect();
    due.sort_by_key(|n| (n % 3, *n));
    let ours =
        |keys: Vec<String>| -> Vec<String> { keys.into_iter().filter(|k| k.starts_with(&prefix)).collect() };
    let expected = |upto: i64| -> Vec<String> {
        due.iter().filter(|n| **n % 3 <= upto).map(|n| format!("{prefix}/{n:02}")).collect()
    };
    assert_eq!(ours(all(store, Find::up_to("due", 1_000_002)).await), expected(2));
    assert_eq!(ours(all(store, Find::up_to("due", 1_000_001)).await), expected(1));
    assert_eq!(ours(all(store, Find::up_to("due", 999_999)).await), Vec::<String>::new());
    assert!(all(store, Find::all()).await.len() >= 25);
    for key in by_key {
        store.delete(&PERSON, &key, None).await.unwrap();
    }
}

async fn expired_records_are_swept(store: &dyn Store) {
    let keys: Vec<String> = (0..5).map(|_| id().to_string()).collect();
    for (n, key) in keys.iter().enumerate() {
        let at = (n < 4).then_some(UnixMillis(100 + n as i64));
        store.insert(&PERSON, key, Map::new(), at).await.unwrap();
    }
    assert_eq!(store.sweep(&PERSON, UnixMillis(99), 10).await.unwrap(), 0);
    assert_eq!(store.sweep(&PERSON, UnixMillis(102), 2).await.unwrap(), 2);
    assert_eq!(store.sweep(&PERSON, UnixMillis(102), 10).await.unwrap(), 1);
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(store.get(&PERSON, key).await.unwrap().is_some(), n >= 3, "{n}");
        store.delete(&PERSON, key, None).await.unwrap();
    }
}

/// Many writers at once, through two processes: one insert, one replacement, one deletion wins.
async fn one_of_many_wins(first: &Arc<dyn Store>, second: &Second) {
    let key = id().to_string();
    let mail = format!("{key}@example.org");
    let store = |n: usize| if n.is_multiple_of(2) { first.clone() } else { second.clone() };
    let insert = |n: usize| {
        let (store, key, mail) = (store(n), format!("{key}{n}"), mail.clone());
        async move { store.insert(&PERSON, &key, object(json!({ "email": mail })), None).await.unwrap() }
    };
    let inserted = futures_util::future::join_all((0..8).map(insert)).await;
    assert_eq!(inserted.iter().filter(|i| **i == Inserted::Stored).count(), 1, "{inserted:?}");
    let winner = inserted.iter().position(|i| *i == Inserted::Stored).unwrap();
    let key = format!("{key}{winner}");
    let replace = |n: usize| {
        let (store, key) = (store(n), key.clone());
        async move { store.replace(&PERSON, &key, 1, object(json!({ "n": n })), None).await.unwrap() }
    };
    let replaced = futures_util::future::join_all((0..8).map(replace)).await;
    assert_eq!(
        replaced.iter().filter(|r| **r == Replaced::Stored { revision: 2 }).count(),
        1,
        "{replaced:?}"
    );
    assert_eq!(replaced.iter().filter(|r| **r == Replaced::Stale).count(), 7, "{replaced:?}");
    let delete = |n: usize| {
        let (store, key) = (store(n), key.clone());
        async move { store.delete(&PERSON, &key, Some(2)).await.unwrap() }
    };
    let deleted = futures_util::future::join_all((0..8).map(delete)).await;
    assert_eq!(deleted.iter().filter(|d| **d).count(), 1, "{deleted:?}");
}

async fn changes_are_kept_once(store: &dyn Store) {
    let (document, other) = (id(), id());
    assert_eq!(store.load(document).await.unwrap(), Default::default());
    let version = store.append_changes(document, &[change(1, 10), change(2, 0)]).await.unwrap();
    let next = store.append_changes(document, &[change(2, 0), change(3, 30)]).await.unwrap();
    assert_eq!(next, version + 1);
    store.append_changes(other, &[change(1, 10)]).await.unwrap();
    let mut stored = store.load(document).await.unwrap();
    stored.changes.sort_by_key(|c| c.hash);
    assert_eq!(stored.changes, [change(1, 10), change(2, 0), change(3, 30)]);
    assert_eq!((stored.version, stored.snapshots.len()), (next, 0));
    let listing = store.list(document).await.unwrap();
    assert_eq!((listing.version, listing.changes.len()), (next, 3));
    let some = store.changes(document, &[change(3, 30).hash, change(9, 0).hash]).await.unwrap();
    assert_eq!(some, [change(3, 30)]);
    assert_eq!(store.load(other).await.unwrap().changes, [change(1, 10)]);
}

async fn snapshots_stand_beside_changes(store: &dyn Store) {
    let document = id();
    let version = store.append_changes(document, &[change(1, 1), change(2, 2)]).await.unwrap();
    for s in [snapshot(7, 70), snapshot(8, 80), snapshot(7, 70)] {
        store.put_snapshot(document, &s).await.unwrap();
    }
    let mut stored = store.load(document).await.unwrap();
    stored.snapshots.sort_by_key(|s| s.id);
    assert_eq!(stored.snapshots, [snapshot(7, 70), snapshot(8, 80)]);
    assert_eq!((stored.changes.len(), stored.version), (2, version));
    let read = store.snapshots(document, &[snapshot(8, 80).id, Hash([9; 32])]).await.unwrap();
    assert_eq!(read, [snapshot(8, 80)]);
    store
        .delete_chunks(document, &[snapshot(7, 70).id], &[change(1, 1).hash, change(5, 0).hash])
        .await
        .unwrap();
    let stored = store.load(document).await.unwrap();
    assert_eq!(stored.snapshots, [snapshot(8, 80)]);
    assert_eq!(stored.changes, [change(2, 2)]);
}

async fn large_chunks_survive(store: &dyn Store) {
    let document = id();
    let many: Vec<Change> = (0..2500).map(|n| change(n, 100)).collect();
    store.append_changes(document, &many).await.unwrap();
    store.append_changes(document, &[change(9999, 2 * 1024 * 1024)]).await.unwrap();
    store.put_snapshot(document, &snapshot(1, 8 * 1024 * 1024)).await.unwrap();
    let stored = store.load(document).await.unwrap();
    assert_eq!((stored.changes.len(), stored.snapshots[0].bytes.len()), (2501, 8 * 1024 * 1024));
    let hashes: Vec<Hash> = stored.changes.iter().map(|c| c.hash).collect();
    assert_eq!(store.changes(document, &hashes).await.unwrap().len(), 2501);
    store.delete_chunks(document, &[], &hashes).await.unwrap();
    assert_eq!(store.list(document).await.unwrap().changes, []);
}

async fn versions_count_and_wake(first: &Arc<dyn Store>, second: &Second) {
    let (document, topic) = (id(), id());
    assert_eq!(first.versions(&[document, topic]).await.unwrap(), []);
    let mut wakes = first.wakes();
    let version = first.append_changes(document, &[change(1, 1)]).await.unwrap();
    second.touch(topic).await.unwrap();
    second.touch(topic).await.unwrap();
    let next = second.append_changes(document, &[change(2, 1)]).await.unwrap();
    assert_eq!(next, version + 1, "versions are the document's, not the process's");
    let mut versions = first.versions(&[document, topic, id()]).await.unwrap();
    versions.sort();
    let mut expected = [(document, next), (topic, 2)];
    expected.sort();
    assert_eq!(versions, expected);
    // whoever tells of a version tells the truth
    let told = tokio::time::timeout(Duration::from_secs(5), async {
        loop {
            match wakes.recv().await {
                Ok(Wake::Topic(t, v)) if t == document => return v,
                Ok(_) => {}
                Err(e) => panic!("{e}"),
            }
        }
    });
    assert!(told.await.unwrap() <= next);
}

/// Process one writes and compacts as fast as it can; process two reads. Nothing is ever missing.
async fn a_reader_sees_every_change_while_it_is_compacted(first: &Arc<dyn Store>, second: &Second) {
    let document = id();
    let writer = {
        let store = first.clone();
        tokio::spawn(async move {
            for round in 0..20_u32 {
                let changes: Vec<Change> = (0..3).map(|n| change(round * 3 + n, 8)).collect();
                store.append_changes(document, &changes).await.unwrap();
                // this "snapshot" holds as many bytes as there are changes in it
                let before = store.list(document).await.unwrap();
                store
                    .put_snapshot(document, &snapshot(round as u8 + 1, round as usize * 3 + 3))
                    .await
                    .unwrap();
                store.delete_chunks(document, &before.snapshots, &before.changes).await.unwrap();
            }
        })
    };
    let mut seen = 0;
    while seen < 60 {
        let over = writer.is_finished();
        let stored = second.load(document).await.unwrap();
        let covered = stored.snapshots.iter().map(|s| s.bytes.len()).max().unwrap_or(0);
        let loose = |c: &&Change| u32::from_be_bytes(c.hash.0[..4].try_into().unwrap()) as usize >= covered;
        let all = covered + stored.changes.iter().filter(loose).count();
        assert!(all >= seen, "{all} changes after {seen}");
        seen = all;
        assert!(!over || seen == 60, "{seen} of 60 at the end");
    }
    writer.await.unwrap();
}

fn block(home: Uuid, meter: u8, revision: u64) -> BlockEntry {
    let mut hash = [0; 32];
    hash[..16].copy_from_slice(home.as_bytes());
    hash[16] = meter;
    hash[24..].copy_from_slice(&revision.to_be_bytes());
    let meter = Uuid::from_bytes([meter; 16]);
    BlockEntry {
        seq: 0,
        hash: Hash(hash),
        recorder: home,
        meter,
        day: "2026-03-29".into(),
        revision,
        size: 3,
    }
}

async fn blocks_are_kept_once_and_replaced(store: &dyn Store) {
    let (home, elsewhere) = (id(), id());
    let put = async |entry: &BlockEntry| store.put_block(home, entry, b"abc").await.unwrap();
    let [a1, a2, a3, b1] = [block(home, 1, 1), block(home, 1, 2), block(home, 1, 3), block(home, 2, 1)];
    assert_eq!((put(&a1).await, put(&b1).await, put(&a1).await), (1, 2, 1));
    assert_eq!(store.put_block(elsewhere, &a1, b"abc").await.unwrap(), 1, "a home has its own sequence");
    let all = store.blocks_after(home, 0, 10).await.unwrap();
    assert_eq!(all, [BlockEntry { seq: 1, ..a1.clone() }, BlockEntry { seq: 2, ..b1.clone() }]);
    assert_eq!(store.block(home, a1.hash).await.unwrap().as_deref(), Some(&b"abc"[..]));
    assert_eq!(store.block(home, Hash([1; 32])).await.unwrap(), None);
    // a newer revision replaces an older one; an older one that comes late doesn't replace it
    assert_eq!((put(&a3).await, put(&a2).await), (3, 4));
    let seqs = async |after, limit| {
        let entries = store.blocks_after(home, after, limit).await.unwrap();
        entries.iter().map(|e| (e.seq, e.revision)).collect::<Vec<_>>()
    };
    assert_eq!(seqs(0, 10).await, [(2, 1), (3, 3), (4, 2)]);
    assert_eq!(seqs(2, 1).await, [(3, 3)]);
    assert_eq!(seqs(4, 10).await, []);
    assert_eq!(seqs(u64::MAX, 10).await, []);
    assert_eq!(store.block(home, a1.hash).await.unwrap(), None);
    assert_eq!(store.blocks_size(home).await.unwrap(), (9, 3));
}

/// Twelve writers through two processes; a reader that goes on from where it was misses nothing.
async fn a_sequence_of_blocks_has_no_holes(first: &Arc<dyn Store>, second: &Second) {
    const WRITERS: u8 = 12;
    const EACH: u64 = 10;
    let home = id();
    let writers = (0..WRITERS).map(|w| {
        let store = if w % 2 == 0 { first.clone() } else { second.clone() };
        tokio::spawn(async move {
            for n in 0..EACH {
                let entry = BlockEntry { day: format!("2026-04-{:02}", n + 1), ..block(home, w, n + 1) };
                store.put_block(home, &entry, b"abc").await.unwrap();
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut read = 0;
    while read < u64::from(WRITERS) * EACH {
        let over = writers.iter().all(|w| w.is_finished());
        for entry in second.blocks_after(home, read, 7).await.unwrap() {
            assert_eq!(entry.seq, read + 1, "a block came late");
            read = entry.seq;
        }
        assert!(!over || !first.blocks_after(home, read, 1).await.unwrap().is_empty() || read == 120);
    }
    for writer in writers {
        writer.await.unwrap();
    }
}

async fn what_is_deleted_is_gone(store: &dyn Store) {
    let (document, other) = (id(), id());
    for d in [document, other] {
        store.append_changes(d, &[change(1, 1)]).await.unwrap();
        store.put_snapshot(d, &snapshot(1, 1)).await.unwrap();
        store.put_block(d, &block(d, 1, 1), b"abc").await.unwrap();
    }
    let before = store.versions(&[document]).await.unwrap()[0].1;
    store.delete_document(document).await.unwrap();
    store.delete_blocks(document).await.unwrap();
    let stored = store.load(document).await.unwrap();
    assert!(stored.changes.is_empty() && stored.snapshots.is_empty());
    assert!(stored.version > before, "whoever has it open hears of it");
    assert_eq!(store.blocks_after(document, 0, 10).await.unwrap(), []);
    let stored = store.load(other).await.unwrap();
    assert_eq!((stored.changes.len(), stored.snapshots.len()), (1, 1));
    assert_eq!(store.blocks_after(other, 0, 10).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    contract(store.clone(), store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("server.db");
    let open = || Arc::new(Sqlite::open(&path).unwrap());
    contract(open(), open()).await;

    // and what was written is there for the next process
    let document = id();
    open().append_changes(document, &[change(1, 1)]).await.unwrap();
    assert_eq!(open().load(document).await.unwrap().changes, [change(1, 1)]);
}

#[test]
fn sqlite_of_a_newer_version_or_of_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("newer.db");
    drop(Sqlite::open(&path).unwrap());
    let file = rusqlite::Connection::open(&path).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    drop(file);
    let refused = Sqlite::open(&path).err().unwrap().to_string();
    assert!(refused.contains("newer.db") && refused.contains("99"), "{refused}");
    let path = folder.path().join("text.db");
    std::fs::write(&path, "no database at all, but long enough to be taken for one".repeat(100)).unwrap();
    assert!(matches!(Sqlite::open(&path), Err(StoreError::Damaged(_))));
    assert!(Sqlite::open(&folder.path().join("no/such/folder/x.db")).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mongodb() {
    let Some(uri) = crate::mongo::fresh_database() else { return };
    let first = Arc::new(Mongo::connect(&uri).await.unwrap());
    let second = Arc::new(Mongo::connect(&uri).await.unwrap());
    tokio::time::timeout(Duration::from_secs(300), contract(first, second)).await.unwrap();
}

#[tokio::test]
async fn a_mongodb_that_is_not_there_is_temporary_and_says_no_password() {
    let uri = "mongodb://someone:verysecret@127.0.0.1:9/?serverSelectionTimeoutMS=200";
    let store = Mongo::connect(uri).await.unwrap();
    let e = store.probe().await.unwrap_err();
    assert!(e.is_temporary() && !e.to_string().contains("verysecret"), "{e}");
}
