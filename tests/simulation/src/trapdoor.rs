//! Proofs without a circuit: the statement is checked natively, and the verifying key has a known trapdoor, so that gates
//! verify what they would verify anywhere.

use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr as _, CurveGroup as _};
use ark_ff::Field as _;
use ark_groth16::{Proof, VerifyingKey as Key};
use circuits::clearance::{Witness, check};
use commitment::{CircuitId, CircuitUse, PublicInputs};
use node::{PassProver, ProofFailed};
use verifier::trust::CircuitEntry;
use verifier::{PassProof, VerifyingKey};

const ALPHA: u64 = 3;
const BETA: u64 = 5;
const GAMMA: u64 = 7;
const DELTA: u64 = 11;
/// Discrete logarithms of the public inputs' points.
const POINTS: [u64; 7] = [13, 17, 19, 23, 29, 31, 37];

/// Whoever knows the trapdoor.
pub(crate) struct Trapdoor;

impl Trapdoor {
    /// What a root document says of the circuit.
    ///
    /// # Errors
    /// If the key is none.
    pub(crate) fn entry() -> Result<CircuitEntry, verifier::Error> {
        let g1 = |scalar: u64| (G1Affine::generator() * Fr::from(scalar)).into_affine();
        let g2 = |scalar: u64| (G2Affine::generator() * Fr::from(scalar)).into_affine();
        let key = Key::<Bn254> {
            alpha_g1: g1(ALPHA),
            beta_g2: g2(BETA),
            gamma_g2: g2(GAMMA),
            delta_g2: g2(DELTA),
            gamma_abc_g1: POINTS.into_iter().map(g1).collect(),
        };
        Ok(CircuitEntry {
            circuit_use: CircuitUse::Test,
            matrix_digest: [7; 32],
            key: VerifyingKey::new(key)?,
        })
    }
}

/// A prover that has checked that its key is one.
pub(crate) struct Prover(pub(crate) CircuitId);

impl PassProver for Prover {
    fn circuit(&self) -> CircuitId {
        self.0
    }

    fn prove(
        &self,
        inputs: &PublicInputs,
        witness: &Witness,
        seed: [u8; 32],
    ) -> Result<PassProof, ProofFailed> {
        check(inputs, witness).map_err(|refusal| ProofFailed(format!("{refusal:?}")))?;
        // Any a and b other than zero will do; c follows from a·b = alpha·beta + ic·gamma + c·delta.
        let draw = |at: usize| Fr::from(u64::from(seed[at]) + 1);
        let (a, b) = (draw(0), draw(1));
        let fields = inputs.to_fields();
        let begin = Fr::from(POINTS[0]);
        let ic = fields
            .iter()
            .zip(&POINTS[1..])
            .fold(begin, |sum, (input, point)| sum + *input * Fr::from(*point));
        let inverse = Fr::from(DELTA).inverse();
        let inverse = inverse.ok_or_else(|| ProofFailed("delta is zero".to_owned()))?;
        let c = (a * b - Fr::from(ALPHA * BETA) - ic * Fr::from(GAMMA)) * inverse;
        let proof = Proof::<Bn254> {
            a: (G1Affine::generator() * a).into_affine(),
            b: (G2Affine::generator() * b).into_affine(),
            c: (G1Affine::generator() * c).into_affine(),
        };
        PassProof::new(proof).map_err(|error| ProofFailed(error.to_string()))
    }
}
