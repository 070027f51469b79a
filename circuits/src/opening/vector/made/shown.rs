//! Proofs shown under other public inputs than they were made for.

use commitment::opening::{Answer, OpeningInputs, Said};
use rules::FactKind;

use super::DAY;
use crate::clearance::scene::ago;
use crate::opening::scene::{a_fact, somebody_else};
use crate::opening::vector::{Body, Vector, Vectors};

pub(super) fn vectors(accepted: &Vectors) -> Vec<Vector> {
    let shown = |name: &str, tries: &str, base: &str, change: &dyn Fn(&mut OpeningInputs)| {
        let (public, _) = accepted.accepted(base).expect("an accept vector");
        let mut public = *public;
        change(&mut public);
        Vector {
            name: name.to_owned(),
            tries: tries.to_owned(),
            body: Body::Shown {
                base: base.to_owned(),
                public,
            },
        }
    };
    let other = accepted
        .accepted("full-absent")
        .expect("an accept vector")
        .0;
    let say = |sought, answer| Said::new(sought, answer).expect("an answer to what is sought");
    let positive = a_fact(FactKind::ScreenedPositive, 33, 3 * DAY);
    let case = a_fact(FactKind::ConfirmedCase, 33, 20 * DAY);
    vec![
        shown(
            "shown-for-another-person",
            "A proof about one person shown for another.",
            "fact-stands",
            &|public| public.subject = somebody_else(),
        ),
        shown(
            "shown-in-another-epoch",
            "A proof under the state root of another epoch, or of another province.",
            "fact-stands",
            &|public| public.state_root = other.state_root,
        ),
        shown(
            "shown-of-another-leaf",
            "A proof said to be of another leaf.",
            "fact-stands",
            &|public| public.leaf = other.leaf,
        ),
        shown(
            "shown-with-roots-exchanged",
            "State root and leaf the other way round.",
            "fact-stands",
            &|public| (public.state_root, public.leaf) = (public.leaf, public.state_root),
        ),
        shown(
            "shown-for-another-fact",
            "A proof about a positive shown for one of a minute later.",
            "fact-stands",
            &|public| {
                let later = a_fact(FactKind::ScreenedPositive, 33, 3 * DAY - 1);
                public.said = say(later, Answer::Stands);
            },
        ),
        shown(
            "shown-as-ended",
            "A proof that a positive stands, shown as one that it ended.",
            "fact-stands",
            &|public| public.said = say(positive, Answer::Ended),
        ),
        shown(
            "shown-as-standing",
            "A proof that a case ended, shown as one that it stands.",
            "fact-ended",
            &|public| public.said = say(case, Answer::Stands),
        ),
        shown(
            "shown-with-a-later-bound",
            "A proof that a case ended, shown as one that it ended no earlier than a minute before the epoch's close.",
            "fact-ended",
            &|public| public.said = say(case.ended_not_before(ago(1)), Answer::Ended),
        ),
        shown(
            "shown-absent-as-standing",
            "A proof that a contact is absent, shown as one that it stands.",
            "fact-absent",
            &|public| {
                let contact = a_fact(FactKind::SecondaryContact, 33, 4 * DAY);
                public.said = say(contact, Answer::Stands);
            },
        ),
        shown(
            "shown-stands-as-covered",
            "A proof that a positive stands, shown as one that another stands for it.",
            "fact-stands",
            &|public| public.said = say(positive, Answer::Covered),
        ),
    ]
}
