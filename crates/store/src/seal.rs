//! Sealing. Each resident has a data key, and the node one; a data key is wrapped under the newest key of the node's key
//! ring. To erase a resident is to remove the wrapped key; what old files of the database still hold of it goes with the
//! key that it was wrapped under.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aes_gcm_siv::aead::{Aead, KeyInit, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use crate::{Entropy, StoreError, Table};

const NONCE_LEN: usize = 12;
/// What a value is sealed as; the first byte of every sealed value, and sealed with it.
const SEAL_VERSION: u8 = 2;
/// Most wrapping keys of a ring: one in use, those not yet done with, and those that old backups need.
const MAX_KEYS: usize = 64;
/// Longest text of a key ring.
const MAX_RING_LEN_BYTES: usize = 16 * 1024;

type Secret = Zeroizing<[u8; 32]>;

/// The node's keys: one that look-up names are made with, which never changes, and numbered ones that data keys are
/// wrapped under, of which the newest is in use.
#[derive(Clone)]
pub struct KeyRing {
    root: Secret,
    wrapping: BTreeMap<u32, Secret>,
}

impl KeyRing {
    /// A new ring with one wrapping key, number 1.
    pub fn generate(entropy: &Entropy) -> Self {
        let mut ring = Self {
            root: Secret::default(),
            wrapping: BTreeMap::new(),
        };
        entropy.fill(&mut ring.root[..]);
        ring.rotate(entropy).expect("an empty ring has room");
        ring
    }

    /// The ring of a single secret, from which all else is derived.
    pub fn from_secret(secret: [u8; 32]) -> Self {
        let root = Zeroizing::new(secret);
        let first = derive(&root, "wrap");
        Self {
            root,
            wrapping: BTreeMap::from([(1, first)]),
        }
    }

    /// Reads the text of a ring: a line `root` and lines `wrap` with a number, each with 64 hexadecimal digits; or a
    /// single line of 64 digits.
    ///
    /// # Errors
    /// A message saying which line is wrong, and nothing that stands in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_RING_LEN_BYTES {
            return Err(format!("a key ring has at most {MAX_RING_LEN_BYTES} bytes"));
        }
        if let Some(secret) = parse_secret(text.trim()) {
            return Ok(Self::from_secret(*secret));
        }
        let mut root = None;
        let mut wrapping = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let is_new = match fields[..] {
                ["root", secret] => {
                    parse_secret(secret).map(|secret| root.replace(secret).is_none())
                }
                ["wrap", number, secret] => parse_secret(secret)
                    .zip(number.parse().ok().filter(|number| *number > 0))
                    .map(|(secret, number)| wrapping.insert(number, secret).is_none()),
                _ => None,
            };
            if is_new != Some(true) {
                return Err(format!("line {number} of the key ring is not a new key"));
            }
        }
        if wrapping.is_empty() || wrapping.len() > MAX_KEYS {
            return Err(format!("a key ring has from 1 to {MAX_KEYS} wrapping keys"));
        }
        let root = root.ok_or("the key ring has no root")?;
        Ok(Self { root, wrapping })
    }

    /// The text of the ring, as [`KeyRing::parse`] reads it.
    pub fn to_text(&self) -> Zeroizing<String> {
        // Of its final size from the start, so that no shorter copy is left behind.
        let mut text = Zeroizing::new(String::with_capacity(MAX_RING_LEN_BYTES));
        text.push_str("# keys of a Viridian node: whoever has them reads its store\nroot ");
        push_hex(&mut text, &self.root);
        for (number, secret) in &self.wrapping {
            let _ = write!(*text, "wrap {number} ");
            push_hex(&mut text, secret);
        }
        text
    }

    /// Adds a wrapping key, which is the one in use from then on, and tells its number.
    ///
    /// # Errors
    /// A message if the ring is full, or its newest key has the last number that there is.
    pub fn rotate(&mut self, entropy: &Entropy) -> Result<u32, String> {
        if self.wrapping.len() >= MAX_KEYS {
            return Err(format!(
                "the key ring has {MAX_KEYS} keys; retire old ones first"
            ));
        }
        let number = match self.wrapping.keys().next_back() {
            None => 1,
            Some(last) => last.checked_add(1).ok_or(format!(
                "the key ring has a key {last}, and none comes after it"
            ))?,
        };
        let mut secret = Secret::default();
        entropy.fill(&mut secret[..]);
        self.wrapping.insert(number, secret);
        Ok(number)
    }

    /// Removes a wrapping key that is not the one in use. What is wrapped under it is lost, in backups too.
    ///
    /// # Errors
    /// A message if the ring has no such key, or it is in use.
    pub fn retire(&mut self, number: u32) -> Result<(), String> {
        if number == self.newest() {
            return Err(format!("key {number} is in use"));
        }
        let removed = self.wrapping.remove(&number);
        removed
            .map(drop)
            .ok_or(format!("the key ring has no key {number}"))
    }

    /// The numbers of the wrapping keys, ascending.
    pub fn numbers(&self) -> Vec<u32> {
        self.wrapping.keys().copied().collect()
    }

    /// The number of the key in use.
    pub fn newest(&self) -> u32 {
        *self.wrapping.keys().next_back().expect("a ring has a key")
    }

    /// A key for one purpose, from the root.
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        derive(&self.root, purpose)
    }

    /// Whether both rings name people alike.
    pub(crate) fn same_root(&self, other: &Self) -> bool {
        self.root == other.root
    }

    /// Wraps an owner's data key under the key in use.
    pub(crate) fn wrap(&self, owner: &Owner, key: &DataKey, entropy: &Entropy) -> Vec<u8> {
        let number = self.newest();
        let wrapping = cipher(&self.wrapping[&number]);
        let sealed = seal(
            &wrapping,
            &wrap_place(number, owner),
            &key.secret[..],
            entropy,
        );
        [&number.to_be_bytes()[..], &sealed].concat()
    }

    /// Unwraps an owner's data key.
    pub(crate) fn unwrap(&self, owner: &Owner, wrapped: &[u8]) -> Result<DataKey, StoreError> {
        let damaged = || StoreError::Damaged(Table::Keys);
        let (number, sealed) = wrapped.split_first_chunk().ok_or_else(damaged)?;
        let number = u32::from_be_bytes(*number);
        let secret = self.wrapping.get(&number);
        let wrapping = cipher(secret.ok_or(StoreError::KeyMissing(number))?);
        let mut plain = open(&wrapping, &wrap_place(number, owner), sealed).ok_or_else(damaged)?;
        let secret: [u8; 32] = plain[..].try_into().map_err(|_| damaged())?;
        plain.zeroize();
        Ok(DataKey::new(Zeroizing::new(secret)))
    }

    /// Whether a wrapped key is under the key in use.
    pub(crate) fn is_newest(&self, wrapped: &[u8]) -> bool {
        wrapped.first_chunk() == Some(&self.newest().to_be_bytes())
    }
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyRing({:?})", self.numbers())
    }
}

fn parse_secret(text: &str) -> Option<Secret> {
    let mut secret = Secret::default();
    hex::decode_to_slice(text, &mut secret[..]).ok()?;
    Some(secret)
}

fn push_hex(text: &mut String, secret: &Secret) {
    let digits = Zeroizing::new(hex::encode(&secret[..]));
    text.push_str(&digits);
    text.push('\n');
}

/// A key for one purpose, by HMAC-SHA-256 over the purpose's name.
fn derive(root: &Secret, purpose: &str) -> Secret {
    let parts: [&[u8]; 2] = [b"viridian/node/v1/", purpose.as_bytes()];
    Zeroizing::new(mac(&root[..], &parts))
}

/// HMAC-SHA-256 over the concatenation of `parts`.
pub fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key)
        .expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Whose data key it is: a resident's key, or [`NODE`].
pub(crate) type Owner = [u8; 32];
/// The node itself.
pub(crate) const NODE: Owner = [0; 32];

/// A key that values are sealed with: AES-256-GCM-SIV (RFC 8452), a random nonce in front of each value. The place of a
/// value – table, owner and key – and the version of the seal are authenticated with it, so that no value can be moved.
#[derive(Clone)]
pub(crate) struct DataKey {
    secret: Secret,
    cipher: Aes256GcmSiv,
}

impl DataKey {
    fn new(secret: Secret) -> Self {
        let cipher = cipher(&secret);
        Self { secret, cipher }
    }

    pub(crate) fn generate(entropy: &Entropy) -> Self {
        let mut secret = Secret::default();
        entropy.fill(&mut secret[..]);
        Self::new(secret)
    }

    /// Seals a value for its place.
    pub(crate) fn seal(
        &self,
        table: Table,
        owner: &Owner,
        key: &[u8],
        plain: &[u8],
        entropy: &Entropy,
    ) -> Vec<u8> {
        let sealed = seal(&self.cipher, &place(table, owner, key), plain, entropy);
        [&[SEAL_VERSION][..], &sealed].concat()
    }

    /// Opens a value from its place.
    pub(crate) fn open(
        &self,
        table: Table,
        owner: &Owner,
        key: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        sealed
            .split_first()
            .filter(|(version, _)| **version == SEAL_VERSION)
            .and_then(|(_, sealed)| open(&self.cipher, &place(table, owner, key), sealed))
            .map(Zeroizing::new)
            .ok_or(StoreError::Damaged(table))
    }
}

fn place(table: Table, owner: &Owner, key: &[u8]) -> Vec<u8> {
    [&[SEAL_VERSION, table.code()][..], owner, key].concat()
}

fn wrap_place(number: u32, owner: &Owner) -> Vec<u8> {
    [b"data key", &number.to_be_bytes()[..], owner].concat()
}

fn cipher(secret: &Secret) -> Aes256GcmSiv {
    Aes256GcmSiv::new_from_slice(&secret[..]).expect("a secret has 32 bytes")
}

fn seal(cipher: &Aes256GcmSiv, aad: &[u8], plain: &[u8], entropy: &Entropy) -> Vec<u8> {
    let mut nonce = [0; NONCE_LEN];
    entropy.fill(&mut nonce);
    let payload = Payload { msg: plain, aad };
    let sealed = cipher
        .encrypt(&Nonce::from(nonce), payload)
        .expect("values are far below the cipher's 64 GiB");
    [&nonce[..], &sealed].concat()
}

fn open(cipher: &Aes256GcmSiv, aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, msg) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let payload = Payload { msg, aad };
    cipher.decrypt(&Nonce::from(*nonce), payload).ok()
}

/// How values were sealed under schema 1: all under one key, the place without an owner.
pub(crate) struct FirstSeal(Aes256GcmSiv);

impl FirstSeal {
    pub(crate) fn new(ring: &KeyRing) -> Self {
        Self(cipher(&ring.derive("seal")))
    }

    pub(crate) fn open(
        &self,
        table: Table,
        key: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        let place = [&[table.code()], key].concat();
        let plain = open(&self.0, &place, sealed).ok_or(StoreError::Damaged(table))?;
        Ok(Zeroizing::new(plain))
    }

    #[cfg(test)]
    pub(crate) fn seal(
        &self,
        table: Table,
        key: &[u8],
        plain: &[u8],
        entropy: &Entropy,
    ) -> Vec<u8> {
        seal(&self.0, &[&[table.code()], key].concat(), plain, entropy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Owner = [9; 32];

    fn entropy() -> Entropy {
        Entropy::from_seed([1; 32])
    }

    #[test]
    fn a_value_opens_only_unchanged_in_its_place_and_with_its_key() {
        let entropy = entropy();
        let key = DataKey::generate(&entropy);
        let sealed = key.seal(Table::Events, &OWNER, b"key", b"a secret", &entropy);
        let open = |table, owner: &Owner, at: &[u8], sealed: &[u8]| {
            key.open(table, owner, at, sealed)
                .map(|plain| plain.to_vec())
        };
        assert_eq!(
            open(Table::Events, &OWNER, b"key", &sealed).unwrap(),
            b"a secret"
        );
        assert!(open(Table::Events, &OWNER, b"kez", &sealed).is_err());
        assert!(open(Table::Reads, &OWNER, b"key", &sealed).is_err());
        assert!(open(Table::Events, &NODE, b"key", &sealed).is_err());
        let other = DataKey::generate(&entropy);
        assert!(other.open(Table::Events, &OWNER, b"key", &sealed).is_err());
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 1;
            assert!(open(Table::Events, &OWNER, b"key", &changed).is_err());
            assert!(open(Table::Events, &OWNER, b"key", &sealed[..i]).is_err());
        }
        let again = key.seal(Table::Events, &OWNER, b"key", b"a secret", &entropy);
        assert_ne!(sealed, again);
    }

    #[test]
    fn a_data_key_is_unwrapped_for_its_owner_with_the_key_that_it_is_under() {
        let entropy = entropy();
        let mut ring = KeyRing::generate(&entropy);
        let key = DataKey::generate(&entropy);
        let wrapped = ring.wrap(&OWNER, &key, &entropy);
        assert!(ring.is_newest(&wrapped));
        assert_eq!(ring.unwrap(&OWNER, &wrapped).unwrap().secret, key.secret);
        assert!(ring.unwrap(&NODE, &wrapped).is_err());
        assert_eq!(ring.rotate(&entropy), Ok(2));
        assert!(!ring.is_newest(&wrapped));
        assert_eq!(ring.unwrap(&OWNER, &wrapped).unwrap().secret, key.secret);
        // Under another number it does not open, whatever that number's key is.
        let mut renumbered = wrapped.clone();
        renumbered[3] = 2;
        assert!(ring.unwrap(&OWNER, &renumbered).is_err());
        assert!(ring.retire(2).is_err() && ring.retire(7).is_err());
        ring.retire(1).unwrap();
        let gone = ring.unwrap(&OWNER, &wrapped);
        assert_eq!(gone.err(), Some(StoreError::KeyMissing(1)));
    }

    #[test]
    fn a_ring_survives_its_text_and_shows_nothing_but_numbers() {
        let entropy = entropy();
        let mut ring = KeyRing::generate(&entropy);
        ring.rotate(&entropy).unwrap();
        let text = ring.to_text();
        let read = KeyRing::parse(&text).unwrap();
        assert!(read.same_root(&ring) && read.wrapping == ring.wrapping);
        assert_eq!(format!("{ring:?}"), "KeyRing([1, 2])");
        while ring.numbers().len() < MAX_KEYS {
            ring.rotate(&entropy).unwrap();
        }
        assert!(ring.rotate(&entropy).is_err());
        assert_eq!(KeyRing::parse(&ring.to_text()).unwrap().newest(), 64);
    }

    #[test]
    fn a_ring_whose_newest_key_has_the_last_number_takes_no_new_one() {
        let secret = "ab".repeat(32);
        let text = format!(
            "root {secret}\nwrap 7 {secret}\nwrap {} {secret}\n",
            u32::MAX
        );
        let mut ring = KeyRing::parse(&text).unwrap();
        assert!(ring.rotate(&entropy()).unwrap_err().contains("4294967295"));
        assert_eq!(ring.numbers(), [7, u32::MAX]);
        assert_eq!(ring.newest(), u32::MAX);
    }

    #[test]
    fn a_ring_s_text_may_have_comments_and_16_kib() {
        let secret = "ab".repeat(32);
        let mut text = format!("# a comment\n\n  root {secret}\nwrap 3 {secret}\n#");
        text.push_str(&"x".repeat(16 * 1024 - text.len()));
        assert_eq!(KeyRing::parse(&text).unwrap().numbers(), [3]);
        text.push('x');
        let error = KeyRing::parse(&text).unwrap_err();
        assert_eq!(error, "a key ring has at most 16384 bytes");
    }

    #[test]
    fn a_ring_has_at_most_64_keys() {
        let secret = "ab".repeat(32);
        let ring = |keys: u32| {
            let mut text = format!("root {secret}\n");
            for number in 1..=keys {
                let _ = writeln!(text, "wrap {number} {secret}");
            }
            KeyRing::parse(&text)
        };
        let mut full = ring(64).unwrap();
        assert_eq!(full.newest(), 64);
        assert!(full.rotate(&entropy()).is_err());
        let error = ring(65).unwrap_err();
        assert_eq!(error, "a key ring has from 1 to 64 wrapping keys");
        full.retire(1).unwrap();
        assert_eq!(full.rotate(&entropy()), Ok(65));
        assert_eq!(full.numbers(), (2..=65).collect::<Vec<_>>());
    }

    #[test]
    fn the_ring_of_one_secret_is_the_same_each_time_and_keys_differ_by_purpose() {
        let ring = KeyRing::from_secret([1; 32]);
        let again = KeyRing::parse(&hex::encode([1; 32])).unwrap();
        assert!(ring.same_root(&again) && ring.wrapping == again.wrapping);
        assert_eq!(ring.numbers(), [1]);
        assert!(!ring.same_root(&KeyRing::from_secret([2; 32])));
        let (lookup, check) = (ring.derive("lookup"), ring.derive("check"));
        assert_ne!(lookup, check);
        assert_ne!(lookup, KeyRing::from_secret([2; 32]).derive("lookup"));
        assert_eq!(*lookup, mac(&[1; 32], &[b"viridian/node/v1/lookup"]));
    }

    #[test]
    fn a_text_that_is_no_ring_is_refused_without_its_secrets() {
        let secret = "ab".repeat(32);
        KeyRing::parse(&format!(" {secret}\n")).unwrap();
        let root = format!("root {secret}\n");
        for bad in [
            String::new(),
            root.clone(),
            format!("wrap 1 {secret}"),
            format!("{root}wrap 0 {secret}"),
            format!("{root}wrap 1 {secret}\nwrap 1 {secret}"),
            format!("{root}{root}wrap 1 {secret}"),
            format!("{root}wrap 1 {}", &secret[1..]),
            format!("{root}wrap 1 {secret} more"),
            "x".repeat(MAX_RING_LEN_BYTES + 1),
        ] {
            let error = KeyRing::parse(&bad).unwrap_err();
            assert!(!error.contains("abab"), "{error}");
        }
    }
}
