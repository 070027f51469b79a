//! Attempts on relief: ways out before their time, tests that do not count together, days that were not checked in, and
//! tests too old.

use rules::{Claim, Fact, FactKind, TestAge};

use super::accept::contact_at_midnight;
use super::{Attempt, DAY, GREEN, HOUR, Statement, as_it_stands, day, local, record, stay, with};
use crate::clearance::scene::unrelieved;
use crate::clearance::{Heading, Relief, Witness};

pub(super) fn attempts() -> Vec<Attempt> {
    let all = [ways(), tests(), three_tests(), days(), ages()];
    all.into_iter().flatten().collect()
}

fn under(name: &'static str, tries: &'static str, statement: Statement) -> Attempt {
    Attempt {
        heading: Heading::Clearing,
        name,
        tries,
        statement,
    }
}

/// One ground, in slot 0, said to be cleared.
fn cleared(ground: Fact, negatives: &[u32], runs: &[(u16, u16)], relief: Relief) -> Statement {
    let base = as_it_stands(record(&[ground], &[], negatives, runs), GREEN);
    with(base, |_, w| w.slots[0].relief = Some(relief))
}

fn negatives(positions: [u8; 3]) -> Relief {
    Relief {
        negatives: positions,
        ..Relief::default()
    }
}

fn ways() -> Vec<Attempt> {
    let contact = |days| local(FactKind::CloseContact, days * DAY);
    let second = Relief {
        alternative: 1,
        ..Relief::default()
    };
    let early = unrelieved(&contact_at_midnight(1)).expect("one ground");
    let high = as_it_stands(
        record(&[], &[stay(1, 9 * DAY, Some(7 * DAY - 1))], &[DAY], &[]),
        GREEN,
    );
    let form = |change: fn(&mut Relief)| {
        let mut relief = Relief::default();
        change(&mut relief);
        cleared(contact(12), &[5 * HOUR], &[], relief)
    };
    vec![
        under(
            "clearing-a-minute-before-its-day",
            "A contact of ten days ago cleared a minute before the midnight that begins its eleventh day.",
            with(early, |_, w| w.slots[0].relief = Some(Relief::default())),
        ),
        under(
            "clearing-a-minute-before-its-hour",
            "A stay in a place of high risk cleared a minute before 168 hours have passed.",
            with(high, |_, w| w.slots[0].relief = Some(Relief::default())),
        ),
        under(
            "clearing-by-a-way-that-is-not-there",
            "A contact cleared by a second way out, which its row does not have.",
            cleared(contact(12), &[5 * HOUR], &[], second),
        ),
        under(
            "clearing-of-what-has-no-way-out",
            "A confirmed case cleared, though its row has no way out.",
            cleared(
                local(FactKind::ConfirmedCase, 12 * DAY),
                &[5 * HOUR],
                &[],
                Relief::default(),
            ),
        ),
        under(
            "clearing-by-the-other-ways-tests",
            "A potential risk of five days ago cleared by one test, which only the way out of the seventh day admits.",
            cleared(local(FactKind::PotentialRisk, 5 * DAY), &[DAY], &[], second),
        ),
        under(
            "form-way-out-beyond-the-two",
            "A third of two ways out.",
            form(|relief| relief.alternative = 2),
        ),
        under(
            "form-negative-beyond-the-eight",
            "A ninth of eight tests.",
            form(|relief| relief.negatives[2] = 8),
        ),
        under(
            "form-run-beyond-the-four",
            "A fifth of four runs.",
            form(|relief| relief.run = 4),
        ),
    ]
}

/// A potential risk of five days ago, which two negatives clear: 24 hours apart, within 72, none before the anchor.
fn two(tests: &[u32], positions: [u8; 3]) -> Statement {
    cleared(
        local(FactKind::PotentialRisk, 5 * DAY),
        tests,
        &[],
        negatives(positions),
    )
}

fn tests() -> Vec<Attempt> {
    let contact = local(FactKind::CloseContact, 12 * DAY);
    vec![
        under(
            "clearing-one-negative-counted-twice",
            "One negative named as the first and as the second test.",
            two(&[DAY], [0, 0, 0]),
        ),
        under(
            "clearing-tests-a-minute-too-close",
            "Two negatives a minute less than 24 hours apart.",
            two(&[3 * DAY, 2 * DAY + 1], [0, 1, 0]),
        ),
        under(
            "clearing-tests-a-minute-too-far-apart",
            "Two negatives a minute more than 72 hours apart.",
            two(&[4 * DAY + 1, DAY], [0, 1, 0]),
        ),
        under(
            "clearing-tests-out-of-order",
            "The later negative named first, so that their distance is negative.",
            two(&[3 * DAY, 2 * DAY], [1, 0, 0]),
        ),
        under(
            "clearing-test-a-minute-before-the-anchor",
            "Two negatives of which the first was sampled a minute before the anchor.",
            two(&[5 * DAY + 1, 3 * DAY], [0, 1, 0]),
        ),
        under(
            "clearing-by-an-empty-position",
            "A position without a test named as the first.",
            two(&[3 * DAY, DAY], [7, 1, 0]),
        ),
        under(
            "clearing-by-an-empty-position-second",
            "A position without a test named as the second.",
            two(&[3 * DAY, DAY], [0, 7, 0]),
        ),
        under(
            "clearing-test-before-the-contact",
            "A contact cleared by a negative that was sampled before it.",
            cleared(contact, &[13 * DAY], &[], Relief::default()),
        ),
        under(
            "clearing-without-a-test",
            "A contact cleared on its twelfth day without any test.",
            cleared(contact, &[], &[], Relief::default()),
        ),
    ]
}

/// A stay in a place of medium risk, which three negatives clear: each 24 hours after the one before, within 72.
fn three(tests: &[u32], positions: [u8; 3]) -> Statement {
    let made = record(&[], &[stay(2, 8 * DAY, Some(6 * DAY))], tests, &[]);
    with(as_it_stands(made, GREEN), |_, w| {
        w.slots[0].relief = Some(negatives(positions));
    })
}

fn three_tests() -> Vec<Attempt> {
    vec![
        under(
            "clearing-third-test-too-close",
            "Three negatives of which the third is a minute too close to the second.",
            three(&[4 * DAY, 3 * DAY, 2 * DAY + 1], [0, 1, 2]),
        ),
        under(
            "clearing-third-test-too-late",
            "Three negatives of which the third is a minute beyond the span from the first.",
            three(&[4 * DAY + 1, 3 * DAY, DAY], [0, 1, 2]),
        ),
        under(
            "clearing-second-test-counted-as-the-third",
            "Two negatives where three are needed, the second named twice.",
            three(&[4 * DAY, 3 * DAY], [0, 1, 1]),
        ),
        under(
            "clearing-tests-that-take-turns",
            "Two negatives where three are needed, the first named again as the third.",
            three(&[4 * DAY, 3 * DAY], [0, 1, 0]),
        ),
    ]
}

/// Symptoms nine days ago, which seven days of check-in in one run clear, all after the anchor's day.
fn checked_in(runs: &[(u16, u16)], run: u8, first_day: u16) -> Statement {
    let relief = Relief {
        run,
        first_day: day(first_day).get(),
        ..Relief::default()
    };
    cleared(local(FactKind::Symptoms, 9 * DAY), &[], runs, relief)
}

fn days() -> Vec<Attempt> {
    vec![
        under(
            "clearing-days-beyond-the-runs-end",
            "Seven days of which the last is the day after the run.",
            checked_in(&[(8, 2)], 0, 7),
        ),
        under(
            "clearing-days-before-the-runs-begin",
            "Seven days of which the first is the day before the run.",
            checked_in(&[(7, 0)], 0, 8),
        ),
        under(
            "clearing-days-from-the-anchors-own",
            "Seven days of which the first is the day of the symptoms.",
            checked_in(&[(9, 3)], 0, 9),
        ),
        under(
            "clearing-six-days-of-seven",
            "A run of six days where seven are needed.",
            checked_in(&[(8, 3)], 0, 8),
        ),
        under(
            "clearing-days-of-a-run-before-the-anchor",
            "Seven days of a run that was over before the symptoms.",
            checked_in(&[(20, 12), (6, 1)], 0, 19),
        ),
        under(
            "clearing-days-of-a-run-that-is-not-there",
            "Seven days of an empty position.",
            checked_in(&[(8, 3)], 3, 8),
        ),
        under(
            "clearing-days-of-two-runs",
            "Seven days across a gap of one day between two runs.",
            checked_in(&[(8, 5), (3, 1)], 0, 8),
        ),
        under(
            "clearing-days-of-the-far-future",
            "The greatest day that a number of 16 bits can name, so that the run's end wraps.",
            with(checked_in(&[(8, 1)], 0, 8), |_, w| {
                w.slots[0].relief = w.slots[0].relief.map(|relief| Relief {
                    first_day: u16::MAX,
                    ..relief
                });
            }),
        ),
    ]
}

/// Tests, of which the one at a position is said to be young enough.
fn aged(tests: &[u32], position: u8, test_age: TestAge) -> Statement {
    let claim = Claim { test_age, ..GREEN };
    with(
        as_it_stands(record(&[], &[], tests, &[]), claim),
        |_, w: &mut Witness| {
            w.fresh_negative = position;
        },
    )
}

fn ages() -> Vec<Attempt> {
    let under = |name, tries, statement| Attempt {
        heading: Heading::TestAge,
        name,
        tries,
        statement,
    };
    let [day_old, two, three] = [TestAge::Hours24, TestAge::Hours48, TestAge::Hours72];
    vec![
        under(
            "test-a-minute-older-than-24-hours",
            "A negative of 24 hours and a minute said to be of 24 hours.",
            aged(&[DAY + 1], 0, day_old),
        ),
        under(
            "test-a-minute-older-than-48-hours",
            "A negative of 48 hours and a minute said to be of 48 hours.",
            aged(&[2 * DAY + 1], 0, two),
        ),
        under(
            "test-a-minute-older-than-72-hours",
            "A negative of 72 hours and a minute said to be of 72 hours.",
            aged(&[3 * DAY + 1], 0, three),
        ),
        under(
            "test-the-older-of-two",
            "A young negative is there, and an old one is named.",
            aged(&[3 * DAY, 5 * HOUR], 0, day_old),
        ),
        under(
            "test-of-an-empty-position",
            "A position without a test named where one of 72 hours is asked for.",
            aged(&[5 * HOUR], 7, three),
        ),
        under(
            "test-that-is-not-there",
            "No test at all, and one of 24 hours claimed.",
            aged(&[], 0, day_old),
        ),
        under(
            "form-test-beyond-the-eight",
            "A ninth of eight tests.",
            aged(&[5 * HOUR], 8, day_old),
        ),
    ]
}
