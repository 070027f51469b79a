//! What the rows add up to, and the file that says so outside the database. Seals show that a value was changed; they
//! cannot show that a row is missing or old, and a database that repairs itself by dropping its newest pages does not say
//! so. A tally of all rows, kept with each commit both inside and outside the database, does.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::StoreError;
use crate::batch::Rows;
use crate::error::failed;

/// The row under which a database keeps its tally: table 0.
pub(crate) const TALLY_KEY: &[u8] = &[0];
const FILE_NAME: &str = "mark";
const MAGIC: &[u8; 8] = b"VIRmark1";
/// Two slots on pages of their own, so that a torn write damages one at most.
const SLOT_STRIDE: u64 = 4_096;
const SLOT_LEN: usize = 8 + Tally::LEN + 8;

/// How many commits there were, and what the rows add up to. Independent of the order of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Commits since the store was made.
    pub commits: u64,
    /// Rows.
    pub rows: u64,
    /// Sum of the rows' digests, modulo 2^128.
    sum: u128,
}

impl Tally {
    const LEN: usize = 32;

    /// Counts a row in.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.sum = self.sum.wrapping_add(digest(key, value));
        self.rows += 1;
    }

    /// Counts a row out.
    pub(crate) fn remove(&mut self, key: &[u8], value: &[u8]) {
        self.sum = self.sum.wrapping_sub(digest(key, value));
        self.rows = self.rows.wrapping_sub(1);
    }

    /// Whether two tallies are of the same rows.
    pub(crate) fn same_rows(&self, other: &Self) -> bool {
        (self.rows, self.sum) == (other.rows, other.sum)
    }

    /// The stored form: three big-endian numbers.
    pub(crate) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&self.commits.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.rows.to_be_bytes());
        bytes[16..].copy_from_slice(&self.sum.to_be_bytes());
        bytes
    }

    /// From the stored form.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::LEN] = bytes.try_into().ok()?;
        let (commits, rest) = bytes.split_first_chunk()?;
        let (rows, sum) = rest.split_first_chunk()?;
        Some(Self {
            commits: u64::from_be_bytes(*commits),
            rows: u64::from_be_bytes(*rows),
            sum: u128::from_be_bytes(sum.try_into().ok()?),
        })
    }

    /// The rows of a commit with the tally among them.
    pub(crate) fn put_into(self, rows: &mut Rows) {
        rows.insert(TALLY_KEY.to_vec(), Some(self.to_bytes().to_vec()));
    }
}

/// The first 128 bits of SHA-256 over the key's length, the key and the value. It finds decay, not a forger: a forger is
/// stopped by the seals.
fn digest(key: &[u8], value: &[u8]) -> u128 {
    let mut hash = Sha256::new();
    hash.update(u32::try_from(key.len()).unwrap_or(u32::MAX).to_be_bytes());
    hash.update(key);
    hash.update(value);
    let hash = hash.finalize();
    hash[..16]
        .iter()
        .fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

/// The file beside a database that says which commit was acknowledged last.
pub(crate) struct Mark(File);

impl Mark {
    /// Makes the file of a new database, durably but for its name in the directory.
    pub(crate) fn create(dir: &Path, tally: Tally) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        options.create(true).truncate(true).read(true).write(true);
        let mark = Self(options.open(dir.join(FILE_NAME)).map_err(failed)?);
        mark.0.set_len(2 * SLOT_STRIDE).map_err(failed)?;
        mark.put(tally, 0)?;
        mark.put(tally, 1)?;
        mark.0.sync_all().map_err(failed)?;
        Ok(mark)
    }

    /// Opens the file; none if there is none.
    pub(crate) fn open(dir: &Path) -> Result<Option<Self>, StoreError> {
        let mut options = OpenOptions::new();
        match options.read(true).write(true).open(dir.join(FILE_NAME)) {
            Ok(file) => Ok(Some(Self(file))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// The newest tally that it holds whole.
    pub(crate) fn read(&self) -> Result<Tally, StoreError> {
        let slots = [0, 1].map(|slot| self.slot(slot));
        let newest = slots.into_iter().flatten().max_by_key(|t| t.commits);
        newest.ok_or_else(|| failed("the store's mark file is damaged; restore the last backup"))
    }

    fn slot(&self, slot: u64) -> Option<Tally> {
        let mut bytes = [0; SLOT_LEN];
        self.0.read_exact_at(&mut bytes, slot * SLOT_STRIDE).ok()?;
        let (checked, check) = bytes.split_at(SLOT_LEN - 8);
        let tally = checked.strip_prefix(MAGIC)?;
        (check == &Sha256::digest(checked)[..8]).then(|| Tally::from_bytes(tally))?
    }

    fn put(&self, tally: Tally, slot: u64) -> Result<(), StoreError> {
        let mut bytes = [&MAGIC[..], &tally.to_bytes()].concat();
        let check = Sha256::digest(&bytes);
        bytes.extend_from_slice(&check[..8]);
        self.0
            .write_all_at(&bytes, slot * SLOT_STRIDE)
            .map_err(failed)
    }

    /// Writes a tally durably, over the older of the two.
    pub(crate) fn write(&self, tally: Tally) -> Result<(), StoreError> {
        self.put(tally, tally.commits % 2)?;
        self.0.sync_data().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(commits: u64) -> Tally {
        let mut tally = Tally {
            commits,
            ..Tally::default()
        };
        tally.add(b"k", &commits.to_be_bytes());
        tally
    }

    #[test]
    fn a_tally_knows_rows_whatever_their_order_and_survives_its_bytes() {
        let mut one = Tally::default();
        one.add(b"a", b"1");
        one.add(b"b", b"2");
        let mut other = Tally::default();
        other.add(b"b", b"2");
        other.add(b"c", b"3");
        other.add(b"a", b"1");
        assert!(!one.same_rows(&other));
        other.remove(b"c", b"3");
        assert!(one.same_rows(&other));
        let mut moved = Tally::default();
        moved.add(b"a", b"2");
        moved.add(b"b", b"1");
        assert!(!one.same_rows(&moved));
        assert_eq!(Tally::from_bytes(&one.to_bytes()), Some(one));
    }

    #[test]
    fn the_newest_mark_counts_and_a_torn_one_leaves_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let mark = Mark::create(dir.path(), tally(0)).unwrap();
        for commits in 1..=5 {
            mark.write(tally(commits)).unwrap();
            assert_eq!(mark.read().unwrap(), tally(commits));
        }
        for byte in 0..SLOT_LEN as u64 {
            let at = SLOT_STRIDE + byte;
            let mut old = [0];
            mark.0.read_exact_at(&mut old, at).unwrap();
            mark.0.write_all_at(&[old[0] ^ 1], at).unwrap();
            assert_eq!(mark.read().unwrap(), tally(4), "byte {byte}");
            mark.0.write_all_at(&old, at).unwrap();
        }
        std::fs::write(dir.path().join(FILE_NAME), b"").unwrap();
        assert!(mark.read().is_err());
        assert!(Mark::open(dir.path()).unwrap().is_some());
    }
}
