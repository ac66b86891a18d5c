//! The one writer: a thread of its own that owns the store.
//!
//! Readings wait in a bounded queue and are committed together, at most once a second unless
//! there are many. A full disk keeps them waiting; what does not fit any more is counted. Edits
//! ("jobs") run between commits, after the readings that came before them.

use crate::limits::{COMMIT_BATCH, COMMIT_EVERY, COMMIT_RETRY, READING_QUEUE, WRITE_JOBS};
use crate::readers::Damage;
use crate::words;
use hearthwatt_api::{ApiError, ErrorCode};
use hearthwatt_domain::reading::Reading;
use hearthwatt_store::{Appended, Store, StoreError};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce(&mut Store) + Send>;

/// What the writer tells, on its own thread: be quick.
pub(crate) trait Committed: Send + Sync + 'static {
    fn committed(&self, appended: &Appended);
    /// A commit failed; its readings wait. `None`: it works again.
    fn trouble(&self, trouble: Option<&StoreError>);
}

pub(crate) struct Writer {
    shared: Arc<Shared>,
    damage: Damage,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    lost: AtomicU64,
}

#[derive(Default)]
struct Queue {
    readings: VecDeque<Reading>,
    jobs: VecDeque<Job>,
    closing: bool,
    closed: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    pub(crate) fn start(store: Store, told: Arc<dyn Committed>, damage: Damage) -> std::io::Result<Writer> {
        let shared = Arc::new(Shared::default());
        let (of_thread, seen) = (shared.clone(), damage.clone());
        let thread = std::thread::Builder::new().name("hearthwatt-writer".into()).spawn(move || {
            // a panic must not leave callers waiting for an answer for ever
            let _open = CloseOnDrop(of_thread.clone());
            Thread {
                store,
                shared: of_thread,
                told,
                damage: seen,
                pending: Vec::new(),
                last: None,
                troubled: false,
            }
            .run();
        })?;
        Ok(Writer { shared, damage, thread: Mutex::new(Some(thread)) })
    }

    /// Queues readings; never waits. Returns how many did not fit.
    pub(crate) fn push(&self, readings: impl ExactSizeIterator<Item = Reading>) -> u64 {
        if readings.len() == 0 {
            return 0;
        }
        let mut queue = self.shared.lock();
        let room = if queue.closing { 0 } else { READING_QUEUE.saturating_sub(queue.readings.len()) };
        let lost = readings.len().saturating_sub(room) as u64;
        queue.readings.extend(readings.take(room));
        drop(queue);
        self.shared.wake.notify_one();
        self.shared.lost.fetch_add(lost, Ordering::Relaxed);
        lost
    }

    /// Readings that did not fit since the start.
    pub(crate) fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    /// Runs an edit on the store and waits for it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        edit: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |store| {
            let _ = answer.send(edit(store));
        });
        {
            let mut queue = self.shared.lock();
            if queue.closing {
                return Err(stopping());
            }
            if queue.jobs.len() >= WRITE_JOBS {
                return Err(ApiError {
                    code: ErrorCode::Unavailable,
                    message: "Too much is waiting for the disk: try again in a moment.".into(),
                    retry: true,
                });
            }
            queue.jobs.push_back(job);
        }
        self.shared.wake.notify_one();
        answered.await.map_err(|_| stopping())?.map_err(|e| {
            self.damage.look_at(&e);
            words::storage(&e)
        })
    }

    /// Commits what waits, closes the store in order and ends the thread.
    pub(crate) async fn close(&self) {
        self.shared.lock().closing = true;
        self.shared.wake.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.shared.lock().closing = true;
        self.shared.wake.notify_one();
    }
}

struct CloseOnDrop(Arc<Shared>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.closing = true;
        queue.closed = true;
        // dropping a job drops its answer: its caller hears that the home is stopping
        queue.jobs.clear();
    }
}

fn stopping() -> ApiError {
    ApiError { code: ErrorCode::Unavailable, message: "Hearthwatt is stopping.".into(), retry: true }
}

struct Thread {
    store: Store,
    shared: Arc<Shared>,
    told: Arc<dyn Committed>,
    damage: Damage,
    /// Taken from the queue, not yet durable.
    pending: Vec<Reading>,
    /// When the last commit, or attempt, ended.
    last: Option<Instant>,
    troubled: bool,
}

impl Thread {
    fn run(mut self) {
        loop {
            let (jobs, closing) = self.wait();
            let mut backlog = true;
            while backlog {
                backlog = self.commit(closing) && !self.shared.lock().readings.is_empty() && closing;
            }
            for job in jobs {
                job(&mut self.store);
            }
            if closing {
                break;
            }
        }
        let left = self.pending.len() + self.shared.lock().readings.len();
        if left > 0 {
            tracing::error!(readings = left, "readings could not be stored before the end");
        }
        if self.damage.is_found() {
            // not closed in order: the next opening looks for itself
            return drop(self.store);
        }
        if let Err(error) = self.store.close() {
            tracing::warn!(%error, "the database was not closed in order");
        }
    }

    /// Waits until there is something to do.
    fn wait(&mut self) -> (Vec<Job>, bool) {
        let shared = self.shared.clone();
        let mut queue = shared.lock();
        loop {
            if queue.closing || !queue.jobs.is_empty() {
                break;
            }
            match self.due(&queue) {
                Some(Duration::ZERO) => break,
                Some(rest) => {
                    queue = shared.wake.wait_timeout(queue, rest).unwrap_or_else(PoisonError::into_inner).0;
                }
                None => queue = shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner),
            }
        }
        (queue.jobs.drain(..).collect(), queue.closing)
    }

    /// How long until the next commit; `None` when nothing waits.
    fn due(&self, queue: &Queue) -> Option<Duration> {
        if queue.readings.is_empty() && self.pending.is_empty() {
            return None;
        }
        let pause = if self.troubled { COMMIT_RETRY } else { COMMIT_EVERY };
        let since = self.last.map_or(pause, |last| last.elapsed());
        if !self.troubled && queue.readings.len() >= COMMIT_BATCH {
            return Some(Duration::ZERO);
        }
        Some(pause.saturating_sub(since))
    }

    /// Commits one batch if one is due. Whether it made progress.
    fn commit(&mut self, closing: bool) -> bool {
        if self.pending.is_empty() {
            let mut queue = self.shared.lock();
            let n = queue.readings.len().min(COMMIT_BATCH);
            self.pending.extend(queue.readings.drain(..n));
        }
        let resting = self.troubled && self.last.is_some_and(|last| last.elapsed() < COMMIT_RETRY);
        if self.pending.is_empty() || (resting && !closing) {
            return false;
        }
        let result = self.store.append(&self.pending);
        self.last = Some(Instant::now());
        match result {
            Ok(appended) => {
                self.pending.clear();
                if std::mem::take(&mut self.troubled) {
                    self.told.trouble(None);
                }
                self.told.committed(&appended);
                true
            }
            Err(error) => {
                // without knowing better the readings stay: the queue's bound limits the cost
                self.troubled = true;
                self.damage.look_at(&error);
                tracing::error!(%error, waiting = self.pending.len(), "readings can't be stored for now");
                self.told.trouble(Some(&error));
                false
            }
        }
    }
}
