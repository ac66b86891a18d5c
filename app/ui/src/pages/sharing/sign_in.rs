//! Signed out, and on the way in.

use super::INVITATION_KEY;
use super::address::{parse_server, server_of_invitation};
use super::carry::{CopyField, QrCode};
use super::words;
use crate::browser::{self, Timeout};
use crate::effects::{use_account_action, use_ctx};
use crate::forms::Errors;
use crate::forms::fields::{TextField, focus_first};
use crate::i18n::I18n;
use hearthwatt_api::{Account, AccountState, CancelSignIn, SignIn};
use std::rc::Rc;
use yew::prelude::*;

const FORM: &str = "sign-in";
const INVITED: &str = "invited";

#[derive(PartialEq, Properties)]
pub struct AccountProps {
    pub account: Rc<Account>,
}

/// The address comes from a server: nothing but a page may hide behind a link.
fn is_web(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// The form that had the focus is gone.
fn to_the_way_in() {
    Timeout::after(50, || browser::focus("signing-in")).forget();
}

/// The lines of a text as a list.
fn list(i18n: &I18n, key: &str) -> Html {
    html! { <ul class="plain">{ for i18n.t(key).lines().map(|l| html! { <li>{ l.to_owned() }</li> }) }</ul> }
}

#[component]
pub fn SignedOut(props: &AccountProps) -> Html {
    let app = use_ctx();
    html! {
        <>
            if let Some(notice) = &props.account.notice {
                <p class="banner warn" role="status" data-testid="sharing-notice">{ words::notice(&app.i18n, notice) }</p>
            }
            <section class="card" aria-labelledby="sharing-what">
                <h2 id="sharing-what">{ app.t("sharing-title") }</h2>
                <p>{ app.t("sharing-what") }</p>
                <div class="pair goes">
                    <div><h3>{ app.t("sharing-goes") }</h3>{ list(&app.i18n, "sharing-goes-list") }</div>
                    <div><h3>{ app.t("sharing-stays") }</h3>{ list(&app.i18n, "sharing-stays-list") }</div>
                </div>
                <p class="muted">{ app.t("sharing-without") }</p>
                <SignInForm last={props.account.last_server.clone()} />
            </section>
            <section class="card" aria-labelledby="sharing-invited">
                <h2 id="sharing-invited">{ app.t("sharing-invited") }</h2>
                <p class="muted small">{ app.t("sharing-invited-what") }</p>
                <InvitedForm />
            </section>
        </>
    }
}

#[derive(PartialEq, Properties)]
struct SignInFormProps {
    last: Option<String>,
}

#[component]
fn SignInForm(props: &SignInFormProps) -> Html {
    let app = use_ctx();
    let typed = use_state(|| props.last.clone().unwrap_or_default());
    let errors = use_state(Errors::default);
    let (sign_in, busy) = use_account_action::<SignIn>(Callback::from(|()| to_the_way_in()));
    let onsubmit = {
        let (typed, errors) = (typed.clone(), errors.clone());
        move |e: SubmitEvent| {
            e.prevent_default();
            let mut wrong = Errors::default();
            if let Some(server) = wrong.take("server", parse_server(&typed)) {
                browser::set_session(INVITATION_KEY, "");
                sign_in.emit(SignIn { server });
            }
            focus_first(FORM, &wrong);
            errors.set(wrong);
        }
    };
    let oninput = {
        let typed = typed.clone();
        Callback::from(move |v| typed.set(v))
    };
    html! {
        <form class="form narrow" {onsubmit} novalidate=true data-testid="sign-in-form">
            <TextField form={FORM} name="server" kind="url" inputmode={AttrValue::from("url")} label={app.t("sharing-server")}
                hint={AttrValue::from(app.t("sharing-server-hint"))} value={(*typed).clone()}
                error={errors.text(&app.i18n, "server").map(AttrValue::from)} {oninput} />
            <div class="actions">
                <button type="submit" class="primary" data-testid="sign-in" disabled={busy}>{ app.t("sharing-sign-in") }</button>
            </div>
        </form>
    }
}

/// An invitation names its server: signing in there comes first, accepting by itself.
#[component]
fn InvitedForm() -> Html {
    let app = use_ctx();
    let typed = use_state(String::new);
    let errors = use_state(Errors::default);
    let (sign_in, busy) = use_account_action::<SignIn>(Callback::from(|()| to_the_way_in()));
    let onsubmit = {
        let (typed, errors) = (typed.clone(), errors.clone());
        move |e: SubmitEvent| {
            e.prevent_default();
            let mut wrong = Errors::default();
            let server = server_of_invitation(&typed).ok_or("sharing-error-invitation");
            if let Some(server) = wrong.take("link", server) {
                browser::set_session(INVITATION_KEY, typed.trim());
                sign_in.emit(SignIn { server });
            }
            focus_first(INVITED, &wrong);
            errors.set(wrong);
        }
    };
    let oninput = {
        let typed = typed.clone();
        Callback::from(move |v| typed.set(v))
    };
    html! {
        <form class="form narrow" {onsubmit} novalidate=true data-testid="invited-form">
            <TextField form={INVITED} name="link" kind="url" inputmode={AttrValue::from("url")} label={app.t("sharing-invitation-link")}
                hint={AttrValue::from(app.t("sharing-invitation-hint"))} value={(*typed).clone()}
                error={errors.text(&app.i18n, "link").map(AttrValue::from)} {oninput} />
            <div class="actions">
                <button type="submit" disabled={busy}>{ app.t("sharing-accept-signed-out") }</button>
            </div>
        </form>
    }
}

/// The way goes through a browser: of this computer, or of any device with the code.
#[component]
pub fn SigningIn(props: &AccountProps) -> Html {
    let app = use_ctx();
    // only the program can send the system's browser anywhere
    let (again, asking) = use_account_action::<SignIn>(Callback::noop());
    let (cancel, cancelling) = use_account_action::<CancelSignIn>(Callback::from(|()| {
        browser::set_session(INVITATION_KEY, "");
        browser::focus("content");
    }));
    let cancel = move |_: MouseEvent| cancel.emit(CancelSignIn {});
    let AccountState::SigningIn {
        server,
        url,
        user_code,
        verification_uri,
        verification_uri_complete,
        expires_at,
    } = &props.account.state
    else {
        return html! {};
    };
    let busy = asking || cancelling;
    let again = {
        let server = server.clone();
        move |_: MouseEvent| again.emit(SignIn { server: server.clone() })
    };
    let named = app.i18n.ta("sharing-signing-in", [("server", words::server_name(server).into())]);
    let way = match (user_code, verification_uri) {
        (Some(code), Some(page)) => {
            let direct = verification_uri_complete.as_ref().unwrap_or(page);
            html! {
                <div class="carry">
                    <div class="carry-words">
                        <p>{ app.t("sharing-code-how") }<br /><a href={is_web(direct).then(|| direct.clone())} target="_blank" rel="noopener" data-testid="sign-in-link">{ page }</a></p>
                        <p>{ app.t("sharing-code-enter") }</p>
                        <p class="user-code" data-testid="user-code">{ code }</p>
                        if let Some(at) = expires_at {
                            <p class="muted small">{ app.i18n.ta("sharing-code-until", [("time", app.i18n.time(*at).into())]) }</p>
                        }
                    </div>
                    <div class="carry-code">
                        <p class="small">{ app.t("sharing-code-scan") }</p>
                        <QrCode text={direct.clone()} label={app.t("sharing-code-qr")} />
                    </div>
                </div>
            }
        }
        _ => match url {
            Some(url) => html! {
                <>
                    <p>{ app.t("sharing-browser") }</p>
                    <p class="row">{ app.t("sharing-browser-again") }
                        <button type="button" data-testid="sign-in-again" disabled={busy} onclick={again}>{ app.t("sharing-browser-link") }</button></p>
                    <CopyField id="sign-in-url" label={app.t("sharing-copy-link")} text={url.clone()} />
                </>
            },
            None => html! { <p class="muted">{ app.t("sharing-code-wait") }</p> },
        },
    };
    html! {
        <section class="card signing-in" aria-labelledby="signing-in" data-testid="signing-in">
            <h2 id="signing-in" tabindex="-1">{ named }</h2>
            { way }
            <div class="actions">
                <button type="button" data-testid="cancel-sign-in" disabled={busy} onclick={cancel}>{ app.t("sharing-cancel") }</button>
            </div>
        </section>
    }
}
