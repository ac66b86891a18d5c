//! Changes, snapshots, versions and blocks.

use super::convert::{binary, bytes, chunk_id, hash_of, id, number, uuid};
use super::{BlockEntry, Change, Hash, Listing, Snapshot, StoreError, Stored, failed, is_duplicate};
use futures_util::TryStreamExt;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::ReturnDocument;
use mongodb::{Collection, Database};
use uuid::Uuid;

pub const BLOCKS: &str = "blocks";
pub const VERSIONS: &str = "versions";
const CHANGES: &str = "changes";
const SNAPSHOTS: &str = "snapshots";

/// Names in one query.
const BATCH: usize = 1000;
/// A document that is compacted again and again while it is read: tried again.
const VIEWS: usize = 10;
/// Two processes that make the first version of a topic at once: one of them tries again.
const RACES: usize = 5;
/// Places in a home's sequence that others take first.
const PLACES: usize = 1000;

fn collection(database: &Database, name: &str) -> Collection<Document> {
    database.collection(name)
}

/// All chunks of a document: one range of `_id`.
fn range(document: Uuid) -> Document {
    let (first, last) = (Hash([0; 32]), Hash([0xff; 32]));
    doc! { "_id": { "$gte": chunk_id(document, &first), "$lte": chunk_id(document, &last) } }
}

async fn rows(
    database: &Database,
    name: &str,
    filter: Document,
    fields: Document,
) -> Result<Vec<Document>, StoreError> {
    let found = collection(database, name).find(filter).projection(fields).await.map_err(failed)?;
    found.try_collect().await.map_err(failed)
}

async fn hashes(database: &Database, name: &str, document: Uuid) -> Result<Vec<Hash>, StoreError> {
    let rows = rows(database, name, range(document), doc! { "_id": 1 }).await?;
    rows.iter().map(hash_of).collect()
}

fn change(row: &Document) -> Result<Change, StoreError> {
    Ok(Change { hash: hash_of(row)?, bytes: bytes(row, "bytes")?.to_vec() })
}

fn snapshot(row: &Document) -> Result<Snapshot, StoreError> {
    Ok(Snapshot { id: hash_of(row)?, bytes: bytes(row, "bytes")?.to_vec() })
}

pub async fn append(database: &Database, document: Uuid, changes: &[Change]) -> Result<u64, StoreError> {
    let row = |c: &Change| doc! { "_id": chunk_id(document, &c.hash), "bytes": binary(&c.bytes) };
    if !changes.is_empty() {
        let rows = changes.iter().map(row);
        match collection(database, CHANGES).insert_many(rows).ordered(false).await {
            Ok(_) => {}
            Err(e) if is_duplicate(&e) => {}
            Err(e) => return Err(failed(e)),
        }
    }
    // after the changes: whoever sees the version finds them
    bump(database, document).await
}

pub async fn bump(database: &Database, topic: Uuid) -> Result<u64, StoreError> {
    let mut last = None;
    for _ in 0..RACES {
        let bumped = collection(database, VERSIONS)
            .find_one_and_update(doc! { "_id": id(topic) }, doc! { "$inc": { "version": 1_i64 } })
            .upsert(true)
            .return_document(ReturnDocument::After)
            .await;
        match bumped {
            Ok(Some(row)) => return number(&row, "version"),
            Ok(None) => {}
            Err(e) if is_duplicate(&e) => last = Some(failed(e)),
            Err(e) => return Err(failed(e)),
        }
    }
    Err(last.unwrap_or_else(|| StoreError::Other("a version was not counted up".into())))
}

pub async fn versions(database: &Database, topics: &[Uuid]) -> Result<Vec<(Uuid, u64)>, StoreError> {
    let mut found = Vec::new();
    for batch in topics.chunks(BATCH) {
        let ids: Vec<Bson> = batch.iter().map(|t| id(*t)).collect();
        for row in rows(database, VERSIONS, doc! { "_id": { "$in": ids } }, doc! {}).await? {
            found.push((uuid(&row, "_id")?, number(&row, "version")?));
        }
    }
    Ok(found)
}

async fn version(database: &Database, topic: Uuid) -> Result<u64, StoreError> {
    Ok(versions(database, &[topic]).await?.first().map_or(0, |(_, version)| *version))
}

/// Snapshots and changes are read one after the other. Changes first: one that is gone by then is in
/// a snapshot that is read after it. The snapshots before must be those after, or one of them may
/// have been replaced by one that was not there yet.
pub async fn load(database: &Database, document: Uuid) -> Result<Stored, StoreError> {
    for _ in 0..VIEWS {
        let version = version(database, document).await?;
        let before = hashes(database, SNAPSHOTS, document).await?;
        let changes = rows(database, CHANGES, range(document), doc! {}).await?;
        let snapshots = rows(database, SNAPSHOTS, range(document), doc! {}).await?;
        let snapshots = snapshots.iter().map(snapshot).collect::<Result<Vec<_>, _>>()?;
        if snapshots.iter().map(|s| s.id).eq(before) {
            let changes = changes.iter().map(change).collect::<Result<_, _>>()?;
            return Ok(Stored { version, snapshots, changes });
        }
    }
    Err(StoreError::Unavailable("a document is being compacted again and again".into()))
}

pub async fn list(database: &Database, document: Uuid) -> Result<Listing, StoreError> {
    for _ in 0..VIEWS {
        let version = version(database, document).await?;
        let snapshots = hashes(database, SNAPSHOTS, document).await?;
        let changes = hashes(database, CHANGES, document).await?;
        if hashes(database, SNAPSHOTS, document).await? == snapshots {
            return Ok(Listing { version, snapshots, changes });
        }
    }
    Err(StoreError::Unavailable("a document is being compacted again and again".into()))
}

async fn some(
    database: &Database,
    name: &str,
    document: Uuid,
    hashes: &[Hash],
) -> Result<Vec<Document>, StoreError> {
    let mut found = Vec::new();
    for batch in hashes.chunks(BATCH) {
        let ids: Vec<Bson> = batch.iter().map(|h| chunk_id(document, h)).collect();
        found.extend(rows(database, name, doc! { "_id": { "$in": ids } }, doc! {}).await?);
    }
    Ok(found)
}

pub async fn changes(
    database: &Database,
    document: Uuid,
    hashes: &[Hash],
) -> Result<Vec<Change>, StoreError> {
    some(database, CHANGES, document, hashes).await?.iter().map(change).collect()
}

pub async fn snapshots(
    database: &Database,
    document: Uuid,
    ids: &[Hash],
) -> Result<Vec<Snapshot>, StoreError> {
    some(database, SNAPSHOTS, document, ids).await?.iter().map(snapshot).collect()
}

pub async fn put_snapshot(
    database: &Database,
    document: Uuid,
    snapshot: &Snapshot,
) -> Result<(), StoreError> {
    let row = doc! { "_id": chunk_id(document, &snapshot.id), "bytes": binary(&snapshot.bytes) };
    match collection(database, SNAPSHOTS).insert_one(row).await {
        Ok(_) => Ok(()),
        Err(e) if is_duplicate(&e) => Ok(()),
        Err(e) => Err(failed(e)),
    }
}

pub async fn delete_chunks(
    database: &Database,
    document: Uuid,
    snapshots: &[Hash],
    changes: &[Hash],
) -> Result<(), StoreError> {
    for (name, hashes) in [(SNAPSHOTS, snapshots), (CHANGES, changes)] {
        for batch in hashes.chunks(BATCH) {
            let ids: Vec<Bson> = batch.iter().map(|h| chunk_id(document, h)).collect();
            let which = doc! { "_id": { "$in": ids } };
            collection(database, name).delete_many(which).await.map_err(failed)?;
        }
    }
    Ok(())
}

pub async fn delete(database: &Database, document: Uuid) -> Result<(), StoreError> {
    for name in [CHANGES, SNAPSHOTS] {
        collection(database, name).delete_many(range(document)).await.map_err(failed)?;
    }
    bump(database, document).await?;
    Ok(())
}

/// Places in a home's sequence are unique, and whoever finds one taken takes the next: so a place is
/// only taken when all before it are.
pub async fn put_block(
    database: &Database,
    home: Uuid,
    entry: &BlockEntry,
    data: &[u8],
) -> Result<u64, StoreError> {
    let blocks = collection(database, BLOCKS);
    let key = doc! { "_id": chunk_id(home, &entry.hash) };
    let place = doc! { "seq": 1 };
    let last = blocks.find_one(doc! { "home": id(home) }).sort(doc! { "seq": -1 }).projection(place.clone());
    let last = last.await.map_err(failed)?;
    let mut seq = last.map_or(Ok(0), |row| number(&row, "seq"))?;
    for _ in 0..PLACES {
        seq += 1;
        let row = doc! {
            "_id": chunk_id(home, &entry.hash),
            "home": id(home),
            "seq": seq.cast_signed(),
            "recorder": id(entry.recorder),
            "meter": id(entry.meter),
            "day": &entry.day,
            "revision": entry.revision.cast_signed(),
            "size": entry.size.cast_signed(),
            "bytes": binary(data),
        };
        match blocks.insert_one(row).await {
            Ok(_) => {
                prune(&blocks, home, entry, seq).await?;
                return Ok(seq);
            }
            Err(e) if is_duplicate(&e) => {}
            Err(e) => return Err(failed(e)),
        }
        let known = blocks.find_one(key.clone()).projection(place.clone()).await.map_err(failed)?;
        if let Some(known) = known {
            return number(&known, "seq");
        }
    }
    Err(StoreError::Unavailable("too many blocks at once".into()))
}

/// Empties older revisions that stand earlier. Their places stay taken for a day (the index on
/// `pruned` deletes them then): a process that was held up while it looked for a place must not find
/// one that readers have gone past.
async fn prune(
    blocks: &Collection<Document>,
    home: Uuid,
    entry: &BlockEntry,
    seq: u64,
) -> Result<(), StoreError> {
    let older = doc! {
        "home": id(home),
        "recorder": id(entry.recorder),
        "meter": id(entry.meter),
        "day": &entry.day,
        "revision": { "$lt": entry.revision.cast_signed() },
        "seq": { "$lt": seq.cast_signed() },
        "pruned": { "$exists": false },
    };
    let empty = doc! { "$unset": { "bytes": "" }, "$currentDate": { "pruned": true } };
    blocks.update_many(older, empty).await.map_err(failed)?;
    Ok(())
}

/// Blocks of a home that were not replaced.
fn current(home: Uuid) -> Document {
    doc! { "home": id(home), "pruned": { "$exists": false } }
}

pub async fn blocks_after(
    database: &Database,
    home: Uuid,
    seq: u64,
    limit: usize,
) -> Result<Vec<BlockEntry>, StoreError> {
    let after = i64::try_from(seq).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut filter = current(home);
    filter.insert("seq", doc! { "$gt": after });
    let blocks = collection(database, BLOCKS);
    let found = blocks.find(filter).sort(doc! { "seq": 1 }).limit(limit).projection(doc! { "bytes": 0 });
    let rows: Vec<Document> = found.await.map_err(failed)?.try_collect().await.map_err(failed)?;
    let entry = |row: &Document| {
        Ok(BlockEntry {
            seq: number(row, "seq")?,
            hash: hash_of(row)?,
            recorder: uuid(row, "recorder")?,
            meter: uuid(row, "meter")?,
            day: row.get_str("day").unwrap_or_default().to_owned(),
            revision: number(row, "revision")?,
            size: number(row, "size")?,
        })
    };
    rows.iter().map(entry).collect()
}

pub async fn block(database: &Database, home: Uuid, hash: Hash) -> Result<Option<Vec<u8>>, StoreError> {
    let key = doc! { "_id": chunk_id(home, &hash) };
    let row = collection(database, BLOCKS).find_one(key).await.map_err(failed)?;
    let row = row.filter(|row| !row.contains_key("pruned"));
    row.map(|row| Ok(bytes(&row, "bytes")?.to_vec())).transpose()
}

pub async fn blocks_size(database: &Database, home: Uuid) -> Result<(u64, u64), StoreError> {
    let blocks = collection(database, BLOCKS);
    let sizes = blocks.find(current(home)).projection(doc! { "size": 1 });
    let mut sizes = sizes.await.map_err(failed)?;
    let (mut size, mut count) = (0, 0);
    while let Some(row) = sizes.try_next().await.map_err(failed)? {
        size += number(&row, "size")?;
        count += 1;
    }
    Ok((size, count))
}

pub async fn delete_blocks(database: &Database, home: Uuid) -> Result<(), StoreError> {
    let which = doc! { "home": id(home) };
    collection(database, BLOCKS).delete_many(which).await.map_err(failed)?;
    Ok(())
}
