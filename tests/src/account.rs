//! People with accounts on a server, and their devices, as a browser and an app make them: forms
//! with cookies, then the authorization code with PKCE.

use crate::repo::Entry;
use crate::server::{Server, entry};
use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hearthwatt_server_api::homes::{CreatedInvitation, MemberRole, NewHome, NewInvitation, Roster};
use hearthwatt_server_api::oauth::{CLIENT_ID, S256, TokenReply};
use hearthwatt_server_api::paths;
use reqwest::{Client, Method, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use uuid::Uuid;

pub const PASSWORD: &str = "a long enough pass phrase";
/// Where the app would listen; nobody does, the test reads the redirect itself.
const REDIRECT: &str = "http://127.0.0.1:49152/callback";

/// A browser without a screen: it keeps cookies and fills in forms.
pub struct Visitor {
    server: String,
    client: Client,
    cookies: BTreeMap<String, String>,
}

/// An answer to a [`Visitor`], redirects not followed.
pub struct Answer {
    pub status: StatusCode,
    pub location: Option<String>,
    pub body: String,
}

impl Visitor {
    pub fn new(server: &str) -> Visitor {
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        Visitor {
            server: server.to_owned(),
            client: client.expect("an HTTP client"),
            cookies: BTreeMap::new(),
        }
    }

    pub async fn get(&mut self, path: &str) -> Result<Answer> {
        let request = self.client.get(self.absolute(path)?);
        self.send(request).await
    }

    /// Opens the form at `path`, fills it in and sends it to `action`.
    pub async fn submit(&mut self, path: &str, action: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        let form = self.get(path).await?;
        ensure!(form.status.is_success(), "{path}: {}\n{}", form.status, form.body);
        let csrf = csrf(&form.body).with_context(|| format!("{path} has no form:\n{}", form.body))?;
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(fields);
        let body = form_encoded(&all);
        let request = self
            .client
            .post(self.absolute(action)?)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body);
        self.send(request).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Result<Answer> {
        let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let response = request.header("cookie", cookies.join("; ")).send().await?;
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let status = response.status();
        let location =
            response.headers().get("location").and_then(|l| l.to_str().ok()).map(ToOwned::to_owned);
        Ok(Answer { status, location, body: response.text().await? })
    }

    fn absolute(&self, path: &str) -> Result<Url> {
        Ok(Url::parse(&self.server)?.join(path)?)
    }
}

fn form_encoded(fields: &[(&str, &str)]) -> String {
    let mut url = Url::parse("http://form").expect("a constant");
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned()
}

fn csrf(body: &str) -> Option<String> {
    let at = body.find("name=\"csrf\" value=\"")? + "name=\"csrf\" value=\"".len();
    Some(body[at..].split('"').next()?.to_owned())
}

/// Somebody who is signed in with a browser.
pub struct Person {
    pub name: String,
    pub email: String,
    visitor: Visitor,
    server: String,
}

impl Person {
    /// The first account of a server.
    pub async fn first(server: &Server, name: &str) -> Result<Person> {
        let mut person = Self::stranger(&server.url, name);
        let email = person.email.clone();
        let fields = [("name", name), ("email", email.as_str()), ("password", PASSWORD)];
        let answer = person.visitor.submit("/", "/", &fields).await?;
        ensure!(answer.status.is_redirection(), "first account: {}\n{}", answer.status, answer.body);
        Ok(person)
    }

    /// A further account, through the link in an e-mail.
    pub async fn register(server: &Server, name: &str) -> Result<Person> {
        let mut person = Self::stranger(&server.url, name);
        let email = person.email.clone();
        let sent =
            person.visitor.submit("/account/register", "/account/register", &[("email", &email)]).await?;
        ensure!(sent.status.is_success(), "register: {}\n{}", sent.status, sent.body);
        let link = link_to(&server.mail, &email, "/account/verify").await?;
        let (path, token) = link.split_once("token=").context("the link has a token")?;
        let path = format!("{}token={token}", &path[path.find("/account").context("a page")?..]);
        let fields = [("token", token), ("name", name), ("password", PASSWORD)];
        let answer = person.visitor.submit(&path, "/account/verify", &fields).await?;
        ensure!(answer.status.is_redirection(), "verify: {}\n{}", answer.status, answer.body);
        Ok(person)
    }

    fn stranger(server: &str, name: &str) -> Person {
        let email = format!("{}@example.org", name.to_lowercase());
        Person { name: name.to_owned(), email, visitor: Visitor::new(server), server: server.to_owned() }
    }

    /// Lets a device in that shows a code (RFC 8628).
    pub async fn allow_code(&mut self, code: &str) -> Result<()> {
        let typed =
            self.visitor.submit(paths::DEVICE_PAGE, paths::DEVICE_PAGE, &[("user_code", code)]).await?;
        ensure!(typed.status.is_success(), "the code: {}\n{}", typed.status, typed.body);
        let decision = [("user_code", code), ("decision", "allow")];
        let allowed = self.visitor.submit(paths::DEVICE_PAGE, paths::DEVICE_PAGE, &decision).await?;
        ensure!(
            allowed.status.is_success() || allowed.status.is_redirection(),
            "allowing: {}\n{}",
            allowed.status,
            allowed.body
        );
        Ok(())
    }

    /// Signs the app in on a device.
    pub async fn device(&mut self, name: &str) -> Result<Device> {
        let verifier = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let (state, id) = (Uuid::new_v4().to_string(), Uuid::new_v4());
        let asked = [
            ("response_type", "code"),
            ("client_id", CLIENT_ID),
            ("redirect_uri", REDIRECT),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", S256),
            ("device_id", &id.to_string()),
            ("device_name", name),
        ];
        let page = format!("{}?{}", paths::AUTHORIZE, form_encoded(&asked));
        let mut decision = asked.to_vec();
        decision.push(("decision", "allow"));
        let answer = self.visitor.submit(&page, paths::AUTHORIZE, &decision).await?;
        let back = answer.location.with_context(|| format!("{}\n{}", answer.status, answer.body))?;
        let back: BTreeMap<String, String> = Url::parse(&back)?.query_pairs().into_owned().collect();
        ensure!(back.get("state") == Some(&state) && back.get("iss") == Some(&self.server), "{back:?}");
        let code = back.get("code").with_context(|| format!("no code: {back:?}"))?;
        let form = form_encoded(&[
            ("grant_type", "authorization_code"),
            ("client_id", CLIENT_ID),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", &verifier),
        ]);
        let client = Client::builder().no_proxy().build()?;
        let response = client
            .post(format!("{}{}", self.server, paths::TOKEN))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await?;
        let tokens: TokenReply = read(response).await?;
        Ok(Device { id, server: self.server.clone(), tokens, client })
    }
}

/// The link of a kind in the newest message to an address.
async fn link_to(folder: &Path, email: &str, kind: &str) -> Result<String> {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let mut files: Vec<_> = std::fs::read_dir(folder)?.flatten().map(|e| e.path()).collect();
        files.sort_by_key(|p| std::fs::metadata(p).and_then(|m| m.modified()).ok());
        let messages = files.iter().rev().filter_map(|p| std::fs::read_to_string(p).ok());
        for message in messages.filter(|m| m.contains(email)) {
            // quoted-printable breaks long lines
            let message = message.replace("=\r\n", "").replace("=\n", "").replace("=3D", "=");
            if let Some(link) = message.split_whitespace().find(|w| w.contains(kind)) {
                return Ok(link.to_owned());
            }
        }
        ensure!(Instant::now() < until, "no message with {kind} to {email}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A device of a person, signed in.
#[derive(Clone)]
pub struct Device {
    pub id: Uuid,
    pub server: String,
    pub tokens: TokenReply,
    client: Client,
}

impl Device {
    pub fn token(&self) -> &str {
        &self.tokens.access_token.0
    }

    /// The WebSocket, at this device's server or another process of it.
    pub fn entry(&self) -> Entry {
        entry(&self.server, self.token())
    }

    pub fn at(&self, server: &str) -> Device {
        Device { server: server.to_owned(), ..self.clone() }
    }

    pub async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T> {
        read(self.send(method, path, body).await?).await
    }

    pub async fn send(&self, method: Method, path: &str, body: &impl Serialize) -> Result<Response> {
        let mut request =
            self.client.request(method.clone(), format!("{}{path}", self.server)).bearer_auth(self.token());
        if method != Method::GET {
            request = request.json(body);
        }
        Ok(request.send().await?)
    }

    /// Makes a home; its document has the same id.
    pub async fn home(&self, name: &str) -> Result<Uuid> {
        let id = Uuid::new_v4();
        let response = self.send(Method::POST, paths::HOMES, &NewHome { id, name: name.to_owned() }).await?;
        ensure!(response.status().is_success(), "{}: {}", response.status(), response.text().await?);
        Ok(id)
    }

    /// Takes another person's device into a home, invitation to confirmation.
    pub async fn admit(&self, home: Uuid, guest: &Device, role: MemberRole) -> Result<()> {
        let invitation: CreatedInvitation = self
            .call(Method::POST, &paths::invitations(home), &NewInvitation { role, expires: None })
            .await?;
        let path = paths::accept_invitation(&invitation.code.0);
        let accepted = guest.send(Method::POST, &path, &()).await?;
        ensure!(accepted.status().is_success(), "{}: {}", accepted.status(), accepted.text().await?);
        let roster: Roster = self.call(Method::GET, &paths::members(home), &()).await?;
        let member = roster.members.iter().find(|m| m.id == guest.tokens.account).context("on the roster")?;
        let path = paths::confirm_member(home, member.id);
        let confirmed = self.send(Method::POST, &path, &()).await?;
        ensure!(confirmed.status().is_success(), "{}: {}", confirmed.status(), confirmed.text().await?);
        Ok(())
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T> {
    let (status, url, body) = (response.status(), response.url().clone(), response.bytes().await?);
    ensure!(status.is_success(), "{url}: {status} {}", String::from_utf8_lossy(&body));
    serde_json::from_slice(&body).with_context(|| String::from_utf8_lossy(&body).into_owned())
}
