//! Epochs, registries, trust lists: one head and one signature each, a quorum, and what a restart brings back.

use std::sync::Arc;

use commitment::Epoch;
use ledger::{RegistryStatement, SignedTreeHead};
use node::{Node, NodeError, SimulatedClock};
use rules::{EventBody, SourceKind, TestResult};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use verifier::UnixTime;
use verifier::trust::Bundle;
use wire::operator::v1 as o;
use wire::trust::v1::GetTrustListRequest;
use wire::{Reason, reason_of};

use crate::clients::{accepted, at_public, event, full_list, operator};
use crate::world::{House, START, Wish, World, minute, parts, person, source};

/// Gives every house a few residents with a test each.
async fn people(world: &World) {
    for house in &world.houses {
        for number in 0..3 {
            let body = EventBody::Test {
                sampled_at: minute(START - 60),
                result: TestResult::Negative,
            };
            let lab = source(house.home, SourceKind::Laboratory);
            let test = event(person(house.home, number), lab, minute(START - 60), body);
            accepted(house, &test).await;
        }
    }
}

async fn assemble(house: &House, epoch: u32) -> Result<o::AssembleRegistryResponse, tonic::Status> {
    let request = o::AssembleRegistryRequest { epoch };
    let answer = operator(house).assemble_registry(request).await?;
    Ok(answer.into_inner())
}

async fn bundle(house: &House) -> Vec<u8> {
    let mut client = wire::client::trust(at_public(house));
    let answer = client.get_trust_list(GetTrustListRequest::default()).await;
    answer.unwrap().into_inner().bundle
}

fn now(house: &House) -> UnixTime {
    UnixTime::from_s(u64::from(house.node.clock().now().get()) * 60)
}

#[tokio::test(flavor = "multi_thread")]
async fn three_provinces_close_an_epoch_and_every_house_publishes_the_same_list() {
    let world = World::new(Wish::default()).await;
    people(&world).await;
    let first = &world.houses[0];
    for house in &world.houses {
        let request = o::CloseEpochRequest {
            epoch: 1,
            as_of_minute: START,
        };
        let closed = operator(house).close_epoch(request).await.unwrap();
        let closed = closed.into_inner();
        assert_eq!(closed.records, 3);
        let head = SignedTreeHead::from_bytes(&closed.head).unwrap();
        assert_eq!(
            (head.head.leaf_count, head.head.head_time),
            (3, minute(START))
        );
        // The same again is answered with the same head, another minute is refused.
        let again = operator(house).close_epoch(request).await.unwrap();
        assert_eq!(again.into_inner().head, closed.head);
        let other = o::CloseEpochRequest {
            epoch: 1,
            as_of_minute: START - 1,
        };
        let refused = operator(house).close_epoch(other).await.unwrap_err();
        assert_eq!(reason_of(&refused), Some(Reason::EpochRefused));
    }
    let assembled = assemble(first, 1).await.unwrap();
    assert_eq!((assembled.provinces, assembled.cosignatures), (3, 3));
    let bytes = bundle(first).await;
    for house in &world.houses {
        assert_eq!(bundle(house).await, bytes);
        let list = full_list(&house.node, &bytes, now(house));
        let registry = list.registry(Epoch::new(1)).unwrap();
        assert_eq!(registry.as_of, minute(START));
        let published = house.node.registry(Epoch::new(1)).unwrap();
        let statement = published.cosigned.statement();
        assert_eq!(registry.root, statement.registry_root());
        assert_eq!(registry.risk_root, statement.risk_root());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_gives_an_epoch_another_risk_map_than_its_registry_is_not_signed() {
    let world = World::new(Wish::default()).await;
    people(&world).await;
    world.close_epoch(1);
    assemble(&world.houses[0], 1).await.unwrap();
    let node = &world.houses[0].node;
    let right = node.next_online(node.next_sequence().unwrap(), None);
    let mut wrong = right.clone();
    wrong.registries[0].risk_root += commitment::Fr::from(1);
    assert_eq!(
        node.cosign_online(&wrong),
        Err(NodeError::Refused(Reason::TrustRefused))
    );
    assert!(node.cosign_online(&right).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_in_the_future_or_out_of_turn_is_refused() {
    let world = World::new(Wish::default()).await;
    let mut client = operator(&world.houses[0]);
    for (epoch, as_of_minute) in [(1, START + 1), (0, START)] {
        let request = o::CloseEpochRequest {
            epoch,
            as_of_minute,
        };
        let refused = client.close_epoch(request).await.unwrap_err();
        assert_eq!(reason_of(&refused), Some(Reason::EpochRefused));
    }
    let refused = assemble(&world.houses[0], 5).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::UnknownEpoch));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_province_away_is_borne_and_two_are_not() {
    let mut world = World::new(Wish::default()).await;
    people(&world).await;
    world.close_epoch(1);
    assemble(&world.houses[0], 1).await.unwrap();
    world.advance_to(START + 600);
    world.close_epoch(2);
    world.houses.remove(2).close().await;
    let assembled = assemble(&world.houses[0], 2).await.unwrap();
    // The province that is away keeps its last head; its signature is missing.
    assert_eq!((assembled.provinces, assembled.cosignatures), (3, 2));

    world.advance_to(START + 1_200);
    world.close_epoch(3);
    world.houses.remove(1).close().await;
    let refused = assemble(&world.houses[0], 3).await.unwrap_err();
    let reason = reason_of(&refused);
    assert!(
        matches!(reason, Some(Reason::NoQuorum | Reason::RegistryRefused)),
        "{reason:?}"
    );
    let epoch = world.houses[0].node.newest_registry_epoch();
    assert_eq!(epoch, Some(Epoch::new(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_epoch_a_node_signs_one_statement_even_after_a_restart() {
    let world = World::new(Wish::default()).await;
    people(&world).await;
    world.close_epoch(1);
    let heads = |world: &World| -> Vec<SignedTreeHead> {
        let head = |h: &House| h.node.tree_head(Epoch::new(1)).unwrap();
        world.houses.iter().map(head).collect()
    };
    let all = heads(&world);
    let first = &world.houses[0].node;
    let statement = first.propose(Epoch::new(1), &all).unwrap();
    let signed = first.cosign(&statement, &all).unwrap();
    let two = &all[..2];
    let other: RegistryStatement = first.propose(Epoch::new(1), two).unwrap();
    let already = Err(NodeError::Refused(Reason::AlreadySigned));
    assert_eq!(first.cosign(&other, two), already);

    let mut stores = Vec::new();
    for house in world.houses {
        stores.push(house.close().await);
    }
    let stores = stores.try_into().unwrap();
    let world = World::over(Wish::default(), stores, START).await;
    let first = &world.houses[0].node;
    assert_eq!(heads(&world), all);
    assert_eq!(first.cosign(&statement, &all), Ok(signed));
    assert_eq!(first.cosign(&other, two), already);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_over_another_risk_map_or_a_forged_head_is_not_signed() {
    let world = World::new(Wish::default()).await;
    people(&world).await;
    world.close_epoch(1);
    let node = &world.houses[0].node;
    let epoch = Epoch::new(1);
    let mut heads: Vec<_> = world
        .houses
        .iter()
        .map(|h| h.node.tree_head(epoch).unwrap())
        .collect();
    let right = node.propose(epoch, &heads).unwrap();
    let wrong = RegistryStatement::new(
        epoch,
        minute(START),
        commitment::Fr::from(7),
        right.rule_sets(),
        &heads,
    )
    .unwrap();
    assert_eq!(
        node.cosign(&wrong, &heads),
        Err(NodeError::Refused(Reason::RegistryRefused))
    );
    heads[1].signature[0] ^= 1;
    assert_eq!(
        node.cosign(&right, &heads),
        Err(NodeError::Refused(Reason::HeadRefused))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_comes_back_with_its_epochs_registries_and_trust_list() {
    let world = World::new(Wish::default()).await;
    people(&world).await;
    world.close_epoch(1);
    assemble(&world.houses[0], 1).await.unwrap();
    let before = bundle(&world.houses[0]).await;
    let mut stores = Vec::new();
    for house in world.houses {
        stores.push(house.close().await);
    }
    let stores = stores.try_into().unwrap();
    let world = World::over(Wish::default(), stores, START + 60).await;
    for house in &world.houses {
        assert_eq!(bundle(house).await, before);
        let status = operator(house).get_status(o::GetStatusRequest {}).await;
        let status = status.unwrap().into_inner();
        assert_eq!((status.closed_epoch, status.registry_epoch), (1, 1));
        assert_eq!((status.residents, status.events), (3, 3));
        assert_eq!(status.online_sequence, 1);
    }
    world.close_epoch(2);
    assemble(&world.houses[1], 2).await.unwrap();
    let after = Bundle::from_bytes(&bundle(&world.houses[2]).await).unwrap();
    assert_eq!(after.online.document().registries.len(), 2);
    assert_eq!(after.online.document().sequence.get(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_away_fetches_the_registries_it_missed() {
    let mut world = World::new(Wish::default()).await;
    people(&world).await;
    world.close_epoch(1);
    let away = world.houses.remove(2);
    let store = away.close().await;
    assemble(&world.houses[0], 1).await.unwrap();
    let mut stores = Vec::new();
    for house in world.houses {
        stores.push(house.close().await);
    }
    stores.push(store);
    let stores = stores.try_into().unwrap();
    let world = World::over(Wish::default(), stores, START + 60).await;
    let back = &world.houses[2].node;
    for _ in 0..100 {
        if back.newest_registry_epoch().is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(back.newest_registry_epoch(), Some(Epoch::new(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_may_be_moved_goes_forward_only() {
    let world = World::new(Wish::default()).await;
    let mut client = operator(&world.houses[0]);
    for (to_minute, now) in [(START + 100, START + 100), (START, START + 100)] {
        let request = o::AdvanceClockRequest { to_minute };
        let answer = client.advance_clock(request).await.unwrap();
        assert_eq!(answer.into_inner().now_minute, now);
    }
    let world = World::new(Wish {
        movable: false,
        ..Wish::default()
    })
    .await;
    let request = o::AdvanceClockRequest {
        to_minute: START + 1,
    };
    let refused = operator(&world.houses[0]).advance_clock(request).await;
    assert_eq!(reason_of(&refused.unwrap_err()), Some(Reason::RealClock));
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_that_was_cut_short_is_begun_anew() {
    let world = World::new(Wish::default()).await;
    people(&world).await;
    let house = &world.houses[0];
    let epoch = Epoch::new(1);
    house.store.set_full(true);
    let full = house.node.close_epoch(epoch, minute(START)).unwrap_err();
    assert_eq!(full.reason(), Reason::StorageFull);
    assert_eq!(house.node.closed_epoch(), None);
    house.store.set_full(false);
    let closed = house.node.close_epoch(epoch, minute(START)).unwrap();
    assert_eq!(closed.head.head.leaf_count, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_set_back_behind_the_last_epoch_keeps_a_node_from_starting() {
    let world = World::new(Wish::default()).await;
    world.close_epoch(1);
    let store = world.houses.into_iter().next().unwrap().close().await;
    let open = |is_movable| {
        let clock = SimulatedClock::start(minute(START - 1), 0).movable(is_movable);
        let parts = parts(&Wish::default(), 33, store.clone(), Arc::new(clock));
        Node::open(parts)
    };
    assert!(matches!(open(false).err(), Some(NodeError::Fault(_))));
    // A simulated clock begins anew with each process and is brought to where it was.
    assert_eq!(open(true).unwrap().clock().now(), minute(START));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drained_node_says_so_and_ends() {
    let mut world = World::new(Wish::default()).await;
    let house = world.houses.remove(0);
    let mut health = HealthClient::new(at_public(&house));
    let served = health.check(HealthCheckRequest::default()).await.unwrap();
    assert_eq!(served.into_inner().status(), ServingStatus::Serving);
    let mut client = operator(&house);
    client.drain(o::DrainRequest {}).await.unwrap();
    drop((client, health));
    house.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_missed_a_registry_fetches_it_from_whoever_proposes_the_next_list() {
    let world = World::new(Wish::default()).await;
    people(&world).await;
    world.close_epoch(1);
    assemble(&world.houses[0], 1).await.unwrap();
    world.advance_to(START + 60);
    world.close_epoch(2);
    // The registry of epoch 2 is handed over to two of three.
    let nodes: Vec<_> = world.houses.iter().map(|house| &house.node).collect();
    let epoch = Epoch::new(2);
    let heads: Vec<_> = nodes.iter().map(|n| n.tree_head(epoch).unwrap()).collect();
    let statement = nodes[0].propose(epoch, &heads).unwrap();
    let signed = nodes.iter().map(|n| n.cosign(&statement, &heads).unwrap());
    let registry = wire::PublishedRegistry {
        cosigned: ledger::CosignedStatement::new(statement.clone(), signed.collect()),
        heads,
    };
    for node in &nodes[..2] {
        node.take_registry(&registry).unwrap();
    }
    world.advance_to(START + 120);
    world.close_epoch(3);
    assemble(&world.houses[0], 3).await.unwrap();
    assert!(nodes[2].registry(epoch).is_ok());
    let next = nodes[0].next_online(nodes[0].next_sequence().unwrap(), None);
    assert!(nodes[2].cosign_online(&next).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_province_uses_up_the_numbers_of_online_documents() {
    let world = World::new(Wish::default()).await;
    people(&world).await;
    world.close_epoch(1);
    assemble(&world.houses[0], 1).await.unwrap();
    let node = &world.houses[0].node;
    let last = node.next_online(verifier::trust::Sequence::new(u64::MAX), None);
    let refused = NodeError::Refused(Reason::TrustRefused);
    assert_eq!(node.cosign_online(&last), Err(refused));
    let next = node.next_online(node.next_sequence().unwrap(), None);
    assert!(node.cosign_online(&next).is_ok());
}
