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

/// Where the test key is kept between tests and runs.
const CACHE: &str = env!("CARGO_TARGET_TMPDIR");

fn prove(record: &str, more: &[&str]) -> Output {
    let common = ["--prove", "--key-cache", CACHE];
    explain(record, None, &[&FUJIAN[..], &common, more].concat())
}

/// 27,699,359 is the moment of the command lines above; a tube that was positive a week before has lapsed.
const CLOSED: &str = r#"{"facts": [{"kind": "pooled-tube", "province": 35, "begin": 27689000}],
    "negatives": [27690000, 27698000]}"#;

#[test]
fn a_proof_of_a_supported_claim_is_accepted_here_and_by_anybody_with_the_key() {
    let said = json(&prove(CLOSED, &["--test-age", "24"]));
    let made = &said["proof"]["made"];
    assert_eq!(made["accepted"], true);
    assert_eq!(made["accepted_with_another"], Value::Array(vec![]));
    assert_eq!(made["headings"].as_array().unwrap().len(), 14);
    let rows = made["headings"].as_array().unwrap().iter();
    let rows: u64 = rows.map(|h| h["rows"].as_u64().unwrap()).sum();
    assert_eq!(made["constraints"], rows);
    assert!(made["says"].to_string().contains("24 hours"));
    assert!(made["does_not_say"].to_string().contains("whose record"));

    let inputs = made["public_inputs"].as_array().unwrap();
    let of = |name: &str| inputs.iter().find(|i| i["name"] == name).unwrap();
    assert_eq!(of("as_of")["value"], "27699359");
    assert_eq!(of("claim")["value"], "2");
    let set = rules::RuleSet::built_in("fj-2022-08").unwrap();
    let digest = commitment::fr_to_bytes(commitment::rule_digest(set.table()));
    assert_eq!(of("rule_digest")["hex"], hex::encode(digest));

    // Anybody makes the same key again from the seed, and verifies what was printed.
    let cache = std::path::Path::new(CACHE);
    let prover = prover::Prover::from_cached_test_parameters(cache, &[0xde; 32]).unwrap();
    assert_eq!(made["circuit_id"], prover.circuit_id().to_string());
    let key = verifier::VerifyingKey::from_bytes(prover.verifying_key()).unwrap();
    let test = verifier::CircuitUse::Test;
    let circuit = verifier::PreparedCircuit::new(test, &prover.matrix_digest(), &key);
    let bytes = |of: &Value| hex::decode(of.as_str().unwrap()).unwrap();
    let proof = bytes(&made["proof_hex"]).try_into().unwrap();
    let proof = verifier::PassProof::from_bytes(&proof).unwrap();
    let fields: [commitment::Fr; 6] = std::array::from_fn(|i| {
        let element = bytes(&inputs[i]["hex"]).try_into().unwrap();
        commitment::fr_from_bytes(&element).unwrap()
    });
    assert!(circuit.verifies(&proof, &fields));
    let mut later = fields;
    later[3] += commitment::Fr::from(1u64);
    assert!(!circuit.verifies(&proof, &later));
}

#[test]
fn a_claim_that_the_record_does_not_support_gets_no_proof_and_the_reason_is_named() {
    let open = r#"{"facts": [{"kind": "pooled-tube", "province": 35, "begin": 27699000}]}"#;
    let old = r#"{"negatives": [27690000]}"#;
    let case = r#"{"facts": [{"kind": "confirmed-case", "province": 35, "begin": 27690000}]}"#;
    for (record, more, why) in [
        (open, &["--claim", "green"][..], "Y7: "),
        (case, &["--claim", "yellow"], "R1: "),
        (old, &["--test-age", "48"], "the youngest negative is of"),
        ("{}", &["--test-age", "72"], "no negative test"),
    ] {
        let output = prove(record, more);
        assert_eq!(output.status.code(), Some(1), "{record}");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(said["proof"]["made"].is_null());
        let because = said["proof"]["refused"]["because"].to_string();
        assert!(because.contains(why), "{because}");
    }
    // What is open for green is supported as "not red".
    let said = json(&prove(open, &["--claim", "yellow"]));
    assert_eq!(said["proof"]["made"]["accepted"], true);
    assert_eq!(said["colour"], "yellow");
}

#[test]
fn a_claim_off_the_menu_or_without_a_proof_is_a_wrong_command_line() {
    for more in [
        &["--prove", "--test-age", "36"][..],
        &["--prove", "--claim", "red"],
        &["--prove", "--test-seed", "ffff"],
        &["--claim", "green"],
    ] {
        let output = explain("{}", None, &[&FUJIAN[..], more].concat());
        assert_eq!(output.status.code(), Some(2), "{more:?}");
    }
}
