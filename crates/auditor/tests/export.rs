//! `auditor export`, run as a user runs it.
#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use circuits::clearance::{names as names_of_wires, shape};
use commitment::Fr;
use r1cs_audit::format::wtns;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

fn export(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_auditor"))
        .current_dir(folder)
        .arg("export")
        .args(args)
        .output()
        .expect("the auditor starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The files in a folder and in the folders in it.
fn names(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let inner = entry.path().join("in the way");
        if entry.path().is_dir() && !inner.exists() {
            found.extend(names(&entry.path()).iter().map(|n| format!("{name}/{n}")));
        } else {
            found.insert(name);
        }
    }
    found
}

fn changed(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 2;
    bytes
}

#[test]
fn what_is_exported_is_listed_with_its_digest_and_read_back_as_the_circuit() {
    let folder = tempfile::tempdir().unwrap();
    let output = export(folder.path(), &["out", "--all", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let manifest: Value = serde_json::from_slice(&output.stdout).unwrap();
    let out = folder.path().join("out");
    let written: Value =
        serde_json::from_slice(&fs::read(out.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest, written);

    let mut listed = BTreeSet::from(["manifest.json".to_owned()]);
    for file in manifest["files"].as_array().unwrap() {
        let name = file["name"].as_str().unwrap();
        let bytes = fs::read(out.join(name)).unwrap();
        assert_eq!(file["bytes"], bytes.len());
        assert_eq!(
            file["sha256"],
            hex::encode(Sha256::digest(&bytes)),
            "{name}"
        );
        listed.insert(name.to_owned());
    }
    assert_eq!(names(&out), listed);
    assert_eq!(manifest["matrix_sha256"], hex::encode(shape().digest()));
    assert_eq!(manifest["constraints"], shape().constraints());

    let samples = manifest["samples"].as_array().unwrap();
    assert!(samples.len() >= 3);
    for sample in samples {
        let name = sample.as_str().unwrap();
        let values = wtns::read::<Fr>(&fs::read(out.join(format!("{name}.wtns"))).unwrap());
        let values = values.unwrap();
        assert_eq!(shape().first_broken(&values), None, "{name}");
        let public = fs::read(out.join(format!("{name}.public.json"))).unwrap();
        let public: Vec<String> = serde_json::from_slice(&public).unwrap();
        let wires = values[1..shape().instance].iter().map(ToString::to_string);
        assert_eq!(public, wires.collect::<Vec<_>>(), "{name}");
    }
    attempts_break_the_rows_that_the_manifest_names(&out, &manifest);
    let symbols = fs::read_to_string(out.join("clearance.sym")).unwrap();
    assert_eq!(
        symbols.lines().count(),
        shape().instance + shape().witness - 1
    );
    assert!(symbols.starts_with("1,1,0,main.registry_root\n"));

    reads_back(folder.path());
    refuses_a_folder_with_files(folder.path());
}

fn attempts_break_the_rows_that_the_manifest_names(out: &Path, manifest: &Value) {
    let refused = manifest["refused"].as_array().unwrap();
    assert!(refused.len() > 100);
    let names = names_of_wires().rows;
    for attempt in refused {
        let file = attempt["file"].as_str().unwrap();
        let values = wtns::read::<Fr>(&fs::read(out.join(file)).unwrap()).unwrap();
        let row = shape().first_broken(&values).unwrap();
        assert_eq!(attempt["breaks_row"], row, "{file}");
        assert_eq!(attempt["row"], names[row], "{file}");
        assert_eq!(attempt["heading"], shape().headings[row].title(), "{file}");
    }
}

/// The exported rows are the circuit; with one coefficient changed they are not, and cut short they are refused.
fn reads_back(folder: &Path) {
    let same = export(folder, &["--read", "out/clearance.r1cs"]);
    assert_eq!(same.status.code(), Some(0), "{}", said(&same));
    let bytes = fs::read(folder.join("out/clearance.r1cs")).unwrap();
    // The lowest byte of the last coefficient: before it its rows, after it one label of eight bytes for each wire and
    // the head of their section.
    let labels = 8 * (shape().instance + shape().witness) + 12;
    fs::write(
        folder.join("other"),
        changed(&bytes, bytes.len() - labels - 32),
    )
    .unwrap();
    let other = export(folder, &["--read", "other", "--json"]);
    assert_eq!(other.status.code(), Some(1), "{}", said(&other));
    let report: Value = serde_json::from_slice(&other.stdout).unwrap();
    let difference = report["difference"].as_str().unwrap();
    let last = format!("row {} (Binder/", shape().constraints() - 1);
    assert!(difference.starts_with(&last), "{difference}");
    for (damage, says) in [
        (bytes[..bytes.len() - 1].to_vec(), "cut short in the labels"),
        (changed(&bytes, 0), "magic"),
        (changed(&bytes, 28), "another field"),
    ] {
        fs::write(folder.join("damaged"), damage).unwrap();
        let output = export(folder, &["--read", "damaged"]);
        assert_eq!(output.status.code(), Some(3));
        assert!(said(&output).contains(says), "{}", said(&output));
    }
}

/// And takes it when it is told to, with the same result.
fn refuses_a_folder_with_files(folder: &Path) {
    let manifest = fs::read(folder.join("out/manifest.json")).unwrap();
    let refused = export(folder, &["out"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(said(&refused).contains("not empty"), "{}", said(&refused));
    assert_eq!(
        fs::read(folder.join("out/manifest.json")).unwrap(),
        manifest
    );
    let forced = export(folder, &["out", "--all", "--force"]);
    assert_eq!(forced.status.code(), Some(0), "{}", said(&forced));
    assert_eq!(
        fs::read(folder.join("out/manifest.json")).unwrap(),
        manifest
    );
}

#[test]
fn a_file_that_is_in_the_way_is_named_and_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("out/clearance.sym/in the way")).unwrap();
    let output = export(folder.path(), &["out", "--force"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("clearance.sym"), "{}", said(&output));
    let left = names(&folder.path().join("out"));
    let expected = ["clearance.r1cs", "clearance.sym"].map(ToOwned::to_owned);
    assert_eq!(left, BTreeSet::from(expected));
}

#[test]
fn a_wrong_command_line_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for args in [
        &[][..],
        &["out", "--read", "x.r1cs"],
        &["out", "--seed", "12"],
        &["--read", "x.r1cs", "--force"],
        &["--read", "x.r1cs", "--all"],
    ] {
        let output = export(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
    let absent = export(folder.path(), &["--read", "absent.r1cs"]);
    assert_eq!(absent.status.code(), Some(3));
}
