//! The last hours as lines, live at the right edge.

use crate::chart::{Axis, Chart, ChartSpec, Series, Tone, Unit};
use crate::effects::{App, use_ctx, use_query};
use crate::parts::{Choice, Fault};
use crate::series::Rolling;
use crate::state::Topics;
use crate::throttle::{Offer, Throttle};
use hearthwatt_api::{GetLiveSeries, LineKind, LiveWindow};
use std::rc::Rc;
use yew::prelude::*;

const WINDOWS: [(LiveWindow, &str, &str); 3] = [
    (LiveWindow::Hour, "1h", "window-1h"),
    (LiveWindow::SixHours, "6h", "window-6h"),
    (LiveWindow::Day, "24h", "window-24h"),
];

#[component]
pub fn LiveChart() -> Html {
    let app = use_ctx();
    let window = use_state(|| LiveWindow::Hour);
    let query = use_query(GetLiveSeries { window: *window }, Topics::NONE);
    let link = app.link;
    let rolling = use_mut_ref(|| None::<Rolling>);
    let spec = use_state(|| None::<Rc<ChartSpec>>);

    // what was asked for is the start; live values go on from there
    {
        let (rolling, spec, app) = (rolling.clone(), spec.clone(), app.clone());
        let data = query.data.clone();
        let address = data.as_ref().map(|d| Rc::as_ptr(d) as usize);
        use_effect_with((address, app.i18n.clone(), link), move |_| {
            if let Some(series) = data {
                let fresh = Rolling::new((*series).clone());
                spec.set(Some(Rc::new(spec_of(&app, &fresh))));
                *rolling.borrow_mut() = Some(fresh);
            }
        });
    }
    {
        let (rolling, spec, app) = (rolling, spec.clone(), app.clone());
        let i18n = app.i18n.clone();
        use_effect_with((app.live.clone(), i18n), move |(live, _)| {
            let throttle = std::cell::RefCell::new(Throttle::default());
            let tap = live.tap(Callback::from(move |(at, flow)| {
                let mut rolling = rolling.borrow_mut();
                let Some(rolling) = rolling.as_mut() else { return };
                rolling.push(at, &flow);
                if let Offer::Show(()) = throttle.borrow_mut().offer(crate::browser::now(), ()) {
                    spec.set(Some(Rc::new(spec_of(&app, rolling))));
                }
            }));
            move || drop(tap)
        });
    }

    let change = {
        let window = window.clone();
        Callback::from(move |chosen: AttrValue| {
            if let Some((w, ..)) = WINDOWS.iter().find(|(_, v, _)| *v == chosen.as_str()) {
                window.set(*w);
            }
        })
    };
    let current = WINDOWS.iter().find(|(w, ..)| *w == *window).map_or("1h", |(_, v, _)| v);
    html! {
        <section class="live" aria-label={app.t("live-title")}>
            <div class="section-head">
                <h2>{ app.t("live-title") }</h2>
                <Choice id="window" label={app.t("live-window")} value={current}
                    options={WINDOWS.iter().map(|(_, v, key)| ((*v).into(), app.i18n.t(key).into())).collect::<Vec<_>>()}
                    onchange={change} />
            </div>
            { match (&*spec, &query.error) {
                (Some(spec), _) => html! {
                    <Chart id="live-chart" title={app.t("live-title")} spec={spec.clone()} empty={app.t("live-empty")} file="hearthwatt-live" />
                },
                (None, Some(error)) => html! { <Fault error={error.clone()} /> },
                (None, None) => html! { <div class="skeleton block" aria-busy="true" /> },
            } }
        </section>
    }
}

fn spec_of(app: &App, rolling: &Rolling) -> ChartSpec {
    let s = &rolling.series;
    ChartSpec {
        axis: Axis::Time { start: s.start, step_ms: s.step_ms },
        unit: Unit::Watts,
        series: s
            .lines
            .iter()
            .filter(|l| l.points.iter().any(Option::is_some))
            .map(|l| {
                let (key, tone) = match l.line {
                    LineKind::Home => ("role-home", Tone::Usage),
                    LineKind::Grid => ("role-grid", Tone::Grid),
                    LineKind::Solar => ("role-solar", Tone::Solar),
                    LineKind::Battery => ("role-battery", Tone::Battery),
                };
                Series { name: app.i18n.t(key), tone, values: Rc::from(l.points.as_slice()) }
            })
            .collect(),
    }
}
