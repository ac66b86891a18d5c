//! Everything the server keeps for somebody, as one archive.

use super::home::Home;
use crate::app::App;
use crate::http::Problem;
use crate::http::auth::Caller;
use axum::response::Response;

pub async fn account(_: &App, _: &Caller) -> Result<Response, Problem> {
    Err(Problem::internal(&"not yet"))
}

pub async fn home(_: &App, _: &Caller, _: Home) -> Result<Response, Problem> {
    Err(Problem::internal(&"not yet"))
}
