use checkpoint::{Error, Scanned};
use verifier::{BatchSeed, Code};

use crate::scene::{at, bundle, code, desk, good_bundle};

fn plain(text: String) -> Scanned {
    Scanned::plain(text)
}

#[test]
fn a_gate_without_a_list_cannot_check_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = desk(dir.path());
    let report = desk
        .decide(&plain(code(1, 10, None)), None, at(10))
        .unwrap();
    assert_eq!(report.code(), Code::NoList);
    assert_eq!(desk.counts().undecided, 1);
}

#[test]
fn a_good_code_passes_once_and_its_copy_does_not_even_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let text = plain(code(1, 10, None));
    {
        let mut desk = desk(dir.path());
        assert!(desk.take_list(&good_bundle(), at(10)).unwrap());
        let report = desk.decide(&text, None, at(10)).unwrap();
        assert_eq!(report.code(), Code::Accepted, "{}", report.to_text());
        assert!(report.to_text().contains("通行 PASS") && report.to_text().contains("样本"));
        desk.store_memory().unwrap();
    }
    let mut desk = desk(dir.path());
    let again = desk.decide(&text, None, at(10)).unwrap();
    assert_eq!(again.code(), Code::Replayed);
    let other = desk
        .decide(&plain(code(2, 10, None)), None, at(10))
        .unwrap();
    assert_eq!(other.code(), Code::Accepted);
}

#[test]
fn a_clock_set_back_over_a_restart_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    {
        let mut desk = desk(dir.path());
        desk.take_list(&good_bundle(), at(10)).unwrap();
        desk.decide(&plain(code(1, 300, None)), None, at(300))
            .unwrap();
        desk.store_memory().unwrap();
    }
    let report = desk(dir.path())
        .decide(&plain(code(1, 200, None)), None, at(200))
        .unwrap();
    assert_eq!(report.code(), Code::ClockSetBack);
}

#[test]
fn profile_age_of_pass_and_age_of_list_decide() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = desk(dir.path());
    desk.take_list(&good_bundle(), at(10)).unwrap();
    let mut verdict = |n, after_min, profile| {
        let scanned = plain(code(n, after_min, None));
        (desk.decide(&scanned, profile, at(after_min)).unwrap()).code()
    };
    assert_eq!(verdict(1, 10, Some("green")), Code::ColourTooWeak);
    assert_eq!(verdict(1, 1440, None), Code::Accepted);
    assert_eq!(verdict(1, 1441, None), Code::PassExpired);
    assert_eq!(verdict(1, 72 * 60 + 5, None), Code::ListStale);
    let unknown = desk.decide(&plain(String::new()), Some("gold"), at(73 * 60));
    assert!(matches!(unknown, Err(Error::UnknownProfile(_))));
}

#[test]
fn a_batch_is_judged_as_one_by_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut desk = desk(dir.path());
    desk.take_list(&good_bundle(), at(10)).unwrap();
    let shown = [
        code(1, 10, None),
        "VIR1:nonsense".to_owned(),
        code(2, 10, None),
        code(1, 10, None),
        code(3, 60, None),
    ]
    .map(plain);
    let seed = BatchSeed::from_random([9; 32]);
    let reports = desk.decide_all(&shown, None, at(10), &seed).unwrap();
    let codes: Vec<Code> = reports.iter().map(checkpoint::Report::code).collect();
    let expected = [
        Code::Accepted,
        Code::Malformed,
        Code::Accepted,
        Code::Replayed,
        Code::SlotNotCurrent,
    ];
    assert_eq!(codes, expected);
}

#[test]
fn a_worse_list_never_replaces_a_good_one() {
    let dir = tempfile::tempdir().unwrap();
    {
        let mut desk = desk(dir.path());
        assert!(
            desk.take_list(&bundle(2, 5, &[1, 3], &[33, 35]), at(10))
                .unwrap()
        );
        assert!(
            !desk
                .take_list(&bundle(2, 5, &[1, 3], &[33, 35]), at(10))
                .unwrap()
        );
        for (what, worse) in [
            ("a lower online sequence", bundle(2, 4, &[1, 3], &[33, 35])),
            ("a lower root sequence", bundle(1, 6, &[1, 3], &[33, 35])),
            ("one root key", bundle(3, 6, &[1], &[33, 35])),
            ("one province", bundle(3, 6, &[1, 3], &[33])),
            ("nothing", Vec::new()),
        ] {
            let refused = desk.take_list(&worse, at(10));
            assert!(matches!(refused, Err(Error::NotRefreshed(_))), "{what}");
        }
        assert!(
            desk.take_list(&bundle(3, 6, &[1, 3], &[33, 35]), at(73 * 60))
                .is_err()
        );
    }
    let mut desk = desk(dir.path());
    let age = desk.list_age(at(10)).unwrap();
    assert_eq!((age.root_sequence, age.online_sequence), (2, 5));
    assert!(
        desk.take_list(&bundle(3, 6, &[1, 3], &[33, 35]), at(10))
            .unwrap()
    );
}

#[test]
fn a_first_list_of_other_root_keys_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let text = crate::scene::config_text(10).replace("root_threshold = 2", "root_threshold = 3");
    let config = checkpoint::Config::parse(&text, dir.path()).unwrap();
    let mut desk = checkpoint::Desk::open(config).unwrap();
    assert!(desk.take_list(&good_bundle(), at(10)).is_err());
    assert!(desk.list().is_none());
}

#[test]
fn a_stored_list_that_was_altered_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    desk(dir.path()).take_list(&good_bundle(), at(10)).unwrap();
    let path = dir.path().join("state/trust-list.bin");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let config = checkpoint::Config::parse(&crate::scene::config_text(10), dir.path()).unwrap();
    let error = checkpoint::Desk::open(config).unwrap_err().to_string();
    assert!(error.contains("trust-list.bin"), "{error}");
}
