//! History: bars of a period, of the home or one meter, beside those of another period.

use super::period::{Days, compared, period};
use super::rows::{Raw, Row, Wiring, grid_interval, of_meter};
use crate::core::Core;
use crate::days;
use crate::price::TariffBook;
use crate::words::not_found;
use hearthwatt_api::{ApiError, Bar, Comparison, GetHistory, History, HistoryPeriod};
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::meter::{Meter, Role};
use hearthwatt_domain::time::{Span, UnixMillis};
use hearthwatt_domain::units::Money;
use hearthwatt_store::{Reader, StoreError};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::sync::Arc;

/// All that is needed to compute rows on a blocking thread.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) scope: Scope,
    pub(crate) zone: TimeZone,
    pub(crate) book: Arc<TariffBook>,
    pub(crate) changes: Arc<crate::changes::Changes>,
}

#[derive(Clone)]
pub(crate) enum Scope {
    Home(Wiring),
    Meter(Box<Meter>),
}

impl Source {
    pub(crate) fn id(&self) -> Option<MeterId> {
        match &self.scope {
            Scope::Home(_) => None,
            Scope::Meter(m) => Some(m.id),
        }
    }

    fn rows(
        &self,
        mut read: impl FnMut(&Meter) -> Result<Vec<Raw>, StoreError>,
    ) -> Result<Vec<Row>, StoreError> {
        match &self.scope {
            Scope::Home(wiring) => wiring.rows(read),
            Scope::Meter(m) => Ok(read(m)?.into_iter().map(|raw| of_meter(m, raw)).collect()),
        }
    }

    pub(crate) fn intervals(&self, reader: &Reader, span: Span) -> Result<Vec<Row>, StoreError> {
        self.rows(|m| Ok(reader.usage(m.id, span)?.iter().map(Raw::from).collect()))
    }

    /// The intervals of what is priced and budgeted alone: for the home its connection to the grid.
    pub(crate) fn priced_intervals(&self, reader: &Reader, span: Span) -> Result<Vec<Row>, StoreError> {
        let Scope::Home(wiring) = &self.scope else { return self.intervals(reader, span) };
        let leading = if wiring.grid.is_empty() {
            Wiring { loads: wiring.loads.clone(), ..Wiring::default() }
        } else {
            Wiring { grid: wiring.grid.clone(), ..Wiring::default() }
        };
        leading.rows(|m| Ok(reader.usage(m.id, span)?.iter().map(Raw::from).collect()))
    }

    /// What `span` cost, given its intervals. `None` where nothing is priced.
    fn cost(&self, intervals: &[Row], span: Span) -> Option<Money> {
        let usage: Vec<_> = intervals.iter().map(grid_interval).collect();
        match &self.scope {
            Scope::Home(_) => crate::price::of_home(&self.book, &usage, span),
            Scope::Meter(m) if m.role == Role::Grid => crate::price::of_home(&self.book, &usage, span),
            Scope::Meter(m) if m.role == Role::Load => crate::price::of_load(&self.book, &usage, span),
            Scope::Meter(_) => None,
        }
    }

    /// The hours of a day, one row each.
    pub(crate) fn hours(&self, reader: &Reader, day: Date) -> Result<Vec<Row>, StoreError> {
        let intervals = self.intervals(reader, days::day_span(day, &self.zone))?;
        Ok(days::hours(day, &self.zone).into_iter().map(|span| self.sum(&intervals, span)).collect())
    }

    /// One row over `span` of the intervals in it, with its cost.
    fn sum(&self, intervals: &[Row], span: Span) -> Row {
        let from = intervals.partition_point(|r| r.span.start < span.start);
        let to = intervals.partition_point(|r| r.span.start < span.end);
        let inside = &intervals[from..to];
        let mut row = Row::over(span, inside);
        row.totals.cost = self.cost(inside, span);
        row
    }

    /// A part of a day or more, to the interval.
    pub(crate) fn part(&self, reader: &Reader, span: Span) -> Result<Row, StoreError> {
        let intervals = self.intervals(reader, span)?;
        Ok(self.sum(&intervals, span))
    }

    /// The days `[from, to)`, one row each, computed once.
    pub(crate) fn days(&self, reader: &Reader, from: Date, to: Date) -> Result<Vec<Row>, StoreError> {
        let cache = &self.changes.cache;
        let (id, zone) = (self.id(), &self.zone);
        let all: Vec<(Date, Span)> = days::days(from, to).map(|d| (d, days::day_span(d, zone))).collect();
        let mut rows: Vec<Option<Row>> = all.iter().map(|(_, span)| cache.get(id, *span)).collect();
        let mut i = 0;
        while i < rows.len() {
            if rows[i].is_some() {
                i += 1;
                continue;
            }
            let end = (i..rows.len()).find(|j| rows[*j].is_some()).unwrap_or(rows.len());
            let since = cache.epoch();
            let computed = self.compute(reader, &all[i..end])?;
            cache.put(id, since, &computed);
            for (slot, row) in rows[i..end].iter_mut().zip(computed) {
                *slot = Some(row);
            }
            i = end;
        }
        Ok(rows.into_iter().flatten().collect())
    }

    fn compute(&self, reader: &Reader, days: &[(Date, Span)]) -> Result<Vec<Row>, StoreError> {
        let (Some(first), Some(last)) = (days.first(), days.last()) else { return Ok(Vec::new()) };
        let stored =
            self.rows(|m| Ok(reader.usage_days(m.id, first.0, last.0)?.iter().map(Raw::from).collect()))?;
        // prices change within a day: the cost needs the intervals, of what is priced alone
        let whole = Span::new(first.1.start, last.1.end);
        let priced = if self.book.is_empty() { Vec::new() } else { self.priced_intervals(reader, whole)? };
        let mut rows = Vec::with_capacity(days.len());
        for (_, span) in days {
            let found = stored.binary_search_by_key(&span.start, |r| r.span.start).ok().map(|i| stored[i]);
            let mut row = found.unwrap_or_else(|| Row::empty(*span));
            row.span = *span;
            let from = priced.partition_point(|r| r.span.start < span.start);
            let to = priced.partition_point(|r| r.span.start < span.end);
            row.totals.cost = self.cost(&priced[from..to], *span);
            rows.push(row);
        }
        Ok(rows)
    }
}

fn bars(
    source: &Source,
    reader: &Reader,
    resolution: HistoryPeriod,
    (from, to): Days,
    spoken: Span,
) -> Result<Vec<Row>, StoreError> {
    let months_per_bar = match resolution {
        HistoryPeriod::Day => return source.hours(reader, from),
        HistoryPeriod::Week | HistoryPeriod::Month => return source.days(reader, from, to),
        HistoryPeriod::Year => 1,
        HistoryPeriod::All => 12,
    };
    let rows = source.days(reader, from, to)?;
    let mut bars = Vec::new();
    let mut first = from;
    while first < to {
        let next = days::add_months(first, months_per_bar);
        let span = days::dates_span(first, next, &source.zone);
        let inside = rows.iter().filter(|r| span.contains(r.span.start) && spoken.contains(r.span.start));
        bars.push(Row::over(span, inside));
        first = next;
    }
    Ok(bars)
}

fn bar(row: &Row, spoken: Span) -> Bar {
    let mut totals = row.totals;
    // a standing charge alone is no cost of this home yet, or not any more
    if row.span.end <= spoken.start || row.span.start >= spoken.end {
        totals.cost = None;
    }
    let now = spoken.end;
    let passed = row.span.end.min(now).since(row.span.start);
    let covered = if passed > 0 { (row.covered_ms as f64 / passed as f64).clamp(0.0, 1.0) } else { 0.0 };
    Bar { span: row.span, totals, covered, quality: row.quality, not_measured_energy: row.not_measured }
}

/// The total of the bars that something can be said about: days before the first reading and days
/// to come have a standing charge, but no cost.
fn total(rows: &[Row], span: Span, spoken: Span) -> Row {
    Row::over(span, rows.iter().filter(|r| r.span.end > spoken.start && r.span.start < spoken.end))
}

/// What the total is taken of: a day costs its whole standing charge from its first hour on, on
/// every screen, though hours to come have no bar yet.
fn summed(
    source: &Source,
    reader: &Reader,
    resolution: HistoryPeriod,
    days: Days,
    bars: &[Row],
) -> Result<Vec<Row>, StoreError> {
    match resolution {
        HistoryPeriod::Day => source.days(reader, days.0, days.1),
        _ => Ok(bars.to_vec()),
    }
}

fn comparison(
    source: &Source,
    reader: &Reader,
    resolution: HistoryPeriod,
    days: Days,
    passed_ms: i64,
    spoken: Span,
) -> Result<Comparison, StoreError> {
    let span = days::dates_span(days.0, days.1, &source.zone);
    let rows = bars(source, reader, resolution, days, spoken)?;
    let until = span.start.plus_ms(passed_ms).min(span.end);
    let cut = days::date_of(until, &source.zone).min(days.1);
    let mut so_far = source.days(reader, days.0, cut)?;
    let rest = Span::new(days::start_of(cut, &source.zone), until);
    if rest.ms() > 0 {
        so_far.push(source.part(reader, rest)?);
    }
    Ok(Comparison {
        from: days.0,
        to: days.1,
        total: total(&summed(source, reader, resolution, days, &rows)?, span, spoken).totals,
        bars: rows.iter().map(|r| bar(r, spoken)).collect(),
        total_so_far: total(&so_far, Span::new(span.start, until), spoken).totals,
    })
}

impl Core {
    pub(crate) fn source(&self, meter: Option<MeterId>) -> Result<Source, ApiError> {
        let state = self.state();
        let scope = match meter {
            None => Scope::Home(Wiring::new(state.meters.adopted().map(|k| &k.meter))),
            Some(id) => {
                let known = state.meters.known.get(&id).ok_or_else(|| not_found("meter"))?;
                Scope::Meter(Box::new(known.meter.clone()))
            }
        };
        Ok(Source {
            scope,
            zone: state.zone.clone(),
            book: state.book.clone(),
            changes: self.changes.clone(),
        })
    }

    pub(crate) async fn history(&self, call: GetHistory) -> Result<History, ApiError> {
        if call.anchor.year() < 1971 || call.anchor.year() > 2200 {
            return Err(crate::words::invalid("Day: between 1971 and 2200."));
        }
        let source = self.source(call.meter)?;
        let now = self.now();
        self.readers.run(move |reader| build(&source, reader, &call, now)).await
    }
}

fn build(
    source: &Source,
    reader: &Reader,
    call: &GetHistory,
    now: UnixMillis,
) -> Result<History, StoreError> {
    let zone = &source.zone;
    let known = known_days(source, reader)?;
    let days = period(call.resolution, call.anchor, known);
    let span = days::dates_span(days.0, days.1, zone);
    // from the first day with readings until now
    let first = known.map_or(now, |(first, _)| days::start_of(first, zone));
    let spoken = Span::new(first.min(now), now);
    let rows = bars(source, reader, call.resolution, days, spoken)?;
    let passed_ms = now.since(span.start).clamp(0, span.ms());
    // a period that is over is compared whole, whatever the lengths
    let passed_ms = if now >= span.end { i64::MAX / 4 } else { passed_ms };
    let compare = match compared(call.resolution, days, call.compare) {
        Some(other) => Some(comparison(source, reader, call.resolution, other, passed_ms, spoken)?),
        None => None,
    };
    Ok(History {
        span,
        from: days.0,
        to: days.1,
        time_zone: zone.iana_name().unwrap_or("UTC").to_owned(),
        total: total(&summed(source, reader, call.resolution, days, &rows)?, span, spoken).totals,
        bars: rows.iter().map(|r| bar(r, spoken)).collect(),
        compare,
        first_day: known.map(|d| d.0),
        last_day: known.map(|d| d.1),
    })
}

/// First and last day with data.
fn known_days(source: &Source, reader: &Reader) -> Result<Option<Days>, StoreError> {
    let mut ends: Option<(UnixMillis, UnixMillis)> = None;
    let meters: Vec<MeterId> = match &source.scope {
        Scope::Home(wiring) => wiring.summed().map(|m| m.id).collect(),
        Scope::Meter(m) => vec![m.id],
    };
    for id in meters {
        if let Some((first, last)) = reader.usage_ends(id)? {
            ends = Some(ends.map_or((first, last), |(f, l)| (f.min(first), l.max(last))));
        }
    }
    Ok(ends.map(|(f, l)| (days::date_of(f, &source.zone), days::date_of(l, &source.zone))))
}
