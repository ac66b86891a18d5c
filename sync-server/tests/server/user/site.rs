//! A server to visit: its router, a clock that stands still until it is moved, browsers with
//! cookies, apps with tokens, and the mailbox of everybody.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_server::app::{NoRandomness, RealWorld, World};
use hearthwatt_server::store::Store;
use hearthwatt_server::store::memory::Memory;
use hearthwatt_server::{App, Config, mail, router};
use hearthwatt_server_api::oauth::{OAuthError, OAuthErrorCode, TokenReply};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use tower::ServiceExt;
use uuid::Uuid;

pub const PASSWORD: &str = "correct horse battery";
pub const REDIRECT: &str = "http://127.0.0.1:49152/callback";
pub const SECOND: i64 = 1000;
pub const MINUTE: i64 = 60 * SECOND;

/// Real randomness, and a time that only the test moves.
pub struct TestWorld(AtomicI64);

impl World for TestWorld {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::SeqCst))
    }
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        RealWorld.fill(bytes)
    }
}

pub struct Site {
    pub app: App,
    pub router: Router,
    pub world: Arc<TestWorld>,
    mail: TempDir,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e} in {} {}", self.status, self.text()))
    }
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status.is_success(), "{} {}", self.status, self.text());
        self
    }
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
    /// The code of a problem.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) {
        let answer = self.expect(status);
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(answer.json::<Value>()["code"], code);
    }
    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |v| v.to_str().unwrap())
    }
    /// A parameter of the address that the browser is sent to.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let (_, query) = self.location().split_once('?')?;
        form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
    }
    pub fn retry_after(&self) -> Option<u64> {
        self.headers.get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()
    }
}

pub fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl Site {
    pub async fn new() -> Self {
        Self::with(Arc::new(Memory::default()), &[]).await
    }

    pub async fn with(store: Arc<dyn Store>, arguments: &[&str]) -> Self {
        let mail = TempDir::new().unwrap();
        let folder = mail.path().to_str().unwrap().to_owned();
        let standard = ["hearthwatt-server", "--mail-folder", &folder];
        let config = <Config as clap::Parser>::parse_from(standard.iter().chain(arguments));
        let world = Arc::new(TestWorld(AtomicI64::new(1_764_000_000_000)));
        let app = App::new(config, store, world.clone()).await.unwrap();
        Self { router: router(app.clone()), app, world, mail }
    }

    /// Time passes.
    pub fn wait(&self, ms: i64) {
        self.world.0.fetch_add(ms, Ordering::SeqCst);
    }

    pub fn url(&self) -> String {
        self.app.config.public_url()
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser { site: self, cookies: BTreeMap::new(), headers: Vec::new() }
    }

    /// The newest message to somebody, decoded; hands over what is due first.
    pub async fn letter(&self, to: &str) -> Option<String> {
        while mail::deliver_due(&self.app).await.unwrap() {}
        let mut letters: Vec<_> =
            std::fs::read_dir(self.mail.path()).unwrap().map(|e| e.unwrap().path()).collect();
        letters.sort_by_key(|p| std::fs::metadata(p).unwrap().modified().unwrap());
        let texts = letters.iter().rev().map(|p| std::fs::read_to_string(p).unwrap());
        texts.map(|t| decode(&t)).find(|t| t.contains(&format!("To: {to}\r\n")))
    }

    pub async fn letters(&self) -> usize {
        while mail::deliver_due(&self.app).await.unwrap() {}
        std::fs::read_dir(self.mail.path()).unwrap().count()
    }

    /// The path and query of the link in the newest message.
    pub async fn link(&self, to: &str) -> String {
        let letter = self.letter(to).await.unwrap_or_else(|| panic!("no message to {to}"));
        let start = letter.find(&self.url()).unwrap_or_else(|| panic!("no link in {letter}"));
        let link = letter[start..].split_whitespace().next().unwrap();
        link[self.url().len()..].to_owned()
    }

    /// A browser that is signed in to a new account.
    pub async fn person(&self, email: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let name = email.split('@').next().unwrap();
        let fields = [("name", name), ("email", email), ("password", PASSWORD)];
        let first = browser.get("/").await.text().contains("name=\"password\"");
        if first {
            browser.submit("/", "/", &fields).await.expect(303);
        } else {
            browser.submit("/account/register", "/account/register", &[("email", email)]).await.ok();
            let link = self.link(email).await;
            browser.submit(&link, "/account/verify", &fields).await.expect(303);
        }
        browser
    }

    /// An app of a new account.
    pub async fn member(&self, email: &str) -> Device<'_> {
        let mut browser = self.person(email).await;
        browser.device(Uuid::new_v4()).await
    }
}

/// A message as people read it.
fn decode(message: &str) -> String {
    let (head, body) = message.split_once("\r\n\r\n").unwrap();
    let body = if head.contains("quoted-printable") {
        let joined = body.replace("=\r\n", "");
        let mut bytes = Vec::new();
        let mut rest = joined.as_bytes();
        while let [first, tail @ ..] = rest {
            if let (b'=', [a, b, tail @ ..]) = (first, tail) {
                let hex = std::str::from_utf8(&[*a, *b]).unwrap().to_owned();
                bytes.push(u8::from_str_radix(&hex, 16).unwrap());
                rest = tail;
            } else {
                bytes.push(*first);
                rest = tail;
            }
        }
        String::from_utf8(bytes).unwrap()
    } else if head.contains("base64") {
        let joined: String = body.split_whitespace().collect();
        String::from_utf8(base64::engine::general_purpose::STANDARD.decode(joined).unwrap()).unwrap()
    } else {
        body.to_owned()
    };
    format!("{head}\r\n\r\n{body}")
}

/// A browser: keeps cookies, follows nothing by itself.
#[derive(Clone)]
pub struct Browser<'a> {
    pub site: &'a Site,
    pub cookies: BTreeMap<String, String>,
    /// Sent with each request.
    pub headers: Vec<(&'static str, String)>,
}

impl<'a> Browser<'a> {
    pub async fn request(&mut self, method: Method, path: &str, body: Option<String>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !self.headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "127.0.0.1:8787");
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            request = request.header("cookie", cookies.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let answer = self.site.send(request.body(body.map_or(Body::empty(), Body::from)).unwrap()).await;
        for cookie in answer.headers.get_all(header::SET_COOKIE) {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.request(Method::GET, path, None).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.request(Method::POST, path, Some(form(fields))).await
    }

    /// Loads a page, fills in the form that goes to `action`, and sends it.
    pub async fn submit(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let shown = self.get(page).await;
        self.send_form(&shown, action, fields).await
    }

    /// Fills in a form of a page that is shown, and sends it.
    #[track_caller]
    pub fn send_form(
        &mut self,
        shown: &Answer,
        action: &str,
        fields: &[(&str, &str)],
    ) -> impl Future<Output = Answer> {
        let mut all = hidden(&shown.text(), action);
        for (name, value) in fields {
            all.retain(|(n, _)| n != name);
            all.push(((*name).to_owned(), (*value).to_owned()));
        }
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
        async move { self.request(Method::POST, action, Some(body)).await }
    }

    pub async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        self.submit("/account/sign-in", "/account/sign-in", &[("email", email), ("password", password)]).await
    }

    /// Signs an app in through this browser.
    pub async fn device(&mut self, device: Uuid) -> Device<'a> {
        let begun = Authorization::new(device);
        let code = begun.allow(self).await;
        let reply: TokenReply = begun.exchange(self.site, &code).await.expect(200).json();
        Device { site: self.site, tokens: reply }
    }
}

/// Hidden fields of the form with this action.
#[track_caller]
pub fn hidden(page: &str, action: &str) -> Vec<(String, String)> {
    let start =
        page.find(&format!("action=\"{action}\"")).unwrap_or_else(|| panic!("no form to {action} in {page}"));
    let end = start + page[start..].find("</form>").unwrap();
    let attribute = |tag: &str, name: &str| {
        let from = tag.find(&format!("{name}=\"")).map(|i| i + name.len() + 2)?;
        let value = tag[from..].split('"').next()?;
        Some(value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    };
    page[start..end]
        .split("<input ")
        .filter(|tag| tag.starts_with("type=\"hidden\""))
        .filter_map(|tag| Some((attribute(tag, "name")?, attribute(tag, "value")?)))
        .collect()
}

/// An app's sign-in under way.
pub struct Authorization {
    pub device: Uuid,
    pub verifier: String,
    pub state: String,
    pub redirect: String,
}

impl Authorization {
    pub fn new(device: Uuid) -> Self {
        let random = || format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        Self { device, verifier: random(), state: random(), redirect: REDIRECT.to_owned() }
    }

    pub fn address(&self) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&self.verifier));
        let device = self.device.to_string();
        let query = form(&[
            ("response_type", "code"),
            ("client_id", "hearthwatt-app"),
            ("redirect_uri", &self.redirect),
            ("state", &self.state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("device_id", &device),
            ("device_name", "Kitchen tablet"),
        ]);
        format!("/oauth/authorize?{query}")
    }

    /// The person agrees; the code that the app gets.
    pub async fn allow(&self, browser: &mut Browser<'_>) -> String {
        let shown = browser.get(&self.address()).await.expect(200);
        assert!(shown.text().contains("Kitchen tablet"), "{}", shown.text());
        let answer =
            browser.send_form(&shown, "/oauth/authorize", &[("decision", "allow")]).await.expect(303);
        assert!(answer.location().starts_with(&format!("{}?", self.redirect)), "{}", answer.location());
        assert_eq!(answer.parameter("state").as_deref(), Some(self.state.as_str()));
        assert_eq!(answer.parameter("iss"), Some(browser.site.url()));
        answer.parameter("code").unwrap()
    }

    pub async fn exchange(&self, site: &Site, code: &str) -> Answer {
        self.exchange_with(site, code, &self.redirect, &self.verifier).await
    }

    pub async fn exchange_with(&self, site: &Site, code: &str, redirect: &str, verifier: &str) -> Answer {
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", "hearthwatt-app"),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        site.oauth("/oauth/token", &fields).await
    }
}

impl Site {
    /// A form to an OAuth endpoint, from an app.
    pub async fn oauth(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("host", "127.0.0.1:8787")
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form(fields))).unwrap()).await
    }

    pub async fn refresh(&self, token: &str, attempt: Option<&str>) -> Answer {
        let mut fields =
            vec![("grant_type", "refresh_token"), ("client_id", "hearthwatt-app"), ("refresh_token", token)];
        fields.extend(attempt.map(|a| ("attempt", a)));
        self.oauth("/oauth/token", &fields).await
    }
}

#[track_caller]
pub fn oauth_error(answer: Answer, code: OAuthErrorCode) {
    let status = answer.status;
    assert!(status.is_client_error(), "{status} {}", answer.text());
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(answer.json::<OAuthError>().error, code, "{}", answer.text());
}

/// An app that is signed in.
pub struct Device<'a> {
    pub site: &'a Site,
    pub tokens: TokenReply,
}

impl Device<'_> {
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.tokens.access_token.expose()));
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or(Body::empty(), |b| Body::from(b.to_string()));
        self.site.send(request.body(body).unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, None).await
    }

    pub fn account(&self) -> Uuid {
        self.tokens.account
    }
}
