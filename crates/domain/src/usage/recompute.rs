//! Deriving rows again from stored readings, and picking up where the stored readings end.
//!
//! A reading that came late changes only its neighbourhood: for a register as far as the nearest
//! anchors (see [`is_anchor`](super::is_anchor)) on both sides, for power as long as it is held.
//! [`affected`] finds that span in the history that already holds the reading; [`recompute`] gives
//! all of its rows, equal to the last bit to those of one pass over everything in order.

use super::accumulator::{Accumulator, Pushed};
use super::register::{Mark, Register, rises_plausibly};
use super::sample::{Replacement, Sample, Stream, UsageConfig};
use super::{Delta, IntervalUsage};
use crate::time::{INTERVAL_MS, Span, UnixMillis};
use crate::units::Energy;
use std::collections::BTreeMap;
use std::convert::Infallible;

/// Readings asked for at once.
const PAGE: usize = 1024;

/// The stored readings of one meter: one value per stream and time.
pub trait History {
    type Error;
    /// The streams that have any reading.
    fn streams(&self) -> Result<Vec<Stream>, Self::Error>;
    /// Time of the first reading there ever was whose value passes [`Stream::check`], even if it
    /// is no longer kept.
    fn first(&self, stream: Stream) -> Result<Option<UnixMillis>, Self::Error>;
    /// The first `limit` readings at or after `from`, oldest first.
    fn forward(
        &self,
        stream: Stream,
        from: UnixMillis,
        limit: usize,
    ) -> Result<Vec<(UnixMillis, f64)>, Self::Error>;
    /// The last `limit` readings before `before`, newest first.
    fn backward(
        &self,
        stream: Stream,
        before: UnixMillis,
        limit: usize,
    ) -> Result<Vec<(UnixMillis, f64)>, Self::Error>;
}

/// What readings that came late may have changed: whole intervals, in order and apart. All of
/// `late` must be in the history, and all that came late since the rows were last derived must be
/// in `late`.
pub fn affected<H: History>(
    history: &H,
    config: &UsageConfig,
    replacements: &[Replacement],
    late: &[(Stream, UnixMillis)],
) -> Result<Vec<Span>, H::Error> {
    let d = Derivation::new(history, config, replacements)?;
    let mut late = late.to_vec();
    late.sort();
    late.dedup();
    let mut spans = Vec::with_capacity(late.len());
    for (stream, at) in &late {
        spans.push(d.affected_by(*stream, *at, &late)?);
    }
    spans.sort_by_key(|s| s.start);
    spans.dedup_by(|next, kept| {
        let joined = next.start <= kept.end;
        if joined {
            kept.end = kept.end.max(next.end);
        }
        joined
    });
    Ok(spans)
}

/// What adding or removing this replacement may change: whole intervals.
pub fn affected_by_replacement<H: History>(
    history: &H,
    config: &UsageConfig,
    replacements: &[Replacement],
    replacement: &Replacement,
) -> Result<Span, H::Error> {
    let d = Derivation::new(history, config, replacements)?;
    let (stream, at) = (replacement.stream, replacement.at);
    let start = d.settled_before(stream, at)?;
    let mut end = d.anchor_after(stream, at)?;
    let first_reading = d.usable_after(stream, UnixMillis(i64::MIN))?;
    if first_reading.is_none_or(|f| f > at) {
        end = None; // it decides since when the register is in force
    }
    let end = match end {
        Some(end) => end,
        None => d.last()?.unwrap_or(at).max(at),
    };
    Ok(whole(start, end))
}

fn whole(start: UnixMillis, end: UnixMillis) -> Span {
    // the end itself may lie in an interval that a piece of no length was counted in
    Span::new(start.interval_start(), end.interval_start().plus_ms(INTERVAL_MS))
}

/// All rows of `span` (cut to whole intervals), oldest first; an interval without a row has none.
pub fn recompute<H: History>(
    history: &H,
    config: &UsageConfig,
    replacements: &[Replacement],
    span: Span,
) -> Result<Vec<IntervalUsage>, H::Error> {
    let mut d = Derivation::new(history, config, replacements)?;
    let span = whole(span.start, span.end.plus_ms(-1));
    let mut rows = BTreeMap::new();
    d.run(span, &mut |delta: Delta| {
        if span.contains(delta.start) {
            rows.entry(delta.start).or_insert_with(|| IntervalUsage::empty(delta.start)).absorb(&delta);
        }
    })?;
    Ok(rows.into_values().collect())
}

/// The accumulator as if all readings of the history had been pushed into it in order.
pub fn resume<H: History>(
    history: &H,
    config: &UsageConfig,
    replacements: &[Replacement],
) -> Result<Accumulator, H::Error> {
    let mut d = Derivation::new(history, config, replacements)?;
    let last = d.last()?;
    if last.is_some() {
        let end = d.last_power()?.map_or(UnixMillis(i64::MAX), UnixMillis::interval_start);
        d.run(Span::new(end, UnixMillis(i64::MAX)), &mut |_| {})?;
    }
    d.acc.latest = last;
    Ok(d.acc)
}

/// Usage of one meter from all its readings, in whatever order and number of copies they come.
/// Of two values of one stream and time the larger counts.
pub fn intervals(
    samples: &[Sample],
    config: &UsageConfig,
    replacements: &[Replacement],
) -> Vec<IntervalUsage> {
    let mut history = MemoryHistory::default();
    for s in samples {
        history.insert(s, config);
    }
    let mut events: Vec<(UnixMillis, Option<usize>, Stream, f64)> = Vec::new();
    for (stream, readings) in &history.0 {
        events.extend(readings.iter().map(|(at, v)| (*at, None, *stream, *v)));
    }
    events.extend(replacements.iter().enumerate().map(|(i, r)| (r.at, Some(i), r.stream, 0.0)));
    events.sort_by_key(|(at, replacement, stream, _)| (*at, *replacement, *stream));
    let mut acc = Accumulator::new(config.clone());
    let mut rows = BTreeMap::new();
    let mut out = |d: Delta| {
        rows.entry(d.start).or_insert_with(|| IntervalUsage::empty(d.start)).absorb(&d);
    };
    for (at, replacement, stream, value) in events {
        match replacement.and_then(|i| replacements.get(i)) {
            Some(r) => acc.replace(r, &mut out),
            None => {
                acc.push_stream(stream, at, value, &mut out);
            }
        }
    }
    rows.into_values().collect()
}

struct Derivation<'a, H> {
    history: &'a H,
    acc: Accumulator,
    streams: Vec<(Stream, Option<UnixMillis>)>,
    /// Of registers, by time.
    replacements: Vec<Replacement>,
}

impl<'a, H: History> Derivation<'a, H> {
    fn new(history: &'a H, config: &UsageConfig, replacements: &[Replacement]) -> Result<Self, H::Error> {
        let mut replacements: Vec<_> =
            replacements.iter().filter(|r| r.stream.is_register()).copied().collect();
        replacements.sort_by_key(|r| r.at); // stable: those of one time stay in the order given
        let mut known = history.streams()?;
        known.extend(replacements.iter().map(|r| r.stream));
        known.sort();
        known.dedup();
        let mut acc = Accumulator::new(config.clone());
        let mut streams = Vec::with_capacity(known.len());
        for s in known {
            let replaced = replacements.iter().find(|r| r.stream == s).map(|r| r.at);
            let first = match (history.first(s)?, replaced) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            if let Some(first) = first {
                acc.hear(s, first);
            }
            streams.push((s, first));
        }
        Ok(Self { history, acc, streams, replacements })
    }

    fn config(&self) -> &UsageConfig {
        self.acc.config()
    }

    fn first(&self, stream: Stream) -> Option<UnixMillis> {
        self.streams.iter().find(|(s, _)| *s == stream).and_then(|(_, first)| *first)
    }

    fn affected_by(
        &self,
        stream: Stream,
        at: UnixMillis,
        late: &[(Stream, UnixMillis)],
    ) -> Result<Span, H::Error> {
        let start;
        let mut end = if stream.is_register() {
            start = self.settled_before(stream, at)?;
            self.anchor_after(stream, at)?
        } else {
            // Values of all power streams count up to the latest reading of any: this one may be it.
            start = self.power_before(at)?.unwrap_or(at);
            let held = at.plus_ms(self.config().max_gap_ms);
            Some(self.usable_after(stream, at)?.map_or(held, |n| n.min(held)))
        };
        if self.first(stream) == Some(at) {
            // the source comes into force earlier than by the first reading there was before
            let mut cursor = Cursor::new(stream, at);
            let mut known = None;
            while let Some((t, _)) = cursor.next(self)? {
                if late.binary_search(&(stream, t)).is_err() {
                    known = Some(t);
                    break;
                }
            }
            end = known.and_then(|n| end.map(|e| e.max(n)));
        }
        let end = match end {
            Some(end) => end,
            None => self.last()?.unwrap_or(at).max(at),
        };
        Ok(whole(start, end))
    }

    /// Calls `f` with usable readings before `before`, newest first, until it says stop (`false`).
    fn back(
        &self,
        stream: Stream,
        mut before: UnixMillis,
        mut f: impl FnMut(UnixMillis, f64) -> bool,
    ) -> Result<(), H::Error> {
        let mut limit = 8; // most often two readings are enough
        loop {
            let page = self.history.backward(stream, before, limit)?;
            for (at, value) in &page {
                before = *at;
                if stream.check(*value, self.config()).is_ok() && !f(*at, *value) {
                    return Ok(());
                }
            }
            if page.len() < limit {
                return Ok(());
            }
            limit = PAGE;
        }
    }

    fn usable_before(
        &self,
        stream: Stream,
        before: UnixMillis,
    ) -> Result<Option<(UnixMillis, f64)>, H::Error> {
        let mut found = None;
        self.back(stream, before, |at, v| {
            found = Some((at, v));
            false
        })?;
        Ok(found)
    }

    fn usable_after(&self, stream: Stream, after: UnixMillis) -> Result<Option<UnixMillis>, H::Error> {
        let mut cursor = Cursor::new(stream, after.plus_ms(1));
        Ok(cursor.next(self)?.map(|(at, _)| at))
    }

    fn last_power(&self) -> Result<Option<UnixMillis>, H::Error> {
        self.power_before(UnixMillis(i64::MAX))
    }

    fn power_before(&self, before: UnixMillis) -> Result<Option<UnixMillis>, H::Error> {
        let mut last = None;
        for (s, _) in self.streams.iter().filter(|(s, _)| !s.is_register()) {
            last = last.max(self.usable_before(*s, before)?.map(|(at, _)| at));
        }
        Ok(last)
    }

    fn last(&self) -> Result<Option<UnixMillis>, H::Error> {
        let mut last = self.replacements.last().map(|r| r.at);
        for (s, _) in &self.streams {
            last = last.max(self.usable_before(*s, UnixMillis(i64::MAX))?.map(|(at, _)| at));
        }
        Ok(last)
    }

    /// The latest state before `before` that does not depend on anything earlier.
    fn anchor_before(&self, stream: Stream, before: UnixMillis) -> Result<Option<Mark>, H::Error> {
        let replaced = self.replacements.iter().rfind(|r| r.stream == stream && r.at < before);
        let opening = replaced.map(|r| Mark { at: r.at, value: r.opening });
        let mut next: Option<Mark> = None;
        let mut found = None;
        self.back(stream, before, |at, wh| {
            if opening.is_some_and(|o| at <= o.at) {
                return false;
            }
            let prev = Mark { at, value: Energy::from_wh(wh) };
            found = next.filter(|n| rises_plausibly(prev, *n, self.config()));
            next = Some(prev);
            found.is_none()
        })?;
        Ok(found.or(opening))
    }

    /// Until when a change at `at` can't reach back: the anchor before it, or the stream's beginning.
    fn settled_before(&self, stream: Stream, at: UnixMillis) -> Result<UnixMillis, H::Error> {
        let anchor = self.anchor_before(stream, at)?.map(|m| m.at);
        Ok(anchor.or(self.first(stream)).map_or(at, |a| a.min(at)))
    }

    /// When everything in doubt at `after` is decided: the end of the first anchor that begins later.
    fn anchor_after(&self, stream: Stream, after: UnixMillis) -> Result<Option<UnixMillis>, H::Error> {
        let replaced = self.replacements.iter().find(|r| r.stream == stream && r.at > after).map(|r| r.at);
        let mut cursor = Cursor::new(stream, after.plus_ms(1));
        let mut prev: Option<Mark> = None;
        while let Some((at, wh)) = cursor.next(self)? {
            if replaced.is_some_and(|r| at > r) {
                break;
            }
            let next = Mark { at, value: Energy::from_wh(wh) };
            if prev.is_some_and(|p| rises_plausibly(p, next, self.config())) {
                return Ok(Some(at));
            }
            prev = Some(next);
        }
        Ok(replaced)
    }

    /// Feeds all that may touch `span`, and more; `out` must leave out what lies elsewhere.
    fn run(&mut self, span: Span, out: &mut impl FnMut(Delta)) -> Result<(), H::Error> {
        for (stream, _) in self.streams.clone() {
            if stream.is_register() {
                self.run_register(stream, span, out)?;
            }
        }
        self.run_power(span, out)
    }

    fn run_register(
        &mut self,
        stream: Stream,
        span: Span,
        out: &mut impl FnMut(Delta),
    ) -> Result<(), H::Error> {
        let anchor = self.anchor_before(stream, span.start.plus_ms(1))?;
        let from = anchor.map_or(UnixMillis(i64::MIN), |m| m.at.plus_ms(1));
        if let Some(mark) = anchor {
            self.acc.registers[stream.index()] = Register::at(mark);
        }
        let replaced: Vec<_> =
            self.replacements.iter().filter(|r| r.stream == stream && r.at >= from).copied().collect();
        let mut replaced = replaced.into_iter().peekable();
        let mut cursor = Cursor::new(stream, from);
        loop {
            if self.acc.registers[stream.index()].base_at().is_some_and(|b| b > span.end) {
                return Ok(());
            }
            let reading = cursor.next(self)?;
            while let Some(r) = replaced.next_if(|r| reading.is_none_or(|(at, _)| r.at < at)) {
                self.acc.replace(&r, out);
            }
            let Some((at, wh)) = reading else { return Ok(()) };
            self.acc.push_register(stream, Mark { at, value: Energy::from_wh(wh) }, out);
        }
    }

    fn run_power(&mut self, span: Span, out: &mut impl FnMut(Delta)) -> Result<(), H::Error> {
        let mut cursors = Vec::new();
        for (stream, _) in self.streams.clone().into_iter().filter(|(s, _)| !s.is_register()) {
            if let Some((at, value)) = self.usable_before(stream, span.start)? {
                self.acc.power.preset(stream, at, value);
            }
            let mut cursor = Cursor::new(stream, span.start);
            let head = cursor.next(self)?;
            cursors.push((cursor, head));
        }
        loop {
            if self.acc.power.horizon().is_some_and(|h| h >= span.end.0) {
                return Ok(());
            }
            let soonest =
                cursors.iter_mut().filter(|(_, head)| head.is_some()).min_by_key(|(_, head)| *head_at(head));
            let Some((cursor, head)) = soonest else { return Ok(()) };
            if let Some((at, value)) = head.take() {
                let pushed = self.acc.push_stream(cursor.stream, at, value, out);
                debug_assert!(!matches!(pushed, Pushed::Late), "cursors are merged by time");
            }
            *head = cursor.next(self)?;
        }
    }
}

fn head_at(head: &Option<(UnixMillis, f64)>) -> &UnixMillis {
    head.as_ref().map_or(&UnixMillis(i64::MAX), |(at, _)| at)
}

/// Usable readings of a stream, page by page.
struct Cursor {
    stream: Stream,
    from: UnixMillis,
    page: std::vec::IntoIter<(UnixMillis, f64)>,
    limit: usize,
    done: bool,
}

impl Cursor {
    fn new(stream: Stream, from: UnixMillis) -> Self {
        Self { stream, from, page: Vec::new().into_iter(), limit: 8, done: false }
    }

    fn next<H: History>(&mut self, d: &Derivation<'_, H>) -> Result<Option<(UnixMillis, f64)>, H::Error> {
        loop {
            for (at, value) in self.page.by_ref() {
                if self.stream.check(value, d.config()).is_ok() {
                    return Ok(Some((at, value)));
                }
            }
            if self.done {
                return Ok(None);
            }
            let page = d.history.forward(self.stream, self.from, self.limit)?;
            self.done = page.len() < self.limit;
            if let Some((at, _)) = page.last() {
                self.from = at.plus_ms(1);
            }
            self.limit = PAGE;
            self.page = page.into_iter();
        }
    }
}

/// A history in memory, for tests and imports.
#[derive(Debug, Clone, Default)]
pub struct MemoryHistory(BTreeMap<Stream, BTreeMap<UnixMillis, f64>>);

impl MemoryHistory {
    /// Keeps the reading if usage can be derived from it; of two at one time the larger.
    /// Gives its stream if anything changed.
    pub fn insert(&mut self, sample: &Sample, config: &UsageConfig) -> Option<Stream> {
        let stream = Stream::of(&sample.channel, sample.quantity)?;
        stream.check(sample.value, config).ok()?;
        let readings = self.0.entry(stream).or_default();
        let there = readings.get(&sample.at);
        if there.is_some_and(|v| *v >= sample.value) {
            return None;
        }
        readings.insert(sample.at, sample.value);
        Some(stream)
    }
}

impl History for MemoryHistory {
    type Error = Infallible;
    fn streams(&self) -> Result<Vec<Stream>, Infallible> {
        Ok(self.0.keys().copied().collect())
    }
    fn first(&self, stream: Stream) -> Result<Option<UnixMillis>, Infallible> {
        Ok(self.0.get(&stream).and_then(|r| r.keys().next().copied()))
    }
    fn forward(
        &self,
        stream: Stream,
        from: UnixMillis,
        limit: usize,
    ) -> Result<Vec<(UnixMillis, f64)>, Infallible> {
        let Some(readings) = self.0.get(&stream) else { return Ok(Vec::new()) };
        Ok(readings.range(from..).take(limit).map(|(at, v)| (*at, *v)).collect())
    }
    fn backward(
        &self,
        stream: Stream,
        before: UnixMillis,
        limit: usize,
    ) -> Result<Vec<(UnixMillis, f64)>, Infallible> {
        let Some(readings) = self.0.get(&stream) else { return Ok(Vec::new()) };
        Ok(readings.range(..before).rev().take(limit).map(|(at, v)| (*at, *v)).collect())
    }
}
