//! The constraint system of `clearance` as the searches read it.

use std::sync::LazyLock;

use circuits::clearance::{names, shape};
use commitment::Fr;
use r1cs_audit::{Binding, Names, Row, System};

/// The circuit that this program is built with: its name and its version.
pub(crate) const CIRCUIT: (&str, u32) = ("clearance", 1);
/// Rows that the proof system's domain holds; a circuit with more would need a larger one.
pub(crate) const DOMAIN_ROWS: usize = 1 << 15;

/// Rows, names, and the hashes that are assumed to bind, rebuilt from source once.
pub(crate) fn system() -> &'static System<Fr> {
    static SYSTEM: LazyLock<System<Fr>> = LazyLock::new(build);
    &SYSTEM
}

fn build() -> System<Fr> {
    let shape = shape();
    let [a, b, c] = &shape.matrices;
    let rows = a.iter().zip(b).zip(c).map(|((a, b), c)| Row {
        a: a.clone(),
        b: b.clone(),
        c: c.clone(),
    });
    let names = names();
    let bindings = shape.hashes.iter().map(|hash| Binding {
        name: scope(&names.rows[hash.rows.0]),
        rows: hash.rows,
        inputs: hash.inputs.clone(),
        output: hash.output.clone(),
    });
    let bindings = bindings.collect();
    let names = Names {
        wires: names.wires,
        rows: names.rows,
    };
    System::new(
        shape.instance - 1,
        shape.instance + shape.witness,
        rows.collect(),
    )
    .and_then(|system| system.with_names(names))
    .and_then(|system| system.with_bindings(bindings))
    .expect("the shape is a system")
}

/// The hash that a row of its first round stands in.
fn scope(row: &str) -> String {
    let end = row.find("/full round").unwrap_or(row.len());
    row[..end].to_owned()
}
