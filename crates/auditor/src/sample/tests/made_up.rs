//! A made-up federation of three provinces: what its first one commits and shows, right and wrong.

use std::collections::BTreeMap;

use commitment::{
    Blinding, Epoch, Fr, IdentityCommitment, RiskTree, fr_to_bytes, record_leaf, rule_digest,
};
use ed25519_dalek::{Signer as _, SigningKey};
use ledger::sample::{SampleSeed, SampleWays};
use ledger::{
    Cosignature, CosignedStatement, HeadHash, LeafIndex, Member, RegistryStatement, Roster,
    RuleSetsDigest, Slot, StateTree, TreeHead,
};
use rules::{
    ContactDegree, Context, Event, EventBody, EventId, IdentityNumber, Minute, ProvinceCode,
    Record, RiskMap, RowTable, RuleSet, SourceId, SourceKind, TestResult, fold,
};
use wire::resident::v1 as r;
use wire::{
    DeviceKey, LeafContent, Nonce, OpenedEvent, OpenedEvidence, OpenedLeaf, OpenedSample,
    PublishedRegistry, ShownSample, SignedCall, sign_call,
};

use super::super::{Believed, EventFault, Finding, Judgement, judge};

/// 29 August 2022, 08:00 in UTC+8: when the epoch closes.
pub(super) const AT: u32 = 27_695_520;
pub(super) const DAY: u32 = 1_440;
pub(super) const HOME: u8 = 33;

pub(super) fn minute(at: u32) -> Minute {
    Minute::new(at).unwrap()
}

pub(super) fn province(code: u8) -> ProvinceCode {
    ProvinceCode::new(code).unwrap()
}

pub(super) fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}

pub(super) fn person(number: u16) -> IdentityNumber {
    IdentityNumber::assemble(330_102, (1990, 1, 1), number).unwrap()
}

pub(super) fn source(kind: SourceKind) -> SourceId {
    SourceId {
        province: province(HOME),
        kind,
        number: 1,
    }
}

pub(super) fn key_of(source: SourceId) -> SigningKey {
    SigningKey::from_bytes(&[source.kind.code() + source.province.get(); 32])
}

pub(super) fn head_key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number + 1; 32])
}

pub(super) fn event(subject: IdentityNumber, source: SourceId, at: u32, body: EventBody) -> Event {
    let mut id = [0_u8; 16];
    let seed = format!("{source} {at} {body:?} {:?}", subject.expose());
    for (index, byte) in seed.bytes().enumerate() {
        id[index % 16] = id[index % 16].wrapping_mul(31).wrapping_add(byte);
    }
    Event {
        id: EventId(id),
        subject,
        source,
        issued_at: minute(at),
        body,
    }
}

/// An event as its source signed it, which the node accepted when it was issued.
pub(super) fn signed(event: &Event) -> OpenedEvent {
    let key = key_of(event.source);
    OpenedEvent {
        event: event.to_bytes(),
        received_at: event.issued_at,
        evidence: OpenedEvidence::Source {
            signature: key.sign(&event.signing_bytes()).to_bytes(),
            known: Some((key.verifying_key().to_bytes(), Minute::ZERO, Minute::MAX)),
            confirmation: None,
        },
    }
}

pub(super) fn negative(number: u16, at: u32) -> OpenedEvent {
    let body = EventBody::Test {
        sampled_at: minute(at),
        result: TestResult::Negative,
    };
    let lab = source(SourceKind::Laboratory);
    signed(&event(person(number), lab, at, body))
}

pub(super) fn contact_by(number: u16, by: SourceKind, at: u32) -> OpenedEvent {
    let body = EventBody::Contact {
        degree: ContactDegree::Close,
        last_contact_at: minute(at),
        province: province(HOME),
    };
    signed(&event(person(number), source(by), at, body))
}

pub(super) fn contact(number: u16, at: u32) -> OpenedEvent {
    contact_by(number, SourceKind::Cdc, at)
}

/// A check-in by the resident's device, whose body says `said` symptoms, as an event that states `stated`.
pub(super) fn check_in(number: u16, at: u32, said: bool, stated: bool) -> OpenedEvent {
    let device = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let day = minute(at).day();
    let symptoms = if said {
        r::Symptoms::Present
    } else {
        r::Symptoms::None
    };
    let own = SourceId {
        kind: SourceKind::Resident,
        number: 0,
        ..source(SourceKind::Cdc)
    };
    let symptoms_stated = EventBody::CheckIn {
        day,
        symptoms: stated,
    };
    let event = event(person(number), own, at, symptoms_stated);
    let body = r::DeclareHealth {
        event_id: event.id.0.to_vec(),
        day: day.get().into(),
        symptoms: symptoms.into(),
    };
    let call: r::DeclareHealthRequest =
        sign_call(&body, &device, province(HOME), minute(at), Nonce([1; 16]));
    let auth = call.auth().unwrap();
    OpenedEvent {
        event: event.to_bytes(),
        received_at: minute(at),
        evidence: OpenedEvidence::Device {
            auth: auth.auth.clone(),
            signature: auth.signature.clone(),
            body: call.body().to_vec(),
            key: Some(DeviceKey::of(&device).to_bytes()),
        },
    }
}

/// Somebody with a leaf.
#[derive(Clone)]
pub(super) struct Resident {
    pub(super) number: u16,
    /// What is shown.
    pub(super) events: Vec<OpenedEvent>,
    /// What is committed; the fold of what is shown for none.
    pub(super) record: Option<Record>,
}

pub(super) fn resident(number: u16, events: Vec<OpenedEvent>) -> Resident {
    Resident {
        number,
        events,
        record: None,
    }
}

pub(super) fn of_record(
    number: u16,
    events: Vec<OpenedEvent>,
    committed: &[OpenedEvent],
) -> Resident {
    let record = Some(folded(committed));
    Resident {
        record,
        ..resident(number, events)
    }
}

pub(super) fn rule_sets() -> Vec<RuleSet> {
    let ids = RuleSet::BUILT_IN.iter();
    ids.map(|id| RuleSet::built_in(id).unwrap()).collect()
}

pub(super) fn tables() -> Vec<RowTable> {
    rule_sets().iter().map(|set| set.table().clone()).collect()
}

pub(super) fn folded(events: &[OpenedEvent]) -> Record {
    let events: Vec<Event> = events.iter().map(|e| e.event().unwrap()).collect();
    let (tables, map) = (tables(), RiskMap::empty());
    let context = Context {
        tables: &tables,
        map: &map,
    };
    fold(&events, &context, minute(AT)).unwrap().record
}

pub(super) fn roster() -> Roster {
    let member = |(number, code)| Member {
        province: province(code),
        slot: slot(number),
        head_keys: ledger::HeadKeys::single(head_key(number).verifying_key()),
    };
    Roster::new([(0, HOME), (1, 35), (2, 42)].map(member).to_vec()).unwrap()
}

pub(super) fn believed() -> Believed {
    Believed {
        roster: roster(),
        slot: slot(0),
        rule_sets: rule_sets(),
        grace_min: DAY,
        places: None,
        log: None,
        registries: Vec::new(),
    }
}

pub(super) fn cosigned(head: &TreeHead, by: &[u8]) -> PublishedRegistry {
    let head = head.sign(&head_key(0));
    let risk_root = RiskTree::new(&RiskMap::empty()).root();
    let (epoch, rules) = (Epoch::new(4), head.head.rule_sets);
    let statement = RegistryStatement::new(epoch, minute(AT), risk_root, rules, &[head]).unwrap();
    let sign = |number: &u8| Cosignature {
        slot: slot(*number),
        signature: head_key(*number)
            .sign(&statement.signing_bytes())
            .to_bytes(),
    };
    let cosignatures = by.iter().map(sign).collect();
    PublishedRegistry {
        cosigned: CosignedStatement::new(statement, cosignatures),
        heads: vec![head],
    }
}

/// What the province commits and shows of these residents, in places from 0 on.
pub(super) fn shown(residents: &[Resident]) -> (ShownSample, StateTree) {
    let mut tree = StateTree::new();
    let mut contents = BTreeMap::new();
    for (place, resident) in (0..).zip(residents) {
        let record = resident.record.clone();
        let record = record.unwrap_or_else(|| folded(&resident.events));
        let (salt, blinding) = (Fr::from(100 + place), Fr::from(200 + place));
        let identity = IdentityCommitment::new(person(resident.number).expose(), salt);
        let leaf = record_leaf(&record, identity, Blinding(blinding));
        tree.update(&[(LeafIndex::new(place).unwrap(), leaf)]);
        let content = LeafContent {
            resident: person(resident.number),
            salt: fr_to_bytes(salt),
            record,
            blinding: fr_to_bytes(blinding),
        };
        contents.insert(
            place,
            OpenedLeaf {
                content: Some(content),
                events_total: u32::try_from(resident.events.len()).unwrap(),
                events: resident.events.clone(),
            },
        );
    }
    let digests: Vec<Fr> = tables().iter().map(rule_digest).collect();
    let head = TreeHead {
        province: province(HOME),
        slot: slot(0),
        epoch: Epoch::new(4),
        head_time: minute(AT),
        state_root: tree.root(),
        leaf_count: tree.leaf_count(),
        rule_sets: RuleSetsDigest::of(&digests),
        previous: HeadHash::NONE,
    };
    let registry = cosigned(&head, &[0, 1, 2]);
    let seed = SampleSeed::new(&registry.cosigned, slot(0), &roster()).unwrap();
    let ways = SampleWays::of(&tree, seed);
    let drawn = ways.drawn.iter().map(|way| way.index);
    let leaves = drawn.filter_map(|place| Some((place, contents.get(&place)?.clone())));
    let leaves = leaves.collect();
    let shown = ShownSample {
        sample: OpenedSample {
            registry,
            ways,
            horizon_days: 60,
        },
        leaves,
        at: minute(AT + 10),
    };
    (shown, tree)
}

pub(super) fn judged(shown: &ShownSample) -> Judgement {
    judge(shown, &believed()).unwrap()
}

pub(super) fn findings(residents: &[Resident]) -> Vec<Finding> {
    judged(&shown(residents).0).findings
}

/// What is found of one resident beside another who is in order; of the resident's place.
pub(super) fn of_one(resident: Resident) -> Vec<Finding> {
    findings(&[resident, self::resident(99, vec![negative(99, AT - 50)])])
}

pub(super) fn one_event(event: OpenedEvent) -> EventFault {
    let found = of_one(of_record(1, vec![event], &[]));
    match found[..] {
        [
            Finding::Event {
                place: 0,
                number: 0,
                why,
            },
        ] => why,
        _ => panic!("{found:?}"),
    }
}

/// Somebody with an event of each way in which they come.
pub(super) fn everything(number: u16) -> Vec<OpenedEvent> {
    let exposure = contact(number, AT - 9 * DAY);
    let target = exposure.event().unwrap().id;
    let release = EventBody::Release {
        target,
        at: minute(AT - DAY),
    };
    let cdc = source(SourceKind::Cdc);
    let release = event(person(number), cdc, AT - DAY, release);
    let place = "330102001".parse().unwrap();
    let stay = EventBody::Stay {
        place,
        begin: minute(AT - 4 * DAY),
        end: Some(minute(AT - 3 * DAY)),
    };
    let telecom = source(SourceKind::Telecom);
    let stay = event(person(number), telecom, AT - 3 * DAY, stay);
    let mut confirmed = contact(number, AT - 8 * DAY);
    let statement = confirmed.event().unwrap();
    if let OpenedEvidence::Source { confirmation, .. } = &mut confirmed.evidence {
        let key = key_of(statement.source);
        *confirmation = Some(key.sign(&statement.confirmation_bytes()).to_bytes());
    }
    vec![
        exposure,
        confirmed,
        signed(&stay),
        check_in(number, AT - 2 * DAY, true, true),
        check_in(number, AT - DAY, false, false),
        signed(&release),
        negative(number, AT - 50),
    ]
}
