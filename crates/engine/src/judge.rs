//! Budgets, judged after every commit that changed usage, at most once a second, on this computer
//! alone. An alert is stored before it is announced, and its id is derived from what it says, so
//! that it is raised once, whatever restarts come between.

use crate::core::Core;
use crate::days;
use crate::documents::{ALERT, put};
use crate::limits::{JUDGE_EVERY, LOOK_EVERY};
use crate::views::rows::grid_interval;
use hearthwatt_api::{ApiError, Event};
use hearthwatt_domain::alert::{Alert, plan_alerts};
use hearthwatt_domain::budget::{self, Assess, Assessment, Budget, BudgetStatus, PastDay, Scope};
use hearthwatt_domain::calendar::{Calendar, Unit};
use hearthwatt_domain::time::Span;
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
    loop {
        let began = Instant::now();
        if !core.changes.take().is_empty() {
            core.tell(Event::UsageChanged);
        }
        match core.judge().await {
            Ok(()) => failed = false,
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
    async fn judge(self: &Arc<Self>) -> Result<(), ApiError> {
        let budgets: Vec<Budget> = self.state().budgets.values().cloned().collect();
        let mut statuses = BTreeMap::new();
        let mut raised: Vec<Alert> = Vec::new();
        for budget in budgets {
            let assessment = match self.assess(&budget).await {
                Ok(assessment) => assessment,
                // its meter is gone: it stands still, and the others go on
                Err(error) if error.code == hearthwatt_api::ErrorCode::NotFound => continue,
                Err(error) => return Err(error),
            };
            let known: Vec<Alert> =
                self.state().alerts.values().filter(|a| a.budget == budget.id).cloned().collect();
            raised.extend(plan_alerts(&assessment, &known, self.now()));
            statuses.insert(budget.id, assessment.status);
        }
        self.raise(raised).await?;
        let changed = {
            let mut state = self.state();
            statuses.retain(|id, _| state.budgets.contains_key(id));
            let changed = !same(&state.statuses, &statuses);
            state.statuses = statuses;
            changed
        };
        if changed {
            self.tell(Event::BudgetsChanged);
        }
        Ok(())
    }

    async fn raise(&self, alerts: Vec<Alert>) -> Result<(), ApiError> {
        let fresh: Vec<Alert> = {
            let state = self.state();
            alerts.into_iter().filter(|a| !state.alerts.contains_key(&a.id)).collect()
        };
        if fresh.is_empty() {
            return Ok(());
        }
        self.write(fresh.iter().map(|a| put(ALERT, a.id, a)).collect::<Result<_, _>>()?).await?;
        self.state().alerts.extend(fresh.iter().map(|a| (a.id, a.clone())));
        for alert in fresh {
            tracing::info!(budget = %alert.budget, "an alert was raised");
            self.tell(Event::AlertRaised { alert });
        }
        self.tell(Event::AlertsChanged);
        Ok(())
    }

    /// Where one budget stands now.
    pub(crate) async fn assess(&self, budget: &Budget) -> Result<Assessment, ApiError> {
        let now = self.now();
        let (source, learnt) = match budget.scope {
            Scope::Home => (self.source(None)?, Some(self.learnt(now).await?)),
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
                let past: Vec<PastDay> = source
                    .days(reader, from, today)?
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

/// Whether a person would see no difference: shares of time passing are none.
fn same<K: Ord>(a: &BTreeMap<K, BudgetStatus>, b: &BTreeMap<K, BudgetStatus>) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|((_, a), (_, b))| {
            (&a.budget, a.period, a.spent, &a.crossed, a.forecast.as_ref())
                == (&b.budget, b.period, b.spent, &b.crossed, b.forecast.as_ref())
        })
}
