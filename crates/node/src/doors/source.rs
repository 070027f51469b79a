use federation::Caller;
use rules::SourceId;
use tonic::{Request, Response, Status};
use wire::source::v1::source_service_server::SourceService;
use wire::source::v1::{
    EventOutcome, EventResult, SignedEvent, SubmitEventRequest, SubmitEventResponse,
    SubmitEventsRequest, SubmitEventsResponse,
};
use wire::{MAX_EVENTS, Reason, count_within, required, signed_event};

use super::Desk;
use crate::{EventAnswer, OfferedEvent};

pub(super) struct SourceDesk(pub(super) Desk);

impl SourceDesk {
    /// Judges events; one that cannot even be an event by its length is refused like any other.
    async fn submit(
        &self,
        caller: SourceId,
        events: &[SignedEvent],
    ) -> Result<Vec<EventResult>, Status> {
        let offered: Vec<Option<OfferedEvent>> = events
            .iter()
            .map(|message| {
                let (event, signature) = signed_event(message).ok()?;
                let event = event.to_vec();
                Some(OfferedEvent { event, signature })
            })
            .collect();
        let sound: Vec<OfferedEvent> = offered.iter().flatten().cloned().collect();
        let answers = self
            .0
            .ask(move |node| node.take_events(caller, &sound))
            .await?;
        let mut answers = answers.into_iter();
        let results = offered.iter().map(|offered| {
            let malformed = EventAnswer::Refused("malformed");
            match offered {
                Some(_) => result(answers.next().unwrap_or(malformed)),
                None => result(malformed),
            }
        });
        Ok(results.collect())
    }
}

fn result(answer: EventAnswer) -> EventResult {
    let (outcome, reason) = match answer {
        EventAnswer::Accepted => (EventOutcome::Accepted, ""),
        EventAnswer::Duplicate => (EventOutcome::Duplicate, ""),
        EventAnswer::Refused(code) => (EventOutcome::Refused, code),
    };
    EventResult {
        outcome: outcome.into(),
        reason: reason.to_owned(),
    }
}

fn source_of<T>(request: &Request<T>) -> Result<SourceId, Status> {
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
        let mut results = self.submit(caller, std::slice::from_ref(event)).await?;
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
        let results = self.submit(caller, events).await?;
        Ok(Response::new(SubmitEventsResponse { results }))
    }
}
