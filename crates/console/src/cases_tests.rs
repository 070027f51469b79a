use rules::appeal::Outcome;
use rules::{Event, EventBody, EventId, SourceKind, TestResult};
use wire::{CaseId, Reason};

use super::*;
use crate::Role;
use crate::node::fake::source;
use crate::proposals::State;
use crate::proposals::world::{
    KEEP_DAYS, NOW, World, approver, clerk, minute, number_of, officer, person, resident,
};

const OFFICE: &str = "33-appeals-office-1";

fn appeal_id(number: u8, decide_by: u32) -> AppealId {
    AppealId::new(minute(decide_by), [number; 16])
}

/// An appeal at the node against a positive test of a resident.
pub(crate) fn open_appeal(world: &World, number: u8, decide_by: u32) -> AppealId {
    let appeal = appeal_id(number, decide_by);
    let shown = ShownAppeal {
        case_id: CaseId([number; 16]),
        event: Event {
            id: EventId([number; 16]),
            subject: resident(number.into()),
            source: source(SourceKind::Laboratory),
            issued_at: minute(NOW - 700),
            body: EventBody::Test {
                sampled_at: minute(NOW - 800),
                result: TestResult::Positive,
            },
        },
        statement: "不是我的样本".to_owned(),
        opened_at: minute(NOW - 30),
        decide_by: minute(decide_by),
        source: "33-laboratory-1 杭州".to_owned(),
    };
    world.node.fake.appeals.lock().push((appeal, shown));
    appeal
}

fn decision(id: u8, appeal: AppealId, is_upheld: bool) -> proto::ProposeRequest {
    proto::ProposeRequest {
        proposal_id: vec![id; 16],
        what: Some(proto::propose_request::What::Decision(
            proto::AppealDecision {
                source: OFFICE.to_owned(),
                appeal: appeal.0.to_vec(),
                is_upheld,
                words: "已核实".to_owned(),
            },
        )),
        grounds: "the tube's number is another".to_owned(),
    }
}

fn changed(
    mut request: proto::ProposeRequest,
    change: impl FnOnce(&mut proto::AppealDecision),
) -> proto::ProposeRequest {
    if let Some(proto::propose_request::What::Decision(decision)) = &mut request.what {
        change(decision);
    }
    request
}

fn cases(world: &World) -> Cases {
    Cases::new(Arc::clone(&world.proposals))
}

async fn list(world: &World, after: &[u8]) -> Result<proto::ListCasesResponse, ConsoleError> {
    let request = proto::ListCasesRequest {
        source: OFFICE.to_owned(),
        after: after.to_vec(),
        is_by_itself: false,
    };
    cases(world).list(&request).await
}

async fn read(world: &World, appeal: AppealId) -> Result<proto::CaseContent, ConsoleError> {
    let request = proto::ReadCaseRequest {
        source: OFFICE.to_owned(),
        appeal: appeal.0.to_vec(),
    };
    let answer = cases(world).read(&officer(), &request).await?;
    Ok(answer.content.unwrap())
}

fn reason<T>(answer: Result<T, ConsoleError>) -> Reason {
    answer.err().expect("a refusal").reason()
}

#[tokio::test]
async fn the_queue_is_told_without_whose_they_are_and_reading_one_is_an_act() {
    use prost::Message as _;
    let world = World::new().await;
    let late = open_appeal(&world, 1, NOW - 5);
    let next = open_appeal(&world, 2, NOW + 400);
    let told = list(&world, &[]).await.unwrap();
    let names: Vec<_> = told.cases.iter().map(|case| &case.appeal[..]).collect();
    assert_eq!(names, [&late.0[..], &next.0]);
    assert_eq!((told.total, told.overdue, told.now_minute), (2, 1, NOW));
    assert_eq!(told.cases[0].decide_by_minute, NOW - 5);
    let after = list(&world, &late.0).await.unwrap();
    assert_eq!(after.cases.len(), 1);
    assert!(world.acts().is_empty(), "the queue is nobody's reading");

    let content = read(&world, next).await.unwrap();
    assert_eq!(content.statement, "不是我的样本");
    assert_eq!(content.stated_by, "33-laboratory-1 杭州");
    assert_eq!(content.kind(), proto::StatementKind::Test);
    assert!(content.is_positive);
    assert_eq!(content.decide_by_minute, NOW + 400);
    let acts = world.acts();
    assert_eq!((acts.len(), acts[0].what.as_str()), (1, "read-appeal"));
    assert_eq!(acts[0].about, next.0);
    assert_eq!(acts[0].words, OFFICE);

    world
        .propose(&officer(), &decision(1, next, true))
        .await
        .unwrap();
    let told = list(&world, &[]).await.unwrap();
    assert_eq!(told.cases[1].proposal_id, [1; 16]);
    let mut all = told.encode_to_vec();
    all.extend(content.encode_to_vec());
    all.extend(world.list(&approver(), false).encode_to_vec());
    for act in world.acts() {
        all.extend(act.words.into_bytes());
    }
    let number = &number_of(2)[..17];
    assert!(!all.windows(17).any(|window| window == number.as_bytes()));
}

#[tokio::test]
async fn the_reading_is_written_even_where_the_node_does_not_answer() {
    let world = World::new().await;
    let appeal = open_appeal(&world, 1, NOW + 400);
    *world.node.fake.refuses.lock() = Some(Reason::Draining);
    assert_eq!(reason(read(&world, appeal).await), Reason::NodeSilent);
    assert_eq!(world.act_words(), ["read-appeal"]);
    assert_eq!(reason(list(&world, &[]).await), Reason::NodeSilent);
    *world.node.fake.refuses.lock() = None;
    let gone = read(&world, appeal_id(9, NOW)).await;
    assert_eq!(gone.err(), Some(ConsoleError::Node(Reason::NotFound)));
}

#[tokio::test]
async fn only_an_office_for_appeals_has_a_queue() {
    let world = World::new().await;
    for (source, why) in [
        ("33-cdc-1", Reason::NotEntitled),
        ("33-appeals-office-2", Reason::UnknownOffice),
        ("", Reason::UnknownOffice),
    ] {
        let source = source.to_owned();
        let request = proto::ListCasesRequest {
            source: source.clone(),
            after: Vec::new(),
            is_by_itself: false,
        };
        assert_eq!(reason(cases(&world).list(&request).await), why);
        let request = proto::ReadCaseRequest {
            source,
            appeal: vec![0; 20],
        };
        assert_eq!(reason(cases(&world).read(&officer(), &request).await), why);
    }
    assert!(world.acts().is_empty());
}

#[tokio::test]
async fn an_appeal_that_is_dismissed_is_decided_by_a_signed_decision_alone() {
    let world = World::new().await;
    let appeal = open_appeal(&world, 1, NOW + 400);
    read(&world, appeal).await.unwrap();
    world
        .propose(&officer(), &decision(7, appeal, false))
        .await
        .unwrap();
    assert_eq!(*world.node.fake.reads.lock(), 1, "deciding is no reading");
    let whole = world.read(&approver(), 7).await.unwrap();
    assert_eq!(whole.appeal.unwrap().statement, "不是我的样本");
    assert_eq!(*world.node.fake.reads.lock(), 2, "who agrees reads it too");
    world.pass_min(3);
    let line = world.judge(&approver(), 7, "").await.unwrap();
    assert_eq!(line.state(), proto::ProposalState::Done);
    // The fake checks the signature.
    let decided = world.node.fake.decisions.lock().clone();
    let decided = &decided[0];
    assert_eq!((decided.appeal, decided.ruling.is_none()), (appeal, true));
    assert_eq!(decided.decision.outcome, Outcome::Dismissed);
    assert_eq!(decided.decision.case_id, [1; 16]);
    assert_eq!(decided.decision.event, EventId([1; 16]));
    assert_eq!(decided.decision.at, minute(NOW + 3));
    assert_eq!(decided.decision.words.as_str(), "已核实");
    let whole = world.read(&approver(), 7).await.unwrap();
    assert!(whole.appeal.is_none() && whole.event.is_empty());
    assert!(!whole.receipt.is_empty());
    assert!(world.node.fake.events.lock().is_empty());
}

#[tokio::test]
async fn an_appeal_that_is_upheld_goes_with_a_ruling_about_its_event() {
    let world = World::new().await;
    let appeal = open_appeal(&world, 1, NOW + 400);
    world
        .propose(&officer(), &decision(7, appeal, true))
        .await
        .unwrap();
    assert_eq!(*world.node.fake.reads.lock(), 1, "nobody had read it");
    let line = world.judge(&approver(), 7, "").await.unwrap();
    assert_eq!(line.state(), proto::ProposalState::Done);
    assert!(line.is_upheld);
    let (ruling, home) = world.node.fake.events.lock()[0];
    assert_eq!((ruling.subject, home), (resident(1), 0));
    assert_eq!(ruling.source, source(SourceKind::AppealsOffice));
    assert!(
        matches!(ruling.body, EventBody::Ruling { target, at } if target == EventId([1; 16]) && at == minute(NOW))
    );
    let decided = world.node.fake.decisions.lock().clone();
    assert_eq!(decided[0].decision.outcome, Outcome::Upheld);
    assert_eq!(world.act_words(), ["proposed", "agreed", "taken"]);
}

#[tokio::test]
async fn a_ruling_that_the_node_refuses_decides_nothing() {
    let world = World::new().await;
    let appeal = open_appeal(&world, 1, NOW + 400);
    world
        .propose(&officer(), &decision(7, appeal, true))
        .await
        .unwrap();
    *world.node.fake.refuses_events.lock() = Some("not-voidable".to_owned());
    let line = world.judge(&approver(), 7, "").await.unwrap();
    assert_eq!(line.state(), proto::ProposalState::RefusedByNode);
    assert_eq!(line.node_reason, "not-voidable");
    assert!(world.node.fake.decisions.lock().is_empty());
    // The appeal waits on, and may be decided by another proposal.
    let again = world.propose(&officer(), &decision(8, appeal, false)).await;
    assert!(again.is_ok());
}

#[tokio::test]
async fn a_decision_refused_by_the_node_says_why() {
    let world = World::new().await;
    let appeal = open_appeal(&world, 1, NOW + 400);
    world
        .propose(&officer(), &decision(7, appeal, false))
        .await
        .unwrap();
    *world.node.fake.refuses.lock() = Some(Reason::AlreadyDecided);
    let line = world.judge(&approver(), 7, "").await.unwrap();
    assert_eq!(line.state(), proto::ProposalState::RefusedByNode);
    assert_eq!(line.node_reason, "ALREADY_DECIDED");
}

#[tokio::test]
async fn each_bad_decision_is_refused_for_its_own_reason() {
    let world = World::new().await;
    let appeal = open_appeal(&world, 1, NOW + 400);
    let good = || decision(1, appeal, true);
    let with = |change: fn(&mut proto::AppealDecision)| changed(good(), change);
    for (request, why) in [
        (with(|d| d.words.clear()), Reason::Malformed),
        (with(|d| d.words = "a\tb".to_owned()), Reason::Malformed),
        (with(|d| d.words = "x".repeat(1_001)), Reason::TooLarge),
        (with(|d| d.appeal.truncate(19)), Reason::Malformed),
        (with(|d| d.appeal[10] ^= 1), Reason::NotFound),
        (
            with(|d| d.source = "33-cdc-1".to_owned()),
            Reason::NotEntitled,
        ),
        (
            with(|d| d.source = "35-appeals-office-1".to_owned()),
            Reason::UnknownOffice,
        ),
    ] {
        let refused = reason(world.propose(&officer(), &request).await);
        assert_eq!(refused, why);
    }
    let refused = reason(world.propose(&clerk(), &good()).await);
    assert_eq!(refused, Reason::RoleRefused);
    // An appeal is decided by one proposal at a time.
    world.propose(&officer(), &good()).await.unwrap();
    assert!(world.propose(&officer(), &good()).await.is_ok(), "the same");
    let other = changed(good(), |d| d.is_upheld = false);
    let refused = reason(world.propose(&officer(), &other).await);
    assert_eq!(refused, Reason::IdReused);
    let second = reason(world.propose(&officer(), &decision(2, appeal, false)).await);
    assert_eq!(second, Reason::AlreadyProposed);
    // Also after a start anew, and no longer than the first waits.
    world.judge(&approver(), 1, "look again").await.unwrap();
    assert!(
        world
            .propose(&officer(), &decision(2, appeal, false))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_proposal_that_is_forgotten_frees_no_appeal_that_a_newer_one_decides() {
    let world = World::new().await;
    let appeal = open_appeal(&world, 1, NOW + 400);
    let propose = async |id| {
        let request = decision(id, appeal, false);
        world.propose(&officer(), &request).await
    };
    propose(1).await.unwrap();
    world.judge(&approver(), 1, "look again").await.unwrap();
    world.pass_min(KEEP_DAYS * 1_440);
    propose(2).await.unwrap();
    assert_eq!(world.proposals.forget(), Ok(1));
    assert_eq!(reason(propose(3).await), Reason::AlreadyProposed);
    assert_eq!(world.proposals.deciding(appeal), Some([2; 16]));
    world.judge(&approver(), 2, "no").await.unwrap();
    assert_eq!(world.proposals.deciding(appeal), None);
}

#[tokio::test]
async fn nobody_agrees_with_an_own_decision_either() {
    let world = World::new().await;
    let appeal = open_appeal(&world, 1, NOW + 400);
    let both = person(9, &[Role::AppealsOfficer, Role::Approver]);
    world
        .propose(&both, &decision(1, appeal, false))
        .await
        .unwrap();
    assert_eq!(reason(world.judge(&both, 1, "").await), Reason::OwnProposal);
    assert_eq!(world.state(1), State::Waiting);
}

#[tokio::test]
async fn a_decision_waits_no_longer_than_its_appeal_but_an_hour_at_least() {
    let world = World::new().await;
    for (id, decide_by, lapses_at) in [
        (1, NOW + 400, NOW + 400),
        (2, NOW + 20, NOW + 60),
        (3, NOW - 300, NOW + 60),
        (4, NOW + 5_000, NOW + 1_440),
    ] {
        let appeal = open_appeal(&world, id, decide_by);
        let told = world
            .propose(&officer(), &decision(id, appeal, false))
            .await;
        assert_eq!(told, Ok(lapses_at), "{id}");
    }
}

#[tokio::test]
async fn nobody_reads_a_decision_without_the_appeal_that_it_is_about() {
    let world = World::new().await;
    let appeal = open_appeal(&world, 1, NOW + 400);
    world
        .propose(&officer(), &decision(1, appeal, false))
        .await
        .unwrap();
    *world.node.fake.refuses.lock() = Some(Reason::Overloaded);
    assert_eq!(reason(world.read(&approver(), 1).await), Reason::NodeSilent);
    *world.node.fake.refuses.lock() = None;
    // Decided otherwise meanwhile: the proposal is told without it.
    world.node.fake.appeals.lock().clear();
    let whole = world.read(&approver(), 1).await.unwrap();
    assert!(whole.appeal.is_none() && whole.what.is_some());
    assert_eq!(world.act_words(), ["proposed", "read", "read"]);
}

#[tokio::test]
async fn no_more_appeals_are_kept_in_memory_than_there_may_be() {
    let world = World::new().await;
    let office = world.proposals.offices().for_appeals(OFFICE).unwrap();
    let kept = Appeals::default();
    let known = open_appeal(&world, 1, NOW + 400);
    let shown = kept.ask(office, known, minute(NOW)).await.unwrap();
    {
        let mut all = kept.0.lock();
        for number in 0..600_u32 {
            let name = AppealId::new(minute(NOW - 1_000 + number), [9; 16]);
            all.insert((office.source, name), (minute(NOW), Arc::clone(&shown)));
        }
    }
    let other = open_appeal(&world, 2, NOW + 500);
    kept.ask(office, other, minute(NOW)).await.unwrap();
    assert_eq!(kept.0.lock().len(), KEPT_MAX);
    assert_eq!(*world.node.fake.reads.lock(), 2);
    kept.known(office, other, minute(NOW)).await.unwrap();
    assert_eq!(*world.node.fake.reads.lock(), 2);
    kept.forget(office.source, other);
    kept.known(office, other, minute(NOW)).await.unwrap();
    assert_eq!(*world.node.fake.reads.lock(), 3);
}

#[tokio::test]
async fn an_appeal_is_kept_in_memory_no_longer_than_a_session_after_it_was_read() {
    let world = World::new().await;
    let office = world.proposals.offices().for_appeals(OFFICE).unwrap();
    let kept = Appeals::default();
    let (first, second) = (open_appeal(&world, 1, NOW), open_appeal(&world, 2, NOW));
    kept.ask(office, first, minute(NOW)).await.unwrap();
    kept.ask(office, second, minute(NOW + 1)).await.unwrap();
    let known = async |name, at| kept.known(office, name, minute(at)).await.unwrap();
    known(first, NOW + 239).await;
    assert_eq!(*world.node.fake.reads.lock(), 2);
    kept.forget_old(minute(NOW + 240));
    assert_eq!(kept.0.lock().len(), 1);
    known(second, NOW + 240).await;
    assert_eq!(*world.node.fake.reads.lock(), 2);
    // Being decided does not make it stay; whoever decides it then has to see it again.
    known(second, NOW + 241).await;
    assert_eq!(*world.node.fake.reads.lock(), 3);
}
