//! Events: one signed fact each, with one canonical layout of bytes.

use serde::Serialize;

use crate::{AreaCode, Day, IdentityNumber, Minute, ProvinceCode, SourceId};

mod layout;

pub use layout::{
    CONFIRMATION_DOMAIN, EVENT_DOMAIN, EVENT_LAYOUT_VERSION, MAX_EVENT_LEN_BYTES,
    MIN_EVENT_LEN_BYTES,
};

/// The name of an event: sixteen bytes drawn at random by its source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub [u8; 16]);

impl std::fmt::Display for EventId {
    /// 32 hexadecimal digits.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl Serialize for EventId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One fact about one resident, as its source states it. Who signs is `source`; rules know no signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Its name.
    pub id: EventId,
    /// The resident it speaks of.
    pub subject: IdentityNumber,
    /// Who states it.
    pub source: SourceId,
    /// When it was stated; no moment in the body lies after it.
    pub issued_at: Minute,
    /// What is stated.
    pub body: EventBody,
}

/// What an event states. The list is closed; orders address areas and never appear here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventBody {
    /// A daily health declaration.
    CheckIn {
        /// The UTC+8 day it is for.
        day: Day,
        /// Whether symptoms were declared; then it is no normal day but a ground.
        symptoms: bool,
    },
    /// A nucleic-acid test.
    Test {
        /// When it was sampled, not when its result came.
        sampled_at: Minute,
        /// What it found.
        result: TestResult,
    },
    /// A stay in a place.
    Stay {
        /// Where.
        place: AreaCode,
        /// First minute there.
        begin: Minute,
        /// Last minute there, included; absent while it goes on.
        end: Option<Minute>,
    },
    /// A contact with a case, or with a contact of one.
    Contact {
        /// How close.
        degree: ContactDegree,
        /// The last contact.
        last_contact_at: Minute,
        /// Where it happened.
        province: ProvinceCode,
    },
    /// A case.
    Case {
        /// How sure.
        kind: CaseKind,
        /// When it was found.
        at: Minute,
        /// Where it was found.
        province: ProvinceCode,
    },
    /// An entry from abroad.
    Entry {
        /// The province of the port.
        port: ProvinceCode,
        /// Arrival.
        arrived_at: Minute,
    },
    /// A name on a list of people exposed in some way.
    Exposure {
        /// Which list.
        list: ExposureList,
        /// The exposure; for a fever clinic the visit, for a tube its sampling.
        at: Minute,
        /// Where it happened.
        province: ProvinceCode,
    },
    /// The end of what another event states: discharge, exclusion, tube cleared, leaving.
    Release {
        /// The event that it ends.
        target: EventId,
        /// When it ended.
        at: Minute,
    },
    /// An appeal granted: the target counts as never stated.
    Ruling {
        /// The event that it voids; any but a ruling.
        target: EventId,
        /// When it was decided.
        at: Minute,
    },
}

/// What a test found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TestResult {
    /// Nothing: relief.
    Negative = 1,
    /// A positive in screening: a ground.
    Positive = 2,
}

/// How close a contact was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ContactDegree {
    /// Close contact of a case.
    Close = 1,
    /// Contact of a close contact.
    Secondary = 2,
}

/// How sure a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CaseKind {
    /// Confirmed.
    Confirmed = 1,
    /// Asymptomatic.
    Asymptomatic = 2,
    /// Suspected.
    Suspected = 3,
}

/// Lists of people exposed in some way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExposureList {
    /// Touched positive cold-chain goods once.
    ColdChainOnce = 1,
    /// Touches cold-chain goods as work.
    ColdChainFrequent = 2,
    /// Fever-clinic patient.
    FeverClinic = 3,
    /// Possibly linked to a positive.
    PossibleLink = 4,
    /// National assist-investigation list.
    AssistList = 5,
    /// Potential risk.
    PotentialRisk = 6,
    /// Member of a positive pooled tube.
    PooledTube = 7,
}

/// The kinds that entitlements distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// [`EventBody::CheckIn`].
    CheckIn,
    /// [`EventBody::Test`].
    Test,
    /// [`EventBody::Stay`].
    Stay,
    /// [`EventBody::Contact`].
    Contact,
    /// [`EventBody::Case`].
    Case,
    /// [`EventBody::Entry`].
    Entry,
    /// [`EventBody::Exposure`] to cold-chain goods.
    ColdChain,
    /// [`EventBody::Exposure`] at a fever clinic.
    FeverClinic,
    /// [`EventBody::Exposure`] by a discretionary list: possible link, assist list, potential risk.
    List,
    /// [`EventBody::Exposure`] in a pooled tube.
    PooledTube,
    /// [`EventBody::Release`].
    Release,
    /// [`EventBody::Ruling`].
    Ruling,
}

impl EventKind {
    /// All kinds.
    pub const ALL: [EventKind; 12] = [
        Self::CheckIn,
        Self::Test,
        Self::Stay,
        Self::Contact,
        Self::Case,
        Self::Entry,
        Self::ColdChain,
        Self::FeverClinic,
        Self::List,
        Self::PooledTube,
        Self::Release,
        Self::Ruling,
    ];
}

impl EventBody {
    /// The kind that entitlements distinguish.
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::CheckIn { .. } => EventKind::CheckIn,
            Self::Test { .. } => EventKind::Test,
            Self::Stay { .. } => EventKind::Stay,
            Self::Contact { .. } => EventKind::Contact,
            Self::Case { .. } => EventKind::Case,
            Self::Entry { .. } => EventKind::Entry,
            Self::Exposure { list, .. } => match list {
                ExposureList::ColdChainOnce | ExposureList::ColdChainFrequent => {
                    EventKind::ColdChain
                }
                ExposureList::FeverClinic => EventKind::FeverClinic,
                ExposureList::PossibleLink
                | ExposureList::AssistList
                | ExposureList::PotentialRisk => EventKind::List,
                ExposureList::PooledTube => EventKind::PooledTube,
            },
            Self::Release { .. } => EventKind::Release,
            Self::Ruling { .. } => EventKind::Ruling,
        }
    }

    /// The first moment that the body speaks of; for a check-in the first minute of its day.
    pub const fn begin(&self) -> Minute {
        match *self {
            Self::CheckIn { day, .. } => day.first_minute(),
            Self::Test { sampled_at, .. } => sampled_at,
            Self::Stay { begin, .. } => begin,
            Self::Contact {
                last_contact_at, ..
            } => last_contact_at,
            Self::Entry { arrived_at, .. } => arrived_at,
            Self::Case { at, .. }
            | Self::Exposure { at, .. }
            | Self::Release { at, .. }
            | Self::Ruling { at, .. } => at,
        }
    }

    /// The last moment that the body speaks of; a stay that goes on speaks of none after its begin.
    pub fn latest(&self) -> Minute {
        match *self {
            Self::Stay { end: Some(end), .. } => end,
            _ => self.begin(),
        }
    }
}

#[cfg(test)]
mod tests;
