//! The same story on every store, by two processes at once.

use super::homes::{home_of, invite, join};
use super::site::{Device, PASSWORD, Site};
use hearthwatt_server::store::Store;
use hearthwatt_server::store::memory::Memory;
use hearthwatt_server::store::mongo::Mongo;
use hearthwatt_server::store::sqlite::Sqlite;
use hearthwatt_server::user;
use hearthwatt_server_api::oauth::{OAuthErrorCode, TokenReply};
use hearthwatt_server_api::{Homes, Roster, paths};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

async fn story(first: Arc<dyn Store>, second: Arc<dyn Store>) {
    let (one, two) = (Site::with(first, &[]).await, Site::with(second, &[]).await);
    let mut ada = one.person("ada@home.example").await;
    assert!(!two.browser().get("/").await.text().contains("name=\"password\""), "one first account for both");
    let ada = ada.device(Uuid::new_v4()).await;
    let bob = one.member("bob@home.example").await;
    let eve = one.member("eve@home.example").await;
    // a browser that signed in at one is signed in at the other, and so is an app
    two.browser().sign_in("ada@home.example", PASSWORD).await.expect(303);
    let at_two = |device: &Device<'_>| Device { site: &two, tokens: device.tokens.clone() };
    at_two(&ada).get(paths::ME).await.ok();

    let id = home_of(&ada).await;
    let path = paths::accept_invitation(&invite(&ada, id, "owner").await);
    let (to_bob, to_eve) = (at_two(&bob), at_two(&eve));
    let (a, b) = tokio::join!(to_bob.post(&path, json!({})), eve.post(&path, json!({})));
    assert!(a.status.is_success() != b.status.is_success(), "{} {}", a.status, b.status);
    let (new, other) = if a.status.is_success() { (to_bob, to_eve) } else { (to_eve, to_bob) };
    ada.post(&paths::confirm_member(id, new.account()), json!({})).await.ok();
    join(&new, &other, id, "viewer").await;
    // two owners put each other down, each at another process
    let down = || Some(json!({ "role": "member" }));
    let (path_a, path_b) = (paths::member(id, new.account()), paths::member(id, ada.account()));
    let (a, b) = tokio::join!(ada.call("PATCH", &path_a, down()), new.call("PATCH", &path_b, down()));
    assert!(!(a.status.is_success() && b.status.is_success()));
    let roster: Roster = at_two(&ada).get(&paths::members(id)).await.ok().json();
    assert_eq!(roster.members.len(), 3);

    // refresh at one, reuse at the other
    let old = bob.tokens.refresh_token.expose();
    let tokens: TokenReply = one.refresh(old, None).await.expect(200).json();
    super::site::oauth_error(two.refresh(old, None).await, OAuthErrorCode::InvalidGrant);
    Device { site: &one, tokens }.get(paths::ME).await.expect(401);

    let caller = user::authenticate(&one.app, ada.tokens.access_token.expose()).await.unwrap().unwrap();
    at_two(&ada).delete(&paths::me_device(ada.tokens.device_id)).await.expect(204);
    assert!(!user::is_signed_in(&one.app, &caller).await.unwrap());

    // guesses are counted together
    let mut answers = Vec::new();
    for n in 0..12 {
        let site = if n % 2 == 0 { &one } else { &two };
        answers.push(site.browser().sign_in("nobody@home.example", "a wrong password").await.status.as_u16());
    }
    assert!(answers.contains(&429), "{answers:?}");

    let email = if other.account() == eve.account() { "eve@home.example" } else { "bob@home.example" };
    let gone = other.call("DELETE", paths::ME, Some(json!({ "email": email, "password": PASSWORD }))).await;
    assert!(matches!(gone.status.as_u16(), 204 | 401), "{}", gone.text());
    for site in [&one, &two] {
        user::tidy(&site.app).await.unwrap();
    }
    let mut ada = two.browser();
    ada.sign_in("ada@home.example", PASSWORD).await.expect(303);
    let homes: Homes = ada.device(Uuid::new_v4()).await.get(paths::HOMES).await.ok().json();
    assert_eq!(homes.homes.len(), 1);
}

#[tokio::test]
async fn on_memory() {
    let store: Arc<dyn Store> = Arc::new(Memory::default());
    story(store.clone(), store).await;
}

#[tokio::test]
async fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Arc::new(Sqlite::open(&folder.path().join("server.db")).unwrap());
    story(open(), open()).await;
}

#[tokio::test]
async fn on_mongodb() {
    let Some(uri) = crate::mongo::fresh_database() else { return };
    let first = Arc::new(Mongo::connect(&uri).await.unwrap());
    let second = Arc::new(Mongo::connect(&uri).await.unwrap());
    story(first, second).await;
}
