//! Pages: rendered here, without a script, under a policy that allows none.

pub mod account;
pub mod front;
pub mod mailed;
pub mod sign_in;

use super::lang::Lang;
use super::visit::Visit;
use super::words::{Words, fill};
use crate::app::NoRandomness;
use crate::http::Problem;
use crate::store::StoreError;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

/// The style sheet; its address changes with its content.
const STYLE: &str = include_str!("page/style.css");
pub const STYLE_PATH: &str = "/assets/server.css";

pub async fn style() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, STYLE)
}

/// A page as an answer.
pub struct Page {
    status: StatusCode,
    lang: Lang,
    title: String,
    body: Markup,
    cookies: Vec<String>,
    /// Where forms of this page may lead besides this server.
    form_action: Option<String>,
    retry_after_s: Option<u64>,
}

impl Page {
    pub fn new(visit: Visit, title: impl Into<String>, body: Markup) -> Self {
        Self {
            status: StatusCode::OK,
            lang: visit.lang,
            title: title.into(),
            body,
            cookies: visit.into_cookies(),
            form_action: None,
            retry_after_s: None,
        }
    }

    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    #[must_use]
    pub fn form_action(mut self, source: &str) -> Self {
        self.form_action = Some(source.to_owned());
        self
    }
}

/// Why a page can't be shown. Becomes a page that says so.
#[derive(Debug)]
pub enum Refused {
    /// The form isn't ours, or not this browser's.
    Form,
    /// The request can't be parsed.
    Unreadable,
    NotFound,
    Problem(Problem),
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Problem(error.into())
    }
}

impl From<NoRandomness> for Refused {
    fn from(error: NoRandomness) -> Self {
        Self::Problem(error.into())
    }
}

/// A time to wait, in words.
pub fn wait_words(words: &Words, seconds: u64) -> String {
    let (text, n) =
        if seconds < 100 { (words.seconds, seconds) } else { (words.minutes, seconds.div_ceil(60)) };
    fill(text, &[("n", &n.to_string())])
}

impl Refused {
    /// As a page in the visitor's language.
    pub fn page(self, visit: Visit) -> Page {
        let words = visit.lang.words();
        let (status, text, wait) = self.say(words);
        let mut page = Page::new(visit, words.wrong_title, message(words.wrong_title, &text)).status(status);
        page.retry_after_s = wait;
        page
    }

    /// Status, text for people, and seconds to wait.
    pub fn say(self, words: &Words) -> (StatusCode, String, Option<u64>) {
        match self {
            Self::Form => (StatusCode::FORBIDDEN, words.wrong_form.to_owned(), None),
            Self::Unreadable => (StatusCode::BAD_REQUEST, words.wrong_request.to_owned(), None),
            Self::NotFound => (StatusCode::NOT_FOUND, words.not_found.to_owned(), None),
            Self::Problem(problem) => {
                let status = problem.status();
                let wait = retry_after(problem);
                let text = match (status, wait) {
                    (StatusCode::TOO_MANY_REQUESTS, Some(wait)) => {
                        fill(words.too_many, &[("wait", &wait_words(words, wait))])
                    }
                    (StatusCode::NOT_FOUND, _) => words.not_found.to_owned(),
                    _ => words.unavailable.to_owned(),
                };
                (status, text, wait)
            }
        }
    }
}

fn retry_after(problem: Problem) -> Option<u64> {
    let response = problem.into_response();
    response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()
}

impl IntoResponse for Refused {
    /// For refusals before there is a visit: in English.
    fn into_response(self) -> Response {
        let words = Lang::En.words();
        let (status, text, wait) = self.say(words);
        let page = Page {
            status,
            lang: Lang::En,
            title: words.wrong_title.to_owned(),
            body: message(words.wrong_title, &text),
            cookies: Vec::new(),
            form_action: None,
            retry_after_s: wait,
        };
        page.into_response()
    }
}

/// A page that only says something.
pub fn message(title: &str, text: &str) -> Markup {
    html! {
        h1 { (title) }
        p { (text) }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        let words = self.lang.words();
        let markup = html! {
            (DOCTYPE)
            html lang=(self.lang.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="robots" content="noindex";
                    title { (self.title) " · " (words.product) }
                    link rel="stylesheet" href=(STYLE_PATH);
                }
                body {
                    a.skip href="#main" { (words.skip) }
                    header {
                        svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" {
                            rect width="32" height="32" rx="7" fill="#9A3412" {}
                            path d="M16 5c1.3 4.7 6.7 7.3 6.7 13.3a6.7 6.7 0 0 1-13.4 0c0-2.7 1.3-4.3 2.7-5.3.3 2.1 1.3 3.1 2.1 3.3C13.6 13 14 8.3 16 5z" fill="#FFF7ED" {}
                            path d="M8 27.5h16" stroke="#FFF7ED" stroke-width="2" stroke-linecap="round" {}
                        }
                        span { (words.product) }
                    }
                    main id="main" tabindex="-1" { (self.body) }
                }
            }
        };
        let mut response = (self.status, axum::response::Html(markup.into_string())).into_response();
        protect(&mut response, self.form_action.as_deref());
        let headers = response.headers_mut();
        for cookie in self.cookies {
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                headers.append(header::SET_COOKIE, cookie);
            }
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Headers of everything that is shown in a browser.
fn protect(response: &mut Response, form_action: Option<&str>) {
    let mut policy = String::from(
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
    );
    if let Some(source) = form_action {
        policy.push(' ');
        policy.push_str(source);
    }
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // links in e-mails carry a token: no address of ours goes anywhere else (with `no-referrer`
        // browsers would send our own forms with `Origin: null`)
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Leads the browser on, with what the visit sets.
pub fn redirect(visit: Visit, to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    protect(&mut response, None);
    let headers = response.headers_mut();
    match HeaderValue::from_str(to) {
        Ok(to) => headers.insert(header::LOCATION, to),
        Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    for cookie in visit.into_cookies() {
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            headers.append(header::SET_COOKIE, cookie);
        }
    }
    response
}

// ---------------------------------------------------------------- pieces

/// A form of this visit, with its token.
pub fn form(csrf: &str, action: &str, hidden: &[(&str, &str)], inner: &Markup) -> Markup {
    html! {
        form method="post" action=(action) {
            input type="hidden" name="csrf" value=(csrf);
            @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
            (inner)
        }
    }
}

/// What kind of field, as browsers and password managers understand it.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    pub name: &'a str,
    pub label: &'a str,
    pub kind: &'a str,
    pub autocomplete: &'a str,
    pub hint: &'a str,
    pub value: &'a str,
    pub error: &'a str,
}

impl<'a> Field<'a> {
    pub const fn text(name: &'a str, label: &'a str, autocomplete: &'a str) -> Self {
        Self { name, label, kind: "text", autocomplete, hint: "", value: "", error: "" }
    }
    pub const fn email(label: &'a str, value: &'a str) -> Self {
        Self { name: "email", label, kind: "email", autocomplete: "username", hint: "", value, error: "" }
    }
    pub const fn password(name: &'a str, label: &'a str, autocomplete: &'a str) -> Self {
        Self { name, label, kind: "password", autocomplete, hint: "", value: "", error: "" }
    }
    #[must_use]
    pub const fn hint(mut self, hint: &'a str) -> Self {
        self.hint = hint;
        self
    }
    #[must_use]
    pub const fn value(mut self, value: &'a str) -> Self {
        self.value = value;
        self
    }
    #[must_use]
    pub const fn error(mut self, error: &'a str) -> Self {
        self.error = error;
        self
    }

    /// Label above, hint and error below, tied together for screen readers.
    pub fn show(&self) -> Markup {
        let hint_id = format!("{}-hint", self.name);
        let error_id = format!("{}-error", self.name);
        let described = match (self.hint.is_empty(), self.error.is_empty()) {
            (true, true) => None,
            (false, true) => Some(hint_id.clone()),
            (true, false) => Some(error_id.clone()),
            (false, false) => Some(format!("{error_id} {hint_id}")),
        };
        html! {
            div.field.wrong[!self.error.is_empty()] {
                label for=(self.name) { (self.label) }
                input id=(self.name) name=(self.name) type=(self.kind) autocomplete=(self.autocomplete) value=(self.value)
                    required spellcheck="false" autocapitalize="none"
                    aria-invalid=[(!self.error.is_empty()).then_some("true")] aria-describedby=[described];
                @if !self.error.is_empty() { p.error id=(error_id) { (self.error) } }
                @if !self.hint.is_empty() { p.hint id=(hint_id) { (self.hint) } }
            }
        }
    }
}

/// The address an account has, where a password manager looks for it.
pub fn fixed_email(label: &str, email: &str) -> Markup {
    html! {
        div.field {
            label for="email" { (label) }
            input id="email" name="email" type="email" autocomplete="username" value=(email) readonly;
        }
    }
}

pub fn submit(label: &str) -> Markup {
    html! { button.primary type="submit" { (label) } }
}

/// A sentence that has to be heard: what went wrong, or that it worked.
pub fn notice(kind: &str, text: &str) -> Markup {
    let role = if kind == "over" { "alert" } else { "status" };
    html! { @if !text.is_empty() { p class={ "notice " (kind) } role=(role) { (text) } } }
}
