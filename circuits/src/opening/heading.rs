use std::fmt;

/// The headings of `STATEMENT.md`, in its order. Every row of the circuit belongs to one, and every refusal of the
/// native relation names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Heading {
    /// The record's leaf stands in the province's state tree.
    StateMembership,
    /// The record is the one that the leaf commits, all of its positions.
    RecordOpening,
    /// Times of the record are moments.
    RangesAndTimes,
    /// The record is the subject's.
    Subject,
    /// What is sought and what is answered are the public ones.
    SoughtAndAnswer,
    /// The entry at some position is the one that the answer speaks of.
    Entry,
    /// If the answer says so, no position has what is sought.
    Absence,
}

impl Heading {
    /// All headings in their order.
    pub const ALL: [Heading; 7] = [
        Self::StateMembership,
        Self::RecordOpening,
        Self::RangesAndTimes,
        Self::Subject,
        Self::SoughtAndAnswer,
        Self::Entry,
        Self::Absence,
    ];

    /// The heading as written in `STATEMENT.md`.
    pub const fn title(self) -> &'static str {
        match self {
            Self::StateMembership => "State membership",
            Self::RecordOpening => "Record opening and count",
            Self::RangesAndTimes => "Ranges and times",
            Self::Subject => "Subject",
            Self::SoughtAndAnswer => "Sought and answer",
            Self::Entry => "Entry",
            Self::Absence => "Absence",
        }
    }
}

impl fmt::Display for Heading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}
