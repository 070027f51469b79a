//! Public inputs with witnesses of made-up residents, each under a name.

use anyhow::{Context, Result};
use circuits::clearance::Witness;
use circuits::clearance::scene::{Scene, fact};
use commitment::PublicInputs;
use rules::{Claim, FactKind, Record, TestAge, WorstColour};

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

/// A record with many closed grounds and a fresh test; a yellow one that is shown not to be red; an empty one.
pub(crate) fn samples() -> Result<Vec<Sample>> {
    let yellow = vec![fact(FactKind::PotentialRisk, 33, 2 * 1440)];
    let yellow = Record::new(vec![], yellow, vec![], vec![])?;
    let empty = Scene {
        claim: Claim {
            worst: WorstColour::Green,
            test_age: TestAge::NotAsked,
        },
        ..Scene::not_red(Record::default())
    };
    let scenes = [
        ("green", Scene::green()),
        ("not-red", Scene::not_red(yellow)),
        ("empty", empty),
    ];
    scenes
        .into_iter()
        .map(|(name, scene)| {
            let witness = scene.witness();
            let (public, witness) = witness.with_context(|| format!("no witness for {name}"))?;
            Ok(Sample {
                name: name.to_owned(),
                public,
                witness,
            })
        })
        .collect()
}
