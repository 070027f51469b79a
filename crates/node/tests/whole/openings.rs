//! Openings: a source that holds a receipt has the record opened at its event, and judges the answer by itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use commitment::Epoch;
use commitment::opening::Answer;
use federation::{PeerId, Role, Timeouts, connect};
use ledger::receipt::HeldReceipt;
use node::config::{Limits, Openings, Parameters};
use rules::{CaseKind, Event, EventBody, SourceId, SourceKind, TestResult};
use source::ask::{self, AskError};
use source::{Judges, OpeningFault, Question, newest_epoch};
use verifier::opening::{OPENING_LEN_BYTES, Opened, OpeningRefusal};
use verifier::trust::{Candidate, OpeningEntry, TrustList};
use verifier::{CircuitUse, UnixTime};
use wire::OpeningRequest;
use wire::source::v1::{EventOutcome, ForwardedState};

use crate::clients::{Phone, at_peers, event, signed, submit};
use crate::forward::{hand_in, until};
use crate::passes::epoch;
use crate::provers::{OPENINGS, openings_entry};
use crate::retention::DAY;
use crate::world::{
    House, START, Wish, WishedOpenings, World, credentials, federation, minute, person, province,
    root_keys, source,
};

/// Houses that offer openings under the test key, named as wished.
pub(crate) fn offering(named: Vec<OpeningEntry>) -> Wish {
    Wish {
        openings: Some(WishedOpenings {
            prover: Arc::clone(&OPENINGS),
            settings: Openings {
                parameters: Parameters::Test {
                    seed: String::new(),
                    cache_dir: "unused".into(),
                },
                at_once: 2,
                per_source_per_h: 60,
                per_source_burst: 20,
            },
            named,
        }),
        limits: Limits {
            deadline_s: 60,
            ..Limits::default()
        },
        ..Wish::default()
    }
}

pub(crate) fn offered_world() -> Wish {
    offering(vec![openings_entry()])
}

pub(crate) fn of_source(id: SourceId) -> PeerId {
    PeerId {
        federation: federation(),
        province: id.province,
        role: Role::Source(id.kind, id.number),
    }
}

/// Hands an event in and gives what its source can ask about it.
pub(crate) async fn stated(house: &House, event: &Event) -> Question {
    let results = submit(house, event.source, vec![signed(event)]).await;
    let result = results.unwrap().remove(0);
    assert_eq!(
        result.outcome(),
        EventOutcome::Accepted,
        "{}",
        result.reason
    );
    question(event, &result.receipt)
}

pub(crate) fn question(event: &Event, receipt: &[u8]) -> Question {
    Question {
        event: *event,
        receipt: HeldReceipt::from_bytes(receipt).unwrap(),
        ended_not_before: None,
    }
}

pub(crate) fn tested(home: u8, number: u16, at: u32) -> Event {
    let body = EventBody::Test {
        sampled_at: minute(at),
        result: TestResult::Negative,
    };
    let lab = source(home, SourceKind::Laboratory);
    event(person(home, number), lab, minute(at), body)
}

pub(crate) fn diagnosed(number: u16, at: u32) -> Event {
    let body = EventBody::Case {
        kind: CaseKind::Confirmed,
        at: minute(at),
        province: province(33),
    };
    let cdc = source(33, SourceKind::Cdc);
    event(person(33, number), cdc, minute(at), body)
}

pub(crate) fn released(of: &Event, at: u32) -> Event {
    let body = EventBody::Release {
        target: of.id,
        at: minute(at),
    };
    event(of.subject, of.source, minute(at), body)
}

/// Asks a house as somebody, about a registry.
pub(crate) async fn ask_as(
    house: &House,
    who: SourceId,
    question: &Question,
    number: u32,
) -> Result<[u8; OPENING_LEN_BYTES], AskError> {
    let request = OpeningRequest {
        event: question.event,
        receipt: question.receipt.clone(),
        epoch: Epoch::new(number),
        ended_not_before: question.ended_not_before,
    };
    // Tests share the machine, and a proof takes as long as it gets.
    let patient = Timeouts {
        call: Duration::from_mins(2),
        ..ask::TIMEOUTS
    };
    let node = PeerId::node(&federation(), province(house.home));
    let address = house.peers_at.to_string();
    let who = Arc::new(credentials(&of_source(who)));
    let channel = connect(&address, node, who, patient).unwrap();
    ask::open_event(channel, &request).await
}

/// The trust list as a source fetches it.
pub(crate) async fn list_of(house: &House, who: SourceId) -> Candidate {
    let bytes = ask::trust_list(at_peers(house, &of_source(who))).await;
    let now = house.node.clock().now().get();
    let now = UnixTime::from_s(u64::from(now) * 60);
    TrustList::consider(&bytes.unwrap(), None, &root_keys(), now).unwrap()
}

pub(crate) fn judges(list: &Candidate) -> Judges<'_> {
    Judges {
        federation: "test",
        list,
        admits_test_key: true,
    }
}

/// Asks about the newest registry and judges.
async fn opened(house: &House, question: &Question) -> Result<Opened, OpeningFault> {
    let who = question.event.source;
    let list = list_of(house, who).await;
    let newest = newest_epoch(&list)?;
    let answer = ask_as(house, who, question, newest.get()).await.unwrap();
    question.judge(&answer, newest, &judges(&list))
}

async fn answer(house: &House, question: &Question) -> Answer {
    opened(house, question).await.unwrap().answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_has_its_event_opened_and_the_resident_is_shown_who_asked() {
    let world = World::new(offered_world()).await;
    let home = world.house(33);
    let mut phone = Phone::registered(home, 0).await;
    let stands = stated(home, &tested(33, 0, START - 60)).await;
    let ended = stated(home, &diagnosed(0, START - 3 * DAY)).await;
    stated(home, &released(&ended.event, START - 60)).await;
    // Ten negative tests, of which a record holds eight.
    let mut tests = Vec::new();
    for number in 0..10 {
        let at = START - 9 * DAY + 600 * number;
        tests.push(stated(home, &tested(33, 1, at)).await);
    }
    world.advance_to(START + 5);
    epoch(&world, 1).await;

    let began = Instant::now();
    let opened = opened(home, &stands).await.unwrap();
    println!("asked, proved and judged in {:?}", began.elapsed());
    assert_eq!(opened.answer, Answer::Stands);
    assert_eq!(opened.circuit_use, CircuitUse::Test);
    assert_eq!(opened.head_time, minute(START + 5));
    assert_eq!(answer(home, &tests[0]).await, Answer::Absent);
    assert_eq!(answer(home, &tests[9]).await, Answer::Stands);
    // The source of a release asks whether what it released has ended, no earlier than it said.
    assert_eq!(answer(home, &ended).await, Answer::Ended);
    let by_release = Question {
        ended_not_before: Some(minute(START - 60)),
        ..ended.clone()
    };
    assert_eq!(answer(home, &by_release).await, Answer::Ended);

    // Who was read is told; asking tells of oneself nothing.
    let readings = phone.query("").await.unwrap().readings;
    let told: Vec<(&str, &str, u32)> = readings
        .iter()
        .map(|read| (&*read.purpose, &*read.reader, read.epoch))
        .collect();
    let lab = "spiffe://viridian/test/33/source/laboratory/1";
    let cdc = "spiffe://viridian/test/33/source/cdc/1";
    let of = |reader| {
        told.iter()
            .filter(move |read| **read == ("opening", reader, 1))
    };
    assert_eq!((of(lab).count(), of(cdc).count(), told.len()), (1, 2, 3));
    let mut other = Phone::registered(home, 5).await;
    assert_eq!(other.query("").await.unwrap().readings.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_of_another_province_asks_the_home_that_took_its_event() {
    let world = World::new(offered_world()).await;
    let (home, away) = (world.house(33), world.house(35));
    let body = EventBody::Test {
        sampled_at: minute(START - 90),
        result: TestResult::Positive,
    };
    let lab = source(35, SourceKind::Laboratory);
    let positive = event(person(33, 1), lab, minute(START - 60), body);
    assert_eq!(hand_in(away, &positive, 33).await, "forwarded");
    let told = until(away, &positive, ForwardedState::Accepted).await;
    let asked = question(&positive, &told.receipt);
    world.advance_to(START + 5);
    epoch(&world, 1).await;
    assert_eq!(answer(home, &asked).await, Answer::Stands);
    // The province that only handed it on gave no receipt, and is not asked.
    let refused = ask_as(away, lab, &asked, 1).await;
    assert!(matches!(refused, Err(AskError::Refused { reason, .. })
        if reason == wire::Reason::ReceiptRefused));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_longer_altered_or_of_another_record_is_not_believed() {
    let world = World::new(offered_world()).await;
    let home = world.house(33);
    let asked = stated(home, &tested(33, 0, START - 60)).await;
    let of_another = stated(home, &tested(33, 1, START - 60)).await;
    epoch(&world, 1).await;
    let lab = asked.event.source;
    let list = list_of(home, lab).await;
    let by = judges(&list);
    let one = Epoch::new(1);
    let answer = ask_as(home, lab, &asked, 1).await.unwrap();
    assert_eq!(
        asked.judge(&answer, one, &by).unwrap().answer,
        Answer::Stands
    );

    for wrong in [
        &answer[..718],
        &[&answer[..], &[0]].concat(),
        &[],
        &[7; 719],
    ] {
        let judged = asked.judge(wrong, one, &by);
        assert!(matches!(judged, Err(OpeningFault::Form(_))), "{judged:?}");
    }
    // Version and circuit are told apart by their errors; of the rest one byte of each part.
    for at in [0, 1, 8, 9, 12, 20, 50, 540, 570, 590, 591, 640, 718] {
        let mut altered = answer;
        altered[at] ^= 1;
        assert!(asked.judge(&altered, one, &by).is_err(), "byte {at}");
    }
    let mut altered = answer;
    altered[1] ^= 1;
    let unknown = asked.judge(&altered, one, &by);
    assert!(matches!(unknown, Err(OpeningFault::UnknownKey(_))));
    // The answer, which the proof binds.
    let mut altered = answer;
    altered[590] = Answer::Absent.code();
    let denied = asked.judge(&altered, one, &by);
    assert!(matches!(
        denied,
        Err(OpeningFault::Refused(OpeningRefusal::Proof))
    ));
    // Another resident's record, in which the same test stands.
    let other = ask_as(home, lab, &of_another, 1).await.unwrap();
    assert_ne!(answer, other);
    let of_other = asked.judge(&other, one, &by);
    assert!(matches!(
        of_other,
        Err(OpeningFault::Refused(OpeningRefusal::Proof))
    ));
    assert!(of_another.judge(&other, one, &by).is_ok());
    // A key of tests is believed by nobody who does not say so.
    let strict = Judges {
        admits_test_key: false,
        ..by
    };
    let test = asked.judge(&answer, one, &strict);
    assert!(matches!(test, Err(OpeningFault::TestKey)));
    let elsewhere = Judges {
        federation: "another",
        ..by
    };
    let foreign = asked.judge(&answer, one, &elsewhere);
    assert!(matches!(foreign, Err(OpeningFault::Receipt(_))));
    let no_registry = asked.judge(&answer, Epoch::new(2), &by);
    assert!(matches!(no_registry, Err(OpeningFault::UnknownEpoch(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opening_of_an_older_tree_or_another_registry_is_not_believed() {
    let world = World::new(offered_world()).await;
    let home = world.house(33);
    let first = stated(home, &tested(33, 0, START - 60)).await;
    epoch(&world, 1).await;
    let lab = first.event.source;
    let old = ask_as(home, lab, &first, 1).await.unwrap();
    world.advance_to(START + 60);
    // The same again has the receipt of then; of something new the first tree says nothing.
    let later = stated(home, &tested(33, 0, START + 30)).await;
    world.advance_to(START + 90);
    epoch(&world, 2).await;
    let list = list_of(home, lab).await;
    let (by, one, two) = (judges(&list), Epoch::new(1), Epoch::new(2));
    assert!(first.judge(&old, one, &by).is_ok());
    let of_then = first.judge(&old, two, &by);
    assert!(matches!(
        of_then,
        Err(OpeningFault::Refused(OpeningRefusal::OtherEpoch { .. }))
    ));
    // With the epoch rewritten it leads to no registry of that epoch.
    let mut moved = old;
    moved[8] = 2;
    let moved = first.judge(&moved, two, &by);
    assert!(matches!(
        moved,
        Err(OpeningFault::Refused(OpeningRefusal::NotRegistered))
    ));
    // A proof about the event that is true of the older tree, and is told for a receipt that is younger.
    let younger = Question {
        event: first.event,
        receipt: HeldReceipt {
            salt: first.receipt.salt,
            signed: {
                let mut receipt = first.receipt.signed.receipt.clone();
                receipt.accepted = later.receipt.signed.receipt.accepted;
                receipt.promised_by = later.receipt.signed.receipt.promised_by;
                receipt.sign(&crate::world::head_key(33))
            },
        },
        ended_not_before: None,
    };
    let too_old = younger.judge(&old, one, &by);
    assert!(matches!(too_old, Err(OpeningFault::OldTree { .. })));
    let fresh = ask_as(home, lab, &later, 2).await.unwrap();
    assert_eq!(
        later.judge(&fresh, two, &by).unwrap().answer,
        Answer::Stands
    );
}
