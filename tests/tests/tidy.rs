//! The architecture's invariants, mostly absences, read from the tree itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .exec()
        .expect("cargo metadata")
}

/// Which rooms a room may import, in its normal and build dependencies.
const ALLOWED: [(&str, &[&str]); 32] = [
    ("rules", &[]),
    ("risk-list", &["rules"]),
    ("commitment", &["rules"]),
    ("circuits", &["rules", "commitment"]),
    ("prover", &["circuits", "commitment"]),
    ("r1cs-audit", &[]),
    ("ledger", &["commitment"]),
    ("verifier", &["rules", "commitment"]),
    ("wire", &["rules", "verifier", "ledger"]),
    ("federation", &["wire", "verifier", "ledger", "rules"]),
    (
        "membership",
        &["rules", "commitment", "verifier", "federation"],
    ),
    ("store", &["rules"]),
    (
        "node",
        &[
            "rules",
            "risk-list",
            "commitment",
            "circuits",
            "prover",
            "ledger",
            "verifier",
            "wire",
            "federation",
            "store",
            "pages",
            "plain-http",
        ],
    ),
    ("gate", &["rules", "verifier"]),
    ("gate-wasm", &["rules", "verifier", "gate", "qr-modules"]),
    ("qr-modules", &[]),
    ("wallet-wasm", &["rules", "verifier", "qr-modules"]),
    ("anatomy", &["rules", "verifier"]),
    ("public-wasm", &["anatomy", "gate-wasm"]),
    ("pages", &[]),
    ("plain-http", &[]),
    (
        "published",
        &[
            "rules",
            "commitment",
            "ledger",
            "verifier",
            "wire",
            "plain-http",
        ],
    ),
    (
        "checkpoint",
        &[
            "rules",
            "verifier",
            "wire",
            "federation",
            "gate",
            "pages",
            "plain-http",
        ],
    ),
    // It asks a home for an opening, with a certificate, and judges what its own event states.
    (
        "source",
        &[
            "rules",
            "commitment",
            "ledger",
            "verifier",
            "wire",
            "federation",
            "plain-http",
        ],
    ),
    (
        "auditor",
        &[
            "anatomy",
            "rules",
            "r1cs-audit",
            "risk-list",
            "commitment",
            "circuits",
            "prover",
            "ledger",
            "verifier",
            "wire",
            "federation",
            "pages",
            "published",
        ],
    ),
    // In the folder `console`. It states events, decides appeals and names proxies over the door of sources, with keys of its own.
    (
        "viridian-console",
        &[
            "rules",
            "ledger",
            "verifier",
            "wire",
            "federation",
            "store",
            "pages",
            "published",
        ],
    ),
    (
        "demo",
        &["rules", "risk-list", "verifier", "wire", "federation"],
    ),
    (
        "decoders",
        &[
            "rules",
            "risk-list",
            "commitment",
            "ledger",
            "verifier",
            "wire",
            "federation",
            "membership",
            "store",
            "node",
            "checkpoint",
            "viridian-console",
        ],
    ),
    ("reliability", &["store"]),
    (
        "hosts",
        &[
            "rules",
            "commitment",
            "ledger",
            "membership",
            "verifier",
            "wire",
            "federation",
            "tests",
        ],
    ),
    (
        "simulation",
        &[
            "rules",
            "commitment",
            "circuits",
            "ledger",
            "verifier",
            "wire",
            "federation",
            "store",
            "node",
            "checkpoint",
            "reliability",
        ],
    ),
    (
        "tests",
        &[
            "rules",
            "risk-list",
            "commitment",
            "circuits",
            "prover",
            "r1cs-audit",
            "ledger",
            "membership",
            "verifier",
            "wire",
            "federation",
            "store",
            "node",
            "checkpoint",
            "auditor",
            "source",
            "demo",
            "reliability",
        ],
    ),
];

#[test]
fn no_room_imports_one_that_it_should_not_know() {
    let allowed: BTreeMap<_, _> = ALLOWED.into_iter().collect();
    let metadata = metadata();
    let rooms: BTreeSet<&str> = metadata
        .workspace_packages()
        .iter()
        .map(|p| p.name.as_str())
        .collect();
    assert!(rooms.len() >= 14, "the workspace has its rooms");
    for package in metadata.workspace_packages() {
        let may = allowed
            .get(package.name.as_str())
            .unwrap_or_else(|| panic!("{} has no row here", package.name));
        for dependency in &package.dependencies {
            let is_room = rooms.contains(dependency.name.as_str());
            let counts = dependency.kind != DependencyKind::Development;
            assert!(
                !is_room || !counts || may.contains(&dependency.name.as_str()),
                "{} must not import {}",
                package.name,
                dependency.name
            );
        }
    }
}

#[test]
fn only_wire_knows_protobuf_and_only_store_knows_a_database() {
    for package in metadata().workspace_packages() {
        let name = package.name.as_str();
        for dependency in package
            .dependencies
            .iter()
            .filter(|d| d.kind == DependencyKind::Normal)
        {
            match dependency.name.as_str() {
                // The checks of all decoders read messages as the doors do.
                "prost" if name == "decoders" => {}
                "prost" | "prost-types" | "tonic-prost" => assert_eq!(name, "wire"),
                "sled" | "redb" => assert_eq!(name, "store"),
                _ => {}
            }
        }
    }
    for path in sources() {
        let in_store = path.starts_with(root().join("crates/store"));
        let text = read(&path);
        assert!(
            in_store || !(text.contains("sled::") || text.contains("redb::")),
            "{} names a database",
            path.display()
        );
    }
}

/// Everything that a package pulls in, by way of normal dependencies, when it is built by itself.
///
/// Asked of `cargo tree`: the graph of `cargo metadata` holds packages that a weak feature only mentions, too.
fn tree_of(name: &str) -> BTreeSet<String> {
    let output = std::process::Command::new(env!("CARGO"))
        .args([
            "tree", "--edges", "normal", "--prefix", "none", "--format", "{p}",
        ])
        .args(["--package", name])
        .current_dir(root())
        .output()
        .expect("cargo tree");
    assert!(output.status.success(), "cargo tree of {name} failed");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(ToOwned::to_owned)
        .collect()
}

#[test]
fn the_verifier_pulls_in_neither_gadgets_nor_a_runtime() {
    let tree = tree_of("verifier");
    assert!(tree.contains("ark-groth16"), "the graph was read");
    for absent in [
        "ark-r1cs-std",
        "tokio",
        "tonic",
        "prost",
        "rustls",
        "sled",
        "circuits",
        "prover",
        "hyper",
    ] {
        assert!(!tree.contains(absent), "verifier pulls in {absent}");
    }
    let rules = tree_of("rules");
    assert!(
        !rules
            .iter()
            .any(|p| p.starts_with("ark-") || p == "tokio" || p.contains("dalek"))
    );
}

#[test]
fn nothing_linked_is_under_a_gnu_licence() {
    let metadata = metadata();
    for package in &metadata.packages {
        let licence = package.license.as_deref().unwrap_or_default();
        let free_choice = licence.contains("OR") || licence.contains('/');
        assert!(
            !licence.contains("GPL") || free_choice,
            "{} is under {licence}",
            package.name
        );
    }
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![
        root().join("crates"),
        root().join("circuits"),
        root().join("tests"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tidy.rs") {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 100, "the sources were found");
    found
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a source file")
}

#[test]
fn no_file_is_two_rooms() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|path| (read(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > 650)
        .collect();
    assert!(long.is_empty(), "over 650 lines: {long:?}");
}

#[test]
fn nobody_has_a_function_that_sets_a_colour() {
    for path in sources() {
        for line in read(&path).lines() {
            let line = line.trim();
            let setter = [
                "fn set_colour",
                "fn set_color",
                "fn with_colour",
                "fn override_colour",
                "fn force_colour",
            ];
            assert!(
                !setter.iter().any(|s| line.contains(s)),
                "{}: {line}",
                path.display()
            );
        }
    }
}

#[test]
fn no_source_is_unsafe_or_left_to_be_done() {
    for path in sources() {
        let text = read(&path);
        for never in [
            "unsafe {",
            "unsafe fn",
            "todo!(",
            "unimplemented!(",
            "dbg!(",
        ] {
            assert!(!text.contains(never), "{} contains {never}", path.display());
        }
    }
}

#[test]
fn the_readme_and_the_guard_run_the_same_tests() {
    let readme = read(&root().join("README.md"));
    let guard = read(&root().join(".ci/run"));
    for text in [&readme, &guard] {
        assert!(text.contains("cargo test --workspace"));
    }
    assert!(readme.contains("cargo run --release -p demo"));
}

/// Names of tests in a text: words in backticks with three underscores at least.
fn named_tests(text: &str) -> BTreeSet<&str> {
    let words = text.split('`').skip(1).step_by(2);
    let is_name = |word: &&str| {
        word.matches('_').count() >= 3 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    words.filter(is_name).collect()
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let model = read(&root().join("SECURITY.md"));
    let named = named_tests(&model);
    assert!(named.len() > 40, "the names were found: {}", named.len());
    let mut sources: Vec<String> = sources().iter().map(|path| read(path)).collect();
    sources.push(read(&root().join("tests/tests/tidy.rs")));
    for name in named {
        let signature = format!("fn {name}(");
        assert!(
            sources.iter().any(|source| source.contains(&signature)),
            "{name} is no test"
        );
    }
}
