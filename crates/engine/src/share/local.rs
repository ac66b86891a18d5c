//! What of sharing stays on this device, as documents in the store. Tokens are not among them.

use crate::documents::{delete, put};
use hearthwatt_api::{AccountNotice, ApiError, MemberRole, TokenStore};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_store::{DocumentChange, Reader, Store, StoreError};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

pub(crate) const SHARE: &str = "share";
pub(crate) const DEVICE: &str = "device";
pub(crate) const ACCOUNT: &str = "account";
pub(crate) const LINK: &str = "home";
/// The id under which this home is about to be shared.
pub(crate) const OFFER: &str = "offer";

/// This installation. Made once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeviceDoc {
    pub(crate) device: Uuid,
    /// Of this home on this installation.
    pub(crate) recorder: Uuid,
    #[serde(default)]
    pub(crate) last_server: Option<String>,
    #[serde(default)]
    pub(crate) notice: Option<AccountNotice>,
}

/// The account that this device is signed in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AccountDoc {
    /// Without a slash at its end.
    pub(crate) server: String,
    pub(crate) account: Uuid,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) email: String,
    pub(crate) token_store: TokenStore,
}

/// The shared home that is shown here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkDoc {
    pub(crate) server: String,
    /// Also the id of its document.
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) role: MemberRole,
    /// Access was taken away; the home stays as it was.
    #[serde(default)]
    pub(crate) ended: bool,
    /// Hashes, in hexadecimal, up to which the server has the document.
    #[serde(default)]
    pub(crate) acknowledged: Vec<String>,
    #[serde(default)]
    pub(crate) last_reached: Option<UnixMillis>,
}

impl LinkDoc {
    pub(crate) fn is_live(&self) -> bool {
        !self.ended
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OfferDoc {
    pub(crate) id: Uuid,
}

/// All of it, as read when the home opens.
#[derive(Debug, Clone)]
pub(crate) struct Local {
    pub(crate) device: DeviceDoc,
    pub(crate) account: Option<AccountDoc>,
    pub(crate) link: Option<LinkDoc>,
}

pub(crate) fn get<T: DeserializeOwned>(reader: &Reader, id: &str) -> Result<Option<T>, StoreError> {
    Ok(reader.document(SHARE, id)?.and_then(|d| match d.parse() {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::warn!(id, %error, "what was kept about sharing can't be read");
            None
        }
    }))
}

/// Reads it, and makes the ids of a new installation.
pub(crate) fn load(
    store: &mut Store,
    fresh: impl Fn() -> Result<Uuid, ApiError>,
) -> Result<Local, LocalError> {
    let reader = store.reader()?;
    let device = match get::<DeviceDoc>(&reader, DEVICE)? {
        Some(device) => device,
        None => {
            let device = DeviceDoc { device: fresh()?, recorder: fresh()?, last_server: None, notice: None };
            store.put_documents(&[put(SHARE, DEVICE, &device)?])?;
            device
        }
    };
    Ok(Local { device, account: get(&reader, ACCOUNT)?, link: get(&reader, LINK)? })
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum LocalError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Api(#[from] ApiError),
}

pub(crate) fn put_or_delete<T: Serialize>(id: &str, value: Option<&T>) -> Result<DocumentChange, ApiError> {
    match value {
        Some(value) => put(SHARE, id, value),
        None => Ok(delete(SHARE, id)),
    }
}
