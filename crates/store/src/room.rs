//! Room for what is written: on the disk, and within what the store may have.

use std::path::PathBuf;

use crate::StoreError;
use crate::disk::DiskOptions;
use crate::error::failed;
use crate::generation::size_of_dir;

/// What the writer looks at before it writes.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    /// The directory whose disk and size count.
    pub(crate) dir: PathBuf,
    /// Bytes to stay free on the disk.
    pub(crate) reserve_bytes: u64,
    /// Bytes that the directory may have.
    pub(crate) max_bytes: u64,
}

impl Room {
    pub(crate) fn of(options: &DiskOptions) -> Self {
        Self {
            dir: options.dir.clone(),
            reserve_bytes: options.reserve_bytes,
            max_bytes: options.max_bytes,
        }
    }

    /// Whether the disk has room.
    pub(crate) fn check_disk(&self) -> Result<(), StoreError> {
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

    /// Whether there is room at all: on the disk, and below the store's own limit.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.check_disk()?;
        let size_bytes = size_of_dir(&self.dir)?;
        if size_bytes > self.max_bytes {
            return Err(StoreError::SizeLimit {
                size_bytes,
                limit_bytes: self.max_bytes,
            });
        }
        Ok(())
    }
}
