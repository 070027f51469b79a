use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::batch::{after_prefix, whole_key};
use crate::mark::Tally;
use crate::{Batch, Each, Entries, Store, StoreError, Table};

/// A store in memory, for tests; it forgets everything with the process.
#[derive(Debug, Default)]
pub struct MemoryStore {
    rows: RwLock<BTreeMap<Vec<u8>, Vec<u8>>>,
    full: AtomicBool,
    commits: AtomicU64,
}

impl MemoryStore {
    /// Makes every later commit fail with [`StoreError::Full`], or no longer.
    pub fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }

    fn poisoned<T>(_: T) -> StoreError {
        StoreError::Failed("a thread died inside the memory store".to_owned())
    }
}

impl Store for MemoryStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let rows = self.rows.read().map_err(Self::poisoned)?;
        Ok(rows.get(&whole_key(table, key)?).cloned())
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Entries, StoreError> {
        let prefix = whole_key(table, prefix)?;
        let from = match after {
            Some(key) => Bound::Excluded(whole_key(table, key)?),
            None => Bound::Included(prefix.clone()),
        };
        let Some(end) = after_prefix(&prefix) else {
            return Ok(Vec::new());
        };
        if matches!(&from, Bound::Excluded(key) if *key >= end) {
            return Ok(Vec::new());
        }
        let rows = self.rows.read().map_err(Self::poisoned)?;
        let found = rows
            .range((from, Bound::Excluded(end)))
            .filter(|(key, _)| key.starts_with(&prefix));
        Ok(found
            .take(limit)
            .map(|(key, value)| (key[1..].to_vec(), value.clone()))
            .collect())
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut rows = self.rows.write().map_err(Self::poisoned)?;
        let changes = batch.resolve(|key| Ok(rows.get(key).cloned()))?;
        if self.full.load(Ordering::SeqCst) {
            return Err(StoreError::Full {
                free_bytes: 0,
                reserve_bytes: 1,
            });
        }
        self.commits.fetch_add(1, Ordering::SeqCst);
        for (key, value) in changes {
            match value {
                Some(value) => rows.insert(key, value),
                None => rows.remove(&key),
            };
        }
        Ok(())
    }

    fn export(&self, each: &mut Each<'_>) -> Result<Tally, StoreError> {
        let rows = self.rows.read().map_err(Self::poisoned)?.clone();
        let mut tally = Tally::default();
        tally.commits = self.commits.load(Ordering::SeqCst);
        for (key, value) in &rows {
            tally.add(key, value);
            each(key, Some(value))?;
        }
        Ok(tally)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Change, Opener, check_backend};

    struct Kept(Arc<MemoryStore>);

    impl Opener for Kept {
        fn open(&mut self) -> Arc<dyn Store> {
            self.0.clone()
        }
    }

    #[test]
    fn the_memory_backend_conforms() {
        check_backend(&mut Kept(Arc::default()));
    }

    #[test]
    fn a_full_store_refuses_and_applies_nothing() {
        let store = MemoryStore::default();
        store.set_full(true);
        let mut batch = Batch::default();
        batch.push(Table::Meta, vec![1], Change::Put(vec![2]));
        assert!(matches!(store.commit(batch), Err(StoreError::Full { .. })));
        assert_eq!(store.get(Table::Meta, &[1]).unwrap(), None);
    }
}
