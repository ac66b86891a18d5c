//! Errors as responses: `application/problem+json` (RFC 9457), in the words of the API.

use crate::app::NoRandomness;
use crate::store::StoreError;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hearthwatt_server_api::{Problem as Body, ProblemCode};
use std::time::Duration;

/// An error as a response. The code is for programs and stays the same between versions; the detail
/// is for people, says what to do, and holds no secret.
#[derive(Debug)]
pub struct Problem {
    body: Box<Body>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        let body = Body { detail: Some(detail.into()), ..Body::new(code) };
        let problem = Self { body: Box::new(body), headers: Vec::new() };
        match code {
            ProblemCode::Unauthorized => {
                problem.with(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            _ => problem,
        }
    }

    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::BadRequest, detail)
    }

    /// No token, or one that isn't valid (any more).
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::Unauthorized, detail)
    }

    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::Forbidden, detail)
    }

    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::NotFound, detail)
    }

    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::Conflict, detail)
    }

    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::TooLarge, detail)
    }

    /// Too many requests; try again after `wait`.
    pub fn rate_limited(wait: Duration) -> Self {
        Self::new(ProblemCode::RateLimited, "Too many requests. Try again later.").retry_after(wait)
    }

    /// Not possible now; try again after `wait`.
    pub fn unavailable(detail: impl Into<String>, wait: Duration) -> Self {
        Self::new(ProblemCode::Unavailable, detail).retry_after(wait)
    }

    /// The server's own fault; the cause goes to the log, not to the client.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        Self::new(ProblemCode::Internal, "The server made a mistake. Its log says which.")
    }

    /// One more field that has a value that can't be.
    #[must_use]
    pub fn field(mut self, field: &str, message: &str) -> Self {
        let error = hearthwatt_server_api::FieldError { field: field.into(), message: message.into() };
        self.body.errors.push(error);
        self
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn retry_after(mut self, wait: Duration) -> Self {
        // whole seconds, rounded up: a client that waits as told is let in
        let secs = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let secs = u32::try_from(secs.max(1)).unwrap_or(u32::MAX);
        self.body.retry_after_s = Some(secs);
        self.with(header::RETRY_AFTER, HeaderValue::from(secs))
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.body.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub fn code(&self) -> ProblemCode {
        self.body.code
    }

    pub fn detail(&self) -> &str {
        self.body.detail.as_deref().unwrap_or(&self.body.title)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = (status, axum::Json(self.body)).into_response();
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static(hearthwatt_server_api::PROBLEM_JSON);
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        response
    }
}

impl From<Body> for Problem {
    fn from(body: Body) -> Self {
        let wait = body.retry_after_s;
        let mut problem = Self::new(body.code, "");
        problem.body = Box::new(body);
        match wait {
            Some(secs) => problem.retry_after(Duration::from_secs(secs.into())),
            None => problem,
        }
    }
}

impl From<StoreError> for Problem {
    fn from(e: StoreError) -> Self {
        if e.is_temporary() {
            tracing::warn!(cause = %e, "the store is not available");
            return Self::unavailable("The server's database isn't available.", Duration::from_secs(5));
        }
        Self::internal(&e)
    }
}

impl From<NoRandomness> for Problem {
    fn from(e: NoRandomness) -> Self {
        Self::internal(&e)
    }
}

/// What axum's extractors refuse, in the API's words: the code follows the status they chose.
fn rejected(status: StatusCode, detail: String) -> Problem {
    let code = match status {
        StatusCode::PAYLOAD_TOO_LARGE => ProblemCode::TooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ProblemCode::UnsupportedMediaType,
        StatusCode::UNPROCESSABLE_ENTITY => ProblemCode::Invalid,
        _ => ProblemCode::BadRequest,
    };
    Problem::new(code, detail)
}

impl From<JsonRejection> for Problem {
    fn from(e: JsonRejection) -> Self {
        rejected(e.status(), e.body_text())
    }
}

impl From<BytesRejection> for Problem {
    fn from(e: BytesRejection) -> Self {
        rejected(e.status(), e.body_text())
    }
}

impl From<QueryRejection> for Problem {
    fn from(e: QueryRejection) -> Self {
        rejected(e.status(), e.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(_: PathRejection) -> Self {
        // an id that isn't one names nothing
        Self::not_found("There is nothing at this address.")
    }
}
