use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::ResidentKey;

const SHARDS: usize = 256;

/// Locks over residents, so that what is checked against a record still holds when it is written.
pub(crate) struct Locks([Mutex<()>; SHARDS]);

impl Locks {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::new(())))
    }

    /// Holds all of `residents`, taken in one fixed order, so that no two callers wait for each other.
    pub(crate) fn hold(
        &self,
        residents: impl IntoIterator<Item = ResidentKey>,
    ) -> Vec<MutexGuard<'_, ()>> {
        let mut shards: Vec<usize> = residents.into_iter().map(|r| usize::from(r.0[0])).collect();
        shards.sort_unstable();
        shards.dedup();
        // What a lock guards is in the store, which takes all of a batch or nothing: a panic leaves no half state.
        shards
            .into_iter()
            .map(|s| self.0[s].lock().unwrap_or_else(PoisonError::into_inner))
            .collect()
    }
}
