//! Alerts: what was crossed, when, and what the household did about it.
//!
//! Each threshold is raised once per budget and period, and so is the forecast. The id is derived
//! from budget, start of the period and threshold: two devices raise one alert, and an edited
//! budget does not raise again what was raised.

use crate::budget::{Amount, Assessment};
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

impl Alert {
    /// The id of the alert of a budget for a cause in the period that starts at `period_start`.
    pub fn id_of(budget: BudgetId, period_start: UnixMillis, cause: &Cause) -> AlertId {
        let what = match cause {
            Cause::Threshold { percent } => format!("threshold {percent}"),
            Cause::Forecast { .. } => String::from("forecast"),
        };
        AlertId::derive(&[&budget.to_string(), &period_start.0.to_string(), &what])
    }

    /// Whether this one already says what an alert for `cause` in `period` would say. A period
    /// that moved a little (another time zone) is still the same.
    fn says(&self, budget: BudgetId, period: Span, cause: &Cause) -> bool {
        let same_cause = match (&self.cause, cause) {
            (Cause::Threshold { percent: a }, Cause::Threshold { percent: b }) => a == b,
            (Cause::Forecast { .. }, Cause::Forecast { .. }) => true,
            _ => false,
        };
        let common = self.period.end.min(period.end).since(self.period.start.max(period.start));
        self.budget == budget && same_cause && common * 2 > self.period.ms().max(period.ms())
    }
}

/// The alerts to raise now: those that the status calls for and that are not in `existing`
/// (acknowledged or not). Lowest threshold first, the forecast last; none for a forecast that
/// has already come true.
pub fn plan_alerts(assessment: &Assessment, existing: &[Alert], now: UnixMillis) -> Vec<Alert> {
    let status = &assessment.status;
    let budget = &status.budget;
    let mut causes: Vec<(Cause, UnixMillis)> =
        assessment.crossings.iter().map(|c| (Cause::Threshold { percent: c.percent }, c.at)).collect();
    if budget.warn_on_forecast
        && status.spent.raw() < budget.limit.raw()
        && let Some(breaks_at) = status.forecast.and_then(|f| f.breaks_at)
    {
        causes.push((Cause::Forecast { breaks_at }, now));
    }
    causes.retain(|(cause, _)| !existing.iter().any(|e| e.says(budget.id, status.period, cause)));
    causes
        .into_iter()
        .map(|(cause, crossed_at)| Alert {
            id: Alert::id_of(budget.id, status.period.start, &cause),
            budget: budget.id,
            budget_name: budget.name.clone(),
            cause,
            period: status.period,
            crossed_at,
            raised_at: now,
            spent: status.spent,
            limit: budget.limit,
            acknowledged_at: None,
        })
        .collect()
}
