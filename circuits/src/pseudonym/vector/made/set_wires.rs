//! Wires set by a prover that no witness gives so: each vector breaks rows under its heading alone, and without them would say
//! something else under the same public inputs.

use ark_ff::AdditiveGroup;
use commitment::{Fr, Minute, poseidon, registry_leaf};

use super::{Statement, accept};
use crate::pseudonym::Heading;
use crate::pseudonym::vector::{Body, Forgery, Vector};

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

pub(super) fn vectors() -> Vec<Vector> {
    [of_the_registry(), of_the_record(), of_the_rest()].concat()
}

/// The registry of made-up leaves, with another slot, and a position's three lowest bits.
fn opened(f: &mut Forgery, slot: u64, position: [u64; 3]) {
    let named = |name| Forgery::named(Heading::RegistryMembership, name);
    f.set(named("slot"), slot);
    let lowest = named("level[0]/position/bit[0]");
    for (wire, value) in (lowest..).zip(position) {
        f.set(wire, value);
    }
}

fn of_the_registry() -> Vec<Vector> {
    let heading = Heading::RegistryMembership;
    let on = "registry-of-made-up-leaves";
    vec![
        forged(
            heading,
            "wire-registry-position-beyond-two",
            "A head of slot 2 that no registry holds: with a bit of two it comes out as far beyond position 1 as that is from position 0.",
            on,
            |f, _| opened(f, 2, [2, 0, 0]),
        ),
        forged(
            heading,
            "wire-registry-head-of-another-slot",
            "The head of slot 5, which stands at position 6, too, is opened there.",
            on,
            |f, _| opened(f, 5, [0, 1, 1]),
        ),
        forged(
            heading,
            "wire-registry-head-never-registered",
            "A head of slot 6 that no registry holds comes out by what is added to the lower half's child.",
            on,
            |f, (_, w)| {
                opened(f, 6, [0, 1, 1]);
                let head_time = Minute::new(w.head_time).expect("26 bits");
                let head = registry_leaf(6, head_time, w.state_root);
                let split = Forgery::named(heading, "level[0]/own/split[4]");
                f.set(split, head - w.registry_path.levels[0][2]);
            },
        ),
        forged(
            Heading::HeadTime,
            "wire-head-time-bit-of-two",
            "By how much the head lies before the close, with a bit of two more and the next one less.",
            "at-a-hospital",
            |f, _| {
                let low = Forgery::named(Heading::HeadTime, "back/bit[0]");
                f.move_weight((low, 2), (low + 1, 1));
            },
        ),
    ]
}

fn of_the_record() -> Vec<Vector> {
    let (state, record) = (Heading::StateMembership, Heading::RecordOpening);
    vec![
        forged(
            state,
            "wire-position-between-siblings",
            "Of the three bits of a position one is such that the right child comes out though another bit is wrong.",
            "at-a-hospital",
            |f, (_, w)| f.between_siblings(state, &w.state_path),
        ),
        forged(
            state,
            "wire-leaf-at-another-position",
            "The leaf is said to stand at its neighbour's position: by what is added there to the lower half's child it comes out.",
            "at-a-hospital",
            |f, (_, w)| f.at_neighbour(state, &w.state_path, w.leaf),
        ),
        forged(
            record,
            "wire-element-changed",
            "Another element than the one committed, though nothing reads it.",
            "at-a-hospital",
            |f, _| {
                let element = Forgery::named(record, "element[11]");
                f.set(element, f.value(element) + Fr::from(1u64));
            },
        ),
        forged(
            record,
            "wire-hash-that-is-none",
            "A square in the second hash that is none: the leaf no longer follows from the record.",
            "at-a-hospital",
            |f, _| {
                let square = "second hash/full round[0]/lane[6]/square";
                f.set(Forgery::named(record, square), Fr::ZERO);
            },
        ),
    ]
}

fn of_the_rest() -> Vec<Vector> {
    let named = Heading::Pseudonym;
    vec![
        forged(
            named,
            "wire-pseudonym-of-no-identity",
            "The square of the identity in the pseudonym's hash is that of nothing: a pseudonym that is nobody's.",
            "at-a-hospital",
            |f, _| {
                let square = "hash/full round[0]/lane[1]/square";
                f.set(Forgery::named(named, square), Fr::ZERO);
            },
        ),
        forged(
            named,
            "wire-pseudonym-balanced",
            "In the last round of the pseudonym's hash one number is more and another as much less: the pseudonym is the same.",
            "at-a-hospital",
            |f, _| {
                let constants = poseidon::parameters(3);
                let last = constants.full_rounds + constants.partial_rounds - 1;
                let [more, less] = [1, 2].map(|lane| {
                    Forgery::named(
                        named,
                        &format!("hash/full round[{last}]/lane[{lane}]/fifth"),
                    )
                });
                let row = &constants.mds[0];
                f.set(more, f.value(more) + row[2]);
                f.set(less, f.value(less) - row[1]);
            },
        ),
        forged(
            Heading::Binder,
            "wire-binder-unused",
            "The binder's square is that of nothing: as if the proof belonged to no pass.",
            "at-a-hospital",
            |f, _| f.set(Forgery::named(Heading::Binder, "square"), Fr::ZERO),
        ),
    ]
}
