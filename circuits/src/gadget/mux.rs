//! Choosing one wire of several by bits.

use crate::rows::{Rows, Wire};

/// `one` if `bit` is one, else `zero`. One row.
pub fn choose<H: Copy + PartialEq>(
    rows: &mut Rows<H>,
    bit: &Wire,
    one: &Wire,
    zero: &Wire,
) -> Wire {
    &rows.product(bit, &(one - zero)) + zero
}

/// The wire at the position whose bits (lowest first) these are. A row for each wire but one.
///
/// Where the wires end before the positions do, a bit that could only lead beyond the end is ignored: every
/// assignment of the bits chooses some wire, and which one is fixed.
pub fn select<H: Copy + PartialEq>(rows: &mut Rows<H>, bits: &[Wire], wires: &[Wire]) -> Wire {
    let Some((top, rest)) = bits.split_last() else {
        return wires[0].clone();
    };
    let half = 1 << rest.len();
    if wires.len() <= half {
        return select(rows, rest, wires);
    }
    let low = select(rows, rest, &wires[..half]);
    let high = select(rows, rest, &wires[half..]);
    choose(rows, top, &high, &low)
}
