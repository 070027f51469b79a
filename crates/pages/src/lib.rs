//! Serving pages from a program's own bytes, and the services that they call by gRPC-web, on one origin.
//!
//! Knows no page and no service: both are handed in. Nothing that a page needs comes from another origin, and no page runs a
//! script that did not come with it.

mod assets;
mod headers;
mod host;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use rust_embed::RustEmbed;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic_web::GrpcWebLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

pub use host::Hosts;

/// Longest body of a request: the longest message of a call, as base64 has it, and its frame.
const MAX_BODY_LEN_BYTES: usize = 384 * 1024;
/// Time for one answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Pages from `A` and services by gRPC-web, for whoever asks for one of `hosts`.
///
/// `A` is what the build of the pages has left; where that is nothing, the answer says which command builds them.
pub fn router<A: RustEmbed + 'static>(services: Routes, hosts: Hosts) -> Router {
    let timeout = TimeoutLayer::with_status_code(http::StatusCode::REQUEST_TIMEOUT, ANSWER_WITHIN);
    services
        .into_axum_router()
        .reset_fallback()
        .layer(GrpcWebLayer::new())
        .fallback(assets::answer::<A>)
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(MAX_BODY_LEN_BYTES))
        .layer(timeout)
        .layer(axum::middleware::from_fn_with_state(
            hosts,
            host::only_known,
        ))
        .layer(axum::middleware::map_response(headers::secure))
}

/// Serves until `shutdown` completes and what is under way has ended.
///
/// # Errors
/// What the operating system says of the listener.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown)
        .await
}

#[cfg(test)]
mod tests;
