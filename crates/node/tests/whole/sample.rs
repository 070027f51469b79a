//! The sample of leaves: what a node opens to auditors, what an auditor makes of it, and what the resident is told.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use auditor::sample::{Believed, FetchError, Judgement, Place, State, fetch, judge};
use commitment::Epoch;
use ed25519_dalek::Signer as _;
use federation::{PeerId, Role};
use ledger::{Cosignature, CosignedStatement, Member, Roster, Slot};
use node::store::{MemoryStore, Store as _, Table};
use node::{
    Auditor, CivilRegister, Clock as _, EventAnswer, Node, NodeError, OfferedEvent,
    RegisterUnavailable, SimulatedClock,
};
use rules::{
    ContactDegree, Event, EventBody, ExposureList, IdentityNumber, RuleSet, SourceKind, TestResult,
};
use tonic::Code;
use wire::resident::v1 as r;
use wire::source::v1::ForwardedState;
use wire::{LeafRequest, OpenedLeaf, PublishedRegistry, Reason, ShownSample};

use crate::clients::{Phone, accepted, event, fresh};
use crate::forward::{hand_in, until};
use crate::passes::{epoch, negative};
use crate::provers::Checking;
use crate::receipts_cut::Cut;
use crate::world::{
    House, START, Wish, World, credentials, federation, head_key, minute, parts, person, province,
    root_document, source, source_key,
};

const DAY: u32 = 1_440;

fn auditor(code: u8, number: u32) -> PeerId {
    PeerId {
        federation: federation(),
        province: province(code),
        role: Role::Auditor(number),
    }
}

/// What an auditor believes without the node.
fn believed(slot: u8) -> Believed {
    let root = root_document(Checking::entry());
    let members = root.document().provinces.iter().map(|entry| Member {
        province: entry.province,
        slot: entry.slot,
        head_keys: entry.head_keys.clone(),
    });
    Believed {
        roster: Roster::new(members.collect()).unwrap(),
        slot: Slot::new(slot).unwrap(),
        rule_sets: RuleSet::BUILT_IN
            .map(|id| RuleSet::built_in(id).unwrap())
            .to_vec(),
        grace_min: root.document().grace_min,
        places: None,
        log: None,
    }
}

async fn fetched(house: &House, who: &PeerId, epoch: u32) -> Result<ShownSample, FetchError> {
    let node = PeerId::node(&federation(), province(house.home));
    let address = house.peers_at.to_string();
    let epoch = (epoch > 0).then_some(Epoch::new(epoch));
    let who = Arc::new(credentials(who));
    fetch(&address, node, who, epoch, house.node.clock().now()).await
}

/// Nothing is wrong with it.
fn in_order(shown: &ShownSample, slot: u8) -> Judgement {
    let judgement = judge(shown, &believed(slot)).unwrap();
    assert_eq!(judgement.findings, []);
    judgement
}

fn opened_events(judgement: &Judgement) -> Vec<usize> {
    let events = |place: &Place| match place.state {
        State::Opened { events, .. } => Some(events),
        _ => None,
    };
    judgement.places.iter().filter_map(events).collect()
}

/// Two people in province 33, with events of every way in which they come.
async fn two_people(world: &World) -> [Phone; 2] {
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
    let silent = fetch("127.0.0.1:9", nobody, credentials, None, minute(START)).await;
    assert!(matches!(silent, Err(FetchError::Silent(Code::Unavailable))));
}

/// Knows everybody but those who have moved away.
#[derive(Clone, Default)]
struct Moving(Arc<std::sync::Mutex<Vec<IdentityNumber>>>);

impl CivilRegister for Moving {
    fn lives_here(&self, person: &IdentityNumber) -> Result<bool, RegisterUnavailable> {
        Ok(!self.0.lock().unwrap().contains(person))
    }

    fn confirms(&self, _: &IdentityNumber, _: &str, _: &[u8]) -> Result<bool, RegisterUnavailable> {
        Ok(true)
    }
}

fn tested(number: u16, at: u32) -> Event {
    let body = EventBody::Test {
        sampled_at: minute(at),
        result: TestResult::Negative,
    };
    let lab = source(33, SourceKind::Laboratory);
    event(person(33, number), lab, minute(at), body)
}

fn offered(event: &Event) -> OfferedEvent {
    let key = source_key(event.source);
    OfferedEvent {
        event: event.to_bytes(),
        signature: key.sign(&event.signing_bytes()).to_bytes(),
        home: None,
    }
}

/// One node, whose registries the others cosign.
struct Alone {
    node: Arc<Node>,
    clock: Arc<SimulatedClock>,
    register: Moving,
    store: Arc<Cut>,
}

impl Alone {
    fn new() -> Self {
        let store = Arc::new(Cut {
            store: Arc::new(MemoryStore::default()),
            left: AtomicUsize::new(usize::MAX),
        });
        let clock = Arc::new(SimulatedClock::start(minute(START), 0));
        let register = Moving::default();
        let node = Self::open(&store, &clock, &register);
        Self {
            node,
            clock,
            register,
            store,
        }
    }

    fn open(store: &Arc<Cut>, clock: &Arc<SimulatedClock>, register: &Moving) -> Arc<Node> {
        let (wish, store) = (Wish::default(), Arc::clone(store));
        let mut parts = parts(&wish, 33, store, Arc::clone(clock));
        parts.register = Box::new(register.clone());
        Node::open(parts).unwrap()
    }

    fn take(&self, event: &Event) {
        let answers = self.node.take_events(event.source, &[offered(event)]);
        assert_eq!(answers.unwrap(), [EventAnswer::Accepted]);
    }

    /// Closes an epoch, and takes up its registry with the cosignatures of these slots.
    fn epoch(&self, number: u32, by: &[u8]) -> Result<(), NodeError> {
        let epoch = Epoch::new(number);
        let head = self.node.close_epoch(epoch, self.clock.now())?.head;
        let statement = self.node.propose(epoch, &[head])?;
        let sign = |slot: &u8| {
            let code = [33, 35, 42][usize::from(*slot)];
            let signature = head_key(code).sign(&statement.signing_bytes());
            Cosignature {
                slot: Slot::new(*slot).unwrap(),
                signature: signature.to_bytes(),
            }
        };
        let cosignatures = by.iter().map(sign).collect();
        let cosigned = CosignedStatement::new(statement, cosignatures);
        let heads = vec![head];
        self.node
            .take_registry(&PublishedRegistry { cosigned, heads })
    }

    /// What an auditor has of the newest registry.
    fn shown(&self, who: &Auditor) -> Result<ShownSample, NodeError> {
        let sample = self.node.open_sample(None)?;
        let epoch = sample.registry.cosigned.statement().epoch();
        let mut leaves = std::collections::BTreeMap::new();
        for way in &sample.ways.drawn {
            if way.levels[0][(way.index % 8) as usize] != commitment::Fr::default() {
                let (place, first_event) = (way.index, 0);
                let asked = LeafRequest {
                    epoch,
                    place,
                    first_event,
                };
                leaves.insert(place, self.node.open_leaf(who, &asked)?);
            }
        }
        let at = self.clock.now();
        Ok(ShownSample { sample, leaves, at })
    }

    fn rows(&self, table: Table) -> usize {
        self.store.scan(table, b"", None, 1_000).unwrap().len()
    }
}

fn seven() -> Auditor {
    Auditor::of(&auditor(35, 7)).unwrap()
}

#[test]
fn nobody_but_an_auditor_is_one() {
    let lab = Role::Source(SourceKind::Laboratory, 7);
    for role in [Role::Node, Role::Operator, Role::Checkpoint, lab] {
        let peer = PeerId {
            role,
            ..auditor(35, 7)
        };
        assert_eq!(Auditor::of(&peer), None);
    }
}

#[test]
fn without_a_row_in_the_trail_there_is_no_answer() {
    let home = Alone::new();
    home.take(&tested(1, START - 60));
    home.epoch(1, &[0, 1]).unwrap();
    assert_eq!(home.rows(Table::Reads), 0);
    home.store
        .left
        .store(0, std::sync::atomic::Ordering::SeqCst);
    assert!(matches!(home.shown(&seven()), Err(NodeError::Store(_))));
    assert_eq!(home.rows(Table::Reads), 0);
    home.store
        .left
        .store(1, std::sync::atomic::Ordering::SeqCst);
    in_order(&home.shown(&seven()).unwrap(), 0);
    assert_eq!(
        (home.rows(Table::Reads), home.rows(Table::Openings)),
        (1, 1)
    );
}

#[test]
fn each_auditor_has_a_leaf_opened_a_few_times_also_after_a_restart() {
    let mut home = Alone::new();
    home.take(&tested(1, START - 60));
    home.epoch(1, &[0, 1]).unwrap();
    for _ in 0..2 {
        home.shown(&seven()).unwrap();
    }
    home.node = {
        let Alone {
            node,
            clock,
            register,
            store,
        } = home;
        drop(node);
        let node = Alone::open(&store, &clock, &register);
        home = Alone {
            node,
            clock,
            register,
            store,
        };
        Arc::clone(&home.node)
    };
    // The same places and the same leaf as before.
    for _ in 0..2 {
        in_order(&home.shown(&seven()).unwrap(), 0);
    }
    let quota = NodeError::Refused(Reason::Quota);
    assert!(home.shown(&seven()).is_err_and(|error| error == quota));
    assert_eq!(home.rows(Table::Reads), 4);
    let another = Auditor::of(&auditor(35, 8)).unwrap();
    assert!(home.shown(&another).is_ok());
    // Another registry, another share.
    home.clock.advance_to(minute(START + 60));
    home.epoch(2, &[0, 1]).unwrap();
    assert!(home.shown(&seven()).is_ok());
    // Who had what opened is kept as long as the trail.
    assert_eq!(home.rows(Table::Openings), 3);
    home.clock.advance_to(minute(START + 60 * DAY + 30));
    home.node.retain().unwrap();
    assert_eq!(home.rows(Table::Openings), 1);
}

#[test]
fn who_was_erased_after_the_closing_is_opened_without_content_and_later_the_place_is_empty() {
    let home = Alone::new();
    home.take(&tested(0, START - 60));
    home.take(&tested(1, START - 60));
    home.take(&tested(2, START - 60));
    home.clock.advance_to(minute(START + 58 * DAY));
    home.epoch(1, &[0, 1]).unwrap();
    let drawn = home.shown(&seven()).unwrap();
    let (place, leaf) = drawn.leaves.iter().next().unwrap();
    let gone = leaf.content.as_ref().unwrap().resident;
    home.register.0.lock().unwrap().push(gone);
    home.clock.advance_to(minute(START + 61 * DAY));
    assert_eq!(home.node.retain().unwrap().erased, 1);
    let shown = home.shown(&seven()).unwrap();
    assert_eq!(shown.sample, drawn.sample, "the leaf and its way stand");
    let nothing = OpenedLeaf {
        content: None,
        events: Vec::new(),
        events_total: 0,
    };
    assert!(shown.leaves[place] == nothing);
    let judgement = in_order(&shown, 0);
    assert!(judgement.has_erased());
    // What has left the store is before the horizon, and explains the other's test.
    assert_eq!(opened_events(&judgement), [0]);

    home.epoch(2, &[0, 1]).unwrap();
    let shown = home.shown(&seven()).unwrap();
    let judgement = in_order(&shown, 0);
    assert!(!judgement.has_erased());
    let mut of_place = judgement.places.iter().filter(|p| p.place == *place);
    assert!(of_place.all(|p| p.state == State::Empty));
    assert_eq!(opened_events(&judgement), [0, 0]);
}

#[test]
fn an_event_that_comes_after_the_closing_is_late_and_no_finding() {
    let home = Alone::new();
    home.take(&tested(1, START - 60));
    home.epoch(1, &[0, 1]).unwrap();
    home.clock.advance_to(minute(START + 90));
    home.take(&tested(1, START - 30));
    let judgement = in_order(&home.shown(&seven()).unwrap(), 0);
    let expected = State::Opened {
        events: 2,
        late: 1,
        left: 0,
        yielded: 0,
    };
    assert_eq!(judgement.places[0].state, expected);
    // In the next one it is counted.
    home.epoch(2, &[0, 1]).unwrap();
    let judgement = in_order(&home.shown(&seven()).unwrap(), 0);
    let State::Opened { late, .. } = judgement.places[0].state else {
        panic!("{judgement:?}");
    };
    assert_eq!(late, 0);
}

#[test]
fn whoever_cosigns_the_places_are_those_that_the_auditor_draws() {
    for by in [&[0, 1][..], &[0, 2], &[1, 2], &[0, 1, 2]] {
        let home = Alone::new();
        for number in 0..40 {
            home.take(&tested(number, START - 60));
        }
        for epoch in 1..4 {
            home.clock.advance_to(minute(START + 60 * epoch));
            home.epoch(epoch, by).unwrap();
            let shown = home.shown(&seven()).unwrap();
            assert_eq!(in_order(&shown, 0).places.len(), 2);
            // Drawn with another epoch's cosignatures these would be other places.
            assert_eq!(
                shown.sample.registry.cosigned.cosignatures().len(),
                by.len()
            );
        }
    }
}
