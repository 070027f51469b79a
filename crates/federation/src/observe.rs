//! Seeing every call of a door, from outside the table: a request id, a span, and how the call ended.
//!
//! What is seen is the call's name, the role of its caller, its status and its time: nothing of a message.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Frame, SizeHint};
use tonic::body::Body;
use tonic::{Code, Status};
use tower::{Layer, Service};
use tracing::Instrument as _;
use wire::{Method, Reason};

use crate::CallerKind;
use crate::arrival::Arrival;

/// The metadata key under which a request id travels, in both directions.
const HEADER: &str = "x-request-id";
/// Where gRPC says how a call ended: in the headers of a refusal, in the trailers of an answer.
const GRPC_STATUS: &str = "grpc-status";

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The name of one call: 128 bits without a meaning. It stands in the logs of every node that the call touches and goes
/// back to the caller, who can quote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// From fresh random bytes.
    pub const fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads 32 lower-case hexadecimal digits; none for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let is_lower = |c: &u8| c.is_ascii_digit() || (b'a'..=b'f').contains(c);
        if !text.iter().all(is_lower) {
            return None;
        }
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The id of the call that the present task works for, if it works for one.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|id| *id).ok()
    }

    /// Has a future, on whatever task it runs, work for the call of this id.
    pub fn scope<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }

    /// Sends the id of the present call along with a request to another node.
    pub fn send_along<T>(request: T) -> tonic::Request<T> {
        let mut request = tonic::Request::new(request);
        if let Some(value) = Self::current().and_then(|id| id.to_string().parse().ok()) {
            request.metadata_mut().insert(HEADER, value);
        }
        request
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A call that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedCall {
    /// Which; none for a path that names no call.
    pub method: Option<Method>,
    /// Who made it; none for a request that came through no door.
    pub caller: Option<CallerKind>,
    /// Its status; [`Code::Cancelled`] also for a call whose caller went away before the answer was whole.
    pub code: Code,
    /// The stable reason of a refusal, where it has one.
    pub reason: Option<Reason>,
    /// From its headers to the last byte of its answer.
    pub took: Duration,
}

/// Whoever counts a server's calls, and gives them their ids.
pub trait CallObserver: Send + Sync + 'static {
    /// An id that no call had before, and that tells nothing: fresh random bytes.
    fn new_id(&self) -> RequestId;

    /// A call has come.
    fn began(&self);

    /// A call has ended; exactly once for each that came.
    fn ended(&self, call: &EndedCall);
}

/// Puts an observer before everything else behind a door.
#[derive(Clone)]
pub(crate) struct Observe(pub(crate) Option<Arc<dyn CallObserver>>);

impl<S> Layer<S> for Observe {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed {
            observer: self.0.clone(),
            inner,
        }
    }
}

/// A service whose calls are seen.
#[derive(Clone)]
pub struct Observed<S> {
    observer: Option<Arc<dyn CallObserver>>,
    inner: S,
}

impl<S> Service<Request<Body>> for Observed<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let Some(observer) = self.observer.clone() else {
            return Box::pin(self.inner.call(request));
        };
        let arrival = request.extensions().get::<Arrival>();
        let caller = arrival.map(|arrival| arrival.caller.kind());
        let id = id_of(&request, caller).unwrap_or_else(|| observer.new_id());
        request.extensions_mut().insert(id);
        let method = Method::from_path(request.uri().path());
        // At a level that is never filtered out, so that whatever a call has logged carries its id.
        let span = tracing::error_span!(
            "call",
            request = %id,
            method = method_name(method),
            caller = caller.map_or("none", CallerKind::name),
            code = tracing::field::Empty,
        );
        observer.began();
        let mut ending = Ending {
            observer,
            span: span.clone(),
            method,
            caller,
            began: Instant::now(),
            is_told: false,
        };
        let answer = span.in_scope(|| self.inner.call(request));
        Box::pin(
            id.scope(async move {
                let answer = answer.await;
                let Ok(mut answer) = answer;
                if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
                    answer
                        .headers_mut()
                        .insert(HeaderName::from_static(HEADER), value);
                }
                // A refusal says its status at once; an answer says it behind its last message.
                if answer.headers().contains_key(GRPC_STATUS) {
                    ending.tell(answer.headers());
                    return Ok(answer);
                }
                let body = |inner| Body::new(SeenBody { inner, ending });
                Ok(answer.map(body))
            })
            .instrument(span),
        )
    }
}

/// The id that a caller with a certificate sends along. Nobody else's is taken: it would be a place in the node's logs
/// where anybody can write.
fn id_of(request: &Request<Body>, caller: Option<CallerKind>) -> Option<RequestId> {
    let is_peer = !matches!(
        caller,
        None | Some(CallerKind::Public | CallerKind::Gate | CallerKind::Staff)
    );
    let value = request.headers().get(HEADER).filter(|_| is_peer)?;
    RequestId::parse(value.as_bytes())
}

/// A call's name as it is logged and counted: `Service/Call`.
pub fn method_name(method: Option<Method>) -> &'static str {
    method.map_or("unknown", |method| {
        let path = method.path();
        path.rsplit_once('.').map_or(path, |(_, name)| name)
    })
}

/// How a call ends: told once, at the latest when it is dropped.
struct Ending {
    observer: Arc<dyn CallObserver>,
    span: tracing::Span,
    method: Option<Method>,
    caller: Option<CallerKind>,
    began: Instant,
    is_told: bool,
}

impl Ending {
    /// Tells the status that stands in headers or trailers.
    fn tell(&mut self, headers: &HeaderMap) {
        let status = Status::from_header_map(headers);
        let code = status.as_ref().map_or(Code::Unknown, Status::code);
        let reason = status.as_ref().and_then(wire::reason_of);
        self.tell_code(code, reason);
    }

    fn tell_code(&mut self, code: Code, reason: Option<Reason>) {
        if std::mem::replace(&mut self.is_told, true) {
            return;
        }
        let took = self.began.elapsed();
        self.span.record("code", tracing::field::debug(code));
        tracing::debug!(
            parent: &self.span,
            reason = reason.map(Reason::code),
            took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "a call has ended"
        );
        self.observer.ended(&EndedCall {
            method: self.method,
            caller: self.caller,
            code,
            reason,
            took,
        });
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.tell_code(Code::Cancelled, None);
    }
}

/// An answer's body, watched for the status behind it.
struct SeenBody {
    inner: Body,
    ending: Ending,
}

impl http_body::Body for SeenBody {
    type Data = <Body as http_body::Body>::Data;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Status>>> {
        let this = self.get_mut();
        let frame = Pin::new(&mut this.inner).poll_frame(cx);
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.ending.tell(trailers);
                }
            }
            Poll::Ready(Some(Err(status))) => this.ending.tell_code(status.code(), None),
            Poll::Ready(None) => this.ending.tell_code(Code::Unknown, None),
            Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_32_lower_case_digits_and_nothing_else() {
        let id = RequestId::from_random([0xa5; 16]);
        let text = id.to_string();
        assert_eq!(text, "a5".repeat(16));
        assert_eq!(RequestId::parse(text.as_bytes()), Some(id));
        for bad in [
            String::new(),
            text.to_uppercase(),
            text[1..].to_owned(),
            format!("{text}0"),
            format!("{}\n", &text[1..]),
            "330106198706057391".to_owned(),
            "g".repeat(32),
        ] {
            assert_eq!(RequestId::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn an_id_is_sent_along_only_where_one_is_worked_for() {
        let plain = RequestId::send_along(());
        assert!(plain.metadata().get(HEADER).is_none());
        let id = RequestId::from_random([7; 16]);
        let request = id.scope(async { RequestId::send_along(()) }).await;
        let sent = request.metadata().get(HEADER).unwrap();
        assert_eq!(sent.to_str().unwrap(), id.to_string());
    }

    #[test]
    fn every_call_has_a_short_name_of_its_own() {
        let names: std::collections::BTreeSet<_> =
            Method::ALL.iter().map(|m| method_name(Some(*m))).collect();
        assert_eq!(names.len(), Method::ALL.len());
        assert!(names.contains("ResidentService/MakeCode") && names.contains("Health/Check"));
        assert_eq!(method_name(None), "unknown");
    }
}
