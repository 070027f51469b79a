//! The JSON form of public inputs and witnesses: every field by name, elements as 64 hex digits, times in minutes.

use commitment::opening::{Answer, OpeningInputs, Said, Sought, Stated};
use commitment::{Blinding, IdentityCommitment};
use rules::{AreaCode, FactKind, IdentityNumber, Minute, ProvinceCode};
use serde::{Deserialize, Serialize};

use crate::opening::Witness;
use crate::vector::Fault;
use crate::vector::form::{Hex, PathForm, RecordForm, element, hex_of};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublicForm {
    state_root: Hex,
    leaf: Hex,
    /// Eighteen characters.
    subject: String,
    sought: StatedForm,
    end_not_before: Minute,
    answer: AnswerForm,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum StatedForm {
    Fact {
        kind: FactKind,
        province: ProvinceCode,
        begin: Minute,
    },
    Stay {
        /// `area · 2^17 + site`.
        place: u64,
        begin: Minute,
    },
    NegativeTest {
        sampled_at: Minute,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AnswerForm {
    Stands,
    Ended,
    Covered,
    CoveredAndEnded,
    Absent,
}

impl From<&OpeningInputs> for PublicForm {
    fn from(public: &OpeningInputs) -> Self {
        let sought = public.said.sought();
        Self {
            state_root: hex_of(public.state_root),
            leaf: hex_of(public.leaf),
            subject: String::from_utf8_lossy(public.subject.expose()).into_owned(),
            sought: match sought.stated() {
                Stated::Fact {
                    kind,
                    province,
                    begin,
                } => StatedForm::Fact {
                    kind,
                    province,
                    begin,
                },
                Stated::Stay { place, begin } => StatedForm::Stay {
                    place: place.packed(),
                    begin,
                },
                Stated::NegativeTest { sampled_at } => StatedForm::NegativeTest { sampled_at },
            },
            end_not_before: sought.end_not_before(),
            answer: match public.said.answer() {
                Answer::Stands => AnswerForm::Stands,
                Answer::Ended => AnswerForm::Ended,
                Answer::Covered => AnswerForm::Covered,
                Answer::CoveredAndEnded => AnswerForm::CoveredAndEnded,
                Answer::Absent => AnswerForm::Absent,
            },
        }
    }
}

impl TryFrom<PublicForm> for OpeningInputs {
    type Error = Fault;
    fn try_from(form: PublicForm) -> Result<Self, Fault> {
        let stated = match form.sought {
            StatedForm::Fact {
                kind,
                province,
                begin,
            } => Stated::Fact {
                kind,
                province,
                begin,
            },
            StatedForm::Stay { place, begin } => Stated::Stay {
                place: AreaCode::from_packed(place).map_err(Fault::Place)?,
                begin,
            },
            StatedForm::NegativeTest { sampled_at } => Stated::NegativeTest { sampled_at },
        };
        let answer = match form.answer {
            AnswerForm::Stands => Answer::Stands,
            AnswerForm::Ended => Answer::Ended,
            AnswerForm::Covered => Answer::Covered,
            AnswerForm::CoveredAndEnded => Answer::CoveredAndEnded,
            AnswerForm::Absent => Answer::Absent,
        };
        let sought = Sought::new(stated).map_err(Fault::Asked)?;
        let sought = sought.ended_not_before(form.end_not_before);
        // A bound before the begin would be another spelling of the begin.
        if sought.end_not_before() != form.end_not_before {
            return Err(Fault::Bound);
        }
        let number = form.subject.as_bytes();
        Ok(Self {
            state_root: element(&form.state_root)?,
            leaf: element(&form.leaf)?,
            subject: IdentityNumber::from_bytes(number).map_err(Fault::Subject)?,
            said: Said::new(sought, answer).map_err(Fault::Asked)?,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessForm {
    record: RecordForm,
    identity: Hex,
    salt: Hex,
    blinding: Hex,
    state_path: PathForm,
    position: u8,
}

impl From<&Witness> for WitnessForm {
    fn from(w: &Witness) -> Self {
        Self {
            record: (&w.record).into(),
            identity: hex_of(w.identity.element()),
            salt: hex_of(w.salt),
            blinding: hex_of(w.blinding.0),
            state_path: (&w.state_path).into(),
            position: w.position,
        }
    }
}

impl TryFrom<WitnessForm> for Witness {
    type Error = Fault;
    fn try_from(form: WitnessForm) -> Result<Self, Fault> {
        Ok(Self {
            record: form.record.into(),
            identity: IdentityCommitment::from_element(element(&form.identity)?),
            salt: element(&form.salt)?,
            blinding: Blinding(element(&form.blinding)?),
            state_path: form.state_path.try_into()?,
            position: form.position,
        })
    }
}
