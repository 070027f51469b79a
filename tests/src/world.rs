//! A federation of three provinces on one machine.

mod trust;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use ed25519_dalek::SigningKey;
use federation::pki::{DemoAuthority, IssuedCertificate, Validity};
use federation::{Credentials, FederationId, PeerId, Role, TlsIdentity};
use node::FileRegister;
use node::store::KeyRing;
use risk_list::{Fact, FactTable, Place};
use rules::{AreaCode, Grade, Minute, ProvinceCode, SourceId, SourceKind};
use tempfile::TempDir;
use wire::operator::v1 as op;

use crate::{Device, NodeProcess, Person, Source, key_cache, key_seed, operator};

/// The provinces with a node.
pub const PROVINCES: [u8; 3] = [33, 35, 42];
/// The nation's rule set of the demonstration, which the nodes read from a file, and those of the provinces, which they have.
const NATION_TOML: &str = include_str!("../../crates/demo/rule_sets/cn-demo-2022-08.toml");
const ZHEJIANG_TOML: &str = include_str!("../../crates/rules/rule_sets/hz-2020-02.toml");
const FUJIAN_TOML: &str = include_str!("../../crates/rules/rule_sets/fj-2022-08.toml");
/// The day on which all of them ended, and one on which they have not by the world's clock.
const SETS_END: (&str, &str) = ("\"2023-01-08\"", "\"2090-01-01\"");
/// Each province's own rule set; Hubei publishes none and uses the nation's.
const HOME_SETS: [(u8, &str); 3] = [(33, "hz-2020-02"), (35, "fj-2022-08"), (42, World::NATION)];
/// Certificates are valid from 2020 to 2100: TLS looks at the world's clock.
const VALIDITY: Validity = Validity {
    from_s: 1_577_836_800,
    until_s: 4_102_444_800,
};

/// A moment such as `2022-08-28 08:00`, UTC+8.
///
/// # Panics
/// For anything else.
pub fn minute(text: &str) -> Minute {
    text.parse().expect("a moment like 2022-08-28 08:00")
}

/// A province by its code.
///
/// # Panics
/// For a number that is no province.
pub fn province(code: u8) -> ProvinceCode {
    ProvinceCode::new(code).expect("a province")
}

/// How a world begins.
pub struct Plan {
    /// Where the nodes' clocks stand. They stand still until [`World::advance`].
    pub start: Minute,
    /// Whether the clocks are the world's instead, and `start` is about now.
    pub is_real_time: bool,
    /// Residents of each province: [`Person::of`] with the numbers from 1.
    pub residents: u16,
    /// Further residents.
    pub people: Vec<Person>,
    /// What the nodes log.
    pub log: &'static str,
    /// Program of the node.
    pub node: PathBuf,
    /// Directory that the world's own is made in; the system's for such files if it is not given.
    pub within: Option<PathBuf>,
}

impl Plan {
    /// A world that begins on the morning of 2022-08-28.
    pub fn new(node: impl Into<PathBuf>, residents: u16) -> Self {
        Self {
            start: minute("2022-08-28 08:00"),
            is_real_time: false,
            residents,
            people: Vec::new(),
            log: "info",
            node: node.into(),
            within: None,
        }
    }
}

/// A federation of three provinces, with everything that its people and offices hold.
pub struct World {
    dir: TempDir,
    plan: Plan,
    /// Its name.
    pub federation: FederationId,
    authority: DemoAuthority,
    root_keys: Vec<SigningKey>,
    now: Minute,
    nodes: BTreeMap<u8, NodeProcess>,
    ports: BTreeMap<u8, u16>,
}

impl World {
    /// Name of the nation's rule set.
    pub const NATION: &str = "cn-demo-2022-08";
    /// Name of Zhejiang's.
    pub const ZHEJIANG: &str = "hz-2020-02";
    /// Name of Fujian's.
    pub const FUJIAN: &str = "fj-2022-08";

    /// A listed place of medium risk, in a province without a node.
    pub fn medium_site() -> AreaCode {
        AreaCode::new(360_102_001, 7).expect("a place")
    }

    /// A listed place of high risk, in a province without a node.
    pub fn high_site() -> AreaCode {
        AreaCode::new(360_102_002, 9).expect("a place")
    }

    /// Writes all files and starts the three nodes.
    pub fn start(plan: Plan) -> Self {
        let mut world = Self::prepare(plan);
        for code in PROVINCES {
            world.start_node(code);
        }
        world
    }

    /// Writes all files.
    pub fn prepare(plan: Plan) -> Self {
        let federation = FederationId::new("test").expect("a name");
        let world = Self {
            dir: match &plan.within {
                Some(within) => TempDir::new_in(within),
                None => TempDir::new(),
            }
            .expect("a directory for a test"),
            authority: DemoAuthority::generate_for_demo(&federation, VALIDITY).expect("a root"),
            federation,
            root_keys: (1..=3).map(|n| SigningKey::from_bytes(&[n; 32])).collect(),
            now: plan.start,
            plan,
            nodes: BTreeMap::new(),
            ports: free_ports(),
        };
        world.write("federation.pem", world.authority.root_pem());
        for (name, text) in world.rule_set_files() {
            world.write(name, text);
        }
        world.write("facts.txt", facts().write());
        world.write("root.bin", world.signed_root().to_bytes().expect("a root"));
        for code in PROVINCES {
            world.write_node(code);
        }
        world
    }

    /// Where all files are: `federation.pem`, `root.bin`, and a directory for each province.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// A node's store.
    pub fn data_dir(&self, code: u8) -> PathBuf {
        self.dir().join(format!("{code}/data"))
    }

    /// Whether the clocks are the world's.
    pub const fn is_real_time(&self) -> bool {
        self.plan.is_real_time
    }

    /// The time of all nodes.
    pub const fn now(&self) -> Minute {
        self.now
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.dir().join(name), bytes).expect("the test's directory is writable");
    }

    fn write_secret(&self, name: &str, secret: &[u8; 32]) {
        self.write(name, hex::encode(secret));
        let mode = fs::Permissions::from_mode(0o600);
        fs::set_permissions(self.dir().join(name), mode).expect("an own file");
    }

    fn write_node(&self, code: u8) {
        fs::create_dir(self.dir().join(code.to_string())).expect("a new directory");
        let node_key = [code; 32];
        self.write_secret(&format!("{code}/node.key"), &node_key);
        self.write_secret(&format!("{code}/signing.key"), &head_key(code).to_bytes());
        self.write_secret(&format!("{code}/sealing.key"), &[code ^ 0xaa; 32]);
        let identity = PeerId::node(&self.federation, province(code));
        let own = self.certificate(&identity);
        self.write(&format!("{code}/node.pem"), own.chain_pem);
        self.write(&format!("{code}/node-key.pem"), own.key_pem);
        self.write_register(code, |_| true);
        self.write(&format!("{code}/sources.toml"), sources_toml());
        self.write_config(code, "");
    }

    /// A rule set's text, in force now.
    fn dated(&self, text: &str) -> String {
        if self.plan.is_real_time {
            text.replace(SETS_END.0, SETS_END.1)
        } else {
            text.to_owned()
        }
    }

    /// Files of the rule sets that the nodes do not have as they are needed.
    fn rule_set_files(&self) -> impl Iterator<Item = (&'static str, String)> {
        let all = [
            ("nation.toml", NATION_TOML),
            ("zhejiang.toml", ZHEJIANG_TOML),
            ("fujian.toml", FUJIAN_TOML),
        ];
        let needed = if self.plan.is_real_time { 3 } else { 1 };
        all.into_iter()
            .take(needed)
            .map(|(name, text)| (name, self.dated(text)))
    }

    /// Writes the civil register of a province, with those of its residents who live there still.
    pub fn write_register(&self, code: u8, lives_here: impl Fn(&Person) -> bool) {
        let residents = self.residents_of(code).filter(lives_here);
        let list = residents.fold(String::new(), |list, person| {
            format!("{list}{},{}\n", person.number_text(), person.name)
        });
        let ring = KeyRing::from_secret([code; 32]);
        let sealed = FileRegister::seal(&list, &ring).expect("a register");
        self.write(&format!("{code}/register.sealed"), sealed);
    }

    /// Everybody whose home is a province.
    pub fn residents_of(&self, code: u8) -> impl Iterator<Item = Person> {
        let numbered = (1..=self.plan.residents).map(move |number| Person::of(code, number));
        let further = self
            .plan
            .people
            .iter()
            .filter(move |p| p.home.get() == code);
        numbered.chain(further.cloned())
    }

    /// Writes a node's configuration, its clock standing at the world's time, with further `tables` at its end.
    pub fn write_config(&self, code: u8, tables: &str) {
        let root_keys: Vec<String> = self.root_keys.iter().map(public_hex).collect();
        let set = |wanted| {
            HOME_SETS
                .iter()
                .find(|(c, _)| *c == wanted)
                .expect("a set")
                .1
        };
        let mut text = format!(
            "production = false\ndata_dir = \"data\"\nnode_key_file = \"node.key\"\n\
             signing_key_file = \"signing.key\"\nregister_file = \"register.sealed\"\n\
             sources_file = \"sources.toml\"\n\
             [doors]\npeers_listen = \"127.0.0.1:{}\"\npublic_listen = \"127.0.0.1:0\"\n\
             metrics_listen = \"127.0.0.1:0\"\n\
             certificate_file = \"node.pem\"\nkey_file = \"node-key.pem\"\nroots_file = \"../federation.pem\"\n\
             [trust]\nroot_document_file = \"../root.bin\"\nroot_keys = {root_keys:?}\nroot_threshold = 2\n\
             [rules]\nhome = {:?}\nnation = {:?}\nfiles = {:?}\n\
             [risk]\nfact_table_file = \"../facts.txt\"\n\
             [proving]\nparameters = {{ test = {{ seed = \"{}\", cache_dir = \"{}\" }} }}\nwait_ms = 12_000\n",
            self.ports[&code],
            set(code),
            Self::NATION,
            self.rule_set_files()
                .map(|(name, _)| format!("../{name}"))
                .collect::<Vec<_>>(),
            hex::encode(key_seed()),
            key_cache().display(),
        );
        if !self.plan.is_real_time {
            let _ = write!(
                text,
                "[clock]\nstart_minute = {}\nrate_min_per_s = 0\noperator_may_advance = true\n",
                self.now.get(),
            );
        }
        if !tables.contains("[store]") {
            text += "[store]\nreserve_mib = 1\n";
        }
        let (from, until) = (self.plan.start.get() - 1, self.plan.start.get() + 100_000);
        let _ = write!(
            text,
            "[[forward.key]]\nfile = \"sealing.key\"\nnot_before_minute = {from}\nnot_after_minute = {until}\n"
        );
        text += tables;
        for other in PROVINCES.into_iter().filter(|other| *other != code) {
            let port = self.ports[&other];
            let _ = write!(
                text,
                "\n[[peer]]\nprovince = {other}\naddress = \"127.0.0.1:{port}\"\n"
            );
        }
        self.write(&format!("{code}/node.toml"), text);
    }

    /// The command that runs a node.
    pub fn node_command(&self, code: u8) -> std::process::Command {
        let config = self.dir().join(format!("{code}/node.toml"));
        NodeProcess::command(&self.plan.node, &config, self.plan.log)
    }

    /// The port at which a province's peers' door is to be.
    pub fn port(&self, code: u8) -> u16 {
        self.ports[&code]
    }

    /// Starts a node that is not running, from its configuration as it stands.
    ///
    /// # Panics
    /// If it does not open its doors.
    pub fn start_node(&mut self, code: u8) {
        let command = self.node_command(code);
        let node = NodeProcess::start(command)
            .unwrap_or_else(|(exit, log)| panic!("node {code} ended with {exit:?}:\n{log}"));
        self.nodes.insert(code, node);
    }

    /// Hands over a process of this world that was started otherwise.
    pub fn adopt(&mut self, code: u8, node: NodeProcess) {
        self.nodes.insert(code, node);
    }

    /// Whether a node runs, as far as is known.
    pub fn runs(&self, code: u8) -> bool {
        self.nodes.contains_key(&code)
    }

    /// A running node.
    ///
    /// # Panics
    /// If it is not running.
    pub fn node(&self, code: u8) -> &NodeProcess {
        self.nodes.get(&code).expect("a running node")
    }

    /// Takes a running node out of the world, to be ended.
    ///
    /// # Panics
    /// If it is not running.
    pub fn take_node(&mut self, code: u8) -> NodeProcess {
        self.nodes.remove(&code).expect("a running node")
    }

    /// Ends all nodes in order; each must end with code 0.
    pub fn stop(&mut self) {
        for (code, node) in std::mem::take(&mut self.nodes) {
            let (exit, log) = node.terminate();
            assert_eq!(exit, Some(0), "node {code}:\n{}", log.text());
        }
    }

    /// Lets time pass while no node runs: those that are started from configurations written afterwards stand there.
    pub fn let_pass(&mut self, to: Minute) {
        assert!(self.nodes.is_empty() && to >= self.now, "time goes forward");
        self.now = to;
    }

    /// Moves the clocks of all running nodes.
    pub async fn advance(&mut self, to: Minute) {
        let codes: Vec<u8> = self.nodes.keys().copied().collect();
        for code in codes {
            let request = op::AdvanceClockRequest {
                to_minute: to.get(),
            };
            let answer = self.operator(code).advance_clock(request).await;
            assert_eq!(
                answer.expect("the clock moves").get_ref().now_minute,
                to.get()
            );
        }
        self.now = to;
    }

    /// Closes an epoch at the present minute on all running nodes, and has the first of them assemble the registry.
    pub async fn commit(&self, epoch: u32) -> op::AssembleRegistryResponse {
        self.commit_at(epoch, self.now).await
    }

    /// The same at another minute.
    pub async fn commit_at(&self, epoch: u32, as_of: Minute) -> op::AssembleRegistryResponse {
        for code in self.nodes.keys() {
            let request = op::CloseEpochRequest {
                epoch,
                as_of_minute: as_of.get(),
            };
            let closed = self.operator(*code).close_epoch(request).await;
            closed.expect("the epoch closes");
        }
        let first = *self.nodes.keys().next().expect("a running node");
        let request = op::AssembleRegistryRequest { epoch };
        let assembled = self.operator(first).assemble_registry(request).await;
        assembled.expect("the registry is assembled").into_inner()
    }

    /// Writes certificate and key of an identity, as `NAME.pem` and `NAME-key.pem`.
    pub fn write_identity(&self, name: &str, identity: &PeerId) {
        let own = self.certificate(identity);
        self.write(&format!("{name}.pem"), own.chain_pem);
        self.write(&format!("{name}-key.pem"), own.key_pem);
    }

    fn certificate(&self, identity: &PeerId) -> IssuedCertificate {
        let issued = self.authority.issue_for_demo(identity);
        issued.expect("a certificate")
    }

    /// A certificate of an identity of this federation with its key, and the federation's roots.
    pub fn identity(&self, identity: &PeerId) -> Arc<TlsIdentity> {
        let own = self.certificate(identity);
        let root = self.authority.root_pem();
        let identity = TlsIdentity::from_pem(&own.chain_pem, &own.key_pem, &root);
        Arc::new(identity.expect("sound material"))
    }

    /// Credentials of an identity of this federation.
    pub fn credentials(&self, identity: &PeerId) -> Arc<dyn Credentials> {
        Arc::new(self.identity(identity))
    }

    /// Credentials of somebody without a certificate.
    pub fn anonymous(&self) -> Arc<dyn Credentials> {
        let identity = TlsIdentity::anonymous(&self.federation, &self.authority.root_pem());
        Arc::new(Arc::new(identity.expect("sound roots")))
    }

    /// The operator of a running node.
    pub fn operator(&self, code: u8) -> operator::Client {
        operator::of(self, code)
    }

    /// An office of a province, connected to the node of `home`.
    pub fn source(&self, office: u8, kind: SourceKind, home: u8) -> Source {
        let id = source_id(office, kind);
        Source::connect(self, id, source_key(id), home)
    }

    /// A resident's device, connected to the home node, not registered yet.
    pub fn device(&self, person: &Person) -> Device {
        Device::connect(self, person.clone())
    }
}

/// The key that signs a province's heads and documents.
pub(crate) fn head_key(code: u8) -> SigningKey {
    SigningKey::from_bytes(&[100 + code; 32])
}

/// Two sites, listed since 20 August 2022.
fn facts() -> FactTable {
    let listed = |site, grade| Fact {
        place: Place::Site(site),
        grade,
        listed: minute("2022-08-20 09:00"),
        released: None,
    };
    let facts = vec![
        listed(World::medium_site(), Grade::Medium),
        listed(World::high_site(), Grade::High),
    ];
    FactTable::new("made up for tests", Vec::new(), facts, Vec::new()).expect("sound facts")
}

/// One office of each kind in each province, with number 1.
pub(crate) fn source_id(code: u8, kind: SourceKind) -> SourceId {
    SourceId {
        province: province(code),
        kind,
        number: 1,
    }
}

pub(crate) fn source_key(id: SourceId) -> SigningKey {
    let mut seed = [0x77; 32];
    seed[..2].copy_from_slice(&[id.province.get(), id.kind.code()]);
    SigningKey::from_bytes(&seed)
}

fn public_hex(key: &SigningKey) -> String {
    hex::encode(key.verifying_key().as_bytes())
}

fn sources_toml() -> String {
    let mut text = String::new();
    for code in PROVINCES {
        for kind in SourceKind::ALL {
            if kind == SourceKind::Resident {
                continue;
            }
            let id = source_id(code, kind);
            let word = serde_json::to_string(&kind).expect("a word");
            let names_proxies = rules::naming::may_name_proxies(kind);
            let _ = write!(
                text,
                "[[source]]\nprovince = {code}\nkind = {word}\nnumber = 1\nname = \"office {code}\"\nnames_proxies = {names_proxies}\npublic_key = \"{}\"\n",
                public_hex(&source_key(id))
            );
        }
    }
    text
}

/// Free ports of this process's own: a node must know its peers' addresses before they run, and finds its own again
/// after a restart. They lie below those that the system hands out by itself.
fn free_ports() -> BTreeMap<u8, u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(64);
    let mut candidates = std::iter::repeat_with(|| {
        let offset = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        10_000 + u16::try_from(offset % 20_000).expect("below 20,000")
    });
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let mut free = || {
        candidates
            .find(is_free)
            .expect("there is always a next one")
    };
    PROVINCES.map(|code| (code, free())).into()
}

/// The role of an identity at the peers' door.
pub(crate) fn role_of(source: SourceId) -> Role {
    Role::Source(source.kind, source.number)
}
