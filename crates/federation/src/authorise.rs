//! Who may make which call: a closed table, and the layer that enforces it before any service.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use rules::ProvinceCode;
use tokio::sync::Semaphore;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};
use wire::{Method, Reason, status, status_retry_after};

use crate::{PeerId, Role};

/// Time after which a call that was shed may be made again.
const RETRY_WHEN_SHED: Duration = Duration::from_millis(500);

/// Who makes a call, as the door established it. In the request's extensions of every call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The holder of a certificate of the federation.
    Peer(PeerId),
    /// Anybody, at the public door; residents sign their calls themselves.
    Public,
    /// Somebody at the gate's own machine.
    Gate,
}

impl Caller {
    /// Who made this call.
    ///
    /// # Errors
    /// The status of [`Reason::RoleRefused`] for a request that came through no door.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<&Self, Status> {
        request
            .extensions()
            .get()
            .ok_or_else(|| status(Reason::RoleRefused))
    }

    /// The certificate's identity.
    ///
    /// # Errors
    /// The status of [`Reason::RoleRefused`] for a caller without one.
    pub fn peer_of<T>(request: &tonic::Request<T>) -> Result<&PeerId, Status> {
        match Self::of(request)? {
            Self::Peer(peer) => Ok(peer),
            Self::Public | Self::Gate => Err(status(Reason::RoleRefused)),
        }
    }

    /// The column of the table that it falls under.
    pub const fn kind(&self) -> CallerKind {
        match self {
            Self::Public => CallerKind::Public,
            Self::Gate => CallerKind::Gate,
            Self::Peer(peer) => match peer.role {
                Role::Node => CallerKind::Node,
                Role::Source(..) => CallerKind::Source,
                Role::Checkpoint => CallerKind::Checkpoint,
                Role::Operator => CallerKind::Operator,
            },
        }
    }
}

/// A column of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallerKind {
    /// A node of any province of the federation.
    Node,
    /// A source of any province: what it is entitled to is judged with each event.
    Source,
    /// A checkpoint of any province.
    Checkpoint,
    /// An operator of the node's own province.
    Operator,
    /// Anybody, at the public door.
    Public,
    /// Somebody at the gate's own machine.
    Gate,
}

impl CallerKind {
    /// One word, for logs and counts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Source => "source",
            Self::Checkpoint => "checkpoint",
            Self::Operator => "operator",
            Self::Public => "public",
            Self::Gate => "gate",
        }
    }
}

/// The table: who may make a call. Everybody else is refused, and so is a call that is not in it.
pub const fn callers(method: Method) -> &'static [CallerKind] {
    use CallerKind::{Checkpoint, Gate, Node, Operator, Public, Source};
    match method {
        Method::GetHome
        | Method::Register
        | Method::DeclareHealth
        | Method::DeclareTrip
        | Method::Query
        | Method::RequestUse
        | Method::MakeCode
        | Method::Correct => &[Public],
        Method::SubmitEvent | Method::SubmitEvents => &[Source],
        Method::GetTrustList => &[Node, Source, Checkpoint, Operator, Public],
        Method::GetTreeHead
        | Method::CosignRegistry
        | Method::GetRegistry
        | Method::PublishRegistry
        | Method::CosignOnline
        | Method::PublishOnline => &[Node],
        Method::CloseEpoch
        | Method::AssembleRegistry
        | Method::GetNodeStatus
        | Method::Drain
        | Method::AdvanceClock => &[Operator],
        Method::NewChallenge | Method::VerifyCode | Method::VerifyCodes | Method::GetGateStatus => {
            &[Gate]
        }
        Method::HealthCheck | Method::HealthWatch => &[Node, Operator, Public, Gate],
    }
}

/// Whether a caller may make a call at a server of province `own`; `None` at a gate.
pub fn admits(method: Method, caller: &Caller, own: Option<ProvinceCode>) -> bool {
    let at_home = match caller {
        Caller::Peer(peer) if peer.role == Role::Operator => Some(peer.province) == own,
        _ => true,
    };
    at_home && callers(method).contains(&caller.kind())
}

/// Puts the table, the limit on calls under way and the deadline before all services of a door.
#[derive(Clone)]
pub(crate) struct Guard {
    pub(crate) own: Option<ProvinceCode>,
    pub(crate) calls: Arc<Semaphore>,
    pub(crate) deadline: Duration,
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
pub(crate) struct Guarded<S> {
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

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let method = match self.guard.check(&request) {
            Ok(method) => method,
            Err(reason) => return Box::pin(std::future::ready(Ok(status(reason).into_http()))),
        };
        // Health is never shed: an overloaded node is not a dead one.
        let counted = !matches!(method, Method::HealthCheck | Method::HealthWatch);
        let permit = counted.then(|| Arc::clone(&self.guard.calls).try_acquire_owned());
        let Ok(permit) = permit.transpose() else {
            let shed = status_retry_after(Reason::Overloaded, RETRY_WHEN_SHED).into_http();
            return Box::pin(std::future::ready(Ok(shed)));
        };
        let answer = tokio::time::timeout(self.guard.deadline, self.inner.call(request));
        Box::pin(async move {
            let answer = answer.await;
            drop(permit);
            answer.unwrap_or_else(|_| Ok(status(Reason::Deadline).into_http()))
        })
    }
}

impl Guard {
    fn check(&self, request: &Request<Body>) -> Result<Method, Reason> {
        let caller = request
            .extensions()
            .get::<Caller>()
            .ok_or(Reason::RoleRefused)?;
        let method = Method::from_path(request.uri().path()).ok_or(Reason::UnknownMethod)?;
        if admits(method, caller, self.own) {
            Ok(method)
        } else {
            tracing::warn!(method = method.path(), caller = ?caller.kind(), "call refused by role");
            Err(Reason::RoleRefused)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FederationId;

    fn province(code: u8) -> ProvinceCode {
        ProvinceCode::new(code).unwrap()
    }

    fn peer(code: u8, role: Role) -> Caller {
        let federation = FederationId::new("demo").unwrap();
        Caller::Peer(PeerId {
            federation,
            province: province(code),
            role,
        })
    }

    #[test]
    fn no_call_lacks_an_entry() {
        for &method in Method::ALL {
            assert!(!callers(method).is_empty(), "{method:?}");
        }
    }

    /// The table once more, from the other side: which services each caller reaches.
    #[test]
    fn each_caller_reaches_its_own_services_and_no_other() {
        let lab = Role::Source(rules::SourceKind::Laboratory, 1);
        let reach: [(Caller, &[&str]); 6] = [
            (
                peer(35, Role::Node),
                &["viridian.federation", "viridian.trust", "grpc.health"],
            ),
            (peer(35, lab), &["viridian.source", "viridian.trust"]),
            (peer(35, Role::Checkpoint), &["viridian.trust"]),
            (
                peer(33, Role::Operator),
                &["viridian.operator", "viridian.trust", "grpc.health"],
            ),
            (
                Caller::Public,
                &["viridian.resident", "viridian.trust", "grpc.health"],
            ),
            (Caller::Gate, &["viridian.gate", "grpc.health"]),
        ];
        for (caller, areas) in reach {
            for &method in Method::ALL {
                let expected = areas
                    .iter()
                    .any(|area| method.path()[1..].starts_with(area));
                let got = admits(method, &caller, Some(province(33)));
                assert_eq!(got, expected, "{caller:?} {method:?}");
            }
        }
    }

    #[test]
    fn an_operator_of_another_province_reaches_nothing() {
        for &method in Method::ALL {
            assert!(!admits(
                method,
                &peer(35, Role::Operator),
                Some(province(33))
            ));
        }
    }
}
