//! Why there is no home to show, as data that a page can present.

use hearthwatt_api::{ApiError, ErrorCode, Notice, NoticeCode, Severity};
use hearthwatt_domain::time::UnixMillis;

/// The home could not be opened. `message` says what happened, what it means for the data and
/// what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub code: NoticeCode,
    pub message: String,
    pub since: UnixMillis,
}

impl Failure {
    /// Whether the home may open later without anyone changing the data: then it is tried again.
    pub fn may_pass(&self) -> bool {
        matches!(self.code, NoticeCode::SecondInstance | NoticeCode::DiskFull | NoticeCode::DatabaseReadOnly)
    }

    pub fn notice(&self) -> Notice {
        Notice {
            code: self.code,
            severity: Severity::Error,
            message: self.message.clone(),
            about: String::new(),
            detail: self.message.clone(),
            since: self.since,
            broker: None,
            meter: None,
        }
    }

    /// What every call but `health` answers meanwhile.
    pub fn api_error(&self) -> ApiError {
        ApiError { code: ErrorCode::Storage, message: self.message.clone(), retry: self.may_pass() }
    }
}
