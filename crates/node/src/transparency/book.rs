//! The log: what is appended, and the checkpoint over it.
//!
//! Stored are the entries alone; the tree is hashed from what was read back of them, never from what was meant to be
//! written. An entry is committed together with the act that it tells of.

use std::collections::BTreeMap;
use std::sync::{MutexGuard, PoisonError};

use commitment::{Epoch, Slot};
use federation::FederationId;
use ledger::CosignedStatement;
use ledger::log::{
    BUNDLE_LEN, Entry, KeyChange, KeyRole, Log, LogError, LogHash, LogKeys, LogSigner, NoteKey,
    ReadError, RuleSetNotice, SignedCheckpoint, SignedLogKeys, SourceEntitlement, TilePath, bundle,
    leaf_hash,
};
use rules::{Minute, ProvinceCode};

use super::told_keys::HeadKeysTold;
use crate::node::{epoch_of_key, head_of};
use crate::store::{EpochRow, StoreError, Table, Vault, WriteSet};
use crate::{Node, NodeError};

pub(crate) const CHECKPOINT_KEY: &[u8] = b"checkpoint";
/// Entries in one commit.
const CHUNK_LEN: usize = 256;

/// Who this node is as a log and as a witness.
pub(crate) struct LogNames {
    pub(crate) public: LogKeys,
    pub(crate) log: NoteKey,
    pub(crate) witness: NoteKey,
    /// Whether the keys were not the node's before.
    is_new: bool,
}

impl LogNames {
    /// The names and public keys; keys that the node did not have before get the next number.
    pub(crate) fn new(
        vault: &Vault,
        federation: &FederationId,
        (home, slot): (ProvinceCode, Slot),
        signer: &LogSigner,
    ) -> Result<Self, NodeError> {
        let known = stored_keys(vault, slot)?;
        let number = known.map_or(0, |known| known.keys.number);
        let as_before = signer.public(home, slot, number);
        let is_new = known.is_none_or(|known| known.keys != as_before);
        let public = if is_new {
            let next = number.checked_add(1);
            signer.public(
                home,
                slot,
                next.ok_or(fault("the last number of log keys"))?,
            )
        } else {
            as_before
        };
        let name = |_: LogError| fault("a federation whose name makes no origin");
        Ok(Self {
            public,
            log: public.log_key(federation.as_str()).map_err(name)?,
            witness: public.witness_key(federation.as_str()).map_err(name)?,
            is_new,
        })
    }
}

/// The log keys of a slot that were announced last.
pub(crate) fn stored_keys(vault: &Vault, slot: Slot) -> Result<Option<SignedLogKeys>, NodeError> {
    let stored: Option<Vec<u8>> = vault.get(Table::LogKeys, &[slot.get()])?;
    let keys = stored.map(|bytes| SignedLogKeys::from_bytes(&bytes));
    keys.transpose()
        .map_err(|_| NodeError::Store(StoreError::Damaged(Table::LogKeys)))
}

pub(super) const fn fault(what: &'static str) -> NodeError {
    NodeError::Fault(what)
}

const fn damaged(table: Table) -> NodeError {
    NodeError::Store(StoreError::Damaged(table))
}

/// What is in memory of the log.
#[derive(Default)]
pub(crate) struct LogBook {
    /// The tree over the entries that were read back.
    log: Log,
    /// Entries stored.
    next: u64,
    checkpoint: Option<SignedCheckpoint>,
    announced: Announced,
    told: Told,
}

/// What a log tells of that comes from others, and is told once: where the registry of an epoch stands, and until when batches
/// of revocations are listed.
#[derive(Default)]
struct Told {
    registries: BTreeMap<Epoch, u64>,
    batches: BTreeMap<[u8; 32], Minute>,
}

impl Told {
    fn take(&mut self, index: u64, entry: &Entry) {
        match entry {
            Entry::Registry(cosigned) => {
                self.registries.insert(cosigned.statement().epoch(), index);
            }
            Entry::Revocations(batch) => {
                self.batches.retain(|_, expires| *expires >= batch.issued);
                self.batches.insert(batch.sha256, batch.expires);
            }
            _ => {}
        }
    }
}

/// What a log says is in force: rule sets, of each source the last that was said, and the head keys.
#[derive(Default)]
struct Announced {
    rule_sets: BTreeMap<Vec<u8>, RuleSetNotice>,
    head_keys: HeadKeysTold,
    sources: BTreeMap<(u8, u8, u32), SourceEntitlement>,
}

impl Announced {
    fn take(&mut self, entry: &Entry, bytes: &[u8]) {
        match entry {
            Entry::RuleSet(notice) => {
                self.rule_sets.insert(bytes.to_vec(), notice.clone());
            }
            Entry::RuleSetWithdrawn(notice) => {
                let announced = Entry::RuleSet(notice.clone()).to_bytes();
                self.rule_sets.remove(&announced);
            }
            Entry::Source(source) => {
                let id = (source.province.get(), source.kind, source.number);
                self.sources.insert(id, *source);
            }
            Entry::KeyChange(change) if change.role == KeyRole::Head => {
                self.head_keys.take(change);
            }
            _ => {}
        }
    }
}

impl Node {
    fn log_book(&self) -> MutexGuard<'_, LogBook> {
        // Between any two of its changes the book is whole: a tree that is behind its entries catches up.
        self.log_book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the log to where the store says it was, and adds what was announced since. The tree is hashed from every
    /// stored entry, and must be that of the stored checkpoint.
    pub(crate) fn restore_log(&self) -> Result<(), NodeError> {
        let mut book = self.log_book();
        self.vault
            .walk::<Vec<u8>, NodeError>(Table::LogEntries, b"", |key, bytes| {
                let wrong = || damaged(Table::LogEntries);
                if key != book.next.to_be_bytes() {
                    return Err(wrong());
                }
                let entry = Entry::from_bytes(&bytes).map_err(|_| wrong())?;
                book.announced.take(&entry, &bytes);
                let index = book.next;
                book.told.take(index, &entry);
                self.commitments.restore(&entry);
                book.log.append(&bytes).map_err(|_| wrong())?;
                book.next += 1;
                Ok(())
            })?;
        if let Some(bytes) = self
            .vault
            .get::<Vec<u8>>(Table::LogCheckpoint, CHECKPOINT_KEY)?
        {
            let checkpoint =
                SignedCheckpoint::from_bytes(&bytes).map_err(|_| damaged(Table::LogCheckpoint))?;
            let root = book
                .log
                .root_at(checkpoint.size(), &|bundle| self.leaves_of_bundle(bundle))
                .map_err(read_failed)?;
            if root != checkpoint.root() {
                return Err(damaged(Table::LogEntries));
            }
            book.checkpoint = Some(checkpoint);
        }
        let is_empty = book.next == 0;
        drop(book);
        if is_empty {
            self.append_all(&self.past()?)?;
        }
        self.announce()?;
        if self.log_names.is_new {
            self.announce_keys()?;
        }
        self.sign_checkpoint()
    }

    /// Adds what is in force and not yet in the log.
    pub(crate) fn announce(&self) -> Result<(), NodeError> {
        let unannounced = self.unannounced(&self.log_book().announced);
        self.append_all(&unannounced)
    }

    /// What a node did before it had a log.
    fn past(&self) -> Result<Vec<Entry>, NodeError> {
        let mut entries = BTreeMap::new();
        for (key, row) in self.vault.list::<EpochRow>(Table::Epochs, b"")? {
            let epoch = epoch_of_key(&key).unwrap_or(0);
            entries.insert((epoch, 0), Entry::TreeHead(head_of(&row)?));
        }
        for key in self.vault.keys(Table::Registries, b"", usize::MAX)? {
            let epoch = epoch_of_key(&key).unwrap_or(0);
            let registry = self.registry(Epoch::new(epoch))?;
            entries.insert((epoch, 1), Entry::Registry(registry.cosigned));
        }
        Ok(entries.into_values().collect())
    }

    /// The rule sets, sources and head key of this node that its log does not tell of, and the rule sets and sources that it tells
    /// of and that are no more; of rule sets those that never came into force.
    fn unannounced(&self, announced: &Announced) -> Vec<Entry> {
        let charter = self.charter();
        let known: Vec<Entry> = charter.rules.known().map(notice_of).collect();
        let is_known = |bytes: &Vec<u8>| known.iter().any(|entry| entry.to_bytes() == *bytes);
        let now = self.clock.now();
        let withdrawn = announced.rule_sets.iter();
        let withdrawn = withdrawn.filter(|(bytes, notice)| notice.from > now && !is_known(bytes));
        let mut entries: Vec<Entry> = withdrawn
            .map(|(_, notice)| Entry::RuleSetWithdrawn(notice.clone()))
            .collect();
        let is_new = |entry: &Entry| !announced.rule_sets.contains_key(&entry.to_bytes());
        entries.extend(known.iter().filter(|entry| is_new(entry)).cloned());
        let own_keys = charter.own_keys.iter().map(|key| (key.from, key.public));
        let own_keys: Vec<_> = own_keys.collect();
        entries.extend(announced.head_keys.untold(&own_keys, now));
        let mut gone = announced.sources.clone();
        for (id, source) in self.sources.iter() {
            let now = SourceEntitlement {
                is_entitled: true,
                province: id.province,
                kind: id.kind.code(),
                number: id.number,
                key: source.key.to_bytes(),
                since: source.grant.since,
                until: source.grant.until,
            };
            let said = gone.remove(&(id.province.get(), id.kind.code(), id.number));
            if said != Some(now) {
                entries.push(Entry::Source(now));
            }
        }
        let gone = gone.into_values().filter(|source| source.is_entitled);
        entries.extend(gone.map(|source| {
            Entry::Source(SourceEntitlement {
                is_entitled: false,
                ..source
            })
        }));
        entries
    }

    /// Announces log keys that are new, in one commit with their entry.
    fn announce_keys(&self) -> Result<(), NodeError> {
        let signed = self.own_log_keys()?;
        let mut write = self.vault.write();
        write.put(Table::LogKeys, &[self.slot.get()], &signed.to_bytes());
        let change = KeyChange {
            role: KeyRole::Log,
            is_compromised: false,
            number: signed.keys.number,
            from: self.clock.now(),
            sha256: signed.sha256(),
        };
        self.append(write, &[Entry::KeyChange(change)])
    }

    /// The keys of this node's log and of it as a witness, under the head key in force now.
    pub(super) fn own_log_keys(&self) -> Result<SignedLogKeys, NodeError> {
        let charter = self.charter();
        let (from, head_key) = charter.head_key_at(self.clock.now())?;
        Ok(self.log_names.public.sign(from, head_key))
    }

    fn append_all(&self, entries: &[Entry]) -> Result<(), NodeError> {
        let mut chunks = entries.chunks(CHUNK_LEN);
        chunks.try_for_each(|chunk| self.append(self.vault.write(), chunk))
    }

    /// Commits `write` and the entries that tell of it, together or not at all. What was promised for before a time that they
    /// tell is logged first.
    pub(crate) fn append(
        &self,
        mut write: WriteSet<'_>,
        entries: &[Entry],
    ) -> Result<(), NodeError> {
        if let Some(told) = entries.iter().filter_map(Entry::told_time).max() {
            self.keep_promises(told)?;
        }
        let mut book = self.log_book();
        let bytes: Vec<Vec<u8>> = entries.iter().map(Entry::to_bytes).collect();
        for (index, bytes) in (book.next..).zip(&bytes) {
            write.put_new(Table::LogEntries, &index.to_be_bytes(), bytes);
        }
        write.commit()?;
        for (entry, bytes) in entries.iter().zip(&bytes) {
            book.announced.take(entry, bytes);
            let index = book.next;
            book.told.take(index, entry);
            book.next += 1;
        }
        Ok(())
    }

    /// The registry of an epoch that this node's log tells of.
    pub(crate) fn told_registry(
        &self,
        epoch: Epoch,
    ) -> Result<Option<CosignedStatement>, NodeError> {
        let index = self.log_book().told.registries.get(&epoch).copied();
        let Some(index) = index else { return Ok(None) };
        let bytes: Option<Vec<u8>> = self.vault.get(Table::LogEntries, &index.to_be_bytes())?;
        match bytes.map(|bytes| Entry::from_bytes(&bytes)) {
            Some(Ok(Entry::Registry(cosigned))) => Ok(Some(cosigned)),
            _ => Err(damaged(Table::LogEntries)),
        }
    }

    /// Whether this node's log tells of a batch of revocations that may still be listed.
    pub(crate) fn tells_of_batch(&self, sha256: [u8; 32]) -> bool {
        self.log_book().told.batches.contains_key(&sha256)
    }

    /// Signs a checkpoint over all entries if there is none yet. What was appended is read back first; the checkpoint is
    /// durable before anybody sees it.
    pub(crate) fn sign_checkpoint(&self) -> Result<(), NodeError> {
        let mut book = self.log_book();
        while book.log.size() < book.next {
            let index = book.log.size();
            let bytes: Option<Vec<u8>> = self.vault.get(Table::LogEntries, &index.to_be_bytes())?;
            let bytes = bytes.ok_or(damaged(Table::LogEntries))?;
            book.log
                .append(&bytes)
                .map_err(|_| fault("the log is full"))?;
        }
        let size = book.log.size();
        let names = &self.log_names;
        let is_signed = |checkpoint: &SignedCheckpoint| {
            checkpoint.size() == size && checkpoint.check_log(&names.log).is_ok()
        };
        if book.checkpoint.as_ref().is_some_and(is_signed) {
            return Ok(());
        }
        let root = book
            .log
            .root()
            .map_err(|_| fault("the root of the log cannot be computed"))?;
        let signed = self.log_signer.sign(size, root, &names.log);
        let signed = signed.map_err(|_| fault("the log's key is another's"))?;
        self.store_checkpoint(&mut book, signed)?;
        drop(book);
        self.checkpoint_signed.notify_one();
        Ok(())
    }

    /// The same after an act that is done: it stays done, and the next checkpoint covers its entry.
    pub(crate) fn sign_checkpoint_later(&self) {
        if let Err(error) = self.sign_checkpoint() {
            let error = error.for_operator();
            tracing::error!(%error, "the log has entries that no checkpoint covers");
        }
    }

    /// Has peers that are new asked for their cosignature.
    pub(crate) fn look_for_witnesses(&self) {
        self.checkpoint_signed.notify_one();
    }

    fn store_checkpoint(
        &self,
        book: &mut LogBook,
        checkpoint: SignedCheckpoint,
    ) -> Result<(), NodeError> {
        let mut write = self.vault.write();
        let bytes = checkpoint.to_bytes().to_vec();
        write.put(Table::LogCheckpoint, CHECKPOINT_KEY, &bytes);
        write.commit()?;
        book.checkpoint = Some(checkpoint);
        Ok(())
    }

    /// Adds a witness's cosignature to the newest checkpoint, unless that is another by now.
    pub(super) fn add_cosignature(
        &self,
        of: &SignedCheckpoint,
        line: &[u8],
        witness: &NoteKey,
    ) -> Result<(), LogError> {
        let mut book = self.log_book();
        let Some(newest) = book.checkpoint.as_ref().filter(|c| c.text() == of.text()) else {
            return Ok(());
        };
        let cosigned = newest.with_cosignature(line, witness)?;
        self.store_checkpoint(&mut book, cosigned)
            .map_err(|_| LogError::Unread)
    }

    /// The newest checkpoint of this node's log, with the cosignatures that came.
    pub fn checkpoint(&self) -> Option<SignedCheckpoint> {
        self.log_book().checkpoint.clone()
    }

    /// The key that this node's checkpoints are signed with.
    pub fn log_key(&self) -> &NoteKey {
        &self.log_names.log
    }

    /// Entries in this node's log.
    pub fn log_entries(&self) -> u64 {
        self.log_book().next
    }

    /// That the tree of `size` entries extends that of `old`.
    pub(super) fn log_consistency(&self, old: u64, size: u64) -> Result<Vec<LogHash>, NodeError> {
        let read = |bundle| self.leaves_of_bundle(bundle);
        let book = self.log_book();
        book.log
            .prove_consistency(old, size, &read)
            .map_err(read_failed)
    }

    /// A tile or bundle of the tree that the newest checkpoint is of; none where that tree does not have it.
    pub(super) fn log_tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, NodeError> {
        let book = self.log_book();
        let size = book.checkpoint.as_ref().map_or(0, SignedCheckpoint::size);
        if path.level.is_some() {
            let read = |bundle| self.leaves_of_bundle(bundle);
            return book.log.tile(path, size, &read).map_err(read_failed);
        }
        drop(book);
        if !path.is_in(size) {
            return Ok(None);
        }
        let entries = self.entries_of_bundle(path.index)?;
        let wanted = entries.iter().take(path.width.into()).map(Vec::as_slice);
        let bytes = bundle(wanted).map_err(|_| damaged(Table::LogEntries))?;
        Ok(Some(bytes))
    }

    pub(super) fn entries_of_bundle(&self, bundle: u64) -> Result<Vec<Vec<u8>>, NodeError> {
        // The entries of a bundle have all but the last byte of their index in common.
        let first = (bundle * u64::from(BUNDLE_LEN)).to_be_bytes();
        let rows = self
            .vault
            .list::<Vec<u8>>(Table::LogEntries, &first[..first.len() - 1])?;
        Ok(rows.into_iter().map(|(_, bytes)| bytes).collect())
    }

    fn leaves_of_bundle(&self, bundle: u64) -> Result<Vec<LogHash>, NodeError> {
        let entries = self.entries_of_bundle(bundle)?;
        Ok(entries.iter().map(|entry| leaf_hash(entry)).collect())
    }
}

fn read_failed(error: ReadError<NodeError>) -> NodeError {
    match error {
        ReadError::Read(error) => error,
        ReadError::Log(_) => fault("a place that the log does not have"),
    }
}

fn notice_of(known: &crate::KnownSet) -> Entry {
    let (set, validity) = (known.set(), known.set().validity());
    Entry::RuleSet(RuleSetNotice {
        name: set.id().as_str().to_owned(),
        version: set.version(),
        scope: set.province(),
        digest: known.digest(),
        text_sha256: set.digest_sha256(),
        announced: validity.announced,
        from: validity.from,
        until: validity.until,
        is_emergency: validity.emergency,
    })
}
