//! Evaluation at its edges: the first minute that counts, and the last that does not.

use rules::evaluate::{
    Exposure, days_counted, exposure, is_cleared, key_of_fact, negatives_counted, row_state,
};
use rules::{
    AreaCode, CheckInRun, Clearing, Colour, Day, Error, Fact, FactKind, Grade, Interval,
    LookbackHours, Minute, Offset, Period, ProvinceCode, Record, RiskMap, Row, RowTable, State,
    Stay, evaluate,
};

/// 2022-08-18 00:00 of UTC+8.
const DAY: u32 = 27_679_200;

fn minute(number: u32) -> Minute {
    Minute::new(number).unwrap()
}

fn stay(begin: u32, end: Option<u32>) -> Stay {
    Stay {
        place: AreaCode::FIRST,
        begin: minute(begin),
        end: end.map(minute),
    }
}

fn whole(periods: &[(Grade, u32, u32)]) -> Interval {
    let periods = periods.iter().map(|(grade, since, until)| Period {
        grade: *grade,
        since: minute(*since),
        until: minute(*until),
    });
    Interval {
        from: AreaCode::FIRST,
        last: AreaCode::LAST,
        periods: periods.collect(),
    }
}

const BACK: LookbackHours = LookbackHours {
    low: 0,
    medium: 1,
    high: 2,
};

fn met(stay: &Stay, periods: &[(Grade, u32, u32)], at: u32) -> (Grade, Grade, u32) {
    let Exposure {
        worst,
        at_end,
        anchor,
    } = exposure(stay, &whole(periods), BACK, minute(at));
    (worst, at_end, anchor.get())
}

#[test]
fn a_stay_meets_a_listing_from_its_look_back_to_the_minute_before_its_end() {
    let high = [(Grade::High, 1_000, 2_000)];
    let none = (Grade::None, Grade::None);
    for (begin, end, worst, at_end, anchor) in [
        // Two hours before the listing, to the minute.
        (500, 880, Grade::High, Grade::High, 880),
        (500, 879, none.0, none.1, 879),
        // The last minute at that grade, and the first after it.
        (1_999, 3_000, Grade::High, Grade::None, 2_000),
        (2_000, 3_000, none.0, none.1, 3_000),
        // Within, and over the end.
        (1_500, 1_999, Grade::High, Grade::High, 1_999),
        (1_500, 2_000, Grade::High, Grade::None, 2_000),
        (1_500, 2_001, Grade::High, Grade::None, 2_000),
    ] {
        let found = met(&stay(begin, Some(end)), &high, 9_000);
        assert_eq!(found, (worst, at_end, anchor), "{begin} to {end}");
    }
    let medium = [(Grade::Medium, 1_000, 2_000)];
    assert_eq!(met(&stay(500, Some(940)), &medium, 9_000).0, Grade::Medium);
    assert_eq!(met(&stay(500, Some(939)), &medium, 9_000).0, Grade::None);
    let low = [(Grade::Low, 1_000, 2_000)];
    assert_eq!(met(&stay(500, Some(1_000)), &low, 9_000).0, Grade::Low);
    assert_eq!(met(&stay(500, Some(999)), &low, 9_000).0, Grade::None);
    // One that goes on ends, for now, with the moment of evaluation.
    assert_eq!(
        met(&stay(500, None), &high, 1_700),
        (Grade::High, Grade::High, 1_700)
    );
}

#[test]
fn the_anchor_is_the_last_exposure_to_a_grade_that_counts() {
    let periods = [(Grade::Medium, 1_000, 2_000), (Grade::Low, 3_000, 4_000)];
    let found = met(&stay(1_500, Some(3_500)), &periods, 9_000);
    assert_eq!(found, (Grade::Medium, Grade::Low, 2_000));
    let found = met(&stay(2_500, Some(3_500)), &periods, 9_000);
    assert_eq!(found, (Grade::Low, Grade::Low, 3_500));
    let both = [(Grade::High, 1_000, 2_000), (Grade::Medium, 2_000, 3_000)];
    let found = met(&stay(1_500, Some(2_500)), &both, 9_000);
    assert_eq!(found, (Grade::High, Grade::Medium, 2_500));
}

fn clearing() -> Clearing {
    Clearing {
        after: Offset::Hours(0),
        negatives: 2,
        gap_hours: 1,
        span_hours: 2,
        neg_from_hours: 1,
        check_in_days: 0,
    }
}

#[test]
fn negatives_count_from_their_earliest_minute_with_their_gap_and_within_their_span() {
    let counted = |clearing: &Clearing, negatives: &[u32]| {
        let negatives: Vec<Minute> = negatives.iter().map(|n| minute(DAY + n)).collect();
        negatives_counted(clearing, &negatives, minute(DAY))
    };
    let two = clearing();
    for (negatives, count) in [
        (&[][..], 0),
        (&[59], 0),
        (&[60], 1),
        // The gap, to the minute.
        (&[60, 119], 1),
        (&[60, 120], 2),
        // The span, to the minute.
        (&[60, 180], 2),
        (&[60, 181], 1),
        // One too early is no beginning, and one that does not fit is passed over.
        (&[0, 60], 1),
        (&[59, 119, 179], 2),
        (&[60, 90, 120], 2),
        // No more than are needed.
        (&[60, 120, 180], 2),
        // The best beginning counts, not the first.
        (&[60, 500, 560], 2),
    ] {
        assert_eq!(counted(&two, negatives), count, "{negatives:?}");
    }
    let three = Clearing {
        negatives: 3,
        ..two
    };
    assert_eq!(counted(&three, &[60, 120, 180]), 3);
    assert_eq!(counted(&three, &[60, 120, 181]), 2);
    let before = Clearing {
        neg_from_hours: -1,
        ..two
    };
    let early = [minute(DAY - 60), minute(DAY)];
    assert_eq!(negatives_counted(&before, &early, minute(DAY)), 2);
    let early = [minute(DAY - 61), minute(DAY)];
    assert_eq!(negatives_counted(&before, &early, minute(DAY)), 1);
    let none = Clearing {
        negatives: 0,
        ..two
    };
    assert_eq!(counted(&none, &[60, 120]), 0);
}

#[test]
fn check_in_days_count_after_the_anchor_s_day_and_up_to_today() {
    let today = minute(DAY + 10 * 1_440);
    let first = minute(DAY).day().get();
    let counted = |needed: u8, runs: &[(u16, u16)]| {
        let runs: Vec<CheckInRun> = runs
            .iter()
            .map(|(from, last)| CheckInRun {
                first: Day::new(first + from),
                last: Day::new(first + last),
            })
            .collect();
        let clearing = Clearing {
            check_in_days: needed,
            ..clearing()
        };
        days_counted(&clearing, &runs, minute(DAY + 700), today)
    };
    for (runs, days) in [
        (&[][..], 0),
        // The anchor's own day does not count, the next does.
        (&[(0, 0)], 0),
        (&[(0, 1)], 1),
        (&[(1, 1)], 1),
        (&[(0, 5)], 5),
        // Today counts, tomorrow does not.
        (&[(8, 10)], 3),
        (&[(8, 12)], 3),
        (&[(11, 12)], 0),
        // The longest run alone.
        (&[(1, 2), (4, 6), (8, 8)], 3),
    ] {
        assert_eq!(counted(14, runs), days, "{runs:?}");
    }
    assert_eq!(counted(2, &[(1, 6)]), 2);
    assert_eq!(counted(0, &[(1, 6)]), 0);
}

fn record(negatives: &[u32], runs: &[(u16, u16)]) -> Record {
    let runs = runs.iter().map(|(first, last)| CheckInRun {
        first: Day::new(*first),
        last: Day::new(*last),
    });
    let negatives = negatives.iter().map(|n| minute(*n)).collect();
    Record::new(vec![], vec![], negatives, runs.collect()).unwrap()
}

#[test]
fn a_way_out_is_open_when_time_tests_and_days_all_suffice() {
    let day = minute(DAY).day().get();
    let way = Clearing {
        after: Offset::Days(3),
        negatives: 1,
        neg_from_hours: 0,
        check_in_days: 2,
        ..clearing()
    };
    let whole = record(&[DAY + 60], &[(day + 1, day + 2)]);
    let anchor = minute(DAY + 5);
    let open = minute(DAY + 3 * 1_440);
    let before = minute(DAY + 3 * 1_440 - 1);
    assert!(is_cleared(&way, &whole, anchor, open));
    assert!(!is_cleared(&way, &whole, anchor, before));
    let untested = record(&[], &[(day + 1, day + 2)]);
    assert!(!is_cleared(&way, &untested, anchor, open));
    let silent = record(&[DAY + 60], &[(day + 1, day + 1)]);
    assert!(!is_cleared(&way, &silent, anchor, open));
}

#[test]
fn a_row_changes_clears_and_lapses_at_its_minutes() {
    let way = Clearing {
        after: Offset::Hours(4),
        negatives: 0,
        ..clearing()
    };
    let later = Clearing {
        after: Offset::Hours(3),
        negatives: 1,
        neg_from_hours: 0,
        ..clearing()
    };
    let row = Row {
        first: Colour::Red,
        switch: Offset::Hours(2),
        then: Colour::Yellow,
        lapse: None,
        clearing: [Some(way), Some(later)],
    };
    let state =
        |row: &Row, record: &Record, at: u32| row_state(row, record, minute(DAY), minute(DAY + at));
    let nothing = Record::default();
    assert_eq!(state(&row, &nothing, 119), (State::Open, Colour::Red));
    assert_eq!(state(&row, &nothing, 120), (State::Open, Colour::Yellow));
    assert_eq!(state(&row, &nothing, 239), (State::Open, Colour::Yellow));
    let over = (State::Cleared(0), Colour::Green);
    assert_eq!(state(&row, &nothing, 240), over);
    let tested = record(&[DAY + 1], &[]);
    assert_eq!(state(&row, &tested, 179), (State::Open, Colour::Yellow));
    let other = (State::Cleared(1), Colour::Green);
    assert_eq!(state(&row, &tested, 180), other);
    assert_eq!(state(&row, &tested, 240), over);
    let lapsing = Row {
        lapse: Some(Offset::Hours(4)),
        ..row
    };
    assert_eq!(
        state(&lapsing, &nothing, 239),
        (State::Open, Colour::Yellow)
    );
    assert_eq!(
        state(&lapsing, &nothing, 240),
        (State::Lapsed, Colour::Green)
    );
    let inert = (State::Inert, Colour::Green);
    assert_eq!(state(&Row::INERT, &nothing, 0), inert);
}

fn table(province: u8) -> RowTable {
    let red = Row {
        first: Colour::Red,
        then: Colour::Red,
        lapse: Some(Offset::Days(2)),
        clearing: [
            Some(Clearing {
                after: Offset::Days(1),
                negatives: 1,
                neg_from_hours: 0,
                check_in_days: 1,
                ..clearing()
            }),
            None,
        ],
        ..Row::INERT
    };
    let row_of = |key: rules::Key| if key.is_no_ground() { Row::INERT } else { red };
    let province = ProvinceCode::new(province).unwrap();
    RowTable::new(province, LookbackHours::default(), row_of).unwrap()
}

fn fact(province: u8, begin: u32, end: Option<u32>) -> Fact {
    Fact {
        kind: FactKind::CloseContact,
        province: ProvinceCode::new(province).unwrap(),
        begin: minute(begin),
        end: end.map(minute),
    }
}

#[test]
fn a_fact_is_local_to_its_own_province_and_never_to_the_nation() {
    let code = |of: u8, under: u8, end| key_of_fact(&fact(of, DAY, end), &table(under)).code();
    assert_eq!(code(33, 33, None), 5 + 32);
    assert_eq!(code(33, 35, None), 5);
    assert_eq!(code(33, 33, Some(DAY)), 5 + 16 + 32);
    assert_eq!(code(0, 33, None), 5);
    assert_eq!(code(0, 0, None), 5);
}

#[test]
fn a_record_is_evaluated_from_its_latest_moment_on() {
    let facts = vec![fact(33, DAY, None)];
    let record = Record::new(vec![], facts, vec![], vec![]).unwrap();
    let of = |at| evaluate(&record, &table(33), &RiskMap::empty(), minute(at));
    let found = of(DAY).unwrap();
    assert_eq!((found.colour, found.reasons.len()), (Colour::Red, 1));
    let (latest, at) = (minute(DAY), minute(DAY - 1));
    assert_eq!(of(DAY - 1), Err(Error::Future { latest, at }));
    let reason = &found.reasons[0];
    assert_eq!(reason.anchor, minute(DAY));
    assert!(!reason.anchor_moves);
    assert_eq!(reason.lapses_at, Some(minute(DAY + 2 * 1_440)));
    let way = reason.ways_out[0];
    assert_eq!(way.time_from, Some(minute(DAY + 1_440)));
    assert_eq!((way.negatives_counted, way.check_in_days_counted), (0, 0));
    // A test can be had at once, a day counts from tomorrow.
    assert_eq!(way.earliest, Some(minute(DAY + 1_440)));
    assert_eq!(reason.earliest_end, Some(minute(DAY + 1_440).day()));
}

#[test]
fn while_a_stay_goes_on_in_a_listed_area_no_time_passes_for_it() {
    let map = |grade: Grade| RiskMap::new(vec![whole(&[(grade, DAY, Minute::MAX.get())])]).unwrap();
    let of = |grade: Grade, end: Option<u32>| {
        let record = Record::new(vec![stay(DAY, end)], vec![], vec![], vec![]).unwrap();
        let at = minute(DAY + 100);
        let found = evaluate(&record, &table(33), &map(grade), at).unwrap();
        (found.reasons[0].anchor_moves, found.reasons[0].lapses_at)
    };
    for grade in [Grade::Low, Grade::Medium, Grade::High] {
        assert_eq!(of(grade, None), (true, None), "{grade:?}");
        let stands = Some(minute(DAY + 2 * 1_440));
        assert_eq!(of(grade, Some(DAY + 50)), (false, stands), "{grade:?}");
    }
    // Fallen from medium to low, the last exposure that counts is over.
    let fell = whole(&[
        (Grade::Medium, DAY, DAY + 10),
        (Grade::Low, DAY + 10, Minute::MAX.get()),
    ]);
    let map = RiskMap::new(vec![fell]).unwrap();
    let record = Record::new(vec![stay(DAY, None)], vec![], vec![], vec![]).unwrap();
    let found = evaluate(&record, &table(33), &map, minute(DAY + 100)).unwrap();
    let reason = &found.reasons[0];
    assert_eq!(
        (reason.anchor_moves, reason.anchor),
        (false, minute(DAY + 10))
    );
    // Where nothing is listed, a stay is no reason.
    let unlisted = evaluate(&record, &table(33), &RiskMap::empty(), minute(DAY + 100)).unwrap();
    assert_eq!((unlisted.colour, unlisted.reasons), (Colour::Green, vec![]));
}

/// Minutes after [`DAY`] at which a way out of a fact of that moment can be fulfilled at the earliest.
fn earliest(way: Clearing, negatives: &[u32], runs: &[(u16, u16)], now: u32) -> Option<u32> {
    let red = row_with(way);
    let row_of = |key: rules::Key| if key.is_no_ground() { Row::INERT } else { red };
    let table = RowTable::new(ProvinceCode::NATION, LookbackHours::default(), row_of).unwrap();
    let day = minute(DAY).day().get();
    let runs = runs.iter().map(|(first, last)| CheckInRun {
        first: Day::new(day + first),
        last: Day::new(day + last),
    });
    let negatives = negatives.iter().map(|n| minute(DAY + n)).collect();
    let facts = vec![fact(0, DAY, None)];
    let record = Record::new(vec![], facts, negatives, runs.collect()).unwrap();
    let found = evaluate(&record, &table, &RiskMap::empty(), minute(DAY + now)).unwrap();
    let at = found.reasons[0].ways_out[0].earliest?;
    Some(at.get() - DAY)
}

fn row_with(way: Clearing) -> Row {
    Row {
        first: Colour::Red,
        then: Colour::Red,
        clearing: [Some(way), None],
        ..Row::INERT
    }
}

#[test]
fn the_earliest_way_out_goes_on_with_the_tests_that_count_or_begins_afresh() {
    // From an hour after the anchor; two hours apart, four from the first to the last.
    let way = |negatives| Clearing {
        after: Offset::Hours(0),
        negatives,
        gap_hours: 2,
        span_hours: 4,
        neg_from_hours: 1,
        check_in_days: 0,
    };
    for (needed, negatives, now, at) in [
        // None yet: one at once, but not before it counts.
        (1, &[][..], 10, 60),
        (1, &[], 90, 90),
        (2, &[], 90, 210),
        (3, &[], 90, 330),
        // One in its first minute is gone on with, one before it is not.
        (2, &[60], 100, 180),
        (2, &[59], 100, 220),
        // It is gone on with to the last minute of the span.
        (2, &[60], 300, 300),
        (2, &[60], 301, 421),
        // One that comes too early after another counts for nothing.
        (3, &[60, 100], 110, 300),
        (3, &[60, 180], 190, 300),
        // The best of several beginnings.
        (2, &[60, 170], 310, 310),
        (2, &[60, 170, 175], 200, 200),
        // Of three there is room for the two that miss only from the second on.
        (3, &[60, 200], 301, 440),
    ] {
        let found = earliest(way(needed), negatives, &[], now);
        assert_eq!(found, Some(at), "{needed} of {negatives:?} at {now}");
    }
    // Tests that do not fit into their span cannot be met, those that just do can.
    let tight = |span_hours| Clearing {
        gap_hours: 2,
        span_hours,
        ..way(2)
    };
    assert_eq!(earliest(tight(1), &[], &[], 90), None);
    assert_eq!(earliest(tight(2), &[], &[], 90), Some(210));
}

#[test]
fn the_earliest_way_out_goes_on_with_a_run_that_reaches_yesterday() {
    let way = Clearing {
        after: Offset::Hours(0),
        negatives: 0,
        gap_hours: 1,
        span_hours: 0,
        neg_from_hours: 0,
        check_in_days: 3,
    };
    let on = |day: u32| day * 1_440 + 600;
    let midnight = |day: u32| Some(day * 1_440);
    for (runs, today, at) in [
        // Nothing yet: today is the first day, but not the anchor's own.
        (&[][..], 2, midnight(4)),
        (&[], 0, midnight(3)),
        // Up to today, up to yesterday, and up to the day before.
        (&[(1, 2)], 2, midnight(3)),
        (&[(1, 2)], 3, Some(on(3))),
        (&[(1, 1)], 2, midnight(3)),
        (&[(1, 1)], 3, midnight(5)),
        // What lies before the anchor's next day does not count.
        (&[(0, 1)], 2, midnight(3)),
    ] {
        assert_eq!(
            earliest(way, &[], runs, on(today)),
            at,
            "{runs:?} on {today}"
        );
    }
    // Whichever comes last: time, tests or days.
    let timed = Clearing {
        after: Offset::Days(9),
        ..way
    };
    assert_eq!(earliest(timed, &[], &[], on(2)), midnight(9));
    assert_eq!(earliest(timed, &[], &[(1, 3)], on(4)), midnight(9));
    assert_eq!(earliest(timed, &[], &[(1, 2)], on(8)), midnight(10));
    let tested = Clearing {
        negatives: 1,
        neg_from_hours: 240,
        ..way
    };
    assert_eq!(earliest(tested, &[], &[], on(2)), Some(240 * 60));
}
