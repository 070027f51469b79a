//! The committed layout of a record, and its state leaf.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use rules::{Fact, MAX_ENTRIES, MAX_NEGATIVES, MAX_RUNS, MAX_STAYS, Record, Stay};

use crate::field::{Error, pack};
use crate::poseidon::{Domain, hash3, hash8};

/// Positions that can hold only facts.
pub const FACT_POSITIONS: usize = MAX_ENTRIES - MAX_STAYS;
/// Elements that a record is packed into, before the identity commitment and the blinding.
pub const RECORD_ELEMENTS: usize = 12;

/// The two halves of an identity number as elements, nine characters each, the first character highest.
pub fn identity_halves(identity_number: &[u8; 18]) -> [Fr; 2] {
    let half = |bytes: &[u8]| {
        bytes.iter().fold(Fr::ZERO, |acc, byte| {
            acc * Fr::from(256u64) + Fr::from(*byte)
        })
    };
    [half(&identity_number[..9]), half(&identity_number[9..])]
}

/// A resident's identity inside a record: a hiding commitment, of use only to who can open it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IdentityCommitment(Fr);

impl IdentityCommitment {
    /// The commitment to an 18-character identity number under a secret salt.
    pub fn new(identity_number: &[u8; 18], salt: Fr) -> Self {
        let [high, low] = identity_halves(identity_number);
        Self(hash3(Domain::Identity, &[high, low, salt]))
    }

    /// A commitment from its element, as stored.
    pub const fn from_element(element: Fr) -> Self {
        Self(element)
    }

    /// The element.
    pub const fn element(self) -> Fr {
        self.0
    }
}

impl std::fmt::Debug for IdentityCommitment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentityCommitment(..)")
    }
}

/// The secret that keeps a state leaf from being guessed; fresh each epoch, so that unchanged records look changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Blinding(pub Fr);

impl std::fmt::Debug for Blinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Blinding(..)")
    }
}

/// Bits that a time takes in a packed element: its 26 and one that is always zero, so that an element decodes to its
/// committed times in one way only even when each is read as a distance back from `as_of` (STATEMENT, ranges and times).
pub const TIME_BITS: usize = 27;
/// Bits that a day takes: its 16 and one that is always zero, for the same reason.
pub const DAY_BITS: usize = 17;

/// A position that can hold a stay, a fact or nothing: `stay 1 · kind 4 · ended 1 · begin 27 · end 27 · place 47` bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryBits {
    /// Whether it is a stay.
    pub is_stay: bool,
    /// The fact's kind, zero for a stay and for nothing.
    pub kind: u8,
    /// Whether it has an end.
    pub ended: bool,
    /// Minute of its begin.
    pub begin: u32,
    /// Minute of its end, zero without one.
    pub end: u32,
    /// A stay's packed place, or a fact's province.
    pub place: u64,
}

impl EntryBits {
    /// The fields with their widths for a position that can hold a stay.
    pub fn wide(&self) -> [(u64, usize); 6] {
        let [kind, ended, begin, end, _] = self.narrow();
        [
            (u64::from(self.is_stay), 1),
            kind,
            ended,
            begin,
            end,
            (self.place, 47),
        ]
    }

    /// The fields with their widths for a position that can hold only a fact; the place is a province.
    pub fn narrow(&self) -> [(u64, usize); 5] {
        [
            (u64::from(self.kind), 4),
            (u64::from(self.ended), 1),
            (u64::from(self.begin), TIME_BITS),
            (u64::from(self.end), TIME_BITS),
            (self.place, 7),
        ]
    }
}

impl From<&Stay> for EntryBits {
    fn from(stay: &Stay) -> Self {
        Self {
            is_stay: true,
            kind: 0,
            ended: stay.end.is_some(),
            begin: stay.begin.get(),
            end: stay.end.map_or(0, rules::Minute::get),
            place: stay.place.packed(),
        }
    }
}

impl From<&Fact> for EntryBits {
    fn from(fact: &Fact) -> Self {
        Self {
            is_stay: false,
            kind: fact.kind.code(),
            ended: fact.end.is_some(),
            begin: fact.begin.get(),
            end: fact.end.map_or(0, rules::Minute::get),
            place: u64::from(fact.province.get()),
        }
    }
}

/// A record laid out in its fixed positions; empty positions are all zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordLayout {
    /// Stays first, then the facts that found no room in `facts`.
    pub entries: [EntryBits; MAX_STAYS],
    /// The first facts.
    pub facts: [EntryBits; FACT_POSITIONS],
    /// Sampling minutes of negative tests, ascending, then zeros.
    pub negatives: [u32; MAX_NEGATIVES],
    /// First and last day of check-in runs, ascending, then zeros.
    pub runs: [(u16, u16); MAX_RUNS],
}

impl From<&Record> for RecordLayout {
    fn from(record: &Record) -> Self {
        let mut layout = Self::default();
        let (first, more) = record
            .facts()
            .split_at(record.facts().len().min(FACT_POSITIONS));
        for (position, fact) in layout.facts.iter_mut().zip(first) {
            *position = fact.into();
        }
        let rest = record
            .stays()
            .iter()
            .map(EntryBits::from)
            .chain(more.iter().map(EntryBits::from));
        for (position, entry) in layout.entries.iter_mut().zip(rest) {
            *position = entry;
        }
        for (position, minute) in layout.negatives.iter_mut().zip(record.negatives()) {
            *position = minute.get();
        }
        for (position, run) in layout.runs.iter_mut().zip(record.runs()) {
            *position = (run.first.get(), run.last.get());
        }
        layout
    }
}

impl RecordLayout {
    /// The packed elements: six of two wide entries, four of three narrow ones, the negatives, the runs.
    pub fn elements(&self) -> [Fr; RECORD_ELEMENTS] {
        let mut out = [Fr::ZERO; RECORD_ELEMENTS];
        for (element, pair) in out.iter_mut().zip(self.entries.chunks_exact(2)) {
            *element = pack(&[pair[0].wide(), pair[1].wide()].concat());
        }
        for (element, three) in out[6..10].iter_mut().zip(self.facts.chunks_exact(3)) {
            *element = pack(&[three[0].narrow(), three[1].narrow(), three[2].narrow()].concat());
        }
        out[10] = pack(&self.negatives.map(|minute| (u64::from(minute), TIME_BITS)));
        out[11] = pack(
            &self
                .runs
                .map(|(a, b)| [(u64::from(a), DAY_BITS), (u64::from(b), DAY_BITS)])
                .concat(),
        );
        out
    }

    /// The state leaf of this layout.
    pub fn leaf(&self, identity: IdentityCommitment, blinding: Blinding) -> Fr {
        packed_leaf(&self.elements(), identity, blinding)
    }
}

/// The state leaf of a record that is packed already.
pub fn packed_leaf(
    e: &[Fr; RECORD_ELEMENTS],
    identity: IdentityCommitment,
    blinding: Blinding,
) -> Fr {
    let first = hash8(
        Domain::RecordFirst,
        &[e[0], e[1], e[2], e[3], e[4], e[5], e[6], e[7]],
    );
    let rest = [
        first,
        e[8],
        e[9],
        e[10],
        e[11],
        identity.element(),
        blinding.0,
        Fr::ZERO,
    ];
    hash8(Domain::RecordRest, &rest)
}

/// The state leaf of a record.
pub fn record_leaf(record: &Record, identity: IdentityCommitment, blinding: Blinding) -> Fr {
    RecordLayout::from(record).leaf(identity, blinding)
}

/// Checks that a record's facts and stays find their positions; a [`Record`] always does.
///
/// # Errors
/// [`Error::Layout`] if they do not.
pub fn check_layout(record: &Record) -> Result<(), Error> {
    let spare = record.facts().len().saturating_sub(FACT_POSITIONS) + record.stays().len();
    if spare > MAX_STAYS {
        Err(Error::Layout("more than 12 stays and spare facts"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rules::{AreaCode, FactKind, Minute, ProvinceCode};

    use super::*;

    fn full() -> Record {
        let minute = |m| Minute::new(m).unwrap();
        let stays = (0..12u32)
            .map(|i| Stay {
                place: AreaCode::new(330_102_001, i).unwrap(),
                begin: minute(1000 + i),
                end: None,
            })
            .collect();
        let facts = (0..12u32)
            .map(|i| Fact {
                kind: FactKind::ALL[i as usize],
                province: ProvinceCode::new(33).unwrap(),
                begin: minute(2000 + i),
                end: Some(minute(3000 + i)),
            })
            .collect();
        Record::new(stays, facts, (1..=8).map(minute).collect(), vec![]).unwrap()
    }

    #[test]
    fn every_field_of_a_full_record_changes_its_leaf() {
        let salt = IdentityCommitment::new(b"330102199001011234", Fr::from(1));
        let layout = RecordLayout::from(&full());
        let leaf = layout.leaf(salt, Blinding(Fr::from(2)));
        let changes: [fn(&mut RecordLayout); 8] = [
            |l| l.entries[11].place ^= 1,
            |l| l.entries[0].begin ^= 1,
            |l| l.entries[5].ended ^= true,
            |l| l.facts[11].kind ^= 1,
            |l| l.facts[0].place ^= 1,
            |l| l.facts[7].end ^= 1,
            |l| l.negatives[7] ^= 1,
            |l| l.runs[3].1 ^= 1,
        ];
        for change in changes {
            let mut other = layout.clone();
            change(&mut other);
            assert_ne!(other.leaf(salt, Blinding(Fr::from(2))), leaf);
        }
        assert_ne!(layout.leaf(salt, Blinding(Fr::from(3))), leaf);
        let other = IdentityCommitment::new(b"330102199001011235", Fr::from(1));
        assert_ne!(layout.leaf(other, Blinding(Fr::from(2))), leaf);
        assert!(check_layout(&full()).is_ok());
    }

    #[test]
    fn twenty_four_facts_without_a_stay_fit() {
        let fact = Fact {
            kind: FactKind::Entry,
            province: ProvinceCode::new(35).unwrap(),
            begin: Minute::new(9).unwrap(),
            end: None,
        };
        let record = Record::new(vec![], vec![fact; 24], vec![], vec![]).unwrap();
        let layout = RecordLayout::from(&record);
        assert!(
            layout
                .entries
                .iter()
                .chain(&layout.facts)
                .all(|e| e.kind == 7 && !e.is_stay)
        );
    }
}
