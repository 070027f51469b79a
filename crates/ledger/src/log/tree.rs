//! The Merkle tree of a log (RFC 6962, section 2.1), kept so that only entries need be stored.
//!
//! In memory are the roots of full bundles of 256 entries and of the subtrees over them, 64 bytes for 256 entries, and the
//! leaf hashes of the last bundle. What lies below a full bundle's root is hashed again from its stored entries when it is
//! asked for. So no stored hash can differ from the stored entries.

use std::cell::RefCell;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tlog_tiles::{
    EMPTY_HASH, Hash, HashReader, check_record, check_tree, node_hash, prove_record, prove_tree,
    record_hash, split_stored_hash_index, stored_hash_index, tree_hash,
};

use super::LogError;
use super::tile::{BUNDLE_LEN, TilePath};

/// Most entries of a log: far above what a log will ever have, and far below where the arithmetic of sizes ends.
pub const MAX_LOG_SIZE: u64 = 1 << 40;
/// Most hashes of a proof (c2sp.org/tlog-witness).
pub const MAX_PROOF_LEN: usize = 63;
/// Levels within a bundle.
const BUNDLE_LEVELS: u8 = 8;

/// A hash of the tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogHash(pub [u8; 32]);

impl LogHash {
    /// The root of a tree without entries.
    pub const EMPTY: LogHash = LogHash(EMPTY_HASH.0);
}

impl fmt::Debug for LogHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Base64, as in checkpoints and requests.
impl fmt::Display for LogHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(self.0))
    }
}

impl FromStr for LogHash {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        let bytes = BASE64_STANDARD.decode(text).ok();
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self).ok_or(LogError::Malformed("a hash"))
    }
}

impl From<Hash> for LogHash {
    fn from(hash: Hash) -> Self {
        Self(hash.0)
    }
}

impl From<LogHash> for Hash {
    fn from(hash: LogHash) -> Self {
        Self(hash.0)
    }
}

/// The hash of an entry's bytes.
pub fn leaf_hash(entry: &[u8]) -> LogHash {
    record_hash(entry).into()
}

/// Gives the leaf hashes of a full bundle, from its stored entries.
pub type ReadBundle<'a, E> = dyn Fn(u64) -> Result<Vec<LogHash>, E> + 'a;

/// A log's tree.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Roots of full subtrees: of one bundle, of two, of four.
    full: Vec<Vec<Hash>>,
    /// The leaf hashes of the bundle that is not full.
    edge: Vec<Hash>,
}

impl Log {
    /// Entries.
    pub fn size(&self) -> u64 {
        self.full_bundles() * u64::from(BUNDLE_LEN) + self.edge.len() as u64
    }

    fn full_bundles(&self) -> u64 {
        self.full.first().map_or(0, Vec::len) as u64
    }

    /// Adds an entry by its bytes.
    ///
    /// # Errors
    /// [`LogError::TooLarge`] for a log that is full.
    pub fn append(&mut self, entry: &[u8]) -> Result<(), LogError> {
        if self.size() >= MAX_LOG_SIZE {
            return Err(LogError::TooLarge(self.size() + 1));
        }
        self.edge.push(record_hash(entry));
        if self.edge.len() == usize::from(BUNDLE_LEN) {
            let root = subtree(&self.edge);
            self.edge.clear();
            self.push_bundle(root);
        }
        Ok(())
    }

    fn push_bundle(&mut self, mut root: Hash) {
        for level in 0.. {
            if self.full.len() == level {
                self.full.push(Vec::new());
            }
            let row = &mut self.full[level];
            row.push(root);
            if row.len() % 2 == 1 {
                break;
            }
            root = node_hash(row[row.len() - 2], root);
        }
    }

    /// Adds a full bundle by its root alone, for whoever does not have, or need not read, its entries.
    ///
    /// # Errors
    /// [`LogError::Malformed`] within a bundle; [`LogError::TooLarge`] for a log that is full.
    pub fn append_bundle(&mut self, root: LogHash) -> Result<(), LogError> {
        if !self.edge.is_empty() {
            return Err(LogError::Malformed("a bundle within another"));
        }
        if self.size() + u64::from(BUNDLE_LEN) > MAX_LOG_SIZE {
            return Err(LogError::TooLarge(self.size() + u64::from(BUNDLE_LEN)));
        }
        self.push_bundle(root.into());
        Ok(())
    }

    /// The root of a full bundle; none for one that is not full.
    pub fn bundle_root(&self, bundle: u64) -> Option<LogHash> {
        let row = self.full.first()?;
        let root = row.get(usize::try_from(bundle).ok()?)?;
        Some((*root).into())
    }

    /// This tree with the entries of `part` after it, if that is what the tree of `size` entries with `root` begins with, or is.
    ///
    /// # Errors
    /// [`LogError::Malformed`] for a part without entries; [`LogError::TooLarge`] for more entries than that tree has;
    /// [`LogError::BadProof`] for other entries, or where the proof does not show that they are its.
    pub fn extended(&self, part: &LogPart, (size, root): (u64, LogHash)) -> Result<Self, LogError> {
        if part.entries.is_empty() {
            return Err(LogError::Malformed("a part of a log without entries"));
        }
        let end = self.size().saturating_add(part.entries.len() as u64);
        if end > size {
            return Err(LogError::TooLarge(end));
        }
        let mut next = self.clone();
        for entry in &part.entries {
            next.append(entry)?;
        }
        let is = (next.size(), next.root()?);
        check_consistency(&part.proof, is, (size, root))?;
        Ok(next)
    }

    /// The root.
    ///
    /// # Errors
    /// None that can happen: no stored entry is read. [`LogError::Unread`] would be a fault of this crate.
    pub fn root(&self) -> Result<LogHash, LogError> {
        // All full subtrees of the whole tree are at hand: those over full bundles, and those in the edge.
        let none = |_: u64| Err(());
        self.root_at(self.size(), &none)
            .map_err(|_| LogError::Unread)
    }

    /// The root when there were `size` entries.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn root_at<E>(&self, size: u64, read: &ReadBundle<'_, E>) -> Result<LogHash, ReadError<E>> {
        self.check_size(size)?;
        let hashes = Hashes::new(self, read);
        let root = tree_hash(size, &hashes);
        hashes.end(root).map(Into::into)
    }

    /// The proof that entry `index` is in the tree of `size` entries.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn prove_inclusion<E>(
        &self,
        index: u64,
        size: u64,
        read: &ReadBundle<'_, E>,
    ) -> Result<Vec<LogHash>, ReadError<E>> {
        self.check_size(size)?;
        let hashes = Hashes::new(self, read);
        let proof = prove_record(size, index, &hashes);
        Ok(ours(hashes.end(proof)?))
    }

    /// The proof that the tree of `size` entries extends that of `old`; empty for none.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn prove_consistency<E>(
        &self,
        old: u64,
        size: u64,
        read: &ReadBundle<'_, E>,
    ) -> Result<Vec<LogHash>, ReadError<E>> {
        self.check_size(size)?;
        if old == 0 {
            return Ok(Vec::new());
        }
        let hashes = Hashes::new(self, read);
        let proof = prove_tree(size, old, &hashes);
        Ok(ours(hashes.end(proof)?))
    }

    /// The hashes of a tile in a tree of `size` entries; none for a bundle, or a tile that the tree does not have.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn tile<E>(
        &self,
        path: TilePath,
        size: u64,
        read: &ReadBundle<'_, E>,
    ) -> Result<Option<Vec<u8>>, ReadError<E>> {
        self.check_size(size)?;
        let Some(level) = path.level.filter(|_| path.is_in(size)) else {
            return Ok(None);
        };
        // A tile that is in a tree of at most 2^40 entries has a level below 5.
        let first = path.index * u64::from(BUNDLE_LEN);
        let wanted = first..first + u64::from(path.width);
        let indexes: Vec<u64> = wanted
            .map(|n| stored_hash_index(level * BUNDLE_LEVELS, n))
            .collect();
        let hashes = Hashes::new(self, read);
        let found = hashes.read_hashes(&indexes);
        let found = hashes.end(found)?;
        Ok(Some(found.iter().flat_map(|hash| hash.0).collect()))
    }

    fn check_size<E>(&self, size: u64) -> Result<(), ReadError<E>> {
        if size > self.size() {
            return Err(ReadError::Log(LogError::TooLarge(size)));
        }
        Ok(())
    }
}

/// Entries that follow each other in a log, with the proof that the tree up to their end is the beginning of a larger one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogPart {
    /// The entries' bytes.
    pub entries: Vec<Vec<u8>>,
    /// From the tree that ends with them to the larger one; empty where they are the same.
    pub proof: Vec<LogHash>,
}

/// Why something of a log cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError<E> {
    /// Stored entries could not be read.
    #[error("stored entries could not be read")]
    Read(E),
    /// What is asked for is not of this log; who asks is at fault.
    #[error(transparent)]
    Log(LogError),
}

/// Reads hashes for the library, and keeps what went wrong with a stored bundle.
struct Hashes<'a, E> {
    log: &'a Log,
    read: &'a ReadBundle<'a, E>,
    /// The bundle read last: neighbours are mostly of one bundle.
    last: RefCell<Option<(u64, Vec<Hash>)>>,
    failed: RefCell<Option<E>>,
}

impl<'a, E> Hashes<'a, E> {
    fn new(log: &'a Log, read: &'a ReadBundle<'a, E>) -> Self {
        Self {
            log,
            read,
            last: RefCell::new(None),
            failed: RefCell::new(None),
        }
    }

    fn end<T>(self, result: Result<T, tlog_tiles::Error>) -> Result<T, ReadError<E>> {
        match (result, self.failed.into_inner()) {
            (_, Some(failed)) => Err(ReadError::Read(failed)),
            (Ok(value), None) => Ok(value),
            (Err(_), None) => Err(ReadError::Log(LogError::Malformed("a place of the log"))),
        }
    }

    fn hash(&self, index: u64) -> Option<Hash> {
        let (level, n) = split_stored_hash_index(index);
        if let Some(above) = level.checked_sub(BUNDLE_LEVELS) {
            let row = self.log.full.get(usize::from(above))?;
            return row.get(usize::try_from(n).ok()?).copied();
        }
        let first = n << level;
        let bundle = first / u64::from(BUNDLE_LEN);
        let from = usize::try_from(first % u64::from(BUNDLE_LEN)).ok()?;
        let within = from..from + (1 << level);
        if bundle == self.log.full_bundles() {
            return self.log.edge.get(within).map(subtree);
        }
        let mut last = self.last.borrow_mut();
        if last.as_ref().is_none_or(|(of, _)| *of != bundle) {
            let leaves = match (self.read)(bundle) {
                Ok(leaves) => leaves.into_iter().map(Hash::from).collect(),
                Err(error) => {
                    *self.failed.borrow_mut() = Some(error);
                    return None;
                }
            };
            *last = Some((bundle, leaves));
        }
        let (_, leaves) = last.as_ref()?;
        leaves.get(within).map(subtree)
    }
}

impl<E> HashReader for Hashes<'_, E> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let found: Option<Vec<Hash>> = indexes.iter().map(|index| self.hash(*index)).collect();
        found.ok_or(tlog_tiles::Error::IndexesNotInTree)
    }
}

/// The root of a full subtree over hashes, a power of two of them.
fn subtree(hashes: &[Hash]) -> Hash {
    if let [one] = hashes {
        return *one;
    }
    let (left, right) = hashes.split_at(hashes.len() / 2);
    node_hash(subtree(left), subtree(right))
}

fn ours(hashes: Vec<Hash>) -> Vec<LogHash> {
    hashes.into_iter().map(Into::into).collect()
}

fn theirs(proof: &[LogHash]) -> Vec<Hash> {
    proof.iter().map(|hash| (*hash).into()).collect()
}

/// Checks that entry `index`, whose hash is `leaf`, is in the tree of `size` entries with `root`.
///
/// # Errors
/// [`LogError::BadProof`], [`LogError::TooLarge`].
pub fn check_inclusion(
    proof: &[LogHash],
    (index, leaf): (u64, LogHash),
    (size, root): (u64, LogHash),
) -> Result<(), LogError> {
    check_limits(proof, size)?;
    check_record(&theirs(proof), size, root.into(), index, leaf.into())
        .map_err(|_| LogError::BadProof)
}

/// Checks that the tree of `size` entries with `root` extends that of `old_size` with `old_root`.
///
/// # Errors
/// [`LogError::BadProof`], [`LogError::TooLarge`].
pub fn check_consistency(
    proof: &[LogHash],
    (old_size, old_root): (u64, LogHash),
    (size, root): (u64, LogHash),
) -> Result<(), LogError> {
    check_limits(proof, size)?;
    let is_consistent = if old_size == 0 {
        // The empty tree is consistent with any (c2sp.org/tlog-witness).
        proof.is_empty() && old_root == LogHash::EMPTY && (size > 0 || root == LogHash::EMPTY)
    } else {
        check_tree(&theirs(proof), size, root.into(), old_size, old_root.into()).is_ok()
    };
    is_consistent.then_some(()).ok_or(LogError::BadProof)
}

fn check_limits(proof: &[LogHash], size: u64) -> Result<(), LogError> {
    if size > MAX_LOG_SIZE {
        return Err(LogError::TooLarge(size));
    }
    if proof.len() > MAX_PROOF_LEN {
        return Err(LogError::BadProof);
    }
    Ok(())
}

/// The root that a consistency proof gives the tree of `old_size` entries by itself; none where the proof leaves it out:
/// for a full tree it is not part of the proof (RFC 6962, section 2.1.2), and for equal sizes there is no proof.
pub(super) fn root_in_proof(proof: &[LogHash], old_size: u64, size: u64) -> Option<LogHash> {
    if old_size == 0 || old_size >= size || old_size.is_power_of_two() {
        return None;
    }
    let (mut of_old, mut of_new) = (old_size - 1, size - 1);
    let shift = of_old.trailing_ones();
    of_old >>= shift;
    of_new >>= shift;
    let (first, rest) = proof.split_first()?;
    let mut root = Hash::from(*first);
    for hash in rest {
        if of_old & 1 == 1 || of_old == of_new {
            root = node_hash((*hash).into(), root);
            while of_old & 1 == 0 && of_old != 0 {
                of_old >>= 1;
                of_new >>= 1;
            }
        }
        of_old >>= 1;
        of_new >>= 1;
    }
    Some(root.into())
}
