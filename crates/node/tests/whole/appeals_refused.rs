//! What no office for appeals can do: read or decide what is not its own, and state anything but a ruling.

use ed25519_dalek::Signer as _;
use rules::appeal::{Decision, Outcome};
use rules::{Event, EventBody, SourceId, SourceKind};
use wire::pass::v1::Colour;
use wire::resident::v1 as r;
use wire::source::v1 as s;
use wire::{AppealId, DecisionRequest, Reason};

use crate::appeals::{
    case, contested, decided, hand_over, list, office, only_read, read, refused, ruling, signed_as,
    waiting,
};
use crate::clients::{signed, submit};
use crate::world::{START, Wish, World, minute, person, source, source_key};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_an_office_for_appeals_of_the_own_province_lists_reads_or_decides() {
    let world = World::new(Wish::default()).await;
    let house = world.house(33);
    let (mut phone, _, _) = contested(house, 1).await;
    let (appeal, shown) = only_read(house).await;
    let unknown = SourceId {
        number: 2,
        ..office(33)
    };
    let kinds = SourceKind::ALL.into_iter();
    let others =
        kinds.filter(|kind| !matches!(kind, SourceKind::AppealsOffice | SourceKind::Resident));
    let others = others.map(|kind| source(33, kind));
    for who in others.chain([office(35), unknown]) {
        let role = Some(Reason::RoleRefused);
        assert_eq!(refused(list(house, who, b"").await), role, "{who}");
        assert_eq!(refused(read(house, who, appeal).await), role, "{who}");
        let mut asked = decided(appeal, &shown, Outcome::Upheld, START);
        asked.decision.source = who;
        let ruling = ruling(&shown.event, who, START);
        let asked = signed_as(appeal, asked.decision, Some(&ruling));
        assert_eq!(refused(hand_over(house, who, &asked).await), role, "{who}");
    }
    let seen = phone.query("").await.unwrap();
    assert_eq!((seen.readings_total, seen.colour()), (1, Colour::Red));
    assert_eq!(waiting(house).await.total, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_that_is_not_this_office_s_about_this_appeal_decides_nothing() {
    let world = World::new(Wish::default()).await;
    let house = world.house(33);
    let (mut phone, red, _) = contested(house, 1).await;
    let (appeal, shown) = only_read(house).await;
    // Somebody else's, who contests as well.
    let (_, others, _) = contested(house, 2).await;
    let good = || decided(appeal, &shown, Outcome::Upheld, START).decision;
    let own = ruling(&red, office(33), START);
    let of_other = ruling(&others, office(33), START);
    let no_ruling = Event {
        body: EventBody::Release {
            target: red.id,
            at: minute(START),
        },
        ..own
    };
    let of_other_person = Event {
        subject: person(33, 2),
        ..own
    };
    let wrong = |change: &dyn Fn(&mut Decision)| {
        let mut decision = good();
        change(&mut decision);
        signed_as(appeal, decision, Some(&own))
    };
    let mut forged = signed_as(appeal, good(), Some(&own));
    forged.signature[7] ^= 1;
    let foreign = DecisionRequest {
        signature: source_key(office(35))
            .sign(&good().signing_bytes())
            .to_bytes(),
        ..signed_as(appeal, good(), Some(&own))
    };
    let refusals = [
        (forged, Reason::BadSignature),
        (foreign, Reason::BadSignature),
        (wrong(&|d| d.case_id[0] ^= 1), Reason::DecisionRefused),
        (wrong(&|d| d.event.0[0] ^= 1), Reason::DecisionRefused),
        (
            wrong(&|d| d.at = minute(START + 6)),
            Reason::DecisionRefused,
        ),
        (
            wrong(&|d| d.at = minute(START - 6)),
            Reason::DecisionRefused,
        ),
        (
            signed_as(appeal, good(), Some(&of_other)),
            Reason::DecisionRefused,
        ),
        (
            signed_as(appeal, good(), Some(&no_ruling)),
            Reason::DecisionRefused,
        ),
        (
            signed_as(appeal, good(), Some(&of_other_person)),
            Reason::DecisionRefused,
        ),
        (signed_as(appeal, good(), None), Reason::Malformed),
        (
            signed_as(
                AppealId::new(minute(START + 480), [9; 16]),
                good(),
                Some(&own),
            ),
            Reason::NotFound,
        ),
    ];
    for (number, (asked, reason)) in refusals.iter().enumerate() {
        let answer = hand_over(house, office(33), asked).await;
        assert_eq!(refused(answer), Some(*reason), "{number}");
    }
    // Another office's name, in a decision that it did not sign.
    let mut named = good();
    named.source = office(35);
    let mut named = signed_as(appeal, named, Some(&own));
    named.signature = source_key(office(33))
        .sign(&named.decision.signing_bytes())
        .to_bytes();
    assert_eq!(
        refused(hand_over(house, office(33), &named).await),
        Some(Reason::DecisionRefused)
    );
    assert_eq!(waiting(house).await.total, 2);
    let seen = phone.query("").await.unwrap();
    assert_eq!(seen.colour(), Colour::Red);
    assert_eq!(seen.appeals[0].state(), r::CorrectionState::Open);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ruling_that_intake_refuses_is_told_and_nothing_is_decided_until_a_good_one_comes() {
    let world = World::new(Wish::default()).await;
    let house = world.house(33);
    let (mut phone, red, _) = contested(house, 1).await;
    let (appeal, shown) = only_read(house).await;
    let good = || decided(appeal, &shown, Outcome::Upheld, START).decision;
    let own = ruling(&red, office(33), START);
    let early = ruling(&red, office(33), START - 90);
    let mut unsigned = signed_as(appeal, good(), Some(&own));
    unsigned.ruling.as_mut().unwrap().1[3] ^= 1;
    for (asked, code) in [
        (signed_as(appeal, good(), Some(&early)), "before-target"),
        (unsigned, "bad-signature"),
    ] {
        let answer = hand_over(house, office(33), &asked).await.unwrap();
        let ruled = answer.ruling.unwrap();
        assert_eq!(
            (ruled.outcome(), &ruled.reason[..]),
            (s::EventOutcome::Refused, code)
        );
        assert!(answer.receipt.is_empty());
    }
    assert_eq!(waiting(house).await.total, 1);
    assert_eq!(phone.query("").await.unwrap().colour(), Colour::Red);
    // The good one is taken, with the clock that an office may have.
    let mut ahead = good();
    ahead.at = minute(START + 5);
    let answer = hand_over(house, office(33), &signed_as(appeal, ahead, Some(&own))).await;
    assert_eq!(
        answer.unwrap().ruling.unwrap().outcome(),
        s::EventOutcome::Accepted
    );
    assert_eq!(phone.query("").await.unwrap().colour(), Colour::Green);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_hands_in_no_other_event_by_a_decision() {
    let world = World::new(Wish::default()).await;
    let house = world.house(33);
    let (_, red, _) = contested(house, 1).await;
    let (appeal, shown) = only_read(house).await;
    // An event of another source, signed by that source, beside a decision of the office.
    let cdc = case(1, START - 30);
    let mut asked = decided(appeal, &shown, Outcome::Upheld, START);
    let message = signed(&cdc);
    asked.ruling = Some((message.event, message.signature.try_into().unwrap()));
    let answer = hand_over(house, office(33), &asked).await.unwrap();
    assert_eq!(answer.ruling.unwrap().reason, "unknown-source");
    let results = submit(house, red.source, vec![signed(&cdc)]).await.unwrap();
    assert_eq!(
        results[0].outcome(),
        s::EventOutcome::Accepted,
        "it was not there"
    );
    assert_eq!(waiting(house).await.total, 1);
}
