//! Attacks on the pages: fixation, forged forms, open redirects, asking who has an account, guessing.

use super::site::{Answer, Browser, MINUTE, PASSWORD, SECOND, Site, hidden};
use axum::http::header;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A page without what is random in it.
fn plain(answer: &Answer) -> (u16, String) {
    let text = answer.text();
    let mut parts = text.split("name=\"csrf\" value=\"");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('"').unwrap().1);
    }
    (answer.status.as_u16(), plain)
}

#[tokio::test]
async fn a_sign_in_gives_the_browser_a_new_name() {
    let site = Site::new().await;
    site.person("ada@home.example").await;
    // Eve knows the name of Ada's browser, because she has planted it
    let mut eve = site.browser();
    eve.get("/account/sign-in").await.ok();
    let mut ada = Browser { cookies: eve.cookies.clone(), ..site.browser() };
    ada.sign_in("ada@home.example", PASSWORD).await.expect(303);
    assert_ne!(ada.cookies["hw_session"], eve.cookies["hw_session"]);
    ada.get("/account").await.expect(200);
    assert!(eve.get("/account").await.expect(303).location().starts_with("/account/sign-in"));
    // a name that the server never gave is none
    let mut mallory = site.browser();
    mallory.cookies.insert("hw_session".into(), "chosen".into());
    mallory.sign_in("ada@home.example", PASSWORD).await.expect(303);
    assert_ne!(mallory.cookies["hw_session"], "chosen");
    // signing out ends it on the server too
    let before = ada.clone();
    ada.submit("/account", "/account/sign-out", &[]).await.expect(303);
    for mut browser in [ada, before] {
        browser.get("/account").await.expect(303);
    }
}

#[tokio::test]
async fn forged_forms_are_refused() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    let app = ada.device(Uuid::new_v4()).await;
    let device = app.tokens.device_id.to_string();
    let mut eve = site.browser();
    let of_eve = hidden(&eve.get("/account/sign-in").await.text(), "/account/sign-in");
    let (_, csrf) = of_eve.iter().find(|(n, _)| n == "csrf").unwrap();
    let forms: &[(&str, &[(&str, &str)])] = &[
        ("/account/sign-in", &[("email", "ada@home.example"), ("password", PASSWORD)]),
        ("/account/sign-out", &[]),
        ("/account/devices", &[("device", &device)]),
        ("/account/password", &[("current", PASSWORD), ("password", "another long password")]),
        ("/account/register", &[("email", "bob@home.example")]),
        ("/account/forgot", &[("email", "ada@home.example")]),
        ("/account/verify", &[("token", "hwm_x"), ("name", "x"), ("password", PASSWORD)]),
        ("/account/reset", &[("token", "hwm_x"), ("password", PASSWORD)]),
        ("/oauth/authorize", &[("decision", "allow")]),
        ("/device", &[("user_code", "WDJB-MJHT"), ("decision", "allow")]),
        ("/", &[("name", "x"), ("email", "x@home.example"), ("password", PASSWORD)]),
    ];
    for (path, fields) in forms {
        ada.post(path, fields).await.expect(403);
        let with_eves = [*fields, &[("csrf", csrf.as_str())]].concat();
        ada.post(path, &with_eves).await.expect(403);
    }
    // Ada's own token, but sent by a page of somebody else
    let shown = ada.get("/account").await.ok();
    for (name, value) in
        [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
    {
        ada.headers = vec![(name, value.to_owned())];
        ada.send_form(&shown, "/account/devices", &[("device", &device)]).await.expect(403);
    }
    app.get("/api/v1/me").await.ok();
    ada.headers = vec![("origin", site.url()), ("sec-fetch-site", "same-origin".into())];
    ada.send_form(&shown, "/account/devices", &[("device", &device)]).await.expect(303);
    app.get("/api/v1/me").await.expect(401);
}

#[tokio::test]
async fn nothing_leads_away_from_the_server() {
    let site = Site::new().await;
    site.person("ada@home.example").await;
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/account/..//evil.example",
        "javascript:alert(1)",
        "/%2f/evil.example",
    ] {
        let mut browser = site.browser();
        let path = format!("/account/sign-in?{}", super::site::form(&[("next", next)]));
        let fields = [("email", "ada@home.example"), ("password", PASSWORD)];
        let answer = browser.submit(&path, "/account/sign-in", &fields).await.expect(303);
        assert_eq!(answer.location(), "/account", "{next}");
        // also when the form's field was changed
        let fields = [fields[0], fields[1], ("next", next)];
        let mut browser = site.browser();
        let answer = browser.submit("/account/sign-in", "/account/sign-in", &fields).await.expect(303);
        assert_eq!(answer.location(), "/account", "{next}");
        assert_eq!(browser.get(&path).await.expect(303).location(), "/account");
        let answer = browser.submit("/account", "/account/sign-out", &[("next", next)]).await.expect(303);
        assert_eq!(answer.location(), "/account/sign-in", "{next}");
    }
}

#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let site = Site::new().await;
    site.person("ada@home.example").await;
    let mut browser = site.browser();
    for (page, fields) in [
        ("/account/sign-in", &[("password", "a wrong password")][..]),
        ("/account/forgot", &[]),
        ("/account/register", &[]),
    ] {
        let mut answers = Vec::new();
        for email in ["ada@home.example", "bob@home.example"] {
            let fields = [fields, &[("email", email)]].concat();
            let answer = browser.submit(page, page, &fields).await;
            let (status, text) = plain(&answer);
            answers.push((status, text.replace(email, "EMAIL")));
            site.letters().await;
            assert_eq!(answer.headers.get_all(header::SET_COOKIE).iter().count(), 0);
        }
        assert_eq!(answers[0], answers[1], "{page}");
    }
    // what differs is read by the mailbox's owner alone
    let to_ada = site.letter("ada@home.example").await.unwrap();
    assert!(to_ada.contains("you have one already"), "{to_ada}");
}

#[tokio::test]
async fn the_time_of_a_refused_sign_in_tells_nothing() {
    let site = Site::new().await;
    site.person("ada@home.example").await;
    // in turns, so that whatever else the machine does slows both down; the best of each counts
    let mut best = [("ada@home.example", Duration::MAX), ("bob@home.example", Duration::MAX)];
    for _ in 0..8 {
        for (email, best) in &mut best {
            let mut browser = site.browser();
            let page = browser.get("/account/sign-in").await;
            let fields = [("email", *email), ("password", "a wrong password")];
            let start = Instant::now();
            browser.send_form(&page, "/account/sign-in", &fields).await.expect(401);
            *best = start.elapsed().min(*best);
        }
    }
    let [known, unknown] = best.map(|(_, time)| time.as_secs_f64());
    // one hash each; without it an unknown address would be answered a hundred times faster
    assert!(known / unknown < 3.0 && unknown / known < 3.0, "{known} s, {unknown} s");
}

#[tokio::test]
async fn guessing_becomes_slow_and_the_owner_is_not_locked_out() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    let mut eve = site.browser();
    eve.headers = vec![];
    let mut refused = None;
    let mut tried = 0;
    while refused.is_none() {
        let answer = eve.sign_in("ada@home.example", &format!("a wrong password {tried}")).await;
        match answer.status.as_u16() {
            401 => tried += 1,
            429 => refused = answer.retry_after(),
            other => panic!("{other}"),
        }
        assert!(tried < 20, "guesses are bounded");
    }
    assert!(refused.unwrap() >= 1);
    // the right password is no better while the wait lasts: else the wait would tell
    eve.sign_in("ada@home.example", PASSWORD).await.expect(429);
    // for an account that isn't there it is the same
    let mut other = 0;
    while eve.sign_in("nobody@home.example", "a wrong password").await.status.as_u16() == 401 {
        other += 1;
    }
    assert_eq!(tried, other);
    // Ada's own browser has a count of its own
    ada.submit("/account", "/account/sign-out", &[]).await.expect(303);
    ada.sign_in("ada@home.example", PASSWORD).await.expect(303);
    // from anywhere else the wait ends, however often was guessed
    let mut longest = 0;
    for n in 0..30 {
        let answer = eve.sign_in("ada@home.example", &format!("another wrong password {n}")).await;
        let wait = answer.retry_after().unwrap_or(0);
        longest = longest.max(wait);
        site.wait(wait as i64 * SECOND);
    }
    assert!(longest <= 15 * 60, "{longest}");
    site.wait(15 * MINUTE);
    site.browser().sign_in("ada@home.example", PASSWORD).await.expect(303);
}

#[tokio::test]
async fn a_burst_of_guesses_is_not_free() {
    let site = Site::new().await;
    site.person("ada@home.example").await;
    let guesses = (0..24).map(|n| {
        let site = &site;
        async move {
            site.browser().sign_in("ada@home.example", &format!("guess number {n}")).await.status.as_u16()
        }
    });
    let answers = futures_util::future::join_all(guesses).await;
    assert!(answers.iter().filter(|s| **s == 401).count() <= 9, "{answers:?}");
}

#[tokio::test]
async fn mailboxes_are_not_flooded() {
    let site = Site::new().await;
    site.person("ada@home.example").await;
    let before = site.letters().await;
    let mut last = 0;
    for _ in 0..14 {
        let mut browser = site.browser();
        let answer =
            browser.submit("/account/forgot", "/account/forgot", &[("email", "ada@home.example")]).await;
        last = answer.status.as_u16();
    }
    assert_eq!(last, 429, "nor does one address send for ever");
    let sent = site.letters().await - before;
    assert!((1..=4).contains(&sent), "{sent}");
}

#[tokio::test]
async fn pages_allow_no_script_and_no_frame_and_are_stored_nowhere() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    for path in [
        "/",
        "/account",
        "/account/sign-in?link=x",
        "/account/register",
        "/account/forgot",
        "/device",
        "/account/reset?token=x",
    ] {
        let answer = ada.get(path).await;
        let header = |name: &str| answer.headers.get(name).map_or("", |v| v.to_str().unwrap());
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert!(!answer.text().contains("<script") && !answer.text().contains("style="), "{path}");
    }
    // the page that leads back to an app names that app's address alone
    let begun = super::site::Authorization::new(Uuid::new_v4());
    let answer = ada.get(&begun.address()).await.ok();
    let policy = answer.headers["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.ends_with("form-action 'self' http://127.0.0.1:49152"), "{policy}");
}

#[tokio::test]
async fn cookies_are_for_this_server_and_no_script() {
    let plain = Site::new().await;
    let tls = ["--public-url", "https://home.example", "--registration", "open"];
    let tls =
        Site::with(std::sync::Arc::new(hearthwatt_server::store::memory::Memory::default()), &tls).await;
    for (site, name, secure) in [(&plain, "hw_session=", false), (&tls, "__Host-hw_session=", true)] {
        let answer = site.browser().get("/account/sign-in").await.ok();
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(
            cookie.starts_with(name)
                && cookie.contains("; HttpOnly; SameSite=Lax")
                && cookie.contains("; Path=/;"),
            "{cookie}"
        );
        assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
    }
}

#[tokio::test]
async fn what_people_type_is_shown_as_text() {
    let site = Site::new().await;
    let mut ada = site.person("ada@home.example").await;
    let evil = "<img src=x onerror=alert(1)>\"'";
    let answer = ada.submit("/device", "/device", &[("user_code", evil)]).await.expect(422);
    assert!(!answer.text().contains("<img"), "{}", answer.text());
    let mut begun = super::site::Authorization::new(Uuid::new_v4());
    begun.state = "<b>\"x".into();
    let address = begun
        .address()
        .replace("Kitchen+tablet", &form_urlencoded::byte_serialize(evil.as_bytes()).collect::<String>());
    let shown = ada.get(&address).await.ok();
    assert!(!shown.text().contains("<img") && !shown.text().contains("<b>"), "{}", shown.text());
    let answer = ada.send_form(&shown, "/oauth/authorize", &[("decision", "allow")]).await.expect(303);
    assert_eq!(answer.parameter("state"), Some(begun.state));
}
