use federation::Caller;
use tonic::{Request, Response, Status};
use wire::CheckpointOffer;
use wire::federation::v1 as proto;
use wire::federation::v1::log_service_server::LogService;

use super::Desk;

pub(super) struct LogDesk(pub(super) Desk);

#[tonic::async_trait]
impl LogService for LogDesk {
    async fn add_checkpoint(
        &self,
        request: Request<proto::AddCheckpointRequest>,
    ) -> Result<Response<proto::AddCheckpointResponse>, Status> {
        super::federation::check_member(&self.0, &request)?;
        let from = Caller::peer_of(&request)?.province;
        let offer: CheckpointOffer = request.get_ref().try_into()?;
        let answer = self.0.ask(move |node| node.witness(from, &offer)).await?;
        Ok(Response::new((&answer).into()))
    }
}
