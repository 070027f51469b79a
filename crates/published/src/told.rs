//! What is known, as the page is told.

use std::collections::BTreeMap;

use commitment::{CircuitUse, Slot, fr_to_bytes};
use ledger::CosignedStatement;
use sha2::{Digest as _, Sha256};
use verifier::TrustList;
use verifier::trust::{CircuitEntry, OpeningEntry, ProvinceEntry, RootDocument, RuleSetEntry};
use wire::public::v1 as proto;

use crate::list::Held;
use crate::log::Followed;
use crate::texts::Texts;
use crate::watch::{NodeState, State, Watch};

/// Everything but texts and counts.
pub(crate) fn overview(watch: &Watch, texts: &Texts) -> proto::GetOverviewResponse {
    let state = watch.state();
    let held = state.held.as_ref();
    let root = held.map(|held| held.list.root());
    let keys = &watch.watched().root_keys;
    proto::GetOverviewResponse {
        now_s: watch.clock().now().get_s(),
        simulated_clock: watch.clock().is_simulated(),
        looked_at_s: state.looked_at.map_or(0, verifier::UnixTime::get_s),
        root_keys: keys.keys().iter().map(|k| k.as_bytes().to_vec()).collect(),
        root_threshold: keys.threshold().into(),
        list: held.map(list),
        rule_sets: root.map_or_else(Vec::new, |root| {
            root.rule_sets
                .iter()
                .map(|set| rule_set(set, texts))
                .collect()
        }),
        circuits: root.map_or_else(Vec::new, circuits),
        slots: slots(&state),
    }
}

fn list(held: &Held) -> proto::TrustList {
    let (root, online) = (held.list.root(), held.list.online());
    let newest = online.registries.last();
    proto::TrustList {
        root_sequence: root.sequence.get(),
        online_sequence: online.sequence.get(),
        issued_at_s: online.issued_at.get_s(),
        soft_stale_s: online.soft_stale_s,
        hard_stale_s: online.hard_stale_s,
        root_expires_at_s: root.expires_at.get_s(),
        epoch: newest.map_or(0, |entry| entry.epoch.get()),
        as_of_minute: newest.map_or(0, |entry| entry.as_of.get()),
        revocations: u32::try_from(held.list.revocations()).unwrap_or(u32::MAX),
        verified_at_s: held.at.get_s(),
    }
}

fn rule_set(set: &RuleSetEntry, texts: &Texts) -> proto::RuleSet {
    let digest = fr_to_bytes(set.digest);
    proto::RuleSet {
        digest: digest.to_vec(),
        short_id: set.short_id.0.to_vec(),
        rule_set_id: set.name.clone(),
        version: set.version,
        scope: set.scope.get().into(),
        from_minute: set.valid_from.get(),
        until_minute: set.superseded_at.map_or(0, rules::Minute::get),
        is_emergency: set.is_emergency,
        has_text: texts.has(&digest),
    }
}

fn circuits(root: &RootDocument) -> Vec<proto::Circuit> {
    let of_pass = |entry: &CircuitEntry| proto::Circuit {
        circuit_id: entry.id().to_bytes().to_vec(),
        is_test: entry.circuit_use == CircuitUse::Test,
        matrix_digest: entry.matrix_digest.to_vec(),
        key_sha256: Sha256::digest(entry.key.to_bytes()).to_vec(),
        is_opening: false,
    };
    let of_opening = |entry: &OpeningEntry| proto::Circuit {
        circuit_id: entry.id().to_bytes().to_vec(),
        is_test: entry.circuit_use == CircuitUse::Test,
        matrix_digest: entry.matrix_digest.to_vec(),
        key_sha256: Sha256::digest(entry.key.to_bytes()).to_vec(),
        is_opening: true,
    };
    let passes = root.circuits.iter().map(of_pass);
    passes.chain(root.openings.iter().map(of_opening)).collect()
}

/// The slots of the trust list and those that are asked.
fn slots(state: &State) -> Vec<proto::Slot> {
    let mut all: BTreeMap<Slot, (Option<&ProvinceEntry>, Option<&NodeState>)> = BTreeMap::new();
    let list = state.held.as_ref().map(|held| &*held.list);
    for entry in list.into_iter().flat_map(|list| &list.root().provinces) {
        all.entry(entry.slot).or_default().0 = Some(entry);
    }
    for node in &state.nodes {
        all.entry(node.at.slot).or_default().1 = Some(node);
    }
    let told = all.into_iter();
    told.map(|(slot, (entry, node))| told_slot(slot, entry, node, list))
        .collect()
}

fn told_slot(
    slot: Slot,
    entry: Option<&ProvinceEntry>,
    node: Option<&NodeState>,
    list: Option<&TrustList>,
) -> proto::Slot {
    let keys = entry.map(|entry| entry.head_keys.entries());
    let not_asked = || proto::Problem {
        fault: proto::Fault::NotAsked.into(),
        detail: String::new(),
    };
    let problem = |of: fn(&NodeState) -> Option<&crate::problem::Problem>| match node {
        Some(node) => of(node).map(Into::into),
        None => Some(not_asked()),
    };
    proto::Slot {
        slot: slot.get().into(),
        province_code: entry.map_or(0, |entry| entry.province.get().into()),
        head_keys: keys
            .into_iter()
            .flatten()
            .map(|(from, key)| proto::HeadKey {
                from_minute: from.get(),
                key: key.as_bytes().to_vec(),
            })
            .collect(),
        url: node.map_or_else(String::new, |node| node.at.url.clone()),
        list_problem: problem(|node| node.list_problem.as_ref()),
        log: node
            .and_then(|node| node.log.as_ref())
            .map(|followed| log(followed, list)),
        log_problem: problem(|node| node.log_problem.as_ref()),
    }
}

fn log(followed: &Followed, list: Option<&TrustList>) -> proto::Log {
    let head = followed.head.map(|signed| proto::TreeHead {
        epoch: signed.head.epoch.get(),
        at_minute: signed.head.head_time.get(),
        state_root: fr_to_bytes(signed.head.state_root).to_vec(),
    });
    let registry = followed.registry.as_ref();
    proto::Log {
        verified_at_s: followed.at.get_s(),
        size: followed.checkpoint.size(),
        root: followed.checkpoint.root().0.to_vec(),
        witness_slots: numbers(followed.witnesses.iter().copied()),
        head,
        registry: registry.map(|cosigned| registry_of(cosigned, list)),
        entries_read: followed.entries_read,
        days: u32::try_from(followed.days.len()).unwrap_or(u32::MAX),
        wrong: followed.wrong.clone(),
    }
}

fn numbers(slots: impl Iterator<Item = Slot>) -> Vec<u32> {
    slots.map(|slot| slot.get().into()).collect()
}

fn registry_of(cosigned: &CosignedStatement, list: Option<&TrustList>) -> proto::Registry {
    let statement = cosigned.statement();
    let listed = list.and_then(|list| list.registry(statement.epoch()));
    let in_list = match listed {
        None => proto::InList::None,
        Some(entry) => {
            let same = entry.root == statement.registry_root()
                && entry.risk_root == statement.risk_root()
                && entry.as_of == statement.as_of();
            if same {
                proto::InList::Same
            } else {
                proto::InList::Other
            }
        }
    };
    let provinces = list.map_or(0, |list| list.root().province_count());
    let needed = commitment::quorum::quorum(provinces);
    proto::Registry {
        epoch: statement.epoch().get(),
        as_of_minute: statement.as_of().get(),
        root: fr_to_bytes(statement.registry_root()).to_vec(),
        cosigner_slots: numbers(cosigned.cosignatures().iter().map(|c| c.slot)),
        head_slots: numbers(statement.heads().iter().map(|(slot, _)| *slot)),
        provinces_needed: u32::try_from(needed).unwrap_or(u32::MAX),
        in_list: in_list.into(),
    }
}
