//! What an office for appeals asks and decides.

use rules::SourceId;
use tonic::{Request, Response, Status};
use wire::source::v1 as proto;
use wire::source::v1::appeal_service_server::AppealService;
use wire::{AppealId, DecisionRequest, appeals_after};

use super::source::{source_of, taken_result};
use super::{Desk, held};
use crate::quotas::used_up;

pub(super) struct AppealDesk(pub(super) Desk);

impl AppealDesk {
    /// The caller, whom each call costs as much as an event. Whoever is no office is refused before anything is read of the call.
    fn caller<T>(&self, request: &Request<T>) -> Result<SourceId, Status> {
        let caller = source_of(request)?;
        let node = self.0.node();
        node.appeals_office(caller)?;
        node.quotas.events(caller, 1).map_err(used_up)?;
        Ok(caller)
    }
}

#[tonic::async_trait]
impl AppealService for AppealDesk {
    async fn list_appeals(
        &self,
        request: Request<proto::ListAppealsRequest>,
    ) -> Result<Response<proto::ListAppealsResponse>, Status> {
        let caller = self.caller(&request)?;
        let after = appeals_after(request.get_ref())?;
        let waiting = self.0.ask(move |node| node.list_appeals(caller, after));
        let waiting = waiting.await?;
        Ok(Response::new((&waiting).into()))
    }

    async fn read_appeal(
        &self,
        request: Request<proto::ReadAppealRequest>,
    ) -> Result<Response<proto::ReadAppealResponse>, Status> {
        let caller = self.caller(&request)?;
        let appeal = AppealId::try_from(request.get_ref())?;
        let shown = self.0.ask(move |node| node.read_appeal(caller, appeal));
        let shown = shown.await?;
        Ok(Response::new((&shown).into()))
    }

    async fn decide_appeal(
        &self,
        request: Request<proto::DecideAppealRequest>,
    ) -> Result<Response<proto::DecideAppealResponse>, Status> {
        let caller = self.caller(&request)?;
        let asked = DecisionRequest::try_from(request.get_ref())?;
        let decided = self.0.ask(move |node| node.decide_appeal(caller, &asked));
        let decided = decided.await?;
        Ok(Response::new(proto::DecideAppealResponse {
            ruling: decided.ruling.as_ref().map(taken_result),
            receipt: held(decided.receipt.as_ref()),
        }))
    }
}
