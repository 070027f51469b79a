//! Those who call nodes over the simulated network: sources, devices, nodes, gates.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use checkpoint::{Config, Desk, Scanned, ask_through, take};
use ed25519_dalek::Signer as _;
use federation::{Dial, PeerId, Role, Timeouts, connect_through};
use p256::ecdsa::SigningKey;
use rules::{Event, Minute};
use tonic::Status;
use tonic::transport::Channel;
use verifier::{HolderKey, Moment, Pass, QrText, Showing, UnixTime, Verdict};
use wire::pass::v1 as words;
use wire::resident::v1 as res;
use wire::resident::v1::resident_service_client::ResidentServiceClient;
use wire::source::v1 as src;
use wire::{DeviceKey, Nonce, SignedCall, sign_call};

use crate::net::Simulated;
use crate::realm::{
    PEERS_PORT, PUBLIC_PORT, RULES, Realm, host, name, person, province, root_keys, source_key,
};

/// Times that people wait: short, so that much is asked in little time.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(3),
    call: Duration::from_secs(8),
};

/// An event with its source's signature, as it was handed in.
#[derive(Clone)]
pub(crate) struct Stated {
    pub(crate) event: Event,
    pub(crate) signature: [u8; 64],
}

impl Stated {
    pub(crate) fn sign(event: Event) -> Self {
        let signature = source_key(event.source).sign(&event.signing_bytes());
        Self {
            event,
            signature: signature.to_bytes(),
        }
    }
}

/// A resident's device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Device {
    pub(crate) home: u8,
    pub(crate) number: u16,
}

impl Device {
    fn key(self) -> Result<SigningKey> {
        let mut scalar = [0x5a; 32];
        scalar[0] = self.home;
        scalar[1..3].copy_from_slice(&self.number.to_be_bytes());
        Ok(SigningKey::from_slice(&scalar)?)
    }
}

/// A pass in hand.
#[derive(Clone)]
pub(crate) struct Held {
    pub(crate) device: Device,
    pub(crate) use_id: [u8; 16],
    pub(crate) pass: Pass,
    holder: SigningKey,
}

impl Held {
    /// The text of its code, shown now.
    pub(crate) fn show(&self, now: UnixTime) -> Result<String> {
        let moment = Moment {
            slot: now.slot(),
            challenge: None,
        };
        let message = moment.signing_bytes(&self.pass);
        let signature: p256::ecdsa::Signature = self.holder.sign(&message);
        let showing = Showing::of_device(self.pass.clone(), moment, &signature.to_bytes().into())?;
        Ok(QrText::from_showing(&showing).as_str().to_owned())
    }
}

/// Channels, kept from call to call.
pub(crate) struct Lines {
    realm: Arc<Realm>,
    channels: BTreeMap<String, Channel>,
    next: u64,
}

impl Lines {
    pub(crate) fn new(realm: Arc<Realm>) -> Self {
        Self {
            realm,
            channels: BTreeMap::new(),
            next: 1,
        }
    }

    /// Sixteen bytes that were not used before.
    pub(crate) fn fresh(&mut self) -> [u8; 16] {
        let mut bytes = [0x51; 16];
        bytes[8..].copy_from_slice(&self.next.to_be_bytes());
        self.next += 1;
        bytes
    }

    /// A channel to a node, as somebody with a certificate or as anybody.
    fn channel(&mut self, home: u8, caller: Option<(u8, Role)>) -> Result<Channel> {
        let key = format!("{home} {caller:?}");
        if let Some(channel) = self.channels.get(&key) {
            return Ok(channel.clone());
        }
        let port = if caller.is_some() {
            PEERS_PORT
        } else {
            PUBLIC_PORT
        };
        let credentials = self.realm.credentials(caller)?;
        let expected = PeerId::node(&self.realm.federation, province(home));
        let dial: Arc<dyn Dial> = Arc::new(Simulated);
        let address = format!("{}:{port}", host(home));
        let channel = connect_through(dial, &address, expected, credentials, TIMEOUTS)?;
        self.channels.insert(key, channel.clone());
        Ok(channel)
    }

    /// A channel from one node to another.
    pub(crate) fn between(&mut self, from: u8, to: u8) -> Result<Channel> {
        self.channel(to, Some((from, Role::Node)))
    }

    /// Hands one event in at a node; what became of it, in a word or the reason of the refusal.
    pub(crate) async fn submit(
        &mut self,
        at: u8,
        stated: &Stated,
        home: Option<u8>,
    ) -> Result<Result<String, Status>> {
        let id = stated.event.source;
        let role = Role::Source(id.kind, id.number);
        let mut client = wire::client::source(self.channel(at, Some((id.province.get(), role)))?);
        let mut event = src::SignedEvent::new(&stated.event, stated.signature);
        event.home_province = home.map_or(0, u32::from);
        let request = src::SubmitEventsRequest {
            events: vec![event],
        };
        let answer = match client.submit_events(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => return Ok(Err(status)),
        };
        let result = answer.results.first().context("one answer")?;
        Ok(Ok(match result.outcome() {
            src::EventOutcome::Accepted => "accepted".to_owned(),
            src::EventOutcome::Duplicate => "duplicate".to_owned(),
            src::EventOutcome::Forwarded => "forwarded".to_owned(),
            _ => result.reason.clone(),
        }))
    }

    fn resident(&mut self, home: u8) -> Result<ResidentServiceClient<Channel>> {
        Ok(wire::client::resident(self.channel(home, None)?))
    }

    fn sign<C: SignedCall>(&mut self, device: Device, body: &C::Body, at: Minute) -> Result<C> {
        let nonce = Nonce(self.fresh());
        let home = province(device.home);
        Ok(sign_call(body, &device.key()?, home, at, nonce))
    }

    /// Binds a device to its resident.
    pub(crate) async fn register(
        &mut self,
        device: Device,
        now: Minute,
    ) -> Result<Result<(), Status>> {
        let body = res::Register {
            device_key: DeviceKey::of(&device.key()?).to_bytes().to_vec(),
            identity_number: String::from_utf8_lossy(person(device.home, device.number).expose())
                .into_owned(),
            name: name(device.number),
            real_name_evidence: Vec::new(),
            forget_other_devices: false,
        };
        let call: res::RegisterRequest = self.sign(device, &body, now)?;
        let answer = self.resident(device.home)?.register(call).await;
        Ok(answer.map(|_| ()))
    }

    /// Asks for a pass, "not red", and waits until it is made.
    pub(crate) async fn pass(
        &mut self,
        device: Device,
        now: Minute,
    ) -> Result<Result<Held, Status>> {
        let use_id = self.fresh();
        let mut scalar = [0x21; 32];
        scalar[..16].copy_from_slice(&use_id);
        let holder = SigningKey::from_slice(&scalar)?;
        let key = HolderKey::from(*holder.verifying_key());
        let body = res::RequestUse {
            use_id: use_id.to_vec(),
            claim: Some(words::Claim {
                worst: words::Colour::Yellow.into(),
                test_age: words::TestAge::NotAsked.into(),
            }),
            rule_set_id: RULES.to_owned(),
            binder_kind: words::BinderKind::Device.into(),
            holder_keys: vec![key.to_bytes().to_vec()],
        };
        let call: res::RequestUseRequest = self.sign(device, &body, now)?;
        let mut client = self.resident(device.home)?;
        if let Err(status) = client.request_use(call).await {
            return Ok(Err(status));
        }
        let body = res::MakeCode {
            use_id: use_id.to_vec(),
        };
        let call: res::MakeCodeRequest = self.sign(device, &body, now)?;
        let answer = match client.make_code(call).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => return Ok(Err(status)),
        };
        if let Some(refusal) = &answer.refusal {
            return Ok(Err(wire::refused(refusal)));
        }
        let Some(issued) = answer.passes.first() else {
            return Ok(Err(wire::status(wire::Reason::ProverBusy)));
        };
        Ok(Ok(Held {
            device,
            use_id,
            pass: Pass::from_bytes(&issued.pass)?,
            holder,
        }))
    }

    /// Revokes the passes of a use; how many.
    pub(crate) async fn revoke(&mut self, held: &Held, now: Minute) -> Result<Result<u32, Status>> {
        let body = res::RevokePasses {
            use_id: held.use_id.to_vec(),
            forget_other_devices: false,
        };
        let call: res::RevokePassesRequest = self.sign(held.device, &body, now)?;
        let answer = self.resident(held.device.home)?.revoke_passes(call).await;
        Ok(answer.map(|answer| answer.into_inner().revoked))
    }
}

/// A gate: the real desk over a directory, asking the nodes for the trust list.
pub(crate) struct Gate {
    desk: Desk,
    /// The number of its list when it was last looked at; it never falls.
    pub(crate) number: u64,
}

impl Gate {
    pub(crate) fn open(realm: &Realm, dir: &Path, place: u8) -> Result<Self> {
        std::fs::create_dir_all(dir)?;
        std::fs::write(dir.join("roots.pem"), realm.roots_pem())?;
        let keys = root_keys();
        let keys: Vec<String> = keys
            .keys()
            .iter()
            .map(|k| hex::encode(k.as_bytes()))
            .collect();
        let mut text = format!(
            "production = false\nprovince = {place}\ngate_id = \"4a58303030303031\"\nstate_dir = \"state\"\n\
             profile = \"open\"\nadmit_specimens = true\n\
             [trust]\nroot_keys = {keys:?}\nroot_threshold = 1\nfederation = \"{}\"\n\
             certificate_roots_file = \"roots.pem\"\n",
            realm.federation.as_str(),
        );
        for code in &realm.provinces {
            let _ = write!(
                text,
                "[[publisher]]\nprovince = {code}\naddress = \"{}:{PUBLIC_PORT}\"\n",
                host(*code)
            );
        }
        let config = Config::parse(&text, dir)?;
        Ok(Self {
            desk: Desk::open(config)?,
            number: 0,
        })
    }

    /// Asks one of the nodes for what is newer; whether it had an acceptable list.
    pub(crate) async fn refresh(&mut self, from: u8, now: UnixTime) -> Result<bool> {
        let mut config = self.desk.config().clone();
        config.publishers.retain(|p| p.province.get() == from);
        let dial: Arc<dyn Dial> = Arc::new(Simulated);
        let answers = ask_through(&dial, &config, self.desk.list(), now).await?;
        Ok(take(&mut self.desk, answers, now).is_ok())
    }

    /// Offers a bundle that somebody has kept; whether it is taken for a newer one.
    pub(crate) fn offer(&mut self, bundle: &[u8], now: UnixTime) -> bool {
        self.desk.take_list(bundle, now).unwrap_or(false)
    }

    /// The bundle in hand.
    pub(crate) fn bundle(&self) -> Option<Vec<u8>> {
        self.desk.list().map(|list| list.to_bytes().to_vec())
    }

    /// The number of the list in hand.
    pub(crate) fn sequence(&self) -> Option<u64> {
        self.desk.list().map(|list| list.online().sequence.get())
    }

    /// The verdict on a code.
    pub(crate) fn decide(&mut self, code: String, now: UnixTime) -> Result<Verdict> {
        let report = self.desk.decide(&Scanned::plain(code), Some("open"), now)?;
        Ok(report.verdict)
    }
}
