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
use clap::ValueEnum;
use serde::Serialize;

use crate::system::CircuitName;
use crate::{Outcome, clock, files};
use report::{Report, Search};

/// Search the circuit for what its rows leave open: structure, uniqueness, changed witnesses, dropped rows, random
/// records, and what tools that others wrote say.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  auditor check                                       a reduced form of all searches, a minute or two
  auditor check --full --state check.json --html report.html    everything, an hour or so; go on where it was stopped
  auditor check --only uniqueness --only dropped
  auditor check --circuit opening                     the opening of a record: rows alone, no random scenes, no tools
  auditor check --circuit pseudonym                   the same of a pseudonym
  auditor check --only differential --records 1000000 --through-rows 20000 --seed 7

The searches: structure (wires, inputs and rows that do nothing), uniqueness (what the prover can choose, and that all else
follows), mutants (wires changed alone and together), dropped (rows left out: would it be noticed?), differential (rules,
relation and rows on random scenes), outside (snarkjs, circomlibjs, poseidon-lite; cvc5 under uniqueness).
Tools that are not installed (circuits/tools/install) are not asked, and the report says so; --need-tools makes that a
failure. Exit code 1 if a search found something; 3 if one came to no end, such as when a state is of another circuit or a
tool says neither yes nor no: what the others found is reported all the same.")]
pub(crate) struct Args {
    /// Which circuit
    #[arg(long, value_enum, value_name = "NAME", default_value = "clearance")]
    circuit: CircuitName,
    /// Everything: each row, all accept vectors, 100,000 records, 5,000 of them through the rows
    #[arg(long)]
    full: bool,
    /// Only these searches
    #[arg(long, value_name = "SEARCH", value_enum)]
    only: Vec<SearchName>,
    /// Seed of what is chosen at random
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(..SEEDS))]
    seed: u64,
    /// Random scenes whose relation is compared with the rules
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=SCENES))]
    records: Option<u64>,
    /// Random scenes of which the rows are compared, too
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=SCENES))]
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

/// Seeds of random scenes have so many bits for the search's own seed, beside 40 that tell scenes apart.
const SEEDS: u64 = 1 << 24;
/// Scenes that are told apart, less a bit for how they are compared.
const SCENES: u64 = 1 << 39;

/// A search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum SearchName {
    Structure,
    Uniqueness,
    Mutants,
    Dropped,
    Differential,
    Outside,
}

impl SearchName {
    const ALL: [Self; 6] = [
        Self::Structure,
        Self::Uniqueness,
        Self::Mutants,
        Self::Dropped,
        Self::Differential,
        Self::Outside,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Uniqueness => "uniqueness",
            Self::Mutants => "mutants",
            Self::Dropped => "dropped",
            Self::Differential => "differential",
            Self::Outside => "outside",
        }
    }

    /// What the search asks.
    const fn question(self) -> &'static str {
        match self {
            Self::Structure => {
                "Is every wire used, every public input in a real row, and no row empty or said twice?"
            }
            Self::Uniqueness => {
                "Do all wires follow from the public inputs and from what the prover may choose, if hashes bind their inputs?"
            }
            Self::Mutants => {
                "Is every change of an accepted assignment noticed by a row, unless it changes only what the prover may choose?"
            }
            Self::Dropped => "If a row were missing, would a search or an attempt notice?",
            Self::Differential => {
                "Do rules, plan, relation and rows say the same of random records, times, maps and rule tables?"
            }
            Self::Outside => {
                "Do tools that others wrote accept our rows, witnesses, proofs and hashes, and refuse changed ones?"
            }
        }
    }

    /// Whether it asks about rows alone, whatever the circuit; the others know `clearance`.
    const fn is_of_any_circuit(self) -> bool {
        !matches!(self, Self::Differential | Self::Outside)
    }

    fn run(self, args: &Args) -> Result<Search> {
        if args.circuit != CircuitName::Clearance && !self.is_of_any_circuit() {
            let mut search = Search::new(self);
            search.not_asked(
                "it knows clearance only; what can be asked of another circuit is among its own tests",
            );
            return Ok(search);
        }
        match self {
            Self::Structure => Ok(structure::search(args)),
            Self::Uniqueness => uniqueness::search(args),
            Self::Mutants => mutants::search(args),
            Self::Dropped => dropped::search(args),
            Self::Differential => differential::search(args),
            Self::Outside => outside::search(args),
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    for path in [&args.json_file, &args.html, &args.state]
        .into_iter()
        .flatten()
    {
        files::check_folder_of(path)?;
    }
    let begun = Instant::now();
    let mut searches = Vec::new();
    let mut stopped = None;
    for name in SearchName::ALL {
        if args.only.is_empty() || args.only.contains(&name) {
            let from = Instant::now();
            // What the others found after so long is reported all the same.
            let mut search = name.run(args).unwrap_or_else(|error| {
                let search = Search::stopped(name, &error);
                stopped.get_or_insert(error.context(name.word()));
                search
            });
            search.took = from.elapsed();
            searches.push(search);
        }
    }
    let report = Report::new(
        &args.circuit.identity(),
        args.full,
        args.seed,
        clock::today(),
        searches,
        begun.elapsed(),
    );
    let json = serde_json::to_string_pretty(&report)? + "\n";
    let text = if args.json { &json } else { &report.text() };
    files::print(text)?;
    if let Some(path) = &args.json_file {
        files::write_whole(path, json.as_bytes())?;
    }
    if let Some(path) = &args.html {
        files::write_whole(path, report.html().as_bytes())?;
    }
    if let Some(error) = stopped {
        return Err(error);
    }
    let objections = report.objections(args.need_tools);
    for objection in &objections {
        eprintln!("auditor: {objection}");
    }
    Ok(if objections.is_empty() {
        Outcome::Agrees
    } else {
        Outcome::Differs
    })
}
