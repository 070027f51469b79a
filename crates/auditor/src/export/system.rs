//! The rows of `clearance` with names for wires and rows.

use std::sync::LazyLock;

use circuits::clearance::{Heading, Shape, shape};
use commitment::{Fr, PUBLIC_INPUTS};
use r1cs_audit::{Names, Row, System};

/// The public inputs by name, in the order of the constraint system.
const PUBLIC_NAMES: [&str; PUBLIC_INPUTS] = [
    "registry_root",
    "risk_root",
    "rule_digest",
    "as_of",
    "claim",
    "binder",
];

/// The constraint system of `clearance`, built once from source. A witness wire is named after the heading of the first
/// row that it stands in.
pub(crate) fn system() -> &'static System<Fr> {
    static SYSTEM: LazyLock<System<Fr>> = LazyLock::new(|| {
        let shape = shape();
        let [a, b, c] = &shape.matrices;
        let sides = a.iter().zip(b).zip(c);
        let rows = sides.map(|((a, b), c)| Row {
            a: a.clone(),
            b: b.clone(),
            c: c.clone(),
        });
        let wires = shape.instance + shape.witness;
        System::new(shape.instance - 1, wires, rows.collect())
            .and_then(|system| system.with_names(names(shape)))
            .expect("the circuit's rows are in their form, each has a name")
    });
    &SYSTEM
}

fn names(shape: &Shape) -> Names {
    let mut wires: Vec<Option<String>> = vec![None; shape.instance + shape.witness];
    wires[0] = Some("one".to_owned());
    for (wire, name) in wires[1..].iter_mut().zip(PUBLIC_NAMES) {
        *wire = Some(name.to_owned());
    }
    for (row, heading) in shape.headings.iter().enumerate() {
        for (_, wire) in shape.matrices.iter().flat_map(|m| &m[row]) {
            wires[*wire].get_or_insert_with(|| format!("{heading}/wire[{wire}]"));
        }
    }
    let unused = |(n, name): (usize, Option<String>)| name.unwrap_or(format!("unused/wire[{n}]"));
    let row = |(n, heading): (usize, &Heading)| format!("{heading}/row[{n}]");
    Names {
        wires: wires.into_iter().enumerate().map(unused).collect(),
        rows: shape.headings.iter().enumerate().map(row).collect(),
    }
}
