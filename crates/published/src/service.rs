//! What the page calls: what was verified, and the trust list with its batches, which the page verifies once more.

use std::sync::Arc;
use std::time::Duration;

use tonic::{Request, Response, Status};
use verifier::trust::BatchDigest;
use wire::Reason;
use wire::public::v1 as proto;
use wire::public::v1::public_service_server::PublicService;
use wire::trust::v1 as trust;
use wire::trust::v1::trust_service_server::TrustService;

use crate::counted;
use crate::texts::Texts;
use crate::told;
use crate::watch::Watch;

/// How long a page waits for a look that it asked for; it goes on behind it. Less than a door gives a call.
const WAIT_FOR_LOOK: Duration = Duration::from_secs(10);

/// What a watch knows, as services. It asks nobody who calls: whoever serves it says who may.
#[derive(Clone)]
pub struct Public {
    watch: Arc<Watch>,
    texts: Arc<Texts>,
}

impl Public {
    /// What a watch knows, with the words of rule sets that are at hand.
    pub fn new(watch: Arc<Watch>, texts: Texts) -> Self {
        Self {
            watch,
            texts: Arc::new(texts),
        }
    }
}

#[tonic::async_trait]
impl PublicService for Public {
    async fn get_overview(
        &self,
        request: Request<proto::GetOverviewRequest>,
    ) -> Result<Response<proto::GetOverviewResponse>, Status> {
        if request.get_ref().look_again {
            let watch = Arc::clone(&self.watch);
            let looking = tokio::spawn(async move { watch.look_again().await });
            // Whether it has ended or not: the answer says when the last one did.
            let _ = tokio::time::timeout(WAIT_FOR_LOOK, looking).await;
        }
        Ok(Response::new(told::overview(&self.watch, &self.texts)))
    }

    async fn get_rule_text(
        &self,
        request: Request<proto::GetRuleTextRequest>,
    ) -> Result<Response<proto::GetRuleTextResponse>, Status> {
        let digest = wire::bytes_exact("digest", &request.get_ref().digest)?;
        let text = self.texts.get(&digest);
        text.map(Response::new)
            .ok_or_else(|| Status::not_found("no text of this digest is at hand"))
    }

    async fn get_counts(
        &self,
        request: Request<proto::GetCountsRequest>,
    ) -> Result<Response<proto::GetCountsResponse>, Status> {
        let counts = counted::days(&self.watch.state(), request.get_ref().slot);
        Ok(Response::new(counts))
    }

    async fn get_impacts(
        &self,
        request: Request<proto::GetImpactsRequest>,
    ) -> Result<Response<proto::GetImpactsResponse>, Status> {
        let request = request.get_ref();
        let short_id = wire::bytes_exact("short_id", &request.short_id)?;
        let state = self.watch.state();
        let list = state.held.as_ref().map(|held| &held.list);
        let mut sets = list.iter().flat_map(|list| &list.root().rule_sets);
        let set = sets.find(|set| set.short_id.0 == short_id);
        let set = set.ok_or_else(|| Status::not_found("the trust list names no such rule set"))?;
        let impacts = counted::impacts(&state, set, request.from_slot);
        Ok(Response::new(impacts))
    }
}

#[tonic::async_trait]
impl TrustService for Public {
    async fn get_trust_list(
        &self,
        request: Request<trust::GetTrustListRequest>,
    ) -> Result<Response<trust::GetTrustListResponse>, Status> {
        let state = self.watch.state();
        let held = state
            .held
            .ok_or_else(|| wire::status(Reason::UnknownEpoch))?;
        let answer = wire::trust_list_answer(&held.list, request.get_ref());
        Ok(Response::new(answer))
    }

    async fn get_revocation_batch(
        &self,
        request: Request<trust::GetRevocationBatchRequest>,
    ) -> Result<Response<trust::GetRevocationBatchResponse>, Status> {
        let digest = BatchDigest(wire::bytes_exact("digest", &request.get_ref().digest)?);
        let state = self.watch.state();
        let batches = state.held.as_ref().map(|held| &held.batches);
        let batch = batches.and_then(|batches| batches.get(&digest));
        let batch = batch.ok_or_else(|| wire::status(Reason::UnknownEpoch))?;
        let batch = batch.to_vec();
        Ok(Response::new(trust::GetRevocationBatchResponse { batch }))
    }
}
