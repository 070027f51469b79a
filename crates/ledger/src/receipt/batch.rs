//! Batches of commitments: ascending lists of one length, and proofs about them.

use std::collections::BTreeSet;

use super::{Commitment, ReceiptError};
use crate::log::{
    BUNDLE_LEN, CommitmentBatch, Log, LogError, LogHash, ReadError, check_inclusion, leaf_hash,
};

/// Shortest batch: a full tile.
pub const BATCH_LEN_MIN: usize = 256;
/// Longest batch, 2 MiB.
pub const BATCH_LEN_MAX: usize = 65_536;
const COMMITMENT_LEN_BYTES: usize = 32;

/// Whether a batch may have this length: a power of two from [`BATCH_LEN_MIN`] to [`BATCH_LEN_MAX`].
pub const fn is_batch_len(len: usize) -> bool {
    len.is_power_of_two() && len >= BATCH_LEN_MIN && len <= BATCH_LEN_MAX
}

/// A batch with all its commitments.
#[derive(Clone, Debug)]
pub struct Batch {
    commitments: Vec<Commitment>,
    tree: Log,
}

impl Batch {
    /// A batch of these commitments in any order.
    ///
    /// # Errors
    /// [`ReceiptError::NoBatch`] for a number that is none of a batch.
    pub fn new(commitments: BTreeSet<Commitment>) -> Result<Self, ReceiptError> {
        Self::of(commitments.into_iter().collect())
    }

    fn of(commitments: Vec<Commitment>) -> Result<Self, ReceiptError> {
        if commitments.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(ReceiptError::NoBatch("it does not strictly ascend"));
        }
        Self::in_any_order(commitments)
    }

    fn in_any_order(commitments: Vec<Commitment>) -> Result<Self, ReceiptError> {
        if !is_batch_len(commitments.len()) {
            return Err(ReceiptError::NoBatch("a length that is none"));
        }
        let mut tree = Log::default();
        for commitment in &commitments {
            tree.append(&commitment.0)?;
        }
        Ok(Self { commitments, tree })
    }

    /// The canonical bytes: the commitments, 32 bytes each.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.commitments.iter().flat_map(|c| c.0).collect()
    }

    /// Reads a batch; it is one by itself, whatever a log holds.
    ///
    /// # Errors
    /// [`ReceiptError::NoBatch`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReceiptError> {
        Self::of(read(bytes)?)
    }

    /// The same of what somebody's log serves, which may not ascend: then it counts against that log, see [`Absence`].
    ///
    /// # Errors
    /// [`ReceiptError::NoBatch`] for a length that is none.
    pub fn from_served(bytes: &[u8]) -> Result<Self, ReceiptError> {
        Self::in_any_order(read(bytes)?)
    }

    /// The commitments; ascending, but for one that was served otherwise.
    pub fn commitments(&self) -> &[Commitment] {
        &self.commitments
    }

    /// The root of the tree over the commitments.
    ///
    /// # Errors
    /// None that can happen, as of [`Log::root`].
    pub fn root(&self) -> Result<LogHash, ReceiptError> {
        Ok(self.tree.root()?)
    }

    /// Checks that this is the batch of a log's entry.
    ///
    /// # Errors
    /// [`ReceiptError::OtherBatch`].
    pub fn check(&self, entry: &CommitmentBatch) -> Result<(), ReceiptError> {
        let fits = self.commitments.len() == entry.len as usize && self.root()? == entry.root;
        fits.then_some(()).ok_or(ReceiptError::OtherBatch)
    }

    /// Where a commitment stands.
    pub fn position(&self, commitment: Commitment) -> Option<usize> {
        self.commitments.iter().position(|c| *c == commitment)
    }

    /// What shows that a commitment is not in the batch; none for one that is.
    ///
    /// # Errors
    /// None that can happen, as of [`Log::prove_inclusion`].
    pub fn absence(&self, commitment: Commitment) -> Result<Option<Absence>, ReceiptError> {
        if self.position(commitment).is_some() {
            return Ok(None);
        }
        // In whatever order they stand: the first one above, all before which are below.
        let above = self.commitments.iter().position(|c| *c > commitment);
        let next = above.unwrap_or(self.commitments.len());
        let before = next.checked_sub(1).map(|at| self.neighbour(at));
        let after = (next < self.commitments.len()).then(|| self.neighbour(next));
        Ok(Some(Absence {
            before: before.transpose()?,
            after: after.transpose()?,
        }))
    }

    fn neighbour(&self, position: usize) -> Result<Neighbour, ReceiptError> {
        let len = self.commitments.len() as u64;
        let leaves = |bundle: u64| {
            let first = usize::try_from(bundle).unwrap_or(usize::MAX);
            let first = first.saturating_mul(usize::from(BUNDLE_LEN));
            let of = self.commitments.get(first..first + usize::from(BUNDLE_LEN));
            let of = of.ok_or(LogError::Unread)?;
            Ok(of.iter().map(|c| leaf_hash(&c.0)).collect())
        };
        let proof = self.tree.prove_inclusion(position as u64, len, &leaves);
        Ok(Neighbour {
            position: u32::try_from(position).map_err(|_| LogError::Unread)?,
            commitment: self.commitments[position],
            proof: proof.map_err(|error: ReadError<LogError>| match error {
                ReadError::Read(error) | ReadError::Log(error) => error,
            })?,
        })
    }
}

fn read(bytes: &[u8]) -> Result<Vec<Commitment>, ReceiptError> {
    let (commitments, rest) = bytes.as_chunks::<COMMITMENT_LEN_BYTES>();
    if !rest.is_empty() || !is_batch_len(commitments.len()) {
        return Err(ReceiptError::NoBatch("a length that is none"));
    }
    Ok(commitments.iter().map(|c| Commitment(*c)).collect())
}

/// A commitment of a batch with its way to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Where it stands.
    pub position: u32,
    /// The commitment.
    pub commitment: Commitment,
    /// Its way to the root.
    pub proof: Vec<LogHash>,
}

impl Neighbour {
    fn check(&self, batch: &CommitmentBatch) -> Result<(), ReceiptError> {
        let leaf = leaf_hash(&self.commitment.0);
        let place = (u64::from(self.position), leaf);
        let tree = (u64::from(batch.len), batch.root);
        Ok(check_inclusion(&self.proof, place, tree)?)
    }
}

/// Two neighbours in a batch between which a commitment is missing; one of them where it would stand at an end.
///
/// A batch has to ascend. In one that does not, a commitment may stand elsewhere; then the node has not kept its word
/// either, since nobody could be shown that anything is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The one below; none where the commitment would be the first.
    pub before: Option<Neighbour>,
    /// The one above; none where it would be the last.
    pub after: Option<Neighbour>,
}

impl Absence {
    /// Checks that a batch lacks a commitment where it would have to stand.
    ///
    /// # Errors
    /// [`ReceiptError::NotAbsent`]; [`ReceiptError::Log`] for a way that does not lead to the root.
    pub fn check(
        &self,
        commitment: Commitment,
        batch: &CommitmentBatch,
    ) -> Result<(), ReceiptError> {
        let (before, after) = (self.before.as_ref(), self.after.as_ref());
        let are_neighbours = match (before, after) {
            (None, None) => false,
            (Some(before), Some(after)) => before.position.checked_add(1) == Some(after.position),
            (None, Some(after)) => after.position == 0,
            (Some(before), None) => before.position.checked_add(1) == Some(batch.len),
        };
        let is_between = before.is_none_or(|b| b.commitment < commitment)
            && after.is_none_or(|a| commitment < a.commitment);
        if !are_neighbours || !is_between {
            return Err(ReceiptError::NotAbsent);
        }
        let mut both = before.into_iter().chain(after);
        both.try_for_each(|neighbour| neighbour.check(batch))
    }
}
