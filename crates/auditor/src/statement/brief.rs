//! The same of the other circuits: public inputs, and rows of each heading against the prose.

use std::fmt::Write as _;

use anyhow::Result;
use circuits::vector::Tried;
use circuits::{Opening, Pseudonym};
use serde::Serialize;

use crate::lines::paragraph;
use crate::page::thousands;
use crate::system::CircuitName;
use crate::{Outcome, files};

/// What the opening's public inputs mean, in their order, and who checks what about each.
const OPENING: [[&str; 2]; 6] = [
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

/// The same of a pseudonym's.
const PSEUDONYM: [[&str; 2]; 6] = [
    [
        "root over the federation's tree heads of an epoch",
        "the verifier, who has it from a trust list by the pass's epoch",
    ],
    [
        "the epoch's closing minute",
        "the verifier, who has it from the same place",
    ],
    [
        "who asks",
        "the verifier, who makes it of its own name, as the trust list or its certificate has it",
    ],
    [
        "which of the scope's spans, zero for one without end",
        "the verifier, by what is said beside the scope",
    ],
    [
        "what the resident is called there",
        "nobody: it is what is shown",
    ],
    [
        "who may show it",
        "the verifier, who computes it from the pass that it is shown with",
    ],
];

/// A circuit of which there is this much.
pub(super) struct Brief {
    circuit: CircuitName,
    /// The statement as prose.
    pub(super) prose: &'static str,
    said: [[&'static str; 2]; 6],
    /// Headings with their rows, in their order.
    headings: Vec<(String, usize)>,
}

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
    name: String,
    rows: usize,
    /// Rows in the table of STATEMENT.md; nothing if it has no such line.
    rows_in_prose: Option<usize>,
}

impl Brief {
    /// What there is of a circuit; of that of passes there is more.
    pub(super) fn of(circuit: CircuitName) -> Option<Self> {
        let (prose, said, headings) = match circuit {
            CircuitName::Clearance => return None,
            CircuitName::Opening => (
                include_str!("../../../../circuits/src/opening/STATEMENT.md"),
                OPENING,
                headings::<Opening>(),
            ),
            CircuitName::Pseudonym => (
                include_str!("../../../../circuits/src/pseudonym/STATEMENT.md"),
                PSEUDONYM,
                headings::<Pseudonym>(),
            ),
        };
        Some(Self {
            circuit,
            prose,
            said,
            headings,
        })
    }

    /// Prints it; 1 if the prose has other numbers of rows or the system does not fit into its domain.
    pub(super) fn run(&self, json: bool) -> Result<Outcome> {
        let report = self.report();
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

    fn report(&self) -> Report {
        let of = self.circuit.identity();
        let headings: Vec<HeadingCost> = self
            .headings
            .iter()
            .map(|(name, rows)| HeadingCost {
                name: name.clone(),
                rows: *rows,
                rows_in_prose: self.in_prose(name),
            })
            .collect();
        let inputs = of.inputs.iter().zip(self.said);
        Report {
            circuit: of.name,
            version: of.version,
            matrix_sha256: hex::encode(of.digest),
            constraints: of.constraints,
            rows: of.rows,
            domain_rows: self.circuit.domain_rows(),
            witnesses: of.witnesses,
            public_inputs: inputs
                .map(|(name, [meaning, checked_by])| Input {
                    name,
                    meaning,
                    checked_by,
                })
                .collect(),
            agrees: of.rows <= self.circuit.domain_rows()
                && headings.iter().all(|h| h.rows_in_prose == Some(h.rows)),
            headings,
        }
    }

    /// Rows of a heading by the table in the prose.
    fn in_prose(&self, heading: &str) -> Option<usize> {
        let begin = format!("| {heading} | ");
        let line = self
            .prose
            .lines()
            .find_map(|line| line.strip_prefix(&begin))?;
        let digits: String = line.chars().filter(char::is_ascii_digit).collect();
        digits.parse().ok()
    }
}

fn headings<C: Tried>() -> Vec<(String, usize)> {
    let rows = |heading: &C::Heading| (heading.to_string(), C::shape().rows_under(*heading));
    C::HEADINGS.iter().map(rows).collect()
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
        for (circuit, rows) in [
            (CircuitName::Opening, "7,376 of 8,192 rows"),
            (CircuitName::Pseudonym, "5,906 of 8,192 rows"),
        ] {
            let report = Brief::of(circuit).unwrap().report();
            assert!(report.agrees);
            assert_eq!(report.public_inputs.len(), 6);
            let text = report.text();
            assert!(text.contains(rows), "{text}");
            assert!(!text.contains('≠'));
        }
        assert!(Brief::of(CircuitName::Clearance).is_none());
    }
}
