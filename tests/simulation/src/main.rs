//! Runs seeds, and adds what they came to to the report.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::{Parser, Subcommand};
use reliability::report::{Options, Run};
use simulation::{days, seeds};

const EXAMPLES: &str = "\
Examples:
  simulation seeds --seeds 100 --steps 400         a hundred federations of five provinces
  simulation seeds --first 17 --seeds 1 --steps 400 --no-report
                                                   one seed again
  simulation days                                  34 provinces through 30 days, four epochs a day

A run that was interrupted is gone on with by the same command. Each run adds a row to docs/reliability.md.
RUST_LOG=node=info shows what the nodes say.
Exit codes: 0 all held, 1 something did not, 2 the run itself could not be made.";

/// A federation's real nodes on a simulated network.
#[derive(Debug, Parser)]
#[command(name = "simulation", after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Federations of five provinces, each through what its seed brings.
    Seeds(Seeds),
    /// All provinces through a month; time in which nothing happens is left out.
    Days(Days),
}

#[derive(Debug, clap::Args)]
struct Days {
    #[command(flatten)]
    options: Options,
    /// Provinces, 5 to 34.
    #[arg(long, default_value_t = 34)]
    nodes: usize,
    /// Days.
    #[arg(long = "days", default_value_t = 30)]
    length: u32,
    /// Minutes between two epochs.
    #[arg(long, default_value_t = 360)]
    every_min: u32,
    /// Events at each node in each epoch.
    #[arg(long, default_value_t = 2)]
    events: u32,
}

impl Days {
    fn run(&self) -> Result<bool> {
        let mut options = self.options.clone();
        // A month that was interrupted begins anew.
        options.fresh = true;
        let mut run = Run::over(&options, "days", "memory")?;
        run.show(self.length.into(), "days");
        let plan = days::Plan {
            nodes: self.nodes,
            days: self.length,
            every_min: self.every_min,
            events: self.events,
            seed: run.seed(),
        };
        let began = Instant::now();
        let told = move |day| tracing::info!(day, took = ?began.elapsed(), "a day is over");
        match days::run(&plan, told) {
            Ok(month) => {
                for (what, count) in &month.figures {
                    run.count(what, *count);
                }
                run.count("nodes", self.nodes as u64);
            }
            Err(error) => {
                run.fail(0, &format!("{error:#}"), &[])?;
            }
        }
        run.advance(self.length.into(), &())?;
        run.finish()
    }
}

#[derive(Debug, clap::Args)]
struct Seeds {
    #[command(flatten)]
    options: Options,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// How many seeds, one after the other.
    #[arg(long = "seeds", default_value_t = 20)]
    number: u64,
    /// What is done within each.
    #[arg(long, default_value_t = 300)]
    steps: u64,
}

impl Seeds {
    fn run(&self) -> Result<bool> {
        let mut options = self.options.clone();
        options.seed = Some(self.first);
        let mut run = Run::over(&options, "simulation", "memory")?;
        run.show(self.number, "seeds");
        while run.done() < self.number {
            let seed = self.first + run.done();
            let began = Instant::now();
            match seeds::run(seed, self.steps) {
                Ok(outcome) => {
                    run.count("steps", self.steps);
                    for (what, count) in &outcome.counts {
                        run.count(what, *count);
                    }
                    run.most(
                        "simulated s at most until all was settled",
                        outcome.settled_after_s,
                    );
                }
                Err(error) => {
                    let what = format!(
                        "{error:#} (again: simulation seeds --first {seed} --seeds 1 --steps {} --no-report)",
                        self.steps
                    );
                    if !run.fail(run.done(), &what, &[])? {
                        break;
                    }
                }
            }
            tracing::info!(seed, took = ?began.elapsed(), "a seed is over");
            run.advance(run.done() + 1, &())?;
        }
        run.finish()
    }
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let went = match Arguments::parse().command {
        Task::Seeds(seeds) => seeds.run(),
        Task::Days(days) => days.run(),
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
