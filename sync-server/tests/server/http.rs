//! What every route has, and blocks.

use crate::household::{Household, app, id};
use crate::slow::Slow;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use hearthwatt_server::App;
use hearthwatt_server::http::auth::Access;
use hearthwatt_server::http::router;
use hearthwatt_server::store::memory::Memory;
use hearthwatt_server_api::{BlockPage, Problem, ProblemCode, StoredBlock};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tower::ServiceExt;
use uuid::Uuid;

async fn call(app: &App, request: Request<Body>) -> Response<Body> {
    router(app.clone()).oneshot(request).await.unwrap()
}

async fn get(app: &App, path: &str) -> Response<Body> {
    call(app, Request::get(path).body(Body::empty()).unwrap()).await
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
}

async fn problem(response: Response<Body>, status: u16, code: ProblemCode) -> Problem {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let problem: Problem = serde_json::from_str(&text(response).await).unwrap();
    assert_eq!((problem.code, problem.status), (code, status));
    problem
}

async fn plain() -> App {
    app(Arc::new(Memory::default()), Arc::default(), &[]).await
}

#[tokio::test]
async fn errors_are_problems() {
    let app = plain().await;
    problem(get(&app, "/no/such/thing").await, 404, ProblemCode::NotFound).await;
    let post = Request::post("/healthz").body(Body::empty()).unwrap();
    problem(call(&app, post).await, 405, ProblemCode::MethodNotAllowed).await;
    let long = format!("/{}", "x".repeat(10_000));
    problem(get(&app, &long).await, 413, ProblemCode::TooLarge).await;
    let home = format!("/api/v1/homes/{}/blocks", id());
    let response = get(&app, &home).await;
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
    problem(response, 401, ProblemCode::Unauthorized).await;
}

#[tokio::test]
async fn answers_carry_protective_headers() {
    let app =
        app(Arc::new(Memory::default()), Arc::default(), &["--public-url", "https://home.example/"]).await;
    let response = get(&app, "/healthz").await;
    assert_eq!(response.status(), StatusCode::OK);
    for (header, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("strict-transport-security", "max-age=31536000"),
    ] {
        assert_eq!(response.headers()[header], value);
    }
}

#[tokio::test]
async fn ready_means_that_the_store_answers() {
    let store = Arc::new(Slow::new(Arc::new(Memory::default())));
    let app = app(store.clone(), Arc::default(), &[]).await;
    assert_eq!(get(&app, "/readyz").await.status(), StatusCode::OK);
    store.gone.store(true, Ordering::SeqCst);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let response = get(&app, "/readyz").await;
    assert_eq!(response.headers()["retry-after"], "1");
    problem(response, 503, ProblemCode::Unavailable).await;
    assert_eq!(get(&app, "/healthz").await.status(), StatusCode::OK, "alive, but not ready");
    store.gone.store(false, Ordering::SeqCst);
    app.http.stop();
    problem(get(&app, "/readyz").await, 503, ProblemCode::Unavailable).await;
}

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_back() {
    let (account, home, household) = (id(), id(), Arc::new(Household::default()));
    household.allow(account, home, home, Access::Read);
    let arguments =
        ["--requests-per-client", "1", "--requests-per-address", "4", "--trusted-proxies", "127.0.0.1"];
    let app = app(Arc::new(Memory::default()), household, &arguments).await;
    let ask = |device: Uuid, from: &str| {
        Request::get(format!("/api/v1/homes/{home}/blocks"))
            .header("authorization", format!("Bearer {account}.{device}"))
            .header("x-forwarded-for", from)
            .body(Body::empty())
            .unwrap()
    };
    // ten at once for each device
    let (one, two) = (id(), id());
    for _ in 0..10 {
        assert_eq!(call(&app, ask(one, "192.0.2.1")).await.status(), StatusCode::OK);
    }
    let response = call(&app, ask(one, "192.0.2.1")).await;
    assert_eq!(response.headers()["retry-after"], "1");
    let refused = problem(response, 429, ProblemCode::RateLimited).await;
    assert_eq!(refused.retry_after_s, Some(1));
    assert_eq!(call(&app, ask(two, "192.0.2.1")).await.status(), StatusCode::OK);
    // and forty for each address, whoever asks
    let mut passed = 12;
    while call(&app, ask(id(), "192.0.2.1")).await.status() == StatusCode::OK {
        passed += 1;
        assert!(passed < 60);
    }
    assert!((40..=48).contains(&passed), "{passed}");
    assert_eq!(call(&app, ask(id(), "192.0.2.2")).await.status(), StatusCode::OK);
    // whoever watches the server isn't shut out with its clients
    let watch = Request::get("/healthz").header("x-forwarded-for", "192.0.2.1").body(Body::empty()).unwrap();
    assert_eq!(call(&app, watch).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn metrics_are_for_whoever_watches() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "sesame\n").unwrap();
    let arguments = ["--metrics-token-file", token.to_str().unwrap()];
    let guarded = app(Arc::new(Memory::default()), Arc::default(), &arguments).await;
    problem(get(&guarded, "/metrics").await, 404, ProblemCode::NotFound).await;
    let with =
        |token: &str| Request::get("/metrics").header("authorization", token).body(Body::empty()).unwrap();
    problem(call(&guarded, with("Bearer wrong")).await, 404, ProblemCode::NotFound).await;
    let response = call(&guarded, with("Bearer sesame")).await;
    let metrics = text(response).await;
    for name in
        ["hearthwatt_http_requests_total", "hearthwatt_connections ", "hearthwatt_append_seconds_bucket"]
    {
        assert!(metrics.contains(name), "{name} in {metrics}");
    }
    assert!(metrics.ends_with("# EOF\n"));

    let open = app(Arc::new(Memory::default()), Arc::default(), &["--trusted-proxies", "127.0.0.1"]).await;
    assert_eq!(get(&open, "/metrics").await.status(), StatusCode::OK, "this computer");
    let outside =
        Request::get("/metrics").header("x-forwarded-for", "203.0.113.9").body(Body::empty()).unwrap();
    problem(call(&open, outside).await, 404, ProblemCode::NotFound).await;
}

#[tokio::test]
async fn the_description_names_every_route_and_its_errors() {
    let app = plain().await;
    let response = get(&app, "/api/openapi.json").await;
    let description: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
    assert!(description["openapi"].as_str().unwrap().starts_with("3.1"));
    let block = &description["paths"]["/api/v1/homes/{home}/blocks/{sha256}"];
    assert!(block["put"]["responses"]["4XX"]["content"]["application/problem+json"].is_object(), "{block}");
    assert!(description["components"]["schemas"]["Problem"].is_object());
    assert!(description["components"]["securitySchemes"]["bearer"].is_object());
}

#[tokio::test]
async fn a_service_that_isnt_run_isnt_there() {
    let app = app(Arc::new(Memory::default()), Arc::default(), &["--services", "user"]).await;
    problem(get(&app, &format!("/api/v1/homes/{}/blocks", id())).await, 404, ProblemCode::NotFound).await;
}

mod blocks {
    use super::*;
    use hearthwatt_domain::ids::MeterId;
    use hearthwatt_sync::block::of_rows;

    struct Scene {
        app: App,
        home: Uuid,
        account: Uuid,
        viewer: Uuid,
    }

    async fn scene() -> Scene {
        let (home, account, viewer, household) = (id(), id(), id(), Arc::new(Household::default()));
        household.allow(account, home, home, Access::Write);
        household.allow(viewer, home, home, Access::Read);
        let app = app(Arc::new(Memory::default()), household, &[]).await;
        Scene { app, home, account, viewer }
    }

    /// A block without rows: withdrawn, but a block.
    fn block(recorder: Uuid, day: i8, revision: u64) -> (String, Vec<u8>) {
        let day = jiff::civil::date(2026, 3, day);
        let block = of_rows(recorder, MeterId(Uuid::from_u128(7)), day, revision, &[]).unwrap();
        (block.hash().to_string(), block.encode())
    }

    impl Scene {
        fn at(&self, method: &str, account: Uuid, path: &str, body: Vec<u8>) -> Request<Body> {
            Request::builder()
                .method(method)
                .uri(format!("/api/v1/homes/{}/blocks{path}", self.home))
                .header("authorization", format!("Bearer {account}.{}", Uuid::from_u128(5)))
                .body(Body::from(body))
                .unwrap()
        }

        async fn put(&self, account: Uuid, (name, bytes): &(String, Vec<u8>)) -> Response<Body> {
            call(&self.app, self.at("PUT", account, &format!("/{name}"), bytes.clone())).await
        }

        async fn list(&self, query: &str) -> BlockPage {
            let response = call(&self.app, self.at("GET", self.viewer, query, vec![])).await;
            assert_eq!(response.status(), StatusCode::OK);
            serde_json::from_str(&text(response).await).unwrap()
        }
    }

    #[tokio::test]
    async fn go_in_once_and_come_out_in_order() {
        let scene = scene().await;
        let recorder = id();
        for day in 1..=5 {
            for _ in 0..2 {
                let response = scene.put(scene.account, &block(recorder, day, 1)).await;
                assert_eq!(response.status(), StatusCode::OK);
                let stored: StoredBlock = serde_json::from_str(&text(response).await).unwrap();
                assert_eq!(stored.seq, day as u64);
            }
        }
        let page = scene.list("?limit=2").await;
        assert_eq!((page.blocks.len(), page.next), (2, Some(2)));
        assert_eq!(page.blocks[1].sha256, block(recorder, 2, 1).0);
        assert_eq!(page.blocks[1].recorder, recorder);
        let page = scene.list("?after=2").await;
        assert_eq!((page.blocks.len(), page.next), (3, None));
        assert_eq!(scene.list("?after=5").await.blocks, []);
        let (name, bytes) = block(recorder, 3, 1);
        let response = call(&scene.app, scene.at("GET", scene.viewer, &format!("/{name}"), vec![])).await;
        assert_eq!(to_bytes(response.into_body(), 1 << 20).await.unwrap(), bytes);
        // a newer revision takes its place
        scene.put(scene.account, &block(recorder, 3, 2)).await;
        let gone = call(&scene.app, scene.at("GET", scene.viewer, &format!("/{name}"), vec![])).await;
        problem(gone, 404, ProblemCode::NotFound).await;
    }

    #[tokio::test]
    async fn that_are_none_or_not_ones_own_are_refused() {
        let scene = scene().await;
        let recorder = id();
        let good = block(recorder, 1, 1);
        problem(scene.put(scene.viewer, &good).await, 403, ProblemCode::Forbidden).await;
        problem(scene.put(id(), &good).await, 404, ProblemCode::NotFound).await;
        assert_eq!(scene.put(scene.account, &good).await.status(), StatusCode::OK);

        let wrong = (block(recorder, 2, 1).0, good.1.clone());
        problem(scene.put(scene.account, &wrong).await, 422, ProblemCode::Invalid).await;
        let name = |bytes: &[u8]| {
            use sha2::Digest;
            sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>()
        };
        for bytes in [vec![], vec![0; 100], good.1[1..].to_vec(), [good.1.clone(), vec![0]].concat()] {
            let refused = scene.put(scene.account, &(name(&bytes), bytes)).await;
            problem(refused, 422, ProblemCode::Invalid).await;
        }
        let large = vec![0; 20_000];
        problem(scene.put(scene.account, &(name(&large), large)).await, 413, ProblemCode::TooLarge).await;
        let huge = vec![0; 1_000_000];
        problem(scene.put(scene.account, &(name(&huge), huge)).await, 413, ProblemCode::TooLarge).await;
        for odd in ["XYZ", &good.0.to_uppercase(), &good.0[1..]] {
            let refused = scene.put(scene.account, &(odd.to_owned(), good.1.clone())).await;
            problem(refused, 404, ProblemCode::NotFound).await;
        }
        assert_eq!(scene.list("").await.blocks.len(), 1);
    }

    #[tokio::test]
    async fn of_somebody_elses_recorder_are_refused() {
        let (home, one, two, household) = (id(), id(), id(), Arc::new(Household::default()));
        for account in [one, two] {
            household.allow(account, home, home, Access::Write);
        }
        let app = app(Arc::new(Memory::default()), household, &[]).await;
        let scene = Scene { app, home, account: one, viewer: two };
        let recorder = id();
        assert_eq!(scene.put(one, &block(recorder, 1, 1)).await.status(), StatusCode::OK);
        problem(scene.put(two, &block(recorder, 1, 2)).await, 403, ProblemCode::Forbidden).await;
        assert_eq!(scene.put(two, &block(id(), 1, 2)).await.status(), StatusCode::OK);
    }
}
