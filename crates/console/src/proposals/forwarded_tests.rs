use ledger::receipt::Content;
use rules::SourceKind;
use wire::console::v1 as proto;
use wire::source::v1::{ForwardedState, GetForwardedResponse};

use super::*;
use crate::node::fake::{onward, source};
use crate::proposals::event_id;
use crate::proposals::world::{NOW, World, approver, clerk, person, release, statement};

type Told = proto::ProposalState;

const UNTIL: u32 = NOW + 480;

fn reason<T>(answer: Result<T, ConsoleError>) -> Reason {
    answer.err().expect("a refusal").reason()
}

/// The line of the newest proposal.
fn line(world: &World, person: &Person) -> proto::ProposalLine {
    world.list(person, false).proposals.remove(0)
}

/// What the home answers that took the only event, with its receipt.
fn accepted(world: &World) -> GetForwardedResponse {
    let (event, _) = world.node.fake.events.lock()[0];
    let receipt = world.node.fake.receipt(Content::Event, &event.to_bytes());
    GetForwardedResponse {
        receipt,
        ..onward(ForwardedState::Accepted, 0)
    }
}

/// An event that its home contests.
async fn contested() -> World {
    let world = World::new().await;
    world.forward(1).await;
    world.is_onward(1, onward(ForwardedState::Waiting, UNTIL));
    assert_eq!(world.proposals.follow(1).await, Ok(true));
    world
}

#[tokio::test]
async fn what_goes_on_is_followed_until_its_home_has_it_whose_receipt_is_kept() {
    let mut world = World::new().await;
    world.forward(1).await;
    assert!(world.read(&clerk(), 1).await.unwrap().receipt.is_empty());
    assert_eq!(world.proposals.follow(1).await, Ok(true));
    let on_its_way = line(&world, &clerk());
    assert_eq!(on_its_way.state(), Told::Forwarded);
    assert_eq!(on_its_way.until_minute, NOW + 4_320);
    // Nothing is new, and nothing is written.
    assert_eq!(world.proposals.follow(1).await, Ok(false));
    // What has not arrived cannot be ended.
    let target = event_id(&[1; 16], source(SourceKind::Cdc));
    let ends = statement(2, release(1, &target.0));
    assert_eq!(
        reason(world.propose(&clerk(), &ends).await),
        Reason::NotFound
    );
    // Also after a start anew.
    let address = world.node.address.to_string();
    world.reopen(&address);
    assert_eq!(world.proposals.to_follow(0), [1]);
    let answer = accepted(&world);
    world.is_onward(1, answer.clone());
    assert_eq!(world.proposals.follow(1).await, Ok(true));
    let arrived = line(&world, &clerk());
    assert_eq!(arrived.state(), Told::TakenByHome);
    assert_eq!(arrived.until_minute, 0);
    let whole = world.read(&clerk(), 1).await.unwrap();
    assert_eq!(whole.receipt, answer.receipt);
    assert!(world.proposals.to_follow(0).is_empty());
    world.propose(&clerk(), &ends).await.unwrap();
    let acts = [
        "proposed",
        "agreed",
        "forwarded",
        "read",
        "taken-by-home",
        "read",
        "proposed",
    ];
    assert_eq!(world.act_words(), acts);
}

#[tokio::test]
async fn what_its_home_contests_is_confirmed_by_somebody_else_than_who_proposed_it() {
    let world = contested().await;
    let waiting = world.list(&approver(), true);
    assert_eq!((waiting.proposals.len(), waiting.waiting), (1, 1));
    let line_of = |person: &Person| line(&world, person);
    assert_eq!(line_of(&approver()).state(), Told::Contested);
    assert_eq!(line_of(&approver()).until_minute, UNTIL);
    assert!(line_of(&approver()).may_confirm && !line_of(&approver()).may_judge);
    assert!(!line_of(&clerk()).may_confirm);
    // The one who proposed it, with another role as well.
    let mut proposer = person(1, &[Role::Approver, Role::Clerk]);
    assert!(!line_of(&proposer).may_confirm);
    assert_eq!(
        reason(world.confirm(&proposer, 1).await),
        Reason::OwnProposal
    );
    // And invited again, under the same name.
    proposer.id = person(7, &[]).id;
    assert!(!line_of(&proposer).may_confirm);
    assert_eq!(
        reason(world.confirm(&proposer, 1).await),
        Reason::OwnProposal
    );
    proposer = person(2, &[Role::Clerk]);
    assert_eq!(
        reason(world.confirm(&proposer, 1).await),
        Reason::RoleRefused
    );
    // A page that has not seen that it is contested confirms nothing.
    assert_eq!(
        reason(world.judge(&approver(), 1, "").await),
        Reason::NotWaiting
    );
    assert!(world.node.fake.confirmed.lock().is_empty());

    // The fake checks the second signature against the office's key.
    let confirmed = world.confirm(&approver(), 1).await.unwrap();
    assert_eq!(confirmed.state(), Told::Confirming);
    assert_eq!(confirmed.until_minute, UNTIL);
    assert!(!confirmed.may_confirm);
    let events = world.node.fake.events.lock().clone();
    assert_eq!(*world.node.fake.confirmed.lock(), events);
    assert_eq!(
        reason(world.confirm(&approver(), 1).await),
        Reason::NotWaiting
    );
    assert_eq!(world.list(&approver(), true).waiting, 0);
    assert_eq!(world.proposals.follow(1).await, Ok(false));
    world.is_onward(1, accepted(&world));
    assert_eq!(world.proposals.follow(1).await, Ok(true));
    assert_eq!(world.state(1), State::TakenByHome);
    let acts = world.acts();
    let acts: Vec<(&str, Option<_>)> = acts.iter().map(|a| (a.what.as_str(), a.who)).collect();
    assert_eq!(
        acts[3..],
        [
            ("contested", None),
            ("confirmed", Some(approver().id)),
            ("taken-by-home", None)
        ]
    );
}

#[tokio::test]
async fn what_is_not_contested_or_not_any_more_is_not_confirmed() {
    let world = contested().await;
    let refuses = proto::JudgeProposalRequest {
        proposal_id: vec![1; 16],
        agrees: false,
        words: "no".to_owned(),
        is_confirmation: true,
    };
    let refused = world.proposals.judge(&approver(), &refuses).await;
    assert_eq!(reason(refused), Reason::Malformed);
    world.forward(2).await;
    assert_eq!(
        reason(world.confirm(&approver(), 2).await),
        Reason::NotWaiting
    );
    assert_eq!(
        reason(world.confirm(&approver(), 9).await),
        Reason::NotFound
    );
    // The last minute, and the one after it.
    world.pass_min(480);
    assert!(world.list(&approver(), true).proposals[0].may_confirm);
    world.pass_min(1);
    assert!(!world.list(&approver(), true).proposals[0].may_confirm);
    assert_eq!(
        reason(world.confirm(&approver(), 1).await),
        Reason::NotWaiting
    );
    // It is no proposal that nobody judged.
    assert_eq!(world.proposals.lapse(), Ok(0));
    assert!(world.node.fake.confirmed.lock().is_empty());
}

#[tokio::test]
async fn each_end_at_the_home_is_told_with_its_reason() {
    let refused = GetForwardedResponse {
        reason: "not-taken".to_owned(),
        ..onward(ForwardedState::Refused, 0)
    };
    let strange = GetForwardedResponse {
        reason: "33 Zhejiang".to_owned(),
        ..onward(ForwardedState::Refused, 0)
    };
    let lapsed = onward(ForwardedState::Lapsed, 0);
    let taken = onward(ForwardedState::Accepted, 0);
    for (answer, state, reason, act) in [
        (refused, Told::RefusedByHome, "not-taken", "refused-by-home"),
        (strange, Told::RefusedByHome, "no-reason", "refused-by-home"),
        (lapsed, Told::LapsedOnTheWay, "", "lapsed-under-way"),
        (taken, Told::TakenByHome, "", "taken-by-home"),
    ] {
        let world = contested().await;
        world.is_onward(1, answer);
        assert_eq!(world.proposals.follow(1).await, Ok(true));
        let line = line(&world, &clerk());
        assert_eq!((line.state(), line.node_reason.as_str()), (state, reason));
        assert_eq!(world.act_words().last().unwrap(), act);
        assert!(world.proposals.to_follow(0).is_empty());
        assert!(world.read(&clerk(), 1).await.unwrap().receipt.is_empty());
    }
    let world = contested().await;
    world.node.fake.onward.lock().clear();
    assert_eq!(world.proposals.follow(1).await, Ok(true));
    let line = line(&world, &clerk());
    assert_eq!(line.state(), Told::Done);
    assert_eq!(line.node_reason, "forwarded");
    assert_eq!(world.act_words().last().unwrap(), "lost-sight");
}

#[tokio::test]
async fn an_answer_of_no_form_or_none_at_all_changes_nothing() {
    let world = contested().await;
    world.is_onward(1, onward(ForwardedState::Unspecified, 0));
    assert!(world.proposals.follow(1).await.is_err());
    world.is_onward(1, onward(ForwardedState::Queued, u32::MAX));
    assert!(world.proposals.follow(1).await.is_err());
    *world.node.fake.refuses.lock() = Some(Reason::RoleRefused);
    assert!(world.proposals.follow(1).await.is_err());
    assert_eq!(line(&world, &clerk()).state(), Told::Contested);
    assert_eq!(world.act_words().last().unwrap(), "contested");
}

#[tokio::test]
async fn a_confirmation_that_the_node_does_not_take_may_be_made_again() {
    let world = contested().await;
    *world.node.fake.refuses_events.lock() = Some("grant-not-in-force".to_owned());
    let refused = world.confirm(&approver(), 1).await.unwrap();
    assert_eq!(refused.state(), Told::Contested);
    assert_eq!(refused.node_reason, "grant-not-in-force");
    assert!(refused.may_confirm);
    *world.node.fake.refuses_events.lock() = None;
    let taken = world.confirm(&approver(), 1).await.unwrap();
    assert_eq!(
        (taken.state(), taken.node_reason.as_str()),
        (Told::Confirming, "")
    );
    let acts = world.act_words();
    assert_eq!(
        acts[acts.len() - 3..],
        ["confirmed", "confirm-refused", "confirmed"]
    );
}

#[tokio::test]
async fn a_confirmation_outlasts_a_silent_node_and_the_end_of_the_console() {
    let mut world = contested().await;
    *world.node.fake.refuses.lock() = Some(Reason::Draining);
    let told = world.confirm(&approver(), 1).await.unwrap();
    assert_eq!(told.state(), Told::Confirming);
    let address = world.node.address.to_string();
    world.reopen(&address);
    assert_eq!(world.proposals.to_hand_in(0), [1]);
    assert!(world.proposals.to_follow(0).is_empty());
    *world.node.fake.refuses.lock() = None;
    // The node does not know of it yet, and what it says of before counts for nothing.
    assert_eq!(world.proposals.follow(1).await, Ok(false));
    world.proposals.hand_in(1).await.unwrap();
    assert_eq!(world.node.fake.confirmed.lock().len(), 1);
    assert!(world.proposals.to_hand_in(0).is_empty());
    assert_eq!(world.proposals.to_follow(0), [1]);
}

#[tokio::test]
async fn one_that_was_taken_before_its_answer_was_lost_is_followed_too() {
    let world = World::new().await;
    let id = event_id(&[1; 16], source(SourceKind::Cdc));
    *world.node.fake.stumbles_over.lock() = Some(id);
    assert_eq!(world.forward(1).await.state(), Told::Sending);
    *world.node.fake.stumbles_over.lock() = None;
    world.proposals.hand_in(1).await.unwrap();
    assert_eq!(line(&world, &clerk()).state(), Told::Forwarded);
    assert_eq!(world.node.fake.events.lock().len(), 2);
}

#[tokio::test]
async fn nothing_of_it_is_forgotten_while_it_is_on_its_way() {
    let world = contested().await;
    world.pass_min(crate::proposals::world::KEEP_DAYS * 1_440);
    assert_eq!(world.proposals.forget(), Ok(0));
    world.is_onward(1, onward(ForwardedState::Lapsed, 0));
    world.proposals.follow(1).await.unwrap();
    world.pass_min(crate::proposals::world::KEEP_DAYS * 1_440);
    assert_eq!(world.proposals.forget(), Ok(1));
    assert!(world.read(&clerk(), 1).await.unwrap().what.is_none());
}
