//! The stored readings of one meter, as the derivation of usage asks for them.

use crate::error::StoreError;
use crate::key::{reading_at, reading_key, unpack};
use crate::minute::Minute;
use crate::tail::{RANGE_BACK_LIMIT, RANGE_LIMIT, bounds};
use crate::types::{Correction, CorrectionAction};
use hearthwatt_domain::reading::{Channel, Quantity};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::usage::{History, Replacement, Stream};
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
    pub corrections: &'a [Correction],
}

/// Whether a correction says that this reading does not count.
pub(crate) fn is_ignored(corrections: &[Correction], s: &Series, at: UnixMillis) -> bool {
    corrections.iter().any(|c| match &c.action {
        CorrectionAction::Ignore { span, channel, quantity } => {
            span.contains(at)
                && channel.as_ref().is_none_or(|c| *c == s.channel)
                && quantity.is_none_or(|q| q == s.quantity)
        }
        _ => false,
    })
}

pub(crate) fn replacements(corrections: &[Correction]) -> Vec<Replacement> {
    let mut all: Vec<_> = corrections
        .iter()
        .filter_map(|c| match c.action {
            CorrectionAction::Replaced { replacement } => Some((replacement.at, c.id, replacement)),
            _ => None,
        })
        .collect();
    all.sort_by_key(|(at, id, _)| (*at, *id));
    all.into_iter().map(|(_, _, r)| r).collect()
}

impl MeterHistory<'_> {
    fn find(&self, stream: Stream) -> Option<&Series> {
        self.series.iter().find(|s| s.stream == Some(stream))
    }

    fn page(
        &self,
        s: &Series,
        (mut from, mut to): (i64, i64),
        back: bool,
        limit: usize,
    ) -> Result<Vec<(UnixMillis, f64)>, StoreError> {
        let mut out = Vec::with_capacity(limit.min(1024));
        let mut stmt = self.conn.prepare_cached(if back { RANGE_BACK_LIMIT } else { RANGE_LIMIT })?;
        // again while corrections took readings out of the page: a short page means the end
        loop {
            let want = limit - out.len();
            let mut rows = stmt.query(params![from, to, want as i64])?;
            let mut seen = 0;
            while let Some(row) = rows.next()? {
                let key: i64 = row.get(0)?;
                seen += 1;
                if back {
                    to = key
                } else {
                    from = key + 1
                }
                let at = reading_at(key);
                if let Some(v) = unpack(row.get_ref(1)?)
                    && !is_ignored(self.corrections, s, at)
                {
                    out.push((at, v));
                }
            }
            if seen < want || out.len() >= limit {
                return Ok(out);
            }
        }
    }
}

impl History for MeterHistory<'_> {
    type Error = StoreError;

    fn streams(&self) -> Result<Vec<Stream>, StoreError> {
        Ok(self.series.iter().filter_map(|s| s.stream).collect())
    }

    fn first(&self, stream: Stream) -> Result<Option<UnixMillis>, StoreError> {
        let Some(s) = self.find(stream) else { return Ok(None) };
        match s.first_at {
            Some(at) if is_ignored(self.corrections, s, at) => {
                Ok(self.forward(stream, at, 1)?.first().map(|(at, _)| *at))
            }
            first => Ok(first),
        }
    }

    fn forward(
        &self,
        stream: Stream,
        from: UnixMillis,
        limit: usize,
    ) -> Result<Vec<(UnixMillis, f64)>, StoreError> {
        let Some(s) = self.find(stream) else { return Ok(Vec::new()) };
        self.page(s, (reading_key(s.no, from), bounds(s.no).1), false, limit)
    }

    fn backward(
        &self,
        stream: Stream,
        before: UnixMillis,
        limit: usize,
    ) -> Result<Vec<(UnixMillis, f64)>, StoreError> {
        let Some(s) = self.find(stream) else { return Ok(Vec::new()) };
        self.page(s, (bounds(s.no).0, reading_key(s.no, before)), true, limit)
    }
}
