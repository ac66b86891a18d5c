//! Authorization codes: for one use, one minute, one verifier, one redirect.

use super::Fault;
use super::authorize::Asked;
use super::pkce;
use crate::App;
use crate::http::Problem;
use crate::user::device;
use crate::user::limits::{CODE, CODE_REMEMBERED};
use crate::user::records::{self, CODES};
use crate::user::token;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_server_api::oauth::TokenReply;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Code {
    account: Uuid,
    device: Uuid,
    device_name: String,
    challenge: String,
    redirect_uri: String,
    good_until: UnixMillis,
    /// The sign-in that was made with it.
    used: Option<Uuid>,
}

/// A code for the app that asked.
///
/// # Errors
/// The store failed.
pub async fn issue(app: &App, account: Uuid, asked: &Asked) -> Result<String, Problem> {
    let now = app.world.now();
    let code = token::mint(app.world.as_ref(), token::CODE)?;
    let record = Code {
        account,
        device: asked.device,
        device_name: asked.device_name.clone(),
        challenge: asked.challenge.clone(),
        redirect_uri: asked.redirect.as_str().to_owned(),
        good_until: now.plus_ms(CODE),
        used: None,
    };
    // kept longer than it is good, so that a replay is noticed
    records::insert(
        app.store.as_ref(),
        &CODES,
        &token::digest(&code),
        &record,
        Some(now.plus_ms(CODE_REMEMBERED)),
    )
    .await?;
    Ok(code)
}

/// Exchanges a code for tokens. A code that comes a second time ends what it gave: one of the two
/// was not the app (RFC 6749, 4.1.2).
///
/// # Errors
/// `invalid_grant`, whatever was wrong.
pub async fn exchange(
    app: &App,
    code: &str,
    redirect_uri: &str,
    verifier: &str,
) -> Result<TokenReply, Fault> {
    if !token::is_shaped(code, token::CODE) {
        return Err(Fault::grant("There is no such code."));
    }
    let (store, now, key) = (app.store.as_ref(), app.world.now(), token::digest(code));
    let Some(mut kept) = records::get::<Code>(store, &CODES, &key, now).await? else {
        return Err(Fault::grant("There is no such code."));
    };
    if let Some(sign_in) = kept.value.used {
        return Err(replayed(app, &kept.value, sign_in).await?);
    }
    if kept.value.good_until < now {
        return Err(Fault::grant("The code is too old."));
    }
    if kept.value.redirect_uri != redirect_uri {
        return Err(Fault::grant("redirect_uri is not the one of the authorization request."));
    }
    if !pkce::verifies(verifier, &kept.value.challenge) {
        return Err(Fault::grant("code_verifier does not belong to the code_challenge."));
    }
    let sign_in = token::uuid(app.world.as_ref())?;
    kept.value.used = Some(sign_in);
    if !records::replace(store, &CODES, &kept).await? {
        // somebody was faster: the same as a replay
        if let Some(kept) = records::get::<Code>(store, &CODES, &key, now).await?
            && let Some(sign_in) = kept.value.used
        {
            return Err(replayed(app, &kept.value, sign_in).await?);
        }
        return Err(Fault::grant("The code was used before."));
    }
    let Code { account, device, device_name, .. } = &kept.value;
    Ok(device::sign_in(app, *account, *device, device_name, sign_in).await?)
}

async fn replayed(app: &App, code: &Code, sign_in: Uuid) -> Result<Fault, Problem> {
    tracing::warn!(account = %code.account, device = %code.device, "an authorization code was used twice: its sign-in is ended");
    device::end_sign_in(app, code.account, code.device, sign_in).await?;
    Ok(Fault::grant("The code was used before."))
}
