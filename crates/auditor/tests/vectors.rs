//! `auditor vectors`, run as a user runs it.
#![allow(missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn auditor(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auditor"));
    command
        .arg("vectors")
        .args(args)
        .output()
        .expect("the auditor starts")
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../circuits/vectors")
}

fn json(output: &Output, code: i32) -> Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A folder of some of the shipped vectors.
fn some(paths: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for path in paths {
        let to = folder.path().join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(shipped().join(path), to).unwrap();
    }
    folder
}

fn path(folder: &tempfile::TempDir) -> &str {
    folder.path().to_str().unwrap()
}

fn change(folder: &tempfile::TempDir, file: &str, from: &str, to: &str) {
    let at = folder.path().join(file);
    let text = std::fs::read_to_string(&at).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(at, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn the_vectors_inside_the_program_agree_with_relation_and_constraints() {
    let said = json(&auditor(&["--quick", "--json"]), 0);
    assert_eq!(said["agrees"], true);
    let count = |what: &str| said["vectors"][what].as_u64().unwrap();
    assert!(count("accept") >= 20 && count("reject") >= 100 && count("wires") >= 12);
    let judged = |who: &str| said["judgements"][who].as_u64().unwrap();
    assert_eq!(judged("relation"), count("accept") + count("reject"));
    assert_eq!(judged("constraints"), judged("relation") + count("wires"));
    assert!(said["judgements"].get("prover").is_none());
}

#[test]
fn all_four_judges_agree_on_vectors_of_each_kind() {
    let folder = some(&[
        "accept/green.json",
        "accept/open-yellow.json",
        "reject/registry-another-root.json",
        "reject/state-sibling-changed.json",
        "wires/wire-bit-of-two.json",
        "shown/shown-by-another-holder.json",
        "shown/shown-as-green.json",
    ]);
    let output = auditor(&[path(&folder)]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.contains("judged: 4 by the relation, 5 by the constraints, 4 by the prover"),
        "{text}"
    );
    // Two proofs hold; they are refused under the inputs of two shown vectors, and of the reject vector that has its own.
    assert!(
        text.contains("2 by the verifier") || text.contains("5 by the verifier"),
        "{text}"
    );
    assert!(text.contains("all agree, on matrices"), "{text}");
}

#[test]
fn a_vector_that_says_something_else_is_named() {
    let folder = some(&["accept/green.json", "reject/state-sibling-changed.json"]);
    let file = "reject/state-sibling-changed.json";
    change(&folder, file, "State membership", "Head time");
    let said = json(&auditor(&[path(&folder), "--quick", "--json"]), 1);
    assert_eq!(said["agrees"], false);
    let differences = said["differences"].as_array().unwrap();
    assert_eq!(differences.len(), 2);
    for difference in differences {
        assert_eq!(difference["vector"], "state-sibling-changed");
        assert_eq!(difference["expected"], "refused under Head time");
        assert_eq!(difference["said"], "refused under State membership");
    }
    // An accept vector that does not hold is refused by whoever judges it, the prover among them.
    let folder = some(&["accept/green.json"]);
    change(
        &folder,
        "accept/green.json",
        "\"fresh_negative\": 3",
        "\"fresh_negative\": 0",
    );
    let said = auditor(&[path(&folder)]);
    let text = String::from_utf8_lossy(&said.stdout);
    assert_eq!(said.status.code(), Some(1), "{text}");
    for judge in ["relation", "constraints", "prover"] {
        assert!(
            text.contains(&format!("DIFFERS: green: {judge}: ")),
            "{text}"
        );
    }
    assert!(text.contains("NOT all agree"), "{text}");
}

#[test]
fn damaged_files_and_empty_folders_are_refused() {
    let refused = |folder: &tempfile::TempDir, why: &str| {
        let output = auditor(&[path(folder), "--quick"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{stderr}");
        assert!(stderr.contains(why), "{stderr}");
    };
    refused(&some(&[]), "holds no vectors");
    refused(
        &some(&["reject/state-sibling-changed.json"]),
        "is no accept vector among these",
    );
    let files = ["accept/green.json", "wires/wire-bit-of-two.json"];
    let folder = some(&files);
    change(
        &folder,
        "accept/green.json",
        "\"format\": ",
        "\"more\": 1, \"format\": ",
    );
    refused(&folder, "unknown field `more`");
    let folder = some(&files);
    change(
        &folder,
        "wires/wire-bit-of-two.json",
        "\"matrix_sha256\": \"",
        "\"matrix_sha256\": \"0",
    );
    refused(&folder, "not of the ones built here");
    let folder = some(&files);
    std::fs::write(folder.path().join("large.json"), vec![b' '; 200_000]).unwrap();
    refused(&folder, "more than 131072 bytes");
    let output = auditor(&["/no/such/folder"]);
    assert_eq!(output.status.code(), Some(3));
    let output = auditor(&["--write", "x", "--quick"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_is_written_is_what_is_shipped() {
    let folder = tempfile::tempdir().unwrap();
    let said = json(&auditor(&["--write", path(&folder), "--json"]), 0);
    let mut count = 0;
    for kind in ["accept", "reject", "wires", "shown"] {
        for entry in std::fs::read_dir(shipped().join(kind)).unwrap() {
            let shipped = entry.unwrap().path();
            let written = folder.path().join(kind).join(shipped.file_name().unwrap());
            assert_eq!(
                std::fs::read(&shipped).unwrap(),
                std::fs::read(written).unwrap()
            );
            count += 1;
        }
    }
    assert_eq!(said["written"], count);
}
