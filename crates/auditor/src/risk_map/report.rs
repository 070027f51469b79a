//! What `risk-map` says, to machines and to people.

use std::fmt::Write;

use risk_list::{BuiltMap, Counts, FactTable};
use rules::{Grade, Minute};
use serde::Serialize;

/// Unresolved names that the text form prints; the JSON form has all.
const NAMES_IN_TEXT: usize = 40;

#[derive(Serialize)]
pub(crate) struct Report {
    /// Listed strings over all lists.
    entries: u64,
    /// Of these, to a county or finer.
    resolved: u64,
    /// Of these, to a township or finer.
    resolved_township: u64,
    /// Of the resolved, naming a whole county.
    whole_county: u64,
    /// Not resolved to a township, and naming neither a township nor a community.
    bare: u64,
    /// Strings that no county was found for.
    unresolved_entries: u64,
    /// Of these, kept as sites under their city or province.
    kept_coarse: u64,
    /// Strings that repeat their own list.
    duplicates: u64,
    /// Each unresolved name once.
    unresolved: Vec<String>,
    lists: Vec<ListReport>,
    facts: usize,
    intervals: usize,
    dropped_past: usize,
    dropped_low: usize,
    joined: usize,
    pub(crate) root: String,
}

#[derive(Serialize)]
struct ListReport {
    updated: String,
    updated_min: Minute,
    grade: Grade,
    entries: u64,
    resolved: u64,
    resolved_township: u64,
    whole_county: u64,
    bare: u64,
    duplicates: u64,
}

impl Report {
    pub(crate) fn new(table: &FactTable, built: &BuiltMap, root: String) -> Self {
        let Counts {
            entries,
            resolved,
            township,
            whole_county,
            bare,
            coarse,
            duplicates,
        } = table.total();
        let mut unresolved: Vec<String> = table.unplaced().iter().map(|u| u.text.clone()).collect();
        unresolved.sort_unstable();
        unresolved.dedup();
        let lists = table.counts().iter().map(|list| ListReport {
            updated: list.at.to_string(),
            updated_min: list.at,
            grade: list.grade,
            entries: list.counts.entries,
            resolved: list.counts.resolved,
            resolved_township: list.counts.township,
            whole_county: list.counts.whole_county,
            bare: list.counts.bare,
            duplicates: list.counts.duplicates,
        });
        Self {
            entries,
            resolved,
            resolved_township: township,
            whole_county,
            bare,
            unresolved_entries: entries.saturating_sub(resolved),
            kept_coarse: coarse,
            duplicates,
            unresolved,
            lists: lists.collect(),
            facts: table.facts().len(),
            intervals: built.map.intervals().len(),
            dropped_past: built.dropped_past,
            dropped_low: built.dropped_low,
            joined: built.joined,
            root,
        }
    }

    pub(crate) fn text(&self) -> String {
        let mut out = String::from(
            "list (UTC+8)      grade   entries  county+  township+  reachable  of these  whole county  repeated\n",
        );
        for list in self.lists.iter().filter(|l| l.entries > 0) {
            let _ = writeln!(
                out,
                "{}  {:<6}  {:>7}  {:>7}  {:>9}  {:>9}  {:>8}  {:>12}  {:>8}",
                list.updated,
                format!("{:?}", list.grade).to_lowercase(),
                list.entries,
                percent(list.resolved, list.entries),
                percent(list.resolved_township, list.entries),
                percent(list.entries - list.bare.min(list.entries), list.entries),
                percent(
                    list.resolved_township,
                    list.entries - list.bare.min(list.entries)
                ),
                list.whole_county,
                list.duplicates,
            );
        }
        let _ = writeln!(
            out,
            "\nentries {}  resolved {} ({})  resolved_township {} ({})  unresolved {} ({} kept under city or province)  repeated {}",
            self.entries,
            self.resolved,
            percent(self.resolved, self.entries),
            self.resolved_township,
            percent(self.resolved_township, self.entries),
            self.unresolved_entries,
            self.kept_coarse,
            self.duplicates,
        );
        out.push_str("reachable: entries that name a township or community at all\n");
        if !self.unresolved.is_empty() {
            let _ = writeln!(out, "\nunresolved names ({}):", self.unresolved.len());
        }
        for name in self.unresolved.iter().take(NAMES_IN_TEXT) {
            let _ = writeln!(out, "  {name}");
        }
        if self.unresolved.len() > NAMES_IN_TEXT {
            let more = self.unresolved.len() - NAMES_IN_TEXT;
            let _ = writeln!(out, "  … and {more} more (all with --json)");
        }
        let _ = writeln!(
            out,
            "\nfacts {}  intervals {}  periods dropped: {} past, {} low; joined {}\nroot {}",
            self.facts, self.intervals, self.dropped_past, self.dropped_low, self.joined, self.root,
        );
        out
    }
}

fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let per_mille = part.saturating_mul(1000) / whole;
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_down() {
        assert_eq!(percent(9_799, 10_000), "97.9 %");
        assert_eq!(percent(0, 0), "-");
    }
}
