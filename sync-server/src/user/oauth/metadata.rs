//! The metadata document (RFC 8414).

use crate::App;
use axum::Json;
use axum::extract::State;
use hearthwatt_server_api::oauth::{Metadata, S256, SCOPE};
use hearthwatt_server_api::paths;

/// What this server's OAuth can do, and where.
#[utoipa::path(get, path = paths::METADATA, tag = "oauth", security(()), responses((status = 200, body = Metadata)))]
pub async fn metadata(State(app): State<App>) -> Json<Metadata> {
    let issuer = app.config.public_url();
    let at = |path: &str| format!("{issuer}{path}");
    let list = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect();
    Json(Metadata {
        authorization_endpoint: at(paths::AUTHORIZE),
        token_endpoint: at(paths::TOKEN),
        revocation_endpoint: at(paths::REVOKE),
        device_authorization_endpoint: at(paths::DEVICE_AUTHORIZATION),
        response_types_supported: list(&["code"]),
        response_modes_supported: list(&["query"]),
        grant_types_supported: list(&[
            "authorization_code",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:device_code",
        ]),
        code_challenge_methods_supported: list(&[S256]),
        token_endpoint_auth_methods_supported: list(&["none"]),
        revocation_endpoint_auth_methods_supported: list(&["none"]),
        scopes_supported: list(&[SCOPE]),
        ui_locales_supported: list(&["en", "de"]),
        authorization_response_iss_parameter_supported: true,
        issuer,
    })
}
