//! Edits on their way to the session that sends them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Kept only while a session holds a copy of the document: one that begins later copies the
/// document with all edits in it.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: Mutex<Option<Vec<Vec<u8>>>>,
    pub(crate) filled: Notify,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Option<Vec<Vec<u8>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on edits are kept; call it while the document is held.
    pub(crate) fn open(&self) {
        *self.lock() = Some(Vec::new());
    }

    pub(crate) fn close(&self) {
        *self.lock() = None;
    }

    /// Edits that were stored.
    pub(crate) fn push(&self, changes: impl IntoIterator<Item = Vec<u8>>) {
        if let Some(waiting) = &mut *self.lock() {
            waiting.extend(changes);
        }
        self.filled.notify_one();
    }

    pub(crate) fn take(&self) -> Vec<Vec<u8>> {
        self.lock().as_mut().map(std::mem::take).unwrap_or_default()
    }
}
