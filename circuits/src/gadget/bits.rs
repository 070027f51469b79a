//! Bits, ranges and comparisons. The first argument after the rows names the place.

use std::fmt::Display;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};

use crate::rows::{Part, Rows, Wire, low_bits};

/// A new bit. One row.
pub fn bit<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    part: impl Into<Part>,
    value: bool,
) -> Wire {
    let part = part.into();
    let bit = rows.witness(part, Fr::from(value));
    rows.enforce(part, &bit, &bit, &bit);
    bit
}

/// The lowest `width` bits of `value` as new bits, tied to nothing. `width` rows.
pub fn free_bits<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    part: impl Into<Part>,
    value: Fr,
    width: usize,
) -> Vec<Wire> {
    rows.within(part, |rows| {
        let bits = low_bits(value, width).enumerate();
        bits.map(|(i, b)| bit(rows, ("bit", i), b)).collect()
    })
}

/// The bits of `value`, which must be below 2^width. `width + 1` rows.
pub fn bits<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    part: impl Into<Part>,
    value: &Wire,
    width: usize,
) -> Vec<Wire> {
    let part = part.into();
    let bits = free_bits(rows, part, value.value(), width);
    rows.equal(part, value, &Wire::from_bits(&bits));
    bits
}

/// If `gate` is one, `value` is below 2^width (so not negative); if zero, nothing is said. `width + 1` rows.
pub fn range_if<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    part: impl Into<Part>,
    gate: &Wire,
    value: &Wire,
    width: usize,
) -> Wire {
    let part = part.into();
    let gated = gate.value() * value.value();
    let bits = free_bits(rows, part, gated, width);
    let sum = Wire::from_bits(&bits);
    rows.enforce(part, gate, value, &sum);
    sum
}

/// One if `value` is not negative, else zero, for a value from −2^width to 2^width − 1. `width + 2` rows.
pub fn not_negative<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    part: impl Into<Part>,
    value: &Wire,
    width: usize,
) -> Wire {
    let shifted = value + &Wire::constant(commitment::pow2(width));
    let mut bits = bits(rows, part, &shifted, width + 1);
    bits.pop().expect("width + 1 bits")
}

/// One if `value` is zero, else zero. Two rows.
pub fn is_zero<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    part: impl Into<Part>,
    value: &Wire,
) -> Wire {
    rows.within(part, |rows| {
        let inverse = value.value().inverse().unwrap_or(Fr::ZERO);
        let inverse = rows.witness("inverse", inverse);
        let product = rows.product("not zero", value, &inverse);
        let zero = product.not();
        rows.enforce("zero if not", value, &zero, &Wire::constant(0u64));
        zero
    })
}

/// One if any of two bits is. One row.
pub fn or<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    part: impl Into<Part>,
    a: &Wire,
    b: &Wire,
) -> Wire {
    let both = rows.product(part, a, b);
    &(a + b) - &both
}

/// One if any of the bits is. A row for each bit but one.
pub fn any<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    part: impl Into<Part>,
    bits: &[Wire],
) -> Wire {
    let (first, rest) = bits.split_first().expect("at least one bit");
    rows.within(part, |rows| {
        let rest = rest.iter().enumerate();
        rest.fold(first.clone(), |sum, (i, bit)| {
            or(rows, ("with", i + 1), &sum, bit)
        })
    })
}
