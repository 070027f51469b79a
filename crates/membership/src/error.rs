use std::path::PathBuf;

use federation::FederationError;

/// Why an invitation, a request, a plan or a draft is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MembershipError {
    /// The bytes are not canonical, or what they stand for is out of range.
    #[error("cannot be read: {0}")]
    Layout(#[from] commitment::layout::LayoutError),
    /// The text is not PEM with the label that was looked for.
    #[error("not a PEM text of the label {0}")]
    Armour(&'static str),
    /// Something is longer than its limit.
    #[error("{what} is longer than {limit_bytes} bytes")]
    TooLong {
        /// What.
        what: String,
        /// Its limit.
        limit_bytes: u64,
    },
    /// A signature does not fit.
    #[error("the signature of {0} does not fit")]
    BadSignature(&'static str),
    /// A key of small order, or the same key in two roles.
    #[error("{0} is a key that may not be used here")]
    BadKey(&'static str),
    /// The invitation is not signed by a root key in force.
    #[error("the invitation is signed by no root key in force")]
    NotARootKey,
    /// An invitation has ended.
    #[error("the invitation ended at {ended_s}, now is {now_s} (seconds since the Unix epoch)")]
    InvitationEnded {
        /// Its end.
        ended_s: u64,
        /// Now.
        now_s: u64,
    },
    /// Something is of another federation.
    #[error("of the federation {theirs}, and not of {ours}")]
    OtherFederation {
        /// The federation that it is of.
        theirs: String,
        /// This one.
        ours: String,
    },
    /// A request was made under another root document than the one in force.
    #[error("made under root document {asked}, in force is {in_force}: make it anew")]
    OtherRoot {
        /// The number of the root document that it was made under.
        asked: u64,
        /// The number of the one in force; 0 for none.
        in_force: u64,
    },
    /// A slot is another province's.
    #[error("slot {slot} is province {taken_by}'s")]
    SlotTaken {
        /// The slot.
        slot: u8,
        /// Whose it is.
        taken_by: u8,
    },
    /// Nobody, or somebody else, is in the slot that a request speaks of.
    #[error("slot {slot} is not held by province {province} with this key")]
    NotAMember {
        /// The slot.
        slot: u8,
        /// The province that asks.
        province: u8,
    },
    /// A head key is announced too early or too late.
    #[error(
        "a head key from minute {}: it has to be from {} to {}, 24 hours to 90 days from now",
        from.get(), earliest.get(), latest.get()
    )]
    HeadKeyDate {
        /// Its first minute.
        from: rules::Minute,
        /// The earliest that may be.
        earliest: rules::Minute,
        /// The latest.
        latest: rules::Minute,
    },
    /// A slot's oldest key was retired too short a time ago to make room for another one.
    #[error("the slot's retired head key is named until minute {}: no other can follow before", kept_until.get())]
    HeadKeyKept {
        /// When it may be forgotten.
        kept_until: rules::Minute,
    },
    /// Two requests speak of one slot.
    #[error("two requests for slot {0}")]
    SlotTwice(u8),
    /// A request speaks of a slot that the plan takes away.
    #[error("the plan's removed_slots take slot {0} away: it can ask for nothing")]
    SlotRemoved(u8),
    /// The plan is wrong.
    #[error("the plan: {0}")]
    Plan(String),
    /// A rule set may not be announced so.
    #[error("rule set {id}: {what}")]
    RuleSet {
        /// Its name.
        id: String,
        /// What is wrong with it.
        what: String,
    },
    /// The root document in the folder is not the one that this holder knows, and does not follow it.
    #[error(
        "the root document in the folder does not follow number {known}, which this key's holder saw last: {what}"
    )]
    Unknown {
        /// The number of the one known.
        known: u64,
        /// Why it does not.
        what: String,
    },
    /// The draft does not follow from the root document in force.
    #[error("the draft does not follow: {0}")]
    Draft(&'static str),
    /// A trust list's document is refused.
    #[error(transparent)]
    Trust(#[from] verifier::Error),
    /// A certificate or an identity is refused.
    #[error(transparent)]
    Federation(#[from] FederationError),
    /// A file cannot be read or written.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// A secret can be read by others, or does not hold what it should.
    #[error("{}: {what}", path.display())]
    Secret {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
}
