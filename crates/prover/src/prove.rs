use ark_relations::gr1cs::SynthesisError;
use circuits::{Circuit, clearance};

use crate::ProverOf;
use crate::scheme::{self, Fault, Rows};

/// Bytes of a proof: two points of G1 and one of G2, compressed.
pub const PROOF_BYTES: usize = 128;

/// A proof, arkworks compressed: A, B, C.
pub type ProofBytes = [u8; PROOF_BYTES];

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
        let (rows, inputs) = (Rows::of(self.shape), C::inputs(public));
        scheme::prove(&self.key, rows, &assignment.values, &inputs, seed).map_err(|fault| {
            match fault {
                Fault::Synthesis(e) => ProveError::Synthesis(e),
                Fault::SelfCheck => ProveError::SelfCheck,
            }
        })
    }
}
