//! Alerts: what was crossed, when, and what the household did about it.

use crate::budget::Amount;
use crate::ids::{AlertId, BudgetId};
use crate::time::{Span, UnixMillis};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub id: AlertId,
    pub budget: BudgetId,
    /// The budget's name when it was raised: the alert stays readable after the budget is gone.
    pub budget_name: String,
    pub cause: Cause,
    pub period: Span,
    /// End of the interval in which the threshold was crossed.
    pub crossed_at: UnixMillis,
    pub raised_at: UnixMillis,
    pub spent: Amount,
    pub limit: Amount,
    #[serde(default)]
    pub acknowledged_at: Option<UnixMillis>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Cause {
    Threshold {
        percent: u16,
    },
    /// The limit will be passed at about this time.
    Forecast {
        breaks_at: UnixMillis,
    },
}
