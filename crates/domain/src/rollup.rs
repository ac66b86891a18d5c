//! Intervals summed into spans.

use crate::time::{INTERVAL_MS, Span};
use crate::units::Energy;
use crate::usage::{IntervalUsage, Quality};
use serde::{Deserialize, Serialize};

/// What a span of time adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Total {
    pub import: Energy,
    pub export: Energy,
    /// The worst inside; *measured* where there is nothing.
    pub quality: Quality,
    /// Import and export of intervals that are not plainly measured.
    pub not_measured: Energy,
    /// Milliseconds that readings speak for.
    pub covered_ms: i64,
}

impl Total {
    pub fn add(&mut self, row: &IntervalUsage) {
        self.import += row.import;
        self.export += row.export;
        self.quality = self.quality.max(row.quality);
        if row.quality != Quality::Measured {
            self.not_measured += row.import + row.export;
        }
        self.covered_ms += i64::from(row.covered_ms);
    }

    /// Share of the span that readings speak for, 0..=1.
    pub fn covered(&self, span: Span) -> f64 {
        if span.ms() <= 0 { 0.0 } else { (self.covered_ms as f64 / span.ms() as f64).clamp(0.0, 1.0) }
    }

    /// Of two totals of different times.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        Self {
            import: self.import + other.import,
            export: self.export + other.export,
            quality: self.quality.max(other.quality),
            not_measured: self.not_measured + other.not_measured,
            covered_ms: self.covered_ms + other.covered_ms,
        }
    }
}

/// All rows that start inside `span`.
pub fn sum(rows: &[IntervalUsage], span: Span) -> Total {
    let mut total = Total::default();
    rows.iter().filter(|r| span.contains(r.start)).for_each(|r| total.add(r));
    total
}

/// One total per span, in one pass. Both must be in order of time; spans must not overlap.
pub fn sum_spans(rows: &[IntervalUsage], spans: &[Span]) -> Vec<Total> {
    let mut out = vec![Total::default(); spans.len()];
    let mut i = 0;
    for row in rows {
        while spans.get(i).is_some_and(|s| s.end <= row.start) {
            i += 1;
        }
        if let (Some(span), Some(total)) = (spans.get(i), out.get_mut(i))
            && span.contains(row.start)
        {
            total.add(row);
        }
    }
    out
}

/// The sum of several meters, interval by interval, oldest first. Each list in order of time.
/// Only for meters that do not contain one another. Covered time is that of the worst covered;
/// extremes of power do not add up and are left out.
pub fn add_meters(meters: &[&[IntervalUsage]]) -> Vec<IntervalUsage> {
    let mut rows = std::collections::BTreeMap::new();
    for row in meters.iter().flat_map(|m| m.iter()) {
        let (sum, heard) = rows.entry(row.start).or_insert_with(|| {
            (IntervalUsage { covered_ms: INTERVAL_MS as u32, ..IntervalUsage::empty(row.start) }, 0)
        });
        sum.import += row.import;
        sum.export += row.export;
        sum.quality = sum.quality.max(row.quality);
        sum.covered_ms = sum.covered_ms.min(row.covered_ms);
        *heard += 1;
    }
    let complete = |(mut row, heard): (IntervalUsage, usize)| {
        if heard < meters.len() {
            row.covered_ms = 0;
        }
        row
    };
    rows.into_values().map(complete).collect()
}
