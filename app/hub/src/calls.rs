//! Calls and events over HTTP.

use crate::router::Hub;
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use hearthwatt_api::{ApiError, ErrorCode};
use serde_json::Value;
use std::convert::Infallible;
use std::time::Duration;

/// Largest body of a call, in bytes.
pub const BODY_LIMIT: usize = 1024 * 1024;
/// Reading a call and answering it.
const CALL_LIMIT: Duration = Duration::from_secs(30);
/// A comment this often keeps proxies from closing a quiet stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// `POST /api/v1/{name}`: the parameters are the JSON body (none is `{}`), the answer is JSON.
pub async fn call(
    State(hub): State<Hub>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Ok(_place) = hub.calls.try_acquire() else {
        return busy("The hub is answering too many calls at once.");
    };
    // Other web sites can send forms without asking the browser, but not JSON.
    let json = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| {
        v.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
    });
    if !json {
        let message = "The call must be sent as application/json.";
        return error(StatusCode::UNSUPPORTED_MEDIA_TYPE, bad_request(message));
    }
    let answer = async {
        let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| {
            error(StatusCode::PAYLOAD_TOO_LARGE, bad_request("The call is larger than 1 MiB."))
        })?;
        let params = if body.is_empty() {
            Value::Object(Default::default())
        } else {
            serde_json::from_slice(&body).map_err(|e| {
                error(StatusCode::BAD_REQUEST, bad_request(&format!("The call is not readable JSON: {e}.")))
            })?
        };
        hub.shell.call(&name, params).await.map_err(|e| error(status(e.code), e))
    };
    match tokio::time::timeout(CALL_LIMIT, answer).await {
        Ok(Ok(value)) => ([(header::CACHE_CONTROL, "no-store")], Json(value)).into_response(),
        Ok(Err(response)) => response,
        Err(_) => error(
            StatusCode::GATEWAY_TIMEOUT,
            ApiError {
                code: ErrorCode::Unavailable,
                message: "The answer took too long.".into(),
                retry: true,
            },
        ),
    }
}

/// `GET /api/v1/events`: one event as JSON per message, until the hub stops or the page goes.
pub async fn events(State(hub): State<Hub>) -> Response {
    let Ok(place) = hub.streams.clone().try_acquire_owned() else {
        return busy("Too many pages are watching this hub.");
    };
    let stopping = hub.stopping.clone();
    let events =
        stream::unfold((hub.shell.events(), stopping, place), |(mut events, mut stopping, place)| async {
            let event = tokio::select! {
                event = events.next() => event?,
                _ = stopping.wait_for(|stop| *stop) => return None,
            };
            let message = match serde_json::to_string(&event) {
                Ok(json) => axum::response::sse::Event::default().data(json),
                Err(e) => axum::response::sse::Event::default().comment(e.to_string()),
            };
            Some((Ok::<_, Infallible>(message), (events, stopping, place)))
        });
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        // asks proxies such as nginx not to hold back what is meant to be live
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))).into_response()
}

/// `GET /healthz`: the process answers. What is wrong with the home is the call `health`.
pub async fn healthz() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], "ok\n").into_response()
}

/// An error as the page knows it, under a status for everyone else.
pub fn error(status: StatusCode, error: ApiError) -> Response {
    let again = error.retry && status == StatusCode::SERVICE_UNAVAILABLE;
    let mut response = (status, [(header::CACHE_CONTROL, "no-store")], Json(error)).into_response();
    if again {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    }
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    }
    response
}

pub fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::BadRequest => StatusCode::BAD_REQUEST,
        ErrorCode::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::SignedOut => StatusCode::CONFLICT,
        ErrorCode::Server => StatusCode::BAD_GATEWAY,
        ErrorCode::Storage | ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn busy(message: &str) -> Response {
    error(
        StatusCode::SERVICE_UNAVAILABLE,
        ApiError { code: ErrorCode::Unavailable, message: message.into(), retry: true },
    )
}

fn bad_request(message: &str) -> ApiError {
    ApiError { code: ErrorCode::BadRequest, message: message.into(), retry: false }
}
