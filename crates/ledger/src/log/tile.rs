//! Paths of tiles, and entry bundles (c2sp.org/tlog-tiles).

use std::fmt;

use super::LogError;
use super::entry::ENTRY_LEN_MAX_BYTES;

/// Hashes in a full tile, and entries in a full bundle.
pub const BUNDLE_LEN: u16 = 256;
/// Longest bundle of entries: each with its length of two bytes, which may be any. What is longer than an entry can be is none, but it
/// stands in the log; a reader with a lower limit could be kept from the log's other entries by it.
pub const ENTRY_BUNDLE_LEN_MAX_BYTES: usize = BUNDLE_LEN as usize * (2 + u16::MAX as usize);
/// Longest path that is looked at: `N` has at most 20 digits.
const MAX_PATH_LEN_BYTES: usize = 64;
/// Levels in paths.
const MAX_LEVEL: u8 = 63;
const GROUP: u64 = 1_000;

/// Which tile, or which bundle of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TilePath {
    /// The level of a tile of hashes; none for a bundle of entries.
    pub level: Option<u8>,
    /// Its place in the level.
    pub index: u64,
    /// How many there are in it, 1 to [`BUNDLE_LEN`].
    pub width: u16,
}

impl TilePath {
    /// Reads `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.
    ///
    /// # Errors
    /// [`LogError::Malformed`] for anything but the one way to write a path.
    pub fn parse(path: &str) -> Result<Self, LogError> {
        Self::read(path)
            .filter(|tile| tile.to_string() == path)
            .ok_or(LogError::Malformed("a path of a tile"))
    }

    fn read(path: &str) -> Option<Self> {
        if path.len() > MAX_PATH_LEN_BYTES {
            return None;
        }
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let level = match level {
            "entries" => None,
            level => Some(level.parse().ok().filter(|level| *level <= MAX_LEVEL)?),
        };
        let (groups, width) = match rest.split_once(".p/") {
            Some((groups, width)) => (groups, width.parse().ok()?),
            None => (rest, BUNDLE_LEN),
        };
        let is_partial = rest.len() > groups.len();
        if width == 0 || width > BUNDLE_LEN || (is_partial && width == BUNDLE_LEN) {
            return None;
        }
        let index = groups.split('/').try_fold(0_u64, |index, group| {
            let group: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
            index.checked_mul(GROUP)?.checked_add(group)
        });
        Some(Self {
            level,
            index: index?,
            width,
        })
    }

    /// Whether a tree of `size` entries has this tile in this width, or a wider one of the same place.
    pub fn is_in(self, size: u64) -> bool {
        let end = u128::from(self.index) * u128::from(BUNDLE_LEN) + u128::from(self.width);
        let shift = 8 * u32::from(self.level.unwrap_or(0));
        shift < 64 && end <= u128::from(size >> shift)
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Some(level) => write!(f, "tile/{level}/")?,
            None => f.write_str("tile/entries/")?,
        }
        let mut groups = vec![self.index % GROUP];
        let mut rest = self.index / GROUP;
        while rest > 0 {
            groups.push(rest % GROUP);
            rest /= GROUP;
        }
        for group in groups[1..].iter().rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", groups[0])?;
        if self.width < BUNDLE_LEN {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

/// A bundle of entries: each with its length before it, two bytes.
///
/// # Errors
/// [`LogError::TooLong`] for an entry whose length does not fit.
pub fn bundle<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, LogError> {
    let mut out = Vec::new();
    for entry in entries {
        let len = u16::try_from(entry.len()).map_err(|_| LogError::TooLong {
            what: "an entry",
            len: entry.len(),
            limit: ENTRY_LEN_MAX_BYTES,
        })?;
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(entry);
    }
    Ok(out)
}

/// The entries of a bundle.
///
/// # Errors
/// [`LogError::Malformed`] if it ends within an entry, or has more than [`BUNDLE_LEN`].
pub fn read_bundle(mut bytes: &[u8]) -> Result<Vec<&[u8]>, LogError> {
    let malformed = || LogError::Malformed("a bundle of entries");
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let (len, rest) = bytes.split_first_chunk().ok_or_else(malformed)?;
        let len = usize::from(u16::from_be_bytes(*len));
        let (entry, rest) = rest.split_at_checked(len).ok_or_else(malformed)?;
        entries.push(entry);
        bytes = rest;
        if entries.len() > usize::from(BUNDLE_LEN) {
            return Err(malformed());
        }
    }
    Ok(entries)
}
