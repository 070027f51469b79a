//! Wires set by a prover that no witness gives so: each vector breaks rows under its heading alone, and without them would say
//! something else of the same commitments.

use ark_ff::{AdditiveGroup, Field};
use commitment::Fr;
use commitment::opening::Answer;

use super::{Statement, accept};
use crate::opening::Heading;
use crate::opening::vector::{Body, Forgery, Vector};

pub(super) fn vectors() -> Vec<Vector> {
    [of_the_record(), of_what_is_asked(), of_the_entry()].concat()
}

/// Sets wires of an accept vector and follows them through to what hangs on them.
fn forged(
    heading: Heading,
    name: &str,
    tries: &str,
    on: &str,
    forge: impl FnOnce(&mut Forgery, &Statement),
) -> Vector {
    let accepted = accept::all().into_iter().find(|made| made.name == on);
    let statement = accepted.expect("an accept vector").statement();
    let mut forgery = Forgery::of(&statement.0, &statement.1);
    forge(&mut forgery, &statement);
    forgery.follow();
    // What is absent stays absent beside other entries, by another inverse; unless the forger has set it to nothing.
    let [product, inverse] =
        ["differences[31]", "inverse"].map(|n| Forgery::named(Heading::Absence, n));
    let is_absent = statement.0.said.answer() == Answer::Absent;
    if is_absent && forgery.value(inverse) != Fr::ZERO {
        let found = forgery.value(product).inverse();
        forgery.set(inverse, found.expect("nothing that is sought"));
    }
    Vector {
        name: name.to_owned(),
        tries: tries.to_owned(),
        body: Body::Wires {
            heading,
            base: on.to_owned(),
            wires: forgery.changed(),
        },
    }
}

fn of_the_record() -> Vec<Vector> {
    let (record, times) = (Heading::RecordOpening, Heading::RangesAndTimes);
    vec![
        forged(
            Heading::StateMembership,
            "wire-position-between-siblings",
            "Of the three bits of a position one is such that the right child comes out though another bit is wrong.",
            "fact-stands",
            |f, (_, w)| f.between_siblings(Heading::StateMembership, &w.state_path),
        ),
        forged(
            Heading::StateMembership,
            "wire-leaf-at-another-position",
            "The leaf is said to stand at its neighbour's position: by what is added there to the lower half's child it comes out.",
            "fact-stands",
            |f, (public, w)| {
                f.at_neighbour(Heading::StateMembership, &w.state_path, public.leaf);
            },
        ),
        forged(
            record,
            "wire-bit-of-two",
            "The lowest bit of a stay's place is two more, the next one less: the place and its hash stay what they are.",
            "stay-stands",
            |f, _| {
                let low = Forgery::named(record, "entry[0]/place/bit[0]");
                f.move_weight((low, 2), (low + 1, 1));
            },
        ),
        forged(
            record,
            "wire-end-borrowed-from-the-kind",
            "A contact's highest bit of kind is minus two and its ended bit one: the element is the same, and the contact has ended.",
            "fact-absent",
            |f, _| {
                let kind = Forgery::named(record, "entry[12]/kind/bit[3]");
                let ended = Forgery::named(record, "entry[12]/ended");
                f.move_weight((ended, 1), (kind, 2));
            },
        ),
        forged(
            times,
            "wire-minute-bit-of-two",
            "The lowest bit of a begin is two more, the next one less.",
            "fact-stands",
            |f, _| {
                let low = Forgery::named(times, "entry[16]/begin/bit[0]");
                f.move_weight((low, 2), (low + 1, 1));
            },
        ),
        forged(
            times,
            "wire-times-borrowed-from-a-neighbour",
            "A begin of 2^27 more and an end of one less: another begin of the same element.",
            "fact-absent",
            |f, _| {
                let begin = Forgery::named(times, "entry[13]/begin/bit[25]");
                let end = Forgery::named(times, "entry[13]/end/bit[0]");
                f.move_weight((begin, 4), (end, 1));
            },
        ),
        forged(
            times,
            "wire-tests-borrowed-from-a-neighbour",
            "A test of 2^27 more and the next one a minute earlier: two other tests of the same element.",
            "test-absent",
            |f, _| {
                let test = Forgery::named(times, "negative[0]/bit[25]");
                let next = Forgery::named(times, "negative[1]/bit[0]");
                f.move_weight((test, 4), (next, 1));
            },
        ),
    ]
}

fn of_what_is_asked() -> Vec<Vector> {
    let asked = Heading::SoughtAndAnswer;
    let entry = |name: &str| Forgery::named(Heading::Entry, name);
    vec![
        forged(
            asked,
            "wire-absence-spelt-otherwise",
            "An answer of absence, spelt as thirty-two times the begin being equal: any entry of that minute will do, and nothing need be absent.",
            "fact-absent",
            |f, _| {
                f.set(Forgery::named(asked, "answer/bit[6]"), 0u64);
                f.set(Forgery::named(asked, "answer/bit[1]"), 32u64);
                f.set_bits(entry("position/bit[0]"), 5, 12);
                f.set(Forgery::named(Heading::Absence, "inverse"), 0u64);
            },
        ),
        forged(
            asked,
            "wire-condition-put-off-to-another",
            "That it began no earlier is spelt as four times that it is there: any entry of its key would do.",
            "fact-covered",
            |f, _| {
                // Covered: there, and begun no earlier. Begun no earlier is four times being there.
                f.set(Forgery::named(asked, "answer/bit[2]"), 0u64);
                f.set(Forgery::named(asked, "answer/bit[0]"), 5u64);
            },
        ),
        forged(
            asked,
            "wire-sought-spelt-otherwise",
            "What is sought, spelt with a begin of a minute earlier and a place of 2^47 more.",
            "fact-absent",
            |f, _| {
                let place = Forgery::named(asked, "sought/bit[52]");
                f.move_weight((place, 2), (place + 1, 1));
            },
        ),
        forged(
            asked,
            "wire-bound-spelt-otherwise",
            "The bound on the end, spelt with a lowest bit of two more and the next one less.",
            "fact-ended",
            |f, _| {
                let low = Forgery::named(asked, "answer/bit[7]");
                f.move_weight((low, 2), (low + 1, 1));
            },
        ),
    ]
}

fn of_the_entry() -> Vec<Vector> {
    let named = |name: &str| Forgery::named(Heading::Entry, name);
    vec![
        forged(
            Heading::Entry,
            "wire-position-beyond-two",
            "A bit of a position is two, where all entries are the same.",
            "twenty-four-of-one-kind",
            |f, _| f.set(named("position/bit[0]"), 2u64),
        ),
        forged(
            Heading::Entry,
            "wire-end-bit-of-two",
            "By how much the end lies after its bound, with a bit of two more and the next one less.",
            "fact-ended",
            |f, _| {
                let low = named("end not before/bit[0]");
                f.move_weight((low, 2), (low + 1, 1));
            },
        ),
        forged(
            Heading::Absence,
            "wire-absence-that-is-not-asked-for",
            "Something is absent, and absence is not answered; an inverse all the same.",
            "fact-covered",
            |f, _| f.set(Forgery::named(Heading::Absence, "inverse"), 1u64),
        ),
    ]
}
