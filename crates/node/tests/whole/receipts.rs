//! Receipts: what a node accepts is found in its log by anybody who holds the receipt, and nobody else learns anything of it.

use std::time::{Duration, Instant};

use ledger::log::Entry;
use ledger::receipt::{Batch, Commitment, HeldReceipt, PROMISE_MIN};
use ledger::{HeadKeys, Member, Roster};
use node::store::{Store as _, Table};
use rules::{Event, EventBody, SourceKind, TestResult};
use source::{HttpLog, Judged, State, Trust, judge};
use wire::resident::v1 as r;
use wire::source::v1::{EventOutcome, ForwardedState};

use crate::clients::{Phone, event, fresh, signed, submit};
use crate::forward::{hand_in, test, until};
use crate::world::{
    House, PROVINCES, START, Wish, World, head_key, minute, person, province, source,
};

pub(crate) fn trust() -> Trust {
    let members = (0..).zip(PROVINCES).map(|(slot, code)| Member {
        province: province(code),
        slot: commitment::Slot::new(slot).unwrap(),
        head_keys: HeadKeys::single(head_key(code).verifying_key()),
    });
    Trust {
        federation: "test".to_owned(),
        roster: Roster::new(members.collect()).unwrap(),
    }
}

pub(crate) fn negative(number: u16, at: u32) -> Event {
    let body = EventBody::Test {
        sampled_at: minute(at),
        result: TestResult::Negative,
    };
    let lab = source(33, SourceKind::Laboratory);
    event(person(33, number), lab, minute(at), body)
}

/// Hands an event in and gives the outcome with the receipt.
async fn receipt_for(house: &House, event: &Event) -> (EventOutcome, HeldReceipt) {
    let results = submit(house, event.source, vec![signed(event)]).await;
    let result = &results.unwrap()[0];
    (
        result.outcome(),
        HeldReceipt::from_bytes(&result.receipt).unwrap(),
    )
}

/// Judges a receipt by what a house's log serves over plain HTTP.
async fn judged(house: &House, held: &HeldReceipt, content: &[u8]) -> Judged {
    let (held, content, at) = (held.clone(), content.to_vec(), house.log_at);
    let now = node::Clock::now(&*house.clock);
    let done = tokio::task::spawn_blocking(move || {
        let log = HttpLog::new(&format!("http://{at}")).unwrap();
        judge(&held, &content, (&trust(), true), &log, now, &mut |_| ()).unwrap()
    });
    done.await.unwrap()
}

async fn until_all(is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until nothing waits for a house's log any more, and its checkpoint tells of it.
async fn logged(house: &House) {
    until_all(|| {
        let size = house.node.checkpoint().map_or(0, |c| c.size());
        house.node.commitments_waiting().unwrap() == 0 && size == house.node.log_entries()
    })
    .await;
}

fn batches(house: &House) -> Vec<ledger::log::CommitmentBatch> {
    let mut found = Vec::new();
    for index in 0..house.node.log_entries() {
        let path = ledger::log::TilePath {
            level: None,
            index: index / 256,
            width: u16::try_from(index % 256 + 1).unwrap(),
        };
        if let Some(bytes) = house.node.log_file(&format!("/{path}")).unwrap() {
            let entries = ledger::log::read_bundle(&bytes).unwrap();
            if let Ok(Entry::Commitments(batch)) = Entry::from_bytes(entries.last().unwrap()) {
                found.push(batch);
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_has_one_receipt_and_stands_in_the_log_within_a_quarter_of_an_hour() {
    let world = World::new(Wish::default()).await;
    let house = world.house(33);
    let event = negative(1, START - 60);
    let (outcome, held) = receipt_for(house, &event).await;
    assert_eq!(outcome, EventOutcome::Accepted);
    let receipt = &held.signed.receipt;
    assert_eq!((receipt.province, receipt.slot.get()), (province(33), 0));
    assert_eq!(receipt.accepted, minute(START));
    assert_eq!(receipt.promised_by, minute(START + PROMISE_MIN));
    let content = event.to_bytes();
    assert_eq!(judged(house, &held, &content).await.state, State::Pending);
    world.advance_to(START + 7);
    let (outcome, again) = receipt_for(house, &event).await;
    assert_eq!((outcome, &again), (EventOutcome::Duplicate, &held));
    world.advance_to(START + 15);
    logged(house).await;
    let found = judged(house, &held, &content).await;
    assert!(
        matches!(found.state, State::InLog { at, .. } if at == minute(START + 15)),
        "{found:?}"
    );
    // The other provinces' nodes cosign what the batch is in.
    let began = Instant::now();
    while judged(house, &held, &content).await.witnesses < 2 {
        assert!(began.elapsed() < Duration::from_secs(30));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (_, again) = receipt_for(house, &event).await;
    assert_eq!(again, held);
    let other = negative(2, START - 60);
    let (_, other_held) = receipt_for(house, &other).await;
    assert_ne!(other_held.salt, held.salt);
    assert!(other_held.check_content(&content).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_event_has_no_receipt_and_a_restart_changes_none() {
    let mut world = World::new(Wish::default()).await;
    let event = negative(1, START - 60);
    let (_, held) = receipt_for(world.house(33), &event).await;
    let late = negative(2, START - 60 * 24 * 60);
    let results = submit(world.house(33), late.source, vec![signed(&late)]).await;
    let result = &results.unwrap()[0];
    assert_eq!(result.outcome(), EventOutcome::Refused);
    assert!(result.receipt.is_empty());
    let store = world.close(33).await;
    world.reopen(&Wish::default(), 33, store, START + 10).await;
    let house = world.house(33);
    let (outcome, again) = receipt_for(house, &event).await;
    assert_eq!((outcome, again), (EventOutcome::Duplicate, held.clone()));
    world.advance_to(START + 20);
    logged(house).await;
    let found = judged(house, &held, &event.to_bytes()).await;
    assert!(matches!(found.state, State::InLog { .. }), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receipt_of_a_forwarded_event_is_its_homes_and_comes_back_to_the_source() {
    let world = World::new(Wish::default()).await;
    let (home, away) = (world.house(33), world.house(35));
    let positive = test(33, 1, START - 60, TestResult::Positive);
    assert_eq!(hand_in(away, &positive, 33).await, "forwarded");
    let answer = until(away, &positive, ForwardedState::Accepted).await;
    let held = HeldReceipt::from_bytes(&answer.receipt).unwrap();
    assert_eq!(held.signed.receipt.province, province(33));
    world.advance_to(START + 16);
    logged(home).await;
    let found = judged(home, &held, &positive.to_bytes()).await;
    assert!(matches!(found.state, State::InLog { .. }), "{found:?}");
    assert_eq!(away.node.commitments_waiting().unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_gets_receipts_for_declarations_and_for_a_contestation() {
    let world = World::new(Wish::default()).await;
    let house = world.house(33);
    let mut phone = Phone::registered(house, 1).await;
    let trip = r::DeclareTrip {
        event_id: fresh().to_vec(),
        area_nine_digit: 330_102_000,
        site: 0,
        begin_minute: START - 30,
        end_minute: None,
    };
    let call: r::DeclareTripRequest = phone.sign(&trip);
    let declared = phone.client.declare_trip(call).await.unwrap().into_inner();
    let trip_held = HeldReceipt::from_bytes(&declared.receipt).unwrap();
    let stated = Event::from_bytes(&declared.event).unwrap();
    assert_eq!(
        (stated.id.0.to_vec(), stated.subject),
        (trip.event_id.clone(), phone.person)
    );
    assert_eq!(trip_held.check_content(&declared.event), Ok(()));
    let call: r::DeclareTripRequest = phone.sign(&trip);
    let again = phone.client.declare_trip(call).await.unwrap().into_inner();
    assert!(again.duplicate);
    assert_eq!(
        (again.receipt, again.event),
        (declared.receipt, declared.event.clone())
    );

    let contested = r::Correct {
        case_id: fresh().to_vec(),
        event_id: trip.event_id.clone(),
        statement: "I was at home".to_owned(),
    };
    let call: r::CorrectRequest = phone.sign(&contested);
    let answer = phone.client.correct(call).await.unwrap().into_inner();
    let case_held = HeldReceipt::from_bytes(&answer.receipt).unwrap();
    let case = [
        &contested.case_id[..],
        &contested.event_id,
        contested.statement.as_bytes(),
    ]
    .concat();
    assert_eq!(case_held.check_content(&case), Ok(()));
    world.advance_to(START + 16);
    let call: r::CorrectRequest = phone.sign(&contested);
    let again = phone.client.correct(call).await.unwrap().into_inner();
    assert_eq!(again.receipt, answer.receipt);
    logged(house).await;
    for (held, content) in [(&trip_held, &declared.event), (&case_held, &case)] {
        let found = judged(house, held, content).await;
        assert!(matches!(found.state, State::InLog { .. }), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_has_one_batch_a_quarter_of_one_size_whatever_came_and_tells_nobody_apart() {
    let world = World::new(Wish::default()).await;
    let (busy, idle) = (world.house(33), world.house(42));
    let mut held = Vec::new();
    let all_have = |count: usize| world.houses.iter().all(|h| batches(h).len() >= count);
    until_all(|| all_have(1)).await;
    for quarter in 0..3 {
        for number in 0..quarter * 4 {
            let event = negative(number, START - 100 + u32::from(quarter));
            held.push((event, receipt_for(busy, &event).await.1));
        }
        world.advance_to(START + 15 * u32::from(quarter + 1));
        until_all(|| all_have(usize::from(quarter) + 2)).await;
    }
    let shape = |house: &House| -> Vec<(u32, u32)> {
        let told = batches(house).into_iter();
        told.map(|batch| (batch.at.get(), batch.len)).collect()
    };
    assert_eq!(shape(busy), shape(idle));
    // Nothing of an event, a person or a salt is in what the log serves.
    let mut served = Vec::new();
    for batch in batches(busy) {
        let path = format!(
            "/commitments/{}/{}",
            batch.at.get(),
            hex::encode(batch.root.0)
        );
        let bytes = busy.node.log_file(&path).unwrap().unwrap();
        assert!(Batch::from_bytes(&bytes).unwrap().check(&batch).is_ok());
        served.extend(bytes);
    }
    for index in 0..busy.node.log_entries().div_ceil(256) {
        let width = (busy.node.log_entries() - index * 256).min(256);
        let path = ledger::log::TilePath {
            level: None,
            index,
            width: u16::try_from(width).unwrap(),
        };
        served.extend(busy.node.log_file(&format!("/{path}")).unwrap().unwrap());
    }
    let holds = |what: &[u8]| served.windows(what.len()).any(|window| window == what);
    for (event, held) in &held {
        assert!(holds(&held.signed.receipt.commitment.0));
        assert!(!holds(&event.id.0) && !holds(&held.salt.0));
        assert!(!holds(event.subject.expose()));
        // Without the salt the event itself does not lead to its commitment.
        let unsalted: [u8; 32] = sha2_of(&event.to_bytes());
        assert!(!holds(&unsalted));
        assert_ne!(Commitment(unsalted), held.signed.receipt.commitment);
    }
    assert_eq!(
        rows(busy, Table::Promised),
        1,
        "only since when there are receipts"
    );
}

fn sha2_of(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}

fn rows(house: &House, table: Table) -> usize {
    house.store.scan(table, b"", None, 10_000).unwrap().len()
}
