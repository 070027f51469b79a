//! What the prover chooses: the only wires that do not follow from the public inputs, once hashes are taken to bind.

use crate::clearance::Heading;

/// A kind of wire of `clearance` that the prover may set as it likes.
pub type Choice = crate::choice::Choice<Heading>;

const fn choice(heading: Heading, kind: &'static str, why: &'static str) -> Choice {
    Choice {
        heading,
        kind,
        idle: false,
        why,
    }
}

const fn idle(heading: Heading, kind: &'static str, why: &'static str) -> Choice {
    Choice {
        heading,
        kind,
        idle: true,
        why,
    }
}

const PLACE: &str = "any place in the tree will do: that the record stands at one is what is claimed, and which is secret";
const INVERSE: &str = "the inverse of a number that is not zero, and of nothing if it is; only whether there is one counts";

/// All of them. Any other wire of the witness is unique, given those that are not idle: `auditor check` recomputes that.
pub const CHOICES: [Choice; 19] = [
    choice(Heading::RegistryMembership, "level[]/position/bit[]", PLACE),
    choice(Heading::StateMembership, "level[]/position/bit[]", PLACE),
    choice(
        Heading::RiskOpening,
        "interval[]/half",
        "which half of its pair an opened interval is; the other half is hashed with it",
    ),
    choice(
        Heading::RiskOpening,
        "interval[]/level[]/position/bit[]",
        "which interval of the map is opened; a stay can only use one that holds its place, and there is exactly one",
    ),
    choice(
        Heading::RiskOpening,
        "entry[]/interval/bit[]",
        "which of the opened intervals a stay uses; it must hold the place, and for what is no stay it is not looked at",
    ),
    idle(Heading::EntryKey, "entry[]/fact/local/inverse", INVERSE),
    choice(
        Heading::ReasonSlots,
        "entry[]/slot/bit[]",
        "which slot a ground lies in; slot and ground must have one key, and the slot no earlier anchor",
    ),
    choice(
        Heading::ReasonSlots,
        "entry[]/must equal",
        "follows for a ground, from its slot's row; for what is no ground it says nothing",
    ),
    choice(
        Heading::AnchorPhasesLapse,
        "slot[]/key/bit[]",
        "which reasons there are; each ground must find one, and one that no ground needs can only add a colour",
    ),
    choice(
        Heading::AnchorPhasesLapse,
        "slot[]/anchor/day/bit[]",
        "the slot's anchor: not earlier than that of any ground in it, and equal where the row is not monotone",
    ),
    choice(
        Heading::AnchorPhasesLapse,
        "slot[]/anchor/minute/bit[]",
        "the slot's anchor, its minute of the day; below 1440, so that a moment has one day",
    ),
    choice(
        Heading::AnchorPhasesLapse,
        "slot[]/inverse of lapse",
        "whether a lapse is claimed: with the inverse of the row's, or zero; only where there is one and it is reached",
    ),
    choice(
        Heading::Clearing,
        "slot[]/cleared",
        "whether a clearing is claimed: only with all that one of the row's ways out asks for",
    ),
    choice(
        Heading::Clearing,
        "slot[]/alternative",
        "which way out is claimed; any one that is fulfilled clears",
    ),
    choice(
        Heading::Clearing,
        "slot[]/negative[]/bit[]",
        "which tests are counted; any that lie as the way out asks will do, and none counts twice",
    ),
    idle(Heading::Clearing, "slot[]/no check-ins/inverse", INVERSE),
    choice(
        Heading::Clearing,
        "slot[]/run/bit[]",
        "which check-in run is counted; any that is long enough after the anchor will do",
    ),
    choice(
        Heading::Clearing,
        "slot[]/first day",
        "the first day counted; where days are needed, they lie within the run and after the anchor's day",
    ),
    choice(
        Heading::TestAge,
        "position/bit[]",
        "which test is the young one; any that is young enough will do",
    ),
];
