use std::time::Instant;

use rules::{Minute, SourceKind};
use store::Table;
use tokio::task::JoinHandle;
use wire::Reason;
use wire::console::v1 as proto;
use wire::source::v1::ForwardedState;

use super::*;
use crate::node::fake::{onward, source};
use crate::proposals::State;
use crate::proposals::world::{KEEP_DAYS, NOW, World, approver, clerk, contact};

/// Waits that a test can wait for.
const PACE: Pace = Pace {
    first_wait: Duration::from_millis(20),
    most_wait: Duration::from_millis(60),
    look: Duration::from_millis(20),
};

fn run(world: &World) -> JoinHandle<()> {
    let sending = Sending::new(Arc::clone(&world.proposals), PACE, 7);
    tokio::spawn(async move { sending.run(std::future::pending()).await })
}

/// Waits until a proposal is in a state.
async fn until_state(world: &World, id: u8, state: State) {
    let begin = Instant::now();
    while world.state(id) != state {
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "still {:?}",
            world.state(id)
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until something was done.
async fn until_act(world: &World, what: &str) {
    let begin = Instant::now();
    while !world.act_words().iter().any(|act| act == what) {
        assert!(begin.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn agree(world: &World, id: u8) -> proto::ProposalState {
    world
        .propose(&clerk(), &contact(id, id.into()))
        .await
        .unwrap();
    world.judge(&approver(), id, "").await.unwrap().state()
}

#[tokio::test]
async fn what_a_silent_node_did_not_take_is_handed_in_again_unchanged() {
    let world = World::new().await;
    // It is taken, and the answer is lost.
    let id = crate::proposals::event_id(&[1; 16], source(SourceKind::Cdc));
    *world.node.fake.stumbles_over.lock() = Some(id);
    assert_eq!(agree(&world, 1).await, proto::ProposalState::Sending);
    let line = &world.list(&approver(), false).proposals[0];
    assert!(!line.may_judge && !line.may_withdraw);
    world.pass_min(12);
    let running = run(&world);
    *world.node.fake.stumbles_over.lock() = None;
    until_state(&world, 1, State::Done).await;
    running.abort();
    let events = world.node.fake.events.lock().clone();
    assert!(events.len() >= 2);
    assert!(events.iter().all(|event| *event == events[0]));
    let whole = world.read(&approver(), 1).await.unwrap();
    assert!(!whole.receipt.is_empty(), "the duplicate's receipt");
    assert_eq!(world.act_words(), ["proposed", "agreed", "taken", "read"]);
}

#[tokio::test]
async fn what_was_agreed_on_outlasts_the_end_of_the_console() {
    let mut world = World::new().await;
    // Nobody listens there.
    world.reopen("127.0.0.1:9");
    assert_eq!(agree(&world, 1).await, proto::ProposalState::Sending);
    let address = world.node.address.to_string();
    world.reopen(&address);
    assert_eq!(world.state(1), State::Sending);
    let running = run(&world);
    until_state(&world, 1, State::Done).await;
    running.abort();
    assert_eq!(world.node.fake.events.lock().len(), 1);
}

#[tokio::test]
async fn a_node_that_cannot_now_is_asked_again_and_one_that_refuses_is_not() {
    let world = World::new().await;
    *world.node.fake.refuses.lock() = Some(Reason::Draining);
    assert_eq!(agree(&world, 1).await, proto::ProposalState::Sending);
    for reason in [
        Reason::Overloaded,
        Reason::Quota,
        Reason::StorageFull,
        Reason::StorageFailed,
        Reason::Deadline,
        Reason::Internal,
    ] {
        *world.node.fake.refuses.lock() = Some(reason);
        let [number] = world.proposals.to_hand_in(0)[..] else {
            panic!("one")
        };
        let error = world.proposals.hand_in(number).await.unwrap_err();
        assert!(matches!(error, ConsoleError::NodeSilent(_)), "{reason:?}");
    }
    *world.node.fake.refuses.lock() = None;
    *world.node.fake.refuses_events.lock() = Some("overloaded".to_owned());
    assert!(world.proposals.hand_in(1).await.is_err());
    *world.node.fake.refuses_events.lock() = None;
    *world.node.fake.refuses.lock() = Some(Reason::RoleRefused);
    world.proposals.hand_in(1).await.unwrap();
    assert_eq!(world.state(1), State::RefusedByNode);
    // Nothing is left to do.
    *world.node.fake.refuses.lock() = None;
    world.proposals.hand_in(1).await.unwrap();
    assert!(world.node.fake.events.lock().len() == 1);
}

#[tokio::test]
async fn one_that_the_node_stumbles_over_holds_up_no_other() {
    let world = World::new().await;
    *world.node.fake.refuses.lock() = Some(Reason::Draining);
    for id in 1..=3 {
        assert_eq!(agree(&world, id).await, proto::ProposalState::Sending);
    }
    let bad = crate::proposals::event_id(&[1; 16], source(SourceKind::Cdc));
    *world.node.fake.stumbles_over.lock() = Some(bad);
    *world.node.fake.refuses.lock() = None;
    let running = run(&world);
    until_state(&world, 2, State::Done).await;
    until_state(&world, 3, State::Done).await;
    assert_eq!(world.state(1), State::Sending);
    running.abort();
}

#[tokio::test]
async fn the_rounds_begin_after_the_one_that_failed() {
    let world = World::new().await;
    *world.node.fake.refuses.lock() = Some(Reason::Draining);
    for id in 1..=3 {
        agree(&world, id).await;
    }
    assert_eq!(world.proposals.to_hand_in(0), [1, 2, 3]);
    assert_eq!(world.proposals.to_hand_in(1), [2, 3, 1]);
    assert_eq!(world.proposals.to_hand_in(3), [1, 2, 3]);
    assert_eq!(world.proposals.to_hand_in(u64::MAX), [1, 2, 3]);
}

#[tokio::test]
async fn what_goes_on_to_another_province_is_followed_by_itself() {
    let world = World::new().await;
    let running = run(&world);
    // Nothing is there to follow at first.
    tokio::time::sleep(Duration::from_millis(30)).await;
    world.forward(1).await;
    world.is_onward(1, onward(ForwardedState::Waiting, NOW + 480));
    let until = Minute::new(NOW + 480).unwrap();
    until_state(&world, 1, State::Contested { until }).await;
    // One of which the node says nothing holds up no other.
    world.forward(2).await;
    world.is_onward(1, onward(ForwardedState::Unspecified, 0));
    world.is_onward(2, onward(ForwardedState::Refused, 0));
    until_state(&world, 2, State::RefusedByHome).await;
    world.is_onward(1, onward(ForwardedState::Waiting, NOW + 480));
    world.confirm(&approver(), 1).await.unwrap();
    world.is_onward(1, onward(ForwardedState::Accepted, 0));
    until_state(&world, 1, State::TakenByHome).await;
    running.abort();
}

#[tokio::test]
async fn it_looks_for_what_has_lapsed_and_what_is_to_be_forgotten() {
    let world = World::new().await;
    agree(&world, 1).await;
    world.propose(&clerk(), &contact(2, 2)).await.unwrap();
    world.pass_min(KEEP_DAYS * 1_440);
    let running = run(&world);
    until_state(&world, 2, State::Lapsed).await;
    until_act(&world, "forgotten").await;
    running.abort();
    assert!(world.read(&clerk(), 1).await.unwrap().what.is_none());
}

#[tokio::test]
async fn a_row_that_cannot_be_read_keeps_nothing_else_from_being_forgotten() {
    let world = World::new().await;
    agree(&world, 1).await;
    world.propose(&clerk(), &contact(2, 2)).await.unwrap();
    let mut write = world.vault.write();
    write.delete(Table::Proposals, &2_u64.to_be_bytes());
    write.commit().unwrap();
    world.pass_min(KEEP_DAYS * 1_440);
    assert!(world.proposals.lapse().is_err());
    let running = run(&world);
    until_act(&world, "forgotten").await;
    running.abort();
    assert!(world.read(&clerk(), 1).await.unwrap().what.is_none());
}

#[tokio::test]
async fn an_appeal_that_was_read_is_not_kept_in_memory_for_good() {
    let world = World::new().await;
    let appeal = crate::cases::tests::open_appeal(&world, 1, NOW + 400);
    let office = world.proposals.offices();
    let office = office.for_appeals("33-appeals-office-1").unwrap();
    let (kept, now) = (world.proposals.appeals(), world.proposals.now());
    kept.ask(office, appeal, now).await.unwrap();
    world.pass_min(240);
    let running = run(&world);
    let begin = Instant::now();
    while kept.count() > 0 {
        assert!(begin.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.abort();
}

#[tokio::test]
async fn it_ends_when_it_is_asked_to() {
    let world = World::new().await;
    let sending = Sending::new(Arc::clone(&world.proposals), PACE, 7);
    let soon = tokio::time::sleep(Duration::from_millis(10));
    let ended = tokio::time::timeout(Duration::from_secs(5), sending.run(soon));
    assert!(ended.await.is_ok());
}
