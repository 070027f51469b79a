//! The JSON form of what all witnesses hold: elements as 64 hex digits, records and paths by their fields.

use commitment::record::{EntryBits, FACT_POSITIONS, RecordLayout};
use commitment::{Fr, MerklePath, fr_from_bytes, fr_to_bytes};
use rules::{MAX_NEGATIVES, MAX_RUNS, MAX_STAYS};
use serde::{Deserialize, Serialize};

use super::Fault;

/// A field element as 64 lower-case hex digits.
pub(crate) type Hex = String;

/// The digits of an element.
pub(crate) fn hex_of(element: Fr) -> Hex {
    hex::encode(fr_to_bytes(element))
}

/// The element with these digits.
pub(crate) fn element(text: &str) -> Result<Fr, Fault> {
    let wrong = || Fault::Element(text.chars().take(64).collect());
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| wrong())?;
    let element = fr_from_bytes(&bytes).map_err(|_| wrong())?;
    // One element, one spelling: upper case is refused too.
    if hex_of(element) == text {
        Ok(element)
    } else {
        Err(wrong())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryForm {
    is_stay: bool,
    kind: u8,
    ended: bool,
    begin: u32,
    end: u32,
    place: u64,
}

impl From<&EntryBits> for EntryForm {
    fn from(entry: &EntryBits) -> Self {
        let EntryBits {
            is_stay,
            kind,
            ended,
            begin,
            end,
            place,
        } = *entry;
        Self {
            is_stay,
            kind,
            ended,
            begin,
            end,
            place,
        }
    }
}

impl From<EntryForm> for EntryBits {
    fn from(form: EntryForm) -> Self {
        let EntryForm {
            is_stay,
            kind,
            ended,
            begin,
            end,
            place,
        } = form;
        Self {
            is_stay,
            kind,
            ended,
            begin,
            end,
            place,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordForm {
    entries: [EntryForm; MAX_STAYS],
    facts: [EntryForm; FACT_POSITIONS],
    negatives: [u32; MAX_NEGATIVES],
    runs: [(u16, u16); MAX_RUNS],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PathForm {
    index: u32,
    levels: Vec<[Hex; 8]>,
}

impl From<&MerklePath> for PathForm {
    fn from(path: &MerklePath) -> Self {
        Self {
            index: path.index,
            levels: path.levels.iter().map(|l| l.map(hex_of)).collect(),
        }
    }
}

impl TryFrom<PathForm> for MerklePath {
    type Error = Fault;
    fn try_from(form: PathForm) -> Result<Self, Fault> {
        let level = |hex: &[Hex; 8]| -> Result<[Fr; 8], Fault> {
            let mut children = [Fr::from(0u64); 8];
            for (child, text) in children.iter_mut().zip(hex) {
                *child = element(text)?;
            }
            Ok(children)
        };
        Ok(Self {
            index: form.index,
            levels: form.levels.iter().map(level).collect::<Result<_, _>>()?,
        })
    }
}

impl From<&RecordLayout> for RecordForm {
    fn from(record: &RecordLayout) -> Self {
        Self {
            entries: record.entries.each_ref().map(Into::into),
            facts: record.facts.each_ref().map(Into::into),
            negatives: record.negatives,
            runs: record.runs,
        }
    }
}

impl From<RecordForm> for RecordLayout {
    fn from(form: RecordForm) -> Self {
        Self {
            entries: form.entries.map(Into::into),
            facts: form.facts.map(Into::into),
            negatives: form.negatives,
            runs: form.runs,
        }
    }
}
