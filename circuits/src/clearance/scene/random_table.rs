//! Random rule tables: drawn row by row, or a published one, as it is or with some numbers changed.

use std::sync::LazyLock;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rules::{Clearing, Colour, Key, LookbackHours, Offset, ProvinceCode, Row, RowTable, RuleSet};

/// The built-in rule sets and the scenes' own table.
static PUBLISHED: LazyLock<Vec<RowTable>> = LazyLock::new(|| {
    let built_in = RuleSet::BUILT_IN.map(|id| RuleSet::built_in(id).expect("built in"));
    let tables = built_in.iter().map(|set| set.table().clone());
    tables.chain([super::table()]).collect()
});

/// A random table.
pub(super) fn table(rng: &mut ChaCha8Rng) -> RowTable {
    let published = &PUBLISHED[rng.random_range(0..PUBLISHED.len())];
    match rng.random_range(0..8) {
        0..2 => published.clone(),
        2..5 => mutated(rng, published),
        _ => drawn(rng),
    }
}

/// A published table with a few rows, look-backs or the province changed.
fn mutated(rng: &mut ChaCha8Rng, published: &RowTable) -> RowTable {
    let mut rows = published.rows().to_vec();
    for _ in 0..rng.random_range(1..5) {
        let changed = rng.random_range(0..rows.len());
        if !rows[changed].is_inert() {
            change(rng, &mut rows[changed]);
        }
    }
    let province = if rng.random_bool(0.2) {
        ProvinceCode::NATION
    } else {
        published.province()
    };
    let lookback = if rng.random_bool(0.3) {
        lookback(rng)
    } else {
        published.lookback_hours()
    };
    let row_of = |key: Key| rows[usize::from(published.row_of_key()[usize::from(key.code())])];
    RowTable::new(province, lookback, row_of).expect("no more rows than before, each in range")
}

fn change(rng: &mut ChaCha8Rng, row: &mut Row) {
    let way = rng.random_range(0..2);
    match rng.random_range(0..9) {
        0 => row.first = colour(rng),
        1 => row.then = colour(rng),
        2 => row.switch = near(rng, row.switch),
        3 => {
            row.lapse = rng
                .random_bool(0.7)
                .then(|| at_least_one(near(rng, row.switch)));
        }
        4 => row.clearing[way] = clearing(rng),
        part => {
            let Some(way) = &mut row.clearing[way] else {
                return;
            };
            match part {
                5 => way.after = near(rng, way.after),
                6 => way.negatives = rng.random_range(0..4),
                7 => {
                    let hours = way.neg_from_hours + rng.random_range(-1..2);
                    way.neg_from_hours = hours.clamp(-256, 255);
                }
                _ => way.check_in_days = rng.random_range(0..15),
            }
        }
    }
}

/// An offset of one more or less, or in the other unit.
fn near(rng: &mut ChaCha8Rng, offset: Offset) -> Offset {
    let count = (offset.count() + rng.random_range(0..3)).clamp(1, rules::MAX_COUNT + 1) - 1;
    match offset {
        Offset::Hours(_) if rng.random_bool(0.8) => Offset::Hours(count),
        Offset::Days(_) if rng.random_bool(0.2) => Offset::Hours(count),
        _ => Offset::Days(count),
    }
}

fn at_least_one(offset: Offset) -> Offset {
    match offset {
        Offset::Hours(n) => Offset::Hours(n.max(1)),
        Offset::Days(n) => Offset::Days(n.max(1)),
    }
}

fn offset(rng: &mut ChaCha8Rng) -> Offset {
    match rng.random_range(0..8) {
        0 => Offset::Hours(1023),
        1 => Offset::Days(1023),
        2..5 => Offset::Days(rng.random_range(0..16)),
        _ => Offset::Hours(rng.random_range(0..200)),
    }
}

fn colour(rng: &mut ChaCha8Rng) -> Colour {
    [Colour::Green, Colour::Yellow, Colour::Red][rng.random_range(0..3)]
}

fn clearing(rng: &mut ChaCha8Rng) -> Option<Clearing> {
    rng.random_bool(0.8).then(|| Clearing {
        after: offset(rng),
        negatives: rng.random_range(0..4),
        gap_hours: [1, 24, 24, 48, 128][rng.random_range(0..5)],
        span_hours: [0, 24, 48, 72, 200, 1023][rng.random_range(0..6)],
        neg_from_hours: [-24, 0, 0, 24, -256, 255][rng.random_range(0..6)],
        check_in_days: [0, 0, 0, 1, 3, 7, 31][rng.random_range(0..7)],
    })
}

fn row(rng: &mut ChaCha8Rng) -> Row {
    let lapse = rng.random_bool(0.3).then(|| at_least_one(offset(rng)));
    Row {
        first: colour(rng),
        switch: offset(rng),
        then: colour(rng),
        lapse,
        clearing: [clearing(rng), clearing(rng)],
    }
}

fn lookback(rng: &mut ChaCha8Rng) -> LookbackHours {
    let mut hours =
        |most| [rng.random_range(0..=most) * 24, 1023][usize::from(rng.random_bool(0.05))];
    LookbackHours {
        low: hours(2),
        medium: hours(2),
        high: hours(14),
    }
}

/// Up to twelve random rows over the keys, some keys inert.
fn drawn(rng: &mut ChaCha8Rng) -> RowTable {
    let rows: Vec<Row> = (0..12).map(|_| row(rng)).collect();
    let choice: Vec<usize> = (0..rules::KEYS).map(|_| rng.random_range(0..16)).collect();
    let province = ProvinceCode::new([0, 33, 35][rng.random_range(0..3)]).expect("known");
    let row_of = |key: Key| {
        let chosen = rows.get(choice[usize::from(key.code())]);
        chosen
            .copied()
            .filter(|_| !key.is_no_ground())
            .unwrap_or(Row::INERT)
    };
    RowTable::new(province, lookback(rng), row_of).expect("in range")
}
