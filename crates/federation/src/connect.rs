//! Channels to exactly one peer, and typed retries.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tower::service_fn;

use crate::standing::{End, Heard, Other, Standing};
use crate::{AnyStream, Credentials, Dial, Dialling, FederationError, PeerId, Tcp};

/// Time without a byte after which a channel gives its connection up, to make another with its next call. Half of what doors
/// admit, so that none ends just when a call is made; while a call is under way there are signs of life more often.
const QUIET: Duration = Duration::from_mins(1);

/// How long a client waits.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For TCP and TLS together.
    pub connect: Duration,
    /// For a call, from sending to answer.
    pub call: Duration,
}

impl Default for Timeouts {
    /// 5 seconds for a connection between provinces, 20 for a call: longer than the server's own deadline, so that
    /// the server's answer is the one that counts.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            call: Duration::from_secs(20),
        }
    }
}

/// A channel to the peer `expected` at `address` (`host:port`). It connects with the first call and again after a
/// loss; a server with another identity is never spoken to.
///
/// # Errors
/// [`FederationError::Address`].
pub fn connect(
    address: &str,
    expected: PeerId,
    credentials: Arc<dyn Credentials>,
    timeouts: Timeouts,
) -> Result<Channel, FederationError> {
    connect_through(Arc::new(Tcp), address, expected, credentials, timeouts)
}

/// As [`connect`], over connections that `dial` makes.
///
/// # Errors
/// As [`connect`].
pub fn connect_through(
    dial: Arc<dyn Dial>,
    address: &str,
    expected: PeerId,
    credentials: Arc<dyn Credentials>,
    timeouts: Timeouts,
) -> Result<Channel, FederationError> {
    let uri: Uri = format!("http://{address}")
        .parse()
        .map_err(|_| FederationError::Address)?;
    let (Some(host), Some(port)) = (uri.host(), uri.port_u16()) else {
        return Err(FederationError::Address);
    };
    let host = host.trim_matches(['[', ']']).to_owned();
    ServerName::try_from(host.clone()).map_err(|_| FederationError::Address)?;
    let connector = service_fn(move |_: Uri| {
        let dialling = dial.dial(host.clone(), port);
        let (host, expected, credentials) =
            (host.clone(), expected.clone(), Arc::clone(&credentials));
        async move {
            open(dialling, host, expected, &*credentials)
                .await
                .map(TokioIo::new)
        }
    });
    let endpoint = Endpoint::from(uri)
        .connect_timeout(timeouts.connect)
        .timeout(timeouts.call)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10));
    Ok(endpoint.connect_with_connector_lazy(connector))
}

async fn open(
    dialling: Dialling,
    host: String,
    expected: PeerId,
    credentials: &dyn Credentials,
) -> io::Result<Standing<TlsStream<AnyStream>>> {
    // Asked for first: material that is swapped during the handshake is a change.
    let changes = credentials.changes();
    let config = credentials
        .current()
        .client(expected.clone())
        .map_err(io::Error::other)?;
    let stream = dialling.await?;
    let name = ServerName::try_from(host).map_err(io::Error::other)?;
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await?;
    let (_, session) = stream.get_ref();
    let chain = session.peer_certificates().unwrap_or_default().to_vec();
    let refused = Other::Server(expected, chain).until_refused(changes);
    let heard = Heard::now();
    let hears = heard.clone();
    let until_end = async move {
        tokio::select! {
            () = refused => End::Cut,
            () = heard.until_quiet(QUIET) => End::Close,
        }
    };
    let on_read = Box::new(move |_| {
        hears.again();
        false
    });
    Ok(Standing::new(stream, Box::pin(until_end), on_read))
}

/// How often and how soon a call is made again.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Calls in all, at least 1.
    pub attempts: u32,
    /// Longest first wait; doubles with each attempt.
    pub first_wait: Duration,
    /// Longest wait of all.
    pub most_wait: Duration,
    /// Seed of the jitter: any number that differs between callers.
    pub seed: u64,
}

/// Makes a call until it succeeds, fails for good, or the attempts are used up. Only an answer that says "not now"
/// (`UNAVAILABLE`, `RESOURCE_EXHAUSTED`) is tried again, after a random part of the wait but not before the time
/// that the answer names. The call must be one that may be made twice: all mutating calls carry an identifier.
///
/// # Errors
/// The last answer.
pub async fn retry<T, F, A>(policy: Retry, mut call: F) -> Result<T, Status>
where
    F: FnMut() -> A,
    A: Future<Output = Result<T, Status>>,
{
    let mut backoff = Backoff::new(policy.first_wait, policy.most_wait, policy.seed);
    for attempt in 1.. {
        let answer = match call().await {
            Ok(answer) => return Ok(answer),
            Err(answer) => answer,
        };
        let not_now = matches!(answer.code(), Code::Unavailable | Code::ResourceExhausted);
        if !not_now || attempt >= policy.attempts {
            return Err(answer);
        }
        let asked = wire::retry_after(&answer).unwrap_or_default();
        tokio::time::sleep(backoff.next_wait().max(asked).min(policy.most_wait)).await;
    }
    unreachable!("the loop ends by returning")
}

/// Waits that double up to a longest one, each of them a random part between a half and the whole.
#[derive(Clone, Debug)]
pub struct Backoff {
    wait: Duration,
    most: Duration,
    jitter: u64,
}

impl Backoff {
    /// Waits that begin with `first` and end with `most`; `seed` is any number that differs between callers.
    pub const fn new(first: Duration, most: Duration, seed: u64) -> Self {
        Self {
            wait: first,
            most,
            jitter: seed | 1,
        }
    }

    /// The next wait.
    pub fn next_wait(&mut self) -> Duration {
        let wait = self.wait.min(self.most);
        self.wait = (self.wait * 2).min(self.most);
        part_of(wait, &mut self.jitter)
    }
}

/// A part of `wait` between a half and the whole, by xorshift.
fn part_of(wait: Duration, state: &mut u64) -> Duration {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    let share = u32::try_from(*state >> 40).unwrap_or(0);
    wait / 2 + wait.mul_f64(f64::from(share) / f64::from(1_u32 << 25))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use wire::{Reason, status, status_retry_after};

    use super::*;

    const POLICY: Retry = Retry {
        attempts: 4,
        first_wait: Duration::from_millis(100),
        most_wait: Duration::from_secs(1),
        seed: 7,
    };

    #[tokio::test(start_paused = true)]
    async fn not_now_is_tried_again_until_it_succeeds() {
        let calls = Cell::new(0);
        let answer = retry(POLICY, || {
            calls.set(calls.get() + 1);
            let now = calls.get() == 3;
            async move {
                if now {
                    Ok("done")
                } else {
                    Err(status(Reason::Draining))
                }
            }
        });
        assert_eq!(answer.await.unwrap(), "done");
        assert_eq!(calls.get(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_for_good_is_not_tried_again() {
        let calls = Cell::new(0);
        let answer: Result<(), Status> = retry(POLICY, || {
            calls.set(calls.get() + 1);
            async { Err(status(Reason::RoleRefused)) }
        })
        .await;
        assert!(answer.is_err());
        assert_eq!(calls.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn attempts_are_used_up_and_the_named_wait_is_kept() {
        let begin = tokio::time::Instant::now();
        let calls = Cell::new(0);
        let wait = Duration::from_millis(900);
        let answer: Result<(), Status> = retry(POLICY, || {
            calls.set(calls.get() + 1);
            async move { Err(status_retry_after(Reason::ProverBusy, wait)) }
        })
        .await;
        assert!(answer.is_err());
        assert_eq!(calls.get(), 4);
        assert!(begin.elapsed() >= wait * 3);
    }

    #[test]
    fn jitter_keeps_between_a_half_and_the_whole() {
        let mut state = 99;
        for _ in 0..1_000 {
            let part = part_of(Duration::from_secs(1), &mut state);
            assert!((Duration::from_millis(500)..=Duration::from_secs(1)).contains(&part));
        }
    }
}
