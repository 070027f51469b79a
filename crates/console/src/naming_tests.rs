use p256::ecdsa::SigningKey;
use rules::SourceKind;
use wire::Reason;
use wire::console::v1 as proto;

use super::*;
use crate::node::fake::source;
use crate::proposals::event_id;
use crate::proposals::world::{
    KEEP_DAYS, NOW, World, approver, clerk, minute, number_of, officer, person, resident,
};
use crate::{ConsoleError, Role};

type Asked = proto::propose_request::What;

const DAY: u32 = 1_440;

fn key() -> DeviceKey {
    DeviceKey::of(&SigningKey::from_slice(&[7; 32]).unwrap())
}

fn form() -> proto::ProxyNaming {
    proto::ProxyNaming {
        source: source(SourceKind::CommunityOffice).to_string(),
        identity_number: number_of(5),
        proxy_key: key().to_bytes().to_vec(),
        until_minute: NOW + 30 * DAY,
    }
}

fn request(id: u8, naming: proto::ProxyNaming) -> proto::ProposeRequest {
    proto::ProposeRequest {
        proposal_id: vec![id; 16],
        what: Some(Asked::Naming(naming)),
        grounds: "came to the counter with her grandson".to_owned(),
    }
}

fn reason<T>(answer: Result<T, ConsoleError>) -> Reason {
    answer.err().expect("a refusal").reason()
}

#[tokio::test]
async fn two_persons_name_a_proxy_and_the_office_signs_it() {
    let world = World::new().await;
    let named = request(1, form());
    let lapses_at = world.propose(&clerk(), &named).await.unwrap();
    assert_eq!(lapses_at, NOW + DAY);
    // The same again is one proposal, and another under its name is none.
    assert_eq!(world.propose(&clerk(), &named).await, Ok(lapses_at));
    let mut longer = form();
    longer.until_minute += 1;
    let other = world.propose(&clerk(), &request(1, longer)).await;
    assert_eq!(reason(other), Reason::IdReused);
    assert_eq!(
        reason(world.judge(&clerk(), 1, "").await),
        Reason::RoleRefused
    );
    assert!(
        world.node.fake.namings.lock().is_empty(),
        "nobody agreed yet"
    );
    let whole = world.read(&approver(), 1).await.unwrap();
    let shown = Some(proto::read_proposal_response::What::Naming(form()));
    assert!(whole.what == shown);
    let line = world.judge(&approver(), 1, "").await.unwrap();
    assert_eq!(line.state(), proto::ProposalState::Done);
    assert!(line.is_naming && line.kind == 0 && line.node_reason.is_empty());
    // The fake checks the signature against the office's key.
    let office = source(SourceKind::CommunityOffice);
    let expected = Naming {
        request_id: event_id(&[1; 16], office).0,
        subject: resident(5),
        proxy_key: key().to_bytes(),
        until: minute(NOW + 30 * DAY),
        source: office,
    };
    assert_eq!(world.node.fake.namings.lock()[..], [expected]);
    assert_eq!(world.act_words(), ["proposed", "read", "agreed", "taken"]);
    let acts = world.acts();
    assert!(
        acts.iter()
            .all(|act| act.words == "33-community-office-1 proxy")
    );
    // Whom it was about goes when its time is over.
    world.pass_min((KEEP_DAYS + 1) * DAY);
    assert_eq!(world.proposals.forget(), Ok(1));
    assert!(world.read(&approver(), 1).await.unwrap().what.is_none());
}

#[tokio::test]
async fn nobody_agrees_with_a_proxy_that_they_proposed() {
    let world = World::new().await;
    let both = approver();
    world.propose(&both, &request(1, form())).await.unwrap();
    assert_eq!(reason(world.judge(&both, 1, "").await), Reason::OwnProposal);
    let other = person(4, &[Role::Approver]);
    let line = world.judge(&other, 1, "not her grandson").await.unwrap();
    assert_eq!(line.state(), proto::ProposalState::Refused);
    assert!(world.node.fake.namings.lock().is_empty());
}

#[tokio::test]
async fn each_bad_form_is_refused_for_its_own_reason_and_nothing_is_stored() {
    let world = World::new().await;
    let with = |change: fn(&mut proto::ProxyNaming)| {
        let mut naming = form();
        change(&mut naming);
        request(1, naming)
    };
    for (bad, why) in [
        (
            with(|n| n.source = "33-cdc-1".to_owned()),
            Reason::NotEntitled,
        ),
        (
            with(|n| n.source = "33-community-office-2".to_owned()),
            Reason::UnknownOffice,
        ),
        (
            with(|n| n.identity_number.replace_range(17.., "?")),
            Reason::BadIdentityNumber,
        ),
        (with(|n| n.proxy_key.clear()), Reason::Malformed),
        (with(|n| n.proxy_key = vec![0; 33]), Reason::Malformed),
        (with(|n| n.until_minute = NOW), Reason::Malformed),
        (
            with(|n| n.until_minute = NOW + 366 * DAY + 1),
            Reason::Malformed,
        ),
        (with(|n| n.until_minute = u32::MAX), Reason::Malformed),
    ] {
        assert_eq!(reason(world.propose(&clerk(), &bad).await), why);
    }
    for other in [officer(), person(5, &[Role::Approver, Role::Operator])] {
        let refused = world.propose(&other, &request(1, form())).await;
        assert_eq!(reason(refused), Reason::RoleRefused);
    }
    assert!(world.acts().is_empty());
    let longest = with(|n| n.until_minute = NOW + 366 * DAY);
    assert!(world.propose(&clerk(), &longest).await.is_ok());
}

#[tokio::test]
async fn what_the_node_refuses_is_told_by_its_code_and_what_it_does_not_answer_is_tried_again() {
    let world = World::new().await;
    for (id, why) in [
        (1, Reason::LivesElsewhere),
        (2, Reason::AlreadyBound),
        (3, Reason::RoleRefused),
        // A limit of the person's, which passes with no waiting.
        (4, Reason::TooManyProxies),
    ] {
        world.propose(&clerk(), &request(id, form())).await.unwrap();
        *world.node.fake.refuses.lock() = Some(why);
        let line = world.judge(&approver(), id, "").await.unwrap();
        assert_eq!(line.state(), proto::ProposalState::RefusedByNode, "{why:?}");
        assert_eq!(line.node_reason, why.code());
    }
    world.propose(&clerk(), &request(5, form())).await.unwrap();
    *world.node.fake.refuses.lock() = Some(Reason::Overloaded);
    let line = world.judge(&approver(), 5, "").await.unwrap();
    assert_eq!(line.state(), proto::ProposalState::Sending);
    *world.node.fake.refuses.lock() = None;
    world.proposals.hand_in(line.number).await.unwrap();
    let namings = world.node.fake.namings.lock().clone();
    assert!(namings.len() == 6 && namings[4] == namings[5]);
    assert_eq!(
        world.list(&approver(), false).proposals[0].state(),
        proto::ProposalState::Done
    );
}
