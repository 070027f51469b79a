//! Batches of revocations: the secrets of revoked passes, published under a digest in the online document.
//!
//! A batch carries `r` and not `h = H(r)`: `h` stands in every pass, and whoever has seen a pass could list it. `r` is
//! known to home and holder alone, so that not even a quorum of provinces can revoke a pass of another's.

use std::fmt;

use commitment::layout::Reader;
use commitment::revocation_hash;
use rules::Minute;
use sha2::{Digest as _, Sha256};

use super::root::ascending;
use crate::{Error, RevocationHash};

const VERSION: u8 = 1;
const DOMAIN: &[u8] = b"viridian/revocation-batch/v1\0";
/// Revocations in every batch, random ones among them: always as many, so that a batch tells nothing by its length.
pub const BATCH_LEN: usize = 1_000;
/// Length of every batch.
pub const BATCH_LEN_BYTES: usize = 5 + BATCH_LEN * 16;

/// What revokes a pass once it is published: the secret `r` of the pass, or a random value that stands beside such.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revocation(pub [u8; 16]);

impl Revocation {
    /// `h` of the pass that it revokes.
    pub fn hash(&self) -> RevocationHash {
        RevocationHash(revocation_hash(&self.0))
    }
}

/// Prints nothing: before it is published it is a secret.
impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Revocation(..)")
    }
}

/// SHA-256 of a batch under a domain string: its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchDigest(pub [u8; 32]);

/// A batch as an online document names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchEntry {
    /// When it was put together. Every pass that it revokes is older.
    pub at: Minute,
    /// Its digest.
    pub digest: BatchDigest,
}

impl BatchEntry {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.at.get().to_be_bytes());
        out.extend_from_slice(&self.digest.0);
    }
}

/// Revocations of all provinces, merged: [`BATCH_LEN`] of them, ascending, which is no order that any province chose.
///
/// Layout, big-endian: version 1 · minute 4 · 1,000 revocations of 16. Always 16,005 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationBatch {
    at: Minute,
    revocations: Vec<Revocation>,
}

impl RevocationBatch {
    /// A batch of [`BATCH_LEN`] different revocations, in any order.
    ///
    /// # Errors
    /// [`Error::TrustContent`] for another number, [`Error::Layout`] for one twice.
    pub fn new(at: Minute, mut revocations: Vec<Revocation>) -> Result<Self, Error> {
        revocations.sort_unstable();
        let batch = Self { at, revocations };
        batch.check()?;
        Ok(batch)
    }

    /// When it was put together.
    pub const fn at(&self) -> Minute {
        self.at
    }

    /// The revocations, ascending.
    pub fn revocations(&self) -> &[Revocation] {
        &self.revocations
    }

    /// How an online document names it.
    pub fn entry(&self) -> BatchEntry {
        BatchEntry {
            at: self.at,
            digest: digest(&self.to_bytes()),
        }
    }

    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(BATCH_LEN_BYTES);
        out.push(VERSION);
        out.extend_from_slice(&self.at.get().to_be_bytes());
        for revocation in &self.revocations {
            out.extend_from_slice(&revocation.0);
        }
        out
    }

    /// Reads a batch; whether it counts is for a signed document to say.
    ///
    /// # Errors
    /// [`Error::Layout`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, BATCH_LEN_BYTES)?;
        reader.version(VERSION)?;
        let at = reader.minute()?;
        let revocations = (0..BATCH_LEN)
            .map(|_| Ok(Revocation(reader.array()?)))
            .collect::<Result<_, Error>>()?;
        reader.finish()?;
        let batch = Self { at, revocations };
        batch.check()?;
        Ok(batch)
    }

    /// What it revokes, ascending by `h`.
    pub(super) fn hashes(&self) -> Vec<RevocationHash> {
        let mut hashes: Vec<_> = self.revocations.iter().map(Revocation::hash).collect();
        hashes.sort_unstable();
        hashes
    }

    fn check(&self) -> Result<(), Error> {
        if self.revocations.len() != BATCH_LEN {
            return Err(Error::TrustContent("a batch has 1,000 revocations"));
        }
        ascending(&self.revocations, |r| *r, "revocations")
    }
}

/// The digest of a batch's canonical bytes.
pub(super) fn digest(bytes: &[u8]) -> BatchDigest {
    let digest = Sha256::new_with_prefix(DOMAIN).chain_update(bytes);
    BatchDigest(digest.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revocations(count: u128) -> Vec<Revocation> {
        (0..count).map(|n| Revocation(n.to_be_bytes())).collect()
    }

    #[test]
    fn a_batch_has_a_thousand_different_revocations_and_one_way_to_write_it() {
        let at = Minute::new(27_700_000).unwrap();
        let mut shuffled = revocations(1_000);
        shuffled.reverse();
        let batch = RevocationBatch::new(at, shuffled).unwrap();
        let bytes = batch.to_bytes();
        assert_eq!(bytes.len(), 16_005);
        assert_eq!(RevocationBatch::from_bytes(&bytes), Ok(batch));
        for count in [0, 999, 1_001] {
            assert!(RevocationBatch::new(at, revocations(count)).is_err());
        }
        let mut twice = revocations(1_000);
        twice[1] = twice[0];
        assert!(RevocationBatch::new(at, twice).is_err());
        let mut swapped = bytes.clone();
        swapped[5..21].copy_from_slice(&bytes[21..37]);
        swapped[21..37].copy_from_slice(&bytes[5..21]);
        let longer = [&bytes[..], &[0]].concat();
        for bad in [&swapped[..], &bytes[..16_004], &longer, &[]] {
            assert!(RevocationBatch::from_bytes(bad).is_err());
        }
    }

    #[test]
    fn a_revocation_is_not_printed_and_hashes_to_h() {
        let revocation = Revocation([7; 16]);
        assert_eq!(format!("{revocation:?}"), "Revocation(..)");
        assert_eq!(revocation.hash().0, revocation_hash(&[7; 16]));
    }
}
