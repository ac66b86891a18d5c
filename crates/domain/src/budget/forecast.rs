//! What a period will end at, from past days of the same kind.
//!
//! A coming day is expected to be like the median of the last eight weeks' days of its kind
//! (workday, Saturday, Sunday). How far that may be off is measured, not assumed: the same rule is
//! applied to past stretches of the same length, and the errors it made there (as a share of what
//! it expected) give the range that holds four in five of them. With too little past for that, the
//! range comes from the spread of single days, widened because neighbouring days are alike.

use super::{Amount, Assess, Forecast};
use crate::calendar::Dates;
use crate::normal::{DayKind, quantile};
use crate::time::{Span, UnixMillis};
use crate::units::{Energy, Money};
use jiff::civil::Date;

/// Usage of a whole past day of a budget's scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastDay {
    pub date: Date,
    pub import: Energy,
    /// With standing charge and less export pay, as the budget counts it; `None` without a tariff.
    pub cost: Option<Money>,
    /// Readings speak for most of the day; others are not learnt from.
    pub complete: bool,
}

/// Days that a median is taken over.
const RECENT_DAYS: i32 = 56;
/// Fewest past days that allow a forecast at all.
const MIN_DAYS: usize = 7;
/// Fewest past stretches that allow measuring the error.
const MIN_TRIALS: usize = 10;
/// Most past stretches that are tried.
const MAX_TRIALS: usize = 60;
/// How alike two neighbouring days' errors are: observed in homes with electric heating.
const CORRELATION: f64 = 0.5;

type Day = (Date, i64);

pub(super) fn forecast(a: &Assess, period: Dates, spent: i64) -> Option<Forecast> {
    let calendar = a.tariffs.calendar();
    let today = calendar.date_of(a.now);
    let past: Vec<Day> = a
        .history
        .iter()
        .filter(|d| d.complete && d.date < today)
        .filter_map(|d| {
            Some((
                d.date,
                match a.budget.limit {
                    Amount::Energy(_) => d.import.0,
                    Amount::Money(_) => d.cost?.0,
                },
            ))
        })
        .collect();
    if past.len() < MIN_DAYS || !past.is_sorted_by(|a, b| a.0 < b.0) {
        return None;
    }
    let typical = Typical::of(&past, today)?;
    let left_today = remaining_share(a, today);
    let rest = Dates { from: today.tomorrow().ok()?, to: period.to };
    let expected_today = typical.of_day(today) as f64 * left_today;
    let coming: Vec<i64> = rest.days().map(|d| typical.of_day(d)).collect();
    let expected = expected_today + coming.iter().map(|d| *d as f64).sum::<f64>();

    let days_left = left_today + coming.len() as f64;
    let (low, high) = errors(&past, &typical, days_left);
    let scale = typical.scale() * days_left;
    let at =
        |error: f64| a.budget.limit.with_raw(spent.saturating_add((expected + error * scale).round() as i64));
    // energy can't be given back
    let floor = |x: Amount| match x {
        Amount::Energy(e) => Amount::Energy(Energy(e.0.max(spent))),
        money => money,
    };
    let likely = floor(at(0.0));
    let mut breaks_at = None;
    let limit = a.budget.limit.raw();
    if spent < limit {
        breaks_at = when(a, spent, limit, today, expected_today, left_today, rest, &typical);
    }
    Some(Forecast { low: floor(at(low.min(0.0))), likely, high: floor(at(high.max(0.0))), breaks_at })
}

/// Medians by kind of day.
struct Typical {
    workday: i64,
    saturday: i64,
    sunday: i64,
    /// Typical size of a day whatever its sign, at least 1.
    size: f64,
}

impl Typical {
    /// From the recent days before `before`; a kind that was not seen is like any day.
    fn of(past: &[Day], before: Date) -> Option<Self> {
        let end = past.partition_point(|d| d.0 < before);
        let recent = past.get(end.saturating_sub(RECENT_DAYS as usize)..end)?;
        let median = |kind: Option<DayKind>| {
            let mut list: Vec<i64> = recent
                .iter()
                .filter(|d| kind.is_none_or(|k| DayKind::of(d.0.weekday()) == k))
                .map(|d| d.1)
                .collect();
            list.sort_unstable();
            quantile(&list, 0.5)
        };
        let any = median(None)?;
        let of = |kind| median(Some(kind)).unwrap_or(any);
        let mut sizes: Vec<i64> = recent.iter().map(|d| d.1.saturating_abs()).collect();
        sizes.sort_unstable();
        let size = (quantile(&sizes, 0.5)? as f64).max(1.0);
        Some(Self {
            workday: of(DayKind::Workday),
            saturday: of(DayKind::Saturday),
            sunday: of(DayKind::Sunday),
            size,
        })
    }

    fn of_day(&self, day: Date) -> i64 {
        match DayKind::of(day.weekday()) {
            DayKind::Workday => self.workday,
            DayKind::Saturday => self.saturday,
            DayKind::Sunday => self.sunday,
        }
    }

    const fn scale(&self) -> f64 {
        self.size
    }
}

/// The tenth and ninetieth percentile of the error of a forecast over so many days, as a share of
/// typical days.
fn errors(past: &[Day], typical: &Typical, days_left: f64) -> (f64, f64) {
    let n = (days_left.round() as usize).max(1);
    let mut trials: Vec<i64> = Vec::new();
    let starts = (MIN_DAYS * 2)..(past.len() + 1).saturating_sub(n);
    let step = starts.len().div_ceil(MAX_TRIALS).max(1);
    for start in starts.rev().step_by(step) {
        let (Some(stretch), Some(first)) = (past.get(start..start + n), past.get(start)) else { continue };
        let Some(then) = Typical::of(past, first.0) else { continue };
        let expected: i64 = stretch.iter().map(|d| then.of_day(d.0)).sum();
        let actual: i64 = stretch.iter().map(|d| d.1).sum();
        // in millionths, so that order statistics are of integers
        trials.push(((actual - expected) as f64 / (then.scale() * n as f64) * 1e6).clamp(-1e12, 1e12) as i64);
    }
    // stretches overlap: count those that do not
    if trials.len() >= MIN_TRIALS && past.len() >= MIN_DAYS * 2 + 3 * n {
        trials.sort_unstable();
        let share = |q| quantile(&trials, q).unwrap_or(0) as f64 / 1e6;
        // less than a whole day left varies more than its share
        let fewer = (n as f64 / days_left.max(0.05)).sqrt().max(1.0);
        return (share(0.1) * fewer, share(0.9) * fewer);
    }
    let mut single: Vec<i64> =
        past.iter().map(|d| ((d.1 - typical.of_day(d.0)) as f64 / typical.scale() * 1e6) as i64).collect();
    single.sort_unstable();
    let share = |q| quantile(&single, q).unwrap_or(0) as f64 / 1e6;
    // of a mean of n equally correlated days; and few days underestimate their own spread
    let days = days_left.max(0.05);
    let shrink = ((1.0 + (days - 1.0).max(0.0) * CORRELATION) / days).sqrt();
    let unsure = 1.0 + 2.0 / past.len() as f64;
    (share(0.1) * shrink * unsure, share(0.9) * shrink * unsure)
}

/// Share of today's usage that usually falls after now, 0..=1.
fn remaining_share(a: &Assess, today: Date) -> f64 {
    share_after(a, today, a.now)
}

fn share_after(a: &Assess, date: Date, at: UnixMillis) -> f64 {
    let day = a.tariffs.calendar().day(date);
    if day.ms() <= 0 {
        return 0.0;
    }
    let even = (day.end.since(at) as f64 / day.ms() as f64).clamp(0.0, 1.0);
    let Some(shape) = a.normal.and_then(|n| n.day(DayKind::of(date.weekday()))) else { return even };
    // what is wall-clock time is shape; a day of 23 hours is a day of 24 that was cut short
    let weight = |w: &crate::units::Power| w.0.max(0) as f64;
    let total: f64 = shape.iter().map(weight).sum();
    if total <= 0.0 {
        return even;
    }
    let position = (1.0 - even) * shape.len() as f64;
    let whole = (position.floor() as usize).min(shape.len());
    let passed: f64 = shape.iter().take(whole).map(weight).sum::<f64>()
        + shape.get(whole).map_or(0.0, weight) * position.fract();
    (1.0 - passed / total).clamp(0.0, 1.0)
}

/// When spending as expected passes the limit.
#[allow(clippy::too_many_arguments, reason = "the parts of one forecast, used here only")]
fn when(
    a: &Assess,
    spent: i64,
    limit: i64,
    today: Date,
    expected_today: f64,
    left_today: f64,
    rest: Dates,
    typical: &Typical,
) -> Option<UnixMillis> {
    let calendar = a.tariffs.calendar();
    let missing = (limit - spent) as f64;
    if expected_today >= missing && left_today > 0.0 {
        let day = calendar.day(today);
        let share = left_today * (1.0 - missing / expected_today);
        return Some(moment(a, today, Span::new(a.now, day.end), share));
    }
    let mut sum = expected_today;
    for date in rest.days() {
        let expected = typical.of_day(date) as f64;
        if sum + expected >= missing {
            let share = 1.0 - (missing - sum) / expected;
            return Some(moment(a, date, calendar.day(date), share));
        }
        sum += expected;
    }
    None
}

/// The first quarter of an hour's end in `span` after which no more than `share` of the day is left.
fn moment(a: &Assess, date: Date, span: Span, share: f64) -> UnixMillis {
    let mut at = span.start.interval_start();
    while at < span.end {
        at = at.plus_ms(crate::time::INTERVAL_MS).min(span.end);
        if share_after(a, date, at) <= share + 1e-9 {
            break;
        }
    }
    at
}
