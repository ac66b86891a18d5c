//! Budgets: how much, of what, in which period, and how it stands.
//!
//! A period's usage crosses a threshold at the end of the interval that carries it over. The
//! standing charge of a money budget accrues by time; where export pays, spending can fall again,
//! but what was crossed once stays crossed for the period.

mod forecast;

pub use forecast::PastDay;

use crate::calendar::Unit;
use crate::ids::{BudgetId, MeterId};
use crate::invalid::Invalid;
use crate::normal::Normal;
use crate::tariff::{Cost, TariffBook};
use crate::time::{Span, UnixMillis};
use crate::units::{Energy, Money};
use crate::usage::IntervalUsage;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    pub id: BudgetId,
    pub name: String,
    pub scope: Scope,
    pub limit: Amount,
    pub period: Period,
    /// Percent of the limit at which an alert is raised, ascending, e.g. 50, 80, 100.
    pub thresholds: Vec<u16>,
    /// Also warn as soon as the forecast says it will break.
    #[serde(default)]
    pub warn_on_forecast: bool,
    pub created: UnixMillis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "meter")]
pub enum Scope {
    /// What the home took from the grid (for money: less what export paid).
    Home,
    Meter(MeterId),
}

/// Energy or money; the two never mix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum Amount {
    Energy(Energy),
    Money(Money),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Period {
    Day,
    /// Monday to Sunday.
    Week,
    Month,
    /// From `start_day` (1..=31; the last day in shorter months) to the day before the next one.
    BillMonth {
        start_day: u8,
    },
}

/// Where a budget stands at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BudgetStatus {
    pub budget: Budget,
    pub period: Span,
    /// 0..=1.
    pub elapsed: f64,
    pub spent: Amount,
    /// Spent over limit; above 1 it is broken.
    pub fraction: f64,
    /// `None` while there is too little to say.
    pub forecast: Option<Forecast>,
    /// Thresholds crossed so far in this period, percent.
    pub crossed: Vec<u16>,
}

/// A status with the times that alerts need.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    pub status: BudgetStatus,
    /// Thresholds crossed so far in this period, the lowest first.
    pub crossings: Vec<Crossing>,
}

/// A threshold and the end of the interval in which it was crossed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossing {
    pub percent: u16,
    pub at: UnixMillis,
}

/// What the period will end at: four in five past periods would have ended inside the range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    pub low: Amount,
    pub likely: Amount,
    pub high: Amount,
    /// When the limit is likely to be passed, if within the period and not passed already.
    pub breaks_at: Option<UnixMillis>,
}

impl Amount {
    /// Micro-watt-hours or millionths of the currency.
    pub const fn raw(self) -> i64 {
        match self {
            Self::Energy(e) => e.0,
            Self::Money(m) => m.0,
        }
    }
    /// An amount of the same kind.
    #[must_use]
    pub const fn with_raw(self, raw: i64) -> Self {
        match self {
            Self::Energy(_) => Self::Energy(Energy(raw)),
            Self::Money(_) => Self::Money(Money(raw)),
        }
    }
}

impl Budget {
    pub const MAX_THRESHOLDS: usize = 20;

    /// Whether it can be used; the error is for the person who typed it in.
    pub fn validate(&self) -> Result<(), Invalid> {
        if self.name.trim().is_empty() {
            return Err(Invalid::new("name", "Give the budget a name."));
        }
        if self.name.len() > 200 {
            return Err(Invalid::new("name", "The name is too long."));
        }
        if self.limit.raw() <= 0 {
            return Err(Invalid::new("limit", "The limit must be more than zero."));
        }
        if let Period::BillMonth { start_day } = self.period
            && !(1..=31).contains(&start_day)
        {
            return Err(Invalid::new("period", "The bill starts on a day from 1 to 31."));
        }
        if self.thresholds.len() > Self::MAX_THRESHOLDS {
            return Err(Invalid::new("thresholds", "A budget can have at most 20 thresholds."));
        }
        if self.thresholds.iter().any(|t| !(1..=1000).contains(t)) {
            return Err(Invalid::new("thresholds", "A threshold is a percentage from 1 to 1000."));
        }
        if self.thresholds.windows(2).any(|w| matches!(w, [a, b] if a >= b)) {
            return Err(Invalid::new("thresholds", "List each threshold once, the smallest first."));
        }
        if self.thresholds.is_empty() && !self.warn_on_forecast {
            return Err(Invalid::new(
                "thresholds",
                "Without a threshold or a forecast this budget would never warn.",
            ));
        }
        Ok(())
    }
}

/// All that a judgement of a budget rests on.
#[derive(Debug, Clone, Copy)]
pub struct Assess<'a> {
    pub budget: &'a Budget,
    pub now: UnixMillis,
    /// Prices, and the calendar of the home.
    pub tariffs: &'a TariffBook,
    /// Of the budget's scope (home: the sum of its grid meters), in order of time; only those that
    /// start in the current period up to `now` are looked at.
    pub rows: &'a [IntervalUsage],
    /// Whole days before today, oldest first, for the forecast; a year of them is plenty.
    pub history: &'a [PastDay],
    /// Gives the forecast the shape of a day; without it, a day is even.
    pub normal: Option<&'a Normal>,
}

/// Where the budget stands now, what it crossed when, and what the period will likely end at.
pub fn assess(a: &Assess) -> Assessment {
    let calendar = a.tariffs.calendar();
    let (dates, period) = calendar.around(Unit::from(a.budget.period), a.now);
    let money = matches!(a.budget.limit, Amount::Money(_));
    let limit = i128::from(a.budget.limit.raw());

    let mut spent = 0i64;
    let mut crossings: Vec<Crossing> = Vec::new();
    let mut note = |spent: i64, at: UnixMillis| {
        for percent in &a.budget.thresholds {
            let crossed = limit > 0 && i128::from(spent) * 100 >= limit * i128::from(*percent);
            if crossed && !crossings.iter().any(|c| c.percent == *percent) {
                crossings.push(Crossing { percent: *percent, at });
            }
        }
    };
    if money {
        let mut pricer = a.tariffs.pricer();
        let mut cost = Cost::default();
        let charges = a.budget.scope == Scope::Home;
        let mut meter = Standing::new(a.tariffs, period.start);
        for row in rows_of(a, period) {
            pricer.add(row, &mut cost);
            let end = row.span().end.min(a.now).min(period.end);
            let standing = if charges { meter.until(end) } else { Money::ZERO };
            note((cost.import - cost.export_pay + standing).0, end);
        }
        let standing = if charges { meter.until(a.now.min(period.end)) } else { Money::ZERO };
        spent = (cost.import - cost.export_pay + standing).0;
        note(spent, a.now.min(period.end));
    } else {
        for row in rows_of(a, period) {
            spent = spent.saturating_add(row.import.0);
            note(spent, row.span().end.min(period.end));
        }
    }
    crossings.sort_by_key(|c| c.percent);

    let elapsed = if period.ms() > 0 {
        (a.now.since(period.start) as f64 / period.ms() as f64).clamp(0.0, 1.0)
    } else {
        1.0
    };
    let fraction = if limit > 0 { spent as f64 / limit as f64 } else { 0.0 };
    let status = BudgetStatus {
        budget: a.budget.clone(),
        period,
        elapsed,
        spent: a.budget.limit.with_raw(spent),
        fraction,
        forecast: forecast::forecast(a, dates, spent),
        crossed: crossings.iter().map(|c| c.percent).collect(),
    };
    Assessment { status, crossings }
}

fn rows_of<'a>(a: &'a Assess, period: Span) -> impl Iterator<Item = &'a IntervalUsage> {
    let from = a.rows.partition_point(|r| r.start < period.start);
    let end = period.end.min(a.now.plus_ms(1));
    a.rows.iter().skip(from).take_while(move |r| r.start < end)
}

/// The standing charge as it accrues, one step after the other.
struct Standing<'a> {
    tariffs: &'a TariffBook,
    done: UnixMillis,
    sum: Money,
}

impl<'a> Standing<'a> {
    const fn new(tariffs: &'a TariffBook, from: UnixMillis) -> Self {
        Self { tariffs, done: from, sum: Money::ZERO }
    }
    fn until(&mut self, end: UnixMillis) -> Money {
        if end > self.done {
            self.sum += self.tariffs.standing(Span::new(self.done, end)).standing;
            self.done = end;
        }
        self.sum
    }
}
