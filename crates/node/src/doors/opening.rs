//! What a source asks about an event that it holds a receipt for.

use std::time::Duration;

use federation::call_deadline;
use tokio::time::Instant;
use tonic::{Request, Response, Status};
use wire::OpeningRequest;
use wire::source::v1 as proto;
use wire::source::v1::opening_service_server::OpeningService;

use super::Desk;
use super::federation::check_member;
use super::source::source_of;

/// Before the end of a call, so that it is answered why there is no opening yet.
const ANSWER_TIME: Duration = Duration::from_millis(500);

pub(super) struct OpeningDesk(pub(super) Desk);

#[tonic::async_trait]
impl OpeningService for OpeningDesk {
    async fn open_event(
        &self,
        request: Request<proto::OpenEventRequest>,
    ) -> Result<Response<proto::OpenEventResponse>, Status> {
        check_member(&self.0, &request)?;
        let caller = source_of(&request)?;
        let asked = OpeningRequest::try_from(request.get_ref())?;
        let under_way = self.0.ask(move |node| node.begin_opening(caller, asked));
        let under_way = under_way.await?;
        let latest = self.0.node().deadline();
        let until = call_deadline().unwrap_or_else(|| Instant::now() + latest);
        let until = until.checked_sub(ANSWER_TIME).unwrap_or(until);
        let opening = under_way.finished(until).await?.to_bytes();
        Ok(Response::new(proto::OpenEventResponse { opening }))
    }
}
