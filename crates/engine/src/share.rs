//! One home on several devices: the account, the document behind the store, blocks of usage, and
//! the way to the server.
//!
//! Without an account none of it talks to anybody, and the document is still what the home is
//! written to. `document` keeps it and its projection in agreement, `link` runs the connection,
//! `blocks` exchanges usage, `access` holds the tokens, `sign_in` gets them, `people` asks the
//! server about members, devices and invitations, `moves` takes homes in and out. Reading never
//! waits for the network: what the server said last is in [`Known`].

pub(crate) mod access;
pub(crate) mod account;
pub(crate) mod blocks;
mod callback;
pub(crate) mod conflicts;
pub(crate) mod document;
pub(crate) mod link;
pub(crate) mod local;
pub(crate) mod moves;
mod outbox;
mod people;
pub(crate) mod project;
mod server;
mod sign_in;
mod socket;
mod state;
pub(crate) mod swap;

use access::Access;
use document::Held;
use hearthwatt_api::{
    AccountNotice, ApiError, ConflictView, DeviceView, ErrorCode, HomeChoice, InvitationView, MemberRole,
    MemberView, SyncState, SyncView,
};
use hearthwatt_domain::time::UnixMillis;
use local::{AccountDoc, LinkDoc};
use outbox::Outbox;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use uuid::Uuid;

pub use access::{TokenFile, TokenVault};

/// Sends the system's browser to a page; `false`: it could not be.
pub type OpenUrl = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// All that sharing knows in an open home.
pub(crate) struct Share {
    /// This installation, as the server lists it.
    pub(crate) device: Uuid,
    /// This installation's readings of this home.
    pub(crate) recorder: Uuid,
    pub(crate) document: tokio::sync::Mutex<Held>,
    pub(crate) outbox: Outbox,
    pub(crate) access: Access,
    pub(crate) http: server::Http,
    pub(crate) browser: Option<OpenUrl>,
    pub(crate) device_name: String,
    pub(crate) folder: std::path::PathBuf,
    /// Account or home changed: whoever runs for it looks again.
    pub(crate) wake: Notify,
    /// There may be blocks to send or to fetch.
    pub(crate) blocks: Notify,
    /// One change of account or home at a time.
    pub(crate) moving: tokio::sync::Mutex<()>,
    /// The version that the document needs to be written, 0 if this one will do.
    needs: std::sync::atomic::AtomicU32,
    known: Mutex<Known>,
}

/// What is known without asking anybody.
pub(crate) struct Known {
    pub(crate) account: Option<AccountDoc>,
    pub(crate) link: Option<LinkDoc>,
    pub(crate) signing_in: Option<sign_in::Pending>,
    pub(crate) last_server: Option<String>,
    pub(crate) notice: Option<AccountNotice>,
    pub(crate) sync: SyncView,
    pub(crate) homes: Vec<HomeChoice>,
    /// When the homes were last asked for.
    pub(crate) homes_asked: Option<UnixMillis>,
    pub(crate) pending: u32,
    pub(crate) members: (Vec<MemberView>, Option<UnixMillis>),
    pub(crate) devices: (Vec<DeviceView>, Option<UnixMillis>),
    pub(crate) invitations: (Vec<InvitationView>, Option<UnixMillis>),
    /// Devices and their names by the actors that they write with.
    pub(crate) authors: std::collections::HashMap<String, (Uuid, String)>,
    pub(crate) conflicts: Vec<ConflictView>,
    /// The home has to be opened again: another one takes its place.
    pub(crate) reopen: bool,
}

impl Share {
    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this device may change what the home shares.
    pub(crate) fn may_edit(&self) -> Result<(), ApiError> {
        let known = self.known();
        match &known.link {
            Some(link) if link.is_live() && link.role == MemberRole::Viewer => Err(forbidden(
                "Your role in this home is to look: ask an owner if you want to change something.",
            )),
            _ => Ok(()),
        }
    }

    /// The version that the document needs, if it is newer than this program.
    pub(crate) fn needs(&self) -> Option<u32> {
        Some(self.needs.load(std::sync::atomic::Ordering::Relaxed)).filter(|n| *n > 0)
    }

    pub(crate) fn set_needs(&self, needs: Option<u32>) {
        self.needs.store(needs.unwrap_or(0), std::sync::atomic::Ordering::Relaxed);
    }

    /// The shared home, if this device is signed in and its access stands.
    pub(crate) fn live(&self) -> Option<LinkDoc> {
        let known = self.known();
        known.account.as_ref()?;
        known.link.clone().filter(LinkDoc::is_live)
    }
}

/// How sharing is opened with a home.
pub(crate) struct ShareParts {
    pub(crate) local: local::Local,
    pub(crate) held: Held,
    pub(crate) vault: Option<Arc<dyn TokenVault>>,
    pub(crate) file: Arc<dyn TokenVault>,
    pub(crate) browser: Option<OpenUrl>,
    pub(crate) device_name: String,
    pub(crate) folder: std::path::PathBuf,
}

impl Share {
    pub(crate) fn new(parts: ShareParts) -> Self {
        let local = parts.local;
        let needs = parts.held.needs();
        let sync = SyncView {
            state: match &local.link {
                Some(link) if link.ended => SyncState::Removed,
                Some(_) if local.account.is_some() => SyncState::Connecting,
                _ => SyncState::Off,
            },
            last_reached: local.link.as_ref().and_then(|l| l.last_reached),
            waiting: 0,
            blocks_waiting: 0,
        };
        Self {
            device: local.device.device,
            recorder: local.device.recorder,
            document: tokio::sync::Mutex::new(parts.held),
            outbox: Outbox::default(),
            access: Access::new(parts.vault, parts.file),
            http: server::Http::default(),
            browser: parts.browser,
            device_name: parts.device_name,
            folder: parts.folder,
            wake: Notify::new(),
            blocks: Notify::new(),
            moving: tokio::sync::Mutex::new(()),
            needs: std::sync::atomic::AtomicU32::new(needs.unwrap_or(0)),
            known: Mutex::new(Known {
                last_server: local.device.last_server,
                notice: local.device.notice,
                account: local.account,
                link: local.link,
                signing_in: None,
                sync,
                homes: Vec::new(),
                homes_asked: None,
                pending: 0,
                members: Default::default(),
                devices: Default::default(),
                invitations: Default::default(),
                authors: Default::default(),
                conflicts: Vec::new(),
                reopen: false,
            }),
        }
    }
}

/// Random bytes of the system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| ApiError {
        code: ErrorCode::Internal,
        message: format!("This computer gives no random numbers ({e})."),
        retry: true,
    })?;
    Ok(bytes)
}

/// A random (version 4) UUID.
pub(crate) fn random_uuid() -> Result<Uuid, ApiError> {
    Ok(uuid::Builder::from_random_bytes(random()?).into_uuid())
}

pub(crate) fn signed_out() -> ApiError {
    ApiError {
        code: ErrorCode::SignedOut,
        message: "This device is not signed in at a server: sign in first.".into(),
        retry: false,
    }
}

pub(crate) fn not_shared() -> ApiError {
    ApiError {
        code: ErrorCode::SignedOut,
        message: "This home is not shared: share it, or join one that is.".into(),
        retry: false,
    }
}

pub(crate) fn forbidden(message: &str) -> ApiError {
    ApiError { code: ErrorCode::Forbidden, message: message.into(), retry: false }
}
