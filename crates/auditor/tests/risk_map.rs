//! The commands around the risk map, run as a user runs them.
#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

fn auditor(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_auditor"))
        .current_dir(folder)
        .args(args)
        .output()
        .expect("the auditor starts")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Two lists of our own making: a house that is released on the second day, a street, a county, a name from nowhere.
fn two_days() -> (tempfile::TempDir, [String; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let group = |names: [&str; 3], texts: &[&str]| json!({"province": names[0], "city": names[1], "county": names[2], "communitys": texts});
    let jinjiang = ["四川省", "成都市", "锦江区"];
    let day = |time: &str, high: Vec<Value>| {
        json!({"data": {"end_update_time": time, "hcount": 1, "highlist": high,
            "lowlist": [group(jinjiang, &["锦江区除高风险区以外的其他区域"])]}})
    };
    let first = day(
        "2022-08-18 19时",
        vec![
            group(jinjiang, &["成龙路街道1栋", "成龙路街道2栋"]),
            group(["某某省", "某某市", "某某区"], &["1栋"]),
        ],
    );
    let second = day("2022-08-19 20时", vec![group(jinjiang, &["成龙路街道2栋"])]);
    // The names say the wrong days on purpose.
    for (name, list) in [("b.json", &first), ("a.json", &second)] {
        std::fs::write(folder.path().join(name), list.to_string()).unwrap();
    }
    (folder, ["a.json".to_owned(), "b.json".to_owned()])
}

#[test]
fn lists_give_counts_unresolved_names_intervals_and_a_root() {
    let (folder, [a, b]) = two_days();
    let output = auditor(folder.path(), &["risk-map", &a, &b, "--json"]);
    assert!(output.status.success());
    let report: Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!(report["entries"], 6);
    assert_eq!(report["resolved"], 5);
    assert_eq!(report["resolved_township"], 3);
    assert_eq!(report["whole_county"], 2);
    assert_eq!(report["unresolved"], json!(["某某省 某某市 某某区 | 1栋"]));
    // Before the county; the county up to the sites; the released site; the other; the county; after it.
    assert_eq!(report["intervals"], 6);
    assert_eq!(report["root"].as_str().unwrap().len(), 64);
    assert_eq!(report["lists"][0]["updated"], "2022-08-18 19:00");
}

#[test]
fn a_fact_table_gives_the_same_root_as_its_lists() {
    let (folder, [a, b]) = two_days();
    let out = auditor(folder.path(), &["risk-map", &a, &b, "--json"]);
    let report: Value = serde_json::from_str(&text(&out)).unwrap();
    let root = report["root"].as_str().unwrap();
    for table in ["facts.txt", "facts.zst"] {
        let made = auditor(
            folder.path(),
            &["fact-table", "--register", "sites.txt", &b, &a, table],
        );
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let same = auditor(
            folder.path(),
            &["risk-map", "--facts", table, "--root", root],
        );
        assert_eq!(same.status.code(), Some(0));
    }
    let other = format!("0{}", &root[1..]);
    let wrong = if other == root { "1".repeat(64) } else { other };
    let differs = auditor(folder.path(), &["risk-map", &a, &b, "--root", &wrong]);
    assert_eq!(differs.status.code(), Some(1));
    let then = auditor(
        folder.path(),
        &[
            "risk-map",
            "--facts",
            "facts.txt",
            "--known-at",
            "2022-08-18 19:00",
            "--root",
            root,
        ],
    );
    assert_eq!(then.status.code(), Some(1));
}

#[test]
fn a_seeded_sample_is_the_same_twice_and_shows_codes_and_names() {
    let (folder, [a, b]) = two_days();
    let sample = |seed| {
        text(&auditor(
            folder.path(),
            &["risk-map", &a, &b, "--sample", "9", "--seed", seed],
        ))
    };
    let shown = sample("7");
    assert_eq!(shown, sample("7"));
    assert!(
        shown.contains("-> 510104035 四川省 成都市 锦江区 成龙路街道 / 1栋"),
        "{shown}"
    );
    assert!(
        shown.contains("-> 510104000 四川省 成都市 锦江区 (whole)"),
        "{shown}"
    );
}

#[test]
fn what_is_no_list_is_refused_with_the_exit_code_that_help_names() {
    let (folder, [a, _]) = two_days();
    std::fs::write(folder.path().join("bad.json"), "{}").unwrap();
    for (args, code) in [
        (&["risk-map", "bad.json"][..], 3),
        (&["risk-map", "missing.json"], 3),
        (&["risk-map"], 2),
        (&["risk-map", &a, "--known-at", "yesterday"], 2),
        (&["fact-table", "bad.json", "out.txt"], 3),
        (&["area-table", ".", "out.txt"], 3),
    ] {
        let output = auditor(folder.path(), args);
        assert_eq!(output.status.code(), Some(code), "{args:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
    assert!(!folder.path().join("out.txt").exists());
    let help = text(&auditor(folder.path(), &["--help"]));
    assert!(help.contains("Exit codes"));
}

#[test]
fn an_area_table_is_derived_from_the_package_s_files() {
    let folder = tempfile::tempdir().unwrap();
    for (name, rows) in [
        ("provinces.csv", "11,\"北京市\""),
        ("cities.csv", "1101,\"市辖区\",11"),
        ("areas.csv", "110101,\"东城区\",1101,11"),
        ("streets.csv", "110101001,\"东华门街道\",110101,11,1101"),
        (
            "villages.csv",
            "110101001001,\"多福巷社区居委会\",110101001,11,1101,110101",
        ),
    ] {
        std::fs::write(folder.path().join(name), format!("code,name\n{rows}\n")).unwrap();
    }
    let output = auditor(folder.path(), &["area-table", ".", "areas.txt"]);
    assert!(output.status.success());
    let table: PathBuf = folder.path().join("areas.txt");
    let table = std::fs::read_to_string(table).unwrap();
    assert!(
        table.ends_with("110101001 东华门街道\t多福巷=\n"),
        "{table}"
    );
}
