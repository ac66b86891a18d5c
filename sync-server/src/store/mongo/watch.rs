//! The change stream over `versions`: what other processes write, as they write it. A deployment
//! without change streams is asked again now and then; versions are compared anyway.

use super::convert::{number, uuid};
use super::documents::VERSIONS;
use crate::store::Wake;
use futures_util::StreamExt;
use mongodb::Database;
use mongodb::bson::Document;
use mongodb::change_stream::event::ChangeStreamEvent;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

/// First wait after a stream broke, doubled up to [`WAIT_MAX`].
const WAIT_MIN: Duration = Duration::from_millis(250);
const WAIT_MAX: Duration = Duration::from_secs(60);

/// Ends with the store.
pub struct Watching {
    task: JoinHandle<()>,
    alive: Arc<AtomicBool>,
}

impl Watching {
    /// Whether the stream runs at the moment.
    pub fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub fn start(database: Database, wakes: broadcast::Sender<Wake>) -> Watching {
    let alive = Arc::new(AtomicBool::new(false));
    let runs = alive.clone();
    let task = tokio::spawn(async move {
        let mut wait = WAIT_MIN;
        loop {
            match database.collection::<Document>(VERSIONS).watch().await {
                Ok(mut stream) => {
                    wait = WAIT_MIN;
                    runs.store(true, Ordering::Relaxed);
                    tracing::debug!("following the database's change stream");
                    // what was written before the stream began
                    let _ = wakes.send(Wake::Everything);
                    while let Some(event) = stream.next().await {
                        match event {
                            Ok(event) => {
                                let _ = wakes.send(wake(&event));
                            }
                            Err(e) => {
                                tracing::warn!(cause = %e, "the database's change stream broke");
                                break;
                            }
                        }
                    }
                    runs.store(false, Ordering::Relaxed);
                    let _ = wakes.send(Wake::Everything);
                }
                Err(e) => tracing::info!(cause = %e, "no change stream; versions are compared instead"),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(WAIT_MAX);
        }
    });
    Watching { task, alive }
}

fn wake(event: &ChangeStreamEvent<Document>) -> Wake {
    let topic = event.document_key.as_ref().and_then(|key| uuid(key, "_id").ok());
    let updated = event.update_description.as_ref().map(|u| &u.updated_fields);
    let version = updated.or(event.full_document.as_ref()).and_then(|d| number(d, "version").ok());
    match (topic, version) {
        (Some(topic), Some(version)) => Wake::Topic(topic, version),
        _ => Wake::Everything,
    }
}
