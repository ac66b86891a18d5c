//! Moves the log into the database beside the writer, so that no commit has to wait for it.

use crate::store::BUSY;
use rusqlite::Connection;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Commits between two moves; a commit of many readings counts as more than one.
const EVERY: usize = 64;
const READINGS_PER_COMMIT: usize = 64;
/// Pages of log at which a commit does it itself: the thread can't keep up with an import.
pub(crate) const LOG_PAGES_MAX: u32 = 8192;

/// A thread with a connection of its own; ends when dropped.
#[derive(Debug, Default)]
pub(crate) struct Checkpointer {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    debt: usize,
}

impl Checkpointer {
    /// Without a thread commits move the log themselves.
    pub fn start(path: &Path) -> Self {
        let (wake, woken) = sync_channel::<()>(1);
        let Ok(conn) = Connection::open(path) else { return Self::default() };
        // what can't be done now is done at the next call; real trouble meets the writer too
        let run = move || {
            let _ = conn.busy_timeout(BUSY);
            while woken.recv().is_ok() {
                let _ = conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            }
        };
        match std::thread::Builder::new().name("hearthwatt-log".into()).spawn(run) {
            Ok(thread) => Self { wake: Some(wake), thread: Some(thread), debt: 0 },
            Err(_) => Self::default(),
        }
    }

    /// The bound of the log for the writer's own connection.
    pub fn log_pages(&self) -> u32 {
        if self.thread.is_some() { LOG_PAGES_MAX } else { 1000 }
    }

    pub fn committed(&mut self, readings: usize) {
        self.debt += 1 + readings / READINGS_PER_COMMIT;
        if self.debt >= EVERY
            && let Some(wake) = &self.wake
        {
            self.debt = 0;
            let _ = wake.try_send(()); // full: it is about to anyway
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
