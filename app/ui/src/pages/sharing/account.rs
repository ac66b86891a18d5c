//! Who is signed in where, and the ways out: of the home, and of the account.

use super::sign_in::AccountProps;
use super::words;
use crate::browser::{self, Timeout};
use crate::effects::{use_account_action, use_ctx};
use crate::forms::ask::Ask;
use hearthwatt_api::{AccountState, LeaveHome, SharedHome, SignOut, TokenStore};
use yew::prelude::*;

const SIGN_OUT: &str = "sign-out";
const KEEP: &str = "sign-out-cancel";

#[component]
pub fn AccountCard(props: &AccountProps) -> Html {
    let app = use_ctx();
    let AccountState::SignedIn { server, name, email, device_name, token_store, .. } = &props.account.state
    else {
        return html! {};
    };
    let at = app.i18n.ta(
        "sharing-account-at",
        [("email", email.clone().into()), ("server", words::server_name(server).into())],
    );
    let token = match token_store {
        TokenStore::Keyring => "sharing-token-keyring",
        TokenStore::File => "sharing-token-file",
    };
    html! {
        <section class="card" aria-labelledby="sharing-account" data-testid="account-card">
            <h2 id="sharing-account">{ app.t("sharing-account") }</h2>
            <dl class="about">
                <div><dt>{ app.t("sharing-account") }</dt><dd><strong data-testid="account-name">{ name }</strong><br /><span class="muted small">{ at }</span></dd></div>
                <div><dt>{ app.t("sharing-device") }</dt><dd>{ device_name }</dd></div>
                <div><dt>{ app.t("sharing-token") }</dt><dd>{ app.t(token) }</dd></div>
            </dl>
            if *token_store == TokenStore::File {
                <p class="banner warn" data-testid="token-file">{ app.t("sharing-token-file-why") }</p>
            }
            <div class="row">
                <SignOutAsk waiting={props.account.sync.waiting} />
                if let Some(home) = props.account.home.clone() {
                    <Leave {home} />
                }
            </div>
        </section>
    }
}

#[derive(PartialEq, Properties)]
struct LeaveProps {
    home: SharedHome,
}

#[component]
fn Leave(props: &LeaveProps) -> Html {
    let app = use_ctx();
    let (told, name) = (app.clone(), props.home.name.clone());
    let (leave, busy) = use_account_action::<LeaveHome>(Callback::from(move |()| {
        told.tell(told.i18n.ta("sharing-left", [("home", name.clone().into())]));
        browser::focus("content");
    }));
    let question = app.i18n.ta("sharing-leave-ask", [("home", props.home.name.clone().into())]);
    html! {
        <Ask id="leave-home" label={app.t("sharing-leave")} {question} confirm={app.t("sharing-leave-do")}
            onconfirm={move |()| leave.emit(LeaveHome {})} then_focus="content" disabled={busy} />
    }
}

#[derive(PartialEq, Properties)]
struct SignOutAskProps {
    /// Changes that only this device has.
    waiting: u32,
}

/// Asks what becomes of the home on this device, and says what each answer does.
#[component]
fn SignOutAsk(props: &SignOutAskProps) -> Html {
    let app = use_ctx();
    let open = use_state(|| false);
    let told = app.clone();
    let (sign_out, busy) = use_account_action::<SignOut>(Callback::from(move |()| {
        told.tell(told.t("sharing-signed-out"));
        browser::focus("content");
    }));
    use_effect_with(*open, |open| {
        if *open {
            browser::focus(KEEP);
        }
    });
    if !*open {
        let ask = {
            let open = open.clone();
            move |_: MouseEvent| open.set(true)
        };
        return html! {
            <button type="button" id={SIGN_OUT} data-testid="sign-out" onclick={ask}>{ app.t("sharing-sign-out") }</button>
        };
    }
    let close = {
        let open = open.clone();
        Callback::from(move |()| {
            open.set(false);
            Timeout::after(0, || browser::focus(SIGN_OUT)).forget();
        })
    };
    let cancel = {
        let close = close.clone();
        move |_: MouseEvent| close.emit(())
    };
    let onkeydown = move |e: KeyboardEvent| {
        if e.key() == "Escape" {
            e.stop_propagation();
            close.emit(());
        }
    };
    let way = |wipe: bool| {
        let sign_out = sign_out.clone();
        let (key, id) = if wipe {
            ("sharing-sign-out-wipe", "sign-out-wipe")
        } else {
            ("sharing-sign-out-keep", "sign-out-keep")
        };
        let onclick = move |_: MouseEvent| sign_out.emit(SignOut { wipe });
        html! {
            <div class="way">
                <button type="button" data-testid={id} aria-describedby={format!("{id}-what")} disabled={busy} {onclick}>{ app.t(key) }</button>
                <div id={format!("{id}-what")} class="small muted">
                    <p>{ app.t(&format!("{key}-what")) }</p>
                    if wipe && props.waiting > 0 {
                        <p class="error">{ app.i18n.ta("sharing-sign-out-waiting", [("n", props.waiting.into())]) }</p>
                    }
                </div>
            </div>
        }
    };
    html! {
        <div class="ask" role="group" aria-label={app.t("sharing-sign-out-ask")} data-testid="sign-out-ask" {onkeydown}>
            <h3>{ app.t("sharing-sign-out-ask") }</h3>
            { way(false) }
            { way(true) }
            <div class="actions"><button type="button" id={KEEP} class="quiet" onclick={cancel}>{ app.t("sharing-cancel") }</button></div>
        </div>
    }
}
