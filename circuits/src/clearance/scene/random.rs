//! Random rule tables, risk maps, records and times, crowded around the boundaries that decide: the offsets, gaps and
//! spans of the scene's own table, the ends of its stays, midnights, and the ends of what a number can say.

use std::sync::LazyLock;

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rules::{
    AreaCode, CheckInRun, Claim, Clearing, Colour, Day, Fact, FactKind, Grade, Interval, Key,
    MINUTES_PER_DAY, Minute, Offset, Period, ProvinceCode, Record, RiskMap, RowTable, Stay,
    TestAge, WorstColour,
};

use super::random_table::table;
use super::{Scene, ago, place};

/// No random record speaks of a moment before this: an empty position, which reads as minute zero, must lie before every
/// anchor less 256 hours, and does so from 1970-01-12 on (STATEMENT, Clearing).
const LEAST: u32 = 14 * MINUTES_PER_DAY;
/// Sites that a map may list; place 0 and all from 7 on are never listed by themselves.
const SITES: u32 = 7;

/// A random scene; its record need not support its claim. Of red ones, which support none, most are drawn again.
///
/// # Panics
/// Never: what is drawn lies within the types' limits.
pub fn scene(rng: &mut ChaCha8Rng) -> Scene {
    let mut drawn = any_scene(rng);
    for _ in 0..4 {
        let colour = rules::evaluate(&drawn.record, &drawn.table, &drawn.map, drawn.as_of)
            .expect("a scene speaks of nothing after its moment")
            .colour;
        if colour == Colour::Yellow && rng.random_bool(0.5) {
            drawn.claim.worst = WorstColour::Yellow;
        }
        if colour != Colour::Red || rng.random_bool(0.2) {
            break;
        }
        drawn = any_scene(rng);
    }
    drawn
}

fn any_scene(rng: &mut ChaCha8Rng) -> Scene {
    let as_of = as_of(rng);
    let table = table(rng);
    let times = Times::new(as_of, &table);
    let record = record(rng, &times, &table);
    let before = u32::from(rng.random_bool(0.7)) * rng.random_range(0..100);
    Scene {
        map: map(rng, &times, &table, record.stays()),
        record,
        table,
        as_of,
        head_time: times.held(i64::from(as_of.get()) - i64::from(before)),
        claim: Claim {
            test_age: TestAge::MENU[rng.random_range(0..8_usize).saturating_sub(4)],
            worst: [WorstColour::Green, WorstColour::Yellow][rng.random_range(0..2)],
        },
        leaf_index: end_or(rng, (1 << 27) - 1),
        slot: u8::try_from(end_or(rng, 63)).expect("below 64"),
    }
}

/// Zero, the greatest, or any number between.
fn end_or(rng: &mut ChaCha8Rng, greatest: u32) -> u32 {
    match rng.random_range(0..8) {
        0 => 0,
        1 => greatest,
        _ => rng.random_range(0..=greatest),
    }
}

/// A closing minute: mostly near that of the other scenes, at times in the first or the last days that can be named; often
/// at a midnight of UTC+8 or a minute to either side.
fn as_of(rng: &mut ChaCha8Rng) -> Minute {
    let last = Minute::MAX.day().get();
    let day = match rng.random_range(0..8) {
        0..4 => ago(0).day().get() + rng.random_range(0..7) - 3,
        4 => rng.random_range(60..90),
        5 => last - rng.random_range(0..2),
        _ => rng.random_range(60..=last),
    };
    let within = match rng.random_range(0..6) {
        0 => rng.random_range(-1..2),
        1 => 1439,
        2 => 60 * rng.random_range(0..24) + rng.random_range(-1..2),
        _ => rng.random_range(0..1440),
    };
    Day::new(day).first_minute().saturating_add_signed(within)
}

/// Moments of a scene: those at which something of its table is just reached or just not.
struct Times {
    as_of: Minute,
    edges: Vec<i64>,
}

impl Times {
    fn new(as_of: Minute, table: &RowTable) -> Self {
        let now = i64::from(as_of.get());
        let today = i64::from(as_of.day().first_minute().get());
        let edge = |offset: Offset| match offset {
            Offset::Hours(n) => now - 60 * i64::from(n),
            Offset::Days(n) => today - i64::from(MINUTES_PER_DAY) * (i64::from(n) - 1),
        };
        let offsets = table.rows().iter().flat_map(|row| {
            let ways = row.clearing.iter().flatten().map(|way| way.after);
            [row.switch].into_iter().chain(row.lapse).chain(ways)
        });
        let ages = (0..4).map(|days| now - 1440 * days);
        Self {
            as_of,
            edges: offsets.map(edge).chain(ages).collect(),
        }
    }

    /// The moment, held within what a scene speaks of.
    fn held(&self, minute: i64) -> Minute {
        let held = minute.clamp(i64::from(LEAST), i64::from(self.as_of.get()));
        Minute::new(u32::try_from(held).expect("clamped")).expect("not after as_of")
    }

    /// A moment not after `as_of`: at an edge, at a midnight or whole hours back, a minute to either side, or any of forty days.
    fn any(&self, rng: &mut ChaCha8Rng) -> Minute {
        let now = i64::from(self.as_of.get());
        let minute = match rng.random_range(0..8) {
            0..4 => self.edges[rng.random_range(0..self.edges.len())] + rng.random_range(-1..2),
            4 => now - 1440 * rng.random_range(0..20) + rng.random_range(-1..2),
            5 => {
                let midnight = i64::from(self.as_of.day().first_minute().get());
                midnight - 1440 * rng.random_range(0..20) + rng.random_range(-1..2)
            }
            6 => now - 60 * rng.random_range(0..100) + rng.random_range(-1..2),
            _ => now - rng.random_range(0..40 * 1440),
        };
        self.held(minute)
    }

    fn span(&self, rng: &mut ChaCha8Rng) -> (Minute, Option<Minute>) {
        let (a, b) = (self.any(rng), self.any(rng));
        (a.min(b), rng.random_bool(0.5).then(|| a.max(b)))
    }
}

fn record(rng: &mut ChaCha8Rng, times: &Times, table: &RowTable) -> Record {
    let (stays, facts) = match rng.random_range(0..8) {
        0 => (12, 12),
        1 => (rng.random_range(0..13), rng.random_range(0..13)),
        2 => (0, rng.random_range(12..25)),
        _ => (rng.random_range(0..5), rng.random_range(0..5)),
    };
    let stays = stays_of(rng, times, stays);
    let facts = facts_of(rng, times, table, facts);
    let anchors = anchors(rng, table, &stays, &facts);
    let negatives = negatives(rng, times, &anchors);
    let runs = runs(rng, times, &anchors);
    Record::new(stays, facts, negatives, runs).expect("within the limits")
}

fn stays_of(rng: &mut ChaCha8Rng, times: &Times, count: usize) -> Vec<Stay> {
    let far = AreaCode::from_packed(rng.random_range(0..1 << AreaCode::BITS)).expect("47 bits");
    let ends = [AreaCode::FIRST, AreaCode::LAST, far];
    let mut places: Vec<AreaCode> = (0..4).map(|_| place(rng.random_range(0..=SITES))).collect();
    if rng.random_bool(0.2) {
        places[0] = ends[rng.random_range(0..3)];
    }
    let stay = |_| {
        let (begin, end) = times.span(rng);
        let place = places[rng.random_range(0..4)];
        Stay { place, begin, end }
    };
    (0..count).map(stay).collect()
}

/// Facts of three kinds at most, mostly such as the table colours, so that many find slots.
fn facts_of(rng: &mut ChaCha8Rng, times: &Times, table: &RowTable, count: usize) -> Vec<Fact> {
    let coloured = |kind: &FactKind| {
        let keys = [false, true].map(|local| Key::of_fact(*kind, false, local));
        keys.iter().any(|key| !table.row(*key).is_inert())
    };
    let coloured: Vec<FactKind> = FactKind::ALL.into_iter().filter(coloured).collect();
    let mut kinds = [FactKind::Entry; 3];
    for kind in &mut kinds {
        *kind = if coloured.is_empty() || rng.random_bool(0.3) {
            FactKind::ALL[rng.random_range(0..15)]
        } else {
            coloured[rng.random_range(0..coloured.len())]
        };
    }
    let own = table.province();
    let fact = |_| {
        let (begin, end) = times.span(rng);
        let other = [0, 33, 35][rng.random_range(0..3)];
        Fact {
            kind: kinds[rng.random_range(0..3)],
            province: if rng.random() {
                own
            } else {
                ProvinceCode::new(other).expect("known")
            },
            begin,
            end: end.filter(|_| count < 12 || rng.random_bool(0.2)),
        }
    };
    (0..count).map(fact).collect()
}

/// The anchors of the facts, and ends of stays, each with a way out that its row, or some row of stays, has.
fn anchors(
    rng: &mut ChaCha8Rng,
    table: &RowTable,
    stays: &[Stay],
    facts: &[Fact],
) -> Vec<(Minute, Clearing)> {
    let of_facts = facts.iter().flat_map(|fact| {
        let row = table.row(rules::evaluate::key_of_fact(fact, table));
        let ways = row.clearing.into_iter().flatten();
        ways.map(|way| (fact.anchor(), way))
    });
    let mut found: Vec<_> = of_facts.collect();
    let keys = (64..96).filter_map(Key::from_code);
    let ways: Vec<Clearing> = keys
        .flat_map(|key| table.row(key).clearing.into_iter().flatten())
        .collect();
    if !ways.is_empty() {
        let ends = stays.iter().filter_map(|stay| stay.end);
        found.extend(ends.map(|end| (end, ways[rng.random_range(0..ways.len())])));
    }
    found
}

/// Tests as the ways out ask for them, a minute to either side; and others.
fn negatives(rng: &mut ChaCha8Rng, times: &Times, anchors: &[(Minute, Clearing)]) -> Vec<Minute> {
    let mut negatives = Vec::new();
    for _ in 0..rng.random_range(0..6) {
        if anchors.is_empty() || rng.random_bool(0.3) {
            negatives.push(times.any(rng));
            continue;
        }
        let (anchor, way) = anchors[rng.random_range(0..anchors.len())];
        let off = |rng: &mut ChaCha8Rng| rng.random_range(-1..2) * i64::from(rng.random_bool(0.6));
        let hours = |count: i64| 60 * count;
        let first = i64::from(anchor.get()) + hours(i64::from(way.neg_from_hours)) + off(rng);
        let gap = hours(i64::from(way.gap_hours)) + off(rng);
        let span = hours(i64::from(way.span_hours)) + off(rng);
        negatives.push(times.held(first));
        negatives.push(times.held(first + gap));
        if way.negatives == 3 {
            let third = [2 * gap, span][rng.random_range(0..2)];
            negatives.push(times.held(first + third));
        } else if rng.random() {
            negatives.push(times.held(first + span));
        }
    }
    while negatives.len() > rules::MAX_NEGATIVES {
        negatives.swap_remove(rng.random_range(0..negatives.len()));
    }
    negatives.sort_unstable();
    negatives.dedup();
    negatives
}

/// Runs of as many days as the ways out ask for, a day to either side; and others.
fn runs(rng: &mut ChaCha8Rng, times: &Times, anchors: &[(Minute, Clearing)]) -> Vec<CheckInRun> {
    let today = times.as_of.day().get();
    let mut drawn = Vec::new();
    for _ in 0..rng.random_range(0..6) {
        let (first, days) = if anchors.is_empty() || rng.random_bool(0.3) {
            (today - rng.random_range(0..40), rng.random_range(1..16))
        } else {
            let (anchor, way) = anchors[rng.random_range(0..anchors.len())];
            let days = u16::from(way.check_in_days) + rng.random_range(0..3);
            (anchor.day().get() + rng.random_range(0..3), days.max(2) - 1)
        };
        let last = first + days - 1;
        let last = if rng.random_bool(0.2) { today } else { last };
        if first <= last && last <= today {
            drawn.push((first, last));
        }
    }
    drawn.sort_unstable();
    let mut runs: Vec<CheckInRun> = Vec::new();
    for (first, last) in drawn {
        let apart = runs.last().is_none_or(|run| run.last.get() + 1 < first);
        if apart && runs.len() < rules::MAX_RUNS {
            runs.push(CheckInRun {
                first: Day::new(first),
                last: Day::new(last),
            });
        }
    }
    runs
}

fn map(rng: &mut ChaCha8Rng, times: &Times, table: &RowTable, stays: &[Stay]) -> RiskMap {
    static BEFORE: LazyLock<AreaCode> =
        LazyLock::new(|| AreaCode::from_packed(place(1).packed() - 1).expect("in the space"));
    let unlisted = |from, last| Interval {
        from,
        last,
        periods: vec![],
    };
    let mut intervals = vec![unlisted(AreaCode::FIRST, *BEFORE)];
    for site in 1..SITES {
        let here = stays.iter().filter(|stay| stay.place == place(site));
        let here: Vec<Stay> = here.copied().collect();
        intervals.push(Interval {
            from: place(site),
            last: place(site),
            periods: periods(rng, times, table, &here),
        });
    }
    intervals.push(unlisted(place(SITES), AreaCode::LAST));
    RiskMap::new(intervals).expect("a partition")
}

/// Up to three periods whose ends touch those of the stays, with the look-back or without, a minute to either side. Often
/// one begins where another ends: graded up or down, or listed again.
fn periods(rng: &mut ChaCha8Rng, times: &Times, table: &RowTable, stays: &[Stay]) -> Vec<Period> {
    let cut = |rng: &mut ChaCha8Rng| {
        if stays.is_empty() || rng.random_bool(0.3) {
            return times.any(rng);
        }
        let stay = stays[rng.random_range(0..stays.len())];
        let end = stay.end.unwrap_or(times.as_of);
        let touched = if rng.random() { stay.begin } else { end };
        let grade = Grade::ALL[rng.random_range(0..4)];
        let lookback_min = 60 * i64::from(table.lookback_hours().of(grade));
        touched.saturating_add_signed(lookback_min + rng.random_range(-1..2))
    };
    let mut cuts: Vec<Minute> = (0..rng.random_range(0..7)).map(|_| cut(rng)).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let step = if rng.random() { 1 } else { 2 };
    let mut periods: Vec<Period> = cuts
        .windows(2)
        .step_by(step)
        .take(rules::MAX_PERIODS)
        .map(|ends| Period {
            grade: Grade::ALL[rng.random_range(1..4)],
            since: ends[0],
            until: ends[1],
        })
        .collect();
    if let Some(last) = periods.last_mut().filter(|_| rng.random_bool(0.4)) {
        last.until = Minute::MAX;
    }
    periods
}
