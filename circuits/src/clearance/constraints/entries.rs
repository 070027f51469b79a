//! Entry key; the stays' share of risk opening; reason slots.

use ark_bn254::Fr;
use rules::MAX_PERIODS;

use super::opening::{IntervalWires, PeriodWires, TableWires};
use super::record::{EntryWires, RecordWires};
use super::slots::SlotWires;
use super::{Clearance, DayTime};
use crate::clearance::{EntryClaim, Heading, Witness};
use crate::gadget::{bits, mux};
use crate::rows::{Part, Wire};

/// A key and anchor as derived from facts.
struct Derived {
    key: Wire,
    anchor: Wire,
    is_ground: Wire,
}

/// Gives every entry the key and anchor of its facts, and holds it to a slot.
pub(super) fn keys_and_slots(
    rows: &mut Clearance,
    w: &Witness,
    now: &DayTime,
    record: &RecordWires,
    table: &TableWires,
    intervals: &[IntervalWires],
    slots: &[SlotWires],
) {
    let entries = record.entries.iter().zip(w.entries).enumerate();
    for (number, (entry, claim)) in entries {
        rows.within(("entry", number), |rows| {
            rows.under(Heading::EntryKey);
            let derived = derive(rows, entry, claim, now, table, intervals);
            let claimed = Derived {
                key: rows.witness_u64("key", u64::from(claim.key)),
                anchor: rows.witness_u64("anchor", u64::from(claim.anchor)),
                is_ground: rows.witness("is ground", Fr::from(claim.is_ground)),
            };
            rows.equal("key", &claimed.key, &derived.key);
            rows.equal("anchor", &claimed.anchor, &derived.anchor);
            rows.equal("is ground", &claimed.is_ground, &derived.is_ground);
            in_slot(rows, &claimed, claim, slots);
        });
    }
}

/// What the facts of an entry give it, as a stay or as a fact.
fn derive(
    rows: &mut Clearance,
    entry: &EntryWires,
    claim: EntryClaim,
    now: &DayTime,
    table: &TableWires,
    intervals: &[IntervalWires],
) -> Derived {
    let fact = rows.within("fact", |rows| fact(rows, entry, table));
    let Some(is_stay) = &entry.is_stay else {
        return fact;
    };
    let interval = interval_of(rows, entry, is_stay, claim, intervals);
    rows.under(Heading::EntryKey);
    let stay = rows.within("stay", |rows| stay(rows, entry, &interval.periods, now));
    let mut choose = |part, stay: &Wire, fact: &Wire| mux::choose(rows, part, is_stay, stay, fact);
    Derived {
        key: choose("key of stay or fact", &stay.key, &fact.key),
        anchor: choose("anchor of stay or fact", &stay.anchor, &fact.anchor),
        is_ground: choose("is ground, stay or fact", &stay.is_ground, &fact.is_ground),
    }
}

/// Facts: `kind + 16·ended + 32·local`, anchored at the end, or at the begin without one; no ground without a kind.
fn fact(rows: &mut Clearance, entry: &EntryWires, table: &TableWires) -> Derived {
    let local = bits::is_zero(rows, "local", &(&entry.place - &table.province));
    let kind = Wire::from_bits(&entry.kind);
    let key = &(&kind + &(&entry.ended * 16)) + &(&local * 32);
    let anchor = mux::choose(rows, "anchor", &entry.ended, &entry.end, &entry.begin);
    let is_ground = bits::any(rows, "is ground", &entry.kind);
    Derived {
        key,
        anchor,
        is_ground,
    }
}

/// The opened interval that the prover assigns to a stay, which must hold its place.
fn interval_of(
    rows: &mut Clearance,
    entry: &EntryWires,
    is_stay: &Wire,
    claim: EntryClaim,
    intervals: &[IntervalWires],
) -> IntervalWires {
    rows.under(Heading::RiskOpening);
    let position = bits::free_bits(rows, "interval", Fr::from(claim.interval), 2);
    let mut choose = |part: Part, of: &dyn Fn(&IntervalWires) -> Wire| {
        let parts: Vec<Wire> = intervals.iter().map(of).collect();
        mux::select(rows, part, &position, &parts)
    };
    let from = choose("from".into(), &|i| i.from.clone());
    let last = choose("last".into(), &|i| i.last.clone());
    let periods = std::array::from_fn(|p| PeriodWires {
        grade: [
            choose(("grade bit 0 of", p).into(), &|i| {
                i.periods[p].grade[0].clone()
            }),
            choose(("grade bit 1 of", p).into(), &|i| {
                i.periods[p].grade[1].clone()
            }),
        ],
        reach: choose(("reach", p).into(), &|i| i.periods[p].reach.clone()),
        until: choose(("until", p).into(), &|i| i.periods[p].until.clone()),
    });
    let (after_from, before_last) = (&entry.place - &from, &last - &entry.place);
    bits::range_if(rows, "place from", is_stay, &after_from, 47);
    bits::range_if(rows, "place last", is_stay, &before_last, 47);
    IntervalWires {
        from,
        last,
        periods,
    }
}

/// Whether a stay met a period, and whether it ended in it.
struct Meeting {
    met: Wire,
    at_end: Wire,
    /// The last minute of the meeting.
    last: Wire,
}

/// Stays: `64 + worst + 4·at_end + 16·present`, anchored at the last exposure; no ground without one.
fn stay(
    rows: &mut Clearance,
    entry: &EntryWires,
    periods: &[PeriodWires; MAX_PERIODS],
    now: &DayTime,
) -> Derived {
    let end = mux::choose(rows, "end", &entry.ended, &entry.end, &now.minute);
    let meetings: [Meeting; MAX_PERIODS] = std::array::from_fn(|p| {
        rows.within(("meeting", p), |rows| {
            meeting(rows, entry, &end, &periods[p])
        })
    });
    let met: [&Wire; MAX_PERIODS] = std::array::from_fn(|p| &meetings[p].met);
    let at_end: [&Wire; MAX_PERIODS] = std::array::from_fn(|p| &meetings[p].at_end);
    let worst = rows.within("worst", |rows| worst_grade(rows, met, periods));
    let finally = rows.within("at end", |rows| worst_grade(rows, at_end, periods));
    let mut anchor = end;
    for (period, meeting) in meetings.iter().enumerate() {
        let [low, upper] = &worst.by_period[period];
        let counts = mux::choose(rows, ("counts", period), &worst.grade[1], upper, low);
        anchor = mux::choose(rows, ("anchor", period), &counts, &meeting.last, &anchor);
    }
    let number = |grade: &[Wire; 2]| &grade[0] + &(&grade[1] * 2);
    let key = &number(&worst.grade) + &(&number(&finally.grade) * 4);
    let key = &(&key + &(&entry.ended.not() * 16)) + &Wire::constant(64u64);
    let is_ground = bits::or(rows, "is ground", &worst.grade[0], &worst.grade[1]);
    Derived {
        key,
        anchor,
        is_ground,
    }
}

fn meeting(rows: &mut Clearance, entry: &EntryWires, end: &Wire, period: &PeriodWires) -> Meeting {
    let one = Wire::constant(1u64);
    let (to_until, since_reach) = (&period.until - &entry.begin, end - &period.reach);
    let left = &(&period.until - end) - &one;
    let begins_before = bits::not_negative(rows, "begins before until", &(&to_until - &one), 26);
    let ends_after = bits::not_negative(rows, "ends after reach", &since_reach, 27);
    let still_listed = bits::not_negative(rows, "ends before until", &left, 26);
    let met = rows.product("met", &begins_before, &ends_after);
    let at_end = rows.product("met at end", &met, &still_listed);
    let last = mux::choose(rows, "last", &still_listed, end, &period.until);
    Meeting { met, at_end, last }
}

/// The worst grade over the periods met.
struct Worst {
    /// Its two bits, lowest first.
    grade: [Wire; 2],
    /// For each period: met with the lower bit set, met with the upper bit set.
    by_period: [[Wire; 2]; MAX_PERIODS],
}

fn worst_grade(
    rows: &mut Clearance,
    met: [&Wire; MAX_PERIODS],
    periods: &[PeriodWires; MAX_PERIODS],
) -> Worst {
    let by_period: [[Wire; 2]; MAX_PERIODS] = std::array::from_fn(|p| {
        let [low, upper] = &periods[p].grade;
        [
            rows.product(("met bit 0", p), met[p], low),
            rows.product(("met bit 1", p), met[p], upper),
        ]
    });
    let high: [Wire; MAX_PERIODS] = std::array::from_fn(|p| {
        rows.product(("met high", p), &by_period[p][1], &periods[p].grade[0])
    });
    let [lows, uppers] = [0, 1].map(|bit| by_period.each_ref().map(|bits| bits[bit].clone()));
    let any_upper = bits::any(rows, "any bit 1", &uppers);
    let any_low = bits::any(rows, "any bit 0", &lows);
    let any_high = bits::any(rows, "any high", &high);
    let low = mux::choose(rows, "bit 0", &any_upper, &any_high, &any_low);
    Worst {
        grade: [low, any_upper],
        by_period,
    }
}

/// A ground lies in a slot of its own key; the slot's anchor is not earlier, and equal where the row is not monotone.
fn in_slot(rows: &mut Clearance, ground: &Derived, claim: EntryClaim, slots: &[SlotWires]) {
    rows.under(Heading::ReasonSlots);
    let position = bits::free_bits(rows, "slot", Fr::from(claim.slot), 3);
    // Key and monotony in one: the key is below 128, whatever the claim.
    let marked: Vec<Wire> = slots
        .iter()
        .map(|s| &s.key + &(&s.not_monotone * 128))
        .collect();
    let anchors: Vec<Wire> = slots.iter().map(|s| s.anchor.minute.clone()).collect();
    let marked = mux::select(rows, "marked key", &position, &marked);
    let anchor = mux::select(rows, "anchor", &position, &anchors);
    let must_equal = bits::bit(rows, "must equal", super::low_u64(&marked) >= 128);
    let difference = &(&marked - &ground.key) - &(&must_equal * 128);
    rows.enforce(
        "same key",
        &ground.is_ground,
        &difference,
        &Wire::constant(0u64),
    );
    let later_by = &anchor - &ground.anchor;
    let later_by = bits::range_if(rows, "not earlier", &ground.is_ground, &later_by, 27);
    rows.enforce("same anchor", &must_equal, &later_by, &Wire::constant(0u64));
}
