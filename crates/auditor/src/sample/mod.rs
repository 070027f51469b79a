//! `auditor sample`: the leaves that a registry's cosignatures draw, opened by their node, held against what sources signed.
//!
//! Unlike the other commands it has a certificate, and what it reads is of people: every opening is in the trail of whose record it
//! is. Nothing of a person is printed; what is kept is kept because a file was named.

mod evidence;
mod fetch;
mod finding;
mod judge;
mod keep;
mod record;
mod report;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use commitment::Epoch;
use ed25519_dalek::VerifyingKey as RootKey;
use federation::{Credentials, PeerId, TlsIdentity};
use ledger::log::{Entry, SourceEntitlement};
use ledger::{CosignedStatement, Roster, Slot};
use risk_list::{FactTable, MAX_FACT_BYTES, Register, Resolver, import};
use rules::{ProvinceCode, RuleSet};
use verifier::trust::{
    MAX_SIGNED_ROOT_LEN_BYTES, RootDocument, RuleSetEntry, SignedRoot, root_key_from_digits,
};
use wire::ShownSample;

use crate::{Outcome, clock, counts, explain, files, root_keys};

use keep::Keeping;

pub use fetch::{Begin, FetchError, fetch, fetch_on};
pub use finding::{EventFault, Finding, Part};
pub use judge::{Believed, Judgement, Place, State, Unjudged, judge, opens};

/// A chain, a key or a few authorities in PEM take some kilobytes.
const MAX_PEM_LEN_BYTES: usize = 256 << 10;

/// Have a node open the leaves that are drawn from a registry, and hold its records against what sources signed.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  auditor sample --node node-33.example:7443 --province 33 --cert auditor-1.pem --key auditor-1-key.pem --roots federation.pem \\
    --root-document root.bin --root-key 5f0c… --root-key 81aa… --root-threshold 2 --risk-map 2022-08-29.json
  auditor sample … --epoch 4711 --json
  auditor sample … --log 000 --log 001 --log-checkpoint checkpoint --log-policy policy     sources by the node's log as well
  auditor sample … --keep sample.bin                                                       keeps what was opened: personal data
  auditor sample … --keep sample.bin                                                       once more, after it was interrupted: goes on
  auditor sample --read sample.bin --province 33 --root-document root.bin --root-key 5f0c… judges what was kept; asks nobody

A province's authority issues the certificate: `federation issue --role auditor --number 1`. Any province's auditor may ask any node.
The node shows the records of the newest registry, until it has taken up the next; --epoch names one. Which places are opened follows
from what other provinces signed: two leaves for each registry and province. Each opening is a row of its resident's trail, and the
resident is shown who read the record and what for. Nothing of a person is printed.

Say --risk-map or --facts where places are listed, and --rule-set for each rule set of the root document that is not built in: else the records
cannot be computed again (exit code 3). Without --log the sources' keys are those that the node shows, and so are
the cosignatures that draw: it could leave some out.

Exit code 1 for anything that contradicts what the node committed or what a source signed; 4 if the node refuses, and says why; 5 if
it does not answer; 6 if nothing differs, but of a drawn leaf the node says that its resident's data were erased: ask again later, its
place must then be empty for ever.")]
pub(crate) struct Args {
    /// The node's door for certificates
    #[arg(long, value_name = "HOST:PORT", required_unless_present = "read",
          requires_all = ["cert", "key", "roots"])]
    node: Option<String>,
    /// Judge a file that --keep wrote, and ask nobody
    #[arg(long, value_name = "FILE", conflicts_with_all = ["node", "keep", "epoch"])]
    read: Option<PathBuf>,
    /// The node's province
    #[arg(long, value_name = "N", value_parser = province)]
    province: ProvinceCode,
    /// Its slot, for a province that has two
    #[arg(long, value_name = "N")]
    slot: Option<u8>,
    /// The auditor's certificate (PEM)
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// Its key (PEM)
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Certificates (PEM) of the authorities that issue the nodes'
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// The root document that names the provinces' head keys and the rule sets
    #[arg(long, value_name = "FILE")]
    root_document: PathBuf,
    /// A key of the root, known beforehand; repeatable
    #[arg(long, value_name = "HEX", required = true, value_parser = root_key_from_digits)]
    root_key: Vec<RootKey>,
    /// How many of the root keys must have signed; all of them if not given
    #[arg(long, value_name = "K")]
    root_threshold: Option<u8>,
    /// A rule set that the root document names and that is not built in: a TOML file; repeatable
    #[arg(long, value_name = "FILE")]
    rule_set: Vec<String>,
    /// Published lists
    #[arg(long, value_name = "FILE", num_args = 1..)]
    risk_map: Vec<PathBuf>,
    /// Take a fact table instead of lists
    #[arg(long, value_name = "FILE", conflicts_with = "risk_map")]
    facts: Option<PathBuf>,
    /// A bundle of the node's log, for its sources and for the cosignatures that draw; repeatable, in order
    #[arg(long, value_name = "BUNDLE")]
    log: Vec<PathBuf>,
    /// The checkpoint that the bundles must be all of
    #[arg(long, value_name = "FILE", requires = "log")]
    log_checkpoint: Option<PathBuf>,
    /// Who must have signed it (c2sp.org/tlog-policy)
    #[arg(long, value_name = "FILE", requires = "log_checkpoint")]
    log_policy: Option<PathBuf>,
    /// The registry's epoch; the newest if not given
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    epoch: Option<u32>,
    /// Keep what was opened in this file, which only its owner can read and which must not exist; until all is there, beside it in
    /// FILE.part, from which the same command goes on
    #[arg(long, value_name = "FILE")]
    keep: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn province(text: &str) -> Result<ProvinceCode> {
    let code = text.parse().map_err(|_| anyhow!("a province's number"))?;
    Ok(ProvinceCode::new(code)?)
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    // What is believed is read first: nobody's record is opened for a command that cannot judge it.
    let believed = believed(args)?;
    let keeping = args.keep.as_deref().map(Keeping::new).transpose()?;
    let shown = match &args.read {
        Some(path) => keep::read(path)?,
        None => match ask(args, &believed, keeping.as_ref())? {
            Ok(shown) => shown,
            Err(error) => return Ok(not_shown(&error)),
        },
    };
    if let Some(keeping) = &keeping {
        keeping.finish()?;
    }
    let mut judgement = judge(&shown, &believed)?;
    let (missing, drawn) = keep::missing(&shown);
    // Of one that was interrupted: nobody was asked for these.
    let is_cut = args.read.is_some() && missing > 0 && opens(&shown.sample, &believed)?;
    if is_cut {
        let is_asked = |finding: &Finding| !matches!(finding, Finding::NotShown(_));
        judgement.findings.retain(is_asked);
    }
    let report = report::Report::new(args.province, &judgement, believed.log.is_some());
    files::print(&if args.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.text()
    })?;
    for finding in &judgement.findings {
        eprintln!("auditor: {finding}");
    }
    if is_cut {
        eprintln!("auditor: {missing} of {drawn} drawn leaves are not opened: it was interrupted");
    }
    Ok(if !judgement.findings.is_empty() {
        Outcome::Differs
    } else if is_cut {
        Outcome::Refused
    } else if judgement.has_erased() {
        Outcome::Gone
    } else {
        Outcome::Agrees
    })
}

/// Why there is nothing to judge: the node's word, its silence, or what cannot be read.
fn not_shown(error: &FetchError) -> Outcome {
    eprintln!("auditor: {error}");
    match error {
        FetchError::Refused(_) => Outcome::Declined,
        FetchError::Silent(_) => Outcome::Silent,
        _ => Outcome::Refused,
    }
}

fn ask(
    args: &Args,
    believed: &Believed,
    keeping: Option<&Keeping>,
) -> Result<Result<ShownSample, FetchError>> {
    let (Some(address), Some(cert), Some(key), Some(roots)) =
        (&args.node, &args.cert, &args.key, &args.roots)
    else {
        bail!("--node needs --cert, --key and --roots");
    };
    let pem = |path: &PathBuf| -> Result<String> {
        String::from_utf8(files::read(path, MAX_PEM_LEN_BYTES)?)
            .with_context(|| format!("{} is not PEM", path.display()))
    };
    let identity = TlsIdentity::from_pem(&pem(cert)?, &pem(key)?, &pem(roots)?);
    let identity = identity.context("the certificate, its key or the roots are refused")?;
    let own = identity
        .peer()
        .context("a certificate without an identity")?;
    let node = PeerId::node(&own.federation, args.province);
    let credentials: Arc<dyn Credentials> = Arc::new(Arc::new(identity));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime for the network")?;
    let sign = files::spinner("asking the node");
    let begin = begin(args, keeping)?;
    let keep = |shown: &ShownSample| keeping.map_or(Ok(()), |keeping| keeping.keep(shown));
    let shown = fetch_on(address, node, credentials, begin, believed, keep);
    let shown = runtime.block_on(shown);
    sign.finish_and_clear();
    Ok(shown)
}

/// Where the sample begins: what was kept of one that was interrupted goes on.
fn begin(args: &Args, keeping: Option<&Keeping>) -> Result<Begin> {
    let wanted = args.epoch.map(Epoch::new);
    let Some(begun) = keeping.map(Keeping::begun).transpose()?.flatten() else {
        return Ok(Begin::Anew(wanted, clock::now()?));
    };
    let epoch = begun.sample.registry.cosigned.statement().epoch();
    ensure!(
        wanted.is_none_or(|wanted| wanted == epoch),
        "what was kept is of epoch {}: another file for another epoch",
        epoch.get()
    );
    Ok(Begin::GoOn(Box::new(begun)))
}

/// What the sample is held against.
fn believed(args: &Args) -> Result<Believed> {
    let of = || format!("{} is refused", args.root_document.display());
    let bytes = files::read(&args.root_document, MAX_SIGNED_ROOT_LEN_BYTES)?;
    let root = SignedRoot::from_bytes(&bytes).with_context(of)?;
    let pinned = root_keys::pinned(&args.root_key, args.root_threshold)?;
    root.check_pinned(&pinned).with_context(of)?;
    let root = root.document();
    let roster = wire::roster_of(root).with_context(of)?;
    let told = told(args)?;
    let (log, registries) = told.map_or((None, Vec::new()), |(sources, registries)| {
        (Some(sources), registries)
    });
    Ok(Believed {
        slot: slot_of(args, &roster)?,
        roster,
        rule_sets: rule_sets(args, root)?,
        grace_min: root.grace_min,
        places: places(args)?,
        log,
        registries,
    })
}

fn slot_of(args: &Args, roster: &Roster) -> Result<Slot> {
    let own = roster.members().iter();
    let own = own.filter(|member| member.province == args.province);
    let slots: Vec<Slot> = own.map(|member| member.slot).collect();
    let wanted = |slot: &&Slot| args.slot.is_none_or(|number| number == slot.get());
    let fitting: Vec<&Slot> = slots.iter().filter(wanted).collect();
    match fitting[..] {
        [slot] => Ok(*slot),
        [] => bail!(
            "the root document has no such slot of province {}",
            args.province.get()
        ),
        _ => bail!(
            "province {} has several slots: say --slot",
            args.province.get()
        ),
    }
}

/// The rule sets that the root document names, from those built in and those given.
fn rule_sets(args: &Args, root: &RootDocument) -> Result<Vec<RuleSet>> {
    let mut at_hand = Vec::new();
    for name in RuleSet::BUILT_IN
        .into_iter()
        .chain(args.rule_set.iter().map(String::as_str))
    {
        let set = explain::rule_set(name)?;
        at_hand.push((RuleSetEntry::of(&set), set));
    }
    let named = root.rule_sets.iter().map(|entry| {
        // One that was given goes before one that is built in, as two can differ in their dates.
        let found = at_hand.iter().rfind(|(own, _)| {
            (&own.name, own.digest, own.valid_from) == (&entry.name, entry.digest, entry.valid_from)
                && own.superseded_at == entry.superseded_at
        });
        let found = found.map(|(_, set)| set.clone());
        found.with_context(|| {
            format!(
                "the root document names the rule set {}, which is not at hand in that form: --rule-set FILE",
                entry.name
            )
        })
    });
    named.collect()
}

fn places(args: &Args) -> Result<Option<FactTable>> {
    if let Some(path) = &args.facts {
        let table = FactTable::read(&files::read(path, MAX_FACT_BYTES)?);
        let table = table.with_context(|| format!("{} is refused", path.display()))?;
        return Ok(Some(table));
    }
    if args.risk_map.is_empty() {
        return Ok(None);
    }
    let lists = files::lists(&args.risk_map)?;
    let resolver = Resolver::shipped()?;
    let table = import(&resolver, &mut Register::new(), &lists, "the files given")?;
    Ok(Some(table))
}

/// What the node's log tells of sources, and the registries with the cosignatures that it took them up with.
fn told(args: &Args) -> Result<Option<(Vec<SourceEntitlement>, Vec<CosignedStatement>)>> {
    if args.log.is_empty() {
        return Ok(None);
    }
    let (checkpoint, policy) = (args.log_checkpoint.as_deref(), args.log_policy.as_deref());
    let entries = counts::read_log(&args.log, checkpoint, policy)?;
    let (mut sources, mut registries) = (Vec::new(), Vec::new());
    for entry in entries {
        match entry {
            Entry::Source(source) => sources.push(source),
            Entry::Registry(cosigned) => registries.push(cosigned),
            _ => {}
        }
    }
    ensure!(
        !sources.is_empty(),
        "the bundles tell of no source: are they all of the log?"
    );
    Ok(Some((sources, registries)))
}
