use ark_bn254::Fr;

use super::*;
use crate::testing::{row, terms};
use crate::{Binding, Row};

/// The wires that follow, of a system with one public input.
fn follows(wires: usize, rows: Vec<Row<Fr>>, given: &[usize]) -> Vec<usize> {
    let system = System::new(1, wires, rows).unwrap();
    of(&system, given, &[])
}

fn of(system: &System<Fr>, given: &[usize], without: &[usize]) -> Vec<usize> {
    let found = follow(system, &Index::new(system), given, without);
    let open: Vec<usize> = found.open().collect();
    (0..system.wires()).filter(|w| !open.contains(w)).collect()
}

fn bit(wire: usize) -> Row<Fr> {
    row(&[(1, wire)], &[(1, wire)], &[(1, wire)])
}

#[test]
fn a_product_of_known_wires_follows_and_a_factor_does_not() {
    let square = row(&[(1, 1)], &[(1, 1)], &[(1, 2)]);
    assert_eq!(follows(3, vec![square], &[]), [0, 1, 2]);
    // x · x = public has two roots.
    let root = row(&[(1, 2)], &[(1, 2)], &[(1, 1)]);
    assert_eq!(follows(3, vec![root], &[]), [0, 1]);
    // public · x = public: any x will do if it is zero.
    let quotient = row(&[(1, 1)], &[(1, 2)], &[(1, 1)]);
    assert_eq!(follows(3, vec![quotient], &[]), [0, 1]);
}

#[test]
fn bits_of_a_known_number_follow_and_not_without_one_of_their_rows() {
    let number = row(&[(1, 1)], &[(1, 0)], &[(1, 2), (2, 3), (4, 4)]);
    let rows = vec![bit(2), bit(3), bit(4), number];
    let system = System::new(1, 5, rows).unwrap();
    assert_eq!(of(&system, &[], &[]), [0, 1, 2, 3, 4]);
    for without in 0..4 {
        assert_eq!(of(&system, &[], &[without]), [0, 1]);
    }
    // Two bits of one weight.
    let number = row(&[(1, 1)], &[(1, 0)], &[(1, 2), (1, 3), (2, 4)]);
    assert_eq!(
        follows(5, vec![bit(2), bit(3), bit(4), number], &[]),
        [0, 1]
    );
}

#[test]
fn a_number_of_254_bits_has_two_readings() {
    let wide = |width: usize| {
        let mut rows: Vec<Row<Fr>> = (0..width).map(|i| bit(2 + i)).collect();
        let powers = (0..width).map(|i| (ark_ff::Field::pow(&Fr::from(2), [i as u64]), 2 + i));
        rows.push(Row {
            a: terms(&[(1, 1)]),
            b: terms(&[(1, 0)]),
            c: powers.collect(),
        });
        follows(2 + width, rows, &[]).len()
    };
    assert_eq!(wide(253), 2 + 253);
    assert_eq!(wide(254), 2);
}

#[test]
fn the_test_for_zero_follows_and_not_without_its_second_row() {
    // wire 2 is the inverse, 3 the product.
    let product = row(&[(1, 1)], &[(1, 2)], &[(1, 3)]);
    let zero = row(&[(1, 1)], &[(1, 0), (-1, 3)], &[]);
    let system = System::new(1, 4, vec![product, zero]).unwrap();
    assert_eq!(of(&system, &[], &[]), [0, 1, 3]);
    assert_eq!(of(&system, &[], &[0]), [0, 1]);
    assert_eq!(of(&system, &[], &[1]), [0, 1]);
}

#[test]
fn a_swap_by_a_known_bit_follows_from_both_outcomes() {
    // s = 2, x = 3, y = 4, s·(y − x) = p = 5; first x + p and second y − p are known by a hash of them.
    let swap = row(&[(1, 2)], &[(-1, 3), (1, 4)], &[(1, 5)]);
    let hashed = row(&[(1, 1)], &[(1, 0)], &[(1, 6)]);
    let system = System::new(1, 7, vec![bit(2), swap, hashed]).unwrap();
    let binding = Binding {
        name: "hash".to_owned(),
        rows: (2, 3),
        inputs: vec![terms(&[(1, 3), (1, 5)]), terms(&[(1, 4), (-1, 5)])],
        output: terms(&[(1, 6)]),
    };
    let system = system.with_bindings(vec![binding]).unwrap();
    assert_eq!(of(&system, &[2], &[]), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(of(&system, &[], &[]), [0, 1, 6]);
    assert_eq!(of(&system, &[2], &[0]), [0, 1, 2, 6]);
    assert_eq!(of(&system, &[2], &[1]), [0, 1, 2, 6]);
    assert_eq!(of(&system, &[2], &[2]), [0, 1, 2]);
}

#[test]
fn a_product_that_is_its_own_factor_is_free_if_the_bit_is_one() {
    // s = 2, s·p = p = 3: any p will do if s is one. The sum of p and q is known.
    let itself = row(&[(1, 2)], &[(1, 3)], &[(1, 3)]);
    let sum = row(&[(1, 1)], &[(1, 1)], &[(1, 3), (1, 4)]);
    assert_eq!(follows(5, vec![bit(2), itself, sum], &[2]), [0, 1, 2]);
}

#[test]
fn a_step_rests_on_the_sums_and_on_the_bits_that_it_used() {
    // The sum of wires 2 and 3 is known, they are not: whether it is zero, wire 5 says.
    let sum = [(1, 2), (1, 3)];
    let rows = vec![
        row(&[(1, 1)], &[(1, 1)], &sum),
        row(&sum, &[(1, 4)], &[(1, 5)]),
        row(&sum, &[(1, 0), (-1, 5)], &[]),
    ];
    let system = System::new(1, 6, rows).unwrap();
    let found = follow_with_premises(&system, &Index::new(&system), &[]);
    assert_eq!(found.rule[5], Some(Rule::ZeroTest));
    let premise = found.premise[5].as_ref().unwrap();
    assert_eq!(
        (&premise.rows[..], &premise.sums[..]),
        (&[1, 2][..], &[terms(&sum)][..])
    );

    // Wire 2 + 2·3 is at most two, since so much less it is 4 + 2·5, of which 4 is known; 6 stands beside it.
    let bound = row(&[(2, 0)], &[(1, 0)], &[(1, 2), (2, 3), (1, 4), (2, 5)]);
    let packed = row(&[(1, 1)], &[(1, 1)], &[(1, 2), (2, 3), (3, 6)]);
    let rows = [(2..7).map(bit).collect(), vec![bound, packed]].concat();
    let system = System::new(1, 7, rows).unwrap();
    let found = follow_with_premises(&system, &Index::new(&system), &[4]);
    assert_eq!(found.rule[6], Some(Rule::Ranges));
    let premise = found.premise[6].as_ref().unwrap();
    assert_eq!(premise.rows, [0, 1, 2, 3, 4, 5]);
}

#[test]
fn packed_distances_follow_as_long_as_their_strides_are_wider_than_they() {
    // Two distances of two bits back from a known time, packed at a stride of eight, or of two.
    for (stride, expected) in [(8, 10), (2, 2)] {
        let back = |time, first| {
            row(
                &[(1, 1), (-1, time)],
                &[(1, 0)],
                &[(1, first), (2, first + 1)],
            )
        };
        let mut rows: Vec<Row<Fr>> = (4..8).map(bit).collect();
        rows.extend([back(2, 4), back(3, 6)]);
        // The packed sum hashes to something known.
        let hashed = row(&[(1, 1)], &[(1, 0)], &[(1, 8)]);
        rows.push(hashed);
        let used = row(&[(1, 9)], &[(1, 0)], &[(1, 8)]);
        rows.push(used);
        let system = System::new(1, 10, rows).unwrap();
        let binding = Binding {
            name: "hash".to_owned(),
            rows: (6, 7),
            inputs: vec![terms(&[(1, 2), (stride, 3)])],
            output: terms(&[(1, 8)]),
        };
        let system = system.with_bindings(vec![binding]).unwrap();
        let found = of(&system, &[], &[]);
        assert_eq!(found.len(), expected + if stride == 2 { 2 } else { 0 });
    }
}
