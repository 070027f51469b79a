//! `auditor explain`, run as a user runs it.
#![allow(missing_docs)]

use std::process::{Command, Output};

use serde_json::Value;

fn explain(record: &str, map: Option<&str>, more: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("record.json"), record).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_auditor"));
    command
        .current_dir(folder.path())
        .args(["explain", "record.json"]);
    if let Some(map) = map {
        std::fs::write(folder.path().join("map.json"), map).unwrap();
        command.args(["--risk-map", "map.json"]);
    }
    command.args(more).output().expect("the auditor starts")
}

const FUJIAN: [&str; 5] = [
    "--rule-set",
    "fj-2022-08",
    "--at",
    "2022-08-31 23:59",
    "--json",
];

fn json(output: &Output) -> Value {
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn an_empty_record_is_green_without_a_reason() {
    let said = json(&explain("{}", None, &FUJIAN));
    assert_eq!(said["colour"], "green");
    assert_eq!(said["reasons"], Value::Array(vec![]));
}

#[test]
fn a_stay_in_a_listed_place_is_explained_by_its_rule_and_an_unlisted_one_is_not() {
    // 27,690,000 is 2022-08-25 12:00 in UTC+8.
    let record = r#"{"stays": [{"place": "350203001/4", "begin": 27690000}]}"#;
    let listed = |place: &str| {
        format!(
            r#"{{"listed": [{{"from": "{place}", "last": "{place}",
            "periods": [{{"grade": "high", "since": 27680000, "until": 67108863}}]}}]}}"#
        )
    };
    let said = json(&explain(record, Some(&listed("350203001/4")), &FUJIAN));
    assert_eq!(
        (&said["colour"], &said["reasons"][0]["rule"]),
        (&"red".into(), &"R5".into())
    );
    assert_eq!(said["reasons"][0]["earliest_end"], Value::Null);
    let said = json(&explain(record, Some(&listed("350203001/5")), &FUJIAN));
    assert_eq!(said["colour"], "green");
}

#[test]
fn what_cannot_be_explained_is_refused_by_name() {
    let future = r#"{"negatives": [27699360]}"#;
    for (record, arguments, says) in [
        (future, &FUJIAN[..], "after"),
        (r#"{"staies": []}"#, &FUJIAN[..], "unknown field"),
        (
            r#"{"stays": [{"place": "3502", "begin": 5}]}"#,
            &FUJIAN[..],
            "3502",
        ),
        (
            "{}",
            &["--rule-set", "xx-2000-01", "--at", "5"][..],
            "fj-2022-08",
        ),
    ] {
        let output = explain(record, None, arguments);
        assert_eq!(output.status.code(), Some(3), "{record}");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(error.contains(says), "{error}");
    }
    let bad_moment = explain(
        "{}",
        None,
        &["--rule-set", "fj-2022-08", "--at", "yesterday"],
    );
    assert_eq!(bad_moment.status.code(), Some(2));
}
