//! Opening the doors of a node, and closing them in order.

use std::sync::Arc;
use std::time::Duration;

use federation::{Credentials, Door, Ended, FederationError, Limits, Quota};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::assemble::{Peers, catch_up};
use crate::doors::{Desk, health, peers_routes, public_routes};
use crate::{Node, NodeError, config};

/// Services that the health checks name, besides the whole door.
const SERVICES: [&str; 5] = [
    "viridian.resident.v1.ResidentService",
    "viridian.source.v1.SourceService",
    "viridian.federation.v1.FederationService",
    "viridian.operator.v1.OperatorService",
    "viridian.trust.v1.TrustService",
];

/// Where a node's doors are.
pub struct Listeners {
    /// For nodes, sources, checkpoints and operators.
    pub peers: TcpListener,
    /// For residents and readers of the trust list.
    pub public: TcpListener,
}

/// Serves a node until `shutdown` completes or an operator drains it: health says so first, then nothing new is
/// accepted, calls under way are finished, proving ends.
///
/// # Errors
/// [`FederationError`] if a door cannot be opened or fails.
pub async fn serve(
    node: Arc<Node>,
    peers: Peers,
    listeners: Listeners,
    credentials: Arc<dyn Credentials>,
    limits: &config::Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Ended, FederationError> {
    let peers = Arc::new(peers);
    let end = Arc::new(Notify::new());
    let (peers_health, peers_checks) = health();
    let (public_health, public_checks) = health();
    let reporters = [peers_health, public_health];
    set_status(&reporters, ServingStatus::Serving).await;
    let (stop, stopped) = watch::channel(false);
    let desk = Desk::new(Arc::clone(&node), limits.store_calls_at_once).until(stopped.clone());
    let until_stopped = || {
        let mut stopped = stopped.clone();
        async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        }
    };
    let at_peers = Box::pin(federation::serve(
        listeners.peers,
        Door::Peers(Arc::clone(&credentials)),
        peers_routes(&desk, &peers, &end, peers_checks),
        door_limits(limits, limits.quotas.peer_calls()),
        until_stopped(),
    ));
    let at_public = Box::pin(federation::serve(
        listeners.public,
        Door::Public(credentials),
        public_routes(&desk, public_checks),
        door_limits(limits, limits.quotas.address_calls()),
        until_stopped(),
    ));
    let mut doors = std::pin::pin!(async { tokio::try_join!(at_peers, at_public) });
    let catching_up = async {
        catch_up(&desk, &peers).await;
        std::future::pending::<()>().await;
    };
    let ended = tokio::select! {
        // A door that fails takes the other one with it.
        ended = &mut doors => ended,
        () = first_of(shutdown, end.notified(), catching_up) => {
            node.begin_drain();
            set_status(&reporters, ServingStatus::NotServing).await;
            stop.send_replace(true);
            doors.await
        }
    };
    let proving = Arc::clone(&node);
    let stopped = tokio::task::spawn_blocking(move || proving.stop_proving()).await;
    if stopped.is_err() {
        tracing::error!("proving could not be stopped");
    }
    let (at_peers, at_public) = ended?;
    Ok(if at_peers == Ended::Cut {
        at_peers
    } else {
        at_public
    })
}

async fn first_of(
    a: impl Future<Output = ()>,
    b: impl Future<Output = ()>,
    c: impl Future<Output = ()>,
) {
    tokio::select! {
        () = a => {}
        () = b => {}
        () = c => {}
    }
}

fn door_limits(limits: &config::Limits, quota: Quota) -> Limits {
    Limits {
        max_connections: limits.connections_at_once,
        max_connections_per_address: limits.connections_per_address,
        max_long_calls: limits.long_calls_at_once,
        max_calls_per_caller: limits.calls_per_caller,
        max_long_calls_per_caller: limits.long_calls_per_caller,
        connection_quota: Some(limits.quotas.address_connections()),
        quota: Some(quota),
        idle: Duration::from_secs(limits.idle_s),
        max_calls: limits.calls_at_once,
        deadline: Duration::from_secs(limits.deadline_s),
        drain: Duration::from_secs(limits.drain_s),
        ..Limits::default()
    }
}

async fn set_status(reporters: &[HealthReporter], status: ServingStatus) {
    for reporter in reporters {
        reporter.set_service_status("", status).await;
        for service in SERVICES {
            reporter.set_service_status(service, status).await;
        }
    }
}

/// What the operator sees of an error of the node while it starts.
impl NodeError {
    /// The error with what is known about its cause, for the operator's own eyes.
    pub fn for_operator(&self) -> String {
        match self {
            Self::Refused(reason) => format!("{}: {}", reason.code(), reason.text()),
            other => other.to_string(),
        }
    }
}
