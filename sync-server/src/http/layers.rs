//! What every request goes through: limits, time, panics, headers, counting, the log.

use super::limits::network_of;
use super::metrics::Request as Label;
use super::{ClientAddress, Problem};
use crate::app::App;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

/// From the end of the headers to the start of the answer, reading the body included.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// Longest address, in bytes.
const URI_MAX: usize = 8 * 1024;

/// Headers of every answer that doesn't have its own.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

/// Counts, logs and protects a request. The log has the route, never the address with its query: codes
/// and tickets travel there.
pub(super) async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = name(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("(none)", |m| m.as_str()).to_owned();
    let client = request.extensions().get::<ClientAddress>().copied();
    let mut response = match admit(&app, &request) {
        Err(problem) => problem.into_response(),
        Ok(()) => guarded(next.run(request)).await,
    };
    let headers = response.headers_mut();
    for (header, value) in HEADERS {
        headers.entry(header).or_insert(HeaderValue::from_static(value));
    }
    if app.http.is_https {
        let hsts = HeaderValue::from_static("max-age=31536000");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(hsts);
    }
    let (status, took) = (response.status().as_u16(), begun.elapsed());
    app.http.metrics.request_seconds.observe(took.as_secs_f64());
    let client = client.map(|c| c.0.to_string()).unwrap_or_default();
    tracing::debug!(method, route, status, client, ms = took.as_millis() as u64, "request");
    app.http.metrics.requests.get_or_create(&Label { method, route, status }).inc();
    response
}

fn admit(app: &App, request: &Request) -> Result<(), Problem> {
    if request.uri().path().len() + request.uri().query().map_or(0, str::len) > URI_MAX {
        return Err(Problem::too_large("The address is too long."));
    }
    // what watches the server must not be limited along with what it watches
    if matches!(request.uri().path(), "/healthz" | "/readyz" | "/metrics") {
        return Ok(());
    }
    let Some(ClientAddress(address)) = request.extensions().get() else { return Ok(()) };
    app.http.by_address.admit(&network_of(*address)).inspect_err(|_| {
        app.http.metrics.rate_limited.inc();
    })
}

/// The answer, in time and whatever happens.
async fn guarded(answer: impl Future<Output = Response>) -> Response {
    let answer = tokio::time::timeout(REQUEST_LIMIT, AssertUnwindSafe(answer).catch_unwind());
    match answer.await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Problem::internal(&"a handler panicked").into_response(),
        Err(_) => Problem::unavailable("The answer took too long.", Duration::from_secs(5)).into_response(),
    }
}

/// A label for each method there is, one for all others.
fn name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
