//! An `.r1cs` file against the circuit as built from source.

use std::path::Path;

use anyhow::{Context, Result};
use commitment::Fr;
use r1cs_audit::System;
use r1cs_audit::format::{MAX_FILE_BYTES, r1cs};
use serde::Serialize;

use crate::system::system;
use crate::{Outcome, files};

/// What `export --read` prints.
#[derive(Serialize)]
struct Report {
    file: String,
    public_inputs: usize,
    wires: usize,
    rows: usize,
    same: bool,
    /// The first thing that differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<String>,
}

pub(super) fn run(file: &Path, json: bool) -> Result<Outcome> {
    let shown = file.display().to_string();
    let bytes = files::read(file, MAX_FILE_BYTES)?;
    let read = r1cs::read::<Fr>(&bytes).with_context(|| format!("{shown} is refused"))?;
    let difference = difference(system(), &read);
    let report = Report {
        file: shown,
        public_inputs: read.public(),
        wires: read.wires(),
        rows: read.rows().len(),
        same: difference.is_none(),
        difference,
    };
    if json {
        files::print(&(serde_json::to_string_pretty(&report)? + "\n"))?;
    } else {
        let is = report
            .difference
            .as_ref()
            .map_or("the circuit as built from source", |_| "another system");
        files::print(&format!(
            "{}: {} rows, {} wires, {} public inputs: {is}\n",
            report.file, report.rows, report.wires, report.public_inputs
        ))?;
    }
    match report.difference {
        None => Ok(Outcome::Agrees),
        Some(difference) => {
            eprintln!("auditor: {difference}");
            Ok(Outcome::Differs)
        }
    }
}

/// The first thing in which `read` differs from `source`.
fn difference(source: &System<Fr>, read: &System<Fr>) -> Option<String> {
    for (what, own, other) in [
        ("public inputs", source.public(), read.public()),
        ("wires", source.wires(), read.wires()),
    ] {
        if own != other {
            return Some(format!("{other} {what}, and the source gives {own}"));
        }
    }
    let rows = source.rows().iter().zip(read.rows());
    for (number, (own, other)) in rows.enumerate() {
        let sides = [
            ("a", &own.a, &other.a),
            ("b", &own.b, &other.b),
            ("c", &own.c, &other.c),
        ];
        if let Some((side, ..)) = sides.iter().find(|(_, own, other)| own != other) {
            let name = &source.names().rows[number];
            return Some(format!(
                "row {number} ({name}) differs from the source in side {side}"
            ));
        }
    }
    let (own, other) = (source.rows().len(), read.rows().len());
    (own != other).then(|| format!("{other} rows, and the source gives {own}"))
}

#[cfg(test)]
mod tests {
    use r1cs_audit::Row;

    use super::*;

    #[test]
    fn the_first_row_that_differs_is_named() {
        let term = |wire| vec![(Fr::from(1), wire)];
        let row = |c| Row {
            a: term(1),
            b: term(2),
            c: term(c),
        };
        let of = |wires, rows| System::new(1, wires, rows).unwrap();
        let source = of(4, vec![row(3), row(2)]);
        assert_eq!(difference(&source, &source), None);
        for (read, says) in [
            (of(4, vec![row(3), row(1)]), "row 1 (row[1])"),
            (of(4, vec![row(3)]), "1 rows"),
            (of(4, vec![row(3), row(2), row(2)]), "3 rows"),
            (of(5, vec![row(3), row(2)]), "5 wires"),
            (
                System::new(2, 4, vec![row(3), row(2)]).unwrap(),
                "2 public inputs",
            ),
        ] {
            let found = difference(&source, &read).unwrap();
            assert!(found.contains(says), "{found}");
        }
    }
}
