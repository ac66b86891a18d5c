//! Signing an app in: what works, and each attack on it.

use super::site::{Authorization, MINUTE, SECOND, Site, oauth_error};
use hearthwatt_server::user;
use hearthwatt_server_api::oauth::{DeviceAuthorization, Metadata, OAuthErrorCode, TokenReply};
use hearthwatt_server_api::{Devices, Me, SyncTicket};
use uuid::Uuid;

#[tokio::test]
async fn an_app_signs_in_through_the_browser() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    let device = Uuid::new_v4();
    let app = ada.device(device).await;
    assert_eq!(
        (app.tokens.device_id, app.tokens.token_type.as_str(), app.tokens.expires_in),
        (device, "Bearer", 900)
    );
    let me: Me = app.get("/api/v1/me").await.ok().json();
    assert_eq!((me.email.as_str(), me.id, me.has_password), ("ada@home.example", app.account(), true));
    let devices: Devices = app.get("/api/v1/me/devices").await.ok().json();
    assert_eq!(devices.devices.len(), 1);
    assert_eq!((devices.devices[0].name.as_str(), devices.devices[0].current), ("Kitchen tablet", true));
}

#[tokio::test]
async fn metadata_names_what_is_there() {
    let site = Site::new().await;
    let metadata: Metadata = site.browser().get("/.well-known/oauth-authorization-server").await.ok().json();
    assert_eq!(metadata.issuer, site.url());
    assert_eq!(metadata.code_challenge_methods_supported, ["S256"]);
    assert!(metadata.authorization_response_iss_parameter_supported);
    for endpoint in
        [metadata.token_endpoint, metadata.revocation_endpoint, metadata.device_authorization_endpoint]
    {
        let answer = site.oauth(endpoint.strip_prefix(&site.url()).unwrap(), &[]).await;
        oauth_error(answer, OAuthErrorCode::InvalidClient);
    }
}

#[tokio::test]
async fn signing_in_comes_first_and_leads_back() {
    let site = Site::new().await;
    site.person("ada@home.example").await;
    let mut browser = site.browser();
    let begun = Authorization::new(Uuid::new_v4());
    let to = browser.get(&begun.address()).await.expect(303).location().to_owned();
    let page = browser.get(&to).await.expect(200);
    let fields = [("email", "ada@home.example"), ("password", super::site::PASSWORD)];
    let answer = browser.send_form(&page, "/account/sign-in", &fields).await.expect(303);
    assert_eq!(answer.location(), begun.address());
    let code = begun.allow(&mut browser).await;
    begun.exchange(&site, &code).await.expect(200);
}

#[tokio::test]
async fn no_is_told_to_the_app() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    let begun = Authorization::new(Uuid::new_v4());
    let answer = ada.submit(&begun.address(), "/oauth/authorize", &[("decision", "deny")]).await.expect(303);
    assert!(answer.location().starts_with(super::site::REDIRECT));
    assert_eq!(answer.parameter("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.parameter("state"), Some(begun.state));
    assert_eq!(answer.parameter("code"), None);
}

#[tokio::test]
async fn a_replayed_code_ends_what_it_gave() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    let begun = Authorization::new(Uuid::new_v4());
    let code = begun.allow(&mut ada).await;
    let tokens: TokenReply = begun.exchange(&site, &code).await.expect(200).json();
    let app = super::site::Device { site: &site, tokens };
    app.get("/api/v1/me").await.ok();
    oauth_error(begun.exchange(&site, &code).await, OAuthErrorCode::InvalidGrant);
    app.get("/api/v1/me").await.problem(401, "unauthorized");
    oauth_error(site.refresh(app.tokens.refresh_token.expose(), None).await, OAuthErrorCode::InvalidGrant);
}

#[tokio::test]
async fn two_exchanges_at_once_give_at_most_one_sign_in() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    for _ in 0..5 {
        let begun = Authorization::new(Uuid::new_v4());
        let code = begun.allow(&mut ada).await;
        let (a, b) = tokio::join!(begun.exchange(&site, &code), begun.exchange(&site, &code));
        assert!(u16::from(a.status.is_success()) + u16::from(b.status.is_success()) <= 1);
    }
}

#[tokio::test]
async fn a_code_needs_its_verifier_its_redirect_and_its_minute() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    let begun = Authorization::new(Uuid::new_v4());
    let code = begun.allow(&mut ada).await;
    let other = "x".repeat(64);
    for (redirect, verifier) in [
        (begun.redirect.as_str(), other.as_str()),
        (begun.redirect.as_str(), "short"),
        ("http://127.0.0.1:49153/callback", begun.verifier.as_str()),
        ("http://127.0.0.1:49152/callback/", begun.verifier.as_str()),
    ] {
        let answer = begun.exchange_with(&site, &code, redirect, verifier).await;
        oauth_error(answer, OAuthErrorCode::InvalidGrant);
    }
    begun.exchange(&site, &code).await.expect(200);
    let late = begun.allow(&mut ada).await;
    site.wait(MINUTE + SECOND);
    oauth_error(begun.exchange(&site, &late).await, OAuthErrorCode::InvalidGrant);
}

#[tokio::test]
async fn a_code_of_one_sign_in_is_no_good_in_another() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    let mut eve = site.person("eve@home.example").await;
    // Eve gives her code to Ada's app, which waits with a verifier of its own
    let (of_ada, of_eve) = (Authorization::new(Uuid::new_v4()), Authorization::new(Uuid::new_v4()));
    of_ada.allow(&mut ada).await;
    let code = of_eve.allow(&mut eve).await;
    oauth_error(of_ada.exchange(&site, &code).await, OAuthErrorCode::InvalidGrant);
}

#[tokio::test]
async fn a_mixed_up_redirect_is_never_followed() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    for redirect in [
        "https://evil.example/",
        "http://127.0.0.1.evil.example:80/",
        "http://localhost:1/",
        "http://127.0.0.1:1@evil.example/",
    ] {
        let begun = Authorization { redirect: redirect.into(), ..Authorization::new(Uuid::new_v4()) };
        let answer = ada.get(&begun.address()).await.expect(400);
        assert_eq!(answer.location(), "");
        assert!(!answer.text().contains("evil"), "{}", answer.text());
    }
    // the form's own fields are checked again
    let begun = Authorization::new(Uuid::new_v4());
    let fields = [("decision", "allow"), ("redirect_uri", "https://evil.example/")];
    assert_eq!(ada.submit(&begun.address(), "/oauth/authorize", &fields).await.expect(400).location(), "");
}

#[tokio::test]
async fn refresh_turns_and_a_reused_token_ends_the_family() {
    let site = Site::new().await;
    let app = site.member("ada@home.example").await;
    let first = app.tokens.refresh_token.expose().to_owned();
    let second: TokenReply = site.refresh(&first, None).await.expect(200).json();
    let third: TokenReply = site.refresh(second.refresh_token.expose(), None).await.expect(200).json();
    let newest = super::site::Device { site: &site, tokens: third };
    newest.get("/api/v1/me").await.ok();
    // somebody comes with a token from the past
    oauth_error(site.refresh(&first, None).await, OAuthErrorCode::InvalidGrant);
    newest.get("/api/v1/me").await.problem(401, "unauthorized");
    oauth_error(site.refresh(newest.tokens.refresh_token.expose(), None).await, OAuthErrorCode::InvalidGrant);
}

#[tokio::test]
async fn a_lost_answer_is_given_again_to_the_one_who_asked() {
    let site = Site::new().await;
    let app = site.member("ada@home.example").await;
    let first = app.tokens.refresh_token.expose();
    let lost: TokenReply = site.refresh(first, Some("mark")).await.expect(200).json();
    let again: TokenReply = site.refresh(first, Some("mark")).await.expect(200).json();
    // the answer that was lost is worth nothing any more
    assert_ne!(lost.refresh_token.expose(), again.refresh_token.expose());
    let next: TokenReply =
        site.refresh(again.refresh_token.expose(), Some("next mark")).await.expect(200).json();
    super::site::Device { site: &site, tokens: next }.get("/api/v1/me").await.ok();
    // once the next one was used, the old one is a stolen one
    oauth_error(site.refresh(first, Some("mark")).await, OAuthErrorCode::InvalidGrant);

    let thief = site.member("bob@home.example").await;
    let first = thief.tokens.refresh_token.expose();
    site.refresh(first, Some("mark")).await.expect(200);
    oauth_error(site.refresh(first, Some("guess")).await, OAuthErrorCode::InvalidGrant);
    thief.get("/api/v1/me").await.problem(401, "unauthorized");
}

#[tokio::test]
async fn an_answer_can_be_asked_for_again_for_ten_minutes_only() {
    let site = Site::new().await;
    let app = site.member("ada@home.example").await;
    let first = app.tokens.refresh_token.expose();
    site.refresh(first, Some("mark")).await.expect(200);
    site.wait(11 * MINUTE);
    oauth_error(site.refresh(first, Some("mark")).await, OAuthErrorCode::InvalidGrant);
}

#[tokio::test]
async fn two_refreshes_at_once_are_one_too_many() {
    let site = Site::new().await;
    let app = site.member("ada@home.example").await;
    let first = app.tokens.refresh_token.expose();
    let (a, b) = tokio::join!(site.refresh(first, None), site.refresh(first, None));
    assert!(u16::from(a.status.is_success()) + u16::from(b.status.is_success()) <= 1);
}

#[tokio::test]
async fn a_client_that_asks_twice_at_once_is_no_thief() {
    let site = Site::new().await;
    let app = site.member("ada@home.example").await;
    let first = app.tokens.refresh_token.expose();
    let (a, b) = tokio::join!(site.refresh(first, Some("mark")), site.refresh(first, Some("mark")));
    let answers: [TokenReply; 2] = [a.expect(200).json(), b.expect(200).json()];
    // both answers let in until they end; the sign-in stands
    for tokens in answers {
        super::site::Device { site: &site, tokens }.get("/api/v1/me").await.ok();
    }
}

#[tokio::test]
async fn access_tokens_end_after_a_quarter_of_an_hour_and_refresh_goes_on() {
    let site = Site::new().await;
    let app = site.member("ada@home.example").await;
    site.wait(15 * MINUTE);
    app.get("/api/v1/me").await.problem(401, "unauthorized");
    let tokens: TokenReply = site.refresh(app.tokens.refresh_token.expose(), None).await.expect(200).json();
    super::site::Device { site: &site, tokens }.get("/api/v1/me").await.ok();
}

#[tokio::test]
async fn revocation_signs_the_device_out() {
    let site = Site::new().await;
    let app = site.member("ada@home.example").await;
    let revoke = |token: &str| {
        let fields = [("client_id", "hearthwatt-app".to_owned()), ("token", token.to_owned())];
        let site = &site;
        async move { site.oauth("/oauth/revoke", &[("client_id", &fields[0].1), ("token", &fields[1].1)]).await }
    };
    revoke("hwr_nobody").await.expect(200);
    revoke(app.tokens.refresh_token.expose()).await.expect(200);
    app.get("/api/v1/me").await.problem(401, "unauthorized");
    oauth_error(site.refresh(app.tokens.refresh_token.expose(), None).await, OAuthErrorCode::InvalidGrant);
}

#[tokio::test]
async fn a_removed_devices_tokens_end_at_once() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    let (phone, tablet) = (ada.device(Uuid::new_v4()).await, ada.device(Uuid::new_v4()).await);
    let ticket: SyncTicket = tablet.post("/api/v1/sync/ticket", serde_json::json!({})).await.ok().json();
    let caller = user::authenticate(&site.app, tablet.tokens.access_token.expose()).await.unwrap().unwrap();
    assert!(user::is_signed_in(&site.app, &caller).await.unwrap());
    let versions = site.app.store.versions(&[caller.device]).await.unwrap();
    phone.delete(&format!("/api/v1/me/devices/{}", tablet.tokens.device_id)).await.expect(204);
    tablet.get("/api/v1/me").await.problem(401, "unauthorized");
    oauth_error(site.refresh(tablet.tokens.refresh_token.expose(), None).await, OAuthErrorCode::InvalidGrant);
    assert_eq!(user::redeem_ticket(&site.app, ticket.ticket.expose()).await.unwrap(), None);
    assert!(!user::is_signed_in(&site.app, &caller).await.unwrap());
    // open connections are told
    assert_ne!(versions, site.app.store.versions(&[caller.device]).await.unwrap());
    phone.get("/api/v1/me").await.ok();
    phone.delete(&format!("/api/v1/me/devices/{}", Uuid::new_v4())).await.problem(404, "not_found");
    // the same device, signed in anew, is another sign-in
    let again = ada.device(tablet.tokens.device_id).await;
    again.get("/api/v1/me").await.ok();
    assert!(!user::is_signed_in(&site.app, &caller).await.unwrap());
}

#[tokio::test]
async fn a_ticket_lets_one_connection_in() {
    let site = Site::new().await;
    let app = site.member("ada@home.example").await;
    let ask = async || app.post("/api/v1/sync/ticket", serde_json::json!({})).await.ok().json::<SyncTicket>();
    let ticket = ask().await;
    let redeem = |t: SyncTicket| {
        let app = &site.app;
        async move { user::redeem_ticket(app, t.ticket.expose()).await.unwrap() }
    };
    assert_eq!(redeem(ticket.clone()).await.unwrap().device, app.tokens.device_id);
    assert_eq!(redeem(ticket).await, None);
    let (late, twice) = (ask().await, ask().await);
    let (a, b) = tokio::join!(redeem(twice.clone()), redeem(twice));
    assert!(a.is_some() != b.is_some());
    site.wait(61 * SECOND);
    assert_eq!(redeem(late).await, None);
}

#[tokio::test]
async fn a_device_without_a_browser_signs_in_by_code() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    let device = Uuid::new_v4().to_string();
    let fields = [("client_id", "hearthwatt-app"), ("device_id", &device), ("device_name", "Cellar hub")];
    let begun: DeviceAuthorization =
        site.oauth("/oauth/device_authorization", &fields).await.expect(200).json();
    assert!(begun.verification_uri_complete.starts_with(&format!("{}/device?user_code=", site.url())));
    let poll = || {
        let code = begun.device_code.expose().to_owned();
        let site = &site;
        async move {
            let grant = "urn:ietf:params:oauth:grant-type:device_code";
            site.oauth(
                "/oauth/token",
                &[("grant_type", grant), ("client_id", "hearthwatt-app"), ("device_code", &code)],
            )
            .await
        }
    };
    oauth_error(poll().await, OAuthErrorCode::AuthorizationPending);
    oauth_error(poll().await, OAuthErrorCode::SlowDown);
    // typed in any case, by a person who is signed in; then the device is named before it is let in
    let typed = begun.user_code.to_lowercase();
    let shown = ada.submit("/device", "/device", &[("user_code", &typed)]).await.ok();
    assert!(
        shown.text().contains("Cellar hub") && shown.text().contains(&begun.user_code),
        "{}",
        shown.text()
    );
    ada.send_form(&shown, "/device", &[("decision", "allow")]).await.ok();
    site.wait(11 * SECOND);
    let tokens: TokenReply = poll().await.expect(200).json();
    let hub = super::site::Device { site: &site, tokens };
    hub.get("/api/v1/me").await.ok();
    // the code again: somebody has copied it
    site.wait(11 * SECOND);
    oauth_error(poll().await, OAuthErrorCode::InvalidGrant);
    hub.get("/api/v1/me").await.problem(401, "unauthorized");
}

#[tokio::test]
async fn device_codes_are_refused_end_and_can_not_be_guessed() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    let device = Uuid::new_v4().to_string();
    let fields = [("client_id", "hearthwatt-app"), ("device_id", &device), ("device_name", "Cellar hub")];
    let begun: DeviceAuthorization =
        site.oauth("/oauth/device_authorization", &fields).await.expect(200).json();
    let poll = |code: String| {
        let site = &site;
        async move {
            let grant = "urn:ietf:params:oauth:grant-type:device_code";
            site.oauth(
                "/oauth/token",
                &[("grant_type", grant), ("client_id", "hearthwatt-app"), ("device_code", &code)],
            )
            .await
        }
    };
    let shown = ada.submit("/device", "/device", &[("user_code", &begun.user_code)]).await.ok();
    ada.send_form(&shown, "/device", &[("decision", "deny")]).await.ok();
    oauth_error(poll(begun.device_code.expose().into()).await, OAuthErrorCode::AccessDenied);
    let old: DeviceAuthorization =
        site.oauth("/oauth/device_authorization", &fields).await.expect(200).json();
    site.wait(16 * MINUTE);
    oauth_error(poll(old.device_code.expose().into()).await, OAuthErrorCode::ExpiredToken);
    ada.submit("/device", "/device", &[("user_code", &old.user_code)]).await.expect(422);
    let mut last = 0;
    for _ in 0..8 {
        last = ada.submit("/device", "/device", &[("user_code", "BBBB-BBBB")]).await.status.as_u16();
    }
    assert_eq!(last, 429, "guesses are bounded");
    // not signed in: first that
    let answer = site.browser().get("/device?user_code=wdjb-mjht").await.expect(303);
    assert_eq!(answer.parameter("next").as_deref(), Some("/device?user_code=WDJB-MJHT"));
}
