//! Proofs about a log of somebody else, from the tiles that it serves.

use std::cell::RefCell;
use std::collections::BTreeMap;

use tlog_tiles::{Error, Tile, TileHashReader, TileReader, prove_record};

use super::tree::{LogHash, MAX_LOG_SIZE, ReadError};
use super::{BUNDLE_LEN, LogError, TilePath};

/// Levels in a tile.
const TILE_HEIGHT: u8 = 8;
/// Bytes of a hash.
const HASH_LEN_BYTES: usize = 32;

/// Gives the bytes of a tile of hashes.
type ReadTile<'a, E> = dyn Fn(TilePath) -> Result<Vec<u8>, E> + 'a;

/// The proofs that the entries of `indexes` are in the tree of `size` entries with `root`, made of tiles that whoever keeps
/// the log serves. Each tile is held against the root before anything is made of it.
///
/// # Errors
/// [`ReadError::Read`] with what `read` gives; [`ReadError::Log`] for tiles that are not of that tree, or for an entry that
/// it does not have.
pub fn prove_by_tiles<E>(
    indexes: impl IntoIterator<Item = u64>,
    (size, root): (u64, LogHash),
    read: &ReadTile<'_, E>,
) -> Result<Vec<Vec<LogHash>>, ReadError<E>> {
    if size > MAX_LOG_SIZE {
        return Err(ReadError::Log(LogError::TooLarge(size)));
    }
    let tiles = Tiles {
        read,
        known: RefCell::default(),
        failed: RefCell::new(None),
    };
    let mut proofs = Vec::new();
    for index in indexes {
        if index >= size {
            return Err(ReadError::Log(LogError::TooLarge(index)));
        }
        let hashes = TileHashReader::new(size, root.into(), &tiles);
        match prove_record(size, index, &hashes) {
            Ok(proof) => proofs.push(proof.into_iter().map(Into::into).collect()),
            Err(_) => {
                return Err(match tiles.failed.into_inner() {
                    Some(failed) => ReadError::Read(failed),
                    None => ReadError::Log(LogError::BadProof),
                });
            }
        }
    }
    Ok(proofs)
}

struct Tiles<'a, E> {
    read: &'a ReadTile<'a, E>,
    /// Each tile is asked for once.
    known: RefCell<BTreeMap<(u8, u64), Vec<u8>>>,
    failed: RefCell<Option<E>>,
}

impl<E> Tiles<'_, E> {
    fn tile(&self, tile: &Tile) -> Option<Vec<u8>> {
        let place = (tile.level(), tile.level_index());
        if let Some(known) = self.known.borrow().get(&place) {
            return Some(known.clone());
        }
        let path = TilePath {
            level: Some(tile.level()),
            index: tile.level_index(),
            width: u16::try_from(tile.width())
                .ok()
                .filter(|w| *w <= BUNDLE_LEN)?,
        };
        match (self.read)(path) {
            Ok(bytes) => {
                let is_whole = bytes.len() == usize::from(path.width) * HASH_LEN_BYTES;
                is_whole.then(|| {
                    self.known.borrow_mut().insert(place, bytes.clone());
                    bytes
                })
            }
            Err(error) => {
                *self.failed.borrow_mut() = Some(error);
                None
            }
        }
    }
}

impl<E> TileReader for Tiles<'_, E> {
    fn height(&self) -> u8 {
        TILE_HEIGHT
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let found: Option<Vec<Vec<u8>>> = tiles.iter().map(|tile| self.tile(tile)).collect();
        found.ok_or(Error::InconsistentTile)
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}
