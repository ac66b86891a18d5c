//! The routes as a browser or a program meets them, without a socket.

use crate::access::Access;
use crate::page::Page;
use crate::router::{Hub, STREAMS, router};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use axum::response::Response;
use futures_util::StreamExt;
use hearthwatt_api::{ApiError, ErrorCode};
use hearthwatt_shell::{Claim, Discovery, Shell, ShellOptions};
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tower::ServiceExt;

const LOCAL: &str = "127.0.0.1:8787";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A hub on a folder that goes away.
struct Fixture {
    app: Router,
    hub: Hub,
    stopping: watch::Sender<bool>,
    folder: TempDir,
}

impl Fixture {
    /// A hub whose home can't be opened: enough for all that is decided before a home is asked.
    /// `listen` away from loopback means: with [`TOKEN`].
    fn new(listen: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("data"), "a file, not a folder").unwrap();
        Self::over(folder, listen)
    }

    /// A hub with a home.
    fn with_home() -> Self {
        Self::over(tempfile::tempdir().unwrap(), LOCAL)
    }

    fn over(folder: TempDir, listen: &str) -> Self {
        let claim = Claim::new(Some(folder.path().join("data")));
        let shell = Shell::start(claim, ShellOptions { demo: false, discovery: Discovery::Off });
        let stopping = watch::Sender::new(false);
        let ui = folder.path().join("ui");
        std::fs::create_dir(&ui).unwrap();
        let hub = Hub::new(shell, Page::new(Some(ui)), stopping.subscribe());
        let listen: std::net::SocketAddr = listen.parse().unwrap();
        let token = (!listen.ip().is_loopback()).then(|| TOKEN.to_owned());
        let app = router(hub.clone(), Access::new(listen, token));
        Self { app, hub, stopping, folder }
    }

    fn file(&self, name: &str, content: &[u8]) {
        std::fs::write(self.ui().join(name), content).unwrap();
    }

    fn ui(&self) -> std::path::PathBuf {
        self.folder.path().join("ui")
    }

    async fn send(&self, request: Request<Body>) -> Response {
        self.app.clone().oneshot(request).await.unwrap()
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        self.send(request(Method::GET, path, headers, "")).await
    }

    /// The status of `health` asked with these headers.
    async fn health(&self, headers: &[(&str, &str)]) -> StatusCode {
        let mut all = vec![("content-type", "application/json")];
        all.extend(headers);
        self.send(request(Method::POST, "/api/v1/health", &all, "{}")).await.status()
    }
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

async fn text(response: Response) -> String {
    String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
}

async fn api_error(response: Response) -> ApiError {
    serde_json::from_str(&text(response).await).unwrap()
}

#[tokio::test]
async fn on_loopback_only_this_computer_by_its_own_name_gets_in() {
    let hub = Fixture::new(LOCAL);
    let allowed: &[&[(&str, &str)]] = &[
        &[("host", "127.0.0.1:8787")],
        &[("host", "localhost:8787")],
        &[("host", "[::1]:8787")],
        &[("host", "localhost:8787"), ("origin", "http://localhost:8787"), ("sec-fetch-site", "same-origin")],
    ];
    for headers in allowed {
        assert_eq!(hub.health(headers).await, StatusCode::OK, "{headers:?}");
    }
    let refused: &[&[(&str, &str)]] = &[
        &[],
        &[("host", "evil.example")],
        &[("host", "evil.example:8787")],
        &[("host", "127.0.0.1.evil.example:8787")],
        &[("host", "localhost:80")],
        &[("host", "192.168.1.4:8787")],
        &[("host", "localhost:8787"), ("origin", "https://evil.example")],
        &[("host", "localhost:8787"), ("origin", "http://localhost:3000")],
        &[("host", "localhost:8787"), ("origin", "null")],
        &[("host", "localhost:8787"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
    ];
    for headers in refused {
        assert_eq!(hub.health(headers).await, StatusCode::FORBIDDEN, "{headers:?}");
    }
    // a link on another site may lead here
    let link = [("host", LOCAL), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    hub.file("index.html", b"page");
    assert_eq!(hub.get("/", &link).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn away_from_loopback_every_call_needs_the_token() {
    let hub = Fixture::new("192.0.2.7:8787");
    hub.file("index.html", b"page");
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(hub.health(&[("authorization", &bearer)]).await, StatusCode::OK);
    for wrong in [
        "Bearer ",
        "Bearer 0123",
        &bearer[..bearer.len() - 1],
        &format!("{bearer}0"),
        &bearer.to_uppercase(),
        TOKEN,
    ] {
        assert_eq!(hub.health(&[("authorization", wrong)]).await, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    let refused = hub.send(request(Method::POST, "/api/v1/health", &[], "{}")).await;
    assert_eq!(refused.headers()[header::WWW_AUTHENTICATE], "Bearer");
    assert_eq!(api_error(refused).await.code, ErrorCode::Unauthorized);

    // in the query for the event stream alone
    let query = format!("/api/v1/events?token={TOKEN}");
    assert_eq!(hub.get(&query, &[]).await.status(), StatusCode::OK);
    assert_eq!(hub.get("/api/v1/events?token=0123", &[]).await.status(), StatusCode::UNAUTHORIZED);
    let call = request(Method::POST, &format!("/api/v1/health?token={TOKEN}"), &[], "{}");
    assert_eq!(hub.send(call).await.status(), StatusCode::UNAUTHORIZED);

    // the page has to load to hand the token over
    assert_eq!(hub.get("/", &[]).await.status(), StatusCode::OK);
    assert_eq!(hub.get("/healthz", &[]).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn without_a_token_nobody_gets_in_from_outside() {
    let fixture = Fixture::new(LOCAL);
    let app = router(fixture.hub.clone(), Access::new("0.0.0.0:8787".parse().unwrap(), None));
    for headers in [&[][..], &[("authorization", "Bearer ")], &[("host", "127.0.0.1:8787")]] {
        let call = request(Method::POST, "/api/v1/health", headers, "{}");
        assert_eq!(app.clone().oneshot(call).await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn calls_are_bounded_and_say_what_is_wrong() {
    let hub = Fixture::with_home();
    let json = [("host", LOCAL), ("content-type", "application/json")];
    let cases = [
        ("/api/v1/no_such_call", "{}", StatusCode::BAD_REQUEST),
        ("/api/v1/health", "{", StatusCode::BAD_REQUEST),
        ("/api/v1/health", r#"{"more": 1}"#, StatusCode::BAD_REQUEST),
        ("/api/v2/health", "{}", StatusCode::NOT_FOUND),
    ];
    for (path, body, status) in cases {
        let response = hub.send(request(Method::POST, path, &json, body)).await;
        assert_eq!(response.status(), status, "{path} {body}");
        assert_eq!(api_error(response).await.code, ErrorCode::BadRequest, "{path} {body}");
    }
    let large = format!("{{\"more\": \"{}\"}}", "x".repeat(1024 * 1024));
    let response = hub.send(request(Method::POST, "/api/v1/health", &json, &large)).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let form = [("host", LOCAL), ("content-type", "text/plain")];
    let response = hub.send(request(Method::POST, "/api/v1/health", &form, "{}")).await;
    assert_eq!(response.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);

    let places = hub.hub.calls.clone();
    let _all = places.try_acquire_many(u32::try_from(places.available_permits()).unwrap()).unwrap();
    let response = hub.send(request(Method::POST, "/api/v1/health", &json, "{}")).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key(header::RETRY_AFTER));
    assert!(api_error(response).await.retry);
}

#[tokio::test]
async fn a_home_that_does_not_open_is_told_as_data() {
    let hub = Fixture::new(LOCAL);
    let app = hub.app.clone();
    let json = [("host", LOCAL), ("content-type", "application/json")];
    let health = app.clone().oneshot(request(Method::POST, "/api/v1/health", &json, "{}")).await.unwrap();
    assert_eq!(health.status(), StatusCode::OK);
    assert!(text(health).await.contains("database_read_only"));
    let overview = app.oneshot(request(Method::POST, "/api/v1/overview", &json, "{}")).await.unwrap();
    assert_eq!(overview.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(api_error(overview).await.code, ErrorCode::Storage);
}

#[tokio::test]
async fn events_flow_until_the_hub_stops() {
    let hub = Fixture::new(LOCAL);
    let _ = hub.hub.shell.opened().await;
    let response = hub.get("/api/v1/events", &[("host", LOCAL)]).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let mut stream = response.into_body().into_data_stream();
    hub.hub.shell.call("leave_demo", serde_json::json!({})).await.unwrap();
    let mut seen = String::new();
    while !seen.contains("data: {\"type\":\"home_replaced\"}\n\n") {
        let next = tokio::time::timeout(Duration::from_secs(5), stream.next()).await.unwrap();
        seen.push_str(std::str::from_utf8(&next.unwrap().unwrap()).unwrap());
    }
    hub.stopping.send_replace(true);
    let end = tokio::time::timeout(Duration::from_secs(5), stream.next()).await.unwrap();
    assert!(end.is_none(), "{end:?}");
}

#[tokio::test]
async fn a_page_that_goes_gives_its_place_back() {
    let hub = Fixture::new(LOCAL);
    let mut open = Vec::new();
    for _ in 0..STREAMS {
        let response = hub.get("/api/v1/events", &[("host", LOCAL)]).await;
        assert_eq!(response.status(), StatusCode::OK);
        open.push(response);
    }
    let one_more = || hub.get("/api/v1/events", &[("host", LOCAL)]);
    assert_eq!(one_more().await.status(), StatusCode::SERVICE_UNAVAILABLE);
    open.pop();
    assert_eq!(one_more().await.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_page_is_served_with_types_compression_and_tags() {
    let hub = Fixture::new(LOCAL);
    hub.file("index.html", b"<!doctype html>");
    hub.file("ui_bg.wasm", b"\0asm");
    hub.file("ui_bg.wasm.br", b"small");
    hub.file("boot.js", b"//");
    let local = ("host", LOCAL);

    let index = hub.get("/", &[local]).await;
    assert_eq!(index.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    let csp = index.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
    for rule in ["default-src 'none'", "'wasm-unsafe-eval'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(csp.contains(rule), "{csp}");
    }
    assert!(!csp.contains("'unsafe-inline'") && !csp.contains("'unsafe-eval'"), "{csp}");
    assert_eq!(index.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    assert_eq!(index.headers()[header::REFERRER_POLICY], "no-referrer");
    assert_eq!(index.headers()[header::CACHE_CONTROL], "no-cache");

    let wasm = hub.get("/ui_bg.wasm", &[local, ("accept-encoding", "gzip, br")]).await;
    assert_eq!(wasm.headers()[header::CONTENT_TYPE], "application/wasm");
    assert_eq!(wasm.headers()[header::CONTENT_ENCODING], "br");
    assert_eq!(text(wasm).await, "small");
    let plain = hub.get("/ui_bg.wasm", &[local]).await;
    assert!(!plain.headers().contains_key(header::CONTENT_ENCODING));
    let tag = plain.headers()[header::ETAG].to_str().unwrap().to_owned();
    let again = hub.get("/ui_bg.wasm", &[local, ("if-none-match", &tag)]).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(text(again).await, "");
    let js = hub.get("/boot.js", &[local]).await;
    assert_eq!(js.headers()[header::CONTENT_TYPE], "text/javascript; charset=utf-8");

    for missing in ["/nothing.js", "/../data/lock", "/..%2fdata/lock"] {
        assert_eq!(hub.get(missing, &[local]).await.status(), StatusCode::NOT_FOUND, "{missing}");
    }
    assert_eq!(
        hub.send(request(Method::POST, "/", &[local], "")).await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
}

#[tokio::test]
async fn a_page_that_is_not_built_says_how() {
    let hub = Fixture::new(LOCAL);
    assert!(!Path::new(&hub.ui().join("index.html")).exists());
    let page = hub.get("/", &[("host", LOCAL)]).await;
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(text(page).await.contains("cargo xtask ui"));
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_downloaded_by_a_link_that_works_once_and_taken_back() {
    let hub = Fixture::with_home();
    let local = ("host", LOCAL);
    let path = async || {
        let answer = hub.send(request(Method::POST, "/api/v1/export", &[local], "")).await;
        let answer: serde_json::Value = serde_json::from_str(&text(answer).await).unwrap();
        format!("/{}", answer["path"].as_str().unwrap())
    };
    let first = path().await;
    let download = hub.get(&first, &[local]).await;
    assert_eq!(download.status(), StatusCode::OK);
    let name = download.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned();
    assert!(name.starts_with("attachment; filename=\"hearthwatt-20") && name.ends_with(".jsonl\""), "{name}");
    let everything = text(download).await;
    assert!(everything.starts_with("{\"header\"") && everything.ends_with("{\"end\":{\"readings\":0}}\n"));
    assert_eq!(hub.get(&first, &[local]).await.status(), StatusCode::NOT_FOUND, "used up");
    assert_eq!(hub.get("/export/0123", &[local]).await.status(), StatusCode::NOT_FOUND);

    let file = [local, ("content-type", "application/octet-stream")];
    let taken = hub.send(request(Method::POST, "/api/v1/import", &file, &everything)).await;
    assert_eq!(taken.status(), StatusCode::OK);
    let refused = hub.send(request(Method::POST, "/api/v1/import", &file, "holiday photos")).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(api_error(refused).await.message.contains("Line 1"));
    let json = [local, ("content-type", "application/json")];
    let other = hub.send(request(Method::POST, "/api/v1/import", &json, &everything)).await;
    assert_eq!(other.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(hub.health(&[local]).await, StatusCode::OK);
}

#[tokio::test]
async fn away_from_loopback_a_download_takes_the_token_to_begin_and_the_link_to_follow() {
    let hub = Fixture::new("192.0.2.7:8787");
    for path in ["/api/v1/export", "/api/v1/import"] {
        assert_eq!(hub.send(request(Method::POST, path, &[], "")).await.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(hub.get("/export/0123", &[]).await.status(), StatusCode::NOT_FOUND);
}
