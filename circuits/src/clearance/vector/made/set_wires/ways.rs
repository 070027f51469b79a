//! Ways up the trees of the registry and of the map, where siblings are made for it or all the same.

use super::forged;
use crate::clearance::Heading;
use crate::clearance::vector::Forgery;
use crate::clearance::vector::Vector;

/// The registry of made-up leaves, with another slot, and a position's three lowest bits.
fn registry(name: &str, tries: &str, slot: u64, position: [u64; 3]) -> Vector {
    let heading = Heading::RegistryMembership;
    forged(
        heading,
        name,
        tries,
        "registry-of-made-up-leaves",
        |f, _| {
            f.set(Forgery::named(heading, "slot"), slot);
            for (bit, value) in position.into_iter().enumerate() {
                f.set(
                    Forgery::named(heading, &format!("level[0]/position/bit[{bit}]")),
                    value,
                );
            }
        },
    )
}

pub(super) fn vectors() -> Vec<Vector> {
    vec![
        registry(
            "wire-registry-position-beyond-two",
            "A leaf of slot 2 that no registry holds: with a bit of two it comes out as far beyond position 1 as that is from position 0.",
            2,
            [2, 0, 0],
        ),
        registry(
            "wire-registry-leaf-of-another-slot",
            "The leaf of slot 5, which stands at position 6, too, is opened there.",
            5,
            [0, 1, 1],
        ),
        forged(
            Heading::RiskOpening,
            "wire-padding-beyond-two",
            "A leaf that pads the map's tree, among others that do, is opened beyond two of them.",
            "padding-opened",
            |f, _| {
                let bit = "interval[3]/level[0]/position/bit[0]";
                f.set(Forgery::named(Heading::RiskOpening, bit), 2u64);
            },
        ),
    ]
}
