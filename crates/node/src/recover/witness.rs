//! A node that was put back is a witness, too: what it cosigned of the others' logs since its backup it does not know, and would
//! cosign another history from there on. So it takes from the other witnesses what they have cosigned, before it cosigns again.
//!
//! Of each log every checkpoint that anybody cosigned is looked at, the smallest first, each held against the one before. Two that
//! contradict each other are evidence against the log; and since it is not known here which of both this node cosigned, it
//! cosigns that log no more until its province has given it new keys.

use std::collections::BTreeMap;
use std::time::Duration;

use commitment::Slot;
use ledger::log::{AddCheckpoint, Evidence, NoteKey, SignedCheckpoint, SignedLogKeys};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use wire::WitnessedLog;

use super::Recovering;
use super::ask::{warn_of, witnessed_by};
use super::passed::{PassedOver, WhyNot, name_of, note};
use super::source::{Allowance, Source};
use crate::transparency::{HeldLog, mark_forked, put_evidence, stored_keys};
use crate::{NodeError, Peers};

/// What became of the others' logs.
#[derive(Default)]
pub(super) struct Raised {
    /// Those of which more is known as cosigned than before.
    pub(super) logs: usize,
    /// Those with two histories.
    pub(super) forked: Vec<Slot>,
    /// Those of which it is not known what others have cosigned: it could not be read, or too few said it.
    pub(super) unread: Vec<Slot>,
}

impl Raised {
    fn leave_unread(&mut self, slot: Slot) {
        if !self.unread.contains(&slot) {
            self.unread.push(slot);
        }
    }
}

/// What the others say of a log.
#[derive(Default)]
struct Told {
    held: Vec<(WitnessedLog, Source)>,
    /// How many of them said what they have cosigned of it, or that it is nothing; the log's own node has no say in that.
    answers: usize,
}

/// Why a peer said nothing of further logs.
#[derive(Debug)]
enum Ended {
    /// It failed, or did not answer in time.
    Failed(Status),
    /// The time for all of them was over; so many were left.
    CutOff(usize),
}

/// A checkpoint that others have cosigned.
struct Tree {
    checkpoint: SignedCheckpoint,
    keys: SignedLogKeys,
    /// Those who say so.
    sources: Vec<Source>,
}

/// What shows that a log has two histories, and its keys.
struct Forked {
    evidence: Evidence,
    keys: [SignedLogKeys; 2],
}

/// What a checkpoint is beside those that are known.
enum Weighed {
    Fits,
    Forked(Box<Forked>),
    Unread(String),
}

/// Brings what this node has cosigned of every other log to where the other witnesses are.
/// Peers that did not say all that they have cosigned are put among `passed`.
pub(super) async fn raise(
    me: &Recovering<'_>,
    peers: &Peers,
    passed: &mut Vec<PassedOver>,
) -> Result<Raised, NodeError> {
    let others = me.roster.members().iter().map(|member| member.slot);
    let others: Vec<Slot> = others.filter(|slot| *slot != me.slot).collect();
    let mut said = ask_all(me, peers, &others, passed).await;
    let mut raised = Raised::default();
    for slot in others {
        let Told { held, answers } = said.remove(&slot).unwrap_or_default();
        let (trees, is_hidden) = trees_of(me, slot, held)?;
        let (number, needed) = (slot.get(), me.needed_of_a_log());
        if is_hidden {
            tracing::warn!(
                slot = number,
                "of a log there are checkpoints under keys that are not known here"
            );
        }
        if answers < needed {
            tracing::warn!(
                slot = number,
                answers,
                needed,
                "of a log too few say what they have cosigned: others may have cosigned more"
            );
        }
        if answers < needed || is_hidden && trees.is_empty() {
            raised.leave_unread(slot);
        }
        if !trees.is_empty() {
            raise_one(me, peers, slot, &trees, &mut raised).await?;
        }
    }
    Ok(raised)
}

/// What each peer has cosigned of each of these logs; all are asked at once, each within its time.
async fn ask_all(
    me: &Recovering<'_>,
    peers: &Peers,
    slots: &[Slot],
    passed: &mut Vec<PassedOver>,
) -> BTreeMap<Slot, Told> {
    let mut calls = JoinSet::new();
    for (province, channel) in peers.channels() {
        let (slots, patience) = (slots.to_vec(), me.patience);
        calls.spawn(async move {
            let ask = |slot| witnessed_by(channel.clone(), slot, patience.answer);
            let (said, ended) = ask_in_turn(&slots, patience.asking, ask).await;
            (province, (channel, said, ended))
        });
    }
    let mut by_province = BTreeMap::new();
    while let Some(call) = calls.join_next().await {
        let Ok((province, said)) = call else {
            tracing::error!("a call to a province died");
            continue;
        };
        by_province.insert(province, said);
    }
    let mut told: BTreeMap<Slot, Told> = BTreeMap::new();
    for (province, (channel, said, ended)) in by_province {
        let name = name_of(province);
        match ended {
            Some(Ended::Failed(status)) => {
                warn_of(province, &status);
                note(passed, &name, WhyNot::Silent);
            }
            Some(Ended::CutOff(logs)) => note(passed, &name, WhyNot::CutOff { logs }),
            None => {}
        }
        let own = me.roster.members().iter();
        let own: Vec<Slot> = own
            .filter(|member| member.province == province)
            .map(|member| member.slot)
            .collect();
        for (slot, held) in said {
            let told = told.entry(slot).or_default();
            told.answers += usize::from(!own.contains(&slot));
            let (name, channel) = (name.clone(), channel.clone());
            let source = Source { name, channel };
            told.held.extend(held.map(|held| (held, source)));
        }
    }
    told
}

/// Asks for one log after the other until all is said, one call fails, or the time for all is over.
async fn ask_in_turn<T, A: Future<Output = Result<T, Status>>>(
    slots: &[Slot],
    within: Duration,
    ask: impl Fn(Slot) -> A,
) -> (Vec<(Slot, T)>, Option<Ended>) {
    let (until, mut said) = (Instant::now() + within, Vec::new());
    for slot in slots {
        match timeout_at(until, ask(*slot)).await {
            Ok(Ok(answer)) => said.push((*slot, answer)),
            Ok(Err(status)) => return (said, Some(Ended::Failed(status))),
            Err(_) => {
                let left = slots.len() - said.len();
                return (said, Some(Ended::CutOff(left)));
            }
        }
    }
    (said, None)
}

/// The checkpoints among the answers that the slot's log signed, the smallest first; and whether there are others under keys that
/// a head key of the slot signed which is not in force.
fn trees_of(
    me: &Recovering<'_>,
    slot: Slot,
    told: Vec<(WitnessedLog, Source)>,
) -> Result<(Vec<Tree>, bool), NodeError> {
    let mut is_hidden = false;
    let known = stored_keys(me.vault, slot)?;
    let mut trees: BTreeMap<(u64, Vec<u8>), Tree> = BTreeMap::new();
    for (held, source) in told {
        if held.checkpoint.size() == 0 || held.keys.keys.slot != slot {
            continue;
        }
        if !is_its_logs(me, &held, known.as_ref()) {
            is_hidden |= held.keys.check(me.roster).is_ok();
            continue;
        }
        let text = held.checkpoint.text().to_vec();
        let tree = trees.entry((held.checkpoint.size(), text));
        let tree = tree.or_insert_with(|| Tree {
            checkpoint: held.checkpoint,
            keys: held.keys,
            sources: Vec::new(),
        });
        tree.sources.push(source);
    }
    let mut trees: Vec<Tree> = trees.into_values().collect();
    for tree in &mut trees {
        tree.sources.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok((trees, is_hidden))
}

fn is_its_logs(me: &Recovering<'_>, held: &WitnessedLog, known: Option<&SignedLogKeys>) -> bool {
    let name = held.keys.keys.log_key(me.federation.as_str());
    are_its_keys(me, &held.keys, known)
        && name.is_ok_and(|name| held.checkpoint.check_log(&name).is_ok())
}

/// Keys that are known already, or that the head key in force announces: one that was given up can be in anybody's hands.
fn are_its_keys(me: &Recovering<'_>, keys: &SignedLogKeys, known: Option<&SignedLogKeys>) -> bool {
    known.is_some_and(|known| known.keys == keys.keys)
        || keys.check_told(me.roster, known, me.now).is_ok()
}

async fn raise_one(
    me: &Recovering<'_>,
    peers: &Peers,
    slot: Slot,
    trees: &[Tree],
    raised: &mut Raised,
) -> Result<(), NodeError> {
    let mut held = HeldLog::open_or_forget(me.vault, slot)?;
    let mut allowance = Allowance::new(me);
    let before = held.cosigned().size();
    let home = me.roster.members().iter().find(|m| m.slot == slot);
    let home = home.map(|member| member.province);
    let log = home.and_then(|home| {
        let name = name_of(home);
        let channel = peers.channel(home)?;
        Some(Source { name, channel })
    });
    // Whoever says it, the log itself, and those who have more.
    let sources_from = |index: usize| -> Vec<Source> {
        let (own, more) = trees[index..].split_at(1);
        let sources = own.iter().flat_map(|tree| &tree.sources);
        let more = more.iter().flat_map(|tree| &tree.sources);
        sources.chain(&log).chain(more).cloned().collect()
    };
    if let Some((last, _)) = held.last().filter(|_| held.end() < before) {
        let last = last.clone();
        for source in sources_from(0) {
            if source
                .read_to(me, &mut held, &last, &mut allowance)
                .await?
                .is_ok()
            {
                break;
            }
        }
    }
    let mut unread = Vec::new();
    for (index, tree) in trees.iter().enumerate() {
        let sources = sources_from(index);
        match weigh(me, &mut held, tree, &sources, &mut allowance).await? {
            Weighed::Fits => {}
            Weighed::Forked(forked) => return keep(me, slot, &forked, raised),
            Weighed::Unread(what) => unread.push((tree, what)),
        }
    }
    // What nobody gave can be seen in what a larger one came with.
    for (tree, mut what) in unread {
        if tree.checkpoint.size() <= held.cosigned().size() {
            match weigh_smaller(&held, tree) {
                Weighed::Fits => continue,
                Weighed::Forked(forked) => return keep(me, slot, &forked, raised),
                Weighed::Unread(why) => what = why,
            }
        }
        let number = slot.get();
        tracing::warn!(
            slot = number,
            what,
            "of a log it is not known here what the others have cosigned"
        );
        raised.leave_unread(slot);
    }
    raised.logs += usize::from(held.cosigned().size() > before);
    Ok(())
}

/// Holds a checkpoint against what was cosigned last, and remembers it as cosigned where it goes on from that. Nothing is signed.
async fn weigh(
    me: &Recovering<'_>,
    held: &mut HeldLog<'_>,
    tree: &Tree,
    sources: &[Source],
    allowance: &mut Allowance,
) -> Result<Weighed, NodeError> {
    let (of, state) = (&tree.checkpoint, held.cosigned());
    if of.size() <= state.size() {
        return Ok(weigh_smaller(held, tree));
    }
    let mut what = "nobody gives it".to_owned();
    // Onto what does not lead to what was cosigned nothing is put: it could be another history from there on.
    let is_held = held.end() >= state.size();
    if is_held {
        for source in sources {
            match source.read_to(me, held, of, allowance).await? {
                Ok(()) => return remember(me, held, tree),
                Err(failed) => what = format!("{}: {}", source.name, failed.what),
            }
        }
    }
    for source in sources {
        let Ok(whole) = source.whole(me, held.slot(), of, allowance).await else {
            continue;
        };
        let Ok((prefix_root, proof)) = whole.since(state.size()) else {
            continue;
        };
        if prefix_root == state.root() {
            if source.read_to(me, held, of, allowance).await?.is_ok() {
                return remember(me, held, tree);
            }
        } else if let Some((last, keys)) = held.last() {
            let evidence = Evidence {
                first: last.clone(),
                second: of.clone(),
                proof,
                prefix_root,
            };
            let keys = [*keys, tree.keys];
            return Ok(Weighed::Forked(Box::new(Forked { evidence, keys })));
        }
    }
    Ok(Weighed::Unread(what))
}

/// The same for a checkpoint of no more entries than were cosigned.
fn weigh_smaller(held: &HeldLog<'_>, tree: &Tree) -> Weighed {
    let (of, state) = (&tree.checkpoint, held.cosigned());
    let Some((last, keys)) = held.last() else {
        return Weighed::Unread("nothing was cosigned".to_owned());
    };
    let keys = [*keys, tree.keys];
    if of.size() == state.size() {
        if of.root() == state.root() {
            return Weighed::Fits;
        }
        let evidence = Evidence {
            first: last.clone(),
            second: of.clone(),
            proof: Vec::new(),
            prefix_root: of.root(),
        };
        return Weighed::Forked(Box::new(Forked { evidence, keys }));
    }
    let shown = held
        .root_at(of.size())
        .and_then(|root| Ok((root, held.consistency(of.size(), state.size())?)));
    match shown {
        Ok((root, _)) if root == of.root() => Weighed::Fits,
        Ok((prefix_root, proof)) => {
            let evidence = Evidence {
                first: of.clone(),
                second: last.clone(),
                proof,
                prefix_root,
            };
            Weighed::Forked(Box::new(Forked { evidence, keys }))
        }
        Err(error) => Weighed::Unread(error.for_operator()),
    }
}

/// Remembers a checkpoint as cosigned, all of whose tree is held.
fn remember(
    me: &Recovering<'_>,
    held: &mut HeldLog<'_>,
    tree: &Tree,
) -> Result<Weighed, NodeError> {
    let (of, state) = (&tree.checkpoint, held.cosigned());
    let Ok(log) = tree.keys.keys.log_key(me.federation.as_str()) else {
        return Ok(Weighed::Unread("a name that makes no origin".to_owned()));
    };
    let request = AddCheckpoint {
        old_size: state.size(),
        proof: match held.consistency(state.size(), of.size()) {
            Ok(proof) => proof,
            Err(error @ NodeError::Refused(_)) => {
                return Ok(Weighed::Unread(error.for_operator()));
            }
            Err(error) => return Err(error),
        },
        checkpoint: of.clone(),
    };
    match state.consider(&request, &log) {
        Ok(permit) => {
            held.remember(*permit.next_state(), of, &tree.keys)?;
            Ok(Weighed::Fits)
        }
        Err(error) => Ok(Weighed::Unread(error.to_string())),
    }
}

/// Keeps what shows that a log has two histories, and marks it.
fn keep(
    me: &Recovering<'_>,
    slot: Slot,
    Forked { evidence, keys }: &Forked,
    raised: &mut Raised,
) -> Result<(), NodeError> {
    raised.forked.push(slot);
    let names = keys
        .iter()
        .map(|keys| keys.keys.log_key(me.federation.as_str()));
    let names: Vec<NoteKey> = names.filter_map(Result::ok).collect();
    let is_shown = evidence.check(&names).is_ok();
    let sizes = (evidence.first.size(), evidence.second.size());
    let slot_number = slot.get();
    tracing::error!(
        slot = slot_number,
        ?sizes,
        is_shown,
        "a log has signed two histories; it is cosigned no more until it has new keys"
    );
    let mut write = me.vault.write();
    let of = (slot, is_shown);
    put_evidence((me.vault, &mut write), of, evidence, keys, me.now)?;
    let number = keys.iter().map(|keys| keys.keys.number).max().unwrap_or(0);
    mark_forked((me.vault, &mut write), slot, number)?;
    Ok(write.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots() -> Vec<Slot> {
        (0..5).filter_map(Slot::new).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn who_answers_slowly_is_cut_off_with_the_logs_that_are_left_and_what_it_said_counts() {
        let within = Duration::from_secs(20);
        let each = |secs| {
            move |slot: Slot| async move {
                tokio::time::sleep(Duration::from_secs(secs)).await;
                Ok(slot)
            }
        };
        let (said, ended) = ask_in_turn(&slots(), within, each(8)).await;
        assert_eq!(said.len(), 2);
        assert!(matches!(ended, Some(Ended::CutOff(3))), "{ended:?}");
        let (said, ended) = ask_in_turn(&slots(), within, each(3)).await;
        assert_eq!(said.len(), 5);
        assert!(ended.is_none(), "{ended:?}");
    }

    #[tokio::test]
    async fn who_fails_is_asked_no_further_and_is_told_apart_from_who_is_cut_off() {
        let fails = |slot: Slot| async move {
            match slot.get() {
                0 => Ok(slot),
                _ => Err(wire::status(wire::Reason::Overloaded)),
            }
        };
        let (said, ended) = ask_in_turn(&slots(), Duration::from_secs(20), fails).await;
        assert_eq!(said.len(), 1);
        assert!(matches!(ended, Some(Ended::Failed(_))), "{ended:?}");
    }
}
