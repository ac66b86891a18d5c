//! Where the power comes from and goes to, right now.

use crate::effects::{App, use_ctx, use_live_flow};
use crate::parts::Icon;
use hearthwatt_api::Flow;
use hearthwatt_domain::units::Power;
use yew::prelude::*;

/// Below this a direction is noise.
const STILL: Power = Power(5_000);

#[component]
pub fn FlowRow() -> Html {
    let app = use_ctx();
    let flow = use_live_flow();
    if flow.grid.is_none() && flow.solar.is_none() && flow.battery.is_none() {
        return html! {};
    }
    html! {
        <section aria-label={app.t("flow")} data-testid="flow">
            <ul class="flow">
                if let Some(solar) = flow.solar {
                    { part(&app, "solar", "flow-solar", solar, None) }
                    { arrow(if solar > STILL { 1 } else { 0 }) }
                }
                if let Some(home) = flow.home {
                    { part(&app, "home", "flow-home", home, None) }
                }
                if let Some(grid) = flow.grid {
                    { arrow(direction(-grid)) }
                    { part(&app, "grid", grid_key(grid), abs(grid), None) }
                }
                { battery(&app, &flow) }
            </ul>
        </section>
    }
}

fn battery(app: &App, flow: &Flow) -> Html {
    let Some(power) = flow.battery else { return html! {} };
    let key = match direction(power) {
        1 => "flow-battery-in",
        -1 => "flow-battery-out",
        _ => "flow-battery",
    };
    let charge = flow.battery_charge.map(|c| app.i18n.percent(f64::from(c) / 100.0));
    part(app, "battery", key, abs(power), charge)
}

fn part(app: &App, name: &'static str, key: &str, power: Power, more: Option<String>) -> Html {
    html! {
        <li class={classes!("flow-part", name)} data-testid={format!("flow-{name}")}>
            <Icon {name} />
            <span>
                <span class="flow-name">{ app.i18n.t(key) }</span>
                <span class="flow-power num">
                    { app.i18n.power(power).to_string() }
                    if let Some(more) = more { <span class="muted">{ format!(" · {more}") }</span> }
                </span>
            </span>
        </li>
    }
}

/// 1 to the right, -1 to the left, 0 still; the names beside it say the same in words.
fn arrow(direction: i8) -> Html {
    let path = match direction {
        1 => "M2 8h34M30 3l6 5-6 5",
        -1 => "M38 8H4M10 3L4 8l6 5",
        _ => "M4 8h32",
    };
    html! {
        <li class={classes!("flow-arrow", (direction == 0).then_some("still"))} aria-hidden="true">
            <svg viewBox="0 0 40 16" width="40" height="16" focusable="false">
                <path d={path} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" />
            </svg>
        </li>
    }
}

fn grid_key(grid: Power) -> &'static str {
    if grid < -STILL { "flow-grid-out" } else { "flow-grid-in" }
}

fn direction(power: Power) -> i8 {
    match power {
        p if p > STILL => 1,
        p if p < -STILL => -1,
        _ => 0,
    }
}

fn abs(power: Power) -> Power {
    Power(power.0.saturating_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_watts_have_no_direction() {
        let w = Power::from_watts;
        assert_eq!([w(4.0), w(-4.0), w(6.0), w(-6.0)].map(direction), [0, 0, 1, -1]);
        assert_eq!(grid_key(w(-800.0)), "flow-grid-out");
        assert_eq!(abs(w(-800.0)), w(800.0));
    }
}
