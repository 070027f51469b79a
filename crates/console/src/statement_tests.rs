use rules::EventKind;

use super::*;

const NOW: u32 = 27_700_000;
const NUMBER: &str = "11010519491231002X";

fn source(kind: SourceKind) -> SourceId {
    SourceId {
        province: ProvinceCode::new(33).unwrap(),
        kind,
        number: 1,
    }
}

fn of(kind: proto::StatementKind) -> proto::Statement {
    proto::Statement {
        source: "33-cdc-1".to_owned(),
        identity_number: NUMBER.to_owned(),
        kind: kind.into(),
        at_minute: NOW - 60,
        ..Default::default()
    }
}

/// One form of each kind, with a source that may state it.
fn forms() -> Vec<(SourceKind, proto::Statement)> {
    use proto::StatementKind as Kind;
    let forms = [
        (
            SourceKind::Hospital,
            proto::Statement {
                is_positive: true,
                ..of(Kind::Test)
            },
        ),
        (
            SourceKind::Cdc,
            proto::Statement {
                contact: proto::ContactGrade::Secondary.into(),
                where_province: 33,
                ..of(Kind::Contact)
            },
        ),
        (
            SourceKind::Cdc,
            proto::Statement {
                case: proto::CaseGrade::Suspected.into(),
                where_province: 33,
                ..of(Kind::Case)
            },
        ),
        (
            SourceKind::BorderPost,
            proto::Statement {
                where_province: 33,
                ..of(Kind::Entry)
            },
        ),
        (
            SourceKind::Cdc,
            proto::Statement {
                exposure: proto::ExposureKind::AssistList.into(),
                where_province: 33,
                ..of(Kind::Exposure)
            },
        ),
        (
            SourceKind::Cdc,
            proto::Statement {
                target_event: vec![7; 16],
                is_target_by_hand: true,
                ..of(Kind::Release)
            },
        ),
    ];
    let named = forms.map(|(kind, mut form)| {
        form.source = source(kind).to_string();
        (kind, form)
    });
    named.to_vec()
}

fn minute(minutes: u32) -> Minute {
    Minute::new(minutes).unwrap()
}

fn read(kind: SourceKind, form: &proto::Statement) -> Result<Stated, WireError> {
    Stated::read(form, source(kind))
}

#[test]
fn every_form_is_an_event_that_its_source_may_state_and_the_same_form_again() {
    for (kind, form) in forms() {
        let stated = read(kind, &form).unwrap();
        assert_eq!(stated.check(minute(NOW)), Ok(()), "{:?}", form.kind());
        assert!(stated.to_message() == form, "{:?}", form.kind());
        let event = stated.event(EventId([1; 16]), minute(NOW));
        let again = Stated::of(&event, None, form.is_target_by_hand);
        assert!(again == stated);
    }
}

#[test]
fn a_small_x_and_the_own_province_are_other_spellings_and_another_province_is_kept() {
    let (kind, mut form) = forms().remove(1);
    form.identity_number = NUMBER.to_lowercase();
    form.home_province = 33;
    let stated = read(kind, &form).unwrap();
    assert_eq!(stated.home, None);
    assert_eq!(stated.to_message().identity_number, NUMBER);
    form.home_province = 35;
    let stated = read(kind, &form).unwrap();
    assert_eq!(stated.home, ProvinceCode::new(35).ok());
    assert_eq!(stated.to_message().home_province, 35);
}

/// What is written into a form.
type Change = fn(&mut proto::Statement);

#[test]
fn each_bad_field_is_refused_for_its_own_reason() {
    let malformed = |field| WireError::Malformed { field };
    let missing = |field| WireError::Missing { field };
    let cases: [(usize, Change, WireError); 17] = [
        // The check digit.
        (
            0,
            |f| f.identity_number = "110105194912310021".to_owned(),
            WireError::IdentityNumber,
        ),
        (0, |f| f.identity_number.clear(), WireError::IdentityNumber),
        (0, |f| f.kind = 0, missing("kind")),
        (0, |f| f.kind = 99, missing("kind")),
        (0, |f| f.at_minute = u32::MAX, malformed("at_minute")),
        (0, |f| f.home_province = 99, malformed("home_province")),
        (
            0,
            |f| f.home_province = 256 + 33,
            malformed("home_province"),
        ),
        (0, |f| f.where_province = 33, malformed("statement")),
        (0, |f| f.contact = 1, malformed("statement")),
        (1, |f| f.contact = 0, missing("contact")),
        (1, |f| f.contact = 9, missing("contact")),
        (1, |f| f.where_province = 0, missing("where_province")),
        (1, |f| f.is_positive = true, malformed("statement")),
        (1, |f| f.is_target_by_hand = true, malformed("statement")),
        (2, |f| f.case = 0, missing("case")),
        (4, |f| f.exposure = 0, missing("exposure")),
        (
            5,
            |f| f.target_event.truncate(15),
            WireError::WrongLength {
                field: "target_event",
                expected: 16,
                got: 15,
            },
        ),
    ];
    for (at, change, error) in cases {
        let (kind, mut form) = forms().remove(at);
        change(&mut form);
        assert_eq!(read(kind, &form).err(), Some(error), "{at} {error}");
    }
}

#[test]
fn what_the_rules_do_not_admit_is_refused_before_anybody_agrees() {
    let refused = |at: usize, change: fn(&mut proto::Statement), by: Option<SourceKind>| {
        let (kind, mut form) = forms().remove(at);
        change(&mut form);
        let stated = read(by.unwrap_or(kind), &form).unwrap();
        stated.check(minute(NOW)).unwrap_err().reason()
    };
    assert_eq!(
        refused(0, |f| f.at_minute = NOW + 1, None),
        Reason::InFuture
    );
    assert_eq!(
        refused(1, |f| f.at_minute = NOW - 60 * 721, None),
        Reason::TooLate
    );
    assert_eq!(refused(1, |f| f.at_minute = 0, None), Reason::Malformed);
    assert_eq!(
        refused(1, |f| f.where_province = 35, None),
        Reason::Malformed
    );
    for (at, by) in [
        (0, SourceKind::Cdc),
        (1, SourceKind::Hospital),
        (3, SourceKind::Cdc),
        (5, SourceKind::AppealsOffice),
    ] {
        assert_eq!(refused(at, |_| (), Some(by)), Reason::NotEntitled, "{at}");
    }
}

#[test]
fn an_office_is_offered_what_it_may_state_and_nothing_else() {
    use proto::StatementKind as Kind;
    assert_eq!(
        kinds_of(SourceKind::Cdc),
        [Kind::Contact, Kind::Case, Kind::Exposure, Kind::Release]
    );
    assert_eq!(
        kinds_of(SourceKind::Hospital),
        [Kind::Test, Kind::Case, Kind::Exposure, Kind::Release]
    );
    assert_eq!(kinds_of(SourceKind::AppealsOffice), []);
    assert_eq!(
        exposures_of(SourceKind::Hospital),
        [proto::ExposureKind::FeverClinic]
    );
    for kind in SourceKind::ALL {
        for (list, exposure) in EXPOSURES {
            let body = EventBody::Exposure {
                list,
                at: minute(NOW),
                province: ProvinceCode::NATION,
            };
            let offered = exposures_of(kind).contains(&exposure);
            assert_eq!(offered, may_sign(kind, body.kind()));
        }
    }
}

#[test]
fn a_contested_event_is_told_without_whom_it_is_about() {
    let (kind, form) = forms().remove(1);
    let stated = read(kind, &form).unwrap();
    let content = case_content(&stated.event(EventId([1; 16]), minute(NOW)));
    assert_eq!(content.kind(), proto::StatementKind::Contact);
    assert_eq!(content.contact(), proto::ContactGrade::Secondary);
    assert_eq!((content.at_minute, content.where_province), (NOW - 60, 33));
    assert_eq!(content.kind_name, "contact");
    let place = rules::AreaCode::new(350_102_000, 0).unwrap();
    let stay = Event {
        body: EventBody::Stay {
            place,
            begin: minute(NOW),
            end: None,
        },
        ..stated.event(EventId([1; 16]), minute(NOW))
    };
    let content = case_content(&stay);
    assert_eq!(content.kind(), proto::StatementKind::Unspecified);
    assert_eq!(content.kind_name, "stay");
    assert_eq!(content.where_province, 35);
}

#[test]
fn a_kind_is_named_as_the_rules_name_it() {
    for kind in EventKind::ALL {
        let named = serde_json::to_value(kind).unwrap();
        assert_eq!(named.as_str(), Some(kind_name(kind)));
    }
}

#[test]
fn nothing_of_the_person_shows_in_debug() {
    let (kind, form) = forms().remove(0);
    let shown = format!("{:?}", read(kind, &form).unwrap());
    assert_eq!(shown, "Stated(..)");
}
