//! Where the tools are, and which.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::process;
use crate::files;

/// A package's description takes a few kilobytes.
const MAX_PACKAGE_BYTES: usize = 1 << 20;

/// Tools that are not there, or in another version than pinned.
#[derive(Debug, thiserror::Error)]
#[error("tools are missing: {missing}; install them with {install}")]
pub(super) struct Missing {
    missing: String,
    install: String,
}

/// The tools, found and in their pinned versions.
pub(super) struct Tools {
    folder: PathBuf,
    /// Longest that one of them may take for one answer.
    pub(super) limit: Duration,
    /// Versions by name.
    pub(super) versions: BTreeMap<String, String>,
    has_solver: bool,
}

#[derive(Deserialize)]
struct Package {
    version: Option<String>,
    #[serde(rename = "devDependencies", default)]
    wanted: BTreeMap<String, String>,
}

impl Tools {
    /// Finds the tools in `folder`, or where they are by default. The solver may be missing.
    ///
    /// # Errors
    /// [`Missing`] with what is not there.
    pub(super) fn find(folder: Option<&Path>, limit: Duration) -> Result<Self> {
        let folder = folder.map_or_else(default_folder, ToOwned::to_owned);
        let mut missing = Vec::new();
        let mut versions = BTreeMap::new();
        let node = process::run(Command::new("node").arg("--version"), b"", limit);
        match node {
            Ok(done) if done.code == Some(0) => {
                let version = done.stdout.trim().trim_start_matches('v');
                versions.insert("node".to_owned(), version.to_owned());
            }
            _ => missing.push("node (Node.js 20 or later)".to_owned()),
        }
        let list = folder.join("package.json");
        let wanted = if list.exists() {
            package(&list)?.wanted
        } else {
            missing.push(list.display().to_string());
            BTreeMap::new()
        };
        for (name, version) in wanted {
            let at = folder.join("node_modules").join(&name);
            let found = package(&at.join("package.json")).ok();
            match found.and_then(|found| found.version) {
                Some(found) if found == version => {
                    versions.insert(name, version);
                }
                Some(found) => missing.push(format!("{name} {version} (there is {found})")),
                None => missing.push(format!("{name} {version}")),
            }
        }
        if !missing.is_empty() {
            let missing = missing.join(", ");
            let install = install(&folder, "npm");
            return Err(Missing { missing, install }.into());
        }
        let mut tools = Self {
            folder,
            limit,
            versions,
            has_solver: false,
        };
        tools.find_solver()?;
        Ok(tools)
    }

    /// The solver alone, if it is installed.
    pub(super) fn solver_only(folder: Option<&Path>, limit: Duration) -> Result<Option<Self>> {
        let mut tools = Self {
            folder: folder.map_or_else(default_folder, ToOwned::to_owned),
            limit,
            versions: BTreeMap::new(),
            has_solver: false,
        };
        tools.find_solver()?;
        Ok(tools.has_solver.then_some(tools))
    }

    fn find_solver(&mut self) -> Result<()> {
        let python = self.python();
        if !python.exists() {
            return Ok(());
        }
        let version = "import cvc5; print(cvc5.__version__)";
        let done = process::run(Command::new(python).args(["-c", version]), b"", self.limit)?;
        if done.code == Some(0) {
            let version = done.stdout.trim().to_owned();
            self.versions.insert("cvc5".to_owned(), version);
            self.has_solver = true;
        }
        Ok(())
    }

    /// The solver, if it is installed.
    pub(super) fn solver(&self) -> Option<Command> {
        self.has_solver.then(|| {
            let mut command = Command::new(self.python());
            command.arg(self.folder.join("solve.py"));
            command
        })
    }

    /// How the solver is installed.
    pub(super) fn solver_install(&self) -> String {
        install(&self.folder, "solver")
    }

    /// snarkjs' command line.
    pub(super) fn snarkjs(&self) -> Command {
        self.node("node_modules/snarkjs/build/cli.cjs")
    }

    /// The hashes of others.
    pub(super) fn poseidon(&self) -> Command {
        self.node("poseidon.mjs")
    }

    fn node(&self, script: &str) -> Command {
        let mut command = Command::new("node");
        command.arg(self.folder.join(script)).env("NO_COLOR", "1");
        command
    }

    fn python(&self) -> PathBuf {
        self.folder.join(".venv/bin/python")
    }
}

fn default_folder() -> PathBuf {
    let here = PathBuf::from("circuits/tools");
    if here.join("package.json").exists() {
        here
    } else {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        source.unwrap_or(Path::new(".")).join(here)
    }
}

/// The command that installs a part of the tools: the folder's own, or the one in the project's source.
fn install(folder: &Path, part: &str) -> String {
    let own = folder.join("install");
    let command = if own.exists() {
        own.display().to_string()
    } else {
        "circuits/tools/install".to_owned()
    };
    format!("{command} {part}")
}

fn package(path: &Path) -> Result<Package> {
    let bytes = files::read(path, MAX_PACKAGE_BYTES)?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is refused", path.display()))
}
