//! `auditor opening`, `statement`, `vectors` and `check` of the opening, run as a user runs them.
#![allow(missing_docs)]

use std::path::Path;
use std::process::{Command, Output};

use circuits::opening::scene::{SLOT, Scene, registered, subject};
use commitment::opening::Sought;
use commitment::{CircuitId, CircuitUse, Epoch, Slot, fr_to_bytes};
use ed25519_dalek::{Signer as _, SigningKey};
use prover::OpeningProver;
use rules::{Event, EventBody, EventId, ProvinceCode, SourceId, SourceKind, TestResult};
use serde_json::Value;
use verifier::opening::{Opening, RegisteredHead};
use verifier::trust::{
    CircuitEntry, HeadKeys, OpeningEntry, Profile, ProvinceEntry, RootDocument, RootKeys,
    RootSignature, RuleSetEntry, Sequence, SignedRoot,
};
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

fn signer(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

/// An opening with everything that it is checked by, in a folder.
struct Desk {
    folder: tempfile::TempDir,
    opening: Opening,
    prover: OpeningProver,
    root: String,
    head_minute: u32,
}

const ADMITTED: [&str; 1] = ["--admit-test-key"];

impl Desk {
    fn new() -> Self {
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
        let desk = Self {
            folder: tempfile::tempdir().unwrap(),
            root: hex::encode(fr_to_bytes(root)),
            head_minute: head_time.get(),
            opening,
            prover,
        };
        desk.write("opening.bin", &desk.opening.to_bytes());
        desk.write("event.bin", &stated.to_bytes());
        desk.write("other.bin", &positive(4 * 1440).to_bytes());
        desk.write("key.bin", desk.prover.verifying_key());
        desk
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    fn ask_of(&self, slot: &str, epoch: &str, file: [&str; 2], more: &[&str]) -> Output {
        let [opening, event] = file;
        let closed = self.head_minute.to_string();
        let args = ["opening", opening, "--event", event, "--slot", slot];
        let registry = ["--epoch", epoch, "--as-of", &closed];
        let rest = if more.contains(&"--root-document") {
            &["--json"][..]
        } else {
            &["--verifying-key", "key.bin", "--json"]
        };
        let all = [&args[..], &registry, rest, more].concat();
        auditor(self.folder.path(), &all)
    }

    /// Writes a root document with these circuits of openings, signed by a root key.
    fn write_root(&self, name: &str, openings: Vec<OpeningEntry>) {
        let production = OpeningProver::from_test_parameters(&[2; 32]).unwrap();
        let minute = |number| rules::Minute::new(number).unwrap();
        let document = RootDocument {
            sequence: Sequence::new(1),
            expires_at: verifier::UnixTime::from_s(4_000_000_000),
            root_keys: RootKeys::new(vec![signer(1).verifying_key()], 1).unwrap(),
            grace_min: 0,
            provinces: vec![ProvinceEntry {
                province: commitment::ProvinceCode::new(33).unwrap(),
                slot: Slot::new(SLOT).unwrap(),
                head_keys: HeadKeys::single(signer(2).verifying_key()),
            }],
            circuits: vec![CircuitEntry {
                circuit_use: CircuitUse::Production,
                matrix_digest: [9; 32],
                key: VerifyingKey::from_bytes(production.verifying_key()).unwrap(),
            }],
            openings,
            rule_sets: vec![RuleSetEntry {
                short_id: verifier::RuleSetShortId([1; 4]),
                name: "one".to_owned(),
                digest: commitment::Fr::from(1_u64),
                scope: commitment::ProvinceCode::NATION,
                valid_from: minute(1),
                superseded_at: None,
                version: 1,
                is_emergency: false,
            }],
            profiles: vec![Profile {
                name: "gate".to_owned(),
                rule: verifier::AcceptanceRule {
                    asked: rules::Claim {
                        worst: rules::WorstColour::Green,
                        test_age: rules::TestAge::NotAsked,
                    },
                    pass_age_max_min: 60,
                    card_pass_age_max_min: 60,
                    binders: verifier::BinderKinds::of(&[]),
                },
            }],
        };
        let signature = RootSignature {
            key: signer(1).verifying_key(),
            signature: signer(1)
                .sign(&document.signing_bytes().unwrap())
                .to_bytes(),
        };
        let signed = SignedRoot::new(document, vec![signature]);
        self.write(name, &signed.to_bytes().unwrap());
    }

    /// An entry for the prover's key.
    fn entry(&self, circuit_use: CircuitUse) -> OpeningEntry {
        OpeningEntry {
            circuit_use,
            matrix_digest: self.prover.matrix_digest(),
            key: VerifyingKey::from_bytes(self.prover.verifying_key()).unwrap(),
        }
    }

    /// Asks the slot and epoch that it is of, under a registry root.
    fn ask_under(&self, root: &str, event: &str, more: &[&str]) -> Output {
        let more = [&["--registry-root", root], more].concat();
        self.ask_of("19", "41", ["opening.bin", event], &more)
    }

    fn ask(&self, event: &str, more: &[&str]) -> Output {
        self.ask_under(&self.root, event, more)
    }
}

fn refused(output: &Output, why: &str) {
    let said = json(output, 1);
    assert_eq!(said["is_believed"], false);
    assert!(said["refused"].as_str().unwrap().contains(why), "{said}");
    assert!(said.get("answer").is_none());
}

#[test]
fn an_opening_is_believed_for_its_event_and_registry_and_for_nothing_else() {
    let desk = Desk::new();
    let said = json(&desk.ask("event.bin", &ADMITTED), 0);
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
    refused(&desk.ask("event.bin", &[]), "key is one of tests");
    refused(&desk.ask("other.bin", &ADMITTED), "proof does not hold");
    let later = ["--admit-test-key", "--ended-not-before", "27699000"];
    refused(&desk.ask("event.bin", &later), "proof does not hold");
    let another = format!("{}{}", "0".repeat(63), 1);
    let output = desk.ask_under(&another, "event.bin", &ADMITTED);
    refused(&output, "registry does not hold");
    let admitted = ["--registry-root", &desk.root, "--admit-test-key"];
    let files = ["opening.bin", "event.bin"];
    let of = |slot, epoch| desk.ask_of(slot, epoch, files, &admitted);
    refused(&of("20", "41"), "slot 19, not 20");
    refused(&of("19", "42"), "epoch 41, not 42");
    // Accepted after the tree was closed: it cannot stand there.
    let accepted = |minute: u32| {
        let minute = minute.to_string();
        desk.ask("event.bin", &["--admit-test-key", "--accepted", &minute])
    };
    refused(&accepted(desk.head_minute + 1), "older than the receipt");
    json(&accepted(desk.head_minute), 0);
}

#[test]
fn what_a_key_is_for_is_the_askers_knowledge_and_not_the_openings() {
    let desk = Desk::new();
    let key = VerifyingKey::from_bytes(desk.prover.verifying_key()).unwrap();
    let digest = desk.prover.matrix_digest();
    let id_for = |circuit_use| CircuitId::new(circuit_use, &digest, &key.to_bytes());
    let of_tests = hex::encode(id_for(CircuitUse::Test).to_bytes());
    let named = ["--admit-test-key", "--circuit-id", &of_tests];
    json(&desk.ask("event.bin", &named), 0);
    let another = desk.ask("event.bin", &["--circuit-id", &"a".repeat(64)]);
    assert_eq!(another.status.code(), Some(3));
    // Proved under a key of tests, and calls it one of production.
    let lie = Opening {
        circuit: id_for(CircuitUse::Production).short(),
        ..desk.opening.clone()
    };
    desk.write("opening.bin", &lie.to_bytes());
    let why = "is under the circuit";
    refused(&desk.ask("event.bin", &[]), why);
    refused(&desk.ask("event.bin", &ADMITTED), why);
    refused(&desk.ask("event.bin", &["--circuit-id", &of_tests]), why);
}

#[test]
fn the_key_is_the_one_that_a_root_document_of_the_pinned_keys_names_for_openings() {
    let desk = Desk::new();
    let pinned = |seed: u8| hex::encode(signer(seed).verifying_key().as_bytes());
    let (good, other) = (pinned(1), pinned(5));
    let under = |file, key: &str, more: &[&str]| {
        let root = ["--root-document", file, "--root-key", key];
        desk.ask("event.bin", &[&root[..], more].concat())
    };
    desk.write_root("root.bin", vec![desk.entry(CircuitUse::Test)]);
    let said = json(&under("root.bin", &good, &ADMITTED), 0);
    assert_eq!(said["circuit_use"], "test");
    refused(&under("root.bin", &good, &[]), "key is one of tests");
    // Another use, or none, or signed by nobody who is known.
    desk.write_root(
        "of-production.bin",
        vec![desk.entry(CircuitUse::Production)],
    );
    let of_production = under("of-production.bin", &good, &ADMITTED);
    refused(&of_production, "is under the circuit");
    desk.write_root("none.bin", Vec::new());
    let fails = |file, key: &str, why: &str| {
        let output = under(file, key, &ADMITTED);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains(why), "{said}");
    };
    fails("none.bin", &good, "names no key of the circuit of openings");
    fails("root.bin", &other, "root.bin is refused");
    fails("key.bin", &good, "is no root document");
    let root = ["--registry-root", &desk.root, "--root-document", "root.bin"];
    let output = desk.ask_of("19", "41", ["opening.bin", "event.bin"], &root);
    assert_eq!(output.status.code(), Some(2), "no key is pinned");
}

#[test]
fn what_is_no_opening_event_or_root_is_refused_with_its_exit_code() {
    let desk = Desk::new();
    let release = event(EventBody::Release {
        target: EventId([1; 16]),
        at: circuits::clearance::scene::ago(5),
    });
    desk.write("other.bin", &release.to_bytes());
    let output = desk.ask("other.bin", &[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("nothing can be asked"));
    desk.write("other.bin", &[0; 800]);
    let root = ["--registry-root", &desk.root];
    let output = desk.ask_of("19", "41", ["other.bin", "event.bin"], &root);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("more than 719 bytes"));
    for (slot, root) in [("19", "f".repeat(64)), ("64", desk.root.clone())] {
        let root = ["--registry-root", &root[..]];
        let output = desk.ask_of(slot, "41", ["opening.bin", "event.bin"], &root);
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn statement_vectors_and_searches_of_the_opening_agree() {
    agrees("opening", 7_376, [20, 45]);
}

#[test]
fn statement_vectors_and_searches_of_the_pseudonym_agree() {
    agrees("pseudonym", 5_906, [9, 25]);
}

/// Statement, vectors and searches of a circuit with so many rows and at least so many accept and reject vectors.
fn agrees(circuit: &str, rows: u64, [accept, reject]: [u64; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let of = |args: &[&str]| {
        auditor(
            folder.path(),
            &[args, &["--circuit", circuit, "--json"]].concat(),
        )
    };
    let statement = json(&of(&["statement"]), 0);
    assert_eq!(
        (&statement["rows"], &statement["domain_rows"]),
        (&rows.into(), &8_192.into())
    );
    assert_eq!(statement["agrees"], true);
    let vectors = json(&of(&["vectors"]), 0);
    assert_eq!(vectors["agrees"], true);
    let judged = |who: &str| vectors["judgements"][who].as_u64().unwrap();
    let count = |what: &str| vectors["vectors"][what].as_u64().unwrap();
    assert!(count("accept") >= accept && count("reject") >= reject);
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
        (&circuit.into(), &0.into())
    );
    let output = auditor(
        folder.path(),
        &["statement", "--circuit", circuit, "--by", "gadget"],
    );
    assert_eq!(output.status.code(), Some(2));
}
