//! Sign-in by a provider. The provider here says what the test wants, also what none should.

use super::site::{Browser, PASSWORD, SECOND, Site};
use axum::extract::{Form, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hearthwatt_server::store::memory::Memory;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;

/// What the provider says next.
struct Says {
    claims: Value,
    /// Takes the place of the nonce that was asked for.
    nonce: Option<String>,
    challenge: String,
}

struct Provider {
    issuer: String,
    key: Mutex<Arc<EcdsaKeyPair>>,
    says: Mutex<Says>,
}

type Shared = State<Arc<Provider>>;

fn new_key() -> Arc<EcdsaKeyPair> {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    Arc::new(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap())
}

async fn metadata(State(p): Shared) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", p.issuer);
    Json(json!({
        "issuer": p.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"), "jwks_uri": at("/keys"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"]
    }))
}

async fn keys(State(p): Shared) -> Json<Value> {
    let key = p.key.lock().unwrap().clone();
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    Json(
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": &x[..8], "x": x, "y": y }] }),
    )
}

async fn token(State(p): Shared, Form(form): Form<HashMap<String, String>>) -> Json<Value> {
    let says = p.says.lock().unwrap();
    let verified = URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"])) == says.challenge;
    assert!(verified, "the verifier belongs to the challenge");
    let key = p.key.lock().unwrap().clone();
    let kid = URL_SAFE_NO_PAD.encode(&key.public_key().as_ref()[1..33])[..8].to_owned();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut claims = says.claims.clone();
    claims["nonce"] = json!(says.nonce);
    let signed = format!("{}.{}", part(&json!({ "alg": "ES256", "kid": kid })), part(&claims));
    let signature = key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    let id_token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    Json(
        json!({ "access_token": "of the provider", "token_type": "Bearer", "expires_in": 60, "id_token": id_token }),
    )
}

impl Provider {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let says = Says { claims: json!({}), nonce: None, challenge: String::new() };
        let provider = Arc::new(Self { issuer, key: Mutex::new(new_key()), says: Mutex::new(says) });
        provider.person("ada-at-login", Some("ada@home.example"), true);
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    /// Who signs in there from now on.
    #[allow(clippy::disallowed_methods)] // another program's clock
    fn person(&self, subject: &str, email: Option<&str>, verified: bool) {
        // the provider's clock is a real one
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.says.lock().unwrap().claims = json!({
            "iss": self.issuer, "aud": "hearthwatt", "sub": subject, "iat": now, "exp": now + 300,
            "email": email, "email_verified": verified, "name": "Ada L."
        });
    }

    fn claim(&self, name: &str, value: Value) {
        self.says.lock().unwrap().claims[name] = value;
    }

    async fn site(&self) -> Site {
        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(secret.path(), "secret\n").unwrap();
        let arguments = [
            "--oidc-issuer",
            &self.issuer,
            "--oidc-client-id",
            "hearthwatt",
            "--oidc-name",
            "Login",
            "--oidc-client-secret-file",
            secret.path().to_str().unwrap(),
        ];
        Site::with(Arc::new(Memory::default()), &arguments).await
    }

    /// The way to the provider; what comes back to the server.
    async fn begin(&self, browser: &mut Browser<'_>, start: &str) -> (String, String) {
        let answer = browser.get(start).await.expect(303);
        assert!(
            answer.location().starts_with(&format!("{}/authorize?", self.issuer)),
            "{}",
            answer.location()
        );
        let parameter = |name| answer.parameter(name).unwrap();
        assert_eq!(parameter("redirect_uri"), format!("{}/oidc/login/callback", browser.site.url()));
        assert_eq!(
            (parameter("code_challenge_method"), parameter("response_type")),
            ("S256".into(), "code".into())
        );
        let mut says = self.says.lock().unwrap();
        says.nonce = Some(parameter("nonce"));
        says.challenge = parameter("code_challenge");
        (parameter("state"), parameter("nonce"))
    }

    async fn sign_in(&self, browser: &mut Browser<'_>, start: &str) -> super::site::Answer {
        let (state, _) = self.begin(browser, start).await;
        browser.get(&format!("/oidc/login/callback?code=x&state={state}")).await
    }
}

#[tokio::test]
async fn somebody_new_gets_an_account_and_is_known_again() {
    let provider = Provider::start().await;
    let site = provider.site().await;
    let mut ada = site.browser();
    assert!(ada.get("/account/sign-in").await.ok().text().contains("Continue with Login"));
    let answer = provider.sign_in(&mut ada, "/oidc/login/start?next=/device").await.expect(303);
    assert_eq!(answer.location(), "/device");
    let first = ada.device(uuid::Uuid::new_v4()).await;
    let me: hearthwatt_server_api::Me = first.get("/api/v1/me").await.ok().json();
    assert_eq!((me.name.as_str(), me.email.as_str(), me.has_password), ("Ada L.", "ada@home.example", false));
    assert_eq!(me.providers, ["Login"]);
    // known by subject: the address may change
    provider.person("ada-at-login", Some("other@home.example"), true);
    let mut again = site.browser();
    provider.sign_in(&mut again, "/oidc/login/start").await.expect(303);
    assert_eq!(again.device(uuid::Uuid::new_v4()).await.account(), first.account());
    // and nobody signs in with a password that isn't there
    site.browser().sign_in("ada@home.example", "").await.expect(401);
}

#[tokio::test]
async fn an_address_alone_opens_no_account() {
    let provider = Provider::start().await;
    let site = provider.site().await;
    let mut ada = site.person("ada@home.example").await;
    for verified in [true, false] {
        provider.person("eve-at-login", Some("ada@home.example"), verified);
        let mut eve = site.browser();
        let answer = provider.sign_in(&mut eve, "/oidc/login/start").await.expect(303);
        if verified {
            // the address is told apart: its owner may link the two
            assert!(answer.location().starts_with("/account/sign-in?"), "{}", answer.location());
            assert!(eve.get(answer.location()).await.ok().text().contains("Sign in to it first"));
            eve.get("/account").await.expect(303);
        } else {
            // an address that wasn't verified counts for nothing: an account without one
            let eve = eve.device(uuid::Uuid::new_v4()).await;
            assert_eq!(eve.get("/api/v1/me").await.ok().json::<hearthwatt_server_api::Me>().email, "");
        }
    }
    // Ada herself links the provider, on purpose
    provider.person("ada-at-login", Some("ada@home.example"), true);
    let answer = provider.sign_in(&mut ada, "/oidc/login/start?link=yes").await.expect(303);
    assert_eq!(answer.location(), "/account?done=linked&provider=login");
    let account = ada.device(uuid::Uuid::new_v4()).await.account();
    let mut elsewhere = site.browser();
    provider.sign_in(&mut elsewhere, "/oidc/login/start").await.expect(303);
    assert_eq!(elsewhere.device(uuid::Uuid::new_v4()).await.account(), account);
    // who is linked belongs to one account
    let mut bob = site.person("bob@home.example").await;
    let answer = provider.sign_in(&mut bob, "/oidc/login/start?link=yes").await.expect(303);
    assert_eq!(answer.location(), "/account?done=taken");
}

#[tokio::test]
async fn a_flow_is_for_one_browser_one_use_and_ten_minutes() {
    let provider = Provider::start().await;
    let site = provider.site().await;
    let (mut ada, mut eve) = (site.browser(), site.browser());
    let back = |state: &str| format!("/oidc/login/callback?code=x&state={state}");
    // Eve's flow, finished in Ada's browser, would sign Ada in as Eve
    let (state, _) = provider.begin(&mut eve, "/oidc/login/start").await;
    ada.get("/account/sign-in").await.ok();
    ada.get(&back(&state)).await.expect(400);
    ada.get("/account").await.expect(303);
    eve.get(&back(&state)).await.expect(303);
    eve.get(&back(&state)).await.expect(400);
    let (state, _) = provider.begin(&mut ada, "/oidc/login/start").await;
    site.wait(601 * SECOND);
    ada.get(&back(&state)).await.expect(400);
    for state in ["", "guess", &"x".repeat(43)] {
        ada.get(&back(state)).await.expect(400);
    }
    // another server's answer, brought here
    let (state, _) = provider.begin(&mut ada, "/oidc/login/start").await;
    ada.get(&format!("{}&iss=https://evil.example", back(&state))).await.expect(400);
    ada.get("/oidc/other/start").await.expect(404);
    ada.get("/account").await.expect(303);
}

#[tokio::test]
async fn what_a_provider_may_not_say() {
    let provider = Provider::start().await;
    let site = provider.site().await;
    for (name, value) in [
        ("aud", json!("somebody else")),
        ("iss", json!("https://evil.example")),
        ("exp", json!(1)),
        ("sub", json!(null)),
    ] {
        provider.person("ada-at-login", Some("ada@home.example"), true);
        provider.claim(name, value);
        let mut browser = site.browser();
        provider.sign_in(&mut browser, "/oidc/login/start").await.expect(400);
        browser.get("/account").await.expect(303);
    }
    // an ID token of another flow
    provider.person("ada-at-login", Some("ada@home.example"), true);
    let mut browser = site.browser();
    let (state, _) = provider.begin(&mut browser, "/oidc/login/start").await;
    provider.says.lock().unwrap().nonce = Some("of another flow".into());
    browser.get(&format!("/oidc/login/callback?code=x&state={state}")).await.expect(400);
    // keys change now and then
    provider.sign_in(&mut site.browser(), "/oidc/login/start").await.expect(303);
    *provider.key.lock().unwrap() = new_key();
    provider.sign_in(&mut site.browser(), "/oidc/login/start").await.expect(303);
}

#[tokio::test]
async fn a_provider_that_is_away_is_said_in_words() {
    let arguments = ["--oidc-issuer", "http://127.0.0.1:1", "--oidc-client-id", "x", "--oidc-name", "Login"];
    let site = Site::with(Arc::new(Memory::default()), &arguments).await;
    let answer = site.browser().get("/oidc/login/start").await.expect(502);
    assert!(answer.text().contains("Login") && answer.text().contains("reached"), "{}", answer.text());
    // passwords go on
    site.person("ada@home.example").await;
    site.browser().sign_in("ada@home.example", PASSWORD).await.expect(303);
}
