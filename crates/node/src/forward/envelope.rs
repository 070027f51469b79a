//! The sealed form in which an event travels between provinces: HPKE (RFC 9180), base mode, X25519 with HKDF-SHA-256 and
//! ChaCha20-Poly1305.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | version, 1 |
//! | 1 | province that sends |
//! | 1 | province of the home |
//! | 8 | name of the home's sealing key |
//! | 16 | forwarding id, random, the same in every attempt |
//! | 4 | minute of expiry |
//! | 32 | encapsulated key |
//! | 149 | sealed content and tag |
//!
//! All that stands before the encapsulated key is authenticated with the content; the federation's name is HPKE's `info`. The
//! content is of one length whatever it says: version, which signature it is, length of the event, the event and zeros up to
//! 66 bytes, the signature.

use std::convert::Infallible;

use federation::FederationId;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{
    Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _, single_shot_open,
    single_shot_seal_with_rng,
};
use rules::event::MAX_EVENT_LEN_BYTES;
use rules::{Minute, ProvinceCode};
use wire::ENVELOPE_BYTES;
use zeroize::Zeroizing;

use super::keys::{SealingKeys, SealingStatement};
use crate::Entropy;
use crate::store::SentAs;

const INFO: &[u8] = b"viridian/forward/v1\0";
const VERSION: u8 = 1;
const HEADER_LEN_BYTES: usize = 3 + 8 + 16 + 4;
const ENCAPSULATED_LEN_BYTES: usize = 32;
const CONTENT_LEN_BYTES: usize = 3 + MAX_EVENT_LEN_BYTES + 64;

const _: () =
    assert!(HEADER_LEN_BYTES + ENCAPSULATED_LEN_BYTES + CONTENT_LEN_BYTES + 16 == ENVELOPE_BYTES);

/// What is readable of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The province that sends.
    pub sender: ProvinceCode,
    /// The province of the home.
    pub home: ProvinceCode,
    /// Name of the home's sealing key.
    pub key_id: [u8; 8],
    /// Name of the forwarding.
    pub forwarding_id: [u8; 16],
    /// From this minute on the home refuses it.
    pub expires_at: Minute,
}

/// What is sealed.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// Which of the source's signatures it is.
    pub sent_as: SentAs,
    /// Canonical bytes of the event, 1 to 66.
    pub event: Vec<u8>,
    /// Ed25519.
    pub signature: [u8; 64],
}

/// Prints nothing of the event.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Content(..)")
    }
}

/// Why an envelope is refused; whoever sent it is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not 212 bytes.
    #[error("an envelope has {ENVELOPE_BYTES} bytes, not {0}")]
    Length(usize),
    /// Another first byte than 1.
    #[error("version {0} is not read here")]
    Version(u8),
    /// A province or minute that is none.
    #[error("{0} is not of its form")]
    Malformed(&'static str),
    /// Another province sends it than the one that it names.
    #[error("it names another sender than the province that hands it in")]
    OtherSender,
    /// It is for another home.
    #[error("it is for another home")]
    OtherHome,
    /// It came after its expiry.
    #[error("it expired")]
    Expired,
    /// The home has no such sealing key in use.
    #[error("sealed to a key that is not in use here")]
    UnknownKey,
    /// It does not open: sealed to another key, or changed on the way.
    #[error("it does not open")]
    Seal,
    /// What was sealed is not of its form.
    #[error("what is sealed in it is not of its form")]
    Content,
}

impl EnvelopeError {
    /// The stable code under which it is answered.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Length(_) | Self::Malformed(_) | Self::Content => "malformed",
            Self::Version(_) => "unknown-version",
            Self::OtherSender => "other-sender",
            Self::OtherHome => "other-home",
            Self::Expired => "expired",
            Self::UnknownKey => "unknown-key",
            Self::Seal => "bad-seal",
        }
    }
}

impl Header {
    /// The header of an envelope to a province whose key is known.
    pub fn to(
        key: &SealingStatement,
        sender: ProvinceCode,
        forwarding_id: [u8; 16],
        expires_at: Minute,
    ) -> Self {
        Self {
            sender,
            home: key.province,
            key_id: key.id(),
            forwarding_id,
            expires_at,
        }
    }

    fn to_bytes(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(ENVELOPE_BYTES);
        out.extend([VERSION, self.sender.get(), self.home.get()]);
        out.extend(self.key_id);
        out.extend(self.forwarding_id);
        out.extend(self.expires_at.get().to_be_bytes());
        out
    }
}

impl Content {
    fn to_bytes(&self) -> Option<Zeroizing<[u8; CONTENT_LEN_BYTES]>> {
        let len = u8::try_from(self.event.len()).ok()?;
        let mut out = Zeroizing::new([0; CONTENT_LEN_BYTES]);
        out[0] = VERSION;
        out[1] = match self.sent_as {
            SentAs::Statement => 1,
            SentAs::Confirmation => 2,
        };
        out[2] = len;
        out[3..3 + MAX_EVENT_LEN_BYTES]
            .get_mut(..self.event.len())
            .filter(|part| !part.is_empty())?
            .copy_from_slice(&self.event);
        out[3 + MAX_EVENT_LEN_BYTES..].copy_from_slice(&self.signature);
        Some(out)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; CONTENT_LEN_BYTES] = bytes.try_into().ok()?;
        let (event, signature) = bytes[3..].split_at(MAX_EVENT_LEN_BYTES);
        let (event, zeros) = event.split_at_checked(bytes[2].into())?;
        if bytes[0] != VERSION || event.is_empty() || zeros.iter().any(|byte| *byte != 0) {
            return None;
        }
        Some(Self {
            sent_as: match bytes[1] {
                1 => SentAs::Statement,
                2 => SentAs::Confirmation,
                _ => return None,
            },
            event: event.to_vec(),
            signature: signature.try_into().ok()?,
        })
    }
}

/// A sealed event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// What is readable.
    pub header: Header,
    encapsulated: [u8; ENCAPSULATED_LEN_BYTES],
    sealed: Vec<u8>,
}

impl Envelope {
    /// Seals a content to the key that a province has told.
    ///
    /// # Errors
    /// [`EnvelopeError::Content`] for an event of no bytes or of more than 66, [`EnvelopeError::Seal`] for a public key that is
    /// no point to seal to.
    pub fn seal(
        header: Header,
        content: &Content,
        key: &SealingStatement,
        federation: &FederationId,
        entropy: &Entropy,
    ) -> Result<Self, EnvelopeError> {
        let plain = content.to_bytes().ok_or(EnvelopeError::Content)?;
        let key = <X25519HkdfSha256 as Kem>::PublicKey::from_bytes(&key.public_key)
            .map_err(|_| EnvelopeError::Seal)?;
        let (encapsulated, sealed) =
            single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
                &OpModeS::Base,
                &key,
                &info(federation),
                &plain[..],
                &header.to_bytes(),
                &mut Draws(entropy),
            )
            .map_err(|_| EnvelopeError::Seal)?;
        Ok(Self {
            header,
            encapsulated: encapsulated.to_bytes().into(),
            sealed,
        })
    }

    /// The canonical bytes, 212 of them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.header.to_bytes();
        out.extend(self.encapsulated);
        out.extend(&self.sealed);
        out
    }

    /// Reads canonical bytes, and opens nothing.
    ///
    /// # Errors
    /// [`EnvelopeError::Length`], [`EnvelopeError::Version`], [`EnvelopeError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let bytes: &[u8; ENVELOPE_BYTES] = bytes
            .try_into()
            .map_err(|_| EnvelopeError::Length(bytes.len()))?;
        let (header, rest) = bytes.split_at(HEADER_LEN_BYTES);
        let (encapsulated, sealed) = rest.split_at(ENCAPSULATED_LEN_BYTES);
        if header[0] != VERSION {
            return Err(EnvelopeError::Version(header[0]));
        }
        let province = |code, field| {
            let province = ProvinceCode::new(code).ok();
            let own = province.filter(|province| *province != ProvinceCode::NATION);
            own.ok_or(EnvelopeError::Malformed(field))
        };
        let expires_at = Minute::new(u32::from_be_bytes(fixed(&header[27..])));
        Ok(Self {
            header: Header {
                sender: province(header[1], "sender")?,
                home: province(header[2], "home")?,
                key_id: fixed(&header[3..11]),
                forwarding_id: fixed(&header[11..27]),
                expires_at: expires_at.map_err(|_| EnvelopeError::Malformed("expires_at"))?,
            },
            encapsulated: fixed(encapsulated),
            sealed: sealed.to_vec(),
        })
    }

    /// Opens what `sender` handed in at `home`.
    ///
    /// # Errors
    /// Any other [`EnvelopeError`].
    pub(crate) fn open(
        &self,
        sender: ProvinceCode,
        home: ProvinceCode,
        keys: &SealingKeys,
        federation: &FederationId,
        now: Minute,
    ) -> Result<Content, EnvelopeError> {
        if self.header.sender != sender {
            return Err(EnvelopeError::OtherSender);
        }
        if self.header.home != home {
            return Err(EnvelopeError::OtherHome);
        }
        if self.header.expires_at <= now {
            return Err(EnvelopeError::Expired);
        }
        let key = keys
            .opening(self.header.key_id, now)
            .ok_or(EnvelopeError::UnknownKey)?;
        let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&self.encapsulated)
            .map_err(|_| EnvelopeError::Seal)?;
        let plain = single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            key,
            &encapsulated,
            &info(federation),
            &self.sealed,
            &self.header.to_bytes(),
        )
        .map_err(|_| EnvelopeError::Seal)?;
        Content::from_bytes(&Zeroizing::new(plain)).ok_or(EnvelopeError::Content)
    }
}

fn info(federation: &FederationId) -> Vec<u8> {
    [INFO, federation.as_str().as_bytes()].concat()
}

fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("a part of its own length")
}

/// The node's generator, as HPKE asks for one.
struct Draws<'a>(&'a Entropy);

impl TryRng for Draws<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(self.0.bytes()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(self.0.bytes()))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

/// It is `ChaCha20`, seeded by the system.
impl TryCryptoRng for Draws<'_> {}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
