//! Rows and wires of the constraint system, counted by heading, by part of their names, and by gadget.

use std::collections::BTreeMap;

use circuits::clearance::{Heading, Shape, WireNames, names, shape};
use r1cs_audit::kind_of;
use serde::Serialize;

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// So many pieces of their names, indices left out; 1 is the heading.
    Part(usize),
    /// What made them.
    Gadget,
}

/// What a row was made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gadget {
    Hash,
    Bits,
    Choice,
    Own,
}

impl Gadget {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Hash => "Poseidon hashes",
            Self::Bits => "bits, of ranges and comparisons",
            Self::Choice => "choices of one among several",
            Self::Own => "rows of a heading's own",
        }
    }
}

/// A part of the statement with its rows, and the wires that are named there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) rows: usize,
    /// Witness wires; where rows are sorted by gadget, wires are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wires: Option<usize>,
}

/// The constraint system with its names.
pub(super) struct Costs {
    pub(super) shape: &'static Shape,
    names: WireNames,
    gadgets: Vec<Gadget>,
}

impl Costs {
    /// Builds the system from source.
    pub(super) fn count() -> Self {
        let (shape, names) = (shape(), names());
        let gadgets = gadgets(shape, &names.rows);
        Self {
            shape,
            names,
            gadgets,
        }
    }

    /// The headings in their order.
    pub(super) fn headings(&self) -> Vec<Part> {
        let part = |heading: Heading| Part {
            name: heading.to_string(),
            rows: self.shape.rows_under(heading),
            wires: Some(self.witness().filter(|w| stands_under(w, heading)).count()),
        };
        Heading::ALL.map(part).into()
    }

    /// The parts of a heading, or of all; the greatest first, but headings in their order.
    pub(super) fn parts(&self, of: Option<Heading>, by: By) -> Vec<Part> {
        if (of, by) == (None, By::Part(1)) {
            return self.headings();
        }
        let own = |row: &usize| of.is_none_or(|h| self.shape.headings[*row] == h);
        let rows = (0..self.shape.constraints()).filter(own);
        let mut parts = match by {
            By::Gadget => tally(rows.map(|row| self.gadgets[row].words().to_owned()))
                .into_iter()
                .map(|(name, rows)| Part {
                    name,
                    rows,
                    wires: None,
                })
                .collect::<Vec<_>>(),
            By::Part(depth) => {
                let rows = tally(rows.map(|row| cut(&self.names.rows[row], depth)));
                let wires = (self.witness())
                    .filter(|wire| of.is_none_or(|heading| stands_under(wire, heading)));
                let wires = tally(wires.map(|wire| cut(wire, depth)));
                let names: Vec<&String> = {
                    let mut all: Vec<_> = rows.keys().chain(wires.keys()).collect();
                    all.sort_unstable();
                    all.dedup();
                    all
                };
                let part = |name: &String| Part {
                    name: name.clone(),
                    rows: rows.get(name).copied().unwrap_or(0),
                    wires: Some(wires.get(name).copied().unwrap_or(0)),
                };
                names.into_iter().map(part).collect()
            }
        };
        parts.sort_by_key(|part| std::cmp::Reverse(part.rows));
        parts
    }

    fn witness(&self) -> impl Iterator<Item = &str> {
        self.names.wires[self.shape.instance..]
            .iter()
            .map(String::as_str)
    }
}

fn stands_under(wire: &str, heading: Heading) -> bool {
    wire.split_once('/')
        .is_some_and(|(first, _)| first == heading.title())
}

fn tally(names: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for name in names {
        *all.entry(name).or_default() += 1;
    }
    all
}

/// The first pieces of a name, indices left out.
fn cut(name: &str, pieces: usize) -> String {
    let kind = kind_of(name);
    let end = kind.match_indices('/').nth(pieces - 1);
    end.map_or(&*kind, |(at, _)| &kind[..at]).to_owned()
}

/// Hashes say which rows they take; bits and choices are told by the names that their gadgets give.
fn gadgets(shape: &Shape, rows: &[String]) -> Vec<Gadget> {
    let by_name = |name: &String| match name.rsplit_once('/') {
        Some((_, last)) if last.starts_with("bit[") => Gadget::Bits,
        Some((_, last)) if last.starts_with("split[") => Gadget::Choice,
        _ => Gadget::Own,
    };
    let mut gadgets: Vec<Gadget> = rows.iter().map(by_name).collect();
    for hash in &shape.hashes {
        gadgets[hash.rows.0..hash.rows.1].fill(Gadget::Hash);
    }
    gadgets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_rows_are_sorted_none_is_lost_and_none_counted_twice() {
        let costs = Costs::count();
        let sum = |parts: &[Part]| parts.iter().map(|p| p.rows).sum::<usize>();
        let all = costs.shape.constraints();
        for by in (1..=8).map(By::Part).chain([By::Gadget]) {
            assert_eq!(sum(&costs.parts(None, by)), all, "{by:?}");
            for (heading, part) in Heading::ALL.into_iter().zip(costs.headings()) {
                let parts = costs.parts(Some(heading), by);
                assert_eq!(sum(&parts), part.rows, "{heading} {by:?}");
                if by != By::Gadget {
                    let wires: Option<usize> = parts.iter().map(|p| p.wires).sum();
                    assert_eq!(wires, part.wires, "{heading} {by:?}");
                }
            }
        }
        let wires: Option<usize> = costs.headings().iter().map(|p| p.wires).sum();
        assert_eq!(wires, Some(costs.shape.witness));
    }

    #[test]
    fn the_rows_of_hashes_are_those_of_their_rounds() {
        let costs = Costs::count();
        for (name, gadget) in costs.names.rows.iter().zip(&costs.gadgets) {
            let in_a_round = name.contains("/full round[") || name.contains("/partial round[");
            assert_eq!(in_a_round, *gadget == Gadget::Hash, "{name}");
        }
    }

    #[test]
    fn a_name_is_cut_after_so_many_pieces() {
        for (pieces, expected) in [
            (1, "a, b"),
            (2, "a, b/c[]"),
            (3, "a, b/c[]/d"),
            (9, "a, b/c[]/d"),
        ] {
            assert_eq!(cut("a, b/c[3]/d", pieces), expected);
        }
    }
}
