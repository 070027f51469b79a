//! The one table from errors to gRPC statuses: a stable reason code in the details, and a text without any data.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::WireError;
use crate::resident::v1::Refusal;

/// Domain of the reason codes in `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "viridian";

/// Defines [`Reason`] with code, gRPC status code and text of each row.
macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident, $code:literal, $grpc:ident, $text:literal;)*) => {
        /// Why a call is refused: the stable codes that programs may depend on.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// All reasons.
            pub const ALL: &'static [Reason] = &[$(Self::$name,)*];

            /// Its stable code.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)*
                }
            }

            /// The gRPC status code that it travels under.
            pub const fn grpc(self) -> Code {
                match self {
                    $(Self::$name => Code::$grpc,)*
                }
            }

            /// One sentence without data of anybody.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// The reason of a code, if it is known here.
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }
        }
    };
}

reasons! {
    /// A message is not of its form. The sender is at fault.
    Malformed, "MALFORMED", InvalidArgument, "a field is missing or not of its form";
    /// A message or field is over its size limit. The sender is at fault.
    TooLarge, "TOO_LARGE", InvalidArgument, "a field or list is over its limit";
    /// A canonical layout has a version that is not known here.
    UnknownVersion, "UNKNOWN_VERSION", InvalidArgument, "the version of a layout is not known here";
    /// The caller's role may not make this call.
    RoleRefused, "ROLE_REFUSED", PermissionDenied, "the caller's role may not make this call";
    /// The path names no call.
    UnknownMethod, "UNKNOWN_METHOD", Unimplemented, "there is no such call";
    /// The device key is not bound to a resident of this home.
    UnknownDevice, "UNKNOWN_DEVICE", Unauthenticated, "the device key is not registered here";
    /// A signature does not verify, or covers something else.
    BadSignature, "BAD_SIGNATURE", Unauthenticated, "the signature does not fit the call";
    /// A signed call is too old or from the future; the device should ask `GetHome` for the time.
    ClockSkew, "CLOCK_SKEW", Unauthenticated, "the call was signed too long ago or in the future";
    /// A signed call was seen before.
    Replayed, "REPLAYED", Unauthenticated, "the call was made before";
    /// The real-name check did not confirm the person.
    RealNameRefused, "REAL_NAME_REFUSED", PermissionDenied, "the real-name check did not confirm the person";
    /// The identity number is not valid.
    BadIdentityNumber, "BAD_IDENTITY_NUMBER", InvalidArgument, "the identity number is not valid";
    /// The area code is not valid.
    BadAreaCode, "BAD_AREA_CODE", InvalidArgument, "the area code is not valid";
    /// The person is registered with another key, or the key with another person.
    AlreadyBound, "ALREADY_BOUND", AlreadyExists, "the person or the key is bound otherwise";
    /// The resident has too many device keys.
    TooManyDevices, "TOO_MANY_DEVICES", ResourceExhausted, "no further device can be bound";
    /// A proxy's key makes a call that only the resident's own devices may make.
    ProxyRefused, "PROXY_REFUSED", PermissionDenied, "a proxy may not do this";
    /// The resident has as many proxies as there may be.
    TooManyProxies, "TOO_MANY_PROXIES", ResourceExhausted, "no further proxy can be named";
    /// The civil register does not say that the person lives here.
    LivesElsewhere, "LIVES_ELSEWHERE", FailedPrecondition, "the person does not live in this province";
    /// The event that a resident's own declaration makes is refused.
    EventRefused, "EVENT_REFUSED", FailedPrecondition, "the declared event is refused";
    /// No event, case or request of that name belongs to the caller.
    NotFound, "NOT_FOUND", NotFound, "nothing of that name belongs to the caller";
    /// The same identifier was used for something else.
    IdReused, "ID_REUSED", AlreadyExists, "the identifier was used for something else";
    /// The rule set is not in force, or not known.
    UnknownRuleSet, "UNKNOWN_RULE_SET", InvalidArgument, "the rule set is not in force";
    /// The resident was asked under too many rule sets today.
    TooManyRuleSets, "TOO_MANY_RULE_SETS", ResourceExhausted, "no further rule set can be asked for today";
    /// The record does not support the claim; the reasons are asked for with `Query`. Not sent as a status: `MakeCode`
    /// answers it inside its message.
    ClaimNotSupported, "CLAIM_NOT_SUPPORTED", FailedPrecondition, "the record does not support the claim";
    /// Something of the record counts, or could come to count: it is not erased.
    GroundOpen, "GROUND_OPEN", FailedPrecondition, "something of the record still counts, or waits to be confirmed";
    /// A decision is not about the appeal that it is handed in for, not by the caller, not of now, or its ruling is about something else.
    DecisionRefused, "DECISION_REFUSED", FailedPrecondition, "the decision or its ruling is not about this appeal, by this office and of now";
    /// There is no registry yet to prove against, or the record is not part of it yet.
    NotCommitted, "NOT_COMMITTED", FailedPrecondition, "the record is not part of a registry yet";
    /// The proving queue is full.
    ProverBusy, "PROVER_BUSY", ResourceExhausted, "the proving queue is full";
    /// The clock is the world's and cannot be moved.
    RealClock, "REAL_CLOCK", FailedPrecondition, "the clock is the world's and cannot be moved";
    /// The node has too many calls under way.
    Overloaded, "OVERLOADED", ResourceExhausted, "too many calls are under way";
    /// The caller has had its share for now.
    Quota, "QUOTA", ResourceExhausted, "the caller has used up its quota for now";
    /// The node is about to end.
    Draining, "DRAINING", Unavailable, "the node is about to end";
    /// The call's time is over.
    Deadline, "DEADLINE", DeadlineExceeded, "the time for the call is over";
    /// The epoch is not known here, or not closed yet.
    UnknownEpoch, "UNKNOWN_EPOCH", NotFound, "the epoch is not known here";
    /// The epoch cannot be closed: it is not the next, or its minute is not admitted.
    EpochRefused, "EPOCH_REFUSED", FailedPrecondition, "the epoch is not the next or its minute is not admitted";
    /// A tree head, its signature or its history is not right.
    HeadRefused, "HEAD_REFUSED", FailedPrecondition, "a tree head or its signature is not right";
    /// A registry statement does not follow from its heads.
    RegistryRefused, "REGISTRY_REFUSED", FailedPrecondition, "the registry does not follow from its heads";
    /// Another registry of the epoch was signed already.
    AlreadySigned, "ALREADY_SIGNED", AlreadyExists, "another statement of the epoch was signed already";
    /// Too few cosignatures came together.
    NoQuorum, "NO_QUORUM", Unavailable, "too few provinces answered";
    /// Nothing is sampled of the registry: no other province cosigned it, or it holds no head of this one.
    NotSampled, "NOT_SAMPLED", FailedPrecondition, "no leaves are drawn from that registry here";
    /// The records of the registry are not kept any more, and nothing of it is opened.
    SampleGone, "SAMPLE_GONE", FailedPrecondition, "the records of that registry are not kept any more";
    /// The node has no key of openings, or none that the root document names.
    OpeningNotOffered, "OPENING_NOT_OFFERED", FailedPrecondition, "openings are not offered here";
    /// A receipt is not this node's, or is over something else than the event beside it.
    ReceiptRefused, "RECEIPT_REFUSED", PermissionDenied, "the receipt is not this node's for this event";
    /// The event states nothing that a record holds by itself: the one that it speaks of is to be asked about.
    NothingToOpen, "NOTHING_TO_OPEN", InvalidArgument, "the event states nothing that a record holds by itself";
    /// What the event states stands in the record and ended before the moment that was asked about.
    EndedBefore, "ENDED_BEFORE", FailedPrecondition, "what the event states ended before the moment asked about";
    /// A checkpoint is not of the log that it is said to be of, or does not extend what this witness cosigned.
    CheckpointRefused, "CHECKPOINT_REFUSED", FailedPrecondition, "the checkpoint is not the log's or does not extend the one cosigned";
    /// A trust document is not right: sequence, age, signatures.
    TrustRefused, "TRUST_REFUSED", FailedPrecondition, "the trust document is not right";
    /// Nobody is signed in at the console, or the session is over.
    NotSignedIn, "NOT_SIGNED_IN", Unauthenticated, "nobody is signed in, or the session is over";
    /// The code of an invitation is not known, was used, or its time is over.
    InvitationRefused, "INVITATION_REFUSED", PermissionDenied, "the invitation is not known, was used, or is over";
    /// A passkey is nobody's here, or its answer does not fit what was asked.
    PasskeyRefused, "PASSKEY_REFUSED", Unauthenticated, "the passkey is nobody's here, or its answer does not fit";
    /// Somebody judges what they have proposed themselves.
    OwnProposal, "OWN_PROPOSAL", PermissionDenied, "nobody judges an own proposal";
    /// A proposal is judged, taken back or lapsed already.
    NotWaiting, "NOT_WAITING", FailedPrecondition, "the proposal does not wait any more";
    /// The console does not sign for that institution.
    UnknownOffice, "UNKNOWN_OFFICE", InvalidArgument, "the console does not sign for that institution";
    /// The institution may not state that.
    NotEntitled, "NOT_ENTITLED", InvalidArgument, "the institution may not state that";
    /// A moment is not over yet.
    InFuture, "IN_FUTURE", InvalidArgument, "the moment is in the future";
    /// A moment is longer ago than an event may speak of.
    TooLate, "TOO_LATE", InvalidArgument, "the moment is longer ago than is admitted";
    /// What somebody proposes to decide is to be decided by another proposal that waits or is being handed in.
    AlreadyProposed, "ALREADY_PROPOSED", AlreadyExists, "another proposal about it waits";
    /// An appeal was decided, and not so.
    AlreadyDecided, "ALREADY_DECIDED", AlreadyExists, "the appeal was decided otherwise";
    /// The node does not answer the console.
    NodeSilent, "NODE_SILENT", Unavailable, "the node does not answer";
    /// What is asked for needs a part of the configuration that is not there.
    NotConfigured, "NOT_CONFIGURED", FailedPrecondition, "what is asked for is not configured here";
    /// The disk is full; nothing was stored.
    StorageFull, "STORAGE_FULL", ResourceExhausted, "the storage is full";
    /// The storage failed; nothing was acknowledged. A human must look.
    StorageFailed, "STORAGE_FAILED", Unavailable, "the storage failed";
    /// A fault of the node. A human must look.
    Internal, "INTERNAL", Internal, "the node is at fault";
}

impl Reason {
    /// How long to wait where whoever refuses does not know better; none where waiting does not help by itself.
    pub const fn wait(self) -> Option<Duration> {
        match self {
            // Calls last milliseconds, proofs about a second.
            Self::Overloaded => Some(Duration::from_millis(500)),
            Self::ProverBusy | Self::Quota => Some(Duration::from_secs(1)),
            // A node that ends comes back, or another takes its place.
            Self::Draining => Some(Duration::from_secs(5)),
            // Somebody has to make room first.
            Self::StorageFull => Some(Duration::from_mins(1)),
            _ => None,
        }
    }
}

/// The status of a reason, with the time to wait where waiting helps.
pub fn status(reason: Reason) -> Status {
    match reason.wait() {
        Some(wait) => status_retry_after(reason, wait),
        None => Status::with_error_details(reason.grpc(), reason.text(), details(reason)),
    }
}

/// The status of a reason that may pass, with the time to wait before asking again.
pub fn status_retry_after(reason: Reason, wait: Duration) -> Status {
    let mut details = details(reason);
    details.set_retry_info(Some(wait));
    Status::with_error_details(reason.grpc(), reason.text(), details)
}

fn details(reason: Reason) -> ErrorDetails {
    ErrorDetails::with_error_info(reason.code(), DOMAIN, [])
}

/// A refused claim as a failed call, for callers that ask for passes and nothing else. It is made where the answer is
/// read: on the network a refusal is an answer like a pass, and looks like one. The details name `rules` and
/// `test_too_old`.
pub fn refused(refusal: &Refusal) -> Status {
    let reason = Reason::ClaimNotSupported;
    let data = [
        ("rules".to_owned(), refusal.rule_ids.join(",")),
        ("test_too_old".to_owned(), refusal.test_too_old.to_string()),
    ];
    let details = ErrorDetails::with_error_info(reason.code(), DOMAIN, data);
    Status::with_error_details(reason.grpc(), reason.text(), details)
}

/// The reason in a status, if it came from here.
pub fn reason_of(status: &Status) -> Option<Reason> {
    let info = status.get_details_error_info()?;
    if info.domain == DOMAIN {
        Reason::from_code(&info.reason)
    } else {
        None
    }
}

/// The time to wait that a status asks for.
pub fn retry_after(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

impl WireError {
    /// The reason that this error travels under.
    pub const fn reason(self) -> Reason {
        match self {
            Self::TooLong { .. } | Self::WrongCount { .. } => Reason::TooLarge,
            Self::WrongLength { .. }
            | Self::Missing { .. }
            | Self::Malformed { .. }
            | Self::Repeated { .. } => Reason::Malformed,
            Self::IdentityNumber => Reason::BadIdentityNumber,
            Self::AreaCode => Reason::BadAreaCode,
            Self::UnknownVersion { .. } => Reason::UnknownVersion,
            Self::OtherMethod { .. }
            | Self::OtherHome
            | Self::OtherKey
            | Self::OtherBody
            | Self::BadSignature => Reason::BadSignature,
            Self::Stale { .. } => Reason::ClockSkew,
        }
    }
}

/// The status names the field and its limit as well; both are of the protocol, not of the sender.
impl From<WireError> for Status {
    fn from(error: WireError) -> Self {
        let reason = error.reason();
        Status::with_error_details(reason.grpc(), error.to_string(), details(reason))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fmt::Write as _;

    use super::*;

    #[test]
    fn a_reason_survives_the_status() {
        for &reason in Reason::ALL {
            let status = status(reason);
            assert_eq!(reason_of(&status), Some(reason));
            assert_eq!(status.code(), reason.grpc());
            assert_eq!(retry_after(&status), reason.wait(), "{reason:?}");
        }
        let wait = Duration::from_millis(1_500);
        let busy = status_retry_after(Reason::ProverBusy, wait);
        assert_eq!(
            (reason_of(&busy), retry_after(&busy)),
            (Some(Reason::ProverBusy), Some(wait))
        );
    }

    #[test]
    fn waiting_is_asked_for_where_it_helps_and_for_how_long() {
        let asked: Vec<(Reason, u128)> = Reason::ALL
            .iter()
            .filter_map(|reason| Some((*reason, reason.wait()?.as_millis())))
            .collect();
        let expected = [
            (Reason::ProverBusy, 1_000),
            (Reason::Overloaded, 500),
            (Reason::Quota, 1_000),
            (Reason::Draining, 5_000),
            (Reason::StorageFull, 60_000),
        ];
        assert_eq!(asked, expected);
    }

    #[test]
    fn a_refused_claim_names_its_rules_in_the_details_and_not_in_the_text() {
        let status = refused(&Refusal {
            rule_ids: vec!["R1".to_owned(), "Y2".to_owned()],
            test_too_old: false,
        });
        assert_eq!(reason_of(&status), Some(Reason::ClaimNotSupported));
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.metadata["rules"], "R1,Y2");
        assert_eq!(info.metadata["test_too_old"], "false");
        assert!(!status.message().contains("R1"));
    }

    #[test]
    fn codes_are_different_and_in_capitals() {
        let codes: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        assert!(
            codes
                .iter()
                .all(|code| code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
        );
    }

    #[test]
    fn a_status_of_another_domain_has_no_reason_here() {
        let details = ErrorDetails::with_error_info("MALFORMED", "elsewhere", []);
        let foreign = Status::with_error_details(Code::InvalidArgument, "", details);
        assert_eq!(reason_of(&foreign), None);
        assert_eq!(reason_of(&Status::internal("plain")), None);
    }

    #[test]
    fn a_field_error_names_field_and_limit() {
        let status = Status::from(WireError::TooLong {
            field: "body",
            limit: 4_096,
            got: 5_000,
        });
        assert_eq!(reason_of(&status), Some(Reason::TooLarge));
        assert!(status.message().contains("body") && status.message().contains("4096"));
    }

    /// The table that people read is the enum: rewrite it with `UPDATE_DOCS=1 cargo test -p wire`.
    #[test]
    fn the_published_table_has_every_reason() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reasons.md");
        let mut table = String::from(
            "# Why a call is refused\n\nA refused call carries `google.rpc.ErrorInfo` with one of these reasons and \
             the domain `viridian`. Codes never change\ntheir meaning. Where waiting helps, `RetryInfo` says how \
             long. No text contains anybody's data. A refused event is an\nanswer, not a failed call: its codes are \
             those of `rules::EventError`; verdicts have their own table.\n\n`CLAIM_NOT_SUPPORTED` \
             is told in the answer of `MakeCode` and not by a status, which would show on the network.\n\n| reason | gRPC status | text |\n\
             |---|---|---|\n",
        );
        for reason in Reason::ALL {
            let (code, grpc, text) = (reason.code(), reason.grpc(), reason.text());
            writeln!(table, "| `{code}` | {grpc:?} | {text} |").unwrap();
        }
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, &table).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            table,
            "UPDATE_DOCS=1 rewrites the table"
        );
    }
}
