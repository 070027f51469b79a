use commitment::layout::LayoutError;
use commitment::{Epoch, Minute, Slot};

/// Why something of the ledger is refused; whoever supplied it is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bytes that break their layout.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Two entries for one slot.
    #[error("slot {} stands twice", .0.get())]
    SlotTwice(Slot),
    /// A roster whose keys or provinces contradict each other.
    #[error("roster: {0}")]
    Roster(&'static str),
    /// A slot that the roster does not have.
    #[error("slot {} is nobody's", .0.get())]
    UnknownSlot(Slot),
    /// A head for a slot that belongs to another province.
    #[error("slot {} belongs to another province", .0.get())]
    WrongProvince(Slot),
    /// Something of a minute at which a slot had no head key yet.
    #[error("slot {} had no head key at minute {}", slot.get(), minute.get())]
    NoHeadKey {
        /// The slot.
        slot: Slot,
        /// The minute of what is signed.
        minute: Minute,
    },
    /// A signature that does not fit, or is not by the key that was in force when it says.
    #[error("the signature of slot {} does not fit", .0.get())]
    BadSignature(Slot),
    /// Too few provinces behind a statement.
    #[error("signed by {have} provinces, at least {need}")]
    NoQuorum {
        /// Different provinces with a valid signature.
        have: usize,
        /// Provinces needed.
        need: usize,
    },
    /// Heads that are not the ones that the statement names.
    #[error("the heads supplied are not those of the statement")]
    HeadsMismatch,
    /// A root that does not follow from the heads.
    #[error("the registry root does not follow from the heads")]
    WrongRegistryRoot,
    /// A statement over another risk map than the cosigner's own.
    #[error("the risk root is not the one rebuilt here")]
    WrongRiskRoot,
    /// A statement or fresh head over other rule sets than the cosigner's own.
    #[error("the rule sets are not those in force here")]
    WrongRuleSets,
    /// A closing minute that is not after the last one, lies ahead, or is long past.
    #[error("closing minute {}, between {} and {}", as_of.get(), from.get(), to.get())]
    WrongAsOf {
        /// The statement's.
        as_of: Minute,
        /// Earliest admitted.
        from: Minute,
        /// Latest admitted.
        to: Minute,
    },
    /// An epoch before the last one signed.
    #[error("epoch {offered} after {signed}")]
    EpochFell {
        /// The statement's epoch.
        offered: Epoch,
        /// The last epoch signed.
        signed: Epoch,
    },
    /// Another statement for an epoch that was signed already.
    #[error("another statement for epoch {0}, which is signed")]
    SecondStatement(Epoch),
    /// A head later than the epoch's close, or of a later epoch.
    #[error("the head of slot {} lies after the epoch's close", .0.get())]
    HeadFromTheFuture(Slot),
    /// A head too old to stand in for a province that is away.
    #[error("the head of slot {} is {age_min} minutes old, at most {limit_min}", slot.get())]
    HeadTooOld {
        /// The slot.
        slot: Slot,
        /// Minutes from the head to the epoch's close.
        age_min: u32,
        /// Most admitted.
        limit_min: u32,
    },
    /// A head that does not continue what its province signed before: evidence against that province.
    #[error("the head of slot {} does not continue the one before", .0.get())]
    HeadForked(Slot),
    /// Too few provinces with a head of this epoch: a lone fresh province would be named by its registry.
    #[error("{have} fresh provinces, at least {need}")]
    TooFewFresh {
        /// Provinces with a head of this epoch.
        have: usize,
        /// Provinces needed.
        need: usize,
    },
    /// A registry that no other province cosigned: nothing can be drawn from it for this slot.
    #[error("no other province than that of slot {} cosigned", .0.get())]
    NoOtherCosigner(Slot),
}
