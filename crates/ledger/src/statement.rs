//! The statement of an epoch, which a quorum of provinces signs, and the counting of who signed.

use std::collections::BTreeSet;

use commitment::layout::{LayoutError, Reader, put_count};
use commitment::{Epoch, Fr, Minute, REGISTRY_SLOTS, Slot, fr_to_bytes};
use ed25519_dalek::{Signature, Signer, SigningKey};
use sha2::{Digest, Sha256};

use crate::{Error, HeadHash, Registry, Roster, RuleSetsDigest, SignedTreeHead};

const VERSION: u8 = 1;
const SIGNING_DOMAIN: &[u8] = b"viridian/registry-statement/v1\0";
/// Longest statement: 64 heads.
pub const MAX_STATEMENT_LEN_BYTES: usize = 1 + 4 + 4 + 32 + 32 + 32 + 2 + REGISTRY_SLOTS * 33;
/// Length of a cosignature.
pub const COSIGNATURE_LEN_BYTES: usize = 65;
/// Longest statement with cosignatures.
pub const MAX_COSIGNED_LEN_BYTES: usize =
    MAX_STATEMENT_LEN_BYTES + 2 + REGISTRY_SLOTS * COSIGNATURE_LEN_BYTES;

/// SHA-256 of a statement's signing bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatementHash(pub [u8; 32]);

/// What a quorum of provinces says of an epoch.
///
/// Layout, big-endian: version 1 · epoch 4 · as-of 4 · registry root 32 · risk root 32 · rule sets 32 ·
/// heads (count 2; slot 1, hash 32; ascending by slot).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryStatement {
    epoch: Epoch,
    as_of: Minute,
    registry_root: Fr,
    risk_root: Fr,
    rule_sets: RuleSetsDigest,
    heads: Vec<(Slot, HeadHash)>,
}

impl RegistryStatement {
    /// The statement over these heads, in any order; its registry root follows from them.
    ///
    /// # Errors
    /// [`Error::SlotTwice`] for two heads of one slot.
    pub fn new(
        epoch: Epoch,
        as_of: Minute,
        risk_root: Fr,
        rule_sets: RuleSetsDigest,
        heads: &[SignedTreeHead],
    ) -> Result<Self, Error> {
        let registry = Registry::new(heads.iter().map(|h| (&h.head).into()))?;
        let mut named: Vec<(Slot, HeadHash)> =
            heads.iter().map(|h| (h.head.slot, h.head.hash())).collect();
        named.sort_unstable();
        Ok(Self {
            epoch,
            as_of,
            registry_root: registry.root(),
            risk_root,
            rule_sets,
            heads: named,
        })
    }

    /// The epoch.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The epoch's closing minute.
    pub const fn as_of(&self) -> Minute {
        self.as_of
    }

    /// The root over the heads.
    pub const fn registry_root(&self) -> Fr {
        self.registry_root
    }

    /// The root of the risk map in force at the closing minute.
    pub const fn risk_root(&self) -> Fr {
        self.risk_root
    }

    /// The rule sets in force or announced.
    pub const fn rule_sets(&self) -> RuleSetsDigest {
        self.rule_sets
    }

    /// The heads by slot, ascending.
    pub fn heads(&self) -> &[(Slot, HeadHash)] {
        &self.heads
    }

    /// The canonical bytes, at most [`MAX_STATEMENT_LEN_BYTES`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        out.extend_from_slice(&self.epoch.get().to_be_bytes());
        out.extend_from_slice(&self.as_of.get().to_be_bytes());
        out.extend_from_slice(&fr_to_bytes(self.registry_root));
        out.extend_from_slice(&fr_to_bytes(self.risk_root));
        out.extend_from_slice(&self.rule_sets.0);
        put_count(&mut out, self.heads.len());
        for (slot, hash) in &self.heads {
            out.push(slot.get());
            out.extend_from_slice(&hash.0);
        }
        out
    }

    /// Reads a statement; its root is not recomputed, see [`RegistryStatement::check_heads`].
    ///
    /// # Errors
    /// [`Error::Layout`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAX_STATEMENT_LEN_BYTES)?;
        let statement = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(statement)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        reader.version(VERSION)?;
        let mut statement = Self {
            epoch: reader.epoch()?,
            as_of: reader.minute()?,
            registry_root: reader.fr()?,
            risk_root: reader.fr()?,
            rule_sets: RuleSetsDigest(reader.array()?),
            heads: Vec::new(),
        };
        for _ in 0..reader.count("heads", REGISTRY_SLOTS)? {
            let head = (reader.slot()?, HeadHash(reader.array()?));
            if statement.heads.last().is_some_and(|last| last.0 >= head.0) {
                return Err(LayoutError::NotAscending("heads").into());
            }
            statement.heads.push(head);
        }
        Ok(statement)
    }

    /// What cosigners sign: a domain string and the canonical bytes.
    pub fn signing_bytes(&self) -> Vec<u8> {
        [SIGNING_DOMAIN, &self.to_bytes()].concat()
    }

    /// SHA-256 of the signing bytes.
    pub fn hash(&self) -> StatementHash {
        StatementHash(Sha256::digest(self.signing_bytes()).into())
    }

    /// Checks that these are the statement's heads, that each is signed by its slot's province, and that the registry
    /// root follows from them; gives the registry.
    ///
    /// # Errors
    /// [`Error::HeadsMismatch`], [`Error::UnknownSlot`], [`Error::WrongProvince`], [`Error::NoHeadKey`],
    /// [`Error::BadSignature`], [`Error::SlotTwice`] or [`Error::WrongRegistryRoot`].
    pub fn check_heads(
        &self,
        heads: &[SignedTreeHead],
        roster: &Roster,
    ) -> Result<Registry, Error> {
        let mut named: Vec<(Slot, HeadHash)> =
            heads.iter().map(|h| (h.head.slot, h.head.hash())).collect();
        named.sort_unstable();
        if named != self.heads {
            return Err(Error::HeadsMismatch);
        }
        for signed in heads {
            let member = roster.member(signed.head.slot)?;
            if member.province != signed.head.province {
                return Err(Error::WrongProvince(member.slot));
            }
            signed.check_signature(member)?;
        }
        let registry = Registry::new(heads.iter().map(|h| (&h.head).into()))?;
        if registry.root() != self.registry_root {
            return Err(Error::WrongRegistryRoot);
        }
        Ok(registry)
    }
}

/// One slot's signature under a statement, which may or may not fit.
///
/// Layout: slot 1 · signature 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// The slot whose key signed.
    pub slot: Slot,
    /// The signature over [`RegistryStatement::signing_bytes`].
    pub signature: [u8; 64],
}

impl Cosignature {
    pub(crate) fn new(slot: Slot, message: &[u8], key: &SigningKey) -> Self {
        Self {
            slot,
            signature: key.sign(message).to_bytes(),
        }
    }

    /// The canonical bytes, [`COSIGNATURE_LEN_BYTES`] long.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![self.slot.get()];
        out.extend_from_slice(&self.signature);
        out
    }

    /// Reads a cosignature; it is not checked.
    ///
    /// # Errors
    /// [`Error::Layout`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, COSIGNATURE_LEN_BYTES)?;
        let cosignature = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(cosignature)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        Ok(Self {
            slot: reader.slot()?,
            signature: reader.array()?,
        })
    }

    /// Checks the signature against the roster: by the slot's key that was in force when the epoch closed, however much later
    /// it was signed.
    ///
    /// # Errors
    /// [`Error::UnknownSlot`], [`Error::NoHeadKey`] or [`Error::BadSignature`].
    pub fn check(&self, statement: &RegistryStatement, roster: &Roster) -> Result<(), Error> {
        let signature = Signature::from_bytes(&self.signature);
        roster
            .member(self.slot)?
            .head_key_at(statement.as_of())?
            .verify_strict(&statement.signing_bytes(), &signature)
            .map_err(|_| Error::BadSignature(self.slot))
    }
}

/// A statement with cosignatures; [`CosignedStatement::check_quorum`] says whether they suffice.
///
/// Layout: the statement, then cosignatures (count 2; ascending by slot).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignedStatement {
    statement: RegistryStatement,
    cosignatures: Vec<Cosignature>,
}

impl CosignedStatement {
    /// A statement with cosignatures in any order; of two of one slot the first counts.
    pub fn new(statement: RegistryStatement, mut cosignatures: Vec<Cosignature>) -> Self {
        cosignatures.sort_by_key(|c| c.slot);
        cosignatures.dedup_by_key(|c| c.slot);
        Self {
            statement,
            cosignatures,
        }
    }

    /// The statement.
    pub const fn statement(&self) -> &RegistryStatement {
        &self.statement
    }

    /// The cosignatures, ascending by slot.
    pub fn cosignatures(&self) -> &[Cosignature] {
        &self.cosignatures
    }

    /// The canonical bytes, at most [`MAX_COSIGNED_LEN_BYTES`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.statement.to_bytes();
        put_count(&mut out, self.cosignatures.len());
        for cosignature in &self.cosignatures {
            out.extend_from_slice(&cosignature.to_bytes());
        }
        out
    }

    /// Reads a statement with cosignatures; nothing is checked.
    ///
    /// # Errors
    /// [`Error::Layout`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAX_COSIGNED_LEN_BYTES)?;
        let statement = RegistryStatement::read(&mut reader)?;
        let mut cosignatures: Vec<Cosignature> = Vec::new();
        for _ in 0..reader.count("cosignatures", REGISTRY_SLOTS)? {
            let cosignature = Cosignature::read(&mut reader)?;
            if cosignatures
                .last()
                .is_some_and(|l| l.slot >= cosignature.slot)
            {
                return Err(LayoutError::NotAscending("cosignatures").into());
            }
            cosignatures.push(cosignature);
        }
        reader.finish()?;
        Ok(Self {
            statement,
            cosignatures,
        })
    }

    /// Checks that every signature fits and that a quorum of different provinces signed; provinces count, not
    /// signatures.
    ///
    /// # Errors
    /// [`Error::UnknownSlot`], [`Error::BadSignature`] or [`Error::NoQuorum`].
    pub fn check_quorum(&self, roster: &Roster) -> Result<(), Error> {
        let mut provinces = BTreeSet::new();
        for cosignature in &self.cosignatures {
            cosignature.check(&self.statement, roster)?;
            provinces.insert(roster.member(cosignature.slot)?.province);
        }
        let need = roster.quorum();
        if provinces.len() < need {
            return Err(Error::NoQuorum {
                have: provinces.len(),
                need,
            });
        }
        Ok(())
    }
}
