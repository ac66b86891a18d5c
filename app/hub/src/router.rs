//! The routes, and what every answer carries.

use crate::access::{self, Access};
use crate::calls;
use crate::page::{self, Page};
use crate::transfer::{self, Links};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use hearthwatt_api::{ApiError, ErrorCode};
use hearthwatt_shell::Shell;
use std::sync::Arc;
use tokio::sync::{Semaphore, watch};

/// Calls answered at once; the next one is told to come again.
const CALLS: usize = 64;
/// Pages watching at once.
pub const STREAMS: usize = 32;

/// Nothing but ourselves, no frames, no inline scripts or styles.
const CSP: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What the routes share.
#[derive(Clone)]
pub struct Hub {
    pub shell: Shell,
    pub page: Arc<Page>,
    pub calls: Arc<Semaphore>,
    pub streams: Arc<Semaphore>,
    pub downloads: Arc<Semaphore>,
    pub links: Arc<Links>,
    /// True from the moment the hub is asked to stop: streams end.
    pub stopping: watch::Receiver<bool>,
}

impl Hub {
    pub fn new(shell: Shell, page: Page, stopping: watch::Receiver<bool>) -> Self {
        Self {
            shell,
            page: Arc::new(page),
            calls: Arc::new(Semaphore::new(CALLS)),
            streams: Arc::new(Semaphore::new(STREAMS)),
            downloads: Arc::new(Semaphore::new(transfer::DOWNLOADS)),
            links: Arc::default(),
            stopping,
        }
    }
}

/// All routes, guarded by `access`.
pub fn router(hub: Hub, access: Access) -> Router {
    Router::new()
        .route("/healthz", get(calls::healthz))
        .route(access::EVENTS, get(calls::events))
        .route("/api/v1/export", post(transfer::link))
        .route("/api/v1/import", post(transfer::import))
        .route("/export/{link}", get(transfer::export))
        .route("/api/v1/{name}", post(calls::call))
        .route("/api/{*rest}", axum::routing::any(no_such_call))
        .fallback(get(page::file))
        .with_state(hub)
        .layer(from_fn_with_state(access, guard))
        .layer(from_fn(harden))
}

async fn guard(State(access): State<Access>, request: Request, next: Next) -> Response {
    match access.check(request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err((status, error)) => {
            // the path only: a query may hold the token
            tracing::debug!(%status, path = request.uri().path(), "refused");
            calls::error(status, error)
        }
    }
}

async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn no_such_call() -> Response {
    let message = "There is no such call. Calls are POST /api/v1/{name}, events GET /api/v1/events.".into();
    calls::error(StatusCode::NOT_FOUND, ApiError { code: ErrorCode::BadRequest, message, retry: false })
}
