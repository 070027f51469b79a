//! `auditor check`: searches for what the circuit's rows leave open.

mod differential;
mod dropped;
mod mutants;
mod outside;
mod report;
mod solver;
mod structure;
mod uniqueness;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use circuits::clearance::shape;
use clap::ValueEnum;

use crate::{Outcome, clock, files};
use report::{Report, Search};

/// Search the circuit for what its rows leave open: structure, uniqueness, changed witnesses, dropped rows, random
/// records, and what tools that others wrote say.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  auditor check                                       a reduced form of all searches, a minute or two
  auditor check --full --state check.json --html report.html    everything, an hour or so; go on where it was stopped
  auditor check --only uniqueness --only dropped
  auditor check --only differential --records 1000000 --through-rows 20000 --seed 7

The searches: structure (wires, inputs and rows that do nothing), uniqueness (what the prover can choose, and that all else
follows), mutants (wires changed alone and together), dropped (rows left out: would it be noticed?), differential (rules,
relation and rows on random scenes), outside (snarkjs, circomlibjs, poseidon-lite; cvc5 under uniqueness).
Tools that are not installed (circuits/tools/install) are not asked, and the report says so; --need-tools makes that a
failure. Exit code 1 if a search found something, with the finding in the report.")]
pub(crate) struct Args {
    /// Everything: each row, all accept vectors, 100,000 records, 5,000 of them through the rows
    #[arg(long)]
    full: bool,
    /// Only these searches
    #[arg(long, value_name = "SEARCH", value_enum)]
    only: Vec<Name>,
    /// Seed of what is chosen at random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Random scenes whose relation is compared with the rules
    #[arg(long, value_name = "N")]
    records: Option<u64>,
    /// Random scenes of which the rows are compared, too
    #[arg(long, value_name = "N")]
    through_rows: Option<u64>,
    /// Remember in this file what the differential search has done, and go on from there
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Folder of the tools, as circuits/tools/install fills it
    #[arg(long, value_name = "DIR")]
    tools: Option<PathBuf>,
    /// Fail if a tool is not installed
    #[arg(long)]
    need_tools: bool,
    /// Also write the report as a page
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Also write the report as JSON
    #[arg(long, value_name = "FILE")]
    json_file: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// A search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    Structure,
    Uniqueness,
    Mutants,
    Dropped,
    Differential,
    Outside,
}

impl Name {
    const ALL: [Self; 6] = [
        Self::Structure,
        Self::Uniqueness,
        Self::Mutants,
        Self::Dropped,
        Self::Differential,
        Self::Outside,
    ];
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let begun = Instant::now();
    let mut searches = Vec::new();
    for name in Name::ALL {
        if args.only.is_empty() || args.only.contains(&name) {
            let from = Instant::now();
            let mut search = search(name, args)?;
            search.took = from.elapsed();
            searches.push(search);
        }
    }
    let report = Report::new(
        shape(),
        args.full,
        args.seed,
        clock::today(),
        searches,
        begun.elapsed(),
    );
    let json = serde_json::to_string_pretty(&report)? + "\n";
    if let Some(path) = &args.json_file {
        files::write_whole(path, json.as_bytes())?;
    }
    if let Some(path) = &args.html {
        files::write_whole(path, report.html().as_bytes())?;
    }
    files::print(&if args.json { json } else { report.text() })?;
    Ok(if report.holds(args.need_tools) {
        Outcome::Agrees
    } else {
        Outcome::Differs
    })
}

fn search(name: Name, args: &Args) -> Result<Search> {
    match name {
        Name::Structure => Ok(structure::search()),
        Name::Uniqueness => uniqueness::search(args),
        Name::Mutants => mutants::search(args),
        Name::Dropped => dropped::search(args),
        Name::Differential => differential::search(args),
        Name::Outside => outside::search(args),
    }
}
