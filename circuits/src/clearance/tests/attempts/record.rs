//! What is committed: grounds left out, and leaves that no record has, which a dishonest home node can make.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, PrimeField};
use commitment::pow2;
use commitment::record::{DAY_BITS, EntryBits, TIME_BITS};
use proptest::prelude::*;
use rules::{AreaCode, FactKind, Grade, Interval, Minute, Period, RiskMap, Stay};

use super::*;
use crate::clearance::EntryClaim;
use crate::clearance::scene::place;
use crate::rows::low_bits;

#[test]
fn a_case_is_left_out_of_no_position() {
    for position in 0..24 {
        let (public, truth) = case_at(position);
        refused_under(Heading::WorstColour, &(public, truth.clone()));
        let read_as = |change: &dyn Fn(&mut EntryBits)| {
            let mut witness = truth.clone();
            change(entry_of(&mut witness, position));
            claim_truly(&public, &mut witness);
            refused_under(Heading::RecordOpening, &(public, witness));
        };
        read_as(&|entry| *entry = EntryBits::default());
        read_as(&|entry| entry.kind = 0);
        read_as(&|entry| (entry.ended, entry.end) = (true, entry.begin));
        if position < 12 {
            read_as(&|entry| entry.is_stay = true);
        }
        let mut witness = truth.clone();
        witness.slots = Default::default();
        witness.entries[position].is_ground = false;
        refused_under(Heading::EntryKey, &(public, witness.clone()));
        witness.entries[position].is_ground = true;
        refused_under(Heading::ReasonSlots, &(public, witness));
    }
}

#[test]
fn a_case_does_not_change_its_place_or_hide_behind_another_entry() {
    for (from, to) in [(0, 1), (0, 12), (11, 12), (12, 13), (23, 0)] {
        let (public, mut witness) = case_at(from);
        let moved = std::mem::take(entry_of(&mut witness, from));
        *entry_of(&mut witness, to) = moved;
        claim_truly(&public, &mut witness);
        witness.slots = Default::default();
        witness.entries[to].is_ground = false;
        let broken = assign(&public, &witness).broken;
        assert_eq!(broken, [Heading::RecordOpening, Heading::EntryKey]);
    }
    // The same element, its two entries the other way round.
    let (mut public, mut witness) = case_at(0);
    witness.record.entries[1] = EntryBits::from(&fact(FactKind::Entry, 35, DAY));
    recommit(&mut public, &mut witness);
    witness.record.entries.swap(0, 1);
    claim_truly(&public, &mut witness);
    let broken = assign(&public, &witness).broken;
    assert_eq!(broken, [Heading::RecordOpening, Heading::WorstColour]);
}

/// Fields of an element with the range that the rows give each and its stride in bits, lowest first.
type Fields = Vec<(i64, i64, usize)>;

fn bit_field(width: usize) -> (i64, i64, usize) {
    (0, (1 << width) - 1, width)
}

/// What a time can be under any `as_of`: from `as_of − (2^26 − 1)` to `as_of`.
const TIME: (i64, i64, usize) = (-(1 << 26) + 1, (1 << 26) - 1, TIME_BITS);
/// What the last day of a run can be likewise.
const LAST_DAY: (i64, i64, usize) = (-(1 << 16) + 1, (1 << 16) - 1, DAY_BITS);

fn elements_by_fields() -> [Fields; 4] {
    let entry = |wide: bool| {
        let mut fields = vec![bit_field(4), bit_field(1), TIME, TIME];
        if wide {
            fields.insert(0, bit_field(1));
        }
        fields.push(bit_field(if wide { 47 } else { 7 }));
        fields
    };
    let first_day = (0, (1 << 16) - 1, DAY_BITS);
    [
        [entry(true), entry(true)].concat(),
        [entry(false), entry(false), entry(false)].concat(),
        vec![TIME; 8],
        [first_day, LAST_DAY].repeat(4),
    ]
}

#[test]
fn each_field_of_an_element_is_narrower_than_its_stride_and_the_sum_than_the_field() {
    let widths = elements_by_fields().map(|fields| {
        for (low, high, stride) in &fields {
            // Two readings differ by less than a stride, so by no multiple of it.
            assert!(high - low < 1 << stride);
            assert!(-(1 << stride) < *low && *high < 1 << stride);
        }
        fields.iter().map(|f| f.2).sum::<usize>()
    });
    assert_eq!(widths, [214, 198, 216, 136]);
    // A difference of two readings is below 2^(width + 1), far from the modulus of 254 bits.
    assert!(widths.iter().all(|width| width + 1 < 253));
    assert_eq!(Fr::MODULUS_BIT_SIZE, 254);
}

fn signed(number: i64) -> Fr {
    let size = Fr::from(number.unsigned_abs());
    if number < 0 { -size } else { size }
}

/// Reads an element back: every field moved up by its least value has plain digits.
fn read(element: Fr, fields: &Fields) -> Vec<i64> {
    let mut offset = 0;
    let mut moved = element;
    for (low, _, stride) in fields {
        moved -= signed(*low) * pow2(offset);
        offset += stride;
    }
    let bits: Vec<bool> = low_bits(moved, 253).collect();
    let mut rest = &bits[..];
    let number = |(low, _, stride): &(i64, i64, usize)| {
        let (own, left) = rest.split_at(*stride);
        rest = left;
        let digits = own.iter().enumerate();
        low + digits.map(|(i, bit)| i64::from(*bit) << i).sum::<i64>()
    };
    fields.iter().map(number).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// So one leaf has at most one reading, whatever its maker put into it, and the same one under every `as_of`.
    #[test]
    fn whatever_is_committed_is_read_in_one_way_under_every_as_of(
        which in 0usize..4,
        picks in prop::collection::vec((0u8..4, any::<u64>()), 15),
    ) {
        let fields = &elements_by_fields()[which];
        let pick = |((low, high, _), (edge, any)): (&(i64, i64, usize), &(u8, u64))| match edge {
            0 => *low,
            1 => *high,
            _ => low + i64::try_from(any % (high - low + 1).unsigned_abs()).unwrap(),
        };
        let reading: Vec<i64> = fields.iter().zip(&picks).map(pick).collect();
        let mut offset = 0;
        let mut element = Fr::ZERO;
        for (number, (_, _, stride)) in reading.iter().zip(fields) {
            element += signed(*number) * pow2(offset);
            offset += stride;
        }
        prop_assert_eq!(read(element, fields), reading);
    }
}

/// For every committed time and last day: its wire, its stride, and what stands next in its element, wire or bits.
fn neighbours(roles: &Roles) -> Vec<(usize, usize, Vec<usize>)> {
    let mut out = Vec::new();
    for position in 0..24 {
        let [begin, end] = [0, 1].map(|i| roles.times[2 * position + i]);
        out.push((begin, TIME_BITS, vec![end]));
        out.push((end, TIME_BITS, roles.place(position).to_vec()));
    }
    for pair in roles.times[48..56].windows(2) {
        out.push((pair[0], TIME_BITS, vec![pair[1]]));
    }
    for run in 0..3 {
        let last = roles.times[56 + run];
        out.push((last, DAY_BITS, roles.run_first(run + 1).to_vec()));
    }
    out
}

#[test]
fn no_committed_time_or_day_takes_a_multiple_of_its_stride_from_its_neighbour() {
    let roles = Roles::new();
    let (public, witness) = Scene::green().witness().unwrap();
    let mut values = Values::assigned(&public, &witness);
    let mut tried = 0;
    for (wire, stride, next) in neighbours(&roles) {
        let carry = pow2(stride);
        let own = values.of(wire);
        if let [other] = next[..] {
            for sign in [Fr::ONE, -Fr::ONE] {
                values.follow(other, values.of(other) - sign);
                values.follow(wire, own + sign * carry);
                tried += 1;
                refused_by_range_alone(&values);
                values.undo_to(0);
            }
        } else {
            let number = number_in(&values, &next);
            let largest = (1 << next.len()) - 1;
            let others = [
                number.checked_sub(1),
                (number < largest).then_some(number + 1),
            ];
            for (other, sign) in others.into_iter().zip([Fr::ONE, -Fr::ONE]) {
                let Some(other) = other else { continue };
                values.follow_bits(&next, other);
                values.follow(wire, own + sign * carry);
                tried += 1;
                refused_by_range_alone(&values);
                values.undo_to(0);
            }
        }
    }
    // Both ways for 31 neighbours that are times, at least one for 27 that are bits.
    assert!(tried >= 62 + 27, "{tried}");
}

/// The hash still fits; the time's own range refuses.
#[track_caller]
fn refused_by_range_alone(values: &Values) {
    let broken = values.broken_headings();
    assert!(broken.contains(&Heading::RangesAndTimes), "{broken:?}");
    assert!(!broken.contains(&Heading::RecordOpening), "{broken:?}");
}

#[test]
fn a_committed_time_beyond_as_of_or_of_27_bits_gets_no_proof() {
    for begin in [ago(0).get() + 1, 1 << 26, (1 << 27) - 1] {
        let (mut public, mut witness) = case();
        witness.record.facts[0].begin = begin;
        recommit(&mut public, &mut witness);
        witness.entries[12] = EntryClaim::default();
        witness.slots = Default::default();
        // Said to be no ground, which breaks the key as well; the time is refused before anything is made of it.
        assert_eq!(
            check(&public, &witness),
            Err(Refusal(Heading::RangesAndTimes))
        );
        let broken = assign(&public, &witness).broken;
        assert!(broken.contains(&Heading::RangesAndTimes));
    }
}

#[test]
fn a_time_committed_from_before_the_epoch_is_that_time_and_its_ground_a_ground() {
    // An element that `pack` does not make: the begin is −5. The relation has no words for it; the rows read it, in
    // that way alone, and a case stays a case.
    let (mut public, mut witness) = case();
    let begin = witness.record.facts[0].begin;
    let mut elements = witness.record.elements();
    elements[6] -= Fr::from(begin + 5) * pow2(5);
    recommit_as(leaf_of(&elements, &witness), &mut public, &mut witness);
    assert_eq!(assign(&public, &witness).broken[0], Heading::RecordOpening);

    let roles = Roles::new();
    let mut values = Values::assigned(&public, &witness);
    values.follow(roles.times[24], -Fr::from(5u64));
    assert_eq!(values.broken_headings(), [Heading::WorstColour].into());
    for shift in [Fr::from(5u64), pow2(TIME_BITS), -pow2(TIME_BITS), pow2(26)] {
        values.follow(roles.times[24], shift - Fr::from(5u64));
        assert!(values.broken_headings().contains(&Heading::RecordOpening));
    }
}

/// The case's entry made into something that no record has; what rows and relation say to "green".
fn malformed(position: usize, change: impl FnOnce(&mut EntryBits)) -> (PublicInputs, Witness) {
    let (mut public, mut witness) = case_at(position);
    change(entry_of(&mut witness, position));
    recommit(&mut public, &mut witness);
    claim_truly(&public, &mut witness);
    (public, witness)
}

#[test]
fn a_fact_of_a_province_that_no_record_has_is_a_fact_elsewhere() {
    for (position, province) in [
        (12, 127),
        (12, 0),
        (0, 127),
        (0, 128 + 33),
        (0, (1 << 47) - 1),
    ] {
        let attempt = malformed(position, |entry| entry.place = province);
        refused_under(Heading::WorstColour, &attempt);
        assert!(attempt.1.entries[position].key < 32, "not local");
    }
}

#[test]
fn what_is_committed_as_a_stay_is_a_stay_whatever_kind_stands_in_it() {
    // At place 33, which is not listed, it colours nothing: the home node has committed a stay, not a case.
    let as_stay = malformed(0, |entry| entry.is_stay = true);
    accepted(&as_stay);
    let (public, mut witness) = as_stay;
    witness.record.entries[0].kind = 0;
    refused_under(Heading::RecordOpening, &(public, witness.clone()));
    witness.record.entries[0] = EntryBits {
        kind: 1,
        is_stay: false,
        ..witness.record.entries[0]
    };
    claim_truly(&public, &mut witness);
    let broken = assign(&public, &witness).broken;
    assert_eq!(broken, [Heading::RecordOpening, Heading::WorstColour]);
    // In a listed place it is a ground like any other.
    let listed = malformed(0, |entry| {
        (entry.is_stay, entry.place) = (true, place(1).packed());
    });
    assert_eq!(
        check(&listed.0, &listed.1),
        Err(Refusal(Heading::RiskOpening))
    );
}

#[test]
fn an_entry_that_is_a_stay_and_nothing_else_is_in_the_first_place_since_the_epoch() {
    let first_place_listed = |listed: bool| {
        let period = Period {
            grade: Grade::High,
            since: ago(DAY),
            until: Minute::MAX,
        };
        let at = |from, last, periods| Interval {
            from,
            last,
            periods,
        };
        let second = AreaCode::from_packed(1).unwrap();
        let map = RiskMap::new(vec![
            at(
                AreaCode::FIRST,
                AreaCode::FIRST,
                if listed { vec![period] } else { vec![] },
            ),
            at(second, AreaCode::LAST, vec![]),
        ]);
        let scene = Scene {
            map: map.unwrap(),
            ..claimed_green(&[], &[], &[])
        };
        let (mut public, mut witness) = as_it_stands(&scene);
        witness.record.entries[3].is_stay = true;
        recommit(&mut public, &mut witness);
        claim_truly(&public, &mut witness);
        (public, witness)
    };
    accepted(&first_place_listed(false));
    refused_under(Heading::WorstColour, &first_place_listed(true));
    let (public, mut witness) = first_place_listed(true);
    witness.record.entries[3].is_stay = false;
    claim_truly(&public, &mut witness);
    refused_under(Heading::RecordOpening, &(public, witness));
}

#[test]
fn an_end_before_the_begin_is_read_as_committed_by_relation_and_rows() {
    // No record has it. A fact counts from its end; a stay that ends before it begins met nothing that ended before
    // its begin, and nothing listed after its end.
    let ended = |kind: FactKind| {
        malformed(12, |entry| {
            (entry.kind, entry.ended, entry.end) = (kind.code(), true, entry.begin - DAY);
        })
    };
    accepted(&ended(FactKind::ConfirmedCase));
    let stay = Stay {
        place: place(1),
        begin: ago(5 * DAY),
        end: Some(ago(5 * DAY)),
    };
    let scene = claimed_green(&[], &[stay], &[]);
    refused_under(Heading::WorstColour, &as_it_stands(&scene));
    let (mut public, mut witness) = as_it_stands(&scene);
    witness.record.entries[0].end = ago(6 * DAY).get();
    recommit(&mut public, &mut witness);
    claim_truly(&public, &mut witness);
    // The listing held at both moments, so it was met.
    refused_under(Heading::WorstColour, &(public, witness));
}
