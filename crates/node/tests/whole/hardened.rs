//! What others on the machine can do to a running node: its core, its memory, its logs.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::process::{announced, node, write_house};

/// A user that is not root: the owner of a process's files in `/proc` tells whether others may read its memory, and only
/// where that owner is not root anyway.
const NOBODY: u32 = 65_534;

fn field(text: &str, name: &str) -> Vec<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let line = line.unwrap_or_else(|| panic!("{name} is not there"));
    line.split_whitespace().map(ToOwned::to_owned).collect()
}

/// Hands a directory with all that is in it to a user.
fn give(dir: &Path, user: u32) {
    for entry in dir.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            give(&path, user);
        } else {
            std::os::unix::fs::chown(&path, Some(user), None).unwrap();
        }
    }
    std::os::unix::fs::chown(dir, Some(user), None).unwrap();
}

#[test]
fn a_running_node_leaves_no_core_and_lets_nobody_read_its_memory() {
    let dir = tempfile::tempdir().unwrap();
    write_house(dir.path(), false);
    // Otherwise the parameters would be made in a place that is not the other user's.
    let config = std::fs::read_to_string(dir.path().join("node.toml")).unwrap();
    let cache = env!("CARGO_TARGET_TMPDIR");
    let copied = dir.path().join("cache");
    std::fs::create_dir(&copied).unwrap();
    for entry in std::fs::read_dir(cache).unwrap().flatten() {
        if entry.path().is_file() {
            std::fs::copy(entry.path(), copied.join(entry.file_name())).unwrap();
        }
    }
    let config = config.replace(cache, "cache");
    std::fs::write(dir.path().join("node.toml"), config).unwrap();
    let mut command = node(dir.path(), &["run", "--config", "node.toml"]);
    let own = std::fs::metadata("/proc/self/stat").unwrap().uid();
    let user = if own == 0 { NOBODY } else { own };
    if own == 0 {
        let program = dir.path().join("program");
        std::fs::copy(env!("CARGO_BIN_EXE_node"), &program).unwrap();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(dir.path(), open.clone()).unwrap();
        std::fs::set_permissions(&program, open).unwrap();
        give(dir.path(), NOBODY);
        command = Command::new("setpriv");
        let user = NOBODY.to_string();
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups"]);
        command.arg(program).args(["run", "--config", "node.toml"]);
        command.current_dir(dir.path());
    }
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    announced(&mut child);
    let proc = Path::new("/proc").join(child.id().to_string());
    let read = |name: &str| std::fs::read_to_string(proc.join(name)).unwrap();
    let limits = field(&read("limits"), "Max core file size");
    assert_eq!(limits[..2], ["0", "0"]);
    let status = read("status");
    assert_eq!(field(&status, "Uid:")[0], user.to_string());
    assert_eq!(field(&status, "TracerPid:"), ["0"]);
    // The files of a process that may be dumped are its user's; of one that may not, root's.
    let owner = |pid: &Path| std::fs::metadata(pid.join("environ")).unwrap().uid();
    assert_eq!(owner(&proc), 0);
    assert_eq!(owner(Path::new("/proc/self")), own);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn logs_are_lines_or_json_as_asked() {
    let dir = tempfile::tempdir().unwrap();
    let log = |arguments: &[&str], format: &str| {
        let mut command = node(dir.path(), arguments);
        command.env("NODE_LOG_FORMAT", format);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    let run = ["run", "--config", "missing.toml"];
    let text = log(&run, "text");
    assert!(text.contains("ERROR") && !text.contains('{'), "{text}");
    assert!(!text.contains('\u{1b}'), "colours where no terminal is");
    for json in [
        log(&run, "json"),
        log(
            &[
                "check-config",
                "--log-format",
                "json",
                "--config",
                "missing.toml",
            ],
            "text",
        ),
    ] {
        let line: serde_json::Value = serde_json::from_str(json.trim()).unwrap();
        assert_eq!(line["level"], "ERROR");
        let error = line["fields"]["error"].as_str().unwrap();
        assert!(error.contains("missing.toml"), "{error}");
    }
    let mut command = node(dir.path(), &run);
    command.env("NODE_LOG_FORMAT", "xml");
    assert!(!command.output().unwrap().status.success());
}
