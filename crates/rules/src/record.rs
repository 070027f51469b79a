//! A resident's record as it is committed: grounds that can colour, relief that can clear.

use serde::{Deserialize, Serialize};

use crate::{AreaCode, Day, Error, Minute, ProvinceCode};

/// Entries (stays and facts together) in one record.
pub const MAX_ENTRIES: usize = 24;
/// Stays among them.
pub const MAX_STAYS: usize = 12;
/// Distinct risk intervals that the stays of one record can lie in.
pub const MAX_RISK_INTERVALS: usize = 4;
/// Negative tests.
pub const MAX_NEGATIVES: usize = 8;
/// Check-in runs.
pub const MAX_RUNS: usize = 4;
/// Distinct reasons that one proof can evaluate.
pub const MAX_SLOTS: usize = 8;

/// What kind of ground a fact is. The numbers are part of the canonical encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum FactKind {
    /// Confirmed case; begins with confirmation, ends with discharge.
    ConfirmedCase = 1,
    /// Asymptomatic case; begins with confirmation, ends with discharge.
    AsymptomaticCase = 2,
    /// Suspected case; ends when excluded.
    SuspectedCase = 3,
    /// Positive in screening, not yet confirmed; ends when excluded.
    ScreenedPositive = 4,
    /// Close contact; begins with the last contact, ends when excluded.
    CloseContact = 5,
    /// Contact of a close contact; begins with the last contact, ends when excluded.
    SecondaryContact = 6,
    /// Entry from abroad; begins with arrival. Its province is that of the port.
    Entry = 7,
    /// Touched positive cold-chain goods once.
    ColdChainOnce = 8,
    /// Touches cold-chain goods as work; begins with the last positive lot.
    ColdChainFrequent = 9,
    /// Fever-clinic patient; begins with the visit.
    FeverClinic = 10,
    /// Possibly linked to a positive, space-time companions among them.
    PossibleLink = 11,
    /// On the national assist-investigation list.
    AssistList = 12,
    /// Potential risk.
    PotentialRisk = 13,
    /// Member of a positive pooled tube; ends when single tests clear the tube.
    PooledTube = 14,
    /// Symptoms declared in a check-in.
    Symptoms = 15,
}

impl FactKind {
    /// All kinds, ascending by code.
    pub const ALL: [FactKind; 15] = [
        Self::ConfirmedCase,
        Self::AsymptomaticCase,
        Self::SuspectedCase,
        Self::ScreenedPositive,
        Self::CloseContact,
        Self::SecondaryContact,
        Self::Entry,
        Self::ColdChainOnce,
        Self::ColdChainFrequent,
        Self::FeverClinic,
        Self::PossibleLink,
        Self::AssistList,
        Self::PotentialRisk,
        Self::PooledTube,
        Self::Symptoms,
    ];

    /// The code, 1 to 15.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// A fact that can colour, with its begin and, once over, its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    /// What kind of ground.
    pub kind: FactKind,
    /// Where it happened; [`ProvinceCode::NATION`] where no province applies.
    pub province: ProvinceCode,
    /// When it began.
    pub begin: Minute,
    /// When it ended, if it has.
    #[serde(default)]
    pub end: Option<Minute>,
}

impl Fact {
    /// The moment from which its row counts: the end once there is one, else the begin.
    pub fn anchor(&self) -> Minute {
        self.end.unwrap_or(self.begin)
    }
}

/// A stay in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stay {
    /// Where.
    pub place: AreaCode,
    /// First minute there.
    pub begin: Minute,
    /// Last minute there, included; absent while the stay goes on.
    #[serde(default)]
    pub end: Option<Minute>,
}

/// Consecutive days of normal check-in, first and last included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckInRun {
    /// First day.
    pub first: Day,
    /// Last day, included.
    pub last: Day,
}

/// A record within the capacities; empty is a resident of whom nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "RawRecord")]
pub struct Record {
    stays: Vec<Stay>,
    facts: Vec<Fact>,
    negatives: Vec<Minute>,
    runs: Vec<CheckInRun>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRecord {
    #[serde(default)]
    stays: Vec<Stay>,
    #[serde(default)]
    facts: Vec<Fact>,
    #[serde(default)]
    negatives: Vec<Minute>,
    #[serde(default)]
    runs: Vec<CheckInRun>,
}

impl TryFrom<RawRecord> for Record {
    type Error = Error;
    fn try_from(raw: RawRecord) -> Result<Self, Error> {
        Self::new(raw.stays, raw.facts, raw.negatives, raw.runs)
    }
}

impl Record {
    /// A record from its parts; negative tests are given by sampling time.
    ///
    /// # Errors
    /// [`Error::Capacity`] above a capacity; [`Error::Record`] for a time of zero, an end before its begin,
    /// or negatives or runs that do not strictly ascend (runs must also be disjoint and not touch).
    pub fn new(
        stays: Vec<Stay>,
        facts: Vec<Fact>,
        negatives: Vec<Minute>,
        runs: Vec<CheckInRun>,
    ) -> Result<Self, Error> {
        let fits = |count: usize, limit: usize, what| {
            if count > limit {
                Err(Error::Capacity { what, count, limit })
            } else {
                Ok(())
            }
        };
        fits(stays.len(), MAX_STAYS, "stays")?;
        fits(
            stays.len().saturating_add(facts.len()),
            MAX_ENTRIES,
            "entries",
        )?;
        fits(negatives.len(), MAX_NEGATIVES, "negative tests")?;
        fits(runs.len(), MAX_RUNS, "check-in runs")?;
        let spans = stays
            .iter()
            .map(|s| (s.begin, s.end))
            .chain(facts.iter().map(|f| (f.begin, f.end)));
        for (begin, end) in spans {
            if begin == Minute::ZERO || end.is_some_and(|end| end < begin) {
                return Err(Error::Record(
                    "an entry begins at zero or ends before it begins",
                ));
            }
        }
        if negatives.first() == Some(&Minute::ZERO) || negatives.windows(2).any(|w| w[0] >= w[1]) {
            return Err(Error::Record(
                "negative tests do not strictly ascend from above zero",
            ));
        }
        if runs.iter().any(|r| r.first > r.last || r.first.get() == 0)
            || runs
                .windows(2)
                .any(|w| w[0].last.get().saturating_add(1) >= w[1].first.get())
        {
            return Err(Error::Record(
                "check-in runs are empty, touch, or do not ascend",
            ));
        }
        Ok(Self {
            stays,
            facts,
            negatives,
            runs,
        })
    }

    /// Stays, at most [`MAX_STAYS`].
    pub fn stays(&self) -> &[Stay] {
        &self.stays
    }

    /// Facts; with the stays at most [`MAX_ENTRIES`].
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// Sampling times of negative tests, strictly ascending, at most [`MAX_NEGATIVES`].
    pub fn negatives(&self) -> &[Minute] {
        &self.negatives
    }

    /// Check-in runs, ascending and apart, at most [`MAX_RUNS`].
    pub fn runs(&self) -> &[CheckInRun] {
        &self.runs
    }

    /// The latest moment that the record speaks of; a proof needs it not to lie after `as_of`.
    /// A check-in run speaks of its last day's first minute.
    pub fn latest(&self) -> Minute {
        let entries = self.stays.iter().map(|s| s.end.unwrap_or(s.begin));
        let facts = self.facts.iter().map(Fact::anchor);
        let runs = self.runs.iter().map(|r| r.last.first_minute());
        entries
            .chain(facts)
            .chain(self.negatives.iter().copied())
            .chain(runs)
            .max()
            .unwrap_or(Minute::ZERO)
    }
}
