//! What a store does about a sync that failed.
//!
//! A system that could not write a page says so once, then takes the page for written and goes on to show it to readers. A
//! store that is opened again in the same boot would build on pages that are on no disk, and its next sync, which succeeds,
//! would not write them: a later loss of power would take them and what was acknowledged since. So a store that has failed
//! leaves a file behind, and the next one to open its directory writes every file once more and syncs it.
//!
//! Source: Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::StoreError;
use crate::error::failed;
use crate::generation::sync_dir;

/// It need not be durable: after a restart of the machine readers see what is on the disk.
const FILE_NAME: &str = "unsynced";
/// Bytes rewritten at a time.
const CHUNK_LEN: usize = 1 << 20;

/// Notes that what is read of the store may be on no disk.
pub(crate) fn note(dir: &Path) {
    if let Err(error) = File::create(dir.join(FILE_NAME)) {
        tracing::error!(
            %error,
            "a store has failed and cannot note it; restart the machine before it is opened again"
        );
    }
}

/// Brings what is read of the store to the disk, if that may not be so.
///
/// # Errors
/// [`StoreError::Failed`] if the disk does not take it; the next to open the store tries again.
pub(crate) fn settle(dir: &Path) -> Result<(), StoreError> {
    let noted = dir.join(FILE_NAME);
    if !noted.try_exists().map_err(failed)? {
        return Ok(());
    }
    rewrite_all(dir)?;
    std::fs::remove_file(noted).map_err(failed)?;
    tracing::warn!("the store had failed over its disk; all of it is written to the disk again");
    Ok(())
}

fn rewrite_all(dir: &Path) -> Result<(), StoreError> {
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            rewrite_all(&entry.path())?;
        } else if kind.is_file() {
            rewrite(&entry.path())?;
        }
    }
    sync_dir(dir)
}

/// Writes a file's own bytes over them: the same, so that wherever it is cut short nothing is lost by it.
fn rewrite(path: &Path) -> Result<(), StoreError> {
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(failed)?;
    let mut chunk = vec![0; CHUNK_LEN];
    let mut at = 0;
    loop {
        let len = file.read_at(&mut chunk, at).map_err(failed)?;
        if len == 0 {
            return file.sync_all().map_err(failed);
        }
        file.write_all_at(&chunk[..len], at).map_err(failed)?;
        at += len as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_settled_once_and_keeps_its_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let below = dir.path().join("g000001.sled");
        std::fs::create_dir(&below).unwrap();
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(CHUNK_LEN + 300).collect();
        std::fs::write(below.join("db"), &bytes).unwrap();
        settle(dir.path()).unwrap();
        note(dir.path());
        assert!(dir.path().join(FILE_NAME).exists());
        settle(dir.path()).unwrap();
        assert!(!dir.path().join(FILE_NAME).exists());
        assert_eq!(std::fs::read(below.join("db")).unwrap(), bytes);
    }

    #[test]
    fn a_directory_that_is_not_taken_stays_noted() {
        let dir = tempfile::tempdir().unwrap();
        note(dir.path());
        // A file that cannot be opened for writing: a program that runs.
        let running = dir.path().join("running");
        std::fs::copy("/bin/sleep", &running).unwrap();
        let mut child = std::process::Command::new(&running)
            .arg("30")
            .spawn()
            .unwrap();
        assert!(matches!(settle(dir.path()), Err(StoreError::Failed(_))));
        assert!(dir.path().join(FILE_NAME).exists());
        child.kill().unwrap();
        child.wait().unwrap();
        settle(dir.path()).unwrap();
    }
}
