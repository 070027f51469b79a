//! The programs that are shown: the node's and the checkpoint's, built beside this one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::voice::Voice;

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The node's.
    pub node: PathBuf,
    /// The checkpoint's.
    pub checkpoint: PathBuf,
    /// A directory beside them that outlives the run: test keys are kept there.
    pub cache_dir: PathBuf,
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
            cache_dir: dir.join("demo-cache"),
        };
        for program in [&programs.node, &programs.checkpoint] {
            ensure!(program.exists(), "{} is not there", program.display());
        }
        std::fs::create_dir_all(&programs.cache_dir)?;
        Ok(programs)
    }

    /// Builds them with the profile that this program was built with, and finds them beside it.
    ///
    /// # Errors
    /// If cargo fails.
    pub fn build(voice: Voice) -> Result<Self> {
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
        command
            .current_dir(workspace)
            .args([
                "build",
                "--package",
                "node",
                "--package",
                "checkpoint",
                "--bins",
            ])
            .args(["--profile", profile])
            .arg("--target-dir")
            .arg(target);
        voice.say(format!(
            "cargo build --profile {profile} --package node --package checkpoint --bins"
        ));
        if voice.is_quiet() {
            command.arg("--quiet");
        }
        let built = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()?;
        ensure!(built.success(), "cargo build failed: {built}");
        Self::in_dir(dir)
    }
}
