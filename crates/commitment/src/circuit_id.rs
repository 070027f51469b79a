//! Which circuit, under which verifying key, and whether that key is one for tests.

use sha2::{Digest, Sha256};

const DOMAIN: &[u8] = b"viridian/circuit-id/v1\0";

/// How a proving key came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum CircuitUse {
    /// From a ceremony: passes under it count.
    Production = 0,
    /// From one party's randomness: passes under it are specimens, which no production verifier accepts.
    Test = 1,
}

impl CircuitUse {
    /// The use with this code, 0 or 1.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Production),
            1 => Some(Self::Test),
            _ => None,
        }
    }

    /// The code, 0 or 1.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// The identity of a circuit with its verifying key: SHA-256 over a domain string, the digest of the constraint
/// matrices, the use and the verifying key's bytes; its first bit is then set to the use, so that a test circuit
/// shows in every printout (8 to f as first hexadecimal digit).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CircuitId([u8; 32]);

impl CircuitId {
    /// The identity of a circuit.
    pub fn new(circuit_use: CircuitUse, matrix_digest: &[u8; 32], verifying_key: &[u8]) -> Self {
        let digest = Sha256::new()
            .chain_update(DOMAIN)
            .chain_update(matrix_digest)
            .chain_update([circuit_use.code()])
            .chain_update(verifying_key)
            .finalize();
        let mut id: [u8; 32] = digest.into();
        id[0] = id[0] & 0x7f | circuit_use.code() << 7;
        Self(id)
    }

    /// The 32 bytes.
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// The use that stands in the first bit.
    pub const fn circuit_use(self) -> CircuitUse {
        if self.0[0] & 0x80 == 0 {
            CircuitUse::Production
        } else {
            CircuitUse::Test
        }
    }

    /// The first four bytes, by which a pass names the circuit.
    pub const fn short(self) -> CircuitShortId {
        CircuitShortId([self.0[0], self.0[1], self.0[2], self.0[3]])
    }
}

impl std::fmt::Display for CircuitId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for CircuitId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// The first four bytes of a [`CircuitId`]; a trust list holds no two circuits with the same ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CircuitShortId(pub [u8; 4]);

impl std::fmt::Display for CircuitShortId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_use_shows_in_the_id_and_changes_all_of_it() {
        let test = CircuitId::new(CircuitUse::Test, &[1; 32], &[2; 10]);
        let production = CircuitId::new(CircuitUse::Production, &[1; 32], &[2; 10]);
        assert_eq!(test.circuit_use(), CircuitUse::Test);
        assert_eq!(production.circuit_use(), CircuitUse::Production);
        assert_ne!(test.to_bytes()[1..], production.to_bytes()[1..]);
        assert!("89abcdef".contains(test.to_string().chars().next().unwrap()));
    }

    #[test]
    fn matrices_and_key_each_change_the_id() {
        let id = |matrix: u8, key: u8| CircuitId::new(CircuitUse::Test, &[matrix; 32], &[key; 10]);
        assert_ne!(id(1, 2), id(2, 2));
        assert_ne!(id(1, 2), id(1, 3));
    }
}
