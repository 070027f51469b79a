//! A connection that ends when it is told to.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::tls::Changes;
use crate::{PeerId, TlsIdentity};

/// How a connection ends before its other side wants it to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// In order: nothing more is read, as if the other side had nothing more to say.
    Close,
    /// At once.
    Cut,
}

/// Completes when a connection is to end.
pub(crate) type UntilEnd = Pin<Box<dyn Future<Output = End> + Send>>;

/// Sees how many bytes came in, and says whether the connection is to be cut for it.
pub(crate) type OnRead = Box<dyn Fn(usize) -> bool + Send>;

/// A stream that ends when it is told to.
pub(crate) struct Standing<S> {
    stream: S,
    until_end: UntilEnd,
    ended: Option<End>,
    on_read: OnRead,
}

impl<S> Standing<S> {
    pub(crate) fn new(stream: S, until_end: UntilEnd, on_read: OnRead) -> Self {
        Self {
            stream,
            until_end,
            ended: None,
            on_read,
        }
    }

    /// How the connection ends, if it does.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> io::Result<Option<End>> {
        if self.ended.is_none()
            && let Poll::Ready(end) = self.until_end.as_mut().poll(cx)
        {
            self.ended = Some(end);
        }
        match self.ended {
            Some(End::Cut) => Err(io::ErrorKind::ConnectionAborted.into()),
            end => Ok(end),
        }
    }

    /// Last words are said while the other side takes them, and not longer.
    fn poll_out<T>(
        &mut self,
        cx: &mut Context<'_>,
        poll: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>>
    where
        S: Unpin,
    {
        let end = self.poll_end(cx)?;
        match poll(Pin::new(&mut self.stream), cx) {
            Poll::Pending if end.is_some() => {
                self.ended = Some(End::Cut);
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
            polled => polled,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Standing<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.poll_end(cx)?.is_some() {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        let got = buf.filled().len() - before;
        if got > 0 && (self.on_read)(got) {
            tracing::warn!("a connection is cut: it brings bytes that belong to no call");
            self.ended = Some(End::Cut);
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
        self.poll_out(cx, |stream, cx| stream.poll_write(cx, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_out(cx, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A connection that is cut has nothing more to say.
        if self.ended == Some(End::Cut) {
            return Poll::Ready(Ok(()));
        }
        self.poll_out(cx, AsyncWrite::poll_shutdown)
    }
}

/// When a connection last brought anything.
#[derive(Clone)]
pub(crate) struct Heard(Arc<Mutex<Instant>>);

impl Heard {
    pub(crate) fn now() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn at(&self) -> MutexGuard<'_, Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn again(&self) {
        *self.at() = Instant::now();
    }

    /// Completes when nothing was heard for `quiet`.
    pub(crate) async fn until_quiet(&self, quiet: Duration) {
        loop {
            let due = *self.at() + quiet;
            if due <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(due).await;
        }
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn ending(end: End) -> UntilEnd {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            end
        })
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_closes_says_its_last_words_and_one_that_is_cut_does_not() {
        for (end, may_speak) in [(End::Close, true), (End::Cut, false)] {
            let (near, mut far) = duplex(64);
            let mut standing = Standing::new(near, ending(end), Box::new(|_| false));
            far.write_all(b"hear").await.unwrap();
            let mut heard = [0; 4];
            standing.read_exact(&mut heard).await.unwrap();
            let read = standing.read(&mut heard).await;
            assert_eq!(read.is_ok_and(|len| len == 0), may_speak, "{end:?}");
            assert_eq!(standing.write_all(b"end").await.is_ok(), may_speak);
            // But not to somebody who does not listen.
            assert!(standing.write_all(&[0; 65]).await.is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_quiet_when_nothing_was_heard_for_long_enough() {
        let heard = Heard::now();
        let begun = Instant::now();
        let again = heard.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(5)).await;
            again.again();
        });
        heard.until_quiet(Duration::from_secs(8)).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(13));
    }
}
