//! The order of it all.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use image::Luma;
use qrcode::render::unicode::Dense1x2;
use rand::SeedableRng as _;
use rand_chacha::ChaCha20Rng;
use risk_list::AreaTable;

use crate::acts::{self, Held, Issued};
use crate::callers::Callers;
use crate::gate::{Gate, Setup};
use crate::people::{self, Person, province};
use crate::programs::Programs;
use crate::report::{Report, circuit_line};
use crate::scenarios::{Gates, Hands, Tally, show};
use crate::stage::{Stage, nodes};
use crate::story::{self, DESTINATION, Places};
use crate::voice::Voice;
use crate::{bad_events, figures};

/// Minutes from the epoch's close to the moment at which passes are shown.
const SHOWN_AFTER_MIN: i64 = 35;

/// What the command line says.
#[derive(Clone, Debug)]
pub struct Options {
    /// Residents.
    pub residents: usize,
    /// Seed of the people and of the story.
    pub seed: u64,
    /// Directory that stays.
    pub keep: Option<PathBuf>,
}

/// Shows everything.
///
/// # Errors
/// If it could not be shown; an unexpected verdict is in the report instead.
pub async fn run(voice: Voice, programs: Programs, options: &Options) -> Result<Report> {
    ensure!(
        options.residents >= story::LEAST_RESIDENTS,
        "at least {} residents",
        story::LEAST_RESIDENTS
    );
    let began = Instant::now();
    let temporary = tempfile::tempdir()?;
    let dir = options
        .keep
        .clone()
        .unwrap_or_else(|| temporary.path().join("demo"));

    voice.act(1, "The published lists of 2022-08-18 to 2022-08-31");
    let (facts, imported) = acts::import(voice)?;
    let areas = AreaTable::shipped()?;

    voice.act(
        2,
        "Three nodes, their keys and certificates, and a trust list signed by 2 of 3 offline keys",
    );
    let mut rng = ChaCha20Rng::seed_from_u64(options.seed);
    let people = people::generate(options.residents, &mut rng)?;
    let planned = story::write(&people, &Places::find(&facts)?, &mut rng)?;
    let spinner = voice.spinner("test key, keys, certificates, configurations");
    let mut stage = Stage::set(&dir, programs, &people, &facts)?;
    spinner.finish_and_clear();
    voice.say(circuit_line(&stage));
    stage.start_nodes()?;
    for (home, doors) in &stage.doors {
        let name = people::province_name(*home);
        voice.say(format!(
            "{name}: mTLS at {}, residents and gates at {}",
            doors.peers, doors.public
        ));
    }
    let callers = Callers::new(&stage)?;

    voice.act(3, "Residents, and fourteen days of signed events");
    acts::register(voice, &callers, &people).await?;
    let lived = acts::live(voice, &stage, &callers, &people, &planned).await?;
    let mut tally = Tally::default();
    bad_events::hand_in(&stage, &callers, &people, &mut tally).await?;
    let (events_accepted, _) = count(&callers).await?;
    voice.say(format!(
        "{events_accepted} events accepted and durable, in {:.1} s",
        lived.as_secs_f64()
    ));

    voice.act(4, "The epoch");
    acts::close_epoch(voice, &callers).await?;

    voice.act(5, "Passes, and why some get none");
    let issued = acts::issue(voice, &callers, &people).await?;
    acts::explain(voice, &callers, &people, &areas).await?;
    let (_, prove_ms_median) = count(&callers).await?;

    voice.act(6, "Gates, with the nodes stopped");
    let lane = lane(&stage)?;
    voice.say(lane.refresh()?.trim().replace('\n', "\n   "));
    let gates = set_gates(&stage, &lane)?;
    drop(callers);
    stage.stop_nodes()?;
    voice.say("all three nodes are stopped; from here on nothing but the gates' own state is used");
    at_gates(voice, &lane, &gates, &people, &issued, &mut tally).await?;
    let figures = figures::measure(&stage, &lane, &issued.held)?;

    voice.act(7, "One code");
    let beside = options.keep.as_ref().unwrap_or(&stage.programs.cache_dir);
    let picture = draw(voice, &lane, &issued, beside, &mut tally)?;
    voice.say(format!("saved as {}", picture.display()));
    #[allow(clippy::cast_precision_loss)] // thousands
    let events_per_s = planned.len() as f64 / lived.as_secs_f64();
    Ok(Report {
        residents: people.len(),
        events_accepted,
        events_per_s,
        imported,
        passes_issued: issued.held.len(),
        tally,
        constraints: stage.circuit.constraints,
        rows: stage.circuit.rows,
        key_ms: stage.key_took.as_millis(),
        prove_ms_median,
        figures,
        took_s: began.elapsed().as_secs_f64(),
    })
}

/// Events that the nodes have, and the median time of their proofs.
async fn count(callers: &Callers) -> Result<(u64, u32)> {
    let mut events = 0;
    let mut medians = Vec::new();
    for home in nodes() {
        let status = callers.status(home).await?;
        events += status.events;
        if status.proofs_made > 0 {
            medians.push(status.prove_ms_median);
        }
    }
    medians.sort_unstable();
    let median = medians.get(medians.len() / 2).copied().unwrap_or_default();
    Ok((events, median))
}

fn shown_at() -> rules::Minute {
    story::close().saturating_add_signed(SHOWN_AFTER_MIN)
}

/// The gate in the fourth province.
fn lane(stage: &Stage) -> Result<Gate> {
    let setup = Setup {
        name: "jiangxi",
        place: province(DESTINATION),
        profile: "not-red",
        now: shown_at(),
        admits_specimens: true,
    };
    Gate::set(stage, setup)
}

/// The other gates. Two fetch the list from the nodes themselves, the others have a copy of the first one's.
fn set_gates(stage: &Stage, lane: &Gate) -> Result<Gates> {
    let setup = |name, place, hours: i64, admits_specimens| Setup {
        name,
        place: province(place),
        profile: "not-red",
        now: shown_at().saturating_add_signed(60 * hours),
        admits_specimens,
    };
    let fresh = |name, place| {
        let gate = Gate::set(stage, setup(name, place, 0, true))?;
        gate.refresh()?;
        Ok::<Gate, anyhow::Error>(gate)
    };
    let copied = |name, hours, admits_specimens| {
        let gate = Gate::set(stage, setup(name, DESTINATION, hours, admits_specimens))?;
        gate.copy_list(lane)?;
        Ok::<Gate, anyhow::Error>(gate)
    };
    Ok(Gates {
        hangzhou: fresh("hangzhou", 33)?,
        fuzhou: fresh("fuzhou", 35)?,
        late: copied("late", 30, true)?,
        forgotten: copied("forgotten", 80, true)?,
        set_back: copied("set-back", -2, true)?,
        earnest: copied("earnest", 0, false)?,
    })
}

async fn at_gates(
    voice: Voice,
    lane: &Gate,
    gates: &Gates,
    people: &[Person],
    issued: &Issued,
    tally: &mut Tally,
) -> Result<()> {
    let hands = Hands::new(people, issued)?;
    Hands::refusals(issued, tally);
    let mut open = lane.open()?;
    hands.at_the_gate(&mut open, tally).await?;
    drop(open);
    hands.elsewhere(gates, tally)?;
    let tried: usize = tally.scenarios().iter().map(|s| s.count).sum();
    voice.say(format!(
        "{tried} tries of {} kinds",
        tally.scenarios().len()
    ));
    Ok(())
}

/// Draws one code, saves it as a picture, and has the program read the picture.
fn draw(
    voice: Voice,
    lane: &Gate,
    issued: &Issued,
    dir: &Path,
    tally: &mut Tally,
) -> Result<PathBuf> {
    let held: &Held = issued.held.first().context("a pass")?;
    // The next half minute: in this one the gate has seen the pass.
    let slot = verifier::ShowingSlot::new(lane.now().slot().get() + 1);
    let text = show(held, slot, None)?;
    let code = figures::code(&text)?;
    let path = dir.join("pass.png");
    let picture = code
        .render::<Luma<u8>>()
        .quiet_zone(true)
        .module_dimensions(6, 6)
        .build();
    picture.save(&path)?;
    if !voice.is_quiet() {
        let drawn = code.render::<Dense1x2>().quiet_zone(true).build();
        // Black on white whatever the terminal's colours are; a log gets the bare characters.
        let (on, off) = if std::io::stdout().is_terminal() {
            ("\x1b[30;107m", "\x1b[0m")
        } else {
            ("", "")
        };
        for line in drawn.lines() {
            println!("   {on}{line}{off}");
        }
    }
    let input = path.to_str().context("a path in UTF-8")?;
    let absolute = std::path::absolute(input)?;
    let input = absolute.to_str().context("a path in UTF-8")?;
    let words = lane.verify_in_words(input)?;
    for line in words.lines() {
        voice.say(line);
    }
    let code = words.split(['[', ']']).nth(1).unwrap_or("no verdict");
    tally.add("a picture of the code", "ACCEPTED", code);
    let again = lane.verify(input)?;
    tally.add("the same picture again", "REPLAYED", &again);
    Ok(path)
}
