//! Reading: from files to vectors.

use std::collections::BTreeMap;
use std::fmt;

use commitment::Fr;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::changes::{Changes, apply};
use super::form::element;
use super::{
    Body, MAX_NAME_LEN_BYTES, MAX_TRIES_LEN_BYTES, MAX_VECTOR_LEN_BYTES, MAX_VECTORS, MAX_WIRES,
    Tried, Vector, Vectors,
};

/// A file that is no vector, or does not fit the others; who wrote it is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {fault}")]
pub struct VectorError {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Longer than [`MAX_VECTOR_LEN_BYTES`].
    #[error("a vector has at most {MAX_VECTOR_LEN_BYTES} bytes, not {0}")]
    TooLong(usize),
    /// More files than [`MAX_VECTORS`].
    #[error("at most {MAX_VECTORS} vectors are read together")]
    TooMany,
    /// No JSON, or with a name, a number or a type that the format does not have.
    #[error("not a vector: {0}")]
    Json(String),
    /// A format that this program does not read.
    #[error("format {found:?} is not read here, only {read:?}")]
    Format {
        /// What the file says.
        found: String,
        /// What is read.
        read: &'static str,
    },
    /// Parts that do not belong together.
    #[error(
        "an accept vector has public and witness; a reject vector base and changes; a vector of wires base, \
         matrix_sha256 and wires; one shown with other inputs base and public"
    )]
    Parts,
    /// A name of other characters than `a-z`, `0-9` and `-`, too long, or not the file's own.
    #[error(
        "the name {0:?} is not the file's own, or not of 1 to {MAX_NAME_LEN_BYTES} of a-z, 0-9 and '-'"
    )]
    Name(String),
    /// Two vectors of one name.
    #[error("another vector is called {0:?} too")]
    NameTwice(String),
    /// No sentence, or one that is too long.
    #[error("what it tries is said in 1 to {MAX_TRIES_LEN_BYTES} bytes")]
    Tries,
    /// No heading of the statement.
    #[error("{0:?} is no heading of the statement")]
    Heading(String),
    /// An element that is not 64 lower-case hex digits, or names a number at or above the modulus.
    #[error("{0:?} is no field element: 64 lower-case hex digits of a number below the modulus")]
    Element(String),
    /// A rule table with a row out of range.
    #[error("rule table: {0}")]
    Table(rules::Error),
    /// A rule table that is not in its one form.
    #[error(
        "rule table: 96 keys, each with the index of a row; rows in the order of first use, each once"
    )]
    TableIndex,
    /// What is sought and answered do not go together.
    #[error("what is asked: {0}")]
    Asked(commitment::opening::OpeningError),
    /// A place beyond 47 bits.
    #[error("a place: {0}")]
    Place(rules::Error),
    /// A bound on an end that lies before the begin.
    #[error("the end's bound lies before the begin")]
    Bound,
    /// A number that is no identity number.
    #[error("the subject: {0}")]
    Subject(rules::IdentityError),
    /// A base that is no accept vector among those read.
    #[error("the base {0:?} is no accept vector among these")]
    Base(String),
    /// A change of something that the base does not have.
    #[error("{0:?} leads to nothing in the base")]
    Pointer(String),
    /// A change that changes nothing.
    #[error("{0:?} is changed to what it is in the base")]
    NoChange(String),
    /// A pointer that is named twice.
    #[error("{0:?} is changed twice")]
    ChangedTwice(String),
    /// Wires that are none of the witness, too many, or not ascending.
    #[error("1 to {MAX_WIRES} wires of the witness, ascending")]
    Wires,
    /// Wires of a constraint system with another digest.
    #[error("the wires are those of the matrices {0}, not of the ones built here")]
    OtherCircuit(String),
}

/// What a file says is expected.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Expected {
    Accept,
    Reject(String),
    ProofRefused,
}

#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    bound = "C::PublicForm: serde::de::DeserializeOwned, C::WitnessForm: serde::de::DeserializeOwned"
)]
struct File<C: Tried> {
    format: String,
    name: String,
    tries: String,
    expected: Expected,
    base: Option<String>,
    public: Option<C::PublicForm>,
    witness: Option<Box<C::WitnessForm>>,
    changes: Option<ChangesForm>,
    matrix_sha256: Option<String>,
    wires: Option<Vec<(usize, String)>>,
}

/// An object of pointers, none of them twice.
struct ChangesForm(Changes);

impl<'de> Deserialize<'de> for ChangesForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = ChangesForm;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object from pointers to values")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ChangesForm, A::Error> {
                let mut changes = Changes::new();
                while let Some(entry) = map.next_entry::<String, Value>()? {
                    changes.push(entry);
                }
                Ok(ChangesForm(changes))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

impl<C: Tried> Vectors<C> {
    /// Reads vectors from their files' names and bytes; a name's part before the last `/` does not count.
    ///
    /// # Errors
    /// [`VectorError`] with the first file that is refused.
    pub fn read<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, VectorError> {
        let mut read: BTreeMap<String, (&str, File<C>)> = BTreeMap::new();
        for (name, bytes) in files {
            let refused = |fault| VectorError {
                file: name.to_owned(),
                fault,
            };
            if read.len() >= MAX_VECTORS {
                return Err(refused(Fault::TooMany));
            }
            let file = parse(name, bytes).map_err(refused)?;
            if read.contains_key(&file.name) {
                return Err(refused(Fault::NameTwice(file.name)));
            }
            read.insert(file.name.clone(), (name, file));
        }
        let (bases, others): (Vec<_>, Vec<_>) = read
            .into_values()
            .partition(|(_, file)| matches!(file.expected, Expected::Accept));
        let mut all = Vec::with_capacity(bases.len() + others.len());
        let mut values = BTreeMap::new();
        for (name, file) in bases {
            let refused = |fault| VectorError {
                file: name.to_owned(),
                fault,
            };
            let value = file.whole();
            let vector = file.accept().map_err(refused)?;
            values.insert(vector.name.clone(), value);
            all.push(vector);
        }
        for (name, file) in others {
            let refused = |fault| VectorError {
                file: name.to_owned(),
                fault,
            };
            all.push(file.resting_on(&values).map_err(refused)?);
        }
        Ok(Self { all })
    }
}

fn parse<C: Tried>(path: &str, bytes: &[u8]) -> Result<File<C>, Fault> {
    if bytes.len() > MAX_VECTOR_LEN_BYTES {
        return Err(Fault::TooLong(bytes.len()));
    }
    let file: File<C> = serde_json::from_slice(bytes).map_err(|e| Fault::Json(e.to_string()))?;
    if file.format != C::FORMAT {
        return Err(Fault::Format {
            found: file.format.chars().take(64).collect(),
            read: C::FORMAT,
        });
    }
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let stem = path.rsplit('/').next().unwrap_or(path);
    let named = (1..=MAX_NAME_LEN_BYTES).contains(&file.name.len())
        && file.name.bytes().all(plain)
        && stem.strip_suffix(".json") == Some(&file.name);
    if !named {
        return Err(Fault::Name(
            file.name.chars().take(MAX_NAME_LEN_BYTES).collect(),
        ));
    }
    if !(1..=MAX_TRIES_LEN_BYTES).contains(&file.tries.len()) {
        return Err(Fault::Tries);
    }
    Ok(file)
}

fn heading<C: Tried>(title: &str) -> Result<C::Heading, Fault> {
    let mut headings = C::HEADINGS.iter().copied();
    let named = headings.find(|h| h.to_string() == title);
    named.ok_or_else(|| Fault::Heading(title.chars().take(64).collect()))
}

impl<C: Tried> File<C> {
    /// Public inputs and witness as one value, for what changes them.
    fn whole(&self) -> Value {
        serde_json::json!({ "public": self.public, "witness": self.witness })
    }

    fn accept(self) -> Result<Vector<C>, Fault> {
        let Self {
            name,
            tries,
            base: None,
            public: Some(public),
            witness: Some(witness),
            changes: None,
            matrix_sha256: None,
            wires: None,
            ..
        } = self
        else {
            return Err(Fault::Parts);
        };
        let (public, witness) = C::read(public, *witness)?;
        let witness = Box::new(witness);
        let body = Body::Accept { public, witness };
        Ok(Vector { name, tries, body })
    }

    fn resting_on(self, bases: &BTreeMap<String, Value>) -> Result<Vector<C>, Fault> {
        let base = self.base.ok_or(Fault::Parts)?;
        let on = bases
            .get(&base)
            .ok_or_else(|| Fault::Base(base.chars().take(MAX_NAME_LEN_BYTES).collect()))?;
        let parts = (
            self.public,
            self.witness,
            self.changes,
            self.matrix_sha256,
            self.wires,
        );
        let body = match (self.expected, parts) {
            (Expected::Reject(title), (None, None, Some(changes), None, None)) => {
                let (public, witness) = changed::<C>(on, &changes.0)?;
                Body::Reject {
                    heading: heading::<C>(&title)?,
                    base,
                    public,
                    witness: Box::new(witness),
                }
            }
            (Expected::Reject(title), (None, None, None, Some(digest), Some(wires))) => {
                Body::Wires {
                    heading: heading::<C>(&title)?,
                    base,
                    wires: wires_of::<C>(&digest, &wires)?,
                }
            }
            (Expected::ProofRefused, (None, None, Some(changes), None, None)) => {
                let of_witness = |(pointer, _): &&(String, Value)| !pointer.starts_with("/public/");
                if let Some((pointer, _)) = changes.0.iter().find(of_witness) {
                    return Err(Fault::Pointer(pointer.chars().take(80).collect()));
                }
                let (public, _) = changed::<C>(on, &changes.0)?;
                Body::Shown { base, public }
            }
            _ => return Err(Fault::Parts),
        };
        Ok(Vector {
            name: self.name,
            tries: self.tries,
            body,
        })
    }
}

/// The base with its changes made, read as strictly as if it had been written whole.
fn changed<C: Tried>(base: &Value, changes: &Changes) -> Result<(C::Public, C::Witness), Fault> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Whole<P, W> {
        public: P,
        witness: W,
    }
    if changes.is_empty() {
        return Err(Fault::Parts);
    }
    for (i, (pointer, _)) in changes.iter().enumerate() {
        if changes[..i].iter().any(|(before, _)| before == pointer) {
            return Err(Fault::ChangedTwice(pointer.chars().take(80).collect()));
        }
    }
    let whole = apply(base.clone(), changes)?;
    let whole: Whole<C::PublicForm, C::WitnessForm> =
        serde_json::from_value(whole).map_err(|e| Fault::Json(e.to_string()))?;
    C::read(whole.public, whole.witness)
}

fn wires_of<C: Tried>(digest: &str, wires: &[(usize, String)]) -> Result<Vec<(usize, Fr)>, Fault> {
    let shape = C::shape();
    if digest != hex::encode(shape.digest()) {
        return Err(Fault::OtherCircuit(digest.chars().take(64).collect()));
    }
    let of_witness = shape.instance..shape.instance + shape.witness;
    let ascending = wires.windows(2).all(|w| w[0].0 < w[1].0);
    let fits = (1..=MAX_WIRES).contains(&wires.len())
        && ascending
        && wires.iter().all(|(wire, _)| of_witness.contains(wire));
    if !fits {
        return Err(Fault::Wires);
    }
    wires
        .iter()
        .map(|(wire, value)| Ok((*wire, element(value)?)))
        .collect()
}
