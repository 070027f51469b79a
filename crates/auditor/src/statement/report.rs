//! What `statement` says, to machines and on a terminal.

use std::fmt::Write as _;

use circuits::clearance::Heading;
use serde::Serialize;

use super::costs::{By, Costs, Part};
use super::words::{CAPACITIES, Capacity, Input, inputs};
use super::{STATEMENT, chart};
use crate::lines::paragraph;
use crate::page::{Bar, Chart, thousands};
use crate::system::{CIRCUIT, DOMAIN_ROWS};

/// What `statement` prints.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) circuit: &'static str,
    pub(super) version: u32,
    pub(super) matrix_sha256: String,
    /// Rows of the statement's own, those of headings.
    pub(super) constraints: usize,
    /// With a row for each instance variable, as the proof system counts.
    pub(super) rows: usize,
    /// Rows that the proof system's domain holds.
    pub(super) domain_rows: usize,
    pub(super) witnesses: usize,
    pub(super) public_inputs: [Input; 6],
    pub(super) headings: Vec<HeadingCost>,
    selection: Selection,
    pub(super) capacities: [Capacity; 15],
    agrees: bool,
}

/// A heading with what the source and the prose say of it.
#[derive(Serialize)]
pub(super) struct HeadingCost {
    #[serde(flatten)]
    pub(super) part: Part,
    /// Rows in the table of STATEMENT.md; nothing if it has no such line.
    pub(super) rows_in_prose: Option<usize>,
}

impl HeadingCost {
    pub(super) fn agrees(&self) -> bool {
        self.rows_in_prose == Some(self.part.rows)
    }
}

/// The parts that were asked for.
#[derive(Serialize)]
pub(super) struct Selection {
    #[serde(skip_serializing_if = "Option::is_none")]
    heading: Option<&'static str>,
    by: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    depth: Option<usize>,
    rows: usize,
    parts: Vec<Part>,
}

impl Selection {
    pub(super) fn new(costs: &Costs, heading: Option<Heading>, by: By) -> Self {
        let parts = costs.parts(heading, by);
        let (by, depth) = match by {
            By::Part(depth) => ("part", Some(depth)),
            By::Gadget => ("gadget", None),
        };
        Self {
            heading: heading.map(Heading::title),
            by,
            depth,
            rows: parts.iter().map(|part| part.rows).sum(),
            parts,
        }
    }

    fn title(&self) -> String {
        let of = self.heading.unwrap_or("the statement");
        match (self.by, self.depth) {
            ("gadget", _) => format!("Rows of {of}, by gadget"),
            (_, Some(1)) => format!("Rows of {of}, by heading"),
            _ => format!("Rows of {of}, by part"),
        }
    }

    /// The bars as a drawing.
    pub(super) fn drawing(&self) -> Chart {
        drawing(&self.title(), &self.parts, self.rows)
    }

    /// The bars in lines of text.
    fn lines(&self, out: &mut String, width: Option<usize>) {
        let longest = self.parts.iter().map(|p| p.name.chars().count());
        let longest = longest.max().unwrap_or(0);
        let line = |part: &Part| {
            let wires = part.wires.map_or_else(String::new, thousands);
            let line = format!(
                "  {:<longest$} {:>7} {:>7} {:>7}",
                part.name,
                thousands(part.rows),
                percent(part.rows, self.rows),
                wires
            );
            (line.trim_end().to_owned(), part.rows)
        };
        let lines: Vec<_> = self.parts.iter().map(line).collect();
        let most = self.parts.iter().map(|p| p.rows).max().unwrap_or(0);
        let wires = if self.by == "gadget" { "" } else { "wires" };
        let _ = writeln!(out, "{}", self.title());
        let heads = format!("  {:<longest$} {:>7} {:>7} {wires:>7}", "", "rows", "share");
        let _ = writeln!(out, "{}", heads.trim_end());
        out.push_str(&chart::with_bars(&lines, most, width));
        let _ = writeln!(
            out,
            "  {:<longest$} {:>7}",
            "together",
            thousands(self.rows)
        );
    }
}

impl Report {
    pub(super) fn new(costs: &Costs, selection: Selection) -> Self {
        let shape = costs.shape;
        let (circuit, version) = CIRCUIT;
        let headings = costs.headings().into_iter().map(|part| HeadingCost {
            rows_in_prose: rows_in_prose(&part.name),
            part,
        });
        let mut report = Self {
            circuit,
            version,
            matrix_sha256: hex::encode(shape.digest()),
            constraints: shape.constraints(),
            rows: shape.rows(),
            domain_rows: DOMAIN_ROWS,
            witnesses: shape.witness,
            public_inputs: inputs(),
            headings: headings.collect(),
            selection,
            capacities: CAPACITIES,
            agrees: false,
        };
        report.agrees = report.differences().is_empty();
        report
    }

    pub(super) const fn selection(&self) -> &Selection {
        &self.selection
    }

    pub(super) const fn fits(&self) -> bool {
        self.rows <= self.domain_rows
    }

    /// What does not agree, a sentence each.
    pub(super) fn differences(&self) -> Vec<String> {
        let prose = self.headings.iter().filter(|h| !h.agrees()).map(|h| {
            let said = h.rows_in_prose.map_or("no rows".to_owned(), thousands);
            format!(
                "{}: {} rows as built from source, {said} in the table of STATEMENT.md",
                h.part.name,
                thousands(h.part.rows)
            )
        });
        let size = (!self.fits()).then(|| {
            format!(
                "{} rows do not fit into a domain of {}",
                thousands(self.rows),
                thousands(self.domain_rows)
            )
        });
        prose.chain(size).collect()
    }

    /// How much of the domain is used, in words.
    pub(super) fn used(&self) -> String {
        format!(
            "{} of {} rows of the proof system's domain ({}): {} constraints and {} instance variables; {} witness wires",
            thousands(self.rows),
            thousands(self.domain_rows),
            percent(self.rows, self.domain_rows),
            thousands(self.constraints),
            self.rows - self.constraints,
            thousands(self.witnesses)
        )
    }

    /// For a terminal of this width; without bars if there is none.
    pub(super) fn text(&self, width: Option<usize>) -> String {
        let mut out = format!(
            "{} version {}, as built from source\n  matrix SHA-256 {}\n",
            self.circuit, self.version, self.matrix_sha256
        );
        paragraph(&mut out, "  ", &self.used());
        let whole = self.selection.heading.is_none();
        if whole {
            out.push_str("\nPublic inputs\n");
            for input in &self.public_inputs {
                let _ = writeln!(out, "  {}", input.name);
                paragraph(&mut out, "    is       ", input.meaning);
                paragraph(&mut out, "    checked  ", input.checked_by);
            }
        }
        out.push('\n');
        self.selection.lines(&mut out, width);
        if whole {
            out.push_str("\nCapacities\n");
            for c in &self.capacities {
                let title = format!("  {:>10} {:<35}", thousands(c.value), c.what);
                paragraph(&mut out, &title, c.note);
            }
        }
        out
    }
}

/// Bars of parts with their shares of so many rows.
pub(super) fn drawing(title: &str, parts: &[Part], rows: usize) -> Chart {
    let bar = |part: &Part| Bar::new(&part.name, part.rows, &percent(part.rows, rows));
    Chart::new(title, "rows", parts.iter().map(bar))
}

/// A share with one decimal, rounded.
pub(super) fn percent(part: usize, whole: usize) -> String {
    let thousandths = (part * 2_000 + whole)
        .checked_div(2 * whole)
        .unwrap_or_default();
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}

/// The rows that the prose's table gives a heading.
fn rows_in_prose(heading: &str) -> Option<usize> {
    let cell = format!("| {heading} | ");
    let line = STATEMENT.lines().find_map(|l| l.strip_prefix(&cell))?;
    let (rows, _) = line.split_once(" |")?;
    rows.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_to_a_decimal() {
        for (part, whole, text) in [
            (1, 3, "33.3 %"),
            (2, 3, "66.7 %"),
            (3, 3, "100.0 %"),
            (1, 2_000, "0.1 %"),
            (0, 0, "0.0 %"),
        ] {
            assert_eq!(percent(part, whole), text);
        }
    }

    #[test]
    fn a_row_that_the_prose_does_not_have_is_a_difference() {
        let costs = Costs::count();
        let mut report = Report::new(&costs, Selection::new(&costs, None, By::Gadget));
        assert_eq!(report.differences(), [""; 0]);
        assert!(report.agrees);
        report.headings[0].rows_in_prose = None;
        report.headings[1].part.rows += 1;
        report.rows = DOMAIN_ROWS + 1;
        let differences = report.differences();
        assert_eq!(differences.len(), 3);
        assert!(differences[0].contains("Registry membership"));
        assert!(differences[2].contains("do not fit"));
    }
}
