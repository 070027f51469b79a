//! Offices that submit batches, by calls and by streams.

use std::collections::{BTreeSet, VecDeque};

use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;
use rules::{EventBody, Minute, SourceKind, TestResult};
use tests::{Person, Source};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use wire::source::v1::{EventOutcome, SignedEvent, StreamEventsRequest};

use crate::house::{HOME, RESIDENTS};

/// Most events of a batch; `check` offers as many as there may be.
const BATCH_MAX: usize = 24;
const CALL_MAX: usize = 256;
/// Batches of a stream that are not answered yet.
const UNDER_WAY: usize = 3;
/// Older events that are asked for again after each kill.
const SAMPLE: usize = 64;

/// How an office hands in its events.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Calls,
    Stream,
}

/// An office, with what it has sent and what of it was acknowledged.
pub(crate) struct Office {
    pub(crate) province: u8,
    pub(crate) kind: SourceKind,
    way: Way,
    pub(crate) acknowledged: Vec<SignedEvent>,
    /// How many of them were asked for after an earlier kill.
    seen: usize,
    /// Batches sent and not answered, oldest first.
    open: VecDeque<Vec<SignedEvent>>,
    /// Residents whom events speak of, by number.
    pub(crate) subjects: BTreeSet<u16>,
}

/// A call that failed since the node is gone is no fault; one that the node has refused is.
pub(crate) fn unless_gone(status: &Status) -> Result<(), String> {
    match wire::reason_of(status) {
        Some(reason) => Err(format!("refused with {}: {status}", reason.code())),
        None => Ok(()),
    }
}

impl Office {
    /// Some of each way.
    pub(crate) fn all() -> Vec<Self> {
        let office = |(province, kind, way)| Self {
            province,
            kind,
            way,
            acknowledged: Vec::new(),
            seen: 0,
            open: VecDeque::new(),
            subjects: BTreeSet::new(),
        };
        [
            (HOME, SourceKind::Laboratory, Way::Calls),
            (HOME, SourceKind::Hospital, Way::Stream),
            (35, SourceKind::Laboratory, Way::Calls),
            (42, SourceKind::Laboratory, Way::Stream),
        ]
        .map(office)
        .into()
    }

    /// Submits until the node is gone; with what was wrong besides that.
    pub(crate) async fn work(
        mut self,
        source: Source,
        now: Minute,
        rng: ChaCha8Rng,
    ) -> (Self, Option<String>) {
        let went = match self.way {
            Way::Calls => self.call(source, now, rng).await,
            Way::Stream => self.stream(source, now, rng).await,
        };
        (self, went.err())
    }

    fn batch(&mut self, source: &Source, now: Minute, rng: &mut ChaCha8Rng) -> Vec<SignedEvent> {
        let len = rng.random_range(1..=BATCH_MAX);
        let mut event = || {
            let number = rng.random_range(1..=RESIDENTS);
            self.subjects.insert(number);
            let body = EventBody::Test {
                sampled_at: now.saturating_add_signed(-rng.random_range(1..40_000)),
                result: TestResult::Negative,
            };
            source.sign(&source.event(Person::of(HOME, number).number, now, body))
        };
        let batch: Vec<_> = (0..len).map(|_| event()).collect();
        self.open.push_back(batch.clone());
        batch
    }

    async fn call(
        &mut self,
        mut source: Source,
        now: Minute,
        mut rng: ChaCha8Rng,
    ) -> Result<(), String> {
        loop {
            let batch = self.batch(&source, now, &mut rng);
            match source.offer(batch).await {
                Ok(answers) => self.note(answers.iter().all(|answer| answer == "accepted"))?,
                Err(status) => return unless_gone(&status),
            }
        }
    }

    async fn stream(
        &mut self,
        mut source: Source,
        now: Minute,
        mut rng: ChaCha8Rng,
    ) -> Result<(), String> {
        let (batches, sent) = mpsc::channel(UNDER_WAY);
        let mut answers = match source.client.stream_events(ReceiverStream::new(sent)).await {
            Ok(answers) => answers.into_inner(),
            Err(status) => return unless_gone(&status),
        };
        for number in 0.. {
            let events = self.batch(&source, now, &mut rng);
            let request = StreamEventsRequest {
                batch: number,
                events,
            };
            if batches.send(request).await.is_err() {
                return Ok(());
            }
            if self.open.len() < UNDER_WAY {
                continue;
            }
            match answers.message().await {
                Ok(Some(answer)) => {
                    let accepted =
                        |r: &wire::source::v1::EventResult| r.outcome() == EventOutcome::Accepted;
                    self.note(answer.results.iter().all(accepted))?;
                }
                Ok(None) => return Ok(()),
                Err(status) => return unless_gone(&status),
            }
        }
        Ok(())
    }

    /// The oldest batch is answered.
    fn note(&mut self, accepted: bool) -> Result<(), String> {
        if !accepted {
            return Err("an event of a good batch was not accepted".to_owned());
        }
        self.acknowledged
            .extend(self.open.pop_front().unwrap_or_default());
        Ok(())
    }

    /// Sends again what was not answered; gives how many events of it were there. They stand now, or it is an error.
    pub(crate) async fn settle(&mut self, source: &mut Source) -> Result<u64, String> {
        let (mut stood, mut gap) = (0, false);
        while let Some(batch) = self.open.pop_front() {
            let answers = offer(source, &batch).await?;
            let known = answers.iter().filter(|a| *a == "duplicate").count();
            let new = answers.iter().filter(|a| *a == "accepted").count();
            if known + new != batch.len() || known > 0 && new > 0 {
                return Err(format!(
                    "torn: of one batch {known} events stood and {new} did not"
                ));
            }
            if known > 0 && gap {
                return Err("torn: a batch stood and one sent before it did not".to_owned());
            }
            gap |= new > 0;
            stood += known as u64;
            self.acknowledged.extend(batch);
        }
        Ok(stood)
    }

    /// Sends acknowledged events again, those since the last check and a sample of the others, or all; gives how many.
    pub(crate) async fn check(
        &mut self,
        source: &mut Source,
        all: bool,
        rng: &mut ChaCha8Rng,
    ) -> Result<u64, String> {
        let (old, new) = self.acknowledged.split_at(if all { 0 } else { self.seen });
        let sample = old.choose_multiple(rng, SAMPLE);
        let asked: Vec<SignedEvent> = sample.chain(new).cloned().collect();
        for part in asked.chunks(CALL_MAX) {
            let answers = offer(source, part).await?;
            if let Some(other) = answers.iter().find(|answer| *answer != "duplicate") {
                return Err(format!("lost: an acknowledged event is {other}"));
            }
        }
        self.seen = self.acknowledged.len();
        Ok(asked.len() as u64)
    }
}

async fn offer(source: &mut Source, events: &[SignedEvent]) -> Result<Vec<String>, String> {
    let answers = source.offer(events.to_vec()).await;
    answers.map_err(|status| format!("a call to the node that was started again: {status}"))
}
