use ark_bn254::{Bn254, Fr};
use ark_ff::UniformRand;
use ark_groth16::{Groth16, prepare_verifying_key, r1cs_to_qap::LibsnarkReduction};
use ark_relations::gr1cs::SynthesisError;
use ark_serialize::CanonicalSerialize;
use circuits::clearance::{Heading, Witness, assign};
use commitment::PublicInputs;
use rand_chacha_03::{ChaCha20Rng, rand_core::SeedableRng};

use crate::Prover;

/// Bytes of a proof: two points of G1 and one of G2, compressed.
pub const PROOF_BYTES: usize = 128;

/// A proof, arkworks compressed: A, B, C.
pub type ProofBytes = [u8; PROOF_BYTES];

type Scheme = Groth16<Bn254, LibsnarkReduction>;

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The witness does not fulfil the statement: the caller planned it wrongly.
    #[error("the witness does not fulfil the statement: {0}")]
    Unsatisfied(Heading),
    /// arkworks refused; a fault of this crate or of the key.
    #[error("proving failed: {0}")]
    Synthesis(SynthesisError),
    /// The proof does not verify under the key's own verifying key: the key is inconsistent. Nothing left.
    #[error("a proof failed its own check before it left")]
    SelfCheck,
}

impl Prover {
    /// Proves `public` by `witness`, re-randomises the proof and verifies it before it leaves.
    ///
    /// `seed` must be fresh randomness for every call: it hides the witness. Runs on the threads of the current
    /// rayon pool; takes about half a second on two cores.
    ///
    /// # Errors
    /// [`ProveError::Unsatisfied`] with the first heading that the witness breaks; the other errors are faults here.
    pub fn prove(
        &self,
        public: &PublicInputs,
        witness: &Witness,
        seed: [u8; 32],
    ) -> Result<ProofBytes, ProveError> {
        let assignment = assign(public, witness);
        if let Some(heading) = assignment.broken.first() {
            return Err(ProveError::Unsatisfied(*heading));
        }
        let mut rng = ChaCha20Rng::from_seed(seed);
        let (r, s) = (Fr::rand(&mut rng), Fr::rand(&mut rng));
        let proof = Scheme::create_proof_with_reduction_and_matrices(
            &self.key,
            r,
            s,
            &self.shape.matrices,
            self.shape.instance,
            self.shape.constraints(),
            &assignment.values,
        )
        .map_err(ProveError::Synthesis)?;
        let proof = Scheme::rerandomize_proof(&self.key.vk, &proof, &mut rng);
        let prepared = prepare_verifying_key(&self.key.vk);
        let holds = Scheme::verify_proof(&prepared, &proof, &public.to_fields());
        if !holds.map_err(ProveError::Synthesis)? {
            return Err(ProveError::SelfCheck);
        }
        let mut bytes = [0; PROOF_BYTES];
        proof
            .serialize_compressed(&mut bytes[..])
            .map_err(|_| ProveError::SelfCheck)?;
        Ok(bytes)
    }
}
