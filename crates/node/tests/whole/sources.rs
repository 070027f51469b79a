//! The sources' door: each event is answered by itself, and what is accepted is durable.

use federation::{PeerId, Role};
use rules::{
    AreaCode, CaseKind, Event, EventBody, EventId, ExposureList, SourceId, SourceKind, TestResult,
};
use tonic::Code;
use wire::operator::v1::ListSourcesRequest;
use wire::source::v1::{EventOutcome, SignedEvent};
use wire::{Reason, reason_of};

use crate::clients::{accepted, at_peers, event, operator, signed, submit};
use crate::world::{START, Wish, World, federation, minute, person, province, source};

fn negative(home: u8, number: u16, at: u32) -> Event {
    let body = EventBody::Test {
        sampled_at: minute(at),
        result: TestResult::Negative,
    };
    event(
        person(home, number),
        source(home, SourceKind::Laboratory),
        minute(at),
        body,
    )
}

/// The code with which one event is refused.
async fn refusal(world: &World, event: SignedEvent, kind: SourceKind) -> String {
    let house = &world.houses[0];
    let results = submit(house, source(33, kind), vec![event]).await.unwrap();
    assert_eq!(results[0].outcome(), EventOutcome::Refused);
    results[0].reason.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_accepted_once_and_a_duplicate_the_second_time() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let test = negative(33, 1, START - 60);
    accepted(house, &test).await;
    let again = submit(house, test.source, vec![signed(&test)]).await;
    assert_eq!(again.unwrap()[0].outcome(), EventOutcome::Duplicate);
    let mut other = test;
    other.issued_at = minute(START - 59);
    assert_eq!(
        refusal(&world, signed(&other), SourceKind::Laboratory).await,
        "id-reused"
    );
    assert_eq!((house.node.residents(), house.node.events()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_told_what_has_come_of_each_sources_events() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let test = negative(33, 1, START - 60);
    accepted(house, &test).await;
    submit(house, test.source, vec![signed(&test)])
        .await
        .unwrap();
    let future = negative(33, 2, START + 6);
    let lab = SourceKind::Laboratory;
    assert_eq!(refusal(&world, signed(&future), lab).await, "future-dated");
    let mut client = operator(house);
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let asked = ListSourcesRequest { after };
        let part = client.list_sources(asked).await.unwrap().into_inner();
        let Some(last) = part.sources.last() else {
            break;
        };
        after = last.source.clone();
        all.extend(part.sources);
    }
    assert_eq!(all.len(), house.node.source_intake(None).len());
    assert!(all.len() > 1);
    let of = |id: SourceId| all.iter().find(|told| told.source == id.to_string());
    let told = of(test.source).unwrap();
    assert_eq!((told.accepted, told.duplicates, told.refused), (1, 1, 1));
    assert_eq!((told.forwarded, told.last_at_minute), (0, START));
    let cdc = of(source(33, SourceKind::Cdc)).unwrap();
    assert_eq!((cdc.accepted, cdc.last_at_minute), (0, 0));
    let asked = ListSourcesRequest {
        after: "33-nobody-1".to_owned(),
    };
    let refused = client.list_sources(asked).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::Malformed));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_bad_event_is_refused_with_its_own_code_and_nothing_is_stored() {
    let world = World::new(Wish::default()).await;
    let lab = SourceKind::Laboratory;
    let good = negative(33, 2, START - 60);

    let mut forged = signed(&good);
    forged.signature[3] ^= 1;
    assert_eq!(refusal(&world, forged, lab).await, "bad-signature");

    let mut cut = signed(&good);
    cut.event.pop();
    assert_eq!(refusal(&world, cut, lab).await, "malformed");
    let mut long = signed(&good);
    long.event = vec![1; 257];
    assert_eq!(refusal(&world, long, lab).await, "malformed");
    let mut version = signed(&good);
    version.event[0] = 9;
    assert_eq!(refusal(&world, version, lab).await, "unknown-version");
    let mut nobody = signed(&good);
    nobody.event[17 + 17] = b'?';
    assert_eq!(refusal(&world, nobody, lab).await, "bad-subject");

    let foreign = negative(35, 2, START - 60);
    let foreign = Event {
        source: good.source,
        ..foreign
    };
    assert_eq!(
        refusal(&world, signed(&foreign), lab).await,
        "lives-elsewhere"
    );
    let future = negative(33, 2, START + 6);
    assert_eq!(refusal(&world, signed(&future), lab).await, "future-dated");
    let late = negative(33, 2, START - 721 * 60);
    assert_eq!(refusal(&world, signed(&late), lab).await, "too-late");

    let case = EventBody::Case {
        kind: CaseKind::Confirmed,
        at: minute(START - 60),
        province: province(33),
    };
    let case = event(good.subject, good.source, minute(START - 60), case);
    assert_eq!(refusal(&world, signed(&case), lab).await, "not-entitled");
    let target = EventId([9; 16]);
    let at = minute(START - 60);
    let release = EventBody::Release { target, at };
    let release = event(good.subject, good.source, at, release);
    assert_eq!(
        refusal(&world, signed(&release), lab).await,
        "unknown-target"
    );

    // Signed by another source than the one whose certificate it is.
    assert_eq!(
        refusal(&world, signed(&good), SourceKind::Cdc).await,
        "unknown-source"
    );
    let house = &world.houses[0];
    assert_eq!((house.node.residents(), house.node.events()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn grounds_over_capacity_are_refused_to_their_source_and_relief_still_comes_in() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let telecom = source(33, SourceKind::Telecom);
    let stays: Vec<SignedEvent> = (0..30)
        .map(|i| {
            let body = EventBody::Stay {
                place: AreaCode::new(330_102_001 + i, 0).unwrap(),
                begin: minute(START - 3_000 + i),
                end: None,
            };
            signed(&event(person(33, 3), telecom, minute(START - 60), body))
        })
        .collect();
    let results = submit(house, telecom, stays).await.unwrap();
    let refused: Vec<_> = results.iter().filter(|r| !r.reason.is_empty()).collect();
    assert!(refused.iter().all(|r| r.reason == "over-capacity"));
    assert_eq!(results.len() - refused.len(), rules::MAX_STAYS);
    accepted(house, &negative(33, 3, START - 50)).await;
    assert_eq!(house.node.events(), rules::MAX_STAYS as u64 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_one_batch_see_each_other() {
    let world = World::new(Wish::default()).await;
    let cdc = source(33, SourceKind::Cdc);
    let at = minute(START - 60);
    let list = EventBody::Exposure {
        list: ExposureList::PossibleLink,
        at,
        province: province(33),
    };
    let exposure = event(person(33, 4), cdc, at, list);
    let target = exposure.id;
    let release = event(person(33, 4), cdc, at, EventBody::Release { target, at });
    let events = vec![signed(&exposure), signed(&release), signed(&exposure)];
    let results = submit(&world.houses[0], cdc, events).await.unwrap();
    let outcomes: Vec<_> = results
        .iter()
        .map(wire::source::v1::EventResult::outcome)
        .collect();
    assert_eq!(
        outcomes,
        [
            EventOutcome::Accepted,
            EventOutcome::Accepted,
            EventOutcome::Duplicate
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_or_too_large_batch_is_refused_as_a_whole() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let lab = source(33, SourceKind::Laboratory);
    let one = signed(&negative(33, 5, START - 60));
    for events in [Vec::new(), vec![one; 257]] {
        let status = submit(house, lab, events).await.unwrap_err();
        assert_eq!(reason_of(&status), Some(Reason::TooLarge));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_is_no_source_hands_in_nothing() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    for role in [Role::Node, Role::Checkpoint, Role::Operator] {
        let who = PeerId {
            federation: federation(),
            province: province(33),
            role,
        };
        let mut client = wire::client::source(at_peers(house, &who));
        let events = vec![signed(&negative(33, 6, START - 60))];
        let request = wire::source::v1::SubmitEventsRequest { events };
        let status = client.submit_events(request).await.unwrap_err();
        assert_eq!(reason_of(&status), Some(Reason::RoleRefused));
        assert_eq!(status.code(), Code::PermissionDenied);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_nothing_is_acknowledged_and_nothing_half_written() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let test = negative(33, 7, START - 60);
    house.store.set_full(true);
    let status = submit(house, test.source, vec![signed(&test)])
        .await
        .unwrap_err();
    assert_eq!(reason_of(&status), Some(Reason::StorageFull));
    assert_eq!((house.node.residents(), house.node.events()), (0, 0));
    house.store.set_full(false);
    accepted(house, &test).await;
    assert_eq!((house.node.residents(), house.node.events()), (1, 1));
}
