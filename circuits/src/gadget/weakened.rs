//! Each gadget whole, and weakened by any one of its rows: what it computes follows from what goes in, and no longer does.

use std::collections::BTreeSet;

use ark_bn254::Fr;
use commitment::poseidon::Domain;
use commitment::{MerklePath, Tree};
use r1cs_audit::determinism::{Index, follow};
use r1cs_audit::{Names, Row, System};

use super::{bits, merkle, mux, poseidon};
use crate::rows::{Purpose, Rows, Wire};

type Walking = Rows<&'static str>;

/// A gadget between its inputs.
type Gadget = Box<dyn Fn(&mut Walking, &[Wire])>;

/// Inputs of a gadget, wires that are the prover's to choose in it, and the gadget.
struct Case {
    name: &'static str,
    inputs: usize,
    /// How many of the inputs are bits by rows of their own.
    bits: usize,
    /// Ends of names of wires that are given, too.
    chosen: &'static [&'static str],
    /// Ends of names of wires that need not follow.
    idle: &'static [&'static str],
    gadget: Gadget,
}

impl Case {
    fn system(&self) -> System<Fr> {
        let walk = |purpose| {
            let (mut rows, _) = Rows::new(purpose, "gadget", &[], None);
            let inputs: Vec<Wire> = (0..self.inputs)
                .map(|i| {
                    if i < self.bits {
                        bits::bit(&mut rows, ("input", i), false)
                    } else {
                        rows.witness_u64(("input", i), 0)
                    }
                })
                .collect();
            (self.gadget)(&mut rows, &inputs);
            rows.finish()
        };
        let (shape, names) = (walk(Purpose::Shape), walk(Purpose::Names));
        let rows = shape.rows.into_iter().map(|row| Row {
            a: row.a,
            b: row.b,
            c: row.c,
        });
        System::new(0, shape.values.len(), rows.collect())
            .and_then(|system| {
                system.with_names(Names {
                    wires: names.wire_names,
                    rows: names.row_names,
                })
            })
            .unwrap()
    }

    /// The names of wires that do not follow if some rows are left out.
    fn open(&self, system: &System<Fr>, index: &Index<Fr>, without: &[usize]) -> BTreeSet<String> {
        let names = &system.names().wires;
        let is_given = |name: &String| {
            name.starts_with("gadget/input[") || self.chosen.iter().any(|end| name.contains(end))
        };
        let given: Vec<usize> = (0..names.len()).filter(|w| is_given(&names[*w])).collect();
        let open = follow(system, index, &given, without)
            .open()
            .collect::<Vec<_>>();
        let open = open.into_iter().map(|wire| names[wire].clone());
        open.filter(|name| !self.idle.iter().any(|end| name.ends_with(end)))
            .collect()
    }
}

fn cases() -> Vec<Case> {
    let case = |name, inputs, bits, gadget: Gadget| Case {
        name,
        inputs,
        bits,
        chosen: &[],
        idle: &[],
        gadget,
    };
    vec![
        case(
            "bits",
            1,
            0,
            Box::new(|rows, i| {
                bits::bits(rows, "bits", &i[0], 26);
            }),
        ),
        case(
            "a range under a gate",
            2,
            0,
            Box::new(|rows, i| {
                bits::range_if(rows, "range", &i[0], &i[1], 27);
            }),
        ),
        case(
            "not negative",
            1,
            0,
            Box::new(|rows, i| {
                bits::not_negative(rows, "sign", &i[0], 26);
            }),
        ),
        Case {
            idle: &["inverse"],
            ..case(
                "zero or not",
                1,
                0,
                Box::new(|rows, i| {
                    bits::is_zero(rows, "zero", &i[0]);
                }),
            )
        },
        case(
            "any of four",
            4,
            4,
            Box::new(|rows, i| {
                bits::any(rows, "any", i);
            }),
        ),
        case(
            "one of two",
            3,
            1,
            Box::new(|rows, i| {
                mux::choose(rows, "chosen", &i[0], &i[1], &i[2]);
            }),
        ),
        case(
            "one of six",
            9,
            3,
            Box::new(|rows, i| {
                mux::select(rows, "chosen", &i[..3], &i[3..]);
            }),
        ),
        case(
            "a hash of three",
            3,
            0,
            Box::new(|rows, i| {
                poseidon::hash(rows, "hash", Domain::RegistryLeaf, i);
            }),
        ),
        Case {
            // Children and position give the leaf away.
            chosen: &["/position/bit", "/child["],
            ..case(
                "a leaf of a path",
                0,
                0,
                Box::new(|rows, _| {
                    let leaf = rows.witness_u64("leaf", 0);
                    let path = MerklePath {
                        index: 0,
                        levels: vec![[Fr::from(0u64); 8]; 1],
                    };
                    merkle::root(rows, Tree::Registry, &leaf, &path);
                }),
            )
        },
    ]
}

#[test]
fn what_a_gadget_computes_follows_and_without_any_one_of_its_rows_it_does_not() {
    for case in cases() {
        let system = case.system();
        let index = Index::new(&system);
        assert_eq!(
            case.open(&system, &index, &[]),
            BTreeSet::new(),
            "{}",
            case.name
        );
        for (row, name) in system.names().rows.iter().enumerate() {
            let own = name.starts_with("gadget/input[");
            let chosen = name.contains("/position/bit");
            if !own && !chosen {
                let open = case.open(&system, &index, &[row]);
                assert!(!open.is_empty(), "{} without {name}", case.name);
            }
        }
    }
}

#[test]
fn a_range_as_wide_as_the_field_does_not_follow() {
    for (width, follows) in [(253, true), (254, false)] {
        let case = Case {
            name: "bits",
            inputs: 1,
            bits: 0,
            chosen: &[],
            idle: &[],
            gadget: Box::new(move |rows, i| {
                let bits = bits::free_bits(rows, "bits", Fr::from(0u64), width);
                let doubled = bits
                    .iter()
                    .rev()
                    .fold(Wire::constant(0u64), |sum, bit| &(&sum * 2) + bit);
                rows.equal("sum", &i[0], &doubled);
            }),
        };
        let system = case.system();
        let open = case.open(&system, &Index::new(&system), &[]);
        assert_eq!(open.is_empty(), follows, "{width} bits");
    }
}
