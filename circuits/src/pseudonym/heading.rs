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
    /// The leaf is that of some packed record with the identity.
    RecordOpening,
    /// What is shown is the identity's pseudonym in the public scope and period.
    Pseudonym,
    /// The pass's binder takes part.
    Binder,
}

impl Heading {
    /// All headings in their order.
    pub const ALL: [Heading; 6] = [
        Self::RegistryMembership,
        Self::HeadTime,
        Self::StateMembership,
        Self::RecordOpening,
        Self::Pseudonym,
        Self::Binder,
    ];

    /// The heading as written in `STATEMENT.md`.
    pub const fn title(self) -> &'static str {
        match self {
            Self::RegistryMembership => "Registry membership",
            Self::HeadTime => "Head time",
            Self::StateMembership => "State membership",
            Self::RecordOpening => "Record opening",
            Self::Pseudonym => "Pseudonym",
            Self::Binder => "Binder",
        }
    }
}

impl fmt::Display for Heading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title())
    }
}
