//! Device authorization (RFC 8628): a device without a browser shows a code, a person types it into
//! the page of this server on another.

use super::token_endpoint::{Form, read};
use super::{Fault, never_stored};
use crate::App;
use crate::http::Problem;
use crate::store::{Find, Inserted};
use crate::user::account::clean_name;
use crate::user::device;
use crate::user::limits::{DEVICE_CODE_S, DEVICE_NAME, DEVICE_POLL_S, SECOND};
use crate::user::records::{self, DEVICE_CODES, Kept};
use crate::user::token;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_server_api::oauth::{
    DeviceAuthorization, DeviceAuthorizationRequest, OAuthError, OAuthErrorCode, SCOPE, TokenReply,
};
use hearthwatt_server_api::{Secret, paths};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What `slow_down` adds.
const SLOWER_S: u32 = 5;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    user_code: String,
    pub device: Uuid,
    pub device_name: String,
    answer: Answer,
    /// Seconds between two questions of the device.
    interval: u32,
    next_poll: UnixMillis,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    None,
    Allowed {
        account: Uuid,
    },
    Denied,
    /// Tokens were handed out, for this sign-in.
    Done {
        account: Uuid,
        sign_in: Uuid,
    },
}

/// A device asks for a code to show.
#[utoipa::path(post, path = paths::DEVICE_AUTHORIZATION, tag = "oauth", security(()),
    request_body(content = DeviceAuthorizationRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = DeviceAuthorization), (status = 400, body = OAuthError), (status = 401, body = OAuthError)))]
pub async fn begin(State(app): State<App>, form: Form) -> Result<Response, Fault> {
    let fields = read(form)?;
    if !matches!(fields.get("scope"), "" | SCOPE) {
        return Err(Fault::new(OAuthErrorCode::InvalidScope, "scope is home."));
    }
    let device =
        Uuid::try_parse(fields.get("device_id")).map_err(|_| Fault::request("device_id is a UUID."))?;
    let device_name = clean_name(fields.get("device_name"), DEVICE_NAME)
        .ok_or_else(|| Fault::request("device_name has 1 to 64 characters."))?;
    let now = app.world.now();
    let device_code = token::mint(app.world.as_ref(), token::DEVICE_CODE)?;
    let expires = Some(now.plus_ms(i64::from(DEVICE_CODE_S) * SECOND));
    // short codes meet now and then
    for _ in 0..5 {
        let user_code = token::user_code(app.world.as_ref())?;
        let asking = Asking {
            user_code: user_code.clone(),
            device,
            device_name: device_name.clone(),
            answer: Answer::None,
            interval: DEVICE_POLL_S,
            next_poll: now,
        };
        let key = token::digest(&device_code);
        if let Inserted::Stored =
            records::insert(app.store.as_ref(), &DEVICE_CODES, &key, &asking, expires).await?
        {
            let verification_uri = format!("{}{}", app.config.public_url(), paths::DEVICE_PAGE);
            let mut response = Json(DeviceAuthorization {
                device_code: Secret(device_code),
                verification_uri_complete: format!("{verification_uri}?user_code={user_code}"),
                verification_uri,
                user_code,
                expires_in: DEVICE_CODE_S,
                interval: DEVICE_POLL_S,
            })
            .into_response();
            never_stored(&mut response);
            return Ok(response);
        }
    }
    Err(Problem::internal(&"no free user code").into())
}

/// What the device gets when it asks.
///
/// # Errors
/// `authorization_pending`, `slow_down`, `access_denied`, `expired_token`, `invalid_grant`.
pub async fn exchange(app: &App, device_code: &str) -> Result<TokenReply, Fault> {
    if !token::is_shaped(device_code, token::DEVICE_CODE) {
        return Err(Fault::grant("There is no such device code."));
    }
    let (store, now, key) = (app.store.as_ref(), app.world.now(), token::digest(device_code));
    let Some(record) = store.get(&DEVICE_CODES, &key).await? else {
        return Err(Fault::grant("There is no such device code."));
    };
    if record.has_expired(now) {
        return Err(Fault::new(OAuthErrorCode::ExpiredToken, "The device code is too old."));
    }
    let mut kept: Kept<Asking> = record.try_into()?;
    let asking = &mut kept.value;
    if now < asking.next_poll {
        asking.interval = asking.interval.saturating_add(SLOWER_S).min(60);
        asking.next_poll = now.plus_ms(i64::from(asking.interval) * SECOND);
        // whether this is counted or another request was first makes no difference
        records::replace(store, &DEVICE_CODES, &kept).await?;
        return Err(Fault::new(OAuthErrorCode::SlowDown, "Ask less often."));
    }
    match asking.answer.clone() {
        Answer::None => {
            asking.next_poll = now.plus_ms(i64::from(asking.interval) * SECOND);
            records::replace(store, &DEVICE_CODES, &kept).await?;
            Err(Fault::new(OAuthErrorCode::AuthorizationPending, "Nobody has typed the code yet."))
        }
        Answer::Denied => Err(Fault::new(OAuthErrorCode::AccessDenied, "The person said no.")),
        Answer::Allowed { account } => {
            let sign_in = token::uuid(app.world.as_ref())?;
            let (device, name) = (asking.device, asking.device_name.clone());
            asking.answer = Answer::Done { account, sign_in };
            if !records::replace(store, &DEVICE_CODES, &kept).await? {
                return Err(Fault::new(OAuthErrorCode::SlowDown, "Ask once at a time."));
            }
            Ok(device::sign_in(app, account, device, &name, sign_in).await?)
        }
        Answer::Done { account, sign_in } => {
            tracing::warn!(%account, device = %asking.device, "a device code was used twice: its sign-in is ended");
            device::end_sign_in(app, account, asking.device, sign_in).await?;
            Err(Fault::grant("The device code was used before."))
        }
    }
}

/// The device that shows this code, if it still waits.
///
/// # Errors
/// The store failed.
pub async fn asking(app: &App, user_code: &str) -> Result<Option<Kept<Asking>>, Problem> {
    let find = Find::equal("user_code", user_code).limit(1);
    let found = records::find::<Asking>(app.store.as_ref(), &DEVICE_CODES, find, app.world.now(), 1).await?;
    Ok(found.into_iter().next().filter(|kept| kept.value.answer == Answer::None))
}

/// The person's answer. Says whether it came in time.
///
/// # Errors
/// The store failed.
pub async fn answer(app: &App, asking: Kept<Asking>, account: Option<Uuid>) -> Result<bool, Problem> {
    let (now, store) = (app.world.now(), app.store.as_ref());
    // the device may have asked meanwhile, which changes the record too
    let answered = records::update::<Asking, bool>(store, &DEVICE_CODES, &asking.key, now, |asking| {
        let waits = asking.answer == Answer::None;
        if waits {
            asking.answer = account.map_or(Answer::Denied, |account| Answer::Allowed { account });
        }
        Ok(waits)
    });
    Ok(answered.await?.is_some_and(|(_, waited)| waited))
}
