//! What just passes, and what just does not.

use super::*;

/// GOOD with these stays in place of its own: worst grade, grade at the end, whether it goes on, whether a way out.
fn stays(rows: &[(&str, &str, bool, bool)]) -> Vec<Finding> {
    let whole = format!(r#"{{ on = [{HIGH}], first = "red" }}"#);
    let cases: Vec<String> = rows
        .iter()
        .map(|(worst, at_end, present, exit)| {
            let on =
                format!(r#"{{ worst = ["{worst}"], at_end = ["{at_end}"], present = {present} }}"#);
            let clear = "clear = [{ after = { days = 8 } }]";
            let clear = if *exit {
                format!(", {clear}")
            } else {
                String::new()
            };
            format!(r#"{{ on = [{on}], first = "red"{clear} }}"#)
        })
        .collect();
    damaged(&whole, &cases.join(", "))
}

fn no_exit(codes: &[u8]) -> Vec<Finding> {
    codes.iter().copied().map(Finding::NoExit).collect()
}

#[test]
fn a_stay_ends_by_release_by_leaving_or_by_its_row_where_time_passes() {
    let high = |released, left, left_released| {
        stays(&[
            ("high", "high", true, false),
            ("high", "none", true, released),
            ("high", "high", false, left),
            ("high", "none", false, left_released),
        ])
    };
    // Left, still listed: 67 and 79; present, released and listed: 83 and 95.
    assert_eq!(high(false, false, false), no_exit(&[67, 79, 83, 95]));
    assert_eq!(high(false, false, true), no_exit(&[79, 95]));
    assert_eq!(high(true, false, false), no_exit(&[67, 79]));
    assert_eq!(high(false, true, false), no_exit(&[67, 83]));
    assert_eq!(high(true, true, true), []);
    // While the area is listed at the grade that counts, the row's own way out does not come nearer.
    for (worst, at_end, codes) in [
        ("low", "low", &[65, 69, 81, 85][..]),
        ("medium", "medium", &[66, 74, 82, 90]),
        ("high", "medium", &[67, 75, 83, 91]),
        ("medium", "low", &[66, 70, 82]),
        ("high", "low", &[67, 71, 83]),
    ] {
        let found = stays(&[
            (worst, at_end, true, true),
            (worst, "none", true, false),
            (worst, at_end, false, false),
            (worst, "none", false, false),
        ]);
        assert_eq!(found, no_exit(codes), "{worst} {at_end}");
    }
    assert_eq!(stays(&[("medium", "low", true, true)]), []);
}

#[test]
fn a_ground_that_goes_on_may_leave_its_exit_to_the_row_of_the_ended_one() {
    let on = |ended, local| {
        format!(r#"{{ fact = ["confirmed-case"], ended = {ended}, local = {local} }}"#)
    };
    let both = format!("{}, {}", on(false, false), on(false, true));
    let red = |on: &str| format!(r#"{{ on = [{on}], first = "red" }}"#);
    let with = |more: &str| damaged(ASSIST, &red(&format!("{both}, {more}")));
    assert_eq!(with(&on(true, true)), no_exit(&[33, 49]));
    assert_eq!(with(&on(true, false)), no_exit(&[1, 17]));
    // The ended one clears, and with it the one that goes on.
    let clears = on(true, true);
    let clears =
        format!(r#"{{ on = [{clears}], first = "red", clear = [{{ after = {{ days = 8 }} }}] }}"#);
    assert_eq!(damaged(ASSIST, &format!("{}, {clears}", red(&both))), []);
    // A discretionary ground lapses whether it goes on or not.
    let listed = r#"{ on = [{ fact = ["assist-list"], ended = true, local = false }], first = "yellow", clear = [{ after = { days = 8 } }] }"#;
    assert_eq!(damaged(ASSIST, listed), [Finding::NoLapse(12 + 16)]);
}

#[test]
fn each_head_is_checked_and_texts_may_be_as_long_as_the_limit() {
    for (from, to, what) in [
        ("zh = \"题\"", "zh = \"\"", "title"),
        ("zh = \"机关\"", "zh = \" \"", "authority"),
        ("source = \"nowhere\"", "source = \"\"", "source"),
        ("zh = \"其他不变色\"", "zh = \"\"", "otherwise"),
        ("source = \"3\"", "source = \" \"", "rule C"),
        ("zh = \"区域\"", "zh = \" \"", "rule C"),
    ] {
        assert_eq!(damaged(from, to), [Finding::BadText(what.to_owned())]);
    }
    let longest = format!("en = \"{}\"", "x".repeat(2_000));
    assert_eq!(damaged("en = \"area\"", &longest), []);
    assert_eq!(damaged("id = \"B\"", "id = \"Bcdefgh8\""), []);
    for bad in ["", "Bcdefghi9", "B-1"] {
        let bad = format!("id = \"{bad}\"");
        assert_eq!(damaged("id = \"B\"", &bad), [Finding::BadRules]);
    }
    assert_eq!(damaged("version = 1", "version = 7"), []);
}

#[test]
fn a_set_is_announced_before_it_begins_and_begins_before_it_ends() {
    let dates = |announced: &str, until: &str, emergency: bool| {
        findings(
            &GOOD
                .replace("\"2022-08-18\"", announced)
                .replace("\"2022-12-31\"", until)
                .replace("emergency = false", &format!("emergency = {emergency}")),
        )
    };
    let end = "\"2022-12-31\"";
    assert_eq!(dates("\"2022-08-17\"", end, false), []);
    assert_eq!(dates("\"2022-08-19\"", end, false), [Finding::ShortNotice]);
    assert_eq!(dates("\"2022-08-19\"", end, true), []);
    assert_eq!(dates("\"2022-08-21\"", end, true), [Finding::BadDates]);
    assert_eq!(
        dates("\"2022-08-21\"", end, false),
        [Finding::BadDates, Finding::ShortNotice]
    );
    let announced = "\"2022-08-18\"";
    assert_eq!(dates(announced, "\"2022-08-21\"", false), []);
    assert_eq!(
        dates(announced, "\"2022-08-19\"", false),
        [Finding::BadDates]
    );
}

#[test]
fn a_set_has_at_most_sixty_four_rules() {
    let mut rules = String::new();
    let mut count = 3;
    let mut add = |on: String| {
        count += 1;
        let head =
            format!("[[rule]]\nid = \"X{count}\"\nzh = \"一\"\nen = \"x\"\nsource = \"x\"\n");
        rules.push_str(&head);
        let case = format!("case = [{{ on = [{on}], first = \"red\", lapse = {{ days = 1 }} }}]\n");
        rules.push_str(&case);
        (count, rules.clone())
    };
    let mut sets = Vec::new();
    for kind in [
        "entry",
        "fever-clinic",
        "pooled-tube",
        "symptoms",
        "confirmed-case",
    ]
    .into_iter()
    .chain([
        "suspected-case",
        "possible-link",
        "potential-risk",
        "cold-chain-once",
    ])
    .chain([
        "cold-chain-frequent",
        "screened-positive",
        "secondary-contact",
    ])
    .chain(["asymptomatic-case"])
    {
        for (ended, local) in [(false, false), (false, true), (true, false), (true, true)] {
            sets.push(add(format!(
                "{{ fact = [\"{kind}\"], ended = {ended}, local = {local} }}"
            )));
        }
    }
    for (worst, at_end) in [
        ("low", "none"),
        ("low", "low"),
        ("medium", "none"),
        ("medium", "low"),
    ]
    .into_iter()
    .chain([("medium", "medium"), ("high", "none")])
    {
        for present in [false, true] {
            sets.push(add(format!(
                "{{ worst = [\"{worst}\"], at_end = [\"{at_end}\"], present = {present} }}"
            )));
        }
    }
    for (count, rules) in sets {
        let found = findings(&format!("{GOOD}{rules}"));
        match count {
            ..=64 => assert_eq!(found, [], "{count}"),
            _ => assert_eq!(found, [Finding::BadRules], "{count}"),
        }
    }
}

#[test]
fn a_row_at_the_edge_of_its_conditions_is_sound() {
    let falling = "first = \"red\", switch = { days = 8 }, then = \"yellow\"";
    // It lapses an hour after its second phase began.
    let row = format!("{falling}, lapse = {{ hours = 193 }}");
    assert_eq!(damaged(falling, &row), []);
    for way in [
        "{ after = { hours = 0 }, check_in_days = 1 }",
        "{ after = { hours = 1 } }",
        "{ after = { hours = 0 }, negatives = 1, neg_from_hours = 0 }",
        "{ after = { hours = 0 }, negatives = 2, gap_hours = 24, span_hours = 24, neg_from_hours = 0 }",
        "{ after = { hours = 0 }, negatives = 3, gap_hours = 24, span_hours = 48, neg_from_hours = 0 }",
    ] {
        assert_eq!(damaged(CLEAR, way), [], "{way}");
    }
}

#[test]
fn every_finding_has_its_own_code() {
    let rule = || "A".to_owned();
    let all = [
        Finding::BadId,
        Finding::BadVersion,
        Finding::BadDates,
        Finding::ShortNotice,
        Finding::BadText(rule()),
        Finding::BadRules,
        Finding::BadPattern(rule()),
        Finding::LocalToNation(rule()),
        Finding::Overlap {
            key: 1,
            rule: rule(),
        },
        Finding::Uncovered(1),
        Finding::BadRow {
            rule: rule(),
            what: rule(),
        },
        Finding::BadTable(rule()),
        Finding::NeverColours(rule()),
        Finding::CannotClear(rule()),
        Finding::NoExit(1),
        Finding::NoLapse(1),
        Finding::UnlistedColours(1),
        Finding::ImpossibleColours(1),
        Finding::Rises(rule()),
        Finding::BoundsOfProvince,
    ];
    let codes: std::collections::BTreeSet<&str> = all.iter().map(Finding::code).collect();
    assert_eq!(codes.len(), all.len());
    let formed = |code: &&str| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    assert!(codes.iter().all(formed));
}

#[test]
fn what_just_touches_a_bound_of_the_nation_is_within_it() {
    let nation = nation();
    let touching = GOOD
        .replace("{ days = 15 }", "{ hours = 360 }")
        .replace("medium = 0, high = 0", "medium = 168, high = 336");
    assert_eq!(within(&nation, &RuleSet::from_toml(&touching).unwrap()), []);
    let yellow = GOOD.replace(
        "first = \"red\", switch = { days = 8 }, then = \"yellow\"",
        "first = \"yellow\"",
    );
    assert_eq!(within(&nation, &RuleSet::from_toml(&yellow).unwrap()), []);
    let bounds = "\n[bounds]\nlookback_hours = { low = 0, medium = 0, high = 0 }\n[[bounds.row]]\non = [{ worst = [\"high\"] }]\n";
    let row = "at_most = \"yellow\"\nat_least = \"yellow\"\n";
    let text = GOOD.replace("province = 35", "province = 0");
    assert_eq!(findings(&format!("{text}{bounds}{row}")), []);
    let nothing = bounds.replace("{ worst = [\"high\"] }", "{ }");
    let found = findings(&format!("{text}{nothing}{row}"));
    assert_eq!(found, [Finding::BadPattern("bounds".to_owned())]);
}

#[test]
fn a_refused_file_is_told_everything_that_is_wrong_with_it() {
    let text = GOOD
        .replace("\"test-set\"", "\"ab\"")
        .replace("version = 1", "version = 0");
    let error = RuleSet::from_toml(&text).unwrap_err().to_string();
    assert_eq!(
        error,
        "refused by the linter: the id has 3 to 32 of a-z, 0-9 and -; versions begin at 1"
    );
    let set = RuleSet::from_toml(&GOOD.replace("version = 1", "version = 7")).unwrap();
    assert_eq!((set.version(), set.rules().len()), (7, 3));
    let named: Vec<&str> = set.rules().iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(named, ["A", "B", "C"]);
    assert_eq!(set.rules()[1].text.en, "list");
    assert_eq!((set.source(), set.title().zh.as_str()), ("nowhere", "题"));
    assert_eq!(set.authority().en, "authority");
    assert_eq!(set.otherwise().unwrap().en, "nothing else colours");
}

#[test]
fn no_two_sets_that_differ_in_a_part_have_one_digest() {
    let bounds = "
[bounds]
lookback_hours = { low = 1, medium = 2, high = 3 }
[[bounds.row]]
on = [{ fact = [\"entry\"] }]
at_most = \"red\"
at_least = \"yellow\"
longest = { days = 11 }
";
    let nation = format!("{}{bounds}", GOOD.replace("province = 35", "province = 0"));
    let mut digests = std::collections::BTreeSet::new();
    let mut count = 0;
    let mut add = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        let text = text.replacen(from, to, 1);
        digests.insert(RuleSet::from_toml(&text).unwrap().digest_sha256());
        count += 1;
    };
    for (from, to) in [
        ("version = 1", "version = 1"),
        ("emergency = false", "emergency = true"),
        ("\"2022-08-18\"", "\"2022-08-17\""),
        ("\"2022-08-20\"", "\"2022-08-21\""),
        ("\"nowhere\"", "\"somewhere\""),
        ("\"机关\"", "\"机构\""),
        ("low = 0", "low = 1"),
        ("high = 0", "high = 1"),
        ("source = \"2\"", "source = \"4\""),
        ("{ days = 8 }", "{ days = 9 }"),
        ("{ days = 8 }", "{ hours = 8 }"),
        ("{ days = 11 }", "{ days = 12 }"),
        (
            "negatives = 1",
            "negatives = 2, gap_hours = 24, span_hours = 48",
        ),
        (
            "negatives = 1",
            "negatives = 2, gap_hours = 23, span_hours = 48",
        ),
        (
            "negatives = 1",
            "negatives = 2, gap_hours = 24, span_hours = 47",
        ),
        ("neg_from_hours = 0", "neg_from_hours = 1"),
        (
            "neg_from_hours = 0",
            "neg_from_hours = 0, check_in_days = 1",
        ),
        ("first = \"yellow\", lapse", "first = \"red\", lapse"),
        ("{ days = 15 }", "{ days = 14 }"),
    ] {
        add(GOOD, from, to);
    }
    for (from, to) in [
        ("version = 1", "version = 1"),
        ("at_most = \"red\"", "at_most = \"yellow\""),
        ("at_least = \"yellow\"", "at_least = \"green\""),
        ("longest = { days = 11 }", "longest = { days = 12 }"),
        ("longest = { days = 11 }", "longest = { hours = 11 }"),
        ("longest = { days = 11 }", ""),
        ("[\"entry\"]", "[\"symptoms\"]"),
        ("low = 1, medium = 2", "low = 0, medium = 2"),
        ("high = 3 }", "high = 4 }"),
    ] {
        add(&nation, from, to);
    }
    assert_eq!(digests.len(), count);
}
