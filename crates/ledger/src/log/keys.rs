//! The two keys of a province for logs – of its own log, and of it as a witness – announced under its head key.

use std::fmt;

use commitment::layout::Reader;
use commitment::{Minute, ProvinceCode, Slot};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::{LogError, LogHash, NoteKey, SignedCheckpoint};
use crate::Roster;

const VERSION: u8 = 2;
const SIGNING_DOMAIN: &[u8] = b"viridian/log-keys/v1\0";
const LOG_KEY_DOMAIN: &[u8] = b"viridian/log-key/v1\0";
const WITNESS_KEY_DOMAIN: &[u8] = b"viridian/witness-key/v1\0";
const LOG_KEYS_LEN_BYTES: usize = 1 + 1 + 1 + 4 + 32 + 32;
/// Length of log keys with their signature.
pub const SIGNED_LOG_KEYS_LEN_BYTES: usize = LOG_KEYS_LEN_BYTES + 4 + 64;

/// The public keys of a slot's log and witness.
///
/// Layout, big-endian: version 2 · province 1 · slot 1 · number 4 · log key 32 · witness key 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogKeys {
    /// The province.
    pub province: ProvinceCode,
    /// The slot; each has a log of its own.
    pub slot: Slot,
    /// The number of these keys, from 1; new ones have a higher one.
    pub number: u32,
    /// Signs checkpoints.
    pub log: VerifyingKey,
    /// Cosigns those of others.
    pub witness: VerifyingKey,
}

/// Log keys with the signature of the slot's head key, which may or may not fit.
///
/// Layout: the keys · minute 4 of the head key · the signature 64 over `viridian/log-keys/v1\0`, the keys and the minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedLogKeys {
    /// The keys.
    pub keys: LogKeys,
    /// A minute at which the head key that signed is in force; its node says that key's first.
    pub head_key_of: Minute,
    /// The head key's signature.
    pub signature: [u8; 64],
}

impl LogKeys {
    fn to_bytes(self) -> Vec<u8> {
        let mut out = vec![VERSION, self.province.get(), self.slot.get()];
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(self.log.as_bytes());
        out.extend_from_slice(self.witness.as_bytes());
        out
    }

    /// The origin of the slot's log in a federation: `<federation>/log/<province>/<slot>`.
    pub fn origin(&self, federation: &str) -> String {
        let (province, slot) = (self.province.get(), self.slot.get());
        format!("{federation}/log/{province}/{slot}")
    }

    /// The key of the slot's log.
    ///
    /// # Errors
    /// [`LogError::Malformed`] for a federation whose name makes no origin.
    pub fn log_key(&self, federation: &str) -> Result<NoteKey, LogError> {
        NoteKey::log(&self.origin(federation), self.log)
    }

    /// The key of the slot as a witness, named `<federation>/witness/<province>/<slot>`.
    ///
    /// # Errors
    /// As [`LogKeys::log_key`].
    pub fn witness_key(&self, federation: &str) -> Result<NoteKey, LogError> {
        let (province, slot) = (self.province.get(), self.slot.get());
        NoteKey::cosigner(
            &format!("{federation}/witness/{province}/{slot}"),
            self.witness,
        )
    }

    fn signing_bytes(self, head_key_of: Minute) -> Vec<u8> {
        let minute = head_key_of.get().to_be_bytes();
        [SIGNING_DOMAIN, &self.to_bytes(), &minute].concat()
    }

    /// These keys, signed by the slot's head key that is in force at a minute.
    pub fn sign(self, head_key_of: Minute, head_key: &SigningKey) -> SignedLogKeys {
        let message = self.signing_bytes(head_key_of);
        SignedLogKeys {
            keys: self,
            head_key_of,
            signature: head_key.sign(&message).to_bytes(),
        }
    }
}

impl SignedLogKeys {
    /// The canonical bytes, [`SIGNED_LOG_KEYS_LEN_BYTES`] long.
    pub fn to_bytes(&self) -> Vec<u8> {
        let minute = self.head_key_of.get().to_be_bytes();
        [&self.keys.to_bytes()[..], &minute, &self.signature].concat()
    }

    /// SHA-256 of the canonical bytes, by which a log names them.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.to_bytes()).into()
    }

    /// Reads log keys; the signature is not checked.
    ///
    /// # Errors
    /// [`LogError::Layout`] for anything but canonical bytes; [`LogError::Malformed`] for a key that is none, or one key
    /// for both uses (c2sp.org/tlog-cosignature asks for two).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LogError> {
        let mut reader = Reader::new(bytes, SIGNED_LOG_KEYS_LEN_BYTES)?;
        reader.version(VERSION)?;
        let key = |bytes: [u8; 32]| {
            VerifyingKey::from_bytes(&bytes)
                .ok()
                .filter(|key| !key.is_weak())
                .ok_or(LogError::Malformed("a key of a log"))
        };
        let keys = LogKeys {
            province: reader.province()?,
            slot: reader.slot()?,
            number: reader.u32()?,
            log: key(reader.array()?)?,
            witness: key(reader.array()?)?,
        };
        let signed = Self {
            keys,
            head_key_of: reader.minute()?,
            signature: reader.array()?,
        };
        reader.finish()?;
        if keys.log == keys.witness {
            return Err(LogError::Malformed("one key for a log and a witness"));
        }
        Ok(signed)
    }

    /// Checks that the keys are those of a member of the federation, under a head key that is or was in force: what a reader
    /// does with keys that are kept beside what they signed.
    ///
    /// # Errors
    /// [`LogError::BadSignature`] for keys of nobody, or not signed by the slot's head key of the minute that they tell.
    pub fn check(&self, roster: &Roster) -> Result<(), LogError> {
        let keys = &self.keys;
        let bad = || LogError::BadSignature(format!("slot {}", keys.slot.get()));
        let member = roster.member(keys.slot).map_err(|_| bad())?;
        let key = member.head_key_at(self.head_key_of).map_err(|_| bad())?;
        let message = keys.signing_bytes(self.head_key_of);
        let signature = Signature::from_bytes(&self.signature);
        let fits = key.verify_strict(&message, &signature).is_ok();
        if member.province != keys.province || !fits {
            return Err(bad());
        }
        Ok(())
    }

    /// Checks keys that a node tells at `now` of itself, and whether they may follow those `known`. A head key that is retired
    /// announces nothing any more, and one that is not yet in force nothing yet; [`commitment::KEY_SWITCH_TOLERANCE_MIN`]
    /// around a switch both do.
    ///
    /// # Errors
    /// As [`SignedLogKeys::check`]; [`LogError::KeysFell`] for keys with a lower number than those known, or others with the
    /// same.
    pub fn check_told(
        &self,
        roster: &Roster,
        known: Option<&Self>,
        now: Minute,
    ) -> Result<(), LogError> {
        self.check(roster)?;
        let keys = &self.keys;
        let bad = || LogError::BadSignature(format!("slot {}", keys.slot.get()));
        let member = roster.member(keys.slot).map_err(|_| bad())?;
        let key = member.head_key_at(self.head_key_of).map_err(|_| bad())?;
        if !member.head_keys.around(now).any(|current| current == key) {
            return Err(bad());
        }
        known.map_or(Ok(()), |known| self.may_follow(known))
    }

    /// Checks that these keys may follow others of the same slot: a number never falls, and has one pair of keys.
    ///
    /// # Errors
    /// [`LogError::KeysFell`].
    pub fn may_follow(&self, known: &Self) -> Result<(), LogError> {
        let (keys, known) = (&self.keys, &known.keys);
        if keys.number < known.number || (keys.number == known.number && keys != known) {
            return Err(LogError::KeysFell {
                offered: keys.number,
                known: known.number,
            });
        }
        Ok(())
    }
}

/// The secret keys of a slot's log and witness.
pub struct LogSigner {
    log: SigningKey,
    witness: SigningKey,
}

impl fmt::Debug for LogSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LogSigner(..)")
    }
}

impl LogSigner {
    /// Both keys from one secret: SHA-256 over a domain string for each and the secret.
    pub fn derive(secret: &[u8; 32]) -> Self {
        let key = |domain: &[u8]| {
            let hash = Sha256::new_with_prefix(domain).chain_update(secret);
            SigningKey::from_bytes(&hash.finalize().into())
        };
        Self {
            log: key(LOG_KEY_DOMAIN),
            witness: key(WITNESS_KEY_DOMAIN),
        }
    }

    /// The public keys under a number.
    pub fn public(&self, province: ProvinceCode, slot: Slot, number: u32) -> LogKeys {
        LogKeys {
            province,
            slot,
            number,
            log: self.log.verifying_key(),
            witness: self.witness.verifying_key(),
        }
    }

    /// The checkpoint of a tree. Its root is to be computed from stored entries, and the checkpoint stored before it is
    /// shown: a log signs nothing that contradicts what it signed before.
    ///
    /// # Errors
    /// As [`SignedCheckpoint::sign`]; [`LogError::BadSignature`] for another log's key.
    pub fn sign(
        &self,
        size: u64,
        root: LogHash,
        log: &NoteKey,
    ) -> Result<SignedCheckpoint, LogError> {
        if *log.key() != self.log.verifying_key() {
            return Err(LogError::BadSignature(log.name().to_owned()));
        }
        SignedCheckpoint::sign(size, root, log, &self.log)
    }

    pub(super) const fn witness(&self) -> &SigningKey {
        &self.witness
    }
}
