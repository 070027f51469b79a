use tonic::{Request, Response, Status};
use wire::Reason;
use wire::trust::v1::trust_service_server::TrustService;
use wire::trust::v1::{GetTrustListRequest, GetTrustListResponse};

use super::Desk;

pub(super) struct TrustDesk(pub(super) Desk);

#[tonic::async_trait]
impl TrustService for TrustDesk {
    async fn get_trust_list(
        &self,
        request: Request<GetTrustListRequest>,
    ) -> Result<Response<GetTrustListResponse>, Status> {
        let list = self
            .0
            .node()
            .trust_list()
            .ok_or_else(|| wire::status(Reason::UnknownEpoch))?;
        let known = request.get_ref();
        let is_newest = known.root_sequence == list.root().sequence.get()
            && known.online_sequence == list.online().sequence.get();
        let bundle = if is_newest {
            Vec::new()
        } else {
            list.to_bytes().to_vec()
        };
        Ok(Response::new(GetTrustListResponse { bundle }))
    }
}
