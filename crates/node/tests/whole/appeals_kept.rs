//! What a node keeps of appeals: over a crash, past the horizon, from before there were offices, and what `fsck` finds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ledger::log::{AppealCounts, Entry, Rounded};
use node::store::{Batch, Change, MemoryStore, Store as _, StoreIdentity, Table, Vault};
use node::{CaseState, Clock as _, EventAnswer, Fsck, Node, SimulatedClock, fsck};
use p256::ecdsa::SigningKey;
use rules::appeal::Outcome;
use rules::{Event, EventBody, EventId, SourceKind, TestResult};
use wire::resident::v1 as r;
use wire::{AppealId, DecisionRequest, DeviceKey, Nonce, Reason, ShownAppeal, sign_call};

use crate::appeals::{case, decided, office, ruling};
use crate::clients::{event, fresh};
use crate::counts::log_of;
use crate::receipts::trust;
use crate::receipts_cut::Cut;
use crate::retention::DAY;
use crate::sample::offered;
use crate::world::{START, Wish, minute, name, node_key, parts, person, province, source};

/// How many appeals are known to offices, and how many decisions are kept.
pub(crate) fn appeal_rows(store: &MemoryStore) -> [usize; 2] {
    [Table::Appeals, Table::AppealDecisions]
        .map(|table| store.scan(table, b"", None, usize::MAX).unwrap().len())
}

/// One node without doors, over a store that can be cut off.
struct Home {
    store: Arc<Cut>,
    clock: Arc<SimulatedClock>,
    node: Arc<Node>,
}

impl Home {
    fn new() -> Self {
        let store = Arc::new(Cut {
            store: Arc::new(MemoryStore::default()),
            left: AtomicUsize::new(usize::MAX),
        });
        let clock = Arc::new(SimulatedClock::start(minute(START), 0));
        let node = open(&store, &clock);
        Self { store, clock, node }
    }

    /// The same house with a new process.
    fn reopen(&mut self) {
        self.store.left.store(usize::MAX, Ordering::SeqCst);
        self.node = open(&self.store, &self.clock);
    }

    fn clock_to(&self, at: u32) {
        assert!(self.clock.advance_to(minute(at)));
    }

    fn take(&self, event: &Event) {
        let answers = self.node.take_events(event.source, &[offered(event)]);
        assert_eq!(answers.unwrap(), [EventAnswer::Accepted]);
    }

    /// Somebody's phone, registered.
    fn phone(&self, number: u16) -> SigningKey {
        let key = SigningKey::from_slice(&[u8::try_from(number).unwrap() + 1; 32]).unwrap();
        let body = r::Register {
            device_key: DeviceKey::of(&key).to_bytes().to_vec(),
            identity_number: String::from_utf8(person(33, number).expose().to_vec()).unwrap(),
            name: name(number),
            real_name_evidence: Vec::new(),
            forget_other_devices: false,
        };
        let now = self.clock.now();
        let call = sign_call(&body, &key, province(33), now, Nonce(fresh()));
        self.node.register(&call).unwrap();
        key
    }

    fn contest(&self, key: &SigningKey, case_id: [u8; 16], event: EventId) -> CaseState {
        let body = r::Correct {
            case_id: case_id.to_vec(),
            event_id: event.0.to_vec(),
            statement: "not me".to_owned(),
        };
        let now = self.clock.now();
        let call: r::CorrectRequest = sign_call(&body, key, province(33), now, Nonce(fresh()));
        self.node.correct(&call).unwrap().state
    }

    /// What waits, and of each what it is about.
    fn waiting(&self) -> Vec<(AppealId, ShownAppeal)> {
        let listed = self.node.list_appeals(office(33), None).unwrap();
        let listed = listed.appeals.into_iter();
        listed
            .map(|waiting| {
                let shown = self.node.read_appeal(office(33), waiting.appeal);
                (waiting.appeal, shown.unwrap())
            })
            .collect()
    }

    fn decide(&self, asked: &DecisionRequest) -> Option<EventAnswer> {
        let decided = self.node.decide_appeal(office(33), asked).unwrap();
        assert!(decided.receipt.is_some());
        decided.ruling.map(|taken| taken.answer)
    }

    fn rows(&self) -> [usize; 2] {
        appeal_rows(&self.store.store)
    }

    /// Changes the store behind the node's back.
    fn meddle(&self, changes: Vec<(Table, Vec<u8>)>) {
        let mut batch = Batch::default();
        for (table, key) in changes {
            batch.push(table, key, Change::Delete);
        }
        self.store.commit(batch).unwrap();
    }

    fn keys(&self, table: Table) -> Vec<(Table, Vec<u8>)> {
        let rows = self.store.scan(table, b"", None, usize::MAX).unwrap();
        rows.into_iter().map(|(key, _)| (table, key)).collect()
    }

    /// What `fsck` finds.
    fn findings(&self) -> Vec<String> {
        let identity = StoreIdentity {
            federation: "test".to_owned(),
            province: province(33),
        };
        let entropy = Arc::new(node::Entropy::from_seed([9; 32]));
        let store = Arc::clone(&self.store) as _;
        let vault = Vault::open(store, &identity, node_key(33), entropy).unwrap();
        let against = Fsck {
            slot: commitment::Slot::new(0).unwrap(),
            roster: trust().roster,
        };
        let checked = fsck(&vault, &against, &mut |_| ()).unwrap();
        checked.findings.into_iter().map(|f| f.what).collect()
    }
}

fn open(store: &Arc<Cut>, clock: &Arc<SimulatedClock>) -> Arc<Node> {
    let store = Arc::clone(store) as _;
    Node::open(parts(&Wish::default(), 33, store, Arc::clone(clock))).unwrap()
}

fn negative(number: u16, at: u32) -> Event {
    let body = EventBody::Test {
        sampled_at: minute(at),
        result: TestResult::Negative,
    };
    let lab = source(33, SourceKind::Laboratory);
    event(person(33, number), lab, minute(at), body)
}

#[test]
fn a_ruling_and_its_decision_are_kept_together_or_not_at_all_wherever_the_node_is_cut_off() {
    let mut home = Home::new();
    let phone = home.phone(1);
    let red = case(1, START - 60);
    home.take(&red);
    let id = fresh();
    home.contest(&phone, id, red.id);
    let (appeal, shown) = home.waiting().remove(0);
    let asked = decided(appeal, &shown, Outcome::Upheld, START);
    let events = || home_events(&home);

    home.store.left.store(0, Ordering::SeqCst);
    let failed = home.node.decide_appeal(office(33), &asked).unwrap_err();
    assert_eq!(failed.reason(), Reason::StorageFailed);
    assert_eq!((events(), home.rows()), (1, [1, 0]));
    home.reopen();
    assert_eq!(home.waiting().len(), 1);
    assert_eq!(home.findings(), [""; 0]);

    // One commit is enough for both.
    home.store.left.store(1, Ordering::SeqCst);
    assert_eq!(home.decide(&asked), Some(EventAnswer::Accepted));
    let first = home.node.decide_appeal(office(33), &asked);
    // The answer may have been lost with the process.
    home.reopen();
    assert_eq!((home_events(&home), home.rows()), (2, [1, 1]));
    assert_eq!(home.decide(&asked), Some(EventAnswer::Duplicate));
    assert_eq!(home.node.decide_appeal(office(33), &asked), first);
    assert_eq!(home.contest(&phone, id, red.id), CaseState::Upheld);
    assert_eq!(home.waiting(), []);
    assert_eq!(home.findings(), [""; 0]);
}

fn home_events(home: &Home) -> usize {
    home.keys(Table::Events).len()
}

#[test]
fn what_waits_outlives_the_horizon_with_its_event_and_what_was_decided_goes_with_time() {
    let home = Home::new();
    let phones: Vec<SigningKey> = (0..3).map(|number| home.phone(number)).collect();
    let stays = [0, 1].map(|number| case(number, START - 60));
    let spent = negative(2, START - 60);
    let all = [stays[0], stays[1], spent];
    for (phone, contested) in phones.iter().zip(&all) {
        home.take(contested);
        home.contest(phone, fresh(), contested.id);
    }
    let waiting = home.waiting();
    let of = |event: &Event| waiting.iter().find(|(_, shown)| shown.event == *event);
    let (appeal, shown) = of(&stays[1]).unwrap();
    home.clock_to(START + 10 * DAY);
    let at = START + 10 * DAY;
    home.decide(&decided(*appeal, shown, Outcome::Dismissed, at));
    assert_eq!(home.rows(), [3, 1]);

    // The negative is past the horizon and spent; a case that nobody has closed is not, and its appeal still waits.
    home.clock_to(START + 61 * DAY);
    home.node.retain().unwrap();
    assert_eq!(home.rows(), [2, 1]);
    let left = home.waiting();
    assert_eq!(left.len(), 1);
    assert!(left[0].1.event == stays[0]);
    assert_eq!(home.findings(), [""; 0]);
    // A decision is told for as long as the horizon says.
    home.clock_to(START + 71 * DAY);
    home.node.retain().unwrap();
    assert_eq!(home.rows(), [1, 0]);
    let again = decided(*appeal, shown, Outcome::Dismissed, at);
    let gone = home.node.decide_appeal(office(33), &again).unwrap_err();
    assert_eq!(gone.reason(), Reason::NotFound);
    assert_eq!(home.waiting().len(), 1);
    assert_eq!(home.findings(), [""; 0]);
}

#[test]
fn what_was_contested_before_there_were_offices_waits_for_them_and_nothing_else_does() {
    let mut home = Home::new();
    let events = [0, 1].map(|number| case(number, START - 60));
    for (number, contested) in (0..).zip(&events) {
        let phone = home.phone(number);
        home.take(contested);
        home.contest(&phone, fresh(), contested.id);
    }
    home.take(&ruling(&events[1], office(33), START));
    let before = home.waiting();
    assert_eq!(before.len(), 1);
    let mut gone = home.keys(Table::Appeals);
    gone.push((Table::Jobs, b"appeals-queued".to_vec()));
    home.meddle(gone);
    assert_eq!(
        home.findings(),
        [""; 0],
        "an older store is none that is wrong"
    );
    home.reopen();
    assert_eq!(home.waiting(), before);
    assert_eq!(home.rows(), [1, 0]);
    home.reopen();
    assert_eq!(home.rows(), [1, 0]);
}

#[test]
fn an_appeal_that_points_nowhere_and_a_contestation_without_one_are_found() {
    let home = || {
        let home = Home::new();
        for number in 0..2 {
            let phone = home.phone(number);
            let contested = case(number, START - 60);
            home.take(&contested);
            home.contest(&phone, fresh(), contested.id);
        }
        let (appeal, shown) = home.waiting().remove(0);
        home.decide(&decided(appeal, &shown, Outcome::Dismissed, START));
        assert_eq!(home.rows(), [2, 1]);
        assert_eq!(home.findings(), [""; 0]);
        home
    };
    let without = |table| {
        let home = home();
        home.meddle(home.keys(table));
        home.findings()
    };
    let told = "a contestation that no office is told of";
    assert_eq!(without(Table::Appeals), [told]);
    assert_eq!(without(Table::AppealDecisions), [told]);
    let mut found = without(Table::Cases);
    found.sort();
    let nowhere = "an appeal that points nowhere";
    let about = "a decision about what nobody contests";
    assert_eq!(found, [about, nowhere, nowhere]);
}

#[test]
fn what_came_of_a_days_appeals_is_published_once_as_it_was_at_its_end() {
    const HOUR: u32 = 60;
    let home = Home::new();
    home.node
        .close_epoch(commitment::Epoch::new(1), minute(START))
        .unwrap();
    let contest = |numbers: std::ops::Range<u16>| -> Vec<Event> {
        let contest = |number| {
            let (key, event) = (home.phone(number), case(number, START - 60));
            home.take(&event);
            let case_id = [u8::try_from(number).unwrap(); 16];
            assert_eq!(home.contest(&key, case_id, event.id), CaseState::Open);
            event
        };
        numbers.map(contest).collect()
    };
    let decide = |events: &[Event], outcome, at| {
        for (appeal, shown) in home.waiting() {
            if events.contains(&shown.event) {
                home.decide(&decided(appeal, &shown, outcome, at));
            }
        }
    };
    let events = contest(0..35);
    home.clock_to(START + 30);
    decide(&events[..12], Outcome::Upheld, START + 30);
    for event in &events[12..15] {
        home.take(&ruling(event, office(33), START + 30));
    }
    home.clock_to(START + 9 * HOUR);
    decide(&events[15..25], Outcome::Dismissed, START + 9 * HOUR);
    home.clock_to(START + 15 * HOUR);
    contest(35..40);
    // After the day's end one more is decided: at its end that had waited beyond its deadline.
    home.clock_to(START + 17 * HOUR);
    decide(&events[25..26], Outcome::Upheld, START + 17 * HOUR);
    home.clock_to(START + 19 * HOUR);
    home.node.count_due().unwrap();
    let (day, few) = (minute(START).day(), Rounded::FEW);
    let told = Entry::Appeals(AppealCounts {
        day: day.get(),
        came: Rounded::of(40),
        upheld: [Rounded::of(15), few, few, few, few, few],
        dismissed: [few, few, few, few, Rounded::of(10), few],
        waiting: few,
        overdue: Rounded::of(10),
    });
    let published = home.node.counts_of(day).unwrap();
    assert!(published.contains(&told), "{published:?}");
    let in_log = || {
        let log = log_of(&home.store.store);
        log.iter().filter(|entry| **entry == told).count()
    };
    assert_eq!(in_log(), 1);
    home.node.count_due().unwrap();
    assert_eq!(in_log(), 1, "once");
    assert_eq!(home.findings(), [""; 0]);
}
