//! Asking those who hold this node's log. All are asked at once, and each has its time: one that does not answer keeps nobody
//! waiting for longer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use commitment::Slot;
use ledger::log::{LogHash, LogPart, SignedCheckpoint, SignedLogKeys};
use rules::ProvinceCode;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tonic::transport::Channel;
use tonic::{Code, Status};
use wire::federation::v1 as proto;
use wire::{ReadPart, Reason, WitnessedLog};

use super::floors::{self, Answer};
use super::http::HttpMirror;
use super::passed::{PassedOver, Patience, WhyNot, name_of, note};
use super::read::Failed;
use super::{OwnKeys, Recovering};
use crate::Peers;

/// Somebody who holds a checkpoint that this node signed.
pub(super) struct Holder {
    pub(super) name: String,
    pub(super) keys: Option<SignedLogKeys>,
    pub(super) witness: Option<SignedLogKeys>,
    pub(super) checkpoint: SignedCheckpoint,
    pub(super) first: u64,
    pub(super) end: u64,
    pub(super) way: Way,
}

pub(super) enum Way {
    Peer(Channel),
    Http(HttpMirror),
}

/// What came of asking all peers.
pub(super) struct Asked {
    pub(super) holders: Vec<Holder>,
    pub(super) answers: BTreeMap<ProvinceCode, Answer>,
    /// Those that did not say all of it.
    pub(super) silent: Vec<ProvinceCode>,
    pub(super) passed: Vec<PassedOver>,
}

/// What one peer says.
struct Said {
    channel: Channel,
    witnessed: Option<WitnessedLog>,
    answer: Result<Answer, Status>,
}

/// What is found, or that there is none.
pub(super) fn or_none<T>(found: Result<T, Status>) -> Result<Option<T>, Status> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status),
    }
}

/// An answer within a time.
pub(super) async fn in_time<T>(
    within: Duration,
    call: impl Future<Output = Result<T, Status>>,
) -> Result<T, Status> {
    let answer = tokio::time::timeout(within, call).await;
    answer.unwrap_or_else(|_| Err(wire::status(Reason::Deadline)))
}

pub(super) async fn ask_peers(me: &Recovering<'_>, peers: &Peers, own_keys: &OwnKeys) -> Asked {
    let mut calls = JoinSet::new();
    let channels = peers.channels();
    let mut silent: BTreeSet<ProvinceCode> =
        channels.iter().map(|(province, _)| *province).collect();
    for (province, channel) in channels {
        let (slot, patience) = (me.slot, me.patience);
        calls.spawn(async move { (province, ask_peer(slot, channel, patience).await) });
    }
    let mut said = BTreeMap::new();
    while let Some(call) = calls.join_next().await {
        match call {
            Ok((province, Ok(one))) => drop(said.insert(province, one)),
            Ok((province, Err(status))) => warn_of(province, &status),
            Err(_) => tracing::error!("a call to a province died"),
        }
    }
    let (mut holders, mut answers, mut passed) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (province, one) in said {
        let name = name_of(province);
        match one.witnessed {
            Some(held) if own_keys.have_signed(&held.checkpoint) => {
                holders.push(holder(province, held, one.channel));
            }
            Some(_) => note(&mut passed, &name, WhyNot::NotSigned),
            None => {}
        }
        // Who does not say all of it may hold the log all the same.
        match one.answer {
            Ok(answer) => {
                silent.remove(&province);
                answers.insert(province, answer);
            }
            Err(status) => warn_of(province, &status),
        }
    }
    let late = silent.iter();
    passed.extend(late.map(|province| PassedOver::province(*province, WhyNot::Silent)));
    Asked {
        holders,
        answers,
        silent: silent.into_iter().collect(),
        passed,
    }
}

pub(super) fn warn_of(province: ProvinceCode, status: &Status) {
    let (code, reason) = (status.code(), wire::reason_of(status));
    let (province, reason) = (province.get(), reason.map(Reason::code));
    tracing::warn!(
        province,
        ?code,
        ?reason,
        "a province does not say what it has"
    );
}

/// What a node has cosigned of a slot's log.
pub(super) async fn witnessed_by(
    channel: Channel,
    slot: Slot,
    within: Duration,
) -> Result<Option<WitnessedLog>, Status> {
    let mut client = wire::log_client(channel);
    let request = proto::GetWitnessedRequest {
        slot: slot.get().into(),
    };
    let witnessed = or_none(in_time(within, client.get_witnessed(request)).await)?;
    let witnessed = witnessed.map(|answer| WitnessedLog::try_from(answer.get_ref()));
    Ok(witnessed.transpose()?)
}

/// A part of a slot's log from `first` on, of the tree of `size` entries, as a node gives it: not yet held against anything.
pub(super) async fn log_part(
    channel: &Channel,
    slot: Slot,
    (first, size): (u64, u64),
    within: Duration,
) -> Result<LogPart, Failed> {
    let mut client = wire::log_client(channel.clone());
    let request = proto::GetLogPartRequest {
        slot: slot.get().into(),
        first,
        size,
    };
    let answer = in_time(within, client.get_log_part(request)).await;
    let answer = answer.map_err(|status| Failed::of(&status))?;
    let part = ReadPart::try_from(answer.get_ref());
    Ok(part.map_err(|error| Failed::wrong(&error))?.0)
}

/// Whether anybody shows within `wait` a checkpoint that this node signed, of more than `had` entries, and that is none of `others`.
pub(super) async fn holds_more(
    me: &Recovering<'_>,
    (peers, own_keys): (&Peers, &OwnKeys),
    (had, others): (u64, &[(u64, LogHash)]),
    wait: Duration,
) -> bool {
    let mut calls = JoinSet::new();
    for (_, channel) in peers.channels() {
        calls.spawn(witnessed_by(channel, me.slot, wait));
    }
    let looking = async {
        while let Some(call) = calls.join_next().await {
            if let Ok(Ok(Some(held))) = call
                && held.checkpoint.size() > had
                && !others.contains(&(held.checkpoint.size(), held.checkpoint.root()))
                && own_keys.have_signed(&held.checkpoint)
            {
                return true;
            }
        }
        false
    };
    tokio::time::timeout(wait, looking).await.unwrap_or(false)
}

/// Asks one peer for everything, within the time that it has.
async fn ask_peer(slot: Slot, channel: Channel, patience: Patience) -> Result<Said, Status> {
    let until = Instant::now() + patience.asking;
    let late = || wire::status(Reason::Deadline);
    let witnessed = witnessed_by(channel.clone(), slot, patience.answer);
    let witnessed = timeout_at(until, witnessed).await.map_err(|_| late())??;
    let answer = timeout_at(until, floors::ask(channel.clone(), patience.answer)).await;
    Ok(Said {
        channel,
        witnessed,
        answer: answer.unwrap_or_else(|_| Err(late())),
    })
}

fn holder(province: ProvinceCode, held: WitnessedLog, channel: Channel) -> Holder {
    Holder {
        name: name_of(province),
        keys: Some(held.keys),
        witness: Some(held.witness).filter(|keys| keys.keys.province == province),
        checkpoint: held.checkpoint,
        first: held.first,
        end: held.end,
        way: Way::Peer(channel),
    }
}

/// Somebody who serves the log, or a mirror of it, by plain HTTP.
pub(super) async fn ask_url(
    (me, own_keys): (&Recovering<'_>, &OwnKeys),
    url: &str,
    passed: &mut Vec<PassedOver>,
) -> Option<Holder> {
    let asked = async {
        let mirror = HttpMirror::new(url, me.patience)?;
        let checkpoint = mirror.checkpoint().await?;
        Ok::<_, String>((mirror, checkpoint))
    };
    match asked.await {
        Ok((_, checkpoint)) if !own_keys.have_signed(&checkpoint) => {
            note(passed, url, WhyNot::NotSigned);
            None
        }
        Ok((mirror, checkpoint)) => Some(Holder {
            name: url.to_owned(),
            keys: None,
            witness: None,
            first: 0,
            end: checkpoint.size(),
            checkpoint,
            way: Way::Http(mirror),
        }),
        Err(what) => {
            tracing::warn!(url, what, "a mirror is not used");
            note(passed, url, WhyNot::Silent);
            None
        }
    }
}
