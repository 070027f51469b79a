//! What the prover chooses: the only wires that do not follow from the public inputs, once hashes are taken to bind.

use crate::choice::Choice;
use crate::pseudonym::Heading;

/// All of them. Any other wire of the witness is unique, given those: `auditor check` recomputes that.
pub const CHOICES: [Choice<Heading>; 2] = [
    place(
        Heading::RegistryMembership,
        "any slot will do: that the record's province stands at one is what is claimed, and which is secret",
    ),
    place(
        Heading::StateMembership,
        "any place in the tree will do: that the leaf stands at one is what is claimed, and which is secret",
    ),
];

const fn place(heading: Heading, why: &'static str) -> Choice<Heading> {
    Choice {
        heading,
        kind: "level[]/position/bit[]",
        idle: false,
        why,
    }
}
