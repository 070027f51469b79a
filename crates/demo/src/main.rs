//! `cargo run --release -p demo`: the main job, end to end, on one machine.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use demo::programs::Programs;
use demo::run::{Options, run};
use demo::voice::Voice;

/// Three provinces' nodes, two weeks of August 2022, and a gate in a fourth province that believes what it is shown.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 every verdict was the expected one, 1 one was not, 2 it could not be shown."
)]
struct Cli {
    /// Residents, at least 120; the demonstration has 300.
    #[arg(long, default_value_t = 300)]
    residents: usize,
    /// Seed of the residents and of what happens to them. Keys are fresh in each run.
    #[arg(long, default_value_t = 20_220_831)]
    seed: u64,
    /// Directory that keeps everything: stores, certificates, logs, the code. It must be empty.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// One JSON object on standard output instead of words.
    #[arg(long)]
    json: bool,
    /// Directory with the programs `node` and `checkpoint`, instead of building them.
    #[arg(long)]
    programs: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match show(&cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn show(cli: &Cli) -> Result<bool> {
    let voice = Voice::new(cli.json);
    let programs = match &cli.programs {
        Some(dir) => Programs::in_dir(dir)?,
        None => Programs::build(voice)?,
    };
    let options = Options {
        residents: cli.residents,
        seed: cli.seed,
        keep: cli.keep.clone(),
    };
    let report = tokio::runtime::Runtime::new()?.block_on(run(voice, programs, &options))?;
    if cli.json {
        println!("{}", report.to_json());
    } else {
        println!("\n{}", report.to_text());
    }
    Ok(report.ok())
}
