//! Which device an actor belongs to. An actor numbers its changes; two devices that wrote as the
//! same one would shut each other out, so the first device to use one in a document keeps it.

use crate::app::App;
use crate::http::auth::Caller;
use crate::store::{Find, Inserted, StoreError, Table, body};
use hearthwatt_sync::session::Author;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use uuid::Uuid;

/// Key: `{document}/{actor in hexadecimal}`.
pub static TABLE: Table = Table { name: "data_actor", unique: &[], index: &["device"] };

#[derive(Serialize, Deserialize)]
struct Owner {
    device: Uuid,
    account: Uuid,
}

/// What is known of a document's actors; the store knows the rest.
#[derive(Default)]
pub struct Actors(HashMap<Vec<u8>, Uuid>);

/// Actors that are listed of a document.
const LISTED: usize = 10_000;
/// Actors that are remembered per document; past that they are asked for again.
const KNOWN: usize = 1024;

fn key(document: Uuid, actor: &[u8]) -> String {
    let hex: String = actor.iter().map(|b| format!("{b:02x}")).collect();
    format!("{document}/{hex}")
}

impl Actors {
    /// Whether all of these are the caller's; those that nobody has are from now on.
    pub async fn are_of(
        &mut self,
        app: &App,
        document: Uuid,
        caller: &Caller,
        authors: &[Author],
    ) -> Result<bool, StoreError> {
        for author in authors {
            let actor = author.actor.to_bytes();
            let owner = match self.0.get(actor) {
                Some(owner) => *owner,
                None => {
                    let owner = claim(app, &key(document, actor), caller).await?;
                    if self.0.len() >= KNOWN {
                        self.0.clear();
                    }
                    self.0.insert(actor.to_vec(), owner);
                    owner
                }
            };
            if owner != caller.device {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The device that has it: the caller's, if nobody had it before.
async fn claim(app: &App, key: &str, caller: &Caller) -> Result<Uuid, StoreError> {
    loop {
        if let Some(record) = app.store.get(&TABLE, key).await? {
            return Ok(record.read::<Owner>()?.device);
        }
        let mine = body(&Owner { device: caller.device, account: caller.account })?;
        if app.store.insert(&TABLE, key, mine, None).await? == Inserted::Stored {
            return Ok(caller.device);
        }
    }
}

/// Actors of a document, in hexadecimal, and their devices.
pub async fn list(app: &App, document: Uuid) -> Result<Vec<(String, Uuid)>, StoreError> {
    let prefix = format!("{document}/");
    let mut find = Find::key_prefix(&prefix);
    let mut all = Vec::new();
    loop {
        let page = app.store.find(&TABLE, find.clone()).await?;
        for record in &page.records {
            let actor = record.key.strip_prefix(&prefix).unwrap_or_default().to_owned();
            all.push((actor, record.read::<Owner>()?.device));
        }
        match page.next {
            None => return Ok(all),
            next if all.len() < LISTED => find = find.after(next),
            _ => return Ok(all),
        }
    }
}

pub async fn delete(app: &App, document: Uuid) -> Result<(), StoreError> {
    loop {
        let page = app.store.find(&TABLE, Find::key_prefix(&format!("{document}/"))).await?;
        for record in &page.records {
            app.store.delete(&TABLE, &record.key, None).await?;
        }
        if page.next.is_none() {
            return Ok(());
        }
    }
}
