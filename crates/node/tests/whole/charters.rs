//! A newer root document comes in while nodes run: provinces join and leave, and nobody restarts.

use std::sync::Arc;

use commitment::{Epoch, Slot};
use ed25519_dalek::{Signer as _, SigningKey};
use node::store::MemoryStore;
use node::{CharterTaken, Node, NodeError, RuleBook, SimulatedClock};
use rules::{ProvinceCode, RuleSet, TestResult};
use verifier::trust::{
    Bundle, HeadKeys, ProvinceEntry, RootDocument, RootSignature, RuleSetEntry, Sequence,
    SignedRoot,
};
use wire::operator::v1 as o;
use wire::{Reason, reason_of};

use crate::clients::operator;
use crate::forward::{hand_in, test};
use crate::provers::Checking;
use crate::world::{House, START, Wish, World, minute, parts, province, root_document, root_key};

/// The world's root document with a change.
pub(crate) fn root(change: impl FnOnce(&mut RootDocument)) -> SignedRoot {
    signed_by(&root_key(), change)
}

fn signed_by(key: &SigningKey, change: impl FnOnce(&mut RootDocument)) -> SignedRoot {
    let mut document = root_document(Checking::entry()).document().clone();
    change(&mut document);
    let signature = RootSignature {
        key: key.verifying_key(),
        signature: key.sign(&document.signing_bytes().unwrap()).to_bytes(),
    };
    SignedRoot::new(document, vec![signature])
}

fn numbered(sequence: u64) -> impl FnOnce(&mut RootDocument) {
    move |document| document.sequence = Sequence::new(sequence)
}

/// With a province more, 44, whose node does not run.
fn joined(document: &mut RootDocument) {
    document.sequence = Sequence::new(2);
    document.provinces.push(ProvinceEntry {
        province: province(44),
        slot: Slot::new(3).unwrap(),
        head_keys: HeadKeys::single(SigningKey::from_bytes(&[44; 32]).verifying_key()),
    });
}

/// The rule sets that a document names, as a home has them.
pub(crate) fn rules_of(root: &SignedRoot, home: ProvinceCode) -> RuleBook {
    let at_hand = RuleSet::BUILT_IN.map(|id| RuleSet::built_in(id).unwrap());
    let home = if home == province(33) {
        "hz-2020-02"
    } else {
        "fj-2022-08"
    };
    let nation = Some("hz-2020-02".to_owned());
    RuleBook::new(at_hand.to_vec(), root.document(), home.to_owned(), nation).unwrap()
}

pub(crate) fn take(node: &Node, root: SignedRoot) -> Result<CharterTaken, NodeError> {
    let rules = rules_of(&root, node.home());
    node.take_charter(root, rules)
}

/// What a root document is refused for.
pub(crate) fn refusal(node: &Node, root: SignedRoot) -> &'static str {
    match take(node, root) {
        Err(NodeError::Fault(what)) => what,
        other => panic!("{other:?}"),
    }
}

async fn assemble(house: &House, epoch: u32) -> Result<o::AssembleRegistryResponse, Reason> {
    let request = o::AssembleRegistryRequest { epoch };
    match operator(house).assemble_registry(request).await {
        Ok(answer) => Ok(answer.into_inner()),
        Err(status) => Err(reason_of(&status).unwrap()),
    }
}

/// The numbers of the root document and of the online document in a house's trust list.
fn numbers(house: &House) -> (u64, u64) {
    let list = house.node.trust_list().unwrap();
    let online = list.online();
    (online.root_sequence.get(), online.sequence.get())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trust_list_goes_on_under_a_newer_root_document_once_a_quorum_has_it() {
    let world = World::new(Wish::default()).await;
    world.close_epoch(1);
    assemble(&world.houses[0], 1).await.unwrap();
    assert_eq!(numbers(&world.houses[0]), (1, 1));
    let batches = world.houses[0]
        .node
        .trust_list()
        .unwrap()
        .online()
        .batches
        .clone();
    assert!(!batches.is_empty());

    // One has it. The list of before is still served there; alone it signs nothing, and the others go on without it.
    let first = &world.houses[0];
    assert_eq!(
        take(&first.node, root(numbered(2))),
        Ok(CharterTaken::Swapped)
    );
    assert_eq!(
        take(&first.node, root(numbered(2))),
        Ok(CharterTaken::AsBefore)
    );
    assert_eq!((numbers(first), first.node.root_sequence()), ((1, 1), 2));
    world.advance_to(START + 20);
    world.close_epoch(2);
    assert_eq!(assemble(first, 2).await.err(), Some(Reason::NoQuorum));
    assemble(&world.houses[1], 2).await.unwrap();
    assert_eq!(numbers(&world.houses[2]), (1, 2));
    // It does not fall behind: it takes what they publish, with its batch of revocations.
    assert_eq!(numbers(first), (1, 2));

    // Two have it, and that is a quorum.
    take(&world.houses[1].node, root(numbered(2))).unwrap();
    assemble(first, 2).await.unwrap();
    assert_eq!(numbers(first), numbers(&world.houses[1]));
    assert_eq!(numbers(first).0, 2);
    // From then on nothing under the earlier document is taken.
    let old = world.houses[2].node.trust_list().unwrap();
    let old = Bundle::from_bytes(old.to_bytes()).unwrap().online;
    let refused = first.node.take_online(&old, &[]).unwrap_err();
    assert_eq!(refused.reason(), Reason::TrustRefused);
    let now = first.node.trust_list().unwrap().online().batches.clone();
    assert!(now.starts_with(&batches), "a batch was left out");

    // The last one follows, and has the others' list with the next.
    take(&world.houses[2].node, root(numbered(2))).unwrap();
    world.advance_to(START + 40);
    world.close_epoch(3);
    assemble(&world.houses[1], 3).await.unwrap();
    assert_eq!(numbers(&world.houses[2]).0, 2);
    assert_eq!(numbers(&world.houses[2]), numbers(first));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_province_that_joins_is_a_member_at_once_and_one_that_leaves_is_none() {
    let world = World::new(Wish::default()).await;
    let house = world.house(35);
    let positive = test(44, 1, START - 60, TestResult::Positive);
    assert_eq!(hand_in(house, &positive, 44).await, "unknown-province");
    let entries = house.node.checkpoint().unwrap().size();
    take(&house.node, root(joined)).unwrap();
    assert!(house.node.is_member(province(44)));
    assert_eq!(hand_in(house, &positive, 44).await, "forwarded");
    // The rule sets are those of before, and are not announced twice.
    assert_eq!(house.node.checkpoint().unwrap().size(), entries);

    let left = |document: &mut RootDocument| {
        document.sequence = Sequence::new(3);
        document.provinces.pop();
    };
    take(&house.node, root(left)).unwrap();
    assert!(!house.node.is_member(province(42)) && !house.node.is_member(province(44)));
    let late = test(44, 2, START - 60, TestResult::Positive);
    assert_eq!(hand_in(house, &late, 44).await, "unknown-province");
    // Two are left, and make a registry without the third.
    take(&world.house(33).node, root(left)).unwrap();
    world.close_epoch(1);
    let assembled = assemble(world.house(33), 1).await.unwrap();
    assert_eq!((assembled.provinces, assembled.cosignatures), (2, 2));
    let slots = world.house(33).node.registry(Epoch::new(1)).unwrap().heads;
    assert!(slots.iter().all(|head| head.head.province != province(42)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_document_that_is_older_another_or_not_this_nodes_changes_nothing() {
    let world = World::new(Wish::default()).await;
    let node = &world.house(35).node;
    take(node, root(numbered(5))).unwrap();
    assert!(refusal(node, root(numbered(4))).contains("older"));
    let other = |document: &mut RootDocument| {
        document.sequence = Sequence::new(5);
        document.grace_min += 1;
    };
    assert!(refusal(node, root(other)).contains("says something else"));
    let stranger = SigningKey::from_bytes(&[9; 32]);
    assert!(refusal(node, signed_by(&stranger, numbered(6))).contains("not signed"));
    let other_key = |document: &mut RootDocument| {
        document.sequence = Sequence::new(6);
        document.provinces[1].head_keys =
            HeadKeys::single(SigningKey::from_bytes(&[8; 32]).verifying_key());
    };
    assert!(refusal(node, root(other_key)).contains("does not name this province"));
    let other_slot = |document: &mut RootDocument| {
        document.sequence = Sequence::new(6);
        document.provinces[1].slot = Slot::new(7).unwrap();
        document.provinces.sort_by_key(|entry| entry.slot);
    };
    assert!(refusal(node, root(other_slot)).contains("another slot"));
    let other_circuit = |document: &mut RootDocument| {
        document.sequence = Sequence::new(6);
        document.circuits[0].matrix_digest = [7; 32];
    };
    assert!(refusal(node, root(other_circuit)).contains("circuit"));
    assert_eq!(node.root_sequence(), 5);
    assert!(node.is_member(province(42)));
}

/// With another head key of 35.
fn rotated(document: &mut RootDocument) {
    document.sequence = Sequence::new(2);
    document.provinces[1].head_keys =
        HeadKeys::single(SigningKey::from_bytes(&[8; 32]).verifying_key());
}

/// The home's own rule set with an earlier end, as it is superseded: in place, under a higher version.
fn ended() -> RuleSet {
    let text = include_str!("../../../rules/rule_sets/fj-2022-08.toml");
    let text = text.replace("version = 1", "version = 2");
    RuleSet::from_toml(&text.replace("2023-01-08", "2022-12-01")).unwrap()
}

/// The node of 42 alone, which begins with that document. The rule set of before is not at hand any more.
fn begun(store: Arc<MemoryStore>, now: u32) -> Result<Arc<Node>, NodeError> {
    let clock = Arc::new(SimulatedClock::start(minute(now), 0));
    let mut parts = parts(&Wish::default(), 42, store, clock);
    let sets = [RuleSet::built_in("hz-2020-02").unwrap(), ended()];
    parts.root = root(|document| {
        rotated(document);
        document.rule_sets = sets.iter().map(RuleSetEntry::of).collect();
        document.rule_sets.sort_by_key(|entry| entry.short_id);
    });
    let (home, nation) = ("fj-2022-08".to_owned(), Some("hz-2020-02".to_owned()));
    parts.rules = RuleBook::new(sets.to_vec(), parts.root.document(), home, nation).unwrap();
    Node::open(parts)
}

/// Found by simulation: a gap of before a head key was rotated stayed, and with two such nodes of five no trust list found a quorum.
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_of_before_a_head_key_was_rotated_is_taken_up_by_whoever_missed_it() {
    let mut world = World::new(Wish::default()).await;
    let store = world.close(42).await;
    world.close_epoch(1);
    assemble(world.house(33), 1).await.unwrap();
    let registry = world.house(33).node.registry(Epoch::new(1)).unwrap();
    world.advance_to(START + 3_000);
    world.close_epoch(2);
    assemble(world.house(33), 2).await.unwrap();
    let late = world.house(33).node.registry(Epoch::new(2)).unwrap();

    // Nobody signs with the old key for a time to come.
    let early = begun(Arc::clone(&store), START - 60).unwrap();
    assert!(early.take_registry(&registry).is_err());
    drop(early);
    let node = begun(Arc::clone(&store), START + 60).unwrap();
    node.take_registry(&registry).unwrap();
    drop(node);
    // It knows the earlier document after a further start, too; what was cosigned with the old key days later is not taken.
    let node = begun(Arc::clone(&store), START + 3_000).unwrap();
    assert_eq!(node.newest_registry_epoch(), Some(Epoch::new(1)));
    let refused = node.take_registry(&late).unwrap_err();
    assert!(
        matches!(refused.reason(), Reason::HeadRefused | Reason::NoQuorum),
        "{refused:?}"
    );
    drop(node);
    // Whoever never had the earlier document takes neither, and nobody goes back to it.
    let stranger = begun(Arc::new(MemoryStore::default()), START + 60).unwrap();
    assert!(stranger.take_registry(&registry).is_err());
    let clock = Arc::new(SimulatedClock::start(minute(START + 3_000), 0));
    let back = Node::open(parts(&Wish::default(), 42, store, clock));
    assert!(matches!(back, Err(NodeError::Fault(what)) if what.contains("older")));
}
