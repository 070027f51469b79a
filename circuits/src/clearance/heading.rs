use std::fmt;

/// The headings of `STATEMENT.md`, in its order. Every row of the circuit belongs to one, and every refusal of the
/// native relation names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Heading {
    /// The province's leaf stands in the registry.
    RegistryMembership,
    /// The tree head was not signed after `as_of`.
    HeadTime,
    /// The record's leaf stands in the province's state tree.
    StateMembership,
    /// The record is the one that the leaf commits, all of its positions.
    RecordOpening,
    /// Times of the record are not after `as_of`; bits are bits.
    RangesAndTimes,
    /// The rule table is the public one.
    RuleTableOpening,
    /// The risk intervals stand in the public map and hold the stays' places.
    RiskOpening,
    /// Each entry has the key and anchor that its facts give it.
    EntryKey,
    /// Each ground lies in a slot of its key, whose anchor is not too early.
    ReasonSlots,
    /// Each slot has its row, its phase and, if claimed, its lapse.
    AnchorPhasesLapse,
    /// A slot that is claimed cleared fulfils one of its row's ways out.
    Clearing,
    /// No open slot is worse than claimed.
    WorstColour,
    /// A negative test is as young as claimed.
    TestAge,
    /// The holder's binder takes part.
    Binder,
}

impl Heading {
    /// All headings in their order.
    pub const ALL: [Heading; 14] = [
        Self::RegistryMembership,
        Self::HeadTime,
        Self::StateMembership,
        Self::RecordOpening,
        Self::RangesAndTimes,
        Self::RuleTableOpening,
        Self::RiskOpening,
        Self::EntryKey,
        Self::ReasonSlots,
        Self::AnchorPhasesLapse,
        Self::Clearing,
        Self::WorstColour,
        Self::TestAge,
        Self::Binder,
    ];

    /// The heading as written in `STATEMENT.md`.
    pub const fn title(self) -> &'static str {
        match self {
            Self::RegistryMembership => "Registry membership",
            Self::HeadTime => "Head time",
            Self::StateMembership => "State membership",
            Self::RecordOpening => "Record opening and count",
            Self::RangesAndTimes => "Ranges and times",
            Self::RuleTableOpening => "Rule table opening",
            Self::RiskOpening => "Risk opening",
            Self::EntryKey => "Entry key",
            Self::ReasonSlots => "Reason slots",
            Self::AnchorPhasesLapse => "Anchor, phases, lapse",
            Self::Clearing => "Clearing",
            Self::WorstColour => "Worst colour",
            Self::TestAge => "Test age",
            Self::Binder => "Binder",
        }
    }
}

impl fmt::Display for Heading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}
