//! Two checkpoints of one log that contradict each other: anybody with the log's key can check it.

use super::tree::{LogHash, check_consistency, root_in_proof};
use super::{AddCheckpoint, LogError, NoteKey, SignedCheckpoint};

/// Two checkpoints of one log, and what shows that their trees are not one.
///
/// Of two trees, the larger has one root for its first `first.size()` entries. [`Evidence::prefix_root`] with
/// [`Evidence::proof`] – a consistency proof, RFC 6962 section 2.1.2 – says which; the first checkpoint says another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What the log signed first, not larger than the second.
    pub first: SignedCheckpoint,
    /// What it signed besides.
    pub second: SignedCheckpoint,
    /// From `prefix_root` to the second's root; empty where both have one size.
    pub proof: Vec<LogHash>,
    /// The root that the second's tree had when it was as large as the first.
    pub prefix_root: LogHash,
}

impl Evidence {
    /// What a refused request shows against the log, beside the checkpoint cosigned last. Whether it shows anything is
    /// what [`Evidence::check`] says. For a tree of 2^n entries a proof leaves the old root out: a log that hands in such
    /// a proof for another history has not said what that history's root was, and nothing is shown but by its tiles.
    pub fn of(cosigned: &SignedCheckpoint, refused: &AddCheckpoint) -> Self {
        let (old, size) = (cosigned.size(), refused.checkpoint.size());
        let same_size = (old == size).then_some(refused.checkpoint.root());
        let in_proof = root_in_proof(&refused.proof, old, size);
        Self {
            first: cosigned.clone(),
            second: refused.checkpoint.clone(),
            proof: if old == size {
                Vec::new()
            } else {
                refused.proof.clone()
            },
            prefix_root: same_size.or(in_proof).unwrap_or(cosigned.root()),
        }
    }

    /// Checks that one log signed both, and that they contradict each other. `keys` are keys of that log: more than one if
    /// it changed its key between the two.
    ///
    /// # Errors
    /// [`LogError::UnknownOrigin`], [`LogError::BadSignature`], [`LogError::BadProof`], [`LogError::NoContradiction`].
    pub fn check(&self, keys: &[NoteKey]) -> Result<(), LogError> {
        for checkpoint in [&self.first, &self.second] {
            let mut checked = keys.iter().map(|key| checkpoint.check_log(key));
            let unknown = || LogError::UnknownOrigin(checkpoint.origin().to_owned());
            if !checked.clone().any(|checked| checked.is_ok()) {
                return checked.next().unwrap_or_else(|| Err(unknown()));
            }
        }
        if self.first.origin() != self.second.origin() {
            return Err(LogError::UnknownOrigin(self.second.origin().to_owned()));
        }
        let (old, size) = (self.first.size(), self.second.size());
        if old == 0 {
            let is_wrong = self.first.root() != LogHash::EMPTY;
            return is_wrong.then_some(()).ok_or(LogError::NoContradiction);
        }
        check_consistency(
            &self.proof,
            (old, self.prefix_root),
            (size, self.second.root()),
        )?;
        if self.prefix_root == self.first.root() {
            return Err(LogError::NoContradiction);
        }
        Ok(())
    }
}
