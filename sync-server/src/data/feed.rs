//! What has changed, here or in another process: the versions of topics that somebody minds.
//!
//! A topic is a document, or anything that [`Store::touch`] is called with: a home, an account, a
//! device. The store tells of changes as they happen if it can; versions are compared from time to
//! time whether it can or not, so nothing depends on being told.

use crate::store::{Store, Wake};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use uuid::Uuid;

/// Versions are compared this often when the store can't tell of other processes' writes.
const POLL: Duration = Duration::from_millis(150);
/// And this often when it can.
const POLL_PUSHED: Duration = Duration::from_secs(5);
/// After a failure of the store.
const POLL_FAILED: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Default)]
pub struct Feed {
    topics: Mutex<HashMap<Uuid, watch::Sender<u64>>>,
}

impl Feed {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, watch::Sender<u64>>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version of a topic as it changes; 0 before it is known. Whoever subscribes first and then
    /// reads what the topic is about misses nothing.
    pub fn subscribe(&self, topic: Uuid) -> watch::Receiver<u64> {
        self.lock().entry(topic).or_insert_with(|| watch::Sender::new(0)).subscribe()
    }

    fn tell(&self, topic: Uuid, version: u64) {
        if let Some(sender) = self.lock().get(&topic) {
            sender.send_if_modified(|known| {
                let newer = version > *known;
                *known = version.max(*known);
                newer
            });
        }
    }

    /// Topics that somebody minds; the others are forgotten.
    fn minded(&self) -> Vec<Uuid> {
        let mut topics = self.lock();
        topics.retain(|_, sender| sender.receiver_count() > 0);
        topics.keys().copied().collect()
    }

    /// Compares versions and listens to the store, for ever.
    pub async fn run(&self, store: Arc<dyn Store>) {
        let mut wakes = store.wakes();
        loop {
            let wait = match self.poll(&*store).await {
                Err(()) => POLL_FAILED,
                Ok(()) if store.pushes() => POLL_PUSHED,
                Ok(()) => POLL,
            };
            let listen = async {
                loop {
                    match wakes.recv().await {
                        Ok(Wake::Topic(topic, version)) => self.tell(topic, version),
                        Ok(Wake::Everything) | Err(RecvError::Lagged(_)) => return,
                        Err(RecvError::Closed) => std::future::pending().await,
                    }
                }
            };
            let _ = tokio::time::timeout(wait, listen).await;
        }
    }

    async fn poll(&self, store: &dyn Store) -> Result<(), ()> {
        let topics = self.minded();
        if topics.is_empty() {
            return Ok(());
        }
        let versions = store.versions(&topics).await.map_err(|e| {
            tracing::warn!(cause = %e, "what other processes have changed is not known");
        })?;
        for (topic, version) in versions {
            self.tell(topic, version);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::memory::Memory;

    #[tokio::test]
    async fn what_changed_is_told_to_whoever_minds() {
        let store: Arc<dyn Store> = Arc::new(Memory::default());
        let (topic, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        store.touch(topic).await.unwrap();
        let feed = Arc::new(Feed::default());
        let mut versions = feed.subscribe(topic);
        let mut others = feed.subscribe(other);
        let run = tokio::spawn({
            let (feed, store) = (feed.clone(), store.clone());
            async move { feed.run(store).await }
        });
        let limit = Duration::from_secs(5);
        // what was so before
        tokio::time::timeout(limit, versions.wait_for(|v| *v == 1)).await.unwrap().unwrap();
        store.touch(topic).await.unwrap();
        tokio::time::timeout(limit, versions.wait_for(|v| *v == 2)).await.unwrap().unwrap();
        assert!(!others.has_changed().unwrap());
        others.mark_unchanged();
        drop(others);
        assert_eq!(feed.minded(), [topic]);
        run.abort();
    }
}
