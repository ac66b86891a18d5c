//! What can go wrong with the store, so that a caller can tell a person what to do.

use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why the store could not do what it was asked. `Display` is for a person; the predicates are
/// for the program.
#[derive(Debug, Error)]
#[error("{}", self.words())]
pub struct StoreError {
    #[source]
    cause: Cause,
}

#[derive(Debug, Error)]
pub(crate) enum Cause {
    #[error("{0}")]
    Sqlite(rusqlite::Error),
    #[error("{path}: {error}", path = path.display())]
    Io { path: PathBuf, error: std::io::Error },
    #[error("{} is in use", .0.display())]
    Locked(PathBuf),
    #[error("{path}: {detail}", path = path.display())]
    Corrupt { path: PathBuf, detail: String },
    #[error("schema {found} is newer than {known}")]
    Newer { found: u32, known: u32 },
    #[error("{0}")]
    Invalid(String),
    #[error("document {id}: {error}")]
    Document { id: String, error: serde_json::Error },
}

impl StoreError {
    /// No space left on the disk: nothing stored is lost, and the call works again when there is.
    pub fn is_full(&self) -> bool {
        match &self.cause {
            Cause::Sqlite(e) => e.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            Cause::Io { error, .. } => {
                matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }

    /// The file, its folder or the medium can't be written to.
    pub fn is_read_only(&self) -> bool {
        match &self.cause {
            Cause::Sqlite(e) => matches!(
                e.sqlite_error_code(),
                Some(
                    rusqlite::ErrorCode::ReadOnly
                        | rusqlite::ErrorCode::PermissionDenied
                        | rusqlite::ErrorCode::CannotOpen
                )
            ),
            Cause::Io { error, .. } => {
                matches!(
                    error.kind(),
                    std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied
                )
            }
            _ => false,
        }
    }

    /// The database file is damaged: see [`crate::recover`].
    pub fn is_corrupt(&self) -> bool {
        match &self.cause {
            Cause::Sqlite(e) => matches!(
                e.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
            ),
            Cause::Corrupt { .. } => true,
            _ => false,
        }
    }

    /// Another Hearthwatt has this home open.
    pub fn is_locked(&self) -> bool {
        match &self.cause {
            Cause::Locked(_) => true,
            Cause::Sqlite(e) => matches!(
                e.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
            ),
            _ => false,
        }
    }

    /// Written by a later Hearthwatt than this one.
    pub fn is_newer(&self) -> bool {
        matches!(self.cause, Cause::Newer { .. })
    }

    /// Whether the same call may work later although nobody changed what was asked.
    pub fn may_retry(&self) -> bool {
        self.is_full() || self.is_locked() || self.is_read_only()
    }

    fn words(&self) -> String {
        let cause = &self.cause;
        if self.is_full() {
            return format!(
                "The disk is full: what was stored is safe, but nothing new can be kept until there is space ({cause})."
            );
        }
        if self.is_read_only() {
            return format!(
                "The data folder can't be written to: check its permissions and the disk ({cause})."
            );
        }
        if self.is_corrupt() {
            return format!(
                "The database is damaged: Hearthwatt can move it aside and keep what can still be read ({cause})."
            );
        }
        match cause {
            Cause::Locked(path) => {
                format!(
                    "Another Hearthwatt has this home open ({}): close it, or use that one.",
                    path.display()
                )
            }
            Cause::Newer { found, known } => format!(
                "This home was written by a newer Hearthwatt (data format {found}, this program knows {known}): update Hearthwatt. Nothing was changed."
            ),
            Cause::Invalid(what) => what.clone(),
            Cause::Document { id, .. } => format!("The stored document \"{id}\" can't be read ({cause})."),
            _ if self.is_locked() => format!("The database is busy: try again ({cause})."),
            _ => format!("The database can't be used ({cause})."),
        }
    }

    pub(crate) fn io(path: &Path, error: std::io::Error) -> Self {
        Cause::Io { path: path.to_owned(), error }.into()
    }
    pub(crate) fn corrupt(path: &Path, detail: impl Into<String>) -> Self {
        Cause::Corrupt { path: path.to_owned(), detail: detail.into() }.into()
    }
    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Cause::Invalid(what.into()).into()
    }
}

impl From<Cause> for StoreError {
    fn from(cause: Cause) -> Self {
        Self { cause }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(e: rusqlite::Error) -> Self {
        Cause::Sqlite(e).into()
    }
}
