//! Openings that a node does not make, each by its reason, and what is left of a refused one.

use ledger::receipt::HeldReceipt;
use node::config::Openings;
use node::store::{Store as _, Table};
use rules::SourceKind;
use source::Question;
use source::ask::AskError;
use verifier::trust::OpeningEntry;
use wire::Reason;

use crate::clients::{Phone, at_peers};
use crate::leave::leave;
use crate::openings::{
    ask_as, diagnosed, of_source, offered_world, offering, released, stated, tested,
};
use crate::passes::epoch;
use crate::provers::openings_entry;
use crate::retention::DAY;
use crate::world::{House, START, Wish, World, minute, source};

async fn refusal(house: &House, question: &Question, epoch: u32) -> Reason {
    refusal_as(house, question.event.source, question, epoch).await
}

async fn refusal_as(
    house: &House,
    who: rules::SourceId,
    question: &Question,
    epoch: u32,
) -> Reason {
    match ask_as(house, who, question, epoch).await {
        Err(AskError::Refused { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

fn readings(house: &House) -> usize {
    let rows = house.store.scan(Table::Reads, b"", None, 99).unwrap();
    rows.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_source_with_the_homes_receipt_is_answered_and_else_nothing_is_read() {
    let world = World::new(offered_world()).await;
    let home = world.house(33);
    let asked = stated(home, &tested(33, 0, START - 60)).await;
    let other = stated(home, &tested(33, 0, START - 120)).await;
    let ill = stated(home, &diagnosed(0, START - 3 * DAY)).await;
    let end = stated(home, &released(&ill.event, START - 60)).await;
    epoch(&world, 1).await;

    // Another source with the same papers, of this province and of another.
    for who in [
        source(33, SourceKind::Cdc),
        source(35, SourceKind::Laboratory),
    ] {
        let refused = refusal_as(home, who, &asked, 1).await;
        assert_eq!(refused, Reason::NotFound, "{who}");
    }
    // A certificate of a province that is no member.
    let stranger = source(11, SourceKind::Laboratory);
    assert_eq!(
        refusal_as(home, stranger, &asked, 1).await,
        Reason::RoleRefused
    );
    // The receipt for another event, one that nobody signed, and that of a home which was not asked.
    let mut wrong = asked.clone();
    wrong.receipt = other.receipt.clone();
    assert_eq!(refusal(home, &wrong, 1).await, Reason::ReceiptRefused);
    let mut forged = asked.clone();
    forged.receipt.signed.signature[5] ^= 1;
    assert_eq!(refusal(home, &forged, 1).await, Reason::ReceiptRefused);
    let mut salted = asked.clone();
    salted.receipt.salt.0[0] ^= 1;
    assert_eq!(refusal(home, &salted, 1).await, Reason::ReceiptRefused);
    let away = world.house(35);
    assert_eq!(refusal(away, &asked, 1).await, Reason::ReceiptRefused);
    // An event that was never handed in: the begin moved by a minute.
    let mut never = asked.clone();
    never.event = tested(33, 0, START - 61);
    assert_eq!(refusal(home, &never, 1).await, Reason::ReceiptRefused);
    // A release states nothing by itself.
    assert_eq!(refusal(home, &end, 1).await, Reason::NothingToOpen);
    assert_eq!(refusal(home, &asked, 2).await, Reason::UnknownEpoch);
    assert_eq!(readings(home), 0);
    let beyond = Question {
        ended_not_before: Some(minute(START - 59)),
        ..ill
    };
    assert_eq!(refusal(home, &beyond, 1).await, Reason::EndedBefore);
    // That was learnt from the record, so the resident is told of it.
    assert_eq!(readings(home), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_gone_or_older_than_the_receipt_is_not_opened() {
    let world = World::new(offered_world()).await;
    let home = world.house(33);
    let first = stated(home, &tested(33, 0, START - 60)).await;
    assert_eq!(refusal(home, &first, 1).await, Reason::UnknownEpoch);
    epoch(&world, 1).await;
    world.advance_to(START + 30);
    let later = stated(home, &tested(33, 0, START + 10)).await;
    assert_eq!(refusal(home, &later, 1).await, Reason::NotCommitted);
    world.advance_to(START + 60);
    epoch(&world, 2).await;
    assert_eq!(refusal(home, &first, 1).await, Reason::SampleGone);
    assert!(ask_as(home, first.event.source, &first, 2).await.is_ok());
    // Of what was refused nothing was read.
    assert_eq!(readings(home), 1);
    // Of somebody who has left there is no record, whoever holds a receipt.
    let mut phone = Phone::registered(home, 0).await;
    leave(&mut phone).await.unwrap();
    assert_eq!(refusal(home, &first, 2).await, Reason::NotFound);
    assert_eq!(readings(home), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_a_key_that_the_root_document_names_offers_nothing() {
    let other: OpeningEntry = OpeningEntry {
        matrix_digest: [8; 32],
        ..openings_entry()
    };
    for wish in [Wish::default(), offering(Vec::new()), offering(vec![other])] {
        let world = World::new(wish).await;
        let home = world.house(33);
        let asked = stated(home, &tested(33, 0, START - 60)).await;
        epoch(&world, 1).await;
        assert_eq!(refusal(home, &asked, 1).await, Reason::OpeningNotOffered);
        assert_eq!(readings(home), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_event_is_opened_four_times_in_a_registry_and_a_source_has_its_share() {
    let mut wish = offered_world();
    let settings = &mut wish.openings.as_mut().unwrap().settings;
    *settings = Openings {
        per_source_per_h: 1,
        per_source_burst: 6,
        ..settings.clone()
    };
    let world = World::new(wish).await;
    let home = world.house(33);
    let asked = stated(home, &tested(33, 0, START - 60)).await;
    let other = stated(home, &tested(33, 1, START - 60)).await;
    epoch(&world, 1).await;
    let lab = asked.event.source;
    for _ in 0..4 {
        ask_as(home, lab, &asked, 1).await.unwrap();
    }
    assert_eq!(refusal(home, &asked, 1).await, Reason::Quota);
    assert_eq!(readings(home), 4);
    // It had five of its six; the seventh has to wait for an hour.
    ask_as(home, lab, &other, 1).await.unwrap();
    match ask_as(home, lab, &other, 1).await {
        Err(AskError::Refused {
            reason: Reason::Quota,
            wait: Some(wait),
        }) => assert!(wait.as_secs() > 3_000, "{wait:?}"),
        answered => panic!("{answered:?}"),
    }
    assert_eq!(readings(home), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_another_form_is_refused_by_its_field_before_anything_is_looked_at() {
    let world = World::new(offered_world()).await;
    let home = world.house(33);
    let asked = stated(home, &tested(33, 0, START - 60)).await;
    epoch(&world, 1).await;
    let sound = wire::source::v1::OpenEventRequest {
        event: asked.event.to_bytes(),
        receipt: HeldReceipt::to_bytes(&asked.receipt),
        epoch: 1,
        ended_not_before_minute: None,
    };
    let channel = at_peers(home, &of_source(asked.event.source));
    for (change, reason) in [
        (
            (|r: &mut wire::source::v1::OpenEventRequest| r.event.resize(4_000, 0))
                as fn(&mut wire::source::v1::OpenEventRequest),
            Reason::TooLarge,
        ),
        (|r| r.receipt.resize(4_000, 0), Reason::TooLarge),
        (|r| r.event.truncate(9), Reason::Malformed),
        (|r| r.receipt.truncate(40), Reason::Malformed),
        (|r| r.epoch = 0, Reason::Malformed),
        (
            |r| r.ended_not_before_minute = Some(u32::MAX),
            Reason::Malformed,
        ),
    ] {
        let mut request = sound.clone();
        change(&mut request);
        let mut client = wire::client::opening(channel.clone());
        let status = client.open_event(request).await.unwrap_err();
        assert_eq!(wire::reason_of(&status), Some(reason));
    }
    let mut client = wire::client::opening(channel);
    assert!(client.open_event(sound).await.is_ok());
}
