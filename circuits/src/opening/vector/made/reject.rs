//! Answers that are not so, and witnesses of other records, trees and people.

use commitment::Fr;
use commitment::opening::{Answer, Said, Sought};
use commitment::record::EntryBits;
use rules::FactKind;

use super::{Attempt, DAY, Statement, with};
use crate::clearance::scene::{ago, fact, place};
use crate::opening::scene::{Scene, a_fact, a_stay, a_test, ended, full_record, somebody_else};
use crate::opening::{Heading, Witness};

pub(super) fn attempts() -> Vec<Attempt> {
    let all = [
        state(),
        record(),
        subject(),
        entry(),
        times_of_entries(),
        absence(),
        form(),
    ];
    all.into_iter().flatten().collect()
}

/// Attempts under one heading.
fn under(heading: Heading, attempts: Vec<(&'static str, &'static str, Statement)>) -> Vec<Attempt> {
    let attempt = |(name, tries, statement)| Attempt {
        heading,
        name,
        tries,
        statement,
    };
    attempts.into_iter().map(attempt).collect()
}

fn positive() -> Sought {
    a_fact(FactKind::ScreenedPositive, 33, 3 * DAY)
}

/// The positive stands.
fn honest() -> Statement {
    Scene::new().answered(positive()).expect("it stands")
}

/// Something said by what stands at a position of the scenes' record.
fn said(sought: Sought, answer: Answer, position: u8) -> Statement {
    Scene::new().said(sought, answer, position)
}

fn state() -> Vec<Attempt> {
    let clean = || {
        let mut facts = Scene::new().record.facts().to_vec();
        facts.retain(|fact| fact.kind != FactKind::ScreenedPositive);
        let record = rules::Record::new(vec![], facts, vec![], vec![]);
        Scene::of(record.expect("smaller"))
            .answered(positive())
            .expect("absent")
    };
    under(
        Heading::StateMembership,
        vec![
            (
                "state-another-position",
                "The leaf said to stand at its neighbour's position.",
                with(honest(), |_, w| w.state_path.index ^= 1),
            ),
            (
                "state-another-root",
                "A way to another state root than the public one.",
                with(honest(), |public, _| public.state_root += Fr::from(1u64)),
            ),
            (
                "state-sibling-changed",
                "A sibling on the way changed.",
                with(honest(), |_, w| w.state_path.levels[4][6] += Fr::from(1u64)),
            ),
            (
                "state-leaf-not-in-the-tree",
                "A second record, in which the positive is absent, is opened whole; its leaf stands in no tree.",
                with(clean(), |public, w| {
                    let (committed, way) = honest();
                    public.state_root = committed.state_root;
                    w.state_path = way.state_path;
                }),
            ),
        ],
    )
}

fn record() -> Vec<Attempt> {
    let changed = |change: fn(&mut Witness)| with(honest(), |_, w| change(w));
    let absent = || {
        with(honest(), |public, _| {
            public.said = Said::new(positive(), Answer::Absent).expect("a fact");
        })
    };
    under(
        Heading::RecordOpening,
        vec![
            (
                "record-entry-left-out",
                "The positive is left out of the record opened, and said to be absent.",
                with(absent(), |_, w| w.record.facts[4] = EntryBits::default()),
            ),
            (
                "record-entry-dated-back",
                "The positive is opened as one of a day before, and said to be absent.",
                with(absent(), |_, w| w.record.facts[4].begin -= DAY),
            ),
            (
                "record-entry-turned-into-a-stay",
                "A contact in a wide position is opened as a stay, and said to be absent.",
                {
                    let facts = vec![fact(FactKind::CloseContact, 33, 4 * DAY); 13];
                    let record = rules::Record::new(vec![], facts, vec![], vec![]).expect("fits");
                    let contact = a_fact(FactKind::CloseContact, 33, 4 * DAY);
                    let statement = Scene::of(record).said(contact, Answer::Absent, 0);
                    with(statement, |_, w| {
                        w.record.entries[0].is_stay = true;
                        w.record.facts = [EntryBits::default(); 12];
                    })
                },
            ),
            (
                "record-entry-added",
                "A secondary contact that is not committed is put into an empty position and opened.",
                {
                    let contact = fact(FactKind::SecondaryContact, 33, 3 * DAY);
                    let sought = a_fact(FactKind::SecondaryContact, 33, 3 * DAY);
                    with(said(sought, Answer::Stands, 20), |_, w| {
                        w.record.facts[8] = EntryBits::from(&contact);
                    })
                },
            ),
            (
                "record-end-taken-away",
                "A case that was discharged is opened as one that goes on.",
                with(
                    said(
                        a_fact(FactKind::ConfirmedCase, 33, 20 * DAY),
                        Answer::Stands,
                        13,
                    ),
                    |_, w| w.record.facts[1].ended = false,
                ),
            ),
            (
                "record-end-added",
                "A positive is opened as one that was excluded.",
                with(said(positive(), Answer::Ended, 16), |_, w| {
                    let excluded = ended(fact(FactKind::ScreenedPositive, 33, 3 * DAY), DAY);
                    w.record.facts[4] = EntryBits::from(&excluded);
                }),
            ),
            (
                "record-test-added",
                "A negative test that is not committed.",
                with(said(a_test(DAY), Answer::Stands, 28), |_, w| {
                    w.record.negatives[4] = ago(DAY).get();
                }),
            ),
            (
                "record-runs-changed",
                "Nothing here reads check-in runs, and yet they are part of the record.",
                changed(|w| w.record.runs[0].1 += 1),
            ),
            (
                "record-another-blinding",
                "Another blinding.",
                changed(|w| w.blinding.0 += Fr::from(1u64)),
            ),
            (
                "record-another-leaf",
                "The public leaf is another one, which stands in its tree.",
                {
                    let (other, way) = Scene::of(full_record())
                        .answered(a_test(0))
                        .expect("it stands");
                    with(honest(), |public, w| {
                        (public.leaf, public.state_root) = (other.leaf, other.state_root);
                        w.state_path = way.state_path;
                    })
                },
            ),
        ],
    )
}

fn subject() -> Vec<Attempt> {
    under(
        Heading::Subject,
        vec![
            (
                "subject-of-another-record",
                "The record of somebody else is opened for the subject.",
                with(honest(), |public, _| public.subject = somebody_else()),
            ),
            (
                "subject-another-salt",
                "Another salt.",
                with(honest(), |_, w| w.salt += Fr::from(1u64)),
            ),
        ],
    )
}

fn entry() -> Vec<Attempt> {
    let contact = a_fact(FactKind::CloseContact, 33, 4 * DAY);
    under(
        Heading::Entry,
        vec![
            (
                "entry-at-another-position",
                "The position of another entry.",
                said(positive(), Answer::Stands, 15),
            ),
            (
                "entry-of-another-kind",
                "A contact of the same minute as the one sought, of another kind.",
                {
                    let sought = a_fact(FactKind::SecondaryContact, 33, 4 * DAY);
                    said(sought, Answer::Stands, 12)
                },
            ),
            (
                "entry-of-another-province",
                "The same contact, of another province.",
                said(
                    a_fact(FactKind::CloseContact, 35, 4 * DAY),
                    Answer::Stands,
                    12,
                ),
            ),
            (
                "entry-that-is-empty",
                "An empty position for a contact.",
                said(contact, Answer::Stands, 23),
            ),
            (
                "entry-covered-by-an-empty-one",
                "An empty position for an older contact.",
                said(contact, Answer::Covered, 11),
            ),
            (
                "entry-stay-of-another-place",
                "A stay of the same begin in another site.",
                said(a_stay(place(4), 6 * DAY), Answer::Stands, 2),
            ),
            (
                "entry-test-for-a-fact",
                "A negative test of the minute in which the fact began.",
                said(
                    a_fact(FactKind::PooledTube, 33, 7 * DAY),
                    Answer::Stands,
                    25,
                ),
            ),
            (
                "entry-fact-for-a-test",
                "A contact of the minute in which the test was sampled.",
                said(a_test(4 * DAY), Answer::Stands, 12),
            ),
            (
                "entry-test-that-is-empty",
                "An empty test position.",
                said(a_test(DAY), Answer::Stands, 31),
            ),
        ],
    )
}

fn times_of_entries() -> Vec<Attempt> {
    let case = a_fact(FactKind::ConfirmedCase, 33, 20 * DAY);
    let entry = |minutes| a_fact(FactKind::Entry, 35, minutes);
    let stay = |minutes| a_stay(place(2), minutes);
    let stay_1 = |minutes| a_stay(place(1), minutes);
    let tube = |minutes| a_fact(FactKind::PooledTube, 33, minutes);
    let late = |sought: Sought, minutes| sought.ended_not_before(ago(minutes));
    under(
        Heading::Entry,
        vec![
            (
                "entry-a-minute-later",
                "An entry of a minute before.",
                said(entry(2 * DAY - 1), Answer::Stands, 15),
            ),
            (
                "entry-a-minute-earlier",
                "An entry of a minute after.",
                said(entry(2 * DAY + 1), Answer::Stands, 15),
            ),
            (
                "entry-ended-said-to-stand",
                "A case that was discharged is said to go on.",
                said(case, Answer::Stands, 13),
            ),
            (
                "entry-standing-said-to-have-ended",
                "A positive that goes on is said to have been excluded.",
                said(positive(), Answer::Ended, 16),
            ),
            (
                "entry-ended-a-minute-before-the-bound",
                "A case said to have ended no earlier than a minute after it did.",
                said(late(case, 9 * DAY - 1), Answer::Ended, 13),
            ),
            (
                "entry-ended-and-another-begin",
                "A case that ended late enough, and began at another minute.",
                said(
                    a_fact(FactKind::ConfirmedCase, 33, 20 * DAY - 1),
                    Answer::Ended,
                    13,
                ),
            ),
            (
                "entry-covered-by-an-earlier-fact",
                "A fact said to be merged into one of a minute before.",
                said(entry(9 * DAY - 1), Answer::Covered, 14),
            ),
            (
                "entry-covered-by-a-later-stay",
                "A stay said to be joined with one that began a minute after it.",
                said(stay(6 * DAY + 1), Answer::Covered, 2),
            ),
            (
                "entry-covered-by-one-that-ended",
                "A fact said to be merged into one that goes on, which was cleared.",
                said(tube(8 * DAY), Answer::Covered, 17),
            ),
            (
                "entry-covered-and-ended-by-one-that-stands",
                "A fact said to be merged into one that was cleared, which goes on.",
                said(entry(9 * DAY), Answer::CoveredAndEnded, 15),
            ),
            (
                "entry-covered-fact-ended-too-early",
                "A fact said to be merged into one that ended a minute before the bound.",
                said(
                    late(tube(8 * DAY), 6 * DAY - 1),
                    Answer::CoveredAndEnded,
                    17,
                ),
            ),
            (
                "entry-covered-stay-ended-too-early",
                "A stay said to be joined with one that ended a minute before it did.",
                said(
                    late(stay_1(10 * DAY), 8 * DAY - 1),
                    Answer::CoveredAndEnded,
                    1,
                ),
            ),
            (
                "entry-covered-stay-begun-too-late",
                "A stay said to be joined with one that began a minute after it, and ended late enough.",
                said(
                    late(stay_1(11 * DAY + 1), 9 * DAY),
                    Answer::CoveredAndEnded,
                    1,
                ),
            ),
        ],
    )
}

fn absence() -> Vec<Attempt> {
    let said = |sought| said(sought, Answer::Absent, 0);
    under(
        Heading::Absence,
        vec![
            (
                "absent-fact-that-stands",
                "A positive that stands.",
                said(positive()),
            ),
            (
                "absent-fact-that-ended",
                "A case that was discharged still stands in its record.",
                said(a_fact(FactKind::ConfirmedCase, 33, 20 * DAY)),
            ),
            (
                "absent-stay-that-stands",
                "A stay that goes on, in the first of its pair's positions.",
                said(a_stay(place(2), 6 * DAY)),
            ),
            (
                "absent-test-that-stands",
                "A test that stands.",
                said(a_test(60)),
            ),
            (
                "absent-entry-in-the-first-position",
                "The first position of a full record.",
                Scene::of(full_record()).said(a_stay(place(0), 40 * DAY), Answer::Absent, 0),
            ),
            (
                "absent-entry-in-the-last-position",
                "The last position of a full record.",
                Scene::of(full_record()).said(a_test(0), Answer::Absent, 31),
            ),
        ],
    )
}

fn form() -> Vec<Attempt> {
    let changed = |change: fn(&mut Witness)| with(honest(), |_, w| change(w));
    let of = |heading, name, tries, change| under(heading, vec![(name, tries, changed(change))]);
    let all = [
        of(
            Heading::StateMembership,
            "form-state-way-shortened",
            "A way of eight levels.",
            |w| w.state_path.levels.truncate(8),
        ),
        of(
            Heading::StateMembership,
            "form-position-beyond-the-tree",
            "A leaf beyond the tree's last.",
            |w| w.state_path.index |= 1 << 27,
        ),
        of(
            Heading::RecordOpening,
            "form-kind-runs-into-the-next-field",
            "A kind of five bits.",
            |w| w.record.facts[0].kind = 16,
        ),
        of(
            Heading::RecordOpening,
            "form-place-too-wide",
            "A place of 48 bits.",
            |w| w.record.entries[5].place = 1 << 47,
        ),
        of(
            Heading::RecordOpening,
            "form-province-runs-into-the-next-entry",
            "A province of eight bits.",
            |w| w.record.facts[3].place = 128,
        ),
        of(
            Heading::RecordOpening,
            "form-stay-among-facts",
            "A stay where only facts stand.",
            |w| w.record.facts[3].is_stay = true,
        ),
        of(
            Heading::RangesAndTimes,
            "form-time-runs-into-its-guard",
            "A begin of 27 bits.",
            |w| w.record.facts[3].begin = 1 << 26,
        ),
        of(
            Heading::RangesAndTimes,
            "form-test-runs-into-its-guard",
            "A test of 27 bits.",
            |w| w.record.negatives[7] = 1 << 26,
        ),
        of(
            Heading::Entry,
            "form-position-beyond-the-record",
            "A thirty-third position.",
            |w| w.position = 32,
        ),
    ];
    all.into_iter().flatten().collect()
}
