use std::sync::Arc;

use commitment::Epoch;
use federation::Caller;
use ledger::SignedTreeHead;
use tonic::{Request, Response, Status};
use verifier::trust::{OnlineDocument, SignedOnline};
use wire::federation::v1 as proto;
use wire::federation::v1::federation_service_server::FederationService;
use wire::{Contributed, Proposal, PublishedRegistry, Reason};

use super::Desk;
use crate::peers::Peers;
use crate::{Node, NodeError};

pub(super) struct FederationDesk {
    pub(super) desk: Desk,
    pub(super) peers: Arc<Peers>,
}

/// Only provinces of the root document are served, whatever else has a node's certificate.
pub(super) fn check_member<T>(desk: &Desk, request: &Request<T>) -> Result<(), Status> {
    let peer = Caller::peer_of(request)?;
    if desk.node().is_member(peer.province) {
        Ok(())
    } else {
        Err(wire::status(Reason::RoleRefused))
    }
}

#[tonic::async_trait]
impl FederationService for FederationDesk {
    async fn get_tree_head(
        &self,
        request: Request<proto::GetTreeHeadRequest>,
    ) -> Result<Response<proto::GetTreeHeadResponse>, Status> {
        check_member(&self.desk, &request)?;
        let epoch = Epoch::new(request.get_ref().epoch);
        let head: SignedTreeHead = self.desk.ask(move |node| node.tree_head(epoch)).await?;
        let head = head.to_bytes();
        Ok(Response::new(proto::GetTreeHeadResponse { head }))
    }

    async fn cosign_registry(
        &self,
        request: Request<proto::CosignRegistryRequest>,
    ) -> Result<Response<proto::CosignRegistryResponse>, Status> {
        check_member(&self.desk, &request)?;
        let Proposal { statement, heads } = request.get_ref().try_into()?;
        let signed = self
            .desk
            .ask(move |node| node.cosign(&statement, &heads))
            .await?;
        let cosignature = signed.to_bytes();
        Ok(Response::new(proto::CosignRegistryResponse { cosignature }))
    }

    async fn get_registry(
        &self,
        request: Request<proto::GetRegistryRequest>,
    ) -> Result<Response<proto::GetRegistryResponse>, Status> {
        check_member(&self.desk, &request)?;
        let asked = request.get_ref().epoch;
        let registry = self.desk.ask(move |node| {
            let newest = node.newest_registry_epoch();
            let epoch = match asked {
                0 => newest.ok_or(NodeError::Refused(Reason::UnknownEpoch))?,
                number => Epoch::new(number),
            };
            node.registry(epoch)
        });
        let registry = Some((&registry.await?).into());
        Ok(Response::new(proto::GetRegistryResponse { registry }))
    }

    async fn publish_registry(
        &self,
        request: Request<proto::PublishRegistryRequest>,
    ) -> Result<Response<proto::PublishRegistryResponse>, Status> {
        check_member(&self.desk, &request)?;
        let registry: PublishedRegistry = request.get_ref().registry.as_ref().try_into()?;
        self.desk
            .ask(move |node| node.take_registry(&registry))
            .await?;
        Ok(Response::new(proto::PublishRegistryResponse {}))
    }

    async fn cosign_online(
        &self,
        request: Request<proto::CosignOnlineRequest>,
    ) -> Result<Response<proto::CosignOnlineResponse>, Status> {
        check_member(&self.desk, &request)?;
        let document: OnlineDocument = request.get_ref().try_into()?;
        let from = Caller::peer_of(&request)?.province;
        self.peers
            .registries_from(from, &self.desk, &document)
            .await;
        if let Some(entry) = self.desk.node().unseen_batch(&document) {
            let batch = self.peers.batch_from(from, &entry).await?;
            self.desk.node().offer(&batch);
        }
        let sign = async || {
            let proposed = document.clone();
            let sign = move |node: &Arc<Node>| node.cosign_proposed(&proposed, Some(from));
            self.desk.ask(sign).await
        };
        let newest = || Some(self.desk.node().trust_list()?.online().sequence);
        let before = newest();
        let mut signed = sign().await;
        let is_refused = match &signed {
            Ok(signed) => signed.is_none(),
            Err(status) => wire::reason_of(status) == Some(Reason::TrustRefused),
        };
        if is_refused {
            // It may rest on a list that was published while this node was not to be reached.
            if let Err(status) = self.peers.list_from(from, &self.desk).await {
                let code = status.code();
                tracing::info!(province = from.get(), ?code, "a list is not to be had");
            }
            // Without a newer one the answer is what it was.
            if newest() != before {
                signed = sign().await;
            }
        }
        let Some(signed) = signed? else {
            tracing::warn!(
                province = from.get(),
                "a batch of revocations is not signed for: it lacks this province's part, which its proposer was given"
            );
            return Err(wire::status(Reason::TrustRefused));
        };
        let signature = signed.to_bytes().to_vec();
        Ok(Response::new(proto::CosignOnlineResponse { signature }))
    }

    async fn publish_online(
        &self,
        request: Request<proto::PublishOnlineRequest>,
    ) -> Result<Response<proto::PublishOnlineResponse>, Status> {
        check_member(&self.desk, &request)?;
        let online: SignedOnline = request.get_ref().try_into()?;
        let from = Caller::peer_of(&request)?.province;
        self.peers.take_from(from, &self.desk, online).await?;
        Ok(Response::new(proto::PublishOnlineResponse {}))
    }

    async fn contribute(
        &self,
        request: Request<proto::ContributeRequest>,
    ) -> Result<Response<proto::ContributeResponse>, Status> {
        check_member(&self.desk, &request)?;
        let from = Caller::peer_of(&request)?.province;
        let part = self.desk.ask(move |node| node.contribute_to(Some(from)));
        let part = part.await?;
        Ok(Response::new((&Contributed(part)).into()))
    }

    async fn get_signed_registry(
        &self,
        request: Request<proto::GetSignedRegistryRequest>,
    ) -> Result<Response<proto::GetSignedRegistryResponse>, Status> {
        check_member(&self.desk, &request)?;
        let epoch = Epoch::new(request.get_ref().epoch);
        let signed = self
            .desk
            .ask(move |node| node.signed_registry(epoch))
            .await?;
        Ok(Response::new((&signed).into()))
    }

    async fn get_signed_online(
        &self,
        request: Request<proto::GetSignedOnlineRequest>,
    ) -> Result<Response<proto::GetSignedOnlineResponse>, Status> {
        check_member(&self.desk, &request)?;
        let after = request.get_ref().after;
        let signed = self.desk.ask(move |node| node.signed_online(after)).await?;
        Ok(Response::new(wire::signed_number_response(&signed)?))
    }
}
