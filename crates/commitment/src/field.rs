use std::sync::LazyLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

/// Why bytes or values are no canonical encoding; whoever supplied them is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// 32 bytes that name a number at or above the field's modulus.
    #[error("a field element is not canonical: its 32 bytes name a number at or above the modulus")]
    NotCanonical,
    /// A record needs more positions than there are.
    #[error("a record does not fit the committed layout: {0}")]
    Layout(&'static str),
}

/// The 32 big-endian bytes of a field element.
pub fn fr_to_bytes(value: Fr) -> [u8; 32] {
    let bytes = value.into_bigint().to_bytes_be();
    let mut out = [0; 32];
    out.copy_from_slice(&bytes);
    out
}

/// Reads a field element from 32 big-endian bytes.
///
/// # Errors
/// [`Error::NotCanonical`] for a number at or above the modulus.
pub fn fr_from_bytes(bytes: &[u8; 32]) -> Result<Fr, Error> {
    let mut limbs = [0u64; 4];
    for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *limb = chunk
            .iter()
            .fold(0, |acc, byte| acc << 8 | u64::from(*byte));
    }
    Fr::from_bigint(ark_ff::BigInt::new(limbs)).ok_or(Error::NotCanonical)
}

static POWERS: LazyLock<[Fr; 254]> = LazyLock::new(|| {
    let mut power = Fr::ONE;
    std::array::from_fn(|_| {
        let now = power;
        power.double_in_place();
        now
    })
});

/// 2 to the power `exponent`.
///
/// # Panics
/// Above 253, where the field ends.
pub fn pow2(exponent: usize) -> Fr {
    POWERS[exponent]
}

/// Packs `(value, width in bits)` pairs into one element, the first pair in the lowest bits.
///
/// # Panics
/// If a value exceeds its width or the widths exceed 253 bits: callers pack fixed layouts of ranged types.
pub fn pack(fields: &[(u64, usize)]) -> Fr {
    let mut offset = 0;
    let mut sum = Fr::ZERO;
    for &(value, width) in fields {
        assert!(
            width == 64 || value >> width == 0,
            "a packed value exceeds its width"
        );
        sum += Fr::from(value) * pow2(offset);
        offset += width;
    }
    assert!(offset <= 253, "a packed element exceeds the field");
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_at_or_above_the_modulus_are_refused() {
        let modulus = Fr::MODULUS.to_bytes_be();
        let mut bytes = [0u8; 32];
        bytes.copy_from_slice(&modulus);
        assert_eq!(fr_from_bytes(&bytes), Err(Error::NotCanonical));
        bytes[31] -= 1;
        assert_eq!(fr_to_bytes(fr_from_bytes(&bytes).unwrap()), bytes);
        assert_eq!(fr_from_bytes(&bytes).unwrap(), -Fr::ONE);
        assert_eq!(fr_from_bytes(&[255; 32]), Err(Error::NotCanonical));
    }

    #[test]
    fn packing_puts_the_first_value_lowest() {
        assert_eq!(pack(&[(5, 3), (1, 1), (2, 2)]), Fr::from(5 + 8 + 32));
    }
}
