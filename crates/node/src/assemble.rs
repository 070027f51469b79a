//! Assembling an epoch's registry: heads from all, signatures from a quorum, then the online document.

use commitment::Epoch;
use federation::pass_on;
use ledger::{Cosignature, CosignedStatement, RegistryStatement, SignedTreeHead};
use tonic::Status;
use tonic::transport::Channel;
use verifier::trust::{BatchEntry, OnlineDocument, ProvinceSignature, Sequence, SignedOnline};
use wire::federation::v1 as proto;
use wire::{Contributed, Proposal, PublishedRegistry, Reason};

use crate::NodeError;
use crate::doors::Desk;
use crate::finish::{BegunLists, finish_registry, number_after};
use crate::peers::{CATCH_UP_LIMIT, Peers};

/// Numbers tried for an online document, where another node was quicker.
const SEQUENCE_ATTEMPTS: u64 = 4;

/// What assembling came to.
pub(crate) struct Assembled {
    pub(crate) provinces: u32,
    pub(crate) cosignatures: u32,
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
