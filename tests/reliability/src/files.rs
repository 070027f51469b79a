//! Directories of a run.

use std::path::Path;

use anyhow::{Context as _, Result};

/// Copies a directory with all files that are in it.
///
/// # Errors
/// What the system refuses.
pub fn copy_dir(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else if entry.file_type()?.is_file() {
            // A killed node leaves its socket behind.
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Removes a directory if it is there.
///
/// # Errors
/// What the system refuses, naming the directory.
pub fn remove_dir(dir: &Path) -> Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", dir.display()))
        }
        _ => Ok(()),
    }
}
