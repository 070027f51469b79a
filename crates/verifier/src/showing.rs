//! The showing: a pass, the half minute, the gate's challenge if there is one, and the holder's signature over all of it.

use commitment::layout::{LayoutError, Reader};
use p256::ecdsa;
use p256::ecdsa::signature::Verifier;

use crate::pass::MAX_PASS_LEN_BYTES;
use crate::{Error, GateChallenge, GateId, GateNonce, Pass, ShowingSlot};

const DOMAIN: &[u8] = b"viridian/showing/v1\0";
const SIGNATURE_LEN_BYTES: usize = 64;
/// Longest showing: a pass with a key, slot, challenge and signature.
pub const MAX_SHOWING_LEN_BYTES: usize =
    MAX_PASS_LEN_BYTES + 4 + 1 + GateId::LEN_BYTES + GateNonce::LEN_BYTES + SIGNATURE_LEN_BYTES;
/// What a QR code of version 14-M may be asked to carry, prefix included.
const _: () = assert!(MAX_SHOWING_LEN_BYTES <= 300);

/// When and where a pass is shown, before it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The half minute.
    pub slot: ShowingSlot,
    /// The gate's challenge, if there is one.
    pub challenge: Option<GateChallenge>,
}

impl Moment {
    /// What the holder's key signs (ECDSA over SHA-256): a domain string, the pass, the slot and the challenge.
    pub fn signing_bytes(&self, pass: &Pass) -> Vec<u8> {
        let mut out = Vec::with_capacity(DOMAIN.len() + MAX_SHOWING_LEN_BYTES);
        out.extend_from_slice(DOMAIN);
        out.extend_from_slice(&pass.to_bytes());
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.slot.get().to_be_bytes());
        out.push(u8::from(self.challenge.is_some()));
        if let Some(challenge) = self.challenge {
            out.extend_from_slice(&challenge.gate.0);
            out.extend_from_slice(&challenge.nonce.0);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let slot = ShowingSlot::new(reader.u32()?);
        let challenge = match reader.u8()? {
            0 => None,
            1 => Some(GateChallenge {
                gate: GateId(reader.array()?),
                nonce: GateNonce(reader.array()?),
            }),
            _ => return Err(LayoutError::Invalid("a challenge flag above 1").into()),
        };
        Ok(Self { slot, challenge })
    }
}

/// A pass as shown: decoded and canonical, but not believed.
///
/// Layout: the pass; then, unless a card alone is bound: slot 4 · challenge flag 1 · (gate 8 · nonce 16) · signature 64
/// (r, s, big-endian, s in its lower half).
#[derive(Clone, Debug, PartialEq)]
pub struct Showing {
    pass: Pass,
    signed: Option<(Moment, ecdsa::Signature)>,
}

impl Showing {
    /// A pass of a device with its key's signature over [`Moment::signing_bytes`]; the signature may come with its
    /// larger half, as many platforms make it.
    ///
    /// # Errors
    /// [`Error::WrongBinding`] for a pass without a key, [`Error::BadSignatureEncoding`] for a signature out of range.
    pub fn of_device(pass: Pass, moment: Moment, signature: &[u8; 64]) -> Result<Self, Error> {
        if pass.holder.key().is_none() {
            return Err(Error::WrongBinding("a pass bound to a card is not signed"));
        }
        let signature = ecdsa::Signature::from_slice(signature)
            .map_err(|_| Error::BadSignatureEncoding)?
            .normalize_s();
        Ok(Self {
            pass,
            signed: Some((moment, signature)),
        })
    }

    /// A pass bound to a card alone, as printed.
    ///
    /// # Errors
    /// [`Error::WrongBinding`] for a pass with a key.
    pub fn of_card(pass: Pass) -> Result<Self, Error> {
        if pass.holder.key().is_some() {
            return Err(Error::WrongBinding(
                "a pass bound to a device must be signed",
            ));
        }
        Ok(Self { pass, signed: None })
    }

    /// Reads a showing of at most [`MAX_SHOWING_LEN_BYTES`] bytes.
    ///
    /// # Errors
    /// [`Error::Layout`], [`Error::BadPoint`] or [`Error::BadSignatureEncoding`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAX_SHOWING_LEN_BYTES)?;
        let pass = Pass::read(&mut reader)?;
        let signed = if pass.holder.key().is_some() {
            let moment = Moment::read(&mut reader)?;
            let signature = ecdsa::Signature::from_slice(reader.slice(SIGNATURE_LEN_BYTES)?)
                .map_err(|_| Error::BadSignatureEncoding)?;
            if signature.normalize_s() != signature {
                return Err(Error::BadSignatureEncoding);
            }
            Some((moment, signature))
        } else {
            None
        };
        reader.finish()?;
        Ok(Self { pass, signed })
    }

    /// The canonical bytes, at most [`MAX_SHOWING_LEN_BYTES`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.pass.to_bytes();
        if let Some((moment, signature)) = &self.signed {
            moment.write(&mut out);
            out.extend_from_slice(&signature.to_bytes());
        }
        out
    }

    /// The pass.
    pub const fn pass(&self) -> &Pass {
        &self.pass
    }

    /// When and where it is shown; nothing for a pass bound to a card alone.
    pub fn moment(&self) -> Option<&Moment> {
        self.signed.as_ref().map(|(moment, _)| moment)
    }

    /// Whether the pass's own key signed this moment; true for a card alone, which signs nothing.
    pub fn signature_fits(&self) -> bool {
        let Some((moment, signature)) = &self.signed else {
            return self.pass.holder.key().is_none();
        };
        self.pass.holder.key().is_some_and(|key| {
            key.ecdsa()
                .verify(&moment.signing_bytes(&self.pass), signature)
                .is_ok()
        })
    }
}
