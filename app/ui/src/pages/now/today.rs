//! Today so far: energy, cost, and the hours as small bars.

use super::OverviewProps;
use crate::effects::{App, use_ctx};
use crate::route::{HistoryQuery, Route};
use hearthwatt_api::{HistoryPeriod, Overview};
use hearthwatt_domain::units::Energy;
use yew::prelude::*;

const HEIGHT: f64 = 48.0;
const STEP: f64 = 10.0;

#[component]
pub fn Today(props: &OverviewProps) -> Html {
    let app = use_ctx();
    let o = &props.overview;
    let href = Route::History(HistoryQuery { by: HistoryPeriod::Day, ..HistoryQuery::default() }).href();
    html! {
        <section class="today" aria-label={app.t("date-today")}>
            <p class="today-sum">
                <a {href}>{ app.t("date-today") }</a>{ " " }
                <span class="num" id="today-energy" data-testid="today-energy">{ app.i18n.energy(o.today.used).to_string() }</span>
                if let Some(cost) = o.today.cost {
                    { " · " }<span class="num" id="today-cost" data-testid="today-cost">{ app.i18n.money(cost) }</span>
                }
            </p>
            <Hours overview={o.clone()} />
        </section>
    }
}

#[component]
fn Hours(props: &OverviewProps) -> Html {
    let app = use_ctx();
    let hours = &props.overview.today_hours;
    let most = hours.iter().flatten().copied().max().unwrap_or_default().0.max(1) as f64;
    let heard = hours.iter().rposition(Option::is_some);
    let width = hours.len() as f64 * STEP;
    html! {
        <svg class="hours" viewBox={format!("0 0 {width} {HEIGHT}")} preserveAspectRatio="none" role="img" aria-label={words(&app, &props.overview)}>
            { for hours.iter().enumerate().map(|(i, hour)| {
                let height = hour.map_or(1.5, |e| (e.0.max(0) as f64 / most * (HEIGHT - 2.0)).max(1.5));
                let class = if hour.is_none() { "to-come" } else if heard == Some(i) { "live" } else { "past" };
                html! { <rect {class} x={(i as f64 * STEP + 1.5).to_string()} y={format!("{:.1}", HEIGHT - height)} width="7" height={format!("{height:.1}")} /> }
            }) }
        </svg>
    }
}

/// What the bars say, for those who do not see them.
fn words(app: &App, o: &Overview) -> String {
    let most: Option<(usize, Energy)> =
        o.today_hours.iter().enumerate().filter_map(|(i, e)| e.map(|e| (i, e))).max_by_key(|(_, e)| *e);
    match most.filter(|(_, e)| e.0 > 0) {
        Some((hour, energy)) => app.i18n.ta(
            "today-hours",
            [("hour", format!("{hour}:00").into()), ("energy", app.i18n.energy(energy).to_string().into())],
        ),
        None => app.t("today-hours-none"),
    }
}
