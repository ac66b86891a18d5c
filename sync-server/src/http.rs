//! What every route has: errors, limits, who calls and from where, health, metrics, drain.

mod address;
pub mod auth;
mod extract;
mod problem;

pub use address::{ClientAddress, Network, Peer};
pub use extract::{Json, Path, Query};
pub use problem::Problem;

use crate::app::{App, StartError};
use crate::{Config, data, user};
use axum::Router;
use axum::routing::get;
use tokio::sync::watch;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

/// What this layer keeps in memory.
pub struct State {
    stopping: watch::Sender<bool>,
}

impl State {
    /// # Errors
    /// The configuration asks for what can't be.
    pub fn new(_: &Config) -> Result<Self, StartError> {
        Ok(Self { stopping: watch::Sender::new(false) })
    }

    /// Asks everything that runs to come to its end.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Resolves when the server is to stop.
    pub fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopping = self.stopping.subscribe();
        async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        }
    }
}

#[derive(OpenApi)]
#[openapi(info(title = "Hearthwatt server"))]
struct Description;

/// All services' routes and their description.
fn routes() -> (Router<App>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Description::openapi())
        .merge(user::router())
        .merge(data::router())
        .split_for_parts()
}

/// The whole server.
pub fn router(app: App) -> Router {
    let (routes, description) = routes();
    let description = axum::Json(description);
    routes
        .route("/api/openapi.json", get(async move || description.clone()))
        .fallback(async || Problem::not_found("There is nothing at this address."))
        .layer(axum::middleware::from_fn_with_state(app.clone(), address::find))
        .with_state(app)
}
