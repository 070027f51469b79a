//! The simulated network behind the doors: what the system's TCP is elsewhere.

use std::io;
use std::net::SocketAddr;

use federation::{AnyStream, Dial, Dialling, Listen};
use turmoil::net::{TcpListener, TcpStream};

/// Connections between simulated hosts.
pub(crate) struct Simulated;

impl Dial for Simulated {
    fn dial(&self, host: String, port: u16) -> Dialling {
        Box::pin(async move {
            let stream = TcpStream::connect((host.as_str(), port)).await?;
            Ok(Box::new(stream) as AnyStream)
        })
    }
}

/// A port of a simulated host.
pub(crate) struct Port(TcpListener);

impl Port {
    pub(crate) async fn open(port: u16) -> io::Result<Self> {
        Ok(Self(TcpListener::bind(("0.0.0.0", port)).await?))
    }
}

impl Listen for Port {
    async fn accept(&mut self) -> io::Result<(AnyStream, SocketAddr)> {
        let (stream, from) = self.0.accept().await?;
        Ok((Box::new(stream), from))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
