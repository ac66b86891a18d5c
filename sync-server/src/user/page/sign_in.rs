//! Sign-in and sign-out, and the two pages that send a link by e-mail.
//!
//! None of them tells whether there is an account: the same answer, after the same work.

use super::{Field, Page, Refused, form, notice, redirect, submit};
use crate::App;
use crate::http::Problem;
use crate::user::account;
use crate::user::invitation;
use crate::user::mailed;
use crate::user::redirect::own_page;
use crate::user::throttle;
use crate::user::visit::{Fields, Query, Visit, known_browser};
use crate::user::words::fill;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

/// Where to go on to after a sign-in.
fn next_of(fields: &Fields) -> String {
    own_page(fields.get("next")).unwrap_or("/account").to_owned()
}

fn with_next(path: &str, next: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
    format!("{path}?{query}")
}

fn sign_in_page(app: &App, visit: Visit, next: &str, email: &str, error: &str, hint: &str) -> Page {
    let words = visit.lang.words();
    let fields = html! {
        (Field::email(words.email, email).show())
        (Field::password("password", words.password, "current-password").show())
        div.actions { (submit(words.sign_in)) }
    };
    let providers = app.user.providers();
    let body = html! {
        h1 { (words.sign_in) }
        (notice("over", error))
        (notice("", hint))
        (form(&visit.csrf(), "/account/sign-in", &[("next", next)], &fields))
        @if !providers.is_empty() {
            p.or { (words.or) }
            @for provider in providers {
                a.button href=(with_next(&format!("/oidc/{}/start", provider.slug()), next)) {
                    (fill(words.sign_in_with, &[("provider", provider.name())]))
                }
            }
        }
        div.links {
            a href=(with_next("/account/forgot", next)) { (words.forgot_link) }
            a href=(with_next("/account/register", next)) { (words.register_link) }
        }
    };
    Page::new(visit, words.sign_in, body)
}

/// `GET /account/sign-in`
pub async fn show(State(app): State<App>, visit: Visit, Query(query): Query) -> Response {
    let next = next_of(&query);
    // a provider gave an address that has an account: its owner links the two after signing in
    let linking = app.user.providers().iter().find(|p| p.slug() == query.get("link"));
    let words = visit.lang.words();
    let hint = linking.map(|p| fill(words.sign_in_to_link, &[("provider", p.name())])).unwrap_or_default();
    if visit.account.is_some() && hint.is_empty() {
        return redirect(visit, &next);
    }
    sign_in_page(&app, visit, &next, "", "", &hint).into_response()
}

/// `POST /account/sign-in`
pub async fn submit_sign_in(
    State(app): State<App>,
    mut visit: Visit,
    headers: HeaderMap,
    fields: Fields,
) -> Response {
    let result = async {
        visit.check(&fields)?;
        sign_in(&app, &mut visit, &headers, &fields).await.map_err(Refused::from)
    };
    match result.await {
        Ok(true) => redirect(visit, &next_of(&fields)),
        Ok(false) => {
            let wrong = visit.lang.words().sign_in_wrong;
            let page = sign_in_page(&app, visit, &next_of(&fields), fields.get("email"), wrong, "");
            page.status(StatusCode::UNAUTHORIZED).into_response()
        }
        Err(refused) => refused.page(visit).into_response(),
    }
}

async fn sign_in(
    app: &App,
    visit: &mut Visit,
    headers: &HeaderMap,
    fields: &Fields,
) -> Result<bool, Problem> {
    let email = account::email_key(fields.get("email"));
    let address = visit.address.to_string();
    let found = account::by_email(app, &email).await?;
    // the owner's own browser has a count of its own, which strangers can't use up
    let known = match &found {
        Some(account) => known_browser(app, headers, account.value.id).await?,
        None => None,
    };
    let (rule, counted) = match &known {
        Some(browser) => (&throttle::KNOWN_BROWSER, browser),
        None => (&throttle::SIGN_IN_ACCOUNT, &email),
    };
    throttle::attempt(app, &throttle::SIGN_IN_ADDRESS, &address).await?;
    throttle::attempt(app, rule, counted).await?;
    let stored = found.as_ref().and_then(|a| a.value.password.as_deref());
    if !app.user.passwords.verify(fields.get("password"), stored).await? {
        return Ok(false);
    }
    let Some(account) = found else { return Ok(false) };
    throttle::give_back(app, &throttle::SIGN_IN_ADDRESS, &address).await?;
    throttle::forgive(app, rule, counted).await?;
    visit.sign_in(app, account).await?;
    Ok(true)
}

/// `POST /account/sign-out`
pub async fn sign_out(State(app): State<App>, mut visit: Visit, fields: Fields) -> Response {
    if let Err(refused) = visit.check(&fields) {
        return refused.page(visit).into_response();
    }
    if let Err(problem) = visit.sign_out(&app).await {
        return Refused::from(problem).page(visit).into_response();
    }
    let to = own_page(fields.get("next")).unwrap_or("/account/sign-in").to_owned();
    redirect(visit, &to)
}

// ---------------------------------------------------------------- links by e-mail

/// A page with one field, the e-mail address, that sends a link.
struct Asking<'a> {
    title: &'static str,
    text: &'static str,
    action: &'a str,
    hidden: &'a [(&'a str, &'a str)],
}

fn asking_page(visit: Visit, asking: &Asking<'_>, email: &str, error: &str) -> Page {
    let words = visit.lang.words();
    let fields = html! {
        (Field::email(words.email, email).error(error).show())
        div.actions { (submit(words.register_button)) }
    };
    let body = html! {
        h1 { (asking.title) }
        p { (asking.text) }
        (form(&visit.csrf(), asking.action, asking.hidden, &fields))
        div.links { a href="/account/sign-in" { (words.sign_in) } }
    };
    let page = Page::new(visit, asking.title, body);
    if error.is_empty() { page } else { page.status(StatusCode::UNPROCESSABLE_ENTITY) }
}

fn sent_page(app: &App, visit: Visit, email: &str) -> Page {
    let words = visit.lang.words();
    let folder: Markup = html! { @if !app.mail.is_sent { p.muted { (words.sent_folder) } } };
    let body = html! {
        h1 { (words.sent_title) }
        p { (fill(words.sent_text, &[("email", email)])) }
        (folder)
    };
    Page::new(visit, words.sent_title, body)
}

/// `GET /account/register`
pub async fn show_register(
    State(app): State<App>,
    visit: Visit,
    Query(query): Query,
) -> Result<Response, Refused> {
    if !may_register(&app, &visit, &query).await? {
        return Ok(closed_page(visit).into_response());
    }
    Ok(register_page(visit, &query, "").into_response())
}

fn register_page(visit: Visit, fields: &Fields, error: &str) -> Page {
    let words = visit.lang.words();
    let hidden = [("next", fields.get("next")), ("invitation", fields.get("invitation"))];
    let (title, text) = (words.register_title, words.register_text);
    let asking = Asking { title, text, action: "/account/register", hidden: &hidden };
    asking_page(visit, &asking, fields.get("email"), error)
}

fn closed_page(visit: Visit) -> Page {
    let words = visit.lang.words();
    let body = super::message(words.register_title, words.register_closed);
    Page::new(visit, words.register_title, body).status(StatusCode::FORBIDDEN)
}

/// Anybody, or whoever holds an invitation to a home.
async fn may_register(app: &App, visit: &Visit, fields: &Fields) -> Result<bool, Problem> {
    if app.user.open_registration {
        return Ok(true);
    }
    let code = fields.get("invitation");
    if code.is_empty() {
        return Ok(false);
    }
    let address = visit.address.to_string();
    throttle::attempt(app, &throttle::INVITATION_CODE, &address).await?;
    let found = invitation::find(app, code).await?.is_some();
    if found {
        throttle::give_back(app, &throttle::INVITATION_CODE, &address).await?;
    }
    Ok(found)
}

/// `POST /account/register`
pub async fn submit_register(State(app): State<App>, visit: Visit, fields: Fields) -> Response {
    let result = async {
        visit.check(&fields)?;
        if !may_register(&app, &visit, &fields).await? {
            return Ok(None);
        }
        let email = fields.get("email").trim();
        if !account::is_email(email) {
            return Ok(Some(false));
        }
        mailed::offer_account(&app, &visit, email, own_page(fields.get("next"))).await?;
        Ok::<_, Refused>(Some(true))
    };
    match result.await {
        Ok(None) => closed_page(visit).into_response(),
        Ok(Some(true)) => sent_page(&app, visit, fields.get("email").trim()).into_response(),
        Ok(Some(false)) => {
            let error = visit.lang.words().email_wrong;
            register_page(visit, &fields, error).into_response()
        }
        Err(refused) => refused.page(visit).into_response(),
    }
}

fn forgot_page(visit: Visit, error: &str, email: &str, next: &str) -> Page {
    let words = visit.lang.words();
    let hidden = [("next", next)];
    let (title, text) = (words.forgot_title, words.forgot_text);
    asking_page(visit, &Asking { title, text, action: "/account/forgot", hidden: &hidden }, email, error)
}

/// `GET /account/forgot`
pub async fn show_forgot(visit: Visit, Query(query): Query) -> Response {
    forgot_page(visit, "", "", query.get("next")).into_response()
}

/// `POST /account/forgot`
pub async fn submit_forgot(State(app): State<App>, visit: Visit, fields: Fields) -> Response {
    let email = fields.get("email").trim();
    let result = async {
        visit.check(&fields)?;
        if !account::is_email(email) {
            return Ok(false);
        }
        mailed::offer_reset(&app, &visit, email, own_page(fields.get("next"))).await?;
        Ok::<_, Refused>(true)
    };
    match result.await {
        Ok(true) => sent_page(&app, visit, email).into_response(),
        Ok(false) => {
            let error = visit.lang.words().email_wrong;
            forgot_page(visit, error, email, fields.get("next")).into_response()
        }
        Err(refused) => refused.page(visit).into_response(),
    }
}
