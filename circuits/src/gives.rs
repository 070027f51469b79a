//! Which wires follow from others, row by row: a prover who sets a wire has to set these as their rows demand.

use commitment::Fr;

use crate::rows::{Terms, low_bits};
use crate::shape::Shape;

/// Widest number whose bits a row gives: it stays below the modulus.
const MAX_BITS: usize = 250;

/// How a row gives wires by wires of lower index.
pub(crate) enum Gives {
    /// The wire is the product of the row's factors.
    Product(usize),
    /// The wire is the row's right side.
    Equal(usize),
    /// The wires are the bits, lowest first, of the product of the row's factors.
    Bits(Vec<usize>),
}

impl Gives {
    /// The wires that the row gives.
    pub(crate) fn wires(&self) -> &[usize] {
        match self {
            Self::Product(wire) | Self::Equal(wire) => std::slice::from_ref(wire),
            Self::Bits(wires) => wires,
        }
    }

    /// The values that the row gives them, by what its factors and its right side are.
    pub(crate) fn values(&self, [a, b, c]: [Fr; 3]) -> Vec<(usize, Fr)> {
        match self {
            Self::Product(wire) => vec![(*wire, a * b)],
            Self::Equal(wire) => vec![(*wire, c)],
            Self::Bits(wires) => {
                let bits = low_bits(a * b, wires.len()).map(Fr::from);
                wires.iter().copied().zip(bits).collect()
            }
        }
    }
}

/// The rows that give wires; no wire is given twice.
pub struct Given {
    /// By wire, whether a row says that it is zero or one.
    #[cfg(test)]
    pub(crate) is_bit: Vec<bool>,
    /// By wire, the row that gives it.
    pub(crate) row_of: Vec<Option<usize>>,
    /// By row, what it gives.
    pub(crate) by_row: Vec<Option<Gives>>,
}

impl Given {
    /// The rows that give wires, with what they give, by the lowest wire of it: each needs only what comes before it.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = (usize, &Gives)> {
        let firsts = self.row_of.iter().enumerate();
        firsts.filter_map(|(wire, row)| {
            let gives = self.by_row[(*row)?].as_ref()?;
            (gives.wires()[0] == wire).then_some(((*row)?, gives))
        })
    }
}

/// The rows of a shape that give wires.
pub(crate) fn given<H: Copy + PartialEq>(shape: &Shape<H>) -> Given {
    let [a, b, c] = &shape.matrices;
    let mut is_bit = vec![false; shape.instance + shape.witness];
    for row in 0..shape.constraints() {
        if let ([(one, wire)], true) = (&a[row][..], a[row] == b[row] && b[row] == c[row]) {
            is_bit[*wire] |= *one == Fr::from(1u64);
        }
    }
    let mut row_of = vec![None; is_bit.len()];
    let mut by_row = Vec::with_capacity(shape.constraints());
    for row in 0..shape.constraints() {
        let gives = gives(&a[row], &b[row], &c[row], &is_bit);
        let is_new = |wire: &usize| *wire >= shape.instance && row_of[*wire].is_none();
        let gives = gives.filter(|gives| gives.wires().iter().all(is_new));
        for wire in gives.iter().flat_map(Gives::wires) {
            row_of[*wire] = Some(row);
        }
        by_row.push(gives);
    }
    Given {
        #[cfg(test)]
        is_bit,
        row_of,
        by_row,
    }
}

fn gives(a: &Terms, b: &Terms, c: &Terms, is_bit: &[bool]) -> Option<Gives> {
    let one = Fr::from(1u64);
    let last = |terms: &Terms| terms.last().map_or(0, |term| term.1);
    let below = last(a).max(last(b));
    match (&a[..], &b[..], &c[..]) {
        (_, _, [(coefficient, wire)]) if *coefficient == one && *wire > below => {
            Some(Gives::Product(*wire))
        }
        ([(x, wire)], [(y, 0)], _) if *x == one && *y == one && *wire > last(c) => {
            Some(Gives::Equal(*wire))
        }
        (_, _, bits) => {
            let is_number = |(i, (coefficient, wire)): (usize, &(Fr, usize))| {
                i < MAX_BITS
                    && *coefficient == commitment::pow2(i)
                    && is_bit[*wire]
                    && *wire > below
            };
            let number = !bits.is_empty() && bits.iter().enumerate().all(is_number);
            number.then(|| Gives::Bits(bits.iter().map(|(_, wire)| *wire).collect()))
        }
    }
}
