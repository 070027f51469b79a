//! What nodes serve: their trust lists are fetched as anybody may fetch them, read, and compared. The channel is not
//! trusted; what the list's own signatures say depends on the root keys that the caller pins.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use commitment::CircuitUse;
use ed25519_dalek::VerifyingKey as RootKey;
use federation::{Credentials, FederationId, PeerId, Timeouts, TlsIdentity, connect};
use rules::{Minute, ProvinceCode};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use verifier::TrustList;
use verifier::trust::{
    Bundle, CircuitEntry, OnlineDocument, OpeningEntry, RootDocument, RootKeys,
    root_key_from_digits,
};
use wire::trust::v1::GetTrustListRequest;

use super::head_keys::{self, HeadKeyReport};
use super::keys::{Known, use_word};
use super::registry::Registry;
use crate::system::CircuitName;
use crate::{files, root_keys};

/// A file of certificate roots for a few authorities takes some kilobytes.
const MAX_ROOTS_LEN_BYTES: usize = 256 << 10;
/// Of what a node says instead of an answer, so much is printed.
const MAX_MESSAGE_CHARS: usize = 200;

/// Which nodes are asked, and how they are known.
#[derive(clap::Args)]
#[command(next_help_heading = "What nodes serve")]
pub(super) struct NodeArgs {
    /// A node's public door, to be asked for its trust list; repeatable
    #[arg(long, value_name = "HOST:PORT", requires_all = ["province", "federation", "roots"])]
    node: Vec<String>,
    /// The province of the node: once for all, or once for each in the same order
    #[arg(long, value_name = "N", value_parser = province, requires = "node")]
    province: Vec<ProvinceCode>,
    /// The federation's name in its certificates
    #[arg(long, value_name = "NAME", value_parser = federation_id, requires = "node")]
    federation: Option<FederationId>,
    /// Certificates (PEM) of the authorities that issue the nodes'
    #[arg(long, value_name = "FILE", requires = "node")]
    roots: Option<std::path::PathBuf>,
    /// A key of the trust list's root, known beforehand; repeatable. Without one no signature is checked
    #[arg(long, value_name = "HEX", value_parser = root_key_from_digits, requires = "node")]
    root_key: Vec<RootKey>,
    /// How many of the root keys must have signed; all of them if not given
    #[arg(long, value_name = "K", requires = "root_key")]
    root_threshold: Option<u8>,
}

fn province(text: &str) -> Result<ProvinceCode> {
    let code = text.parse().map_err(|_| anyhow!("a province's number"))?;
    Ok(ProvinceCode::new(code)?)
}

fn federation_id(text: &str) -> Result<FederationId> {
    Ok(FederationId::new(text)?)
}

impl NodeArgs {
    /// Whether the command line makes sense beyond what its grammar says.
    pub(super) fn misfit(&self) -> Option<String> {
        let (nodes, provinces) = (self.node.len(), self.province.len());
        (provinces > 1 && provinces != nodes).then(|| {
            format!("{provinces} provinces for {nodes} nodes: one for all, or one for each")
        })
    }
}

/// What one node serves.
#[derive(Serialize)]
pub(super) struct NodeReport {
    address: String,
    province: u8,
    #[serde(flatten)]
    served: Served,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Served {
    /// It cannot be reached, or its list cannot be taken; the text says why.
    Refused(String),
    List(List),
}

/// A list as it was read.
#[derive(Serialize)]
struct List {
    root_sequence: u64,
    root_document_sha256: String,
    online_sequence: u64,
    issued_at: String,
    /// What was checked of the signatures, and what was not.
    signatures: String,
    circuits: Vec<CircuitReport>,
    /// Circuits of openings, of which the matrices alone are compared.
    openings: Vec<OpeningReport>,
    head_keys: Vec<HeadKeyReport>,
    /// How it stands to the first list that was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    against_first: Option<Against>,
}

#[derive(Serialize)]
struct OpeningReport {
    circuit_use: &'static str,
    id: String,
    verifying_key_sha256: String,
    matrix_sha256: String,
    matrices: Judgement,
}

#[derive(Serialize)]
struct CircuitReport {
    circuit_use: &'static str,
    id: String,
    matrix_sha256: String,
    verifying_key_sha256: String,
    matrices: Judgement,
    verifying_key: Judgement,
}

/// How something served stands to what was rebuilt.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "detail")]
enum Judgement {
    Equal(String),
    Different(String),
    NotCompared(String),
}

/// How a list stands to another node's.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "detail")]
enum Against {
    Equal(String),
    /// One is older; the circuits are the same.
    Behind(String),
    Different(String),
}

/// What served circuits are compared with.
pub(super) struct Rebuilt<'a> {
    pub(super) digest: [u8; 32],
    pub(super) registry: &'a Registry,
    pub(super) keys: &'a [Known],
}

/// Asks all nodes, one after the other.
pub(super) fn ask(args: &NodeArgs, rebuilt: &Rebuilt<'_>) -> Result<Vec<NodeReport>> {
    let (Some(federation), Some(roots)) = (&args.federation, &args.roots) else {
        return Ok(Vec::new());
    };
    let pinned = pinned(args)?;
    let credentials = credentials(federation, roots)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime for the network")?;
    let bar = files::progress(args.node.len() as u64, "asking nodes");
    let mut reports = Vec::with_capacity(args.node.len());
    let mut first: Option<(String, RootDocument)> = None;
    for (i, address) in args.node.iter().enumerate() {
        let Some(province) = args.province.get(i).or(args.province.first()) else {
            bail!("a node without a province");
        };
        let node = PeerId::node(federation, *province);
        let answer = runtime
            .block_on(fetch(address, node, Arc::clone(&credentials)))
            .and_then(|bundle| Documents::read(&bundle, pinned.as_ref()));
        let served = match answer {
            Err(error) => Served::Refused(format!("{error:#}")),
            Ok(documents) => {
                let against = first
                    .as_ref()
                    .map(|(name, root)| against(name, root, &documents.root));
                let list = documents.list(against, rebuilt)?;
                first.get_or_insert((address.clone(), documents.root));
                Served::List(list)
            }
        };
        reports.push(NodeReport {
            address: address.clone(),
            province: province.get(),
            served,
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(reports)
}

fn pinned(args: &NodeArgs) -> Result<Option<RootKeys>> {
    if args.root_key.is_empty() {
        return Ok(None);
    }
    root_keys::pinned(&args.root_key, args.root_threshold).map(Some)
}

fn credentials(federation: &FederationId, roots: &Path) -> Result<Arc<dyn Credentials>> {
    let pem = String::from_utf8(files::read(roots, MAX_ROOTS_LEN_BYTES)?)
        .with_context(|| format!("{} is not PEM", roots.display()))?;
    let identity = TlsIdentity::anonymous(federation, &pem)
        .with_context(|| format!("{} is refused", roots.display()))?;
    Ok(Arc::new(Arc::new(identity)))
}

async fn fetch(address: &str, node: PeerId, credentials: Arc<dyn Credentials>) -> Result<Vec<u8>> {
    let timeouts = Timeouts {
        connect: Duration::from_secs(5),
        call: Duration::from_secs(20),
    };
    let expected = node.to_string();
    let channel = connect(address, node, credentials, timeouts)?;
    let request = GetTrustListRequest::default(); // all of it
    let answer = wire::client::trust(channel).get_trust_list(request).await;
    let answer = answer.map_err(|status| match wire::reason_of(&status) {
        Some(reason) => anyhow!("the node answered {}", reason.code()),
        None => anyhow!(
            "no answer as {expected} ({:?}): {}",
            status.code(),
            foreign(status.message())
        ),
    })?;
    let bundle = answer.into_inner().bundle;
    if bundle.is_empty() {
        bail!("the node answered with an empty trust list");
    }
    Ok(bundle)
}

/// What somebody else wrote, cut and without anything that a terminal would obey.
fn foreign(text: &str) -> String {
    let cut: String = text.chars().take(MAX_MESSAGE_CHARS).collect();
    cut.escape_debug().to_string()
}

/// The documents of a list, and what was checked of them.
struct Documents {
    root: RootDocument,
    online: OnlineDocument,
    signatures: String,
}

impl Documents {
    fn read(bundle: &[u8], pinned: Option<&RootKeys>) -> Result<Self> {
        let Some(pinned) = pinned else {
            let bundle = Bundle::from_bytes(bundle).context("the trust list is refused")?;
            let newest = bundle
                .roots
                .last()
                .context("a trust list without a root document")?;
            return Ok(Self {
                root: newest.document().clone(),
                online: bundle.online.document().clone(),
                signatures:
                    "not checked: no --root-key; whoever answered could have made this list up"
                        .to_owned(),
            });
        };
        // Against the time nothing is checked: an auditor may look at lists that have ended. Batches of revocations are not
        // fetched: nothing here rests on them.
        let list = TrustList::restore(bundle, pinned).context("the trust list is refused")?;
        let (root, online) = (list.root().clone(), list.online().clone());
        let signatures = format!(
            "checked: the root document by {} of the {} pinned keys, and by {} of its own; the online document by a quorum of its {} \
             provinces. Not checked: whether the list is current",
            pinned.threshold(),
            pinned.keys().len(),
            root.root_keys.threshold(),
            root.province_count(),
        );
        Ok(Self {
            root,
            online,
            signatures,
        })
    }

    fn list(&self, against_first: Option<Against>, rebuilt: &Rebuilt<'_>) -> Result<List> {
        Ok(List {
            root_sequence: self.root.sequence.get(),
            root_document_sha256: hex::encode(Sha256::digest(self.root.to_bytes()?)),
            online_sequence: self.online.sequence.get(),
            issued_at: moment(self.online.issued_at.minute()),
            signatures: self.signatures.clone(),
            circuits: self
                .root
                .circuits
                .iter()
                .map(|c| judge(c, rebuilt))
                .collect(),
            openings: self.root.openings.iter().map(judge_opening).collect(),
            head_keys: head_keys::report(&self.root, self.online.issued_at.minute()),
            against_first,
        })
    }
}

fn judge_opening(served: &OpeningEntry) -> OpeningReport {
    let matrices = if served.matrix_digest == CircuitName::Opening.identity().digest {
        Judgement::Equal("the matrices of openings rebuilt from source".to_owned())
    } else {
        Judgement::Different("not the matrices of openings rebuilt from source".to_owned())
    };
    OpeningReport {
        circuit_use: use_word(served.circuit_use),
        id: served.id().to_string(),
        verifying_key_sha256: hex::encode(Sha256::digest(served.key.to_bytes())),
        matrix_sha256: hex::encode(served.matrix_digest),
        matrices,
    }
}

pub(super) fn moment(minute: Minute) -> String {
    format!("{minute} UTC+8")
}

fn judge(served: &CircuitEntry, rebuilt: &Rebuilt<'_>) -> CircuitReport {
    let matrices = if served.matrix_digest == rebuilt.digest {
        Judgement::Equal("the matrices rebuilt from source".to_owned())
    } else {
        let line = rebuilt.registry.of_digest(&served.matrix_digest);
        Judgement::Different(line.map_or_else(
            || "neither the matrices rebuilt from source nor any of the registry".to_owned(),
            |l| {
                format!(
                    "not rebuilt here: {} version {} of the registry",
                    l.name, l.version
                )
            },
        ))
    };
    let key = served.key.to_bytes();
    CircuitReport {
        circuit_use: use_word(served.circuit_use),
        id: served.id().to_string(),
        matrix_sha256: hex::encode(served.matrix_digest),
        verifying_key_sha256: hex::encode(Sha256::digest(&key)),
        matrices,
        verifying_key: judge_key(served.circuit_use, &key, rebuilt.keys),
    }
}

fn judge_key(circuit_use: CircuitUse, key: &[u8], known: &[Known]) -> Judgement {
    let fits = |k: &&Known| k.circuit_use.is_none_or(|of| of == circuit_use);
    let candidates: Vec<&Known> = known.iter().filter(fits).collect();
    if let Some(same) = candidates.iter().find(|k| k.verifying_key == key) {
        return Judgement::Equal(same.from.clone());
    }
    let names: Vec<&str> = candidates.iter().map(|k| k.from.as_str()).collect();
    if names.is_empty() {
        let word = use_word(circuit_use);
        Judgement::NotCompared(format!("no {word} key was given or rebuilt"))
    } else {
        Judgement::Different(format!("not {}", names.join(", nor ")))
    }
}

fn against(name: &str, first: &RootDocument, this: &RootDocument) -> Against {
    if first == this {
        return Against::Equal(format!("the root document that {name} serves"));
    }
    let ids = |root: &RootDocument| {
        root.circuits
            .iter()
            .map(CircuitEntry::id)
            .collect::<Vec<_>>()
    };
    if ids(first) != ids(this) {
        Against::Different(format!("other circuits than {name} serves"))
    } else if first.sequence == this.sequence {
        Against::Different(format!(
            "another root document than {name} serves, under one sequence"
        ))
    } else {
        Against::Behind(format!(
            "the circuits that {name} serves, in root document {} instead of {}",
            this.sequence.get(),
            first.sequence.get()
        ))
    }
}

impl NodeReport {
    pub(super) const fn is_refused(&self) -> bool {
        matches!(self.served, Served::Refused(_))
    }

    /// What differs, in words that name the node.
    pub(super) fn differences(&self) -> Vec<String> {
        let Served::List(list) = &self.served else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut add = |what: &str| found.push(format!("node {}: {what}", self.address));
        for circuit in &list.circuits {
            if let Judgement::Different(why) = &circuit.matrices {
                add(&format!("matrix digest {}: {why}", circuit.matrix_sha256));
            }
            if let Judgement::Different(why) = &circuit.verifying_key {
                add(&format!(
                    "verifying key {}: {why}",
                    circuit.verifying_key_sha256
                ));
            }
        }
        if let Some(Against::Different(why)) = &list.against_first {
            add(why);
        }
        found
    }

    pub(super) fn text(&self) -> String {
        let mut lines = vec![format!("node {}, province {}", self.address, self.province)];
        match &self.served {
            Served::Refused(why) => lines.push(format!("  !   {why}")),
            Served::List(list) => {
                lines.push(format!(
                    "    root document {} (SHA-256 {}), online document {} of {}",
                    list.root_sequence,
                    list.root_document_sha256,
                    list.online_sequence,
                    list.issued_at
                ));
                lines.push(format!("    signatures {}", list.signatures));
                for circuit in &list.circuits {
                    lines.push(format!(
                        "    circuit {} ({})",
                        circuit.id, circuit.circuit_use
                    ));
                    lines.push(circuit.matrices.line("matrices", &circuit.matrix_sha256));
                    lines.push(
                        circuit
                            .verifying_key
                            .line("verifying key", &circuit.verifying_key_sha256),
                    );
                }
                for opening in &list.openings {
                    lines.push(format!(
                        "    openings under {} ({}), verifying key {}",
                        opening.id, opening.circuit_use, opening.verifying_key_sha256
                    ));
                    lines.push(opening.matrices.line("matrices", &opening.matrix_sha256));
                }
                lines.extend(list.head_keys.iter().filter_map(HeadKeyReport::line));
                lines.extend(list.against_first.as_ref().map(Against::line));
            }
        }
        lines.join("\n") + "\n"
    }
}

impl Judgement {
    fn line(&self, what: &str, value: &str) -> String {
        let (mark, detail) = match self {
            Self::Equal(detail) => ('=', detail),
            Self::Different(detail) => ('≠', detail),
            Self::NotCompared(detail) => ('?', detail),
        };
        format!("  {mark}   {what:<14} {value}: {detail}")
    }
}

impl Against {
    fn line(&self) -> String {
        match self {
            Self::Equal(detail) => format!("  =   {detail}"),
            Self::Behind(detail) => format!("  ~   {detail}"),
            Self::Different(detail) => format!("  ≠   {detail}"),
        }
    }
}
