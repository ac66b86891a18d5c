//! Homes, members, invitations, devices of a home.

use super::site::{Device, Site};
use hearthwatt_server::http::auth::{Access, Right};
use hearthwatt_server::user;
use hearthwatt_server_api::{
    CreatedInvitation, Home, HomeDevices, Homes, InvitationPreview, Invitations, MemberState, Prefs, Roster,
    paths,
};
use serde_json::json;
use uuid::Uuid;

pub async fn home_of(owner: &Device<'_>) -> Uuid {
    let id = Uuid::new_v4();
    owner.post(paths::HOMES, json!({ "id": id, "name": "Elm Street" })).await.expect(201);
    id
}

pub async fn invite(owner: &Device<'_>, home: Uuid, role: &str) -> String {
    let created = owner.post(&paths::invitations(home), json!({ "role": role })).await.expect(201);
    created.json::<CreatedInvitation>().code.expose().to_owned()
}

/// Invited, accepted, confirmed.
pub async fn join(owner: &Device<'_>, new: &Device<'_>, home: Uuid, role: &str) {
    let code = invite(owner, home, role).await;
    new.post(&paths::accept_invitation(&code), json!({})).await.expect(200);
    owner.post(&paths::confirm_member(home, new.account()), json!({})).await.expect(200);
}

async fn rights(device: &Device<'_>, document: Uuid) -> Option<Right> {
    let app = &device.site.app;
    let caller = user::authenticate(app, device.tokens.access_token.expose()).await.unwrap().unwrap();
    user::rights(app, &caller, document).await.unwrap()
}

#[tokio::test]
async fn a_home_is_made_renamed_and_deleted() {
    let site = Site::new().await;
    let ada = site.member("ada@home.example").await;
    let id = home_of(&ada).await;
    // again: the same
    let again = ada.post(paths::HOMES, json!({ "id": id, "name": "Other" })).await.expect(200);
    assert_eq!(again.json::<Home>().name, "Elm Street");
    let renamed = ada.call("PATCH", &paths::home(id), Some(json!({ "name": "Elm Street 4" }))).await.ok();
    assert_eq!(renamed.json::<Home>().name, "Elm Street 4");
    assert_eq!(rights(&ada, id).await, Some(Right { home: id, access: Access::Write }));
    let prefs = ada.get(&paths::prefs(id)).await.ok().json::<Prefs>().document;
    assert_eq!(rights(&ada, prefs).await, Some(Right { home: id, access: Access::Write }));
    ada.delete(&paths::home(id)).await.expect(204);
    ada.get(&paths::home(id)).await.problem(404, "not_found");
    for document in [id, prefs] {
        assert_eq!(rights(&ada, document).await, None);
    }
    assert!(ada.get(paths::HOMES).await.ok().json::<Homes>().homes.is_empty());
    // the id is free again: the home is still on the device
    ada.post(paths::HOMES, json!({ "id": id, "name": "Elm Street" })).await.expect(201);
    for wrong in [json!({ "id": Uuid::new_v4(), "name": "" }), json!({ "id": Uuid::nil(), "name": "x" })] {
        ada.post(paths::HOMES, wrong).await.problem(422, "invalid");
    }
}

#[tokio::test]
async fn a_strangers_home_is_not_there() {
    let site = Site::new().await;
    let (ada, eve) = (site.member("ada@home.example").await, site.member("eve@home.example").await);
    let id = home_of(&ada).await;
    let prefs = ada.get(&paths::prefs(id)).await.ok().json::<Prefs>().document;
    let (nowhere, somebody) = (Uuid::new_v4(), ada.account());
    for home in [id, nowhere] {
        for (method, path, body) in [
            ("GET", paths::home(home), None),
            ("PATCH", paths::home(home), Some(json!({ "name": "Eve's" }))),
            ("DELETE", paths::home(home), None),
            ("GET", paths::home_export(home), None),
            ("GET", paths::members(home), None),
            ("PATCH", paths::member(home, somebody), Some(json!({ "role": "viewer" }))),
            ("DELETE", paths::member(home, somebody), None),
            ("DELETE", paths::member(home, eve.account()), None),
            ("POST", paths::confirm_member(home, eve.account()), Some(json!({}))),
            ("GET", paths::invitations(home), None),
            ("POST", paths::invitations(home), Some(json!({ "role": "owner" }))),
            ("DELETE", paths::home_invitation(home, nowhere), None),
            ("GET", paths::home_devices(home), None),
            ("DELETE", paths::home_device(home, ada.tokens.device_id), None),
            ("GET", paths::prefs(home), None),
        ] {
            eve.call(method, &path, body).await.problem(404, "not_found");
        }
    }
    for document in [id, prefs, nowhere] {
        assert_eq!(rights(&eve, document).await, None);
    }
    // nor can a stranger take the id of a home or of somebody's preferences
    for document in [id, prefs] {
        eve.post(paths::HOMES, json!({ "id": document, "name": "Eve's" })).await.problem(409, "conflict");
    }
    assert_eq!(ada.get(&paths::home(id)).await.ok().json::<Home>().name, "Elm Street");
}

#[tokio::test]
async fn an_invitation_is_good_once_and_an_owner_confirms() {
    let site = Site::new().await;
    let ada = site.member("ada@home.example").await;
    let (bob, eve) = (site.member("bob@home.example").await, site.member("eve@home.example").await);
    let id = home_of(&ada).await;
    let code = invite(&ada, id, "member").await;
    let open: Invitations = ada.get(&paths::invitations(id)).await.ok().json();
    assert_eq!((open.invitations.len(), open.invitations[0].by.as_str()), (1, "ada"));
    let preview: InvitationPreview = bob.get(&paths::invitation(&code)).await.ok().json();
    assert_eq!((preview.home, preview.home_name.as_str(), preview.by.as_str()), (id, "Elm Street", "ada"));
    ada.post(&paths::accept_invitation(&code), json!({})).await.problem(409, "conflict");

    let joined: Home = bob.post(&paths::accept_invitation(&code), json!({})).await.ok().json();
    assert_eq!((joined.state, joined.members), (MemberState::Pending, 0));
    // used is used: for others, and for Bob
    for who in [&eve, &bob] {
        who.get(&paths::invitation(&code)).await.problem(410, "invitation_spent");
        who.post(&paths::accept_invitation(&code), json!({})).await.problem(410, "invitation_spent");
    }
    // until an owner confirms, nothing of the home is open
    assert_eq!(bob.get(paths::HOMES).await.ok().json::<Homes>().homes[0].state, MemberState::Pending);
    bob.get(&paths::members(id)).await.problem(404, "not_found");
    bob.post(&paths::confirm_member(id, bob.account()), json!({})).await.problem(404, "not_found");
    assert_eq!(rights(&bob, id).await, None);
    let versions = site.app.store.versions(&[id]).await.unwrap();
    ada.post(&paths::confirm_member(id, bob.account()), json!({})).await.ok();
    assert_ne!(versions, site.app.store.versions(&[id]).await.unwrap(), "open connections ask again");
    assert_eq!(rights(&bob, id).await.map(|r| r.access), Some(Access::Write));

    let roster: Roster = bob.get(&paths::members(id)).await.ok().json();
    let lines: Vec<_> = roster.members.iter().map(|m| (m.name.as_str(), m.email.as_deref(), m.you)).collect();
    assert_eq!(lines, [("ada", None, false), ("bob", Some("bob@home.example"), true)]);
    let roster: Roster = ada.get(&paths::members(id)).await.ok().json();
    assert!(roster.members.iter().all(|m| m.email.is_some()));
}

#[tokio::test]
async fn of_two_who_accept_at_once_one_gets_in() {
    let site = Site::new().await;
    let ada = site.member("ada@home.example").await;
    let (bob, eve) = (site.member("bob@home.example").await, site.member("eve@home.example").await);
    let id = home_of(&ada).await;
    for _ in 0..3 {
        let path = paths::accept_invitation(&invite(&ada, id, "member").await);
        let (a, b) = tokio::join!(bob.post(&path, json!({})), eve.post(&path, json!({})));
        assert!(a.status.is_success() != b.status.is_success(), "{} {}", a.status, b.status);
        for who in [&bob, &eve] {
            ada.delete(&paths::member(id, who.account())).await;
        }
    }
}

#[tokio::test]
async fn withdrawn_and_old_invitations_are_no_good_and_codes_can_not_be_guessed() {
    let site = Site::new().await;
    let (ada, bob) = (site.member("ada@home.example").await, site.member("bob@home.example").await);
    let id = home_of(&ada).await;
    let code = invite(&ada, id, "member").await;
    let open: Invitations = ada.get(&paths::invitations(id)).await.ok().json();
    ada.delete(&paths::home_invitation(id, open.invitations[0].id)).await.expect(204);
    bob.post(&paths::accept_invitation(&code), json!({})).await.problem(410, "invitation_spent");
    let now = hearthwatt_server::World::now(site.world.as_ref());
    for expires in [now.0, now.0 + 40 * 24 * 3600 * 1000] {
        let body = json!({ "role": "member", "expires": expires });
        ada.post(&paths::invitations(id), body).await.problem(422, "invalid");
    }
    let soon = json!({ "role": "member", "expires": now.0 + 60_000 });
    let late: CreatedInvitation = ada.post(&paths::invitations(id), soon).await.expect(201).json();
    site.wait(60_000);
    bob.post(&paths::accept_invitation(late.code.expose()), json!({})).await.problem(410, "invitation_spent");
    let mut last = 0;
    for _ in 0..30 {
        last = bob.get("/api/v1/invitations/00000-00000-00000-00000-00000-0").await.status.as_u16();
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn viewers_and_members_decide_nothing_about_membership() {
    let site = Site::new().await;
    let ada = site.member("ada@home.example").await;
    let (vic, mia) = (site.member("vic@home.example").await, site.member("mia@home.example").await);
    let id = home_of(&ada).await;
    join(&ada, &vic, id, "viewer").await;
    join(&ada, &mia, id, "member").await;
    for who in [&vic, &mia] {
        for (method, path, body) in [
            ("DELETE", paths::home(id), None),
            ("PATCH", paths::member(id, who.account()), Some(json!({ "role": "owner" }))),
            ("PATCH", paths::member(id, ada.account()), Some(json!({ "role": "viewer" }))),
            ("DELETE", paths::member(id, ada.account()), None),
            ("POST", paths::confirm_member(id, who.account()), Some(json!({}))),
            ("POST", paths::invitations(id), Some(json!({ "role": "owner" }))),
            ("GET", paths::invitations(id), None),
            ("DELETE", paths::home_invitation(id, Uuid::new_v4()), None),
        ] {
            who.call(method, &path, body).await.problem(403, "forbidden");
        }
        who.delete(&paths::home_device(id, ada.tokens.device_id)).await.problem(404, "not_found");
        let devices: HomeDevices = who.get(&paths::home_devices(id)).await.ok().json();
        assert!(devices.devices.iter().all(|d| d.member == who.account()), "of others they see nothing");
    }
    vic.call("PATCH", &paths::home(id), Some(json!({ "name": "Vic's" }))).await.problem(403, "forbidden");
    assert_eq!(rights(&vic, id).await.map(|r| r.access), Some(Access::Read));
    // their own preferences are theirs, and nobody else's
    let prefs = vic.get(&paths::prefs(id)).await.ok().json::<Prefs>().document;
    assert_eq!(rights(&vic, prefs).await.map(|r| r.access), Some(Access::Write));
    assert_eq!(rights(&ada, prefs).await, None);
}

#[tokio::test]
async fn a_home_keeps_an_owner_whoever_acts_at_once() {
    let site = Site::new().await;
    let (ada, bob) = (site.member("ada@home.example").await, site.member("bob@home.example").await);
    let id = home_of(&ada).await;
    ada.delete(&paths::member(id, ada.account())).await.problem(409, "last_owner");
    let down = || Some(json!({ "role": "member" }));
    ada.call("PATCH", &paths::member(id, ada.account()), down()).await.problem(409, "last_owner");
    join(&ada, &bob, id, "owner").await;
    for _ in 0..10 {
        let (paths_a, paths_b) = (paths::member(id, bob.account()), paths::member(id, ada.account()));
        let (a, b) = tokio::join!(ada.call("PATCH", &paths_a, down()), bob.call("PATCH", &paths_b, down()));
        assert!(!(a.status.is_success() && b.status.is_success()), "nobody would be left");
        let owner = if a.status.is_success() { &ada } else { &bob };
        for who in [&ada, &bob] {
            owner
                .call("PATCH", &paths::member(id, who.account()), Some(json!({ "role": "owner" })))
                .await
                .ok();
        }
    }
    ada.delete(&paths::member(id, ada.account())).await.expect(204);
    bob.delete(&paths::member(id, bob.account())).await.problem(409, "last_owner");
    assert_eq!(rights(&ada, id).await, None);
}

#[tokio::test]
async fn a_device_taken_out_of_a_home_comes_back_by_a_new_sign_in_only() {
    let site = Site::new().await;
    let ada = site.member("ada@home.example").await;
    let mut browser = site.person("bob@home.example").await;
    let (bob, tablet) = (browser.device(Uuid::new_v4()).await, browser.device(Uuid::new_v4()).await);
    let id = home_of(&ada).await;
    join(&ada, &bob, id, "member").await;
    let of_home: HomeDevices = ada.get(&paths::home_devices(id)).await.ok().json();
    assert_eq!(of_home.devices.len(), 3);
    ada.delete(&paths::home_device(id, tablet.tokens.device_id)).await.expect(204);
    // out of this home, not out of the account
    tablet.get("/api/v1/me").await.ok();
    tablet.get(&paths::members(id)).await.problem(404, "not_found");
    assert!(tablet.get(paths::HOMES).await.ok().json::<Homes>().homes.is_empty());
    assert_eq!(rights(&tablet, id).await, None);
    assert!(rights(&bob, id).await.is_some());
    let of_home: HomeDevices = ada.get(&paths::home_devices(id)).await.ok().json();
    assert_eq!(of_home.devices.len(), 2);
    // refreshing its tokens changes nothing
    let tokens = site.refresh(tablet.tokens.refresh_token.expose(), None).await.expect(200).json();
    assert_eq!(rights(&Device { site: &site, tokens }, id).await, None);
    let again = browser.device(tablet.tokens.device_id).await;
    assert!(rights(&again, id).await.is_some());
    // a member takes out the own devices only
    bob.delete(&paths::home_device(id, ada.tokens.device_id)).await.problem(404, "not_found");
    bob.delete(&paths::home_device(id, again.tokens.device_id)).await.expect(204);
    assert_eq!(rights(&again, id).await, None);
}

#[tokio::test]
async fn a_removed_member_is_out_at_once_and_leaves_nothing() {
    let site = Site::new().await;
    let (ada, bob) = (site.member("ada@home.example").await, site.member("bob@home.example").await);
    let id = home_of(&ada).await;
    join(&ada, &bob, id, "member").await;
    let prefs = bob.get(&paths::prefs(id)).await.ok().json::<Prefs>().document;
    ada.delete(&paths::member(id, bob.account())).await.expect(204);
    for document in [id, prefs] {
        assert_eq!(rights(&bob, document).await, None);
    }
    assert!(bob.get(paths::HOMES).await.ok().json::<Homes>().homes.is_empty());
    ada.delete(&paths::member(id, bob.account())).await.problem(404, "not_found");
    // invited again, the preferences are new
    join(&ada, &bob, id, "viewer").await;
    assert_ne!(bob.get(&paths::prefs(id)).await.ok().json::<Prefs>().document, prefs);
}

#[tokio::test]
async fn every_json_route_is_described() {
    let site = Site::new().await;
    let description: serde_json::Value = site.browser().get("/api/openapi.json").await.ok().json();
    let described = description["paths"].as_object().unwrap();
    let (home, other) = (Uuid::nil(), Uuid::nil());
    let put = |path: String, names: &[&str]| {
        names
            .iter()
            .fold(path, |path, name| path.replacen(&Uuid::nil().to_string(), &format!("{{{name}}}"), 1))
    };
    for (path, methods) in [
        (paths::METADATA.to_owned(), &["get"][..]),
        (paths::TOKEN.into(), &["post"]),
        (paths::REVOKE.into(), &["post"]),
        (paths::DEVICE_AUTHORIZATION.into(), &["post"]),
        (paths::ME.into(), &["get", "patch", "delete"]),
        (paths::ME_EXPORT.into(), &["get"]),
        (paths::ME_DEVICES.into(), &["get"]),
        (put(paths::me_device(home), &["device"]), &["delete"]),
        (paths::HOMES.into(), &["get", "post"]),
        (put(paths::home(home), &["home"]), &["get", "patch", "delete"]),
        (put(paths::home_export(home), &["home"]), &["get"]),
        (put(paths::members(home), &["home"]), &["get"]),
        (put(paths::member(home, other), &["home", "member"]), &["patch", "delete"]),
        (put(paths::confirm_member(home, other), &["home", "member"]), &["post"]),
        (put(paths::invitations(home), &["home"]), &["get", "post"]),
        (put(paths::home_invitation(home, other), &["home", "invitation"]), &["delete"]),
        ("/api/v1/invitations/{code}".into(), &["get"]),
        ("/api/v1/invitations/{code}/accept".into(), &["post"]),
        (put(paths::home_devices(home), &["home"]), &["get"]),
        (put(paths::home_device(home, other), &["home", "device"]), &["delete"]),
        (put(paths::prefs(home), &["home"]), &["get"]),
        (paths::SYNC_TICKET.into(), &["post"]),
    ] {
        for method in methods {
            let operation =
                &described.get(&path).unwrap_or_else(|| panic!("{path} is not described"))[method];
            assert!(operation["responses"].is_object(), "{method} {path}");
        }
    }
    for (name, schema) in description["components"]["schemas"].as_object().unwrap() {
        let is_body =
            described.values().any(|p| p.to_string().contains(&format!("#/components/schemas/{name}\"")));
        let has_parts = schema["properties"].as_object().is_some_and(|p| !p.is_empty());
        let is_list = ["Devices", "Homes", "Roster", "Invitations", "HomeDevices", "BlockPage"]
            .contains(&name.as_str());
        if is_body && has_parts && !is_list {
            assert!(
                schema.get("example").is_some() || schema.get("examples").is_some(),
                "{name} has no example"
            );
        }
    }
}
