//! Puts the store through crashes, power cuts, decay and failing disks, and reports how often it lost something.
//!
//! It knows the store by its trait and its directory, and nothing of what a node keeps in it.

mod disk;
mod faults;
mod kill;
mod load;
mod look;
mod power;
mod progress;
mod record;
mod rot;
mod writer;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

const EXAMPLES: &str = "\
Examples:
  reliability kill --backend sled                      1,000 times SIGKILL under load
  reliability power --backend redb --cuts 200          200 power cuts
  reliability rot --backend sled --flips 1000          bit rot, 1,000 flips in each file
  reliability faults --backend redb --cases 300        300 failures of the disk, taken at random
  reliability kill --backend redb --seed 7 --no-report --json

A run that was interrupted is gone on with by the same command. Each run adds a row to docs/reliability.md.
Exit codes: 0 nothing failed, 1 something was lost, torn, wrong or hung, 2 the run itself could not be made.";

/// Puts the store through crashes, power cuts, decay and failing disks.
#[derive(Debug, Parser)]
#[command(name = "reliability", after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// SIGKILL at random moments under load, while opening and while compacting.
    Kill(kill::Kill),
    /// Power cuts: what was not synced is lost in part, or all of it.
    Power(power::Power),
    /// Decay: flipped bits, zeroed pages, files cut short, removed or older, also under an open store.
    Rot(rot::Rot),
    /// Failing disks: each request fails once, or from then on, with ENOSPC or EIO.
    Faults(faults::Faults),
    /// The process that is put through them.
    #[command(hide = true)]
    Writer(writer::Writer),
    /// The process that looks at what is left.
    #[command(hide = true)]
    Look(look::Look),
}

fn main() -> ExitCode {
    let went = match Arguments::parse().command {
        Task::Kill(kill) => kill.run(),
        Task::Power(power) => power.run(),
        Task::Rot(rot) => rot.run(),
        Task::Faults(faults) => faults.run(),
        Task::Writer(writer) => writer.run().map(|()| true),
        Task::Look(look) => look.run().map(|()| true),
    };
    match went {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}
