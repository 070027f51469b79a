use ark_bn254::{Bn254, Fr};
use ark_ff::UniformRand;
use ark_groth16::{Groth16, prepare_verifying_key, r1cs_to_qap::LibsnarkReduction};
use ark_relations::gr1cs::SynthesisError;
use ark_serialize::CanonicalSerialize;
use circuits::{Circuit, clearance};
use rand_chacha_03::{ChaCha20Rng, rand_core::SeedableRng};

use crate::ProverOf;

/// Bytes of a proof: two points of G1 and one of G2, compressed.
pub const PROOF_BYTES: usize = 128;

/// A proof, arkworks compressed: A, B, C.
pub type ProofBytes = [u8; PROOF_BYTES];

type Scheme = Groth16<Bn254, LibsnarkReduction>;

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError<H = clearance::Heading> {
    /// The witness does not fulfil the statement: the caller planned it wrongly.
    #[error("the witness does not fulfil the statement: {0}")]
    Unsatisfied(H),
    /// arkworks refused; a fault of this crate or of the key.
    #[error("proving failed: {0}")]
    Synthesis(SynthesisError),
    /// The proof does not verify under the key's own verifying key: the key is inconsistent. Nothing left.
    #[error("a proof failed its own check before it left")]
    SelfCheck,
}

impl<C: Circuit> ProverOf<C> {
    /// Proves `public` by `witness`, re-randomises the proof and verifies it before it leaves.
    ///
    /// `seed` must be fresh randomness for every call: it hides the witness. Runs on the threads of the current
    /// rayon pool; a pass takes about half a second on two cores, an opening a third of it.
    ///
    /// # Errors
    /// [`ProveError::Unsatisfied`] with the first heading that the witness breaks; the other errors are faults here.
    pub fn prove(
        &self,
        public: &C::Public,
        witness: &C::Witness,
        seed: [u8; 32],
    ) -> Result<ProofBytes, ProveError<C::Heading>> {
        let assignment = C::assign(public, witness);
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
        let holds = Scheme::verify_proof(&prepared, &proof, &C::inputs(public));
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
