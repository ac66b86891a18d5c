//! One open home of the engine, and its events' way to the pages.

use crate::clock::SystemClock;
use crate::events;
use crate::failure::Failure;
use hearthwatt_api::{ApiError, Event, dispatch};
use hearthwatt_engine::{Home, HomeOptions};
use serde_json::Value;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;

/// A home, and the task that carries its events on.
pub(crate) struct OpenHome {
    home: Home,
    pump: JoinHandle<()>,
}

impl OpenHome {
    /// Opens the home; of its events, those that `wanted` lets through go to `pages`.
    pub(crate) async fn open(
        options: HomeOptions,
        pages: broadcast::Sender<Event>,
        wanted: impl Fn(&Event) -> bool + Send + 'static,
    ) -> Result<Self, Failure> {
        let home = Home::open(options).await.map_err(|e| Failure {
            code: e.code(),
            message: e.to_string(),
            since: SystemClock.now(),
        })?;
        let mut events = events::Events::new(home.events());
        let pump = tokio::spawn(async move {
            while let Some(event) = events.next().await {
                if wanted(&event) {
                    // nobody listening is fine
                    let _ = pages.send(event);
                }
            }
        });
        Ok(Self { home, pump })
    }

    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    pub(crate) async fn call(&self, name: &str, params: Value) -> Result<Value, ApiError> {
        dispatch(&self.home, name, params).await
    }

    /// Another home took the place of this one in its folder.
    pub(crate) fn reopen(&self) -> bool {
        self.home.reopen()
    }

    pub(crate) async fn close(self) {
        self.home.close().await;
        self.pump.abort();
    }
}
