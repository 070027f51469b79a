//! Random rule tables, risk maps, records and times, crowded around the boundaries that matter.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rules::{
    CheckInRun, Claim, Clearing, Colour, Day, Fact, FactKind, Grade, Interval, Key, LookbackHours,
    Minute, Offset, Period, ProvinceCode, Record, RiskMap, Row, RowTable, Stay,
};

use crate::clearance::scene::{Scene, ago, place};

/// Minutes back from `as_of`: days and hours exactly, or a minute to either side, or anything in forty days.
fn back(rng: &mut ChaCha8Rng) -> u32 {
    let whole: u32 = match rng.random_range(0..4) {
        0 => 1440 * rng.random_range(0..20),
        1 => 60 * rng.random_range(0..100),
        2 => 1440 * rng.random_range(0..20) + 1439,
        _ => rng.random_range(0..40 * 1440),
    };
    (whole + rng.random_range(0..3)).saturating_sub(1)
}

fn offset(rng: &mut ChaCha8Rng) -> Offset {
    if rng.random() {
        Offset::Days(rng.random_range(0..16))
    } else {
        Offset::Hours(rng.random_range(0..200))
    }
}

fn colour(rng: &mut ChaCha8Rng) -> Colour {
    [Colour::Green, Colour::Yellow, Colour::Red][rng.random_range(0..3)]
}

fn clearing(rng: &mut ChaCha8Rng) -> Option<Clearing> {
    rng.random_bool(0.8).then(|| Clearing {
        after: offset(rng),
        negatives: rng.random_range(0..4),
        gap_hours: [1, 24, 24, 48][rng.random_range(0..4)],
        span_hours: [24, 48, 72, 200][rng.random_range(0..4)],
        neg_from_hours: [-24, 0, 0, 24, -256, 255][rng.random_range(0..6)],
        check_in_days: [0, 0, 0, 1, 3, 7][rng.random_range(0..6)],
    })
}

fn row(rng: &mut ChaCha8Rng) -> Row {
    Row {
        first: colour(rng),
        switch: offset(rng),
        then: colour(rng),
        lapse: rng
            .random_bool(0.3)
            .then(|| Offset::Hours(rng.random_range(1..400))),
        clearing: [clearing(rng), clearing(rng)],
    }
}

fn table(rng: &mut ChaCha8Rng) -> RowTable {
    let rows: Vec<Row> = (0..12).map(|_| row(rng)).collect();
    let choice: Vec<usize> = (0..96).map(|_| rng.random_range(0..16)).collect();
    let lookback = LookbackHours {
        low: rng.random_range(0..3) * 24,
        medium: rng.random_range(0..3) * 24,
        high: rng.random_range(0..15) * 24,
    };
    let province = ProvinceCode::new([0, 33, 35][rng.random_range(0..3)]).unwrap();
    let row_of = |key: Key| {
        let inert = Row::INERT;
        if key.is_no_ground() {
            inert
        } else {
            rows.get(choice[usize::from(key.code())])
                .copied()
                .unwrap_or(inert)
        }
    };
    RowTable::new(province, lookback, row_of).unwrap()
}

fn periods(rng: &mut ChaCha8Rng) -> Vec<Period> {
    let mut cuts: Vec<u32> = (0..rng.random_range(0..4) * 2).map(|_| back(rng)).collect();
    cuts.sort_unstable_by(|a, b| b.cmp(a));
    cuts.dedup();
    let open = rng.random_bool(0.4);
    let count = cuts.len() / 2;
    let pairs = cuts.chunks_exact(2).enumerate();
    pairs
        .map(|(i, pair)| Period {
            grade: Grade::ALL[rng.random_range(1..4)],
            since: ago(pair[0]),
            until: if open && i + 1 == count {
                Minute::MAX
            } else {
                ago(pair[1])
            },
        })
        .collect()
}

fn map(rng: &mut ChaCha8Rng) -> RiskMap {
    let before = rules::AreaCode::from_packed(place(1).packed() - 1).unwrap();
    let mut intervals = vec![Interval {
        from: rules::AreaCode::FIRST,
        last: before,
        periods: vec![],
    }];
    intervals.extend((1..7).map(|s| Interval {
        from: place(s),
        last: place(s),
        periods: periods(rng),
    }));
    intervals.push(Interval {
        from: place(7),
        last: rules::AreaCode::LAST,
        periods: vec![],
    });
    RiskMap::new(intervals).unwrap()
}

fn span(rng: &mut ChaCha8Rng) -> (Minute, Option<Minute>) {
    let (a, b) = (back(rng), back(rng));
    (ago(a.max(b)), rng.random_bool(0.5).then(|| ago(a.min(b))))
}

fn record(rng: &mut ChaCha8Rng) -> Record {
    let many = rng.random_bool(0.2);
    let sites: Vec<u32> = (0..4).map(|_| rng.random_range(0..8)).collect();
    let stays = (0..rng.random_range(0..=if many { 12 } else { 4 }))
        .map(|_| {
            let (begin, end) = span(rng);
            Stay {
                place: place(sites[rng.random_range(0..4)]),
                begin,
                end,
            }
        })
        .collect::<Vec<_>>();
    let kinds: Vec<FactKind> = (0..3)
        .map(|_| FactKind::ALL[rng.random_range(0..15)])
        .collect();
    let facts = (0..rng.random_range(0..=if many { 24 - stays.len() } else { 4 }))
        .map(|_| {
            let (begin, end) = span(rng);
            let province = ProvinceCode::new([0, 33, 35][rng.random_range(0..3)]).unwrap();
            Fact {
                kind: kinds[rng.random_range(0..3)],
                province,
                begin,
                end,
            }
        })
        .collect();
    let mut negatives: Vec<Minute> = (0..rng.random_range(0..9))
        .map(|_| ago(back(rng)))
        .collect();
    negatives.sort_unstable();
    negatives.dedup();
    Record::new(stays, facts, negatives, runs(rng)).unwrap()
}

fn runs(rng: &mut ChaCha8Rng) -> Vec<CheckInRun> {
    let today = ago(0).day().get();
    let mut next = today - 40;
    let mut runs = Vec::new();
    for _ in 0..rng.random_range(0..5) {
        let first = next + rng.random_range(0..8);
        let last = first + rng.random_range(0..15);
        if last > today {
            break;
        }
        runs.push(CheckInRun {
            first: Day::new(first),
            last: Day::new(last),
        });
        next = last + 2;
    }
    runs
}

/// A random scene; its record need not support its claim.
pub(super) fn scene(rng: &mut ChaCha8Rng) -> Scene {
    Scene {
        record: record(rng),
        table: table(rng),
        map: map(rng),
        as_of: ago(0),
        head_time: ago(rng.random_range(0..100)),
        claim: Claim::from_code(rng.random_range(0..8)).unwrap(),
        leaf_index: rng.random_range(0..1 << 27),
        slot: rng.random_range(0..64),
    }
}
