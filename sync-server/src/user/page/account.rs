//! The account's page: devices, password, linked sign-ins. What a person needs when the device with
//! the app is lost.

use super::mailed::{done_notice, password_error, set_password};
use super::{Field, Page, Refused, form, notice, redirect, submit};
use crate::App;
use crate::http::Problem;
use crate::user::account::{self, Account};
use crate::user::device;
use crate::user::records::Kept;
use crate::user::throttle;
use crate::user::visit::{Fields, Query, Visit};
use crate::user::words::fill;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hearthwatt_domain::time::UnixMillis;
use maud::{Markup, html};
use uuid::Uuid;

fn day(at: UnixMillis) -> String {
    at.to_jiff().map_or_else(String::new, |t| t.strftime("%Y-%m-%d").to_string())
}

/// `GET /account`
pub async fn show(State(app): State<App>, visit: Visit, Query(query): Query) -> Result<Response, Refused> {
    let Some(account) = visit.account.clone() else {
        return Ok(redirect(visit, "/account/sign-in?next=%2Faccount"));
    };
    let words = visit.lang.words();
    let provider =
        app.user.providers().iter().find(|p| p.slug() == query.get("provider")).map_or("", |p| p.name());
    let above = match query.get("done") {
        "linked" => notice("ok", &fill(words.account_link_done, &[("provider", provider)])),
        "taken" => notice("over", words.account_link_taken),
        done => done_notice(words, done),
    };
    Ok(page(&app, visit, &account, above, ("", "")).await?.into_response())
}

async fn page(
    app: &App,
    visit: Visit,
    account: &Kept<Account>,
    above: Markup,
    errors: (&str, &str),
) -> Result<Page, Problem> {
    let account = &account.value;
    let words = visit.lang.words();
    let csrf = visit.csrf();
    let devices = device::list(app, account.id).await?;
    let linked = account::identities(app, account.id).await?;
    let free: Vec<_> =
        app.user.providers().iter().filter(|p| !linked.iter().any(|l| l.issuer == p.issuer())).collect();
    let password = html! {
        @if account.password.is_some() {
            (Field::password("current", words.account_current, "current-password").error(errors.0).show())
        }
        (Field::password("password", words.new_password, "new-password").hint(words.password_hint).error(errors.1).show())
        div.actions { (submit(words.reset_button)) }
    };
    let body = html! {
        h1 { (words.account_title) }
        (above)
        div.row {
            p { (fill(words.signed_in_as, &[("who", account.address())])) }
            (form(&csrf, "/account/sign-out", &[], &html! { button type="submit" { (words.sign_out) } }))
        }
        h2 { (words.account_devices) }
        @if devices.is_empty() { p.muted { (words.account_no_devices) } }
        @else {
            ul {
                @for d in &devices {
                    li.row {
                        div {
                            p { (d.name) }
                            p.muted.small { (fill(words.account_last_seen, &[("when", &day(d.last_seen))])) }
                        }
                        (form(&csrf, "/account/devices", &[("device", &d.device.to_string())], &html! {
                            button type="submit" aria-label=(fill(words.account_remove_label, &[("device", &d.name)])) { (words.account_remove) }
                        }))
                    }
                }
            }
        }
        h2 { @if account.password.is_some() { (words.account_password) } @else { (words.account_password_set) } }
        (form(&csrf, "/account/password", &[], &password))
        @if !app.user.providers().is_empty() || !linked.is_empty() {
            h2 { (words.account_linked) }
            @if linked.is_empty() { p.muted { (words.account_none) } }
            ul { @for identity in &linked { li.row { (identity.provider) } } }
            @for provider in free {
                a.button href={ "/oidc/" (provider.slug()) "/start?link=yes" } {
                    (fill(words.account_link, &[("provider", provider.name())]))
                }
            }
        }
    };
    Ok(Page::new(visit, words.account_title, body))
}

/// `POST /account/devices`: signs one out.
pub async fn remove_device(State(app): State<App>, visit: Visit, fields: Fields) -> Response {
    let result = async {
        visit.check(&fields)?;
        let Some(account) = &visit.account else { return Err(Refused::Form) };
        let device = Uuid::try_parse(fields.get("device")).map_err(|_| Refused::Unreadable)?;
        Ok(device::remove(&app, account.value.id, device).await?)
    };
    match result.await {
        Ok(_) => redirect(visit, "/account?done=device"),
        Err(refused) => refused.page(visit).into_response(),
    }
}

/// `POST /account/password`
pub async fn change_password(State(app): State<App>, mut visit: Visit, fields: Fields) -> Response {
    if let Err(refused) = visit.check(&fields) {
        return refused.page(visit).into_response();
    }
    let Some(account) = visit.account.clone() else { return Refused::Form.page(visit).into_response() };
    let words = visit.lang.words();
    let weak = password_error(words, fields.get("password"), &account.value.email);
    let result = async {
        if let Some(stored) = &account.value.password {
            // an open browser must not be a place to guess at
            let who = account.value.id.to_string();
            throttle::attempt(&app, &throttle::KNOWN_BROWSER, &who).await?;
            if !app.user.passwords.verify(fields.get("current"), Some(stored)).await? {
                return Ok(Some((words.account_current_wrong, weak)));
            }
            throttle::forgive(&app, &throttle::KNOWN_BROWSER, &who).await?;
        }
        if !weak.is_empty() {
            return Ok(Some(("", weak)));
        }
        let hash = app.user.passwords.hash(app.world.as_ref(), fields.get("password")).await?;
        set_password(&app, &account, hash, visit.lang).await?;
        // this browser's sign-in ended with the others
        visit.sign_in(&app, account.clone()).await?;
        Ok::<_, Problem>(None)
    };
    match result.await {
        Ok(None) => redirect(visit, "/account?done=password"),
        Ok(Some(errors)) => {
            let lang = visit.lang;
            match page(&app, visit, &account, html! {}, errors).await {
                Ok(page) => page.status(StatusCode::UNPROCESSABLE_ENTITY).into_response(),
                Err(problem) => {
                    let (status, text, _) = Refused::from(problem).say(lang.words());
                    (status, text).into_response()
                }
            }
        }
        Err(problem) => Refused::from(problem).page(visit).into_response(),
    }
}
