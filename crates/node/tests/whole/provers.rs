//! Provers for tests: one that checks the relation natively and hands out a fixed proof, and the real one.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ark_bn254::{Bn254, G1Projective, G2Projective};
use ark_ec::{CurveGroup as _, PrimeGroup as _};
use circuits::clearance::{Witness, check};
use commitment::{CircuitId, CircuitUse, Fr, PublicInputs};
use node::{PassProver, ProofFailed};
use prover::{OpeningProver, Prover};
use verifier::trust::{CircuitEntry, OpeningEntry};
use verifier::{PassProof, VerifyingKey};

/// Checks the statement as the circuit would, but proves nothing.
#[derive(Clone, Default)]
pub(crate) struct Checking {
    /// How long a proof takes.
    pub(crate) delay: Duration,
}

impl Checking {
    /// What a root document says of it.
    pub(crate) fn entry() -> CircuitEntry {
        let g1 = |k: u64| (G1Projective::generator() * Fr::from(k)).into_affine();
        let g2 = |k: u64| (G2Projective::generator() * Fr::from(k)).into_affine();
        let key = ark_groth16::VerifyingKey::<Bn254> {
            alpha_g1: g1(2),
            beta_g2: g2(3),
            gamma_g2: g2(5),
            delta_g2: g2(7),
            gamma_abc_g1: (11..18).map(g1).collect(),
        };
        CircuitEntry {
            circuit_use: CircuitUse::Test,
            matrix_digest: [9; 32],
            key: VerifyingKey::new(key).unwrap(),
        }
    }
}

impl PassProver for Checking {
    fn circuit(&self) -> CircuitId {
        Self::entry().id()
    }

    fn prove(
        &self,
        inputs: &PublicInputs,
        witness: &Witness,
        _seed: [u8; 32],
    ) -> Result<PassProof, ProofFailed> {
        std::thread::sleep(self.delay);
        check(inputs, witness).map_err(|refusal| ProofFailed(format!("{refusal:?}")))?;
        let proof = ark_groth16::Proof::<Bn254> {
            a: G1Projective::generator().into_affine(),
            b: G2Projective::generator().into_affine(),
            c: G1Projective::generator().into_affine(),
        };
        PassProof::new(proof).map_err(|error| ProofFailed(error.to_string()))
    }
}

/// The real prover, under test parameters kept between runs.
pub(crate) static REAL: LazyLock<Arc<Prover>> = LazyLock::new(|| {
    let cache = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    Arc::new(Prover::from_cached_test_parameters(cache, &[1; 32]).unwrap())
});

/// What a root document says of the real prover.
pub(crate) fn real_entry() -> CircuitEntry {
    CircuitEntry {
        circuit_use: CircuitUse::Test,
        matrix_digest: REAL.matrix_digest(),
        key: VerifyingKey::from_bytes(REAL.verifying_key()).unwrap(),
    }
}

/// The prover of openings, likewise.
pub(crate) static OPENINGS: LazyLock<Arc<OpeningProver>> = LazyLock::new(|| {
    let cache = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    Arc::new(OpeningProver::from_cached_test_parameters(cache, &[1; 32]).unwrap())
});

/// What a root document says of it.
pub(crate) fn openings_entry() -> OpeningEntry {
    OpeningEntry {
        circuit_use: CircuitUse::Test,
        matrix_digest: OPENINGS.matrix_digest(),
        key: VerifyingKey::from_bytes(OPENINGS.verifying_key()).unwrap(),
    }
}
