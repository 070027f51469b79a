//! The programs that are run: built beside this one, or taken from a directory.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The node's.
    pub node: PathBuf,
    /// The checkpoint's.
    pub checkpoint: PathBuf,
    /// The federation's desk.
    pub federation: PathBuf,
}

impl Programs {
    /// Those in a directory.
    ///
    /// # Errors
    /// If one is not there.
    pub fn in_dir(dir: &Path) -> Result<Self> {
        // They are started from other directories.
        let dir = std::path::absolute(dir)?;
        let programs = Self {
            node: dir.join("node"),
            checkpoint: dir.join("checkpoint"),
            federation: dir.join("federation"),
        };
        for program in [&programs.node, &programs.checkpoint, &programs.federation] {
            ensure!(program.exists(), "{} is not there", program.display());
        }
        Ok(programs)
    }

    /// Builds them with the profile that this program was built with, and finds them beside it.
    ///
    /// # Errors
    /// If cargo fails.
    pub fn build() -> Result<Self> {
        let own = std::env::current_exe().context("where this program is")?;
        let dir = own.parent().context("the directory of this program")?;
        let workspace = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        if !workspace.join("Cargo.toml").exists() {
            return Self::in_dir(dir); // moved away from its source
        }
        let profile = match dir.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(name) => name,
        };
        let target = dir.parent().context("the target directory")?;
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(workspace).args(["build", "--bins"]);
        for package in ["node", "checkpoint", "membership"] {
            command.args(["--package", package]);
        }
        command.args(["--profile", profile, "--target-dir"]);
        command.arg(target).stdin(Stdio::null());
        // Standard output is for what was found.
        let built = command.stdout(Stdio::null()).status().context("cargo")?;
        ensure!(built.success(), "cargo build failed: {built}");
        Self::in_dir(dir)
    }
}
