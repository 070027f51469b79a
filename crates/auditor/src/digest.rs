//! `auditor digest`: the circuit's identity recomputed from source, and compared with the registry, with keys, and with
//! what nodes serve.

mod head_keys;
mod keys;
mod nodes;
mod points;
mod registry;
mod snarkjs;

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::CommandFactory as _;
use serde::Serialize;

use crate::system::{CIRCUIT, CircuitName, Identity};
use crate::test_key::{self, Seed};
use crate::{Cli, Outcome, files};

/// Rebuild the constraint system from source, and compare it with the registry, with keys, and with what nodes serve.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  auditor digest                                      registry line, and the test key of the demonstration
  auditor digest --no-test-key --json                 counts and digest only, at once
  auditor digest --test-seed sample                   the seed of the samples under deploy/; or 64 digits
  auditor digest --no-test-key --key clearance.key --sha256 91ab…
  auditor digest --no-test-key --verifying-key vk.bin arkworks compressed (456 bytes), or snarkjs' JSON
  auditor digest --node 10.0.33.1:7443 --node 10.0.35.1:7443 --province 33 --province 35 \\
      --federation cn --roots federation.pem --root-key 8a88… --root-key 8139… --root-threshold 2

A served circuit must have the rebuilt matrices; its verifying key must be one of those rebuilt or given for its use, if there
is any. The channel is not trusted: with --root-key the list's signatures are checked, without they are not, and it is said.
A test key is made by whoever knows its seed; a production key cannot be made again, only pinned.
Exit code 1 if something differs, 3 if a file or an answer is refused, or a node cannot be reached.")]
pub(crate) struct Args {
    /// The registry to compare with, instead of the one that this program was built beside
    #[arg(long, value_name = "FILE")]
    registry: Option<PathBuf>,
    /// The seed of the test key: demo, sample, or 64 hexadecimal digits
    #[arg(long, value_name = "HEX|NAME", default_value = "demo")]
    test_seed: Seed,
    /// Do not make the test key, which takes some seconds
    #[arg(long)]
    no_test_key: bool,
    /// A proving key file
    #[arg(long, value_name = "FILE", requires = "sha256")]
    key: Option<PathBuf>,
    /// The SHA-256 that the key file must have
    #[arg(long, value_name = "HEX", value_parser = test_key::digits, requires = "key")]
    sha256: Option<[u8; 32]>,
    /// A verifying key file
    #[arg(long, value_name = "FILE")]
    verifying_key: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    nodes: nodes::NodeArgs,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    if let Some(misfit) = args.nodes.misfit() {
        Cli::command()
            .error(clap::error::ErrorKind::WrongNumberOfValues, misfit)
            .exit();
    }
    let registry = registry::Registry::read(args.registry.as_deref())?;
    let verifying = (args.verifying_key.as_deref())
        .map(keys::VerifyingKeyFile::read)
        .transpose()?;
    let own = CircuitName::Clearance.identity();
    let digest = own.digest;
    let mut report = Report::new(&registry, &own);
    let known = report.read_keys(args, verifying, &digest)?;
    let rebuilt = nodes::Rebuilt {
        digest,
        registry: &registry,
        keys: &known,
    };
    report.nodes = nodes::ask(&args.nodes, &rebuilt)?;
    report.conclude();
    let text = if args.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.text()
    };
    files::print(&text)?;
    for difference in &report.differences {
        eprintln!("auditor: {difference}");
    }
    if !report.agrees {
        Ok(Outcome::Differs)
    } else if report.nodes.iter().any(nodes::NodeReport::is_refused) {
        eprintln!("auditor: not every node gave a trust list that can be read");
        Ok(Outcome::Refused)
    } else {
        Ok(Outcome::Agrees)
    }
}

/// What `digest` prints.
#[derive(Serialize)]
struct Report {
    circuit: &'static str,
    version: u32,
    registry: String,
    status: Option<registry::Status>,
    comparisons: Vec<registry::Comparison>,
    /// The other circuit that this program rebuilds.
    opening: Vec<registry::Comparison>,
    /// And the third.
    pseudonym: Vec<registry::Comparison>,
    /// Lines of the registry that this program does not rebuild.
    not_rebuilt: Vec<String>,
    keys: Vec<keys::KeyReport>,
    nodes: Vec<nodes::NodeReport>,
    agrees: bool,
    differences: Vec<String>,
}

impl Report {
    fn new(registry: &registry::Registry, own: &Identity) -> Self {
        let opening = CircuitName::Opening.identity();
        let pseudonym = CircuitName::Pseudonym.identity();
        let mut differences = Vec::new();
        let mut compared = |rebuilt: &Identity| {
            let (name, version) = (rebuilt.name, rebuilt.version);
            let line = registry.of((name, version));
            if line.is_none() {
                let from = &registry.from;
                differences.push(format!("{from} has no line for {name} version {version}"));
            }
            line.map_or_else(Vec::new, |line| registry::compare(rebuilt, line))
        };
        let (comparisons, of_opening) = (compared(own), compared(&opening));
        let of_pseudonym = compared(&pseudonym);
        let (circuit, version) = CIRCUIT;
        let rebuilt = [
            CIRCUIT,
            (opening.name, opening.version),
            (pseudonym.name, pseudonym.version),
        ];
        let others = registry.lines.iter();
        let others = others.filter(|l| !rebuilt.contains(&(l.name.as_str(), l.version)));
        Self {
            circuit,
            version,
            registry: registry.from.clone(),
            status: registry.own().map(|l| l.status),
            comparisons,
            opening: of_opening,
            pseudonym: of_pseudonym,
            not_rebuilt: others
                .map(|l| format!("{} version {}", l.name, l.version))
                .collect(),
            keys: Vec::new(),
            nodes: Vec::new(),
            agrees: false,
            differences,
        }
    }

    /// Makes or reads the keys that the command line names, in the order of their cost.
    fn read_keys(
        &mut self,
        args: &Args,
        verifying: Option<keys::VerifyingKeyFile>,
        digest: &[u8; 32],
    ) -> Result<Vec<keys::Known>> {
        let mut known = Vec::new();
        let mut add = |(key, report): keys::Read| {
            known.push(key);
            self.keys.push(report);
        };
        if let Some(file) = verifying {
            add(file.under(digest));
        }
        if let (Some(path), Some(pinned)) = (&args.key, &args.sha256) {
            match keys::from_file(path, pinned) {
                Ok(read) => add(read),
                Err(keys::PinError::Refused(error)) => return Err(error),
                Err(keys::PinError::Differs { is, pinned }) => self.differences.push(format!(
                    "the key file {} has the SHA-256 {is}, not the pinned {pinned}; it was not read",
                    path.display()
                )),
            }
        }
        if !args.no_test_key {
            add(keys::from_seed(&args.test_seed)?);
        }
        Ok(known)
    }

    fn conclude(&mut self) {
        let all = [
            (self.circuit, &self.comparisons),
            ("opening", &self.opening),
            ("pseudonym", &self.pseudonym),
        ];
        let registry = &self.registry;
        let of_registry = all.into_iter().flat_map(|(circuit, comparisons)| {
            let differing = comparisons.iter().filter(|c| !c.agrees);
            differing.map(move |c| {
                format!(
                    "{}: {circuit}: {} is {} rebuilt from source, {} there",
                    registry, c.quantity, c.rebuilt, c.registry
                )
            })
        });
        let of_nodes = self.nodes.iter().flat_map(nodes::NodeReport::differences);
        let more: Vec<String> = of_registry.chain(of_nodes).collect();
        self.differences.extend(more);
        self.agrees = self.differences.is_empty();
    }

    fn text(&self) -> String {
        let mut out = format!(
            "{} version {}, rebuilt from source, against {}\n",
            self.circuit, self.version, self.registry
        );
        compared(&mut out, CircuitName::Clearance, &self.comparisons);
        if let Some(status) = self.status {
            let _ = writeln!(out, "    status {}", format!("{status:?}").to_lowercase());
        }
        let _ = writeln!(out, "opening, rebuilt from source");
        compared(&mut out, CircuitName::Opening, &self.opening);
        let _ = writeln!(out, "pseudonym, rebuilt from source");
        compared(&mut out, CircuitName::Pseudonym, &self.pseudonym);
        for line in &self.not_rebuilt {
            let _ = writeln!(out, "    {line} is not rebuilt by this program");
        }
        for key in &self.keys {
            let _ = write!(out, "\n{}", key.text());
        }
        for node in &self.nodes {
            let _ = write!(out, "\n{}", node.text());
        }
        let refused = self.nodes.iter().any(nodes::NodeReport::is_refused);
        let verdict = match (self.agrees, refused) {
            (true, false) => "everything compared agrees",
            (true, true) => "what could be compared agrees; a node is missing",
            (false, _) => "NOT everything agrees",
        };
        let _ = writeln!(out, "\n{verdict}");
        out
    }
}

/// A circuit's quantities, a line each.
fn compared(out: &mut String, circuit: CircuitName, comparisons: &[registry::Comparison]) {
    for c in comparisons {
        let mark = if c.agrees { '=' } else { '≠' };
        let _ = write!(out, "  {mark} {:<20} {}", c.quantity, c.rebuilt);
        if !c.agrees {
            let _ = write!(out, " (registry: {})", c.registry);
        }
        out.push('\n');
    }
    let (rows, domain) = (circuit.identity().rows, circuit.domain_rows());
    let _ = writeln!(
        out,
        "    {rows} of {domain} rows that the proof system's domain holds"
    );
}
