//! The constraint system of `pseudonym`, and assignments to it.

use std::sync::LazyLock;

use commitment::pseudonym::PseudonymInputs;

use super::constraints::walk;
use super::{Heading, Witness, plan};
use crate::rows::Purpose;
use crate::shape::WireNames;

/// The constraint system of `pseudonym`; 2^13 rows are the wall.
pub type Shape = crate::shape::Shape<Heading>;
/// Values for every variable of it.
pub type Assignment = crate::shape::Assignment<Heading>;

/// The constraint system, built once.
pub fn shape() -> &'static Shape {
    static SHAPE: LazyLock<Shape> = LazyLock::new(|| build(None));
    &SHAPE
}

/// The constraint system without the rows under one heading: what a test needs to show that they matter.
#[cfg(any(test, feature = "scenes"))]
pub fn shape_without(heading: Heading) -> Shape {
    build(Some(heading))
}

/// The names of the constraint system's variables and rows.
pub fn names() -> WireNames {
    let (public, witness) = plan::blank();
    let walk = walk(Purpose::Names, &public, &witness, None);
    WireNames {
        wires: walk.wire_names,
        rows: walk.row_names,
    }
}

fn build(omitted: Option<Heading>) -> Shape {
    let (public, witness) = plan::blank();
    Shape::of(walk(Purpose::Shape, &public, &witness, omitted))
}

/// The values of all variables for a public input and a witness, and the headings they break.
pub fn assign(public: &PseudonymInputs, witness: &Witness) -> Assignment {
    let walk = walk(Purpose::Assign, public, witness, None);
    Assignment::of(walk, witness.malformed())
}
