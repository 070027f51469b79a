use super::*;
use crate::testing::{
    at, check_in, day, event, exposure, negative, province, release, ruling, stay, tables,
};
use crate::{AreaCode, Interval, Period, TestResult, evaluate};
use crate::{CaseKind, ContactDegree, Day, EventBody, ExposureList, SourceKind};

mod stays;

const HOME: &str = "330102001";

/// A map in which one area, with all its sites, has these periods.
fn map_of(area: &str, periods: &[(Grade, &str, &str)]) -> RiskMap {
    let from: AreaCode = area.parse().unwrap();
    let last = AreaCode::from_packed(from.packed() + (1 << AreaCode::SITE_BITS) - 1).unwrap();
    let code = |packed| AreaCode::from_packed(packed).unwrap();
    let plain = |from, last| Interval {
        from,
        last,
        periods: Vec::new(),
    };
    let periods = periods.iter().map(|(grade, since, until)| Period {
        grade: *grade,
        since: at(since),
        until: at(until),
    });
    RiskMap::new(vec![
        plain(AreaCode::FIRST, code(from.packed() - 1)),
        Interval {
            from,
            last,
            periods: periods.collect(),
        },
        plain(code(last.packed() + 1), AreaCode::LAST),
    ])
    .unwrap()
}

fn folded(events: &[Event], map: &RiskMap, when: &str) -> Folded {
    let tables = tables();
    let context = Context {
        tables: &tables,
        map,
    };
    fold(events, &context, at(when)).unwrap()
}

fn record(events: &[Event], when: &str) -> Record {
    folded(events, &RiskMap::empty(), when).record
}

#[test]
fn nothing_known_is_an_empty_record() {
    assert_eq!(record(&[], "2022-08-20 12:00"), Record::default());
}

#[test]
fn an_event_counts_from_its_issue() {
    let mut test = negative(1, "2022-08-20 08:00");
    test.issued_at = at("2022-08-20 10:00");
    assert!(record(&[test], "2022-08-20 09:59").negatives().is_empty());
    assert_eq!(record(&[test], "2022-08-20 10:00").negatives().len(), 1);
}

#[test]
fn a_positive_test_is_a_ground_in_the_laboratorys_province_until_it_is_excluded() {
    let positive = event(
        1,
        SourceKind::Laboratory,
        EventBody::Test {
            sampled_at: at("2022-08-20 08:00"),
            result: TestResult::Positive,
        },
    );
    let before = record(&[positive], "2022-08-20 12:00");
    assert_eq!(before.facts().len(), 1);
    assert_eq!(before.facts()[0].kind, FactKind::ScreenedPositive);
    assert_eq!(before.facts()[0].province, province(33));
    assert!(before.negatives().is_empty());
    let excluded = release(2, SourceKind::Laboratory, 1, "2022-08-20 11:00");
    let after = folded(&[positive, excluded], &RiskMap::empty(), "2022-08-20 12:00");
    assert!(after.record.facts().is_empty());
    assert_eq!(after.left, [EventId([1; 16])]);
}

#[test]
fn a_discharge_ends_its_case_and_counts_from_then() {
    let case = event(
        1,
        SourceKind::Hospital,
        EventBody::Case {
            kind: CaseKind::Confirmed,
            at: at("2022-08-01 08:00"),
            province: province(33),
        },
    );
    let discharge = release(2, SourceKind::Hospital, 1, "2022-08-15 10:00");
    let facts = record(&[case, discharge], "2022-08-20 12:00");
    assert_eq!(facts.facts()[0].end, Some(at("2022-08-15 10:00")));
    // Before the discharge was issued it had not happened.
    assert_eq!(
        record(&[case, discharge], "2022-08-15 09:59").facts()[0].end,
        None
    );
    // Of two discharges the later counts, in whatever order they come.
    let again = release(3, SourceKind::Hospital, 1, "2022-08-16 10:00");
    let both = record(&[again, case, discharge], "2022-08-20 12:00");
    assert_eq!(both.facts()[0].end, Some(at("2022-08-16 10:00")));
}

#[test]
fn a_ruling_voids_its_target_and_a_voided_release_no_longer_ends() {
    let listed = exposure(1, ExposureList::AssistList, "2022-08-19 08:00");
    let voided = [listed, ruling(2, 1, "2022-08-20 08:00")];
    assert_eq!(record(&voided, "2022-08-20 07:59").facts().len(), 1);
    assert!(record(&voided, "2022-08-20 08:00").facts().is_empty());
    let freed = [listed, release(3, SourceKind::Cdc, 1, "2022-08-19 12:00")];
    assert!(record(&freed, "2022-08-20 08:00").facts().is_empty());
    let restored = [freed[0], freed[1], ruling(4, 3, "2022-08-20 08:00")];
    assert_eq!(record(&restored, "2022-08-20 08:00").facts()[0].end, None);
}

#[test]
fn a_symptomatic_day_is_a_ground_and_breaks_the_run() {
    let days = ["2022-08-10", "2022-08-11", "2022-08-12", "2022-08-13"];
    let mut events: Vec<Event> = (1..)
        .zip(days)
        .map(|(id, on)| check_in(id, on, false))
        .collect();
    events.push(check_in(9, "2022-08-12", true));
    let record = record(&events, "2022-08-14 12:00");
    let run = |first, last| CheckInRun {
        first: day(first),
        last: day(last),
    };
    assert_eq!(
        record.runs(),
        [run(days[0], days[1]), run(days[3], days[3])]
    );
    assert_eq!(record.facts()[0].kind, FactKind::Symptoms);
    assert_eq!(record.facts()[0].begin, at("2022-08-12 00:00"));
    assert_eq!(record.facts()[0].province, ProvinceCode::NATION);
}

#[test]
fn the_latest_eight_negatives_stay_and_one_per_minute() {
    let mut events: Vec<Event> = (1..=9)
        .map(|n| negative(n, &format!("2022-08-1{n} 08:00")))
        .collect();
    events.push(negative(99, "2022-08-19 08:00"));
    let record = record(&events, "2022-08-20 12:00");
    assert_eq!(record.negatives().len(), 8);
    assert_eq!(record.negatives()[0], at("2022-08-12 08:00"));
    assert_eq!(record.negatives()[7], at("2022-08-19 08:00"));
}

#[test]
fn a_long_run_stays_when_many_short_ones_follow() {
    // Fifteen days before the contact that serve nothing, its fourteen, then every second day: seven runs in all.
    let base = day("2022-07-01").get();
    let before = (40..=54).map(|n| (n, base - 60 + n));
    let after = (1..=14).chain([16, 18, 20, 22, 24]).map(|n| (n, base + n));
    let mut events: Vec<Event> = before
        .chain(after)
        .map(|(n, on)| check_in(u8::try_from(n).unwrap(), &Day::new(on).to_string(), false))
        .collect();
    events.push(event(
        99,
        SourceKind::Cdc,
        EventBody::Contact {
            degree: ContactDegree::Close,
            last_contact_at: at("2022-07-01 10:00"),
            province: province(33),
        },
    ));
    let map = RiskMap::empty();
    let folded = folded(&events, &map, "2022-07-26 12:00");
    let runs = folded.record.runs();
    assert_eq!(runs.len(), MAX_RUNS);
    assert_eq!(
        (runs[0].first.get(), runs[0].last.get()),
        (base + 1, base + 14)
    );
    assert_eq!(runs[3].last.get(), base + 24);
    // Fujian asks for a negative, so the contact is still there; Hangzhou's rule is cleared and stays so.
    assert_eq!(folded.record.facts().len(), 1);
    let now = at("2022-07-26 12:00");
    let colour = |i: usize| {
        evaluate(&folded.record, &tables()[i], &map, now)
            .unwrap()
            .colour
    };
    assert_eq!(
        (colour(0), colour(1)),
        (crate::Colour::Green, crate::Colour::Yellow)
    );
}

/// The runs that stay of runs of these lengths, a free day between each two, under rules that ask for these days.
fn runs_kept(asked: &[u8], lengths: &[u16]) -> Vec<u16> {
    let row = |days: u8| crate::Row {
        first: crate::Colour::Red,
        then: crate::Colour::Red,
        clearing: [
            Some(crate::Clearing {
                after: crate::Offset::Days(1),
                negatives: 0,
                gap_hours: 1,
                span_hours: 0,
                neg_from_hours: 0,
                check_in_days: days,
            }),
            None,
        ],
        ..crate::Row::INERT
    };
    let row_of = |key: Key| match asked.get(usize::from(key.code()).wrapping_sub(1)) {
        Some(days) => row(*days),
        None => crate::Row::INERT,
    };
    let table = RowTable::new(province(33), crate::LookbackHours::default(), row_of).unwrap();
    let map = RiskMap::empty();
    let context = Context {
        tables: &[table],
        map: &map,
    };
    let mut on = day("2022-01-01").get();
    let mut events = Vec::new();
    for length in lengths {
        for _ in 0..*length {
            let id = u8::try_from(events.len()).unwrap();
            events.push(check_in(id, &Day::new(on).to_string(), false));
            on += 1;
        }
        on += 1;
    }
    let folded = fold(&events, &context, at("2022-12-01 00:00")).unwrap();
    let runs = folded.record.runs().iter();
    runs.map(|run| run.last.get() - run.first.get() + 1)
        .collect()
}

#[test]
fn of_many_runs_those_that_can_serve_stay_then_the_latest() {
    // For each number of days that is asked for the latest run that long, however old.
    assert_eq!(
        runs_kept(&[2, 4, 6, 8], &[8, 6, 4, 2, 1, 1, 1]),
        [8, 6, 4, 2]
    );
    assert_eq!(runs_kept(&[8], &[8, 6, 4, 2, 1, 3, 1]), [8, 1, 3, 1]);
    assert_eq!(runs_kept(&[8], &[9, 8, 4, 2, 1, 3, 1]), [8, 1, 3, 1]);
    assert_eq!(runs_kept(&[7], &[6, 6, 4, 2, 1, 3]), [4, 2, 1, 3]);
    // Where more are asked for than there is room, the oldest drop.
    let five = [2, 4, 6, 8, 10];
    assert_eq!(runs_kept(&five, &[10, 8, 6, 4, 2, 1]), [8, 6, 4, 2]);
    // A row that asks for no days needs no run.
    assert_eq!(runs_kept(&[0, 2, 4, 6, 8], &[8, 6, 4, 2, 1]), [8, 6, 4, 2]);
    // Up to four there is no choice.
    assert_eq!(runs_kept(&[8], &[1, 1, 2, 1]), [1, 1, 2, 1]);
}

#[test]
fn grounds_of_one_key_merge_to_the_latest_anchor_and_keep_their_events() {
    let contact = |id, when, code| {
        let body = EventBody::Contact {
            degree: ContactDegree::Close,
            last_contact_at: at(when),
            province: province(code),
        };
        event(id, SourceKind::Cdc, body)
    };
    let events = [
        contact(1, "2022-08-18 10:00", 33),
        contact(2, "2022-08-19 10:00", 33),
        contact(3, "2022-08-17 10:00", 33),
        contact(4, "2022-08-17 10:00", 35),
    ];
    let folded = folded(&events, &RiskMap::empty(), "2022-08-20 12:00");
    let begins: Vec<_> = folded.record.facts().iter().map(|f| f.begin).collect();
    assert_eq!(begins, [at("2022-08-19 10:00"), at("2022-08-17 10:00")]);
    assert_eq!(folded.facts_from[0].len(), 3);
    assert_eq!(folded.facts_from[1], [EventId([4; 16])]);
}

#[test]
fn grounds_whose_colour_rises_do_not_merge() {
    // An entry elsewhere is green for seven days and yellow then, so a later one may not hide an earlier one.
    let entry = |id, when| {
        let body = EventBody::Entry {
            port: province(33),
            arrived_at: at(when),
        };
        event(id, SourceKind::BorderPost, body)
    };
    let events = [
        entry(1, "2022-08-10 10:00"),
        entry(2, "2022-08-19 10:00"),
        entry(3, "2022-08-19 10:00"),
    ];
    let record = record(&events, "2022-08-20 12:00");
    assert_eq!(record.facts().len(), 2);
    let colour = evaluate(
        &record,
        &tables()[1],
        &RiskMap::empty(),
        at("2022-08-20 12:00"),
    );
    assert_eq!(colour.unwrap().colour, crate::Colour::Yellow);
}

#[test]
fn an_entry_leaves_when_closed_under_every_rule_set_and_not_before() {
    let contact = event(
        1,
        SourceKind::Cdc,
        EventBody::Contact {
            degree: ContactDegree::Secondary,
            last_contact_at: at("2022-08-01 10:00"),
            province: province(33),
        },
    );
    let mut events = vec![contact, negative(2, "2022-08-05 10:00")];
    // Closed under Fujian's rules on day 8; Hangzhou's ask for seven check-ins: it stays however old it is.
    assert_eq!(record(&events, "2022-12-01 00:00").facts().len(), 1);
    for n in 2..=8 {
        events.push(check_in(10 + n, &format!("2022-08-0{n}"), false));
    }
    assert_eq!(record(&events, "2022-08-08 23:59").facts().len(), 1);
    assert!(record(&events, "2022-08-09 00:00").facts().is_empty());
    // A voided test opens it again.
    events.push(ruling(30, 2, "2022-08-10 00:00"));
    assert_eq!(record(&events, "2022-08-10 00:00").facts().len(), 1);
}

#[test]
fn a_discretionary_ground_leaves_with_its_lapse() {
    let listed = [exposure(1, ExposureList::PotentialRisk, "2022-08-01 10:00")];
    assert_eq!(record(&listed, "2022-08-15 23:59").facts().len(), 1);
    assert!(record(&listed, "2022-08-16 00:00").facts().is_empty());
}

#[test]
fn a_fact_that_is_inert_everywhere_never_enters() {
    let with_hz_only = {
        let tables = &tables()[..1];
        let map = RiskMap::empty();
        let context = Context { tables, map: &map };
        let listed = [exposure(1, ExposureList::FeverClinic, "2022-08-19 10:00")];
        fold(&listed, &context, at("2022-08-20 12:00")).unwrap()
    };
    assert!(with_hz_only.record.facts().is_empty());
    assert_eq!(with_hz_only.left, [EventId([1; 16])]);
}

#[test]
fn a_record_that_no_proof_could_open_does_not_fit() {
    let tables = tables();
    let when = at("2022-08-20 12:00");
    // Five listed areas apart are ten intervals or more; five stays in five of them are one too many.
    let mut intervals = Vec::new();
    let mut next = 0u64;
    for n in 1..=5u32 {
        let from = AreaCode::new(330_102_000 + 2 * n, 0).unwrap();
        let code = |p| AreaCode::from_packed(p).unwrap();
        let plain = |from, last| Interval {
            from: code(from),
            last: code(last),
            periods: Vec::new(),
        };
        intervals.push(plain(next, from.packed() - 1));
        intervals.push(plain(from.packed(), from.packed()));
        next = from.packed() + 1;
    }
    intervals.push(Interval {
        from: AreaCode::from_packed(next).unwrap(),
        last: AreaCode::LAST,
        periods: Vec::new(),
    });
    let map = RiskMap::new(intervals).unwrap();
    let stay_in = |n: u32| Stay {
        place: AreaCode::new(330_102_000 + 2 * n, 0).unwrap(),
        begin: at("2022-08-20 08:00"),
        end: None,
    };
    let with =
        |n: u32| Record::new((1..=n).map(stay_in).collect(), vec![], vec![], vec![]).unwrap();
    assert_eq!(fits(&with(4), &tables[0], &map, when), Ok(()));
    assert_eq!(
        fits(&with(5), &tables[0], &map, when),
        Err(FoldError::OverCapacity {
            capacity: Capacity::RiskIntervals,
            count: 5
        })
    );
    // Nine entries from abroad elsewhere are nine reasons under Fujian's rising row, and one under Hangzhou's.
    let entry = |n: u32| Fact {
        kind: FactKind::Entry,
        province: province(33),
        begin: Minute::new(27_000_000 + n).unwrap(),
        end: None,
    };
    let many = Record::new(vec![], (1..=9).map(entry).collect(), vec![], vec![]).unwrap();
    assert_eq!(fits(&many, &tables[0], &map, when), Ok(()));
    assert_eq!(
        fits(&many, &tables[1], &map, when),
        Err(FoldError::OverCapacity {
            capacity: Capacity::Slots,
            count: 9
        })
    );
    // A stay that met nothing takes no slot.
    let full = Record::new(
        vec![stay_in(1)],
        (1..=8).map(entry).collect(),
        vec![],
        vec![],
    );
    assert_eq!(fits(&full.unwrap(), &tables[1], &map, when), Ok(()));
}

#[test]
fn a_record_takes_24_grounds_and_names_how_many_there_are() {
    // Entries from abroad do not merge: their colour rises under Fujian's rules.
    let entry = |n: u8| {
        let arrived_at = Minute::new(at("2022-08-19 10:00").get() + u32::from(n)).unwrap();
        let body = EventBody::Entry {
            port: province(33),
            arrived_at,
        };
        event(n, SourceKind::BorderPost, body)
    };
    let (tables, map) = (tables(), RiskMap::empty());
    let context = Context {
        tables: &tables,
        map: &map,
    };
    let count = |entries: u8, stays: u8| {
        let stay_in = |n: u8| {
            let place = format!("3301020{n:02}");
            let begin = "2022-08-20 08:00";
            stay(100 + n, SourceKind::Telecom, &place, begin, None)
        };
        let events: Vec<Event> = (1..=entries)
            .map(entry)
            .chain((1..=stays).map(stay_in))
            .collect();
        fold(&events, &context, at("2022-08-20 12:00"))
            .map(|folded| (folded.record.facts().len(), folded.record.stays().len()))
    };
    let over = |capacity, count| Err(FoldError::OverCapacity { capacity, count });
    assert_eq!(count(24, 0), Ok((24, 0)));
    assert_eq!(count(25, 0), over(Capacity::Entries, 25));
    assert_eq!(count(12, 12), Ok((12, 12)));
    assert_eq!(count(13, 12), over(Capacity::Entries, 25));
    assert_eq!(count(1, 13), over(Capacity::Stays, 13));
}

#[test]
fn folding_is_refused_without_rule_sets_and_for_two_subjects() {
    let map = RiskMap::empty();
    let none = Context {
        tables: &[],
        map: &map,
    };
    let test = negative(1, "2022-08-20 08:00");
    let when = at("2022-08-20 12:00");
    assert_eq!(fold(&[test], &none, when), Err(FoldError::NoRuleSet));
    let mut other = negative(2, "2022-08-20 08:00");
    other.subject = crate::IdentityNumber::assemble(330_102, (1990, 1, 1), 1).unwrap();
    let tables = tables();
    let context = Context {
        tables: &tables,
        map: &map,
    };
    let mixed = fold(&[test, other], &context, when);
    assert_eq!(mixed, Err(FoldError::MixedSubjects));
}

#[test]
fn the_order_of_events_does_not_matter() {
    let mut events = vec![
        exposure(1, ExposureList::PossibleLink, "2022-08-18 10:00"),
        exposure(2, ExposureList::PossibleLink, "2022-08-18 10:00"),
        negative(3, "2022-08-19 10:00"),
        stay(
            4,
            SourceKind::Telecom,
            HOME,
            "2022-08-18 00:00",
            Some("2022-08-18 23:59"),
        ),
        stay(5, SourceKind::Telecom, HOME, "2022-08-19 00:00", None),
        check_in(6, "2022-08-18", false),
        check_in(7, "2022-08-19", true),
    ];
    let forth = folded(&events, &RiskMap::empty(), "2022-08-20 12:00");
    events.reverse();
    assert_eq!(
        folded(&events, &RiskMap::empty(), "2022-08-20 12:00"),
        forth
    );
}

#[test]
fn the_kind_of_a_fact_is_told_of_what_makes_one() {
    let contact = event(
        1,
        SourceKind::Cdc,
        EventBody::Contact {
            degree: ContactDegree::Close,
            last_contact_at: at("2022-08-19 08:00"),
            province: province(33),
        },
    );
    assert_eq!(fact_kind(&contact), Some(FactKind::CloseContact));
    let stated = stated_fact(&contact).expect("a fact");
    assert_eq!((stated.begin, stated.end), (at("2022-08-19 08:00"), None));
    let stay = stay(2, SourceKind::Telecom, HOME, "2022-08-19 08:00", None);
    for other in [negative(3, "2022-08-19 08:00"), stay] {
        assert_eq!((fact_kind(&other), stated_fact(&other)), (None, None));
    }
}
