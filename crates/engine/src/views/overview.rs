//! The first screen.

use super::rows::{Row, Wiring};
use crate::core::{Core, State};
use crate::days;
use hearthwatt_api::{ApiError, Consumer, Flow, Overview, Totals};
use hearthwatt_domain::budget::{BudgetStatus, Period, Scope as BudgetScope};
use hearthwatt_domain::meter::{Adoption, Role};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_domain::units::{Energy, Power};
use std::collections::HashMap;
use std::sync::Arc;

/// What of the overview comes from the store; good until usage changes or an hour begins.
pub(crate) struct Stored {
    generation: u64,
    hour: i64,
    today: Totals,
    hours: Vec<Option<Energy>>,
    used: HashMap<hearthwatt_domain::ids::MeterId, Energy>,
}

const HOUR_MS: i64 = 3_600_000;

impl Core {
    pub(crate) async fn overview(&self) -> Result<Overview, ApiError> {
        let stored = self.overview_stored().await?;
        let now = self.now();
        let power = self.state().meters.flow(now).home;
        let verdict = match power {
            Some(power) => self.verdict(power, now).await?,
            None => None,
        };
        let state = self.state();
        let flow = state.meters.flow(now);
        let count = |adoption| state.meters.known.values().filter(|k| k.meter.adoption == adoption).count();
        Ok(Overview {
            at: now,
            home_name: state.settings.home_name.clone(),
            time_zone: state.settings.time_zone.clone(),
            currency: state.settings.currency.clone(),
            demo: self.demo,
            flow,
            verdict,
            today: stored.today,
            today_hours: stored.hours.clone(),
            month: month_budget(&state),
            consumers: consumers(&state, &stored, now),
            not_measured: not_measured(&state, &flow, now),
            has_tariff: !state.tariffs.is_empty(),
            open_alerts: state.alerts.values().filter(|a| a.acknowledged_at.is_none()).count() as u32,
            found_meters: count(Adoption::Found) as u32,
            adopted_meters: count(Adoption::Adopted) as u32,
            looking_since: self.looking_since,
        })
    }

    async fn overview_stored(&self) -> Result<Arc<Stored>, ApiError> {
        let generation = self.changes.generation();
        let now = self.now();
        let hour = now.0.div_euclid(HOUR_MS);
        if let Some(stored) = self.overview_cache().clone()
            && stored.generation == generation
            && stored.hour == hour
        {
            return Ok(stored);
        }
        let source = self.source(None)?;
        let used = self.used_today().await?;
        let (today, hours) = self
            .readers
            .run(move |reader| {
                let day = days::date_of(now, &source.zone);
                let hours = source.hours(reader, day)?;
                let row = source.days(reader, day, days::next(day))?;
                let totals = row.first().map(|r: &Row| r.totals).unwrap_or_default();
                let used = hours.iter().map(|h| (h.span.start <= now).then_some(h.totals.used)).collect();
                Ok((totals, used))
            })
            .await?;
        let stored = Arc::new(Stored { generation, hour, today, hours, used });
        *self.overview_cache() = Some(stored.clone());
        Ok(stored)
    }
}

/// The budget the first screen shows: the home's by month or bill, the oldest if there are more.
fn month_budget(state: &State) -> Option<BudgetStatus> {
    let monthly = |s: &&BudgetStatus| {
        s.budget.scope == BudgetScope::Home
            && matches!(s.budget.period, Period::Month | Period::BillMonth { .. })
    };
    state.statuses.values().filter(monthly).min_by_key(|s| (s.budget.created, s.budget.id)).cloned()
}

/// A load's power, if it is one of now.
fn fresh(at: UnixMillis, power: Power, now: UnixMillis) -> Option<Power> {
    (now.since(at) <= crate::limits::LIVE_VALID_MS).then_some(power)
}

fn consumers(state: &State, stored: &Stored, now: UnixMillis) -> Vec<Consumer> {
    let mut list: Vec<Consumer> = state
        .meters
        .adopted()
        .filter(|k| k.meter.role == Role::Load)
        .map(|k| Consumer {
            meter: k.meter.id,
            name: k.meter.name.clone(),
            power: k.power().and_then(|(at, p)| fresh(at, p, now)),
            used: stored.used.get(&k.meter.id).copied().unwrap_or_default(),
        })
        .collect();
    list.sort_by(|a, b| (b.power, b.used).cmp(&(a.power, a.used)).then_with(|| a.name.cmp(&b.name)));
    list
}

fn not_measured(state: &State, flow: &Flow, now: UnixMillis) -> Option<Power> {
    let wiring = Wiring::new(state.meters.adopted().map(|k| &k.meter));
    if wiring.grid.is_empty() || wiring.loads.is_empty() {
        return None;
    }
    let seen: Power = wiring
        .loads
        .iter()
        .filter_map(|m| state.meters.known.get(&m.id)?.power())
        .filter_map(|(at, p)| fresh(at, p, now))
        .sum();
    // meters tell at different moments: a little below zero is none
    flow.home.map(|home| (home - seen).max(Power::ZERO))
}
