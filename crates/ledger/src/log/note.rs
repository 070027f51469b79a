//! Keys of notes: a log's own, and a cosigner's.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use signed_note::{Verifier, is_key_name_valid, key_id};

use super::LogError;

/// Signature type of an Ed25519 signature over the note's text.
const TYPE_ED25519: u8 = 0x01;
/// Signature type of a timestamped Ed25519 cosignature.
const TYPE_COSIGNATURE: u8 = 0x04;
/// Longest verifier key that is read; names are short.
const MAX_VKEY_LEN_BYTES: usize = 512;

/// The public key of a log or of a cosigner, with the name that it signs under.
#[derive(Clone, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    is_cosigner: bool,
    key: VerifyingKey,
}

impl fmt::Debug for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_vkey())
    }
}

impl NoteKey {
    /// The key of a log, whose name is its origin.
    ///
    /// # Errors
    /// [`LogError::Malformed`] for a name that is empty or has spaces or a plus.
    pub fn log(origin: &str, key: VerifyingKey) -> Result<Self, LogError> {
        Self::new(origin, false, key)
    }

    /// The key of a cosigner.
    ///
    /// # Errors
    /// As [`NoteKey::log`].
    pub fn cosigner(name: &str, key: VerifyingKey) -> Result<Self, LogError> {
        Self::new(name, true, key)
    }

    fn new(name: &str, is_cosigner: bool, key: VerifyingKey) -> Result<Self, LogError> {
        let is_plain = !name.chars().any(char::is_control);
        if !is_key_name_valid(name) || !is_plain || name.len() > MAX_VKEY_LEN_BYTES / 2 {
            return Err(LogError::Malformed("the name of a key"));
        }
        Ok(Self {
            name: name.to_owned(),
            is_cosigner,
            key,
        })
    }

    /// Reads a verifier key (c2sp.org/signed-note, "Verifier keys").
    ///
    /// # Errors
    /// [`LogError::Malformed`]; another type than 0x01 and 0x04, a wrong id and a weak key are malformed, too.
    pub fn from_vkey(text: &str) -> Result<Self, LogError> {
        let malformed = || LogError::Malformed("a verifier key");
        if text.len() > MAX_VKEY_LEN_BYTES {
            return Err(malformed());
        }
        let (name, rest) = text.split_once('+').ok_or_else(malformed)?;
        let (_, material) = rest.split_once('+').ok_or_else(malformed)?;
        let material = BASE64_STANDARD.decode(material).map_err(|_| malformed())?;
        let (kind, key) = material.split_first().ok_or_else(malformed)?;
        let is_cosigner = match *kind {
            TYPE_ED25519 => false,
            TYPE_COSIGNATURE => true,
            _ => return Err(malformed()),
        };
        let key = VerifyingKey::try_from(key).map_err(|_| malformed())?;
        let read = Self::new(name, is_cosigner, key)?;
        if key.is_weak() || read.to_vkey() != text {
            return Err(malformed());
        }
        Ok(read)
    }

    /// The verifier key: name, id, type and key.
    pub fn to_vkey(&self) -> String {
        let material = BASE64_STANDARD.encode(self.material());
        format!("{}+{:08x}+{material}", self.name, self.id())
    }

    /// The name: of a log its origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a cosigner's.
    pub const fn is_cosigner(&self) -> bool {
        self.is_cosigner
    }

    /// The public key.
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    fn material(&self) -> Vec<u8> {
        let kind = if self.is_cosigner {
            TYPE_COSIGNATURE
        } else {
            TYPE_ED25519
        };
        [&[kind][..], self.key.as_bytes()].concat()
    }

    fn id(&self) -> u32 {
        key_id(&self.name, &self.material())
    }

    /// A log's signature line under a note's text.
    pub(super) fn sign_note(&self, key: &SigningKey, text: &[u8]) -> Vec<u8> {
        self.line(&key.sign(text).to_bytes())
    }

    /// A cosigner's signature line: the time, and the signature over the time and the text.
    pub(super) fn cosign_note(&self, key: &SigningKey, text: &[u8], at_s: u64) -> Vec<u8> {
        let signature = key.sign(&cosigned_message(text, at_s)).to_bytes();
        self.line(&[&at_s.to_be_bytes()[..], &signature].concat())
    }

    fn line(&self, signature: &[u8]) -> Vec<u8> {
        let blob = [&self.id().to_be_bytes()[..], signature].concat();
        let blob = BASE64_STANDARD.encode(blob);
        format!("\u{2014} {} {blob}\n", self.name).into_bytes()
    }
}

impl Verifier for NoteKey {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        self.id()
    }

    fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        let fits = |message: &[u8], signature: &[u8]| {
            Signature::from_slice(signature)
                .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
        };
        if !self.is_cosigner {
            return fits(text, signature);
        }
        let Some((at, signature)) = signature.split_first_chunk() else {
            return false;
        };
        let at_s = u64::from_be_bytes(*at);
        i64::try_from(at_s).is_ok() && fits(&cosigned_message(text, at_s), signature)
    }
}

/// What a cosigner signs (c2sp.org/tlog-cosignature, "Ed25519 signed message").
fn cosigned_message(text: &[u8], at_s: u64) -> Vec<u8> {
    [format!("cosignature/v1\ntime {at_s}\n").as_bytes(), text].concat()
}
