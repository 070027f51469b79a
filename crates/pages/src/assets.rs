//! Files of the pages, as they were built.

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Method, Request, StatusCode};
use rust_embed::{EmbeddedFile, RustEmbed};

/// Files whose name holds a digest of their content lie here; they never change.
const DIGESTED: &str = "assets/";

/// The file of a path; the first page for `/`.
pub(crate) async fn answer<A: RustEmbed>(request: Request<Body>) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (
            StatusCode::METHOD_NOT_ALLOWED,
            [(ALLOW, "GET, HEAD")],
            "only GET\n",
        )
            .into_response();
    }
    let path = match request.uri().path().trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    match A::get(path) {
        Some(file) => found(path, &file, request.headers().get(IF_NONE_MATCH)),
        None if A::get("index.html").is_none() => (
            StatusCode::SERVICE_UNAVAILABLE,
            "页面尚未构建 the pages were not built: run `npm run pages` and build this program again\n",
        )
            .into_response(),
        None => (StatusCode::NOT_FOUND, "no such page\n").into_response(),
    }
}

fn found(path: &str, file: &EmbeddedFile, in_hand: Option<&HeaderValue>) -> Response {
    let tag = tag(file.metadata.sha256_hash());
    // The service worker decides what a page off line is made of: it is asked for again at each visit, as the pages are.
    let keep = if path.starts_with(DIGESTED) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let kept = [
        (CACHE_CONTROL, HeaderValue::from_static(keep)),
        (ETAG, tag.clone()),
    ];
    if in_hand == Some(&tag) {
        return (StatusCode::NOT_MODIFIED, kept).into_response();
    }
    let kind = HeaderValue::from_str(file.metadata.mimetype());
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    // As it lies in the program, without a copy for each who asks.
    let bytes = match &file.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::copy_from_slice(bytes),
    };
    (kept, [(CONTENT_TYPE, kind)], bytes).into_response()
}

fn tag(digest: [u8; 32]) -> HeaderValue {
    let tag = format!("\"{}\"", hex::encode(&digest[..16]));
    HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""))
}
