//! The operator's listener: plain HTTP, three paths, nothing to be changed by it.

use std::sync::Arc;

use federation::Credentials;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use tokio::net::TcpListener;

use super::Watch;
use crate::Node;
use crate::plain_http::{self, of_type, plain};

/// Connections at once: a scraper, a prober, and a person or two.
const MAX_CONNECTIONS: usize = 16;
/// No answer is longer; a test holds the numbers of a busy node against it.
pub const MAX_ANSWER_LEN_BYTES: usize = 1 << 20;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What the answers are made of.
struct Shown {
    node: Arc<Node>,
    credentials: Arc<dyn Credentials>,
    watch: Watch,
}

/// Answers `/metrics`, `/livez` and `/readyz` until it is dropped.
pub(crate) async fn listen(
    listener: TcpListener,
    node: Arc<Node>,
    credentials: Arc<dyn Credentials>,
    watch: Watch,
) {
    let shown = Arc::new(Shown {
        node,
        credentials,
        watch,
    });
    let answer = move |request: Request<Incoming>| {
        let shown = Arc::clone(&shown);
        async move { answer(&request, &shown).await }
    };
    plain_http::serve(listener, "the operator's listener", MAX_CONNECTIONS, answer).await;
}

async fn answer(request: &Request<Incoming>, shown: &Arc<Shown>) -> Response<Full<Bytes>> {
    if let Some(refused) = plain_http::only_get(request) {
        return refused;
    }
    match request.uri().path() {
        "/metrics" => numbers(shown).await,
        "/livez" => plain(StatusCode::OK, "alive\n"),
        "/readyz" => readiness(shown),
        _ => plain(StatusCode::NOT_FOUND, "/metrics, /livez, /readyz\n"),
    }
}

async fn numbers(shown: &Arc<Shown>) -> Response<Full<Bytes>> {
    let shown = Arc::clone(shown);
    let text = tokio::task::spawn_blocking(move || {
        let metrics = shown.node.metrics();
        metrics.look_up(&shown.node, &*shown.credentials);
        metrics.to_text()
    });
    match text.await {
        Ok(text) if text.len() <= MAX_ANSWER_LEN_BYTES => {
            of_type(StatusCode::OK, OPENMETRICS, text)
        }
        _ => plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the numbers could not be read\n",
        ),
    }
}

fn readiness(shown: &Shown) -> Response<Full<Bytes>> {
    let (is_ready, json) = shown.watch.borrow().to_json();
    // What was found a moment ago does not know of an end that has been asked for since.
    let status = if is_ready && !shown.node.is_draining() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    of_type(status, "application/json", format!("{json}\n"))
}
