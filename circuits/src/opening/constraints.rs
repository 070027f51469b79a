//! The statement as rank-1 rows, under the headings of `STATEMENT.md`.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use commitment::Tree;
use commitment::opening::{
    CONDITIONS, KEY_BITS, MOMENT_BITS, NEGATIVE_TEST_KEY, OPENING_INPUTS, OpeningInputs,
};
use commitment::poseidon::Domain;
use commitment::record::{EntryBits, RecordLayout, TIME_BITS};

use super::{Heading, Witness};
use crate::gadget::{bits, leaf, merkle, mux, poseidon};
use crate::opening::witness::POSITION_BITS;
use crate::rows::{Part, Purpose, Rows, Walk, Wire};

type Opening = Rows<Heading>;

/// Bits of a moment of a record.
const MINUTE_BITS: usize = 26;

/// The public inputs' names, in their order.
pub const PUBLIC_INPUT_NAMES: [&str; OPENING_INPUTS] = [
    "state_root",
    "leaf",
    "subject_high",
    "subject_low",
    "sought",
    "answer",
];

/// The public inputs as wires, at their fixed positions.
struct Public {
    state_root: Wire,
    leaf: Wire,
    subject: [Wire; 2],
    sought: Wire,
    answer: Wire,
}

/// One entry of the record, taken apart.
struct EntryWires {
    /// One for a stay; absent where only a fact can stand.
    is_stay: Option<Wire>,
    kind: Wire,
    ended: Wire,
    begin: Wire,
    end: Wire,
    place: Wire,
}

/// The record taken apart, as far as it is read: check-in runs stay packed.
struct RecordWires {
    entries: Vec<EntryWires>,
    negatives: Vec<Wire>,
    identity: Wire,
}

/// What is asked, taken apart.
struct Asked {
    key: Wire,
    begin: Wire,
    end_not_before: Wire,
    is_there: Wire,
    begin_equal: Wire,
    begin_not_before: Wire,
    begin_not_after: Wire,
    ended: Wire,
    end_bound: Wire,
    absent: Wire,
}

/// Walks over the whole statement.
pub(super) fn walk(
    purpose: Purpose,
    public: &OpeningInputs,
    witness: &Witness,
    omitted: Option<Heading>,
) -> Walk<Heading> {
    let fields = public.to_fields();
    let named: [_; OPENING_INPUTS] = std::array::from_fn(|i| (PUBLIC_INPUT_NAMES[i], fields[i]));
    let (mut rows, wires) = Rows::new(purpose, Heading::StateMembership, &named, omitted);
    let wires: [Wire; OPENING_INPUTS] = wires.try_into().expect("as many as were given");
    let [state_root, leaf, high, low, sought, answer] = wires;
    let public = Public {
        state_root,
        leaf,
        subject: [high, low],
        sought,
        answer,
    };
    let rows_ = &mut rows;

    state_membership(rows_, &public, witness);
    let record = open(rows_, &public, witness);
    subject(rows_, &public, witness, &record);
    let asked = asked(rows_, &public);
    let keys = keys(rows_, &record);
    entry(rows_, witness, &record, &keys, &asked);
    absence(rows_, &public, &record, &keys, &asked);
    rows.finish()
}

fn state_membership(rows: &mut Opening, public: &Public, w: &Witness) {
    rows.under(Heading::StateMembership);
    let (root, _) = merkle::root(rows, Tree::State, &public.leaf, &w.state_path);
    rows.equal("root", &root, &public.state_root);
}

/// Opens the record: all of its entries and negative tests, none of which can be skipped.
fn open(rows: &mut Opening, public: &Public, w: &Witness) -> RecordWires {
    let wide = w.record.entries.iter().map(|e| (e, true));
    let all = wide.chain(w.record.facts.iter().map(|e| (e, false)));
    let entries: Vec<EntryWires> = all
        .enumerate()
        .map(|(i, (e, wide))| rows.within(("entry", i), |rows| entry_bits(rows, e, wide)))
        .collect();
    let negatives = w.record.negatives.iter().enumerate();
    let negatives: Vec<Wire> = negatives
        .map(|(i, minute)| time(rows, ("negative", i), *minute))
        .collect();

    rows.under(Heading::RecordOpening);
    let mut elements = elements(&entries);
    elements.push(Wire::pack(&widths(&negatives, TIME_BITS)));
    // Check-in runs are hashed as they stand: nothing here reads them.
    let runs = RecordLayout {
        runs: w.record.runs,
        ..RecordLayout::default()
    };
    let [.., runs] = runs.elements();
    elements.push(rows.witness("runs", runs));
    let (hashed, identity) = leaf::record(rows, &elements, w.identity, w.blinding);
    rows.equal("leaf", &hashed, &public.leaf);
    RecordWires {
        entries,
        negatives,
        identity,
    }
}

fn widths(wires: &[Wire], width: usize) -> Vec<(&Wire, usize)> {
    wires.iter().map(|wire| (wire, width)).collect()
}

fn entry_bits(rows: &mut Opening, e: &EntryBits, wide: bool) -> EntryWires {
    rows.under(Heading::RecordOpening);
    let is_stay = wide.then(|| bits::bit(rows, "is stay", e.is_stay));
    let kind = bits::free_bits(rows, "kind", Fr::from(e.kind), 4);
    let ended = bits::bit(rows, "ended", e.ended);
    let place_bits = if wide { 47 } else { 7 };
    let place = bits::free_bits(rows, "place", Fr::from(e.place), place_bits);
    EntryWires {
        is_stay,
        kind: Wire::from_bits(&kind),
        ended,
        place: Wire::from_bits(&place),
        begin: time(rows, "begin", e.begin),
        end: time(rows, "end", e.end),
    }
}

/// A committed time: 26 bits. That it is no other one follows from the width that it takes in its element.
fn time(rows: &mut Opening, part: impl Into<Part>, minute: u32) -> Wire {
    rows.under(Heading::RangesAndTimes);
    Wire::from_bits(&bits::free_bits(rows, part, Fr::from(minute), MINUTE_BITS))
}

/// The packed elements of entries, the twin of [`commitment::record::RecordLayout::elements`].
fn elements(entries: &[EntryWires]) -> Vec<Wire> {
    let fields = |e: &EntryWires| {
        let mut fields = Vec::with_capacity(6);
        let mut place_bits = 7;
        if let Some(is_stay) = &e.is_stay {
            fields.push((is_stay.clone(), 1));
            place_bits = 47;
        }
        fields.extend([(e.kind.clone(), 4), (e.ended.clone(), 1)]);
        fields.extend([
            (e.begin.clone(), TIME_BITS),
            (e.end.clone(), TIME_BITS),
            (e.place.clone(), place_bits),
        ]);
        fields
    };
    let together = |entries: &[EntryWires]| {
        let fields: Vec<(Wire, usize)> = entries.iter().flat_map(fields).collect();
        Wire::pack(&fields.iter().map(|(w, b)| (w, *b)).collect::<Vec<_>>())
    };
    let (wide, narrow) = entries.split_at(rules::MAX_STAYS);
    let wide = wide.chunks_exact(2).map(together);
    wide.chain(narrow.chunks_exact(3).map(together)).collect()
}

/// The identity in the record is the commitment to the public subject.
fn subject(rows: &mut Opening, public: &Public, w: &Witness, record: &RecordWires) {
    rows.under(Heading::Subject);
    let salt = rows.witness("salt", w.salt);
    let [high, low] = public.subject.clone();
    let hashed = poseidon::hash(rows, "hash", Domain::Identity, &[high, low, salt]);
    rows.equal("identity", &hashed, &record.identity);
}

/// What is sought and what is answered, taken apart into their fields.
fn asked(rows: &mut Opening, public: &Public) -> Asked {
    rows.under(Heading::SoughtAndAnswer);
    let sought = bits::bits(rows, "sought", &public.sought, KEY_BITS + MOMENT_BITS);
    let answer = bits::bits(rows, "answer", &public.answer, CONDITIONS + MOMENT_BITS);
    let (key, begin) = sought.split_at(KEY_BITS);
    let (conditions, end) = answer.split_at(CONDITIONS);
    let conditions: [Wire; CONDITIONS] = conditions.to_vec().try_into().expect("seven bits");
    let [
        is_there,
        begin_equal,
        begin_not_before,
        begin_not_after,
        ended,
        end_bound,
        absent,
    ] = conditions;
    Asked {
        key: Wire::from_bits(key),
        begin: Wire::from_bits(begin),
        end_not_before: Wire::from_bits(end),
        is_there,
        begin_equal,
        begin_not_before,
        begin_not_after,
        ended,
        end_bound,
        absent,
    }
}

/// The keys of all entries: a stay has no kind, whatever stands in its place.
fn keys(rows: &mut Opening, record: &RecordWires) -> Vec<Wire> {
    rows.under(Heading::RecordOpening);
    let entries = record.entries.iter().enumerate();
    let key = |(i, e): (usize, &EntryWires)| {
        let place = &e.place * (1 << 6);
        let Some(is_stay) = &e.is_stay else {
            return &place + &(&e.kind * 4);
        };
        let kind = rows.within(("entry", i), |rows| {
            rows.product("kind of a fact", &is_stay.not(), &e.kind)
        });
        &(&place + &(&kind * 4)) + &(is_stay * 2)
    };
    entries.map(key).collect()
}

/// What stands at the position opened fulfils each condition that the answer sets.
fn entry(rows: &mut Opening, w: &Witness, record: &RecordWires, keys: &[Wire], asked: &Asked) {
    rows.under(Heading::Entry);
    let position = bits::free_bits(rows, "position", Fr::from(w.position), POSITION_BITS);
    let of_entries = |of: fn(&EntryWires) -> &Wire| record.entries.iter().map(of).cloned();
    let begins = of_entries(|e| &e.begin).chain(record.negatives.iter().cloned());
    let begin = mux::select(rows, "begin", &position, &begins.collect::<Vec<_>>());
    // The last quarter of the positions are tests: they have one key, and no end.
    let is_test = rows.product("test", &position[3], &position[4]);
    let mut of_entry = |part: &'static str, wires: &[Wire], of_test: u64| {
        let entry = mux::select(rows, part, &position, wires);
        mux::choose(rows, part, &is_test, &Wire::constant(of_test), &entry)
    };
    let key = of_entry("key", keys, NEGATIVE_TEST_KEY);
    let ended = of_entry("ended", &of_entries(|e| &e.ended).collect::<Vec<_>>(), 0);
    let end = of_entry("end", &of_entries(|e| &e.end).collect::<Vec<_>>(), 0);

    let zero = Wire::constant(0u64);
    rows.enforce("same key", &asked.is_there, &(&key - &asked.key), &zero);
    rows.enforce(
        "ended or not",
        &asked.is_there,
        &(&ended - &asked.ended),
        &zero,
    );
    let after = &begin - &asked.begin;
    let before = &asked.begin - &begin;
    rows.enforce("same begin", &asked.begin_equal, &after, &zero);
    bits::range_if(
        rows,
        "begin not before",
        &asked.begin_not_before,
        &after,
        MINUTE_BITS,
    );
    bits::range_if(
        rows,
        "begin not after",
        &asked.begin_not_after,
        &before,
        MINUTE_BITS,
    );
    let late = &end - &asked.end_not_before;
    bits::range_if(rows, "end not before", &asked.end_bound, &late, MINUTE_BITS);
}

/// If absence is answered, no position has the key and the begin sought: the product of all differences is not zero.
fn absence(
    rows: &mut Opening,
    public: &Public,
    record: &RecordWires,
    keys: &[Wire],
    asked: &Asked,
) {
    rows.under(Heading::Absence);
    let packed = |key: &Wire, begin: &Wire| Wire::pack(&[(key, KEY_BITS), (begin, MINUTE_BITS)]);
    let entries = keys.iter().zip(&record.entries);
    let entries = entries.map(|(key, entry)| packed(key, &entry.begin));
    let test = Wire::constant(NEGATIVE_TEST_KEY);
    let tests = record.negatives.iter().map(|minute| packed(&test, minute));
    let mut differences = entries
        .chain(tests)
        .map(|standing| &standing - &public.sought);
    let first = differences.next().expect("24 entries");
    let product = differences
        .enumerate()
        .fold(first, |product, (i, difference)| {
            rows.product(("differences", i + 1), &product, &difference)
        });
    // Without an answer of absence the number is zero, or anything at all where something sought is there.
    let inverse = product.value().inverse().unwrap_or(Fr::ZERO);
    let inverse = rows.witness("inverse", inverse * asked.absent.value());
    rows.enforce("none of them", &product, &inverse, &asked.absent);
}
