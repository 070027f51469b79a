//! Public inputs with witnesses of made-up residents, each under a name: the accept vectors; and attempts that the rows
//! refuse: reject and wire vectors.

use anyhow::Result;
use circuits::clearance::vector::{Body, Vectors};
use circuits::clearance::{Heading, Witness, assign};
use commitment::{Fr, PublicInputs};

use crate::vectors;

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
    let vectors = vectors::shipped()?;
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

/// Values for all wires that rows under one heading refuse.
pub(crate) struct Attempt {
    /// What its file is called.
    pub(crate) name: String,
    /// What it tries.
    pub(crate) tries: String,
    /// The heading under which it is refused.
    pub(crate) heading: Heading,
    /// By wire.
    pub(crate) values: Vec<Fr>,
}

/// The reject and wire vectors, but for those of a form that no prover could state: they have no values for all wires.
pub(crate) fn attempts(vectors: &Vectors) -> impl Iterator<Item = Attempt> {
    vectors.all().iter().filter_map(|vector| {
        let (heading, values) = match &vector.body {
            Body::Reject {
                heading,
                public,
                witness,
                ..
            } if witness.malformed().is_none() => (*heading, assign(public, witness).values),
            Body::Wires { heading, .. } => (*heading, vectors.values(vector)?),
            _ => return None,
        };
        Some(Attempt {
            name: vector.name.clone(),
            tries: vector.tries.clone(),
            heading,
            values,
        })
    })
}
