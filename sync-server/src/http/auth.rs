//! Who calls: the extractor every protected route has.

use super::Problem;
use crate::app::App;
use crate::store::StoreError;
use crate::user;
use async_trait::async_trait;
use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use uuid::Uuid;

/// Longest access token, in bytes.
const TOKEN_MAX: usize = 512;

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// Everything the account may do: the app's own token.
    App,
    /// Documents only: a ticket for `/sync`.
    Sync,
}

/// A device that is signed in to an account. As an argument of a handler it demands a bearer token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub account: Uuid,
    pub device: Uuid,
    /// The sign-in that the token came from. A new one on the same device ends the earlier one's
    /// tokens and connections.
    pub sign_in: Uuid,
    pub scope: Scope,
}

/// What somebody may do with a document or home.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Right {
    /// The home that the document is or belongs to.
    pub home: Uuid,
    pub access: Access,
}

/// Ordered: who may write may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    Read,
    Write,
}

/// Who may do what: what the other services ask the accounts. A port of its own, so that they can
/// be run and tested against any household.
#[async_trait]
pub trait Gate: Send + Sync + 'static {
    /// See [`user::authenticate`].
    async fn authenticate(&self, app: &App, token: &str) -> Result<Option<Caller>, StoreError>;
    /// See [`user::redeem_ticket`].
    async fn redeem_ticket(&self, app: &App, ticket: &str) -> Result<Option<Caller>, StoreError>;
    /// See [`user::is_signed_in`].
    async fn is_signed_in(&self, app: &App, caller: &Caller) -> Result<bool, StoreError>;
    /// See [`user::rights`].
    async fn rights(&self, app: &App, caller: &Caller, document: Uuid) -> Result<Option<Right>, StoreError>;
}

/// The accounts of this server.
pub struct Accounts;

#[async_trait]
impl Gate for Accounts {
    async fn authenticate(&self, app: &App, token: &str) -> Result<Option<Caller>, StoreError> {
        user::authenticate(app, token).await
    }

    async fn redeem_ticket(&self, app: &App, ticket: &str) -> Result<Option<Caller>, StoreError> {
        user::redeem_ticket(app, ticket).await
    }

    async fn is_signed_in(&self, app: &App, caller: &Caller) -> Result<bool, StoreError> {
        user::is_signed_in(app, caller).await
    }

    async fn rights(&self, app: &App, caller: &Caller, document: Uuid) -> Result<Option<Right>, StoreError> {
        user::rights(app, caller, document).await
    }
}

impl Caller {
    /// The token of an `Authorization: Bearer` header.
    pub fn bearer(parts: &Parts) -> Option<&str> {
        let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = value.split_once(' ')?;
        let token = token.trim();
        let fits = !token.is_empty() && token.len() <= TOKEN_MAX;
        (scheme.eq_ignore_ascii_case("bearer") && fits).then_some(token)
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        if let Some(caller) = parts.extensions.get::<Self>() {
            return Ok(caller.clone());
        }
        let Some(token) = Self::bearer(parts) else {
            return Err(Problem::unauthorized("Sign in first."));
        };
        let caller = app.gate.authenticate(app, token).await?;
        let caller = caller.ok_or_else(|| Problem::unauthorized("Sign in again."))?;
        app.http.by_client.admit(&caller.device).inspect_err(|_| {
            app.http.metrics.rate_limited.inc();
        })?;
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}
