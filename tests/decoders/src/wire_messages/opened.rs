//! What a node opens to auditors, and what they keep of it.

use std::collections::BTreeMap;

use ledger::sample::{SampleSeed, SampleWays};
use ledger::{LeafIndex, StateTree};
use rules::{IdentityNumber, Record};
use wire::audit::v1 as audit;
use wire::{
    LeafContent, LeafRequest, OpenedEvent, OpenedEvidence, OpenedLeaf, OpenedSample,
    PublishedRegistry, ShownSample,
};

use super::{Row, converted, hidden, minute, refused, row, silent};
use crate::event::samples;
use crate::world::FEDERATION;

pub(super) fn rows() -> Vec<Row> {
    let shown = shown();
    let asked = audit::OpenSampleRequest { epoch: 4 };
    let opened = shown.leaves.values().map(audit::OpenLeafResponse::from);
    let opened: Vec<audit::OpenLeafResponse> = opened.collect();
    vec![
        row(hidden::<audit::OpenSampleRequest>, &[asked]),
        row(drawn, &[audit::OpenSampleResponse::from(&shown.sample)]),
        row(
            place,
            &[audit::OpenLeafRequest {
                epoch: 4,
                place: 9,
                first_event: 1,
            }],
        ),
        row(leaf, &opened),
        Row {
            check: kept,
            seeds: vec![shown.to_bytes()],
        },
    ]
}

fn shown() -> ShownSample {
    let known = &*FEDERATION;
    let leaf = known.statement.registry_root();
    let tree = StateTree::build(&[(LeafIndex::new(9).expect("a place"), leaf)]);
    let stated = samples().into_iter().map(|event| OpenedEvent {
        event: event.to_bytes(),
        received_at: minute(),
        evidence: OpenedEvidence::Source {
            signature: [1; 64],
            known: Some(([2; 32], minute(), minute())),
            confirmation: Some([3; 64]),
        },
    });
    let mut events: Vec<OpenedEvent> = stated.take(2).collect();
    let declared = OpenedEvidence::Device {
        auth: vec![1; 60],
        signature: vec![2; 64],
        body: vec![3; 40],
        key: Some([4; 33]),
    };
    events[1].evidence = declared;
    let number = IdentityNumber::from_bytes(b"11010519491231002X");
    let content = LeafContent {
        resident: number.expect("the standard's example"),
        salt: [5; 32],
        record: Record::new(vec![], vec![], vec![minute()], vec![]).expect("a record"),
        blinding: [6; 32],
    };
    let opened = OpenedLeaf {
        content: Some(content),
        events,
        events_total: 2,
    };
    let erased = OpenedLeaf {
        content: None,
        events: Vec::new(),
        events_total: 0,
    };
    ShownSample {
        sample: OpenedSample {
            registry: PublishedRegistry {
                cosigned: known.cosigned.clone(),
                heads: known.heads.clone(),
            },
            ways: SampleWays::of(&tree, SampleSeed::from_bytes([7; 32])),
            horizon_days: 60,
        },
        leaves: BTreeMap::from([(9, opened), (10, erased)]),
        at: minute(),
    }
}

fn drawn(bytes: &[u8]) {
    if let Some(message) = silent::<audit::OpenSampleResponse>(bytes)
        && let Some(sample) = converted(OpenedSample::try_from(&message))
    {
        let again = audit::OpenSampleResponse::from(&sample);
        assert!(OpenedSample::try_from(&again) == Ok(sample));
    }
}

fn place(bytes: &[u8]) {
    if let Some(message) = silent::<audit::OpenLeafRequest>(bytes) {
        let asked = LeafRequest::from(message);
        assert!(audit::OpenLeafRequest::from(asked) == message);
    }
}

fn leaf(bytes: &[u8]) {
    if let Some(message) = silent::<audit::OpenLeafResponse>(bytes)
        && let Some(leaf) = converted(OpenedLeaf::try_from(&message))
    {
        let again = audit::OpenLeafResponse::from(&leaf);
        assert!(OpenedLeaf::try_from(&again) == Ok(leaf));
    }
}

fn kept(bytes: &[u8]) {
    match ShownSample::from_bytes(bytes) {
        Ok(shown) => assert!(ShownSample::from_bytes(&shown.to_bytes()) == Ok(shown)),
        Err(error) => refused(error),
    }
}
