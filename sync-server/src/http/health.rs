//! `/healthz`, `/readyz` and `/metrics`.

use super::{ClientAddress, Problem};
use crate::app::App;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::time::{Duration, Instant};
use subtle::ConstantTimeEq;
use tokio::sync::Mutex;

/// A probe's answer is good this long: whoever asks more often gets it again.
const FRESH: Duration = Duration::from_secs(1);
/// A store that takes longer is not ready.
const PROBE_LIMIT: Duration = Duration::from_secs(3);

/// The last probe of the store.
#[derive(Default)]
pub struct Readiness(Mutex<Option<(Instant, bool)>>);

/// The process runs.
pub async fn healthz() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], "ok\n").into_response()
}

/// Requests can be answered: a document goes into the store and comes back, and the server isn't
/// stopping.
pub async fn readyz(State(app): State<App>) -> Response {
    if app.http.is_stopping() {
        return Problem::unavailable("The server is stopping.", FRESH).into_response();
    }
    let mut last = app.http.readiness.0.lock().await;
    let ready = match *last {
        Some((at, ready)) if at.elapsed() < FRESH => ready,
        _ => {
            let ready = match tokio::time::timeout(PROBE_LIMIT, app.store.probe()).await {
                Ok(Ok(())) => true,
                Ok(Err(e)) => {
                    tracing::warn!(cause = %e, "not ready");
                    false
                }
                Err(_) => {
                    tracing::warn!("not ready: the store takes too long");
                    false
                }
            };
            *last = Some((Instant::now(), ready));
            ready
        }
    };
    drop(last);
    if ready {
        ([(header::CACHE_CONTROL, "no-store")], "ready\n").into_response()
    } else {
        Problem::unavailable("The server's database isn't available.", FRESH).into_response()
    }
}

/// With `--metrics-token-file` for whoever has that token; without it for this computer and its
/// private networks.
pub async fn metrics(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    headers: axum::http::HeaderMap,
) -> Response {
    let allowed = match &app.http.metrics_token {
        None => is_private(address),
        Some(token) => {
            let given = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
            let given = given.and_then(|v| v.strip_prefix("Bearer ")).unwrap_or_default();
            token.as_bytes().ct_eq(given.as_bytes()).into()
        }
    };
    if !allowed {
        return Problem::not_found("There is nothing at this address.").into_response();
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match app.http.metrics.text() {
        Ok(text) => (StatusCode::OK, [(header::CONTENT_TYPE, kind)], text).into_response(),
        Err(e) => Problem::internal(&e).into_response(),
    }
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
    }
}
