//! The keys that events are sealed to, and how a province tells them: signed by the head key that the trust list's root names.

use commitment::Slot;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hpke::kem::X25519HkdfSha256;
use hpke::{Kem, Serializable as _};
use rules::{Minute, ProvinceCode};
use sha2::{Digest as _, Sha256};
use verifier::trust::RootDocument;
use zeroize::Zeroizing;

/// What stands before a statement's bytes when they are signed.
const SEALING_KEY_DOMAIN: &[u8] = b"viridian/sealing-key/v1\0";
const VERSION: u8 = 1;
const STATEMENT_LEN_BYTES: usize = 1 + 1 + 1 + 32 + 4 + 4;
/// A statement with its signature.
pub const SIGNED_SEALING_KEY_LEN_BYTES: usize = STATEMENT_LEN_BYTES + 64;

/// Names a sealing key in an envelope: the first bytes of the SHA-256 of the public key.
pub(crate) type KeyId = [u8; 8];

/// What a province says of the key that events for its residents are sealed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealingStatement {
    /// Whose it is.
    pub province: ProvinceCode,
    /// The slot whose head key signs.
    pub slot: Slot,
    /// X25519, as RFC 9180 serializes it.
    pub public_key: [u8; 32],
    /// First minute of its use.
    pub not_before: Minute,
    /// Last minute of its use.
    pub not_after: Minute,
}

/// The statement with its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedSealingKey {
    /// What is said.
    pub statement: SealingStatement,
    /// Ed25519 over domain and canonical bytes, by the slot's head key.
    pub signature: [u8; 64],
}

/// Why a statement is not believed; the province that sent it is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealingKeyError {
    /// Not 107 bytes.
    #[error("a signed sealing key has {SIGNED_SEALING_KEY_LEN_BYTES} bytes, not {0}")]
    Length(usize),
    /// Another first byte than 1.
    #[error("version {0} is not read here")]
    Version(u8),
    /// A province, slot or minute that is none.
    #[error("{0} is not of its form")]
    Malformed(&'static str),
    /// It is another province's.
    #[error("the key of another province")]
    OtherProvince,
    /// The root document does not name the province with that slot.
    #[error("the root document does not name that slot of the province")]
    UnknownSlot,
    /// The head key in force did not sign it.
    #[error("not signed by the province's head key")]
    BadSignature,
    /// Not in use at the moment.
    #[error("in use from minute {from} to {until}, not at {now}", from = .from.get(), until = .until.get(), now = .now.get())]
    NotInUse {
        /// First minute.
        from: Minute,
        /// Last minute.
        until: Minute,
        /// The moment.
        now: Minute,
    },
}

impl SealingStatement {
    fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(STATEMENT_LEN_BYTES);
        out.extend([VERSION, self.province.get(), self.slot.get()]);
        out.extend(self.public_key);
        out.extend(self.not_before.get().to_be_bytes());
        out.extend(self.not_after.get().to_be_bytes());
        out
    }

    fn signing_bytes(self) -> Vec<u8> {
        [SEALING_KEY_DOMAIN, &self.to_bytes()].concat()
    }

    /// Signs it.
    pub fn sign(self, head_key: &SigningKey) -> SignedSealingKey {
        SignedSealingKey {
            statement: self,
            signature: head_key.sign(&self.signing_bytes()).to_bytes(),
        }
    }

    pub(crate) fn id(&self) -> KeyId {
        let digest = Sha256::digest(self.public_key);
        let mut id = KeyId::default();
        id.copy_from_slice(&digest[..8]);
        id
    }
}

impl SignedSealingKey {
    /// The canonical bytes, 107 of them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.statement.to_bytes();
        out.extend(self.signature);
        out
    }

    /// Reads canonical bytes; says nothing of who signed.
    ///
    /// # Errors
    /// [`SealingKeyError::Length`], [`SealingKeyError::Version`], [`SealingKeyError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealingKeyError> {
        let bytes: &[u8; SIGNED_SEALING_KEY_LEN_BYTES] = bytes
            .try_into()
            .map_err(|_| SealingKeyError::Length(bytes.len()))?;
        let (head, rest) = bytes.split_at(3);
        let (key, rest) = rest.split_at(32);
        let (minutes, signature) = rest.split_at(8);
        if head[0] != VERSION {
            return Err(SealingKeyError::Version(head[0]));
        }
        let malformed = SealingKeyError::Malformed;
        let province = ProvinceCode::new(head[1]).map_err(|_| malformed("province"))?;
        if province == ProvinceCode::NATION {
            return Err(malformed("province"));
        }
        let statement = SealingStatement {
            province,
            slot: Slot::new(head[2]).ok_or(malformed("slot"))?,
            public_key: fixed(key),
            not_before: minute(&minutes[..4]).ok_or(malformed("not_before"))?,
            not_after: minute(&minutes[4..]).ok_or(malformed("not_after"))?,
        };
        let signature = fixed(signature);
        Ok(Self {
            statement,
            signature,
        })
    }

    /// Believes a statement that `province` tells at `now` under the root document, if its key is in use then. It tells no minute
    /// at which it was signed, so the head key is the one in force now, by clocks that may differ by
    /// [`commitment::KEY_SWITCH_TOLERANCE_MIN`].
    ///
    /// # Errors
    /// [`SealingKeyError`].
    pub fn check(
        &self,
        province: ProvinceCode,
        root: &RootDocument,
        now: Minute,
    ) -> Result<(), SealingKeyError> {
        let said = &self.statement;
        if said.province != province {
            return Err(SealingKeyError::OtherProvince);
        }
        let entry = root
            .provinces
            .iter()
            .find(|p| p.province == province && p.slot == said.slot)
            .ok_or(SealingKeyError::UnknownSlot)?;
        let mut keys = entry.head_keys.around(now);
        if !keys.any(|key| is_signed(key, said, &self.signature)) {
            return Err(SealingKeyError::BadSignature);
        }
        if now < said.not_before || now > said.not_after {
            return Err(SealingKeyError::NotInUse {
                from: said.not_before,
                until: said.not_after,
                now,
            });
        }
        Ok(())
    }
}

fn is_signed(key: &VerifyingKey, said: &SealingStatement, signature: &[u8; 64]) -> bool {
    let signature = Signature::from_bytes(signature);
    key.verify_strict(&said.signing_bytes(), &signature).is_ok()
}

fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("a part of its own length")
}

fn minute(bytes: &[u8]) -> Option<Minute> {
    Minute::new(u32::from_be_bytes(fixed(bytes))).ok()
}

/// A sealing key's secret and when it is in use.
pub struct SealingSecret {
    /// What the key pair is derived from (RFC 9180, `DeriveKeyPair`).
    pub secret: Zeroizing<[u8; 32]>,
    /// First minute of its use.
    pub not_before: Minute,
    /// Last minute in which anything sealed to it is opened.
    pub not_after: Minute,
}

type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;

struct OwnKey {
    id: KeyId,
    private: PrivateKey,
    statement: SealingStatement,
}

/// This home's sealing keys.
pub(crate) struct SealingKeys(Vec<OwnKey>);

impl SealingKeys {
    pub(crate) fn new(secrets: &[SealingSecret], province: ProvinceCode, slot: Slot) -> Self {
        let own = |secret: &SealingSecret| {
            let (private, public) = X25519HkdfSha256::derive_keypair(&secret.secret[..]);
            let statement = SealingStatement {
                province,
                slot,
                public_key: public.to_bytes().into(),
                not_before: secret.not_before,
                not_after: secret.not_after,
            };
            OwnKey {
                id: statement.id(),
                private,
                statement,
            }
        };
        Self(secrets.iter().map(own).collect())
    }

    /// The key to be told to others: of those in use the one that began last.
    pub(crate) fn told_at(&self, now: Minute) -> Option<SealingStatement> {
        let in_use = self.0.iter().filter(|key| key.is_in_use(now));
        in_use
            .max_by_key(|key| key.statement.not_before)
            .map(|key| key.statement)
    }

    /// What opens envelopes of a key that is in use.
    pub(crate) fn opening(&self, id: KeyId, now: Minute) -> Option<&PrivateKey> {
        let mut in_use = self.0.iter().filter(|key| key.is_in_use(now));
        in_use.find(|key| key.id == id).map(|key| &key.private)
    }
}

impl OwnKey {
    fn is_in_use(&self, now: Minute) -> bool {
        let said = &self.statement;
        said.not_before <= now && now <= said.not_after
    }
}
