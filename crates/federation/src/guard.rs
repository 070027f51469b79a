//! The layer before all services of a door: table, quota, room and time of each call.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use rules::ProvinceCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};
use wire::{Method, Reason, status, status_retry_after};

use crate::activity::OpenCall;
use crate::arrival::Arrival;
use crate::places::{Counted, Counts};
use crate::{Caller, Limits, PeerId, Quotas, RequestId, admits};

/// The header in which a caller says how long it waits.
const TIMEOUT_HEADER: &str = "grpc-timeout";

tokio::task_local! {
    /// When nobody waits for the call of this task any more.
    static DEADLINE: Instant;
}

/// The moment from which nobody waits for the answer of the call that this task serves: the door's deadline, or the
/// caller's own if that is earlier. None outside of a call. What is not begun by then need not be begun.
pub fn call_deadline() -> Option<Instant> {
    DEADLINE.try_with(|deadline| *deadline).ok()
}

/// A request to somebody else that is made for the call of this task: whoever gets it is told the call's id, and how long
/// its answer is of use.
pub fn pass_on<T>(message: T) -> tonic::Request<T> {
    let mut request = RequestId::send_along(message);
    if let Some(deadline) = call_deadline() {
        request.set_timeout(deadline.saturating_duration_since(Instant::now()));
    }
    request
}

/// The time of a long call, in its request's extensions. While it is held the call is under way.
#[derive(Clone)]
pub struct CallTime {
    open: Arc<OpenCall>,
    /// When the call has to be over: by the caller's own patience, if it said so, and when its connection reaches its
    /// greatest age.
    pub until: Instant,
}

impl CallTime {
    /// The call has got on; unless it does so again within `time` its connection may be cut.
    pub fn renew(&self, time: Duration) {
        self.open.renew(Instant::now() + time);
    }
}

/// Whose quota a call counts against.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Payer {
    Peer(PeerId),
    Address(IpAddr),
}

/// What calls need to be begun, by kind.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    /// Most calls.
    Common,
    /// What gates need to tell whom to trust. It touches no store, so it has room of its own.
    Trust,
    /// A health check: refused only beyond its own quota.
    Health,
    /// What may last as long as its connection.
    Long,
}

const fn kind(method: Method) -> Kind {
    match method {
        Method::HealthCheck => Kind::Health,
        Method::GetTrustList => Kind::Trust,
        Method::HealthWatch | Method::StreamEvents => Kind::Long,
        _ => Kind::Common,
    }
}

/// Puts the table, quotas, room and deadlines before all services of a door.
#[derive(Clone)]
pub(crate) struct Guard(Arc<Shared>);

struct Shared {
    own: Option<ProvinceCode>,
    limits: Limits,
    begun: Instant,
    quotas: Option<Quotas<(Payer, Kind)>>,
    under_way: Counts<(Payer, Kind)>,
    common: Arc<Semaphore>,
    trust: Arc<Semaphore>,
    long: Arc<Semaphore>,
}

impl Guard {
    pub(crate) fn new(own: Option<ProvinceCode>, limits: Limits) -> Self {
        Self(Arc::new(Shared {
            own,
            limits,
            begun: Instant::now(),
            quotas: limits
                .quota
                .map(|quota| Quotas::new(quota, limits.max_callers)),
            under_way: Counts::new(),
            common: Arc::new(Semaphore::new(limits.max_calls)),
            trust: Arc::new(Semaphore::new(limits.max_calls)),
            long: Arc::new(Semaphore::new(limits.max_long_calls)),
        }))
    }
}

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded {
            guard: self.clone(),
            inner,
        }
    }
}

/// A service behind the table.
#[derive(Clone)]
pub struct Guarded<S> {
    guard: Guard,
    inner: S,
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let admitted = match self.guard.0.admit(&mut request) {
            Ok(admitted) => admitted,
            Err(refused) => return Box::pin(std::future::ready(Ok(refused.into_http()))),
        };
        let Admitted { held, deadline } = admitted;
        let answer = DEADLINE.scope(deadline, self.inner.call(request));
        Box::pin(async move {
            let answered = tokio::time::timeout_at(deadline, answer).await;
            let answer = answered.unwrap_or_else(|_| Ok(status(Reason::Deadline).into_http()))?;
            Ok(answer.map(|body| Body::new(HeldBody { body, _held: held })))
        })
    }
}

/// A call that may be begun.
struct Admitted {
    held: Held,
    /// When its answer has to have begun.
    deadline: Instant,
}

/// What a call holds until its answer is taken.
struct Held {
    _open: Arc<OpenCall>,
    _counted: Option<Counted<(Payer, Kind)>>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Shared {
    fn admit(&self, request: &mut Request<Body>) -> Result<Admitted, Status> {
        let arrival: Option<&Arrival> = request.extensions().get();
        let arrival = arrival.cloned().ok_or(status(Reason::RoleRefused))?;
        let method =
            Method::from_path(request.uri().path()).ok_or(status(Reason::UnknownMethod))?;
        let Arrival {
            caller,
            from,
            leaves_at,
            activity,
        } = arrival;
        if !admits(method, &caller, self.own) {
            tracing::warn!(method = method.path(), caller = ?caller.kind(), "call refused by role");
            return Err(status(Reason::RoleRefused));
        }
        let kind = kind(method);
        let counted = self.spend(&caller, from, kind)?;
        let room = self.room(kind)?;

        let now = Instant::now();
        let patience = patience(request.headers()).map(|patience| now + patience);
        let own = now + self.limits.deadline;
        let deadline = patience.map_or(own, |patience| patience.min(own));
        let latest = match (kind, method) {
            // It says something only when health changes.
            (Kind::Long, Method::HealthWatch) => None,
            (Kind::Long, _) => Some(own + self.limits.idle),
            // The time once more, to take the answer.
            _ => Some(own + self.limits.deadline),
        };
        let open = Arc::new(activity.begin(latest));
        if kind == Kind::Long {
            let open = Arc::clone(&open);
            let until = patience.map_or(leaves_at, |patience| patience.min(leaves_at));
            request.extensions_mut().insert(CallTime { open, until });
        }
        request.extensions_mut().insert(caller);
        Ok(Admitted {
            held: Held {
                _open: open,
                _counted: counted,
                _room: room,
            },
            deadline,
        })
    }

    /// Counts a call against its caller's quota, and among those that the caller has under way.
    fn spend(
        &self,
        caller: &Caller,
        from: IpAddr,
        kind: Kind,
    ) -> Result<Option<Counted<(Payer, Kind)>>, Status> {
        let payer = match caller {
            Caller::Peer(peer) => (Payer::Peer(peer.clone()), kind),
            Caller::Public | Caller::Staff => (Payer::Address(from), kind),
            // Whoever is at the gate's own machine can do worse to it.
            Caller::Gate => return Ok(None),
        };
        if let Some(quotas) = &self.quotas {
            quotas
                .take(&payer, 1, self.begun.elapsed())
                .map_err(|wait| status_retry_after(Reason::Quota, wait))?;
        }
        let most = match kind {
            Kind::Long => self.limits.max_long_calls_per_caller,
            Kind::Common | Kind::Trust | Kind::Health => self.limits.max_calls_per_caller,
        };
        let counted = self.under_way.enter(payer, most);
        counted.map(Some).ok_or_else(|| status(Reason::Quota))
    }

    fn room(&self, kind: Kind) -> Result<Option<OwnedSemaphorePermit>, Status> {
        let room = match kind {
            Kind::Health => return Ok(None),
            Kind::Common => &self.common,
            Kind::Trust => &self.trust,
            Kind::Long => &self.long,
        };
        let permit = Arc::clone(room).try_acquire_owned();
        permit.map(Some).map_err(|_| status(Reason::Overloaded))
    }
}

/// How long a caller waits, by its header; none for one that says nothing, or nothing intelligible.
fn patience(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(TIMEOUT_HEADER)?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_hours(number),
        "M" => Duration::from_mins(number),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// An answer that holds its call's place until it is taken.
struct HeldBody {
    body: Body,
    _held: Held,
}

impl http_body::Body for HeldBody {
    type Data = <Body as http_body::Body>::Data;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn said(text: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(TIMEOUT_HEADER, HeaderValue::from_static(text));
        patience(&headers)
    }

    #[test]
    fn a_caller_s_patience_is_read_in_all_its_units() {
        assert_eq!(patience(&HeaderMap::new()), None);
        assert_eq!(said("2H"), Some(Duration::from_hours(2)));
        assert_eq!(said("3M"), Some(Duration::from_mins(3)));
        assert_eq!(said("15S"), Some(Duration::from_secs(15)));
        assert_eq!(said("99999999m"), Some(Duration::from_millis(99_999_999)));
        assert_eq!(said("7u"), Some(Duration::from_micros(7)));
        assert_eq!(said("0n"), Some(Duration::ZERO));
        for wrong in ["", "S", "1", "123456789S", "-1S", "+1S", "1s", "1 S"] {
            assert_eq!(said(wrong), None, "{wrong}");
        }
    }
}
