use p256::ecdsa::SigningKey;

use super::*;

fn key(seed: u8) -> Vec<u8> {
    DeviceKey::of(&SigningKey::from_slice(&[seed; 32]).unwrap())
        .to_bytes()
        .to_vec()
}

fn register() -> proto::Register {
    proto::Register {
        device_key: key(1),
        identity_number: "11010519491231002X".into(),
        name: "无名".into(),
        real_name_evidence: Vec::new(),
        forget_other_devices: false,
    }
}

fn request_use() -> proto::RequestUse {
    proto::RequestUse {
        use_id: vec![1; 16],
        claim: Some(pass::Claim {
            worst: pass::Colour::Yellow.into(),
            test_age: pass::TestAge::Hours48.into(),
        }),
        rule_set_id: "fj-2022-08".into(),
        binder_kind: pass::BinderKind::Device.into(),
        holder_keys: vec![key(1), key(2)],
    }
}

fn trip() -> proto::DeclareTrip {
    proto::DeclareTrip {
        event_id: vec![1; 16],
        area_nine_digit: 330_106_001,
        site: 0,
        begin_minute: 27_700_000,
        end_minute: Some(27_700_060),
    }
}

/// Damages a good message in one field and expects the error that names it.
fn refuses<B, V>(good: impl Fn() -> B, damage: impl Fn(&mut B), expected: WireError)
where
    V: for<'a> TryFrom<&'a B, Error = WireError>,
{
    assert!(
        V::try_from(&good()).is_ok(),
        "the undamaged message must be good"
    );
    let mut damaged = good();
    damage(&mut damaged);
    assert_eq!(V::try_from(&damaged).err(), Some(expected));
}

#[test]
fn a_registration_with_a_bad_field_is_refused() {
    let refuses = |damage: fn(&mut proto::Register), error| {
        refuses::<_, Registration>(register, damage, error);
    };
    refuses(
        |body| body.device_key = vec![2; 32],
        WireError::WrongLength {
            field: "device_key",
            expected: 33,
            got: 32,
        },
    );
    refuses(
        |body| body.device_key[1..].fill(0xff),
        WireError::Malformed {
            field: "device_key",
        },
    );
    refuses(
        |body| body.device_key[0] = 5,
        WireError::Malformed {
            field: "device_key",
        },
    );
    refuses(
        |body| body.identity_number = "110105194912310021".into(),
        WireError::IdentityNumber,
    );
    refuses(
        |body| body.name.clear(),
        WireError::Missing { field: "name" },
    );
    refuses(
        |body| body.name = "x".repeat(97),
        WireError::TooLong {
            field: "name",
            limit: 96,
            got: 97,
        },
    );
    refuses(
        |body| body.real_name_evidence = vec![0; 1_025],
        WireError::TooLong {
            field: "real_name_evidence",
            limit: 1_024,
            got: 1_025,
        },
    );
}

#[test]
fn a_check_in_with_a_bad_field_is_refused() {
    let good = || proto::DeclareHealth {
        event_id: vec![1; 16],
        day: 19_224,
        symptoms: proto::Symptoms::None.into(),
    };
    let refuses =
        |damage: fn(&mut proto::DeclareHealth), error| refuses::<_, CheckIn>(good, damage, error);
    refuses(
        |body| body.event_id.push(0),
        WireError::WrongLength {
            field: "event_id",
            expected: 16,
            got: 17,
        },
    );
    refuses(
        |body| body.day = 65_536,
        WireError::Malformed { field: "day" },
    );
    refuses(
        |body| body.symptoms = 0,
        WireError::Missing { field: "symptoms" },
    );
    refuses(
        |body| body.symptoms = 3,
        WireError::Malformed { field: "symptoms" },
    );
}

#[test]
fn a_trip_with_a_bad_field_is_refused() {
    let refuses =
        |damage: fn(&mut proto::DeclareTrip), error| refuses::<_, Trip>(trip, damage, error);
    refuses(
        |body| body.area_nine_digit = 1_000_000_000,
        WireError::AreaCode,
    );
    refuses(
        |body| body.area_nine_digit = 990_106_001,
        WireError::AreaCode,
    );
    refuses(|body| body.area_nine_digit = 106_001, WireError::AreaCode);
    refuses(|body| body.site = 1 << 17, WireError::AreaCode);
    refuses(
        |body| body.begin_minute = 1 << 26,
        WireError::Malformed {
            field: "begin_minute",
        },
    );
    refuses(
        |body| body.end_minute = Some(1 << 26),
        WireError::Malformed {
            field: "end_minute",
        },
    );
    refuses(
        |body| body.end_minute = Some(27_699_999),
        WireError::Malformed {
            field: "end_minute",
        },
    );
}

#[test]
fn a_stay_may_go_on() {
    let open = proto::DeclareTrip {
        end_minute: None,
        ..trip()
    };
    assert_eq!(Trip::try_from(&open).unwrap().end, None);
}

#[test]
fn a_request_for_passes_with_a_bad_field_is_refused() {
    let refuses = |damage: fn(&mut proto::RequestUse), error| {
        refuses::<_, PassRequest>(request_use, damage, error);
    };
    refuses(
        |body| body.claim = None,
        WireError::Missing { field: "claim" },
    );
    refuses(
        |body| body.claim.as_mut().unwrap().worst = pass::Colour::Red.into(),
        WireError::Malformed {
            field: "claim.worst",
        },
    );
    refuses(
        |body| body.claim.as_mut().unwrap().worst = 0,
        WireError::Missing {
            field: "claim.worst",
        },
    );
    refuses(
        |body| body.claim.as_mut().unwrap().test_age = 9,
        WireError::Malformed {
            field: "claim.test_age",
        },
    );
    refuses(
        |body| body.rule_set_id = "FJ".into(),
        WireError::Malformed {
            field: "rule_set_id",
        },
    );
    refuses(
        |body| body.binder_kind = 0,
        WireError::Missing {
            field: "binder_kind",
        },
    );
    refuses(
        |body| body.holder_keys.clear(),
        WireError::WrongCount {
            field: "holder_keys",
            least: 1,
            limit: 16,
            got: 0,
        },
    );
    refuses(
        |body| body.holder_keys = (1..=17).map(key).collect(),
        WireError::WrongCount {
            field: "holder_keys",
            least: 1,
            limit: 16,
            got: 17,
        },
    );
    refuses(
        |body| body.holder_keys[1] = key(1),
        WireError::Repeated {
            field: "holder_keys",
        },
    );
    refuses(
        |body| body.holder_keys[1] = vec![4; 33],
        WireError::Malformed {
            field: "holder_keys",
        },
    );
    refuses(
        |body| body.binder_kind = pass::BinderKind::Card.into(),
        WireError::WrongCount {
            field: "holder_keys",
            least: 0,
            limit: 0,
            got: 2,
        },
    );
}

#[test]
fn a_card_needs_no_key_and_makes_one_pass() {
    let mut body = request_use();
    body.binder_kind = pass::BinderKind::Card.into();
    body.holder_keys.clear();
    let request = PassRequest::try_from(&body).unwrap();
    assert_eq!(
        (request.holders.count(), request.holders.kind()),
        (1, BinderKind::Card)
    );
}

#[test]
fn an_empty_rule_set_is_the_default_one() {
    assert_eq!(
        Question::try_from(&proto::Query::default())
            .unwrap()
            .rule_set,
        None
    );
}

#[test]
fn readings_go_on_from_a_place_or_begin_with_the_newest() {
    let question = |readings_from: Vec<u8>| {
        let body = proto::Query {
            rule_set_id: String::new(),
            readings_from,
        };
        Question::try_from(&body).map(|question| question.readings_from)
    };
    assert_eq!(question(Vec::new()), Ok(None));
    assert_eq!(question(vec![7; 20]), Ok(Some([7; 20])));
    for len in [1, 19, 21, 4_000] {
        let refused = question(vec![7; len]).unwrap_err();
        assert!(matches!(
            refused,
            WireError::WrongLength { expected: 20, .. }
        ));
    }
}

#[test]
fn a_contestation_with_a_bad_field_is_refused() {
    let good = || proto::Correct {
        case_id: vec![1; 16],
        event_id: vec![2; 16],
        statement: "我没有去过那里".into(),
    };
    let refuses =
        |damage: fn(&mut proto::Correct), error| refuses::<_, Contestation>(good, damage, error);
    refuses(
        |body| body.statement.clear(),
        WireError::Missing { field: "statement" },
    );
    refuses(
        |body| body.statement = "x".repeat(1_001),
        WireError::TooLong {
            field: "statement",
            limit: 1_000,
            got: 1_001,
        },
    );
    refuses(
        |body| body.case_id.clear(),
        WireError::WrongLength {
            field: "case_id",
            expected: 16,
            got: 0,
        },
    );
}

#[test]
fn a_signed_event_is_held_to_its_lengths() {
    let good = SignedEvent {
        event: vec![1; 60],
        signature: vec![2; 64],
        home_province: 0,
    };
    assert_eq!(signed_event(&good), Ok((&[1_u8; 60][..], [2; 64])));
    let long = SignedEvent {
        event: vec![1; 257],
        ..good.clone()
    };
    assert!(matches!(
        signed_event(&long),
        Err(WireError::TooLong { field: "event", .. })
    ));
    let short = SignedEvent {
        signature: vec![2; 63],
        ..good
    };
    assert!(matches!(
        signed_event(&short),
        Err(WireError::WrongLength {
            field: "signature",
            ..
        })
    ));
}

#[test]
fn what_is_as_long_as_it_may_be_is_taken() {
    let mut body = register();
    body.name = "x".repeat(96);
    body.real_name_evidence = vec![7; 1_024];
    let registration = Registration::try_from(&body).unwrap();
    assert_eq!(registration.name, body.name);
    assert_eq!(registration.evidence, body.real_name_evidence);
    let body = proto::Correct {
        case_id: vec![1; 16],
        event_id: vec![2; 16],
        statement: "x".repeat(1_000),
    };
    let contestation = Contestation::try_from(&body).unwrap();
    assert_eq!(contestation.statement, body.statement);
    assert_eq!(contestation.id, CaseId([1; 16]));
    assert_eq!(contestation.event, EventId([2; 16]));
    let event = SignedEvent {
        event: vec![1; 256],
        signature: vec![2; 64],
        home_province: 35,
    };
    assert_eq!(signed_event(&event), Ok((&[1_u8; 256][..], [2; 64])));
}

#[test]
fn a_stay_may_end_in_the_minute_in_which_it_begins_or_go_on() {
    for end in [Some(27_700_000), Some(27_700_060), None] {
        let mut body = trip();
        body.end_minute = end;
        let trip = Trip::try_from(&body).unwrap();
        assert_eq!(trip.begin.get(), 27_700_000);
        assert_eq!(trip.end.map(Minute::get), end);
        assert_eq!(trip.place.nine_digit(), 330_106_001);
        assert_eq!(trip.id, EventId([1; 16]));
    }
}

#[test]
fn a_check_in_says_whether_there_are_symptoms() {
    for (word, symptoms) in [
        (proto::Symptoms::None, false),
        (proto::Symptoms::Present, true),
    ] {
        let body = proto::DeclareHealth {
            event_id: vec![3; 16],
            day: 19_224,
            symptoms: word.into(),
        };
        let (id, day) = (EventId([3; 16]), Day::new(19_224));
        assert_eq!(CheckIn::try_from(&body), Ok(CheckIn { id, day, symptoms }));
    }
}

#[test]
fn a_request_for_passes_asks_for_one_pass_for_each_key() {
    for kind in [pass::BinderKind::Device, pass::BinderKind::DeviceAndCard] {
        for count in [1, 16] {
            let mut body = request_use();
            body.binder_kind = kind.into();
            body.holder_keys = (1..=count).map(key).collect();
            let request = PassRequest::try_from(&body).unwrap();
            assert_eq!(pass::BinderKind::from(request.holders.kind()), kind);
            assert_eq!(request.holders.count(), usize::from(count));
            let (Holders::Device(keys) | Holders::DeviceAndCard(keys)) = request.holders else {
                panic!("bound to keys");
            };
            let keys: Vec<Vec<u8>> = keys.iter().map(|key| key.to_bytes().to_vec()).collect();
            assert_eq!(keys, body.holder_keys);
            assert_eq!(request.rule_set.unwrap().as_str(), "fj-2022-08");
            assert_eq!(request.id, UseId([1; 16]));
        }
    }
    let ask = proto::MakeCode {
        use_id: vec![6; 16],
    };
    assert_eq!(UseId::try_from(&ask), Ok(UseId([6; 16])));
}

#[test]
fn nothing_of_a_person_is_printed() {
    let registration = Registration::try_from(&register()).unwrap();
    assert_eq!(format!("{registration:?}"), "Registration(..)");
    let contestation = Contestation {
        id: CaseId([1; 16]),
        event: EventId([2; 16]),
        statement: "SENTINEL".into(),
    };
    assert_eq!(format!("{contestation:?}"), "Contestation(..)");
}
