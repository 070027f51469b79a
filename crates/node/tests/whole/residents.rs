//! The residents' door: who is let in, what they are told, and what they can change.

use rules::{CaseKind, EventBody, SourceKind, TestResult};
use tonic::Code;
use wire::pass::v1::Colour;
use wire::resident::v1 as r;
use wire::{Nonce, Reason, reason_of, sign_call};

use crate::clients::{Phone, accepted, event, fresh};
use crate::world::{START, Wish, World, minute, name, person, province, source};

fn check_in(day_of: u32) -> r::DeclareHealth {
    r::DeclareHealth {
        event_id: fresh().to_vec(),
        day: minute(day_of).day().get().into(),
        symptoms: r::Symptoms::None.into(),
    }
}

fn trip(begin: u32, end: Option<u32>) -> r::DeclareTrip {
    r::DeclareTrip {
        event_id: fresh().to_vec(),
        area_nine_digit: 350_102_001,
        site: 0,
        begin_minute: begin,
        end_minute: end,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_person_of_this_home_with_the_right_name_binds_a_device() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut phone = Phone::new(house, 1);
    let refused = phone.register("somebody else").await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::RealNameRefused));
    phone.person = person(35, 1);
    let refused = phone.register(&name(1)).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::RealNameRefused));
    let refused = phone.query("").await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::UnknownDevice));

    phone.person = person(33, 1);
    phone.register(&name(1)).await.unwrap();
    phone.register(&name(1)).await.unwrap();
    assert_eq!(house.node.residents(), 1);
    // The same key for another person.
    phone.person = person(33, 2);
    let refused = phone.register(&name(2)).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::AlreadyBound));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_binds_a_limited_number_of_devices() {
    let mut wish = Wish::default();
    wish.limits.devices_per_resident = 2;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    for (device, admitted) in [(1, true), (2, true), (3, false)] {
        let mut phone = Phone::new(house, device);
        phone.person = person(33, 1);
        let bound = phone.register(&name(1)).await;
        assert_eq!(bound.is_ok(), admitted);
        if let Err(status) = bound {
            assert_eq!(reason_of(&status), Some(Reason::TooManyDevices));
        }
    }
    // Who has lost them all is not kept out, twice a day; another's phone stays bound.
    let mut other = Phone::registered(house, 9).await;
    for (device, admitted) in [(3, true), (4, true), (5, false)] {
        let mut phone = Phone::new(house, device);
        phone.person = person(33, 1);
        phone.forgets_others = true;
        let bound = phone.register(&name(1)).await;
        assert_eq!(bound.is_ok(), admitted);
        match bound {
            Err(status) => assert_eq!(reason_of(&status), Some(Reason::Quota)),
            Ok(_) => drop(phone.query("").await.unwrap()),
        }
        for lost in 1..device.min(4) {
            let refused = Phone::new(house, lost).query("").await.unwrap_err();
            assert_eq!(reason_of(&refused), Some(Reason::UnknownDevice));
        }
    }
    other.query("").await.unwrap();
    // What was freed is there again: two may be bound, and no third.
    for (device, admitted) in [(6, true), (7, false)] {
        let mut phone = Phone::new(house, device);
        phone.person = person(33, 1);
        assert_eq!(phone.register(&name(1)).await.is_ok(), admitted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_counts_once_about_now_at_this_home_and_unchanged() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    let call: r::DeclareHealthRequest = phone.sign(&check_in(START));
    phone.client.declare_health(call.clone()).await.unwrap();
    let replayed = phone.client.declare_health(call.clone()).await.unwrap_err();
    assert_eq!(reason_of(&replayed), Some(Reason::Replayed));

    let sign = |home: u8, at: u32| -> r::QueryRequest {
        let body = r::Query::default();
        sign_call(
            &body,
            &phone.key,
            province(home),
            minute(at),
            Nonce(fresh()),
        )
    };
    let (other_home, late) = (sign(35, START), sign(33, START - 11));
    let early = sign(33, START + 11);
    let mut changed = sign(33, START);
    changed.body = vec![10, 1, b'x'];
    for (call, reason) in [
        (other_home, Reason::BadSignature),
        (late, Reason::ClockSkew),
        (early, Reason::ClockSkew),
        (changed, Reason::BadSignature),
    ] {
        let refused = phone.client.query(call).await.unwrap_err();
        assert_eq!(reason_of(&refused), Some(reason));
        assert_eq!(refused.code(), Code::Unauthenticated);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_refused_after_a_restart_as_well() {
    let world = World::new(Wish::default()).await;
    let phone = Phone::registered(&world.houses[0], 1).await;
    let call: r::DeclareHealthRequest = phone.sign(&check_in(START));
    let mut client = phone.client.clone();
    client.declare_health(call.clone()).await.unwrap();
    drop(client);
    let mut stores = Vec::new();
    for house in world.houses {
        stores.push(house.close().await);
    }
    let stores = stores.try_into().unwrap();
    let world = World::over(Wish::default(), stores, START + 1).await;
    let mut phone = Phone::new(&world.houses[0], 1);
    let refused = phone.client.declare_health(call).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::Replayed));
    assert_eq!(phone.query("").await.unwrap().colour(), Colour::Green);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declaration_is_idempotent_by_its_own_name() {
    let world = World::new(Wish::default()).await;
    let mut phone = Phone::registered(&world.houses[0], 1).await;
    let mut body = check_in(START);
    for duplicate in [false, true] {
        let call: r::DeclareHealthRequest = phone.sign(&body);
        let answer = phone.client.declare_health(call).await.unwrap();
        assert_eq!(answer.into_inner().duplicate, duplicate);
    }
    body.symptoms = r::Symptoms::Present.into();
    let call: r::DeclareHealthRequest = phone.sign(&body);
    let refused = phone.client.declare_health(call).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::IdReused));
    let call: r::DeclareHealthRequest = phone.sign(&check_in(START - 3 * 1440));
    let refused = phone.client.declare_health(call).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::EventRefused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_that_was_begun_is_ended_by_declaring_it_with_its_end() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    let (begun, ended) = (trip(START - 600, None), trip(START - 600, Some(START - 60)));
    for body in [&begun, &ended, &ended] {
        let call: r::DeclareTripRequest = phone.sign(body);
        phone.client.declare_trip(call).await.unwrap();
    }
    assert_eq!(house.node.events(), 2);
    let mut nowhere = trip(START - 600, None);
    nowhere.area_nine_digit = 999_999_999;
    let call: r::DeclareTripRequest = phone.sign(&nowhere);
    let refused = phone.client.declare_trip(call).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::BadAreaCode));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_resident_reads_every_reason_with_rule_source_anchor_and_way_out() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[1];
    let mut phone = Phone::registered(house, 1).await;
    let at = START - 2 * 1440;
    let contact = EventBody::Contact {
        degree: rules::ContactDegree::Close,
        last_contact_at: minute(at),
        province: province(35),
    };
    let cdc = source(35, SourceKind::Cdc);
    let contact = event(person(35, 1), cdc, minute(START - 60), contact);
    accepted(house, &contact).await;
    let lab = source(35, SourceKind::Laboratory);
    let negative = EventBody::Test {
        sampled_at: minute(START - 30),
        result: TestResult::Negative,
    };
    accepted(
        house,
        &event(person(35, 1), lab, minute(START - 30), negative),
    )
    .await;

    let own = phone.query("").await.unwrap();
    assert_eq!(
        (own.rule_set_id.as_str(), own.at_minute),
        ("fj-2022-08", START)
    );
    assert_eq!(own.colour(), Colour::Red);
    assert_eq!(own.newest_negative_minute, Some(START - 30));
    let open: Vec<_> = own
        .reasons
        .iter()
        .filter(|r| r.state() == r::ReasonState::Open)
        .collect();
    assert_eq!(open.len(), 1);
    let reason = open[0];
    assert!(!reason.rule_id.is_empty());
    assert!(!reason.text_zh.is_empty() && !reason.text_en.is_empty());
    assert_eq!(reason.event_ids, [contact.id.0.to_vec()]);
    assert!(reason.source.starts_with("35-cdc-1"), "{}", reason.source);
    assert_eq!(reason.anchor_minute, at);
    let way = &reason.ways_out[0];
    assert!(!way.text_zh.is_empty() && !way.text_en.is_empty());
    assert!(way.time_from_minute.is_some());
    assert_eq!(own.earliest_green_day, reason.earliest_end_day);
    assert!(reason.earliest_end_day.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_is_asked_under_a_limited_number_of_rule_sets_a_day() {
    let mut wish = Wish::default();
    wish.limits.rule_sets_per_day = 1;
    let world = World::new(wish).await;
    let mut phone = Phone::registered(&world.houses[0], 1).await;
    let refused = phone.query("no-such-rules").await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::UnknownRuleSet));
    phone.query("fj-2022-08").await.unwrap();
    phone.query("fj-2022-08").await.unwrap();
    phone.query("hz-2020-02").await.unwrap();
    phone.query("").await.unwrap();
    // In the second house the home's own set is the other one, so this one counts there.
    let mut other = Phone::registered(&world.houses[1], 1).await;
    other.query("hz-2020-02").await.unwrap();
    other.query("fj-2022-08").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contested_event_counts_until_a_ruling_voids_it() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    let at = minute(START - 60);
    let case = EventBody::Case {
        kind: CaseKind::Confirmed,
        at,
        province: province(33),
    };
    let case = event(person(33, 1), source(33, SourceKind::Cdc), at, case);
    accepted(house, &case).await;
    assert_eq!(phone.query("").await.unwrap().colour(), Colour::Red);

    let mut body = r::Correct {
        case_id: fresh().to_vec(),
        event_id: case.id.0.to_vec(),
        statement: "I was never tested".to_owned(),
    };
    let call: r::CorrectRequest = phone.sign(&body);
    let state = phone.client.correct(call).await.unwrap().into_inner();
    assert_eq!(state.state(), r::CorrectionState::Open);
    assert_eq!(phone.query("").await.unwrap().colour(), Colour::Red);

    let target = case.id;
    let ruling = EventBody::Ruling { target, at };
    let appeals = source(33, SourceKind::AppealsOffice);
    accepted(house, &event(person(33, 1), appeals, at, ruling)).await;
    let call: r::CorrectRequest = phone.sign(&body);
    let state = phone.client.correct(call).await.unwrap().into_inner();
    assert_eq!(state.state(), r::CorrectionState::Upheld);
    assert_eq!(phone.query("").await.unwrap().colour(), Colour::Green);

    body.case_id = fresh().to_vec();
    body.event_id = vec![7; 16];
    let call: r::CorrectRequest = phone.sign(&body);
    let refused = phone.client.correct(call).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn get_home_tells_the_time_and_the_horizon_to_anybody() {
    let world = World::new(Wish::default()).await;
    let mut phone = Phone::new(&world.houses[2], 1);
    let home = phone.client.get_home(r::GetHomeRequest {}).await.unwrap();
    let home = home.into_inner();
    assert_eq!((home.province, home.now_minute), (42, START));
    assert_eq!((home.federation.as_str(), home.epoch), ("test", 0));
    assert_eq!(home.retention_days, 60);
    assert!(home.pass_terms.is_none(), "there is no registry yet");
}
