//! What the household decided, as documents in the store. What all its devices share is true in the
//! home document (`share::document`); these are what is read from it.

use crate::core::Core;
use hearthwatt_api::{ApiError, ErrorCode};
use hearthwatt_domain::ids::BrokerId;
use hearthwatt_domain::meter::Meter;
use hearthwatt_store::{DocumentChange, Reader, StoreError};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub(crate) const SETTINGS: &str = "settings";
pub(crate) const METER: &str = "meter";
pub(crate) const BROKER: &str = "broker";
pub(crate) const TARIFF: &str = "tariff";
pub(crate) const BUDGET: &str = "budget";
pub(crate) const ALERT: &str = "alert";
/// Id of the one settings document.
pub(crate) const HOME: &str = "home";
/// Id of the document that says whether our own broker runs.
pub(crate) const OWN: &str = "own";
/// Id of the document that says how long readings are kept on this computer.
pub(crate) const RETENTION: &str = "retention";

/// A broker as stored; its password is among the secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BrokerDoc {
    pub(crate) id: BrokerId,
    pub(crate) host: String,
    pub(crate) port: u16,
    #[serde(default)]
    pub(crate) tls: bool,
    #[serde(default)]
    pub(crate) ca_pem: String,
    #[serde(default)]
    pub(crate) username: String,
    /// Announces itself, but the household does not want it.
    #[serde(default)]
    pub(crate) ignored: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct OwnBrokerDoc {
    pub(crate) enabled: bool,
}

/// How long readings by the second are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct RetentionDoc {
    /// `None` is for ever.
    #[serde(default)]
    pub(crate) keep_days: Option<u32>,
}

pub(crate) fn put<T: Serialize>(
    kind: &str,
    id: impl ToString,
    value: &T,
) -> Result<DocumentChange, ApiError> {
    let json = serde_json::to_value(value).map_err(|e| ApiError {
        code: ErrorCode::Internal,
        message: format!("The {kind} can't be written: {e}."),
        retry: false,
    })?;
    Ok(DocumentChange::Put { kind: kind.to_owned(), id: id.to_string(), json })
}

pub(crate) fn delete(kind: &str, id: impl ToString) -> DocumentChange {
    DocumentChange::Delete { kind: kind.to_owned(), id: id.to_string() }
}

/// All documents of a kind. One that can't be read is left where it is and logged: the others
/// must not suffer from it.
pub(crate) fn all<T: DeserializeOwned>(reader: &Reader, kind: &str) -> Result<Vec<T>, StoreError> {
    let mut values = Vec::new();
    for document in reader.documents(kind)? {
        match document.parse() {
            Ok(value) => values.push(value),
            Err(error) => tracing::warn!(kind, id = document.id, %error, "a document can't be read"),
        }
    }
    Ok(values)
}

impl Core {
    pub(crate) async fn put_meters(&self, meters: &[Meter]) -> Result<(), ApiError> {
        let changes = meters.iter().map(|m| put(METER, m.id, m)).collect::<Result<_, _>>()?;
        self.write(changes).await
    }
}
