//! A node that is cut off between any two writes loses no promise.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use commitment::Epoch;
use ed25519_dalek::Signer as _;
use ledger::receipt::HeldReceipt;
use node::store::{Batch, Each, Entries, MemoryStore, Store, StoreError, Table, Tally, Vault};
use node::{Clock as _, EventAnswer, Fsck, Node, OfferedEvent, SimulatedClock, fsck};
use rules::Event;
use source::{LogReader, State, Unread, judge};

use crate::receipts::{negative, trust};
use crate::world::{START, Wish, minute, node_key, parts, source_key};

/// A store that takes so many commits and no more, as if the process were killed.
pub(crate) struct Cut {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) left: AtomicUsize,
}

impl Store for Cut {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Entries, StoreError> {
        self.store.scan(table, prefix, after, limit)
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let left = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        left.map_err(|_| StoreError::Failed("cut off".to_owned()))?;
        self.store.commit(batch)
    }

    fn export(&self, each: &mut Each<'_>) -> Result<Tally, StoreError> {
        self.store.export(each)
    }
}

/// What a node serves, asked of itself.
struct Of<'a>(&'a Node);

impl LogReader for Of<'_> {
    fn read(&self, path: &str, limit_bytes: usize) -> Result<Vec<u8>, Unread> {
        let found = self.0.log_file(&format!("/{path}")).unwrap();
        let found = found.filter(|bytes| bytes.len() <= limit_bytes);
        found.ok_or_else(|| Unread {
            path: path.to_owned(),
            what: "there is none".to_owned(),
        })
    }
}

fn state(node: &Node, event: &Event, held: &HeldReceipt, now: u32) -> State {
    let by = (&trust(), true);
    let judged = judge(
        held,
        &event.to_bytes(),
        by,
        &Of(node),
        minute(now),
        &mut |_| (),
    );
    judged.unwrap().state
}

fn open(store: Arc<dyn Store>, now: u32) -> Option<(Arc<Node>, Arc<SimulatedClock>)> {
    let clock = Arc::new(SimulatedClock::start(minute(now), 0));
    let node = Node::open(parts(&Wish::default(), 33, store, Arc::clone(&clock)));
    node.ok().map(|node| (node, clock))
}

fn take(node: &Node, event: &Event) -> Option<(EventAnswer, Option<HeldReceipt>)> {
    let offered = OfferedEvent {
        event: event.to_bytes(),
        signature: source_key(event.source)
            .sign(&event.signing_bytes())
            .to_bytes(),
        home: None,
    };
    let taken = node.take_in_events(event.source, &[offered]).ok()?;
    let taken = taken.into_iter().next()?;
    Some((taken.answer, taken.receipt))
}

/// Everything that a node does, one after the other, until it is cut off; gives the receipts that were handed out.
fn live(store: Arc<dyn Store>) -> Vec<(Event, HeldReceipt)> {
    let mut given = Vec::new();
    let Some((node, clock)) = open(store, START) else {
        return given;
    };
    for round in 0..4_u16 {
        for number in 0..2 {
            let event = negative(10 * round + number, START - 60);
            if let Some((EventAnswer::Accepted, Some(held))) = take(&node, &event) {
                given.push((event, held));
            }
        }
        // Past the promise, in the second round.
        let minutes = if round == 1 { 90 } else { 20 };
        let now = node.clock().now().get() + minutes;
        assert!(clock.advance_to(minute(now)));
        if round % 2 == 0 && node.log_commitments().is_err() {
            return given;
        }
        if node.close_epoch(Epoch::new(now), minute(now)).is_err() {
            return given;
        }
    }
    given
}

#[test]
fn wherever_a_node_is_cut_off_every_receipt_that_it_gave_is_honoured_when_it_is_back() {
    let mut given_in_all = 0;
    for commits in 0.. {
        let store = Arc::new(MemoryStore::default());
        drop(vault(Arc::clone(&store)));
        let cut = Cut {
            store: Arc::clone(&store),
            left: AtomicUsize::new(commits),
        };
        let cut = Arc::new(cut);
        let given = live(Arc::clone(&cut) as _);
        let was_cut = cut.left.load(Ordering::SeqCst) == 0;
        // Back after three days: the first that the log tells is not the time.
        let later = START + 3 * 1_440;
        let (node, _) = open(Arc::clone(&store) as _, later).unwrap();
        for (event, held) in &given {
            let now = state(&node, event, held, later);
            assert!(!matches!(now, State::Broken { .. }), "{commits}: {now:?}");
            let again = take(&node, event).unwrap();
            assert_eq!(again, (EventAnswer::Duplicate, Some(held.clone())));
        }
        node.close_epoch(Epoch::new(later), minute(later)).unwrap();
        node.log_commitments().unwrap();
        for (event, held) in &given {
            let now = state(&node, event, held, later);
            assert!(matches!(now, State::InLog { .. }), "{commits}: {now:?}");
        }
        assert_eq!(node.commitments_waiting().unwrap(), 0);
        drop(node);
        check(store, commits);
        given_in_all += given.len();
        if !was_cut {
            assert_eq!(given.len(), 8, "a life that is not cut off");
            assert!(commits > 20 && given_in_all > 40);
            return;
        }
    }
}

/// The node's store, which becomes its own first.
fn vault(store: Arc<MemoryStore>) -> Vault {
    let identity = node::store::StoreIdentity {
        federation: "test".to_owned(),
        province: crate::world::province(33),
    };
    let entropy = Arc::new(node::Entropy::from_seed([9; 32]));
    Vault::open(store, &identity, node_key(33), entropy).unwrap()
}

fn check(store: Arc<MemoryStore>, commits: usize) {
    let vault = vault(store);
    let against = Fsck {
        slot: commitment::Slot::new(0).unwrap(),
        roster: trust().roster,
    };
    let checked = fsck(&vault, &against, &mut |_| ()).unwrap();
    assert_eq!(checked.findings, [], "{commits}");
}

#[test]
fn more_than_a_batch_holds_becomes_more_batches_and_a_promise_is_kept_before_the_time_is_told() {
    let mut wish = parts(
        &Wish::default(),
        33,
        Arc::new(MemoryStore::default()),
        Arc::new(SimulatedClock::start(minute(START), 0)),
    );
    wish.settings.receipts.commitments_per_batch = 256;
    wish.settings.limits.events_per_resident = 1_000;
    let clock = Arc::clone(&wish.clock);
    let node = Node::open(wish).unwrap();
    let mut given = Vec::new();
    for number in 0..300_u16 {
        let event = negative(number % 40, START - 60 - u32::from(number));
        let (answer, held) = take(&node, &event).unwrap();
        assert_eq!(answer, EventAnswer::Accepted);
        given.push((event, held.unwrap()));
    }
    let before = node.log_entries();
    clock.advance_to(minute(START + 61));
    // No batch was made by the clock: the head is what makes them.
    node.close_epoch(Epoch::new(1), minute(START + 61)).unwrap();
    assert_eq!(node.log_entries(), before + 3);
    for (event, held) in &given {
        let now = state(&node, event, held, START + 61);
        assert!(matches!(now, State::InLog { .. }), "{now:?}");
    }
}

/// A node of another province at `now`.
fn other(home: u8, now: u32) -> Arc<Node> {
    let clock = Arc::new(SimulatedClock::start(minute(now), 0));
    let store = Arc::new(MemoryStore::default());
    Node::open(parts(&Wish::default(), home, store, clock)).unwrap()
}

#[test]
fn a_clock_behind_what_the_federation_signed_breaks_no_promise_and_makes_none_for_a_time_already_told()
 {
    let (node, _) = open(Arc::new(MemoryStore::default()), START).unwrap();
    let before = negative(1, START - 60);
    let (_, held_before) = take(&node, &before).unwrap();
    let held_before = held_before.unwrap();
    // Two others make a registry, five hours ahead of this node's clock.
    let (epoch, as_of) = (Epoch::new(1), minute(START + 300));
    let others = [35, 42].map(|home| other(home, as_of.get()));
    let heads: Vec<_> = others
        .iter()
        .map(|node| node.close_epoch(epoch, as_of).unwrap().head)
        .collect();
    let statement = others[0].propose(epoch, &heads).unwrap();
    let signed = others
        .iter()
        .map(|node| node.cosign(&statement, &heads).unwrap());
    let cosigned = ledger::CosignedStatement::new(statement.clone(), signed.collect());
    node.take_registry(&wire::PublishedRegistry { cosigned, heads })
        .unwrap();
    let now = state(&node, &before, &held_before, START + 300);
    assert!(matches!(now, State::InLog { .. }), "{now:?}");
    let after = negative(2, START - 60);
    let (_, held_after) = take(&node, &after).unwrap();
    let held_after = held_after.unwrap();
    assert_eq!(held_after.signed.receipt.accepted, as_of);
    let now = state(&node, &after, &held_after, START + 301);
    assert_eq!(now, State::Pending);
}
