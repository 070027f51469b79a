use tonic::{Request, Response, Status};
use verifier::trust::BatchDigest;
use wire::Reason;
use wire::trust::v1 as proto;
use wire::trust::v1::trust_service_server::TrustService;

use super::Desk;

pub(super) struct TrustDesk(pub(super) Desk);

#[tonic::async_trait]
impl TrustService for TrustDesk {
    async fn get_trust_list(
        &self,
        request: Request<proto::GetTrustListRequest>,
    ) -> Result<Response<proto::GetTrustListResponse>, Status> {
        let list = self
            .0
            .node()
            .trust_list()
            .ok_or_else(|| wire::status(Reason::UnknownEpoch))?;
        let answer = wire::trust_list_answer(&list, request.get_ref());
        Ok(Response::new(answer))
    }

    async fn get_revocation_batch(
        &self,
        request: Request<proto::GetRevocationBatchRequest>,
    ) -> Result<Response<proto::GetRevocationBatchResponse>, Status> {
        let digest = BatchDigest::try_from(request.get_ref())?;
        let batch = self.0.ask(move |node| node.batch(digest)).await?;
        Ok(Response::new(proto::GetRevocationBatchResponse { batch }))
    }
}
