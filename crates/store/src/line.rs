//! A chart's line: values and minutes in order of time, poured into equal parts of a span.

use crate::key::MINUTE_MS;
use crate::minute::{HOLD_MS, Minute};
use crate::types::Bucket;
use hearthwatt_domain::time::Span;

/// A chart's line while values are poured into it in order of time.
pub(crate) struct Line {
    span: Span,
    step: f64,
    cells: Vec<Option<(Bucket, f64)>>,
    /// Where the line has got to, with the value that holds.
    last: Option<(i64, f64)>,
    /// Until when it holds.
    until: i64,
}

impl Line {
    pub fn new(span: Span, buckets: usize) -> Self {
        let step = span.ms() as f64 / buckets.max(1) as f64;
        Self { span, step, cells: vec![None; buckets], last: None, until: 0 }
    }

    /// The value that holds goes on to `to`, or as long as it may.
    pub fn fill(&mut self, to: i64) {
        if let Some((from, v)) = self.last {
            let end = to.min(self.until);
            if end > from {
                self.add(from, end, Bucket { min: v, max: v, avg: v }, 1.0);
                self.last = Some((end, v));
            }
        }
    }

    pub fn point(&mut self, at: i64, v: f64) {
        self.fill(at);
        self.add(at, at + 1, Bucket { min: v, max: v, avg: v }, 1.0);
        (self.last, self.until) = (Some((at + 1, v)), at + HOLD_MS);
    }

    /// A minute with readings; `open`: no later one has come.
    pub fn minute(&mut self, m: &Minute, open: bool) {
        self.fill(m.start);
        let end = if open { m.last_at.max(m.start + 1) } else { m.start + MINUTE_MS };
        // what the minute does not cover does not weigh
        let weight = m.covered.max(1) as f64 / (end - m.start) as f64;
        self.add(m.start, end, Bucket { min: m.low, max: m.high, avg: m.average() }, weight.min(1.0));
        (self.last, self.until) = (Some((end, m.last)), m.last_at + HOLD_MS);
    }

    fn add(&mut self, from: i64, to: i64, b: Bucket, weight: f64) {
        let (from, to) = (from.max(self.span.start.0), to.min(self.span.end.0));
        let mut now = from;
        while now < to {
            let at = (((now - self.span.start.0) as f64) / self.step) as usize;
            let end = self.span.start.0 + (((at + 1) as f64) * self.step).ceil() as i64;
            let end = end.min(to).max(now + 1);
            let Some(cell) = self.cells.get_mut(at) else { return };
            let ms = (end - now) as f64 * weight;
            let (sum, total) =
                cell.get_or_insert((Bucket { min: f64::INFINITY, max: f64::NEG_INFINITY, avg: 0.0 }, 0.0));
            sum.min = sum.min.min(b.min);
            sum.max = sum.max.max(b.max);
            sum.avg += b.avg * ms;
            *total += ms;
            now = end;
        }
    }

    pub fn finish(self) -> Vec<Option<Bucket>> {
        self.cells.into_iter().map(|c| c.map(|(b, w)| Bucket { avg: b.avg / w, ..b })).collect()
    }
}
