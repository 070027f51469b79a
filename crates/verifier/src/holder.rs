//! Who may show a pass: a device's one-time key, an identity card, or both.

use commitment::{BinderKind, Fr, binder};
use p256::ecdsa;
use sha2::{Digest, Sha256};

use crate::{CardTag, Error};

const CARD_DOMAIN: &[u8] = b"viridian/card-binding/v1\0";

/// A holder's one-time P-256 key, as 33 bytes of compressed SEC 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HolderKey(ecdsa::VerifyingKey);

impl HolderKey {
    /// Length of the compressed key.
    pub const LEN_BYTES: usize = 33;

    /// Reads a compressed key.
    ///
    /// # Errors
    /// [`Error::BadPoint`] unless the bytes are the compressed form of a point of P-256.
    pub fn from_bytes(bytes: &[u8; 33]) -> Result<Self, Error> {
        let key = ecdsa::VerifyingKey::from_sec1_bytes(bytes)
            .map_err(|_| Error::BadPoint("the holder key"))?;
        let key = Self(key);
        if key.to_bytes() != *bytes {
            return Err(Error::BadPoint("the holder key"));
        }
        Ok(key)
    }

    /// The compressed key.
    pub fn to_bytes(&self) -> [u8; 33] {
        let point = self.0.to_sec1_point(true);
        let mut out = [0; 33];
        out.copy_from_slice(point.as_bytes());
        out
    }

    pub(crate) const fn ecdsa(&self) -> &ecdsa::VerifyingKey {
        &self.0
    }
}

impl From<ecdsa::VerifyingKey> for HolderKey {
    fn from(key: ecdsa::VerifyingKey) -> Self {
        Self(key)
    }
}

/// `h` of a pass: the hash of its revocation secret, see [`commitment::revocation_hash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RevocationHash(pub [u8; 16]);

/// What a pass is bound to, as far as it stands in the pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A device's one-time key.
    Device(HolderKey),
    /// A device's one-time key, shown together with the identity card.
    DeviceAndCard(HolderKey),
    /// An identity card alone; the pass holds nothing but `h`, which salts the card's tag.
    Card,
}

impl Holder {
    /// The kind of the binding.
    pub const fn kind(&self) -> BinderKind {
        match self {
            Self::Device(_) => BinderKind::Device,
            Self::DeviceAndCard(_) => BinderKind::DeviceAndCard,
            Self::Card => BinderKind::Card,
        }
    }

    /// The device's key, if the binding has one.
    pub const fn key(&self) -> Option<&HolderKey> {
        match self {
            Self::Device(key) | Self::DeviceAndCard(key) => Some(key),
            Self::Card => None,
        }
    }

    /// Whether an identity card must be presented.
    pub const fn needs_card(&self) -> bool {
        !matches!(self, Self::Device(_))
    }

    /// The public input that stands for this holder: [`commitment::binder`] over kind, key (zero where there is none)
    /// and `h` – or, where a card is bound, the first 16 bytes of SHA-256 over a domain string, `h` and the card's tag.
    ///
    /// # Errors
    /// [`Error::WrongBinding`] if a card is bound and no tag given, or the other way round.
    pub fn binder(&self, h: RevocationHash, card: Option<&CardTag>) -> Result<Fr, Error> {
        let key = self.key().map_or([0; 33], HolderKey::to_bytes);
        let bound = match (self.needs_card(), card) {
            (false, None) => h.0,
            (true, Some(tag)) => {
                let digest = Sha256::new()
                    .chain_update(CARD_DOMAIN)
                    .chain_update(h.0)
                    .chain_update(tag.to_bytes())
                    .finalize();
                let mut cut = [0; 16];
                cut.copy_from_slice(&digest[..16]);
                cut
            }
            (true, None) => return Err(Error::WrongBinding("a card is bound, and none given")),
            (false, Some(_)) => return Err(Error::WrongBinding("no card is bound, and one given")),
        };
        Ok(binder(self.kind(), &key, &bound))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CardNumber;

    fn key(byte: u8) -> HolderKey {
        let secret = ecdsa::SigningKey::from_slice(&[byte; 32]).unwrap();
        HolderKey::from(*secret.verifying_key())
    }

    #[test]
    fn a_key_off_the_curve_or_not_compressed_is_refused() {
        let good = key(7).to_bytes();
        assert_eq!(HolderKey::from_bytes(&good).unwrap().to_bytes(), good);
        for tag in [0, 1, 4, 5, 255] {
            let mut bad = good;
            bad[0] = tag;
            assert!(HolderKey::from_bytes(&bad).is_err(), "{tag}");
        }
        let off_curve = (0..=255)
            .filter(|byte| {
                let mut bytes = good;
                bytes[32] = *byte;
                HolderKey::from_bytes(&bytes).is_err()
            })
            .count();
        assert!(
            (64..192).contains(&off_curve),
            "about half lie off the curve"
        );
        let mut above_p = [0xff; 33];
        above_p[0] = 2;
        assert!(HolderKey::from_bytes(&above_p).is_err());
    }

    #[test]
    fn kind_key_hash_and_card_each_change_the_binder() {
        let h = RevocationHash([3; 16]);
        let tag = CardNumber::new(*b"11010519491231002X").tag(h);
        let other = CardNumber::new(*b"440524188001010014").tag(h);
        let all = [
            Holder::Device(key(7)).binder(h, None).unwrap(),
            Holder::Device(key(8)).binder(h, None).unwrap(),
            Holder::Device(key(7))
                .binder(RevocationHash([4; 16]), None)
                .unwrap(),
            Holder::DeviceAndCard(key(7)).binder(h, Some(&tag)).unwrap(),
            Holder::DeviceAndCard(key(7))
                .binder(h, Some(&other))
                .unwrap(),
            Holder::Card.binder(h, Some(&tag)).unwrap(),
            Holder::Card.binder(h, Some(&other)).unwrap(),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|b| a != b));
        }
        assert!(Holder::Card.binder(h, None).is_err());
        assert!(Holder::Device(key(7)).binder(h, Some(&tag)).is_err());
    }
}
