//! The private input of `opening`: the record with its way to the root, and which position is opened.

use commitment::opening::{NEGATIVE_TEST_KEY, entry_key};
use commitment::record::{EntryBits, FACT_POSITIONS, RecordLayout};
use commitment::{Blinding, Fr, IdentityCommitment, MerklePath, STATE_DEPTH};
use rules::{MAX_ENTRIES, MAX_NEGATIVES, MAX_STAYS};

use super::Heading;

/// Positions that can be opened: all entries, then the negative tests.
pub const POSITIONS: usize = MAX_ENTRIES + MAX_NEGATIVES;
/// Bits of a position.
pub(super) const POSITION_BITS: usize = 5;
const _: () = assert!(
    POSITIONS == 1 << POSITION_BITS,
    "every position's bits name one"
);

/// The private input of `opening`.
#[derive(Clone, Debug)]
pub struct Witness {
    /// The record in its fixed positions.
    pub record: RecordLayout,
    /// The identity that the record is said to hold.
    pub identity: IdentityCommitment,
    /// The salt under which the subject's number is committed there.
    pub salt: Fr,
    /// What hides the record.
    pub blinding: Blinding,
    /// From the leaf to the province's state root.
    pub state_path: MerklePath,
    /// Which position is opened; where absence is answered, any.
    pub position: u8,
}

/// What stands at a position, as the statement reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Everything but times: see [`commitment::opening::Stated::key`].
    pub key: u64,
    /// Minute of its begin, or of sampling.
    pub begin: u32,
    /// Its end, if it has ended.
    pub end: Option<u32>,
}

impl Witness {
    /// The heading under which this is no witness at all: a path of another depth, or a number wider than its wires.
    /// The type admits such things; no prover could state them.
    pub fn malformed(&self) -> Option<Heading> {
        let path = self.state_path.fits(STATE_DEPTH);
        let narrow = |e: &EntryBits| !e.is_stay && e.place >> 7 == 0;
        let record = self.record.entries.iter().all(|e| e.place >> 47 == 0)
            && self.record.facts.iter().all(narrow);
        let entries = || self.record.entries.iter().chain(&self.record.facts);
        let kinds = entries().all(|e| e.kind < 16);
        let times = entries().flat_map(|e| [e.begin, e.end]);
        let wrong = [
            (!path, Heading::StateMembership),
            (!record || !kinds, Heading::RecordOpening),
            (
                times.chain(self.record.negatives).any(|t| t >> 26 != 0),
                Heading::RangesAndTimes,
            ),
            (usize::from(self.position) >= POSITIONS, Heading::Entry),
        ];
        wrong
            .into_iter()
            .find(|(wrong, _)| *wrong)
            .map(|(_, heading)| heading)
    }

    /// What stands at a position: the wide ones, those for facts only, then the negative tests. An empty position has the key
    /// of nothing, or of a test, and begins at zero.
    ///
    /// # Panics
    /// From [`POSITIONS`] on.
    pub fn standing(&self, position: usize) -> Standing {
        standing(&self.record, position)
    }
}

pub(super) fn standing(record: &RecordLayout, position: usize) -> Standing {
    const { assert!(MAX_STAYS + FACT_POSITIONS == MAX_ENTRIES) };
    if let Some(test) = position.checked_sub(MAX_ENTRIES) {
        return Standing {
            key: NEGATIVE_TEST_KEY,
            begin: record.negatives[test],
            end: None,
        };
    }
    let entry = match position.checked_sub(MAX_STAYS) {
        None => &record.entries[position],
        Some(narrow) => &record.facts[narrow],
    };
    Standing {
        key: entry_key(entry.is_stay, entry.kind, entry.place),
        begin: entry.begin,
        end: entry.ended.then_some(entry.end),
    }
}
