//! Vectors of `pseudonym`: what the shipped ones try is in [`made()`].

mod form;
mod made;
mod shipped;

use std::sync::LazyLock;

use commitment::pseudonym::PseudonymInputs;

use super::{Heading, Witness, check, names, shape};
use crate::Pseudonym;
use crate::gives::{Given, given};
use crate::shape::WireNames;
use crate::vector::{Fault, Tried};
use form::{PublicForm, WitnessForm};

pub use made::made;
pub use shipped::SHIPPED;

/// A vector of `pseudonym`.
pub type Vector = crate::vector::Vector<Pseudonym>;
/// What a vector of `pseudonym` holds.
pub type Body = crate::vector::Body<Pseudonym>;
/// Vectors of `pseudonym` that were read together.
pub type Vectors = crate::vector::Vectors<Pseudonym>;
/// A prover who sets wires.
pub(super) type Forgery = crate::vector::Forgery<Pseudonym>;

impl Tried for Pseudonym {
    const FORMAT: &'static str = "viridian/pseudonym-vector/v1";
    const HEADINGS: &'static [Heading] = &Heading::ALL;
    type PublicForm = PublicForm;
    type WitnessForm = WitnessForm;

    fn names() -> &'static WireNames {
        static NAMES: LazyLock<WireNames> = LazyLock::new(names);
        &NAMES
    }

    fn refuses(public: &PseudonymInputs, witness: &Witness) -> Option<Heading> {
        check(public, witness).err().map(|refusal| refusal.0)
    }

    fn malformed(witness: &Witness) -> Option<Heading> {
        witness.malformed()
    }

    fn form(public: &PseudonymInputs, witness: &Witness) -> (PublicForm, WitnessForm) {
        (public.into(), witness.into())
    }

    fn read(public: PublicForm, witness: WitnessForm) -> Result<(PseudonymInputs, Witness), Fault> {
        Ok((public.try_into()?, witness.try_into()?))
    }

    fn given() -> &'static Given {
        static GIVEN: LazyLock<Given> = LazyLock::new(|| given(shape()));
        &GIVEN
    }
}
