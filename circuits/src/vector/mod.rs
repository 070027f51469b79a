//! Vectors of any circuit: accepted statements and attempts that are refused, as files that anybody can read and replay.
//!
//! The format is described in `vectors/README.md`; what the shipped ones try is in the statements' own modules. Reading is
//! strict: limits before parsing, no unknown name, one spelling for each element.

mod changes;
mod forgery;
pub(crate) mod form;
mod nearest;
mod read;
#[cfg(test)]
pub(crate) mod searches;
mod text;
#[cfg(test)]
pub(crate) mod trials;
mod write;

use commitment::Fr;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::circuit::Circuit;
use crate::gives::Given;
use crate::shape::WireNames;

pub(crate) use forgery::Forgery;
pub(crate) use nearest::{Attempt, rejected};
pub use read::{Fault, VectorError};
pub use write::VectorFile;

/// A circuit that there are vectors of.
pub trait Tried: Circuit<Heading: Ord, Public: Copy + PartialEq + std::fmt::Debug> {
    /// What files say of their format.
    const FORMAT: &'static str;
    /// Its headings in their order.
    const HEADINGS: &'static [Self::Heading];
    /// How files write public inputs.
    type PublicForm: Serialize + DeserializeOwned;
    /// How files write witnesses.
    type WitnessForm: Serialize + DeserializeOwned;

    /// The names of wires and rows, made once.
    fn names() -> &'static WireNames;

    /// The native relation: the heading that it refuses under, if it refuses.
    fn refuses(public: &Self::Public, witness: &Self::Witness) -> Option<Self::Heading>;

    /// The heading under which a witness is none at all.
    fn malformed(witness: &Self::Witness) -> Option<Self::Heading>;

    /// Writes public inputs and witness.
    fn form(
        public: &Self::Public,
        witness: &Self::Witness,
    ) -> (Self::PublicForm, Self::WitnessForm);

    /// Reads public inputs and witness.
    ///
    /// # Errors
    /// [`Fault`] for what its form admits and its type does not.
    fn read(
        public: Self::PublicForm,
        witness: Self::WitnessForm,
    ) -> Result<(Self::Public, Self::Witness), Fault>;

    /// The rows that give wires, found once.
    #[doc(hidden)]
    fn given() -> &'static Given;
}

/// Longest file of one vector: a whole one has about 30,000 bytes.
pub const MAX_VECTOR_LEN_BYTES: usize = 128 * 1024;
/// Most vectors that are read together.
pub const MAX_VECTORS: usize = 1000;
/// Longest name of a vector, in bytes.
pub const MAX_NAME_LEN_BYTES: usize = 64;
/// Longest sentence saying what a vector tries, in bytes.
pub const MAX_TRIES_LEN_BYTES: usize = 400;
/// Most wires that one vector sets.
pub const MAX_WIRES: usize = 4096;

/// One vector.
#[derive(Clone, Debug)]
pub struct Vector<C: Tried> {
    /// Its name, unique among those read together; its file's name without the ending.
    pub name: String,
    /// A sentence saying what it tries.
    pub tries: String,
    /// What it is.
    pub body: Body<C>,
}

/// What a vector holds, and with it who judges it and how.
#[derive(Clone, Debug)]
pub enum Body<C: Tried> {
    /// A witness that fulfils the statement.
    Accept {
        /// The public inputs.
        public: C::Public,
        /// The witness.
        witness: Box<C::Witness>,
    },
    /// A witness that does not; relation, rows and prover refuse it under the heading.
    Reject {
        /// The heading.
        heading: C::Heading,
        /// The accept vector that its file names what differs from.
        base: String,
        /// The public inputs.
        public: C::Public,
        /// The witness.
        witness: Box<C::Witness>,
    },
    /// Values for wires that no witness gives them; only rows under the heading are broken by them.
    Wires {
        /// The heading.
        heading: C::Heading,
        /// The accept vector whose assignment they are set in.
        base: String,
        /// Wires, ascending, with their values.
        wires: Vec<(usize, Fr)>,
    },
    /// Public inputs under which a proof of the base is shown; the verifier refuses it.
    Shown {
        /// The accept vector whose proof is shown.
        base: String,
        /// The public inputs, not those of the base.
        public: C::Public,
    },
}

impl<C: Tried> Body<C> {
    /// The accept vector that it rests on; an accept vector rests on none.
    pub fn base(&self) -> Option<&str> {
        match self {
            Self::Accept { .. } => None,
            Self::Reject { base, .. } | Self::Wires { base, .. } | Self::Shown { base, .. } => {
                Some(base)
            }
        }
    }
}

/// Vectors that were read together: names are unique, and every base is an accept vector among them.
#[derive(Clone, Debug)]
pub struct Vectors<C: Tried> {
    pub(crate) all: Vec<Vector<C>>,
}

impl<C: Tried> Vectors<C> {
    /// The vectors: accept vectors first, then the others, each in the order of their names.
    pub fn all(&self) -> &[Vector<C>] {
        &self.all
    }

    /// Public inputs and witness of an accept vector.
    pub fn accepted(&self, name: &str) -> Option<(&C::Public, &C::Witness)> {
        self.all.iter().find_map(|vector| match &vector.body {
            Body::Accept { public, witness } if vector.name == name => Some((public, &**witness)),
            _ => None,
        })
    }

    /// The values of all wires that a wire vector states; none for other vectors, nor for one whose base, against what its file
    /// says, is of a form that no prover could state.
    pub fn values(&self, vector: &Vector<C>) -> Option<Vec<Fr>> {
        let Body::Wires { base, wires, .. } = &vector.body else {
            return None;
        };
        let (public, witness) = self.accepted(base)?;
        if C::malformed(witness).is_some() {
            return None;
        }
        let mut values = C::assign(public, witness).values;
        for (wire, value) in wires {
            *values.get_mut(*wire)? = *value;
        }
        Some(values)
    }
}

/// The headings of the rows that `values` break, in the order of headings.
///
/// # Panics
/// If there are fewer values than variables; [`Vectors::values`] gives as many, and `assign` of a witness that is not
/// malformed.
pub fn broken_headings<C: Tried>(values: &[Fr]) -> Vec<C::Heading> {
    let shape = C::shape();
    let at = |terms: &crate::rows::Terms| terms.iter().map(|(c, i)| *c * values[*i]).sum::<Fr>();
    let [a, b, c] = &shape.matrices;
    let broken = |row: &usize| at(&a[*row]) * at(&b[*row]) != at(&c[*row]);
    let mut headings: Vec<C::Heading> = (0..shape.constraints())
        .filter(broken)
        .map(|row| shape.headings[row])
        .collect();
    headings.sort_unstable();
    headings.dedup();
    headings
}
