//! Whom a browser believes to talk to. A page of somebody else's whose name leads to this address – rebinding – has another.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::{HOST, ORIGIN};

/// The names under which pages are asked for, with their port where it is not the scheme's own.
#[derive(Clone, Debug)]
pub struct Hosts(Arc<[String]>);

impl Hosts {
    /// These alone.
    pub fn of(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().collect())
    }

    /// An address alone. Under another name for it, `localhost` among them, a page would be another origin to its browser, which
    /// keeps nothing of what the first one remembers.
    pub fn address(address: SocketAddr) -> Self {
        Self::of([address.to_string()])
    }

    fn knows(&self, host: &str) -> bool {
        self.0.iter().any(|known| known == host)
    }

    /// Whether a request was sent to one of these names, and, where its origin is told, from a page of one.
    fn admit(&self, request: &Request<Body>) -> bool {
        let text = |name| {
            request
                .headers()
                .get(name)
                .map(|v| v.to_str().unwrap_or(""))
        };
        let asked =
            text(HOST).or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
        let from = text(ORIGIN).map(|origin| {
            let schemes = ["https://", "http://"];
            let host = schemes.iter().find_map(|s| origin.strip_prefix(s));
            host.is_some_and(|host| self.knows(host))
        });
        asked.is_some_and(|host| self.knows(host)) && from.unwrap_or(true)
    }
}

pub(crate) async fn only_known(
    State(hosts): State<Hosts>,
    request: Request<Body>,
    next: Next,
) -> Response {
    if hosts.admit(&request) {
        next.run(request).await
    } else {
        let words = format!("only served as {}\n", hosts.0.join(", "));
        (StatusCode::MISDIRECTED_REQUEST, words).into_response()
    }
}
