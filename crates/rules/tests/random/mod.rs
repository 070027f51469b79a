//! Random records, tables and maps, dense enough that their parts meet.

use proptest::collection::{btree_set, vec};
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;
use rules::{
    AreaCode, CaseKind, CheckInRun, Clearing, Colour, ContactDegree, Day, Event, EventBody,
    EventId, ExposureList, Fact, FactKind, Grade, Interval, Key, LookbackHours, Minute, Offset,
    Period, ProvinceCode, Record, RiskMap, Row, RowTable, SourceId, SourceKind, Stay, TestResult,
};

/// Twenty days of August 2022: all that happens lies in them.
pub(crate) const MOMENTS: std::ops::Range<u32> = 27_660_000..27_660_000 + 20 * 1440;

pub(crate) fn minute(range: std::ops::Range<u32>) -> impl Strategy<Value = Minute> + Clone {
    range.prop_map(|m| Minute::new(m).unwrap())
}

fn moment() -> impl Strategy<Value = Minute> + Clone {
    minute(MOMENTS)
}

/// Two provinces, of which one may be the table's, and none.
fn province() -> impl Strategy<Value = ProvinceCode> + Clone {
    select(vec![0, 33, 35]).prop_map(|c| ProvinceCode::new(c).unwrap())
}

fn span() -> impl Strategy<Value = (Minute, Option<Minute>)> {
    (moment(), of(moment())).prop_map(|(begin, end)| (begin, end.filter(|e| *e >= begin)))
}

pub(crate) fn fact() -> impl Strategy<Value = Fact> {
    (select(&FactKind::ALL[..]), province(), span()).prop_map(|(kind, province, (begin, end))| {
        Fact {
            kind,
            province,
            begin,
            end,
        }
    })
}

/// One of eight neighbouring places.
fn place() -> impl Strategy<Value = AreaCode> + Clone {
    (0..8u32).prop_map(|n| AreaCode::new(330_102_001 + n / 2, n % 2).unwrap())
}

pub(crate) fn stay() -> impl Strategy<Value = Stay> {
    (place(), span()).prop_map(|(place, (begin, end))| Stay { place, begin, end })
}

fn runs() -> impl Strategy<Value = Vec<CheckInRun>> {
    let first = Minute::new(MOMENTS.start).unwrap().day().get();
    // Up to four runs of 1 to 10 days with gaps of 1 to 3 days between them, none after the last moment.
    (vec((2u16..5, 0u16..10), 0..4), any::<bool>()).prop_map(move |(steps, reaches_end)| {
        let mut next = first;
        let mut runs: Vec<CheckInRun> = Vec::new();
        for (gap, more) in steps {
            let run = CheckInRun {
                first: Day::new(next),
                last: Day::new((next + more).min(first + 20)),
            };
            if run.first <= run.last {
                runs.push(run);
            }
            next = next + more + gap;
        }
        if let (Some(run), true) = (runs.last_mut(), reaches_end) {
            run.last = Day::new(first + 20);
        }
        runs
    })
}

pub(crate) fn record() -> impl Strategy<Value = Record> {
    (
        vec(stay(), 0..5),
        vec(fact(), 0..6),
        btree_set(moment(), 0..=8),
        runs(),
    )
        .prop_map(|(stays, facts, negatives, runs)| {
            Record::new(stays, facts, negatives.into_iter().collect(), runs).unwrap()
        })
}

fn offset() -> impl Strategy<Value = Offset> {
    prop_oneof![
        (0..300u16).prop_map(Offset::Hours),
        (0..14u16).prop_map(Offset::Days)
    ]
}

fn clearing() -> impl Strategy<Value = Clearing> {
    (
        offset(),
        0..=3u8,
        1..=40u8,
        0..=120u16,
        -48..=100i16,
        prop_oneof![3 => Just(0), 1 => 1..=9u8],
    )
        .prop_map(
            |(after, negatives, gap_hours, span, neg_from_hours, days)| {
                // As the linter demands: the tests fit into their span.
                let least = u16::from(gap_hours) * u16::from(negatives.saturating_sub(1));
                Clearing {
                    after,
                    negatives,
                    gap_hours,
                    span_hours: least + span,
                    neg_from_hours,
                    check_in_days: days,
                }
            },
        )
}

fn row() -> impl Strategy<Value = Row> {
    let colour = || select(vec![Colour::Green, Colour::Yellow, Colour::Red]);
    let lapse = (1..500u16).prop_map(Offset::Hours);
    (
        colour(),
        offset(),
        colour(),
        weighted(0.3, lapse),
        weighted(0.7, clearing()),
        weighted(0.3, clearing()),
    )
        .prop_map(|(first, switch, then, lapse, one, two)| Row {
            first,
            switch,
            then,
            lapse,
            clearing: [one, two],
        })
}

pub(crate) fn table() -> impl Strategy<Value = RowTable> {
    let lookback = (0..100u16, 0..100u16, 0..400u16);
    (vec(row(), 1..12), lookback, province(), any::<u64>()).prop_map(
        |(rows, (low, medium, high), province, seed)| {
            let lookback = LookbackHours { low, medium, high };
            RowTable::new(province, lookback, |key: Key| {
                if key.is_no_ground() {
                    return Row::INERT;
                }
                let mixed = (seed ^ u64::from(key.code())).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                rows[usize::try_from(mixed >> 40).unwrap() % rows.len()]
            })
            .unwrap()
        },
    )
}

fn periods() -> impl Strategy<Value = Vec<Period>> {
    let grade = select(vec![Grade::Low, Grade::Medium, Grade::High]);
    let bounds = btree_set(moment(), 0..=4);
    (bounds, vec(grade, 3), any::<bool>(), any::<bool>()).prop_map(|(bounds, grades, gap, open)| {
        let bounds: Vec<Minute> = bounds.into_iter().collect();
        let step = if gap { 2 } else { 1 };
        let mut periods: Vec<Period> = bounds
            .windows(2)
            .step_by(step)
            .zip(grades)
            .map(|(w, grade)| Period {
                grade,
                since: w[0],
                until: w[1],
            })
            .collect();
        if let (Some(last), true) = (periods.last_mut(), open) {
            last.until = Minute::MAX;
        }
        periods
    })
}

/// Eight intervals of one place each, and the rest before and after them.
pub(crate) fn map() -> impl Strategy<Value = RiskMap> {
    vec(periods(), 8).prop_map(|listed| {
        let code = |packed| AreaCode::from_packed(packed).unwrap();
        let mut next = 0u64;
        let mut intervals = Vec::new();
        for (n, periods) in (0u32..).zip(listed) {
            let place = AreaCode::new(330_102_001 + n / 2, n % 2).unwrap();
            if next < place.packed() {
                intervals.push(Interval {
                    from: code(next),
                    last: code(place.packed() - 1),
                    periods: Vec::new(),
                });
            }
            intervals.push(Interval {
                from: place,
                last: place,
                periods,
            });
            next = place.packed() + 1;
        }
        intervals.push(Interval {
            from: code(next),
            last: AreaCode::LAST,
            periods: Vec::new(),
        });
        RiskMap::new(intervals).unwrap()
    })
}

/// A record, a second one to take parts from, a table, a map, and a moment after all of them.
pub(crate) fn scene() -> impl Strategy<Value = (Record, Record, RowTable, RiskMap, Minute)> {
    let soon = minute(MOMENTS.end..MOMENTS.end + 3 * 1440);
    let at = prop_oneof![soon, minute(MOMENTS.end..MOMENTS.end + 20 * 1440)];
    (record(), record(), table(), map(), at)
}

/// Events whose folding leaves room for everything, and the record that they state literally, without merging or leaving.
pub(crate) fn events_with_record() -> impl Strategy<Value = (Vec<Event>, Record)> {
    let stays = vec(stay(), 0..5).prop_map(|mut stays| {
        // One stay a place, so that none join.
        stays.sort();
        stays.dedup_by_key(|s| s.place);
        stays
    });
    (
        vec(fact(), 0..10),
        stays,
        btree_set(moment(), 0..=8),
        runs(),
    )
        .prop_map(|(facts, stays, negatives, runs)| {
            let symptoms = |f: &Fact| f.kind == FactKind::Symptoms;
            let facts: Vec<Fact> = facts.into_iter().filter(|f| !symptoms(f)).collect();
            let negatives: Vec<Minute> = negatives.into_iter().collect();
            let events = events(&facts, &stays, &negatives, &runs);
            (events, Record::new(stays, facts, negatives, runs).unwrap())
        })
}

fn events(facts: &[Fact], stays: &[Stay], negatives: &[Minute], runs: &[CheckInRun]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut push = |body: EventBody, province: ProvinceCode| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(events.len() as u64 + 1).to_be_bytes());
        events.push(Event {
            id: EventId(id),
            subject: "11010519491231002X".parse().unwrap(),
            source: SourceId {
                province,
                kind: SourceKind::Cdc,
                number: 1,
            },
            issued_at: body.latest(),
            body,
        });
        EventId(id)
    };
    let none = ProvinceCode::NATION;
    for fact in facts {
        let target = push(body_of(fact), fact.province);
        if let Some(at) = fact.end {
            push(EventBody::Release { target, at }, none);
        }
    }
    for stay in stays {
        let Stay { place, begin, end } = *stay;
        push(EventBody::Stay { place, begin, end }, none);
    }
    for &sampled_at in negatives {
        let result = TestResult::Negative;
        push(EventBody::Test { sampled_at, result }, none);
    }
    for day in runs.iter().flat_map(|r| r.first.get()..=r.last.get()) {
        let (day, symptoms) = (Day::new(day), false);
        push(EventBody::CheckIn { day, symptoms }, none);
    }
    events
}

fn body_of(fact: &Fact) -> EventBody {
    let (at, province) = (fact.begin, fact.province);
    let case = |kind| EventBody::Case { kind, at, province };
    let contact = |degree| EventBody::Contact {
        degree,
        last_contact_at: at,
        province,
    };
    let list = |list| EventBody::Exposure { list, at, province };
    match fact.kind {
        FactKind::ConfirmedCase => case(CaseKind::Confirmed),
        FactKind::AsymptomaticCase => case(CaseKind::Asymptomatic),
        FactKind::SuspectedCase => case(CaseKind::Suspected),
        FactKind::CloseContact => contact(ContactDegree::Close),
        FactKind::SecondaryContact => contact(ContactDegree::Secondary),
        FactKind::Entry => EventBody::Entry {
            port: province,
            arrived_at: at,
        },
        FactKind::ColdChainOnce => list(ExposureList::ColdChainOnce),
        FactKind::ColdChainFrequent => list(ExposureList::ColdChainFrequent),
        FactKind::FeverClinic => list(ExposureList::FeverClinic),
        FactKind::PossibleLink => list(ExposureList::PossibleLink),
        FactKind::AssistList => list(ExposureList::AssistList),
        FactKind::PotentialRisk => list(ExposureList::PotentialRisk),
        FactKind::PooledTube => list(ExposureList::PooledTube),
        FactKind::ScreenedPositive | FactKind::Symptoms => EventBody::Test {
            sampled_at: at,
            result: TestResult::Positive,
        },
    }
}
