//! Numbers that are published: what they are, that they are made once, and who sees that one is missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use commitment::Epoch;
use ed25519_dalek::Signer as _;
use ledger::log::{ColourCode, Entry, ImpactCount, Rounded, SourceCounts};
use node::observe::{Check, Readiness, State};
use node::store::{Batch, Change, MemoryStore, Store as _, Table};
use node::{EventAnswer, Node, OfferedEvent, RuleBook, SimulatedClock};
use rules::{
    CaseKind, Colour, ContactDegree, Context, Day, Event, EventBody, ExposureList, RiskMap,
    RuleSet, SourceKind, TestResult, evaluate, fold,
};
use verifier::trust::{RootSignature, RuleSetEntry, Sequence, SignedRoot};

use crate::clients::event;
use crate::provers::Checking;
use crate::world::{
    START, Wish, World, minute, parts, person, province, root_document, root_key, source,
    source_key,
};

const HZ: &str = include_str!("../../../rules/rule_sets/hz-2020-02.toml");
/// People in the register of a province.
const PEOPLE: u16 = 40;
const HOUR: u32 = 60;
/// 30 August 2022, 03:00 in UTC+8: the day before is over, and its hour has come.
const NEXT_NIGHT: u32 = START + 19 * HOUR;

/// Zhejiang's set with other colours and days: contacts of contacts are red, contacts yellow, suspicions nothing.
fn stricter(from: &str, is_emergency: bool) -> RuleSet {
    let mut text = HZ.to_owned();
    let secondary = "on = [{ fact = [\"secondary-contact\"], ended = false }]\nfirst = \"yellow\"";
    let close = "on = [{ fact = [\"close-contact\"], ended = false }]\nfirst = \"red\"";
    let suspected = "on = [{ fact = [\"suspected-case\"], ended = false }]\nfirst = \"red\"";
    for (was, becomes) in [
        ("id = \"hz-2020-02\"", "id = \"hz-2022-09\"".to_owned()),
        ("\"2020-02-11\"", "\"2022-08-28\"".to_owned()),
        (
            "valid_from = \"2020-02-11\"",
            format!("valid_from = \"{from}\""),
        ),
        ("emergency = true", format!("emergency = {is_emergency}")),
        (secondary, secondary.replace("yellow", "red")),
        (close, close.replace("red", "yellow")),
        (suspected, suspected.replace("red", "yellow")),
    ] {
        assert!(text.contains(was), "{was}");
        text = text.replacen(was, &becomes, 1);
    }
    RuleSet::from_toml(&text).unwrap()
}

/// A root document that names these sets, too, and the node's rule book under it.
fn agreed(sequence: u32, more: &[RuleSet]) -> (SignedRoot, RuleBook) {
    let mut document = root_document(Checking::entry()).document().clone();
    document.sequence = Sequence::new(sequence.into());
    document.rule_sets.extend(more.iter().map(RuleSetEntry::of));
    document.rule_sets.sort_by_key(|entry| entry.short_id);
    let message = document.signing_bytes().unwrap();
    let signature = RootSignature {
        key: root_key().verifying_key(),
        signature: root_key().sign(&message).to_bytes(),
    };
    let built_in = RuleSet::BUILT_IN.map(|id| RuleSet::built_in(id).unwrap());
    let at_hand = [built_in.to_vec(), more.to_vec()].concat();
    let (home, nation) = ("hz-2020-02".to_owned(), Some("hz-2020-02".to_owned()));
    let rules = RuleBook::new(at_hand, &document, home, nation).unwrap();
    (SignedRoot::new(document, vec![signature]), rules)
}

/// A node of province 33 over a store, under such a root document; a later one has a higher number.
fn open(store: &Arc<MemoryStore>, now: u32, more: &[RuleSet]) -> Arc<Node> {
    let clock = Arc::new(SimulatedClock::start(minute(now), 0).movable(true));
    let mut parts = parts(&Wish::default(), 33, Arc::clone(store) as _, clock);
    (parts.root, parts.rules) = agreed(1 + now.saturating_sub(START), more);
    Node::open(parts).unwrap()
}

fn take_all(node: &Node, events: &[Event]) {
    for event in events {
        take(node, event);
    }
}

fn take(node: &Node, event: &Event) {
    let offered = OfferedEvent {
        event: event.to_bytes(),
        signature: source_key(event.source)
            .sign(&event.signing_bytes())
            .to_bytes(),
        home: None,
    };
    let answers = node.take_events(event.source, &[offered]).unwrap();
    assert_eq!(answers, [EventAnswer::Accepted]);
}

fn state(number: u16, kind: SourceKind, body: EventBody, at: u32) -> Event {
    event(person(33, number), source(33, kind), minute(at), body)
}

fn contact(number: u16, degree: ContactDegree, at: u32) -> Event {
    let body = EventBody::Contact {
        degree,
        last_contact_at: minute(at),
        province: province(33),
    };
    state(number, SourceKind::Cdc, body, at)
}

fn case(number: u16, kind: CaseKind, at: u32) -> Event {
    let body = EventBody::Case {
        kind,
        at: minute(at),
        province: province(33),
    };
    state(number, SourceKind::Cdc, body, at)
}

fn listed(number: u16, list: ExposureList, at: u32) -> Event {
    let body = EventBody::Exposure {
        list,
        at: minute(at),
        province: province(33),
    };
    state(number, SourceKind::Cdc, body, at)
}

/// Events of all people: none, one or several of different kinds of each.
fn outbreak(seed: u64, at: u32) -> Vec<Event> {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % below
    };
    let mut events = Vec::new();
    for number in 0..PEOPLE {
        let back = u32::try_from(next(100)).unwrap();
        let at = at - back;
        // Each has a record, and the first make a cell that is told.
        let test = EventBody::Test {
            sampled_at: minute(at),
            result: TestResult::Negative,
        };
        events.push(state(number, SourceKind::Laboratory, test, at));
        if number < 16 {
            events.push(contact(number, ContactDegree::Secondary, at));
            continue;
        }
        for _ in 0..next(3) {
            events.push(match next(6) {
                0 => contact(number, ContactDegree::Close, at),
                1 => contact(number, ContactDegree::Secondary, at),
                2 => case(number, CaseKind::Confirmed, at),
                3 => case(number, CaseKind::Suspected, at),
                4 => listed(number, ExposureList::AssistList, at),
                _ => listed(number, ExposureList::PossibleLink, at),
            });
        }
    }
    events
}

/// Each person's colour, and the first rule that gives it: from the events alone, for every set that the node knows.
fn brute_force(events: &[Event], sets: &[&RuleSet], at: u32) -> Vec<Vec<(Colour, String)>> {
    let tables: Vec<_> = sets.iter().map(|set| set.table().clone()).collect();
    let map = RiskMap::empty();
    let context = Context {
        tables: &tables,
        map: &map,
    };
    (0..PEOPLE)
        .map(|number| {
            let own = events.iter().filter(|e| e.subject == person(33, number));
            let own: Vec<Event> = own.copied().collect();
            let record = fold(&own, &context, minute(at)).unwrap().record;
            let of = |set: &&RuleSet| {
                let found = evaluate(&record, set.table(), &map, minute(at)).unwrap();
                let mut rules: Vec<&str> = set.rules().iter().map(|r| r.id.as_str()).collect();
                rules.retain(|id| {
                    let by = |r: &rules::Reason| set.rule_of(r.key).map(|rule| rule.id.as_str());
                    let mut reasons = found.reasons.iter();
                    reasons.any(|r| r.colour == found.colour && by(r) == Some(id))
                });
                let first = rules.first().map_or("", |id| *id);
                (found.colour, first.to_owned())
            };
            sets.iter().map(of).collect()
        })
        .collect()
}

const fn code(colour: Colour) -> ColourCode {
    colour as ColourCode
}

/// What the log of a store tells, in its order.
pub(crate) fn log_of(store: &Arc<MemoryStore>) -> Vec<Entry> {
    let clock = Arc::new(SimulatedClock::start(minute(START), 0));
    let vault = parts(&Wish::default(), 33, Arc::clone(store) as _, clock).vault;
    let rows = vault.list::<Vec<u8>>(Table::LogEntries, b"").unwrap();
    let entries = rows.iter().map(|(_, bytes)| Entry::from_bytes(bytes));
    entries.collect::<Result<_, _>>().unwrap()
}

fn days_in(log: &[Entry]) -> Vec<u16> {
    let days = log.iter().filter_map(|entry| match entry {
        Entry::Colours(counts) => Some(counts.day),
        _ => None,
    });
    days.collect()
}

fn impacts_in(log: &[Entry]) -> Vec<ImpactCount> {
    let impacts = log.iter().filter_map(|entry| match entry {
        Entry::Impact(count) => Some(count.clone()),
        _ => None,
    });
    impacts.collect()
}

fn first_day() -> Day {
    minute(START).day()
}

fn counts_check(node: &Node) -> (State, String) {
    let readiness = Readiness::of(node);
    let found = readiness
        .findings()
        .iter()
        .find(|f| f.check == Check::Counts);
    found.map(|f| (f.state, f.detail.clone())).unwrap()
}

#[test]
fn a_day_is_counted_as_every_resident_is_told_and_once() {
    for seed in 1..6 {
        let store = Arc::new(MemoryStore::default());
        let node = open(&store, START, &[]);
        let events = outbreak(seed, START - 10);
        take_all(&node, &events);
        node.close_epoch(Epoch::new(1), minute(START)).unwrap();
        node.count_due().unwrap();
        assert!(node.counted_days().unwrap().is_empty(), "the day goes on");
        node.clock().advance_to(minute(NEXT_NIGHT - 2 * HOUR));
        node.count_due().unwrap();
        assert!(
            node.counted_days().unwrap().is_empty(),
            "its hour has not come"
        );
        // What comes after the day's end does not count for it.
        node.clock().advance_to(minute(NEXT_NIGHT));
        (0..PEOPLE).for_each(|n| take(&node, &case(n, CaseKind::Confirmed, NEXT_NIGHT - 300)));
        node.count_due().unwrap();
        assert_eq!(node.counted_days().unwrap(), [first_day()]);

        let set = RuleSet::built_in("hz-2020-02").unwrap();
        let other = RuleSet::built_in("fj-2022-08").unwrap();
        let mut expected: BTreeMap<(ColourCode, String), u64> = BTreeMap::new();
        let end_of_day = START + 16 * HOUR - 1;
        for standing in brute_force(&events, &[&set, &other], end_of_day) {
            let (colour, rule) = standing[0].clone();
            if colour != Colour::Green {
                *expected.entry((code(colour), rule)).or_default() += 1;
            }
        }
        let entries = node.counts_of(first_day()).unwrap();
        let Entry::Colours(counts) = &entries[0] else {
            panic!("{entries:?}")
        };
        assert_eq!(counts.residents, Rounded::of(PEOPLE.into()));
        assert_eq!(counts.set.text_sha256, set.digest_sha256());
        for cell in &counts.cells {
            let people = expected.remove(&(cell.colour, cell.rule.clone()));
            assert_eq!(cell.people, Rounded::of(people.unwrap_or(0)), "{cell:?}");
        }
        assert!(expected.is_empty(), "not told of: {expected:?}");
        assert!(counts.cells.iter().any(|cell| cell.people != Rounded::FEW));
        // Every rule that can colour has its cells, whether or not anybody stands in them.
        assert!(
            counts.cells.len() >= set.rules().len(),
            "{}",
            counts.cells.len()
        );

        node.count_due().unwrap();
        let log = log_of(&store);
        assert_eq!(days_in(&log), [first_day().get()]);
        assert!(entries.iter().all(|entry| log.contains(entry)));
    }
}

#[test]
fn what_a_source_states_at_its_discretion_is_counted_for_the_day_on_which_it_came() {
    let store = Arc::new(MemoryStore::default());
    let node = open(&store, START - 24 * HOUR, &[]);
    for number in 0..11 {
        take(
            &node,
            &listed(number, ExposureList::PotentialRisk, START - 25 * HOUR),
        );
    }
    node.close_epoch(Epoch::new(1), minute(START - 24 * HOUR))
        .unwrap();
    node.clock().advance_to(minute(START));
    for number in 0..27 {
        take(&node, &listed(number, ExposureList::AssistList, START - 60));
        take(&node, &contact(number, ContactDegree::Close, START - 60));
    }
    for number in 0..9 {
        let mut event = case(number, CaseKind::Suspected, START - 60);
        event.source = source(33, SourceKind::Hospital);
        take(&node, &event);
    }
    node.clock().advance_to(minute(NEXT_NIGHT));
    node.count_due().unwrap();
    let told: Vec<SourceCounts> = (node.counts_of(first_day()).unwrap().into_iter())
        .filter_map(|entry| match entry {
            Entry::Sources(counts) => Some(counts),
            _ => None,
        })
        .collect();
    assert_eq!(told.len(), 1);
    let [cell] = told[0].cells[..] else {
        panic!("{told:?}")
    };
    let cdc = source(33, SourceKind::Cdc);
    assert_eq!((cell.kind, cell.number), (cdc.kind.code(), cdc.number));
    assert_eq!(cell.fact, rules::FactKind::AssistList.code());
    assert_eq!(cell.events, Rounded::of(27));
}

#[test]
fn whom_a_rule_set_changes_is_counted_before_it_takes_effect_and_once() {
    for seed in 1..4 {
        let store = Arc::new(MemoryStore::default());
        let events = outbreak(seed, START - 10);
        let node = open(&store, START, &[]);
        take_all(&node, &events);
        node.count_due().unwrap();
        assert!(impacts_in(&log_of(&store)).is_empty(), "what it began with");
        drop(node);
        let new = stricter("2022-09-01", false);
        let node = open(&store, START + 10, std::slice::from_ref(&new));
        let (state, detail) = counts_check(&node);
        assert_eq!(state, State::Ok);
        assert!(detail.contains("hz-2022-09"), "{detail}");
        node.count_due().unwrap();
        let counts = node.impact_counts().unwrap();
        let [count] = &counts[..] else {
            panic!("{counts:?}")
        };
        let old = RuleSet::built_in("hz-2020-02").unwrap();
        assert_eq!(count.set.text_sha256, new.digest_sha256());
        let before = count.before.as_ref().unwrap();
        assert_eq!(before.text_sha256, old.digest_sha256());
        let other = RuleSet::built_in("fj-2022-08").unwrap();
        let mut expected: BTreeMap<(ColourCode, ColourCode, String), u64> = BTreeMap::new();
        for standing in brute_force(&events, &[&old, &new, &other], START + 10) {
            let ((from, was_by), (to, will_by)) = (standing[0].clone(), standing[1].clone());
            let by = if to > from { will_by } else { was_by };
            if from != to {
                *expected.entry((code(from), code(to), by)).or_default() += 1;
            }
        }
        assert!(expected.values().any(|people| *people >= 10));
        for cell in &count.cells {
            let people = expected.remove(&(cell.from, cell.to, cell.rule.clone()));
            assert_eq!(cell.people, Rounded::of(people.unwrap_or(0)), "{cell:?}");
        }
        assert!(expected.is_empty(), "not told of: {expected:?}");
        // Not again, whatever comes in; not after a restart, and not when it takes effect.
        let now = START + 4 * 24 * HOUR;
        (0..PEOPLE).for_each(|n| take(&node, &case(n, CaseKind::Suspected, START)));
        node.count_due().unwrap();
        drop(node);
        for at in [START + 20, now] {
            let node = open(&store, at, std::slice::from_ref(&new));
            node.count_due().unwrap();
            assert_eq!(node.impact_counts().unwrap(), counts);
        }
        assert_eq!(impacts_in(&log_of(&store)), counts);
    }
}

#[test]
fn a_rule_set_that_took_effect_uncounted_is_seen_and_counted_at_once() {
    let store = Arc::new(MemoryStore::default());
    let node = open(&store, START, &[]);
    take_all(&node, &outbreak(7, START - 10));
    drop(node);
    let sudden = stricter("2022-08-29", true);
    let node = open(&store, START + 10, std::slice::from_ref(&sudden));
    let (state, detail) = counts_check(&node);
    assert_eq!(state, State::Warning);
    assert!(detail.contains("hz-2022-09"), "{detail}");
    node.count_due().unwrap();
    assert_eq!(counts_check(&node).0, State::Ok);
    let counts = node.impact_counts().unwrap();
    assert!(counts[0].at >= sudden.validity().from);
    let before = counts[0].before.as_ref().unwrap();
    assert_eq!(before.name, "hz-2020-02");
    // The log tells that it was an emergency.
    let log = log_of(&store);
    let is_told =
        |e: &Entry| matches!(e, Entry::RuleSet(n) if n.name == "hz-2022-09" && n.is_emergency);
    assert!(log.iter().any(is_told));
}

#[test]
fn a_rule_set_that_is_announced_while_the_node_runs_is_counted_without_a_restart() {
    let store = Arc::new(MemoryStore::default());
    let node = open(&store, START, &[]);
    take_all(&node, &outbreak(4, START - 10));
    node.count_due().unwrap();
    assert!(node.impact_counts().unwrap().is_empty());
    let new = stricter("2022-09-01", false);
    let (root, rules) = agreed(2, std::slice::from_ref(&new));
    node.take_charter(root, rules).unwrap();
    assert!(counts_check(&node).1.contains("hz-2022-09"));
    node.count_due().unwrap();
    let counts = node.impact_counts().unwrap();
    assert_eq!(counts[0].set.text_sha256, new.digest_sha256());
    assert_eq!(impacts_in(&log_of(&store)), counts);
}

#[test]
fn a_rule_set_that_is_withdrawn_before_its_time_stands_so_in_the_log_and_may_come_again() {
    let store = Arc::new(MemoryStore::default());
    let new = stricter("2022-09-01", false);
    let told = |store: &Arc<MemoryStore>| {
        let of = |entry: &Entry| match entry {
            Entry::RuleSet(notice) if notice.name == "hz-2022-09" => Some('a'),
            Entry::RuleSetWithdrawn(notice) if notice.name == "hz-2022-09" => Some('w'),
            _ => None,
        };
        log_of(store).iter().filter_map(of).collect::<String>()
    };
    for (now, sets, expected) in [
        (START, std::slice::from_ref(&new), "a"),
        (START + 10, &[][..], "aw"),
        (START + 20, &[][..], "aw"),
        (START + 30, std::slice::from_ref(&new), "awa"),
        // In force and gone: it ended, and was not withdrawn.
        (START + 5 * 24 * HOUR, &[][..], "awa"),
    ] {
        drop(open(&store, now, sets));
        assert_eq!(told(&store), expected);
    }
    assert!(impacts_in(&log_of(&store)).is_empty());
}

#[test]
fn a_crash_before_and_after_the_commit_of_a_count_leaves_one() {
    let store = Arc::new(MemoryStore::default());
    let new = stricter("2022-09-01", false);
    let at_night = |store: &Arc<MemoryStore>| open(store, NEXT_NIGHT, std::slice::from_ref(&new));
    let node = open(&store, START, std::slice::from_ref(&new));
    take_all(&node, &outbreak(3, START - 10));
    node.close_epoch(Epoch::new(1), minute(START)).unwrap();
    drop(node);
    // It ends while it counts: nothing of it is there.
    let node = at_night(&store);
    node.begin_drain();
    assert!(node.count_due().is_err());
    drop(node);
    assert!(days_in(&log_of(&store)).is_empty() && impacts_in(&log_of(&store)).is_empty());
    // It ends after the commit and before the checkpoint: the checkpoint is the one of before.
    let row = |store: &Arc<MemoryStore>| {
        let rows = store.scan(Table::LogCheckpoint, b"", None, 9).unwrap();
        rows.into_iter().next().unwrap()
    };
    let node = at_night(&store);
    let (key, checkpoint) = row(&store);
    node.count_due().unwrap();
    let (told, day) = (
        node.impact_counts().unwrap(),
        node.counts_of(first_day()).unwrap(),
    );
    let entries = node.log_entries();
    drop(node);
    let mut back = Batch::default();
    back.push(Table::LogCheckpoint, key, Change::Put(checkpoint));
    store.commit(back).unwrap();
    let node = at_night(&store);
    assert_eq!(node.checkpoint().unwrap().size(), entries);
    (0..PEOPLE).for_each(|n| take(&node, &case(n, CaseKind::Suspected, START)));
    node.count_due().unwrap();
    assert_eq!(node.impact_counts().unwrap(), told);
    assert_eq!(node.counts_of(first_day()).unwrap(), day);
    assert_eq!(days_in(&log_of(&store)), [first_day().get()]);
    assert_eq!(impacts_in(&log_of(&store)), told);
}

#[test]
fn days_are_kept_as_long_as_is_said_and_a_day_that_is_missing_is_seen() {
    let store = Arc::new(MemoryStore::default());
    let clock = Arc::new(SimulatedClock::start(minute(START), 0).movable(true));
    let mut parts = parts(&Wish::default(), 33, Arc::clone(&store) as _, clock);
    parts.settings.counts.keep_days = 3;
    let node = Node::open(parts).unwrap();
    assert_eq!(counts_check(&node).0, State::Ok, "nothing is committed yet");
    node.close_epoch(Epoch::new(1), minute(START)).unwrap();
    for day in 1..6 {
        node.clock().advance_to(minute(START + day * 24 * HOUR));
        node.count_due().unwrap();
        assert_eq!(counts_check(&node).0, State::Ok);
    }
    let first = first_day().get();
    let kept: Vec<u16> = node
        .counted_days()
        .unwrap()
        .iter()
        .map(|d| d.get())
        .collect();
    assert_eq!(kept, [first + 2, first + 3, first + 4]);
    assert_eq!(days_in(&log_of(&store)).len(), 5);
    // Days on which nothing was counted are no more: they are gaps.
    node.clock().advance_to(minute(START + 7 * 24 * HOUR));
    let (state, detail) = counts_check(&node);
    assert!(
        state == State::Warning && detail.contains("newest day"),
        "{detail}"
    );
    node.count_due().unwrap();
    assert_eq!(counts_check(&node).0, State::Ok);
    let days = node.counted_days().unwrap();
    assert!(!days.iter().any(|day| day.get() == first + 5));
}

/// What a path of the log's listener gives.
async fn get(house: &crate::world::House, path: &str) -> (u16, serde_json::Value) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(house.log_at).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn anybody_reads_the_counts_by_plain_http_with_what_each_can_stand_for() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    take_all(&house.node, &outbreak(2, START - 10));
    world.close_epoch(1);
    assert_eq!(get(house, "/counts/v1/days/2022-08-29").await.0, 404);
    world.advance_to(NEXT_NIGHT);
    house.node.count_due().unwrap();
    let (status, days) = get(house, "/counts/v1/days").await;
    assert_eq!((status, &days["days"][0]), (200, &"2022-08-29".into()));
    let (status, day) = get(house, "/counts/v1/days/2022-08-29").await;
    assert_eq!(status, 200);
    let yellow = &day["colours"]["yellow"];
    let by_rule = yellow["by_rule"].as_array().unwrap();
    let secondary = by_rule.iter().find(|cell| cell["rule"] == "H5").unwrap();
    assert!(secondary["people"]["least"].as_u64() >= Some(5), "{day}");
    // A sum says nothing that its cells do not say.
    for bound in ["least", "most"] {
        let cells = by_rule
            .iter()
            .map(|cell| cell["people"][bound].as_u64().unwrap());
        assert_eq!(yellow["people"][bound].as_u64(), Some(cells.sum()));
    }
    assert!(day["colours"].get("green").is_none());
    assert_eq!(day["colours"]["residents"]["most"], 44);
    let appeals = &day["appeals"];
    assert_eq!(
        appeals["came"],
        serde_json::json!({ "least": 0, "most": 9 })
    );
    assert_eq!(appeals["upheld"]["appeals"]["most"], 6 * 9);
    assert_eq!(appeals["dismissed"]["by_wait"]["late-24h"]["most"], 9);
    assert!(day.get("retention").is_none(), "the job did not run");
    let (status, sets) = get(house, "/counts/v1/rule-sets").await;
    assert_eq!(status, 200);
    assert_eq!(
        sets,
        serde_json::json!({ "counted": [], "not_counted": [] })
    );
    for path in [
        "/counts/v1/days/2022-08-30",
        "/counts/v1/days/x",
        "/counts/v1/",
    ] {
        assert_eq!(get(house, path).await.0, 404, "{path}");
    }
}
