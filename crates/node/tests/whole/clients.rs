//! Those who knock: sources with their certificates, residents with their device keys, operators.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ed25519_dalek::Signer as _;
use federation::{PeerId, Role, Timeouts, connect};
use p256::ecdsa::SigningKey;
use rules::{Event, EventBody, EventId, IdentityNumber, Minute, SourceId};
use tonic::transport::Channel;
use tonic::{Response, Status};
use verifier::TrustList;
use wire::operator::v1::operator_service_client::OperatorServiceClient;
use wire::resident::v1 as r;
use wire::resident::v1::resident_service_client::ResidentServiceClient;
use wire::source::v1::source_service_client::SourceServiceClient;
use wire::source::v1::{EventOutcome, EventResult, SignedEvent, SubmitEventsRequest};
use wire::{Nonce, SignedCall, sign_call};

use crate::world::{
    House, anonymous, credentials, federation, name, province, root_keys, source_key,
};

static COUNTER: AtomicU64 = AtomicU64::new(1);

/// Sixteen bytes that were not used before.
pub(crate) fn fresh() -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&COUNTER.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes
}

/// A channel to a house's peers' door for somebody with a certificate.
pub(crate) fn at_peers(house: &House, who: &PeerId) -> Channel {
    let node = PeerId::node(&federation(), province(house.home));
    let address = house.peers_at.to_string();
    let who = Arc::new(credentials(who));
    connect(&address, node, who, Timeouts::default()).unwrap()
}

/// A channel to a house's public door.
pub(crate) fn at_public(house: &House) -> Channel {
    let node = PeerId::node(&federation(), province(house.home));
    let address = house.public_at.to_string();
    connect(&address, node, Arc::new(anonymous()), Timeouts::default()).unwrap()
}

pub(crate) fn operator(house: &House) -> OperatorServiceClient<Channel> {
    let who = PeerId {
        federation: federation(),
        province: province(house.home),
        role: Role::Operator,
    };
    wire::client::operator(at_peers(house, &who))
}

pub(crate) fn event(
    subject: IdentityNumber,
    source: SourceId,
    issued_at: Minute,
    body: EventBody,
) -> Event {
    Event {
        id: EventId(fresh()),
        subject,
        source,
        issued_at,
        body,
    }
}

/// The event as its source signs it.
pub(crate) fn signed(event: &Event) -> SignedEvent {
    let key = source_key(event.source);
    SignedEvent::new(event, key.sign(&event.signing_bytes()).to_bytes())
}

/// The service for sources, as the source `caller` reaches it.
pub(crate) fn source_client(house: &House, caller: SourceId) -> SourceServiceClient<Channel> {
    let who = PeerId {
        federation: federation(),
        province: caller.province,
        role: Role::Source(caller.kind, caller.number),
    };
    wire::client::source(at_peers(house, &who))
}

/// Hands events in as the source `caller`.
pub(crate) async fn submit(
    house: &House,
    caller: SourceId,
    events: Vec<SignedEvent>,
) -> Result<Vec<EventResult>, Status> {
    let mut client = source_client(house, caller);
    let request = SubmitEventsRequest { events };
    let answer = client.submit_events(request).await?;
    Ok(answer.into_inner().results)
}

/// Hands in one event as its own source, which must be accepted.
pub(crate) async fn accepted(house: &House, event: &Event) {
    let results = submit(house, event.source, vec![signed(event)]).await;
    let results = results.unwrap();
    assert_eq!(results[0].reason, "");
    assert_eq!(results[0].outcome(), EventOutcome::Accepted);
}

/// A resident's phone.
pub(crate) struct Phone {
    pub(crate) key: SigningKey,
    pub(crate) person: IdentityNumber,
    pub(crate) client: ResidentServiceClient<Channel>,
    /// Whether it registers as one whose other phones are lost.
    pub(crate) forgets_others: bool,
    home: u8,
    clock: Arc<node::SimulatedClock>,
}

impl Phone {
    /// A phone whose key is not bound yet.
    pub(crate) fn new(house: &House, number: u16) -> Self {
        let mut secret = [house.home; 32];
        secret[..2].copy_from_slice(&number.to_be_bytes());
        Self {
            key: SigningKey::from_slice(&secret).unwrap(),
            person: crate::world::person(house.home, number),
            client: wire::client::resident(at_public(house)),
            forgets_others: false,
            home: house.home,
            clock: Arc::clone(&house.clock),
        }
    }

    /// A phone whose key is bound.
    pub(crate) async fn registered(house: &House, number: u16) -> Self {
        let mut phone = Self::new(house, number);
        phone.register(&name(number)).await.unwrap();
        phone
    }

    /// A call signed now, with a new nonce.
    pub(crate) fn sign<C: SignedCall>(&self, body: &C::Body) -> C {
        let now = node::Clock::now(&*self.clock);
        sign_call(body, &self.key, province(self.home), now, Nonce(fresh()))
    }

    pub(crate) async fn register(
        &mut self,
        name: &str,
    ) -> Result<Response<r::RegisterResponse>, Status> {
        let body = r::Register {
            device_key: wire::DeviceKey::of(&self.key).to_bytes().to_vec(),
            identity_number: String::from_utf8(self.person.expose().to_vec()).unwrap(),
            name: name.to_owned(),
            real_name_evidence: Vec::new(),
            forget_other_devices: self.forgets_others,
        };
        let call: r::RegisterRequest = self.sign(&body);
        self.client.register(call).await
    }

    pub(crate) async fn query(&mut self, rule_set: &str) -> Result<r::QueryResponse, Status> {
        self.query_from(rule_set, Vec::new()).await
    }

    /// A query that goes on with the readings before a place.
    pub(crate) async fn query_from(
        &mut self,
        rule_set: &str,
        readings_from: Vec<u8>,
    ) -> Result<r::QueryResponse, Status> {
        let body = r::Query {
            rule_set_id: rule_set.to_owned(),
            readings_from,
        };
        let call: r::QueryRequest = self.sign(&body);
        Ok(self.client.query(call).await?.into_inner())
    }
}

/// The list of a bundle, with the batches that a node has.
pub(crate) fn full_list(node: &node::Node, bundle: &[u8], now: verifier::UnixTime) -> TrustList {
    let mut candidate = TrustList::consider(bundle, None, &root_keys(), now).unwrap();
    for entry in candidate.missing().to_vec() {
        candidate
            .supply(&node.batch(entry.digest).unwrap())
            .unwrap();
    }
    candidate.complete().unwrap()
}
