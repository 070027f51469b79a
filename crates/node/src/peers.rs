//! The other nodes: channels to them, and what is asked of all or fetched from one.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use commitment::Epoch;
use commitment::quorum::quorum;
use federation::{
    Credentials, Dial, FederationError, FederationId, PeerId, RequestId, Tcp, Timeouts,
    connect_through, pass_on,
};
use rules::ProvinceCode;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic::transport::Channel;
use tracing::Instrument as _;
use verifier::trust::{BatchEntry, Bundle, OnlineDocument, RevocationBatch, SignedOnline};
use wire::federation::v1 as proto;
use wire::trust::v1::{GetRevocationBatchRequest, GetTrustListRequest};
use wire::{PublishedRegistry, Reason};

use crate::config::Peer;
use crate::doors::Desk;

/// Registries fetched from one peer when catching up: a day of one every twenty minutes.
pub(crate) const CATCH_UP_LIMIT: u32 = 72;

/// Once so many have answered that they make a quorum with this node, the others have this long more: one that is cut off keeps
/// nobody waiting for as long as a call may take, at every step of a registry.
const STRAGGLERS_WITHIN: Duration = Duration::from_secs(3);

/// Channels to the other nodes. They can be others while the node runs: a province joins, or moves.
pub struct Peers {
    dial: Arc<dyn Dial>,
    federation: FederationId,
    credentials: Arc<dyn Credentials>,
    channels: RwLock<Channels>,
}

/// By province, the address and the channel to it.
pub(crate) type Channels = BTreeMap<ProvinceCode, (String, Channel)>;

impl Peers {
    /// Channels that connect with their first call.
    ///
    /// # Errors
    /// [`FederationError::Address`].
    pub fn new(
        federation: &FederationId,
        peers: &[Peer],
        credentials: &Arc<dyn Credentials>,
    ) -> Result<Self, FederationError> {
        Self::through(Arc::new(Tcp), federation, peers, credentials)
    }

    /// As [`Peers::new`], over connections that `dial` makes.
    ///
    /// # Errors
    /// As [`Peers::new`].
    pub fn through(
        dial: Arc<dyn Dial>,
        federation: &FederationId,
        peers: &[Peer],
        credentials: &Arc<dyn Credentials>,
    ) -> Result<Self, FederationError> {
        let made = Self {
            dial,
            federation: federation.clone(),
            credentials: Arc::clone(credentials),
            channels: RwLock::default(),
        };
        let channels = made.prepare(peers)?;
        made.take(channels);
        Ok(made)
    }

    /// Channels to these; those whose address is as before are kept.
    ///
    /// # Errors
    /// [`FederationError::Address`].
    pub(crate) fn prepare(&self, peers: &[Peer]) -> Result<Channels, FederationError> {
        let before = self.by_province();
        let channels = peers.iter().map(|peer| {
            let known = before.get(&peer.province);
            if let Some(known) = known.filter(|(address, _)| *address == peer.address) {
                return Ok((peer.province, known.clone()));
            }
            let expected = PeerId::node(&self.federation, peer.province);
            let channel = connect_through(
                Arc::clone(&self.dial),
                &peer.address,
                expected,
                Arc::clone(&self.credentials),
                Timeouts::default(),
            )?;
            Ok((peer.province, (peer.address.clone(), channel)))
        });
        channels.collect()
    }

    /// Takes these for the peers from now on; calls under way end as they began. True if any is new or has moved.
    pub(crate) fn take(&self, channels: Channels) -> bool {
        let mut current = self
            .channels
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let are_new = channels.iter().any(|(province, (address, _))| {
            let known = current.get(province);
            known.is_none_or(|(known, _)| known != address)
        });
        *current = channels;
        are_new
    }

    fn by_province(&self) -> Channels {
        let channels = self.channels.read();
        channels.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The channel to a province's node, where its address is known.
    pub(crate) fn channel(&self, province: ProvinceCode) -> Option<Channel> {
        let channels = self.channels.read();
        let channels = channels.unwrap_or_else(PoisonError::into_inner);
        channels.get(&province).map(|(_, channel)| channel.clone())
    }

    /// All channels, by province.
    pub(crate) fn channels(&self) -> Vec<(ProvinceCode, Channel)> {
        let channels = self.by_province().into_iter();
        channels
            .map(|(province, (_, channel))| (province, channel))
            .collect()
    }

    /// Asks all peers at once what they may well not have; nothing for those that say so. Who refuses or is late is left out, as
    /// in [`Peers::ask_all`].
    pub(crate) async fn ask_each<T, F, A>(
        &self,
        what: &'static str,
        ask: F,
    ) -> BTreeMap<ProvinceCode, Option<T>>
    where
        T: Send + 'static,
        F: Fn(Channel) -> A,
        A: Future<Output = Result<T, Status>> + Send + 'static,
    {
        let asked = |channel| {
            let answer = ask(channel);
            async move {
                match answer.await {
                    Ok(answer) => Ok(Some(answer)),
                    Err(status) if wire::reason_of(&status) == Some(Reason::NotFound) => Ok(None),
                    Err(status) => Err(status),
                }
            }
        };
        let answers = self.gather(what, asked).await.into_iter();
        answers
            .filter_map(|(province, answer)| Some((province, answer.ok()?)))
            .collect()
    }

    /// Asks all peers at once; those that refuse or do not answer are named in the log and left out. So are those that are late
    /// when a quorum has answered; their calls go on.
    pub(crate) async fn ask_all<T, F, A>(&self, what: &'static str, ask: F) -> Vec<T>
    where
        T: Send + 'static,
        F: Fn(Channel) -> A,
        A: Future<Output = Result<T, Status>> + Send + 'static,
    {
        let mut answers = Vec::new();
        for (province, answer) in self.gather(what, ask).await {
            match answer {
                Ok(answer) => answers.push(answer),
                Err(status) => {
                    let reason = wire::reason_of(&status).map(Reason::code);
                    let (province, code) = (province.get(), status.code());
                    tracing::warn!(
                        province,
                        ?reason,
                        ?code,
                        "a province did not answer: {what}"
                    );
                }
            }
        }
        answers
    }

    /// What each peer answered or refused, until all have or enough have and time is up.
    async fn gather<T, F, A>(
        &self,
        what: &'static str,
        ask: F,
    ) -> Vec<(ProvinceCode, Result<T, Status>)>
    where
        T: Send + 'static,
        F: Fn(Channel) -> A,
        A: Future<Output = Result<T, Status>> + Send + 'static,
    {
        let mut calls = JoinSet::new();
        for (province, channel) in self.channels() {
            let call = ask(channel);
            calls.spawn(for_the_same_call(async move { (province, call.await) }));
        }
        let enough = quorum(calls.len() + 1) - 1;
        let (mut answers, mut good) = (Vec::new(), 0);
        let mut until: Option<Instant> = None;
        loop {
            if until.is_none() && good >= enough {
                until = Some(Instant::now() + STRAGGLERS_WITHIN);
            }
            let call = match until {
                Some(until) => timeout_at(until, calls.join_next()).await,
                None => Ok(calls.join_next().await),
            };
            match call {
                Ok(Some(Ok(answer))) => {
                    good += usize::from(answer.1.is_ok());
                    answers.push(answer);
                }
                Ok(Some(Err(_))) => tracing::error!("a call to a province died: {what}"),
                Ok(None) => break,
                Err(_) => {
                    let late = calls.len();
                    tracing::warn!(late, "provinces are not waited for any longer: {what}");
                    calls.detach_all();
                    break;
                }
            }
        }
        answers
    }
}

impl Peers {
    /// Fetches a batch of revocations from a province; it is what its digest says.
    pub(crate) async fn batch_from(
        &self,
        province: ProvinceCode,
        entry: &BatchEntry,
    ) -> Result<RevocationBatch, Status> {
        let refused = || wire::status(Reason::TrustRefused);
        let channel = self.channel(province).ok_or_else(refused)?;
        let request = pass_on(GetRevocationBatchRequest {
            digest: entry.digest.0.to_vec(),
        });
        let mut client = wire::client::trust(channel);
        let answer = client.get_revocation_batch(request).await?;
        let batch = RevocationBatch::from_bytes(&answer.get_ref().batch).map_err(|_| refused())?;
        if batch.entry() == *entry {
            Ok(batch)
        } else {
            Err(refused())
        }
    }
}

impl Peers {
    /// Fetches the registries that a proposed document names and this node has missed from whoever proposes it: with a gap it
    /// would sign no list any more. Each is checked like any other; what is not to be had is refused with the document.
    pub(crate) async fn registries_from(
        &self,
        province: ProvinceCode,
        desk: &Desk,
        document: &OnlineDocument,
    ) {
        let named = document.registries.iter().map(|entry| entry.epoch);
        let missing = named.filter(|epoch| !desk.node().knows_registry(*epoch));
        let Some(channel) = self.channel(province) else {
            return;
        };
        for epoch in missing.take(CATCH_UP_LIMIT as usize) {
            if let Err(status) = registry_from(desk, channel.clone(), epoch).await {
                let reason = wire::reason_of(&status).map(Reason::code);
                let (province, epoch) = (province.get(), epoch.get());
                tracing::info!(
                    province,
                    epoch,
                    ?reason,
                    "a missed registry is not to be had"
                );
                return;
            }
        }
    }
}

impl Peers {
    /// Takes up an online document that a province has published, with those of its batches that this node does not have, which
    /// that province gives.
    pub(crate) async fn take_from(
        &self,
        province: ProvinceCode,
        desk: &Desk,
        online: SignedOnline,
    ) -> Result<(), Status> {
        let asked = online.clone();
        let missing = desk.ask(move |node| node.missing_batches(&asked)).await?;
        let mut batches = Vec::with_capacity(missing.len());
        for entry in &missing {
            batches.push(self.batch_from(province, entry).await?);
        }
        desk.ask(move |node| node.take_online(&online, &batches))
            .await
    }

    /// Takes up the list that a province has, if it is newer. Whoever missed one with a batch of revocations would sign no list
    /// that names it, and the others none that does not: with too many on either side there would be none any more.
    pub(crate) async fn list_from(
        &self,
        province: ProvinceCode,
        desk: &Desk,
    ) -> Result<(), Status> {
        let refused = || wire::status(Reason::TrustRefused);
        let channel = self.channel(province).ok_or_else(refused)?;
        let request = pass_on(GetTrustListRequest::default());
        let answer = wire::client::trust(channel).get_trust_list(request).await?;
        let bundle = Bundle::from_bytes(&answer.get_ref().bundle).map_err(|_| refused())?;
        self.take_from(province, desk, bundle.online).await
    }
}

async fn registry_from(desk: &Desk, channel: Channel, epoch: Epoch) -> Result<(), Status> {
    let request = pass_on(proto::GetRegistryRequest { epoch: epoch.get() });
    let answer = wire::client::federation(channel)
        .get_registry(request)
        .await?;
    let registry = PublishedRegistry::try_from(answer.get_ref().registry.as_ref())?;
    desk.ask(move |node| node.take_registry(&registry)).await
}

/// Has work on another task be part of the present call: in its logs, and in what is sent on.
fn for_the_same_call<F>(work: F) -> impl Future<Output = F::Output> + Send
where
    F: Future<Output: Send> + Send,
{
    let id = RequestId::current();
    let work = work.in_current_span();
    async move {
        match id {
            Some(id) => id.scope(work).await,
            None => work.await,
        }
    }
}

#[cfg(test)]
#[path = "peers_tests.rs"]
mod tests;
