//! A small house with the real doors: a trust service, a federation service and an operator service that answer
//! something, and certificates of every kind to knock with.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use federation::pki::{DemoAuthority, IssuedCertificate, Validity};
use federation::{
    Caller, Credentials, Door, Ended, FederationError, FederationId, Limits, PeerId, Role,
    Timeouts, TlsIdentity, connect, serve,
};
use rules::{ProvinceCode, SourceKind};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use wire::federation::v1 as f;
use wire::trust::v1 as t;

/// From 2020 to 2100.
pub(crate) const LONG: Validity = Validity {
    from_s: 1_577_836_800,
    until_s: 4_102_444_800,
};

/// The authority that everybody in the house trusts.
pub(crate) static AUTHORITY: LazyLock<DemoAuthority> =
    LazyLock::new(|| DemoAuthority::generate_for_demo(&demo(), LONG).unwrap());

pub(crate) fn demo() -> FederationId {
    FederationId::new("demo").unwrap()
}

pub(crate) fn province(code: u8) -> ProvinceCode {
    ProvinceCode::new(code).unwrap()
}

pub(crate) fn peer(code: u8, role: Role) -> PeerId {
    PeerId {
        federation: demo(),
        province: province(code),
        role,
    }
}

pub(crate) fn laboratory() -> PeerId {
    peer(35, Role::Source(SourceKind::Laboratory, 17))
}

/// Credentials of an identity, issued by the house's authority.
pub(crate) fn credentials(peer: &PeerId) -> Arc<TlsIdentity> {
    material(&AUTHORITY.issue_for_demo(peer).unwrap())
}

/// Credentials with a certificate of any making; they trust the house's authority.
pub(crate) fn material(certificate: &IssuedCertificate) -> Arc<TlsIdentity> {
    let IssuedCertificate { chain_pem, key_pem } = certificate;
    Arc::new(TlsIdentity::from_pem(chain_pem, key_pem, &AUTHORITY.root_pem()).unwrap())
}

/// Credentials without a certificate.
pub(crate) fn anonymous() -> Arc<TlsIdentity> {
    Arc::new(TlsIdentity::anonymous(&demo(), &AUTHORITY.root_pem()).unwrap())
}

/// Services of the house. A tree head of epoch 99 takes an hour; the answer names the caller.
#[derive(Clone, Copy)]
pub(crate) struct House;

#[tonic::async_trait]
impl wire::trust::v1::trust_service_server::TrustService for House {
    async fn get_trust_list(
        &self,
        request: Request<t::GetTrustListRequest>,
    ) -> Result<Response<t::GetTrustListResponse>, Status> {
        let caller = format!("{:?}", Caller::of(&request)?.kind());
        Ok(Response::new(t::GetTrustListResponse {
            bundle: caller.into_bytes(),
            increment: Vec::new(),
        }))
    }

    async fn get_revocation_batch(
        &self,
        _: Request<t::GetRevocationBatchRequest>,
    ) -> Result<Response<t::GetRevocationBatchResponse>, Status> {
        Err(wire::status(wire::Reason::NotFound))
    }
}

#[tonic::async_trait]
impl wire::federation::v1::federation_service_server::FederationService for House {
    async fn get_tree_head(
        &self,
        request: Request<f::GetTreeHeadRequest>,
    ) -> Result<Response<f::GetTreeHeadResponse>, Status> {
        let head = Caller::peer_of(&request)?.to_string().into_bytes();
        match request.get_ref().epoch {
            98 => tokio::time::sleep(Duration::from_millis(300)).await,
            99 => tokio::time::sleep(Duration::from_hours(1)).await,
            _ => {}
        }
        Ok(Response::new(f::GetTreeHeadResponse { head }))
    }

    async fn cosign_registry(
        &self,
        _: Request<f::CosignRegistryRequest>,
    ) -> Result<Response<f::CosignRegistryResponse>, Status> {
        Ok(Response::new(f::CosignRegistryResponse::default()))
    }

    async fn get_registry(
        &self,
        _: Request<f::GetRegistryRequest>,
    ) -> Result<Response<f::GetRegistryResponse>, Status> {
        Ok(Response::new(f::GetRegistryResponse::default()))
    }

    async fn publish_registry(
        &self,
        _: Request<f::PublishRegistryRequest>,
    ) -> Result<Response<f::PublishRegistryResponse>, Status> {
        Ok(Response::new(f::PublishRegistryResponse::default()))
    }

    async fn cosign_online(
        &self,
        _: Request<f::CosignOnlineRequest>,
    ) -> Result<Response<f::CosignOnlineResponse>, Status> {
        Ok(Response::new(f::CosignOnlineResponse::default()))
    }

    async fn publish_online(
        &self,
        _: Request<f::PublishOnlineRequest>,
    ) -> Result<Response<f::PublishOnlineResponse>, Status> {
        Ok(Response::new(f::PublishOnlineResponse::default()))
    }

    async fn contribute(
        &self,
        _: Request<f::ContributeRequest>,
    ) -> Result<Response<f::ContributeResponse>, Status> {
        Ok(Response::new(f::ContributeResponse::default()))
    }

    async fn get_signed_registry(
        &self,
        _: Request<f::GetSignedRegistryRequest>,
    ) -> Result<Response<f::GetSignedRegistryResponse>, Status> {
        Ok(Response::new(f::GetSignedRegistryResponse::default()))
    }

    async fn get_signed_online(
        &self,
        _: Request<f::GetSignedOnlineRequest>,
    ) -> Result<Response<f::GetSignedOnlineResponse>, Status> {
        Ok(Response::new(f::GetSignedOnlineResponse::default()))
    }
}

/// An open door.
pub(crate) struct Open {
    pub(crate) address: SocketAddr,
    shut: oneshot::Sender<()>,
    served: JoinHandle<Result<Ended, FederationError>>,
}

impl Open {
    /// Opens a door of the house on a free port.
    pub(crate) async fn new(door: Door, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shut, shut_seen) = oneshot::channel();
        let routes =
            Routes::new(wire::server::trust(House)).add_service(wire::server::federation(House));
        let served = tokio::spawn(serve(listener, door, routes, limits, async move {
            let _ = shut_seen.await;
        }));
        Self {
            address,
            shut,
            served,
        }
    }

    /// The door of peers of Zhejiang's node.
    pub(crate) async fn for_peers(limits: Limits) -> Self {
        Self::new(Door::Peers(Arc::new(credentials(&zhejiang()))), limits).await
    }

    /// A channel to this door, expecting Zhejiang's node.
    pub(crate) fn channel(&self, credentials: Arc<TlsIdentity>) -> Channel {
        self.channel_to(zhejiang(), Arc::new(credentials))
    }

    /// A channel to this door, expecting somebody.
    pub(crate) fn channel_to(
        &self,
        expected: PeerId,
        credentials: Arc<dyn Credentials>,
    ) -> Channel {
        let timeouts = Timeouts {
            connect: Duration::from_secs(3),
            call: Duration::from_secs(10),
        };
        connect(&self.address.to_string(), expected, credentials, timeouts).unwrap()
    }

    /// Asks for the end and waits for it.
    pub(crate) async fn shut(self) -> Ended {
        self.shut.send(()).unwrap();
        self.served.await.unwrap().unwrap()
    }

    /// Asks for the end.
    pub(crate) fn begin_to_shut(self) -> JoinHandle<Result<Ended, FederationError>> {
        self.shut.send(()).unwrap();
        self.served
    }
}

pub(crate) fn zhejiang() -> PeerId {
    peer(33, Role::Node)
}

/// Asks for a tree head and returns whom the server took the caller for.
pub(crate) async fn head(channel: Channel, epoch: u32) -> Result<String, Status> {
    let answer = wire::client::federation(channel)
        .get_tree_head(f::GetTreeHeadRequest { epoch })
        .await?;
    Ok(String::from_utf8(answer.into_inner().head).unwrap())
}

/// Asks for the trust list and returns what kind of caller the server saw.
pub(crate) async fn trust(channel: Channel) -> Result<String, Status> {
    let answer = wire::client::trust(channel)
        .get_trust_list(t::GetTrustListRequest::default())
        .await?;
    Ok(String::from_utf8(answer.into_inner().bundle).unwrap())
}
