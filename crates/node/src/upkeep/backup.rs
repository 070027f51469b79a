//! Backup files: written under another name first, and sealed with age.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use store::{DiskOptions, DiskStore, KeyRing, Store, StoreIdentity, Tally};

use crate::keys::{read_identities, seal_to};

/// A backup file that is being written. Until it is finished it has `.part` behind its name.
pub struct BackupFile {
    path: PathBuf,
    part: PathBuf,
    out: BufWriter<File>,
    digest: Sha256,
    len_bytes: u64,
}

impl Write for BackupFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.out.write_all(bytes)?;
        self.digest.update(bytes);
        self.len_bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

impl BackupFile {
    /// Begins a file that must not exist.
    ///
    /// # Errors
    /// A message naming the file.
    pub fn create(path: &Path) -> Result<Self, String> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        if path.exists() {
            return Err(format!("{} is there already", path.display()));
        }
        let mut options = File::options();
        options.write(true).create(true).truncate(true).mode(0o600);
        let file = options
            .open(&part)
            .map_err(|error| format!("{}: {error}", part.display()))?;
        Ok(Self {
            path: path.to_owned(),
            part,
            out: BufWriter::new(file),
            digest: Sha256::new(),
            len_bytes: 0,
        })
    }

    /// Ends the file: durable, and under its own name. Returns its length and its SHA-256 in hexadecimal digits.
    ///
    /// # Errors
    /// A message naming the file.
    pub fn finish(mut self) -> Result<(u64, String), String> {
        let fail = |error: std::io::Error| format!("{}: {error}", self.part.display());
        self.out.flush().map_err(fail)?;
        self.out.get_ref().sync_all().map_err(fail)?;
        std::fs::rename(&self.part, &self.path).map_err(fail)?;
        let parent = self.path.parent().filter(|p| !p.as_os_str().is_empty());
        let dir = File::open(parent.unwrap_or(Path::new(".")));
        dir.and_then(|dir| dir.sync_all()).map_err(fail)?;
        Ok((self.len_bytes, hex::encode(self.digest.finalize())))
    }

    /// Writes the backup of a store that no node has open.
    ///
    /// # Errors
    /// A message saying what failed.
    pub fn write_store(
        self,
        store: &dyn Store,
        recipients: &[String],
        each: &mut dyn FnMut(u64),
    ) -> Result<(Self, Tally), String> {
        let mut sealed = seal_to(recipients, self)?;
        let tally =
            store::write_backup(store, &mut sealed, each).map_err(|error| error.to_string())?;
        let file = sealed.finish().map_err(|error| error.to_string())?;
        Ok((file, tally))
    }
}

/// Makes a store from a backup file, in a directory that holds none.
///
/// # Errors
/// A message naming the file and what is wrong with it; there is no store then.
pub fn restore_from(
    path: &Path,
    identity_file: &Path,
    options: &DiskOptions,
    identity: &StoreIdentity,
    ring: &KeyRing,
    each: &mut dyn FnMut(u64),
) -> Result<DiskStore, String> {
    let fail = |what: String| format!("{}: {what}", path.display());
    let identities = read_identities(identity_file)?;
    let file = File::open(path).map_err(|error| fail(error.to_string()))?;
    let decryptor = age::Decryptor::new_buffered(BufReader::new(file))
        .map_err(|error| fail(error.to_string()))?;
    let named = identities.iter().map(|i| i as &dyn age::Identity);
    let reader = decryptor
        .decrypt(named)
        .map_err(|error| fail(error.to_string()))?;
    let mut reader: Box<dyn Read> = Box::new(BufReader::with_capacity(1 << 20, reader));
    store::restore_backup(&mut reader, options, identity, ring, each)
        .map_err(|error| fail(error.to_string()))
}
