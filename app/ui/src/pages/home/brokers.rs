//! The brokers the home listens to: state in words, add, edit, delete, and the one of our own.

use super::broker_form::BrokerForm;
use crate::browser;
use crate::effects::{use_action, use_ctx, use_query};
use crate::forms::Errors;
use crate::forms::edit::use_edit;
use crate::forms::fields::{CheckField, TextField};
use crate::i18n::Lang;
use crate::parts::Fault;
use crate::state::Topics;
use hearthwatt_api::{
    BrokerOrigin, BrokerState, BrokerView, DeleteBroker, ListBrokers, SaveBroker, SetOwnBroker,
};
use hearthwatt_domain::ids::BrokerId;
use yew::prelude::*;

const FORM: &str = "broker-form";
const ADD_BUTTON: &str = "broker-add";

#[component]
pub fn Brokers() -> Html {
    let app = use_ctx();
    let query = use_query(ListBrokers {}, Topics::BROKERS);
    let editing = use_state(|| None::<BrokerForm>);
    let deleting = use_state(|| None::<BrokerId>);
    let list: Vec<BrokerView> = query.data.as_ref().map(|l| (**l).clone()).unwrap_or_default();
    let own = list.iter().find(|b| b.origin == BrokerOrigin::Own).cloned();

    let begin = {
        let editing = editing.clone();
        move |_: MouseEvent| editing.set(Some(BrokerForm::new(BrokerId(browser::random_uuid()))))
    };
    let close = {
        let editing = editing.clone();
        Callback::from(move |()| {
            editing.set(None);
            browser::Timeout::after(0, || browser::focus(ADD_BUTTON)).forget();
        })
    };
    let saved = {
        let (set, close) = (query.setter(), close.clone());
        Callback::from(move |list: Vec<BrokerView>| {
            set.emit(list);
            close.emit(());
        })
    };
    let delete = {
        let (set, deleting) = (query.setter(), deleting.clone());
        use_action::<DeleteBroker>(Callback::from(move |list| {
            set.emit(list);
            deleting.set(None);
            browser::Timeout::after(0, || browser::focus(ADD_BUTTON)).forget();
        }))
    };
    html! {
        <section class="card" aria-labelledby="home-brokers">
            <div class="row spread">
                <h2 id="home-brokers">{ app.t("broker-title") }</h2>
                <button type="button" id={ADD_BUTTON} data-testid="broker-add" onclick={begin}>{ app.t("broker-add") }</button>
            </div>
            <p class="muted small">{ app.t("broker-what") }</p>
            if let Some(error) = query.error.clone() {
                <Fault {error} />
            }
            if let Some(initial) = (*editing).clone() {
                <BrokerEditor key={initial.id.to_string()} initial={initial.clone()} onsaved={saved} onclose={close} />
            }
            <ul class="lines brokers">
                { for list.iter().map(|b| {
                    let (editing, for_edit) = (editing.clone(), b.clone());
                    let named = |key: &str| app.i18n.ta(key, [("host", b.host.clone().into())]);
                    let (class, state) = state_words(b.state);
                    let id = b.id;
                    let ask = { let deleting = deleting.clone(); move |_: MouseEvent| deleting.set(Some(id)) };
                    let keep = { let deleting = deleting.clone(); move |_: MouseEvent| { deleting.set(None); browser::focus(ADD_BUTTON) } };
                    let delete = delete.clone();
                    html! {
                        <li key={id.to_string()} data-testid="broker-row">
                            <div class="grow">
                                <strong>{ format!("{}:{}", b.host, b.port) }</strong>{ " " }
                                <span class={classes!("state", class)} data-testid="broker-state">{ app.t(state) }</span>
                                <p class="small muted">{ about(&app.i18n, b, app.clock.now()) }</p>
                                if !b.detail.is_empty() && app.notices.iter().all(|n| n.broker != Some(id)) {
                                    <p class="small">{ &b.detail }</p>
                                }
                                { for app.notices.iter().filter(|n| n.broker == Some(id)).map(|n| html! { <p class="small error">{ app.i18n.notice(n) }</p> }) }
                            </div>
                            if *deleting == Some(id) {
                                <div class="ask" role="group" aria-label={named("broker-delete-ask")}>
                                    <p class="small">{ named("broker-delete-ask") }</p>
                                    <span class="actions">
                                        <button type="button" class="primary" onclick={move |_| delete.emit(DeleteBroker { id })}>{ app.t("form-delete") }</button>
                                        <button type="button" onclick={keep}>{ app.t("form-keep") }</button>
                                    </span>
                                </div>
                            } else if b.origin != BrokerOrigin::Own {
                                <span class="actions">
                                    <button type="button" class="quiet" aria-label={named("broker-edit-named")}
                                        onclick={move |_| editing.set(Some(BrokerForm::of(&for_edit)))}>{ app.t("form-edit") }</button>
                                    <button type="button" class="quiet" aria-label={named("broker-delete-named")} onclick={ask}>{ app.t("form-delete") }</button>
                                </span>
                            }
                        </li>
                    }
                }) }
            </ul>
            <OwnBroker {own} onlist={query.setter()} />
        </section>
    }
}

fn state_words(state: BrokerState) -> (&'static str, &'static str) {
    match state {
        BrokerState::Connecting => ("warn", "broker-state-connecting"),
        BrokerState::Connected => ("ok", "broker-state-connected"),
        BrokerState::Unreachable => ("over", "broker-state-unreachable"),
        BrokerState::BadCredentials => ("over", "broker-state-credentials"),
        BrokerState::BadCertificate => ("over", "broker-state-certificate"),
        BrokerState::Disabled => ("warn", "broker-state-disabled"),
    }
}

fn about(i18n: &crate::i18n::I18n, b: &BrokerView, now: hearthwatt_domain::time::UnixMillis) -> String {
    let origin = i18n.t(match b.origin {
        BrokerOrigin::Manual => "broker-origin-manual",
        BrokerOrigin::Found => "broker-origin-found",
        BrokerOrigin::Own => "broker-origin-own",
    });
    let mut parts = vec![origin];
    if b.tls {
        parts.push(i18n.t("broker-encrypted"));
    }
    parts.push(i18n.ta("since", [("when", i18n.moment(b.since, now).into())]));
    let count = i18n.decimal(b.messages as f64, 0);
    parts.push(i18n.ta("broker-messages", [("n", count.into())]));
    if b.lost > 0 {
        parts.push(i18n.ta("broker-lost", [("n", b.lost.into())]));
    }
    parts.join(" · ")
}

#[derive(PartialEq, Properties)]
pub struct OwnBrokerProps {
    pub own: Option<BrokerView>,
    pub onlist: Callback<Vec<BrokerView>>,
}

/// "Let this computer be the broker."
#[component]
pub fn OwnBroker(props: &OwnBrokerProps) -> Html {
    let app = use_ctx();
    let switch = use_action::<SetOwnBroker>(props.onlist.clone());
    let on = props.own.as_ref().is_some_and(|b| b.state != BrokerState::Disabled);
    let onchange = Callback::from(move |enabled| switch.emit(SetOwnBroker { enabled }));
    html! {
        <CheckField form={FORM} name="own-broker" label={app.t("broker-own")} hint={AttrValue::from(app.t("broker-own-hint"))} checked={on} {onchange} />
    }
}

#[derive(PartialEq, Properties)]
pub struct BrokerEditorProps {
    pub initial: BrokerForm,
    pub onsaved: Callback<Vec<BrokerView>>,
    pub onclose: Callback<()>,
    /// In the guide the form is not asked for, so it takes no focus and can't be closed.
    #[prop_or_default]
    pub always: bool,
}

fn parse(form: &mut BrokerForm, _: Lang) -> Result<SaveBroker, Errors> {
    let host = form.host.clone();
    form.set_host(&host);
    form.parse().map(|broker| SaveBroker { broker })
}

#[component]
pub fn BrokerEditor(props: &BrokerEditorProps) -> Html {
    let app = use_ctx();
    let initial = props.initial.clone();
    let first = (!props.always).then_some("host");
    let form = use_edit(FORM, first, move || initial, parse, props.onsaved.clone(), props.onclose.clone());
    let tidy = form.change(|f, ()| {
        let host = f.host.clone();
        f.set_host(&host);
    });
    let text = |field: &str| form.error(field);
    let password_hint = form.has_password.then(|| AttrValue::from(app.t("broker-password-kept")));
    html! {
        <form class="form inset" data-testid="broker-form" onsubmit={form.onsubmit.clone()} onkeydown={form.onkeydown.clone()} novalidate=true aria-label={app.t("broker-form")}>
            <div class="pair wide-left">
                <TextField form={FORM} name="host" label={app.t("broker-host")} value={form.host.clone()} error={text("host")} placeholder={AttrValue::from("192.168.1.4")}
                    inputmode={AttrValue::from("url")} oninput={form.change(|f, v: String| f.host = v)} onblur={tidy} />
                <TextField form={FORM} name="port" label={app.t("broker-port")} value={form.port.clone()} error={text("port")} inputmode={AttrValue::from("numeric")}
                    oninput={form.change(|f, v: String| f.port = v)} />
            </div>
            <div class="pair">
                <TextField form={FORM} name="username" label={app.t("broker-user")} value={form.username.clone()} error={text("username")}
                    oninput={form.change(|f, v: String| f.username = v)} />
                <TextField form={FORM} name="password" kind="password" label={app.t("broker-password")} value={form.password.clone()} error={text("password")} hint={password_hint}
                    autocomplete="new-password" oninput={form.change(|f, v: String| f.password = v)} />
            </div>
            if form.has_password {
                <CheckField form={FORM} name="forget-password" label={app.t("broker-password-forget")} checked={form.forget_password}
                    onchange={form.change(|f, v: bool| f.forget_password = v)} />
            }
            <CheckField form={FORM} name="tls" label={app.t("broker-tls")} checked={form.tls} onchange={form.change(|f, v: bool| f.set_tls(v))} />
            if form.tls {
                <TextField form={FORM} name="ca" tall=true label={app.t("broker-ca")} hint={AttrValue::from(app.t("broker-ca-hint"))} value={form.ca_pem.clone()} error={text("ca")}
                    oninput={form.change(|f, v: String| f.ca_pem = v)} />
            }
            <div class="actions">
                <button type="submit" class="primary" data-testid="broker-save" disabled={form.busy}>{ app.t("broker-save") }</button>
                if !props.always {
                    <button type="button" onclick={form.oncancel.clone()}>{ app.t("form-cancel") }</button>
                }
            </div>
        </form>
    }
}
