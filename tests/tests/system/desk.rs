//! The federation's desk and what `deploy/federation` makes with it: founded, run, a head key rotated, run again.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tests::key_cache;

use crate::{CHECKPOINT, FEDERATION, NODE};

/// A federation of `deploy/federation` in a directory of its own; its processes end with it.
struct Deployed {
    dir: tempfile::TempDir,
    programs: tempfile::TempDir,
    ports: &'static str,
}

/// What the ports of all three nodes can begin with: the scripts' `2433` and the like must be free.
fn free_ports() -> &'static str {
    let is_free = |start: &&&str| {
        let ends = ["4", "5", "6", "8"]
            .map(|door| ["33", "35", "42"].map(|p| format!("{start}{door}{p}")));
        let mut ports = ends
            .iter()
            .flatten()
            .map(|port| port.parse::<u16>().unwrap());
        ports.all(|port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok())
    };
    let starts = ["2", "3", "4", "5", "6", "8", "9"];
    starts.iter().find(is_free).expect("free ports")
}

impl Deployed {
    fn new() -> Self {
        let programs = tempfile::tempdir().unwrap();
        for (name, program) in [
            ("node", NODE),
            ("federation", FEDERATION),
            ("checkpoint", CHECKPOINT),
        ] {
            std::os::unix::fs::symlink(program, programs.path().join(name)).unwrap();
        }
        let dir = tempfile::tempdir().unwrap();
        Self {
            dir,
            programs,
            ports: free_ports(),
        }
    }

    /// Where all of it is.
    fn all(&self) -> PathBuf {
        self.dir.path().join("all")
    }

    /// Runs a script of `deploy/federation` on this federation; it must succeed.
    fn script(&self, name: &str, further: &[&str]) -> String {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/federation");
        let mut command = Command::new(script.join(name));
        command.arg(self.all()).args(further);
        command.env("PROGRAMS", self.programs.path());
        command.env("CACHE", key_cache()).env("PORTS", self.ports);
        said(&command.output().unwrap(), name)
    }

    /// Runs the federation's desk in the directory of it all.
    fn desk(&self, line: &str) -> String {
        let mut command = Command::new(FEDERATION);
        command.args(line.split(' ')).current_dir(self.all());
        said(&command.output().unwrap(), line)
    }

    /// Has the gate refresh its trust list until it says this.
    fn until_told(&self, what: &str) {
        let mut told = String::new();
        for _ in 0..120 {
            told = self.script("gate", &["refresh"]);
            if told.contains(what) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        panic!("{told}: not {what}");
    }

    /// What the listener of a province's log says at a path.
    fn read_log(&self, province: &str, path: &str) -> String {
        let at = format!("127.0.0.1:{}8{province}", self.ports);
        let mut stream = std::net::TcpStream::connect(at).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: log\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
        body.to_owned()
    }

    fn log_policy(&self, province: &str) -> String {
        self.read_log(province, "/policy")
    }

    /// Waits until two others have cosigned the checkpoint of a province's log.
    fn until_witnessed(&self, province: &str) {
        let mut checkpoint = String::new();
        for _ in 0..120 {
            checkpoint = self.read_log(province, "/checkpoint");
            if checkpoint
                .lines()
                .filter(|line| line.starts_with('—'))
                .count()
                == 3
            {
                return;
            }
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        panic!("{checkpoint}");
    }

    /// Waits until a node that runs has said this.
    fn until_logged(&self, node: &str, what: &str) {
        for _ in 0..60 {
            if self.log_of(node).contains(what) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        panic!("{}: not {what}", self.log_of(node));
    }

    fn log_of(&self, node: &str) -> String {
        std::fs::read_to_string(self.all().join(node).join("log.txt")).unwrap()
    }

    fn move_file(&self, from: &str, to: &str) {
        std::fs::rename(self.all().join(from), self.all().join(to)).unwrap();
    }
}

impl Drop for Deployed {
    fn drop(&mut self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/federation/down");
        let _ = Command::new(script).arg(self.all()).output();
    }
}

/// What a program said on standard output.
fn said(output: &Output, what: &str) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{what}: {out}{err}");
    out
}

#[test]
fn a_federation_is_founded_and_runs_and_goes_on_with_a_rotated_head_key() {
    let deployed = Deployed::new();
    let told = deployed.script("up", &[]);
    assert!(told.contains("province 42 joins in slot 10"), "{told}");
    assert!(told.contains("trust list: sequence 1/"), "{told}");

    let rotated =
        deployed.desk("rotate --dir node-35 --key head --root folder/root.bin --compromised");
    assert!(rotated.contains("signing.key.next"), "{rotated}");
    // It lies elsewhere until the document is there.
    deployed.move_file("node-35/signing.key.next", "node-35/aside.key");
    deployed.move_file("node-35/request.pem", "folder/requests/35.pem");
    deployed.desk("propose folder");
    let one = deployed.desk("approve folder --key holders/b.key");
    assert!(one.contains("1 of 2 have signed"), "{one}");
    let two = deployed.desk("approve folder --key holders/c.key --json");
    let two: serde_json::Value = serde_json::from_str(&two).unwrap();
    assert_eq!(two["changes"][0]["change"], "head-key", "{two}");
    assert_eq!(two["changes"][0]["province"], 35, "{two}");
    assert!(two["changes"][0]["from_minute"].is_null(), "{two}");
    deployed.desk("publish folder");
    // Nothing of a key stands in the folder.
    for entry in std::fs::read_dir(deployed.all().join("folder")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains("PRIVATE"), "{}", path.display());
        }
    }

    // The two whose keys are as before take the new root document up as they run, are a quorum, and the gate follows from the
    // document that it had to the next. The third goes on under the old one until it has its new key.
    deployed.until_told("trust list: sequence 2/");
    let log = deployed.log_of("node-35");
    assert!(
        log.contains("does not name this province with this signing key"),
        "{log}"
    );
    deployed.move_file("node-35/aside.key", "node-35/signing.key.next");
    deployed.until_logged("node-35", "a root document is taken up");

    let old_key = deployed.log_policy("42");
    let told = deployed.desk("rotate --dir node-42 --key log");
    assert!(told.contains("log.key.next"), "{told}");
    deployed.script("down", &[]);
    deployed.move_file("node-35/signing.key.next", "node-35/signing.key");
    deployed.move_file("node-42/log.key.next", "node-42/log.key");
    let config = deployed.all().join("node-42/node.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("log_key_file = \"log.key\"\n{text}")).unwrap();
    let told = deployed.script("up", &[]);
    assert!(told.contains("trust list: sequence 2/"), "{told}");
    // The other two, one of them with another head key than before, go on to witness that log under its new key.
    let line = |policy: &str| policy.lines().next().unwrap().to_owned();
    assert_ne!(line(&deployed.log_policy("42")), line(&old_key));
    deployed.until_witnessed("42");
    deployed.script("down", &[]);
}
