//! Looking after the store: backups, compaction, keys and checks, beside a running node or without one.

mod backup;
mod control;
mod fsck;
mod fsck_appeals;
mod fsck_log;
mod fsck_promises;
mod service;

use std::path::PathBuf;
use std::sync::Arc;

use store::{DiskStore, KeyRing, Vault};

pub use backup::{BackupFile, restore_from};
pub(crate) use control::CONTROL_SOCKET;
pub use control::{control_channel, open_control, serve_control};
pub use fsck::{Fsck, fsck};

/// What the control socket needs besides the node.
pub struct Upkeep {
    /// The socket's path.
    pub(crate) socket: PathBuf,
    pub(crate) disk: Arc<DiskStore>,
    pub(crate) vault: Arc<Vault>,
    /// Who can read backups.
    pub(crate) recipients: Vec<String>,
    /// Reads the key ring anew.
    pub(crate) read_ring: Box<dyn Fn() -> Result<KeyRing, String> + Send + Sync>,
}
