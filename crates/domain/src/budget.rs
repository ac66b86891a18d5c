//! Budgets: how much, of what, in which period, and how it stands.

use crate::ids::{BudgetId, MeterId};
use crate::time::{Span, UnixMillis};
use crate::units::{Energy, Money};
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

/// What the period will end at: four in five past periods would have ended inside the range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    pub low: Amount,
    pub likely: Amount,
    pub high: Amount,
    /// When the limit is likely to be passed, if within the period.
    pub breaks_at: Option<UnixMillis>,
}
