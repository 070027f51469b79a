//! Labels: each value comes from a closed list, so that their number is bounded and nobody's data can be one.

use std::fmt::{self, Write as _};

use federation::method_name;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use rules::appeal::Outcome;
use tonic::Code;
use wire::{ForwardAnswer, Method, Reason};

use store::CommitOutcome;

use super::Check;
use crate::EventAnswer;

/// Defines a label value that is written as one of a closed list of words.
macro_rules! word {
    ($name:ident, $inner:ty, $word:expr) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) struct $name(pub(super) $inner);

        impl $name {
            pub(super) fn word(self) -> &'static str {
                let word: fn($inner) -> &'static str = $word;
                word(self.0)
            }
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
                encoder.write_str(self.word())
            }
        }
    };
}

word!(MethodWord, Option<Method>, method_name);
word!(CodeWord, Code, code_name);
word!(ReasonWord, Reason, Reason::code);
word!(CheckWord, Check, Check::name);
word!(CommitWord, CommitOutcome, CommitOutcome::name);
word!(EventWord, EventOutcome, EventOutcome::name);
word!(HomeWord, HomeOutcome, HomeOutcome::name);
word!(AppealWord, Outcome, appeal_name);

/// Which call, and how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CallLabels {
    pub(super) method: MethodWord,
    pub(super) code: CodeWord,
}

/// Which call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct MethodLabels {
    pub(super) method: MethodWord,
}

/// Why a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ReasonLabels {
    pub(super) reason: ReasonWord,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct EventLabels {
    pub(super) outcome: EventWord,
}

/// What a home answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct HomeLabels {
    pub(super) outcome: HomeWord,
}

/// How an appeal was decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct AppealLabels {
    pub(super) outcome: AppealWord,
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CommitLabels {
    pub(super) outcome: CommitWord,
}

/// Which check of readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct CheckLabels {
    pub(super) check: CheckWord,
}

/// What became of an event, without its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum EventOutcome {
    Accepted,
    Duplicate,
    Refused,
    Forwarded,
}

impl EventOutcome {
    pub(super) const ALL: [Self; 4] = [
        Self::Accepted,
        Self::Duplicate,
        Self::Refused,
        Self::Forwarded,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Duplicate => "duplicate",
            Self::Refused => "refused",
            Self::Forwarded => "forwarded",
        }
    }
}

impl From<EventAnswer> for EventOutcome {
    fn from(answer: EventAnswer) -> Self {
        match answer {
            EventAnswer::Accepted => Self::Accepted,
            EventAnswer::Duplicate => Self::Duplicate,
            EventAnswer::Refused(_) => Self::Refused,
            EventAnswer::Forwarded => Self::Forwarded,
        }
    }
}

/// What a home answered to an event of another province, without its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum HomeOutcome {
    Accepted,
    Waiting,
    Refused,
    Lapsed,
}

impl HomeOutcome {
    pub(super) const ALL: [Self; 4] = [Self::Accepted, Self::Waiting, Self::Refused, Self::Lapsed];

    const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
            Self::Lapsed => "lapsed",
        }
    }
}

impl From<&ForwardAnswer> for HomeOutcome {
    fn from(answer: &ForwardAnswer) -> Self {
        match answer {
            ForwardAnswer::Accepted => Self::Accepted,
            ForwardAnswer::Waiting { .. } => Self::Waiting,
            ForwardAnswer::Refused { .. } => Self::Refused,
            ForwardAnswer::Lapsed => Self::Lapsed,
        }
    }
}

const fn appeal_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Upheld => "upheld",
        Outcome::Dismissed => "dismissed",
    }
}

/// The names of gRPC's own list.
const fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
