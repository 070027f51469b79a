//! A made-up federation of three provinces, as the files that its nodes serve. Its trust list is that of the verifier's vectors
//! with further rule sets and a registry more, so that the codes there are judged by it.

use std::collections::BTreeMap;

use commitment::{Epoch, Fr, ProvinceCode, Slot};
use ed25519_dalek::{Signer as _, SigningKey};
use ledger::log::{
    AddCheckpoint, ColourCell, ColourCounts, CountedSet, Entry, ImpactCell, ImpactCount, Log,
    LogSigner, Rounded, RuleSetNotice, SignedCheckpoint, SignedLogKeys, SourceCell, SourceCounts,
    WitnessState, bundle,
};
use ledger::{
    Cosignature, CosignedStatement, HeadHash, RegistryStatement, RuleSetsDigest, SignedTreeHead,
    TreeHead,
};
use rules::{Minute, RuleSet};
use serde_json::Value;
use verifier::UnixTime;
use verifier::trust::{
    Bundle, ProvinceSignature, RegistryEntry, RootSignature, RuleSetEntry, SignedOnline, SignedRoot,
};

pub(super) const FEDERATION: &str = "demo";
/// Province and slot; a slot's head key has its number as seed.
pub(super) const PROVINCES: [(u8, u8); 3] = [(33, 1), (35, 2), (42, 3)];
/// The epoch of the newest registry.
const EPOCH: u32 = 13;
/// A rule set whose name would be markup.
pub(super) const HOSTILE: &str = "<img/src=x/onerror=alert(1)>";

/// Paths with what lies there, as a node's listener has them.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// The verifier's vectors.
pub(super) fn vectors() -> Value {
    let text = include_str!("../../../verifier/vectors/showings.json");
    serde_json::from_str(text).unwrap()
}

/// When the list was taken.
pub(super) fn now() -> UnixTime {
    UnixTime::from_s(vectors()["list_taken_at_s"].as_u64().unwrap())
}

fn root_key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[100 + number; 32])
}

fn head_key(slot: u8) -> SigningKey {
    SigningKey::from_bytes(&[slot; 32])
}

fn slot(number: u8) -> Slot {
    Slot::new(number).unwrap()
}

fn minute(number: u32) -> Minute {
    Minute::new(number).unwrap()
}

fn closing() -> Minute {
    minute(now().minute().get() - 6)
}

fn heads() -> Vec<SignedTreeHead> {
    let of = |(province, number): (u8, u8)| {
        let head = TreeHead {
            province: ProvinceCode::new(province).unwrap(),
            slot: slot(number),
            epoch: Epoch::new(EPOCH),
            head_time: closing(),
            state_root: Fr::from(u64::from(number)),
            leaf_count: 40,
            rule_sets: RuleSetsDigest::of(&[Fr::from(1)]),
            previous: HeadHash::NONE,
        };
        head.sign(&head_key(number))
    };
    PROVINCES.map(of).to_vec()
}

fn statement() -> RegistryStatement {
    let rule_sets = RuleSetsDigest::of(&[Fr::from(1)]);
    RegistryStatement::new(
        Epoch::new(EPOCH),
        closing(),
        Fr::from(9),
        rule_sets,
        &heads(),
    )
    .unwrap()
}

/// The registry with the cosignatures of these slots.
pub(super) fn cosigned(slots: &[u8]) -> CosignedStatement {
    let statement = statement();
    let cosignatures = slots.iter().map(|number| {
        let signature = head_key(*number).sign(&statement.signing_bytes());
        let bytes = [&[*number][..], &signature.to_bytes()].concat();
        Cosignature::from_bytes(&bytes).unwrap()
    });
    let cosignatures = cosignatures.collect();
    CosignedStatement::new(statement, cosignatures)
}

/// The trust list, `later` online sequences after the first, signed by the provinces of these slots.
pub(super) fn trust_list(later: u64, slots: &[u8]) -> Vec<u8> {
    let bytes = hex::decode(vectors()["bundle"].as_str().unwrap()).unwrap();
    let published = Bundle::from_bytes(&bytes).unwrap();
    let mut root = published.roots[0].document().clone();
    for set in &mut root.rule_sets {
        if set.name == "zj-2022-09" {
            HOSTILE.clone_into(&mut set.name);
        }
    }
    for id in RuleSet::BUILT_IN {
        let mut entry = RuleSetEntry::of(&RuleSet::built_in(id).unwrap());
        if entry.name == "fj-2022-08" {
            // It took the place of the vectors' set of Fujian a minute ago.
            entry.valid_from = minute(closing().get() - 1);
        }
        root.rule_sets.push(entry);
    }
    root.rule_sets.push(RuleSetEntry::of(&announced()));
    root.rule_sets.sort_by_key(|set| set.short_id);
    let message = root.signing_bytes().unwrap();
    let signed = [1, 2].map(|number| RootSignature {
        key: root_key(number).verifying_key(),
        signature: root_key(number).sign(&message).to_bytes(),
    });
    let root = SignedRoot::new(root, signed.to_vec());
    let mut online = published.online.document().clone();
    let statement = statement();
    online.sequence = verifier::trust::Sequence::new(online.sequence.get() + later);
    online.registries.push(RegistryEntry {
        epoch: statement.epoch(),
        as_of: statement.as_of(),
        root: statement.registry_root(),
        risk_root: statement.risk_root(),
    });
    let message = online.signing_bytes().unwrap();
    let signatures = slots.iter().map(|number| ProvinceSignature {
        slot: slot(*number),
        signature: head_key(*number).sign(&message).to_bytes(),
    });
    let online = SignedOnline::new(online, signatures.collect());
    let roots = vec![root];
    Bundle { roots, online }.to_bytes().unwrap()
}

/// Fujian's rules as they might be changed four days later: one rule gone, one new, one other, all else the same.
pub(super) fn announced_text() -> String {
    let text = include_str!("../../../rules/rule_sets/fj-2022-08.toml");
    let (before, rest) = text.split_once("[[rule]]\nid = \"R4\"").unwrap();
    let (_, after) = rest.split_once("[[rule]]\nid = \"R5\"").unwrap();
    let mut text = format!("{before}[[rule]]\nid = \"R5\"{after}");
    for (old, new) in [
        ("id = \"fj-2022-08\"", "id = \"fj-2022-09\""),
        ("announced = \"2022-08-20\"", "announced = \"2022-08-31\""),
        ("valid_from = \"2022-08-20\"", "valid_from = \"2022-09-05\""),
        ("emergency = true", "emergency = false"),
        ("lapse = { hours = 12 }", "lapse = { hours = 24 }"),
        ("否则12小时后转为绿码", "否则24小时后转为绿码"),
        ("else after 12 hours", "else after 24 hours"),
    ] {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text = text.replace(old, new);
    }
    text + "
[[rule]]
id = \"Y8\"
source = \"yellow code, item 8\"
zh = \"健康打卡申报症状的为黄码；满7天且核酸检测阴性后转为绿码。\"
en = \"Symptoms declared in a check-in are yellow; after 7 full days and a negative green.\"

[[rule.case]]
on = [{ fact = [\"symptoms\"], ended = false }]
first = \"yellow\"
clear = [{ after = { days = 8 }, negatives = 1, neg_from_hours = 0 }]
"
}

pub(super) fn announced() -> RuleSet {
    RuleSet::from_toml(&announced_text()).unwrap()
}

fn counted_set(set: &RuleSet) -> CountedSet {
    CountedSet {
        name: set.id().to_string(),
        version: set.version(),
        scope: set.province(),
        digest: commitment::rule_digest(set.table()),
        text_sha256: set.digest_sha256(),
    }
}

/// That the rule set is announced, an hour before the epoch's end.
pub(super) fn notice() -> Entry {
    let set = announced();
    Entry::RuleSet(RuleSetNotice {
        name: set.id().to_string(),
        version: set.version(),
        scope: set.province(),
        digest: commitment::rule_digest(set.table()),
        text_sha256: set.digest_sha256(),
        announced: minute(closing().get() - 60),
        from: set.validity().from,
        until: set.validity().until,
        is_emergency: set.validity().emergency,
    })
}

/// Whom a set changes, as a log tells it, counted at a minute.
pub(super) fn impact(set: &RuleSet, at: Minute) -> Entry {
    let cell = |from, to, rule: &str, people| ImpactCell {
        from,
        to,
        rule: rule.to_owned(),
        people: Rounded::of(people),
    };
    let before = RuleSet::built_in("fj-2022-08").unwrap();
    Entry::Impact(ImpactCount {
        at,
        residents: Rounded::of(12_000),
        set: counted_set(set),
        before: (before.id() != set.id()).then(|| counted_set(&before)),
        cells: vec![
            cell(0, 1, "Y8", 340),
            cell(0, 2, "R3", 2),
            cell(2, 0, "R4", 51),
        ],
    })
}

/// The impact of the announced set, half an hour after it was announced.
pub(super) fn impact_in_time() -> Entry {
    impact(&announced(), minute(closing().get() - 30))
}

/// A part of the events of discretionary kinds of a day, by two offices of a CDC.
pub(super) fn sources(days_ago: u16, part: u8, parts: u8) -> Entry {
    let cell = |number, fact, events| SourceCell {
        province: ProvinceCode::new(35).unwrap(),
        kind: rules::SourceKind::Cdc.code(),
        number: number + 2 * u32::from(part),
        fact,
        events: Rounded::of(events),
    };
    Entry::Sources(SourceCounts {
        day: closing().day().get() - days_ago,
        part,
        parts,
        cells: vec![cell(1, 11, 31), cell(2, 13, 18)],
    })
}

fn counts(days_ago: u16, yellow: u64) -> Entry {
    let day = closing().day().get() - days_ago;
    let set = RuleSet::built_in("fj-2022-08").unwrap();
    let cell = |colour, rule: &str, people| ColourCell {
        colour,
        rule: rule.to_owned(),
        people: Rounded::of(people),
    };
    Entry::Colours(ColourCounts {
        day,
        residents: Rounded::of(12_000),
        set: counted_set(&set),
        cells: vec![cell(1, "R7", yellow), cell(2, "R3", 40), cell(2, "R4", 3)],
    })
}

/// What stands in the log of a slot. The first tells whom the announced rule set changes, and of two days what sources stated; the
/// second announces it and has not counted yet; the third knows nothing of it.
pub(super) fn entries(number: u8) -> Vec<Entry> {
    let own = heads()[usize::from(number) - 1];
    let mut all = vec![
        counts(3, 90),
        counts(2, 260),
        Entry::TreeHead(own),
        Entry::Registry(cosigned(&[1, 2, 3])),
        counts(1, 120),
    ];
    if number <= 2 {
        all.push(notice());
    }
    if number == 1 {
        all.extend([impact_in_time(), sources(2, 0, 2), sources(1, 0, 1)]);
    }
    all
}

fn signer(number: u8) -> LogSigner {
    LogSigner::derive(&[number; 32])
}

fn log_keys(number: u8) -> SignedLogKeys {
    let (province, _) = PROVINCES[usize::from(number) - 1];
    let province = ProvinceCode::new(province).unwrap();
    let keys = signer(number).public(province, slot(number), 1);
    keys.sign(Minute::ZERO, &head_key(number))
}

fn checkpoint(number: u8, log: &Log, witnesses: &[u8]) -> SignedCheckpoint {
    let own = log_keys(number).keys.log_key(FEDERATION).unwrap();
    let root = log.root().unwrap();
    let mut signed = signer(number).sign(log.size(), root, &own).unwrap();
    for witness in witnesses {
        let request = AddCheckpoint {
            old_size: 0,
            proof: Vec::new(),
            checkpoint: signed.clone(),
        };
        let permit = WitnessState::default().consider(&request, &own).unwrap();
        let name = log_keys(*witness).keys.witness_key(FEDERATION).unwrap();
        let line = permit.sign(&name, &signer(*witness), now().get_s());
        signed = signed.with_cosignature(&line, &name).unwrap();
    }
    signed
}

/// What the node of a slot serves, with these entries in its log.
pub(super) fn files(number: u8, entries: &[Entry]) -> Files {
    let mut log = Log::default();
    let written: Vec<Vec<u8>> = entries.iter().map(Entry::to_bytes).collect();
    let (mut files, mut roots) = (Files::new(), Vec::new());
    for (index, chunk) in written.chunks(256).enumerate() {
        for entry in chunk {
            log.append(entry).unwrap();
        }
        let width = u64::try_from(chunk.len()).unwrap();
        let bytes = bundle(chunk.iter().map(Vec::as_slice)).unwrap();
        let index = u64::try_from(index).unwrap();
        files.insert(super::super::log::path(None, index, width), bytes);
        if let Some(root) = log.bundle_root(index) {
            roots.extend(root.0);
        }
    }
    for (index, chunk) in roots.chunks(256 * 32).enumerate() {
        let width = u64::try_from(chunk.len() / 32).unwrap();
        let index = u64::try_from(index).unwrap();
        files.insert(
            super::super::log::path(Some(1), index, width),
            chunk.to_vec(),
        );
    }
    let others: Vec<u8> = [1, 2, 3].into_iter().filter(|n| *n != number).collect();
    let signed = checkpoint(number, &log, &others);
    files.insert("checkpoint".to_owned(), signed.to_bytes().to_vec());
    let mut keys = log_keys(number).to_bytes();
    for other in others {
        keys.extend(log_keys(other).to_bytes());
    }
    files.insert("keys".to_owned(), keys);
    files.insert("trust/v1/list".to_owned(), trust_list(0, &[1, 2]));
    for batch in vectors()["batches"].as_array().unwrap() {
        let bytes = hex::decode(batch.as_str().unwrap()).unwrap();
        let entry = verifier::trust::RevocationBatch::from_bytes(&bytes)
            .unwrap()
            .entry();
        files.insert(
            format!("trust/v1/batch/{}", hex::encode(entry.digest.0)),
            bytes,
        );
    }
    files
}

/// All three nodes.
pub(super) fn nodes() -> Vec<Files> {
    let all = PROVINCES.iter();
    all.map(|(_, number)| files(*number, &entries(*number)))
        .collect()
}
