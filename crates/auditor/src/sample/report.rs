//! What `auditor sample` prints: what was checked, and what it came to. Places and numbers; nothing of a person.

use std::fmt::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use rules::ProvinceCode;
use serde::Serialize;

use super::finding::Finding;
use super::judge::{Judgement, Place, State};

/// What is printed.
#[derive(Serialize)]
pub(super) struct Report<'a> {
    province: u8,
    #[serde(flatten)]
    judgement: &'a Judgement,
    /// Whether the sources' keys were held against the node's log.
    sources_by_log: bool,
    findings: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    code: &'static str,
    text: String,
}

impl<'a> Report<'a> {
    pub(super) fn new(
        province: ProvinceCode,
        judgement: &'a Judgement,
        sources_by_log: bool,
    ) -> Self {
        let told = |finding: &Finding| Told {
            code: finding.code(),
            text: finding.to_string(),
        };
        Self {
            province: province.get(),
            judgement,
            sources_by_log,
            findings: judgement.findings.iter().map(told).collect(),
        }
    }

    pub(super) fn text(&self) -> String {
        let judgement = self.judgement;
        // Writing to a string does not fail.
        let mut text = format!(
            "province {}, registry of epoch {}, closed {} UTC+8\n",
            self.province, judgement.epoch, judgement.as_of
        );
        if let (Some(at), Some(leaves)) = (judgement.head_time, judgement.leaf_count) {
            let _ = writeln!(text, "tree of {at} UTC+8, {leaves} leaves");
        }
        if !judgement.passed_over.is_empty() {
            let _ = writeln!(
                text,
                "passed over, though they were there: slots {:?}; if that comes again, ask who chooses",
                judgement.passed_over
            );
        }
        if !judgement.places.is_empty() {
            text.push_str(&table(&judgement.places));
            text.push('\n');
        }
        text.push_str(if self.sources_by_log {
            "sources' keys and dates: as the node's log tells them\n"
        } else {
            "sources' keys and dates: as the node shows them (no --log)\n"
        });
        let _ = match self.findings.len() {
            0 => writeln!(text, "nothing contradicts"),
            findings => writeln!(text, "{findings} findings"),
        };
        text
    }
}

fn table(places: &[Place]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["place", "leaf", "events", "late", "left", "gave way"]);
    for place in places {
        let (word, numbers) = match place.state {
            State::Empty => ("empty", None),
            State::Erased => ("erased, the node says", None),
            State::NotShown => ("NOT SHOWN", None),
            State::Opened {
                events,
                late,
                left,
                yielded,
            } => ("opened", Some([events, late, left, yielded])),
        };
        let mut row = vec![place.place.to_string(), word.to_owned()];
        row.extend(numbers.into_iter().flatten().map(|n| n.to_string()));
        table.add_row(row);
    }
    table.to_string()
}
