//! Vectors of `clearance`: what the shipped ones try is in [`made()`].

mod form;
mod made;
mod shipped;

use std::sync::LazyLock;

use commitment::PublicInputs;

use super::{Heading, Witness, check, names, shape};
use crate::Clearance;
use crate::gives::{Given, given};
use crate::shape::WireNames;
use crate::vector::Tried;
use form::{PublicForm, WitnessForm};

pub use crate::vector::{
    Fault, MAX_NAME_LEN_BYTES, MAX_TRIES_LEN_BYTES, MAX_VECTOR_LEN_BYTES, MAX_VECTORS, MAX_WIRES,
    VectorError, VectorFile,
};
pub use made::made;
pub use shipped::SHIPPED;

/// A vector of `clearance`.
pub type Vector = crate::vector::Vector<Clearance>;
/// What a vector of `clearance` holds.
pub type Body = crate::vector::Body<Clearance>;
/// Vectors of `clearance` that were read together.
pub type Vectors = crate::vector::Vectors<Clearance>;
/// A prover who sets wires.
type Forgery = crate::vector::Forgery<Clearance>;

/// The headings of the rows that `values` break, in the order of headings.
///
/// # Panics
/// As [`crate::vector::broken_headings`].
pub fn broken_headings(values: &[commitment::Fr]) -> Vec<Heading> {
    crate::vector::broken_headings::<Clearance>(values)
}

impl Tried for Clearance {
    const FORMAT: &'static str = "viridian/clearance-vector/v1";
    const HEADINGS: &'static [Heading] = &Heading::ALL;
    type PublicForm = PublicForm;
    type WitnessForm = WitnessForm;

    fn names() -> &'static WireNames {
        static NAMES: LazyLock<WireNames> = LazyLock::new(names);
        &NAMES
    }

    fn refuses(public: &PublicInputs, witness: &Witness) -> Option<Heading> {
        check(public, witness).err().map(|refusal| refusal.0)
    }

    fn malformed(witness: &Witness) -> Option<Heading> {
        witness.malformed()
    }

    fn form(public: &PublicInputs, witness: &Witness) -> (PublicForm, WitnessForm) {
        (public.into(), witness.into())
    }

    fn read(public: PublicForm, witness: WitnessForm) -> Result<(PublicInputs, Witness), Fault> {
        Ok((public.try_into()?, witness.try_into()?))
    }

    fn given() -> &'static Given {
        static GIVEN: LazyLock<Given> = LazyLock::new(|| given(shape()));
        &GIVEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clearance::scene::Scene;

    #[test]
    fn nothing_follows_from_nothing() {
        let (public, witness) = Scene::green().witness().unwrap();
        let mut forgery = Forgery::of(&public, &witness);
        forgery.follow();
        assert_eq!(forgery.changed(), []);
        assert!(Clearance::given().in_order().count() > 15_000);
    }
}
