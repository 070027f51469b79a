//! A program of others: run with limits on its time and on what it says.

use std::io::{self, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use wait_timeout::ChildExt as _;

/// What is kept of what a program says, in bytes, of each of its two outputs.
const MAX_OUTPUT_BYTES: usize = 16 << 20;

/// What a program that ended has said.
#[derive(Debug)]
pub(super) struct Finished {
    /// Its exit code; none if a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) elapsed: Duration,
}

/// Why there is no answer of a program.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error("{program} cannot be started: {source}")]
    Start { program: String, source: io::Error },
    #[error("{program} did not end within {} s", .limit.as_secs())]
    Late { program: String, limit: Duration },
    #[error("{program} said more than {MAX_OUTPUT_BYTES} bytes")]
    TooMuch { program: String },
    #[error("{program}: {source}")]
    Io { program: String, source: io::Error },
}

/// Runs a program with `input` on its standard input. At the limit it is killed, with all that it has started.
pub(super) fn run(
    command: &mut Command,
    input: &[u8],
    limit: Duration,
) -> Result<Finished, RunError> {
    let program = || command_name(command);
    let (start_name, name) = (program(), program());
    let begun = Instant::now();
    // A group of its own, so that what it starts can be ended with it.
    let mut child = command
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| RunError::Start {
            program: start_name,
            source,
        })?;
    let failed = |source| RunError::Io {
        program: name.clone(),
        source,
    };
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (status, stdout, stderr) = thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.map(|mut pipe| pipe.write_all(input)));
        let stdout = scope.spawn(move || bounded(stdout));
        let stderr = scope.spawn(move || bounded(stderr));
        let status = child.wait_timeout(limit);
        // Whatever is left of the group goes, also after a good end: nothing may hold the pipes open.
        end_group(&mut child);
        // That a program does not read its input to the end is its own affair.
        let _ = writer.join();
        (status, stdout.join(), stderr.join())
    });
    let elapsed = begun.elapsed();
    let Some(status) = status.map_err(failed)? else {
        return Err(RunError::Late {
            program: name,
            limit,
        });
    };
    let said = |joined: thread::Result<io::Result<Option<String>>>| {
        let read = joined.unwrap_or_else(|_| Err(io::Error::other("a reader ended early")));
        read.map_err(failed)?.ok_or_else(|| RunError::TooMuch {
            program: name.clone(),
        })
    };
    Ok(Finished {
        code: status.code(),
        stdout: said(stdout)?,
        stderr: said(stderr)?,
        elapsed,
    })
}

/// The program and what it was told to do, as far as a message needs it.
fn command_name(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args().take(4));
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// All that is said, unless it is too much.
fn bounded(pipe: Option<impl Read>) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(MAX_OUTPUT_BYTES as u64 + 1)
            .read_to_end(&mut bytes)?;
    }
    let fits = bytes.len() <= MAX_OUTPUT_BYTES;
    Ok(fits.then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Kills the program's group and takes note of its end.
fn end_group(child: &mut Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // There is nobody left in it after a good end.
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, input: &[u8], limit_ms: u64) -> Result<Finished, RunError> {
        let limit = Duration::from_millis(limit_ms);
        run(Command::new("sh").args(["-c", script]), input, limit)
    }

    #[test]
    fn a_program_is_heard_to_its_end() {
        let done = shell("cat; echo aside >&2; exit 7", b"said", 10_000).unwrap();
        assert_eq!(done.code, Some(7));
        assert_eq!((&*done.stdout, &*done.stderr), ("said", "aside\n"));
    }

    #[test]
    fn a_program_that_does_not_end_is_ended_with_all_that_it_started() {
        let begun = Instant::now();
        let late = shell("sleep 60 & sleep 60", b"", 200).unwrap_err();
        assert!(matches!(late, RunError::Late { .. }), "{late}");
        // One that ends, and leaves a child behind that holds its output open.
        let done = shell("sleep 60 & echo done", b"", 10_000).unwrap();
        assert_eq!(done.stdout, "done\n");
        assert!(begun.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_program_that_says_too_much_is_refused() {
        let script = "yes abcdefgh | head -c 20000000";
        let refused = shell(script, b"", 30_000).unwrap_err();
        assert!(matches!(refused, RunError::TooMuch { .. }), "{refused}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let mut command = Command::new("/no/such/program");
        let refused = run(&mut command, b"", Duration::from_secs(1)).unwrap_err();
        assert!(refused.to_string().contains("/no/such/program"));
    }
}
