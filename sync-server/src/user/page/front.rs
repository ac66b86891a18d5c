//! The front page (first account while there is none), the page of an invitation's link, and the
//! page where a device's code is typed in.

use super::mailed::{enter, make, password_error};
use super::{Field, Page, Refused, form, message, notice, redirect, submit};
use crate::App;
use crate::http::Problem;
use crate::user::account;
use crate::user::invitation;
use crate::user::oauth::device as flow;
use crate::user::redirect::host_of;
use crate::user::throttle;
use crate::user::token;
use crate::user::visit::{Fields, Query, Visit};
use crate::user::words::fill;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hearthwatt_server_api::paths;
use maud::{Markup, html};

/// `GET /`
pub async fn show(State(app): State<App>, visit: Visit) -> Result<Response, Refused> {
    if account::is_first(&app).await? {
        return Ok(first_page(visit, &Fields::default(), &Errors::default()).into_response());
    }
    let words = visit.lang.words();
    let body = html! {
        h1 { (words.front_title) }
        p { (words.front_text) }
        p.code { (app.config.public_url()) }
        div.links { a href="/account" { (words.account_title) } }
    };
    Ok(Page::new(visit, words.front_title, body).into_response())
}

#[derive(Default)]
struct Errors {
    name: &'static str,
    email: &'static str,
    password: &'static str,
    code: &'static str,
}

impl Errors {
    fn any(&self) -> bool {
        [self.name, self.email, self.password, self.code].iter().any(|e| !e.is_empty())
    }
}

fn first_page(visit: Visit, fields: &Fields, errors: &Errors) -> Page {
    let words = visit.lang.words();
    let inner = html! {
        (Field::text("name", words.name, "name").hint(words.name_hint).value(fields.get("name")).error(errors.name).show())
        (Field::email(words.email, fields.get("email")).error(errors.email).show())
        (Field::password("password", words.password, "new-password").hint(words.password_hint).error(errors.password).show())
        @if !visit.local {
            (Field::text("code", words.setup_code, "off").hint(words.first_remote).error(errors.code).show())
        }
        div.actions { (submit(words.first_button)) }
    };
    let body = html! {
        h1 { (words.first_title) }
        p { (words.first_text) }
        (form(&visit.csrf(), "/", &[], &inner))
    };
    let page = Page::new(visit, words.first_title, body);
    if errors.any() { page.status(StatusCode::UNPROCESSABLE_ENTITY) } else { page }
}

/// `POST /`: the first account. Only somebody at this computer, or who has read the server's log,
/// can make it.
pub async fn create_first(State(app): State<App>, mut visit: Visit, fields: Fields) -> Response {
    let words = visit.lang.words();
    let allowed = async {
        visit.check(&fields)?;
        if !account::is_first(&app).await? {
            return Ok(None);
        }
        if visit.local {
            return Ok(Some(true));
        }
        throttle::attempt(&app, &throttle::SETUP_CODE, &visit.address.to_string()).await?;
        Ok::<_, Refused>(Some(app.user.is_setup_code(fields.get("code"))))
    };
    let code = match allowed.await {
        Ok(None) => return gone_page(visit).into_response(),
        Ok(Some(true)) => "",
        Ok(Some(false)) => words.setup_code_wrong,
        Err(refused) => return refused.page(visit).into_response(),
    };
    let email = fields.get("email").trim();
    let name = account::person_name(fields.get("name"));
    let errors = Errors {
        name: if name.is_some() { "" } else { words.name_wrong },
        email: if account::is_email(email) { "" } else { words.email_wrong },
        password: password_error(words, fields.get("password"), email),
        code,
    };
    let Some(name) = name.filter(|_| !errors.any()) else {
        return first_page(visit, &fields, &errors).into_response();
    };
    let result = async {
        let account = make(&app, name, email, fields.get("password"), Some(visit.lang)).await?;
        let id = account.id;
        if !account::create_first(&app, account).await? {
            return Ok(false);
        }
        tracing::info!("the first account was made");
        enter(&app, &mut visit, id).await?;
        Ok::<_, Problem>(true)
    };
    match result.await {
        Ok(true) => redirect(visit, "/account"),
        Ok(false) => gone_page(visit).into_response(),
        Err(problem) => Refused::from(problem).page(visit).into_response(),
    }
}

fn gone_page(visit: Visit) -> Page {
    let words = visit.lang.words();
    let body = html! {
        (message(words.wrong_title, words.first_gone))
        div.links { a href="/account/sign-in" { (words.sign_in) } }
    };
    Page::new(visit, words.wrong_title, body).status(StatusCode::CONFLICT)
}

/// `GET /join/{code}`: what the link of an invitation opens. The app takes the link; a person who
/// has no account yet can make one.
pub async fn join(State(app): State<App>, visit: Visit, Path(code): Path<String>) -> Response {
    let address = visit.address.to_string();
    let found = async {
        throttle::attempt(&app, &throttle::INVITATION_CODE, &address).await?;
        let found = invitation::find(&app, &code).await?;
        if found.is_some() {
            throttle::give_back(&app, &throttle::INVITATION_CODE, &address).await?;
        }
        Ok::<_, Problem>(found.is_some())
    };
    match found.await {
        Ok(true) => {}
        Ok(false) => {
            let words = visit.lang.words();
            let body = message(words.wrong_title, words.join_spent);
            return Page::new(visit, words.wrong_title, body).status(StatusCode::GONE).into_response();
        }
        Err(problem) => return Refused::from(problem).page(visit).into_response(),
    }
    let words = visit.lang.words();
    let code = token::read_invitation_code(&code).unwrap_or_default();
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("invitation", &code).finish();
    let body = html! {
        h1 { (words.join_title) }
        p { (words.join_text) }
        div.card {
            p.code { (app.config.public_url()) (paths::join_page(&code)) }
            p.code { (code) }
        }
        @if visit.account.is_none() {
            p { (words.join_register) }
            div.links { a href={ "/account/register?" (query) } { (words.register_title) } }
        }
    };
    Page::new(visit, words.join_title, body).into_response()
}

// ---------------------------------------------------------------- a device's code

fn to_sign_in(visit: Visit, user_code: &str) -> Response {
    let here = match token::read_user_code(user_code) {
        Some(code) => format!("{}?user_code={code}", paths::DEVICE_PAGE),
        None => paths::DEVICE_PAGE.to_owned(),
    };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", &here).finish();
    redirect(visit, &format!("/account/sign-in?{query}"))
}

fn code_page(visit: Visit, typed: &str, error: &str) -> Page {
    let words = visit.lang.words();
    let inner = html! {
        (Field::text("user_code", words.device_code, "off").value(typed).error(error).show())
        div.actions { (submit(words.go_on)) }
    };
    let body = html! {
        h1 { (words.device_title) }
        p { (words.device_text) }
        (form(&visit.csrf(), paths::DEVICE_PAGE, &[], &inner))
    };
    let page = Page::new(visit, words.device_title, body);
    if error.is_empty() { page } else { page.status(StatusCode::UNPROCESSABLE_ENTITY) }
}

/// `GET /device`
pub async fn show_device(visit: Visit, Query(query): Query) -> Response {
    if visit.account.is_none() {
        return to_sign_in(visit, query.get("user_code"));
    }
    // even from a link with the code in it, a person presses the button
    let typed = token::read_user_code(query.get("user_code")).unwrap_or_default();
    code_page(visit, &typed, "").into_response()
}

/// `POST /device`: first the code, then the decision.
pub async fn submit_device(State(app): State<App>, visit: Visit, fields: Fields) -> Response {
    if let Err(refused) = visit.check(&fields) {
        return refused.page(visit).into_response();
    }
    let Some(account) = visit.account.as_ref().map(|a| a.value.clone()) else {
        return to_sign_in(visit, fields.get("user_code"));
    };
    let words = visit.lang.words();
    let found = async {
        // 34 bits would be few without a bound on guesses
        throttle::attempt(&app, &throttle::USER_CODE, &account.id.to_string()).await?;
        let Some(code) = token::read_user_code(fields.get("user_code")) else { return Ok(None) };
        let asking = flow::asking(&app, &code).await?;
        if asking.is_some() {
            throttle::forgive(&app, &throttle::USER_CODE, &account.id.to_string()).await?;
        }
        Ok::<_, Problem>(asking.map(|asking| (code, asking)))
    };
    let (code, asking) = match found.await {
        Ok(Some(found)) => found,
        Ok(None) => return code_page(visit, fields.get("user_code"), words.device_wrong).into_response(),
        Err(problem) => return Refused::from(problem).page(visit).into_response(),
    };
    let device = asking.value.device_name.clone();
    let answer = match fields.get("decision") {
        "allow" => Some(account.id),
        "deny" => None,
        _ => {
            let server = app.config.public_url();
            let body = decide_page(&visit, &code, &device, host_of(&server), account.address());
            return Page::new(visit, words.consent_title, body).into_response();
        }
    };
    match flow::answer(&app, asking, answer).await {
        Ok(true) => {
            let text = if answer.is_some() { words.device_done } else { words.device_denied };
            let body = html! {
                h1 { (words.device_title) }
                (notice("ok", &fill(text, &[("device", &device)])))
            };
            Page::new(visit, words.device_title, body).into_response()
        }
        Ok(false) => code_page(visit, "", words.device_wrong).into_response(),
        Err(problem) => Refused::from(problem).page(visit).into_response(),
    }
}

fn decide_page(visit: &Visit, code: &str, device: &str, server: &str, who: &str) -> Markup {
    let words = visit.lang.words();
    let buttons = html! {
        div.actions {
            button.primary type="submit" name="decision" value="allow" { (words.consent_allow) }
            button type="submit" name="decision" value="deny" { (words.consent_deny) }
        }
    };
    html! {
        h1 { (words.consent_title) }
        div.card {
            p { (fill(words.consent_text, &[("device", device), ("server", server)])) }
            p { (fill(words.device_compare, &[("code", code)])) }
            p.muted { (words.consent_care) }
            (form(&visit.csrf(), paths::DEVICE_PAGE, &[("user_code", code)], &buttons))
        }
        p.muted { (fill(words.signed_in_as, &[("who", who)])) }
    }
}
