//! The JSON routes.

mod homes;
mod me;
mod people;

use crate::app::App;
use crate::user::limits::BODY;
use axum::extract::DefaultBodyLimit;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(me::show, me::change, me::delete))
        .routes(routes!(me::export))
        .routes(routes!(me::devices))
        .routes(routes!(me::remove_device))
        .routes(routes!(me::ticket))
        .routes(routes!(homes::list, homes::create))
        .routes(routes!(homes::show, homes::rename, homes::delete))
        .routes(routes!(homes::export))
        .routes(routes!(homes::prefs))
        .routes(routes!(homes::devices))
        .routes(routes!(homes::remove_device))
        .routes(routes!(people::members))
        .routes(routes!(people::set_role, people::remove))
        .routes(routes!(people::confirm))
        .routes(routes!(people::invitations, people::invite))
        .routes(routes!(people::withdraw))
        .routes(routes!(people::preview))
        .routes(routes!(people::accept))
        .layer(DefaultBodyLimit::max(BODY))
}
