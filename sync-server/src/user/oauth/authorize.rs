//! The authorization endpoint: checks what the app asks for, asks the person, and sends the browser
//! back to the app with a code.

use super::{code, pkce};
use crate::App;
use crate::user::account::clean_name;
use crate::user::limits::{DEVICE_NAME, STATE};
use crate::user::page::{self, Page, Refused, form, redirect};
use crate::user::redirect::{Loopback, host_of};
use crate::user::visit::{Fields, Query, Visit};
use crate::user::words::fill;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hearthwatt_server_api::oauth::{CLIENT_ID, OAuthErrorCode, S256, SCOPE};
use hearthwatt_server_api::paths;
use maud::html;
use uuid::Uuid;

/// What an app asks for, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub redirect: Loopback,
    pub state: String,
    pub challenge: String,
    pub device: Uuid,
    pub device_name: String,
}

/// Why it can't be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The address to go back to is not to be trusted: only a page can say so.
    Page(&'static str),
    /// The app is told.
    App { redirect: Loopback, state: String, code: OAuthErrorCode, description: &'static str },
}

/// Checks the parameters of a request (RFC 6749, 4.1.1; RFC 7636, 4.3).
pub fn check(fields: &Fields) -> Result<Asked, Wrong> {
    if fields.get("client_id") != CLIENT_ID {
        return Err(Wrong::Page("client_id"));
    }
    let redirect = Loopback::parse(fields.get("redirect_uri")).ok_or(Wrong::Page("redirect_uri"))?;
    let state = fields.get("state").to_owned();
    let state_fits =
        !state.is_empty() && state.len() <= STATE && state.bytes().all(|b| (0x20..0x7f).contains(&b));
    let wrong = |code, description| {
        let state = if state_fits { state.clone() } else { String::new() };
        Err(Wrong::App { redirect: redirect.clone(), state, code, description })
    };
    if !state_fits {
        return wrong(OAuthErrorCode::InvalidRequest, "state is missing or too long");
    }
    if fields.get("response_type") != "code" {
        return wrong(OAuthErrorCode::UnsupportedResponseType, "response_type is code");
    }
    if !matches!(fields.get("response_mode"), "" | "query") {
        return wrong(OAuthErrorCode::InvalidRequest, "response_mode is query");
    }
    if fields.get("code_challenge_method") != S256 {
        return wrong(OAuthErrorCode::InvalidRequest, "code_challenge_method is S256");
    }
    if !pkce::is_challenge(fields.get("code_challenge")) {
        return wrong(OAuthErrorCode::InvalidRequest, "code_challenge is not one of S256");
    }
    if !matches!(fields.get("scope"), "" | SCOPE) {
        return wrong(OAuthErrorCode::InvalidScope, "scope is home");
    }
    let Ok(device) = Uuid::try_parse(fields.get("device_id")) else {
        return wrong(OAuthErrorCode::InvalidRequest, "device_id is a UUID");
    };
    let Some(device_name) = clean_name(fields.get("device_name"), DEVICE_NAME) else {
        return wrong(OAuthErrorCode::InvalidRequest, "device_name has 1 to 64 characters");
    };
    Ok(Asked { challenge: fields.get("code_challenge").to_owned(), redirect, state, device, device_name })
}

fn to_app(app: &App, redirect: &Loopback, state: &str, parameters: &[(&str, &str)]) -> String {
    let issuer = app.config.public_url();
    let mut all = parameters.to_vec();
    if !state.is_empty() {
        all.push(("state", state));
    }
    // RFC 9207: a client of several servers sees who answered
    all.push(("iss", &issuer));
    redirect.with(&all)
}

fn refuse(app: &App, visit: Visit, wrong: Wrong) -> Response {
    match wrong {
        Wrong::Page(reason) => {
            let words = visit.lang.words();
            let text = fill(words.consent_wrong, &[("reason", reason)]);
            let page = Page::new(visit, words.wrong_title, page::message(words.wrong_title, &text));
            page.status(StatusCode::BAD_REQUEST).into_response()
        }
        Wrong::App { redirect: to, state, code, description } => {
            let parameters = [("error", code.as_str()), ("error_description", description)];
            redirect(visit, &to_app(app, &to, &state, &parameters))
        }
    }
}

/// `GET /oauth/authorize`: the consent page, after the sign-in page if need be.
pub async fn show(State(app): State<App>, visit: Visit, Query(fields): Query) -> Result<Response, Refused> {
    let asked = match check(&fields) {
        Ok(asked) => asked,
        Err(wrong) => return Ok(refuse(&app, visit, wrong)),
    };
    let here = {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields.all()).finish();
        format!("{}?{query}", paths::AUTHORIZE)
    };
    let Some(account) = &visit.account else {
        let next = form_urlencoded::Serializer::new(String::new()).append_pair("next", &here).finish();
        return Ok(redirect(visit, &format!("/account/sign-in?{next}")));
    };
    let words = visit.lang.words();
    let public_url = app.config.public_url();
    let values = [("device", asked.device_name.as_str()), ("server", host_of(&public_url))];
    let who = fill(words.signed_in_as, &[("who", account.value.address())]);
    let hidden: Vec<(&str, &str)> =
        fields.all().filter(|(name, _)| !matches!(*name, "csrf" | "decision")).collect();
    let csrf = visit.csrf();
    let buttons = html! {
        div.actions {
            button.primary type="submit" name="decision" value="allow" { (words.consent_allow) }
            button type="submit" name="decision" value="deny" { (words.consent_deny) }
        }
    };
    let body = html! {
        h1 { (words.consent_title) }
        div.card {
            p { (fill(words.consent_text, &values)) }
            p.muted { (words.consent_care) }
            (form(&csrf, paths::AUTHORIZE, &hidden, &buttons))
        }
        p.muted { (who) }
        (form(&csrf, "/account/sign-out", &[("next", &here)], &html! { button type="submit" { (words.consent_other) } }))
    };
    let title = words.consent_title;
    Ok(Page::new(visit, title, body).form_action(asked.redirect.form_action()).into_response())
}

/// `POST /oauth/authorize`: the person's decision.
pub async fn decide(State(app): State<App>, visit: Visit, fields: Fields) -> Response {
    if let Err(refused) = visit.check(&fields) {
        return refused.page(visit).into_response();
    }
    let asked = match check(&fields) {
        Ok(asked) => asked,
        Err(wrong) => return refuse(&app, visit, wrong),
    };
    let Some(account) = visit.account.as_ref().map(|a| a.value.id) else {
        return Refused::Form.page(visit).into_response();
    };
    if fields.get("decision") != "allow" {
        let parameters = [("error", OAuthErrorCode::AccessDenied.as_str())];
        let to = to_app(&app, &asked.redirect, &asked.state, &parameters);
        return redirect(visit, &to);
    }
    match code::issue(&app, account, &asked).await {
        Ok(code) => {
            let to = to_app(&app, &asked.redirect, &asked.state, &[("code", &code)]);
            redirect(visit, &to)
        }
        Err(problem) => Refused::from(problem).page(visit).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &[(&str, &str)] = &[
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", "http://127.0.0.1:49152/callback"),
        ("state", "af0ifjsldkj"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
        ("device_id", "0b7b8f3e-3f0c-4f5e-9d47-5a9f3b9c2d11"),
        ("device_name", " Kitchen  tablet "),
    ];

    fn with(name: &str, value: &str) -> Fields {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (n, v) in RIGHT.iter().filter(|(n, _)| *n != name) {
            query.append_pair(n, v);
        }
        Fields::parse(&query.append_pair(name, value).finish()).unwrap()
    }

    #[test]
    fn a_right_request_is_taken() {
        let asked = check(&with("scope", "home")).unwrap();
        assert_eq!(asked.device_name, "Kitchen tablet");
        assert_eq!(asked.redirect.as_str(), "http://127.0.0.1:49152/callback");
    }

    #[test]
    fn wrong_clients_and_redirects_are_never_redirected_to() {
        for (name, value) in [
            ("client_id", "other"),
            ("client_id", ""),
            ("redirect_uri", ""),
            ("redirect_uri", "https://evil.example/"),
            ("redirect_uri", "http://127.0.0.1.evil.example:80/"),
        ] {
            assert_eq!(
                check(&with(name, value)),
                Err(Wrong::Page(if name == "client_id" { "client_id" } else { "redirect_uri" })),
                "{name}={value}"
            );
        }
    }

    #[test]
    fn other_mistakes_are_told_to_the_app() {
        for (name, value) in [
            ("response_type", "token"),
            ("response_mode", "fragment"),
            ("code_challenge_method", "plain"),
            ("code_challenge_method", ""),
            ("code_challenge", "short"),
            ("scope", "admin"),
            ("device_id", "7"),
            ("device_name", ""),
            ("device_name", "a\u{202e}b"),
            ("state", ""),
        ] {
            assert!(matches!(check(&with(name, value)), Err(Wrong::App { .. })), "{name}={value}");
        }
        assert!(Fields::parse("state=a&state=b").is_none(), "no parameter twice");
    }
}
