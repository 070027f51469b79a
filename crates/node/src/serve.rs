//! Opening the doors of a node, and closing them in order.

use std::sync::Arc;
use std::time::Duration;

use federation::{
    CallObserver, Credentials, Door, Ended, FederationError, Limits, Listen, Quota, serve_observed,
};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::assemble::catch_up;
use crate::counts::count_as_due;
use crate::doors::{Desk, health, page_routes, peers_routes, public_routes};
use crate::forward::forward_all;
use crate::observe::{Watch, keep_watch, listen};
use crate::page::PageListener;
use crate::peers::Peers;
use crate::receipts::log_by_the_clock;
use crate::revoke::recheck_as_due;
use crate::schedule::keep_epochs;
use crate::transparency::{keep_witnessed, listen_public};
use crate::{Node, NodeError, config};

/// Services that the health checks name, besides the whole door.
const SERVICES: [&str; 8] = [
    "viridian.resident.v1.ResidentService",
    "viridian.source.v1.SourceService",
    "viridian.source.v1.ForwardedService",
    "viridian.source.v1.OpeningService",
    "viridian.federation.v1.FederationService",
    "viridian.federation.v1.ForwardService",
    "viridian.federation.v1.LogService",
    "viridian.operator.v1.OperatorService",
];
const TRUST_SERVICE: &str = "viridian.trust.v1.TrustService";

/// Where a node's doors are.
pub struct Listeners<L = TcpListener> {
    /// For nodes, sources, checkpoints and operators.
    pub peers: L,
    /// For residents and readers of the trust list.
    pub public: L,
    /// For the operator's scraper and prober, if there is one.
    pub metrics: Option<TcpListener>,
    /// For readers of the transparency log, if there is one.
    pub log: Option<TcpListener>,
    /// For residents' browsers, if there is a page.
    pub page: Option<PageListener>,
}

/// Serves a node until `shutdown` completes or an operator drains it: health says so first, then nothing new is
/// accepted, calls under way are finished, proving ends.
///
/// # Errors
/// [`FederationError`] if a door cannot be opened or fails.
pub async fn serve<L: Listen>(
    node: Arc<Node>,
    peers: Arc<Peers>,
    listeners: Listeners<L>,
    credentials: Arc<dyn Credentials>,
    limits: &config::Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Ended, FederationError> {
    let end = Arc::new(Notify::new());
    let (peers_health, peers_checks) = health();
    let (public_health, public_checks) = health();
    let reporters = [peers_health, public_health];
    let (watch, watching) = keep_watch(&node).await;
    tell_health(&reporters, &watch).await;
    let mut background = JoinSet::new();
    background.spawn(watching);
    background.spawn(recheck_as_due(Arc::clone(&node)));
    background.spawn(log_by_the_clock(Arc::clone(&node)));
    background.spawn(count_as_due(Arc::clone(&node)));
    if let Some(listener) = listeners.metrics {
        let credentials = Arc::clone(&credentials);
        background.spawn(listen(
            listener,
            Arc::clone(&node),
            credentials,
            watch.clone(),
        ));
    }
    if let Some(listener) = listeners.log {
        background.spawn(listen_public(listener, Arc::clone(&node)));
    }
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let desk = Desk::new(Arc::clone(&node)).until(stopped.clone());
    background.spawn(forward_all(desk.clone(), Arc::clone(&peers)));
    let until_stopped = || {
        let mut stopped = stopped.clone();
        async move {
            let _ = stopped.wait_for(|stop| *stop).await;
        }
    };
    let observer = || Some(Arc::clone(node.metrics()) as Arc<dyn CallObserver>);
    let at_peers = Box::pin(serve_observed(
        listeners.peers,
        Door::Peers(Arc::clone(&credentials)),
        peers_routes(&desk, &peers, &end, peers_checks),
        door_limits(limits, limits.quotas.peer_calls()),
        observer(),
        until_stopped(),
    ));
    let at_public = Box::pin(serve_observed(
        listeners.public,
        Door::Public(credentials),
        public_routes(&desk, public_checks),
        door_limits(limits, limits.quotas.address_calls()),
        observer(),
        until_stopped(),
    ));
    let at_page = Box::pin(serve_page(
        listeners.page,
        desk.clone(),
        door_limits(limits, limits.quotas.address_calls()),
        until_stopped(),
    ));
    let mut doors = std::pin::pin!(async { tokio::try_join!(at_peers, at_public, at_page) });
    let keeping_up = async {
        tokio::join!(
            catch_up(&desk, &peers),
            keep_witnessed(&desk, &peers),
            keep_epochs(&desk, &peers),
            keep_health(&reporters, watch)
        );
    };
    let ended = tokio::select! {
        // A door that fails takes the other one with it.
        ended = &mut doors => ended,
        () = first_of(shutdown, end.notified(), keeping_up) => {
            node.begin_drain();
            set_health(&reporters, Health::default()).await;
            stop.send_replace(true);
            doors.await
        }
    };
    let proving = Arc::clone(&node);
    let stopped = tokio::task::spawn_blocking(move || proving.stop_proving()).await;
    if stopped.is_err() {
        tracing::error!("proving could not be stopped");
    }
    let (at_peers, at_public, at_page) = ended?;
    let ended = [at_peers, at_public, at_page];
    Ok(if ended.contains(&Ended::Cut) {
        Ended::Cut
    } else {
        Ended::Drained
    })
}

/// The residents' page, until the node ends; where there is none it ends at once, and in order.
async fn serve_page(
    page: Option<PageListener>,
    desk: Desk,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Ended, FederationError> {
    let Some(page) = page else {
        return Ok(Ended::Drained);
    };
    let node = Arc::clone(desk.node());
    let observer = Arc::clone(node.metrics()) as Arc<dyn CallObserver>;
    let routes = page_routes(&desk);
    page.serve(node.home(), routes, limits, Some(observer), shutdown)
        .await
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

/// What the health checks of the doors say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Health {
    is_ready: bool,
    has_trust_list: bool,
}

impl Health {
    fn now(watch: &Watch) -> Self {
        let found = watch.borrow();
        Self {
            is_ready: found.is_ready(),
            has_trust_list: found.has_trust_list(),
        }
    }
}

async fn tell_health(reporters: &[HealthReporter], watch: &Watch) -> Health {
    let health = Health::now(watch);
    set_health(reporters, health).await;
    health
}

/// Has the health checks follow what is found of readiness; never ends.
async fn keep_health(reporters: &[HealthReporter], mut watch: Watch) {
    let mut told = tell_health(reporters, &watch).await;
    while watch.changed().await.is_ok() {
        if Health::now(&watch) != told {
            told = tell_health(reporters, &watch).await;
        }
    }
    std::future::pending::<()>().await;
}

/// The whole door and each service are serving while the node is ready; the trust list's service also needs a list.
async fn set_health(reporters: &[HealthReporter], health: Health) {
    let status = |serving| {
        if serving {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        }
    };
    let ready = status(health.is_ready);
    let trust = status(health.is_ready && health.has_trust_list);
    for reporter in reporters {
        reporter.set_service_status("", ready).await;
        for service in SERVICES {
            reporter.set_service_status(service, ready).await;
        }
        reporter.set_service_status(TRUST_SERVICE, trust).await;
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
