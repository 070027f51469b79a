//! `hosts`: runs a federation on hosts of its own for a while, and tells what it came to.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use hosts::{
    Fault, LoadPace, Measure, Measures, Order, Pace, Programs, Pulse, Ran, Wanted, picture, run,
    write_table,
};
use indicatif::{ProgressBar, ProgressStyle};

const AFTER_HELP: &str = "\
Examples:
  cargo run --release -p hosts -- --minutes 30 --out target/hosts
                                     half an hour, with all files and pictures in target/hosts
  hosts --minutes 12 --out /tmp/hosts --seed 7 --json
  hosts --minutes 12 --out /tmp/hosts --network loopback
  hosts --once --hold-s 20 --out /tmp/hosts --faults killed,split,slow

The directory gets federation/ (everybody's files and logs), samples.csv, memory.svg, disk.svg, cpu.svg and report.json.
Namespaces need the rights of root; what a killed run has left of them the next one takes away.

Exit codes: 0 all held, 1 something did not, 2 the run itself could not be made, or wrong usage.";

/// Five nodes and two gates, each on a host of its own, put through partitions, slow lines, kills, clocks that jump, keys that
/// are rotated and stolen, and a node that shows two histories.
#[derive(Debug, Parser)]
#[command(name = "hosts", version, after_help = AFTER_HELP)]
struct Arguments {
    /// How long it lasts, 10 to 600
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(10..=600))]
    minutes: u64,
    /// Each fault once, however long that takes
    #[arg(long)]
    once: bool,
    /// How long a partition lasts, or a slow line, 5 to 600 seconds; clocks jump by as many minutes
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(5..=600))]
    hold_s: u32,
    /// Directory for all files; it must not exist
    #[arg(long)]
    out: PathBuf,
    /// Seed of what chance chooses; a random one if it is not given
    #[arg(long)]
    seed: Option<u64>,
    /// What hosts stand on
    #[arg(long, value_enum, default_value_t = Wanted::Auto)]
    network: Wanted,
    /// Minutes of everybody's clock between two epochs, 10 to 60; clocks go a minute in a second
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(10..=60))]
    every_min: u32,
    /// Faults in their order, comma-separated, instead of all
    #[arg(long, value_enum, value_delimiter = ',')]
    faults: Vec<Fault>,
    /// Directory with the programs node, checkpoint and federation, instead of building them
    #[arg(long)]
    programs: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match go(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("hosts: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn go(arguments: &Arguments) -> Result<bool> {
    let out = &arguments.out;
    ensure!(!out.exists(), "{} is there already", out.display());
    let programs = match &arguments.programs {
        Some(dir) => Programs::in_dir(dir)?,
        None => Programs::build()?,
    };
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let order = order(arguments, programs);
    let bar = bar(Duration::from_secs(arguments.minutes * 60));
    let tell = |at: Duration, what: &str| {
        if bar.is_hidden() {
            eprintln!("{:6.0} s: {what}", at.as_secs_f64());
        } else {
            bar.set_message(what.to_owned());
        }
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let ticking = runtime.spawn({
        let bar = bar.clone();
        async move {
            let begun = tokio::time::Instant::now();
            loop {
                bar.set_position(begun.elapsed().as_secs());
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    });
    let ran = runtime.block_on(run(order, &tell));
    ticking.abort();
    bar.finish_and_clear();
    let Ran { report, samples } = ran?;
    write_table(&samples, &out.join("samples.csv"))?;
    for (name, measure) in [
        ("memory", Measure::Memory),
        ("disk", Measure::Disk),
        ("cpu", Measure::Cpu),
    ] {
        let svg = picture(measure, &samples, &report.acts);
        std::fs::write(out.join(format!("{name}.svg")), svg)?;
    }
    let json = serde_json::to_string(&report)?;
    std::fs::write(out.join("report.json"), format!("{json}\n"))?;
    if arguments.json {
        println!("{json}");
    } else {
        print!("{}", report.text());
    }
    Ok(report.all_held())
}

fn order(arguments: &Arguments, programs: Programs) -> Order {
    let faults = match &arguments.faults[..] {
        [] => Fault::ALL.to_vec(),
        chosen => chosen.to_vec(),
    };
    Order {
        dir: arguments.out.join("federation"),
        programs,
        network: arguments.network,
        pulse: Pulse {
            rate_min_per_s: 1,
            every_min: arguments.every_min,
            propose_after_s: 3,
            residents: 6,
        },
        measures: Measures {
            hold: Duration::from_secs(arguments.hold_s.into()),
            jump_min: arguments.hold_s,
            pace: Pace {
                delay_ms: 300,
                bytes_per_s: 32_000,
            },
            patience: Duration::from_mins(4),
            gates_each_time: true,
        },
        faults,
        lasts: (!arguments.once).then(|| Duration::from_secs(arguments.minutes * 60)),
        quiet: if arguments.once {
            Duration::ZERO
        } else {
            Duration::from_mins(1)
        },
        load: LoadPace {
            state_every: Duration::from_millis(500),
            pass_every: Duration::from_secs(12),
        },
        seed: arguments.seed.unwrap_or_else(rand::random),
    }
}

fn bar(lasts: Duration) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(lasts.as_secs());
    if let Ok(style) = ProgressStyle::with_template("[{bar:30}] {pos}/{len} s  {msg}") {
        bar.set_style(style);
    }
    bar
}
