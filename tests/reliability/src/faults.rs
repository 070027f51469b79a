//! Failing disks: each request of a writer to its disk fails once, or from then on, as on a full or a broken disk. What
//! was acknowledged must be there when the store is opened again over a disk that is well.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reliability::files::remove_dir;
use reliability::report::{Common, Run};
use serde::{Deserialize, Serialize};
use wait_timeout::ChildExt as _;

use crate::look::{Found, LIMITS, last_lines, look};
use crate::progress::Progress;
use crate::record::{self, Op};
use crate::rot::files_of;

/// Threads that commit.
const THREADS: usize = 2;
/// How often a writer opens the store.
const OPENINGS: u64 = 2;
/// Time after which a writer counts as hung.
const WRITER_LIMIT: Duration = Duration::from_mins(1);
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
    /// Sectors that cannot be read.
    #[arg(long, default_value_t = 200)]
    sectors: u64,
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
}

const WAYS: [Way; 5] = [
    Way {
        name: "EIO once",
        errno: EIO,
        onward: "0",
    },
    Way {
        name: "EIO from then on",
        errno: EIO,
        onward: "1",
    },
    Way {
        name: "ENOSPC once",
        errno: ENOSPC,
        onward: "0",
    },
    Way {
        name: "ENOSPC from then on",
        errno: ENOSPC,
        onward: "1",
    },
    Way {
        name: "ENOSPC in the middle of a write",
        errno: ENOSPC,
        onward: "half",
    },
];

/// What fails.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Case {
    /// A request, by its number, in one of the [`WAYS`].
    Request(usize, u64),
    /// All reads of one place of a filled store, which is followed by its number.
    Sector(u64),
}

impl Case {
    const fn name(self) -> &'static str {
        match self {
            Self::Request(way, _) => WAYS[way].name,
            Self::Sector(_) => "EIO of reads of a sector",
        }
    }
}

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
        let library = record::build(&self.common.options.work)?.canonicalize()?;
        let dirs = Dirs {
            disk: run.dir.join("disk"),
            log: run.dir.join("log"),
        };
        let cases = match run.place::<Vec<Case>>()? {
            Some(cases) => cases,
            None => self.all_cases(&dirs, &library, run.seed())?,
        };
        run.show(cases.len() as u64, "faults");
        for (number, case) in (0..).zip(&cases).skip(usize::try_from(run.done())?) {
            let outcome = self.fail_one(&dirs, &library, run.seed(), *case)?;
            run.count(case.name(), u64::from(outcome.failed.is_some()));
            run.count("commits acknowledged", outcome.told.acknowledged);
            run.count("refusals", outcome.told.refusals.len() as u64);
            run.count("panics that became refusals", outcome.panics);
            let mut goes_on = true;
            if let Some(wrong) = outcome.wrong {
                let failed = outcome.failed.unwrap_or_default();
                let refusals = outcome.told.refusals.join("; ");
                let what = format!("{case:?} ({}, {failed}): {wrong} [{refusals}]", case.name());
                goes_on = run.fail(number, &what, &[&dirs.disk, &dirs.log])?;
            }
            run.advance(number + 1, &cases)?;
            if !goes_on {
                break;
            }
        }
        run.finish()
    }

    /// How many requests there are without faults, and from that the cases.
    fn all_cases(&self, dirs: &Dirs, library: &Path, seed: u64) -> Result<Vec<Case>> {
        clear(dirs)?;
        self.write(dirs, library, seed, 0, &[])?;
        let requests = record::read(&dirs.log, &dirs.disk)?;
        let asked = requests.iter().find_map(|request| match request.op {
            Op::Asked(asked) => Some(asked),
            _ => None,
        });
        let asked = asked.context("the record has no end")?;
        ensure!(asked > 0, "nothing was asked of the disk");
        let of_way = |way| (1..=asked).map(move |request| Case::Request(way, request));
        let mut cases: Vec<_> = (0..WAYS.len()).flat_map(of_way).collect();
        cases.extend((0..self.sectors).map(Case::Sector));
        if let Some(count) = self.cases {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let count = usize::try_from(count)?.min(cases.len());
            let chosen = rand::seq::index::sample(&mut rng, cases.len(), count);
            cases = chosen.iter().map(|at| cases[at]).collect();
        }
        Ok(cases)
    }

    fn fail_one(&self, dirs: &Dirs, library: &Path, seed: u64, case: Case) -> Result<Outcome> {
        clear(dirs)?;
        let mut told = Progress::new(seed, &[0; THREADS]);
        let ended = match case {
            Case::Request(way, request) => {
                let way = WAYS[way];
                let fault = [
                    ("DISK_FAIL", request.to_string()),
                    ("DISK_ERRNO", way.errno.to_string()),
                    ("DISK_ONWARD", way.onward.to_owned()),
                ];
                self.write(dirs, library, seed, 0, &fault)?
            }
            Case::Sector(number) => {
                let filled = self.write(dirs, library, seed, 0, &[])?;
                filled.said.lines().for_each(|line| told.hear(line));
                ensure!(
                    filled.wrong.is_none() && told.refusals.is_empty(),
                    "a store to begin with"
                );
                let fault = [
                    ("DISK_BAD", place(&dirs.disk.join("store"), seed ^ number)?),
                    ("DISK_ERRNO", EIO.to_string()),
                ];
                self.write(dirs, library, seed, OPENINGS * self.batches, &fault)?
            }
        };
        ended.said.lines().for_each(|line| told.hear(line));
        let requests = record::read(&dirs.log, &dirs.disk)?;
        let failed = requests.into_iter().find_map(|request| match request.op {
            Op::Fault { what } => Some(what),
            _ => None,
        });
        let panics = ended.complaints.matches("panicked at").count() as u64;
        let wrong = match ended.wrong {
            Some(wrong) => Some(format!("{wrong}: {}", last_lines(&ended.complaints))),
            None => self.judge(dirs, &told)?,
        };
        Ok(Outcome {
            told,
            failed,
            panics,
            wrong,
        })
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

    fn write(
        &self,
        dirs: &Dirs,
        library: &Path,
        seed: u64,
        from: u64,
        fault: &[(&str, String)],
    ) -> Result<Ended> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("writer")
            .arg("--dir")
            .arg(dirs.disk.join("store"));
        command.args([
            "--backend",
            self.common.backend.name(),
            "--from",
            &format!("{from},{from}"),
        ]);
        command.args([
            "--seed",
            &seed.to_string(),
            "--openings",
            &OPENINGS.to_string(),
        ]);
        command.args(["--batches", &self.batches.to_string()]);
        command.args(["--compact-after", &(self.batches / 2).to_string()]);
        record::put_under(&mut command, library, &dirs.disk, &dirs.log);
        command.envs(fault.iter().map(|(name, value)| (name, value)));
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let said = std::thread::spawn(move || stdout.map(std::io::read_to_string));
        let complaints = std::thread::spawn(move || stderr.map(std::io::read_to_string));
        let status = child.wait_timeout(WRITER_LIMIT)?;
        if status.is_none() {
            child.kill()?;
            child.wait()?;
        }
        let said = said
            .join()
            .ok()
            .flatten()
            .context("what the writer said")??;
        let complaints = complaints
            .join()
            .ok()
            .flatten()
            .context("its complaints")??;
        let wrong = match status {
            None => Some("hung: the writer did not end".to_owned()),
            Some(status) if !status.success() => {
                Some(format!("died: the writer ended with {status}"))
            }
            Some(_) => None,
        };
        Ok(Ended {
            said,
            complaints,
            wrong,
        })
    }
}

fn clear(dirs: &Dirs) -> Result<()> {
    remove_dir(&dirs.disk)?;
    std::fs::create_dir_all(&dirs.disk)?;
    if dirs.log.exists() {
        std::fs::remove_file(&dirs.log)?;
    }
    Ok(())
}

/// A place in a file of a store, as the layer under it is told.
fn place(store: &Path, seed: u64) -> Result<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut files = Vec::new();
    for file in files_of(store)? {
        let len = std::fs::metadata(store.join(&file))?.len();
        files.extend((len > 0).then_some((file, len)));
    }
    files.sort();
    // Every other one in the database itself.
    let largest = files.iter().max_by_key(|(_, len)| *len);
    let (file, len) = if rng.random() {
        largest
    } else {
        files.choose(&mut rng)
    }
    .context("a file")?;
    Ok(format!("/{}:{}", file.display(), rng.random_range(0..*len)))
}

/// How a writer ended.
struct Ended {
    said: String,
    complaints: String,
    wrong: Option<String>,
}
