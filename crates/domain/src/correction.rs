//! What the household puts right: kept beside the readings, applied on reading, and undone by
//! leaving it out.

use crate::ids::{CorrectionId, MeterId};
use crate::invalid::Invalid;
use crate::time::{INTERVAL_MS, Span, UnixMillis};
use crate::units::Energy;
use crate::usage::{IntervalUsage, Quality, Replacement};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    pub id: CorrectionId,
    pub meter: MeterId,
    pub change: Change,
    /// When it was made: of two that touch the same interval, the later one holds.
    pub created: UnixMillis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Change {
    /// This is what was used in the span, evenly over its time.
    Set { span: Span, import: Energy, export: Energy },
    /// What was measured in the span is not usage.
    Exclude { span: Span },
    /// The meter was exchanged. Goes into the derivation from readings, not over its rows.
    Replacement(Replacement),
}

/// Longest span of one correction: two years.
const MAX_SPAN_MS: i64 = 2 * 366 * 86_400_000;

impl Correction {
    /// Whether it can be used; the error is for the person who made it.
    pub fn validate(&self) -> Result<(), Invalid> {
        let (span, import, export) = match self.change {
            Change::Set { span, import, export } => (span, import, export),
            Change::Exclude { span } => (span, Energy::ZERO, Energy::ZERO),
            Change::Replacement(r) => {
                if !r.stream.is_register() {
                    return Err(Invalid::new("stream", "Only an energy register can be replaced."));
                }
                if r.removal.0 < 0 || r.opening.0 < 0 {
                    return Err(Invalid::new("removal", "A register does not show less than zero."));
                }
                return Ok(());
            }
        };
        if span.start.0 % INTERVAL_MS != 0 || span.end.0 % INTERVAL_MS != 0 {
            return Err(Invalid::new("span", "A correction starts and ends at a quarter of an hour."));
        }
        if span.ms() <= 0 || span.ms() > MAX_SPAN_MS {
            return Err(Invalid::new(
                "span",
                "A correction is for at least a quarter of an hour and at most two years.",
            ));
        }
        if import.0 < 0 || export.0 < 0 {
            return Err(Invalid::new("import", "Usage can't be less than zero."));
        }
        Ok(())
    }

    const fn span(&self) -> Option<Span> {
        match self.change {
            Change::Set { span, .. } | Change::Exclude { span } => Some(span),
            Change::Replacement(_) => None,
        }
    }
}

/// The replacements among the corrections of a meter, for the derivation from readings.
pub fn replacements(meter: MeterId, corrections: &[Correction]) -> Vec<Replacement> {
    let mut mine: Vec<_> = corrections.iter().filter(|c| c.meter == meter).collect();
    mine.sort_by_key(|c| (c.created, c.id));
    mine.into_iter()
        .filter_map(|c| match c.change {
            Change::Replacement(r) => Some(r),
            _ => None,
        })
        .collect()
}

/// Rows of a meter in `within`, in order of time, with its corrections laid over them. A corrected
/// interval has its row even where nothing was measured. Invalid corrections change nothing.
pub fn apply(
    meter: MeterId,
    rows: &[IntervalUsage],
    corrections: &[Correction],
    within: Span,
) -> Vec<IntervalUsage> {
    let mut mine: Vec<_> = corrections.iter().filter(|c| c.meter == meter && c.validate().is_ok()).collect();
    mine.sort_by_key(|c| (c.created, c.id));
    if mine.iter().all(|c| c.span().is_none()) {
        return rows.iter().filter(|r| within.contains(r.start)).copied().collect();
    }
    let mut out: BTreeMap<UnixMillis, IntervalUsage> =
        rows.iter().filter(|r| within.contains(r.start)).map(|r| (r.start, *r)).collect();
    for c in mine {
        let (span, import, export) = match c.change {
            Change::Set { span, import, export } => (span, import, export),
            Change::Exclude { span } => (span, Energy::ZERO, Energy::ZERO),
            Change::Replacement(_) => continue,
        };
        let mut start = span.start.max(within.start.interval_start());
        while start < span.end.min(within.end) {
            if within.contains(start) {
                let row = out.entry(start).or_insert_with(|| IntervalUsage::empty(start));
                row.import = share(import, span, start);
                row.export = share(export, span, start);
                row.quality = Quality::Corrected;
                row.covered_ms = INTERVAL_MS as u32;
            }
            start = start.plus_ms(INTERVAL_MS);
        }
    }
    out.into_values().collect()
}

/// Rounded down at each bound, so that the shares add up to the whole.
fn share(whole: Energy, span: Span, start: UnixMillis) -> Energy {
    let by = |t: UnixMillis| i128::from(whole.0) * i128::from(t.since(span.start)) / i128::from(span.ms());
    Energy((by(start.plus_ms(INTERVAL_MS)) - by(start)) as i64)
}
