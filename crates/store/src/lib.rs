//! Where a node keeps what it must not lose: one small trait, three backends, and typed rows sealed on top.
//!
//! It knows the form of rows, not what follows from them, and no network. The trait is a sorted key-value store with
//! atomic, durable batches; [`check_backend`] states what every backend must do, and is run against each. [`DiskStore`]
//! keeps a directory over crashes, damage and conversions; [`Vault`] seals each resident's rows under a key of their own.

mod backup;
mod batch;
mod conformance;
mod disk;
mod entropy;
mod error;
mod generation;
mod group;
mod guarded;
mod mark;
mod memory;
mod observe;
mod page_sums;
mod redb_engine;
mod room;
mod rows;
mod seal;
mod sled_engine;
mod table;
#[cfg(test)]
mod testing;
mod unsynced;
mod vault;
mod watch;

pub use backup::{BackupError, check_backup, restore_backup, write_backup};
pub use batch::{Batch, Change, MAX_KEY_LEN_BYTES, MAX_VALUE_LEN_BYTES};
pub use conformance::{Opener, check_backend};
pub use disk::{Backend, DiskOptions, DiskStore, Usage};
pub use entropy::Entropy;
pub use error::StoreError;
pub use mark::Tally;
pub use memory::MemoryStore;
pub use observe::{CommitOutcome, ObservedStore, StoreObserver};
pub use rows::{
    AppealDecisionRow, AppealRow, CaseRow, CommittedRow, DeviceRow, EpochRow, EventRow, Evidence,
    ForwardState, ForwardedRow, IssuedRow, LimitRow, LogEvidenceRow, MirrorRow, NamingRow,
    OnlineRow, OutboxRow, ProxyRow, ReadPurpose, ReadRow, RecoveredRow, RefusedRow, RegistryRow,
    ResidentKey, ResidentRow, RootRow, RootSetRow, RuleSetCountRow, SentAs, SignedStatementRow,
    UseRow, WaitingRow, WitnessedRow,
};
pub use seal::{KeyRing, mac};
pub use table::Table;
pub use vault::{Checked, Finding, SCHEMA_VERSION, StoreIdentity, Vault, WriteSet, open_on_disk};

/// Rows of a table: key and value.
pub type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// Takes a whole key – table number, then key – with its value, or none for a row that was removed.
pub type Each<'a, E = StoreError> = dyn FnMut(&[u8], Option<&[u8]>) -> Result<(), E> + 'a;

/// Takes a row.
type EachRow<'a, E = StoreError> = dyn FnMut(&[u8], &[u8]) -> Result<(), E> + 'a;

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
    /// [`StoreError::Conflict`] if a row that must be new or unchanged is not, [`StoreError::Full`] and
    /// [`StoreError::SizeLimit`] if there is no room, [`StoreError::ValueTooLarge`] and [`StoreError::KeyTooLarge`] beyond
    /// the limits; nothing is applied then. [`StoreError::Failed`] if the outcome is unknown; the store refuses all
    /// further work.
    fn commit(&self, batch: Batch) -> Result<(), StoreError>;

    /// Gives `each` whole keys – table number, then key – with values, or none for a row that was removed. Taken in the
    /// order given, the later over the earlier, they are the store at the moment of the last commit before the end; what
    /// they add up to at that moment is returned. Commits go on meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Overrun`] if `each` is too slow for the commits made meanwhile; what `each` returns; [`StoreError`]
    /// where the backend fails.
    fn export(&self, each: &mut Each<'_>) -> Result<Tally, StoreError>;
}
