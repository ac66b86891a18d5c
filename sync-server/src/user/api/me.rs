//! The caller's own account and devices.

use crate::app::App;
use crate::http::auth::Caller;
use crate::http::{Json, Path, Problem};
use crate::user::account::{self, Account};
use crate::user::lang::Lang;
use crate::user::records::{self, ACCOUNTS};
use crate::user::{device, export as archive, homes, throttle};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hearthwatt_server_api::{
    DeleteMe, Device, Devices, Me, PatchMe, Problem as Body, ProblemCode, SyncTicket,
};
use uuid::Uuid;

fn gone() -> Problem {
    Problem::unauthorized("The account is gone.")
}

/// The caller's account.
#[utoipa::path(get, path = "/api/v1/me", tag = "account", security(("bearer" = [])),
    responses((status = 200, body = Me), (status = 401, body = Body)))]
pub async fn show(State(app): State<App>, caller: Caller) -> Result<Json<Me>, Problem> {
    let account = account::get(&app, caller.account).await?.ok_or_else(gone)?;
    Ok(Json(account::view(&app, account.value).await?))
}

/// Changes name or language.
#[utoipa::path(patch, path = "/api/v1/me", tag = "account", security(("bearer" = [])), request_body = PatchMe,
    responses((status = 200, body = Me), (status = 401, body = Body), (status = 422, body = Body)))]
pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Json(patch): Json<PatchMe>,
) -> Result<Json<Me>, Problem> {
    let name = match &patch.name {
        Some(text) => Some(
            account::person_name(text).ok_or_else(|| invalid("name", "A name has 1 to 80 characters."))?,
        ),
        None => None,
    };
    let language = match patch.language.as_deref() {
        None => None,
        Some("") => Some(None),
        Some(tag) => {
            let lang =
                Lang::from_tag(tag).ok_or_else(|| invalid("language", "The languages are en and de."))?;
            Some(Some(lang.tag().to_owned()))
        }
    };
    let (store, now, key) = (app.store.as_ref(), app.world.now(), caller.account.to_string());
    let changed = records::update::<Account, ()>(store, &ACCOUNTS, &key, now, |account| {
        account.name = name.clone().unwrap_or_else(|| account.name.clone());
        account.language = language.clone().unwrap_or_else(|| account.language.clone());
        Ok(())
    });
    let (account, ()) = changed.await?.ok_or_else(gone)?;
    Ok(Json(account::view(&app, account).await?))
}

pub fn invalid(field: &str, why: &str) -> Problem {
    Problem::new(ProblemCode::Invalid, why).field(field, why)
}

/// Deletes the account: devices, preferences, and homes without another owner. Homes with another
/// owner stay.
#[utoipa::path(delete, path = "/api/v1/me", tag = "account", security(("bearer" = [])), request_body = DeleteMe,
    responses((status = 204, description = "Deleted."), (status = 401, body = Body), (status = 422, body = Body), (status = 429, body = Body)))]
pub async fn delete(
    State(app): State<App>,
    caller: Caller,
    Json(body): Json<DeleteMe>,
) -> Result<StatusCode, Problem> {
    let account = account::get(&app, caller.account).await?.ok_or_else(gone)?.value;
    if account::email_key(&body.email) != account::email_key(account.address()) {
        return Err(invalid("email", "Type the e-mail address of the account (its name, if it has none)."));
    }
    if let Some(stored) = &account.password {
        let who = account.id.to_string();
        throttle::attempt(&app, &throttle::KNOWN_BROWSER, &who).await?;
        let typed = body.password.as_ref().map_or("", |p| p.expose());
        if !app.user.passwords.verify(typed, Some(stored)).await? {
            return Err(invalid("password", "The password is wrong."));
        }
        throttle::forgive(&app, &throttle::KNOWN_BROWSER, &who).await?;
    }
    homes::delete_account(&app, account.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything the server keeps for the caller, as a ZIP archive: JSON, documents, CSV.
#[utoipa::path(get, path = "/api/v1/me/export", tag = "account", security(("bearer" = [])),
    responses((status = 200, content_type = "application/zip", body = Vec<u8>), (status = 401, body = Body)))]
pub async fn export(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    archive::account(&app, &caller).await
}

/// The caller's devices, last seen first.
#[utoipa::path(get, path = "/api/v1/me/devices", tag = "account", security(("bearer" = [])),
    responses((status = 200, body = Devices), (status = 401, body = Body)))]
pub async fn devices(State(app): State<App>, caller: Caller) -> Result<Json<Devices>, Problem> {
    let view = |d: device::Device| Device {
        id: d.device,
        current: d.device == caller.device,
        name: d.name,
        signed_in: d.signed_in,
        last_seen: d.last_seen,
    };
    let devices = device::list(&app, caller.account).await?.into_iter().map(view).collect();
    Ok(Json(Devices { devices }))
}

/// Signs a device out: its tokens and connections end at once.
#[utoipa::path(delete, path = "/api/v1/me/devices/{device}", tag = "account", security(("bearer" = [])),
    params(("device" = Uuid, Path)),
    responses((status = 204, description = "Signed out."), (status = 401, body = Body), (status = 404, body = Body)))]
pub async fn remove_device(
    State(app): State<App>,
    caller: Caller,
    Path(device): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    if !device::remove(&app, caller.account, device).await? {
        return Err(Problem::not_found("There is no such device."));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// A ticket that lets one WebSocket in, for where no header can be set.
#[utoipa::path(post, path = "/api/v1/sync/ticket", tag = "sync", security(("bearer" = [])),
    responses((status = 200, body = SyncTicket), (status = 401, body = Body)))]
pub async fn ticket(State(app): State<App>, caller: Caller) -> Result<Json<SyncTicket>, Problem> {
    Ok(Json(device::ticket(&app, &caller).await?))
}
