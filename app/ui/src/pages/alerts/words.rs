//! An alert in one sentence with its numbers, and where its moment is in the chart.

use crate::i18n::I18n;
use crate::pages::words::{at_moment, capital, in_period, on_day, share_of};
use crate::route::{HistoryQuery, Route};
use hearthwatt_api::{Compare, HistoryPeriod};
use hearthwatt_domain::alert::{Alert, Cause};
use hearthwatt_domain::ids::MeterId;
use hearthwatt_domain::time::{INTERVAL_MS, UnixMillis};

/// A crossing noticed later than this (a budget made afterwards, readings that came late) is told
/// with the time its numbers are of.
const LATE_MS: i64 = 2 * INTERVAL_MS;

/// What happened: `On Tue 18 Nov at 14:15 you passed 80 % of "Electricity" in November: 208 of 260 kWh.`
pub fn sentence(i18n: &I18n, alert: &Alert, now: UnixMillis) -> String {
    let when = capital(&at_moment(i18n, alert.crossed_at, now));
    let period = in_period(i18n, alert.period, now);
    let share = share_of(i18n, alert.spent, alert.limit);
    match alert.cause {
        Cause::Threshold { percent } if alert.raised_at.since(alert.crossed_at) > LATE_MS => i18n.ta(
            "alert-threshold-late",
            [
                ("when", when.into()),
                ("percent", i18n.percent(f64::from(percent) / 100.0).into()),
                ("name", alert.budget_name.clone().into()),
                ("period", period.into()),
                ("asof", i18n.moment(alert.raised_at, now).into()),
                ("share", share.into()),
            ],
        ),
        Cause::Threshold { percent } => i18n.ta(
            "alert-threshold",
            [
                ("when", when.into()),
                ("percent", i18n.percent(f64::from(percent) / 100.0).into()),
                ("name", alert.budget_name.clone().into()),
                ("period", period.into()),
                ("share", share.into()),
            ],
        ),
        Cause::Forecast { breaks_at } => i18n.ta(
            "alert-forecast",
            [
                ("when", when.into()),
                ("name", alert.budget_name.clone().into()),
                ("period", period.into()),
                ("breaks", on_day(i18n, breaks_at, now).into()),
                ("share", share.into()),
            ],
        ),
    }
}

/// The day of the crossing in *History*, by hours; of the meter that the budget is about, if it
/// is about one.
pub fn chart_of(i18n: &I18n, alert: &Alert, meter: Option<MeterId>) -> Route {
    // the crossing is the end of an interval: at midnight its usage is the evening before
    let inside = alert.crossed_at.plus_ms(-1);
    Route::History(HistoryQuery {
        by: HistoryPeriod::Day,
        on: Some(i18n.day_of(inside)),
        vs: Compare::Previous,
        meter,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::tests::{at, languages, plain};
    use hearthwatt_domain::budget::Amount;
    use hearthwatt_domain::ids::{AlertId, BudgetId};
    use hearthwatt_domain::time::Span;
    use hearthwatt_domain::units::Energy;

    fn alert(cause: Cause, crossed: &str) -> Alert {
        Alert {
            id: AlertId::derive(&["a"]),
            budget: BudgetId::derive(&["b"]),
            budget_name: "Electricity".into(),
            cause,
            period: Span::new(at("2026-11-01T00:00"), at("2026-12-01T00:00")),
            crossed_at: at(crossed),
            raised_at: at(crossed),
            spent: Amount::Energy(Energy::from_kwh(208.0)),
            limit: Amount::Energy(Energy::from_kwh(260.0)),
            acknowledged_at: None,
        }
    }

    #[test]
    fn an_alert_says_its_cause_with_the_numbers() {
        let (en, de) = languages();
        let a = alert(Cause::Threshold { percent: 80 }, "2026-11-17T14:15");
        let now = at("2026-11-20T09:00");
        assert_eq!(
            plain(&sentence(&en, &a, now)),
            "On Tue 17 Nov at 14:15 you passed 80 % of “Electricity” in November: 208 of 260 kWh."
        );
        assert_eq!(
            plain(&sentence(&de, &a, now)),
            "Am Di 17. Nov um 14:15 waren 80 % von „Electricity“ im November erreicht: 208 von 260 kWh."
        );
        let a = Alert { raised_at: at("2026-11-19T08:00"), ..a };
        assert_eq!(
            plain(&sentence(&en, &a, now)),
            "On Tue 17 Nov at 14:15 you passed 80 % of “Electricity” in November. As of Yesterday 08:00: 208 of 260 kWh."
        );
        let a = alert(Cause::Forecast { breaks_at: at("2026-11-26T03:00") }, "2026-11-20T08:00");
        assert_eq!(
            plain(&sentence(&en, &a, now)),
            "At this rate “Electricity” breaks on Thu 26 Nov. Today at 08:00, 208 of 260 kWh were used in November."
        );
    }

    #[test]
    fn the_link_leads_to_the_day_of_the_crossing() {
        let (en, _) = languages();
        let meter = Some(MeterId::derive(&["m"]));
        let a = alert(Cause::Threshold { percent: 80 }, "2026-11-18T00:00");
        assert!(chart_of(&en, &a, meter).href().starts_with("#/history?by=day&on=2026-11-17&meter="));
    }
}
