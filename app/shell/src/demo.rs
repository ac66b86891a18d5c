//! The demo home: a simulated household with thirteen months behind it, which goes on live.

use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::home::OpenHome;
use hearthwatt_api::{Event, NoticeCode};
use std::path::PathBuf;
use tokio::sync::broadcast;

pub(crate) struct Demo {
    home: OpenHome,
}

impl Demo {
    pub(crate) async fn start(_folder: PathBuf, _events: broadcast::Sender<Event>) -> Result<Self, Failure> {
        Err(Failure {
            code: NoticeCode::DatabaseCorrupt,
            message: "There is no demo home yet.".into(),
            since: SystemClock.now(),
        })
    }

    pub(crate) fn home(&self) -> &OpenHome {
        &self.home
    }

    pub(crate) async fn stop(self) {
        self.home.close().await;
    }
}
