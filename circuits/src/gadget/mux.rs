//! Choosing one wire of several by bits. The first argument after the rows names the place.

use std::fmt::Display;

use crate::rows::{Part, Rows, Wire};

/// `one` if `bit` is one, else `zero`. One row.
pub fn choose<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    part: impl Into<Part>,
    bit: &Wire,
    one: &Wire,
    zero: &Wire,
) -> Wire {
    &rows.product(part, bit, &(one - zero)) + zero
}

/// The wire at the position whose bits (lowest first) these are. A row for each wire but one.
///
/// Where the wires end before the positions do, a bit that could only lead beyond the end is ignored: every
/// assignment of the bits chooses some wire, and which one is fixed.
pub fn select<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    part: impl Into<Part>,
    bits: &[Wire],
    wires: &[Wire],
) -> Wire {
    rows.within(part, |rows| choose_among(rows, bits, wires, 0))
}

/// As [`select`], of the wires from number `first` on.
fn choose_among<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    bits: &[Wire],
    wires: &[Wire],
    first: usize,
) -> Wire {
    let Some((top, rest)) = bits.split_last() else {
        return wires[0].clone();
    };
    let half = 1 << rest.len();
    if wires.len() <= half {
        return choose_among(rows, rest, wires, first);
    }
    let low = choose_among(rows, rest, &wires[..half], first);
    let high = choose_among(rows, rest, &wires[half..], first + half);
    choose(rows, ("split", first + half), top, &high, &low)
}
