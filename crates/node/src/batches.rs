//! Batches of revocations: this province's part, merging all provinces' parts, and keeping what is published.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use rules::{Minute, ProvinceCode};
use verifier::trust::{
    BATCH_LEN, BATCH_SPACING_MIN, BatchDigest, BatchEntry, OnlineDocument, Revocation,
    RevocationBatch, SignedOnline,
};

use crate::online::unix_time;
use crate::store::{StoreError, Table, WriteSet};
use crate::{Node, NodeError};

const OPEN: &[u8] = b"open";
/// Under it the batch that was signed for last: when, its minute and its digest.
const UNDER_WAY: &[u8] = b"under-way";
/// Under it when the open part was drawn.
const SINCE: &[u8] = b"since";
/// What the keys begin with under which it stands when a province was given the open part first; after it the province.
const GIVEN: &[u8] = b"given/";
/// How long a part is left out before this node signs for no batch without it whose proposer was given it: two batches, so that one
/// answer that was late has another chance.
const PART_WAIT_MIN: u32 = 2 * BATCH_SPACING_MIN;
/// Batches that are proposed and not yet published, kept at a time.
const MAX_OFFERS: usize = 8;

/// Batches that are proposed, the newest last. What is published is in the store.
#[derive(Default)]
pub(crate) struct Offers(Mutex<Vec<(BatchEntry, Vec<u8>)>>);

impl Offers {
    fn get(&self, digest: BatchDigest) -> Option<(BatchEntry, Vec<u8>)> {
        let offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        offers.iter().find(|(e, _)| e.digest == digest).cloned()
    }

    fn add(&self, batch: &RevocationBatch) {
        let mut offers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = batch.entry();
        if offers.iter().any(|(known, _)| *known == entry) {
            return;
        }
        if offers.len() == MAX_OFFERS {
            offers.remove(0);
        }
        offers.push((entry, batch.to_bytes()));
    }
}

impl Node {
    /// How many revocations each slot brings to a batch.
    pub fn contribution_len(&self) -> usize {
        BATCH_LEN / self.charter().roster.members().len().max(1)
    }

    /// This province's part of the next batch: what is revoked, the most urgent first, filled up with random values that
    /// cannot be told from it. It stays the same until a published batch holds it: two parts with the same revocations and
    /// other fillings would show which is which.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    pub fn contribute(&self) -> Result<Vec<Revocation>, NodeError> {
        self.contribute_to(None)
    }

    /// The same for a province that puts a batch together; that it was given the part is kept.
    pub(crate) fn contribute_to(
        &self,
        proposer: Option<ProvinceCode>,
    ) -> Result<Vec<Revocation>, NodeError> {
        self.recheck()?;
        let _held = self.batching.lock().unwrap_or_else(PoisonError::into_inner);
        // A part that was drawn before the store was put back may be in a batch that is under way.
        self.be_quiet()?;
        let len = self.contribution_len();
        let open: Option<Vec<[u8; 16]>> = self.vault.get(Table::Contribution, OPEN)?;
        let now = self.clock.now().get();
        let part = match open {
            Some(part) if part.len() == len => part,
            _ => {
                let waiting = self.waiting_revocations(len)?;
                let mut part: BTreeSet<[u8; 16]> = waiting.into_iter().map(|(_, r)| r).collect();
                while part.len() < len {
                    part.insert(self.entropy.bytes());
                }
                let part: Vec<[u8; 16]> = part.into_iter().collect();
                let mut write = self.vault.write();
                write.put(Table::Contribution, OPEN, &part);
                write.put(Table::Contribution, SINCE, &now);
                for key in self.vault.keys(Table::Contribution, GIVEN, usize::MAX)? {
                    write.delete(Table::Contribution, &key);
                }
                write.commit()?;
                part
            }
        };
        if let Some(province) = proposer {
            let key = given_key(province);
            if self.vault.get::<u32>(Table::Contribution, &key)?.is_none() {
                let mut write = self.vault.write();
                write.put(Table::Contribution, &key, &now);
                write.commit()?;
            }
        }
        Ok(part.into_iter().map(Revocation).collect())
    }

    /// Whether a document brings a batch without this province's part, although whoever proposes it was given that before the batch was
    /// made, and it has waited for two batches. A part is left out when its answer is late, and by somebody who would rather not
    /// have it published: of that this node is no party. What is in the part makes no difference, so that a refusal
    /// tells nothing of it.
    pub(crate) fn lacks_own_part(
        &self,
        document: &OnlineDocument,
        proposer: ProvinceCode,
    ) -> Result<bool, NodeError> {
        // What is drawn, given and published is read as of one moment.
        let _held = self.batching.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let get = |key: &[u8]| self.vault.get::<u32>(Table::Contribution, key);
        let (since, given) = (get(SINCE)?, get(&given_key(proposer))?);
        let (Some(since), Some(given)) = (since, given) else {
            return Ok(false);
        };
        let known = self.listed_batches(now);
        let new = document.batches.iter().find(|entry| !known.contains(entry));
        let offered = new.and_then(|entry| self.offers.get(entry.digest));
        let open: Option<Vec<[u8; 16]>> = self.vault.get(Table::Contribution, OPEN)?;
        let (Some((entry, bytes)), Some(part)) = (offered, open) else {
            return Ok(false);
        };
        let skew_min = u32::from(self.limits.request_skew_min);
        if now.get().saturating_sub(since) < PART_WAIT_MIN || entry.at.get() + skew_min < given {
            return Ok(false);
        }
        let batch = RevocationBatch::from_bytes(&bytes);
        let batch = batch.map_err(|_| NodeError::Fault("an offer that is no batch"))?;
        let is_in = |secret: &[u8; 16]| {
            batch
                .revocations()
                .binary_search(&Revocation(*secret))
                .is_ok()
        };
        Ok(!part.iter().all(is_in))
    }

    /// The batch that this node signed for last, if no list that it knows has it or another of its time, and that is less than
    /// the time between two batches ago: a quorum may have signed for it. Two lists of which neither has the other's batch would divide those who have
    /// taken the one from those who have taken the other for good.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn batch_under_way(&self) -> Result<Option<BatchEntry>, StoreError> {
        let stored: Option<(u32, u32, [u8; 32])> =
            self.vault.get(Table::Contribution, UNDER_WAY)?;
        let now = self.clock.now();
        let recent = stored
            .filter(|(signed_at, ..)| now.get().saturating_sub(*signed_at) < BATCH_SPACING_MIN);
        let Some((_, at, digest)) = recent else {
            return Ok(None);
        };
        let entry = BatchEntry {
            at: Minute::new(at).map_err(|_| StoreError::Damaged(Table::Contribution))?,
            digest: BatchDigest(digest),
        };
        // Whoever signed for a listed one of that time did not sign for this, before or after: it has no quorum.
        let listed = self.listed_batches(now);
        let is_open = |entry: &BatchEntry| {
            let apart = |other: &BatchEntry| other.at.get().abs_diff(entry.at.get());
            listed.iter().all(|other| apart(other) >= BATCH_SPACING_MIN)
        };
        Ok(Some(entry).filter(is_open))
    }

    /// Puts among the changes by which a document is signed which batch it brings.
    pub(crate) fn note_under_way(&self, write: &mut WriteSet<'_>, document: &OnlineDocument) {
        let now = self.clock.now();
        let known = self.listed_batches(now);
        if let Some(new) = document.batches.iter().find(|entry| !known.contains(entry)) {
            let row = (now.get(), new.at.get(), new.digest.0);
            write.put(Table::Contribution, UNDER_WAY, &row);
        }
    }

    /// Whether a batch can be given to others.
    pub(crate) fn is_at_hand(&self, entry: &BatchEntry) -> bool {
        let offered = self.offers.get(entry.digest);
        offered.is_some_and(|(of, _)| of == *entry)
    }

    /// Whether the next online document is to bring a batch: on a schedule, and not when there is something to revoke.
    pub fn is_batch_due(&self) -> bool {
        let now = self.clock.now().get();
        let last = self.listed_batches(self.clock.now()).last().map(|e| e.at);
        last.is_none_or(|last| now.saturating_sub(last.get()) >= BATCH_SPACING_MIN)
    }

    /// Merges the parts of provinces into a batch of now, and offers it. Parts of another length are left out, and what the
    /// absent leave open is filled up.
    ///
    /// # Errors
    /// [`NodeError::Fault`] if it is no batch.
    pub fn merge(&self, parts: &[Vec<Revocation>]) -> Result<BatchEntry, NodeError> {
        let len = self.contribution_len();
        let parts = parts.iter().filter(|part| part.len() == len);
        let mut all: BTreeSet<Revocation> = parts.flatten().copied().collect();
        while all.len() < BATCH_LEN {
            all.insert(Revocation(self.entropy.bytes()));
        }
        let all = all.into_iter().take(BATCH_LEN).collect();
        let batch = RevocationBatch::new(self.clock.now(), all)
            .map_err(|_| NodeError::Fault("parts that make no batch"))?;
        self.offers.add(&batch);
        Ok(batch.entry())
    }

    /// Keeps a batch that another node proposes, so that it can be signed for and given on.
    pub(crate) fn offer(&self, batch: &RevocationBatch) {
        self.offers.add(batch);
    }

    /// The canonical bytes of a batch that is published or proposed.
    ///
    /// # Errors
    /// [`NodeError::Store`]; `NOT_FOUND`.
    pub fn batch(&self, digest: BatchDigest) -> Result<Vec<u8>, NodeError> {
        let listed = self.trust_list();
        let entry = listed.and_then(|list| {
            let entries = &list.online().batches;
            entries.iter().find(|e| e.digest == digest).copied()
        });
        let stored = entry.map(|entry| self.stored_batch(&entry)).transpose()?;
        stored
            .flatten()
            .or_else(|| self.offers.get(digest).map(|(_, bytes)| bytes))
            .ok_or(NodeError::Refused(wire::Reason::NotFound))
    }

    /// The batches of the newest online document that still count at `now`, even if that was of an earlier root document.
    pub(crate) fn listed_batches(&self, now: Minute) -> Vec<BatchEntry> {
        let ledger = self.ledger.read().unwrap_or_else(PoisonError::into_inner);
        let list = ledger.trust.as_ref();
        let entries = list.map_or(&ledger.carried, |list| &list.online().batches);
        let mut entries = entries.clone();
        drop(ledger);
        let charter = self.charter();
        entries.retain(|e| charter.document().counts_batch(e.at, now));
        entries
    }

    /// Whether this node would list these batches: all that it knows and that still count, unchanged, and at most one more,
    /// of the time since the last could be made, whose content it has – gates take no list without it. The one that is under way
    /// is among them.
    pub(crate) fn would_list(
        &self,
        document: &OnlineDocument,
        under_way: Option<&BatchEntry>,
    ) -> bool {
        if under_way.is_some_and(|entry| !document.batches.contains(entry)) {
            return false;
        }
        let known = self.listed_batches(document.issued_at.minute());
        let Some(more) = document.batches.strip_prefix(&known[..]) else {
            return false;
        };
        let skew_min = u32::from(self.limits.request_skew_min);
        let is_of_now = |entry: &BatchEntry| {
            let (of, issued) = (entry.at.get(), document.issued_at.minute().get());
            of <= issued + skew_min && issued <= of + BATCH_SPACING_MIN + skew_min
        };
        more.len() <= 1 && more.iter().all(|e| is_of_now(e) && self.is_at_hand(e))
    }

    /// The one batch that a proposed document brings and this node has not seen; none if there is none, or too many to be
    /// a proposal.
    pub(crate) fn unseen_batch(&self, document: &OnlineDocument) -> Option<BatchEntry> {
        let known = self.listed_batches(document.issued_at.minute());
        let mut more = document.batches.iter().filter(|e| !known.contains(e));
        match (more.next(), more.next()) {
            (Some(entry), None) if self.offers.get(entry.digest).is_none() => Some(*entry),
            _ => None,
        }
    }

    /// The batches that a signed document names and this node has nowhere. Its signatures are checked first.
    ///
    /// # Errors
    /// `TRUST_REFUSED`.
    pub(crate) fn missing_batches(
        &self,
        online: &SignedOnline,
    ) -> Result<Vec<BatchEntry>, NodeError> {
        let candidate = self.consider_online(online)?;
        let missing = candidate.missing().iter().copied();
        Ok(missing
            .filter(|e| self.offers.get(e.digest).is_none())
            .collect())
    }

    pub(crate) fn stored_batch(&self, entry: &BatchEntry) -> Result<Option<Vec<u8>>, StoreError> {
        self.vault.get(Table::Batches, &batch_key(entry))
    }

    /// Finds the bytes of a batch in what was handed over with it, or among what is proposed.
    pub(crate) fn found_batch(
        &self,
        entry: &BatchEntry,
        supplied: &[RevocationBatch],
    ) -> Option<Vec<u8>> {
        let supplied = supplied.iter().find(|batch| batch.entry() == *entry);
        supplied
            .map(RevocationBatch::to_bytes)
            .or_else(|| self.offers.get(entry.digest).map(|(_, bytes)| bytes))
    }

    /// Puts among the changes what taking up a document means for batches: new ones are kept, those that it does not list
    /// any more leave, and what they publish waits no longer.
    pub(crate) fn keep_batches(
        &self,
        write: &mut WriteSet<'_>,
        document: &OnlineDocument,
        new: &BTreeMap<Vec<u8>, Vec<u8>>,
    ) -> Result<(), NodeError> {
        let listed: BTreeSet<Vec<u8>> = document.batches.iter().map(batch_key).collect();
        for key in self.vault.keys(Table::Batches, b"", usize::MAX)? {
            if !listed.contains(&key) {
                write.delete(Table::Batches, &key);
            }
        }
        let mut published = BTreeSet::new();
        for (key, bytes) in new {
            write.put(Table::Batches, key, bytes);
            let batch = RevocationBatch::from_bytes(bytes);
            let batch = batch.map_err(|_| NodeError::Fault("a batch that is none"))?;
            published.extend(batch.revocations().iter().map(|r| r.0));
        }
        for (key, secret) in self.waiting_revocations(usize::MAX)? {
            if published.contains(&secret) {
                write.delete(Table::Revocations, &key);
            }
        }
        let open: Option<Vec<[u8; 16]>> = self.vault.get(Table::Contribution, OPEN)?;
        if open.is_some_and(|part| part.iter().all(|r| published.contains(r))) {
            write.delete(Table::Contribution, OPEN);
        }
        Ok(())
    }

    /// The moment of a document that is issued now.
    pub(crate) fn issued_now(&self) -> verifier::UnixTime {
        unix_time(self.clock.now())
    }
}

fn given_key(province: ProvinceCode) -> Vec<u8> {
    [GIVEN, &[province.get()]].concat()
}

pub(crate) fn batch_key(entry: &BatchEntry) -> Vec<u8> {
    [&entry.at.get().to_be_bytes()[..], &entry.digest.0].concat()
}
