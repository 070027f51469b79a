//! Power cuts: a writer runs above a layer that records what it asks of its disk (`shim/disk.c`). From the record the disk
//! is built as it may be after a cut at any point (`disk.rs`), and the store on it must hold what was acknowledged before
//! the point, and every batch whole. Every other record begins from such a disk, so that recovery is cut short, too.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reliability::files::{copy_dir, remove_dir};
use reliability::report::{Common, Run};
use serde::{Deserialize, Serialize};
use wait_timeout::ChildExt as _;

use crate::disk::{Disk, Survival};
use crate::kill::judge;
use crate::look::{LIMITS, last_lines, look};
use crate::progress::Progress;
use crate::record::{self, Op, Request};

/// Threads that commit.
const THREADS: usize = 3;
/// A writer that is killed is so with a request below this; a whole run has about as many.
const MAX_KILL: u64 = 2_000;
/// A writer whose sync fails has one of the first fail, so many for each batch of a thread; a whole run has about twice as
/// many.
const SYNCS_PER_BATCH: u64 = 4;
const SIGKILL: i32 = 9;
const EIO: i32 = 5;
/// Time that a writer has for its batches.
const WRITER_LIMIT: Duration = Duration::from_mins(2);

/// Cuts the power under a writer.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Power {
    #[command(flatten)]
    common: Common,
    /// Cuts.
    #[arg(long, default_value_t = 1_000)]
    cuts: u64,
    /// Cuts of one recorded run.
    #[arg(long, default_value_t = 50)]
    cuts_per_record: u64,
    /// Batches of each thread after each opening.
    #[arg(long, default_value_t = 40)]
    batches: u64,
    /// A file whose syncs have no effect, to see that losses are found.
    #[arg(long, hide = true)]
    lying: Option<String>,
}

/// What happens to a first writer, by the number of a request.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// It is killed.
    Kill(u64),
    /// A sync fails, of which the system says so once.
    Sync(u64),
}

/// The disk that the next record begins from.
#[derive(Debug, Serialize, Deserialize)]
struct Base {
    seed: u64,
    made: Vec<u64>,
}

/// The directories of a run.
struct Dirs {
    /// The root of the recorded disk.
    disk: PathBuf,
    /// The disk before the record.
    before: PathBuf,
    /// The disk after a cut.
    image: PathBuf,
    /// The disk after a cut that the next record begins from.
    base: PathBuf,
    log: PathBuf,
}

impl Power {
    pub(crate) fn run(&self) -> Result<bool> {
        ensure!(self.cuts_per_record > 0, "--cuts-per-record is at least 1");
        let mut run = Run::begin(&self.common, "power")?;
        run.show(self.cuts, "power cuts");
        let library = record::build(&self.common.options.work)?.canonicalize()?;
        let dirs = Dirs {
            disk: run.dir.join("disk"),
            before: run.dir.join("before"),
            image: run.dir.join("image"),
            base: run.dir.join("base"),
            log: run.dir.join("log"),
        };
        let mut base: Option<Base> = run.place()?;
        while run.done() < self.cuts {
            let number = run.done() / self.cuts_per_record;
            let seed = run.seed().wrapping_add(number);
            // Two records of three go on from a disk after a cut.
            if number.is_multiple_of(3) {
                base = None;
            }
            let record = self.record(&dirs, &library, base.take(), seed)?;
            run.count("records", 1);
            let failed_syncs = record.requests.iter().filter(|r| r.op == Op::FailedSync);
            run.count("failed syncs", failed_syncs.count() as u64);
            let count = self.cuts_per_record.min(self.cuts - run.done());
            let (next, goes_on) = self.cut(&mut run, &dirs, &record, count)?;
            base = next;
            let done = run.done() + count;
            run.advance(done, &base)?;
            if !goes_on {
                break;
            }
        }
        run.finish()
    }

    /// Runs a writer above the layer.
    fn record(&self, dirs: &Dirs, library: &Path, base: Option<Base>, seed: u64) -> Result<Record> {
        remove_dir(&dirs.disk)?;
        remove_dir(&dirs.before)?;
        if dirs.log.exists() {
            std::fs::remove_file(&dirs.log)?;
        }
        let base = match base {
            Some(base) => {
                std::fs::rename(&dirs.base, &dirs.before)?;
                base
            }
            None => Base {
                seed,
                made: vec![0; THREADS],
            },
        };
        std::fs::create_dir_all(&dirs.before)?;
        copy_dir(&dirs.before, &dirs.disk)?;
        // Three of four records are of two writers. The first is killed, or one of its syncs fails: what it had not synced
        // is on no disk yet, although the second one reads it.
        let mut from = base.made.clone();
        let mut first_ended = None;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let first = match seed % 4 {
            0 | 2 => Some(Trouble::Kill(rng.random_range(1..MAX_KILL))),
            1 => Some(Trouble::Sync(
                rng.random_range(1..=SYNCS_PER_BATCH * self.batches),
            )),
            _ => None,
        };
        if let Some(trouble) = first {
            self.write(dirs, library, &base, &from, Some(trouble))?;
            let mut told = Progress::new(base.seed, &from);
            let mut said = Vec::new();
            let requests = record::read(&dirs.log, &dirs.disk)?;
            for request in &requests {
                hear(request, &mut said, &mut told);
            }
            remove_dir(&dirs.image)?;
            copy_dir(&dirs.disk, &dirs.image)?;
            if matches!(trouble, Trouble::Sync(_)) {
                told.refusals.clear();
            }
            let found = look(&dirs.image.join("store"), self.common.backend, LIMITS, None)?;
            from = judge(&found, &told, "").map_err(anyhow::Error::msg)?;
            first_ended = Some((requests.len(), from.clone()));
        }
        self.write(dirs, library, &base, &from, None)?;
        Ok(Record {
            requests: record::read(&dirs.log, &dirs.disk)?,
            base,
            first_ended,
            has_failed_sync: matches!(first, Some(Trouble::Sync(_))),
        })
    }

    /// Runs a writer until it has made its batches, or what is to happen to it has.
    fn write(
        &self,
        dirs: &Dirs,
        library: &Path,
        base: &Base,
        from: &[u64],
        trouble: Option<Trouble>,
    ) -> Result<()> {
        let from: Vec<_> = from.iter().map(ToString::to_string).collect();
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("writer")
            .arg("--dir")
            .arg(dirs.disk.join("store"));
        command.args([
            "--backend",
            self.common.backend.name(),
            "--from",
            &from.join(","),
        ]);
        command.args(["--seed", &base.seed.to_string()]);
        command.args(["--batches", &self.batches.to_string(), "--openings", "2"]);
        command.args(["--compact-after", &(self.batches / 2).to_string()]);
        record::put_under(&mut command, library, &dirs.disk, &dirs.log);
        match trouble {
            Some(Trouble::Kill(at)) => command.env("DISK_KILL", at.to_string()),
            Some(Trouble::Sync(at)) => command
                .env("DISK_FAIL_SYNC", at.to_string())
                .env("DISK_ERRNO", EIO.to_string()),
            None => &mut command,
        };
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let Some(status) = child.wait_timeout(WRITER_LIMIT)? else {
            child.kill()?;
            child.wait()?;
            bail!("the writer did not end; see {}", dirs.disk.display());
        };
        let complaints = std::io::read_to_string(child.stderr.take().context("complaints")?)?;
        let was_killed = status.signal() == Some(SIGKILL);
        let ended = status.success() || (matches!(trouble, Some(Trouble::Kill(_))) && was_killed);
        ensure!(
            ended,
            "the writer ended with {status}: {}",
            last_lines(&complaints)
        );
        Ok(())
    }

    /// Builds disks from a record and looks at them. The disk for the next record, and whether to go on.
    fn cut(
        &self,
        run: &mut Run,
        dirs: &Dirs,
        record: &Record,
        count: u64,
    ) -> Result<(Option<Base>, bool)> {
        let mut rng = ChaCha8Rng::seed_from_u64(run.seed() ^ run.done());
        let points = points(&record.requests, count, &mut rng);
        let mut disk = Disk::from_dir(&dirs.before, self.lying.as_deref())?;
        let mut told = Progress::new(record.base.seed, &record.base.made);
        let mut said = Vec::new();
        let mut taken = 0;
        let mut next = None;
        remove_dir(&dirs.base)?;
        for (case, point) in (run.done()..).zip(points) {
            record.take(taken..point, &mut disk, &mut told, &mut said)?;
            taken = point;
            let survival = survival(&mut rng);
            let mut image_rng = ChaCha8Rng::seed_from_u64(rng.random());
            remove_dir(&dirs.image)?;
            disk.cut(survival, &mut image_rng, &dirs.image)?;
            run.count(name_of(survival), 1);
            run.count("while compacting", u64::from(told.compacting));
            // The last third is kept for the next record, while what is uncertain is still in it.
            let kept =
                next.is_none() && taken > record.requests.len() / 3 && rng.random_ratio(1, 3);
            if kept {
                remove_dir(&dirs.base)?;
                copy_dir(&dirs.image, &dirs.base)?;
            }
            let store = dirs.image.join("store");
            let found = look(&store, self.common.backend, LIMITS, None)?;
            match judge(&found, &told, "") {
                Ok(made) if kept => {
                    next = Some(Base {
                        seed: record.base.seed,
                        made,
                    });
                }
                Ok(_) => {}
                Err(what) => {
                    let what = format!(
                        "{what}; cut after request {taken}, {survival:?}, {:?}",
                        told.stage
                    );
                    // The image as it was before it was looked at.
                    remove_dir(&dirs.image)?;
                    disk.cut(survival, &mut replay(&image_rng), &dirs.image)?;
                    if !run.fail(case, &what, &[&dirs.image, &dirs.before, &dirs.log])? {
                        return Ok((None, false));
                    }
                }
            }
        }
        let all = record.requests.len();
        record.take(taken..all, &mut disk, &mut told, &mut said)?;
        run.count("commits acknowledged", told.acknowledged);
        run.count("compactions", told.compactions);
        run.count("requests recorded", record.requests.len() as u64);
        must_be_complete(&disk, dirs)?;
        Ok((next, true))
    }
}

/// The generator as it was when it was made.
fn replay(rng: &ChaCha8Rng) -> ChaCha8Rng {
    ChaCha8Rng::from_seed(rng.get_seed())
}

/// A recorded run.
struct Record {
    requests: Vec<Request>,
    base: Base,
    /// Where a first writer ended, and what the next one found.
    first_ended: Option<(usize, Vec<u64>)>,
    /// Whether it ended over a sync that failed.
    has_failed_sync: bool,
}

impl Record {
    /// Has some requests reach the disk.
    fn take(
        &self,
        range: std::ops::Range<usize>,
        disk: &mut Disk,
        told: &mut Progress,
        said: &mut Vec<u8>,
    ) -> Result<()> {
        for at in range {
            if let Some((_, found)) = self.first_ended.as_ref().filter(|(end, _)| *end == at) {
                told.go_on(found);
                said.clear();
            }
            disk.take(&self.requests[at])?;
            hear(&self.requests[at], said, told);
            // A store that fails is refused, and for a reason.
            if self.has_failed_sync && self.first_ended.as_ref().is_some_and(|(end, _)| at < *end) {
                told.refusals.clear();
            }
        }
        Ok(())
    }
}

/// Points of the record, ascending: half anywhere, half just before or after something becomes certain or is named.
fn points(requests: &[Request], count: u64, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let near = |request: &Request| {
        matches!(
            request.op,
            Op::Sync | Op::Rename(..) | Op::Unlink(_) | Op::MakeDir(_) | Op::Said(_)
        )
    };
    let mut turning: Vec<_> = (0..requests.len())
        .filter(|at| near(&requests[*at]))
        .collect();
    // What happens once in a run is as worth a cut as what happens at each commit.
    let rare: Vec<_> = turning
        .iter()
        .copied()
        .filter(|at| !matches!(requests[*at].op, Op::Sync | Op::Said(_)))
        .collect();
    if turning.is_empty() {
        turning.push(0);
    }
    let mut points: Vec<_> = (0..count)
        .map(|_| match rng.random_range(0..4) {
            0 => *rare.choose(rng).unwrap_or(&0) + rng.random_range(0..=2),
            1 => *turning.choose(rng).unwrap_or(&0) + rng.random_range(0..=1),
            _ => rng.random_range(0..=requests.len()),
        })
        .map(|point| point.min(requests.len()))
        .collect();
    points.sort_unstable();
    points
}

fn survival(rng: &mut ChaCha8Rng) -> Survival {
    match rng.random_range(0..8) {
        0 => Survival::Nothing,
        1 => Survival::Everything,
        2 => Survival::Writes(0.5),
        3 => Survival::Writes(0.9),
        4 => Survival::Some(0.1),
        5 | 6 => Survival::Some(0.5),
        _ => Survival::Some(0.97),
    }
}

fn name_of(survival: Survival) -> &'static str {
    match survival {
        Survival::Nothing => "with nothing unsynced kept",
        Survival::Everything => "with everything kept",
        Survival::Some(_) => "with sectors kept at random",
        Survival::Writes(_) => "with writes kept at random",
    }
}

/// Takes in what the writer said, line by line.
fn hear(request: &Request, said: &mut Vec<u8>, told: &mut Progress) {
    let Op::Said(bytes) = &request.op else { return };
    said.extend_from_slice(bytes);
    while let Some(end) = said.iter().position(|byte| *byte == b'\n') {
        let line: Vec<u8> = said.drain(..=end).collect();
        told.hear(String::from_utf8_lossy(&line).trim_end());
    }
}

/// With everything kept, the disk of the record is the one that the writer left behind, or the record lacks something.
fn must_be_complete(disk: &Disk, dirs: &Dirs) -> Result<()> {
    remove_dir(&dirs.image)?;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    disk.cut(Survival::Everything, &mut rng, &dirs.image)?;
    same(&dirs.disk, &dirs.image)
}

fn same(one: &Path, other: &Path) -> Result<()> {
    let names = |dir: &Path| -> Result<Vec<_>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            names.push(entry?.file_name());
        }
        names.sort();
        Ok(names)
    };
    let (left, right) = (names(one)?, names(other)?);
    ensure!(
        left == right,
        "{}: {left:?}, and the record has {right:?}",
        one.display()
    );
    for name in left {
        let (one, other) = (one.join(&name), other.join(&name));
        if one.is_dir() {
            same(&one, &other)?;
        } else {
            ensure!(
                std::fs::read(&one)? == std::fs::read(&other)?,
                "{} is not what the record makes of it",
                one.display()
            );
        }
    }
    Ok(())
}
