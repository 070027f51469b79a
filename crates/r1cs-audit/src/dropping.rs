//! Rows left out: what would tell that they are missing?

use std::collections::{BTreeMap, BTreeSet};

use ark_ff::PrimeField;

use crate::determinism::{Index, follow};
use crate::{System, kind_of};

/// Rows by kind, in the order of kinds.
pub fn rows_by_kind<F: PrimeField>(system: &System<F>) -> BTreeMap<String, Vec<usize>> {
    let mut kinds: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (row, name) in system.names().rows.iter().enumerate() {
        kinds.entry(kind_of(name)).or_default().push(row);
    }
    kinds
}

/// A wire that no longer follows from what is given once the rows are left out, beside those that are idle and never
/// did; none if all still do, so that uniqueness does not notice.
pub fn noticed_by_uniqueness<F: PrimeField>(
    system: &System<F>,
    index: &Index<F>,
    (given, idle): (&[usize], &BTreeSet<usize>),
    rows: &[usize],
) -> Option<usize> {
    let follows = follow(system, index, given, rows);
    follows.open().find(|wire| !idle.contains(wire))
}

/// Whether all that an assignment breaks lies among `rows`, and something does: without them it would pass.
pub fn noticed_by_attempt(broken: &[usize], rows: &[usize]) -> bool {
    !broken.is_empty() && broken.iter().all(|row| rows.contains(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::row;

    #[test]
    fn a_row_that_fixes_a_wire_is_missed_by_uniqueness_and_a_mere_condition_by_an_attempt() {
        // wire 2 is the square of the public input; wire 2 is also said to be a bit.
        let rows = vec![
            row(&[(1, 1)], &[(1, 1)], &[(1, 2)]),
            row(&[(1, 2)], &[(1, 2)], &[(1, 2)]),
        ];
        let system = System::new(1, 3, rows).unwrap();
        let index = Index::new(&system);
        let none = BTreeSet::new();
        let noticed = |row| noticed_by_uniqueness(&system, &index, (&[], &none), &[row]);
        assert_eq!(noticed(0), Some(2));
        assert_eq!(noticed(1), None);
        let idle = [2].into();
        let unnoticed = noticed_by_uniqueness(&system, &index, (&[], &idle), &[0]);
        assert_eq!(unnoticed, None);
        let values = [1, 3, 9].map(ark_bn254::Fr::from);
        let broken = crate::values::broken_rows(&system, &values);
        assert!(noticed_by_attempt(&broken, &[1]));
        assert!(!noticed_by_attempt(&broken, &[0]));
        assert!(!noticed_by_attempt(&[], &[0]));
        assert_eq!(rows_by_kind(&system)["row[]"], [0, 1]);
    }
}
