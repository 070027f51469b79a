//! Whether the store still takes commits, by those that it was asked for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use store::{CommitOutcome, StoreError};

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
    use store::Table;

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
