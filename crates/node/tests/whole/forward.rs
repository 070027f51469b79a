//! Events for residents of other provinces, from the source's hand to the resident's own query.

use std::time::Duration;

use ed25519_dalek::Signer as _;
use node::store::{Store as _, Table};
use rules::{
    ContactDegree, Event, EventBody, EventId, ExposureList, SourceId, SourceKind, TestResult,
};
use wire::pass::v1::Colour;
use wire::resident::v1::{ForeignEvent, ForeignEventState};
use wire::source::v1::forwarded_service_client::ForwardedServiceClient;
use wire::source::v1::{
    ConfirmForwardedRequest, EventOutcome, ForwardedState, GetForwardedRequest,
    GetForwardedResponse, SignedEvent,
};
use wire::{Reason, reason_of};

use crate::clients::{Phone, at_peers, event, signed, submit};
use crate::world::{
    House, START, Wish, World, federation, minute, person, province, source, source_key,
};

/// The rule set under which residents ask here: a positive is red in it, a possible link yellow.
const RULES: &str = "fj-2022-08";

pub(crate) fn test(home: u8, number: u16, at: u32, result: TestResult) -> Event {
    let body = EventBody::Test {
        sampled_at: minute(at),
        result,
    };
    let lab = source(35, SourceKind::Laboratory);
    event(person(home, number), lab, minute(at), body)
}

pub(crate) fn list(number: u16, at: u32) -> Event {
    let body = EventBody::Exposure {
        list: ExposureList::PossibleLink,
        at: minute(at),
        province: province(35),
    };
    let cdc = source(35, SourceKind::Cdc);
    event(person(33, number), cdc, minute(at), body)
}

/// The event as its source hands it in for a resident of `home`.
pub(crate) fn for_home(event: &Event, home: u8) -> SignedEvent {
    SignedEvent {
        home_province: home.into(),
        ..signed(event)
    }
}

/// Hands one event in at the source's own node; what became of it, in a word or the code of the refusal.
pub(crate) async fn hand_in(house: &House, event: &Event, home: u8) -> String {
    let results = submit(house, event.source, vec![for_home(event, home)]).await;
    match &results.unwrap()[0] {
        result if result.outcome() == EventOutcome::Forwarded => "forwarded".to_owned(),
        result if result.outcome() == EventOutcome::Duplicate => "duplicate".to_owned(),
        result => result.reason.clone(),
    }
}

fn desk(house: &House, caller: SourceId) -> ForwardedServiceClient<tonic::transport::Channel> {
    let who = federation::PeerId {
        federation: federation(),
        province: caller.province,
        role: federation::Role::Source(caller.kind, caller.number),
    };
    wire::client::forwarded(at_peers(house, &who))
}

pub(crate) async fn asked(house: &House, event: &Event) -> GetForwardedResponse {
    let request = GetForwardedRequest {
        event_id: event.id.0.to_vec(),
    };
    let answer = desk(house, event.source).get_forwarded(request).await;
    answer.unwrap().into_inner()
}

/// Waits until an event is in a state.
pub(crate) async fn until(
    house: &House,
    event: &Event,
    state: ForwardedState,
) -> GetForwardedResponse {
    let mut last = asked(house, event).await;
    for _ in 0..1_000 {
        if last.state() == state {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        last = asked(house, event).await;
    }
    panic!(
        "{last:?}: {:?} {}, not {state:?}",
        last.state(),
        last.reason
    );
}

pub(crate) async fn confirm(house: &House, event: &Event) -> String {
    let signature = source_key(event.source).sign(&event.confirmation_bytes());
    let event_message = SignedEvent {
        signature: signature.to_bytes().to_vec(),
        ..for_home(event, 33)
    };
    let request = ConfirmForwardedRequest {
        event: Some(event_message),
    };
    let answer = desk(house, event.source).confirm_forwarded(request).await;
    let result = answer.unwrap().into_inner().result.unwrap();
    format!("{:?} {}", result.outcome(), result.reason)
}

/// What a resident's own query says of events from elsewhere.
async fn told(phone: &mut Phone) -> (Colour, Vec<ForeignEvent>) {
    let answer = phone.query(RULES).await.unwrap();
    (answer.colour(), answer.foreign_events)
}

fn rows(house: &House, table: Table) -> usize {
    house.store.scan(table, b"", None, 10_000).unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_positive_found_in_another_province_is_red_at_home_and_its_source_is_told() {
    let world = World::new(Wish::default()).await;
    let (home, away) = (world.house(33), world.house(35));
    let mut phone = Phone::registered(home, 1).await;
    assert_eq!(told(&mut phone).await, (Colour::Green, Vec::new()));
    let positive = test(33, 1, START - 60, TestResult::Positive);
    assert_eq!(hand_in(away, &positive, 33).await, "forwarded");
    let answer = until(away, &positive, ForwardedState::Accepted).await;
    assert_eq!((answer.home_province, answer.until_minute), (33, 0));
    let (colour, events) = told(&mut phone).await;
    assert_eq!(colour, Colour::Red);
    assert_eq!(events.len(), 1);
    let shown = &events[0];
    assert_eq!(shown.event_id, positive.id.0);
    assert_eq!(
        (shown.sender_province, shown.kind.as_str()),
        (35, "screened-positive")
    );
    assert_eq!(shown.source, "35-laboratory-1 laboratory of 35");
    assert_eq!(shown.state(), ForeignEventState::Accepted);
    // Nothing of it is left where it was found but that it was sent, and the third province heard nothing.
    assert_eq!(
        (rows(away, Table::Outbox), rows(away, Table::Forwarded)),
        (0, 1)
    );
    assert_eq!((away.node.residents(), rows(away, Table::Keys)), (0, 1));
    let third = world.house(42);
    assert!(
        third
            .node
            .metrics()
            .to_text()
            .contains("viridian_foreign_events_total{outcome=\"refused\"} 0")
    );
    assert_eq!(hand_in(away, &positive, 33).await, "duplicate");
    let text = away.node.metrics().to_text();
    assert!(
        text.contains("viridian_forwarded_events_total{outcome=\"accepted\"} 1"),
        "{text}"
    );
    assert!(text.contains("viridian_source_events_total{outcome=\"forwarded\"} 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contested_event_has_no_effect_until_its_source_confirms_it() {
    let world = World::new(Wish::default()).await;
    let (home, away) = (world.house(33), world.house(35));
    let mut phone = Phone::registered(home, 2).await;
    let listed = list(2, START - 60);
    assert_eq!(hand_in(away, &listed, 33).await, "forwarded");
    let waiting = until(away, &listed, ForwardedState::Waiting).await;
    assert_eq!(waiting.until_minute, START + 1_440);
    let (colour, events) = told(&mut phone).await;
    assert_eq!(colour, Colour::Green);
    let shown = |event: &ForeignEvent| {
        let state = event.state();
        (
            event.kind.clone(),
            state,
            event.confirm_by_minute,
            event.sender_province,
        )
    };
    let possible_link = || "possible-link".to_owned();
    assert_eq!(
        events.iter().map(shown).collect::<Vec<_>>(),
        [(
            possible_link(),
            ForeignEventState::Waiting,
            START + 1_440,
            35
        )]
    );
    assert_eq!((home.node.events(), rows(home, Table::Waiting)), (0, 1));

    world.advance_to(START + 1_440);
    assert_eq!(confirm(away, &listed).await, "Forwarded ");
    until(away, &listed, ForwardedState::Accepted).await;
    assert_eq!(confirm(away, &listed).await, "Duplicate ");
    let (colour, events) = told(&mut phone).await;
    assert_eq!(colour, Colour::Yellow);
    assert_eq!(
        events.iter().map(shown).collect::<Vec<_>>(),
        [(possible_link(), ForeignEventState::Accepted, 0, 35)]
    );
    assert_eq!((home.node.events(), rows(home, Table::Waiting)), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contested_event_that_nobody_confirms_lapses_and_the_resident_still_sees_who_sent_it() {
    let world = World::new(Wish::default()).await;
    let (home, away) = (world.house(33), world.house(35));
    let mut phone = Phone::registered(home, 3).await;
    let listed = list(3, START - 60);
    hand_in(away, &listed, 33).await;
    until(away, &listed, ForwardedState::Waiting).await;
    world.advance_to(START + 1_441);
    assert_eq!(asked(away, &listed).await.state(), ForwardedState::Lapsed);
    assert_eq!(confirm(away, &listed).await, "Refused lapsed");
    let (colour, events) = told(&mut phone).await;
    assert_eq!(colour, Colour::Green);
    assert_eq!(events[0].state(), ForeignEventState::Lapsed);
    assert_eq!(events[0].source, "35-cdc-1 cdc of 35");
    assert_eq!(home.node.events(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_signature_confirms_nothing_and_nor_does_a_confirmation_of_what_nobody_contests() {
    let world = World::new(Wish::default()).await;
    let away = world.house(35);
    let listed = list(4, START - 60);
    assert_eq!(confirm(away, &listed).await, "Refused nothing-to-confirm");
    hand_in(away, &listed, 33).await;
    until(away, &listed, ForwardedState::Waiting).await;
    let request = ConfirmForwardedRequest {
        event: Some(for_home(&listed, 33)),
    };
    let answer = desk(away, listed.source).confirm_forwarded(request).await;
    assert_eq!(
        answer.unwrap().into_inner().result.unwrap().reason,
        "bad-signature"
    );
    let positive = test(33, 4, START - 60, TestResult::Positive);
    hand_in(away, &positive, 33).await;
    until(away, &positive, ForwardedState::Accepted).await;
    assert_eq!(confirm(away, &positive).await, "Duplicate ");
    // And a source asks about its own events only.
    let mut other = listed;
    other.source = positive.source;
    let request = GetForwardedRequest {
        event_id: other.id.0.to_vec(),
    };
    let refused = desk(away, other.source).get_forwarded(request).await;
    assert_eq!(reason_of(&refused.unwrap_err()), Some(Reason::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_home_refuses_and_forgets_and_the_right_one_is_then_asked() {
    let world = World::new(Wish::default()).await;
    let (home, away, third) = (world.house(33), world.house(35), world.house(42));
    let negative = test(33, 5, START - 60, TestResult::Negative);
    assert_eq!(hand_in(away, &negative, 42).await, "forwarded");
    let refused = until(away, &negative, ForwardedState::Refused).await;
    assert_eq!(
        (refused.home_province, refused.reason.as_str()),
        (42, "not-taken")
    );
    // The wrong home keeps nothing but the node's own key, its root document, since when it gives receipts, that what was contested is queued, and what its log and those of others say, which is no event's.
    let of_logs = [
        Table::LogEntries,
        Table::LogCheckpoint,
        Table::LogKeys,
        Table::Witnessed,
        Table::Mirrored,
        Table::Mirrors,
        Table::Commitments,
    ];
    for table in Table::ALL {
        if of_logs.contains(&table) {
            continue;
        }
        let own = match table {
            Table::Meta | Table::Keys | Table::Promised | Table::Roots | Table::Jobs => 1,
            // The rule sets that it began with.
            Table::RuleSetCounts => 2,
            _ => 0,
        };
        assert_eq!(rows(third, table), own, "{}", table.name());
    }
    assert_eq!(hand_in(away, &negative, 33).await, "forwarded");
    until(away, &negative, ForwardedState::Accepted).await;
    assert_eq!(home.node.events(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_every_home_would_refuse_leaves_the_province_of_its_source_for_none() {
    let world = World::new(Wish::default()).await;
    let away = world.house(35);
    let good = test(33, 6, START - 60, TestResult::Negative);
    assert_eq!(hand_in(away, &good, 11).await, "unknown-province");
    let own = test(35, 6, START - 60, TestResult::Negative);
    assert_eq!(hand_in(away, &own, 33).await, "lives-here");
    let late = test(33, 6, START - 721 * 60, TestResult::Negative);
    assert_eq!(hand_in(away, &late, 33).await, "too-late");
    let ruling = EventBody::Ruling {
        target: EventId([1; 16]),
        at: minute(START - 60),
    };
    let appeals = source(35, SourceKind::AppealsOffice);
    let ruling = event(person(33, 6), appeals, minute(START - 60), ruling);
    assert_eq!(hand_in(away, &ruling, 33).await, "not-forwardable");
    assert_eq!(rows(away, Table::Outbox) + rows(away, Table::Forwarded), 0);

    assert_eq!(hand_in(away, &good, 33).await, "forwarded");
    let mut other = good;
    other.issued_at = minute(START - 59);
    assert_eq!(hand_in(away, &other, 33).await, "id-reused");
    // The own province may be named, and a number that is none is no province.
    let at_home = test(35, 7, START - 60, TestResult::Negative);
    assert_eq!(hand_in(away, &at_home, 35).await, "");
    let mut nowhere = signed(&good);
    nowhere.home_province = 4_000;
    let results = submit(away, good.source, vec![nowhere]).await.unwrap();
    assert_eq!(results[0].reason, "malformed");
}

/// Contacts, and the end of each: the end is refused unless what it ends is there already.
fn contacts_and_ends(count: u16) -> Vec<Event> {
    let cdc = source(35, SourceKind::Cdc);
    let both = (0..count).flat_map(|number| {
        let at = minute(START - 600);
        let contact = EventBody::Contact {
            degree: ContactDegree::Close,
            last_contact_at: at,
            province: province(35),
        };
        let contact = event(person(33, number % 8), cdc, at, contact);
        let target = contact.id;
        let end = EventBody::Release { target, at };
        [
            contact,
            event(contact.subject, cdc, minute(START - 30), end),
        ]
    });
    both.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_was_away_for_hours_gets_all_in_order_and_once_over_restarts_of_both() {
    let wish = Wish::default();
    let mut world = World::new(Wish::default()).await;
    let home_store = world.close(33).await;
    let events = contacts_and_ends(40);
    for batch in events.chunks(16) {
        let batch: Vec<_> = batch.iter().map(|e| for_home(e, 33)).collect();
        let results = submit(world.house(35), events[0].source, batch)
            .await
            .unwrap();
        assert!(
            results
                .iter()
                .all(|r| r.outcome() == EventOutcome::Forwarded)
        );
    }
    let away_store = world.close(35).await;
    world.reopen(&wish, 35, away_store, START + 300).await;
    assert_eq!(rows(world.house(35), Table::Outbox), events.len());
    assert_eq!(
        asked(world.house(35), &events[9]).await.state(),
        ForwardedState::Queued
    );
    world.reopen(&wish, 33, home_store, START + 300).await;
    let away = world.house(35);
    for event in &events {
        until(away, event, ForwardedState::Accepted).await;
    }
    assert_eq!(world.house(33).node.events(), events.len() as u64);
    assert_eq!((rows(away, Table::Outbox), rows(away, Table::Keys)), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_reach_its_home_in_time_lapses_and_may_be_handed_in_again() {
    let wish = Wish::default();
    let mut world = World::new(Wish::default()).await;
    let home_store = world.close(33).await;
    let positive = test(33, 8, START - 60, TestResult::Positive);
    hand_in(world.house(35), &positive, 33).await;
    let queued = asked(world.house(35), &positive).await;
    assert_eq!(queued.until_minute, START + 72 * 60);
    world.advance_to(START + 72 * 60);
    until(world.house(35), &positive, ForwardedState::Lapsed).await;
    assert_eq!(rows(world.house(35), Table::Outbox), 0);
    world.reopen(&wish, 33, home_store, START + 72 * 60).await;
    assert_eq!(hand_in(world.house(35), &positive, 33).await, "forwarded");
    until(world.house(35), &positive, ForwardedState::Accepted).await;
    assert_eq!(world.house(33).node.events(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_outbox_refuses_for_that_home_alone_and_a_full_disk_keeps_no_place() {
    let mut wish = Wish::default();
    wish.forward.outbox_rows_per_home = 2;
    let mut world = World::new(wish).await;
    world.close(33).await;
    let away = world.house(35);
    let negatives: Vec<Event> = (0..4)
        .map(|n| test(33, 10 + n, START - 60, TestResult::Negative))
        .collect();
    away.store.set_full(true);
    let refused = submit(away, negatives[0].source, vec![for_home(&negatives[0], 33)]).await;
    assert_eq!(reason_of(&refused.unwrap_err()), Some(Reason::StorageFull));
    away.store.set_full(false);
    let mut batch: Vec<_> = negatives.iter().map(|e| for_home(e, 33)).collect();
    batch.insert(1, batch[0].clone());
    let results = submit(away, negatives[0].source, batch).await.unwrap();
    let outcomes: Vec<_> = results
        .iter()
        .map(|r| (r.outcome(), r.reason.as_str()))
        .collect();
    let (gone, full) = (
        (EventOutcome::Forwarded, ""),
        (EventOutcome::Refused, "overloaded"),
    );
    assert_eq!(
        outcomes,
        [gone, (EventOutcome::Duplicate, ""), gone, full, full]
    );
    let elsewhere = test(42, 1, START - 60, TestResult::Negative);
    assert_eq!(hand_in(away, &elsewhere, 42).await, "forwarded");
    until(away, &elsewhere, ForwardedState::Accepted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_changed_its_sealing_key_is_asked_for_the_new_one() {
    let wish = Wish {
        sealing: 2,
        ..Wish::default()
    };
    let mut world = World::new(Wish::default()).await;
    let first = test(33, 9, START - 60, TestResult::Negative);
    hand_in(world.house(35), &first, 33).await;
    until(world.house(35), &first, ForwardedState::Accepted).await;
    let before = world.house(33).node.sealing_key().unwrap();
    let store = world.close(33).await;
    world.reopen(&wish, 33, store, START).await;
    assert_ne!(world.house(33).node.sealing_key().unwrap(), before);
    let second = test(33, 9, START - 50, TestResult::Negative);
    hand_in(world.house(35), &second, 33).await;
    until(world.house(35), &second, ForwardedState::Accepted).await;
    assert_eq!(world.house(33).node.events(), 2);
}
