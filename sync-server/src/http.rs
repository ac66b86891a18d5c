//! What every route has: errors, limits, who calls and from where, health, metrics, drain.

mod address;
pub mod auth;
mod extract;
mod health;
mod layers;
pub mod limits;
pub mod metrics;
mod problem;
pub mod serve;
pub mod tasks;

pub use address::{ClientAddress, Network, Peer};
pub use extract::{Json, Octets, Path, Query};
pub use limits::Limiter;
pub use problem::Problem;
pub use serve::{Held, serve};

use crate::app::{App, StartError};
use crate::config::{Config, Service, read_secret};
use crate::{data, user};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use hearthwatt_server_api::ProblemCode;
use std::net::IpAddr;
use std::num::NonZeroU32;
use tokio::sync::watch;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

/// Largest body of a request, in bytes; routes may have smaller limits of their own.
const BODY_LIMIT: usize = 256 * 1024;
/// How much more than a second's requests may come at once.
const BURST: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// What this layer keeps in memory.
pub struct State {
    stopping: watch::Sender<bool>,
    readiness: health::Readiness,
    metrics_token: Option<String>,
    /// Clients reach the server by TLS, its own or a proxy's.
    is_https: bool,
    by_address: Limiter<IpAddr>,
    pub(crate) by_client: Limiter<Uuid>,
    pub metrics: metrics::Metrics,
    /// What runs beside requests and is waited for when the server stops.
    pub tasks: tasks::Tasks,
}

impl State {
    /// # Errors
    /// The configuration asks for what can't be.
    pub fn new(config: &Config) -> Result<Self, StartError> {
        let token = config.metrics_token_file.as_deref().map(read_secret).transpose();
        let limiter = |n: NonZeroU32| n.saturating_mul(BURST);
        let (address, client) = (config.limits.requests_per_address, config.limits.requests_per_client);
        Ok(Self {
            stopping: watch::Sender::new(false),
            readiness: health::Readiness::default(),
            metrics_token: token.map_err(StartError::Config)?,
            is_https: config.public_url().starts_with("https://"),
            by_address: Limiter::per_second(address, limiter(address)),
            by_client: Limiter::per_second(client, limiter(client)),
            metrics: metrics::Metrics::default(),
            tasks: tasks::Tasks::default(),
        })
    }

    /// Asks everything that runs to come to its end.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
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
#[openapi(
    info(
        title = "Hearthwatt server",
        description = "Shares one home between devices: accounts, homes, documents, history. \
            Documents travel over the WebSocket at /sync, in the protocol of automerge-repo."
    ),
    security(("bearer" = [])),
    components(schemas(hearthwatt_server_api::Problem)),
    modifiers(&Bearer)
)]
struct Description;

struct Bearer;

impl utoipa::Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// The routes of the services that this process runs, and their description.
fn routes(config: &Config) -> (Router<App>, utoipa::openapi::OpenApi) {
    let mut routes = OpenApiRouter::with_openapi(Description::openapi());
    if config.runs(Service::User) {
        routes = routes.merge(user::router());
    }
    if config.runs(Service::Data) {
        routes = routes.merge(data::router());
    }
    routes.split_for_parts()
}

/// The whole server.
pub fn router(app: App) -> Router {
    let (routes, description) = routes(&app.config);
    let description = axum::Json(description);
    routes
        .route("/api/openapi.json", get(async move || description.clone()))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .fallback(async || Problem::not_found("There is nothing at this address."))
        .method_not_allowed_fallback(async || {
            Problem::new(ProblemCode::MethodNotAllowed, "This address doesn't know this method.")
        })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(app.clone(), layers::around))
        .layer(from_fn_with_state(app.clone(), address::find))
        .with_state(app)
}
