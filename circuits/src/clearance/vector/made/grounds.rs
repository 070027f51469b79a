//! Attempts on what the grounds come to: keys and anchors, reason slots, lapse, and the colour that remains.

use rules::{Fact, FactKind, Key, Stay};

use super::{
    Attempt, DAY, GREEN, HOUR, NOT_RED, Statement, as_it_stands, local, record, stay, with,
};
use crate::clearance::scene::{ago, fact};
use crate::clearance::{Heading, SlotClaim, Witness};

/// The position of the first fact of a record.
const FIRST_FACT: usize = 12;

pub(super) fn attempts() -> Vec<Attempt> {
    let all = [keys(), keys_of_stays(), slots(), lapses(), colours()];
    all.into_iter().flatten().collect()
}

/// Facts as they stand, green claimed.
fn facts(facts: &[Fact]) -> Statement {
    as_it_stands(record(facts, &[], &[5 * HOUR], &[]), GREEN)
}

fn stays(stays: &[Stay]) -> Statement {
    as_it_stands(record(&[], stays, &[5 * HOUR], &[]), GREEN)
}

fn case() -> Fact {
    local(FactKind::ConfirmedCase, 3 * DAY)
}

/// An entry said to have another key, in a slot of that key.
fn rekeyed(witness: &mut Witness, position: usize, key: u8) {
    let slot = usize::from(witness.entries[position].slot);
    witness.entries[position].key = key;
    witness.slots[slot].key = key;
}

/// An entry said to have another anchor, in a slot of that anchor.
fn dated(witness: &mut Witness, position: usize, anchor: u32) {
    let slot = usize::from(witness.entries[position].slot);
    witness.entries[position].anchor = anchor;
    witness.slots[slot].anchor = anchor;
}

fn under(
    heading: Heading,
    name: &'static str,
    tries: &'static str,
    base: Statement,
    change: impl FnOnce(&mut Witness),
) -> Attempt {
    Attempt {
        heading,
        name,
        tries,
        statement: with(base, |_, w| change(w)),
    }
}

fn keys() -> Vec<Attempt> {
    let code = |kind, ended, local| Key::of_fact(kind, ended, local).code();
    let tube = local(FactKind::PooledTube, 11 * HOUR);
    let key = Heading::EntryKey;
    vec![
        under(
            key,
            "key-ground-omitted",
            "A confirmed case is opened, and said to be no ground.",
            facts(&[case()]),
            |w| {
                w.entries[FIRST_FACT].is_ground = false;
                w.slots[0] = SlotClaim::default();
            },
        ),
        under(
            key,
            "key-of-another-kind",
            "A case under the key of a contact of a contact, which these rules do not colour.",
            facts(&[case()]),
            |w| rekeyed(w, FIRST_FACT, code(FactKind::SecondaryContact, false, true)),
        ),
        under(
            key,
            "key-of-one-that-ended",
            "A case under the key of one that was discharged.",
            facts(&[case()]),
            |w| rekeyed(w, FIRST_FACT, code(FactKind::ConfirmedCase, true, true)),
        ),
        under(
            key,
            "key-of-another-place",
            "An entry elsewhere, yellow on its ninth day, under the key of one at home.",
            facts(&[fact(FactKind::Entry, 35, 9 * DAY)]),
            |w| rekeyed(w, FIRST_FACT, code(FactKind::Entry, false, true)),
        ),
        under(
            key,
            "key-that-no-ground-has",
            "A case under key zero, whose row never colours.",
            facts(&[case()]),
            |w| rekeyed(w, FIRST_FACT, 0),
        ),
        under(
            key,
            "key-anchor-too-early",
            "A positive tube dated back an hour, so that it has lapsed.",
            facts(&[tube]),
            |w| {
                dated(w, FIRST_FACT, ago(12 * HOUR).get());
                w.slots[0].lapsed = true;
            },
        ),
        under(
            key,
            "key-anchor-of-the-begin",
            "A discharge that is anchored at the confirmation, two days before.",
            facts(&[Fact {
                end: Some(ago(DAY)),
                ..case()
            }]),
            |w| dated(w, FIRST_FACT, ago(3 * DAY).get()),
        ),
        under(
            key,
            "key-ground-invented",
            "A ground in an empty position: to the holder's harm, and refused all the same.",
            facts(&[]),
            |w| w.entries[FIRST_FACT].is_ground = true,
        ),
        under(
            key,
            "form-key-too-wide",
            "A key of eight bits.",
            facts(&[case()]),
            |w| w.entries[FIRST_FACT].key |= 128,
        ),
    ]
}

fn keys_of_stays() -> Vec<Attempt> {
    let key = Heading::EntryKey;
    let of = |worst, at_end, present| {
        use rules::Grade::{High, Low, Medium, None};
        let grades = [None, Low, Medium, High];
        Key::of_stay(grades[worst], grades[at_end], present).code()
    };
    let met = || stays(&[stay(1, 6 * DAY, Some(5 * DAY))]);
    let anchor = |days| ago(days * DAY).get();
    vec![
        under(
            key,
            "key-stay-that-met-nothing",
            "A stay in a place of high risk said to have met no listing.",
            met(),
            |w| {
                w.entries[0].is_ground = false;
                w.entries[0].key = of(0, 0, false);
                w.slots[0] = SlotClaim::default();
            },
        ),
        under(
            key,
            "key-stay-of-a-lower-grade",
            "A stay in a place of high risk under the key of low risk.",
            met(),
            |w| rekeyed(w, 0, of(1, 1, false)),
        ),
        under(
            key,
            "key-stay-released-at-its-end",
            "A stay that ended while the place was listed, under the key of one that ended after the release.",
            met(),
            |w| rekeyed(w, 0, of(3, 0, false)),
        ),
        under(
            key,
            "key-stay-that-goes-on-said-to-have-ended",
            "A stay that goes on in a place of medium risk, anchored at its begin instead of now.",
            stays(&[stay(2, 6 * DAY, None)]),
            |w| {
                rekeyed(w, 0, of(1, 1, false));
                dated(w, 0, anchor(6));
            },
        ),
        under(
            key,
            "key-stay-anchored-too-early",
            "A stay in a place of high risk anchored at its first day, so that the 168 hours have passed.",
            stays(&[stay(1, 9 * DAY, Some(5 * DAY))]),
            |w| {
                dated(w, 0, anchor(9));
                w.slots[0].relief = Some(crate::clearance::Relief::default());
            },
        ),
        under(
            key,
            "form-interval-beyond-the-four",
            "A stay in a fifth of four intervals.",
            met(),
            |w| w.entries[0].interval = 4,
        ),
    ]
}

fn slots() -> Vec<Attempt> {
    let slots = Heading::ReasonSlots;
    let contacts = || {
        let old = local(FactKind::CloseContact, 12 * DAY);
        facts(&[old, local(FactKind::CloseContact, 2 * DAY)])
    };
    let cleared = |w: &mut Witness| {
        w.slots[0].relief = Some(crate::clearance::Relief::default());
        w.slots[1] = SlotClaim::default();
    };
    let entries = || {
        let new = fact(FactKind::Entry, 35, 2 * DAY);
        facts(&[new, fact(FactKind::Entry, 35, 9 * DAY)])
    };
    vec![
        under(
            slots,
            "slot-of-another-key",
            "A case in the slot of a positive tube, which has lapsed.",
            facts(&[case(), local(FactKind::PooledTube, 13 * HOUR)]),
            |w| {
                w.entries[FIRST_FACT].slot = 1;
                w.slots[0] = SlotClaim::default();
                w.slots[1].lapsed = true;
            },
        ),
        under(
            slots,
            "slot-that-is-empty",
            "A case in a slot of key zero.",
            facts(&[case()]),
            |w| w.slots[0] = SlotClaim::default(),
        ),
        under(
            slots,
            "slot-with-an-earlier-anchor",
            "A contact of two days ago merged into the slot of one of twelve days ago, which is cleared.",
            contacts(),
            |w| {
                w.entries[FIRST_FACT + 1].slot = 0;
                cleared(w);
            },
        ),
        under(
            slots,
            "slot-anchor-a-minute-early",
            "A positive tube in a slot that is anchored a minute before it, and has lapsed.",
            facts(&[local(FactKind::PooledTube, 12 * HOUR - 1)]),
            |w| {
                w.slots[0].anchor -= 1;
                w.slots[0].lapsed = true;
            },
        ),
        under(
            slots,
            "slot-of-a-later-one-that-is-green-still",
            "An entry elsewhere on its ninth day, yellow, merged into the slot of one of two days ago, which is green still.",
            entries(),
            |w| {
                w.entries[FIRST_FACT + 1].slot = 0;
                w.slots[1] = SlotClaim::default();
            },
        ),
        under(
            slots,
            "form-slot-beyond-the-eight",
            "A ground in a ninth of eight slots.",
            facts(&[case()]),
            |w| w.entries[FIRST_FACT].slot = 8,
        ),
    ]
}

fn lapses() -> Vec<Attempt> {
    let lapse = Heading::AnchorPhasesLapse;
    let tube = |minutes| facts(&[local(FactKind::PooledTube, minutes)]);
    vec![
        under(
            lapse,
            "lapse-a-minute-early",
            "A positive tube said to have lapsed a minute before its twelve hours are over.",
            tube(12 * HOUR - 1),
            |w| w.slots[0].lapsed = true,
        ),
        under(
            lapse,
            "lapse-without-a-row-for-it",
            "A case said to have lapsed, though its row never does.",
            facts(&[case()]),
            |w| w.slots[0].lapsed = true,
        ),
        under(
            lapse,
            "lapse-days-before",
            "A potential risk of 29 days ago said to have lapsed, which it does after 30.",
            facts(&[local(FactKind::PotentialRisk, 29 * DAY)]),
            |w| w.slots[0].lapsed = true,
        ),
        under(
            lapse,
            "form-slot-key-from-96-on",
            "A slot of key 96, which the table does not have.",
            facts(&[]),
            |w| w.slots[7].key = 96,
        ),
    ]
}

fn colours() -> Vec<Attempt> {
    let said = |name, tries, facts: &[Fact], claim| Attempt {
        heading: Heading::WorstColour,
        name,
        tries,
        statement: as_it_stands(record(facts, &[], &[5 * HOUR], &[]), claim),
    };
    let contact = |days| local(FactKind::CloseContact, days * DAY);
    let elsewhere = |days| fact(FactKind::Entry, 35, days * DAY);
    vec![
        said(
            "colour-green-for-red",
            "A confirmed case, truly opened, said to be green.",
            &[case()],
            GREEN,
        ),
        said(
            "colour-not-red-for-red",
            "A confirmed case, truly opened, said not to be red.",
            &[case()],
            NOT_RED,
        ),
        said(
            "colour-green-for-yellow",
            "A close contact on its ninth day, yellow, said to be green.",
            &[contact(9)],
            GREEN,
        ),
        said(
            "colour-not-red-a-day-before-the-switch",
            "A close contact on its seventh day, red until the eighth begins, said not to be red.",
            &[contact(7)],
            NOT_RED,
        ),
        said(
            "colour-green-on-the-day-of-the-switch",
            "An entry elsewhere on its eighth day, on which it turns yellow, said to be green.",
            &[elsewhere(8)],
            GREEN,
        ),
        said(
            "colour-of-the-last-slot",
            "Seven reasons that are green, and a case in the eighth.",
            &[
                elsewhere(1),
                elsewhere(2),
                elsewhere(3),
                elsewhere(4),
                elsewhere(5),
                elsewhere(6),
                elsewhere(7),
                case(),
            ],
            GREEN,
        ),
    ]
}
