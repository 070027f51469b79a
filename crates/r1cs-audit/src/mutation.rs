//! Mutants of an assignment that fulfils all rows: which changes are not noticed?
//!
//! A change that no row notices is a *survivor*. It is harmless only where the wires changed are the prover's to choose.

use ark_ff::PrimeField;

use crate::values::Values;
use crate::{Row, System};

/// A change that no row notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor<F> {
    /// The wires changed, with their new values.
    pub wires: Vec<(usize, F)>,
}

/// Mutants tried, and those that survived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried<F> {
    /// Mutants tried.
    pub count: u64,
    /// Those that no row noticed.
    pub survivors: Vec<Survivor<F>>,
}

impl<F> Default for Tried<F> {
    fn default() -> Self {
        Self {
            count: 0,
            survivors: Vec::new(),
        }
    }
}

impl<F> Tried<F> {
    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.count += other.count;
        self.survivors.extend(other.survivors);
    }
}

/// Exponents of two by which values are shifted: bits, widths that systems use for days, minutes, places and
/// counts, and the widest that fit the field.
const SHIFTS: [u64; 14] = [0, 1, 2, 3, 8, 11, 16, 17, 26, 27, 47, 64, 128, 252];

/// Changes one wire alone: plus and minus powers of two, one less it, its negative, its double, zero, and `other`.
///
/// # Panics
/// If the values break a row already, or for a wire that is not there.
pub fn alone<F: PrimeField>(values: &mut Values<'_, F>, wire: usize, other: F) -> Tried<F> {
    assert!(values.broken().is_empty(), "mutants are of what holds");
    let old = values.of(wire);
    let shifts = SHIFTS.map(|s| F::from(2u64).pow([s]));
    let shifted = shifts.into_iter().flat_map(|s| [old + s, old - s]);
    let turned = [F::one() - old, -old, old.double(), F::zero(), other];
    let mut tried = Tried::default();
    for value in shifted.chain(turned).filter(|value| *value != old) {
        try_one(values, &[(wire, value)], &mut tried);
    }
    tried
}

/// Changes two wires of a row so that one of its sums stays what it was: what one gains the other gives back, by several
/// steps. `pairs` bounds how many pairs of each sum are taken, neighbours first.
///
/// # Panics
/// If the values break a row already.
pub fn pairs_of_row<F: PrimeField>(
    values: &mut Values<'_, F>,
    row: &Row<F>,
    pairs: usize,
) -> Tried<F> {
    assert!(values.broken().is_empty(), "mutants are of what holds");
    let mut tried = Tried::default();
    for terms in [&row.a, &row.b, &row.c] {
        let own: Vec<_> = terms.iter().filter(|(_, wire)| *wire != 0).collect();
        let near = own.windows(2).map(|pair| (pair[0], pair[1]));
        let far = own.windows(3).map(|three| (three[0], three[2]));
        for ((cx, x), (cy, y)) in near.chain(far).take(pairs) {
            for step in [1u64, 2, 60, 1440, 1 << 26, 1 << 27] {
                for step in [F::from(step), -F::from(step)] {
                    // cx·(x + cy·s) + cy·(y − cx·s): scaled down where cy/cx is a whole step.
                    let back = *cx * step * cy.inverse().unwrap_or_default();
                    let change = [(*x, values.of(*x) + step), (*y, values.of(*y) - back)];
                    try_one(values, &change, &mut tried);
                }
            }
        }
    }
    tried
}

/// Exchanges the values of wires pairwise, all at once.
///
/// # Panics
/// If the values break a row already, or for a wire that is not there.
pub fn exchanged<F: PrimeField>(values: &mut Values<'_, F>, pairs: &[(usize, usize)]) -> Tried<F> {
    assert!(values.broken().is_empty(), "mutants are of what holds");
    let mut tried = Tried::default();
    let other = pairs
        .iter()
        .flat_map(|(x, y)| [(*x, values.of(*y)), (*y, values.of(*x))]);
    let changes: Vec<(usize, F)> = other.filter(|(w, v)| values.of(*w) != *v).collect();
    if !changes.is_empty() {
        try_one(values, &changes, &mut tried);
    }
    tried
}

fn try_one<F: PrimeField>(values: &mut Values<'_, F>, change: &[(usize, F)], tried: &mut Tried<F>) {
    for (wire, value) in change {
        values.set(*wire, *value);
    }
    tried.count += 1;
    if values.broken().is_empty() {
        let wires = change.to_vec();
        tried.survivors.push(Survivor { wires });
    }
    values.undo();
}

/// Groups of wires that have one name up to a single index, given as pairs of brothers: wires of two such scopes that
/// can be exchanged whole. `at` names the scope, such as `entry` for `…/entry[3]/…`.
pub fn brothers<F: PrimeField>(
    system: &System<F>,
    at: &str,
    first: usize,
    second: usize,
) -> Vec<(usize, usize)> {
    let (one, other) = (format!("{at}[{first}]"), format!("{at}[{second}]"));
    let names = &system.names().wires;
    let number: std::collections::HashMap<&str, usize> = names
        .iter()
        .enumerate()
        .map(|(i, n)| (n.as_str(), i))
        .collect();
    let of_first = names
        .iter()
        .enumerate()
        .filter(|(_, name)| name.split('/').any(|part| part == one));
    of_first
        .filter_map(|(wire, name)| {
            let parts = name
                .split('/')
                .map(|part| if part == one { &other } else { part });
            let brother = parts.collect::<Vec<_>>().join("/");
            number.get(brother.as_str()).map(|w| (wire, *w))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;

    use super::*;
    use crate::Names;
    use crate::testing::row;
    use crate::values::Places;

    fn of(
        rows: Vec<Row<Fr>>,
        wires: &[i64],
        act: impl Fn(&mut Values<Fr>) -> Tried<Fr>,
    ) -> Tried<Fr> {
        let system = System::new(1, wires.len(), rows).unwrap();
        let places = Places::of(&system);
        let values = wires.iter().map(|w| Fr::from(*w)).collect();
        act(&mut Values::new(&system, &places, values))
    }

    #[test]
    fn a_wire_that_a_row_fixes_has_no_surviving_mutant_and_a_root_has_one() {
        let square = row(&[(1, 2)], &[(1, 2)], &[(1, 1)]);
        let wires = [1, 9, 3];
        let public = of(vec![square.clone()], &wires, |v| alone(v, 1, Fr::from(5)));
        assert!(public.count > 20);
        assert_eq!(public.survivors, []);
        let root = of(vec![square], &wires, |v| alone(v, 2, Fr::from(5)));
        let wires = vec![(2, Fr::from(-3))];
        assert_eq!(root.survivors, [Survivor { wires }]);
    }

    #[test]
    fn a_number_without_its_bit_rows_lets_one_bit_give_to_another() {
        let number = row(&[(1, 1)], &[(1, 0)], &[(1, 2), (2, 3)]);
        let bits = [2, 3].map(|w| row(&[(1, w)], &[(1, w)], &[(1, w)]));
        let wires = [1, 2, 0, 1];
        let whole = [vec![number.clone()], bits.to_vec()].concat();
        let pairs = |rows: Vec<Row<Fr>>| of(rows, &wires, |v| pairs_of_row(v, &number, 4));
        assert_eq!(pairs(whole).survivors, []);
        let weak = pairs(vec![number.clone()]);
        assert!(
            weak.survivors
                .iter()
                .any(|s| s.wires == [(2, Fr::from(2)), (3, Fr::from(0))])
        );
    }

    #[test]
    fn brothers_are_exchanged_whole() {
        let rows = vec![
            row(&[(1, 2)], &[(1, 3)], &[(1, 1)]),
            row(&[(1, 4)], &[(1, 5)], &[(1, 1)]),
        ];
        let names = ["one", "p", "in[0]/x", "in[0]/y", "in[1]/x", "in[1]/y"];
        let names = Names {
            wires: names.map(str::to_owned).to_vec(),
            rows: vec!["a".to_owned(), "b".to_owned()],
        };
        let system = System::new(1, 6, rows).unwrap().with_names(names).unwrap();
        let pairs = brothers(&system, "in", 0, 1);
        assert_eq!(pairs, [(2, 4), (3, 5)]);
        let places = Places::of(&system);
        let values = [1, 12, 3, 4, 2, 6].map(Fr::from).to_vec();
        let mut values = Values::new(&system, &places, values);
        assert_eq!(exchanged(&mut values, &pairs).survivors.len(), 1);
        assert_eq!(exchanged(&mut values, &pairs[..1]).survivors, []);
    }
}
