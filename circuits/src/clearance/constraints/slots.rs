//! Anchor, phases and lapse; clearing; worst colour.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use rules::MAX_NEGATIVES;

use super::opening::TableWires;
use super::record::RecordWires;
use super::{ClaimBits, Clearance, DayTime, day_time};
use crate::clearance::{Heading, Relief, SlotClaim, Witness};
use crate::gadget::{bits, mux};
use crate::rows::Wire;

/// An offset of a row: unit (one for days) and count.
struct OffsetWires {
    is_days: Wire,
    count: Wire,
}

/// One way out of a row.
struct ClearingWires {
    enabled: Wire,
    after: OffsetWires,
    /// The number of negatives, two bits.
    negatives: [Wire; 2],
    gap_hours: Wire,
    span_hours: Wire,
    /// 256 hours later than the row says, so that it is not negative.
    neg_from_shifted: Wire,
    check_in_days: Wire,
}

/// A reason: key, anchor, and the row of its key taken apart.
pub(super) struct SlotWires {
    pub key: Wire,
    pub anchor: DayTime,
    pub not_monotone: Wire,
    /// Yellow and red bits before the switch.
    first: [Wire; 2],
    then: [Wire; 2],
    switch: OffsetWires,
    lapse: OffsetWires,
    ways: [ClearingWires; 2],
}

/// Bits of a packed row.
const ROW_BITS: usize = 117;

/// The slots with the rows that the rule table gives their keys.
pub(super) fn rows_of(rows: &mut Clearance, w: &Witness, table: &TableWires) -> Vec<SlotWires> {
    let slots = w.slots.iter().enumerate();
    slots
        .map(|(i, claim)| rows.within(("slot", i), |rows| slot(rows, claim, table)))
        .collect()
}

fn slot(rows: &mut Clearance, claim: &SlotClaim, table: &TableWires) -> SlotWires {
    rows.under(Heading::AnchorPhasesLapse);
    let key = bits::free_bits(rows, "key", Fr::from(claim.key), 7);
    // There is no key from 96 on.
    rows.enforce("key below 96", &key[5], &key[6], &Wire::constant(0u64));
    let anchor = rows.within("anchor", |rows| day_time(rows, u64::from(claim.anchor)));
    let packed = table.row(rows, &key);
    let mut rest: &[Wire] = &bits::bits(rows, "row", &packed, ROW_BITS);
    let mut take = |width: usize| {
        let (taken, left) = rest.split_at(width);
        rest = left;
        taken.to_vec()
    };
    let mut pair = || -> [Wire; 2] { take(2).try_into().expect("two bits") };
    let [first, then] = [pair(), pair()];
    let switch = offset(&mut take);
    let lapse = offset(&mut take);
    let not_monotone = take(1).remove(0);
    let ways = [clearing(&mut take), clearing(&mut take)];
    SlotWires {
        key: Wire::from_bits(&key),
        anchor,
        not_monotone,
        first,
        then,
        switch,
        lapse,
        ways,
    }
}

fn offset(take: &mut impl FnMut(usize) -> Vec<Wire>) -> OffsetWires {
    OffsetWires {
        is_days: take(1).remove(0),
        count: Wire::from_bits(&take(10)),
    }
}

fn clearing(take: &mut impl FnMut(usize) -> Vec<Wire>) -> ClearingWires {
    let enabled = take(1).remove(0);
    let after = offset(take);
    let negatives = take(2).try_into().expect("two bits");
    let mut number = |width| Wire::from_bits(&take(width));
    // One hour is stored as zero, so that no gap admits one test twice.
    let gap_hours = &number(7) + &Wire::constant(1u64);
    let [span_hours, neg_from_shifted, check_in_days] = [number(10), number(9), number(5)];
    ClearingWires {
        enabled,
        after,
        negatives,
        gap_hours,
        span_hours,
        neg_from_shifted,
        check_in_days,
    }
}

/// The first minute at which an offset from the slot's anchor is reached. Two rows.
fn reached_at(
    rows: &mut Clearance,
    part: &'static str,
    anchor: &DayTime,
    offset: &OffsetWires,
) -> Wire {
    let mut if_days =
        |what, wire| rows.within(part, |rows| rows.product(what, &offset.is_days, wire));
    let to_midnight = if_days("to midnight", &anchor.minute_of_day);
    let as_days = if_days("as days", &offset.count);
    let distance = &(&offset.count * 60) + &(&as_days * (1440 - 60));
    &(&anchor.minute - &to_midnight) + &distance
}

/// Phase, lapse, clearing and colour of one slot.
pub(super) fn evaluate(
    rows: &mut Clearance,
    slot: &SlotWires,
    claimed: &SlotClaim,
    now: &DayTime,
    record: &RecordWires,
    claim: &ClaimBits,
) {
    rows.under(Heading::AnchorPhasesLapse);
    let switch_at = reached_at(rows, "switch at", &slot.anchor, &slot.switch);
    let switched = bits::not_negative(rows, "switched", &(&now.minute - &switch_at), 27);
    let yellow = mux::choose(rows, "yellow", &switched, &slot.then[0], &slot.first[0]);
    let red = mux::choose(rows, "red", &switched, &slot.then[1], &slot.first[1]);
    let lapsed = lapse(rows, slot, claimed.lapsed, now);
    let cleared = relief(rows, slot, claimed.relief, now, record);

    rows.under(Heading::WorstColour);
    let open = rows.product("open", &lapsed.not(), &cleared.not());
    let zero = Wire::constant(0u64);
    rows.enforce("not red", &open, &red, &zero);
    let open_and_green_claimed = rows.product(
        "open and green claimed",
        &open,
        &claim.yellow_admitted.not(),
    );
    rows.enforce("not yellow", &open_and_green_claimed, &yellow, &zero);
}

/// A claimed lapse: the row has one, and it is reached.
fn lapse(rows: &mut Clearance, slot: &SlotWires, claimed: bool, now: &DayTime) -> Wire {
    let lapsed = bits::bit(rows, "lapsed", claimed);
    let inverse = if claimed {
        slot.lapse.count.value().inverse().unwrap_or(Fr::ZERO)
    } else {
        Fr::ZERO
    };
    let inverse = rows.witness("inverse of lapse", inverse);
    rows.enforce("has a lapse", &slot.lapse.count, &inverse, &lapsed);
    let lapse_at = reached_at(rows, "lapse at", &slot.anchor, &slot.lapse);
    bits::range_if(
        rows,
        "lapse reached",
        &lapsed,
        &(&now.minute - &lapse_at),
        27,
    );
    lapsed
}

/// A claimed clearing: one enabled way out, with its time, its negatives and its check-in days.
fn relief(
    rows: &mut Clearance,
    slot: &SlotWires,
    claimed: Option<Relief>,
    now: &DayTime,
    record: &RecordWires,
) -> Wire {
    rows.under(Heading::Clearing);
    let chosen = claimed.unwrap_or_default();
    let cleared = bits::bit(rows, "cleared", claimed.is_some());
    let alternative = bits::bit(rows, "alternative", chosen.alternative == 1);
    let way = way_out(rows, &alternative, &slot.ways);
    rows.enforce(
        "way is there",
        &cleared,
        &way.enabled.not(),
        &Wire::constant(0u64),
    );
    let after = reached_at(rows, "after at", &slot.anchor, &way.after);
    bits::range_if(rows, "after reached", &cleared, &(&now.minute - &after), 27);
    negatives(rows, &cleared, &way, slot, chosen, &record.negatives);
    check_ins(rows, &cleared, &way, slot, chosen, record);
    cleared
}

fn way_out(rows: &mut Clearance, second: &Wire, [a, b]: &[ClearingWires; 2]) -> ClearingWires {
    let mut of = |part: &'static str, of: &dyn Fn(&ClearingWires) -> Wire| {
        rows.within("way", |rows| {
            mux::choose(rows, part, second, &of(b), &of(a))
        })
    };
    ClearingWires {
        enabled: of("enabled", &|c| c.enabled.clone()),
        after: OffsetWires {
            is_days: of("after in days", &|c| c.after.is_days.clone()),
            count: of("after", &|c| c.after.count.clone()),
        },
        negatives: [
            of("negatives bit 0", &|c| c.negatives[0].clone()),
            of("negatives bit 1", &|c| c.negatives[1].clone()),
        ],
        gap_hours: of("gap", &|c| c.gap_hours.clone()),
        span_hours: of("span", &|c| c.span_hours.clone()),
        neg_from_shifted: of("negatives from", &|c| c.neg_from_shifted.clone()),
        check_in_days: of("check-in days", &|c| c.check_in_days.clone()),
    }
}

/// As many negatives as the way out needs: the first not too early, each a gap after the one before, all in the span.
fn negatives(
    rows: &mut Clearance,
    cleared: &Wire,
    way: &ClearingWires,
    slot: &SlotWires,
    chosen: Relief,
    negatives: &[Wire; MAX_NEGATIVES],
) {
    let [bit_0, bit_1] = &way.negatives;
    let three = rows.product("three negatives", bit_0, bit_1);
    let at_least_one = &(bit_0 + bit_1) - &three;
    let one = rows.product("first needed", cleared, &at_least_one);
    let two = rows.product("second needed", cleared, bit_1);
    let all_three = rows.product("third needed", cleared, &three);
    let picked: [Wire; 3] = std::array::from_fn(|i| {
        let position = Fr::from(chosen.negatives[i]);
        let position = bits::free_bits(rows, ("negative", i), position, 3);
        mux::select(rows, ("negative", i), &position, negatives)
    });
    let [first, second, third] = &picked;
    let shift_min = Wire::constant(256u64 * 60);
    let since_earliest =
        &(&(first - &slot.anchor.minute) - &(&way.neg_from_shifted * 60)) + &shift_min;
    bits::range_if(rows, "first not too early", &one, &since_earliest, 27);
    let gap_min = &way.gap_hours * 60;
    bits::range_if(
        rows,
        "gap to second",
        &two,
        &(&(second - first) - &gap_min),
        26,
    );
    bits::range_if(
        rows,
        "gap to third",
        &all_three,
        &(&(third - second) - &gap_min),
        26,
    );
    let last = mux::choose(rows, "last negative", &three, third, second);
    let spare = &(&way.span_hours * 60) - &(&last - first);
    bits::range_if(rows, "within span", &two, &spare, 26);
}

/// As many consecutive days in one run as the way out needs, all after the anchor's day.
fn check_ins(
    rows: &mut Clearance,
    cleared: &Wire,
    way: &ClearingWires,
    slot: &SlotWires,
    chosen: Relief,
    record: &RecordWires,
) {
    let none_needed = bits::is_zero(rows, "no check-ins", &way.check_in_days);
    let needed = rows.product("check-ins needed", cleared, &none_needed.not());
    let position = bits::free_bits(rows, "run", Fr::from(chosen.run), 2);
    let ends =
        |part: &dyn Fn(&(Wire, Wire)) -> Wire| record.runs.iter().map(part).collect::<Vec<_>>();
    let run_first = mux::select(rows, "run first", &position, &ends(&|r| r.0.clone()));
    let run_last = mux::select(rows, "run last", &position, &ends(&|r| r.1.clone()));
    let first = rows.witness_u64("first day", u64::from(chosen.first_day));
    let one = Wire::constant(1u64);
    let last = &(&first + &way.check_in_days) - &one;
    bits::range_if(rows, "first in run", &needed, &(&first - &run_first), 17);
    bits::range_if(
        rows,
        "first after anchor",
        &needed,
        &(&(&first - &slot.anchor.day) - &one),
        17,
    );
    bits::range_if(rows, "last in run", &needed, &(&run_last - &last), 17);
}
