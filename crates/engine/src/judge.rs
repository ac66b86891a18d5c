//! Budgets, judged after every commit that changed usage, at most once a second, on this computer
//! alone. An alert is stored before it is announced, and its id is derived from what it says, so
//! that it is raised once, whatever restarts come between.
//!
//! Readings that come late, after the end of their period, are judged too: a budget that a gap hid
//! the breaking of is said to have broken.

use crate::core::Core;
use crate::days;
use crate::documents::{ALERT, put};
use crate::limits::{JUDGE_EVERY, LOOK_EVERY, PERIODS_JUDGED_MAX};
use crate::views::rows::grid_interval;
use hearthwatt_api::{ApiError, Event};
use hearthwatt_domain::alert::{Alert, Cause, plan_alerts};
use hearthwatt_domain::budget::{self, Assess, Assessment, Budget, BudgetStatus, PastDay, Scope};
use hearthwatt_domain::calendar::{Calendar, Unit};
use hearthwatt_domain::time::{Span, UnixMillis};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// Even without a change, time passes: forecasts and periods move on.
const JUDGE_ANYWAY: Duration = Duration::from_secs(60);

/// Past days that a forecast learns from.
const HISTORY_DAYS: i64 = 365;

/// Judges until stopped.
pub(crate) async fn run(core: Arc<Core>, mut stop: watch::Receiver<bool>) {
    let mut failed = false;
    // usage that changed and has not been judged yet
    let mut open: Option<Span> = None;
    loop {
        let began = Instant::now();
        let changed = core.changes.take();
        if !changed.is_empty() {
            core.tell(Event::UsageChanged);
        }
        for span in changed.into_values() {
            open = Some(open.map_or(span, |o| Span::new(o.start.min(span.start), o.end.max(span.end))));
        }
        match core.judge(open).await {
            Ok(()) => (failed, open) = (false, None),
            Err(error) => {
                if !std::mem::replace(&mut failed, true) {
                    tracing::warn!(%error, "budgets can't be judged for now");
                }
            }
        }
        let pause = if failed { LOOK_EVERY } else { JUDGE_ANYWAY };
        let change = async {
            tokio::select! {
                _ = core.changes.changed.notified() => {}
                _ = core.rejudge.notified() => {}
            }
            sleep_until(began + JUDGE_EVERY).await;
        };
        tokio::select! {
            _ = timeout(pause, change) => {}
            () = crate::tasks::stopped(&mut stop) => return,
        }
    }
}

impl Core {
    async fn judge(self: &Arc<Self>, changed: Option<Span>) -> Result<(), ApiError> {
        let now = self.now();
        let budgets: Vec<Budget> = self.state().budgets.values().cloned().collect();
        let mut statuses = BTreeMap::new();
        let mut raised: Vec<Alert> = Vec::new();
        for budget in budgets {
            let known: Vec<Alert> =
                self.state().alerts.values().filter(|a| a.budget == budget.id).cloned().collect();
            let calendar = Calendar::new(self.source(None)?.zone);
            for period in changed.map_or(vec![], |c| ended_periods(&calendar, &budget, c, now)) {
                match self.assess_at(&budget, period.end.plus_ms(-1), false).await {
                    Ok(late) => {
                        raised.extend(plan_alerts(&late, &known, now).into_iter().filter(is_threshold))
                    }
                    Err(error) if error.code == hearthwatt_api::ErrorCode::NotFound => break,
                    Err(error) => return Err(error),
                }
            }
            let assessment = match self.assess(&budget).await {
                Ok(assessment) => assessment,
                // its meter is gone: it stands still, and the others go on
                Err(error) if error.code == hearthwatt_api::ErrorCode::NotFound => continue,
                Err(error) => return Err(error),
            };
            raised.extend(plan_alerts(&assessment, &known, now));
            statuses.insert(budget.id, assessment.status);
        }
        let mut fresh = self.keep_alerts(raised).await?;
        let changed = {
            let mut state = self.state();
            statuses.retain(|id, _| state.budgets.contains_key(id));
            let changed = !same(&state.statuses, &statuses);
            state.statuses = statuses;
            // another device may have raised one of them meanwhile: it was told then
            fresh.retain(|a| !state.alerts.contains_key(&a.id));
            state.alerts.extend(fresh.iter().map(|a| (a.id, a.clone())));
            changed
        };
        if changed {
            self.tell(Event::BudgetsChanged);
        }
        // told last: who is told of an alert finds its budget as it is said to be
        let raised = !fresh.is_empty();
        for alert in fresh {
            tracing::info!(budget = %alert.budget, "an alert was raised");
            self.tell(Event::AlertRaised { alert });
        }
        if raised {
            self.tell(Event::AlertsChanged);
        }
        Ok(())
    }

    /// Writes down those that are new, and gives them back.
    async fn keep_alerts(&self, alerts: Vec<Alert>) -> Result<Vec<Alert>, ApiError> {
        let fresh: Vec<Alert> = {
            let state = self.state();
            alerts.into_iter().filter(|a| !state.alerts.contains_key(&a.id)).collect()
        };
        self.write(fresh.iter().map(|a| put(ALERT, a.id, a)).collect::<Result<_, _>>()?).await?;
        Ok(fresh)
    }

    /// Where one budget stands now.
    pub(crate) async fn assess(&self, budget: &Budget) -> Result<Assessment, ApiError> {
        self.assess_at(budget, self.now(), true).await
    }

    /// Where it stood at `now`, in the period that holds it; with a forecast if the future is open.
    async fn assess_at(
        &self,
        budget: &Budget,
        now: UnixMillis,
        forecast: bool,
    ) -> Result<Assessment, ApiError> {
        let (source, learnt) = match budget.scope {
            Scope::Home if forecast => (self.source(None)?, Some(self.learnt(now).await?)),
            Scope::Home => (self.source(None)?, None),
            Scope::Meter(id) => (self.source(Some(id))?, None),
        };
        let budget = budget.clone();
        self.readers
            .run(move |reader| {
                let today = days::date_of(now, &source.zone);
                let (_, period) = Calendar::new(source.zone.clone()).around(Unit::from(budget.period), now);
                let rows = source
                    .priced_intervals(reader, Span::new(period.start, period.end.min(now.plus_ms(1))))?;
                let rows: Vec<_> = rows.iter().map(grid_interval).collect();
                let from = days::add_days(today, -HISTORY_DAYS);
                let first = if forecast { from } else { today };
                let past: Vec<PastDay> = source
                    .days(reader, first, today)?
                    .iter()
                    .map(|row| PastDay {
                        date: days::date_of(row.span.start, &source.zone),
                        import: row.totals.import,
                        cost: row.totals.cost,
                        complete: row.covered_ms * 10 >= row.span.ms() * 9,
                    })
                    .collect();
                Ok(budget::assess(&Assess {
                    budget: &budget,
                    now,
                    tariffs: &source.book,
                    rows: &rows,
                    history: &past,
                    normal: learnt.as_ref().map(|l| &l.normal),
                }))
            })
            .await
    }
}

fn is_threshold(alert: &Alert) -> bool {
    matches!(alert.cause, Cause::Threshold { .. })
}

/// The budget's periods that were over before `now` and that `changed` reaches into, newest first;
/// none from before the budget was made.
fn ended_periods(calendar: &Calendar, budget: &Budget, changed: Span, now: UnixMillis) -> Vec<Span> {
    let (_, current) = calendar.around(Unit::from(budget.period), now);
    let mut at = current.start.min(changed.end).plus_ms(-1);
    let mut ended = Vec::new();
    while at >= changed.start && at >= budget.created && ended.len() < PERIODS_JUDGED_MAX {
        let (_, period) = calendar.around(Unit::from(budget.period), at);
        ended.push(period);
        at = period.start.plus_ms(-1);
    }
    ended
}

/// Whether a person would see no difference: shares of time passing are none.
fn same<K: Ord>(a: &BTreeMap<K, BudgetStatus>, b: &BTreeMap<K, BudgetStatus>) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|((_, a), (_, b))| {
            (&a.budget, a.period, a.spent, &a.crossed, a.forecast.as_ref())
                == (&b.budget, b.period, b.spent, &b.crossed, b.forecast.as_ref())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthwatt_domain::budget::{Amount, Period};
    use hearthwatt_domain::ids::BudgetId;
    use hearthwatt_domain::units::Energy;
    use jiff::tz::TimeZone;

    fn at(text: &str) -> UnixMillis {
        text.parse::<jiff::Timestamp>().unwrap().into()
    }

    #[test]
    fn late_readings_are_judged_in_the_periods_they_belong_to() {
        let calendar = Calendar::new(TimeZone::UTC);
        let mut budget = Budget {
            id: BudgetId::derive(&["late"]),
            name: "late".into(),
            scope: Scope::Home,
            limit: Amount::Energy(Energy(1)),
            period: Period::Month,
            thresholds: vec![100],
            warn_on_forecast: false,
            created: at("2026-01-10T00:00:00Z"),
        };
        let now = at("2026-06-15T12:00:00Z");
        let changed = Span::new(at("2026-03-31T23:45:00Z"), at("2026-06-15T12:00:00Z"));
        let starts = |b: &Budget, c: Span| {
            ended_periods(&calendar, b, c, now).iter().map(|p| p.start).collect::<Vec<_>>()
        };
        let expected = ["2026-05-01T00:00:00Z", "2026-04-01T00:00:00Z", "2026-03-01T00:00:00Z"].map(at);
        assert_eq!(starts(&budget, changed), expected);
        // nothing that came in the running period concerns an earlier one
        assert!(starts(&budget, Span::new(at("2026-06-01T00:00:00Z"), now)).is_empty());
        // and none from before there was a budget
        budget.created = at("2026-05-20T00:00:00Z");
        assert_eq!(starts(&budget, changed), [at("2026-05-01T00:00:00Z")]);
    }
}
