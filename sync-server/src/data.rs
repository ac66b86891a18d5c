//! Documents over WebSocket and blocks over HTTP.

use crate::Config;
use crate::app::{App, StartError};
use crate::store::Table;
use utoipa_axum::router::OpenApiRouter;

/// What the service keeps in the store.
pub static TABLES: &[&Table] = &[];

/// What the service keeps in memory.
pub struct State {}

impl State {
    /// # Errors
    /// The configuration asks for what can't be.
    pub fn new(_: &Config) -> Result<Self, StartError> {
        Ok(Self {})
    }
}

/// The service's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}

/// Starts what runs beside requests.
pub fn start(_: &App) {}
