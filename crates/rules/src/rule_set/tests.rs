use super::*;
use crate::{FactKind, Grade};

#[test]
fn the_built_in_rule_sets_pass_the_linter_and_fit_a_table() {
    for id in RuleSet::BUILT_IN {
        let set = RuleSet::built_in(id).unwrap();
        assert_eq!(set.id().as_str(), id);
        assert!(set.table().rows().len() <= crate::MAX_ROWS);
        assert_eq!(set.table().row_of_key().len(), crate::KEYS);
    }
    assert!(matches!(
        RuleSet::built_in("hz"),
        Err(RuleSetError::UnknownId(_))
    ));
}

#[test]
fn each_row_that_colours_names_its_rule_and_every_other_is_inert() {
    for id in RuleSet::BUILT_IN {
        let set = RuleSet::built_in(id).unwrap();
        for key in (0..96).filter_map(Key::from_code) {
            assert_eq!(
                set.rule_of(key).is_none(),
                set.table().row(key).is_inert(),
                "{id} {key:?}"
            );
        }
        assert!(set.otherwise().is_some());
    }
}

#[test]
fn a_reason_finds_the_rule_of_its_publication() {
    let fj = RuleSet::built_in("fj-2022-08").unwrap();
    let rule = |key| fj.rule_of(key).map(|r| r.id.as_str());
    let entry = |local| rule(Key::of_fact(FactKind::Entry, false, local));
    assert_eq!((entry(true), entry(false)), (Some("R7"), Some("R7")));
    let left = Key::of_stay(Grade::High, Grade::Medium, false);
    assert_eq!(rule(left), Some("R6"));
    assert_eq!(rule(Key::of_fact(FactKind::Symptoms, false, true)), None);
}

#[test]
fn the_digest_changes_with_every_part_and_not_with_comments_or_layout() {
    let base = RuleSet::from_toml(HZ_2020_02).unwrap().digest_sha256();
    let of = |from: &str, to: &str| {
        let text = HZ_2020_02.replacen(from, to, 1);
        assert_ne!(text, HZ_2020_02, "{from}");
        RuleSet::from_toml(&text).unwrap().digest_sha256()
    };
    for (from, to) in [
        ("hz-2020-02\"", "hz-2020-03\""),
        ("version = 1", "version = 2"),
        ("province = 33", "province = 32"),
        ("2023-01-08", "2023-01-09"),
        ("medium = 336", "medium = 335"),
        ("check_in_days = 14", "check_in_days = 13"),
        ("{ days = 29 }", "{ days = 30 }"),
        ("\"H7\"", "\"H8\""),
        ("A close contact is red", "A close contact gets red"),
        ("密切接触者为红码", "密切接触者是红码"),
        ("nothing else colours", "nothing else counts"),
    ] {
        assert_ne!(of(from, to), base, "{from}");
    }
    assert_eq!(of("# Hangzhou", "# hangzhou"), base);
    assert_eq!(
        of(
            "{ fact = [\"confirmed-case\", \"asymptomatic-case\"] }",
            "{ fact = [\"asymptomatic-case\"] }, { fact = [\"confirmed-case\"] }"
        ),
        base
    );
}

#[test]
fn a_file_that_is_too_long_of_another_format_or_with_an_unknown_key_is_refused() {
    let long = " ".repeat(MAX_RULE_SET_LEN_BYTES + 1);
    assert_eq!(
        RuleSet::from_toml(&long),
        Err(RuleSetError::TooLong(long.len()))
    );
    let format = HZ_2020_02.replacen("format = 1", "format = 2", 1);
    assert_eq!(
        RuleSet::from_toml(&format),
        Err(RuleSetError::UnknownFormat(2))
    );
    let key = HZ_2020_02.replacen("version = 1", "version = 1\nnote = \"\"", 1);
    assert!(matches!(
        RuleSet::from_toml(&key),
        Err(RuleSetError::Toml(m)) if m.contains("note")
    ));
}

/// Whoever has signed or logged a rule set has signed this: a change of the canonical form is a new version of it.
#[test]
fn the_published_sets_have_the_digests_that_they_were_published_with() {
    for (id, digest) in [
        (
            "hz-2020-02",
            "97832c787953064ebdb5d125ad4a4ff4badf0499b88eff5466376c141952372e",
        ),
        (
            "fj-2022-08",
            "684af6fa5dc5483a541a5a1f67c23031746477440241a00e9808cd61f017bf0c",
        ),
    ] {
        let set = RuleSet::built_in(id).unwrap();
        assert_eq!(hex::encode(set.digest_sha256()), digest, "{id}");
    }
}
