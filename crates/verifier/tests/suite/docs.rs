//! The table of verdicts in `docs/verdicts.md`, printed from the enum.

use std::fmt::Write as _;
use std::path::Path;

use verifier::{Code, Outcome, Texts};

fn table() -> String {
    let mut out = String::from(
        "# Verdicts\n\n\
         Printed from `verifier::Code`; after a change run \
         `UPDATE_DOCS=1 cargo test -p verifier --test suite docs`. Codes never change their meaning.\n\n\
         A checkpoint answers with one of three outcomes, each with its own icon, word and sound. \
         *Reject* means that no newer trust list would help this pass here; *undecided* means that this gate cannot \
         tell and falls back on what it does without codes.\n",
    );
    for outcome in [Outcome::Accept, Outcome::Reject, Outcome::Undecided] {
        let (zh, en) = outcome.word();
        write!(out, "\n## {zh} {en}\n\n").unwrap();
        out.push_str(
            "| code | resident sees | officer does | operator does |\n|---|---|---|---|\n",
        );
        let cell = |texts: Texts| format!("{}<br>{}", texts.zh, texts.en);
        for code in Code::ALL.iter().filter(|c| c.outcome() == outcome) {
            writeln!(
                out,
                "| `{code}` | {} | {} | {} |",
                cell(code.resident()),
                cell(code.officer()),
                cell(code.operator())
            )
            .unwrap();
        }
    }
    out
}

#[test]
fn the_printed_table_is_the_one_in_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verdicts.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, table()).unwrap();
    }
    let printed = std::fs::read_to_string(&path).unwrap();
    assert_eq!(printed, table(), "docs/verdicts.md is out of step");
}

#[test]
fn no_text_is_empty_and_none_could_break_the_table() {
    for code in Code::ALL {
        for texts in [code.resident(), code.officer(), code.operator()] {
            for text in [texts.zh, texts.en] {
                assert!(!text.is_empty() && !text.contains(['|', '\n']), "{code}");
            }
            assert!(texts.en.is_ascii() && !texts.zh.is_ascii(), "{code}");
        }
    }
}
