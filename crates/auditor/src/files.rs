//! Files: read under a limit, with progress on a terminal.

use std::ffi::OsString;
use std::fs::File;
use std::io::{IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use risk_list::{MAX_LIST_BYTES, PublishedList};

/// The whole file, if it has at most `limit` bytes.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot read {}", path.display()))?;
    if bytes.len() > limit {
        bail!("{} has more than {limit} bytes", path.display());
    }
    Ok(bytes)
}

/// Writes `text`, as a Zstandard frame if the name ends in `.zst`.
pub(crate) fn write(path: &Path, text: &str) -> Result<usize> {
    let bytes = if path.extension().is_some_and(|e| e == "zst") {
        risk_list::compress(text)
    } else {
        text.as_bytes().to_vec()
    };
    std::fs::write(path, &bytes).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(bytes.len())
}

/// Writes a file that is not there yet, for its owner alone.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600);
    let written = options.open(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a whole file for its owner alone, in the place of one that may be there: beside its name first, then moved there.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = partial_of(path)?;
    // One that was left over may be somebody else's to read.
    if let Err(error) = std::fs::remove_file(&partial)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(error).with_context(|| format!("cannot write {}", partial.display()));
    }
    write_private(&partial, bytes)?;
    std::fs::rename(&partial, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Gives a file a name that must not be taken.
pub(crate) fn move_new(from: &Path, to: &Path) -> Result<()> {
    let moved = std::fs::hard_link(from, to).and_then(|()| std::fs::remove_file(from));
    moved.with_context(|| format!("cannot move {} to {}", from.display(), to.display()))
}

/// Where a file lies while it is written.
fn partial_of(path: &Path) -> Result<PathBuf> {
    let name = path
        .file_name()
        .with_context(|| format!("{} names no file", path.display()))?;
    let mut partial_name = OsString::from(".partial-");
    partial_name.push(name);
    Ok(path.with_file_name(partial_name))
}

/// Writes a whole file: beside its name first, then moved there, so that nobody reads half of it.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = partial_of(path)?;
    let written = File::create(&partial).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let moved = written.and_then(|()| std::fs::rename(&partial, path));
    if moved.is_err() {
        // What is left over is not under its name; that it may stay is no further error.
        let _ = std::fs::remove_file(&partial);
    }
    moved.with_context(|| format!("cannot write {}", path.display()))
}

/// Whether there is a folder to write this file into: better said before long work than after it.
pub(crate) fn check_folder_of(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    if !folder.is_dir() {
        bail!("cannot write {}: there is no such folder", path.display());
    }
    Ok(())
}

/// Prints to standard output; a reader that closed it early, such as `head`, is no error.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Reads published lists in the order given.
pub(crate) fn lists(paths: &[PathBuf]) -> Result<Vec<PublishedList>> {
    let bar = progress(paths.len() as u64, "reading lists");
    let mut lists = Vec::with_capacity(paths.len());
    for path in paths {
        let bytes = read(path, MAX_LIST_BYTES)?;
        let list = PublishedList::from_json(&bytes)
            .with_context(|| format!("{} is refused", path.display()))?;
        lists.push(list);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(lists)
}

/// A bar on standard error, hidden unless that is a terminal.
pub(crate) fn progress(len: u64, what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(len).with_message(what);
    if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:30}] {pos}/{len}") {
        bar.set_style(style);
    }
    bar
}

/// A turning sign on standard error for work without steps, hidden unless that is a terminal.
pub(crate) fn spinner(what: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let sign = ProgressBar::new_spinner().with_message(what);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        sign.set_style(style);
    }
    sign.enable_steady_tick(Duration::from_millis(120));
    sign
}
