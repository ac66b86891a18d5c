//! Why a home can't be opened, in words for a person and as a code for programs.

use hearthwatt_api::NoticeCode;

/// The home can't be opened. `Display` says what happened, what it means for the data and what to
/// do.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct OpenError {
    code: NoticeCode,
    message: String,
}

impl OpenError {
    pub(crate) fn new(code: NoticeCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// What kind of failure: `SecondInstance`, `DiskFull`, `DatabaseReadOnly`, `DatabaseNewer` or
    /// `DatabaseCorrupt`.
    pub fn code(&self) -> NoticeCode {
        self.code
    }

    /// Another program has this home open.
    pub fn is_locked(&self) -> bool {
        self.code == NoticeCode::SecondInstance
    }
    pub fn is_full(&self) -> bool {
        self.code == NoticeCode::DiskFull
    }
    pub fn is_read_only(&self) -> bool {
        self.code == NoticeCode::DatabaseReadOnly
    }
    /// Written by a newer Hearthwatt; nothing was changed.
    pub fn is_newer(&self) -> bool {
        self.code == NoticeCode::DatabaseNewer
    }
    /// Damaged: `hearthwatt_store::recover` may save what is left.
    pub fn is_corrupt(&self) -> bool {
        self.code == NoticeCode::DatabaseCorrupt
    }
}
