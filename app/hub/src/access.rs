//! Who may ask: decided before anything else is read of a request.
//!
//! On loopback nobody but programs of this computer can connect, and no token is asked for. That
//! leaves other web sites in this computer's browser: a name that they point at 127.0.0.1 (DNS
//! rebinding) is refused by the `Host` header, requests that they send across (CSRF) by `Origin`
//! and `Sec-Fetch-Site`. Away from loopback every call needs the token, in the `Authorization`
//! header; `EventSource` can't set one, so the event stream takes it in the query as well.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use hearthwatt_api::{ApiError, ErrorCode};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Where calls and the event stream live.
pub const API: &str = "/api/v1/";
/// The event stream.
pub const EVENTS: &str = "/api/v1/events";

/// The rule for all requests of one hub.
#[derive(Clone)]
pub enum Access {
    /// Listening on loopback: by `Host` and `Origin`.
    Local { port: u16 },
    /// Listening for others: by token.
    Token(Arc<str>),
}

impl Access {
    /// The rule that fits where the hub listens. Away from loopback without a token nobody
    /// gets in: an empty token never matches.
    pub fn new(bound: SocketAddr, token: Option<String>) -> Self {
        match token {
            None if bound.ip().is_loopback() => Self::Local { port: bound.port() },
            token => Self::Token(token.unwrap_or_default().into()),
        }
    }

    /// `Err` is what to answer instead.
    pub fn check(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), (StatusCode, ApiError)> {
        match self {
            Self::Local { port } => check_local(*port, headers),
            // the page itself is no secret, and has to load to hand over the token
            Self::Token(_) if !uri.path().starts_with(API) => Ok(()),
            Self::Token(token) => {
                let from_query =
                    || (method == Method::GET && uri.path() == EVENTS).then(|| query_token(uri)).flatten();
                let given = bearer(headers).or_else(from_query).unwrap_or_default();
                // equal lengths are no secret, equal bytes are
                if !token.is_empty() && bool::from(given.as_bytes().ct_eq(token.as_bytes())) {
                    return Ok(());
                }
                Err((
                    StatusCode::UNAUTHORIZED,
                    refused(
                        "This hub needs its token. Open the address with #token= that it showed at its first start.",
                    ),
                ))
            }
        }
    }
}

fn check_local(port: u16, headers: &HeaderMap) -> Result<(), (StatusCode, ApiError)> {
    let forbidden = |message| Err((StatusCode::FORBIDDEN, refused(message)));
    let host = text(headers, header::HOST).and_then(|h| h.parse::<Authority>().ok());
    if !host.is_some_and(|host| is_local(&host, port)) {
        return forbidden("This hub only answers under the name of this computer: localhost or 127.0.0.1.");
    }
    if let Some(origin) = headers.get(header::ORIGIN) {
        let own = origin
            .to_str()
            .ok()
            .and_then(|o| o.strip_prefix("http://"))
            .and_then(|o| o.parse::<Authority>().ok())
            .is_some_and(|o| is_local(&o, port));
        if !own {
            return forbidden("Another web site may not use this hub.");
        }
    }
    match text(headers, header::HeaderName::from_static("sec-fetch-site")) {
        Some("cross-site" | "same-site") if headers.get("sec-fetch-mode").is_none_or(|m| m != "navigate") => {
            forbidden("Another web site may not use this hub.")
        }
        _ => Ok(()),
    }
}

/// This computer by name or address, and our port (a different program of this computer is a
/// different origin).
fn is_local(authority: &Authority, port: u16) -> bool {
    let host = authority.host();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let local = host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback());
    local && authority.port_u16().unwrap_or(80) == port && !authority.as_str().contains('@')
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|v| v.to_str().ok())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = text(headers, header::AUTHORIZATION)?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn query_token(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("token="))
}

fn refused(message: &str) -> ApiError {
    ApiError { code: ErrorCode::Unauthorized, message: message.into(), retry: false }
}
