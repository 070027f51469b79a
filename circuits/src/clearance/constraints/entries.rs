//! Entry key; the stays' share of risk opening; reason slots.

use ark_bn254::Fr;
use rules::MAX_PERIODS;

use super::opening::{IntervalWires, PeriodWires, TableWires};
use super::record::{EntryWires, RecordWires};
use super::slots::SlotWires;
use super::{Clearance, DayTime};
use crate::clearance::{EntryClaim, Heading, Witness};
use crate::gadget::{bits, mux};
use crate::rows::Wire;

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
    for (entry, claim) in record.entries.iter().zip(w.entries) {
        rows.under(Heading::EntryKey);
        let fact = fact(rows, entry, table);
        let derived = match &entry.is_stay {
            None => fact,
            Some(is_stay) => {
                let interval = interval_of(rows, entry, is_stay, claim, intervals);
                rows.under(Heading::EntryKey);
                let stay = stay(rows, entry, &interval.periods, now);
                Derived {
                    key: mux::choose(rows, is_stay, &stay.key, &fact.key),
                    anchor: mux::choose(rows, is_stay, &stay.anchor, &fact.anchor),
                    is_ground: mux::choose(rows, is_stay, &stay.is_ground, &fact.is_ground),
                }
            }
        };
        let claimed = Derived {
            key: rows.witness_u64(u64::from(claim.key)),
            anchor: rows.witness_u64(u64::from(claim.anchor)),
            is_ground: rows.witness(Fr::from(claim.is_ground)),
        };
        rows.equal(&claimed.key, &derived.key);
        rows.equal(&claimed.anchor, &derived.anchor);
        rows.equal(&claimed.is_ground, &derived.is_ground);
        in_slot(rows, &claimed, claim, slots);
    }
}

/// Facts: `kind + 16·ended + 32·local`, anchored at the end, or at the begin without one; no ground without a kind.
fn fact(rows: &mut Clearance, entry: &EntryWires, table: &TableWires) -> Derived {
    let local = bits::is_zero(rows, &(&entry.place - &table.province));
    let kind = Wire::from_bits(&entry.kind);
    let key = &(&kind + &(&entry.ended * 16)) + &(&local * 32);
    let anchor = mux::choose(rows, &entry.ended, &entry.end, &entry.begin);
    let is_ground = bits::any(rows, &entry.kind);
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
    let position = bits::free_bits(rows, Fr::from(claim.interval), 2);
    let mut choose = |part: &dyn Fn(&IntervalWires) -> Wire| {
        mux::select(
            rows,
            &position,
            &intervals.iter().map(part).collect::<Vec<_>>(),
        )
    };
    let from = choose(&|i| i.from.clone());
    let last = choose(&|i| i.last.clone());
    let periods = std::array::from_fn(|p| PeriodWires {
        grade: [
            choose(&|i| i.periods[p].grade[0].clone()),
            choose(&|i| i.periods[p].grade[1].clone()),
        ],
        reach: choose(&|i| i.periods[p].reach.clone()),
        until: choose(&|i| i.periods[p].until.clone()),
    });
    bits::range_if(rows, is_stay, &(&entry.place - &from), 47);
    bits::range_if(rows, is_stay, &(&last - &entry.place), 47);
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
    let end = mux::choose(rows, &entry.ended, &entry.end, &now.minute);
    let meetings = periods
        .each_ref()
        .map(|period| meeting(rows, entry, &end, period));
    let met: [&Wire; MAX_PERIODS] = std::array::from_fn(|p| &meetings[p].met);
    let at_end: [&Wire; MAX_PERIODS] = std::array::from_fn(|p| &meetings[p].at_end);
    let worst = worst_grade(rows, met, periods);
    let finally = worst_grade(rows, at_end, periods);
    let mut anchor = end;
    for (period, meeting) in meetings.iter().enumerate() {
        let [low, upper] = &worst.by_period[period];
        let counts = mux::choose(rows, &worst.grade[1], upper, low);
        anchor = mux::choose(rows, &counts, &meeting.last, &anchor);
    }
    let number = |grade: &[Wire; 2]| &grade[0] + &(&grade[1] * 2);
    let key = &number(&worst.grade) + &(&number(&finally.grade) * 4);
    let key = &(&key + &(&entry.ended.not() * 16)) + &Wire::constant(64u64);
    let is_ground = bits::or(rows, &worst.grade[0], &worst.grade[1]);
    Derived {
        key,
        anchor,
        is_ground,
    }
}

fn meeting(rows: &mut Clearance, entry: &EntryWires, end: &Wire, period: &PeriodWires) -> Meeting {
    let one = Wire::constant(1u64);
    let begins_before = bits::not_negative(rows, &(&(&period.until - &entry.begin) - &one), 26);
    let ends_after = bits::not_negative(rows, &(end - &period.reach), 27);
    let still_listed = bits::not_negative(rows, &(&(&period.until - end) - &one), 26);
    let met = rows.product(&begins_before, &ends_after);
    let at_end = rows.product(&met, &still_listed);
    let last = mux::choose(rows, &still_listed, end, &period.until);
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
        [rows.product(met[p], low), rows.product(met[p], upper)]
    });
    let high: [Wire; MAX_PERIODS] =
        std::array::from_fn(|p| rows.product(&by_period[p][1], &periods[p].grade[0]));
    let any_upper = bits::any(rows, &by_period.each_ref().map(|[_, upper]| upper.clone()));
    let any_low = bits::any(rows, &by_period.each_ref().map(|[low, _]| low.clone()));
    let any_high = bits::any(rows, &high);
    let low = mux::choose(rows, &any_upper, &any_high, &any_low);
    Worst {
        grade: [low, any_upper],
        by_period,
    }
}

/// A ground lies in a slot of its own key; the slot's anchor is not earlier, and equal where the row is not monotone.
fn in_slot(rows: &mut Clearance, ground: &Derived, claim: EntryClaim, slots: &[SlotWires]) {
    rows.under(Heading::ReasonSlots);
    let position = bits::free_bits(rows, Fr::from(claim.slot), 3);
    // Key and monotony in one: the key is below 128, whatever the claim.
    let marked: Vec<Wire> = slots
        .iter()
        .map(|s| &s.key + &(&s.not_monotone * 128))
        .collect();
    let anchors: Vec<Wire> = slots.iter().map(|s| s.anchor.minute.clone()).collect();
    let marked = mux::select(rows, &position, &marked);
    let anchor = mux::select(rows, &position, &anchors);
    let must_equal = bits::bit(rows, super::low_u64(&marked) >= 128);
    let difference = &(&marked - &ground.key) - &(&must_equal * 128);
    rows.enforce(&ground.is_ground, &difference, &Wire::constant(0u64));
    let later_by = bits::range_if(rows, &ground.is_ground, &(&anchor - &ground.anchor), 27);
    rows.enforce(&must_equal, &later_by, &Wire::constant(0u64));
}
