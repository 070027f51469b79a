//! Failing disks: each request of a writer to its disk fails once, or from then on, as on a full or a broken disk. What
//! was acknowledged must be there when the store is opened again over a disk that is well.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use wait_timeout::ChildExt as _;

use crate::look::{Found, LIMITS, last_lines, look, remove_dir};
use crate::progress::Progress;
use crate::record::{self, Op};
use crate::report::{Common, Run};

/// Threads that commit.
const THREADS: usize = 2;
/// Time after which a writer counts as hung.
const WRITER_LIMIT: Duration = Duration::from_secs(60);
const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// Lets each request to the disk fail.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Faults {
    #[command(flatten)]
    common: Common,
    /// Batches of each thread after each opening.
    #[arg(long, default_value_t = 12)]
    batches: u64,
    /// Only so many of the cases, taken at random; all if it is not given.
    #[arg(long)]
    cases: Option<u64>,
}

/// How a request fails.
#[derive(Clone, Copy, Debug)]
struct Way {
    name: &'static str,
    errno: i32,
    onward: &'static str,
    reads: bool,
}

const WAYS: [Way; 6] = [
    Way { name: "EIO once", errno: EIO, onward: "0", reads: false },
    Way { name: "EIO from then on", errno: EIO, onward: "1", reads: false },
    Way { name: "ENOSPC once", errno: ENOSPC, onward: "0", reads: false },
    Way { name: "ENOSPC from then on", errno: ENOSPC, onward: "1", reads: false },
    Way { name: "ENOSPC in the middle of a write", errno: ENOSPC, onward: "half", reads: false },
    Way { name: "EIO of a read once", errno: EIO, onward: "0", reads: true },
];

/// A request that fails in some way.
type Case = (Way, u64);

/// What came of a case.
struct Outcome {
    told: Progress,
    /// The request that failed, if it came to it.
    failed: Option<String>,
    panics: u64,
    wrong: Option<String>,
}

struct Dirs {
    disk: PathBuf,
    log: PathBuf,
}

impl Faults {
    pub(crate) fn run(&self) -> Result<bool> {
        let mut run = Run::begin(&self.common, "faults")?;
        let library = record::build(&self.common.work)?.canonicalize()?;
        let dirs = Dirs {
            disk: run.dir.join("disk"),
            log: run.dir.join("log"),
        };
        let cases = match run.place::<Vec<(usize, u64)>>()? {
            Some(cases) => cases,
            None => self.all_cases(&dirs, &library, run.seed())?,
        };
        run.show(cases.len() as u64, "faults");
        let mut goes_on = true;
        for (number, (way, request)) in (0..).zip(&cases).skip(usize::try_from(run.done())?) {
            if !goes_on {
                break;
            }
            let case = (WAYS[*way], *request);
            let outcome = self.fail_one(&dirs, &library, run.seed(), case)?;
            run.count(case.0.name, u64::from(outcome.failed.is_some()));
            run.count("commits acknowledged", outcome.told.acknowledged);
            run.count("refusals", outcome.told.refusals.len() as u64);
            run.count("panics that became refusals", outcome.panics);
            if let Some(wrong) = outcome.wrong {
                let failed = outcome.failed.unwrap_or_default();
                let refusals = outcome.told.refusals.join("; ");
                let what = format!("{} at request {request} ({failed}): {wrong} [{refusals}]", case.0.name);
                goes_on = run.fail(number, &what, &[&dirs.disk, &dirs.log])?;
            }
            run.advance(number + 1, &cases)?;
        }
        run.finish()
    }

    /// How many requests there are without faults, and from that the cases.
    fn all_cases(&self, dirs: &Dirs, library: &Path, seed: u64) -> Result<Vec<(usize, u64)>> {
        let mut cases = Vec::new();
        for (way, reads) in WAYS.iter().map(|way| way.reads).enumerate() {
            self.write(dirs, library, seed, (Way { reads, ..WAYS[way] }, u64::MAX >> 1))?;
            let requests = record::read(&dirs.log, &dirs.disk)?;
            let asked = requests.iter().find_map(|request| match request.op {
                Op::Asked(asked) => Some(asked),
                _ => None,
            });
            let asked = asked.context("the record has no end")?;
            ensure!(asked > 0, "nothing was asked of the disk");
            cases.extend((1..=asked).map(|request| (way, request)));
        }
        if let Some(count) = self.cases {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let count = usize::try_from(count)?.min(cases.len());
            let chosen = rand::seq::index::sample(&mut rng, cases.len(), count);
            cases = chosen.iter().map(|at| cases[at]).collect();
        }
        Ok(cases)
    }

    fn fail_one(&self, dirs: &Dirs, library: &Path, seed: u64, case: Case) -> Result<Outcome> {
        let ended = self.write(dirs, library, seed, case)?;
        let mut told = Progress::new(seed, &[0; THREADS]);
        for line in ended.said.lines() {
            told.hear(line);
        }
        let requests = record::read(&dirs.log, &dirs.disk)?;
        let failed = requests.into_iter().find_map(|request| match request.op {
            Op::Fault { what } => Some(what),
            _ => None,
        });
        let panics = ended.complaints.matches("panicked at").count() as u64;
        let mut outcome = Outcome {
            told,
            failed,
            panics,
            wrong: None,
        };
        outcome.wrong = match ended.wrong {
            Some(wrong) => Some(format!("{wrong}: {}", last_lines(&ended.complaints))),
            None => self.judge(dirs, &outcome.told)?,
        };
        Ok(outcome)
    }

    fn judge(&self, dirs: &Dirs, told: &Progress) -> Result<Option<String>> {
        if let Some(wrong) = told.wrong.first() {
            return Ok(Some(wrong.clone()));
        }
        let found = look(&dirs.disk.join("store"), self.common.backend, LIMITS, None)?;
        Ok(match found {
            Found::Rows(rows) => told.check(&rows).err(),
            Found::Refused(text) => Some(format!("lost: the store is refused: {text}")),
            Found::Hung => Some("hung: the store did not answer".to_owned()),
            Found::Died(how) => Some(format!("died: {how}")),
        })
    }

    fn write(&self, dirs: &Dirs, library: &Path, seed: u64, (way, at): Case) -> Result<Ended> {
        remove_dir(&dirs.disk)?;
        std::fs::create_dir_all(&dirs.disk)?;
        if dirs.log.exists() {
            std::fs::remove_file(&dirs.log)?;
        }
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("writer").arg("--dir").arg(dirs.disk.join("store"));
        command.args(["--backend", self.common.backend.name(), "--from", "0,0"]);
        command.args(["--seed", &seed.to_string()]);
        command.args(["--batches", &self.batches.to_string(), "--openings", "2"]);
        command.args(["--compact-after", &(self.batches / 2).to_string()]);
        record::put_under(&mut command, library, &dirs.disk, &dirs.log);
        command.env("DISK_FAIL", at.to_string());
        command.env("DISK_ERRNO", way.errno.to_string());
        command.env("DISK_ONWARD", way.onward);
        command.env("DISK_READS", if way.reads { "1" } else { "0" });
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let said = std::thread::spawn(move || stdout.map(std::io::read_to_string));
        let complaints = std::thread::spawn(move || stderr.map(std::io::read_to_string));
        let status = child.wait_timeout(WRITER_LIMIT)?;
        if status.is_none() {
            child.kill()?;
            child.wait()?;
        }
        let said = said.join().ok().flatten().context("what the writer said")??;
        let complaints = complaints.join().ok().flatten().context("its complaints")??;
        let wrong = match status {
            None => Some("hung: the writer did not end".to_owned()),
            Some(status) if !status.success() => Some(format!("died: the writer ended with {status}")),
            Some(_) => None,
        };
        Ok(Ended {
            said,
            complaints,
            wrong,
        })
    }
}

/// How a writer ended.
struct Ended {
    said: String,
    complaints: String,
    wrong: Option<String>,
}
