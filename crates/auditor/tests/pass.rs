//! `auditor pass`, run as a user runs it.
#![allow(missing_docs)]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::AffineRepr as _;
use commitment::{CircuitUse, Epoch};
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use qrcode::{EcLevel, QrCode};
use rules::{Claim, RuleSet, TestAge, WorstColour};
use serde_json::Value;
use verifier::{
    CircuitId, GateChallenge, GateId, GateNonce, Holder, HolderKey, Moment, Pass, PassProof,
    QrText, RevocationHash, RiskMapShortId, RuleSetShortId, Showing, ShowingSlot,
};

fn auditor(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_auditor"))
        .arg("pass")
        .args(args)
        .output()
        .expect("the auditor starts")
}

fn json(args: &[&str]) -> Value {
    let output = auditor(&[args, &["--json"]].concat());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Which kinds a holder can have.
#[derive(Clone, Copy)]
enum Bound {
    Device,
    DeviceAndCard,
    Card,
}

fn signing_key(n: u8) -> SigningKey {
    SigningKey::from_slice(&[n; 32]).unwrap()
}

/// A pass of the holder `n` under Fujian's rules. Its proof is three points that lie where they should; no more is
/// looked at here.
fn pass(n: u8, bound: Bound) -> Pass {
    let fujian = RuleSet::built_in("fj-2022-08").unwrap();
    let proof = ark_groth16::Proof::<Bn254> {
        a: (G1Affine::generator() * ark_bn254::Fr::from(u64::from(n))).into(),
        b: G2Affine::generator(),
        c: (G1Affine::generator() * ark_bn254::Fr::from(u64::from(n) + 1)).into(),
    };
    let key = HolderKey::from(*signing_key(n).verifying_key());
    Pass {
        circuit: CircuitId::new(CircuitUse::Test, &[7; 32], b"a key").short(),
        epoch: Epoch::new(4_711),
        rule_set: RuleSetShortId::of_digest(commitment::rule_digest(fujian.table())),
        risk_map: RiskMapShortId([9, 8, 7, 6]),
        claim: Claim {
            worst: WorstColour::Yellow,
            test_age: TestAge::Hours48,
        },
        holder: match bound {
            Bound::Device => Holder::Device(key),
            Bound::DeviceAndCard => Holder::DeviceAndCard(key),
            Bound::Card => Holder::Card,
        },
        h: RevocationHash([n; 16]),
        proof: PassProof::new(proof).unwrap(),
    }
}

/// The text of a code, at a half minute and with or without a gate's challenge.
fn code(pass: Pass, signer: u8, slot: u32, gate: Option<u8>) -> String {
    let showing = if pass.holder.key().is_none() {
        Showing::of_card(pass).unwrap()
    } else {
        let moment = Moment {
            slot: ShowingSlot::new(slot),
            challenge: gate.map(|n| GateChallenge {
                gate: GateId([n; 8]),
                nonce: GateNonce([n + 1; 16]),
            }),
        };
        let message = moment.signing_bytes(&pass);
        let signature: p256::ecdsa::Signature = signing_key(signer).sign(&message);
        Showing::of_device(pass, moment, &signature.to_bytes().into()).unwrap()
    };
    QrText::from_showing(&showing).to_string()
}

/// 2022-08-31 08:00:30 UTC+8.
const SLOT: u32 = 55_396_801;

fn names(report: &Value) -> Vec<&str> {
    let fields = report["fields"].as_array().unwrap();
    fields.iter().map(|f| f["part"].as_str().unwrap()).collect()
}

/// The table of a showing's bytes as `circuits/README.md` has it.
fn table(fields: &Value) -> String {
    let row = |field: &Value| {
        let text = |name: &str| field[name].as_str().unwrap().to_owned();
        format!(
            "| {} | {} | {} | {} | {} |\n",
            field["offset"],
            field["length"],
            text("part").replace('-', " "),
            text("reveals"),
            text("to")
        )
    };
    fields.as_array().unwrap().iter().map(row).collect()
}

#[test]
fn the_circuits_readme_says_of_every_byte_what_the_command_says() {
    let readme = include_str!("../../../circuits/README.md");
    let said = json(&[&code(pass(3, Bound::Device), 3, SLOT, Some(5))]);
    let table = table(&said["fields"]);
    assert!(readme.contains(&table), "{table}");
    assert!(readme.contains(said["not_in_it"].as_str().unwrap()));
}

#[test]
fn every_byte_of_every_kind_of_code_is_accounted_for_exactly_once() {
    let kinds = [
        (code(pass(3, Bound::Device), 3, SLOT, None), 265, 16),
        (code(pass(3, Bound::Device), 3, SLOT, Some(5)), 289, 18),
        (
            code(pass(3, Bound::DeviceAndCard), 3, SLOT, Some(5)),
            289,
            18,
        ),
        (code(pass(3, Bound::Card), 3, SLOT, None), 163, 11),
    ];
    for (text, len, fields) in kinds {
        let bytes = QrText::parse(&text).unwrap().showing().unwrap().to_bytes();
        assert_eq!(bytes.len(), len);
        let report = json(&[&text]);
        assert_eq!(report["length"], len);
        let all = report["fields"].as_array().unwrap();
        assert_eq!(all.len(), fields);
        let mut at = 0;
        for field in all {
            let number = |name: &str| usize::try_from(field[name].as_u64().unwrap()).unwrap();
            let (offset, length) = (number("offset"), number("length"));
            assert_eq!(offset, at, "{field}");
            assert!(length > 0);
            let own = hex::encode(&bytes[offset..offset + length]);
            assert_eq!(field["hex"], own, "{field}");
            for words in ["value", "meaning", "reveals", "to"] {
                assert!(!field[words].as_str().unwrap().is_empty(), "{field}");
            }
            at += length;
        }
        assert_eq!(at, len);
        let parts = ["shared_bytes", "pass_bytes", "showing_bytes"];
        let sum: u64 = parts.iter().map(|p| report[p].as_u64().unwrap()).sum();
        assert_eq!(sum, len as u64);
        let mut distinct = names(&report);
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), fields);
    }
}

#[test]
fn values_are_said_in_words_and_a_specimen_is_called_one() {
    let text = code(pass(3, Bound::Device), 3, SLOT, Some(5));
    let report = json(&[&text]);
    assert_eq!(report["specimen"], true);
    assert_eq!(report["signature"], "fits");
    let value = |part: &str| {
        let fields = report["fields"].as_array().unwrap();
        let field = fields.iter().find(|f| f["part"] == part).unwrap();
        field["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(value("epoch"), "4711");
    assert_eq!(value("rule-set"), "fj-2022-08");
    assert_eq!(
        value("claim"),
        "not red; a negative test at most 48 hours old"
    );
    assert_eq!(value("slot"), "2022-08-31 08:00:30 UTC+8, half a minute");
    let shown = String::from_utf8(auditor(&[&text]).stdout).unwrap();
    for says in [
        "  52 +16  revocation h",
        "reveals",
        "Not in it: name",
        "specimen",
    ] {
        assert!(shown.contains(says), "{says}: {shown}");
    }
}

#[test]
fn two_codes_are_linked_by_key_and_hash_of_one_pass_and_by_nothing_else() {
    let first = code(pass(3, Bound::Device), 3, SLOT, None);
    let later = code(pass(3, Bound::Device), 3, SLOT + 9, Some(5));
    let stranger = code(pass(4, Bound::Device), 4, SLOT, None);
    let linked = |a: &str, b: &str| {
        let report = json(&[a, "--other", b]);
        let by = report["together"]["linked_by"].as_array().unwrap().clone();
        let by: Vec<String> = by.iter().map(|p| p.as_str().unwrap().to_owned()).collect();
        let conclusion = report["together"]["conclusion"]
            .as_str()
            .unwrap()
            .to_owned();
        (by, conclusion)
    };
    let (by, conclusion) = linked(&first, &later);
    assert!(by.contains(&"holder-key".to_owned()) && by.contains(&"revocation-hash".to_owned()));
    assert!(
        conclusion.contains("two showings of one pass"),
        "{conclusion}"
    );
    let (_, conclusion) = linked(&first, &first);
    assert!(conclusion.contains("a copy"), "{conclusion}");

    // The second points of both proofs are the same one here, which no two honest proofs have.
    let (by, _) = linked(&first, &stranger);
    assert_eq!(by, ["proof-b"]);
    let mut reused = pass(4, Bound::Device);
    reused.holder = pass(3, Bound::Device).holder;
    let (by, conclusion) = linked(&first, &code(reused, 3, SLOT, None));
    assert!(by.contains(&"holder-key".to_owned()));
    assert!(
        conclusion.contains("two passes that their key"),
        "{conclusion}"
    );

    let report = json(&[
        &first,
        "--other",
        &code(pass(4, Bound::Card), 4, SLOT, None),
    ]);
    let fields = report["together"]["fields"].as_array().unwrap();
    let of = |part: &str| &fields.iter().find(|f| f["part"] == part).unwrap()["compared"];
    assert_eq!(
        [
            of("epoch"),
            of("binder-kind"),
            of("revocation-hash"),
            of("holder-key")
        ],
        ["equal", "different", "different", "only-in-one"]
    );
}

#[test]
fn a_code_is_read_from_a_picture_a_file_and_a_stream_alike() {
    let text = code(pass(3, Bound::Device), 3, SLOT, Some(5));
    let dir = tempfile::tempdir().unwrap();
    let picture = dir.path().join("code.png");
    QrCode::with_error_correction_level(&text, EcLevel::M)
        .unwrap()
        .render::<image::Luma<u8>>()
        .module_dimensions(4, 4)
        .build()
        .save(&picture)
        .unwrap();
    let file = dir.path().join("code.txt");
    std::fs::write(&file, format!("{text}\n")).unwrap();
    let plain = json(&[&text]);
    assert_eq!(json(&[picture.to_str().unwrap()]), plain);
    assert_eq!(json(&[file.to_str().unwrap()]), plain);
    let mut child = Command::new(env!("CARGO_BIN_EXE_auditor"))
        .args(["pass", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&output.stdout).unwrap(),
        plain
    );
}

#[test]
fn damaged_codes_are_refused_by_name_and_a_foreign_signature_is_noticed() {
    let good = code(pass(3, Bound::Device), 3, SLOT, None);
    let bytes = QrText::parse(&good).unwrap().showing().unwrap().to_bytes();
    let text = |bytes: &[u8]| format!("VIR1:{}", base45::encode(bytes));
    let changed = |at: usize, to: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = to;
        text(&bytes)
    };
    let long = format!("VIR1:{}", "0".repeat(500));
    for (bad, why) in [
        (good.replace("VIR1:", "VIR2:"), "neither a text"),
        (format!("{good}x"), "base45"),
        (text(&bytes[..bytes.len() - 1]), "short of a field"),
        (text(&[&bytes[..], &[0]].concat()), "follow the last field"),
        (changed(0, 2), "version 2"),
        (changed(17, 8), "unknown claim"),
        (changed(18, 9), "unknown binder kind"),
        (changed(19, 4), "holder key"),
        (changed(99, 0x40), "the proof"), // the flag of infinity
        (changed(99, 0xff), "the proof"),
        (long, "at most"),
        (String::new(), "neither a text"),
        ("no/such/file.png".to_owned(), "nor a file"),
    ] {
        let output = auditor(&[&bad, "--json"]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{why}: {error}");
        assert!(error.contains(why), "{why}: {error}");
        assert!(output.stdout.is_empty());
    }
    let foreign = auditor(&[&code(pass(3, Bound::Device), 4, SLOT, None), "--json"]);
    assert_eq!(foreign.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&foreign.stdout).unwrap();
    assert_eq!(report["signature"], "does-not-fit");
    assert_eq!(auditor(&[]).status.code(), Some(2));
}
