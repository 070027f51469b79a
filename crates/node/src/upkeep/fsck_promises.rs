//! Promises in a store: what waits can be read, and of every batch in the log whose time is not over the commitments are there.

use std::collections::BTreeSet;

use ledger::log::{CommitmentBatch, Entry};
use ledger::receipt::{Batch, HeldReceipt};
use rules::Minute;
use store::{Checked, StoreError, Table, Vault};

use crate::receipts::{batch_key, forget_before, promised_by_of};
use crate::recover::recovered;

pub(super) fn check_promises(vault: &Vault, checked: &mut Checked) -> Result<(), StoreError> {
    vault.walk::<Vec<[u8; 32]>, StoreError>(Table::Promised, b"w", |key, row| {
        if promised_by_of(key).is_none() || row.is_empty() {
            checked.add(Table::Promised, "a promise that is none");
        }
        Ok(())
    })?;
    vault.walk::<Vec<u8>, StoreError>(Table::HomeReceipts, b"", |key, row| {
        if key.len() != 32 || HeldReceipt::from_bytes(&row).is_err() {
            checked.add(Table::HomeReceipts, "bytes that are no receipt");
        }
        Ok(())
    })?;
    let batches = logged(vault)?;
    let newest = batches.last().map_or(Minute::ZERO, |(_, batch)| batch.at);
    // Of batches that came back with the log nobody has the commitments any more.
    let recovered = recovered(vault)?.entries;
    let is_recovered = |index: u64| recovered.iter().any(|(a, b)| (*a..*b).contains(&index));
    let mut known = BTreeSet::new();
    for (index, entry) in &batches {
        let key = batch_key(entry.at, entry.root);
        let bytes = vault.get_large::<Vec<u8>>(Table::Commitments, &key)?;
        match bytes.map(|bytes| Batch::from_bytes(&bytes)) {
            Some(Ok(batch)) if batch.check(entry).is_ok() => {}
            Some(_) => checked.add(
                Table::Commitments,
                "commitments that are not those of the log's batch",
            ),
            // Removed since, perhaps: the clock of a node that is not running is not known.
            None if entry.at < forget_before(newest) || is_recovered(*index) => {}
            None => checked.add(
                Table::Commitments,
                "a batch in the log whose commitments are gone",
            ),
        }
        known.insert(key);
    }
    for key in vault.keys(Table::Commitments, b"", usize::MAX)? {
        // A large value lies under its key and the number of its part.
        if !known.contains(&key[..key.len() - 1]) {
            checked.add(
                Table::Commitments,
                "commitments that the log does not tell of",
            );
        }
    }
    Ok(())
}

/// The batches that the log tells of, and where. What is no entry is found by those who look at the log.
fn logged(vault: &Vault) -> Result<Vec<(u64, CommitmentBatch)>, StoreError> {
    let mut batches = Vec::new();
    vault.walk::<Vec<u8>, StoreError>(Table::LogEntries, b"", |key, bytes| {
        if let Ok(Entry::Commitments(batch)) = Entry::from_bytes(&bytes) {
            let index = key.first_chunk::<8>().map(|b| u64::from_be_bytes(*b));
            batches.push((index.unwrap_or(u64::MAX), batch));
        }
        Ok(())
    })?;
    Ok(batches)
}
