use commitment::Epoch;
use federation::Caller;
use tonic::{Request, Response, Status};
use wire::audit::v1 as proto;
use wire::audit::v1::audit_service_server::AuditService;
use wire::{LeafRequest, Reason};

use super::Desk;
use crate::Auditor;

pub(super) struct AuditDesk(pub(super) Desk);

impl AuditDesk {
    /// Who asks: an auditor of a province of the root document.
    fn auditor<T>(&self, request: &Request<T>) -> Result<Auditor, Status> {
        super::federation::check_member(&self.0, request)?;
        Auditor::of(Caller::peer_of(request)?).ok_or(wire::status(Reason::RoleRefused))
    }
}

#[tonic::async_trait]
impl AuditService for AuditDesk {
    async fn open_sample(
        &self,
        request: Request<proto::OpenSampleRequest>,
    ) -> Result<Response<proto::OpenSampleResponse>, Status> {
        let auditor = self.auditor(&request)?;
        let asked = match request.get_ref().epoch {
            0 => None,
            number => Some(Epoch::new(number)),
        };
        let sample = self.0.ask(move |node| node.open_sample(&auditor, asked));
        Ok(Response::new((&sample.await?).into()))
    }

    async fn open_leaf(
        &self,
        request: Request<proto::OpenLeafRequest>,
    ) -> Result<Response<proto::OpenLeafResponse>, Status> {
        let auditor = self.auditor(&request)?;
        let asked: LeafRequest = request.into_inner().into();
        let opened = self.0.ask(move |node| node.open_leaf(&auditor, &asked));
        Ok(Response::new((&opened.await?).into()))
    }
}
