//! Who may make which call: a closed table.

use rules::ProvinceCode;
use tonic::Status;
use wire::{Method, Reason, status};

use crate::{PeerId, Role};

/// Who makes a call, as the door established it. In the request's extensions of every call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// The holder of a certificate of the federation.
    Peer(PeerId),
    /// Anybody, at the public door; residents sign their calls themselves.
    Public,
    /// Somebody at the gate's own machine.
    Gate,
    /// A browser at an institution's console; its staff sign in there.
    Staff,
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
            Self::Public | Self::Gate | Self::Staff => Err(status(Reason::RoleRefused)),
        }
    }

    /// The column of the table that it falls under.
    pub const fn kind(&self) -> CallerKind {
        match self {
            Self::Public => CallerKind::Public,
            Self::Gate => CallerKind::Gate,
            Self::Staff => CallerKind::Staff,
            Self::Peer(peer) => match peer.role {
                Role::Node => CallerKind::Node,
                Role::Source(..) => CallerKind::Source,
                Role::Checkpoint => CallerKind::Checkpoint,
                Role::Operator => CallerKind::Operator,
                Role::Auditor(_) => CallerKind::Auditor,
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
    /// An auditor of any province: a province's own would be nobody else's.
    Auditor,
    /// Anybody, at the public door.
    Public,
    /// Somebody at the gate's own machine.
    Gate,
    /// A browser at an institution's console.
    Staff,
}

impl CallerKind {
    /// One word, for logs and counts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Source => "source",
            Self::Checkpoint => "checkpoint",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
            Self::Public => "public",
            Self::Gate => "gate",
            Self::Staff => "staff",
        }
    }
}

/// The table: who may make a call. Everybody else is refused, and so is a call that is not in it.
pub const fn callers(method: Method) -> &'static [CallerKind] {
    use CallerKind::{Auditor, Checkpoint, Gate, Node, Operator, Public, Source, Staff};
    match method {
        Method::GetHome
        | Method::Register
        | Method::DeclareHealth
        | Method::DeclareTrip
        | Method::Query
        | Method::RequestUse
        | Method::MakeCode
        | Method::Correct
        | Method::RevokePasses
        | Method::Leave
        | Method::SetProxy => &[Public],
        Method::SubmitEvent
        | Method::SubmitEvents
        | Method::StreamEvents
        | Method::GetForwarded
        | Method::ConfirmForwarded
        | Method::OpenEvent
        | Method::ListAppeals
        | Method::ReadAppeal
        | Method::DecideAppeal
        | Method::NameProxy => &[Source],
        Method::GetTrustList | Method::GetRevocationBatch => {
            &[Node, Source, Checkpoint, Operator, Auditor, Public]
        }
        Method::GetTreeHead
        | Method::CosignRegistry
        | Method::GetRegistry
        | Method::PublishRegistry
        | Method::CosignOnline
        | Method::PublishOnline
        | Method::Contribute
        | Method::GetSignedRegistry
        | Method::GetSignedOnline
        | Method::GetSealingKey
        | Method::ForwardEvents
        | Method::AddCheckpoint
        | Method::GetLogPart
        | Method::GetWitnessed => &[Node],
        Method::OpenSample | Method::OpenLeaf => &[Auditor],
        Method::CloseEpoch
        | Method::AssembleRegistry
        | Method::GetNodeStatus
        | Method::ListSources
        | Method::Drain
        | Method::AdvanceClock => &[Operator],
        Method::NewChallenge
        | Method::VerifyCode
        | Method::VerifyCodes
        | Method::GetGateStatus
        | Method::GetSetting => &[Gate],
        Method::BeginEnrol
        | Method::Enrol
        | Method::BeginSignIn
        | Method::SignIn
        | Method::SignOut
        | Method::GetDesk
        | Method::Propose
        | Method::ListProposals
        | Method::ReadProposal
        | Method::JudgeProposal
        | Method::WithdrawProposal
        | Method::ListCases
        | Method::ReadCase
        | Method::GetConsoleOverview
        | Method::ListIntake
        | Method::ListActs
        // Beside the auditor's page to anybody, which stands behind no door of ours.
        | Method::GetOverview
        | Method::GetRuleText
        | Method::GetCounts
        | Method::GetImpacts => &[Staff],
        // At the machine itself, and through no door.
        Method::Backup | Method::Compact | Method::RenewKeys => &[],
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
            // What is asked for on the machine itself is answered at no door.
            let is_local = method.path().starts_with("/viridian.maintenance.");
            assert_eq!(callers(method).is_empty(), is_local, "{method:?}");
        }
    }

    /// The table once more, from the other side: which services each caller reaches.
    #[test]
    fn each_caller_reaches_its_own_services_and_no_other() {
        let lab = Role::Source(rules::SourceKind::Laboratory, 1);
        let reach: [(Caller, &[&str]); 9] = [
            (
                peer(35, Role::Node),
                &["viridian.federation", "viridian.trust", "grpc.health"],
            ),
            (peer(35, lab), &["viridian.source", "viridian.trust"]),
            (peer(35, Role::Checkpoint), &["viridian.trust"]),
            (
                peer(35, Role::Auditor(2)),
                &["viridian.audit", "viridian.trust"],
            ),
            (
                peer(33, Role::Auditor(1)),
                &["viridian.audit", "viridian.trust"],
            ),
            (
                peer(33, Role::Operator),
                &["viridian.operator", "viridian.trust", "grpc.health"],
            ),
            (
                Caller::Public,
                &["viridian.resident", "viridian.trust", "grpc.health"],
            ),
            (Caller::Gate, &["viridian.gate", "grpc.health"]),
            (Caller::Staff, &["viridian.console", "viridian.public"]),
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
