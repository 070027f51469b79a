//! Servers: a door with its caller check, limits on everything, and an end within a set time.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use rules::ProvinceCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::Connected;

use crate::authorise::Guard;
use crate::observe::{CallObserver, Observe};
use crate::{Caller, Credentials, FederationError, PeerId};

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
    /// No TLS, loopback only: the gate's own machine.
    Gate,
}

/// What a server holds its callers to.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; more wait in the listen queue.
    pub max_connections: usize,
    /// Calls under way at once; more are refused with `OVERLOADED`.
    pub max_calls: usize,
    /// Streams at once on one connection.
    pub max_streams: u32,
    /// Time for a call.
    pub deadline: Duration,
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
            max_calls: 1_024,
            max_streams: 128,
            deadline: Duration::from_secs(15),
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
    listener: TcpListener,
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
    listener: TcpListener,
    door: Door,
    routes: Routes,
    limits: Limits,
    observer: Option<Arc<dyn CallObserver>>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<Ended, FederationError> {
    let own = door.check(&listener)?;
    let guard = Guard {
        own,
        calls: Arc::new(Semaphore::new(limits.max_calls)),
        deadline: limits.deadline,
    };
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
        .max_concurrent_streams(limits.max_streams)
        .max_connection_age(limits.max_connection_age)
        .max_connection_age_grace(limits.deadline)
        .http2_keepalive_interval(Some(Duration::from_mins(1)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        .http2_max_header_list_size(16 * 1024)
        .http2_max_pending_accept_reset_streams(Some(64))
        .layer(Observe(observer))
        .layer(guard)
        .serve_with_incoming_shutdown(routes, ReceiverStream::new(incoming), async move {
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
    fn check(&self, listener: &TcpListener) -> Result<Option<ProvinceCode>, FederationError> {
        match self {
            Self::Peers(credentials) | Self::Public(credentials) => {
                let material = credentials.current();
                let own = material.peer().ok_or(FederationError::NoCertificate)?;
                Ok(Some(own.province))
            }
            Self::Gate => {
                let address = listener.local_addr()?;
                if address.ip().is_loopback() {
                    Ok(None)
                } else {
                    Err(FederationError::NotLoopback(address))
                }
            }
        }
    }

    /// Brings a connection through the door.
    async fn admit(&self, stream: TcpStream) -> Result<(Transport, Caller), FederationError> {
        stream.set_nodelay(true)?;
        match self {
            Self::Peers(credentials) => {
                let config = credentials.current().server_for_peers()?;
                let stream = TlsAcceptor::from(config).accept(stream).await?;
                let peer = {
                    let (_, session) = stream.get_ref();
                    let chain = session.peer_certificates().unwrap_or_default();
                    let certificate = chain.first().ok_or(FederationError::CertificateForm)?;
                    PeerId::from_certificate(certificate)?
                };
                Ok((Transport::Tls(Box::new(stream)), Caller::Peer(peer)))
            }
            Self::Public(credentials) => {
                let config = credentials.current().server_for_public()?;
                let stream = TlsAcceptor::from(config).accept(stream).await?;
                Ok((Transport::Tls(Box::new(stream)), Caller::Public))
            }
            Self::Gate => Ok((Transport::Plain(stream), Caller::Gate)),
        }
    }
}

/// Accepts until told to stop; each handshake runs by itself, so that a slow one holds up nobody.
async fn accept_all(
    listener: TcpListener,
    door: Arc<Door>,
    limits: Limits,
    accepted: mpsc::Sender<io::Result<Connection>>,
    cut: watch::Receiver<bool>,
) {
    let connections = Arc::new(Semaphore::new(limits.max_connections));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (door, accepted, cut) = (Arc::clone(&door), accepted.clone(), cut.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(limits.handshake, door.admit(stream)).await {
                Ok(Ok((transport, caller))) => {
                    let connection = Connection {
                        transport,
                        caller,
                        cut: when_cut(cut),
                        _permit: permit,
                    };
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

fn when_cut(mut cut: watch::Receiver<bool>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        if cut.wait_for(|cut| *cut).await.is_err() {
            // The server is gone, and with it whoever could cut.
            std::future::pending::<()>().await;
        }
    })
}

enum Transport {
    Tls(Box<TlsStream<TcpStream>>),
    Plain(TcpStream),
}

/// A connection with its caller; it fails once it is cut.
struct Connection {
    transport: Transport,
    caller: Caller,
    cut: Pin<Box<dyn Future<Output = ()> + Send>>,
    _permit: OwnedSemaphorePermit,
}

impl Connected for Connection {
    type ConnectInfo = Caller;

    fn connect_info(&self) -> Caller {
        self.caller.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            // A completed future must not be polled again; from now on the answer is always this.
            self.cut = Box::pin(std::future::poll_fn(|_| Poll::Ready(())));
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        match &mut self.transport {
            Transport::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
            Transport::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
            Transport::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Transport::Plain(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Transport::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
