//! Evidence against other logs as it is stored, and logs that this node cosigns no more.

use std::collections::BTreeSet;

use commitment::Slot;
use ledger::log::{Evidence, SignedLogKeys};
use rules::Minute;
use sha2::{Digest as _, Sha256};

use crate::store::{LogEvidenceRow, StoreError, Table, Vault, WriteSet};

/// Most refused checkpoints that are kept of one log, of those that contradict what was cosigned, and as many of those
/// that only were not shown to extend it. The first are kept: one is enough.
const EVIDENCE_LIMIT: usize = 8;
/// Where it stands that a log is not cosigned; after it the slot.
const FORKED: &[u8] = b"forked-log/";

/// The keys of the evidence that is kept, of one log, or of one log and kind, or of all.
pub(super) fn evidence_keys(vault: &Vault, prefix: &[u8]) -> Result<BTreeSet<Vec<u8>>, StoreError> {
    let parts = vault.keys(Table::LogEvidence, prefix, usize::MAX)?;
    // A large value lies under its key and the number of its part.
    Ok(parts.iter().map(|k| k[..k.len() - 1].to_vec()).collect())
}

/// Puts evidence against a slot's log among the changes, unless it is there or there is enough; `keys` are those of its log.
pub(crate) fn put_evidence(
    (vault, write): (&Vault, &mut WriteSet<'_>),
    (slot, is_shown): (Slot, bool),
    evidence: &Evidence,
    keys: &[SignedLogKeys],
    at: Minute,
) -> Result<(), StoreError> {
    let prefix = [slot.get(), u8::from(!is_shown)];
    let digest: [u8; 32] = Sha256::digest(evidence.second.text()).into();
    let key = [&prefix[..], &digest[..16]].concat();
    let kept = evidence_keys(vault, &prefix)?;
    if kept.len() < EVIDENCE_LIMIT && !kept.contains(&key) {
        let row = LogEvidenceRow {
            first: evidence.first.to_bytes().to_vec(),
            second: evidence.second.to_bytes().to_vec(),
            proof: evidence.proof.iter().map(|hash| hash.0).collect(),
            prefix_root: evidence.prefix_root.0,
            keys: keys.iter().map(SignedLogKeys::to_bytes).collect(),
            refused_at: at,
        };
        write.put_large(Table::LogEvidence, &key, &row);
    }
    Ok(())
}

fn key_of(slot: Slot) -> Vec<u8> {
    [FORKED, &[slot.get()]].concat()
}

/// Puts among the changes that a log has two histories, and that it is not known which of them this node cosigned: it cosigns none
/// of them under log keys of this number or before it.
pub(crate) fn mark_forked(
    (vault, write): (&Vault, &mut WriteSet<'_>),
    slot: Slot,
    number: u32,
) -> Result<(), StoreError> {
    let known: Option<u32> = vault.get(Table::Jobs, &key_of(slot))?;
    let number = known.map_or(number, |known| known.max(number));
    write.put(Table::Jobs, &key_of(slot), &number);
    Ok(())
}

/// Whether a log under these keys is one that this node does not cosign.
pub(super) fn is_forked(vault: &Vault, keys: &SignedLogKeys) -> Result<bool, StoreError> {
    let number: Option<u32> = vault.get(Table::Jobs, &key_of(keys.keys.slot))?;
    Ok(number.is_some_and(|number| keys.keys.number <= number))
}
