//! Seeing what the store does: how many commits, how long, and whether it still takes any.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::store::{Batch, Entries, Store, StoreError, Table};

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
    pub(super) const ALL: [Self; 5] = [
        Self::Durable,
        Self::Conflict,
        Self::TooLarge,
        Self::Full,
        Self::Failed,
    ];

    pub(super) const fn name(self) -> &'static str {
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
            Err(StoreError::Full { .. }) => Self::Full,
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
        let number = self.observer.commit_began();
        let began = Instant::now();
        let outcome = self.store.commit(batch);
        let told = outcome.as_ref().copied();
        self.observer.commit_ended(number, began.elapsed(), told);
        outcome
    }
}

/// What is known of a store by the commits it was asked for.
#[derive(Debug, Default)]
pub(super) struct Commits {
    next: u64,
    under_way: BTreeMap<u64, Instant>,
    last: Option<(Instant, Result<(), StoreError>)>,
}

impl Commits {
    pub(super) fn begin(&mut self) -> u64 {
        self.next += 1;
        self.under_way.insert(self.next, Instant::now());
        self.next
    }

    pub(super) fn end(&mut self, number: u64, outcome: Result<(), &StoreError>) {
        self.under_way.remove(&number);
        // What the caller asked wrongly tells nothing about the store.
        let told = match CommitOutcome::of(outcome) {
            CommitOutcome::Conflict | CommitOutcome::TooLarge => return,
            _ => outcome.map_err(Clone::clone),
        };
        self.last = Some((Instant::now(), told));
    }

    /// How long the oldest commit that has not ended has been under way.
    pub(super) fn oldest(&self) -> Option<Duration> {
        self.under_way.values().next().map(Instant::elapsed)
    }

    /// How the last commit that tells something ended, and how long ago.
    pub(super) fn last(&self) -> Option<(Duration, &Result<(), StoreError>)> {
        let (at, outcome) = self.last.as_ref()?;
        Some((at.elapsed(), outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_caller_asks_wrongly_says_nothing_about_the_store() {
        let mut commits = Commits::default();
        let number = commits.begin();
        assert!(commits.oldest().is_some() && commits.last().is_none());
        commits.end(number, Err(&StoreError::Conflict(Table::Nonces)));
        assert!(commits.oldest().is_none() && commits.last().is_none());
        let number = commits.begin();
        let failed = StoreError::Failed("io".to_owned());
        commits.end(number, Err(&failed));
        assert_eq!(commits.last().unwrap().1, &Err(failed));
        let number = commits.begin();
        commits.end(number, Ok(()));
        assert_eq!(commits.last().unwrap().1, &Ok(()));
    }
}
