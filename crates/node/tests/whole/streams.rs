//! Streams of events: answers in order, pace, and ends.

use std::time::{Duration, Instant};

use rules::{Event, EventBody, SourceKind, TestResult};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};
use wire::source::v1::{EventOutcome, StreamEventsRequest, StreamEventsResponse};
use wire::{Reason, reason_of, retry_after};

use crate::clients::{event, signed, source_client};
use crate::world::{House, START, Wish, World, minute, person, source};

/// A source with a stream under way.
struct Sender {
    batches: mpsc::Sender<StreamEventsRequest>,
    answers: Streaming<StreamEventsResponse>,
}

impl Sender {
    async fn begin(house: &House, kind: SourceKind) -> Result<Self, Status> {
        let (batches, sent) = mpsc::channel(8);
        let mut client = source_client(house, source(house.home, kind));
        let answers = client.stream_events(ReceiverStream::new(sent)).await?;
        Ok(Self {
            batches,
            answers: answers.into_inner(),
        })
    }

    async fn send(&self, batch: u64, events: &[Event]) {
        let events = events.iter().map(signed).collect();
        let request = StreamEventsRequest { batch, events };
        self.batches.send(request).await.unwrap();
    }

    /// Number and outcomes of the next answer.
    async fn answer(&mut self) -> Result<(u64, Vec<EventOutcome>), Status> {
        let answer = self.answers.message().await?.expect("an answer");
        let outcomes = answer
            .results
            .iter()
            .map(wire::source::v1::EventResult::outcome);
        Ok((answer.batch, outcomes.collect()))
    }
}

fn tests(count: u16) -> Vec<Event> {
    let test = |number: u16| {
        let body = EventBody::Test {
            sampled_at: minute(START - 60 - u32::from(number)),
            result: TestResult::Negative,
        };
        let lab = source(33, SourceKind::Laboratory);
        event(person(33, number % 40), lab, minute(START - 60), body)
    };
    (0..count).map(test).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_answered_in_order_with_their_numbers_and_may_be_sent_again() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut lab = Sender::begin(house, SourceKind::Laboratory).await.unwrap();
    let (first, second) = (tests(3), tests(2));
    lab.send(7, &first).await;
    lab.send(1, &second).await;
    // A batch sees those before it.
    lab.send(2, &[first[0], second[1]]).await;
    let accepted = EventOutcome::Accepted;
    assert_eq!(lab.answer().await.unwrap(), (7, vec![accepted; 3]));
    assert_eq!(lab.answer().await.unwrap(), (1, vec![accepted; 2]));
    assert_eq!(house.node.events(), 5);
    let again = (2, vec![EventOutcome::Duplicate; 2]);
    assert_eq!(lab.answer().await.unwrap(), again);

    // The stream is lost; a new one goes on from any batch.
    drop(lab);
    let mut lab = Sender::begin(house, SourceKind::Laboratory).await.unwrap();
    lab.send(1, &second).await;
    let again = (1, vec![EventOutcome::Duplicate; 2]);
    assert_eq!(lab.answer().await.unwrap(), again);
    drop(lab.batches);
    assert!(lab.answers.message().await.unwrap().is_none());
    assert_eq!(house.node.events(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_no_batch_ends_the_stream_and_only_that() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    for wrong in [0, 257] {
        let mut lab = Sender::begin(house, SourceKind::Laboratory).await.unwrap();
        lab.send(1, &tests(1)).await;
        lab.send(2, &tests(wrong)).await;
        lab.answer().await.unwrap();
        let ended = lab.answer().await.unwrap_err();
        assert_eq!(reason_of(&ended), Some(Reason::TooLarge), "{wrong}");
    }
    assert_eq!(house.node.events(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_over_its_quota_is_slowed_in_a_stream_and_refused_in_a_call() {
    let mut wish = Wish::default();
    wish.limits.quotas.events_per_s = 500;
    wish.limits.quotas.events_burst = 256;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    let mut lab = Sender::begin(house, SourceKind::Laboratory).await.unwrap();
    let begun = Instant::now();
    for batch in 0..3 {
        lab.send(batch, &tests(256)).await;
    }
    for batch in 0..3 {
        assert_eq!(lab.answer().await.unwrap().0, batch);
    }
    // The first batch is the burst, the others come back at 500 events each second.
    assert!(
        begun.elapsed() >= Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );

    let lab = source(33, SourceKind::Laboratory);
    let events = || tests(200).iter().map(signed).collect();
    let refused = crate::clients::submit(house, lab, events()).await;
    let refused = refused.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::Quota));
    let wait = retry_after(&refused).unwrap();
    assert!(wait <= Duration::from_millis(400), "{wait:?}");
    // Another source has its own.
    let other = source(33, SourceKind::Hospital);
    crate::clients::submit(house, other, events())
        .await
        .unwrap();
    tokio::time::sleep(wait + Duration::from_millis(20)).await;
    crate::clients::submit(house, lab, events()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_stream_outlives_the_deadline_and_an_idle_one_gives_its_place_away() {
    let mut wish = Wish::default();
    wish.limits.deadline_s = 1;
    wish.limits.idle_s = 1;
    wish.limits.long_calls_at_once = 1;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    let mut lab = Sender::begin(house, SourceKind::Laboratory).await.unwrap();
    for batch in 0..5 {
        tokio::time::sleep(Duration::from_millis(600)).await;
        lab.send(batch, &tests(1)).await;
        assert_eq!(lab.answer().await.unwrap().0, batch);
    }
    let full = Sender::begin(house, SourceKind::Hospital).await;
    let full = full.err().expect("there is room for one stream");
    assert_eq!(reason_of(&full), Some(Reason::Overloaded));
    assert!(retry_after(&full).is_some());

    let ended = lab.answer().await.unwrap_err();
    assert_eq!(reason_of(&ended), Some(Reason::Deadline));
    let mut hospital = Sender::begin(house, SourceKind::Hospital).await.unwrap();
    hospital.send(1, &tests(1)).await;
    hospital.answer().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_the_node_after_what_was_sent_is_answered() {
    let mut world = World::new(Wish::default()).await;
    let house = world.houses.remove(0);
    let mut lab = Sender::begin(&house, SourceKind::Laboratory).await.unwrap();
    lab.send(1, &tests(2)).await;
    lab.answer().await.unwrap();
    let closing = tokio::spawn(house.close());
    let ended = lab.answer().await.unwrap_err();
    assert_eq!(reason_of(&ended), Some(Reason::Draining));
    assert!(retry_after(&ended).is_some());
    // It drained: the stream held up nothing.
    let within = tokio::time::timeout(Duration::from_secs(3), closing);
    within.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_its_source_s_own_deadline_is_over() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let (_batches, sent) = mpsc::channel::<StreamEventsRequest>(1);
    let mut request = tonic::Request::new(ReceiverStream::new(sent));
    request.set_timeout(Duration::from_millis(300));
    let mut client = source_client(house, source(33, SourceKind::Laboratory));
    let begun = Instant::now();
    let mut answers = client.stream_events(request).await.unwrap().into_inner();
    assert!(answers.message().await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(3));
}
