//! Finishing what others began: a proposer may die between collecting signatures and publishing. Each of its signers has
//! signed at most once, and signs nothing else in its place; so the next proposer asks what was signed already, and goes on
//! with that.

use std::collections::BTreeMap;

use commitment::Epoch;
use federation::pass_on;
use ledger::{Cosignature, CosignedStatement};
use rules::ProvinceCode;
use tonic::Status;
use verifier::trust::{OnlineDocument, ProvinceSignature, Sequence, SignedOnline};
use wire::federation::v1 as proto;
use wire::{Proposal, PublishedRegistry, Reason, SignedNumber, SignedProposal};

use crate::assemble::{Peers, gather_cosignatures, online_signatures};
use crate::doors::Desk;
use crate::online::SEQUENCE_LEAP;

/// Different statements, or documents, that are gone on with: honest signers have one, and those of two proposers at one
/// moment two.
const BEGUN_MAX: usize = 3;

/// What was begun, by what it says: with who has signed it, the most signed first. All proposers go on in the same order.
fn in_order<K: Ord, T>(begun: BTreeMap<K, (T, usize)>) -> Vec<T> {
    let mut begun: Vec<(K, (T, usize))> = begun.into_iter().collect();
    begun.sort_by(|(a, (_, of_a)), (b, (_, of_b))| of_b.cmp(of_a).then(a.cmp(b)));
    begun.truncate(BEGUN_MAX);
    begun.into_iter().map(|(_, (what, _))| what).collect()
}

/// A registry of an epoch that others, or this node, have signed before, if it finds its quorum now. What this node would not
/// sign it does not go on with, unless it has signed another one: then the others' signatures can still be enough.
pub(crate) async fn finish_registry(
    desk: &Desk,
    peers: &Peers,
    epoch: Epoch,
) -> Option<PublishedRegistry> {
    let number = epoch.get();
    let ask = |channel| {
        let request = pass_on(proto::GetSignedRegistryRequest { epoch: number });
        async move {
            let mut client = wire::client::federation(channel);
            let answer = client.get_signed_registry(request).await?;
            Ok(SignedProposal::try_from(answer.get_ref())?)
        }
    };
    let mut signed: Vec<SignedProposal> = peers
        .ask_each("what was signed of a registry", ask)
        .await
        .into_values()
        .collect();
    let own = desk.ask(move |node| node.signed_registry(epoch)).await;
    signed.extend(own.ok());
    let mut begun: BTreeMap<[u8; 32], (Begun, usize)> = BTreeMap::new();
    for SignedProposal {
        proposal,
        cosignature,
    } in signed
    {
        let is_of_epoch = proposal.statement.epoch() == epoch;
        if is_of_epoch
            && desk
                .node()
                .is_valid_cosignature(&cosignature, &proposal.statement)
        {
            let of = begun.entry(proposal.statement.hash().0);
            let (begun, count) = of.or_insert_with(|| (Begun::of(proposal), 0));
            begun.cosignatures.push(cosignature);
            *count += 1;
        }
    }
    for begun in in_order(begun) {
        match begun.go_on(desk, peers).await {
            Ok(registry) => {
                tracing::info!(
                    epoch = number,
                    "a registry that was begun before is finished"
                );
                return Some(registry);
            }
            Err(status) => {
                let reason = wire::reason_of(&status).map(Reason::code);
                tracing::info!(
                    epoch = number,
                    ?reason,
                    "a registry that was begun is not finished"
                );
            }
        }
    }
    None
}

/// A registry that was begun.
struct Begun {
    proposal: Proposal,
    cosignatures: Vec<Cosignature>,
}

impl Begun {
    const fn of(proposal: Proposal) -> Self {
        Self {
            proposal,
            cosignatures: Vec::new(),
        }
    }

    async fn go_on(self, desk: &Desk, peers: &Peers) -> Result<PublishedRegistry, Status> {
        let Proposal { statement, heads } = self.proposal;
        let mut cosignatures = self.cosignatures;
        let (proposed, on) = (statement.clone(), heads.clone());
        match desk.ask(move |node| node.cosign(&proposed, &on)).await {
            Ok(own) => cosignatures.push(own),
            Err(status) if wire::reason_of(&status) == Some(Reason::AlreadySigned) => {}
            Err(status) => return Err(status),
        }
        let more = gather_cosignatures(peers, &statement, &heads).await;
        let more = more.into_iter();
        cosignatures.extend(more.filter(|c| desk.node().is_valid_cosignature(c, &statement)));
        let registry = PublishedRegistry {
            cosigned: CosignedStatement::new(statement, cosignatures),
            heads,
        };
        let taken = registry.clone();
        desk.ask(move |node| node.take_registry(&taken)).await?;
        Ok(registry)
    }
}

/// What others have signed of online documents.
pub(crate) struct BegunLists {
    /// The highest number that anybody has signed under the root document in use.
    pub(crate) highest: u64,
    begun: Vec<BegunList>,
}

struct BegunList {
    document: OnlineDocument,
    signatures: Vec<ProvinceSignature>,
    /// Who has signed it, and so has what it names.
    by: Option<ProvinceCode>,
}

impl BegunLists {
    /// Asks all others, and this node.
    pub(crate) async fn ask(desk: &Desk, peers: &Peers) -> Self {
        let listed = desk.node().trust_list();
        let listed = listed.map_or(0, |list| list.online().sequence.get());
        let ask = |channel| {
            let request = pass_on(proto::GetSignedOnlineRequest { after: listed });
            async move {
                let mut client = wire::client::federation(channel);
                let answer = client.get_signed_online(request).await?;
                Ok(SignedNumber::try_from(answer.get_ref())?)
            }
        };
        let answers = peers.ask_each("what was signed of a list", ask).await;
        let mut signed: Vec<(Option<ProvinceCode>, SignedNumber)> = answers
            .into_iter()
            .map(|(province, signed)| (Some(province), signed))
            .collect();
        if let Ok(own) = desk.ask(move |node| node.signed_online(listed)).await {
            signed.push((None, own));
        }
        let (mut highest, mut begun) = (listed, BTreeMap::new());
        for (by, number) in signed {
            let Some((document, signature)) = number.signed else {
                // A number alone is a claim that nobody can check.
                continue;
            };
            if !desk.node().is_valid_online_signature(&signature, &document) {
                continue;
            }
            let of = document.sequence.get();
            let Ok(says) = document.signing_bytes() else {
                continue;
            };
            // Nobody signs for more; one province alone does not use up all numbers.
            if of <= listed || of > listed.saturating_add(SEQUENCE_LEAP) {
                continue;
            }
            // Who signs under another root document signs no list of this node's, whatever its number.
            if document.root_sequence.get() == desk.node().root_sequence() {
                highest = of.max(highest);
            }
            let new = || {
                let signatures = Vec::new();
                (
                    BegunList {
                        document,
                        signatures,
                        by,
                    },
                    0,
                )
            };
            let (begun, count) = begun.entry(says).or_insert_with(new);
            begun.signatures.push(signature);
            begun.by = begun.by.or(by);
            *count += 1;
        }
        Self {
            highest,
            begun: in_order(begun),
        }
    }

    /// The first of them that finds its quorum now.
    pub(crate) async fn finish(self, desk: &Desk, peers: &Peers) -> Option<SignedOnline> {
        for begun in self.begun {
            let sequence = begun.document.sequence.get();
            match begun.go_on(desk, peers).await {
                Ok(online) => {
                    tracing::info!(sequence, "a list that was begun before is finished");
                    return Some(online);
                }
                Err(status) => {
                    let reason = wire::reason_of(&status).map(Reason::code);
                    tracing::info!(sequence, ?reason, "a list that was begun is not finished");
                }
            }
        }
        None
    }
}

impl BegunList {
    async fn go_on(mut self, desk: &Desk, peers: &Peers) -> Result<SignedOnline, Status> {
        if let Some(by) = self.by {
            peers.registries_from(by, desk, &self.document).await;
            if let Some(entry) = desk.node().unseen_batch(&self.document) {
                let batch = peers.batch_from(by, &entry).await?;
                desk.node().offer(&batch);
            }
        }
        let proposed = self.document.clone();
        // What this node does not sign, for it is too old by now or it has signed another, may have its quorum already.
        let own = desk.ask(move |node| node.cosign_online(&proposed)).await;
        self.signatures.extend(own.ok());
        let more = online_signatures(desk, peers, &self.document).await?;
        self.signatures.extend(more);
        let online = SignedOnline::new(self.document, self.signatures);
        let considered = online.clone();
        desk.ask(move |node| node.consider_online(&considered).map(drop))
            .await?;
        Ok(online)
    }
}

/// Whether a number comes next after what is known of numbers.
pub(crate) fn number_after(first: Sequence, begun: &BegunLists) -> u64 {
    first.get().max(begun.highest.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_most_have_signed_comes_first_and_all_go_on_in_the_same_order() {
        let begun = BTreeMap::from([(3, ("c", 1)), (1, ("a", 1)), (2, ("b", 2)), (4, ("d", 1))]);
        assert_eq!(in_order(begun), ["b", "a", "c"]);
    }
}
