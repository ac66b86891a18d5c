//! Meters heard on the network that the household has not decided on yet.

use crate::browser;
use crate::effects::{use_action, use_ctx};
use crate::parts::{Editable, LivePower};
use hearthwatt_api::{AdoptMeters, IgnoreMeter, MeterList, MeterView};
use yew::prelude::*;

#[derive(PartialEq, Properties)]
pub struct FoundProps {
    pub list: Vec<MeterView>,
    pub onlist: Callback<MeterList>,
    /// In the guide there is nothing else yet, so no choice to ignore.
    #[prop_or_default]
    pub plain: bool,
}

#[component]
pub fn Found(props: &FoundProps) -> Html {
    let app = use_ctx();
    let done = {
        let onlist = props.onlist.clone();
        Callback::from(move |list: MeterList| {
            onlist.emit(list);
            // the button that was pressed is gone
            browser::focus("content");
        })
    };
    let adopt = use_action::<AdoptMeters>(done.clone());
    let ignore = use_action::<IgnoreMeter>(done);
    if props.list.is_empty() {
        return html! {};
    }
    let count = props.list.len();
    let all = {
        let adopt = adopt.clone();
        move |_: MouseEvent| adopt.emit(AdoptMeters { ids: vec![] })
    };
    html! {
        <section class="card found" aria-labelledby="meters-found"><Editable>
            <div class="row spread">
                <h2 id="meters-found">{ app.i18n.ta("meter-found", [("n", count.into())]) }</h2>
                <button type="button" class="primary" data-testid="adopt-all" onclick={all}>{ app.i18n.ta("meter-adopt-all", [("n", count.into())]) }</button>
            </div>
            <p class="muted small">{ app.t("meter-found-detail") }</p>
            <ul class="lines">
                { for props.list.iter().map(|v| {
                    let id = v.meter.id;
                    let (adopt, ignore) = (adopt.clone(), ignore.clone());
                    let named = |key: &str| app.i18n.ta(key, [("name", v.meter.name.clone().into())]);
                    html! {
                        <li key={id.to_string()} data-testid="found-meter">
                            <span class="grow">
                                <strong>{ &v.meter.name }</strong>{ " " }
                                <span class="muted small">{ super::row::kind_words(&app.i18n, &v.meter) }</span>
                            </span>
                            <LivePower meter={id} />
                            if !props.plain {
                                <span class="actions">
                                    <button type="button" data-testid="adopt" aria-label={named("meter-adopt-named")}
                                        onclick={move |_| adopt.emit(AdoptMeters { ids: vec![id] })}>{ app.t("meter-adopt") }</button>
                                    <button type="button" class="quiet" data-testid="ignore" aria-label={named("meter-ignore-named")}
                                        onclick={move |_| ignore.emit(IgnoreMeter { id })}>{ app.t("meter-ignore") }</button>
                                </span>
                            }
                        </li>
                    }
                }) }
            </ul>
        </Editable></section>
    }
}
