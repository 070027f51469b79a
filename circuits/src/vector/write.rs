//! Writing: from vectors to files.

use serde_json::{Map, Value, json};

use super::changes::between;
use super::form::hex_of;
use super::{Body, Tried, Vector, Vectors, text};

/// A vector's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VectorFile {
    /// Folder and name, with `/` between: `accept/empty-record.json`.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

impl<C: Tried> Vectors<C> {
    /// The vectors' files; reading them gives the same vectors.
    pub fn write(&self) -> Vec<VectorFile> {
        self.all.iter().map(|vector| self.file(vector)).collect()
    }

    fn file(&self, vector: &Vector<C>) -> VectorFile {
        let expected = match &vector.body {
            Body::Accept { .. } => json!("accept"),
            Body::Shown { .. } => json!("proof_refused"),
            Body::Reject { heading, .. } | Body::Wires { heading, .. } => {
                json!({ "reject": heading.to_string() })
            }
        };
        let mut members = vec![
            ("format", json!(C::FORMAT)),
            ("name", json!(vector.name)),
            ("tries", json!(vector.tries)),
            ("expected", expected),
        ];
        members.extend(vector.body.base().map(|base| ("base", json!(base))));
        match &vector.body {
            Body::Accept { public, witness } => {
                let (public, witness) = C::form(public, witness);
                members.extend([("public", json!(public)), ("witness", json!(witness))]);
            }
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
                members.push(("matrix_sha256", json!(hex::encode(C::shape().digest()))));
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
    fn changes(&self, base: &str, public: &C::Public, witness: Option<&C::Witness>) -> Value {
        let Some((base_public, base_witness)) = self.accepted(base) else {
            return Value::Null;
        };
        let base = whole::<C>(base_public, base_witness);
        let other = whole::<C>(public, witness.unwrap_or(base_witness));
        let changes = between(&base, &other);
        Value::Object(changes.into_iter().collect::<Map<_, _>>())
    }
}

/// Public inputs and witness as one value.
pub(super) fn whole<C: Tried>(public: &C::Public, witness: &C::Witness) -> Value {
    let (public, witness) = C::form(public, witness);
    json!({ "public": public, "witness": witness })
}
