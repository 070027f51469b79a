//! The second database: one file, durable by default, pages with checksums.

use std::ops::Bound;
use std::path::Path;

use redb::{Database, ReadableDatabase as _, TableDefinition};

use crate::batch::Rows;
use crate::error::failed;
use crate::generation::{Engine, sync_dir};
use crate::page_sums::SummedFile;
use crate::{Entries, StoreError};

const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");

pub(crate) struct RedbEngine(Database);

impl RedbEngine {
    /// With `check` all pages are looked at, also those that say which ones are free: a wrong one among them would have
    /// rows written over later.
    pub(crate) fn open(dir: &Path, cache_bytes: u64, check: bool) -> Result<Self, StoreError> {
        let cache = usize::try_from(cache_bytes).unwrap_or(usize::MAX);
        let file = SummedFile::open(&dir.join("rows.redb")).map_err(failed)?;
        let db = Database::builder()
            .set_cache_size(cache)
            .set_check_integrity_on_open(check)
            .create_with_backend(file)
            .map_err(failed)?;
        // So that there is a table to read from.
        let write = db.begin_write().map_err(failed)?;
        write.open_table(ROWS).map_err(failed)?;
        write.commit().map_err(failed)?;
        sync_dir(dir)?;
        Ok(Self(db))
    }
}

impl Engine for RedbEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let read = self.0.begin_read().map_err(failed)?;
        let table = read.open_table(ROWS).map_err(failed)?;
        let found = table.get(key).map_err(failed)?;
        Ok(found.map(|value| value.value().to_vec()))
    }

    fn range(&self, from: &[u8], end: Option<&[u8]>, limit: usize) -> Result<Entries, StoreError> {
        if end.is_some_and(|end| from >= end) {
            return Ok(Entries::new());
        }
        let read = self.0.begin_read().map_err(failed)?;
        let table = read.open_table(ROWS).map_err(failed)?;
        let bounds = (
            Bound::Included(from),
            end.map_or(Bound::Unbounded, Bound::Excluded),
        );
        let rows = table.range::<&[u8]>(bounds).map_err(failed)?;
        rows.take(limit)
            .map(|row| {
                let (key, value) = row.map_err(failed)?;
                Ok((key.value().to_vec(), value.value().to_vec()))
            })
            .collect()
    }

    fn write(&self, rows: &Rows) -> Result<(), StoreError> {
        let write = self.0.begin_write().map_err(failed)?;
        {
            let mut table = write.open_table(ROWS).map_err(failed)?;
            for (key, value) in rows {
                match value {
                    Some(value) => table.insert(&key[..], &value[..]).map_err(failed)?,
                    None => table.remove(&key[..]).map_err(failed)?,
                };
            }
        }
        write.commit().map_err(failed)
    }
}
