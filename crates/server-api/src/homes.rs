//! Homes on the server: members, invitations, devices.

use crate::Secret;
use hearthwatt_domain::time::UnixMillis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What a member may do. Ordered: a later one may do all an earlier one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// Sees everything, changes nothing but the own preferences.
    Viewer,
    /// Changes meters, budgets, tariffs; adds readings.
    Member,
    /// As a member; also decides who belongs to the home.
    Owner,
}

impl MemberRole {
    /// As in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Owner => "owner",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// Accepted an invitation; sees nothing of the home until an owner confirms.
    Pending,
    Active,
}

/// Body of `POST homes`. The same id again by the one who made it answers with what is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": "a3d6b8f0-4d1e-4a8e-8e77-0d3a5b6c7d8e", "name": "Elm Street"
})))]
pub struct NewHome {
    /// The id of the home's document, a random (version 4) UUID chosen by the client.
    pub id: Uuid,
    /// 1 to 80 characters.
    pub name: String,
}

/// A home as the caller sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": "a3d6b8f0-4d1e-4a8e-8e77-0d3a5b6c7d8e", "name": "Elm Street", "role": "owner", "state": "active",
    "created": 1764000000000i64, "members": 3, "pending": 1
})))]
pub struct Home {
    /// Also the id of its document.
    pub id: Uuid,
    pub name: String,
    /// The caller's.
    pub role: MemberRole,
    /// The caller's; while pending, nothing but this view is open.
    pub state: MemberState,
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created: UnixMillis,
    /// Confirmed members. 0 while the caller is pending.
    pub members: u32,
    /// Members who wait for an owner's confirmation; owners see it, others 0.
    pub pending: u32,
}

/// Answer of `GET homes`; oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Homes {
    pub homes: Vec<Home>,
}

/// Body of `PATCH homes/{home}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "name": "Elm Street 4" })))]
pub struct PatchHome {
    pub name: String,
}

/// A line of the roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": "6f1c1b0e-0d3c-4a55-8d4e-2f7b1a3c9e10", "name": "Ada", "email": "ada@home.example", "role": "owner",
    "state": "active", "joined": 1764000000000i64, "you": true
})))]
pub struct Member {
    pub id: Uuid,
    pub name: String,
    /// For owners, and one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    pub role: MemberRole,
    pub state: MemberState,
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub joined: UnixMillis,
    /// The caller.
    pub you: bool,
}

/// Answer of `GET homes/{home}/members`; who joined first comes first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Roster {
    pub members: Vec<Member>,
}

/// Body of `PATCH homes/{home}/members/{member}`: owners only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "role": "viewer" })))]
pub struct PatchMember {
    pub role: MemberRole,
}

/// Body of `POST homes/{home}/invitations`: owners only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "role": "member" })))]
pub struct NewInvitation {
    pub role: MemberRole,
    /// At most thirty days from now; left out: seven days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<i64>))]
    pub expires: Option<UnixMillis>,
}

/// Answer of `POST homes/{home}/invitations`: the only time the code is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": "5c7f8f0a-9d57-4d0d-a6c4-2f4e0c1b2a3d", "role": "member", "code": "7KQ2-…", "link": "https://home.example/join/7KQ2-…",
    "expires": 1764600000000i64
})))]
pub struct CreatedInvitation {
    pub id: Uuid,
    pub role: MemberRole,
    /// Good once.
    pub code: Secret,
    /// The same as a link, for a message or a QR code.
    pub link: Secret,
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub expires: UnixMillis,
}

/// An invitation that nobody has accepted yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": "5c7f8f0a-9d57-4d0d-a6c4-2f4e0c1b2a3d", "role": "member", "by": "Ada", "created": 1764000000000i64,
    "expires": 1764600000000i64
})))]
pub struct OpenInvitation {
    pub id: Uuid,
    pub role: MemberRole,
    /// Name of the owner who made it.
    pub by: String,
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub created: UnixMillis,
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub expires: UnixMillis,
}

/// Answer of `GET homes/{home}/invitations`: owners only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invitations {
    pub invitations: Vec<OpenInvitation>,
}

/// Answer of `GET invitations/{code}`: what accepting it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "home": "a3d6b8f0-4d1e-4a8e-8e77-0d3a5b6c7d8e", "home_name": "Elm Street", "role": "member", "by": "Ada",
    "expires": 1764600000000i64
})))]
pub struct InvitationPreview {
    pub home: Uuid,
    pub home_name: String,
    pub role: MemberRole,
    pub by: String,
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub expires: UnixMillis,
}

/// A device of a member, as the home sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "id": "0b7b8f3e-3f0c-4f5e-9d47-5a9f3b9c2d11", "name": "Kitchen tablet", "member": "6f1c1b0e-0d3c-4a55-8d4e-2f7b1a3c9e10",
    "member_name": "Ada", "last_seen": 1764003600000i64, "current": false
})))]
pub struct HomeDevice {
    pub id: Uuid,
    pub name: String,
    pub member: Uuid,
    pub member_name: String,
    #[cfg_attr(feature = "openapi", schema(value_type = i64))]
    pub last_seen: UnixMillis,
    /// The device that asks.
    pub current: bool,
}

/// Answer of `GET homes/{home}/devices`; last seen first. `DELETE homes/{home}/devices/{device}`
/// takes one out of this home (owners: any, members: their own): its access to the home ends at
/// once, until its person signs in on it anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HomeDevices {
    pub devices: Vec<HomeDevice>,
    /// Who writes as whom in the home's document: for words about a change, of every member's
    /// devices.
    #[serde(default)]
    pub authors: Vec<HomeAuthor>,
}

/// An actor of the home's document and the device that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HomeAuthor {
    /// Lower-case hexadecimal.
    pub actor: String,
    pub device: Uuid,
    /// The device's name.
    pub name: String,
}

/// Answer of `GET homes/{home}/prefs`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "document": "1f0e9a52-7c36-4b5b-8a54-90f3d2d3b6c1"
})))]
pub struct Prefs {
    /// The document of the caller's own preferences in this home.
    pub document: Uuid,
}
