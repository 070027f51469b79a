use rules::{Event, EventBody, SourceKind};

use super::world::{
    KEEP_DAYS, NOW, World, approver, clerk, contact, minute, number_of, officer, person, release,
    resident, statement,
};
use super::*;
use crate::ConsoleError;
use crate::node::fake::source;

type Asked = proto::propose_request::What;

fn reason<T>(answer: Result<T, ConsoleError>) -> Reason {
    answer.err().expect("a refusal").reason()
}

fn changed(
    mut request: proto::ProposeRequest,
    change: impl FnOnce(&mut proto::Statement),
) -> proto::ProposeRequest {
    if let Some(Asked::Statement(statement)) = &mut request.what {
        change(statement);
    }
    request
}

#[tokio::test]
async fn what_two_persons_agree_on_is_signed_and_handed_in() {
    let world = World::new().await;
    let lapses_at = world.propose(&clerk(), &contact(1, 5)).await.unwrap();
    assert_eq!(lapses_at, NOW + PROPOSAL_LAPSES_MIN);
    assert!(
        world.node.fake.events.lock().is_empty(),
        "nobody agreed yet"
    );
    world.pass_min(7);
    let line = world.judge(&approver(), 1, "").await.unwrap();
    assert_eq!(line.state(), proto::ProposalState::Done);
    assert_eq!(
        (line.judged_by.as_str(), line.judged_at_minute),
        ("Person 2", NOW + 7)
    );
    // The fake checks the signature against the office's key.
    let events = world.node.fake.events.lock().clone();
    let (event, home) = events[0];
    assert_eq!((events.len(), home), (1, 0));
    assert_eq!(event.subject, resident(5));
    assert_eq!(event.source, source(SourceKind::Cdc));
    assert_eq!(event.issued_at, minute(NOW + 7));
    assert_eq!(event.id, event_id(&[1; 16], event.source));
    assert!(
        matches!(event.body, EventBody::Contact { last_contact_at, .. } if last_contact_at == minute(NOW - 600))
    );
    let whole = world.read(&approver(), 1).await.unwrap();
    assert_eq!(whole.event, event.to_bytes());
    assert!(!whole.receipt.is_empty());
    assert_eq!(world.act_words(), ["proposed", "agreed", "taken", "read"]);
}

#[tokio::test]
async fn nobody_judges_an_own_proposal_whatever_roles_they_have() {
    let world = World::new().await;
    let both = approver();
    world.propose(&both, &contact(1, 5)).await.unwrap();
    assert_eq!(reason(world.judge(&both, 1, "").await), Reason::OwnProposal);
    assert_eq!(
        reason(world.judge(&both, 1, "no").await),
        Reason::OwnProposal
    );
    assert_eq!(world.state(1), State::Waiting);
    assert!(!world.list(&both, true).proposals[0].may_judge);
    // Taken off the list and invited again, the same person has another id.
    let mut again = person(4, &[Role::Approver]);
    again.name.clone_from(&both.name);
    for words in ["", "no"] {
        let refused = reason(world.judge(&again, 1, words).await);
        assert_eq!(refused, Reason::OwnProposal);
    }
    assert!(!world.list(&again, true).proposals[0].may_judge);
    assert_eq!(world.state(1), State::Waiting);
    assert!(
        world
            .judge(&person(4, &[Role::Approver]), 1, "")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn each_bad_proposal_is_refused_for_its_own_reason_and_nothing_is_stored() {
    let world = World::new().await;
    let good = || contact(1, 5);
    let with = |change: fn(&mut proto::Statement)| changed(good(), change);
    let of_request = |change: fn(&mut proto::ProposeRequest)| {
        let mut request = good();
        change(&mut request);
        request
    };
    let cases = [
        (
            with(|s| s.identity_number.replace_range(17.., "0")),
            Reason::BadIdentityNumber,
        ),
        (with(|s| s.at_minute = NOW + 1), Reason::InFuture),
        (with(|s| s.at_minute = NOW - 60 * 800), Reason::TooLate),
        (
            with(|s| s.source = "33-hospital-1".to_owned()),
            Reason::NotEntitled,
        ),
        (
            with(|s| s.source = "33-appeals-office-1".to_owned()),
            Reason::NotEntitled,
        ),
        (
            with(|s| s.source = "33-cdc-2".to_owned()),
            Reason::UnknownOffice,
        ),
        (with(|s| s.source = "cdc".to_owned()), Reason::UnknownOffice),
        (with(|s| s.where_province = 35), Reason::Malformed),
        (with(|s| s.kind = 0), Reason::Malformed),
        (of_request(|r| r.what = None), Reason::Malformed),
        (of_request(|r| r.grounds.clear()), Reason::Malformed),
        (
            of_request(|r| r.grounds = "a\u{7}b".to_owned()),
            Reason::Malformed,
        ),
        (
            of_request(|r| r.grounds = "x".repeat(501)),
            Reason::TooLarge,
        ),
        (of_request(|r| r.proposal_id.clear()), Reason::Malformed),
    ];
    for (at, (request, why)) in cases.into_iter().enumerate() {
        let refused = reason(world.propose(&clerk(), &request).await);
        assert_eq!(refused, why, "case {at}");
    }
    for other in [officer(), person(5, &[Role::Operator, Role::Auditor])] {
        let refused = reason(world.propose(&other, &good()).await);
        assert_eq!(refused, Reason::RoleRefused);
    }
    assert!(world.acts().is_empty());
    assert!(world.list(&approver(), false).proposals.is_empty());
}

#[tokio::test]
async fn the_same_proposal_again_is_answered_as_before_and_another_under_its_name_is_not() {
    let world = World::new().await;
    let first = world.propose(&clerk(), &contact(1, 5)).await.unwrap();
    world.pass_min(30);
    let again = world.propose(&clerk(), &contact(1, 5)).await;
    assert_eq!(again, Ok(first));
    let mut grounds = contact(1, 5);
    grounds.grounds = "other".to_owned();
    for other in [
        contact(1, 6),
        changed(contact(1, 5), |s| s.at_minute -= 1),
        changed(contact(1, 5), |s| s.home_province = 35),
        grounds,
    ] {
        let refused = reason(world.propose(&clerk(), &other).await);
        assert_eq!(refused, Reason::IdReused);
    }
    let by_another = person(6, &[Role::Clerk]);
    let refused = reason(world.propose(&by_another, &contact(1, 5)).await);
    assert_eq!(refused, Reason::IdReused);
    assert_eq!(world.list(&approver(), false).proposals.len(), 1);
    assert_eq!(world.act_words(), ["proposed"]);
}

#[tokio::test]
async fn what_was_judged_taken_back_or_lapsed_is_not_judged() {
    let world = World::new().await;
    for id in 1..=4 {
        world
            .propose(&clerk(), &contact(id, id.into()))
            .await
            .unwrap();
    }
    world.judge(&approver(), 1, "").await.unwrap();
    let line = world.judge(&approver(), 2, "not the one").await.unwrap();
    assert_eq!(line.state(), proto::ProposalState::Refused);
    let withdraw = |id: u8| proto::WithdrawProposalRequest {
        proposal_id: vec![id; 16],
    };
    let foreign = world.proposals.withdraw(&approver(), &withdraw(3));
    assert_eq!(reason(foreign), Reason::RoleRefused);
    world.proposals.withdraw(&clerk(), &withdraw(3)).unwrap();
    // The last minute, and the one after it.
    world.pass_min(PROPOSAL_LAPSES_MIN - 1);
    let line = &world.list(&approver(), true).proposals[0];
    assert!(line.may_judge && line.state() == proto::ProposalState::Waiting);
    world.pass_min(1);
    let line = &world.list(&approver(), true).proposals[0];
    assert!(!line.may_judge && line.state() == proto::ProposalState::Lapsed);
    for id in 1..=4 {
        for words in ["", "no"] {
            let refused = reason(world.judge(&approver(), id, words).await);
            assert_eq!(refused, Reason::NotWaiting, "{id}");
        }
        let refused = reason(world.proposals.withdraw(&clerk(), &withdraw(id)));
        assert_eq!(refused, Reason::NotWaiting, "{id}");
    }
    assert_eq!(
        reason(world.judge(&approver(), 9, "").await),
        Reason::NotFound
    );
    assert_eq!(world.proposals.lapse(), Ok(1));
    assert_eq!(world.proposals.lapse(), Ok(0));
    assert_eq!(world.state(4), State::Lapsed);
    assert_eq!(world.list(&approver(), true).waiting, 0);
    assert_eq!(world.node.fake.events.lock().len(), 1);
}

#[tokio::test]
async fn a_judgement_has_words_exactly_where_it_refuses_and_is_for_approvers() {
    let world = World::new().await;
    world.propose(&clerk(), &contact(1, 5)).await.unwrap();
    let judged = |agrees, words: &str| proto::JudgeProposalRequest {
        proposal_id: vec![1; 16],
        agrees,
        words: words.to_owned(),
        is_confirmation: false,
    };
    for (request, why) in [
        (judged(true, "well"), Reason::Malformed),
        (judged(false, ""), Reason::Malformed),
        (judged(false, &"x".repeat(501)), Reason::TooLarge),
    ] {
        let refused = world.proposals.judge(&approver(), &request).await;
        assert_eq!(reason(refused), why);
    }
    let refused = reason(world.judge(&person(7, &[Role::Clerk]), 1, "").await);
    assert_eq!(refused, Reason::RoleRefused);
    assert_eq!(world.state(1), State::Waiting);
}

#[tokio::test]
async fn what_the_node_refuses_is_over_and_says_why() {
    let world = World::new().await;
    for id in 1..=3 {
        world
            .propose(&clerk(), &contact(id, id.into()))
            .await
            .unwrap();
    }
    *world.node.fake.refuses_events.lock() = Some("over-capacity".to_owned());
    let line = world.judge(&approver(), 1, "").await.unwrap();
    assert_eq!(line.state(), proto::ProposalState::RefusedByNode);
    assert_eq!(line.node_reason, "over-capacity");
    // What a node writes is shown to people: nothing but a code.
    *world.node.fake.refuses_events.lock() = Some(number_of(2));
    let line = world.judge(&approver(), 2, "").await.unwrap();
    assert_eq!(line.node_reason, "no-reason");
    *world.node.fake.refuses.lock() = Some(Reason::RoleRefused);
    let line = world.judge(&approver(), 3, "").await.unwrap();
    assert_eq!(line.state(), proto::ProposalState::RefusedByNode);
    assert_eq!(line.node_reason, "ROLE_REFUSED");
    let acts = world.acts();
    let act = acts.iter().find(|act| act.what == "refused-by-node");
    assert_eq!(act.unwrap().words, "33-cdc-1 contact: over-capacity");
}

#[tokio::test]
async fn a_receipt_over_something_else_is_not_kept_and_the_event_stands() {
    let world = World::new().await;
    *world.node.fake.lies.lock() = true;
    world.propose(&clerk(), &contact(1, 5)).await.unwrap();
    let line = world.judge(&approver(), 1, "").await.unwrap();
    assert_eq!(line.state(), proto::ProposalState::Done);
    assert!(world.read(&clerk(), 1).await.unwrap().receipt.is_empty());
}

#[tokio::test]
async fn an_event_for_another_province_goes_with_its_home_and_says_that_it_was_forwarded() {
    let world = World::new().await;
    let line = world.forward(1).await;
    assert_eq!(line.state(), proto::ProposalState::Forwarded);
    assert_eq!((line.node_reason.as_str(), line.until_minute), ("", 0));
    assert_eq!(world.node.fake.events.lock()[0].1, 35);
    let whole = world.read(&clerk(), 1).await.unwrap();
    let Some(proto::read_proposal_response::What::Statement(told)) = whole.what else {
        panic!("a statement");
    };
    assert_eq!(told.home_province, 35);
}

/// A contact of somebody that the node has taken; its name.
async fn taken(world: &World, id: u8, of: u16) -> Event {
    world.propose(&clerk(), &contact(id, of)).await.unwrap();
    world.judge(&approver(), id, "").await.unwrap();
    world.node.fake.events.lock().last().unwrap().0
}

#[tokio::test]
async fn a_release_ends_an_event_of_this_console_or_one_that_was_typed() {
    let mut world = World::new().await;
    let event = taken(&world, 1, 5).await;
    let own = |change: fn(&mut proto::Statement)| {
        let mut of = release(5, &event.id.0);
        change(&mut of);
        statement(9, of)
    };
    for (request, why) in [
        // Not stated here.
        (own(|s| s.target_event = vec![8; 16]), Reason::NotFound),
        // About somebody else.
        (own(|s| s.identity_number = number_of(6)), Reason::NotFound),
        // A hospital does not end a contact.
        (
            own(|s| s.source = "33-hospital-1".to_owned()),
            Reason::NotEntitled,
        ),
        // Before it began.
        (own(|s| s.at_minute = NOW - 601), Reason::EventRefused),
        (own(|s| s.target_event.clear()), Reason::Malformed),
    ] {
        assert_eq!(reason(world.propose(&clerk(), &request).await), why);
    }
    // Typed: what is known here is held against it all the same, the rest is for the node to judge.
    let typed = own(|s| {
        s.is_target_by_hand = true;
        s.identity_number = number_of(6);
    });
    let refused = reason(world.propose(&clerk(), &typed).await);
    assert_eq!(refused, Reason::NotFound);
    let typed = statement(
        3,
        proto::Statement {
            is_target_by_hand: true,
            ..release(7, &[8; 16])
        },
    );
    world.propose(&clerk(), &typed).await.unwrap();
    // What is known outlasts a start anew.
    let address = world.node.address.to_string();
    world.reopen(&address);
    let ends = statement(2, release(5, &event.id.0));
    world.propose(&clerk(), &ends).await.unwrap();
    world.judge(&approver(), 2, "").await.unwrap();
    let (released, _) = *world.node.fake.events.lock().last().unwrap();
    assert!(matches!(released.body, EventBody::Release { target, .. } if target == event.id));
}

#[tokio::test]
async fn an_event_that_waits_or_was_refused_is_none_that_can_be_ended() {
    let world = World::new().await;
    world.propose(&clerk(), &contact(1, 5)).await.unwrap();
    let target = event_id(&[1; 16], source(SourceKind::Cdc));
    let ends = statement(2, release(5, &target.0));
    assert_eq!(
        reason(world.propose(&clerk(), &ends).await),
        Reason::NotFound
    );
    *world.node.fake.refuses_events.lock() = Some("too-late".to_owned());
    world.judge(&approver(), 1, "").await.unwrap();
    assert_eq!(
        reason(world.propose(&clerk(), &ends).await),
        Reason::NotFound
    );
}

#[tokio::test]
async fn a_reading_is_an_act_before_it_is_answered_and_only_for_who_may_see_it() {
    let world = World::new().await;
    world.propose(&clerk(), &contact(1, 5)).await.unwrap();
    for other in [
        person(5, &[Role::Clerk]),
        person(6, &[Role::Auditor, Role::Operator, Role::AppealsOfficer]),
    ] {
        assert_eq!(reason(world.read(&other, 1).await), Reason::RoleRefused);
    }
    assert_eq!(world.act_words(), ["proposed"]);
    let whole = world.read(&approver(), 1).await.unwrap();
    let Some(proto::read_proposal_response::What::Statement(told)) = whole.what else {
        panic!("a statement");
    };
    assert_eq!(told.identity_number, number_of(5));
    assert_eq!(whole.grounds, "as the case told us on the telephone");
    assert!(whole.line.unwrap().may_judge);
    assert!(world.read(&clerk(), 1).await.is_ok());
    let acts = world.acts();
    assert_eq!(acts.len(), 3);
    assert_eq!(acts[1].about, [1; 16]);
    assert_eq!(acts[1].who, Some(approver().id));
}

#[tokio::test]
async fn nothing_that_is_listed_and_no_act_holds_an_identity_number() {
    use prost::Message as _;
    let world = World::new().await;
    let number = number_of(5);
    let mut request = contact(1, 5);
    request.grounds = format!("it is {number}");
    world.propose(&clerk(), &request).await.unwrap();
    world.read(&approver(), 1).await.unwrap();
    let refusal = format!("{number} is wrong");
    world.judge(&approver(), 1, &refusal).await.unwrap();
    let mut request = contact(2, 5);
    request.grounds.clone_from(&number);
    world.propose(&clerk(), &request).await.unwrap();
    world.judge(&approver(), 2, "").await.unwrap();
    world.propose(&clerk(), &contact(3, 5)).await.unwrap();
    world.pass_min(PROPOSAL_LAPSES_MIN);
    world.proposals.lapse().unwrap();
    world.pass_min(KEEP_DAYS * MINUTES_PER_DAY);
    world.proposals.forget().unwrap();
    let mut told = Vec::new();
    for person in [clerk(), approver(), officer()] {
        for only_waiting in [false, true] {
            told.extend(world.list(&person, only_waiting).encode_to_vec());
        }
    }
    for act in world.acts() {
        told.extend(act.words.into_bytes());
        told.extend(act.who_name.into_bytes());
    }
    assert!(told.len() > 400, "something was told");
    let is_in = |what: &str| told.windows(what.len()).any(|w| w == what.as_bytes());
    assert!(is_in("33-cdc-1 contact"), "what acts are about was told");
    assert!(!is_in(&number[..17]));
}

#[tokio::test]
async fn content_is_removed_when_its_time_is_over_and_the_line_stays() {
    let mut world = World::new().await;
    let event = taken(&world, 1, 5).await;
    world.propose(&clerk(), &contact(2, 6)).await.unwrap();
    world.pass_min(KEEP_DAYS * MINUTES_PER_DAY - 1);
    assert_eq!(world.proposals.forget(), Ok(0));
    world.pass_min(1);
    // Also of what was over before the start.
    let address = world.node.address.to_string();
    world.reopen(&address);
    assert_eq!(world.proposals.forget(), Ok(1));
    assert_eq!(world.proposals.forget(), Ok(0));
    let whole = world.read(&approver(), 1).await.unwrap();
    assert!(whole.what.is_none() && whole.event.is_empty() && whole.receipt.is_empty());
    assert_eq!(whole.grounds, "");
    let line = whole.line.unwrap();
    assert_eq!(line.state(), proto::ProposalState::Done);
    assert_eq!(line.proposed_by, "Person 1");
    // Its name is not free again, and what it stated is not known any more.
    let again = reason(world.propose(&clerk(), &contact(1, 5)).await);
    assert_eq!(again, Reason::IdReused);
    let mut ends = release(5, &event.id.0);
    ends.at_minute = NOW + KEEP_DAYS * MINUTES_PER_DAY - 5;
    let ends = statement(9, ends);
    assert_eq!(
        reason(world.propose(&clerk(), &ends).await),
        Reason::NotFound
    );
    // What waited is not over: it lapses first, and is kept from then on.
    world.proposals.lapse().unwrap();
    assert_eq!(world.proposals.forget(), Ok(0));
    world.pass_min(KEEP_DAYS * MINUTES_PER_DAY);
    assert_eq!(world.proposals.forget(), Ok(1));
    let acts = world.acts();
    let forgotten = acts.iter().filter(|act| act.what == "forgotten");
    assert!(forgotten.clone().all(|act| act.who.is_none()));
    assert_eq!(forgotten.count(), 2);
}

#[tokio::test]
async fn lists_are_told_in_pages_newest_first_and_a_clerk_sees_the_own_ones() {
    let world = World::new().await;
    let other = person(8, &[Role::Clerk]);
    for id in 1..=70 {
        let by = if id % 7 == 0 { &other } else { &clerk() };
        world.propose(by, &contact(id, id.into())).await.unwrap();
    }
    let page = |person: &Person, only_waiting, before| {
        let request = proto::ListProposalsRequest {
            only_waiting,
            before,
            is_by_itself: false,
        };
        let told = world.proposals.list(person, &request).unwrap();
        let numbers: Vec<u64> = told.proposals.iter().map(|line| line.number).collect();
        (numbers, told.next, told.waiting)
    };
    for only_waiting in [false, true] {
        let (first, next, waiting) = page(&approver(), only_waiting, 0);
        assert_eq!(first, (7..=70).rev().collect::<Vec<u64>>());
        assert_eq!((next, waiting), (7, 70));
        let (second, next, _) = page(&approver(), only_waiting, next);
        assert_eq!(second, (1..=6).rev().collect::<Vec<u64>>());
        assert_eq!(next, 0);
        let (own, next, waiting) = page(&other, only_waiting, 0);
        assert_eq!(own, (1..=10).map(|n| 7 * n).rev().collect::<Vec<u64>>());
        assert_eq!((next, waiting), (0, 10));
        assert_eq!(page(&approver(), only_waiting, 1).0, [0; 0]);
    }
    // Deciding appeals makes nobody see what others propose, and auditing does.
    let decides = person(8, &[Role::AppealsOfficer]);
    assert_eq!(page(&decides, false, 0).0.len(), 10);
    assert!(page(&officer(), false, 0).0.is_empty());
    let audits = person(9, &[Role::Auditor]);
    assert_eq!(page(&audits, false, 0).0.len(), 64);
    let line = &world.list(&other, true).proposals[0];
    assert!(line.may_withdraw && !line.may_judge);
}

#[tokio::test]
async fn no_more_wait_than_can_be_looked_through() {
    let world = World::new().await;
    {
        let mut index = world.proposals.index.lock();
        let waiting = (1_000..).take(WAITING_MAX);
        index
            .waiting
            .extend(waiting.map(|number| (number, clerk().id)));
    }
    let refused = reason(world.propose(&clerk(), &contact(1, 5)).await);
    assert_eq!(refused, Reason::Quota);
}
