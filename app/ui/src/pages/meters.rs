//! *Meters*: is everything alive and understood? What was found stands on top.

mod editor;
pub mod found;
mod row;
pub mod seen;
pub mod tree;

use crate::browser::{self, Interval};
use crate::effects::{use_action, use_ctx, use_query};
use crate::parts::{Editable, Fault, LockedReason, PageHead};
use crate::state::Topics;
use editor::Editor;
use found::Found;
use hearthwatt_api::{AdoptMeters, ListMeters, ListRefusals, MeterList, MeterView, Refusal};
use hearthwatt_domain::ids::MeterId;
use row::Row;
use seen::SeenList;
use yew::prelude::*;

/// "Last seen" and "used today" grow old without an event.
const REFRESH_MS: i32 = 10_000;

#[component]
pub fn Meters() -> Html {
    let app = use_ctx();
    let query = use_query(ListMeters {}, Topics::METERS);
    let editing = use_state(|| None::<MeterId>);
    let setter = query.setter();
    use_refresh(setter.clone());
    use_effect_with(query.data.clone(), {
        let live = app.live.clone();
        move |data| {
            if let Some(list) = data {
                live.publish_powers(list.adopted.iter().chain(&list.found).map(|v| (v.meter.id, v.power)));
            }
        }
    });

    let Some(list) = query.data.clone() else {
        return html! {
            <>
                <PageHead title={app.t("nav-meters")} />
                if let Some(error) = query.error.clone() {
                    <Fault {error} />
                }
            </>
        };
    };
    let onedit = {
        let editing = editing.clone();
        Callback::from(move |id| editing.set(Some(id)))
    };
    let onclose = {
        let editing = editing.clone();
        Callback::from(move |id: MeterId| {
            editing.set(None);
            browser::Timeout::after(0, move || browser::focus(&row::edit_id(id))).forget();
        })
    };
    let onsaved = {
        let (setter, onclose) = (setter.clone(), onclose.clone());
        Callback::from(move |(id, list): (MeterId, MeterList)| {
            setter.emit(list);
            onclose.emit(id);
        })
    };
    let nothing = list.adopted.is_empty() && list.found.is_empty();
    html! {
        <>
            <PageHead title={app.t("nav-meters")} />
            if let Some(error) = query.error.clone() {
                <Fault {error} />
            }
            <LockedReason />
            <div class="stack sections">
                <Found list={list.found.clone()} onlist={setter.clone()} />
                if nothing {
                    <div class="empty">
                        <h2>{ app.t("meter-none") }</h2>
                        <p>{ app.t("meter-none-do") }{ " " }<a href="#/home">{ app.t("meter-to-brokers") }</a></p>
                    </div>
                }
                if !list.adopted.is_empty() {
                    <section aria-labelledby="meters-adopted">
                        <h2 id="meters-adopted">{ app.t("meter-adopted") }</h2>
                        <Editable><ul class="meters">
                            { for tree::tree(&list.adopted).into_iter().map(|branch| {
                                let id = branch.view.meter.id;
                                if *editing == Some(id) {
                                    html! { <li key={id.to_string()}><Editor view={branch.view.clone()} all={list.adopted.clone()} onsaved={onsaved.clone()} onclose={onclose.clone()} /></li> }
                                } else {
                                    html! { <Row key={id.to_string()} view={branch.view.clone()} depth={branch.depth} onedit={onedit.clone()} onlist={setter.clone()} /> }
                                }
                            }) }
                        </ul></Editable>
                    </section>
                }
                <SeenList seen={list.seen.clone()} />
                <Ignored list={list.ignored.clone()} onlist={setter} />
                if list.refused_elsewhere > 0 {
                    <Refused title={app.i18n.ta("meter-refused-elsewhere", [("n", list.refused_elsewhere.into())])} meter={None::<MeterId>} />
                }
            </div>
        </>
    }
}

#[hook]
fn use_refresh(set: Callback<MeterList>) {
    let app = use_ctx();
    let latest = use_mut_ref(|| set.clone());
    *latest.borrow_mut() = set;
    use_effect_with((), move |()| {
        let timer = Interval::every(REFRESH_MS, move || {
            let (backend, latest) = (app.backend.clone(), latest.clone());
            wasm_bindgen_futures::spawn_local(async move {
                if let Ok(list) = backend.call(ListMeters {}).await {
                    let set = latest.borrow().clone();
                    set.emit(list);
                }
            });
        });
        move || drop(timer)
    });
}

#[derive(PartialEq, Properties)]
struct IgnoredProps {
    list: Vec<MeterView>,
    onlist: Callback<MeterList>,
}

/// What the household does not want to see, and the way back.
#[component]
fn Ignored(props: &IgnoredProps) -> Html {
    let app = use_ctx();
    let adopt = use_action::<AdoptMeters>(props.onlist.clone());
    if props.list.is_empty() {
        return html! {};
    }
    html! {
        <details class="more" data-testid="ignored-meters">
            <summary>{ app.i18n.ta("meter-ignored", [("n", props.list.len().into())]) }</summary>
            <Editable><ul class="lines">
                { for props.list.iter().map(|v| {
                    let (adopt, id) = (adopt.clone(), v.meter.id);
                    let label = app.i18n.ta("meter-bring-back-named", [("name", v.meter.name.clone().into())]);
                    html! {
                        <li key={id.to_string()}>
                            <span>{ &v.meter.name }</span>
                            <button type="button" aria-label={label} onclick={move |_| adopt.emit(AdoptMeters { ids: vec![id] })}>{ app.t("meter-bring-back") }</button>
                        </li>
                    }
                }) }
            </ul></Editable>
        </details>
    }
}

#[derive(PartialEq, Properties)]
pub struct RefusedProps {
    pub title: AttrValue,
    pub meter: Option<MeterId>,
}

/// Messages that were not understood, and why; asked for only when opened.
#[component]
pub fn Refused(props: &RefusedProps) -> Html {
    let open = use_state(|| false);
    let ontoggle = {
        let open = open.clone();
        move |e: Event| {
            let is_open = e.target_dyn_into::<web_sys::Element>().is_some_and(|d| d.has_attribute("open"));
            open.set(is_open);
        }
    };
    html! {
        <details class="more" data-testid="refused" {ontoggle}>
            <summary>{ &props.title }</summary>
            if *open {
                <RefusedList meter={props.meter} />
            }
        </details>
    }
}

#[derive(PartialEq, Properties)]
struct RefusedListProps {
    meter: Option<MeterId>,
}

#[component]
fn RefusedList(props: &RefusedListProps) -> Html {
    let app = use_ctx();
    let query = use_query(ListRefusals { meter: props.meter }, Topics::METERS);
    let line = |r: &Refusal| {
        html! {
            <li>
                <span class="muted small num">{ app.i18n.moment(r.at, app.clock.now()) }</span>
                <span>{ &r.reason }</span>
                <code class="small">{ &r.topic }</code>
            </li>
        }
    };
    html! {
        <>
            <p class="small muted">{ app.t("meter-refused-meaning") }</p>
            if let Some(error) = query.error.clone() {
                <Fault {error} />
            }
            <ul class="refusals">{ for query.data.iter().flat_map(|l| l.iter()).map(line) }</ul>
        </>
    }
}
