use proptest::prelude::*;

use super::*;
use crate::{EventError, SourceKind};

fn base() -> Event {
    Event {
        id: EventId([7; 16]),
        subject: "11010519491231002X".parse().unwrap(),
        source: SourceId {
            province: ProvinceCode::new(33).unwrap(),
            kind: SourceKind::Laboratory,
            number: 258,
        },
        issued_at: Minute::new(27_679_200).unwrap(),
        body: EventBody::Test {
            sampled_at: Minute::new(27_679_100).unwrap(),
            result: TestResult::Negative,
        },
    }
}

fn minute() -> impl Strategy<Value = Minute> {
    (0..=Minute::MAX.get()).prop_map(|m| Minute::new(m).unwrap())
}

fn province() -> impl Strategy<Value = ProvinceCode> {
    prop_oneof![Just(0), proptest::sample::select(&ProvinceCode::ALL[..])]
        .prop_map(|c| ProvinceCode::new(c).unwrap())
}

fn body() -> impl Strategy<Value = EventBody> {
    use proptest::sample::select;
    let result = select(vec![TestResult::Negative, TestResult::Positive]);
    let degree = select(vec![ContactDegree::Close, ContactDegree::Secondary]);
    let case = select(vec![
        CaseKind::Confirmed,
        CaseKind::Asymptomatic,
        CaseKind::Suspected,
    ]);
    let list = select(vec![
        ExposureList::ColdChainOnce,
        ExposureList::ColdChainFrequent,
        ExposureList::FeverClinic,
        ExposureList::PossibleLink,
        ExposureList::AssistList,
        ExposureList::PotentialRisk,
        ExposureList::PooledTube,
    ]);
    let place = (0..1_000_000_000u32, 0..131_072u32)
        .prop_map(|(area, site)| AreaCode::new(area, site).unwrap());
    let target = any::<[u8; 16]>().prop_map(EventId);
    prop_oneof![
        (any::<u16>(), any::<bool>()).prop_map(|(day, symptoms)| EventBody::CheckIn {
            day: Day::new(day),
            symptoms
        }),
        (minute(), result).prop_map(|(sampled_at, result)| EventBody::Test { sampled_at, result }),
        (place, minute(), proptest::option::of(minute()))
            .prop_map(|(place, begin, end)| EventBody::Stay { place, begin, end }),
        (degree, minute(), province()).prop_map(|(degree, last_contact_at, province)| {
            EventBody::Contact {
                degree,
                last_contact_at,
                province,
            }
        }),
        (case, minute(), province()).prop_map(|(kind, at, province)| EventBody::Case {
            kind,
            at,
            province
        }),
        (province(), minute()).prop_map(|(port, arrived_at)| EventBody::Entry { port, arrived_at }),
        (list, minute(), province()).prop_map(|(list, at, province)| EventBody::Exposure {
            list,
            at,
            province
        }),
        (target.clone(), minute()).prop_map(|(target, at)| EventBody::Release { target, at }),
        (target, minute()).prop_map(|(target, at)| EventBody::Ruling { target, at }),
    ]
}

prop_compose! {
    fn event()(
        id in any::<[u8; 16]>(),
        province in province(),
        kind in proptest::sample::select(&SourceKind::ALL[..]),
        number in any::<u32>(),
        issued_at in minute(),
        body in body(),
    ) -> Event {
        Event {
            id: EventId(id),
            source: SourceId { province, kind, number },
            issued_at,
            body,
            ..base()
        }
    }
}

proptest! {
    #[test]
    fn canonical_bytes_read_back_to_the_same_event(event in event()) {
        let bytes = event.to_bytes();
        prop_assert!((MIN_EVENT_LEN_BYTES..=MAX_EVENT_LEN_BYTES).contains(&bytes.len()));
        prop_assert_eq!(Event::from_bytes(&bytes), Ok(event));
    }

    #[test]
    fn whatever_is_read_is_canonical(event in event(), at in 0usize..66, bits in 1u8..=255) {
        let mut bytes = event.to_bytes();
        let at = at % bytes.len();
        bytes[at] ^= bits;
        if let Ok(read) = Event::from_bytes(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
            prop_assert_ne!(read, event);
        }
    }

    #[test]
    fn a_byte_too_few_or_too_many_is_refused(event in event(), extra in any::<u8>()) {
        let mut bytes = event.to_bytes();
        prop_assert!(Event::from_bytes(&bytes[..bytes.len() - 1]).is_err());
        bytes.push(extra);
        prop_assert!(Event::from_bytes(&bytes).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = Event::from_bytes(&bytes);
    }
}

#[test]
fn the_layout_is_pinned() {
    let bytes = base().to_bytes();
    let expected = concat!(
        "01",                                   // version
        "07070707070707070707070707070707",     // id
        "313130313035313934393132333130303258", // subject
        "210100000102",                         // province 33, laboratory, 258
        "01a659e0",                             // issued at
        "0201",                                 // a negative test
        "01a6597c"                              // sampled at
    );
    assert_eq!(hex::encode(&bytes), expected);
    let signed = base().signing_bytes();
    assert_eq!(&signed[..18], b"viridian/event/v1\0");
    assert_eq!(&signed[18..], bytes);
}

#[test]
fn each_damaged_field_is_refused_for_its_own_reason() {
    let stay = Event {
        body: EventBody::Stay {
            place: AreaCode::LAST,
            begin: Minute::MAX,
            end: None,
        },
        ..base()
    };
    let damage = |event: &Event, at: usize, value: u8| {
        let mut bytes = event.to_bytes();
        bytes[at] = value;
        Event::from_bytes(&bytes).unwrap_err()
    };
    let test = base();
    assert_eq!(damage(&test, 0, 2), EventError::UnknownVersion(2));
    assert_eq!(damage(&test, 17, b'9').code(), "bad-subject");
    for (at, value, what) in [
        (35, 99, "province"),
        (36, 0, "source"),
        (36, 9, "source"),
        (41, 4, "a moment beyond 26 bits"),
        (45, 0, "kind of event"),
        (45, 10, "kind of event"),
        (46, 0, "test result"),
        (46, 3, "test result"),
        (47, 255, "a moment beyond 26 bits"),
    ] {
        assert_eq!(damage(&test, at, value), EventError::Malformed(what));
    }
    for (at, value, what) in [
        (46, 1, "a place beyond 47 bits"),
        (48, 0x7f, "an area of more than nine digits"),
        (58, 2, "a flag that is neither 0 nor 1"),
        (62, 1, "an end that is marked absent"),
    ] {
        // AreaCode::LAST itself has no nine digits; the other damages start from a real place.
        let mut good = stay;
        if let EventBody::Stay { place, .. } = &mut good.body {
            *place = AreaCode::new(330_102_001, 3).unwrap();
        }
        assert_eq!(damage(&good, at, value), EventError::Malformed(what));
    }
    assert_eq!(
        Event::from_bytes(&stay.to_bytes()),
        Err(EventError::Malformed("an area of more than nine digits"))
    );
    assert_eq!(
        Event::from_bytes(&[1; 67]).unwrap_err(),
        EventError::Malformed("longer than 66 bytes")
    );
}

#[test]
fn an_event_is_named_in_hexadecimal() {
    let id = EventId([0xa7; 16]);
    assert_eq!(id.to_string(), "a7".repeat(16));
    assert_eq!(format!("{id:?}"), "a7".repeat(16));
}

#[test]
fn nothing_of_the_subject_shows_in_debug() {
    let shown = format!("{:?}", base());
    assert!(!shown.contains("19491231"), "{shown}");
    assert!(!shown.contains("1101"), "{shown}");
}

#[test]
fn the_shortest_and_the_longest_event_have_the_lengths_that_are_published() {
    let with = |body| Event { body, ..base() }.to_bytes().len();
    let check_in = EventBody::CheckIn {
        day: Day::new(1),
        symptoms: true,
    };
    let ruling = EventBody::Ruling {
        target: EventId([1; 16]),
        at: Minute::MAX,
    };
    assert_eq!((with(check_in), MIN_EVENT_LEN_BYTES), (49, 49));
    assert_eq!((with(ruling), MAX_EVENT_LEN_BYTES), (66, 66));
    let last_place = EventBody::Stay {
        place: AreaCode::new(999_999_999, 131_071).unwrap(),
        begin: Minute::MAX,
        end: Some(Minute::MAX),
    };
    let event = Event {
        body: last_place,
        ..base()
    };
    assert_eq!(Event::from_bytes(&event.to_bytes()), Ok(event));
}

#[test]
fn a_number_that_names_no_degree_case_or_list_is_refused() {
    let (at, province) = (Minute::MAX, ProvinceCode::NATION);
    let contact = EventBody::Contact {
        degree: ContactDegree::Close,
        last_contact_at: at,
        province,
    };
    let case = EventBody::Case {
        kind: CaseKind::Suspected,
        at,
        province,
    };
    let exposure = EventBody::Exposure {
        list: ExposureList::PooledTube,
        at,
        province,
    };
    for (body, most, what) in [
        (contact, 2, "degree of contact"),
        (case, 3, "kind of case"),
        (exposure, 7, "exposure list"),
    ] {
        for number in 0..=255u8 {
            let mut bytes = Event { body, ..base() }.to_bytes();
            bytes[46] = number;
            match Event::from_bytes(&bytes) {
                Ok(read) => assert_eq!(read.to_bytes(), bytes),
                Err(error) => {
                    assert_eq!(error, EventError::Malformed(what));
                    assert!(!(1..=most).contains(&number));
                }
            }
        }
    }
}

#[test]
fn a_body_begins_with_its_first_moment_and_ends_with_its_last() {
    let minute = |n| Minute::new(n).unwrap();
    let stay = |end| EventBody::Stay {
        place: AreaCode::FIRST,
        begin: minute(5),
        end,
    };
    let province = ProvinceCode::NATION;
    let target = EventId([1; 16]);
    for (body, begin, latest) in [
        (stay(Some(minute(9))), 5, 9),
        (stay(None), 5, 5),
        (
            EventBody::CheckIn {
                day: Day::new(1),
                symptoms: false,
            },
            960,
            960,
        ),
        (
            EventBody::Entry {
                port: province,
                arrived_at: minute(7),
            },
            7,
            7,
        ),
        (
            EventBody::Contact {
                degree: ContactDegree::Close,
                last_contact_at: minute(8),
                province,
            },
            8,
            8,
        ),
        (
            EventBody::Release {
                target,
                at: minute(6),
            },
            6,
            6,
        ),
        (base().body, 27_679_100, 27_679_100),
    ] {
        assert_eq!((body.begin().get(), body.latest().get()), (begin, latest));
    }
}
