//! What recovered entries mean for a store: for each kind what comes back, and what must not be done again.

use std::collections::BTreeSet;

use commitment::{Epoch, fr_to_bytes};
use ledger::CosignerState;
use ledger::log::{Entry, KeyChange, KeyRole, LogHash, SignedCheckpoint, SignedLogKeys};
use rules::{Minute, ProvinceCode};
use verifier::trust::BATCH_SPACING_MIN;

use super::ask::Holder;
use super::floors::Floors;
use super::mark::remember_others;
use super::passed::PassedOver;
use super::witness::Raised;
use super::{RecoverError, Recovered, Recovering, recovered, take_off_mark};
use crate::counts::day_row_of;
use crate::registry::STATE_KEY;
use crate::store::{EpochRow, RuleSetCountRow, StoreError, Table, Vault, WriteSet};
use crate::transparency::{CHECKPOINT_KEY, stored_keys};

/// What is to be stored.
pub(super) struct Found<'a> {
    /// Entries that the store has.
    pub(super) had: u64,
    /// Those that follow.
    pub(super) entries: Vec<Vec<u8>>,
    pub(super) newest: Option<SignedCheckpoint>,
    pub(super) holders: &'a [Holder],
    pub(super) floors: Floors,
    pub(super) raised: Raised,
    pub(super) answered: Vec<ProvinceCode>,
    pub(super) passed: Vec<PassedOver>,
    /// Checkpoints of another history.
    pub(super) others: Vec<(u64, LogHash)>,
}

/// An entry that the store has.
pub(super) fn own_entry(vault: &Vault, index: u64) -> Result<Option<Vec<u8>>, RecoverError> {
    Ok(vault.get(Table::LogEntries, &index.to_be_bytes())?)
}

/// What is learnt from entries beside their rows.
#[derive(Default)]
struct Learnt {
    heads: BTreeSet<u32>,
    /// The last epoch that the log tells of.
    epoch: u32,
    log_keys: Option<KeyChange>,
    /// The latest time that it tells: a clock that begins anew with each process is before it.
    told: Option<Minute>,
}

/// Whether what is found can be stored: asked before anything is changed.
pub(super) fn check(
    me: &Recovering<'_>,
    had: u64,
    entries: &[Vec<u8>],
    holders: &[Holder],
    newest: Option<&SignedCheckpoint>,
) -> Result<(), RecoverError> {
    let mut log_keys = None;
    for (index, bytes) in (had..).zip(entries) {
        match Entry::from_bytes(bytes) {
            Ok(Entry::KeyChange(change)) if change.role == KeyRole::Log => log_keys = Some(change),
            Ok(_) => {}
            Err(_) => return Err(RecoverError::UnknownEntry { index }),
        }
    }
    if let Some(announced) = log_keys {
        announced_keys(me, holders, &announced, newest)?;
    }
    Ok(())
}

/// Stores everything in one commit.
pub(super) fn store(me: &Recovering<'_>, found: Found<'_>) -> Result<Recovered, RecoverError> {
    let mut write = me.vault.write();
    let mut learnt = Learnt::default();
    for (index, bytes) in (found.had..).zip(&found.entries) {
        let entry = Entry::from_bytes(bytes).map_err(|_| RecoverError::UnknownEntry { index })?;
        write.put_new(Table::LogEntries, &index.to_be_bytes(), bytes);
        learnt.told = learnt.told.max(entry.told_time());
        learn(me.vault, &mut write, &entry, bytes, &mut learnt)?;
    }
    if let Some(announced) = learnt.log_keys {
        let keys = announced_keys(me, found.holders, &announced, found.newest.as_ref())?;
        write.put(Table::LogKeys, &[me.slot.get()], &keys.to_bytes());
    }
    let has = found.had + found.entries.len() as u64;
    let mut row = recovered(me.vault)?;
    if has > found.had {
        row.entries.push((found.had, has));
    }
    if let (Some(first), Some(last)) = (learnt.heads.first(), learnt.heads.last()) {
        row.epochs.push((*first, *last));
    }
    let newest = found.newest.filter(|newest| newest.size() >= found.had);
    if let Some(newest) = &newest {
        write.put(
            Table::LogCheckpoint,
            CHECKPOINT_KEY,
            &newest.to_bytes().to_vec(),
        );
    }
    let now = learnt.told.map_or(me.now, |told| told.max(me.now));
    // The clock of then may have been ahead of that of now, and others' clocks of both.
    let now = now.saturating_add_signed(me.skew_min.into());
    let quiet_until = now.saturating_add_signed(BATCH_SPACING_MIN.into());
    row.quiet_until = Some(quiet_until);
    let epoch = found.floors.epoch.max(learnt.epoch);
    let epoch = refrain(me.vault, &mut write, (epoch, now))?;
    let sequence = refrain_online(me.vault, &mut write, found.floors.sequence)?;
    let (head_epoch, head_time) = found.floors.head.unwrap_or((0, Minute::ZERO));
    row.no_head_to = Some((head_epoch, head_time.max(now)));
    take_off_mark(&mut write, &row);
    remember_others((me.vault, &mut write), &found.others)?;
    write.commit()?;
    Ok(Recovered {
        had: found.had,
        has,
        cosigned_by: newest.map_or(0, |newest| cosigners(me, &newest, found.holders)),
        answered: found.answered,
        logs: found.raised.logs,
        forked: found.raised.forked,
        unread: found.raised.unread,
        heads: learnt.heads.len(),
        epoch,
        sequence,
        quiet_until,
        passed_over: found.passed,
    })
}

/// Puts among the changes what an entry means. Rule sets, sources, the head key, batches of revocations and of commitments, and
/// registries are read from the log itself at every start: it tells of them once.
fn learn(
    vault: &Vault,
    write: &mut WriteSet<'_>,
    entry: &Entry,
    bytes: &[u8],
    learnt: &mut Learnt,
) -> Result<(), RecoverError> {
    match entry {
        Entry::TreeHead(signed) => {
            let epoch = signed.head.epoch.get();
            let row = EpochRow {
                as_of: signed.head.head_time,
                head: signed.to_bytes(),
                records: signed.head.leaf_count,
            };
            // No other head is ever signed for it; the records under this one are gone.
            write.put_new(Table::Epochs, &epoch.to_be_bytes(), &row);
            learnt.heads.insert(epoch);
            learnt.epoch = learnt.epoch.max(epoch);
        }
        Entry::Registry(cosigned) => {
            learnt.epoch = learnt.epoch.max(cosigned.statement().epoch().get());
        }
        Entry::Colours(_) | Entry::Sources(_) | Entry::Appeals(_) | Entry::Retention(_) => {
            if let Some(key) = day_row_of(entry) {
                write.put_new(Table::DailyCounts, &key, &bytes.to_vec());
            }
        }
        Entry::Impact(count) => {
            let key = count.set.text_sha256;
            let known: Option<RuleSetCountRow> = vault.get(Table::RuleSetCounts, &key)?;
            let mut row = known.unwrap_or(RuleSetCountRow {
                seen_at: count.at,
                scope: count.set.scope,
                digest: fr_to_bytes(count.set.digest),
                is_due: true,
                entry: None,
            });
            row.entry = Some(bytes.to_vec());
            write.put(Table::RuleSetCounts, &key, &row);
        }
        Entry::KeyChange(change) if change.role == KeyRole::Log => {
            learnt.log_keys = Some(*change);
        }
        Entry::KeyChange(_)
        | Entry::RuleSet(_)
        | Entry::RuleSetWithdrawn(_)
        | Entry::Source(_)
        | Entry::Revocations(_)
        | Entry::Commitments(_) => {}
    }
    Ok(())
}

/// The log keys that the log announced last, so that no number is given to others.
fn announced_keys(
    me: &Recovering<'_>,
    holders: &[Holder],
    announced: &KeyChange,
    newest: Option<&SignedCheckpoint>,
) -> Result<SignedLogKeys, RecoverError> {
    let number = announced.number;
    let public = me.log_signer.public(me.home, me.slot, number);
    // Under whichever head key was in force when they were announced.
    let member = me.roster.member(me.slot).ok();
    let dated = member.iter().flat_map(|member| member.head_keys.entries());
    let files = dated.filter_map(|(from, head_key)| {
        let mut held = me.head_keys.iter();
        let secret = held.find(|secret| secret.verifying_key() == *head_key)?;
        Some(public.sign(*from, secret))
    });
    let stored = stored_keys(me.vault, me.slot)?;
    let held = holders.iter().filter_map(|holder| holder.keys);
    let mut known = held.clone().chain(stored).chain(files);
    let as_announced = known.find(|keys| keys.sha256() == announced.sha256);
    // The head key that signed the announcement can be gone by now: then the same keys under the one in force.
    let anew = member.iter().find_map(|member| {
        let (from, head_key) = member
            .head_keys
            .entries()
            .iter()
            .rfind(|(from, _)| *from <= me.now)?;
        let mut held = me.head_keys.iter();
        let secret = held.find(|secret| secret.verifying_key() == *head_key)?;
        Some(public.sign(*from, secret))
    });
    // They are these files' if the checkpoint over all of it is.
    let name = public.log_key(me.federation.as_str()).ok();
    let is_files = name.is_some_and(|name| newest.is_some_and(|c| c.check_log(&name).is_ok()));
    let is_own = |keys: &SignedLogKeys| {
        (keys.keys.slot, keys.keys.number) == (me.slot, number)
            && (!is_files || keys.keys == public)
            && keys.check(me.roster).is_ok()
    };
    as_announced
        .or(anew.filter(|_| is_files))
        .or_else(|| held.clone().find(is_own))
        .ok_or(RecoverError::UnknownKeys { number })
}

/// Signs no registry of `epoch` or before it, nor of a time before now: what was signed before the store was lost was of a
/// time before that.
fn refrain(
    vault: &Vault,
    write: &mut WriteSet<'_>,
    (epoch, now): (u32, Minute),
) -> Result<u32, RecoverError> {
    let stored: Option<Vec<u8>> = vault.get(Table::Cosigned, STATE_KEY)?;
    let state = match stored.map(|bytes| CosignerState::from_bytes(&bytes)) {
        Some(Ok(state)) => state,
        Some(Err(_)) => return Err(StoreError::Damaged(Table::Cosigned).into()),
        None => CosignerState::default(),
    };
    let last = state.last_epoch().map_or(0, Epoch::get);
    let epoch = epoch.max(last);
    let state = state.refraining(Epoch::new(epoch), now);
    write.put(Table::Cosigned, STATE_KEY, &state.to_bytes());
    Ok(epoch)
}

/// Signs no list of `sequence` or before it.
fn refrain_online(
    vault: &Vault,
    write: &mut WriteSet<'_>,
    sequence: u64,
) -> Result<u64, RecoverError> {
    let old = vault.keys(Table::OnlineSigned, b"", usize::MAX)?;
    let last = old.last().and_then(|key| key.first_chunk::<8>());
    let last = last.map_or(0, |bytes| u64::from_be_bytes(*bytes));
    if sequence <= last {
        return Ok(last);
    }
    for key in old {
        write.delete(Table::OnlineSigned, &key);
    }
    // The digest of no document: none of this number is signed.
    write.put(Table::OnlineSigned, &sequence.to_be_bytes(), &[0_u8; 32]);
    Ok(sequence)
}

fn cosigners(me: &Recovering<'_>, newest: &SignedCheckpoint, holders: &[Holder]) -> usize {
    let names = holders.iter().filter_map(|holder| {
        let keys = holder.witness?;
        keys.keys.witness_key(me.federation.as_str()).ok()
    });
    let names: Vec<_> = names.collect();
    newest.signers(&names).map_or(0, |signers| signers.len())
}
