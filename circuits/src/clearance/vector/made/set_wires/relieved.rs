//! Lapse and clearing, claimed more than once or without what they need.

use commitment::Fr;

use super::forged;
use crate::clearance::Heading;
use crate::clearance::vector::Forgery;
use crate::clearance::vector::Vector;

/// A base and what is set of its slots, by name.
fn set(heading: Heading, name: &str, tries: &str, on: &str, wires: &[(&str, u64)]) -> Vector {
    forged(heading, name, tries, on, |f, _| {
        for (wire, value) in wires {
            f.set(Forgery::named(heading, wire), *value);
        }
    })
}

pub(super) fn vectors() -> Vec<Vector> {
    let clearing = Heading::Clearing;
    vec![
        forged(
            Heading::AnchorPhasesLapse,
            "wire-lapsed-twice",
            "A pooled tube has lapsed twice over, so that it counts as minus one open reason.",
            "relieved-not-red",
            |f, _| {
                let of = |part| Forgery::named(Heading::AnchorPhasesLapse, part);
                let inverse = of("slot[0]/inverse of lapse");
                f.set(of("slot[0]/lapsed"), 2u64);
                f.set(inverse, f.value(inverse) * Fr::from(2u64));
            },
        ),
        set(
            clearing,
            "wire-cleared-twice",
            "A potential risk is cleared twice over, so that it counts as minus one open reason.",
            "relieved-not-red",
            &[("slot[1]/cleared", 2)],
        ),
        set(
            clearing,
            "wire-days-not-asked-for",
            "Symptoms that seven days of check-in clear are given no inverse of the seven, so that none is asked for: the run counted is empty, the day is day zero.",
            "relief-check-in-days",
            &[
                ("slot[0]/no check-ins/inverse", 0),
                ("slot[0]/run/bit[0]", 0),
                ("slot[0]/run/bit[1]", 1),
                ("slot[0]/first day", 0),
            ],
        ),
        set(
            clearing,
            "wire-run-beyond-two",
            "A contact that is cleared by a negative counts a check-in run beyond two that are there, though it needs none.",
            "relief-one-negative",
            &[("slot[0]/run/bit[0]", 2)],
        ),
    ]
}
