//! Receipts and what they are over.

use commitment::layout::{LayoutError, Reader};
use commitment::{Minute, ProvinceCode, Slot};
use ed25519_dalek::{Signature, Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

use super::ReceiptError;
use crate::Roster;

const VERSION: u8 = 1;
const SIGNING_DOMAIN: &[u8] = b"viridian/receipt/v1\0";
const COMMITMENT_DOMAIN: &[u8] = b"viridian/receipt-commitment/v1\0";
/// Longest name of a federation.
const FEDERATION_LEN_MAX_BYTES: usize = 32;
const SIGNATURE_LEN_BYTES: usize = 64;
/// Longest receipt without its signature.
const RECEIPT_LEN_MAX_BYTES: usize = 1 + 1 + 1 + FEDERATION_LEN_MAX_BYTES + 1 + 1 + 32 + 4 + 4;
/// Longest receipt as its holder keeps it.
pub const HELD_RECEIPT_LEN_MAX_BYTES: usize = 32 + RECEIPT_LEN_MAX_BYTES + SIGNATURE_LEN_BYTES;
/// How long after it accepted something a node has it in its log, minutes. The same for everybody, so that a receipt follows
/// from what is stored of the event, and the same event again has the same receipt. Batches come every 15 minutes; an hour
/// is room for three that fail.
pub const PROMISE_MIN: u32 = 60;

/// The last minute before which the commitment to something accepted at `accepted` has to stand in the log.
pub fn promised_by(accepted: Minute) -> Minute {
    accepted.saturating_add_signed(PROMISE_MIN.into())
}

/// A salted commitment; it tells nothing to whoever does not have the salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commitment(pub [u8; 32]);

/// What makes a commitment unguessable: known to the node and to whom it gave the receipt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 32]);

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// What kind of thing was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Content {
    /// An event, by its canonical bytes.
    Event = 1,
    /// A resident's contestation of an event: case id 16 · event id 16 · the statement, UTF-8.
    Contestation = 2,
    /// An office's decision of an appeal, by its canonical bytes.
    Decision = 3,
}

impl Content {
    /// SHA-256 over a domain string, the kind, the salt and the content.
    pub fn commit(self, salt: &Salt, content: &[u8]) -> Commitment {
        let hash = Sha256::new_with_prefix(COMMITMENT_DOMAIN)
            .chain_update([self as u8])
            .chain_update(salt.0)
            .chain_update(content);
        Commitment(hash.finalize().into())
    }
}

/// What a node promises.
///
/// Layout, big-endian: version 1 · kind of the content 1 · federation (length 1, then 1 to 32 of a-z, 0-9 and '-') ·
/// province 1 · slot 1 · commitment 32 · accepted 4 · promised by 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// What was accepted.
    pub content: Content,
    /// The federation.
    pub federation: String,
    /// The province that accepted it.
    pub province: ProvinceCode,
    /// Its slot, which has a log of its own.
    pub slot: Slot,
    /// The commitment.
    pub commitment: Commitment,
    /// When it was accepted.
    pub accepted: Minute,
    /// The commitment stands in the log before the log tells of a time later than this.
    pub promised_by: Minute,
}

impl Receipt {
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION, self.content as u8];
        out.push(self.federation.len().to_le_bytes()[0]);
        out.extend_from_slice(self.federation.as_bytes());
        out.extend([self.province.get(), self.slot.get()]);
        out.extend_from_slice(&self.commitment.0);
        out.extend_from_slice(&self.accepted.get().to_be_bytes());
        out.extend_from_slice(&self.promised_by.get().to_be_bytes());
        out
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        reader.version(VERSION)?;
        let content = match reader.u8()? {
            1 => Content::Event,
            2 => Content::Contestation,
            3 => Content::Decision,
            _ => return Err(LayoutError::Invalid("a kind of content")),
        };
        let len = usize::from(reader.u8()?);
        let name = reader.slice(len)?;
        let is_named = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
        if len == 0 || len > FEDERATION_LEN_MAX_BYTES || !name.iter().all(is_named) {
            return Err(LayoutError::Invalid("a name of a federation"));
        }
        Ok(Self {
            content,
            federation: name.iter().map(|b| char::from(*b)).collect(),
            province: reader.province()?,
            slot: reader.slot()?,
            commitment: Commitment(reader.array()?),
            accepted: reader.minute()?,
            promised_by: reader.minute()?,
        })
    }

    fn signing_bytes(&self) -> Vec<u8> {
        [SIGNING_DOMAIN, &self.to_bytes()].concat()
    }

    /// This receipt, signed by the slot's head key.
    pub fn sign(self, head_key: &SigningKey) -> SignedReceipt {
        let signature = head_key.sign(&self.signing_bytes()).to_bytes();
        SignedReceipt {
            receipt: self,
            signature,
        }
    }
}

/// A receipt with the signature of its slot's head key, which may or may not fit.
///
/// Layout: the receipt, then the signature 64 over `viridian/receipt/v1\0` and the receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedReceipt {
    /// The receipt.
    pub receipt: Receipt,
    /// The head key's signature.
    pub signature: [u8; 64],
}

impl SignedReceipt {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.receipt.to_bytes()[..], &self.signature].concat()
    }

    /// Reads a receipt; the signature is not checked.
    ///
    /// # Errors
    /// [`ReceiptError::Layout`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let mut reader = Reader::new(bytes, RECEIPT_LEN_MAX_BYTES + SIGNATURE_LEN_BYTES)?;
        let signed = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(signed)
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(Self {
            receipt: Receipt::read(reader)?,
            signature: reader.array()?,
        })
    }

    /// Checks that a member of the federation gave this receipt, under the head key that was in force when it accepted.
    ///
    /// # Errors
    /// [`ReceiptError::OtherFederation`], [`ReceiptError::OtherPromise`], [`ReceiptError::UnknownSlot`],
    /// [`ReceiptError::BadSignature`].
    pub fn check(&self, federation: &str, roster: &Roster) -> Result<(), ReceiptError> {
        let receipt = &self.receipt;
        if receipt.federation != federation {
            return Err(ReceiptError::OtherFederation(receipt.federation.clone()));
        }
        if receipt.promised_by != promised_by(receipt.accepted) {
            return Err(ReceiptError::OtherPromise);
        }
        let member = roster.member(receipt.slot);
        let member = member.map_err(|_| ReceiptError::UnknownSlot)?;
        if member.province != receipt.province {
            return Err(ReceiptError::UnknownSlot);
        }
        let signature = Signature::from_bytes(&self.signature);
        let key = member.head_key_at(receipt.accepted);
        let key = key.map_err(|_| ReceiptError::BadSignature)?;
        key.verify_strict(&receipt.signing_bytes(), &signature)
            .map_err(|_| ReceiptError::BadSignature)
    }
}

/// A receipt with its salt, as it travels and as its holder keeps it.
///
/// Layout: salt 32 · signed receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldReceipt {
    /// The salt of the commitment.
    pub salt: Salt,
    /// The receipt.
    pub signed: SignedReceipt,
}

impl HeldReceipt {
    /// The canonical bytes, at most [`HELD_RECEIPT_LEN_MAX_BYTES`].
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.salt.0[..], &self.signed.to_bytes()].concat()
    }

    /// Reads a receipt with its salt; nothing is checked.
    ///
    /// # Errors
    /// [`ReceiptError::Layout`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let mut reader = Reader::new(bytes, HELD_RECEIPT_LEN_MAX_BYTES)?;
        let salt = Salt(reader.array()?);
        let signed = SignedReceipt::read(&mut reader)?;
        reader.finish()?;
        Ok(Self { salt, signed })
    }

    /// Checks that the receipt is over this content.
    ///
    /// # Errors
    /// [`ReceiptError::OtherContent`].
    pub fn check_content(&self, content: &[u8]) -> Result<(), ReceiptError> {
        let receipt = &self.signed.receipt;
        let fits = receipt.content.commit(&self.salt, content) == receipt.commitment;
        fits.then_some(()).ok_or(ReceiptError::OtherContent)
    }
}
