//! Public inputs of the statement `opening`: what is sought in a record, and what is answered about it.

use rules::{
    AreaCode, Event, EventBody, FactKind, IdentityNumber, Minute, ProvinceCode, TestResult,
};

use crate::layout::{LayoutError, Reader};
use crate::record::identity_halves;
use crate::{Fr, pack};

/// Public inputs of the statement `opening`.
pub const OPENING_INPUTS: usize = 6;
/// Bits of a key: negative test 1 · stay 1 · kind 4 · place 47.
pub const KEY_BITS: usize = 53;
/// Bits of a moment among the public inputs.
pub const MOMENT_BITS: usize = 26;
/// Conditions that an answer can set.
pub const CONDITIONS: usize = 7;
/// Length of [`Sought::to_bytes`].
pub const SOUGHT_LEN_BYTES: usize = 1 + 1 + 8 + 4 + 4;

/// What an event says that a record can hold: the part of an entry that does not change while the entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stated {
    /// A ground of some kind.
    Fact {
        /// What kind.
        kind: FactKind,
        /// Where it happened.
        province: ProvinceCode,
        /// When it began.
        begin: Minute,
    },
    /// A stay.
    Stay {
        /// Where.
        place: AreaCode,
        /// First minute there.
        begin: Minute,
    },
    /// A negative test.
    NegativeTest {
        /// When it was sampled.
        sampled_at: Minute,
    },
}

impl Stated {
    /// What an event says that a record can hold. Nothing for check-ins of normal days, and for releases and rulings, which
    /// speak of another event.
    pub fn of_event(event: &Event) -> Option<Self> {
        match event.body {
            EventBody::Stay { place, begin, .. } => Some(Self::Stay { place, begin }),
            EventBody::Test {
                sampled_at,
                result: TestResult::Negative,
            } => Some(Self::NegativeTest { sampled_at }),
            _ => rules::stated_fact(event).map(|fact| Self::Fact {
                kind: fact.kind,
                province: fact.province,
                begin: fact.begin,
            }),
        }
    }

    /// The key: everything but the time, [`KEY_BITS`] wide.
    pub fn key(&self) -> u64 {
        match *self {
            Self::NegativeTest { .. } => NEGATIVE_TEST_KEY,
            Self::Stay { place, .. } => entry_key(true, 0, place.packed()),
            Self::Fact { kind, province, .. } => {
                entry_key(false, kind.code(), u64::from(province.get()))
            }
        }
    }

    /// The moment: begin, or sampling.
    pub const fn begin(&self) -> Minute {
        match *self {
            Self::Fact { begin, .. } | Self::Stay { begin, .. } => begin,
            Self::NegativeTest { sampled_at } => sampled_at,
        }
    }
}

/// The key of every negative test.
pub const NEGATIVE_TEST_KEY: u64 = 1;

/// The key of an entry as the rules read it: a stay has no kind, whatever stands in its place.
pub const fn entry_key(is_stay: bool, kind: u8, place: u64) -> u64 {
    let kind = if is_stay { 0 } else { kind as u64 };
    (is_stay as u64) << 1 | kind << 2 | place << 6
}

/// What is sought in a record: something stated, and, should it have ended, a bound on its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Sought {
    stated: Stated,
    end_not_before: Minute,
}

impl Sought {
    /// Something stated, which if it has ended did not end before it began.
    ///
    /// # Errors
    /// [`OpeningError::NoMoment`] for a begin at zero, where records have nothing.
    pub fn new(stated: Stated) -> Result<Self, OpeningError> {
        if stated.begin() == Minute::ZERO {
            return Err(OpeningError::NoMoment);
        }
        Ok(Self {
            stated,
            end_not_before: stated.begin(),
        })
    }

    /// What an event states, with the end that it states itself.
    ///
    /// # Errors
    /// [`OpeningError::NothingStated`] for check-ins of normal days, releases and rulings; [`OpeningError::NoMoment`].
    pub fn of_event(event: &Event) -> Result<Self, OpeningError> {
        let stated = Stated::of_event(event).ok_or(OpeningError::NothingStated)?;
        Ok(Self::new(stated)?.ended_not_before(event.body.latest()))
    }

    /// The same, which if it has ended did not end before `at`: what the source of a release asks. A bound before the
    /// begin says nothing and changes nothing.
    #[must_use]
    pub fn ended_not_before(self, at: Minute) -> Self {
        Self {
            end_not_before: self.stated.begin().max(at),
            ..self
        }
    }

    /// What is stated.
    pub const fn stated(&self) -> Stated {
        self.stated
    }

    /// The bound on its end.
    pub const fn end_not_before(&self) -> Minute {
        self.end_not_before
    }

    /// Its canonical bytes: what 1 (1 fact, 2 stay, 3 negative test) · kind 1 · place 8 · begin 4 · end not before 4.
    pub fn to_bytes(&self) -> [u8; SOUGHT_LEN_BYTES] {
        let (what, kind, place) = match self.stated {
            Stated::Fact { kind, province, .. } => (1, kind.code(), u64::from(province.get())),
            Stated::Stay { place, .. } => (2, 0, place.packed()),
            Stated::NegativeTest { .. } => (3, 0, 0),
        };
        let mut out = [0; SOUGHT_LEN_BYTES];
        out[0] = what;
        out[1] = kind;
        out[2..10].copy_from_slice(&place.to_be_bytes());
        out[10..14].copy_from_slice(&self.stated.begin().get().to_be_bytes());
        out[14..].copy_from_slice(&self.end_not_before.get().to_be_bytes());
        out
    }

    /// Reads what [`Sought::to_bytes`] writes.
    ///
    /// # Errors
    /// [`LayoutError`] for bytes that end early or name no such thing, or that name it in a second way.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let bytes: [u8; SOUGHT_LEN_BYTES] = reader.array()?;
        let sought = Self::parse(&bytes).ok_or(LayoutError::Invalid("what is sought"))?;
        if sought.to_bytes() != bytes {
            return Err(LayoutError::Invalid("what is sought, written otherwise"));
        }
        Ok(sought)
    }

    fn parse(bytes: &[u8; SOUGHT_LEN_BYTES]) -> Option<Self> {
        let [what, kind, rest @ ..] = bytes;
        let (place, times) = rest.split_first_chunk::<8>()?;
        let (begin, end) = times.split_first_chunk::<4>()?;
        let minute = |bytes: [u8; 4]| Minute::new(u32::from_be_bytes(bytes)).ok();
        let place = u64::from_be_bytes(*place);
        let begin = minute(*begin)?;
        let stated = match what {
            1 => Stated::Fact {
                kind: FactKind::ALL.into_iter().find(|k| k.code() == *kind)?,
                province: ProvinceCode::new(u8::try_from(place).ok()?).ok()?,
                begin,
            },
            2 => Stated::Stay {
                place: AreaCode::from_packed(place).ok()?,
                begin,
            },
            3 => Stated::NegativeTest { sampled_at: begin },
            _ => return None,
        };
        let end = minute(end.try_into().ok()?)?;
        Some(Self::new(stated).ok()?.ended_not_before(end))
    }
}

/// What the home node answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Answer {
    /// It stands as stated, and has not ended.
    Stands = 1,
    /// It stands as stated, and has ended, not before the bound.
    Ended = 2,
    /// It does not stand by itself: another entry stands for it that has not ended. For a fact one of its kind and province
    /// that began no earlier, for a stay one in its place that began no later.
    Covered = 3,
    /// The same by an entry that has ended, not before the bound. For a fact the other's begin is not looked at.
    CoveredAndEnded = 4,
    /// No entry, and no test, has its key and its begin.
    Absent = 5,
}

impl Answer {
    /// All answers in the order of their codes.
    pub const ALL: [Self; 5] = [
        Self::Stands,
        Self::Ended,
        Self::Covered,
        Self::CoveredAndEnded,
        Self::Absent,
    ];

    /// The answer with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.code() == code)
    }

    /// The code, 1 to 5.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// Why something sought, and what is answered, are no question or do not go together; whoever put them together is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// An event that states nothing that a record holds as an entry of its own.
    #[error(
        "the event states nothing that a record holds by itself: ask for the event that it speaks of"
    )]
    NothingStated,
    /// A begin at zero, which in records stands for nothing.
    #[error("nothing in a record begins at minute zero")]
    NoMoment,
    /// A negative test neither ends nor stands for another.
    #[error("a negative test stands or is absent; it does not end, and none stands for another")]
    TestAnswer,
}

/// What is sought with an answer that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Said {
    sought: Sought,
    answer: Answer,
}

/// The conditions of an answer, one bit each among the public inputs, the first lowest. The entry is one at some position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a bit each among the public inputs"
)]
pub struct Conditions {
    /// The entry has the key sought, and has ended just if `ended`.
    pub is_there: bool,
    /// It began then.
    pub begin_equal: bool,
    /// It did not begin before.
    pub begin_not_before: bool,
    /// It did not begin after.
    pub begin_not_after: bool,
    /// It has ended.
    pub ended: bool,
    /// It did not end before the bound.
    pub end_not_before: bool,
    /// No position has the key and the begin sought.
    pub absent: bool,
}

impl Conditions {
    /// The bits in their order.
    pub const fn bits(self) -> [bool; CONDITIONS] {
        [
            self.is_there,
            self.begin_equal,
            self.begin_not_before,
            self.begin_not_after,
            self.ended,
            self.end_not_before,
            self.absent,
        ]
    }
}

impl Said {
    /// Something sought with its answer.
    ///
    /// # Errors
    /// [`OpeningError::TestAnswer`] for a negative test that is said to have ended or to be covered.
    pub fn new(sought: Sought, answer: Answer) -> Result<Self, OpeningError> {
        let is_test = matches!(sought.stated, Stated::NegativeTest { .. });
        if is_test && !matches!(answer, Answer::Stands | Answer::Absent) {
            return Err(OpeningError::TestAnswer);
        }
        Ok(Self { sought, answer })
    }

    /// What is sought.
    pub const fn sought(&self) -> Sought {
        self.sought
    }

    /// What is answered.
    pub const fn answer(&self) -> Answer {
        self.answer
    }

    /// The conditions that the answer sets.
    pub fn conditions(&self) -> Conditions {
        let is_stay = matches!(self.sought.stated, Stated::Stay { .. });
        let there = Conditions {
            is_there: true,
            ..Conditions::default()
        };
        match self.answer {
            Answer::Stands => Conditions {
                begin_equal: true,
                ..there
            },
            Answer::Ended => Conditions {
                begin_equal: true,
                ended: true,
                end_not_before: true,
                ..there
            },
            Answer::Covered => Conditions {
                begin_not_before: !is_stay,
                begin_not_after: is_stay,
                ..there
            },
            Answer::CoveredAndEnded => Conditions {
                begin_not_after: is_stay,
                ended: true,
                end_not_before: true,
                ..there
            },
            Answer::Absent => Conditions {
                absent: true,
                ..Conditions::default()
            },
        }
    }

    fn to_fields(self) -> [Fr; 2] {
        let stated = self.sought.stated;
        let sought = pack(&[
            (stated.key(), KEY_BITS),
            (u64::from(stated.begin().get()), MOMENT_BITS),
        ]);
        let mut answer = self
            .conditions()
            .bits()
            .map(|bit| (u64::from(bit), 1))
            .to_vec();
        answer.push((u64::from(self.sought.end_not_before.get()), MOMENT_BITS));
        [sought, pack(&answer)]
    }
}

/// The public inputs of the statement `opening`, in the order of the constraint system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningInputs {
    /// Root of a province's state tree in some epoch.
    pub state_root: Fr,
    /// The record's leaf in it.
    pub leaf: Fr,
    /// Whose record it is.
    pub subject: IdentityNumber,
    /// What is sought in it, and what is answered.
    pub said: Said,
}

impl OpeningInputs {
    /// The field elements in their fixed order: state root, leaf, both halves of the subject, sought, answer.
    pub fn to_fields(&self) -> [Fr; OPENING_INPUTS] {
        let [high, low] = identity_halves(self.subject.expose());
        let [sought, answer] = self.said.to_fields();
        [self.state_root, self.leaf, high, low, sought, answer]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn minute(m: u32) -> Minute {
        Minute::new(m).unwrap()
    }

    fn fact(kind: FactKind, province: u8, begin: u32) -> Stated {
        Stated::Fact {
            kind,
            province: ProvinceCode::new(province).unwrap(),
            begin: minute(begin),
        }
    }

    fn inputs(stated: Stated, answer: Answer) -> OpeningInputs {
        let sought = Sought::new(stated).unwrap().ended_not_before(minute(900));
        OpeningInputs {
            state_root: Fr::from(1u64),
            leaf: Fr::from(2u64),
            subject: IdentityNumber::assemble(330_102, (1990, 3, 7), 777).unwrap(),
            said: Said::new(sought, answer).unwrap(),
        }
    }

    #[test]
    fn no_two_things_stated_have_one_key_and_begin() {
        let place = AreaCode::new(330_102_001, 3).unwrap();
        let stay = Stated::Stay {
            place,
            begin: minute(5),
        };
        let test = Stated::NegativeTest {
            sampled_at: minute(5),
        };
        let mut all = vec![stay, test];
        for kind in FactKind::ALL {
            for province in [0, 11, 33, 82] {
                all.push(fact(kind, province, 5));
            }
        }
        let keys: std::collections::BTreeSet<u64> = all.iter().map(Stated::key).collect();
        assert_eq!(keys.len(), all.len());
        assert!(keys.iter().all(|key| key >> KEY_BITS == 0));
        // What a leaf can hold and no record has: a stay with a kind is a stay, and a test's key is no entry's.
        assert_eq!(entry_key(true, 9, place.packed()), stay.key());
        assert!(
            [true, false]
                .iter()
                .all(|is_stay| entry_key(*is_stay, 15, (1 << 47) - 1) & 1 == 0)
        );
    }

    #[test]
    fn an_answers_conditions_are_those_of_its_words() {
        let bits = |stated, answer| inputs(stated, answer).said.conditions().bits();
        let fact = fact(FactKind::ConfirmedCase, 33, 5);
        let stay = Stated::Stay {
            place: AreaCode::new(330_102_001, 0).unwrap(),
            begin: minute(5),
        };
        let b = |text: &str| -> [bool; CONDITIONS] {
            let bits: Vec<bool> = text.bytes().map(|b| b == b'1').collect();
            bits.try_into().unwrap()
        };
        for (answer, of_fact, of_stay) in [
            (Answer::Stands, "1100000", "1100000"),
            (Answer::Ended, "1100110", "1100110"),
            (Answer::Covered, "1010000", "1001000"),
            (Answer::CoveredAndEnded, "1000110", "1001110"),
            (Answer::Absent, "0000001", "0000001"),
        ] {
            assert_eq!(bits(fact, answer), b(of_fact), "{answer:?}");
            assert_eq!(bits(stay, answer), b(of_stay), "{answer:?}");
        }
    }

    #[test]
    fn a_test_neither_ends_nor_is_covered_and_nothing_begins_at_zero() {
        let at = |m| Stated::NegativeTest {
            sampled_at: minute(m),
        };
        assert_eq!(Sought::new(at(0)), Err(OpeningError::NoMoment));
        let sought = Sought::new(at(7)).unwrap();
        for answer in Answer::ALL {
            let fits = matches!(answer, Answer::Stands | Answer::Absent);
            assert_eq!(Said::new(sought, answer).is_ok(), fits);
        }
    }

    #[test]
    fn every_part_of_the_public_inputs_changes_an_element_and_no_other() {
        let base = inputs(fact(FactKind::ConfirmedCase, 33, 5), Answer::Ended);
        let said = |stated, end, answer| {
            let sought = Sought::new(stated).unwrap().ended_not_before(minute(end));
            Said::new(sought, answer).unwrap()
        };
        let with = |said| OpeningInputs { said, ..base };
        let case = fact(FactKind::ConfirmedCase, 33, 5);
        let one = Fr::from(1u64);
        for (other, changed) in [
            (
                OpeningInputs {
                    state_root: one + one,
                    ..base
                },
                0,
            ),
            (OpeningInputs { leaf: one, ..base }, 1),
            (
                with(said(
                    fact(FactKind::AsymptomaticCase, 33, 5),
                    900,
                    Answer::Ended,
                )),
                4,
            ),
            (
                with(said(
                    fact(FactKind::ConfirmedCase, 35, 5),
                    900,
                    Answer::Ended,
                )),
                4,
            ),
            (
                with(said(
                    fact(FactKind::ConfirmedCase, 33, 6),
                    900,
                    Answer::Ended,
                )),
                4,
            ),
            (with(said(case, 901, Answer::Ended)), 5),
            (with(said(case, 900, Answer::Stands)), 5),
        ] {
            let pairs = base.to_fields().into_iter().zip(other.to_fields());
            let differ: Vec<usize> = pairs
                .enumerate()
                .filter(|(_, (a, b))| a != b)
                .map(|(i, _)| i)
                .collect();
            assert_eq!(differ, [changed]);
        }
    }

    proptest! {
        #[test]
        fn what_is_sought_reads_back_and_in_one_way_only(bytes in any::<[u8; SOUGHT_LEN_BYTES]>(), what in 0u8..5) {
            let mut bytes = bytes;
            (bytes[0], bytes[1]) = (what, bytes[1] % 17);
            bytes[2..6].fill(0);
            if what == 1 { bytes[6..9].fill(0); }
            if what == 3 { bytes[1..10].fill(0); }
            bytes[10] &= 3;
            bytes[14] &= 3;
            let mut reader = Reader::new(&bytes, SOUGHT_LEN_BYTES).unwrap();
            if let Ok(sought) = Sought::read(&mut reader) {
                prop_assert_eq!(sought.to_bytes(), bytes);
                prop_assert!(sought.end_not_before() >= sought.stated().begin());
            }
        }
    }

    #[test]
    fn everything_sought_reads_back() {
        let place = AreaCode::new(330_102_001, 3).unwrap();
        for stated in [
            fact(FactKind::PooledTube, 33, 5),
            fact(FactKind::Symptoms, 0, 1),
            Stated::Stay {
                place,
                begin: Minute::MAX,
            },
            Stated::NegativeTest {
                sampled_at: minute(9),
            },
        ] {
            let sought = Sought::new(stated).unwrap().ended_not_before(minute(1000));
            let bytes = sought.to_bytes();
            let mut reader = Reader::new(&bytes, SOUGHT_LEN_BYTES).unwrap();
            assert_eq!(Sought::read(&mut reader), Ok(sought));
        }
        let mut early = Sought::new(fact(FactKind::PooledTube, 33, 500))
            .unwrap()
            .to_bytes();
        early[17] -= 1;
        assert!(Sought::read(&mut Reader::new(&early, SOUGHT_LEN_BYTES).unwrap()).is_err());
    }
}
