use axum::body::Body;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use rust_embed::RustEmbed;
use tower::ServiceExt as _;

use super::*;

#[derive(RustEmbed)]
#[folder = "testpages"]
struct Pages;

#[derive(RustEmbed)]
#[folder = "not-built"]
#[allow_missing = true]
struct NotBuilt;

async fn of<A: RustEmbed + 'static>(request: Request<Body>) -> Response<Body> {
    let hosts = Hosts::address("127.0.0.1:8080".parse().unwrap());
    let router = router::<A>(Routes::default(), hosts);
    router.oneshot(request).await.unwrap()
}

fn get(path: &str) -> http::request::Builder {
    Request::get(path).header("host", "127.0.0.1:8080")
}

async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_page_is_served_with_what_a_browser_may_do_with_it() {
    let response = of::<Pages>(get("/").body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let headers = response.headers();
    assert_eq!(headers["content-type"], "text/html");
    assert_eq!(headers["cache-control"], "no-cache");
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';"));
    assert!(policy.ends_with("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(headers.contains_key("strict-transport-security"));
    assert!(text(response).await.contains("<title>test</title>"));
}

#[tokio::test]
async fn what_is_in_hand_is_not_sent_again_and_what_has_a_digest_is_kept() {
    let first = of::<Pages>(get("/assets/a-1234.js").body(Body::empty()).unwrap()).await;
    assert!(
        first.headers()["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    let tag = first.headers()["etag"].clone();
    let again = get("/assets/a-1234.js").header("if-none-match", tag);
    let again = of::<Pages>(again.body(Body::empty()).unwrap()).await;
    assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(text(again).await, "");
}

#[tokio::test]
async fn other_names_other_origins_other_methods_and_other_paths_are_refused() {
    for (host, origin, status) in [
        ("127.0.0.1:8080", None, StatusCode::OK),
        ("localhost:8080", None, StatusCode::MISDIRECTED_REQUEST),
        (
            "127.0.0.1:8080",
            Some("http://127.0.0.1:8080"),
            StatusCode::OK,
        ),
        ("evil.example:8080", None, StatusCode::MISDIRECTED_REQUEST),
        (
            "127.0.0.1:8080",
            Some("http://evil.example"),
            StatusCode::MISDIRECTED_REQUEST,
        ),
        (
            "127.0.0.1:8080",
            Some("null"),
            StatusCode::MISDIRECTED_REQUEST,
        ),
        ("127.0.0.1:81", None, StatusCode::MISDIRECTED_REQUEST),
    ] {
        let mut request = Request::get("/").header("host", host);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let response = of::<Pages>(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), status, "{host} {origin:?}");
        assert!(response.headers().contains_key("content-security-policy"));
    }
    let post = get("/").method(Method::POST).body(Body::empty()).unwrap();
    assert_eq!(
        of::<Pages>(post).await.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    for path in [
        "/no-such",
        "/../Cargo.toml",
        "/assets/",
        "/%2e%2e/Cargo.toml",
    ] {
        let response = of::<Pages>(get(path).body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_before_it_is_read() {
    let long = get("/")
        .method(Method::POST)
        .header("content-length", "1000000");
    let response = of::<Pages>(long.body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn pages_that_were_not_built_say_how_to() {
    let response = of::<NotBuilt>(get("/").body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(text(response).await.contains("npm run pages"));
}
