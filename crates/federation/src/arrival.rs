//! A connection that came through a door, and what is known of who is on it.

use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;
use tonic::transport::server::Connected;

use crate::activity::Activity;
use crate::places::Place;
use crate::standing::{Standing, UntilEnd};
use crate::{AnyStream, Caller};

/// Who is on a connection. In the request's extensions of every call, where the guard finds it.
#[derive(Clone)]
pub(crate) struct Arrival {
    pub(crate) caller: Caller,
    pub(crate) from: IpAddr,
    /// When the connection is asked to come anew.
    pub(crate) leaves_at: Instant,
    pub(crate) activity: Arc<Activity>,
}

/// What stands for a caller's address: of IPv6 the network of 64 bits, since a caller has the whole of it.
pub(crate) fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The address that a call came from, as quotas count it: of IPv6 the network of 64 bits. None for a request that came
/// through no door.
pub fn address_of<T>(request: &tonic::Request<T>) -> Option<IpAddr> {
    let arrival: Option<&Arrival> = request.extensions().get();
    arrival.map(|arrival| arrival.from)
}

/// The bytes' way.
pub(crate) enum Transport {
    Tls(Box<TlsStream<AnyStream>>),
    Plain(AnyStream),
}

/// A connection with its caller.
pub(crate) struct Connection {
    stream: Standing<Transport>,
    arrival: Arrival,
    _place: Place,
}

impl Connection {
    /// One that stands until `until_end` completes.
    pub(crate) fn new(
        transport: Transport,
        arrival: Arrival,
        until_end: UntilEnd,
        place: Place,
    ) -> Self {
        let activity = Arc::clone(&arrival.activity);
        let on_read = Box::new(move |bytes| {
            activity.read(bytes);
            activity.is_noise()
        });
        Self {
            stream: Standing::new(transport, until_end, on_read),
            arrival,
            _place: place,
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Arrival;

    fn connect_info(&self) -> Arrival {
        self.arrival.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut *self {
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_newer_kind_stands_for_its_network() {
        let of = |text: &str| origin(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
    }
}
