//! Who is asked and how often, as configurations say it; checked as a whole before anybody is asked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use commitment::{REGISTRY_SLOTS, Slot};
use plain_http::{AddressError, Origin};
use serde::Deserialize;

/// Shortest time between two looks, seconds: nodes are not to be asked more often by themselves.
const LEAST_REFRESH_S: u32 = 10;
/// Time between two looks where none is said, seconds.
const REFRESH_S: u32 = 300;

/// What a configuration says. Paths are relative to its own directory.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookingFile {
    /// Time between two looks at the nodes, seconds.
    #[serde(default)]
    pub refresh_every_s: Option<u32>,
    /// Texts of rule sets, besides those that are built in.
    #[serde(default)]
    pub rule_files: Vec<PathBuf>,
    /// The nodes.
    #[serde(default, rename = "node")]
    pub nodes: Vec<NodeFile>,
}

/// A node, as a configuration names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeFile {
    /// Its slot.
    pub slot: u8,
    /// Where it serves what anybody may read, `http://…`.
    pub url: String,
}

/// A node, and where it serves what anybody may read.
#[derive(Clone, Debug)]
pub struct NodeAt {
    /// Its slot.
    pub slot: Slot,
    /// The address, as it was written.
    pub url: String,
    pub(crate) origin: Origin,
}

/// Who is asked, and how often.
#[derive(Clone, Debug)]
pub struct Looking {
    /// Time between two looks at the nodes.
    pub refresh_every: Duration,
    /// Files with texts of rule sets.
    pub rule_files: Vec<PathBuf>,
    /// The nodes, each slot once.
    pub nodes: Vec<NodeAt>,
}

/// Why a configuration is refused; whoever wrote it is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookingError {
    /// Nodes would be asked too often.
    #[error("refresh_every_s: at least {LEAST_REFRESH_S}")]
    TooOften,
    /// More nodes than there are slots.
    #[error("{0} nodes, at most {REGISTRY_SLOTS}")]
    TooMany(usize),
    /// A slot that there is not.
    #[error("node.slot: {0} is none")]
    NoSlot(u8),
    /// Two nodes in one slot.
    #[error("node.slot: {0} stands there twice")]
    Twice(u8),
    /// An address that is none.
    #[error("node.url {url:?}: {error}")]
    Address {
        /// As it was written.
        url: String,
        /// Why it is none.
        error: AddressError,
    },
}

impl LookingFile {
    /// Checks it, for a configuration that lies in `dir`.
    ///
    /// # Errors
    /// [`LookingError`] for the first thing that is wrong.
    pub fn check(self, dir: &Path) -> Result<Looking, LookingError> {
        let refresh_every_s = self.refresh_every_s.unwrap_or(REFRESH_S);
        if refresh_every_s < LEAST_REFRESH_S {
            return Err(LookingError::TooOften);
        }
        if self.nodes.len() > REGISTRY_SLOTS {
            return Err(LookingError::TooMany(self.nodes.len()));
        }
        let mut slots = BTreeSet::new();
        let nodes = self.nodes.into_iter().map(|NodeFile { slot, url }| {
            let slot = Slot::new(slot).ok_or(LookingError::NoSlot(slot))?;
            if !slots.insert(slot) {
                return Err(LookingError::Twice(slot.get()));
            }
            match Origin::new(&url) {
                Ok(origin) => Ok(NodeAt { slot, url, origin }),
                Err(error) => Err(LookingError::Address { url, error }),
            }
        });
        Ok(Looking {
            refresh_every: Duration::from_secs(refresh_every_s.into()),
            rule_files: self.rule_files.iter().map(|path| dir.join(path)).collect(),
            nodes: nodes.collect::<Result<_, _>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str) -> Result<Looking, LookingError> {
        let file: LookingFile = toml::from_str(text).unwrap();
        file.check(Path::new("/etc/page"))
    }

    #[test]
    fn what_is_left_out_has_a_value_and_paths_are_of_the_files_own_directory() {
        let looking = checked("rule_files = [\"a.toml\"]").unwrap();
        assert_eq!(looking.refresh_every, Duration::from_mins(5));
        assert_eq!(looking.rule_files, [Path::new("/etc/page/a.toml")]);
        assert!(looking.nodes.is_empty());
    }

    #[test]
    fn a_configuration_is_refused_by_what_is_wrong_with_it() {
        let many = "[[node]]\nslot = 1\nurl = \"http://a\"\n".repeat(REGISTRY_SLOTS + 1);
        let https = LookingError::Address {
            url: "https://a".to_owned(),
            error: AddressError::NotPlain,
        };
        for (text, why) in [
            ("refresh_every_s = 9", LookingError::TooOften),
            (&many, LookingError::TooMany(REGISTRY_SLOTS + 1)),
            (
                "node = [{slot = 64, url = \"http://a\"}]",
                LookingError::NoSlot(64),
            ),
            (
                "node = [{slot = 1, url = \"http://a\"}, {slot = 1, url = \"http://b\"}]",
                LookingError::Twice(1),
            ),
            ("node = [{slot = 1, url = \"https://a\"}]", https),
        ] {
            assert_eq!(checked(text).unwrap_err(), why, "{text}");
        }
        assert!(toml::from_str::<LookingFile>("refresh = 9").is_err());
    }
}
