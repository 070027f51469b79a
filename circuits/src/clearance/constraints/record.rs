//! Record opening and count; ranges and times.

use ark_bn254::Fr;
use commitment::record::{DAY_BITS, EntryBits, TIME_BITS};
use rules::{MAX_NEGATIVES, MAX_RUNS};

use super::{Clearance, DayTime};
use crate::clearance::{Heading, Witness};
use crate::gadget::{bits, leaf};
use crate::rows::{Part, Wire};

/// One entry of the record.
pub(super) struct EntryWires {
    /// One for a stay; absent where only a fact can stand.
    pub is_stay: Option<Wire>,
    pub kind: Vec<Wire>,
    pub ended: Wire,
    pub begin: Wire,
    pub end: Wire,
    pub place: Wire,
}

/// The record taken apart.
pub(super) struct RecordWires {
    /// Wide positions first, then those for facts only.
    pub entries: Vec<EntryWires>,
    pub negatives: [Wire; MAX_NEGATIVES],
    pub runs: [(Wire, Wire); MAX_RUNS],
}

/// Opens the record: all of its positions, none of which can be skipped.
pub(super) fn open(rows: &mut Clearance, w: &Witness, now: &DayTime, leaf: &Wire) -> RecordWires {
    let wide = w.record.entries.iter().map(|e| (e, true));
    let all = wide.chain(w.record.facts.iter().map(|e| (e, false)));
    let entries: Vec<EntryWires> = all
        .enumerate()
        .map(|(i, (e, wide))| rows.within(("entry", i), |rows| entry(rows, e, wide, now)))
        .collect();
    let negatives =
        std::array::from_fn(|i| time(rows, ("negative", i), w.record.negatives[i], now));
    let runs =
        std::array::from_fn(|i| rows.within(("run", i), |rows| run(rows, w.record.runs[i], now)));
    let record = RecordWires {
        entries,
        negatives,
        runs,
    };

    rows.under(Heading::RecordOpening);
    let elements = elements(&record);
    let (hashed, _) = leaf::record(rows, &elements, w.identity, w.blinding);
    rows.equal("leaf", &hashed, leaf);
    record
}

fn entry(rows: &mut Clearance, e: &EntryBits, wide: bool, now: &DayTime) -> EntryWires {
    rows.under(Heading::RecordOpening);
    let is_stay = wide.then(|| bits::bit(rows, "is stay", e.is_stay));
    let kind = bits::free_bits(rows, "kind", Fr::from(e.kind), 4);
    let ended = bits::bit(rows, "ended", e.ended);
    let place_bits = if wide { 47 } else { 7 };
    let place = bits::free_bits(rows, "place", Fr::from(e.place), place_bits);
    let place = Wire::from_bits(&place);
    let begin = time(rows, "begin", e.begin, now);
    let end = time(rows, "end", e.end, now);
    EntryWires {
        is_stay,
        kind,
        ended,
        begin,
        end,
        place,
    }
}

/// A committed time: its distance back from `as_of` has 26 bits, so it is not later; that it is not another time
/// either follows from the width it takes in its element.
fn time(rows: &mut Clearance, part: impl Into<Part>, minute: u32, now: &DayTime) -> Wire {
    rows.under(Heading::RangesAndTimes);
    rows.within(part, |rows| {
        let minute = rows.witness_u64("minute", u64::from(minute));
        let back = &now.minute - &minute;
        bits::bits(rows, "back", &back, 26);
        minute
    })
}

/// A check-in run: its last day is not after today; its first is 16 bits.
fn run(rows: &mut Clearance, (first, last): (u16, u16), now: &DayTime) -> (Wire, Wire) {
    rows.under(Heading::RangesAndTimes);
    let first = Wire::from_bits(&bits::free_bits(rows, "first", Fr::from(first), 16));
    let last = rows.witness_u64("last", u64::from(last));
    let back = &now.day - &last;
    bits::bits(rows, "back", &back, 16);
    (first, last)
}

/// The packed elements, the twin of [`commitment::record::RecordLayout::elements`].
fn elements(record: &RecordWires) -> Vec<Wire> {
    let kinds: Vec<Wire> = record
        .entries
        .iter()
        .map(|e| Wire::from_bits(&e.kind))
        .collect();
    let fields = |position: usize| {
        let e = &record.entries[position];
        let mut fields = Vec::with_capacity(6);
        let mut place_bits = 7;
        if let Some(is_stay) = &e.is_stay {
            fields.push((is_stay, 1));
            place_bits = 47;
        }
        fields.extend([(&kinds[position], 4), (&e.ended, 1)]);
        fields.extend([
            (&e.begin, TIME_BITS),
            (&e.end, TIME_BITS),
            (&e.place, place_bits),
        ]);
        fields
    };
    let together = |positions: std::ops::Range<usize>| {
        Wire::pack(&positions.flat_map(fields).collect::<Vec<_>>())
    };
    let wide = (0..6).map(|i| together(2 * i..2 * i + 2));
    let narrow = (0..4).map(|i| together(12 + 3 * i..15 + 3 * i));
    let mut out: Vec<Wire> = wide.chain(narrow).collect();
    let negatives: Vec<_> = record.negatives.iter().map(|n| (n, TIME_BITS)).collect();
    out.push(Wire::pack(&negatives));
    let days: Vec<_> = record
        .runs
        .iter()
        .flat_map(|(a, b)| [(a, DAY_BITS), (b, DAY_BITS)])
        .collect();
    out.push(Wire::pack(&days));
    out
}
