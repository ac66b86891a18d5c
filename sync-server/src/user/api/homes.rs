//! Homes and their devices.

use super::me::invalid;
use crate::app::App;
use crate::http::auth::Caller;
use crate::http::{Json, Path, Problem};
use crate::user::account::person_name;
use crate::user::home::{self, Excluded};
use crate::user::{device, export as archive, homes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hearthwatt_server_api::{
    Home, HomeAuthor, HomeDevice, HomeDevices, Homes, MemberRole, MemberState, NewHome, PatchHome, Prefs,
    Problem as Body,
};
use std::collections::HashMap;
use uuid::Uuid;

fn name_of(text: &str) -> Result<String, Problem> {
    person_name(text).ok_or_else(|| invalid("name", "A name has 1 to 80 characters."))
}

fn view(home: &home::Home, caller: &Caller) -> Result<Home, Problem> {
    homes::view(home, caller).ok_or_else(homes::unknown_home)
}

/// The caller's homes, also those where an owner has yet to confirm.
#[utoipa::path(get, path = "/api/v1/homes", tag = "homes", security(("bearer" = [])),
    responses((status = 200, body = Homes), (status = 401, body = Body)))]
pub async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Homes>, Problem> {
    let homes = homes::of_account(&app, caller.account).await?;
    Ok(Json(Homes { homes: homes.iter().filter_map(|home| homes::view(home, &caller)).collect() }))
}

/// Puts a home on the server; the caller becomes its owner.
#[utoipa::path(post, path = "/api/v1/homes", tag = "homes", security(("bearer" = [])), request_body = NewHome,
    responses((status = 201, body = Home), (status = 200, body = Home, description = "It was there already."),
        (status = 401, body = Body), (status = 409, body = Body), (status = 422, body = Body)))]
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Json(new): Json<NewHome>,
) -> Result<Response, Problem> {
    let name = name_of(&new.name)?;
    if new.id.get_version_num() != 4 {
        return Err(invalid("id", "The id is a random (version 4) UUID."));
    }
    let (home, is_new) = homes::create(&app, &caller, new.id, name).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(view(&home, &caller)?)).into_response())
}

/// A home.
#[utoipa::path(get, path = "/api/v1/homes/{home}", tag = "homes", security(("bearer" = [])), params(("home" = Uuid, Path)),
    responses((status = 200, body = Home), (status = 401, body = Body), (status = 404, body = Body)))]
pub async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Home>, Problem> {
    let home = homes::get(&app, id).await?.ok_or_else(homes::unknown_home)?;
    Ok(Json(view(&home.value, &caller)?))
}

/// Renames a home: members and owners.
#[utoipa::path(patch, path = "/api/v1/homes/{home}", tag = "homes", security(("bearer" = [])), params(("home" = Uuid, Path)),
    request_body = PatchHome,
    responses((status = 200, body = Home), (status = 401, body = Body), (status = 403, body = Body), (status = 404, body = Body), (status = 422, body = Body)))]
pub async fn rename(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(patch): Json<PatchHome>,
) -> Result<Json<Home>, Problem> {
    let name = name_of(&patch.name)?;
    let renamed = homes::change(&app, &caller, id, MemberRole::Member, |home| {
        home.name.clone_from(&name);
        Ok(())
    });
    let (home, ()) = renamed.await?;
    Ok(Json(view(&home, &caller)?))
}

/// Deletes a home with all its documents and blocks, for everybody: owners. What devices keep
/// themselves stays there.
#[utoipa::path(delete, path = "/api/v1/homes/{home}", tag = "homes", security(("bearer" = [])), params(("home" = Uuid, Path)),
    responses((status = 204, description = "Deleted."), (status = 401, body = Body), (status = 403, body = Body), (status = 404, body = Body)))]
pub async fn delete(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, Problem> {
    homes::delete(&app, id, |home| homes::check(home, &caller, MemberRole::Owner).map(|_| ())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Everything the server keeps of a home, as a ZIP archive: JSON, documents, CSV. Members.
#[utoipa::path(get, path = "/api/v1/homes/{home}/export", tag = "homes", security(("bearer" = [])), params(("home" = Uuid, Path)),
    responses((status = 200, content_type = "application/zip", body = Vec<u8>), (status = 401, body = Body), (status = 404, body = Body)))]
pub async fn export(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Response, Problem> {
    let home = homes::open(&app, &caller, id, MemberRole::Viewer).await?;
    archive::home(&app, &caller, home).await
}

/// The document of the caller's preferences in a home.
#[utoipa::path(get, path = "/api/v1/homes/{home}/prefs", tag = "homes", security(("bearer" = [])), params(("home" = Uuid, Path)),
    responses((status = 200, body = Prefs), (status = 401, body = Body), (status = 404, body = Body)))]
pub async fn prefs(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Prefs>, Problem> {
    let home = homes::open(&app, &caller, id, MemberRole::Viewer).await?;
    let member = home.member(caller.account).ok_or_else(homes::unknown_home)?;
    Ok(Json(Prefs { document: member.prefs }))
}

/// The devices of a home's members, last seen first. Owners see all, others their own.
#[utoipa::path(get, path = "/api/v1/homes/{home}/devices", tag = "homes", security(("bearer" = [])), params(("home" = Uuid, Path)),
    responses((status = 200, body = HomeDevices), (status = 401, body = Body), (status = 404, body = Body)))]
pub async fn devices(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<HomeDevices>, Problem> {
    let home = homes::open(&app, &caller, id, MemberRole::Viewer).await?;
    let all = home.role(caller.account) == Some(MemberRole::Owner);
    let people = homes::people(&app, &home).await?;
    let mut devices = Vec::new();
    let mut names = HashMap::new();
    for member in home.members.iter().filter(|m| m.state == MemberState::Active) {
        let seen = all || member.account == caller.account;
        let name = people.get(&member.account).map(|(name, _)| name.clone()).unwrap_or_default();
        for d in device::list(&app, member.account).await? {
            names.insert(d.device, d.name.clone());
            if seen && home.role_through(member.account, d.device, d.sign_in).is_some() {
                devices.push(HomeDevice {
                    id: d.device,
                    name: d.name,
                    member: member.account,
                    member_name: name.clone(),
                    last_seen: d.last_seen,
                    current: (member.account, d.device) == (caller.account, caller.device),
                });
            }
        }
    }
    devices.sort_by_key(|d| (std::cmp::Reverse(d.last_seen), d.id));
    let authors = crate::data::authors(&app, id).await?.into_iter();
    let authors = authors
        .filter_map(|(actor, device)| Some(HomeAuthor { actor, device, name: names.get(&device)?.clone() }))
        .collect();
    Ok(Json(HomeDevices { devices, authors }))
}

/// Takes a device out of a home: owners any, others their own. Its access ends at once, until its
/// person signs in on it anew.
#[utoipa::path(delete, path = "/api/v1/homes/{home}/devices/{device}", tag = "homes", security(("bearer" = [])),
    params(("home" = Uuid, Path), ("device" = Uuid, Path)),
    responses((status = 204, description = "Taken out."), (status = 401, body = Body), (status = 404, body = Body), (status = 409, body = Body)))]
pub async fn remove_device(
    State(app): State<App>,
    caller: Caller,
    Path((id, device)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    let home = homes::open(&app, &caller, id, MemberRole::Viewer).await?;
    let all = home.role(caller.account) == Some(MemberRole::Owner);
    let mut found = Vec::new();
    for member in home.members.iter().filter(|m| all || m.account == caller.account) {
        if let Some(d) = device::get(&app, member.account, device).await? {
            found.push(Excluded { account: member.account, device, sign_in: d.sign_in });
        }
    }
    if found.is_empty() {
        return Err(Problem::not_found("There is no such device in this home."));
    }
    homes::change(&app, &caller, id, MemberRole::Viewer, |home| {
        // the role may have changed since
        let all = home.role(caller.account) == Some(MemberRole::Owner);
        found.iter().filter(|e| all || e.account == caller.account).try_for_each(|e| home.exclude(e.clone()))
    })
    .await?;
    app.store.touch(device).await?;
    Ok(StatusCode::NO_CONTENT)
}
