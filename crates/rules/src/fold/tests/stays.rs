//! Which stays are one, which leave and which give way.

use super::*;

#[test]
fn daily_stays_in_one_place_are_one_presence() {
    let daily = |id: u8, n: u8| {
        let on = format!("2022-08-{n:02}");
        stay(
            id,
            SourceKind::Telecom,
            HOME,
            &format!("{on} 00:00"),
            Some(&format!("{on} 23:59")),
        )
    };
    let events: Vec<Event> = (1..=20).map(|n| daily(n, n)).collect();
    let folded = folded(&events, &RiskMap::empty(), "2022-08-20 23:59");
    let stays = folded.record.stays();
    assert_eq!(stays.len(), 1);
    assert_eq!(stays[0].begin, at("2022-08-01 00:00"));
    assert_eq!(stays[0].end, Some(at("2022-08-20 23:59")));
    assert_eq!(folded.stays_from[0].len(), 20);
    // A free minute between them, and they are two.
    let gap = [
        stay(
            1,
            SourceKind::Telecom,
            HOME,
            "2022-08-20 08:00",
            Some("2022-08-20 09:00"),
        ),
        stay(2, SourceKind::Telecom, HOME, "2022-08-20 09:02", None),
    ];
    assert_eq!(record(&gap, "2022-08-20 12:00").stays().len(), 2);
}

#[test]
fn what_the_resident_declares_does_not_join_what_an_operator_saw() {
    // Otherwise somebody who left a high-risk area could declare to be there still, until it is released.
    let events = [
        stay(
            1,
            SourceKind::Telecom,
            HOME,
            "2022-08-19 08:00",
            Some("2022-08-20 08:00"),
        ),
        stay(2, SourceKind::Resident, HOME, "2022-08-19 08:00", None),
    ];
    let high = [(Grade::High, "2022-08-18 00:00", "2022-08-21 00:00")];
    let map = map_of(HOME, &high);
    let record = folded(&events, &map, "2022-08-22 12:00").record;
    assert_eq!(record.stays().len(), 2);
    let now = at("2022-08-22 12:00");
    let colour = evaluate(&record, &tables()[1], &map, now).unwrap().colour;
    assert_eq!(colour, crate::Colour::Red);
}

#[test]
fn an_unlisted_stay_leaves_after_the_longest_lookback_and_the_delay_of_listings() {
    // 336 + 72 hours after 2022-08-01 10:00 is 2022-08-18 10:00.
    let events = [stay(
        1,
        SourceKind::Telecom,
        HOME,
        "2022-08-01 08:00",
        Some("2022-08-01 10:00"),
    )];
    assert_eq!(record(&events, "2022-08-18 10:00").stays().len(), 1);
    assert!(record(&events, "2022-08-18 10:01").stays().is_empty());
    // A stay that goes on never leaves.
    let open = [stay(1, SourceKind::Telecom, HOME, "2022-08-01 08:00", None)];
    assert_eq!(record(&open, "2023-08-18 10:01").stays().len(), 1);
    // One that met a listing leaves only when it is closed everywhere.
    let high = [(Grade::High, "2022-08-01 00:00", "2022-08-05 00:00")];
    let map = map_of(HOME, &high);
    let stays = |events: &[Event]| {
        folded(events, &map, "2022-12-01 00:00")
            .record
            .stays()
            .len()
    };
    assert_eq!(stays(&events), 1);
    let fortnight = (6..=19).map(|n| check_in(n, &format!("2022-08-{n:02}"), false));
    let mut cleared = events.to_vec();
    cleared.extend(fortnight);
    assert_eq!(stays(&cleared), 1, "Fujian asks for a negative, too");
    cleared.push(negative(20, "2022-08-20 08:00"));
    assert_eq!(stays(&cleared), 0);
}

#[test]
fn a_self_declared_stay_gives_way_but_not_once_it_met_a_listing() {
    let when = "2022-08-20 12:00";
    let operator = |n: u8| {
        let place = format!("3301020{n:02}");
        stay(n, SourceKind::Telecom, &place, "2022-08-20 08:00", None)
    };
    let declared = [
        stay(
            50,
            SourceKind::Resident,
            "330102050",
            "2022-08-19 08:00",
            Some("2022-08-19 09:00"),
        ),
        stay(
            51,
            SourceKind::Resident,
            "330102051",
            "2022-08-19 10:00",
            Some("2022-08-19 11:00"),
        ),
    ];
    let mut events: Vec<Event> = (1..=11).map(operator).collect();
    events.extend(declared);
    let folded_now = folded(&events, &RiskMap::empty(), when);
    assert_eq!(folded_now.record.stays().len(), 12);
    assert_eq!(folded_now.yielded, [EventId([50; 16])]);
    let map = map_of(
        "330102050",
        &[(Grade::High, "2022-08-19 00:00", "2022-09-01 00:00")],
    );
    let listed = folded(&events, &map, when);
    assert_eq!(listed.yielded, [EventId([51; 16])]);
}
