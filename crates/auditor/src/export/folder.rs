//! A folder of exported files: each is written beside its name and moved there whole, and remembered with its digest.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::manifest;
use crate::files;

/// A file that was written.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Written {
    pub(crate) name: String,
    pub(crate) bytes: usize,
    pub(crate) sha256: String,
}

/// A folder to write to.
pub(crate) struct Folder {
    path: PathBuf,
    written: Vec<Written>,
}

impl Folder {
    /// Makes the folder if it is not there. One that has files is taken only if `force` is set; of these, the manifest
    /// goes at once: it must not speak for files that are about to change.
    pub(crate) fn open(path: &Path, force: bool) -> Result<Self> {
        let shown = path.display();
        fs::create_dir_all(path).with_context(|| format!("cannot make the folder {shown}"))?;
        let mut entries = fs::read_dir(path).with_context(|| format!("cannot read {shown}"))?;
        if entries.next().is_some() {
            if !force {
                bail!("the folder {shown} is not empty (--force writes into it all the same)");
            }
            let manifest = path.join(manifest::NAME);
            if manifest.exists() {
                fs::remove_file(&manifest)
                    .with_context(|| format!("cannot remove {}", manifest.display()))?;
            }
        }
        Ok(Self {
            path: path.to_owned(),
            written: Vec::new(),
        })
    }

    /// Where a file of this name is.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a whole file, whose name may have a folder before it.
    pub(crate) fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.file(name);
        if let Some(inner) = path.parent().filter(|inner| *inner != self.path) {
            fs::create_dir_all(inner)
                .with_context(|| format!("cannot make the folder {}", inner.display()))?;
        }
        files::write_whole(&path, bytes)?;
        self.written.push(Written {
            name: name.to_owned(),
            bytes: bytes.len(),
            sha256: hex::encode(Sha256::digest(bytes)),
        });
        Ok(())
    }

    /// Writes a value as JSON.
    pub(crate) fn write_json(&mut self, name: &str, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(value)? + "\n";
        self.write(name, text.as_bytes())
    }

    /// What was written so far.
    pub(crate) fn written(&self) -> &[Written] {
        &self.written
    }
}
