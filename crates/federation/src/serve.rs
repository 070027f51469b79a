//! Servers: a door with its caller check, limits on everything, and an end within a set time.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use rules::ProvinceCode;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::service::Routes;
use tonic::transport::Server;
use tower::{Layer as _, Service};

use crate::activity::{Activity, Fault};
use crate::arrival::{Arrival, Connection, Transport, origin};
use crate::guard::{Guard, Guarded};
use crate::observe::{CallObserver, Observe, Observed};
use crate::places::Places;
use crate::standing::{End, Other, UntilEnd};
use crate::{
    AnyStream, Caller, Credentials, FederationError, Listen, PeerId, Quota, Quotas, WebCertificate,
};

/// Bytes of one stream, and of one connection, that may lie here unread: a message and two of them. It bounds what a
/// caller who sends faster than is read can fill.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 2 * STREAM_WINDOW_BYTES;
/// Pause after the operating system refused a connection, usually for want of file handles.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Time for connections to fall once they are cut.
const CUT_GRACE: Duration = Duration::from_secs(1);

/// Through what callers come, and so what they can be.
pub enum Door {
    /// Mutual TLS: nodes, sources, checkpoints, operators, by certificate.
    Peers(Arc<dyn Credentials>),
    /// Server TLS: anybody.
    Public(Arc<dyn Credentials>),
    /// Browsers: anybody, of what a node has for anybody. Without a certificate on loopback only, for the machine's own browser.
    Web {
        /// The province that is served for.
        home: ProvinceCode,
        /// What browsers are shown.
        certificate: Option<Arc<WebCertificate>>,
    },
    /// Browsers of an institution's staff, who sign in behind it. Without a certificate on loopback only.
    Staff {
        /// The institution's province.
        home: ProvinceCode,
        /// What browsers are shown.
        certificate: Option<Arc<WebCertificate>>,
    },
    /// No TLS, loopback only: the gate's own machine.
    Gate,
}

/// What a server holds its callers to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once, those in their handshake among them. When all places are taken, that of the connection which has
    /// been without a call for longest is given away; where all have calls under way, whoever comes waits in the listen queue.
    pub max_connections: usize,
    /// Connections at once from one address (of IPv6, one network of 64 bits); more are closed.
    pub max_connections_per_address: usize,
    /// Calls under way at once; more are refused with `OVERLOADED`. As many again have room for the trust list, and health
    /// checks are never refused: an overloaded node is not a dead one.
    pub max_calls: usize,
    /// Calls under way at once of one caller, so that calls which are sent by the byte take no other caller's room; more are
    /// refused with `QUOTA`.
    pub max_calls_per_caller: usize,
    /// The same, of calls that may last as long as their connection.
    pub max_long_calls_per_caller: usize,
    /// Calls at once that may last as long as their connection: streams of events, health that is watched.
    pub max_long_calls: usize,
    /// Calls of one caller, by certificate or, without one, by address; more are refused with `QUOTA`. The trust list,
    /// health checks and long calls have each a quota of their own, of the same size.
    pub quota: Option<Quota>,
    /// New connections from one address; more are closed before their handshake, which is the dearest part of them.
    pub connection_quota: Option<Quota>,
    /// Callers that quotas tell apart.
    pub max_callers: usize,
    /// Streams at once on one connection.
    pub max_streams: u32,
    /// Time for a call, and once more for its answer to be taken.
    pub deadline: Duration,
    /// Time for which a connection may be without a call, and a long call without getting on.
    pub idle: Duration,
    /// After how long without a sign of life a connection is asked for one; it has a third of it for the answer.
    pub keepalive: Duration,
    /// Time for a TLS handshake.
    pub handshake: Duration,
    /// Time for calls under way once the end is asked for.
    pub drain: Duration,
    /// Age at which a connection is asked to come anew, so that swapped certificates and roots take hold.
    pub max_connection_age: Duration,
}

impl Default for Limits {
    /// For a node on a small machine: a proof takes about a second, a durable commit milliseconds.
    fn default() -> Self {
        Self {
            max_connections: 4_096,
            max_connections_per_address: 1_024,
            max_calls: 1_024,
            max_calls_per_caller: 256,
            max_long_calls_per_caller: 16,
            max_long_calls: 256,
            quota: None,
            connection_quota: None,
            max_callers: 65_536,
            max_streams: 128,
            deadline: Duration::from_secs(15),
            idle: Duration::from_mins(2),
            keepalive: Duration::from_mins(1),
            handshake: Duration::from_secs(5),
            drain: Duration::from_secs(20),
            max_connection_age: Duration::from_mins(30),
        }
    }
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All calls under way were answered.
    Drained,
    /// Time was over, and the calls still under way were cut.
    Cut,
}

/// Serves `routes` behind `door` until `shutdown` completes, then stops accepting and drains.
///
/// Services are to be built with [`wire::server`], which sets the size limit of messages.
///
/// # Errors
/// [`FederationError::NoCertificate`] and [`FederationError::NotLoopback`] before anything is accepted;
/// [`FederationError::Server`] if the server fails.
pub async fn serve(
    listener: impl Listen,
    door: Door,
    routes: Routes,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Ended, FederationError> {
    serve_observed(listener, door, routes, limits, None, shutdown).await
}

/// As [`serve`], with somebody who sees every call.
///
/// # Errors
/// As [`serve`].
pub async fn serve_observed(
    listener: impl Listen,
    door: Door,
    routes: Routes,
    limits: Limits,
    observer: Option<Arc<dyn CallObserver>>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Ended, FederationError> {
    let bare = std::convert::identity;
    serve_web(listener, door, routes, bare, limits, observer, shutdown).await
}

/// The services of a door behind everything that it holds its callers to.
pub type GuardedRoutes = Observed<Guarded<Routes>>;

/// Serves browsers as [`serve_observed`] serves others; `around` puts the pages about the services. Files of the pages are no calls:
/// they count as connections only.
///
/// # Errors
/// As [`serve_observed`].
pub async fn serve_web<S>(
    listener: impl Listen,
    door: Door,
    routes: Routes,
    around: impl FnOnce(GuardedRoutes) -> S,
    limits: Limits,
    observer: Option<Arc<dyn CallObserver>>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Ended, FederationError>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let own = door.check(&listener)?;
    let guarded = Observe(observer).layer(Guard::new(own, limits).layer(routes));
    serve_service(listener, door, around(guarded), limits, shutdown).await
}

async fn serve_service<S>(
    listener: impl Listen,
    door: Door,
    service: S,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Ended, FederationError>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let speaks_http1 = matches!(door, Door::Web { .. } | Door::Staff { .. });
    let (cut, cut_seen) = watch::channel(false);
    let (accepted, incoming) = mpsc::channel(1);
    let accepting = tokio::spawn(accept_all(
        listener,
        Arc::new(door),
        limits,
        accepted,
        cut_seen,
    ));

    let (drain, mut drain_seen) = watch::channel(false);
    let server = Server::builder()
        .accept_http1(speaks_http1)
        .max_concurrent_streams(limits.max_streams)
        // Without tonic's grace: with it (0.14.9) a connection is not asked to leave but cut, with all its calls.
        .max_connection_age(limits.max_connection_age)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_keepalive_interval(Some(limits.keepalive))
        .http2_keepalive_timeout(Some(limits.keepalive / 3))
        .http2_max_header_list_size(16 * 1024)
        .http2_max_pending_accept_reset_streams(Some(64))
        .serve_with_incoming_shutdown(service, ReceiverStream::new(incoming), async move {
            let _ = drain_seen.wait_for(|asked| *asked).await;
        });
    let mut server = std::pin::pin!(server);

    let early = tokio::select! {
        ended = &mut server => Some(ended),
        () = shutdown => None,
    };
    accepting.abort();
    if let Some(ended) = early {
        return ended.map(|()| Ended::Drained).map_err(Into::into);
    }
    drain.send_replace(true);
    if let Ok(ended) = tokio::time::timeout(limits.drain, &mut server).await {
        return ended.map(|()| Ended::Drained).map_err(Into::into);
    }
    tracing::warn!("the time to drain is over, connections are cut");
    cut.send_replace(true);
    let _ = tokio::time::timeout(CUT_GRACE, &mut server).await;
    Ok(Ended::Cut)
}

impl Door {
    /// The province served for, after checking that the door can be opened at all.
    fn check(&self, listener: &impl Listen) -> Result<Option<ProvinceCode>, FederationError> {
        match self {
            Self::Peers(credentials) | Self::Public(credentials) => {
                let material = credentials.current();
                let own = material.peer().ok_or(FederationError::NoCertificate)?;
                Ok(Some(own.province))
            }
            Self::Web { home, certificate } | Self::Staff { home, certificate } => {
                if certificate.is_none() {
                    only_loopback(listener)?;
                }
                Ok(Some(*home))
            }
            Self::Gate => {
                only_loopback(listener)?;
                Ok(None)
            }
        }
    }

    /// Brings a connection through the door.
    async fn admit(&self, stream: AnyStream) -> Result<Admitted, FederationError> {
        match self {
            Self::Peers(credentials) => {
                // Asked for first: material that is swapped during the handshake is a change.
                let changes = credentials.changes();
                let config = credentials.current().server_for_peers()?;
                let stream = TlsAcceptor::from(config).accept(stream).await?;
                let (_, session) = stream.get_ref();
                let chain = session.peer_certificates().unwrap_or_default().to_vec();
                let first = chain.first().ok_or(FederationError::CertificateForm)?;
                let peer = PeerId::from_certificate(first)?;
                Ok(Admitted {
                    transport: Transport::Tls(Box::new(stream)),
                    caller: Caller::Peer(peer),
                    refused: Box::pin(Other::Client(chain).until_refused(changes)),
                })
            }
            Self::Public(credentials) => {
                let config = credentials.current().server_for_public()?;
                let stream = TlsAcceptor::from(config).accept(stream).await?;
                Ok(Admitted {
                    transport: Transport::Tls(Box::new(stream)),
                    caller: Caller::Public,
                    refused: Box::pin(std::future::pending()),
                })
            }
            Self::Web { certificate, .. } | Self::Staff { certificate, .. } => Ok(Admitted {
                transport: match certificate {
                    Some(certificate) => {
                        let acceptor = TlsAcceptor::from(certificate.current());
                        Transport::Tls(Box::new(acceptor.accept(stream).await?))
                    }
                    None => Transport::Plain(stream),
                },
                caller: match self {
                    Self::Staff { .. } => Caller::Staff,
                    _ => Caller::Public,
                },
                refused: Box::pin(std::future::pending()),
            }),
            Self::Gate => Ok(Admitted {
                transport: Transport::Plain(stream),
                caller: Caller::Gate,
                refused: Box::pin(std::future::pending()),
            }),
        }
    }
}

fn only_loopback(listener: &impl Listen) -> Result<(), FederationError> {
    let address = listener.local_addr()?;
    if address.ip().is_loopback() {
        Ok(())
    } else {
        Err(FederationError::NotLoopback(address))
    }
}

/// Who came through a door.
struct Admitted {
    transport: Transport,
    caller: Caller,
    /// Completes when swapped trust does not admit the caller any more.
    refused: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Accepts until told to stop; each handshake runs by itself, so that a slow one holds up nobody.
async fn accept_all(
    mut listener: impl Listen,
    door: Arc<Door>,
    limits: Limits,
    accepted: mpsc::Sender<io::Result<Connection>>,
    cut: watch::Receiver<bool>,
) {
    let places = Places::new(limits.max_connections, limits.max_connections_per_address);
    let begun = Instant::now();
    let quotas = limits
        .connection_quota
        .map(|quota| Quotas::new(quota, limits.max_callers));
    loop {
        let (stream, from) = match listener.accept().await {
            Ok((stream, from)) => (stream, origin(from.ip())),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let is_paid = quotas
            .as_ref()
            .is_none_or(|quotas| quotas.take(&from, 1, begun.elapsed()).is_ok());
        let counted = is_paid.then(|| places.count(from)).flatten();
        let Some(counted) = counted else {
            tracing::debug!("a connection is closed: too many from one address");
            continue;
        };
        let place = places.enter(counted).await;
        let (door, accepted, cut) = (Arc::clone(&door), accepted.clone(), cut.clone());
        let activity = Activity::new(limits.idle);
        place.is_used_by(&activity);
        tokio::spawn(async move {
            let admitting = tokio::time::timeout(limits.handshake, door.admit(stream));
            let admitted = tokio::select! {
                admitted = admitting => admitted,
                fault = activity.until_fault() => {
                    tracing::debug!(?fault, "a connection is cut in its handshake");
                    return;
                }
            };
            match admitted {
                Ok(Ok(admitted)) => {
                    let arrival = Arrival {
                        caller: admitted.caller,
                        from,
                        leaves_at: Instant::now() + limits.max_connection_age,
                        activity,
                    };
                    let of_age =
                        tokio::time::sleep(limits.max_connection_age + 3 * limits.deadline);
                    let refused = async move {
                        tokio::select! {
                            () = admitted.refused => {}
                            // By then every call has had its time, and its answer has had its own.
                            () = of_age => {}
                        }
                    };
                    let until = until_end(refused, Arc::clone(&arrival.activity), cut);
                    let connection = Connection::new(admitted.transport, arrival, until, place);
                    let _ = accepted.send(Ok(connection)).await;
                }
                Ok(Err(error)) => {
                    tracing::debug!(%error, "a connection did not come through the door");
                }
                Err(_) => tracing::debug!("a handshake took too long"),
            }
        });
    }
}

/// Completes when the server, swapped trust, its age, or its own activity ends a connection.
fn until_end(
    refused: impl Future<Output = ()> + Send + 'static,
    activity: Arc<Activity>,
    mut cut: watch::Receiver<bool>,
) -> UntilEnd {
    Box::pin(async move {
        let server_cuts = async {
            if cut.wait_for(|cut| *cut).await.is_err() {
                // The server is gone, and with it whoever could cut.
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = server_cuts => End::Cut,
            () = refused => End::Cut,
            fault = activity.until_fault() => {
                tracing::debug!(?fault, "a connection is ended");
                match fault {
                    Fault::Idle | Fault::GaveWay => End::Close,
                    Fault::Overdue => End::Cut,
                }
            }
        }
    })
}
