//! Sealing of stored values and blinding of lookup keys, both under the node key.

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{StoreError, Table};
use crate::Entropy;

const NONCE_LEN: usize = 12;

/// The node's 256-bit root secret for its store; the keys in use are derived from it.
#[derive(Clone)]
pub struct NodeKey(Zeroizing<[u8; 32]>);

impl NodeKey {
    /// The key from its bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Reads a key from its file: 64 hexadecimal digits, mode 0600.
    ///
    /// # Errors
    /// A message naming the file and what is wrong with it.
    pub fn read(path: &std::path::Path) -> Result<Self, String> {
        Ok(Self(crate::files::read_secret(path)?))
    }

    /// A key for one purpose, by HMAC-SHA-256 over the purpose's name.
    pub(crate) fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(mac(
            &self.0[..],
            &[b"viridian/node/v1/", purpose.as_bytes()],
        ))
    }
}

impl std::fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NodeKey(..)")
    }
}

/// HMAC-SHA-256 over the concatenation of `parts`.
pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key)
        .expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// How values are made unreadable at rest. The place of a value – table and key – is authenticated with it, so that
/// no value can be moved.
pub trait Seal: Send + Sync + 'static {
    /// Seals a value for its place.
    fn seal(&self, table: Table, key: &[u8], plain: &[u8]) -> Vec<u8>;

    /// Opens a value from its place.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] unless it was sealed for this place with this key.
    fn open(&self, table: Table, key: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError>;
}

/// AES-256-GCM-SIV (RFC 8452) with a random nonce in front of each value.
pub(super) struct AesSeal {
    cipher: Aes256GcmSiv,
    entropy: std::sync::Arc<Entropy>,
}

impl AesSeal {
    pub(super) fn new(key: &NodeKey, entropy: std::sync::Arc<Entropy>) -> Self {
        let cipher = Aes256GcmSiv::new_from_slice(&key.derive("seal")[..])
            .expect("the derived key has 32 bytes");
        Self { cipher, entropy }
    }
}

impl Seal for AesSeal {
    fn seal(&self, table: Table, key: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        self.entropy.fill(&mut nonce);
        let aad = place(table, key);
        let payload = Payload {
            msg: plain,
            aad: &aad,
        };
        let sealed = self
            .cipher
            .encrypt(&Nonce::from(nonce), payload)
            .expect("values are far below the cipher's 64 GiB");
        [&nonce[..], &sealed].concat()
    }

    fn open(&self, table: Table, key: &[u8], sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let damaged = || StoreError::Damaged(table);
        let (nonce, msg) = sealed
            .split_first_chunk::<NONCE_LEN>()
            .ok_or_else(damaged)?;
        let aad = place(table, key);
        let payload = Payload { msg, aad: &aad };
        self.cipher
            .decrypt(&Nonce::from(*nonce), payload)
            .map_err(|_| damaged())
    }
}

fn place(table: Table, key: &[u8]) -> Vec<u8> {
    [&[table.code()], key].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(key: u8) -> AesSeal {
        AesSeal::new(
            &NodeKey::new([key; 32]),
            std::sync::Arc::new(Entropy::from_seed([1; 32])),
        )
    }

    #[test]
    fn a_value_opens_only_unchanged_in_its_place_and_with_its_key() {
        let seal_a = seal(1);
        let sealed = seal_a.seal(Table::Events, b"key", b"a secret");
        assert_eq!(
            seal_a.open(Table::Events, b"key", &sealed).unwrap(),
            b"a secret"
        );
        assert!(seal_a.open(Table::Events, b"kez", &sealed).is_err());
        assert!(seal_a.open(Table::Reads, b"key", &sealed).is_err());
        assert!(seal(2).open(Table::Events, b"key", &sealed).is_err());
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert!(seal_a.open(Table::Events, b"key", &changed).is_err());
        }
        assert!(seal_a.open(Table::Events, b"key", &sealed[..11]).is_err());
    }

    #[test]
    fn equal_values_are_sealed_differently() {
        let seal = seal(1);
        assert_ne!(
            seal.seal(Table::Events, b"key", b"same"),
            seal.seal(Table::Events, b"key", b"same")
        );
    }
}
