//! A few read connections, lent to blocking tasks.

use crate::limits::READERS;
use crate::words;
use hearthwatt_api::{ApiError, ErrorCode};
use hearthwatt_store::{Reader, Store, StoreError};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// Whether the database was found damaged since it was opened. Then it is not closed in order, so
/// that the next opening checks it and rebuilds it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Damage(Arc<AtomicBool>);

impl Damage {
    pub(crate) fn look_at(&self, error: &StoreError) {
        if error.is_corrupt() && !self.0.swap(true, Ordering::Relaxed) {
            tracing::error!(%error, "the database is damaged; it will be rebuilt at the next start");
        }
    }

    pub(crate) fn is_found(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

pub(crate) struct Readers {
    pub(crate) damage: Damage,
    idle: Arc<Mutex<Vec<Reader>>>,
    /// One permit per idle reader.
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(store: &Store, damage: Damage) -> Result<Self, StoreError> {
        let idle = (0..READERS).map(|_| store.reader()).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { damage, idle: Arc::new(Mutex::new(idle)), permits: Arc::new(Semaphore::new(READERS)) })
    }

    /// Runs `read` on a blocking thread with a connection.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| gone())?;
        let idle = self.idle.clone();
        let result = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let lent = Lent::take(&idle)?;
            lent.reader.as_ref().map(read)
        })
        .await
        .map_err(|_| gone())?;
        result.ok_or_else(gone)?.map_err(|e| {
            self.damage.look_at(&e);
            words::storage(&e)
        })
    }

    /// No more reads; those under way end.
    pub(crate) async fn close(&self) {
        // all permits back: no reader is lent any more
        let _ = self.permits.acquire_many(READERS as u32).await;
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Goes back to the pool even when the reading panics.
struct Lent<'a> {
    reader: Option<Reader>,
    idle: &'a Mutex<Vec<Reader>>,
}

impl<'a> Lent<'a> {
    fn take(idle: &'a Mutex<Vec<Reader>>) -> Option<Self> {
        let reader = idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
        Some(Self { reader: Some(reader), idle })
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        }
    }
}

fn gone() -> ApiError {
    ApiError { code: ErrorCode::Unavailable, message: "Hearthwatt is stopping.".into(), retry: true }
}
