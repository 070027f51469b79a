//! A source has its event opened by a running node with the program, judges it, keeps it, and is told why it is not opened.

use std::process::{Command, Output};

use commitment::CircuitUse;
use federation::{PeerId, Role};
use prover::OpeningProver;
use rules::{Event, EventBody, SourceKind, TestResult};
use serde_json::Value;
use tests::{Person, Plan, Source, World, key_cache, key_seed, minute, province};
use verifier::VerifyingKey;
use verifier::trust::OpeningEntry;
use wire::source::v1::SubmitEventsRequest;

use crate::{NODE, SOURCE};

const HOME: u8 = 33;

/// A world in which Zhejiang's node has a key of openings, and the root document names it.
fn offering() -> World {
    let mut world = World::prepare(Plan::new(NODE, 3));
    let prover = OpeningProver::from_cached_test_parameters(&key_cache(), &key_seed());
    let prover = prover.expect("a key of openings");
    let mut root = world.root_document();
    root.openings = vec![OpeningEntry {
        circuit_use: CircuitUse::Test,
        matrix_digest: prover.matrix_digest(),
        key: VerifyingKey::from_bytes(prover.verifying_key()).unwrap(),
    }];
    let root = world.sign_root(root, 2).to_bytes().unwrap();
    std::fs::write(world.dir().join("root.bin"), root).unwrap();
    let (seed, cache) = (hex::encode(key_seed()), key_cache());
    let table = format!(
        "[openings]\nparameters = {{ test = {{ seed = \"{seed}\", cache_dir = \"{}\" }} }}\n",
        cache.display()
    );
    world.write_config(HOME, &table);
    for code in [33, 35, 42] {
        world.start_node(code);
    }
    world
}

/// Runs `viridian-source` with what everybody has to say.
fn run(world: &World, at: u32, line: &str) -> (Output, Value) {
    let keys = world.pinned();
    let keys = keys.keys().iter().map(|key| hex::encode(key.as_bytes()));
    let mut command = Command::new(SOURCE);
    command.current_dir(world.dir());
    command.args(line.split_whitespace());
    command.args(["--json", "--admit-test-key", "--root-threshold", "2"]);
    command.args(keys.flat_map(|key| ["--root-key".to_owned(), key]));
    if at > 0 {
        command.args(["--at-minute", &at.to_string()]);
    }
    let output = tokio::task::block_in_place(|| command.output()).expect("the program exists");
    let told = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output, told)
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended")
}

/// Hands an event in and writes it and its receipt into files.
async fn stated(world: &World, lab: &mut Source, event: &Event, name: &str) {
    let events = vec![lab.sign(event)];
    let answer = lab.client.submit_events(SubmitEventsRequest { events });
    let answer = answer.await.expect("an answer").into_inner();
    let receipt = &answer.results[0].receipt;
    assert!(!receipt.is_empty(), "{}", answer.results[0].reason);
    std::fs::write(world.dir().join(format!("{name}.event")), event.to_bytes()).unwrap();
    std::fs::write(world.dir().join(format!("{name}.receipt")), receipt).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_has_its_event_opened_keeps_the_opening_and_judges_it_again() {
    let mut world = offering();
    let mut lab = world.source(HOME, SourceKind::Laboratory, HOME);
    let at = minute("2022-08-28 07:30");
    let body = EventBody::Test {
        sampled_at: at,
        result: TestResult::Negative,
    };
    let event = lab.event(Person::of(HOME, 1).number, at, body);
    stated(&world, &mut lab, &event, "one").await;
    let later = lab.event(Person::of(HOME, 2).number, at, body);
    stated(&world, &mut lab, &later, "two").await;
    let role = Role::Source(lab.id.kind, lab.id.number);
    let of = |code, role| PeerId {
        federation: world.federation.clone(),
        province: province(code),
        role,
    };
    world.write_identity("lab", &of(HOME, role));
    world.write_identity("cdc", &of(HOME, Role::Source(SourceKind::Cdc, 1)));
    world.advance(minute("2022-08-28 12:00")).await;
    world.commit(1).await;
    let now = minute("2022-08-28 12:00").get();
    let door = world.node(HOME).peers.to_string();
    let ask = |who: &str, door: &str, more: &str| {
        let line = format!(
            "open --node {door} --cert {who}.pem --key {who}-key.pem --roots federation.pem {more}"
        );
        run(&world, now, &line)
    };
    let one = "--receipt one.receipt --event one.event";
    let (output, told) = ask(
        "lab",
        &door,
        &format!("{one} --keep opening.bin --keep-list list.bin"),
    );
    assert_eq!(code(&output), 0, "{}", said(&output));
    assert_eq!(
        (&told["state"], &told["epoch"]),
        (&"stands".into(), &1.into())
    );
    assert_eq!(told["test_key"], true);
    let number = String::from_utf8(Person::of(HOME, 1).number.expose().to_vec()).unwrap();
    let printed = [&output.stdout[..], &output.stderr].concat();
    assert!(!String::from_utf8_lossy(&printed).contains(&number));

    what_is_kept_is_judged_alike(&world);

    // Another source, papers that do not belong together, a registry that the list does not have, what came after the tree, a node that
    // does not offer it, and nobody.
    let (output, _) = ask("cdc", &door, one);
    assert_eq!(code(&output), 1, "{}", said(&output));
    assert!(said(&output).contains("only the event's source"));
    let (output, told) = ask("lab", &door, "--receipt two.receipt --event one.event");
    assert_eq!((code(&output), &told["state"]), (3, &"not-good".into()));
    let (output, told) = ask("lab", &door, &format!("{one} --epoch 2"));
    assert_eq!(
        (code(&output), &told["state"]),
        (1, &"could-not-tell".into())
    );
    let third = lab.event(Person::of(HOME, 3).number, at, body);
    stated(&world, &mut lab, &third, "three").await;
    let (output, told) = ask("lab", &door, "--receipt three.receipt --event three.event");
    assert_eq!(code(&output), 8, "{}", said(&output));
    assert_eq!(told["reason"], "NOT_COMMITTED");
    for elsewhere in [world.node(35).peers.to_string().as_str(), "127.0.0.1:1"] {
        let list = format!("{one} --trust-list list.bin");
        let (output, told) = ask("lab", elsewhere, &list);
        assert_eq!((code(&output), &told["state"]), (9, &"silent".into()));
    }
    world.stop();
}

/// The opening is judged without the node, and a change of it is found.
fn what_is_kept_is_judged_alike(world: &World) {
    let check = |file: &str, name: &str, more: &str| {
        let line = format!(
            "check-opening {file} --receipt {name}.receipt --event {name}.event --federation test --trust-list list.bin {more}"
        );
        run(world, 0, &line)
    };
    let (output, told) = check("opening.bin", "one", "--epoch 1");
    assert_eq!((code(&output), &told["state"]), (0, &"stands".into()));
    // Of somebody else it says nothing.
    let (output, _) = check("opening.bin", "two", "--epoch 1");
    assert_eq!(code(&output), 12);
    let (output, told) = check("opening.bin", "one", "--epoch 2");
    assert_eq!(
        (code(&output), &told["state"]),
        (1, &"could-not-tell".into())
    );
    let opening = std::fs::read(world.dir().join("opening.bin")).unwrap();
    assert_eq!(opening.len(), 719);
    let mut altered = opening.clone();
    altered[600] ^= 1;
    for (name, bytes) in [("cut.bin", &opening[..700]), ("altered.bin", &altered)] {
        std::fs::write(world.dir().join(name), bytes).unwrap();
        let (output, told) = check(name, "one", "--epoch 1");
        assert_eq!(
            (code(&output), &told["state"]),
            (12, &"not-believed".into())
        );
    }
    std::fs::write(world.dir().join("long.bin"), [&opening[..], &[0]].concat()).unwrap();
    let (output, _) = check("long.bin", "one", "--epoch 1");
    assert_eq!(code(&output), 1);
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
