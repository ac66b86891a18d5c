//! *Now*: what is used, whether that is normal, what the month will be.

mod chart;
mod flow;
mod today;

use super::first_run::{FirstRun, TariffAsk};
use crate::browser::Interval;
use crate::effects::{App, Clock, use_ctx, use_live_flow};
use crate::parts::{BudgetBar, LivePower, quantity};
use crate::route::{HistoryQuery, Route};
use hearthwatt_api::{Consumer, Level, Overview, PartOfDay, Verdict};
use hearthwatt_domain::budget::{Amount, BudgetStatus};
use hearthwatt_domain::units::Power;
use std::rc::Rc;
use yew::prelude::*;

/// Screen readers hear the number this often.
const SPEAK_EVERY_MS: i32 = 60_000;

#[component]
pub fn Now() -> Html {
    let app = use_ctx();
    match &app.overview {
        Some(overview) if overview.adopted_meters == 0 => {
            html! { <FirstRun overview={overview.clone()} /> }
        }
        Some(overview) => html! { <Full overview={overview.clone()} /> },
        None => html! {
            <div aria-busy="true">
                <h1 class="only-heard">{ app.t("nav-now") }</h1>
                <div class="skeleton big" /><div class="skeleton line" /><div class="skeleton block" />
            </div>
        },
    }
}

#[derive(PartialEq, Properties)]
pub struct OverviewProps {
    pub overview: Rc<Overview>,
}

#[component]
fn Full(props: &OverviewProps) -> Html {
    let app = use_ctx();
    let o = &props.overview;
    html! {
        <div class="now">
            <h1 class="only-heard">{ app.t("nav-now") }</h1>
            <TariffAsk overview={o.clone()} />
            <div class="now-head">
                <section aria-label={app.t("now-power")}>
                    <PowerNow />
                    <p class="verdict" id="verdict">{ verdict_words(&app, o.verdict) }</p>
                </section>
                <today::Today overview={o.clone()} />
            </div>
            <flow::FlowRow />
            <chart::LiveChart />
            <Month status={o.month.clone()} />
            <Consumers overview={o.clone()} />
        </div>
    }
}

/// The one large number.
#[component]
fn PowerNow() -> Html {
    let app = use_ctx();
    let flow = use_live_flow();
    let spoken = use_state(String::new);
    {
        let (live, i18n, spoken) = (app.live.clone(), app.i18n.clone(), spoken.clone());
        use_effect_with(app.i18n.clone(), move |_| {
            let timer = Interval::every(SPEAK_EVERY_MS, move || {
                if let Some(home) = live.flow().home {
                    spoken.set(i18n.ta("now-spoken", [("power", i18n.power(home).to_string().into())]));
                }
            });
            move || drop(timer)
        });
    }
    html! {
        <>
            <p id="power-now" data-testid="power-now" class="power-now">
                { match flow.home {
                    Some(home) => quantity(&app.i18n.power(home)),
                    None => html! { <span class="muted">{ "– W" }</span> },
                } }
            </p>
            <p class="only-heard" aria-live="polite">{ (*spoken).clone() }</p>
            if flow.home.is_none() {
                <p class="muted">{ app.t("now-silent") }</p>
            }
        </>
    }
}

fn verdict_words(app: &App, verdict: Option<Verdict>) -> String {
    let Some(v) = verdict else { return app.t("verdict-none") };
    let key = match v.level {
        Level::MuchLower => "verdict-much-lower",
        Level::Lower => "verdict-lower",
        Level::Usual => "verdict-usual",
        Level::Higher => "verdict-higher",
        Level::MuchHigher => "verdict-much-higher",
    };
    let part = match v.part_of_day {
        PartOfDay::Night => "night",
        PartOfDay::Morning => "morning",
        PartOfDay::Afternoon => "afternoon",
        PartOfDay::Evening => "evening",
    };
    app.i18n.ta(
        key,
        [
            ("day", app.i18n.weekday(v.weekday).into()),
            ("part", part.into()),
            ("usual", app.i18n.power(v.usual).to_string().into()),
        ],
    )
}

#[derive(PartialEq, Properties)]
struct MonthProps {
    status: Option<BudgetStatus>,
}

/// The month against its budget, in a bar and in words.
#[component]
fn Month(props: &MonthProps) -> Html {
    let app = use_ctx();
    let title = app.i18n.month(app.today().month());
    let Some(status) = &props.status else {
        return html! {
            <section class="month" data-testid="month">
                <h2>{ title }</h2>
                <p class="muted">{ app.t("month-no-budget") }{ " " }<a href={Route::Budgets.href()}>{ app.t("month-set-budget") }</a></p>
            </section>
        };
    };
    let limit = value(status.budget.limit);
    let share = |a: Amount| if limit > 0.0 { value(a) / limit } else { 0.0 };
    html! {
        <section class="month" data-testid="month">
            <div class="month-line">
                <h2>{ title }</h2>
                <p class="num-text" id="month-words">{ month_words(&app, &app.clock, status) }</p>
            </div>
            <a class="month-bar" href={Route::Budgets.href()} aria-label={format!("{}: {}", app.t("nav-budgets"), status.budget.name)}>
                <BudgetBar fraction={status.fraction} elapsed={status.elapsed}
                    forecast={status.forecast.map(|f| (share(f.low), share(f.high)))} />
            </a>
        </section>
    }
}

fn value(amount: Amount) -> f64 {
    match amount {
        Amount::Energy(e) => e.0 as f64,
        Amount::Money(m) => m.0 as f64,
    }
}

fn month_words(app: &App, clock: &Clock, status: &BudgetStatus) -> String {
    let i18n = &app.i18n;
    let mut words = i18n.ta(
        "month-spent",
        [("spent", i18n.amount(status.spent).into()), ("limit", i18n.amount(status.budget.limit).into())],
    );
    if let Some(f) = &status.forecast {
        words.push_str(" · ");
        words.push_str(&i18n.ta("month-ends", [("range", i18n.amount_range(f.low, f.high).into())]));
        if let Some(at) = f.breaks_at {
            let day = i18n.day(i18n.day_of(at), i18n.day_of(clock.now()));
            words.push_str(" · ");
            words.push_str(&i18n.ta("month-breaks", [("day", day.into())]));
        }
    }
    words
}

/// Loads with their power, most first, and what no plug measures.
#[component]
fn Consumers(props: &OverviewProps) -> Html {
    let app = use_ctx();
    let o = &props.overview;
    if o.consumers.is_empty() {
        return html! {
            <section data-testid="consumers">
                <h2>{ app.t("consumers") }</h2>
                <p class="muted">{ app.t("consumers-none") }</p>
            </section>
        };
    }
    let most = o.consumers.iter().filter_map(|c| c.power).chain(o.not_measured).max().unwrap_or(Power::ZERO);
    html! {
        <section class="consumers" data-testid="consumers">
            <h2>{ app.t("consumers") }</h2>
            <ul>
                { for o.consumers.iter().map(|c| html! { <ConsumerRow key={c.meter.to_string()} consumer={c.clone()} {most} /> }) }
                if let Some(rest) = o.not_measured {
                    <li class="consumer rest" data-testid="not-measured">
                        <span class="consumer-name">{ app.t("consumers-rest") }</span>
                        { share_bar(rest, most) }
                        <span class="consumer-power num">{ app.i18n.power(rest).to_string() }</span>
                        <span class="consumer-today" />
                    </li>
                }
            </ul>
        </section>
    }
}

#[derive(PartialEq, Properties)]
struct ConsumerProps {
    consumer: Consumer,
    most: Power,
}

#[component]
fn ConsumerRow(props: &ConsumerProps) -> Html {
    let app = use_ctx();
    let c = &props.consumer;
    let href = Route::History(HistoryQuery { meter: Some(c.meter), ..HistoryQuery::default() }).href();
    html! {
        <li class="consumer">
            <a class="consumer-name" {href}>{ &c.name }</a>
            { share_bar(c.power.unwrap_or_default(), props.most) }
            <span class="consumer-power"><LivePower meter={c.meter} /></span>
            <span class="consumer-today muted num">{ app.i18n.ta("consumer-today", [("energy", app.i18n.energy(c.used).to_string().into())]) }</span>
        </li>
    }
}

/// How large one is beside the largest; the number says it too.
fn share_bar(power: Power, most: Power) -> Html {
    let width = if most.0 > 0 { (power.0.max(0) as f64 / most.0 as f64 * 100.0).round() } else { 0.0 };
    html! {
        <svg class="share" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <rect class="track" width="100" height="6" />
            <rect class="part" width={width.to_string()} height="6" />
        </svg>
    }
}
