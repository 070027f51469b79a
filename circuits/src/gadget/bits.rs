//! Bits, ranges and comparisons.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use crate::rows::{Rows, Wire, low_bits};

/// A new bit. One row.
pub fn bit<H: Copy + PartialEq>(rows: &mut Rows<H>, value: bool) -> Wire {
    let bit = rows.witness(Fr::from(value));
    rows.enforce(&bit, &bit, &bit);
    bit
}

/// The lowest `width` bits of `value` as new bits, tied to nothing. `width` rows.
pub fn free_bits<H: Copy + PartialEq>(rows: &mut Rows<H>, value: Fr, width: usize) -> Vec<Wire> {
    low_bits(value, width).map(|b| bit(rows, b)).collect()
}

/// The bits of `value`, which must be below 2^width. `width + 1` rows.
pub fn bits<H: Copy + PartialEq>(rows: &mut Rows<H>, value: &Wire, width: usize) -> Vec<Wire> {
    let bits = free_bits(rows, value.value(), width);
    rows.equal(value, &Wire::from_bits(&bits));
    bits
}

/// If `gate` is one, `value` is below 2^width (so not negative); if zero, nothing is said. `width + 1` rows.
pub fn range_if<H: Copy + PartialEq>(
    rows: &mut Rows<H>,
    gate: &Wire,
    value: &Wire,
    width: usize,
) -> Wire {
    let gated = gate.value() * value.value();
    let bits = free_bits(rows, gated, width);
    let sum = Wire::from_bits(&bits);
    rows.enforce(gate, value, &sum);
    sum
}

/// One if `value` is not negative, else zero, for a value from −2^width to 2^width − 1. `width + 2` rows.
pub fn not_negative<H: Copy + PartialEq>(rows: &mut Rows<H>, value: &Wire, width: usize) -> Wire {
    let shifted = value + &Wire::constant(commitment::pow2(width));
    let mut bits = bits(rows, &shifted, width + 1);
    bits.pop().expect("width + 1 bits")
}

/// One if `value` is zero, else zero. Two rows.
pub fn is_zero<H: Copy + PartialEq>(rows: &mut Rows<H>, value: &Wire) -> Wire {
    let inverse = value.value().inverse().unwrap_or(Fr::ZERO);
    let inverse = rows.witness(inverse);
    let product = rows.product(value, &inverse);
    let zero = product.not();
    rows.enforce(value, &zero, &Wire::constant(0u64));
    zero
}

/// One if any of two bits is. One row.
pub fn or<H: Copy + PartialEq>(rows: &mut Rows<H>, a: &Wire, b: &Wire) -> Wire {
    let both = rows.product(a, b);
    &(a + b) - &both
}

/// One if any of the bits is. A row for each bit but one.
pub fn any<H: Copy + PartialEq>(rows: &mut Rows<H>, bits: &[Wire]) -> Wire {
    let (first, rest) = bits.split_first().expect("at least one bit");
    rest.iter()
        .fold(first.clone(), |sum, bit| or(rows, &sum, bit))
}
