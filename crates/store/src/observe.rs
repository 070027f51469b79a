//! Seeing what a store does: how many commits, how long they take, and what becomes of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{Batch, Each, Entries, Store, StoreError, Table, Tally};

/// Whoever is told of commits. A store calls it from its own threads, so nothing in it may wait.
pub trait StoreObserver: Send + Sync + 'static {
    /// A commit is asked for. Its number comes back when it has ended.
    fn commit_began(&self) -> u64;

    /// A commit has ended after `took`, waiting for its turn included.
    fn commit_ended(&self, number: u64, took: Duration, outcome: Result<(), &StoreError>);

    /// One flush, after which `commits` of them were durable, took as long.
    fn group_flushed(&self, commits: usize, took: Duration);
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommitOutcome {
    /// It would survive a loss of power.
    Durable,
    /// A row that had to be new was there; nothing was written.
    Conflict,
    /// A key or value was over its limit; nothing was written.
    TooLarge,
    /// There was no room; nothing was written.
    Full,
    /// The store failed.
    Failed,
}

impl CommitOutcome {
    /// All outcomes.
    pub const ALL: [Self; 5] = [
        Self::Durable,
        Self::Conflict,
        Self::TooLarge,
        Self::Full,
        Self::Failed,
    ];

    /// One word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Conflict => "conflict",
            Self::TooLarge => "too-large",
            Self::Full => "full",
            Self::Failed => "failed",
        }
    }

    /// The outcome that a store's answer is.
    pub fn of(outcome: Result<(), &StoreError>) -> Self {
        match outcome {
            Ok(()) => Self::Durable,
            Err(StoreError::Conflict(_)) => Self::Conflict,
            Err(StoreError::ValueTooLarge { .. } | StoreError::KeyTooLarge(_)) => Self::TooLarge,
            Err(StoreError::Full { .. } | StoreError::SizeLimit { .. }) => Self::Full,
            Err(_) => Self::Failed,
        }
    }
}

/// A store whose commits are told to an observer.
pub struct ObservedStore {
    store: Arc<dyn Store>,
    observer: Arc<dyn StoreObserver>,
}

impl ObservedStore {
    /// Around a store.
    pub fn new(store: Arc<dyn Store>, observer: Arc<dyn StoreObserver>) -> Self {
        Self { store, observer }
    }
}

impl Store for ObservedStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Entries, StoreError> {
        self.store.scan(table, prefix, after, limit)
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        observed(&*self.observer, || self.store.commit(batch))
    }

    fn export(&self, each: &mut Each<'_>) -> Result<Tally, StoreError> {
        self.store.export(each)
    }
}

/// Makes a commit and tells of it.
pub(crate) fn observed(
    observer: &dyn StoreObserver,
    commit: impl FnOnce() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let number = observer.commit_began();
    let began = Instant::now();
    let outcome = commit();
    let told = outcome.as_ref().copied();
    observer.commit_ended(number, began.elapsed(), told);
    outcome
}
