//! Whose leaf is opened, how often, and what of it the person sees; who was erased, and what came late.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use auditor::sample::State;
use commitment::Epoch;
use ed25519_dalek::Signer as _;
use federation::{PeerId, Role};
use ledger::{Cosignature, CosignedStatement, Slot};
use node::store::{MemoryStore, Store as _, Table};
use node::{Auditor, Clock as _, EventAnswer, Node, NodeError, SimulatedClock};
use rules::{Event, SourceKind};
use wire::{LeafRequest, OpenedLeaf, PublishedRegistry, Reason, ShownSample};

use crate::clients::Phone;
use crate::receipts_cut::Cut;
use crate::retention::{DAY, Moving};
use crate::sample::{auditor, in_order, offered, opened_events, tested};
use crate::world::{START, Wish, World, head_key, minute, parts};

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
        let sample = self.node.open_sample(who, None)?;
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
    home.register.lose(gone);
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

#[test]
fn an_auditor_has_a_sample_shown_so_often_for_a_registry_and_nobody_is_read_for_it() {
    let home = Alone::new();
    home.take(&tested(1, START - 60));
    home.epoch(1, &[0, 1]).unwrap();
    let first = home.node.open_sample(&seven(), None).unwrap();
    for _ in 1..16 {
        let again = home.node.open_sample(&seven(), Some(Epoch::new(1)));
        assert_eq!(again.unwrap(), first);
    }
    let quota = Err(NodeError::Refused(Reason::Quota));
    assert_eq!(home.node.open_sample(&seven(), None), quota);
    let another = Auditor::of(&auditor(35, 8)).unwrap();
    assert_eq!(home.node.open_sample(&another, None).unwrap(), first);
    // What is drawn can still be opened: that has a share of its own.
    let leaf = LeafRequest {
        epoch: Epoch::new(1),
        place: 0,
        first_event: 0,
    };
    assert_eq!(home.rows(Table::Reads), 0);
    assert!(home.node.open_leaf(&seven(), &leaf).is_ok());
    // Another registry, another draw and another share; of the first nothing is shown, though its draw is at hand.
    home.clock.advance_to(minute(START + 60));
    home.epoch(2, &[0, 1]).unwrap();
    let second = home.node.open_sample(&seven(), None).unwrap();
    assert_ne!(second.registry, first.registry);
    let gone = home.node.open_sample(&another, Some(Epoch::new(1)));
    assert_eq!(gone, Err(NodeError::Refused(Reason::SampleGone)));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_reading_is_pushed_out_of_sight_by_those_that_came_after_it() {
    let world = World::new(Wish::default()).await;
    let home = world.house(33);
    let mut phone = Phone::registered(home, 0).await;
    crate::passes::epoch(&world, 1).await;
    let leaf = LeafRequest {
        epoch: Epoch::new(1),
        place: 0,
        first_event: 0,
    };
    let name = |number| auditor(35, number).to_string();
    for number in 1..=37 {
        home.clock.advance_to(minute(START + number / 3));
        let who = Auditor::of(&auditor(35, number)).unwrap();
        home.node.open_leaf(&who, &leaf).unwrap();
    }
    let (mut pages, mut readers, mut minutes) = (Vec::new(), Vec::new(), Vec::new());
    let mut from = Vec::new();
    loop {
        let answer = phone.query_from("", from).await.unwrap();
        // The first page stays what it is when somebody else reads meanwhile.
        if pages.is_empty() {
            let who = Auditor::of(&auditor(42, 1)).unwrap();
            home.node.open_leaf(&who, &leaf).unwrap();
        }
        pages.push((answer.readings.len(), answer.readings_total));
        readers.extend(answer.readings.iter().map(|read| read.reader.clone()));
        minutes.extend(answer.readings.iter().map(|read| read.at_minute));
        from = answer.readings_next;
        if from.is_empty() {
            break;
        }
        assert_eq!(from.len(), 20);
    }
    assert_eq!(pages, [(16, 37), (16, 38), (5, 38)]);
    assert!(minutes.is_sorted_by(|a, b| a >= b), "newest first");
    readers.sort();
    let mut all: Vec<String> = (1..=37).map(name).collect();
    all.sort();
    assert_eq!(readers, all);
    // A place of nobody's is one like any other: it tells of the own trail alone.
    let answer = phone.query_from("", vec![0; 20]).await.unwrap();
    assert_eq!((answer.readings.len(), answer.readings_total), (0, 38));
}
