//! The file under redb, with a checksum in memory for each page. redb trusts a page that it reads: where the disk gives
//! back another than was written, rows would be wrong or missing without an error. A page counts as right when it is first
//! read, since opening adds all rows up, and as what was written from then on; whatever else the disk gives is an error.

use std::fs::{File, OpenOptions};
use std::io::{Error, Result};
use std::ops::Bound;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock};

use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

/// Bytes under one checksum: redb's own page, so that nearly all requests are for whole ones.
const PAGE_BYTES: u64 = PAGE_LEN as u64;
const PAGE_LEN: usize = 4_096;
/// The checksum of a page that was neither read nor written whole.
const UNKNOWN: u32 = 0;

#[derive(Debug)]
pub(crate) struct SummedFile {
    file: File,
    /// The same file for its locks.
    locks: FileBackend,
    sums: RwLock<Vec<AtomicU32>>,
}

impl SummedFile {
    /// Opens the file, or makes it.
    pub(crate) fn open(path: &Path) -> std::result::Result<Self, redb::DatabaseError> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        Ok(Self {
            file: options.open(path)?,
            locks: FileBackend::new(options.open(path)?)?,
            sums: RwLock::default(),
        })
    }

    /// Calls `each` with the checksum that is kept for each whole page of `bytes`, and with the page.
    fn each_whole_page(
        &self,
        offset: u64,
        bytes: &[u8],
        mut each: impl FnMut(&AtomicU32, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let first = offset.div_ceil(PAGE_BYTES);
        let skipped = usize::try_from(first * PAGE_BYTES - offset).unwrap_or(usize::MAX);
        let pages = bytes
            .get(skipped..)
            .unwrap_or_default()
            .chunks_exact(PAGE_LEN);
        let first = usize::try_from(first).map_err(Error::other)?;
        self.reserve(first + pages.len());
        let sums = self.sums.read().unwrap_or_else(PoisonError::into_inner);
        sums.iter()
            .skip(first)
            .zip(pages)
            .try_for_each(|(sum, page)| each(sum, page))
    }

    /// Makes room for the checksums of some pages.
    fn reserve(&self, pages: usize) {
        let known = self
            .sums
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        if known < pages {
            let mut sums = self.sums.write().unwrap_or_else(PoisonError::into_inner);
            let pages = pages.max(sums.len());
            sums.resize_with(pages, || AtomicU32::new(UNKNOWN));
        }
    }

    /// Pages that a write touches are not known until it is over, and those that it covers in part not even then.
    fn forget(&self, offset: u64, len: u64) -> Result<()> {
        let sums = self.sums.read().unwrap_or_else(PoisonError::into_inner);
        let first = usize::try_from(offset / PAGE_BYTES).map_err(Error::other)?;
        let end = usize::try_from((offset + len).div_ceil(PAGE_BYTES)).map_err(Error::other)?;
        for sum in sums.iter().take(end).skip(first) {
            sum.store(UNKNOWN, Ordering::Release);
        }
        Ok(())
    }
}

fn sum_of(page: &[u8]) -> u32 {
    crc32fast::hash(page).max(UNKNOWN + 1)
}

impl StorageBackend for SummedFile {
    fn len(&self) -> Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        self.file.read_exact_at(out, offset)?;
        self.each_whole_page(offset, out, |sum, page| {
            let found = sum_of(page);
            let known = sum.compare_exchange(UNKNOWN, found, Ordering::AcqRel, Ordering::Acquire);
            match known {
                Err(known) if known != found => Err(Error::other(
                    "the disk gave back a page that is not what was on it",
                )),
                _ => Ok(()),
            }
        })
    }

    fn set_len(&self, len: u64) -> Result<()> {
        let pages = usize::try_from(len / PAGE_BYTES).map_err(Error::other)?;
        self.sums
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .truncate(pages);
        self.file.set_len(len)
    }

    fn sync_data(&self) -> Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        self.forget(offset, data.len() as u64)?;
        self.file.write_all_at(data, offset)?;
        self.each_whole_page(offset, data, |sum, page| {
            sum.store(sum_of(page), Ordering::Release);
            Ok(())
        })
    }

    fn close(&self) -> Result<()> {
        self.locks.close()
    }

    fn try_lock_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> std::result::Result<bool, BackendError> {
        self.locks.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> std::result::Result<bool, BackendError> {
        self.locks.try_lock_shared_range(start, end)
    }

    fn lock_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> std::result::Result<(), BackendError> {
        self.locks.lock_range(start, end)
    }

    fn lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> std::result::Result<(), BackendError> {
        self.locks.lock_shared_range(start, end)
    }

    fn unlock_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> std::result::Result<(), BackendError> {
        self.locks.unlock_range(start, end)
    }

    fn query_lock_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> std::result::Result<bool, BackendError> {
        self.locks.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_the_disk_has_changed_is_an_error_until_it_is_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let summed = SummedFile::open(&dir.path().join("rows")).unwrap();
        summed.set_len(4 * PAGE_BYTES).unwrap();
        let file = &summed.file;
        let mut page = [0; PAGE_LEN];
        summed.write(PAGE_BYTES, &[7; 2 * PAGE_LEN]).unwrap();
        summed.read(0, &mut page).unwrap();
        // One page was written, one was read, one is unknown.
        for at in [PAGE_BYTES + 100, 17, 3 * PAGE_BYTES] {
            file.write_all_at(&[9], at).unwrap();
        }
        assert!(
            summed
                .read(PAGE_BYTES, &mut page)
                .unwrap_err()
                .to_string()
                .contains("gave back")
        );
        assert!(summed.read(0, &mut page).is_err());
        assert!(summed.read(0, &mut [0; 2 * PAGE_LEN]).is_err());
        assert!(summed.read(2 * PAGE_BYTES, &mut page).is_ok());
        assert!(summed.read(3 * PAGE_BYTES, &mut page).is_ok());
        // A part of a page is not checked, and a written part makes the whole unknown.
        assert!(summed.read(0, &mut page[..320]).is_ok());
        summed.write(10, &[1; 20]).unwrap();
        assert!(summed.read(0, &mut page).is_ok());
        summed.write(PAGE_BYTES, &[8; PAGE_LEN]).unwrap();
        assert!(summed.read(PAGE_BYTES, &mut page).is_ok());
        // What is cut off and grown again is zero.
        summed.set_len(PAGE_BYTES).unwrap();
        summed.set_len(2 * PAGE_BYTES).unwrap();
        summed.read(PAGE_BYTES, &mut page).unwrap();
        assert!(page.iter().all(|byte| *byte == 0));
    }
}
