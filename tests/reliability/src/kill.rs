//! Crashes: a writer is ended by SIGKILL at a random moment – while it opens the store, commits or compacts – and the
//! store must hold what was acknowledged, and every batch whole.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reliability::files::remove_dir;
use reliability::report::{Common, Run};
use store::Backend;

use crate::look::{Found, LIMITS, last_lines, look};
use crate::progress::{Progress, Stage};

/// Threads that commit.
const THREADS: usize = 4;
/// Cycles on one directory before a fresh one.
const CYCLES_OF_DIR: u64 = 25;

/// Kills writers at random moments.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Kill {
    #[command(flatten)]
    common: Common,
    /// Cycles of starting, killing and looking.
    #[arg(long, default_value_t = 1_000)]
    cycles: u64,
}

/// What a directory holds.
struct Place {
    /// Seed of its batches.
    seed: u64,
    /// Batches of each thread in it.
    made: Vec<u64>,
}

impl Kill {
    pub(crate) fn run(&self) -> Result<bool> {
        let mut run = Run::begin(&self.common, "kill")?;
        run.show(self.cycles, "kills");
        let dir = run.dir.join("store");
        // What an interrupted run was doing to its directory is not known, so it goes on with a fresh one.
        let mut place: Option<Place> = None;
        let mut progress: Option<Progress> = None;
        for cycle in run.done()..self.cycles {
            let seed = run.seed().wrapping_add(cycle);
            if cycle % CYCLES_OF_DIR == 0 || place.is_none() {
                remove_dir(&dir)?;
                progress = None;
                place = Some(Place {
                    seed,
                    made: vec![0; THREADS],
                });
            }
            let now = place.as_mut().context("a directory")?;
            let told = progress.get_or_insert_with(|| Progress::new(now.seed, &now.made));
            told.begin_again(&now.made);
            let complaints = write_until_killed(&dir, self.common.backend, seed, now, told)?;
            note(&mut run, told);
            let found = look(&dir, self.common.backend, LIMITS, None)?;
            match judge(&found, told, &complaints) {
                Ok(made) => now.made = made,
                Err(what) => {
                    place = None;
                    if !run.fail(cycle, &what, &[&dir])? {
                        run.advance(cycle + 1, &())?;
                        break;
                    }
                }
            }
            run.advance(cycle + 1, &())?;
        }
        run.finish()
    }
}

fn note(run: &mut Run, told: &Progress) {
    run.count("commits acknowledged", told.acknowledged);
    run.count("compactions", told.compactions);
    run.count("killed while compacting", u64::from(told.compacting));
    run.count(
        "killed while opening",
        u64::from(told.stage == Stage::Opening),
    );
}

/// What a look says about what a writer said.
pub(crate) fn judge(found: &Found, told: &Progress, complaints: &str) -> Result<Vec<u64>, String> {
    if let Some(wrong) = told.wrong.first() {
        return Err(format!("{wrong} ({complaints})"));
    }
    if let Some(refusal) = told.refusals.first() {
        return Err(format!(
            "refused without a reason: {refusal} ({complaints})"
        ));
    }
    match found {
        Found::Rows(rows) => told.check(rows),
        Found::Refused(text) => Err(format!("lost: the store is refused: {text}")),
        Found::Hung => Err("hung: the store did not answer".to_owned()),
        Found::Died(how) => Err(format!("died: {how}")),
    }
}

/// What the writer complained about.
fn write_until_killed(
    dir: &Path,
    backend: Backend,
    seed: u64,
    place: &Place,
    told: &mut Progress,
) -> Result<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x6b69_6c6c);
    let from: Vec<_> = place.made.iter().map(ToString::to_string).collect();
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("writer").arg("--dir").arg(dir);
    command.args(["--backend", backend.name(), "--from", &from.join(",")]);
    command.args([
        "--seed",
        &place.seed.to_string(),
        "--times",
        &seed.to_string(),
    ]);
    command.args(["--compact-ms", "150"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("a writer")?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        anyhow::bail!("the writer has no pipes");
    };
    // Commits are not to wait for a reader, so there is one from the beginning.
    let lines = std::thread::spawn(move || {
        let lines = BufReader::new(stdout).lines();
        lines.map_while(Result::ok).collect::<Vec<_>>()
    });
    let complaints = std::thread::spawn(move || std::io::read_to_string(stderr));
    // Opening takes some milliseconds: every fourth kill is meant for it.
    let upto_us = if rng.random_ratio(1, 4) {
        25_000
    } else {
        300_000
    };
    std::thread::sleep(Duration::from_micros(rng.random_range(0..upto_us)));
    child.kill()?;
    child.wait()?;
    for line in lines.join().ok().context("the reader of lines")? {
        told.hear(&line);
    }
    let complaints = complaints
        .join()
        .ok()
        .context("the reader of complaints")??;
    Ok(last_lines(&complaints))
}
