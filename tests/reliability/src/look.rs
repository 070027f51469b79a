//! Looks at a store in a process of its own, under limits of time and memory: whatever a database does over its files,
//! the one who asks gets an answer.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use store::{Backend, DiskOptions, DiskStore, Store as _, StoreError, Table};
use wait_timeout::ChildExt as _;

use crate::load::Rows;

/// Rows that are read at a time.
const CHUNK: usize = 256;
/// Largest answer that is believed; stores here have some megabytes.
const MAX_ANSWER_BYTES: usize = 256 << 20;

/// The looking process.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Look {
    /// Directory of the store.
    #[arg(long)]
    dir: PathBuf,
    /// Database.
    #[arg(long, value_parser = reliability::backend_of)]
    backend: Backend,
    /// Time that the database has, seconds.
    #[arg(long)]
    stall_s: u64,
    /// Memory that the process may have, MiB.
    #[arg(long)]
    memory_mib: u64,
    /// Waits for a line on stdin between opening and reading, and says `open` before.
    #[arg(long)]
    wait: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// All rows were read.
    Rows(Rows),
    /// The store refused, when it was opened or read, with this text.
    Refused(String),
    /// It did not answer within the limit.
    Hung,
    /// The process was ended by a signal, a panic or a failed allocation.
    Died(String),
}

impl Look {
    /// Prints what is found: `R` and the rows, or `X` and the refusal.
    pub(crate) fn run(&self) -> Result<()> {
        let limit = Some(self.memory_mib << 20);
        let limit = rustix::process::Rlimit {
            current: limit,
            maximum: limit,
        };
        rustix::process::setrlimit(rustix::process::Resource::As, limit)?;
        let mut out = std::io::stdout().lock();
        let text = match self.read() {
            Ok(rows) => [b"R".to_vec(), encode(&rows)].concat(),
            Err(error) => format!("X{error}").into_bytes(),
        };
        out.write_all(&text)?;
        out.flush()?;
        // A thread that hangs in the database is not waited for.
        std::process::exit(0);
    }

    fn read(&self) -> Result<Rows, StoreError> {
        let options = DiskOptions {
            backend: self.backend,
            // So small that rows are read from the disk.
            cache_bytes: 64 << 10,
            stall_limit: Duration::from_secs(self.stall_s),
            ..DiskOptions::new(&self.dir)
        };
        let store = DiskStore::open(&options)?;
        if self.wait {
            crate::writer::say("open");
            let mut line = String::new();
            // Whatever comes, or an end, is the sign.
            let _ = std::io::stdin().read_line(&mut line);
        }
        let mut rows = Rows::new();
        for table in Table::ALL {
            let mut after: Option<Vec<u8>> = None;
            loop {
                let chunk = store.scan(table, b"", after.as_deref(), CHUNK)?;
                let Some((last, _)) = chunk.last() else { break };
                after = Some(last.clone());
                for (key, value) in chunk {
                    // Both ways to a row must lead to the same.
                    if store.get(table, &key)?.as_ref() != Some(&value) {
                        return Ok(Rows::from([((0, key), b"get and scan differ".to_vec())]));
                    }
                    rows.insert((table.code(), key), value);
                }
            }
        }
        Ok(rows)
    }
}

fn encode(rows: &Rows) -> Vec<u8> {
    let mut bytes = Vec::new();
    for ((table, key), value) in rows {
        bytes.push(*table);
        for part in [key, value] {
            bytes.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
            bytes.extend_from_slice(part);
        }
    }
    bytes
}

fn decode(mut bytes: &[u8]) -> Option<Rows> {
    let mut rows = Rows::new();
    while let Some((table, rest)) = bytes.split_first() {
        bytes = rest;
        let mut part = || {
            let (len, rest) = bytes.split_first_chunk::<4>()?;
            let (part, rest) = rest.split_at_checked(u32::from_le_bytes(*len) as usize)?;
            bytes = rest;
            Some(part.to_vec())
        };
        rows.insert((*table, part()?), part()?);
    }
    Some(rows)
}

/// How a store is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Time that the store gives the database for any one call, seconds.
    pub(crate) stall_s: u64,
    /// Time for the process, after which it counts as hung.
    pub(crate) all_s: u64,
    /// Memory of the process, MiB.
    pub(crate) memory_mib: u64,
}

/// Stores here are read in a fraction of a second.
pub(crate) const LIMITS: Limits = Limits {
    stall_s: 5,
    all_s: 30,
    memory_mib: 1_024,
};

/// Looks at the store in a directory; `meanwhile` is called between opening and reading if it is given.
pub(crate) fn look(
    dir: &Path,
    backend: Backend,
    limits: Limits,
    meanwhile: Option<&mut dyn FnMut() -> Result<()>>,
) -> Result<Found> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("look").arg("--dir").arg(dir);
    command.args(["--backend", backend.name()]);
    command.args(["--stall-s", &limits.stall_s.to_string()]);
    command.args(["--memory-mib", &limits.memory_mib.to_string()]);
    if meanwhile.is_some() {
        command.arg("--wait");
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().context("a process to look at the store")?;
    let (Some(mut stdin), Some(mut stdout), Some(mut stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        bail!("the process has no pipes");
    };
    let errors = std::thread::spawn(move || {
        let mut text = String::new();
        // What is not text is not of interest.
        let _ = stderr.read_to_string(&mut text);
        text
    });
    let mut answer = Vec::new();
    if let Some(meanwhile) = meanwhile {
        let mut first = [0; 5];
        // A store that is refused at once says so instead.
        let read = stdout.read_exact(&mut first).is_ok();
        if read && &first == b"open\n" {
            meanwhile()?;
        } else {
            answer.extend_from_slice(&first);
        }
        // One that has ended does not read it.
        let _ = stdin.write_all(b"go on\n");
    }
    drop(stdin);
    let answers = std::thread::spawn(move || {
        let read = stdout
            .take(MAX_ANSWER_BYTES as u64)
            .read_to_end(&mut answer);
        read.map(|_| answer)
    });
    let Some(status) = child.wait_timeout(Duration::from_secs(limits.all_s))? else {
        child.kill()?;
        child.wait()?;
        return Ok(Found::Hung);
    };
    let answer = answers.join().ok().context("the answer's reader")??;
    let errors = errors.join().unwrap_or_default();
    if !status.success() {
        return Ok(Found::Died(format!("{status}: {}", last_lines(&errors))));
    }
    match answer.split_first() {
        Some((b'R', rows)) => Ok(Found::Rows(decode(rows).context("rows cut short")?)),
        Some((b'X', text)) => Ok(Found::Refused(String::from_utf8_lossy(text).into_owned())),
        _ => bail!("the process said nothing"),
    }
}

/// The end of what a process complained.
pub(crate) fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().rev().take(4).collect();
    let lines: Vec<_> = lines.into_iter().rev().collect();
    lines.join(" | ").chars().take(400).collect()
}
