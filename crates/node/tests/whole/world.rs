//! A federation of three provinces on one machine, with a clock that stands still until it is moved.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use ed25519_dalek::{Signer as _, SigningKey};
use federation::pki::{DemoAuthority, Validity};
use federation::{Credentials, FederationId, PeerId, Role, TlsIdentity};
use ledger::log::LogSigner;
use node::config::{
    Epochs, Intake, Limits, Openings, Parameters, Peer, Proving, Receipts, Retention, Trust,
};
use node::forward::{Forward, SealingSecret};
use node::observe::Metrics;
use node::store::{KeyRing, MemoryStore, ObservedStore, Store, StoreIdentity, Vault};
use node::{
    CivilRegister, Entropy, FileRegister, Listeners, Node, OpeningParts, PageListener, Parts,
    PassProver, Peers, RegisterUnavailable, RiskBook, RuleBook, Settings, SimulatedClock,
    SourceBook, serve,
};
use prover::OpeningProver;
use rules::{
    Claim, IdentityNumber, Minute, ProvinceCode, RuleSet, SourceId, SourceKind, TestAge,
    WorstColour,
};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use verifier::trust::{
    CircuitEntry, HeadKeys, OpeningEntry, Profile, ProvinceEntry, RootDocument, RootKeys,
    RootSignature, RuleSetEntry, Sequence, SignedRoot,
};
use verifier::{AcceptanceRule, BinderKinds, UnixTime};

use crate::provers::Checking;

/// 29 August 2022, 08:00 in UTC+8.
pub(crate) const START: u32 = 27_695_520;
/// The three provinces.
pub(crate) const PROVINCES: [u8; 3] = [33, 35, 42];
/// People in each province's register.
const PEOPLE: u16 = 40;
/// From 2020 to 2100.
const LONG: Validity = Validity {
    from_s: 1_577_836_800,
    until_s: 4_102_444_800,
};

static AUTHORITY: LazyLock<DemoAuthority> =
    LazyLock::new(|| DemoAuthority::generate_for_demo(&federation(), LONG).unwrap());

pub(crate) fn federation() -> FederationId {
    FederationId::new("test").unwrap()
}

pub(crate) fn province(code: u8) -> ProvinceCode {
    ProvinceCode::new(code).unwrap()
}

pub(crate) fn minute(minutes: u32) -> Minute {
    Minute::new(minutes).unwrap()
}

/// The identity number of somebody in the register of a province.
pub(crate) fn person(home: u8, number: u16) -> IdentityNumber {
    IdentityNumber::assemble(u32::from(home) * 10_000 + 102, (1990, 1, 1), number).unwrap()
}

pub(crate) fn name(number: u16) -> String {
    format!("resident {number}")
}

/// Credentials of an identity, issued by the one authority.
pub(crate) fn credentials(peer: &PeerId) -> Arc<TlsIdentity> {
    let issued = AUTHORITY.issue_for_demo(peer).unwrap();
    let roots = AUTHORITY.root_pem();
    Arc::new(TlsIdentity::from_pem(&issued.chain_pem, &issued.key_pem, &roots).unwrap())
}

/// Credentials of somebody without a certificate.
pub(crate) fn anonymous() -> Arc<TlsIdentity> {
    Arc::new(TlsIdentity::anonymous(&federation(), &AUTHORITY.root_pem()).unwrap())
}

/// Certificate, key and roots of an identity, PEM.
pub(crate) fn pem(peer: &PeerId) -> [String; 3] {
    let issued = AUTHORITY.issue_for_demo(peer).unwrap();
    [issued.chain_pem, issued.key_pem, AUTHORITY.root_pem()]
}

pub(crate) fn source(home: u8, kind: SourceKind) -> SourceId {
    SourceId {
        province: province(home),
        kind,
        number: 1,
    }
}

pub(crate) fn source_key(id: SourceId) -> SigningKey {
    let mut seed = [id.province.get(); 32];
    seed[0] = id.kind.code();
    SigningKey::from_bytes(&seed)
}

pub(crate) fn head_key(home: u8) -> SigningKey {
    SigningKey::from_bytes(&[home + 100; 32])
}

pub(crate) fn log_signer(home: u8) -> LogSigner {
    LogSigner::derive(&[home + 200; 32])
}

pub(crate) fn root_key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

pub(crate) fn root_keys() -> RootKeys {
    RootKeys::new(vec![root_key().verifying_key()], 1).unwrap()
}

pub(crate) fn node_key(home: u8) -> KeyRing {
    KeyRing::from_secret([home; 32])
}

/// The sources of a province as its configuration names them.
pub(crate) fn source_file(home: u8) -> String {
    let entry = |kind: SourceKind| {
        let id = source(home, kind);
        let key = hex::encode(source_key(id).verifying_key().as_bytes());
        let written = id.to_string();
        let word = written
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '-')
            .trim_end_matches("-1");
        [
            "[[source]]".to_owned(),
            format!("province = {home}"),
            format!("kind = \"{word}\""),
            "number = 1".to_owned(),
            format!("name = \"{word} of {home}\""),
            format!("names_proxies = {}", kind == SourceKind::CommunityOffice),
            format!("public_key = \"{key}\"\n"),
        ]
        .join("\n")
    };
    let kinds = SourceKind::ALL.into_iter();
    let registered = kinds.filter(|kind| *kind != SourceKind::Resident);
    registered.map(entry).collect::<Vec<_>>().concat()
}

/// The register of a province as lines of number and name.
pub(crate) fn register_list(home: u8) -> String {
    let line = |number| {
        let person = person(home, number);
        let digits = std::str::from_utf8(person.expose()).unwrap();
        format!("{digits},{}", name(number))
    };
    (0..PEOPLE).map(line).collect::<Vec<_>>().join("\n") + "\n"
}

/// A root document that names the three provinces, the built-in rule sets and one circuit.
pub(crate) fn root_document(circuit: CircuitEntry) -> SignedRoot {
    root_document_with(circuit, |_| ())
}

/// The same with a change.
pub(crate) fn root_document_with(
    circuit: CircuitEntry,
    change: impl FnOnce(&mut RootDocument),
) -> SignedRoot {
    let provinces = (0..).zip(PROVINCES).map(|(slot, code)| ProvinceEntry {
        province: province(code),
        slot: commitment::Slot::new(slot).unwrap(),
        head_keys: HeadKeys::single(head_key(code).verifying_key()),
    });
    let mut rule_sets: Vec<RuleSetEntry> = RuleSet::BUILT_IN
        .iter()
        .map(|id| RuleSetEntry::of(&RuleSet::built_in(id).unwrap()))
        .collect();
    rule_sets.sort_by_key(|entry| entry.short_id);
    let mut document = RootDocument {
        sequence: Sequence::new(1),
        expires_at: UnixTime::from_s(4_000_000_000),
        root_keys: root_keys(),
        grace_min: 1_440,
        provinces: provinces.collect(),
        circuits: vec![circuit],
        openings: Vec::new(),
        rule_sets,
        profiles: vec![Profile {
            name: "open".to_owned(),
            rule: rule(),
        }],
    };
    change(&mut document);
    let message = document.signing_bytes().unwrap();
    let signature = RootSignature {
        key: root_key().verifying_key(),
        signature: root_key().sign(&message).to_bytes(),
    };
    SignedRoot::new(document, vec![signature])
}

/// What the gates of these tests ask for: not red.
pub(crate) fn rule() -> AcceptanceRule {
    AcceptanceRule {
        asked: Claim {
            worst: WorstColour::Yellow,
            test_age: TestAge::NotAsked,
        },
        pass_age_max_min: 2_880,
        card_pass_age_max_min: 2_880,
        binders: BinderKinds::ALL,
    }
}

/// How a world is to be.
pub(crate) struct Wish {
    pub(crate) prover: Arc<dyn PassProver>,
    pub(crate) circuit: CircuitEntry,
    /// With what openings are made, and what root documents name for them.
    pub(crate) openings: Option<WishedOpenings>,
    pub(crate) limits: Limits,
    pub(crate) proving: Proving,
    pub(crate) epochs: Epochs,
    pub(crate) forward: Forward,
    /// Of each home's sealing key.
    pub(crate) sealing: u8,
    /// Whether an operator may move the clocks.
    pub(crate) movable: bool,
    /// What every call to the civil register does first.
    pub(crate) before_register: fn(),
}

/// How openings are to be offered.
pub(crate) struct WishedOpenings {
    pub(crate) prover: Arc<OpeningProver>,
    pub(crate) settings: Openings,
    pub(crate) named: Vec<OpeningEntry>,
}

/// A civil register that can take its time.
struct Register {
    file: FileRegister,
    before: fn(),
}

impl CivilRegister for Register {
    fn lives_here(&self, person: &IdentityNumber) -> Result<bool, RegisterUnavailable> {
        self.file.lives_here(person)
    }

    fn confirms(
        &self,
        person: &IdentityNumber,
        name: &str,
        evidence: &[u8],
    ) -> Result<bool, RegisterUnavailable> {
        (self.before)();
        self.file.confirms(person, name, evidence)
    }
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            circuit: Checking::entry(),
            prover: Arc::new(Checking::default()),
            openings: None,
            limits: Limits::default(),
            proving: Proving {
                parameters: Parameters::Test {
                    seed: String::new(),
                    cache_dir: "unused".into(),
                },
                threads: 1,
                queue_len: 64,
                wait_ms: 5_000,
                answer_quantum_ms: 20,
                renew_spread_s: 3_600,
            },
            epochs: Epochs::default(),
            forward: Forward {
                retry_first_ms: 10,
                retry_most_s: 1,
                ..Forward::default()
            },
            sealing: 1,
            movable: true,
            before_register: || {},
        }
    }
}

/// A node with its doors open.
pub(crate) struct House {
    pub(crate) node: Arc<Node>,
    pub(crate) home: u8,
    pub(crate) peers_at: SocketAddr,
    pub(crate) public_at: SocketAddr,
    pub(crate) metrics_at: SocketAddr,
    pub(crate) log_at: SocketAddr,
    pub(crate) page_at: SocketAddr,
    pub(crate) clock: Arc<SimulatedClock>,
    pub(crate) store: Arc<MemoryStore>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<federation::Ended>,
}

impl House {
    /// Closes the doors and waits for the end.
    pub(crate) async fn close(self) -> Arc<MemoryStore> {
        let _ = self.stop.send(());
        assert_eq!(self.served.await.unwrap(), federation::Ended::Drained);
        self.store
    }

    /// Waits until the node has ended by itself.
    pub(crate) async fn ended(self) {
        assert_eq!(self.served.await.unwrap(), federation::Ended::Drained);
    }
}

/// All houses, in the order of [`PROVINCES`].
pub(crate) struct World {
    pub(crate) houses: Vec<House>,
    addresses: Vec<Peer>,
}

impl World {
    pub(crate) async fn new(wish: Wish) -> Self {
        let stores = PROVINCES.map(|_| Arc::new(MemoryStore::default()));
        Self::over(wish, stores, START).await
    }

    /// Houses over stores that may have been lived in.
    pub(crate) async fn over(wish: Wish, stores: [Arc<MemoryStore>; 3], now: u32) -> Self {
        let mut listeners = Vec::new();
        for _ in PROVINCES {
            let bind = || TcpListener::bind("127.0.0.1:0");
            listeners.push(Listeners {
                peers: bind().await.unwrap(),
                public: bind().await.unwrap(),
                metrics: Some(bind().await.unwrap()),
                log: Some(bind().await.unwrap()),
                page: Some(page().await),
            });
        }
        let addresses: Vec<Peer> = PROVINCES
            .iter()
            .zip(&listeners)
            .map(|(code, listeners)| Peer {
                province: province(*code),
                address: listeners.peers.local_addr().unwrap().to_string(),
            })
            .collect();
        let mut houses = Vec::new();
        for ((home, listeners), store) in PROVINCES.into_iter().zip(listeners).zip(stores) {
            houses.push(open(&wish, home, listeners, &addresses, store, now));
        }
        Self { houses, addresses }
    }

    /// Closes a house and gives what is needed to open it again.
    pub(crate) async fn close(&mut self, home: u8) -> Arc<MemoryStore> {
        let index = self.houses.iter().position(|h| h.home == home).unwrap();
        self.houses.remove(index).close().await
    }

    /// Opens a house again, at its address.
    pub(crate) async fn reopen(
        &mut self,
        wish: &Wish,
        home: u8,
        store: Arc<MemoryStore>,
        now: u32,
    ) {
        let index = PROVINCES.iter().position(|code| *code == home).unwrap();
        let bind = || TcpListener::bind("127.0.0.1:0");
        let listeners = Listeners {
            peers: TcpListener::bind(&self.addresses[index].address)
                .await
                .unwrap(),
            public: bind().await.unwrap(),
            metrics: Some(bind().await.unwrap()),
            log: Some(bind().await.unwrap()),
            page: Some(page().await),
        };
        let house = open(wish, home, listeners, &self.addresses, store, now);
        self.houses.insert(index.min(self.houses.len()), house);
    }

    /// Has the others look for a house elsewhere.
    pub(crate) fn move_to(&mut self, home: u8, at: SocketAddr) {
        let index = PROVINCES.iter().position(|code| *code == home).unwrap();
        self.addresses[index].address = at.to_string();
    }

    /// Channels to the other houses, as the node of `home` has them.
    pub(crate) fn peers_of(&self, home: u8) -> Peers {
        let identity = credentials(&PeerId::node(&federation(), province(home)));
        let identity: Arc<dyn Credentials> = Arc::new(identity);
        let others = self.addresses.iter();
        let others: Vec<Peer> = others
            .filter(|peer| peer.province.get() != home)
            .cloned()
            .collect();
        Peers::new(&federation(), &others, &identity).unwrap()
    }

    /// The house of a province.
    pub(crate) fn house(&self, home: u8) -> &House {
        self.houses.iter().find(|h| h.home == home).unwrap()
    }

    /// Moves all clocks forward.
    pub(crate) fn advance_to(&self, to: u32) {
        for house in &self.houses {
            node::Clock::advance_to(&*house.clock, minute(to));
        }
    }

    /// Closes an epoch at the clocks' minute in every house.
    pub(crate) fn close_epoch(&self, epoch: u32) {
        for house in &self.houses {
            let now = house.node.clock().now();
            let epoch = commitment::Epoch::new(epoch);
            house.node.close_epoch(epoch, now).unwrap();
        }
    }
}

/// The parts of a node, over a store.
pub(crate) fn parts(
    wish: &Wish,
    home: u8,
    store: Arc<dyn Store>,
    clock: Arc<SimulatedClock>,
) -> Parts {
    let entropy = Arc::new(Entropy::from_seed([home; 32]));
    let metrics = Arc::new(Metrics::new(&entropy, None));
    let store = ObservedStore::new(store, Arc::clone(&metrics) as _);
    let store: Arc<dyn Store> = Arc::new(store);
    let key = node_key(home);
    let identity = StoreIdentity {
        federation: "test".to_owned(),
        province: province(home),
    };
    let openings = wish.openings.as_ref().map(|wished| wished.named.clone());
    let root = root_document_with(wish.circuit.clone(), |document| {
        document.openings = openings.unwrap_or_default();
    });
    let at_hand = RuleSet::BUILT_IN.map(|id| RuleSet::built_in(id).unwrap());
    let home_set = if home == 33 {
        "hz-2020-02"
    } else {
        "fj-2022-08"
    };
    let sources: String = PROVINCES.map(source_file).concat();
    let register = FileRegister::seal(&register_list(home), &key).unwrap();
    Parts {
        federation: federation(),
        home: province(home),
        vault: Arc::new(Vault::open(store, &identity, key.clone(), Arc::clone(&entropy)).unwrap()),
        clock,
        entropy,
        signing_keys: vec![head_key(home)],
        log_signer: log_signer(home),
        rules: RuleBook::new(
            at_hand.to_vec(),
            root.document(),
            home_set.to_owned(),
            Some("hz-2020-02".to_owned()),
        )
        .unwrap(),
        root,
        root_keys: root_keys(),
        risk: RiskBook::empty(),
        register: Box::new(Register {
            file: FileRegister::parse(&register, &key).unwrap(),
            before: wish.before_register,
        }),
        sources: SourceBook::parse(&sources).unwrap(),
        sealing: vec![SealingSecret {
            secret: [home ^ wish.sealing; 32].into(),
            not_before: minute(START - 100_000),
            not_after: minute(START + 100_000),
        }],
        prover: Arc::clone(&wish.prover),
        openings: wish.openings.as_ref().map(|wished| OpeningParts {
            prover: Arc::clone(&wished.prover),
            settings: wished.settings.clone(),
        }),
        metrics,
        settings: Settings {
            intake: Intake::default(),
            limits: wish.limits,
            proving: wish.proving.clone(),
            epochs: wish.epochs,
            trust: Trust {
                root_document_file: "unused".into(),
                root_keys: Vec::new(),
                root_threshold: 1,
                soft_stale_s: 21_600,
                hard_stale_s: 259_200,
            },
            retention: Retention::default(),
            forward: wish.forward.clone(),
            receipts: Receipts::default(),
            counts: node::config::Counts::default(),
        },
    }
}

/// A page for browsers of this machine.
async fn page() -> PageListener {
    PageListener {
        listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        names: Vec::new(),
        certificate: None,
    }
}

fn open(
    wish: &Wish,
    home: u8,
    listeners: Listeners,
    addresses: &[Peer],
    store: Arc<MemoryStore>,
    now: u32,
) -> House {
    let clock = Arc::new(SimulatedClock::start(minute(now), 0).movable(wish.movable));
    let node = Node::open(parts(wish, home, store.clone(), Arc::clone(&clock))).unwrap();
    let identity = credentials(&PeerId {
        federation: federation(),
        province: province(home),
        role: Role::Node,
    });
    let identity: Arc<dyn Credentials> = Arc::new(identity);
    let others: Vec<Peer> = addresses
        .iter()
        .filter(|peer| peer.province.get() != home)
        .cloned()
        .collect();
    let peers = Arc::new(Peers::new(&federation(), &others, &identity).unwrap());
    let (peers_at, public_at) = (
        listeners.peers.local_addr().unwrap(),
        listeners.public.local_addr().unwrap(),
    );
    let metrics = listeners.metrics.as_ref().unwrap();
    let metrics_at = metrics.local_addr().unwrap();
    let log_at = listeners.log.as_ref().unwrap().local_addr().unwrap();
    let page = listeners.page.as_ref().unwrap();
    let page_at = page.listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let serving = Arc::clone(&node);
    let limits = wish.limits;
    let served = tokio::spawn(async move {
        let shutdown = async {
            let _ = stopped.await;
        };
        Box::pin(serve(
            serving, peers, listeners, identity, &limits, shutdown,
        ))
        .await
        .unwrap()
    });
    House {
        node,
        home,
        peers_at,
        public_at,
        metrics_at,
        log_at,
        page_at,
        clock,
        store,
        stop,
        served,
    }
}
