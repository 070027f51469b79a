use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use rules::{Claim, Minute};
use sha2::{Digest, Sha256};

use crate::poseidon::{Domain, hash4};

/// Public inputs of the statement `clearance`.
pub const PUBLIC_INPUTS: usize = 6;

/// The public inputs of the statement `clearance`, in the order of the constraint system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicInputs {
    /// Root over the federation's tree heads of an epoch.
    pub registry_root: Fr,
    /// Root of the risk map in force.
    pub risk_root: Fr,
    /// Digest of the rule table applied.
    pub rule_digest: Fr,
    /// The epoch's closing minute.
    pub as_of: Minute,
    /// What is claimed.
    pub claim: Claim,
    /// Who may show the pass.
    pub binder: Fr,
}

impl PublicInputs {
    /// The field elements in their fixed order: registry root, risk root, rule digest, as-of, claim, binder.
    pub fn to_fields(&self) -> [Fr; PUBLIC_INPUTS] {
        [
            self.registry_root,
            self.risk_root,
            self.rule_digest,
            Fr::from(self.as_of.get()),
            Fr::from(self.claim.code()),
            self.binder,
        ]
    }
}

/// What a pass is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum BinderKind {
    /// A device's one-time P-256 key.
    Device = 1,
    /// A device's key, to be shown with the holder's identity card.
    DeviceAndCard = 2,
    /// An identity card alone, on paper.
    Card = 3,
}

impl BinderKind {
    /// The kind with this code.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Device),
            2 => Some(Self::DeviceAndCard),
            3 => Some(Self::Card),
            _ => None,
        }
    }

    /// The code, 1 to 3.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// The binder: who may show a pass, and the hash of its revocation secret.
pub fn binder(kind: BinderKind, key: &[u8; 33], h: &[u8; 16]) -> Fr {
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .fold(Fr::ZERO, |acc, b| acc * Fr::from(256u64) + Fr::from(*b))
    };
    let (high, low) = key.split_at(17);
    hash4(
        Domain::Binder,
        &[Fr::from(kind.code()), number(high), number(low), number(h)],
    )
}

/// `h` for the revocation secret `r` of a pass: SHA-256 under a domain string, cut to 128 bits.
pub fn revocation_hash(r: &[u8; 16]) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(b"viridian/revocation/v1\0")
        .chain_update(r)
        .finalize();
    let mut h = [0; 16];
    h.copy_from_slice(&digest[..16]);
    h
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binder_depends_on_every_part() {
        let base = binder(BinderKind::Device, &[7; 33], &[9; 16]);
        assert_ne!(base, binder(BinderKind::Card, &[7; 33], &[9; 16]));
        for i in 0..33 {
            let mut key = [7; 33];
            key[i] ^= 1;
            assert_ne!(base, binder(BinderKind::Device, &key, &[9; 16]));
        }
        let mut h = [9; 16];
        h[15] ^= 1;
        assert_ne!(base, binder(BinderKind::Device, &[7; 33], &h));
    }
}
