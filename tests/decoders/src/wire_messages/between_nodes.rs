//! What nodes say to each other.

use ledger::{Cosignature, SignedTreeHead};
use verifier::trust::{OnlineDocument, ProvinceSignature, SignedOnline};
use wire::federation::v1 as federation;
use wire::{Proposal, PublishedRegistry};

use super::{Row, converted, read, row};
use crate::world::{FEDERATION, GATE};

pub(super) fn rows() -> Vec<Row> {
    let known = &*FEDERATION;
    let proposal = Proposal {
        statement: known.statement.clone(),
        heads: known.heads.clone(),
    };
    let registry = PublishedRegistry {
        cosigned: known.cosigned.clone(),
        heads: known.heads.clone(),
    };
    let registry = Some(federation::CosignedRegistry::from(&registry));
    let written = "the documents of the checks are within limits";
    let online = &GATE.online[0];
    vec![
        row(
            proposed,
            &[federation::CosignRegistryRequest::from(&proposal)],
        ),
        row(
            got,
            &[federation::GetRegistryResponse {
                registry: registry.clone(),
            }],
        ),
        row(
            published,
            &[federation::PublishRegistryRequest { registry }],
        ),
        row(
            head,
            &[federation::GetTreeHeadResponse {
                head: known.heads[0].to_bytes(),
            }],
        ),
        row(
            cosignature,
            &[federation::CosignRegistryResponse {
                cosignature: known.cosigned.cosignatures()[0].to_bytes(),
            }],
        ),
        row(
            document,
            &[federation::CosignOnlineRequest {
                document: online.document().to_bytes().expect(written),
            }],
        ),
        row(
            signature,
            &[federation::CosignOnlineResponse {
                signature: [&[1], &[3; 64][..]].concat(),
            }],
        ),
        row(
            signed_online,
            &[federation::PublishOnlineRequest {
                online: online.to_bytes().expect(written),
            }],
        ),
    ]
}

fn proposed(bytes: &[u8]) {
    if let Some(message) = read::<federation::CosignRegistryRequest>(bytes)
        && let Some(value) = converted(Proposal::try_from(&message))
    {
        assert!(federation::CosignRegistryRequest::from(&value) == message);
    }
}

fn registry_of(message: Option<&federation::CosignedRegistry>) {
    if let Some(value) = converted(PublishedRegistry::try_from(message)) {
        let written = federation::CosignedRegistry::from(&value);
        assert!(Some(&written) == message);
    }
}

fn got(bytes: &[u8]) {
    if let Some(message) = read::<federation::GetRegistryResponse>(bytes) {
        registry_of(message.registry.as_ref());
    }
}

fn published(bytes: &[u8]) {
    if let Some(message) = read::<federation::PublishRegistryRequest>(bytes) {
        registry_of(message.registry.as_ref());
    }
}

/// Messages of one field, in which a canonical layout travels.
macro_rules! single_field {
    ($($name:ident: $message:ident, $field:ident, $value:ty, $write:expr;)*) => {$(
        fn $name(bytes: &[u8]) {
            let Some(message) = read::<federation::$message>(bytes) else {
                return;
            };
            if let Some(value) = converted(<$value>::try_from(&message)) {
                let write: fn(&$value) -> Vec<u8> = $write;
                assert!(write(&value) == message.$field, "another form of the same value");
            }
        }
    )*};
}

single_field! {
    head: GetTreeHeadResponse, head, SignedTreeHead, SignedTreeHead::to_bytes;
    cosignature: CosignRegistryResponse, cosignature, Cosignature, Cosignature::to_bytes;
    document: CosignOnlineRequest, document, OnlineDocument, |d| d.to_bytes().unwrap_or_default();
    signature: CosignOnlineResponse, signature, ProvinceSignature, |s| s.to_bytes().to_vec();
    signed_online: PublishOnlineRequest, online, SignedOnline, |d| d.to_bytes().unwrap_or_default();
}
