//! Those who call a node: sources, residents' devices, operators and other nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ed25519_dalek::{Signer as _, SigningKey};
use federation::{Credentials, PeerId, Timeouts, connect};
use rules::{Claim, Day, Event, EventBody, EventId, IdentityNumber, Minute, SourceId};
use tonic::transport::Channel;
use tonic::{Response, Status};
use tonic_types::StatusExt as _;
use wire::pass::v1 as words;
use wire::resident::v1 as res;
use wire::resident::v1::resident_service_client::ResidentServiceClient;
use wire::source::v1 as src;
use wire::source::v1::source_service_client::SourceServiceClient;
use wire::{DeviceKey, Nonce, SignedCall, sign_call};

use crate::world::role_of;
use crate::{Holder, Person, World};

/// Sixteen bytes that no other call of this process has.
pub fn fresh_id() -> [u8; 16] {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut id = [0xc3; 16];
    id[..4].copy_from_slice(&std::process::id().to_be_bytes());
    id[8..].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    id
}

/// The stable reason of a refused call.
///
/// # Panics
/// If the status carries none.
pub fn refusal<T: std::fmt::Debug>(answer: Result<T, Status>) -> &'static str {
    let status = answer.expect_err("a refusal");
    let reason = wire::reason_of(&status);
    reason
        .unwrap_or_else(|| panic!("no reason in {status:?}"))
        .code()
}

/// Channels to the peers' door of a node, as any identity.
pub mod peer {
    use super::{Arc, Channel, Credentials, PeerId, Timeouts, World, connect};
    use crate::province;

    /// A channel with these credentials.
    pub fn channel(world: &World, credentials: Arc<dyn Credentials>, home: u8) -> Channel {
        let expected = PeerId::node(&world.federation, province(home));
        let address = world.node(home).peers.to_string();
        connect(&address, expected, credentials, Timeouts::default()).expect("an address")
    }

    /// A channel to the public door, without a certificate.
    pub fn public_channel(world: &World, home: u8) -> Channel {
        let expected = PeerId::node(&world.federation, province(home));
        let address = world.node(home).public.to_string();
        connect(&address, expected, world.anonymous(), Timeouts::default()).expect("an address")
    }
}

/// The operator of a node.
pub mod operator {
    use federation::{PeerId, Role};
    use tonic::transport::Channel;
    use wire::operator::v1::operator_service_client::OperatorServiceClient;

    use crate::{World, peer, province};

    /// A client of the operator's service.
    pub type Client = OperatorServiceClient<Channel>;

    /// The operator of a province, at its node.
    pub fn of(world: &World, code: u8) -> Client {
        let identity = PeerId {
            federation: world.federation.clone(),
            province: province(code),
            role: Role::Operator,
        };
        let channel = peer::channel(world, world.credentials(&identity), code);
        wire::client::operator(channel)
    }
}

/// The event in a message.
///
/// # Panics
/// If it is none.
pub fn event_of(message: &src::SignedEvent) -> Event {
    Event::from_bytes(&message.event).expect("an event")
}

/// An office that signs events, at one node.
pub struct Source {
    /// Its name.
    pub id: SourceId,
    key: SigningKey,
    /// Its connection.
    pub client: SourceServiceClient<Channel>,
}

impl Source {
    pub(crate) fn connect(world: &World, id: SourceId, key: SigningKey, home: u8) -> Self {
        let identity = PeerId {
            federation: world.federation.clone(),
            province: id.province,
            role: role_of(id),
        };
        let channel = peer::channel(world, world.credentials(&identity), home);
        Self::over(channel, id, key)
    }

    /// An office over a channel to a peers' door.
    pub fn over(channel: Channel, id: SourceId, key: SigningKey) -> Self {
        Self {
            id,
            key,
            client: wire::client::source(channel),
        }
    }

    /// An event of its own, unsigned.
    pub fn event(&self, subject: IdentityNumber, issued_at: Minute, body: EventBody) -> Event {
        Event {
            id: EventId(fresh_id()),
            subject,
            source: self.id,
            issued_at,
            body,
        }
    }

    /// An event with its signature.
    pub fn sign(&self, event: &Event) -> src::SignedEvent {
        src::SignedEvent::new(event, self.key.sign(&event.signing_bytes()).to_bytes())
    }

    /// Hands in events and gives what became of each: `accepted`, `duplicate`, `forwarded`, or the reason of the refusal.
    ///
    /// # Errors
    /// The status, if the call itself fails.
    pub async fn offer(&mut self, events: Vec<src::SignedEvent>) -> Result<Vec<String>, Status> {
        let request = src::SubmitEventsRequest { events };
        let answer = self.client.submit_events(request).await?;
        Ok(answer.get_ref().results.iter().map(in_words).collect())
    }

    /// States one fact about a resident now; it must be accepted. Gives the event's name.
    pub async fn state(&mut self, person: &Person, now: Minute, body: EventBody) -> EventId {
        let event = self.event(person.number, now, body);
        let results = self.offer(vec![self.sign(&event)]).await;
        assert_eq!(results.expect("an answer"), ["accepted"], "{body:?}");
        event.id
    }
}

fn in_words(result: &src::EventResult) -> String {
    match result.outcome() {
        src::EventOutcome::Accepted => "accepted".to_owned(),
        src::EventOutcome::Duplicate => "duplicate".to_owned(),
        src::EventOutcome::Forwarded => "forwarded".to_owned(),
        _ => result.reason.clone(),
    }
}

/// A pass as a device keeps it.
#[derive(Clone)]
pub struct Issued {
    /// Its canonical bytes.
    pub pass: Vec<u8>,
    /// What revokes it.
    pub revocation_secret: Vec<u8>,
    /// The key that it is shown with.
    pub holder: Holder,
}

/// A resident's device.
pub struct Device {
    /// Whose.
    pub person: Person,
    /// Its connection.
    pub client: ResidentServiceClient<Channel>,
}

impl Device {
    pub(crate) fn connect(world: &World, person: Person) -> Self {
        Self::over(peer::public_channel(world, person.home.get()), person)
    }

    /// A device over a channel to a public door.
    pub fn over(channel: Channel, person: Person) -> Self {
        let client = wire::client::resident(channel);
        Self { person, client }
    }

    /// A signed call.
    pub fn sign<C: SignedCall>(&self, body: &C::Body, at: Minute) -> C {
        sign_call(
            body,
            &self.person.device,
            self.person.home,
            at,
            Nonce(fresh_id()),
        )
    }

    /// Binds the device to the resident.
    ///
    /// # Errors
    /// The status of a refusal.
    pub async fn register(
        &mut self,
        now: Minute,
    ) -> Result<Response<res::RegisterResponse>, Status> {
        let body = res::Register {
            device_key: DeviceKey::of(&self.person.device).to_bytes().to_vec(),
            identity_number: self.person.number_text(),
            name: self.person.name.clone(),
            real_name_evidence: Vec::new(),
            forget_other_devices: false,
        };
        let request: res::RegisterRequest = self.sign(&body, now);
        self.client.register(request).await
    }

    /// Checks in for a day, without symptoms.
    ///
    /// # Errors
    /// The status of a refusal.
    pub async fn declare_health(&mut self, day: Day, now: Minute) -> Result<bool, Status> {
        let body = res::DeclareHealth {
            event_id: fresh_id().to_vec(),
            day: day.get().into(),
            symptoms: res::Symptoms::None.into(),
        };
        let request: res::DeclareHealthRequest = self.sign(&body, now);
        Ok(self
            .client
            .declare_health(request)
            .await?
            .get_ref()
            .duplicate)
    }

    /// Asks for the own status under a rule set.
    ///
    /// # Errors
    /// The status of a refusal.
    pub async fn query(&mut self, set: &str, now: Minute) -> Result<res::QueryResponse, Status> {
        let body = res::Query {
            rule_set_id: set.to_owned(),
            ..Default::default()
        };
        let request: res::QueryRequest = self.sign(&body, now);
        Ok(self.client.query(request).await?.into_inner())
    }

    /// Asks for passes for these holders, and waits until they are made.
    ///
    /// # Errors
    /// The status of a refused call, and a refused claim as one.
    pub async fn passes(
        &mut self,
        claim: Claim,
        set: &str,
        holders: &[Holder],
        now: Minute,
    ) -> Result<Vec<Issued>, Status> {
        let use_id = fresh_id().to_vec();
        let body = res::RequestUse {
            use_id: use_id.clone(),
            claim: Some(claim.into()),
            rule_set_id: set.to_owned(),
            binder_kind: words::BinderKind::Device.into(),
            holder_keys: holders.iter().map(Holder::public).collect(),
        };
        let request: res::RequestUseRequest = self.sign(&body, now);
        self.client.request_use(request).await?;
        let body = res::MakeCode { use_id };
        loop {
            let request: res::MakeCodeRequest = self.sign(&body, now);
            let answer = self.client.make_code(request).await?.into_inner();
            if answer.state() == res::MakeCodeState::Ready {
                let passes = answer.passes.into_iter().zip(holders);
                let issued = passes.map(|(issued, holder)| Issued {
                    pass: issued.pass,
                    revocation_secret: issued.revocation_secret,
                    holder: holder.clone(),
                });
                return Ok(issued.collect());
            }
            if let Some(refusal) = &answer.refusal {
                return Err(wire::refused(refusal));
            }
            let wait = std::time::Duration::from_millis(answer.retry_after_ms.into());
            tokio::time::sleep(wait).await;
        }
    }

    /// One pass, or the rules that stand against it.
    ///
    /// # Errors
    /// The identifiers of the rules, comma-separated, as a refused claim names them.
    ///
    /// # Panics
    /// For any other refusal.
    pub async fn pass(&mut self, claim: Claim, set: &str, now: Minute) -> Result<Issued, String> {
        match self.passes(claim, set, &[Holder::new()], now).await {
            Ok(mut issued) => Ok(issued.remove(0)),
            Err(status) => {
                let info = status.get_details_error_info().expect("a reason");
                assert_eq!(info.reason, "CLAIM_NOT_SUPPORTED");
                Err(info.metadata["rules"].clone())
            }
        }
    }
}
