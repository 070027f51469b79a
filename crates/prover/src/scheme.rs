//! What of the proof system is the same for every circuit. Nothing here has a type parameter, so that it is compiled once, as
//! this crate is, and not again wherever a circuit is proved.

use ark_bn254::{Bn254, Fr};
use ark_ff::UniformRand;
use ark_groth16::{Groth16, ProvingKey, prepare_verifying_key, r1cs_to_qap::LibsnarkReduction};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, Matrix, SynthesisError, Variable,
};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize, Valid as _};
use circuits::Shape;
use rand_chacha_03::{ChaCha20Rng, rand_core::SeedableRng};

use crate::{PROOF_BYTES, ProofBytes};

type Scheme = Groth16<Bn254, LibsnarkReduction>;

/// A circuit's rows without their headings.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    instance: usize,
    witness: usize,
    matrices: &'a [Matrix<Fr>; 3],
}

impl<'a> Rows<'a> {
    pub(crate) const fn of<H>(shape: &'a Shape<H>) -> Self {
        Self {
            instance: shape.instance,
            witness: shape.witness,
            matrices: &shape.matrices,
        }
    }
}

/// Why there is no proof of values that fulfil the rows.
pub(crate) enum Fault {
    Synthesis(SynthesisError),
    SelfCheck,
}

/// Parameters from one party's seed.
pub(crate) fn set_up(rows: Rows<'_>, seed: &[u8; 32]) -> Result<ProvingKey<Bn254>, SynthesisError> {
    let mut rng = ChaCha20Rng::from_seed(*seed);
    Scheme::generate_random_parameters_with_reduction(rows, &mut rng)
}

/// A key of bytes whose digest is pinned: the points were checked when it was.
pub(crate) fn read_pinned(mut bytes: &[u8]) -> Result<ProvingKey<Bn254>, &'static str> {
    #[allow(clippy::disallowed_methods)]
    let key = ProvingKey::deserialize_uncompressed_unchecked(&mut bytes) // allowed: pinned digest
        .map_err(|_| "damaged")?;
    if bytes.is_empty() {
        Ok(key)
    } else {
        Err("longer than its key")
    }
}

/// Appends a key's bytes.
pub(crate) fn write_key(key: &ProvingKey<Bn254>, bytes: &mut Vec<u8>) {
    key.serialize_uncompressed(bytes)
        .expect("a vector takes all bytes");
}

pub(crate) fn verifying_key_bytes(key: &ProvingKey<Bn254>) -> Vec<u8> {
    let mut bytes = Vec::new();
    key.vk
        .serialize_compressed(&mut bytes)
        .expect("a vector takes all bytes");
    bytes
}

/// Whether every point is on its curve and in its group.
pub(crate) fn has_sound_points(key: &ProvingKey<Bn254>) -> bool {
    key.check().is_ok()
}

/// Proves, re-randomises and verifies.
pub(crate) fn prove(
    key: &ProvingKey<Bn254>,
    rows: Rows<'_>,
    values: &[Fr],
    inputs: &[Fr],
    seed: [u8; 32],
) -> Result<ProofBytes, Fault> {
    let mut rng = ChaCha20Rng::from_seed(seed);
    let (r, s) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
    let proof = Scheme::create_proof_with_reduction_and_matrices(
        key,
        r,
        s,
        rows.matrices,
        rows.instance,
        rows.matrices[0].len(),
        values,
    )
    .map_err(Fault::Synthesis)?;
    let proof = Scheme::rerandomize_proof(&key.vk, &proof, &mut rng);
    let prepared = prepare_verifying_key(&key.vk);
    let holds = Scheme::verify_proof(&prepared, &proof, inputs);
    if !holds.map_err(Fault::Synthesis)? {
        return Err(Fault::SelfCheck);
    }
    let mut bytes = [0; PROOF_BYTES];
    proof
        .serialize_compressed(&mut bytes[..])
        .map_err(|_| Fault::SelfCheck)?;
    Ok(bytes)
}

/// Replays the rows into arkworks for the setup.
impl ConstraintSynthesizer<Fr> for Rows<'_> {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let Self {
            instance,
            witness,
            matrices,
        } = self;
        for _ in 1..instance {
            let _ = cs.new_input_variable(|| Ok(Fr::from(0u64)))?;
        }
        for _ in 0..witness {
            let _ = cs.new_witness_variable(|| Ok(Fr::from(0u64)))?;
        }
        let combination = |terms: &[(Fr, usize)]| {
            let variable = |i: usize| match i {
                0 => Variable::One,
                i if i < instance => Variable::instance(i),
                i => Variable::witness(i - instance),
            };
            LinearCombination(terms.iter().map(|(c, i)| (*c, variable(*i))).collect())
        };
        let [a, b, c] = matrices;
        for ((a, b), c) in a.iter().zip(b).zip(c) {
            cs.enforce_r1cs_constraint(|| combination(a), || combination(b), || combination(c))?;
        }
        Ok(())
    }
}
