//! What a gate remembers: the latest time it saw, and the showings of the last minutes.

use std::collections::BTreeSet;

use commitment::layout::{LayoutError, Reader};
use commitment::{Fr, fr_to_bytes};

use crate::time::{CLOCK_TOLERANCE_S, SLOT_LEN_S};
use crate::{Error, Gate, ShowingSlot, UnixTime};

const VERSION: u8 = 1;
const ENTRY_LEN_BYTES: usize = 4 + 32;
const MAX_LEN_BYTES: usize = 1 + 8 + 4 + MEMORY_LIMIT * ENTRY_LEN_BYTES;

/// Showings that a gate remembers at once; with the widest skew that is 200 a second.
pub const MEMORY_LIMIT: usize = 65_536;

/// Slots kept behind the latest time: the widest skew, and what the clock may fall back.
#[allow(clippy::cast_possible_truncation)] // 10 and 2
const SLOTS_KEPT: u32 =
    Gate::SLOT_SKEW_LIMIT as u32 + CLOCK_TOLERANCE_S.div_ceil(SLOT_LEN_S) as u32;

/// A gate's memory, owned by the caller. It forgets showings as they leave the window in which they could be accepted.
///
/// It keeps binders, not passes: the same resident's next pass has another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateMemory {
    latest: UnixTime,
    seen: BTreeSet<(ShowingSlot, [u8; 32])>,
}

impl GateMemory {
    /// An empty memory that has seen the time `latest`; a gate that restarts passes on what it last saw, so that
    /// setting its clock back over a restart is noticed too.
    pub const fn starting_at(latest: UnixTime) -> Self {
        Self {
            latest,
            seen: BTreeSet::new(),
        }
    }

    /// The canonical bytes, for a gate that may restart within the minutes that it must remember.
    ///
    /// Layout, big-endian: version 1 · latest time (s) 8 · count 4 · (slot 4, binder 32), ascending.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(13 + self.seen.len() * ENTRY_LEN_BYTES);
        out.push(VERSION);
        out.extend_from_slice(&self.latest.get_s().to_be_bytes());
        let count = u32::try_from(self.seen.len()).expect("the memory is limited");
        out.extend_from_slice(&count.to_be_bytes());
        for (slot, binder) in &self.seen {
            out.extend_from_slice(&slot.get().to_be_bytes());
            out.extend_from_slice(binder);
        }
        out
    }

    /// Reads what [`GateMemory::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`Error::Layout`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAX_LEN_BYTES)?;
        reader.version(VERSION)?;
        let latest = UnixTime::from_s(reader.u64()?);
        let count = usize::try_from(reader.u32()?).unwrap_or(usize::MAX);
        if count > MEMORY_LIMIT {
            return Err(LayoutError::TooMany {
                what: "showings",
                count,
                limit: MEMORY_LIMIT,
            }
            .into());
        }
        let mut seen = BTreeSet::new();
        for _ in 0..count {
            let entry = (ShowingSlot::new(reader.u32()?), reader.array()?);
            if seen.last().is_some_and(|last| *last >= entry) {
                return Err(LayoutError::NotAscending("showings").into());
            }
            seen.insert(entry);
        }
        reader.finish()?;
        Ok(Self { latest, seen })
    }

    /// The latest time seen.
    pub const fn latest(&self) -> UnixTime {
        self.latest
    }

    /// Showings remembered.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether no showing is remembered.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// Notes the time and forgets what can no longer be accepted.
    pub(crate) fn advance(&mut self, now: UnixTime) {
        if now <= self.latest {
            return;
        }
        self.latest = now;
        let oldest = now.slot().back(SLOTS_KEPT);
        self.seen = self.seen.split_off(&(oldest, [0; 32]));
    }

    pub(crate) fn holds(&self, slot: ShowingSlot, binder: Fr) -> bool {
        self.seen.contains(&(slot, fr_to_bytes(binder)))
    }

    pub(crate) fn is_full(&self) -> bool {
        self.seen.len() >= MEMORY_LIMIT
    }

    /// Remembers a showing; false if it was there.
    pub(crate) fn remember(&mut self, slot: ShowingSlot, binder: Fr) -> bool {
        self.seen.insert((slot, fr_to_bytes(binder)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_showing_is_remembered_as_long_as_it_could_be_accepted_again() {
        let start = UnixTime::from_s(3_000_000);
        let mut memory = GateMemory::starting_at(start);
        let shown = start.slot();
        assert!(memory.remember(shown, Fr::from(1)));
        assert!(!memory.remember(shown, Fr::from(1)));
        // The last moment at which the widest gate, its clock set back as far as tolerated, still takes this slot.
        let last_s = start.get_s() + 10 * SLOT_LEN_S + SLOT_LEN_S - 1 + CLOCK_TOLERANCE_S;
        memory.advance(UnixTime::from_s(last_s));
        assert!(memory.holds(shown, Fr::from(1)));
        memory.advance(UnixTime::from_s(last_s + 1));
        assert!(memory.is_empty());
    }

    #[test]
    fn a_memory_is_full_at_its_limit_and_empties_with_time() {
        let mut memory = GateMemory::starting_at(UnixTime::from_s(3_000_000));
        let slot = memory.latest().slot();
        for i in 0..MEMORY_LIMIT as u64 {
            assert!(!memory.is_full());
            memory.remember(slot, Fr::from(i));
        }
        assert!(memory.is_full());
        memory.advance(UnixTime::from_s(3_000_000 + 60 * 10));
        assert!(!memory.is_full());
    }

    #[test]
    fn the_latest_time_never_falls() {
        let mut memory = GateMemory::starting_at(UnixTime::from_s(100));
        memory.advance(UnixTime::from_s(50));
        assert_eq!(memory.latest(), UnixTime::from_s(100));
    }

    #[test]
    fn a_memory_reads_back_what_was_stored_and_nothing_else() {
        let mut memory = GateMemory::starting_at(UnixTime::from_s(100));
        memory.remember(ShowingSlot::new(3), Fr::from(1));
        memory.remember(ShowingSlot::new(3), Fr::from(2));
        memory.remember(ShowingSlot::new(4), Fr::from(1));
        let bytes = memory.to_bytes();
        assert_eq!(GateMemory::from_bytes(&bytes).unwrap(), memory);
        for len in 0..bytes.len() {
            assert!(GateMemory::from_bytes(&bytes[..len]).is_err(), "{len}");
        }
        let mut twice = bytes.clone();
        let (first, second) = (13..13 + 36, 13 + 36);
        twice.copy_within(first, second);
        assert!(GateMemory::from_bytes(&twice).is_err());
        let mut many = bytes;
        many[9..13].copy_from_slice(&u32::MAX.to_be_bytes());
        assert!(GateMemory::from_bytes(&many).is_err());
    }
}
