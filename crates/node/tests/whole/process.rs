//! The process: configuration, exit codes, a kill in the middle, and what lies on the disk.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use federation::{PeerId, Timeouts, connect};
use rules::{Event, EventBody, SourceKind, TestResult};
use wire::source::v1::{EventOutcome, EventResult, SubmitEventsRequest};

use crate::clients::{event, signed};
use crate::provers::{REAL, real_entry};
use crate::world::{
    START, credentials, federation, head_key, minute, node_key, pem, person, province,
    register_list, root_document, root_key, source, source_file,
};

const SEED: &str = "0101010101010101010101010101010101010101010101010101010101010101";

/// Writes everything that a node of Zhejiang is configured by.
pub(crate) fn write_house(dir: &Path, production: bool) {
    use std::os::unix::fs::PermissionsExt as _;
    drop(REAL.clone()); // the parameters are in their cache now
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.join(name), bytes).unwrap();
    let secret = |name: &str, bytes: [u8; 32]| {
        write(name, hex::encode(bytes).as_bytes());
        let owner_only = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(dir.join(name), owner_only).unwrap();
    };
    secret("node.key", [33; 32]);
    secret("signing.key", head_key(33).to_bytes());
    let [chain, key, roots] = pem(&PeerId::node(&federation(), province(33)));
    write("node.pem", chain.as_bytes());
    write("node-key.pem", key.as_bytes());
    write("federation.pem", roots.as_bytes());
    write("sources.toml", source_file(33).as_bytes());
    let register = node::FileRegister::seal(&register_list(33), &node_key(33)).unwrap();
    write("register.sealed", register.as_bytes());
    write("root.bin", &root_document(real_entry()).to_bytes().unwrap());
    let root_key = hex::encode(root_key().verifying_key().as_bytes());
    let cache = env!("CARGO_TARGET_TMPDIR");
    let config = format!(
        r#"production = {production}
data_dir = "data"
node_key_file = "node.key"
signing_key_file = "signing.key"
register_file = "register.sealed"
sources_file = "sources.toml"
[doors]
peers_listen = "127.0.0.1:0"
public_listen = "127.0.0.1:0"
certificate_file = "node.pem"
key_file = "node-key.pem"
roots_file = "federation.pem"
[trust]
root_document_file = "root.bin"
root_keys = ["{root_key}"]
root_threshold = 1
[rules]
home = "hz-2020-02"
[proving]
parameters = {{ test = {{ seed = "{SEED}", cache_dir = "{cache}" }} }}
[clock]
start_minute = {START}
rate_min_per_s = 0
[store]
reserve_mib = 1
"#
    );
    write("node.toml", config.as_bytes());
}

pub(crate) fn node(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_node"));
    command.args(arguments).current_dir(dir);
    command
}

/// A running node and the address of its peers' door.
pub(crate) fn run(dir: &Path) -> (Child, String) {
    run_as(node(dir, &["run", "--config", "node.toml"]))
}

/// A node that runs by this command, and the address of its peers' door.
pub(crate) fn run_as(mut command: Command) -> (Child, String) {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let line = announced(&mut child);
    let peers = line.split(' ').find_map(|word| word.strip_prefix("peers="));
    let address = peers.unwrap_or_else(|| panic!("{line:?}")).to_owned();
    (child, address)
}

/// The line in which a node tells its addresses.
pub(crate) fn announced(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.starts_with("ready "), "{line:?}");
    line.trim().to_owned()
}

pub(crate) fn test_of(number: u16) -> Event {
    let body = EventBody::Test {
        sampled_at: minute(START - 60),
        result: TestResult::Negative,
    };
    let lab = source(33, SourceKind::Laboratory);
    event(person(33, number), lab, minute(START - 60), body)
}

pub(crate) async fn submit(address: &str, events: &[Event]) -> Vec<EventOutcome> {
    let node = PeerId::node(&federation(), province(33));
    let lab = PeerId {
        role: federation::Role::Source(SourceKind::Laboratory, 1),
        ..node.clone()
    };
    let who = std::sync::Arc::new(credentials(&lab));
    let channel = connect(address, node, who, Timeouts::default()).unwrap();
    let events = events.iter().map(signed).collect();
    let answer = wire::client::source(channel)
        .submit_events(SubmitEventsRequest { events })
        .await
        .unwrap();
    let results = answer.into_inner().results;
    results.iter().map(EventResult::outcome).collect()
}

/// Asks a node to end and waits until it has.
pub(crate) async fn end(child: Child) -> Output {
    let pid = child.id().to_string();
    Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output());
    ended.await.unwrap().unwrap()
}

/// Whether any file under `dir` holds `needle`.
pub(crate) fn holds(dir: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return holds(&path, needle);
        }
        if !path.is_file() {
            return false;
        }
        let bytes = std::fs::read(&path).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_killed_has_every_acknowledged_event_and_no_identity_in_plain() {
    let dir = tempfile::tempdir().unwrap();
    write_house(dir.path(), false);
    let (mut child, address) = run(dir.path());
    let events: Vec<Event> = (0..20).map(test_of).collect();
    let first = submit(&address, &events).await;
    assert!(first.iter().all(|o| *o == EventOutcome::Accepted));
    child.kill().unwrap();
    child.wait().unwrap();

    let (child, address) = run(dir.path());
    let again = submit(&address, &events).await;
    assert!(again.iter().all(|o| *o == EventOutcome::Duplicate));
    // A second process on the same directory is refused.
    let other = node(dir.path(), &["run", "--config", "node.toml"]).output();
    assert_eq!(other.unwrap().status.code(), Some(3));

    let ended = end(child).await;
    assert_eq!(ended.status.code(), Some(0));
    let log = String::from_utf8_lossy(&ended.stderr).into_owned();
    for number in 0..20 {
        let person = person(33, number);
        assert!(!holds(dir.path(), person.expose()));
        assert!(!log.contains(std::str::from_utf8(person.expose()).unwrap()));
    }
}

#[test]
fn a_wrong_configuration_ends_with_its_own_code_before_anything_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    write_house(dir.path(), false);
    let check = |dir: &Path| {
        node(dir, &["check-config", "--config", "node.toml"])
            .output()
            .unwrap()
    };
    assert_eq!(check(dir.path()).status.code(), Some(0));

    let config = std::fs::read_to_string(dir.path().join("node.toml")).unwrap();
    let wrong = [
        config.replace("production = false", "production = true"),
        config.replace("node.key", "missing.key"),
        config.replace("home = \"hz-2020-02\"", "home = \"xx-2020-02\""),
        config.replace("root_threshold = 1", "root_threshold = 2"),
        config.replace("[rules]", "colour = 1\n[rules]"),
    ];
    for wrong in wrong {
        assert_ne!(wrong, config);
        std::fs::write(dir.path().join("node.toml"), &wrong).unwrap();
        let output = check(dir.path());
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(!dir.path().join("data").exists());
    }
}

#[test]
fn a_register_is_sealed_without_a_plain_number_and_a_key_is_never_overwritten() {
    use std::io::Write as _;
    let dir = tempfile::tempdir().unwrap();
    let new_key = || {
        node(dir.path(), &["new-key", "fresh.key"])
            .status()
            .unwrap()
    };
    assert!(new_key().success());
    assert_eq!(new_key().code(), Some(2));
    let mut command = node(dir.path(), &["seal-register", "--node-key", "fresh.key"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let list = register_list(33);
    child
        .stdin
        .take()
        .unwrap()
        .write_all(list.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let sealed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(sealed.lines().count(), list.lines().count());
    assert!(!sealed.contains(&list[..18]));
}
