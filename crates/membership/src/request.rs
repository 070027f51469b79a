//! Requests: a province joins, gives its slot a new head key, or leaves.

use commitment::layout::{LayoutError, Reader};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use federation::{Authority, FederationId};
use rules::{Minute, ProvinceCode};
use verifier::Slot;

use crate::layout::{
    check_signature, from_pem, put_text, read_federation, read_key, read_text, to_pem,
};
use crate::{MAX_INVITATION_LEN_BYTES, MembershipError, SignedInvitation};

const VERSION: u8 = 2;
const DOMAIN: &[u8] = b"viridian/membership-request/v1\0";
const LABEL: &str = "VIRIDIAN REQUEST";
/// Longest certificate of an authority, PEM.
const MAX_AUTHORITY_LEN_BYTES: usize = 8_192;
/// Longest address.
const MAX_ADDRESS_LEN_BYTES: usize = 255;
/// Longest request with its signatures.
pub const MAX_REQUEST_LEN_BYTES: usize = 2
    + MAX_INVITATION_LEN_BYTES
    + 32
    + 2
    + MAX_AUTHORITY_LEN_BYTES
    + 2
    + MAX_ADDRESS_LEN_BYTES
    + 128;

/// What a province that was invited brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Join {
    /// The invitation that it follows.
    pub invitation: SignedInvitation,
    /// Its head key, which signs the request.
    pub head_key: VerifyingKey,
    /// The certificate of its authority, PEM.
    pub authority_pem: String,
    /// Where other nodes reach its node, `host:port`.
    pub peers_address: String,
}

/// What a province asks for.
///
/// Layout 2, big-endian: version 1 · kind 1 · then for 1 (join): signed invitation · head key 32 · authority's certificate
/// (length 2, PEM) · address (length 2, text); for 2 (rotate): federation (length 2, text) · province 1 · slot 1 · root
/// sequence 8 · old key 32 · new key 32 · first minute 4 or 0; for 3 (leave): federation · province 1 · slot 1 · root sequence 8 · key 32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// To join, or to have a new key in a slot whose key is lost or known to others: both need an invitation.
    Join(Box<Join>),
    /// To have another head key from a minute on, which the next root document announces, or with that document at once, where the
    /// old one is not to be believed any more. Both keys sign.
    Rotate {
        /// In which federation.
        federation: FederationId,
        /// Who asks.
        province: ProvinceCode,
        /// For which slot.
        slot: Slot,
        /// The root document that it was made under.
        root_sequence: u64,
        /// The key in force.
        old: VerifyingKey,
        /// The key that is to follow.
        new: VerifyingKey,
        /// Its first minute; at once without one.
        from: Option<Minute>,
    },
    /// To leave the federation with the next root document.
    Leave {
        /// Which federation.
        federation: FederationId,
        /// Who asks.
        province: ProvinceCode,
        /// Which slot.
        slot: Slot,
        /// The root document that it was made under.
        root_sequence: u64,
        /// The key in force, which signs.
        key: VerifyingKey,
    },
}

impl Request {
    /// The slot that it speaks of.
    pub fn slot(&self) -> Slot {
        match self {
            Self::Join(join) => join.invitation.invitation().slot,
            Self::Rotate { slot, .. } | Self::Leave { slot, .. } => *slot,
        }
    }

    /// The province that asks.
    pub fn province(&self) -> ProvinceCode {
        match self {
            Self::Join(join) => join.invitation.invitation().province,
            Self::Rotate { province, .. } | Self::Leave { province, .. } => *province,
        }
    }

    /// The federation that it is for.
    pub fn federation(&self) -> &FederationId {
        match self {
            Self::Join(join) => &join.invitation.invitation().federation,
            Self::Rotate { federation, .. } | Self::Leave { federation, .. } => federation,
        }
    }

    fn signers(&self) -> Vec<VerifyingKey> {
        match self {
            Self::Join(join) => vec![join.head_key],
            Self::Rotate { old, new, .. } => vec![*old, *new],
            Self::Leave { key, .. } => vec![*key],
        }
    }

    fn check(&self) -> Result<(), MembershipError> {
        match self {
            Self::Join(join) => {
                let invitation = join.invitation.invitation();
                let authority = Authority {
                    federation: invitation.federation.clone(),
                    province: invitation.province,
                };
                if Authority::from_pem(&join.authority_pem)? != Some(authority) {
                    return Err(MembershipError::BadKey("another province's authority"));
                }
                if invitation.root_keys.keys().contains(&join.head_key) {
                    return Err(MembershipError::BadKey("a root key as head key"));
                }
                let has_port = (join.peers_address.rsplit_once(':'))
                    .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
                let is_short = join.peers_address.len() <= MAX_ADDRESS_LEN_BYTES;
                if !has_port || !is_short || !join.peers_address.is_ascii() {
                    return Err(LayoutError::Invalid("an address that is not host:port").into());
                }
                if join.authority_pem.len() > MAX_AUTHORITY_LEN_BYTES {
                    return Err(LayoutError::Invalid("a certificate above its limit").into());
                }
                Ok(())
            }
            Self::Rotate { old, new, .. } if old == new => {
                Err(MembershipError::BadKey("the old key as the new one"))
            }
            Self::Rotate { .. } | Self::Leave { .. } => Ok(()),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        match self {
            Self::Join(join) => {
                out.push(1);
                join.invitation.write(out);
                out.extend_from_slice(join.head_key.as_bytes());
                put_text(out, &join.authority_pem);
                put_text(out, &join.peers_address);
            }
            Self::Rotate {
                federation,
                province,
                slot,
                root_sequence,
                old,
                new,
                from,
            } => {
                out.push(2);
                put_place(out, federation, *province, *slot, *root_sequence);
                out.extend_from_slice(old.as_bytes());
                out.extend_from_slice(new.as_bytes());
                out.extend_from_slice(&from.map_or(0, Minute::get).to_be_bytes());
            }
            Self::Leave {
                federation,
                province,
                slot,
                root_sequence,
                key,
            } => {
                out.push(3);
                put_place(out, federation, *province, *slot, *root_sequence);
                out.extend_from_slice(key.as_bytes());
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, MembershipError> {
        reader.version(VERSION)?;
        let kind = reader.u8()?;
        if kind == 1 {
            return Ok(Self::Join(Box::new(Join {
                invitation: SignedInvitation::read(reader)?,
                head_key: read_key(reader)?,
                authority_pem: read_text(reader, MAX_AUTHORITY_LEN_BYTES)?,
                peers_address: read_text(reader, MAX_ADDRESS_LEN_BYTES)?,
            })));
        }
        let federation = read_federation(reader)?;
        let province = reader.province()?;
        let slot = reader.slot()?;
        let root_sequence = reader.u64()?;
        match kind {
            2 => Ok(Self::Rotate {
                federation,
                province,
                slot,
                root_sequence,
                old: read_key(reader)?,
                new: read_key(reader)?,
                from: Some(reader.minute()?).filter(|from| *from != Minute::ZERO),
            }),
            3 => Ok(Self::Leave {
                federation,
                province,
                slot,
                root_sequence,
                key: read_key(reader)?,
            }),
            _ => Err(LayoutError::Invalid("a kind of request above 3").into()),
        }
    }

    fn signing_bytes(&self) -> Vec<u8> {
        let mut message = DOMAIN.to_vec();
        self.write(&mut message);
        message
    }

    /// Signs it with the keys that it needs: the head key, and for a new one the old and then the new one.
    ///
    /// # Errors
    /// [`MembershipError::BadSignature`] for other keys, and what is wrong with the request itself.
    pub fn sign(self, keys: &[&SigningKey]) -> Result<SignedRequest, MembershipError> {
        self.check()?;
        let given: Vec<VerifyingKey> = keys.iter().map(|key| key.verifying_key()).collect();
        if given != self.signers() {
            return Err(MembershipError::BadSignature("the head key"));
        }
        let message = self.signing_bytes();
        Ok(SignedRequest {
            signatures: keys.iter().map(|k| k.sign(&message).to_bytes()).collect(),
            request: self,
        })
    }
}

fn put_place(
    out: &mut Vec<u8>,
    federation: &FederationId,
    province: ProvinceCode,
    slot: Slot,
    root_sequence: u64,
) {
    put_text(out, federation.as_str());
    out.push(province.get());
    out.push(slot.get());
    out.extend_from_slice(&root_sequence.to_be_bytes());
}

/// A request with the signatures of the keys that it needs, which fit.
///
/// Layout: the request · one signature of 64 for each key that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRequest {
    request: Request,
    signatures: Vec<[u8; 64]>,
}

impl SignedRequest {
    /// The request.
    pub const fn request(&self) -> &Request {
        &self.request
    }

    /// The canonical bytes, at most [`MAX_REQUEST_LEN_BYTES`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.request.write(&mut bytes);
        bytes.extend(self.signatures.iter().flatten());
        bytes
    }

    /// As PEM text of the label `VIRIDIAN REQUEST`.
    pub fn to_pem(&self) -> String {
        to_pem(LABEL, self.to_bytes())
    }

    /// Reads such text and checks its signatures.
    ///
    /// # Errors
    /// [`MembershipError::Armour`], [`MembershipError::TooLong`], and those of [`SignedRequest::from_bytes`].
    pub fn from_pem(text: &str) -> Result<Self, MembershipError> {
        Self::from_bytes(&from_pem(text, LABEL, MAX_REQUEST_LEN_BYTES)?)
    }

    /// Reads a request and checks its signatures.
    ///
    /// # Errors
    /// [`MembershipError::Layout`], [`MembershipError::BadKey`], [`MembershipError::BadSignature`], and those of the
    /// invitation.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MembershipError> {
        let mut reader = Reader::new(bytes, MAX_REQUEST_LEN_BYTES)?;
        let request = Request::read(&mut reader)?;
        request.check()?;
        let message = request.signing_bytes();
        let mut signatures = Vec::new();
        for key in request.signers() {
            let signature = reader.array()?;
            check_signature("the head key", &key, &message, &signature)?;
            signatures.push(signature);
        }
        reader.finish()?;
        Ok(Self {
            request,
            signatures,
        })
    }
}
