use crate::{MAX_VALUE_LEN_BYTES, Table};

/// Why the store did not do what it was asked. No text names a resident.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The caller asked for a row to be new, or unchanged, and it is not.
    #[error("a row that must be new or unchanged is not, in table {}", .0.name())]
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
    #[error("a key of {0} bytes exceeds {max}", max = crate::MAX_KEY_LEN_BYTES)]
    KeyTooLarge(usize),
    /// The disk has less room than the configured reserve; the operator must make room.
    #[error(
        "the disk is full: {free_bytes} bytes free, {reserve_bytes} to be kept free (store.reserve_mib)"
    )]
    Full {
        /// Bytes free.
        free_bytes: u64,
        /// Bytes that the configuration keeps free.
        reserve_bytes: u64,
    },
    /// The store has reached its configured size.
    #[error(
        "the store has {size_bytes} bytes and may have {limit_bytes}: `node compact` gives back what is no longer used, \
         or store.max_mib can be raised"
    )]
    SizeLimit {
        /// Bytes on disk.
        size_bytes: u64,
        /// Bytes that the configuration admits.
        limit_bytes: u64,
    },
    /// Another process has the directory.
    #[error("the store directory is in use by another process")]
    Locked,
    /// The directory belongs to another node.
    #[error("the store belongs to {found}, not to {expected}")]
    Foreign {
        /// What the store says.
        found: String,
        /// What this node is.
        expected: String,
    },
    /// The rows have the form of a newer program.
    #[error(
        "the store has schema {found}, this program knows {known} and earlier ones; use the newer program"
    )]
    Newer {
        /// Schema of the store.
        found: u32,
        /// Newest schema known here.
        known: u32,
    },
    /// The directory holds another kind of database than is configured.
    #[error(
        "the directory holds a {found} store and store.backend is {configured}: set it to {found}, or convert with \
         `node compact`"
    )]
    OtherBackend {
        /// Kind found.
        found: &'static str,
        /// Kind configured.
        configured: &'static str,
    },
    /// The node's keys do not open this store.
    #[error("the node's keys are not the ones that this store was sealed with")]
    WrongKey,
    /// A data key is wrapped under a key that the ring does not hold.
    #[error("a data key is wrapped under key number {0}, which is not in the key file")]
    KeyMissing(u32),
    /// A stored value was changed or damaged: its seal does not open.
    #[error("a value in table {} is damaged", .0.name())]
    Damaged(Table),
    /// The database came back without commits that were acknowledged.
    #[error(
        "the database has commit {found} and {acknowledged} were acknowledged: it has lost some; restore the last backup, \
         and have the sources send again what came after it"
    )]
    LostCommits {
        /// Commit that the database holds.
        found: u64,
        /// Commit that was acknowledged last.
        acknowledged: u64,
    },
    /// The rows are not the ones that were committed: some are missing, changed, or old.
    #[error(
        "the rows do not add up to what was committed ({found_rows} of {expected_rows} rows): some are missing, changed \
         or old; restore the last backup"
    )]
    Rotten {
        /// Rows found.
        found_rows: u64,
        /// Rows committed.
        expected_rows: u64,
    },
    /// The database did not answer in time; it is not asked any more.
    #[error(
        "the database did not {what} within {limit_s} s, as happens over damaged files; restore the last backup"
    )]
    Stalled {
        /// What it was to do.
        what: &'static str,
        /// Time it had.
        limit_s: u64,
    },
    /// An export could not keep up with the commits made meanwhile.
    #[error(
        "the export is slower than the commits made meanwhile; try again at a quieter time or to a faster disk"
    )]
    Overrun,
    /// The database failed; its message names no resident. The process must be restarted.
    #[error("the database failed: {0}")]
    Failed(String),
}

pub(crate) fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Failed(error.to_string())
}

pub(crate) fn stopped() -> StoreError {
    StoreError::Failed("the store has stopped after a failure".to_owned())
}
