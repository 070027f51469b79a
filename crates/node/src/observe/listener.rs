//! The operator's listener: plain HTTP, three paths, nothing to be changed by it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use federation::Credentials;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::Watch;
use crate::Node;

/// Connections at once: a scraper, a prober, and a person or two.
const MAX_CONNECTIONS: usize = 16;
/// Bytes of a request's head; the least that the HTTP library allows.
const MAX_HEAD_LEN_BYTES: usize = 8 * 1024;
/// Time for a request's head, and for a whole connection.
const HEAD_TIME: Duration = Duration::from_secs(5);
const CONNECTION_TIME: Duration = Duration::from_secs(15);
/// Pause after the operating system refused a connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
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
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let shown = Arc::clone(&shown);
                tokio::spawn(async move {
                    let served = serve_one(stream, shown);
                    let _ = tokio::time::timeout(CONNECTION_TIME, served).await;
                    drop(permit);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the operator's listener could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve_one(stream: TcpStream, shown: Arc<Shown>) {
    let service = service_fn(move |request| {
        let shown = Arc::clone(&shown);
        async move { Ok::<_, Infallible>(answer(&request, &shown).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(MAX_HEAD_LEN_BYTES)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection to the operator's listener failed");
    }
}

async fn answer(request: &Request<Incoming>, shown: &Arc<Shown>) -> Response<Full<Bytes>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET\n");
        let allowed = HeaderValue::from_static("GET, HEAD");
        answer.headers_mut().insert(ALLOW, allowed);
        return answer;
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

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    of_type(status, "text/plain; charset=utf-8", text)
}

fn of_type(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
