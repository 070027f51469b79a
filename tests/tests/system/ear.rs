//! A province that is nothing but an ear: its node is in the test and keeps all that the others say.

use std::sync::{Arc, Mutex};

use federation::{Door, Limits, PeerId};
use tests::{World, peer, province};
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic::transport::Channel;
use tonic::{Request, Response, Status};
use wire::federation::v1 as fed;
use wire::federation::v1::federation_service_server::FederationService;

use crate::leak::{HOME, OTHER};

/// Its province.
pub(crate) const EAR: u8 = 42;

fn as_peer(world: &World, code: u8, home: u8) -> Channel {
    let identity = PeerId::node(&world.federation, province(code));
    peer::channel(world, world.credentials(&identity), home)
}

/// What the two nodes answer to every question that a peer may ask.
pub(crate) async fn answers_to(world: &World, code: u8) -> Vec<u8> {
    let mut said = Vec::new();
    for home in [HOME, OTHER] {
        let channel = as_peer(world, code, home);
        let mut client = wire::client::federation(channel.clone());
        let head = client
            .get_tree_head(fed::GetTreeHeadRequest { epoch: 1 })
            .await;
        said.extend(head.unwrap().into_inner().head);
        let registry = client
            .get_registry(fed::GetRegistryRequest { epoch: 1 })
            .await;
        let registry = registry.unwrap().into_inner().registry.unwrap();
        said.extend(
            registry
                .cosigned
                .iter()
                .chain(registry.heads.iter().flatten()),
        );
        let request = wire::trust::v1::GetTrustListRequest::default();
        let list = wire::client::trust(channel).get_trust_list(request).await;
        said.extend(list.unwrap().into_inner().bundle);
    }
    said
}

/// A node that answers nothing and keeps all that it is told.
#[derive(Clone, Default)]
pub(crate) struct Ear(Arc<Mutex<Vec<u8>>>);

impl Ear {
    /// Opens the peers' door of the province, with its certificate.
    pub(crate) async fn open(world: &World) -> Self {
        let ear = Self::default();
        let listener = TcpListener::bind(("127.0.0.1", world.port(EAR)))
            .await
            .unwrap();
        let identity = PeerId::node(&world.federation, province(EAR));
        let door = Door::Peers(world.credentials(&identity));
        let routes = Routes::new(wire::server::federation(ear.clone()));
        let limits = Limits::default();
        tokio::spawn(federation::serve(
            listener,
            door,
            routes,
            limits,
            std::future::pending(),
        ));
        ear
    }

    /// All messages, as the bytes of their fields.
    pub(crate) fn heard(&self) -> Vec<u8> {
        let heard = self.0.lock().unwrap();
        let calls: Vec<&str> = [
            "/tree-head",
            "/cosign",
            "/publish",
            "/online",
            "/publish-online",
        ]
        .into_iter()
        .filter(|call| heard.windows(call.len()).any(|w| w == call.as_bytes()))
        .collect();
        assert_eq!(calls.len(), 5, "only {calls:?} were made");
        heard.clone()
    }

    fn hear<T>(&self, call: &str, request: &Request<T>, fields: &[&[u8]]) -> Status {
        let mut heard = self.0.lock().unwrap();
        heard.extend(call.as_bytes());
        heard.extend(format!("{:?}", request.metadata()).as_bytes());
        heard.extend(fields.concat());
        Status::unavailable("nothing but an ear")
    }
}

#[tonic::async_trait]
impl FederationService for Ear {
    async fn get_tree_head(
        &self,
        request: Request<fed::GetTreeHeadRequest>,
    ) -> Result<Response<fed::GetTreeHeadResponse>, Status> {
        let epoch = request.get_ref().epoch.to_be_bytes();
        Err(self.hear("/tree-head", &request, &[&epoch]))
    }

    async fn cosign_registry(
        &self,
        request: Request<fed::CosignRegistryRequest>,
    ) -> Result<Response<fed::CosignRegistryResponse>, Status> {
        let message = request.get_ref();
        let fields = [&message.statement[..], &message.heads.concat()];
        Err(self.hear("/cosign", &request, &fields))
    }

    async fn get_registry(
        &self,
        request: Request<fed::GetRegistryRequest>,
    ) -> Result<Response<fed::GetRegistryResponse>, Status> {
        let epoch = request.get_ref().epoch.to_be_bytes();
        Err(self.hear("/registry", &request, &[&epoch]))
    }

    async fn publish_registry(
        &self,
        request: Request<fed::PublishRegistryRequest>,
    ) -> Result<Response<fed::PublishRegistryResponse>, Status> {
        let registry = request.get_ref().registry.as_ref().unwrap();
        let fields = [&registry.cosigned[..], &registry.heads.concat()];
        Err(self.hear("/publish", &request, &fields))
    }

    async fn cosign_online(
        &self,
        request: Request<fed::CosignOnlineRequest>,
    ) -> Result<Response<fed::CosignOnlineResponse>, Status> {
        Err(self.hear("/online", &request, &[&request.get_ref().document]))
    }

    async fn publish_online(
        &self,
        request: Request<fed::PublishOnlineRequest>,
    ) -> Result<Response<fed::PublishOnlineResponse>, Status> {
        Err(self.hear("/publish-online", &request, &[&request.get_ref().online]))
    }

    async fn contribute(
        &self,
        request: Request<fed::ContributeRequest>,
    ) -> Result<Response<fed::ContributeResponse>, Status> {
        Err(self.hear("/contribute", &request, &[]))
    }

    async fn get_signed_registry(
        &self,
        request: Request<fed::GetSignedRegistryRequest>,
    ) -> Result<Response<fed::GetSignedRegistryResponse>, Status> {
        Err(self.hear("/begun", &request, &[]))
    }

    async fn get_signed_online(
        &self,
        request: Request<fed::GetSignedOnlineRequest>,
    ) -> Result<Response<fed::GetSignedOnlineResponse>, Status> {
        Err(self.hear("/begun", &request, &[]))
    }
}
