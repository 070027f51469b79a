//! Gadgets by themselves, at small widths over every assignment there is, and at the widths in use at their edges.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use commitment::poseidon::Domain;

use crate::gadget::{bits, mux, poseidon};
use crate::rows::{Purpose, Rows, Terms, Walk, Wire};

type Gadget<'a> = &'a dyn Fn(&mut Rows<&'static str>, &[Wire]);

/// Values as inputs; they need no names of their own here.
fn named(values: &[Fr]) -> Vec<(&'static str, Fr)> {
    values.iter().map(|value| ("input", *value)).collect()
}

fn shape_of(inputs: &[Fr], gadget: Gadget<'_>) -> Walk<&'static str> {
    let (mut rows, wires) = Rows::new(Purpose::Shape, "gadget", &named(inputs), None);
    gadget(&mut rows, &wires);
    rows.finish()
}

/// In how many ways the gadget's own wires can be set from `candidates` so that all rows hold.
fn solutions(inputs: &[Fr], candidates: &[Fr], gadget: Gadget<'_>) -> usize {
    let walk = shape_of(inputs, gadget);
    let mut values = walk.values.clone();
    count(&walk, &mut values, walk.instance, candidates)
}

fn count(walk: &Walk<&'static str>, values: &mut [Fr], next: usize, candidates: &[Fr]) -> usize {
    // A row counts as soon as its last wire is set.
    let last = |row: &crate::rows::Row<&'static str>| {
        let ends = [&row.a, &row.b, &row.c].map(|terms| terms.last().map_or(0, |t| t.1));
        ends.into_iter().max().unwrap_or(0)
    };
    let at = |terms: &Terms, values: &[Fr]| terms.iter().map(|(c, i)| *c * values[*i]).sum::<Fr>();
    let holds = |values: &[Fr], upto: usize| {
        let due = walk.rows.iter().filter(|row| last(row) == upto);
        due.into_iter()
            .all(|row| at(&row.a, values) * at(&row.b, values) == at(&row.c, values))
    };
    if next == walk.instance && !(0..next).all(|wire| holds(values, wire)) {
        return 0;
    }
    if next == values.len() {
        return 1;
    }
    let mut found = 0;
    for candidate in candidates {
        values[next] = *candidate;
        if holds(values, next) {
            found += count(walk, values, next + 1, candidates);
        }
    }
    found
}

fn field(number: i64) -> Fr {
    let size = Fr::from(number.unsigned_abs());
    if number < 0 { -size } else { size }
}

/// Bits, and what might pass for one.
fn near_bits() -> Vec<Fr> {
    let two = Fr::from(2u64);
    let half = two.inverse().unwrap();
    vec![Fr::ZERO, Fr::ONE, two, -Fr::ONE, half]
}

#[test]
fn bits_are_unique_and_only_numbers_below_the_width_have_them() {
    for number in -20..20 {
        let found = solutions(&[field(number)], &near_bits(), &|rows, wires| {
            bits::bits(rows, "bits", &wires[0], 3);
        });
        assert_eq!(found, usize::from((0..8).contains(&number)), "{number}");
    }
}

#[test]
fn not_negative_says_one_thing_in_its_domain_and_nothing_beyond() {
    for number in -40..40 {
        for said in [0, 1, 2, -1] {
            let inputs = [field(number), field(said)];
            let found = solutions(&inputs, &near_bits(), &|rows, wires| {
                let sign = bits::not_negative(rows, "sign", &wires[0], 3);
                rows.equal("said", &sign, &wires[1]);
            });
            let true_sign = i64::from(number >= 0);
            let possible = (-8..8).contains(&number) && said == true_sign;
            assert_eq!(found, usize::from(possible), "{number} said {said}");
        }
    }
}

#[test]
fn a_range_under_a_gate_binds_if_the_gate_is_one_and_gives_zero_if_not() {
    for gate in 0..2 {
        for number in -20..20 {
            for sum in [0, number, number + 1] {
                let inputs = [field(gate), field(number), field(sum)];
                let found = solutions(&inputs, &near_bits(), &|rows, wires| {
                    let out = bits::range_if(rows, "range", &wires[0], &wires[1], 3);
                    rows.equal("said", &out, &wires[2]);
                });
                let possible = if gate == 1 {
                    (0..8).contains(&number) && sum == number
                } else {
                    sum == 0
                };
                assert_eq!(found, usize::from(possible), "{gate} {number} {sum}");
            }
        }
    }
}

#[test]
fn the_widths_in_use_end_where_they_say() {
    let outcome = |value: Fr, width: usize| {
        let (mut rows, wires) = Rows::new(Purpose::Assign, "gadget", &named(&[value]), None);
        let sign = bits::not_negative(&mut rows, "sign", &wires[0], width);
        rows.finish()
            .broken
            .is_empty()
            .then(|| sign.value() == Fr::ONE)
    };
    let ranged = |value: Fr, width: usize| {
        let (mut rows, wires) = Rows::new(Purpose::Assign, "gadget", &named(&[value]), None);
        bits::range_if(&mut rows, "range", &Wire::constant(1u64), &wires[0], width);
        rows.finish().broken.is_empty()
    };
    for width in [11, 16, 17, 26, 27, 47] {
        let edge = 1i64 << width;
        for (value, says) in [
            (-edge - 1, None),
            (-edge, Some(false)),
            (-1, Some(false)),
            (0, Some(true)),
            (edge - 1, Some(true)),
            (edge, None),
        ] {
            assert_eq!(outcome(field(value), width), says, "{value} in {width}");
            let inside = (0..edge).contains(&value);
            assert_eq!(ranged(field(value), width), inside, "{value} in {width}");
        }
    }
}

#[test]
fn zero_is_told_from_anything_else_whatever_inverse_is_given() {
    for number in [-2, -1, 0, 1, 2, 1 << 26] {
        let value = field(number);
        let mut candidates = near_bits();
        candidates.extend(value.inverse());
        candidates.extend([value, -value, value.square()]);
        candidates.sort_unstable();
        candidates.dedup();
        for said in [0, 1, 2, -1] {
            let inputs = [value, field(said)];
            let found = solutions(&inputs, &candidates, &|rows, wires| {
                let zero = bits::is_zero(rows, "zero", &wires[0]);
                rows.equal("said", &zero, &wires[1]);
            });
            // For zero any inverse will do, to no effect.
            assert_eq!(found > 0, said == i64::from(number == 0), "{number} {said}");
        }
    }
}

#[test]
fn a_choice_is_one_of_the_two_and_an_or_is_a_bit() {
    let candidates: Vec<Fr> = (-20..20).map(field).collect();
    for bit in 0..2 {
        for out in -20..20 {
            let inputs = [field(bit), field(7), field(-5), field(out)];
            let found = solutions(&inputs, &candidates, &|rows, wires| {
                let chosen = mux::choose(rows, "chosen", &wires[0], &wires[1], &wires[2]);
                rows.equal("said", &chosen, &wires[3]);
            });
            let expected = if bit == 1 { 7 } else { -5 };
            assert_eq!(found, usize::from(out == expected));
        }
    }
    for number in 0..8i64 {
        let parts: Vec<i64> = (0..3).map(|i| number >> i & 1).collect();
        for out in -3..4 {
            let inputs = [parts[0], parts[1], parts[2], out].map(field);
            let found = solutions(&inputs, &near_bits(), &|rows, wires| {
                let any = bits::any(rows, "any", &wires[..3]);
                rows.equal("said", &any, &wires[3]);
            });
            assert_eq!(found, usize::from(out == i64::from(number != 0)));
        }
    }
}

#[test]
fn every_position_chooses_one_fixed_wire_also_beyond_the_last() {
    // 24 words and 26 rows stand behind five bits; the others fill their positions.
    for (len, width) in [(2, 1), (4, 2), (8, 3), (24, 5), (26, 5), (3, 2), (5, 3)] {
        let mut chosen_beyond = Vec::new();
        for position in 0..1usize << width {
            let contents: Vec<Fr> = (0..len).map(|i| Fr::from(100 + i as u64)).collect();
            let (mut rows, wires) = Rows::new(Purpose::Assign, "gadget", &named(&contents), None);
            let digits: Vec<Wire> = (0..width)
                .map(|i| bits::bit(&mut rows, ("digit", i), position >> i & 1 == 1))
                .collect();
            let out = mux::select(&mut rows, "chosen", &digits, &wires).value();
            assert!(rows.finish().broken.is_empty());
            let index = contents
                .iter()
                .position(|c| *c == out)
                .expect("one of them");
            if position < len {
                assert_eq!(index, position);
            } else {
                chosen_beyond.push(index);
            }
        }
        let expected: &[usize] = match len {
            24 => &[16, 17, 18, 19, 20, 21, 22, 23],
            26 => &[24, 25, 24, 25, 24, 25],
            3 => &[2],
            5 => &[4, 4, 4],
            _ => &[],
        };
        assert_eq!(chosen_beyond, expected, "{len} behind {width} bits");
    }
}

#[test]
fn a_constant_lane_of_the_hash_is_part_of_what_is_hashed() {
    let hash = |last: u64, domain: Domain| {
        let inputs: Vec<Fr> = (1..8).map(Fr::from).collect();
        let (mut rows, mut wires) = Rows::new(Purpose::Assign, "gadget", &named(&inputs), None);
        wires.push(Wire::constant(last));
        let out = poseidon::hash(&mut rows, "hash", domain, &wires).value();
        assert!(rows.finish().broken.is_empty());
        out
    };
    let native = |last: u64, domain: Domain| {
        let lane = |i: usize| Fr::from(if i < 7 { i as u64 + 1 } else { last });
        commitment::poseidon::hash8(domain, &std::array::from_fn(lane))
    };
    let domains = [Domain::RecordFirst, Domain::RecordRest, Domain::StateNode];
    let mut seen = Vec::new();
    for domain in domains {
        for last in [0, 1] {
            assert_eq!(hash(last, domain), native(last, domain));
            seen.push(hash(last, domain));
        }
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 6, "each lane and each use has its own hash");
}

#[test]
fn no_wire_of_a_hash_can_be_set_otherwise() {
    let inputs: Vec<Fr> = (1..5).map(Fr::from).collect();
    let walk = shape_of(&inputs, &|rows, wires| {
        poseidon::hash(rows, "hash", Domain::RiskPair, wires);
    });
    let at = |terms: &Terms, values: &[Fr]| terms.iter().map(|(c, i)| *c * values[*i]).sum::<Fr>();
    let broken = |values: &[Fr]| {
        walk.rows
            .iter()
            .filter(|row| at(&row.a, values) * at(&row.b, values) != at(&row.c, values))
            .count()
    };
    assert_eq!(broken(&walk.values), 0);
    for wire in walk.instance..walk.values.len() {
        let mut values = walk.values.clone();
        values[wire] = -values[wire];
        assert!(broken(&values) > 0, "wire {wire}");
    }
}
