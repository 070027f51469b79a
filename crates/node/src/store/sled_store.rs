//! The default backend. Facts that shape it: `flush` of sled 0.34 is not durable against power loss, so a commit is
//! apply, flush, then `fdatasync` of `db`; a torn `snap.*` file makes the database unopenable although every row is
//! in the log, so it is moved aside once; `flush` costs about a millisecond, so waiting commits share one.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::batch::{after_prefix, whole_key};
use super::{Batch, Entries, Store, StoreError, Table};

/// Commits that may wait for the writer; more block their callers.
const QUEUE_LEN: usize = 1024;
/// Commits that share one flush.
const GROUP_LEN: usize = 256;

/// How a sled directory is opened.
#[derive(Clone, Debug)]
pub struct SledOptions {
    /// The directory; made if it is missing.
    pub dir: PathBuf,
    /// Page cache, in mebibytes.
    pub cache_mib: u64,
    /// Bytes that must stay free on the disk; below them commits are refused.
    pub reserve_bytes: u64,
}

/// A store in one directory.
pub struct SledStore {
    db: sled::Db,
    failed: Arc<AtomicBool>,
    queue: Mutex<Option<SyncSender<Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    _lock: File,
}

struct Job {
    batch: Batch,
    done: SyncSender<Result<(), StoreError>>,
}

impl SledStore {
    /// Opens or makes the store.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has the directory, [`StoreError::Failed`] if it cannot be opened.
    pub fn open(options: &SledOptions) -> Result<Self, StoreError> {
        std::fs::create_dir_all(&options.dir).map_err(failed)?;
        let lock = lock(&options.dir)?;
        let db = open_or_recover(options)?;
        let data = File::open(options.dir.join("db")).map_err(failed)?;
        for dir in [Some(options.dir.as_path()), options.dir.parent()] {
            let named = dir.filter(|dir| !dir.as_os_str().is_empty());
            let dir = File::open(named.unwrap_or(Path::new("."))).map_err(failed)?;
            dir.sync_all().map_err(failed)?;
        }
        let (queue, jobs) = sync_channel(QUEUE_LEN);
        let failed_flag = Arc::new(AtomicBool::new(false));
        let writer = Writer {
            db: db.clone(),
            data,
            failed: Arc::clone(&failed_flag),
            dir: options.dir.clone(),
            reserve_bytes: options.reserve_bytes,
        };
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&jobs))
            .map_err(failed)?;
        Ok(Self {
            db,
            failed: failed_flag,
            queue: Mutex::new(Some(queue)),
            writer: Mutex::new(Some(writer)),
            _lock: lock,
        })
    }

    fn usable(&self) -> Result<(), StoreError> {
        if self.failed.load(Ordering::SeqCst) {
            return Err(stopped());
        }
        Ok(())
    }
}

impl Store for SledStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.usable()?;
        let found = self.db.get(whole_key(table, key)?).map_err(failed)?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Entries, StoreError> {
        self.usable()?;
        let prefix = whole_key(table, prefix)?;
        let Some(end) = after_prefix(&prefix) else {
            return Ok(Vec::new());
        };
        let mut from = prefix;
        if let Some(after) = after {
            // The least key above `after` is `after` with a zero byte.
            from = from.max([whole_key(table, after)?, vec![0]].concat());
        }
        if from >= end {
            return Ok(Vec::new());
        }
        self.db
            .range(from..end)
            .take(limit)
            .map(|row| {
                let (key, value) = row.map_err(failed)?;
                Ok((key[1..].to_vec(), value.to_vec()))
            })
            .collect()
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.usable()?;
        if batch.is_empty() {
            return Ok(());
        }
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = queue.clone().ok_or_else(stopped)?;
        drop(queue);
        let (done, answer) = sync_channel(1);
        sender.send(Job { batch, done }).map_err(|_| stopped())?;
        answer.recv().unwrap_or_else(|_| Err(stopped()))
    }
}

impl Drop for SledStore {
    fn drop(&mut self) {
        let queue = self.queue.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(queue.take());
        let writer = self
            .writer
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = writer.take() {
            // A writer that panicked has already made the store refuse everything.
            let _ = writer.join();
        }
    }
}

struct Writer {
    db: sled::Db,
    data: File,
    failed: Arc<AtomicBool>,
    dir: PathBuf,
    reserve_bytes: u64,
}

impl Writer {
    fn run(self, jobs: &Receiver<Job>) {
        let _guard = FailOnPanic(Arc::clone(&self.failed));
        while let Ok(first) = jobs.recv() {
            let more = jobs.try_iter().take(GROUP_LEN - 1);
            let group: Vec<Job> = std::iter::once(first).chain(more).collect();
            self.commit_group(group);
        }
    }

    fn commit_group(&self, group: Vec<Job>) {
        let room = self.check_room();
        let mut applied = Vec::with_capacity(group.len());
        for Job { batch, done } in group {
            let outcome = match &room {
                Ok(()) => self.apply(batch),
                Err(error) => Err(error.clone()),
            };
            match outcome {
                Ok(()) => applied.push(done),
                Err(error) => answer(&done, Err(error)),
            }
        }
        if applied.is_empty() {
            return;
        }
        let durable = self.make_durable();
        if durable.is_err() {
            self.failed.store(true, Ordering::SeqCst);
        }
        for done in applied {
            answer(&done, durable.clone());
        }
    }

    fn check_room(&self) -> Result<(), StoreError> {
        if self.failed.load(Ordering::SeqCst) {
            return Err(stopped());
        }
        let stat = rustix::fs::statvfs(&self.dir).map_err(failed)?;
        let free_bytes = stat.f_bavail.saturating_mul(stat.f_frsize);
        if free_bytes < self.reserve_bytes {
            return Err(StoreError::Full {
                free_bytes,
                reserve_bytes: self.reserve_bytes,
            });
        }
        Ok(())
    }

    fn apply(&self, batch: Batch) -> Result<(), StoreError> {
        let changes = batch.resolve(|key| self.db.contains_key(key).map_err(failed))?;
        let mut sled_batch = sled::Batch::default();
        for (key, value) in changes {
            match value {
                Some(value) => sled_batch.insert(key, value),
                None => sled_batch.remove(key),
            }
        }
        self.db.apply_batch(sled_batch).map_err(|error| {
            // What of the batch is in memory is unknown.
            self.failed.store(true, Ordering::SeqCst);
            failed(error)
        })
    }

    fn make_durable(&self) -> Result<(), StoreError> {
        self.db.flush().map_err(failed)?;
        self.data.sync_data().map_err(failed)
    }
}

/// Makes the store refuse everything if its writer dies.
struct FailOnPanic(Arc<AtomicBool>);

impl Drop for FailOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::SeqCst);
        }
    }
}

fn answer(done: &SyncSender<Result<(), StoreError>>, outcome: Result<(), StoreError>) {
    // A caller that has gone away does not wait for its answer.
    let _ = done.send(outcome);
}

fn lock(dir: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    let file = options.open(dir.join("lock")).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::Locked),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn open_or_recover(options: &SledOptions) -> Result<sled::Db, StoreError> {
    let config = sled::Config::new()
        .path(&options.dir)
        .cache_capacity(options.cache_mib.saturating_mul(1 << 20))
        .flush_every_ms(None);
    match config.open() {
        Err(sled::Error::Corruption { .. }) if move_snapshots_aside(&options.dir)? > 0 => {
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

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Failed(error.to_string())
}

fn stopped() -> StoreError {
    StoreError::Failed("the store has stopped after a failure".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Change, Opener, check_backend};

    fn options(dir: &Path) -> SledOptions {
        SledOptions {
            dir: dir.to_owned(),
            cache_mib: 16,
            reserve_bytes: 0,
        }
    }

    fn put(store: &SledStore, key: &[u8]) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        batch.push(Table::Events, key.to_vec(), Change::Put(vec![1; 100]));
        store.commit(batch)
    }

    struct InDir(tempfile::TempDir);

    impl Opener for InDir {
        fn open(&mut self) -> Arc<dyn Store> {
            Arc::new(SledStore::open(&options(self.0.path())).unwrap())
        }
    }

    #[test]
    fn the_sled_backend_conforms() {
        check_backend(&mut InDir(tempfile::tempdir().unwrap()));
    }

    #[test]
    fn a_directory_in_use_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let first = SledStore::open(&options(dir.path())).unwrap();
        let second = SledStore::open(&options(dir.path()));
        assert_eq!(second.err(), Some(StoreError::Locked));
        drop(first);
        assert!(SledStore::open(&options(dir.path())).is_ok());
    }

    #[test]
    fn below_the_reserve_nothing_is_written_and_the_store_lives_on() {
        let dir = tempfile::tempdir().unwrap();
        let mut tight = options(dir.path());
        tight.reserve_bytes = u64::MAX;
        let store = SledStore::open(&tight).unwrap();
        assert!(matches!(put(&store, b"k"), Err(StoreError::Full { .. })));
        assert_eq!(store.get(Table::Events, b"k").unwrap(), None);
        drop(store);
        let roomy = SledStore::open(&options(dir.path())).unwrap();
        assert_eq!(roomy.get(Table::Events, b"k").unwrap(), None);
        put(&roomy, b"k").unwrap();
    }

    #[test]
    fn a_torn_snapshot_is_set_aside_and_no_row_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let store = SledStore::open(&options(dir.path())).unwrap();
        for number in 0..300u32 {
            put(&store, &number.to_be_bytes()).unwrap();
        }
        drop(store);
        // sled writes a snapshot when it opens a log that has one not yet.
        drop(SledStore::open(&options(dir.path())).unwrap());
        let is_snapshot = |name: &str| name.starts_with("snap.");
        let snapshots: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| is_snapshot(&p.file_name().unwrap().to_string_lossy()))
            .collect();
        assert!(!snapshots.is_empty(), "sled wrote a snapshot");
        for path in snapshots {
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        }
        let store = SledStore::open(&options(dir.path())).unwrap();
        let rows = store.scan(Table::Events, b"", None, 1000).unwrap();
        assert_eq!(rows.len(), 300);
    }

    /// Set for the writer: where its store is.
    const WRITER_DIR: &str = "NODE_STORE_TEST_WRITER_DIR";

    /// Writes until the store refuses, and prints what was acknowledged.
    fn write_until_refused(dir: &Path) {
        let store = SledStore::open(&options(dir)).unwrap();
        for number in 0..200_000u32 {
            match put(&store, &number.to_be_bytes()) {
                Ok(()) => println!("acknowledged {number}"),
                Err(StoreError::Failed(_)) => {
                    println!("refused {number}");
                    assert!(
                        put(&store, b"later").is_err(),
                        "a failed store stays failed"
                    );
                    return;
                }
                Err(other) => panic!("unexpected {other}"),
            }
        }
        panic!("the limit was never reached");
    }

    /// The limit holds for a whole process, so the writer is this test again, in a process of its own.
    #[test]
    fn when_the_disk_refuses_to_grow_nothing_acknowledged_is_lost() {
        if let Some(dir) = std::env::var_os(WRITER_DIR) {
            return write_until_refused(Path::new(&dir));
        }
        let dir = tempfile::tempdir().unwrap();
        let test =
            "store::sled_store::tests::when_the_disk_refuses_to_grow_nothing_acknowledged_is_lost";
        let script = "trap '' XFSZ; ulimit -f 4096; exec \"$0\" --exact --nocapture \"$1\"";
        let output = std::process::Command::new("bash")
            .args(["-c", script])
            .arg(std::env::current_exe().unwrap())
            .arg(test)
            .env(WRITER_DIR, dir.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {errors}", output.status);
        assert!(text.contains("refused"), "{text}");
        let acknowledged: Vec<u32> = text
            .lines()
            .filter_map(|line| line.split("acknowledged ").nth(1)?.trim().parse().ok())
            .collect();
        assert!(acknowledged.len() > 10);
        let store = SledStore::open(&options(dir.path())).unwrap();
        for number in acknowledged {
            let found = store.get(Table::Events, &number.to_be_bytes()).unwrap();
            assert!(found.is_some(), "{number} was acknowledged and is gone");
        }
    }
}
