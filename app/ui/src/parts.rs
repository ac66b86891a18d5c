//! Small pieces that several screens are made of.

use crate::effects::{error_words, use_ctx, use_live_power};
use hearthwatt_api::ApiError;
use hearthwatt_domain::format::Quantity;
use hearthwatt_domain::ids::MeterId;
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct IconProps {
    pub name: AttrValue,
}

/// Line drawings on a 24 px grid; always beside a word, so hidden from screen readers.
#[component]
pub fn Icon(props: &IconProps) -> Html {
    let path = match props.name.as_str() {
        "now" => {
            "M12 4a8 8 0 0 0-6.2 13M12 4a8 8 0 0 1 6.2 13M12 13l3.5-4.5M12 14.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3"
        }
        "history" => "M4 20h16M6.5 20v-6M11 20V9M15.5 20v-8M20 20V5",
        "budgets" => "M3 8h18v8H3zM3 12h11M14 6v12",
        "alerts" => "M6 16v-5a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5h4",
        "meters" => "M5 4h14v16H5zM8.5 8h7M12 12.5v4M12 12.5l-2 2.2h4l-2 2.2",
        "home" => "M4 11l8-7 8 7M6 9.5V20h12V9.5M10 20v-6h4v6",
        "hearth" => {
            "M12 3c1 3.5 5 5.5 5 10a5 5 0 0 1-10 0c0-2 1-3.2 2-4 .2 1.6 1 2.3 1.6 2.5C10.2 9 10.5 5.5 12 3M5 21h14"
        }
        "solar" => {
            "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.4 1.4M17 17l1.4 1.4M18.4 5.6L17 7M7 17l-1.4 1.4"
        }
        "grid" => "M8 21l2.5-18h3L16 21M9.5 9h5M6 6.5h12M9 14l6 6M15 14l-6 6",
        "battery" => "M7 6h10v15H7zM10 3h4v3h-4zM10 17h4M10 13h4",
        "sharing" => {
            "M8.5 10.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6M3 19c0-3.3 2.4-5.5 5.5-5.5S14 15.7 14 19M15.5 5.2a2.8 2.8 0 0 1 0 5.4M17 14c2.4.6 4 2.5 4 5"
        }
        "decide" => "M12 21v-8M12 13L6 7M12 13l6-6M6 11V7h4M18 11V7h-4",
        "left" => "M15 5l-7 7 7 7",
        "right" => "M9 5l7 7-7 7",
        _ => "",
    };
    html! {
        <svg class="icon" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true" focusable="false">
            <path d={path} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" />
        </svg>
    }
}

#[derive(PartialEq, Properties)]
pub struct PageHeadProps {
    pub title: AttrValue,
    #[prop_or_default]
    pub children: Html,
}

/// The screen's one `h1`, and what stands beside it.
#[component]
pub fn PageHead(props: &PageHeadProps) -> Html {
    html! { <div class="page-head"><h1>{ &props.title }</h1>{ props.children.clone() }</div> }
}

#[derive(PartialEq, Properties)]
pub struct FaultProps {
    pub error: ApiError,
}

/// Why something could not be shown, where it would have stood.
#[component]
pub fn Fault(props: &FaultProps) -> Html {
    let app = use_ctx();
    html! { <p class="banner over" role="alert">{ error_words(&app.i18n, &props.error) }</p> }
}

#[derive(PartialEq, Properties)]
pub struct EditableProps {
    pub children: Html,
}

/// Controls that change the home: switched off together where it may only be looked at. Say why
/// once above them ([`LockedReason`]).
#[component]
pub fn Editable(props: &EditableProps) -> Html {
    let app = use_ctx();
    html! { <fieldset class="editable" disabled={app.lock().is_some()}>{ props.children.clone() }</fieldset> }
}

/// Why the controls of this screen are switched off; nothing if they are not.
#[component]
pub fn LockedReason() -> Html {
    let app = use_ctx();
    match app.lock() {
        Some(lock) => html! {
            <p class="banner locked" data-testid="locked">{ crate::pages::sharing::words::lock(&app.i18n, lock) }</p>
        },
        None => html! {},
    }
}

#[derive(PartialEq, Properties)]
pub struct LivePowerProps {
    pub meter: MeterId,
}

/// A meter's power, changing by itself.
#[component]
pub fn LivePower(props: &LivePowerProps) -> Html {
    let app = use_ctx();
    match use_live_power(props.meter) {
        Some(power) => html! { <span class="num">{ app.i18n.power(power).to_string() }</span> },
        None => html! { <span class="num muted">{ app.t("no-value") }</span> },
    }
}

/// Number and unit, the unit smaller.
pub fn quantity(q: &Quantity) -> Html {
    html! { <span class="num">{ &q.number }<span class="unit">{ format!("\u{a0}{}", q.unit) }</span></span> }
}

#[derive(PartialEq, Properties)]
pub struct ChoiceProps {
    /// Names the group for screen readers, and the inputs.
    pub label: AttrValue,
    pub id: AttrValue,
    /// Value and text.
    pub options: Vec<(AttrValue, AttrValue)>,
    pub value: AttrValue,
    pub onchange: Callback<AttrValue>,
}

/// A few choices side by side, one of them made.
#[component]
pub fn Choice(props: &ChoiceProps) -> Html {
    html! {
        <fieldset class="choice" id={props.id.clone()}>
            <legend class="only-heard">{ &props.label }</legend>
            { for props.options.iter().map(|(value, text)| {
                let (onchange, chosen) = (props.onchange.clone(), value.clone());
                html! {
                    <label key={value.to_string()}>
                        <input type="radio" name={props.id.clone()} id={format!("{}-{value}", props.id)} value={value.clone()}
                            checked={*value == props.value} onchange={move |_| onchange.emit(chosen.clone())} />
                        <span>{ text }</span>
                    </label>
                }
            }) }
        </fieldset>
    }
}

#[derive(PartialEq, Properties)]
pub struct BudgetBarProps {
    /// Spent over limit.
    pub fraction: f64,
    /// 0..=1
    pub elapsed: f64,
    /// Share of the limit that the forecast ends at, low and high.
    #[prop_or_default]
    pub forecast: Option<(f64, f64)>,
}

/// A budget's bar: spent, the elapsed part of the period as a mark, the forecast hatched. The
/// words beside it say the same.
#[component]
pub fn BudgetBar(props: &BudgetBarProps) -> Html {
    // 100 is the limit; what lies beyond is drawn up to a quarter more
    let x = |share: f64| (share.clamp(0.0, 1.25) * 100.0).round().to_string();
    let width = |from: f64, to: f64| {
        ((to.clamp(0.0, 1.25) - from.clamp(0.0, 1.25)).max(0.0) * 100.0).round().to_string()
    };
    let state = if props.fraction > 1.0 {
        "over"
    } else if props.forecast.is_some_and(|(_, high)| high > 1.0) {
        "warn"
    } else {
        "ok"
    };
    html! {
        <svg class={classes!("budget-bar", state)} viewBox="0 0 125 12" preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <rect class="track" x="0" y="2" width="100" height="8" rx="1.5" />
            if let Some((low, high)) = props.forecast {
                <rect class="likely" x={x(props.fraction.max(low.min(high)))} y="2" width={width(props.fraction.max(low), high)} height="8" />
                <rect class="ahead" x={x(props.fraction)} y="5" width={width(props.fraction, low)} height="2" />
            }
            <rect class="spent" x="0" y="2" width={x(props.fraction)} height="8" rx="1.5" />
            <rect class="elapsed" x={x(props.elapsed)} y="0" width="0.6" height="12" />
            <rect class="limit" x="99.7" y="0" width="0.6" height="12" />
        </svg>
    }
}
