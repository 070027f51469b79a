//! Where a node keeps what it must not lose: one small trait, two backends, and typed rows sealed on top.
//!
//! Nothing above this module knows a database. The trait is a sorted key-value store with atomic, durable batches;
//! [`check_backend`] states what every backend must do, and is run against each.

mod batch;
mod conformance;
mod memory;
mod rows;
mod seal;
mod sled_store;
mod vault;

pub use batch::{Batch, Change, MAX_KEY_LEN_BYTES, MAX_VALUE_LEN_BYTES, Table};
pub use conformance::{Opener, check_backend};
pub use memory::MemoryStore;
pub use rows::{
    CaseRow, CommittedRow, DeviceRow, EpochRow, EventRow, Evidence, IssuedRow, LimitRow, OnlineRow,
    ReadPurpose, ReadRow, RefusedRow, RegistryRow, ResidentKey, ResidentRow, UseRow,
};
pub(crate) use seal::mac;
pub use seal::{NodeKey, Seal};
pub use sled_store::{SledOptions, SledStore};
pub use vault::{SCHEMA_VERSION, StoreIdentity, Vault, WriteSet};

/// Rows of a table: key and value.
pub type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// A sorted key-value store with atomic, durable batches.
///
/// A backend is asked from many threads at once. `commit` returns only when the batch would survive a loss of power;
/// readers may see a batch a moment earlier, so callers acknowledge nothing before `commit` has returned.
pub trait Store: Send + Sync + 'static {
    /// The value under `key`, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] where the backend fails.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` rows whose keys begin with `prefix`, ascending, and after `after` where it is given.
    ///
    /// # Errors
    /// [`StoreError`] where the backend fails.
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Entries, StoreError>;

    /// Applies all of `batch` or nothing of it, and returns when it is durable.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a row that must be new is there, [`StoreError::Full`] if there is no room,
    /// [`StoreError::ValueTooLarge`] and [`StoreError::KeyTooLarge`] beyond the limits; nothing is applied then.
    /// [`StoreError::Failed`] if the outcome is unknown; the store refuses all further work.
    fn commit(&self, batch: Batch) -> Result<(), StoreError>;
}

/// Why the store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The caller asked for a row to be new, and it is there.
    #[error("a row that must be new is already in table {}", .0.name())]
    Conflict(Table),
    /// The caller's value exceeds the limit of 65,536 bytes.
    #[error("a value of {len_bytes} bytes for table {} exceeds {MAX_VALUE_LEN_BYTES}", table.name())]
    ValueTooLarge {
        /// Table of the value.
        table: Table,
        /// Its length.
        len_bytes: usize,
    },
    /// The caller's key exceeds the limit of 128 bytes.
    #[error("a key of {0} bytes exceeds {MAX_KEY_LEN_BYTES}")]
    KeyTooLarge(usize),
    /// The disk has less room than the configured reserve; the operator must make room.
    #[error("the disk is full: {free_bytes} bytes free, {reserve_bytes} to be kept free")]
    Full {
        /// Bytes free.
        free_bytes: u64,
        /// Bytes that the configuration keeps free.
        reserve_bytes: u64,
    },
    /// Another process has the directory.
    #[error("the store directory is in use by another process")]
    Locked,
    /// The directory belongs to another node, or to another schema.
    #[error("the store belongs to {found}, not to {expected}")]
    Foreign {
        /// What the store says.
        found: String,
        /// What this node is.
        expected: String,
    },
    /// The node key does not open this store.
    #[error("the node key is not the one that this store was sealed with")]
    WrongKey,
    /// A stored value was changed or damaged: its seal does not open.
    #[error("a value in table {} is damaged", .0.name())]
    Damaged(Table),
    /// The database failed; its message names no resident. The process must be restarted.
    #[error("the database failed: {0}")]
    Failed(String),
}
