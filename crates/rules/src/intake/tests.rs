use super::*;
use crate::testing::{
    FUJIAN, at, check_in, day, event, exposure, grant, negative, province, release, ruling, source,
    stay, tables,
};
use crate::{CaseKind, ContactDegree, EventBody, ExposureList, RiskMap, TestResult};

const NOW: &str = "2022-08-20 12:00";

fn checked(event: &Event) -> Result<(), EventError> {
    let grant = grant(event.source.kind);
    check(event, &grant, at(NOW), &Policy::default())
}

fn contact(province_code: u8) -> EventBody {
    EventBody::Contact {
        degree: ContactDegree::Close,
        last_contact_at: at("2022-08-19 10:00"),
        province: province(province_code),
    }
}

#[test]
fn a_sound_event_of_each_kind_passes() {
    for event in [
        check_in(1, "2022-08-20", false),
        negative(1, "2022-08-20 08:00"),
        stay(
            1,
            SourceKind::Telecom,
            "420102000",
            "2019-01-01 00:00",
            None,
        ),
        event(1, SourceKind::Cdc, contact(33)),
        event(1, SourceKind::Cdc, contact(0)),
        exposure(1, ExposureList::PooledTube, NOW),
        release(1, SourceKind::Hospital, 9, NOW),
        ruling(1, 9, NOW),
    ] {
        let mut event = event;
        event.issued_at = at(NOW);
        assert_eq!(checked(&event), Ok(()), "{event:?}");
    }
}

#[test]
fn a_source_signs_with_its_own_grant_in_force_and_only_its_own_kinds() {
    let test = negative(1, "2022-08-20 08:00");
    let policy = Policy::default();
    let check_with = |grant: &SourceGrant| check(&test, grant, at(NOW), &policy);
    let mut other = grant(SourceKind::Laboratory);
    other.source.number = 2;
    assert_eq!(check_with(&other), Err(EventError::UnknownSource));
    let mut late = grant(SourceKind::Laboratory);
    late.since = at("2022-08-20 08:01");
    assert_eq!(check_with(&late), Err(EventError::GrantNotInForce));
    let mut over = grant(SourceKind::Laboratory);
    over.until = at("2022-08-20 08:00");
    assert_eq!(check_with(&over), Err(EventError::GrantNotInForce));
    for kind in SourceKind::ALL {
        let mut event = test;
        event.source = source(kind);
        let entitled = matches!(kind, SourceKind::Laboratory | SourceKind::Hospital);
        let expected = if entitled {
            Ok(())
        } else {
            Err(EventError::NotEntitled)
        };
        assert_eq!(checked(&event), expected, "{kind:?}");
    }
}

#[test]
fn a_self_report_is_never_a_test_a_case_or_a_ruling() {
    let bodies = [
        negative(1, "2022-08-20 08:00").body,
        contact(33),
        EventBody::Case {
            kind: CaseKind::Confirmed,
            at: at(NOW),
            province: province(33),
        },
        ruling(1, 9, NOW).body,
    ];
    for body in bodies {
        let event = event(1, SourceKind::Resident, body);
        assert_eq!(checked(&event), Err(EventError::NotEntitled));
    }
}

#[test]
fn a_source_speaks_of_its_own_province_or_of_none() {
    let cdc = |code| event(1, SourceKind::Cdc, contact(code));
    assert_eq!(checked(&cdc(FUJIAN)), Err(EventError::WrongProvince));
    let entry = |code| {
        let body = EventBody::Entry {
            port: province(code),
            arrived_at: at(NOW),
        };
        event(1, SourceKind::BorderPost, body)
    };
    assert_eq!(checked(&entry(33)), Ok(()));
    assert_eq!(checked(&entry(FUJIAN)), Err(EventError::WrongProvince));
    assert_eq!(checked(&entry(0)), Err(EventError::WrongProvince));
    let foreign = |kind| stay(1, kind, "350102000", "2022-08-20 08:00", None);
    assert_eq!(checked(&foreign(SourceKind::Telecom)), Ok(()));
    assert_eq!(checked(&foreign(SourceKind::Resident)), Ok(()));
    assert_eq!(
        checked(&foreign(SourceKind::CommunityOffice)),
        Err(EventError::WrongProvince)
    );
    for place in ["990102000", "000102000"] {
        let nowhere = stay(1, SourceKind::Telecom, place, "2022-08-20 08:00", None);
        assert_eq!(checked(&nowhere), Err(EventError::BadPlace));
    }
}

#[test]
fn a_future_dated_event_is_refused_beyond_the_tolerance_for_clocks() {
    let mut test = negative(1, "2022-08-20 12:00");
    for (issued, expected) in [
        ("2022-08-20 12:05", Ok(())),
        ("2022-08-20 12:06", Err(EventError::FutureDated)),
        ("2022-08-20 11:59", Err(EventError::AfterIssue)),
    ] {
        test.issued_at = at(issued);
        assert_eq!(checked(&test), expected, "{issued}");
    }
    let tomorrow = check_in(1, "2022-08-21", false);
    assert_eq!(checked(&tomorrow), Err(EventError::FutureDated));
    let mut early = tomorrow;
    early.issued_at = at(NOW);
    assert_eq!(checked(&early), Err(EventError::AfterIssue));
}

#[test]
fn a_late_event_is_refused_from_the_minute_after_the_limit() {
    // 720 hours before now is 2022-07-21 12:00.
    for (sampled, expected) in [
        ("2022-07-21 12:00", Ok(())),
        ("2022-07-21 11:59", Err(EventError::TooLate)),
    ] {
        assert_eq!(checked(&negative(1, sampled)), expected, "{sampled}");
    }
    let mut slow = stay(
        1,
        SourceKind::Telecom,
        "330102000",
        "2022-01-01 08:00",
        None,
    );
    slow.issued_at = at("2022-07-21 11:59");
    assert_eq!(checked(&slow), Err(EventError::TooLate));
}

#[test]
fn a_check_in_comes_on_its_day_or_the_next() {
    for (on, expected) in [
        ("2022-08-20", Ok(())),
        ("2022-08-19", Ok(())),
        ("2022-08-18", Err(EventError::TooLate)),
    ] {
        let mut event = check_in(1, on, false);
        event.issued_at = at(NOW);
        assert_eq!(checked(&event), expected, "{on}");
    }
}

#[test]
fn moments_of_zero_and_ends_before_begins_are_refused() {
    let mut zero = negative(1, NOW);
    zero.body = EventBody::Test {
        sampled_at: Minute::ZERO,
        result: TestResult::Negative,
    };
    assert_eq!(checked(&zero), Err(EventError::NoMoment));
    let mut day_zero = check_in(1, "2022-08-20", false);
    day_zero.body = EventBody::CheckIn {
        day: crate::Day::new(0),
        symptoms: false,
    };
    assert_eq!(checked(&day_zero), Err(EventError::NoMoment));
    let mut stay = stay(
        1,
        SourceKind::Telecom,
        "330102000",
        "2022-08-20 08:00",
        Some("2022-08-20 07:59"),
    );
    stay.issued_at = at(NOW);
    assert_eq!(checked(&stay), Err(EventError::EndsBeforeBegin));
    assert!(day("2022-08-20").get() > 0);
}

#[test]
fn a_known_event_is_a_duplicate_and_another_with_its_name_is_refused() {
    let test = negative(1, "2022-08-20 08:00");
    assert_eq!(check_known(&test, &[test]), Err(EventError::Duplicate));
    let other = negative(1, "2022-08-20 09:00");
    assert_eq!(check_known(&other, &[test]), Err(EventError::IdReused));
    assert_eq!(
        check_known(&negative(2, "2022-08-20 08:00"), &[test]),
        Ok(())
    );
}

#[test]
fn a_release_needs_a_known_open_target_and_a_source_that_may_end_it() {
    let suspected = event(
        1,
        SourceKind::Hospital,
        EventBody::Case {
            kind: CaseKind::Suspected,
            at: at("2022-08-19 08:00"),
            province: province(33),
        },
    );
    let ended = stay(
        2,
        SourceKind::Telecom,
        "330102000",
        "2022-08-19 08:00",
        Some("2022-08-19 09:00"),
    );
    let open = stay(
        3,
        SourceKind::Telecom,
        "330102000",
        "2022-08-19 10:00",
        None,
    );
    let negative = negative(4, "2022-08-19 08:00");
    let symptoms = check_in(5, "2022-08-19", true);
    let normal = check_in(6, "2022-08-19", false);
    let known = [suspected, ended, open, negative, symptoms, normal];
    let by = |kind, target| check_known(&release(9, kind, target, NOW), &known);
    assert_eq!(by(SourceKind::Hospital, 8), Err(EventError::UnknownTarget));
    assert_eq!(by(SourceKind::Hospital, 1), Ok(()));
    assert_eq!(
        by(SourceKind::Resident, 1),
        Err(EventError::NotEntitledToEnd)
    );
    assert_eq!(by(SourceKind::Telecom, 2), Err(EventError::NotOpen));
    assert_eq!(by(SourceKind::Telecom, 3), Ok(()));
    assert_eq!(
        by(SourceKind::Resident, 3),
        Err(EventError::NotEntitledToEnd)
    );
    assert_eq!(by(SourceKind::Laboratory, 4), Err(EventError::NotOpen));
    assert_eq!(by(SourceKind::Hospital, 5), Ok(()));
    assert_eq!(by(SourceKind::Hospital, 6), Err(EventError::NotOpen));
    let early = release(9, SourceKind::Hospital, 1, "2022-08-19 07:59");
    assert_eq!(check_known(&early, &known), Err(EventError::BeforeTarget));
    let done = [suspected, release(8, SourceKind::Hospital, 1, NOW)];
    let again = release(9, SourceKind::Hospital, 1, NOW);
    assert_eq!(check_known(&again, &done), Err(EventError::NotOpen));
    let undone = [done[0], done[1], ruling(7, 8, NOW)];
    assert_eq!(check_known(&again, &undone), Ok(()));
}

#[test]
fn a_release_or_ruling_may_be_dated_in_the_minute_of_its_target() {
    let listed = [exposure(1, ExposureList::AssistList, "2022-08-19 08:00")];
    for (when, expected) in [
        ("2022-08-19 08:00", Ok(())),
        ("2022-08-19 07:59", Err(EventError::BeforeTarget)),
    ] {
        let freed = release(2, SourceKind::Cdc, 1, when);
        assert_eq!(check_known(&freed, &listed), expected, "{when}");
        assert_eq!(check_known(&ruling(2, 1, when), &listed), expected);
    }
}

#[test]
fn a_grant_is_in_force_from_its_first_minute_to_the_last_before_its_end() {
    let test = negative(1, "2022-08-20 08:00");
    let with = |since: &str, until: &str| {
        let grant = SourceGrant {
            since: at(since),
            until: at(until),
            ..grant(SourceKind::Laboratory)
        };
        check(&test, &grant, at(NOW), &Policy::default())
    };
    let refused = Err(EventError::GrantNotInForce);
    assert_eq!(with("2022-08-20 08:00", "2022-08-20 08:01"), Ok(()));
    assert_eq!(with("2022-08-20 08:01", "2022-08-20 09:00"), refused);
    assert_eq!(with("2022-08-19 08:00", "2022-08-20 08:00"), refused);
}

#[test]
fn a_target_of_another_subject_is_unknown() {
    let mut other = exposure(1, ExposureList::AssistList, "2022-08-19 08:00");
    other.subject = crate::IdentityNumber::assemble(330_102, (1990, 1, 1), 1).unwrap();
    let ruling = ruling(2, 1, NOW);
    assert_eq!(
        check_known(&ruling, &[other]),
        Err(EventError::UnknownTarget)
    );
}

#[test]
fn a_ruling_voids_any_known_event_once_but_no_ruling() {
    let listed = exposure(1, ExposureList::AssistList, "2022-08-19 08:00");
    let first = ruling(2, 1, NOW);
    assert_eq!(check_known(&first, &[listed]), Ok(()));
    let known = [listed, first];
    assert_eq!(
        check_known(&ruling(3, 1, NOW), &known),
        Err(EventError::NotVoidable)
    );
    assert_eq!(
        check_known(&ruling(3, 2, NOW), &known),
        Err(EventError::NotVoidable)
    );
    assert_eq!(
        check_known(&ruling(3, 7, NOW), &known),
        Err(EventError::UnknownTarget)
    );
    assert_eq!(
        check_known(&ruling(3, 1, "2022-08-19 07:59"), &[listed]),
        Err(EventError::BeforeTarget)
    );
    let freed = release(4, SourceKind::Hospital, 1, NOW);
    assert_eq!(
        check_known(&freed, &known),
        Err(EventError::NotEntitledToEnd)
    );
    let freed = release(4, SourceKind::Cdc, 1, NOW);
    assert_eq!(check_known(&freed, &known), Err(EventError::NotOpen));
}

#[test]
fn a_ground_over_capacity_is_refused_and_relief_never_is() {
    let (tables, map) = (tables(), RiskMap::empty());
    let context = Context {
        tables: &tables,
        map: &map,
    };
    let stay_in = |n: u8| {
        let place = format!("3301020{n:02}");
        stay(n, SourceKind::Telecom, &place, "2022-08-20 08:00", None)
    };
    let admit_to = |event: &Event, known: &[Event]| {
        let grant = grant(event.source.kind);
        admit(event, &grant, known, &context, at(NOW), &Policy::default())
    };
    let mut known: Vec<Event> = Vec::new();
    for n in 1..=12 {
        let event = stay_in(n);
        assert_eq!(admit_to(&event, &known), Ok(()));
        known.push(event);
    }
    let refused = admit_to(&stay_in(13), &known);
    assert_eq!(
        refused,
        Err(EventError::OverCapacity(FoldError::OverCapacity {
            capacity: crate::Capacity::Stays,
            count: 13
        }))
    );
    assert_eq!(refused.unwrap_err().code(), "over-capacity");
    // One of the resident's own gives way, and is refused with the same words.
    let own = stay(
        99,
        SourceKind::Resident,
        "330102099",
        "2022-08-20 08:00",
        None,
    );
    assert_eq!(admit_to(&own, &known), refused);
    assert_eq!(admit_to(&negative(99, "2022-08-20 08:00"), &known), Ok(()));
    assert_eq!(
        admit_to(
            &release(99, SourceKind::Telecom, 3, "2022-08-20 09:00"),
            &known
        ),
        Ok(())
    );
    // Even a record that is over capacity already takes a contact, which needs none of what is exceeded.
    known.push(stay_in(13));
    assert_eq!(
        admit_to(&event(99, SourceKind::Cdc, contact(33)), &known),
        Ok(())
    );
    assert_eq!(
        admit_to(&stay_in(14), &known).unwrap_err().code(),
        "over-capacity"
    );
}

#[test]
fn relief_and_ends_need_no_rule_set_and_a_ground_does() {
    let map = RiskMap::empty();
    let context = Context {
        tables: &[],
        map: &map,
    };
    let known = [exposure(1, ExposureList::AssistList, "2022-08-19 08:00")];
    let admit_to = |event: &Event| {
        let grant = grant(event.source.kind);
        admit(event, &grant, &known, &context, at(NOW), &Policy::default())
    };
    let positive = EventBody::Test {
        sampled_at: at(NOW),
        result: TestResult::Positive,
    };
    let symptoms = |there| {
        let mut event = check_in(5, "2022-08-20", there);
        event.issued_at = at(NOW);
        event
    };
    for relief in [
        negative(2, "2022-08-20 08:00"),
        symptoms(false),
        release(3, SourceKind::Cdc, 1, NOW),
        ruling(4, 1, NOW),
    ] {
        assert_eq!(admit_to(&relief), Ok(()));
    }
    for ground in [
        event(2, SourceKind::Laboratory, positive),
        symptoms(true),
        event(6, SourceKind::Cdc, contact(33)),
    ] {
        let refused = EventError::OverCapacity(FoldError::NoRuleSet);
        assert_eq!(admit_to(&ground), Err(refused));
    }
}

#[test]
fn every_reason_has_its_own_code() {
    let all = [
        EventError::Malformed(""),
        EventError::UnknownVersion(0),
        EventError::BadSubject(IdentityError::Shape),
        EventError::UnknownSource,
        EventError::GrantNotInForce,
        EventError::NotEntitled,
        EventError::NotEntitledToEnd,
        EventError::WrongProvince,
        EventError::BadPlace,
        EventError::NoMoment,
        EventError::EndsBeforeBegin,
        EventError::AfterIssue,
        EventError::FutureDated,
        EventError::TooLate,
        EventError::Duplicate,
        EventError::IdReused,
        EventError::UnknownTarget,
        EventError::NotOpen,
        EventError::NotVoidable,
        EventError::BeforeTarget,
        EventError::OverCapacity(FoldError::NoRuleSet),
    ];
    let codes: std::collections::BTreeSet<_> = all.iter().map(EventError::code).collect();
    assert_eq!(codes.len(), all.len());
    let readme = include_str!("../../README.md");
    for code in codes {
        assert!(
            readme.contains(&format!("`{code}`")),
            "{code} is not in README.md"
        );
    }
}
