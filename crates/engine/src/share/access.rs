//! The tokens of this device: where they are kept, and how they are renewed.
//!
//! A refresh token is good once. The value that lets the server recognise a repeated request is
//! kept before the request goes out, and the new token is kept before it is used; there is never
//! more than one renewal under way. A request whose answer was lost is asked again as it was.

use super::random;
use super::server::{Http, Trouble};
use crate::secrets::{SecretFile, SecretStore};
use hearthwatt_api::{ApiError, ErrorCode, TokenStore};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_server_api::Secret;
use hearthwatt_server_api::oauth::{CLIENT_ID, TokenReply, TokenRequest};
use hearthwatt_server_api::paths;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::Mutex as SyncMutex;
use std::sync::PoisonError;
use std::time::Duration;

/// An access token is renewed this long before it ends, milliseconds.
const EARLY_MS: i64 = 60_000;
/// A person has this long to unlock the keyring.
const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps the tokens of an account. Calls may block. Implementations never log a value.
pub trait TokenVault: Send + Sync + 'static {
    /// # Errors
    /// It can't be asked now, in words: locked, not there.
    fn get(&self, name: &str) -> Result<Option<String>, String>;
    /// `None` forgets it. Durable on return.
    ///
    /// # Errors
    /// It can't be kept; the old one stays.
    fn set(&self, name: &str, secret: Option<&str>) -> Result<(), String>;
}

/// Tokens in a file that its owner alone can read, for computers without a keyring.
pub struct TokenFile(Arc<SecretFile>);

impl TokenFile {
    pub(crate) fn new(file: Arc<SecretFile>) -> Self {
        Self(file)
    }
}

impl TokenVault for TokenFile {
    fn get(&self, name: &str) -> Result<Option<String>, String> {
        Ok(self.0.get(name))
    }

    fn set(&self, name: &str, secret: Option<&str>) -> Result<(), String> {
        self.0.set(name, secret).map_err(|e| e.to_string())
    }
}

/// As kept, JSON.
#[derive(Clone, Serialize, Deserialize)]
struct Tokens {
    refresh: Secret,
    /// Of the renewal under way.
    #[serde(default)]
    attempt: Option<Secret>,
    access: Secret,
    access_until: UnixMillis,
}

pub(crate) struct Access {
    keyring: Option<Arc<dyn TokenVault>>,
    file: Arc<dyn TokenVault>,
    /// The lock of all renewals.
    held: tokio::sync::Mutex<Option<Tokens>>,
    /// An access token that the server refused.
    refused: SyncMutex<Option<String>>,
}

/// A keyring may wait for somebody to unlock it; nobody may be there.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Trouble> {
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => Err(Trouble::Here("Hearthwatt is stopping.".into())),
        Err(_) => Err(Trouble::Here("The keyring does not answer: unlock it.".into())),
    }
}

fn name(device: uuid::Uuid) -> String {
    format!("account/{device}")
}

impl Access {
    pub(crate) fn new(keyring: Option<Arc<dyn TokenVault>>, file: Arc<dyn TokenVault>) -> Self {
        Self { keyring, file, held: tokio::sync::Mutex::new(None), refused: SyncMutex::new(None) }
    }

    fn vault(&self, kind: TokenStore) -> Arc<dyn TokenVault> {
        match (kind, &self.keyring) {
            (TokenStore::Keyring, Some(keyring)) => keyring.clone(),
            _ => self.file.clone(),
        }
    }

    async fn read(&self, kind: TokenStore, device: uuid::Uuid) -> Result<Option<Tokens>, Trouble> {
        let vault = self.vault(kind);
        let kept = blocking(move || vault.get(&name(device)))
            .await?
            .map_err(|e| Trouble::Here(format!("The keyring can't be read ({e}): unlock it.")))?;
        Ok(kept.and_then(|text| serde_json::from_str(&text).ok()))
    }

    async fn write(
        &self,
        kind: TokenStore,
        device: uuid::Uuid,
        tokens: Option<&Tokens>,
    ) -> Result<(), Trouble> {
        let vault = self.vault(kind);
        let text = tokens.map(|t| serde_json::to_string(t).unwrap_or_default());
        blocking(move || vault.set(&name(device), text.as_deref()))
            .await?
            .map_err(|e| Trouble::Here(format!("The access can't be kept ({e}).")))
    }

    /// Keeps the tokens of a new sign-in: in the keyring if there is one that takes them and gives
    /// them back, else in the file.
    pub(crate) async fn keep(
        &self,
        device: uuid::Uuid,
        reply: &TokenReply,
        now: UnixMillis,
    ) -> Result<TokenStore, ApiError> {
        let tokens = tokens(reply, now);
        let mut held = self.held.lock().await;
        *held = None;
        if self.keyring.is_some() {
            let kept = self.write(TokenStore::Keyring, device, Some(&tokens)).await;
            let back = self.read(TokenStore::Keyring, device).await;
            if kept.is_ok() && matches!(&back, Ok(Some(b)) if b.refresh == tokens.refresh) {
                *held = Some(tokens);
                let _ = self.write(TokenStore::File, device, None).await;
                return Ok(TokenStore::Keyring);
            }
            tracing::warn!("no keyring takes the access to the account; it is kept in a file");
        }
        self.write(TokenStore::File, device, Some(&tokens)).await.map_err(|e| ApiError {
            code: ErrorCode::Storage,
            message: e.to_string(),
            retry: true,
        })?;
        *held = Some(tokens);
        Ok(TokenStore::File)
    }

    /// Forgets all tokens, wherever they are. Gives the refresh token, to be revoked.
    pub(crate) async fn forget(&self, kind: TokenStore, device: uuid::Uuid) -> Option<Secret> {
        let mut held = self.held.lock().await;
        let tokens = match held.take() {
            Some(tokens) => Some(tokens),
            None => self.read(kind, device).await.ok().flatten(),
        };
        for kind in [TokenStore::Keyring, TokenStore::File] {
            if (kind == TokenStore::File || self.keyring.is_some())
                && let Err(error) = self.write(kind, device, None).await
            {
                tracing::warn!(%error, "the access could not be deleted here; the server is told that it ended");
            }
        }
        tokens.map(|t| t.refresh)
    }

    /// The server did not take this one.
    pub(crate) fn refuse(&self, token: &Secret) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.expose().to_owned());
    }

    /// An access token that is good, renewed if need be.
    ///
    /// # Errors
    /// [`Trouble::Ended`]: the access was taken away; sign in again.
    pub(crate) async fn token(
        &self,
        http: &Http,
        server: &str,
        kind: TokenStore,
        device: uuid::Uuid,
        now: UnixMillis,
    ) -> Result<Secret, Trouble> {
        let mut held = self.held.lock().await;
        if held.is_none() {
            *held = self.read(kind, device).await?;
        }
        let Some(mut tokens) = held.clone() else { return Err(Trouble::Ended) };
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let good = refused.as_deref() != Some(tokens.access.expose());
        if good && tokens.access_until.since(now) > EARLY_MS {
            return Ok(tokens.access);
        }
        let attempt = match tokens.attempt.clone() {
            Some(attempt) => attempt,
            None => {
                let attempt =
                    Secret(super::server::base64url(&random::<24>().map_err(|e| Trouble::Here(e.message))?));
                tokens.attempt = Some(attempt.clone());
                self.write(kind, device, Some(&tokens)).await?;
                *held = Some(tokens.clone());
                attempt
            }
        };
        let request = TokenRequest::RefreshToken {
            client_id: CLIENT_ID.into(),
            refresh_token: tokens.refresh.clone(),
            attempt: Some(attempt),
        };
        let reply: TokenReply = http.form(server, paths::TOKEN, &request).await?;
        let next = self::tokens(&reply, now);
        // kept before it is used: the old one is spent
        self.write(kind, device, Some(&next)).await?;
        let access = next.access.clone();
        *held = Some(next);
        Ok(access)
    }
}

fn tokens(reply: &TokenReply, now: UnixMillis) -> Tokens {
    Tokens {
        refresh: reply.refresh_token.clone(),
        attempt: None,
        access: reply.access_token.clone(),
        access_until: now.plus_ms(i64::from(reply.expires_in) * 1000),
    }
}
