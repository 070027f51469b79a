//! The online document of the trust list: what follows from the registries known, signed by a quorum of provinces.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use commitment::Epoch;
use ed25519_dalek::{Signature, Signer as _};
use ledger::log::{Entry, RevocationBatch as RevocationNotice};
use rules::{Minute, ProvinceCode};
use sha2::{Digest as _, Sha256};
use verifier::trust::{
    BatchEntry, Bundle, Candidate, MAX_REGISTRIES, OnlineDocument, ProvinceSignature,
    RegistryEntry, RevocationBatch, Sequence, SignedOnline, TrustList,
};
use verifier::{PASS_AGE_LIMIT_MIN, UnixTime};
use wire::Reason;

use crate::batches::batch_key;
use crate::registry::KnownRegistry;
use crate::store::{OnlineRow, StoreError, Table};
use crate::{Node, NodeError};

/// Registries stay in the document for as long as the oldest pass may be shown: 14 days.
const REGISTRY_KEPT_MIN: i64 = 14 * 1440;
/// Most numbers that a document may leave out after the last one signed or known. Without a limit one province would use up
/// all numbers with one document, and there would be no next one.
pub(crate) const SEQUENCE_LEAP: u64 = 1_000;

impl Node {
    /// The next online document: it follows from the registries and batches that this node knows, a batch that comes to
    /// them, its number and the time.
    pub fn next_online(&self, sequence: Sequence, batch: Option<BatchEntry>) -> OnlineDocument {
        OnlineDocument {
            root_sequence: self.charter().document().sequence,
            sequence,
            issued_at: self.issued_now(),
            soft_stale_s: self.settings.trust.soft_stale_s,
            hard_stale_s: self.settings.trust.hard_stale_s,
            registries: self.online_registries(),
            batches: {
                let listed = self.listed_batches(self.clock.now());
                listed.into_iter().chain(batch).collect()
            },
        }
    }

    /// The number that the next document can have.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    pub fn next_sequence(&self) -> Result<Sequence, NodeError> {
        let signed = self.last_signed_sequence()?;
        let known = self.trust_list().map_or(0, |t| t.online().sequence.get());
        Ok(Sequence::new(signed.max(known).saturating_add(1)))
    }

    /// Whether the newest list has all that the next one would have, so that there need be none.
    pub(crate) fn is_list_up_to_date(&self) -> bool {
        let skew_min = u32::from(self.limits.request_skew_min);
        let now = self.clock.now().get();
        let list = self.trust_list();
        let has_all = list.is_some_and(|list| {
            let document = list.online();
            document.root_sequence == self.charter().document().sequence
                && document.registries == self.online_registries()
                && now.saturating_sub(document.issued_at.minute().get()) <= skew_min
        });
        has_all && !self.is_batch_due()
    }

    /// Signs an online document, if it says what this node would say. Of a number at most one document is ever signed,
    /// and numbers only rise.
    ///
    /// # Errors
    /// [`Reason::TrustRefused`], [`Reason::AlreadySigned`].
    pub fn cosign_online(&self, document: &OnlineDocument) -> Result<ProvinceSignature, NodeError> {
        let signed = self.cosign_proposed(document, None)?;
        signed.ok_or(NodeError::Refused(Reason::TrustRefused))
    }

    /// The same of a document that another province proposes; none where all that speaks against it is that it left out what that
    /// province was given ([`Node::lacks_own_part`]).
    ///
    /// # Errors
    /// As [`Node::cosign_online`].
    pub(crate) fn cosign_proposed(
        &self,
        document: &OnlineDocument,
        proposer: Option<ProvinceCode>,
    ) -> Result<Option<ProvinceSignature>, NodeError> {
        let _held = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = NodeError::Refused(Reason::TrustRefused);
        let message = document.signing_bytes().map_err(|_| refused.clone())?;
        let charter = self.charter();
        let (_, head_key) = charter.head_key_at(document.issued_at.minute())?;
        let digest: [u8; 32] = Sha256::digest(&message).into();
        let key = document.sequence.get().to_be_bytes();
        let signed_before = self.vault.get::<[u8; 32]>(Table::OnlineSigned, &key)?;
        let is_new = signed_before != Some(digest);
        if is_new {
            self.be_quiet()?;
            if signed_before.is_some() || document.sequence.get() <= self.last_signed_sequence()? {
                return Err(NodeError::Refused(Reason::AlreadySigned));
            }
            let latest = self.next_sequence()?.get().saturating_add(SEQUENCE_LEAP);
            let under_way = self.batch_under_way()?;
            if document.sequence.get() > latest || !self.would_say(document, under_way.as_ref()) {
                return Err(refused);
            }
        }
        if let Some(proposer) = proposer
            && self.lacks_own_part(document, proposer)?
        {
            return Ok(None);
        }
        if is_new {
            // Older numbers are refused by this one alone, so only the last is kept.
            let mut write = self.vault.write();
            for old in self.vault.keys(Table::OnlineSigned, b"", usize::MAX)? {
                write.delete(Table::OnlineSigned, &old);
            }
            write.put_new(Table::OnlineSigned, &key, &digest);
            Self::keep_document(&mut write, document)?;
            self.note_under_way(&mut write, document);
            write.commit()?;
        }
        Ok(Some(ProvinceSignature {
            slot: self.slot,
            signature: head_key.sign(&message).to_bytes(),
        }))
    }

    fn would_say(&self, document: &OnlineDocument, under_way: Option<&BatchEntry>) -> bool {
        let now = self.clock.now().get();
        let skew_min = u32::from(self.limits.request_skew_min);
        let issued = document.issued_at.minute().get();
        let is_newer = self
            .trust_list()
            .is_none_or(|t| document.issued_at >= t.online().issued_at);
        document.root_sequence == self.charter().document().sequence
            && document.registries == self.online_registries()
            && self.would_list(document, under_way)
            && document.hard_stale_s <= self.settings.trust.hard_stale_s
            && is_newer
            && issued.abs_diff(now) <= skew_min
    }

    /// Whether a signature under an online document is its slot's.
    pub(crate) fn is_valid_online_signature(
        &self,
        signature: &ProvinceSignature,
        document: &OnlineDocument,
    ) -> bool {
        let charter = self.charter();
        let issued = document.issued_at.minute();
        let member = charter.roster.member(signature.slot);
        let key = member.and_then(|member| member.head_key_at(issued));
        let (Ok(key), Ok(message)) = (key, document.signing_bytes()) else {
            return false;
        };
        let signature = Signature::from_bytes(&signature.signature);
        key.verify_strict(&message, &signature).is_ok()
    }

    /// Judges an online document by everything but its batches.
    pub(crate) fn consider_online(&self, online: &SignedOnline) -> Result<Candidate, NodeError> {
        let previous = self.trust_list();
        let bundle = self
            .bundle(online.clone())
            .map_err(|error| refused(&error))?;
        let now = unix_time(self.clock.now());
        TrustList::consider(&bundle, previous.as_deref(), &self.root_keys, now)
            .map_err(|error| refused(&error))
    }

    /// Takes up an online document that has its quorum, with those of its batches that were not seen before; the same again
    /// changes nothing.
    ///
    /// # Errors
    /// [`Reason::TrustRefused`].
    pub fn take_online(
        &self,
        online: &SignedOnline,
        supplied: &[RevocationBatch],
    ) -> Result<(), NodeError> {
        let _held = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let previous = self.trust_list();
        let is_known = |t: &Arc<TrustList>| t.online() == online.document();
        if previous.as_ref().is_some_and(is_known) {
            return Ok(());
        }
        let mut candidate = self.consider_online(online)?;
        let (mut new, mut unlogged) = (BTreeMap::new(), Vec::new());
        for entry in candidate.missing().to_vec() {
            let stored = self.stored_batch(&entry)?;
            if stored.is_none() && !self.tells_of_batch(entry.digest.0) {
                unlogged.push(notice_of(online.document(), &entry));
            }
            if let Some(bytes) = stored.or_else(|| self.found_batch(&entry, supplied)) {
                candidate.supply(&bytes).map_err(|error| refused(&error))?;
                new.insert(batch_key(&entry), bytes);
            }
        }
        let list = candidate.complete().map_err(|error| refused(&error))?;
        let _batching = self.batching.lock().unwrap_or_else(PoisonError::into_inner);
        let row = OnlineRow {
            document: online.to_bytes().map_err(|error| refused(&error))?,
        };
        let key = online.document().sequence.get().to_be_bytes();
        let mut write = self.vault.write();
        for old in self.vault.keys(Table::Online, b"", usize::MAX)? {
            write.delete(Table::Online, &old);
        }
        write.put_large(Table::Online, &key, &row);
        self.keep_batches(&mut write, online.document(), &new)?;
        self.append(write, &unlogged)?;
        self.sign_checkpoint_later();
        let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
        ledger.trust = Some(Arc::new(list));
        Ok(())
    }

    /// The newest trust list.
    pub fn trust_list(&self) -> Option<Arc<TrustList>> {
        let ledger = self.ledger.read().unwrap_or_else(PoisonError::into_inner);
        ledger.trust.clone()
    }

    pub(crate) fn restore_trust(&self) -> Result<(), NodeError> {
        let keys = self.vault.keys(Table::Online, b"", usize::MAX)?;
        let Some(key) = keys.last().and_then(|key| key.first_chunk::<8>()) else {
            return Ok(());
        };
        let damaged = || NodeError::Store(StoreError::Damaged(Table::Online));
        let row: OnlineRow = self
            .vault
            .get_large(Table::Online, key)?
            .ok_or_else(damaged)?;
        let online = SignedOnline::from_bytes(&row.document).map_err(|_| damaged())?;
        let batches = online.document().batches.clone();
        let restored = self
            .bundle(online)
            .and_then(|bundle| TrustList::restore(&bundle, &self.root_keys));
        let restored = match restored {
            Ok(mut candidate) => {
                for entry in candidate.missing().to_vec() {
                    let bytes = self.stored_batch(&entry)?;
                    let bytes = bytes.ok_or(StoreError::Damaged(Table::Batches))?;
                    let supplied = candidate.supply(&bytes);
                    supplied.map_err(|_| StoreError::Damaged(Table::Batches))?;
                }
                candidate.complete()
            }
            Err(error) => Err(error),
        };
        match restored {
            Ok(list) => {
                let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
                ledger.trust = Some(Arc::new(list));
            }
            // After a change of root document the old online document is no longer believed; the next one will be, and lists
            // what it listed.
            Err(error) => {
                tracing::warn!(%error, "the stored online document is not believed");
                let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
                ledger.carried = batches;
            }
        }
        Ok(())
    }

    fn bundle(&self, online: SignedOnline) -> Result<Vec<u8>, verifier::Error> {
        let document = online.document();
        let charter = self.charter();
        let root = charter.root_of(document.root_sequence, document.issued_at);
        let roots = vec![root.clone()];
        Bundle { roots, online }.to_bytes()
    }

    /// The last number that this node has signed; 0 for none.
    pub(crate) fn last_signed_sequence(&self) -> Result<u64, NodeError> {
        let keys = self.vault.keys(Table::OnlineSigned, b"", usize::MAX)?;
        let last = keys.last().and_then(|key| key.first_chunk::<8>());
        Ok(last.map_or(0, |bytes| u64::from_be_bytes(*bytes)))
    }

    /// The registries that gates may still need, each with the risk map that it rests on.
    fn online_registries(&self) -> Vec<RegistryEntry> {
        let ledger = self.ledger.read().unwrap_or_else(PoisonError::into_inner);
        let newest = ledger.registries.values().next_back();
        let from = newest.map_or(Minute::ZERO, |r| {
            r.as_of.saturating_add_signed(-REGISTRY_KEPT_MIN)
        });
        let mut recent: Vec<_> = ledger
            .registries
            .iter()
            .filter(|(_, r)| r.as_of >= from)
            .map(|(epoch, registry)| (*epoch, *registry))
            .collect();
        let surplus = recent.len().saturating_sub(MAX_REGISTRIES);
        recent.drain(..surplus);
        let entry = |(epoch, registry): (Epoch, KnownRegistry)| RegistryEntry {
            epoch,
            as_of: registry.as_of,
            root: registry.root,
            risk_root: registry.risk_root,
        };
        recent.into_iter().map(entry).collect()
    }
}

/// What the log tells of a batch of revocations that is new.
fn notice_of(document: &OnlineDocument, batch: &BatchEntry) -> Entry {
    Entry::Revocations(RevocationNotice {
        sequence: document.sequence.get(),
        issued: batch.at,
        // The longest that a profile can keep it listed, see `RootDocument::counts_batch`.
        expires: batch
            .at
            .saturating_add_signed(i64::from(PASS_AGE_LIMIT_MIN) + 1),
        sha256: batch.digest.0,
    })
}

fn refused(error: &verifier::Error) -> NodeError {
    tracing::warn!(%error, "an online document is refused");
    NodeError::Refused(Reason::TrustRefused)
}

/// The moment at which a minute begins.
pub(crate) fn unix_time(minute: Minute) -> UnixTime {
    UnixTime::from_s(u64::from(minute.get()) * 60)
}
