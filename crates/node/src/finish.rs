//! Finishing what others began: a proposer may die between collecting signatures and publishing. Each of its signers has
//! signed at most once, and signs nothing else in its place; so the next proposer asks what was signed already, and goes on
//! with that where something new would find no quorum any more. What one province alone has signed while enough others have
//! signed nothing is let be: nobody can have its own proposal carried by the others.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use commitment::{Epoch, Slot};
use federation::pass_on;
use ledger::{Cosignature, CosignedStatement};
use rules::ProvinceCode;
use tokio::time::timeout;
use tonic::Status;
use verifier::trust::{OnlineDocument, ProvinceSignature, Sequence, SignedOnline};
use wire::federation::v1 as proto;
use wire::{Proposal, PublishedRegistry, Reason, SignedNumber, SignedProposal};

use crate::assemble::{gather_cosignatures, online_signatures};
use crate::doors::Desk;
use crate::online::SEQUENCE_LEAP;
use crate::peers::Peers;

/// Different statements, or documents, that are gone on with: honest signers have one, and those of two proposers at one
/// moment two.
const BEGUN_MAX: usize = 3;
/// Time for going on with one of them: whoever signed it has to give what it names, and may not hold up an epoch.
const GO_ON_WITHIN: Duration = Duration::from_secs(20);

/// What was begun, by what it says: with who has signed it, the most signed first. All proposers go on in the same order.
fn in_order<K: Ord, T>(begun: BTreeMap<K, (T, BTreeSet<Slot>)>) -> Vec<T> {
    let mut begun: Vec<(K, (T, BTreeSet<Slot>))> = begun.into_iter().collect();
    begun.sort_by(|(a, (_, of_a)), (b, (_, of_b))| of_b.len().cmp(&of_a.len()).then(a.cmp(b)));
    begun.truncate(BEGUN_MAX);
    begun.into_iter().map(|(_, (what, _))| what).collect()
}

/// Whether something new can still find its quorum: this node and enough of those that answered have signed nothing.
fn is_open(free: usize, has_signed: bool, quorum: usize) -> bool {
    !has_signed && free + 1 >= quorum
}

/// Goes on for so long and no longer.
async fn in_time<T>(work: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let done = timeout(GO_ON_WITHIN, work).await;
    done.unwrap_or_else(|_| Err(Status::deadline_exceeded("what was begun is not to be had")))
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
    let answers = peers.ask_each("what was signed of a registry", ask).await;
    let free = answers.values().filter(|answer| answer.is_none()).count();
    let own = desk.ask(move |node| node.signed_registry(epoch)).await.ok();
    if is_open(free, own.is_some(), desk.node().quorum()) {
        return None;
    }
    let mut begun: BTreeMap<[u8; 32], (Begun, BTreeSet<Slot>)> = BTreeMap::new();
    for SignedProposal {
        proposal,
        cosignature,
    } in answers.into_values().flatten().chain(own)
    {
        // Heads that are not the statement's would stand in the way of whoever has the right ones.
        if proposal.statement.epoch() == epoch
            && desk.node().is_valid_proposal(&proposal)
            && desk
                .node()
                .is_valid_cosignature(&cosignature, &proposal.statement)
        {
            let of = begun.entry(proposal.statement.hash().0);
            let (begun, signers) = of.or_insert_with(|| (Begun::of(proposal), BTreeSet::new()));
            if signers.insert(cosignature.slot) {
                begun.cosignatures.push(cosignature);
            }
        }
    }
    for begun in in_order(begun) {
        match in_time(begun.go_on(desk, peers)).await {
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
    by: Vec<ProvinceCode>,
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
        let free = answers.values().filter(|answer| answer.is_none()).count();
        let mut signed: Vec<(Option<ProvinceCode>, SignedNumber)> = answers
            .into_iter()
            .filter_map(|(province, signed)| Some((Some(province), signed?)))
            .collect();
        let own = desk.ask(move |node| node.signed_online(listed)).await.ok();
        let is_open = is_open(free, own.is_some(), desk.node().quorum());
        signed.extend(own.map(|own| (None, own)));
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
                let (signatures, by) = (Vec::new(), Vec::new());
                let begun = BegunList {
                    document,
                    signatures,
                    by,
                };
                (begun, BTreeSet::new())
            };
            let (begun, signers) = begun.entry(says).or_insert_with(new);
            if signers.insert(signature.slot) {
                begun.signatures.push(signature);
            }
            begun.by.extend(by);
        }
        if is_open {
            begun.clear();
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
            match in_time(begun.go_on(desk, peers)).await {
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
        for by in &self.by {
            peers.registries_from(*by, desk, &self.document).await;
            if let Some(entry) = desk.node().unseen_batch(&self.document)
                && let Ok(batch) = peers.batch_from(*by, &entry).await
            {
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
        let by = |slots: &[u8]| slots.iter().map(|slot| Slot::new(*slot).unwrap()).collect();
        let begun = BTreeMap::from([
            (3, ("c", by(&[0]))),
            (1, ("a", by(&[1]))),
            (2, ("b", by(&[2, 3]))),
            (4, ("d", by(&[4]))),
        ]);
        assert_eq!(in_order(begun), ["b", "a", "c"]);
    }

    #[test]
    fn what_was_begun_is_gone_on_with_only_where_something_new_finds_no_quorum() {
        // Of five, four are needed.
        assert!(is_open(3, false, 4));
        assert!(!is_open(2, false, 4));
        assert!(!is_open(4, true, 4), "this node has signed");
    }
}
