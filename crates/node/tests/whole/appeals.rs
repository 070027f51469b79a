//! Appeals, from the resident's phone to the office's decision and back.

use ed25519_dalek::Signer as _;
use ledger::receipt::Content;
use prost::Message as _;
use rules::appeal::{Decision, Outcome, Words};
use rules::{CaseKind, ContactDegree, Event, EventBody, EventId, SourceId, SourceKind, TestResult};
use tonic::Status;
use tonic::transport::Channel;
use wire::pass::v1::Colour;
use wire::resident::v1 as r;
use wire::source::v1 as s;
use wire::source::v1::appeal_service_client::AppealServiceClient;
use wire::{
    AppealId, DecisionRequest, MAX_APPEALS, Reason, ShownAppeal, WaitingAppeals, decision_receipt,
    reason_of,
};

use crate::clients::{Phone, accepted, at_peers, event, fresh};
use crate::forward::{hand_in, until};
use crate::openings::of_source;
use crate::world::{House, START, Wish, World, minute, person, province, source, source_key};

const HOUR: u32 = 60;
const WORDS: &str = "样本属于他人。\nThe sample was another person's.";

pub(crate) fn office(home: u8) -> SourceId {
    source(home, SourceKind::AppealsOffice)
}

/// The office's service, as somebody reaches it.
fn desk(house: &House, who: SourceId) -> AppealServiceClient<Channel> {
    wire::client::appeal(at_peers(house, &of_source(who)))
}

pub(crate) async fn list(
    house: &House,
    who: SourceId,
    after: &[u8],
) -> Result<WaitingAppeals, Status> {
    let request = s::ListAppealsRequest {
        after: after.to_vec(),
    };
    let answer = desk(house, who).list_appeals(request).await?.into_inner();
    Ok(WaitingAppeals::try_from(&answer).unwrap())
}

/// All that waits, which fits one answer.
pub(crate) async fn waiting(house: &House) -> WaitingAppeals {
    list(house, office(house.home), b"").await.unwrap()
}

pub(crate) async fn read(
    house: &House,
    who: SourceId,
    appeal: AppealId,
) -> Result<ShownAppeal, Status> {
    let request = s::ReadAppealRequest {
        appeal: appeal.0.to_vec(),
    };
    let answer = desk(house, who).read_appeal(request).await?.into_inner();
    Ok(ShownAppeal::try_from(&answer).unwrap())
}

pub(crate) async fn hand_over(
    house: &House,
    who: SourceId,
    asked: &DecisionRequest,
) -> Result<s::DecideAppealResponse, Status> {
    let request = s::DecideAppealRequest::from(asked);
    let answer = desk(house, who).decide_appeal(request).await?;
    Ok(answer.into_inner())
}

pub(crate) fn ruling(of: &Event, by: SourceId, at: u32) -> Event {
    let body = EventBody::Ruling {
        target: of.id,
        at: minute(at),
    };
    event(of.subject, by, minute(at), body)
}

/// A decision as its office signs it, with a ruling where it upholds.
pub(crate) fn decided(
    appeal: AppealId,
    shown: &ShownAppeal,
    outcome: Outcome,
    at: u32,
) -> DecisionRequest {
    let decision = Decision {
        case_id: shown.case_id.0,
        event: shown.event.id,
        outcome,
        at: minute(at),
        source: office(33),
        words: Words::new(WORDS).unwrap(),
    };
    let ruling = (outcome == Outcome::Upheld).then(|| ruling(&shown.event, office(33), at));
    signed_as(appeal, decision, ruling.as_ref())
}

pub(crate) fn signed_as(
    appeal: AppealId,
    decision: Decision,
    ruling: Option<&Event>,
) -> DecisionRequest {
    let key = source_key(decision.source);
    let sign = |bytes: &[u8]| key.sign(bytes).to_bytes();
    DecisionRequest {
        appeal,
        signature: sign(&decision.signing_bytes()),
        ruling: ruling.map(|event| (event.to_bytes(), sign(&event.signing_bytes()))),
        decision,
    }
}

pub(crate) fn case(number: u16, at: u32) -> Event {
    let body = EventBody::Case {
        kind: CaseKind::Confirmed,
        at: minute(at),
        province: province(33),
    };
    event(
        person(33, number),
        source(33, SourceKind::Cdc),
        minute(at),
        body,
    )
}

pub(crate) async fn contest(
    phone: &mut Phone,
    case_id: [u8; 16],
    event: EventId,
) -> Result<r::CorrectionState, Status> {
    let call: r::CorrectRequest = phone.sign(&r::Correct {
        case_id: case_id.to_vec(),
        event_id: event.0.to_vec(),
        statement: "I was never tested".to_owned(),
    });
    Ok(phone.client.correct(call).await?.into_inner().state())
}

/// A resident who is red, and contests it.
pub(crate) async fn contested(house: &House, number: u16) -> (Phone, Event, [u8; 16]) {
    let mut phone = Phone::registered(house, number).await;
    let red = case(number, START - 60);
    accepted(house, &red).await;
    let id = fresh();
    let state = contest(&mut phone, id, red.id).await.unwrap();
    assert_eq!(state, r::CorrectionState::Open);
    (phone, red, id)
}

/// The one appeal that waits.
async fn only(house: &House) -> AppealId {
    let waiting = waiting(house).await;
    assert_eq!((waiting.appeals.len(), waiting.total), (1, 1));
    waiting.appeals[0].appeal
}

/// The same, read by the office.
pub(crate) async fn only_read(house: &House) -> (AppealId, ShownAppeal) {
    let appeal = only(house).await;
    let shown = read(house, office(33), appeal).await.unwrap();
    (appeal, shown)
}

pub(crate) fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> Option<Reason> {
    reason_of(&answer.unwrap_err())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appeal_is_listed_read_and_dismissed_and_its_resident_sees_who_read_it_and_why() {
    let world = World::new(Wish::default()).await;
    let house = world.house(33);
    let (mut phone, red, id) = contested(house, 1).await;
    let before = waiting(house).await;
    assert_eq!(
        (before.now, before.total, before.overdue),
        (minute(START), 1, 0)
    );
    let appeal = before.appeals[0].appeal;
    assert_eq!(before.appeals[0].opened_at, minute(START));
    assert_eq!(appeal.decide_by(), Some(minute(START + 8 * HOUR)));
    // Listing is no reading.
    assert!(phone.query("").await.unwrap().readings.is_empty());

    world.advance_to(START + 5);
    let shown = read(house, office(33), appeal).await.unwrap();
    assert!(shown.event == red && shown.case_id.0 == id);
    assert_eq!(shown.statement, "I was never tested");
    assert_eq!(shown.source, "33-cdc-1 cdc of 33");
    assert_eq!(
        (shown.opened_at, shown.decide_by),
        (minute(START), minute(START + 480))
    );
    let open = phone.query("").await.unwrap();
    let [reading] = &open.readings[..] else {
        panic!("{} readings", open.readings.len())
    };
    assert_eq!((&reading.purpose[..], reading.epoch), ("appeal", 0));
    assert_eq!(reading.reader, of_source(office(33)).to_string());
    assert_eq!(reading.at_minute, START + 5);
    let expected = r::Appeal {
        case_id: id.to_vec(),
        event_id: red.id.0.to_vec(),
        kind: "confirmed-case".to_owned(),
        opened_at_minute: START,
        decide_by_minute: START + 480,
        state: r::CorrectionState::Open.into(),
        ..Default::default()
    };
    assert!(open.appeals == [expected.clone()]);
    assert_eq!(open.encode_to_vec().len(), 16_000);

    let asked = decided(appeal, &shown, Outcome::Dismissed, START + 5);
    let answer = hand_over(house, office(33), &asked).await.unwrap();
    assert!(answer.ruling.is_none());
    let receipt = decision_receipt(&answer).unwrap().unwrap();
    assert_eq!(receipt.signed.receipt.content, Content::Decision);
    receipt.check_content(&asked.decision.to_bytes()).unwrap();
    assert_eq!(waiting(house).await.total, 0);
    assert_eq!(
        refused(read(house, office(33), appeal).await),
        Some(Reason::NotFound)
    );

    let after = phone.query("").await.unwrap();
    assert_eq!(after.colour(), Colour::Red);
    let expected = r::Appeal {
        state: r::CorrectionState::Dismissed.into(),
        decided_at_minute: START + 5,
        words: WORDS.to_owned(),
        office: "33-appeals-office-1 appeals-office of 33".to_owned(),
        decision: asked.decision.to_bytes(),
        signature: asked.signature.to_vec(),
        ..expected
    };
    assert!(after.appeals == [expected]);
    assert_eq!(after.encode_to_vec().len(), 16_000);
    let state = contest(&mut phone, id, red.id).await.unwrap();
    assert_eq!(state, r::CorrectionState::Dismissed);
    assert_eq!(
        waiting(house).await.total,
        0,
        "the same again changes nothing"
    );

    // The same decision again is answered as before, also when the clock has moved; another is not taken.
    world.advance_to(START + 30);
    let again = hand_over(house, office(33), &asked).await.unwrap();
    assert_eq!(again, answer);
    for outcome in [Outcome::Upheld, Outcome::Dismissed] {
        let other = decided(appeal, &shown, outcome, START + 6);
        let answer = hand_over(house, office(33), &other).await;
        assert_eq!(refused(answer), Some(Reason::AlreadyDecided));
    }
    assert_eq!(phone.query("").await.unwrap().colour(), Colour::Red);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appeal_is_upheld_by_a_ruling_and_the_colour_follows_the_ruling() {
    let world = World::new(Wish::default()).await;
    let house = world.house(33);
    let (mut phone, red, id) = contested(house, 1).await;
    assert_eq!(phone.query("").await.unwrap().colour(), Colour::Red);
    let (appeal, shown) = only_read(house).await;
    let asked = decided(appeal, &shown, Outcome::Upheld, START);
    let answer = hand_over(house, office(33), &asked).await.unwrap();
    let ruled = answer.ruling.clone().unwrap();
    assert_eq!(ruled.outcome(), s::EventOutcome::Accepted);
    assert!(!ruled.receipt.is_empty() && !answer.receipt.is_empty());

    let after = phone.query("").await.unwrap();
    assert_eq!(after.colour(), Colour::Green);
    let own = &after.appeals[0];
    assert_eq!(own.state(), r::CorrectionState::Upheld);
    assert_eq!((&own.words[..], own.decided_at_minute), (WORDS, START));
    let state = contest(&mut phone, id, red.id).await.unwrap();
    assert_eq!(state, r::CorrectionState::Upheld);
    assert_eq!(waiting(house).await.total, 0);

    let again = hand_over(house, office(33), &asked).await.unwrap();
    let ruled_again = again.ruling.unwrap();
    assert_eq!(ruled_again.outcome(), s::EventOutcome::Duplicate);
    assert_eq!(
        (ruled_again.receipt, again.receipt),
        (ruled.receipt, answer.receipt)
    );
    // What is void is not contested any more: the answer is that, and nobody has to decide.
    let state = contest(&mut phone, fresh(), red.id).await.unwrap();
    assert_eq!(state, r::CorrectionState::Upheld);
    assert_eq!(waiting(house).await.total, 0);
    let numbers = house.node.metrics().to_text();
    for line in [
        "viridian_appeal_decisions_total{outcome=\"upheld\"} 1",
        "viridian_appeal_decisions_total{outcome=\"dismissed\"} 0",
    ] {
        assert!(numbers.contains(line), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_province_stated_has_a_day_and_what_is_overdue_stays_first() {
    let world = World::new(Wish::default()).await;
    let (house, away) = (world.house(33), world.house(35));
    let mut phone = Phone::registered(house, 1).await;
    let positive = crate::forward::test(33, 1, START - 60, TestResult::Positive);
    assert_eq!(hand_in(away, &positive, 33).await, "forwarded");
    until(away, &positive, s::ForwardedState::Accepted).await;
    contest(&mut phone, fresh(), positive.id).await.unwrap();
    let foreign = only(house).await;
    assert_eq!(foreign.decide_by(), Some(minute(START + 24 * HOUR)));
    let shown = read(house, office(33), foreign).await.unwrap();
    assert_eq!(shown.source, "35-laboratory-1 laboratory of 35");
    let told = phone.query("").await.unwrap();
    assert_eq!(told.appeals[0].decide_by_minute, START + 24 * HOUR);

    world.advance_to(START + HOUR);
    let (_, _, _) = contested(house, 2).await;
    world.advance_to(START + 9 * HOUR);
    let now = waiting(house).await;
    assert_eq!(
        (now.total, now.overdue),
        (2, 0),
        "its last minute is not over"
    );
    world.advance_to(START + 9 * HOUR + 1);
    let now = waiting(house).await;
    assert_eq!((now.total, now.overdue), (2, 1));
    assert_eq!(now.appeals[1].appeal, foreign);
    // A list goes on where it is asked to.
    let first = now.appeals[0].appeal;
    let rest = list(house, office(33), &first.0).await.unwrap();
    assert_eq!(rest.appeals, now.appeals[1..]);
    assert_eq!((rest.total, rest.overdue), (2, 1));
    // An overdue appeal is decided as any other.
    let shown = read(house, office(33), first).await.unwrap();
    let asked = decided(first, &shown, Outcome::Dismissed, START + 9 * HOUR + 1);
    hand_over(house, office(33), &asked).await.unwrap();
    assert_eq!(waiting(house).await.overdue, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ruling_that_is_handed_in_alone_ends_every_appeal_against_its_event_and_may_be_explained()
{
    let world = World::new(Wish::default()).await;
    let house = world.house(33);
    let (mut phone, red, _) = contested(house, 1).await;
    let (appeal, shown) = only_read(house).await;
    contest(&mut phone, fresh(), red.id).await.unwrap();
    assert_eq!(waiting(house).await.total, 2);

    let ruled = ruling(&red, office(33), START);
    accepted(house, &ruled).await;
    assert_eq!(waiting(house).await.total, 0);
    let seen = phone.query("").await.unwrap();
    assert_eq!(seen.colour(), Colour::Green);
    assert_eq!(seen.appeals.len(), 2);
    for own in &seen.appeals {
        assert_eq!(own.state(), r::CorrectionState::Upheld);
        assert_eq!((own.decided_at_minute, &own.words[..]), (START, ""));
        assert_eq!(own.office, "33-appeals-office-1 appeals-office of 33");
        assert!(own.decision.is_empty() && own.signature.is_empty());
    }

    // Too late to dismiss it; with another ruling there is nothing to void; the ruling that is there may be explained.
    let dismissed = decided(appeal, &shown, Outcome::Dismissed, START);
    let answer = hand_over(house, office(33), &dismissed).await;
    assert_eq!(refused(answer), Some(Reason::AlreadyDecided));
    let other = decided(appeal, &shown, Outcome::Upheld, START);
    let answer = hand_over(house, office(33), &other).await.unwrap();
    assert_eq!(answer.ruling.unwrap().reason, "not-voidable");
    let explained = signed_as(appeal, other.decision, Some(&ruled));
    let answer = hand_over(house, office(33), &explained).await.unwrap();
    assert_eq!(answer.ruling.unwrap().outcome(), s::EventOutcome::Duplicate);
    assert!(!answer.receipt.is_empty());
    let words: Vec<String> = phone
        .query("")
        .await
        .unwrap()
        .appeals
        .into_iter()
        .map(|own| own.words)
        .collect();
    assert!(words.contains(&WORDS.to_owned()) && words.contains(&String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_has_eight_appeals_waiting_and_a_proxy_sees_none() {
    let world = World::new(Wish::default()).await;
    let house = world.house(33);
    let (mut phone, red, first) = contested(house, 1).await;
    for _ in 0..7 {
        contest(&mut phone, fresh(), red.id).await.unwrap();
    }
    let quota = Some(Reason::Quota);
    assert_eq!(refused(contest(&mut phone, fresh(), red.id).await), quota);
    let state = contest(&mut phone, first, red.id).await.unwrap();
    assert_eq!(state, r::CorrectionState::Open, "what waits is answered");
    let listed = waiting(house).await;
    assert_eq!((listed.total, listed.appeals.len()), (8, 8));
    assert!(listed.appeals.len() <= MAX_APPEALS);

    let key = wire::DeviceKey::of(&Phone::new(house, 501).key)
        .to_bytes()
        .to_vec();
    let call: r::SetProxyRequest = phone.sign(&r::SetProxy {
        proxy_key: key,
        label: "女儿".to_owned(),
        until_minute: START + 1_000,
    });
    phone.client.set_proxy(call).await.unwrap();
    let mut proxy = Phone::new(house, 501);
    assert_eq!(proxy.query("").await.unwrap().appeals.len(), 0);
    assert_eq!(
        refused(contest(&mut proxy, fresh(), red.id).await),
        Some(Reason::ProxyRefused)
    );

    // One that is decided makes room; what waits is shown before it.
    let appeal = listed.appeals[0].appeal;
    let shown = read(house, office(33), appeal).await.unwrap();
    let asked = decided(appeal, &shown, Outcome::Dismissed, START);
    hand_over(house, office(33), &asked).await.unwrap();
    contest(&mut phone, fresh(), red.id).await.unwrap();
    let seen = phone.query("").await.unwrap();
    assert_eq!(seen.appeals.len(), 8);
    let is_open = |own: &r::Appeal| own.state() == r::CorrectionState::Open;
    assert!(seen.appeals.iter().all(is_open));
    assert!(seen.encode_to_vec().len().is_multiple_of(16_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_takes_the_own_appeals_along() {
    let world = World::new(Wish::default()).await;
    let house = world.house(33);
    let (mut other, _, _) = contested(house, 2).await;
    let mut phone = Phone::registered(house, 1).await;
    // A negative is no ground, so that its resident may leave while it is contested.
    let body = EventBody::Test {
        sampled_at: minute(START - 60),
        result: TestResult::Negative,
    };
    let lab = source(33, SourceKind::Laboratory);
    let tests: Vec<Event> = (0..2)
        .map(|_| event(person(33, 1), lab, minute(START - 60), body))
        .collect();
    for test in &tests {
        accepted(house, test).await;
        contest(&mut phone, fresh(), test.id).await.unwrap();
    }
    let now = waiting(house).await;
    assert_eq!(now.total, 3);
    let mut own = Vec::new();
    for waiting in &now.appeals {
        let shown = read(house, office(33), waiting.appeal).await.unwrap();
        if shown.event.subject == phone.person {
            own.push((waiting.appeal, shown));
        }
    }
    let asked = decided(own[0].0, &own[0].1, Outcome::Dismissed, START);
    hand_over(house, office(33), &asked).await.unwrap();
    assert_eq!(crate::appeals_kept::appeal_rows(&house.store), [3, 1]);

    crate::leave::leave(&mut phone).await.unwrap();
    assert_eq!(crate::appeals_kept::appeal_rows(&house.store), [1, 0]);
    assert_eq!(waiting(house).await.total, 1);
    for (appeal, _) in &own {
        assert_eq!(
            refused(read(house, office(33), *appeal).await),
            Some(Reason::NotFound)
        );
    }
    assert_eq!(
        refused(hand_over(house, office(33), &asked).await),
        Some(Reason::NotFound)
    );
    assert_eq!(other.query("").await.unwrap().appeals.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_can_be_had_again_once_an_appeal_is_upheld() {
    use crate::passes::{ask, epoch, make, negative, request};
    let world = World::new(Wish::default()).await;
    let house = world.house(33);
    let mut phone = Phone::registered(house, 1).await;
    negative(house, 1, START - 60).await;
    let body = EventBody::Contact {
        degree: ContactDegree::Secondary,
        last_contact_at: minute(START - 30),
        province: province(33),
    };
    let cdc = source(33, SourceKind::Cdc);
    let contact = event(person(33, 1), cdc, minute(START - 30), body);
    accepted(house, &contact).await;
    contest(&mut phone, fresh(), contact.id).await.unwrap();
    epoch(&world, 1).await;
    let body = request(1, Colour::Green, wire::pass::v1::TestAge::NotAsked, "");
    ask(&mut phone, &body).await.unwrap();
    assert_eq!(
        refused(make(&mut phone, &body).await),
        Some(Reason::ClaimNotSupported)
    );

    let (appeal, shown) = only_read(house).await;
    let asked = decided(appeal, &shown, Outcome::Upheld, START);
    hand_over(house, office(33), &asked).await.unwrap();
    world.advance_to(START + 60);
    epoch(&world, 2).await;
    let body = request(1, Colour::Green, wire::pass::v1::TestAge::NotAsked, "");
    ask(&mut phone, &body).await.unwrap();
    assert_eq!(make(&mut phone, &body).await.unwrap().passes.len(), 1);
}
