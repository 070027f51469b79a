//! A store that can die at any commit, as a machine does: the process above it knows only that the commit has not returned.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use store::{Batch, Change, Each, Entries, MemoryStore, Store, StoreError, Table, Tally};

/// One process's hold of a house's rows.
pub(crate) struct Frail {
    rows: Arc<MemoryStore>,
    is_dead: AtomicBool,
    /// Commits until it dies; below zero it does not.
    left: AtomicI64,
    /// Whether the last commit is kept although nobody is told.
    keeps_last: AtomicBool,
}

impl Frail {
    pub(crate) fn over(rows: Arc<MemoryStore>) -> Self {
        Self {
            rows,
            is_dead: AtomicBool::new(false),
            left: AtomicI64::new(-1),
            keeps_last: AtomicBool::new(false),
        }
    }

    /// Has the commit after as many more be the last.
    pub(crate) fn die_after(&self, commits: i64, keeps_last: bool) {
        self.keeps_last.store(keeps_last, Ordering::SeqCst);
        self.left.store(commits, Ordering::SeqCst);
    }

    /// The process is gone: whatever is left of it changes nothing any more.
    pub(crate) fn die(&self) {
        self.is_dead.store(true, Ordering::SeqCst);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::SeqCst)
    }

    fn alive(&self) -> Result<(), StoreError> {
        if self.is_dead() {
            return Err(StoreError::Failed("the machine is gone".to_owned()));
        }
        Ok(())
    }
}

impl Store for Frail {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.alive()?;
        self.rows.get(table, key)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Entries, StoreError> {
        self.alive()?;
        self.rows.scan(table, prefix, after, limit)
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.alive()?;
        if self.left.load(Ordering::SeqCst) >= 0 && self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            if self.keeps_last.load(Ordering::SeqCst) {
                self.rows.commit(batch)?;
            }
            self.die();
            return self.alive();
        }
        self.rows.commit(batch)
    }

    fn export(&self, each: &mut Each<'_>) -> Result<Tally, StoreError> {
        self.alive()?;
        self.rows.export(each)
    }
}

/// All rows of a store, as they are now.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn copy_of(rows: &MemoryStore) -> Result<MemoryStore, StoreError> {
    let copy = MemoryStore::default();
    let mut batch = Batch::default();
    rows.export(&mut |key, value| {
        let (code, key) = key.split_first().unwrap_or((&0, &[]));
        if let (Some(table), Some(value)) = (Table::from_code(*code), value) {
            batch.push(table, key.to_vec(), Change::Put(value.to_vec()));
        }
        Ok(())
    })?;
    copy.commit(batch)?;
    Ok(copy)
}

/// Bytes of all rows, with their keys.
///
/// # Errors
/// [`StoreError`].
pub(crate) fn size_of(rows: &MemoryStore) -> Result<u64, StoreError> {
    let mut size = 0;
    rows.export(&mut |key, value| {
        size += key.len() as u64 + value.map_or(0, <[u8]>::len) as u64;
        Ok(())
    })?;
    Ok(size)
}
