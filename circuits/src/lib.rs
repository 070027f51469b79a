//! The auditor's room: the zero-knowledge statements as prose, native relation and rank-1 rows.
//!
//! Knows no keys, no proofs, no storage and no network.

mod choice;
mod circuit;
pub mod clearance;
pub mod gadget;
#[cfg(any(test, feature = "scenes"))]
mod gives;
pub mod opening;
pub mod pseudonym;
pub mod rows;
mod shape;
#[cfg(any(test, feature = "scenes"))]
pub mod vector;

pub use choice::Choice;
pub use circuit::{Circuit, Clearance, Opening, Pseudonym};
pub use shape::{Assignment, Shape, WireNames};
