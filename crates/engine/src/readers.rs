//! A few read connections, lent to blocking tasks.

use crate::limits::READERS;
use crate::words;
use hearthwatt_api::{ApiError, ErrorCode};
use hearthwatt_store::{Reader, Store, StoreError};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

pub(crate) struct Readers {
    idle: Arc<Mutex<Vec<Reader>>>,
    /// One permit per idle reader.
    permits: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(store: &Store) -> Result<Self, StoreError> {
        let idle = (0..READERS).map(|_| store.reader()).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { idle: Arc::new(Mutex::new(idle)), permits: Arc::new(Semaphore::new(READERS)) })
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
        result.ok_or_else(gone)?.map_err(|e| words::storage(&e))
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
