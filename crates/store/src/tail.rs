//! Where readings lie: what came last in a short tail, all else by series.
//!
//! Every series has a page of its own that it grows into. Written once a second that would be a
//! page of 4 KiB to the log per reading; the tail holds the last readings of all series on a few
//! pages and goes over in one move. Both tables have the same keys, and no key is in both.

use crate::error::StoreError;
use crate::key::{reading_at, reading_key, unpack};
use hearthwatt_domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, params};

/// Readings in the tail before it goes over.
pub(crate) const TAIL_MAX: u64 = 1024;
/// Larger batches go past the tail.
pub(crate) const DIRECT: usize = 256;

/// Both tables as one, merged by key.
macro_rules! both {
    ($filter:literal, $rest:literal) => {
        concat!(
            "SELECT key, value FROM reading WHERE ",
            $filter,
            " UNION ALL SELECT key, value FROM tail WHERE ",
            $filter,
            " ORDER BY key ",
            $rest
        )
    };
}
pub(crate) const RANGE: &str = both!("key>=?1 AND key<?2", "");
pub(crate) const RANGE_LIMIT: &str = both!("key>=?1 AND key<?2", "LIMIT ?3");
pub(crate) const RANGE_BACK_LIMIT: &str = both!("key>=?1 AND key<?2", "DESC LIMIT ?3");
const ONE: &str = both!("key=?1", "");

/// Every key of a series lies in here.
pub(crate) fn bounds(series: i64) -> (i64, i64) {
    (reading_key(series, UnixMillis(0)), reading_key(series + 1, UnixMillis(0)))
}

pub(crate) fn rows(conn: &Connection) -> Result<u64, StoreError> {
    Ok(conn.query_row("SELECT count(*) FROM tail", [], |r| r.get::<_, i64>(0))? as u64)
}

/// Everything in the tail goes to its series.
pub(crate) fn seal(conn: &Connection) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT INTO reading SELECT key, value FROM tail ORDER BY key")?.execute([])?;
    conn.prepare_cached("DELETE FROM tail")?.execute([])?;
    Ok(())
}

/// `None`: there is none with this key. What can't be read counts as not a number.
pub(crate) fn value(conn: &Connection, key: i64) -> Result<Option<f64>, StoreError> {
    Ok(conn
        .prepare_cached(ONE)?
        .query_row([key], |r| Ok(r.get_ref(1).ok().and_then(unpack).unwrap_or(f64::NAN)))
        .optional()?)
}

pub(crate) fn set_value(conn: &Connection, key: i64, value: f64) -> Result<(), StoreError> {
    for sql in ["UPDATE tail SET value=?2 WHERE key=?1", "UPDATE reading SET value=?2 WHERE key=?1"] {
        if conn.prepare_cached(sql)?.execute(params![key, crate::key::pack(value)])? > 0 {
            break;
        }
    }
    Ok(())
}

/// The first or last reading of a series.
pub(crate) fn end(
    conn: &Connection,
    series: i64,
    last: bool,
) -> Result<Option<(UnixMillis, f64)>, StoreError> {
    let (from, to) = bounds(series);
    let row = conn
        .prepare_cached(if last { RANGE_BACK_LIMIT } else { RANGE_LIMIT })?
        .query_row(params![from, to, 1], |r| Ok((reading_at(r.get(0)?), r.get_ref(1).ok().and_then(unpack))))
        .optional()?;
    Ok(row.and_then(|(at, v)| v.map(|v| (at, v))))
}
