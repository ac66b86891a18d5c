//! Requests to the server over HTTP, and what can go wrong with them.

use crate::core::Core;
use hearthwatt_api::{ApiError, ErrorCode};
use hearthwatt_server_api::oauth::{OAuthError, OAuthErrorCode};
use hearthwatt_server_api::{Problem, ProblemCode, Secret};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::OnceLock;
use std::time::Duration;

const CONNECT: Duration = Duration::from_secs(10);
const WHOLE: Duration = Duration::from_secs(30);
/// No answer of the server is larger.
const BODY_MAX: usize = 8 * 1024 * 1024;

/// Why a request came to nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Trouble {
    /// No connection, no answer, or a server that is unwell: trying again helps.
    #[error("{0}")]
    Unreachable(String),
    /// It answers, but is no server of ours.
    #[error("{0}")]
    NotOurs(String),
    /// This device's access is over.
    #[error("This device's access has ended: sign in again.")]
    Ended,
    /// It said no.
    #[error("{0}")]
    Refused(Box<Problem>),
    #[error("{}", .0.error_description.clone().unwrap_or_else(|| .0.error.as_str().to_owned()))]
    OAuth(OAuthError),
    /// On this computer.
    #[error("{0}")]
    Here(String),
}

impl Trouble {
    pub(crate) fn code(&self) -> Option<ProblemCode> {
        match self {
            Self::Refused(problem) => Some(problem.code),
            _ => None,
        }
    }
}

impl From<Trouble> for ApiError {
    fn from(trouble: Trouble) -> Self {
        let (code, retry) = match &trouble {
            Trouble::Unreachable(_) => (ErrorCode::Server, true),
            Trouble::Ended => (ErrorCode::SignedOut, false),
            Trouble::Here(_) => (ErrorCode::Storage, true),
            Trouble::Refused(p) => match p.code {
                ProblemCode::Forbidden => (ErrorCode::Forbidden, false),
                ProblemCode::NotFound | ProblemCode::InvitationSpent => (ErrorCode::NotFound, false),
                ProblemCode::Invalid | ProblemCode::LastOwner => (ErrorCode::Invalid, false),
                ProblemCode::RateLimited | ProblemCode::Unavailable => (ErrorCode::Server, true),
                _ => (ErrorCode::Server, false),
            },
            Trouble::NotOurs(_) | Trouble::OAuth(_) => (ErrorCode::Server, false),
        };
        let message = match &trouble {
            Trouble::Refused(p) if !p.errors.is_empty() => {
                p.errors.iter().map(|e| e.message.as_str()).collect::<Vec<_>>().join(" ")
            }
            Trouble::Unreachable(why) => format!("The server can't be reached ({why}). Nothing was changed."),
            _ => trouble.to_string(),
        };
        ApiError { code, message, retry }
    }
}

/// The client of all requests, made when the first one is.
#[derive(Default)]
pub(crate) struct Http(OnceLock<Result<reqwest::Client, String>>);

impl Http {
    pub(crate) fn client(&self) -> Result<&reqwest::Client, Trouble> {
        let made = self.0.get_or_init(|| {
            // the first one of the process holds; the others are the same
            let _ = rustls::crypto::ring::default_provider().install_default();
            reqwest::Client::builder()
                .user_agent(concat!("Hearthwatt/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT)
                .http1_only()
                // a redirect could carry the access elsewhere
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .map_err(|e| words(&e))
        });
        made.as_ref().map_err(|e| Trouble::Here(format!("Secure connections can't be set up ({e}).")))
    }

    /// A form to one of the OAuth endpoints.
    pub(crate) async fn form<T: DeserializeOwned>(
        &self,
        server: &str,
        path: &str,
        form: &impl Serialize,
    ) -> Result<T, Trouble> {
        let request = self.client()?.post(format!("{server}{path}")).form(form).timeout(WHOLE);
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = body(response).await?;
        if status.is_success() {
            return read(&body);
        }
        match serde_json::from_slice::<OAuthError>(&body) {
            Ok(e) if e.error == OAuthErrorCode::InvalidGrant => Err(Trouble::Ended),
            Ok(e)
                if matches!(
                    e.error,
                    OAuthErrorCode::TemporarilyUnavailable | OAuthErrorCode::ServerError
                ) =>
            {
                Err(Trouble::Unreachable("it is busy".into()))
            }
            Ok(e) => Err(Trouble::OAuth(e)),
            Err(_) => Err(odd(status, &body)),
        }
    }

    /// Something that needs no access.
    pub(crate) async fn open<T: DeserializeOwned>(&self, server: &str, path: &str) -> Result<T, Trouble> {
        let request = self.client()?.get(format!("{server}{path}")).timeout(WHOLE);
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let body = body(response).await?;
        if status.is_success() { read(&body) } else { Err(odd(status, &body)) }
    }
}

/// What goes with a request.
pub(crate) enum Body {
    None,
    Json(serde_json::Value),
    Bytes(Vec<u8>),
}

impl Body {
    pub(crate) fn json(value: &impl Serialize) -> Result<Self, Trouble> {
        serde_json::to_value(value).map(Self::Json).map_err(|e| Trouble::Here(e.to_string()))
    }
}

impl Core {
    /// An access token, and the server it is for.
    pub(crate) async fn token(&self) -> Result<(String, Secret), Trouble> {
        let (server, kind) = {
            let known = self.share.known();
            let account = known.account.as_ref().ok_or(Trouble::Ended)?;
            (account.server.clone(), account.token_store)
        };
        let token =
            self.share.access.token(&self.share.http, &server, kind, self.share.device, self.now()).await?;
        Ok((server, token))
    }

    /// The answer's bytes.
    pub(crate) async fn ask_bytes(
        &self,
        method: Method,
        path: &str,
        body: &Body,
    ) -> Result<Vec<u8>, Trouble> {
        // once more with a new token, should this one have ended early
        for last in [false, true] {
            let (server, token) = self.token().await?;
            let mut request = self.share.http.client()?.request(method.clone(), format!("{server}{path}"));
            request = request.bearer_auth(token.expose()).timeout(WHOLE);
            request = match body {
                Body::None => request,
                Body::Json(json) => request.json(json),
                Body::Bytes(bytes) => {
                    request.header("content-type", "application/octet-stream").body(bytes.clone())
                }
            };
            let response = request.send().await.map_err(unreachable)?;
            let status = response.status();
            let bytes = self::body(response).await?;
            self.reached();
            if status.is_success() {
                return Ok(bytes);
            }
            if status == StatusCode::UNAUTHORIZED {
                self.share.access.refuse(&token);
                if !last {
                    continue;
                }
                return Err(Trouble::Ended);
            }
            return Err(odd(status, &bytes));
        }
        Err(Trouble::Ended)
    }

    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &Body,
    ) -> Result<T, Trouble> {
        read(&self.ask_bytes(method, path, body).await?)
    }

    pub(crate) async fn ask_get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Trouble> {
        self.ask(Method::GET, path, &Body::None).await
    }
}

async fn body(mut response: reqwest::Response) -> Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if bytes.len() + chunk.len() > BODY_MAX {
            return Err(Trouble::NotOurs("The server's answer is too long.".into()));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Trouble> {
    // an empty answer is the answer "done"
    let body = if body.is_empty() { b"null" } else { body };
    serde_json::from_slice(body)
        .map_err(|_| Trouble::NotOurs("This is no Hearthwatt server: its answer can't be read.".into()))
}

pub(crate) fn odd(status: StatusCode, body: &[u8]) -> Trouble {
    match serde_json::from_slice::<Problem>(body) {
        Ok(p)
            if matches!(
                p.code,
                ProblemCode::RateLimited | ProblemCode::Unavailable | ProblemCode::Internal
            ) =>
        {
            Trouble::Unreachable(p.to_string())
        }
        Ok(problem) => Trouble::Refused(Box::new(problem)),
        Err(_) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            Trouble::Unreachable(format!("it answers {}", status.as_u16()))
        }
        Err(_) => Trouble::NotOurs(format!("This is no Hearthwatt server: it answers {}.", status.as_u16())),
    }
}

pub(crate) fn unreachable(error: reqwest::Error) -> Trouble {
    Trouble::Unreachable(words(&error))
}

/// The innermost cause says most; addresses may hold codes and are left out.
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".into();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    if text.contains("http://") || text.contains("https://") { "the request failed".into() } else { text }
}

/// RFC 4648 5, without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let n = group.iter().enumerate().fold(0u32, |n, (i, b)| n | u32::from(*b) << (16 - 8 * i));
        for i in 0..=group.len() {
            text.push(char::from(DIGITS[(n >> (18 - 6 * i)) as usize & 63]));
        }
    }
    text
}

/// A server's address as typed, in one form: no path, no slash at the end.
///
/// # Errors
/// In words: no address, or one that would send passwords in the clear.
pub(crate) fn address(typed: &str) -> Result<String, ApiError> {
    let typed = typed.trim().trim_end_matches('/');
    let with_scheme = if typed.contains("://") { typed.to_owned() } else { format!("https://{typed}") };
    let bad = || crate::words::invalid("Server: an address such as https://home.example.");
    let url = reqwest::Url::parse(&with_scheme).map_err(|_| bad())?;
    let host = url.host_str().filter(|h| !h.is_empty()).ok_or_else(bad)?;
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        return Err(bad());
    }
    let loopback = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if loopback => {}
        "http" => {
            return Err(crate::words::invalid(
                "Server: only https:// keeps passwords and readings from being read on the way.",
            ));
        }
        _ => return Err(bad()),
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_is_that_of_the_standard() {
        for (bytes, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")] {
            assert_eq!(base64url(bytes.as_bytes()), text);
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn addresses_are_one_form_and_safe() {
        let good = |typed: &str, form: &str| assert_eq!(address(typed).unwrap(), form, "{typed}");
        good("home.example", "https://home.example");
        good(" https://Home.Example/ ", "https://home.example");
        good("https://home.example:8443", "https://home.example:8443");
        good("https://example.org/hearthwatt/", "https://example.org/hearthwatt");
        good("http://127.0.0.1:8080", "http://127.0.0.1:8080");
        good("http://[::1]:8080/", "http://[::1]:8080");
        good("http://localhost:8080", "http://localhost:8080");
        for bad in [
            "",
            "http://home.example",
            "http://127.0.0.1.evil.example",
            "http://localhost.evil.example",
            "ftp://home.example",
            "https://user@home.example",
            "https://home.example/?x",
            "javascript:alert(1)",
            "file:///etc/passwd",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
