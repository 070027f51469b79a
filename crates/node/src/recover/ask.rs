//! Asking those who hold this node's log, and reading what is missing.

use std::collections::BTreeMap;
use std::time::Duration;

use commitment::Slot;
use ledger::log::{BUNDLE_LEN, Log, LogHash, LogPart, SignedCheckpoint, SignedLogKeys, leaf_hash};
use rules::ProvinceCode;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic::{Code, Status};
use wire::federation::v1 as proto;
use wire::{ReadPart, Reason, WitnessedLog};

use super::floors::{self, Answer};
use super::http::HttpMirror;
use super::{RECOVERED_MAX_BYTES, RecoverError, Recovering};
use crate::Peers;

/// Time for one answer.
pub(super) const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Somebody who holds a checkpoint that this node signed.
pub(super) struct Holder {
    name: String,
    pub(super) keys: Option<SignedLogKeys>,
    pub(super) witness: Option<SignedLogKeys>,
    pub(super) checkpoint: SignedCheckpoint,
    first: u64,
    end: u64,
    way: Way,
}

enum Way {
    Peer(Channel),
    Http(HttpMirror),
}

/// What came of asking all peers.
pub(super) struct Asked {
    pub(super) holders: Vec<Holder>,
    pub(super) answers: BTreeMap<ProvinceCode, Answer>,
}

/// What is found, or that there is none.
pub(super) fn or_none<T>(found: Result<T, Status>) -> Result<Option<T>, Status> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(status) if status.code() == Code::NotFound => Ok(None),
        Err(status) => Err(status),
    }
}

/// An answer within its time.
pub(super) async fn in_time<T>(call: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let answer = tokio::time::timeout(ANSWER_TIME, call).await;
    answer.unwrap_or_else(|_| Err(wire::status(Reason::Deadline)))
}

pub(super) async fn ask_peers(me: &Recovering<'_>, peers: &Peers) -> Asked {
    let mut asked = Asked {
        holders: Vec::new(),
        answers: BTreeMap::new(),
    };
    for (province, channel) in peers.channels() {
        match ask_peer(me, province, channel).await {
            Ok((holder, answer)) => {
                // Who does not say all of it may hold the log all the same.
                asked.holders.extend(holder);
                match answer {
                    Ok(answer) => drop(asked.answers.insert(province, answer)),
                    Err(status) => warn_of(province, &status),
                }
            }
            Err(status) => warn_of(province, &status),
        }
    }
    asked
}

fn warn_of(province: ProvinceCode, status: &Status) {
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
) -> Result<Option<WitnessedLog>, Status> {
    let mut client = wire::log_client(channel);
    let request = proto::GetWitnessedRequest {
        slot: slot.get().into(),
    };
    let witnessed = or_none(in_time(client.get_witnessed(request)).await)?;
    let witnessed = witnessed.map(|answer| WitnessedLog::try_from(answer.get_ref()));
    Ok(witnessed.transpose()?)
}

/// Whether anybody shows within `wait` a checkpoint that this node signed, of more than `had` entries.
pub(super) async fn holds_more(
    me: &Recovering<'_>,
    peers: &Peers,
    had: u64,
    wait: Duration,
) -> bool {
    let mut calls = JoinSet::new();
    for (_, channel) in peers.channels() {
        calls.spawn(witnessed_by(channel, me.slot));
    }
    let looking = async {
        while let Some(call) = calls.join_next().await {
            if let Ok(Ok(Some(held))) = call
                && held.checkpoint.size() > had
                && me.has_signed(&held.checkpoint)
            {
                return true;
            }
        }
        false
    };
    tokio::time::timeout(wait, looking).await.unwrap_or(false)
}

async fn ask_peer(
    me: &Recovering<'_>,
    province: ProvinceCode,
    channel: Channel,
) -> Result<(Option<Holder>, Result<Answer, Status>), Status> {
    let witnessed = witnessed_by(channel.clone(), me.slot).await?;
    let answer = floors::ask(channel.clone()).await;
    let holder = witnessed.and_then(|held| {
        if !me.has_signed(&held.checkpoint) {
            let province = province.get();
            tracing::error!(
                province,
                "a province holds a checkpoint that this node did not sign"
            );
            return None;
        }
        Some(Holder {
            name: format!("province {}", province.get()),
            keys: Some(held.keys),
            witness: Some(held.witness).filter(|keys| keys.keys.province == province),
            checkpoint: held.checkpoint,
            first: held.first,
            end: held.end,
            way: Way::Peer(channel),
        })
    });
    Ok((holder, answer))
}

/// Somebody who serves the log, or a mirror of it, by plain HTTP.
pub(super) async fn ask_url(me: &Recovering<'_>, url: &str) -> Option<Holder> {
    let asked = async {
        let mirror = HttpMirror::new(url)?;
        let checkpoint = mirror.checkpoint().await?;
        if !me.has_signed(&checkpoint) {
            return Err("its checkpoint is not one that this node signed".to_owned());
        }
        Ok((mirror, checkpoint))
    };
    match asked.await {
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
            None
        }
    }
}

impl Holder {
    /// Entries from `first` on of a tree whose checkpoint this holder has, held against it.
    async fn part(&self, me: &Recovering<'_>, log: &Log) -> Result<(LogPart, Log), String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let size = self.checkpoint.size();
        let part = match &self.way {
            Way::Peer(channel) => {
                let mut client = wire::log_client(channel.clone());
                let request = proto::GetLogPartRequest {
                    slot: me.slot.get().into(),
                    first: log.size(),
                    size,
                };
                let answer = in_time(client.get_log_part(request)).await;
                let answer = answer.map_err(|status| status.message().to_owned())?;
                ReadPart::try_from(answer.get_ref())
                    .map_err(|error| text(&error))?
                    .0
            }
            // Tiles have no proof from one size to another: all is read, and its root is the checkpoint's.
            Way::Http(mirror) => LogPart {
                entries: mirror
                    .entries(log.size(), size, RECOVERED_MAX_BYTES)
                    .await?,
                proof: Vec::new(),
            },
        };
        let of = (size, self.checkpoint.root());
        let next = log.extended(&part, of).map_err(|error| text(&error))?;
        Ok((part, next))
    }
}

/// Reads what is missing from `log` to the newest checkpoint, from one holder after the other.
pub(super) async fn read_missing(
    me: &Recovering<'_>,
    own: &Log,
    newest: &SignedCheckpoint,
    holders: &[Holder],
    each: &mut (dyn FnMut(u64) + Send),
) -> Result<Vec<Vec<u8>>, RecoverError> {
    let (mut log, mut entries, mut len_bytes) = (own.clone(), Vec::new(), 0);
    for holder in holders {
        while log.size() < holder.end.min(newest.size()) && holder.first <= log.size() {
            match holder.part(me, &log).await {
                Ok((part, next)) => {
                    len_bytes += part.entries.iter().map(Vec::len).sum::<usize>();
                    if len_bytes > RECOVERED_MAX_BYTES {
                        return Err(RecoverError::TooMuch {
                            limit: RECOVERED_MAX_BYTES,
                        });
                    }
                    entries.extend(part.entries);
                    log = next;
                    each(entries.len() as u64);
                }
                Err(what) => {
                    tracing::warn!(from = holder.name, what, "a mirror is not used further");
                    break;
                }
            }
        }
    }
    let root = log.root().ok();
    if log.size() == newest.size() && root == Some(newest.root()) {
        return Ok(entries);
    }
    // It is not the mirrors that fall short if the store's own entries are others.
    for holder in holders {
        if let Some(index) = first_difference(me, holder, own.size()).await? {
            return Err(RecoverError::OtherHistory { index });
        }
    }
    Err(RecoverError::Incomplete {
        reached: log.size().min(newest.size()),
        wanted: newest.size(),
    })
}

/// Holds every checkpoint that this node signed against the log that it is to have: it goes on from all of them, or it has two
/// histories.
pub(super) async fn hold_against(
    me: &Recovering<'_>,
    own: &Log,
    entries: &[Vec<u8>],
    holders: &[Holder],
) -> Result<(), RecoverError> {
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
            None => super::rows::own_entry(me.vault, index)?.map(|entry| leaf_hash(&entry)),
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
    for holder in holders {
        let size = holder.checkpoint.size();
        if log.root_at(size, &read).ok() == Some(holder.checkpoint.root()) {
            continue;
        }
        let differs = first_difference(me, holder, own.size()).await?;
        return Err(match differs {
            Some(index) => RecoverError::OtherHistory { index },
            None if size <= own.size() => RecoverError::OtherHistory {
                index: size.saturating_sub(1),
            },
            None => RecoverError::TwoHistories { size },
        });
    }
    Ok(())
}

/// The first entry in which the store and a holder, who has all of them from the first on, differ.
async fn first_difference(
    me: &Recovering<'_>,
    holder: &Holder,
    had: u64,
) -> Result<Option<u64>, RecoverError> {
    let mut log = Log::default();
    if holder.first > 0 {
        return Ok(None);
    }
    while log.size() < had.min(holder.end) {
        let Ok((part, next)) = holder.part(me, &log).await else {
            return Ok(None);
        };
        for (index, entry) in (log.size()..had).zip(&part.entries) {
            if super::rows::own_entry(me.vault, index)?.as_ref() != Some(entry) {
                return Ok(Some(index));
            }
        }
        log = next;
    }
    Ok(None)
}
