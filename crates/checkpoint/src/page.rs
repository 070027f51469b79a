//! The gate's page: its files, and the services that it calls. It verifies by itself; from here it has its setting, the trust list
//! with its batches of revocations, and nothing else that it needs.

use pages::Hosts;
use rust_embed::RustEmbed;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use verifier::trust::BatchDigest;
use wire::Reason;
use wire::trust::v1 as proto;
use wire::trust::v1::trust_service_server::TrustService;

use crate::service::{blocking, internal};
use crate::{Error, GateService};

/// What `npm run pages` has left.
#[derive(RustEmbed)]
#[folder = "web/dist"]
#[allow_missing = true]
struct Files;

/// Serves the page on loopback until `shutdown` completes.
///
/// # Errors
/// [`Error::Federation`] with what the operating system says.
pub async fn serve_page(
    listener: TcpListener,
    service: GateService,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Error> {
    let address = listener
        .local_addr()
        .map_err(federation::FederationError::from)?;
    let routes = Routes::new(wire::server::gate(service.clone()))
        .add_service(wire::server::trust(Mirrored(service)));
    let router = pages::router::<Files>(routes, Hosts::address(address));
    pages::serve(listener, router, shutdown)
        .await
        .map_err(|error| federation::FederationError::from(error).into())
}

/// The gate's own trust list, for its page: believed there for its signatures, as everywhere.
struct Mirrored(GateService);

#[tonic::async_trait]
impl TrustService for Mirrored {
    async fn get_trust_list(
        &self,
        request: Request<proto::GetTrustListRequest>,
    ) -> Result<Response<proto::GetTrustListResponse>, Status> {
        let desk = self.0.desk();
        let list = desk
            .list()
            .ok_or_else(|| wire::status(Reason::UnknownEpoch))?;
        let answer = wire::trust_list_answer(list, request.get_ref());
        Ok(Response::new(answer))
    }

    async fn get_revocation_batch(
        &self,
        request: Request<proto::GetRevocationBatchRequest>,
    ) -> Result<Response<proto::GetRevocationBatchResponse>, Status> {
        let digest = BatchDigest(wire::bytes_exact("digest", &request.get_ref().digest)?);
        let service = self.0.clone();
        let batch = blocking(move || {
            let desk = service.desk();
            let mut named = desk.list().into_iter().flat_map(|l| &l.online().batches);
            let entry = named
                .find(|entry| entry.digest == digest)
                .ok_or_else(|| wire::status(Reason::UnknownEpoch))?;
            desk.batch(entry).map_err(|error| {
                tracing::error!(%error, "a batch of revocations could not be read");
                internal()
            })
        })
        .await?;
        Ok(Response::new(proto::GetRevocationBatchResponse { batch }))
    }
}
