//! The token and revocation endpoints.

use super::{Fault, code, device as device_flow, never_stored};
use crate::App;
use crate::user::device::{self, Refused};
use crate::user::page;
use crate::user::visit::Fields;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hearthwatt_server_api::oauth::{
    CLIENT_ID, OAuthError, OAuthErrorCode, RevokeRequest, TokenReply, TokenRequest,
};
use hearthwatt_server_api::paths;

/// Form fields, refusing as OAuth does.
pub type Form = Result<Fields, page::Refused>;

/// The form of a client that is ours.
pub fn read(form: Form) -> Result<Fields, Fault> {
    let fields = form.map_err(|_| Fault::request("The body is not a form, or a parameter comes twice."))?;
    if fields.get("client_id") != CLIENT_ID {
        return Err(Fault::new(OAuthErrorCode::InvalidClient, "client_id is hearthwatt-app."));
    }
    Ok(fields)
}

/// Exchanges a code, refresh token or device code for tokens.
#[utoipa::path(post, path = paths::TOKEN, tag = "oauth", security(()),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = TokenReply), (status = 400, body = OAuthError), (status = 401, body = OAuthError),
        (status = 503, body = OAuthError, description = "Come back after `Retry-After`.")))]
pub async fn token(State(app): State<App>, form: Form) -> Result<Response, Fault> {
    let fields = read(form)?;
    let needed = |name: &'static str| match fields.get(name) {
        "" => Err(Fault::request(format!("{name} is missing."))),
        value => Ok(value),
    };
    let reply = match fields.get("grant_type") {
        "authorization_code" => {
            code::exchange(&app, needed("code")?, needed("redirect_uri")?, needed("code_verifier")?).await?
        }
        "refresh_token" => {
            let attempt = Some(fields.get("attempt")).filter(|a| !a.is_empty());
            let refreshed = device::refresh(&app, needed("refresh_token")?, attempt).await;
            refreshed.map_err(|refused| match refused {
                Refused::Unknown => Fault::grant("There is no such refresh token."),
                Refused::Reused => Fault::grant(
                    "The refresh token was used before. All its tokens have ended: sign in again.",
                ),
                Refused::Problem(problem) => problem.into(),
            })?
        }
        "urn:ietf:params:oauth:grant-type:device_code" => {
            device_flow::exchange(&app, needed("device_code")?).await?
        }
        "" => return Err(Fault::request("grant_type is missing.")),
        _ => {
            return Err(Fault::new(
                OAuthErrorCode::UnsupportedGrantType,
                "This grant_type is not supported.",
            ));
        }
    };
    let mut response = Json(reply).into_response();
    never_stored(&mut response);
    Ok(response)
}

/// Ends the sign-in of a refresh token, or one access token (RFC 7009). Also answers 200 for a token
/// that never was.
#[utoipa::path(post, path = paths::REVOKE, tag = "oauth", security(()),
    request_body(content = RevokeRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "Ended, or never was."), (status = 400, body = OAuthError), (status = 401, body = OAuthError)))]
pub async fn revoke(State(app): State<App>, form: Form) -> Result<Response, Fault> {
    let fields = read(form)?;
    match fields.get("token") {
        "" => return Err(Fault::request("token is missing.")),
        token => device::revoke(&app, token).await?,
    }
    let mut response = StatusCode::OK.into_response();
    never_stored(&mut response);
    Ok(response)
}
