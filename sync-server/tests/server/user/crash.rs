//! The process dies after each write of what somebody does. Whoever tries again gets there, and
//! nobody gets what isn't theirs.

use super::homes::{home_of, invite, join};
use super::site::{Device, PASSWORD, Site};
use crate::slow::Slow;
use hearthwatt_server::store::memory::Memory;
use hearthwatt_server::store::{Change, Hash};
use hearthwatt_server::user;
use hearthwatt_server_api::{Homes, MemberState, Roster, paths};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use uuid::Uuid;

struct Scene {
    site: Site,
    store: Arc<Slow>,
}

impl Scene {
    async fn new() -> Self {
        let store = Arc::new(Slow::new(Arc::new(Memory::default())));
        Self { site: Site::with(store.clone(), &[]).await, store }
    }

    /// Runs something that dies after so many writes. Says whether it came to its end.
    async fn dying_after<T>(&self, writes: i64, what: impl Future<Output = T>) -> (T, bool) {
        self.store.writes_left.store(writes, Ordering::SeqCst);
        let result = what.await;
        let left = self.store.writes_left.swap(i64::MAX, Ordering::SeqCst);
        // what the next process does first
        user::tidy(&self.site.app).await.unwrap();
        (result, left >= 0)
    }
}

/// More writes than anything here takes.
const MOST: i64 = 60;

async fn access(device: &Device<'_>, document: Uuid) -> bool {
    let app = &device.site.app;
    let caller = user::authenticate(app, device.tokens.access_token.expose()).await.unwrap();
    match caller {
        Some(caller) => user::rights(app, &caller, document).await.unwrap().is_some(),
        None => false,
    }
}

#[tokio::test]
async fn making_a_home() {
    for writes in 0..MOST {
        let scene = Scene::new().await;
        let (ada, eve) =
            (scene.site.member("ada@home.example").await, scene.site.member("eve@home.example").await);
        let id = Uuid::new_v4();
        let body = json!({ "id": id, "name": "Elm Street" });
        let (_, ended) = scene.dying_after(writes, ada.post(paths::HOMES, body.clone())).await;
        assert!(!access(&eve, id).await);
        ada.post(paths::HOMES, body).await.ok();
        assert!(access(&ada, id).await && !access(&eve, id).await, "{writes}");
        assert_eq!(ada.get(paths::HOMES).await.ok().json::<Homes>().homes.len(), 1);
        if ended {
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn accepting_an_invitation() {
    for writes in 0..MOST {
        let scene = Scene::new().await;
        let (ada, bob) =
            (scene.site.member("ada@home.example").await, scene.site.member("bob@home.example").await);
        let eve = scene.site.member("eve@home.example").await;
        let id = home_of(&ada).await;
        let path = paths::accept_invitation(&invite(&ada, id, "member").await);
        let (_, ended) = scene.dying_after(writes, bob.post(&path, json!({}))).await;
        // again: it goes through, or is told that it went through before
        bob.post(&path, json!({})).await;
        assert!(!eve.post(&path, json!({})).await.status.is_success(), "{writes}: used is used");
        let roster: Roster = ada.get(&paths::members(id)).await.ok().json();
        let states: Vec<_> = roster.members.iter().map(|m| (m.id, m.state)).collect();
        let (of_ada, of_bob) = ((ada.account(), MemberState::Active), (bob.account(), MemberState::Pending));
        assert!(
            states.len() == 2 && states.contains(&of_ada) && states.contains(&of_bob),
            "{writes}: {states:?}"
        );
        assert_eq!(bob.get(paths::HOMES).await.ok().json::<Homes>().homes.len(), 1, "{writes}");
        assert!(!access(&bob, id).await);
        if ended {
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn removing_a_member_and_a_device() {
    for writes in 0..MOST {
        let scene = Scene::new().await;
        let (ada, bob) =
            (scene.site.member("ada@home.example").await, scene.site.member("bob@home.example").await);
        let id = home_of(&ada).await;
        join(&ada, &bob, id, "member").await;
        let path = paths::member(id, bob.account());
        let (_, ended) = scene.dying_after(writes, ada.delete(&path)).await;
        let status = ada.delete(&path).await.status.as_u16();
        assert!(matches!(status, 204 | 404), "{writes}: {status}");
        assert!(!access(&bob, id).await && access(&ada, id).await, "{writes}");
        assert!(bob.get(paths::HOMES).await.ok().json::<Homes>().homes.is_empty());
        let path = paths::me_device(bob.tokens.device_id);
        scene.dying_after(writes, bob.delete(&path)).await;
        bob.delete(&path).await;
        bob.get(paths::ME).await.expect(401);
        if ended {
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn deleting_a_home() {
    for writes in 0..MOST {
        let scene = Scene::new().await;
        let (ada, bob) =
            (scene.site.member("ada@home.example").await, scene.site.member("bob@home.example").await);
        let id = home_of(&ada).await;
        join(&ada, &bob, id, "member").await;
        let change = Change { hash: Hash([1; 32]), bytes: vec![1] };
        scene.site.app.store.append_changes(id, &[change]).await.unwrap();
        let (_, ended) = scene.dying_after(writes, ada.delete(&paths::home(id))).await;
        // all of it, or nothing
        let there = access(&ada, id).await;
        let stored = scene.site.app.store.load(id).await.unwrap().changes.len();
        assert_eq!((there, stored == 1), (access(&bob, id).await, there), "{writes}");
        let status = ada.delete(&paths::home(id)).await.status.as_u16();
        assert_eq!(status, if there { 204 } else { 404 }, "{writes}");
        assert!(scene.site.app.store.load(id).await.unwrap().changes.is_empty());
        // and the id is free
        ada.post(paths::HOMES, json!({ "id": id, "name": "Elm Street" })).await.expect(201);
        assert!(access(&ada, id).await && !access(&bob, id).await);
        if ended {
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn deleting_an_account() {
    for writes in 0..MOST {
        let scene = Scene::new().await;
        let (bob, ada) =
            (scene.site.member("bob@home.example").await, scene.site.member("ada@home.example").await);
        let (own, shared) = (home_of(&ada).await, home_of(&ada).await);
        join(&ada, &bob, shared, "owner").await;
        let body = || Some(json!({ "email": "ada@home.example", "password": PASSWORD }));
        let (_, ended) = scene.dying_after(writes, ada.call("DELETE", paths::ME, body())).await;
        let again = ada.call("DELETE", paths::ME, body()).await.status.as_u16();
        assert!(matches!(again, 204 | 401), "{writes}: {again}");
        scene.site.browser().sign_in("ada@home.example", PASSWORD).await.expect(401);
        assert!(
            !access(&ada, own).await && !access(&ada, shared).await && access(&bob, shared).await,
            "{writes}"
        );
        let roster: Roster = bob.get(&paths::members(shared)).await.ok().json();
        assert_eq!(roster.members.len(), 1, "{writes}");
        bob.post(paths::HOMES, json!({ "id": own, "name": "Free again" })).await.expect(201);
        if ended {
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn a_refresh() {
    for writes in 0..MOST {
        let scene = Scene::new().await;
        let ada = scene.site.member("ada@home.example").await;
        let first = ada.tokens.refresh_token.expose();
        let (_, ended) = scene.dying_after(writes, scene.site.refresh(first, Some("mark"))).await;
        let tokens = scene.site.refresh(first, Some("mark")).await.expect(200).json();
        Device { site: &scene.site, tokens }.get(paths::ME).await.ok();
        if ended {
            return;
        }
    }
    panic!("it never ends");
}

#[tokio::test]
async fn the_first_account_and_signing_in() {
    for writes in 0..MOST {
        let scene = Scene::new().await;
        let mut browser = scene.site.browser();
        let fields = [("name", "Ada"), ("email", "ada@home.example"), ("password", PASSWORD)];
        let page = browser.get("/").await.ok();
        let (_, ended) = scene.dying_after(writes, browser.send_form(&page, "/", &fields)).await;
        let mut again = scene.site.browser();
        if again.get("/").await.ok().text().contains("name=\"password\"") {
            again.submit("/", "/", &fields).await.expect(303);
        } else {
            again.sign_in("ada@home.example", PASSWORD).await.expect(303);
        }
        let begun = super::site::Authorization::new(Uuid::new_v4());
        let code = begun.allow(&mut again).await;
        let (answer, _) = scene.dying_after(writes, begun.exchange(&scene.site, &code)).await;
        if !answer.status.is_success() {
            // the app begins anew
            again.device(begun.device).await.get(paths::ME).await.ok();
        }
        if ended {
            return;
        }
    }
    panic!("it never ends");
}
