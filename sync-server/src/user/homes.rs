//! Homes in the store.
//!
//! The home's record decides who belongs to it. Beside it lie hints: which homes to look at for an
//! account, which home for an invitation or document. A hint is written before the record and
//! deleted after it, so a crash leaves at worst a hint that leads to a "no".

use super::account;
use super::home::{Home, Member};
use super::limits::{HOMES_PER_ACCOUNT, MEMBERS_PER_HOME};
use super::records::{self, DELETIONS, DOCUMENTS, HOMES, INVITATIONS, Kept, MEMBERSHIPS};
use super::token;
use crate::App;
use crate::data;
use crate::http::Problem;
use crate::http::auth::{Access, Caller, Right};
use crate::store::{Find, Inserted, StoreError};
use hearthwatt_server_api as api;
use hearthwatt_server_api::{MemberRole, MemberState, ProblemCode};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Membership {
    account: Uuid,
    home: Uuid,
}

/// Which home a document belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Document {
    home: Uuid,
    /// Whose preferences it holds; nobody's: the home's own.
    account: Option<Uuid>,
}

fn membership_key(account: Uuid, home: Uuid) -> String {
    format!("{account}/{home}")
}

pub async fn get(app: &App, home: Uuid) -> Result<Option<Kept<Home>>, StoreError> {
    records::get(app.store.as_ref(), &HOMES, &home.to_string(), app.world.now()).await
}

/// The same words whether there is no such home or it is none of the caller's.
pub fn unknown_home() -> Problem {
    Problem::not_found("There is no such home, or you don't belong to it.")
}

fn forbidden() -> Problem {
    Problem::forbidden("Only an owner of the home can do that.")
}

/// The home, for somebody with at least this role.
///
/// # Errors
/// `not_found` for strangers, members who wait, and devices taken out; `forbidden`.
pub async fn open(app: &App, caller: &Caller, home: Uuid, least: MemberRole) -> Result<Home, Problem> {
    let home = get(app, home).await?.ok_or_else(unknown_home)?.value;
    check(&home, caller, least)?;
    Ok(home)
}

/// The caller's role, if it is at least this one.
///
/// # Errors
/// As [`open`].
pub fn check(home: &Home, caller: &Caller, least: MemberRole) -> Result<MemberRole, Problem> {
    let role = home.role_through(caller.account, caller.device, caller.sign_in).ok_or_else(unknown_home)?;
    if role < least { Err(forbidden()) } else { Ok(role) }
}

/// Changes a home by somebody with at least this role, by compare-and-set: the role is judged on
/// the very record that is written.
///
/// # Errors
/// As [`open`], and what `change` refuses.
pub async fn change<R: Send>(
    app: &App,
    caller: &Caller,
    home: Uuid,
    least: MemberRole,
    mut change: impl FnMut(&mut Home) -> Result<R, Problem> + Send,
) -> Result<(Home, R), Problem> {
    let (store, now, key) = (app.store.as_ref(), app.world.now(), home.to_string());
    let changed = records::update::<Home, R>(store, &HOMES, &key, now, |home| {
        check(home, caller, least)?;
        change(home)
    });
    let changed = changed.await?.ok_or_else(unknown_home)?;
    // connections ask again what they may do
    store.touch(home).await?;
    Ok(changed)
}

/// Takes a member out of a home: an owner anybody, everybody themselves (also while they wait).
///
/// # Errors
/// `not_found`, `forbidden`, `last_owner`.
pub async fn remove_member(app: &App, caller: &Caller, id: Uuid, account: Uuid) -> Result<(), Problem> {
    let (store, now) = (app.store.as_ref(), app.world.now());
    let home = get(app, id).await?.ok_or_else(unknown_home)?.value;
    let own = account == caller.account && home.member(account).is_some();
    if !own {
        check(&home, caller, MemberRole::Owner)?;
    }
    let prefs = home.member(account).ok_or_else(|| Problem::not_found("There is no such member."))?.prefs;
    let (key, note) = (format!("member/{id}/{account}"), Deletion::Member { home: id, account, prefs });
    records::put(store, &DELETIONS, &key, &note, None).await?;
    let home_key = id.to_string();
    let removed = records::update::<Home, ()>(store, &HOMES, &home_key, now, |home| {
        if !own {
            check(home, caller, MemberRole::Owner)?;
        }
        home.remove(account).map(|_| ())
    });
    let removed = removed.await;
    store.touch(id).await?;
    // looks at the home's record, whatever came out
    finish(app, &key, &note).await?;
    removed?.map(|_| ()).ok_or_else(unknown_home)
}

/// Makes a home of which the caller is the owner. Again with the same id: what is there.
///
/// # Errors
/// `conflict` if the id is taken; `limit_reached`.
pub async fn create(app: &App, caller: &Caller, id: Uuid, name: String) -> Result<(Home, bool), Problem> {
    if let Some(there) = get(app, id).await? {
        return match there.value.role_through(caller.account, caller.device, caller.sign_in) {
            Some(_) => Ok((there.value, false)),
            None => Err(taken()),
        };
    }
    if of_account(app, caller.account).await?.len() >= HOMES_PER_ACCOUNT {
        return Err(Problem::new(ProblemCode::LimitReached, "You belong to too many homes."));
    }
    let (store, now) = (app.store.as_ref(), app.world.now());
    // what is being deleted under this id must not take the new home with it
    if store.get(&DELETIONS, &format!("home/{id}")).await?.is_some() {
        return Err(Problem::unavailable("The home is being deleted.", std::time::Duration::from_secs(1)));
    }
    if !claim(app, id, &Document { home: id, account: None }).await? {
        return Err(taken());
    }
    let prefs = prepare_member(app, caller.account, id).await?;
    let home = Home::new(id, name, caller.account, prefs, now);
    match records::insert(store, &HOMES, &id.to_string(), &home, None).await? {
        Inserted::Stored => {
            store.touch(id).await?;
            Ok((home, true))
        }
        Inserted::Exists { .. } => Err(taken()),
    }
}

fn taken() -> Problem {
    Problem::conflict("This id is taken. Choose another.")
}

/// Says which home a document belongs to. `false` if it belongs elsewhere.
async fn claim(app: &App, document: Uuid, value: &Document) -> Result<bool, StoreError> {
    let (store, key) = (app.store.as_ref(), document.to_string());
    if let Inserted::Stored = records::insert(store, &DOCUMENTS, &key, value, None).await? {
        return Ok(true);
    }
    // left by a crash, or by somebody who is doing the same right now: the home's record decides
    let there = records::get::<Document>(store, &DOCUMENTS, &key, app.world.now()).await?;
    Ok(there.is_some_and(|there| there.value == *value))
}

/// The hints a new member needs; returns the document of their preferences.
pub async fn prepare_member(app: &App, account: Uuid, home: Uuid) -> Result<Uuid, Problem> {
    let prefs = token::uuid(app.world.as_ref())?;
    if !claim(app, prefs, &Document { home, account: Some(account) }).await? {
        return Err(Problem::internal(&"a document id was made twice"));
    }
    remember(app, account, home).await?;
    Ok(prefs)
}

/// Notes that this home is to be looked at for the account.
pub async fn remember(app: &App, account: Uuid, home: Uuid) -> Result<(), Problem> {
    let hint = Membership { account, home };
    records::put(app.store.as_ref(), &MEMBERSHIPS, &membership_key(account, home), &hint, None).await
}

/// Forgets what a member who is gone has left: preferences and hints. One who is back meanwhile has
/// other preferences, and keeps the hint.
async fn forget_member(
    app: &App,
    home: Uuid,
    account: Uuid,
    prefs: Uuid,
    is_back: bool,
) -> Result<(), StoreError> {
    let store = app.store.as_ref();
    store.touch(prefs).await?;
    data::delete_document(app, prefs).await?;
    store.delete(&DOCUMENTS, &prefs.to_string(), None).await?;
    if !is_back {
        store.delete(&MEMBERSHIPS, &membership_key(account, home), None).await?;
    }
    Ok(())
}

/// The homes an account belongs to (or waits for), oldest first.
pub async fn of_account(app: &App, account: Uuid) -> Result<Vec<Home>, StoreError> {
    let find = Find::key_prefix(&format!("{account}/"));
    let hints = records::find::<Membership>(
        app.store.as_ref(),
        &MEMBERSHIPS,
        find,
        app.world.now(),
        4 * HOMES_PER_ACCOUNT,
    )
    .await?;
    let mut homes = Vec::new();
    for hint in hints {
        let home = get(app, hint.value.home).await?.map(|kept| kept.value);
        homes.extend(home.filter(|home| home.member(account).is_some()));
    }
    homes.sort_by_key(|home| (home.created, home.id));
    Ok(homes)
}

/// The home as the caller sees it.
pub fn view(home: &Home, caller: &Caller) -> Option<api::Home> {
    let member = home.member(caller.account)?;
    let active = member.state == MemberState::Active;
    let role = home.role_through(caller.account, caller.device, caller.sign_in);
    if active && role.is_none() {
        return None;
    }
    Some(api::Home {
        id: home.id,
        name: home.name.clone(),
        role: member.role,
        state: member.state,
        created: home.created,
        members: if active { home.count(MemberState::Active) } else { 0 },
        pending: if role == Some(MemberRole::Owner) { home.count(MemberState::Pending) } else { 0 },
    })
}

/// Names and addresses of a home's members.
pub async fn people(app: &App, home: &Home) -> Result<HashMap<Uuid, (String, String)>, StoreError> {
    let mut people = HashMap::new();
    for member in home.members.iter().take(MEMBERS_PER_HOME) {
        if let Some(account) = account::get(app, member.account).await? {
            people.insert(member.account, (account.value.name, account.value.email));
        }
    }
    Ok(people)
}

/// What the caller may do with a document.
///
/// # Errors
/// The store failed.
pub async fn rights(app: &App, caller: &Caller, document: Uuid) -> Result<Option<Right>, StoreError> {
    let (store, now) = (app.store.as_ref(), app.world.now());
    let Some(found) = records::get::<Document>(store, &DOCUMENTS, &document.to_string(), now).await? else {
        return Ok(None);
    };
    let Document { home: id, account } = found.value;
    let Some(home) = get(app, id).await? else { return Ok(None) };
    let Some(role) = home.value.role_through(caller.account, caller.device, caller.sign_in) else {
        return Ok(None);
    };
    let access = match account {
        None if role >= MemberRole::Member => Access::Write,
        None => Access::Read,
        // preferences are their member's own, a viewer's too
        Some(account) => {
            let own =
                account == caller.account && home.value.member(account).is_some_and(|m| m.prefs == document);
            if !own {
                return Ok(None);
            }
            Access::Write
        }
    };
    Ok(Some(Right { home: id, access }))
}

// ---------------------------------------------------------------- deletion

/// Something that is being deleted: noted first, so that it is finished after a crash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Deletion {
    Home { home: Uuid, prefs: Vec<Uuid> },
    Account { account: Uuid },
    Member { home: Uuid, account: Uuid, prefs: Uuid },
}

/// Deletes a home if `may` allows it on the record as it is, with documents, blocks and hints.
///
/// # Errors
/// What `may` refuses; the store failed (the rest is deleted later).
pub async fn delete(
    app: &App,
    id: Uuid,
    may: impl Fn(&Home) -> Result<(), Problem> + Send,
) -> Result<(), Problem> {
    let store = app.store.as_ref();
    for _ in 0..20 {
        let Some(kept) = get(app, id).await? else { return Err(unknown_home()) };
        may(&kept.value)?;
        let prefs = kept.value.members.iter().map(|m| m.prefs).collect();
        let note = Deletion::Home { home: id, prefs };
        let key = format!("home/{id}");
        records::put(store, &DELETIONS, &key, &note, None).await?;
        if store.delete(&HOMES, &kept.key, Some(kept.revision)).await? {
            store.touch(id).await?;
            return Ok(finish(app, &key, &note).await?);
        }
        store.delete(&DELETIONS, &key, None).await?;
    }
    Err(Problem::conflict("Others are changing the home right now. Try again."))
}

/// Notes that an account is to be deleted, and does it.
///
/// # Errors
/// The store failed: the rest is deleted later.
pub async fn delete_account(app: &App, account: Uuid) -> Result<(), Problem> {
    let (key, note) = (format!("account/{account}"), Deletion::Account { account });
    records::put(app.store.as_ref(), &DELETIONS, &key, &note, None).await?;
    Ok(finish(app, &key, &note).await?)
}

/// Finishes what a crash left half deleted.
///
/// # Errors
/// The store failed.
pub async fn finish_deletions(app: &App) -> Result<(), StoreError> {
    let found =
        records::find::<Deletion>(app.store.as_ref(), &DELETIONS, Find::all(), app.world.now(), 1000).await?;
    for kept in found {
        finish(app, &kept.key, &kept.value).await?;
    }
    Ok(())
}

async fn finish(app: &App, key: &str, deletion: &Deletion) -> Result<(), StoreError> {
    let store = app.store.as_ref();
    match deletion {
        Deletion::Home { home, prefs } => {
            // noted, but its record was changed before it could be deleted: that was told to the owner
            if get(app, *home).await?.is_none() {
                let documents: Vec<Uuid> = prefs.iter().chain([home]).copied().collect();
                for document in &documents {
                    store.touch(*document).await?;
                }
                data::delete(app, *home, &documents).await?;
                for (table, index) in [(&MEMBERSHIPS, "home"), (&INVITATIONS, "home"), (&DOCUMENTS, "home")] {
                    records::delete_found(store, table, Find::equal(index, *home)).await?;
                }
            }
        }
        Deletion::Account { account } => finish_account(app, *account).await?,
        Deletion::Member { home, account, prefs } => {
            let there = get(app, *home).await?.and_then(|kept| kept.value.member(*account).map(|m| m.prefs));
            if there != Some(*prefs) {
                forget_member(app, *home, *account, *prefs, there.is_some()).await?;
            }
        }
    }
    store.delete(&DELETIONS, key, None).await?;
    Ok(())
}

async fn finish_account(app: &App, id: Uuid) -> Result<(), StoreError> {
    let (store, now) = (app.store.as_ref(), app.world.now());
    super::device::remove_all(app, id).await?;
    account::end_browsers(app, id).await?;
    for home in of_account(app, id).await? {
        let key = home.id.to_string();
        let left = records::update::<Home, Option<Member>>(store, &HOMES, &key, now, |home| {
            home.invitations.retain(|i| i.by != id);
            let waits = home.member(id).is_some_and(|m| m.state == MemberState::Pending);
            if waits || home.has_other_owner(id) || home.role(id).is_some_and(|r| r != MemberRole::Owner) {
                return home.remove(id).map(Some);
            }
            Ok(None)
        });
        match left.await {
            Ok(Some((_, Some(member)))) => {
                store.touch(home.id).await?;
                forget_member(app, home.id, id, member.prefs, false).await?;
            }
            // without another owner it goes too
            Ok(Some((_, None))) => {
                let gone =
                    delete(
                        app,
                        home.id,
                        |home| {
                            if home.has_other_owner(id) { Err(unknown_home()) } else { Ok(()) }
                        },
                    );
                Box::pin(gone).await.map_err(stopped)?;
            }
            Ok(None) => {}
            Err(problem) => return Err(stopped(problem)),
        }
    }
    for table in [&records::IDENTITIES, &records::KNOWN_BROWSERS, &records::MAIL_TOKENS] {
        records::delete_found(store, table, Find::equal("account", id)).await?;
    }
    records::delete_found(store, &MEMBERSHIPS, Find::key_prefix(&format!("{id}/"))).await?;
    store.delete(&records::ACCOUNTS, &id.to_string(), None).await?;
    store.touch(id).await?;
    Ok(())
}

/// A deletion that can't go on now goes on later.
fn stopped(problem: Problem) -> StoreError {
    StoreError::Unavailable(problem.detail().to_owned())
}
