//! `auditor opening`, `statement`, `vectors` and `check` of the opening, run as a user runs them.
#![allow(missing_docs)]

use std::path::Path;
use std::process::{Command, Output};

use circuits::opening::scene::{SLOT, Scene, registered, subject};
use commitment::opening::Sought;
use commitment::{CircuitId, CircuitUse, Epoch, Slot, fr_to_bytes};
use prover::OpeningProver;
use rules::{Event, EventBody, EventId, ProvinceCode, SourceId, SourceKind, TestResult};
use serde_json::Value;
use verifier::opening::{Opening, RegisteredHead};
use verifier::{PassProof, VerifyingKey};

fn auditor(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_auditor"))
        .current_dir(folder)
        .args(args)
        .output()
        .expect("the auditor starts")
}

fn json(output: &Output, code: i32) -> Value {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The positive of a screening that the scenes' record holds, or another event.
fn event(body: EventBody) -> Event {
    Event {
        id: EventId([9; 16]),
        subject: subject(),
        source: SourceId {
            province: ProvinceCode::new(33).unwrap(),
            kind: SourceKind::Laboratory,
            number: 17,
        },
        issued_at: circuits::clearance::scene::ago(0),
        body,
    }
}

fn positive(minutes_ago: u32) -> Event {
    event(EventBody::Test {
        sampled_at: circuits::clearance::scene::ago(minutes_ago),
        result: TestResult::Positive,
    })
}

#[test]
fn an_opening_is_believed_for_its_event_and_registry_and_for_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let stated = positive(3 * 1440);
    let (public, witness) = Scene::new()
        .answered(Sought::of_event(&stated).unwrap())
        .unwrap();
    let prover = OpeningProver::from_test_parameters(&[1; 32]).unwrap();
    let proof = prover.prove(&public, &witness, [7; 32]).unwrap();
    let (head_time, way, root) = registered(public.state_root);
    let opening = Opening {
        circuit: prover.circuit_id().short(),
        head: RegisteredHead {
            epoch: Epoch::new(41),
            slot: Slot::new(SLOT).unwrap(),
            head_time,
            state_root: public.state_root,
            way,
        },
        leaf: public.leaf,
        answer: public.said.answer(),
        proof: PassProof::from_bytes(&proof).unwrap(),
    };
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("opening.bin", &opening.to_bytes());
    write("event.bin", &stated.to_bytes());
    write("other.bin", &positive(4 * 1440).to_bytes());
    write("key.bin", prover.verifying_key());
    let root = hex::encode(fr_to_bytes(root));
    let closed = head_time.get().to_string();
    let ask_of = |slot: &str, epoch: &str, event: &str, root: &str, more: &[&str]| {
        let args = ["opening", "opening.bin", "--event", event, "--slot", slot];
        let registry = [
            "--epoch",
            epoch,
            "--as-of",
            &closed,
            "--registry-root",
            root,
        ];
        let rest = ["--verifying-key", "key.bin", "--json"];
        auditor(folder.path(), &[&args[..], &registry, &rest, more].concat())
    };
    let ask = |event: &str, root: &str, more: &[&str]| ask_of("19", "41", event, root, more);
    let said = json(&ask("event.bin", &root, &["--admit-test-key"]), 0);
    assert_eq!(
        (&said["is_believed"], &said["answer"]),
        (&true.into(), &"stands".into())
    );
    assert_eq!(
        (&said["epoch"], &said["slot"], &said["circuit_use"]),
        (&41.into(), &19.into(), &"test".into())
    );
    // Nothing printed names anybody.
    assert!(!said.to_string().contains("330102199"));

    let refused = |output: Output, why: &str| {
        let said = json(&output, 1);
        assert_eq!(said["is_believed"], false);
        assert!(said["refused"].as_str().unwrap().contains(why), "{said}");
        assert!(said.get("answer").is_none());
    };
    refused(ask("event.bin", &root, &[]), "key is one of tests");
    refused(
        ask("other.bin", &root, &["--admit-test-key"]),
        "proof does not hold",
    );
    let later = ["--admit-test-key", "--ended-not-before", "27699000"];
    refused(ask("event.bin", &root, &later), "proof does not hold");
    let another = format!("{}{}", "0".repeat(63), 1);
    refused(
        ask("event.bin", &another, &["--admit-test-key"]),
        "registry does not hold",
    );

    let admitted = ["--admit-test-key"];
    refused(
        ask_of("20", "41", "event.bin", &root, &admitted),
        "slot 19, not 20",
    );
    refused(
        ask_of("19", "42", "event.bin", &root, &admitted),
        "epoch 41, not 42",
    );
    // Accepted after the tree was closed: it cannot stand there.
    let after = (head_time.get() + 1).to_string();
    let late = ["--admit-test-key", "--accepted", &after];
    refused(ask("event.bin", &root, &late), "older than the receipt");
    let in_time = ["--admit-test-key", "--accepted", &closed];
    json(&ask("event.bin", &root, &in_time), 0);

    // What a key is for is the asker's knowledge: an opening that calls a key of tests one of production is not believed.
    let key = VerifyingKey::from_bytes(prover.verifying_key()).unwrap();
    let id_for =
        |circuit_use| CircuitId::new(circuit_use, &prover.matrix_digest(), &key.to_bytes());
    let lie = Opening {
        circuit: id_for(CircuitUse::Production).short(),
        ..opening.clone()
    };
    write("opening.bin", &lie.to_bytes());
    refused(ask("event.bin", &root, &[]), "is under the circuit");
    refused(ask("event.bin", &root, &admitted), "is under the circuit");
    let of_tests = hex::encode(id_for(CircuitUse::Test).to_bytes());
    refused(
        ask("event.bin", &root, &["--circuit-id", &of_tests]),
        "is under the circuit",
    );
    let another = ask("event.bin", &root, &["--circuit-id", &"a".repeat(64)]);
    assert_eq!(another.status.code(), Some(3));
    write("opening.bin", &opening.to_bytes());
    let named = ["--admit-test-key", "--circuit-id", &of_tests];
    json(&ask("event.bin", &root, &named), 0);

    let release = event(EventBody::Release {
        target: EventId([1; 16]),
        at: circuits::clearance::scene::ago(5),
    });
    write("other.bin", &release.to_bytes());
    let output = ask("other.bin", &root, &[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing can be asked"));
    write("other.bin", &[0; 800]);
    let output = auditor(
        folder.path(),
        &[
            "opening",
            "other.bin",
            "--event",
            "event.bin",
            "--slot",
            "19",
            "--epoch",
            "41",
            "--as-of",
            "1",
            "--registry-root",
            &root,
            "--verifying-key",
            "key.bin",
        ],
    );
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("more than 719 bytes"));
    assert_eq!(
        ask("event.bin", &"f".repeat(64), &[]).status.code(),
        Some(2)
    );
}

#[test]
fn statement_vectors_and_searches_of_the_opening_agree() {
    let folder = tempfile::tempdir().unwrap();
    let of = |args: &[&str]| {
        auditor(
            folder.path(),
            &[args, &["--circuit", "opening", "--json"]].concat(),
        )
    };
    let statement = json(&of(&["statement"]), 0);
    assert_eq!(
        (&statement["rows"], &statement["domain_rows"]),
        (&7_376.into(), &8_192.into())
    );
    assert_eq!(statement["agrees"], true);
    let vectors = json(&of(&["vectors"]), 0);
    assert_eq!(vectors["agrees"], true);
    let judged = |who: &str| vectors["judgements"][who].as_u64().unwrap();
    let count = |what: &str| vectors["vectors"][what].as_u64().unwrap();
    assert!(count("accept") >= 20 && count("reject") >= 45);
    assert_eq!(judged("prover"), count("accept") + count("reject"));
    assert!(judged("verifier") >= count("accept") + count("shown"));
    let searches = [
        "--only",
        "structure",
        "--only",
        "uniqueness",
        "--only",
        "dropped",
        "--only",
        "differential",
    ];
    let searched = json(&of(&[&["check"], &searches[..]].concat()), 0);
    assert_eq!(
        (&searched["circuit"], &searched["faults"]),
        (&"opening".into(), &0.into())
    );
    let output = auditor(
        folder.path(),
        &["statement", "--circuit", "opening", "--by", "gadget"],
    );
    assert_eq!(output.status.code(), Some(2));
}
