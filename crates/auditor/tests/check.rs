//! `auditor check`, run as a user runs it.
#![allow(missing_docs)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn check(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_auditor"))
        .current_dir(folder)
        .arg("check")
        .args(args)
        .output()
        .expect("the auditor starts")
}

fn json(output: &Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A figure of a search.
fn figure(report: &Value, search: &str, what: &str) -> u64 {
    let searches = report["searches"].as_array().unwrap().iter();
    let mut searches = searches.filter(|s| s["name"] == search);
    let figures = searches.next().unwrap()["figures"]
        .as_array()
        .unwrap()
        .iter();
    let mut found = figures.filter(|f| f[0] == what);
    let figure = found.next().unwrap_or_else(|| panic!("{search}: {what}"));
    figure[1].as_u64().unwrap()
}

#[test]
fn the_reduced_form_finds_no_fault_and_leaves_nothing_undecided_or_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let searches = ["structure", "uniqueness", "mutants", "dropped"];
    let only: Vec<&str> = searches.iter().flat_map(|name| ["--only", name]).collect();
    // No tool is asked in this form, so none can be missing.
    let args = [
        &only[..],
        &["--json", "--html", "page.html", "--need-tools"],
    ]
    .concat();
    let report = json(&check(folder.path(), &args));
    assert_eq!(report["faults"], 0);
    let wires = figure(&report, "structure", "witness wires");
    let rules = ["linear", "bits", "ranges", "zero-test", "cases"];
    let unique: u64 = rules
        .iter()
        .map(|rule| figure(&report, "uniqueness", &format!("unique by rule: {rule}")))
        .sum();
    let chosen = figure(&report, "uniqueness", "chosen by the prover");
    let idle = figure(&report, "uniqueness", "not unique, nothing hangs on them");
    assert_eq!(unique + chosen + idle, wires);
    assert_eq!(figure(&report, "uniqueness", "undecided"), 0);
    assert!(figure(&report, "mutants", "mutants") > 2_000_000);
    // Mutants of what is chosen survive: the search can tell.
    assert!(figure(&report, "mutants", "survivors") > 100);
    let kinds = figure(&report, "dropped", "kinds of rows");
    assert!(kinds > 200);
    assert_eq!(figure(&report, "dropped", "rows left out in turn"), kinds);
    assert_eq!(figure(&report, "dropped", "not noticed"), 0);
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("no fault found") && page.contains("mutants"));
}

#[test]
fn the_differential_search_goes_on_where_it_was_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let run = |records: &str, state: Option<&str>| {
        let mut args = vec!["--only", "differential", "--seed", "5", "--json"];
        args.extend(["--records", records, "--through-rows", "2"]);
        args.extend(state.iter().flat_map(|file| ["--state", file]));
        json(&check(folder.path(), &args))["searches"][0]["figures"].clone()
    };
    let first = run("12", Some("state.json"));
    let whole = run("30", Some("state.json"));
    assert_ne!(first, whole);
    assert_eq!(whole, run("30", None));
    // Nothing is left to do: the figures are those remembered.
    assert_eq!(whole, run("30", Some("state.json")));

    let file = folder.path().join("state.json");
    let text = fs::read_to_string(&file).unwrap();
    for (changed, says) in [
        (text.replace("\"seed\": 5", "\"seed\": 6"), "another seed"),
        (
            text.replacen("\"matrix_sha256\": \"", "\"matrix_sha256\": \"0", 1),
            "another circuit",
        ),
        (text.replace("scenes", "scene"), "unknown field"),
        (text[..text.len() / 2].to_owned(), "no state"),
    ] {
        fs::write(&file, changed).unwrap();
        let args = [
            "--only",
            "differential",
            "--seed",
            "5",
            "--state",
            "state.json",
        ];
        let output = check(folder.path(), &args);
        assert_eq!(output.status.code(), Some(3), "{says}");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_search_that_comes_to_no_end_takes_nothing_from_the_others() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("state.json"), "{}").unwrap();
    let args = [
        "--only",
        "structure",
        "--only",
        "differential",
        "--state",
        "state.json",
        "--json",
        "--json-file",
        "report.json",
    ];
    let output = check(folder.path(), &args);
    assert_eq!(output.status.code(), Some(3));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("differential: state.json"), "{error}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let written = fs::read(folder.path().join("report.json")).unwrap();
    assert_eq!(written, output.stdout);
    assert!(figure(&report, "structure", "rows") > 30_000);
    assert_eq!(report["faults"], 1);
    let fault = &report["searches"][1]["findings"][0];
    assert!(fault["what"].as_str().unwrap().contains("no end"));
}

#[test]
fn what_cannot_be_written_or_would_share_scenes_is_refused_before_anything_is_searched() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = check(folder.path(), &["--html", "nowhere/page.html"]);
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(nowhere.stdout.is_empty());
    let error = String::from_utf8_lossy(&nowhere.stderr).into_owned();
    assert!(error.contains("nowhere/page.html"), "{error}");
    for args in [
        ["--seed", "16777216"],
        ["--records", "549755813889"],
        ["--through-rows", "549755813889"],
    ] {
        let output = check(folder.path(), &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn tools_that_are_not_there_are_named_and_a_failure_only_if_they_are_needed() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["--only", "outside", "--tools", "nowhere", "--json"];
    let report = json(&check(folder.path(), &args));
    let missing = report["searches"][0]["not_asked"][0].as_str().unwrap();
    assert!(missing.contains("circuits/tools/install"), "{missing}");
    let output = check(folder.path(), &[&args[..], &["--need-tools"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("outside: not asked: tools"), "{error}");
    let unknown = check(folder.path(), &["--only", "everything"]);
    assert_eq!(unknown.status.code(), Some(2));
}
