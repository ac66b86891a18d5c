//! Signing in: the code flow with PKCE through the system's browser, or, where there is none, a
//! code that the person types on another device.
//!
//! Both end with tokens that are kept before the account is shown as signed in. There is one
//! attempt at a time; cancelling drops its future and with it the listening port.

use super::access::Access;
use super::callback::Callback;
use super::local::AccountDoc;
use super::random;
use super::server::{Trouble, address, base64url};
use crate::core::Core;
use crate::words::invalid;
use hearthwatt_api::{Account, AccountNoticeCode, AccountState, ApiError, SignIn};
use hearthwatt_server_api::oauth::{
    AuthorizeRequest, CLIENT_ID, DeviceAuthorization, DeviceAuthorizationRequest, Metadata, OAuthErrorCode,
    S256, SCOPE, TokenReply, TokenRequest,
};
use hearthwatt_server_api::{Me, Secret, paths};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::AbortHandle;

/// Somebody has this long to come back from the browser.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// Between two questions whether the code was typed, at the least and at the most.
const INTERVAL_S: (u64, u64) = (1, 60);

/// An attempt under way.
pub(crate) struct Pending {
    pub(crate) shown: AccountState,
    task: AbortHandle,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Core {
    pub(crate) async fn sign_in(self: &Arc<Self>, call: SignIn) -> Result<Account, ApiError> {
        let server = address(&call.server)?;
        let _moving = self.share.moving.lock().await;
        if self.demo {
            return Err(invalid("The demo home stays on this computer: leave the demo first."));
        }
        if self.share.known().account.is_some() {
            return Err(invalid("This device is signed in already: sign out first."));
        }
        self.share.known().signing_in = None;
        let metadata: Metadata = self.share.http.open(&server, paths::METADATA).await?;
        if metadata.issuer.trim_end_matches('/') != server {
            return Err(invalid(format!(
                "Server: it calls itself {}; enter that address.",
                crate::words::cut(&metadata.issuer)
            )));
        }
        if !metadata.code_challenge_methods_supported.iter().any(|m| m == S256) {
            return Err(Trouble::NotOurs("The server does not sign in safely (no PKCE).".into()).into());
        }
        self.clear_notice().await?;
        let browser = self.share.browser.clone();
        match browser {
            Some(open) => self.by_browser(server, &*open).await?,
            None => self.by_code(server).await?,
        }
        self.tell(hearthwatt_api::Event::AccountChanged);
        Ok(self.account())
    }

    pub(crate) async fn cancel_sign_in(&self) -> Result<Account, ApiError> {
        if self.share.known().signing_in.take().is_some() {
            self.tell(hearthwatt_api::Event::AccountChanged);
        }
        Ok(self.account())
    }

    async fn by_browser(
        self: &Arc<Self>,
        server: String,
        open: &(dyn Fn(&str) -> bool + Send + Sync),
    ) -> Result<(), ApiError> {
        let callback = Callback::bind().await.map_err(|e| {
            Trouble::Here(format!("This computer gives no port to come back to from the browser ({e})."))
        })?;
        let state = base64url(&random::<32>()?);
        let verifier = base64url(&random::<32>()?);
        let request = AuthorizeRequest {
            response_type: "code".into(),
            client_id: CLIENT_ID.into(),
            redirect_uri: callback.redirect_uri.clone(),
            state: state.clone(),
            code_challenge: challenge(&verifier),
            code_challenge_method: S256.into(),
            device_id: self.share.device,
            device_name: self.share.device_name.clone(),
            scope: Some(SCOPE.into()),
        };
        let mut url = reqwest::Url::parse(&format!("{server}{}", paths::AUTHORIZE))
            .map_err(|_| invalid("Server: an address such as https://home.example."))?;
        {
            let mut query = url.query_pairs_mut();
            if let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(&request) {
                for (name, value) in &fields {
                    query.append_pair(name, value.as_str().unwrap_or_default());
                }
            }
        }
        let shown = AccountState::SigningIn {
            server: server.clone(),
            url: Some(url.to_string()),
            user_code: None,
            verification_uri: None,
            verification_uri_complete: None,
            expires_at: Some(self.now().plus_ms(PATIENCE.as_millis() as i64)),
        };
        let core = self.clone();
        let of_task = server.clone();
        let work = async move {
            let redirect_uri = callback.redirect_uri.clone();
            let answer =
                tokio::time::timeout(PATIENCE, callback.wait(&state)).await.map_err(|_| Failed::expired())?;
            // another server's answer must not be redeemed here (RFC 9207)
            if answer.issuer.as_deref().map(|i| i.trim_end_matches('/')) != Some(of_task.as_str()) {
                return Err(Failed::new(AccountNoticeCode::Failed, "The answer came from another server."));
            }
            let code = answer.code.map_err(|error| match error.as_str() {
                "access_denied" => Failed::new(AccountNoticeCode::Refused, "Signing in was refused."),
                _ => Failed::new(AccountNoticeCode::Failed, "The server could not sign this device in."),
            })?;
            let request = TokenRequest::AuthorizationCode {
                client_id: CLIENT_ID.into(),
                code: Secret(code),
                redirect_uri,
                code_verifier: Secret(verifier),
            };
            core.redeem(&of_task, &request).await
        };
        self.pend(server, shown, work);
        if !open(url.as_str()) {
            tracing::warn!("no browser could be opened; the page shows the link");
        }
        Ok(())
    }

    async fn by_code(self: &Arc<Self>, server: String) -> Result<(), ApiError> {
        let request = DeviceAuthorizationRequest {
            client_id: CLIENT_ID.into(),
            device_id: self.share.device,
            device_name: self.share.device_name.clone(),
            scope: Some(SCOPE.into()),
        };
        let given: DeviceAuthorization =
            self.share.http.form(&server, paths::DEVICE_AUTHORIZATION, &request).await?;
        let until = self.now().plus_ms(i64::from(given.expires_in) * 1000);
        let shown = AccountState::SigningIn {
            server: server.clone(),
            url: None,
            user_code: Some(given.user_code),
            verification_uri: Some(given.verification_uri),
            verification_uri_complete: Some(given.verification_uri_complete),
            expires_at: Some(until),
        };
        let core = self.clone();
        let of_task = server.clone();
        let work = async move {
            let request =
                TokenRequest::DeviceCode { client_id: CLIENT_ID.into(), device_code: given.device_code };
            let ends = tokio::time::Instant::now() + Duration::from_secs(given.expires_in.into());
            let mut pause = u64::from(given.interval).clamp(INTERVAL_S.0, INTERVAL_S.1);
            while tokio::time::Instant::now() < ends {
                tokio::time::sleep(Duration::from_secs(pause)).await;
                match core.redeem(&of_task, &request).await {
                    Err(Failed { trouble: Some(Trouble::OAuth(e)), .. })
                        if e.error == OAuthErrorCode::AuthorizationPending => {}
                    Err(Failed { trouble: Some(Trouble::OAuth(e)), .. })
                        if e.error == OAuthErrorCode::SlowDown =>
                    {
                        pause = (pause + 5).min(INTERVAL_S.1);
                    }
                    // a server that is away for a moment: RFC 8628 3.5 wants longer pauses
                    Err(Failed { trouble: Some(Trouble::Unreachable(_)), .. }) => {
                        pause = (pause * 2).min(INTERVAL_S.1);
                    }
                    other => return other,
                }
            }
            Err(Failed::expired())
        };
        self.pend(server, shown, work);
        Ok(())
    }

    /// Runs an attempt to its end beside everything else.
    fn pend(
        self: &Arc<Self>,
        server: String,
        shown: AccountState,
        work: impl Future<Output = Result<(), Failed>> + Send + 'static,
    ) {
        let core = self.clone();
        // nothing of the work may run before the attempt is in place
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            if gone.await.is_err() {
                return;
            }
            let result = work.await;
            // from here on nothing can be cancelled half-way: let go of our own abort handle last
            if let Err(failed) = result {
                core.notice(failed.code, failed.message).await;
            }
            core.done().await;
        });
        let mut known = self.share.known();
        known.last_server = Some(server);
        known.signing_in = Some(Pending { shown, task: task.abort_handle() });
        drop(known);
        let _ = go.send(());
    }

    async fn done(self: &Arc<Self>) {
        let pending = self.share.known().signing_in.take();
        self.tell(hearthwatt_api::Event::AccountChanged);
        self.share.wake.notify_one();
        self.share.blocks.notify_one();
        self.refresh_people();
        // aborts the task that we are, which has nothing left to do
        drop(pending);
    }

    /// A code becomes tokens, the tokens are kept, and the account is signed in.
    async fn redeem(&self, server: &str, request: &TokenRequest) -> Result<(), Failed> {
        let reply: TokenReply = self.share.http.form(server, paths::TOKEN, request).await?;
        let device = self.share.device;
        if reply.device_id != device {
            return Err(Failed::new(
                AccountNoticeCode::Failed,
                "The server took this device for another one.",
            ));
        }
        let access: &Access = &self.share.access;
        let token_store = access.keep(device, &reply, self.now()).await.map_err(Failed::from)?;
        let mut account = AccountDoc {
            server: server.to_owned(),
            account: reply.account,
            name: String::new(),
            email: String::new(),
            token_store,
        };
        if let Ok(me) = self.me(server, &reply.access_token).await {
            (account.name, account.email) = (me.name, me.email);
        }
        self.signed_in(account).await.map_err(Failed::from)
    }

    async fn me(&self, server: &str, token: &Secret) -> Result<Me, Trouble> {
        let request =
            self.share.http.client()?.get(format!("{server}{}", paths::ME)).bearer_auth(token.expose());
        let response =
            request.timeout(Duration::from_secs(15)).send().await.map_err(super::server::unreachable)?;
        let bytes = response.bytes().await.map_err(super::server::unreachable)?;
        serde_json::from_slice(&bytes).map_err(|_| Trouble::NotOurs("The account can't be read.".into()))
    }
}

/// Why an attempt came to nothing.
struct Failed {
    code: AccountNoticeCode,
    message: String,
    trouble: Option<Trouble>,
}

impl Failed {
    fn new(code: AccountNoticeCode, message: &str) -> Self {
        Self { code, message: message.into(), trouble: None }
    }
    fn expired() -> Self {
        Self::new(AccountNoticeCode::Expired, "Nobody signed in in time: try again.")
    }
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        use AccountNoticeCode::*;
        let code = match &trouble {
            Trouble::Unreachable(_) | Trouble::NotOurs(_) => ServerUnreachable,
            Trouble::OAuth(e) if e.error == OAuthErrorCode::AccessDenied => Refused,
            Trouble::OAuth(e) if e.error == OAuthErrorCode::ExpiredToken => Expired,
            _ => Failed,
        };
        let message = match (&trouble, code) {
            (_, Refused) => "Signing in was refused.".into(),
            (_, Expired) => "Nobody signed in in time: try again.".into(),
            _ => ApiError::from(trouble.clone()).message,
        };
        Self { code, message, trouble: Some(trouble) }
    }
}

impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        Self { code: AccountNoticeCode::Failed, message: error.message, trouble: None }
    }
}

fn challenge(verifier: &str) -> String {
    base64url(ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}
