use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use federation::{CallTime, Caller};
use futures_util::Stream;
use futures_util::stream::try_unfold;
use rules::SourceId;
use tokio::time::{Instant, timeout_at};
use tonic::{Request, Response, Status, Streaming};
use wire::source::v1::source_service_server::SourceService;
use wire::source::v1::{
    EventOutcome, EventResult, SignedEvent, StreamEventsRequest, StreamEventsResponse,
    SubmitEventRequest, SubmitEventResponse, SubmitEventsRequest, SubmitEventsResponse,
};
use wire::{MAX_EVENTS, Reason, WireError, count_within, required, signed_event, stated_home};

use super::{Desk, held};
use crate::quotas::used_up;
use crate::{EventAnswer, OfferedEvent, Taken};

#[derive(Clone)]
pub(super) struct SourceDesk(pub(super) Desk);

impl SourceDesk {
    /// Judges events of a call, or of a stream's batch until its deadline; one that cannot even be an event by its length
    /// is refused like any other.
    async fn submit(
        &self,
        caller: SourceId,
        events: &[SignedEvent],
        of_batch: Option<Instant>,
    ) -> Result<Vec<EventResult>, Status> {
        let offered: Vec<Option<OfferedEvent>> = events
            .iter()
            .map(|message| offered_event(message).ok())
            .collect();
        let sound: Vec<OfferedEvent> = offered.iter().flatten().cloned().collect();
        let answers = self
            .0
            .take_in(of_batch, move |node| node.take_in_events(caller, &sound))
            .await?;
        let mut answers = answers.into_iter();
        let results = offered.iter().map(|offered| {
            let taken = offered.as_ref().and_then(|_| answers.next());
            taken.map_or_else(
                || result(EventAnswer::Refused("malformed")),
                |taken| taken_result(&taken),
            )
        });
        Ok(results.collect())
    }

    /// One call's events, which cost the source its quota.
    async fn submit_call(
        &self,
        caller: SourceId,
        events: &[SignedEvent],
    ) -> Result<Vec<EventResult>, Status> {
        let quotas = &self.0.node().quotas;
        quotas.events(caller, events.len()).map_err(used_up)?;
        self.submit(caller, events, None).await
    }
}

/// A stream of batches from one source. The next one is not read before the answer to the last is under way, so that flow
/// control holds a source back, and each batch sees the events of those before it.
struct Batches {
    desk: SourceDesk,
    caller: SourceId,
    time: CallTime,
    sent: Streaming<StreamEventsRequest>,
}

impl Batches {
    /// The answer to the next batch; none when the source has ended its stream.
    async fn next(&mut self) -> Result<Option<StreamEventsResponse>, Status> {
        let node = Arc::clone(self.desk.0.node());
        let (idle, deadline) = (node.idle(), node.deadline());
        // Its answer may have to wait for the source to take it; beyond that the connection is dead.
        self.time.renew(idle + deadline);
        let Some(request) = self.read(Instant::now() + idle).await? else {
            return Ok(None);
        };
        self.time.renew(idle + deadline);
        let events = count_within("events", &request.events, MAX_EVENTS)?;
        while let Err(wait) = node.quotas.events(self.caller, events.len()) {
            self.pause(wait).await?;
            self.time.renew(idle + deadline);
        }
        let begun_until = Some(Instant::now() + deadline);
        let results = self.desk.submit(self.caller, events, begun_until).await?;
        Ok(Some(StreamEventsResponse {
            batch: request.batch,
            results,
        }))
    }

    async fn read(&mut self, idle_at: Instant) -> Result<Option<StreamEventsRequest>, Status> {
        let until = idle_at.min(self.time.until);
        let desk = self.desk.0.clone();
        tokio::select! {
            biased;
            () = desk.stopped() => Err(wire::status(Reason::Draining)),
            read = timeout_at(until, self.sent.message()) => {
                read.unwrap_or_else(|_| Err(wire::status(Reason::Deadline)))
            }
        }
    }

    /// Slows a source that is faster than its quota.
    async fn pause(&self, wait: Duration) -> Result<(), Status> {
        let begin = Instant::now() + wait;
        if self.time.until < begin {
            return Err(wire::status(Reason::Deadline));
        }
        tokio::select! {
            () = self.desk.0.stopped() => Err(wire::status(Reason::Draining)),
            () = tokio::time::sleep_until(begin) => Ok(()),
        }
    }
}

/// An event with what its source says of the home.
pub(super) fn offered_event(message: &SignedEvent) -> Result<OfferedEvent, WireError> {
    let (event, signature) = signed_event(message)?;
    Ok(OfferedEvent {
        event: event.to_vec(),
        signature,
        home: stated_home(message)?,
    })
}

pub(super) fn result(answer: EventAnswer) -> EventResult {
    let (outcome, reason) = match answer {
        EventAnswer::Accepted => (EventOutcome::Accepted, ""),
        EventAnswer::Duplicate => (EventOutcome::Duplicate, ""),
        EventAnswer::Refused(code) => (EventOutcome::Refused, code),
        EventAnswer::Forwarded => (EventOutcome::Forwarded, ""),
    };
    EventResult {
        outcome: outcome.into(),
        reason: reason.to_owned(),
        receipt: Vec::new(),
    }
}

pub(super) fn taken_result(taken: &Taken) -> EventResult {
    EventResult {
        receipt: held(taken.receipt.as_ref()),
        ..result(taken.answer)
    }
}

pub(super) fn source_of<T>(request: &Request<T>) -> Result<SourceId, Status> {
    let peer = Caller::peer_of(request)?;
    peer.source()
        .ok_or_else(|| wire::status(Reason::RoleRefused))
}

#[tonic::async_trait]
impl SourceService for SourceDesk {
    async fn submit_event(
        &self,
        request: Request<SubmitEventRequest>,
    ) -> Result<Response<SubmitEventResponse>, Status> {
        let caller = source_of(&request)?;
        let event = required("event", request.get_ref().event.as_ref())?;
        let mut results = self
            .submit_call(caller, std::slice::from_ref(event))
            .await?;
        Ok(Response::new(SubmitEventResponse {
            result: results.pop(),
        }))
    }

    async fn submit_events(
        &self,
        request: Request<SubmitEventsRequest>,
    ) -> Result<Response<SubmitEventsResponse>, Status> {
        let caller = source_of(&request)?;
        let events = count_within("events", &request.get_ref().events, MAX_EVENTS)?;
        let results = self.submit_call(caller, events).await?;
        Ok(Response::new(SubmitEventsResponse { results }))
    }

    type StreamEventsStream =
        Pin<Box<dyn Stream<Item = Result<StreamEventsResponse, Status>> + Send>>;

    async fn stream_events(
        &self,
        request: Request<Streaming<StreamEventsRequest>>,
    ) -> Result<Response<Self::StreamEventsStream>, Status> {
        let caller = source_of(&request)?;
        let time = request.extensions().get().cloned();
        let batches = Batches {
            desk: self.clone(),
            caller,
            time: time.ok_or_else(|| wire::status(Reason::RoleRefused))?,
            sent: request.into_inner(),
        };
        let answers = try_unfold(batches, |mut batches| async move {
            let answer = batches.next().await?;
            Ok(answer.map(|answer| (answer, batches)))
        });
        Ok(Response::new(Box::pin(answers)))
    }
}
