//! Addresses of the screens, kept in the fragment: the same in the window, on the hub and under
//! any base path. `#/history?by=month&on=2026-11-23&vs=last-year&meter=…`

use hearthwatt_api::{Compare, HistoryPeriod};
use hearthwatt_domain::ids::{AlertId, MeterId};
use jiff::civil::Date;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    Now,
    History(HistoryQuery),
    Budgets,
    Alerts,
    /// *Alerts*, at the one that a notification is about: `#/alerts/{id}`.
    Alert(AlertId),
    Meters,
    Home,
    /// The account, and who shares this home.
    Sharing,
}

/// What *History* shows; `None` for the day is today, for the meter the home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistoryQuery {
    pub by: HistoryPeriod,
    pub on: Option<Date>,
    pub vs: Compare,
    pub meter: Option<MeterId>,
}

impl Default for HistoryQuery {
    fn default() -> Self {
        Self { by: HistoryPeriod::Week, on: None, vs: Compare::Previous, meter: None }
    }
}

const PERIODS: [(HistoryPeriod, &str); 5] = [
    (HistoryPeriod::Day, "day"),
    (HistoryPeriod::Week, "week"),
    (HistoryPeriod::Month, "month"),
    (HistoryPeriod::Year, "year"),
    (HistoryPeriod::All, "all"),
];
const COMPARES: [(Compare, &str); 3] =
    [(Compare::None, "none"), (Compare::Previous, "previous"), (Compare::LastYear, "last-year")];

/// Name of a period in addresses, ids and Fluent keys.
pub fn period_name(by: HistoryPeriod) -> &'static str {
    name_of(&PERIODS, by)
}
/// Name of a comparison in addresses, ids and Fluent keys.
pub fn compare_name(vs: Compare) -> &'static str {
    name_of(&COMPARES, vs)
}
pub fn parse_period(name: &str) -> Option<HistoryPeriod> {
    PERIODS.iter().find(|(_, n)| *n == name).map(|(v, _)| *v)
}
pub fn parse_compare(name: &str) -> Option<Compare> {
    COMPARES.iter().find(|(_, n)| *n == name).map(|(v, _)| *v)
}
fn name_of<T: PartialEq>(table: &[(T, &'static str)], value: T) -> &'static str {
    table.iter().find(|(v, _)| *v == value).map_or("", |(_, n)| n)
}

impl Route {
    /// Name of the screen in ids and Fluent keys.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Now => "now",
            Self::History(_) => "history",
            Self::Budgets => "budgets",
            Self::Alerts | Self::Alert(_) => "alerts",
            Self::Meters => "meters",
            Self::Home => "home",
            Self::Sharing => "sharing",
        }
    }

    /// The screens as the navigation lists them; *Sharing* stands apart from these.
    pub fn all() -> [Route; 6] {
        [
            Self::Now,
            Self::History(HistoryQuery::default()),
            Self::Budgets,
            Self::Alerts,
            Self::Meters,
            Self::Home,
        ]
    }

    /// Never fails: what is not understood falls back to *Now* or to the field's default.
    pub fn parse(hash: &str) -> Route {
        let rest = hash.trim_start_matches('#').trim_start_matches('/');
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        match path.split('/').next().unwrap_or_default() {
            "history" => Self::History(parse_history(query)),
            "budgets" => Self::Budgets,
            "alerts" => {
                let id = path.split_once('/').and_then(|(_, id)| id.trim_end_matches('/').parse().ok());
                id.map_or(Self::Alerts, Self::Alert)
            }
            "meters" => Self::Meters,
            "home" => Self::Home,
            "sharing" => Self::Sharing,
            _ => Self::Now,
        }
    }

    /// The fragment with its `#`.
    pub fn href(&self) -> String {
        let q = match self {
            Self::History(q) => q,
            Self::Alert(id) => return format!("#/alerts/{id}"),
            _ => return format!("#/{}", self.name()),
        };
        let default = HistoryQuery::default();
        let mut pairs = Vec::new();
        if q.by != default.by {
            pairs.push(format!("by={}", period_name(q.by)));
        }
        if let Some(on) = q.on {
            pairs.push(format!("on={on}"));
        }
        if q.vs != default.vs {
            pairs.push(format!("vs={}", compare_name(q.vs)));
        }
        if let Some(meter) = q.meter {
            pairs.push(format!("meter={meter}"));
        }
        if pairs.is_empty() { "#/history".into() } else { format!("#/history?{}", pairs.join("&")) }
    }
}

fn parse_history(query: &str) -> HistoryQuery {
    let mut q = HistoryQuery::default();
    for (key, value) in query.split('&').filter_map(|p| p.split_once('=')) {
        match key {
            "by" => q.by = parse_period(value).unwrap_or(q.by),
            "vs" => q.vs = parse_compare(value).unwrap_or(q.vs),
            "on" => q.on = value.parse().ok(),
            "meter" => q.meter = value.parse().ok(),
            _ => {}
        }
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_is_shown_and_comes_back() {
        let mut routes = Route::all().to_vec();
        routes.push(Route::Alert(AlertId::derive(&["x"])));
        routes.push(Route::Sharing);
        for (by, _) in PERIODS {
            for (vs, _) in COMPARES {
                for on in [None, Some(jiff::civil::date(2026, 2, 28))] {
                    for meter in [None, Some(MeterId::derive(&["shelly", "x", ""]))] {
                        routes.push(Route::History(HistoryQuery { by, on, vs, meter }));
                    }
                }
            }
        }
        for r in routes {
            assert_eq!(Route::parse(&r.href()), r, "{}", r.href());
        }
    }

    #[test]
    fn nonsense_falls_back() {
        assert_eq!(Route::parse(""), Route::Now);
        assert_eq!(Route::parse("#/nowhere?x"), Route::Now);
        assert_eq!(Route::parse("#/alerts/7"), Route::Alerts);
        assert_eq!(Route::parse("#/alerts/6d1f0c5e"), Route::Alerts);
        let q = Route::parse("#/history?by=eon&on=2026-13-40&meter=7&vs");
        assert_eq!(q, Route::History(HistoryQuery::default()));
    }
}
