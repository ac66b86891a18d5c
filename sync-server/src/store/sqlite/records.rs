//! Records: a table each, bodies as JSON text, indexes over expressions on them. Names of tables and
//! fields come from [`Table`]s, which are constants of the program, never from a request.

use super::{Find, Inserted, Page, Record, Replaced, StoreError, Table};
use crate::store::Scalar;
use hearthwatt_domain::time::UnixMillis;
use rusqlite::types::ToSqlOutput;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

impl ToSql for Scalar {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Number(n) => n.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}

/// Letters and `_` only: these names become part of statements.
fn checked(name: &'static str) -> Result<&'static str, StoreError> {
    let fine = !name.is_empty() && name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
    if fine { Ok(name) } else { Err(StoreError::Misuse(format!("{name:?} is no name"))) }
}

fn value_of(field: &str) -> String {
    format!("json_extract(body, '$.{field}')")
}

pub fn prepare(c: &Connection, table: &Table) -> Result<(), StoreError> {
    let name = checked(table.name)?;
    c.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS r_{name} (
            key TEXT PRIMARY KEY, revision INTEGER NOT NULL, expires INTEGER, body TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS r_{name}__expires ON r_{name} (expires) WHERE expires IS NOT NULL;"
    ))?;
    for field in table.fields() {
        let unique = if table.unique.contains(&field) { "UNIQUE" } else { "" };
        let value = value_of(checked(field)?);
        c.execute_batch(&format!(
            "CREATE {unique} INDEX IF NOT EXISTS r_{name}_{field} ON r_{name} ({value})"
        ))?;
    }
    Ok(())
}

fn record(row: &Row<'_>) -> Result<Record, StoreError> {
    let body: String = row.get(3)?;
    let key: String = row.get(0)?;
    let body = serde_json::from_str(&body).map_err(|e| StoreError::Damaged(format!("record {key}: {e}")))?;
    let revision = row.get::<_, i64>(1)?.cast_unsigned();
    Ok(Record { key, revision, body, expires: row.get::<_, Option<i64>>(2)?.map(UnixMillis) })
}

pub fn get(c: &Connection, table: &Table, key: &str) -> Result<Option<Record>, StoreError> {
    let sql = format!("SELECT key, revision, expires, body FROM r_{} WHERE key = ?1", table.name);
    let mut statement = c.prepare_cached(&sql)?;
    let mut rows = statement.query([key])?;
    rows.next()?.map(record).transpose()
}

/// The unique field whose value another record has.
fn taken(
    c: &Connection,
    table: &Table,
    key: &str,
    values: &[(&'static str, Scalar)],
) -> Result<Option<&'static str>, StoreError> {
    for (field, value) in values.iter().filter(|(field, _)| table.unique.contains(field)) {
        let sql = format!("SELECT 1 FROM r_{} WHERE {} = ?1 AND key <> ?2", table.name, value_of(field));
        if c.prepare_cached(&sql)?.exists(params![value, key])? {
            return Ok(Some(field));
        }
    }
    Ok(None)
}

fn text(record: &Record) -> Result<String, StoreError> {
    serde_json::to_string(&record.body).map_err(|e| StoreError::Misuse(e.to_string()))
}

pub fn insert(
    c: &Connection,
    table: &Table,
    record: &Record,
    values: &[(&'static str, Scalar)],
) -> Result<Inserted, StoreError> {
    // there is one writer at a time, so what is asked here still holds below
    if get(c, table, &record.key)?.is_some() {
        return Ok(Inserted::Exists { index: Table::KEY });
    }
    if let Some(index) = taken(c, table, &record.key, values)? {
        return Ok(Inserted::Exists { index });
    }
    let sql = format!("INSERT INTO r_{} (key, revision, expires, body) VALUES (?1, 1, ?2, ?3)", table.name);
    c.prepare_cached(&sql)?.execute(params![record.key, record.expires.map(|e| e.0), text(record)?])?;
    Ok(Inserted::Stored)
}

pub fn replace(
    c: &Connection,
    table: &Table,
    record: &Record,
    values: &[(&'static str, Scalar)],
) -> Result<Replaced, StoreError> {
    let revision = c
        .prepare_cached(&format!("SELECT revision FROM r_{} WHERE key = ?1", table.name))?
        .query_row([&record.key], |r| r.get::<_, i64>(0))
        .optional()?;
    if revision.map(i64::cast_unsigned) != Some(record.revision) {
        return Ok(Replaced::Stale);
    }
    if let Some(index) = taken(c, table, &record.key, values)? {
        return Ok(Replaced::Exists { index });
    }
    let sql = format!(
        "UPDATE r_{} SET revision = revision + 1, expires = ?2, body = ?3 WHERE key = ?1",
        table.name
    );
    c.prepare_cached(&sql)?.execute(params![record.key, record.expires.map(|e| e.0), text(record)?])?;
    Ok(Replaced::Stored { revision: record.revision + 1 })
}

pub fn delete(c: &Connection, table: &Table, key: &str, revision: Option<u64>) -> Result<bool, StoreError> {
    let sql = format!("DELETE FROM r_{} WHERE key = ?1 AND (?2 IS NULL OR revision = ?2)", table.name);
    let deleted = c.prepare_cached(&sql)?.execute(params![key, revision.map(u64::cast_signed)])?;
    Ok(deleted == 1)
}

pub fn find(c: &Connection, table: &Table, find: &Find) -> Result<Page, StoreError> {
    let value = if find.index == Table::KEY { "key".to_owned() } else { value_of(table.field(find.index)?) };
    let mut sql =
        format!("SELECT key, revision, expires, body FROM r_{} WHERE {value} IS NOT NULL", table.name);
    let mut arguments: Vec<&dyn ToSql> = Vec::new();
    for (bound, operator) in [(&find.from, ">="), (&find.to, "<=")] {
        if let Some(bound) = bound {
            arguments.push(bound);
            sql += &format!(" AND {value} {operator} ?{}", arguments.len());
        }
    }
    if let Some(after) = &find.after {
        arguments.push(&after.value);
        arguments.push(&after.key);
        let n = arguments.len();
        // the first half lets the index find the place, the second goes on within one value
        sql += &format!(" AND {value} >= ?{} AND ({value} > ?{} OR key > ?{n})", n - 1, n - 1);
    }
    let limit = find.limit_bounded();
    sql += &format!(" ORDER BY {value}, key LIMIT {}", limit + 1);
    let mut statement = c.prepare_cached(&sql)?;
    let mut rows = statement.query(arguments.as_slice())?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record(row)?);
    }
    Ok(Page::cut(&mut records, find.index, limit))
}

pub fn sweep(c: &Connection, table: &Table, now: UnixMillis, limit: usize) -> Result<u64, StoreError> {
    let name = table.name;
    let sql = format!(
        "DELETE FROM r_{name} WHERE key IN
            (SELECT key FROM r_{name} WHERE expires IS NOT NULL AND expires <= ?1 LIMIT ?2)"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(c.prepare_cached(&sql)?.execute(params![now.0, limit])? as u64)
}
