//! From a configuration file to a node: everything is read and checked before the store or a port is opened.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use federation::{FederationError, PeerId, Role};
use ledger::Roster;
use ledger::log::LogSigner;
use risk_list::{FactTable, MAX_FACT_BYTES};
use verifier::trust::{RootKeys, SignedRoot};

use crate::agreed::{Agreed, read_head_keys};
use crate::charter::{own_entry, roster_of};
use crate::circuit::{load_openings, load_prover};
use crate::config::Config;
use crate::credentials::FileCredentials;
use crate::files::{read_bytes, read_secret};
use crate::forward::SealingSecret;
use crate::keys::{Opener, is_sealed, read_ring};
use crate::observe::{Metrics, StoreDisk};
use crate::store::{
    DiskOptions, DiskStore, KeyRing, StoreError, StoreIdentity, Vault, open_on_disk,
};
use crate::upkeep::{CONTROL_SOCKET, Fsck, Upkeep};
use crate::{
    CivilRegister, Clock, Entropy, FileRegister, Node, NodeError, Parts, PassProver, Patience,
    Peers, RecoverError, Recovering, RiskBook, RuleBook, Settings, SimulatedClock, SourceBook,
    SystemClock, is_older_than_signed,
};

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration, or a file that it names, is wrong; the operator is at fault.
    #[error("configuration: {0}")]
    Config(String),
    /// The store cannot be opened, is another node's, or is in use.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// The parts do not fit each other, or the store is damaged.
    #[error("start: {}", .0.for_operator())]
    Node(#[from] NodeError),
    /// The store was put back from an older copy; the operator has its log recovered first.
    #[error("start: its store is older than what it signed: node log recover")]
    OlderThanSigned,
    /// The log cannot be recovered.
    #[error("log recover: {0}")]
    Recover(#[from] RecoverError),
    /// A port cannot be opened, or a door failed.
    #[error("door: {0}")]
    Door(#[from] FederationError),
}

impl StartError {
    /// The process's exit code: 2 configuration, 3 store, 4 start, 5 door, 7 the log cannot be recovered, 8 it cannot yet.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => 2,
            Self::Store(_) => 3,
            Self::Node(_) | Self::OlderThanSigned => 4,
            Self::Door(_) => 5,
            Self::Recover(RecoverError::TooFewAnswers { .. }) => 8,
            Self::Recover(_) => 7,
        }
    }
}

impl From<String> for StartError {
    fn from(message: String) -> Self {
        Self::Config(message)
    }
}

/// What a configuration names, read and checked.
pub struct Prepared {
    /// The node's certificate and the federation's roots.
    pub credentials: Arc<FileCredentials>,
    /// Channels' addresses are checked when they are made; see [`Prepared::peers`].
    config: Config,
    peer: PeerId,
    ring: KeyRing,
    signing_keys: Vec<SigningKey>,
    log_signer: LogSigner,
    root: SignedRoot,
    root_keys: RootKeys,
    rules: RuleBook,
    risk: RiskBook,
    register: FileRegister,
    sources: SourceBook,
    sealing: Vec<SealingSecret>,
}

impl Prepared {
    /// Reads and checks every file that `config` names, but for the proving key and the store.
    ///
    /// # Errors
    /// [`StartError::Config`].
    pub fn read(config: Config) -> Result<Self, StartError> {
        let credentials = Arc::new(FileCredentials::read(&config.doors)?);
        let peer = credentials
            .peer()
            .filter(|peer| peer.role == Role::Node)
            .ok_or("doors.certificate_file: the certificate is not a node's".to_owned())?;
        config.check_peers(peer.province)?;
        let trust = &config.trust;
        let root_keys = RootKeys::from_digits(&trust.root_keys, trust.root_threshold)
            .map_err(|error| format!("trust.root_keys: {error}"))?;
        let Agreed { root, rules } = Agreed::read(&config)?;
        root.check_pinned(&root_keys)
            .map_err(|error| format!("{}: {error}", config.trust.root_document_file.display()))?;
        let ring = read_own_ring(&config)?;
        let signing_keys = read_head_keys(&config)?;
        let log_secret = match &config.log_key_file {
            Some(file) => read_secret(file)?,
            None => read_secret(&config.signing_key_file)?,
        };
        let log_signer = LogSigner::derive(&log_secret);
        let prepared = Self {
            rules,
            risk: read_risk(&config)?,
            register: FileRegister::read(&config.register_file, &ring)?,
            sources: SourceBook::read(&config.sources_file)?,
            sealing: read_sealing(&config)?,
            credentials,
            peer,
            ring,
            signing_keys,
            log_signer,
            root,
            root_keys,
            config,
        };
        prepared.peers()?;
        Ok(prepared)
    }

    /// The configuration.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// Channels to the other nodes.
    ///
    /// # Errors
    /// [`StartError::Config`] for an address that is none.
    pub fn peers(&self) -> Result<Peers, StartError> {
        let credentials = self.credentials.swappable();
        Peers::new(&self.peer.federation, &self.config.peers, &credentials)
            .map_err(|error| StartError::Config(format!("peer: {error}")))
    }

    /// Opens the store and puts the node together; makes or reads the proving key first, which can take seconds.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn open(self, entropy: Entropy) -> Result<Opened, StartError> {
        let prover = read_prover(&self.config)?;
        let openings = load_openings(&self.config)?;
        let entropy = Arc::new(entropy);
        let (disk, vault) = self.open_store(&entropy)?;
        if is_older_than_signed(&vault)? {
            return Err(StartError::OlderThanSigned);
        }
        let metrics = Arc::new(Metrics::new(
            &entropy,
            Some(StoreDisk {
                dir: self.config.data_dir.clone(),
                reserve_bytes: self.config.store.reserve_mib << 20,
            }),
        ));
        disk.tell(Arc::clone(&metrics) as _);
        let upkeep = Upkeep {
            socket: self.config.data_dir.join(CONTROL_SOCKET),
            disk,
            vault: Arc::clone(&vault),
            recipients: self.config.store.backup_recipients.clone(),
            read_ring: {
                let config = self.config.clone();
                Box::new(move || read_own_ring(&config))
            },
        };
        let clock = clock(&self.config);
        let register: Box<dyn CivilRegister> = Box::new(self.register);
        let settings = Settings {
            intake: self.config.intake,
            limits: self.config.limits,
            proving: self.config.proving,
            epochs: self.config.epochs,
            trust: self.config.trust,
            retention: self.config.retention,
            forward: self.config.forward,
            receipts: self.config.receipts,
            counts: self.config.counts,
        };
        let node = Node::open(Parts {
            federation: self.peer.federation,
            home: self.peer.province,
            vault,
            clock,
            entropy,
            signing_keys: self.signing_keys,
            log_signer: self.log_signer,
            root: self.root,
            root_keys: self.root_keys,
            rules: self.rules,
            risk: self.risk,
            register,
            sources: self.sources,
            sealing: self.sealing,
            prover,
            openings,
            metrics,
            settings,
        })?;
        Ok(Opened { node, upkeep })
    }

    /// Opens the store alone.
    ///
    /// # Errors
    /// [`StartError::Store`].
    pub fn open_store(
        &self,
        entropy: &Arc<Entropy>,
    ) -> Result<(Arc<DiskStore>, Arc<Vault>), StartError> {
        let (disk, vault) = open_on_disk(
            &self.disk_options(),
            &self.store_identity(),
            self.ring.clone(),
            Arc::clone(entropy),
        )?;
        Ok((disk, Arc::new(vault)))
    }

    /// How the store is opened.
    pub fn disk_options(&self) -> DiskOptions {
        self.config.store.disk_options(&self.config.data_dir)
    }

    /// Whose the store must be.
    pub fn store_identity(&self) -> StoreIdentity {
        StoreIdentity {
            federation: self.peer.federation.as_str().to_owned(),
            province: self.peer.province,
        }
    }

    /// The node's key ring.
    pub const fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// The provinces of the root document.
    ///
    /// # Errors
    /// [`StartError::Node`] if they contradict each other.
    pub fn roster(&self) -> Result<Roster, StartError> {
        Ok(roster_of(self.root.document())?)
    }

    /// Who this node is, for its log to be recovered into `vault`.
    ///
    /// # Errors
    /// [`StartError::Node`] where the root document does not name this node with its key.
    pub fn recovering<'a>(
        &'a self,
        vault: &'a Vault,
        roster: &'a Roster,
    ) -> Result<Recovering<'a>, StartError> {
        let (home, now) = (self.peer.province, clock(&self.config).now());
        Ok(Recovering {
            vault,
            federation: &self.peer.federation,
            home,
            slot: own_entry(self.root.document(), home, &self.signing_keys, now)?.slot,
            roster,
            head_keys: &self.signing_keys,
            log_signer: &self.log_signer,
            now,
            skew_min: self.config.limits.request_skew_min.into(),
            patience: Patience::default(),
        })
    }

    /// What a store of this node is checked against.
    ///
    /// # Errors
    /// [`StartError::Node`] for a root document whose provinces contradict each other, or that does not name this node.
    pub fn fsck_against(&self) -> Result<Fsck, StartError> {
        let (root, now) = (self.root.document(), clock(&self.config).now());
        Ok(Fsck {
            slot: own_entry(root, self.peer.province, &self.signing_keys, now)?.slot,
            roster: roster_of(root)?,
        })
    }
}

/// A node with what looks after its store.
pub struct Opened {
    /// The node.
    pub node: Arc<Node>,
    /// Its upkeep.
    pub upkeep: Upkeep,
}

/// The node's key ring, as the configuration says.
fn read_own_ring(config: &Config) -> Result<KeyRing, String> {
    if config.production && !is_sealed(&config.node_key_file)? {
        return Err(
            "production: node_key_file is in plain; seal it with `node keys seal`, or whoever takes the disk has it"
                .to_owned(),
        );
    }
    let opener = Opener {
        identity_file: config.node_key_identity_file.as_deref(),
        token: config.node_key_token.as_ref(),
    };
    read_ring(&config.node_key_file, opener)
}

fn read_sealing(config: &Config) -> Result<Vec<SealingSecret>, String> {
    let keys = config.forward.keys.iter().map(|key| {
        Ok(SealingSecret {
            secret: read_secret(&key.file)?,
            not_before: key.not_before_minute,
            not_after: key.not_after_minute,
        })
    });
    keys.collect()
}

fn clock(config: &Config) -> Arc<dyn Clock> {
    match &config.clock {
        None => Arc::new(SystemClock::default()),
        Some(time) => {
            let clock = SimulatedClock::start(time.start_minute, time.rate_min_per_s);
            Arc::new(clock.movable(time.operator_may_advance))
        }
    }
}

fn read_risk(config: &Config) -> Result<RiskBook, String> {
    let Some(path) = &config.risk.fact_table_file else {
        return Ok(RiskBook::empty());
    };
    let bytes = read_bytes(path, MAX_FACT_BYTES as u64)?;
    let facts = FactTable::read(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    RiskBook::new(facts).map_err(|error| format!("{}: {error}", path.display()))
}

fn read_prover(config: &Config) -> Result<Arc<dyn PassProver>, String> {
    Ok(Arc::new(load_prover(config)?))
}
