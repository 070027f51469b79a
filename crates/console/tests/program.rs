//! The program as it is started and ended.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

const CONFIG: &str = "federation = \"demo\"\nprovince = 33\ndata_dir = \"data\"\nstore_key_file = \"store.keys\"\n\
    staff_file = \"staff.toml\"\n[page]\nlisten = \"127.0.0.1:0\"\n[node]\naddress = \"127.0.0.1:1\"\nroots_file = \"r.pem\"\n";

fn program(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_viridian-console"));
    command.current_dir(dir).args(args);
    command
}

fn ran(dir: &Path, args: &[&str]) -> (i32, String) {
    let Output { status, stdout, .. } = program(dir, args).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stdout).unwrap())
}

fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim()
}

#[test]
fn from_a_new_key_to_a_console_that_serves_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    std::fs::write(dir.join("console.toml"), CONFIG).unwrap();
    assert_eq!(ran(dir, &["new-key", "store.keys"]).0, 0);
    assert_eq!(ran(dir, &["new-key", "store.keys"]).0, 2);
    let invite = ["invite", "--config", "console.toml"];
    let (code, told) = ran(
        dir,
        &[
            &invite[..],
            &["--name", "王敏", "--role", "clerk", "--role", "approver"],
        ]
        .concat(),
    );
    assert_eq!(code, 0);
    let (id, first) = (field(&told, "id"), field(&told, "code"));
    assert_eq!((id.len(), first.len()), (16, 26));
    assert!(field(&told, "link").ends_with(&format!("/#invite={first}")));
    let again = ran(dir, &[&invite[..], &["--again", id]].concat());
    assert_eq!((again.0, field(&again.1, "id")), (0, id));
    assert_ne!(field(&again.1, "code"), first);
    for wrong in [
        &["--name", "王敏", "--role", "clerk"][..],
        &["--name", "李雷"],
        &["--name", "李雷", "--role", "chief"],
        &["--name", "李雷", "--role", "clerk", "--hours", "0"],
        &["--name", "李雷", "--role", "clerk", "--hours", "25"],
        &["--again", "0000000000000000"],
        &["--again", id, "--role", "auditor"],
    ] {
        assert_eq!(ran(dir, &[&invite[..], wrong].concat()).0, 2, "{wrong:?}");
    }

    let mut running = program(dir, &["run", "--config", "console.toml"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let page = lines.next().unwrap().unwrap();
    assert!(page.starts_with("page http://localhost:"), "{page}");
    assert_eq!(
        ran(dir, &["check", "--config", "console.toml"]).0,
        3,
        "in use"
    );
    kill_process(Pid::from_child(&running), Signal::TERM).unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(0));
    let (code, told) = ran(dir, &["check", "--config", "console.toml"]);
    assert_eq!(code, 0);
    // It started, and there was somebody on the list.
    assert!(told.starts_with("2 acts, the newest "), "{told}");
}
