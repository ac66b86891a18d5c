//! What all services share: store, configuration, clock and randomness, and each service's state.

use crate::http::auth::{Accounts, Gate};
use crate::store::{Store, StoreError, Table};
use crate::{Config, data, http, mail, user};
use hearthwatt_domain::time::UnixMillis;
use std::ops::Deref;
use std::sync::Arc;

/// Clock and randomness: the only way to either.
pub trait World: Send + Sync + 'static {
    fn now(&self) -> UnixMillis;
    /// Fills `bytes` from a cryptographically secure source.
    ///
    /// # Errors
    /// The platform has no randomness to give.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness>;
}

/// The platform has no randomness to give; nothing secret can be made without.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no randomness")]
pub struct NoRandomness;

/// The wall clock and the system's randomness.
pub struct RealWorld;

impl World for RealWorld {
    #[allow(clippy::disallowed_methods)] // the edge: everything else is given the time
    fn now(&self) -> UnixMillis {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        UnixMillis(since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX)))
    }

    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(bytes).map_err(|_| NoRandomness)
    }
}

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// See [`App`].
pub struct Parts {
    pub config: Config,
    pub store: Arc<dyn Store>,
    pub world: Arc<dyn World>,
    /// Who may do what.
    pub gate: Arc<dyn Gate>,
    pub http: http::State,
    pub mail: mail::State,
    pub user: user::State,
    pub data: data::State,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// Every service's tables.
pub fn tables() -> Vec<&'static Table> {
    [user::TABLES, mail::TABLES, data::TABLES].concat()
}

/// Why the server can't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Said in words for whoever runs the server.
    #[error("{0}")]
    Config(String),
}

impl App {
    /// Prepares the store and each service. Starts nothing: see [`App::start`].
    ///
    /// # Errors
    /// The store can't be prepared, or the configuration asks for what can't be.
    pub async fn new(
        config: Config,
        store: Arc<dyn Store>,
        world: Arc<dyn World>,
    ) -> Result<Self, StartError> {
        Self::with_gate(config, store, world, Arc::new(Accounts)).await
    }

    /// The same with other accounts than the server's own.
    ///
    /// # Errors
    /// See [`App::new`].
    pub async fn with_gate(
        config: Config,
        store: Arc<dyn Store>,
        world: Arc<dyn World>,
        gate: Arc<dyn Gate>,
    ) -> Result<Self, StartError> {
        store.prepare(&tables()).await?;
        let http = http::State::new(&config)?;
        let mail = mail::State::new(&config)?;
        let user = user::State::new(&config, world.as_ref())?;
        let data = data::State::new(&config)?;
        Ok(Self(Arc::new(Parts { config, store, world, gate, http, mail, user, data })))
    }

    /// Starts what runs beside requests: the outbox, compaction, sweeping, wake-ups. It ends with
    /// [`http::State::stop`].
    pub fn start(&self) {
        mail::start(self);
        user::start(self);
        data::start(self);
    }
}
