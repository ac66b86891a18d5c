//! Blocks of readings and the ticket of the WebSocket.

use crate::Secret;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What the list says of a block; its bytes are at [`crate::paths::block`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({
    "seq": 4711, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "recorder": "0b7b8f3e-3f0c-4f5e-9d47-5a9f3b9c2d11", "meter": "8d7e6f5a-4b3c-5d1e-9f00-112233445566",
    "day": "2026-03-29", "revision": 12, "size": 3120
})))]
pub struct BlockEntry {
    /// Place in the home's order of arrival; only ever grows.
    pub seq: u64,
    /// Lower-case hex.
    pub sha256: String,
    /// The device that recorded it.
    pub recorder: Uuid,
    pub meter: Uuid,
    /// The day in UTC.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = Date))]
    pub day: Date,
    pub revision: u64,
    /// Bytes.
    pub size: u32,
}

/// Query of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
pub struct BlockQuery {
    /// Only blocks that came after this one.
    #[serde(default)]
    pub after: u64,
    /// At most this many, 1..=500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of the list, in the order of arrival.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlockPage {
    pub blocks: Vec<BlockEntry>,
    /// `after` of the next page; `None` when this was the last for now.
    pub next: Option<u64>,
}

/// Answer of `PUT homes/{home}/blocks/{sha256}`; the same block again gives the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "seq": 4711 })))]
pub struct StoredBlock {
    pub seq: u64,
}

/// Answer of `POST sync/ticket`: lets one WebSocket in, where no header can be set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = json!({ "ticket": "…", "expires_in": 60 })))]
pub struct SyncTicket {
    pub ticket: Secret,
    /// Seconds.
    pub expires_in: u32,
}
