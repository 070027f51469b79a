//! Hostile callers at a node's own calls: signatures that were used or meant otherwise, and streams that are not read.

use std::time::{Duration, Instant};

use rules::SourceKind;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use wire::resident::v1 as r;
use wire::source::v1::{SignedEvent, StreamEventsRequest};
use wire::{Reason, reason_of};

use crate::clients::{Phone, fresh, source_client};
use crate::world::{START, Wish, World, minute, source};

/// Body and proof of a signed call.
type Signed = (Vec<u8>, Option<r::RequestAuth>);

/// The names of the signed calls.
const CALLS: [&str; 7] = [
    "Register",
    "DeclareHealth",
    "DeclareTrip",
    "Query",
    "RequestUse",
    "MakeCode",
    "Correct",
];

/// A call of each name, each good where it is meant for.
fn sign(phone: &Phone, name: &str) -> Signed {
    macro_rules! signed {
        ($request:ty, $body:expr) => {{
            let call: $request = phone.sign(&$body);
            (call.body, call.auth)
        }};
    }
    match name {
        "Register" => signed!(
            r::RegisterRequest,
            r::Register {
                device_key: wire::DeviceKey::of(&phone.key).to_bytes().to_vec(),
                identity_number: String::from_utf8(phone.person.expose().to_vec()).unwrap(),
                name: crate::world::name(1),
                real_name_evidence: Vec::new(),
                forget_other_devices: false,
            }
        ),
        "DeclareHealth" => signed!(
            r::DeclareHealthRequest,
            r::DeclareHealth {
                event_id: fresh().to_vec(),
                day: minute(START).day().get().into(),
                symptoms: r::Symptoms::None.into(),
            }
        ),
        "DeclareTrip" => signed!(
            r::DeclareTripRequest,
            r::DeclareTrip {
                event_id: fresh().to_vec(),
                area_nine_digit: 330_102_001,
                site: 0,
                begin_minute: START - 60,
                end_minute: None,
            }
        ),
        "Query" => signed!(r::QueryRequest, r::Query::default()),
        "RequestUse" => signed!(
            r::RequestUseRequest,
            r::RequestUse {
                use_id: fresh().to_vec(),
                ..r::RequestUse::default()
            }
        ),
        "MakeCode" => signed!(
            r::MakeCodeRequest,
            r::MakeCode {
                use_id: fresh().to_vec(),
            }
        ),
        _ => signed!(
            r::CorrectRequest,
            r::Correct {
                case_id: fresh().to_vec(),
                event_id: fresh().to_vec(),
                statement: "not mine".to_owned(),
            }
        ),
    }
}

/// Makes the call `name` with somebody's body and proof.
async fn send(phone: &mut Phone, name: &str, (body, auth): Signed) -> Result<(), Status> {
    let client = &mut phone.client;
    let answer = match name {
        "Register" => client
            .register(r::RegisterRequest { body, auth })
            .await
            .err(),
        "DeclareHealth" => {
            let call = r::DeclareHealthRequest { body, auth };
            client.declare_health(call).await.err()
        }
        "DeclareTrip" => {
            let call = r::DeclareTripRequest { body, auth };
            client.declare_trip(call).await.err()
        }
        "Query" => client.query(r::QueryRequest { body, auth }).await.err(),
        "RequestUse" => {
            let call = r::RequestUseRequest { body, auth };
            client.request_use(call).await.err()
        }
        "MakeCode" => client
            .make_code(r::MakeCodeRequest { body, auth })
            .await
            .err(),
        _ => client.correct(r::CorrectRequest { body, auth }).await.err(),
    };
    answer.map_or(Ok(()), Err)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_signed_for_one_method_is_good_for_no_other_and_is_not_used_up_by_the_try() {
    let mut wish = Wish::default();
    wish.limits.quotas.device_calls_burst = 500;
    wish.limits.query_quantum_ms = 1;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    let mut honest = Phone::registered(house, 2).await;
    let before = (house.node.residents(), house.node.events());
    for made_for in CALLS {
        let call = sign(&phone, made_for);
        for sent_as in CALLS.into_iter().filter(|name| *name != made_for) {
            let refused = send(&mut phone, sent_as, call.clone()).await.unwrap_err();
            let reason = reason_of(&refused);
            // A body that cannot be read as the other call's is refused for that; none is taken.
            let expected = [Some(Reason::BadSignature), Some(Reason::Malformed)];
            assert!(
                expected.contains(&reason),
                "{made_for} as {sent_as}: {reason:?}"
            );
        }
        honest.query("").await.unwrap();
    }
    assert_eq!((house.node.residents(), house.node.events()), before);
    // The tries did not use up the call itself, and it is good once.
    let call = sign(&phone, "DeclareHealth");
    send(&mut phone, "Query", call.clone()).await.unwrap_err();
    send(&mut phone, "DeclareHealth", call.clone())
        .await
        .unwrap();
    let replayed = send(&mut phone, "DeclareHealth", call).await.unwrap_err();
    assert_eq!(reason_of(&replayed), Some(Reason::Replayed));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_replayed_from_many_connections_at_once_counts_once() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let phone = Phone::registered(house, 1).await;
    let (body, auth) = sign(&phone, "DeclareHealth");
    let call = r::DeclareHealthRequest { body, auth };
    let mut tries = tokio::task::JoinSet::new();
    for _ in 0..30 {
        let mut client = wire::client::resident(crate::clients::at_public(house));
        let call = call.clone();
        tries.spawn(async move { client.declare_health(call).await.map(|_| ()) });
    }
    let mut taken = 0;
    while let Some(answer) = tries.join_next().await {
        match answer.unwrap() {
            Ok(()) => taken += 1,
            Err(status) => assert_eq!(reason_of(&status), Some(Reason::Replayed)),
        }
    }
    assert_eq!((taken, house.node.events()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_sends_without_end_and_reads_no_answer_is_cut_and_holds_up_nobody() {
    let mut wish = Wish::default();
    wish.limits.deadline_s = 1;
    wish.limits.idle_s = 1;
    wish.limits.long_calls_at_once = 1;
    wish.limits.quotas.events_per_s = 1_000_000;
    wish.limits.quotas.events_burst = 1_000_000;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    let lab = source(33, SourceKind::Laboratory);
    let (batches, sent) = mpsc::channel(1);
    let mut client = source_client(house, lab);
    // Held, and never read.
    let answers = client
        .stream_events(ReceiverStream::new(sent))
        .await
        .unwrap();
    let sending = tokio::spawn(async move {
        let mut count = 0_u64;
        // Nothing is as quickly judged, and has as long an answer.
        let events = vec![SignedEvent::default(); 256];
        loop {
            let request = StreamEventsRequest {
                batch: count,
                events: events.clone(),
            };
            if batches.send(request).await.is_err() {
                return count;
            }
            count += 1;
        }
    });
    let mut honest = Phone::registered(house, 2).await;
    let begun = Instant::now();
    while !sending.is_finished() {
        honest.query("").await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(30), "it is not cut");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let count = sending.await.unwrap();
    assert!(count < 5_000, "flow control held it back: {count} batches");
    drop(answers);
    // Its place is free.
    let (_batches, sent) = mpsc::channel::<StreamEventsRequest>(1);
    let hospital = source(33, SourceKind::Hospital);
    let mut client = source_client(house, hospital);
    client
        .stream_events(ReceiverStream::new(sent))
        .await
        .unwrap();
}
