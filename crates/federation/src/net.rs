//! What carries the bytes: TCP, or what a simulation puts in its place.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};

/// Bytes in both directions, in order.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for S {}

/// A stream of any kind.
pub type AnyStream = Box<dyn Stream>;

/// A connection that is being made.
pub type Dialling = Pin<Box<dyn Future<Output = io::Result<AnyStream>> + Send>>;

/// Where connections come in.
pub trait Listen: Send + 'static {
    /// The next connection, and where it comes from.
    fn accept(&mut self) -> impl Future<Output = io::Result<(AnyStream, SocketAddr)>> + Send;

    /// Where it listens.
    ///
    /// # Errors
    /// What the system says.
    fn local_addr(&self) -> io::Result<SocketAddr>;
}

/// Makes connections.
pub trait Dial: Send + Sync + 'static {
    /// A connection to a port of a host.
    fn dial(&self, host: String, port: u16) -> Dialling;
}

/// The system's TCP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Dial for Tcp {
    fn dial(&self, host: String, port: u16) -> Dialling {
        Box::pin(async move {
            let stream = TcpStream::connect((host.as_str(), port)).await?;
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as AnyStream)
        })
    }
}

impl Listen for TcpListener {
    async fn accept(&mut self) -> io::Result<(AnyStream, SocketAddr)> {
        let (stream, from) = Self::accept(self).await?;
        stream.set_nodelay(true)?;
        Ok((Box::new(stream), from))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Self::local_addr(self)
    }
}
