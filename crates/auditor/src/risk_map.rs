//! `auditor risk-map`: published lists to a risk map and its root, with what could and could not be resolved.

mod report;
mod sample;

use std::path::PathBuf;

use anyhow::{Context, Result};
use commitment::{RiskTree, fr_to_bytes};
use risk_list::{
    FactTable, LISTED_GRADES, MAX_FACT_BYTES, MapOptions, PublishedList, Register, Resolver, import,
};
use rules::Minute;

use crate::{Outcome, files};

/// Import published lists (or a fact table) into a risk map: counts, unresolved names, intervals and root.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  auditor risk-map 2022-12-02.json
  auditor risk-map 202208*.json --json
  auditor risk-map 202208*.json --sample 50 --seed 7
  auditor risk-map 202208*.json --known-at '2022-08-24 00:00'
  auditor risk-map --facts facts.zst --root 1f0e…

Lists are ordered by their own update time, whatever their names, and merged: a place is listed since the first list that has
it, until the first that has it no more. Exit code 1 if --root is given and differs.")]
pub(crate) struct Args {
    /// Published lists (JSON)
    #[arg(required_unless_present = "facts")]
    lists: Vec<PathBuf>,
    /// Take a fact table instead of lists
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lists", "sample"])]
    facts: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Print N resolved strings per list and grade, for reading
    #[arg(long, value_name = "N", conflicts_with = "json")]
    sample: Option<usize>,
    /// Seed of the sample
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Build the map as known at this moment of UTC+8
    #[arg(long, value_name = "YYYY-MM-DD HH:MM")]
    known_at: Option<Minute>,
    /// Periods that ended before this moment of UTC+8 may be dropped where an interval has more than three
    #[arg(long, value_name = "YYYY-MM-DD HH:MM")]
    horizon: Option<Minute>,
    /// Compare the root with this one (64 hexadecimal digits)
    #[arg(long, value_name = "HEX")]
    root: Option<String>,
}

/// Says on standard error where a list holds another number of strings than it states.
fn note_declared(list: &PublishedList) {
    for (grade, declared) in LISTED_GRADES.into_iter().zip(list.declared) {
        let of_grade = list.groups.iter().filter(|g| g.grade == grade);
        let held: usize = of_grade.map(|g| g.texts.len()).sum();
        if declared.is_some_and(|n| n != held as u64) {
            let declared = declared.unwrap_or_default();
            eprintln!(
                "auditor: the list of {} states {declared} {grade:?} entries and holds {held}",
                list.updated
            );
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let options = MapOptions {
        known_at: args.known_at,
        horizon: args.horizon.unwrap_or(Minute::ZERO),
    };
    let mut sample = String::new();
    let table = if let Some(path) = &args.facts {
        FactTable::read(&files::read(path, MAX_FACT_BYTES)?)
            .with_context(|| format!("{} is refused", path.display()))?
    } else {
        let lists = files::lists(&args.lists)?;
        lists.iter().for_each(note_declared);
        let resolver = Resolver::shipped()?;
        if let Some(count) = args.sample {
            sample = sample::print(&resolver, &lists, count, args.seed);
        }
        import(&resolver, &mut Register::new(), &lists, "the files given")?
    };
    let built = table.risk_map(options)?;
    let root = hex::encode(fr_to_bytes(RiskTree::new(&built.map).root()));
    let report = report::Report::new(&table, &built, root);
    if args.json {
        files::print(&(serde_json::to_string_pretty(&report)? + "\n"))?;
    } else {
        files::print(&(report.text() + &sample))?;
    }
    match &args.root {
        Some(wanted) if !wanted.eq_ignore_ascii_case(&report.root) => {
            eprintln!("auditor: the root is {}, not {wanted}", report.root);
            Ok(Outcome::Differs)
        }
        _ => Ok(Outcome::Agrees),
    }
}
