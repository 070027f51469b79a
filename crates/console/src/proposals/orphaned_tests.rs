use wire::source::v1::ForwardedState;

use super::*;
use crate::node::fake::onward;
use crate::proposals::world::{KEEP_DAYS, NOW, World, approver, clerk, contact};

/// Ends by itself a day after somebody agreed, and not before.
fn ends_within_a_day(world: &World) {
    world.pass_min(PROPOSAL_LAPSES_MIN - 1);
    assert_eq!(world.proposals.end_orphaned(), Ok(0));
    world.pass_min(1);
    assert_eq!(world.proposals.end_orphaned(), Ok(1));
    assert_eq!(world.proposals.end_orphaned(), Ok(0));
    assert_eq!(world.act_words().last().unwrap(), "office-gone");
}

#[tokio::test]
async fn what_was_not_handed_in_for_an_office_that_is_gone_ends_and_is_forgotten() {
    let mut world = World::new().await;
    world.reopen("127.0.0.1:9");
    world.propose(&clerk(), &contact(1, 5)).await.unwrap();
    world.judge(&approver(), 1, "").await.unwrap();
    assert_eq!(world.state(1), State::Sending);
    world.reopen_without_offices();
    assert_eq!(world.proposals.hand_in(1).await, Ok(()));
    ends_within_a_day(&world);
    assert_eq!(world.state(1), State::LapsedOnTheWay);
    let line = world.list(&clerk(), false).proposals.remove(0);
    assert_eq!(line.node_reason, "UNKNOWN_OFFICE");
    assert!(world.proposals.to_hand_in(0).is_empty());
    world.pass_min(KEEP_DAYS * 1_440);
    assert_eq!(world.proposals.forget(), Ok(1));
    assert!(world.read(&clerk(), 1).await.unwrap().what.is_none());
}

#[tokio::test]
async fn what_goes_on_for_an_office_that_is_gone_is_followed_no_more() {
    for (contested, state) in [(false, State::Done), (true, State::LapsedOnTheWay)] {
        let mut world = World::new().await;
        world.forward(1).await;
        if contested {
            world.is_onward(1, onward(ForwardedState::Waiting, NOW + 480));
            assert_eq!(world.proposals.follow(1).await, Ok(true));
        }
        world.reopen_without_offices();
        assert_eq!(world.proposals.follow(1).await, Ok(false));
        ends_within_a_day(&world);
        assert_eq!(world.state(1), state);
        assert!(world.proposals.to_follow(0).is_empty());
    }
}

#[tokio::test]
async fn what_is_under_way_for_an_office_that_is_there_does_not_end_so() {
    let mut world = World::new().await;
    world.forward(1).await;
    world.reopen_without_offices();
    let address = world.node.address.to_string();
    world.reopen(&address);
    world.pass_min(2 * PROPOSAL_LAPSES_MIN);
    assert_eq!(world.proposals.end_orphaned(), Ok(0));
    assert_eq!(world.proposals.follow(1).await, Ok(true));
}
