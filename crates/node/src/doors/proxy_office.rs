//! What an office says for residents who have no phone.

use tonic::{Request, Response, Status};
use wire::NamingRequest;
use wire::source::v1 as proto;
use wire::source::v1::proxy_office_service_server::ProxyOfficeService;

use super::Desk;
use super::source::source_of;
use crate::quotas::used_up;

pub(super) struct ProxyOfficeDesk(pub(super) Desk);

#[tonic::async_trait]
impl ProxyOfficeService for ProxyOfficeDesk {
    async fn name_proxy(
        &self,
        request: Request<proto::NameProxyRequest>,
    ) -> Result<Response<proto::NameProxyResponse>, Status> {
        let caller = source_of(&request)?;
        let node = self.0.node();
        // Whoever is not entitled is refused before anything is read of the call, which costs as much as an event.
        node.proxy_office(caller)?;
        node.quotas.events(caller, 1).map_err(used_up)?;
        let asked = NamingRequest::try_from(request.get_ref())?;
        self.0
            .ask(move |node| node.name_proxy(caller, &asked))
            .await?;
        Ok(Response::new(proto::NameProxyResponse {}))
    }
}
