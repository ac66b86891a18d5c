//! What a screen asks and gets. The window (Tauri IPC) and the hub (HTTP and server-sent events)
//! carry these same messages as JSON; neither adds a word of its own.
//!
//! A [`Call`] is a request with the type of its reply; `POST /api/v1/{NAME}` on the hub, the
//! command `call` with `{name, params}` in the window. [`Event`]s come unasked.

mod calls;
mod event;
mod share;
mod views;

pub use calls::*;
pub use event::*;
pub use share::*;
pub use views::*;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A request and the type of its reply.
pub trait Call: Serialize + DeserializeOwned {
    type Reply: Serialize + DeserializeOwned;
    const NAME: &'static str;
}

/// Why a call failed, in words for a person; `code` is stable and for programs and translations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    pub code: ErrorCode,
    /// What happened and what to do, in English; the page translates by `code` where it can.
    pub message: String,
    /// Whether the same call may work later without a change.
    pub retry: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The call does not exist or its parameters do not parse.
    BadRequest,
    /// A field has a value that can't be: the message names it.
    Invalid,
    NotFound,
    /// The token is missing or wrong (hub away from loopback).
    Unauthorized,
    /// The account's role in the home does not allow it, or the home is read-only here: it was
    /// written by a newer Hearthwatt.
    Forbidden,
    /// This device is not signed in, or the home is not shared.
    SignedOut,
    /// The server for sharing can't be reached or refused: nothing was changed.
    Server,
    /// The disk is full, the database read-only or broken.
    Storage,
    /// The engine can't be reached or is stopping.
    Unavailable,
    Internal,
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for ApiError {}
