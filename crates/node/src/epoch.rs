//! Closing an epoch: every resident's events become a record, every record a leaf, all leaves a signed head.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use commitment::{Blinding, Epoch, fr_from_bytes, fr_to_bytes, record_leaf};
use ledger::log::Entry;
use ledger::{
    HeadHash, LeafIndex, Registry, RegistryStatement, SignedTreeHead, StateTree, TreeHead,
};
use rayon::prelude::*;
use rules::{Context, Minute, fold};
use verifier::trust::{BatchEntry, TrustList};
use wire::Reason;

use crate::node::{epoch_of_key, head_of};
use crate::recover::recovered;
use crate::registry::KnownRegistry;
use crate::residents::identity_of;
use crate::store::{CommittedRow, EpochRow, ResidentKey, ResidentRow, StoreError, Table};
use crate::{Node, NodeError, RiskInForce};

/// Records folded and stored at a time.
const CHUNK_LEN: usize = 512;

/// A head of this province with the tree under it.
pub(crate) struct Closed {
    pub(crate) head: SignedTreeHead,
    pub(crate) tree: StateTree,
}

/// A resident's record as it is committed.
struct Commitment {
    resident: ResidentKey,
    place: u32,
    row: CommittedRow,
    leaf: commitment::Fr,
}

/// A registry under which passes are made.
pub(crate) struct Issuing {
    pub(crate) statement: RegistryStatement,
    pub(crate) registry: Registry,
    pub(crate) own: Arc<Closed>,
    pub(crate) risk: Arc<RiskInForce>,
}

/// What this node knows of epochs.
#[derive(Default)]
pub(crate) struct Ledger {
    /// The closed epochs that passes are or may yet be made from.
    pub(crate) closed: BTreeMap<Epoch, Arc<Closed>>,
    /// The newest head that this node signed; of one that was recovered with the log the tree is gone.
    pub(crate) newest_head: Option<SignedTreeHead>,
    /// The registries with a quorum.
    pub(crate) registries: BTreeMap<Epoch, KnownRegistry>,
    /// The newest online document.
    pub(crate) trust: Option<Arc<TrustList>>,
    /// Where there is none: the batches of revocations of the last one under an earlier root document. Gates take no
    /// document that leaves them out.
    pub(crate) carried: Vec<BatchEntry>,
    /// The newest registry with a head of this province.
    pub(crate) issuing: Option<Arc<Issuing>>,
}

/// What closing an epoch came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedEpoch {
    /// The signed head.
    pub head: SignedTreeHead,
    /// Records committed.
    pub records: u32,
}

impl Node {
    /// Closes `epoch` at `as_of`: commits every resident's record and signs the tree head. Closing the same epoch at
    /// the same minute again gives the same head.
    ///
    /// # Errors
    /// [`Reason::EpochRefused`] for an epoch or minute that is not after the last one's, or a minute in the future, or one
    /// of before the store was put back.
    pub fn close_epoch(&self, epoch: Epoch, as_of: Minute) -> Result<ClosedEpoch, NodeError> {
        let _held = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = NodeError::Refused(Reason::EpochRefused);
        if let Some(row) = self.epoch_row(epoch)? {
            let head = head_of(&row)?;
            let records = row.records;
            return (row.as_of == as_of)
                .then_some(ClosedEpoch { head, records })
                .ok_or(refused);
        }
        let last = self.last_closed();
        let is_next = match &last {
            Some(last) => epoch > last.head.epoch && as_of > last.head.head_time,
            None => epoch.get() > 0,
        };
        // Of those before it one may have been given out before the store was put back.
        let is_unsigned = recovered(&self.vault)?
            .no_head_to
            .is_none_or(|(last, at)| epoch.get() > last && as_of > at);
        if !is_next || !is_unsigned || as_of > self.clock.now() {
            return Err(refused);
        }
        let began = Instant::now();
        let previous = last.map_or(HeadHash::NONE, |last| last.head.hash());
        let leaves = self.commit_records(epoch, as_of)?;
        let records = u32::try_from(leaves.len()).unwrap_or(u32::MAX);
        let tree = StateTree::build(&leaves);
        let head = TreeHead {
            province: self.home,
            slot: self.slot,
            epoch,
            head_time: as_of,
            state_root: tree.root(),
            leaf_count: tree.leaf_count(),
            rule_sets: self.charter().rules.counting_at(as_of).digest,
            previous,
        };
        let charter = self.charter();
        let (_, head_key) = charter.head_key_at(as_of)?;
        let head = head.sign(head_key);
        let row = EpochRow {
            as_of,
            head: head.to_bytes(),
            records,
        };
        let mut write = self.vault.write();
        write.put_new(Table::Epochs, &epoch.get().to_be_bytes(), &row);
        self.append(write, &[Entry::TreeHead(head)])?;
        let closed = Arc::new(Closed { head, tree });
        let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
        ledger.closed.insert(epoch, closed);
        ledger.newest_head = Some(head);
        drop(ledger);
        self.sign_checkpoint_later();
        self.purge_nonces()?;
        self.metrics.epoch_closed(began.elapsed());
        tracing::info!(epoch = epoch.get(), records, "an epoch is closed");
        Ok(ClosedEpoch { head, records })
    }

    /// Folds, blinds and stores every record of an epoch; what an attempt that was cut short left behind is removed.
    fn commit_records(
        &self,
        epoch: Epoch,
        as_of: Minute,
    ) -> Result<Vec<(LeafIndex, commitment::Fr)>, NodeError> {
        self.remove_committed(epoch)?;
        let mut residents: Vec<(ResidentKey, ResidentRow)> = Vec::new();
        self.vault
            .walk::<ResidentRow, StoreError>(Table::Residents, b"", |key, row| {
                let key =
                    <[u8; 32]>::try_from(key).map_err(|_| StoreError::Damaged(Table::Residents))?;
                residents.push((ResidentKey(key), row));
                Ok(())
            })?;
        let counting = self.charter().rules.counting_at(as_of);
        let risk = self.risk.at(as_of);
        let context = Context {
            tables: &counting.tables,
            map: risk.map(),
        };
        let mut leaves = Vec::with_capacity(residents.len());
        let mut left_out = 0_u32;
        for chunk in residents.chunks(CHUNK_LEN) {
            let rows: Vec<Option<Commitment>> = chunk
                .par_iter()
                .map(|(key, row)| self.committed_row(*key, row, &context, as_of))
                .collect::<Result<_, _>>()?;
            let mut write = self.vault.write();
            for row in rows {
                let Some(Commitment {
                    resident,
                    place,
                    row,
                    leaf,
                }) = row
                else {
                    left_out += 1;
                    continue;
                };
                let key = committed_key(epoch, place);
                write.put_of(resident, Table::Committed, &key, &row);
                write.put(Table::Leaves, &key, &fr_to_bytes(leaf));
                leaves.push((leaf_index(place)?, leaf));
            }
            write.commit()?;
        }
        if left_out > 0 {
            tracing::error!(
                left_out,
                epoch = epoch.get(),
                "records no longer fit the capacities and get no passes; the rule sets in force ask for more than they hold"
            );
        }
        Ok(leaves)
    }

    /// A resident's record as it is committed; none where it does not fit its capacities any more.
    fn committed_row(
        &self,
        key: ResidentKey,
        row: &ResidentRow,
        context: &Context<'_>,
        as_of: Minute,
    ) -> Result<Option<Commitment>, NodeError> {
        let events = self.events_of(key)?;
        let Ok(folded) = fold(&events, context, as_of) else {
            return Ok(None);
        };
        let blinding = self.random_element();
        let leaf = record_leaf(&folded.record, identity_of(row)?, Blinding(blinding));
        let committed = CommittedRow {
            record: folded.record,
            blinding: fr_to_bytes(blinding),
        };
        Ok(Some(Commitment {
            resident: key,
            place: row.place,
            row: committed,
            leaf,
        }))
    }

    fn remove_committed(&self, epoch: Epoch) -> Result<(), NodeError> {
        loop {
            let prefix = epoch.get().to_be_bytes();
            // An erased resident's leaf is there without the record.
            let keys = self.vault.keys(Table::Leaves, &prefix, CHUNK_LEN)?;
            if keys.is_empty() {
                return Ok(());
            }
            let mut write = self.vault.write();
            for key in keys {
                write.delete(Table::Committed, &key);
                write.delete(Table::Leaves, &key);
            }
            write.commit()?;
        }
    }

    /// Removes committed records of epochs before `epoch`; no pass is made from them any more.
    pub(crate) fn forget_before(&self, epoch: Epoch) -> Result<(), NodeError> {
        let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
        let kept = ledger.closed.split_off(&epoch);
        let old = std::mem::replace(&mut ledger.closed, kept);
        drop(ledger);
        old.keys()
            .try_for_each(|&epoch| self.remove_committed(epoch))
    }

    /// The last closed epoch's number.
    pub fn closed_epoch(&self) -> Option<Epoch> {
        self.last_closed().map(|closed| closed.head.epoch)
    }

    /// The head of the last closed epoch.
    pub(crate) fn last_closed(&self) -> Option<SignedTreeHead> {
        let ledger = self.ledger.read().unwrap_or_else(PoisonError::into_inner);
        ledger.newest_head
    }

    /// What passes are made under now.
    pub(crate) fn issuing(&self) -> Option<Arc<Issuing>> {
        let ledger = self.ledger.read().unwrap_or_else(PoisonError::into_inner);
        ledger.issuing.clone()
    }

    pub(crate) fn epoch_row(&self, epoch: Epoch) -> Result<Option<EpochRow>, NodeError> {
        Ok(self.vault.get(Table::Epochs, &epoch.get().to_be_bytes())?)
    }

    /// This node's own signed head of an epoch.
    ///
    /// # Errors
    /// [`Reason::UnknownEpoch`] for one that is not closed.
    pub fn tree_head(&self, epoch: Epoch) -> Result<SignedTreeHead, NodeError> {
        let row = self.epoch_row(epoch)?;
        head_of(&row.ok_or(NodeError::Refused(Reason::UnknownEpoch))?)
    }

    /// Rebuilds the trees of the epochs from `oldest` on.
    pub(crate) fn restore_closed(&self, oldest: Epoch) -> Result<(), NodeError> {
        let rows: Vec<(Vec<u8>, EpochRow)> = self.vault.list(Table::Epochs, b"")?;
        let recovered = recovered(&self.vault)?.epochs;
        let is_recovered = |epoch: u32| recovered.iter().any(|(a, b)| (*a..=*b).contains(&epoch));
        if let Some((_, row)) = rows.last() {
            let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
            ledger.newest_head = Some(head_of(row)?);
        }
        for (key, row) in &rows {
            let epoch = Epoch::new(epoch_of_key(key).unwrap_or(0));
            if epoch < oldest {
                self.remove_committed(epoch)?;
                continue;
            }
            let leaves = self.committed_leaves(key)?;
            if leaves.is_empty() && is_recovered(epoch.get()) {
                continue;
            }
            let tree = StateTree::build(&leaves);
            let head = head_of(row)?;
            if tree.root() != head.head.state_root {
                return Err(NodeError::Store(StoreError::Damaged(Table::Leaves)));
            }
            let mut ledger = self.ledger.write().unwrap_or_else(PoisonError::into_inner);
            ledger.closed.insert(epoch, Arc::new(Closed { head, tree }));
        }
        Ok(())
    }

    fn committed_leaves(
        &self,
        epoch_key: &[u8],
    ) -> Result<Vec<(LeafIndex, commitment::Fr)>, NodeError> {
        let mut leaves = Vec::new();
        self.vault
            .walk::<[u8; 32], NodeError>(Table::Leaves, epoch_key, |key, leaf| {
                let place = key.last_chunk::<4>().map(|b| u32::from_be_bytes(*b));
                let leaf = fr_from_bytes(&leaf)
                    .map_err(|_| NodeError::Store(StoreError::Damaged(Table::Leaves)))?;
                leaves.push((leaf_index(place.unwrap_or(u32::MAX))?, leaf));
                Ok(())
            })?;
        Ok(leaves)
    }
}

/// The key of a committed record.
pub(crate) fn committed_key(epoch: Epoch, place: u32) -> Vec<u8> {
    [epoch.get().to_be_bytes(), place.to_be_bytes()].concat()
}

fn leaf_index(place: u32) -> Result<LeafIndex, NodeError> {
    LeafIndex::new(place).ok_or(NodeError::Store(StoreError::Damaged(Table::Leaves)))
}
