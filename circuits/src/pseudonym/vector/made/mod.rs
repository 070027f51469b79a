//! What the shipped vectors try, in code: their files are written from here and never by hand.

mod accept;
mod reject;
mod set_wires;
mod shown;

use commitment::pseudonym::PseudonymInputs;

use super::{Body, Vector, Vectors};
use crate::Pseudonym;
use crate::pseudonym::Witness;
use crate::vector::rejected;

const DAY: u32 = 1440;

type Statement = (PseudonymInputs, Witness);
/// A witness that does not fulfil the statement.
type Attempt = crate::vector::Attempt<Pseudonym>;

/// The vectors that the project ships.
///
/// # Panics
/// If a scene has a head from after its close: a fault of this module, which its tests find.
pub fn made() -> Vectors {
    let mut accepted: Vec<Vector> = accept::all()
        .into_iter()
        .map(accept::Accepted::vector)
        .collect();
    accepted.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let mut vectors = Vectors { all: accepted };
    let mut others = rejected(&vectors, reject::attempts().into_iter());
    others.extend(set_wires::vectors());
    others.extend(shown::vectors(&vectors));
    others.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    vectors.all.extend(others);
    vectors
}
