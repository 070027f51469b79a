//! The answer at a gate: accept, reject with a reason, or undecided with a why. One table gives each its stable code
//! and its words.

use commitment::{BinderKind, CircuitShortId, Epoch, ProvinceCode};
use rules::{Claim, Minute};

use crate::{RiskMapShortId, RuleSetShortId, ShowingSlot};

/// A checkpoint's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The pass holds what the gate asked for.
    Accept(Accepted),
    /// The pass does not serve here, and no newer trust list would change that.
    Reject(Reason),
    /// This gate cannot tell; it must fall back on what it does without codes.
    Undecided(Why),
}

/// What an accepted pass says, and how fresh the grounds of the verdict are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// What was proved.
    pub claim: Claim,
    /// The epoch it was proved for.
    pub epoch: Epoch,
    /// That epoch's closing minute.
    pub as_of: Minute,
    /// Minutes from there to now.
    pub age_min: u32,
    /// The name of the rule set applied.
    pub rule_set: String,
    /// What the pass is bound to; a card alone is weak, and shown so.
    pub binder: BinderKind,
    /// Whether it is a specimen under a test circuit; never in production.
    pub specimen: bool,
    /// Seconds since the online trust list was issued.
    pub list_age_s: u64,
    /// Whether that is beyond its soft age: the gate should fetch a newer one.
    pub list_stale: bool,
}

/// Why a pass was rejected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// No canonical showing.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Longer than any pass.
    #[error("{len} long, at most {limit}")]
    TooLong {
        /// Characters or bytes.
        len: usize,
        /// Most admitted.
        limit: usize,
    },
    /// A layout version from another time.
    #[error("layout version {0} is not known")]
    UnknownVersion(u8),
    /// A pass under a test circuit at a production gate.
    #[error("a specimen under the test circuit {0}")]
    Specimen(CircuitShortId),
    /// Older than the gate admits.
    #[error("{age_min} minutes old, at most {limit_min}")]
    PassExpired {
        /// Minutes since the epoch's close, at least.
        age_min: u32,
        /// Most admitted.
        limit_min: u32,
    },
    /// A worse colour bound than the gate asks for.
    #[error("claims at most {:?}, asked at most {:?}", claimed.worst, asked.worst)]
    ColourTooWeak {
        /// What the pass claims.
        claimed: Claim,
        /// What the gate asks for.
        asked: Claim,
    },
    /// No test, or an older one than the gate asks for.
    #[error("claims a test within {} hours, asked {}; 0 is none", claimed.test_age.hours(), asked.test_age.hours())]
    TestTooOld {
        /// What the pass claims.
        claimed: Claim,
        /// What the gate asks for.
        asked: Claim,
    },
    /// A binding that the gate does not admit.
    #[error("bound to {0:?}")]
    BinderNotAccepted(BinderKind),
    /// A rule set of another province.
    #[error("rule set of {}, here is {}", scope.get(), place.get())]
    RuleSetNotAccepted {
        /// The rule set's province.
        scope: ProvinceCode,
        /// The gate's province.
        place: ProvinceCode,
    },
    /// A rule set that was not in force yet.
    #[error("rule set valid from minute {}, used at {}", valid_from.get(), as_of.get())]
    RuleSetNotYetValid {
        /// First minute in force.
        valid_from: Minute,
        /// The epoch's closing minute.
        as_of: Minute,
    },
    /// A rule set out of force for longer than the grace time.
    #[error("rule set superseded at minute {}, used at {}, grace {grace_min}", superseded_at.get(), as_of.get())]
    RuleSetSuperseded {
        /// First minute out of force.
        superseded_at: Minute,
        /// The epoch's closing minute.
        as_of: Minute,
        /// Minutes of grace.
        grace_min: u32,
    },
    /// Another risk map than its epoch's: before the epoch's, after it, or never anybody's.
    #[error("made with risk map {named}, its epoch's is {epochs}")]
    RiskMapNotOfEpoch {
        /// The map that the pass names.
        named: RiskMapShortId,
        /// The map of its epoch.
        epochs: RiskMapShortId,
    },
    /// Its home or its holder revoked it.
    #[error("revoked")]
    Revoked,
    /// A showing of another half minute: a photograph of a code, or a clock that is off.
    #[error("shown for half minute {}, it is {}, at most {skew} apart", shown.get(), now.get())]
    SlotNotCurrent {
        /// The showing's half minute.
        shown: ShowingSlot,
        /// The gate's.
        now: ShowingSlot,
        /// Half minutes admitted between them.
        skew: u8,
    },
    /// Not this gate's challenge: none where one was given, one where none was, or another.
    #[error("not this gate's challenge")]
    ChallengeMismatch,
    /// Not signed by the key that the pass belongs to.
    #[error("not signed by the holder's key")]
    WrongHolder,
    /// The same pass was shown here in the same half minute.
    #[error("already shown in half minute {}", .0.get())]
    Replayed(ShowingSlot),
    /// The card presented is not the one that the pass belongs to, or the proof does not hold.
    #[error("not this card, or no proof")]
    CardMismatch,
    /// The proof does not hold for what the pass says.
    #[error("no proof")]
    ProofInvalid,
}

/// Why a gate cannot tell.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Why {
    /// The gate has no trust list yet. [`crate::verify`] is never asked without one; the gate says so itself.
    #[error("no trust list has been fetched yet")]
    NoList,
    /// The gate's clock is behind something that has certainly happened.
    #[error("it is {now_s}, but {seen_s} has been")]
    ClockSetBack {
        /// The gate's time, seconds since the Unix epoch.
        now_s: u64,
        /// What it has seen.
        seen_s: u64,
    },
    /// The online trust list is beyond its hard age.
    #[error("trust list {age_s} s old, at most {limit_s}")]
    ListStale {
        /// Seconds since it was issued.
        age_s: u64,
        /// Most admitted.
        limit_s: u64,
    },
    /// The root document of the trust list is past its end.
    #[error("trust list ended at {ended_s}, it is {now_s}")]
    ListExpired {
        /// Its end, seconds since the Unix epoch.
        ended_s: u64,
        /// The gate's time.
        now_s: u64,
    },
    /// A circuit that the trust list does not have.
    #[error("unknown circuit {0}")]
    UnknownCircuit(CircuitShortId),
    /// An epoch that the trust list does not have.
    #[error("unknown epoch {epoch}, the newest known is {newest}")]
    UnknownEpoch {
        /// The pass's epoch.
        epoch: Epoch,
        /// The newest epoch of the trust list.
        newest: Epoch,
    },
    /// A rule set that the trust list does not have.
    #[error("unknown rule set {0}")]
    UnknownRuleSet(RuleSetShortId),
    /// The pass is bound to a card, and none was read.
    #[error("the identity card has not been read")]
    CardNotPresented,
    /// The gate remembers as many showings as it can.
    #[error("the memory of showings is full at {0}")]
    MemoryFull(usize),
}

/// The three outcomes, each with its own icon, word and sound at a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// 通行 PASS.
    Accept,
    /// 不通过 NO.
    Reject,
    /// 无法核验 CANNOT CHECK.
    Undecided,
}

impl Outcome {
    /// The word on the gate's screen, Chinese and English.
    pub const fn word(self) -> (&'static str, &'static str) {
        match self {
            Self::Accept => ("通行", "PASS"),
            Self::Reject => ("不通过", "NO"),
            Self::Undecided => ("无法核验", "CANNOT CHECK"),
        }
    }
}

/// Words in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Texts {
    /// Chinese.
    pub zh: &'static str,
    /// English.
    pub en: &'static str,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident, $outcome:ident, $code:literal,
        resident: $rz:literal / $re:literal,
        officer: $oz:literal / $oe:literal,
        operator: $pz:literal / $pe:literal;)*) => {
        /// The stable code of every verdict, and the row of its words.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The code as it stands in protocols, logs and statistics; never changes.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Which of the three outcomes it belongs to.
            pub const fn outcome(self) -> Outcome {
                match self { $(Self::$name => Outcome::$outcome,)* }
            }

            /// What the resident sees.
            pub const fn resident(self) -> Texts {
                match self { $(Self::$name => Texts { zh: $rz, en: $re },)* }
            }

            /// What the officer does.
            pub const fn officer(self) -> Texts {
                match self { $(Self::$name => Texts { zh: $oz, en: $oe },)* }
            }

            /// What the operator does.
            pub const fn operator(self) -> Texts {
                match self { $(Self::$name => Texts { zh: $pz, en: $pe },)* }
            }
        }
    };
}

include!("verdict_table.rs");

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Verdict {
    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            Self::Accept(_) => Code::Accepted,
            Self::Reject(reason) => reason.code(),
            Self::Undecided(why) => why.code(),
        }
    }

    /// Which of the three outcomes it is.
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Accept(_) => Outcome::Accept,
            Self::Reject(_) => Outcome::Reject,
            Self::Undecided(_) => Outcome::Undecided,
        }
    }

    /// Whether it is an accept.
    pub const fn is_accept(&self) -> bool {
        matches!(self, Self::Accept(_))
    }
}

impl Reason {
    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            Self::Malformed(_) => Code::Malformed,
            Self::TooLong { .. } => Code::TooLong,
            Self::UnknownVersion(_) => Code::UnknownVersion,
            Self::Specimen(_) => Code::Specimen,
            Self::PassExpired { .. } => Code::PassExpired,
            Self::ColourTooWeak { .. } => Code::ColourTooWeak,
            Self::TestTooOld { .. } => Code::TestTooOld,
            Self::BinderNotAccepted(_) => Code::BinderNotAccepted,
            Self::RuleSetNotAccepted { .. } => Code::RuleSetNotAccepted,
            Self::RuleSetNotYetValid { .. } => Code::RuleSetNotYetValid,
            Self::RuleSetSuperseded { .. } => Code::RuleSetSuperseded,
            Self::RiskMapNotOfEpoch { .. } => Code::RiskMapNotOfEpoch,
            Self::Revoked => Code::Revoked,
            Self::SlotNotCurrent { .. } => Code::SlotNotCurrent,
            Self::ChallengeMismatch => Code::ChallengeMismatch,
            Self::WrongHolder => Code::WrongHolder,
            Self::Replayed(_) => Code::Replayed,
            Self::CardMismatch => Code::CardMismatch,
            Self::ProofInvalid => Code::ProofInvalid,
        }
    }
}

impl Why {
    /// The stable code.
    pub const fn code(&self) -> Code {
        match self {
            Self::NoList => Code::NoList,
            Self::ClockSetBack { .. } => Code::ClockSetBack,
            Self::ListStale { .. } => Code::ListStale,
            Self::ListExpired { .. } => Code::ListExpired,
            Self::UnknownCircuit(_) => Code::UnknownCircuit,
            Self::UnknownEpoch { .. } => Code::UnknownEpoch,
            Self::UnknownRuleSet(_) => Code::UnknownRuleSet,
            Self::CardNotPresented => Code::CardNotPresented,
            Self::MemoryFull(_) => Code::MemoryFull,
        }
    }
}
