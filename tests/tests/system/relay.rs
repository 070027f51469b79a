//! Somebody between two nodes who has certificates of both: keeps the bytes that they exchange as they are on the wire, and
//! as they are within TLS. Each node takes it for the other.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use federation::PeerId;
use rustls::pki_types::ServerName;
use tests::{World, province};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// All bytes of one kind, in both directions.
pub(crate) type Kept = Arc<Mutex<Vec<u8>>>;

/// What was exchanged.
#[derive(Clone, Default)]
pub(crate) struct Relay {
    /// As it is on the wire.
    pub(crate) sealed: Kept,
    /// As the nodes say it: frames of HTTP/2.
    pub(crate) plain: Kept,
}

impl Relay {
    /// Listens at `listener` as the node of `server`, and says on what it hears there as the node of `client`.
    pub(crate) fn open(world: &World, listener: TcpListener, client: u8, server: u8) -> Self {
        let relay = Self::default();
        let node = |code| PeerId::node(&world.federation, province(code));
        let as_server = world.identity(&node(server)).server_for_peers();
        let as_client = world.identity(&node(client)).client(node(server));
        let acceptor = TlsAcceptor::from(as_server.expect("a certificate"));
        let connector = TlsConnector::from(Arc::new(as_client.expect("a certificate")));
        let address = ("127.0.0.1", world.port(server));
        let kept = relay.clone();
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                let (acceptor, connector) = (acceptor.clone(), connector.clone());
                let kept = kept.clone();
                tokio::spawn(async move {
                    let from = acceptor.accept(Tee(from, kept.sealed)).await?;
                    let to = TcpStream::connect(address).await?;
                    let name = ServerName::try_from("localhost").expect("a name");
                    let mut to = connector.connect(name, to).await?;
                    copy_bidirectional(&mut Tee(from, kept.plain), &mut to).await
                });
            }
        });
        relay
    }
}

/// A stream that keeps what is read and written.
struct Tee<S>(S, Kept);

impl<S: AsyncRead + Unpin> AsyncRead for Tee<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.0).poll_read(cx, into))?;
        self.1.lock().unwrap().extend(&into.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tee<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let len = ready!(Pin::new(&mut self.0).poll_write(cx, bytes))?;
        self.1.lock().unwrap().extend(&bytes[..len]);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
