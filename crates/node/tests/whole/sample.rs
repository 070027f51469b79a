//! The sample of leaves: what a node opens to auditors, what an auditor makes of it, and what the resident is told.

use std::sync::Arc;

use auditor::sample::{
    Begin, Believed, FetchError, Judgement, Place, State, fetch, fetch_on, judge,
};
use commitment::Epoch;
use ed25519_dalek::Signer as _;
use federation::{PeerId, Role};
use ledger::{CosignedStatement, Slot};
use node::store::{Store as _, Table};
use node::{Auditor, EventAnswer, NodeError, OfferedEvent};
use rules::{ContactDegree, Event, EventBody, ExposureList, RuleSet, SourceKind, TestResult};
use tonic::Code;
use wire::resident::v1 as r;
use wire::source::v1::ForwardedState;
use wire::{LeafRequest, Reason, ShownSample};

use crate::clients::{Phone, accepted, event, fresh};
use crate::forward::{hand_in, until};
use crate::passes::{epoch, negative};
use crate::provers::Checking;
use crate::retention::DAY;
use crate::world::{
    House, PROVINCES, START, Wish, World, credentials, federation, minute, person, province,
    root_document, source, source_key,
};

pub(crate) fn auditor(code: u8, number: u32) -> PeerId {
    PeerId {
        federation: federation(),
        province: province(code),
        role: Role::Auditor(number),
    }
}

/// What an auditor believes without the node.
pub(crate) fn believed(slot: u8) -> Believed {
    let root = root_document(Checking::entry());
    Believed {
        roster: wire::roster_of(root.document()).unwrap(),
        slot: Slot::new(slot).unwrap(),
        rule_sets: RuleSet::BUILT_IN
            .map(|id| RuleSet::built_in(id).unwrap())
            .to_vec(),
        grace_min: root.document().grace_min,
        places: None,
        log: None,
        registries: Vec::new(),
    }
}

pub(crate) async fn fetched(
    house: &House,
    who: &PeerId,
    epoch: u32,
) -> Result<ShownSample, FetchError> {
    let node = PeerId::node(&federation(), province(house.home));
    let address = house.peers_at.to_string();
    let epoch = (epoch > 0).then_some(Epoch::new(epoch));
    let who = Arc::new(credentials(who));
    let now = house.node.clock().now();
    let slot = PROVINCES
        .iter()
        .position(|code| *code == house.home)
        .unwrap();
    let believed = believed(u8::try_from(slot).unwrap());
    fetch(&address, node, who, epoch, now, &believed).await
}

/// Nothing is wrong with it.
pub(crate) fn in_order(shown: &ShownSample, slot: u8) -> Judgement {
    let judgement = judge(shown, &believed(slot)).unwrap();
    assert_eq!(judgement.findings, []);
    judgement
}

pub(crate) fn opened_events(judgement: &Judgement) -> Vec<usize> {
    let events = |place: &Place| match place.state {
        State::Opened { events, .. } => Some(events),
        _ => None,
    };
    judgement.places.iter().filter_map(events).collect()
}

/// Two people in province 33, with events of every way in which they come.
pub(crate) async fn two_people(world: &World) -> [Phone; 2] {
    let (home, away) = (world.house(33), world.house(35));
    let mut phones = [
        Phone::registered(home, 0).await,
        Phone::registered(home, 1).await,
    ];
    negative(home, 0, START - 60).await;
    let now = home.node.clock().now();
    for phone in &mut phones {
        let declared: r::DeclareHealthRequest = phone.sign(&r::DeclareHealth {
            event_id: fresh().to_vec(),
            day: now.day().get().into(),
            symptoms: r::Symptoms::None.into(),
        });
        phone.client.declare_health(declared).await.unwrap();
        let mut trip = r::DeclareTrip {
            event_id: fresh().to_vec(),
            area_nine_digit: 330_102_001,
            site: 0,
            begin_minute: START - 300,
            end_minute: None,
        };
        let begun: r::DeclareTripRequest = phone.sign(&trip);
        phone.client.declare_trip(begun).await.unwrap();
        trip.event_id = fresh().to_vec();
        trip.end_minute = Some(START - 200);
        let ended: r::DeclareTripRequest = phone.sign(&trip);
        phone.client.declare_trip(ended).await.unwrap();
    }
    let cdc = source(33, SourceKind::Cdc);
    let contact = EventBody::Contact {
        degree: ContactDegree::Close,
        last_contact_at: minute(START - 3 * DAY),
        province: province(33),
    };
    let contact = event(person(33, 1), cdc, minute(START - 2 * DAY), contact);
    accepted(home, &contact).await;
    let release = EventBody::Release {
        target: contact.id,
        at: minute(START - DAY),
    };
    let release = event(person(33, 1), cdc, minute(START - DAY), release);
    accepted(home, &release).await;
    let positive = EventBody::Test {
        sampled_at: minute(START - 90),
        result: TestResult::Positive,
    };
    let lab = source(35, SourceKind::Laboratory);
    let positive = event(person(33, 1), lab, minute(START - 60), positive);
    assert_eq!(hand_in(away, &positive, 33).await, "forwarded");
    until(away, &positive, ForwardedState::Accepted).await;
    phones
}

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_node_opens_what_the_cosignatures_draw_and_an_auditor_finds_nothing() {
    let world = World::new(Wish::default()).await;
    let mut phones = two_people(&world).await;
    for house in &world.houses {
        for number in 10..30 {
            if house.home != 33 {
                negative(house, number, START - 60).await;
            }
        }
    }
    epoch(&world, 1).await;
    let home = world.house(33);
    let shown = fetched(home, &auditor(35, 7), 0).await.unwrap();
    let judgement = in_order(&shown, 0);
    let mut events = opened_events(&judgement);
    events.sort_unstable();
    assert_eq!((judgement.epoch, events), (1, vec![4, 6]));
    assert_eq!(judgement.leaf_count, Some(2));

    // Whoever was read is told, and who is not is not; asking tells of oneself nothing.
    for phone in &mut phones {
        let readings = phone.query("").await.unwrap().readings;
        let [reading] = &readings[..] else {
            panic!("{readings:?}");
        };
        assert_eq!(reading.reader, "spiffe://viridian/test/35/auditor/7");
        assert_eq!((reading.purpose.as_str(), reading.epoch), ("sample", 1));
        assert_eq!(reading.at_minute, START);
    }
    let mut other = Phone::registered(home, 5).await;
    assert_eq!(other.query("").await.unwrap().readings.len(), 0);

    // The home's own auditor is one as well; the others' leaves are drawn from their slots.
    in_order(&fetched(home, &auditor(33, 1), 1).await.unwrap(), 0);
    let readings = phones[0].query("").await.unwrap().readings;
    let readers: Vec<&str> = readings.iter().map(|read| &*read.reader).collect();
    let own = "spiffe://viridian/test/33/auditor/1";
    assert_eq!(readers.len(), 2);
    assert!(readers.contains(&own));
    for (slot, code) in [(1, 35), (2, 42)] {
        let shown = fetched(world.house(code), &auditor(33, 1), 1).await;
        let judgement = in_order(&shown.unwrap(), slot);
        assert_eq!(opened_events(&judgement), [1, 1]);
        let numbers = judgement.places.iter().map(|place| place.place);
        assert!(numbers.clone().all(|place| place < 20));
    }
    // A cosignature that is left away changes the draw where it is the one that draws, and then its province was passed over.
    let mut changed = 0;
    for left_away in [1, 2] {
        let mut other = shown.clone();
        let cosigned = &shown.sample.registry.cosigned;
        let mut kept = cosigned.cosignatures().to_vec();
        kept.retain(|cosignature| cosignature.slot.get() != left_away);
        assert_eq!(kept.len(), 2);
        other.sample.registry.cosigned = CosignedStatement::new(cosigned.statement().clone(), kept);
        let seed = |shown: &ShownSample| {
            let (cosigned, slot) = (&shown.sample.registry.cosigned, believed(0).slot);
            ledger::sample::SampleSeed::new(cosigned, slot, &believed(0).roster)
        };
        let passed_over = judge(&other, &believed(0)).unwrap().passed_over;
        if seed(&other) == seed(&shown) {
            assert!(passed_over.is_empty());
        } else {
            assert_eq!(passed_over, [left_away]);
            changed += 1;
        }
    }
    assert_eq!((changed, judgement.passed_over.len()), (1, 0));
    // And what another node opens is not this one's.
    let other = fetched(world.house(35), &auditor(33, 1), 1).await.unwrap();
    assert!(!judge(&other, &believed(0)).unwrap().findings.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contested_event_is_opened_with_its_confirmation() {
    let world = World::new(Wish::default()).await;
    let (home, away) = (world.house(33), world.house(35));
    negative(home, 2, START - 60).await;
    let body = EventBody::Exposure {
        list: ExposureList::PossibleLink,
        at: minute(START - 60),
        province: province(35),
    };
    let cdc = source(35, SourceKind::Cdc);
    let listed = event(person(33, 2), cdc, minute(START - 60), body);
    assert_eq!(hand_in(away, &listed, 33).await, "forwarded");
    until(away, &listed, ForwardedState::Waiting).await;
    crate::forward::confirm(away, &listed).await;
    until(away, &listed, ForwardedState::Accepted).await;
    epoch(&world, 1).await;
    let shown = fetched(home, &auditor(42, 1), 1).await.unwrap();
    let judgement = in_order(&shown, 0);
    assert_eq!(opened_events(&judgement), [2]);
    // The confirmation counts: another one in its place is seen.
    let mut forged = shown;
    let leaf = forged.leaves.values_mut().next().unwrap();
    for event in &mut leaf.events {
        if let wire::OpenedEvidence::Source {
            signature,
            confirmation: Some(confirmation),
            ..
        } = &mut event.evidence
        {
            *confirmation = *signature;
        }
    }
    assert!(!judge(&forged, &believed(0)).unwrap().findings.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leaf_with_more_events_than_an_answer_holds_comes_in_several() {
    let world = World::new(Wish::default()).await;
    let home = world.house(33);
    let offered: Vec<OfferedEvent> = (0..1_500)
        .map(|number| tested(1, START - 20 * DAY + 10 * number))
        .map(|event| offered(&event))
        .collect();
    for batch in offered.chunks(250) {
        let lab = source(33, SourceKind::Laboratory);
        let answers = home.node.take_events(lab, batch).unwrap();
        assert!(answers.iter().all(|a| *a == EventAnswer::Accepted));
    }
    epoch(&world, 1).await;
    let shown = fetched(home, &auditor(35, 1), 1).await.unwrap();
    assert_eq!(opened_events(&in_order(&shown, 0)), [1_500]);
    // Each call is a row of the trail.
    let reads = home.store.scan(Table::Reads, b"", None, 9).unwrap();
    assert_eq!(reads.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_sample_goes_on_and_asks_for_no_leaf_again() {
    let world = World::new(Wish::default()).await;
    let home = world.house(33);
    negative(home, 0, START - 60).await;
    negative(home, 1, START - 60).await;
    epoch(&world, 1).await;
    let (address, believed) = (home.peers_at.to_string(), believed(0));
    let ask = async |begin, keep: &mut dyn FnMut(&ShownSample) -> Result<(), String>| {
        let node = PeerId::node(&federation(), province(33));
        let who = Arc::new(credentials(&auditor(35, 7)));
        fetch_on(&address, node, who, begin, &believed, keep).await
    };
    let opened = || home.store.scan(Table::Reads, b"", None, 9).unwrap().len();
    let mut kept = None;
    let mut until_a_leaf = |shown: &ShownSample| {
        kept = Some(shown.clone());
        match shown.leaves.len() {
            0 => Ok(()),
            _ => Err("the disk is full".to_owned()),
        }
    };
    let now = minute(START);
    let cut = ask(Begin::Anew(None, now), &mut until_a_leaf).await;
    assert!(matches!(cut, Err(FetchError::NotKept(_))));
    let kept = kept.unwrap();
    assert_eq!((kept.leaves.len(), opened()), (1, 1));
    let begun = || Begin::GoOn(Box::new(kept.clone()));
    let shown = ask(begun(), &mut |_| Ok(())).await.unwrap();
    assert_eq!((shown.leaves.len(), opened()), (2, 2));
    assert_eq!(opened_events(&in_order(&shown, 0)), [1, 1]);
    // With all of it there, nobody is read once more.
    let whole = Begin::GoOn(Box::new(shown.clone()));
    assert!(ask(whole, &mut |_| Ok(())).await.unwrap() == shown);
    assert_eq!(opened(), 2);
    // A node that shows other cosignatures than before would show another draw: that is not gone on with.
    let mut other = kept.clone();
    let cosigned = &kept.sample.registry.cosigned;
    let mut fewer = cosigned.cosignatures().to_vec();
    fewer.pop();
    other.sample.registry.cosigned = CosignedStatement::new(cosigned.statement().clone(), fewer);
    let other = ask(Begin::GoOn(Box::new(other)), &mut |_| Ok(())).await;
    assert!(matches!(other, Err(FetchError::OtherSample(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_drawn_not_known_or_no_more_kept_is_refused_by_its_reason() {
    let world = World::new(Wish::default()).await;
    let home = world.house(33);
    for number in 0..40 {
        negative(home, number, START - 60).await;
    }
    let refusal = |result: Result<ShownSample, FetchError>| match result {
        Err(FetchError::Refused(reason)) => reason,
        other => panic!("{other:?}"),
    };
    let who = auditor(35, 1);
    let none_yet = refusal(fetched(home, &who, 0).await);
    assert_eq!(none_yet, Reason::UnknownEpoch);
    epoch(&world, 1).await;
    let shown = fetched(home, &who, 1).await.unwrap();
    assert_eq!(refusal(fetched(home, &who, 2).await), Reason::UnknownEpoch);
    let drawn: Vec<u32> = shown.leaves.keys().copied().collect();
    let not_drawn = (0..40).find(|place| !drawn.contains(place)).unwrap();
    let auditor_7 = Auditor::of(&auditor(35, 7)).unwrap();
    let leaf = |place| LeafRequest {
        epoch: Epoch::new(1),
        place,
        first_event: 0,
    };
    for place in [not_drawn, 40, u32::MAX] {
        assert_eq!(
            home.node.open_leaf(&auditor_7, &leaf(place)),
            Err(NodeError::Refused(Reason::NotFound))
        );
    }
    assert_eq!(
        home.store.scan(Table::Reads, b"", None, 9).unwrap().len(),
        2
    );

    // The next registry takes the place of this one's records.
    world.advance_to(START + 60);
    epoch(&world, 2).await;
    assert_eq!(refusal(fetched(home, &who, 1).await), Reason::SampleGone);
    assert_eq!(in_order(&fetched(home, &who, 0).await.unwrap(), 0).epoch, 2);

    // A certificate of a province that is no member is none of an auditor.
    let stranger = fetched(home, &auditor(11, 1), 0).await;
    assert_eq!(refusal(stranger), Reason::RoleRefused);

    // A node that nobody hears from is not one that refuses.
    let nobody = PeerId::node(&federation(), province(33));
    let credentials = Arc::new(credentials(&who));
    let silent = fetch(
        "127.0.0.1:9",
        nobody,
        credentials,
        None,
        minute(START),
        &believed(0),
    )
    .await;
    assert!(matches!(silent, Err(FetchError::Silent(Code::Unavailable))));
}

pub(crate) fn tested(number: u16, at: u32) -> Event {
    let body = EventBody::Test {
        sampled_at: minute(at),
        result: TestResult::Negative,
    };
    let lab = source(33, SourceKind::Laboratory);
    event(person(33, number), lab, minute(at), body)
}

pub(crate) fn offered(event: &Event) -> OfferedEvent {
    let key = source_key(event.source);
    OfferedEvent {
        event: event.to_bytes(),
        signature: key.sign(&event.signing_bytes()).to_bytes(),
        home: None,
    }
}
