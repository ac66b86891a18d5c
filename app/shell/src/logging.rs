//! The program's log: to standard error, and to a file whose size has a bound.
//!
//! Passwords and tokens are never logged by anyone; the log of other people's crates stays at
//! warnings.

use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

/// What is logged unless asked otherwise.
pub const DEFAULT_FILTER: &str = "warn,hearthwatt=info";
/// A log file is put aside when it has grown to this, in bytes.
const FILE_LIMIT: u64 = 4 * 1024 * 1024;
/// Files put aside: at most this many, so the log never takes more than 16 MiB.
const KEPT: u32 = 3;

/// Starts logging to standard error, and into `folder` if there is one.
///
/// # Errors
/// The filter can't be read (the message says where), or logging was started before.
pub fn start(filter: &str, folder: Option<&Path>) -> Result<(), LoggingError> {
    let parse = || EnvFilter::try_new(filter).map_err(|e| LoggingError::Filter(e.to_string()));
    // A log that can't be written must not keep the home from being watched.
    let file = folder.and_then(|folder| RollingFile::open(folder, FILE_LIMIT).ok());
    let file = match file {
        Some(file) => Some(
            fmt::layer()
                .with_ansi(false)
                .with_writer(Shared(Arc::new(Mutex::new(file))))
                .with_filter(parse()?),
        ),
        None => None,
    };
    let stderr = fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .with_target(false)
        .with_filter(parse()?);
    tracing_subscriber::registry().with(file).with(stderr).try_init().map_err(|_| LoggingError::Twice)
}

/// Why logging did not start.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    #[error("the log filter can't be read: {0}")]
    Filter(String),
    #[error("logging was started before")]
    Twice,
}

/// `hearthwatt.log`, and `.1` (younger) to `.3` (older) beside it.
struct RollingFile {
    folder: PathBuf,
    file: File,
    size: u64,
    limit: u64,
}

impl RollingFile {
    fn open(folder: &Path, limit: u64) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        let file = OpenOptions::new().create(true).append(true).open(folder.join(name(0)))?;
        let size = file.metadata()?.len();
        Ok(Self { folder: folder.to_owned(), file, size, limit })
    }

    fn roll(&mut self) -> io::Result<()> {
        for n in (0..KEPT).rev() {
            let from = self.folder.join(name(n));
            if from.exists() {
                std::fs::rename(from, self.folder.join(name(n + 1)))?;
            }
        }
        *self = Self::open(&self.folder, self.limit)?;
        Ok(())
    }
}

fn name(n: u32) -> String {
    if n == 0 { "hearthwatt.log".into() } else { format!("hearthwatt.log.{n}") }
}

impl Write for RollingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.size > 0 && self.size + bytes.len() as u64 > self.limit {
            self.roll()?;
        }
        let written = self.file.write(bytes)?;
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[derive(Clone)]
struct Shared(Arc<Mutex<RollingFile>>);

impl<'a> MakeWriter<'a> for Shared {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_never_outgrows_its_bound() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = RollingFile::open(dir.path(), 100).unwrap();
        for n in 0..60 {
            writeln!(log, "line {n:030}").unwrap();
        }
        drop(log);
        // goes on where it stopped
        let mut log = RollingFile::open(dir.path(), 100).unwrap();
        writeln!(log, "the last").unwrap();
        let mut sizes: Vec<u64> =
            std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes.len(), 4);
        assert!(sizes.iter().all(|s| *s <= 100), "{sizes:?}");
        assert!(std::fs::read_to_string(dir.path().join("hearthwatt.log")).unwrap().ends_with("the last\n"));
    }
}
