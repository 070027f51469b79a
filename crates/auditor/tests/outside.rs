//! `auditor outside`, run as a user runs it: with the tools if they are installed, and with tools that lie.
#![allow(missing_docs)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn outside(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_auditor"))
        .current_dir(folder)
        .arg("outside")
        .args(args)
        .output()
        .expect("the auditor starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whether the run said that tools are missing. Where they must not be, that is a failure; elsewhere it is said past the
/// test harness, which keeps what a test that passes prints.
fn tools_are_missing(output: &Output, test: &str) -> bool {
    let missing = output.status.code() == Some(3) && said(output).contains("tools are missing");
    if missing {
        let wanted = std::env::var_os("CI_OUTSIDE_TOOLS").is_some_and(|v| v == "1");
        assert!(!wanted, "CI_OUTSIDE_TOOLS=1, and {}", said(output));
        let note = format!("NOT RUN: {test}: {}", said(output));
        std::io::stderr().write_all(note.as_bytes()).unwrap();
    }
    missing
}

#[test]
fn tools_that_others_wrote_agree_about_rows_witnesses_proofs_and_hash() {
    let folder = tempfile::tempdir().unwrap();
    let output = outside(folder.path(), &["--quick", "--json"]);
    if tools_are_missing(&output, "the tools of others") {
        return;
    }
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["asked"], report["agreed"]);
    let checks = report["checks"].as_array().unwrap();
    let answers = |part: &str, answer: &str| {
        checks
            .iter()
            .filter(|c| c["part"] == part && c["answered"].as_str().unwrap().starts_with(answer))
            .count()
    };
    assert_eq!(answers("rows", "bn-128: 32029 rows"), 1);
    assert_eq!(answers("witnesses", "correct"), 1);
    assert_eq!(answers("witnesses", "breaks row"), 6);
    // The sample's proof, and the one with two points negated.
    assert_eq!(answers("proofs", "accepted"), 2);
    assert!(answers("proofs", "refused: invalid") >= 15);
    assert_eq!(answers("proofs", "refused: a point"), 2);
    assert_eq!(answers("proofs", "refused: an input"), 1);
    // Eleven tags by two implementations, no tag by three.
    assert_eq!(answers("hash", ""), 25);
}

#[test]
fn missing_tools_are_named_with_how_to_install_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("package.json"),
        r#"{"devDependencies": {"snarkjs": "0.7.6"}}"#,
    )
    .unwrap();
    let output = outside(folder.path(), &["--tools", "."]);
    assert_eq!(output.status.code(), Some(3));
    let said = said(&output);
    assert!(said.contains("snarkjs 0.7.6"), "{said}");
    assert!(said.contains("circuits/tools/install"), "{said}");
}

/// A folder of tools that answer as the script says.
fn tools(script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let snarkjs = folder.path().join("node_modules/snarkjs");
    fs::create_dir_all(snarkjs.join("build")).unwrap();
    let write = |path: std::path::PathBuf, text: &str| fs::write(path, text).unwrap();
    write(
        folder.path().join("package.json"),
        r#"{"devDependencies": {"snarkjs": "0.0.1"}}"#,
    );
    write(snarkjs.join("package.json"), r#"{"version": "0.0.1"}"#);
    write(snarkjs.join("build/cli.cjs"), script);
    let hashes = "let t = ''; for await (const p of process.stdin) t += p;
        const lies = JSON.parse(t).map(() => ({reference: '0', optimised: '0', lite: '0'}));
        console.log(JSON.stringify(lies));";
    write(folder.path().join("poseidon.mjs"), hashes);
    folder
}

#[test]
fn tools_that_say_yes_to_everything_are_found_out() {
    let yes = tools(
        "const lines = { r1cs: ['Curve: bn-128', '# of Wires: 1', '# of Constraints: 1', '# of Private Inputs: 1',
            '# of Public Inputs: 1', '# of Labels: 1', '# of Outputs: 1'], wtns: ['WITNESS IS CORRECT'],
            groth16: ['[INFO] snarkJS: OK!'] };
        lines[process.argv[2]].forEach((line) => console.log(line));",
    );
    let output = outside(yes.path(), &["--quick", "--json", "--tools", "."]);
    if tools_are_missing(&output, "tools that say yes") {
        return;
    }
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let agreed = checks.iter().filter(|c| c["expected"] == c["answered"]);
    let agreed: Vec<_> = agreed.map(|c| c["asked"].as_str().unwrap()).collect();
    // What is right to accept: the sample's witness, its proof, and the proof with two points negated.
    assert_eq!(
        agreed,
        [
            "after-midnight: as proved",
            "after-midnight: as proved",
            "after-midnight: A and B negated"
        ]
    );
}

#[test]
fn a_tool_that_hangs_or_says_neither_yes_nor_no_gives_no_answer() {
    for (script, says) in [
        ("setInterval(() => {}, 1000);", "did not end within 2 s"),
        ("console.log('perhaps');", "no answer that is known"),
    ] {
        let tool = tools(script);
        let args = ["--quick", "--limit-s", "2", "--tools", "."];
        let output = outside(tool.path(), &args);
        if tools_are_missing(&output, "a tool that hangs") {
            return;
        }
        assert_eq!(output.status.code(), Some(3), "{script}");
        assert!(said(&output).contains(says), "{}", said(&output));
    }
}
