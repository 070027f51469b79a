//! The statement `pseudonym`, version 1: see `STATEMENT.md` beside this file.

mod choices;
mod constraints;
mod heading;
mod plan;
#[cfg(any(test, feature = "scenes"))]
pub mod scene;
mod shape;
mod statement;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "scenes"))]
pub mod vector;
mod witness;

pub use crate::shape::WireNames;
pub use choices::CHOICES;
pub use constraints::PUBLIC_INPUT_NAMES;
pub use heading::Heading;
pub use plan::{Plan, PlanError, plan};
#[cfg(any(test, feature = "scenes"))]
pub use shape::shape_without;
pub use shape::{Assignment, Shape, assign, names, shape};
pub use statement::{Refusal, check};
pub use witness::Witness;
