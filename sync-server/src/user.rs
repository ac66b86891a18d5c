//! Accounts, sign-in, homes, members, devices, invitations.

use crate::Config;
use crate::app::{App, StartError, World};
use crate::http::auth::{Caller, Right};
use crate::store::{StoreError, Table};
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

/// What the service keeps in the store.
pub static TABLES: &[&Table] = &[];

/// Options of the command line that concern accounts.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Options {}

/// What the service keeps in memory.
pub struct State {}

impl State {
    /// # Errors
    /// The configuration asks for what can't be.
    pub fn new(_: &Config, _: &dyn World) -> Result<Self, StartError> {
        Ok(Self {})
    }
}

/// The service's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
}

/// Starts what runs beside requests.
pub fn start(_: &App) {}

/// Whose token this is; `None` if it is nobody's (any more).
///
/// # Errors
/// The store failed.
pub async fn authenticate(_: &App, _token: &str) -> Result<Option<Caller>, StoreError> {
    Ok(None)
}

/// Whose ticket this is, once: `None` if it is unknown, used or too old.
///
/// # Errors
/// The store failed.
pub async fn redeem_ticket(_: &App, _ticket: &str) -> Result<Option<Caller>, StoreError> {
    Ok(None)
}

/// Whether the caller's device is still signed in. Asked again and again for open connections;
/// whatever ends it calls [`crate::store::Store::touch`] with the device (or account) id, so that
/// connections in every process end at once.
///
/// # Errors
/// The store failed.
pub async fn is_signed_in(_: &App, _: &Caller) -> Result<bool, StoreError> {
    Ok(false)
}

/// What the caller may do with a document (a home, or the caller's preferences in a home); `None`
/// if it doesn't exist for the caller. A change of members calls [`crate::store::Store::touch`]
/// with the home's id.
///
/// # Errors
/// The store failed.
pub async fn rights(_: &App, _: &Caller, _document: Uuid) -> Result<Option<Right>, StoreError> {
    Ok(None)
}
