use super::*;
use crate::{Error, RuleSetError};

mod edges;

/// A small set that passes: each test damages one part of it.
const GOOD: &str = r#"
format = 1
id = "test-set"
version = 1
province = 35
announced = "2022-08-18"
valid_from = "2022-08-20"
valid_until = "2022-12-31"
emergency = false
source = "nowhere"
title = { zh = "题", en = "title" }
authority = { zh = "机关", en = "authority" }
lookback_hours = { low = 0, medium = 0, high = 0 }
otherwise = { zh = "其他不变色", en = "nothing else colours" }

[[rule]]
id = "A"
zh = "密接"
en = "contact"
source = "1"
case = [{ on = [{ fact = ["close-contact"], ended = false }], first = "red", switch = { days = 8 }, then = "yellow", clear = [{ after = { days = 11 }, negatives = 1, neg_from_hours = 0 }] }]

[[rule]]
id = "B"
zh = "清单"
en = "list"
source = "2"
case = [{ on = [{ fact = ["assist-list"], ended = false }], first = "yellow", lapse = { days = 15 } }]

[[rule]]
id = "C"
zh = "区域"
en = "area"
source = "3"
case = [{ on = [{ worst = ["high"], at_end = ["high"], present = true }], first = "red" }]
"#;

fn findings(text: &str) -> Vec<Finding> {
    match RuleSet::from_toml(text) {
        Ok(_) => Vec::new(),
        Err(RuleSetError::Lint(found)) => found,
        Err(other) => panic!("{other}"),
    }
}

fn damaged(from: &str, to: &str) -> Vec<Finding> {
    assert_eq!(GOOD.matches(from).count(), 1, "{from}");
    findings(&GOOD.replace(from, to))
}

fn code_of(from: &str, to: &str) -> &'static str {
    let found = damaged(from, to);
    assert_eq!(found.len(), 1, "{to}: {found:?}");
    found[0].code()
}

const ASSIST: &str = r#"{ on = [{ fact = ["assist-list"], ended = false }], first = "yellow", lapse = { days = 15 } }"#;
const HIGH: &str = r#"{ worst = ["high"], at_end = ["high"], present = true }"#;
const CLEAR: &str = "{ after = { days = 11 }, negatives = 1, neg_from_hours = 0 }";

#[test]
fn the_undamaged_set_passes() {
    assert_eq!(findings(GOOD), []);
}

#[test]
fn heads_dates_and_texts_are_checked() {
    for (from, to, code) in [
        ("\"test-set\"", "\"Test Set\"", "bad-id"),
        ("\"test-set\"", "\"ab\"", "bad-id"),
        ("version = 1", "version = 0", "bad-version"),
        ("\"2022-08-18\"", "\"2022-08-32\"", "bad-dates"),
        ("\"2022-08-18\"", "\"2022-08-19\"", "short-notice"),
        ("\"2022-12-31\"", "\"2022-08-20\"", "bad-dates"),
        ("en = \"title\"", "en = \" \"", "bad-text"),
        ("zh = \"密接\"", "zh = \"\"", "bad-text"),
        ("source = \"3\"", "source = \"\"", "bad-text"),
        ("id = \"B\"", "id = \"A\"", "bad-rules"),
        ("id = \"B\"", "id = \"B 1\"", "bad-rules"),
    ] {
        assert_eq!(code_of(from, to), code, "{to}");
    }
    let long = format!("en = \"{}\"", "x".repeat(MAX_TEXT_LEN_BYTES + 1));
    assert_eq!(code_of("en = \"area\"", &long), "bad-text");
}

#[test]
fn an_emergency_may_come_into_force_at_once_but_says_so() {
    let text = GOOD
        .replace("\"2022-08-18\"", "\"2022-08-20\"")
        .replace("emergency = false", "emergency = true");
    assert_eq!(findings(&text), []);
}

#[test]
fn every_key_has_one_row_or_the_file_says_that_the_rest_is_inert() {
    let silent = GOOD.replace(
        "otherwise = { zh = \"其他不变色\", en = \"nothing else colours\" }",
        "",
    );
    let found = findings(&silent);
    // 96 keys, of which 4 name nothing and 5 have a row: two kinds of fact, each local or not, and one stay.
    assert_eq!(found.len(), 96 - 4 - 5);
    assert!(found.iter().all(|f| f.code() == "uncovered"));

    let twice = format!("{HIGH}, {HIGH}");
    assert_eq!(code_of(HIGH, &twice), "overlap");
}

#[test]
fn a_pattern_names_facts_or_stays_and_at_least_one() {
    for pattern in [
        "{ }",
        "{ present = true }",
        "{ worst = [] }",
        "{ worst = [\"high\"], at_end = [] }",
        "{ worst = [\"high\"], ended = false }",
        "{ fact = [\"entry\"], worst = [\"high\"] }",
        "{ fact = [\"entry\"], present = true }",
    ] {
        assert_eq!(code_of(HIGH, pattern), "bad-pattern", "{pattern}");
    }
    assert_eq!(code_of(&format!("[{HIGH}]"), "[]"), "bad-pattern");
}

#[test]
fn nothing_is_local_to_the_nation() {
    let text = GOOD.replace("province = 35", "province = 0").replace(
        "fact = [\"assist-list\"], ended = false",
        "fact = [\"assist-list\"], ended = false, local = true",
    );
    assert_eq!(findings(&text), [Finding::LocalToNation("B".to_owned())]);
}

#[test]
fn a_colour_that_nothing_ends_is_refused() {
    // A fact, ended or not, without way out.
    let forever = r#"{ on = [{ fact = ["confirmed-case"] }], first = "red" }"#;
    let found = damaged(ASSIST, forever);
    assert_eq!(found, [1, 17, 33, 49].map(Finding::NoExit));
    // One that an event ends is fine; one that has only its ended half is not.
    let case = r#"{ on = [{ fact = ["confirmed-case"], ended = false }], first = "red" }"#;
    assert_eq!(damaged(ASSIST, case), []);
    let after = r#"{ on = [{ fact = ["confirmed-case"], ended = true }], first = "red" }"#;
    assert_eq!(damaged(ASSIST, after).len(), 2);
    // A stay that is red present, released and left.
    let stay = r#"{ worst = ["high"] }"#;
    assert_eq!(damaged(HIGH, stay).len(), 8);
    // Red while present and released, but leaving ends it.
    let present = r#"{ worst = ["high"], present = true }"#;
    assert_eq!(damaged(HIGH, present), []);
    // Red after leaving, for ever.
    let left = r#"{ worst = ["high"], at_end = ["high"] }"#;
    let found = damaged(HIGH, left);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code(), "no-exit");
}

#[test]
fn while_somebody_stays_a_way_out_by_time_is_no_exit() {
    // The row has a clearing, but its anchor moves, and the other keys never end.
    let clear = "clear = [{ after = { days = 8 } }]";
    let cases = format!(
        r#"{{ on = [{HIGH}], first = "red", {clear} }}, {{ on = [{{ worst = ["high"], at_end = ["none"], present = true }}, {{ worst = ["high"], at_end = ["high"], present = false }}], first = "red" }}"#
    );
    let whole = format!(r#"{{ on = [{HIGH}], first = "red" }}"#);
    let found = damaged(&whole, &cases);
    assert!(
        found.contains(&Finding::NoExit(64 + 3 + 12 + 16)),
        "{found:?}"
    );
}

#[test]
fn a_discretionary_ground_lapses() {
    for kind in [
        "suspected-case",
        "possible-link",
        "assist-list",
        "potential-risk",
    ] {
        let clear = "clear = [{ after = { days = 8 } }]";
        let row = format!(
            r#"{{ on = [{{ fact = ["{kind}"], ended = false, local = true }}], first = "yellow", {clear} }}"#
        );
        assert_eq!(code_of(ASSIST, &row), "no-lapse", "{kind}");
    }
}

#[test]
fn an_order_on_a_person_is_no_kind_of_ground() {
    for kind in ["control-order", "order", "manual", "red"] {
        let text = GOOD.replace("assist-list", kind);
        let Err(RuleSetError::Toml(message)) = RuleSet::from_toml(&text) else {
            panic!("{kind} was read");
        };
        assert!(message.contains("unknown variant"), "{message}");
    }
}

#[test]
fn a_stay_that_met_nothing_or_cannot_be_does_not_colour() {
    let clear = r#"first = "yellow", clear = [{ after = { days = 8 } }]"#;
    let whole = format!(r#"{{ on = [{HIGH}], first = "red" }}"#);
    let unlisted = format!(
        r#"{{ on = [{{ worst = ["none"], at_end = ["none"], present = false }}], {clear} }}"#
    );
    assert_eq!(code_of(&whole, &unlisted), "unlisted-colours");
    let impossible = format!(
        r#"{{ on = [{{ worst = ["medium"], at_end = ["high"], present = false }}], {clear} }}"#
    );
    assert_eq!(code_of(&whole, &impossible), "impossible-colours");
}

#[test]
fn a_colour_that_rises_is_announced_and_only_then() {
    let rising = "first = \"green\", switch = { days = 8 }, then = \"yellow\"";
    let falling = "first = \"red\", switch = { days = 8 }, then = \"yellow\"";
    assert_eq!(code_of(falling, rising), "rises");
    assert_eq!(damaged(falling, &format!("{rising}, rises = true")), []);
    assert_eq!(
        code_of(falling, &format!("{falling}, rises = true")),
        "rises"
    );
}

#[test]
fn a_row_whose_parts_contradict_each_other_is_refused() {
    let falling = "first = \"red\", switch = { days = 8 }, then = \"yellow\"";
    for row in [
        "first = \"red\", switch = { days = 8 }",
        "first = \"red\", then = \"yellow\"",
        "first = \"red\", switch = { days = 8 }, then = \"red\"",
        "first = \"red\", switch = { days = 8 }, then = \"green\"",
        "first = \"green\"",
        "first = \"red\", switch = { days = 1024 }, then = \"yellow\"",
        "first = \"red\", switch = { days = 8 }, then = \"yellow\", lapse = { days = 8 }",
        "first = \"red\", switch = { days = 8 }, then = \"yellow\", lapse = { hours = 0 }",
    ] {
        let found = damaged(falling, row);
        assert!(
            found.iter().all(|f| f.code() == "bad-row"),
            "{row}: {found:?}"
        );
        assert!(!found.is_empty(), "{row}");
    }
}

#[test]
fn a_way_out_is_within_its_ranges_can_be_met_and_is_not_open_from_the_start() {
    for (way, code) in [
        ("{ after = { hours = 0 } }", "never-colours"),
        ("{ after = { days = 0 } }", "never-colours"),
        (
            "{ after = { hours = 0 }, negatives = 2, gap_hours = 24, span_hours = 23, neg_from_hours = 0 }",
            "cannot-clear",
        ),
        (
            "{ after = { hours = 0 }, negatives = 3, gap_hours = 24, span_hours = 47, neg_from_hours = 0 }",
            "cannot-clear",
        ),
        ("{ after = { days = 1024 } }", "bad-row"),
        ("{ after = { days = 1 }, negatives = 1 }", "bad-row"),
        ("{ after = { days = 1 }, neg_from_hours = 0 }", "bad-row"),
        (
            "{ after = { days = 1 }, negatives = 1, neg_from_hours = 256 }",
            "bad-row",
        ),
        (
            "{ after = { days = 1 }, negatives = 1, neg_from_hours = -257 }",
            "bad-row",
        ),
        (
            "{ after = { days = 1 }, negatives = 4, gap_hours = 1, span_hours = 99, neg_from_hours = 0 }",
            "bad-row",
        ),
        (
            "{ after = { days = 1 }, negatives = 2, gap_hours = 0, span_hours = 9, neg_from_hours = 0 }",
            "bad-row",
        ),
        (
            "{ after = { days = 1 }, negatives = 2, gap_hours = 129, span_hours = 999, neg_from_hours = 0 }",
            "bad-row",
        ),
        (
            "{ after = { days = 1 }, negatives = 2, gap_hours = 1, span_hours = 1024, neg_from_hours = 0 }",
            "bad-row",
        ),
        ("{ after = { days = 1 }, check_in_days = 32 }", "bad-row"),
        (
            "{ after = { days = 1 } }, { after = { days = 2 } }, { after = { days = 3 } }",
            "bad-row",
        ),
    ] {
        let found = damaged(CLEAR, way);
        assert!(found.iter().any(|f| f.code() == code), "{way}: {found:?}");
    }
}

#[test]
fn a_table_of_more_than_twenty_six_rows_or_a_lookback_beyond_its_field_is_refused() {
    assert_eq!(
        code_of("medium = 0, high = 0", "medium = 0, high = 1024"),
        "bad-table"
    );
    let kinds = [
        "entry",
        "cold-chain-once",
        "cold-chain-frequent",
        "fever-clinic",
        "pooled-tube",
        "symptoms",
        "secondary-contact",
        "screened-positive",
        "confirmed-case",
    ];
    let mut rules = String::new();
    for n in 0..27 {
        let (kind, ended, local) = (kinds[n % 9], n / 9 == 1, n / 9 == 2);
        let on = format!("{{ fact = [\"{kind}\"], ended = {ended}, local = {local} }}");
        let case = format!(
            "{{ on = [{on}], first = \"red\", lapse = {{ days = {} }} }}",
            n + 1
        );
        let head = format!("[[rule]]\nid = \"X{n}\"\nzh = \"一\"\nen = \"x\"\nsource = \"x\"\n");
        rules.push_str(&head);
        let case = format!("case = [{case}]\n");
        rules.push_str(&case);
    }
    let found = findings(&format!("{GOOD}{rules}"));
    let [Finding::BadTable(what)] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(*what, Error::Row("more than 26 distinct rows").to_string());
}

/// The nation's set with bounds for contacts and lists.
fn nation() -> RuleSet {
    let bounds = r#"
[bounds]
lookback_hours = { low = 0, medium = 168, high = 336 }
[[bounds.row]]
on = [{ fact = ["close-contact"], ended = false }]
at_most = "red"
at_least = "yellow"
longest = { days = 11 }
[[bounds.row]]
on = [{ fact = ["assist-list"] }]
at_most = "yellow"
at_least = "green"
longest = { days = 15 }
"#;
    let text = format!("{}{bounds}", GOOD.replace("province = 35", "province = 0"));
    RuleSet::from_toml(&text).unwrap()
}

#[test]
fn only_the_nation_has_bounds_and_they_are_sound() {
    let bounds = "\n[bounds]\nlookback_hours = { low = 0, medium = 0, high = 0 }\n";
    assert_eq!(
        findings(&format!("{GOOD}{bounds}")),
        [Finding::BoundsOfProvince]
    );
    let row =
        "[[bounds.row]]\non = [{ worst = [\"high\"] }]\nat_most = \"yellow\"\nat_least = \"red\"\n";
    let text = GOOD.replace("province = 35", "province = 0");
    let found = findings(&format!("{text}{bounds}{row}"));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code(), "bad-row");
}

#[test]
fn a_province_outside_the_nations_bounds_is_named_key_by_key() {
    let nation = nation();
    let province = |from: &str, to: &str| {
        assert!(GOOD.contains(from));
        within(
            &nation,
            &RuleSet::from_toml(&GOOD.replace(from, to)).unwrap(),
        )
    };
    assert_eq!(province("version = 1", "version = 2"), []);
    assert_eq!(
        province("medium = 0, high = 0", "medium = 169, high = 336"),
        [Outside::Lookback(Grade::Medium)]
    );
    assert_eq!(
        province("{ days = 11 }", "{ days = 12 }"),
        [Outside::TooLong(5), Outside::TooLong(37)]
    );
    assert_eq!(
        province("{ days = 15 }", "{ hours = 361 }"),
        [Outside::TooLong(12), Outside::TooLong(44)]
    );
    assert_eq!(
        province("first = \"yellow\", lapse", "first = \"red\", lapse"),
        [Outside::TooStrict(12), Outside::TooStrict(44)]
    );
    assert_eq!(
        province("\"close-contact\"", "\"secondary-contact\""),
        [Outside::TooLax(5), Outside::TooLax(37)]
    );
    let other = RuleSet::built_in("hz-2020-02").unwrap();
    assert_eq!(within(&other, &other), [Outside::NoBounds]);
}
