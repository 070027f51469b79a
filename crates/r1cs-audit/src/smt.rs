//! Questions to a solver with finite fields (SMT-LIB, logic `QF_FF`), so that what this crate concludes can be checked by
//! a program that is not ours.

use std::collections::BTreeSet;
use std::fmt::Write;

use ark_ff::PrimeField;

use crate::determinism::Premise;
use crate::{Row, System, Terms};

/// The question whether `wire` can differ between two assignments that agree on what a step rests on. `unsat` says that
/// it cannot: the step is sound.
///
/// Wires that are known have one variable, those that are not have two.
///
/// # Panics
/// If the premise speaks of a row that the system does not have.
pub fn can_differ<F: PrimeField>(system: &System<F>, premise: &Premise<F>, wire: usize) -> String {
    let unknown: BTreeSet<usize> = premise.unknown.iter().copied().collect();
    let mut known: BTreeSet<usize> = BTreeSet::new();
    for row in premise.rows.iter().map(|row| &system.rows()[*row]) {
        for (_, wire) in [&row.a, &row.b, &row.c].into_iter().flatten() {
            if *wire != 0 && !unknown.contains(wire) {
                known.insert(*wire);
            }
        }
    }
    let mut out = head::<F>();
    for wire in &known {
        let _ = writeln!(out, "(declare-fun w{wire} () F)");
    }
    for wire in &unknown {
        let _ = writeln!(
            out,
            "(declare-fun x{wire} () F)\n(declare-fun y{wire} () F)"
        );
    }
    for copy in ['x', 'y'] {
        let name = |wire: usize| {
            let copy = if unknown.contains(&wire) { copy } else { 'w' };
            format!("{copy}{wire}")
        };
        for row in premise.rows.iter().map(|row| &system.rows()[*row]) {
            let _ = writeln!(out, "(assert {})", holds(row, &name));
        }
    }
    for sum in &premise.sums {
        let [x, y] = ['x', 'y'].map(|copy| self::sum(sum, &|wire| format!("{copy}{wire}")));
        let _ = writeln!(out, "(assert (= {x} {y}))");
    }
    let _ = writeln!(out, "(assert (not (= x{wire} y{wire})))\n(check-sat)");
    out
}

/// Logic, solver and field.
fn head<F: PrimeField>() -> String {
    format!(
        "(set-logic QF_FF)\n(set-option :ff-solver split)\n(define-sort F () (_ FiniteField {}))\n",
        F::MODULUS
    )
}

fn holds<F: PrimeField>(row: &Row<F>, name: &dyn Fn(usize) -> String) -> String {
    let [a, b, c] = [&row.a, &row.b, &row.c].map(|terms| sum(terms, name));
    match (constant(&row.a), constant(&row.b)) {
        (Some(one), _) if one.is_one() => format!("(= {b} {c})"),
        (_, Some(one)) if one.is_one() => format!("(= {a} {c})"),
        _ => format!("(= (ff.mul {a} {b}) {c})"),
    }
}

fn constant<F: PrimeField>(terms: &Terms<F>) -> Option<F> {
    match terms[..] {
        [(value, 0)] => Some(value),
        _ => None,
    }
}

fn sum<F: PrimeField>(terms: &Terms<F>, name: &dyn Fn(usize) -> String) -> String {
    let term = |(coefficient, wire): &(F, usize)| match (coefficient.is_one(), *wire) {
        (_, 0) => format!("(as ff{} F)", coefficient.into_bigint()),
        (true, wire) => name(wire),
        (false, wire) => format!(
            "(ff.mul (as ff{} F) {})",
            coefficient.into_bigint(),
            name(wire)
        ),
    };
    let all: Vec<String> = terms.iter().map(term).collect();
    match &all[..] {
        [] => "(as ff0 F)".to_owned(),
        [one] => one.clone(),
        _ => format!("(ff.add {})", all.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::row;

    use super::*;

    #[test]
    fn a_question_has_one_variable_for_what_is_known_and_two_for_what_is_not() {
        let rows = vec![
            row(&[(1, 1)], &[(1, 2)], &[(3, 3)]),
            row(&[(1, 1)], &[(1, 0), (-1, 3)], &[]),
        ];
        let system = System::new(1, 4, rows).unwrap();
        let premise = Premise {
            rows: vec![0, 1],
            sums: vec![vec![(2.into(), 2)]],
            unknown: vec![2, 3],
        };
        let asked = can_differ(&system, &premise, 3);
        let lines: Vec<&str> = asked.lines().skip(2).collect();
        let minus = ark_bn254::Fr::from(-1);
        assert_eq!(
            lines[1..6].join(" "),
            "(declare-fun w1 () F) (declare-fun x2 () F) (declare-fun y2 () F) (declare-fun x3 () F) (declare-fun y3 () F)"
        );
        assert_eq!(
            lines[6],
            "(assert (= (ff.mul w1 x2) (ff.mul (as ff3 F) x3)))"
        );
        assert_eq!(
            lines[7],
            format!(
                "(assert (= (ff.mul w1 (ff.add (as ff1 F) (ff.mul (as ff{minus} F) x3))) (as ff0 F)))"
            )
        );
        assert!(lines[8].contains("y2") && lines[9].contains("y3"));
        assert_eq!(
            lines[10],
            "(assert (= (ff.mul (as ff2 F) x2) (ff.mul (as ff2 F) y2)))"
        );
        assert_eq!(lines[11..], ["(assert (not (= x3 y3)))", "(check-sat)"]);
    }
}
