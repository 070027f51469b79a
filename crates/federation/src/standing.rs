//! A connection that ends when it is told to.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::{CertificateDer, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::activity::Activity;
use crate::tls::Changes;
use crate::{PeerId, TlsIdentity};

/// Completes when a connection is to be cut.
pub(crate) type Cut = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A stream that fails once it is cut.
pub(crate) struct Standing<S> {
    stream: S,
    cut: Cut,
    is_cut: bool,
    activity: Option<Arc<Activity>>,
}

impl<S> Standing<S> {
    pub(crate) fn new(stream: S, cut: Cut, activity: Option<Arc<Activity>>) -> Self {
        Self {
            stream,
            cut,
            is_cut: false,
            activity,
        }
    }

    fn poll_cut(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        self.is_cut = self.is_cut || self.cut.as_mut().poll(cx).is_ready();
        if self.is_cut {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Standing<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        let got = buf.filled().len() - before;
        if let (1.., Some(activity)) = (got, &self.activity) {
            activity.read(got);
            if activity.is_noise() {
                tracing::warn!("a connection is cut: it brings bytes that belong to no call");
                self.is_cut = true;
            }
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Standing<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A cut connection has nothing more to say.
        if self.poll_cut(cx).is_err() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Whom a connection was made with, as shown in its handshake.
pub(crate) enum Other {
    /// A client with this chain.
    Client(Vec<CertificateDer<'static>>),
    /// A server that was taken for this peer, with this chain.
    Server(PeerId, Vec<CertificateDer<'static>>),
}

impl Other {
    fn is_admitted(&self, by: &TlsIdentity) -> bool {
        // The same clock that every handshake is checked by.
        let now = UnixTime::now();
        match self {
            Self::Client(chain) => by.admits_client(chain, now).is_ok(),
            Self::Server(expected, chain) => by.admits_server(expected, chain, now).is_ok(),
        }
    }

    /// Completes when material is swapped in that does not admit the other side; never where nothing changes.
    pub(crate) async fn until_refused(self, changes: Option<Changes>) {
        if let Some(mut changes) = changes {
            while changes.changed().await.is_ok() {
                let current = Arc::clone(&changes.borrow_and_update());
                if !self.is_admitted(&current) {
                    tracing::warn!("a connection is cut: the swapped trust does not admit it");
                    return;
                }
            }
        }
        std::future::pending::<()>().await;
    }
}
