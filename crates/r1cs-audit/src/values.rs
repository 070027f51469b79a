//! An assignment under change: what each row makes of it, kept up to date wire by wire.

use std::collections::BTreeSet;

use ark_ff::PrimeField;

use crate::System;

/// For each wire where it stands: row, factor (0, 1) or product (2), coefficient.
pub struct Places<F>(Vec<Vec<(usize, usize, F)>>);

impl<F: PrimeField> Places<F> {
    /// Reads a system.
    pub fn of(system: &System<F>) -> Self {
        let mut places = vec![Vec::new(); system.wires()];
        for (number, row) in system.rows().iter().enumerate() {
            for (side, terms) in [&row.a, &row.b, &row.c].into_iter().enumerate() {
                for (coefficient, wire) in terms {
                    places[*wire].push((number, side, *coefficient));
                }
            }
        }
        Self(places)
    }

    /// The places of a wire.
    ///
    /// # Panics
    /// For a wire that is not there.
    pub fn of_wire(&self, wire: usize) -> &[(usize, usize, F)] {
        &self.0[wire]
    }
}

/// Values of all wires with the sums that they make in every row.
#[derive(Clone)]
pub struct Values<'a, F> {
    places: &'a Places<F>,
    wires: Vec<F>,
    sums: Vec<[F; 3]>,
    broken: BTreeSet<usize>,
    /// Rows that are not there.
    absent: BTreeSet<usize>,
    undo: Vec<(usize, F)>,
}

impl<'a, F: PrimeField> Values<'a, F> {
    /// An assignment to all wires of a system, the constant first; it may break rows.
    ///
    /// # Panics
    /// Unless there is one value for each wire.
    pub fn new(system: &System<F>, places: &'a Places<F>, wires: Vec<F>) -> Self {
        assert_eq!(wires.len(), system.wires(), "one value for each wire");
        let sums = sums(system, &wires);
        let broken = sums.iter().enumerate();
        let broken = broken.filter_map(|(row, [a, b, c])| (*a * b != *c).then_some(row));
        Self {
            places,
            broken: broken.collect(),
            sums,
            wires,
            absent: BTreeSet::new(),
            undo: Vec::new(),
        }
    }

    /// The same, as if some rows were not there: they are never broken.
    #[must_use]
    pub fn without(mut self, rows: impl IntoIterator<Item = usize>) -> Self {
        self.absent.extend(rows);
        self.broken.retain(|row| !self.absent.contains(row));
        self
    }

    /// The value of a wire.
    ///
    /// # Panics
    /// For a wire that is not there.
    pub fn of(&self, wire: usize) -> F {
        self.wires[wire]
    }

    /// What the factors and the product of a row are, whether it holds or not.
    ///
    /// # Panics
    /// For a row that is not there.
    pub fn sums_of(&self, row: usize) -> [F; 3] {
        self.sums[row]
    }

    /// The rows that do not hold.
    pub const fn broken(&self) -> &BTreeSet<usize> {
        &self.broken
    }

    /// Gives a wire another value.
    ///
    /// # Panics
    /// For a wire that is not there.
    pub fn set(&mut self, wire: usize, value: F) {
        let change = value - self.wires[wire];
        if change.is_zero() {
            return;
        }
        self.undo.push((wire, self.wires[wire]));
        self.wires[wire] = value;
        for (row, side, coefficient) in &self.places.0[wire] {
            let sums = &mut self.sums[*row];
            sums[*side] += *coefficient * change;
            let [a, b, c] = *sums;
            if a * b == c || self.absent.contains(row) {
                self.broken.remove(row);
            } else {
                self.broken.insert(*row);
            }
        }
    }

    /// Where [`Values::undo_to`] comes back to.
    pub const fn mark(&self) -> usize {
        self.undo.len()
    }

    /// Takes back all that was set.
    pub fn undo(&mut self) {
        self.undo_to(0);
    }

    /// Takes back all that was set since a [`Values::mark`]; nothing if that itself was taken back.
    pub fn undo_to(&mut self, mark: usize) {
        let set = self.undo.split_off(mark.min(self.undo.len()));
        for (wire, value) in set.into_iter().rev() {
            self.set(wire, value);
        }
        self.undo.truncate(mark);
    }
}

fn sums<F: PrimeField>(system: &System<F>, wires: &[F]) -> Vec<[F; 3]> {
    let at = |terms: &[(F, usize)]| terms.iter().map(|(c, w)| *c * wires[*w]).sum::<F>();
    let rows = system.rows().iter();
    rows.map(|row| [at(&row.a), at(&row.b), at(&row.c)])
        .collect()
}

/// The rows that an assignment breaks.
///
/// # Panics
/// Unless there is one value for each wire.
pub fn broken_rows<F: PrimeField>(system: &System<F>, wires: &[F]) -> Vec<usize> {
    assert_eq!(wires.len(), system.wires(), "one value for each wire");
    let sums = sums(system, wires);
    let rows = sums.iter().enumerate();
    rows.filter_map(|(row, [a, b, c])| (*a * b != *c).then_some(row))
        .collect()
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;

    use super::*;
    use crate::testing::row;

    #[test]
    fn a_change_breaks_and_mends_the_rows_in_which_its_wire_stands() {
        let rows = vec![
            row(&[(1, 1)], &[(1, 1)], &[(1, 2)]),
            row(&[(1, 2), (1, 3)], &[(1, 0)], &[(1, 1)]),
        ];
        let system = System::new(1, 4, rows).unwrap();
        let places = Places::of(&system);
        let wires = [1, 3, 9, -6].map(Fr::from).to_vec();
        let mut values = Values::new(&system, &places, wires.clone());
        assert!(values.broken().is_empty());
        values.set(2, Fr::from(8));
        assert_eq!(values.broken(), &[0, 1].into());
        values.set(3, Fr::from(-5));
        assert_eq!(values.broken(), &[0].into());
        let changed: Vec<Fr> = (0..4).map(|w| values.of(w)).collect();
        assert_eq!(broken_rows(&system, &changed), [0]);
        let mark = values.mark();
        values.set(1, Fr::from(7));
        values.set(3, Fr::from(7));
        assert_eq!(values.broken(), &[0, 1].into());
        values.undo_to(mark);
        assert_eq!((0..4).map(|w| values.of(w)).collect::<Vec<_>>(), changed);
        values.undo();
        assert!(values.broken().is_empty());
        assert_eq!((0..4).map(|w| values.of(w)).collect::<Vec<_>>(), wires);
        // Without its row a change is not noticed, and what the row's sides are is known nevertheless.
        let mut values = values.without([0]);
        values.set(2, Fr::from(8));
        assert_eq!(values.broken(), &[1].into());
        assert_eq!(values.sums_of(0), [3, 3, 8].map(Fr::from));
    }
}
