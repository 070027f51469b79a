//! A rule set's life: announced, in an emergency, superseded, withdrawn.

use membership::{Change, MembershipError, changes};
use rules::RuleSet;
use verifier::UnixTime;
use verifier::trust::RootDocument;

use crate::{Desk, NOW, key, later, plan_text};

/// A rule set made from a published one: another name and table, this first day, perhaps an emergency.
fn announced(from: &str, emergency: bool) -> String {
    let mut text = include_str!("../../../rules/rule_sets/fj-2022-08.toml").to_owned();
    for (from, to) in [
        ("\"fj-2022-08\"", "\"fj-2026-12\""),
        ("announced = \"2022-08-20\"", "announced = \"2026-11-27\""),
        (
            "valid_from = \"2022-08-20\"",
            &format!("valid_from = \"{from}\""),
        ),
        (
            "valid_until = \"2023-01-08\"",
            "valid_until = \"2027-06-01\"",
        ),
        ("emergency = true", &format!("emergency = {emergency}")),
        (
            "clear = [{ after = { days = 11 }",
            "clear = [{ after = { days = 12 }",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    RuleSet::from_toml(&text).unwrap();
    text
}

#[test]
fn a_rule_set_is_announced_two_days_ahead_unless_in_an_emergency() {
    let desk = Desk::founded();
    let plan = plan_text(2).replace("\"fj-2022-08\"", "\"fj-2022-08\", \"new.toml\"");
    desk.plan(&plan);
    desk.write("new.toml", &announced("2026-11-29", false));
    assert!(matches!(
        desk.propose(NOW),
        Err(MembershipError::RuleSet { id, .. }) if id == "fj-2026-12"
    ));
    desk.write("new.toml", &announced("2026-11-29", true));
    desk.propose(NOW).unwrap();
    desk.write("new.toml", &announced("2026-11-30", false));
    let changed = desk.agree(NOW, &[key(1), key(2)]);
    assert!(
        matches!(&changed[0], Change::RuleSet { name, is_known: false, .. }
        if name == "fj-2026-12")
    );
    // Not yet in force it may be withdrawn; in force it may not be left out.
    desk.plan(&plan_text(2));
    let changed = changes(
        Some(&desk.root()),
        desk.propose(later(3_600)).unwrap().document(),
    );
    assert!(matches!(&changed[0], Change::RuleSetGone { name } if name == "fj-2026-12"));
    assert!(matches!(
        desk.propose(later(4 * 86_400)),
        Err(MembershipError::RuleSet { .. })
    ));
    // Nor in the grace time that the document in force gives, whatever the plan says now: it ends on 1 June 2027.
    let end = later((185 * 24 + 16) * 3_600);
    desk.plan(&plan_text(2).replace("grace_min = 1440", "grace_min = 0"));
    assert!(matches!(
        desk.propose(UnixTime::from_s(end.get_s() + 1_439 * 60)),
        Err(MembershipError::RuleSet { .. })
    ));
    desk.propose(UnixTime::from_s(end.get_s() + 1_440 * 60))
        .unwrap();
}

/// A rule set of Fujian's, with this version and days, and so many days until a close contact is free.
fn of_fujian(version: u32, from: &str, until: &str, days: u32) -> String {
    let mut text = announced("2026-11-30", false);
    for (from, to) in [
        ("version = 1", format!("version = {version}")),
        (
            "valid_from = \"2026-11-30\"",
            format!("valid_from = \"{from}\""),
        ),
        (
            "valid_until = \"2027-06-01\"",
            format!("valid_until = \"{until}\""),
        ),
        ("{ days = 12 }", format!("{{ days = {days} }}")),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, &to, 1);
    }
    RuleSet::from_toml(&text).unwrap();
    text
}

/// A federation in which Fujian has the first version of a set of its own from 30 November 2026 on; gives a moment in its force.
fn with_fujian() -> (Desk, UnixTime) {
    let desk = Desk::founded();
    desk.plan(&fujian_plan("\"1.toml\""));
    desk.write("1.toml", &of_fujian(1, "2026-11-30", "2027-06-01", 12));
    desk.agree(NOW, &[key(1), key(2)]);
    (desk, later(10 * 86_400))
}

fn fujian_plan(files: &str) -> String {
    plan_text(2).replace("\"fj-2022-08\"", files)
}

fn refusal(desk: &Desk, now: UnixTime) -> String {
    match desk.propose(now) {
        Err(MembershipError::RuleSet { id, what }) => format!("{id}: {what}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rule_set_is_superseded_by_an_end_and_a_successor_that_meet_two_days_ahead() {
    let (desk, now) = with_fujian();
    // The successor alone would be in force together with it.
    desk.plan(&fujian_plan("\"1.toml\", \"3.toml\""));
    desk.write("3.toml", &of_fujian(3, "2026-12-20", "2027-06-01", 13));
    assert!(refusal(&desk, now).contains("in force together"));
    // With an end that is announced too late, or in words that were said before, it is not either.
    desk.plan(&fujian_plan("\"2.toml\", \"3.toml\""));
    desk.write("3.toml", &of_fujian(3, "2026-12-08", "2027-06-01", 13));
    desk.write("2.toml", &of_fujian(2, "2026-11-30", "2026-12-08", 12));
    assert!(refusal(&desk, now).contains("out of force from"));
    desk.write("3.toml", &of_fujian(3, "2026-12-20", "2027-06-01", 13));
    desk.write("2.toml", &of_fujian(1, "2026-11-30", "2026-12-20", 12));
    assert!(refusal(&desk, now).contains("versions rise"));
    // Nor does one in force go by being put off.
    desk.write("2.toml", &of_fujian(2, "2026-12-15", "2026-12-20", 12));
    assert!(refusal(&desk, now).contains("may not be left out"));
    desk.write("2.toml", &of_fujian(2, "2026-11-30", "2026-12-20", 12));
    let changed = desk.agree(now, &[key(1), key(2)]);
    let told: Vec<(u32, bool)> = changed
        .iter()
        .filter_map(|change| match change {
            Change::RuleSet {
                version, is_known, ..
            } => Some((*version, *is_known)),
            _ => None,
        })
        .collect();
    assert!(
        told.contains(&(2, true)) && told.contains(&(3, false)),
        "{told:?}"
    );
    // Its grace time over, the first may go; before, it may not.
    desk.plan(&fujian_plan("\"3.toml\""));
    let end = later((23 * 24 + 16) * 3_600 - 4 * 3_600);
    assert!(refusal(&desk, UnixTime::from_s(end.get_s())).contains("grace time"));
    desk.propose(UnixTime::from_s(end.get_s() + 2 * 86_400))
        .unwrap();
}

#[test]
fn versions_of_a_rule_set_rise_and_what_was_said_under_one_is_not_changed() {
    let (desk, now) = with_fujian();
    // Another table under the version that is in force, and a version below it.
    for version in [1, 2] {
        desk.plan(&fujian_plan("\"1.toml\", \"next.toml\""));
        let next = of_fujian(version, "2027-06-01", "2027-12-01", 14);
        desk.write("next.toml", &next);
        if version == 1 {
            assert!(refusal(&desk, now).contains("version 1 stands twice"));
        } else {
            desk.agree(now, &[key(1), key(2)]);
        }
    }
    let entry = desk.root().rule_sets.into_iter().find(|e| e.version == 2);
    assert!(entry.is_some_and(|e| e.name == "fj-2026-12" && !e.is_emergency));
    // Withdrawn before it is in force; another under its version is refused while the document in force has it.
    desk.write("next.toml", &of_fujian(2, "2027-06-01", "2027-12-01", 15));
    assert!(refusal(&desk, now).contains("versions rise"));
    desk.write("next.toml", &of_fujian(3, "2027-06-01", "2027-12-01", 15));
    let changed = desk.agree(now, &[key(1), key(2)]);
    let is_gone = |c: &Change| matches!(c, Change::RuleSetGone { name } if name == "fj-2026-12");
    assert!(changed.iter().any(is_gone));
}

#[test]
fn an_emergency_stands_in_the_trust_list_and_in_what_the_holders_read() {
    let desk = Desk::founded();
    desk.plan(&plan_text(2).replace("\"fj-2022-08\"", "\"fj-2022-08\", \"new.toml\""));
    desk.write("new.toml", &announced("2026-11-28", true));
    let changed = desk.agree(NOW, &[key(1), key(2)]);
    let shown: Vec<String> = changed.iter().map(ToString::to_string).collect();
    assert!(shown[0].contains("EMERGENCY"), "{shown:?}");
    let root = desk.root();
    let entry = root.rule_sets.iter().find(|e| e.name == "fj-2026-12");
    assert!(entry.is_some_and(|entry| entry.is_emergency));
    let read = RootDocument::from_bytes(&root.to_bytes().unwrap()).unwrap();
    assert_eq!(read, root);
}
