//! Everything in a store that can be checked: every value opens and is what its table holds, every tree recomputes,
//! every head and registry verifies, and what names something else names something that is there.

use std::collections::{BTreeMap, BTreeSet};

use commitment::{Blinding, Epoch, Fr, Slot, fr_from_bytes, record_leaf};
use ledger::{CosignedStatement, HeadHash, LeafIndex, Roster, SignedTreeHead, StateTree};
use rules::Event;
use store::{
    Checked, CommittedRow, DeviceRow, EpochRow, EventRow, ForwardedRow, OutboxRow, RegistryRow,
    ResidentKey, ResidentRow, StoreError, Table, Vault, WaitingRow,
};

use crate::node::epoch_of_key;
use crate::past_roots::past_rosters;
use crate::residents::{ERASED, identity_of};

/// What a store is checked against besides itself.
pub struct Fsck {
    /// The slot of this node.
    pub slot: Slot,
    /// The provinces with their slots and keys.
    pub roster: Roster,
}

/// Checks a store that no node has open; `each` is called with the number of rows opened.
///
/// # Errors
/// [`StoreError`] where the database fails; what is wrong with a row is a finding.
pub fn fsck(
    vault: &Vault,
    against: &Fsck,
    each: &mut dyn FnMut(u64),
) -> Result<Checked, StoreError> {
    let mut checked = vault.check_rows(each)?;
    if checked.wrong > 0 {
        // Rows that do not open would only be named again.
        return Ok(checked);
    }
    let residents = check_residents(vault, &mut checked)?;
    check_names(vault, &residents, &mut checked)?;
    check_forwarding(vault, &residents, &mut checked)?;
    super::fsck_appeals::check_appeals(vault, &residents, &mut checked)?;
    check_epochs(vault, against, &mut checked)?;
    check_committed(vault, &residents, &mut checked)?;
    check_registries(vault, against, &mut checked)?;
    super::fsck_log::check_log(vault, against, &mut checked)?;
    super::fsck_promises::check_promises(vault, &mut checked)?;
    Ok(checked)
}

pub(super) type Residents = BTreeMap<ResidentKey, ResidentRow>;

fn check_residents(vault: &Vault, checked: &mut Checked) -> Result<Residents, StoreError> {
    let mut residents = Residents::new();
    vault.walk::<ResidentRow, StoreError>(Table::Residents, b"", |key, row| {
        match key.try_into() {
            Ok(key) => drop(residents.insert(ResidentKey(key), row)),
            Err(_) => checked.add(Table::Residents, "a key of another length"),
        }
        Ok(())
    })?;
    let mut events: BTreeMap<ResidentKey, u32> = BTreeMap::new();
    vault.walk::<EventRow, StoreError>(Table::Events, b"", |key, row| {
        let resident = key.first_chunk().copied().map(ResidentKey);
        let owner = resident.and_then(|key| residents.get(&key));
        match (Event::from_bytes(&row.event), owner) {
            (Err(_), _) => checked.add(Table::Events, "bytes that are no event"),
            (_, None) => checked.add(Table::Events, "an event of nobody"),
            (Ok(event), Some(owner)) if *event.subject.expose() != owner.identity_number => {
                checked.add(Table::Events, "an event of another person");
            }
            (Ok(_), Some(_)) => {
                *events.entry(resident.unwrap_or(ERASED)).or_default() += 1;
            }
        }
        Ok(())
    })?;
    for (key, row) in &residents {
        let found = events.get(key).copied().unwrap_or(0);
        if found > row.events {
            let what = format!("a resident with {found} events of {}", row.events);
            checked.add(Table::Residents, what);
        }
        let place = vault.get::<ResidentKey>(Table::Places, &row.place.to_be_bytes())?;
        if place != Some(*key) {
            checked.add(
                Table::Residents,
                "a resident whose place is another's or nobody's",
            );
        }
    }
    Ok(residents)
}

/// Whatever names a resident names one who is there.
fn check_names(
    vault: &Vault,
    residents: &Residents,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    vault.walk::<ResidentKey, StoreError>(Table::Places, b"", |_, resident| {
        if resident != ERASED && !residents.contains_key(&resident) {
            checked.add(Table::Places, "a place of a resident who is not there");
        }
        Ok(())
    })?;
    vault.walk::<DeviceRow, StoreError>(Table::Devices, b"", |_, row| {
        if !residents.contains_key(&row.resident) {
            checked.add(Table::Devices, "a device of a resident who is not there");
        }
        Ok(())
    })
}

/// What waits, here or for another province, is an event, and what becomes of it is known.
fn check_forwarding(
    vault: &Vault,
    residents: &Residents,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    vault.walk::<OutboxRow, StoreError>(Table::Outbox, b"", |_, row| {
        if Event::from_bytes(&row.event).is_err() {
            checked.add(Table::Outbox, "bytes that are no event");
        }
        Ok(())
    })?;
    vault.walk::<ForwardedRow, StoreError>(Table::Forwarded, b"", |key, _| {
        if key.len() != 32 {
            checked.add(Table::Forwarded, "a key of another length");
        }
        Ok(())
    })?;
    vault.walk::<WaitingRow, StoreError>(Table::Waiting, b"", |key, row| {
        let resident = key.first_chunk().copied().map(ResidentKey);
        let owner = resident.and_then(|key| residents.get(&key));
        match (Event::from_bytes(&row.event), owner) {
            (Err(_), _) => checked.add(Table::Waiting, "bytes that are no event"),
            (Ok(event), Some(owner)) if *event.subject.expose() == owner.identity_number => {}
            (Ok(_), _) => checked.add(Table::Waiting, "an event of another person"),
        }
        Ok(())
    })
}

fn check_epochs(vault: &Vault, against: &Fsck, checked: &mut Checked) -> Result<(), StoreError> {
    let past = past_rosters(vault)?;
    let mut previous = HeadHash::NONE;
    let mut epochs = BTreeSet::new();
    for (key, row) in vault.list::<EpochRow>(Table::Epochs, b"")? {
        epochs.insert(key.clone());
        let Ok(head) = SignedTreeHead::from_bytes(&row.head) else {
            checked.add(Table::Epochs, "bytes that are no tree head");
            continue;
        };
        let is_own = |roster: &Roster| {
            let member = roster.member(against.slot);
            member.and_then(|m| head.check_signature(m)).is_ok()
        };
        if head.head.slot != against.slot || !(is_own(&against.roster) || past.iter().any(is_own)) {
            checked.add(Table::Epochs, "a tree head that this node has not signed");
        }
        if Some(head.head.epoch.get()) != epoch_of_key(&key) || head.head.head_time != row.as_of {
            checked.add(Table::Epochs, "a tree head of another epoch");
        }
        if head.head.previous != previous {
            checked.add(
                Table::Epochs,
                "a tree head that does not follow the one before it",
            );
        }
        previous = head.head.hash();
        let leaves = leaves_of(vault, &key, checked)?;
        // Epochs that no pass is made from any more keep their heads only.
        if !leaves.is_empty() && StateTree::build(&leaves).root() != head.head.state_root {
            checked.add(Table::Leaves, "leaves that are not those of the tree head");
        }
    }
    vault.walk::<[u8; 32], StoreError>(Table::Leaves, b"", |key, _| {
        // An epoch whose closing was cut short has leaves and no row; the next closing removes them.
        if key.len() != 8 {
            checked.add(Table::Leaves, "a key of another length");
        }
        Ok(())
    })
}

fn leaves_of(
    vault: &Vault,
    epoch: &[u8],
    checked: &mut Checked,
) -> Result<Vec<(LeafIndex, Fr)>, StoreError> {
    let mut leaves = Vec::new();
    vault.walk::<[u8; 32], StoreError>(Table::Leaves, epoch, |key, leaf| {
        let place = key.last_chunk::<4>().map(|b| u32::from_be_bytes(*b));
        match (place.and_then(LeafIndex::new), fr_from_bytes(&leaf)) {
            (Some(index), Ok(leaf)) => leaves.push((index, leaf)),
            _ => checked.add(Table::Leaves, "a leaf that is none"),
        }
        Ok(())
    })?;
    Ok(leaves)
}

fn check_committed(
    vault: &Vault,
    residents: &Residents,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    let by_place: BTreeMap<u32, &ResidentRow> =
        residents.values().map(|row| (row.place, row)).collect();
    vault.walk::<CommittedRow, StoreError>(Table::Committed, b"", |key, row| {
        let place = key.last_chunk::<4>().map(|b| u32::from_be_bytes(*b));
        let resident = place.and_then(|place| by_place.get(&place));
        let identity = resident.and_then(|row| identity_of(row).ok());
        let blinding = fr_from_bytes(&row.blinding).ok();
        let (Some(identity), Some(blinding)) = (identity, blinding) else {
            checked.add(Table::Committed, "a committed record of nobody");
            return Ok(());
        };
        let leaf = record_leaf(&row.record, identity, Blinding(blinding));
        let stored = vault.get::<[u8; 32]>(Table::Leaves, key)?;
        if stored.and_then(|leaf| fr_from_bytes(&leaf).ok()) != Some(leaf) {
            checked.add(
                Table::Committed,
                "a committed record that is not its leaf's",
            );
        }
        Ok(())
    })
}

fn check_registries(
    vault: &Vault,
    against: &Fsck,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    let keys = vault.keys(Table::Registries, b"", usize::MAX)?;
    let epochs: BTreeSet<u32> = keys.iter().filter_map(|key| epoch_of_key(key)).collect();
    let past = past_rosters(vault)?;
    for epoch in epochs {
        let Some(row) = vault.get_large::<RegistryRow>(Table::Registries, &epoch.to_be_bytes())?
        else {
            checked.add(Table::Registries, "a registry without its beginning");
            continue;
        };
        let heads: Result<Vec<_>, _> = row
            .heads
            .iter()
            .map(|bytes| SignedTreeHead::from_bytes(bytes))
            .collect();
        let (Ok(cosigned), Ok(heads)) = (CosignedStatement::from_bytes(&row.cosigned), heads)
        else {
            checked.add(Table::Registries, "bytes that are no registry");
            continue;
        };
        let statement = cosigned.statement();
        if statement.epoch() != Epoch::new(epoch) {
            checked.add(Table::Registries, "a registry of another epoch");
        }
        let judge = |roster: &Roster| {
            cosigned.check_quorum(roster)?;
            statement.check_heads(&heads, roster).map(drop)
        };
        // What was cosigned under an earlier root document is good under that.
        if let Err(error) = judge(&against.roster)
            && !past.iter().any(|roster| judge(roster).is_ok())
        {
            checked.add(
                Table::Registries,
                format!("the registry of epoch {epoch}: {error}"),
            );
        }
    }
    Ok(())
}
