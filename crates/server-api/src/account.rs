//! The caller's own account and devices.

use crate::Secret;
use hearthwatt_domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The caller's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": "6f1c1b0e-0d3c-4a55-8d4e-2f7b1a3c9e10", "name": "Ada", "email": "ada@home.example", "email_verified": true,
    "language": "en", "has_password": true, "providers": ["Authentik"], "created": 1764000000000i64
})))]
pub struct Me {
    pub id: Uuid,
    pub name: String,
    pub email: String,
    pub email_verified: bool,
    /// `en` or `de`: of e-mails and pages. `None`: what the browser asks for.
    pub language: Option<String>,
    /// Whether the account can sign in with a password of this server.
    pub has_password: bool,
    /// Names of the OpenID Connect providers linked to it.
    pub providers: Vec<String>,
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created: UnixMillis,
}

/// What is left out stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "name": "Ada" })))]
pub struct PatchMe {
    /// 1 to 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `en` or `de`; empty: what the browser asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// Body of `DELETE me`. Homes that have another owner stay; the others go with all their documents
/// and blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "email": "ada@home.example", "password": "…" })))]
pub struct DeleteMe {
    /// The account's e-mail address (its name, if it has none), typed, so that nobody deletes by a slip.
    pub email: String,
    /// Needed when the account has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
}

/// A device that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": "0b7b8f3e-3f0c-4f5e-9d47-5a9f3b9c2d11", "name": "Kitchen tablet", "signed_in": 1764000000000i64,
    "last_seen": 1764003600000i64, "current": true
})))]
pub struct Device {
    pub id: Uuid,
    pub name: String,
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub signed_in: UnixMillis,
    /// To about a quarter of an hour.
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub last_seen: UnixMillis,
    /// The device that asks.
    pub current: bool,
}

/// Answer of `GET me/devices`; last seen first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Devices {
    pub devices: Vec<Device>,
}
