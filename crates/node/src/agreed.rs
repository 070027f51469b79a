//! The files that say what the federation has agreed on: the root document, the rule sets that it names, and where the
//! other nodes are; with the head keys that the document names of this node.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ed25519_dalek::SigningKey;
use rules::{MAX_RULE_SET_LEN_BYTES, RuleSet};
use sha2::{Digest as _, Sha256};
use verifier::trust::{MAX_SIGNED_ROOT_LEN_BYTES, SignedRoot};

use crate::charter::CharterTaken;
use crate::config::{Config, MAX_CONFIG_LEN_BYTES};
use crate::files::{read_bytes, read_secret, read_text};
use crate::fresh::{Reloaded, Watched};
use crate::{Node, NodeError, Peers, RuleBook};

/// The root document and the rule sets that it names, as the files hold them.
pub(crate) struct Agreed {
    pub(crate) root: SignedRoot,
    pub(crate) rules: RuleBook,
}

impl Agreed {
    /// Reads the files that `config` names. Whether the document's signatures are those of pinned keys is not looked at.
    ///
    /// # Errors
    /// A message that names the file and what is wrong.
    pub(crate) fn read(config: &Config) -> Result<Self, String> {
        let path = &config.trust.root_document_file;
        let bytes = read_bytes(path, MAX_SIGNED_ROOT_LEN_BYTES as u64)?;
        let root = SignedRoot::from_bytes(&bytes)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        let (home, nation) = (config.rules.home.clone(), config.rules.nation.clone());
        let rules = RuleBook::new(read_rule_sets(config)?, root.document(), home, nation)
            .map_err(|error| error.to_string())?;
        Ok(Self { root, rules })
    }
}

/// The head keys that the configuration names: the one in force and, where its file is there, the one that is to follow.
///
/// # Errors
/// A message that names the file and what is wrong.
pub(crate) fn read_head_keys(config: &Config) -> Result<Vec<SigningKey>, String> {
    let next = config.signing_key_next_file.iter();
    let files = [&config.signing_key_file].into_iter();
    let files = files.chain(next.filter(|file| file.exists()));
    let keys = files.map(|file| Ok(SigningKey::from_bytes(&*read_secret(file)?)));
    keys.collect()
}

fn read_rule_sets(config: &Config) -> Result<Vec<RuleSet>, String> {
    let mut sets = Vec::new();
    for id in RuleSet::BUILT_IN {
        sets.push(RuleSet::built_in(id).map_err(|error| format!("rule set {id}: {error}"))?);
    }
    for path in &config.rules.files {
        let text = read_text(path, MAX_RULE_SET_LEN_BYTES as u64)?;
        let set = RuleSet::from_toml(&text);
        sets.push(set.map_err(|error| format!("{}: {error}", path.display()))?);
    }
    Ok(sets)
}

/// The files of a running node. Of the configuration file only `peer`, `rules` and the places of root document and head keys are
/// looked at again; all else in it is for a start.
pub struct AgreedFiles {
    config_file: PathBuf,
    node: Arc<Node>,
    peers: Arc<Peers>,
    /// Digest of what was last looked at, whether it was good or not.
    seen: Mutex<[u8; 32]>,
}

impl AgreedFiles {
    /// The files of `node`, whose configuration file is `config_file`. The first look takes them for new.
    pub fn new(config_file: &Path, node: Arc<Node>, peers: Arc<Peers>) -> Self {
        Self {
            config_file: config_file.to_owned(),
            node,
            peers,
            seen: Mutex::new([0; 32]),
        }
    }

    fn digest(&self, config: &Config) -> Result<[u8; 32], String> {
        let mut digest = Sha256::new();
        let mut add = |bytes: &[u8]| {
            digest.update((bytes.len() as u64).to_be_bytes());
            digest.update(bytes);
        };
        add(&read_bytes(&self.config_file, MAX_CONFIG_LEN_BYTES)?);
        let root = &config.trust.root_document_file;
        add(&read_bytes(root, MAX_SIGNED_ROOT_LEN_BYTES as u64)?);
        for path in &config.rules.files {
            add(&read_bytes(path, MAX_RULE_SET_LEN_BYTES as u64)?);
        }
        for key in read_head_keys(config)? {
            add(key.verifying_key().as_bytes());
        }
        Ok(digest.finalize().into())
    }
}

impl Watched for AgreedFiles {
    fn what(&self) -> &'static str {
        "root document, head keys, rule sets and peers"
    }

    fn reload(&self, is_asked_for: bool) -> Result<Reloaded, String> {
        let config = Config::read(&self.config_file)?;
        let digest = self.digest(&config)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == digest && !is_asked_for {
            return Ok(Reloaded::Unchanged);
        }
        *seen = digest;
        config.check_peers(self.node.home())?;
        let Agreed { root, rules } = Agreed::read(&config)?;
        let peers = self.peers.prepare(&config.peers);
        let peers = peers.map_err(|error| format!("peer: {error}"))?;
        self.node.hold_signing_keys(read_head_keys(&config)?);
        let taken = self.node.take_charter(root, rules).map_err(|error| {
            if !matches!(error, NodeError::Fault(_)) {
                // Not the files' fault: they are tried again.
                *seen = [0; 32];
            }
            error.for_operator()
        })?;
        let are_new = self.peers.take(peers);
        if are_new {
            self.node.look_for_witnesses();
        }
        Ok(if are_new || taken == CharterTaken::Swapped {
            Reloaded::Swapped
        } else {
            Reloaded::Unchanged
        })
    }
}
