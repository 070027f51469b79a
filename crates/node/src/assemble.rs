//! Assembling an epoch's registry: heads from all, signatures from a quorum, then the online document.

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
use ledger::{Cosignature, CosignedStatement, RegistryStatement, SignedTreeHead};
use rules::ProvinceCode;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tonic::Status;
use tonic::transport::Channel;
use tracing::Instrument as _;
use verifier::trust::{
    BatchEntry, Bundle, OnlineDocument, ProvinceSignature, RevocationBatch, Sequence, SignedOnline,
};
use wire::federation::v1 as proto;
use wire::trust::v1::{GetRevocationBatchRequest, GetTrustListRequest};
use wire::{Contributed, Proposal, PublishedRegistry, Reason};

use crate::NodeError;
use crate::config::Peer;
use crate::doors::Desk;
use crate::finish::{BegunLists, finish_registry, number_after};

/// Numbers tried for an online document, where another node was quicker.
const SEQUENCE_ATTEMPTS: u64 = 4;
/// Registries fetched from one peer when catching up: a day of one every twenty minutes.
const CATCH_UP_LIMIT: u32 = 72;

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

/// What assembling came to.
pub(crate) struct Assembled {
    pub(crate) provinces: u32,
    pub(crate) cosignatures: u32,
}

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
    async fn ask_all<T, F, A>(&self, what: &'static str, ask: F) -> Vec<T>
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

/// Puts together the next batch of revocations, if one is due.
async fn next_batch(desk: &Desk, peers: &Peers) -> Result<Option<BatchEntry>, Status> {
    if !desk.node().is_batch_due() {
        return Ok(None);
    }
    // What others may have signed for already comes first.
    let under_way = desk.ask(|node| Ok(node.batch_under_way()?)).await?;
    if under_way.is_some() {
        return Ok(under_way.filter(|entry| desk.node().is_at_hand(entry)));
    }
    let ask = |channel| {
        let request = pass_on(proto::ContributeRequest {});
        async move {
            let mut client = wire::client::federation(channel);
            let answer = client.contribute(request).await?;
            Ok(Contributed::try_from(answer.get_ref())?.0)
        }
    };
    let mut parts = peers
        .ask_all("contribute to a batch of revocations", ask)
        .await;
    let entry = desk.ask(move |node| {
        parts.push(node.contribute()?);
        node.merge(&parts)
    });
    Ok(Some(entry.await?))
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

/// Assembles the registry of a closed epoch, unless there is one already, and has the online document signed anew.
pub(crate) async fn assemble(
    desk: &Desk,
    peers: &Peers,
    epoch: Epoch,
) -> Result<Assembled, Status> {
    let known = desk.ask(move |node| match node.registry(epoch) {
        Ok(registry) => Ok(Some(registry)),
        Err(NodeError::Refused(Reason::UnknownEpoch)) => Ok(None),
        Err(error) => Err(error),
    });
    let registry = match known.await? {
        Some(registry) => registry,
        None => gather(desk, peers, epoch).await?,
    };
    let message = proto::CosignedRegistry::from(&registry);
    let hand_over = |channel| {
        let registry = Some(message.clone());
        let request = pass_on(proto::PublishRegistryRequest { registry });
        async move {
            let mut client = wire::client::federation(channel);
            client.publish_registry(request).await
        }
    };
    peers.ask_all("publish a registry", hand_over).await;
    publish_online(desk, peers).await?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(Assembled {
        provinces: count(registry.heads.len()),
        cosignatures: count(registry.cosigned.cosignatures().len()),
    })
}

/// Gathers heads and cosignatures, and takes up the registry. What was signed for the epoch already comes first: whoever has
/// signed signs no other.
async fn gather(desk: &Desk, peers: &Peers, epoch: Epoch) -> Result<PublishedRegistry, Status> {
    if let Some(finished) = finish_registry(desk, peers, epoch).await {
        return Ok(finished);
    }
    let heads = gather_heads(desk, peers, epoch).await?;
    let proposed = heads.clone();
    let (statement, own) = desk
        .ask(move |node| {
            let statement = node.propose(epoch, &proposed)?;
            let own = node.cosign(&statement, &proposed)?;
            Ok((statement, own))
        })
        .await?;
    let mut cosignatures = gather_cosignatures(peers, &statement, &heads).await;
    cosignatures.retain(|c| desk.node().is_valid_cosignature(c, &statement));
    cosignatures.push(own);
    let registry = PublishedRegistry {
        cosigned: CosignedStatement::new(statement, cosignatures),
        heads,
    };
    let taken = registry.clone();
    desk.ask(move |node| node.take_registry(&taken)).await?;
    Ok(registry)
}

/// The heads of an epoch; for provinces that are away, the last ones known.
async fn gather_heads(
    desk: &Desk,
    peers: &Peers,
    epoch: Epoch,
) -> Result<Vec<SignedTreeHead>, Status> {
    let number = epoch.get();
    let fetch = |channel| {
        let request = pass_on(proto::GetTreeHeadRequest { epoch: number });
        async move {
            let mut client = wire::client::federation(channel);
            let answer = client.get_tree_head(request).await?;
            Ok(SignedTreeHead::try_from(answer.get_ref())?)
        }
    };
    let offered: Vec<SignedTreeHead> = peers.ask_all("give a tree head", fetch).await;
    desk.ask(move |node| node.heads_to_propose(epoch, offered))
        .await
}

/// Who signs a statement; the signatures are not checked.
pub(crate) async fn gather_cosignatures(
    peers: &Peers,
    statement: &RegistryStatement,
    heads: &[SignedTreeHead],
) -> Vec<Cosignature> {
    let request = proto::CosignRegistryRequest::from(&Proposal {
        statement: statement.clone(),
        heads: heads.to_vec(),
    });
    let ask = |channel| {
        let request = pass_on(request.clone());
        async move {
            let mut client = wire::client::federation(channel);
            let answer = client.cosign_registry(request).await?;
            Ok(Cosignature::try_from(answer.get_ref())?)
        }
    };
    peers.ask_all("cosign a registry", ask).await
}

/// Has the next online document signed by a quorum, takes it up and hands it over. One that others have signed already comes
/// first.
async fn publish_online(desk: &Desk, peers: &Peers) -> Result<(), Status> {
    let begun = BegunLists::ask(desk, peers).await;
    let first = desk.ask(|node| node.next_sequence()).await?;
    let first = number_after(first, &begun);
    if let Some(online) = begun.finish(desk, peers).await {
        hand_over(desk, peers, online).await?;
        if desk.node().is_list_up_to_date() {
            return Ok(());
        }
    }
    let batch = next_batch(desk, peers).await?;
    let mut refusal = wire::status(Reason::NoQuorum);
    for number in first..first + SEQUENCE_ATTEMPTS {
        match sign_online(desk, peers, Sequence::new(number), batch).await {
            Ok(online) => return hand_over(desk, peers, online).await,
            Err(status) => refusal = status,
        }
    }
    // Others may have a list that this node has missed.
    for (province, _) in peers.channels() {
        if let Err(status) = peers.list_from(province, desk).await {
            let (province, code) = (province.get(), status.code());
            tracing::info!(province, ?code, "a list is not to be had");
        }
    }
    Err(refusal)
}

/// Publishes an online document that has its quorum. It is with others before it is in use here: one that nobody else has
/// would be in nobody's way.
async fn hand_over(desk: &Desk, peers: &Peers, online: SignedOnline) -> Result<(), Status> {
    let bytes = online
        .to_bytes()
        .map_err(|_| NodeError::Fault("an online document cannot be written"))?;
    let hand_over = |channel| {
        let online = bytes.clone();
        let request = pass_on(proto::PublishOnlineRequest { online });
        async move {
            let mut client = wire::client::federation(channel);
            client.publish_online(request).await
        }
    };
    peers.ask_all("publish an online document", hand_over).await;
    desk.ask(move |node| node.take_online(&online, &[])).await
}

async fn sign_online(
    desk: &Desk,
    peers: &Peers,
    sequence: Sequence,
    batch: Option<BatchEntry>,
) -> Result<SignedOnline, Status> {
    let (document, own): (OnlineDocument, ProvinceSignature) = desk
        .ask(move |node| {
            let document = node.next_online(sequence, batch);
            let own = node.cosign_online(&document)?;
            Ok((document, own))
        })
        .await?;
    let mut signatures = online_signatures(desk, peers, &document).await?;
    signatures.push(own);
    let online = SignedOnline::new(document, signatures);
    let considered = online.clone();
    desk.ask(move |node| node.consider_online(&considered).map(drop))
        .await
        .map_err(|status| match wire::reason_of(&status) {
            Some(Reason::TrustRefused) => wire::status(Reason::NoQuorum),
            _ => status,
        })?;
    Ok(online)
}

/// The others' signatures under a document, as far as they give any.
pub(crate) async fn online_signatures(
    desk: &Desk,
    peers: &Peers,
    document: &OnlineDocument,
) -> Result<Vec<ProvinceSignature>, Status> {
    let bytes = document
        .to_bytes()
        .map_err(|_| NodeError::Fault("an online document cannot be written"))?;
    let ask = |channel| {
        let document = bytes.clone();
        let request = pass_on(proto::CosignOnlineRequest { document });
        async move {
            let mut client = wire::client::federation(channel);
            let answer = client.cosign_online(request).await?;
            Ok(ProvinceSignature::try_from(answer.get_ref())?)
        }
    };
    let mut signatures = peers.ask_all("sign an online document", ask).await;
    signatures.retain(|s| desk.node().is_valid_online_signature(s, document));
    Ok(signatures)
}

/// Fetches the registries that were assembled while this node was away, newest first, from whoever answers.
pub(crate) async fn catch_up(desk: &Desk, peers: &Peers) {
    for (_, channel) in peers.channels() {
        if let Err(status) = catch_up_from(desk, channel).await {
            let reason = wire::reason_of(&status).map(Reason::code);
            tracing::info!(?reason, code = ?status.code(), "a peer had no registries to give");
        }
    }
}

async fn catch_up_from(desk: &Desk, channel: Channel) -> Result<(), Status> {
    let mut client = wire::client::federation(channel);
    let mut epoch = 0; // the newest
    let mut missing = Vec::new();
    for _ in 0..CATCH_UP_LIMIT {
        let answer = client
            .get_registry(proto::GetRegistryRequest { epoch })
            .await;
        let registry = match answer {
            Ok(answer) => PublishedRegistry::try_from(answer.get_ref().registry.as_ref())?,
            Err(status) if epoch == 0 => return Err(status),
            // The epoch was skipped; there may be one before it.
            Err(_) => {
                epoch -= 1;
                if epoch == 0 {
                    break;
                }
                continue;
            }
        };
        let number = registry.cosigned.statement().epoch();
        if desk.node().knows_registry(number) {
            break;
        }
        missing.push(registry);
        epoch = number.get().saturating_sub(1);
        if epoch == 0 {
            break;
        }
    }
    // One that cannot be judged here, of before this node was a member perhaps, does not keep the later ones away.
    let mut refusal = Ok(());
    for registry in missing.into_iter().rev() {
        let taken = desk.ask(move |node| node.take_registry(&registry)).await;
        refusal = refusal.and(taken);
    }
    refusal
}

#[cfg(test)]
#[path = "assemble_tests.rs"]
mod tests;
