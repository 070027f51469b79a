//! A proposer dies between collecting signatures and publishing: the next one finishes what was signed, and nothing else.

use std::sync::Arc;

use commitment::Epoch;
use federation::PeerId;
use ledger::{RegistryStatement, SignedTreeHead};
use node::NodeError;
use verifier::trust::OnlineDocument;
use wire::federation::v1 as proto;
use wire::operator::v1::AssembleRegistryRequest;
use wire::{Proposal, Reason, reason_of};

use crate::clients::{at_peers, operator};
use crate::world::{House, START, Wish, World, federation, province};

async fn assemble(house: &House, epoch: u32) -> Result<u32, Option<Reason>> {
    let request = AssembleRegistryRequest { epoch };
    match operator(house).assemble_registry(request).await {
        Ok(answer) => Ok(answer.into_inner().cosignatures),
        Err(status) => Err(reason_of(&status)),
    }
}

/// The heads of an epoch of these houses.
fn heads(world: &World, homes: &[u8], epoch: u32) -> Vec<SignedTreeHead> {
    let head = |home: &u8| {
        world
            .house(*home)
            .node
            .tree_head(Epoch::new(epoch))
            .unwrap()
    };
    homes.iter().map(head).collect()
}

/// A statement that a house proposes and signs, and that `signer` signs when it is asked.
async fn collected(world: &World, proposer: u8, signer: u8, of: &[u8]) -> RegistryStatement {
    let heads = heads(world, of, 1);
    let node = &world.house(proposer).node;
    let statement = node.propose(Epoch::new(1), &heads).unwrap();
    node.cosign(&statement, &heads).unwrap();
    let who = PeerId::node(&federation(), province(proposer));
    let mut client = wire::client::federation(at_peers(world.house(signer), &who));
    let request = proto::CosignRegistryRequest::from(&Proposal {
        statement: statement.clone(),
        heads,
    });
    client.cosign_registry(request).await.unwrap();
    statement
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_whose_proposer_died_is_finished_by_the_next_one() {
    let mut world = World::new(Wish::default()).await;
    world.close_epoch(1);
    // Over the heads of two: the next proposer would have all three, and so another statement.
    let begun = collected(&world, 33, 35, &[33, 35]).await;
    let store = world.close(33).await;
    assert_eq!(assemble(world.house(42), 1).await, Ok(2));
    for home in [35, 42] {
        let registry = world.house(home).node.registry(Epoch::new(1)).unwrap();
        assert_eq!(*registry.cosigned.statement(), begun);
    }
    // The one that died comes back and takes up what it had begun itself.
    world.reopen(&Wish::default(), 33, store, START).await;
    assert!(assemble(world.house(33), 1).await.is_ok());
    let registry = world.house(33).node.registry(Epoch::new(1)).unwrap();
    assert_eq!(*registry.cosigned.statement(), begun);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposer_that_was_killed_goes_on_with_its_own_statement() {
    let mut world = World::new(Wish::default()).await;
    world.close_epoch(1);
    let alone = heads(&world, &[33, 42], 1);
    let node = &world.house(33).node;
    let begun = node.propose(Epoch::new(1), &alone).unwrap();
    node.cosign(&begun, &alone).unwrap();
    let store = world.close(33).await;
    world.reopen(&Wish::default(), 33, store, START).await;
    assert_eq!(assemble(world.house(33), 1).await, Ok(3));
    for house in &world.houses {
        let registry = house.node.registry(Epoch::new(1)).unwrap();
        assert_eq!(*registry.cosigned.statement(), begun);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_statements_that_were_begun_one_finds_its_quorum_and_nobody_signs_both() {
    let world = World::new(Wish::default()).await;
    world.close_epoch(1);
    // Two proposers at one moment, each with its own signature alone.
    let (of_two, of_all) = (heads(&world, &[33, 35], 1), heads(&world, &[33, 35, 42], 1));
    for (home, heads) in [(33, &of_two), (35, &of_all)] {
        let node = &world.house(home).node;
        let statement = node.propose(Epoch::new(1), heads).unwrap();
        node.cosign(&statement, heads).unwrap();
    }
    assert!(assemble(world.house(42), 1).await.is_ok());
    let registry = world.house(42).node.registry(Epoch::new(1)).unwrap();
    let statement = registry.cosigned.statement().clone();
    for house in &world.houses {
        let signed = house.node.signed_registry(Epoch::new(1)).unwrap();
        let in_it = registry
            .cosigned
            .cosignatures()
            .contains(&signed.cosignature);
        assert_eq!(
            in_it,
            signed.proposal.statement == statement,
            "{}",
            house.home
        );
        assert_eq!(
            house.node.registry(Epoch::new(1)).unwrap().cosigned,
            registry.cosigned
        );
    }
    let other = world.house(42).node.signed_registry(Epoch::new(2));
    assert_eq!(other.unwrap_err(), NodeError::Refused(Reason::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_province_alone_has_signed_is_not_carried_by_the_others() {
    let world = World::new(Wish::default()).await;
    world.close_epoch(1);
    // It would leave a province out; the others have signed nothing, and are a quorum without it.
    let two = heads(&world, &[33, 35], 1);
    let node = &world.house(33).node;
    let statement = node.propose(Epoch::new(1), &two).unwrap();
    node.cosign(&statement, &two).unwrap();
    assert_eq!(assemble(world.house(42), 1).await, Ok(2));
    let registry = world.house(42).node.registry(Epoch::new(1)).unwrap();
    assert_ne!(*registry.cosigned.statement(), statement);
    assert_eq!(registry.heads.len(), 3);
}

/// A document with a batch that a house proposes and signs, and that `signer` signs when it is asked.
async fn collected_list(world: &World, proposer: u8, signer: u8) -> OnlineDocument {
    let node = &world.house(proposer).node;
    let batch = node.merge(&[node.contribute().unwrap()]).unwrap();
    let document = node.next_online(node.next_sequence().unwrap(), Some(batch));
    node.cosign_online(&document).unwrap();
    let who = PeerId::node(&federation(), province(proposer));
    let mut client = wire::client::federation(at_peers(world.house(signer), &who));
    let request = proto::CosignOnlineRequest {
        document: document.to_bytes().unwrap(),
    };
    client.cosign_online(request).await.unwrap();
    document
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_whose_proposer_died_is_finished_by_the_next_one_with_its_batch() {
    let mut world = World::new(Wish::default()).await;
    world.close_epoch(1);
    assemble(world.house(33), 1).await.unwrap();
    world.advance_to(START + 16);
    let begun = collected_list(&world, 33, 35).await;
    world.close(33).await;
    assert_eq!(assemble(world.house(42), 1).await, Ok(3));
    for home in [35, 42] {
        let list = world.house(home).node.trust_list().unwrap();
        assert_eq!(*list.online(), begun);
    }
    // What comes next has a higher number, and what was finished is asked for no more.
    world.advance_to(START + 32);
    assert!(assemble(world.house(42), 1).await.is_ok());
    let list = world.house(35).node.trust_list().unwrap();
    assert_eq!(list.online().sequence.get(), begun.sequence.get() + 1);
    assert_eq!(list.online().batches.len(), begun.batches.len() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_too_old_to_be_signed_keeps_nobody_from_the_next() {
    let mut world = World::new(Wish::default()).await;
    world.close_epoch(1);
    assemble(world.house(33), 1).await.unwrap();
    world.advance_to(START + 16);
    let node = Arc::clone(&world.house(33).node);
    let mut begun = node.next_online(node.next_sequence().unwrap(), None);
    for more in 0..6 {
        begun.sequence = verifier::trust::Sequence::new(begun.sequence.get() + more);
        world.house(35).node.cosign_online(&begun).unwrap();
    }
    world.close(33).await;
    world.advance_to(START + 40);
    // Six numbers are used up at one signer, and the next that is signed is above them.
    assert!(assemble(world.house(42), 1).await.is_ok());
    let list = world.house(42).node.trust_list().unwrap();
    assert!(list.online().sequence > begun.sequence);
    assert_eq!(list.online().issued_at.minute().get(), START + 40);
}
