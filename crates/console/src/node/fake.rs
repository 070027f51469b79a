//! A node that answers as it is told to, behind the real door, with everything that a console needs to speak to it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use commitment::Slot;
use ed25519_dalek::{Signature, SigningKey};
use federation::pki::{DemoAuthority, Validity};
use federation::{Door, FederationId, Limits, PeerId, Role, TlsIdentity, serve};
use ledger::receipt::{Content, HeldReceipt, Receipt, Salt, promised_by};
use parking_lot::Mutex;
use rules::appeal::Decision;
use rules::naming::Naming;
use rules::{Event, EventId, Minute, ProvinceCode, SourceId, SourceKind};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};
use wire::operator::v1 as o;
use wire::source::v1 as s;
use wire::trust::v1 as t;
use wire::{
    AppealId, DecisionRequest, NamingRequest, Reason, ShownAppeal, WaitingAppeal, WaitingAppeals,
};

use crate::offices::{OfficeParts, Offices};

/// From 2020 to 2100.
const LONG: Validity = Validity {
    from_s: 1_577_836_800,
    until_s: 4_102_444_800,
};

/// What a fake node does, and what it was asked.
#[derive(Default)]
pub(crate) struct Fake {
    /// Every call is refused for this.
    pub(crate) refuses: Mutex<Option<Reason>>,
    /// Events are refused under this code.
    pub(crate) refuses_events: Mutex<Option<String>>,
    /// The receipts are over something else.
    pub(crate) lies: Mutex<bool>,
    /// Calls that carry an event of this name are refused as if the node were at fault.
    pub(crate) stumbles_over: Mutex<Option<rules::EventId>>,
    /// Its clock, minutes since the Unix epoch.
    pub(crate) now: Mutex<u32>,
    pub(crate) bundle: Mutex<Vec<u8>>,
    /// Events, each time that one was handed in.
    pub(crate) events: Mutex<Vec<(Event, u32)>>,
    pub(crate) appeals: Mutex<Vec<(AppealId, ShownAppeal)>>,
    pub(crate) decisions: Mutex<Vec<DecisionRequest>>,
    /// How far events are that go on to another province, by name; queued where they were handed in, and as a test says after.
    pub(crate) onward: Mutex<BTreeMap<EventId, s::GetForwardedResponse>>,
    /// Events, each time that one was confirmed.
    pub(crate) confirmed: Mutex<Vec<(Event, u32)>>,
    /// Namings, each time that one was handed in.
    pub(crate) namings: Mutex<Vec<Naming>>,
    /// How often an appeal was read.
    pub(crate) reads: Mutex<usize>,
    keys: Vec<(SourceId, SigningKey)>,
}

/// A running fake, and those who may speak to it.
pub(crate) struct FakeNode {
    pub(crate) fake: Arc<Fake>,
    pub(crate) address: SocketAddr,
    authority: DemoAuthority,
    served: JoinHandle<()>,
}

impl Drop for FakeNode {
    fn drop(&mut self) {
        self.served.abort();
    }
}

pub(crate) fn demo() -> FederationId {
    FederationId::new("demo").unwrap()
}

pub(crate) fn home() -> ProvinceCode {
    ProvinceCode::new(33).unwrap()
}

pub(crate) fn source(kind: SourceKind) -> SourceId {
    SourceId {
        province: home(),
        kind,
        number: 1,
    }
}

/// The offices of the console under test, each with its own key.
fn sources() -> Vec<(SourceId, SigningKey)> {
    let kinds = [
        SourceKind::Cdc,
        SourceKind::Hospital,
        SourceKind::AppealsOffice,
        SourceKind::CommunityOffice,
    ];
    kinds
        .map(|kind| {
            let key = SigningKey::from_bytes(&[kind.code(); 32]);
            (source(kind), key)
        })
        .to_vec()
}

impl FakeNode {
    pub(crate) async fn start() -> Self {
        let authority = DemoAuthority::generate_for_demo(&demo(), LONG).unwrap();
        let fake = Arc::new(Fake {
            keys: sources(),
            now: Mutex::new(27_700_000),
            ..Fake::default()
        });
        let own = PeerId::node(&demo(), home());
        let credentials = material(&authority, &own);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let handle = Handle(Arc::clone(&fake));
        let routes = Routes::new(wire::server::source(handle.clone()))
            .add_service(wire::server::appeal(handle.clone()))
            .add_service(wire::server::forwarded(handle.clone()))
            .add_service(wire::server::proxy_office(handle.clone()))
            .add_service(wire::server::operator(handle.clone()))
            .add_service(wire::server::trust(handle));
        let door = Door::Peers(Arc::new(credentials));
        let served = tokio::spawn(async move {
            let never = std::future::pending();
            drop(serve(listener, door, routes, Limits::default(), never).await);
        });
        Self {
            fake,
            address,
            authority,
            served,
        }
    }

    /// The console's offices, with channels to this node or to whatever is at `address`.
    pub(crate) fn offices_at(&self, address: &str) -> Offices {
        let parts = sources().into_iter().map(|(source, signing_key)| {
            let role = Role::Source(source.kind, source.number);
            OfficeParts {
                source,
                signing_key,
                identity: self.identity(role),
            }
        });
        Offices::new(&demo(), home(), address, parts.collect()).unwrap()
    }

    pub(crate) fn offices(&self) -> Offices {
        self.offices_at(&self.address.to_string())
    }

    pub(crate) fn identity(&self, role: Role) -> Arc<TlsIdentity> {
        let peer = PeerId {
            federation: demo(),
            province: home(),
            role,
        };
        material(&self.authority, &peer)
    }
}

fn material(authority: &DemoAuthority, peer: &PeerId) -> Arc<TlsIdentity> {
    let issued = authority.issue_for_demo(peer).unwrap();
    let (chain, key) = (&issued.chain_pem, &issued.key_pem);
    Arc::new(TlsIdentity::from_pem(chain, key, &authority.root_pem()).unwrap())
}

impl Fake {
    fn minute(&self) -> Minute {
        Minute::new(*self.now.lock()).unwrap()
    }

    fn check(&self) -> Result<(), Status> {
        match *self.refuses.lock() {
            Some(reason) => Err(wire::status(reason)),
            None => Ok(()),
        }
    }

    /// Whether it was signed by the key of the source that it names.
    fn verify(&self, source: SourceId, message: &[u8], signature: [u8; 64]) {
        let (_, key) = self.keys.iter().find(|(id, _)| *id == source).unwrap();
        let signature = Signature::from_bytes(&signature);
        key.verifying_key()
            .verify_strict(message, &signature)
            .expect("the office's own signature");
    }

    pub(crate) fn receipt(&self, kind: Content, content: &[u8]) -> Vec<u8> {
        let (salt, accepted) = (Salt([9; 32]), self.minute());
        let content = if *self.lies.lock() { b"else" } else { content };
        let receipt = Receipt {
            content: kind,
            federation: "demo".to_owned(),
            province: home(),
            slot: Slot::new(1).unwrap(),
            commitment: kind.commit(&salt, content),
            accepted,
            promised_by: promised_by(accepted),
        };
        let signed = receipt.sign(&SigningKey::from_bytes(&[1; 32]));
        HeldReceipt { salt, signed }.to_bytes()
    }

    fn take(&self, message: &s::SignedEvent) -> Result<s::EventResult, Status> {
        let (bytes, signature) = wire::signed_event(message)?;
        let event = Event::from_bytes(bytes).unwrap();
        self.verify(event.source, &event.signing_bytes(), signature);
        let mut events = self.events.lock();
        let was_there = events.iter().any(|(known, _)| *known == event);
        events.push((event, message.home_province));
        if message.home_province != 0 {
            let queued = onward(s::ForwardedState::Queued, *self.now.lock() + 4_320);
            self.onward.lock().entry(event.id).or_insert(queued);
        }
        if *self.stumbles_over.lock() == Some(event.id) {
            return Err(wire::status(Reason::Internal));
        }
        let mut result = s::EventResult::default();
        if let Some(reason) = &*self.refuses_events.lock() {
            result.set_outcome(s::EventOutcome::Refused);
            result.reason.clone_from(reason);
        } else if message.home_province != 0 && !was_there {
            result.set_outcome(s::EventOutcome::Forwarded);
        } else if message.home_province != 0 {
            result.set_outcome(s::EventOutcome::Duplicate);
        } else {
            result.set_outcome(if was_there {
                s::EventOutcome::Duplicate
            } else {
                s::EventOutcome::Accepted
            });
            result.receipt = self.receipt(Content::Event, bytes);
        }
        Ok(result)
    }
}

/// How far an event is, and until when.
pub(crate) fn onward(state: s::ForwardedState, until_minute: u32) -> s::GetForwardedResponse {
    s::GetForwardedResponse {
        state: state.into(),
        home_province: 35,
        until_minute,
        ..Default::default()
    }
}

#[derive(Clone)]
struct Handle(Arc<Fake>);

#[tonic::async_trait]
impl s::source_service_server::SourceService for Handle {
    async fn submit_event(
        &self,
        request: Request<s::SubmitEventRequest>,
    ) -> Result<Response<s::SubmitEventResponse>, Status> {
        self.0.check()?;
        let event = request.into_inner().event.unwrap();
        let result = Some(self.0.take(&event)?);
        Ok(Response::new(s::SubmitEventResponse { result }))
    }

    async fn submit_events(
        &self,
        _: Request<s::SubmitEventsRequest>,
    ) -> Result<Response<s::SubmitEventsResponse>, Status> {
        Err(wire::status(Reason::UnknownMethod))
    }

    type StreamEventsStream = tokio_stream::Empty<Result<s::StreamEventsResponse, Status>>;

    async fn stream_events(
        &self,
        _: Request<Streaming<s::StreamEventsRequest>>,
    ) -> Result<Response<Self::StreamEventsStream>, Status> {
        Err(wire::status(Reason::UnknownMethod))
    }
}

#[tonic::async_trait]
impl s::appeal_service_server::AppealService for Handle {
    async fn list_appeals(
        &self,
        request: Request<s::ListAppealsRequest>,
    ) -> Result<Response<s::ListAppealsResponse>, Status> {
        self.0.check()?;
        let after = wire::appeals_after(request.get_ref())?;
        let appeals = self.0.appeals.lock();
        let mut waiting: Vec<WaitingAppeal> = appeals
            .iter()
            .map(|(appeal, shown)| WaitingAppeal {
                appeal: *appeal,
                opened_at: shown.opened_at,
            })
            .collect();
        waiting.sort_by_key(|waiting| waiting.appeal);
        waiting.retain(|waiting| after.is_none_or(|after| after < waiting.appeal));
        let now = self.0.minute();
        let overdue = appeals.iter().filter(|(_, shown)| shown.decide_by < now);
        let told = WaitingAppeals {
            now,
            appeals: waiting,
            total: u32::try_from(appeals.len()).unwrap(),
            overdue: u32::try_from(overdue.count()).unwrap(),
        };
        Ok(Response::new((&told).into()))
    }

    async fn read_appeal(
        &self,
        request: Request<s::ReadAppealRequest>,
    ) -> Result<Response<s::ReadAppealResponse>, Status> {
        self.0.check()?;
        let asked = AppealId::try_from(request.get_ref())?;
        *self.0.reads.lock() += 1;
        let appeals = self.0.appeals.lock();
        let found = appeals.iter().find(|(appeal, _)| *appeal == asked);
        let (_, shown) = found.ok_or(wire::status(Reason::NotFound))?;
        Ok(Response::new(shown.into()))
    }

    async fn decide_appeal(
        &self,
        request: Request<s::DecideAppealRequest>,
    ) -> Result<Response<s::DecideAppealResponse>, Status> {
        self.0.check()?;
        let asked = DecisionRequest::try_from(request.get_ref())?;
        let decision: &Decision = &asked.decision;
        self.0
            .verify(decision.source, &decision.signing_bytes(), asked.signature);
        let ruling = request.get_ref().ruling.as_ref();
        let ruling = ruling.map(|ruling| self.0.take(ruling)).transpose()?;
        let receipt = self.0.receipt(Content::Decision, &decision.to_bytes());
        let is_refused = ruling
            .as_ref()
            .is_some_and(|result| result.outcome() == s::EventOutcome::Refused);
        if !is_refused {
            let mut appeals = self.0.appeals.lock();
            appeals.retain(|(appeal, _)| *appeal != asked.appeal);
            self.0.decisions.lock().push(asked);
        }
        Ok(Response::new(s::DecideAppealResponse { ruling, receipt }))
    }
}

#[tonic::async_trait]
impl s::proxy_office_service_server::ProxyOfficeService for Handle {
    async fn name_proxy(
        &self,
        request: Request<s::NameProxyRequest>,
    ) -> Result<Response<s::NameProxyResponse>, Status> {
        let NamingRequest {
            naming, signature, ..
        } = NamingRequest::try_from(request.get_ref())?;
        self.0
            .verify(naming.source, &naming.signing_bytes(), signature);
        self.0.namings.lock().push(naming);
        self.0.check()?;
        Ok(Response::new(s::NameProxyResponse {}))
    }
}

#[tonic::async_trait]
impl s::forwarded_service_server::ForwardedService for Handle {
    async fn get_forwarded(
        &self,
        request: Request<s::GetForwardedRequest>,
    ) -> Result<Response<s::GetForwardedResponse>, Status> {
        self.0.check()?;
        let id = request.into_inner().event_id.try_into().unwrap();
        let found = self.0.onward.lock().get(&EventId(id)).cloned();
        found
            .map(Response::new)
            .ok_or(wire::status(Reason::NotFound))
    }

    async fn confirm_forwarded(
        &self,
        request: Request<s::ConfirmForwardedRequest>,
    ) -> Result<Response<s::ConfirmForwardedResponse>, Status> {
        self.0.check()?;
        let message = request.into_inner().event.unwrap();
        let (bytes, signature) = wire::signed_event(&message)?;
        let event = Event::from_bytes(bytes).unwrap();
        self.0
            .verify(event.source, &event.confirmation_bytes(), signature);
        let mut result = s::EventResult::default();
        if let Some(reason) = &*self.0.refuses_events.lock() {
            result.set_outcome(s::EventOutcome::Refused);
            result.reason.clone_from(reason);
        } else {
            let mut known = self.0.onward.lock();
            let known = known.get_mut(&event.id).unwrap();
            known.set_state(s::ForwardedState::Confirming);
            result.set_outcome(s::EventOutcome::Forwarded);
            self.0.confirmed.lock().push((event, message.home_province));
        }
        let result = Some(result);
        Ok(Response::new(s::ConfirmForwardedResponse { result }))
    }
}

#[tonic::async_trait]
impl o::operator_service_server::OperatorService for Handle {
    async fn get_status(
        &self,
        _: Request<o::GetStatusRequest>,
    ) -> Result<Response<o::GetStatusResponse>, Status> {
        self.0.check()?;
        let now_minute = *self.0.now.lock();
        let mut answer = o::GetStatusResponse {
            now_minute,
            closed_epoch: 12,
            registry_epoch: 11,
            residents: 40,
            events: 90,
            proofs_queued: 2,
            proofs_made: 7,
            prove_ms_median: 950,
            horizon_days: 60,
            retained_at_minute: now_minute - 600,
            retained_events: 17,
            retained_erased: 1,
            ..Default::default()
        };
        answer.set_state(o::NodeState::Draining);
        Ok(Response::new(answer))
    }

    async fn list_sources(
        &self,
        request: Request<o::ListSourcesRequest>,
    ) -> Result<Response<o::ListSourcesResponse>, Status> {
        self.0.check()?;
        let after = request.into_inner().after;
        let sources = ["33-cdc-1", "33-laboratory-7"]
            .into_iter()
            .map(|source| o::SourceIntake {
                source: source.to_owned(),
                accepted: 3,
                refused: 1,
                ..Default::default()
            });
        Ok(Response::new(o::ListSourcesResponse {
            sources: sources.filter(|told| told.source > after).collect(),
        }))
    }

    async fn close_epoch(
        &self,
        _: Request<o::CloseEpochRequest>,
    ) -> Result<Response<o::CloseEpochResponse>, Status> {
        Err(wire::status(Reason::UnknownMethod))
    }

    async fn assemble_registry(
        &self,
        _: Request<o::AssembleRegistryRequest>,
    ) -> Result<Response<o::AssembleRegistryResponse>, Status> {
        Err(wire::status(Reason::UnknownMethod))
    }

    async fn drain(
        &self,
        _: Request<o::DrainRequest>,
    ) -> Result<Response<o::DrainResponse>, Status> {
        Err(wire::status(Reason::UnknownMethod))
    }

    async fn advance_clock(
        &self,
        _: Request<o::AdvanceClockRequest>,
    ) -> Result<Response<o::AdvanceClockResponse>, Status> {
        Err(wire::status(Reason::UnknownMethod))
    }
}

#[tonic::async_trait]
impl t::trust_service_server::TrustService for Handle {
    async fn get_trust_list(
        &self,
        _: Request<t::GetTrustListRequest>,
    ) -> Result<Response<t::GetTrustListResponse>, Status> {
        self.0.check()?;
        Ok(Response::new(t::GetTrustListResponse {
            bundle: self.0.bundle.lock().clone(),
            increment: Vec::new(),
        }))
    }

    async fn get_revocation_batch(
        &self,
        _: Request<t::GetRevocationBatchRequest>,
    ) -> Result<Response<t::GetRevocationBatchResponse>, Status> {
        Err(wire::status(Reason::NotFound))
    }
}
