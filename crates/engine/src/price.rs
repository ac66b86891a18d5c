//! What energy costs, by the domain's book of tariffs.

use hearthwatt_domain::tariff::Tariff;
use hearthwatt_domain::time::Span;
use hearthwatt_domain::units::Money;
use hearthwatt_domain::usage::IntervalUsage;
use jiff::tz::TimeZone;

pub(crate) struct TariffBook;
impl TariffBook {
    pub(crate) fn new(_tariffs: &[Tariff], _zone: TimeZone) -> Self {
        Self
    }
    pub(crate) fn is_empty(&self) -> bool {
        true
    }
}

/// Import at its price plus standing charge less export pay.
pub(crate) fn of_home(_book: &TariffBook, _usage: &[IntervalUsage], _span: Span) -> Option<Money> {
    None
}

/// What a load took, at the price of its time; the standing charge is the home's.
pub(crate) fn of_load(_book: &TariffBook, _usage: &[IntervalUsage], _span: Span) -> Option<Money> {
    None
}

use crate::views::history::Source;
use hearthwatt_domain::{
    alert::Alert,
    budget::{Amount, Budget, BudgetStatus, Period},
    time::UnixMillis,
};
use hearthwatt_store::{Reader, StoreError};
pub(crate) fn plan_alerts(_s: &BudgetStatus, _k: &[Alert], _now: UnixMillis) -> Vec<Alert> {
    Vec::new()
}
pub(crate) fn assess(
    budget: &Budget,
    source: &Source,
    reader: &Reader,
    now: UnixMillis,
) -> Result<BudgetStatus, StoreError> {
    let d = crate::days::date_of(now, &source.zone).first_of_month();
    let _ = Period::Day;
    let period = crate::days::dates_span(d, crate::days::add_months(d, 1), &source.zone);
    let spent = source
        .intervals(reader, period)?
        .iter()
        .map(|r| r.totals.import)
        .sum::<hearthwatt_domain::units::Energy>();
    Ok(BudgetStatus {
        budget: budget.clone(),
        period,
        elapsed: 0.0,
        spent: Amount::Energy(spent),
        fraction: 0.0,
        forecast: None,
        crossed: vec![],
    })
}
impl crate::core::Core {
    pub(crate) async fn verdict(
        &self,
        _p: hearthwatt_domain::units::Power,
        _now: UnixMillis,
    ) -> Result<Option<hearthwatt_api::Verdict>, hearthwatt_api::ApiError> {
        Ok(None)
    }
}
