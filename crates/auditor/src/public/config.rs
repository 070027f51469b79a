//! The configuration of the page: read and checked as a whole before a port opens.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use federation::FederationId;
use published::{Looking, LookingFile, NodeFile};
use serde::Deserialize;
use verifier::trust::RootKeys;

use super::time::SimulatedTime;
use crate::files;

/// Longest configuration.
const MAX_CONFIG_LEN_BYTES: usize = 64 * 1024;

/// The file. Paths are relative to its own directory.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigFile {
    federation: String,
    #[serde(default)]
    listen: Option<SocketAddr>,
    #[serde(default)]
    refresh_every_s: Option<u32>,
    #[serde(default)]
    rule_files: Vec<PathBuf>,
    trust: TrustFile,
    #[serde(default, rename = "node")]
    nodes: Vec<NodeFile>,
    #[serde(default)]
    clock: Option<SimulatedTime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TrustFile {
    root_keys: Vec<String>,
    root_threshold: u8,
}

/// What is believed, and who is asked.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// Name of the federation: logs and witnesses are called after it.
    pub(super) federation: String,
    pub(super) listen: SocketAddr,
    pub(super) root_keys: RootKeys,
    pub(super) looking: Looking,
    pub(super) clock: Option<SimulatedTime>,
}

impl Config {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let refused = || format!("{} is refused", path.display());
        let bytes = files::read(path, MAX_CONFIG_LEN_BYTES)?;
        let text = String::from_utf8(bytes).with_context(refused)?;
        let dir = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, dir).with_context(refused)
    }

    pub(super) fn parse(text: &str, dir: &Path) -> Result<Self> {
        let file: ConfigFile = toml::from_str(text)?;
        let federation = FederationId::new(&file.federation).context("federation")?;
        let trust = &file.trust;
        let root_keys = RootKeys::from_digits(&trust.root_keys, trust.root_threshold);
        let root_keys = root_keys.context("trust.root_keys")?;
        let looking = LookingFile {
            refresh_every_s: file.refresh_every_s,
            rule_files: file.rule_files,
            nodes: file.nodes,
        };
        Ok(Self {
            federation: federation.as_str().to_owned(),
            listen: file.listen.unwrap_or((Ipv4Addr::LOCALHOST, 0).into()),
            root_keys,
            looking: looking.check(dir)?,
            clock: file.clock,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "d62f016a1efd1e4fdf793eb42cd84471e1ba9f0cf04d1287b5cc71f616287cb8";

    fn parsed(more: &str) -> Result<Config> {
        let text = format!(
            "federation = \"demo\"\n{more}\n[trust]\nroot_keys = [\"{KEY}\"]\nroot_threshold = 1\n"
        );
        Config::parse(&text, Path::new("/etc/page"))
    }

    #[test]
    fn what_is_left_out_has_a_value_and_paths_are_of_the_files_own_directory() {
        let config = parsed("refresh_every_s = 20\nrule_files = [\"a.toml\"]").unwrap();
        assert_eq!(config.listen, "127.0.0.1:0".parse().unwrap());
        assert_eq!(config.looking.refresh_every.as_secs(), 20);
        assert_eq!(config.looking.rule_files, [Path::new("/etc/page/a.toml")]);
        assert!(config.looking.nodes.is_empty());
    }

    #[test]
    fn a_configuration_is_refused_by_what_is_wrong_with_it() {
        for (more, why) in [
            ("refresh_every_s = 9", "refresh_every_s"),
            ("refresh = 9", "unknown field"),
            ("node = [{slot = 64, url = \"http://a\"}]", "node.slot"),
            ("clock = {start_minute = 1}", "rate_min_per_s"),
        ] {
            let error = format!("{:#}", parsed(more).unwrap_err());
            assert!(error.contains(why), "{more}: {error}");
        }
    }
}
