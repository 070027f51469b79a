//! A process on a host.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::host::Host;

const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Time to open doors; a busy machine is slow.
const START_LIMIT: Duration = Duration::from_mins(2);
/// Time to end in order; a node drains its calls.
const END_LIMIT: Duration = Duration::from_mins(1);

/// A running process. Dropped, it is killed.
pub(crate) struct Process {
    child: Child,
}

/// What came of a start.
pub(crate) enum Started {
    /// It said that it is ready.
    Ready(Process),
    /// It ended instead.
    Ended,
}

impl Process {
    /// Starts a program in its directory on a host and waits for a line on its standard output that begins with `word`. Its
    /// standard error goes to the end of `log.txt`.
    pub(crate) async fn start(
        host: &Host,
        dir: &Path,
        (program, arguments): (&Path, &[&str]),
        word: &str,
    ) -> Result<Started> {
        // Whoever kills this process kills that one.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(program);
        command.args(arguments).current_dir(dir);
        command.env("NO_COLOR", "1").stdin(Stdio::null());
        let ready = dir.join("ready.txt");
        command.stdout(File::create(&ready).with_context(|| ready.display().to_string())?);
        let log = dir.join("log.txt");
        command.stderr(OpenOptions::new().create(true).append(true).open(log)?);
        let child = host.start(command).await?;
        let mut process = Self { child };
        let begun = Instant::now();
        loop {
            if std::fs::read_to_string(&ready)?.starts_with(word) {
                return Ok(Started::Ready(process));
            }
            if process.child.try_wait()?.is_some() {
                return Ok(Started::Ended);
            }
            if begun.elapsed() > START_LIMIT {
                bail!("{} opens no door", dir.display());
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Its number in the system.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Has it read its files again (`SIGHUP`).
    pub(crate) fn tell_to_read(&self) -> Result<()> {
        self.signal(Signal::HUP)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.context("a process's number")?, signal).context("a signal")
    }

    /// Ends it at once (`SIGKILL`).
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to end (`SIGTERM`); it must do so with exit code 0.
    pub(crate) async fn end(mut self) -> Result<()> {
        self.signal(Signal::TERM)?;
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("a process that was told to end ended with {status}");
            }
            if begun.elapsed() > END_LIMIT {
                bail!("a process that was told to end did not");
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of what a process in a directory wrote.
pub(crate) fn last_words(dir: &Path) -> String {
    let path: PathBuf = dir.join("log.txt");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(3)..].join("\n")
}
