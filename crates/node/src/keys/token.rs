//! A key ring sealed by a PKCS#11 token: the token's AES-256 key never leaves it, and whoever has the file and not the
//! token has nothing. AES-GCM (PKCS#11 3.0, `CKM_AES_GCM`), as every token has it.

use std::path::{Path, PathBuf};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::RvError;
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use serde::Deserialize;
use store::Entropy;
use zeroize::Zeroizing;

use crate::files::read_private;

/// How a file sealed by a token begins.
pub(super) const MAGIC: &[u8] = b"viridian key ring under a PKCS#11 token, layout 1\n";
const IV_LEN: usize = 12;
const TAG_BITS: u64 = 128;
const MAX_PIN_LEN_BYTES: u64 = 256;

/// A key in a PKCS#11 token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyToken {
    /// The token's library, as its maker ships it.
    pub module: PathBuf,
    /// Label of the token.
    pub token_label: String,
    /// Label of the AES-256 key in it.
    pub key_label: String,
    /// The user's PIN, in a file of mode 0600.
    pub pin_file: PathBuf,
}

impl KeyToken {
    /// Makes the key in the token, not extractable, if there is none of its label.
    ///
    /// # Errors
    /// A message naming the token and what it refused.
    pub fn make_key(&self) -> Result<(), String> {
        let session = self.open()?;
        if self.find(&session)?.is_some() {
            return Err(format!(
                "{}: there is a key {} already",
                self.token_label, self.key_label
            ));
        }
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::Label(self.key_label.clone().into_bytes()),
            Attribute::ValueLen(32.into()),
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
        ];
        let made = session.generate_key(&Mechanism::AesKeyGen, &template);
        made.map(drop).map_err(|error| self.refused(error))
    }

    pub(super) fn seal(&self, plain: &[u8], entropy: &Entropy) -> Result<Vec<u8>, String> {
        let mut iv: [u8; IV_LEN] = entropy.bytes();
        let given = iv;
        let session = self.open()?;
        let key = self.key(&session)?;
        let gcm = GcmParams::new(&mut iv, MAGIC, TAG_BITS.into());
        let mechanism = Mechanism::AesGcm(gcm.map_err(|error| self.refused(error))?);
        let sealed = session.encrypt(&mechanism, key, plain);
        let sealed = sealed.map_err(|error| self.refused(error))?;
        drop(mechanism);
        if iv != given {
            return Err(format!(
                "{}: the token takes no IV of ours",
                self.token_label
            ));
        }
        Ok([MAGIC, &iv, &sealed].concat())
    }

    pub(super) fn open_sealed(&self, file: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        let sealed = file
            .strip_prefix(MAGIC)
            .and_then(|rest| rest.split_first_chunk());
        let (iv, sealed) = sealed.ok_or("it is cut short".to_owned())?;
        let mut iv: [u8; IV_LEN] = *iv;
        let session = self.open()?;
        let key = self.key(&session)?;
        let gcm = GcmParams::new(&mut iv, MAGIC, TAG_BITS.into());
        let mechanism = Mechanism::AesGcm(gcm.map_err(|error| self.refused(error))?);
        let plain = session.decrypt(&mechanism, key, sealed);
        plain
            .map(Zeroizing::new)
            .map_err(|error| self.refused(error))
    }

    fn open(&self) -> Result<Session, String> {
        let module = Pkcs11::new(&self.module)
            .map_err(|error| format!("{}: {error}", self.module.display()))?;
        match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            // Another part of this process has it open.
            Ok(())
            | Err(cryptoki::error::Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(self.refused(error)),
        }
        let slots = module.get_slots_with_initialized_token();
        let slots = slots.map_err(|error| self.refused(error))?;
        let slot = slots.into_iter().find(|slot| {
            let info = module.get_token_info(*slot);
            info.is_ok_and(|info| info.label().trim_end() == self.token_label)
        });
        let slot = slot.ok_or(format!("no token is labelled {}", self.token_label))?;
        let session = module.open_rw_session(slot);
        let session = session.map_err(|error| self.refused(error))?;
        let pin = read_pin(&self.pin_file)?;
        session
            .login(UserType::User, Some(&pin))
            .map_err(|error| self.refused(error))?;
        Ok(session)
    }

    fn key(&self, session: &Session) -> Result<ObjectHandle, String> {
        let key = self.find(session)?;
        key.ok_or(format!(
            "{}: there is no AES key {}",
            self.token_label, self.key_label
        ))
    }

    fn find(&self, session: &Session) -> Result<Option<ObjectHandle>, String> {
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::KeyType(KeyType::AES),
            Attribute::Label(self.key_label.clone().into_bytes()),
        ];
        let found = session.find_objects(&template);
        let found = found.map_err(|error| self.refused(error))?;
        match found[..] {
            [] => Ok(None),
            [key] => Ok(Some(key)),
            _ => Err(format!(
                "{}: several keys are labelled {}",
                self.token_label, self.key_label
            )),
        }
    }

    fn refused(&self, error: impl std::fmt::Display) -> String {
        format!("the token {}: {error}", self.token_label)
    }
}

fn read_pin(path: &Path) -> Result<AuthPin, String> {
    let bytes = read_private(path, MAX_PIN_LEN_BYTES)?;
    let text = std::str::from_utf8(bytes.trim_ascii());
    let text = text.map_err(|_| format!("{}: not UTF-8", path.display()))?;
    Ok(AuthPin::new(text.to_owned().into()))
}
