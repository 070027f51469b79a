//! A code taken apart to its last byte: each field's place, bytes and value, and what it reveals to whom.
//!
//! Knows no trust list, no key and no clock, and verifies no proof: what it says is what anybody sees who reads the code.

mod fields;
mod words;
mod words_zh;

use serde::Serialize;
use verifier::{QrText, RuleSetShortId, Showing};

pub use fields::{Field, Part, Scope, is_specimen};
pub use words::Words;

/// What no byte of a code says, nor any two of them together.
pub const NOT_IN_IT: &str = "name, identity number, home province, home node, events, places, contacts, test times, and whether the colour \
     is better than claimed";
/// The same in Chinese.
pub const NOT_IN_IT_ZH: &str = "姓名、身份证号码、所属省份、家乡节点、事件、地点、接触者、检测时间，以及实际颜色是否好于所声明的";

/// Why a text is not taken apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text is no code; whoever made it is at fault.
    #[error(transparent)]
    Code(#[from] verifier::Error),
    /// The bytes are not those of the values that were decoded: a fault of this program.
    #[error("the bytes at {at} are not those of the decoded {part:?}")]
    Place {
        /// Where, bytes from the beginning.
        at: usize,
        /// The field that should begin there.
        part: Part,
    },
    /// Bytes are left over: a fault of this program.
    #[error("the fields take {read} of {all} bytes")]
    Left {
        /// Bytes of all fields.
        read: usize,
        /// Bytes there are.
        all: usize,
    },
}

/// Whether a showing is signed by its pass's own key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    /// It is.
    Fits,
    /// It is signed, and not by that key.
    DoesNotFit,
    /// A pass bound to a card alone is not signed.
    None,
}

/// A code, taken apart.
#[derive(Debug)]
pub struct Anatomy {
    /// The text.
    pub text: QrText,
    /// What it decodes to.
    pub showing: Showing,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its fields in their order, none left out and none twice.
    pub fields: Vec<Field>,
    /// Whether it is signed.
    pub signature: Signature,
}

impl Anatomy {
    /// Takes the text of a code apart. `name` says what a rule set is called.
    ///
    /// # Errors
    /// [`Error`].
    pub fn of(text: &str, name: &dyn Fn(RuleSetShortId) -> Option<String>) -> Result<Self, Error> {
        let text = QrText::parse(text)?;
        let showing = text.showing()?;
        let bytes = showing.to_bytes();
        let fields = fields::of(&showing, &bytes, name)?;
        let signature = match showing.moment() {
            None => Signature::None,
            Some(_) if showing.signature_fits() => Signature::Fits,
            Some(_) => Signature::DoesNotFit,
        };
        Ok(Self {
            text,
            showing,
            bytes,
            fields,
            signature,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Codes of all kinds.
    fn codes() -> Vec<(String, String)> {
        let text = include_str!("../../verifier/vectors/showings.json");
        let vectors: Value = serde_json::from_str(text).unwrap();
        let word = |case: &Value, name: &str| case[name].as_str().unwrap().to_owned();
        let cases = vectors["cases"].as_array().unwrap().iter();
        cases.map(|c| (word(c, "name"), word(c, "text"))).collect()
    }

    #[test]
    fn every_byte_of_every_code_stands_in_one_field_with_words_in_both_languages() {
        let mut taken = 0;
        for (name, text) in codes() {
            let Ok(anatomy) = Anatomy::of(&text, &|_| None) else {
                continue;
            };
            taken += 1;
            let joined: String = anatomy.fields.iter().map(|f| f.hex.as_str()).collect();
            assert_eq!(joined, hex::encode(&anatomy.bytes), "{name}");
            for field in &anatomy.fields {
                for words in [field.words, field.zh] {
                    for said in [words.title, words.meaning, words.reveals, words.to] {
                        assert!(!said.is_empty(), "{name} {:?}", field.part);
                    }
                }
                let is_chinese = |text: &str| text.chars().any(|c| ('一'..='鿿').contains(&c));
                assert!(is_chinese(field.zh.meaning), "{name} {:?}", field.part);
                assert!(!is_chinese(field.words.meaning), "{name} {:?}", field.part);
            }
        }
        assert!(taken > 15, "{taken} codes");
    }

    #[test]
    fn a_rule_set_is_called_as_the_caller_says() {
        let (_, text) = codes().swap_remove(0);
        let named = Anatomy::of(&text, &|short| Some(format!("set {short}"))).unwrap();
        let of = |part| named.fields.iter().find(|f| f.part == part).unwrap();
        assert!(of(Part::RuleSet).value.starts_with("set "));
        let unnamed = Anatomy::of(&text, &|_| None).unwrap();
        let rule_set = unnamed.fields.iter().find(|f| f.part == Part::RuleSet);
        assert!(rule_set.unwrap().value.ends_with("not a known rule set"));
    }

    #[test]
    fn what_is_no_code_is_refused_by_what_is_wrong() {
        for (name, text) in codes() {
            let refused = Anatomy::of(&text, &|_| None).err();
            let expected = ["nothing", "a page's address", "a code cut short"];
            if expected.contains(&name.as_str()) {
                assert!(matches!(refused, Some(Error::Code(_))), "{name}");
            }
        }
    }
}
