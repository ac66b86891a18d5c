//! What the writer keeps in memory of a meter, and how it is derived from what is stored.

use crate::error::StoreError;
use crate::history::{MeterHistory, Series};
use crate::key::{METERS_MAX, SERIES_MAX, reading_at, unpack};
use crate::minute::{Minute, has_minutes};
use crate::rollup;
use crate::running::Running;
use crate::tail;
use hearthwatt_domain::correction::{self, Correction};
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::reading::{Channel, Quantity, Reading};
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::usage::{Accumulator, Replacement, Stream, UsageConfig, recompute, resume};
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, params};

#[derive(Debug)]
pub(crate) struct MeterState {
    id: MeterId,
    pub no: i64,
    pub series: Vec<Series>,
    pub corrections: Vec<Correction>,
    pub config: UsageConfig,
    pub acc: Accumulator,
    /// The same as in the database.
    pub running: Option<Running>,
}

impl MeterState {
    pub fn load(conn: &Connection, zone: &TimeZone, id: MeterId) -> Result<Self, StoreError> {
        let known = conn
            .prepare_cached("SELECT no FROM meter WHERE id=?1")?
            .query_row([id.0.as_bytes()], |r| r.get(0))
            .optional()?;
        let no = match known {
            Some(no) => no,
            None => {
                conn.execute("INSERT INTO meter(id) VALUES(?1)", [id.0.as_bytes()])?;
                conn.last_insert_rowid()
            }
        };
        if no >= METERS_MAX {
            return Err(StoreError::invalid("There are too many meters in this home."));
        }
        let config = load_config(conn, no)?.unwrap_or_default();
        let mut state = Self {
            id,
            no,
            series: load_series(conn, no)?,
            corrections: load_corrections(conn, Some(no))?,
            acc: Accumulator::new(config.clone()),
            config,
            running: Running::load(conn, zone, no)?,
        };
        for s in &mut state.series {
            s.last_at = tail::end(conn, s.no, true)?.map(|(at, _)| at);
            if has_minutes(s.quantity) {
                s.minute = Minute::load_running(conn, s.no)?;
            }
        }
        state.resume(conn)?;
        Ok(state)
    }

    pub fn history<'a>(&'a self, conn: &'a Connection) -> MeterHistory<'a> {
        MeterHistory { conn, series: &self.series }
    }

    /// Exchanges of the meter, by time.
    pub fn replacements(&self) -> Vec<Replacement> {
        let mut all = correction::replacements(self.id, &self.corrections);
        all.sort_by_key(|r| r.at);
        all
    }

    pub fn resume(&mut self, conn: &Connection) -> Result<(), StoreError> {
        let reps = self.replacements();
        self.acc = resume(&self.history(conn), &self.config, &reps)?;
        Ok(())
    }

    pub fn series_index(&mut self, conn: &Connection, r: &Reading) -> Result<usize, StoreError> {
        if let Some(i) = self.series.iter().position(|s| s.quantity == r.quantity && s.channel == r.channel) {
            return Ok(i);
        }
        conn.execute(
            "INSERT INTO series(meter, channel, quantity) VALUES(?1,?2,?3)",
            params![self.no, r.channel.as_str(), r.quantity.code()],
        )?;
        let no = conn.last_insert_rowid();
        if no >= SERIES_MAX {
            return Err(StoreError::invalid("There are too many series in this home."));
        }
        let stream = self.stream_of(&r.channel, r.quantity);
        let (channel, quantity) = (r.channel.clone(), r.quantity);
        self.series.push(Series {
            no,
            channel,
            quantity,
            stream,
            first_at: None,
            last_at: None,
            minute: None,
        });
        Ok(self.series.len() - 1)
    }

    /// The first reading that usage can be derived from: of those that are kept, or the one known
    /// from before if retention has taken it.
    pub fn first_usable(&self, conn: &Connection, s: &Series) -> Result<Option<UnixMillis>, StoreError> {
        let Some(stream) = s.stream else { return Ok(s.first_at) };
        let kept = tail::end(conn, s.no, false)?.map(|(at, _)| at);
        if s.first_at.is_some() && s.first_at < kept {
            return Ok(s.first_at);
        }
        let (from, to) = tail::bounds(s.no);
        let mut stmt = conn.prepare_cached(tail::RANGE)?;
        let mut rows = stmt.query([from, to])?;
        while let Some(row) = rows.next()? {
            let usable = unpack(row.get_ref(1)?).is_some_and(|v| stream.check(v, &self.config).is_ok());
            if usable {
                return Ok(Some(reading_at(row.get(0)?)));
            }
        }
        Ok(None)
    }

    /// Two channels with one role would be counted twice: the first one stands for it.
    fn stream_of(&self, channel: &Channel, quantity: Quantity) -> Option<Stream> {
        Stream::of(channel, quantity).filter(|s| self.series.iter().all(|o| o.stream != Some(*s)))
    }

    /// Derives the rows of `span` again and puts them in place.
    pub fn rederive(
        &mut self,
        conn: &Connection,
        zone: &TimeZone,
        span: Span,
        raw_since: UnixMillis,
    ) -> Result<(), StoreError> {
        let span = Span::new(span.start.max(raw_since), span.end);
        if span.end <= span.start {
            return Ok(());
        }
        if let Some(running) = self.running.take() {
            running.close(conn, self.no)?;
        }
        let reps = self.replacements();
        let mut rows = recompute(&self.history(conn), &self.config, &reps, span)?;
        rows = correction::apply(self.id, &rows, &self.corrections, span);
        rollup::replace(conn, zone, self.no, span, &rows)
    }
}

pub(crate) fn load_series(conn: &Connection, meter: i64) -> Result<Vec<Series>, StoreError> {
    let mut stmt =
        conn.prepare_cached("SELECT no, channel, quantity, first_at FROM series WHERE meter=?1 ORDER BY no")?;
    let mut rows = stmt.query([meter])?;
    let mut all: Vec<Series> = Vec::new();
    while let Some(row) = rows.next()? {
        let channel = Channel::new(row.get_ref(1)?.as_str().unwrap_or_default());
        let Some(quantity) = Quantity::from_code(row.get(2)?) else { continue };
        // two channels with one role would be counted twice: the first one stands for it
        let stream = Stream::of(&channel, quantity).filter(|s| all.iter().all(|o| o.stream != Some(*s)));
        let first_at = row.get::<_, Option<i64>>(3)?.map(UnixMillis);
        let no = row.get(0)?;
        all.push(Series { no, channel, quantity, stream, first_at, last_at: None, minute: None });
    }
    Ok(all)
}

pub(crate) fn load_corrections(conn: &Connection, meter: Option<i64>) -> Result<Vec<Correction>, StoreError> {
    let mut stmt =
        conn.prepare_cached("SELECT json FROM correction WHERE ?1 IS NULL OR meter=?1 ORDER BY id")?;
    let mut rows = stmt.query([meter])?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let json: String = row.get(0)?;
        all.push(serde_json::from_str(&json).map_err(|error| {
            StoreError::from(crate::error::Cause::Document { id: "correction".into(), error })
        })?);
    }
    Ok(all)
}

/// How usage of this meter is derived, where it was set.
pub(crate) fn load_config(conn: &Connection, meter: i64) -> Result<Option<UsageConfig>, StoreError> {
    let json: Option<String> = conn
        .prepare_cached("SELECT config FROM meter WHERE no=?1")?
        .query_row([meter], |r| r.get(0))
        .optional()?
        .flatten();
    let config = json.map(|j| serde_json::from_str(&j)).transpose();
    config.map_err(|error| crate::error::Cause::Document { id: "usage".into(), error }.into())
}
