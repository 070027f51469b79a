//! `auditor outside`: what tools that others wrote say of the circuit, its proofs and its hash.
//!
//! They are run as programs, each under a limit of time and output. What they answer is compared with what is computed
//! here: a tool that accepts everything disagrees as much as one that refuses everything.

mod hashes;
mod process;
mod proofs;
mod report;
mod snarkjs;
mod solver;
mod tools;
mod witnesses;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use rand_chacha_03::{ChaCha20Rng, rand_core::SeedableRng};

use crate::export::{Folder, R1CS, export, samples};
use crate::system::system;
use crate::test_key::Seed;
use crate::{Outcome, files};
use report::{Check, Report};
use snarkjs::Snarkjs;
use tools::{Missing, Tools};

/// Ask tools that others wrote about the circuit: snarkjs about rows, witnesses and proofs, good and tampered with;
/// circomlibjs and poseidon-lite about the hash; cvc5, where it is installed, about systems whose answer is known.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  circuits/tools/install npm
  auditor outside                                  everything, a minute or two
  auditor outside --quick                          one sample, few changes
  auditor outside --mutants 300 --seed 2 --json    more changed witnesses, other ones
  auditor outside --tools /opt/tools --keep out    tools elsewhere; keep the files that they were asked about

The tools are looked for in --tools, in circuits/tools under the current folder, then beside the source of this program.
Exit code 1 if a tool answers otherwise than what is computed here; 3 if tools are missing, do not answer in time, or answer
something that is neither yes nor no.")]
pub(crate) struct Args {
    /// Folder of the tools, as circuits/tools/install fills it
    #[arg(long, value_name = "DIR")]
    tools: Option<PathBuf>,
    /// Keep the files that the tools are asked about in this folder, which must be empty or absent
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// One sample, six changed witnesses, and a few hashes of each kind
    #[arg(long)]
    quick: bool,
    /// How many changed witnesses to ask about
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..), conflicts_with = "quick")]
    mutants: u16,
    /// Seed of what is chosen at random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds that a tool may take for one answer
    #[arg(long, value_name = "S", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    limit_s: u64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let limit = Duration::from_secs(args.limit_s);
    let tools = Tools::find(args.tools.as_deref(), limit)?;
    let temporary;
    let dir: &Path = if let Some(dir) = &args.keep {
        dir
    } else {
        temporary = tempfile::tempdir().context("no folder for temporary files")?;
        temporary.path()
    };
    let report = ask(args, &tools, dir)?;
    let text = if args.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.text()
    };
    files::print(&text)?;
    for check in report.disagreements() {
        eprintln!("auditor: {}", check.sentence());
    }
    if report.agrees() {
        Ok(Outcome::Agrees)
    } else {
        Ok(Outcome::Differs)
    }
}

/// What tools said, when another command asks them.
pub(crate) enum Asked {
    /// Tools are not there; how to install them.
    Missing(String),
    /// All questions were answered.
    Answered {
        /// How many.
        asked: usize,
        /// Tools with their versions.
        versions: String,
        /// Answers that differ from what is computed here, in words.
        disagreements: Vec<String>,
        /// Tools that were not there and not needed.
        not_asked: Vec<String>,
    },
}

/// Asks the tools in `folder`, or where they are by default.
pub(crate) fn ask_tools(folder: Option<&Path>, seed: u64, quick: bool) -> Result<Asked> {
    let args = Args {
        tools: folder.map(ToOwned::to_owned),
        keep: None,
        quick,
        mutants: 64,
        seed,
        limit_s: 120,
        json: false,
    };
    let tools = match Tools::find(folder, Duration::from_secs(args.limit_s)) {
        Ok(tools) => tools,
        Err(error) if error.is::<Missing>() => return Ok(Asked::Missing(error.to_string())),
        Err(error) => return Err(error),
    };
    let temporary = tempfile::tempdir().context("no folder for temporary files")?;
    let report = ask(&args, &tools, temporary.path())?;
    Ok(Asked::Answered {
        asked: report.asked(),
        versions: report.versions(),
        disagreements: report
            .disagreements()
            .map(report::Check::sentence)
            .collect(),
        not_asked: report.not_asked().to_vec(),
    })
}

/// What the solver says of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SolverAnswer {
    /// There is no such assignment.
    Unsat,
    /// There is one.
    Sat,
    /// It does not know, or not in time.
    Undecided(String),
    /// It could not be asked.
    Failed(String),
}

/// Asks the solver, with so much time for each question; nothing if it is not installed.
pub(crate) fn ask_solver(
    folder: Option<&Path>,
    questions: &[String],
    limit: Duration,
) -> Result<Option<Vec<SolverAnswer>>> {
    let Some(tools) = Tools::solver_only(folder, Duration::from_mins(1))? else {
        return Ok(None);
    };
    let ids: Vec<String> = (0..questions.len()).map(|n| n.to_string()).collect();
    let queries: Vec<(&str, String)> = ids
        .iter()
        .zip(questions)
        .map(|(id, text)| (id.as_str(), text.clone()))
        .collect();
    let Some(answers) = solver::solve(&tools, &queries, limit)? else {
        return Ok(None);
    };
    let mut found =
        vec![SolverAnswer::Failed("it passed over the question".to_owned()); questions.len()];
    for answer in answers {
        let place: usize = answer
            .id
            .parse()
            .context("the solver answered something else")?;
        let place = found
            .get_mut(place)
            .context("the solver answered something else")?;
        *place = match answer.verdict {
            solver::Verdict::Unsat => SolverAnswer::Unsat,
            solver::Verdict::Sat => SolverAnswer::Sat,
            solver::Verdict::Timeout => SolverAnswer::Undecided("out of time".to_owned()),
            solver::Verdict::Unknown => SolverAnswer::Undecided(answer.detail),
            solver::Verdict::Error => SolverAnswer::Failed(answer.detail),
        };
    }
    Ok(Some(found))
}

/// What all parts ask with.
struct Asker<'a> {
    tools: &'a Tools,
    folder: Folder,
    rng: ChaCha20Rng,
    bar: ProgressBar,
}

fn ask(args: &Args, tools: &Tools, dir: &Path) -> Result<Report> {
    let demo: Seed = "demo".parse().map_err(anyhow::Error::msg)?;
    let count = if args.quick { 1 } else { usize::MAX };
    let exported = || samples().map(|all| all.into_iter().take(count).collect::<Vec<_>>());
    let mut folder = Folder::open(dir, false)?;
    export(&mut folder, &demo, exported()?, Vec::new())?;
    let mut asker = Asker {
        tools,
        folder,
        rng: ChaCha20Rng::seed_from_u64(args.seed),
        bar: files::progress(0, "asking tools"),
    };
    let samples = exported()?;
    let mutants = if args.quick { 6 } else { args.mutants.into() };
    let mut checks = sizes(&mut asker)?;
    checks.extend(witnesses::ask(&mut asker, &samples, mutants)?);
    if !args.quick {
        checks.extend(witnesses::ask_of_attempts(&mut asker)?);
    }
    checks.extend(proofs::ask(&mut asker, &samples)?);
    checks.extend(hashes::ask(&mut asker, if args.quick { 4 } else { 50 })?);
    checks.extend(solver::ask(&mut asker)?);
    asker.bar.finish_and_clear();
    Ok(Report::new(tools, args.seed, checks))
}

/// Whether snarkjs counts in the exported rows what was built here.
fn sizes(asker: &mut Asker<'_>) -> Result<Vec<Check>> {
    asker.bar.inc_length(1);
    let (info, elapsed) = Snarkjs(asker.tools).info(&asker.folder.file(R1CS))?;
    asker.bar.inc(1);
    let system = system();
    let expected = snarkjs::Info {
        curve: "bn-128".to_owned(),
        wires: system.wires(),
        constraints: system.rows().len(),
        private: system.wires() - 1 - system.public(),
        public: system.public(),
        labels: system.wires(),
        outputs: 0,
    };
    Ok(vec![Check {
        part: "rows",
        tool: "snarkjs r1cs info",
        asked: "sizes of the exported system".to_owned(),
        expected: expected.to_string(),
        answered: info.to_string(),
        elapsed: Some(elapsed),
    }])
}
