//! The program as its users run it: files in, words or JSON and an exit code out.

mod scene;

use std::path::Path;
use std::process::{Command, Output};

use commitment::{CircuitUse, Epoch, Fr};
use ed25519_dalek::{Signer as _, SigningKey};
use federation::pki::{DemoAuthority, Validity};
use federation::{FederationId, PeerId, Role};
use ledger::receipt::{Content, HeldReceipt, Salt};
use rules::{
    Claim, Event, EventBody, EventId, IdentityNumber, RuleSet, SourceId, SourceKind, TestAge,
    TestResult, WorstColour,
};
use serde_json::Value;
use verifier::trust::{
    Bundle, CircuitEntry, OnlineDocument, OpeningEntry, Profile, ProvinceEntry, ProvinceSignature,
    RegistryEntry, RootDocument, RootKeys, RootSignature, RuleSetEntry, Sequence, SignedOnline,
    SignedRoot,
};
use verifier::{AcceptanceRule, BinderKinds, UnixTime, VerifyingKey};

use scene::{EVENT, Forger, head_key, held, minute, province, slot, trust};

/// Certificates are held against the machine's clock.
const VALIDITY: Validity = Validity {
    from_s: 1_600_000_000,
    until_s: 4_000_000_000,
};

fn root_key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn circuit(field: &str) -> Vec<u8> {
    let circuit = include_str!("../../membership/tests/circuit.json");
    let circuit: Value = serde_json::from_str(circuit).unwrap();
    hex::decode(circuit[field].as_str().unwrap()).unwrap()
}

/// A root document that names the scene's provinces.
fn root_document() -> Vec<u8> {
    signed_root(Vec::new()).to_bytes().unwrap()
}

fn signed_root(openings: Vec<OpeningEntry>) -> SignedRoot {
    let roster = trust().roster;
    let provinces = roster.members().iter().map(|member| ProvinceEntry {
        province: member.province,
        slot: member.slot,
        head_keys: member.head_keys.clone(),
    });
    let document = RootDocument {
        sequence: Sequence::new(1),
        expires_at: UnixTime::from_s(4_000_000_000),
        root_keys: RootKeys::new(vec![root_key().verifying_key()], 1).unwrap(),
        grace_min: 1_440,
        provinces: provinces.collect(),
        circuits: vec![CircuitEntry {
            circuit_use: CircuitUse::Test,
            matrix_digest: circuit("matrix_digest").try_into().unwrap(),
            key: VerifyingKey::from_bytes(&circuit("verifying_key")).unwrap(),
        }],
        openings,
        rule_sets: vec![RuleSetEntry::of(&RuleSet::built_in("hz-2020-02").unwrap())],
        profiles: vec![Profile {
            name: "open".to_owned(),
            rule: AcceptanceRule {
                asked: Claim {
                    worst: WorstColour::Yellow,
                    test_age: TestAge::NotAsked,
                },
                pass_age_max_min: 2_880,
                card_pass_age_max_min: 2_880,
                binders: BinderKinds::ALL,
            },
        }],
    };
    let signature = RootSignature {
        key: root_key().verifying_key(),
        signature: root_key()
            .sign(&document.signing_bytes().unwrap())
            .to_bytes(),
    };
    SignedRoot::new(document, vec![signature])
}

/// A folder with everything that the program reads.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(forger: &Forger, receipt: &HeldReceipt) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let folder = Self(dir);
        for (path, bytes) in &forger.served().0 {
            folder.write(&format!("log/{path}"), bytes);
        }
        folder.write("root.bin", &root_document());
        folder.write("receipt.bin", &receipt.to_bytes());
        folder.write("event.bin", EVENT);
        folder
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn run(&self, line: &str) -> Output {
        run_in(self.0.path(), line)
    }

    fn verify(&self, at_minute: u32, more: &str) -> (i32, Value) {
        let line = format!(
            "verify-receipt --receipt receipt.bin --event event.bin --log log --at-minute {at_minute} --json {more}"
        );
        let output = self.run(&line);
        let told = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output.status.code().unwrap(), told)
    }
}

fn run_in(dir: &Path, line: &str) -> Output {
    let key = hex::encode(root_key().verifying_key().as_bytes());
    Command::new(env!("CARGO_BIN_EXE_viridian-source"))
        .current_dir(dir)
        .args(line.split_whitespace())
        .args(["--federation", "test", "--root-document", "root.bin"])
        .args(["--root-key", &key, "--root-threshold", "1"])
        .output()
        .unwrap()
}

#[test]
fn each_outcome_has_its_exit_code_and_one_json_object() {
    let receipt = held(1_000);
    let mut forger = Forger::default();
    forger.batch(985, &[]);
    let folder = Folder::new(&forger, &receipt);
    let (code, told) = folder.verify(1_010, "");
    assert_eq!(
        (code, told["state"].as_str()),
        (4, Some("pending")),
        "{told}"
    );
    let (code, told) = folder.verify(1_100, "");
    assert_eq!(
        (code, told["state"].as_str()),
        (5, Some("overdue")),
        "{told}"
    );
    folder.write("event.bin", b"another event");
    let (code, told) = folder.verify(1_100, "");
    assert_eq!(
        (code, told["state"].as_str()),
        (3, Some("not-good")),
        "{told}"
    );
    folder.write("event.bin", EVENT);
    folder.write("receipt.bin", &[7; 300]);
    assert_eq!(folder.verify(1_100, "").0, 1);
    folder.write("receipt.bin", &[7; 100]);
    assert_eq!(folder.verify(1_100, "").0, 3);
    assert_eq!(folder.verify(1_100, "--log elsewhere").0, 2);

    forger.batch(1_015, &[receipt.signed.receipt.commitment]);
    let folder = Folder::new(&forger, &receipt);
    let (code, told) = folder.verify(1_020, "");
    assert_eq!(
        (code, told["state"].as_str()),
        (0, Some("in-log")),
        "{told}"
    );
    assert_eq!(told["found"]["index"], 1);
    assert_eq!(
        (
            told["witnesses"].as_u64(),
            told["witnesses_needed"].as_u64()
        ),
        (Some(2), Some(1))
    );
    let batches = folder.0.path().join("log/commitments");
    let hidden = folder.0.path().join("hidden");
    std::fs::rename(&batches, &hidden).unwrap();
    let (code, told) = folder.verify(1_020, "");
    assert_eq!(
        (code, told["state"].as_str()),
        (7, Some("unserved")),
        "{told}"
    );
    assert_eq!(told["found"]["index"], 1);
    std::fs::rename(&hidden, &batches).unwrap();
    std::fs::remove_file(folder.0.path().join("log/checkpoint")).unwrap();
    assert_eq!(folder.verify(1_020, "").0, 1);
    // A root document that its keys did not sign is believed by nobody.
    let mut other = root_document();
    let last = other.len() - 1;
    other[last] ^= 1;
    folder.write("root.bin", &other);
    assert_eq!(folder.verify(1_020, "").0, 1);
}

#[test]
fn a_broken_promise_becomes_a_file_that_anybody_checks() {
    let receipt = held(1_000);
    let mut forger = Forger::default();
    forger.batch(985, &[]);
    forger.batch(1_015, &[]);
    forger.head(1_061);
    // Others' cosignatures are not part of what is shown.
    forger.witnesses = 0;
    let folder = Folder::new(&forger, &receipt);
    let (code, told) = folder.verify(1_062, "--evidence broken.bin");
    assert_eq!(
        (code, told["state"].as_str()),
        (6, Some("broken")),
        "{told}"
    );
    assert_eq!(
        folder.verify(1_062, "--evidence broken.bin").0,
        1,
        "it is not written over"
    );
    // Neither receipt file, event, salt nor log is needed for the check.
    let elsewhere = tempfile::tempdir().unwrap();
    let evidence = std::fs::read(folder.0.path().join("broken.bin")).unwrap();
    let holds = |what: &[u8]| evidence.windows(what.len()).any(|window| window == what);
    assert!(!holds(EVENT) && !holds(&receipt.salt.0));
    std::fs::write(elsewhere.path().join("broken.bin"), &evidence).unwrap();
    std::fs::write(elsewhere.path().join("root.bin"), root_document()).unwrap();
    let output = run_in(elsewhere.path(), "check-evidence broken.bin --json");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (told["state"].as_str(), told["province"].as_u64()),
        (Some("broken"), Some(33))
    );
    assert_eq!(told["shown"]["told_minute"], 1_061);
    let words = run_in(elsewhere.path(), "check-evidence broken.bin");
    let words = String::from_utf8(words.stdout).unwrap();
    assert!(words.contains("Not shown: what it was about"), "{words}");
    for at in (0..evidence.len()).step_by(97) {
        let mut changed = evidence.clone();
        changed[at] ^= 0x20;
        std::fs::write(elsewhere.path().join("broken.bin"), &changed).unwrap();
        let output = run_in(elsewhere.path(), "check-evidence broken.bin --json");
        assert_eq!(output.status.code(), Some(3), "byte {at}");
    }
}

/// A trust list with the registry of epoch 1, and a key of openings for this use, or none.
fn trust_list(openings: Option<CircuitUse>) -> Vec<u8> {
    // Another key than that of passes: its last two points are exchanged.
    let mut key = circuit("verifying_key");
    let at = key.len() - 64;
    key[at..].rotate_left(32);
    let openings = openings.map(|circuit_use| OpeningEntry {
        circuit_use,
        matrix_digest: [7; 32],
        key: VerifyingKey::from_bytes(&key).unwrap(),
    });
    let online = OnlineDocument {
        root_sequence: Sequence::new(1),
        sequence: Sequence::new(1),
        issued_at: UnixTime::from_s(60 * 1_020),
        soft_stale_s: 3_600,
        hard_stale_s: 86_400,
        registries: vec![RegistryEntry {
            epoch: Epoch::new(1),
            as_of: minute(1_010),
            root: Fr::from(5),
            risk_root: Fr::from(6),
        }],
        batches: Vec::new(),
    };
    let message = online.signing_bytes().unwrap();
    let signatures = (0..3).map(|place| ProvinceSignature {
        slot: slot(place),
        signature: head_key(place).sign(&message).to_bytes(),
    });
    let bundle = Bundle {
        roots: vec![signed_root(openings.into_iter().collect())],
        online: SignedOnline::new(online, signatures.collect()),
    };
    bundle.to_bytes().unwrap()
}

/// A source with its papers, and trust lists at hand.
struct Lab(tempfile::TempDir);

impl Lab {
    fn new() -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        let source = SourceId {
            province: province(33),
            kind: SourceKind::Laboratory,
            number: 1,
        };
        let event = Event {
            id: EventId([4; 16]),
            subject: IdentityNumber::assemble(330_102, (1990, 1, 1), 1).unwrap(),
            source,
            issued_at: minute(990),
            body: EventBody::Test {
                sampled_at: minute(990),
                result: TestResult::Negative,
            },
        };
        let released = EventBody::Release {
            target: event.id,
            at: minute(990),
        };
        for (name, body) in [("event", event.body), ("release", released)] {
            let bytes = Event { body, ..event }.to_bytes();
            let salt = Salt([3; 32]);
            let mut receipt = scene::receipt(1_000);
            receipt.commitment = Content::Event.commit(&salt, &bytes);
            let signed = receipt.sign(&head_key(0));
            lab.write(&format!("{name}.bin"), &bytes);
            lab.write(
                &format!("{name}.receipt"),
                &HeldReceipt { salt, signed }.to_bytes(),
            );
        }
        lab.write("keyless.bin", &trust_list(None));
        lab.write("test.bin", &trust_list(Some(CircuitUse::Test)));
        lab.write("list.bin", &trust_list(Some(CircuitUse::Production)));
        let federation = FederationId::new("test").unwrap();
        let authority = DemoAuthority::generate_for_demo(&federation, VALIDITY).unwrap();
        let issued = authority.issue_for_demo(&PeerId {
            federation,
            province: source.province,
            role: Role::Source(source.kind, source.number),
        });
        let issued = issued.unwrap();
        lab.write("lab.pem", issued.chain_pem.as_bytes());
        lab.write("lab-key.pem", issued.key_pem.as_bytes());
        lab.write("roots.pem", authority.root_pem().as_bytes());
        lab
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.path().join(name), bytes).unwrap();
    }

    /// Asks where nobody is: whether anything is asked shows in what is told.
    fn open(&self, papers: &str, more: &str) -> (i32, Value) {
        let key = hex::encode(root_key().verifying_key().as_bytes());
        let line = format!(
            "open --json --node 127.0.0.1:1 --cert lab.pem --key lab-key.pem --roots roots.pem --at-minute 1030 \
             --receipt {papers}.receipt --event {papers}.bin --root-key {key} --root-threshold 1 {more}"
        );
        let output = Command::new(env!("CARGO_BIN_EXE_viridian-source"))
            .current_dir(self.0.path())
            .args(line.split_whitespace())
            .output()
            .unwrap();
        let told = serde_json::from_slice(&output.stdout);
        let told = told.unwrap_or_else(|_| panic!("{output:?}"));
        (output.status.code().unwrap(), told)
    }
}

#[test]
fn nothing_is_asked_whose_answer_could_not_be_judged() {
    let lab = Lab::new();
    for (papers, more, code, state) in [
        ("event", "--trust-list list.bin", 9, "silent"),
        ("event", "--trust-list list.bin --epoch 1", 9, "silent"),
        (
            "event",
            "--trust-list list.bin --epoch 2",
            1,
            "could-not-tell",
        ),
        ("event", "--trust-list keyless.bin", 1, "could-not-tell"),
        ("event", "--trust-list test.bin", 1, "could-not-tell"),
        (
            "event",
            "--trust-list test.bin --admit-test-key",
            9,
            "silent",
        ),
        // Without a list the node would be asked for one: but of a release there is nothing to ask.
        ("release", "", 3, "not-good"),
    ] {
        let (ended, told) = lab.open(papers, more);
        assert_eq!(
            (ended, told["state"].as_str()),
            (code, Some(state)),
            "{papers} {more}: {told}"
        );
    }
}
