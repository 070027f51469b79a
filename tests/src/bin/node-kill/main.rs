//! Kills a whole node under load: sources and devices call it over mTLS while its store is looked after, SIGKILL comes at a
//! random moment, and the node that is started again must know all that it had acknowledged, and every batch whole.

mod devices;
mod house;
mod offices;
mod upkeep;

use std::process::ExitCode;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use devices::People;
use house::House;
use offices::Office;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reliability::report::{Common, Run};
use tokio::task::JoinHandle;
use upkeep::{Stage, Work};

const EXAMPLES: &str = "\
Examples:
  node-kill --backend sled                  1,000 times SIGKILL under load
  node-kill --backend redb --cycles 50 --no-report --json

The node's program is the `viridian-node` that lies beside this one; `cargo build --release -p tests` makes both.
A run that was interrupted is gone on with by the same command. Each run adds a row to docs/reliability.md.
Exit codes: 0 nothing failed, 1 something was lost, torn, wrong or hung, 2 the run itself could not be made.";

/// Cycles on one directory before a fresh one.
const CYCLES_OF_DIR: u64 = 25;
/// Every so many cycles `node fsck` looks at the store between kill and start, and all that was acknowledged is asked for.
const CYCLES_OF_CHECK: u64 = 5;
/// Time in which all callers notice that the node is gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// Kills a whole node under load and looks at what it has lost.
#[derive(Debug, Parser)]
#[command(name = "node-kill", after_help = EXAMPLES)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Cycles of load, kill, start and check.
    #[arg(long, default_value_t = 1_000)]
    cycles: u64,
    /// Puts the first store back after each kill, so that losses must be seen.
    #[arg(long, hide = true)]
    forget: bool,
}

fn main() -> ExitCode {
    match Arguments::parse().run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

impl Arguments {
    fn run(&self) -> Result<bool> {
        let run = Run::begin(&self.common, "node")?;
        let runtime = tokio::runtime::Runtime::new()?;
        // Nodes end with the thread that has started them, so all is done on this one.
        runtime.block_on(self.cycle_all(run))
    }

    async fn cycle_all(&self, mut run: Run) -> Result<bool> {
        run.show(self.cycles, "kills");
        let mut house = House::build(&run.dir, self.common.backend).await?;
        // What an interrupted run was doing to its directory is not known, so it goes on with a fresh one.
        let mut books: Option<Books> = None;
        for cycle in run.done()..self.cycles {
            let mut rng = ChaCha8Rng::seed_from_u64(run.seed().wrapping_add(cycle));
            if cycle % CYCLES_OF_DIR == 0 || books.is_none() {
                house.begin_anew()?;
                books = Some(Books::new());
                let took = house.open().map_err(anyhow::Error::msg)?;
                note_open(&mut run, took);
            }
            let now = books.as_mut().context("books")?;
            let last = (cycle + 1) % CYCLES_OF_DIR == 0 || cycle + 1 == self.cycles;
            let mut went = load_and_kill(&mut house, now, &mut rng, &mut run).await;
            if self.forget {
                house.begin_anew()?;
            }
            if went.is_ok() {
                went = look(&mut house, now, cycle, &mut rng, &mut run).await;
            }
            if last && went.is_ok() {
                went = house.end_in_order();
            }
            if let Err(what) = went {
                books = None;
                let log = house.keep_log()?;
                let data = house.data_dir();
                if !run.fail(cycle, &what, &[&data, &log])? {
                    run.advance(cycle + 1, &())?;
                    break;
                }
            }
            run.advance(cycle + 1, &())?;
        }
        run.finish()
    }
}

fn note_open(run: &mut Run, took: Duration) {
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    run.most("ms at most to open the doors", took_ms);
}

/// What all callers know.
struct Books {
    offices: Vec<Office>,
    people: People,
}

impl Books {
    fn new() -> Self {
        Self {
            offices: Office::all(),
            people: People::default(),
        }
    }
}

/// What comes after load and kill: the store is looked at, the node started and asked.
async fn look(
    house: &mut House,
    books: &mut Books,
    cycle: u64,
    rng: &mut ChaCha8Rng,
    run: &mut Run,
) -> Result<(), String> {
    let check_all = (cycle + 1).is_multiple_of(CYCLES_OF_CHECK);
    if check_all {
        house.fsck()?;
        run.count("fsck", 1);
    }
    if rng.random_ratio(1, 4) {
        let opened = house.kill_while_opening(rng)?;
        run.count("killed while opening", u64::from(!opened));
    }
    note_open(run, house.open()?);
    check(house, books, check_all, rng, run).await
}

/// Has everybody call the node, and kills it meanwhile.
async fn load_and_kill(
    house: &mut House,
    books: &mut Books,
    rng: &mut ChaCha8Rng,
    run: &mut Run,
) -> Result<(), String> {
    let before = books.acknowledged();
    let stage = Arc::new(std::sync::Mutex::new(Stage::Nothing));
    let look_after = rng.random_ratio(2, 3).then(|| {
        let work = Work::ALL[rng.random_range(0..Work::ALL.len())];
        let wait = Duration::from_millis(rng.random_range(0..60));
        let order = house.order(work, rng.random());
        tokio::spawn(order.carry_out(wait, Arc::clone(&stage)))
    });
    let offices: Vec<JoinHandle<_>> = books
        .offices
        .drain(..)
        .map(|office| {
            let source = house.source(&office);
            let rng = ChaCha8Rng::seed_from_u64(rng.random());
            tokio::spawn(office.work(source, house.now(), rng))
        })
        .collect();
    let people = std::mem::take(&mut books.people);
    let acting = ChaCha8Rng::seed_from_u64(rng.random());
    let people = tokio::spawn(people.act(house.device(), house.now(), acting));

    // Connecting takes some milliseconds: every fourth kill is meant for the first calls.
    let upto_us = if rng.random_ratio(1, 4) {
        60_000
    } else {
        500_000
    };
    tokio::time::sleep(Duration::from_micros(rng.random_range(0..upto_us))).await;
    house.kill();
    let at = *stage.lock().unwrap_or_else(PoisonError::into_inner);

    let mut wrong = Vec::new();
    for office in offices {
        let (office, said) = joined(office).await?;
        books.offices.push(office);
        wrong.extend(said);
    }
    let (people, said) = joined(people).await?;
    books.people = people;
    wrong.extend(said);
    if let Some(look_after) = look_after {
        wrong.extend(joined(look_after).await?.err());
    }
    run.count(&at.to_string(), 1);
    run.count(
        "events and calls acknowledged",
        books.acknowledged() - before,
    );
    match wrong.first() {
        Some(wrong) => Err(format!("under load: {wrong}")),
        None => Ok(()),
    }
}

/// A caller's end, which must come soon once the node is gone.
async fn joined<T>(caller: JoinHandle<T>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, caller).await {
        Ok(Ok(end)) => Ok(end),
        Ok(Err(died)) => Err(format!("a caller died: {died}")),
        Err(_) => Err("hung: a caller did not notice that the node is gone".to_owned()),
    }
}

impl Books {
    /// Events, registrations, check-ins and requests that were acknowledged.
    fn acknowledged(&self) -> u64 {
        let of_offices: usize = self.offices.iter().map(|o| o.acknowledged.len()).sum();
        (of_offices + self.people.acknowledged.len()) as u64
    }
}

/// Asks the node that was started again for what it had acknowledged, all of it or what is new and a sample.
async fn check(
    house: &House,
    books: &mut Books,
    all: bool,
    rng: &mut ChaCha8Rng,
    run: &mut Run,
) -> Result<(), String> {
    let (mut events, mut residents) = House::at_first();
    for office in &mut books.offices {
        let mut source = house.source(office);
        let stood = office.settle(&mut source).await?;
        run.count("events stored and not yet acknowledged at the kill", stood);
        let asked = office.check(&mut source, all, rng).await?;
        run.count("events asked for again", asked);
        events += office.acknowledged.len() as u64;
        residents.extend(office.subjects.iter().copied());
    }
    let people = &mut books.people;
    let mut device = house.device();
    people.settle(&mut device, house.now()).await?;
    let asked = people.check(&mut device, house.now(), all, rng).await?;
    run.count("calls of devices asked for again", asked);
    events += people.check_ins();
    residents.extend(people.bound());
    let expected = (events, residents.len() as u64);
    let counted = house.counts().await?;
    if counted != expected {
        return Err(format!(
            "torn: the node counts {counted:?} events and residents, and it has {expected:?}"
        ));
    }
    Ok(())
}
