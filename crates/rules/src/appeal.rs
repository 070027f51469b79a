//! Decisions of appeals: what an office for appeals says about an event that a resident contests, with one canonical layout of bytes.

use crate::{EventId, Minute, ProvinceCode, SourceId, SourceKind};

/// What stands before the canonical bytes when they are signed.
pub const DECISION_DOMAIN: &[u8] = b"viridian/appeal-decision/v1\0";
/// The first byte of the canonical bytes.
pub const DECISION_LAYOUT_VERSION: u8 = 1;
/// Longest words of a decision, in bytes: as much as the resident has for what is wrong.
pub const MAX_WORDS_LEN_BYTES: usize = 1_000;
/// Version, case, event, outcome, moment, source and the length of the words.
const HEAD_LEN_BYTES: usize = 1 + 16 + 16 + 1 + 4 + 6 + 2;
/// The shortest decision.
pub const MIN_DECISION_LEN_BYTES: usize = HEAD_LEN_BYTES + 1;
/// The longest decision.
pub const MAX_DECISION_LEN_BYTES: usize = HEAD_LEN_BYTES + MAX_WORDS_LEN_BYTES;

/// Why a decision cannot be read. Whoever sent it is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecisionError {
    /// Bytes that are no canonical decision of the version they name.
    #[error("not a decision: {0}")]
    Malformed(&'static str),
    /// Bytes of a version that this program does not read.
    #[error("decisions of version {0} are not read here")]
    UnknownVersion(u8),
    /// Words that are none, too many, or hold what is no text.
    #[error(
        "the words of a decision are 1 to 1,000 bytes of text, of control characters new lines alone"
    )]
    BadWords,
}

/// How an appeal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// The event is void; a ruling says so as well.
    Upheld = 1,
    /// The event stands.
    Dismissed = 2,
}

/// Why an appeal was decided so, for the resident to read: 1 to 1,000 bytes of text, of control characters new lines alone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Words(String);

impl Words {
    /// Takes words as somebody wrote them.
    ///
    /// # Errors
    /// [`DecisionError::BadWords`].
    pub fn new(words: impl Into<String>) -> Result<Self, DecisionError> {
        let words = words.into();
        let is_text = words.chars().all(|c| c == '\n' || !c.is_control());
        if is_text && (1..=MAX_WORDS_LEN_BYTES).contains(&words.len()) {
            Ok(Self(words))
        } else {
            Err(DecisionError::BadWords)
        }
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Prints nothing of what is said to a resident.
impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Words(..)")
    }
}

/// How an appeal was decided, as the office says it. Who signs is `source`; rules know no signatures.
///
/// It names case and event, and nobody; whose they are is the home node's to know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decision {
    /// The resident's name for the appeal.
    pub case_id: [u8; 16],
    /// The event contested.
    pub event: EventId,
    /// How it ends.
    pub outcome: Outcome,
    /// When it was decided.
    pub at: Minute,
    /// The office.
    pub source: SourceId,
    /// Why.
    pub words: Words,
}

impl Decision {
    /// The canonical bytes, one sequence for each decision: version 1 · case id 16 · event id 16 · outcome 1 · moment 4 · source
    /// (province 1, kind 1, number 4) · length of the words 2 · the words, UTF-8. Numbers are big-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let words = self.words.as_str().as_bytes();
        // At most 1,000.
        let len = u16::try_from(words.len()).unwrap_or(u16::MAX);
        let mut out = Vec::with_capacity(HEAD_LEN_BYTES + words.len());
        out.push(DECISION_LAYOUT_VERSION);
        out.extend(self.case_id);
        out.extend(self.event.0);
        out.push(self.outcome as u8);
        out.extend(self.at.get().to_be_bytes());
        out.extend([self.source.province.get(), self.source.kind.code()]);
        out.extend(self.source.number.to_be_bytes());
        out.extend(len.to_be_bytes());
        out.extend(words);
        out
    }

    /// What the office signs: [`DECISION_DOMAIN`] and the canonical bytes.
    pub fn signing_bytes(&self) -> Vec<u8> {
        [DECISION_DOMAIN, &self.to_bytes()].concat()
    }

    /// Reads canonical bytes; whatever it accepts, [`Decision::to_bytes`] gives back unchanged.
    ///
    /// # Errors
    /// [`DecisionError::UnknownVersion`] for another first byte, [`DecisionError::BadWords`], else [`DecisionError::Malformed`] with the
    /// field: too short, too long, or a value that the field cannot have.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecisionError> {
        if bytes.len() > MAX_DECISION_LEN_BYTES {
            return Err(DecisionError::Malformed("longer than 1,046 bytes"));
        }
        let mut input = Input(bytes);
        match input.take()? {
            [DECISION_LAYOUT_VERSION] => {}
            [other] => return Err(DecisionError::UnknownVersion(other)),
        }
        let case_id = input.take()?;
        let event = EventId(input.take()?);
        let outcome = match input.take()? {
            [1] => Outcome::Upheld,
            [2] => Outcome::Dismissed,
            _ => return Err(DecisionError::Malformed("outcome")),
        };
        let at = Minute::new(u32::from_be_bytes(input.take()?))
            .map_err(|_| DecisionError::Malformed("a moment beyond 26 bits"))?;
        let source = input.source()?;
        let len = u16::from_be_bytes(input.take()?);
        if input.0.len() != usize::from(len) {
            return Err(DecisionError::Malformed("words of another length"));
        }
        let words = std::str::from_utf8(input.0).map_err(|_| DecisionError::BadWords)?;
        Ok(Self {
            case_id,
            event,
            outcome,
            at,
            source,
            words: Words::new(words)?,
        })
    }
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], DecisionError> {
        let (head, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(DecisionError::Malformed("ends too early"))?;
        self.0 = rest;
        Ok(*head)
    }

    fn source(&mut self) -> Result<SourceId, DecisionError> {
        let [province, kind] = self.take()?;
        Ok(SourceId {
            province: ProvinceCode::new(province)
                .map_err(|_| DecisionError::Malformed("province"))?,
            kind: SourceKind::from_code(kind).ok_or(DecisionError::Malformed("source"))?,
            number: u32::from_be_bytes(self.take()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Decision {
        Decision {
            case_id: [7; 16],
            event: EventId([9; 16]),
            outcome: Outcome::Dismissed,
            at: Minute::new(27_679_200).unwrap(),
            source: SourceId {
                province: ProvinceCode::new(33).unwrap(),
                kind: SourceKind::AppealsOffice,
                number: 258,
            },
            words: Words::new("核实无误\nThe test stands.").unwrap(),
        }
    }

    prop_compose! {
        fn decision()(
            case_id in any::<[u8; 16]>(),
            event in any::<[u8; 16]>(),
            is_upheld in any::<bool>(),
            at in 0..=Minute::MAX.get(),
            province in proptest::sample::select(&ProvinceCode::ALL[..]),
            kind in proptest::sample::select(&SourceKind::ALL[..]),
            number in any::<u32>(),
            words in "[^\\pC]{1,250}",
        ) -> Decision {
            Decision {
                case_id,
                event: EventId(event),
                outcome: if is_upheld { Outcome::Upheld } else { Outcome::Dismissed },
                at: Minute::new(at).unwrap(),
                source: SourceId { province: ProvinceCode::new(province).unwrap(), kind, number },
                words: Words::new(words).unwrap(),
            }
        }
    }

    proptest! {
        #[test]
        fn canonical_bytes_read_back_to_the_same_decision(decision in decision()) {
            let bytes = decision.to_bytes();
            prop_assert!((MIN_DECISION_LEN_BYTES..=MAX_DECISION_LEN_BYTES).contains(&bytes.len()));
            prop_assert_eq!(Decision::from_bytes(&bytes), Ok(decision));
        }

        #[test]
        fn whatever_is_read_is_canonical(decision in decision(), at in any::<usize>(), bits in 1u8..=255) {
            let mut bytes = decision.to_bytes();
            let at = at % bytes.len();
            bytes[at] ^= bits;
            if let Ok(read) = Decision::from_bytes(&bytes) {
                prop_assert_eq!(read.to_bytes(), bytes);
                prop_assert_ne!(read, decision);
            }
        }

        #[test]
        fn a_byte_too_few_or_too_many_is_refused(decision in decision(), extra in any::<u8>()) {
            let mut bytes = decision.to_bytes();
            prop_assert!(Decision::from_bytes(&bytes[..bytes.len() - 1]).is_err());
            bytes.push(extra);
            prop_assert!(Decision::from_bytes(&bytes).is_err());
        }

        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1_100)) {
            let _ = Decision::from_bytes(&bytes);
        }
    }

    #[test]
    fn the_layout_is_pinned() {
        let mut decision = base();
        decision.words = Words::new("no").unwrap();
        let bytes = decision.to_bytes();
        let expected = concat!(
            "01",                               // version
            "07070707070707070707070707070707", // case
            "09090909090909090909090909090909", // event
            "02",                               // dismissed
            "01a659e0",                         // at
            "210800000102",                     // province 33, office for appeals, 258
            "0002",                             // two bytes
            "6e6f"                              // no
        );
        assert_eq!(hex::encode(&bytes), expected);
        let signed = decision.signing_bytes();
        assert_eq!(&signed[..28], b"viridian/appeal-decision/v1\0");
        assert_eq!(&signed[28..], bytes);
    }

    #[test]
    fn each_damaged_field_is_refused_for_its_own_reason() {
        let malformed = DecisionError::Malformed;
        for (at, value, error) in [
            (0, 2, DecisionError::UnknownVersion(2)),
            (33, 0, malformed("outcome")),
            (33, 3, malformed("outcome")),
            (34, 4, malformed("a moment beyond 26 bits")),
            (38, 99, malformed("province")),
            (39, 0, malformed("source")),
            (39, 9, malformed("source")),
            (44, 1, malformed("words of another length")),
            (45, 1, malformed("words of another length")),
            (46, 0xff, DecisionError::BadWords),
            (46, 0, DecisionError::BadWords),
        ] {
            let mut bytes = base().to_bytes();
            bytes[at] = value;
            assert_eq!(Decision::from_bytes(&bytes), Err(error), "{at} {value}");
        }
        assert_eq!(Decision::from_bytes(&[]), Err(malformed("ends too early")));
        assert_eq!(
            Decision::from_bytes(&[1; 1_047]),
            Err(malformed("longer than 1,046 bytes"))
        );
        let mut without = base().to_bytes();
        without.truncate(HEAD_LEN_BYTES);
        without[44..].fill(0);
        assert_eq!(Decision::from_bytes(&without), Err(DecisionError::BadWords));
    }

    #[test]
    fn words_are_text_of_a_bounded_length() {
        for good in ["a", "第一行\n第二行", &"a".repeat(1_000)] {
            assert_eq!(Words::new(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "a\r\nb",
            "a\tb",
            "\u{7f}",
            "\u{85}",
            "a\0",
            &"a".repeat(1_001),
        ] {
            assert_eq!(Words::new(bad), Err(DecisionError::BadWords), "{bad:?}");
        }
        let mut longest = base();
        longest.words = Words::new("字".repeat(333) + "a").unwrap();
        assert_eq!(longest.to_bytes().len(), MAX_DECISION_LEN_BYTES);
        let mut shortest = base();
        shortest.words = Words::new("a").unwrap();
        assert_eq!(shortest.to_bytes().len(), MIN_DECISION_LEN_BYTES);
    }

    #[test]
    fn nothing_of_the_words_shows_in_debug() {
        let shown = format!("{:?}", base());
        assert!(!shown.contains("test stands"), "{shown}");
    }
}
