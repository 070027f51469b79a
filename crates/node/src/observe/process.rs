//! What the system says of this process and its disk.

use std::path::Path;

/// Numbers of the own process. The time that the processor spent is left out on purpose: a refusal of a pass waits where
/// a proof works, and whoever sees that time sees which was which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ProcessNumbers {
    /// Most memory that was ever resident, bytes. The present amount would, like processor time, show proofs.
    pub(super) memory_peak_bytes: u64,
    /// Threads.
    pub(super) threads: u64,
    /// Open files and sockets.
    pub(super) open_files: u64,
    /// How many there may be.
    pub(super) open_files_max: u64,
}

impl ProcessNumbers {
    /// Reads them; what the system does not tell is 0.
    pub(super) fn read() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name| number_of(&status, name).unwrap_or(0);
        let files = std::fs::read_dir("/proc/self/fd");
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
        Self {
            memory_peak_bytes: field("VmHWM:") * 1024,
            threads: field("Threads:"),
            // The directory itself is open while it is read.
            open_files: files.map_or(0, |files| (files.count() as u64).saturating_sub(1)),
            open_files_max: limit.current.unwrap_or(u64::MAX),
        }
    }
}

fn number_of(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Free bytes of the disk that a directory lies on.
pub(super) fn free_bytes(dir: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(dir).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Bytes of all files under a directory, as they lie on the disk.
pub(super) fn size_bytes(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(entries) = std::fs::read_dir(dir) else {
        return 0;
    };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => size_bytes(&entry.path()),
        Ok(data) => data.blocks() * 512,
        Err(_) => 0,
    });
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_process_has_memory_threads_and_files() {
        let numbers = ProcessNumbers::read();
        assert!(numbers.memory_peak_bytes > 1 << 20, "{numbers:?}");
        assert!(numbers.threads >= 1 && numbers.open_files >= 3);
        assert!(numbers.open_files_max > numbers.open_files);
    }

    #[test]
    fn the_size_of_a_directory_is_that_of_all_its_files() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("deep")).unwrap();
        std::fs::write(dir.path().join("deep/file"), vec![1; 100_000]).unwrap();
        assert!(size_bytes(dir.path()) >= 100_000);
        assert!(free_bytes(dir.path()).unwrap() > 0);
        assert_eq!(size_bytes(&dir.path().join("missing")), 0);
    }
}
