//! What leaves the store, and who.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use commitment::Epoch;
use ed25519_dalek::Signer as _;
use ledger::log::{Entry, RetentionCounts, Rounded};
use node::store::{MemoryStore, Store as _, Table};
use node::{
    CivilRegister, EventAnswer, Node, OfferedEvent, RegisterUnavailable, SimulatedClock,
    retain_every_day,
};
use rules::{CaseKind, Event, EventBody, IdentityNumber, SourceKind, TestResult};

use crate::clients::event;
use crate::world::{START, Wish, minute, parts, person, source, source_key};

pub(crate) const DAY: u32 = 1_440;

/// Knows everybody but those who have moved away.
#[derive(Clone, Default)]
pub(crate) struct Moving(Arc<Mutex<BTreeSet<IdentityNumber>>>, Arc<AtomicBool>);

impl Moving {
    /// Somebody has moved away.
    pub(crate) fn lose(&self, person: IdentityNumber) {
        self.0.lock().unwrap().insert(person);
    }
}

impl CivilRegister for Moving {
    fn lives_here(&self, person: &IdentityNumber) -> Result<bool, RegisterUnavailable> {
        if self.1.load(Ordering::SeqCst) {
            return Err(RegisterUnavailable);
        }
        Ok(!self.0.lock().unwrap().contains(person))
    }

    fn confirms(&self, _: &IdentityNumber, _: &str, _: &[u8]) -> Result<bool, RegisterUnavailable> {
        Ok(true)
    }
}

struct Home {
    store: Arc<MemoryStore>,
    clock: Arc<SimulatedClock>,
    register: Moving,
    node: Arc<Node>,
}

fn home() -> Home {
    let store = Arc::new(MemoryStore::default());
    let clock = Arc::new(SimulatedClock::start(minute(START), 0));
    let register = Moving::default();
    let mut parts = parts(
        &Wish::default(),
        33,
        Arc::clone(&store) as _,
        Arc::clone(&clock),
    );
    parts.register = Box::new(register.clone());
    let node = Node::open(parts).unwrap();
    Home {
        store,
        clock,
        register,
        node,
    }
}

impl Home {
    fn take(&self, kind: SourceKind, event: &Event) {
        let source = source(33, kind);
        let offered = OfferedEvent {
            event: event.to_bytes(),
            signature: source_key(source).sign(&event.signing_bytes()).to_bytes(),
            home: None,
        };
        let answers = self.node.take_events(source, &[offered]).unwrap();
        assert_eq!(answers, [EventAnswer::Accepted]);
    }

    fn negative(&self, number: u16, at: u32) {
        let body = EventBody::Test {
            sampled_at: minute(at),
            result: TestResult::Negative,
        };
        let lab = source(33, SourceKind::Laboratory);
        self.take(
            SourceKind::Laboratory,
            &event(person(33, number), lab, minute(at), body),
        );
    }

    fn confirmed(&self, number: u16, at: u32) {
        let body = EventBody::Case {
            kind: CaseKind::Confirmed,
            at: minute(at),
            province: crate::world::province(33),
        };
        let cdc = source(33, SourceKind::Cdc);
        self.take(
            SourceKind::Cdc,
            &event(person(33, number), cdc, minute(at), body),
        );
    }

    fn rows(&self, table: Table) -> usize {
        self.store.scan(table, b"", None, usize::MAX).unwrap().len()
    }
}

#[test]
fn old_events_leave_unless_something_is_open_and_newer_ones_stay() {
    let home = home();
    home.negative(1, START - 60);
    home.confirmed(2, START - 60);
    home.negative(2, START - 50);
    home.negative(3, START - 40);
    home.clock_to(START + 40 * DAY);
    home.negative(3, START + 40 * DAY - 60);
    let kept = home.node.retain().unwrap();
    assert_eq!(
        (kept.residents, kept.events),
        (3, 0),
        "none is past the horizon"
    );
    home.clock_to(START + 61 * DAY);
    let first = home.node.retain().unwrap();
    // The first one's test and the third one's old one; the second is a case that nobody has closed.
    assert_eq!((first.events, first.erased), (2, 0));
    assert_eq!(home.rows(Table::Events), 3);
    let again = home.node.retain().unwrap();
    assert_eq!((again.events, again.answers, again.erased), (0, 0, 0));
    // Who has no events any more is still a resident, and new events come.
    home.negative(1, START + 61 * DAY - 60);
    assert_eq!(home.rows(Table::Residents), 3);
}

impl Home {
    fn clock_to(&self, at: u32) {
        use node::Clock as _;
        assert!(self.clock.advance_to(minute(at)));
    }
}

#[test]
fn who_has_moved_away_is_erased_and_the_signed_trees_stand() {
    let home = home();
    for number in 1..=3 {
        home.negative(number, START - 60);
    }
    home.node.close_epoch(Epoch::new(1), minute(START)).unwrap();
    home.register.lose(person(33, 1));
    let early = home.node.retain().unwrap();
    assert_eq!(
        early.erased, 0,
        "events within the horizon stay, wherever the person lives"
    );
    home.clock_to(START + 61 * DAY);
    let late = home.node.retain().unwrap();
    assert_eq!((late.events, late.erased), (3, 1));
    assert_eq!(home.node.residents(), 2);
    // Two residents and the node have data keys; the place is kept empty, and so is the leaf in the tree.
    assert_eq!((home.rows(Table::Keys), home.rows(Table::Places)), (3, 3));
    assert_eq!(
        (home.rows(Table::Committed), home.rows(Table::Leaves)),
        (2, 3)
    );
    let head = home.node.tree_head(Epoch::new(1)).unwrap();
    drop(home.node);
    // A node that starts anew recomputes the signed tree, and gives nobody the place.
    let mut parts = parts(
        &Wish::default(),
        33,
        Arc::clone(&home.store) as _,
        home.clock,
    );
    parts.register = Box::new(home.register.clone());
    let node = Node::open(parts).unwrap();
    assert_eq!(node.tree_head(Epoch::new(1)).unwrap(), head);
    home.register.0.lock().unwrap().clear();
    let body = EventBody::Test {
        sampled_at: minute(START + 61 * DAY - 9),
        result: TestResult::Negative,
    };
    let lab = source(33, SourceKind::Laboratory);
    let back = event(person(33, 1), lab, minute(START + 61 * DAY - 9), body);
    let offered = OfferedEvent {
        event: back.to_bytes(),
        signature: source_key(lab).sign(&back.signing_bytes()).to_bytes(),
        home: None,
    };
    assert_eq!(
        node.take_events(lab, &[offered]).unwrap(),
        [EventAnswer::Accepted]
    );
    let places = home.store.scan(Table::Places, b"", None, 9).unwrap();
    assert_eq!(places.len(), 4);
}

#[test]
fn what_left_on_a_day_is_published_and_a_day_without_the_job_is_seen_by_its_absence() {
    let home = home();
    let noted = home.rows(Table::Jobs);
    home.node.close_epoch(Epoch::new(1), minute(START)).unwrap();
    for number in 0..26 {
        home.negative(number, START - 60);
    }
    let is_told = |day: u32| {
        home.clock_to(START + (day + 1) * DAY);
        home.node.count_due().unwrap();
        let day = minute(START + day * DAY).day();
        let entries = home.node.counts_of(day).unwrap();
        assert!(entries.iter().any(|e| matches!(e, Entry::Appeals(_))));
        entries.into_iter().find_map(|entry| match entry {
            Entry::Retention(counts) => Some(counts),
            _ => None,
        })
    };
    home.clock_to(START + 61 * DAY);
    // The job gets no further than the first resident's events: what left is not lost, and that it did not end is seen.
    home.register.1.store(true, Ordering::SeqCst);
    assert!(home.node.retain().is_err());
    assert_eq!(home.rows(Table::Events), 25);
    home.register.1.store(false, Ordering::SeqCst);
    (0..10).for_each(|number| home.register.lose(person(33, number)));
    home.node.retain().unwrap();
    let counts = is_told(61).unwrap();
    assert_eq!(
        counts,
        RetentionCounts {
            day: minute(START + 61 * DAY).day().get(),
            horizon_days: 60,
            events: Rounded::of(26),
            erased: Rounded::of(10),
        }
    );
    assert_eq!(counts.first_day(), minute(START + DAY).day().get());
    home.register.1.store(true, Ordering::SeqCst);
    assert!(home.node.retain().is_err());
    assert_eq!(is_told(62), None);
    assert_eq!(is_told(63), None);
    home.register.1.store(false, Ordering::SeqCst);
    home.node.retain().unwrap();
    assert_eq!(is_told(64).map(|counts| counts.events), Some(Rounded::FEW));
    // What was noted of days is gone once they are published.
    assert_eq!(home.rows(Table::Jobs), noted);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_run_of_the_daily_job_is_told_and_known_again_after_a_restart() {
    let home = home();
    home.negative(1, START - 60);
    assert_eq!(home.node.retained_last(), None);
    let job = tokio::spawn(retain_every_day(Arc::clone(&home.node)));
    let looked = async {
        while home.node.retained_last().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looked)
        .await
        .expect("a run of the job");
    job.abort();
    let told = home.node.retained_last();
    let (at, run) = told.unwrap();
    assert_eq!((at, run.residents, run.events), (minute(START), 1, 0));
    let Home { store, clock, .. } = home;
    let again = Node::open(parts(&Wish::default(), 33, store as _, clock)).unwrap();
    assert_eq!(again.retained_last(), told);
}
