//! What was asked, what was expected and what was answered.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use comfy_table::{Table, presets::NOTHING};
use serde::Serialize;

use super::tools::Tools;

/// One question and its answer.
#[derive(Serialize)]
pub(super) struct Check {
    /// rows, witnesses, proofs, hash or solver.
    pub(super) part: &'static str,
    pub(super) tool: &'static str,
    pub(super) asked: String,
    /// What is computed here.
    pub(super) expected: String,
    /// What the tool says.
    pub(super) answered: String,
    /// How long the tool took; none if the question was one of many in the run before.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub(super) elapsed: Option<Duration>,
}

#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
fn seconds<S: serde::Serializer>(elapsed: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
    let rounded = elapsed.map(|e| (e.as_secs_f64() * 1000.0).round() / 1000.0);
    rounded.serialize(to)
}

impl Check {
    fn agrees(&self) -> bool {
        self.expected == self.answered
    }

    /// The disagreement in words.
    pub(super) fn sentence(&self) -> String {
        format!(
            "{}, asked about {}: {}; expected: {}",
            self.tool, self.asked, self.answered, self.expected
        )
    }
}

/// What `outside` prints.
#[derive(Serialize)]
pub(super) struct Report {
    tools: BTreeMap<String, String>,
    /// Tools that were not there and not needed, with how to install them.
    not_asked: Vec<String>,
    seed: u64,
    asked: usize,
    agreed: usize,
    checks: Vec<Check>,
}

impl Report {
    pub(super) fn new(tools: &Tools, seed: u64, checks: Vec<Check>) -> Self {
        let not_asked = if tools.solver().is_some() {
            Vec::new()
        } else {
            vec![format!(
                "cvc5, which is not installed ({})",
                tools.solver_install()
            )]
        };
        Self {
            tools: tools.versions.clone(),
            not_asked,
            seed,
            asked: checks.len(),
            agreed: checks.iter().filter(|c| c.agrees()).count(),
            checks,
        }
    }

    pub(super) fn agrees(&self) -> bool {
        self.agreed == self.asked
    }

    pub(super) fn disagreements(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|c| !c.agrees())
    }

    pub(super) fn not_asked(&self) -> &[String] {
        &self.not_asked
    }

    pub(super) const fn asked(&self) -> usize {
        self.asked
    }

    /// Tools with their versions, in a line.
    pub(super) fn versions(&self) -> String {
        let versions = self.tools.iter();
        let versions = versions.map(|(name, version)| format!("{name} {version}"));
        versions.collect::<Vec<_>>().join(", ")
    }

    pub(super) fn text(&self) -> String {
        let mut table = Table::new();
        table.load_preset(NOTHING);
        table.set_header(["tool", "asked about", "answer", "as expected", "s"]);
        for check in &self.checks {
            let expected = if check.agrees() { "yes" } else { "NO" };
            let took = check.elapsed.map(|e| format!("{:.1}", e.as_secs_f64()));
            let took = took.unwrap_or_default();
            let row = [check.tool, &check.asked, &check.answered, expected, &took];
            table.add_row(row);
        }
        let mut out = format!("{table}\n");
        let _ = writeln!(out, "{}; seed {}", self.versions(), self.seed);
        for tool in &self.not_asked {
            let _ = writeln!(out, "not asked: {tool}");
        }
        let _ = writeln!(
            out,
            "{} questions, {} answered as expected, {} otherwise",
            self.asked,
            self.agreed,
            self.asked - self.agreed
        );
        out
    }
}
