//! The private input of `clearance`: what is committed, and what the prover chooses.

use super::Heading;
use commitment::record::{EntryBits, FACT_POSITIONS, RecordLayout};
use commitment::{
    Blinding, Fr, IdentityCommitment, MerklePath, REGISTRY_DEPTH, RISK_DEPTH, RiskOpening,
    STATE_DEPTH,
};
use rules::{
    Interval, MAX_ENTRIES, MAX_PERIODS, MAX_RISK_INTERVALS, MAX_SLOTS, MAX_STAYS, RowTable,
};

/// A risk interval in its fixed places, with its opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedInterval {
    /// First place.
    pub from: u64,
    /// Last place, included.
    pub last: u64,
    /// Grade, since, until; missing periods are zero and come first.
    pub periods: [(u8, u32, u32); MAX_PERIODS],
    /// Its place in the risk map's tree; the pair's own half is computed from the fields above.
    pub opening: RiskOpening,
}

impl OpenedInterval {
    /// An interval of a map with its opening.
    pub fn new(interval: &Interval, opening: RiskOpening) -> Self {
        let mut periods = [(0, 0, 0); MAX_PERIODS];
        let missing = MAX_PERIODS - interval.periods.len();
        for (place, p) in periods[missing..].iter_mut().zip(&interval.periods) {
            *place = (p.grade.code(), p.since.get(), p.until.get());
        }
        Self {
            from: interval.from.packed(),
            last: interval.last.packed(),
            periods,
            opening,
        }
    }
}

/// What the prover says of one entry: its key, its anchor, and whether it is a ground at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryClaim {
    /// Key in the rule table.
    pub key: u8,
    /// Anchor, minutes since the epoch.
    pub anchor: u32,
    /// Whether it must lie in a slot.
    pub is_ground: bool,
    /// The slot, if it must lie in one.
    pub slot: u8,
    /// For a stay, which of the opened intervals holds its place.
    pub interval: u8,
}

/// How a slot is said to be cleared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relief {
    /// Which way out, 0 or 1.
    pub alternative: u8,
    /// Positions of up to three negatives, in order; those not needed are ignored.
    pub negatives: [u8; 3],
    /// Which check-in run.
    pub run: u8,
    /// First of the consecutive days that are counted in it.
    pub first_day: u16,
}

/// A reason that one or more grounds of one key merge into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotClaim {
    /// Key in the rule table.
    pub key: u8,
    /// Anchor, minutes since the epoch; not earlier than that of any ground in it.
    pub anchor: u32,
    /// Whether it is said to have lapsed.
    pub lapsed: bool,
    /// Whether, and how, it is said to be cleared.
    pub relief: Option<Relief>,
}

/// The private input of `clearance`.
#[derive(Clone, Debug)]
pub struct Witness {
    /// The record in its fixed positions.
    pub record: RecordLayout,
    /// Whose it is.
    pub identity: IdentityCommitment,
    /// What hides it.
    pub blinding: Blinding,
    /// The leaf that the record is said to give.
    pub leaf: Fr,
    /// From the leaf to the province's state root.
    pub state_path: MerklePath,
    /// The state root that the path is said to lead to.
    pub state_root: Fr,
    /// Minute of the province's tree head.
    pub head_time: u32,
    /// From the province's leaf to the registry root; the index is the province's slot.
    pub registry_path: MerklePath,
    /// The rule table.
    pub table: RowTable,
    /// The opened risk intervals.
    pub intervals: [OpenedInterval; MAX_RISK_INTERVALS],
    /// What is said of each entry: the twelve wide positions, then the twelve for facts only.
    pub entries: [EntryClaim; MAX_ENTRIES],
    /// The reasons.
    pub slots: [SlotClaim; MAX_SLOTS],
    /// Position of the negative that the test age rests on.
    pub fresh_negative: u8,
}

impl Witness {
    /// The heading under which this is no witness at all: a path of another depth, or a number wider than its wires.
    /// The type admits such things; no prover could state them.
    pub fn malformed(&self) -> Option<Heading> {
        let interval = |i: &OpenedInterval| {
            let opened =
                i.opening.path.fits(RISK_DEPTH) && i.opening.index >> 1 == i.opening.path.index;
            let narrow = |(grade, since, until): &(u8, u32, u32)| {
                *grade < 4 && since >> 26 == 0 && until >> 26 == 0
            };
            opened && i.from >> 47 == 0 && i.last >> 47 == 0 && i.periods.iter().all(narrow)
        };
        let entry = |e: &EntryBits, place_bits: u32| e.kind < 16 && e.place >> place_bits == 0;
        let times = self
            .record
            .entries
            .iter()
            .chain(&self.record.facts)
            .flat_map(|e| [e.begin, e.end]);
        let slot = |s: &SlotClaim| {
            let chosen = s.relief.unwrap_or_default();
            let positions = chosen.negatives.iter().all(|n| *n < 8);
            s.anchor >> 26 == 0 && chosen.alternative < 2 && chosen.run < 4 && positions
        };
        let record = self.record.entries.iter().all(|e| entry(e, 47))
            && self.record.facts.iter().all(|e| !e.is_stay && entry(e, 7));
        let wrong = [
            (
                !self.registry_path.fits(REGISTRY_DEPTH),
                Heading::RegistryMembership,
            ),
            (self.head_time >> 26 != 0, Heading::HeadTime),
            (!self.state_path.fits(STATE_DEPTH), Heading::StateMembership),
            (!record, Heading::RecordOpening),
            (
                times.chain(self.record.negatives).any(|t| t >> 26 != 0),
                Heading::RangesAndTimes,
            ),
            (!self.intervals.iter().all(interval), Heading::RiskOpening),
            (
                self.entries.iter().any(|e| e.interval > 3 || e.key > 127),
                Heading::EntryKey,
            ),
            (
                self.entries.iter().any(|e| e.slot > 7),
                Heading::ReasonSlots,
            ),
            (
                self.slots.iter().any(|s| s.key > 95),
                Heading::AnchorPhasesLapse,
            ),
            (!self.slots.iter().all(slot), Heading::Clearing),
            (self.fresh_negative > 7, Heading::TestAge),
        ];
        wrong
            .into_iter()
            .find(|(wrong, _)| *wrong)
            .map(|(_, heading)| heading)
    }

    /// The entry at a position, wide positions first.
    ///
    /// # Panics
    /// From [`MAX_ENTRIES`] on.
    pub fn entry(&self, position: usize) -> &EntryBits {
        const { assert!(MAX_STAYS + FACT_POSITIONS == MAX_ENTRIES) };
        match position.checked_sub(MAX_STAYS) {
            None => &self.record.entries[position],
            Some(narrow) => &self.record.facts[narrow],
        }
    }
}
