//! The auditor: recomputes what others publish from what it was made of, and compares.
//!
//! Holds no keys and no resident data; every command reads files and writes files or standard output.

mod area_table;
mod explain;
mod export;
mod fact_table;
mod files;
mod outside;
mod risk_map;
mod test_key;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

const EXIT_CODES: &str = "Exit codes:
  0  done, and everything compared agrees
  1  done, but a comparison failed or a limit set on the command line was missed
  2  the command line is wrong
  3  a file cannot be read or written, or its content is refused";

/// Recompute and compare what a federation publishes.
#[derive(Parser)]
#[command(name = "auditor", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    RiskMap(risk_map::Args),
    Explain(explain::Args),
    Export(export::Args),
    Outside(outside::Args),
    AreaTable(area_table::Args),
    FactTable(fact_table::Args),
}

/// How a command that ran to its end turned out.
enum Outcome {
    /// Everything agrees.
    Agrees,
    /// A comparison failed or a limit was missed; the command has said which.
    Differs,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::RiskMap(args) => risk_map::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Outside(args) => outside::run(&args),
        Command::AreaTable(args) => area_table::run(&args),
        Command::FactTable(args) => fact_table::run(&args),
    };
    match outcome {
        Ok(Outcome::Agrees) => ExitCode::SUCCESS,
        Ok(Outcome::Differs) => ExitCode::from(1),
        Err(error) => {
            eprintln!("auditor: {error:#}");
            ExitCode::from(3)
        }
    }
}
