//! The logs of others, as far as this node holds them: what it witnesses it also keeps, so that a log can be read, and given
//! back to its node, when that node has it no more.
//!
//! Entries are held against a checkpoint that the log signed before they are stored. Beside them lie the roots of full bundles,
//! so that a start need not hash what is stored, and the oldest entries can go when a log has become large.

mod held;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use commitment::Slot;
use ledger::log::{
    BUNDLE_LEN, Log, LogError, LogHash, LogPart, ReadError, SignedCheckpoint, TilePath, bundle,
    leaf_hash,
};
use wire::{Reason, WitnessedLog};

pub(crate) use held::HeldLog;

use super::witness::Witnessed;
use crate::store::{MirrorRow, StoreError, Table, Vault, WriteSet};
use crate::{Node, NodeError};

/// Bytes of entries, with what each takes in the store, that are held of one log; the oldest go first. Of a log as they are, a few years.
const KEPT_MAX_BYTES: u64 = 256 << 20;
/// What an entry takes beside its own bytes, about: its key, its row's frame and authentication.
const ENTRY_COST_BYTES: u64 = 128;

/// The logs that are held, by slot.
#[derive(Default)]
pub(crate) struct Mirrors(Mutex<BTreeMap<Slot, Mirror>>);

/// What is held of one log.
#[derive(Clone, Default)]
struct Mirror {
    log: Log,
    row: MirrorRow,
    /// The tree that what is held was last shown to be the beginning of; none since the start.
    shown: Option<(u64, LogHash)>,
}

const fn damaged() -> NodeError {
    NodeError::Store(StoreError::Damaged(Table::Mirrors))
}

fn key(slot: Slot, number: u64) -> Vec<u8> {
    [&[slot.get()][..], &number.to_be_bytes()].concat()
}

impl Mirrors {
    fn held(&self) -> MutexGuard<'_, BTreeMap<Slot, Mirror>> {
        // A mirror is replaced as a whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the mirrors to where the store says they were. One that is not whole is given up: it is fetched again.
    pub(crate) fn restore(&self, vault: &Vault) -> Result<(), NodeError> {
        let mut held = BTreeMap::new();
        for number in 0..=u8::MAX {
            let Some(slot) = Slot::new(number) else { break };
            match Mirror::restore(vault, slot) {
                Ok(Some(mirror)) => drop(held.insert(slot, mirror)),
                Ok(None) => {}
                Err(NodeError::Store(StoreError::Damaged(_))) => {
                    tracing::error!(
                        slot = number,
                        "what is held of another log is damaged, and fetched again"
                    );
                    forget(vault, slot)?;
                }
                Err(error) => return Err(error),
            }
        }
        *self.held() = held;
        Ok(())
    }
}

/// Removes what is held of a log.
fn forget(vault: &Vault, slot: Slot) -> Result<(), NodeError> {
    for table in [Table::Mirrors, Table::Mirrored] {
        loop {
            let keys = vault.keys(table, &[slot.get()], 1_024)?;
            if keys.is_empty() {
                break;
            }
            let mut write = vault.write();
            for key in &keys {
                write.delete(table, key);
            }
            write.commit()?;
        }
    }
    Ok(())
}

impl Mirror {
    fn restore(vault: &Vault, slot: Slot) -> Result<Option<Self>, NodeError> {
        let row: Option<MirrorRow> = vault.get(Table::Mirrors, &[slot.get()])?;
        let Some(row) = row else { return Ok(None) };
        let mut log = Log::default();
        for number in 0..row.end / u64::from(BUNDLE_LEN) {
            let root: Option<[u8; 32]> = vault.get(Table::Mirrors, &key(slot, number))?;
            log.append_bundle(LogHash(root.ok_or(damaged())?))
                .map_err(|_| damaged())?;
        }
        for entry in entries_of(vault, slot, row.end / u64::from(BUNDLE_LEN))? {
            log.append(&entry).map_err(|_| damaged())?;
        }
        let mirror = Self {
            log,
            row,
            shown: None,
        };
        let is_whole = mirror.log.size() == mirror.row.end
            && mirror.checkpoint().is_none_or(|checkpoint| {
                let root = mirror.root_at(vault, slot, checkpoint.size());
                root.is_ok_and(|root| root == checkpoint.root())
            });
        is_whole.then_some(Some(mirror)).ok_or(damaged())
    }

    fn checkpoint(&self) -> Option<SignedCheckpoint> {
        SignedCheckpoint::from_bytes(&self.row.checkpoint).ok()
    }

    fn root_at(&self, vault: &Vault, slot: Slot, size: u64) -> Result<LogHash, NodeError> {
        let read = |bundle| leaves_of(vault, slot, bundle);
        self.log.root_at(size, &read).map_err(unread)
    }

    /// This mirror with a part more of the log whose checkpoint is `of`, and the changes that make it so.
    fn with(
        &self,
        (vault, slot): (&Vault, Slot),
        part: &LogPart,
        of: &SignedCheckpoint,
        write: &mut WriteSet<'_>,
        kept_max_bytes: u64,
    ) -> Result<Self, NodeError> {
        if part.entries.iter().any(Vec::is_empty) {
            return Err(refused(slot, &LogError::Malformed("an empty entry")));
        }
        let log = self
            .log
            .extended(part, (of.size(), of.root()))
            .map_err(|error| refused(slot, &error))?;
        let mut row = self.row.clone();
        for (number, entry) in (row.end..).zip(&part.entries) {
            write.put(Table::Mirrored, &key(slot, number), entry);
            row.len_bytes += entry.len() as u64 + ENTRY_COST_BYTES;
        }
        let full = row.end / u64::from(BUNDLE_LEN)..log.size() / u64::from(BUNDLE_LEN);
        for number in full {
            let root = log.bundle_root(number).ok_or(damaged())?;
            write.put(Table::Mirrors, &key(slot, number), &root.0);
        }
        row.end = log.size();
        if row.end == of.size() {
            row.checkpoint = of.to_bytes().to_vec();
        }
        // Whole bundles, and never the one that is not full.
        while row.len_bytes > kept_max_bytes && row.first + u64::from(BUNDLE_LEN) <= self.row.end {
            for entry in entries_of(vault, slot, row.first / u64::from(BUNDLE_LEN))? {
                write.delete(Table::Mirrored, &key(slot, row.first));
                row.first += 1;
                let len_bytes = entry.len() as u64 + ENTRY_COST_BYTES;
                row.len_bytes = row.len_bytes.saturating_sub(len_bytes);
            }
        }
        write.put(Table::Mirrors, &[slot.get()], &row);
        let shown = Some((of.size(), of.root()));
        Ok(Self { log, row, shown })
    }

    /// Whether what is held is known to fit the tree of a checkpoint: to be its beginning, or to go on from it.
    fn fits(&self, vault: &Vault, slot: Slot, of: &SignedCheckpoint) -> bool {
        let tree = (of.size(), of.root());
        if self.shown == Some(tree) || self.row.end == 0 {
            return true;
        }
        let root = self.root_at(vault, slot, of.size());
        self.row.end >= of.size() && root.is_ok_and(|root| root == of.root())
    }

    /// This mirror without what is after `size`, and the changes that make it so. `cosigned` is what it is the tree of then.
    ///
    /// # Errors
    /// [`Reason::NotFound`] where the bundle that `size` is in was removed.
    fn cut_to(
        &self,
        (vault, slot): (&Vault, Slot),
        cosigned: Option<&SignedCheckpoint>,
        write: &mut WriteSet<'_>,
    ) -> Result<Self, NodeError> {
        let size = cosigned.map_or(0, SignedCheckpoint::size);
        let bundle = size / u64::from(BUNDLE_LEN);
        if size < self.row.first {
            return Err(NodeError::Refused(Reason::NotFound));
        }
        let mut log = Log::default();
        for number in 0..bundle {
            let root = self.log.bundle_root(number).ok_or(damaged())?;
            log.append_bundle(root).map_err(|_| damaged())?;
        }
        let within = usize::try_from(size % u64::from(BUNDLE_LEN)).map_err(|_| damaged())?;
        for entry in entries_of(vault, slot, bundle)?.iter().take(within) {
            log.append(entry).map_err(|_| damaged())?;
        }
        if log.size() != size {
            return Err(damaged());
        }
        let mut row = self.row.clone();
        for number in size..row.end {
            let entry: Option<Vec<u8>> = vault.get(Table::Mirrored, &key(slot, number))?;
            let len_bytes = entry.map_or(0, |entry| entry.len() as u64 + ENTRY_COST_BYTES);
            row.len_bytes = row.len_bytes.saturating_sub(len_bytes);
            write.delete(Table::Mirrored, &key(slot, number));
        }
        for number in bundle..row.end / u64::from(BUNDLE_LEN) {
            write.delete(Table::Mirrors, &key(slot, number));
        }
        row.end = size;
        row.checkpoint = cosigned.map_or(Vec::new(), |of| of.to_bytes().to_vec());
        write.put(Table::Mirrors, &[slot.get()], &row);
        let shown = cosigned.map(|of| (of.size(), of.root()));
        Ok(Self { log, row, shown })
    }

    /// This mirror without what is beyond what was cosigned, and the store without it. Where it cannot be cut to that, for the
    /// bundle in which that ends was removed or is damaged, all of it is forgotten: it is fetched anew.
    fn cut_or_forgotten(
        &self,
        (vault, slot): (&Vault, Slot),
        cosigned: Option<&SignedCheckpoint>,
    ) -> Result<Self, NodeError> {
        let mut write = vault.write();
        match self.cut_to((vault, slot), cosigned, &mut write) {
            Ok(next) => {
                write.commit()?;
                Ok(next)
            }
            Err(NodeError::Refused(_) | NodeError::Store(StoreError::Damaged(_))) => {
                forget(vault, slot)?;
                Ok(Self::default())
            }
            Err(error) => Err(error),
        }
    }
}

fn refused(slot: Slot, error: &LogError) -> NodeError {
    tracing::warn!(slot = slot.get(), %error, "entries of another log are refused");
    NodeError::Refused(Reason::CheckpointRefused)
}

fn unread(error: ReadError<NodeError>) -> NodeError {
    match error {
        ReadError::Read(error) => error,
        ReadError::Log(_) => NodeError::Refused(Reason::NotFound),
    }
}

fn entries_of(vault: &Vault, slot: Slot, bundle: u64) -> Result<Vec<Vec<u8>>, StoreError> {
    let first = key(slot, bundle * u64::from(BUNDLE_LEN));
    let rows = vault.list::<Vec<u8>>(Table::Mirrored, &first[..first.len() - 1])?;
    Ok(rows.into_iter().map(|(_, bytes)| bytes).collect())
}

fn leaves_of(vault: &Vault, slot: Slot, bundle: u64) -> Result<Vec<LogHash>, NodeError> {
    let entries = entries_of(vault, slot, bundle)?;
    if entries.is_empty() {
        // Removed, or never here.
        return Err(NodeError::Refused(Reason::NotFound));
    }
    Ok(entries.iter().map(|entry| leaf_hash(entry)).collect())
}

impl Node {
    /// Where what this node holds of a log ends: the first entry that it has not seen.
    pub fn mirrored(&self, slot: Slot) -> u64 {
        let held = self.mirrors.held();
        held.get(&slot).map_or(0, |mirror| mirror.row.end)
    }

    /// Keeps a part of another node's log, if it is what the tree of `of` goes on with; gives where what is held ends then.
    /// That the log signed `of` is the caller's to know.
    ///
    /// # Errors
    /// [`Reason::CheckpointRefused`] for other entries, or more of them.
    pub(crate) fn mirror(
        &self,
        slot: Slot,
        part: &LogPart,
        of: &SignedCheckpoint,
    ) -> Result<u64, NodeError> {
        let mut held = self.mirrors.held();
        let before = held.get(&slot).cloned().unwrap_or_default();
        let mut write = self.vault.write();
        let at = (&*self.vault, slot);
        let next = before.with(at, part, of, &mut write, KEPT_MAX_BYTES)?;
        write.commit()?;
        let end = next.row.end;
        held.insert(slot, next);
        Ok(end)
    }

    /// Lets go of what this node holds of a log beyond what it cosigned, if that does not fit the tree of `of`, which the log serves
    /// now: it was of a checkpoint that nobody came to cosign. Gives where what is held ends then. With `is_refused` it does not
    /// fit for certain; without, only what is known not to fit goes.
    pub(crate) fn refit_mirror(
        &self,
        slot: Slot,
        of: &SignedCheckpoint,
        is_refused: bool,
    ) -> Result<u64, NodeError> {
        let mut held = self.mirrors.held();
        let Some(mirror) = held.get(&slot) else {
            return Ok(0);
        };
        let last = self.last_witnessed(slot)?;
        let cosigned = last.as_ref().map(|last| &last.checkpoint);
        let end = mirror.row.end;
        let is_beyond = end > cosigned.map_or(0, SignedCheckpoint::size);
        let may_fit = !is_refused && (end < of.size() || mirror.fits(&self.vault, slot, of));
        if !is_beyond || may_fit {
            return Ok(end);
        }
        let next = mirror.cut_or_forgotten((&*self.vault, slot), cosigned)?;
        tracing::warn!(
            slot = slot.get(),
            from = end,
            to = next.row.end,
            "entries of another log that it does not serve any more are let go; nobody cosigned them"
        );
        let end = next.row.end;
        held.insert(slot, next);
        Ok(end)
    }

    /// Before `next` is cosigned in place of what is: what is held beyond that and not known to fit `next` is let go. So what is
    /// held is at all times the tree cosigned last, as far as that goes.
    pub(super) fn settle_mirror(
        &self,
        slot: Slot,
        next: &SignedCheckpoint,
    ) -> Result<(), NodeError> {
        let is_known = {
            let held = self.mirrors.held();
            let mirror = held.get(&slot);
            mirror.is_none_or(|mirror| mirror.fits(&self.vault, slot, next))
        };
        if is_known {
            return Ok(());
        }
        self.refit_mirror(slot, next, true).map(drop)
    }

    /// A checkpoint that this node cosigned and up to which it held all entries already, as when nothing was appended.
    pub(crate) fn complete_mirror(
        &self,
        slot: Slot,
        of: &SignedCheckpoint,
    ) -> Result<(), NodeError> {
        let mut held = self.mirrors.held();
        let Some(mirror) = held.get_mut(&slot).filter(|m| m.row.end == of.size()) else {
            return Ok(());
        };
        let is_same = mirror.log.root().is_ok_and(|root| root == of.root());
        if is_same {
            mirror.shown = Some((of.size(), of.root()));
        }
        if is_same && mirror.row.checkpoint != of.to_bytes() {
            let mut row = mirror.row.clone();
            row.checkpoint = of.to_bytes().to_vec();
            let mut write = self.vault.write();
            write.put(Table::Mirrors, &[slot.get()], &row);
            write.commit()?;
            mirror.row = row;
        }
        Ok(())
    }

    /// Entries of this node's log, or of one that it holds, from `first` on, as many as fit, with the proof that they lead to the
    /// tree of `size`.
    ///
    /// # Errors
    /// [`Reason::NotFound`] for what is not held.
    pub fn log_part(&self, slot: Slot, first: u64, size: u64) -> Result<LogPart, NodeError> {
        let none = || NodeError::Refused(Reason::NotFound);
        if first >= size {
            return Err(none());
        }
        let (number, skip) = (first / u64::from(BUNDLE_LEN), first % u64::from(BUNDLE_LEN));
        let skip = usize::try_from(skip).map_err(|_| none())?;
        let most = usize::try_from((size - first).min(BUNDLE_LEN.into())).map_err(|_| none())?;
        let cut = |entries: Vec<Vec<u8>>| -> Result<Vec<Vec<u8>>, NodeError> {
            let mut entries: Vec<Vec<u8>> = entries.into_iter().skip(skip).take(most).collect();
            entries.truncate(wire::fitting(&entries)?);
            (!entries.is_empty()).then_some(entries).ok_or_else(none)
        };
        if slot == self.slot {
            if self.checkpoint().is_none_or(|own| own.size() < size) {
                return Err(none());
            }
            let entries = cut(self.entries_of_bundle(number)?)?;
            let end = first + entries.len() as u64;
            let proof = self.log_consistency(end, size)?;
            return Ok(LogPart { entries, proof });
        }
        let held = self.mirrors.held();
        let mirror = held.get(&slot).ok_or_else(none)?;
        if first < mirror.row.first || size > mirror.row.end {
            return Err(none());
        }
        let entries = cut(entries_of(&self.vault, slot, number)?)?;
        let end = first + entries.len() as u64;
        let read = |bundle| leaves_of(&self.vault, slot, bundle);
        let proof = mirror
            .log
            .prove_consistency(end, size, &read)
            .map_err(unread)?;
        Ok(LogPart { entries, proof })
    }

    /// What this node has cosigned of a log, and holds of it.
    ///
    /// # Errors
    /// [`Reason::NotFound`] where it cosigned nothing.
    pub fn witnessed(&self, slot: Slot) -> Result<WitnessedLog, NodeError> {
        let last = self.last_witnessed(slot)?;
        let last = last.ok_or(NodeError::Refused(Reason::NotFound))?;
        let (first, end) = {
            let held = self.mirrors.held();
            held.get(&slot).map_or((0, 0), |m| (m.row.first, m.row.end))
        };
        let size = last.checkpoint.size();
        Ok(WitnessedLog {
            keys: last.keys,
            checkpoint: self.cosigned(&last),
            witness: self.own_log_keys()?,
            first: first.min(size),
            // What was read of a later tree, that this node did not come to cosign, leads to that alone.
            end: end.min(size),
        })
    }

    /// What this node cosigned last of a log.
    pub(super) fn last_witnessed(&self, slot: Slot) -> Result<Option<Witnessed>, NodeError> {
        Witnessed::stored(&self.vault, slot)
    }

    /// What was cosigned, with the cosignature: that it was is stored.
    fn cosigned(&self, last: &Witnessed) -> SignedCheckpoint {
        let at_s = u64::from(self.clock.now().get()) * 60;
        let name = &self.log_names.witness;
        let line = last.again(name, &self.log_signer, at_s);
        let with = line.and_then(|line| last.checkpoint.with_cosignature(&line, name).ok());
        with.unwrap_or_else(|| last.checkpoint.clone())
    }

    /// The newest checkpoint of a log all of whose tree is held.
    pub(super) fn mirrored_checkpoint(
        &self,
        slot: Slot,
    ) -> Result<Option<SignedCheckpoint>, NodeError> {
        let checkpoint = {
            let held = self.mirrors.held();
            held.get(&slot).and_then(Mirror::checkpoint)
        };
        let Some(checkpoint) = checkpoint else {
            return Ok(None);
        };
        let last = self.last_witnessed(slot)?;
        let is_last = |last: &&Witnessed| last.checkpoint.text() == checkpoint.text();
        let cosigned = last
            .as_ref()
            .filter(is_last)
            .map(|last| self.cosigned(last));
        Ok(Some(cosigned.unwrap_or(checkpoint)))
    }

    /// A tile or bundle of a log that is held, of the tree of [`Node::mirrored_checkpoint`].
    pub(super) fn mirrored_tile(
        &self,
        slot: Slot,
        path: TilePath,
    ) -> Result<Option<Vec<u8>>, NodeError> {
        let held = self.mirrors.held();
        let found = held
            .get(&slot)
            .and_then(|m| Some((m, m.checkpoint()?.size())));
        let Some((mirror, size)) = found.filter(|(_, size)| path.is_in(*size)) else {
            return Ok(None);
        };
        if path.level.is_some() {
            let read = |bundle| leaves_of(&self.vault, slot, bundle);
            return match mirror.log.tile(path, size, &read).map_err(unread) {
                Err(NodeError::Refused(Reason::NotFound)) => Ok(None),
                tile => tile,
            };
        }
        if path.index * u64::from(BUNDLE_LEN) < mirror.row.first {
            return Ok(None);
        }
        drop(held);
        let entries = entries_of(&self.vault, slot, path.index)?;
        let wanted = entries.iter().take(path.width.into()).map(Vec::as_slice);
        Ok(Some(bundle(wanted).map_err(|_| damaged())?))
    }
}

#[cfg(test)]
#[path = "mirror_tests.rs"]
mod tests;
