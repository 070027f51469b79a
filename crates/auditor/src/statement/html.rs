//! `statement` as one page: what is proved beside what it costs.

use circuits::clearance::Heading;

use super::costs::{By, Costs, Part};
use super::prose;
use super::report::{Report, drawing, percent};
use crate::page::{Cell, Page, Status};

/// Pieces of names that tell the parts of a heading apart.
const DEPTH: usize = 4;

pub(super) fn page(costs: &Costs, report: &Report) -> String {
    let title = format!("Statement {}, version {}", report.circuit, report.version);
    let mut page = Page::new(
        (&*title, "证明的陈述"),
        "What a pass proves, under which headings, and which rule costs what. Everything is counted in the constraint \
         system as built from source; auditor statement makes this page.",
    );
    whole(&mut page, report);
    inputs(&mut page, report);
    headings(&mut page, report);
    gadgets(&mut page, costs, report);
    capacities(&mut page, report);
    parts(&mut page, costs);
    page.finish()
}

fn whole(page: &mut Page, report: &Report) {
    page.section(("The circuit", "电路"));
    page.table(
        [("what", "项目"), ("value", "值")],
        [
            [
                Cell::words(("matrix SHA-256", "矩阵摘要")),
                Cell::code(&report.matrix_sha256),
            ],
            [Cell::words(("size", "规模")), Cell::words(report.used())],
        ],
    );
    let (status, word) = if report.fits() {
        (Status::Good, "fits")
    } else {
        (Status::Bad, "does not fit")
    };
    page.status(status, word, "the rows, into the proof system's domain");
    let agree = report.headings.iter().filter(|h| h.agrees()).count();
    let (status, word) = if agree == report.headings.len() {
        (Status::Good, "agrees")
    } else {
        (Status::Bad, "differs")
    };
    let about = format!(
        "the table of rows in STATEMENT.md with the source, under {agree} of {} headings",
        report.headings.len()
    );
    page.status(status, word, &about);
}

fn inputs(page: &mut Page, report: &Report) {
    page.section(("Public inputs", "公开输入"));
    page.paragraph(
        "A verifier holds these and nothing else. In the order of the constraint system; who checks what about each beside it.",
    );
    let row = |input: &super::words::Input| {
        [
            Cell::code(input.name),
            Cell::words((input.meaning, input.meaning_zh)),
            Cell::words(input.checked_by),
        ]
    };
    page.table(
        [
            ("name", "名称"),
            ("what it is", "含义"),
            ("who checks what", "由谁核对"),
        ],
        report.public_inputs.iter().map(row),
    );
}

fn headings(page: &mut Page, report: &Report) {
    page.section(("Rows by heading", "各标题的约束行数"));
    let parts: Vec<Part> = report.headings.iter().map(|h| h.part.clone()).collect();
    page.bars(&drawing("Rows by heading", &parts, report.constraints));
    let rows = report.headings.iter().map(|heading| {
        let (status, word) = match heading.rows_in_prose {
            Some(rows) if rows == heading.part.rows => (Status::Good, "agrees"),
            Some(_) => (Status::Bad, "differs"),
            None => (Status::Open, "is not there"),
        };
        [
            Cell::words(&*heading.part.name),
            Cell::number(heading.part.rows),
            Cell::figure(&percent(heading.part.rows, report.constraints)),
            Cell::number(heading.part.wires.unwrap_or_default()),
            Cell::status(status, word),
        ]
    });
    page.table(
        [
            ("heading", "标题"),
            ("rows", "行"),
            ("share", "占比"),
            ("wires", "变量"),
            ("table in STATEMENT.md", "与原文表格"),
        ],
        rows,
    );
}

fn gadgets(page: &mut Page, costs: &Costs, report: &Report) {
    page.section(("Rows by gadget", "各部件的约束行数"));
    let parts = costs.parts(None, By::Gadget);
    page.bars(&drawing("Rows by gadget", &parts, report.constraints));
}

fn capacities(page: &mut Page, report: &Report) {
    page.section(("Capacities", "容量"));
    let row = |capacity: &super::words::Capacity| {
        [
            Cell::words((capacity.what, capacity.what_zh)),
            Cell::number(capacity.value),
            Cell::words(capacity.note),
            Cell::code(capacity.constant),
        ]
    };
    page.table(
        [
            ("of what", "项目"),
            ("most", "上限"),
            ("note", "说明"),
            ("constant", "源码常量"),
        ],
        report.capacities.iter().map(row),
    );
}

fn parts(page: &mut Page, costs: &Costs) {
    page.section(("Heading by heading", "逐条陈述与开销"));
    page.paragraph(
        "The prose of STATEMENT.md, and the parts that its rows and wires are named by.",
    );
    for heading in Heading::ALL {
        let parts = costs.parts(Some(heading), By::Part(DEPTH));
        page.folded(heading.title(), |page| {
            let body = prose(heading).split_once('\n').map_or("", |(_, body)| body);
            page.verbatim(body.trim());
            let row = |part: &Part| {
                let own = part
                    .name
                    .split_once('/')
                    .map_or(&*part.name, |(_, own)| own);
                [
                    Cell::code(own),
                    Cell::number(part.rows),
                    Cell::number(part.wires.unwrap_or_default()),
                ]
            };
            page.table(
                [("part", "部分"), ("rows", "行"), ("wires", "变量")],
                parts.iter().map(row),
            );
        });
    }
}
