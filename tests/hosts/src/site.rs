//! What everybody who takes part knows: where things are, what time it is, and how to call whom.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use ed25519_dalek::SigningKey;
use federation::{Credentials, FederationId, PeerId, Timeouts, TlsIdentity, connect};
use rules::{Minute, SourceId, SourceKind};
use tests::{Device, Person, Source, province};
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};
use wire::operator::v1::AdvanceClockRequest;
use wire::operator::v1::operator_service_client::OperatorServiceClient;

use crate::desk::NAME;
use crate::host::Place;
use crate::network::Network;

/// The provinces.
pub const PROVINCES: [u8; 5] = [33, 35, 42, 44, 51];
/// The gates by number, each with its province.
pub const GATES: [(u8, u8); 2] = [(1, 33), (2, 35)];
/// Where clocks stand at first: 2022-08-21 08:00 in UTC+8, when the rule sets at hand were in force.
const START_MINUTE: u32 = 27_683_520;

/// A node's doors.
pub(crate) const PEERS: u16 = 7440;
pub(crate) const PUBLIC: u16 = 7443;
pub(crate) const METRICS: u16 = 7444;
pub(crate) const LOG: u16 = 7445;
/// A gate's door.
pub(crate) const GATE: u16 = 7460;

/// How often what is done, and how fast time goes.
#[derive(Clone, Copy, Debug)]
pub struct Pulse {
    /// Minutes that pass in a second.
    pub rate_min_per_s: u32,
    /// Minutes between two epochs.
    pub every_min: u32,
    /// Time between two nodes' turns to assemble a registry, seconds.
    pub propose_after_s: u32,
    /// Residents of each province.
    pub residents: u16,
}

impl Pulse {
    /// Real time between two epochs.
    pub fn epoch(&self) -> Duration {
        Duration::from_secs(u64::from(self.every_min / self.rate_min_per_s))
    }
}

/// The common ground.
pub struct Site {
    /// Where all files are.
    pub dir: PathBuf,
    /// The network.
    pub network: Network,
    /// How fast all goes.
    pub pulse: Pulse,
    pub(crate) root_keys: Vec<String>,
    begun: Instant,
    /// Numbers of the running processes.
    pub(crate) running: Mutex<BTreeMap<Place, u32>>,
    /// Nodes whose clocks were behind, and whether they still are.
    behind: Mutex<BTreeMap<u8, bool>>,
    away: Mutex<BTreeSet<u8>>,
}

impl Site {
    pub(crate) fn new(
        dir: PathBuf,
        network: Network,
        pulse: Pulse,
        root_keys: Vec<String>,
    ) -> Self {
        Self {
            dir,
            network,
            pulse,
            root_keys,
            begun: Instant::now(),
            running: Mutex::default(),
            behind: Mutex::default(),
            away: Mutex::default(),
        }
    }

    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Time since a moment of before.
    pub(crate) fn since(&self, begun: Duration) -> Duration {
        self.elapsed().saturating_sub(begun)
    }

    /// What clocks show now.
    pub fn now(&self) -> Minute {
        let passed_ms = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX);
        let passed_min = passed_ms.saturating_mul(self.pulse.rate_min_per_s.into()) / 1000;
        Minute::new(START_MINUTE)
            .unwrap_or(Minute::ZERO)
            .saturating_add_signed(i64::try_from(passed_min).unwrap_or(i64::MAX))
    }

    /// Waits until clocks show another minute.
    pub(crate) async fn minute_begins(&self) {
        let minute_us = 1_000_000 / u128::from(self.pulse.rate_min_per_s);
        let left_us = minute_us - self.elapsed().as_micros() % minute_us;
        let left = Duration::from_micros(u64::try_from(left_us).unwrap_or_default());
        tokio::time::sleep(left + Duration::from_millis(1)).await;
    }

    /// When clocks show a minute.
    pub(crate) fn at(&self, minute: Minute) -> Duration {
        let passed_min = minute.get().saturating_sub(START_MINUTE);
        Duration::from_millis(u64::from(passed_min) * 1000 / u64::from(self.pulse.rate_min_per_s))
    }

    /// When clocks show the closing minute of an epoch.
    pub(crate) fn closing(&self, epoch: u32) -> Duration {
        let minute = epoch.saturating_mul(self.pulse.every_min);
        self.at(Minute::new(minute).unwrap_or(Minute::MAX))
    }

    /// The directory of whoever stands at a place.
    pub fn home(&self, place: Place) -> PathBuf {
        self.dir.join(place.to_string())
    }

    pub(crate) fn note_running(&self, place: Place, id: Option<u32>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match id {
            Some(id) => running.insert(place, id),
            None => running.remove(&place),
        };
    }

    /// Whether a process runs at a place.
    pub(crate) fn runs(&self, place: Place) -> bool {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.contains_key(&place)
    }

    /// The federation.
    pub(crate) fn federation() -> Result<FederationId> {
        Ok(FederationId::new(NAME)?)
    }

    /// The certificate of this name of a province, with the roots that the province has.
    pub(crate) fn identity(&self, code: u8, name: &str) -> Result<Arc<TlsIdentity>> {
        let home = self.home(Place::Node(code));
        let read = |file: String| {
            let path = home.join(file);
            fs::read_to_string(&path).with_context(|| path.display().to_string())
        };
        let (chain, key) = (
            read(format!("{name}.pem"))?,
            read(format!("{name}-key.pem"))?,
        );
        let roots = read("federation.pem".to_owned())?;
        Ok(Arc::new(TlsIdentity::from_pem(&chain, &key, &roots)?))
    }

    fn anonymous(&self, code: u8) -> Result<Arc<TlsIdentity>> {
        let roots = self.home(Place::Node(code)).join("federation.pem");
        let roots = fs::read_to_string(roots)?;
        Ok(Arc::new(TlsIdentity::anonymous(
            &Self::federation()?,
            &roots,
        )?))
    }

    /// A channel to a door of a province's node, from the node's own host.
    pub(crate) async fn channel(
        &self,
        code: u8,
        door: u16,
        credentials: Arc<TlsIdentity>,
    ) -> Result<Channel> {
        let host = self.network.host(Place::Node(code));
        let address = SocketAddr::new(host.address, door).to_string();
        let expected = PeerId::node(&Self::federation()?, province(code));
        let credentials: Arc<dyn Credentials> = Arc::new(credentials);
        let connecting =
            async move { connect(&address, expected, credentials, Timeouts::default()) };
        Ok(host.within(connecting).await??)
    }

    /// A channel to the peers' door of a node, as whom a certificate of a province names.
    pub(crate) async fn as_one_of(&self, who: (u8, &str), code: u8) -> Result<Channel> {
        self.channel(code, PEERS, self.identity(who.0, who.1)?)
            .await
    }

    /// The operator of a node.
    pub(crate) async fn operator(&self, code: u8) -> Result<OperatorServiceClient<Channel>> {
        let channel = self.as_one_of((code, "operator"), code).await?;
        Ok(wire::client::operator(channel))
    }

    /// Moves a node's clock forward.
    pub(crate) async fn move_clock(&self, code: u8, to_minute: u32) -> Result<()> {
        let mut operator = self.operator(code).await?;
        operator
            .advance_clock(AdvanceClockRequest { to_minute })
            .await?;
        Ok(())
    }

    pub(crate) fn note_behind(&self, code: u8, is: bool) {
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        behind.insert(code, is);
    }

    /// Whether a node's clock has ever been behind.
    pub(crate) fn was_behind(&self, code: u32) -> bool {
        let behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        u8::try_from(code).is_ok_and(|code| behind.contains_key(&code))
    }

    /// Whether a node's clock is behind for the moment.
    pub(crate) fn is_behind(&self, code: u8) -> bool {
        let behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        behind.get(&code) == Some(&true)
    }

    /// A province is no member any more.
    pub(crate) fn note_away(&self, code: u8) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        away.insert(code);
    }

    /// Whether a province is no member any more.
    pub(crate) fn is_away(&self, code: u32) -> bool {
        let away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        u8::try_from(code).is_ok_and(|code| away.contains(&code))
    }

    /// The laboratory of a province, at its node.
    pub(crate) async fn laboratory(&self, code: u8) -> Result<Source> {
        let channel = self.as_one_of((code, LABORATORY), code).await?;
        let key = read_key(&self.home(Place::Node(code)).join("laboratory.key"))?;
        Ok(Source::over(channel, laboratory(code), key))
    }

    /// A resident's device.
    pub(crate) async fn device(&self, person: Person) -> Result<Device> {
        let code = person.home.get();
        let channel = self.channel(code, PUBLIC, self.anonymous(code)?).await?;
        Ok(Device::over(channel, person))
    }

    /// A channel to a gate's door, from its own host.
    pub(crate) async fn gate(&self, number: u8) -> Result<Channel> {
        let host = self.network.host(Place::Gate(number));
        let endpoint = Endpoint::from_shared(format!("http://{}:{GATE}", host.own))?
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(20));
        host.within(async move { endpoint.connect_lazy() }).await
    }
}

/// Name of the certificate of a laboratory.
pub(crate) const LABORATORY: &str = "source-laboratory-1";

/// A province's laboratory.
pub(crate) fn laboratory(code: u8) -> SourceId {
    SourceId {
        province: province(code),
        kind: SourceKind::Laboratory,
        number: 1,
    }
}

/// A secret as the programs write it.
pub(crate) fn read_key(path: &std::path::Path) -> Result<SigningKey> {
    let text = fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut secret = [0; 32];
    hex::decode_to_slice(text.trim(), &mut secret)?;
    Ok(SigningKey::from_bytes(&secret))
}
