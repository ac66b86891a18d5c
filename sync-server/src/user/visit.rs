//! A browser's visit to a page: who is signed in, in which language, and whether a form comes from
//! our own page.
//!
//! One cookie names the browser. Its value is random and only ever chosen by the server; a sign-in
//! gives a new one (no fixation). The token in each form is derived from it, so there is nothing to
//! store for visitors, and a page of somebody else can't know it.

use super::account::{self, Account};
use super::lang::Lang;
use super::limits::{BODY, BROWSER, KNOWN_BROWSER};
use super::page::Refused;
use super::records::{self, BROWSERS, KNOWN_BROWSERS, Kept};
use super::redirect;
use super::token;
use crate::App;
use crate::http::{ClientAddress, Problem};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use hearthwatt_domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use uuid::Uuid;

/// A browser that is signed in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Browser {
    pub account: Uuid,
    pub since: UnixMillis,
}

/// That a browser was signed in to an account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct KnownBrowser {
    account: Uuid,
}

/// See the module.
pub struct Visit {
    pub lang: Lang,
    pub address: IpAddr,
    pub account: Option<Kept<Account>>,
    /// The request comes from this computer itself, and through nothing that forwards requests.
    pub local: bool,
    /// Value of the cookie.
    browser: String,
    /// Cookies to set with the answer.
    cookies: Vec<String>,
    secure: bool,
}

const SESSION: &str = "hw_session";
const KNOWN: &str = "hw_known";

/// The name under which a cookie is kept: with the prefix that stops other hosts and plain HTTP from
/// setting it.
fn cookie_name(name: &str, secure: bool) -> String {
    if secure { format!("__Host-{name}") } else { name.to_owned() }
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let pairs =
        headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    let mut values =
        pairs.filter_map(|p| p.trim().split_once('=')).filter(|(n, _)| *n == name).map(|(_, v)| v);
    let value = values.next()?;
    token::is_shaped(value, token::BROWSER).then(|| value.to_owned())
}

fn set_cookie(name: &str, value: &str, secure: bool, seconds: i64) -> String {
    let name = cookie_name(name, secure);
    let secure = if secure { "; Secure" } else { "" };
    // lax, not strict: the app and the provider send the browser here
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

impl Visit {
    /// The hidden field of every form.
    pub fn csrf(&self) -> String {
        token::sha256_base64url(&format!("form:{}", self.browser))
    }

    /// The digest under which this browser's flow to a provider is kept.
    pub fn flow(&self) -> String {
        token::digest(&self.browser)
    }

    /// Whether the fields come from a form of ours, shown to this browser.
    pub fn check(&self, fields: &Fields) -> Result<(), Refused> {
        if token::same(fields.get("csrf"), &self.csrf()) { Ok(()) } else { Err(Refused::Form) }
    }

    /// Signs the browser in, under a new cookie.
    pub async fn sign_in(&mut self, app: &App, account: Kept<Account>) -> Result<(), Problem> {
        let (store, now) = (app.store.as_ref(), app.world.now());
        self.forget(app).await?;
        let browser = token::mint(app.world.as_ref(), token::BROWSER)?;
        let signed_in = Browser { account: account.value.id, since: now };
        let expires = Some(now.plus_ms(BROWSER));
        records::insert(store, &BROWSERS, &token::digest(&browser), &signed_in, expires).await?;
        self.cookies.retain(|c| !c.starts_with(&cookie_name(SESSION, self.secure)));
        self.cookies.push(set_cookie(SESSION, &browser, self.secure, BROWSER / 1000));
        let known = token::mint(app.world.as_ref(), token::BROWSER)?;
        let key = token::digest_of(&[&known, &account.value.id.to_string()]);
        let value = KnownBrowser { account: account.value.id };
        records::insert(store, &KNOWN_BROWSERS, &key, &value, Some(now.plus_ms(KNOWN_BROWSER))).await?;
        self.cookies.push(set_cookie(KNOWN, &known, self.secure, KNOWN_BROWSER / 1000));
        self.browser = browser;
        self.lang = Lang::of_account(&account.value).unwrap_or(self.lang);
        self.account = Some(account);
        Ok(())
    }

    /// Signs the browser out.
    pub async fn sign_out(&mut self, app: &App) -> Result<(), Problem> {
        self.forget(app).await?;
        self.browser = token::mint(app.world.as_ref(), token::BROWSER)?;
        self.cookies.push(set_cookie(SESSION, &self.browser, self.secure, BROWSER / 1000));
        self.account = None;
        Ok(())
    }

    async fn forget(&self, app: &App) -> Result<(), Problem> {
        if self.account.is_some() {
            app.store.delete(&BROWSERS, &token::digest(&self.browser), None).await?;
        }
        Ok(())
    }

    /// The cookies to set with the answer.
    pub fn into_cookies(self) -> Vec<String> {
        self.cookies
    }
}

/// The digest by which this browser is known to have been signed in to the account.
pub async fn known_browser(app: &App, headers: &HeaderMap, account: Uuid) -> Result<Option<String>, Problem> {
    let secure = is_secure(app);
    let Some(known) = cookie(headers, &cookie_name(KNOWN, secure)) else { return Ok(None) };
    let key = token::digest_of(&[&known, &account.to_string()]);
    let found =
        records::get::<KnownBrowser>(app.store.as_ref(), &KNOWN_BROWSERS, &key, app.world.now()).await?;
    Ok(found.map(|_| key))
}

fn is_secure(app: &App) -> bool {
    app.config.public_url().starts_with("https://")
}

/// Whether a form was sent by a page of this server, as far as the browser tells: by
/// `Sec-Fetch-Site`, older ones by `Origin`. What tells neither is no browser.
fn is_own_origin(app: &App, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or("unreadable"));
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text("origin") else { return true };
    let host = text("host").unwrap_or_default();
    let public = app.config.public_url();
    origin == public || (!host.is_empty() && redirect::host_of(origin) == host)
}

impl FromRequestParts<App> for Visit {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let Ok(ClientAddress(address)) = ClientAddress::from_request_parts(parts, app).await;
        let headers = &parts.headers;
        if parts.method != Method::GET && parts.method != Method::HEAD && !is_own_origin(app, headers) {
            return Err(Refused::Form);
        }
        let secure = is_secure(app);
        let now = app.world.now();
        let mut cookies = Vec::new();
        let found = cookie(headers, &cookie_name(SESSION, secure));
        let mut account = None;
        if let Some(browser) = &found {
            let key = token::digest(browser);
            if let Some(signed_in) = records::get::<Browser>(app.store.as_ref(), &BROWSERS, &key, now).await?
            {
                account = account::get(app, signed_in.value.account).await?;
            }
        }
        let browser = match found {
            Some(browser) => browser,
            None => {
                let browser = token::mint(app.world.as_ref(), token::BROWSER)?;
                cookies.push(set_cookie(SESSION, &browser, secure, BROWSER / 1000));
                browser
            }
        };
        let of_account = account.as_ref().and_then(|a| Lang::of_account(&a.value));
        let lang = of_account.unwrap_or_else(|| Lang::asked(headers.get(header::ACCEPT_LANGUAGE)));
        Ok(Self { lang, address, account, local: is_local(app, address, headers), browser, cookies, secure })
    }
}

/// Whether nobody but somebody at this computer can have sent this. A proxy on this computer makes
/// the whole world look local, and a name that points here makes a browser's page look local: so
/// there must be no sign of either.
fn is_local(app: &App, address: IpAddr, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).unwrap_or_default();
    let forwarded = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];
    address.is_loopback()
        && redirect::is_loopback_host(host)
        && redirect::is_loopback_host(redirect::host_of(&app.config.public_url()))
        && !forwarded.iter().any(|h| headers.contains_key(*h))
}

/// The fields of a form or a query. Each name at most once.
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// `None` if a name comes twice: which of them was meant?
    pub fn parse(encoded: &str) -> Option<Self> {
        let mut fields: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(encoded.as_bytes()) {
            if fields.len() >= 64 || fields.iter().any(|(n, _)| *n == name) {
                return None;
            }
            fields.push((name.into_owned(), value.into_owned()));
        }
        Some(Self(fields))
    }

    /// Empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
    }

    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }
}

/// The query of an address.
pub struct Query(pub Fields);

impl FromRequestParts<App> for Query {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refused> {
        Fields::parse(parts.uri.query().unwrap_or_default()).map(Self).ok_or(Refused::Unreadable)
    }
}

impl FromRequest<App> for Fields {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &App) -> Result<Self, Refused> {
        let content_type =
            request.headers().get(header::CONTENT_TYPE).and_then(|t| t.to_str().ok()).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refused::Unreadable);
        }
        let body = axum::body::to_bytes(request.into_body(), BODY).await.map_err(|_| Refused::Unreadable)?;
        let text = std::str::from_utf8(&body).map_err(|_| Refused::Unreadable)?;
        Self::parse(text).ok_or(Refused::Unreadable)
    }
}
