//! A long run: where it stands, so that an interrupted one goes on, and the row that it leaves in the report.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};
use store::Backend;

use crate::files::{copy_dir, remove_dir};

/// After this many failures there is nothing to be learnt from more.
const MAX_FAILURES: usize = 10;

/// What all runs over a database take.
#[derive(Clone, Debug, clap::Args)]
pub struct Common {
    /// Database.
    #[arg(long, value_parser = crate::backend_of)]
    pub backend: Backend,
    /// The rest.
    #[command(flatten)]
    pub options: Options,
}

/// What all kinds of runs take.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Seed that everything but the times of kills follows from; a random one if it is not given.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Directory for stores, states of runs and what failed.
    #[arg(long, default_value = "target/reliability")]
    pub work: PathBuf,
    /// The report that a row is added to.
    #[arg(long, default_value = "docs/reliability.md")]
    pub report: PathBuf,
    /// Adds no row to the report.
    #[arg(long)]
    pub no_report: bool,
    /// Begins anew although there is an unfinished run.
    #[arg(long)]
    pub fresh: bool,
    /// Prints one JSON object.
    #[arg(long)]
    pub json: bool,
}

/// Something that went wrong, and what is needed to see it again.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// Number of the case.
    pub case: u64,
    /// What was found.
    pub what: String,
    /// Where its files are kept.
    pub kept: PathBuf,
}

/// Where a run stands.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    revision: String,
    seed: u64,
    done: u64,
    seconds: f64,
    figures: BTreeMap<String, u64>,
    failures: Vec<Failure>,
    /// What the kind of run itself needs to go on.
    place: serde_json::Value,
}

/// A run under way.
pub struct Run {
    options: Options,
    kind: &'static str,
    over: &'static str,
    /// The directory of this run.
    pub dir: PathBuf,
    state: State,
    bar: ProgressBar,
    since: Instant,
}

impl Run {
    /// Begins a run, or goes on with one of the same kind and revision that was interrupted.
    ///
    /// # Errors
    /// If the unfinished run is of another revision or seed, or the system refuses its files.
    pub fn begin(common: &Common, kind: &'static str) -> Result<Self> {
        Self::over(&common.options, kind, common.backend.name())
    }

    /// The same over what has this name.
    ///
    /// # Errors
    /// As [`Run::begin`].
    pub fn over(options: &Options, kind: &'static str, over: &'static str) -> Result<Self> {
        let dir = options.work.join(format!("{kind}-{over}"));
        let path = dir.join("state.json");
        let revision = revision()?;
        let state = if path.exists() && !options.fresh {
            let state: State = serde_json::from_slice(&std::fs::read(&path)?)
                .with_context(|| format!("{}: `--fresh` begins anew", path.display()))?;
            if state.revision != revision || options.seed.is_some_and(|seed| seed != state.seed) {
                bail!(
                    "{} is an unfinished run of revision {} with seed {}; `--fresh` begins anew",
                    path.display(),
                    state.revision,
                    state.seed
                );
            }
            state
        } else {
            remove_dir(&dir)?;
            State {
                revision,
                seed: options.seed.unwrap_or_else(rand::random),
                done: 0,
                seconds: 0.0,
                figures: BTreeMap::new(),
                failures: Vec::new(),
                place: serde_json::Value::Null,
            }
        };
        std::fs::create_dir_all(&dir)?;
        Ok(Self {
            options: options.clone(),
            kind,
            over,
            dir: dir.canonicalize()?,
            state,
            bar: ProgressBar::hidden(),
            since: Instant::now(),
        })
    }

    /// The seed of the run.
    pub fn seed(&self) -> u64 {
        self.state.seed
    }

    /// Cases done.
    pub fn done(&self) -> u64 {
        self.state.done
    }

    /// Shows a bar up to the number of cases.
    pub fn show(&mut self, total: u64, what: &'static str) {
        use std::io::IsTerminal as _;
        if std::io::stderr().is_terminal() {
            self.bar = ProgressBar::new(total).with_message(what);
            if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len} {eta}") {
                self.bar.set_style(style);
            }
            self.bar.set_position(self.state.done);
        }
    }

    /// What the kind of run has kept; none at the beginning.
    ///
    /// # Errors
    /// If it is of another form.
    pub fn place<T: serde::de::DeserializeOwned>(&self) -> Result<Option<T>> {
        Ok(serde_json::from_value(self.state.place.clone())?)
    }

    /// Adds to a figure.
    pub fn count(&mut self, figure: &str, more: u64) {
        *self.state.figures.entry(figure.to_owned()).or_default() += more;
    }

    /// Notes a figure of which the greatest counts.
    pub fn most(&mut self, figure: &str, found: u64) {
        let most = self.state.figures.entry(figure.to_owned()).or_default();
        *most = found.max(*most);
    }

    /// Notes a failure and keeps the files of `from`. Whether the run goes on.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn fail(&mut self, case: u64, what: &str, from: &[&Path]) -> Result<bool> {
        let kept = self
            .dir
            .join(format!("failed-{}", self.state.failures.len() + 1));
        remove_dir(&kept)?;
        std::fs::create_dir_all(&kept)?;
        for from in from {
            let name = from.file_name().context("a name")?;
            if from.is_dir() {
                copy_dir(from, &kept.join(name))?;
            } else if from.exists() {
                std::fs::copy(from, kept.join(name))?;
            }
        }
        std::fs::write(
            kept.join("what.txt"),
            format!("case {case} of seed {}: {what}\n", self.seed()),
        )?;
        self.bar
            .suspend(|| eprintln!("case {case}: {what} (kept in {})", kept.display()));
        self.state.failures.push(Failure {
            case,
            what: what.to_owned(),
            kept,
        });
        Ok(self.state.failures.len() < MAX_FAILURES)
    }

    /// Cases are done; where to go on.
    ///
    /// # Errors
    /// What the system refuses.
    pub fn advance(&mut self, done: u64, place: &impl Serialize) -> Result<()> {
        self.state.done = done;
        self.state.place = serde_json::to_value(place)?;
        self.state.seconds += self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
        self.bar.set_position(done);
        let new = self.dir.join("state.new");
        std::fs::write(&new, serde_json::to_vec_pretty(&self.state)?)?;
        std::fs::rename(new, self.dir.join("state.json"))?;
        Ok(())
    }

    /// Ends the run: its row in the report and what it prints. Whether nothing failed.
    ///
    /// # Errors
    /// If the report cannot be written.
    pub fn finish(self) -> Result<bool> {
        self.bar.finish_and_clear();
        let state = &self.state;
        let machine = Machine::of(&self.dir)?;
        if !self.options.no_report {
            append(&self.options.report, self.kind, &self.row(&machine))?;
        }
        if self.options.json {
            let object = serde_json::json!({
                "kind": self.kind,
                "backend": self.over,
                "revision": state.revision,
                "machine": machine,
                "date": today(),
                "seed": state.seed,
                "count": state.done,
                "seconds": state.seconds,
                "figures": state.figures,
                "failures": state.failures,
            });
            println!("{object}");
        } else {
            println!(
                "{} of {}: {} cases, {} failures, {:.0} s, seed {}",
                self.kind,
                self.over,
                state.done,
                state.failures.len(),
                state.seconds,
                state.seed
            );
            for (figure, count) in &state.figures {
                println!("  {count} {figure}");
            }
        }
        // A finished run is not gone on with.
        std::fs::remove_file(self.dir.join("state.json"))?;
        Ok(state.failures.is_empty())
    }

    fn row(&self, machine: &Machine) -> String {
        let state = &self.state;
        let figures: Vec<_> = state
            .figures
            .iter()
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {:.0} | {} |",
            today(),
            &state.revision,
            machine.text(),
            self.over,
            state.seed,
            state.done,
            state.failures.len(),
            state.seconds,
            figures.join(", ")
        )
    }
}

/// Where a run was made.
#[derive(Debug, Serialize)]
struct Machine {
    cores: usize,
    kernel: String,
    file_system: String,
}

impl Machine {
    fn of(dir: &Path) -> Result<Self> {
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
        let mounts = std::fs::read_to_string("/proc/mounts")?;
        let mounts = mounts.lines().filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        });
        let ours = mounts
            .filter(|(at, _)| dir.starts_with(at))
            .max_by_key(|(at, _)| at.len());
        Ok(Self {
            cores: std::thread::available_parallelism()?.get(),
            kernel: kernel.trim().to_owned(),
            file_system: ours.map_or("?", |(_, kind)| kind).to_owned(),
        })
    }

    fn text(&self) -> String {
        format!(
            "{} cores, Linux {}, {}",
            self.cores, self.kernel, self.file_system
        )
    }
}

/// The revision of the repository, with a sign that it was changed since.
fn revision() -> Result<String> {
    let git = |args: &[&str]| -> Result<String> {
        let output = Command::new("git")
            .args(args)
            .output()
            .context("`git` tells the revision")?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let head = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&[
        "status",
        "--porcelain",
        "--untracked-files=no",
        "--",
        ":/crates",
        ":/tests",
    ])?;
    Ok(if changed.is_empty() {
        head
    } else {
        format!("{head}+")
    })
}

fn today() -> String {
    #[expect(clippy::disallowed_methods, reason = "the binary owns the clock")]
    let now = time::OffsetDateTime::from(std::time::SystemTime::now());
    now.date().to_string()
}

/// Adds a row to the table of a kind.
fn append(report: &Path, kind: &str, row: &str) -> Result<()> {
    let text = match std::fs::read_to_string(report) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => PREFACE.to_owned(),
        Err(error) => return Err(error).with_context(|| report.display().to_string()),
    };
    let text = with_row(&text, kind, row);
    std::fs::write(report, text).with_context(|| report.display().to_string())
}

const PREFACE: &str = "# Reliability: what the store has been put through\n\n\
    Each row is a run of `reliability` (package of `tests/reliability`, which says what each kind does). A run is repeated \
    with its revision and seed.\n";
const TABLE_HEAD: &str = "| date | revision | machine | backend | seed | count | failures | seconds | figures |\n\
    |---|---|---|---|---|---|---|---|---|\n";

fn with_row(text: &str, kind: &str, row: &str) -> String {
    let heading = format!("## {kind}\n");
    let Some(at) = text.find(&heading) else {
        return format!("{}\n\n{heading}\n{TABLE_HEAD}{row}\n", text.trim_end());
    };
    let begin = at + heading.len();
    let end = text[begin..]
        .find("\n## ")
        .map_or(text.len(), |end| begin + end);
    let (before, after) = text.split_at(end);
    format!("{}\n{row}\n{after}", before.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_to_the_end_of_their_own_table() {
        let mut text = PREFACE.to_owned();
        for (kind, row) in [
            ("kill", "| 1 |"),
            ("power", "| 2 |"),
            ("kill", "| 3 |"),
            ("power", "| 4 |"),
        ] {
            text = with_row(&text, kind, row);
        }
        let kill = text.find("## kill").unwrap();
        let power = text.find("## power").unwrap();
        assert!(kill < power);
        assert!(text[kill..power].contains("| 1 |\n| 3 |\n"));
        assert!(text[power..].ends_with("| 2 |\n| 4 |\n"));
        assert_eq!(text.matches("| date |").count(), 2);
    }
}
