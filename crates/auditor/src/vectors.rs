//! `auditor vectors`: replays the accept and reject vectors of the statement against all who judge it.

mod replay;
mod report;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use circuits::vector::{MAX_VECTOR_LEN_BYTES, MAX_VECTORS, Tried, Vectors};
use circuits::{Clearance, Opening, Pseudonym, clearance, opening, pseudonym};

use crate::system::CircuitName;
use crate::{Outcome, files};

/// Replay the statement's accept and reject vectors against relation, constraints, prover and verifier.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  auditor vectors
  auditor vectors --quick --json
  auditor vectors circuits/vectors
  auditor vectors --write circuits/vectors
  auditor vectors --circuit opening                   of the opening of a record to the source of an event
  auditor vectors --circuit pseudonym                 of what a resident is called by one who asks

Without DIR the vectors inside this program are replayed; they are the files under circuits/vectors, whose README describes
the format. A whole run makes a test key from a seed and a proof of each accept vector. Each vector must be
  accept   fulfilled by relation and constraints, proved by the prover, and its proof verified;
  reject   refused by relation, constraints and prover under the heading that it names, and where its public inputs are not
           those of its base, the base's proof is refused under them;
  wires    refused by rows of the constraints under that heading, and by no others;
  shown    public inputs under which the verifier refuses the base's proof.")]
pub(crate) struct Args {
    /// A folder of vectors, with folders in it
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Whose vectors
    #[arg(long, value_enum, value_name = "NAME", default_value = "clearance")]
    circuit: CircuitName,
    /// Relation and constraints only: no key, no proofs
    #[arg(long)]
    quick: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Write the vectors that the source makes to a folder, and replay nothing
    #[arg(long, value_name = "DIR", conflicts_with_all = ["dir", "quick"])]
    write: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    match args.circuit {
        CircuitName::Clearance => run_of(args, shipped, clearance::vector::made),
        CircuitName::Opening => run_of(args, shipped_openings, opening::vector::made),
        CircuitName::Pseudonym => run_of(args, shipped_pseudonyms, pseudonym::vector::made),
    }
}

fn run_of<C: Tried>(
    args: &Args,
    shipped: fn() -> Result<Vectors<C>>,
    made: fn() -> Vectors<C>,
) -> Result<Outcome> {
    if let Some(folder) = &args.write {
        return write(folder, made, args.json);
    }
    let begun = Instant::now();
    let vectors = match &args.dir {
        None => shipped()?,
        Some(folder) => read(folder)?,
    };
    let replayed = replay::replay(&vectors, args.quick)?;
    let report = report::Report::new(&vectors, replayed, begun.elapsed());
    files::print(&if args.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.text::<C>()
    })?;
    Ok(if report.agrees() {
        Outcome::Agrees
    } else {
        Outcome::Differs
    })
}

/// The vectors of `clearance` inside this program.
pub(crate) fn shipped() -> Result<Vectors<Clearance>> {
    Vectors::<Clearance>::shipped().context("the vectors inside this program are refused")
}

/// The vectors of `opening` inside this program.
pub(crate) fn shipped_openings() -> Result<Vectors<Opening>> {
    Vectors::<Opening>::shipped().context("the vectors inside this program are refused")
}

/// The vectors of `pseudonym` inside this program.
pub(crate) fn shipped_pseudonyms() -> Result<Vectors<Pseudonym>> {
    Vectors::<Pseudonym>::shipped().context("the vectors inside this program are refused")
}

/// Reads every `.json` file in a folder and in the folders in it.
fn read<C: Tried>(folder: &Path) -> Result<Vectors<C>> {
    let mut paths = Vec::new();
    list(folder, true, &mut paths)?;
    if paths.is_empty() {
        bail!("{} holds no vectors", folder.display());
    }
    paths.sort_unstable();
    let mut read = Vec::with_capacity(paths.len());
    for path in &paths {
        read.push((
            path.display().to_string(),
            files::read(path, MAX_VECTOR_LEN_BYTES)?,
        ));
    }
    let files = read.iter().map(|(path, bytes)| (path.as_str(), &bytes[..]));
    Vectors::read(files).map_err(Into::into)
}

fn list(folder: &Path, deeper: bool, found: &mut Vec<PathBuf>) -> Result<()> {
    let cannot = || format!("cannot read {}", folder.display());
    for entry in std::fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if path.is_dir() {
            if deeper {
                list(&path, false, found)?;
            }
        } else if path.extension().is_some_and(|e| e == "json") {
            if found.len() >= MAX_VECTORS {
                bail!("{} holds more than {MAX_VECTORS} vectors", folder.display());
            }
            found.push(path);
        }
    }
    Ok(())
}

fn write<C: Tried>(folder: &Path, made: fn() -> Vectors<C>, json: bool) -> Result<Outcome> {
    let bar = files::progress(1, "making vectors");
    bar.tick();
    let made = made().write();
    bar.finish_and_clear();
    for file in &made {
        let path = folder.join(&file.path);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)
            .with_context(|| format!("cannot make {}", parent.display()))?;
        files::write(&path, &file.text)?;
    }
    let bytes: usize = made.iter().map(|file| file.text.len()).sum();
    files::print(&if json {
        let written = serde_json::json!({
            "written": made.len(), "bytes": bytes, "folder": folder.display().to_string(),
        });
        serde_json::to_string_pretty(&written)? + "\n"
    } else {
        format!(
            "{} vectors, {bytes} bytes, written to {}\n",
            made.len(),
            folder.display()
        )
    })?;
    Ok(Outcome::Agrees)
}
