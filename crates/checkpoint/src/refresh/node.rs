//! The trust list at a node's public door, over gRPC.

use std::sync::Arc;
use std::time::Duration;

use federation::{Credentials, Dial, FederationId, PeerId, Timeouts, TlsIdentity, connect_through};
use tonic::transport::Channel;
use tonic::{Response, Status};
use verifier::TrustList;
use verifier::trust::{BatchEntry, InHand};
use wire::trust::v1 as proto;
use wire::trust::v1::trust_service_client::TrustServiceClient;

use super::{Reader, Said};
use crate::state::read_file;
use crate::{Config, Error, Publisher};

/// Longest file of certificate roots.
const MAX_ROOTS_LEN_BYTES: u64 = 256 * 1024;

/// What readers of nodes are made with.
pub(super) struct Nodes {
    dial: Arc<dyn Dial>,
    federation: FederationId,
    credentials: Arc<dyn Credentials>,
}

impl Nodes {
    /// # Errors
    /// [`Error::Config`], [`Error::File`], or [`Error::Federation`] for unusable certificate roots.
    pub(super) fn new(config: &Config, dial: &Arc<dyn Dial>) -> Result<Self, Error> {
        let federation = config.federation()?;
        let file = config.trust.certificate_roots_file.as_ref();
        let file = file.ok_or_else(|| {
            Error::Config("trust.certificate_roots_file is needed with publishers".to_owned())
        })?;
        let roots = String::from_utf8(read_file(file, MAX_ROOTS_LEN_BYTES)?)
            .map_err(|_| Error::Config("trust.certificate_roots_file is not PEM".to_owned()))?;
        let anonymous = TlsIdentity::anonymous(&federation, &roots)?;
        Ok(Self {
            dial: Arc::clone(dial),
            federation,
            credentials: Arc::new(Arc::new(anonymous)),
        })
    }

    /// A reader of one node, which connects with its first call.
    pub(super) fn reader(&self, publisher: &Publisher) -> Result<NodeReader, String> {
        let timeouts = Timeouts {
            connect: Duration::from_secs(5),
            call: Duration::from_secs(20),
        };
        let node = PeerId::node(&self.federation, publisher.province);
        let credentials = Arc::clone(&self.credentials);
        let dial = Arc::clone(&self.dial);
        let channel = connect_through(dial, &publisher.address, node, credentials, timeouts);
        let channel = channel.map_err(|error| error.to_string())?;
        Ok(NodeReader(wire::client::trust(channel)))
    }
}

pub(super) struct NodeReader(TrustServiceClient<Channel>);

impl Reader for NodeReader {
    async fn list(&mut self, in_hand: Option<&TrustList>) -> Result<Said, String> {
        let in_hand = in_hand.map(InHand::of).unwrap_or_default();
        let request = proto::GetTrustListRequest::from(&in_hand);
        let answer = fetch(self.0.get_trust_list(request).await)?;
        Ok(Said {
            bundle: answer.bundle,
            increment: answer.increment,
        })
    }

    async fn batch(&mut self, entry: &BatchEntry) -> Result<Vec<u8>, String> {
        let request = proto::GetRevocationBatchRequest {
            digest: entry.digest.0.to_vec(),
        };
        Ok(fetch(self.0.get_revocation_batch(request).await)?.batch)
    }
}

fn fetch<T>(answer: Result<Response<T>, Status>) -> Result<T, String> {
    answer
        .map(Response::into_inner)
        .map_err(|status| format!("{:?}: {}", status.code(), status.message()))
}
