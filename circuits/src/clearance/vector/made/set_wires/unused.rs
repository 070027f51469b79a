//! Wires of slots and entries that nothing needs: they change nothing that is claimed, and yet must be bits.

use super::forged;
use crate::clearance::Heading;
use crate::clearance::vector::Forgery;
use crate::clearance::vector::Vector;

/// A wire of the empty record's last slot or entry, set to two.
fn two(heading: Heading, name: &str, tries: &str, wire: &str) -> Vector {
    forged(heading, name, tries, "empty-record", |f, _| {
        f.set(Forgery::named(heading, wire), 2u64);
    })
}

/// The same of bits of the last slot's key.
fn key(name: &str, tries: &str, bits: &[(usize, u64)]) -> Vector {
    let heading = Heading::AnchorPhasesLapse;
    forged(heading, name, tries, "empty-record", |f, _| {
        for (bit, value) in bits {
            let bit = Forgery::named(heading, &format!("slot[7]/key/bit[{bit}]"));
            f.set(bit, *value);
        }
    })
}

pub(super) fn vectors() -> Vec<Vector> {
    let slots = Heading::ReasonSlots;
    vec![
        key(
            "wire-key-from-96-on",
            "A slot that is not used has key 96, which is no key; the row found for it is that of key 64.",
            &[(5, 1), (6, 1)],
        ),
        key(
            "wire-key-of-two-ends",
            "A slot that is not used has the key of a stay without exposure, and a bit of two for how it ended: whichever it is, the row is the same.",
            // The rows of stays that ended in medium and in high risk are the same.
            &[(2, 2), (3, 1), (6, 1)],
        ),
        two(
            slots,
            "wire-no-ground-that-must-equal-twice",
            "An entry that is no ground must have its slot's anchor not once but twice.",
            "entry[23]/must equal",
        ),
        two(
            slots,
            "wire-no-ground-in-no-slot",
            "An entry that is no ground lies in a slot beyond two that are there.",
            "entry[23]/slot/bit[0]",
        ),
        two(
            Heading::Clearing,
            "wire-third-way-out",
            "A slot that is not used chooses a way out beyond the two, of a row that has none.",
            "slot[7]/alternative",
        ),
        two(
            Heading::RiskOpening,
            "wire-no-stay-in-no-interval",
            "What is no stay uses an opened interval beyond two, all of which are the same.",
            "entry[11]/interval/bit[0]",
        ),
    ]
}
