//! Handing over what waits in the outbox: a task for each home, so that one that does not answer holds nobody else up.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use federation::Backoff;
use rules::ProvinceCode;
use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tonic::Status;
use tonic::transport::Channel;
use wire::federation::v1 as proto;
use wire::{Reason, forward_answers, home_receipts};

use super::SignedSealingKey;
use crate::Node;
use crate::doors::Desk;
use crate::peers::Peers;

/// How often a queue without news is looked at: rows lapse by the clock.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Forwards to all homes for as long as it is polled.
pub(crate) async fn forward_all(desk: Desk, peers: Arc<Peers>) {
    let mut tasks = JoinSet::new();
    let mut under_way: BTreeMap<ProvinceCode, Id> = BTreeMap::new();
    loop {
        for (home, news) in desk.node().forward.outbox.homes() {
            under_way.entry(home).or_insert_with(|| {
                let task = forward_to(desk.clone(), home, Arc::clone(&peers), news);
                tasks.spawn(task).id()
            });
        }
        tokio::select! {
            () = desk.node().forward.outbox.opened() => {}
            Some(Err(error)) = tasks.join_next() => {
                tracing::error!("forwarding to a province died; it begins anew");
                under_way.retain(|_, task| *task != error.id());
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }
}

async fn forward_to(desk: Desk, home: ProvinceCode, peers: Arc<Peers>, news: Arc<Notify>) {
    let settings = &desk.node().forward.settings;
    let first = Duration::from_millis(settings.retry_first_ms);
    let most = Duration::from_secs(settings.retry_most_s);
    let seed = u64::from_le_bytes(desk.node().entropy.bytes());
    let begin = || Backoff::new(first, most, seed);
    let mut backoff = begin();
    loop {
        match forward_once(&desk, home, peers.channel(home).as_ref()).await {
            Ok(true) => backoff = begin(),
            Ok(false) => {
                backoff = begin();
                let _ = tokio::time::timeout(LOOK_EVERY, news.notified()).await;
            }
            Err(status) => {
                let wait = backoff.next_wait();
                let reason = wire::reason_of(&status).map(Reason::code);
                let (province, code) = (home.get(), status.code());
                tracing::info!(
                    province,
                    ?reason,
                    ?code,
                    ?wait,
                    "a home did not take events"
                );
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// Hands one batch over and writes down the answers; false if nothing waits.
async fn forward_once(
    desk: &Desk,
    home: ProvinceCode,
    channel: Option<&Channel>,
) -> Result<bool, Status> {
    let batch = desk.ask(move |node| node.next_batch(home)).await?;
    if batch.rows.is_empty() {
        return Ok(batch.lapsed > 0);
    }
    // A province without an address here: its events wait for one, and lapse.
    let Some(channel) = channel else {
        return Ok(false);
    };
    let key = known_key(desk, home, channel).await?;
    let (batch, envelopes) = desk
        .ask(move |node| {
            let envelopes = node.sealed(&batch, &key.statement)?;
            Ok((batch, envelopes))
        })
        .await?;
    let sent = envelopes.len();
    let request = proto::ForwardEventsRequest { envelopes };
    let mut client = wire::client::forward(channel.clone());
    let answer = client.forward_events(request).await?;
    let answers = forward_answers(answer.get_ref(), sent)?;
    let answers = answers.into_iter().zip(home_receipts(answer.get_ref()));
    let answered: Vec<_> = batch.rows.into_iter().zip(answers).collect();
    let settled = desk.ask(move |node| node.settle(home, &answered)).await?;
    if settled.key_is_unknown {
        desk.node().forget_key(home);
    }
    match settled.done {
        0 if settled.clock_is_behind => Err(wire::status(Reason::ClockSkew)),
        0 => Err(wire::status(Reason::TrustRefused)),
        _ => Ok(true),
    }
}

/// The home's sealing key: the one learnt last while it is in use, or asked for anew.
async fn known_key(
    desk: &Desk,
    home: ProvinceCode,
    channel: &Channel,
) -> Result<SignedSealingKey, Status> {
    if let Some(key) = desk.node().learnt_key(home) {
        return Ok(key);
    }
    let mut client = wire::client::forward(channel.clone());
    let answer = client
        .get_sealing_key(proto::GetSealingKeyRequest {})
        .await?;
    let key = SignedSealingKey::from_bytes(&answer.get_ref().statement);
    let learnt = key.and_then(|key| desk.node().learn_key(home, key).map(|()| key));
    learnt.map_err(|error| {
        tracing::warn!(province = home.get(), %error, "a sealing key is not believed");
        wire::status(Reason::TrustRefused)
    })
}

impl Node {
    fn learnt_key(&self, home: ProvinceCode) -> Option<SignedSealingKey> {
        let learnt = self.forward.learnt.lock();
        let learnt = learnt.unwrap_or_else(PoisonError::into_inner);
        let key = learnt.get(&home)?;
        let is_in_use = self.clock.now() <= key.statement.not_after;
        is_in_use.then_some(*key)
    }

    fn learn_key(
        &self,
        home: ProvinceCode,
        key: SignedSealingKey,
    ) -> Result<(), super::SealingKeyError> {
        key.check(home, self.charter().document(), self.clock.now())?;
        let learnt = self.forward.learnt.lock();
        let mut learnt = learnt.unwrap_or_else(PoisonError::into_inner);
        learnt.insert(home, key);
        Ok(())
    }

    fn forget_key(&self, home: ProvinceCode) {
        let learnt = self.forward.learnt.lock();
        let mut learnt = learnt.unwrap_or_else(PoisonError::into_inner);
        learnt.remove(&home);
    }
}
