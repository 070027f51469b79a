//! Asking the other nodes to witness this node's log.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rules::ProvinceCode;
use tokio::task::JoinSet;
use tonic::Status;
use tonic::transport::Channel;
use wire::federation::v1 as proto;
use wire::{Reason, WitnessAnswer};

use crate::doors::Desk;
use crate::peers::Peers;

/// How long after a round in which a witness did not answer it is asked again.
const RETRY_AFTER: Duration = Duration::from_secs(20);
/// Offers made to one witness in a round: the second, where it knew another size.
const OFFERS: usize = 2;

/// Has every checkpoint cosigned by the peers, each new one at once; never ends.
pub(crate) async fn keep_witnessed(desk: &Desk, peers: &Peers) {
    let mut sizes: BTreeMap<ProvinceCode, u64> = BTreeMap::new();
    let mut done: BTreeSet<ProvinceCode> = BTreeSet::new();
    let mut of = Vec::new();
    loop {
        if let Some(checkpoint) = desk.node().checkpoint() {
            if of != checkpoint.text() {
                of = checkpoint.text().to_vec();
                done.clear();
            }
            let answers = ask_all(desk, peers, &done, &sizes).await;
            for (province, size) in answers {
                sizes.insert(province, size);
                done.insert(province);
            }
        }
        let channels = peers.channels();
        let is_complete = channels.iter().all(|(province, _)| done.contains(province));
        let signed = desk.node().checkpoint_signed.notified();
        if is_complete {
            signed.await;
        } else {
            tokio::select! {
                () = signed => {}
                () = tokio::time::sleep(RETRY_AFTER) => {}
            }
        }
    }
}

/// Asks all that have not cosigned yet, at once; gives those that have, with the size that they know.
async fn ask_all(
    desk: &Desk,
    peers: &Peers,
    done: &BTreeSet<ProvinceCode>,
    sizes: &BTreeMap<ProvinceCode, u64>,
) -> Vec<(ProvinceCode, u64)> {
    let mut calls = JoinSet::new();
    for (province, channel) in peers.channels() {
        if done.contains(&province) {
            continue;
        }
        let known = sizes.get(&province).copied().unwrap_or(0);
        let desk = desk.clone();
        calls.spawn(async move { (province, ask(&desk, province, channel, known).await) });
    }
    let mut cosigned = Vec::new();
    while let Some(call) = calls.join_next().await {
        match call {
            Ok((province, Ok(size))) => cosigned.push((province, size)),
            Ok((province, Err(status))) => {
                let (province, code) = (province.get(), status.code());
                let reason = wire::reason_of(&status).map(Reason::code);
                tracing::info!(province, ?reason, ?code, "a witness did not cosign");
            }
            Err(_) => tracing::error!("a call to a witness died"),
        }
    }
    cosigned
}

/// Asks one witness, and takes its cosignature up.
async fn ask(
    desk: &Desk,
    province: ProvinceCode,
    channel: Channel,
    mut known: u64,
) -> Result<u64, Status> {
    let mut client = wire::log_client(channel);
    for _ in 0..OFFERS {
        let offer = desk.ask(move |node| node.checkpoint_offer(known)).await?;
        let request = proto::AddCheckpointRequest::from(&offer);
        let answer = client.add_checkpoint(request).await?;
        let answer = WitnessAnswer::try_from(answer.get_ref())?;
        let (size, is_cosigned) = (answer.size, answer.cosignature.is_some());
        desk.ask(move |node| node.take_answer(province, &offer, &answer))
            .await?;
        if is_cosigned {
            return Ok(size);
        }
        known = size;
    }
    Err(wire::status(Reason::CheckpointRefused))
}
