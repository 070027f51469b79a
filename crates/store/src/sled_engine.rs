//! The default database. Facts that shape it: `flush` of sled 0.34 is not durable against power loss, so a write is
//! apply, flush, then `fdatasync` of `db`; a torn `snap.*` file makes the database unopenable although every row is in
//! the log, so it is moved aside once.

use std::fs::File;
use std::path::Path;

use crate::batch::Rows;
use crate::error::failed;
use crate::generation::{Engine, sync_dir};
use crate::{Entries, StoreError};

pub(crate) struct SledEngine {
    db: sled::Db,
    data: File,
}

impl SledEngine {
    pub(crate) fn open(dir: &Path, cache_bytes: u64) -> Result<Self, StoreError> {
        let db = open_or_recover(dir, cache_bytes)?;
        let data = File::open(dir.join("db")).map_err(failed)?;
        sync_dir(dir)?;
        Ok(Self { db, data })
    }
}

impl Engine for SledEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.db.get(key).map_err(failed)?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn range(&self, from: &[u8], end: Option<&[u8]>, limit: usize) -> Result<Entries, StoreError> {
        let rows = match end {
            Some(end) if from >= end => return Ok(Entries::new()),
            Some(end) => self.db.range(from..end),
            None => self.db.range(from..),
        };
        rows.take(limit)
            .map(|row| {
                let (key, value) = row.map_err(failed)?;
                Ok((key.to_vec(), value.to_vec()))
            })
            .collect()
    }

    fn write(&self, rows: &Rows) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (key, value) in rows {
            match value {
                Some(value) => batch.insert(&key[..], &value[..]),
                None => batch.remove(&key[..]),
            }
        }
        self.db.apply_batch(batch).map_err(failed)?;
        self.db.flush().map_err(failed)?;
        self.data.sync_data().map_err(failed)
    }
}

fn open_or_recover(dir: &Path, cache_bytes: u64) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(dir)
        .cache_capacity(cache_bytes)
        .flush_every_ms(None);
    match config.open() {
        Err(sled::Error::Corruption { .. }) if move_snapshots_aside(dir)? > 0 => {
            tracing::error!(
                "the database's snapshot was damaged and is set aside; reading its log"
            );
            config.open().map_err(failed)
        }
        other => other.map_err(failed),
    }
}

fn move_snapshots_aside(dir: &Path) -> Result<usize, StoreError> {
    let mut moved = 0;
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("snap.") {
            let aside = dir.join(format!("damaged-{}", name.to_string_lossy()));
            std::fs::rename(entry.path(), aside).map_err(failed)?;
            moved += 1;
        }
    }
    Ok(moved)
}
