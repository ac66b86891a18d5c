//! Signed in, but the home of this device is not shared yet: share it, bring another one here, or
//! accept an invitation.

use super::sign_in::AccountProps;
use super::words;
use crate::browser::{self, Timeout};
use crate::effects::{use_account_action, use_ctx};
use crate::forms::Errors;
use crate::forms::fields::{TextField, focus_first};
use hearthwatt_api::{AcceptInvitation, HomeChoice, JoinHome, JoinMode, MemberState, ShareHome};
use yew::prelude::*;

const ACCEPT: &str = "accept";

#[component]
pub fn Homes(props: &AccountProps) -> Html {
    let app = use_ctx();
    let home = app.overview.as_ref().map(|o| o.home_name.clone()).unwrap_or_default();
    let told = app.clone();
    let (share, busy) = use_account_action::<ShareHome>(Callback::from(move |()| {
        told.tell(told.t("sharing-shared"));
        browser::focus("content");
    }));
    let title = match home.trim() {
        "" => app.t("sharing-share-do"),
        name => app.i18n.ta("sharing-share", [("home", name.into())]),
    };
    let others: Vec<HomeChoice> = props.account.homes.iter().filter(|h| !h.here).cloned().collect();
    html! {
        <>
            if let Some(notice) = &props.account.notice {
                <p class="banner warn" role="status" data-testid="sharing-notice">{ words::notice(&app.i18n, notice) }</p>
            }
            if !others.is_empty() {
                <section class="card" aria-labelledby="sharing-homes" data-testid="homes-card">
                    <h2 id="sharing-homes" tabindex="-1">{ app.t("sharing-homes") }</h2>
                    <p class="muted small">{ app.t("sharing-join-what") }</p>
                    <ul class="lines">
                        { for others.iter().map(|h| html! { <Row key={h.id.to_string()} choice={h.clone()} /> }) }
                    </ul>
                </section>
            }
            <section class="card" aria-labelledby="sharing-share">
                <h2 id="sharing-share">{ title }</h2>
                <p class="muted">{ app.t("sharing-share-what") }</p>
                <div class="actions">
                    <button type="button" class="primary" data-testid="share-home" disabled={busy} onclick={move |_| share.emit(ShareHome {})}>{ app.t("sharing-share-do") }</button>
                </div>
            </section>
            <section class="card" aria-labelledby="sharing-invited">
                <h2 id="sharing-invited">{ app.t("sharing-invited") }</h2>
                <Accept />
            </section>
        </>
    }
}

#[derive(PartialEq, Properties)]
struct RowProps {
    choice: HomeChoice,
}

#[component]
fn Row(props: &RowProps) -> Html {
    let app = use_ctx();
    let joining = use_state(|| false);
    let h = &props.choice;
    let named = app.i18n.ta("sharing-join-named", [("home", h.name.clone().into())]);
    let button_id = format!("join-{}", h.id);
    let is_pending = h.state == MemberState::Pending;
    let about = if is_pending { app.t("sharing-home-pending") } else { words::role(&app.i18n, h.role) };
    let begin = {
        let joining = joining.clone();
        move |_: MouseEvent| joining.set(true)
    };
    let close = {
        let (joining, id) = (joining.clone(), button_id.clone());
        Callback::from(move |()| {
            joining.set(false);
            let id = id.clone();
            Timeout::after(0, move || browser::focus(&id)).forget();
        })
    };
    html! {
        <li data-testid="home-row">
            <div class="grow"><strong>{ &h.name }</strong><p class="small muted">{ about }</p></div>
            if !is_pending && !*joining {
                <button type="button" id={button_id} data-testid="join" aria-label={named} onclick={begin}>{ app.t("sharing-join") }</button>
            }
            if *joining {
                <Join choice={h.clone()} onclose={close} />
            }
        </li>
    }
}

#[derive(PartialEq, Properties)]
struct JoinProps {
    choice: HomeChoice,
    onclose: Callback<()>,
}

/// Says what each way does before either is taken.
#[component]
fn Join(props: &JoinProps) -> Html {
    let app = use_ctx();
    let mode = use_state(|| JoinMode::Replace);
    let name = props.choice.name.clone();
    let told = app.clone();
    let said = name.clone();
    let (join, busy) = use_account_action::<JoinHome>(Callback::from(move |()| {
        told.tell(told.i18n.ta("sharing-joined", [("home", said.clone().into())]));
        browser::focus("content");
    }));
    use_effect_with((), |()| browser::focus("join-replace"));
    let named = |key: &str| app.i18n.ta(key, [("home", name.clone().into())]);
    let way = |this: JoinMode, id: &'static str, key: &str| {
        let mode_now = mode.clone();
        html! {
            <label class="way-choice">
                <input type="radio" name="join-mode" {id} value={id} checked={*mode == this} aria-describedby={format!("{id}-what")}
                    onchange={move |_| mode_now.set(this)} />
                <span><strong>{ app.t(key) }</strong></span>
                <span id={format!("{id}-what")} class="small muted">{ named(&format!("{key}-what")) }</span>
            </label>
        }
    };
    let onsubmit = {
        let (mode, home) = (*mode, props.choice.id);
        move |e: SubmitEvent| {
            e.prevent_default();
            join.emit(JoinHome { home, mode });
        }
    };
    let onkeydown = {
        let close = props.onclose.clone();
        move |e: KeyboardEvent| {
            if e.key() == "Escape" {
                e.stop_propagation();
                close.emit(());
            }
        }
    };
    let cancel = {
        let close = props.onclose.clone();
        move |_: MouseEvent| close.emit(())
    };
    let act = match *mode {
        JoinMode::Replace => "sharing-join-do-replace",
        JoinMode::Merge => "sharing-join-do-merge",
    };
    html! {
        <form class="ask" data-testid="join-form" {onsubmit} {onkeydown}>
            <fieldset class="ways">
                <legend>{ app.t("sharing-join-ask") }</legend>
                { way(JoinMode::Replace, "join-replace", "sharing-join-replace") }
                { way(JoinMode::Merge, "join-merge", "sharing-join-merge") }
            </fieldset>
            <div class="actions">
                <button type="submit" class="primary" data-testid="join-do" disabled={busy}>{ named(act) }</button>
                <button type="button" onclick={cancel}>{ app.t("sharing-cancel") }</button>
            </div>
        </form>
    }
}

#[component]
fn Accept() -> Html {
    let app = use_ctx();
    let typed = use_state(String::new);
    let errors = use_state(Errors::default);
    let (accept, busy) = {
        let (app, typed) = (app.clone(), typed.clone());
        use_account_action::<AcceptInvitation>(Callback::from(move |()| {
            typed.set(String::new());
            app.tell(app.t("sharing-accepted"));
        }))
    };
    let onsubmit = {
        let (typed, errors) = (typed.clone(), errors.clone());
        move |e: SubmitEvent| {
            e.prevent_default();
            let mut wrong = Errors::default();
            let code_or_link = typed.trim().to_owned();
            if code_or_link.is_empty() {
                wrong.add("code", "form-error-empty");
            } else {
                accept.emit(AcceptInvitation { code_or_link });
            }
            focus_first(ACCEPT, &wrong);
            errors.set(wrong);
        }
    };
    let oninput = {
        let typed = typed.clone();
        Callback::from(move |v| typed.set(v))
    };
    html! {
        <form class="form narrow" {onsubmit} novalidate=true data-testid="accept-form">
            <TextField form={ACCEPT} name="code" label={app.t("sharing-invitation")} hint={AttrValue::from(app.t("sharing-invitation-hint"))}
                value={(*typed).clone()} error={errors.text(&app.i18n, "code").map(AttrValue::from)} {oninput} />
            <div class="actions"><button type="submit" disabled={busy}>{ app.t("sharing-accept") }</button></div>
        </form>
    }
}
