//! The services, as thin covers over the node: each call is handed to a thread that may wait for the store.

mod federation;
mod operator;
mod resident;
mod source;
mod trust;

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};
use tonic::Status;
use tonic::service::Routes;
use tonic_health::server::HealthReporter;
use wire::resident::v1::resident_service_server::ResidentService;

use crate::assemble::Peers;
use crate::{Node, NodeError};

/// What all services share.
#[derive(Clone)]
pub(crate) struct Desk {
    node: Arc<Node>,
    /// Room for calls that touch the store.
    room: Arc<Semaphore>,
}

impl Desk {
    pub(crate) fn new(node: Arc<Node>, store_calls_at_once: usize) -> Self {
        Self {
            node,
            room: Arc::new(Semaphore::new(store_calls_at_once)),
        }
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Does `work` where it may block. Once begun it is done to its end, even if nobody waits for the answer any more.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Node>) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, Status> {
        let node = Arc::clone(&self.node);
        let closed = || NodeError::Fault("the room for calls is closed");
        let permit = Arc::clone(&self.room)
            .acquire_owned()
            .await
            .map_err(|_| closed())?;
        let span = tracing::Span::current();
        let work = move || {
            let _permit = permit;
            span.in_scope(|| work(&node))
        };
        let done = tokio::task::spawn_blocking(work).await;
        Ok(done.map_err(|_| NodeError::Fault("a call died"))??)
    }
}

/// The residents' service of a node, without a door around it.
pub fn resident_service(node: Arc<Node>) -> impl ResidentService {
    let room = node.limits.store_calls_at_once;
    resident::ResidentDesk(Desk::new(node, room))
}

/// The services behind the peers' door.
pub(crate) fn peers_routes(
    desk: &Desk,
    peers: &Arc<Peers>,
    end: &Arc<Notify>,
    health: Routes,
) -> Routes {
    health
        .add_service(wire::server::source(source::SourceDesk(desk.clone())))
        .add_service(wire::server::federation(federation::FederationDesk(
            desk.clone(),
        )))
        .add_service(wire::server::operator(operator::OperatorDesk {
            desk: desk.clone(),
            peers: Arc::clone(peers),
            end: Arc::clone(end),
        }))
        .add_service(wire::server::trust(trust::TrustDesk(desk.clone())))
}

/// The services behind the public door.
pub(crate) fn public_routes(desk: &Desk, health: Routes) -> Routes {
    health
        .add_service(wire::server::resident(resident::ResidentDesk(desk.clone())))
        .add_service(wire::server::trust(trust::TrustDesk(desk.clone())))
}

/// The standard health service, all services of a door serving.
pub(crate) fn health() -> (HealthReporter, Routes) {
    let (reporter, service) = tonic_health::server::health_reporter();
    (reporter, Routes::new(service))
}
