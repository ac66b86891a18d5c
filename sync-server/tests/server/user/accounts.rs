//! Accounts: the first one, those by e-mail, passwords, profile, deletion.

use super::site::{Browser, PASSWORD, Site};
use hearthwatt_server::store::memory::Memory;
use hearthwatt_server_api::{Devices, Homes, Me};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

const FIRST: &[(&str, &str)] = &[("name", "Ada"), ("email", "ada@home.example"), ("password", PASSWORD)];

#[tokio::test]
async fn the_first_account_is_made_at_the_computer_itself() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let page = browser.get("/").await.ok();
    assert!(!page.text().contains("name=\"code\""), "nobody else can be here");
    assert_eq!(browser.send_form(&page, "/", FIRST).await.expect(303).location(), "/account");
    assert!(browser.get("/account").await.ok().text().contains("ada@home.example"));
    // from then on the page is another
    assert!(!site.browser().get("/").await.ok().text().contains("name=\"password\""));
    let mut late = site.browser();
    let shown = late.get("/account/sign-in").await;
    let csrf = super::site::hidden(&shown.text(), "/account/sign-in")
        .into_iter()
        .find(|(n, _)| n == "csrf")
        .unwrap()
        .1;
    late.post("/", &[FIRST, &[("csrf", csrf.as_str())]].concat()).await.expect(409);
}

#[tokio::test]
async fn from_elsewhere_the_first_account_needs_the_setup_code() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("code");
    std::fs::write(&file, "a code of my own\n").unwrap();
    let site = Site::with(Arc::new(Memory::default()), &["--setup-code-file", file.to_str().unwrap()]).await;
    // a proxy on this computer, or another site's name that points here
    for headers in
        [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9"), ("host", "evil.example:8787")]
    {
        let mut browser = Browser { headers: vec![(headers.0, headers.1.to_owned())], ..site.browser() };
        let page = browser.get("/").await.ok();
        assert!(page.text().contains("name=\"code\""), "{headers:?}");
        browser.send_form(&page, "/", FIRST).await.expect(422);
        let answer = browser.send_form(&page, "/", &[FIRST, &[("code", "a wrong code")]].concat()).await;
        assert_eq!(answer.status, 422);
    }
    let mut browser =
        Browser { headers: vec![("forwarded", "for=203.0.113.9".to_owned())], ..site.browser() };
    let page = browser.get("/").await.ok();
    let mut last = 0;
    for n in 0..5 {
        let code = format!("guess {n}");
        last = browser
            .send_form(&page, "/", &[FIRST, &[("code", code.as_str())]].concat())
            .await
            .status
            .as_u16();
    }
    assert_eq!(last, 429, "guesses are bounded");
    site.wait(15 * super::site::MINUTE);
    browser.send_form(&page, "/", &[FIRST, &[("code", "a code of my own")]].concat()).await.expect(303);
}

#[tokio::test]
async fn of_two_first_accounts_one_wins() {
    let site = Site::new().await;
    let (mut a, mut b) = (site.browser(), site.browser());
    let (page_a, page_b) = (a.get("/").await, b.get("/").await);
    let other = [("name", "Bob"), ("email", "bob@home.example"), ("password", PASSWORD)];
    let (a, b) = tokio::join!(a.send_form(&page_a, "/", FIRST), b.send_form(&page_b, "/", &other));
    let mut statuses = [a.status.as_u16(), b.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
}

#[tokio::test]
async fn an_account_by_e_mail() {
    let site = Site::new().await;
    site.person("ada@home.example").await;
    let mut browser =
        Browser { headers: vec![("accept-language", "de-DE,en;q=0.5".into())], ..site.browser() };
    let sent =
        browser.submit("/account/register", "/account/register", &[("email", "Bob@Home.example")]).await.ok();
    assert!(
        sent.text().contains("Sehen Sie in Ihr Postfach") && sent.text().contains("lang=\"de\""),
        "{}",
        sent.text()
    );
    let letter = site.letter("Bob@Home.example").await.unwrap();
    assert!(letter.contains("Guten Tag"), "{letter}");
    let link = site.link("Bob@Home.example").await;
    // looking at the link doesn't use it up
    browser.get(&link).await.ok();
    let weak = [("name", "Bob"), ("password", "short")];
    assert!(browser.submit(&link, "/account/verify", &weak).await.expect(422).text().contains("zu kurz"));
    let fields = [("name", "Bob"), ("password", PASSWORD)];
    browser.submit(&link, "/account/verify", &fields).await.expect(303);
    assert!(browser.get("/account").await.ok().text().contains("Bob@Home.example"));
    browser.get(&link).await.expect(410);
    // written otherwise it is the same mailbox
    site.browser().sign_in(" bob@home.EXAMPLE", PASSWORD).await.expect(303);
    // the language stays with the account
    let app = browser.device(Uuid::new_v4()).await;
    assert_eq!(app.get("/api/v1/me").await.ok().json::<Me>().language.as_deref(), Some("de"));
}

#[tokio::test]
async fn links_are_for_one_use_and_end() {
    let site = Site::new().await;
    site.person("ada@home.example").await;
    let mut browser = site.browser();
    browser.submit("/account/register", "/account/register", &[("email", "bob@home.example")]).await.ok();
    let first = site.link("bob@home.example").await;
    site.wait(1);
    browser.submit("/account/register", "/account/register", &[("email", "bob@home.example")]).await.ok();
    let second = site.link("bob@home.example").await;
    assert_ne!(first, second);
    let fields = [("name", "Bob"), ("password", PASSWORD)];
    let (page_a, page_b) = (browser.get(&first).await.ok(), browser.get(&second).await.ok());
    browser.send_form(&page_a, "/account/verify", &fields).await.expect(303);
    // one account per mailbox
    let mut other = site.browser();
    let page = other.get(&second).await.ok();
    other.send_form(&page, "/account/verify", &fields).await.expect(409);
    drop(page_b);
    // a day later the link is none
    browser.submit("/account/register", "/account/register", &[("email", "cy@home.example")]).await.ok();
    let late = site.link("cy@home.example").await;
    site.wait(25 * 60 * super::site::MINUTE);
    site.browser().get(&late).await.expect(410);
    // nor is a link of one purpose good for another
    site.browser().get(&late.replace("verify", "reset")).await.expect(410);
}

#[tokio::test]
async fn a_reset_changes_the_password_once_and_ends_what_was_signed_in() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    let app = ada.device(Uuid::new_v4()).await;
    let mut browser = site.browser();
    browser.submit("/account/forgot", "/account/forgot", &[("email", "ada@home.example")]).await.ok();
    let link = site.link("ada@home.example").await;
    assert!(link.starts_with("/account/reset?token="), "{link}");
    let mut thief = site.browser();
    let (page, stolen) = (browser.get(&link).await.ok(), thief.get(&link).await.ok());
    let fields = [("password", "an entirely new one"), ("devices", "yes")];
    browser.send_form(&page, "/account/reset", &fields).await.expect(303);
    thief.send_form(&stolen, "/account/reset", &[("password", "the password of a thief")]).await.expect(410);
    browser.get("/account").await.expect(200);
    ada.get("/account").await.expect(303);
    app.get("/api/v1/me").await.expect(401);
    site.browser().sign_in("ada@home.example", PASSWORD).await.expect(401);
    site.browser().sign_in("ada@home.example", "an entirely new one").await.expect(303);
    // and its owner is told
    assert!(site.letter("ada@home.example").await.unwrap().contains("was changed just now"));
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    let mut elsewhere = site.browser();
    elsewhere.sign_in("ada@home.example", PASSWORD).await.expect(303);
    let new = "an entirely new one";
    let wrong = [("current", "not the old one"), ("password", new)];
    ada.submit("/account", "/account/password", &wrong).await.expect(422);
    let guessable = [("current", PASSWORD), ("password", "password123")];
    ada.submit("/account", "/account/password", &guessable).await.expect(422);
    ada.submit("/account", "/account/password", &[("current", PASSWORD), ("password", new)])
        .await
        .expect(303);
    ada.get("/account").await.expect(200);
    elsewhere.get("/account").await.expect(303);
    site.browser().sign_in("ada@home.example", new).await.expect(303);
}

#[tokio::test]
async fn a_browser_signs_in_again_after_half_a_day() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    site.wait(11 * 60 * super::site::MINUTE);
    ada.get("/account").await.expect(200);
    site.wait(2 * 60 * super::site::MINUTE);
    ada.get("/account").await.expect(303);
}

#[tokio::test]
async fn profile() {
    let site = Site::new().await;
    let app = site.member("ada@home.example").await;
    let change = |body| app.call("PATCH", "/api/v1/me", Some(body));
    let me: Me = change(json!({ "name": "  Ada  Lovelace ", "language": "de" })).await.ok().json();
    assert_eq!((me.name.as_str(), me.language.as_deref()), ("Ada Lovelace", Some("de")));
    let me: Me = change(json!({ "language": "" })).await.ok().json();
    assert_eq!((me.name.as_str(), me.language), ("Ada Lovelace", None));
    for wrong in [json!({ "name": "" }), json!({ "name": "x".repeat(81) }), json!({ "language": "fr" })] {
        change(wrong).await.problem(422, "invalid");
    }
    change(json!({ "name": "x".repeat(20_000) })).await.problem(413, "too_large");
    app.call("GET", "/api/v1/me", None).await.ok();
    let site_only = super::site::Device { site: &site, tokens: app.tokens.clone() };
    for token in ["", "hwa_short", "nonsense", app.tokens.refresh_token.expose()] {
        let mut tokens = app.tokens.clone();
        tokens.access_token = hearthwatt_server_api::Secret::new(token);
        super::site::Device { site: site_only.site, tokens }
            .get("/api/v1/me")
            .await
            .problem(401, "unauthorized");
    }
}

#[tokio::test]
async fn a_deleted_account_is_gone_and_homes_with_other_owners_stay() {
    let site = Site::new().await;
    let mut browser = site.person("ada@home.example").await;
    let ada = browser.device(Uuid::new_v4()).await;
    let bob = site.member("bob@home.example").await;
    let (shared, own, visited) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
    for id in [shared, own] {
        ada.post("/api/v1/homes", json!({ "id": id, "name": "Elm Street" })).await.expect(201);
    }
    bob.post("/api/v1/homes", json!({ "id": visited, "name": "Oak Street" })).await.expect(201);
    super::homes::join(&ada, &bob, shared, "owner").await;
    super::homes::join(&bob, &ada, visited, "member").await;
    let document = site.app.store.clone();
    let change =
        hearthwatt_server::store::Change { hash: hearthwatt_server::store::Hash([7; 32]), bytes: vec![1] };
    document.append_changes(own, &[change]).await.unwrap();

    let delete = |body| ada.call("DELETE", "/api/v1/me", Some(body));
    delete(json!({ "email": "bob@home.example", "password": PASSWORD })).await.problem(422, "invalid");
    delete(json!({ "email": "ada@home.example", "password": "a wrong one" })).await.problem(422, "invalid");
    delete(json!({ "email": "ada@home.example" })).await.problem(422, "invalid");
    delete(json!({ "email": "Ada@home.example", "password": PASSWORD })).await.expect(204);

    ada.get("/api/v1/me").await.expect(401);
    browser.get("/account").await.expect(303);
    site.browser().sign_in("ada@home.example", PASSWORD).await.expect(401);
    let homes: Homes = bob.get("/api/v1/homes").await.ok().json();
    let mut left: Vec<Uuid> = homes.homes.iter().map(|h| h.id).collect();
    left.sort();
    let mut expected = [shared, visited];
    expected.sort();
    assert_eq!(left, expected);
    assert!(homes.homes.iter().all(|h| h.members == 1));
    assert!(document.load(own).await.unwrap().changes.is_empty());
    // the mailbox can have a new account
    site.person("ada@home.example").await;
    let devices: Devices = bob.get("/api/v1/me/devices").await.ok().json();
    assert_eq!(devices.devices.len(), 1);
}

#[tokio::test]
async fn registration_by_invitation_only() {
    let site = Site::with(Arc::new(Memory::default()), &["--registration", "invitation"]).await;
    let ada = site.member("ada@home.example").await;
    let mut bob = site.browser();
    bob.get("/account/register").await.expect(403);
    let home = Uuid::new_v4();
    ada.post("/api/v1/homes", json!({ "id": home, "name": "Elm Street" })).await.expect(201);
    let created =
        ada.post(&format!("/api/v1/homes/{home}/invitations"), json!({ "role": "member" })).await.expect(201);
    let created: hearthwatt_server_api::CreatedInvitation = created.json();
    let link = created.link.expose()[site.url().len()..].to_owned();
    let page = bob.get(&link).await.ok();
    assert!(page.text().contains(created.code.expose()));
    let register = format!("/account/register?invitation={}", created.code.expose());
    assert!(page.text().contains(&register), "{}", page.text());
    bob.submit(&register, "/account/register", &[("email", "bob@home.example")]).await.ok();
    assert!(site.letter("bob@home.example").await.is_some());
    bob.get("/join/7KQ2M-00000-00000-00000-00000-0").await.expect(410);
}
