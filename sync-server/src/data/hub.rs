//! Documents that are open in this process, each with the mailbox of the task that keeps it.

use super::document::{self, ToDocument};
use crate::app::App;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;
use uuid::Uuid;

/// Messages that wait for a document; connections that bring more wait too.
const MAILBOX: usize = 64;

/// See the module.
#[derive(Default)]
pub struct Hub {
    open: Mutex<HashMap<Uuid, mpsc::Sender<ToDocument>>>,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, mpsc::Sender<ToDocument>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mailbox of a document, which is opened if it isn't. A document that goes at this moment
    /// closes its mailbox: whoever finds it closed asks again.
    pub fn open(&self, app: &App, document: Uuid) -> mpsc::Sender<ToDocument> {
        let mut open = self.lock();
        if let Some(mailbox) = open.get(&document).filter(|m| !m.is_closed()) {
            return mailbox.clone();
        }
        let (sender, mailbox) = mpsc::channel(MAILBOX);
        open.insert(document, sender.clone());
        document::start(app, document, sender.downgrade(), mailbox);
        sender
    }

    /// Closes a document's mailbox if nothing is in it. Says whether it did, and what came at that
    /// very moment: for the next task that keeps the document.
    pub fn close_if_idle(
        &self,
        document: Uuid,
        mailbox: &mut mpsc::Receiver<ToDocument>,
    ) -> Option<Vec<ToDocument>> {
        let mut open = self.lock();
        if !mailbox.is_empty() {
            return None;
        }
        Some(Self::close(&mut open, document, mailbox))
    }

    /// Closes a document's mailbox, whatever is in it.
    pub fn close_now(&self, document: Uuid, mailbox: &mut mpsc::Receiver<ToDocument>) -> Vec<ToDocument> {
        Self::close(&mut self.lock(), document, mailbox)
    }

    fn close(
        open: &mut HashMap<Uuid, mpsc::Sender<ToDocument>>,
        document: Uuid,
        mailbox: &mut mpsc::Receiver<ToDocument>,
    ) -> Vec<ToDocument> {
        mailbox.close();
        open.retain(|id, sender| *id != document || !sender.is_closed());
        std::iter::from_fn(|| mailbox.try_recv().ok()).collect()
    }
}
