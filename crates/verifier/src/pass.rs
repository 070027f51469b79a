//! The pass: what a home node proved, without anything that names it.

use ark_bn254::Bn254;
use ark_ec::AffineRepr;
use ark_groth16::Proof;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use commitment::layout::{LayoutError, Reader};
use commitment::{BinderKind, CircuitShortId, Epoch, Fr, fr_to_bytes};
use rules::Claim;

use crate::{Error, Holder, HolderKey, RevocationHash};

/// Version of the layout.
const VERSION: u8 = 1;
/// Length of a Groth16 proof over BN254, two points of G1 and one of G2, compressed.
pub const PROOF_LEN_BYTES: usize = 128;
/// Length of a pass with a holder key; one without is 33 bytes shorter.
pub const MAX_PASS_LEN_BYTES: usize =
    1 + 4 * 4 + 1 + 1 + HolderKey::LEN_BYTES + 16 + PROOF_LEN_BYTES;

/// A rule set's short name in passes, resolved by the trust list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleSetShortId(pub [u8; 4]);

impl std::fmt::Display for RuleSetShortId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl RuleSetShortId {
    /// The customary short name: the last four bytes of the digest. A trust list may give another if two collide.
    pub fn of_digest(digest: Fr) -> Self {
        Self(last_four(digest))
    }
}

/// A risk map's short name in passes: the last four bytes of its root. It says early which map a pass was made with; the
/// proof is checked against the whole root, which the trust list gives for the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RiskMapShortId(pub [u8; 4]);

impl std::fmt::Display for RiskMapShortId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl RiskMapShortId {
    /// The short name of the map with this root.
    pub fn of_root(root: Fr) -> Self {
        Self(last_four(root))
    }
}

fn last_four(element: Fr) -> [u8; 4] {
    let mut out = [0; 4];
    out.copy_from_slice(&fr_to_bytes(element)[28..]);
    out
}

/// A Groth16 proof whose points lie on their curves, in their groups, and not at infinity.
///
/// Its bytes re-randomise: they are never an identity of the pass.
#[derive(Clone, Debug, PartialEq)]
pub struct PassProof(Proof<Bn254>);

impl PassProof {
    /// Reads a proof from arkworks' compressed form.
    ///
    /// # Errors
    /// [`Error::BadPoint`] for a point off its curve, outside its group, at infinity or not canonically written.
    pub fn from_bytes(bytes: &[u8; PROOF_LEN_BYTES]) -> Result<Self, Error> {
        let proof = Proof::<Bn254>::deserialize_compressed(&bytes[..])
            .map_err(|_| Error::BadPoint("the proof"))?;
        let proof = Self::new(proof)?;
        if proof.to_bytes() != *bytes {
            return Err(Error::BadPoint("the proof"));
        }
        Ok(proof)
    }

    /// Takes a proof from a prover in the same process.
    ///
    /// # Errors
    /// [`Error::BadPoint`] if a point is at infinity.
    pub fn new(proof: Proof<Bn254>) -> Result<Self, Error> {
        if proof.a.is_zero() || proof.b.is_zero() || proof.c.is_zero() {
            return Err(Error::BadPoint("the proof"));
        }
        Ok(Self(proof))
    }

    /// The compressed form.
    pub fn to_bytes(&self) -> [u8; PROOF_LEN_BYTES] {
        let mut out = [0; PROOF_LEN_BYTES];
        self.0
            .serialize_compressed(&mut out[..])
            .expect("three compressed points take 128 bytes");
        out
    }

    pub(crate) const fn proof(&self) -> &Proof<Bn254> {
        &self.0
    }
}

/// A pass as decoded: canonical, but not believed.
///
/// Layout, big-endian: version 1 · circuit 4 · epoch 4 · rule set 4 · risk map 4 · claim 1 · binder kind 1 · holder key
/// 33 (absent for a card) · h 16 · proof 128. Within one epoch, rule set, risk map and claim, two passes differ in
/// key, h and proof only.
#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    /// Circuit and key under which it was proved.
    pub circuit: CircuitShortId,
    /// Epoch whose registry it was proved against.
    pub epoch: Epoch,
    /// Rule set applied.
    pub rule_set: RuleSetShortId,
    /// Risk map applied.
    pub risk_map: RiskMapShortId,
    /// What is claimed.
    pub claim: Claim,
    /// Who may show it.
    pub holder: Holder,
    /// Hash of its revocation secret.
    pub h: RevocationHash,
    /// The proof.
    pub proof: PassProof,
}

impl Pass {
    /// Reads a pass.
    ///
    /// # Errors
    /// [`Error::Layout`] for bytes that break the layout, [`Error::BadPoint`] for a bad key or proof.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAX_PASS_LEN_BYTES)?;
        let pass = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(pass)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        reader.version(VERSION)?;
        let circuit = CircuitShortId(reader.array()?);
        let epoch = reader.epoch()?;
        let rule_set = RuleSetShortId(reader.array()?);
        let risk_map = RiskMapShortId(reader.array()?);
        let claim =
            Claim::from_code(reader.u8()?).ok_or(LayoutError::Invalid("an unknown claim"))?;
        let kind = BinderKind::from_code(reader.u8()?)
            .ok_or(LayoutError::Invalid("an unknown binder kind"))?;
        let holder = match kind {
            BinderKind::Device => Holder::Device(HolderKey::from_bytes(&reader.array()?)?),
            BinderKind::DeviceAndCard => {
                Holder::DeviceAndCard(HolderKey::from_bytes(&reader.array()?)?)
            }
            BinderKind::Card => Holder::Card,
        };
        Ok(Self {
            circuit,
            epoch,
            rule_set,
            risk_map,
            claim,
            holder,
            h: RevocationHash(reader.array()?),
            proof: PassProof::from_bytes(&reader.array()?)?,
        })
    }

    /// The canonical bytes, at most [`MAX_PASS_LEN_BYTES`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(MAX_PASS_LEN_BYTES);
        out.push(VERSION);
        out.extend_from_slice(&self.circuit.0);
        out.extend_from_slice(&self.epoch.get().to_be_bytes());
        out.extend_from_slice(&self.rule_set.0);
        out.extend_from_slice(&self.risk_map.0);
        out.push(self.claim.code());
        out.push(self.holder.kind().code());
        if let Some(key) = self.holder.key() {
            out.extend_from_slice(&key.to_bytes());
        }
        out.extend_from_slice(&self.h.0);
        out.extend_from_slice(&self.proof.to_bytes());
        out
    }
}
