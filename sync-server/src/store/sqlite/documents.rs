//! Changes, snapshots, versions and blocks.

use super::{BlockEntry, Change, Hash, Listing, Snapshot, StoreError, Stored};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use uuid::Uuid;

impl ToSql for Hash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

impl FromSql for Hash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_blob()?.try_into().map(Self).map_err(|e| FromSqlError::Other(Box::new(e)))
    }
}

/// A UUID as 16 bytes.
struct Id(Uuid);

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let id = Uuid::from_slice(value.as_blob()?);
        id.map(Self).map_err(|e| FromSqlError::Other(Box::new(e)))
    }
}

pub fn append(c: &Connection, document: Uuid, changes: &[Change]) -> Result<u64, StoreError> {
    let mut insert =
        c.prepare_cached("INSERT OR IGNORE INTO change (document, hash, bytes) VALUES (?1, ?2, ?3)")?;
    for change in changes {
        insert.execute(params![Id(document), change.hash, change.bytes])?;
    }
    bump(c, document)
}

pub fn bump(c: &Connection, topic: Uuid) -> Result<u64, StoreError> {
    let mut bump = c.prepare_cached(
        "INSERT INTO version (topic, version) VALUES (?1, 1)
            ON CONFLICT (topic) DO UPDATE SET version = version + 1 RETURNING version",
    )?;
    Ok(bump.query_row([Id(topic)], |r| r.get::<_, i64>(0))?.cast_unsigned())
}

fn version(c: &Connection, topic: Uuid) -> Result<u64, StoreError> {
    let mut version = c.prepare_cached("SELECT version FROM version WHERE topic = ?1")?;
    let version = version.query_row([Id(topic)], |r| r.get::<_, i64>(0)).optional()?;
    Ok(version.unwrap_or(0).cast_unsigned())
}

pub fn versions(c: &Connection, topics: &[Uuid]) -> Result<Vec<(Uuid, u64)>, StoreError> {
    let found = topics.iter().map(|t| Ok((*t, version(c, *t)?)));
    found.filter(|r: &Result<_, StoreError>| !matches!(r, Ok((_, 0)))).collect()
}

fn all<T>(
    c: &Connection,
    sql: &str,
    document: Uuid,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = c.prepare_cached(sql)?;
    let rows = statement.query_map([Id(document)], |r| read(r))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn change(row: &Row<'_>) -> rusqlite::Result<Change> {
    Ok(Change { hash: row.get(0)?, bytes: row.get(1)? })
}

fn snapshot(row: &Row<'_>) -> rusqlite::Result<Snapshot> {
    Ok(Snapshot { id: row.get(0)?, bytes: row.get(1)? })
}

pub fn load(c: &Connection, document: Uuid) -> Result<Stored, StoreError> {
    // one view of all three: a compaction in between would hide what it has moved
    let view = c.unchecked_transaction()?;
    let stored = Stored {
        version: version(&view, document)?,
        snapshots: all(&view, "SELECT id, bytes FROM snapshot WHERE document = ?1", document, snapshot)?,
        changes: all(
            &view,
            "SELECT hash, bytes FROM change WHERE document = ?1 ORDER BY rowid",
            document,
            change,
        )?,
    };
    Ok(stored)
}

pub fn list(c: &Connection, document: Uuid) -> Result<Listing, StoreError> {
    let view = c.unchecked_transaction()?;
    let listing = Listing {
        version: version(&view, document)?,
        snapshots: all(&view, "SELECT id FROM snapshot WHERE document = ?1", document, |r| r.get(0))?,
        changes: all(&view, "SELECT hash FROM change WHERE document = ?1", document, |r| r.get(0))?,
    };
    Ok(listing)
}

pub fn changes(c: &Connection, document: Uuid, hashes: &[Hash]) -> Result<Vec<Change>, StoreError> {
    let mut statement =
        c.prepare_cached("SELECT hash, bytes FROM change WHERE document = ?1 AND hash = ?2")?;
    let mut found = Vec::with_capacity(hashes.len());
    for hash in hashes {
        found.extend(statement.query_row(params![Id(document), hash], change).optional()?);
    }
    Ok(found)
}

pub fn snapshots(c: &Connection, document: Uuid, ids: &[Hash]) -> Result<Vec<Snapshot>, StoreError> {
    let mut statement = c.prepare_cached("SELECT id, bytes FROM snapshot WHERE document = ?1 AND id = ?2")?;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(statement.query_row(params![Id(document), id], snapshot).optional()?);
    }
    Ok(found)
}

pub fn put_snapshot(c: &Connection, document: Uuid, snapshot: &Snapshot) -> Result<(), StoreError> {
    let mut insert =
        c.prepare_cached("INSERT OR IGNORE INTO snapshot (document, id, bytes) VALUES (?1, ?2, ?3)")?;
    insert.execute(params![Id(document), snapshot.id, snapshot.bytes])?;
    Ok(())
}

pub fn delete_chunks(
    c: &Connection,
    document: Uuid,
    snapshots: &[Hash],
    changes: &[Hash],
) -> Result<(), StoreError> {
    let mut snapshot = c.prepare_cached("DELETE FROM snapshot WHERE document = ?1 AND id = ?2")?;
    for id in snapshots {
        snapshot.execute(params![Id(document), id])?;
    }
    let mut change = c.prepare_cached("DELETE FROM change WHERE document = ?1 AND hash = ?2")?;
    for hash in changes {
        change.execute(params![Id(document), hash])?;
    }
    Ok(())
}

pub fn delete(c: &Connection, document: Uuid) -> Result<u64, StoreError> {
    c.execute("DELETE FROM change WHERE document = ?1", [Id(document)])?;
    c.execute("DELETE FROM snapshot WHERE document = ?1", [Id(document)])?;
    bump(c, document)
}

pub fn put_block(c: &Connection, home: Uuid, entry: &BlockEntry, bytes: &[u8]) -> Result<u64, StoreError> {
    let known = c
        .prepare_cached("SELECT seq FROM block WHERE home = ?1 AND hash = ?2")?
        .query_row(params![Id(home), entry.hash], |r| r.get::<_, i64>(0))
        .optional()?;
    if let Some(seq) = known {
        return Ok(seq.cast_unsigned());
    }
    // there is one writer at a time: this place stays free, and all before it are taken
    let seq: i64 = c
        .prepare_cached("SELECT coalesce(max(seq), 0) + 1 FROM block WHERE home = ?1")?
        .query_row([Id(home)], |r| r.get(0))?;
    let revision = entry.revision.cast_signed();
    c.prepare_cached(
        "INSERT INTO block (home, seq, hash, recorder, meter, day, revision, bytes)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        Id(home),
        seq,
        entry.hash,
        Id(entry.recorder),
        Id(entry.meter),
        entry.day,
        revision,
        bytes
    ])?;
    c.prepare_cached(
        "DELETE FROM block WHERE home = ?1 AND recorder = ?2 AND meter = ?3 AND day = ?4
            AND revision < ?5 AND seq < ?6",
    )?
    .execute(params![Id(home), Id(entry.recorder), Id(entry.meter), entry.day, revision, seq])?;
    Ok(seq.cast_unsigned())
}

pub fn blocks_after(
    c: &Connection,
    home: Uuid,
    seq: u64,
    limit: usize,
) -> Result<Vec<BlockEntry>, StoreError> {
    let mut statement = c.prepare_cached(
        "SELECT seq, hash, recorder, meter, day, revision, length(bytes) FROM block
            WHERE home = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
    )?;
    let after = i64::try_from(seq).unwrap_or(i64::MAX);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![Id(home), after, limit], |r| {
        Ok(BlockEntry {
            seq: r.get::<_, i64>(0)?.cast_unsigned(),
            hash: r.get(1)?,
            recorder: r.get::<_, Id>(2)?.0,
            meter: r.get::<_, Id>(3)?.0,
            day: r.get(4)?,
            revision: r.get::<_, i64>(5)?.cast_unsigned(),
            size: r.get::<_, i64>(6)?.cast_unsigned(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn block(c: &Connection, home: Uuid, hash: Hash) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = c.prepare_cached("SELECT bytes FROM block WHERE home = ?1 AND hash = ?2")?;
    Ok(statement.query_row(params![Id(home), hash], |r| r.get(0)).optional()?)
}

pub fn blocks_size(c: &Connection, home: Uuid) -> Result<(u64, u64), StoreError> {
    let sql = "SELECT coalesce(sum(length(bytes)), 0), count(*) FROM block WHERE home = ?1";
    let sums = c.query_row(sql, [Id(home)], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?)))?;
    Ok((sums.0.cast_unsigned(), sums.1.cast_unsigned()))
}

pub fn delete_blocks(c: &Connection, home: Uuid) -> Result<(), StoreError> {
    c.execute("DELETE FROM block WHERE home = ?1", [Id(home)])?;
    Ok(())
}
