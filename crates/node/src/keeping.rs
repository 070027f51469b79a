//! What is kept, how long and where: two tables of the configuration.

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use store::{Backend, DiskOptions};

/// How long things are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days after which an event on which nothing rests leaves, and with it what was asked and answered before.
    pub horizon_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        // Twice the age at which events are still taken, so that an appeal over any of them finds it.
        Self { horizon_days: 60 }
    }
}

/// The store's room.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreRoom {
    /// Which database: `sled` or `redb`.
    pub backend: Backend,
    /// Page cache, mebibytes.
    pub cache_mib: u64,
    /// What is to stay free on the disk, mebibytes.
    pub reserve_mib: u64,
    /// What the store may have on disk, mebibytes; 0 for no limit.
    pub max_mib: u64,
    /// Time in which the database must answer, and open besides a second for every 10 MiB, seconds.
    pub stall_limit_s: u64,
    /// Whether all rows are read and added up at the start.
    pub verify_at_start: bool,
    /// Who can read backups: age recipients.
    pub backup_recipients: Vec<String>,
}

impl Default for StoreRoom {
    fn default() -> Self {
        Self {
            backend: Backend::Sled,
            cache_mib: 64,
            reserve_mib: 256,
            max_mib: 0,
            stall_limit_s: 30,
            verify_at_start: true,
            backup_recipients: Vec::new(),
        }
    }
}

impl Retention {
    /// Each key with its value and bounds.
    pub(crate) fn ranges(self) -> impl Iterator<Item = (&'static str, u64, u64, u64)> {
        let days = self.horizon_days.into();
        std::iter::once(("retention.horizon_days", days, 1, 3_650))
    }
}

impl StoreRoom {
    /// Each key with its value and bounds.
    pub(crate) fn ranges(&self) -> impl Iterator<Item = (&'static str, u64, u64, u64)> {
        [
            ("store.cache_mib", self.cache_mib, 1, 1 << 20),
            ("store.reserve_mib", self.reserve_mib, 0, 1 << 40),
            ("store.max_mib", self.max_mib, 0, 1 << 40),
            ("store.stall_limit_s", self.stall_limit_s, 1, 3_600),
        ]
        .into_iter()
    }

    /// How a store in a directory is opened.
    pub(crate) fn disk_options(&self, dir: &Path) -> DiskOptions {
        DiskOptions {
            dir: dir.to_owned(),
            backend: self.backend,
            cache_bytes: self.cache_mib << 20,
            reserve_bytes: self.reserve_mib << 20,
            max_bytes: match self.max_mib {
                0 => u64::MAX,
                max_mib => max_mib << 20,
            },
            stall_limit: Duration::from_secs(self.stall_limit_s),
            verify: self.verify_at_start,
        }
    }
}
