//! `auditor fact-table`: published lists to the compact table of dated facts.

use std::path::PathBuf;

use anyhow::Result;
use risk_list::{MAX_REGISTER_BYTES, Register, Resolver, import};

use crate::{Outcome, files};

/// Convert published lists into a fact table: place, grade, listed, released, with counts and what could not be placed.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  auditor fact-table 202208*.json facts.txt
  auditor fact-table --register sites.txt 20220901*.json facts-0901.txt
  auditor fact-table --source 'National Health Commission, via …' 202208*.json facts.zst

Lists are ordered by their own update time, whatever their names. With --register, sites keep the numbers of earlier imports,
and the file is written again with the new ones.")]
pub(crate) struct Args {
    /// Published lists (JSON)
    #[arg(required = true)]
    lists: Vec<PathBuf>,
    /// File to write; a Zstandard frame if its name ends in .zst
    out: PathBuf,
    /// Register of site numbers, read if it exists and written back
    #[arg(long, value_name = "FILE")]
    register: Option<PathBuf>,
    /// Where the lists come from, one line
    #[arg(
        long,
        default_value = "National Health Commission of China, via the public archive panghaibin/RiskLevelAPI"
    )]
    source: String,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let resolver = Resolver::shipped()?;
    let mut register = match &args.register {
        Some(path) if path.exists() => Register::read(&files::read(path, MAX_REGISTER_BYTES)?)?,
        _ => Register::new(),
    };
    let lists = files::lists(&args.lists)?;
    let table = import(&resolver, &mut register, &lists, &args.source)?;
    let text = table.write();
    let written = files::write(&args.out, &text)?;
    if let Some(path) = &args.register {
        files::write(path, &register.write())?;
    }
    let total = table.total();
    files::print(&format!(
        "{} lists, {} entries, {} resolved to a county, {} to a township, {} unresolved ({} of them kept under their city or province), \
         {} duplicates; {} facts, {} unplaced names, {} sites: {} bytes as text, {written} written to {}\n",
        lists.len(),
        total.entries,
        total.resolved,
        total.township,
        total.entries - total.resolved,
        total.coarse,
        total.duplicates,
        table.facts().len(),
        table.unplaced().len(),
        register.len(),
        text.len(),
        args.out.display(),
    ))?;
    Ok(Outcome::Agrees)
}
