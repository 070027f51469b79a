//! Linear equations over unknown wires: what follows from one of them, or from a few together.

use std::collections::{BTreeMap, BTreeSet};

use ark_ff::{BigInteger, PrimeField};

use super::Rule;

/// Unknown wires with their coefficients: their weighted sum is known.
pub(super) type Equation<F> = BTreeMap<usize, F>;

/// The rule by which all unknowns of an equation follow, if there are any and they do.
pub(super) fn solved<F: PrimeField>(
    equation: &Equation<F>,
    is_bit: impl Fn(usize) -> bool,
) -> Option<Rule> {
    match equation.len() {
        0 => return None,
        1 => return Some(Rule::Linear),
        _ => {}
    }
    let all_bits = equation.keys().all(|wire| is_bit(*wire));
    let distinct = all_bits && sums_are_distinct(equation.values().copied());
    distinct.then_some(Rule::Bits)
}

/// Whether no two choices of bits have the same weighted sum in the field: the weights, taken as integers around zero,
/// sum up to less than the modulus, so that equal sums are equal integers, and each weight exceeds the sum of all
/// smaller ones.
fn sums_are_distinct<F: PrimeField>(weights: impl Iterator<Item = F>) -> bool {
    let mut sizes: Vec<F::BigInt> = weights
        .map(|weight| {
            let (plus, minus) = (weight.into_bigint(), (-weight).into_bigint());
            plus.min(minus)
        })
        .collect();
    sizes.sort_unstable();
    let mut sum = F::BigInt::from(0u64);
    for size in sizes {
        if size <= sum {
            return false;
        }
        let carried = sum.add_with_carry(&size);
        if carried || sum >= F::MODULUS {
            return false;
        }
    }
    true
}

/// Whether the weighted sum of an equation over bits is reached in one way only if bits whose weights double are read
/// as numbers, each of them at most `bound`: sorted by weight, each weight exceeds what all before it can sum up to, and
/// all of them together stay below the modulus.
pub(super) fn numbers_are_distinct<F: PrimeField>(
    equation: &Equation<F>,
    is_bit: impl Fn(usize) -> bool,
    bound: impl Fn(&[usize]) -> F,
) -> bool {
    let half = F::from_bigint(F::MODULUS_MINUS_ONE_DIV_TWO).unwrap_or_default();
    if equation.is_empty() || !equation.keys().all(|wire| is_bit(*wire)) {
        return false;
    }
    // Weights of one sign: all small, or all of them just below the modulus.
    let negative = equation.values().all(|weight| *weight > half);
    let mut by_weight: BTreeMap<F, usize> = BTreeMap::new();
    for (wire, weight) in equation {
        let weight = if negative { -*weight } else { *weight };
        if weight > half || by_weight.insert(weight, *wire).is_some() {
            return false;
        }
    }
    let mut reached = F::zero();
    while let Some((unit, lowest)) = by_weight.pop_first() {
        let (mut bits, mut next) = (vec![lowest], unit.double());
        while next > unit
            && let Some(bit) = by_weight.remove(&next)
        {
            bits.push(bit);
            next.double_in_place();
        }
        let most = unit.into_bigint();
        let room = half.into_bigint();
        if unit <= reached {
            return false;
        }
        // The product stays below half of the modulus if its lengths do.
        let bound = bound(&bits);
        if most.num_bits() + bound.into_bigint().num_bits() >= room.num_bits() {
            return false;
        }
        reached += unit * bound;
        if reached > half {
            return false;
        }
    }
    true
}

/// The bound that a linear row sets to the number of `bits`: `constant − number` is a number of other bits. None if the
/// row says something else.
pub(super) fn bound_by<F: PrimeField>(
    row: &[(F, usize)],
    bits: &[usize],
    is_bit: impl Fn(usize) -> bool,
) -> Option<F> {
    let row: BTreeMap<usize, F> = row.iter().map(|(c, wire)| (*wire, *c)).collect();
    // Scaled so that the number stands with weights −1, −2, −4, …
    let scale = -row.get(&bits[0])?.inverse()?;
    let mut weight = -F::one();
    for bit in bits {
        if *row.get(bit)? * scale != weight {
            return None;
        }
        weight.double_in_place();
    }
    let constant = *row.get(&0)? * scale;
    let rest = row.iter().filter(|(w, _)| **w != 0 && !bits.contains(w));
    let mut rest: Vec<(F, usize)> = rest.map(|(wire, c)| (-*c * scale, *wire)).collect();
    rest.sort_unstable();
    let rest_len = rest.len();
    let mut weight = F::one();
    for (coefficient, wire) in rest {
        if coefficient != weight || !is_bit(wire) {
            return None;
        }
        weight.double_in_place();
    }
    // Two numbers and a constant of so few bits stay below the modulus, so what holds in the field holds among integers.
    let numbers = u32::try_from(bits.len().max(rest_len)).ok()?;
    let most = constant.into_bigint().num_bits().max(numbers);
    (most + 2 < F::MODULUS_BIT_SIZE).then_some(constant)
}

/// `equation` less so much of `other` that `wire` drops out of it. Nothing if `other` does not hold it.
pub(super) fn eliminate<F: PrimeField>(
    equation: &mut Equation<F>,
    other: &Equation<F>,
    wire: usize,
) {
    let Some(factor) = equation
        .get(&wire)
        .and_then(|c| Some(*c * other.get(&wire)?.inverse()?))
    else {
        return;
    };
    for (wire, coefficient) in other {
        let sum = equation.entry(*wire).or_default();
        *sum -= factor * coefficient;
        if sum.is_zero() {
            equation.remove(wire);
        }
    }
}

/// What follows from a few equations together, each solved by itself with what the others gave.
pub(super) fn solve_together<F: PrimeField>(
    mut equations: Vec<Equation<F>>,
    is_bit: impl Fn(usize) -> bool,
) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    loop {
        let before = found.len();
        for equation in &mut equations {
            equation.retain(|wire, _| !found.contains(wire));
            if solved(equation, &is_bit).is_some() {
                found.extend(equation.keys().copied());
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;
    use ark_ff::Field;

    use super::*;
    use crate::testing::F31;

    fn distinct(weights: &[i64]) -> bool {
        sums_are_distinct(weights.iter().map(|w| Fr::from(*w)))
    }

    #[test]
    fn weights_have_distinct_sums_if_each_exceeds_the_sum_of_the_smaller() {
        assert!(distinct(&[1, 2, 4, 8]));
        assert!(distinct(&[1, -2, 4, -8]));
        assert!(distinct(&[3, 5, 9]));
        assert!(!distinct(&[1, 2, 3]));
        assert!(!distinct(&[1, -1]));
        assert!(!distinct(&[2, 2]));
    }

    #[test]
    fn numbers_are_distinct_if_each_unit_exceeds_what_the_numbers_below_it_reach() {
        // Two bits at 1, 2 and two at 3·1, 3·2: distinct only if the lower number is at most 2.
        let equation: Equation<Fr> = [(5, 1u64), (6, 2), (7, 3), (8, 6)]
            .map(|(wire, weight)| (wire, Fr::from(weight)))
            .into();
        let bounded = |lower: u64| {
            let bound = |bits: &[usize]| Fr::from(if bits[0] == 5 { lower } else { 3 });
            numbers_are_distinct(&equation, |_| true, bound)
        };
        assert!(bounded(2));
        assert!(!bounded(3));
        let negative = equation.iter().map(|(w, c)| (*w, -*c)).collect();
        let bound = |bits: &[usize]| Fr::from(if bits[0] == 5 { 2 } else { 3 });
        assert!(numbers_are_distinct(&negative, |_| true, bound));
        assert!(!numbers_are_distinct(&negative, |wire| wire != 8, bound));
    }

    #[test]
    fn a_row_bounds_a_number_by_a_constant_less_other_bits() {
        let row = |constant: i64, last: i64| -> Vec<(Fr, usize)> {
            [(constant, 0), (-1, 1), (-2, 2), (-1, 3), (last, 4)]
                .map(|(c, w)| (Fr::from(c), w))
                .to_vec()
        };
        let bound = |row: &[(Fr, usize)], bits: &[usize]| bound_by(row, bits, |w| w > 0);
        assert_eq!(bound(&row(2, -2), &[1, 2]), Some(Fr::from(2)));
        assert_eq!(bound(&row(2, -3), &[1, 2]), None);
        assert_eq!(bound(&row(2, -2), &[2, 1]), None);
        assert_eq!(bound_by(&row(2, -2), &[1, 2], |w| w < 4), None);
        // Not a bound but the other way: number less constant.
        let turned = vec![(Fr::from(-2), 0), (Fr::from(1), 1), (Fr::from(-1), 3)];
        assert_eq!(bound(&turned, &[1]), None);
    }

    #[test]
    fn numbers_that_reach_the_modulus_bound_nothing() {
        // Modulo 31, two less any number of two bits is a number of five bits.
        let row = |width: u32| -> Vec<(F31, usize)> {
            let rest = (0..width).map(|i| (-F31::from(1u64 << i), 3 + i as usize));
            let number = [(2, 0), (-1, 1), (-2, 2)].map(|(c, w)| (F31::from(c), w));
            number.into_iter().chain(rest).collect()
        };
        let bound = |width| bound_by(&row(width), &[1, 2], |w| w > 0);
        assert_eq!(bound(2), Some(F31::from(2)));
        assert_eq!(bound(5), None);
    }

    #[test]
    fn weights_that_sum_up_to_the_modulus_have_sums_that_meet() {
        let powers = |n: usize| (0..n).map(|i| Fr::from(2u64).pow([i as u64]));
        // 2^253 − 1 is below the modulus, 2^254 − 1 above: zero and the modulus would be one sum.
        assert!(sums_are_distinct(powers(253)));
        assert!(!sums_are_distinct(powers(254)));
    }
}
