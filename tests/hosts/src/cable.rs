//! Cables: every connection from one host to another goes through one, and it can be cut, or be slow.
//!
//! A cable is a port on the caller's own host; what comes in there is carried to a door of the other. Where hosts have no
//! network of their own this is all there is between them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::host::{Host, Place};

/// Pieces that are under way in one direction of a connection.
const UNDER_WAY: usize = 64;
const PIECE_LEN_BYTES: usize = 4 * 1024;
/// As long as a node waits for a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// How slow a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// From one end to the other, milliseconds.
    pub delay_ms: u64,
    /// Of each connection, each way.
    pub bytes_per_s: u32,
}

/// What a line is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    #[default]
    Good,
    Slow(Pace),
    /// Nothing arrives, and nobody is told.
    Cut,
}

/// All lines, by who calls and who is called.
#[derive(Default)]
pub(crate) struct Cables(BTreeMap<(Place, Place), watch::Sender<Line>>);

impl Cables {
    /// Lays a cable from one host's `port` to a door of another.
    pub(crate) async fn lay(
        &mut self,
        (from, host): (Place, &Host),
        port: u16,
        (to, door): (Place, SocketAddr),
    ) -> Result<()> {
        let at = SocketAddr::new(host.own, port);
        let bound = host.within(TcpListener::bind(at)).await?;
        let listener = bound.with_context(|| format!("{from} to {to}: {at}"))?;
        let line = self.0.entry((from, to)).or_default().subscribe();
        host.begin(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(carry(stream, door, line.clone()));
            }
        });
        Ok(())
    }

    fn set(&self, line: Line, is_meant: impl Fn(Place, Place) -> bool) {
        for ((from, to), sender) in &self.0 {
            if is_meant(*from, *to) {
                sender.send_replace(line);
            }
        }
    }

    /// Makes every line from and to a host slow.
    pub(crate) fn slow(&self, place: Place, pace: Pace) {
        self.set(Line::Slow(pace), |from, to| from == place || to == place);
    }

    /// Cuts every line between these and the others.
    pub(crate) fn cut(&self, group: &[Place]) {
        self.set(Line::Cut, |from, to| {
            group.contains(&from) != group.contains(&to)
        });
    }

    /// All lines are good again.
    pub(crate) fn mend(&self) {
        self.set(Line::Good, |_, _| true);
    }
}

async fn carry(near: TcpStream, door: SocketAddr, mut line: watch::Receiver<Line>) {
    let is_open = |line: &Line| *line != Line::Cut;
    let reached = async {
        line.wait_for(is_open).await.ok()?;
        let _ = near.set_nodelay(true);
        let far = TcpStream::connect(door).await.ok()?;
        let _ = far.set_nodelay(true);
        Some(far)
    };
    let Ok(Some(far)) = timeout(CONNECT_LIMIT, reached).await else {
        return;
    };
    let (near_out, near_in) = near.into_split();
    let (far_out, far_in) = far.into_split();
    // One end gone, the other goes, too.
    tokio::select! {
        () = pump(near_out, far_in, line.clone()) => {}
        () = pump(far_out, near_in, line.clone()) => {}
    }
}

/// Carries bytes one way until there are no more.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    line: watch::Receiver<Line>,
) {
    let (under_way, mut arriving) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let now = line.clone();
    let reading = async move {
        let mut piece = vec![0; PIECE_LEN_BYTES];
        while let Ok(len @ 1..) = from.read(&mut piece).await {
            let delay_ms = match *now.borrow() {
                Line::Slow(pace) => pace.delay_ms,
                Line::Good | Line::Cut => 0,
            };
            let due = Instant::now() + Duration::from_millis(delay_ms);
            if under_way.send((due, piece[..len].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let mut line = line;
    let writing = async move {
        while let Some((due, bytes)) = arriving.recv().await {
            sleep_until(due).await;
            let Ok(is) = line.wait_for(|line| *line != Line::Cut).await.map(|l| *l) else {
                return;
            };
            if let Line::Slow(pace) = is {
                let us = bytes.len() as u64 * 1_000_000 / u64::from(pace.bytes_per_s.max(1));
                sleep(Duration::from_micros(us)).await;
            }
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(reading, writing);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A door that gives back what it gets.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut out, mut back) = stream.split();
                    tokio::io::copy(&mut out, &mut back).await
                });
            }
        });
        at
    }

    async fn say(stream: &mut TcpStream, within: Duration) -> Option<Duration> {
        let begun = Instant::now();
        stream.write_all(b"hello").await.unwrap();
        let mut answer = [0; 5];
        let heard = timeout(within, stream.read_exact(&mut answer)).await;
        heard.ok()?.unwrap();
        assert_eq!(&answer, b"hello");
        Some(begun.elapsed())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_cable_that_is_cut_carries_nothing_and_goes_on_once_it_is_mended() {
        let door = echo().await;
        let (from, to) = (Place::Node(33), Place::Node(35));
        let own = "127.0.0.1".parse().unwrap();
        let host = Host::open(own, own, None).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut cables = Cables::default();
        cables.lay((from, &host), port, (to, door)).await.unwrap();
        let mut stream = TcpStream::connect((own, port)).await.unwrap();
        let patience = Duration::from_secs(20);
        assert!(say(&mut stream, patience).await.is_some());

        cables.slow(
            to,
            Pace {
                delay_ms: 100,
                bytes_per_s: 1_000,
            },
        );
        let took = say(&mut stream, patience).await.unwrap();
        assert!(took >= Duration::from_millis(200), "{took:?}");

        cables.cut(&[from]);
        let mut waiting = [0; 5];
        stream.write_all(b"later").await.unwrap();
        let silence = timeout(Duration::from_millis(300), stream.read_exact(&mut waiting));
        assert!(silence.await.is_err(), "something came through");
        cables.mend();
        let heard = timeout(patience, stream.read_exact(&mut waiting)).await;
        heard.unwrap().unwrap();
        assert_eq!(&waiting, b"later");
    }
}
