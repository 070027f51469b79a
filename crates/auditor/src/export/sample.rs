//! Public inputs with witnesses of made-up residents, each under a name: the accept vectors.

use anyhow::{Context, Result};
use circuits::clearance::Witness;
use circuits::clearance::vector::Vectors;
use commitment::PublicInputs;

/// A public input and a witness that fulfil the statement.
pub(crate) struct Sample {
    /// What its files are called.
    pub(crate) name: String,
    /// What the proof says.
    pub(crate) public: PublicInputs,
    /// What it says it of.
    pub(crate) witness: Witness,
}

pub(crate) fn witness_file(name: &str) -> String {
    format!("{name}.wtns")
}

pub(crate) fn proof_file(name: &str) -> String {
    format!("{name}.proof.json")
}

pub(crate) fn public_file(name: &str) -> String {
    format!("{name}.public.json")
}

/// The shipped accept vectors, under their names.
pub(crate) fn samples() -> Result<Vec<Sample>> {
    let vectors = Vectors::shipped().context("the vectors inside this program are refused")?;
    let accepted = vectors.all().iter().filter_map(|vector| {
        let (public, witness) = vectors.accepted(&vector.name)?;
        Some(Sample {
            name: vector.name.clone(),
            public: *public,
            witness: witness.clone(),
        })
    });
    Ok(accepted.collect())
}
