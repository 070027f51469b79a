//! What can be seen without values: wires in no row, rows that say nothing or say it twice.

use std::collections::{BTreeMap, HashMap};

use ark_ff::{BigInteger, PrimeField};

use crate::{Row, System, Terms};

/// What is wrong with the structure; empty lists for a sound one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Structure {
    /// Witness wires that stand in no row.
    pub unused_wires: Vec<usize>,
    /// Public inputs that stand in no row: their points in a verifying key would be nothing.
    pub unused_public: Vec<usize>,
    /// Rows that hold whatever the wires are.
    pub empty_rows: Vec<usize>,
    /// Pairs of rows that say the same, perhaps scaled or with their factors swapped; the earlier first.
    pub duplicate_rows: Vec<(usize, usize)>,
    /// Coefficients that are not zero.
    pub non_zero: usize,
}

impl Structure {
    /// Looks through a system.
    pub fn of<F: PrimeField>(system: &System<F>) -> Self {
        let mut used = vec![false; system.wires()];
        let mut found = Self::default();
        let mut seen: HashMap<Vec<u8>, usize> = HashMap::new();
        for (number, row) in system.rows().iter().enumerate() {
            if says_nothing(row) {
                found.empty_rows.push(number);
                continue;
            }
            for (_, wire) in [&row.a, &row.b, &row.c].into_iter().flatten() {
                used[*wire] = true;
                found.non_zero += 1;
            }
            if let Some(earlier) = seen.insert(fingerprint(row), number) {
                found.duplicate_rows.push((earlier, number));
            }
        }
        for (wire, used) in used.iter().enumerate().skip(1) {
            match (used, wire <= system.public()) {
                (true, _) => {}
                (false, true) => found.unused_public.push(wire),
                (false, false) => found.unused_wires.push(wire),
            }
        }
        found
    }

    /// Whether nothing is wrong.
    pub const fn is_sound(&self) -> bool {
        self.unused_wires.is_empty()
            && self.unused_public.is_empty()
            && self.empty_rows.is_empty()
            && self.duplicate_rows.is_empty()
    }
}

/// Whether a row holds for all values: both sides are the same linear combination, or both are nothing.
fn says_nothing<F: PrimeField>(row: &Row<F>) -> bool {
    let constant = |terms: &Terms<F>| match terms[..] {
        [] => Some(F::zero()),
        [(value, 0)] => Some(value),
        _ => None,
    };
    let scaled = |factor: F, other: &Terms<F>| {
        let mut product: Terms<F> = other.iter().map(|(c, w)| (*c * factor, *w)).collect();
        product.retain(|(c, _)| !c.is_zero());
        product == row.c
    };
    match (constant(&row.a), constant(&row.b)) {
        (Some(a), _) => scaled(a, &row.b),
        (_, Some(b)) => scaled(b, &row.a),
        (None, None) => false,
    }
}

/// Bytes that are the same for rows that say the same up to the scale and the order of their factors. A row with a
/// constant factor is one linear combination that is zero.
fn fingerprint<F: PrimeField>(row: &Row<F>) -> Vec<u8> {
    if let Some(sum) = linear(row) {
        let (sum, _) = monic(&sum);
        return write(&[sum]);
    }
    let ((a, by_a), (b, by_b)) = (monic(&row.a), monic(&row.b));
    let c: Terms<F> = row
        .c
        .iter()
        .map(|(coefficient, wire)| (*coefficient * by_a * by_b, *wire))
        .collect();
    let (a, b) = (write(&[a]), write(&[b]));
    let (first, second) = if a <= b { (a, b) } else { (b, a) };
    [first, second, write(&[c])].concat()
}

/// The linear combination that a row says is zero, if it has a constant factor.
pub(crate) fn linear<F: PrimeField>(row: &Row<F>) -> Option<Terms<F>> {
    let (factor, other) = match (&row.a[..], &row.b[..]) {
        ([(factor, 0)], _) => (*factor, &row.b),
        (_, [(factor, 0)]) => (*factor, &row.a),
        ([], _) | (_, []) => (F::zero(), &row.a),
        _ => return None,
    };
    let mut sum: BTreeMap<usize, F> = BTreeMap::new();
    for (coefficient, wire) in other {
        *sum.entry(*wire).or_default() += factor * coefficient;
    }
    for (coefficient, wire) in &row.c {
        *sum.entry(*wire).or_default() -= coefficient;
    }
    sum.retain(|_, coefficient| !coefficient.is_zero());
    Some(sum.into_iter().map(|(wire, c)| (c, wire)).collect())
}

/// Terms scaled so that the first coefficient is one, and the factor that does it.
fn monic<F: PrimeField>(terms: &Terms<F>) -> (Terms<F>, F) {
    let factor = terms
        .first()
        .and_then(|(c, _)| c.inverse())
        .unwrap_or(F::one());
    let scaled = terms.iter().map(|(c, w)| (*c * factor, *w)).collect();
    (scaled, factor)
}

fn write<F: PrimeField>(all: &[Terms<F>]) -> Vec<u8> {
    let mut out = Vec::new();
    for terms in all {
        out.extend((terms.len() as u64).to_be_bytes());
        for (coefficient, wire) in terms {
            out.extend((*wire as u64).to_be_bytes());
            out.extend(coefficient.into_bigint().to_bytes_be());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;

    use super::*;
    use crate::testing::{row, terms};

    fn of(rows: Vec<Row<Fr>>) -> Structure {
        Structure::of(&System::new(1, 5, rows).unwrap())
    }

    #[test]
    fn wires_and_public_inputs_in_no_row_are_found() {
        let found = of(vec![row(&[(1, 2)], &[(1, 3)], &[(1, 3)])]);
        assert_eq!(found.unused_public, [1]);
        assert_eq!(found.unused_wires, [4]);
        assert!(!found.is_sound());
    }

    #[test]
    fn rows_that_hold_whatever_the_wires_are_are_found_and_use_nothing() {
        let found = of(vec![
            row(&[(1, 2)], &[(3, 0)], &[(3, 2)]),
            row(&[], &[(1, 4)], &[]),
            row(&[(1, 0)], &[(1, 1), (1, 3)], &[(1, 1)]),
        ]);
        assert_eq!(found.empty_rows, [0, 1]);
        assert_eq!(found.unused_wires, [2, 4]);
    }

    #[test]
    fn a_row_said_twice_is_found_also_scaled_swapped_or_turned_round() {
        let once = row(&[(2, 1)], &[(1, 2), (1, 3)], &[(1, 4)]);
        let scaled = row(&[(5, 2), (5, 3)], &[(4, 1)], &[(10, 4)]);
        let other = row(&[(5, 2), (5, 3)], &[(4, 1)], &[(11, 4)]);
        let equal = row(&[(1, 1)], &[(1, 0)], &[(1, 2), (1, 4)]);
        let turned = row(&[(3, 0)], &[(1, 2), (1, 4)], &[(3, 1)]);
        let found = of(vec![once, equal, other, scaled, turned]);
        assert_eq!(found.duplicate_rows, [(0, 3), (1, 4)]);
        assert_eq!(found.unused_wires, []);
    }

    #[test]
    fn a_row_with_a_constant_factor_is_one_sum_that_is_zero() {
        let sum = linear(&row(&[(2, 1), (1, 3)], &[(3, 0)], &[(6, 1), (1, 2)]));
        let expected = terms(&[(-1, 2), (3, 3)]);
        assert_eq!(sum, Some(expected));
        assert_eq!(linear(&row(&[(1, 1)], &[(1, 2)], &[])), None);
    }
}
