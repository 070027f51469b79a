//! Revocation: what came in, what the holder asks for, and what the other provinces and the gates see of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use federation::PeerId;
use rules::{EventBody, SourceKind, TestResult};
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use verifier::trust::{BATCH_LEN, InHand, Increment, Revocation, RevocationBatch};
use verifier::{Pass, RevocationHash};
use wire::federation::v1::{ContributeRequest, CosignOnlineRequest};
use wire::operator::v1::AssembleRegistryRequest;
use wire::pass::v1::{Colour, TestAge};
use wire::resident::v1 as r;
use wire::trust::v1 as t;
use wire::{Contributed, Reason, reason_of};

use crate::clients::{Phone, accepted, at_peers, at_public, event, operator};
use crate::passes::{ask, confirmed, epoch, make, negative, request};
use crate::world::{House, START, Wish, World, federation, minute, name, person, province, source};

/// Has a newer online document signed, as between epochs.
async fn publish(world: &World, by: usize, epoch: u32) {
    let mut client = operator(&world.houses[by]);
    let request = AssembleRegistryRequest { epoch };
    client.assemble_registry(request).await.unwrap();
}

async fn passes(phone: &mut Phone, count: u8) -> (r::RequestUse, Vec<r::IssuedPass>) {
    let body = request(count, Colour::Green, TestAge::NotAsked, "");
    ask(phone, &body).await.unwrap();
    let made = make(phone, &body).await.unwrap();
    assert_eq!(made.passes.len(), usize::from(count));
    (body, made.passes)
}

fn h(issued: &r::IssuedPass) -> RevocationHash {
    Pass::from_bytes(&issued.pass).unwrap().h
}

fn is_revoked(house: &House, issued: &r::IssuedPass) -> bool {
    house.node.trust_list().unwrap().is_revoked(h(issued))
}

async fn rechecked(house: &House, waiting: usize) {
    for _ in 0..200 {
        if house.node.revocations_waiting().unwrap() == waiting {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not revoked in time");
}

async fn revoke(phone: &mut Phone, use_id: &[u8], forget: bool) -> Result<u32, tonic::Status> {
    let call: r::RevokePassesRequest = phone.sign(&r::RevokePasses {
        use_id: use_id.to_vec(),
        forget_other_devices: forget,
    });
    Ok(phone.client.revoke_passes(call).await?.into_inner().revoked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_positive_test_revokes_within_one_online_document_and_nobody_else_s_pass() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut ill = Phone::registered(house, 1).await;
    let mut well = Phone::registered(house, 2).await;
    epoch(&world, 1).await;
    let (body, of_ill) = passes(&mut ill, 3).await;
    let (_, of_well) = passes(&mut well, 1).await;
    world.advance_to(START + 20);
    negative(house, 2, START + 10).await;
    let began = Instant::now();
    let lab = source(33, SourceKind::Laboratory);
    let positive = EventBody::Test {
        sampled_at: minute(START + 10),
        result: TestResult::Positive,
    };
    accepted(
        house,
        &event(person(33, 1), lab, minute(START + 10), positive),
    )
    .await;
    rechecked(house, 3).await;
    let noted = began.elapsed();
    publish(&world, 1, 1).await;
    println!(
        "from event to revoked {noted:?}, to the list of three provinces {:?}",
        began.elapsed()
    );
    for house in &world.houses {
        assert!(of_ill.iter().all(|pass| is_revoked(house, pass)));
        assert!(of_well.iter().all(|pass| !is_revoked(house, pass)));
    }
    assert_eq!(house.node.revocations_waiting().unwrap(), 0);
    // What was made is not given again, and no more is made in the same epoch.
    let refused = make(&mut ill, &body).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::ClaimNotSupported));
    let again = request(1, Colour::Green, TestAge::NotAsked, "");
    ask(&mut ill, &again).await.unwrap();
    let refused = make(&mut ill, &again).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::ClaimNotSupported));
    passes(&mut well, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_registers_without_the_lost_phones_has_their_passes_revoked() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut stolen = Phone::registered(house, 1).await;
    let mut other = Phone::registered(house, 2).await;
    epoch(&world, 1).await;
    let (body, lost) = passes(&mut stolen, 2).await;
    let (_, others) = passes(&mut other, 1).await;
    let mut own = Phone::new(house, 1);
    own.key = p256::ecdsa::SigningKey::from_slice(&[0x18; 32]).unwrap();
    own.forgets_others = true;
    own.register(&name(1)).await.unwrap();
    let refused = make(&mut stolen, &body).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::UnknownDevice));
    assert_eq!(house.node.revocations_waiting().unwrap(), 2);
    world.advance_to(START + 15);
    publish(&world, 1, 1).await;
    for house in &world.houses {
        assert!(lost.iter().all(|pass| is_revoked(house, pass)));
        assert!(others.iter().all(|pass| !is_revoked(house, pass)));
    }
    // The record is the same: its new phone fetches passes at once.
    let (_, fresh) = passes(&mut own, 1).await;
    assert!(!is_revoked(house, &fresh[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_theft_all_passes_are_revoked_and_the_stolen_phone_fetches_no_more() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut stolen = Phone::registered(house, 1).await;
    let mut own = Phone::new(house, 1);
    own.key = p256::ecdsa::SigningKey::from_slice(&[0x17; 32]).unwrap();
    own.register(&name(1)).await.unwrap();
    let mut other = Phone::registered(house, 2).await;
    epoch(&world, 1).await;
    let (body, lost) = passes(&mut stolen, 2).await;
    let (_, others) = passes(&mut other, 1).await;
    assert_eq!(revoke(&mut own, &[], true).await.unwrap(), 2);
    let refused = make(&mut stolen, &body).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::UnknownDevice));
    assert_eq!(revoke(&mut own, &[], true).await.unwrap(), 0);
    world.advance_to(START + 15);
    publish(&world, 2, 1).await;
    for house in &world.houses {
        assert!(lost.iter().all(|pass| is_revoked(house, pass)));
        assert!(!is_revoked(house, &others[0]));
    }
    passes(&mut own, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_use_is_revoked_by_itself_and_only_by_its_own_resident() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    let mut other = Phone::registered(house, 2).await;
    epoch(&world, 1).await;
    let (first, gone) = passes(&mut phone, 1).await;
    let (second, kept) = passes(&mut phone, 1).await;
    let refused = revoke(&mut other, &first.use_id, false).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::NotFound));
    assert_eq!(revoke(&mut phone, &first.use_id, false).await.unwrap(), 1);
    let refused = make(&mut phone, &first).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::NotFound));
    assert_eq!(make(&mut phone, &second).await.unwrap().passes, kept);
    world.advance_to(START + 15);
    publish(&world, 0, 1).await;
    assert!(is_revoked(house, &gone[0]) && !is_revoked(house, &kept[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_and_batches_have_one_length_whatever_is_revoked_and_a_part_stays_until_published() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    epoch(&world, 1).await;
    let (_, made) = passes(&mut phone, 2).await;
    let lens: Vec<usize> = world
        .houses
        .iter()
        .map(|house| house.node.contribute().unwrap().len())
        .collect();
    assert_eq!(lens, [333; 3]);
    let before = house.node.contribute().unwrap();
    revoke(&mut phone, &[], false).await.unwrap();
    // Asked again before a batch was published, a node says the same: two answers do not show what is in both.
    assert_eq!(house.node.contribute().unwrap(), before);
    world.advance_to(START + 15);
    publish(&world, 1, 1).await;
    let after = house.node.contribute().unwrap();
    assert!(before.iter().all(|r| !after.contains(r)));
    let secret = |pass: &r::IssuedPass| Revocation(pass.revocation_secret[..].try_into().unwrap());
    assert!(made.iter().all(|pass| after.contains(&secret(pass))));
    world.advance_to(START + 30);
    publish(&world, 2, 1).await;
    assert!(made.iter().all(|pass| is_revoked(house, pass)));
    let list = house.node.trust_list().unwrap();
    assert_eq!(list.online().batches.len(), 3);
    assert_eq!(list.revocations(), 3 * BATCH_LEN);
    // Anybody fetches a batch by its digest.
    let digest = list.online().batches[2].digest;
    let mut client = wire::client::trust(at_public(&world.houses[2]));
    let ask = |digest: Vec<u8>| t::GetRevocationBatchRequest { digest };
    let batch = client.get_revocation_batch(ask(digest.0.to_vec())).await;
    let batch = RevocationBatch::from_bytes(&batch.unwrap().into_inner().batch).unwrap();
    assert_eq!(batch.entry(), list.online().batches[2]);
    let unknown = client.get_revocation_batch(ask(vec![1; 32])).await;
    assert_eq!(reason_of(&unknown.unwrap_err()), Some(Reason::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_revoked_and_what_is_published_survive_a_restart() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    epoch(&world, 1).await;
    let (_, made) = passes(&mut phone, 1).await;
    confirmed(house, 1).await;
    rechecked(house, 1).await;
    drop(phone);
    let mut stores = Vec::new();
    for house in world.houses {
        stores.push(house.close().await);
    }
    let world = World::over(Wish::default(), stores.try_into().unwrap(), START + 20).await;
    let house = &world.houses[0];
    assert_eq!(house.node.revocations_waiting().unwrap(), 1);
    assert_eq!(house.node.trust_list().unwrap().revocations(), BATCH_LEN);
    publish(&world, 0, 1).await;
    assert!(world.houses.iter().all(|house| is_revoked(house, &made[0])));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_province_signs_away_a_batch_or_for_one_that_it_has_not_seen() {
    let world = World::new(Wish::default()).await;
    epoch(&world, 1).await;
    world.advance_to(START + 20);
    let node = &world.houses[0].node;
    let sequence = node.next_sequence().unwrap();
    let good = node.next_online(sequence, None);
    assert_eq!(good.batches.len(), 1);
    let mut without = good.clone();
    without.batches.clear();
    let secrets = (0..1_000_u128)
        .map(|n| Revocation(n.to_be_bytes()))
        .collect();
    let unseen = RevocationBatch::new(minute(START + 20), secrets).unwrap();
    let mut more = good.clone();
    more.batches.push(unseen.entry());
    for bad in [&without, &more] {
        let refused = node.cosign_online(bad).unwrap_err();
        assert_eq!(refused.reason(), Reason::TrustRefused);
    }
    node.cosign_online(&good).unwrap();
}

/// Found by simulation: two provinces had a quorum sign a list each, one with the one batch and one with the other, and no list
/// found a quorum ever after.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_may_have_its_quorum_is_in_the_next_list_whoever_proposes_it() {
    let world = World::new(Wish::default()).await;
    epoch(&world, 1).await;
    world.advance_to(START + 20);
    let [first, second, third] = &world.houses[..] else {
        panic!("three houses");
    };
    let entry = first.node.merge(&[]).unwrap();
    let sequence = first.node.next_sequence().unwrap();
    let document = first.node.next_online(sequence, Some(entry));
    first.node.cosign_online(&document).unwrap();
    let proposer = PeerId::node(&federation(), province(first.home));
    for house in [second, third] {
        let mut client = wire::client::federation(at_peers(house, &proposer));
        let document = document.to_bytes().unwrap();
        let signed = client.cosign_online(CosignOnlineRequest { document }).await;
        signed.unwrap();
    }
    // The first is gone before it could publish. A list with another batch, or none, is signed by nobody;
    let rival = second.node.merge(&[]).unwrap();
    let sequence = second.node.next_sequence().unwrap();
    for batch in [Some(rival), None] {
        let other = second.node.next_online(sequence, batch);
        let refused = second.node.cosign_online(&other).unwrap_err();
        assert_eq!(refused.reason(), Reason::TrustRefused);
    }
    // whoever comes next proposes that one.
    world.advance_to(START + 26);
    publish(&world, 2, 1).await;
    for house in &world.houses {
        let list = house.node.trust_list().unwrap();
        assert!(list.online().batches.contains(&entry));
    }
    // What found no quorum for as long as lies between two batches is let go.
    world.advance_to(START + 40);
    let late = third.node.merge(&[]).unwrap();
    let sequence = third.node.next_sequence().unwrap();
    third
        .node
        .cosign_online(&third.node.next_online(sequence, Some(late)))
        .unwrap();
    world.advance_to(START + 55);
    publish(&world, 2, 1).await;
    let batches = third.node.trust_list().unwrap().online().batches.clone();
    assert!(!batches.contains(&late) && batches.len() == 3);
}

/// The part that a house gives a proposer.
async fn given(house: &House, proposer: &PeerId) -> Vec<Revocation> {
    let mut client = wire::client::federation(at_peers(house, proposer));
    let answer = client.contribute(ContributeRequest {}).await.unwrap();
    Contributed::try_from(answer.get_ref()).unwrap().0
}

/// Counts what is warned of on this thread with these words.
struct Warned(Arc<AtomicUsize>, &'static str);

impl<S: tracing::Subscriber> Layer<S> for Warned {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        struct Message(String);
        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        let is_it = *event.metadata().level() == tracing::Level::WARN && message.0.contains(self.1);
        self.0.fetch_add(usize::from(is_it), Ordering::Relaxed);
    }
}

/// On one thread, so that what the doors warn of is counted.
#[tokio::test]
async fn no_province_signs_for_a_batch_without_the_part_that_it_gave_and_that_has_waited() {
    let warned = Arc::new(AtomicUsize::new(0));
    let counted = Warned(Arc::clone(&warned), "lacks this province's part");
    let _counting = tracing_subscriber::registry().with(counted).set_default();
    let world = World::new(Wish::default()).await;
    epoch(&world, 1).await;
    let [first, second, third] = &world.houses[..] else {
        panic!("three houses");
    };
    let proposer = |house: &House| PeerId::node(&federation(), province(house.home));
    // Proposed by `by` with these parts.
    let propose = async |by: &House, parts: &[Vec<Revocation>]| {
        let entry = by.node.merge(parts).unwrap();
        let sequence = second.node.next_sequence().unwrap();
        let document = by.node.next_online(sequence, Some(entry));
        let mut client = wire::client::federation(at_peers(second, &proposer(by)));
        let document = document.to_bytes().unwrap();
        let signed = client.cosign_online(CosignOnlineRequest { document }).await;
        signed
            .map(drop)
            .map_err(|status| reason_of(&status).unwrap())
    };
    // Once it can be that the answer was late.
    world.advance_to(START + 20);
    let part = given(second, &proposer(first)).await;
    assert_eq!(propose(first, &[]).await, Ok(()));
    world.advance_to(START + 20 + 29);
    assert_eq!(given(second, &proposer(first)).await, part);
    assert_eq!(propose(first, &[]).await, Ok(()));
    // After the time of two batches no more; also with all but one of them.
    world.advance_to(START + 20 + 29 + 15);
    let refused = Err(Reason::TrustRefused);
    assert_eq!(propose(first, &[]).await, refused);
    let mut most = part.clone();
    most.pop();
    most.push(Revocation([9; 16]));
    assert_eq!(propose(first, &[most]).await, refused);
    // Who was not given it can have had none, and who has it in is signed for.
    assert_eq!(propose(third, &[]).await, Ok(()));
    world.advance_to(START + 20 + 29 + 30);
    assert_eq!(propose(first, &[]).await, refused);
    assert_eq!(propose(first, &[part]).await, Ok(()));
    // Each of the three once.
    assert_eq!(warned.load(Ordering::Relaxed), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_left_out_of_a_list_that_it_missed_signs_the_next_one() {
    let mut world = World::new(Wish::default()).await;
    epoch(&world, 1).await;
    world.advance_to(START + 20);
    let proposer = PeerId::node(&federation(), province(33));
    given(world.house(42), &proposer).await;
    let store = world.close(42).await;
    // Its part has waited for two batches by then.
    world.advance_to(START + 55);
    publish(&world, 0, 1).await;
    world.reopen(&Wish::default(), 42, store, START + 62).await;
    let missed = list_number(world.house(33));
    assert!(list_number(world.house(42)) < missed);
    // The third is needed: of the first two one is gone.
    drop(world.close(35).await);
    world.advance_to(START + 62);
    publish(&world, 0, 1).await;
    for home in [33, 42] {
        let house = world.house(home);
        assert!(list_number(house) > missed);
        let list = house.node.trust_list().unwrap();
        assert_eq!(list.online().batches.len(), 2);
    }
}

/// The number of the list that a house has.
fn list_number(house: &House) -> u64 {
    house.node.trust_list().unwrap().online().sequence.get()
}

/// Found by simulation, too: who missed a list with a batch would sign no later one, and the others none without it.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_was_missed_is_had_from_whoever_proposes_the_next() {
    let mut world = World::new(Wish::default()).await;
    epoch(&world, 1).await;
    let store = world.close(42).await;
    world.advance_to(START + 20);
    publish(&world, 0, 1).await;
    let listed = world
        .house(33)
        .node
        .trust_list()
        .unwrap()
        .online()
        .batches
        .clone();
    assert_eq!(listed.len(), 2);
    world.reopen(&Wish::default(), 42, store, START + 40).await;
    let away = &world.house(42).node;
    assert_eq!(away.trust_list().unwrap().online().batches.len(), 1);
    // The third is needed: of the first two one is gone.
    drop(world.close(35).await);
    world.advance_to(START + 40);
    publish(&world, 0, 1).await;
    let lists = [33, 42].map(|home| world.house(home).node.trust_list().unwrap());
    assert!(
        lists
            .iter()
            .all(|list| list.online().batches.starts_with(&listed))
    );
    assert!(lists.iter().all(|list| list.online().batches.len() == 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trust_list_is_read_over_plain_http_whole_in_increments_and_by_batch() {
    use http_body_util::BodyExt as _;
    let world = World::new(Wish::default()).await;
    let node = &world.houses[0].node;
    let get = |path: String, tag: Option<http::HeaderValue>| {
        let mut request = http::Request::get(path);
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        node::trust_list(node, &request.body(()).unwrap())
    };
    let whole = || "/trust/v1/list".to_owned();
    assert_eq!(get(whole(), None).status(), 404);
    epoch(&world, 1).await;
    let list = node.trust_list().unwrap();
    let answer = get(whole(), None);
    let tag = answer.headers()["etag"].clone();
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, list.to_bytes());
    assert_eq!(get(whole(), Some(tag.clone())).status(), 304);
    world.advance_to(START + 20);
    publish(&world, 0, 1).await;
    assert_eq!(get(whole(), Some(tag)).status(), 200);
    let newest = node.trust_list().unwrap();
    let known = InHand::of(&list);
    let path = format!(
        "/trust/v1/increment/{}/{}/{}/{}",
        known.root_sequence, known.online_sequence, known.epoch, known.batch_minute
    );
    let body = get(path, None).into_body().collect().await.unwrap();
    let increment = Increment::from_bytes(&body.to_bytes()).unwrap();
    assert_eq!(increment.apply(&list).unwrap(), newest.to_bytes());
    let digest = newest.online().batches[1].digest;
    let path = |digits: String| format!("/trust/v1/batch/{digits}");
    let body = get(path(hex::encode(digest.0)), None).into_body();
    let body = body.collect().await.unwrap().to_bytes();
    assert_eq!(
        RevocationBatch::from_bytes(&body).unwrap().entry().digest,
        digest
    );
    for bad in [
        path("11".repeat(32)),
        path("1".to_owned()),
        "/trust/v1/increment/1/1/1".to_owned(),
    ] {
        assert_eq!(get(bad, None).status(), 404);
    }
}
