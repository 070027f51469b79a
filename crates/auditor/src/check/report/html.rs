//! The report as a page.

use serde_json::Value;

use super::{Finding, Report, Search, plain};
use crate::page::{Cell, Page, Status};

pub(super) fn page(report: &Report) -> String {
    let title = format!("Searches of {}, version {}", report.circuit, report.version);
    let mut page = Page::new(
        (&*title, "电路检查报告"),
        "What was looked for in the circuit's rows, and what was found. A fault is something that the rows leave open; whatever else \
         is found is explained. auditor check makes this page.",
    );
    let (status, word) = if report.faults == 0 {
        (Status::Good, "no fault found")
    } else {
        (Status::Bad, "faults found")
    };
    let about = format!(
        "{} form, seed {}, {}",
        report.form, report.seed, report.date
    );
    page.status(status, word, &about);
    whole(&mut page, report);
    for search in &report.searches {
        one(&mut page, search);
    }
    page.finish()
}

impl Search {
    fn status(&self) -> Cell {
        let status = match self.verdict() {
            "holds" => Status::Good,
            "not asked" => Status::Open,
            _ => Status::Bad,
        };
        Cell::status(status, self.verdict())
    }
}

fn whole(page: &mut Page, report: &Report) {
    page.section(("The circuit and the searches", "电路与各项检查"));
    page.table(
        ["what", "value"],
        [
            [
                Cell::from("matrix SHA-256"),
                Cell::code(&report.matrix_sha256),
            ],
            [Cell::from("constraints"), Cell::number(report.constraints)],
            [Cell::from("processors"), Cell::number(report.processors)],
            [
                Cell::from("seconds"),
                Cell::figure(&format!("{:.1}", report.took.as_secs_f64())),
            ],
        ],
    );
    let row = |search: &Search| {
        [
            Cell::from(search.name.word()),
            search.status(),
            Cell::number(search.faults()),
            Cell::number(search.findings.len() - search.faults()),
            Cell::figure(&format!("{:.1}", search.took.as_secs_f64())),
        ]
    };
    page.table(
        [
            ("search", "检查"),
            ("outcome", "结果"),
            ("faults", "缺陷"),
            ("explained", "已说明"),
            ("seconds", "秒"),
        ],
        report.searches.iter().map(row),
    );
}

fn one(page: &mut Page, search: &Search) {
    page.section(search.name.word());
    page.paragraph(search.question);
    if !search.figures.is_empty() {
        let figures = search.figures.iter().map(|(what, value)| {
            let value = match value {
                Value::String(words) => Cell::from(&**words),
                number => Cell::figure(&plain(number)),
            };
            [Cell::from(&**what), value]
        });
        page.table(["figure", "value"], figures);
    }
    for tool in &search.not_asked {
        page.status(Status::Open, "not asked", tool);
    }
    let (faults, explained): (Vec<_>, Vec<_>) = search.findings.iter().partition(|f| f.fault);
    if !faults.is_empty() {
        findings(page, &faults);
    }
    if !explained.is_empty() {
        let summary = format!("{} found and explained", explained.len());
        page.folded(summary, |page| findings(page, &explained));
    }
}

fn findings(page: &mut Page, all: &[&Finding]) {
    let row = |finding: &&Finding| {
        let outcome = if finding.fault {
            Cell::status(Status::Bad, "fault")
        } else {
            Cell::status(Status::Good, "explained")
        };
        [Cell::code(&finding.at), outcome, Cell::from(&*finding.what)]
    };
    page.table(["where", "outcome", "what"], all.iter().map(row));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::SearchName;
    use crate::system::CircuitName;
    use roxmltree::{Document, ParsingOptions};
    use std::time::Duration;

    #[test]
    fn the_page_shows_every_fault_every_explanation_and_what_was_not_asked() {
        let mut search = Search::new(SearchName::Structure);
        search.figure("wires", 31_939);
        search.finding(Finding::fault("Clearing/slot[]", "a < b & c"));
        search.finding(Finding::explained(
            "Test age/bit[]",
            "the prover's <choice>",
        ));
        search.not_asked("cvc5");
        let report = |searches| {
            Report::new(
                &CircuitName::Clearance.identity(),
                false,
                1,
                "today".to_owned(),
                searches,
                Duration::ZERO,
            )
        };
        let page = page(&report(vec![search, Search::new(SearchName::Outside)]));
        let options = ParsingOptions {
            allow_dtd: true,
            ..ParsingOptions::default()
        };
        let document = Document::parse_with_options(&page, options).expect("well-formed");
        let texts: Vec<_> = document.descendants().filter_map(|n| n.text()).collect();
        for said in [
            "said twice?",
            "31,939",
            "Clearing/slot[]",
            "a < b & c",
            "the prover's <choice>",
            "✗ fault",
            "✓ explained",
            "✗ faults found",
            "✗ FAULTS",
            "? not asked",
        ] {
            let found = texts.iter().any(|text| text.contains(said)) || page.contains(said);
            assert!(found, "{said}");
        }
        assert!(page.contains(" – cvc5"));
        let holds = super::page(&report(vec![]));
        assert!(holds.contains("✓ no fault found"));
    }
}
