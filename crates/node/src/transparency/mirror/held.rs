//! What a store holds of another node's log, while no node runs over it: for a recovery.

use commitment::Slot;
use ledger::log::{LogHash, LogPart, SignedCheckpoint, SignedLogKeys, WitnessState};
use wire::Reason;

use super::super::book::stored_keys;
use super::super::witness::Witnessed;
use super::{KEPT_MAX_BYTES, Mirror, forget, leaves_of, unread};
use crate::NodeError;
use crate::store::{StoreError, Table, Vault, WitnessedRow};

/// What a store holds of a log, while no node runs over it.
pub(crate) struct HeldLog<'a> {
    vault: &'a Vault,
    slot: Slot,
    mirror: Mirror,
    last: Option<Witnessed>,
}

impl<'a> HeldLog<'a> {
    pub(crate) fn open(vault: &'a Vault, slot: Slot) -> Result<Self, NodeError> {
        Ok(Self {
            vault,
            slot,
            mirror: Mirror::restore(vault, slot)?.unwrap_or_default(),
            last: Witnessed::stored(vault, slot)?,
        })
    }

    /// The same; what is held and damaged is forgotten, and fetched again.
    pub(crate) fn open_or_forget(vault: &'a Vault, slot: Slot) -> Result<Self, NodeError> {
        match Self::open(vault, slot) {
            Err(NodeError::Store(StoreError::Damaged(Table::Mirrors | Table::Mirrored))) => {
                forget(vault, slot)?;
                Self::open(vault, slot)
            }
            opened => opened,
        }
    }

    pub(crate) const fn slot(&self) -> Slot {
        self.slot
    }

    /// The entry after the last one that is held.
    pub(crate) const fn end(&self) -> u64 {
        self.mirror.row.end
    }

    /// What was cosigned last.
    pub(crate) fn cosigned(&self) -> WitnessState {
        let last = self.last.as_ref();
        last.map_or(WitnessState::default(), |last| last.state)
    }

    /// The checkpoint that was cosigned last, and the log keys that it was judged by.
    pub(crate) fn last(&self) -> Option<(&SignedCheckpoint, &SignedLogKeys)> {
        let last = self.last.as_ref();
        last.map(|last| (&last.checkpoint, &last.keys))
    }

    /// The root that the log had at a size, if what is held is the tree cosigned last as far as that goes.
    pub(crate) fn root_at(&self, size: u64) -> Result<LogHash, NodeError> {
        let at = |size| self.mirror.root_at(self.vault, self.slot, size);
        if at(self.cosigned().size())? != self.cosigned().root() {
            return Err(NodeError::Refused(Reason::CheckpointRefused));
        }
        at(size)
    }

    /// Whether what is held is known to fit the tree of a checkpoint.
    pub(crate) fn fits(&self, of: &SignedCheckpoint) -> bool {
        self.mirror.fits(self.vault, self.slot, of)
    }

    /// Lets go of what is held beyond what was cosigned; whether there was any. Where less is held then than was cosigned, nothing
    /// is: it is fetched anew.
    pub(crate) fn cut_back(&mut self) -> Result<bool, NodeError> {
        if self.end() <= self.cosigned().size() {
            return Ok(false);
        }
        let cosigned = self.last.as_ref().map(|last| &last.checkpoint);
        let at = (self.vault, self.slot);
        self.mirror = self.mirror.cut_or_forgotten(at, cosigned)?;
        Ok(true)
    }

    /// As [`Node::mirror`].
    pub(crate) fn take(&mut self, part: &LogPart, of: &SignedCheckpoint) -> Result<(), NodeError> {
        let mut write = self.vault.write();
        let at = (self.vault, self.slot);
        let next = self.mirror.with(at, part, of, &mut write, KEPT_MAX_BYTES)?;
        write.commit()?;
        self.mirror = next;
        Ok(())
    }

    /// That the tree of `size` entries goes on from that of `old`.
    pub(crate) fn consistency(&self, old: u64, size: u64) -> Result<Vec<LogHash>, NodeError> {
        let read = |bundle| leaves_of(self.vault, self.slot, bundle);
        let log = &self.mirror.log;
        log.prove_consistency(old, size, &read).map_err(unread)
    }

    /// Remembers what was cosigned, in place of what was before; log keys in place of older ones alone.
    pub(crate) fn remember(
        &mut self,
        state: WitnessState,
        checkpoint: &SignedCheckpoint,
        keys: &SignedLogKeys,
    ) -> Result<(), NodeError> {
        let row = WitnessedRow {
            state: state.to_bytes(),
            checkpoint: checkpoint.to_bytes().to_vec(),
            keys: keys.to_bytes(),
        };
        let mut write = self.vault.write();
        write.put(Table::Witnessed, &[self.slot.get()], &row);
        let known = stored_keys(self.vault, self.slot)?;
        if known.is_none_or(|known| keys.may_follow(&known).is_ok()) {
            write.put(Table::LogKeys, &[self.slot.get()], &keys.to_bytes());
        }
        write.commit()?;
        self.last = Witnessed::stored(self.vault, self.slot)?;
        Ok(())
    }
}
