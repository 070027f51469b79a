//! Those who call the nodes: residents' phones, sources, operators – each through its own door with its own proof of
//! who it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use ed25519_dalek::Signer as _;
use federation::{Credentials, PeerId, Timeouts, TlsIdentity, connect};
use p256::ecdsa::SigningKey;
use rand::Rng as _;
use rules::{Claim, Event, EventBody, Minute, ProvinceCode, SourceId};
use tonic::transport::Channel;
use tonic::{Code, Status};
use verifier::{BinderKind, HolderKey};
use wire::operator::v1 as operator;
use wire::resident::v1 as resident;
use wire::source::v1 as source;
use wire::{Nonce, SignedCall, sign_call};

use crate::people::Person;
use crate::stage::{Stage, nodes};

/// How often a phone asks for a pass that is not ready; nodes answer after some seconds.
const MOST_ASKED: usize = 20;

/// Channels to all doors.
pub struct Callers {
    residents: BTreeMap<ProvinceCode, Channel>,
    operators: BTreeMap<ProvinceCode, Channel>,
    sources: BTreeMap<(SourceId, ProvinceCode), Channel>,
}

/// What the passes asked for are to say and to be bound to.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The claim.
    pub claim: Claim,
    /// Rule set of the place of showing.
    pub rule_set: &'static str,
    /// The one-time key; none for a pass bound to the identity card.
    pub holder: Option<HolderKey>,
}

impl Callers {
    /// Channels that connect with their first call.
    ///
    /// # Errors
    /// For unusable certificates.
    pub fn new(stage: &Stage) -> Result<Self> {
        let mut callers = Self {
            residents: BTreeMap::new(),
            operators: BTreeMap::new(),
            sources: BTreeMap::new(),
        };
        let timeouts = Timeouts {
            connect: Duration::from_secs(5),
            call: Duration::from_mins(1),
        };
        let anonymous = TlsIdentity::anonymous(&stage.federation, &stage.roots_pem)?;
        let anonymous: Arc<dyn Credentials> = Arc::new(Arc::new(anonymous));
        let identity = |certificate: &federation::pki::IssuedCertificate| {
            let chain = &certificate.chain_pem;
            let own = TlsIdentity::from_pem(chain, &certificate.key_pem, &stage.roots_pem)?;
            Ok::<Arc<dyn Credentials>, anyhow::Error>(Arc::new(Arc::new(own)))
        };
        let mut material = BTreeMap::new();
        for (id, source) in &stage.sources {
            material.insert(*id, identity(&source.certificate)?);
        }
        for home in nodes() {
            let doors = stage.doors.get(&home).context("doors")?;
            let node = PeerId::node(&stage.federation, home);
            let public = doors.public.to_string();
            let peers = doors.peers.to_string();
            let channel = connect(&public, node.clone(), Arc::clone(&anonymous), timeouts)?;
            callers.residents.insert(home, channel);
            let certificate = stage.operators.get(&home).context("an operator")?;
            let channel = connect(&peers, node.clone(), identity(certificate)?, timeouts)?;
            callers.operators.insert(home, channel);
            for (id, own) in &material {
                let channel = connect(&peers, node.clone(), Arc::clone(own), timeouts)?;
                callers.sources.insert((*id, home), channel);
            }
        }
        Ok(callers)
    }

    /// The phone of a resident.
    ///
    /// # Errors
    /// For a home without a node.
    pub fn phone(&self, person: &Person, now: Minute) -> Result<Phone> {
        let channel = self.residents.get(&person.home).context("a node")?;
        Ok(Phone {
            channel: channel.clone(),
            key: person.device.clone(),
            home: person.home,
            now,
        })
    }

    /// Hands events of one source to a home, at most 256.
    ///
    /// # Errors
    /// If the call fails; a refused event is an answer.
    pub async fn submit(
        &self,
        stage: &Stage,
        by: SourceId,
        home: ProvinceCode,
        events: &[Event],
    ) -> Result<Vec<source::EventResult>> {
        let key = &stage.sources.get(&by).context("a source")?.key;
        let events = events
            .iter()
            .map(|e| source::SignedEvent::new(e, key.sign(&e.signing_bytes()).to_bytes()));
        self.submit_signed(by, home, events.collect()).await
    }

    /// Hands in events with whatever signatures they have.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn submit_signed(
        &self,
        by: SourceId,
        home: ProvinceCode,
        events: Vec<source::SignedEvent>,
    ) -> Result<Vec<source::EventResult>> {
        let channel = self.sources.get(&(by, home)).context("a channel")?.clone();
        let request = source::SubmitEventsRequest { events };
        let answer = wire::client::source(channel).submit_events(request).await;
        Ok(answer.map_err(said)?.into_inner().results)
    }

    /// Moves a node's clock.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn advance_clock(&self, home: ProvinceCode, to: Minute) -> Result<()> {
        let request = operator::AdvanceClockRequest {
            to_minute: to.get(),
        };
        let answer = self.operator(home)?.advance_clock(request).await;
        answer.map(drop).map_err(said)
    }

    /// Closes an epoch; records committed and milliseconds.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn close_epoch(
        &self,
        home: ProvinceCode,
        epoch: u32,
        as_of: Minute,
    ) -> Result<operator::CloseEpochResponse> {
        let request = operator::CloseEpochRequest {
            epoch,
            as_of_minute: as_of.get(),
        };
        let answer = self.operator(home)?.close_epoch(request).await;
        Ok(answer.map_err(said)?.into_inner())
    }

    /// Has a node assemble an epoch's registry.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn assemble(
        &self,
        home: ProvinceCode,
        epoch: u32,
    ) -> Result<operator::AssembleRegistryResponse> {
        let request = operator::AssembleRegistryRequest { epoch };
        let answer = self.operator(home)?.assemble_registry(request).await;
        Ok(answer.map_err(said)?.into_inner())
    }

    /// What a node says of itself.
    ///
    /// # Errors
    /// If the call fails.
    pub async fn status(&self, home: ProvinceCode) -> Result<operator::GetStatusResponse> {
        let request = operator::GetStatusRequest {};
        let answer = self.operator(home)?.get_status(request).await;
        Ok(answer.map_err(said)?.into_inner())
    }

    fn operator(
        &self,
        home: ProvinceCode,
    ) -> Result<operator::operator_service_client::OperatorServiceClient<Channel>> {
        let channel = self.operators.get(&home).context("an operator")?;
        Ok(wire::client::operator(channel.clone()))
    }
}

/// A resident's phone: it signs every call with its key.
#[derive(Clone)]
pub struct Phone {
    channel: Channel,
    key: SigningKey,
    home: ProvinceCode,
    now: Minute,
}

impl Phone {
    fn sign<C: SignedCall>(&self, body: &C::Body) -> C {
        let nonce = Nonce(rand::rng().random());
        sign_call(body, &self.key, self.home, self.now, nonce)
    }

    fn client(&self) -> resident::resident_service_client::ResidentServiceClient<Channel> {
        wire::client::resident(self.channel.clone())
    }

    /// Binds its key to the person.
    ///
    /// # Errors
    /// The node's answer.
    pub async fn register(&self, person: &Person) -> Result<(), Status> {
        let number = String::from_utf8_lossy(person.number.expose()).into_owned();
        let body = resident::Register {
            device_key: HolderKey::from(*self.key.verifying_key())
                .to_bytes()
                .to_vec(),
            identity_number: number,
            name: person.name.clone(),
            real_name_evidence: Vec::new(),
            forget_other_devices: false,
        };
        self.client()
            .register(self.sign::<resident::RegisterRequest>(&body))
            .await
            .map(drop)
    }

    /// Declares what the resident says of themselves: a check-in or a stay.
    ///
    /// # Errors
    /// The node's answer.
    pub async fn declare(&self, event: &Event) -> Result<(), Status> {
        let event_id = event.id.0.to_vec();
        match event.body {
            EventBody::CheckIn { day, symptoms } => {
                let symptoms = if symptoms {
                    resident::Symptoms::Present
                } else {
                    resident::Symptoms::None
                };
                let body = resident::DeclareHealth {
                    event_id,
                    day: day.get().into(),
                    symptoms: symptoms.into(),
                };
                let call: resident::DeclareHealthRequest = self.sign(&body);
                self.client().declare_health(call).await.map(drop)
            }
            EventBody::Stay { place, begin, end } => {
                let body = resident::DeclareTrip {
                    event_id,
                    area_nine_digit: place.nine_digit(),
                    site: place.site(),
                    begin_minute: begin.get(),
                    end_minute: end.map(Minute::get),
                };
                let call: resident::DeclareTripRequest = self.sign(&body);
                self.client().declare_trip(call).await.map(drop)
            }
            _ => Err(Status::invalid_argument("no declaration of a resident")),
        }
    }

    /// The own colour, with every reason.
    ///
    /// # Errors
    /// The node's answer.
    pub async fn query(&self, rule_set: &str) -> Result<resident::QueryResponse, Status> {
        let body = resident::Query {
            rule_set_id: rule_set.to_owned(),
            ..Default::default()
        };
        let call: resident::QueryRequest = self.sign(&body);
        Ok(self.client().query(call).await?.into_inner())
    }

    /// Asks for one pass and waits for it.
    ///
    /// # Errors
    /// The node's answer, and `CLAIM_NOT_SUPPORTED` for a claim that it refused.
    pub async fn fetch(&self, wish: &Wish) -> Result<resident::IssuedPass, Status> {
        let use_id: [u8; 16] = rand::rng().random();
        let kind = match wish.holder {
            Some(_) => BinderKind::Device,
            None => BinderKind::Card,
        };
        let body = resident::RequestUse {
            use_id: use_id.to_vec(),
            claim: Some(wish.claim.into()),
            rule_set_id: wish.rule_set.to_owned(),
            binder_kind: wire::pass::v1::BinderKind::from(kind).into(),
            holder_keys: wish.holder.iter().map(|k| k.to_bytes().to_vec()).collect(),
        };
        let call: resident::RequestUseRequest = self.sign(&body);
        self.client().request_use(call).await?;
        for _ in 0..MOST_ASKED {
            let body = resident::MakeCode {
                use_id: use_id.to_vec(),
            };
            let call: resident::MakeCodeRequest = self.sign(&body);
            let mut answer = self.client().make_code(call).await?.into_inner();
            if answer.state() == resident::MakeCodeState::Ready {
                let pass = answer.passes.pop();
                return pass.ok_or_else(|| Status::new(Code::Internal, "ready without a pass"));
            }
            if let Some(refusal) = &answer.refusal {
                return Err(wire::refused(refusal));
            }
            let wait = Duration::from_millis(answer.retry_after_ms.into());
            tokio::time::sleep(wait).await;
        }
        Err(Status::deadline_exceeded(
            "the pass is not ready after a minute",
        ))
    }
}

/// A failed call in words, with its stable reason.
#[allow(clippy::needless_pass_by_value)] // handed to `map_err`
pub fn said(status: Status) -> anyhow::Error {
    let reason = wire::reason_of(&status).map_or("", wire::Reason::code);
    anyhow::anyhow!("{:?} {reason}: {}", status.code(), status.message())
}

/// Checks that all of a source's events were taken.
///
/// # Errors
/// With the reason of the first that was not.
pub fn all_accepted(results: &[source::EventResult]) -> Result<()> {
    let accepted = source::EventOutcome::Accepted;
    match results.iter().find(|r| r.outcome() != accepted) {
        Some(result) => bail!("an event was refused: {}", result.reason),
        None => Ok(()),
    }
}
