//! Wires set by a prover that no witness gives so: each vector breaks rows under its heading alone, and without them would say
//! something else of the same commitments.

mod relieved;
mod unused;
mod ways;

use commitment::{Fr, pow2};

use super::{Statement, accept, with};
use crate::clearance::vector::Forgery;
use crate::clearance::vector::{Body, Vector};
use crate::clearance::{Heading, Witness};

pub(super) fn vectors() -> Vec<Vector> {
    let others = [relieved::vectors(), unused::vectors(), ways::vectors()].concat();
    [bits(), times(), days(), anchors(), chosen(), others].concat()
}

/// The statement of an accept vector.
fn base(name: &str) -> Statement {
    let accepted = accept::all().into_iter().find(|made| made.name == name);
    accepted.expect("an accept vector").statement()
}

/// Sets wires of a base and follows them through to what hangs on them.
fn forged(
    heading: Heading,
    name: &str,
    tries: &str,
    on: &str,
    forge: impl FnOnce(&mut Forgery, &Statement),
) -> Vector {
    let statement = base(on);
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

/// The wire through which a change of the witness enters.
fn wire(forgery: &Forgery, on: &Statement, change: impl FnOnce(&mut Witness)) -> usize {
    let (public, witness) = with(on.clone(), |_, w| change(w));
    forgery.entry_of(&public, &witness)
}

fn half() -> Fr {
    Fr::from(1u64) / Fr::from(2u64)
}

fn bits() -> Vec<Vector> {
    vec![
        forged(
            Heading::RecordOpening,
            "wire-bit-of-two",
            "The lowest bit of a stay's place is two more, the next one less: the place and its hash stay what they are.",
            "green",
            |f, on| {
                let low = wire(f, on, |w| w.record.entries[0].place ^= 1);
                f.set(low, f.value(low) + Fr::from(2u64));
                f.set(low + 1, f.value(low + 1) - Fr::from(1u64));
            },
        ),
        forged(
            Heading::RecordOpening,
            "wire-end-borrowed-from-the-kind",
            "A contact's highest bit of kind is minus two and its ended bit one: the element is the same, and the contact is anchored at minute zero.",
            "relief-one-negative",
            |f, on| {
                let high = wire(f, on, |w| w.record.facts[0].kind ^= 8);
                let ended = wire(f, on, |w| w.record.facts[0].ended ^= true);
                f.set(high, -Fr::from(2u64));
                f.set(ended, 1u64);
            },
        ),
        forged(
            Heading::WorstColour,
            "wire-claim-spelt-otherwise",
            "A claim of green with a test of 24 hours, code 2, spelt with a lowest bit of two: then no test is asked for.",
            "test-age-24-hours",
            |f, on| {
                let (public, witness) = with(on.clone(), |public, _| {
                    public.claim = rules::Claim::from_code(3).expect("below 8");
                });
                let low = f.entry_of(&public, &witness);
                f.set(low, 2u64);
                f.set(low + 1, 0u64);
            },
        ),
    ]
}

fn times() -> Vec<Vector> {
    // The last two tests of a record with fewer are empty: nothing hangs on them but their element.
    let shifted = |name, tries, by: Fr, next: Fr| {
        let forge = |f: &mut Forgery, on: &Statement| {
            let seventh = wire(f, on, |w| w.record.negatives[6] += 1);
            let eighth = wire(f, on, |w| w.record.negatives[7] += 1);
            f.set(seventh, by);
            f.set(eighth, next);
        };
        forged(Heading::RangesAndTimes, name, tries, "green", forge)
    };
    let one = Fr::from(1u64);
    vec![
        shifted(
            "wire-times-shifted-between-neighbours",
            "A time of 2^27 more and its neighbour in the element of one less: the hash stays what it is.",
            pow2(27),
            -one,
        ),
        shifted(
            "wire-times-borrowed-from-a-neighbour",
            "A time of 2^27 less and its neighbour of one more.",
            -pow2(27),
            one,
        ),
        shifted(
            "wire-time-read-modulo",
            "A time of 2^26 less, as if it were read modulo 2^26, and its neighbour of a half more.",
            -pow2(26),
            half(),
        ),
    ]
}

fn days() -> Vec<Vector> {
    vec![
        forged(
            Heading::RangesAndTimes,
            "wire-second-day-of-now",
            "The epoch closes at midnight, and is said to close in minute 1440 of the day before.",
            "days-boundary",
            |f, on| {
                let (public, witness) = with(on.clone(), |public, _| {
                    let today = public.as_of.get();
                    let other = if public.as_of.day().get() % 2 == 0 {
                        today + 1440
                    } else {
                        today - 1440
                    };
                    public.as_of = rules::Minute::new(other).expect("small");
                });
                let day = f.entry_of(&public, &witness);
                f.set_bits(day, 16, u64::from(on.0.as_of.day().get()) - 1);
                f.set_bits(day + 16, 11, 1440);
            },
        ),
        forged(
            Heading::AnchorPhasesLapse,
            "wire-second-day-of-an-anchor",
            "A contact ten minutes past midnight, said to be in minute 1450 of the day before: its days would end a day sooner.",
            "after-midnight",
            |f, on| {
                let anchor = rules::Minute::new(on.1.slots[0].anchor).expect("small");
                let odd = anchor.day().get() % 2 == 1;
                let day = wire(f, on, |w| {
                    let slot = &mut w.slots[0].anchor;
                    *slot = if odd { *slot - 1440 } else { *slot + 1440 };
                });
                f.set_bits(day, 16, u64::from(anchor.day().get()) - 1);
                f.set_bits(day + 16, 11, 1450);
            },
        ),
        forged(
            Heading::Clearing,
            "wire-half-a-day",
            "The first of seven days of check-in is half a day later than it is.",
            "relief-check-in-days",
            |f, on| {
                let first = wire(f, on, |w| {
                    w.slots[0].relief = w.slots[0].relief.map(|relief| crate::clearance::Relief {
                        first_day: relief.first_day + 1,
                        ..relief
                    });
                });
                f.set(first, f.value(first) + half());
            },
        ),
    ]
}

/// The lowest bits of day and minute of a slot's anchor.
fn anchor_of(slot: usize) -> (usize, usize) {
    let low = |part| {
        let name = format!("slot[{slot}]/anchor/{part}/bit[0]");
        Forgery::named(Heading::AnchorPhasesLapse, &name)
    };
    (low("day"), low("minute"))
}

fn anchors() -> Vec<Vector> {
    vec![
        forged(
            Heading::AnchorPhasesLapse,
            "wire-anchor-at-half-a-day",
            "A contact ten minutes past midnight, said to be 730 minutes past the noon before: its days would end half a day sooner.",
            "after-midnight",
            |f, on| {
                let (day, minute) = anchor_of(0);
                let anchor = rules::Minute::new(on.1.slots[0].anchor).expect("small");
                f.set_bits(day, 16, u64::from(anchor.day().get()));
                f.set(day, f.value(day) - half());
                f.set_bits(minute, 11, 10 + 720);
            },
        ),
        forged(
            Heading::AnchorPhasesLapse,
            "wire-anchor-before-its-day",
            "An entry from elsewhere a minute before midnight, said to be in minute minus one of the day after: it would turn yellow a day later.",
            "non-monotone-merge",
            |f, on| {
                let (day, minute) = anchor_of(1);
                let anchor = rules::Minute::new(on.1.slots[1].anchor).expect("small");
                f.set_bits(day, 16, u64::from(anchor.day().get()) + 1);
                f.set_bits(minute, 11, 0);
                f.set(minute, -Fr::from(1u64));
            },
        ),
    ]
}

/// Positions that are no positions: between two, or beyond both.
fn chosen() -> Vec<Vector> {
    vec![
        forged(
            Heading::StateMembership,
            "wire-position-between-siblings",
            "Of the three bits of a position one is two and another such that the right child comes out all the same.",
            "green",
            |f, on| {
                let low = wire(f, on, |w| w.state_path.index ^= 1);
                let children = on.1.state_path.levels[0];
                let digit = on.1.state_path.index as usize % 8;
                let third = Fr::from((digit >> 2) as u64);
                let one = Fr::from(1u64);
                // What the children give at two, a middle bit, and the third bit as it is.
                let at = |middle: Fr| {
                    let bits = [Fr::from(2u64), middle, third];
                    let weight = |i: usize| -> Fr {
                        let factor = |b: usize| {
                            if i >> b & 1 == 1 {
                                bits[b]
                            } else {
                                one - bits[b]
                            }
                        };
                        factor(0) * factor(1) * factor(2)
                    };
                    (0..8).map(|i| weight(i) * children[i]).sum::<Fr>()
                };
                let (zero, slope) = (at(Fr::from(0u64)), at(one) - at(Fr::from(0u64)));
                f.set(low, 2u64);
                f.set(low + 1, (children[digit] - zero) / slope);
            },
        ),
        forged(
            Heading::EntryKey,
            "wire-elsewhere-said-to-be-here",
            "A fever clinic elsewhere is given no inverse of its province's difference, so that it counts as local; key and reason follow.",
            "fj-2022-08",
            |f, on| {
                let entry = 12 + 4;
                let slot = usize::from(on.1.entries[entry].slot);
                // Another difference has another inverse, which is the first wire under the heading to change.
                let (public, witness) = with(on.clone(), |_, w| w.record.facts[4].place += 1);
                let inverse = f.entry_under(Heading::EntryKey, &public, &witness);
                let local = wire(f, on, |w| w.slots[slot].key ^= 32);
                f.set(inverse, 0u64);
                f.set(local, 1u64);
            },
        ),
        forged(
            Heading::Clearing,
            "wire-test-invented-beyond-two",
            "The second test's position has a bit of two: what comes out lies as long after the second as that after the first.",
            "relief-two-negatives",
            |f, on| {
                let low = wire(f, on, |w| {
                    w.slots[0].relief = w.slots[0].relief.map(|relief| crate::clearance::Relief {
                        negatives: [0, 0, 0],
                        ..relief
                    });
                });
                f.set(low, 2u64);
            },
        ),
        forged(
            Heading::TestAge,
            "wire-test-of-this-minute",
            "The position of the test has a bit such that the empty position beside it makes a test of this minute.",
            "test-age-48-hours",
            |f, on| {
                let low = wire(f, on, |w| w.fresh_negative = 1);
                let (now, sampled) = (on.0.as_of.get(), on.1.record.negatives[0]);
                f.set(low, Fr::from(1u64) - Fr::from(now) / Fr::from(sampled));
            },
        ),
    ]
}
