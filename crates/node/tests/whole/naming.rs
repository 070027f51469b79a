//! Proxies that an office names for somebody who has no phone: whom it may name, how the resident sees it, and what is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ed25519_dalek::{Signer as _, SigningKey};
use node::store::{MemoryStore, Store as _, Table};
use node::{Node, SimulatedClock};
use rules::naming::Naming;
use rules::{SourceId, SourceKind};
use tonic::Status;
use wire::pass::v1::{Colour, TestAge};
use wire::resident::v1 as r;
use wire::source::v1 as s;
use wire::{DeviceKey, NamingRequest, Reason, reason_of};

use crate::clients::{Phone, at_peers, fresh};
use crate::openings::of_source;
use crate::passes::{ask, epoch, make, request};
use crate::receipts_cut::Cut;
use crate::retention::DAY;
use crate::world::{House, START, Wish, World, minute, name, parts, person, source, source_key};

const SHOWN: &str = "33-community-office-1 community-office of 33";
/// The first number of phones that are nobody's device.
const OTHERS: u16 = 500;
/// All that a naming writes, and the same of the resident.
const WRITTEN: [Table; 5] = [
    Table::Residents,
    Table::Proxies,
    Table::ProxyKeys,
    Table::Namings,
    Table::Reads,
];

fn office(home: u8) -> SourceId {
    source(home, SourceKind::CommunityOffice)
}

/// A phone with a key that nobody has bound.
fn unbound(house: &House, number: u16) -> Phone {
    Phone::new(house, OTHERS + number)
}

fn naming(number: u16, key: &Phone, until: u32) -> Naming {
    Naming {
        request_id: fresh(),
        subject: person(33, number),
        proxy_key: DeviceKey::of(&key.key).to_bytes(),
        until: minute(until),
        source: office(33),
    }
}

fn signed(naming: Naming, key: &SigningKey) -> s::NameProxyRequest {
    s::NameProxyRequest {
        naming: naming.to_bytes(),
        signature: key.sign(&naming.signing_bytes()).to_bytes().to_vec(),
    }
}

async fn send(house: &House, who: SourceId, call: s::NameProxyRequest) -> Result<(), Status> {
    let mut client = wire::client::proxy_office(at_peers(house, &of_source(who)));
    client.name_proxy(call).await.map(|_| ())
}

/// As the office hands it in that is entitled to.
async fn hand_in(house: &House, naming: Naming) -> Result<(), Status> {
    let call = signed(naming, &source_key(office(33)));
    send(house, office(33), call).await
}

async fn refusal(house: &House, naming: Naming) -> Option<Reason> {
    reason_of(&hand_in(house, naming).await.unwrap_err())
}

async fn set(phone: &mut Phone, key: &Phone, until: u32) -> Result<Vec<r::Proxy>, Status> {
    let call: r::SetProxyRequest = phone.sign(&r::SetProxy {
        proxy_key: DeviceKey::of(&key.key).to_bytes().to_vec(),
        label: "孙女".to_owned(),
        until_minute: until,
    });
    Ok(phone.client.set_proxy(call).await?.into_inner().proxies)
}

fn rows(store: &MemoryStore) -> [usize; 5] {
    WRITTEN.map(|table| store.scan(table, b"", None, usize::MAX).unwrap().len())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_phone_has_a_proxy_by_an_offices_word_sees_it_later_and_ends_it() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut proxy = unbound(house, 1);
    let first = naming(1, &proxy, START + DAY);
    hand_in(house, first).await.unwrap();
    epoch(&world, 1).await;
    let body = request(1, Colour::Green, TestAge::NotAsked, "");
    ask(&mut proxy, &body).await.unwrap();
    assert_eq!(make(&mut proxy, &body).await.unwrap().passes.len(), 1);
    let told = proxy.query("").await.unwrap();
    assert_eq!((told.proxies.len(), told.readings.len()), (1, 0));

    // Whoever is bound later sees who named whom, and when.
    let mut own = Phone::registered(house, 1).await;
    let seen = own.query("").await.unwrap();
    let expected = r::Proxy {
        proxy_key: first.proxy_key.to_vec(),
        label: "33-community-office-1".to_owned(),
        since_minute: START,
        until_minute: START + DAY,
        last_used_minute: START,
        named_by: SHOWN.to_owned(),
    };
    assert!(seen.proxies == [expected]);
    let of_naming: Vec<_> = seen
        .readings
        .iter()
        .filter(|r| r.purpose == "naming")
        .collect();
    assert_eq!(of_naming.len(), 1);
    assert!(
        of_naming[0].reader.ends_with("source/community-office/1"),
        "{}",
        of_naming[0].reader
    );
    assert_eq!((of_naming[0].at_minute, of_naming[0].epoch), (START, 0));

    // What the resident calls it stays when the office gives it another end.
    let changed = set(&mut own, &proxy, START + 2 * DAY).await.unwrap();
    assert_eq!(
        (&changed[0].label[..], &changed[0].named_by[..]),
        ("孙女", SHOWN)
    );
    let longer = naming(1, &proxy, START + 3 * DAY);
    hand_in(house, longer).await.unwrap();
    let seen = own.query("").await.unwrap().proxies.remove(0);
    assert_eq!(
        (&seen.label[..], seen.until_minute),
        ("孙女", START + 3 * DAY)
    );

    world.advance_to(START + 10);
    assert!(set(&mut own, &proxy, 0).await.unwrap().is_empty());
    let ended = proxy.query("").await.unwrap_err();
    assert_eq!(reason_of(&ended), Some(Reason::UnknownDevice));
    // The same word again is answered as before, and does not bring it back.
    hand_in(house, longer).await.unwrap();
    assert!(own.query("").await.unwrap().proxies.is_empty());
    // Named anew by the resident it is the resident's.
    let again = set(&mut own, &proxy, START + DAY).await.unwrap();
    assert_eq!(again[0].named_by, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_office_that_is_entitled_names_a_proxy_over_its_own_signature() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let proxy = unbound(house, 1);
    let good = naming(1, &proxy, START + DAY);
    for who in [
        source(33, SourceKind::Cdc),
        source(33, SourceKind::AppealsOffice),
        office(world.houses[1].home),
    ] {
        let other = Naming {
            source: who,
            ..good
        };
        let refused = send(house, who, signed(other, &source_key(who))).await;
        assert_eq!(
            reason_of(&refused.unwrap_err()),
            Some(Reason::RoleRefused),
            "{who}"
        );
    }
    let by_other = signed(good, &source_key(source(33, SourceKind::Cdc)));
    let refused = send(house, office(33), by_other).await;
    assert_eq!(reason_of(&refused.unwrap_err()), Some(Reason::BadSignature));
    // Every byte is signed: another request, person, key, end and office.
    let call = signed(good, &source_key(office(33)));
    for at in [1, 36, 71, 77] {
        let mut changed = call.clone();
        changed.naming[at] ^= 1;
        assert!(send(house, office(33), changed).await.is_err(), "{at}");
    }
    let cdcs = Naming {
        source: source(33, SourceKind::Cdc),
        ..good
    };
    assert_eq!(refusal(house, cdcs).await, Some(Reason::RoleRefused));
    let mut short = call;
    short.naming.pop();
    let refused = send(house, office(33), short).await;
    assert_eq!(reason_of(&refused.unwrap_err()), Some(Reason::Malformed));
    assert_eq!(rows(&house.store), [0; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_naming_is_judged_as_one_by_a_device_and_changes_nothing_of_somebody_elses() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut own = Phone::registered(house, 1).await;
    let (by_own, free) = (unbound(house, 1), unbound(house, 2));
    set(&mut own, &by_own, START + DAY).await.unwrap();
    let until = START + DAY;
    let good = naming(2, &free, until);
    let elsewhere = Naming {
        subject: person(world.houses[1].home, 1),
        ..good
    };
    let mut no_point = good;
    no_point.proxy_key = [2; 33];
    no_point.proxy_key[1..].fill(0xff);
    for (bad, reason) in [
        (elsewhere, Reason::LivesElsewhere),
        (naming(2, &free, START), Reason::Malformed),
        (naming(2, &free, START + 366 * DAY + 1), Reason::Malformed),
        (no_point, Reason::Malformed),
        // A device, somebody else's proxy, and one that the resident named.
        (naming(1, &own, until), Reason::AlreadyBound),
        (naming(2, &own, until), Reason::AlreadyBound),
        (naming(2, &by_own, until), Reason::AlreadyBound),
        (naming(1, &by_own, until), Reason::AlreadyBound),
    ] {
        assert_eq!(refusal(house, bad).await, Some(reason));
    }
    assert!(own.query("").await.unwrap().proxies[0].named_by.is_empty());
    hand_in(house, naming(2, &free, START + 366 * DAY))
        .await
        .unwrap();

    // One name for one word.
    hand_in(house, naming(3, &unbound(house, 3), until))
        .await
        .unwrap();
    let once = naming(3, &unbound(house, 4), until);
    hand_in(house, once).await.unwrap();
    hand_in(house, once).await.unwrap();
    let longer = Naming {
        until: minute(until + 1),
        ..once
    };
    assert_eq!(refusal(house, longer).await, Some(Reason::IdReused));
    for number in 5..7 {
        hand_in(house, naming(3, &unbound(house, number), until))
            .await
            .unwrap();
    }
    let fifth = naming(3, &unbound(house, 7), until);
    assert_eq!(refusal(house, fifth).await, Some(Reason::TooManyProxies));
    // No more than 64 words about one resident at a time.
    for more in 1..64 {
        hand_in(house, naming(2, &free, until + more))
            .await
            .unwrap();
    }
    let more = naming(2, &free, until + 64);
    assert_eq!(refusal(house, more).await, Some(Reason::TooManyProxies));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_office_said_goes_with_its_date_and_with_who_leaves() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    for (number, until) in [(1, START + DAY), (2, START + 2 * DAY)] {
        let key = unbound(house, number);
        hand_in(house, naming(number, &key, until)).await.unwrap();
    }
    let mut leaver = Phone::registered(house, 2).await;
    world.advance_to(START + DAY);
    house.node.retain().unwrap();
    assert_eq!(rows(&house.store)[1..4], [1, 1, 1]);
    let call: r::LeaveRequest = leaver.sign(&r::Leave {});
    leaver.client.leave(call).await.unwrap();
    assert_eq!(rows(&house.store)[1..4], [0, 0, 0]);
    assert!(name(2) != name(1));
}

#[test]
fn the_trail_tells_of_it_in_the_same_commit_or_nothing_is_named() {
    let store = Arc::new(Cut {
        store: Arc::new(MemoryStore::default()),
        left: AtomicUsize::new(usize::MAX),
    });
    let clock = Arc::new(SimulatedClock::start(minute(START), 0));
    let node = Node::open(parts(&Wish::default(), 33, store.clone(), clock)).unwrap();
    let key = DeviceKey::of(&p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap());
    let naming = Naming {
        request_id: [1; 16],
        subject: person(33, 1),
        proxy_key: key.to_bytes(),
        until: minute(START + DAY),
        source: office(33),
    };
    let signature = source_key(office(33)).sign(&naming.signing_bytes());
    let asked = NamingRequest {
        naming,
        key,
        signature: signature.to_bytes(),
    };
    store.left.store(0, Ordering::SeqCst);
    assert!(node.name_proxy(office(33), &asked).is_err());
    assert_eq!(rows(&store.store), [0; 5]);
    store.left.store(1, Ordering::SeqCst);
    node.name_proxy(office(33), &asked).unwrap();
    assert_eq!(rows(&store.store), [1; 5]);
    // The answer may have been lost.
    node.name_proxy(office(33), &asked).unwrap();
    assert_eq!(rows(&store.store), [1; 5]);
}
