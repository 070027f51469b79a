//! Events between provinces: what other nodes hand in, and what sources ask about what they had forwarded.

use federation::Caller;
use rules::EventId;
use tonic::{Request, Response, Status};
use wire::federation::v1 as proto;
use wire::federation::v1::forward_service_server::ForwardService;
use wire::source::v1 as of_source;
use wire::source::v1::forwarded_service_server::ForwardedService;
use wire::{bytes_exact, envelopes, required};

use super::federation::check_member;
use super::source::{offered_event, result, source_of};
use super::{Desk, held};
use crate::grid::Grid;
use crate::quotas::used_up;
use crate::store::{ForwardState, ForwardedRow};

pub(super) struct ForwardDesk(pub(super) Desk);

#[tonic::async_trait]
impl ForwardService for ForwardDesk {
    async fn get_sealing_key(
        &self,
        request: Request<proto::GetSealingKeyRequest>,
    ) -> Result<Response<proto::GetSealingKeyResponse>, Status> {
        check_member(&self.0, &request)?;
        let statement = self.0.node().sealing_key()?.to_bytes();
        Ok(Response::new(proto::GetSealingKeyResponse { statement }))
    }

    async fn forward_events(
        &self,
        request: Request<proto::ForwardEventsRequest>,
    ) -> Result<Response<proto::ForwardEventsResponse>, Status> {
        check_member(&self.0, &request)?;
        let sender = Caller::peer_of(&request)?.province;
        let envelopes = envelopes(request.get_ref())?;
        // How long a refusal takes depends on whether there is a record to look at.
        let grid = Grid::begin(self.0.node().query_quantum());
        let answered = self
            .0
            .take_in(None, move |node| node.take_forwarded(sender, &envelopes))
            .await;
        grid.next().await;
        let answered = answered?;
        let results = answered.iter().map(|(answer, receipt)| {
            let mut result = proto::ForwardResult::from(answer);
            result.receipt = held(receipt.as_ref());
            result
        });
        let results = results.collect();
        Ok(Response::new(proto::ForwardEventsResponse { results }))
    }
}

pub(super) struct ForwardedDesk(pub(super) Desk);

#[tonic::async_trait]
impl ForwardedService for ForwardedDesk {
    async fn get_forwarded(
        &self,
        request: Request<of_source::GetForwardedRequest>,
    ) -> Result<Response<of_source::GetForwardedResponse>, Status> {
        let caller = source_of(&request)?;
        let event = EventId(bytes_exact("event_id", &request.get_ref().event_id)?);
        let row = self.0.ask(move |node| node.forwarded(caller, event));
        let (row, receipt) = row.await?;
        let mut answer = answer(row);
        answer.receipt = receipt.unwrap_or_default();
        Ok(Response::new(answer))
    }

    async fn confirm_forwarded(
        &self,
        request: Request<of_source::ConfirmForwardedRequest>,
    ) -> Result<Response<of_source::ConfirmForwardedResponse>, Status> {
        let caller = source_of(&request)?;
        self.0.node().quotas.events(caller, 1).map_err(used_up)?;
        let event = required("event", request.get_ref().event.as_ref())?;
        let offered = offered_event(event)?;
        let answer = self
            .0
            .take_in(None, move |node| node.confirm_forwarded(caller, &offered));
        let result = Some(result(answer.await?));
        Ok(Response::new(of_source::ConfirmForwardedResponse {
            result,
        }))
    }
}

/// How far a forwarded event is, as it travels.
fn answer(row: ForwardedRow) -> of_source::GetForwardedResponse {
    use of_source::ForwardedState as S;
    let (state, reason, until) = match row.state {
        ForwardState::Queued { expires_at } => (S::Queued, String::new(), Some(expires_at)),
        ForwardState::Waiting { confirm_by } => (S::Waiting, String::new(), Some(confirm_by)),
        ForwardState::Confirming { confirm_by } => (S::Confirming, String::new(), Some(confirm_by)),
        ForwardState::Accepted => (S::Accepted, String::new(), None),
        ForwardState::Refused(reason) => (S::Refused, reason, None),
        ForwardState::Lapsed => (S::Lapsed, String::new(), None),
    };
    of_source::GetForwardedResponse {
        state: state.into(),
        reason,
        home_province: row.home.get().into(),
        until_minute: until.map_or(0, rules::Minute::get),
        receipt: Vec::new(),
    }
}
