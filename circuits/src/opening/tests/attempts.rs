//! A home node that holds everything, commits what it likes and sets every wire as it likes, and wants a proof of
//! something that is not so. Beside what is refused stands the nearest thing that is admitted.

use ark_ff::Field;
use commitment::opening::{Answer, OpeningInputs, Said, Sought, Stated};
use commitment::poseidon::{Domain, hash8};
use commitment::record::{EntryBits, RecordLayout, packed_leaf};
use commitment::{Fr, IdentityCommitment, STATE_DEPTH, Tree, empty_subtree, pow2};
use rules::{FactKind, Minute, Record, Stay};

use crate::clearance::scene::{ago, fact, path, place};
use crate::opening::scene::{Scene, a_fact, a_stay, a_test, full_record, record, somebody_else};
use crate::opening::vector::Forgery;
use crate::opening::{Heading, POSITIONS, Refusal, Witness, assign, check, names, shape};
use crate::vector::broken_headings;

const DAY: u32 = 1440;

type Statement = (OpeningInputs, Witness);

#[track_caller]
fn refused_under(heading: Heading, (public, witness): &Statement) {
    assert_eq!(check(public, witness), Err(Refusal(heading)));
    assert_eq!(assign(public, witness).broken, [heading]);
}

#[track_caller]
fn accepted((public, witness): &Statement) {
    assert_eq!(check(public, witness), Ok(()));
    assert_eq!(assign(public, witness).broken, []);
}

/// The same with another leaf committed in the place of the record's.
fn committed(leaf: Fr, (mut public, mut witness): Statement) -> Statement {
    let index = witness.state_path.index;
    let (state_path, state_root) = path(Tree::State, STATE_DEPTH, index, leaf);
    (public.leaf, public.state_root) = (leaf, state_root);
    witness.state_path = state_path;
    (public, witness)
}

/// The record as changed, committed as it then is: what a home node can do that keeps to no form.
fn recommitted(
    (public, mut witness): Statement,
    change: impl FnOnce(&mut RecordLayout),
) -> Statement {
    change(&mut witness.record);
    let leaf = witness.record.leaf(witness.identity, witness.blinding);
    committed(leaf, (public, witness))
}

/// What stands at each position of the full record, with its true answer.
fn everything() -> Vec<(Sought, Answer)> {
    let full = full_record();
    let stated = |stated| Sought::new(stated).unwrap();
    let stay = |s: &Stay| {
        let answer = if s.end.is_some() {
            Answer::Ended
        } else {
            Answer::Stands
        };
        let (place, begin) = (s.place, s.begin);
        (stated(Stated::Stay { place, begin }), answer)
    };
    let stays = full.stays().iter().map(stay);
    let facts = full.facts().iter().map(|f| {
        let answer = if f.end.is_some() {
            Answer::Ended
        } else {
            Answer::Stands
        };
        let (kind, province, begin) = (f.kind, f.province, f.begin);
        let fact = Stated::Fact {
            kind,
            province,
            begin,
        };
        (stated(fact), answer)
    });
    let tests = full.negatives().iter().map(|sampled_at| {
        let sampled_at = *sampled_at;
        (stated(Stated::NegativeTest { sampled_at }), Answer::Stands)
    });
    stays.chain(facts).chain(tests).collect()
}

#[test]
fn each_position_opens_to_what_stands_there_and_to_nothing_else_and_is_never_absent() {
    let scene = Scene::of(full_record());
    let everything = everything();
    assert_eq!(everything.len(), POSITIONS);
    for (position, (sought, answer)) in (0u8..).zip(&everything) {
        accepted(&scene.said(*sought, *answer, position));
        for other in [
            (position + 1) % 32,
            (position + 16) % 32,
            position ^ 1,
            position ^ 8,
        ] {
            refused_under(Heading::Entry, &scene.said(*sought, *answer, other));
        }
        refused_under(
            Heading::Absence,
            &scene.said(*sought, Answer::Absent, position),
        );
    }
}

#[test]
fn an_inner_node_an_empty_place_or_another_use_of_the_hash_is_no_record() {
    let scene = Scene::of(Record::default());
    let absent = || scene.answered(a_test(60)).unwrap();
    let (_, witness) = absent();
    let node = witness.state_path.levels[3][0];
    let binder = hash8(Domain::RecordFirst, &[Fr::from(1u64); 8]);
    for leaf in [Fr::from(0u64), empty_subtree(Tree::State, 1), node, binder] {
        refused_under(Heading::RecordOpening, &committed(leaf, absent()));
    }
}

#[test]
fn what_is_committed_as_a_stay_is_a_stay_whatever_kind_stands_in_it() {
    let going_on = || Scene::new().answered(a_stay(place(2), 6 * DAY)).unwrap();
    // `clearance` reads a stay there, so here it is one: it stands, it is not absent, and it is no fact.
    let with_a_kind = |statement| recommitted(statement, |record| record.entries[2].kind = 9);
    accepted(&with_a_kind(going_on()));
    let absent = Scene::new().said(a_stay(place(2), 6 * DAY), Answer::Absent, 0);
    refused_under(Heading::Absence, &with_a_kind(absent));
    let mut narrow = EntryBits::from(&fact(FactKind::ColdChainFrequent, 33, 6 * DAY));
    narrow.is_stay = true;
    let sought = a_fact(FactKind::ColdChainFrequent, 33, 6 * DAY);
    let said = Scene::new().said(sought, Answer::Stands, 5);
    let statement = recommitted(said, |record| record.entries[5] = narrow);
    refused_under(Heading::Entry, &statement);
}

#[test]
fn an_entry_that_is_nothing_is_no_negative_test_and_a_test_no_entry() {
    // A begin without a kind is no ground to `clearance`; it is no relief here.
    let nothing = EntryBits {
        begin: ago(DAY).get(),
        ..EntryBits::default()
    };
    for position in [11, 23] {
        let said = Scene::new().said(a_test(DAY), Answer::Stands, position);
        let statement = recommitted(said, |record| match position {
            11 => record.entries[11] = nothing,
            _ => record.facts[11] = nothing,
        });
        refused_under(Heading::Entry, &statement);
        let said = Scene::new().said(a_test(DAY), Answer::Absent, position);
        accepted(&recommitted(said, |record| record.facts[11] = nothing));
    }
}

#[test]
fn a_fact_of_a_province_that_there_is_not_is_not_the_one_sought() {
    let case = a_fact(FactKind::SuspectedCase, 33, 3 * DAY);
    for shifted in [1u64 << 7, 1 << 46] {
        let far = EntryBits {
            place: 33 + shifted,
            ..EntryBits::from(&fact(FactKind::SuspectedCase, 33, 3 * DAY))
        };
        let put = |statement| recommitted(statement, |record| record.entries[9] = far);
        refused_under(
            Heading::Entry,
            &put(Scene::new().said(case, Answer::Stands, 9)),
        );
        // To `clearance` it is a suspected case elsewhere: another fact than the one that is absent.
        accepted(&put(Scene::new().said(case, Answer::Absent, 9)));
    }
}

/// Elements that `pack` does not make. In `clearance` each has one reading, with a time before the epoch; here it has none,
/// so that nothing at all can be answered about such a record.
#[test]
fn a_record_with_a_time_from_before_the_epoch_opens_to_nothing() {
    // The time's element, its offset there and its minute; its top bit, and the lowest bit of what stands next to it.
    for (element, offset, minutes, time, next) in [
        (
            6,
            5,
            4 * DAY,
            "entry[12]/begin/bit[25]",
            "entry[12]/end/bit[0]",
        ),
        (10, 0, 8 * DAY, "negative[0]/bit[25]", "negative[1]/bit[0]"),
        (
            0,
            6,
            30 * DAY,
            "entry[0]/begin/bit[25]",
            "entry[0]/end/bit[0]",
        ),
    ] {
        let (public, witness) = Scene::new()
            .answered(a_fact(FactKind::Entry, 35, 2 * DAY))
            .unwrap();
        let mut elements: [Fr; 12] = witness.record.elements();
        // The time becomes −5.
        elements[element] -= Fr::from(ago(minutes).get() + 5) * pow2(offset);
        let leaf = packed_leaf(&elements, witness.identity, witness.blinding);
        let (public, honest) = committed(leaf, (public, witness));
        let broken = assign(&public, &honest).broken;
        assert_eq!(broken, [Heading::RecordOpening]);
        // Its bits as they stand: the guard of the time is set and takes one from the next field.
        let mut forgery = Forgery::of(&public, &honest);
        let time = Forgery::named(Heading::RangesAndTimes, time);
        let next = Forgery::named(Heading::RangesAndTimes, next);
        // −5 is 2^27 − 5 with one borrowed: 25 ones and a top bit of three.
        forgery.set_bits(time - 25, 25, (1 << 25) - 5);
        forgery.set(time, 3u64);
        forgery.set(next, forgery.value(next) - Fr::from(1u64));
        forgery.follow();
        let broken = broken_by(&forgery, &public, &honest);
        assert!(broken.contains(&Heading::RangesAndTimes), "{broken:?}");
        assert!(!broken.contains(&Heading::RecordOpening), "{broken:?}");
    }
}

/// The headings that an assignment breaks with some wires set.
fn broken_by(forgery: &Forgery, public: &OpeningInputs, witness: &Witness) -> Vec<Heading> {
    let mut values = assign(public, witness).values;
    for (wire, value) in forgery.changed() {
        values[wire] = value;
    }
    broken_headings::<crate::Opening>(&values)
}

/// Between two entries of one kind lies, for a position with a bit that is none, an entry of any begin.
#[test]
fn a_fact_that_is_in_no_position_does_not_stand_between_two() {
    let (first, second) = (ago(9 * DAY).get(), ago(2 * DAY).get());
    for minutes in [5 * DAY, DAY, 20 * DAY, 9 * DAY - 1] {
        let sought = a_fact(FactKind::Entry, 35, minutes);
        let statement = Scene::new().said(sought, Answer::Stands, 14);
        refused_under(Heading::Entry, &statement);
        let (public, witness) = statement;
        let mut forgery = Forgery::of(&public, &witness);
        let low = Forgery::named(Heading::Entry, "position/bit[0]");
        let share = (Fr::from(ago(minutes).get()) - Fr::from(first))
            * (Fr::from(second) - Fr::from(first)).inverse().unwrap();
        forgery.set(low, share);
        forgery.follow();
        let mut values = assign(&public, &witness).values;
        for (wire, value) in forgery.changed() {
            values[wire] = value;
        }
        // Only the row that says that the bit is one stands in the way.
        let (shape, names) = (shape(), names());
        let at =
            |terms: &crate::rows::Terms| terms.iter().map(|(c, i)| *c * values[*i]).sum::<Fr>();
        let [a, b, c] = &shape.matrices;
        let broken = (0..shape.constraints()).filter(|r| at(&a[*r]) * at(&b[*r]) != at(&c[*r]));
        let broken: Vec<&String> = broken.map(|row| &names.rows[row]).collect();
        assert_eq!(broken, ["Entry/position/bit[0]"]);
    }
}

#[test]
fn what_stands_is_not_absent_whatever_inverse_is_given() {
    for (sought, _) in everything() {
        let (public, witness) = Scene::of(full_record()).said(sought, Answer::Absent, 0);
        let inverse = Forgery::named(Heading::Absence, "inverse");
        for value in [Fr::from(0u64), Fr::from(1u64), -Fr::from(1u64), pow2(200)] {
            let mut forgery = Forgery::of(&public, &witness);
            forgery.set(inverse, value);
            forgery.follow();
            assert_eq!(broken_by(&forgery, &public, &witness), [Heading::Absence]);
        }
    }
}

#[test]
fn times_are_compared_at_both_ends_of_time() {
    let last = Minute::MAX.get();
    let minute = |m| Minute::new(m).unwrap();
    let entry = |begin: u32, end: Option<u32>| rules::Fact {
        begin: minute(begin),
        end: end.map(minute),
        ..fact(FactKind::Entry, 35, 0)
    };
    let sought = |begin: u32, end: u32| {
        let rules::Fact { kind, province, .. } = fact(FactKind::Entry, 35, 0);
        let begin = minute(begin);
        let stated = Stated::Fact {
            kind,
            province,
            begin,
        };
        Sought::new(stated).unwrap().ended_not_before(minute(end))
    };
    let said = |fact, sought, answer| {
        let record = Record::new(vec![], vec![fact], vec![], vec![]).unwrap();
        Scene::of(record).said(sought, answer, 12)
    };
    accepted(&said(entry(last, None), sought(1, 1), Answer::Covered));
    refused_under(
        Heading::Entry,
        &said(entry(1, None), sought(last, last), Answer::Covered),
    );
    accepted(&said(entry(1, Some(last)), sought(1, 1), Answer::Ended));
    accepted(&said(entry(1, Some(last)), sought(1, last), Answer::Ended));
    refused_under(
        Heading::Entry,
        &said(entry(1, Some(last - 1)), sought(1, last), Answer::Ended),
    );
    accepted(&said(
        entry(1, Some(1)),
        sought(1, 1),
        Answer::CoveredAndEnded,
    ));
    let stay = |begin| {
        let stay = Stay {
            place: place(1),
            begin: minute(begin),
            end: None,
        };
        let record = Record::new(vec![stay], vec![], vec![], vec![]).unwrap();
        move |asked: u32| {
            let (place, begin) = (place(1), minute(asked));
            let sought = Sought::new(Stated::Stay { place, begin }).unwrap();
            Scene::of(record.clone()).said(sought, Answer::Covered, 0)
        }
    };
    accepted(&stay(1)(last));
    refused_under(Heading::Entry, &stay(last)(1));
}

#[test]
fn nobody_elses_record_is_opened_for_the_subject_by_any_salt() {
    let positive = a_fact(FactKind::ScreenedPositive, 33, 3 * DAY);
    let of_another = Scene {
        subject: somebody_else(),
        ..Scene::new()
    };
    let (mut public, mut witness) = of_another.answered(positive).unwrap();
    public.subject = crate::opening::scene::subject();
    refused_under(Heading::Subject, &(public, witness.clone()));
    // Said to be the subject's identity: then it is not the one in the record.
    witness.identity = IdentityCommitment::new(public.subject.expose(), witness.salt);
    refused_under(Heading::RecordOpening, &(public, witness));
}

/// The limit of the statement: a home node can commit two records of one person. Each opens, and only that their leaves
/// differ shows it, to whoever holds both openings.
#[test]
fn two_records_of_one_person_both_open_and_show_by_their_leaves() {
    let positive = a_fact(FactKind::ScreenedPositive, 33, 3 * DAY);
    let clean = Scene {
        leaf_index: 7,
        ..Scene::of(Record::default())
    };
    let (with, without) = (
        Scene::new().answered(positive).unwrap(),
        clean.answered(positive).unwrap(),
    );
    accepted(&with);
    accepted(&without);
    assert_eq!(without.0.said.answer(), Answer::Absent);
    assert_eq!(with.0.subject, without.0.subject);
    assert_ne!(with.0.leaf, without.0.leaf);
}

#[test]
fn an_answer_is_about_what_was_asked_with_its_bound() {
    let case = a_fact(FactKind::ConfirmedCase, 33, 20 * DAY);
    let scene = Scene::of(record());
    for (bound, admitted) in [
        (20 * DAY, true),
        (9 * DAY, true),
        (9 * DAY - 1, false),
        (0, false),
    ] {
        let asked = case.ended_not_before(ago(bound));
        let answered = scene.answered(asked);
        assert_eq!(answered.is_ok(), admitted);
        let statement = scene.said(asked, Answer::Ended, 13);
        if admitted {
            accepted(&statement);
        } else {
            refused_under(Heading::Entry, &statement);
            // What ended too early is not absent either.
            refused_under(Heading::Absence, &scene.said(asked, Answer::Absent, 13));
        }
    }
    assert!(Said::new(a_test(60), Answer::Ended).is_err());
}
