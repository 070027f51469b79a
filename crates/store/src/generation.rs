//! A database in a directory of its own, with the mark beside it. Compaction, migration and restoring write a new
//! generation and switch to it, so that there is always one that is whole.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::batch::Rows;
use crate::disk::Backend;
use crate::error::failed;
use crate::guarded::Guarded;
use crate::mark::{Mark, TALLY_KEY, Tally};
use crate::redb_engine::RedbEngine;
use crate::room::Room;
use crate::sled_engine::SledEngine;
use crate::{EachRow, Entries, StoreError};

/// Rows read or written at a time when all are.
pub(crate) const CHUNK_LEN: usize = 2_048;
/// Bytes written at a time when all are.
const CHUNK_BYTES: usize = 8 << 20;

/// What a database must do under the group writer: whole keys, ascending.
pub(crate) trait Engine: Send + Sync + 'static {
    /// The value under a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// At most `limit` rows from `from` on and before `end`.
    fn range(&self, from: &[u8], end: Option<&[u8]>, limit: usize) -> Result<Entries, StoreError>;

    /// Writes all of `rows` or none. What was written survives a loss of power once this has returned.
    fn write(&self, rows: &Rows) -> Result<(), StoreError>;

    /// Whether it has died in a call and answers none any more.
    fn has_died(&self) -> bool {
        false
    }
}

/// An open database with its mark.
pub(crate) struct Generation {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) mark: Mark,
    pub(crate) tally: Tally,
}

/// How a generation is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    pub(crate) backend: Backend,
    pub(crate) cache_bytes: u64,
    /// Time that a database has to open, besides what its size asks for.
    pub(crate) limit: Duration,
    /// Whether all rows are read and added up.
    pub(crate) verify: bool,
}

impl Generation {
    /// Makes an empty one in a directory that does not exist.
    pub(crate) fn create(dir: &Path, opening: Opening) -> Result<Self, StoreError> {
        std::fs::create_dir(dir).map_err(failed)?;
        let engine = open_engine(dir, opening)?;
        let tally = Tally::default();
        let mut rows = Rows::new();
        tally.put_into(&mut rows);
        engine.write(&rows)?;
        let mark = Mark::create(dir, tally)?;
        sync_dir(dir)?;
        Ok(Self {
            engine,
            mark,
            tally,
        })
    }

    /// Opens one, under a limit of time, and checks that it has lost nothing.
    pub(crate) fn open(dir: &Path, opening: Opening) -> Result<Self, StoreError> {
        let size = size_of_dir(dir)?;
        // Reading a log takes a second for some hundred megabytes; ten are allowed for.
        let limit = opening.limit + Duration::from_secs(size / (10 << 20));
        let dir = dir.to_owned();
        in_time("open", limit, move || Self::open_at_leisure(&dir, opening))
    }

    fn open_at_leisure(dir: &Path, opening: Opening) -> Result<Self, StoreError> {
        let engine = open_engine(dir, opening)?;
        let found = tally_of(&*engine)?;
        let unmarked = dir.join(UNMARKED);
        let (mark, tally) = match (Mark::open(dir)?, found) {
            (Some(mark), Some(found)) => {
                check_mark(mark.read()?, found)?;
                (mark, found)
            }
            // A database from before there were marks.
            _ if unmarked.exists() => {
                let tally = add_up(&*engine)?;
                let mut rows = Rows::new();
                tally.put_into(&mut rows);
                engine.write(&rows)?;
                let mark = Mark::create(dir, tally)?;
                sync_dir(dir)?;
                std::fs::remove_file(unmarked).map_err(failed)?;
                (mark, tally)
            }
            (None, _) => {
                return Err(failed(
                    "the store's mark file is missing; restore the last backup",
                ));
            }
            (Some(mark), None) => {
                let acknowledged = mark.read()?.commits;
                return Err(StoreError::LostCommits {
                    found: 0,
                    acknowledged,
                });
            }
        };
        if opening.verify {
            let counted = add_up(&*engine)?;
            if !counted.same_rows(&tally) {
                return Err(StoreError::Rotten {
                    found_rows: counted.rows,
                    expected_rows: tally.rows,
                });
            }
        }
        Ok(Self {
            engine,
            mark,
            tally,
        })
    }
}

/// The file in a generation's directory that says that it is from before there were marks.
pub(crate) const UNMARKED: &str = "unmarked";

/// The database may be a commit ahead of the mark, one that was not acknowledged; never behind.
fn check_mark(marked: Tally, found: Tally) -> Result<(), StoreError> {
    if found.commits < marked.commits || (found.commits == marked.commits && found != marked) {
        return Err(StoreError::LostCommits {
            found: found.commits,
            acknowledged: marked.commits,
        });
    }
    Ok(())
}

fn tally_of(engine: &dyn Engine) -> Result<Option<Tally>, StoreError> {
    let row = engine.get(TALLY_KEY)?;
    row.map(|bytes| Tally::from_bytes(&bytes).ok_or_else(|| failed("the store's tally is damaged")))
        .transpose()
}

/// What all rows add up to; the number of commits is zero.
pub(crate) fn add_up(engine: &dyn Engine) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    each_row(engine, &mut |key, value| {
        tally.add(key, value);
        Ok(())
    })?;
    Ok(tally)
}

/// Calls `each` with every row but the tally.
pub(crate) fn each_row(engine: &dyn Engine, each: &mut EachRow<'_>) -> Result<(), StoreError> {
    let mut from = vec![1];
    loop {
        let rows = engine.range(&from, None, CHUNK_LEN)?;
        for (key, value) in &rows {
            each(key, value)?;
        }
        match rows.into_iter().next_back() {
            Some((last, _)) => from = [last, vec![0]].concat(),
            None => return Ok(()),
        }
    }
}

fn open_engine(dir: &Path, opening: Opening) -> Result<Arc<dyn Engine>, StoreError> {
    Ok(match opening.backend {
        Backend::Sled => {
            let engine = SledEngine::open(dir, opening.cache_bytes, opening.limit)?;
            Arc::new(Guarded::new(engine, opening.limit))
        }
        Backend::Redb => {
            let engine = RedbEngine::open(dir, opening.cache_bytes, opening.verify)?;
            Arc::new(Guarded::new(engine, opening.limit))
        }
    })
}

/// Fills a new generation: rows and later changes in their order, written in chunks.
pub(crate) struct Loader {
    generation: Generation,
    room: Room,
    rows: Rows,
    bytes: usize,
    /// Time that the database has for each chunk.
    limit: Duration,
}

impl Loader {
    pub(crate) fn new(generation: Generation, room: Room, limit: Duration) -> Self {
        Self {
            generation,
            room,
            rows: Rows::new(),
            bytes: 0,
            limit,
        }
    }

    pub(crate) fn put(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), StoreError> {
        self.bytes += key.len() + value.map_or(0, <[u8]>::len);
        self.rows.insert(key.to_vec(), value.map(<[u8]>::to_vec));
        if self.rows.len() >= CHUNK_LEN || self.bytes >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        self.room.check_disk()?;
        let engine = Arc::clone(&self.generation.engine);
        let rows = std::mem::take(&mut self.rows);
        let mut tally = self.generation.tally;
        self.bytes = 0;
        // No watch looks after a database that is not in use yet.
        self.generation.tally = in_time("write", self.limit, move || {
            for (key, value) in &rows {
                if let Some(old) = engine.get(key)? {
                    tally.remove(key, &old);
                }
                if let Some(new) = value {
                    tally.add(key, new);
                }
            }
            engine.write(&rows)?;
            Ok(tally)
        })?;
        Ok(())
    }

    /// What has been put adds up to, were it the state after `commits` commits.
    fn tally(&mut self, commits: u64) -> Result<Tally, StoreError> {
        self.flush()?;
        self.generation.tally.commits = commits;
        Ok(self.generation.tally)
    }

    /// Ends with the state after `commits` commits.
    pub(crate) fn finish(mut self, commits: u64) -> Result<Generation, StoreError> {
        let tally = self.tally(commits)?;
        let engine = Arc::clone(&self.generation.engine);
        in_time("write", self.limit, move || {
            let mut rows = Rows::new();
            tally.put_into(&mut rows);
            engine.write(&rows)
        })?;
        self.generation.mark.write(tally)?;
        Ok(self.generation)
    }

    /// Ends, if what was put is what `expected` says.
    pub(crate) fn finish_as(mut self, expected: Tally) -> Result<Generation, StoreError> {
        let tally = self.tally(expected.commits)?;
        if !tally.same_rows(&expected) {
            return Err(StoreError::Rotten {
                found_rows: tally.rows,
                expected_rows: expected.rows,
            });
        }
        self.finish(expected.commits)
    }
}

/// Does `work` on a thread of its own; an error if it has not ended after `limit`, when the thread is left behind.
pub(crate) fn in_time<T: Send + 'static>(
    what: &'static str,
    limit: Duration,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (done, answer) = sync_channel(1);
    let thread = std::thread::Builder::new().name(format!("store-{what}"));
    thread
        .spawn(move || {
            // Who does not wait any more does not need the answer.
            let _ = done.send(work());
        })
        .map_err(failed)?;
    match answer.recv_timeout(limit) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => Err(StoreError::Stalled {
            what,
            limit_s: limit.as_secs(),
        }),
        Err(RecvTimeoutError::Disconnected) => Err(failed(
            "it died over its files, which are damaged; restore the last backup",
        )),
    }
}

/// Makes names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(failed)
}

/// Bytes of all files below a directory.
pub(crate) fn size_of_dir(dir: &Path) -> Result<u64, StoreError> {
    let mut size = 0;
    let mut dirs: Vec<PathBuf> = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => dirs.push(entry.path()),
                Ok(meta) => size += meta.len(),
                // A file that was removed meanwhile has no size.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }
    Ok(size)
}
