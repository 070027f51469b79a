//! Vectors of `opening`: what the shipped ones try is in [`made()`].

mod form;
mod made;
mod shipped;

use std::sync::LazyLock;

use commitment::opening::OpeningInputs;

use super::{Heading, Witness, check, names, shape};
use crate::Opening;
use crate::gives::{Given, given};
use crate::shape::WireNames;
use crate::vector::{Fault, Tried};
use form::{PublicForm, WitnessForm};

pub use made::made;
pub use shipped::SHIPPED;

/// A vector of `opening`.
pub type Vector = crate::vector::Vector<Opening>;
/// What a vector of `opening` holds.
pub type Body = crate::vector::Body<Opening>;
/// Vectors of `opening` that were read together.
pub type Vectors = crate::vector::Vectors<Opening>;
/// A prover who sets wires.
pub(super) type Forgery = crate::vector::Forgery<Opening>;

impl Tried for Opening {
    const FORMAT: &'static str = "viridian/opening-vector/v1";
    const HEADINGS: &'static [Heading] = &Heading::ALL;
    type PublicForm = PublicForm;
    type WitnessForm = WitnessForm;

    fn names() -> &'static WireNames {
        static NAMES: LazyLock<WireNames> = LazyLock::new(names);
        &NAMES
    }

    fn refuses(public: &OpeningInputs, witness: &Witness) -> Option<Heading> {
        check(public, witness).err().map(|refusal| refusal.0)
    }

    fn malformed(witness: &Witness) -> Option<Heading> {
        witness.malformed()
    }

    fn form(public: &OpeningInputs, witness: &Witness) -> (PublicForm, WitnessForm) {
        (public.into(), witness.into())
    }

    fn read(public: PublicForm, witness: WitnessForm) -> Result<(OpeningInputs, Witness), Fault> {
        Ok((public.try_into()?, witness.try_into()?))
    }

    fn given() -> &'static Given {
        static GIVEN: LazyLock<Given> = LazyLock::new(|| given(shape()));
        &GIVEN
    }
}
