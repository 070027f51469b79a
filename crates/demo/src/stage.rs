//! The stage: directories, keys, certificates, the root of the trust list, configurations, and the nodes' processes.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use ed25519_dalek::{Signer as _, SigningKey};
use federation::pki::{DemoAuthority, IssuedCertificate, Validity};
use federation::{FederationId, PeerId, Role};
use rand::Rng as _;
use risk_list::FactTable;
use rules::{Claim, Minute, ProvinceCode, SourceId, TestAge, WorstColour};
use serde::Deserialize;
use verifier::trust::{
    CircuitEntry, HeadKeys, Profile, ProvinceEntry, RootDocument, RootKeys, RootSignature,
    RuleSetEntry, Sequence, SignedRoot,
};
use verifier::{AcceptanceRule, BinderKinds, CircuitUse, Slot, UnixTime, VerifyingKey};

use crate::people::{self, PROVINCES, Person, province};
use crate::programs::Programs;
use crate::rule_sets;
use crate::story;

/// Certificates are for TLS, and TLS lives in the present: from 2020 to 2100.
const VALIDITY: Validity = Validity {
    from_s: 1_577_836_800,
    until_s: 4_102_444_800,
};
/// How long a node may take to open its doors; making test parameters comes before.
const START_LIMIT: Duration = Duration::from_mins(1);
/// Oldest pass of a device that the profiles admit, minutes.
pub const PASS_AGE_MAX_MIN: u32 = 1_440;
/// Age from which a gate should fetch a newer list, seconds.
const SOFT_STALE_S: u32 = 6 * 3_600;
/// Age from which a gate cannot tell, seconds.
pub const HARD_STALE_S: u32 = 72 * 3_600;

/// What `node circuit` prints.
#[derive(Clone, Debug, Deserialize)]
pub struct Circuit {
    /// Whether its key is a test key.
    pub test: bool,
    /// SHA-256 of its matrices, hexadecimal.
    pub matrix_digest: String,
    /// Its verifying key, hexadecimal.
    pub verifying_key: String,
    /// Constraints.
    pub constraints: u64,
    /// Rows of the proof system.
    pub rows: u64,
}

/// Where a node's doors are.
#[derive(Clone, Copy, Debug)]
pub struct Doors {
    /// For nodes, sources, operators.
    pub peers: SocketAddr,
    /// For residents and gates.
    pub public: SocketAddr,
}

/// A source of events with what it signs and speaks with.
pub struct Source {
    /// Signs its events.
    pub key: SigningKey,
    /// For mutual TLS.
    pub certificate: IssuedCertificate,
}

/// Everything that stands before the first process starts.
pub struct Stage {
    /// The directory of it all.
    pub dir: PathBuf,
    /// The programs.
    pub programs: Programs,
    /// The federation.
    pub federation: FederationId,
    /// Certificate roots, PEM.
    pub roots_pem: String,
    /// Sources by their name.
    pub sources: BTreeMap<SourceId, Source>,
    /// Operators' certificates by province.
    pub operators: BTreeMap<ProvinceCode, IssuedCertificate>,
    /// Doors of the nodes.
    pub doors: BTreeMap<ProvinceCode, Doors>,
    /// The offline keys' public halves, hexadecimal.
    pub root_keys: Vec<String>,
    /// The circuit.
    pub circuit: Circuit,
    /// How long it took to make, or read, the test key.
    pub key_took: Duration,
    processes: BTreeMap<ProvinceCode, Child>,
}

/// Keys that only the making of the stage needs.
struct Secrets {
    roots: [SigningKey; 3],
    heads: BTreeMap<ProvinceCode, SigningKey>,
}

impl Stage {
    /// Prepares everything in `dir`, which must be empty or not be there.
    ///
    /// # Errors
    /// If a file cannot be written or a program fails.
    pub fn set(
        dir: &Path,
        programs: Programs,
        people: &[Person],
        facts: &FactTable,
    ) -> Result<Self> {
        fs::create_dir_all(dir)?;
        ensure!(
            fs::read_dir(dir)?.next().is_none(),
            "{} is not empty",
            dir.display()
        );
        let federation = FederationId::new("demo-2022")?;
        let authority = DemoAuthority::generate_for_demo(&federation, VALIDITY)?;
        let secrets = Secrets {
            roots: std::array::from_fn(|_| signing_key()),
            heads: nodes().map(|home| (home, signing_key())).collect(),
        };
        let sources = sources(&federation, &authority)?;
        let mut stage = Self {
            dir: dir.to_owned(),
            root_keys: (secrets.roots.iter())
                .map(|key| hex::encode(key.verifying_key().as_bytes()))
                .collect(),
            roots_pem: authority.root_pem(),
            operators: operators(&federation, &authority)?,
            doors: free_doors()?,
            circuit: Circuit {
                test: true,
                matrix_digest: String::new(),
                verifying_key: String::new(),
                constraints: 0,
                rows: 0,
            },
            key_took: Duration::ZERO,
            processes: BTreeMap::new(),
            programs,
            federation,
            sources,
        };
        stage.write_shared(facts)?;
        for home in nodes() {
            stage.write_node(home, &authority, &secrets, people)?;
        }
        let began = Instant::now();
        stage.circuit = stage.describe_circuit()?;
        stage.key_took = began.elapsed();
        let root = stage.root_document(&secrets)?;
        fs::write(dir.join("root.bin"), root.to_bytes()?)?;
        Ok(stage)
    }

    /// The directory of a node.
    pub fn node_dir(&self, home: ProvinceCode) -> PathBuf {
        self.dir.join(format!("node-{}", home.get()))
    }

    fn write_shared(&self, facts: &FactTable) -> Result<()> {
        fs::write(self.dir.join("federation.pem"), &self.roots_pem)?;
        fs::write(self.dir.join("risk-facts.txt"), facts.write())?;
        fs::write(self.dir.join("cn.toml"), rule_sets::NATION_TOML)?;
        let mut text = String::new();
        for (id, source) in &self.sources {
            let public_key = hex::encode(source.key.verifying_key().as_bytes());
            write!(
                text,
                "[[source]]\nprovince = {}\nkind = \"{}\"\nnumber = {}\nname = \"{}\"\npublic_key = \"{public_key}\"\n\n",
                id.province.get(),
                kind_word(*id)?,
                id.number,
                people::source_name(*id),
            )?;
        }
        fs::write(self.dir.join("sources.toml"), text)?;
        Ok(())
    }

    fn write_node(
        &self,
        home: ProvinceCode,
        authority: &DemoAuthority,
        secrets: &Secrets,
        people: &[Person],
    ) -> Result<()> {
        let dir = self.node_dir(home);
        fs::create_dir_all(&dir)?;
        let own = authority.issue_for_demo(&PeerId::node(&self.federation, home))?;
        fs::write(dir.join("node.pem"), own.chain_pem)?;
        write_secret(&dir.join("node-key.pem"), own.key_pem.as_bytes())?;
        let node_key: [u8; 32] = rand::rng().random();
        write_secret(&dir.join("node.key"), hex::encode(node_key).as_bytes())?;
        let head = secrets.heads.get(&home).context("a head key")?;
        write_secret(
            &dir.join("signing.key"),
            hex::encode(head.to_bytes()).as_bytes(),
        )?;
        fs::write(dir.join("node.toml"), self.node_config(home)?)?;
        self.seal_register(&dir, home, people)
    }

    fn node_config(&self, home: ProvinceCode) -> Result<String> {
        let doors = self.doors.get(&home).context("doors")?;
        let own_rules = match home.get() {
            33 => rule_sets::ZHEJIANG,
            35 => rule_sets::FUJIAN,
            _ => rule_sets::NATION,
        };
        let mut text = format!(
            r#"production = false
data_dir = "data"
node_key_file = "node.key"
signing_key_file = "signing.key"
register_file = "register.sealed"
sources_file = "../sources.toml"

[doors]
peers_listen = "{peers}"
public_listen = "{public}"
certificate_file = "node.pem"
key_file = "node-key.pem"
roots_file = "../federation.pem"

[trust]
root_document_file = "../root.bin"
root_keys = {root_keys:?}
root_threshold = 2
soft_stale_s = {SOFT_STALE_S}
hard_stale_s = {HARD_STALE_S}

[rules]
home = "{own_rules}"
nation = "{nation}"
files = ["../cn.toml"]

[risk]
fact_table_file = "../risk-facts.txt"

[proving]
parameters = {{ test = {{ seed = "{seed}", cache_dir = "{cache}" }} }}
threads = 1

[clock]
start_minute = {start}
rate_min_per_s = 0
operator_may_advance = true

# All residents and sources are on this machine, and live through two weeks in seconds.
[limits.quotas]
events_per_s = 1_000_000
events_burst = 1_000_000
address_calls_per_s = 100_000
address_calls_burst = 100_000
address_registers_per_min = 100_000
address_registers_burst = 100_000

[store]
reserve_mib = 16
"#,
            peers = doors.peers,
            public = doors.public,
            root_keys = self.root_keys,
            nation = rule_sets::NATION,
            seed = "de".repeat(32),
            cache = self.programs.cache_dir.display(),
            start = story::start().get(),
        );
        for (peer, doors) in self.doors.iter().filter(|(peer, _)| **peer != home) {
            write!(
                text,
                "\n[[peer]]\nprovince = {}\naddress = \"{}\"\n",
                peer.get(),
                doors.peers
            )?;
        }
        Ok(text)
    }

    fn seal_register(&self, dir: &Path, home: ProvinceCode, people: &[Person]) -> Result<()> {
        let mut list = String::new();
        for person in people.iter().filter(|p| p.home == home) {
            let number = std::str::from_utf8(person.number.expose())?;
            writeln!(list, "{number},{}", person.name)?;
        }
        let mut sealing = Command::new(&self.programs.node)
            .args(["seal-register", "--node-key", "node.key"])
            .current_dir(dir)
            .stdin(Stdio::piped())
            .stdout(fs::File::create(dir.join("register.sealed"))?)
            .spawn()?;
        let mut stdin = sealing.stdin.take().context("a pipe")?;
        stdin.write_all(list.as_bytes())?;
        drop(stdin);
        let sealed = sealing.wait()?;
        ensure!(sealed.success(), "node seal-register: {sealed}");
        Ok(())
    }

    fn describe_circuit(&self) -> Result<Circuit> {
        let home = nodes().next().context("a node")?;
        let output = Command::new(&self.programs.node)
            .args(["circuit", "--config", "node.toml"])
            .current_dir(self.node_dir(home))
            .stderr(Stdio::null())
            .output()?;
        ensure!(output.status.success(), "node circuit: {}", output.status);
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// The root document, signed by two of the three offline keys.
    fn root_document(&self, secrets: &Secrets) -> Result<SignedRoot> {
        let digest = hex::decode(&self.circuit.matrix_digest)?;
        let circuit = CircuitEntry {
            circuit_use: CircuitUse::Test,
            matrix_digest: digest.try_into().map_err(|_| anyhow!("a digest"))?,
            key: VerifyingKey::from_bytes(&hex::decode(&self.circuit.verifying_key)?)?,
        };
        let mut rule_sets: Vec<RuleSetEntry> =
            rule_sets::all()?.iter().map(RuleSetEntry::of).collect();
        rule_sets.sort_by_key(|entry| entry.short_id);
        let provinces = secrets.heads.iter().zip(1_u8..);
        let provinces = provinces.map(|((home, key), slot)| {
            let slot = Slot::new(slot).context("a slot")?;
            Ok(ProvinceEntry {
                province: *home,
                slot,
                head_keys: HeadKeys::single(key.verifying_key()),
            })
        });
        let keys = secrets.roots.iter().map(SigningKey::verifying_key);
        let document = RootDocument {
            sequence: Sequence::new(1),
            expires_at: unix_time(story::close().saturating_add_signed(90 * 1440)),
            root_keys: RootKeys::new(keys.collect(), 2)?,
            grace_min: 1_440,
            provinces: provinces.collect::<Result<_>>()?,
            circuits: vec![circuit],
            openings: Vec::new(),
            rule_sets,
            profiles: profiles(),
        };
        let message = document.signing_bytes()?;
        let signatures = [&secrets.roots[0], &secrets.roots[2]].map(|key| RootSignature {
            key: key.verifying_key(),
            signature: key.sign(&message).to_bytes(),
        });
        Ok(SignedRoot::new(document, signatures.to_vec()))
    }

    /// Starts the three nodes and waits until their doors are open.
    ///
    /// # Errors
    /// If one ends, or takes too long.
    pub fn start_nodes(&mut self) -> Result<()> {
        for home in nodes() {
            let child = self.start_node(home)?;
            self.processes.insert(home, child);
        }
        let began = Instant::now();
        for home in nodes() {
            self.wait_until_ready(home, began)?;
        }
        Ok(())
    }

    fn start_node(&self, home: ProvinceCode) -> Result<Child> {
        let dir = self.node_dir(home);
        Command::new(&self.programs.node)
            .args(["run", "--config", "node.toml"])
            .current_dir(&dir)
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stdout(fs::File::create(dir.join("ready.txt"))?)
            .stderr(fs::File::create(dir.join("log.txt"))?)
            .spawn()
            .context("the node's program")
    }

    fn wait_until_ready(&mut self, home: ProvinceCode, began: Instant) -> Result<()> {
        let dir = self.node_dir(home);
        loop {
            let mut line = String::new();
            BufReader::new(fs::File::open(dir.join("ready.txt"))?).read_line(&mut line)?;
            if line.starts_with("ready ") {
                return Ok(());
            }
            let child = self.processes.get_mut(&home).context("a process")?;
            if let Some(ended) = child.try_wait()? {
                let log = fs::read_to_string(dir.join("log.txt"))?;
                bail!("the node of {} ended with {ended}:\n{log}", home.get());
            }
            ensure!(
                began.elapsed() < START_LIMIT,
                "the node of {} does not open its doors",
                home.get()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the nodes' processes at once, without asking them.
    ///
    /// # Errors
    /// If one cannot be ended.
    pub fn stop_nodes(&mut self) -> Result<()> {
        for child in self.processes.values_mut() {
            child.kill()?;
            child.wait()?;
        }
        self.processes.clear();
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.stop_nodes();
    }
}

/// The provinces with a node.
pub fn nodes() -> impl Iterator<Item = ProvinceCode> {
    PROVINCES.into_iter().map(province)
}

/// The moment at which a minute begins.
pub fn unix_time(minute: Minute) -> UnixTime {
    UnixTime::from_s(u64::from(minute.get()) * 60)
}

fn profiles() -> Vec<Profile> {
    let profile = |name: &str, worst, test_age| Profile {
        name: name.to_owned(),
        rule: AcceptanceRule {
            asked: Claim { worst, test_age },
            pass_age_max_min: PASS_AGE_MAX_MIN,
            card_pass_age_max_min: 7 * 1_440,
            binders: BinderKinds::ALL,
        },
    };
    vec![
        profile("green", WorstColour::Green, TestAge::NotAsked),
        profile("green-48h", WorstColour::Green, TestAge::Hours48),
        profile("not-red", WorstColour::Yellow, TestAge::NotAsked),
    ]
}

fn sources(
    federation: &FederationId,
    authority: &DemoAuthority,
) -> Result<BTreeMap<SourceId, Source>> {
    let mut sources = BTreeMap::new();
    for (home, kind) in nodes().flat_map(|p| story::SOURCE_KINDS.map(|kind| (p, kind))) {
        let id = story::source(home, kind);
        let peer = PeerId {
            federation: federation.clone(),
            province: home,
            role: Role::Source(kind, id.number),
        };
        let source = Source {
            key: signing_key(),
            certificate: authority.issue_for_demo(&peer)?,
        };
        sources.insert(id, source);
    }
    Ok(sources)
}

fn operators(
    federation: &FederationId,
    authority: &DemoAuthority,
) -> Result<BTreeMap<ProvinceCode, IssuedCertificate>> {
    let issue = |home| {
        let peer = PeerId {
            federation: federation.clone(),
            province: home,
            role: Role::Operator,
        };
        Ok((home, authority.issue_for_demo(&peer)?))
    };
    nodes().map(issue).collect()
}

/// The word for a source's kind in configuration files.
fn kind_word(id: SourceId) -> Result<String> {
    let word = serde_json::to_value(id.kind)?;
    Ok(word.as_str().context("a kind of source")?.to_owned())
}

/// Two free ports for each node. All are held until all are found, so that none is given twice.
fn free_doors() -> Result<BTreeMap<ProvinceCode, Doors>> {
    let mut held = Vec::new();
    let mut free = || -> Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        held.push(listener);
        Ok(address)
    };
    let mut doors = BTreeMap::new();
    for home in nodes() {
        let (peers, public) = (free()?, free()?);
        doors.insert(home, Doors { peers, public });
    }
    Ok(doors)
}

/// A fresh key; keys are from the system's randomness, whatever the seed of the people is.
fn signing_key() -> SigningKey {
    SigningKey::from_bytes(&rand::rng().random())
}

fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path)?.write_all(bytes)?;
    Ok(())
}
