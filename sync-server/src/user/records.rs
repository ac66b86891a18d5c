//! The service's tables, and records as typed values.
//!
//! There are no transactions over several records, so each rule lives in one record (a home with its
//! members and invitations is one), unique fields decide races, and writes are ordered such that
//! what a crash leaves behind is harmless.

use crate::http::Problem;
use crate::store::{Find, Inserted, Record, Replaced, Store, StoreError, Table, body};
use hearthwatt_domain::time::UnixMillis;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

macro_rules! tables {
    ($( $(#[$doc:meta])* $name:ident = $text:literal, unique [$($unique:literal),*], index [$($index:literal),*]; )*) => {
        $( $(#[$doc])* pub static $name: Table = Table { name: $text, unique: &[$($unique),*], index: &[$($index),*] }; )*
        /// All of them.
        pub static ALL: &[&Table] = &[$(&$name),*];
    };
}

tables! {
    /// By account id.
    ACCOUNTS = "accounts", unique ["email_key", "first"], index [];
    /// By digest of issuer and subject.
    IDENTITIES = "identities", unique [], index ["account"];
    /// Browsers that are signed in, by digest of the cookie.
    BROWSERS = "browsers", unique [], index ["account"];
    /// Browsers that once were signed in to an account, by digest of the cookie and the account.
    KNOWN_BROWSERS = "known_browsers", unique [], index ["account"];
    /// Links sent by e-mail, by digest of the token.
    MAIL_TOKENS = "mail_tokens", unique [], index ["account"];
    /// Failed attempts, by what they were on.
    THROTTLES = "throttles", unique [], index [];
    /// Flows to a provider under way, by digest of `state`.
    OIDC_FLOWS = "oidc_flows", unique [], index [];
    /// Devices that are signed in, by account and device id.
    DEVICES = "devices", unique ["refresh"], index [];
    /// Refresh tokens that were used, by digest.
    SPENT = "spent_tokens", unique [], index [];
    /// By digest.
    ACCESS_TOKENS = "access_tokens", unique [], index [];
    /// By digest.
    CODES = "authorization_codes", unique [], index [];
    /// By digest.
    DEVICE_CODES = "device_codes", unique ["user_code"], index [];
    /// By digest.
    TICKETS = "sync_tickets", unique [], index [];
    /// A home, its members and its open invitations, by home id.
    HOMES = "homes", unique [], index [];
    /// Which homes to look at for an account, by account and home id. The home's record decides.
    MEMBERSHIPS = "memberships", unique [], index ["home"];
    /// Which home to look at for an invitation, by digest of the code. The home's record decides.
    INVITATIONS = "invitations", unique [], index ["home"];
    /// Which home a document belongs to, by document id.
    DOCUMENTS = "document_homes", unique [], index ["home"];
    /// Homes and accounts that are being deleted, so that a crash doesn't leave half of one.
    DELETIONS = "deletions", unique [], index [];
}

/// How often an update is tried again when others write the same record.
const ATTEMPTS: usize = 20;

/// A record, read.
#[derive(Clone, Debug)]
pub struct Kept<T> {
    pub key: String,
    pub revision: u64,
    pub expires: Option<UnixMillis>,
    pub value: T,
}

impl<T: DeserializeOwned> TryFrom<Record> for Kept<T> {
    type Error = StoreError;

    fn try_from(record: Record) -> Result<Self, StoreError> {
        let value = record.read()?;
        Ok(Self { key: record.key, revision: record.revision, expires: record.expires, value })
    }
}

/// The record, unless it has expired.
pub async fn get<T: DeserializeOwned>(
    store: &dyn Store,
    table: &'static Table,
    key: &str,
    now: UnixMillis,
) -> Result<Option<Kept<T>>, StoreError> {
    let record = store.get(table, key).await?.filter(|r| !r.has_expired(now));
    record.map(Kept::try_from).transpose()
}

/// Inserts; an expired record that nobody has swept away yet makes room.
pub async fn insert<T: Serialize>(
    store: &dyn Store,
    table: &'static Table,
    key: &str,
    value: &T,
    expires: Option<UnixMillis>,
) -> Result<Inserted, StoreError> {
    store.insert(table, key, body(value)?, expires).await
}

/// Inserts, or replaces whatever is there.
pub async fn put<T: Serialize>(
    store: &dyn Store,
    table: &'static Table,
    key: &str,
    value: &T,
    expires: Option<UnixMillis>,
) -> Result<(), Problem> {
    for _ in 0..ATTEMPTS {
        match store.get(table, key).await? {
            None => {
                if let Inserted::Stored = store.insert(table, key, body(value)?, expires).await? {
                    return Ok(());
                }
            }
            Some(there) => match store.replace(table, key, there.revision, body(value)?, expires).await? {
                Replaced::Stored { .. } => return Ok(()),
                Replaced::Stale => {}
                Replaced::Exists { index } => {
                    return Err(Problem::internal(&format!("{} is not unique", index)));
                }
            },
        }
    }
    Err(contended())
}

/// Replaces a record if it still has the revision that was read. Says whether it had.
pub async fn replace<T: Serialize>(
    store: &dyn Store,
    table: &'static Table,
    kept: &Kept<T>,
) -> Result<bool, StoreError> {
    let replaced = store.replace(table, &kept.key, kept.revision, body(&kept.value)?, kept.expires).await?;
    Ok(matches!(replaced, Replaced::Stored { .. }))
}

/// Changes a record by compare-and-set: `change` sees the value as it is and may refuse. `None` if
/// there is no such record. What comes out unchanged isn't written.
pub async fn update<T, R>(
    store: &dyn Store,
    table: &'static Table,
    key: &str,
    now: UnixMillis,
    mut change: impl FnMut(&mut T) -> Result<R, Problem> + Send,
) -> Result<Option<(T, R)>, Problem>
where
    T: Serialize + DeserializeOwned + Clone + PartialEq + Send + Sync,
    R: Send,
{
    for _ in 0..ATTEMPTS {
        let Some(mut kept) = get::<T>(store, table, key, now).await? else { return Ok(None) };
        let before = kept.value.clone();
        let result = change(&mut kept.value)?;
        if kept.value == before || replace(store, table, &kept).await? {
            return Ok(Some((kept.value, result)));
        }
    }
    Err(contended())
}

/// All records that a search finds, but those that have expired, at most `limit`.
pub async fn find<T: DeserializeOwned>(
    store: &dyn Store,
    table: &'static Table,
    find: Find,
    now: UnixMillis,
    limit: usize,
) -> Result<Vec<Kept<T>>, StoreError> {
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = store.find(table, find.clone().after(after)).await?;
        for record in page.records.into_iter().filter(|r| !r.has_expired(now)) {
            if found.len() == limit {
                return Ok(found);
            }
            found.push(Kept::try_from(record)?);
        }
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// Deletes all records that a search finds.
pub async fn delete_found(store: &dyn Store, table: &'static Table, find: Find) -> Result<(), StoreError> {
    loop {
        let page = store.find(table, find.clone()).await?;
        for record in &page.records {
            store.delete(table, &record.key, None).await?;
        }
        if page.next.is_none() {
            return Ok(());
        }
    }
}

/// Everybody writes this record.
fn contended() -> Problem {
    Problem::unavailable("Others are changing the same thing right now.", Duration::from_secs(1))
}
