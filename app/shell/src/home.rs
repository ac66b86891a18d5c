//! One open home of the engine, and its events' way to the pages.

use crate::clock::SystemClock;
use crate::failure::Failure;
use hearthwatt_api::{ApiError, ErrorCode, Event, NoticeCode};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::sync::broadcast;

pub(crate) struct OpenHome {}

impl OpenHome {
    pub(crate) async fn open_own(
        folder: PathBuf,
        _events: broadcast::Sender<Event>,
        _demo_shown: Arc<AtomicBool>,
    ) -> Result<Self, Failure> {
        Err(Failure {
            code: NoticeCode::DatabaseCorrupt,
            message: format!("There is no engine yet to open {}.", folder.display()),
            since: SystemClock.now(),
        })
    }

    pub(crate) async fn call(&self, name: &str, _params: Value) -> Result<Value, ApiError> {
        Err(ApiError {
            code: ErrorCode::Unavailable,
            message: format!("{name} has no answer yet."),
            retry: true,
        })
    }

    pub(crate) async fn close(self) {}
}
