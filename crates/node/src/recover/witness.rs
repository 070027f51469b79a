//! A node that was put back is a witness, too: what it cosigned of the others' logs since its backup it does not know, and would
//! cosign another history from there on. So it takes from the other witnesses what they have cosigned, before it cosigns again.

use std::time::Duration;

use commitment::Slot;
use ledger::log::{AddCheckpoint, SignedLogKeys, WitnessState};
use tokio::task::JoinSet;
use tonic::transport::Channel;
use wire::federation::v1 as proto;
use wire::{ReadPart, WitnessedLog};

use super::Recovering;
use super::ask::{in_time, witnessed_by};
use crate::transparency::{HeldLog, stored_keys};
use crate::{NodeError, Peers};

/// Parts that are read of one log: a log and a witness that is in league with it could give parts without end.
const PARTS_MAX: usize = 4_096;

/// Brings what this node has cosigned of every other log to where the other witnesses are; gives how many logs that were.
/// One that does not go on from what this node cosigned stays where it is: it is refused when it asks.
pub(super) async fn raise(me: &Recovering<'_>, peers: &Peers) -> Result<usize, NodeError> {
    let mut raised = 0;
    let others = me.roster.members().iter();
    for slot in others
        .map(|member| member.slot)
        .filter(|slot| *slot != me.slot)
    {
        let mut held = HeldLog::open_or_forget(me.vault, slot)?;
        let Some((newest, channel)) = newest_of(me, peers, slot).await? else {
            continue;
        };
        if newest.checkpoint.size() <= held.cosigned().size() {
            continue;
        }
        match go_on(&mut held, &newest, channel)
            .await
            .and_then(|()| cosigned(me, held, &newest))
        {
            Ok(()) => raised += 1,
            Err(what) => {
                let slot = slot.get();
                tracing::warn!(
                    slot,
                    what,
                    "of a log it is not known here what the others have cosigned"
                );
            }
        }
    }
    Ok(raised)
}

/// The largest checkpoint of a slot's log that any other witness has cosigned, and who it is.
async fn newest_of(
    me: &Recovering<'_>,
    peers: &Peers,
    slot: Slot,
) -> Result<Option<(WitnessedLog, Channel)>, NodeError> {
    let known = stored_keys(me.vault, slot)?;
    let (mut calls, within) = (JoinSet::new(), me.patience.answer);
    for (_, channel) in peers.channels() {
        calls.spawn(async move { (witnessed_by(channel.clone(), slot, within).await, channel) });
    }
    let mut newest: Option<(WitnessedLog, Channel)> = None;
    while let Some(call) = calls.join_next().await {
        let Ok((Ok(Some(held)), channel)) = call else {
            continue;
        };
        let is_larger = newest
            .as_ref()
            .is_none_or(|(known, _)| known.checkpoint.size() < held.checkpoint.size());
        if is_larger && is_its_logs(me, &held, slot, known.as_ref()) {
            newest = Some((held, channel));
        }
    }
    Ok(newest)
}

fn is_its_logs(
    me: &Recovering<'_>,
    held: &WitnessedLog,
    slot: Slot,
    known: Option<&SignedLogKeys>,
) -> bool {
    let name = held.keys.keys.log_key(me.federation.as_str());
    held.keys.keys.slot == slot
        && are_its_keys(me, &held.keys, known)
        && name.is_ok_and(|name| held.checkpoint.check_log(&name).is_ok())
}

/// Keys that are known already, or that the head key in force announces: one that was given up can be in anybody's hands.
fn are_its_keys(me: &Recovering<'_>, keys: &SignedLogKeys, known: Option<&SignedLogKeys>) -> bool {
    known.is_some_and(|known| known.keys == keys.keys)
        || keys.check_told(me.roster, known, me.now).is_ok()
}

async fn go_on(
    held: &mut HeldLog<'_>,
    newest: &WitnessedLog,
    channel: Channel,
) -> Result<(), String> {
    let (mut client, within) = (wire::log_client(channel), Duration::from_secs(10));
    let size = newest.checkpoint.size();
    for _ in 0..PARTS_MAX {
        if held.end() >= size {
            return Ok(());
        }
        let request = proto::GetLogPartRequest {
            slot: held.slot().get().into(),
            first: held.end(),
            size,
        };
        let answer = in_time(within, client.get_log_part(request)).await;
        let answer = answer.map_err(|status| status.message().to_owned())?;
        let part = ReadPart::try_from(answer.get_ref()).map_err(|error| error.to_string())?;
        let taken = held.take(&part.0, &newest.checkpoint);
        taken.map_err(|error| error.for_operator())?;
    }
    Err(format!("more than {PARTS_MAX} parts are missing"))
}

/// Remembers a checkpoint as cosigned, if it goes on from the one that is. Nothing is signed.
fn cosigned(me: &Recovering<'_>, held: HeldLog<'_>, newest: &WitnessedLog) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let state: WitnessState = held.cosigned();
    let log = newest.keys.keys.log_key(me.federation.as_str());
    let request = AddCheckpoint {
        old_size: state.size(),
        proof: held
            .consistency(state.size(), newest.checkpoint.size())
            .map_err(|error| error.for_operator())?,
        checkpoint: newest.checkpoint.clone(),
    };
    let permit = state
        .consider(&request, &log.map_err(|error| text(&error))?)
        .map_err(|error| text(&error))?;
    held.remember(*permit.next_state(), &newest.checkpoint, &newest.keys)
        .map_err(|error| error.for_operator())
}
