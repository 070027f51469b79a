//! Writing: from vectors to files.

use commitment::PublicInputs;
use serde_json::{Map, Value, json};

use super::changes::between;
use super::form::{PublicForm, WitnessForm, hex_of};
use super::read::FORMAT;
use super::{Body, Vector, Vectors, text};
use crate::clearance::{Witness, shape};

/// A vector's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorFile {
    /// Folder and name, with `/` between: `accept/empty-record.json`.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

impl Vectors {
    /// The vectors' files; reading them gives the same vectors.
    pub fn write(&self) -> Vec<VectorFile> {
        self.all.iter().map(|vector| self.file(vector)).collect()
    }

    fn file(&self, vector: &Vector) -> VectorFile {
        let expected = match &vector.body {
            Body::Accept { .. } => json!("accept"),
            Body::Shown { .. } => json!("proof_refused"),
            Body::Reject { heading, .. } | Body::Wires { heading, .. } => {
                json!({ "reject": heading.title() })
            }
        };
        let mut members = vec![
            ("format", json!(FORMAT)),
            ("name", json!(vector.name)),
            ("tries", json!(vector.tries)),
            ("expected", expected),
        ];
        members.extend(vector.body.base().map(|base| ("base", json!(base))));
        match &vector.body {
            Body::Accept { public, witness } => members.extend([
                ("public", json!(PublicForm::from(public))),
                ("witness", json!(WitnessForm::from(&**witness))),
            ]),
            Body::Reject {
                base,
                public,
                witness,
                ..
            } => members.push(("changes", self.changes(base, public, Some(witness)))),
            Body::Shown { base, public } => {
                members.push(("changes", self.changes(base, public, None)));
            }
            Body::Wires { wires, .. } => {
                let wires = wires
                    .iter()
                    .map(|(wire, value)| json!([wire, hex_of(*value)]));
                members.push(("matrix_sha256", json!(hex::encode(shape().digest()))));
                members.push(("wires", wires.collect()));
            }
        }
        let folder = match vector.body {
            Body::Accept { .. } => "accept",
            Body::Reject { .. } => "reject",
            Body::Wires { .. } => "wires",
            Body::Shown { .. } => "shown",
        };
        VectorFile {
            path: format!("{folder}/{}.json", vector.name),
            text: text::document(&members),
        }
    }

    /// What differs from the base; from its witness, too, unless there is none.
    fn changes(&self, base: &str, public: &PublicInputs, witness: Option<&Witness>) -> Value {
        let Some((base_public, base_witness)) = self.accepted(base) else {
            return Value::Null;
        };
        let base = whole(base_public, base_witness);
        let other = whole(public, witness.unwrap_or(base_witness));
        let changes = between(&base, &other);
        Value::Object(changes.into_iter().collect::<Map<_, _>>())
    }
}

/// Public inputs and witness as one value.
pub(super) fn whole(public: &PublicInputs, witness: &Witness) -> Value {
    json!({ "public": PublicForm::from(public), "witness": WitnessForm::from(witness) })
}
