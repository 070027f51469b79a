//! True answers.

use commitment::opening::{Answer, Sought};
use rules::{FactKind, Record};

use super::{Body, DAY, Statement, Vector};
use crate::clearance::scene::{ago, fact, place};
use crate::opening::scene::{Scene, a_fact, a_stay, a_test, full_record};

/// A true answer.
pub(super) struct Accepted {
    pub(super) name: &'static str,
    tries: &'static str,
    answer: Answer,
    scene: Scene,
    sought: Sought,
}

impl Accepted {
    pub(super) fn statement(&self) -> Statement {
        let answered = self.scene.answered(self.sought).expect(self.name);
        assert_eq!(answered.0.said.answer(), self.answer, "{}", self.name);
        answered
    }

    pub(super) fn vector(self) -> Vector {
        let (public, witness) = self.statement();
        Vector {
            name: self.name.to_owned(),
            tries: self.tries.to_owned(),
            body: Body::Accept {
                public,
                witness: Box::new(witness),
            },
        }
    }
}

pub(super) fn all() -> Vec<Accepted> {
    let all = [of_the_scene(), at_the_edges()];
    all.into_iter().flatten().collect()
}

fn of_the_scene() -> Vec<Accepted> {
    let in_scene = |name, tries, answer, sought| Accepted {
        name,
        tries,
        answer,
        scene: Scene::new(),
        sought,
    };
    let case = a_fact(FactKind::ConfirmedCase, 33, 20 * DAY);
    vec![
        in_scene(
            "fact-stands",
            "A positive of a screening stands as its laboratory stated it.",
            Answer::Stands,
            a_fact(FactKind::ScreenedPositive, 33, 3 * DAY),
        ),
        in_scene(
            "fact-ended",
            "A case stands as stated, and was discharged at some time.",
            Answer::Ended,
            case,
        ),
        in_scene(
            "fact-ended-at-the-bound",
            "The hospital that released the case asks whether it ended no earlier than released.",
            Answer::Ended,
            case.ended_not_before(ago(9 * DAY)),
        ),
        in_scene(
            "fact-covered",
            "An older contact was merged with a later one, which stands for it.",
            Answer::Covered,
            a_fact(FactKind::CloseContact, 33, 6 * DAY),
        ),
        in_scene(
            "fact-covered-and-ended",
            "A member of an older pooled tube, merged with a later one that was cleared.",
            Answer::CoveredAndEnded,
            a_fact(FactKind::PooledTube, 33, 8 * DAY),
        ),
        in_scene(
            "fact-absent",
            "A contact that was voided is in no position any more.",
            Answer::Absent,
            a_fact(FactKind::SecondaryContact, 33, 4 * DAY),
        ),
        in_scene(
            "fact-of-another-province-absent",
            "An entry by another province than the two in the record is in no position.",
            Answer::Absent,
            a_fact(FactKind::Entry, 33, 2 * DAY),
        ),
        in_scene(
            "stay-stands",
            "A stay that goes on.",
            Answer::Stands,
            a_stay(place(2), 6 * DAY),
        ),
        in_scene(
            "stay-ended",
            "A stay as stated, which ended no earlier than stated.",
            Answer::Ended,
            a_stay(place(1), 11 * DAY).ended_not_before(ago(8 * DAY)),
        ),
        in_scene(
            "stay-covered",
            "A stay that was joined with an earlier one in the same place, which goes on.",
            Answer::Covered,
            a_stay(place(2), 5 * DAY),
        ),
        in_scene(
            "stay-covered-and-ended",
            "A stay that was joined with others before and after it.",
            Answer::CoveredAndEnded,
            a_stay(place(1), 10 * DAY).ended_not_before(ago(9 * DAY)),
        ),
        in_scene(
            "stay-absent",
            "A stay in another site of the same area is in no position.",
            Answer::Absent,
            a_stay(place(3), 6 * DAY),
        ),
        in_scene(
            "test-stands",
            "A negative test stands.",
            Answer::Stands,
            a_test(7 * DAY),
        ),
        in_scene(
            "test-absent",
            "No negative test was sampled at that minute, though an entry began then.",
            Answer::Absent,
            a_test(9 * DAY),
        ),
    ]
}

fn at_the_edges() -> Vec<Accepted> {
    let full = |name, tries, answer, sought| Accepted {
        name,
        tries,
        answer,
        scene: Scene::of(full_record()),
        sought,
    };
    let wide = vec![fact(FactKind::Entry, 35, 3 * DAY); 24];
    let wide = Record::new(vec![], wide, vec![], vec![]).expect("within capacities");
    let case = a_fact(FactKind::ConfirmedCase, 33, DAY);
    let empty = |name, tries, leaf_index| Accepted {
        name,
        tries,
        answer: Answer::Absent,
        scene: Scene {
            leaf_index,
            ..Scene::of(Record::default())
        },
        sought: case,
    };
    vec![
        full(
            "full-last-wide-position",
            "Every position is taken; the stay stands at the twelfth.",
            Answer::Stands,
            a_stay(place(11), 29 * DAY),
        ),
        full(
            "full-last-narrow-position",
            "Every position is taken; the fact stands at the twenty-fourth.",
            Answer::Stands,
            a_fact(FactKind::AssistList, 34, 19 * DAY),
        ),
        full(
            "full-last-test",
            "Every position is taken; the youngest of eight tests stands.",
            Answer::Stands,
            a_test(0),
        ),
        full(
            "full-absent",
            "Every position is taken, by something else.",
            Answer::Absent,
            a_test(9 * DAY),
        ),
        Accepted {
            name: "twenty-four-of-one-kind",
            tries: "Facts in all positions, those that can hold stays among them; any of them will do.",
            answer: Answer::Stands,
            scene: Scene::of(wide),
            sought: a_fact(FactKind::Entry, 35, 3 * DAY),
        },
        empty(
            "empty-record-first-leaf",
            "Nothing stands in an empty record, at the tree's first leaf.",
            0,
        ),
        empty(
            "empty-record-last-leaf",
            "Nothing stands in an empty record, at the tree's last leaf.",
            (1 << 27) - 1,
        ),
    ]
}
