//! Documents with their signatures, as they travel, and the counting of who signed.

use std::collections::BTreeSet;

use commitment::layout::{Reader, put_count};
use commitment::quorum::quorum;
use commitment::{REGISTRY_SLOTS, Slot};
use ed25519_dalek::{Signature, VerifyingKey as Ed25519Key};

use super::root::{MAX_ROOT_KEYS, RootKeys, ascending, list};
use super::{
    MAX_ONLINE_LEN_BYTES, MAX_ROOT_LEN_BYTES, MAX_SIGNED_ONLINE_LEN_BYTES,
    MAX_SIGNED_ROOT_LEN_BYTES, OnlineDocument, RootDocument,
};
use crate::Error;

const VERSION: u8 = 1;

/// One root key's signature under a root document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootSignature {
    /// The key.
    pub key: Ed25519Key,
    /// Its signature over [`RootDocument::signing_bytes`].
    pub signature: [u8; 64],
}

/// One province's signature under an online document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvinceSignature {
    /// The slot whose head key signed.
    pub slot: Slot,
    /// Its signature over [`OnlineDocument::signing_bytes`].
    pub signature: [u8; 64],
}

impl ProvinceSignature {
    /// Its canonical bytes: slot 1 · signature 64.
    pub fn to_bytes(&self) -> [u8; 65] {
        let mut out = [0; 65];
        out[0] = self.slot.get();
        out[1..].copy_from_slice(&self.signature);
        out
    }

    /// Reads a signature; nothing is believed yet.
    ///
    /// # Errors
    /// [`Error::Layout`] for anything but 65 bytes that begin with a slot.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, 65)?;
        let signature = Self {
            slot: reader.slot()?,
            signature: reader.array()?,
        };
        reader.finish()?;
        Ok(signature)
    }
}

/// What to do with a root signature by a key of neither side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strangers {
    /// In a chain both sides are known, so there are none.
    Refused,
    /// Where a verifier begins from its pin, the document may carry its predecessor's signatures, too.
    Ignored,
}

/// A root document with its signatures, not believed.
///
/// Layout: version 1 · length 4 · document · signatures (count 2; key 32, signature 64; ascending by key).
#[derive(Clone, Debug, PartialEq)]
pub struct SignedRoot {
    document: RootDocument,
    signatures: Vec<RootSignature>,
}

impl SignedRoot {
    /// A document with signatures of different keys, in any order: those of its own keys, and of its predecessor's.
    pub fn new(document: RootDocument, mut signatures: Vec<RootSignature>) -> Self {
        signatures.sort_by_key(|s| s.key.to_bytes());
        signatures.dedup_by_key(|s| s.key.to_bytes());
        Self {
            document,
            signatures,
        }
    }

    /// The document.
    pub const fn document(&self) -> &RootDocument {
        &self.document
    }

    /// The signatures, ascending by key, of which nothing is said.
    pub fn signatures(&self) -> &[RootSignature] {
        &self.signatures
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// As [`RootDocument::to_bytes`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut out = vec![VERSION];
        put_block(&mut out, &self.document.to_bytes()?);
        put_count(&mut out, self.signatures.len());
        for entry in &self.signatures {
            put_key(&mut out, &entry.key);
            out.extend_from_slice(&entry.signature);
        }
        Ok(out)
    }

    /// Reads a signed document; nothing is believed yet.
    ///
    /// # Errors
    /// As [`RootDocument::from_bytes`], and [`Error::Layout`] for signatures that do not ascend.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAX_SIGNED_ROOT_LEN_BYTES)?;
        reader.version(VERSION)?;
        let document = RootDocument::from_bytes(block(&mut reader, MAX_ROOT_LEN_BYTES)?)?;
        let signatures = list(&mut reader, "root signatures", 2 * MAX_ROOT_KEYS, |r| {
            Ok(RootSignature {
                key: read_key(r)?,
                signature: r.array()?,
            })
        })?;
        reader.finish()?;
        ascending(&signatures, |s| s.key.to_bytes(), "root signatures")?;
        Ok(Self {
            document,
            signatures,
        })
    }

    /// Checks that enough of the pinned keys and enough of its own keys signed: for whoever publishes lists and has no
    /// online document yet.
    ///
    /// # Errors
    /// [`Error::TooFewRootSignatures`], [`Error::BadSignature`].
    pub fn check_pinned(&self, pinned: &RootKeys) -> Result<(), Error> {
        self.check(pinned, Strangers::Ignored)
    }

    /// Checks that enough of the keys before it and enough of its own keys signed.
    pub(super) fn check(&self, before: &RootKeys, strangers: Strangers) -> Result<(), Error> {
        let message = self.document.signing_bytes()?;
        let own = &self.document.root_keys;
        let mut of_before = 0;
        let mut of_own = 0;
        for entry in &self.signatures {
            if !before.contains(&entry.key) && !own.contains(&entry.key) {
                match strangers {
                    Strangers::Refused => return Err(Error::UnknownSigner),
                    Strangers::Ignored => continue,
                }
            }
            check_signature(&entry.key, &message, &entry.signature)?;
            of_before += usize::from(before.contains(&entry.key));
            of_own += usize::from(own.contains(&entry.key));
        }
        for (of, have, keys) in [
            ("the pinned or earlier", of_before, before),
            ("its own", of_own, own),
        ] {
            let need = usize::from(keys.threshold());
            if have < need {
                return Err(Error::TooFewRootSignatures { of, have, need });
            }
        }
        Ok(())
    }
}

/// An online document with its signatures, not believed.
///
/// Layout: version 1 · length 4 · document · signatures (count 2; slot 1, signature 64; ascending by slot).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOnline {
    document: OnlineDocument,
    signatures: Vec<ProvinceSignature>,
}

impl SignedOnline {
    /// A document with signatures of different slots, in any order.
    pub fn new(document: OnlineDocument, mut signatures: Vec<ProvinceSignature>) -> Self {
        signatures.sort_by_key(|s| s.slot);
        signatures.dedup_by_key(|s| s.slot);
        Self {
            document,
            signatures,
        }
    }

    /// The document.
    pub const fn document(&self) -> &OnlineDocument {
        &self.document
    }

    /// The signatures, ascending by slot.
    pub fn signatures(&self) -> &[ProvinceSignature] {
        &self.signatures
    }

    /// The canonical bytes.
    ///
    /// # Errors
    /// As [`OnlineDocument::to_bytes`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut out = vec![VERSION];
        put_block(&mut out, &self.document.to_bytes()?);
        put_count(&mut out, self.signatures.len());
        for entry in &self.signatures {
            out.extend_from_slice(&entry.to_bytes());
        }
        Ok(out)
    }

    /// Reads a signed document; nothing is believed yet.
    ///
    /// # Errors
    /// As [`OnlineDocument::from_bytes`], and [`Error::Layout`] for signatures that do not ascend.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAX_SIGNED_ONLINE_LEN_BYTES)?;
        reader.version(VERSION)?;
        let document = OnlineDocument::from_bytes(block(&mut reader, MAX_ONLINE_LEN_BYTES)?)?;
        let signatures = list(&mut reader, "province signatures", REGISTRY_SLOTS, |r| {
            Ok(ProvinceSignature {
                slot: r.slot()?,
                signature: r.array()?,
            })
        })?;
        reader.finish()?;
        ascending(&signatures, |s| s.slot, "province signatures")?;
        Ok(Self {
            document,
            signatures,
        })
    }

    /// Checks that a quorum of different provinces signed, each with the head key that was in force when the document was issued.
    pub(super) fn check(&self, root: &RootDocument) -> Result<(), Error> {
        let message = self.document.signing_bytes()?;
        let issued = self.document.issued_at.minute();
        let mut provinces = BTreeSet::new();
        for entry in &self.signatures {
            let member = root
                .provinces
                .iter()
                .find(|p| p.slot == entry.slot)
                .ok_or(Error::UnknownSigner)?;
            let key = member.head_keys.at(issued).ok_or(Error::NoHeadKey {
                slot: entry.slot,
                minute: issued,
            })?;
            check_signature(key, &message, &entry.signature)?;
            provinces.insert(member.province);
        }
        let need = quorum(root.province_count());
        if provinces.len() < need {
            return Err(Error::TooFewProvinces {
                have: provinces.len(),
                need,
            });
        }
        Ok(())
    }
}

fn check_signature(key: &Ed25519Key, message: &[u8], signature: &[u8; 64]) -> Result<(), Error> {
    key.verify_strict(message, &Signature::from_bytes(signature))
        .map_err(|_| Error::BadSignature)
}

pub(super) fn put_key(out: &mut Vec<u8>, key: &Ed25519Key) {
    out.extend_from_slice(key.as_bytes());
}

pub(super) fn read_key(r: &mut Reader<'_>) -> Result<Ed25519Key, Error> {
    Ed25519Key::from_bytes(&r.array()?).map_err(|_| Error::WeakKey)
}

/// Writes a block behind its four-byte length.
pub(super) fn put_block(out: &mut Vec<u8>, bytes: &[u8]) {
    let len = u32::try_from(bytes.len()).expect("documents are limited");
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(bytes);
}

/// Reads a block of at most `limit_bytes`.
pub(super) fn block<'a>(r: &mut Reader<'a>, limit_bytes: usize) -> Result<&'a [u8], Error> {
    let len = usize::try_from(r.u32()?).unwrap_or(usize::MAX);
    if len > limit_bytes {
        return Err(commitment::layout::LayoutError::TooLong {
            len,
            limit: limit_bytes,
        }
        .into());
    }
    Ok(r.slice(len)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_may_be_as_long_as_its_limit_and_no_longer() {
        let mut bytes = Vec::new();
        put_block(&mut bytes, &[7; 5]);
        assert_eq!(bytes, [0, 0, 0, 5, 7, 7, 7, 7, 7]);
        let read = |limit| block(&mut Reader::new(&bytes, 9).unwrap(), limit).map(<[u8]>::to_vec);
        assert_eq!(read(5), Ok(vec![7; 5]));
        let error = commitment::layout::LayoutError::TooLong { len: 5, limit: 4 };
        assert_eq!(read(4), Err(error.into()));
    }

    #[test]
    fn a_province_s_signature_has_65_bytes_that_begin_with_a_slot() {
        let bytes = [&[63][..], &[7; 64]].concat();
        let read = ProvinceSignature::from_bytes(&bytes).unwrap();
        assert_eq!((read.slot.get(), read.signature), (63, [7; 64]));
        assert_eq!(read.to_bytes(), bytes[..]);
        let longer = [&bytes[..], &[0]].concat();
        for bad in [&bytes[..64], &longer, &[64; 65]] {
            assert!(ProvinceSignature::from_bytes(bad).is_err());
        }
    }
}
