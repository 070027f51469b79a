//! What the prover chooses: the only wires that do not follow from the public inputs, once hashes are taken to bind.

use crate::choice::Choice;
use crate::opening::Heading;

/// All of them. Any other wire of the witness is unique, given those that are not idle: `auditor check` recomputes that.
pub const CHOICES: [Choice<Heading>; 3] = [
    Choice {
        heading: Heading::StateMembership,
        kind: "level[]/position/bit[]",
        idle: false,
        why: "any place in the tree will do: that the leaf stands at one is what is claimed, and which is secret",
    },
    Choice {
        heading: Heading::Entry,
        kind: "position/bit[]",
        idle: false,
        why: "which position is opened, and secret; what stands there must be what is answered",
    },
    Choice {
        heading: Heading::Absence,
        kind: "inverse",
        idle: true,
        why: "the inverse of a number that is not zero; without one absence cannot be answered, and else only that counts",
    },
];
