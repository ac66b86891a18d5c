//! Records: `{_id: key, revision, expires?, body}`.

use super::convert::{damaged, map, number, object};
use super::{Find, Inserted, Page, Record, Replaced, StoreError, Table, failed, is_duplicate};
use crate::store::Scalar;
use futures_util::TryStreamExt;
use hearthwatt_domain::time::UnixMillis;
use mongodb::bson::{Bson, DateTime, Document, doc};
use mongodb::options::IndexOptions;
use mongodb::{Collection, IndexModel};

/// A value that was taken when a write failed and free when it was looked up: tried again.
const RACES: usize = 5;

type Values = [(&'static str, Scalar)];

pub fn name(table: &Table) -> String {
    format!("r_{}", table.name)
}

fn path(field: &str) -> String {
    format!("body.{field}")
}

pub async fn prepare(collection: &Collection<Document>, table: &Table) -> Result<(), StoreError> {
    let index = |field: &str, unique: bool| {
        // absent values are never written, so `sparse` lets any number of records be without one
        let options = IndexOptions::builder().name(field.to_owned()).unique(unique).sparse(true).build();
        let mut keys = doc! { path(field): 1 };
        if !unique {
            keys.insert("_id", 1);
        }
        IndexModel::builder().keys(keys).options(options).build()
    };
    let mut indexes: Vec<IndexModel> = table.unique.iter().map(|f| index(f, true)).collect();
    indexes.extend(table.index.iter().map(|f| index(f, false)));
    let expires = IndexOptions::builder().name("expires".to_owned()).sparse(true).build();
    indexes.push(IndexModel::builder().keys(doc! { "expires": 1 }).options(expires).build());
    collection.create_indexes(indexes).await.map_err(failed)?;
    Ok(())
}

fn read(document: Document) -> Result<Record, StoreError> {
    let revision = number(&document, "revision")?;
    let mut document = document;
    let key = match document.remove("_id") {
        Some(Bson::String(key)) => key,
        _ => return Err(damaged("a record without a key")),
    };
    let body = match document.remove("body") {
        Some(Bson::Document(body)) => map(body)?,
        _ => return Err(damaged("a record without a body")),
    };
    let expires = match document.remove("expires") {
        Some(Bson::DateTime(at)) => Some(UnixMillis(at.timestamp_millis())),
        _ => None,
    };
    Ok(Record { key, revision, body, expires })
}

fn write(record: &Record, revision: u64) -> Result<Document, StoreError> {
    let body = object(&record.body)?;
    let mut document = doc! { "_id": &record.key, "revision": revision.cast_signed(), "body": body };
    if let Some(at) = record.expires {
        document.insert("expires", DateTime::from_millis(at.0));
    }
    Ok(document)
}

pub async fn get(collection: &Collection<Document>, key: &str) -> Result<Option<Record>, StoreError> {
    collection.find_one(doc! { "_id": key }).await.map_err(failed)?.map(read).transpose()
}

/// Which unique field another record has a value of. Asked of the data: the texts of errors differ
/// between servers.
async fn taken(
    collection: &Collection<Document>,
    table: &Table,
    key: &str,
    values: &Values,
) -> Result<Option<&'static str>, StoreError> {
    for (field, value) in values.iter().filter(|(field, _)| table.unique.contains(field)) {
        let other = doc! { path(field): Bson::from(value), "_id": { "$ne": key } };
        if collection.find_one(other).await.map_err(failed)?.is_some() {
            return Ok(Some(field));
        }
    }
    Ok(None)
}

fn raced() -> StoreError {
    StoreError::Unavailable("a value was taken and given back again and again".into())
}

pub async fn insert(
    collection: &Collection<Document>,
    table: &Table,
    record: &Record,
    values: &Values,
) -> Result<Inserted, StoreError> {
    let document = write(record, 1)?;
    for _ in 0..RACES {
        match collection.insert_one(&document).await {
            Ok(_) => return Ok(Inserted::Stored),
            Err(e) if is_duplicate(&e) => {}
            Err(e) => return Err(failed(e)),
        }
        if get(collection, &record.key).await?.is_some() {
            return Ok(Inserted::Exists { index: Table::KEY });
        }
        if let Some(index) = taken(collection, table, &record.key, values).await? {
            return Ok(Inserted::Exists { index });
        }
    }
    Err(raced())
}

pub async fn replace(
    collection: &Collection<Document>,
    table: &Table,
    record: &Record,
    values: &Values,
) -> Result<Replaced, StoreError> {
    let revision = record.revision + 1;
    let document = write(record, revision)?;
    let current = doc! { "_id": &record.key, "revision": record.revision.cast_signed() };
    for _ in 0..RACES {
        match collection.replace_one(current.clone(), &document).await {
            Ok(done) if done.matched_count == 1 => return Ok(Replaced::Stored { revision }),
            Ok(_) => return Ok(Replaced::Stale),
            Err(e) if is_duplicate(&e) => {}
            Err(e) => return Err(failed(e)),
        }
        if let Some(index) = taken(collection, table, &record.key, values).await? {
            return Ok(Replaced::Exists { index });
        }
    }
    Err(raced())
}

pub async fn delete(
    collection: &Collection<Document>,
    key: &str,
    revision: Option<u64>,
) -> Result<bool, StoreError> {
    let mut which = doc! { "_id": key };
    if let Some(revision) = revision {
        which.insert("revision", revision.cast_signed());
    }
    Ok(collection.delete_one(which).await.map_err(failed)?.deleted_count == 1)
}

pub async fn find(collection: &Collection<Document>, table: &Table, find: &Find) -> Result<Page, StoreError> {
    let field = if find.index == Table::KEY { "_id".to_owned() } else { path(table.field(find.index)?) };
    let mut range = doc! { "$exists": true };
    if let Some(from) = &find.from {
        range.insert("$gte", Bson::from(from));
    }
    if let Some(to) = &find.to {
        range.insert("$lte", Bson::from(to));
    }
    let mut filter = doc! { &field: range };
    if let Some(after) = &find.after {
        let value = Bson::from(&after.value);
        filter.insert(
            "$or",
            vec![
                doc! { &field: { "$gt": value.clone() } },
                doc! { &field: value, "_id": { "$gt": &after.key } },
            ],
        );
    }
    let limit = find.limit_bounded();
    let mut order = doc! { &field: 1 };
    order.insert("_id", 1);
    let rows = collection.find(filter).sort(order).limit(limit as i64 + 1).await.map_err(failed)?;
    let rows: Vec<Document> = rows.try_collect().await.map_err(failed)?;
    let mut records = rows.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(&mut records, find.index, limit))
}

pub async fn sweep(
    collection: &Collection<Document>,
    now: UnixMillis,
    limit: usize,
) -> Result<u64, StoreError> {
    let expired = doc! { "expires": { "$lte": DateTime::from_millis(now.0) } };
    let found = collection.find(expired.clone()).projection(doc! { "_id": 1 }).limit(limit as i64);
    let found: Vec<Document> = found.await.map_err(failed)?.try_collect().await.map_err(failed)?;
    let keys: Vec<Bson> = found.into_iter().filter_map(|mut d| d.remove("_id")).collect();
    if keys.is_empty() {
        return Ok(0);
    }
    // still expired: it may have been renewed meanwhile
    let mut which = expired;
    which.insert("_id", doc! { "$in": keys });
    Ok(collection.delete_many(which).await.map_err(failed)?.deleted_count)
}
