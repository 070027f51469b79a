//! Serving pages from a program's own bytes, and the services that they call by gRPC-web, on one origin.
//!
//! Knows no page and no service: both are handed in. Nothing that a page needs comes from another origin, and no page runs a
//! script that did not come with it.

mod assets;
mod headers;
mod host;

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use http::{Request, Response};
use rust_embed::RustEmbed;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::service::Routes;
use tonic_web::GrpcWebLayer;
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, Service, ServiceExt as _};
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
    let services = services.into_axum_router().reset_fallback();
    about::<A>(services.layer(GrpcWebLayer::new()), hosts)
}

/// The same about services that stand behind limits of their own: `service` is what the services of these names are called
/// through.
pub fn around<A, S>(service: S, names: &[&str], hosts: Hosts) -> Around
where
    A: RustEmbed + 'static,
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    let service = GrpcWebLayer::new().layer(service);
    let services = names.iter().fold(Router::new(), |router, name| {
        router.route_service(&format!("/{name}/{{call}}"), service.clone())
    });
    let router = about::<A>(services, hosts);
    let served = tower::service_fn(move |request: Request<Body>| {
        let answer = router.clone().oneshot(request);
        async move { answer.await.map(|answer| answer.map(Body::new)) }
    });
    BoxCloneSyncService::new(served)
}

/// Pages and what stands about them.
pub type Around = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

fn about<A: RustEmbed + 'static>(services: Router, hosts: Hosts) -> Router {
    let timeout = TimeoutLayer::with_status_code(http::StatusCode::REQUEST_TIMEOUT, ANSWER_WITHIN);
    services
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
