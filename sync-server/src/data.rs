//! Documents over WebSocket and blocks over HTTP.
//!
//! A document that somebody is connected to is kept by a task of its own ([`document`]), which
//! takes messages in, makes changes durable, and only then tells anybody. A connection
//! ([`socket`]) speaks for one signed-in device about any number of documents. [`feed`] tells both
//! what other connections and other processes have changed.

mod actors;
mod blocks;
pub mod close;
mod compact;
mod document;
mod feed;
mod hub;
mod outbox;
mod socket;

use crate::app::{App, StartError};
use crate::config::Config;
use crate::http::Problem;
use crate::http::auth::Caller;
use crate::store::{StoreError, Table};
use feed::Feed;
use hub::Hub;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

/// What the service keeps in the store, besides documents and blocks.
pub static TABLES: &[&Table] = &[&actors::TABLE, &blocks::RECORDERS];

/// Messages that are large, or may inflate to much, that are worked on at once: each may take tens
/// of megabytes for a moment.
const HEAVY: usize = 2;
/// WebSockets of one device.
const PER_DEVICE: usize = 8;

/// Who writes as whom in a document: actors, in hexadecimal, and their devices.
///
/// # Errors
/// The store can't be asked.
pub async fn authors(app: &App, document: Uuid) -> Result<Vec<(String, Uuid)>, StoreError> {
    actors::list(app, document).await
}

/// What the service keeps in memory.
pub struct State {
    hub: Hub,
    feed: Arc<Feed>,
    heavy: Arc<Semaphore>,
    /// WebSockets of each device and account.
    connections: Mutex<HashMap<Uuid, usize>>,
    sizes: blocks::Sizes,
}

impl State {
    /// # Errors
    /// The configuration asks for what can't be.
    pub fn new(_: &Config) -> Result<Self, StartError> {
        Ok(Self {
            hub: Hub::default(),
            feed: Arc::default(),
            heavy: Arc::new(Semaphore::new(HEAVY)),
            connections: Mutex::default(),
            sizes: blocks::Sizes::default(),
        })
    }
}

/// A connection's place among those of its device and account.
struct Place {
    app: App,
    of: [Uuid; 2],
}

impl Place {
    fn take(app: &App, caller: &Caller) -> Option<Self> {
        let mut counts = app.data.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let of = [caller.device, caller.account];
        for (id, limit) in of.iter().zip([PER_DEVICE, app.config.limits.sync_per_account]) {
            if counts.get(id).is_some_and(|count| *count >= limit) {
                return None;
            }
        }
        for id in of {
            *counts.entry(id).or_default() += 1;
        }
        app.http.metrics.sync_connections.inc();
        Some(Self { app: app.clone(), of })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.http.metrics.sync_connections.dec();
        let mut counts = self.app.data.connections.lock().unwrap_or_else(PoisonError::into_inner);
        for id in self.of {
            if let Some(count) = counts.get_mut(&id) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&id);
                }
            }
        }
    }
}

/// The service's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(blocks::list))
        .routes(routes!(blocks::get, blocks::put))
        .route("/sync", axum::routing::get(socket::sync))
}

/// Starts what runs beside requests.
pub fn start(app: &App) {
    let (feed, store, stopped) = (app.data.feed.clone(), app.store.clone(), app.http.stopped());
    app.http.tasks.spawn(async move {
        tokio::select! {
            () = feed.run(store) => {}
            () = stopped => {}
        }
    });
}

/// A document as an `.automerge` file; `None` if there is nothing of it.
///
/// # Errors
/// The store failed, or what it has can't be read.
pub async fn export(app: &App, document: Uuid) -> Result<Option<Vec<u8>>, Problem> {
    let stored = app.store.load(document).await?;
    if stored.snapshots.is_empty() && stored.changes.is_empty() {
        return Ok(None);
    }
    let _place = app.data.heavy.acquire().await.map_err(|e| Problem::internal(&e))?;
    let bytes = tokio::task::spawn_blocking(move || compact::join(&stored).map(|document| document.save()));
    match bytes.await {
        Ok(Ok(bytes)) => Ok(Some(bytes)),
        Ok(Err(e)) => Err(Problem::internal(&e)),
        Err(e) => Err(Problem::internal(&e)),
    }
}

/// Deletes everything of a home: these documents (its own and its members' preferences), its blocks,
/// and whose actors and recorders wrote them. Rights are to be taken away before: open connections
/// could write again.
///
/// # Errors
/// The store failed; to be called again.
pub async fn delete(app: &App, home: Uuid, documents: &[Uuid]) -> Result<(), StoreError> {
    for document in documents {
        delete_document(app, *document).await?;
    }
    app.store.delete_blocks(home).await?;
    blocks::delete_recorders(app, home).await
}

/// Deletes one document and whose actors wrote it; as [`delete`].
///
/// # Errors
/// The store failed; to be called again.
pub async fn delete_document(app: &App, document: Uuid) -> Result<(), StoreError> {
    app.store.delete_document(document).await?;
    actors::delete(app, document).await
}
