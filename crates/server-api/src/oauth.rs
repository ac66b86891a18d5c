//! OAuth 2.0 of the server: authorization code with PKCE (RFC 6749, 7636, 8252), refresh with
//! rotation, revocation (RFC 7009), device authorization (RFC 8628), metadata (RFC 8414).
//!
//! The app is the public client [`CLIENT_ID`]; it registers nothing. Bodies of requests are
//! `application/x-www-form-urlencoded`.

use crate::Secret;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The one client: app and hub on a person's own devices. It has no secret.
pub const CLIENT_ID: &str = "hearthwatt-app";
/// The one scope: everything the account may do, from this device.
pub const SCOPE: &str = "home";
/// The only PKCE method.
pub const S256: &str = "S256";

/// Query of [`crate::paths::AUTHORIZE`], opened in the system's browser.
///
/// Back comes `redirect_uri?code=…&state=…&iss=…` or `?error=…&state=…&iss=…`. Check `state`, and
/// that `iss` is the issuer asked (RFC 9207), before the code is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
pub struct AuthorizeRequest {
    /// `code`.
    pub response_type: String,
    /// [`CLIENT_ID`].
    pub client_id: String,
    /// `http://127.0.0.1:{port}/…` or `http://[::1]:{port}/…`, any port.
    pub redirect_uri: String,
    /// Random, at most 512 characters.
    pub state: String,
    /// Base64url without padding of SHA-256 of the verifier.
    pub code_challenge: String,
    /// [`S256`].
    pub code_challenge_method: String,
    /// The installation's own id: made once, kept as long as the installation.
    pub device_id: Uuid,
    /// What the list of devices calls it; at most 64 characters.
    pub device_name: String,
    /// [`SCOPE`], or left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// Body of [`crate::paths::TOKEN`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "grant_type")]
pub enum TokenRequest {
    #[serde(rename = "authorization_code")]
    AuthorizationCode { client_id: String, code: Secret, redirect_uri: String, code_verifier: Secret },
    /// A refresh token is good once: the answer brings the next. One that comes back a second time
    /// has been stolen by someone, so all tokens of that sign-in end.
    #[serde(rename = "refresh_token")]
    RefreshToken {
        client_id: String,
        refresh_token: Secret,
        /// A random value, kept beside the refresh token *before* the request is sent. When the
        /// answer is lost, the same request with the same value is answered again for ten minutes
        /// instead of being taken for theft.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<Secret>,
    },
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode { client_id: String, device_code: Secret },
}

/// Answer to a [`TokenRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "access_token": "hwa_…", "token_type": "Bearer", "expires_in": 900, "refresh_token": "hwr_…", "scope": "home",
    "account": "6f1c1b0e-0d3c-4a55-8d4e-2f7b1a3c9e10", "device_id": "0b7b8f3e-3f0c-4f5e-9d47-5a9f3b9c2d11"
})))]
pub struct TokenReply {
    pub access_token: Secret,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds.
    pub expires_in: u32,
    pub refresh_token: Secret,
    pub scope: String,
    pub account: Uuid,
    pub device_id: Uuid,
}

/// Body of [`crate::paths::REVOKE`]: ends the sign-in of a refresh token, or one access token.
/// Always answered with 200, also for a token that never was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "client_id": "hearthwatt-app", "token": "hwr_…" })))]
pub struct RevokeRequest {
    pub client_id: String,
    pub token: Secret,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_type_hint: Option<String>,
}

/// Body of [`crate::paths::DEVICE_AUTHORIZATION`], from a device without a browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "client_id": "hearthwatt-app", "device_id": "0b7b8f3e-3f0c-4f5e-9d47-5a9f3b9c2d11", "device_name": "Cellar hub" })))]
pub struct DeviceAuthorizationRequest {
    pub client_id: String,
    pub device_id: Uuid,
    pub device_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// Show `user_code` and `verification_uri`, then ask [`TokenRequest::DeviceCode`] every `interval`
/// seconds until it stops answering `authorization_pending`; `slow_down` adds five seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "device_code": "…", "user_code": "WDJB-MJHT", "verification_uri": "https://home.example/device",
    "verification_uri_complete": "https://home.example/device?user_code=WDJB-MJHT", "expires_in": 900, "interval": 5
})))]
pub struct DeviceAuthorization {
    pub device_code: Secret,
    pub user_code: String,
    pub verification_uri: String,
    pub verification_uri_complete: String,
    /// Seconds.
    pub expires_in: u32,
    /// Seconds.
    pub interval: u32,
}

/// Refusal of the OAuth endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "error": "invalid_grant", "error_description": "The code was used before."
})))]
pub struct OAuthError {
    pub error: OAuthErrorCode,
    /// English, for the developer's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OAuthErrorCode {
    InvalidRequest,
    InvalidClient,
    /// The code or refresh token is not (or no longer) good: sign in again.
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedResponseType,
    InvalidScope,
    /// The person said no.
    AccessDenied,
    /// Nobody has typed the code yet: ask again after the interval.
    AuthorizationPending,
    /// As pending, five seconds slower from now on.
    SlowDown,
    /// The device code is too old: start again.
    ExpiredToken,
    /// Too many requests; the `Retry-After` header says how long to wait.
    TemporarilyUnavailable,
    ServerError,
    /// A code of a newer server.
    #[serde(other)]
    Other,
}

impl OAuthErrorCode {
    /// As in JSON and in the redirect's `error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::AuthorizationPending => "authorization_pending",
            Self::SlowDown => "slow_down",
            Self::ExpiredToken => "expired_token",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
            Self::Other => "other",
        }
    }
}

/// Answer of [`crate::paths::METADATA`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "issuer": "https://home.example", "authorization_endpoint": "https://home.example/oauth/authorize",
    "token_endpoint": "https://home.example/oauth/token", "revocation_endpoint": "https://home.example/oauth/revoke",
    "device_authorization_endpoint": "https://home.example/oauth/device_authorization",
    "response_types_supported": ["code"], "response_modes_supported": ["query"],
    "grant_types_supported": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
    "code_challenge_methods_supported": ["S256"], "token_endpoint_auth_methods_supported": ["none"],
    "revocation_endpoint_auth_methods_supported": ["none"], "scopes_supported": ["home"],
    "ui_locales_supported": ["en", "de"], "authorization_response_iss_parameter_supported": true
})))]
pub struct Metadata {
    /// The server's address as it knows itself; equal to `iss` in redirects.
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub revocation_endpoint: String,
    pub device_authorization_endpoint: String,
    pub response_types_supported: Vec<String>,
    pub response_modes_supported: Vec<String>,
    pub grant_types_supported: Vec<String>,
    pub code_challenge_methods_supported: Vec<String>,
    pub token_endpoint_auth_methods_supported: Vec<String>,
    pub revocation_endpoint_auth_methods_supported: Vec<String>,
    pub scopes_supported: Vec<String>,
    pub ui_locales_supported: Vec<String>,
    pub authorization_response_iss_parameter_supported: bool,
}
