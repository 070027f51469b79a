//! The rule table: other rows, other indices, lying flags, and whether one digest can mean two tables.

use commitment::rule_table::{self, HEAD_ELEMENTS, ROW_INDEX_BITS, row_fields};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rules::{Clearing, Colour, Key, LookbackHours, Offset, ProvinceCode, Row};

use super::*;
use crate::clearance::SlotClaim;
use crate::clearance::scene::random_scene;
use crate::clearance::scene::table;
use crate::rows::low_bits;

/// Takes fields off packed bits, lowest first.
struct Bits(std::collections::VecDeque<bool>);

impl Bits {
    fn of(element: Fr) -> Self {
        Self(low_bits(element, 254).collect())
    }

    fn take(&mut self, width: usize) -> u16 {
        let bits = self.0.drain(..width).enumerate();
        bits.map(|(i, bit)| u16::from(bit) << i).sum()
    }
}

fn read_offset(bits: &mut Bits) -> Offset {
    match bits.take(1) {
        0 => Offset::Hours(bits.take(10)),
        _ => Offset::Days(bits.take(10)),
    }
}

/// The row of a packed element, and its flag.
fn read_row(element: Fr) -> (Row, bool) {
    let mut bits = Bits::of(element);
    let colours = [Colour::Green, Colour::Yellow, Colour::Red];
    let [first, then] = [bits.take(2), bits.take(2)].map(|c| colours[usize::from(c)]);
    let switch = read_offset(&mut bits);
    let lapse = read_offset(&mut bits);
    let flag = bits.take(1) == 1;
    let clearing = [(); 2].map(|()| {
        let enabled = bits.take(1) == 1;
        let way = Clearing {
            after: read_offset(&mut bits),
            negatives: u8::try_from(bits.take(2)).unwrap(),
            gap_hours: u8::try_from(bits.take(7) + 1).unwrap(),
            span_hours: bits.take(10),
            neg_from_hours: i16::try_from(bits.take(9)).unwrap() - 256,
            check_in_days: u8::try_from(bits.take(5)).unwrap(),
        };
        enabled.then_some(way)
    });
    let row = Row {
        first,
        switch,
        then,
        lapse: (lapse.count() > 0).then_some(lapse),
        clearing,
    };
    (row, flag)
}

fn read_table(elements: &[Fr]) -> RowTable {
    let mut heads: Vec<Bits> = elements[..3].iter().map(|e| Bits::of(*e)).collect();
    let indices: Vec<u16> = (0..96)
        .map(|key| heads[key / 32].take(ROW_INDEX_BITS))
        .collect();
    let province = u8::try_from(heads[0].take(7)).unwrap();
    let [low, medium, high] = [(); 3].map(|()| heads[0].take(10));
    let lookback = LookbackHours { low, medium, high };
    let province = ProvinceCode::new(province % 127).unwrap();
    let row_of = |key: Key| {
        let index = usize::from(indices[usize::from(key.code())]);
        read_row(elements[HEAD_ELEMENTS + index]).0
    };
    RowTable::new(province, lookback, row_of).unwrap()
}

#[test]
fn a_tables_elements_can_be_read_back_so_no_two_tables_share_a_digests_input() {
    for seed in 0..100 {
        let table = random_scene(&mut ChaCha8Rng::seed_from_u64(seed)).table;
        assert_eq!(
            read_table(&rule_table::elements(&table)),
            table,
            "seed {seed}"
        );
    }
    assert_eq!(read_table(&rule_table::elements(&table())), table());
}

#[test]
fn a_row_can_be_read_back_at_every_end_of_every_field() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..2000 {
        let mut pick = |ends: [i32; 3]| ends[rng.random_range(0..3)];
        let colours = [Colour::Green, Colour::Yellow, Colour::Red];
        let mut colour = || colours[usize::try_from(pick([0, 1, 2])).unwrap()];
        let (first, then) = (colour(), colour());
        let mut offset = || {
            let count = u16::try_from(pick([0, 1, 1023])).unwrap();
            if pick([0, 1, 1]) == 0 {
                Offset::Hours(count)
            } else {
                Offset::Days(count)
            }
        };
        let (switch, lapse, after) = (offset(), offset(), [offset(), offset()]);
        let mut way = |after| Clearing {
            after,
            negatives: u8::try_from(pick([0, 1, 3])).unwrap(),
            gap_hours: u8::try_from(pick([1, 2, 128])).unwrap(),
            span_hours: u16::try_from(pick([0, 1, 1023])).unwrap(),
            neg_from_hours: i16::try_from(pick([-256, 0, 255])).unwrap(),
            check_in_days: u8::try_from(pick([0, 1, 31])).unwrap(),
        };
        let ways = after.map(&mut way);
        let row = Row {
            first,
            switch,
            then,
            lapse: (lapse.count() > 0).then_some(lapse),
            clearing: [
                (pick([0, 1, 1]) == 1).then_some(ways[0]),
                (pick([0, 0, 1]) == 1).then_some(ways[1]),
            ],
        };
        row.check().unwrap();
        let fields = row_fields(&row);
        assert_eq!(fields.iter().map(|f| f.1).sum::<usize>(), 117);
        assert_eq!(
            read_row(commitment::pack(&fields)),
            (row, !row.is_monotone())
        );
    }
}

#[test]
fn a_checked_table_has_no_row_beyond_its_last_no_lying_flag_and_no_colour_of_no_ground() {
    let colours = [Colour::Green, Colour::Yellow, Colour::Red];
    for first in colours {
        for then in colours {
            let row = Row {
                first,
                then,
                ..Row::INERT
            };
            assert_eq!(
                read_row(commitment::pack(&row_fields(&row))).1,
                first < then
            );
        }
    }
    let with = |rows: u16| {
        let row_of = |key: Key| {
            let number = u16::from(key.code()) % rows;
            let switch = if key.is_no_ground() { 0 } else { number };
            Row {
                switch: Offset::Hours(switch),
                ..Row::INERT
            }
        };
        RowTable::new(ProvinceCode::NATION, LookbackHours::default(), row_of)
    };
    let table = with(26).unwrap();
    assert_eq!(table.rows().len(), 26);
    assert!(table.row_of_key().iter().all(|index| *index < 26));
    assert!(with(27).is_err());
    let colouring = |key: Key| Row {
        first: if key.code() == 64 {
            Colour::Red
        } else {
            Colour::Green
        },
        ..Row::INERT
    };
    let lookback = LookbackHours::default();
    assert!(RowTable::new(ProvinceCode::NATION, lookback, colouring).is_err());
}

#[test]
fn another_index_for_a_key_is_not_the_tables_also_beyond_the_last_row() {
    let (public, witness) = case();
    let key = usize::from(witness.slots[0].key);
    let bits =
        free(Heading::RuleTableOpening, true)[ROW_INDEX_BITS * key..][..ROW_INDEX_BITS].to_vec();
    let mut values = Values::assigned(&public, &witness);
    let own = u64::from(witness.table.row_of_key()[key]);
    assert_eq!(number_in(&values, &bits), own);
    let mut would_serve = 0;
    for index in (0..32).filter(|index| *index != own) {
        values.follow_bits(&bits, index);
        let broken = values.broken_headings();
        assert!(broken.contains(&Heading::RuleTableOpening), "index {index}");
        would_serve += usize::from(broken == [Heading::RuleTableOpening].into());
    }
    assert!(
        would_serve > 20,
        "{would_serve} indices lead to a row that never colours"
    );
}

#[test]
fn no_element_of_the_table_can_be_changed() {
    let (public, witness) = case();
    let mut values = Values::assigned(&public, &witness);
    let rows = free(Heading::RuleTableOpening, false);
    assert_eq!(rows.len(), 26);
    let own = witness.table.row_of_key()[33];
    for (index, wire) in rows.iter().enumerate() {
        values.follow(*wire, Fr::from(0u64));
        let broken = values.broken_headings();
        if index == usize::from(own) {
            // The row never colours; nothing else stands in the way.
            assert_eq!(broken, [Heading::RuleTableOpening].into());
        }
        // A row of 118 bits fits no slot, whatever the digest.
        values.follow(*wire, commitment::pow2(117));
        let broken = values.broken_headings();
        assert!(broken.contains(&Heading::RuleTableOpening), "row {index}");
        if index == usize::from(own) {
            assert!(broken.contains(&Heading::AnchorPhasesLapse));
        }
        values.undo_to(0);
    }
    // Province and look-backs stand behind the 96 indices.
    let bits = free(Heading::RuleTableOpening, true);
    for wire in &bits[96 * ROW_INDEX_BITS..] {
        values.follow(*wire, Fr::from(1u64) - values.of(*wire));
        assert!(
            values
                .broken_headings()
                .contains(&Heading::RuleTableOpening)
        );
        values.undo_to(0);
    }
}

#[test]
fn a_row_that_lies_about_its_monotony_is_not_the_tables() {
    // Two entries elsewhere; that of nine days ago, yellow, put under the anchor of the green one.
    let entries = [9, 2].map(|days| fact(FactKind::Entry, 35, days * DAY));
    let (public, mut witness) = as_it_stands(&claimed_green(&entries, &[], &[]));
    witness.slots[0] = SlotClaim::default();
    witness.entries[12].slot = 1;
    refused_under(Heading::ReasonSlots, &(public, witness.clone()));
    let row = usize::from(witness.table.row_of_key()[7]);
    let wire = free(Heading::RuleTableOpening, false)[row];
    let roles = Roles::new();
    let mut values = Values::assigned(&public, &witness);
    assert!(read_row(values.of(wire)).1, "the row says that it rises");
    values.follow(wire, values.of(wire) - commitment::pow2(26));
    assert!(!read_row(values.of(wire)).1);
    for position in [12, 13] {
        values.follow(roles.must_equal(position), Fr::from(0u64));
    }
    assert_eq!(values.broken_headings(), [Heading::RuleTableOpening].into());
}

#[test]
fn the_table_of_another_province_or_with_another_look_back_is_refused() {
    let (public, witness) = case();
    let with = |province: u8, lookback: LookbackHours| {
        let row_of = |key: Key| *table().row(key);
        let table = RowTable::new(ProvinceCode::new(province).unwrap(), lookback, row_of);
        let mut other = witness.clone();
        other.table = table.unwrap();
        claim_truly(&public, &mut other);
        let broken = assign(&public, &other).broken;
        assert_eq!(broken, [Heading::RuleTableOpening, Heading::WorstColour]);
    };
    let lookback = table().lookback_hours();
    with(35, lookback);
    with(0, lookback);
    with(
        33,
        LookbackHours {
            high: 0,
            ..lookback
        },
    );
}
