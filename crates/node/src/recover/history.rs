//! Which history is this node's, where it signed more than one.
//!
//! Every checkpoint that it signed is held against the log that comes out. One that is not of it shows that the node signed two
//! histories. Where a quorum of witnesses holds one of them, and no quorum can hold another, that one is the log, and who shows
//! the other is named; else there is none to be recovered.

use std::collections::{BTreeMap, BTreeSet};

use ledger::log::{BUNDLE_LEN, Log, LogHash, NoteKey, ReadError, SignedCheckpoint, leaf_hash};
use rules::ProvinceCode;

use super::ask::Holder;
use super::passed::{PassedOver, WhyNot, note};
use super::read::{first_difference, read_missing};
use super::{RECOVERED_MAX_BYTES, RecoverError, Recovering, rows};
use crate::NodeError;
use crate::transparency::stored_keys;

/// A log that all who count agree on.
pub(super) struct History {
    /// Its newest checkpoint, unless the store has more than any is of.
    pub(super) newest: Option<SignedCheckpoint>,
    /// What the store lacks of it.
    pub(super) entries: Vec<Vec<u8>>,
    /// Size and root of the checkpoints that are shown and are not of it.
    pub(super) others: Vec<(u64, LogHash)>,
}

/// Finds the history that goes on from the store: the newest first.
pub(super) async fn find(
    me: &Recovering<'_>,
    (own, checkpoint): (&Log, Option<&SignedCheckpoint>),
    holders: &[Holder],
    passed: &mut Vec<PassedOver>,
    each: &mut (dyn FnMut(u64) + Send),
) -> Result<History, RecoverError> {
    let mut contradicted: Option<RecoverError> = None;
    let mut incomplete: Option<(u64, RecoverError)> = None;
    for newest in candidates(own.size(), checkpoint, holders) {
        let size = newest.as_ref().map_or(0, SignedCheckpoint::size);
        if incomplete.as_ref().is_some_and(|(of, _)| size < *of) {
            // What this node signed last may be that: nothing smaller is the log then.
            break;
        }
        // Who was passed over before is named with whatever comes of this.
        let mut over = passed.clone();
        let entries = match &newest {
            Some(newest) => read_missing(me, own, newest, holders, &mut over, each).await,
            None => Ok(Vec::new()),
        };
        let judged = match entries {
            Ok(entries) => hold_against(me, own, &entries, holders, &mut over)
                .await
                .map(|others| (entries, others)),
            Err(error) => Err(error),
        };
        match judged {
            Ok((entries, others)) => {
                *passed = over;
                return Ok(History {
                    newest,
                    entries,
                    others,
                });
            }
            Err(error @ RecoverError::Incomplete { .. }) => {
                incomplete.get_or_insert((size, error));
            }
            // Another one can be the log.
            Err(
                error @ (RecoverError::OtherHistory { .. } | RecoverError::TwoHistories { .. }),
            ) => {
                contradicted.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    let none = || NodeError::Fault("a log without a history").into();
    Err(contradicted
        .or(incomplete.map(|(_, error)| error))
        .unwrap_or_else(none))
}

/// The checkpoints of no fewer entries than the store has, the largest first, and of one size the one that most hold; without any
/// the store by itself.
fn candidates(
    had: u64,
    own: Option<&SignedCheckpoint>,
    holders: &[Holder],
) -> Vec<Option<SignedCheckpoint>> {
    let mut held: BTreeMap<(u64, LogHash), (usize, &SignedCheckpoint)> = BTreeMap::new();
    for checkpoint in own.into_iter().chain(holders.iter().map(|h| &h.checkpoint)) {
        let tree = (checkpoint.size(), checkpoint.root());
        held.entry(tree).or_insert((0, checkpoint)).0 += 1;
    }
    let mut large: Vec<_> = held
        .into_values()
        .filter(|(_, checkpoint)| checkpoint.size() >= had)
        .collect();
    large.sort_by_key(|(count, checkpoint)| (checkpoint.size(), *count));
    if large.is_empty() {
        return vec![None];
    }
    let newest_first = large.into_iter().rev();
    newest_first
        .map(|(_, checkpoint)| Some(checkpoint.clone()))
        .collect()
}

/// Holds every checkpoint that this node signed against the log that it is to have; gives those that are not of it, where that is
/// settled.
async fn hold_against(
    me: &Recovering<'_>,
    own: &Log,
    entries: &[Vec<u8>],
    holders: &[Holder],
    passed: &mut Vec<PassedOver>,
) -> Result<Vec<(u64, LogHash)>, RecoverError> {
    let full = |_| RecoverError::TooMuch {
        limit: RECOVERED_MAX_BYTES,
    };
    let mut log = own.clone();
    for entry in entries {
        log.append(entry).map_err(full)?;
    }
    let leaf = |index: u64| -> Result<Option<LogHash>, RecoverError> {
        let later = index.checked_sub(own.size());
        let later = later.and_then(|later| usize::try_from(later).ok());
        Ok(match later {
            Some(later) => entries.get(later).map(|entry| leaf_hash(entry)),
            None => rows::own_entry(me.vault, index)?.map(|entry| leaf_hash(&entry)),
        })
    };
    let read = |bundle: u64| -> Result<Vec<LogHash>, RecoverError> {
        let first = bundle * u64::from(BUNDLE_LEN);
        let all = (first..first + u64::from(BUNDLE_LEN)).map(leaf);
        Ok(all
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect())
    };
    let names = witness_names(me, holders)?;
    let (mut with, mut against) = (BTreeSet::new(), BTreeSet::new());
    let mut others: Vec<&Holder> = Vec::new();
    for holder in holders {
        let checkpoint = &holder.checkpoint;
        let is_of_it = match log.root_at(checkpoint.size(), &read) {
            Ok(root) => root == checkpoint.root(),
            Err(ReadError::Read(error)) => return Err(error),
            Err(ReadError::Log(_)) => false,
        };
        let side = if is_of_it {
            &mut with
        } else {
            others.push(holder);
            &mut against
        };
        side.extend(witnesses_of(checkpoint, &names));
    }
    if others.is_empty() {
        return Ok(Vec::new());
    }
    if is_settled(me.roster.quorum(), with.len(), against.len()) {
        for holder in &others {
            let size = holder.checkpoint.size();
            note(passed, &holder.name, WhyNot::OtherHistory { size });
        }
        let trees = others.iter().map(|holder| &holder.checkpoint);
        return Ok(trees.map(|tree| (tree.size(), tree.root())).collect());
    }
    Err(contradiction(me, own.size(), &others).await?)
}

/// Whether one history is the log's although there is another: as many others have cosigned it as make a quorum with the log, and too few
/// the rest. The log itself counts for neither: it signed both.
const fn is_settled(quorum: usize, with: usize, against: usize) -> bool {
    let others = quorum.saturating_sub(1);
    with >= others && with > 0 && against < others
}

/// What two histories mean: the store's is one of them, or this node signed both before.
async fn contradiction(
    me: &Recovering<'_>,
    had: u64,
    others: &[&Holder],
) -> Result<RecoverError, RecoverError> {
    for holder in others {
        let size = holder.checkpoint.size();
        if let Some(index) = first_difference(me, holder, had).await? {
            return Ok(RecoverError::OtherHistory { index });
        }
        if size <= had {
            let index = size.saturating_sub(1);
            return Ok(RecoverError::OtherHistory { index });
        }
    }
    let names: Vec<&str> = others.iter().map(|holder| holder.name.as_str()).collect();
    Ok(RecoverError::TwoHistories {
        size: others[0].checkpoint.size(),
        shown_by: names.join(", "),
    })
}

/// The names of the other provinces as witnesses, under keys that their head keys signed.
fn witness_names(
    me: &Recovering<'_>,
    holders: &[Holder],
) -> Result<Vec<(ProvinceCode, NoteKey)>, RecoverError> {
    let mut keys: Vec<_> = holders.iter().filter_map(|holder| holder.witness).collect();
    for member in me.roster.members() {
        keys.extend(stored_keys(me.vault, member.slot)?);
    }
    let mut names: Vec<(ProvinceCode, NoteKey)> = Vec::new();
    for keys in keys {
        let province = keys.keys.province;
        if province == me.home || keys.check(me.roster).is_err() {
            continue;
        }
        let name = keys.keys.witness_key(me.federation.as_str());
        if let Ok(name) = name
            && !names.iter().any(|(_, known)| *known == name)
        {
            names.push((province, name));
        }
    }
    Ok(names)
}

/// The provinces that have cosigned a checkpoint.
fn witnesses_of(
    checkpoint: &SignedCheckpoint,
    names: &[(ProvinceCode, NoteKey)],
) -> Vec<ProvinceCode> {
    let has_signed = |name: &NoteKey| {
        let signers = checkpoint.signers(std::slice::from_ref(name));
        signers.is_ok_and(|signers| !signers.is_empty())
    };
    let signed = names.iter().filter(|(_, name)| has_signed(name));
    signed.map(|(province, _)| *province).collect()
}

#[cfg(test)]
mod tests {
    use commitment::quorum::quorum;

    use super::*;

    #[test]
    fn of_two_histories_one_is_the_log_where_a_quorum_holds_it_and_none_can_hold_the_other() {
        // 34 provinces: 22 of the others make a quorum with the log.
        let of_34 = quorum(34);
        assert_eq!(of_34, 23);
        assert!(is_settled(of_34, 32, 1));
        assert!(is_settled(of_34, 22, 11));
        assert!(!is_settled(of_34, 21, 1));
        // Keys that one province has had can be several; what both could have is nobody's.
        assert!(!is_settled(of_34, 22, 22));
        // Of three provinces one other makes a quorum: a witness on either side settles nothing.
        assert!(!is_settled(quorum(3), 1, 1));
        assert!(is_settled(quorum(3), 1, 0));
        // Alone nobody witnesses.
        assert!(!is_settled(quorum(1), 0, 0));
    }
}
