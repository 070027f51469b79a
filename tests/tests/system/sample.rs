//! An auditor has drawn leaves opened by a running node, judges them with the program, and keeps them for itself alone.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use federation::{PeerId, Role};
use rules::{EventBody, SourceKind, TestResult};
use serde_json::Value;
use tests::{Person, Plan, World, minute, province};

use crate::{AUDITOR, NODE};

const HOME: u8 = 33;

/// Runs `auditor sample` for Zhejiang.
fn sample(world: &World, more: &[&str]) -> (Output, Value) {
    let keys = world.pinned();
    let keys = keys.keys().iter().map(|key| hex::encode(key.as_bytes()));
    let mut command = Command::new(AUDITOR);
    command.current_dir(world.dir());
    command.args(["sample", "--json", "--province", "33"]);
    command.args(["--root-document", "root.bin", "--root-threshold", "2"]);
    command.args(["--facts", "facts.txt", "--rule-set", "nation.toml"]);
    command.args(keys.flat_map(|key| ["--root-key".to_owned(), key]));
    command.args(more);
    let output = tokio::task::block_in_place(|| command.output()).expect("the program exists");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output, report)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_has_a_sample_opened_judges_it_and_keeps_it_for_itself_alone() {
    let mut world = World::start(Plan::new(NODE, 3));
    let mut lab = world.source(HOME, SourceKind::Laboratory, HOME);
    let at = minute("2022-08-28 07:30");
    for number in [1, 2] {
        let body = EventBody::Test {
            sampled_at: at,
            result: TestResult::Negative,
        };
        lab.state(&Person::of(HOME, number), at, body).await;
    }
    let auditor = PeerId {
        federation: world.federation.clone(),
        province: province(35),
        role: Role::Auditor(1),
    };
    world.write_identity("auditor", &auditor);
    let door = world.node(HOME).peers.to_string();
    let identity = ["--cert", "auditor.pem", "--key", "auditor-key.pem"];
    let asked = [
        &["--node", &door, "--roots", "federation.pem"][..],
        &identity,
    ]
    .concat();

    let (output, _) = sample(&world, &asked);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("UNKNOWN_EPOCH"), "{}", said(&output));

    world.advance(minute("2022-08-28 12:00")).await;
    world.commit(1).await;
    let keeping = [&asked[..], &["--keep", "kept.bin"]].concat();
    let (output, report) = sample(&world, &keeping);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(
        (&report["epoch"], &report["leaf_count"]),
        (&1.into(), &2.into())
    );
    assert_eq!(report["findings"], Value::Array(vec![]));
    for place in report["places"].as_array().unwrap() {
        assert_eq!(place["state"]["is"], "opened", "{report}");
        assert_eq!(place["state"]["events"], 1);
    }
    let number = String::from_utf8(Person::of(HOME, 1).number.expose().to_vec()).unwrap();
    let printed = [&output.stdout[..], &output.stderr].concat();
    assert!(!String::from_utf8_lossy(&printed).contains(&number));

    what_is_kept_is_judged_alike(&world, &asked);

    // Another province's node is not taken for this one's, and nobody at all is silence.
    let fujian = world.node(35).peers.to_string();
    for (door, code) in [(fujian.as_str(), 5), ("127.0.0.1:1", 5)] {
        let elsewhere = [
            &["--node", door, "--roots", "federation.pem"][..],
            &identity,
        ]
        .concat();
        let (output, _) = sample(&world, &elsewhere);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
    }
    world.advance(minute("2022-08-28 13:00")).await;
    world.commit(2).await;
    let (output, _) = sample(&world, &[&asked[..], &["--epoch", "1"]].concat());
    assert_eq!(output.status.code(), Some(4));
    assert!(said(&output).contains("SAMPLE_GONE"), "{}", said(&output));
    world.stop();
}

/// The file is its owner's, is judged without the node, and a change of it is found.
fn what_is_kept_is_judged_alike(world: &World, asked: &[&str]) {
    let path = world.dir().join("kept.bin");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (output, _) = sample(world, &[asked, &["--keep", "kept.bin"]].concat());
    assert_eq!(output.status.code(), Some(3), "a file is not written over");
    let (output, report) = sample(world, &["--read", "kept.bin"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(report["places"].as_array().unwrap().len(), 2);

    let kept = wire::ShownSample::from_bytes(&std::fs::read(&path).unwrap()).unwrap();
    println!(
        "a kept sample of two people with an event each: {} bytes",
        kept.to_bytes().len()
    );
    let mut changed = kept;
    let leaf = changed.leaves.values_mut().next().unwrap();
    leaf.content.as_mut().unwrap().record = rules::Record::default();
    std::fs::write(world.dir().join("changed.bin"), changed.to_bytes()).unwrap();
    let (output, report) = sample(world, &["--read", "changed.bin"]);
    assert_eq!(output.status.code(), Some(1));
    let codes = report["findings"].as_array().unwrap().iter();
    let codes: Vec<_> = codes.map(|finding| finding["code"].as_str()).collect();
    assert_eq!(codes, [Some("other-leaf"), Some("left-out")]);
    assert!(said(&output).contains("does not give its leaf"));
}
