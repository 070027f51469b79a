//! The constraint system of `clearance` as the searches read it.

use circuits::clearance::{names, shape};
use commitment::Fr;
use r1cs_audit::{Binding, Names, Row, System};

/// Rows, names, and the hashes that are assumed to bind, rebuilt from source.
pub(crate) fn clearance() -> System<Fr> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use r1cs_audit::determinism::{Index, Rule, follow};
    use std::collections::BTreeMap;

    #[test]
    fn scratch() {
        let s = clearance();
        let t = std::time::Instant::now();
        let index = Index::new(&s);
        println!("index {:?}", t.elapsed());
        let choice = |name: &str| {
            let k = r1cs_audit::kind_of(name);
            [
                "/level[]/position/bit[]",
                "/half",
                "/interval/bit[]",
                "/entry[]/slot/bit[]",
                "must equal",
                "local/inverse",
                "/slot[]/key/bit[]",
                "/slot[]/anchor/day/bit[]",
                "/slot[]/anchor/minute/bit[]",
                "/lapsed",
                "inverse of lapse",
                "/cleared",
                "/alternative",
                "Clearing/slot[]/negative[]/bit[]",
                "/no check-ins/inverse",
                "Clearing/slot[]/run/bit[]",
                "/first day",
                "Test age/position/bit[]",
            ]
            .iter()
            .any(|e| k.ends_with(e))
        };
        let given: Vec<usize> = (0..s.wires())
            .filter(|w| choice(&s.names().wires[*w]))
            .collect();
        println!("given {}", given.len());
        let t = std::time::Instant::now();
        let f = follow(&s, &index, &given, &[]);
        println!("follow {:?}", t.elapsed());
        for r in Rule::ALL {
            println!("{} {}", r.word(), f.by(r));
        }
        let mut open: BTreeMap<String, usize> = BTreeMap::new();
        for w in f.open() {
            *open
                .entry(r1cs_audit::kind_of(&s.names().wires[w]))
                .or_default() += 1;
        }
        for (k, c) in open {
            println!("OPEN {c} {k}");
        }
    }
}
