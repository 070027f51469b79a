//! The canonical encoding of a rule table, and its digest.

use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use rules::{Clearing, Grade, MAX_ROWS, Offset, ProvinceCode, Row, RowTable};

use crate::field::pack;
use crate::poseidon::{Domain, hash8};

/// Elements before the rows: the rows of keys 0–31 with the header, of keys 32–63, of keys 64–95.
pub const HEAD_ELEMENTS: usize = 3;
/// All elements of a table.
pub const TABLE_ELEMENTS: usize = HEAD_ELEMENTS + MAX_ROWS;
/// Bits of a row index.
pub const ROW_INDEX_BITS: usize = 5;

/// The row's fields with their widths, lowest first, 117 bits.
///
/// `first 2 · then 2 · switch (unit 1, count 10) · lapse (unit 1, count 10; count 0 is never) · not-monotone 1`, then
/// twice `enabled 1 · after (unit 1, count 10) · negatives 2 · gap−1 7 · span 10 · neg_from+256 9 · check-in days 5`.
/// A unit of 1 is days. A way out that is not there is all zero.
pub fn row_fields(row: &Row) -> Vec<(u64, usize)> {
    let mut fields = vec![(row.first as u64, 2), (row.then as u64, 2)];
    fields.extend(offset(row.switch));
    fields.extend(offset(row.lapse.unwrap_or(Offset::ZERO)));
    fields.push((u64::from(!row.is_monotone()), 1));
    for clearing in &row.clearing {
        fields.extend(clearing_fields(clearing.as_ref()));
    }
    fields
}

fn offset(offset: Offset) -> [(u64, usize); 2] {
    [
        (u64::from(matches!(offset, Offset::Days(_))), 1),
        (u64::from(offset.count()), 10),
    ]
}

fn clearing_fields(clearing: Option<&Clearing>) -> [(u64, usize); 8] {
    let Some(c) = clearing else {
        return [
            (0, 1),
            (0, 1),
            (0, 10),
            (0, 2),
            (0, 7),
            (0, 10),
            (0, 9),
            (0, 5),
        ];
    };
    let [unit, count] = offset(c.after);
    let neg_from =
        u64::try_from(i32::from(c.neg_from_hours) + 256).expect("a table's rows are checked");
    [
        (1, 1),
        unit,
        count,
        (u64::from(c.negatives), 2),
        (u64::from(c.gap_hours) - 1, 7),
        (u64::from(c.span_hours), 10),
        (neg_from, 9),
        (u64::from(c.check_in_days), 5),
    ]
}

/// The table's elements: row indices by key with the header behind the first 32 (`province 7, 127 for the nation · look-back low 10 ·
/// medium 10 · high 10`), then the rows, inert ones (zero) behind the last.
pub fn elements(table: &RowTable) -> [Fr; TABLE_ELEMENTS] {
    let mut out = [Fr::ZERO; TABLE_ELEMENTS];
    for (element, keys) in out.iter_mut().zip(table.row_of_key().chunks_exact(32)) {
        let mut fields: Vec<_> = keys
            .iter()
            .map(|row| (u64::from(*row), ROW_INDEX_BITS))
            .collect();
        if keys.as_ptr() == table.row_of_key().as_ptr() {
            fields.push((encoded_province(table.province()), 7));
            let grades = [Grade::Low, Grade::Medium, Grade::High];
            fields.extend(grades.map(|g| (u64::from(table.lookback_hours().of(g)), 10)));
        }
        *element = pack(&fields);
    }
    for (element, row) in out[HEAD_ELEMENTS..].iter_mut().zip(table.rows()) {
        *element = pack(&row_fields(row));
    }
    out
}

/// The province as encoded in a table: the nation is 127, which no fact carries, so that nothing is local to it.
pub fn encoded_province(province: ProvinceCode) -> u64 {
    if province == ProvinceCode::NATION {
        127
    } else {
        u64::from(province.get())
    }
}

/// The digest of a rule table: a chain that takes eight elements, then seven at a time.
pub fn rule_digest(table: &RowTable) -> Fr {
    let elements = elements(table);
    let (first, rest) = elements.split_at(8);
    let mut state = hash8(Domain::RuleTable, first.try_into().expect("eight"));
    for seven in rest.chunks_exact(7) {
        let mut inputs = [state; 8];
        inputs[1..].copy_from_slice(seven);
        state = hash8(Domain::RuleTable, &inputs);
    }
    state
}

#[cfg(test)]
mod tests {
    use rules::{Colour, LookbackHours};

    use super::*;

    fn table(row_17: Row) -> RowTable {
        let province = ProvinceCode::new(35).unwrap();
        let lookback = LookbackHours {
            low: 1,
            medium: 2,
            high: 3,
        };
        RowTable::new(province, lookback, |key| {
            if key.code() == 17 { row_17 } else { Row::INERT }
        })
        .unwrap()
    }

    #[test]
    fn the_chain_takes_every_element_exactly_once() {
        assert_eq!((TABLE_ELEMENTS - 8) % 7, 0);
    }

    #[test]
    fn the_inert_row_is_zero_and_every_row_has_117_bits() {
        assert_eq!(pack(&row_fields(&Row::INERT)), Fr::ZERO);
        let clearing = Clearing {
            after: Offset::Days(8),
            negatives: 2,
            gap_hours: 24,
            span_hours: 72,
            neg_from_hours: -1,
            check_in_days: 7,
        };
        let row = Row {
            first: Colour::Red,
            switch: Offset::Hours(1),
            then: Colour::Yellow,
            lapse: Some(Offset::Days(3)),
            clearing: [Some(clearing), None],
        };
        assert_eq!(
            row_fields(&row)
                .iter()
                .map(|(_, width)| width)
                .sum::<usize>(),
            117
        );
        let changed = Row {
            clearing: [
                Some(Clearing {
                    gap_hours: 25,
                    ..clearing
                }),
                None,
            ],
            ..row
        };
        assert_ne!(rule_digest(&table(row)), rule_digest(&table(changed)));
        assert_ne!(rule_digest(&table(row)), rule_digest(&table(Row::INERT)));
    }
}
