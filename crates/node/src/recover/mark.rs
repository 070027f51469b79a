//! That a store was put back, and what was recovered since.

use ledger::log::LogHash;

use crate::NodeError;
use crate::store::{RecoveredRow, StoreError, Table, Vault, WriteSet};

/// There while the store is older than what the node signed, as far as is known.
const OLDER: &[u8] = b"older-than-signed";
const RECOVERED: &[u8] = b"log-recovered";
/// Checkpoints that this node signed and that are of another history than its log, as a recovery found: size and root of each.
const OTHER_HISTORIES: &[u8] = b"log-other-histories";
/// Most of them that are remembered, the latest: one recovery finds one of each peer and address at the most, so that of 33 peers seven
/// recoveries' fit, in a row of some 10 KiB that every look before a start reads.
const OTHER_HISTORIES_MAX: usize = 256;

/// Marks a store that was put back from an older copy: its node does not start until its log is recovered.
///
/// # Errors
/// [`StoreError`].
pub fn mark_older(vault: &Vault) -> Result<(), StoreError> {
    let mut write = vault.write();
    write.put(Table::Jobs, OLDER, &());
    write.commit()
}

/// Whether a store is marked as older than what its node signed.
///
/// # Errors
/// [`StoreError`].
pub fn is_older_than_signed(vault: &Vault) -> Result<bool, StoreError> {
    Ok(vault.get::<()>(Table::Jobs, OLDER)?.is_some())
}

/// Puts among the changes that the store is as new again as what the node signed.
pub(crate) fn take_off_mark(write: &mut WriteSet<'_>, recovered: &RecoveredRow) {
    write.delete(Table::Jobs, OLDER);
    write.put(Table::Jobs, RECOVERED, recovered);
}

/// Checkpoints that this node signed and that are not of its log: they do not mean that the store is older than what it signed.
pub(super) fn other_histories(vault: &Vault) -> Result<Vec<(u64, LogHash)>, StoreError> {
    let known: Option<Vec<(u64, [u8; 32])>> = vault.get(Table::Jobs, OTHER_HISTORIES)?;
    let known = known.unwrap_or_default().into_iter();
    Ok(known.map(|(size, root)| (size, LogHash(root))).collect())
}

/// Puts such checkpoints among the changes.
pub(super) fn remember_others(
    (vault, write): (&Vault, &mut WriteSet<'_>),
    found: &[(u64, LogHash)],
) -> Result<(), StoreError> {
    let mut known = other_histories(vault)?;
    for one in found {
        if !known.contains(one) {
            known.push(*one);
        }
    }
    let surplus = known.len().saturating_sub(OTHER_HISTORIES_MAX);
    let rows: Vec<(u64, [u8; 32])> = known[surplus..]
        .iter()
        .map(|(size, root)| (*size, root.0))
        .collect();
    if !rows.is_empty() {
        write.put(Table::Jobs, OTHER_HISTORIES, &rows);
    }
    Ok(())
}

/// What was recovered.
pub(crate) fn recovered(vault: &Vault) -> Result<RecoveredRow, StoreError> {
    let row: Option<RecoveredRow> = vault.get(Table::Jobs, RECOVERED)?;
    Ok(row.unwrap_or_default())
}

impl crate::Node {
    /// Refuses while it is not over what this node may have signed before its store was put back, and does not know of.
    pub(crate) fn be_quiet(&self) -> Result<(), NodeError> {
        let Some(until) = self.quiet_until else {
            return Ok(());
        };
        let left_min = until.get().saturating_sub(self.clock.now().get());
        if left_min == 0 {
            return Ok(());
        }
        Err(NodeError::Later {
            reason: wire::Reason::Overloaded,
            wait: std::time::Duration::from_secs(u64::from(left_min) * 60),
        })
    }
}
