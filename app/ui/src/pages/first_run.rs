//! The first minutes: what is on the network, and how to get it to speak.

use super::home::broker_form::BrokerForm;
use super::home::brokers::{BrokerEditor, OwnBroker};
use super::meters::found::Found;
use super::meters::seen::{BRANDS, BrandSteps, SeenList};
use crate::browser::{self, Timeout};
use crate::effects::{use_action, use_ctx, use_query};
use crate::parts::Fault;
use crate::route::Route;
use crate::state::Topics;
use hearthwatt_api::{BrokerOrigin, BrokerState, ListBrokers, ListMeters, Overview, StartDemo};
use hearthwatt_domain::ids::BrokerId;
use hearthwatt_domain::time::UnixMillis;
use jiff::civil::Date;
use std::rc::Rc;
use yew::prelude::*;

/// How long nothing may come before the other ways are shown.
const PATIENCE_MS: i64 = 10_000;
const FIRST_DAY_KEY: &str = "hearthwatt-first-day";
const ASKED_KEY: &str = "hearthwatt-asked-for-tariff";

#[derive(PartialEq, Properties)]
pub struct FirstRunProps {
    pub overview: Rc<Overview>,
}

/// Milliseconds until the other ways are due; zero when they are.
fn patience_left(looking_since: UnixMillis, now: UnixMillis) -> i64 {
    // a clock set back must not make anyone wait longer
    (PATIENCE_MS - now.since(looking_since)).clamp(0, PATIENCE_MS)
}

/// In place of *Now* for as long as no meter is adopted.
#[component]
pub fn FirstRun(props: &FirstRunProps) -> Html {
    let app = use_ctx();
    let meters = use_query(ListMeters {}, Topics::METERS);
    let left = patience_left(props.overview.looking_since, app.clock.now());
    let patient = use_state(|| left > 0);
    {
        let patient = patient.clone();
        use_effect_with((), move |()| {
            let timer = Timeout::after(i32::try_from(left).unwrap_or(0), move || patient.set(false));
            move || drop(timer)
        });
    }
    let list = meters.data.clone();
    use_effect_with(list.clone(), {
        let live = app.live.clone();
        move |list| {
            if let Some(list) = list {
                live.publish_powers(list.found.iter().map(|v| (v.meter.id, v.power)));
            }
        }
    });
    let found = list.as_ref().map_or(0, |l| l.found.len());
    let nothing = found == 0 && !*patient;
    let status = match found {
        0 if nothing => app.t("guide-nothing-yet"),
        0 => app.t("guide-looking-detail"),
        n => app.i18n.ta("guide-found", [("n", n.into())]),
    };
    html! {
        <section id="first-run" data-testid="first-run" class="stack guide">
            <div>
                <h1 class="looking">{ app.t("first-run-looking") }</h1>
                <p role="status">{ status }</p>
            </div>
            if let Some(error) = meters.error.clone() {
                <Fault {error} />
            }
            if let Some(list) = &list {
                <Found list={list.found.clone()} onlist={meters.setter()} plain=true />
                <SeenList seen={list.seen.clone()} />
            }
            if nothing {
                <Ways />
            }
            <AlreadyShared />
            <Demo />
        </section>
    }
}

/// Three plain ways to a first reading.
#[component]
fn Ways() -> Html {
    let app = use_ctx();
    let brokers = use_query(ListBrokers {}, Topics::BROKERS);
    let form = use_memo((), |()| BrokerForm::new(BrokerId(browser::random_uuid())));
    let own = brokers.data.iter().flat_map(|l| l.iter()).find(|b| b.origin == BrokerOrigin::Own).cloned();
    let others = brokers.data.iter().flat_map(|l| l.iter()).filter(|b| b.origin != BrokerOrigin::Own);
    let known: Vec<String> = others
        .map(|b| {
            let key = match b.state {
                BrokerState::Connected => "guide-broker-connected",
                BrokerState::Connecting => "guide-broker-connecting",
                _ => "guide-broker-failing",
            };
            app.i18n.ta(key, [("host", b.host.clone().into())])
        })
        .collect();
    html! {
        <>
            <section class="card" aria-labelledby="way-brand">
                <h2 id="way-brand">{ app.t("guide-way-brand") }</h2>
                <p>{ app.t("guide-way-brand-detail") }</p>
                { for BRANDS.into_iter().map(|brand| html! {
                    <details class="more" key={brand} data-testid={format!("guide-{brand}")}>
                        <summary>{ app.t(&format!("guide-brand-{brand}")) }</summary>
                        <BrandSteps {brand} />
                    </details>
                }) }
            </section>
            <section class="card" aria-labelledby="way-broker">
                <h2 id="way-broker">{ app.t("guide-way-broker") }</h2>
                <p>{ app.t("guide-way-broker-detail") }</p>
                { for known.into_iter().map(|words| html! { <p class="small" role="status">{ words }</p> }) }
                <BrokerEditor initial={(*form).clone()} always=true onsaved={brokers.setter()} onclose={Callback::noop()} />
            </section>
            <section class="card" aria-labelledby="way-own">
                <h2 id="way-own">{ app.t("guide-way-own") }</h2>
                <OwnBroker own={own.clone()} onlist={brokers.setter()} />
                if let Some(own) = own.filter(|b| b.state != BrokerState::Disabled) {
                    <p role="status">{ app.i18n.ta("guide-own-address", [("host", own.host.into()), ("port", own.port.to_string().into())]) }</p>
                }
            </section>
        </>
    }
}

/// The second device of a home does not begin anew.
#[component]
fn AlreadyShared() -> Html {
    let app = use_ctx();
    html! {
        <section class="row demo-offer" aria-labelledby="guide-shared">
            <div class="grow">
                <h2 id="guide-shared">{ app.t("guide-shared") }</h2>
                <p class="muted">{ app.t("guide-shared-detail") }</p>
            </div>
            <a class="button" href={Route::Sharing.href()} data-testid="guide-shared">{ app.t("guide-shared-do") }</a>
        </section>
    }
}

/// A look around without any meter.
#[component]
fn Demo() -> Html {
    let app = use_ctx();
    let busy = use_state(|| false);
    let start = use_action::<StartDemo>(Callback::noop());
    let onclick = {
        let busy = busy.clone();
        move |_: MouseEvent| {
            busy.set(true);
            start.emit(StartDemo {});
            // if it fails, the message says so and the button is there again
            let busy = busy.clone();
            Timeout::after(5_000, move || busy.set(false)).forget();
        }
    };
    html! {
        <section class="row demo-offer" aria-labelledby="try-demo-title">
            <div class="grow">
                <h2 id="try-demo-title">{ app.t("guide-demo") }</h2>
                <p class="muted">{ app.t("guide-demo-detail") }</p>
            </div>
            <button type="button" data-testid="try-demo" disabled={*busy} {onclick}>{ app.t("guide-demo-try") }</button>
        </section>
    }
}

#[derive(PartialEq, Properties)]
pub struct TariffAskProps {
    pub overview: Rc<Overview>,
}

/// Whether today is the day to ask for the price: the second or a later one, and never asked.
fn is_day_to_ask(first: Option<Date>, today: Date, asked: bool, o: &Overview) -> bool {
    !asked && !o.has_tariff && !o.demo && o.adopted_meters > 0 && first.is_some_and(|f| f < today)
}

/// On the second day without a tariff: one sentence, once.
#[component]
pub fn TariffAsk(props: &TariffAskProps) -> Html {
    let app = use_ctx();
    let answered = use_state(|| browser::stored(ASKED_KEY).is_some());
    let today = app.today();
    let first = browser::stored(FIRST_DAY_KEY).and_then(|d| d.parse::<Date>().ok());
    let begun = props.overview.adopted_meters > 0 && !props.overview.demo;
    use_effect_with((begun, first), move |(begun, first)| {
        if *begun && first.is_none() {
            browser::store(FIRST_DAY_KEY, &today.to_string());
        }
    });
    if !is_day_to_ask(first, today, *answered, &props.overview) {
        return html! {};
    }
    let done = {
        let answered = answered.clone();
        Callback::from(move |_: MouseEvent| {
            browser::store(ASKED_KEY, "yes");
            answered.set(true);
        })
    };
    html! {
        <p class="banner ask" data-testid="tariff-ask">
            <span>{ app.t("guide-tariff") }</span>
            <span class="actions">
                <a class="button primary" href={Route::Home.href()} onclick={done.clone()}>{ app.t("guide-tariff-enter") }</a>
                <button type="button" class="quiet" onclick={done}>{ app.t("guide-tariff-later") }</button>
            </span>
        </p>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearthwatt_api::{Flow, Totals};
    use jiff::civil::date;

    fn overview() -> Overview {
        Overview {
            at: UnixMillis(0),
            home_name: "Home".into(),
            time_zone: "Europe/Berlin".into(),
            currency: "EUR".into(),
            demo: false,
            flow: Flow::default(),
            verdict: None,
            today: Totals::default(),
            today_hours: vec![],
            month: None,
            consumers: vec![],
            not_measured: None,
            has_tariff: false,
            open_alerts: 0,
            found_meters: 0,
            adopted_meters: 2,
            looking_since: UnixMillis(0),
        }
    }

    #[test]
    fn the_price_is_asked_for_on_the_second_day_and_once() {
        let (first, second) = (date(2026, 11, 22), date(2026, 11, 23));
        let o = overview();
        assert!(!is_day_to_ask(None, first, false, &o));
        assert!(!is_day_to_ask(Some(first), first, false, &o));
        assert!(is_day_to_ask(Some(first), second, false, &o));
        assert!(!is_day_to_ask(Some(first), second, true, &o));
        for o in [
            Overview { has_tariff: true, ..overview() },
            Overview { demo: true, ..overview() },
            Overview { adopted_meters: 0, ..overview() },
        ] {
            assert!(!is_day_to_ask(Some(first), second, false, &o));
        }
    }

    #[test]
    fn patience_ends_after_ten_seconds_whatever_the_clock_does() {
        let t = UnixMillis;
        assert_eq!(patience_left(t(0), t(4_000)), 6_000);
        assert_eq!(patience_left(t(0), t(60_000)), 0);
        assert_eq!(patience_left(t(1_000_000), t(0)), 10_000);
    }
}
