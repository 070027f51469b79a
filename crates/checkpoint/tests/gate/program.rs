use std::path::Path;
use std::process::{Command, Output};

use crate::scene::{at, code, config_text, desk, good_bundle};

fn run(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_checkpoint"))
        .current_dir(dir)
        .args(args)
        .output()
        .unwrap()
}

fn prepare(after_min: u32) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("checkpoint.toml"), config_text(after_min)).unwrap();
    desk(dir.path()).take_list(&good_bundle(), at(10)).unwrap();
    dir
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_exit_code_is_the_verdict() {
    let dir = prepare(10);
    let good = code(1, 10, None);
    let first = run(dir.path(), &["verify", &good]);
    assert_eq!(first.status.code(), Some(0), "{}", text(&first));
    assert!(text(&first).contains("通行 PASS"));
    let again = run(dir.path(), &["verify", &good]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again).contains("REPLAYED"));

    let later = config_text(73 * 60);
    std::fs::write(dir.path().join("later.toml"), later).unwrap();
    let stale = run(dir.path(), &["--config", "later.toml", "verify", &good]);
    assert_eq!(stale.status.code(), Some(2));
    assert!(text(&stale).contains("LIST_STALE"));
}

#[test]
fn a_picture_and_json_do_the_same() {
    let dir = prepare(10);
    let picture =
        qrcode::QrCode::with_error_correction_level(code(1, 10, None), qrcode::EcLevel::M)
            .unwrap()
            .render::<image::Luma<u8>>()
            .module_dimensions(4, 4)
            .build();
    picture.save(dir.path().join("code.png")).unwrap();
    let output = run(dir.path(), &["verify", "code.png", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let value: serde_json::Value = serde_json::from_str(&text(&output)).unwrap();
    assert_eq!(value["code"], "ACCEPTED");
    assert_eq!(value["accepted"]["rule_set"], "cn-test");
    assert_eq!(value["list"]["age_s"], 300);
}

#[test]
fn what_is_no_verdict_ends_with_three() {
    let dir = prepare(10);
    for args in [
        &["verify"][..],
        &["judge", "x"],
        &["verify", "no-such.png"],
        &["verify", "VIR1:AAA", "--nonce", "12"],
        &["verify", "VIR1:AAA", "--profile", "gold"],
        &["--config", "missing.toml", "verify", "VIR1:AAA"],
        &["refresh"],
    ] {
        let output = run(dir.path(), args);
        assert_eq!(output.status.code(), Some(3), "{args:?}");
        assert!(!output.stderr.is_empty(), "{args:?}");
    }
    let help = run(dir.path(), &["--help"]);
    assert_eq!(help.status.code(), Some(0));
    assert!(text(&help).contains("CANNOT CHECK"));
}
