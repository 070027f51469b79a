//! A federation of three provinces by the world's clock for the tests of pages, until standard input ends. Node 33 serves the
//! residents' page; the configurations of a gate and of an institution's console lie beside it.
//!
//! Prints one JSON object a line: first what there is, then one for each line that is read.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use rules::{
    CaseKind, ContactDegree, EventBody, ExposureList, Minute, ProvinceCode, SourceKind, TestResult,
};
use serde_json::{Value, json};
use tests::{GateFiles, Person, Plan, World, province};

const COMMANDS: &str = "\
Lines that are read, each answered by one line:
  commit              closes an epoch on all nodes and assembles its registry
  contact N           the CDC states that resident N met a contact of a case, three days ago
  abroad N            the CDC of Fujian states the same
  assist N            the CDC states that resident N is on the list of people to be looked into, since two days ago
  case N              the CDC states that resident N is a confirmed case, found an hour ago
  negative N HOURS    a laboratory states a negative test of so many hours ago
  uphold N EVENT      the appeals office voids an event of resident N, named by 32 hexadecimal digits
  stop, start         ends and starts the node of the page

Example: printf 'commit\\n' | pages-world
Exit codes: 0 standard input ended, 2 something failed.";

/// The page's province.
const HOME: u8 = 33;
/// Residents of each province.
const RESIDENTS: u16 = 40;

/// A federation that goes on until standard input ends.
#[derive(Debug, Parser)]
#[command(name = "pages-world", after_help = COMMANDS)]
struct Arguments {
    /// Program of the node; the `viridian-node` beside this one if it is not given.
    #[arg(long)]
    node: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let node = match arguments.node {
        Some(node) => node,
        None => std::env::current_exe()?.with_file_name("viridian-node"),
    };
    let mut plan = Plan::new(node, RESIDENTS);
    plan.start = now()?;
    plan.is_real_time = true;
    let mut world = World::prepare(plan);
    world.write_config(HOME, "[page]\nlisten = \"127.0.0.1:0\"\n");
    for code in tests::PROVINCES {
        world.start_node(code);
    }
    let page = world.node(HOME).page.context("a page")?;
    // The same address again after a restart: to a browser another one is another page.
    world.write_config(HOME, &format!("[page]\nlisten = \"{page}\"\n"));
    let gate = write_gate(&world)?;
    let console = tests::write_console(&world, HOME);
    let people: Vec<Value> = (1..=RESIDENTS)
        .map(|number| Person::of(HOME, number))
        .map(|person| json!({"number": person.number_text(), "name": person.name}))
        .collect();
    say(
        &json!({"page": format!("http://{page}/"), "gate": gate, "console": console, "people": people}),
    )?;

    let mut epoch = Epoch::default();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        say(&answer(&mut world, &mut epoch, &words).await?)?;
    }
    world.stop();
    Ok(())
}

/// The last epoch and its closing minute.
#[derive(Default)]
struct Epoch {
    number: u32,
    as_of: Option<Minute>,
}

async fn answer(world: &mut World, epoch: &mut Epoch, words: &[&str]) -> Result<Value> {
    match words {
        ["commit"] => commit(world, epoch).await,
        ["contact", number] => contact(world, province(HOME), number).await,
        ["abroad", number] => contact(world, province(35), number).await,
        ["assist", number] => {
            let body = EventBody::Exposure {
                list: ExposureList::AssistList,
                at: now()?.saturating_add_signed(-2 * 1440),
                province: province(HOME),
            };
            state(world, HOME, SourceKind::Cdc, number, body).await
        }
        ["case", number] => {
            let body = EventBody::Case {
                kind: CaseKind::Confirmed,
                at: now()?.saturating_add_signed(-60),
                province: province(HOME),
            };
            state(world, HOME, SourceKind::Cdc, number, body).await
        }
        ["negative", number, hours] => {
            let hours: i64 = hours.parse()?;
            let sampled_at = now()?.saturating_add_signed(-hours * 60);
            let result = TestResult::Negative;
            let body = EventBody::Test { sampled_at, result };
            state(world, HOME, SourceKind::Laboratory, number, body).await
        }
        ["uphold", number, event] => {
            let mut target = [0; 16];
            hex::decode_to_slice(event, &mut target)?;
            let body = EventBody::Ruling {
                target: rules::EventId(target),
                at: now()?,
            };
            state(world, HOME, SourceKind::AppealsOffice, number, body).await
        }
        ["stop"] => {
            let (exit, log) = world.take_node(HOME).terminate();
            if exit != Some(0) {
                bail!("the node ended with {exit:?}:\n{}", log.text());
            }
            Ok(json!({"stopped": HOME}))
        }
        ["start"] => {
            world.start_node(HOME);
            Ok(json!({"started": HOME}))
        }
        _ => bail!("no such command: {words:?}"),
    }
}

/// Closes the next epoch in a minute of its own.
async fn commit(world: &World, epoch: &mut Epoch) -> Result<Value> {
    while epoch
        .as_of
        .is_some_and(|last| now().is_ok_and(|now| now <= last))
    {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    epoch.number += 1;
    let as_of = now()?;
    let assembled = world.commit_at(epoch.number, as_of).await;
    epoch.as_of = Some(as_of);
    Ok(
        json!({"epoch": epoch.number, "as_of_minute": as_of.get(), "provinces": assembled.provinces}),
    )
}

async fn contact(world: &World, by: ProvinceCode, number: &str) -> Result<Value> {
    let body = EventBody::Contact {
        degree: ContactDegree::Secondary,
        last_contact_at: now()?.saturating_add_signed(-3 * 1440),
        province: by,
    };
    state(world, by.get(), SourceKind::Cdc, number, body).await
}

/// One fact about a resident, by an office of a province, at the resident's node.
async fn state(
    world: &World,
    office: u8,
    kind: SourceKind,
    number: &str,
    body: EventBody,
) -> Result<Value> {
    let person = Person::of(HOME, number.parse()?);
    let mut source = world.source(office, kind, HOME);
    let event = source.state(&person, now()?, body).await;
    Ok(json!({"event": hex::encode(event.0)}))
}

/// A gate of Jiangxi that asks for green, with a page of its own.
fn write_gate(world: &World) -> Result<PathBuf> {
    let gate = GateFiles::new("checkpoint", world, "green", 0);
    let path = gate.dir().join("checkpoint.toml");
    let text = std::fs::read_to_string(&path)?;
    // A phone whose clock is corrected by its home's minute may be off by half of one.
    let page = "page_listen = \"127.0.0.1:0\"\nslot_skew_half_min = 2\n[trust]";
    let with_page = text.replacen("[trust]", page, 1);
    std::fs::write(&path, with_page)?;
    Ok(path)
}

#[expect(clippy::disallowed_methods, reason = "the program's clock")]
fn now() -> Result<Minute> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?;
    Ok(Minute::new(u32::try_from(since.as_secs() / 60)?)?)
}

fn say(value: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}")?;
    Ok(out.flush()?)
}
