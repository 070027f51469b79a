//! Tree heads: what a province signs of its state, each over the one before.

use commitment::layout::Reader;
use commitment::{Epoch, Fr, Minute, ProvinceCode, Slot, fr_to_bytes};
use ed25519_dalek::{Signature, Signer, SigningKey};
use sha2::{Digest, Sha256};

use crate::{Error, Member};

const VERSION: u8 = 1;
const SIGNING_DOMAIN: &[u8] = b"viridian/tree-head/v1\0";
const HASH_DOMAIN: &[u8] = b"viridian/tree-head-hash/v1\0";
const RULE_SETS_DOMAIN: &[u8] = b"viridian/rule-sets/v1\0";
/// Length of a tree head.
pub const TREE_HEAD_LEN_BYTES: usize = 1 + 1 + 1 + 4 + 4 + 32 + 4 + 32 + 32;
/// Length of a tree head with its signature.
pub const SIGNED_TREE_HEAD_LEN_BYTES: usize = TREE_HEAD_LEN_BYTES + 64;

/// The hash of a tree head, by which the next head and the registry's statement name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeadHash(pub [u8; 32]);

impl HeadHash {
    /// Stands before a province's first head.
    pub const NONE: HeadHash = HeadHash([0; 32]);
}

/// The rule sets in force or announced, as one value: entries may leave records only under all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RuleSetsDigest(pub [u8; 32]);

impl RuleSetsDigest {
    /// SHA-256 over a domain string and the digests' bytes, ascending, each once.
    pub fn of(rule_digests: &[Fr]) -> Self {
        let mut sorted: Vec<[u8; 32]> = rule_digests.iter().map(|d| fr_to_bytes(*d)).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let hash = sorted
            .iter()
            .fold(Sha256::new_with_prefix(RULE_SETS_DOMAIN), |hash, digest| {
                hash.chain_update(digest)
            });
        Self(hash.finalize().into())
    }
}

/// What a province commits to in an epoch.
///
/// Layout, big-endian: version 1 · province 1 · slot 1 · epoch 4 · head time 4 · state root 32 · leaf count 4 ·
/// rule sets 32 · previous head 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// The province, never the nation.
    pub province: ProvinceCode,
    /// Its slot in the registry.
    pub slot: Slot,
    /// The epoch.
    pub epoch: Epoch,
    /// When the records were committed.
    pub head_time: Minute,
    /// The root of the state tree.
    pub state_root: Fr,
    /// Leaves that are not empty.
    pub leaf_count: u32,
    /// The rule sets that the records were prepared for.
    pub rule_sets: RuleSetsDigest,
    /// The province's head before this one in the same slot, or [`HeadHash::NONE`].
    pub previous: HeadHash,
}

impl TreeHead {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(TREE_HEAD_LEN_BYTES);
        out.push(VERSION);
        out.push(self.province.get());
        out.push(self.slot.get());
        out.extend_from_slice(&self.epoch.get().to_be_bytes());
        out.extend_from_slice(&self.head_time.get().to_be_bytes());
        out.extend_from_slice(&fr_to_bytes(self.state_root));
        out.extend_from_slice(&self.leaf_count.to_be_bytes());
        out.extend_from_slice(&self.rule_sets.0);
        out.extend_from_slice(&self.previous.0);
        out
    }

    /// Reads a tree head.
    ///
    /// # Errors
    /// [`Error::Layout`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, TREE_HEAD_LEN_BYTES)?;
        let head = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(head)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        reader.version(VERSION)?;
        Ok(Self {
            province: reader.province()?,
            slot: reader.slot()?,
            epoch: reader.epoch()?,
            head_time: reader.minute()?,
            state_root: reader.fr()?,
            leaf_count: reader.u32()?,
            rule_sets: RuleSetsDigest(reader.array()?),
            previous: HeadHash(reader.array()?),
        })
    }

    /// What the province's key signs: a domain string and the canonical bytes.
    pub fn signing_bytes(&self) -> Vec<u8> {
        [SIGNING_DOMAIN, &self.to_bytes()].concat()
    }

    /// SHA-256 over a domain string and the canonical bytes, without the signature.
    pub fn hash(&self) -> HeadHash {
        let hash = Sha256::new_with_prefix(HASH_DOMAIN).chain_update(self.to_bytes());
        HeadHash(hash.finalize().into())
    }

    /// This head, signed.
    pub fn sign(self, key: &SigningKey) -> SignedTreeHead {
        SignedTreeHead {
            head: self,
            signature: key.sign(&self.signing_bytes()).to_bytes(),
        }
    }
}

/// A tree head with a signature, which may or may not fit.
///
/// Layout: the head, then the signature 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedTreeHead {
    /// The head.
    pub head: TreeHead,
    /// The signature over [`TreeHead::signing_bytes`].
    pub signature: [u8; 64],
}

impl SignedTreeHead {
    /// The canonical bytes, [`SIGNED_TREE_HEAD_LEN_BYTES`] long.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.head.to_bytes();
        out.extend_from_slice(&self.signature);
        out
    }

    /// Reads a signed tree head; the signature is not checked.
    ///
    /// # Errors
    /// [`Error::Layout`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, SIGNED_TREE_HEAD_LEN_BYTES)?;
        let signed = Self {
            head: TreeHead::read(&mut reader)?,
            signature: reader.array()?,
        };
        reader.finish()?;
        Ok(signed)
    }

    /// Checks that the slot's key signed that was in force when the epoch was closed; that the head is this member's slot's and
    /// province's is for the caller.
    ///
    /// # Errors
    /// [`Error::NoHeadKey`] if there was none, [`Error::BadSignature`] if it does not fit.
    pub fn check_signature(&self, member: &Member) -> Result<(), Error> {
        let signature = Signature::from_bytes(&self.signature);
        let key = member.head_key_at(self.head.head_time)?;
        key.verify_strict(&self.head.signing_bytes(), &signature)
            .map_err(|_| Error::BadSignature(self.head.slot))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HeadKeys;

    fn key(seed: u8) -> ed25519_dalek::VerifyingKey {
        SigningKey::from_bytes(&[seed; 32]).verifying_key()
    }

    fn member(head_keys: HeadKeys) -> Member {
        Member {
            province: head().province,
            slot: head().slot,
            head_keys,
        }
    }

    fn head() -> TreeHead {
        TreeHead {
            province: ProvinceCode::new(33).unwrap(),
            slot: Slot::new(5).unwrap(),
            epoch: Epoch::new(7),
            head_time: Minute::new(27_000_000).unwrap(),
            state_root: Fr::from(11),
            leaf_count: 300,
            rule_sets: RuleSetsDigest::of(&[Fr::from(1)]),
            previous: HeadHash::NONE,
        }
    }

    #[test]
    fn a_signed_head_survives_its_bytes_and_no_bit_of_them_can_change() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let signed = head().sign(&key);
        let bytes = signed.to_bytes();
        assert_eq!(bytes.len(), SIGNED_TREE_HEAD_LEN_BYTES);
        assert_eq!(SignedTreeHead::from_bytes(&bytes), Ok(signed));
        let member = member(HeadKeys::single(key.verifying_key()));
        assert!(signed.check_signature(&member).is_ok());
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let fits =
                SignedTreeHead::from_bytes(&bad).is_ok_and(|s| s.check_signature(&member).is_ok());
            assert!(!fits, "bit {bit}");
        }
    }

    #[test]
    fn another_provinces_key_does_not_fit() {
        let signed = head().sign(&SigningKey::from_bytes(&[1; 32]));
        let other = member(HeadKeys::single(key(2)));
        assert_eq!(
            signed.check_signature(&other),
            Err(Error::BadSignature(Slot::new(5).unwrap()))
        );
    }

    #[test]
    fn a_head_is_by_the_key_in_force_when_it_was_closed_and_by_neither_other() {
        let at = |change: i64| head().head_time.saturating_add_signed(change);
        let (old, new) = ([1; 32], [2; 32]);
        let signed = |by| head().sign(&SigningKey::from_bytes(&by));
        let bad = Err(Error::BadSignature(head().slot));
        for (switch, fits, does_not) in [(at(0), new, old), (at(1), old, new)] {
            let keys = HeadKeys::new(vec![(Minute::ZERO, key(1)), (switch, key(2))]);
            let member = member(keys.unwrap());
            assert_eq!(signed(fits).check_signature(&member), Ok(()));
            assert_eq!(signed(does_not).check_signature(&member), bad);
        }
        let later = member(HeadKeys::new(vec![(at(1), key(1))]).unwrap());
        let none = Error::NoHeadKey {
            slot: head().slot,
            minute: head().head_time,
        };
        assert_eq!(signed(old).check_signature(&later), Err(none));
    }

    #[test]
    fn shorter_and_longer_bytes_are_refused() {
        let bytes = head().to_bytes();
        assert!(TreeHead::from_bytes(&bytes[1..]).is_err());
        assert!(TreeHead::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        assert_eq!(TreeHead::from_bytes(&bytes), Ok(head()));
    }

    #[test]
    fn the_digest_of_rule_sets_knows_no_order() {
        let (a, b) = (Fr::from(1), Fr::from(2));
        assert_eq!(RuleSetsDigest::of(&[a, b, a]), RuleSetsDigest::of(&[b, a]));
        assert_ne!(RuleSetsDigest::of(&[a]), RuleSetsDigest::of(&[a, b]));
    }
}
