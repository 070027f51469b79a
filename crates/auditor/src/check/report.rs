//! What `check` found.

mod html;

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::SearchName;
use crate::page::thousands;
use crate::system::Identity;

/// Something that a search found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// Where: the name or kind of a wire or row.
    at: String,
    what: String,
    /// Whether it is a fault; else it is explained, and listed so that nothing is left unsaid.
    fault: bool,
}

impl Finding {
    pub(super) fn fault(at: &str, what: impl Into<String>) -> Self {
        let (at, what) = (at.to_owned(), what.into());
        Self {
            at,
            what,
            fault: true,
        }
    }

    pub(super) fn explained(at: &str, what: impl Into<String>) -> Self {
        let (at, what) = (at.to_owned(), what.into());
        Self {
            at,
            what,
            fault: false,
        }
    }
}

/// One search: what it asked, its figures and its findings.
#[derive(Serialize)]
pub(super) struct Search {
    name: SearchName,
    question: &'static str,
    figures: Vec<(String, Value)>,
    findings: Vec<Finding>,
    /// Tools that were not there.
    not_asked: Vec<String>,
    /// Whether one of them is missing that this search would have asked.
    #[serde(skip)]
    missing: bool,
    #[serde(rename = "took_s", serialize_with = "seconds")]
    pub(super) took: Duration,
}

fn seconds<S: serde::Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
    ((took.as_secs_f64() * 10.0).round() / 10.0).serialize(to)
}

impl Search {
    pub(super) const fn new(name: SearchName) -> Self {
        Self {
            name,
            question: name.question(),
            figures: Vec::new(),
            findings: Vec::new(),
            not_asked: Vec::new(),
            missing: false,
            took: Duration::ZERO,
        }
    }

    /// A search that came to no end, which is a fault of itself: what it would have found is not known.
    pub(super) fn stopped(name: SearchName, why: &anyhow::Error) -> Self {
        let mut search = Self::new(name);
        search.finding(Finding::fault(
            "the search",
            format!("came to no end: {why:#}"),
        ));
        search
    }

    pub(super) fn figure(&mut self, what: &str, value: impl Into<Value>) {
        self.figures.push((what.to_owned(), value.into()));
    }

    pub(super) fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// A tool that this form of the search does not ask.
    pub(super) fn not_asked(&mut self, what: &str) {
        self.not_asked.push(what.to_owned());
    }

    /// A tool that is not installed.
    pub(super) fn missing(&mut self, what: &str) {
        self.not_asked(what);
        self.missing = true;
    }

    fn faults(&self) -> usize {
        self.findings.iter().filter(|f| f.fault).count()
    }

    fn verdict(&self) -> &'static str {
        match (self.faults(), self.figures.is_empty()) {
            (0, true) => "not asked",
            (0, false) => "holds",
            _ => "FAULTS",
        }
    }
}

/// All searches.
#[derive(Serialize)]
pub(super) struct Report {
    circuit: &'static str,
    version: u32,
    constraints: usize,
    matrix_sha256: String,
    form: &'static str,
    seed: u64,
    date: String,
    processors: usize,
    searches: Vec<Search>,
    faults: usize,
    #[serde(rename = "took_s", serialize_with = "seconds")]
    took: Duration,
}

impl Report {
    pub(super) fn new(
        of: &Identity,
        full: bool,
        seed: u64,
        date: String,
        searches: Vec<Search>,
        took: Duration,
    ) -> Self {
        Self {
            circuit: of.name,
            version: of.version,
            constraints: of.constraints,
            matrix_sha256: hex::encode(of.digest),
            form: if full { "full" } else { "reduced" },
            seed,
            date,
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            faults: searches.iter().map(Search::faults).sum(),
            searches,
            took,
        }
    }

    /// Why not everything is well, a sentence each: every fault, and if tools are needed those that are not installed.
    pub(super) fn objections(&self, need_tools: bool) -> Vec<String> {
        let of_search = |search: &Search| {
            let name = search.name.word();
            let faults = search.findings.iter().filter(|f| f.fault);
            let faults = faults.map(move |f| format!("{name}: {}: {}", f.at, f.what));
            let needed = if need_tools && search.missing {
                &search.not_asked[..]
            } else {
                &[]
            };
            let tools = needed
                .iter()
                .map(move |tool| format!("{name}: not asked: {tool}"));
            faults.chain(tools).collect::<Vec<_>>()
        };
        self.searches.iter().flat_map(of_search).collect()
    }

    fn head(&self) -> String {
        format!(
            "{} version {}: {} constraints, matrices {}\n{} form, seed {}, {}, {} processors, {:.1} s",
            self.circuit,
            self.version,
            self.constraints,
            self.matrix_sha256,
            self.form,
            self.seed,
            self.date,
            self.processors,
            self.took.as_secs_f64()
        )
    }

    pub(super) fn text(&self) -> String {
        let mut out = self.head() + "\n";
        for search in &self.searches {
            let (name, verdict, took) = (
                search.name.word(),
                search.verdict(),
                search.took.as_secs_f64(),
            );
            let _ = writeln!(
                out,
                "\n{name}: {verdict} ({took:.1} s)\n  {}",
                search.question
            );
            for (what, value) in &search.figures {
                let _ = writeln!(out, "  {:>12}  {what}", plain(value));
            }
            for finding in &search.findings {
                let sign = if finding.fault { "FAULT" } else { "explained" };
                let _ = writeln!(out, "  {sign}: {}: {}", finding.at, finding.what);
            }
            for tool in &search.not_asked {
                let _ = writeln!(out, "  not asked: {tool}");
            }
        }
        let _ = writeln!(out, "\n{}", self.conclusion());
        out
    }

    fn conclusion(&self) -> String {
        match self.faults {
            0 => "no fault found".to_owned(),
            1 => "1 fault".to_owned(),
            n => format!("{n} faults"),
        }
    }

    /// The report as a page that stands alone.
    pub(super) fn html(&self) -> String {
        html::page(self)
    }
}

/// A figure as people read it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        number => {
            let count = number.as_u64().and_then(|n| usize::try_from(n).ok());
            count.map_or_else(|| number.to_string(), thousands)
        }
    }
}
