//! The writing thread: whatever waits goes into one transaction, and is answered after its commit.

use super::StoreError;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use tokio::sync::{mpsc, oneshot};

/// Work that waits; whoever brings more waits too.
const QUEUE: usize = 1024;
/// Most jobs of one transaction.
const GROUP: usize = 256;

/// Says how the job ended, once that is certain.
type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Does the work inside the transaction, if there is one. `Err` says that it failed, and that its
/// caller knows.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Result<Answer, ()> + Send>;

pub struct Writer {
    jobs: mpsc::Sender<Job>,
    commits: Arc<AtomicU64>,
}

impl Writer {
    pub fn start(connection: Connection) -> Result<Self, StoreError> {
        let (jobs, mut waiting) = mpsc::channel::<Job>(QUEUE);
        let commits = Arc::new(AtomicU64::new(0));
        let counter = commits.clone();
        let run = move || {
            let mut group = Vec::with_capacity(GROUP);
            while let Some(first) = waiting.blocking_recv() {
                group.push(first);
                while group.len() < GROUP
                    && let Ok(next) = waiting.try_recv()
                {
                    group.push(next);
                }
                commit(&connection, group.drain(..));
                counter.fetch_add(1, Ordering::Relaxed);
            }
            // leaves one file behind, without a log beside it
            if let Err((_, e)) = connection.close() {
                tracing::warn!("the database was not closed cleanly: {e}");
            }
        };
        let name = "store-writer".to_owned();
        let spawned = thread::Builder::new().name(name).spawn(run);
        spawned.map_err(|e| StoreError::Other(format!("no thread to write on: {e}")))?;
        Ok(Self { jobs, commits })
    }

    /// Commits so far.
    #[cfg_attr(not(test), allow(dead_code))]
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Runs `f` in a transaction; returns when that is on the disk. What `f` wrote is undone if it
    /// fails.
    pub async fn run<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| match connection.and_then(f) {
            Err(e) => {
                let _ = answer.send(Err(e));
                Err(())
            }
            Ok(value) => Ok(Box::new(move |end: Result<(), StoreError>| {
                let _ = answer.send(end.map(|()| value));
            })),
        });
        let gone = || StoreError::Unavailable("the database was closed".into());
        self.jobs.send(job).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

/// One transaction for all of them; a job that fails takes only its own writes back.
fn commit(connection: &Connection, jobs: impl Iterator<Item = Job>) {
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    let mut answers: Vec<Answer> = Vec::new();
    // a step of the transaction itself that failed: nobody may be told that all is well
    let mut failed = begun.err().map(StoreError::from);
    for job in jobs {
        if let Some(e) = &failed {
            let _ = job(Err(e.again()));
            continue;
        }
        let step = connection.execute_batch("SAVEPOINT job").and_then(|()| match job(Ok(connection)) {
            Ok(answer) => {
                answers.push(answer);
                connection.execute_batch("RELEASE job")
            }
            Err(()) => connection.execute_batch("ROLLBACK TO job; RELEASE job"),
        });
        failed = step.err().map(StoreError::from);
    }
    if failed.is_none() {
        failed = connection.execute_batch("COMMIT").err().map(StoreError::from);
    }
    if failed.is_some() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    for answer in answers {
        answer(match &failed {
            None => Ok(()),
            Some(e) => Err(e.again()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    #[test]
    fn waiting_jobs_share_a_commit_and_a_failing_one_harms_nobody() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (n INTEGER)").unwrap();
        let writer = Writer::start(connection).unwrap();
        runtime().block_on(async {
            // the first holds the writer up until the others wait
            let (go, wait) = std::sync::mpsc::channel::<()>();
            let slow = writer.run(move |_| {
                let _ = wait.recv();
                Ok(())
            });
            let insert = |n: i64| {
                writer.run(move |c| {
                    c.execute("INSERT INTO t VALUES (?1)", [n])?;
                    if n == 7 { Err(StoreError::Other("no".into())) } else { Ok(n) }
                })
            };
            let others = futures_util::future::join_all((0..20).map(insert));
            let release = async {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                go.send(()).unwrap();
            };
            let (_, others, ()) = tokio::join!(slow, others, release);
            assert_eq!(others.iter().filter(|r| r.is_ok()).count(), 19);
            assert!(others[7].is_err());
            let rows = writer.run(|c| Ok(c.query_row("SELECT count(*) FROM t", [], |r| r.get::<_, i64>(0))?));
            assert_eq!(rows.await.unwrap(), 19);
        });
        assert!(writer.commits() <= 3, "{} commits for 22 jobs", writer.commits());
    }
}
