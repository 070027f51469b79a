//! Rank-1 constraint systems as data, and what an auditor asks of one: is every wire used, does the rest of it follow
//! from what the prover may choose, would a missing row be noticed?
//!
//! Knows no statement, no keys and no proofs: any system over a prime field will do, with names for its wires or without.
//!
#![doc = include_str!("../README.md")]

pub mod determinism;
pub mod dropping;
pub mod format;
pub mod mutation;
pub mod smt;
mod structure;
mod system;
#[cfg(test)]
mod testing;
pub mod values;

pub use structure::Structure;
pub use system::{Binding, Names, Row, System, SystemError, Terms, kind_of};
