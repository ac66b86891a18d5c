//! The stored readings of one meter, as the derivation of usage asks for them.

use crate::error::StoreError;
use crate::key::{reading_at, reading_key, unpack};
use crate::minute::Minute;
use crate::tail::{RANGE_BACK_LIMIT, RANGE_LIMIT, bounds};
use hearthwatt_domain::reading::{Channel, Quantity};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::usage::{History, Stream};
use rusqlite::{Connection, params};

/// A series as the cache knows it.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub no: i64,
    pub channel: Channel,
    pub quantity: Quantity,
    /// Usage is derived from it.
    pub stream: Option<Stream>,
    pub first_at: Option<UnixMillis>,
    /// Time of the last stored reading, as the writer knows it.
    pub last_at: Option<UnixMillis>,
    /// The minute it is in; the same as in the database.
    pub minute: Option<Minute>,
}

pub(crate) struct MeterHistory<'a> {
    pub conn: &'a Connection,
    pub series: &'a [Series],
}

impl MeterHistory<'_> {
    fn find(&self, stream: Stream) -> Option<&Series> {
        self.series.iter().find(|s| s.stream == Some(stream))
    }

    fn page(
        &self,
        (from, to): (i64, i64),
        back: bool,
        limit: usize,
    ) -> Result<Vec<(UnixMillis, f64)>, StoreError> {
        let mut out = Vec::with_capacity(limit.min(1024));
        let mut stmt = self.conn.prepare_cached(if back { RANGE_BACK_LIMIT } else { RANGE_LIMIT })?;
        let mut rows = stmt.query(params![from, to, limit as i64])?;
        while let Some(row) = rows.next()? {
            if let Some(v) = unpack(row.get_ref(1)?) {
                out.push((reading_at(row.get(0)?), v));
            }
        }
        Ok(out)
    }
}

impl History for MeterHistory<'_> {
    type Error = StoreError;

    fn streams(&self) -> Result<Vec<Stream>, StoreError> {
        Ok(self.series.iter().filter_map(|s| s.stream).collect())
    }

    fn first(&self, stream: Stream) -> Result<Option<UnixMillis>, StoreError> {
        Ok(self.find(stream).and_then(|s| s.first_at))
    }

    fn forward(
        &self,
        stream: Stream,
        from: UnixMillis,
        limit: usize,
    ) -> Result<Vec<(UnixMillis, f64)>, StoreError> {
        let Some(s) = self.find(stream) else { return Ok(Vec::new()) };
        self.page((reading_key(s.no, from), bounds(s.no).1), false, limit)
    }

    fn backward(
        &self,
        stream: Stream,
        before: UnixMillis,
        limit: usize,
    ) -> Result<Vec<(UnixMillis, f64)>, StoreError> {
        let Some(s) = self.find(stream) else { return Ok(Vec::new()) };
        self.page((bounds(s.no).0, reading_key(s.no, before)), true, limit)
    }
}
