//! The services, as thin covers over the node: each call is handed to a thread that may wait for the store.

mod appeal;
mod audit;
mod federation;
mod forward;
mod log;
mod opening;
mod operator;
mod proxy_office;
mod resident;
mod source;
mod trust;

use std::sync::Arc;
use std::time::Duration;

use ledger::receipt::HeldReceipt;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic::service::Routes;
use tonic_health::server::HealthReporter;
use wire::Reason;
use wire::resident::v1::resident_service_server::ResidentService;

use crate::peers::Peers;
use crate::{Node, NodeError};

/// A receipt as it travels; empty for none.
fn held(receipt: Option<&HeldReceipt>) -> Vec<u8> {
    receipt.map(HeldReceipt::to_bytes).unwrap_or_default()
}

/// What all services share.
#[derive(Clone)]
pub(crate) struct Desk {
    node: Arc<Node>,
    /// Room for calls that touch the store.
    room: Arc<Semaphore>,
    /// Room for those that bring events, so that a flood of them holds no resident up.
    intake: Arc<Semaphore>,
    /// How long a call waits for room. One that waited as long as its caller would be begun when nobody wants it any more,
    /// and so would all behind it.
    wait: Duration,
    /// Says when the node ends, so that calls without an end of their own end too.
    stopped: Option<watch::Receiver<bool>>,
}

impl Desk {
    pub(crate) fn new(node: Arc<Node>) -> Self {
        let limits = &node.limits;
        Self {
            room: Arc::new(Semaphore::new(limits.store_calls_at_once)),
            intake: Arc::new(Semaphore::new(limits.intake_calls_at_once)),
            wait: Duration::from_millis(limits.store_wait_ms),
            node,
            stopped: None,
        }
    }

    /// One that ends its long calls when `stopped` says so.
    pub(crate) fn until(self, stopped: watch::Receiver<bool>) -> Self {
        Self {
            stopped: Some(stopped),
            ..self
        }
    }

    /// Completes when the node ends.
    pub(crate) async fn stopped(&self) {
        if let Some(mut stopped) = self.stopped.clone()
            && stopped.wait_for(|stop| *stop).await.is_ok()
        {
            return;
        }
        std::future::pending::<()>().await;
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Does `work` where it may block, unless there is no room for it in time. It is not begun once nobody waits for the
    /// answer of the call that asks: after the call's deadline, or when the caller has gone. Once begun it is done to its
    /// end.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Node>) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, Status> {
        self.ask_in(&self.room, None, work).await
    }

    /// The same for events. A batch of a stream has a deadline of its own, and waits for room as long: that holds its
    /// source back.
    pub(crate) async fn take_in<T: Send + 'static>(
        &self,
        of_batch: Option<Instant>,
        work: impl FnOnce(&Arc<Node>) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, Status> {
        self.ask_in(&self.intake, of_batch, work).await
    }

    async fn ask_in<T: Send + 'static>(
        &self,
        room: &Arc<Semaphore>,
        of_batch: Option<Instant>,
        work: impl FnOnce(&Arc<Node>) -> Result<T, NodeError> + Send + 'static,
    ) -> Result<T, Status> {
        let node = Arc::clone(&self.node);
        let closed = || NodeError::Fault("the room for calls is closed");
        let deadline = of_batch.or_else(::federation::call_deadline);
        let patience = of_batch.unwrap_or_else(|| Instant::now() + self.wait);
        let enter = deadline.map_or(patience, |deadline| deadline.min(patience));
        let permit = timeout_at(enter, Arc::clone(room).acquire_owned())
            .await
            .map_err(|_| wire::status(Reason::Overloaded))?;
        let permit = permit.map_err(|_| closed())?;
        // Dropped with this future, when the caller goes.
        let waiting = Arc::new(());
        let wanted = Arc::downgrade(&waiting);
        let span = tracing::Span::current();
        let work = move || {
            let _permit = permit;
            let is_late = deadline.is_some_and(|deadline| deadline <= Instant::now());
            if is_late || wanted.strong_count() == 0 {
                return Err(NodeError::Refused(Reason::Deadline));
            }
            span.in_scope(|| work(&node))
        };
        let done = tokio::task::spawn_blocking(work).await;
        drop(waiting);
        Ok(done.map_err(|_| NodeError::Fault("a call died"))??)
    }
}

/// The residents' service of a node, without a door around it.
pub fn resident_service(node: Arc<Node>) -> impl ResidentService {
    resident::ResidentDesk(Desk::new(node))
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
        .add_service(wire::server::federation(federation::FederationDesk {
            desk: desk.clone(),
            peers: Arc::clone(peers),
        }))
        .add_service(wire::server::forward(forward::ForwardDesk(desk.clone())))
        .add_service(wire::server::forwarded(forward::ForwardedDesk(
            desk.clone(),
        )))
        .add_service(wire::server::opening(opening::OpeningDesk(desk.clone())))
        .add_service(wire::server::appeal(appeal::AppealDesk(desk.clone())))
        .add_service(wire::server::proxy_office(proxy_office::ProxyOfficeDesk(
            desk.clone(),
        )))
        .add_service(wire::log_server(log::LogDesk {
            desk: desk.clone(),
            peers: Arc::clone(peers),
        }))
        .add_service(wire::server::audit(audit::AuditDesk(desk.clone())))
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

/// The services that the residents' page calls.
pub(crate) fn page_routes(desk: &Desk) -> Routes {
    public_routes(desk, Routes::default())
}

/// The standard health service, all services of a door serving.
pub(crate) fn health() -> (HealthReporter, Routes) {
    let (reporter, service) = tonic_health::server::health_reporter();
    (reporter, Routes::new(service))
}
