//! Short forms of the four kinds of runs, and that each of them can fail.

use std::path::Path;
use std::process::{Command, Output};

const BACKENDS: [&str; 2] = ["sled", "redb"];

fn reliability(work: &Path, kind: &str, backend: &str, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_reliability"))
        .args([
            kind,
            "--backend",
            backend,
            "--no-report",
            "--json",
            "--work",
        ])
        .arg(work)
        .args(more)
        .output()
        .expect("the program runs")
}

/// Where the stores are: in memory if that is to be had, since a file system in memory loses as little over a kill, and
/// power cuts and faults are made above it.
fn work() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

/// Runs a kind on a backend; nothing may fail. What it says of itself.
fn survives(kind: &str, backend: &str, more: &[&str]) -> serde_json::Value {
    let work = work();
    let output = reliability(work.path(), kind, backend, more);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{kind} of {backend}: {complaints}"
    );
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn figure(report: &serde_json::Value, name: &str) -> u64 {
    report["figures"][name].as_u64().unwrap_or_default()
}

#[test]
fn nothing_acknowledged_is_lost_when_the_writer_is_killed() {
    for backend in BACKENDS {
        let report = survives("kill", backend, &["--cycles", "12", "--seed", "11"]);
        assert_eq!(report["count"], 12);
        assert!(figure(&report, "commits acknowledged") > 50, "{report}");
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_is_cut() {
    for backend in BACKENDS {
        let more = [
            "--cuts",
            "60",
            "--cuts-per-record",
            "20",
            "--batches",
            "16",
            "--seed",
            "12",
        ];
        let report = survives("power", backend, &more);
        assert_eq!(report["count"], 60);
        assert_eq!(figure(&report, "records"), 3);
        assert!(figure(&report, "compactions") >= 3, "{report}");
        assert!(figure(&report, "failed syncs") > 0, "{report}");
        assert!(
            figure(&report, "with sectors kept at random") > 10,
            "{report}"
        );
    }
}

/// The harness itself: over a disk that forgets what the database has synced, it must see losses.
#[test]
fn losses_are_seen_where_the_syncs_of_the_database_have_no_effect() {
    for (backend, file) in [("sled", "db"), ("redb", "rows.redb")] {
        let work = work();
        let more = [
            "--cuts",
            "40",
            "--batches",
            "16",
            "--seed",
            "13",
            "--lying",
            file,
        ];
        let output = reliability(work.path(), "power", backend, &more);
        assert_eq!(output.status.code(), Some(1));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let failures = report["failures"].as_array().unwrap();
        let lost = |failure: &serde_json::Value| {
            failure["what"]
                .as_str()
                .is_some_and(|what| what.starts_with("lost"))
        };
        assert!(
            failures.iter().filter(|failure| lost(failure)).count() >= 3,
            "{report}"
        );
        let kept = Path::new(failures[0]["kept"].as_str().unwrap());
        assert!(kept.join("image").is_dir() && kept.join("log").is_file());
    }
}

#[test]
fn decay_is_found_or_does_no_harm() {
    for backend in BACKENDS {
        let more = [
            "--flips", "8", "--pages", "2", "--live", "6", "--seed", "14",
        ];
        let report = survives("rot", backend, &more);
        assert!(figure(&report, "refused") > 10, "{report}");
        assert!(figure(&report, "all rows right") > 10, "{report}");
    }
}

#[test]
fn a_failing_disk_loses_nothing_that_was_acknowledged() {
    for backend in BACKENDS {
        let more = ["--cases", "30", "--batches", "6", "--seed", "15"];
        let report = survives("faults", backend, &more);
        assert_eq!(report["count"], 30);
        assert!(figure(&report, "refusals") > 10, "{report}");
    }
}

#[test]
fn a_run_that_was_interrupted_goes_on_and_one_of_another_seed_is_refused() {
    let work = work();
    let mut first = Command::new(env!("CARGO_BIN_EXE_reliability"))
        .args([
            "kill",
            "--backend",
            "redb",
            "--no-report",
            "--cycles",
            "100000",
            "--seed",
            "16",
            "--work",
        ])
        .arg(work.path())
        .spawn()
        .unwrap();
    let state = work.path().join("kill-redb/state.json");
    let done = || {
        let state = std::fs::read(&state).unwrap_or_default();
        let state: serde_json::Value = serde_json::from_slice(&state).unwrap_or_default();
        state["done"].as_u64().unwrap_or_default()
    };
    while done() < 2 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    first.kill().unwrap();
    first.wait().unwrap();
    // Its writer is not killed with it, and has the store until it finds that nobody reads what it says.
    let is_there = || {
        let mut search = Command::new("pgrep");
        let found = search.arg("-f").arg(work.path()).output().unwrap();
        found.status.success()
    };
    while is_there() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let before = done();
    assert!(state.exists());
    let other = reliability(
        work.path(),
        "kill",
        "redb",
        &["--cycles", "4", "--seed", "17"],
    );
    assert_eq!(other.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&other.stderr).contains("--fresh"));
    let cycles = (before + 2).to_string();
    let output = reliability(
        work.path(),
        "kill",
        "redb",
        &["--cycles", &cycles, "--seed", "16"],
    );
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["count"], before + 2);
    assert!(!state.exists(), "a finished run is over");
}
