//! The same of the opening: public inputs, and rows of each heading against the prose.

use std::fmt::Write as _;

use anyhow::Result;
use circuits::opening::{Heading, shape};
use serde::Serialize;

use crate::lines::paragraph;
use crate::page::thousands;
use crate::system::CircuitName;
use crate::{Outcome, files};

/// The statement as prose.
pub(super) const STATEMENT: &str = include_str!("../../../../circuits/src/opening/STATEMENT.md");

/// What the public inputs mean, in their order, and who checks what about each.
const SAID: [[&str; 2]; 6] = [
    [
        "root of a province's state tree in one epoch",
        "the verifier: that the epoch's registry, which a trust list has, holds a tree head of the asked slot with it, no later than the epoch's close",
    ],
    [
        "the record's leaf",
        "nobody by itself; two openings for one person and epoch must have one leaf",
    ],
    [
        "first half of the identity number",
        "the asker, who knows it from the event",
    ],
    [
        "second half of the identity number",
        "the asker, who knows it from the event",
    ],
    [
        "what is sought: key and begin",
        "the asker, who makes it of the event",
    ],
    [
        "what is answered: conditions, and a bound on the end",
        "the asker, who gives the bound; the answer stands in the opening",
    ],
];

#[derive(Serialize)]
struct Report {
    circuit: &'static str,
    version: u32,
    matrix_sha256: String,
    constraints: usize,
    rows: usize,
    domain_rows: usize,
    witnesses: usize,
    public_inputs: Vec<Input>,
    headings: Vec<HeadingCost>,
    agrees: bool,
}

#[derive(Serialize)]
struct Input {
    name: &'static str,
    meaning: &'static str,
    checked_by: &'static str,
}

#[derive(Serialize)]
struct HeadingCost {
    name: &'static str,
    rows: usize,
    /// Rows in the table of STATEMENT.md; nothing if it has no such line.
    rows_in_prose: Option<usize>,
}

/// Prints it; 1 if the prose has other numbers of rows or the system does not fit into its domain.
pub(super) fn run(json: bool) -> Result<Outcome> {
    let report = report();
    files::print(&if json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.text()
    })?;
    if report.agrees {
        Ok(Outcome::Agrees)
    } else {
        eprintln!("auditor: STATEMENT.md and the constraint system differ, or it does not fit");
        Ok(Outcome::Differs)
    }
}

fn report() -> Report {
    let circuit = CircuitName::Opening;
    let of = circuit.identity();
    let headings: Vec<HeadingCost> = Heading::ALL
        .into_iter()
        .map(|heading| HeadingCost {
            name: heading.title(),
            rows: shape().rows_under(heading),
            rows_in_prose: in_prose(heading),
        })
        .collect();
    let inputs = of.inputs.iter().zip(SAID);
    Report {
        circuit: of.name,
        version: of.version,
        matrix_sha256: hex::encode(of.digest),
        constraints: of.constraints,
        rows: of.rows,
        domain_rows: circuit.domain_rows(),
        witnesses: of.witnesses,
        public_inputs: inputs
            .map(|(name, [meaning, checked_by])| Input {
                name,
                meaning,
                checked_by,
            })
            .collect(),
        agrees: of.rows <= circuit.domain_rows()
            && headings.iter().all(|h| h.rows_in_prose == Some(h.rows)),
        headings,
    }
}

/// Rows of a heading by the table in the prose.
fn in_prose(heading: Heading) -> Option<usize> {
    let begin = format!("| {heading} | ");
    let line = STATEMENT
        .lines()
        .find_map(|line| line.strip_prefix(&begin))?;
    let digits: String = line.chars().filter(char::is_ascii_digit).collect();
    digits.parse().ok()
}

impl Report {
    fn text(&self) -> String {
        let mut out = format!(
            "{} version {}, matrices {}\n{} constraints, {} of {} rows, {} witness wires\n\n",
            self.circuit,
            self.version,
            self.matrix_sha256,
            thousands(self.constraints),
            thousands(self.rows),
            thousands(self.domain_rows),
            thousands(self.witnesses),
        );
        for (i, input) in self.public_inputs.iter().enumerate() {
            let title = format!("  {i} {:<14}", input.name);
            paragraph(&mut out, &title, input.meaning);
            paragraph(&mut out, &" ".repeat(18), input.checked_by);
        }
        out.push('\n');
        for heading in &self.headings {
            let rows = thousands(heading.rows);
            let mark = if heading.rows_in_prose == Some(heading.rows) {
                '='
            } else {
                '≠'
            };
            let _ = writeln!(out, "  {mark} {rows:>6}  {}", heading.name);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_and_rows_agree_and_every_input_is_explained() {
        let report = report();
        assert!(report.agrees);
        assert_eq!(report.public_inputs.len(), SAID.len());
        let text = report.text();
        assert!(text.contains("7,376 of 8,192 rows"), "{text}");
        assert!(!text.contains('≠'));
    }
}
