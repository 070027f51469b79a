//! What a node that was put back may have signed, and is not told by its log: registries' statements, of each epoch one,
//! and online documents, of each number one. It asks what the others have, and signs nothing that is not above.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ed25519_dalek::Signature;
use ledger::Roster;
use rules::{Minute, ProvinceCode};
use tonic::Status;
use tonic::transport::Channel;
use verifier::trust::{Bundle, OnlineDocument, ProvinceSignature};
use wire::federation::v1 as proto;
use wire::trust::v1::GetTrustListRequest;
use wire::{PublishedRegistry, SignedNumber};

use super::Recovering;
use super::ask::{in_time, or_none};
use crate::online::SEQUENCE_LEAP;

/// What another province has.
pub(super) struct Answer {
    registry: Option<PublishedRegistry>,
    list: Option<Bundle>,
    signed: Option<SignedNumber>,
}

/// What is not signed any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Floors {
    /// Of this epoch and those before it no registry.
    pub(super) epoch: u32,
    /// Of this number and those before it no list.
    pub(super) sequence: u64,
    /// The last epoch and the latest time of this node's heads in the others' registries.
    pub(super) head: Option<(u32, Minute)>,
}

/// Asks for a province's newest registry and list, and for the last document that it signed.
pub(super) async fn ask(channel: Channel, within: Duration) -> Result<Answer, Status> {
    let mut client = wire::client::federation(channel.clone());
    let registry = client.get_registry(proto::GetRegistryRequest { epoch: 0 });
    let registry = or_none(in_time(within, registry).await)?;
    let signed = client.get_signed_online(proto::GetSignedOnlineRequest { after: 0 });
    let signed = or_none(in_time(within, signed).await)?;
    let mut client = wire::client::trust(channel);
    let list = client.get_trust_list(GetTrustListRequest::default());
    // A node without a list says so by other codes, too.
    let list = in_time(within, list).await.ok();
    let registry = registry.map(|answer| answer.get_ref().registry.as_ref().try_into());
    let signed = signed.map(|answer| answer.get_ref().try_into());
    Ok(Answer {
        registry: registry.transpose()?,
        list: list.and_then(|answer| Bundle::from_bytes(&answer.get_ref().bundle).ok()),
        signed: signed.transpose()?,
    })
}

/// What follows from the answers. What nobody but one province vouches for counts only as far as that province's signature can
/// reach: otherwise it could keep this node from signing for good.
pub(super) fn of(me: &Recovering<'_>, answers: &BTreeMap<ProvinceCode, Answer>) -> Floors {
    let roster = me.roster;
    let mut floors = Floors::default();
    for answer in answers.values() {
        // Its own signature is enough, with a quorum under the registry or without.
        let heads = answer.registry.iter().flat_map(|found| &found.heads);
        for signed in heads.filter(|signed| signed.head.slot == me.slot) {
            let member = roster.member(me.slot);
            if member.is_ok_and(|member| signed.check_signature(member).is_ok()) {
                let (epoch, at) = floors.head.unwrap_or((0, Minute::ZERO));
                let head = &signed.head;
                floors.head = Some((epoch.max(head.epoch.get()), at.max(head.head_time)));
            }
        }
        if let Some(registry) = &answer.registry
            && registry.cosigned.check_quorum(roster).is_ok()
        {
            let epoch = registry.cosigned.statement().epoch().get();
            floors.epoch = floors.epoch.max(epoch);
        }
        if let Some(list) = &answer.list {
            let online = &list.online;
            let signers = signers(roster, online.document(), online.signatures());
            if signers.len() >= roster.quorum() {
                floors.sequence = floors.sequence.max(online.document().sequence.get());
            }
        }
    }
    let latest = floors.sequence.saturating_add(SEQUENCE_LEAP);
    for (province, answer) in answers {
        let signed = answer
            .signed
            .as_ref()
            .and_then(|number| number.signed.as_ref());
        if let Some((document, signature)) = signed
            && signers(roster, document, &[*signature]).contains(province)
        {
            let number = document.sequence.get();
            floors.sequence = floors.sequence.max(number.min(latest));
        }
    }
    floors
}

/// The provinces whose signatures under a document fit.
fn signers(
    roster: &Roster,
    document: &OnlineDocument,
    signatures: &[ProvinceSignature],
) -> BTreeSet<ProvinceCode> {
    let Ok(message) = document.signing_bytes() else {
        return BTreeSet::new();
    };
    let fitting = signatures.iter().filter_map(|signature| {
        let member = roster.member(signature.slot).ok()?;
        let signature = Signature::from_bytes(&signature.signature);
        let key = member.head_key_at(document.issued_at.minute()).ok()?;
        let fits = key.verify_strict(&message, &signature).is_ok();
        fits.then_some(member.province)
    });
    fitting.collect()
}
