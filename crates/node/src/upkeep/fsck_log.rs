//! The log in a store: its tree recomputes from its entries, and it tells of every epoch and registry that there is.

use std::collections::BTreeSet;

use ledger::Roster;
use ledger::log::{
    Entry, Evidence, Log, LogHash, NoteKey, SignedCheckpoint, SignedLogKeys, WitnessState,
    leaf_hash,
};
use store::{
    Checked, EpochRow, LogEvidenceRow, RegistryRow, RuleSetCountRow, StoreError, Table, Vault,
    WitnessedRow,
};

use super::Fsck;
use crate::node::epoch_of_key;
use crate::past_roots::past_rosters;

pub(super) fn check_log(
    vault: &Vault,
    against: &Fsck,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    let mut checkpoints = vault.list::<Vec<u8>>(Table::LogCheckpoint, b"")?;
    let checkpoint = checkpoints.pop().map(|(_, bytes)| bytes);
    let checkpoint = match checkpoint.map(|bytes| SignedCheckpoint::from_bytes(&bytes)) {
        Some(Ok(checkpoint)) => Some(checkpoint),
        Some(Err(_)) => {
            checked.add(Table::LogCheckpoint, "bytes that are no checkpoint");
            None
        }
        None => None,
    };
    let told = check_entries(vault, checkpoint.as_ref(), checked)?;
    check_acts(vault, &told, checked)?;
    check_counts(vault, &told, checked)?;
    check_signature(vault, against, checkpoint.as_ref(), checked)?;
    check_witnessed(vault, checked)
}

/// Recomputes the tree, and the root that the checkpoint is of; gives the hashes of all entries.
fn check_entries(
    vault: &Vault,
    checkpoint: Option<&SignedCheckpoint>,
    checked: &mut Checked,
) -> Result<BTreeSet<LogHash>, StoreError> {
    let (mut log, mut told) = (Log::default(), BTreeSet::new());
    let size = checkpoint.map_or(0, SignedCheckpoint::size);
    let mut root = Some(LogHash::EMPTY);
    let mut is_gapless = true;
    vault.walk::<Vec<u8>, StoreError>(Table::LogEntries, b"", |key, bytes| {
        is_gapless &= key == log.size().to_be_bytes();
        if Entry::from_bytes(&bytes).is_err() {
            checked.add(Table::LogEntries, "bytes that are no entry");
        }
        if log.append(&bytes).is_err() {
            checked.add(Table::LogEntries, "more entries than a log can have");
        }
        if log.size() == size {
            root = log.root().ok();
        }
        told.insert(leaf_hash(&bytes));
        Ok(())
    })?;
    if !is_gapless {
        checked.add(Table::LogEntries, "an entry that is not where it belongs");
    }
    match checkpoint {
        None if log.size() > 0 => checked.add(Table::LogCheckpoint, "entries without a checkpoint"),
        Some(_) if size > log.size() => {
            checked.add(
                Table::LogEntries,
                format!("{} entries, the checkpoint is of {size}", log.size()),
            );
        }
        Some(checkpoint) if root != Some(checkpoint.root()) => {
            checked.add(
                Table::LogEntries,
                "entries whose tree is not the checkpoint's",
            );
        }
        _ => {}
    }
    Ok(told)
}

/// Every epoch that was closed and every registry that was taken up stands in the log.
fn check_acts(
    vault: &Vault,
    told: &BTreeSet<LogHash>,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    let is_told = |kind: u8, bytes: &[u8]| told.contains(&leaf_hash(&[&[kind], bytes].concat()));
    for (_, row) in vault.list::<EpochRow>(Table::Epochs, b"")? {
        if !is_told(Entry::TREE_HEAD, &row.head) {
            checked.add(Table::Epochs, "a tree head that the log does not tell of");
        }
    }
    let keys = vault.keys(Table::Registries, b"", usize::MAX)?;
    let epochs: BTreeSet<u32> = keys.iter().filter_map(|key| epoch_of_key(key)).collect();
    for epoch in epochs {
        let row = vault.get_large::<RegistryRow>(Table::Registries, &epoch.to_be_bytes())?;
        if row.is_some_and(|row| !is_told(Entry::REGISTRY, &row.cosigned)) {
            checked.add(
                Table::Registries,
                "a registry that the log does not tell of",
            );
        }
    }
    Ok(())
}

/// What is given out as counted stands in the log.
fn check_counts(
    vault: &Vault,
    told: &BTreeSet<LogHash>,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    vault.walk::<Vec<u8>, StoreError>(Table::DailyCounts, b"", |_, entry| {
        if !told.contains(&leaf_hash(&entry)) {
            checked.add(Table::DailyCounts, "counts that the log does not tell of");
        }
        Ok(())
    })?;
    vault.walk::<RuleSetCountRow, StoreError>(Table::RuleSetCounts, b"", |_, row| {
        let entry = row.entry.as_deref().map(leaf_hash);
        if entry.is_some_and(|hash| !told.contains(&hash)) {
            checked.add(
                Table::RuleSetCounts,
                "a count that the log does not tell of",
            );
        }
        Ok(())
    })
}

/// The checkpoint is signed with the log key that this node has announced.
fn check_signature(
    vault: &Vault,
    against: &Fsck,
    checkpoint: Option<&SignedCheckpoint>,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    let past = past_rosters(vault)?;
    let mut own = None;
    for (key, bytes) in vault.list::<Vec<u8>>(Table::LogKeys, b"")? {
        let Ok(keys) = SignedLogKeys::from_bytes(&bytes) else {
            checked.add(Table::LogKeys, "bytes that are no log keys");
            continue;
        };
        let is_known = |roster: &Roster| keys.check(roster).is_ok();
        let is_known = is_known(&against.roster) || past.iter().any(is_known);
        if !is_known || key != [keys.keys.slot.get()] {
            checked.add(Table::LogKeys, "log keys that are not their slot's");
        }
        if keys.keys.slot == against.slot {
            own = Some(keys.keys);
        }
    }
    if let Some(checkpoint) = checkpoint {
        let key = own.and_then(|own| NoteKey::log(checkpoint.origin(), own.log).ok());
        if key.is_none_or(|key| checkpoint.check_log(&key).is_err()) {
            checked.add(
                Table::LogCheckpoint,
                "a checkpoint that this node's log has not signed",
            );
        }
    }
    Ok(())
}

fn check_witnessed(vault: &Vault, checked: &mut Checked) -> Result<(), StoreError> {
    vault.walk::<WitnessedRow, StoreError>(Table::Witnessed, b"", |_, row| {
        let state = WitnessState::from_bytes(&row.state);
        let checkpoint = SignedCheckpoint::from_bytes(&row.checkpoint);
        let keys = SignedLogKeys::from_bytes(&row.keys);
        match (state, checkpoint, keys) {
            (Ok(state), Ok(checkpoint), Ok(keys)) => {
                let key = NoteKey::log(checkpoint.origin(), keys.keys.log);
                let is_signed = key.is_ok_and(|key| checkpoint.check_log(&key).is_ok());
                let is_same =
                    (state.size(), state.root()) == (checkpoint.size(), checkpoint.root());
                if !is_signed || !is_same {
                    checked.add(
                        Table::Witnessed,
                        "a checkpoint that is not the one cosigned",
                    );
                }
            }
            _ => checked.add(Table::Witnessed, "bytes that are no witness's state"),
        }
        Ok(())
    })?;
    let parts = vault.keys(Table::LogEvidence, b"", usize::MAX)?;
    let keys: BTreeSet<&[u8]> = parts.iter().map(|part| &part[..part.len() - 1]).collect();
    for key in keys {
        let row = vault.get_large::<LogEvidenceRow>(Table::LogEvidence, key)?;
        let is_shown = row.and_then(|row| is_contradiction(&row));
        // The second byte of the key says whether it is shown.
        if is_shown.is_none_or(|is_shown| key.get(1) != Some(&u8::from(!is_shown))) {
            checked.add(
                Table::LogEvidence,
                "evidence that is not what it is kept as",
            );
        }
    }
    Ok(())
}

/// Whether the two checkpoints are shown to contradict each other; none for bytes that are no evidence.
fn is_contradiction(row: &LogEvidenceRow) -> Option<bool> {
    let evidence = Evidence {
        first: SignedCheckpoint::from_bytes(&row.first).ok()?,
        second: SignedCheckpoint::from_bytes(&row.second).ok()?,
        proof: row.proof.iter().map(|hash| LogHash(*hash)).collect(),
        prefix_root: LogHash(row.prefix_root),
    };
    let keys = row.keys.iter().map(|bytes| {
        let keys = SignedLogKeys::from_bytes(bytes).ok()?;
        NoteKey::log(evidence.first.origin(), keys.keys.log).ok()
    });
    let keys: Vec<NoteKey> = keys.collect::<Option<_>>()?;
    Some(evidence.check(&keys).is_ok())
}
