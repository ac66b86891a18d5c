//! Invitations: a code that lets somebody ask to belong to a home, once.

use super::home::{Home, Invitation};
use super::homes;
use super::limits::{INVITATION, INVITATION_MAX, MINUTE};
use super::records::{self, INVITATIONS};
use super::token;
use crate::App;
use crate::http::Problem;
use crate::http::auth::Caller;
use hearthwatt_domain::time::UnixMillis;
use hearthwatt_server_api::{CreatedInvitation, MemberRole, NewInvitation, ProblemCode, Secret, paths};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Which home to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Hint {
    home: Uuid,
}

/// Makes an invitation.
///
/// # Errors
/// `invalid`, `forbidden`, `not_found`, `limit_reached`.
pub async fn create(
    app: &App,
    caller: &Caller,
    home: Uuid,
    new: &NewInvitation,
) -> Result<CreatedInvitation, Problem> {
    homes::open(app, caller, home, MemberRole::Owner).await?;
    let now = app.world.now();
    let expires = new.expires.unwrap_or(now.plus_ms(INVITATION));
    // clocks of devices differ a little
    if expires <= now || expires.since(now) > INVITATION_MAX + 10 * MINUTE {
        let why = "An invitation ends within the next thirty days.";
        return Err(Problem::new(ProblemCode::Invalid, why).field("expires", why));
    }
    let code = token::invitation_code(app.world.as_ref())?;
    let digest = token::digest(&code);
    let id = token::uuid(app.world.as_ref())?;
    records::insert(app.store.as_ref(), &INVITATIONS, &digest, &Hint { home }, Some(expires)).await?;
    let invitation =
        Invitation { id, code: digest, role: new.role, by: caller.account, created: now, expires };
    homes::change(app, caller, home, MemberRole::Owner, |home| home.invite(invitation.clone(), now)).await?;
    let link = format!("{}{}", app.config.public_url(), paths::join_page(&code));
    Ok(CreatedInvitation { id, role: new.role, code: Secret(code), link: Secret(link), expires })
}

/// The home and the open invitation that a code is for.
///
/// # Errors
/// The store failed.
pub async fn find(app: &App, code: &str) -> Result<Option<(Home, Invitation)>, Problem> {
    let Some(code) = token::read_invitation_code(code) else { return Ok(None) };
    let (digest, now) = (token::digest(&code), app.world.now());
    let Some(hint) = records::get::<Hint>(app.store.as_ref(), &INVITATIONS, &digest, now).await? else {
        return Ok(None);
    };
    let Some(home) = homes::get(app, hint.value.home).await? else { return Ok(None) };
    let invitation = home.value.invitation(&digest, now).cloned();
    Ok(invitation.map(|invitation| (home.value, invitation)))
}

/// Accepts an invitation: from now on the caller waits for an owner.
///
/// # Errors
/// `invitation_spent`, `conflict`, `limit_reached`.
pub async fn accept(
    app: &App,
    caller: &Caller,
    home: Uuid,
    invitation: &Invitation,
) -> Result<Home, Problem> {
    let (store, now) = (app.store.as_ref(), app.world.now());
    let prefs = homes::prepare_member(app, caller.account, home).await?;
    let (account, code) = (caller.account, &invitation.code);
    let key = home.to_string();
    let accepted = records::update::<Home, ()>(store, &records::HOMES, &key, now, |home| {
        home.accept(code, account, prefs, now)
    });
    match accepted.await {
        Ok(Some((home, ()))) => {
            store.delete(&INVITATIONS, code, None).await?;
            store.touch(home.id).await?;
            Ok(home)
        }
        Ok(None) => Err(homes::unknown_home()),
        Err(problem) => {
            store.delete(&records::DOCUMENTS, &prefs.to_string(), None).await?;
            Err(problem)
        }
    }
}

/// Withdraws an invitation.
///
/// # Errors
/// `not_found`, `forbidden`.
pub async fn withdraw(app: &App, caller: &Caller, home: Uuid, id: Uuid) -> Result<(), Problem> {
    let (_, gone) = homes::change(app, caller, home, MemberRole::Owner, |home| {
        home.withdraw(id).ok_or_else(|| Problem::not_found("There is no such invitation."))
    })
    .await?;
    app.store.delete(&INVITATIONS, &gone.code, None).await?;
    Ok(())
}

/// Whether it is still open at this time.
pub fn is_open(invitation: &Invitation, now: UnixMillis) -> bool {
    invitation.expires > now
}
