use tonic::{Request, Response, Status};
use verifier::trust::{BatchDigest, InHand, Increment};
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
        let known = request.get_ref();
        let in_hand = InHand::from(known);
        let newest = InHand::of(&list);
        let mut answer = proto::GetTrustListResponse::default();
        let is_newest = (known.root_sequence, known.online_sequence)
            == (newest.root_sequence, newest.online_sequence);
        if is_newest {
            return Ok(Response::new(answer));
        }
        let increment = if known.accepts_increment {
            Increment::of(&list, &in_hand).ok().flatten()
        } else {
            None
        };
        match increment {
            Some(increment) => answer.increment = increment.to_bytes(),
            None => answer.bundle = list.to_bytes().to_vec(),
        }
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
