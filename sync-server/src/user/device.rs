//! Devices that are signed in, and their tokens.
//!
//! The device's record is the sign-in: its tokens name it by a random `sign_in` id, so deleting (or
//! replacing) this one record ends them all at once, in every process. The refresh token's digest
//! stands in it too, so a rotation is one write.

use super::limits::{ACCESS_S, DEVICE_IDLE, DEVICES_PER_ACCOUNT, REFRESH_RETRY, SECOND, TICKET_S};
use super::records::{self, ACCESS_TOKENS, DEVICES, Kept, SPENT, TICKETS};
use super::token;
use crate::App;
use crate::http::Problem;
use crate::http::auth::{Caller, Scope};
use crate::store::{Find, Inserted, Replaced, StoreError, body};
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_server_api::oauth::{SCOPE, TokenReply};
use hearthwatt_server_api::{ProblemCode, Secret, SyncTicket};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// As it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    pub account: Uuid,
    pub device: Uuid,
    pub name: String,
    /// Of this sign-in: the same device gets another when it signs in again.
    pub sign_in: Uuid,
    pub signed_in: UnixMillis,
    /// When its tokens were last renewed.
    pub last_seen: UnixMillis,
    /// Digest of the refresh token that is good now.
    refresh: String,
    /// The one before, while its answer may be asked for again.
    before: Option<Before>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Before {
    refresh: String,
    /// Digest of the client's own mark on that request.
    attempt: String,
    at: UnixMillis,
}

/// What an access token or ticket stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Pass {
    account: Uuid,
    device: Uuid,
    sign_in: Uuid,
}

/// What a spent refresh token once belonged to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Spent {
    device: String,
    sign_in: Uuid,
}

/// Why a refresh brings nothing.
#[derive(Debug)]
pub enum Refused {
    /// Nobody's token (any more).
    Unknown,
    /// It was used before: the sign-in has been ended.
    Reused,
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

fn key(account: Uuid, device: Uuid) -> String {
    format!("{account}/{device}")
}

/// The device, unless it was idle for too long.
pub async fn get(app: &App, account: Uuid, device: Uuid) -> Result<Option<Device>, StoreError> {
    let kept = records::get(app.store.as_ref(), &DEVICES, &key(account, device), app.world.now()).await?;
    Ok(kept.map(|k| k.value))
}

/// All devices of an account, last seen first.
pub async fn list(app: &App, account: Uuid) -> Result<Vec<Device>, StoreError> {
    let find = Find::key_prefix(&format!("{account}/"));
    let found =
        records::find::<Device>(app.store.as_ref(), &DEVICES, find, app.world.now(), DEVICES_PER_ACCOUNT)
            .await?;
    let mut devices: Vec<Device> = found.into_iter().map(|k| k.value).collect();
    devices.sort_by_key(|d| (std::cmp::Reverse(d.last_seen), d.device));
    Ok(devices)
}

/// Signs a device in and hands out its first tokens. A sign-in that it had ends.
///
/// # Errors
/// `limit_reached`; the store failed.
pub async fn sign_in(
    app: &App,
    account: Uuid,
    device: Uuid,
    name: &str,
    sign_in: Uuid,
) -> Result<TokenReply, Problem> {
    let now = app.world.now();
    let devices = list(app, account).await?;
    if devices.len() >= DEVICES_PER_ACCOUNT && !devices.iter().any(|d| d.device == device) {
        return Err(Problem::new(
            ProblemCode::LimitReached,
            "Too many devices are signed in. Sign one out first.",
        ));
    }
    let refresh = token::mint(app.world.as_ref(), token::REFRESH)?;
    let record = Device {
        account,
        device,
        name: name.to_owned(),
        sign_in,
        signed_in: now,
        last_seen: now,
        refresh: token::digest(&refresh),
        before: None,
    };
    records::put(
        app.store.as_ref(),
        &DEVICES,
        &key(account, device),
        &record,
        Some(now.plus_ms(DEVICE_IDLE)),
    )
    .await?;
    // connections of the earlier sign-in end
    app.store.touch(device).await?;
    reply(app, &record, refresh).await
}

/// The answer with a new access token.
async fn reply(app: &App, device: &Device, refresh: String) -> Result<TokenReply, Problem> {
    let access = token::mint(app.world.as_ref(), token::ACCESS)?;
    let pass = Pass { account: device.account, device: device.device, sign_in: device.sign_in };
    let expires = Some(app.world.now().plus_ms(i64::from(ACCESS_S) * SECOND));
    records::insert(app.store.as_ref(), &ACCESS_TOKENS, &token::digest(&access), &pass, expires).await?;
    Ok(TokenReply {
        access_token: Secret(access),
        token_type: "Bearer".into(),
        expires_in: ACCESS_S,
        refresh_token: Secret(refresh),
        scope: SCOPE.into(),
        account: device.account,
        device_id: device.device,
    })
}

/// Takes a refresh token and gives the next pair.
///
/// The order of writes: the old token is first noted as spent, then the record turns to the new
/// one. A crash in between changes nothing, since the record decides; two at once turn it once, and
/// the other finds its token spent.
pub async fn refresh(app: &App, presented: &str, attempt: Option<&str>) -> Result<TokenReply, Refused> {
    if !token::is_shaped(presented, token::REFRESH) {
        return Err(Refused::Unknown);
    }
    let digest = token::digest(presented);
    let attempt = attempt.map(token::digest);
    for _ in 0..5 {
        if let Some((device, next)) = turn(app, &digest, attempt.as_deref()).await? {
            return Ok(reply(app, &device, next).await?);
        }
        // somebody else was first with the same token: a thief, or the client itself a second time,
        // which its mark tells
        if attempt.is_none() {
            break;
        }
    }
    Err(reused(app, &digest).await?)
}

/// Turns the device's record to its next refresh token. `None` if somebody else changed it first.
async fn turn(app: &App, digest: &str, attempt: Option<&str>) -> Result<Option<(Device, String)>, Refused> {
    let (store, now) = (app.store.as_ref(), app.world.now());
    let find = Find::equal("refresh", digest).limit(1);
    let current = records::find::<Device>(store, &DEVICES, find, now, 1).await?.into_iter().next();
    let mut kept = match current {
        Some(kept) => kept,
        None => repeated(app, digest, attempt).await?,
    };
    let next = token::mint(app.world.as_ref(), token::REFRESH)?;
    let spent = Spent { device: kept.key.clone(), sign_in: kept.value.sign_in };
    let expires = Some(now.plus_ms(DEVICE_IDLE));
    for used in [digest, &kept.value.refresh] {
        records::insert(store, &SPENT, used, &spent, expires).await?;
    }
    kept.value.refresh = token::digest(&next);
    kept.value.before =
        attempt.map(|attempt| Before { refresh: digest.to_owned(), attempt: attempt.to_owned(), at: now });
    kept.value.last_seen = now;
    kept.expires = expires;
    match store.replace(&DEVICES, &kept.key, kept.revision, body(&kept.value)?, kept.expires).await? {
        Replaced::Stored { .. } => Ok(Some((kept.value, next))),
        Replaced::Exists { .. } => Err(Problem::internal(&"a refresh token was made twice").into()),
        Replaced::Stale => Ok(None),
    }
}

/// A token that isn't the current one: the client's second try after an answer that was lost, or
/// somebody else's use of a stolen one.
async fn repeated(app: &App, digest: &str, attempt: Option<&str>) -> Result<Kept<Device>, Refused> {
    let (store, now) = (app.store.as_ref(), app.world.now());
    let Some(spent) = records::get::<Spent>(store, &SPENT, digest, now).await? else {
        return Err(Refused::Unknown);
    };
    if let (Some(kept), Some(attempt)) =
        (records::get::<Device>(store, &DEVICES, &spent.value.device, now).await?, attempt)
        && let Some(before) = &kept.value.before
        && kept.value.sign_in == spent.value.sign_in
        && before.refresh == digest
        && token::same(&before.attempt, attempt)
        && now.since(before.at) <= REFRESH_RETRY
    {
        return Ok(kept);
    }
    Err(reused(app, digest).await?)
}

/// Ends the sign-in that a spent token belonged to.
async fn reused(app: &App, digest: &str) -> Result<Refused, Problem> {
    let (store, now) = (app.store.as_ref(), app.world.now());
    if let Some(spent) = records::get::<Spent>(store, &SPENT, digest, now).await? {
        let (account, device) = spent.value.device.split_once('/').unwrap_or_default();
        if let (Ok(account), Ok(device)) = (account.parse(), device.parse()) {
            tracing::warn!(%account, %device, "a refresh token was used twice: its sign-in is ended");
            end_sign_in(app, account, device, spent.value.sign_in).await?;
        }
    }
    Ok(Refused::Reused)
}

/// Ends one sign-in of a device, if it still is the one.
///
/// # Errors
/// The store failed.
pub async fn end_sign_in(app: &App, account: Uuid, device: Uuid, sign_in: Uuid) -> Result<bool, Problem> {
    let store = app.store.as_ref();
    for _ in 0..20 {
        let kept = records::get::<Device>(store, &DEVICES, &key(account, device), app.world.now()).await?;
        let Some(kept) = kept.filter(|k| k.value.sign_in == sign_in) else { return Ok(false) };
        if store.delete(&DEVICES, &kept.key, Some(kept.revision)).await? {
            store.touch(device).await?;
            return Ok(true);
        }
    }
    Err(Problem::conflict("The device is being changed by somebody else right now."))
}

/// Signs a device out: its tokens, tickets and connections end. Says whether it was signed in.
///
/// # Errors
/// The store failed.
pub async fn remove(app: &App, account: Uuid, device: Uuid) -> Result<bool, StoreError> {
    let removed = app.store.delete(&DEVICES, &key(account, device), None).await?;
    if removed {
        app.store.touch(device).await?;
    }
    Ok(removed)
}

/// Signs all devices of an account out.
///
/// # Errors
/// The store failed.
pub async fn remove_all(app: &App, account: Uuid) -> Result<(), StoreError> {
    loop {
        let devices = list(app, account).await?;
        if devices.is_empty() {
            break;
        }
        for device in devices {
            remove(app, account, device.device).await?;
        }
    }
    // what has expired and wasn't listed
    records::delete_found(app.store.as_ref(), &DEVICES, Find::key_prefix(&format!("{account}/"))).await
}

/// Ends what a token gives: the whole sign-in of a refresh token, or one access token.
///
/// # Errors
/// The store failed.
pub async fn revoke(app: &App, presented: &str) -> Result<(), Problem> {
    let (store, now) = (app.store.as_ref(), app.world.now());
    let digest = token::digest(presented);
    if token::is_shaped(presented, token::ACCESS) {
        store.delete(&ACCESS_TOKENS, &digest, None).await?;
    } else if token::is_shaped(presented, token::REFRESH) {
        let find = Find::equal("refresh", digest).limit(1);
        for kept in records::find::<Device>(store, &DEVICES, find, now, 1).await? {
            end_sign_in(app, kept.value.account, kept.value.device, kept.value.sign_in).await?;
        }
    }
    Ok(())
}

/// Whose access token this is.
///
/// # Errors
/// The store failed.
pub async fn authenticate(app: &App, presented: &str) -> Result<Option<Caller>, StoreError> {
    if !token::is_shaped(presented, token::ACCESS) {
        return Ok(None);
    }
    let pass =
        records::get::<Pass>(app.store.as_ref(), &ACCESS_TOKENS, &token::digest(presented), app.world.now())
            .await?;
    caller(app, pass, Scope::App).await
}

/// A ticket for one connection.
///
/// # Errors
/// The store failed.
pub async fn ticket(app: &App, caller: &Caller) -> Result<SyncTicket, Problem> {
    let ticket = token::mint(app.world.as_ref(), token::TICKET)?;
    let pass = Pass { account: caller.account, device: caller.device, sign_in: caller.sign_in };
    let expires = Some(app.world.now().plus_ms(i64::from(TICKET_S) * SECOND));
    match records::insert(app.store.as_ref(), &TICKETS, &token::digest(&ticket), &pass, expires).await? {
        Inserted::Stored => Ok(SyncTicket { ticket: Secret(ticket), expires_in: TICKET_S }),
        Inserted::Exists { .. } => Err(Problem::internal(&"a ticket was made twice")),
    }
}

/// Whose ticket this is, once.
///
/// # Errors
/// The store failed.
pub async fn redeem_ticket(app: &App, presented: &str) -> Result<Option<Caller>, StoreError> {
    if !token::is_shaped(presented, token::TICKET) {
        return Ok(None);
    }
    let (store, key) = (app.store.as_ref(), token::digest(presented));
    let Some(kept) = records::get::<Pass>(store, &TICKETS, &key, app.world.now()).await? else {
        return Ok(None);
    };
    // of two that come at once, one deletes it
    if !store.delete(&TICKETS, &key, None).await? {
        return Ok(None);
    }
    caller(app, Some(kept), Scope::Sync).await
}

async fn caller(app: &App, pass: Option<Kept<Pass>>, scope: Scope) -> Result<Option<Caller>, StoreError> {
    let Some(Pass { account, device, sign_in }) = pass.map(|p| p.value) else { return Ok(None) };
    let caller = Caller { account, device, sign_in, scope };
    Ok(is_signed_in(app, &caller).await?.then_some(caller))
}

/// Whether the sign-in that the caller's token came from still stands.
///
/// # Errors
/// The store failed.
pub async fn is_signed_in(app: &App, caller: &Caller) -> Result<bool, StoreError> {
    let device = get(app, caller.account, caller.device).await?;
    Ok(device.is_some_and(|d| d.sign_in == caller.sign_in))
}
