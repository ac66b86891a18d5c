//! OAuth 2.0 for the app: authorization code with PKCE, device authorization, refresh, revocation.

pub mod authorize;
pub mod code;
pub mod device;
pub mod metadata;
mod pkce;
pub mod token_endpoint;

use crate::http::Problem;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hearthwatt_server_api::oauth::{OAuthError, OAuthErrorCode};

/// A refusal as RFC 6749, 5.2 has it.
#[derive(Debug)]
pub struct Fault {
    pub code: OAuthErrorCode,
    pub description: String,
    retry_after: Option<HeaderValue>,
}

impl Fault {
    pub fn new(code: OAuthErrorCode, description: impl Into<String>) -> Self {
        Self { code, description: description.into(), retry_after: None }
    }
    pub fn request(description: impl Into<String>) -> Self {
        Self::new(OAuthErrorCode::InvalidRequest, description)
    }
    pub fn grant(description: impl Into<String>) -> Self {
        Self::new(OAuthErrorCode::InvalidGrant, description)
    }
}

impl<E: Into<Problem>> From<E> for Fault {
    fn from(error: E) -> Self {
        let problem: Problem = error.into();
        let code = match problem.status() {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                OAuthErrorCode::TemporarilyUnavailable
            }
            status if status.is_client_error() => OAuthErrorCode::InvalidRequest,
            _ => OAuthErrorCode::ServerError,
        };
        let description = problem.detail().to_owned();
        let retry_after = problem.into_response().headers().get(header::RETRY_AFTER).cloned();
        Self { code, description, retry_after }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = match self.code {
            OAuthErrorCode::InvalidClient => StatusCode::UNAUTHORIZED,
            OAuthErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
            OAuthErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = OAuthError { error: self.code, error_description: Some(self.description) };
        let mut response = (status, axum::Json(body)).into_response();
        never_stored(&mut response);
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        response
    }
}

/// Answers with tokens lie in no cache.
pub fn never_stored(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
}
