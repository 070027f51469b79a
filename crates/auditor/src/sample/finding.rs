//! What a sample can show to be wrong. No finding holds anything of a person.

use ledger::sample::SampleFault;
use serde::Serialize;

/// Something that contradicts what a node has committed to, or what a source has signed. The node is at fault, or whoever
/// has its keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// The registry is not cosigned by a quorum, or its heads are not those that it names.
    #[error("the registry is not one of the federation's: {0}")]
    Registry(ledger::Error),
    /// The node's log tells of another registry of this epoch.
    #[error("the node's log tells of another registry of this epoch")]
    OtherRegistry,
    /// From the cosignatures in the node's log other places follow.
    #[error("the cosignatures shown draw other places than those that the node's log tells of")]
    OtherDraw,
    /// The registry holds no head of the slot.
    #[error("the registry holds no head of this slot")]
    NoHead,
    /// No other province cosigned, so that nothing can be drawn.
    #[error("nothing can be drawn: {0}")]
    NoSeed(ledger::Error),
    /// The places or their ways are not those of the draw and the head.
    #[error(transparent)]
    Draw(#[from] SampleFault),
    /// Events may leave so soon that a record shows nothing.
    #[error("the node says that it keeps events for {days} days, fewer than {least}")]
    Horizon {
        /// What it says.
        days: u32,
        /// Fewest believed.
        least: u32,
    },
    /// A drawn leaf was not shown.
    #[error("place {0} is drawn, and was not shown")]
    NotShown(u32),
    /// What is shown does not give the leaf.
    #[error("what is shown for place {0} does not give its leaf")]
    OtherLeaf(u32),
    /// Fewer or more events than the node counts.
    #[error("place {place}: {shown} events are shown, the node counts {told}")]
    EventCount {
        /// The place.
        place: u32,
        /// Events shown.
        shown: usize,
        /// What the node counts.
        told: u32,
    },
    /// An event that is wrong by itself.
    #[error("place {place}, event {number}: {why}")]
    Event {
        /// The place.
        place: u32,
        /// Number of the event, from 0.
        number: usize,
        /// What is wrong.
        why: EventFault,
    },
    /// Signed events that the committed record does not show.
    #[error("place {place}: {count} {part} of signed events left out of the record")]
    LeftOut {
        /// The place.
        place: u32,
        /// Which part of the record.
        part: Part,
        /// How many.
        count: usize,
    },
    /// Parts of the committed record that no signed event states.
    #[error("place {place}: {count} {part} in the record that no signed event states")]
    Unstated {
        /// The place.
        place: u32,
        /// Which part of the record.
        part: Part,
        /// How many.
        count: usize,
    },
    /// Events that give no record.
    #[error("place {0}: the events give no record that could have been committed")]
    NoRecord(u32),
    /// One person with two leaves.
    #[error("places {first} and {second} are leaves of one person")]
    SecondLeaf {
        /// The place drawn first.
        first: u32,
        /// The other.
        second: u32,
    },
}

impl Finding {
    /// A stable word for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Registry(_) => "registry",
            Self::OtherRegistry => "other-registry",
            Self::OtherDraw => "other-draw",
            Self::NoHead => "no-head",
            Self::NoSeed(_) => "no-seed",
            Self::Draw(_) => "draw",
            Self::Horizon { .. } => "horizon",
            Self::NotShown(_) => "not-shown",
            Self::OtherLeaf(_) => "other-leaf",
            Self::EventCount { .. } => "event-count",
            Self::Event { why, .. } => why.code(),
            Self::LeftOut { .. } => "left-out",
            Self::Unstated { .. } => "unstated",
            Self::NoRecord(_) => "no-record",
            Self::SecondLeaf { .. } => "second-leaf",
        }
    }
}

/// What is wrong with one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventFault {
    /// Its bytes are no event.
    #[error("no event ({0})")]
    NotAnEvent(&'static str),
    /// It speaks of somebody else.
    #[error("of another person")]
    OtherPerson,
    /// No key is shown that it could be checked by.
    #[error("no key of its source or device is shown")]
    NoKey,
    /// Its signature does not fit, or that of its confirmation.
    #[error("not signed by its source")]
    Unsigned,
    /// A resident's call that states something else, or evidence of a kind that its source does not give.
    #[error("its evidence is of something else")]
    OtherEvidence,
    /// Its source may not state it, or not so.
    #[error("not admissible ({0})")]
    Inadmissible(&'static str),
    /// The log does not tell of this key and these dates for its source.
    #[error("the log does not entitle its source with this key and these dates")]
    NotInLog,
}

impl EventFault {
    const fn code(self) -> &'static str {
        match self {
            Self::NotAnEvent(_) => "not-an-event",
            Self::OtherPerson => "other-person",
            Self::NoKey => "no-key",
            Self::Unsigned => "unsigned",
            Self::OtherEvidence => "other-evidence",
            Self::Inadmissible(_) => "inadmissible",
            Self::NotInLog => "not-in-log",
        }
    }
}

/// A part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Facts.
    Facts,
    /// Stays.
    Stays,
    /// Negative tests.
    NegativeTests,
    /// Days of check-in.
    CheckInDays,
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Facts => "facts",
            Self::Stays => "stays",
            Self::NegativeTests => "negative tests",
            Self::CheckInDays => "days of check-in",
        })
    }
}
