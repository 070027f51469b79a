//! Looking after the store: backups, restoring, compaction, keys and checks, by the commands that an operator gives.

use std::path::{Path, PathBuf};
use std::process::{Child, Output};

use node::store::KeyRing;
use wire::source::v1::EventOutcome;

use crate::process::{node, run, submit, test_of, write_house};

fn done(dir: &Path, arguments: &[&str]) -> Output {
    node(dir, arguments).output().unwrap()
}

/// The JSON that a command prints, which must succeed.
fn json(dir: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = done(dir, arguments);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?} {text}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a command that is refused says.
fn refused(dir: &Path, arguments: &[&str], code: i32) -> String {
    let output = done(dir, arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn configure(dir: &Path, lines: &str) {
    let path = dir.join("node.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    // The last table is the store's.
    std::fs::write(path, format!("{config}{lines}")).unwrap();
}

fn end(mut child: Child) {
    let pid = child.id().to_string();
    std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .unwrap();
    child.wait().unwrap();
}

/// A house with a sealed key ring and a recipient of backups, and the recipient.
fn sealed_house(dir: &Path) -> String {
    write_house(dir, false);
    let output = done(dir, &["keys", "identity", "token.identity"]);
    let recipient = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    assert!(
        done(
            dir,
            &["keys", "seal", "node.key", "--recipient", &recipient]
        )
        .status
        .success()
    );
    configure(dir, &format!("backup_recipients = [\"{recipient}\"]\n"));
    let path = dir.join("node.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let config = format!("node_key_identity_file = \"token.identity\"\n{config}");
    std::fs::write(path, config).unwrap();
    recipient
}

const CONFIG: [&str; 2] = ["--config", "node.toml"];

fn with_config<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&arguments[..1], &CONFIG[..], &arguments[1..]].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_is_backed_up_compacted_and_given_new_keys_while_it_serves_and_restored_elsewhere()
{
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let recipient = sealed_house(dir);
    let (child, address) = run(dir);
    let events: Vec<_> = (0..20).map(test_of).collect();
    let first = submit(&address, &events[..10]).await;
    assert!(first.iter().all(|o| *o == EventOutcome::Accepted));

    let backup = json(
        dir,
        &with_config(&["backup", "--json", "--to", "first.age"]),
    );
    assert_eq!(backup["while_running"], true);
    let bytes = std::fs::read(dir.join("first.age")).unwrap();
    assert_eq!(backup["bytes"], bytes.len());
    assert!(bytes.starts_with(b"age-encryption.org/"));
    let again = with_config(&["backup", "--to", "first.age"]);
    assert!(refused(dir, &again, 2).contains("there already"));

    let compacted = json(dir, &with_config(&["compact", "--json"]));
    assert!(compacted["rows"].as_u64().unwrap() > 40);
    let sealed = ["--identity", "token.identity", "--recipient", &recipient];
    let rotate = [&["keys", "rotate", "node.key"][..], &sealed].concat();
    assert_eq!(json(dir, &rotate)["keys"], serde_json::json!([1, 2]));
    let renewed = json(dir, &["keys", "renew", "--config", "node.toml", "--json"]);
    assert_eq!(
        (&renewed["newest"], &renewed["rewrapped"]),
        (&2.into(), &11.into())
    );
    let second = submit(&address, &events).await;
    assert_eq!(
        second
            .iter()
            .filter(|o| **o == EventOutcome::Duplicate)
            .count(),
        10
    );
    // The store is in use: it is not checked meanwhile, and says so.
    assert!(refused(dir, &with_config(&["fsck"]), 3).contains("in use"));
    end(child);

    let checked = json(dir, &with_config(&["fsck", "--json"]));
    assert_eq!(checked["wrong"], 0, "{checked}");
    // To a third database and back, without a node.
    let converted = json(dir, &with_config(&["compact", "--json"]));
    assert_eq!(converted["rows"], checked["rows"]);
    let backup = json(
        dir,
        &with_config(&["backup", "--json", "--to", "second.age"]),
    );
    assert_eq!(backup["while_running"], false);

    // Restored, the first backup has the first ten events, the second all.
    for (file, known) in [("first.age", 10), ("second.age", 20)] {
        std::fs::rename(dir.join("data"), dir.join(format!("data-before-{file}"))).unwrap();
        let restore = [
            "restore",
            "--json",
            "--from",
            file,
            "--identity",
            "token.identity",
        ];
        json(dir, &with_config(&restore));
        assert!(refused(dir, &with_config(&restore), 2).contains("holds a store"));
        let checked = json(dir, &with_config(&["fsck", "--json"]));
        assert_eq!(
            (&checked["wrong"], &checked["older_than_signed"]),
            (&0.into(), &true.into())
        );
        // What it signed since is known again first; without peers there is nobody to ask.
        let run_now = ["run", "--config", "node.toml"];
        assert!(refused(dir, &run_now, 4).contains("node log recover"));
        let recover = ["log", "recover", "--config", "node.toml", "--json"];
        // Two others are to answer, and this node has no peers at all: its operator says so.
        assert!(refused(dir, &recover, 8).contains("at least 2"));
        let recover = [&recover[..], &["--answers", "0"]].concat();
        let recovered = json(dir, &recover);
        assert_eq!(recovered["entries"], recovered["entries_before"]);
        let checked = json(dir, &with_config(&["fsck", "--json"]));
        assert_eq!(checked["older_than_signed"], false);
        let (child, address) = run(dir);
        let outcomes = submit(&address, &events).await;
        let duplicates = outcomes.iter().filter(|o| **o == EventOutcome::Duplicate);
        assert_eq!(duplicates.count(), known);
        end(child);
    }

    // Once key 1 is retired, the first backup, whose data keys are under it, opens no more.
    let retire = [&["keys", "retire", "1", "node.key"][..], &sealed].concat();
    assert_eq!(json(dir, &retire)["keys"], serde_json::json!([2]));
    std::fs::rename(dir.join("data"), dir.join("data-last")).unwrap();
    let restore = [
        "restore",
        "--from",
        "first.age",
        "--identity",
        "token.identity",
    ];
    assert!(refused(dir, &with_config(&restore), 2).contains("key number 1"));
    assert!(!dir.join("data/current").exists());
}

#[test]
fn what_does_not_fit_the_store_is_refused_before_anything_is_changed() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let recipient = sealed_house(dir);
    let (child, _) = run(dir);
    end(child);
    json(
        dir,
        &with_config(&["backup", "--json", "--to", "whole.age"]),
    );
    let fsck = with_config(&["fsck"]);
    let before = json(dir, &with_config(&["fsck", "--json"]));

    let config = std::fs::read_to_string(dir.join("node.toml")).unwrap();
    let with = |from: &str, to: &str| {
        assert!(config.contains(from), "{from}");
        std::fs::write(dir.join("node.toml"), config.replace(from, to)).unwrap();
    };
    let run_refused = |code| refused(dir, &["run", "--config", "node.toml"], code);
    with("node_key_identity_file = \"token.identity\"\n", "");
    assert!(run_refused(2).contains("it is sealed"));
    assert!(
        done(dir, &["keys", "identity", "other.identity"])
            .status
            .success()
    );
    with("\"token.identity\"", "\"other.identity\"");
    assert!(run_refused(2).contains("node.key"));
    with("\"node.key\"", "\"missing.key\"");
    assert!(run_refused(2).contains("missing.key"));
    // Another ring, and the same ring without the key in use.
    assert!(done(dir, &["keys", "new", "other.key"]).status.success());
    with("\"node.key\"", "\"other.key\"");
    assert!(run_refused(3).contains("not the ones that this store was sealed with"));
    let mut ring = KeyRing::from_secret([33; 32]);
    ring.rotate(&node::Entropy::from_seed([1; 32])).unwrap();
    ring.retire(1).unwrap();
    node::write_ring(&dir.join("later.key"), &ring, node::Sealing::Plain).unwrap();
    with("\"node.key\"", "\"later.key\"");
    assert!(run_refused(3).contains("key number 1"));
    with("[store]\n", "[store]\nbackend = \"redb\"\n");
    assert!(run_refused(3).contains("node compact"));
    // A path that no socket can have.
    let deep = format!("\"{}\"", "d/".repeat(60));
    with("\"data\"", &deep);
    assert!(run_refused(2).contains("control.sock"));
    with("production = false", "production = true");
    assert!(run_refused(2).contains("test parameters"));

    // Backups that are cut short, changed, or somebody else's.
    std::fs::write(dir.join("node.toml"), &config).unwrap();
    std::fs::rename(dir.join("data"), dir.join("data-kept")).unwrap();
    let whole = std::fs::read(dir.join("whole.age")).unwrap();
    let restore = |identity| {
        let arguments = ["restore", "--from", "bad.age", "--identity", identity];
        refused(dir, &with_config(&arguments), 2)
    };
    for bad in [
        &whole[..whole.len() - 1],
        &whole[..300],
        b"",
        &[&whole[..], b"x"].concat(),
    ] {
        std::fs::write(dir.join("bad.age"), bad).unwrap();
        assert!(restore("token.identity").contains("bad.age"));
        assert!(!dir.join("data/current").exists());
    }
    std::fs::write(dir.join("bad.age"), &whole).unwrap();
    restore("other.identity");
    with("\"node.key\"", "\"other.key\"");
    assert!(restore("token.identity").contains("not the ones"));
    std::fs::write(dir.join("node.toml"), &config).unwrap();
    assert!(!dir.join("data").join("current").exists());
    assert!(refused(dir, &fsck, 2).contains("holds no store"));
    // What refused commands may have made of the directory holds nothing.
    let _ = std::fs::remove_dir_all(dir.join("data"));
    std::fs::rename(dir.join("data-kept"), dir.join("data")).unwrap();
    let mut after = json(dir, &with_config(&["fsck", "--json"]));
    after["bytes"] = before["bytes"].clone();
    assert_eq!(after, before);
    let seal = ["keys", "seal", "node.key", "--identity", "token.identity"];
    assert!(refused(dir, &seal, 2).contains("--recipient"));
    assert!(recipient.starts_with("age1"));
}

/// Where Debian's packages of `SoftHSM` are: in the system, or unpacked beside the build by the guard.
fn soft_hsm() -> Option<(PathBuf, PathBuf)> {
    let unpacked = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/tools/softhsm");
    let at = |root: &str| {
        let root = Path::new(root);
        let library = root.join("usr/lib/softhsm/libsofthsm2.so");
        (library, root.join("usr/bin/softhsm2-util"))
    };
    [at("/"), at(unpacked)]
        .into_iter()
        .find(|(library, _)| library.exists())
}

/// A new token in a directory, label `home`, with a right PIN and a wrong one in files; none where there is no `SoftHSM`.
fn token_in(dir: &Path) -> Option<String> {
    let Some((library, util)) = soft_hsm() else {
        // Where the tools were installed the test is not passed over.
        assert!(
            std::env::var_os("CI_OUTSIDE_TOOLS").is_none(),
            "SoftHSM is missing"
        );
        return None;
    };
    std::fs::create_dir(dir.join("tokens")).unwrap();
    let conf = format!(
        "directories.tokendir = {}/tokens\nobjectstore.backend = file\n",
        dir.display()
    );
    std::fs::write(dir.join("softhsm2.conf"), conf).unwrap();
    node::write_private(&dir.join("pin"), b"7351\n").unwrap();
    node::write_private(&dir.join("wrong-pin"), b"7352\n").unwrap();
    let made = std::process::Command::new(util)
        .arg("--module")
        .arg(&library)
        .args(["--init-token", "--free", "--label", "home"])
        .args(["--so-pin", "1234", "--pin", "7351"])
        .env("SOFTHSM2_CONF", dir.join("softhsm2.conf"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(made.status.success(), "{text}");
    Some(library.to_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_ring_under_a_token_opens_with_the_token_and_not_without() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let Some(library) = token_in(dir) else {
        return;
    };
    let library = &*library;
    write_house(dir, false);
    let with_token = |arguments: &[&str]| {
        let mut command = node(dir, arguments);
        command.env("SOFTHSM2_CONF", dir.join("softhsm2.conf"));
        command
    };
    let token = [
        "--module",
        library,
        "--token-label",
        "home",
        "--key-label",
        "ring",
        "--pin-file",
        "pin",
    ];
    let run_token = |arguments: &[&str]| {
        let output = with_token(&[arguments, &token].concat()).output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let early = run_token(&["keys", "seal", "node.key"]);
    assert!(early.1.contains("no AES key ring"), "{early:?}");
    assert_eq!(run_token(&["keys", "token-key"]).0, Some(0));
    assert!(run_token(&["keys", "token-key"]).1.contains("already"));
    let sealed = run_token(&["keys", "seal", "node.key"]);
    assert_eq!(sealed.0, Some(0), "{}", sealed.1);
    assert!(
        !std::fs::read(dir.join("node.key"))
            .unwrap()
            .windows(5)
            .any(|w| w == b"wrap ")
    );
    assert!(refused(dir, &["check-config", "--config", "node.toml"], 2).contains("node_key_token"));

    let config = std::fs::read_to_string(dir.join("node.toml")).unwrap();
    let configured = |pin: &str| {
        let table = format!(
            "[node_key_token]\nmodule = \"{library}\"\ntoken_label = \"home\"\nkey_label = \"ring\"\npin_file = \"{pin}\"\n"
        );
        std::fs::write(dir.join("node.toml"), format!("{config}{table}")).unwrap();
        with_token(&["check-config", "--config", "node.toml"])
            .output()
            .unwrap()
    };
    assert_eq!(configured("wrong-pin").status.code(), Some(2));
    let right = configured("pin");
    assert_eq!(
        right.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&right.stderr)
    );
    let (child, address) = crate::process::run_as(with_token(&["run", "--config", "node.toml"]));
    let accepted = submit(&address, &[test_of(1)]).await;
    assert_eq!(accepted, [EventOutcome::Accepted]);
    end(child);
    // Without the token the file is nothing.
    std::fs::remove_dir_all(dir.join("tokens")).unwrap();
    let gone = with_token(&["check-config", "--config", "node.toml"])
        .output()
        .unwrap();
    assert_eq!(gone.status.code(), Some(2));
}
