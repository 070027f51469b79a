//! `auditor digest`, run as a user runs it. What nodes serve is asked for in the whole-system tests.
#![allow(missing_docs)]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;

use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr as _;
use ark_serialize::CanonicalSerialize as _;
use prover::Prover;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

fn digest(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_auditor"))
        .current_dir(folder)
        .arg("digest")
        .args(args)
        .output()
        .expect("the auditor starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn report(output: &Output, code: i32) -> Value {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A registry file in a folder of its own.
fn with_registry(text: &str) -> (tempfile::TempDir, [&'static str; 4]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("registry.toml"), text).unwrap();
    (
        folder,
        ["--registry", "registry.toml", "--no-test-key", "--json"],
    )
}

const SHIPPED: &str = include_str!("../../../circuits/registry.toml");

/// The registry's first line with another value.
fn with(quantity: &str, value: &str) -> String {
    let mut circuits = 0;
    let changed = |line: &str| {
        circuits += usize::from(line == "[[circuit]]");
        let of = line.split('=').next().unwrap_or_default().trim();
        if of == quantity && circuits == 1 {
            format!("{quantity} = {value}")
        } else {
            line.to_owned()
        }
    };
    SHIPPED.lines().map(changed).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shipped_registry_agrees_with_the_source() {
    let folder = tempfile::tempdir().unwrap();
    let all = report(&digest(folder.path(), &["--no-test-key", "--json"]), 0);
    assert_eq!(all["agrees"], true);
    let comparisons = all["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), 6);
    assert!(comparisons.iter().all(|c| c["agrees"] == true));
    for other in ["opening", "pseudonym"] {
        let compared = all[other].as_array().unwrap();
        assert!(compared.len() == 6 && compared.iter().all(|c| c["agrees"] == true));
    }
    assert_eq!(all["not_rebuilt"], json!([]));
    assert!(all["keys"].as_array().unwrap().is_empty());
}

#[test]
fn each_quantity_of_the_registry_that_differs_is_named() {
    let zeros = format!("\"{}\"", "0".repeat(64));
    let swapped = r#"["risk_root", "registry_root", "rule_digest", "as_of", "claim", "binder"]"#;
    let fewer = r#"["registry_root", "risk_root", "rule_digest", "as_of", "claim"]"#;
    for (quantity, value, named) in [
        ("constraints", "1", &["constraints"][..]),
        ("rows", "1", &["rows"]),
        ("witnesses", "1", &["witnesses"]),
        ("matrix_sha256", &zeros, &["matrix SHA-256"]),
        ("public_inputs", swapped, &["public inputs"]),
        (
            "public_inputs",
            fewer,
            &["instance variables", "public inputs"],
        ),
    ] {
        let (folder, args) = with_registry(&with(quantity, value));
        let output = digest(folder.path(), &args);
        let all = report(&output, 1);
        let differ: Vec<&str> = (all["comparisons"].as_array().unwrap().iter())
            .filter(|c| c["agrees"] == false)
            .map(|c| c["quantity"].as_str().unwrap())
            .collect();
        assert_eq!(differ, named);
        assert!(named.iter().all(|n| said(&output).contains(n)));
    }
    let (folder, args) = with_registry(&with("rows", "1"));
    let text = String::from_utf8(digest(folder.path(), &args[..3]).stdout).unwrap();
    for line in [
        "  = constraints ",
        "  ≠ rows ",
        " (registry: 1)",
        "NOT everything agrees",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let (folder, args) = with_registry(&with("version", "7"));
    let output = digest(folder.path(), &args);
    assert_eq!(
        report(&output, 1)["not_rebuilt"],
        json!(["clearance version 7"])
    );
    assert!(said(&output).contains("no line for clearance version 1"));
}

#[test]
fn a_registry_with_another_opening_is_named() {
    let opening = SHIPPED.find("name = \"opening\"").unwrap();
    let (first, second) = SHIPPED.split_at(opening);
    let text = format!(
        "{first}{}",
        second.replace("constraints = ", "constraints = 9")
    );
    let (folder, args) = with_registry(&text);
    let output = digest(folder.path(), &args);
    let all = report(&output, 1);
    assert!(
        all["comparisons"]
            .as_array()
            .unwrap()
            .iter()
            .all(|c| c["agrees"] == true)
    );
    assert!(
        said(&output).contains("opening: constraints is 7369 rebuilt"),
        "{}",
        said(&output)
    );
    let (folder, args) = with_registry(&first[..first.rfind("[[circuit]]").unwrap()]);
    let output = digest(folder.path(), &args);
    report(&output, 1);
    assert!(said(&output).contains("no line for opening version 1"));
}

#[test]
fn a_file_that_is_no_registry_is_refused_by_name() {
    for (text, why) in [
        (String::new(), "missing field"),
        (with("status", "\"golden\""), "unknown variant"),
        (format!("{SHIPPED}\nnote = 1\n"), "unknown field"),
        (with("rows", "-1"), "invalid"),
        ("#".repeat(70_000), "more than 65536 bytes"),
    ] {
        let (folder, args) = with_registry(&text);
        let output = digest(folder.path(), &args);
        assert_eq!(output.status.code(), Some(3), "{why}");
        assert!(said(&output).contains(why), "{why}: {}", said(&output));
    }
    let folder = tempfile::tempdir().unwrap();
    for (args, code) in [
        (&["--registry", "missing.toml"][..], 3),
        (&["--test-seed", "dem"], 2),
        (&["--key", "k"], 2),
        (&["--node", "127.0.0.1:1"], 2),
        (&["--sha256", "00", "--key", "k"], 2),
    ] {
        assert_eq!(
            digest(folder.path(), args).status.code(),
            Some(code),
            "{args:?}"
        );
    }
    let nodes = ["--node", "a:1", "--province", "33", "--province", "35"];
    let more = ["--federation", "test", "--roots", "roots.pem"];
    let output = digest(folder.path(), &[&nodes[..], &more].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("2 provinces for 1 nodes"),
        "{}",
        said(&output)
    );
}

/// A key file of its own seed, made once.
static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    Prover::from_test_parameters(&[0x5e; 32])
        .unwrap()
        .to_bytes()
});

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Asks about a key file that is pinned by its own digest.
fn key_file(bytes: &[u8], pinned: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.key"), bytes).unwrap();
    let args = [
        "--no-test-key",
        "--json",
        "--key",
        "a.key",
        "--sha256",
        pinned,
    ];
    digest(folder.path(), &args)
}

#[test]
fn a_key_file_is_the_key_of_its_seed_and_a_damaged_one_is_refused_by_name() {
    let file = report(&key_file(&KEY, &sha256(&KEY)), 0);
    let folder = tempfile::tempdir().unwrap();
    let seed = "5e".repeat(32);
    let made = report(&digest(folder.path(), &["--test-seed", &seed, "--json"]), 0);
    let (file, made) = (&file["keys"][0], &made["keys"][0]);
    assert_eq!(file["circuit_use"], "test");
    for same in ["key_file", "verifying_key_sha256", "circuit_ids"] {
        assert_eq!(file[same], made[same]);
        assert!(!file[same].is_null());
    }
    let other = key_file(&KEY, &"0".repeat(64));
    assert!(said(&other).contains(&sha256(&KEY)), "{}", said(&other));
    assert_eq!(report(&other, 1)["keys"], json!([]));

    // First bytes 8, use 1, matrix digest 32; then, uncompressed, alpha 64, beta 128, gamma 128, delta 128.
    let (gamma, delta) = (41 + 64 + 128, 41 + 64 + 256);
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = KEY.clone();
        change(&mut bytes);
        bytes
    };
    let cases = [
        (changed(&|b| b.truncate(20)), "cut short"),
        (changed(&|b| b.truncate(1_000_000)), "damaged"),
        (
            changed(&|b| b[delta + 128..delta + 136].copy_from_slice(&(1u64 << 60).to_le_bytes())),
            "damaged", // a list of more points than there is memory for
        ),
        (changed(&|b| b[0] = b'X'), "other first bytes"),
        (changed(&|b| b[7] = 9), "other first bytes"),
        (changed(&|b| b[8] = 2), "unknown use"),
        (changed(&|b| b[9] ^= 1), "another circuit"),
        (changed(&|b| b.push(0)), "longer than its key"),
        (
            changed(&|b| b.copy_within(gamma..gamma + 128, delta)),
            "gamma equal to delta",
        ),
        (changed(&|b| b[41] ^= 1), "off its curve"),
        (changed(&|b| b[500_000] ^= 1), "off its curve"),
        (Vec::new(), "cut short"),
    ];
    for (bytes, why) in cases {
        let output = key_file(&bytes, &sha256(&bytes));
        assert_eq!(output.status.code(), Some(3), "{why}: {}", said(&output));
        assert!(said(&output).contains(why), "{why}: {}", said(&output));
    }
}

fn g1(n: u64) -> G1Affine {
    (G1Affine::generator() * Fr::from(n)).into()
}

fn g2(n: u64) -> G2Affine {
    (G2Affine::generator() * Fr::from(n)).into()
}

/// A verifying key for six public inputs; nobody has a proving key for it.
fn verifying_key() -> ark_groth16::VerifyingKey<Bn254> {
    ark_groth16::VerifyingKey {
        alpha_g1: g1(3),
        beta_g2: g2(5),
        gamma_g2: g2(7),
        delta_g2: g2(11),
        gamma_abc_g1: (13..20).map(g1).collect(),
    }
}

fn compressed(change: impl FnOnce(&mut ark_groth16::VerifyingKey<Bn254>)) -> Vec<u8> {
    let mut key = verifying_key();
    change(&mut key);
    let mut bytes = Vec::new();
    key.serialize_compressed(&mut bytes).unwrap();
    bytes
}

fn ask_about(bytes: &[u8]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("vk"), bytes).unwrap();
    digest(
        folder.path(),
        &["--no-test-key", "--json", "--verifying-key", "vk"],
    )
}

#[test]
fn a_verifying_key_is_read_with_suspicion_and_the_wrong_point_is_named() {
    let good = compressed(|_| {});
    let key = &report(&ask_about(&good), 0)["keys"][0];
    assert_eq!(key["verifying_key_sha256"], sha256(&good));
    assert_eq!(key["circuit_ids"].as_array().unwrap().len(), 2);

    let off_curve = (1..99u64).find(|x| G1Affine::get_ys_from_x_unchecked(Fq::from(*x)).is_none());
    let off_curve = off_curve.unwrap().to_le_bytes();
    let outside = (1..99u64).find_map(|x| {
        let point = G2Affine::get_point_from_x_unchecked(Fq2::from(x), false)?;
        (!point.is_in_correct_subgroup_assuming_on_curve()).then_some(point)
    });
    let patched = |at: usize, len: usize, with: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + len].fill(0);
        bytes[at..at + with.len()].copy_from_slice(with);
        bytes
    };
    let mut infinity = [0; 32];
    infinity[31] = 0x40;
    // Alpha 32, beta 64, gamma 64, delta 64, count 8, then the inputs' points.
    for (bytes, why) in [
        (good[..455].to_vec(), "455 bytes, always 456"),
        (vec![7; 70_000], "more than 65536 bytes"),
        (compressed(|k| k.gamma_abc_g1.truncate(6)), "424 bytes"),
        (
            patched(224, 8, &6u64.to_le_bytes()),
            "5 public inputs, always 6",
        ),
        (
            compressed(|k| k.delta_g2 = k.gamma_g2),
            "gamma equals its delta",
        ),
        (patched(0, 32, &infinity), "alpha is at infinity"),
        (
            compressed(|k| k.gamma_g2 = G2Affine::identity()),
            "gamma is at infinity",
        ),
        (
            compressed(|k| k.gamma_abc_g1[6] = G1Affine::identity()),
            "public input binder is at infinity",
        ),
        (
            patched(232, 32, &off_curve),
            "of the constant is off its curve",
        ),
        (
            patched(264, 32, &off_curve),
            "public input registry_root is off its curve",
        ),
        (
            compressed(|k| k.beta_g2 = outside.unwrap()),
            "beta is outside the subgroup",
        ),
        (
            patched(0, 32, &[0x3f; 32]),
            "alpha is not a canonical coordinate",
        ),
        (Vec::new(), "0 bytes, always 456"),
    ] {
        let output = ask_about(&bytes);
        assert_eq!(output.status.code(), Some(3), "{why}: {}", said(&output));
        assert!(said(&output).contains(why), "{why}: {}", said(&output));
    }
}

/// A verifying key as snarkjs writes it.
fn snarkjs() -> Value {
    let key = verifying_key();
    let one = |p: G1Affine| json!([p.x.to_string(), p.y.to_string(), "1"]);
    let pair = |c: Fq2| json!([c.c0.to_string(), c.c1.to_string()]);
    let two = |p: G2Affine| json!([pair(p.x), pair(p.y), ["1", "0"]]);
    json!({
        "protocol": "groth16",
        "curve": "bn128",
        "nPublic": 6,
        "vk_alpha_1": one(key.alpha_g1),
        "vk_beta_2": two(key.beta_g2),
        "vk_gamma_2": two(key.gamma_g2),
        "vk_delta_2": two(key.delta_g2),
        "vk_alphabeta_12": [[["1", "0"], ["0", "0"], ["0", "0"]], [["0", "0"], ["0", "0"], ["0", "0"]]],
        "IC": key.gamma_abc_g1.into_iter().map(one).collect::<Vec<_>>(),
    })
}

#[test]
fn a_verifying_key_in_snarkjs_words_is_the_same_key_and_is_read_as_strictly() {
    let key = &report(&ask_about(snarkjs().to_string().as_bytes()), 0)["keys"][0];
    assert_eq!(key["verifying_key_sha256"], sha256(&compressed(|_| {})));
    let modulus = "21888242871839275222246405745257275088696311157297823662689037894645226208583";
    let cases: [(&str, Value, &str); 11] = [
        ("/protocol", json!("plonk"), "always groth16"),
        ("/curve", json!("bls12381"), "always groth16 over bn128"),
        ("/nPublic", json!(5), "5 public inputs"),
        (
            "/IC/3/0",
            json!("1"),
            "public input rule_digest is off its curve",
        ),
        (
            "/vk_alpha_1",
            json!(["0", "1", "0"]),
            "alpha is at infinity",
        ),
        ("/vk_alpha_1/0", json!(modulus), "alpha has a coordinate"),
        ("/vk_alpha_1/1", json!("-2"), "alpha has a coordinate"),
        (
            "/vk_beta_2/0/1",
            json!("9".repeat(1000)),
            "beta has a coordinate",
        ),
        ("/vk_gamma_2/2/0", json!("2"), "last coordinate of 1"),
        (
            "/vk_delta_2",
            snarkjs()["vk_gamma_2"].clone(),
            "gamma equals its delta",
        ),
        ("/IC", json!([]), "0 points"),
    ];
    for (place, value, why) in cases {
        let mut key = snarkjs();
        *key.pointer_mut(place).unwrap() = value;
        let output = ask_about(key.to_string().as_bytes());
        assert_eq!(output.status.code(), Some(3), "{why}: {}", said(&output));
        assert!(said(&output).contains(why), "{why}: {}", said(&output));
    }
    let mut key = snarkjs();
    key["more"] = json!(1);
    let output = ask_about(key.to_string().as_bytes());
    assert_eq!(output.status.code(), Some(3));
    assert!(said(&output).contains("unknown field"), "{}", said(&output));
}
