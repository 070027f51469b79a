//! The statement as rank-1 rows, under the headings of `STATEMENT.md`.

mod entries;
mod opening;
mod record;
mod slots;

use ark_bn254::Fr;
use commitment::{PUBLIC_INPUTS, PublicInputs};
use rules::UTC_PLUS_8_MIN;

use super::{Heading, Witness};
use crate::gadget::{bits, mux};
use crate::rows::{Purpose, Rows, Walk, Wire};

type Clearance = Rows<Heading>;

/// The public inputs as wires, at their fixed positions.
struct Public {
    registry_root: Wire,
    risk_root: Wire,
    rule_digest: Wire,
    as_of: Wire,
    claim: Wire,
    binder: Wire,
}

/// The public inputs' names, in their order.
pub const PUBLIC_INPUT_NAMES: [&str; PUBLIC_INPUTS] = [
    "registry_root",
    "risk_root",
    "rule_digest",
    "as_of",
    "claim",
    "binder",
];

/// A moment with its UTC+8 day and minute of the day.
struct DayTime {
    minute: Wire,
    day: Wire,
    minute_of_day: Wire,
}

/// What is claimed, taken apart.
struct ClaimBits {
    yellow_admitted: Wire,
    test_age: [Wire; 2],
}

/// Walks over the whole statement.
pub(super) fn walk(
    purpose: Purpose,
    public: &PublicInputs,
    witness: &Witness,
    omitted: Option<Heading>,
) -> Walk<Heading> {
    let named: [_; PUBLIC_INPUTS] =
        std::array::from_fn(|i| (PUBLIC_INPUT_NAMES[i], public.to_fields()[i]));
    let (mut rows, wires) = Rows::new(purpose, Heading::RangesAndTimes, &named, omitted);
    let wires: [Wire; PUBLIC_INPUTS] = wires.try_into().expect("as many as were given");
    let [registry_root, risk_root, rule_digest, as_of, claim, binder] = wires;
    let public = Public {
        registry_root,
        risk_root,
        rule_digest,
        as_of,
        claim,
        binder,
    };
    let rows_ = &mut rows;

    let now = as_of_day(rows_, &public.as_of);
    let leaf = opening::membership(rows_, &public, witness, &now);
    let record = record::open(rows_, witness, &now, &leaf);
    let table = opening::rule_table(rows_, &public, witness);
    let intervals = opening::risk_intervals(rows_, &public, witness, &table);
    let claim = claim_bits(rows_, &public.claim);
    let slots = slots::rows_of(rows_, witness, &table);
    entries::keys_and_slots(rows_, witness, &now, &record, &table, &intervals, &slots);
    for (number, (slot, claimed)) in slots.iter().zip(&witness.slots).enumerate() {
        rows_.within(("slot", number), |rows| {
            slots::evaluate(rows, slot, claimed, &now, &record, &claim);
        });
    }
    test_age(rows_, witness, &now, &record, &claim);
    // The binder is used nowhere else; a row of its own keeps it from vanishing out of the key.
    rows_.under(Heading::Binder);
    let _ = rows_.product("square", &public.binder, &public.binder);
    rows.finish()
}

/// `as_of`, whose 26 bits the verifier's type keeps, as day and minute of the day.
fn as_of_day(rows: &mut Clearance, as_of: &Wire) -> DayTime {
    rows.under(Heading::RangesAndTimes);
    rows.within("as_of", |rows| {
        let time = day_time(rows, low_u64(as_of));
        rows.equal("whole", as_of, &time.minute);
        time
    })
}

/// A new moment, given by a day of 16 bits and a minute of that day below 1440.
fn day_time(rows: &mut Clearance, minute: u64) -> DayTime {
    let local = minute + u64::from(UTC_PLUS_8_MIN);
    let day = Wire::from_bits(&bits::free_bits(rows, "day", Fr::from(local / 1440), 16));
    let minute_of_day =
        Wire::from_bits(&bits::free_bits(rows, "minute", Fr::from(local % 1440), 11));
    let spare = &Wire::constant(1439u64) - &minute_of_day;
    bits::bits(rows, "minute below 1440", &spare, 11);
    let minute = &(&(&day * 1440) + &minute_of_day) - &Wire::constant(u64::from(UTC_PLUS_8_MIN));
    DayTime {
        minute,
        day,
        minute_of_day,
    }
}

fn claim_bits(rows: &mut Clearance, claim: &Wire) -> ClaimBits {
    rows.under(Heading::WorstColour);
    let bits = bits::bits(rows, "claim", claim, 3);
    let [yellow_admitted, low, high] = bits.try_into().expect("three bits");
    ClaimBits {
        yellow_admitted,
        test_age: [low, high],
    }
}

fn test_age(
    rows: &mut Clearance,
    w: &Witness,
    now: &DayTime,
    record: &record::RecordWires,
    claim: &ClaimBits,
) {
    rows.under(Heading::TestAge);
    let position = bits::free_bits(rows, "position", Fr::from(w.fresh_negative), 3);
    let sampled = mux::select(rows, "negative", &position, &record.negatives);
    let [low, high] = &claim.test_age;
    let asked = bits::or(rows, "asked", low, high);
    let admitted_min = &(&(high * 2) + low) * (24 * 60);
    let spare = &(&sampled - &now.minute) + &admitted_min;
    bits::range_if(rows, "young enough", &asked, &spare, 26);
}

/// The value of a wire as a small number, for choosing witnesses; garbage where it is not small.
fn low_u64(wire: &Wire) -> u64 {
    use ark_ff::PrimeField;
    wire.value().into_bigint().0[0]
}
