//! Proving keys and proofs of `clearance`, `opening` and `pseudonym`: the only place where a witness meets a proving key.
//!
//! Knows no records, no store, no network; randomness is an argument, and the only files it touches are cached keys.

mod key;
mod prove;
mod scheme;

pub use commitment::{CircuitId, CircuitUse};
pub use key::{KeyError, OpeningProver, Prover, ProverOf, PseudonymProver};
pub use prove::{PROOF_BYTES, ProofBytes, ProveError};
