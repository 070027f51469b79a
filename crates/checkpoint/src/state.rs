//! The state directory: the last good trust list, the last time seen, the showings of the last minutes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use verifier::trust::{
    BATCH_LEN_BYTES, BatchEntry, MAX_BUNDLE_LEN_BYTES, RevocationBatch, RootKeys,
};
use verifier::{GateMemory, TrustList};

use crate::Error;

const LOCK_FILE: &str = "lock";
const LIST_FILE: &str = "trust-list.bin";
const MEMORY_FILE: &str = "memory.bin";
/// Batches of revocations, a file for each.
const BATCHES_DIR: &str = "revocations";
/// 65,536 showings of 36 bytes, and the head.
const MAX_MEMORY_LEN_BYTES: u64 = 13 + 65_536 * 36;
/// How long to wait for another process to leave the directory: a single check holds it for milliseconds.
const LOCK_WAIT: Duration = Duration::from_secs(3);
const LOCK_STEP: Duration = Duration::from_millis(20);

/// An open state directory; no other process has it open.
#[derive(Debug)]
pub struct StateDir {
    dir: PathBuf,
    _lock: File,
}

impl StateDir {
    /// Opens the directory, making it if it is not there, and waits a few seconds for another process to leave it.
    ///
    /// # Errors
    /// [`Error::File`], or [`Error::StateInUse`].
    pub fn open(dir: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(dir).map_err(|e| file_error(dir, &e))?;
        let path = dir.join(LOCK_FILE);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| file_error(&path, &e))?;
        let begin = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if begin.elapsed() < LOCK_WAIT => {
                    std::thread::sleep(LOCK_STEP);
                }
                Err(TryLockError::WouldBlock) => return Err(Error::StateInUse(dir.to_owned())),
                Err(TryLockError::Error(error)) => return Err(file_error(&path, &error)),
            }
        }
        Ok(Self {
            dir: dir.to_owned(),
            _lock: lock,
        })
    }

    /// The last good trust list, if one was stored. It was accepted once; it may have ended since, and then the
    /// verifier says so.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::StateDamaged`] for bytes that are no list signed under the pinned keys.
    pub fn load_list(&self, pinned: &RootKeys) -> Result<Option<TrustList>, Error> {
        let path = self.dir.join(LIST_FILE);
        let Some(bytes) = read_if_there(&path, MAX_BUNDLE_LEN_BYTES as u64)? else {
            return Ok(None);
        };
        let damaged = |error: verifier::Error| Error::StateDamaged {
            path: path.clone(),
            why: error.to_string(),
        };
        let mut candidate = TrustList::restore(&bytes, pinned).map_err(damaged)?;
        for entry in candidate.missing().to_vec() {
            let path = self.batch_path(&entry);
            let bytes = read_file(&path, BATCH_LEN_BYTES as u64)?;
            candidate
                .supply(&bytes)
                .map_err(|error| Error::StateDamaged {
                    path,
                    why: error.to_string(),
                })?;
        }
        candidate.complete().map(Some).map_err(damaged)
    }

    /// Stores a batch of revocations, so that a list that names it can be stored.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn store_batch(&self, batch: &RevocationBatch) -> Result<(), Error> {
        let dir = self.dir.join(BATCHES_DIR);
        std::fs::create_dir_all(&dir).map_err(|e| file_error(&dir, &e))?;
        let path = self.batch_path(&batch.entry());
        let write = || {
            let mut file = File::create(&path)?;
            file.write_all(&batch.to_bytes())?;
            file.sync_all()?;
            File::open(&dir)?.sync_all()
        };
        write().map_err(|e| file_error(&path, &e))
    }

    /// The canonical bytes of a stored batch.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn load_batch(&self, entry: &BatchEntry) -> Result<Vec<u8>, Error> {
        read_file(&self.batch_path(entry), BATCH_LEN_BYTES as u64)
    }

    fn batch_path(&self, entry: &BatchEntry) -> PathBuf {
        let name = format!("{}.bin", hex::encode(entry.digest.0));
        self.dir.join(BATCHES_DIR).join(name)
    }

    /// Removes the batches that a list, which is stored, does not name any more. What cannot be removed stays for the next
    /// time.
    fn remove_batches(&self, list: &TrustList) {
        let named = list.online().batches.iter();
        let named: Vec<PathBuf> = named.map(|entry| self.batch_path(entry)).collect();
        let Ok(files) = std::fs::read_dir(self.dir.join(BATCHES_DIR)) else {
            return;
        };
        for path in files.flatten().map(|file| file.path()) {
            if !named.contains(&path) {
                let _ = std::fs::remove_file(path);
            }
        }
    }

    /// Stores a list that was accepted, durably and as a whole. Its batches are stored before.
    ///
    /// # Errors
    /// [`Error::File`]; then the earlier one is still there.
    pub fn store_list(&self, list: &TrustList) -> Result<(), Error> {
        self.replace(LIST_FILE, list.to_bytes())?;
        self.remove_batches(list);
        Ok(())
    }

    /// What the gate remembered when it was last stored; an empty memory at first.
    ///
    /// # Errors
    /// [`Error::File`], [`Error::StateDamaged`].
    pub fn load_memory(&self) -> Result<GateMemory, Error> {
        let path = self.dir.join(MEMORY_FILE);
        let Some(bytes) = read_if_there(&path, MAX_MEMORY_LEN_BYTES)? else {
            return Ok(GateMemory::default());
        };
        GateMemory::from_bytes(&bytes).map_err(|error| Error::StateDamaged {
            path,
            why: error.to_string(),
        })
    }

    /// Stores what the gate remembers, durably and as a whole.
    ///
    /// # Errors
    /// [`Error::File`]; then the earlier one is still there.
    pub fn store_memory(&self, memory: &GateMemory) -> Result<(), Error> {
        self.replace(MEMORY_FILE, &memory.to_bytes())
    }

    /// Writes a new file beside the old one, makes it durable, and puts it in the old one's place.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.dir.join(name);
        let beside = self.dir.join(format!("{name}.new"));
        let write = || {
            let mut file = File::create(&beside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&beside, &path)?;
            File::open(&self.dir)?.sync_all()
        };
        write().map_err(|e| file_error(&path, &e))
    }
}

/// The bytes of a file of at most `limit_bytes`.
pub(crate) fn read_file(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, Error> {
    let file = File::open(path).map_err(|e| file_error(path, &e))?;
    let mut bytes = Vec::new();
    file.take(limit_bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| file_error(path, &e))?;
    if bytes.len() as u64 > limit_bytes {
        return Err(Error::File {
            path: path.to_owned(),
            why: format!("longer than {limit_bytes} bytes"),
        });
    }
    Ok(bytes)
}

fn read_if_there(path: &Path, limit_bytes: u64) -> Result<Option<Vec<u8>>, Error> {
    if path.exists() {
        read_file(path, limit_bytes).map(Some)
    } else {
        Ok(None)
    }
}

fn file_error(path: &Path, error: &std::io::Error) -> Error {
    Error::File {
        path: path.to_owned(),
        why: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use verifier::UnixTime;

    #[test]
    fn a_memory_comes_back_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/state");
        let memory = GateMemory::starting_at(UnixTime::from_s(77));
        {
            let state = StateDir::open(&path).unwrap();
            assert_eq!(state.load_memory().unwrap(), GateMemory::default());
            state.store_memory(&memory).unwrap();
        }
        let state = StateDir::open(&path).unwrap();
        assert_eq!(state.load_memory().unwrap(), memory);
    }

    #[test]
    fn two_processes_do_not_share_a_state_directory() {
        let dir = tempfile::tempdir().unwrap();
        let first = StateDir::open(dir.path()).unwrap();
        let second = StateDir::open(dir.path());
        assert!(matches!(second, Err(Error::StateInUse(_))));
        drop(first);
        StateDir::open(dir.path()).unwrap();
    }

    #[test]
    fn a_cut_file_is_named_and_not_taken_for_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        state.store_memory(&GateMemory::default()).unwrap();
        std::fs::write(dir.path().join(MEMORY_FILE), [1, 0]).unwrap();
        let error = state.load_memory().unwrap_err().to_string();
        assert!(error.contains(MEMORY_FILE), "{error}");
    }

    #[test]
    fn a_file_beyond_its_limit_is_refused_before_it_is_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("long");
        std::fs::write(&path, vec![b'a'; 11]).unwrap();
        assert!(read_file(&path, 10).is_err());
        assert_eq!(read_file(&path, 11).unwrap().len(), 11);
    }
}
