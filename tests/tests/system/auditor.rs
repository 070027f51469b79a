//! An auditor asks nodes for what they serve, and compares it with what it rebuilds from source.

use std::process::{Command, Output};

use federation::{Door, Limits, PeerId};
use rules::{Claim, TestAge, WorstColour};
use serde_json::Value;
use tests::{Device, Holder, Person, Plan, World, key_seed, minute, province, show, trust_list};
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use verifier::trust::{Bundle, OnlineDocument, RootDocument};
use verifier::{QrText, VerifyingKey};
use wire::trust::v1::trust_service_server::TrustService;
use wire::trust::v1::{
    GetRevocationBatchRequest, GetRevocationBatchResponse, GetTrustListRequest,
    GetTrustListResponse,
};

use crate::{AUDITOR, NODE};

const HOME: u8 = 33;

/// A node's public door that gives one fixed answer.
struct Publisher(Vec<u8>);

#[tonic::async_trait]
impl TrustService for Publisher {
    async fn get_trust_list(
        &self,
        _: Request<GetTrustListRequest>,
    ) -> Result<Response<GetTrustListResponse>, Status> {
        let bundle = self.0.clone();
        let increment = Vec::new();
        Ok(Response::new(GetTrustListResponse { bundle, increment }))
    }

    async fn get_revocation_batch(
        &self,
        _: Request<GetRevocationBatchRequest>,
    ) -> Result<Response<GetRevocationBatchResponse>, Status> {
        Err(wire::status(wire::Reason::NotFound))
    }
}

/// Opens a public door with the certificate of Zhejiang's node that gives `bundle`; its address.
async fn publish(world: &World, bundle: Vec<u8>) -> String {
    let own = world.credentials(&PeerId::node(&world.federation, province(HOME)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let routes = Routes::new(wire::server::trust(Publisher(bundle)));
    let (door, limits) = (Door::Public(own), Limits::default());
    tokio::spawn(federation::serve(
        listener,
        door,
        routes,
        limits,
        std::future::pending(),
    ));
    address
}

/// The list that a world's nodes would serve if their root document were another; signed as it should be.
fn with_root(
    world: &World,
    newest: &OnlineDocument,
    change: impl FnOnce(&mut RootDocument),
) -> Vec<u8> {
    let mut root = world.root_document();
    change(&mut root);
    let roots = vec![world.sign_root(root, 2)];
    let online = world.sign_online(newest.clone(), &[33, 35, 42]);
    Bundle { roots, online }.to_bytes().unwrap()
}

/// Runs the auditor against these doors of Zhejiang.
fn audit(world: &World, addresses: &[&str], more: &[&str]) -> (Output, Value) {
    let mut command = Command::new(AUDITOR);
    command.current_dir(world.dir()).args(["digest", "--json"]);
    for address in addresses {
        command.args(["--node", address]);
    }
    command.args([
        "--province",
        "33",
        "--federation",
        "test",
        "--roots",
        "federation.pem",
    ]);
    command.args(more);
    let output = tokio::task::block_in_place(|| command.output()).expect("the program exists");
    let report = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output, report)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Only what differs in the served list, not the key: no key is rebuilt.
const QUICK: [&str; 1] = ["--no-test-key"];

#[tokio::test(flavor = "multi_thread")]
async fn what_nodes_serve_is_compared_with_what_is_rebuilt_and_with_each_other() {
    let mut world = World::start(Plan::new(NODE, 1));
    let mut device = world.device(&Person::of(HOME, 1));
    device.register(world.now()).await.unwrap();
    let honest = world.node(HOME).public.to_string();
    let (output, report) = audit(&world, &[&honest], &QUICK);
    assert_eq!(output.status.code(), Some(3));
    let refused = report["nodes"][0]["refused"].as_str().unwrap();
    assert!(refused.contains("UNKNOWN_EPOCH"), "{refused}");

    world.advance(minute("2022-08-28 12:00")).await;
    world.commit(1).await;
    nodes_agree_with_source_and_seed(&world, &honest);
    two_passes_of_one_resident_are_not_linked(&world, &mut device).await;
    others_differ(&world, &honest).await;
    some_cannot_be_asked(&world, &honest).await;
    world.stop();
}

/// Real nodes: matrices and test key are those that the auditor makes again.
fn nodes_agree_with_source_and_seed(world: &World, honest: &str) {
    let fujian = world.node(35).public.to_string();
    let seed = hex::encode(key_seed());
    let keys: Vec<String> = (world.pinned().keys().iter())
        .map(|key| hex::encode(key.as_bytes()))
        .collect();
    let mut command = Command::new(AUDITOR);
    command.current_dir(world.dir()).args([
        "digest",
        "--json",
        "--test-seed",
        &seed,
        "--federation",
        "test",
        "--roots",
        "federation.pem",
        "--node",
        honest,
        "--province",
        "33",
        "--node",
        &fujian,
        "--province",
        "35",
        "--root-threshold",
        "2",
    ]);
    command.args(keys.iter().flat_map(|key| ["--root-key", key]));
    let output = tokio::task::block_in_place(|| command.output()).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["agrees"], true);
    for node in report["nodes"].as_array().unwrap() {
        let list = &node["list"];
        assert!(
            list["signatures"]
                .as_str()
                .unwrap()
                .starts_with("checked: "),
            "{list}"
        );
        let circuit = &list["circuits"][0];
        assert_eq!(circuit["matrices"]["is"], "equal");
        assert_eq!(circuit["verifying_key"]["is"], "equal");
        assert_eq!(circuit["id"], report["keys"][0]["circuit_ids"][0]["id"]);
    }
    assert_eq!(report["nodes"][1]["list"]["against_first"]["is"], "equal");

    let (output, report) = audit(world, &[honest], &QUICK);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let list = &report["nodes"][0]["list"];
    assert!(
        list["signatures"]
            .as_str()
            .unwrap()
            .starts_with("not checked: no --root-key")
    );
    assert_eq!(list["circuits"][0]["verifying_key"]["is"], "not-compared");
}

/// Real passes: decoded to their last byte, and nothing in the bytes of two says that one resident holds both.
async fn two_passes_of_one_resident_are_not_linked(world: &World, device: &mut Device) {
    let claim = Claim {
        worst: WorstColour::Yellow,
        test_age: TestAge::NotAsked,
    };
    let holders = [Holder::new(), Holder::new()];
    let issued = device.passes(claim, World::NATION, &holders, world.now());
    let issued = issued.await.unwrap();
    let [first, second] = [&issued[0], &issued[1]].map(|pass| show(pass, world.now(), 10));
    let again = show(&issued[0], world.now(), 70);
    let together = |one: &QrText, other: &QrText| -> Value {
        let mut command = Command::new(AUDITOR);
        command.args(["pass", one.as_str(), "--other", other.as_str(), "--json"]);
        let output = tokio::task::block_in_place(|| command.output()).unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let two = together(&first, &second);
    let short = tests::circuit().id().short().to_string();
    assert_eq!(two["fields"][1]["hex"], short);
    assert_eq!(
        (&two["specimen"], &two["signature"]),
        (&true.into(), &"fits".into())
    );
    let taken: u64 = two["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["length"].as_u64().unwrap())
        .sum();
    assert_eq!(two["length"], taken);
    assert_eq!(two["together"]["linked_by"], Value::Array(vec![]));
    let one_twice = together(&first, &again);
    let linked = one_twice["together"]["linked_by"].as_array().unwrap();
    assert!(linked.contains(&"holder-key".into()), "{linked:?}");
}

/// Lists that are soundly signed and say something else.
async fn others_differ(world: &World, honest: &str) {
    let (_, list) = trust_list(world, HOME).await;
    let newest = list.online();
    let digest = publish(
        world,
        with_root(world, newest, |root| root.circuits[0].matrix_digest[0] ^= 1),
    );
    let digest = digest.await;
    let (output, report) = audit(world, &[honest, &digest], &QUICK);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains(&format!("node {digest}: matrix digest")),
        "{}",
        said(&output)
    );
    assert!(!said(&output).contains(&format!("node {honest}:")));
    assert_eq!(
        report["nodes"][1]["list"]["against_first"]["is"],
        "different"
    );

    let served = list.root().circuits[0].key.to_bytes();
    std::fs::write(world.dir().join("vk"), &served).unwrap();
    // Two public inputs change their places: another sound key.
    let swapped = [
        &served[..232],
        &served[264..296],
        &served[232..264],
        &served[296..],
    ]
    .concat();
    let other_key = VerifyingKey::from_bytes(&swapped).unwrap();
    let key = publish(
        world,
        with_root(world, newest, |root| root.circuits[0].key = other_key),
    );
    let key = key.await;
    let compared = ["--no-test-key", "--verifying-key", "vk"];
    let (output, _) = audit(world, &[honest, &key], &compared);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains(&format!("node {key}: verifying key")),
        "{}",
        said(&output)
    );

    // The same circuits under one sequence, in another document.
    let forked = with_root(world, newest, |root| root.grace_min -= 1);
    let forked = publish(world, forked).await;
    let (output, _) = audit(world, &[honest, &forked], &QUICK);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("under one sequence"),
        "{}",
        said(&output)
    );
}

/// Whoever does not answer, or with something that is no list.
async fn some_cannot_be_asked(world: &World, honest: &str) {
    let noise = publish(world, vec![0x5a; 1_000]).await;
    let empty = publish(world, Vec::new()).await;
    let asked = [honest, &noise, &empty, "127.0.0.1:1"];
    let (output, report) = audit(world, &asked, &QUICK);
    assert_eq!(output.status.code(), Some(3));
    let why = |node: usize| {
        report["nodes"][node]["refused"]
            .as_str()
            .unwrap_or_default()
    };
    assert!(report["nodes"][0]["list"].is_object());
    assert!(why(1).contains("layout version 90"), "{report}");
    assert!(why(2).contains("empty trust list"), "{report}");
    assert!(why(3).contains("Connection refused"), "{report}");
    // A door of another province is not spoken to, and a list that the pinned key did not sign is not taken.
    let fujian = world.node(35).public.to_string();
    let (output, report) = audit(world, &[&fujian], &QUICK);
    assert_eq!(output.status.code(), Some(3), "{report}");
    let stranger = ed25519_dalek::SigningKey::from_bytes(&[0x31; 32]);
    let stranger = hex::encode(stranger.verifying_key().as_bytes());
    let (output, report) = audit(
        world,
        &[honest],
        &["--no-test-key", "--root-key", &stranger],
    );
    assert_eq!(output.status.code(), Some(3));
    let refused = report["nodes"][0]["refused"].as_str().unwrap();
    assert!(
        refused.contains("0 root signatures by the pinned"),
        "{refused}"
    );
}
