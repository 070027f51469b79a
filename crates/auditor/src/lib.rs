//! The auditor: recomputes what others publish from what it was made of, and compares.
//!
//! Holds no keys and no resident data of its own; every command reads files, or what nodes serve to anybody, and writes files or
//! standard output. Only [`sample`] asks for more: it has a certificate, and nodes open drawn leaves to it.

mod area_table;
mod check;
mod clock;
mod counts;
mod digest;
mod explain;
mod export;
mod fact_table;
mod files;
mod lines;
mod opening;
mod outside;
mod page;
mod pass;
mod public;
mod risk_map;
mod root_keys;
pub mod sample;
mod statement;
mod system;
mod test_key;
mod vectors;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

const EXIT_CODES: &str = "Exit codes:
  0  done, and everything compared agrees
  1  done, but a comparison failed, a search found something, or a limit set on the command line was missed
  2  the command line is wrong
  3  a file cannot be read or written, a node or a tool does not answer, or the content is refused
  4  sample: the node refuses to open it, and says why
  5  sample: the node does not answer
  6  sample: nothing differs, but of a drawn leaf the node says that its resident's data were erased";

/// Recompute and compare what a federation publishes.
#[derive(Parser)]
#[command(name = "auditor", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Statement(statement::Args),
    RiskMap(risk_map::Args),
    Explain(explain::Args),
    Pass(pass::Args),
    Page(public::Args),
    Opening(opening::Args),
    Digest(digest::Args),
    Counts(counts::Args),
    Sample(sample::Args),
    Check(check::Args),
    Export(export::Args),
    Outside(outside::Args),
    AreaTable(area_table::Args),
    FactTable(fact_table::Args),
    Vectors(vectors::Args),
}

/// How a command that ran to its end turned out.
enum Outcome {
    /// Everything agrees.
    Agrees,
    /// A comparison failed, a search found something, or a limit was missed; the command has said which.
    Differs,
    /// Nothing differs, but something could not be read or was refused; the command has said what.
    Refused,
    /// A node refuses in words what was asked for.
    Declined,
    /// A node does not answer.
    Silent,
    /// Nothing differs, but something that was asked for is said to be gone, and cannot be shown.
    Gone,
}

/// Does what the command line asks for, and gives the exit code.
pub fn run() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Statement(args) => statement::run(&args),
        Command::RiskMap(args) => risk_map::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Pass(args) => pass::run(&args),
        Command::Page(args) => public::run(&args),
        Command::Opening(args) => opening::run(&args),
        Command::Digest(args) => digest::run(&args),
        Command::Counts(args) => counts::run(&args),
        Command::Sample(args) => sample::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Outside(args) => outside::run(&args),
        Command::AreaTable(args) => area_table::run(&args),
        Command::FactTable(args) => fact_table::run(&args),
        Command::Vectors(args) => vectors::run(&args),
    };
    match outcome {
        Ok(Outcome::Agrees) => ExitCode::SUCCESS,
        Ok(Outcome::Differs) => ExitCode::from(1),
        Ok(Outcome::Refused) => ExitCode::from(3),
        Ok(Outcome::Declined) => ExitCode::from(4),
        Ok(Outcome::Silent) => ExitCode::from(5),
        Ok(Outcome::Gone) => ExitCode::from(6),
        Err(error) => {
            eprintln!("auditor: {error:#}");
            ExitCode::from(3)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
