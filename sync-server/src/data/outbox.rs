//! What is to be sent over a connection, and how it is told to end. Bounded: whoever produces
//! frames asks for room first, and is called again when there is some.

use super::document::ToDocument;
use hearthwatt_sync::session::PeerKey;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

/// Frames that wait for a reader; documents produce the next when there is room.
const FRAMES: usize = 8;

/// Why a connection ends: a close code of RFC 6455 and a reason for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    pub code: u16,
    pub reason: String,
}

impl End {
    pub fn new(code: u16, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

/// A sender's half.
#[derive(Clone)]
pub struct Outbox {
    pub key: PeerKey,
    frames: mpsc::Sender<Vec<u8>>,
    end: watch::Sender<Option<End>>,
    /// Documents that had something to say when there was no room.
    waiting: Arc<Mutex<HashMap<Uuid, mpsc::WeakSender<ToDocument>>>>,
}

/// The writing half.
pub struct Inbox {
    outbox: Outbox,
    frames: mpsc::Receiver<Vec<u8>>,
}

/// Whether there is room.
pub enum Room<'a> {
    Yes(mpsc::Permit<'a, Vec<u8>>),
    /// The document is called when there is.
    Later,
    /// The connection has gone.
    Never,
}

impl Outbox {
    pub fn new(key: PeerKey) -> (Self, Inbox) {
        let (frames, receiver) = mpsc::channel(FRAMES);
        let outbox = Self { key, frames, end: watch::Sender::new(None), waiting: Arc::default() };
        (outbox.clone(), Inbox { outbox, frames: receiver })
    }

    /// Room for one frame of a document.
    pub fn room(&self, document: Uuid, mailbox: &mpsc::WeakSender<ToDocument>) -> Room<'_> {
        match self.frames.try_reserve() {
            Ok(permit) => return Room::Yes(permit),
            Err(TrySendError::Closed(())) => return Room::Never,
            Err(TrySendError::Full(())) => {}
        }
        self.lock().insert(document, mailbox.clone());
        // room that came in between would call nobody
        match self.frames.try_reserve() {
            Ok(permit) => Room::Yes(permit),
            Err(TrySendError::Closed(())) => Room::Never,
            Err(TrySendError::Full(())) => Room::Later,
        }
    }

    /// Waits for room: for the connection itself, which reads no further meanwhile.
    pub async fn send(&self, frame: Vec<u8>) {
        let _ = self.frames.send(frame).await;
    }

    /// Sends it if there is room: for what may be lost.
    pub fn offer(&self, frame: Vec<u8>) {
        let _ = self.frames.try_send(frame);
    }

    /// Ends the connection; the first reason counts.
    pub fn end(&self, end: End) {
        self.end.send_if_modified(|known| {
            let first = known.is_none();
            if first {
                *known = Some(end);
            }
            first
        });
    }

    /// Resolves when the connection is to end.
    pub async fn ended(&self) -> End {
        let mut end = self.end.subscribe();
        let found = end.wait_for(Option::is_some).await.ok().and_then(|end| end.clone());
        found.unwrap_or_else(|| End::new(1011, "gone"))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, mpsc::WeakSender<ToDocument>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbox {
    /// The next frame; calls documents that waited for the room it leaves.
    pub async fn next(&mut self) -> Option<Vec<u8>> {
        let frame = self.frames.recv().await;
        self.call();
        frame
    }

    /// What is left when the connection ends.
    pub fn rest(&mut self) -> Option<Vec<u8>> {
        self.frames.try_recv().ok()
    }

    fn call(&self) {
        let waiting: Vec<_> = self.outbox.lock().drain().collect();
        for (_, mailbox) in waiting {
            if let Some(mailbox) = mailbox.upgrade() {
                // a full mailbox means that the document is about to look at everybody anyway
                let _ = mailbox.try_send(ToDocument::Room);
            }
        }
    }
}
