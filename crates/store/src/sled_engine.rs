//! The default database. Facts that shape it: `flush` of sled 0.34 is not durable against power loss, so a write is
//! apply, flush, then `fdatasync` of `db`; a torn `snap.*` file makes the database unopenable although every row is in
//! the log, so it is moved aside once.

use std::fs::{File, TryLockError};
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use parking_lot::{RwLock, RwLockReadGuard};

use crate::batch::Rows;
use crate::error::failed;
use crate::generation::{Engine, sync_dir};
use crate::{Entries, StoreError};

/// Bytes of a segment of the log, sixteen times sled's own choice. What is longer than a quarter of a segment, sled puts
/// into a file of its own that it never syncs, so that a loss of power destroys it. The longest that it writes is a leaf
/// of twenty rows (sixteen, and four that are merged into it) of the longest keys and values: 1.4 MB.
const SEGMENT_BYTES: usize = 8 << 20;

/// Time that a closed database has to let go of its file.
const LETTING_GO: Duration = Duration::from_secs(5);

/// sled has one lock for all databases of a process: whoever applies a batch has it alone, and waits in it, without a limit,
/// for a log that cannot be written. So batches and reads pass this gate, at which they wait for a limited time only.
static GATE: RwLock<()> = RwLock::new(());

pub(crate) struct SledEngine {
    db: sled::Db,
    data: File,
    /// Time for which a call waits at the gate.
    limit: Duration,
}

impl SledEngine {
    pub(crate) fn open(dir: &Path, cache_bytes: u64, limit: Duration) -> Result<Self, StoreError> {
        sync_if_there(&dir.join("db"))?;
        must_be_readable(&dir.join("db"))?;
        must_be_let_go(&dir.join("db"))?;
        let db = open_or_recover(dir, cache_bytes)?;
        let data = File::open(dir.join("db")).map_err(failed)?;
        // sled syncs neither the file with its settings nor the names of its files.
        sync_if_there(&dir.join("conf"))?;
        sync_if_there(&dir.join("blobs"))?;
        sync_dir(dir)?;
        Ok(Self { db, data, limit })
    }

    fn stalled(&self) -> StoreError {
        StoreError::Stalled {
            what: "answer",
            limit_s: self.limit.as_secs(),
        }
    }

    fn enter(&self) -> Result<RwLockReadGuard<'static, ()>, StoreError> {
        GATE.try_read_for(self.limit).ok_or_else(|| self.stalled())
    }
}

impl Engine for SledEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let _entered = self.enter()?;
        let found = self.db.get(key).map_err(failed)?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn range(&self, from: &[u8], end: Option<&[u8]>, limit: usize) -> Result<Entries, StoreError> {
        let _entered = self.enter()?;
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
        let alone = GATE.try_write_for(self.limit);
        let alone = alone.ok_or_else(|| self.stalled())?;
        self.db.apply_batch(batch).map_err(failed)?;
        drop(alone);
        self.db.flush().map_err(failed)?;
        self.data.sync_data().map_err(failed)
    }
}

fn open_or_recover(dir: &Path, cache_bytes: u64) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(dir)
        .segment_size(segment_bytes(dir)?)
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

/// Makes durable what is there. A log that a process left behind when it was killed may be in memory only, and sled would
/// write a snapshot that refers to it; and what sled has read must not be gone after the next loss of power.
fn sync_if_there(path: &Path) -> Result<(), StoreError> {
    match File::open(path) {
        Ok(file) => file.sync_all().map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

/// Threads of sled's hold its file, and the lock on it, for a moment after a database was closed. No other process can have
/// it, since the whole store's lock is held.
fn must_be_let_go(path: &Path) -> Result<(), StoreError> {
    let since = Instant::now();
    loop {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if since.elapsed() < LETTING_GO => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return Err(StoreError::Locked),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}

/// Reads a log from end to end. sled takes a segment that it cannot read for one that was never written, and writes over
/// it; so a disk that does not give back a sector is found before sled is asked.
fn must_be_readable(path: &Path) -> Result<(), StoreError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let mut buffer = vec![0; 1 << 20];
    while file.read(&mut buffer).map_err(failed)? > 0 {}
    Ok(())
}

/// The segments that a database was made with; otherwise those of new ones.
fn segment_bytes(dir: &Path) -> Result<usize, StoreError> {
    let conf = match std::fs::read(dir.join("conf")) {
        Ok(conf) => conf,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(SEGMENT_BYTES),
        Err(error) => return Err(failed(error)),
    };
    // Behind the text there is a checksum, which sled checks.
    let conf = String::from_utf8_lossy(&conf);
    let told = conf
        .lines()
        .find_map(|line| line.strip_prefix("segment_size: ")?.parse().ok());
    Ok(told.unwrap_or(SEGMENT_BYTES))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_behind_a_batch_that_does_not_end_is_answered_in_time() {
        let dir = tempfile::tempdir().unwrap();
        let limit = Duration::from_millis(50);
        let engine = SledEngine::open(dir.path(), 1 << 20, limit).unwrap();
        let rows = Rows::from([(vec![1], Some(vec![2]))]);
        engine.write(&rows).unwrap();
        let batch_that_hangs = GATE.write();
        for refused in [
            engine.get(&[1]).err(),
            engine.range(&[0], None, 1).err(),
            engine.write(&rows).err(),
        ] {
            assert_eq!(refused, Some(engine.stalled()));
        }
        drop(batch_that_hangs);
        assert_eq!(engine.get(&[1]), Ok(Some(vec![2])));
    }
}
