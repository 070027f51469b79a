//! Poseidon in rows; its native twin is [`commitment::poseidon`].

use std::fmt::Display;

use ark_ff::Field;
use commitment::poseidon::{Domain, parameters};

use crate::rows::{Part, Rows, Wire};

/// The hash of `inputs` under a domain's tag, three rows for each S-box of a wire that is not constant. The first
/// argument after the rows names the place.
///
/// # Panics
/// For an arity without parameters (more than 15).
pub fn hash<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    part: impl Into<Part>,
    domain: Domain,
    inputs: &[Wire],
) -> Wire {
    let first = rows.count();
    let output = rows.within(part, |rows| permute(rows, domain, inputs));
    rows.note_hash(domain, first, inputs, &output);
    output
}

fn permute<H: Copy + PartialEq + Display>(
    rows: &mut Rows<H>,
    domain: Domain,
    inputs: &[Wire],
) -> Wire {
    let constants = parameters(inputs.len());
    let mut lanes = vec![Wire::constant(domain.tag())];
    lanes.extend_from_slice(inputs);
    let half = constants.full_rounds / 2;
    let partial = half..half + constants.partial_rounds;
    for round in 0..constants.full_rounds + constants.partial_rounds {
        let added = &constants.ark[round * constants.width..][..constants.width];
        for (lane, constant) in lanes.iter_mut().zip(added) {
            *lane = &*lane + &Wire::constant(*constant);
        }
        let (kind, boxed) = if partial.contains(&round) {
            ("partial round", 1)
        } else {
            ("full round", lanes.len())
        };
        rows.within((kind, round), |rows| {
            for (number, lane) in lanes[..boxed].iter_mut().enumerate() {
                *lane = rows.within(("lane", number), |rows| fifth_power(rows, lane));
            }
        });
        lanes = constants
            .mds
            .iter()
            .map(|row| Wire::linear(row.iter().copied().zip(&lanes)))
            .collect();
    }
    lanes.swap_remove(0)
}

fn fifth_power<H: Copy + PartialEq + Display>(rows: &mut Rows<H>, x: &Wire) -> Wire {
    if x.is_constant() {
        return Wire::constant(x.value().pow([5]));
    }
    let square = rows.product("square", x, x);
    let fourth = rows.product("fourth", &square, &square);
    rows.product("fifth", &fourth, x)
}

#[cfg(test)]
mod tests {
    use ark_bn254::Fr;

    use super::*;
    use crate::rows::Purpose;

    #[test]
    fn the_rows_compute_what_the_native_twin_computes() {
        let input = |n: u64| Fr::from(n * 7 + 1);
        for (domain, arity) in [
            (Domain::RegistryLeaf, 3),
            (Domain::RiskPair, 4),
            (Domain::StateNode, 8),
        ] {
            let values: Vec<Fr> = (0..arity).map(input).collect();
            let (mut rows, _) = Rows::new(Purpose::Assign, "a hash", &[], None);
            let wires: Vec<Wire> = values.iter().map(|v| rows.witness("input", *v)).collect();
            let hash = hash(&mut rows, "hash", domain, &wires).value();
            let native = match arity {
                3 => commitment::poseidon::hash3(domain, values[..].try_into().unwrap()),
                4 => commitment::poseidon::hash4(domain, values[..].try_into().unwrap()),
                _ => commitment::poseidon::hash8(domain, values[..].try_into().unwrap()),
            };
            assert_eq!(hash, native);
            let walk = rows.finish();
            assert!(walk.broken.is_empty());
            // 3 (8t + R_P), less the first S-box of the constant capacity lane.
            let partial = [56, 60, 63][[3, 4, 8].iter().position(|a| *a == arity).unwrap()];
            let expected = 3 * (8 * (arity + 1) + partial) - 3;
            assert_eq!(walk.count as u64, expected);
        }
    }
}
