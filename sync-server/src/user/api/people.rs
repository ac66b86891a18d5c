//! Members and invitations of a home.

use crate::app::App;
use crate::http::auth::Caller;
use crate::http::{ClientAddress, Json, Path, Problem};
use crate::user::home::Home as Record;
use crate::user::{homes, invitation, throttle};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hearthwatt_server_api::{
    CreatedInvitation, Home, InvitationPreview, Invitations, Member, MemberRole, NewInvitation,
    OpenInvitation, PatchMember, Problem as Body, ProblemCode, Roster,
};
use uuid::Uuid;

async fn roster(app: &App, home: &Record, caller: &Caller) -> Result<Vec<Member>, Problem> {
    let is_owner = home.role(caller.account) == Some(MemberRole::Owner);
    let people = homes::people(app, home).await?;
    let members = home.members.iter().map(|m| {
        let (name, email) = people.get(&m.account).cloned().unwrap_or_default();
        let you = m.account == caller.account;
        Member {
            id: m.account,
            name,
            email: (is_owner || you).then_some(email),
            role: m.role,
            state: m.state,
            joined: m.joined,
            you,
        }
    });
    let mut members: Vec<Member> = members.collect();
    // stable: of two in one millisecond, who accepted first
    members.sort_by_key(|m| m.joined);
    Ok(members)
}

async fn one(app: &App, home: &Record, caller: &Caller, id: Uuid) -> Result<Json<Member>, Problem> {
    let found = roster(app, home, caller).await?.into_iter().find(|m| m.id == id);
    found.map(Json).ok_or_else(|| Problem::not_found("There is no such member."))
}

/// Who belongs to a home. E-mail addresses: owners, and one's own.
#[utoipa::path(get, path = "/api/v1/homes/{home}/members", tag = "members", security(("bearer" = [])), params(("home" = Uuid, Path)),
    responses((status = 200, body = Roster), (status = 401, body = Body), (status = 404, body = Body)))]
pub async fn members(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Roster>, Problem> {
    let home = homes::open(&app, &caller, id, MemberRole::Viewer).await?;
    Ok(Json(Roster { members: roster(&app, &home, &caller).await? }))
}

/// Gives a member another role: owners. The last owner keeps it.
#[utoipa::path(patch, path = "/api/v1/homes/{home}/members/{member}", tag = "members", security(("bearer" = [])),
    params(("home" = Uuid, Path), ("member" = Uuid, Path)), request_body = PatchMember,
    responses((status = 200, body = Member), (status = 401, body = Body), (status = 403, body = Body), (status = 404, body = Body), (status = 409, body = Body)))]
pub async fn set_role(
    State(app): State<App>,
    caller: Caller,
    Path((id, member)): Path<(Uuid, Uuid)>,
    Json(patch): Json<PatchMember>,
) -> Result<Json<Member>, Problem> {
    let (home, ()) =
        homes::change(&app, &caller, id, MemberRole::Owner, |home| home.set_role(member, patch.role)).await?;
    one(&app, &home, &caller, member).await
}

/// Lets a member in who has accepted an invitation: owners.
#[utoipa::path(post, path = "/api/v1/homes/{home}/members/{member}/confirm", tag = "members", security(("bearer" = [])),
    params(("home" = Uuid, Path), ("member" = Uuid, Path)),
    responses((status = 200, body = Member), (status = 401, body = Body), (status = 403, body = Body), (status = 404, body = Body)))]
pub async fn confirm(
    State(app): State<App>,
    caller: Caller,
    Path((id, member)): Path<(Uuid, Uuid)>,
) -> Result<Json<Member>, Problem> {
    let (home, ()) = homes::change(&app, &caller, id, MemberRole::Owner, |home| home.confirm(member)).await?;
    // a removal that was under way may have taken the hint along
    homes::remember(&app, member, id).await?;
    one(&app, &home, &caller, member).await
}

/// Takes a member out: owners anybody, everybody themselves. The last owner stays.
#[utoipa::path(delete, path = "/api/v1/homes/{home}/members/{member}", tag = "members", security(("bearer" = [])),
    params(("home" = Uuid, Path), ("member" = Uuid, Path)),
    responses((status = 204, description = "Taken out."), (status = 401, body = Body), (status = 403, body = Body), (status = 404, body = Body), (status = 409, body = Body)))]
pub async fn remove(
    State(app): State<App>,
    caller: Caller,
    Path((id, member)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    homes::remove_member(&app, &caller, id, member).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Invitations that nobody has accepted yet: owners.
#[utoipa::path(get, path = "/api/v1/homes/{home}/invitations", tag = "members", security(("bearer" = [])), params(("home" = Uuid, Path)),
    responses((status = 200, body = Invitations), (status = 401, body = Body), (status = 403, body = Body), (status = 404, body = Body)))]
pub async fn invitations(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
) -> Result<Json<Invitations>, Problem> {
    let home = homes::open(&app, &caller, id, MemberRole::Owner).await?;
    let people = homes::people(&app, &home).await?;
    let now = app.world.now();
    let open = home.invitations.iter().filter(|i| invitation::is_open(i, now)).map(|i| OpenInvitation {
        id: i.id,
        role: i.role,
        by: people.get(&i.by).map(|(name, _)| name.clone()).unwrap_or_default(),
        created: i.created,
        expires: i.expires,
    });
    Ok(Json(Invitations { invitations: open.collect() }))
}

/// Invites somebody: owners. The code is told only here, and is good once.
#[utoipa::path(post, path = "/api/v1/homes/{home}/invitations", tag = "members", security(("bearer" = [])), params(("home" = Uuid, Path)),
    request_body = NewInvitation,
    responses((status = 201, body = CreatedInvitation), (status = 401, body = Body), (status = 403, body = Body), (status = 404, body = Body),
        (status = 409, body = Body), (status = 422, body = Body)))]
pub async fn invite(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    Json(new): Json<NewInvitation>,
) -> Result<Response, Problem> {
    let created = invitation::create(&app, &caller, id, &new).await?;
    Ok((StatusCode::CREATED, Json(created)).into_response())
}

/// Withdraws an invitation: owners.
#[utoipa::path(delete, path = "/api/v1/homes/{home}/invitations/{invitation}", tag = "members", security(("bearer" = [])),
    params(("home" = Uuid, Path), ("invitation" = Uuid, Path)),
    responses((status = 204, description = "Withdrawn."), (status = 401, body = Body), (status = 403, body = Body), (status = 404, body = Body)))]
pub async fn withdraw(
    State(app): State<App>,
    caller: Caller,
    Path((id, invitation)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    invitation::withdraw(&app, &caller, id, invitation).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The open invitation with this code; guesses are counted.
async fn find(
    app: &App,
    caller: &Caller,
    address: ClientAddress,
    code: &str,
) -> Result<(Record, crate::user::home::Invitation), Problem> {
    let address = address.0.to_string();
    let who = caller.account.to_string();
    for what in [&who, &address] {
        throttle::attempt(app, &throttle::INVITATION_CODE, what).await?;
    }
    let found = invitation::find(app, code).await?.ok_or_else(|| {
        Problem::new(
            ProblemCode::InvitationSpent,
            "The invitation was used, withdrawn, or is too old. Ask for a new one.",
        )
    })?;
    for what in [&who, &address] {
        throttle::give_back(app, &throttle::INVITATION_CODE, what).await?;
    }
    Ok(found)
}

/// What accepting an invitation means.
#[utoipa::path(get, path = "/api/v1/invitations/{code}", tag = "members", security(("bearer" = [])), params(("code" = String, Path)),
    responses((status = 200, body = InvitationPreview), (status = 401, body = Body), (status = 410, body = Body), (status = 429, body = Body)))]
pub async fn preview(
    State(app): State<App>,
    caller: Caller,
    address: ClientAddress,
    Path(code): Path<String>,
) -> Result<Json<InvitationPreview>, Problem> {
    let (home, invitation) = find(&app, &caller, address, &code).await?;
    let people = homes::people(&app, &home).await?;
    Ok(Json(InvitationPreview {
        home: home.id,
        home_name: home.name.clone(),
        role: invitation.role,
        by: people.get(&invitation.by).map(|(name, _)| name.clone()).unwrap_or_default(),
        expires: invitation.expires,
    }))
}

/// Accepts an invitation, once. An owner of the home then confirms.
#[utoipa::path(post, path = "/api/v1/invitations/{code}/accept", tag = "members", security(("bearer" = [])), params(("code" = String, Path)),
    responses((status = 200, body = Home), (status = 401, body = Body), (status = 409, body = Body), (status = 410, body = Body), (status = 429, body = Body)))]
pub async fn accept(
    State(app): State<App>,
    caller: Caller,
    address: ClientAddress,
    Path(code): Path<String>,
) -> Result<Json<Home>, Problem> {
    let (home, invitation) = find(&app, &caller, address, &code).await?;
    let home = invitation::accept(&app, &caller, home.id, &invitation).await?;
    homes::view(&home, &caller).map(Json).ok_or_else(homes::unknown_home)
}
