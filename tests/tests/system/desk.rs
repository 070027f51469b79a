//! The federation's desk and what `deploy/federation` makes with it: founded, run, a head key rotated, run again.

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

    let rotated = deployed.desk("rotate --dir node-35 --key head --root folder/root.bin");
    assert!(rotated.contains("signing.key.next"), "{rotated}");
    deployed.move_file("node-35/request.pem", "folder/requests/35.pem");
    deployed.desk("propose folder");
    let one = deployed.desk("approve folder --key holders/b.key");
    assert!(one.contains("1 of 2 have signed"), "{one}");
    let two = deployed.desk("approve folder --key holders/c.key --json");
    let two: serde_json::Value = serde_json::from_str(&two).unwrap();
    assert_eq!(two["changes"][0]["change"], "head-key", "{two}");
    assert_eq!(two["changes"][0]["province"], 35, "{two}");
    deployed.desk("publish folder");
    // Nothing of a key stands in the folder.
    for entry in std::fs::read_dir(deployed.all().join("folder")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains("PRIVATE"), "{}", path.display());
        }
    }

    deployed.script("down", &[]);
    deployed.move_file("node-35/signing.key.next", "node-35/signing.key");
    let told = deployed.script("up", &[]);
    // The gate follows from the root document that it had to the next.
    assert!(told.contains("trust list: sequence 2/"), "{told}");
    deployed.script("down", &[]);
}
